//! Checks a file as a whole and cuts it at row boundaries into ranges that can be parsed apart.
//!
//! [`Splitter`] takes the file in pieces of any size, keeps at most one row of it, and decides the same however it is fed:
//! the cut is a function of profile, bytes and rows per range. What counts as a row is what [`crate::parse::parse`] counts.

mod trailer;
mod verdict;

use crate::message::FileVerdict;
use crate::parse::encoding::first_bad_byte;
use crate::parse::quoted::Fields;
use crate::parse::utf16::ByteOrder;
use crate::profile::{HeaderError, Layout, Profile, next_feed, trim_return};

use trailer::TrailerCheck;
use verdict::Facts;

/// Rows of a range, unless the caller wants another number: 50,000 rows of 93 bytes are 4.6 MB, a good piece of work.
pub const ROWS_PER_RANGE: u64 = 50_000;

/// A range ends with the row that reaches this size, so that a worker's memory is bounded whatever the rows look like.
/// Landing pins it with each delivery: another value cuts later deliveries only.
pub const RANGE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A line of so many times the longest row allowed is no broken row but no file of rows.
const ENDLESS_ROWS: u64 = 64;

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
    profile: &'p Profile,
    rows_per_range: u64,
    range_bytes_max: u64,
    /// The file's beginning, until the header is read.
    head: Vec<u8>,
    header: Option<Result<Layout, HeaderError>>,
    /// Of a file in UTF-16.
    byte_order: Option<ByteOrder>,
    /// The first half of a unit whose second half is in the next piece.
    half: Option<u8>,
    /// The line at hand as UTF-8, where the file is in UTF-16.
    text: Vec<u8>,
    /// The line that is not ended yet: at most one row and a byte of it.
    open: Vec<u8>,
    /// Its whole length.
    open_length: u64,
    /// Where the next line begins.
    offset: u64,
    is_endless: bool,
    ranges: Vec<SplitRange>,
    current: Option<SplitRange>,
    facts: Facts,
    trailer: TrailerCheck,
    fields: Fields,
}

impl<'p> Splitter<'p> {
    /// Begins a file; ranges get `rows_per_range` rows (at least 1), the last one fewer.
    pub fn new(profile: &'p Profile, rows_per_range: u64) -> Self {
        Self {
            profile,
            rows_per_range: rows_per_range.max(1),
            range_bytes_max: RANGE_BYTES_MAX,
            head: Vec::new(),
            header: None,
            byte_order: None,
            half: None,
            text: Vec::new(),
            open: Vec::new(),
            open_length: 0,
            offset: 0,
            is_endless: false,
            ranges: Vec::new(),
            current: None,
            facts: Facts::default(),
            trailer: TrailerCheck::default(),
            fields: Fields::default(),
        }
    }

    /// Ends ranges at another size than [`RANGE_BYTES_MAX`]: the one that was pinned when the file landed.
    #[must_use]
    pub fn with_range_bytes(self, range_bytes_max: u64) -> Self {
        Self { range_bytes_max, ..self }
    }

