//! Months and billing cycles: which period of a customer an instant falls into.

use std::fmt;

use crate::zone::{SECOND_US, Zone, date_of};

const DAY_US: i64 = 86_400 * SECOND_US;

/// A calendar month, as months since year 0: the event month of tables and the name of a cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

impl Month {
    /// Month 1 to 12 of a year.
    pub fn new(year: i32, month: u32) -> Option<Self> {
        ((1..=12).contains(&month) && (0..=9999).contains(&year)).then(|| Self(year * 12 + month.cast_signed() - 1))
    }

    /// Reads `2026-10`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        if year.len() != 4 || month.len() != 2 {
            return None;
        }
        Self::new(year.parse().ok()?, month.parse().ok()?)
    }

    /// The month of a local or UTC count of microseconds.
    #[inline]
    pub fn of(clock_us: i64) -> Self {
        let days = i32::try_from(clock_us.div_euclid(DAY_US)).unwrap_or(i32::MAX);
        let (year, month, _) = date_of(days);
        Self(year * 12 + month.cast_signed() - 1)
    }

    /// Months since year 0.
    pub fn number(self) -> i32 {
        self.0
    }

    /// The month from its number.
    pub fn from_number(number: i32) -> Self {
        Self(number)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

/// The day of the month on which a customer's cycle begins, 1 to 31, clamped to the month's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct CycleDay(u8);

impl CycleDay {
    /// The first of the month.
    pub const FIRST: Self = Self(1);

    /// The billing period that contains an instant: the month in which the cycle began, by the customer's clock.
    #[inline]
    pub fn period_of(self, instant_us: i64, zone: &Zone) -> Month {
        let local_us = instant_us + i64::from(zone.offset_at(instant_us)) * SECOND_US;
        if self.0 == 1 {
            return Month::of(local_us);
        }
        let days = i32::try_from(local_us.div_euclid(DAY_US)).unwrap_or(i32::MAX);
        let (year, month, day) = date_of(days);
        let this = Month(year * 12 + month.cast_signed() - 1);
        let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
        let last = crate::zone::days_of(next_year, next_month, 1).map_or(31, |d| date_of(d - 1).2);
        if day >= u32::from(self.0).min(last) { this } else { Month(this.0 - 1) }
    }
}

impl CycleDay {
    /// The first instant of the cycle that is named after a month, by the customer's clock: local midnight of its first day, or the
    /// clock change that skips it.
    pub fn begin(self, month: Month, zone: &Zone) -> i64 {
        let (year, number) = (month.0.div_euclid(12), month.0.rem_euclid(12).cast_unsigned() + 1);
        let last = u32::from(self.0);
        let days = (28.min(last)..=last).rev().find_map(|day| crate::zone::days_of(year, number, day)).unwrap_or_default();
        zone.midnight(days)
    }
}

impl TryFrom<u8> for CycleDay {
    type Error = String;
    fn try_from(day: u8) -> Result<Self, String> {
        if (1..=31).contains(&day) { Ok(Self(day)) } else { Err(format!("cycle day {day} is not between 1 and 31")) }
    }
}

impl From<CycleDay> for u8 {
    fn from(day: CycleDay) -> u8 {
        day.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::days_of;

    #[test]
    fn a_cycle_that_starts_on_the_31st_starts_on_the_last_day_of_short_months() {
        let zone = Zone::load("Europe/Amsterdam").expect("bundled");
        let noon = |y, m, d| (i64::from(days_of(y, m, d).expect("a date")) * 24 + 11) * 3600 * SECOND_US;
        let day = CycleDay::try_from(31).expect("a cycle day");
        assert_eq!(day.period_of(noon(2026, 2, 27), &zone).to_string(), "2026-01");
        assert_eq!(day.period_of(noon(2026, 2, 28), &zone).to_string(), "2026-02");
        assert_eq!(day.period_of(noon(2026, 1, 30), &zone).to_string(), "2025-12");
    }

    #[test]
    fn a_cycle_begins_where_its_period_does() {
        for name in ["Europe/Amsterdam", "America/Santiago", "Asia/Beirut", "Africa/Cairo", "Pacific/Apia", "UTC"] {
            let zone = Zone::load(name).expect("bundled");
            for (month, day) in (24_240..24_330).flat_map(|month| [1, 15, 28, 29, 31].map(|day| (month, day))) {
                let (month, day) = (Month(month), CycleDay::try_from(day).expect("1 to 31"));
                let begin_us = day.begin(month, &zone);
                let around = [begin_us - 1, begin_us].map(|at_us| day.period_of(at_us, &zone));
                assert_eq!(around, [Month(month.0 - 1), month], "{name}, cycles from day {day:?}");
            }
        }
    }

    #[test]
    fn the_period_begins_at_local_midnight() {
        let zone = Zone::load("Europe/Amsterdam").expect("bundled");
        let utc = |d, h: i64, min: i64| (i64::from(days_of(2026, 9, d).expect("a date")) * 1440 + h * 60 + min) * 60 * SECOND_US;
        assert_eq!(CycleDay::FIRST.period_of(utc(30, 21, 59), &zone).to_string(), "2026-09");
        assert_eq!(CycleDay::FIRST.period_of(utc(30, 22, 0), &zone).to_string(), "2026-10");
        assert_eq!(Month::parse("2026-10"), Month::new(2026, 10));
        assert_eq!(Month::parse("2026-13"), None);
    }
}
