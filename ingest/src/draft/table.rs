//! One file as a table: lines before the header, the header, rows, and the trailer.

use std::collections::BTreeSet;

use crate::parse::quoted::Fields;

use super::delimited::{Separated, cut};
use super::words;

/// Lines before the header that mean nothing: a profile may skip so many.
const SKIP_LINES_MAX: usize = 100;

/// One file's lines, read.
#[derive(Debug)]
pub(super) struct Table {
    pub skip_lines: usize,
    /// The names of the columns; `None` if the first line is a row.
    pub header: Option<Vec<String>>,
    /// Whether the header is sure to be none or one.
    pub header_is_sure: bool,
    /// Fields of a row as the header, or most rows, have them.
    pub width: usize,
    /// Whether most rows have a field more than the header.
    pub has_extra_fields: bool,
    /// The first rows, each of `width` fields.
    pub rows: Vec<Vec<String>>,
    /// Rows of another width.
    pub odd_rows: u64,
    /// All rows of the sample, odd ones included.
    pub row_count: u64,
    pub trailer: Option<LastLine>,
    /// Paths of lists in the records, which no profile reads.
    pub lists: Vec<String>,
}

/// A last line that is no row.
#[derive(Debug, Clone)]
pub(super) struct LastLine {
    pub fields: Vec<String>,
    /// Rows before it, if the sample holds them all.
    pub rows: Option<u64>,
}

/// Reads the lines of a file as a table of at most so many rows; `None` if no line has the usual number of fields.
pub(super) fn read(text: &str, last_line: Option<&str>, separated: Separated, is_whole: bool, rows_max: usize) -> Option<Table> {
    let mut fields = Fields::default();
    let lines: Vec<&str> = text.lines().collect();
    let mut cut_line = |line: &str| cut(&mut fields, line, separated.separator, separated.quote);
    let first =
        lines.iter().take(SKIP_LINES_MAX + 1).position(|line| cut_line(line).is_some_and(|f| f.len() == separated.fields))?;
    let mut table = begin(&lines, first, separated, &mut cut_line)?;
    let body_from = table.skip_lines + usize::from(table.header.is_some());
    let mut body: Vec<&str> =
        lines.get(body_from..).unwrap_or_default().iter().filter(|line| !line.is_empty()).copied().collect();
    let last = if is_whole { body.last().copied() } else { last_line };
    let last = last.and_then(&mut cut_line);
    let rows_before = is_whole.then(|| body.len() as u64 - u64::from(!body.is_empty()));
    let seen = if is_whole { body.len().saturating_sub(1) } else { body.len() };
    for line in &body[..seen] {
        table.take(cut_line(line), rows_max);
    }
    match last {
        Some(fields) if can_mark(&fields, separated) && is_trailer(&table, &fields, rows_before) => {
            table.trailer = Some(LastLine { fields, rows: rows_before });
        }
        _ => {
            if let Some(line) = body.pop().filter(|_| is_whole) {
                table.take(cut_line(line), rows_max);
            }
        }
    }
    Some(table)
}

/// Finds the header among the first lines.
fn begin(
    lines: &[&str],
    first: usize,
    separated: Separated,
    cut_line: &mut impl FnMut(&str) -> Option<Vec<String>>,
) -> Option<Table> {
    let width = separated.fields;
    let mut table = Table {
        skip_lines: first,
        header: None,
        header_is_sure: true,
        width,
        has_extra_fields: false,
        rows: Vec::new(),
        odd_rows: 0,
        row_count: 0,
        trailer: None,
        lists: Vec::new(),
    };
    // Rows may end in a separator that the header has not.
    let shorter = first.checked_sub(1).and_then(|before| cut_line(lines[before]));
    if let Some(names) = shorter.filter(|names| names.len() + 1 == width && looks_like_header(names).is_some()) {
        table.skip_lines -= 1;
        table.width -= 1;
        table.has_extra_fields = true;
        table.header = Some(trimmed(names));
        return Some(table);
    }
    let names: Vec<String> = cut_line(lines[first])?;
    match looks_like_header(&names) {
        Some(is_sure) => {
            table.header_is_sure = is_sure;
            table.header = Some(trimmed(names));
        }
        None => table.header_is_sure = true,
    }
    Some(table)
}

/// Names as a profile gives them.
fn trimmed(names: Vec<String>) -> Vec<String> {
    names.into_iter().map(|name| name.trim().to_owned()).collect()
}

/// Whether a line names columns, and whether that is sure.
fn looks_like_header(fields: &[String]) -> Option<bool> {
    let is_value = |text: &&String| text.trim().is_empty() || text.starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c));
    let values = fields.iter().filter(is_value).count();
    let known = fields.iter().filter(|name| words::is_known_header(name)).count();
    let names: BTreeSet<&str> = fields.iter().map(String::as_str).collect();
    if known >= 2 && values * 4 <= fields.len() {
        return Some(true);
    }
    (values == 0 && names.len() == fields.len()).then_some(false)
}

/// Whether a profile can name the first field of a line as the marker of a trailer.
fn can_mark(fields: &[String], separated: Separated) -> bool {
    let breaks = |c: char| {
        let is = |byte: u8| c == char::from(byte);
        c.is_control() || c == char::REPLACEMENT_CHARACTER || is(separated.separator) || separated.quote.is_some_and(is)
    };
    fields.first().is_some_and(|marker| (1..=64).contains(&marker.len()) && !marker.contains(breaks))
}

/// Whether a last line is no row: it has another number of fields, or says how many rows there are.
fn is_trailer(table: &Table, fields: &[String], rows: Option<u64>) -> bool {
    let Some((marker, rest)) = fields.split_first() else { return false };
    let is_value = table.rows.iter().any(|row| row.first() == Some(marker));
    if is_value || table.rows.is_empty() {
        return false;
    }
    let counts = rows.is_some_and(|rows| rest.iter().any(|field| field.trim().parse() == Ok(rows)));
    if fields.len() == table.width {
        let empty = rest.iter().filter(|field| field.is_empty()).count();
        return counts && empty * 2 >= rest.len();
    }
    let usual = words::shape(&table.rows[0][0]);
    let has_number = rest.iter().any(|field| field.trim().parse::<u64>().is_ok());
    counts || (has_number || rest.is_empty()) && words::shape(marker) != usual && !starts_with_digit(marker)
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

impl Table {
    fn take(&mut self, fields: Option<Vec<String>>, rows_max: usize) {
        self.row_count += 1;
        let wanted = self.width + usize::from(self.has_extra_fields);
        match fields {
            Some(mut fields) if fields.len() == wanted || fields.len() == self.width => {
                if self.rows.len() < rows_max.max(1) {
                    fields.truncate(self.width);
                    self.rows.push(fields);
                }
            }
            _ => self.odd_rows += 1,
        }
    }

    /// Whether all rows of the sample are in `rows`.
    pub fn has_all_rows(&self) -> bool {
        self.rows.len() as u64 == self.row_count
    }
}
