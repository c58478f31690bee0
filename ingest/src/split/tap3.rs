//! TAP3 files: checked in memory as a whole, because their audit control speaks of all events.

use crate::message::{FileState, FileVerdict};
use crate::profile::Profile;
use crate::profile::recipe::Tap3Form;
use crate::tap3;

use super::{Ranges, Split};

/// Collects a file.
#[derive(Debug)]
pub(super) struct Tap3Splitter<'p> {
    profile: &'p Profile,
    form: &'p Tap3Form,
    ranges: Ranges,
    bytes: Vec<u8>,
    is_too_large: bool,
}

impl<'p> Tap3Splitter<'p> {
    /// Begins a file.
    pub fn new(profile: &'p Profile, form: &'p Tap3Form, ranges: Ranges) -> Self {
        Self { profile, form, ranges, bytes: Vec::new(), is_too_large: false }
    }

    pub fn ranges_mut(&mut self) -> &mut Ranges {
        &mut self.ranges
    }

    #[cfg(test)]
    pub fn kept_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Takes the next piece of the file.
    pub fn push(&mut self, chunk: &[u8]) {
        self.is_too_large |= (self.bytes.len() + chunk.len()) as u64 > self.form.file_bytes_max;
        if self.is_too_large {
            self.bytes = Vec::new();
        } else {
            self.bytes.extend_from_slice(chunk);
        }
    }

    /// The file is over.
    pub fn finish(self) -> Split {
        if self.is_too_large {
            let limit = self.form.file_bytes_max;
            let message = format!("the file has more than {limit} bytes; raise `tap3.file_bytes_max`, memory allowing");
            let verdict = FileVerdict { state: FileState::EndlessRow, rows: 0, message };
            return Split { layout: None, ranges: Vec::new(), verdict };
        }
        let mut split = tap3::split_at(&self.form.rules, &self.bytes, self.ranges.rows_per_range, self.ranges.bytes_max);
        // A notification, and a batch without events, are whole and say that there is nothing.
        if split.verdict.state == FileState::Empty && !self.bytes.is_empty() && self.profile.file.empty_is_heartbeat {
            split.verdict.message.clear();
        }
        Split { layout: split.head.map(|head| self.profile.layout_of_tap3(head)), ranges: split.ranges, verdict: split.verdict }
    }
}
