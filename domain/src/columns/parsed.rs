//! What a CDR is after parsing: typed columns of one batch, with its lineage, and the rows that could not be read.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::delivery::FileContext;
use crate::number::{Network, Number};
use crate::outcome::Reason;
use crate::usage::Usage;

/// The cost column's value where the source gave none.
pub const NO_COST: i64 = i64::MIN;

/// The place column's value where the source gave none.
pub const NO_SEQUENCE: i64 = -1;

/// Which part of its session a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Partial {
    /// All of it, or the source does not say.
    Whole = 0,
    /// A part after which others come.
    Part = 1,
    /// The last part.
    Last = 2,
}

impl Partial {
    /// The name in tables; a whole session has none.
    pub fn name_of(code: u8) -> Option<&'static str> {
        match code {
            1 => Some("partial"),
            2 => Some("last"),
            _ => None,
        }
    }
}

/// Texts of varying length in one allocation.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    all: String,
    ends: Vec<u32>,
}

impl Texts {
    /// Adds a text.
    pub fn push(&mut self, text: &str) {
        self.all.push_str(text);
        self.ends.push(u32::try_from(self.all.len()).expect("a batch holds less than 4 GiB of text"));
    }

    /// The text at a position.
    pub fn get(&self, i: usize) -> &str {
        let from = if i == 0 { 0 } else { self.ends[i - 1] as usize };
        &self.all[from..self.ends[i] as usize]
    }

    /// How many texts there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// What is known about a local time without an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum TimeFlag {
    /// The source gave an offset, or the local time is unique.
    Exact = 0,
    /// The autumn change repeats this local time and the source does not say which; the first was taken.
    Repeated = 1,
}

/// Typed columns of the readable rows of a batch; all of the same length, but optional ones may be empty: "absent in all".
#[derive(Debug, Clone, Default)]
pub struct ParsedColumns {
    /// Row number in the delivery, from 0.
    pub row: Vec<u64>,
    /// Where the row begins in the delivery, bytes.
    pub offset: Vec<u64>,
    /// Bytes of the row without its line end.
    pub length: Vec<u32>,
    /// Record key; for `content+occurrence` already with the occurrence.
    pub key: Vec<u128>,
    /// Hash of the content, to tell a conflict of ids from a copy; optional.
    pub content: Vec<u64>,
    /// The source's record id; optional.
    pub record_id: Texts,
    /// Kind and direction.
    pub usage: Vec<Usage>,
    /// The served party.
    pub a_number: Vec<Number>,
    /// The other party.
    pub b_number: Vec<Number>,
    /// IMSI of the served party, 0 where absent; optional.
    pub imsi: Vec<u64>,
    /// First 19 digits of the ICCID of the served party, 0 where absent; optional.
    pub iccid: Vec<u64>,
    /// Start, microseconds since 1970 UTC.
    pub start_us: Vec<i64>,
    /// The source's clock, seconds east of UTC.
    pub offset_s: Vec<i32>,
    /// A [`TimeFlag`] per row; optional.
    pub time_flag: Vec<u8>,
    /// Seconds.
    pub duration_s: Vec<i32>,
    /// Bytes sent; optional.
    pub bytes_up: Vec<i64>,
    /// Bytes received; optional.
    pub bytes_down: Vec<i64>,
    /// Message parts; optional, 1 where absent.
    pub messages: Vec<i32>,
    /// The source's id of the session that the record is of, which marks records that belong together; optional, empty where
    /// absent.
    pub session_id: Texts,
    /// Place of the record in its session, [`NO_SEQUENCE`] where absent; optional.
    pub session_sequence: Vec<i64>,
    /// A [`Partial`] per row; optional.
    pub partial: Vec<u8>,
    /// The network that carried it; optional.
    pub network: Vec<Network>,
    /// Code of the provider's rate class in [`ParsedBatch::classes`] plus one, 0 where absent; optional.
    pub class: Vec<u16>,
    /// Provider's cost in nano-units, [`NO_COST`] where the source gave none; optional.
    pub cost_nano: Vec<i64>,
}

