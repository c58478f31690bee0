//! Fields of a record that a person knows better than its source: read and checked as a source's are, and put into parsed rows.
//!
//! A field goes by its column's name and its text is what the table shows, so that what was decided reads the same in a decision,
//! on a screen and in a query.

mod apply;

use std::collections::BTreeMap;
use std::fmt;

use domain::columns::parsed::NO_COST;
use domain::money::{Currency, Money};
use domain::nearest;
use domain::number::{Network, NumberKind, mask_digits};
use domain::usage::Usage;
use domain::zone::SECOND_US;
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

use super::field::Field;
use super::{amount, dialled, time};

pub use self::apply::Misfit;

/// Longest rate class that is taken, in bytes.
const CLASS_BYTES_MAX: usize = 128;

/// The limits of a source's fields, where its profile sets no others.
const DURATION_MAX_S: i32 = 31 * 86_400;
const VOLUME_MAX_BYTES: i64 = 1 << 50;
const PARTS_MAX: i32 = 255;

/// A row's cost must fit a column of 18 digits, nine of them behind the point.
const COST_MAX: Money = Money(1_000_000_000 * domain::money::NANO);

/// The instants that a record may have, in seconds: 1970 to 2100, as tables of time zones reach.
const COVERED_S: std::ops::Range<i64> = 0..4_102_444_800;

/// A field with what a record is to have in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldEdit {
    /// The served party: an international number as one integer and how many digits it has, or nobody.
    ANumber(Option<(u64, u32)>),
    /// The other party, with what kind of number it is and its text.
    BNumber(NumberKind, String),
    /// Bytes received.
    BytesDown(i64),
    /// Bytes sent.
    BytesUp(i64),
    /// The provider's cost in nano-units; [`NO_COST`] for none.
    Cost(i64),
    /// Its currency.
    CostCurrency(Currency),
    /// Seconds.
    DurationS(i32),
    /// The card, as its first 19 digits; 0 for none.
    Iccid(u64),
    /// The subscription on the SIM; 0 for none.
    Imsi(u64),
    /// Kind and direction.
    Kind(Usage),
    /// Parts of a message.
    Messages(i32),
    /// The network that carried it, or none.
    Network(Network),
    /// The provider's rate class; empty for none.
    ProviderClass(String),
    /// When it began, microseconds since 1970 UTC, and the source's clock in seconds east of UTC.
    Start(i64, i32),
}

/// Fields by name, each once; one at least.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct FieldEdits(Vec<FieldEdit>);

/// Why a field cannot be set so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// There is no such field.
    #[error("`{field}` is no field that can be set: there are {}{hint}", fields().join(", "))]
    Unknown {
        /// As it was named.
        field: String,
        /// The nearest name, if one is near.
        hint: String,
    },
    /// The field has no such values.
    #[error("`{field}` cannot be `{text}`: give {expected}")]
    Value {
        /// The field.
        field: &'static str,
        /// What it was to be; digits of numbers are hidden.
        text: String,
        /// What it may be.
        expected: &'static str,
    },
    /// The field is there twice.
    #[error("`{0}` is set twice: set it once")]
    Twice(&'static str),
    /// A cost that is emptied has a currency.
    #[error("`cost_currency` has no meaning without a cost: leave out one of `cost=` and `cost_currency`")]
    NoCost,
    /// No field is named.
    #[error("no field is set: name one as FIELD=VALUE")]
    Nothing,
}

/// A field: its name, what it takes, and how that is read.
struct Known(&'static str, &'static str, fn(&str) -> Option<FieldEdit>);

