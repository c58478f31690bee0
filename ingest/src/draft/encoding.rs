//! How the characters of a sample are written, and its text.

use crate::parse::utf16::ByteOrder;
use crate::profile::charset::Encoding;

use super::{DraftError, Sample};

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// Longest line that a file of rows may begin with.
const LINE_BYTES_MAX: usize = 1 << 20;

/// How the characters of one file are written, as far as it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Writing {
    /// Only ASCII: any but UTF-16 would do.
    Ascii,
    Utf8,
    /// Bytes beyond ASCII that are no UTF-8, none of them between 0x80 and 0x9f.
    OneByte,
    /// As [`Writing::OneByte`], with letters where Latin-1 has none.
    Windows1252,
    Utf16,
}

impl Writing {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ascii => "ASCII",
            Self::Utf8 => "UTF-8",
            Self::OneByte => "Latin-1 or Windows-1252",
            Self::Windows1252 => "Windows-1252",
            Self::Utf16 => "UTF-16",
        }
    }
}

/// A sample as text.
#[derive(Debug)]
pub(super) struct Decoded {
    pub writing: Writing,
    /// Whether a byte order mark opens it.
    pub has_mark: bool,
    /// Lines with characters beyond ASCII.
    pub foreign_lines: u64,
    /// Lines of these that are no text in that encoding.
    pub broken_lines: u64,
    /// Without the mark; of a sample that is cut only whole lines.
    pub text: String,
    /// The last line of a file whose sample is cut.
    pub last_line: Option<String>,
}

/// Reads a sample as text.
pub(super) fn decode(sample: &Sample) -> Result<Decoded, DraftError> {
    let bytes = &sample.bytes[..];
    let refuse = |problem| Err(DraftError::Encoding { file: sample.name.clone(), problem });
    if bytes.is_empty() {
        return Err(DraftError::Empty(sample.name.clone()));
    }
    if bytes.starts_with(b"\xff\xfe\0\0") || bytes.starts_with(b"\0\0\xfe\xff") {
        return refuse("is UTF-32, which is not read; convert it to UTF-8, or ask the source for that");
    }
    let decoded = match ByteOrder::of_mark(bytes) {
        Some(order) => decode_utf16(sample, order)?,
        None if is_utf16_without_mark(bytes) => {
            return refuse(
                "looks like UTF-16 without the mark that tells its byte order; ask the source for the mark, or for UTF-8",
            );
        }
        None => decode_bytes(sample)?,
    };
    check_text(sample, &decoded.text)?;
    Ok(decoded)
}

/// Every other byte of ASCII text in UTF-16 is zero.
fn is_utf16_without_mark(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(512)];
    let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|b| **b == 0).count();
    let half = head.len() / 2;
    half >= 8 && [0, 1].into_iter().any(|odd| zeros(odd) * 10 >= half * 9 && zeros(1 - odd) == 0)
}

fn decode_utf16(sample: &Sample, order: ByteOrder) -> Result<Decoded, DraftError> {
    let body = sample.whole_lines().get(2..).ok_or_else(|| no_lines(sample, ""))?;
    let read = |bytes: &[u8]| {
        let mut text = Vec::with_capacity(bytes.len());
        order.append_utf8(bytes, &mut text);
        text
    };
    let text = read(body);
    let (foreign_lines, broken_lines) = count_lines(&text, |line| std::str::from_utf8(line).is_ok());
    let last_line = last_line(&read(&sample.tail), Encoding::Utf8);
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(Decoded { writing: Writing::Utf16, has_mark: true, foreign_lines, broken_lines, text, last_line })
}

