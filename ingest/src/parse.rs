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
pub mod dialled;
pub mod edit;
pub mod occurrence;
pub(crate) mod quoted;
pub(crate) mod row;
mod scan;
mod time;
pub(crate) mod utf16;

use std::sync::Arc;

use domain::columns::parsed::ParsedBatch;
use domain::delivery::{FileContext, RecordHasher};
use memchr::{memchr, memrchr};

use crate::profile::recipe::{Reader, Recipe};
use crate::profile::{Layout, Profile};
use crate::records::CutFields;
use crate::records::fixed_width::FixedWidthCutter;
use crate::records::json::JsonCutter;
use crate::records::json::array::ArrayPieces;
use crate::records::list::{Pieces, Step, reach};
use crate::records::xml::XmlCutter;
use crate::records::xml::pieces::XmlPieces;
use crate::split::SplitRange;
use crate::tap3;

use row::{Line, RowReader};
use scan::{Marks, Wanted};
use utf16::Rewritten;

/// Searched at a time: with what is found there, it stays in the core's cache.
const WINDOW_BYTES: usize = 32 * 1024;

/// No room is made for shorter records than this: bytes. What the first one looks like says little about the others.
const ROW_BYTES_GUESS: usize = 64;

/// Domains of [`RecordHasher::hash`]: equal bytes in different roles never have equal keys.
pub(crate) mod hash_domain {
    pub const CONTENT: u8 = 1;
    pub const RECORD_ID: u8 = 2;
    pub const OCCURRENCE: u8 = 3;
    pub const MALFORMED: u8 = 4;
    pub const ID_AND_CONTENT: u8 = 5;
    pub const LIVE: u8 = 6;
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
    let Some(recipe) = &profile.recipe else { return parse_tap3(profile, layout, file, hasher, range, bytes) };
    let Some(order) = layout.byte_order() else {
        let mut reader = RowReader::new(profile, recipe, layout, hasher, range.first_row);
        read_text(&mut reader, profile, recipe, range, bytes);
        return reader.finish(file);
    };
    let rewritten = Rewritten::new(order, bytes);
    let whole = RowRange { byte_from: 0, ..range };
    let mut reader = RowReader::new(profile, recipe, layout, hasher, range.first_row);
    read_text(&mut reader, profile, recipe, whole, &rewritten.text);
    let mut batch = reader.finish(file);
    rewritten.restore(&mut batch, bytes, range.byte_from, profile.file.row_bytes_max, hasher);
    batch
}

/// Reads the rows of a text in which a character of ASCII is a byte; the reader is chosen once for all of them.
fn read_text(rows: &mut RowReader<'_>, profile: &Profile, recipe: &Recipe, range: RowRange, bytes: &[u8]) {
    let reach = reach(profile.file.row_bytes_max);
    match &profile.reader {
        Reader::Delimited => read_delimited(rows, profile, recipe, range, bytes),
        Reader::FixedWidth(form) => read_lines(rows, &mut FixedWidthCutter::new(form), range, bytes),
        Reader::JsonLines(form) => read_lines(rows, &mut JsonCutter::new(form), range, bytes),
        Reader::JsonArray(form) => {
            read_list(rows, &mut ArrayPieces::new(form, reach, true), &mut JsonCutter::new(form), range, bytes);
        }
        Reader::Xml(form) => read_list(rows, &mut XmlPieces::new(form, reach), &mut XmlCutter::new(form), range, bytes),
        // Its profile has no recipe: `parse` has sent it elsewhere.
        Reader::Tap3(_) => {}
    }
}

fn read_lines<C: CutFields>(rows: &mut RowReader<'_>, cutter: &mut C, range: RowRange, bytes: &[u8]) {
    let mut begin = 0;
    while begin < bytes.len() {
        let feed = memchr(b'\n', &bytes[begin..]).map_or(bytes.len(), |ahead| begin + ahead);
        if begin == 0 {
            rows.reserve(estimate(1, (feed + 1).max(ROW_BYTES_GUESS), bytes.len()));
        }
        let end = feed - usize::from(bytes[begin..feed].ends_with(b"\r"));
        rows.take_record(Line { data: bytes, text: None, begin, end, offset: range.byte_from + begin as u64 }, cutter);
        begin = feed + 1;
    }
}

fn read_list<P: Pieces, C: CutFields>(rows: &mut RowReader<'_>, pieces: &mut P, cutter: &mut C, range: RowRange, bytes: &[u8]) {
    let mut at = 0;
    while let Step::Piece(piece) = pieces.next(bytes, at, true) {
        if at == 0 {
            rows.reserve(estimate(1, piece.to.max(ROW_BYTES_GUESS), bytes.len()));
        }
        let (begin, end) = (piece.from, piece.to);
        let line = Line { data: bytes, text: None, begin, end, offset: range.byte_from + begin as u64 };
        if piece.is_broken {
            rows.take_broken(line);
        } else {
            rows.take_record(line, cutter);
        }
        at = piece.to;
    }
}

/// TAP3 brings its own meaning: only lineage, keys and what is malformed are made the same way.
fn parse_tap3(
    profile: &Profile,
    layout: &Layout,
    file: &Arc<FileContext>,
    hasher: &RecordHasher,
    range: RowRange,
    bytes: &[u8],
) -> ParsedBatch {
    let (Reader::Tap3(form), Some(head)) = (&profile.reader, layout.tap3()) else {
        unreachable!("a profile without a recipe has the reader `tap3`, whose layouts have a head");
    };
    let from = range.byte_from;
    let range = SplitRange { from, to: from + bytes.len() as u64, first_row: range.first_row, rows: u64::MAX };
    tap3::parse(&form.rules, head, file, hasher, range, bytes)
}

/// Reads lines with separators, a window at a time.
fn read_delimited(reader: &mut RowReader<'_>, profile: &Profile, recipe: &Recipe, range: RowRange, bytes: &[u8]) {
    let wanted = Wanted { separator: profile.file.separator, quote: profile.file.quote };
    // All of a window at once is cheaper than one field after the other.
    let wants_text = recipe.record_id.is_some() && profile.file.encoding.reads_utf8();
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
            read_window(reader, &mut marks, line);
        }
        from = to;
    }
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
        let has_return = odd > odd_from && feed > begin && window.data[feed - 1] == b'\r';
        let odd_to = odd - usize::from(has_return);
        marks.ends[last] -= u32::from(has_return);
        let line = Line { begin, end: marks.ends[last] as usize, offset: window.offset + begin as u64, ..window };
        reader.take(line, &marks.ends[before..=last], &marks.odd[odd_from..odd_to]);
        // The next row begins behind the line feed.
        marks.ends[last] += u32::from(has_return);
        (begin, before) = (feed + 1, last);
    }
}

#[cfg(test)]
mod tests;
