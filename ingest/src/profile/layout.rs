//! Where a profile's columns stand in one file: found in its header, needed by every range of it.

use std::borrow::Cow;
use std::sync::Arc;

use domain::nearest::hint;
use domain::number::mask_digits;
use domain::ports::Disposition;

use crate::message::FileState;
use crate::parse::quoted::Fields;
use crate::parse::utf16::ByteOrder;
use crate::records::json::array;
use crate::records::list::Opening;
use crate::records::xml::pieces;
use crate::tap3::error::Tap3Error;
use crate::tap3::head::{self, Head};

use super::Profile;
use super::charset::Encoding;
use super::raw::ColumnRef;
use super::recipe::{Bom, Reader, Slot};

const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";

/// The head of a TAP3 file is its groups before the events, of which the largest has a mebibyte.
const TAP3_HEAD_BYTES_MAX: usize = 8 << 20;

/// Where a profile's columns stand in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Of a file in UTF-16.
    byte_order: Option<ByteOrder>,
    body_from: u64,
    header_lines: u64,
    fields: usize,
    positions: Vec<usize>,
    names: Vec<Arc<str>>,
    /// Of a TAP3 file.
    tap3: Option<Box<Head>>,
}

impl Layout {
    /// First byte after byte order mark, skipped lines and header: where the rows begin.
    pub fn body_from(&self) -> u64 {
        self.body_from
    }

    /// Lines before the rows.
    pub fn header_lines(&self) -> u64 {
        self.header_lines
    }

    /// How many fields a row must have.
    pub fn fields(&self) -> usize {
        self.fields
    }

    /// The byte order of a file in UTF-16.
    #[inline]
    pub(crate) fn byte_order(&self) -> Option<ByteOrder> {
        self.byte_order
    }

    /// The head of a TAP3 file.
    pub(crate) fn tap3(&self) -> Option<&Head> {
        self.tap3.as_deref()
    }

    /// How many of these bytes, which begin with a row, are whole lines; `None` if no line ends among them.
    pub(crate) fn whole_lines(&self, bytes: &[u8]) -> Option<usize> {
        match self.byte_order {
            None => memchr::memrchr(b'\n', bytes).map(|feed| feed + 1),
            Some(order) => order.find_last_feed(bytes).map(|feed| feed + 2),
        }
    }

    /// How long the line is with which these bytes begin, with its line feed.
    pub(crate) fn line_length(&self, bytes: &[u8]) -> usize {
        next_feed(self.byte_order, bytes).map_or(bytes.len(), |(_, next)| next)
    }

    /// A line as it is read, without its end.
    pub(crate) fn line_text<'a>(&self, line: &'a [u8]) -> Cow<'a, [u8]> {
        let end = next_feed(self.byte_order, line).map_or(line.len(), |(feed, _)| feed);
        reading(self.byte_order, &line[..end])
    }

    /// The position of a column that the profile names.
    #[inline]
    pub(crate) fn at(&self, slot: Slot) -> usize {
        self.positions[slot.0]
    }

    /// The name of the column at a position, for people.
    pub fn name(&self, position: usize) -> Arc<str> {
        self.names.get(position).cloned().unwrap_or_else(|| format!("column {position}").into())
    }
}

/// Why the beginning of a file is not what the profile declares.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The byte order mark of another encoding, or one too many or too few.
    #[error("{0}")]
    Encoding(String),
    /// The file ends before its header.
    #[error("the file ends before its header; ask the provider for the whole file")]
    Missing,
    /// The header is longer than any row may be.
    #[error(
        "no line end in the first {limit} bytes; this is no file of lines, or `file.row_bytes_max` of the profile is too small"
    )]
    Endless {
        /// The profile's limit.
        limit: usize,
    },
    /// The header lacks columns, or names one twice, or is none.
    #[error("{0}")]
    Columns(String),
    /// The records do not begin where the profile says.
    #[error("{0}")]
    Records(String),
    /// The head of a TAP3 file cannot be read.
    #[error(transparent)]
    Tap3(#[from] Tap3Error),
    /// A document without a list of records in it.
    #[error("the document has no records")]
    Nothing,
    /// A TAP3 file that says that there are no events.
    #[error("the file is a notification and has no events")]
    Notification,
}

