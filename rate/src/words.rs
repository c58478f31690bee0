//! Hashing of machine words: numbers, prefixes and networks are keys of one word, so one multiplication spreads them; keys of several
//! words, and names, are taken word by word.

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

/// A hasher for keys of a few words. Keys come from our own tariffs and imports, so nobody can aim at collisions.
#[derive(Default)]
pub(crate) struct WordHasher(u64);

impl Hasher for WordHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, word: u8) {
        self.write_u64(u64::from(word));
    }

    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    fn write_u128(&mut self, word: u128) {
        self.write_u64((word >> 64) as u64);
        self.write_u64(word as u64);
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = spread(self.0.rotate_left(29) ^ word);
    }
}

/// A map from words to anything.
pub(crate) type ByWord<K, V> = HashMap<K, V, BuildHasherDefault<WordHasher>>;

/// A map from words to positions.
pub(crate) type WordMap<K> = ByWord<K, u32>;
