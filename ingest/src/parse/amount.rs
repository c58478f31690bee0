//! Reads durations, volumes, amounts and networks.

use domain::columns::parsed::NO_COST;
use domain::number::Network;

use crate::profile::recipe::{Cost, Duration, DurationRounding, DurationUnit, Messages, NetworkForm, Volume};

use super::field::{Field, digits};

/// Places behind the point of a nano-unit.
const NANO_PLACES: usize = 9;

/// Nano-units in a unit.
const NANO: u128 = 1_000_000_000;

/// Nano-units in one of the last place of so many places.
const SCALE: [u128; NANO_PLACES + 1] = [NANO, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1000, 100, 10, 1];

/// One row's amount must fit a column of 18 digits, nine of them behind the point.
const NANO_MAX: u128 = 1_000_000_000 * NANO;

/// Seconds of a duration field; `None` if it is none or beyond the limit.
#[inline]
pub(super) fn duration(rule: &Duration, field: Field<'_>) -> Option<i32> {
    if rule.required && field.is_empty() {
        return None;
    }
    let seconds = match rule.unit {
        _ if let Some(rounding) = rule.rounding => rounded_seconds(rule, rounding, field)?,
        DurationUnit::Seconds => field.natural_or_zero()?,
        DurationUnit::Minutes => field.natural_or_zero()?.checked_mul(60)?,
        DurationUnit::Milliseconds => Some(field.natural_or_zero()?).filter(|ms| ms % 1000 == 0)? / 1000,
        DurationUnit::Clock if field.is_empty() => 0,
        DurationUnit::Clock => clock_seconds(field)?,
    };
    if seconds > rule.max_s {
        return None;
    }
    i32::try_from(seconds).ok()
}

/// Whole seconds of a decimal count of units.
fn rounded_seconds(rule: &Duration, rounding: DurationRounding, field: Field<'_>) -> Option<u64> {
    if field.is_empty() {
        return Some(0);
    }
    let (times, parts) = match rule.unit {
        DurationUnit::Minutes => (60, 1),
        DurationUnit::Milliseconds => (1, 1000),
        DurationUnit::Seconds | DurationUnit::Clock => (1, 1),
    };
    let (nano, second) = (decimal(field, rule.decimal, NANO_PLACES)?.checked_mul(times)?, NANO * parts);
    let seconds = match rounding {
        DurationRounding::Up => nano.div_ceil(second),
        DurationRounding::Down => nano / second,
        DurationRounding::HalfUp => nano.checked_add(second / 2)? / second,
    };
    u64::try_from(seconds).ok()
}

/// Seconds of `hh:mm:ss`, with any number of digits for the hours.
fn clock_seconds(field: Field<'_>) -> Option<u64> {
    let hours_end = field.len().checked_sub(6)?;
    let tail = field.after(hours_end);
    if tail.byte(0) != Some(b':') || tail.byte(3) != Some(b':') {
        return None;
    }
    let hours = field.until(hours_end).natural()?;
    let (minutes, seconds) = (tail.after(1).until(2).natural()?, tail.after(4).until(2).natural()?);
    if minutes > 59 || seconds > 59 {
        return None;
    }
    hours.checked_mul(3600)?.checked_add(minutes * 60 + seconds)
}

/// Bytes of a volume field; `None` if it is none or beyond the limit.
#[inline]
pub(super) fn volume(rule: &Volume, field: Field<'_>) -> Option<i64> {
    if rule.required && field.is_empty() {
        return None;
    }
    let bytes = match rule.unit_bytes {
        1 => field.natural_or_zero()?,
        _ if field.is_empty() => 0,
        _ => unit_bytes(rule, field)?,
    };
    if bytes > rule.max_bytes {
        return None;
    }
    i64::try_from(bytes).ok()
}

/// Bytes of a decimal count of units, rounded half up.
fn unit_bytes(rule: &Volume, field: Field<'_>) -> Option<u64> {
    let nano = decimal(field, rule.decimal, NANO_PLACES)?;
    let nano_bytes = nano.checked_mul(u128::from(rule.unit_bytes))?;
    u64::try_from((nano_bytes + NANO / 2) / NANO).ok()
}

