//! Wall time and CPU time of a piece of work, and the rounds that make a figure of it.

use std::fs;
use std::hint::black_box;
use std::ops::AddAssign;
use std::thread;
use std::time::Instant;

use crate::report::{Lap, Throughput};

/// What a piece of work took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Nanoseconds by the clock on the wall.
    pub wall_ns: u64,
    /// Nanoseconds of CPU, over all threads of the process; `None` where the system does not say.
    pub cpu_ns: Option<u64>,
}

impl Spent {
    /// Nothing yet.
    pub const NOTHING: Self = Self { wall_ns: 0, cpu_ns: Some(0) };
}

impl AddAssign for Spent {
    fn add_assign(&mut self, more: Self) {
        self.wall_ns += more.wall_ns;
        self.cpu_ns = self.cpu_ns.zip(more.cpu_ns).map(|(one, other)| one + other);
    }
}

/// Times a piece of work.
pub fn time<T>(work: impl FnOnce() -> T) -> (T, Spent) {
    let cpu_before = cpu_ns();
    let began = now();
    let result = black_box(work());
    let wall_ns = elapsed_ns(began);
    let cpu_ns = cpu_before.zip(cpu_ns()).map(|(before, after)| after.saturating_sub(before));
    (result, Spent { wall_ns, cpu_ns })
}

/// Times a piece of work too short for CPU time to be asked for.
pub fn wall_ns<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let began = now();
    let result = black_box(work());
    (result, elapsed_ns(began))
}

/// Runs `rounds` rounds after one that does not count: it fills caches and page tables. A round prepares what it needs, times
/// what is measured with [`time`], and checks the result.
pub fn measure(name: &str, rounds: u32, mut round: impl FnMut() -> anyhow::Result<Lap>) -> anyhow::Result<Throughput> {
    round()?;
    let laps = (0..rounds).map(|_| round()).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Throughput { name: name.to_owned(), laps })
}

#[expect(clippy::disallowed_methods, reason = "measuring is what benches are for; nothing is decided by it")]
fn now() -> Instant {
    Instant::now()
}

fn elapsed_ns(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// CPU time of all threads that live, to the nanosecond. Threads that ended in between are missed; the pool's do not end.
fn cpu_ns() -> Option<u64> {
    // The kernel brings the account of a thread that runs up to date only now and then, but always when it gives way.
    thread::yield_now();
    let mut sum = 0;
    for task in fs::read_dir("/proc/self/task").ok()? {
        let path = task.ok()?.path().join("schedstat");
        // A thread may end between the listing and the reading.
        let Ok(text) = fs::read_to_string(path) else { continue };
        sum += text.split_ascii_whitespace().next()?.parse::<u64>().ok()?;
    }
    (sum > 0).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_round_is_not_counted() {
        let mut rounds = 0;
        let throughput = measure("count", 3, || {
            rounds += 1;
            let ((), spent) = time(|| ());
            Ok(Lap { rows: rounds, bytes: None, spent })
        });
        let rows: Vec<u64> = throughput.expect("no round fails").laps.iter().map(|lap| lap.rows).collect();
        assert_eq!(rows, [2, 3, 4]);
    }

    #[test]
    fn a_round_that_fails_ends_the_bench() {
        let failed = measure("fail", 3, || anyhow::bail!("5 rows instead of 6"));
        assert_eq!(failed.expect_err("it fails").to_string(), "5 rows instead of 6");
    }
}