    /// Takes the next piece of the file.
    pub fn push(&mut self, chunk: &[u8]) {
        self.facts.bytes += chunk.len() as u64;
        match &self.header {
            Some(Ok(_)) if !self.is_endless => self.take_body(chunk),
            Some(_) => {}
            None => {
                self.head.extend_from_slice(chunk);
                self.try_header(false);
            }
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
    pub(crate) fn finish_regardless(mut self) -> Split {
        if self.header.is_none() {
            self.try_header(true);
        }
        if let Some(half) = self.half.take() {
            self.extend_open(&[half]);
        }
        if self.open_length > 0 && !self.is_endless {
            self.facts.ends_open = true;
            let open = std::mem::take(&mut self.open);
            self.take_line(&open, self.open_length);
        }
        self.ranges.extend(self.current.take());
        let header = self.header.take().unwrap_or(Err(HeaderError::Missing));
        let verdict = verdict::judge(self.profile, &header, &self.facts, &self.trailer, self.is_endless);
        Split { layout: header.ok(), ranges: self.ranges, verdict }
    }

    /// Reads the header if enough of the file is there, and hands on what follows it.
    fn try_header(&mut self, is_whole: bool) {
        self.header = self.profile.read_header(&self.head, is_whole).transpose();
        let head = match &self.header {
            None => return,
            Some(_) => std::mem::take(&mut self.head),
        };
        if let Some(Ok(layout)) = &self.header {
            self.offset = layout.body_from();
            self.byte_order = layout.byte_order();
            self.facts.lines = layout.header_lines();
            let body = usize::try_from(layout.body_from()).unwrap_or(usize::MAX);
            self.take_body(&head[body.min(head.len())..]);
        }
    }

    /// Takes a piece behind the header; of UTF-16 only whole units go on.
    fn take_body(&mut self, mut chunk: &[u8]) {
        if self.byte_order.is_none() {
            return self.take_lines(chunk);
        }
        if let (Some(half), Some((first, rest))) = (self.half, chunk.split_first()) {
            self.half = None;
            self.take_lines(&[half, *first]);
            chunk = rest;
        }
        let (units, half) = chunk.split_at(chunk.len() & !1);
        self.half = self.half.or(half.first().copied());
        if !self.is_endless {
            self.take_lines(units);
        }
    }

    fn take_lines(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while let Some((feed, next)) = next_feed(self.byte_order, rest) {
            if self.open_length == 0 {
                self.take_line(&rest[..feed], feed as u64);
            } else {
                self.extend_open(&rest[..feed]);
                let open = std::mem::take(&mut self.open);
                let length = std::mem::take(&mut self.open_length);
                self.take_line(&open, length);
                self.open = open;
                self.open.clear();
            }
            self.offset += self.feed_bytes();
            if self.is_endless {
                return;
            }
            rest = &rest[next..];
        }
        self.extend_open(rest);
        self.is_endless |= self.open_length > self.endless_bytes();
    }

    /// Adds to the open line; beyond the longest row only its length is kept.
    fn extend_open(&mut self, bytes: &[u8]) {
        let enough = (self.profile.file.row_bytes_max + 2) * self.profile.file.encoding.unit_bytes();
        let room = enough.saturating_sub(self.open.len());
        self.open.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.open_length += bytes.len() as u64;
    }

    /// Bytes of a line feed.
    fn feed_bytes(&self) -> u64 {
        if self.byte_order.is_some() { 2 } else { 1 }
    }

    fn endless_bytes(&self) -> u64 {
        self.profile.file.row_bytes_max as u64 * ENDLESS_ROWS
    }

    /// Takes a line without its line feed; of a long one only the beginning is in `line`.
    fn take_line(&mut self, line: &[u8], length: u64) {
        let from = self.offset;
        self.offset += length;
        if length > self.endless_bytes() {
            self.is_endless = true;
            return;
        }
        self.facts.lines += 1;
        let is_whole = line.len() as u64 == length;
        let Some(order) = self.byte_order else { return self.take_text(line, from, is_whole) };
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        order.append_utf8(line, &mut text);
        self.take_text(&text, from, is_whole);
        self.text = text;
    }

    /// Takes a line as it is read, which begins at `from` in the file.
    fn take_text(&mut self, line: &[u8], from: u64, is_whole: bool) {
        let line = if is_whole { trim_return(line) } else { line };
        if line.is_empty() && (self.profile.file.ignores_blank_lines || self.trailer.is_seen()) {
            return;
        }
        if let Some(trailer) = &self.profile.trailer
            && is_whole
            && trailer::is_trailer(trailer, self.profile, line)
        {
            self.trailer.take(self.profile, trailer, line, self.facts.lines, &mut self.fields);
            return;
        }
        if self.trailer.is_seen() {
            self.trailer.note_row_after();
        }
        self.take_row(line, from, is_whole);
    }

    fn take_row(&mut self, line: &[u8], from: u64, is_whole: bool) {
        let file = &self.profile.file;
        let is_long = line.len() > file.row_bytes_max;
        if !is_long && !is_plain(line) && first_bad_byte(file.encoding, line).is_some() {
            self.facts.invalid_rows += 1;
        }
        self.facts.has_long_row |= is_long;
        if self.facts.ends_open {
            self.facts.last_row_is_cut = !is_whole || !self.has_all_fields(line);
        }
        if self.profile.trailer.as_ref().is_some_and(|t| t.sum_field.is_some()) {
            let layout = self.header.as_ref().and_then(|h| h.as_ref().ok());
            self.trailer.add_amount(self.profile, layout, line, &mut self.fields);
        }
        let first_row = self.facts.rows;
        self.facts.rows += 1;
        // `offset` stands behind the line; its line feed, where there is one, belongs to the row.
        let to = self.offset + if self.facts.ends_open { 0 } else { self.feed_bytes() };
        let range = self.current.get_or_insert(SplitRange { from, to, first_row, rows: 0 });
        range.to = to;
        range.rows += 1;
        if range.rows >= self.rows_per_range || range.to - range.from >= self.range_bytes_max {
            self.ranges.extend(self.current.take());
        }
    }

    fn has_all_fields(&mut self, line: &[u8]) -> bool {
        let Some(Ok(layout)) = &self.header else { return false };
        let file = &self.profile.file;
        self.fields.split(line, file.separator, file.quote).is_ok() && self.fields.row().len() >= layout.fields()
    }
}

/// Whether a line is printable ASCII and tabs: the common case, tested sixteen bytes at a time.
fn is_plain(line: &[u8]) -> bool {
    let odd = |byte: u8| u8::from(byte.wrapping_sub(b' ') >= 0x5f) & u8::from(byte != b'\t');
    let any_odd = |bytes: &[u8; 16]| bytes.iter().fold(0, |any, byte| any | odd(*byte));
    let Some(last) = line.last_chunk() else { return line.iter().all(|byte| odd(*byte) == 0) };
    line.as_chunks().0.iter().fold(any_odd(last), |any, chunk| any | any_odd(chunk)) == 0
}

#[cfg(test)]
mod tests;
