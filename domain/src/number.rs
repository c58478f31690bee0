//! Numbers that calls go to and come from: parsed once at the edge, one machine word each.
//!
//! A [`Number`] says what it is: E.164 digits, a short code, an alphanumeric sender, a masked number, or absent.

use std::fmt;

/// What kind of number a source gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum NumberKind {
    /// The field is empty, as for data sessions.
    Absent = 0,
    /// Country code and subscriber number, 8 to 15 digits, no plus sign.
    E164 = 1,
    /// 3 to 7 digits with a meaning of their own: 112, 1233, 116000.
    ShortCode = 2,
    /// A sender that is a word: a bank's name on an SMS.
    Alphanumeric = 3,
    /// The source hid it: `anonymous`, `0612****78`.
    Masked = 4,
}

impl NumberKind {
    /// The name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::E164 => "e164",
            Self::ShortCode => "short_code",
            Self::Alphanumeric => "alphanumeric",
            Self::Masked => "masked",
        }
    }
}

const KIND_SHIFT: u32 = 60;
const LENGTH_SHIFT: u32 = 55;
const VALUE_MASK: u64 = (1 << LENGTH_SHIFT) - 1;

/// A typed number in one word: 4 bits of kind, 5 bits of length, 55 bits of digits or of a text's position in its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Number(u64);

impl Number {
    /// No number.
    pub const ABSENT: Self = Self(0);

    /// E.164 digits as an integer; `digits` counts them (8 to 15, the first is not 0).
    pub fn e164(value: u64, digits: u32) -> Self {
        debug_assert!(value < 10u64.pow(16), "an E.164 number has at most 15 digits");
        Self::pack(NumberKind::E164, digits, value)
    }

    /// A short code with its leading zeros counted in `digits`.
    pub fn short_code(value: u64, digits: u32) -> Self {
        Self::pack(NumberKind::ShortCode, digits, value)
    }

    /// A word or a masked number whose text is `position` of its batch's texts.
    pub fn text(kind: NumberKind, position: u32) -> Self {
        Self::pack(kind, 0, u64::from(position))
    }

    fn pack(kind: NumberKind, digits: u32, value: u64) -> Self {
        Self(u64::from(kind as u8) << KIND_SHIFT | u64::from(digits & 31) << LENGTH_SHIFT | value & VALUE_MASK)
    }

    /// Which kind it is.
    pub fn kind(self) -> NumberKind {
        match self.0 >> KIND_SHIFT {
            1 => NumberKind::E164,
            2 => NumberKind::ShortCode,
            3 => NumberKind::Alphanumeric,
            4 => NumberKind::Masked,
            _ => NumberKind::Absent,
        }
    }

    /// The digits as an integer (E.164 and short codes) or the position of the text.
    pub fn value(self) -> u64 {
        self.0 & VALUE_MASK
    }

    /// How many digits there are, leading zeros included.
    pub fn digits(self) -> u32 {
        (self.0 >> LENGTH_SHIFT & 31) as u32
    }

    /// The E.164 digits, if that is what it is: what linking and prefix matching ask for.
    pub fn as_e164(self) -> Option<u64> {
        (self.kind() == NumberKind::E164).then(|| self.value())
    }

    /// Writes digits or the text from `texts` into `out`; nothing for an absent number.
    pub fn write(self, texts: &[String], out: &mut impl fmt::Write) -> fmt::Result {
        match self.kind() {
            NumberKind::Absent => Ok(()),
            NumberKind::E164 => write!(out, "{}", self.value()),
            NumberKind::ShortCode => write!(out, "{:0width$}", self.value(), width = self.digits() as usize),
            NumberKind::Alphanumeric | NumberKind::Masked => {
                out.write_str(usize::try_from(self.value()).ok().and_then(|i| texts.get(i)).map_or("", String::as_str))
            }
        }
    }
}

/// The network that carried the usage: MCC-MNC digits (5 or 6) or a TADIG code (5 characters); one word each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Network(u32);

const NETWORK_MNC3: u32 = 1 << 31;
const NETWORK_TADIG: u32 = 1 << 30;

impl Network {
    /// The source names none.
    pub const ABSENT: Self = Self(0);

    /// MCC and MNC as one integer of `digits` (5 or 6) digits.
    pub fn mccmnc(value: u32, digits: u32) -> Self {
        Self((value + 1) | if digits == 6 { NETWORK_MNC3 } else { 0 })
    }

