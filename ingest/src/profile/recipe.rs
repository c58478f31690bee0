//! A profile made ready for millions of rows: what to do with each column, without texts to compare or to interpret.

use domain::columns::parsed::Partial;
use domain::number::Number;
use domain::usage::{Direction, UsageKind};
use domain::zone::Zone;

use crate::parse::field::Field;
use crate::records::fixed_width::{FixedWidth, Span};
use crate::records::json::JsonForm;
use crate::records::xml::XmlForm;
use crate::tap3;

use super::charset::Encoding;
use super::time::TimePattern;

/// A column that the profile names; [`super::Layout`] knows where it stands in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(pub usize);

/// How the file is written.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent switch of the profile")]
pub(crate) struct FileForm {
    pub is_delimited: bool,
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

/// How records and their fields are found.
#[derive(Debug, Clone)]
pub(crate) enum Reader {
    /// Lines with separators.
    Delimited,
    /// Lines with columns at fixed places.
    FixedWidth(FixedWidth),
    /// Lines that are JSON objects.
    JsonLines(JsonForm),
    /// JSON objects in an array.
    JsonArray(JsonForm),
    /// XML elements.
    Xml(XmlForm),
    /// GSMA TAP3, which means what it says.
    Tap3(Tap3Form),
}

/// What is taken from TAP3 files.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tap3Form {
    pub rules: tap3::Rules,
    pub file_bytes_max: u64,
}

/// The line that announces how many rows there are.
#[derive(Debug, Clone)]
pub(crate) struct Trailer {
    pub marker: Vec<u8>,
    pub rows: TrailerPlace,
    pub sum: Option<TrailerPlace>,
}

/// Where a figure stands in the trailer, or in a line before the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TrailerPlace {
    /// In the field of this position.
    Field(usize),
    /// At this place of a line of fixed width.
    Span(Span),
}

impl std::fmt::Display for TrailerPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Field(field) => write!(f, "field {field}"),
            Self::Span(span) => write!(f, "characters {} to {}", span.from + 1, span.to),
        }
    }
}

/// Texts that mean something. Those of up to eight bytes, as kinds and directions nearly always are, are words in a table
/// without collisions: one multiplication finds the only place where a word can be.
#[derive(Debug, Clone)]
pub(crate) struct Words<T> {
    multiplier: u64,
    shift: u32,
    table: Vec<(u64, Option<T>)>,
    long: Vec<(Box<[u8]>, T)>,
}

impl<T: Copy> Words<T> {
    /// Later entries of the same text replace earlier ones.
    pub fn new(entries: impl IntoIterator<Item = (Vec<u8>, T)>) -> Self {
        let (mut short, mut long) = (Vec::new(), Vec::new());
        for (text, value) in entries {
            if let Some(word) = Field::of(&text).word() {
                short.retain(|(w, _)| *w != word);
                short.push((word, value));
            } else {
                long.push((text.into(), value));
            }
        }
        let mut words = Self { multiplier: 0x9e37_79b9_7f4a_7c15, shift: 64 - 4, table: Vec::new(), long };
        let mut tries = 0u32;
        while !words.fill(&short) {
            // Another odd multiplier; after a while a larger table, in which one is found sooner.
            words.multiplier = words.multiplier.wrapping_mul(0xd134_2543_de82_ef95) | 1;
            tries += 1;
            words.shift = 64 - 4 - (tries / 64).min(16);
        }
        words
    }

    /// Puts all words in their places, if no two have the same.
    fn fill(&mut self, short: &[(u64, T)]) -> bool {
        self.table = vec![(0, None); 1 << (64 - self.shift)];
        for (word, value) in short {
            let place = self.place(*word);
            if self.table[place].1.is_some() {
                return false;
            }
            self.table[place] = (*word, Some(*value));
        }
        true
    }

    #[inline]
    fn place(&self, word: u64) -> usize {
        usize::try_from(word.wrapping_mul(self.multiplier) >> self.shift).unwrap_or(0)
    }

    /// What the text of a field means. Fields hold no NUL, so a word of fewer bytes cannot equal a longer one.
    #[inline]
    pub fn get(&self, field: Field<'_>) -> Option<T> {
        let Some(word) = field.word() else { return self.get_long(field) };
        let (found, value) = self.table[self.place(word)];
        if found == word { value } else { None }
    }

    #[cold]
    fn get_long(&self, field: Field<'_>) -> Option<T> {
        self.long.iter().find(|e| *e.0 == *field.bytes()).map(|e| e.1)
    }
}

/// Digits that may open a number, as a word to compare with its first bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prefix {
    word: u64,
    mask: u64,
    pub length: usize,
}

impl Prefix {
    /// A prefix of at most eight characters; an empty one opens nothing.
    pub fn new(text: &str) -> Self {
        let word = Field::of(text.as_bytes()).word().unwrap_or(0);
        let mask = if text.is_empty() { 0 } else { u64::MAX >> (64 - 8 * text.len().min(8)) };
        Self { word, mask, length: text.len() }
    }

    /// Whether a field whose first eight bytes are `word` begins with it. What follows a short field is no digit.
    #[inline]
    pub fn opens(&self, word: u64) -> bool {
        self.mask != 0 && word & self.mask == self.word
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
    /// The field is a path that lies in none of these.
    NotWithin(Branches),
}

/// Branches of a tree that a path may lie in: itself, or what is below it.
#[derive(Debug, Clone)]
pub(crate) struct Branches {
    pub paths: Vec<Box<[u8]>>,
    /// What stands between two levels of a path.
    pub level_mark: u8,
}

impl Branches {
    /// Whether a path is one of the branches or below one.
    pub fn hold(&self, path: &[u8]) -> bool {
        self.paths.iter().any(|branch| {
            path.strip_prefix(&**branch).is_some_and(|below| below.first().is_none_or(|mark| *mark == self.level_mark))
        })
    }
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
    pub country_digits: usize,
    pub national_prefix: Prefix,
    pub international_prefix: Prefix,
    /// A length that no number has, if bare numbers are never national.
    pub national_digits: usize,
    pub digits_min: usize,
    pub digits_max: usize,
    /// In small letters.
    pub masked_words: Vec<String>,
}

/// One of the two parties.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent switch of the profile")]
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
#[expect(clippy::large_enum_variant, reason = "a profile has one, and every row looks into it")]
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
    Milliseconds,
    Clock,
}

/// What becomes of a part of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DurationRounding {
    Up,
    Down,
    HalfUp,
}

/// How durations are read.
#[derive(Debug, Clone)]
pub(crate) struct Duration {
    pub slot: Slot,
    pub unit: DurationUnit,
    /// `None`: whole seconds alone are read.
    pub rounding: Option<DurationRounding>,
    pub decimal: u8,
    pub required: bool,
    /// Whether a call may have none.
    pub empty_is_zero: bool,
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
    /// Whether a data session may have none.
    pub empty_is_zero: bool,
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
    /// Digits behind a mark that is not written.
    pub implied_places: usize,
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

/// How rate classes are read.
#[derive(Debug, Clone)]
pub(crate) struct ClassForm {
    pub slot: Slot,
    /// Columns whose texts follow.
    pub with: Vec<Slot>,
    pub required: bool,
}

/// Which session a record is of.
#[derive(Debug, Clone)]
pub(crate) struct SessionForm {
    pub id: Slot,
    pub sequence: Option<Slot>,
    /// What the texts of a column mean; any other is a whole session.
    pub partial: Option<(Slot, Words<Partial>)>,
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
    pub class: Option<ClassForm>,
    pub cost: Option<Cost>,
    pub session: Option<SessionForm>,
}
