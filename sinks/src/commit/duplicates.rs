//! The duplicate check of a group: which rows stay, bucket by bucket in parallel, in the order of arrival within each.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::columns::parsed::ParsedBatch;
use domain::columns::rated::RatedBatch;
use domain::delivery::KeyMode;
use domain::money::Money;
use domain::outcome::{Counts, Reason};
use hashbrown::HashMap;
use rayon::prelude::*;

use super::Rating;
use crate::keys::cache::{Found, KeyCache, RunCheck};
use crate::keys::sidecar::{RunId, account_hash};
use crate::keys::{Bucket, Claim, Verdict, conflict_mask};

/// What the duplicate check said of the rows of one range.
pub(super) struct Checked {
    /// Per readable row: its fate.
    pub fates: Vec<Fate>,
    /// Positions of the malformed rows that stay.
    pub malformed: Vec<usize>,
    pub counts: Counts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays, with its own reason or none.
    Stays,
    /// It stays in suspense: its id came before with other content.
    Conflict,
    /// An equal row came before.
    Gone,
}

/// The check of a whole group.
pub(super) struct GroupCheck {
    /// Per range.
    pub checked: Vec<Checked>,
    /// The claims of all rows, for the sidecar.
    pub claims: BTreeMap<RunId, Vec<Claim>>,
    /// What was new.
    pub found: Found,
}

/// The rows of a range by bucket: readable rows first, then malformed ones, each bucket in the order of the rows.
pub(super) type Buckets = HashMap<RunId, Vec<u32>>;

/// Sorts the rows of a range into buckets.
pub(super) fn buckets(parsed: &ParsedBatch) -> Buckets {
    let (columns, mode) = (&parsed.columns, parsed.file.key_mode);
    let account = account_hash(&parsed.file.account.path());
    let readable = columns.key.iter().zip(&columns.start_us).map(|(key, start_us)| Bucket::of(mode, *key, Some(*start_us)));
    let malformed = parsed.malformed.iter().map(|m| Bucket::of(mode, m.key, None));
    let mut buckets = Buckets::new();
    for (row, bucket) in (0..).zip(readable.chain(malformed)) {
        buckets.entry(RunId { account, bucket }).or_default().push(row);
    }
    buckets
}

/// A row of a range: its place, what was said of it, and whether its id was taken by other content.
struct Said {
    row: u32,
    verdict: Verdict,
    conflict: bool,
}

/// Runs all rows through the check. The cache holds every bucket of `by_range`.
pub(super) fn check_group(cache: &mut KeyCache, batches: &[&ParsedBatch], by_range: Vec<Buckets>) -> GroupCheck {
    let codes: Vec<u32> = batches.iter().map(|b| cache.code(b.file.delivery)).collect();
    let mut runs: BTreeMap<RunId, Vec<(usize, Vec<u32>)>> = BTreeMap::new();
    for (range, buckets) in by_range.into_iter().enumerate() {
        for (run, rows) in buckets {
            runs.entry(run).or_default().push((range, rows));
        }
    }
    let cache = &*cache;
    let done: Vec<_> = runs
        .into_par_iter()
        .map(|(run, ranges)| {
            let mut check = cache.check(run);
            let mut claims = Vec::with_capacity(ranges.iter().map(|(_, rows)| rows.len()).sum());
            let said: Vec<(usize, Vec<Said>)> = ranges
                .into_iter()
                .map(|(range, rows)| (range, check_rows(&mut check, batches[range], codes[range], &rows, &mut claims)))
                .collect();
            (run, said, claims, check.finish())
        })
        .collect();
    let mut per_range: Vec<Vec<Vec<Said>>> = batches.iter().map(|_| Vec::new()).collect();
    let (mut claims, mut found) = (BTreeMap::new(), Found::default());
    for (run, said, claimed, keys) in done {
        for (range, rows) in said {
            per_range[range].push(rows);
        }
        claims.insert(run, claimed);
        found.insert(run, keys);
    }
    let checked = batches.par_iter().zip(per_range).map(|(batch, said)| settle(batch, said)).collect();
    GroupCheck { checked, claims, found }
}

/// Runs the rows of one range and bucket through the check.
fn check_rows(check: &mut RunCheck<'_>, parsed: &ParsedBatch, code: u32, rows: &[u32], claims: &mut Vec<Claim>) -> Vec<Said> {
    let (columns, delivery) = (&parsed.columns, parsed.file.delivery);
    let (by_id, readable) = (parsed.file.key_mode == KeyMode::Id, parsed.len());
    let check_one = |row: &u32| {
        let i = *row as usize;
        let (key, content, number) = match i.checked_sub(readable) {
            None => (columns.key[i], columns.content.get(i).copied().unwrap_or(0), columns.row[i]),
            Some(m) => (parsed.malformed[m].key, 0, parsed.malformed[m].row),
        };
        let mut claimed = key;
        let mut verdict = check.row(key, content, code, by_id && i < readable);
        let conflict = verdict == Verdict::Conflict;
        if conflict {
            claimed = key ^ conflict_mask(content);
            verdict = check.row(claimed, content, code, false);
        }
        claims.push(Claim { key: claimed, content, delivery, row: number, live: verdict == Verdict::First });
        Said { row: *row, verdict, conflict }
    };
    rows.iter().map(check_one).collect()
}

/// Puts what was said of a range's rows, bucket by bucket, back into the order of the rows, and counts it: all but the readable
/// rows that stay.
fn settle(parsed: &ParsedBatch, said: Vec<Vec<Said>>) -> Checked {
    let readable = parsed.len();
    let mut counts = Counts { rows_in: parsed.rows_in, skipped: parsed.skipped.clone(), ..Counts::default() };
    let mut fates = vec![Fate::Gone; readable];
    let mut malformed = Vec::new();
    for Said { row, verdict, conflict } in said.into_iter().flatten() {
        let i = row as usize;
        match (verdict, i.checked_sub(readable)) {
            (Verdict::SameFile, _) => counts.duplicates += 1,
            (Verdict::OtherFile | Verdict::Conflict, _) => counts.resent += 1,
            (Verdict::First, None) => fates[i] = if conflict { Fate::Conflict } else { Fate::Stays },
            (Verdict::First, Some(m)) => {
                *counts.suspense.entry(parsed.malformed[m].reason).or_default() += 1;
                malformed.push(m);
            }
        }
    }
    malformed.sort_unstable();
    Checked { fates, malformed, counts }
}

/// A range whose copies are so few is rated whole, copies and all: that costs less than to leave them out.
const COPIES_FEW: usize = 8;

impl Checked {
    /// Rates the readable rows that stay and counts them. What comes back may hold copies, too: the fates go with it.
    pub(super) fn rate(&mut self, batch: &Arc<ParsedBatch>, rating: Rating<'_>) -> RatedBatch {
        let staying: Vec<usize> = (0..self.fates.len()).filter(|i| self.fates[*i] != Fate::Gone).collect();
        let copies = self.fates.len() - staying.len();
        let rated = if copies * COPIES_FEW < self.fates.len() {
            rating(Arc::clone(batch))
        } else {
            self.fates.retain(|fate| *fate != Fate::Gone);
            rating(Arc::new(batch.with_rows(&staying)))
        };
        for (i, fate) in self.fates.iter().enumerate().filter(|(_, fate)| **fate != Fate::Gone) {
            count_readable(&mut self.counts, &rated, i, *fate == Fate::Conflict);
        }
        rated
    }
}

/// Adds a readable row that stays to the counts.
pub(crate) fn count_readable(counts: &mut Counts, batch: &RatedBatch, i: usize, conflict: bool) {
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
