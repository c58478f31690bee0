//! Rates of exchange: what a unit of another currency is worth in the tariff's on a day.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use num_rational::BigRational;

/// How many days a rate is used at most, where the tariff does not say.
const DAYS_MAX: i32 = 7;

/// The rates of a tariff, by currency and the day from which on they are used.
#[derive(Debug)]
pub(crate) struct Rates {
    days_max: i32,
    of: HashMap<String, BTreeMap<Date, BigRational>>,
}

impl Rates {
    pub fn new(days_max: Option<i32>) -> Self {
        Self { days_max: days_max.unwrap_or(DAYS_MAX), of: HashMap::new() }
    }

    pub fn insert(&mut self, currency: String, date: Date, rate: BigRational) {
        self.of.entry(currency).or_default().insert(date, rate);
    }

    /// The last rate of a currency up to a day, unless it is too old by then.
    pub fn on(&self, currency: &str, day: Date) -> Option<&BigRational> {
        let (date, rate) = self.of.get(currency)?.range(..=day).next_back()?;
        ((day - *date).get_days() < self.days_max).then_some(rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::whole;
    use jiff::civil::date;

    #[test]
    fn the_last_rate_holds_until_it_is_too_old() {
        let mut rates = Rates::new(None);
        for (day, rate) in [(date(2026, 2, 26), 2), (date(2026, 2, 27), 3), (date(2026, 3, 12), 4)] {
            rates.insert("USD".to_owned(), day, whole(rate));
        }
        let on = |month, day| rates.on("USD", date(2026, month, day)).cloned();
        let days = [(2, 25), (2, 26), (2, 27), (3, 1), (3, 5), (3, 6), (3, 11), (3, 12)].map(|(month, day)| on(month, day));
        let expected = [None, Some(2), Some(3), Some(3), Some(3), None, None, Some(4)];
        assert_eq!(days, expected.map(|rate| rate.map(whole)));
        assert_eq!(rates.on("GBP", date(2026, 3, 1)), None);
    }

    #[test]
    fn a_tariff_says_for_how_long_a_rate_is_used() {
        let mut rates = Rates::new(Some(1));
        rates.insert("USD".to_owned(), date(2026, 2, 28), whole(2));
        assert_eq!(rates.on("USD", date(2026, 2, 28)), Some(&whole(2)));
        assert_eq!(rates.on("USD", date(2026, 3, 1)), None);
    }
}
