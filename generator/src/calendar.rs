//! The month on the wall clock of Amsterdam: which days, how busy each is, and where the clock changes.

use domain::zone::{date_of, days_of};

use crate::random::Dice;

/// Seconds in a day.
pub const DAY_S: i64 = 86_400;
/// Seconds in an hour.
pub const HOUR_S: i64 = 3_600;

/// How busy each local hour is (DOMAIN 5: a business day).
const HOUR_WEIGHTS: [u32; 24] =
    [60, 30, 20, 15, 15, 30, 120, 300, 620, 800, 860, 840, 780, 800, 840, 840, 800, 700, 560, 480, 420, 340, 220, 120];
/// How busy a working day is, and a day of the weekend.
const DAY_WEIGHTS: [u32; 2] = [15, 6];

/// Some days of the month by local date, from the first to before the last, as days since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// The first day.
    pub first: i32,
    /// The day after the last one.
    pub end: i32,
}

impl Days {
    fn weights(self) -> impl Iterator<Item = u32> + Clone {
        (self.first..self.end).map(day_weight)
    }

    /// How busy all these days are together.
    pub fn weight(self) -> u64 {
        self.weights().map(u64::from).sum()
    }

    /// How many days there are.
    pub fn count(self) -> i32 {
        self.end - self.first
    }

    /// Whether a day is among them.
    pub fn contains(self, day: i32) -> bool {
        (self.first..self.end).contains(&day)
    }

    /// The first local second.
    pub fn begins_s(self) -> i64 {
        i64::from(self.first) * DAY_S
    }
}

/// How busy a day is: 1970 began on a Thursday.
fn day_weight(day: i32) -> u32 {
    DAY_WEIGHTS[usize::from((day + 3).rem_euclid(7) >= 5)]
}

/// The month's days and the clock changes of its year.
#[derive(Debug, Clone, Copy)]
pub struct Calendar {
    /// All days of the month.
    pub days: Days,
    /// Instant (seconds UTC) at which summer time begins.
    summer_s: i64,
    /// Instant (seconds UTC) at which it ends.
    winter_s: i64,
}

impl Calendar {
    /// The calendar of a month (1 to 12) of a year (1996 or later, when the common European rule began).
    pub fn new(year: i32, month: u32) -> Option<Self> {
        let first = days_of(year, month, 1)?;
        let end = if month == 12 { days_of(year + 1, 1, 1) } else { days_of(year, month + 1, 1) }?;
        let change = |month| days_of(year, month, 31).map(|d| i64::from(last_sunday(d)) * DAY_S + HOUR_S);
        Some(Self { days: Days { first, end }, summer_s: change(3)?, winter_s: change(10)? })
    }

    /// Seconds that the wall clock is ahead of UTC at an instant.
    pub fn offset_at(&self, instant_s: i64) -> i64 {
        if (self.summer_s..self.winter_s).contains(&instant_s) { 2 * HOUR_S } else { HOUR_S }
    }

    /// The instant of a local reading; `second` chooses in the repeated hour. A reading that the spring skips moves on by an hour.
    pub fn instant_of(&self, local_s: i64, second: bool) -> i64 {
        let summer = local_s - 2 * HOUR_S;
        let is_summer = (self.summer_s..self.winter_s).contains(&summer);
        if is_summer && !(second && self.is_repeated(summer)) { summer } else { local_s - HOUR_S }
    }

    /// Whether the wall clock shows the reading of this instant twice.
    pub fn is_repeated(&self, instant_s: i64) -> bool {
        (self.winter_s - HOUR_S..self.winter_s + HOUR_S).contains(&instant_s)
    }

    /// The clock change that falls on one of these days, as an instant.
    pub fn change_within(&self, days: Days) -> Option<i64> {
        let day = |instant_s: i64| i32::try_from(instant_s.div_euclid(DAY_S)).ok();
        [self.summer_s, self.winter_s].into_iter().find(|s| day(*s).is_some_and(|d| days.contains(d)))
    }

    /// A start within some days, by their profile, as a local reading and the instant it stands for.
    pub fn draw(&self, days: Days, dice: &mut Dice) -> i64 {
        let day = days.first + i32::try_from(dice.weighted(days.weights())).expect("a month has few days");
        let hour = i64::try_from(dice.weighted(HOUR_WEIGHTS.into_iter())).expect("a day has 24 hours");
        let local_s = i64::from(day) * DAY_S + hour * HOUR_S + dice.span(HOUR_S);
        self.instant_of(local_s, dice.chance(500_000))
    }
}

