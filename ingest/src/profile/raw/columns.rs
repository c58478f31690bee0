//! The sections of a profile that say what a column means.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

use super::{RawDirection, RawDurationRounding, RawDurationUnit, RawKind, RawNetworkForm, RawVolumeUnit};

/// A column: its name in the header (or in `file.names`), or its position from 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::profile) enum ColumnRef {
    /// By name.
    Name(String),
    /// By position, from 0.
    Position(u32),
}

impl fmt::Display for ColumnRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Position(position) => write!(f, "column {position}"),
        }
    }
}

struct ColumnRefVisitor;

impl de::Visitor<'_> for ColumnRefVisitor {
    type Value = ColumnRef;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a column's name or its position from 0")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<ColumnRef, E> {
        Ok(ColumnRef::Name(name.to_owned()))
    }

    fn visit_i64<E: de::Error>(self, position: i64) -> Result<ColumnRef, E> {
        let wrong = || E::invalid_value(de::Unexpected::Signed(position), &self);
        u32::try_from(position).map(ColumnRef::Position).map_err(|_| wrong())
    }
}

impl<'de> Deserialize<'de> for ColumnRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ColumnRefVisitor)
    }
}

impl JsonSchema for ColumnRef {
    fn schema_name() -> Cow<'static, str> {
        "Column".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A column: its name in the header (or in `file.names`), or its position from 0.",
            "anyOf": [{ "type": "string", "minLength": 1 }, { "type": "integer", "minimum": 0, "maximum": 4095 }]
        })
    }
}

/// A value that comes from a column through a map, or is the same for all rows: `column` and `map`, or `constant`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, bound = "T: Deserialize<'de>")]
pub(in crate::profile) struct RawChoice<T> {
    /// The column; two sections may read the same one.
    pub column: Option<ColumnRef>,
    /// What each text of the column means; letter case counts.
    #[serde(default)]
    pub map: BTreeMap<String, T>,
    /// What a text that the map lacks means; without it such a row is malformed.
    pub fallback: Option<T>,
    /// The same for all rows.
    pub constant: Option<T>,
}

/// How numbers are written. Spaces, `-`, `.`, `(`, `)` and `(0)` never count.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::profile) struct RawNumbers {
    /// The country of national numbers, without plus sign. Default `31`.
    pub country_code: String,
    /// What opens a national number and gives way to the country code; empty if nothing does. Default `0`.
    pub national_prefix: String,
    /// What opens an international number besides `+`; empty if nothing does. Default `00`.
    pub international_prefix: String,
    /// A bare number of exactly so many digits is a national one that wants the country code; unset if none is.
    pub national_digits: Option<u32>,
    /// Fewest digits of a full number, country code included. Default 8.
    pub digits_min: u32,
    /// Most digits of a full number, country code included. Default 15.
    pub digits_max: u32,
    /// Words that stand for a hidden number where `masked` is allowed; letter case does not count.
    pub masked_words: Vec<String>,
    /// Directions for which the columns of `served` and `other` change places: for a layout with a calling and a called column.
    pub swap_for: Vec<RawDirection>,
}

impl Default for RawNumbers {
    fn default() -> Self {
        Self {
            country_code: "31".to_owned(),
            national_prefix: "0".to_owned(),
            international_prefix: "00".to_owned(),
            national_digits: None,
            digits_min: 8,
            digits_max: 15,
            masked_words: ["anonymous", "anoniem", "private", "unknown", "withheld"].map(str::to_owned).to_vec(),
            swap_for: Vec::new(),
        }
    }
}

/// One of the two parties: `column`, or `constant` where the file has no column for it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent switch of the profile")]
pub(in crate::profile) struct RawParty {
    /// The column.
    pub column: Option<ColumnRef>,
    /// The same number for all rows, as E.164 digits.
    pub constant: Option<String>,
    /// Whether an empty field is malformed (else the number is absent). Default true.
    #[serde(default = "yes")]
    pub required: bool,
    /// Kinds for which the column means nothing; the number is absent there whatever the field says.
    #[serde(default)]
    pub not_for: Vec<RawKind>,
    /// Whether 3 to 7 digits may stand alone. Default false.
    #[serde(default)]
    pub short_codes: bool,
    /// Whether a word of at most 32 characters may stand for a number. Default false.
    #[serde(default)]
    pub alphanumeric: bool,
    /// Whether a hidden number is allowed: one of `masked_words`, or digits with `*`, `x` or `X`. Default false.
    #[serde(default)]
    pub masked: bool,
}

fn yes() -> bool {
    true
}

/// When it began: date and time in one column, or in two.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::profile) struct RawTime {
    /// The column with date and time, or with the date alone.
    pub column: ColumnRef,
    /// `YYYY MM DD HH mm SS` in any order with fixed characters between; then perhaps `.F` (fraction) or `[.F]` (fraction
    /// that may be missing); then perhaps `+hh:mm`, `+hhmm` or `Z` (`Z` or `+hh:mm`). Or `epoch-seconds`, `epoch-milliseconds`.
    pub pattern: String,
    /// The column with the time of day, if it is another one.
    pub clock_column: Option<ColumnRef>,
    /// Its pattern.
    pub clock_pattern: Option<String>,
    /// IANA zone of times without an offset, such as `Europe/Amsterdam`.
    pub zone: Option<String>,
    /// The only offsets that may occur, as `+hh:mm`; empty for any.
    #[serde(default)]
    pub offsets: Vec<String>,
}

