//! Bytes of a landed file to typed columns: one pass, no intermediate texts, and a broken row never loses its neighbours.
//!
//! [`parse`] is pure in its arguments, so any range can be parsed again, anywhere, with the same result. A window of the
//! range is searched for separators and unusual bytes ([`scan`]); rows without unusual bytes are read where they stand, the
//! others are checked and unquoted first. Tests are made in the order of [`domain::outcome::Reason`]; a row that fails one
//! is kept whole with its reason. Every line is a row: split has left header and trailer out of the ranges.

pub(crate) mod amount;
pub mod check;
mod classes;
pub(crate) mod encoding;
pub(crate) mod field;
mod number;
pub mod occurrence;
pub(crate) mod quoted;
mod row;
mod scan;
mod time;
pub(crate) mod utf16;

use std::sync::Arc;

use domain::columns::parsed::ParsedBatch;
use domain::delivery::{FileContext, RecordHasher};
use memchr::{memchr, memrchr};

use crate::profile::{Layout, Profile};

use row::{Line, RowReader};
use scan::{Marks, Wanted};
use utf16::Rewritten;

/// Searched at a time: with what is found there, it stays in the core's cache.
const WINDOW_BYTES: usize = 32 * 1024;

/// Domains of [`RecordHasher::hash`]: equal bytes in different roles never have equal keys.
pub(crate) mod hash_domain {
    pub const CONTENT: u8 = 1;
    pub const RECORD_ID: u8 = 2;
    pub const OCCURRENCE: u8 = 3;
    pub const MALFORMED: u8 = 4;
    pub const ID_AND_CONTENT: u8 = 5;
}

/// Where a range of a file begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowRange {
    /// Number of its first row in the delivery, from 0.
    pub first_row: u64,
    /// Where its bytes begin in the delivery.
    pub byte_from: u64,
}

/// Parses the rows of one range, as split has cut it: whole lines of rows, neither header nor trailer.
///
/// With the key mode `content-and-occurrence`, and for malformed rows in every mode, keys are hashes of the content alone
/// until [`occurrence::number`] has numbered equal rows.
pub fn parse(
    profile: &Profile,
    layout: &Layout,
    file: &Arc<FileContext>,
    hasher: &RecordHasher,
    range: RowRange,
    bytes: &[u8],
) -> ParsedBatch {
    debug_assert_eq!(file.key_mode, profile.key_mode(), "a file's context comes from its profile");
    let Some(order) = layout.byte_order() else {
        return parse_text(profile, layout, file, hasher, range, bytes);
    };
    let rewritten = Rewritten::new(order, bytes);
    let whole = RowRange { byte_from: 0, ..range };
    let mut batch = parse_text(profile, layout, file, hasher, whole, &rewritten.text);
    rewritten.restore(&mut batch, bytes, range.byte_from, profile.file.row_bytes_max, hasher);
    batch
}

/// As [`parse`], of lines in which a character of ASCII is a byte.
fn parse_text(
    profile: &Profile,
    layout: &Layout,
    file: &Arc<FileContext>,
    hasher: &RecordHasher,
    range: RowRange,
    bytes: &[u8],
) -> ParsedBatch {
    let wanted = Wanted { separator: profile.file.separator, quote: profile.file.quote };
    let mut reader = RowReader::new(profile, layout, hasher, range.first_row);
    // All of a window at once is cheaper than one field after the other.
    let wants_text = profile.recipe.record_id.is_some() && profile.file.encoding.reads_utf8();
    let mut marks = Marks::default();
    let mut from = 0;
    while from < bytes.len() {
        let to = window_end(bytes, from);
        if to - from > WINDOW_BYTES.max(profile.file.row_bytes_max + 2) {
            // No window ends beyond a line that begins in it, so this is one line, and longer than any row may be.
            let raw = bytes[from..to].strip_suffix(b"\n").unwrap_or(&bytes[from..to]);
            reader.take_endless(raw, range.byte_from + from as u64);
        } else {
            marks.scan(&bytes[from..to], wanted);
            if from == 0 {
                reader.reserve(estimate(marks.rows.len(), to, bytes.len()));
            }
            // The bytes behind the window go along, so that words can be loaded across its end.
            let text = if wants_text { std::str::from_utf8(&bytes[from..to]).ok() } else { None };
            let line = Line { data: &bytes[from..], text, begin: 0, end: 0, offset: range.byte_from + from as u64 };
            read_window(&mut reader, &mut marks, line);
        }
        from = to;
    }
    reader.finish(file)
}

/// Where the window from `from` ends: behind the last line feed within its size, else behind the first one after it.
fn window_end(bytes: &[u8], from: usize) -> usize {
    let usual = from + WINDOW_BYTES;
    if usual >= bytes.len() {
        return bytes.len();
    }
    match memrchr(b'\n', &bytes[from..usual]) {
        Some(feed) => from + feed + 1,
        None => memchr(b'\n', &bytes[usual..]).map_or(bytes.len(), |feed| usual + feed + 1),
    }
}

/// How many rows the range has, if the others are like those of its first window.
fn estimate(rows: usize, window: usize, bytes: usize) -> usize {
    let per_window = rows * (bytes / window.max(1) + 1);
    // A row has at least one byte and its line end, whatever the first window says.
    (per_window + per_window / 32).min(bytes / 2 + 1)
}

/// Hands the rows of a window to the reader, each with what is unusual about it. `window` is a line from its first byte.
fn read_window(reader: &mut RowReader<'_>, marks: &mut Marks, window: Line<'_>) {
    let (mut begin, mut before, mut odd) = (0, 0, 0);
    for last in marks.rows.iter().map(|r| *r as usize) {
        let feed = marks.ends[last] as usize;
        let odd_from = odd;
        while marks.odd.get(odd).is_some_and(|at| (*at as usize) < feed) {
            odd += 1;
        }
        let mut is_plain = odd == odd_from;
        let has_return = !is_plain && feed > begin && window.data[feed - 1] == b'\r';
        if has_return {
            is_plain = odd - odd_from == 1;
            marks.ends[last] -= 1;
        }
        let line = Line { begin, end: marks.ends[last] as usize, offset: window.offset + begin as u64, ..window };
        reader.take(line, &marks.ends[before..=last], is_plain);
        // The next row begins behind the line feed.
        marks.ends[last] += u32::from(has_return);
        (begin, before) = (feed + 1, last);
    }
}

#[cfg(test)]
mod tests;
