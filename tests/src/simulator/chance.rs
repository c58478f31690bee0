//! Chance and time of a simulated run: both follow from the seed.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::ports::{Clock, Rng};

/// A stream of random numbers: `SplitMix64`, so that neighbouring seeds have nothing in common.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The stream number `stream` of a seed.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut chance = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ stream.wrapping_mul(0xd1b5_4a32_d192_ed03));
        chance.next_u64();
        chance
    }

    /// A number below `end`, which is at least 1.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next_u64() % end.max(1)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True in so many of a thousand cases.
    pub fn per_mille(&mut self, share: u64) -> bool {
        self.below(1000) < share
    }

    /// A position in a list of `len` elements, which is not empty.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("below a length")
    }

    /// One of a list that is not empty.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.index(list.len())]
    }
}

impl Rng for Chance {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Time as the script lets it pass. Clones share it.
#[derive(Debug, Clone)]
pub struct StageClock(Arc<AtomicI64>);

impl StageClock {
    /// A clock that stands at the beginning of November 2026.
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_793_491_200_000_000)))
    }

    /// Lets time pass.
    pub fn advance(&self, us: u64) {
        self.0.fetch_add(i64::try_from(us).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}

impl Default for StageClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for StageClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}
