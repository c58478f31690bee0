//! Encode: rated rows sorted and gathered into the columns of `cdr_entries`, and these as Parquet, on all cores.

use domain::columns::rated::RatedBatch;
use sinks::entries::{Words, charges};
use sinks::gather::{Pick, Selection, sort};
use sinks::parquet::{ParquetSettings, encode};

use crate::effort::Effort;
use crate::reference::reference;
use crate::report::{Lap, Report};
use crate::sample::{self, RATED_LAYOUTS};
use crate::stopwatch::{measure, time};

/// Measures both steps for each layout that can be rated; bytes are the columns' in memory, then the file's.
pub fn bench(effort: &Effort) -> anyhow::Result<Report> {
    let mut report = Report::default();
    for layout in RATED_LAYOUTS {
        let (month, file) = sample::one(layout, effort)?;
        let rated = file.rated(&reference(&month)?);
        let (batches, arrived) = ([&rated], picks(&rated));
        let rows = arrived.len();
        let mut built = Vec::new();
        report.throughputs.push(measure(&format!("encode/{} columns", layout.profile()), effort.rounds, || {
            let mut picks = arrived.clone();
            let (columns, spent) = time(|| {
                sort(&batches, &mut picks);
                charges(&Selection { batches: &batches, picks: &picks }, |_, _| None, &Words::FIRST)
            });
            built = vec![columns?];
            anyhow::ensure!(built[0].num_rows() == rows, "{} rows of {rows} are in columns", built[0].num_rows());
            Ok(Lap { rows: rows as u64, bytes: Some(built[0].get_array_memory_size() as u64), spent })
        })?);
        report.throughputs.push(measure(&format!("encode/{} parquet", layout.profile()), effort.rounds, || {
            let (bytes, spent) = time(|| encode(&built, ParquetSettings::default()));
            Ok(Lap { rows: rows as u64, bytes: Some(bytes?.len() as u64), spent })
        })?);
    }
    Ok(report)
}

/// The rated rows of a batch, as they came.
fn picks(batch: &RatedBatch) -> Vec<Pick> {
    let rows = (0..).zip(&batch.columns.reason).filter(|(_, reason)| **reason == 0);
    rows.map(|(row, _)| Pick { batch: 0, row }).collect()
}

#[cfg(test)]
mod tests {
    use sinks::parquet::decode;

    use super::*;

    #[test]
    fn every_rated_row_is_encoded_and_comes_back() {
        let report = bench(&Effort::TINY).expect("it runs");
        for (throughputs, layout) in report.throughputs.chunks(2).zip(RATED_LAYOUTS) {
            let (month, file) = sample::one(layout, &Effort::TINY).expect("a file");
            let rated = file.rated(&reference(&month).expect("a reference"));
            let picks = picks(&rated);
            for throughput in throughputs {
                assert_eq!(throughput.laps[0].rows, picks.len() as u64, "{}", throughput.name);
            }
            let selection = Selection { batches: &[&rated], picks: &picks };
            let columns = charges(&selection, |_, _| None, &Words::FIRST).expect("columns");
            let bytes = encode(&[columns], ParquetSettings::default()).expect("a file");
            let batches = decode(bytes, Some(&["charge"])).expect("a file");
            assert_eq!(batches.map(|batch| batch.expect("rows").num_rows()).sum::<usize>(), picks.len());
        }
        assert_eq!(report.throughputs.len(), 2 * RATED_LAYOUTS.len());
    }
}
