//! Allowances that are used up in part or whole: what a look has found becomes events, each once.

use std::sync::Arc;

use pipeline::rating::Reference;
use rate::settle::Reached;
use sinks::table::Table;
use sinks::thresholds::{THRESHOLDS, ThresholdWriter};

use crate::backlog::keep_house;
use crate::installation::Installation;
use crate::output::count;
use crate::system::{SystemClock, SystemRng};

/// The table of events; `None` before the first one.
pub fn table(installation: &Installation) -> anyhow::Result<Option<Table>> {
    let is_there = !installation.blob().list(&format!("{THRESHOLDS}/_delta_log/"))?.is_empty();
    Ok(if is_there { Some(Table::open(installation.blob(), THRESHOLDS)?) } else { None })
}

/// Writes what has been found for the first time, by the reference data that it was found with, and tells how many events that are. A
/// service keeps the writer, which remembers what is written; where nothing was ever found there is none.
pub fn fire(
    writer: &mut Option<ThresholdWriter>,
    installation: &Installation,
    mut reached: Vec<Reached>,
    reference: &Reference,
) -> anyhow::Result<u64> {
    if reached.is_empty() {
        return Ok(0);
    }
    reached.sort_unstable_by_key(Reached::order);
    let mut rng = SystemRng::new()?;
    let writer = match writer {
        Some(writer) => writer,
        None => writer.insert(open(installation, &mut rng)?),
    };
    let events = writer.write(|| reached.iter().map(|found| found.named(&reference.tariffs)), &SystemClock, &mut rng)?;
    if events > 0 {
        keep_house(writer.table(), installation.config().tables.checkpoint_commits)?;
    }
    Ok(events)
}

fn open(installation: &Installation, rng: &mut SystemRng) -> anyhow::Result<ThresholdWriter> {
    let config = installation.config();
    let table = sinks::thresholds::open(&Arc::clone(installation.blob()), &SystemClock, rng)?;
    let table = table.with_settings(installation.parquet());
    Ok(ThresholdWriter::new(table, config.data.tenant.to_string(), config.pipeline.commit_attempts_max))
}

/// What to tell whoever gave the command; nothing if nothing has fired.
pub fn remark(events: u64) -> Option<String> {
    match events {
        0 => None,
        1 => Some("1 threshold of an allowance was reached: tollway thresholds".to_owned()),
        _ => Some(format!("{} thresholds of allowances were reached: tollway thresholds", count(events))),
    }
}