/// Message parts; `None` if the field is none or beyond the limit.
pub(super) fn messages(rule: &Messages, field: Field<'_>) -> Option<i32> {
    let parts = if field.is_empty() && !rule.required { 1 } else { field.natural()? };
    i32::try_from(parts).ok().filter(|_| (1..=rule.max).contains(&parts))
}

/// The provider's cost in nano-units, [`NO_COST`] for an empty field where that is allowed.
#[inline]
pub(super) fn cost(rule: &Cost, field: Field<'_>) -> Option<i64> {
    if field.is_empty() {
        return (!rule.required).then_some(NO_COST);
    }
    signed_nano(rule, field).filter(|nano| nano.unsigned_abs() < NANO_MAX).and_then(|nano| i64::try_from(nano).ok())
}

/// An amount of any size in nano-units: for a row, or for the sum in a trailer.
#[inline]
pub(crate) fn signed_nano(rule: &Cost, field: Field<'_>) -> Option<i128> {
    let is_negative = rule.negative && field.byte(0) == Some(b'-');
    let amount = if is_negative { field.after(1) } else { field };
    let value = match rule.implied_places {
        0 => decimal(amount, rule.decimal, rule.places_max)?,
        places => implied(amount, places)?,
    };
    let value = i128::try_from(value).ok()?;
    Some(if is_negative { -value } else { value })
}

/// Nano-units of digits of which the last ones stand behind a mark that is not written.
fn implied(field: Field<'_>, places: usize) -> Option<u128> {
    field.natural().map(|digits| u128::from(digits) * SCALE[places])
}

/// Nano-units of `digits[mark digits]` with at most `places_max` digits behind the mark.
#[inline]
fn decimal(field: Field<'_>, mark: u8, places_max: usize) -> Option<u128> {
    const ONES: u128 = 0x0101_0101_0101_0101_0101_0101_0101_0101;
    if field.len() > 16 || field.is_empty() {
        return long_decimal(field, mark, places_max);
    }
    let text = field.padded();
    // A byte that equals the mark becomes zero, and the lowest zero byte is the first to borrow from its highest bit.
    let zeroed = text ^ (ONES * u128::from(mark));
    let marks = zeroed.wrapping_sub(ONES) & !zeroed & (ONES << 7);
    if marks == 0 {
        return digits(text).map(|whole| u128::from(whole) * NANO);
    }
    let below = marks.trailing_zeros() - 7;
    let places = 15 - (below / 8) as usize;
    if places == 0 || places > places_max || places + 2 > field.len() {
        return None;
    }
    // The digits before the mark move up over it, and a zero follows them from below.
    let before = text & ((1u128 << below) - 1);
    let behind = text >> 8 >> below << below << 8;
    let value = digits(behind | before << 8 | u128::from(b'0'))?;
    Some(u128::from(value) * SCALE[places])
}

/// As [`decimal`], for long texts with leading zeros or sums.
#[cold]
fn long_decimal(field: Field<'_>, mark: u8, places_max: usize) -> Option<u128> {
    let Some(point) = field.bytes().iter().position(|c| *c == mark) else {
        return field.natural().map(|whole| u128::from(whole) * NANO);
    };
    let places = field.len() - point - 1;
    if places == 0 || places > places_max {
        return None;
    }
    let (whole, part) = (field.until(point).natural()?, field.after(point + 1).natural()?);
    Some(u128::from(whole) * NANO + u128::from(part) * SCALE[places])
}

/// The network of a field; `None` if it is none.
#[inline]
pub(super) fn network(rule: &NetworkForm, field: Field<'_>) -> Option<Network> {
    let length = field.len();
    if length == 0 {
        return (!rule.required).then_some(Network::ABSENT);
    }
    if rule.mccmnc
        && (length == 5 || length == 6)
        && let Some(value) = field.natural()
    {
        let digits = u32::try_from(length).ok()?;
        return u32::try_from(value).ok().map(|value| Network::mccmnc(value, digits));
    }
    let code: [u8; 5] = field.bytes().try_into().ok().filter(|_| rule.tadig)?;
    Network::tadig(code)
}