impl ParsedColumns {
    /// The rows at these positions, in this order, of every column that is there.
    #[must_use]
    pub fn kept(&self, positions: &[usize]) -> Self {
        fn of<T: Copy>(column: &[T], positions: &[usize]) -> Vec<T> {
            if column.is_empty() { Vec::new() } else { positions.iter().map(|i| column[*i]).collect() }
        }
        fn texts(column: &Texts, positions: &[usize]) -> Texts {
            let mut kept = Texts::default();
            let there = if column.is_empty() { &[] } else { positions };
            for i in there {
                kept.push(column.get(*i));
            }
            kept
        }
        // Made whole: a column that is added and forgotten here does not compile.
        Self {
            row: of(&self.row, positions),
            offset: of(&self.offset, positions),
            length: of(&self.length, positions),
            key: of(&self.key, positions),
            content: of(&self.content, positions),
            record_id: texts(&self.record_id, positions),
            usage: of(&self.usage, positions),
            a_number: of(&self.a_number, positions),
            b_number: of(&self.b_number, positions),
            imsi: of(&self.imsi, positions),
            iccid: of(&self.iccid, positions),
            start_us: of(&self.start_us, positions),
            offset_s: of(&self.offset_s, positions),
            time_flag: of(&self.time_flag, positions),
            duration_s: of(&self.duration_s, positions),
            bytes_up: of(&self.bytes_up, positions),
            bytes_down: of(&self.bytes_down, positions),
            messages: of(&self.messages, positions),
            session_id: texts(&self.session_id, positions),
            session_sequence: of(&self.session_sequence, positions),
            partial: of(&self.partial, positions),
            network: of(&self.network, positions),
            class: of(&self.class, positions),
            cost_nano: of(&self.cost_nano, positions),
        }
    }
}

/// A row that could not be read: kept whole, so that nothing is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MalformedRow {
    /// Row number in the delivery, from 0.
    pub row: u64,
    /// Where it begins in the delivery, bytes.
    pub offset: u64,
    /// Its bytes, without the line end; cut at the profile's limit.
    pub raw: Vec<u8>,
    /// Its length before that cut.
    pub length: u64,
    /// The first test that failed.
    pub reason: Reason,
    /// The source column that failed, for people.
    pub field: Arc<str>,
    /// Hash of the raw bytes with their occurrence.
    pub key: u128,
}

/// The rows of one byte range of a delivery after parsing.
#[derive(Debug, Clone)]
pub struct ParsedBatch {
    /// The file they come from.
    pub file: Arc<FileContext>,
    /// First row of the range.
    pub first_row: u64,
    /// Rows in the range; INV-2 starts here.
    pub rows_in: u64,
    /// The readable rows.
    pub columns: ParsedColumns,
    /// The others.
    pub malformed: Vec<MalformedRow>,
    /// Rows left out, by the rule's name.
    pub skipped: BTreeMap<String, u64>,
    /// Texts of alphanumeric and masked numbers.
    pub texts: Vec<String>,
    /// The provider's rate classes that [`ParsedColumns::class`] refers to.
    pub classes: Vec<Arc<str>>,
}

impl ParsedBatch {
    /// How many rows were readable.
    pub fn len(&self) -> usize {
        self.columns.row.len()
    }

    /// Whether no row was readable.
    pub fn is_empty(&self) -> bool {
        self.columns.row.is_empty()
    }

    /// The same range with these of its readable rows only, by position; what is said of the range stays as it is.
    #[must_use]
    pub fn with_rows(&self, positions: &[usize]) -> Self {
        Self {
            file: Arc::clone(&self.file),
            first_row: self.first_row,
            rows_in: self.rows_in,
            columns: self.columns.kept(positions),
            malformed: self.malformed.clone(),
            skipped: self.skipped.clone(),
            texts: self.texts.clone(),
            classes: self.classes.clone(),
        }
    }

    /// INV-2 at this stage: every row is readable, malformed or skipped.
    pub fn is_balanced(&self) -> bool {
        self.rows_in == self.len() as u64 + self.malformed.len() as u64 + self.skipped.values().sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_in_order() {
        let mut texts = Texts::default();
        for t in ["a", "", "bc"] {
            texts.push(t);
        }
        assert_eq!((0..texts.len()).map(|i| texts.get(i)).collect::<Vec<_>>(), ["a", "", "bc"]);
    }

    #[test]
    fn rows_that_are_kept_keep_all_that_they_have() {
        let mut columns = ParsedColumns {
            row: vec![4, 5, 6],
            duration_s: vec![40, 50, 60],
            partial: vec![0, 1, 2],
            session_sequence: vec![14, 15, 16],
            ..ParsedColumns::default()
        };
        for id in ["a", "", "c"] {
            columns.session_id.push(id);
        }
        let columns = columns.kept(&[2, 1]);
        assert_eq!((columns.row, columns.duration_s), (vec![6, 5], vec![60, 50]));
        assert_eq!((columns.partial, columns.session_sequence), (vec![2, 1], vec![16, 15]));
        assert_eq!((columns.session_id.get(0), columns.session_id.get(1), columns.session_id.len()), ("c", "", 2));
        assert!(columns.record_id.is_empty() && columns.imsi.is_empty(), "what was absent in all stays absent");
    }
}
