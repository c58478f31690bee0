//! From a group of rated ranges to durable files: redeliveries and duplicates out, rows into partitions, the ledger written.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use arrow_array::RecordBatch;
use domain::check;
use domain::columns::entries::LEDGER;
use domain::columns::parsed::MalformedRow;
use domain::columns::rated::RatedBatch;
use domain::delivery::{FileContext, KeyMode};
use domain::money::Money;
use domain::outcome::{Counts, Outcome, Reason};
use domain::period::Month;
use domain::ports::{Clock, Rng};
use rayon::prelude::*;

use super::{CommitError, Committer, Group, Prepared, RatedRange};
use crate::delta::action::{Add, CommitInfo};
use crate::gather::{Pick, Selection, sort};
use crate::keys::cache::{Check, runs_of};
use crate::keys::sidecar::{RunId, account_hash, encode};
use crate::keys::{Bucket, Claim, TAG_SIDECAR, Verdict};
use crate::ledger::{Covered, LedgerRow, TAG_ARRIVALS};
use crate::{entries, rows};

/// Rows of a partition that one thread builds columns of at a time.
const BUILD_ROWS: usize = 32_768;

/// The partition value of rows whose month is unknown.
const UNKNOWN: &str = "unknown";

/// What the duplicate check said of the rows of one range.
struct Checked {
    /// Per readable row: its fate.
    fates: Vec<Fate>,
    /// Positions of the malformed rows that stay.
    malformed: Vec<usize>,
    counts: Counts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It stays, with its own reason or none.
    Stays,
    /// It stays in suspense: its id came before with other content.
    Conflict,
    /// An equal row came before.
    Gone,
}

/// Key and bucket of every row of a range, readable ones first, then malformed ones.
fn keys_of(batch: &RatedBatch) -> impl Iterator<Item = (RunId, u128, u64, u64)> + '_ {
    let parsed = &batch.linked.parsed;
    let (columns, mode) = (&parsed.columns, parsed.file.key_mode);
    let account = account_hash(&parsed.file.account.path());
    let readable = (0..columns.key.len()).map(move |i| {
        let bucket = Bucket::of(mode, columns.key[i], Some(columns.start_us[i]));
        let content = columns.content.get(i).copied().unwrap_or(0);
        (RunId { account, bucket }, columns.key[i], content, columns.row[i])
    });
    let malformed =
        parsed.malformed.iter().map(move |m| (RunId { account, bucket: Bucket::of(mode, m.key, None) }, m.key, 0, m.row));
    readable.chain(malformed)
}

/// The key of a row in conflict: its id is taken, so content becomes part of the name.
fn conflict_key(key: u128, content: u64) -> u128 {
    key ^ (u128::from(content) << 64 | u128::from(content.rotate_left(32)) | 1)
}

