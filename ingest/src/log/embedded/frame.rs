//! How a record lies in a segment: length of the body, CRC32C over length and body, body; numbers little endian.
//!
//! The body: offset (8), time (8), key length (2), number of headers (2), key, then per header name length (2), value length
//! (4), name, value; the payload is the rest.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crate::log::admission::{HEADERS_BYTES_MAX, KEY_BYTES_MAX};
use crate::log::{RECORD_BYTES_MAX, Record};

/// Length and checksum.
const PREFIX_BYTES: usize = 8;

/// Offset, time, key length, number of headers.
const FIXED_BYTES: usize = 20;

const BODY_BYTES_MAX: usize = FIXED_BYTES + KEY_BYTES_MAX + HEADERS_BYTES_MAX + RECORD_BYTES_MAX;

/// The smallest frame.
pub(super) const FRAME_BYTES_MIN: usize = PREFIX_BYTES + FIXED_BYTES;

/// The largest frame: what one interrupted append can leave behind.
pub(super) const FRAME_BYTES_MAX: usize = PREFIX_BYTES + BODY_BYTES_MAX;

/// One frame whose checksum holds.
pub(super) struct Frame<'a> {
    pub(super) offset: u64,
    pub(super) appended_us: i64,
    body: &'a [u8],
}

/// Makes the frame of a record that [`crate::log::admission::check_record`] let pass.
pub(super) fn encode(offset: u64, appended_us: i64, key: &[u8], headers: &[(&str, &[u8])], payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(FRAME_BYTES_MIN + key.len() + payload.len() + 64);
    frame.extend([0; PREFIX_BYTES]);
    frame.extend(offset.to_le_bytes());
    frame.extend(appended_us.to_le_bytes());
    frame.extend(short(key.len()));
    frame.extend(short(headers.len()));
    frame.extend(key);
    for (name, value) in headers {
        frame.extend(short(name.len()));
        frame.extend(u32::try_from(value.len()).expect("headers are held to 16 KiB").to_le_bytes());
        frame.extend(name.as_bytes());
        frame.extend(*value);
    }
    frame.extend(payload);
    let length = u32::try_from(frame.len() - PREFIX_BYTES).expect("the parts are held to less than 1 MiB").to_le_bytes();
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&length), &frame[PREFIX_BYTES..]);
    frame[..4].copy_from_slice(&length);
    frame[4..PREFIX_BYTES].copy_from_slice(&checksum.to_le_bytes());
    frame
}

fn short(length: usize) -> [u8; 2] {
    u16::try_from(length).expect("keys, names and counts are held to 16 KiB").to_le_bytes()
}

/// The size of the frame that begins here, if its length is a possible one. Wants at least the prefix.
fn frame_bytes(bytes: &[u8]) -> Option<usize> {
    let length = u32::from_le_bytes(bytes.first_chunk().copied()?) as usize;
    (FIXED_BYTES..=BODY_BYTES_MAX).contains(&length).then_some(PREFIX_BYTES + length)
}

/// The frame that these bytes begin with, if it is whole and its checksum holds.
pub(super) fn read(bytes: &[u8]) -> Option<Frame<'_>> {
    let total = frame_bytes(bytes)?;
    let body = bytes.get(PREFIX_BYTES..total)?;
    let stated = u32::from_le_bytes(*bytes[4..].first_chunk()?);
    if crc32c::crc32c_append(crc32c::crc32c(&bytes[..4]), body) != stated {
        return None;
    }
    let offset = u64::from_le_bytes(*body.first_chunk()?);
    Some(Frame { offset, appended_us: i64::from_le_bytes(*body[8..].first_chunk()?), body })
}

/// Whether a whole frame with an offset above `expected` lies anywhere behind the first byte: then what precedes it is
/// damage, not the torn end of the last append.
pub(super) fn holds_later_frame(bytes: &[u8], expected: u64) -> bool {
    let last_possible = expected.saturating_add((bytes.len() / FRAME_BYTES_MIN) as u64);
    (1..bytes.len()).any(|from| {
        let rest = &bytes[from..];
        let offset = rest.get(PREFIX_BYTES..).and_then(|body| body.first_chunk()).map(|offset| u64::from_le_bytes(*offset));
        offset.is_some_and(|offset| offset > expected && offset <= last_possible) && read(rest).is_some()
    })
}

