//! Lines of UTF-16 files as UTF-8, while offsets, lengths and kept bytes go on to be those of the landed file.
//!
//! Separators, quotes and digits are looked for byte by byte, which UTF-16 does not allow: so its lines are rewritten first,
//! each by itself. What is no text stays none: half a pair of surrogates and half a unit become bytes that UTF-8 does not
//! have, and the row is malformed like any other with a wrong character. Such files are few; this costs a copy.

use domain::columns::parsed::ParsedBatch;
use domain::delivery::RecordHasher;

use super::hash_domain;

/// Which byte of a unit comes first, as the byte order mark tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// The order that the first bytes of a file tell; `None` if they are no mark of UTF-16.
    pub fn of_mark(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xfe, 0, 0, ..] => None,
            [0xff, 0xfe, ..] => Some(Self::Little),
            [0xfe, 0xff, ..] => Some(Self::Big),
            _ => None,
        }
    }

    fn unit(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    /// Where the unit begins whose low byte stands at a position, if the other byte is zero.
    fn begin_of(self, bytes: &[u8], low: usize) -> Option<usize> {
        let (begin, high) = match self {
            Self::Little => (low, low + 1),
            Self::Big => (low.checked_sub(1)?, low.checked_sub(1)?),
        };
        (begin % 2 == 0 && bytes.get(high) == Some(&0)).then_some(begin)
    }

    /// Where the next line feed begins, in bytes that begin with a whole unit.
    pub fn find_feed(self, bytes: &[u8]) -> Option<usize> {
        memchr::memchr_iter(b'\n', bytes).find_map(|low| self.begin_of(bytes, low))
    }

    /// Where the last line feed begins.
    pub fn find_last_feed(self, bytes: &[u8]) -> Option<usize> {
        memchr::memrchr_iter(b'\n', bytes).find_map(|low| self.begin_of(bytes, low))
    }

    /// Appends a line as UTF-8. No line feed comes of what holds none.
    pub fn append_utf8(self, line: &[u8], text: &mut Vec<u8>) {
        let (units, half) = line.as_chunks::<2>();
        for decoded in char::decode_utf16(units.iter().map(|unit| self.unit(*unit))) {
            match decoded {
                Ok(c) => text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                // Three bytes that would be the surrogate if UTF-8 had any.
                Err(lone) => {
                    let [high, low] = lone.unpaired_surrogate().to_be_bytes();
                    text.extend_from_slice(&[0xe0 | high >> 4, 0x80 | (high & 0x0f) << 2 | low >> 6, 0x80 | low & 0x3f]);
                }
            }
        }
        if !half.is_empty() {
            text.push(0xff);
        }
    }

    /// The bytes of a line without the carriage return before its line feed.
    fn trim_return(self, line: &[u8]) -> &[u8] {
        match line.split_last_chunk::<2>() {
            Some((before, last)) if line.len().is_multiple_of(2) && self.unit(*last) == u16::from(b'\r') => before,
            _ => line,
        }
    }
}

/// A line of the range.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Where it begins in the rewritten range.
    text_from: u64,
    /// Where it begins in the range.
    from: usize,
    /// Where its line feed begins.
    to: usize,
}

/// A range rewritten as UTF-8, and where its lines come from.
#[derive(Debug)]
pub(super) struct Rewritten {
    order: ByteOrder,
    pub text: Vec<u8>,
    places: Vec<Place>,
}

impl Rewritten {
    /// Rewrites the lines of a range.
    pub fn new(order: ByteOrder, bytes: &[u8]) -> Self {
        let mut all = Self { order, text: Vec::with_capacity(bytes.len() / 2 + 16), places: Vec::new() };
        let mut from = 0;
        while from < bytes.len() {
            let feed = order.find_feed(&bytes[from..]).map(|at| from + at);
            let to = feed.unwrap_or(bytes.len());
            all.places.push(Place { text_from: all.text.len() as u64, from, to });
            order.append_utf8(&bytes[from..to], &mut all.text);
            if feed.is_some() {
                all.text.push(b'\n');
            }
            from = to + 2;
        }
        all
    }

    /// Puts the landed bytes in the place of the rewritten ones: offsets, lengths, and what is kept of malformed rows.
    pub fn restore(&self, batch: &mut ParsedBatch, bytes: &[u8], byte_from: u64, row_bytes_max: usize, hasher: &RecordHasher) {
        let mut places = self.places.iter();
        let columns = &mut batch.columns;
        for (offset, length) in columns.offset.iter_mut().zip(&mut columns.length) {
            let (from, line) = self.line_at(&mut places, *offset, bytes);
            *offset = byte_from + from as u64;
            *length = u32::try_from(line.len()).expect("a row is at most 16 Mi characters of two units");
        }
        let mut places = self.places.iter();
        for row in &mut batch.malformed {
            let (from, line) = self.line_at(&mut places, row.offset, bytes);
            row.offset = byte_from + from as u64;
            // A row within the limit, which counts UTF-8, has at most twice as many bytes here.
            row.raw = line[..line.len().min(2 * row_bytes_max)].to_vec();
            row.length = line.len() as u64;
            row.key = hasher.hash(hash_domain::MALFORMED, line);
        }
    }

    /// The line that begins at an offset of the rewritten range; offsets are asked for in rising order.
    fn line_at<'b>(&self, places: &mut std::slice::Iter<'_, Place>, text_from: u64, bytes: &'b [u8]) -> (usize, &'b [u8]) {
        let place = places.find(|p| p.text_from == text_from).expect("each row is a line of the range, in its order");
        (place.from, self.order.trim_return(&bytes[place.from..place.to]))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes_of(order: ByteOrder, text: &str) -> Vec<u8> {
        let to_bytes = |unit: u16| if order == ByteOrder::Little { unit.to_le_bytes() } else { unit.to_be_bytes() };
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn a_feed_is_a_unit_and_no_half_of_two_others() {
        // U+0A00 and U+000A side by side, U+0A0A, and U+010A whose low byte is a line feed.
        for text in ["\u{a00}\n", "\u{a0a}\n", "\u{10a}\n", "\u{100}\u{a01}\n"] {
            for order in [ByteOrder::Little, ByteOrder::Big] {
                let bytes = bytes_of(order, text);
                let at = bytes.len() - 2;
                assert_eq!((order.find_feed(&bytes), order.find_last_feed(&bytes)), (Some(at), Some(at)), "{text:?} {order:?}");
                assert_eq!(order.find_feed(&bytes[..at]), None, "{text:?} {order:?}");
            }
        }
    }

    #[test]
    fn what_is_no_text_is_none_in_utf_8() {
        let mut text = Vec::new();
        ByteOrder::Big.append_utf8(b"\0a\xd8\x3d\0b", &mut text);
        assert_eq!(std::str::from_utf8(&text).expect_err("half a pair").valid_up_to(), 1);
        text.clear();
        ByteOrder::Little.append_utf8(b"a\0b", &mut text);
        assert_eq!(text, b"a\xff");
    }

    proptest! {
        #[test]
        fn text_comes_back(text in "[^\\n]{0,40}", order in prop_oneof![Just(ByteOrder::Little), Just(ByteOrder::Big)]) {
            let mut utf8 = Vec::new();
            order.append_utf8(&bytes_of(order, &text), &mut utf8);
            prop_assert_eq!(utf8, text.into_bytes());
        }
    }
}
