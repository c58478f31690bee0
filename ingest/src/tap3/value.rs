//! Reads the values that elements hold: integers, digits, texts, times and offsets.

use domain::number::{Number, NumberKind};
use domain::zone::{SECOND_US, days_of};

/// A clock reading with its offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Microseconds since 1970 UTC.
    pub us: i64,
    /// The clock's offset, seconds east of UTC.
    pub offset_s: i32,
}

/// A two's complement integer of one to eight bytes.
#[inline]
pub(super) fn integer(content: &[u8]) -> Option<i64> {
    let (first, rest) = content.split_first().filter(|(_, rest)| rest.len() < 8)?;
    let first = i64::from(first.cast_signed());
    Some(rest.iter().fold(first, |value, byte| value << 8 | i64::from(*byte)))
}

/// An integer that cannot be negative: counts, codes, volumes and amounts.
#[inline]
pub(super) fn natural(content: &[u8]) -> Option<u64> {
    u64::try_from(integer(content)?).ok()
}

/// Printable ASCII.
#[inline]
pub(super) fn ascii(content: &[u8]) -> Option<&str> {
    content.iter().all(|c| (b' '..=b'~').contains(c)).then(|| std::str::from_utf8(content).ok()).flatten()
}

/// A party's digits as TAP writes them: two to a byte, the first in the high half, `F` fills up at the end. `A` to `E` stand
/// for `*`, `#`, `a`, `b` and `c`, as in 3GPP TS 29.002.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digits {
    symbols: [u8; Self::MAX],
    length: u8,
}

impl Digits {
    /// The longest number that is kept.
    pub const MAX: usize = 32;

    /// Reads packed digits; `None` if a filler stands between digits, or there are too many.
    #[inline]
    pub(super) fn packed(content: &[u8]) -> Option<Self> {
        let mut digits = Self::default();
        let mut is_over = false;
        for half in content.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
            if half == 15 {
                is_over = true;
                continue;
            }
            if is_over {
                return None;
            }
            *digits.symbols.get_mut(usize::from(digits.length))? = b"0123456789*#abc"[usize::from(half)];
            digits.length += 1;
        }
        Some(digits)
    }

    /// Reads digits that are written as text (the dialled digits).
    pub(super) fn written(content: &[u8]) -> Option<Self> {
        let text = ascii(content)?.trim();
        let mut digits = Self { length: u8::try_from(text.len()).ok()?, ..Self::default() };
        digits.symbols.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        Some(digits)
    }

    /// The digits as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.symbols[..usize::from(self.length)]).expect("only ASCII is kept")
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The digits as one number; `None` where a symbol is none, or there are more than 18.
    #[inline]
    pub fn value(&self) -> Option<u64> {
        let text = &self.symbols[..usize::from(self.length)];
        if text.is_empty() || text.len() > 18 {
            return None;
        }
        text.iter().try_fold(0, |value: u64, c| c.is_ascii_digit().then(|| value * 10 + u64::from(c - b'0')))
    }

    /// What kind of number it is. TAP has had no type of number and no numbering plan since 3.10: numbers are international
    /// by rule, and short codes, emergency calls and service codes with `*` and `#` are the exceptions. So 8 to 15 digits
    /// without a leading zero are E.164, 3 to 7 digits are a short code, and anything else is kept as a text.
    #[inline]
    pub fn kind(&self) -> NumberKind {
        match (self.length, self.value()) {
            (0, _) => NumberKind::Absent,
            (8..=15, Some(_)) if self.symbols[0] != b'0' => NumberKind::E164,
            (3..=7, Some(_)) => NumberKind::ShortCode,
            _ => NumberKind::Alphanumeric,
        }
    }

    /// The number for a batch whose texts are `texts`.
    #[inline]
    pub(super) fn number(&self, texts: &mut Vec<String>) -> Number {
        let (value, digits) = (self.value().unwrap_or_default(), u32::from(self.length));
        match self.kind() {
            NumberKind::Absent => Number::ABSENT,
            NumberKind::E164 => Number::e164(value, digits),
            NumberKind::ShortCode => Number::short_code(value, digits),
            kind @ (NumberKind::Alphanumeric | NumberKind::Masked) => {
                let position = u32::try_from(texts.len()).expect("a batch has fewer rows than that");
                texts.push(self.as_str().to_owned());
                Number::text(kind, position)
            }
        }
    }
}

