//! The totals job: folds new versions of `cdr_entries` into the table `totals`, each exactly once.
//!
//! Its position is a version of `cdr_entries`, kept as `txn` of the table that it writes: range and sums are one commit. One
//! job at a time; a second one is refused by the version check and starts again from where the first got.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aggregate::totals::{ENTRY_COLUMNS, PeriodRows, Sums, TotalKey, Totals, to_batches};
use domain::columns::totals::{PARTITION, TotalRows};
use domain::columns::with_nulls;
use domain::ports::{Clock, Rng};
use rayon::prelude::*;
use sinks::delta::action::{Add, CommitInfo};
use sinks::delta::log::Attempt;
use sinks::table::{TAG_VERSION, Table, TableError};

use crate::system::SystemClock;

/// Folder of the totals table in the store.
pub const TOTALS: &str = "tables/totals";

/// Folder of the frozen totals that a bill run used.
pub const TOTALS_BACKUP: &str = "tables/totals_backup";

/// Whose position it is: the next version of `cdr_entries` to fold.
pub const APP_ID: &str = "totals/cdr_entries";

/// Entry files that are read for one commit: memory stays bounded however far the job is behind.
const FILES_MAX: usize = 64;

/// Opens the table, making it if it does not exist.
pub fn open(blob: &Arc<dyn domain::ports::Blob>, root: &str, clock: &dyn Clock, rng: &mut dyn Rng) -> Result<Table, TableError> {
    let partition: &[&str] = if root == TOTALS { &PARTITION } else { &["billing_period", "taken_at"] };
    Table::open_or_create(blob, root, &TotalRows::schema(), partition, &rng.next_name(), clock.now_us() / 1000)
}

/// The version of a file's commit.
fn version_of(add: &Add) -> u64 {
    add.tag(TAG_VERSION).and_then(|v| v.parse().ok()).unwrap_or(0)
}

/// How many commits with entries are not in the totals.
pub fn behind(entries: &Table, totals: &Table) -> u64 {
    let from = totals.snapshot().position(APP_ID);
    let pending = entries.files(&[("outcome", "rated")]).map(|add| version_of(add)).filter(|version| *version >= from);
    pending.collect::<BTreeSet<u64>>().len() as u64
}

/// Folds what is new; tells whether more is waiting.
pub fn step(entries: &mut Table, totals: &mut Table, clock: &dyn Clock, rng: &mut dyn Rng) -> anyhow::Result<bool> {
    entries.refresh()?;
    totals.refresh()?;
    let from = totals.snapshot().position(APP_ID);
    let Some(newest) = entries.snapshot().version else { return Ok(false) };
    if from > newest {
        return Ok(false);
    }
    let mut fresh: Vec<(u64, Arc<Add>)> = entries
        .files(&[("outcome", "rated")])
        .filter(|add| add.data_change && version_of(add) >= from)
        .map(|add| (version_of(add), Arc::clone(add)))
        .collect();
    if fresh.is_empty() {
        // What came holds no sums; the position goes on with the next that do.
        return Ok(false);
    }
    fresh.sort_by_key(|(version, _)| *version);
    // A version is folded whole or not at all.
    let cut = fresh.get(FILES_MAX).map(|(version, _)| *version);
    let upto = match cut {
        Some(version) if version > fresh[0].0 => version - 1,
        Some(version) => version,
        None => newest,
    };
    fresh.retain(|(version, _)| *version <= upto);
    let sums = fold(entries, fresh.iter().map(|(_, add)| &**add).collect())?;
    let written = append(totals, sums.into_batches()?, &[(APP_ID.to_owned(), upto + 1)], &[], clock, rng)?;
    // Whoever was faster has folded some of it: the rest is found at the next step.
    Ok(!written || upto < newest)
}

/// The sums of the rated rows of some files. Each core folds a run of them: merging sums costs nearly as much as making them,
/// so there are no more runs than cores.
fn fold(entries: &Table, files: Vec<&Add>) -> anyhow::Result<Totals> {
    let run = files.len().div_ceil(rayon::current_num_threads()).max(1);
    let fold_run = |files: &[&Add]| {
        let mut sums = Totals::default();
        for file in files {
            for batch in entries.read_coded(file, &ENTRY_COLUMNS)? {
                sums.add_entries(&batch)?;
            }
        }
        anyhow::Ok(sums)
    };
    let mut runs = files.par_chunks(run).map(fold_run).collect::<Result<Vec<_>, _>>()?.into_iter();
    let mut sums = runs.next().unwrap_or_default();
    for other in runs {
        sums.merge(other);
    }
    Ok(sums)
}

/// Appends sums as one commit; `false` if another writer was faster and nothing was written.
fn append(
    totals: &mut Table,
    batches: Vec<PeriodRows>,
    positions: &[(String, u64)],
    extra: &[(&str, &str)],
    clock: &dyn Clock,
    rng: &mut dyn Rng,
) -> anyhow::Result<bool> {
    let now_ms = clock.now_us() / 1000;
    let mut adds = Vec::new();
    for (period, batch) in batches {
        let bytes = totals.encode(std::slice::from_ref(&batch))?;
        let mut partition = vec![("billing_period", period.as_str())];
        partition.extend(extra);
        adds.push(totals.put(&bytes, batch.num_rows(), &partition, &rng.next_name(), now_ms)?);
    }
    let info = CommitInfo::append(now_ms, rng.next_name());
    Ok(totals.attempt(&info, &adds, positions)? == Attempt::Committed)
}

