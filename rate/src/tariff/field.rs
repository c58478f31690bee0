//! Single values of a tariff, checked: each refusal names place, field, value and what is expected.

use std::ops::RangeInclusive;

use domain::ids::check_id;
use domain::money::Money;
use domain::zone::{Local, SECOND_US, Zone, days_of};
use toml::value::Datetime;

use crate::error::{Place, TariffError};
use crate::levels::{LEVELS_MAX, SELL};

/// Largest setup fee, price per unit and fixed part: a million units of the currency, in nano-units.
pub(super) const AMOUNT_NANO_MAX: u64 = 1_000_000 * 1_000_000_000;

/// Largest minimum, increment, step and unit size: 10¹² seconds, bytes or messages.
pub(super) const UNITS_MAX: u64 = 1_000_000_000_000;

/// A refusal of `value`.
pub(super) fn bad(place: &Place, field: &str, value: impl ToString, expected: impl Into<String>) -> TariffError {
    TariffError::BadValue { place: place.clone(), field: field.to_owned(), value: value.to_string(), expected: expected.into() }
}

/// A name: 1 to 64 letters, digits and `. _ - @ : +`.
pub(super) fn name(place: &Place, field: &str, value: &str) -> Result<(), TariffError> {
    check_id(value).map_err(|error| bad(place, field, value, format!("{error}; give it a plain name")))
}

/// Checks the name of a plan: a plain one, or behind `sell:` an owner path of plain ones.
pub(super) fn plan_name(place: &Place, value: &str) -> Result<(), TariffError> {
    let Some(path) = value.strip_prefix(SELL) else { return name(place, "plan", value) };
    if path.split('/').count() > LEVELS_MAX {
        return Err(bad(
            place,
            "plan",
            value,
            format!("an owner path of at most {LEVELS_MAX} levels is expected behind `{SELL}`"),
        ));
    }
    path.split('/').try_for_each(|level| name(place, "plan", level))
}

/// A whole number within limits.
pub(super) fn whole(place: &Place, field: &str, value: &str, range: RangeInclusive<u64>) -> Result<u64, TariffError> {
    let is_plain = !value.is_empty() && value.bytes().all(|c| c.is_ascii_digit());
    let parsed = value.parse::<u64>().ok().filter(|v| is_plain && range.contains(v));
    parsed
        .ok_or_else(|| bad(place, field, value, format!("a whole number from {} to {} is expected", range.start(), range.end())))
}

/// An amount that is not negative and within [`AMOUNT_NANO_MAX`], in nano-units.
pub(super) fn amount(place: &Place, field: &str, value: &str) -> Result<u64, TariffError> {
    let nano = Money::parse(value).and_then(|money| u64::try_from(money.0).ok()).filter(|nano| *nano <= AMOUNT_NANO_MAX);
    nano.ok_or_else(|| bad(place, field, value, "an amount such as \"0.05\" is expected, 0 to 1000000, at most 9 places"))
}

/// A percentage from -100 to 10000 in nano-percent.
pub(super) fn percent(place: &Place, field: &str, value: &str) -> Result<i64, TariffError> {
    let range = -100_000_000_000..=10_000_000_000_000i64;
    let nano = Money::parse(value).and_then(|money| i64::try_from(money.0).ok()).filter(|nano| range.contains(nano));
    nano.ok_or_else(|| bad(place, field, value, "a percentage such as \"15\" or \"7.5\" is expected, -100 to 10000"))
}

/// Local midnight of a date, as an instant: the first instant of the day where a clock change skips midnight.
pub(super) fn midnight(place: &Place, field: &str, date: &Datetime, zone: &Zone) -> Result<i64, TariffError> {
    let expected = "a date such as 2026-01-01 is expected, from 1970 to 2099";
    let days = match (date.date, date.time, date.offset) {
        (Some(d), None, None) if (1970..2100).contains(&d.year) => {
            days_of(i32::from(d.year), u32::from(d.month), u32::from(d.day))
        }
        _ => None,
    };
    let local_us = i64::from(days.ok_or_else(|| bad(place, field, date, expected))?) * 86_400 * SECOND_US;
    let offset_s = match zone.resolve(local_us) {
        Local::Unique { offset_s } => offset_s,
        Local::Repeated { first_s, .. } => first_s,
        // The offset before the change carries midnight to the instant of the change itself.
        Local::Missing => zone.offset_at(local_us - 86_400 * SECOND_US),
    };
    Ok(local_us - i64::from(offset_s) * SECOND_US)
}
