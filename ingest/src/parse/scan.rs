//! Finds separators, line ends and unusual bytes of a window, 64 bytes at a time; the scalar twin does the same byte by byte.

use super::field::BEFORE_START;

/// What a window is searched for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub separator: u8,
    /// The quote, if the layout has one.
    pub quote: Option<u8>,
}

impl Wanted {
    /// Control characters, quotes, and everything beyond ASCII: such rows take the careful path. A tab is text.
    fn is_odd(self, byte: u8) -> bool {
        byte < b' ' && byte != b'\t' && byte != b'\n' || byte >= 0x7f || Some(byte) == self.quote
    }
}

/// What was found in a window, as positions in it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Where fields end: [`BEFORE_START`], separators and line feeds, and the window's end if its last line has no line feed.
    pub ends: Vec<u32>,
    /// Positions in `ends` of the rows' last fields.
    pub rows: Vec<u32>,
    /// Bytes that make a row unusual.
    pub odd: Vec<u32>,
}

impl Marks {
    /// Searches a window of at most 4 GiB.
    pub fn scan(&mut self, window: &[u8], wanted: Wanted) {
        self.clear();
        let done = self.scan_blocks(window, wanted);
        self.scan_bytes(&window[done..], done, wanted);
        if window.last().is_some_and(|last| *last != b'\n') {
            self.rows.push(narrow(self.ends.len()));
            self.ends.push(narrow(window.len()));
        }
    }

    fn clear(&mut self) {
        self.ends.clear();
        self.ends.push(BEFORE_START);
        self.rows.clear();
        self.odd.clear();
    }

    /// Searches whole blocks with vector instructions where the machine has them; returns how far it came.
    #[cfg(target_arch = "x86_64")]
    fn scan_blocks(&mut self, window: &[u8], wanted: Wanted) -> usize {
        if !std::arch::is_x86_feature_detected!("avx2") {
            return 0;
        }
        #[expect(unsafe_code, reason = "calls code for AVX2, which this machine was just seen to have")]
        unsafe {
            avx2::scan_blocks(self, window, wanted);
        }
        window.len() / BLOCK * BLOCK
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn scan_blocks(&mut self, _: &[u8], _: Wanted) -> usize {
        0
    }

    /// The scalar twin: appends what it finds in `bytes`, which begin at `base` of the window.
    fn scan_bytes(&mut self, bytes: &[u8], base: usize, wanted: Wanted) {
        for (i, byte) in bytes.iter().enumerate() {
            let at = narrow(base + i);
            if *byte == b'\n' {
                self.rows.push(narrow(self.ends.len()));
                self.ends.push(at);
            } else if *byte == wanted.separator {
                self.ends.push(at);
            }
            if wanted.is_odd(*byte) {
                self.odd.push(at);
            }
        }
    }
}

/// Bytes that are searched at a time: as many as a word has bits.
#[cfg(target_arch = "x86_64")]
const BLOCK: usize = 64;

fn narrow(position: usize) -> u32 {
    u32::try_from(position).expect("a window is below 4 GiB")
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm256_andnot_si256, _mm256_cmpeq_epi8, _mm256_cmpgt_epi8, _mm256_loadu_si256, _mm256_movemask_epi8,
        _mm256_or_si256, _mm256_set1_epi8,
    };

    use super::{BLOCK, Marks, Wanted, narrow};

    /// The bytes looked for, each in all lanes.
    #[derive(Clone, Copy)]
    struct Lanes {
        separator: __m256i,
        feed: __m256i,
        quote: __m256i,
        tab: __m256i,
        delete: __m256i,
        space: __m256i,
    }

    /// One bit per byte of a block.
    #[derive(Clone, Copy)]
    struct Bits {
        ends: u64,
        feeds: u64,
        odd: u64,
    }

