//! Where a profile's columns stand in one file: found in its header, needed by every range of it.

use std::sync::Arc;

use domain::ports::Disposition;

use crate::message::FileState;
use crate::parse::quoted::Fields;

use super::Profile;
use super::error::{hint, nearest};
use super::raw::ColumnRef;
use super::recipe::{Bom, Encoding, Slot};

const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";

/// Where a profile's columns stand in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    body_from: u64,
    header_lines: u64,
    fields: usize,
    positions: Vec<usize>,
    names: Vec<Arc<str>>,
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
}

impl HeaderError {
    /// The state of such a file.
    pub fn state(&self) -> FileState {
        match self {
            Self::Encoding(_) => FileState::WrongEncoding,
            Self::Missing | Self::Columns(_) => FileState::WrongHeader,
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
        let lines = self.file.skip_lines as usize + 2;
        UTF8_BOM.len() + lines * (self.file.row_bytes_max + 2)
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
        if bytes.len() < 4 && !is_whole {
            return Ok(None);
        }
        let mut at = self.check_mark(bytes)?;
        let mut lines = 0;
        let mut to_skip = self.file.skip_lines;
        while to_skip > 0 || self.file.has_header {
            let Some((line, next)) = next_line(&bytes[at..], is_whole) else {
                return match is_whole {
                    true if self.file.has_header => Err(HeaderError::Missing),
                    true => self.layout_of(&[], at, lines).map(Some),
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
                return self.layout_of(line, at, lines).map(Some);
            }
            if lines > u64::from(self.file.skip_lines) + 1 {
                return Err(HeaderError::Columns(
                    "the header is a blank line; the profile expects column names there".to_owned(),
                ));
            }
        }
        self.layout_of(&[], at, lines).map(Some)
    }

    fn may_grow(&self, open_bytes: usize) -> Result<Option<Layout>, HeaderError> {
        if open_bytes > self.file.row_bytes_max + 1 {
            return Err(HeaderError::Endless { limit: self.file.row_bytes_max });
        }
        Ok(None)
    }

    /// Checks the byte order mark and says how long it is.
    fn check_mark(&self, bytes: &[u8]) -> Result<usize, HeaderError> {
        let refuse = |problem: &str| Err(HeaderError::Encoding(problem.to_owned()));
        for (mark, name) in [(&b"\xff\xfe"[..], "UTF-16 or UTF-32"), (b"\xfe\xff", "UTF-16"), (b"\0\0\xfe\xff", "UTF-32")] {
            if bytes.starts_with(mark) {
                let problem =
                    format!("the file begins with the mark of {name}; convert it to the declared encoding or ask for that");
                return Err(HeaderError::Encoding(problem));
            }
        }
        match (bytes.starts_with(UTF8_BOM), self.file.encoding, self.file.bom) {
            (true, Encoding::Latin1, _) => {
                refuse("the file begins with the mark of UTF-8, but the profile declares latin-1; set `file.encoding` to utf-8")
            }
            (true, Encoding::Utf8, Bom::Absent) => {
                refuse("the file begins with a byte order mark, which the profile excludes; set `file.bom` to optional")
            }
            (false, Encoding::Utf8, Bom::Required) if !bytes.is_empty() => {
                refuse("the file lacks the byte order mark that the profile requires; set `file.bom` to optional")
            }
            (has_mark, _, _) => Ok(if has_mark { UTF8_BOM.len() } else { 0 }),
        }
    }

    fn layout_of(&self, header: &[u8], body_from: usize, header_lines: u64) -> Result<Layout, HeaderError> {
        let names = if self.file.has_header { self.header_names(header)? } else { self.file.names.clone() };
        let positions = self.columns.iter().map(|c| find(c, &names)).collect::<Result<Vec<_>, _>>();
        let positions = positions.map_err(HeaderError::Columns)?;
        let fields = if self.file.has_header { names.len() } else { self.file.fields };
        if let Some(beyond) = positions.iter().find(|p| **p >= fields) {
            let problem = format!("the profile reads column {beyond} (from 0), but the header has {fields} columns");
            return Err(HeaderError::Columns(problem));
        }
        Ok(Layout {
            body_from: body_from as u64,
            header_lines,
            fields,
            positions,
            names: names.into_iter().map(Arc::from).collect(),
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

/// The next line without its end, and where the one after begins; `None` if there is none or it may go on.
fn next_line(bytes: &[u8], is_whole: bool) -> Option<(&[u8], usize)> {
    match memchr::memchr(b'\n', bytes) {
        Some(end) => Some((trim_return(&bytes[..end]), end + 1)),
        None if is_whole && !bytes.is_empty() => Some((trim_return(bytes), bytes.len())),
        None => None,
    }
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
            let near = hint(nearest(name, names.iter().map(String::as_str)).as_deref());
            let shown: Vec<&str> = names.iter().take(40).map(String::as_str).collect();
            Err(format!("the header has no column `{name}`{near} (it has: {})", shown.join(", ")))
        }
    }
}