/// An IMSI of 14 or 15 digits.
pub(super) fn imsi(field: Field<'_>) -> Option<u64> {
    (14..=15).contains(&field.len()).then(|| field.natural()).flatten()
}

/// The first 19 digits of an ICCID of 18 to 20 digits, without the F that pads it in files.
pub(super) fn iccid(field: Field<'_>) -> Option<u64> {
    let padding = field.bytes().iter().rev().take_while(|c| b"Ff".contains(c)).count();
    let digits = field.until(field.len() - padding);
    if !(18..=20).contains(&digits.len()) || !digits.bytes().iter().all(u8::is_ascii_digit) {
        return None;
    }
    digits.until(digits.len().min(19)).natural()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::profile::recipe::Slot;

    fn euros(decimal: u8, places_max: usize, negative: bool) -> Cost {
        Cost { slot: Slot(0), currency: None, decimal, places_max, implied_places: 0, negative, required: false }
    }

    #[test]
    fn amounts_are_digits_with_one_mark_and_few_places() {
        let job = |text: &str| cost(&euros(b'.', 6, false), Field::of(text.as_bytes()));
        assert_eq!(job("0"), Some(0));
        assert_eq!(job("0.064124"), Some(64_124_000));
        assert_eq!(job("999999999.999999"), Some(999_999_999_999_999_000));
        assert_eq!(job(""), Some(NO_COST));
        for bad in ["0,12", "n/a", "EUR 1", "1.2.3", "1.", ".5", "-1", "1.1234567", "1000000000", "1e3", "99999999999999999999"] {
            assert_eq!(job(bad), None, "{bad}");
        }
        assert_eq!(cost(&euros(b',', 9, true), Field::of(b"-12,000000001")), Some(-12_000_000_001));
    }

    #[test]
    fn a_mark_that_is_not_written_is_where_the_profile_says() {
        let rule = Cost { implied_places: 4, ..euros(b'.', 9, true) };
        let read = |text: &str| cost(&rule, Field::of(text.as_bytes()));
        assert_eq!(read("000412"), Some(41_200_000));
        assert_eq!(read("-1"), Some(-100_000));
        assert_eq!(read("9999999999999"), Some(999_999_999_999_900_000));
        assert_eq!(read(""), Some(NO_COST));
        for bad in ["0.0412", "0,0412", "-", " 12", "10000000000000", "18446744073709551616"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn short_and_long_readings_of_amounts_agree(
            text in "[0-9]{0,9}[.,]?[0-9]{0,10}|[0-9.,-]{0,17}",
            places_max in 0..10usize,
        ) {
            let field = Field::of(text.as_bytes());
            let expected = long_decimal(field, b'.', places_max);
            prop_assert_eq!(decimal(field, b'.', places_max), expected);
            let inside = format!("0612345678901234567;{text};7.5");
            let field = Field { data: inside.as_bytes(), from: 20, to: 20 + text.len() };
            prop_assert_eq!(decimal(field, b'.', places_max), expected);
        }
    }

    fn of(unit: DurationUnit, rounding: Option<DurationRounding>) -> Duration {
        Duration { slot: Slot(0), unit, rounding, decimal: b',', required: true, empty_is_zero: false, max_s: 360_000 }
    }

    #[test]
    fn a_part_of_a_second_is_rounded_as_the_source_says_or_refused() {
        use DurationRounding::{Down, HalfUp, Up};
        use DurationUnit::{Milliseconds, Minutes, Seconds};
        let read = |unit, rounding, text: &str| duration(&of(unit, Some(rounding)), Field::of(text.as_bytes()));
        // (unit, text, up, down, half up)
        for (unit, text, up, down, half_up) in [
            (Seconds, "62", 62, 62, 62),
            (Seconds, "62,0", 62, 62, 62),
            (Seconds, "62,4", 63, 62, 62),
            (Seconds, "62,5", 63, 62, 63),
            (Seconds, "0,000000001", 1, 0, 0),
            (Seconds, "0", 0, 0, 0),
            (Minutes, "1,5", 90, 90, 90),
            // 1.01 minutes are 60.6 seconds.
            (Minutes, "1,01", 61, 60, 61),
            (Milliseconds, "61000", 61, 61, 61),
            (Milliseconds, "61499", 62, 61, 61),
            (Milliseconds, "61500", 62, 61, 62),
            (Milliseconds, "1", 1, 0, 0),
        ] {
            let found = [Up, Down, HalfUp].map(|rounding| read(unit, rounding, text));
            assert_eq!(found, [up, down, half_up].map(Some), "{text} of {unit:?}");
        }
        for bad in ["", "-1", "62.4", "62,", ",4", "1,0000000001", "360000,1", "abc", "99999999999999999999"] {
            assert_eq!(read(Seconds, Up, bad), None, "{bad}");
        }
        assert_eq!(duration(&of(Seconds, None), Field::of(b"62,4")), None, "no contract says what becomes of it");
        assert_eq!(duration(&of(Milliseconds, None), Field::of(b"62000")), Some(62));
        assert_eq!(duration(&of(Milliseconds, None), Field::of(b"62001")), None);
    }

    #[test]
    fn durations_in_three_units() {
        let read = |unit, text: &str| duration(&of(unit, None), Field::of(text.as_bytes()));
        assert_eq!(read(DurationUnit::Seconds, "63"), Some(63));
        assert_eq!(read(DurationUnit::Minutes, "3"), Some(180));
        assert_eq!(read(DurationUnit::Clock, "01:02:03"), Some(3723));
        assert_eq!(read(DurationUnit::Clock, "100:00:00"), Some(360_000));
        for (unit, bad) in [
            (DurationUnit::Seconds, ""),
            (DurationUnit::Seconds, "-5"),
            (DurationUnit::Seconds, "12s"),
            (DurationUnit::Seconds, "360001"),
            (DurationUnit::Clock, "01:60:00"),
            (DurationUnit::Clock, "02:03"),
            (DurationUnit::Clock, ":02:03"),
            (DurationUnit::Clock, "100:00:01"),
            (DurationUnit::Minutes, "99999999999999999999"),
            (DurationUnit::Minutes, "18446744073709551615"),
        ] {
            assert_eq!(read(unit, bad), None, "{bad}");
        }
    }

    #[test]
    fn volumes_keep_their_unit() {
        let kilo = Volume {
            up: None,
            down: None,
            unit_bytes: 1024,
            decimal: b',',
            required: true,
            empty_is_zero: false,
            max_bytes: 1 << 40,
        };
        let read = |text: &str| volume(&kilo, Field::of(text.as_bytes()));
        assert_eq!(read("3"), Some(3072));
        assert_eq!(read("0,5"), Some(512));
        assert_eq!(read("0,0005"), Some(1), "0.512 bytes round up");
        for bad in ["", "1k", "-1", "1099511627777", "99999999999999999999", "18446744073709551615"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn networks_and_cards() {
        let either = NetworkForm { slot: Slot(0), mccmnc: true, tadig: true, required: false };
        let shown = |text: &str| network(&either, Field::of(text.as_bytes())).map(|n| n.to_string());
        assert_eq!(shown("20404").as_deref(), Some("20404"));
        assert_eq!(shown("310260").as_deref(), Some("310260"));
        assert_eq!(shown("NLDPT").as_deref(), Some("NLDPT"));
        assert_eq!(shown("").as_deref(), Some(""));
        for bad in ["2040", "20x04", "nldpt", "2040400"] {
            assert_eq!(shown(bad), None, "{bad}");
        }
        assert_eq!(iccid(Field::of(b"8931440400000000017F")), Some(8_931_440_400_000_000_017));
        assert_eq!(iccid(Field::of(b"89314404000000000179")), Some(8_931_440_400_000_000_017));
        assert_eq!(iccid(Field::of(b"89314")), None);
        assert_eq!(imsi(Field::of(b"204080000000001")), Some(204_080_000_000_001));
        assert_eq!(imsi(Field::of(b"2040800000000")), None);
    }
}
