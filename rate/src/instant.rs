//! Instants, local times and dates as people read them in messages, listings and derivations.

use domain::zone::{SECOND_US, Zone, date_of};

const DAY_US: i64 = 86_400 * SECOND_US;

/// `2026-10-25T01:30:00Z`, or by a wall clock `2026-10-25T02:30:00+01:00`; microseconds only where they are not zero.
pub(crate) fn time_text(instant_us: i64, offset_s: Option<i32>) -> String {
    let clock_us = instant_us.saturating_add(i64::from(offset_s.unwrap_or(0)) * SECOND_US);
    let (year, month, day) = date_of(i32::try_from(clock_us.div_euclid(DAY_US)).unwrap_or(i32::MAX));
    if !(0..=9999).contains(&year) {
        return format!("{instant_us} µs");
    }
    let of_day_us = clock_us.rem_euclid(DAY_US);
    let (second, fraction_us) = (of_day_us / SECOND_US, of_day_us % SECOND_US);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let fraction = if fraction_us == 0 { String::new() } else { format!(".{fraction_us:06}") };
    let suffix = offset_s.map_or_else(|| "Z".to_owned(), |offset| Zone::fixed(offset).name().to_owned());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{suffix}")
}

/// The local day of an instant, such as 2026-01-01.
pub(crate) fn date_text(zone: &Zone, instant_us: i64) -> String {
    let local_us = instant_us.saturating_add(i64::from(zone.offset_at(instant_us)) * SECOND_US);
    day_text(i32::try_from(local_us.div_euclid(DAY_US)).expect("64 bits of microseconds are less than 2^31 days"))
}

/// A count of days since 1970 as a date.
pub(crate) fn day_text(days: i32) -> String {
    let (year, month, day) = date_of(days);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::time_text;

    #[test]
    fn the_repeated_hour_is_told_apart_by_its_offset() {
        let second_half_past_two = 1_792_891_800_000_000;
        assert_eq!(time_text(second_half_past_two, None), "2026-10-25T01:30:00Z");
        assert_eq!(time_text(second_half_past_two, Some(3600)), "2026-10-25T02:30:00+01:00");
        assert_eq!(time_text(second_half_past_two - 3_600_000_001, Some(7200)), "2026-10-25T02:29:59.999999+02:00");
        assert_eq!(time_text(i64::MIN, None), format!("{} µs", i64::MIN));
    }
}
