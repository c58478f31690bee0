//! The fields of one record in the order of the profile's columns, wherever in the record they stood.

use domain::outcome::Reason;

use crate::parse::field::{BEFORE_START, Row};
use crate::parse::row::Fault;

/// Stands between two fields: no digit, so that words loaded across a field's end read no more digits than it has.
const BETWEEN: u8 = b',';

/// Collects the fields of a record; reused from record to record.
#[derive(Debug, Default)]
pub(crate) struct Cut {
    /// Values in the order in which they were found.
    found: Vec<u8>,
    /// Where the value of each column stands there.
    places: Vec<Option<(usize, usize)>>,
    data: Vec<u8>,
    ends: Vec<u32>,
}

impl Cut {
    /// Begins a record with so many columns, all of them absent.
    pub fn begin(&mut self, columns: usize) {
        self.found.clear();
        self.places.clear();
        self.places.resize(columns, None);
    }

    /// Gives a column its value. It must be the first one, and text.
    pub fn put(&mut self, column: usize, value: &[u8]) -> Result<(), Fault> {
        if self.places[column].is_some() {
            return Err(Fault { reason: Reason::Columns, at: column });
        }
        if value.iter().any(|c| *c < b' ' && *c != b'\t' || *c == 0x7f) {
            return Err(Fault { reason: Reason::Encoding, at: column });
        }
        let from = self.found.len();
        self.found.extend_from_slice(value);
        self.places[column] = Some((from, self.found.len()));
        Ok(())
    }

    /// The record is over: absent columns are empty fields.
    pub fn finish(&mut self) {
        self.data.clear();
        self.ends.clear();
        self.ends.push(BEFORE_START);
        for place in &self.places {
            let (from, to) = place.unwrap_or_default();
            self.data.extend_from_slice(&self.found[from..to]);
            self.ends.push(u32::try_from(self.data.len()).expect("a record has at most 16 MiB"));
            self.data.push(BETWEEN);
        }
    }

    /// The fields of the record that was finished last.
    pub fn row(&self) -> Row<'_> {
        Row { data: &self.data, ends: &self.ends, text: None }
    }
}
