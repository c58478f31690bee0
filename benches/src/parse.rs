//! Parse: the bytes of a file's rows to typed columns, on one core.

use generator::layout::Layout;

use crate::effort::Effort;
use crate::report::{Lap, Report};
use crate::sample;
use crate::stopwatch::{measure, time};

/// Measures every shipped layout; bytes are the rows', as read.
pub fn bench(effort: &Effort) -> anyhow::Result<Report> {
    let mut report = Report::default();
    for layout in Layout::ALL {
        let (_, file) = sample::one(layout, effort)?;
        report.throughputs.push(measure(&format!("parse/{}", layout.profile()), effort.rounds, || {
            let (batch, spent) = time(|| file.parse());
            anyhow::ensure!(
                batch.rows_in == file.rows && batch.is_balanced(),
                "parse counts {} rows, {} of them readable; the generator {}",
                batch.rows_in,
                batch.len(),
                file.rows
            );
            Ok(Lap { rows: batch.rows_in, bytes: Some(file.body().len() as u64), spent })
        })?);
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_is_parsed_and_most_rows_are_readable() {
        let report = bench(&Effort::TINY).expect("it runs");
        for (throughput, layout) in report.throughputs.iter().zip(Layout::ALL) {
            let (month, file) = sample::one(layout, &Effort::TINY).expect("a file");
            let facts = month.facts(&file.plan);
            assert_eq!(throughput.laps.iter().map(|lap| lap.rows).collect::<Vec<_>>(), [facts.rows], "{}", throughput.name);
            let batch = file.parse();
            assert_eq!(batch.malformed.len() as u64, facts.malformed_rows(), "{}", throughput.name);
            assert_eq!(batch.skipped.values().sum::<u64>(), facts.skipped, "{}", throughput.name);
        }
        assert_eq!(report.throughputs.len(), Layout::ALL.len());
    }
}
