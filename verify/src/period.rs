//! Periods of a customer, by the customer's own calendar: days, weeks, cycles and quarters, and the local days that they are of.

use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};

use crate::owner::Customer;
use crate::text::settled::Every;

/// A day that others are counted from.
const EPOCH: Date = date(1970, 1, 1);

/// Days from the Monday of its week to that day, a Thursday.
const SINCE_MONDAY: i32 = 3;

/// A day, week, cycle or quarter. Days and weeks are counted from those of 1970; cycles, which are named by the month in which they
/// begin, and quarters, which are three of them, from the year 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Period {
    pub every: Every,
    number: i32,
}

/// A local day: its first instant, and the first one after it, in microseconds since 1970 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day {
    pub from_us: i64,
    pub to_us: i64,
}

impl Period {
    /// The period of a customer that holds an instant. A month that is too short for the cycle's day begins it on its last day.
    pub fn of(every: Every, customer: &Customer, at: Timestamp) -> Self {
        let date = customer.zone.to_datetime(at).date();
        let day = (date - EPOCH).get_days();
        let number = match every {
            Every::Day => day,
            Every::Week => (day + SINCE_MONDAY).div_euclid(7),
            Every::Cycle => cycle(customer, date),
            Every::Quarter => cycle(customer, date).div_euclid(3),
        };
        Self { every, number }
    }

    /// The period of a sort that holds the cycle which begins in a month, in months since the year 0.
    pub fn with_cycle(every: Every, month: i32) -> Self {
        let number = if every == Every::Quarter { month.div_euclid(3) } else { month };
        Self { every, number }
    }

    /// The period so many later.
    pub fn plus(self, periods: i32) -> Self {
        Self { number: self.number + periods, ..self }
    }

    /// Its days, from local midnight to local midnight; none where no calendar reaches.
    pub fn days(self, customer: &Customer) -> Vec<Day> {
        self.midnights(customer).map_or_else(Vec::new, |midnights| {
            midnights.windows(2).map(|pair| Day { from_us: pair[0], to_us: pair[1] }).collect()
        })
    }

    /// Its first instant, and the first one after it; none where no calendar reaches.
    pub fn bounds(self, customer: &Customer) -> Option<(i64, i64)> {
        let (first, end) = (self.first_day(customer)?, self.plus(1).first_day(customer)?);
        Some((midnight(customer, first)?, midnight(customer, end)?))
    }

    /// The first instants of its days and of the next period.
    fn midnights(self, customer: &Customer) -> Option<Vec<i64>> {
        let (first, end) = (self.first_day(customer)?, self.plus(1).first_day(customer)?);
        let dates = first.series(1.day()).take_while(|date| *date <= end);
        dates.map(|date| midnight(customer, date)).collect()
    }

    fn first_day(self, customer: &Customer) -> Option<Date> {
        match self.every {
            Every::Day => EPOCH.checked_add(self.number.days()).ok(),
            Every::Week => EPOCH.checked_add((self.number * 7 - SINCE_MONDAY).days()).ok(),
            Every::Cycle => first_day(customer, self.number),
            Every::Quarter => first_day(customer, self.number * 3),
        }
    }
}

/// The first instant of a local day, in microseconds since 1970 UTC.
fn midnight(customer: &Customer, date: Date) -> Option<i64> {
    Some(date.to_zoned(customer.zone.clone()).ok()?.timestamp().as_microsecond())
}

/// The name of the customer's cycle that holds an instant, such as `2026-10`.
pub(crate) fn billing_period(customer: &Customer, at: Timestamp) -> String {
    let months = cycle(customer, customer.zone.to_datetime(at).date());
    format!("{:04}-{:02}", months.div_euclid(12), months.rem_euclid(12) + 1)
}

/// The cycle that holds a date: the month in which it begins, in months since the year 0.
fn cycle(customer: &Customer, date: Date) -> i32 {
    let month = i32::from(date.year()) * 12 + i32::from(date.month()) - 1;
    if date.day() >= begins(customer, date) { month } else { month - 1 }
}

