//! One row's fields as positions in a buffer, and digits read eight at a time from there.

/// ASCII zeros in all eight bytes.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// A row cut into fields: where each one ends. The byte after an end is a separator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub data: &'a [u8],
    pub begin: usize,
    pub ends: &'a [u32],
}

impl<'a> Row<'a> {
    /// The field at a position, which must be below the number of fields.
    #[inline]
    pub fn field(&self, at: usize) -> Field<'a> {
        let from = if at == 0 { self.begin } else { self.ends[at - 1] as usize + 1 };
        Field { data: self.data, from, to: self.ends[at] as usize }
    }

    /// All fields.
    pub fn fields(self) -> impl Iterator<Item = Field<'a>> {
        (0..self.ends.len()).map(move |at| self.field(at))
    }
}

/// A field, or a part of one: bytes of a buffer that goes on after it, so that whole words can be loaded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    pub data: &'a [u8],
    pub from: usize,
    pub to: usize,
}

impl<'a> Field<'a> {
    /// All of a buffer.
    pub fn of(data: &'a [u8]) -> Self {
        Self { data, from: 0, to: data.len() }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.to - self.from
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.from == self.to
    }

    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        &self.data[self.from..self.to]
    }

    /// The same without its first bytes.
    #[inline]
    pub fn after(&self, count: usize) -> Self {
        Self { from: self.from + count, ..*self }
    }

    /// Its first bytes.
    #[inline]
    pub fn until(&self, count: usize) -> Self {
        Self { to: self.from + count, ..*self }
    }

    /// The byte at a position of the field.
    #[inline]
    pub fn byte(&self, at: usize) -> Option<u8> {
        self.bytes().get(at).copied()
    }

    /// Eight bytes of the buffer as a word, the first in the lowest byte; zeros behind the buffer's end.
    #[inline]
    fn load(&self, at: usize) -> u64 {
        if let Some(bytes) = self.data.get(at..at + 8) {
            return u64::from_le_bytes(bytes.try_into().expect("the range has eight bytes"));
        }
        let rest = self.data.get(at..).unwrap_or_default();
        rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
    }

    /// Four words from the field's beginning; bytes behind the field are whatever follows it.
    #[inline]
    pub fn words(&self) -> [u64; 4] {
        [0, 8, 16, 24].map(|at| self.load(self.from + at))
    }

    /// A text of at most eight bytes as one word, padded with zeros; `None` for longer ones.
    #[inline]
    pub fn word(&self) -> Option<u64> {
        match self.len() {
            0 => Some(0),
            n @ 1..=8 => Some(self.load(self.from) & (u64::MAX >> (64 - 8 * n))),
            _ => None,
        }
    }

    /// The value of a field that is digits only; `None` for any other text, an empty one, and beyond 64 bits.
    #[inline]
    pub fn natural(&self) -> Option<u64> {
        match self.len() {
            0 => None,
            n @ 1..=8 => digits(self.load(self.from), n),
            n @ 9..=16 => {
                let high = digits(self.load(self.from), n - 8)?;
                let low = digits(self.load(self.to - 8), 8)?;
                Some(high * 100_000_000 + low)
            }
            _ => self.long_natural(),
        }
    }

    #[cold]
    fn long_natural(&self) -> Option<u64> {
        self.bytes().iter().try_fold(0u64, |value, byte| {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 { None } else { value.checked_mul(10)?.checked_add(u64::from(digit)) }
        })
    }
}

/// The value of the first `count` (1 to 8) bytes of a word, if they are digits.
#[inline]
fn digits(word: u64, count: usize) -> Option<u64> {
    // The digits move to the word's top, and zeros fill it up from below: leading zeros, as the first byte is the lowest.
    let shift = (8 - count) * 8;
    let padding = !(u64::MAX << shift);
    let word = word << shift | ZEROS & padding;
    let low = word & 0x0f0f_0f0f_0f0f_0f0f;
    let beyond_nine = (low + 0x0606_0606_0606_0606) & 0x1010_1010_1010_1010;
    if (word & 0xf0f0_f0f0_f0f0_f0f0) != ZEROS || beyond_nine != 0 {
        return None;
    }
    // Pairs, then fours, then eight: each step adds ten (hundred, ten thousand) times the lower half to the upper one.
    let pairs = low.wrapping_mul(10 << 8 | 1) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100 << 16 | 1) >> 16 & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(10_000 << 32 | 1) >> 32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digits_are_read_at_the_end_of_a_buffer_and_before_other_bytes() {
        for (text, value) in [("7", 7), ("00012", 12), ("12345678", 12_345_678), ("123456789", 123_456_789), ("31612345678", 31_612_345_678)] {
            assert_eq!(Field::of(text.as_bytes()).natural(), Some(value));
            let longer = format!("99{text},123456789");
            let field = Field { data: longer.as_bytes(), from: 2, to: 2 + text.len() };
            assert_eq!(field.natural(), Some(value));
        }
        assert_eq!(Field::of(b"18446744073709551615").natural(), Some(u64::MAX));
        assert_eq!(Field::of(b"18446744073709551616").natural(), None);
        assert_eq!(Field::of(b"").natural(), None);
    }

    proptest! {
        #[test]
        fn naturals_agree_with_the_standard_library(text in "[0-9/:;]{1,20}|[0-9]{1,20}|.{0,10}") {
            let plain = text.bytes().all(|c| c.is_ascii_digit());
            let expected = if plain { text.parse::<u64>().ok() } else { None };
            prop_assert_eq!(Field::of(text.as_bytes()).natural(), expected);
        }

        #[test]
        fn words_are_equal_exactly_when_texts_are(a in "[a-c]{0,9}", b in "[a-c]{0,9}") {
            let (x, y) = (Field::of(a.as_bytes()).word(), Field::of(b.as_bytes()).word());
            prop_assert_eq!(x.is_some() && x == y, a == b && a.len() <= 8);
        }
    }
}
