//! Figures as they are printed: Markdown tables that can be pasted into README.md.

use std::fmt;

use crate::stopwatch::Spent;

/// One measured round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lap {
    /// Rows that went through.
    pub rows: u64,
    /// Bytes that were read or written for them; the bench's name says which. `None` where there are none.
    pub bytes: Option<u64>,
    /// What it took.
    pub spent: Spent,
}

/// Work that is measured in rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throughput {
    /// `stage/variant`.
    pub name: String,
    /// The rounds, in order; at least one.
    pub laps: Vec<Lap>,
}

/// Work whose single operations are waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latency {
    /// `stage/variant`.
    pub name: String,
    /// Nanoseconds of each operation, in order; at least one.
    pub waits_ns: Vec<u64>,
}

/// What a process holds in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footprint {
    /// `stage/step`: after which step.
    pub name: String,
    /// How many of what the step brings.
    pub items: u64,
    /// Resident bytes; `None` where the system does not say.
    pub bytes: Option<u64>,
    /// The most that they were since the process began.
    pub bytes_max: Option<u64>,
}

/// What a bench found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows per second and what they cost.
    pub throughputs: Vec<Throughput>,
    /// Times of single operations.
    pub latencies: Vec<Latency>,
    /// Memory, step by step.
    pub footprints: Vec<Footprint>,
}

/// Smallest, middle and largest value of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Spread {
    min: u64,
    median: u64,
    max: u64,
}

impl Spread {
    fn of(mut values: Vec<u64>) -> Option<Self> {
        values.sort_unstable();
        Some(Self { min: *values.first()?, median: *values.get((values.len() - 1) / 2)?, max: *values.last()? })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}-{})", grouped(self.median), grouped(self.min), grouped(self.max))
    }
}

/// `part / whole`, rounded half up; 0 of nothing.
fn per(part: u128, whole: u64) -> u64 {
    let whole = u128::from(whole);
    u64::try_from((2 * part + whole).checked_div(2 * whole).unwrap_or(0)).unwrap_or(u64::MAX)
}

/// Digits in groups of three.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The value that `percent` of a sorted list do not exceed.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

/// Nanoseconds as milliseconds with three places.
fn milliseconds(ns: u64) -> String {
    let us = per(u128::from(ns), 1_000);
    format!("{}.{:03}", us / 1_000, us % 1_000)
}

impl fmt::Display for Throughput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: u64 = self.laps.iter().map(|lap| lap.rows).sum();
        let speeds = self.laps.iter().map(|lap| per(u128::from(lap.rows) * 1_000_000_000, lap.spent.wall_ns)).collect();
        let costs = self.laps.iter().filter_map(|lap| Some(per(lap.spent.cpu_ns?.into(), lap.rows))).collect();
        let tenths = self.laps.iter().map(|lap| lap.bytes.map(u128::from)).sum::<Option<u128>>().map(|b| per(10 * b, rows));
        let shown = |spread: Option<Spread>| spread.map_or("-".to_owned(), |s| s.to_string());
        write!(
            f,
            "| {} | {} | {} | {} | {} |",
            self.name,
            grouped(per(rows.into(), self.laps.len() as u64)),
            shown(Spread::of(speeds)),
            shown(Spread::of(costs)),
            tenths.map_or("-".to_owned(), |t| format!("{}.{}", t / 10, t % 10)),
        )
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.waits_ns.clone();
        sorted.sort_unstable();
        let at = |percent| milliseconds(percentile(&sorted, percent));
        write!(f, "| {} | {} | {} | {} | {} |", self.name, grouped(sorted.len() as u64), at(50), at(99), at(100))
    }
}

impl fmt::Display for Footprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |bytes: Option<u64>| bytes.map_or("-".to_owned(), |bytes| grouped(per(bytes.into(), 1_000_000)));
        write!(f, "| {} | {} | {} | {} |", self.name, grouped(self.items), shown(self.bytes), shown(self.bytes_max))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.throughputs.is_empty() {
            writeln!(f, "| bench | rows per round | rows per second | ns of CPU per row | bytes per row |")?;
            writeln!(f, "| --- | --- | --- | --- | --- |")?;
        }
        for throughput in &self.throughputs {
            writeln!(f, "{throughput}")?;
        }
        if !self.latencies.is_empty() {
            writeln!(f, "\n| bench | operations | p50 ms | p99 ms | max ms |")?;
            writeln!(f, "| --- | --- | --- | --- | --- |")?;
        }
        for latency in &self.latencies {
            writeln!(f, "{latency}")?;
        }
        if !self.footprints.is_empty() {
            writeln!(f, "\n| bench | items | MB resident | MB at most |")?;
            writeln!(f, "| --- | --- | --- | --- |")?;
        }
        for footprint in &self.footprints {
            writeln!(f, "{footprint}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lap(rows: u64, bytes: Option<u64>, wall_ns: u64, cpu_ns: Option<u64>) -> Lap {
        Lap { rows, bytes, spent: Spent { wall_ns, cpu_ns } }
    }

    #[test]
    fn figures_are_per_row_with_their_spread() {
        let laps = vec![
            lap(50_000, Some(4_630_000), 10_000_000, Some(10_500_000)),
            lap(50_000, Some(4_630_000), 12_500_000, Some(12_000_000)),
            lap(50_000, Some(4_640_000), 8_000_000, Some(9_000_000)),
        ];
        let shown = Throughput { name: "parse/job".to_owned(), laps }.to_string();
        assert_eq!(shown, "| parse/job | 50,000 | 5,000,000 (4,000,000-6,250,000) | 210 (180-240) | 92.7 |");
    }

    #[test]
    fn what_is_not_known_is_a_dash() {
        let shown = Throughput { name: "dedupe/new".to_owned(), laps: vec![lap(1_000, None, 1_000_000, None)] }.to_string();
        assert_eq!(shown, "| dedupe/new | 1,000 | 1,000,000 (1,000,000-1,000,000) | - | - |");
    }

    #[test]
    fn memory_is_in_millions_of_bytes() {
        let held = |bytes| Footprint { name: "plans/deck".to_owned(), items: 500_000, bytes, bytes_max: Some(1_234_567_890) };
        assert_eq!(held(Some(61_500_000)).to_string(), "| plans/deck | 500,000 | 62 | 1,235 |");
        assert_eq!(held(None).to_string(), "| plans/deck | 500,000 | - | 1,235 |");
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let waits_ns = (1..=200).rev().map(|n| n * 1_000_000).collect();
        let shown = Latency { name: "commit/small".to_owned(), waits_ns }.to_string();
        assert_eq!(shown, "| commit/small | 200 | 100.000 | 198.000 | 200.000 |");
    }
}