impl HeaderError {
    /// The state of such a file.
    pub fn state(&self) -> FileState {
        match self {
            Self::Encoding(_) => FileState::WrongEncoding,
            Self::Tap3(Tap3Error::Cut) => FileState::Truncated,
            Self::Nothing | Self::Notification => FileState::Empty,
            Self::Missing | Self::Columns(_) | Self::Records(_) | Self::Tap3(_) => FileState::WrongHeader,
            Self::Endless { .. } => FileState::EndlessRow,
        }
    }

    /// The file or the profile has to change.
    pub fn disposition(&self) -> Disposition {
        Disposition::Stop
    }
}

impl Profile {
    /// How many bytes of a file [`Profile::resolve_header`] may need; all of them, if the file is shorter.
    pub fn header_bytes_max(&self) -> usize {
        match self.reader {
            Reader::Delimited | Reader::FixedWidth(_) | Reader::JsonLines(_) => {}
            Reader::JsonArray(_) | Reader::Xml(_) => return UTF8_BOM.len() + self.file.row_bytes_max,
            Reader::Tap3(_) => return TAP3_HEAD_BYTES_MAX,
        }
        let lines = self.file.skip_lines as usize + 2;
        UTF8_BOM.len() + lines * (self.file.row_bytes_max + 2) * self.file.encoding.unit_bytes()
    }

    /// Finds the columns in the beginning of a file: its first [`Profile::header_bytes_max`] bytes, or the whole file.
    pub fn resolve_header(&self, first_bytes: &[u8]) -> Result<Layout, HeaderError> {
        let is_whole = first_bytes.len() < self.header_bytes_max();
        match self.read_header(first_bytes, is_whole)? {
            Some(layout) => Ok(layout),
            None => Err(HeaderError::Endless { limit: self.file.row_bytes_max }),
        }
    }

    /// As [`Profile::resolve_header`]; `None` asks for more bytes, but never once `is_whole`.
    pub(crate) fn read_header(&self, bytes: &[u8], is_whole: bool) -> Result<Option<Layout>, HeaderError> {
        match &self.reader {
            Reader::Delimited | Reader::FixedWidth(_) | Reader::JsonLines(_) => self.read_lines_before(bytes, is_whole),
            Reader::JsonArray(form) => self.read_opening(bytes, is_whole, |text, all| array::open(form, text, all)),
            Reader::Xml(form) => self.read_opening(bytes, is_whole, |text, all| pieces::open(form, text, all)),
            Reader::Tap3(_) => match head::read(bytes, is_whole)? {
                None => Ok(None),
                Some(head::Opening::Notification(_)) => Err(HeaderError::Notification),
                Some(head::Opening::Batch(head)) => Ok(Some(self.layout_of_tap3(head))),
            },
        }
    }

    /// Where columns stand in a TAP3 file with this head.
    pub(crate) fn layout_of_tap3(&self, head: Box<Head>) -> Layout {
        let layout = self.layout_of(None, &[], head.body_from, 0).expect("the columns of a reader are known");
        Layout { tap3: Some(head), ..layout }
    }

    /// Finds where a list of records begins, within the longest row.
    fn read_opening(
        &self,
        bytes: &[u8],
        is_whole: bool,
        open: impl FnOnce(&[u8], bool) -> Opening,
    ) -> Result<Option<Layout>, HeaderError> {
        if bytes.len() < 4 && !is_whole {
            return Ok(None);
        }
        let (mark, order) = self.check_mark(bytes)?;
        let limit = self.header_bytes_max();
        // However much of the file is there, no more is looked at: so the answer is the same.
        let is_cut = bytes.len() > limit;
        match open(&bytes[mark..bytes.len().min(limit)], is_whole && !is_cut) {
            Opening::From(from) if mark + from <= limit => self.layout_of(order, &[], mark + from, 0).map(Some),
            Opening::More if !is_cut => Ok(None),
            Opening::From(_) | Opening::More => Err(HeaderError::Records(format!(
                "no record begins in the first {limit} bytes; correct where the profile looks for them, or raise `file.row_bytes_max`"
            ))),
            Opening::Nothing => Err(HeaderError::Nothing),
            Opening::WrongEncoding(problem) => Err(HeaderError::Encoding(problem)),
            Opening::Wrong(problem) => Err(HeaderError::Records(problem)),
        }
    }