/// See [`Committer::prepare`].
pub(super) fn prepare(
    committer: &mut Committer,
    group: &Group,
    clock: &dyn Clock,
    rng: &mut dyn Rng,
) -> Result<Prepared, CommitError> {
    let fresh = fresh_ranges(committer, group)?;
    let redelivered = group.ranges.len() - fresh.len();
    let touched: HashSet<RunId> = fresh.iter().flat_map(|r| keys_of(&r.batch)).map(|k| k.0).collect();
    committer.keys.load(&committer.table, &touched.into_iter().collect())?;
    let mut claims = Vec::new();
    let mut check = committer.keys.check();
    let checked: Vec<Checked> = fresh.iter().map(|r| check_range(&mut check, &r.batch, &mut claims)).collect();
    let found = check.finish();

    let ledger: Vec<LedgerRow> = fresh
        .iter()
        .zip(&checked)
        .map(|(range, c)| LedgerRow {
            file: Arc::clone(&range.batch.linked.parsed.file),
            first_row: range.batch.linked.parsed.first_row,
            counts: c.counts.clone(),
            verdict: range.verdict.clone(),
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
    let batches: Vec<&RatedBatch> = fresh.iter().map(|r| &r.batch).collect();
    let now_ms = clock.now_us() / 1000;
    let (files, claimed) = rayon::join(|| build(&batches, &checked, &ledger), || encode(runs_of(claims)));
    let mut files = files?;
    check!(
        RowsMatchFiles,
        files.iter().filter(|f| f.outcome != LEDGER).map(|f| f.rows() as u64).sum::<u64>()
            == ledger.iter().map(|l| l.counts.rated + l.counts.suspended()).sum::<u64>(),
        "rows of files and ledger differ"
    );
    let sidecar = (!ledger.is_empty()).then(|| format!("_keys/{}", rng.next_name()));
    if let Some(name) = &sidecar {
        let path = format!("{}/{name}", committer.table.root());
        committer.table.blob().put_if_absent(&path, &claimed).map_err(crate::table::TableError::from)?;
    }
    let adds = write(committer, &mut files, now_ms, rng, sidecar.as_deref(), &ledger)?;
    let accounts: BTreeSet<String> = ledger.iter().map(|l| l.file.account.path()).collect();
    let info = CommitInfo {
        timestamp: now_ms,
        operation: "WRITE".to_owned(),
        operation_parameters: BTreeMap::from([("mode".to_owned(), "Append".to_owned())]),
        engine_info: crate::ENGINE.to_owned(),
        commit_id: rng.next_name(),
        accounts: accounts.into_iter().collect(),
        reference_version: group.reference_version,
    };
    Ok(Prepared { info, adds, positions: group.positions.clone(), ledger, found, sidecar, redelivered })
}

/// The ranges of a group that the ledger does not cover yet.
fn fresh_ranges<'g>(committer: &mut Committer, group: &'g Group) -> Result<Vec<&'g RatedRange>, CommitError> {
    committer.table.refresh()?;
    let mut fresh: Vec<&RatedRange> = Vec::with_capacity(group.ranges.len());
    for range in &group.ranges {
        let parsed = &range.batch.linked.parsed;
        committer.coverage.load(&committer.table, parsed.file.arrival)?;
        let twice = fresh.iter().any(|f| {
            f.batch.linked.parsed.file.delivery == parsed.file.delivery && f.batch.linked.parsed.first_row == parsed.first_row
        });
        if !twice && committer.coverage.of(parsed.file.delivery, parsed.first_row, parsed.rows_in)? == Covered::Not {
            fresh.push(range);
        }
    }
    Ok(fresh)
}

/// Runs the rows of one range through the duplicate check.
fn check_range(check: &mut Check<'_>, batch: &RatedBatch, claims: &mut Vec<(RunId, Claim)>) -> Checked {
    let parsed = &batch.linked.parsed;
    let delivery = parsed.file.delivery;
    let code = check.delivery(delivery);
    let by_id = parsed.file.key_mode == KeyMode::Id;
    let readable = parsed.len();
    let mut counts = Counts { rows_in: parsed.rows_in, skipped: parsed.skipped.clone(), ..Counts::default() };
    let mut fates = Vec::with_capacity(readable);
    let mut malformed = Vec::new();
    for (i, (run, key, content, row)) in keys_of(batch).enumerate() {
        let is_readable = i < readable;
        let mut claimed = key;
        let mut verdict = check.row(run, key, content, code, by_id && is_readable);
        let conflict = verdict == Verdict::Conflict;
        if conflict {
            claimed = conflict_key(key, content);
            verdict = check.row(run, claimed, content, code, false);
        }
        let live = verdict == Verdict::First;
        claims.push((run, Claim { key: claimed, content, delivery, row, live }));
        match verdict {
            Verdict::SameFile => counts.duplicates += 1,
            Verdict::OtherFile | Verdict::Conflict => counts.resent += 1,
            Verdict::First if is_readable => count_readable(&mut counts, batch, i, conflict),
            Verdict::First => {
                *counts.suspense.entry(parsed.malformed[i - readable].reason).or_default() += 1;
                malformed.push(i - readable);
            }
        }
        if is_readable {
            fates.push(match (live, conflict) {
                (false, _) => Fate::Gone,
                (true, true) => Fate::Conflict,
                (true, false) => Fate::Stays,
            });
        }
    }
    Checked { fates, malformed, counts }
}

