//! The real clock and real chance: the only place that asks the machine for either.

use std::fs::File;
use std::io::Read;
use std::time::{SystemTime, UNIX_EPOCH};

use domain::ports::{Clock, Rng};

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one implementation of the clock")]
    fn now_us(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }
}

/// The machine's chance, stretched: 64 bits at a time from a generator that the kernel seeded.
#[derive(Debug)]
pub struct SystemRng(u64);

impl SystemRng {
    /// Seeds from the kernel.
    pub fn new() -> std::io::Result<Self> {
        let mut seed = [0u8; 8];
        File::open("/dev/urandom")?.read_exact(&mut seed)?;
        Ok(Self(u64::from_le_bytes(seed)))
    }
}

impl Rng for SystemRng {
    /// `SplitMix64`: every state gives another number, and names need no more.
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// 16 bytes that nobody can guess, for a new installation's secret.
pub fn secret_bytes() -> std::io::Result<[u8; 16]> {
    let mut bytes = [0u8; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}
