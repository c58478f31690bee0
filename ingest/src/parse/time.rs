//! Reads written times into instants: patterns by masks, offsets as given, local times through the profile's zone.

use std::cell::Cell;

use domain::columns::parsed::TimeFlag;
use domain::outcome::Reason;
use domain::zone::{Local, SECOND_US, Zone, days_of};

use crate::profile::Layout;
use crate::profile::recipe::{Recipe, TimeSource};
use crate::profile::time::{Fraction, OffsetForm, TimePattern};

use super::field::{Field, Row};
use super::row::Fault;

/// When a row's usage began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    /// Microseconds since 1970 UTC.
    pub us: i64,
    /// Seconds east of UTC.
    pub offset_s: i32,
    /// Whether the local time stands for two instants.
    pub flag: TimeFlag,
}

/// What a pattern found.
#[derive(Debug, Clone, Copy, Default)]
struct Clock {
    days: i32,
    /// Since midnight.
    micros: i64,
    offset_s: i32,
}

/// Reads the time of a row; where it cannot, `fault` gets the reason and the column.
#[inline]
pub(super) fn read(recipe: &Recipe, layout: &Layout, row: &Row<'_>, fault: &Cell<Fault>) -> Option<Start> {
    let (first, second, has_offset) = match &recipe.time {
        TimeSource::Epoch { slot, unit_us } => {
            let at = layout.at(*slot);
            fault.set(Fault { reason: Reason::Time, at });
            return read_epoch(recipe.zone.as_ref(), *unit_us, row.field(at));
        }
        TimeSource::Written { first, second, has_offset } => (first, second, *has_offset),
    };
    let mut clock = Clock::default();
    let at = layout.at(first.0);
    fault.set(Fault { reason: Reason::Time, at });
    take(&first.1, row.field(at), &mut clock)?;
    if let Some((slot, pattern)) = second {
        let at = layout.at(*slot);
        fault.set(Fault { reason: Reason::Time, at });
        take(pattern, row.field(at), &mut clock)?;
    }
    let local_us = i64::from(clock.days) * 86_400 * SECOND_US + clock.micros;
    let (offset_s, flag) = if has_offset {
        let is_allowed = recipe.offsets.is_empty() || recipe.offsets.contains(&clock.offset_s);
        (Some(clock.offset_s).filter(|_| is_allowed)?, TimeFlag::Exact)
    } else {
        let zone = recipe.zone.as_ref().expect("a profile whose times have no offset names a zone");
        match zone.resolve(local_us) {
            Local::Unique { offset_s } => (offset_s, TimeFlag::Exact),
            Local::Repeated { first_s, .. } => (first_s, TimeFlag::Repeated),
            Local::Missing => {
                fault.set(Fault { reason: Reason::TimeGap, ..fault.get() });
                return None;
            }
        }
    };
    Some(Start { us: local_us - i64::from(offset_s) * SECOND_US, offset_s, flag })
}

/// Reads an instant as people write it, `2026-10-25T02:30:15.5+01:00` or with `Z`: microseconds since 1970 UTC, and seconds east of UTC.
pub(super) fn read_instant(text: &str) -> Option<(i64, i32)> {
    let pattern = TimePattern::compile("YYYY-MM-DDTHH:mm:SS[.F]Z").expect("a pattern of this program");
    let mut clock = Clock::default();
    take(&pattern, Field::of(text.as_bytes()), &mut clock)?;
    let local_us = i64::from(clock.days) * 86_400 * SECOND_US + clock.micros;
    Some((local_us - i64::from(clock.offset_s) * SECOND_US, clock.offset_s))
}

/// A count since 1970; counts beyond the year 9999 are none.
fn read_epoch(zone: Option<&Zone>, unit_us: i64, field: Field<'_>) -> Option<Start> {
    const YEAR_10000_US: i64 = 253_402_300_800 * SECOND_US;
    let count = i64::try_from(field.natural()?).ok()?;
    let start_us = count.checked_mul(unit_us).filter(|us| *us < YEAR_10000_US)?;
    Some(Start { us: start_us, offset_s: zone.map_or(0, |z| z.offset_at(start_us)), flag: TimeFlag::Exact })
}

/// Reads a field by a pattern and adds what it says; `None` if it has another form or no such date or time exists.
#[inline]
fn take(pattern: &TimePattern, field: Field<'_>, clock: &mut Clock) -> Option<()> {
    let fixed_only = pattern.fraction == Fraction::None && pattern.offset == OffsetForm::None;
    if field.len() < pattern.length || fixed_only && field.len() != pattern.length {
        return None;
    }
    let text = field.head();
    // At each digit, the value of it and the one behind it: what stands in a word's last byte has its second in the next word.
    let mut pairs = [0; 32];
    let (mut wrong, mut next) = (0, 0);
    for i in (0..4).rev() {
        let word = u64::from_le_bytes(text[8 * i..8 * i + 8].try_into().expect("the range has eight bytes"));
        let low = word & 0x0f0f_0f0f_0f0f_0f0f;
        wrong |= (word ^ pattern.expected[i]) & pattern.compared[i];
        wrong |= (low + 0x0606_0606_0606_0606) & pattern.beyond_nine[i];
        let pair = low * 10 + (low >> 8 | next << 56);
        pairs[8 * i..8 * i + 8].copy_from_slice(&pair.to_le_bytes());
        next = low;
    }
    if wrong != 0 {
        return None;
    }
    let two = |at: u8| u32::from(pairs[usize::from(at & 31)]);
    let places = &pattern.places;
    if let (Some(year), Some(month), Some(day)) = (places.year, places.month, places.day) {
        let year = two(year) * 100 + two(year + 2);
        clock.days = days_of(year.cast_signed(), two(month), two(day))?;
    }
    let (hour, minute, second) = (places.hour.map_or(0, two), places.minute.map_or(0, two), places.second.map_or(0, two));
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    clock.micros += i64::from(hour * 3600 + minute * 60 + second) * SECOND_US;
    if let Some((sign, minutes)) = places.offset {
        clock.offset_s = offset_s(text[usize::from(sign & 31)], two(sign + 1), two(minutes))?;
    }
    if fixed_only {
        return Some(());
    }
    let mut rest = field.after(pattern.length).bytes();
    if pattern.fraction != Fraction::None {
        rest = take_fraction(pattern.fraction, rest, clock)?;
    }
    clock.offset_s = offset(pattern.offset, rest)?;
    Some(())
}

