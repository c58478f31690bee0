//! Commit: groups rated, prepared and committed on a disk with every fsync: large ones, and small ones on a short and a long log.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use domain::columns::parsed::ParsedBatch;
use generator::layout::Layout;
use pipeline::rating::Reference;
use sinks::commit::{CommitSettings, Committer, Group, Outcome, ParsedRange, PositionMove, Receipt};
use sinks::ledger::Verdict;
use sinks::local_store::SyncPolicy;
use tempfile::TempDir;

use crate::effort::Effort;
use crate::outside::{ENTRIES, FileNames, StillClock, entries, store, stored_bytes};
use crate::reference::reference;
use crate::report::{Lap, Latency, Report};
use crate::sample::{self, SampleFile};
use crate::stopwatch::{measure, time, wall_ns};

/// Rows of a small commit: a live feed's few seconds.
const SMALL_ROWS: u32 = 20;

/// A checkpoint after so many versions, made between commits as the service does.
const CHECKPOINT_EVERY: u64 = 50;

/// A committer and where its partition stands.
struct Member {
    committer: Committer,
    names: FileNames,
    position: u64,
}

impl Member {
    /// Opens the table of a folder, as a process that starts does.
    fn open(folder: &Path, sync: SyncPolicy, names: FileNames) -> anyhow::Result<Self> {
        let table = entries(&store(folder, sync)?)?;
        let position = table.snapshot().position(&app_id());
        Ok(Self { committer: Committer::new(table, CommitSettings::default()), names, position })
    }

    /// The next group of this partition.
    fn group(&self, batch: ParsedBatch, reference: &Reference) -> Group {
        let rows = batch.rows_in;
        let verdict = Verdict { state: "complete".to_owned(), rows, message: String::new() };
        Group {
            ranges: vec![ParsedRange { batch: Arc::new(batch), verdict: Some(verdict) }],
            positions: vec![PositionMove { app_id: app_id(), from: self.position, to: self.position + 1 }],
            reference_version: reference.version,
        }
    }

    fn commit(&mut self, group: &Group, reference: &Reference) -> anyhow::Result<Receipt> {
        let rating = |batch: Arc<ParsedBatch>| reference.rate(batch);
        let prepared = self.committer.prepare(group, &rating, &StillClock, &mut self.names)?;
        match self.committer.commit(prepared)? {
            Outcome::Committed(receipt) => {
                self.position += 1;
                Ok(receipt)
            }
            lost => anyhow::bail!("nobody else writes, but the commit ended as {lost:?}"),
        }
    }

    fn keep_house(&self) -> anyhow::Result<()> {
        let version = self.committer.table().snapshot().version.unwrap_or(0);
        if version.is_multiple_of(CHECKPOINT_EVERY) { Ok(self.committer.table().checkpoint()?) } else { Ok(()) }
    }
}

fn app_id() -> String {
    format!("{}/bench/tollway.cdr.batches.v1/0", pipeline::worker::JOB)
}

/// Measures groups of the effort's rows per layout, bytes being all that a commit leaves on the disk, and the waits for small
/// commits on logs of two lengths.
pub fn bench(effort: &Effort) -> anyhow::Result<Report> {
    let mut report = Report::default();
    for layout in sample::RATED_LAYOUTS {
        large(layout, effort, &mut report)?;
    }
    for versions in effort.versions {
        report.latencies.push(small(versions, effort)?);
    }
    Ok(report)
}

fn large(layout: Layout, effort: &Effort, report: &mut Report) -> anyhow::Result<()> {
    let month = sample::month(&[layout], effort.rounds + 1, effort.rows, effort)?;
    let reference = reference(&month)?;
    let folder = TempDir::new()?;
    let mut member = Member::open(folder.path(), SyncPolicy::Full, FileNames::default())?;
    let mut plans = month.plan().into_iter();
    report.throughputs.push(measure(&format!("commit/{}", layout.profile()), effort.rounds, || {
        let file = SampleFile::new(&month, plans.next().context("a file per round was planned")?)?;
        let group = member.group(file.numbered(), &reference);
        let blob = member.committer.table().blob().clone();
        let before = stored_bytes(&*blob, &format!("{ENTRIES}/"))?;
        let (receipt, spent) = time(|| member.commit(&group, &reference));
        let rows = receipt?.counts.rows_in;
        anyhow::ensure!(rows == file.rows, "{rows} rows are committed, {} were generated", file.rows);
        let bytes = stored_bytes(&*blob, &format!("{ENTRIES}/"))? - before;
        Ok(Lap { rows, bytes: Some(bytes), spent })
    })?);
    Ok(())
}

fn small(versions: u32, effort: &Effort) -> anyhow::Result<Latency> {
    let files = versions + effort.warm_ups + effort.commits;
    let month = sample::month(&[Layout::Routit], files, SMALL_ROWS, effort)?;
    let reference = reference(&month)?;
    let mut plans = month.plan().into_iter();
    let mut next = |member: &Member| -> anyhow::Result<Group> {
        let file = SampleFile::new(&month, plans.next().context("a file per commit was planned")?)?;
        Ok(member.group(file.numbered(), &reference))
    };
    let folder = TempDir::new()?;
    // The log grows without fsync: how it came about does not change how it is read.
    let mut past = Member::open(folder.path(), SyncPolicy::None, FileNames::default())?;
    for _ in 0..versions {
        let group = next(&past)?;
        past.commit(&group, &reference)?;
        past.keep_house()?;
    }
    let mut member = Member::open(folder.path(), SyncPolicy::Full, past.names)?;
    let mut waits_ns = Vec::with_capacity(effort.commits as usize);
    for number in 0..effort.warm_ups + effort.commits {
        let group = next(&member)?;
        let (receipt, wait_ns) = wall_ns(|| member.commit(&group, &reference));
        receipt?;
        if number >= effort.warm_ups {
            waits_ns.push(wait_ns);
        }
        member.keep_house()?;
    }
    let version = member.committer.table().snapshot().version;
    anyhow::ensure!(version == Some(u64::from(files)), "after {files} commits the table is at {version:?}");
    Ok(Latency { name: format!("commit/{SMALL_ROWS} rows from version {versions}"), waits_ns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_and_small_groups_are_committed() {
        let report = bench(&Effort::TINY).expect("it runs");
        for (throughput, layout) in report.throughputs.iter().zip(sample::RATED_LAYOUTS) {
            let month = sample::month(&[layout], 2, Effort::TINY.rows, &Effort::TINY).expect("a month");
            let second = month.facts(&month.plan()[1]).rows;
            assert_eq!(throughput.laps.iter().map(|lap| lap.rows).collect::<Vec<_>>(), [second], "{}", throughput.name);
        }
        assert_eq!(report.throughputs.len(), sample::RATED_LAYOUTS.len());
        assert_eq!(report.latencies.len(), 2);
        assert!(report.latencies.iter().all(|latency| latency.waits_ns.len() == Effort::TINY.commits as usize));
    }
}
