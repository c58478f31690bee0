//! Exact amounts: decimals as fractions of whole numbers of any size, and the one rounding at the end.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed};

/// Units of 10⁻⁹ in one unit of a currency have so many decimal places.
const NANO_PLACES: u32 = 9;

/// How the last place of a charge comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// To the nearest; halves away from zero.
    HalfUp,
    /// To the nearest; halves to the even neighbour.
    HalfEven,
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
}

/// `-12.5` as a fraction.
pub(crate) fn decimal(text: &str) -> Option<BigRational> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{part}");
    if all.is_empty() || !all.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let places = u32::try_from(part.len()).ok()?;
    let numerator: BigInt = all.parse().ok()?;
    Some(BigRational::new(numerator * sign, BigInt::from(10).pow(places)))
}

/// A whole number as a fraction.
pub(crate) fn whole(value: impl Into<BigInt>) -> BigRational {
    BigRational::from_integer(value.into())
}

/// An amount in units of the currency, rounded, in units of 10⁻⁹.
pub(crate) fn rounded_nano(amount: &BigRational, places: u32, mode: Mode) -> BigInt {
    let scale = BigInt::from(10).pow(places);
    let scaled = amount.abs() * whole(scale);
    let below = scaled.to_integer();
    let rest = scaled.fract() * whole(2);
    let one = BigRational::one();
    let is_odd = &below % 2u8 == BigInt::one();
    let goes_up = match mode {
        Mode::HalfUp => rest >= one,
        Mode::HalfEven => rest > one || (rest == one && is_odd),
        Mode::Up => rest.is_positive(),
        Mode::Down => false,
    };
    let size = (below + u8::from(goes_up)) * BigInt::from(10).pow(NANO_PLACES.saturating_sub(places));
    if amount.is_negative() { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_and_nothing_else_is_one() {
        assert_eq!(decimal("0.05"), Some(BigRational::new(1.into(), 20.into())));
        assert_eq!(decimal("-12.5"), Some(BigRational::new((-25).into(), 2.into())));
        assert_eq!(decimal("3"), Some(whole(3)));
        for text in ["", "-", ".", "1,5", "1e3", "1.2.3", "+1"] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }

    #[test]
    fn each_mode_rounds_halves_as_its_name_says() {
        let rounded = |text: &str, mode| rounded_nano(&decimal(text).expect("a decimal"), 2, mode) / 10_000_000;
        let cases = [
            ("0.125", [13, 12, 13, 12]),
            ("0.135", [14, 14, 14, 13]),
            ("-0.125", [-13, -12, -13, -12]),
            ("0.1201", [12, 12, 13, 12]),
            ("0.12", [12, 12, 12, 12]),
        ];
        for (text, expected) in cases {
            let found = [Mode::HalfUp, Mode::HalfEven, Mode::Up, Mode::Down].map(|mode| rounded(text, mode));
            assert_eq!(found, expected.map(BigInt::from), "{text}");
        }
    }
}
