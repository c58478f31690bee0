//! Split: a file checked as a whole and cut at row boundaries, on one core.

use generator::layout::Layout;
use ingest::split::{ROWS_PER_RANGE, split};

use crate::effort::Effort;
use crate::report::{Lap, Report};
use crate::sample;
use crate::stopwatch::{measure, time};

/// Measures every shipped layout; bytes are the file's.
pub fn bench(effort: &Effort) -> anyhow::Result<Report> {
    let mut report = Report::default();
    for layout in Layout::ALL {
        let (_, file) = sample::one(layout, effort)?;
        report.throughputs.push(measure(&format!("split/{}", layout.profile()), effort.rounds, || {
            let (cut, spent) = time(|| split(&file.profile, &file.bytes, ROWS_PER_RANGE));
            let rows = cut.ranges.iter().map(|range| range.rows).sum();
            anyhow::ensure!(rows == file.rows, "split counts {rows} rows, the generator {}", file.rows);
            Ok(Lap { rows, bytes: Some(file.bytes.len() as u64), spent })
        })?);
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_is_cut() {
        let report = bench(&Effort::TINY).expect("it runs");
        let names: Vec<&str> = report.throughputs.iter().map(|t| t.name.as_str()).collect();
        assert_eq!(names, Layout::ALL.map(|layout| format!("split/{}", layout.profile())));
        assert!(report.throughputs.iter().all(|t| t.laps.iter().all(|lap| lap.rows >= u64::from(Effort::TINY.rows))));
    }
}
