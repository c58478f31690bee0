//! A difference in per cent of two exact amounts, rounded once to the hundredth.

/// By how many per cent `new` is more than `old`, half a hundredth away from zero: `+12.50 %`. Nothing if `old` is zero, as there
/// is no such figure.
///
/// Amounts over unit sizes stay below 10^27, so that their ten thousandfold fits 128 bits.
pub fn percent(old: i128, new: i128) -> Option<String> {
    if old <= 0 {
        return None;
    }
    let difference = (new - old).checked_mul(10_000)?;
    let (hundredths, rest) = (difference.abs() / old, difference.abs() % old);
    let hundredths = hundredths + i128::from(rest >= old - rest);
    let sign = if difference < 0 { '-' } else { '+' };
    Some(format!("{sign}{}.{:02} %", hundredths / 100, hundredths % 100))
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn per_cent_are_exact_to_the_hundredth() {
        assert_eq!(percent(8, 9).as_deref(), Some("+12.50 %"));
        assert_eq!(percent(10, 5).as_deref(), Some("-50.00 %"));
        // 1/3 = 33.333... per cent; 2/3 = 66.666... per cent.
        assert_eq!(percent(3, 4).as_deref(), Some("+33.33 %"));
        assert_eq!(percent(3, 1).as_deref(), Some("-66.67 %"));
        // 1/800 = 0.125 per cent: half a hundredth goes away from zero.
        assert_eq!(percent(800, 801).as_deref(), Some("+0.13 %"));
        assert_eq!(percent(800, 799).as_deref(), Some("-0.13 %"));
        assert_eq!(percent(5, 5).as_deref(), Some("+0.00 %"));
        assert_eq!(percent(0, 5), None);
    }

    #[test]
    fn the_largest_amounts_over_the_largest_unit_sizes_fit() {
        let most = 1_000_000 * 1_000_000_000 * 1_000_000_000_000i128;
        assert_eq!(percent(1, most), Some(format!("+{}.00 %", (most - 1) * 100)));
    }
}
