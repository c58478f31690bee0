//! What service numbers ask themselves, beside the traffic: dated rows by the whole number.

use std::collections::HashMap;

use domain::number::Number;

use crate::error::{Place, TariffError};
use crate::tariff::days::Days;
use crate::tariff::deck::ROWS_OF_KEY_MAX;
use crate::tariff::field::{amount, bad};

/// Most rows of the list.
pub(super) const NUMBERS_MAX: usize = 200_000;

/// Longest number, without its `+`.
const DIGITS_MAX: usize = 15;

/// Longest short code that sources are read with.
const SHORT_MAX: u32 = 7;

/// What a number asks while a row holds, nano-units.
#[derive(Debug)]
pub(crate) struct Asked {
    /// As written: `+31900…` or a short code.
    pub number: Box<str>,
    pub key: Number,
    pub days: Days,
    /// Once per record.
    pub per_call_nano: u64,
    /// Per minute of the call, by the second.
    pub per_minute_nano: u64,
    pub place: Place,
}

/// The list.
#[derive(Debug, Default)]
pub(crate) struct Information {
    pub rows: Vec<Asked>,
    by_number: HashMap<Number, Vec<u32>>,
}

impl Information {
    pub fn add(&mut self, place: Place, [number, call, minute]: [&str; 3], days: Days) -> Result<(), TariffError> {
        let key = key(&place, number)?;
        let rows = self.by_number.entry(key).or_default();
        if let Some(first) = rows.iter().map(|row| &self.rows[*row as usize]).find(|row| row.days.meets(days)) {
            let (first, what) = (first.place.clone(), format!("number `{number}` on these days"));
            return Err(TariffError::Twice { place, what, first });
        }
        if rows.len() == ROWS_OF_KEY_MAX {
            return Err(TariffError::TooMany { place, what: "rows of one key", limit: ROWS_OF_KEY_MAX });
        }
        rows.push(u32::try_from(self.rows.len()).expect("a list has at most 200,000 rows"));
        let nano = |field: &str, text: &str| if text.is_empty() { Ok(0) } else { amount(&place, field, text) };
        let (per_call_nano, per_minute_nano) = (nano("per_call", call)?, nano("per_minute", minute)?);
        if call.is_empty() && minute.is_empty() {
            return Err(bad(&place, "per_call", "", "an amount per call, per minute or both is expected; 0 for a free number"));
        }
        self.rows.push(Asked { number: number.into(), key, days, per_call_nano, per_minute_nano, place });
        Ok(())
    }

    /// What a number asks on a local day.
    pub fn find(&self, number: Number, day: i32) -> Option<&Asked> {
        let rows = self.by_number.get(&number)?.iter().map(|row| &self.rows[*row as usize]);
        rows.into_iter().find(|row| row.days.holds(day))
    }
}

/// `+` and digits for an international number, digits alone for a short code.
fn key(place: &Place, text: &str) -> Result<Number, TariffError> {
    let (digits, is_international) = text.strip_prefix('+').map_or((text, false), |digits| (digits, true));
    let is_plain = !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit());
    let length = u32::try_from(digits.len()).ok().filter(|_| is_plain && digits.len() <= DIGITS_MAX);
    match (digits.parse().ok().zip(length), is_international) {
        (Some((value, length)), true) if !digits.starts_with('0') => Ok(Number::e164(value, length)),
        (Some((value, length)), false) if length <= SHORT_MAX => Ok(Number::short_code(value, length)),
        _ => {
            let expected = "a whole number is expected: + and digits for an international one, at most 7 digits for a short code";
            Err(bad(place, "number", text, expected))
        }
    }
}
