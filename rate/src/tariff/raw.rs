//! A tariff file as it is written: TOML to plain structs, unknown keys refused; nothing is believed yet.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use domain::nearest;
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use toml::Spanned;
use toml::value::Datetime;

use crate::error::{Place, TariffError};

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawTariff {
    pub name: String,
    pub currency: String,
    pub time_zone: String,
    pub valid_from: Datetime,
    pub valid_to: Option<Datetime>,
    pub home_zone: String,
    pub default_band: String,
    pub band_clock: Option<String>,
    pub zero_usage: Option<String>,
    pub rounding_scope: Option<String>,
    pub rounding: RawRounding,
    #[serde(default)]
    pub destinations: RawDestinations,
    #[serde(default)]
    pub networks: RawZones,
    #[serde(default)]
    pub classes: RawZones,
    #[serde(default)]
    pub plans: RawPlans,
    #[serde(default)]
    pub prices: RawPrices,
    #[serde(default)]
    pub calendar: Vec<Spanned<RawCalendar>>,
    #[serde(default)]
    pub band: Vec<Spanned<RawBand>>,
    #[serde(default)]
    pub plan: Vec<Spanned<RawPlan>>,
    #[serde(default)]
    pub price: Vec<Spanned<RawPrice>>,
}

/// `[rounding]`: of the charge of one record.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRounding {
    pub places: i64,
    pub mode: String,
}

/// `[destinations]`: zones of the numbers that are called.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawDestinations {
    pub table: Option<String>,
    #[serde(default)]
    pub prefixes: BTreeMap<String, String>,
    #[serde(default)]
    pub short_codes: BTreeMap<String, String>,
    pub unnumbered: Option<String>,
}

/// `[networks]` and `[classes]`: zones by key.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawZones {
    pub table: Option<String>,
    #[serde(default)]
    pub zones: BTreeMap<String, String>,
}

/// `[plans]`: where they are listed.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPlans {
    pub table: Option<String>,
}

/// `[prices]`: where they are listed, and what the columns are called there.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPrices {
    pub table: Option<String>,
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
}

/// `[[calendar]]`: dates with a name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawCalendar {
    pub name: String,
    #[serde(default)]
    pub dates: Vec<Datetime>,
    pub table: Option<String>,
}

/// `[[band]]`: a window.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawBand {
    pub name: String,
    pub days: OneOrMany,
    pub except: Option<OneOrMany>,
    pub from: String,
    pub to: String,
}

/// `[[plan]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPlan {
    pub name: String,
    pub mb_bytes: Option<i64>,
    pub band_edge: Option<String>,
    pub fallback: Option<String>,
}

/// `[[price]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPrice {
    pub plan: OneOrMany,
    pub kind: OneOrMany,
    pub zone: OneOrMany,
    pub band: Option<OneOrMany>,
    pub setup: Option<String>,
    pub disconnect: Option<String>,
    pub free_units: Option<i64>,
    pub minimum: Option<i64>,
    pub increment: Option<i64>,
    pub unit_price: Option<String>,
    pub per: Option<i64>,
    pub charge_min: Option<String>,
    pub charge_max: Option<String>,
    pub zero_usage: Option<String>,
    pub rounding_scope: Option<String>,
    pub steps: Option<Vec<RawStep>>,
    pub cost_plus: Option<RawCostPlus>,
}

/// One element of `steps`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawStep {
    pub from: i64,
    pub increment: i64,
    pub unit_price: String,
}

/// `cost_plus`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawCostPlus {
    pub percent: String,
    pub fixed: Option<String>,
}

/// A text or a list of texts: `"NL-FIX"` or `["NL-FIX", "NL-MOB"]`.
pub(crate) struct OneOrMany(pub Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;

        impl<'de> Visitor<'de> for Texts {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(OneOrMany(texts))
            }
        }

        deserializer.deserialize_any(Texts)
    }
}

/// The text of the tariff file with what is needed to name a place in it.
pub(crate) struct TomlFile<'t> {
    pub name: Arc<str>,
    pub text: &'t str,
}

impl TomlFile<'_> {
    /// Reads the file; the error names the line and, for a key that does not exist, the nearest that does.
    pub fn read(&self) -> Result<RawTariff, TariffError> {
        toml::from_str(self.text).map_err(|error| {
            let place = Place { line: error.span().map(|span| self.line(span.start)), ..self.whole() };
            let message = error.message();
            if let Some(rest) = message.strip_prefix("unknown field ") {
                return unknown_key(place, rest);
            }
            let line = error.span().and_then(|span| self.line_at(span.start));
            let problem = line.and_then(|line| quoting(message, line));
            let problem = problem.unwrap_or_else(|| message.lines().collect::<Vec<_>>().join(": "));
            TariffError::Unreadable { place, problem }
        })
    }

    /// The file without a line.
    pub fn whole(&self) -> Place {
        Place { file: self.name.clone(), line: None }
    }

    /// Where an element of a list begins.
    pub fn place<T>(&self, spanned: &Spanned<T>) -> Place {
        Place { line: Some(self.line(spanned.span().start)), ..self.whole() }
    }

    fn line_at(&self, offset: usize) -> Option<&str> {
        let (before, behind) = self.text.split_at_checked(offset)?;
        let begin = before.rfind('\n').map_or(0, |end| end + 1);
        self.text.get(begin..offset + behind.find('\n').unwrap_or(behind.len()))
    }

    fn line(&self, offset: usize) -> u64 {
        let before = self.text.as_bytes().iter().take(offset);
        1 + before.filter(|byte| **byte == b'\n').count() as u64
    }
}

/// What to write where a value wants quotes and has none, or has them and wants none: the slips that are made most.
fn quoting(message: &str, line: &str) -> Option<String> {
    let (key, value) = line.split_once('=')?;
    let (key, value) = (key.trim(), value.split('#').next().unwrap_or_default().trim());
    let is_plain = !key.is_empty() && key.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.'));
    if !is_plain || value.is_empty() || value.len() > 60 || value.contains(['{', '[']) {
        return None;
    }
    if message.contains("expected a TOML datetime") && value.starts_with('"') {
        return Some(format!("`{key}` is a text; write the date without quotes: {key} = {}", value.trim_matches('"')));
    }
    let wants_text = message.starts_with("invalid type: ") && (message.contains("a string") || message.contains("a text"));
    (wants_text && !value.starts_with(['"', '\'']))
        .then(|| format!("`{key}` is {value}; write it in quotes: {key} = \"{value}\""))
}

/// `message` is what follows "unknown field": `` `nmae`, expected one of `name`, `currency` ``.
fn unknown_key(place: Place, message: &str) -> TariffError {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let key = quoted.next().unwrap_or_default().to_owned();
    let known: Vec<&str> = quoted.collect();
    let mut hint = nearest::hint(&key, known.iter().copied());
    if hint.is_empty() {
        hint = format!("; known here: {}", known.join(", "));
    }
    TariffError::UnknownKey { place, what: "key", key, hint }
}