/// Two digits at a place.
#[inline]
fn pair(text: &[u8], at: usize) -> Option<i64> {
    let two = text.get(at..at + 2).filter(|two| two.iter().all(u8::is_ascii_digit))?;
    Some(i64::from(two[0] - b'0') * 10 + i64::from(two[1] - b'0'))
}

/// A local time `CCYYMMDDHHMMSS` in microseconds, as if the clock showed UTC. Midnight may be written as 24:00:00 of the
/// day that ends, as the field reference does.
#[inline]
pub(super) fn local_time(content: &[u8]) -> Option<i64> {
    let text: &[u8; 14] = content.try_into().ok()?;
    let year = i32::try_from(pair(text, 0)? * 100 + pair(text, 2)?).ok()?;
    let (month, day) = (u32::try_from(pair(text, 4)?).ok()?, u32::try_from(pair(text, 6)?).ok()?);
    let (hour, minute, second) = (pair(text, 8)?, pair(text, 10)?, pair(text, 12)?);
    let days = i64::from(days_of(year, month, day)?);
    if minute > 59 || second > 59 || hour > 24 || hour == 24 && (minute, second) != (0, 0) {
        return None;
    }
    Some((days * 86_400 + hour * 3600 + minute * 60 + second) * SECOND_US)
}

/// An offset `+hhmm` or `-hhmm` in seconds.
pub(super) fn utc_offset(content: &[u8]) -> Option<i32> {
    let sign = match content.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    if content.len() != 5 {
        return None;
    }
    let (hours, minutes) = (pair(content, 1)?, pair(content, 3)?);
    if hours > 14 || minutes > 59 {
        return None;
    }
    i32::try_from(sign * (hours * 3600 + minutes * 60)).ok()
}

impl Stamp {
    /// The instant of a local time under an offset.
    #[inline]
    pub(super) fn at(local_us: i64, offset_s: i32) -> Self {
        Self { us: local_us - i64::from(offset_s) * SECOND_US, offset_s }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_twos_complement_of_at_most_eight_bytes() {
        for (bytes, value) in [
            (&[0][..], Some(0)),
            (&[0x7f], Some(127)),
            (&[0x80], Some(-128)),
            (&[0, 0x80], Some(128)),
            (&[0xff, 0xff, 0xff], Some(-1)),
            (&[0x7f, 255, 255, 255, 255, 255, 255, 255], Some(i64::MAX)),
            (&[], None),
            (&[0; 9], None),
        ] {
            assert_eq!(integer(bytes), value, "{bytes:?}");
        }
        assert_eq!(natural(&[0x80]), None);
    }

    #[test]
    fn digits_keep_what_kind_they_are() {
        let kind = |bytes: &[u8]| Digits::packed(bytes).map(|d| (d.as_str().to_owned(), d.kind()));
        assert_eq!(kind(&[0x31, 0x61, 0x23, 0x45, 0x67, 0x8f]), Some(("31612345678".to_owned(), NumberKind::E164)));
        assert_eq!(kind(&[0x11, 0x2f]), Some(("112".to_owned(), NumberKind::ShortCode)));
        assert_eq!(kind(&[0xa2, 0x1b]), Some(("*21#".to_owned(), NumberKind::Alphanumeric)));
        assert_eq!(kind(&[0x06, 0x12, 0x34, 0x56, 0x78]), Some(("0612345678".to_owned(), NumberKind::Alphanumeric)));
        assert_eq!(kind(&[]), Some((String::new(), NumberKind::Absent)));
        assert_eq!(kind(&[0x31, 0xf1]), None, "a filler between digits");
        assert_eq!(kind(&[0x11; 21]), None);
        assert_eq!(Digits::written(b" 0031 ").map(|d| d.as_str().to_owned()).as_deref(), Some("0031"));
    }

    #[test]
    fn times_and_offsets() {
        assert_eq!(local_time(b"19700101000001"), Some(SECOND_US));
        assert_eq!(local_time(b"20261024240000"), local_time(b"20261025000000"));
        for bad in ["2026102502301", "20261325023015", "20260229000000", "20261025246000", "20261025240001", "2026102502301x"] {
            assert_eq!(local_time(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!((utc_offset(b"+0200"), utc_offset(b"-0330")), (Some(7200), Some(-12_600)));
        for bad in ["0200", "+02:00", "+1500", "+0260", "+020", ""] {
            assert_eq!(utc_offset(bad.as_bytes()), None, "{bad}");
        }
    }
}