/// The day on which the cycle of a month begins.
fn first_day(customer: &Customer, months: i32) -> Option<Date> {
    let (year, month) = (i16::try_from(months.div_euclid(12)).ok()?, i8::try_from(months.rem_euclid(12) + 1).ok()?);
    let first = Date::new(year, month, 1).ok()?;
    Date::new(year, month, begins(customer, first).max(1)).ok()
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
            assert_eq!(billing_period(&customer(day), instant(start)), cycle, "day {day} at {start}");
        }
    }

    #[test]
    fn periods_reach_from_local_midnight_to_local_midnight() {
        let cases = [
            (Every::Cycle, 1, "2026-10-14T12:00:00Z", 31, "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"), // clocks go back
            (Every::Cycle, 15, "2026-10-14T12:00:00Z", 30, "2026-09-14T22:00:00Z", "2026-10-14T22:00:00Z"),
            (Every::Cycle, 31, "2027-02-28T12:00:00Z", 31, "2027-02-27T23:00:00Z", "2027-03-30T22:00:00Z"), // clocks go forward
            (Every::Cycle, 31, "2028-02-28T12:00:00Z", 29, "2028-01-30T23:00:00Z", "2028-02-28T23:00:00Z"),
            (Every::Day, 1, "2026-10-25T22:59:59Z", 1, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"), // 25 hours
            (Every::Day, 1, "2026-03-28T23:00:00Z", 1, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"), // 23 hours
            (Every::Day, 31, "1969-12-31T22:59:59Z", 1, "1969-12-30T23:00:00Z", "1969-12-31T23:00:00Z"),
            // Monday 28 December 2026 to Sunday 3 January 2027, week 53 of 2026.
            (Every::Week, 15, "2026-12-31T12:00:00Z", 7, "2026-12-27T23:00:00Z", "2027-01-03T23:00:00Z"),
            (Every::Week, 15, "2027-01-03T22:59:59Z", 7, "2026-12-27T23:00:00Z", "2027-01-03T23:00:00Z"),
            (Every::Week, 15, "2027-01-03T23:00:00Z", 7, "2027-01-03T23:00:00Z", "2027-01-10T23:00:00Z"),
            (Every::Week, 1, "1970-01-01T12:00:00Z", 7, "1969-12-28T23:00:00Z", "1970-01-04T23:00:00Z"),
            (Every::Week, 1, "2026-10-22T12:00:00Z", 7, "2026-10-18T22:00:00Z", "2026-10-25T23:00:00Z"), // an hour more
            // 15 January to 14 April: 17 + 28 + 31 + 14 days.
            (Every::Quarter, 15, "2026-04-14T21:59:59Z", 90, "2026-01-14T23:00:00Z", "2026-04-14T22:00:00Z"),
            (Every::Quarter, 15, "2026-01-14T22:59:59Z", 92, "2025-10-14T22:00:00Z", "2026-01-14T23:00:00Z"),
            // 31 October to 30 January, then to 29 April: the month of the next quarter has no 31st.
            (Every::Quarter, 31, "2026-12-01T12:00:00Z", 92, "2026-10-30T23:00:00Z", "2027-01-30T23:00:00Z"),
            (Every::Quarter, 31, "2027-02-28T12:00:00Z", 89, "2027-01-30T23:00:00Z", "2027-04-29T22:00:00Z"),
        ];
        for (every, day, at, count, from, to) in cases {
            let customer = customer(day);
            let days = Period::of(every, &customer, instant(at)).days(&customer);
            let ends = days.first().zip(days.last()).map(|(first, last)| (first.from_us, last.to_us));
            assert_eq!(days.len(), count, "{every:?}, day {day} at {at}");
            let expected = Some((instant(from).as_microsecond(), instant(to).as_microsecond()));
            assert_eq!(ends, expected, "{every:?}, day {day} at {at}");
        }
    }
}
