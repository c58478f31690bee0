//! Chance from a seed: the same seed gives the same inputs on every machine.

use domain::ports::Rng;
use tests::simulator::chance::Chance;

/// The stream of numbers that the simulator has, and what spoiling bytes asks of it.
#[derive(Debug, Clone)]
pub struct Random(Chance);

impl Random {
    /// Chance from a seed.
    pub fn new(seed: u64) -> Self {
        Self(Chance::new(seed, 0))
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `limit`, which counts as 1 if it is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0.index(limit)
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of a list that is not empty.
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        self.0.pick(all)
    }

    /// One of a list of words that is not empty.
    pub fn word<'a>(&mut self, all: &[&'a [u8]]) -> &'a [u8] {
        all[self.below(all.len())]
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// A length that is mostly short: up to `limit`.
    pub fn length(&mut self, limit: usize) -> usize {
        let bits = self.below(usize::BITS as usize - limit.max(1).leading_zeros() as usize + 1);
        self.below((1usize << bits.min(63)).min(limit) + 1)
    }
}