impl Frame<'_> {
    /// The record inside; `None` when the body's lengths do not fit it, which the checksum makes a bug or an attack.
    pub(super) fn record(&self) -> Option<Record> {
        let mut rest = &self.body[16..];
        let key_bytes = take_short(&mut rest)?;
        let header_count = take_short(&mut rest)?;
        let key = take(&mut rest, key_bytes)?.to_vec();
        let mut headers = Vec::with_capacity(header_count.min(rest.len()));
        for _ in 0..header_count {
            let name_bytes = take_short(&mut rest)?;
            let value_bytes = u32::from_le_bytes(*take(&mut rest, 4)?.first_chunk()?) as usize;
            let name = String::from_utf8(take(&mut rest, name_bytes)?.to_vec()).ok()?;
            headers.push((name, take(&mut rest, value_bytes)?.to_vec()));
        }
        Some(Record { offset: self.offset, key, headers, payload: rest.to_vec(), appended_us: self.appended_us })
    }

    /// Bytes of the whole frame.
    pub(super) fn bytes(&self) -> usize {
        PREFIX_BYTES + self.body.len()
    }
}

fn take<'a>(rest: &mut &'a [u8], bytes: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(bytes)?;
    *rest = tail;
    Some(head)
}

fn take_short(rest: &mut &[u8]) -> Option<usize> {
    take(rest, 2)?.first_chunk().map(|two| usize::from(u16::from_le_bytes(*two)))
}

/// How much is read at once.
const CHUNK_BYTES: u64 = 64 * 1024;

/// Walks over the frames of a file from one byte to another.
pub(super) struct Scanner<'f> {
    file: &'f File,
    /// File byte of the next frame.
    at: u64,
    limit: u64,
    buffer: Vec<u8>,
    /// How much of the buffer has been walked over.
    used: usize,
}

/// What the scanner met.
pub(super) enum Step<'a> {
    /// A whole frame.
    Frame(Frame<'a>),
    /// The limit, right after a frame.
    End,
    /// Bytes that are no frame, from here.
    Damaged {
        /// File byte.
        at: u64,
        /// What does not fit.
        what: &'static str,
    },
}

impl<'f> Scanner<'f> {
    pub(super) fn new(file: &'f File, at: u64, limit: u64) -> Self {
        Self { file, at, limit, buffer: Vec::new(), used: 0 }
    }

    pub(super) fn step(&mut self) -> io::Result<Step<'_>> {
        let at = self.at;
        if at >= self.limit {
            return Ok(Step::End);
        }
        if !self.fill(PREFIX_BYTES)? {
            return Ok(Step::Damaged { at, what: "the file ends inside a record's prefix" });
        }
        let Some(total) = frame_bytes(&self.buffer[self.used..]) else {
            return Ok(Step::Damaged { at, what: "a record's length is impossible" });
        };
        if !self.fill(total)? {
            return Ok(Step::Damaged { at, what: "the file ends inside a record" });
        }
        let Some(frame) = read(&self.buffer[self.used..]) else {
            return Ok(Step::Damaged { at, what: "a record's checksum does not hold" });
        };
        self.used += total;
        self.at += total as u64;
        Ok(Step::Frame(frame))
    }

    /// Has `wanted` bytes of the next frame at hand; false when the limit comes first.
    fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        let present = self.buffer.len() - self.used;
        if present >= wanted {
            return Ok(true);
        }
        if self.limit - self.at < wanted as u64 {
            return Ok(false);
        }
        self.buffer.drain(..self.used);
        self.used = 0;
        let chunk = CHUNK_BYTES.max(wanted as u64).min(self.limit - self.at);
        self.buffer.resize(usize::try_from(chunk).expect("at most a chunk or a frame"), 0);
        self.file.read_exact_at(&mut self.buffer[present..], self.at + present as u64)?;
        Ok(true)
    }
}
