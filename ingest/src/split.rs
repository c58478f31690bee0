//! Checks a file as a whole and cuts it at row boundaries into ranges that can be parsed apart.
//!
//! [`Splitter`] takes the file in pieces of any size, keeps at most one row of it (TAP3 files are kept whole), and decides the same however it is fed:
//! the cut is a function of profile, bytes and rows per range. What counts as a row is what [`crate::parse::parse`] counts.

mod lines;
mod list;
mod live;
mod tap3;
mod trailer;
mod verdict;

use crate::message::FileVerdict;
use crate::profile::recipe::Reader;
use crate::profile::{Layout, Profile};
use crate::records::json::array::ArrayPieces;
use crate::records::list::reach;
use crate::records::xml::pieces::XmlPieces;

use lines::LineSplitter;
use list::ListSplitter;
pub use live::LiveSplitter;
use tap3::Tap3Splitter;
pub(crate) use trailer::is_trailer;

/// Rows of a range, unless the caller wants another number: 50,000 rows of 93 bytes are 4.6 MB, a good piece of work.
pub const ROWS_PER_RANGE: u64 = 50_000;

/// A range ends with the row that reaches this size, so that a worker's memory is bounded whatever the rows look like.
/// Landing pins it with each delivery: another value cuts later deliveries only.
pub const RANGE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A piece of a file, from the first byte of a row to the end of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitRange {
    /// Its first byte.
    pub from: u64,
    /// The byte after it.
    pub to: u64,
    /// Number of its first row, from 0.
    pub first_row: u64,
    /// How many rows it holds.
    pub rows: u64,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Where the columns stand; `None` when the header is not what the profile declares, or the file is empty.
    pub layout: Option<Layout>,
    /// In order, without overlap; none unless the file is complete.
    pub ranges: Vec<SplitRange>,
    /// The file as a whole.
    pub verdict: FileVerdict,
}

/// Splits a file that is in memory.
pub fn split(profile: &Profile, bytes: &[u8], rows_per_range: u64) -> Split {
    let mut splitter = Splitter::new(profile, rows_per_range);
    splitter.push(bytes);
    splitter.finish()
}

/// Splits a file piece by piece.
#[derive(Debug)]
pub struct Splitter<'p> {
    way: Way<'p>,
}

/// How the rows of a file are told from each other: chosen once per file.
#[derive(Debug)]
enum Way<'p> {
    Lines(Box<LineSplitter<'p>>),
    JsonArray(Box<ListSplitter<'p, ArrayPieces<'p>>>),
    Xml(Box<ListSplitter<'p, XmlPieces<'p>>>),
    Tap3(Box<Tap3Splitter<'p>>),
}

impl<'p> Way<'p> {
    fn new(profile: &'p Profile, ranges: Ranges) -> Self {
        let reach = reach(profile.file.row_bytes_max);
        match &profile.reader {
            Reader::Delimited | Reader::FixedWidth(_) | Reader::JsonLines(_) => {
                Self::Lines(Box::new(LineSplitter::new(profile, ranges)))
            }
            Reader::JsonArray(form) => {
                Self::JsonArray(Box::new(ListSplitter::new(profile, ArrayPieces::new(form, reach, false), ranges)))
            }
            Reader::Xml(form) => Self::Xml(Box::new(ListSplitter::new(profile, XmlPieces::new(form, reach), ranges))),
            Reader::Tap3(form) => Self::Tap3(Box::new(Tap3Splitter::new(profile, form, ranges))),
        }
    }
}

impl<'p> Splitter<'p> {
    /// Begins a file; ranges get `rows_per_range` rows (at least 1), the last one fewer.
    pub fn new(profile: &'p Profile, rows_per_range: u64) -> Self {
        Self { way: Way::new(profile, Ranges::new(rows_per_range, RANGE_BYTES_MAX)) }
    }

    /// Ends ranges at another size than [`RANGE_BYTES_MAX`]: the one that was pinned when the file landed. To be said before
    /// the first piece.
    #[must_use]
    pub fn with_range_bytes(mut self, range_bytes_max: u64) -> Self {
        let ranges = match &mut self.way {
            Way::Lines(lines) => lines.ranges_mut(),
            Way::JsonArray(list) => list.ranges_mut(),
            Way::Xml(list) => list.ranges_mut(),
            Way::Tap3(tap3) => tap3.ranges_mut(),
        };
        ranges.bytes_max = range_bytes_max;
        self
    }

    /// Takes the next piece of the file.
    pub fn push(&mut self, chunk: &[u8]) {
        match &mut self.way {
            Way::Lines(lines) => lines.push(chunk),
            Way::JsonArray(list) => list.push(chunk),
            Way::Xml(list) => list.push(chunk),
            Way::Tap3(tap3) => tap3.push(chunk),
        }
    }

    /// The file is over: its ranges and what is wrong with it.
    pub fn finish(self) -> Split {
        let mut split = self.finish_regardless();
        if !split.verdict.state.is_taken() {
            split.ranges.clear();
        }
        split
    }

    /// As [`Splitter::finish`], with the ranges of a file that is not taken, too: for looking at it.
    pub(crate) fn finish_regardless(self) -> Split {
        match self.way {
            Way::Lines(lines) => lines.finish(),
            Way::JsonArray(list) => list.finish(),
            Way::Xml(list) => list.finish(),
            Way::Tap3(tap3) => tap3.finish(),
        }
    }
}

#[cfg(test)]
impl Splitter<'_> {
    /// Bytes of the file that are in memory.
    pub(crate) fn kept_bytes(&self) -> usize {
        match &self.way {
            Way::Lines(lines) => lines.kept_bytes(),
            Way::JsonArray(list) => list.kept_bytes(),
            Way::Xml(list) => list.kept_bytes(),
            Way::Tap3(tap3) => tap3.kept_bytes(),
        }
    }
}

/// The ranges of a file while its rows come.
#[derive(Debug)]
struct Ranges {
    rows_per_range: u64,
    bytes_max: u64,
    done: Vec<SplitRange>,
    current: Option<SplitRange>,
}

impl Ranges {
    fn new(rows_per_range: u64, bytes_max: u64) -> Self {
        Self { rows_per_range: rows_per_range.max(1), bytes_max, done: Vec::new(), current: None }
    }

    /// Adds a row.
    fn take(&mut self, from: u64, to: u64, row: u64) {
        let range = self.current.get_or_insert(SplitRange { from, to, first_row: row, rows: 0 });
        range.to = to;
        range.rows += 1;
        if range.rows >= self.rows_per_range || range.to - range.from >= self.bytes_max {
            self.done.extend(self.current.take());
        }
    }

    fn finish(mut self) -> Vec<SplitRange> {
        self.done.extend(self.current.take());
        self.done
    }
}

#[cfg(test)]
mod tests;