fn decode_bytes(sample: &Sample) -> Result<Decoded, DraftError> {
    let has_mark = sample.bytes.starts_with(UTF8_MARK);
    let has_feed = sample.bytes.contains(&b'\n');
    let has_returns = sample.bytes.trim_ascii_end().contains(&b'\r');
    if !has_feed && !is_document(bytes_of(sample)) && (!sample.is_whole || has_returns) {
        return Err(no_lines(sample, if has_returns { " but carriage returns" } else { "" }));
    }
    let lines = if has_feed { sample.whole_lines() } else { &sample.bytes };
    let body = &lines[if has_mark { UTF8_MARK.len() } else { 0 }..];
    let (foreign_lines, not_utf8) = count_lines(body, |line| std::str::from_utf8(line).is_ok());
    let is_utf8 = has_mark || not_utf8 * 10 < foreign_lines;
    let (writing, encoding) = match foreign_lines {
        0 => (Writing::Ascii, Encoding::Utf8),
        _ if is_utf8 => (Writing::Utf8, Encoding::Utf8),
        _ if body.iter().any(|b| (0x80..0xa0).contains(b)) => (Writing::Windows1252, Encoding::Windows1252),
        _ => (Writing::OneByte, Encoding::Windows1252),
    };
    let broken_lines = match encoding {
        Encoding::Utf8 => not_utf8,
        _ => count_lines(body, |line| encoding.first_foreign(line).is_none()).1,
    };
    let writing = if has_mark { Writing::Utf8 } else { writing };
    let last_line = last_line(&sample.tail, encoding);
    let text = encoding.decode(body).into_owned();
    Ok(Decoded { writing, has_mark, foreign_lines, broken_lines, text, last_line })
}

fn bytes_of(sample: &Sample) -> &[u8] {
    sample.bytes.strip_prefix(UTF8_MARK).unwrap_or(&sample.bytes).trim_ascii_start()
}

/// Whether a text may be JSON or XML, which need no lines.
fn is_document(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'{' | b'[' | b'<'))
}

/// Lines with bytes beyond ASCII, and how many of them are not right.
fn count_lines(text: &[u8], is_right: impl Fn(&[u8]) -> bool) -> (u64, u64) {
    let foreign = text.split(|b| *b == b'\n').filter(|line| !line.is_ascii());
    foreign.fold((0, 0), |(lines, wrong), line| (lines + 1, wrong + u64::from(!is_right(line))))
}

fn no_lines(sample: &Sample, hint: &'static str) -> DraftError {
    DraftError::NoLines { file: sample.name.clone(), bytes: sample.bytes.len(), hint }
}

/// The last line that is not blank.
fn last_line(tail: &[u8], encoding: Encoding) -> Option<String> {
    let mut lines = tail.split(|b| *b == b'\n').map(<[u8]>::trim_ascii_end);
    // The first piece may be the end of a line.
    lines.next()?;
    lines.rfind(|line| !line.is_empty()).map(|line| encoding.decode(line).into_owned())
}

/// Refuses what is no text, or has no lines.
fn check_text(sample: &Sample, text: &str) -> Result<(), DraftError> {
    let characters = text.chars().count() as u64;
    let is_control = |c: &char| c.is_control() && !matches!(c, '\t' | '\r' | '\n') || *c == char::REPLACEMENT_CHARACTER;
    let controls = text.chars().filter(is_control).count() as u64;
    if controls * 100 > characters {
        let is_tap = matches!(sample.bytes.first(), Some(0x61 | 0x62));
        return Err(DraftError::Binary {
            file: sample.name.clone(),
            control_percent: controls * 100 / characters.max(1),
            hint: if is_tap {
                "; it begins as GSMA TAP3 files do, which the shipped profile `tap3` reads"
            } else {
                "; unpack or convert it first, or ask the source for text"
            },
        });
    }
    if !is_document(text.trim_start().as_bytes()) && text.lines().next().is_some_and(|line| line.len() > LINE_BYTES_MAX) {
        return Err(no_lines(sample, ""));
    }
    if text.trim().is_empty() {
        return Err(DraftError::Empty(sample.name.clone()));
    }
    Ok(())
}
