//! From a group of ranges to durable files: redeliveries and duplicates out, the rest rated and sorted into partitions, the
//! ledger written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::RecordBatch;
use domain::check;
use domain::columns::entries::LEDGER;
use domain::columns::parsed::{MalformedRow, ParsedBatch};
use domain::columns::rated::RatedBatch;
use domain::delivery::FileContext;
use domain::outcome::{Counts, Outcome, Reason};
use domain::period::Month;
use domain::ports::{Clock, Rng};
use hashbrown::HashMap;
use rayon::prelude::*;

use super::duplicates::{Buckets, Checked, Fate, GroupCheck, buckets, check_group};
use super::{CommitError, Committer, Group, ParsedRange, Prepared, Rating};
use crate::delta::action::{Add, CommitInfo};
use crate::entries::Words;
use crate::gather::{Pick, Selection, sort};
use crate::keys::TAG_SIDECAR;
use crate::keys::sidecar::{RunId, encode};
use crate::keys::stopped::TAG_STOPPED;
use crate::ledger::{Covered, LedgerRow, TAG_ARRIVALS};
use crate::table::Table;
use crate::{entries, keys, rows};

/// Rows of a partition that one thread builds columns of at a time.
const BUILD_ROWS: usize = 32_768;

/// The partition value of rows whose month is unknown.
const UNKNOWN: &str = "unknown";

/// See [`Committer::prepare`].
pub(super) fn prepare(
    committer: &mut Committer,
    group: &Group,
    rating: Rating<'_>,
    clock: &dyn Clock,
    rng: &mut dyn Rng,
) -> Result<Prepared, CommitError> {
    let fresh = fresh_ranges(committer, group)?;
    let redelivered = group.ranges.len() - fresh.len();
    let batches: Vec<&ParsedBatch> = fresh.iter().map(|r| &*r.batch).collect();
    let stopped = committer.keys.stopped(&committer.table);
    let fates: Vec<Option<keys::stopped::Fate>> = batches.iter().map(|b| stopped.fate(b.file.delivery)).collect();
    let wanted = batches.par_iter().zip(&fates);
    let by_range: Vec<Buckets> =
        wanted.map(|(batch, fate)| if fate.is_none() { buckets(batch) } else { Buckets::new() }).collect();
    let touched: BTreeSet<RunId> = by_range.iter().flat_map(Buckets::keys).copied().collect();
    committer.keys.load(&committer.table, &touched)?;
    let GroupCheck { mut checked, claims, found } = check_group(&mut committer.keys, &batches, by_range);
    skip_stopped(&mut checked, &fates);
    let rated: Vec<RatedBatch> =
        fresh.par_iter().zip(&mut checked).map(|(range, checked)| checked.rate(&range.batch, rating)).collect();

    let ledger: Vec<LedgerRow> = fresh
        .iter()
        .zip(&checked)
        .map(|(range, c)| LedgerRow {
            file: Arc::clone(&range.batch.file),
            first_row: range.batch.first_row,
            counts: c.counts.clone(),
            verdict: range.verdict.clone(),
            correction: None,
        })
        .collect();
    for row in &ledger {
        check!(
            RowsBalance,
            row.counts.is_balanced(),
            "delivery {} from row {}: {:?}",
            row.file.delivery,
            row.first_row,
            row.counts
        );
    }
    let now_ms = clock.now_us() / 1000;
    let rated: Vec<&RatedBatch> = rated.iter().collect();
    let (files, claimed) = rayon::join(|| build(&rated, &checked, &ledger, &Words::FIRST), || encode(&claims));
    let files = files?;
    check!(
        RowsMatchFiles,
        files.iter().filter(|f| f.outcome != LEDGER).map(|f| f.rows() as u64).sum::<u64>()
            == ledger.iter().map(|l| l.counts.rated + l.counts.suspended()).sum::<u64>(),
        "rows of files and ledger differ"
    );
    let sidecar = (!ledger.is_empty()).then(|| format!("_keys/{}", rng.next_name()));
    let table = &committer.table;
    // The disk and the cores work side by side.
    let (put, encoded) = rayon::join(
        || match &sidecar {
            Some(name) => table.blob().put_if_absent(&format!("{}/{name}", table.root()), &claimed),
            None => Ok(()),
        },
        || files.par_iter().map(|f| table.encode(&f.batches)).collect::<Result<Vec<_>, _>>(),
    );
    put.map_err(crate::table::TableError::from)?;
    let tags = LedgerTags { rows: &ledger, sidecar: sidecar.as_deref(), stopped: None };
    let adds = write(table, files, encoded?, now_ms, rng, &tags)?;
    let accounts: BTreeSet<String> = ledger.iter().map(|l| l.file.account.path()).collect();
    let info = signed(accounts, group.reference_version, now_ms, rng);
    Ok(Prepared { info, adds, positions: group.positions.clone(), ledger, found, sidecar, redelivered })
}

/// Rows of deliveries that act no more end as skipped: nothing was checked of them.
fn skip_stopped(checked: &mut [Checked], fates: &[Option<keys::stopped::Fate>]) {
    for (checked, fate) in checked.iter_mut().zip(fates) {
        if let Some(fate) = fate {
            let rows_in = checked.counts.rows_in;
            let skipped = BTreeMap::from([(fate.as_str().to_owned(), rows_in)]);
            checked.counts = Counts { rows_in, skipped, ..Counts::default() };
        }
    }
}

/// What a commit says of itself.
pub(super) fn signed(accounts: BTreeSet<String>, reference_version: u64, now_ms: i64, rng: &mut dyn Rng) -> CommitInfo {
    CommitInfo {
        timestamp: now_ms,
        operation: "WRITE".to_owned(),
        operation_parameters: BTreeMap::from([("mode".to_owned(), "Append".to_owned())]),
        engine_info: crate::ENGINE.to_owned(),
        commit_id: rng.next_name(),
        accounts: accounts.into_iter().collect(),
        reference_version,
    }
}

