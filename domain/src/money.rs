//! Money as exact integers: nano-units of a currency, and rounding that always names its places and its mode.

use std::collections::BTreeMap;
use std::fmt;

/// Nano-units (10⁻⁹) in one unit of a currency.
pub const NANO: i128 = 1_000_000_000;

/// Places behind the point that a nano-unit has.
pub const NANO_PLACES: u8 = 9;

/// A currency by its ISO 4217 code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// The euro.
    pub const EUR: Self = Self(*b"EUR");

    /// Three upper-case letters.
    pub fn parse(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a currency holds three ASCII letters")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for Currency {
    type Error = String;
    fn try_from(code: String) -> Result<Self, String> {
        Self::parse(&code).ok_or_else(|| format!("`{code}` is no currency: three capital letters are, such as EUR"))
    }
}

impl From<Currency> for String {
    fn from(c: Currency) -> String {
        c.as_str().to_owned()
    }
}

/// An amount in nano-units; the currency stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(pub i128);

impl Money {
    /// Reads `12`, `12.5`, `-0.000001`: digits, one point, at most nine places. Nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, frac) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |s: &str| s.bytes().all(|c| c.is_ascii_digit());
        let pointed = digits.contains('.');
        if whole.is_empty() || whole.len() > 18 || frac.len() > 9 || (pointed && frac.is_empty()) || !plain(whole) || !plain(frac)
        {
            return None;
        }
        let whole: i128 = whole.parse().ok()?;
        let frac: i128 = if frac.is_empty() { 0 } else { format!("{frac:0<9}").parse().ok()? };
        Some(Self(sign * (whole * NANO + frac)))
    }

    /// The sum; amounts that overflow 128 bits do not exist in this trade.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    /// The decimal text with exactly `places` digits (0 to 9); digits beyond are not shown, so round before.
    pub fn to_text(self, places: u8) -> String {
        let places = usize::from(places.min(NANO_PLACES));
        let sign = if self.0 < 0 { "-" } else { "" };
        let value = self.0.unsigned_abs();
        let (whole, frac) = (value / NANO.unsigned_abs(), value % NANO.unsigned_abs());
        let frac = &format!("{frac:09}")[..places];
        if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{frac}") }
    }
}

impl fmt::Display for Money {
    /// At least two places, more where they are not zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_text(NANO_PLACES);
        let keep = text.trim_end_matches('0').len().max(text.len() - 7);
        f.write_str(&text[..keep])
    }
}

/// How a remainder is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundingMode {
    /// Half away from zero: 0.5 becomes 1, -0.5 becomes -1.
    HalfUp,
    /// Half to the even neighbour.
    HalfEven,
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
}

/// Where and how an amount is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rounding {
    /// Places behind the point, 0 to 9.
    pub places: u8,
    /// How the remainder is decided.
    pub mode: RoundingMode,
}

impl Rounding {
    /// The quotient `numerator / denominator` of nano-units, rounded once to these places. `denominator` is positive.
    pub fn divide(self, numerator: i128, denominator: i128) -> i128 {
        debug_assert!(denominator > 0 && self.places <= NANO_PLACES);
        let unit = i128::from(10i64.pow(u32::from(NANO_PLACES - self.places)));
        let divisor = denominator * unit;
        let quotient = quotient(numerator, divisor);
        let rest = numerator - quotient * divisor;
        let away = match self.mode {
            RoundingMode::HalfUp => rest.abs() * 2 >= divisor,
            RoundingMode::HalfEven => rest.abs() * 2 > divisor || (rest.abs() * 2 == divisor && quotient % 2 != 0),
            RoundingMode::Up => rest != 0,
            RoundingMode::Down => false,
        };
        (quotient + if away { numerator.signum() } else { 0 }) * unit
    }
}

/// Towards zero; `divisor` is positive. What fits 64 bits is divided there, which most amounts do and takes a fraction of the time.
#[inline]
fn quotient(numerator: i128, divisor: i128) -> i128 {
    match (i64::try_from(numerator), i64::try_from(divisor)) {
        (Ok(numerator), Ok(divisor)) => i128::from(numerator / divisor),
        _ => numerator / divisor,
    }
}

/// Adds sums by currency.
pub fn add_sums(sums: &mut BTreeMap<Currency, Money>, more: &BTreeMap<Currency, Money>) {
    for (currency, money) in more {
        let sum = sums.entry(*currency).or_default();
        *sum = sum.plus(*money);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_only_plain_decimals() {
        assert_eq!(Money::parse("0.123456789"), Some(Money(123_456_789)));
        assert_eq!(Money::parse("-2"), Some(Money(-2 * NANO)));
        for bad in ["", ".", "1.", ".5", "1,5", "1e3", "+1", "1.0000000001", "--1", " 1", "0x1"] {
            assert_eq!(Money::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn shows_at_least_two_places() {
        assert_eq!(Money(370_000_000).to_string(), "0.37");
        assert_eq!(Money(-1_234_500_000).to_string(), "-1.2345");
        assert_eq!(Money(5 * NANO).to_string(), "5.00");
        assert_eq!(Money(1).to_text(9), "0.000000001");
    }

    #[test]
    fn rounding_modes_at_the_half() {
        let to = |mode, n| Rounding { places: 2, mode }.divide(n, 2) / 10_000_000;
        // 0.005 is half a cent: numerator 0.010 over 2
        for (mode, up, down) in
            [(RoundingMode::HalfUp, 1, -1), (RoundingMode::HalfEven, 0, 0), (RoundingMode::Up, 1, -1), (RoundingMode::Down, 0, 0)]
        {
            assert_eq!(to(mode, 10_000_000), up, "{mode:?}");
            assert_eq!(to(mode, -10_000_000), down, "{mode:?}");
        }
        assert_eq!(to(RoundingMode::HalfEven, 30_000_000), 2); // 0.015 → 0.02
    }
}
