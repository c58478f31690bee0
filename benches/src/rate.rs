//! Rate: parsed rows linked to their owners and priced by the shipped tariff, on one core.

use crate::effort::Effort;
use crate::reference::reference;
use crate::report::{Lap, Report};
use crate::sample::{self, RATED_LAYOUTS};
use crate::stopwatch::{measure, time};

/// Measures link and price together for each layout that can be rated.
pub fn bench(effort: &Effort) -> anyhow::Result<Report> {
    let mut report = Report::default();
    for layout in RATED_LAYOUTS {
        let (month, file) = sample::one(layout, effort)?;
        let reference = reference(&month)?;
        let parsed = file.parse();
        report.throughputs.push(measure(&format!("rate/{}", layout.profile()), effort.rounds, || {
            let batch = parsed.clone();
            let (rated, spent) = time(|| rate::rate(batch, &reference.index, &reference.tariffs));
            let rows = rated.columns.reason.len();
            let priced = (0..rows).filter(|i| rated.reason(*i).is_none()).count();
            anyhow::ensure!(rows == parsed.len() && priced > rows / 2, "of {} rows {priced} are priced", parsed.len());
            Ok(Lap { rows: rows as u64, bytes: None, spent })
        })?);
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_the_generator_planted_no_flaw_in_has_a_price() {
        let effort = Effort { rows: 2_000, ..Effort::TINY };
        let report = bench(&effort).expect("it runs");
        for (throughput, layout) in report.throughputs.iter().zip(RATED_LAYOUTS) {
            let (month, file) = sample::one(layout, &effort).expect("a file");
            let facts = month.facts(&file.plan);
            let readable = facts.rows - facts.malformed_rows() - facts.skipped;
            assert_eq!(throughput.laps.iter().map(|lap| lap.rows).collect::<Vec<_>>(), [readable], "{}", throughput.name);
            let rated = file.rated(&reference(&month).expect("a reference"));
            let priced = (0..rated.columns.reason.len()).filter(|i| rated.reason(*i).is_none()).count() as u64;
            assert!(priced >= facts.flawless(), "{}: {priced} priced, {} flawless", throughput.name, facts.flawless());
        }
        assert_eq!(report.throughputs.len(), RATED_LAYOUTS.len());
    }
}
