//! Hashing of machine words: numbers, prefixes and networks are keys of one word, so one multiplication spreads them.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Odd, with bits spread evenly: 2⁶⁴ divided by the golden ratio.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Spreads a word over 64 bits; the high and the low half are both usable.
#[inline]
pub(crate) fn spread(word: u64) -> u64 {
    let mixed = word.wrapping_mul(SPREAD);
    (mixed ^ (mixed >> 32)).wrapping_mul(SPREAD)
}

/// A hasher for keys of one word. Keys come from our own tariffs and imports, so nobody can aim at collisions.
#[derive(Default)]
pub(crate) struct WordHasher(u64);

impl Hasher for WordHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = spread(self.0.rotate_left(29) ^ word);
    }
}

/// A map from words.
pub(crate) type WordMap<K> = HashMap<K, u32, BuildHasherDefault<WordHasher>>;
