//! How events become lines: which profiles can read them, and what happens to line ends inside an event.

use memchr::memchr;

use super::LiveError;
use crate::profile::Profile;
use crate::profile::charset::Encoding;
use crate::profile::recipe::Reader;

/// How the events of a live source become lines that a profile reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveForm {
    /// What stands before the first event of every micro-batch.
    header: Vec<u8>,
    is_json: bool,
}

/// Where a byte of a JSON text stands.
#[derive(Debug, Clone, Copy, Default)]
struct JsonPlace {
    depth: u32,
    in_text: bool,
    is_escaped: bool,
}

impl LiveForm {
    /// The form of events that `profile` reads. `header` are the lines that it expects before the first row, as its files have
    /// them; empty where it expects none.
    pub fn new(profile: &Profile, header: &str) -> Result<Self, LiveError> {
        let unfit = |what: &str| LiveError::Unfit { profile: profile.name().to_owned(), what: what.to_owned() };
        let is_json = match &profile.reader {
            Reader::Delimited | Reader::FixedWidth(_) => false,
            Reader::JsonLines(_) => true,
            Reader::JsonArray(_) | Reader::Xml(_) | Reader::Tap3(_) => {
                return Err(unfit("its records stand in one list per file; use a profile that reads lines"));
            }
        };
        if profile.trailer.is_some() {
            return Err(unfit("its files end with a trailer, which a stream has not; copy the profile without it"));
        }
        if profile.file.encoding == Encoding::Utf16 {
            return Err(unfit("its files are in UTF-16; have the events written in UTF-8"));
        }
        let mut header = header.trim_end_matches(['\r', '\n']).as_bytes().to_vec();
        if !header.is_empty() {
            header.push(b'\n');
        }
        match profile.resolve_header(&header) {
            Ok(layout) if layout.body_from() == header.len() as u64 => Ok(Self { header, is_json }),
            Ok(_) => Err(unfit("it expects no header, or a shorter one; correct `listen.header`")),
            Err(error) if header.is_empty() => {
                Err(unfit(&format!("{error}; write the header of its files into `listen.header`")))
            }
            Err(error) => Err(unfit(&format!("{error}; correct `listen.header`"))),
        }
    }

    /// What stands before the first event of every micro-batch, with its line end.
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// Appends an event as lines, each with a line end; blank lines are none. Returns how many there were.
    pub(super) fn append(&self, value: &[u8], lines: &mut Vec<u8>) -> u64 {
        if memchr(b'\n', value).is_none() {
            return append_line(value, lines);
        }
        if self.is_json {
            return append_json(value, lines);
        }
        value.split(|byte| *byte == b'\n').map(|line| append_line(line, lines)).sum()
    }
}

fn append_line(line: &[u8], lines: &mut Vec<u8>) -> u64 {
    if matches!(line, b"" | b"\r") {
        return 0;
    }
    lines.extend_from_slice(line);
    lines.push(b'\n');
    1
}

/// A line feed between records ends one; any other would break the record in two and is landed as a byte that means the same:
/// a blank, or inside a text, where JSON allows neither, a carriage return.
fn append_json(value: &[u8], lines: &mut Vec<u8>) -> u64 {
    let (mut place, mut count, mut begin) = (JsonPlace::default(), 0, lines.len());
    for byte in value {
        if *byte != b'\n' {
            place.pass(*byte);
            lines.push(*byte);
        } else if place.in_text {
            lines.push(b'\r');
        } else if place.depth > 0 {
            lines.push(b' ');
        } else {
            count += end_line(begin, lines);
            begin = lines.len();
        }
    }
    count + end_line(begin, lines)
}

fn end_line(begin: usize, lines: &mut Vec<u8>) -> u64 {
    if matches!(&lines[begin..], b"" | b"\r") {
        lines.truncate(begin);
        return 0;
    }
    lines.push(b'\n');
    1
}

impl JsonPlace {
    fn pass(&mut self, byte: u8) {
        if self.in_text {
            self.in_text = byte != b'"' || self.is_escaped;
            self.is_escaped = byte == b'\\' && !self.is_escaped;
            return;
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}
