//! A customer's cycles, and their days by the customer's own calendar.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use crate::owner::Customer;

/// A cycle, named by the month in which it begins and counted in months since the year 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Cycle(i32);

/// A local day: its first instant, and the first one after it, in microseconds since 1970 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day {
    pub from_us: i64,
    pub to_us: i64,
}

impl Cycle {
    /// The cycle of a customer that holds an instant. A month that is too short for the cycle's day begins it on its last day.
    pub fn of(customer: &Customer, at: Timestamp) -> Self {
        let date = customer.zone.to_datetime(at).date();
        let month = Self(i32::from(date.year()) * 12 + i32::from(date.month()) - 1);
        if date.day() >= begins(customer, date) { month } else { month.plus(-1) }
    }

    /// The cycle so many months later.
    pub fn plus(self, months: i32) -> Self {
        Self(self.0 + months)
    }

    /// Such as `2026-10`.
    pub fn name(self) -> String {
        format!("{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }

    /// Its days, from local midnight to local midnight; none where no calendar reaches.
    pub fn days(self, customer: &Customer) -> Vec<Day> {
        self.midnights(customer).map_or_else(Vec::new, |midnights| {
            midnights.windows(2).map(|pair| Day { from_us: pair[0], to_us: pair[1] }).collect()
        })
    }

    /// The first instants of its days and of the next cycle.
    fn midnights(self, customer: &Customer) -> Option<Vec<i64>> {
        let (first, end) = (self.first_day(customer)?, self.plus(1).first_day(customer)?);
        let dates = first.series(1.day()).take_while(|date| *date <= end);
        dates.map(|date| Some(date.to_zoned(customer.zone.clone()).ok()?.timestamp().as_microsecond())).collect()
    }

    fn first_day(self, customer: &Customer) -> Option<Date> {
        let (year, month) = (i16::try_from(self.0.div_euclid(12)).ok()?, i8::try_from(self.0.rem_euclid(12) + 1).ok()?);
        let first = Date::new(year, month, 1).ok()?;
        Date::new(year, month, begins(customer, first).max(1)).ok()
    }
}

/// The day on which a customer's cycle begins in the month of a date.
fn begins(customer: &Customer, date: Date) -> i8 {
    i8::try_from(customer.cycle_day).unwrap_or(i8::MAX).min(date.days_in_month())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer(day: u8) -> Customer {
        Customer::new("a".to_owned(), day, "Europe/Amsterdam").expect("a zone")
    }

    fn instant(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    #[test]
    fn cycles_begin_by_the_customers_clock_and_not_later_than_the_months_end() {
        let cases = [
            (1, "2026-09-30T21:59:59Z", "2026-09"),
            (1, "2026-09-30T22:00:00Z", "2026-10"),
            (15, "2026-10-14T12:00:00Z", "2026-09"),
            (15, "2026-10-15T12:00:00Z", "2026-10"),
            (31, "2027-02-27T12:00:00Z", "2027-01"),
            (31, "2027-02-28T12:00:00Z", "2027-02"),
            (31, "2027-01-01T12:00:00Z", "2026-12"),
        ];
        for (day, start, cycle) in cases {
            assert_eq!(Cycle::of(&customer(day), instant(start)).name(), cycle, "day {day} at {start}");
        }
    }

    #[test]
    fn days_reach_from_local_midnight_to_local_midnight() {
        let cases = [
            (1, "2026-10-14T12:00:00Z", 31, "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"), // clocks go back
            (15, "2026-10-14T12:00:00Z", 30, "2026-09-14T22:00:00Z", "2026-10-14T22:00:00Z"),
            (31, "2027-02-28T12:00:00Z", 31, "2027-02-27T23:00:00Z", "2027-03-30T22:00:00Z"), // clocks go forward
            (31, "2028-02-28T12:00:00Z", 29, "2028-01-30T23:00:00Z", "2028-02-28T23:00:00Z"),
        ];
        for (day, at, count, from, to) in cases {
            let customer = customer(day);
            let days = Cycle::of(&customer, instant(at)).days(&customer);
            let ends = days.first().zip(days.last()).map(|(first, last)| (first.from_us, last.to_us));
            assert_eq!(days.len(), count, "day {day} at {at}");
            assert_eq!(ends, Some((instant(from).as_microsecond(), instant(to).as_microsecond())), "day {day} at {at}");
        }
    }
}
