//! Local time and instants: an IANA zone as a table of transitions, so that a row costs a look-up and no calendar.
//!
//! Instants are microseconds since 1970 UTC; a local time is the same count as if the wall clock showed UTC.

use jiff::{Timestamp, tz::TimeZone};

/// Microseconds in a second.
pub const SECOND_US: i64 = 1_000_000;
const DAY_S: i64 = 86_400;

/// First and last second that the table covers: 1970 to 2100.
const COVERED_S: (i64, i64) = (0, 4_102_444_800);

/// What a wall clock reading means in a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Local {
    /// Exactly one instant: its offset from UTC in seconds.
    Unique {
        /// Seconds east of UTC.
        offset_s: i32,
    },
    /// The hour that an autumn change repeats: two instants.
    Repeated {
        /// Offset of the earlier instant (summer time).
        first_s: i32,
        /// Offset of the later instant (winter time).
        second_s: i32,
    },
    /// The hour that a spring change skips: no instant.
    Missing,
}

/// A time zone, ready for millions of questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    /// Instants (seconds) from which an offset holds; the first is the start of the covered time.
    since_s: Vec<i64>,
    offset_s: Vec<i32>,
}

impl Zone {
    /// Loads an IANA zone such as `Europe/Amsterdam`; `None` if there is no such zone.
    pub fn load(name: &str) -> Option<Self> {
        let zone = TimeZone::get(name).ok()?;
        let start = Timestamp::from_second(COVERED_S.0).ok()?;
        let mut table = Self { name: name.to_owned(), since_s: vec![i64::MIN], offset_s: vec![zone.to_offset(start).seconds()] };
        for change in zone.following(start) {
            let second = change.timestamp().as_second();
            if second > COVERED_S.1 {
                break;
            }
            let offset = change.offset().seconds();
            if table.offset_s.last() != Some(&offset) {
                table.since_s.push(second);
                table.offset_s.push(offset);
            }
        }
        Some(table)
    }

    /// A zone that never changes: `offset_s` seconds east of UTC.
    pub fn fixed(offset_s: i32) -> Self {
        let (sign, abs) = if offset_s < 0 { ('-', -offset_s) } else { ('+', offset_s) };
        let name = format!("{sign}{:02}:{:02}", abs / 3600, abs / 60 % 60);
        Self { name, since_s: vec![i64::MIN], offset_s: vec![offset_s] }
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Seconds east of UTC at an instant in microseconds.
    #[inline]
    pub fn offset_at(&self, instant_us: i64) -> i32 {
        let second = instant_us.div_euclid(SECOND_US);
        self.offset_s[self.since_s.partition_point(|s| *s <= second) - 1]
    }

    /// What a local reading in microseconds means here.
    pub fn resolve(&self, local_us: i64) -> Local {
        let local_s = local_us.div_euclid(SECOND_US);
        // An offset is within a day, so only the periods around the reading can hold it.
        let first = self.since_s.partition_point(|s| *s <= local_s.saturating_sub(DAY_S)) - 1;
        let mut found: Option<i32> = None;
        for i in first..self.since_s.len() {
            let begins = self.since_s[i];
            if begins > local_s.saturating_add(DAY_S) {
                break;
            }
            let instant = local_s - i64::from(self.offset_s[i]);
            let ends = self.since_s.get(i + 1).copied().unwrap_or(i64::MAX);
            if begins <= instant && instant < ends {
                match found {
                    None => found = Some(self.offset_s[i]),
                    Some(first_s) => return Local::Repeated { first_s, second_s: self.offset_s[i] },
                }
            }
        }
        found.map_or(Local::Missing, |offset_s| Local::Unique { offset_s })
    }

    /// The instant at which a day (counted since 1970-01-01) begins here: its midnight, or the clock change that skips it.
    pub fn midnight(&self, day: i32) -> i64 {
        let local_us = i64::from(day) * DAY_S * SECOND_US;
        let offset_s = match self.resolve(local_us) {
            Local::Unique { offset_s } => offset_s,
            Local::Repeated { first_s, .. } => first_s,
            // The offset before the change carries midnight to the instant of the change itself.
            Local::Missing => self.offset_at(local_us - DAY_S * SECOND_US),
        };
        local_us - i64::from(offset_s) * SECOND_US
    }
}

/// Days since 1970-01-01 of a date of the Gregorian calendar; `None` if there is no such date. Years 1 to 9999.
#[inline]
pub fn days_of(year: i32, month: u32, day: u32) -> Option<i32> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        _ => return None,
    };
    if day < 1 || day > last || !(1..=9999).contains(&year) {
        return None;
    }
    // The year begins in March here, so that the leap day is its last (Howard Hinnant's civil-calendar method).
    let y = year - i32::from(month <= 2);
    let (m, d) = (month.cast_signed(), day.cast_signed());
    let day_of_year = (153 * (m + if m > 2 { -3 } else { 9 }) + 2) / 5 + d - 1;
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}

