//! Instants in reference files: RFC 3339 with seconds and an offset, as microseconds since 1970 UTC.

use domain::zone::{SECOND_US, date_of, days_of};

/// Why a text is no instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstantError {
    /// Another pattern.
    #[error(
        "`{0}` is no instant; write it with seconds and the offset of its clock, such as 2026-10-01T00:00:00+02:00, or Z for UTC"
    )]
    Pattern(String),
    /// The pattern is right, the calendar has no such day or the clock no such time.
    #[error("`{0}` does not exist in the calendar; correct day, month, hour, minute, second or offset")]
    Impossible(String),
}

/// Reads `2026-10-01T00:00:00Z`; a fraction of up to 6 digits and an offset such as `+02:00` are allowed.
pub fn parse_instant(text: &str) -> Result<i64, InstantError> {
    parse_local_time(text).map(|(instant_us, _)| instant_us)
}

/// As [`parse_instant`], with the offset of the clock that the text shows, in seconds east of UTC.
pub fn parse_local_time(text: &str) -> Result<(i64, i32), InstantError> {
    let wrong = || InstantError::Pattern(text.chars().take(40).collect());
    let bytes = text.as_bytes();
    if bytes.len() < 20 || !text.is_ascii() {
        return Err(wrong());
    }
    for (position, mark) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
        if bytes[position] != mark {
            return Err(wrong());
        }
    }
    let number = |from: usize, to: usize| digits(&bytes[from..to]).ok_or_else(wrong);
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let zone_at = 19 + bytes[19..].iter().position(|b| !(b.is_ascii_digit() || *b == b'.')).ok_or_else(wrong)?;
    let fraction_us = fraction_us(&bytes[19..zone_at]).ok_or_else(wrong)?;
    let offset_s = offset_s(&bytes[zone_at..]).ok_or_else(wrong)?;

    let impossible = || InstantError::Impossible(text.to_owned());
    let narrow = |n: i64| u32::try_from(n).unwrap_or(0);
    let days = days_of(i32::try_from(year).unwrap_or(0), narrow(month), narrow(day)).ok_or_else(impossible)?;
    if hour > 23 || minute > 59 || second > 59 || offset_s.abs() > 18 * 3600 {
        return Err(impossible());
    }
    let clock_s = i64::from(days) * 86_400 + hour * 3600 + minute * 60 + second;
    let offset = i32::try_from(offset_s).map_err(|_| impossible())?;
    Ok(((clock_s - offset_s) * SECOND_US + fraction_us, offset))
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0i64, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
}

/// `.5` is 500,000 µs; nothing is 0; more than six places cannot be kept.
fn fraction_us(bytes: &[u8]) -> Option<i64> {
    match bytes {
        [] => Some(0),
        [b'.', places @ ..] if (1..=6).contains(&places.len()) => {
            let scale = (places.len()..6).fold(1, |s, _| s * 10);
            digits(places).map(|n| n * scale)
        }
        _ => None,
    }
}

fn offset_s(bytes: &[u8]) -> Option<i64> {
    match bytes {
        [b'Z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let seconds = digits(&[*h1, *h2])? * 3600 + digits(&[*m1, *m2]).filter(|m| *m < 60)? * 60;
            Some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => None,
    }
}

/// Writes an instant in UTC, with a fraction only where there is one.
pub fn show_instant(instant_us: i64) -> String {
    let second = instant_us.div_euclid(SECOND_US);
    let (days, clock_s) = (second.div_euclid(86_400), second.rem_euclid(86_400));
    let (year, month, day) = date_of(i32::try_from(days).unwrap_or(if days < 0 { i32::MIN / 2 } else { i32::MAX / 2 }));
    let mut text = format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}", clock_s / 3600, clock_s / 60 % 60, clock_s % 60);
    let fraction_us = instant_us.rem_euclid(SECOND_US);
    if fraction_us != 0 {
        text.push_str(format!(".{fraction_us:06}").trim_end_matches('0'));
    }
    text.push('Z');
    text
}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn instants_are_read_with_offset_and_fraction() {
        assert_eq!(parse_instant("1970-01-01T00:00:00Z"), Ok(0));
        assert_eq!(parse_instant("2026-10-01T00:00:00Z"), Ok(1_790_812_800_000_000));
        assert_eq!(parse_instant("2026-10-01T02:00:00+02:00"), Ok(1_790_812_800_000_000));
        assert_eq!(parse_instant("2026-09-30T19:00:00.25-05:00"), Ok(1_790_812_800_250_000));
    }

    #[test]
    fn other_patterns_and_impossible_dates_are_told_apart() {
        for text in [
            "",
            "2026-10-01",
            "2026-10-01T00:00:00",
            "2026-10-01 00:00:00Z",
            "01-10-2026T00:00:00Z",
            "2026-10-01T00:00:00.1234567Z",
            "2026-10-01T00:00:00.Z",
            "2026-10-01T00:00:00+0200",
            "2026-10-01T00:00:00Zz",
            "2026-1０-01T00:00:00Z",
        ] {
            assert!(matches!(parse_instant(text), Err(InstantError::Pattern(_))), "{text}");
        }
        for text in [
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-10-00T00:00:00Z",
            "2026-10-01T24:00:00Z",
            "0000-01-01T00:00:00Z",
            "2026-10-01T00:60:00Z",
            "2026-10-01T00:00:60Z",
            "2026-10-01T00:00:00+19:00",
        ] {
            assert!(matches!(parse_instant(text), Err(InstantError::Impossible(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(instant_us in -60_000_000_000_000_000i64..250_000_000_000_000_000) {
            prop_assert_eq!(parse_instant(&show_instant(instant_us)), Ok(instant_us));
        }

        #[test]
        fn garbage_never_panics(text in ".{0,40}") {
            let _ = parse_instant(&text);
        }
    }
}