/// Reads a fraction of a second of any length; digits beyond the microsecond are cut off.
#[inline(never)]
fn take_fraction<'a>(fraction: Fraction, text: &'a [u8], clock: &mut Clock) -> Option<&'a [u8]> {
    let digits = match (fraction, text.split_first()) {
        (Fraction::Always(mark) | Fraction::Maybe(mark), Some((first, digits))) if *first == mark => digits,
        (Fraction::None | Fraction::Maybe(_), _) => return Some(text),
        (Fraction::Always(_), _) => return None,
    };
    let count = digits.iter().take_while(|c| c.is_ascii_digit()).count();
    if count == 0 {
        return None;
    }
    let mut unit_us = SECOND_US;
    for digit in &digits[..count.min(6)] {
        unit_us /= 10;
        clock.micros += i64::from(digit - b'0') * unit_us;
    }
    Some(&digits[count..])
}

/// Reads the offset that ends a text, and nothing but it.
#[inline]
fn offset(form: OffsetForm, text: &[u8]) -> Option<i32> {
    let (sign, hours, minutes) = match (form, text) {
        (OffsetForm::None, []) | (OffsetForm::Zulu, b"Z") => return Some(0),
        (OffsetForm::Colon | OffsetForm::Zulu, [sign, h, i, b':', m, n]) | (OffsetForm::Plain, [sign, h, i, m, n]) => {
            (*sign, [*h, *i], [*m, *n])
        }
        _ => return None,
    };
    let number = |[tens, ones]: [u8; 2]| {
        (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))
    };
    offset_s(sign, number(hours)?, number(minutes)?)
}

/// Seconds east of UTC; `None` for another sign and beyond a day.
#[inline]
fn offset_s(sign: u8, hours: u32, minutes: u32) -> Option<i32> {
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = (hours * 3600 + minutes * 60).cast_signed();
    match sign {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(pattern: &str, text: &str) -> Option<(i64, i32)> {
        let mut clock = Clock::default();
        take(&TimePattern::compile(pattern).expect("a pattern"), Field::of(text.as_bytes()), &mut clock)?;
        Some((i64::from(clock.days) * 86_400 * SECOND_US + clock.micros, clock.offset_s))
    }

    // 2026-10-25 02:30:15 on the wall, in microseconds as if it were UTC.
    const WALL_US: i64 = (20_751 * 86_400 + 2 * 3600 + 30 * 60 + 15) * SECOND_US;

    #[test]
    fn the_same_wall_clock_in_many_patterns() {
        for (pattern, text, offset_s) in [
            ("YYYY-MM-DDTHH:mm:SS+hh:mm", "2026-10-25T02:30:15+01:00", 3600),
            ("YYYY-MM-DDTHH:mm:SS[.F]Z", "2026-10-25T02:30:15Z", 0),
            ("YYYY-MM-DDTHH:mm:SS[.F]Z", "2026-10-25T02:30:15.000-05:30", -19_800),
            ("DD-MM-YYYY HH:mm:SS", "25-10-2026 02:30:15", 0),
            ("YYYYMMDDHHmmSS", "20261025023015", 0),
            ("YYYYMMDDHHmmSS+hhmm", "20261025023015+0200", 7200),
            ("MM/DD/YYYY HH:mm:SS,F", "10/25/2026 02:30:15,0000000", 0),
        ] {
            assert_eq!(clock(pattern, text), Some((WALL_US, offset_s)), "{pattern} {text}");
        }
        assert_eq!(clock("YYYY-MM-DD HH:mm:SS.F", "2026-10-25 02:30:15.1234567"), Some((WALL_US + 123_456, 0)));
    }

    #[test]
    fn impossible_and_strange_times_are_none() {
        let iso = "YYYY-MM-DDTHH:mm:SS+hh:mm";
        for text in [
            "2026-10-32T10:00:00+02:00",
            "2026-10-05T25:10:00+02:00",
            "2026-10-05T10:00:00",
            "05/10/2026 10:00:00",
            "2026-02-30T10:00:00+01:00",
            "2026-10-05T10:00:60+02:00",
            "2026-10-05T10:00:00+02:00 ",
            "2026-10-05 10:00:00+02:00",
            "0000-10-05T10:00:00+02:00",
            "",
            "2026-10-05T10:00:00+2:000",
            "2026-1O-05T10:00:00+02:00",
            "2026-10-05T10:00:00Z",
            "2026-10-05T10:00:00+02:60",
            "2026-00-05T10:00:00+02:00",
        ] {
            assert_eq!(clock(iso, text), None, "{text}");
        }
    }

    #[test]
    fn patterns_say_what_is_wrong_with_them() {
        for (pattern, word) in [("YYYY-MM-DD hh:mm", "`h`"), ("YYYY YYYY", "twice"), ("", "no date"), ("YYYY-MM-DD é", "`é`")] {
            let error = TimePattern::compile(pattern).expect_err("no pattern");
            assert!(error.contains(word), "{error}");
        }
    }
}