    fn read_lines_before(&self, bytes: &[u8], is_whole: bool) -> Result<Option<Layout>, HeaderError> {
        if bytes.len() < 4 && !is_whole {
            return Ok(None);
        }
        let (mut at, order) = self.check_mark(bytes)?;
        let mut lines = 0;
        let mut to_skip = self.file.skip_lines;
        while to_skip > 0 || self.file.has_header {
            let Some((line, next)) = next_line(order, &bytes[at..], is_whole) else {
                return match is_whole {
                    true if self.file.has_header => Err(HeaderError::Missing),
                    true => self.layout_of(order, &[], at, lines).map(Some),
                    false => self.may_grow(bytes.len() - at),
                };
            };
            if line.len() > self.file.row_bytes_max {
                return Err(HeaderError::Endless { limit: self.file.row_bytes_max });
            }
            at += next;
            lines += 1;
            if to_skip > 0 {
                to_skip -= 1;
            } else if !(line.is_empty() && self.file.ignores_blank_lines) {
                return self.layout_of(order, &line, at, lines).map(Some);
            }
            if lines > u64::from(self.file.skip_lines) + 1 {
                return Err(HeaderError::Columns(
                    "the header is a blank line; the profile expects column names there".to_owned(),
                ));
            }
        }
        self.layout_of(order, &[], at, lines).map(Some)
    }

    fn may_grow(&self, open_bytes: usize) -> Result<Option<Layout>, HeaderError> {
        if open_bytes > (self.file.row_bytes_max + 1) * self.file.encoding.unit_bytes() {
            return Err(HeaderError::Endless { limit: self.file.row_bytes_max });
        }
        Ok(None)
    }

    /// Checks the byte order mark and says how long it is, and which order it tells.
    pub(super) fn check_mark(&self, bytes: &[u8]) -> Result<(usize, Option<ByteOrder>), HeaderError> {
        let refuse = |problem: &str| Err(HeaderError::Encoding(problem.to_owned()));
        let declared = self.file.encoding;
        if bytes.starts_with(b"\xff\xfe\0\0") || bytes.starts_with(b"\0\0\xfe\xff") {
            return refuse("the file begins with the mark of UTF-32; convert it to the declared encoding or ask for that");
        }
        match (ByteOrder::of_mark(bytes), declared) {
            (Some(order), Encoding::Utf16) => return Ok((2, Some(order))),
            (Some(_), _) => {
                let problem = format!(
                    "the file begins with the mark of UTF-16, but the profile declares {}; set `file.encoding` to utf-16",
                    declared.name()
                );
                return Err(HeaderError::Encoding(problem));
            }
            (None, Encoding::Utf16) if bytes.is_empty() => return Ok((0, Some(ByteOrder::Little))),
            (None, Encoding::Utf16) => {
                return refuse(
                    "the file lacks the mark that tells the byte order of utf-16; correct `file.encoding` of the profile",
                );
            }
            (None, _) => {}
        }
        match (bytes.starts_with(UTF8_BOM), declared, self.file.bom) {
            (true, Encoding::Latin1 | Encoding::Windows1252, _) => {
                let problem = format!(
                    "the file begins with the mark of UTF-8, but the profile declares {}; set `file.encoding` to utf-8",
                    declared.name()
                );
                Err(HeaderError::Encoding(problem))
            }
            (true, Encoding::Utf8, Bom::Absent) => {
                refuse("the file begins with a byte order mark, which the profile excludes; set `file.bom` to optional")
            }
            (false, Encoding::Utf8, Bom::Required) if !bytes.is_empty() => {
                refuse("the file lacks the byte order mark that the profile requires; set `file.bom` to optional")
            }
            (has_mark, _, _) => Ok((if has_mark { UTF8_BOM.len() } else { 0 }, None)),
        }
    }