/// All totals, summed by key, from the table `totals`.
pub fn read(totals: &Table, period: Option<&str>) -> anyhow::Result<BTreeMap<TotalKey, Sums>> {
    let mut sums = Totals::default();
    for add in totals.snapshot().files.values() {
        let Some(of) = add.partition("billing_period") else { continue };
        if period.is_none_or(|p| p == of) {
            for batch in totals.read(add, None)? {
                // Files of before do not have all columns.
                sums.add_totals(of, &with_nulls(batch, &TotalRows::schema(), None)?)?;
            }
        }
    }
    Ok(sums.into_sorted())
}

/// All totals made again from the entries up to a version.
pub fn recompute(entries: &Table, below: u64) -> anyhow::Result<BTreeMap<TotalKey, Sums>> {
    recompute_between(entries, 0, below)
}

/// The sums of the entries from a version up to another, without it.
pub fn recompute_between(entries: &Table, from: u64, below: u64) -> anyhow::Result<BTreeMap<TotalKey, Sums>> {
    let files = entries.files(&[("outcome", "rated")]).filter(|add| (from..below).contains(&version_of(add)));
    Ok(fold(entries, files.map(|add| &**add).collect())?.into_sorted())
}

/// What a rebuild found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Keys that were compared.
    pub keys: usize,
    /// Keys whose sums differed; their differences are appended.
    pub corrected: usize,
    /// The version of `cdr_entries` that the totals stand at.
    pub version: u64,
}

/// Makes all totals again and appends what differs, so that the table is right and its history stays.
pub fn rebuild(entries: &mut Table, totals: &mut Table, clock: &dyn Clock, rng: &mut dyn Rng) -> anyhow::Result<Rebuilt> {
    while step(entries, totals, clock, rng)? {}
    let below = totals.snapshot().position(APP_ID);
    let right = recompute(entries, below)?;
    let mut held = read(totals, None)?;
    let mut difference = BTreeMap::new();
    for (key, sums) in &right {
        let have = held.remove(key).unwrap_or_default();
        if have != *sums {
            difference.insert(key.clone(), minus(sums, &have));
        }
    }
    for (key, have) in held.into_iter().filter(|(_, s)| *s != Sums::default()) {
        difference.insert(key, minus(&Sums::default(), &have));
    }
    let corrected = difference.len();
    if corrected > 0 && !append(totals, to_batches(&difference)?, &[(APP_ID.to_owned(), below)], &[], clock, rng)? {
        anyhow::bail!("another totals job wrote at the same time; nothing was corrected, run it again");
    }
    Ok(Rebuilt { keys: right.len(), corrected, version: below.saturating_sub(1) })
}

fn minus(a: &Sums, b: &Sums) -> Sums {
    Sums {
        count: a.count - b.count,
        seconds: a.seconds - b.seconds,
        bytes: a.bytes - b.bytes,
        messages: a.messages - b.messages,
        billed_units: a.billed_units - b.billed_units,
        charge: a.charge - b.charge,
        cost: a.cost - b.cost,
    }
}

/// All totals of the records up to a version: those of the table, if it holds that much and no more.
pub fn read_at(entries: &Table, totals: &Table, version: u64) -> anyhow::Result<BTreeMap<TotalKey, Sums>> {
    let held = totals.snapshot().position(APP_ID);
    // Those that the table has and should not, or should have and has not.
    let others = held.min(version + 1)..held.max(version + 1);
    let is_other = entries.files(&[("outcome", "rated")]).any(|add| add.data_change && others.contains(&version_of(add)));
    if is_other { recompute(entries, version + 1) } else { read(totals, None) }
}

/// Folds what is new, as long as there is something.
pub fn catch_up(entries: &mut Table, totals: &mut Table, rng: &mut dyn Rng) -> anyhow::Result<()> {
    while step(entries, totals, &SystemClock, rng)? {}
    Ok(())
}

/// Freezes totals of a period that a closing is made from, unless that is done already.
pub fn freeze(
    frozen: &mut Table,
    sums: &BTreeMap<TotalKey, Sums>,
    (period, closing, version): (&str, u64, u64),
    clock: &dyn Clock,
    rng: &mut dyn Rng,
) -> anyhow::Result<()> {
    let taken_at = format!("{OF_CLOSING}{closing}");
    let pin = format!("backup/{period}/{taken_at}");
    if frozen.snapshot().positions.contains_key(&pin) {
        return Ok(());
    }
    if !append(frozen, to_batches(sums)?, &[(pin, version)], &[("taken_at", &taken_at)], clock, rng)? {
        anyhow::bail!("another backup was written at the same time; run it again");
    }
    Ok(())
}

/// What names a copy of totals that a closing has taken; its number follows.
const OF_CLOSING: &str = "closing-";

/// Whether a file of frozen totals is a closing's.
pub fn is_of_closing(add: &Add) -> bool {
    add.partition("taken_at").is_some_and(|taken_at| taken_at.starts_with(OF_CLOSING))
}

/// Freezes the totals of a period: a copy in `totals_backup`, pinned to the version of `cdr_entries` that they hold.
pub fn backup(
    totals: &Table,
    backup: &mut Table,
    period: &str,
    clock: &dyn Clock,
    rng: &mut dyn Rng,
) -> anyhow::Result<(u64, usize)> {
    let version = totals.snapshot().position(APP_ID).saturating_sub(1);
    let sums = read(totals, Some(period))?;
    let taken_at = format!("{}-v{version}", clock.now_us() / 1_000_000);
    let pin = [(format!("backup/{period}/{taken_at}"), version)];
    if !append(backup, to_batches(&sums)?, &pin, &[("taken_at", &taken_at)], clock, rng)? {
        anyhow::bail!("another backup was written at the same time; run it again");
    }
    Ok((version, sums.len()))
}