/// How long it took.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::profile) struct RawDuration {
    /// The column.
    pub column: ColumnRef,
    /// Default `seconds`.
    #[serde(default = "seconds")]
    pub unit: RawDurationUnit,
    /// What becomes of a part of a second, as the contract says. Left out, a duration that is no whole second is malformed.
    pub rounding: Option<RawDurationRounding>,
    /// The decimal mark, `.` or `,`, of durations that are rounded. Default `.`.
    #[serde(default = "point")]
    #[schemars(length(equal = 1))]
    pub decimal: char,
    /// Whether an empty field is malformed in every row. Default true. With false it is 0 in rows that are not charged by
    /// time; a call without a duration stays malformed.
    #[serde(default = "yes")]
    pub required: bool,
    /// Whether a call with an empty duration lasted 0 seconds, because the source says so. Default false.
    #[serde(default)]
    pub empty_is_zero: bool,
    /// Longest duration in seconds that is believed. Default 2678400 (31 days).
    #[serde(default = "month_s")]
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub max_s: i64,
}

fn seconds() -> RawDurationUnit {
    RawDurationUnit::Seconds
}

fn month_s() -> i64 {
    31 * 86_400
}

/// How much was transferred: `up` and `down`, or `total`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::profile) struct RawVolume {
    /// The column of bytes sent.
    pub up: Option<ColumnRef>,
    /// The column of bytes received.
    pub down: Option<ColumnRef>,
    /// The column of both together, where the source does not tell them apart.
    pub total: Option<ColumnRef>,
    /// Default `bytes`, which are whole; others may have decimals and are rounded half up to a byte.
    #[serde(default = "bytes")]
    pub unit: RawVolumeUnit,
    /// Bytes in a kilobyte: 1000 or 1024. Default 1000.
    #[serde(default = "thousand")]
    pub kilo: u32,
    /// The decimal mark of units above the byte. Default `.`.
    #[serde(default = "point")]
    pub decimal: char,
    /// Whether an empty field is malformed in every row. Default true. With false it is 0 in rows that are not charged by
    /// volume; a data session without any volume stays malformed.
    #[serde(default = "yes")]
    pub required: bool,
    /// Whether a data session with empty volumes moved 0 bytes, because the source says so. Default false.
    #[serde(default)]
    pub empty_is_zero: bool,
    /// Largest volume in bytes that is believed. Default 1125899906842624 (1 PiB).
    #[serde(default = "pebibyte")]
    #[schemars(range(min = 1, max = 4_611_686_018_427_387_903i64))]
    pub max_bytes: i64,
}

fn bytes() -> RawVolumeUnit {
    RawVolumeUnit::Bytes
}

fn thousand() -> u32 {
    1000
}

fn point() -> char {
    '.'
}

fn pebibyte() -> i64 {
    1 << 50
}

/// Message parts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::profile) struct RawMessages {
    /// The column.
    pub column: ColumnRef,
    /// Whether an empty field is malformed (else it is 1). Default true.
    #[serde(default = "yes")]
    pub required: bool,
    /// Most parts that are believed. Default 255.
    #[serde(default = "parts")]
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub max: i64,
}

fn parts() -> i64 {
    255
}

/// The provider's cost: digits, perhaps a decimal mark and more digits; nothing else.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::profile) struct RawCost {
    /// The column.
    pub column: ColumnRef,
    /// ISO 4217 code of all amounts. Default `EUR`.
    #[serde(default = "eur")]
    pub currency: String,
    /// A column that repeats the currency; a row with another one is malformed.
    pub currency_column: Option<ColumnRef>,
    /// The decimal mark, `.` or `,`. Default `.`.
    #[serde(default = "point")]
    pub decimal: char,
    /// Most digits behind the mark, 0 to 9. Default 9.
    #[serde(default = "nine")]
    #[schemars(range(max = 9))]
    pub places_max: u8,
    /// How many of the digits stand behind a mark that is not written, 0 to 9: with 4, `000412` is 0.0412. Default 0, for
    /// amounts as they are written; with it, an amount with a mark is malformed.
    #[serde(default)]
    #[schemars(range(max = 9))]
    pub implied_places: u8,
    /// Whether amounts may have a minus sign. Default false.
    #[serde(default)]
    pub negative: bool,
    /// Whether an empty field is malformed (else the row has no cost). Default true.
    #[serde(default = "yes")]
    pub required: bool,
}

fn eur() -> String {
    "EUR".to_owned()
}

fn nine() -> u8 {
    9
}

/// The network that carried it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::profile) struct RawNetwork {
    /// The column.
    pub column: ColumnRef,
    /// Default `mccmnc`.
    #[serde(default = "mccmnc")]
    pub form: RawNetworkForm,
    /// Whether an empty field is malformed (else the network is unknown). Default true.
    #[serde(default = "yes")]
    pub required: bool,
}

fn mccmnc() -> RawNetworkForm {
    RawNetworkForm::MccMnc
}

/// The provider's rate class: one column, or several that make it together.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::profile) struct RawClass {
    /// The column.
    pub column: ColumnRef,
    /// Columns whose texts follow, each behind a `/`: whether a bundle covered the usage, a time band. Empty ones keep their
    /// place, but none stands at the end: `NAT/BUNDLE`, `NAT`, `/BUNDLE`.
    #[serde(default)]
    pub with: Vec<ColumnRef>,
    /// Whether a class that is empty in all its columns is malformed (else the value is absent). Default true.
    #[serde(default = "yes")]
    pub required: bool,
}

/// A column of its own.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::profile) struct RawColumn {
    /// The column.
    pub column: ColumnRef,
    /// Whether an empty field is malformed (else the value is absent). Default true.
    #[serde(default = "yes")]
    pub required: bool,
}