const KNOWN: [Known; 14] = [
    Known("a_number", "the number with its country, such as 31612345678, or nothing for none", |text| match party(text)? {
        (NumberKind::Absent, _) => Some(FieldEdit::ANumber(None)),
        (NumberKind::E164, digits) => {
            let served = (8..=15).contains(&digits.len()).then_some(digits)?;
            Some(FieldEdit::ANumber(Some((served.parse().ok()?, u32::try_from(served.len()).ok()?))))
        }
        _ => None,
    }),
    Known(
        "b_number",
        "a number with its country, such as 31201234567, a short code of 3 to 7 digits, a word, or nothing for none",
        |text| party(text).map(|(kind, text)| FieldEdit::BNumber(kind, text)),
    ),
    Known("bytes_down", "a whole number of bytes, up to 1 PiB", |text| {
        natural(text).filter(|n| *n <= VOLUME_MAX_BYTES).map(FieldEdit::BytesDown)
    }),
    Known("bytes_up", "a whole number of bytes, up to 1 PiB", |text| {
        natural(text).filter(|n| *n <= VOLUME_MAX_BYTES).map(FieldEdit::BytesUp)
    }),
    Known("cost", "a decimal such as 0.125 below 1000000000, with a point and at most 9 places, or nothing for none", |text| {
        if text.is_empty() {
            return Some(FieldEdit::Cost(NO_COST));
        }
        let cost = Money::parse(text).filter(|cost| cost.0.abs() < COST_MAX.0)?;
        i64::try_from(cost.0).ok().map(FieldEdit::Cost)
    }),
    Known("cost_currency", "three capital letters, such as EUR", |text| Currency::parse(text).map(FieldEdit::CostCurrency)),
    Known("duration_s", "a whole number of seconds, up to 2678400 (31 days)", |text| {
        let seconds = natural(text).and_then(|n| i32::try_from(n).ok())?;
        (seconds <= DURATION_MAX_S).then_some(FieldEdit::DurationS(seconds))
    }),
    Known("iccid", "18 to 20 digits, or nothing for none", |text| {
        let card = if text.is_empty() { Some(0) } else { amount::iccid(Field::of(text.as_bytes())) };
        card.map(FieldEdit::Iccid)
    }),
    Known("imsi", "14 or 15 digits, or nothing for none", |text| {
        let subscription = if text.is_empty() { Some(0) } else { amount::imsi(Field::of(text.as_bytes())) };
        subscription.map(FieldEdit::Imsi)
    }),
    Known("kind", "voice, sms or mms with -mo, -mt or -fwd, such as voice-mo, or data", |text| {
        Usage::parse(text).map(FieldEdit::Kind)
    }),
    Known("messages", "a whole number of parts, 1 to 255", |text| {
        let parts = natural(text).and_then(|n| i32::try_from(n).ok())?;
        (1..=PARTS_MAX).contains(&parts).then_some(FieldEdit::Messages(parts))
    }),
    Known("network", "an MCC-MNC such as 20408, a TADIG code such as NLDPT, or nothing for none", |text| {
        let network = if text.is_empty() { Some(Network::ABSENT) } else { Network::parse(text) };
        network.map(FieldEdit::Network)
    }),
    Known("provider_class", "a text of at most 128 bytes, or nothing for none", |text| {
        let is_text = text.len() <= CLASS_BYTES_MAX && !text.chars().any(char::is_control);
        is_text.then(|| FieldEdit::ProviderClass(text.to_owned()))
    }),
    Known("start", "an instant with the offset of its clock, such as 2026-10-01T09:30:00+02:00, or Z for UTC", start),
];

/// The names of all fields that can be set.
pub fn fields() -> [&'static str; 14] {
    KNOWN.map(|known| known.0)
}

/// Digits alone.
fn natural(text: &str) -> Option<i64> {
    let digits = Some(text).filter(|text| text.bytes().all(|c| c.is_ascii_digit()));
    digits.and_then(|text| text.parse().ok())
}

/// A number whose country is written: one that reads otherwise in another country lacks it.
fn party(text: &str) -> Option<(NumberKind, String)> {
    let read = |country: &str| dialled::read(text, country).ok().flatten();
    let (here, there) = (read("31")?, read("44")?);
    let is_text = !here.text.chars().any(char::is_control);
    (is_text && here == there).then_some((here.kind, here.text))
}

fn start(text: &str) -> Option<FieldEdit> {
    let (us, offset_s) = time::read_instant(text)?;
    COVERED_S.contains(&us.div_euclid(SECOND_US)).then_some(FieldEdit::Start(us, offset_s))
}

