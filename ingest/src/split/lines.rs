//! Files of lines: a row is a line, told from header and trailer, and cut nowhere else than at its end.

use crate::parse::encoding::first_bad_byte;
use crate::parse::quoted::Fields;
use crate::parse::utf16::ByteOrder;
use crate::profile::recipe::Reader;
use crate::profile::{HeaderError, Layout, Profile, next_feed, trim_return};
use crate::records::json;
use crate::records::presence::Presence;

use super::trailer::{self, TrailerCheck};
use super::verdict::{self, Facts};
use super::{Ranges, Split};

/// A line of so many times the longest row allowed is no broken row but no file of rows.
const ENDLESS_ROWS: u64 = 64;

/// Splits a file of lines piece by piece.
#[derive(Debug)]
pub(super) struct LineSplitter<'p> {
    profile: &'p Profile,
    ranges: Ranges,
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
    facts: Facts,
    trailer: TrailerCheck,
    fields: Fields,
    presence: Presence<'p>,
}

impl<'p> LineSplitter<'p> {
    pub fn new(profile: &'p Profile, ranges: Ranges) -> Self {
        Self {
            profile,
            ranges,
            head: Vec::new(),
            header: None,
            byte_order: None,
            half: None,
            text: Vec::new(),
            open: Vec::new(),
            open_length: 0,
            offset: 0,
            is_endless: false,
            facts: Facts::default(),
            trailer: TrailerCheck::default(),
            fields: Fields::default(),
            presence: Presence::new(profile),
        }
    }

    pub fn ranges_mut(&mut self) -> &mut Ranges {
        &mut self.ranges
    }

    #[cfg(test)]
    pub fn kept_bytes(&self) -> usize {
        self.open.capacity() + self.head.capacity()
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

    /// The file is over.
    pub fn finish(mut self) -> Split {
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
        let header = self.header.take().unwrap_or(Err(HeaderError::Missing));
        let verdict = verdict::judge(self.profile, &header, &self.facts, &self.trailer, self.is_endless);
        let verdict = verdict::with_paths(verdict, &self.presence);
        Split { layout: header.ok(), ranges: self.ranges.finish(), verdict }
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
        // Of a longer line the rest may be gone, when the file came in pieces.
        let fits = is_whole && line.len() <= self.profile.file.row_bytes_max;
        if let Some(trailer) = &self.profile.trailer
            && fits
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
        if self.profile.trailer.as_ref().is_some_and(|t| t.sum.is_some()) {
            let layout = self.header.as_ref().and_then(|h| h.as_ref().ok());
            self.trailer.add_amount(self.profile, layout, &line[..line.len().min(file.row_bytes_max)], &mut self.fields);
        }
        self.presence.note(line);
        let first_row = self.facts.rows;
        self.facts.rows += 1;
        // `offset` stands behind the line; its line feed, where there is one, belongs to the row.
        let to = self.offset + if self.facts.ends_open { 0 } else { self.feed_bytes() };
        self.ranges.take(from, to, first_row);
    }

    /// Whether the last line, which has no line end, is a row all the same.
    fn has_all_fields(&mut self, line: &[u8]) -> bool {
        let Some(Ok(layout)) = &self.header else { return false };
        let file = &self.profile.file;
        match &self.profile.reader {
            Reader::FixedWidth(form) => form.is_whole(line),
            Reader::JsonLines(form) => json::is_whole(line, form.depth_max),
            _ => self.fields.split(line, file.separator, file.quote).is_ok() && self.fields.row().len() >= layout.fields(),
        }
    }
}

/// Whether a line is printable ASCII and tabs: the common case, tested sixteen bytes at a time.
pub(super) fn is_plain(line: &[u8]) -> bool {
    let odd = |byte: u8| u8::from(byte.wrapping_sub(b' ') >= 0x5f) & u8::from(byte != b'\t');
    let any_odd = |bytes: &[u8; 16]| bytes.iter().fold(0, |any, byte| any | odd(*byte));
    let Some(last) = line.last_chunk() else { return line.iter().all(|byte| odd(*byte) == 0) };
    line.as_chunks().0.iter().fold(any_odd(last), |any, chunk| any | any_odd(chunk)) == 0
}