/// The ranges of a group that the ledger does not cover yet.
fn fresh_ranges<'g>(committer: &mut Committer, group: &'g Group) -> Result<Vec<&'g ParsedRange>, CommitError> {
    committer.table.refresh()?;
    let mut fresh: Vec<&ParsedRange> = Vec::with_capacity(group.ranges.len());
    for range in &group.ranges {
        let parsed = &range.batch;
        committer.coverage.load(&committer.table, parsed.file.arrival)?;
        let is_same = |f: &&ParsedRange| f.batch.file.delivery == parsed.file.delivery && f.batch.first_row == parsed.first_row;
        let twice = fresh.iter().any(is_same);
        if !twice && committer.coverage.of(parsed.file.delivery, parsed.first_row, parsed.rows_in)? == Covered::Not {
            fresh.push(range);
        }
    }
    Ok(fresh)
}

/// A file to be: its partition and its rows.
pub(super) struct NewFile {
    month: String,
    outcome: &'static str,
    pub batches: Vec<RecordBatch>,
}

impl NewFile {
    fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// Rows into partitions, each sorted; partitions are built in parallel, in a fixed order.
pub(super) fn build(
    batches: &[&RatedBatch],
    checked: &[Checked],
    ledger: &[LedgerRow],
    words: &Words<'_>,
) -> Result<Vec<NewFile>, CommitError> {
    let mut partitions: BTreeMap<(Month, Outcome), Vec<Pick>> = BTreeMap::new();
    let mut spoiled: Vec<(&FileContext, &MalformedRow)> = Vec::new();
    for (b, (batch, c)) in (0..).zip(batches.iter().zip(checked)) {
        let parsed = &batch.linked.parsed;
        for (row, (i, fate)) in (0..).zip(c.fates.iter().enumerate()) {
            if *fate == Fate::Gone {
                continue;
            }
            let rated = *fate == Fate::Stays && batch.columns.reason[i] == 0;
            let outcome = if rated { Outcome::Rated } else { Outcome::Suspense };
            partitions.entry((Month::of(parsed.columns.start_us[i]), outcome)).or_default().push(Pick { batch: b, row });
        }
        spoiled.extend(c.malformed.iter().map(|m| (&*parsed.file, &parsed.malformed[*m])));
    }
    let numbers: HashMap<usize, usize> = batches.iter().map(|b| std::ptr::from_ref(*b).addr()).zip(0..).collect();
    let reason = |batch: &RatedBatch, i: usize| {
        let b = numbers[&std::ptr::from_ref(batch).addr()];
        if checked[b].fates[i] == Fate::Conflict { Some(Reason::IdConflict) } else { batch.reason(i) }
    };
    let mut files = partitions
        .into_par_iter()
        .map(|((month, outcome), mut picks)| {
            sort(batches, &mut picks);
            let built = picks.par_chunks(BUILD_ROWS).map(|picks| {
                let selection = Selection { batches, picks };
                match outcome {
                    Outcome::Rated => entries::charges(&selection, |_, _| None, words),
                    _ => entries::charges(&selection, reason, words),
                }
            });
            let built = built.collect::<Result<Vec<_>, _>>()?;
            Ok(NewFile { month: month.to_string(), outcome: outcome.as_str(), batches: built })
        })
        .collect::<Result<Vec<_>, CommitError>>()?;
    if !spoiled.is_empty() {
        let batch = rows::malformed(&spoiled, words)?;
        files.push(NewFile { month: UNKNOWN.to_owned(), outcome: Outcome::Suspense.as_str(), batches: vec![batch] });
    }
    if !ledger.is_empty() {
        files.push(NewFile { month: UNKNOWN.to_owned(), outcome: LEDGER, batches: vec![rows::ledger(ledger)?] });
    }
    Ok(files)
}

/// What finds a ledger file again.
pub(super) struct LedgerTags<'a> {
    /// Its rows.
    pub rows: &'a [LedgerRow],
    /// The sidecar of the commit.
    pub sidecar: Option<&'a str>,
    /// The deliveries that act no more from this commit on.
    pub stopped: Option<String>,
}

/// Makes encoded files durable in a fixed order, and tags the ledger file with what finds it again.
pub(super) fn write(
    table: &Table,
    files: Vec<NewFile>,
    encoded: Vec<Vec<u8>>,
    now_ms: i64,
    rng: &mut dyn Rng,
    ledger: &LedgerTags<'_>,
) -> Result<Vec<Add>, CommitError> {
    let mut adds = Vec::with_capacity(files.len());
    for (file, bytes) in files.into_iter().zip(encoded) {
        let partition = [("event_month", file.month.as_str()), ("outcome", file.outcome)];
        let mut add = table.put(&bytes, file.rows(), &partition, &rng.next_name(), now_ms)?;
        if file.outcome == LEDGER {
            let tags = add.tags.get_or_insert_default();
            let arrivals = ledger.rows.iter().map(|l| l.file.arrival);
            let (low, high) = (arrivals.clone().min().unwrap_or(0), arrivals.max().unwrap_or(0));
            tags.insert(TAG_ARRIVALS.to_owned(), format!("{low}-{high}"));
            tags.insert(TAG_SIDECAR.to_owned(), ledger.sidecar.unwrap_or_default().to_owned());
            tags.extend(ledger.stopped.clone().map(|stopped| (TAG_STOPPED.to_owned(), stopped)));
        }
        adds.push(add);
    }
    Ok(adds)
}
