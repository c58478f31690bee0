//! A profile made ready for millions of rows: what to do with each column, without texts to compare or to interpret.

use domain::number::Number;
use domain::usage::{Direction, UsageKind};
use domain::zone::Zone;

use crate::parse::field::Field;

use super::time::TimePattern;

/// A column that the profile names; [`super::Layout`] knows where it stands in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(pub usize);

/// How characters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Utf8,
    Latin1,
}

/// How the file is written.
#[derive(Debug, Clone)]
pub(crate) struct FileForm {
    pub separator: u8,
    pub quote: Option<u8>,
    pub encoding: Encoding,
    pub bom: Bom,
    /// Whether a line names the columns; else `names` and `fields` do.
    pub has_header: bool,
    pub skip_lines: u32,
    pub names: Vec<String>,
    pub fields: usize,
    pub takes_extra_fields: bool,
    pub ignores_blank_lines: bool,
    pub row_bytes_max: usize,
    pub invalid_percent_max: u64,
    pub empty_is_heartbeat: bool,
}

/// Whether a byte order mark opens the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bom {
    Optional,
    Required,
    Absent,
}

/// The line that announces how many rows there are.
#[derive(Debug, Clone)]
pub(crate) struct Trailer {
    pub marker: Vec<u8>,
    pub rows_field: usize,
    pub sum_field: Option<usize>,
}

/// Texts that mean something: those of up to eight bytes as one word each, as kinds and directions nearly always are.
#[derive(Debug, Clone)]
pub(crate) struct Words<T> {
    short: Vec<(u64, T)>,
    long: Vec<(Box<[u8]>, T)>,
}

impl<T: Copy> Words<T> {
    pub fn new(entries: impl IntoIterator<Item = (Vec<u8>, T)>) -> Self {
        let mut words = Self { short: Vec::new(), long: Vec::new() };
        for (text, value) in entries {
            match Field::of(&text).word() {
                Some(word) => words.short.push((word, value)),
                None => words.long.push((text.into(), value)),
            }
        }
        words
    }

    /// What the text of a field means. Fields hold no NUL, so a word of fewer bytes cannot equal a longer one.
    #[inline]
    pub fn get(&self, field: Field<'_>) -> Option<T> {
        match field.word() {
            Some(word) => self.short.iter().find(|e| e.0 == word).map(|e| e.1),
            None => self.long.iter().find(|e| *e.0 == *field.bytes()).map(|e| e.1),
        }
    }
}

/// A value from a map or the same for all.
#[derive(Debug, Clone)]
pub(crate) enum Choice<T> {
    Constant(T),
    Mapped { slot: Slot, words: Words<T>, fallback: Option<T> },
}

/// When a row is left out.
#[derive(Debug, Clone)]
pub(crate) enum SkipTest {
    Equals(Words<()>),
    NotEquals(Words<()>),
    Empty,
}

/// A named rule that leaves rows out.
#[derive(Debug, Clone)]
pub(crate) struct SkipRule {
    pub name: String,
    pub slot: Slot,
    pub test: SkipTest,
}

/// How numbers are written.
#[derive(Debug, Clone)]
pub(crate) struct NumberForm {
    pub country: u64,
    pub country_digits: u32,
    pub national_prefix: Vec<u8>,
    pub international_prefix: Vec<u8>,
    pub national_digits: Option<usize>,
    pub digits_min: u32,
    pub digits_max: u32,
    /// In small letters.
    pub masked_words: Vec<String>,
}

/// One of the two parties.
#[derive(Debug, Clone)]
pub(crate) struct Party {
    pub from: PartySource,
    pub required: bool,
    /// By [`UsageKind`].
    pub not_for: [bool; 4],
    pub short_codes: bool,
    pub alphanumeric: bool,
    pub masked: bool,
}

/// Where a party's number comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PartySource {
    Column(Slot),
    Constant(Number),
}

/// Where the time comes from.
#[derive(Debug, Clone)]
pub(crate) enum TimeSource {
    /// A count since 1970 UTC, and how many microseconds one of it is.
    Epoch { slot: Slot, unit_us: i64 },
    /// A written date and time, in one column or in two.
    Written { first: (Slot, TimePattern), second: Option<(Slot, TimePattern)>, has_offset: bool },
}

/// The unit of durations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DurationUnit {
    Seconds,
    Minutes,
    Clock,
}

/// How durations are read.
#[derive(Debug, Clone)]
pub(crate) struct Duration {
    pub slot: Slot,
    pub unit: DurationUnit,
    pub required: bool,
    pub max_s: u64,
}

/// How volumes are read.
#[derive(Debug, Clone)]
pub(crate) struct Volume {
    pub up: Option<Slot>,
    /// Also the column of both together.
    pub down: Option<Slot>,
    pub unit_bytes: u64,
    pub decimal: u8,
    pub required: bool,
    pub max_bytes: u64,
}

/// How message parts are read.
#[derive(Debug, Clone)]
pub(crate) struct Messages {
    pub slot: Slot,
    pub required: bool,
    pub max: u64,
}

/// How the provider's cost is read.
#[derive(Debug, Clone)]
pub(crate) struct Cost {
    pub slot: Slot,
    /// The column that repeats the currency, and what it must say.
    pub currency: Option<(Slot, Words<()>)>,
    pub decimal: u8,
    pub places_max: usize,
    pub negative: bool,
    pub required: bool,
}

/// How networks are read.
#[derive(Debug, Clone)]
pub(crate) struct NetworkForm {
    pub slot: Slot,
    pub mccmnc: bool,
    pub tadig: bool,
    pub required: bool,
}

/// A column of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub slot: Slot,
    pub required: bool,
}

/// What to do with each row.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub record_id: Option<Slot>,
    pub skip: Vec<SkipRule>,
    pub kind: Choice<UsageKind>,
    pub direction: Choice<Direction>,
    pub numbers: NumberForm,
    pub served: Party,
    pub other: Option<Party>,
    /// By [`Direction`].
    pub swap_for: [bool; 3],
    pub imsi: Option<Column>,
    pub iccid: Option<Column>,
    pub time: TimeSource,
    pub zone: Option<Zone>,
    pub offsets: Vec<i32>,
    pub duration: Option<Duration>,
    pub volume: Option<Volume>,
    pub messages: Option<Messages>,
    pub network: Option<NetworkForm>,
    pub class: Option<Column>,
    pub cost: Option<Cost>,
}