    fn layout_of(
        &self,
        byte_order: Option<ByteOrder>,
        header: &[u8],
        body_from: usize,
        header_lines: u64,
    ) -> Result<Layout, HeaderError> {
        let names = if self.file.has_header { self.header_names(header)? } else { self.file.names.clone() };
        let positions = self.columns.iter().map(|c| find(c, &names)).collect::<Result<Vec<_>, _>>();
        let positions = positions.map_err(HeaderError::Columns)?;
        let fields = if self.file.has_header { names.len() } else { self.file.fields };
        if let Some(beyond) = positions.iter().find(|p| **p >= fields) {
            let problem = format!("the profile reads column {beyond} (from 0), but the header has {fields} columns");
            return Err(HeaderError::Columns(problem));
        }
        // Behind the columns of other readers stands the name of what has them.
        let record = (!self.file.is_delimited).then(|| "record".to_owned());
        Ok(Layout {
            byte_order,
            body_from: body_from as u64,
            header_lines,
            fields,
            positions,
            names: names.into_iter().chain(record).map(Arc::from).collect(),
            tap3: None,
        })
    }

    fn header_names(&self, header: &[u8]) -> Result<Vec<String>, HeaderError> {
        let mut fields = Fields::default();
        if fields.split(header, self.file.separator, self.file.quote).is_err() {
            return Err(HeaderError::Columns("the header has a quote that does not end".to_owned()));
        }
        Ok(fields.row().fields().map(|f| self.decode(f.bytes()).trim().to_owned()).collect())
    }
}

/// Where the next line feed begins, and what follows it.
#[inline]
pub(crate) fn next_feed(order: Option<ByteOrder>, bytes: &[u8]) -> Option<(usize, usize)> {
    match order {
        None => memchr::memchr(b'\n', bytes).map(|feed| (feed, feed + 1)),
        Some(order) => order.find_feed(bytes).map(|feed| (feed, feed + 2)),
    }
}

/// The next line as it is read, without its end, and where the one after begins; `None` if there is none or it may go on.
pub(super) fn next_line(order: Option<ByteOrder>, bytes: &[u8], is_whole: bool) -> Option<(Cow<'_, [u8]>, usize)> {
    match next_feed(order, bytes) {
        Some((feed, next)) => Some((reading(order, &bytes[..feed]), next)),
        None if is_whole && !bytes.is_empty() => Some((reading(order, bytes), bytes.len())),
        None => None,
    }
}

/// A line without its line feed as it is read: UTF-8 for UTF-16, and without a carriage return at its end.
fn reading(order: Option<ByteOrder>, line: &[u8]) -> Cow<'_, [u8]> {
    let Some(order) = order else { return Cow::Borrowed(trim_return(line)) };
    let mut text = Vec::with_capacity(line.len());
    order.append_utf8(line, &mut text);
    if text.last() == Some(&b'\r') {
        text.pop();
    }
    Cow::Owned(text)
}

/// A line without the carriage return before its line feed.
pub(crate) fn trim_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Where a column stands among the names.
pub(super) fn find(column: &ColumnRef, names: &[String]) -> Result<usize, String> {
    let name = match column {
        ColumnRef::Position(position) => return Ok(*position as usize),
        ColumnRef::Name(name) => name,
    };
    let mut places = names.iter().enumerate().filter(|(_, n)| *n == name).map(|(i, _)| i);
    match (places.next(), places.next()) {
        (Some(place), None) => Ok(place),
        (Some(_), Some(_)) => {
            Err(format!("the header names the column `{name}` twice; give its position in the profile instead"))
        }
        (None, _) => {
            let near = hint(name, names.iter().map(String::as_str));
            // A file without its header shows a record here: numbers stay hidden in messages and in the tables they go to.
            let shown: Vec<&str> = names.iter().take(40).map(String::as_str).collect();
            Err(format!("the header has no column `{name}`{near} (it has: {})", mask_digits(&shown.join(", "))))
        }
    }
}
