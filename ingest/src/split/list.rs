//! Files whose records are no lines: a list, walked over record by record with no more of it in memory than one may take.

use crate::profile::{HeaderError, Layout, Profile};
use crate::records::list::{Piece, Pieces, Step, reach};
use crate::records::presence::Presence;

use super::verdict::{self, ListEnd, ListFacts};
use super::{Ranges, Split};

/// So many bytes are collected before the list is walked on, so that small pieces of a file cost no more than large ones.
const STEP_BYTES: usize = 64 * 1024;

/// Splits a list piece by piece.
#[derive(Debug)]
pub(super) struct ListSplitter<'p, P> {
    profile: &'p Profile,
    pieces: P,
    ranges: Ranges,
    header: Option<Result<Layout, HeaderError>>,
    /// The file from `base` on: the head until it is read, then what was not walked over yet.
    window: Vec<u8>,
    base: u64,
    /// How large the window must be for another try.
    wanted: usize,
    end: ListEnd,
    facts: ListFacts,
    presence: Presence<'p>,
}

impl<'p, P: Pieces> ListSplitter<'p, P> {
    /// Begins a file.
    pub fn new(profile: &'p Profile, pieces: P, ranges: Ranges) -> Self {
        Self {
            profile,
            pieces,
            ranges,
            header: None,
            window: Vec::new(),
            base: 0,
            wanted: 0,
            end: ListEnd::Missing,
            facts: ListFacts::default(),
            presence: Presence::new(profile),
        }
    }

    pub fn ranges_mut(&mut self) -> &mut Ranges {
        &mut self.ranges
    }

    #[cfg(test)]
    pub fn kept_bytes(&self) -> usize {
        self.window.capacity()
    }

    /// Takes the next piece of the file.
    pub fn push(&mut self, chunk: &[u8]) {
        self.facts.bytes += chunk.len() as u64;
        if matches!(self.end, ListEnd::Lost(_)) || matches!(self.header, Some(Err(_))) {
            return;
        }
        // Nothing that belongs to a file is so long behind the end of its list.
        if self.end == ListEnd::Found && self.window.len() > reach(self.profile.file.row_bytes_max) {
            return;
        }
        self.window.extend_from_slice(chunk);
        if self.window.len() >= self.wanted {
            self.walk(false);
        }
    }

    /// The file is over.
    pub fn finish(mut self) -> Split {
        self.walk(true);
        if self.end == ListEnd::Found && !self.pieces.is_fitting_end(&self.window) {
            self.end = ListEnd::Unfitting(self.window.len());
        }
        let header = self.header.take().unwrap_or(Err(HeaderError::Missing));
        let verdict = verdict::judge_list(self.profile, &header, &self.facts, self.end);
        let verdict = verdict::with_paths(verdict, &self.presence);
        Split { layout: header.ok(), ranges: self.ranges.finish(), verdict }
    }

    fn walk(&mut self, is_all: bool) {
        if self.header.is_none() && !self.read_header(is_all) || !matches!(self.header, Some(Ok(_))) {
            return;
        }
        let mut at = 0;
        while self.end == ListEnd::Missing {
            match self.pieces.next(&self.window, at, is_all) {
                Step::Piece(piece) => {
                    self.take(piece);
                    at = piece.to;
                }
                Step::More | Step::Open => break,
                Step::End(end) => {
                    self.end = ListEnd::Found;
                    at = end;
                }
                Step::Lost(from) => self.end = ListEnd::Lost(self.base + from as u64),
            }
        }
        self.drop_front(at);
        self.wanted = (2 * self.window.len()).max(STEP_BYTES);
    }

    /// Reads the head if enough of it is there.
    fn read_header(&mut self, is_all: bool) -> bool {
        self.header = self.profile.read_header(&self.window, is_all).transpose();
        if let Some(Ok(layout)) = &self.header {
            self.drop_front(usize::try_from(layout.body_from()).unwrap_or(usize::MAX).min(self.window.len()));
        }
        self.header.is_some()
    }

    fn drop_front(&mut self, bytes: usize) {
        self.window.drain(..bytes);
        self.base += bytes as u64;
    }

    fn take(&mut self, piece: Piece) {
        let file = &self.profile.file;
        let bytes = &self.window[piece.from..piece.to];
        self.facts.invalid_rows += u64::from(file.encoding.first_foreign(bytes).is_some());
        self.facts.ends_broken = piece.is_broken;
        if !piece.is_broken {
            self.presence.note(bytes);
        }
        let row = self.facts.rows;
        self.facts.rows += 1;
        self.ranges.take(self.base + piece.from as u64, self.base + piece.to as u64, row);
    }
}
