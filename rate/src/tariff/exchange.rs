//! Dated rates of exchange: what a unit of another currency is worth in the tariff's.

use std::collections::BTreeMap;

use domain::money::{Currency, Money};

use crate::error::{Place, TariffError};
use crate::tariff::field::bad;

/// Most rows of the table.
pub(super) const RATES_MAX: usize = 200_000;

/// Days that a rate is used at most, where the tariff does not say.
pub(super) const DAYS_MAX: u64 = 7;

/// One in nano-units: a rate times this is what it is written as.
pub(crate) const RATE_ONE: i128 = 1_000_000_000;

/// Largest rate, in nano-units: a million.
const RATE_NANO_MAX: i64 = 1_000_000 * 1_000_000_000;

/// What a unit of a currency is worth from a day on.
#[derive(Debug, Clone)]
pub(crate) struct Rate {
    /// The local day since 1970.
    pub day: i32,
    /// Nano-units of the tariff's currency.
    pub nano: i64,
    pub place: Place,
}

/// Rates by currency.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// Each list by rising day.
    pub rates: BTreeMap<Currency, Vec<Rate>>,
    /// From so many days on a rate is no longer used.
    pub days_max: i32,
}

impl Default for Exchange {
    fn default() -> Self {
        Self::new(DAYS_MAX)
    }
}

impl Exchange {
    /// A table without rates yet.
    pub fn new(days_max: u64) -> Self {
        Self { rates: BTreeMap::new(), days_max: i32::try_from(days_max).unwrap_or(i32::MAX) }
    }

    pub fn add(&mut self, place: Place, own: Currency, [currency, day, rate]: [&str; 3]) -> Result<(), TariffError> {
        let refused = |field: &str, value: &str, expected: &str| Err(bad(&place, field, value, expected));
        let code = match Currency::parse(currency) {
            Some(code) if code != own => code,
            Some(_) => return refused("currency", currency, "another currency than the tariff's is expected"),
            None => return refused("currency", currency, "three capital letters such as USD are expected"),
        };
        let nano = Money::parse(rate).and_then(|rate| i64::try_from(rate.0).ok()).filter(|n| (1..=RATE_NANO_MAX).contains(n));
        let Some(nano) = nano else {
            return refused("rate", rate, "a decimal above 0 is expected, at most 1000000 and 9 places");
        };
        let day = super::calendar::day_of_text(&place, "date", day)?;
        let rates = self.rates.entry(code).or_default();
        match rates.binary_search_by_key(&day, |rate| rate.day) {
            Ok(at) => {
                let (first, what) = (rates[at].place.clone(), format!("the rate of {code} on this day"));
                Err(TariffError::Twice { place, what, first })
            }
            Err(at) => {
                rates.insert(at, Rate { day, nano, place });
                Ok(())
            }
        }
    }

    /// The rate of a currency on a local day: the last one up to it, unless that is too old.
    pub fn find(&self, currency: Currency, day: i32) -> Option<&Rate> {
        let rates = self.rates.get(&currency)?;
        let last = rates.partition_point(|rate| rate.day <= day).checked_sub(1).map(|at| &rates[at])?;
        (day - last.day < self.days_max).then_some(last)
    }
}