impl FieldEdit {
    /// Reads a field's text.
    pub fn read(field: &str, text: &str) -> Result<Self, EditError> {
        let Some(Known(field, expected, read)) = KNOWN.iter().find(|known| known.0 == field) else {
            let hint = nearest::hint(field, fields());
            return Err(EditError::Unknown { field: field.to_owned(), hint });
        };
        read(text.trim()).ok_or_else(|| EditError::Value { field, text: mask_digits(text), expected })
    }

    /// The field's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ANumber(_) => "a_number",
            Self::BNumber(..) => "b_number",
            Self::BytesDown(_) => "bytes_down",
            Self::BytesUp(_) => "bytes_up",
            Self::Cost(_) => "cost",
            Self::CostCurrency(_) => "cost_currency",
            Self::DurationS(_) => "duration_s",
            Self::Iccid(_) => "iccid",
            Self::Imsi(_) => "imsi",
            Self::Kind(_) => "kind",
            Self::Messages(_) => "messages",
            Self::Network(_) => "network",
            Self::ProviderClass(_) => "provider_class",
            Self::Start(..) => "start",
        }
    }
}

/// As it is read; nothing where it is emptied.
impl fmt::Display for FieldEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ANumber(None) | Self::Imsi(0) | Self::Iccid(0) | Self::Cost(NO_COST) => Ok(()),
            Self::ANumber(Some((digits, _))) | Self::Iccid(digits) => digits.fmt(f),
            Self::BNumber(_, text) | Self::ProviderClass(text) => f.write_str(text),
            Self::BytesDown(bytes) | Self::BytesUp(bytes) => bytes.fmt(f),
            Self::Cost(nano) => Money(i128::from(*nano)).fmt(f),
            Self::CostCurrency(currency) => currency.fmt(f),
            // A test network's begins with zeros.
            Self::Imsi(digits) => write!(f, "{digits:015}"),
            Self::DurationS(count) | Self::Messages(count) => count.fmt(f),
            Self::Kind(usage) => f.write_str(usage.as_str()),
            Self::Network(network) => network.fmt(f),
            Self::Start(us, offset_s) => {
                let instant = Timestamp::from_microsecond(*us).map_err(|_| fmt::Error)?;
                instant.display_with_offset(Offset::from_seconds(*offset_s).map_err(|_| fmt::Error)?).fmt(f)
            }
        }
    }
}

impl FieldEdits {
    /// Reads names with their texts.
    pub fn read<'t>(fields: impl IntoIterator<Item = (&'t str, &'t str)>) -> Result<Self, EditError> {
        let edits = fields.into_iter().map(|(field, text)| FieldEdit::read(field, text));
        let mut edits = edits.collect::<Result<Vec<FieldEdit>, _>>()?;
        edits.sort_by_key(FieldEdit::name);
        if let Some(twice) = edits.windows(2).find(|pair| pair[0].name() == pair[1].name()) {
            return Err(EditError::Twice(twice[0].name()));
        }
        let has = |wanted: fn(&FieldEdit) -> bool| edits.iter().any(wanted);
        if has(|edit| *edit == FieldEdit::Cost(NO_COST)) && has(|edit| matches!(edit, FieldEdit::CostCurrency(_))) {
            return Err(EditError::NoCost);
        }
        if edits.is_empty() { Err(EditError::Nothing) } else { Ok(Self(edits)) }
    }

    /// The fields in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &FieldEdit> {
        self.0.iter()
    }
}

impl TryFrom<BTreeMap<String, String>> for FieldEdits {
    type Error = EditError;

    fn try_from(fields: BTreeMap<String, String>) -> Result<Self, EditError> {
        Self::read(fields.iter().map(|(field, text)| (field.as_str(), text.as_str())))
    }
}

impl From<FieldEdits> for BTreeMap<String, String> {
    fn from(edits: FieldEdits) -> Self {
        edits.iter().map(|edit| (edit.name().to_owned(), edit.to_string())).collect()
    }
}

#[cfg(test)]
mod tests;
