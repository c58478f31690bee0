//! A CSV file with a header: columns by name, fields checked one by one, broken rows collected instead of stopping.

use std::collections::HashMap;

use domain::ids::check_id;
use domain::nearest;

use super::{ImportError, ImportLimits, RowError, RowErrors, RowProblem};
use crate::instant::parse_instant;
use crate::report::Listed;

/// Longest name of a customer or plan, in characters.
const NAME_CHARS_MAX: usize = 200;

/// Why a header line is not right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// There is no line at all.
    #[error("the file is empty; its first line must be the header `{0}`")]
    Empty(String),
    /// A column that must be there is not.
    #[error("line 1: the column `{missing}` is missing, found `{found}`; fields are separated by `,` or `;`")]
    Missing {
        /// The column.
        missing: &'static str,
        /// The header as it is.
        found: String,
    },
    /// A column of an unknown name.
    #[error("line 1: there is no column `{found}`; the nearest is `{nearest}`, all are `{all}`")]
    Unknown {
        /// The column.
        found: String,
        /// What may have been meant.
        nearest: &'static str,
        /// The names there are.
        all: String,
    },
    /// The same column twice.
    #[error("line 1: the column `{0}` stands there twice; remove one")]
    Twice(&'static str),
}

/// The columns of a kind of file.
pub(super) struct Layout {
    /// Those that must be there.
    pub required: &'static [&'static str],
    /// Those that may be.
    pub optional: &'static [&'static str],
}

impl Layout {
    fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.required.iter().chain(self.optional).copied()
    }

    /// Where each column stands: the position in the header of each of [`Layout::names`].
    fn positions(&self, header: &csv::ByteRecord) -> Result<HashMap<&'static str, usize>, HeaderError> {
        let joined = |names: Vec<&str>| names.join(",");
        let mut positions = HashMap::new();
        for (position, bytes) in header.iter().enumerate() {
            let text = String::from_utf8_lossy(bytes);
            let found = text.trim();
            let Some(name) = self.names().find(|name| *name == found) else {
                if let Some(missing) = self.required.iter().find(|_| header.len() == 1) {
                    return Err(HeaderError::Missing { missing, found: found.chars().take(120).collect() });
                }
                let nearest = nearest::closest(found, self.names()).unwrap_or("");
                let (found, all) = (found.chars().take(60).collect(), joined(self.names().collect()));
                return Err(HeaderError::Unknown { found, nearest, all });
            };
            if positions.insert(name, position).is_some() {
                return Err(HeaderError::Twice(name));
            }
        }
        match self.required.iter().find(|name| !positions.contains_key(**name)) {
            None => Ok(positions),
            Some(missing) => {
                let mut found: Vec<(usize, &str)> = positions.iter().map(|(name, position)| (*position, *name)).collect();
                found.sort_unstable();
                Err(HeaderError::Missing { missing, found: joined(found.into_iter().map(|(_, name)| name).collect()) })
            }
        }
    }
}

/// One row, its fields by column name.
pub(super) struct Row<'a> {
    /// Where it stands, from 1.
    pub line: u64,
    record: &'a csv::ByteRecord,
    positions: &'a HashMap<&'static str, usize>,
}

impl Row<'_> {
    /// A field without the space around it; `None` if it is empty or the file has no such column.
    pub fn optional(&self, field: &'static str) -> Result<Option<&str>, RowError> {
        let Some(bytes) = self.positions.get(field).and_then(|position| self.record.get(*position)) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(bytes).map_err(|_| self.error(field, RowProblem::Encoding))?.trim();
        Ok((!text.is_empty()).then_some(text))
    }

    /// A field that must not be empty.
    pub fn required(&self, field: &'static str) -> Result<&str, RowError> {
        self.optional(field)?.ok_or_else(|| self.error(field, RowProblem::Missing))
    }

    /// An instant, if the field has one.
    pub fn instant(&self, field: &'static str) -> Result<Option<i64>, RowError> {
        let text = self.optional(field)?;
        text.map(|text| parse_instant(text).map_err(|e| self.error(field, RowProblem::Instant(e)))).transpose()
    }

    /// An id that must be there.
    pub fn id(&self, field: &'static str) -> Result<String, RowError> {
        let text = self.required(field)?;
        check_id(text).map_err(|e| self.error(field, RowProblem::Id(e)))?;
        Ok(text.to_owned())
    }

    /// A name for people, or `default`.
    pub fn name(&self, field: &'static str, default: &str) -> Result<String, RowError> {
        let text = self.optional(field)?.unwrap_or(default);
        if text.chars().count() > NAME_CHARS_MAX || text.chars().any(char::is_control) {
            return Err(self.error(field, RowProblem::Name));
        }
        Ok(text.to_owned())
    }

    /// An error of this row.
    pub fn error(&self, field: &'static str, problem: RowProblem) -> RowError {
        RowError { line: self.line, field, problem }
    }
}

