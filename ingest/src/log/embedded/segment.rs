//! One file of a partition: a header that says where it belongs, then frames.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::durable;
use super::frame::{self, Scanner, Step};
use crate::log::LogError;

/// The format of segments that this program writes, and the newest that it reads.
const SEGMENT_FORMAT: u32 = 1;

const MAGIC: &[u8; 8] = b"twlogseg";

/// Magic (8), format (4), partition (4), base offset (8), incarnation (16), CRC32C of these (4).
pub(super) const HEADER_BYTES: usize = 44;

/// How far apart the entries of the index are: a read skips at most this and one record.
const INDEX_EVERY_BYTES: u64 = 4096;

/// Where a segment belongs: a file that strayed in from elsewhere is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Belonging {
    pub(super) incarnation: u128,
    pub(super) partition: u32,
}

/// Bytes behind the last whole record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Damage {
    pub(super) at: u64,
    pub(super) what: &'static str,
}

/// An open segment and where its records are.
#[derive(Debug)]
pub(super) struct Segment {
    /// Offset of its first record.
    pub(super) base: u64,
    pub(super) path: PathBuf,
    pub(super) file: Arc<File>,
    /// Offset and byte of some records, ascending.
    index: Vec<(u64, u64)>,
    /// Byte after the last whole record.
    pub(super) end: u64,
    /// Offset after the last record.
    pub(super) next: u64,
    /// When the last record was appended.
    pub(super) newest_us: i64,
}

/// The file name of the segment that begins with an offset: names sort as offsets do.
fn file_name(base: u64) -> String {
    format!("{base:020}.seg")
}

/// Reads back what [`file_name`] wrote.
pub(super) fn base_of(name: &str) -> Option<u64> {
    let base = name.strip_suffix(".seg")?.parse().ok()?;
    (file_name(base) == name).then_some(base)
}

impl Segment {
    /// Makes an empty segment, durable before it has its name.
    pub(super) fn create(folder: &Path, belonging: Belonging, base: u64) -> Result<Self, LogError> {
        let path = folder.join(file_name(base));
        durable::replace(&path, &header(belonging, base))?;
        Self::open(path, belonging, base, true)
    }

    /// Opens a segment and checks its header; [`Segment::scan`] finds its records.
    pub(super) fn open(path: PathBuf, belonging: Belonging, base: u64, writable: bool) -> Result<Self, LogError> {
        let opened = OpenOptions::new().read(true).write(writable).open(&path);
        let file = opened.map_err(|e| LogError::io(&path, e))?;
        check_header(&file, &path, belonging, base)?;
        let end = HEADER_BYTES as u64;
        Ok(Self { base, path, file: Arc::new(file), index: Vec::new(), end, next: base, newest_us: i64::MIN })
    }

    /// Takes in the records from the last known one to the file's end; stops before the first that is not whole.
    pub(super) fn scan(&mut self) -> Result<Option<Damage>, LogError> {
        let file = Arc::clone(&self.file);
        let length = file.metadata().map_err(|e| LogError::io(&self.path, e))?.len();
        let mut scanner = Scanner::new(&file, self.end, length);
        loop {
            match scanner.step().map_err(|e| LogError::io(&self.path, e))? {
                Step::End => return Ok(None),
                Step::Damaged { at, what } => return Ok(Some(Damage { at, what })),
                Step::Frame(frame) if frame.offset != self.next => {
                    return Err(self.corrupt(self.end, format!("it holds record {}, {} is due", frame.offset, self.next)));
                }
                Step::Frame(frame) => self.note_appended(frame.appended_us, frame.bytes()),
            }
        }
    }

    /// Notes a record that now follows the last one.
    pub(super) fn note_appended(&mut self, appended_us: i64, frame_bytes: usize) {
        if self.index.last().is_none_or(|&(_, byte)| self.end - byte >= INDEX_EVERY_BYTES) {
            self.index.push((self.next, self.end));
        }
        self.end += frame_bytes as u64;
        self.next += 1;
        self.newest_us = appended_us;
    }

    /// A byte at or before the record of this offset where a frame begins.
    pub(super) fn byte_before(&self, offset: u64) -> u64 {
        let after = self.index.partition_point(|&(known, _)| known <= offset);
        self.index[..after].last().map_or(HEADER_BYTES as u64, |&(_, byte)| byte)
    }

    /// Whether what follows the last whole record is the rest of one interrupted append, or zeros that a file system put
    /// where it had promised space.
    pub(super) fn is_torn(&self, damage: Damage) -> Result<bool, LogError> {
        let io = |e| LogError::io(&self.path, e);
        let length = self.file.metadata().map_err(io)?.len();
        let mut at = damage.at;
        let mut chunk = vec![0; frame::FRAME_BYTES_MAX];
        let mut zeros = true;
        while zeros && at < length {
            let bytes = usize::try_from(length - at).unwrap_or(usize::MAX).min(chunk.len());
            self.file.read_exact_at(&mut chunk[..bytes], at).map_err(io)?;
            zeros = chunk[..bytes].iter().all(|b| *b == 0);
            at += bytes as u64;
        }
        if zeros {
            return Ok(true);
        }
        let Some(rest) = usize::try_from(length - damage.at).ok().filter(|rest| *rest <= frame::FRAME_BYTES_MAX) else {
            return Ok(false);
        };
        self.file.read_exact_at(&mut chunk[..rest], damage.at).map_err(io)?;
        Ok(!frame::holds_later_frame(&chunk[..rest], self.next))
    }

    /// Cuts off what follows the last whole record; returns how many bytes that were.
    pub(super) fn cut(&self) -> Result<u64, LogError> {
        let io = |e| LogError::io(&self.path, e);
        let length = self.file.metadata().map_err(io)?.len();
        self.file.set_len(self.end).and_then(|()| self.file.sync_all()).map_err(io)?;
        Ok(length - self.end)
    }

    pub(super) fn corrupt(&self, byte: u64, what: String) -> LogError {
        LogError::Corrupt { file: self.path.clone(), byte, what }
    }
}

fn header(belonging: Belonging, base: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend(MAGIC);
    bytes.extend(SEGMENT_FORMAT.to_le_bytes());
    bytes.extend(belonging.partition.to_le_bytes());
    bytes.extend(base.to_le_bytes());
    bytes.extend(belonging.incarnation.to_le_bytes());
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

fn check_header(file: &File, path: &Path, belonging: Belonging, base: u64) -> Result<(), LogError> {
    let corrupt = |what: &str| Err(LogError::Corrupt { file: path.to_owned(), byte: 0, what: what.to_owned() });
    let mut found = [0; HEADER_BYTES];
    match file.read_exact_at(&mut found, 0) {
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => return corrupt("the file ends inside its header"),
        read => read.map_err(|e| LogError::io(path, e))?,
    }
    let (fields, checksum) = found.split_at(HEADER_BYTES - 4);
    if !fields.starts_with(MAGIC) || crc32c::crc32c(fields).to_le_bytes() != checksum {
        return corrupt("its header is no segment's header");
    }
    let format = u32::from_le_bytes([fields[8], fields[9], fields[10], fields[11]]);
    if format > SEGMENT_FORMAT {
        return Err(LogError::Newer { file: path.to_owned(), found: format, known: SEGMENT_FORMAT });
    }
    if found[..] != header(belonging, base) {
        return corrupt("its header names another log, partition or first offset");
    }
    Ok(())
}
