//! When the periods of a customer begin: cycles, days, weeks and quarters by the customer's own clock.

use std::ops::{Range, RangeInclusive};

use domain::columns::linked::Owners;
use domain::period::{CycleDay, Month};
use domain::zone::{SECOND_US, Zone, date_of, days_of};

use crate::tariff::allowance::Every;

const DAY_US: i64 = 86_400 * SECOND_US;

const DAYS_OF_WEEK: i32 = 7;

/// From the Monday of a week to 1970-01-01, a Thursday.
const MONDAY_TO_EPOCH: i32 = 3;

pub(crate) const CYCLES_OF_QUARTER: i32 = 3;

/// A stretch of time for which an allowance gives something: a cycle by its month's number, a day since 1970-01-01, or a week or quarter
/// counted likewise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Period {
    pub(crate) every: Every,
    pub(crate) number: i32,
}

impl Period {
    /// A cycle, by its month's number.
    pub fn cycle(number: i32) -> Self {
        Self { every: Every::Cycle, number }
    }

    /// The month of its name, or in which the day or the week of its name begins; of a quarter the first.
    pub fn month(self) -> Month {
        let of_day = |days: i32| Month::of(i64::from(days) * DAY_US);
        match self.every {
            Every::Cycle => Month::from_number(self.number),
            Every::Day => of_day(self.number),
            Every::Week => of_day(self.number * DAYS_OF_WEEK - MONDAY_TO_EPOCH),
            Every::Quarter => Month::from_number(self.number * CYCLES_OF_QUARTER),
        }
    }

    /// Whether what an earlier period gave, or this one, stays usable in it for so many periods.
    pub(crate) fn is_within(self, periods: u32, given: Self) -> bool {
        i64::from(self.number) - i64::from(given.number) <= i64::from(periods)
    }

    /// So many periods later.
    pub(crate) fn later(self, by: i32) -> Self {
        Self { number: self.number + by, ..self }
    }
}

impl std::fmt::Display for Period {
    /// `2026-10` for a cycle, `2026-10-05` for a day, `2026-W41` for a week by ISO 8601, `2026-Q4` for a quarter.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.every {
            Every::Cycle => Month::from_number(self.number).fmt(f),
            Every::Day => {
                let (year, month, day) = date_of(self.number);
                write!(f, "{year:04}-{month:02}-{day:02}")
            }
            Every::Week => {
                // A week is of the year that its Thursday lies in.
                let thursday = self.number * DAYS_OF_WEEK;
                let year = date_of(thursday).0;
                let first = days_of(year, 1, 1).unwrap_or(thursday);
                write!(f, "{year:04}-W{:02}", (thursday - first) / DAYS_OF_WEEK + 1)
            }
            Every::Quarter => {
                let first = self.number * CYCLES_OF_QUARTER;
                write!(f, "{:04}-Q{}", first.div_euclid(12), first.rem_euclid(12) / CYCLES_OF_QUARTER + 1)
            }
        }
    }
}

/// When a customer's periods and days begin.
#[derive(Clone, Copy)]
pub(crate) struct Calendar<'t> {
    cycle_day: CycleDay,
    zone: &'t Zone,
}

impl<'t> Calendar<'t> {
    /// That of a customer of these owners.
    pub fn of(customer: u32, owners: &'t Owners) -> Self {
        let customer = &owners.customers[customer as usize];
        Self::new(customer.cycle_day, &owners.zones[usize::from(customer.zone)])
    }

    /// That of whose cycles begin on a day by a clock.
    pub fn new(cycle_day: CycleDay, zone: &'t Zone) -> Self {
        Self { cycle_day, zone }
    }

    /// The period that holds an instant in a cycle.
    pub fn period(&self, every: Every, at_us: i64, cycle: i32) -> Period {
        let day = || i32::try_from(self.day(at_us)).unwrap_or(i32::MAX / 2);
        let number = match every {
            Every::Cycle => cycle,
            Every::Day => day(),
            Every::Week => (day() + MONDAY_TO_EPOCH).div_euclid(DAYS_OF_WEEK),
            Every::Quarter => cycle.div_euclid(CYCLES_OF_QUARTER),
        };
        Period { every, number }
    }

    /// Its first instant and the first one behind it.
    pub fn instants(&self, period: Period) -> Range<i64> {
        self.begin(period)..self.begin(period.later(1))
    }

    /// Its first instant.
    pub fn begin(&self, Period { every, number }: Period) -> i64 {
        let cycle = |number| self.cycle_day.begin(Month::from_number(number), self.zone);
        match every {
            Every::Cycle => cycle(number),
            Every::Day => self.zone.midnight(number),
            Every::Week => self.zone.midnight(number * DAYS_OF_WEEK - MONDAY_TO_EPOCH),
            Every::Quarter => cycle(number * CYCLES_OF_QUARTER),
        }
    }

    /// The local days that instants lie on, since 1970; of a period at most 92.
    pub fn days(&self, instants: &Range<i64>) -> RangeInclusive<i64> {
        self.day(instants.start)..=self.day(instants.end - 1)
    }

    fn day(&self, at_us: i64) -> i64 {
        (at_us + i64::from(self.zone.offset_at(at_us)) * SECOND_US).div_euclid(DAY_US)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(every: Every, (year, month, day): (i32, u32, u32)) -> String {
        let days = days_of(year, month, day).expect("a date");
        let number = match every {
            Every::Week => (days + MONDAY_TO_EPOCH).div_euclid(DAYS_OF_WEEK),
            Every::Day => days,
            Every::Cycle | Every::Quarter => unreachable!("not asked"),
        };
        Period { every, number }.to_string()
    }

    #[test]
    fn weeks_have_the_names_of_iso_8601() {
        // From the standard's own edge cases: 2026 begins on a Thursday, so its last days are of week 53; 2024 on a Monday.
        let weeks = [(2025, 12, 28), (2025, 12, 29), (2026, 1, 4), (2026, 1, 5), (2027, 1, 3), (2027, 1, 4), (2024, 12, 30)];
        let names = weeks.map(|date| named(Every::Week, date));
        assert_eq!(names, ["2025-W52", "2026-W01", "2026-W01", "2026-W02", "2026-W53", "2027-W01", "2025-W01"]);
        assert_eq!(named(Every::Day, (2026, 3, 9)), "2026-03-09");
    }

    #[test]
    fn a_period_belongs_to_the_month_in_which_what_it_is_named_after_begins() {
        let month = |every, number| Period { every, number }.month().to_string();
        let (october, thursday) = (2026 * 12 + 9, days_of(2026, 1, 1).expect("a date"));
        assert_eq!(month(Every::Cycle, october), "2026-10");
        assert_eq!(month(Every::Quarter, october / CYCLES_OF_QUARTER), "2026-10");
        assert_eq!(month(Every::Day, thursday), "2026-01");
        assert_eq!(month(Every::Week, (thursday + MONDAY_TO_EPOCH).div_euclid(DAYS_OF_WEEK)), "2025-12", "its Monday");
    }
}
