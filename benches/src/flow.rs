//! Flow: files landed, announced, split, rated and committed through log and tables, with every fsync; one worker.

use std::path::Path;
use std::sync::Arc;

use domain::outcome::Counts;
use domain::ports::Blob;
use ingest::land::{LandRequest, Landing, LandingSettings, Repeat};
use ingest::log::Topic;
use ingest::log::embedded::{EmbeddedLog, LogSettings};
use ingest::split::ROWS_PER_RANGE;
use pipeline::announcer::Announcer;
use pipeline::deliveries::Deliveries;
use pipeline::splitter::{SplitStep, Splitter};
use pipeline::worker::{Step, Worker, WorkerSettings};
use sinks::commit::{CommitSettings, Committer};
use sinks::local_store::SyncPolicy;
use sinks::settled::Settled;
use tempfile::TempDir;

use crate::effort::Effort;
use crate::outside::{FileNames, StillClock, entries, store};
use crate::reference::{OneVersion, reference};
use crate::report::{Lap, Report};
use crate::sample::{self, RATED_LAYOUTS, SECRET, SampleFile};
use crate::stopwatch::{measure, time};

/// The group of the readers.
const GROUP: &str = "bench";

/// Measures a month of three layouts from its files' bytes to the last commit; bytes are the files'.
pub fn bench(effort: &Effort) -> anyhow::Result<Report> {
    let month = sample::month(&RATED_LAYOUTS, effort.files, effort.rows, effort)?;
    let files = sample::files(&month)?;
    let references = OneVersion(Arc::new(reference(&month)?));
    let (rows, bytes) = (files.iter().map(|f| f.rows).sum::<u64>(), files.iter().map(|f| f.bytes.len() as u64).sum());
    let throughput = measure("flow/job, kpn-sp16, routit", effort.rounds, || {
        let folder = TempDir::new()?;
        let (counts, spent) = time(|| run(folder.path(), &files, &references));
        let counts = counts?;
        anyhow::ensure!(counts.rows_in == rows && counts.is_balanced(), "of {rows} rows these were committed: {counts:?}");
        Ok(Lap { rows, bytes: Some(bytes), spent })
    })?;
    Ok(Report { throughputs: vec![throughput], ..Report::default() })
}

/// The whole flow on an empty folder.
fn run(folder: &Path, files: &[SampleFile], references: &OneVersion) -> anyhow::Result<Counts> {
    let blob = store(folder, SyncPolicy::Full)?;
    let log = EmbeddedLog::open(&folder.join("log"), LogSettings::new(Arc::new(StillClock)))?;
    let landing = Arc::new(Landing::new(Arc::clone(&blob), LandingSettings::default()));
    for file in files {
        landing.land(&request(file), &mut file.bytes.as_slice(), &StillClock)?;
    }
    announce_and_split(&blob, &landing, &log)?;
    let reader = log.reader(GROUP, Topic::Batches, 0, 1);
    let committer = Committer::new(entries(&blob)?, CommitSettings::default());
    let deliveries = Deliveries::new(Arc::clone(&landing), Arc::clone(&blob), SECRET);
    let settings = WorkerSettings::default();
    let mut worker =
        Worker::new(0, reader, Box::new(log.writer()), committer, deliveries, Box::new(references.clone()), settings);
    let (mut counts, mut names) = (Counts::default(), FileNames::default());
    loop {
        match worker.step(0, &StillClock, &mut names)? {
            Step::Committed(receipt) => counts.add(&receipt.counts),
            Step::Idle => return Ok(counts),
            _ => {}
        }
    }
}

fn announce_and_split(blob: &Arc<dyn Blob>, landing: &Arc<Landing>, log: &EmbeddedLog) -> anyhow::Result<()> {
    Announcer::new(Arc::clone(landing), log.writer(), Settled::default(), i64::MAX).step()?;
    let deliveries = Deliveries::new(Arc::clone(landing), Arc::clone(blob), SECRET);
    let reader = log.reader(GROUP, Topic::Files, 0, 1);
    let mut splitter = Splitter::new(reader, log.writer(), Arc::clone(landing), deliveries);
    while splitter.step(0)? != SplitStep::Idle {}
    Ok(())
}

fn request(file: &SampleFile) -> LandRequest {
    LandRequest {
        account: file.context.account.clone(),
        cycle: None,
        origin: file.plan.name.clone(),
        logical_file: file.plan.name.clone(),
        profile: Arc::clone(file.profile.label()),
        profile_text: file.profile.text().into(),
        mode: file.profile.delivery_mode(),
        cut_rows: ROWS_PER_RANGE,
        repeat: Repeat::Hold,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_month_is_committed_once() {
        let effort = Effort { files: 3, ..Effort::TINY };
        let month = sample::month(&RATED_LAYOUTS, effort.files, effort.rows, &effort).expect("a month");
        let rows: u64 = month.plan().iter().map(|plan| month.facts(plan).rows).sum();
        let report = bench(&effort).expect("it runs");
        assert_eq!(report.throughputs[0].laps.iter().map(|lap| lap.rows).collect::<Vec<_>>(), [rows]);
    }
}