/// Reads a file: `row` turns a row into what it says; all broken rows are counted, the first are listed.
pub(super) fn read<T>(
    layout: &Layout,
    bytes: &[u8],
    limits: &ImportLimits,
    mut row: impl FnMut(&Row<'_>) -> Result<T, RowError>,
) -> Result<Vec<T>, ImportError> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).has_headers(false).delimiter(separator_of(bytes)).from_reader(bytes);
    let mut record = csv::ByteRecord::new();
    // Reading from memory into byte records has no way to fail; an error is the end of what can be read.
    if !reader.read_byte_record(&mut record).unwrap_or(false) {
        return Err(HeaderError::Empty(layout.required.join(",")).into());
    }
    let positions = layout.positions(&record)?;
    let columns = record.len();
    let (mut rows, mut errors, mut count) = (Vec::new(), Listed::up_to(limits.errors_max), 0u64);
    while reader.read_byte_record(&mut record).unwrap_or(false) {
        count += 1;
        if count > limits.rows_max {
            return Err(ImportError::TooManyRows { rows_max: limits.rows_max });
        }
        let line = record.position().map_or(0, |start| line_of(bytes, start));
        let this = Row { line, record: &record, positions: &positions };
        let parsed = if record.len() == columns {
            row(&this)
        } else {
            Err(this.error("", RowProblem::Fields { found: record.len(), expected: columns }))
        };
        match parsed {
            Ok(value) => rows.push(value),
            Err(error) => errors.push(error),
        }
    }
    finish(rows, errors)
}

/// What stands between the names of the header: no name has either in it, and spreadsheets write `;` where the comma is the
/// decimal mark.
fn separator_of(bytes: &[u8]) -> u8 {
    let header = bytes.iter().skip_while(|b| matches!(b, b'\r' | b'\n')).take_while(|b| **b != b'\n');
    let (commas, semicolons) =
        header.fold((0usize, 0usize), |(c, s), b| (c + usize::from(*b == b','), s + usize::from(*b == b';')));
    if semicolons > commas { b';' } else { b',' }
}

/// The line on which a record stands: the reader's position may lie before the line ends that it skips.
fn line_of(bytes: &[u8], start: &csv::Position) -> u64 {
    let ahead = usize::try_from(start.byte()).ok().and_then(|byte| bytes.get(byte..)).unwrap_or_default();
    let skipped = ahead.iter().take_while(|b| matches!(b, b'\r' | b'\n')).filter(|b| **b == b'\n').count();
    start.line() + skipped as u64
}

/// The rows, if none is broken.
pub(super) fn finish<T>(rows: T, errors: Listed<RowError>) -> Result<T, ImportError> {
    if errors.count == 0 { Ok(rows) } else { Err(ImportError::Rows(RowErrors(errors))) }
}

/// Drops rows that repeat an earlier one word for word; a row that contradicts an earlier one of the same key is broken.
pub(super) fn once_per_key<T: PartialEq>(
    rows: Vec<(u64, T)>,
    key: impl Fn(&T) -> &str,
    field: &'static str,
    limits: &ImportLimits,
) -> Result<Vec<T>, ImportError> {
    let mut first_of: HashMap<String, usize> = HashMap::with_capacity(rows.len());
    let (mut kept, mut errors): (Vec<(u64, T)>, _) = (Vec::with_capacity(rows.len()), Listed::up_to(limits.errors_max));
    for (line, row) in rows {
        match first_of.get(key(&row)) {
            None => {
                first_of.insert(key(&row).to_owned(), kept.len());
                kept.push((line, row));
            }
            Some(first) if kept[*first].1 == row => {}
            Some(first) => {
                errors.push(RowError { line, field, problem: RowProblem::Contradicts { first_line: kept[*first].0 } });
            }
        }
    }
    finish(kept.into_iter().map(|(_, row)| row).collect(), errors)
}