fn count_readable(counts: &mut Counts, batch: &RatedBatch, i: usize, conflict: bool) {
    let reason = if conflict { Some(Reason::IdConflict) } else { batch.reason(i) };
    if let Some(reason) = reason {
        *counts.suspense.entry(reason).or_default() += 1;
        return;
    }
    counts.rated += 1;
    let currency = batch.labels.tariffs[usize::from(batch.columns.tariff[i])].currency;
    let sum = counts.charge.entry(currency).or_default();
    *sum = sum.plus(Money(i128::from(batch.columns.charge_nano[i])));
}

/// A file to be: its partition and its rows.
struct NewFile {
    month: String,
    outcome: &'static str,
    batches: Vec<RecordBatch>,
}

impl NewFile {
    fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }
}

/// Rows into partitions, each sorted; partitions are built in parallel, in a fixed order.
fn build(batches: &[&RatedBatch], checked: &[Checked], ledger: &[LedgerRow]) -> Result<Vec<NewFile>, CommitError> {
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
    let reason = |batch: &RatedBatch, i: usize| {
        let b = batches.iter().position(|x| std::ptr::eq(*x, batch)).expect("the row is of this group");
        if checked[b].fates[i] == Fate::Conflict { Some(Reason::IdConflict) } else { batch.reason(i) }
    };
    let mut files = partitions
        .into_par_iter()
        .map(|((month, outcome), mut picks)| {
            sort(batches, &mut picks);
            let built = picks.par_chunks(BUILD_ROWS).map(|picks| {
                let selection = Selection { batches, picks };
                match outcome {
                    Outcome::Rated => entries::charges(&selection, |_, _| None),
                    _ => entries::charges(&selection, reason),
                }
            });
            let built = built.collect::<Result<Vec<_>, _>>()?;
            Ok(NewFile { month: month.to_string(), outcome: outcome.as_str(), batches: built })
        })
        .collect::<Result<Vec<_>, CommitError>>()?;
    if !spoiled.is_empty() {
        let batch = rows::malformed(&spoiled)?;
        files.push(NewFile { month: UNKNOWN.to_owned(), outcome: Outcome::Suspense.as_str(), batches: vec![batch] });
    }
    if !ledger.is_empty() {
        files.push(NewFile { month: UNKNOWN.to_owned(), outcome: LEDGER, batches: vec![rows::ledger(ledger)?] });
    }
    Ok(files)
}

/// Encodes in parallel, makes durable in a fixed order, and tags the ledger file with what finds it again.
fn write(
    committer: &Committer,
    files: &mut Vec<NewFile>,
    now_ms: i64,
    rng: &mut dyn Rng,
    sidecar: Option<&str>,
    ledger: &[LedgerRow],
) -> Result<Vec<Add>, CommitError> {
    let table = &committer.table;
    let encoded = files.par_iter().map(|f| table.encode(&f.batches)).collect::<Result<Vec<_>, _>>()?;
    let mut adds = Vec::with_capacity(files.len());
    for (file, bytes) in files.drain(..).zip(encoded) {
        let partition = [("event_month", file.month.as_str()), ("outcome", file.outcome)];
        let mut add = table.put(&bytes, file.rows(), &partition, &rng.next_name(), now_ms)?;
        if file.outcome == LEDGER {
            let tags = add.tags.get_or_insert_default();
            let arrivals = ledger.iter().map(|l| l.file.arrival);
            let (low, high) = (arrivals.clone().min().unwrap_or(0), arrivals.max().unwrap_or(0));
            tags.insert(TAG_ARRIVALS.to_owned(), format!("{low}-{high}"));
            tags.insert(TAG_SIDECAR.to_owned(), sidecar.unwrap_or_default().to_owned());
        }
        adds.push(add);
    }
    Ok(adds)
}