/// Year, month and day of a count of days since 1970-01-01.
#[inline]
pub fn date_of(days: i32) -> (i32, u32, u32) {
    let z = i64::from(days) + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    let narrow = |v: i64| i32::try_from(v).expect("days of an i32 give a year, month and day that fit");
    (narrow(year), narrow(month).cast_unsigned(), narrow(day).cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(y: i32, m: u32, d: u32, h: i64, min: i64) -> i64 {
        (i64::from(days_of(y, m, d).expect("a date")) * DAY_S + h * 3600 + min * 60) * SECOND_US
    }

    #[test]
    fn amsterdam_repeats_and_skips_an_hour() {
        let zone = Zone::load("Europe/Amsterdam").expect("bundled");
        assert_eq!(zone.resolve(local(2026, 10, 25, 2, 30)), Local::Repeated { first_s: 7200, second_s: 3600 });
        assert_eq!(zone.resolve(local(2026, 10, 25, 1, 59)), Local::Unique { offset_s: 7200 });
        assert_eq!(zone.resolve(local(2026, 10, 25, 3, 0)), Local::Unique { offset_s: 3600 });
        assert_eq!(zone.resolve(local(2026, 3, 29, 2, 0)), Local::Missing);
        assert_eq!(zone.resolve(local(2026, 3, 29, 1, 59)), Local::Unique { offset_s: 3600 });
        assert_eq!(zone.resolve(local(2026, 3, 29, 3, 0)), Local::Unique { offset_s: 7200 });
        assert_eq!(zone.offset_at(local(2026, 7, 1, 0, 0)), 7200);
    }

    #[test]
    fn half_hour_changes_are_right() {
        // Lord Howe moves by half an hour: 02:00 back to 01:30 on 5 April 2026.
        let zone = Zone::load("Australia/Lord_Howe").expect("bundled");
        assert_eq!(zone.resolve(local(2026, 4, 5, 1, 45)), Local::Repeated { first_s: 39_600, second_s: 37_800 });
        assert_eq!(zone.resolve(local(2026, 10, 4, 2, 15)), Local::Missing);
    }

    #[test]
    fn agrees_with_jiff_over_fifty_years() {
        for name in ["Europe/Amsterdam", "America/Sao_Paulo", "Asia/Kathmandu"] {
            let (zone, theirs) = (Zone::load(name).expect("bundled"), TimeZone::get(name).expect("bundled"));
            for step in 0..20_000i64 {
                let second = step * 78_901;
                let expected = theirs.to_offset(Timestamp::from_second(second).expect("in range")).seconds();
                assert_eq!(zone.offset_at(second * SECOND_US), expected, "{name} {second}");
            }
        }
    }

    #[test]
    fn dates_and_days_are_inverse() {
        for days in (-700_000..2_900_000).step_by(97) {
            let (y, m, d) = date_of(days);
            assert_eq!(days_of(y, m, d), Some(days));
        }
        assert_eq!(days_of(2026, 2, 29), None);
        assert_eq!(days_of(2028, 2, 29).map(date_of), Some((2028, 2, 29)));
        assert_eq!(days_of(2026, 13, 1), None);
        assert_eq!(days_of(0, 1, 1), None);
    }
}
