//! Micro-batches of live sources: cut like files, but never refused as a whole, because they hold what came and no more.

use crate::land::LiveRange;
use crate::message::{FileState, FileVerdict};

use super::{Ranges, Split};

/// Cuts a micro-batch piece by piece: behind its header every line is a row, whatever it holds.
#[derive(Debug)]
pub struct LiveSplitter {
    ranges: Ranges,
    header_bytes: u64,
    /// How much of the object was pushed.
    at: u64,
    /// Where the row at hand begins.
    row_from: u64,
    rows: u64,
}

impl LiveSplitter {
    /// Begins a micro-batch; `cut_rows` and `cut_bytes` as its arrival has pinned them.
    pub fn new(live: &LiveRange, cut_rows: u64, cut_bytes: u64) -> Self {
        let header_bytes = live.header_bytes;
        Self { ranges: Ranges::new(cut_rows, cut_bytes), header_bytes, at: 0, row_from: header_bytes, rows: 0 }
    }

    /// Takes the next piece of the object.
    pub fn push(&mut self, chunk: &[u8]) {
        let header = usize::try_from(self.header_bytes.saturating_sub(self.at)).unwrap_or(usize::MAX).min(chunk.len());
        for feed in memchr::memchr_iter(b'\n', &chunk[header..]) {
            let to = self.at + (header + feed + 1) as u64;
            self.ranges.take(self.row_from, to, self.rows);
            (self.row_from, self.rows) = (to, self.rows + 1);
        }
        self.at += chunk.len() as u64;
    }

    /// Its ranges, and a verdict that only tells how many rows there are. Where columns stand was settled when it landed.
    pub fn finish(self) -> Split {
        let verdict = FileVerdict { state: FileState::Complete, rows: self.rows, message: String::new() };
        Split { layout: None, ranges: self.ranges.finish(), verdict }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::land::LivePartition;

    fn live(header_bytes: u64) -> LiveRange {
        LiveRange {
            source: LivePartition { topic: "t".to_owned(), incarnation: "i".to_owned(), partition: 0 },
            from_offset: 0,
            first_offset: 0,
            next_offset: 3,
            header_bytes,
            rows: 3,
            empty: 0,
            steps: Vec::new(),
            lost_below: None,
        }
    }

    #[test]
    fn every_line_behind_the_header_is_a_row_however_it_is_fed() {
        let bytes = b"id;seconds\n1;2\n\xff\xfe garbage\n3;4\n";
        for piece in 1..=bytes.len() {
            let mut splitter = LiveSplitter::new(&live(11), 2, u64::MAX);
            bytes.chunks(piece).for_each(|chunk| splitter.push(chunk));
            let Split { ranges, verdict, .. } = splitter.finish();
            assert_eq!((verdict.state, verdict.rows), (FileState::Complete, 3));
            let expected = [(11, 26, 0, 2), (26, 30, 2, 1)];
            let found: Vec<_> = ranges.iter().map(|r| (r.from, r.to, r.first_row, r.rows)).collect();
            assert_eq!(found, expected, "in pieces of {piece}");
        }
    }

    #[test]
    fn a_batch_of_empty_events_has_no_rows_and_is_complete() {
        let Split { ranges, verdict, .. } = LiveSplitter::new(&live(0), 2, 100).finish();
        assert_eq!((ranges.len(), verdict.rows, verdict.state), (0, 0, FileState::Complete));
    }
}