/// The last Sunday up to a day.
fn last_sunday(day: i32) -> i32 {
    day - (day + 4).rem_euclid(7)
}

/// Year, month and day of a local reading.
fn date(local_s: i64) -> (i64, i64, i64) {
    let (year, month, day) = date_of(i32::try_from(local_s.div_euclid(DAY_S)).expect("a day of this era"));
    (year.into(), month.into(), day.into())
}

/// Writes a local reading as `2026-10-25T02:30:15`, with another separator between date and time where the source has one.
pub fn write_local(local_s: i64, separator: u8, out: &mut Vec<u8>) {
    let (year, month, day) = date(local_s);
    out.extend([two(year / 100), two(year)].as_flattened());
    out.push(b'-');
    out.extend(two(month));
    out.push(b'-');
    out.extend(two(day));
    out.push(separator);
    write_clock(local_s, out);
}

/// Writes the date of a local reading as `25-10-2026`, or with another mark.
pub fn write_dutch_date(local_s: i64, mark: u8, out: &mut Vec<u8>) {
    let (year, month, day) = date(local_s);
    out.extend(two(day));
    out.push(mark);
    out.extend(two(month));
    out.push(mark);
    out.extend([two(year / 100), two(year)].as_flattened());
}

/// Writes a local reading as `20261025023015`.
pub fn write_compact(local_s: i64, out: &mut Vec<u8>) {
    let (year, month, day) = date(local_s);
    let second = local_s.rem_euclid(DAY_S);
    let pairs = [year / 100, year, month, day, second / HOUR_S, second / 60 % 60, second % 60];
    out.extend(pairs.map(two).as_flattened());
}

/// Writes the time of a local reading as `02:30:15`.
pub fn write_clock(local_s: i64, out: &mut Vec<u8>) {
    let second = local_s.rem_euclid(DAY_S);
    out.extend(two(second / HOUR_S));
    out.push(b':');
    out.extend(two(second / 60 % 60));
    out.push(b':');
    out.extend(two(second % 60));
}

/// Writes an offset of whole hours as `+02:00`.
pub fn write_offset(offset_s: i64, out: &mut Vec<u8>) {
    out.push(b'+');
    out.extend(two(offset_s / HOUR_S));
    out.extend(*b":00");
}

/// The last two decimal digits of a number that is not negative.
fn two(number: i64) -> [u8; 2] {
    let digit = |n: i64| b'0' + u8::try_from(n % 10).expect("a remainder of ten");
    [digit(number / 10), digit(number)]
}

#[cfg(test)]
mod tests {
    use domain::zone::{SECOND_US, Zone};

    use super::*;

    #[test]
    fn the_clock_agrees_with_the_zone_of_amsterdam() {
        let zone = Zone::load("Europe/Amsterdam").expect("bundled");
        for year in [2024, 2026, 2029] {
            let calendar = Calendar::new(year, 6).expect("a month");
            let from = i64::from(days_of(year, 1, 1).expect("a date")) * DAY_S;
            for instant in (from..from + 365 * DAY_S).step_by(1777) {
                assert_eq!(calendar.offset_at(instant), i64::from(zone.offset_at(instant * SECOND_US)), "{instant}");
                let local = instant + calendar.offset_at(instant);
                assert!([false, true].iter().any(|second| calendar.instant_of(local, *second) == instant), "{instant}");
            }
        }
    }

    #[test]
    fn october_2026_has_an_hour_twice() {
        let calendar = Calendar::new(2026, 10).expect("a month");
        assert_eq!(calendar.days.count(), 31);
        let change = calendar.change_within(calendar.days).expect("the change is in October");
        assert_eq!(calendar.instant_of(change + 2 * HOUR_S - 1, false), change - 1);
        assert_eq!(calendar.instant_of(change + HOUR_S, false), change - HOUR_S);
        assert_eq!(calendar.instant_of(change + HOUR_S, true), change);
        let mut text = Vec::new();
        write_local(change + calendar.offset_at(change), b'T', &mut text);
        write_offset(calendar.offset_at(change), &mut text);
        assert_eq!(String::from_utf8(text).expect("ASCII"), "2026-10-25T02:00:00+01:00");
    }

    #[test]
    fn working_days_are_busier() {
        // 1 October 2026 is a Thursday.
        let first = Calendar::new(2026, 10).expect("a month").days.first;
        let weights: Vec<u32> = (first..first + 5).map(day_weight).collect();
        assert_eq!(weights, [15, 15, 6, 6, 15]);
    }
}