    #[target_feature(enable = "avx2,bmi1,popcnt,lzcnt")]
    pub(super) fn scan_blocks(marks: &mut Marks, window: &[u8], wanted: Wanted) {
        let all = |byte: u8| _mm256_set1_epi8(byte.cast_signed());
        // Without a quote, NUL takes its place: it is odd anyway.
        let lanes = Lanes {
            separator: all(wanted.separator),
            feed: all(b'\n'),
            quote: all(wanted.quote.unwrap_or(0)),
            tab: all(b'\t'),
            delete: all(0x7f),
            space: all(b' '),
        };
        for (k, block) in window.chunks_exact(BLOCK).enumerate() {
            let (low, high) = block.split_at(BLOCK / 2);
            let (low, high) = (half(low, lanes), half(high, lanes));
            let bits =
                Bits { ends: low.ends | high.ends << 32, feeds: low.feeds | high.feeds << 32, odd: low.odd | high.odd << 32 };
            take(marks, narrow(k * BLOCK), bits);
        }
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn half(bytes: &[u8], lanes: Lanes) -> Bits {
        let bytes: &[u8; BLOCK / 2] = bytes.try_into().expect("half a block");
        #[expect(unsafe_code, reason = "an unaligned load of the 32 bytes that the array has")]
        let v = unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) };
        let feed = _mm256_cmpeq_epi8(v, lanes.feed);
        let end = _mm256_or_si256(_mm256_cmpeq_epi8(v, lanes.separator), feed);
        // Signed comparison: bytes beyond ASCII are negative, so they are below the space like control characters.
        let low = _mm256_cmpgt_epi8(lanes.space, v);
        let text = _mm256_or_si256(feed, _mm256_cmpeq_epi8(v, lanes.tab));
        let other = _mm256_or_si256(_mm256_cmpeq_epi8(v, lanes.quote), _mm256_cmpeq_epi8(v, lanes.delete));
        let odd = _mm256_or_si256(_mm256_andnot_si256(text, low), other);
        let mask = |m: __m256i| u64::from(_mm256_movemask_epi8(m).cast_unsigned());
        Bits { ends: mask(end), feeds: mask(feed), odd: mask(odd) }
    }

    /// Turns the bits of a block into positions.
    #[inline]
    fn take(marks: &mut Marks, base: u32, bits: Bits) {
        let before = narrow(marks.ends.len());
        let mut feeds = bits.feeds;
        while feeds != 0 {
            let below = (feeds & feeds.wrapping_neg()) - 1;
            marks.rows.push(before + (bits.ends & below).count_ones());
            feeds &= feeds - 1;
        }
        append(&mut marks.ends, base, bits.ends);
        if bits.odd != 0 {
            append(&mut marks.odd, base, bits.odd);
        }
    }

    /// Appends the positions of the bits. Eight are written at a time and the surplus is dropped: that costs less than a
    /// branch per bit that is often guessed wrong.
    #[inline]
    fn append(out: &mut Vec<u32>, base: u32, mut bits: u64) {
        let length = out.len() + bits.count_ones() as usize;
        while bits != 0 {
            let mut eight = [0; 8];
            for position in &mut eight {
                *position = base + bits.trailing_zeros();
                bits &= bits.wrapping_sub(1);
            }
            out.extend_from_slice(&eight);
        }
        out.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_last_line_without_a_line_feed_is_a_row() {
        let mut marks = Marks::default();
        marks.scan(b"a,b\nc", Wanted { separator: b',', quote: None });
        assert_eq!((marks.ends, marks.rows), (vec![BEFORE_START, 1, 3, 5], vec![2, 3]));
    }

    proptest! {
        #[test]
        fn vectors_and_bytes_find_the_same(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b','), Just(b'\n'), Just(b'"'), Just(b'7')], 0..500),
            separator in prop_oneof![Just(b','), Just(b';'), Just(b'\t')],
            quote in prop_oneof![Just(None), Just(Some(b'"'))],
        ) {
            let wanted = Wanted { separator, quote };
            let (mut fast, mut slow) = (Marks::default(), Marks::default());
            fast.scan(&bytes, wanted);
            slow.clear();
            slow.scan_bytes(&bytes, 0, wanted);
            if bytes.last().is_some_and(|b| *b != b'\n') {
                slow.rows.push(narrow(slow.ends.len()));
                slow.ends.push(narrow(bytes.len()));
            }
            prop_assert_eq!(fast, slow);
        }
    }
}