    /// A TADIG code: five upper-case letters or digits.
    pub fn tadig(code: [u8; 5]) -> Option<Self> {
        let mut value = 0u32;
        for c in code {
            value = value * 36 + char::from(c).to_digit(36).filter(|_| !c.is_ascii_lowercase())?;
        }
        Some(Self((value + 1) | NETWORK_TADIG))
    }

    /// Reads MCC-MNC digits (`20404`, `310260`) or a TADIG code (`NLDPT`), as they are written.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digits = text.bytes().all(|c| c.is_ascii_digit());
        match (text.len(), is_digits) {
            (5 | 6, true) => text.parse().ok().map(|value| Self::mccmnc(value, if text.len() == 6 { 6 } else { 5 })),
            (5, false) => Self::tadig(text.as_bytes().try_into().ok()?),
            _ => None,
        }
    }

    /// Whether the source named one.
    pub fn is_absent(self) -> bool {
        self.0 == 0
    }

    /// The mobile country code, if it is an MCC-MNC.
    pub fn mcc(self) -> Option<u32> {
        if self.0 == 0 || self.0 & NETWORK_TADIG != 0 {
            return None;
        }
        let value = (self.0 & !NETWORK_MNC3) - 1;
        Some(if self.0 & NETWORK_MNC3 == 0 { value / 100 } else { value / 1000 })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return Ok(());
        }
        if self.0 & NETWORK_TADIG != 0 {
            let mut value = (self.0 & !NETWORK_TADIG) - 1;
            let mut code = ['0'; 5];
            for c in code.iter_mut().rev() {
                *c = char::from_digit(value % 36, 36).expect("a remainder of 36 is a digit of base 36").to_ascii_uppercase();
                value /= 36;
            }
            return f.write_str(&code.iter().collect::<String>());
        }
        let value = (self.0 & !NETWORK_MNC3) - 1;
        let width = if self.0 & NETWORK_MNC3 == 0 { 5 } else { 6 };
        write!(f, "{value:0width$}")
    }
}

/// Hides the middle of a subscriber's number for logs and default columns: `316•••••678`.
pub fn masked(number: &str) -> String {
    let all: Vec<char> = number.chars().collect();
    if all.len() < 7 {
        return "•".repeat(all.len());
    }
    let tail = all.len() - 3;
    all.iter().enumerate().map(|(i, c)| if (3..tail).contains(&i) { '•' } else { *c }).collect()
}

/// Hides runs of seven digits and more, as in subscriber numbers, but keeps three at each end. A control character does not
/// end a run: a number that a stray byte cuts in two stays hidden.
pub fn mask_digits(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() || !run.is_empty() && c.is_control() {
            run.push(c);
        } else {
            take_run(&mut run, &mut out);
            out.push(c);
        }
    }
    take_run(&mut run, &mut out);
    out
}

fn take_run(run: &mut String, out: &mut String) {
    let digits = run.chars().filter(char::is_ascii_digit).count();
    if digits >= 7 {
        out.push_str(&masked(run));
    } else {
        out.push_str(run);
    }
    run.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_source_line_are_hidden_but_dates_are_not() {
        assert_eq!(mask_digits("0612345678;2026-10-01;12"), "061••••678;2026-10-01;12");
        assert_eq!(mask_digits("a;0612\u{0}5678;12\r"), "a;061•••678;12\r");
    }

    #[test]
    fn numbers_keep_kind_zeros_and_text() {
        let texts = vec!["RABOBANK".to_owned()];
        let shown = |n: Number| {
            let mut s = String::new();
            n.write(&texts, &mut s).expect("a string takes all");
            s
        };
        assert_eq!(shown(Number::e164(31_612_345_678, 11)), "31612345678");
        assert_eq!(shown(Number::short_code(12, 3)), "012");
        assert_eq!(shown(Number::text(NumberKind::Alphanumeric, 0)), "RABOBANK");
        assert_eq!(shown(Number::ABSENT), "");
        assert_eq!(Number::short_code(112, 3).as_e164(), None);
    }

    #[test]
    fn networks_print_as_they_came() {
        assert_eq!(Network::mccmnc(20_404, 5).to_string(), "20404");
        assert_eq!(Network::mccmnc(1_011, 5).to_string(), "01011");
        assert_eq!(Network::mccmnc(310_260, 6).mcc(), Some(310));
        assert_eq!(Network::tadig(*b"NLDPT").map(|n| n.to_string()), Some("NLDPT".to_owned()));
        assert_eq!(Network::tadig(*b"nldpt"), None);
    }

    #[test]
    fn masking_keeps_three_at_each_end() {
        assert_eq!(masked("31612345678"), "316•••••678");
        assert_eq!(masked("112"), "•••");
    }
}
