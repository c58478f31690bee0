//! One row's fields as positions in a buffer, and digits read sixteen at a time from there.

/// Sixteen ASCII zeros.
const ZEROS: u128 = 0x3030_3030_3030_3030_3030_3030_3030_3030;

/// Eight ASCII zeros, and what tells digits from other characters, in each byte: the low half of a digit, what lifts ten
/// above fifteen, and the bit where that shows.
const ZEROS_8: u64 = 0x3030_3030_3030_3030;
const LOW_8: u64 = 0x0f0f_0f0f_0f0f_0f0f;
const SIXES_8: u64 = 0x0606_0606_0606_0606;
const TENS_8: u64 = 0x1010_1010_1010_1010;

/// The bytes of a word that belong to a field of so many bytes which ends with the word.
const FIELD_8: [u64; 9] = {
    let mut masks = [0; 9];
    let mut i = 1;
    while i < masks.len() {
        masks[i] = masks[i - 1] >> 8 | 0xff << 56;
        i += 1;
    }
    masks
};

/// As [`FIELD_8`], for sixteen bytes.
const FIELD_16: [u128; 17] = {
    let mut masks = [0; 17];
    let mut i = 1;
    while i < masks.len() {
        masks[i] = masks[i - 1] >> 8 | 0xff << 120;
        i += 1;
    }
    masks
};

/// What stands before a row at the beginning of a buffer: the field after it begins at 0.
pub(crate) const BEFORE_START: u32 = u32::MAX;

/// A row cut into fields. Each end is the separator behind a field; before the first one stands the end of the row before,
/// or [`BEFORE_START`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub data: &'a [u8],
    pub ends: &'a [u32],
    /// The same bytes as text, where that is known.
    pub text: Option<&'a str>,
}

impl<'a> Row<'a> {
    /// How many fields there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.ends.len() - 1
    }

    /// The field at a position, which must be below the number of fields.
    #[inline]
    pub fn field(&self, at: usize) -> Field<'a> {
        let ends = &self.ends[at..at + 2];
        Field { data: self.data, from: ends[0].wrapping_add(1) as usize, to: ends[1] as usize }
    }

    /// All fields.
    pub fn fields(self) -> impl Iterator<Item = Field<'a>> {
        (0..self.len()).map(move |at| self.field(at))
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
    pub fn load(&self, at: usize) -> u64 {
        if let Some(bytes) = self.data.get(at..at + 8) {
            return u64::from_le_bytes(bytes.try_into().expect("the range has eight bytes"));
        }
        self.load_at_end(at)
    }

    #[cold]
    fn load_at_end(&self, at: usize) -> u64 {
        let rest = self.data.get(at..).unwrap_or_default();
        rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
    }

    /// 32 bytes from the field's beginning; behind the field comes whatever follows it.
    #[inline]
    pub fn head(&self) -> [u8; 32] {
        if let Some(bytes) = self.data.get(self.from..self.from + 32) {
            return bytes.try_into().expect("the range has 32 bytes");
        }
        self.head_at_end()
    }

    #[cold]
    fn head_at_end(&self) -> [u8; 32] {
        let mut head = [0; 32];
        let rest = &self.data[self.from..];
        let length = rest.len().min(32);
        head[..length].copy_from_slice(&rest[..length]);
        head
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

    /// The field's bytes behind as many zero digits as make sixteen characters; for fields of at most sixteen bytes.
    #[inline]
    pub fn padded(&self) -> u128 {
        let Some(bytes) = self.to.checked_sub(16).and_then(|at| self.data.get(at..self.to)) else {
            return self.padded_at_start();
        };
        // What stands before the field is in the lower bytes.
        let field = FIELD_16[self.len()];
        u128::from_le_bytes(bytes.try_into().expect("the range has sixteen bytes")) & field | ZEROS & !field
    }

    /// As [`Field::padded`], for a field before which the buffer has too little to load.
    #[cold]
    fn padded_at_start(&self) -> u128 {
        self.bytes().iter().fold(ZEROS, |word, byte| word >> 8 | u128::from(*byte) << 120)
    }

    /// As [`Field::padded`], for eight.
    #[inline]
    fn padded_8(&self) -> u64 {
        let Some(bytes) = self.to.checked_sub(8).and_then(|at| self.data.get(at..self.to)) else {
            return u64::try_from(self.padded_at_start() >> 64).unwrap_or(0);
        };
        let field = FIELD_8[self.len()];
        u64::from_le_bytes(bytes.try_into().expect("the range has eight bytes")) & field | ZEROS_8 & !field
    }

    /// The value of a field that is digits only; `None` for any other text, an empty one, and beyond 64 bits.
    #[inline]
    pub fn natural(&self) -> Option<u64> {
        if self.is_empty() { None } else { self.natural_or_zero() }
    }

    /// As [`Field::natural`], but an empty field is 0.
    #[inline]
    pub fn natural_or_zero(&self) -> Option<u64> {
        match self.len() {
            0..=8 => {
                let padded = self.padded_8();
                let low = padded & LOW_8;
                let beyond_nine = (low + SIXES_8) & TENS_8;
                if (padded ^ low ^ ZEROS_8) | beyond_nine == 0 { Some(eight_digits(low)) } else { None }
            }
            9..=16 => digits(self.padded()),
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

/// The value of sixteen characters, the first in the lowest byte, if all are digits.
#[inline]
pub(crate) fn digits(word: u128) -> Option<u64> {
    let [first, last] = [word, word >> 64].map(|w| u64::try_from(w & u128::from(u64::MAX)).unwrap_or(0));
    let (first_low, last_low) = (first & LOW_8, last & LOW_8);
    let wrong = (first ^ first_low ^ ZEROS_8) | (last ^ last_low ^ ZEROS_8);
    let beyond_nine = ((first_low + SIXES_8) | (last_low + SIXES_8)) & TENS_8;
    (wrong | beyond_nine == 0).then(|| eight_digits(first_low) * 100_000_000 + eight_digits(last_low))
}

/// The value of eight digits, one per byte: pairs, then fours, then all; each step adds the lower half of a group, times
/// ten (hundred, ten thousand), to its upper one.
#[inline]
fn eight_digits(low: u64) -> u64 {
    let pairs = low.wrapping_mul(10 << 8 | 1) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100 << 16 | 1) >> 16 & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000 << 32 | 1) >> 32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digits_are_read_at_the_end_of_a_buffer_and_before_other_bytes() {
        for (text, value) in
            [("7", 7), ("00012", 12), ("12345678", 12_345_678), ("123456789", 123_456_789), ("31612345678", 31_612_345_678)]
        {
            assert_eq!(Field::of(text.as_bytes()).natural(), Some(value));
            for before in ["", "99", "x", "123456789012345678"] {
                let longer = format!("{before}{text},123456789");
                let field = Field { data: longer.as_bytes(), from: before.len(), to: before.len() + text.len() };
                assert_eq!(field.natural(), Some(value));
            }
        }
        assert_eq!(Field::of(b"18446744073709551615").natural(), Some(u64::MAX));
        assert_eq!(Field::of(b"18446744073709551616").natural(), None);
        assert_eq!((Field::of(b"").natural(), Field::of(b"").natural_or_zero()), (None, Some(0)));
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
