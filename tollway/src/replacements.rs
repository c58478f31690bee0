//! What corrections have changed, as the ledger keeps it: files that took the place of others, and files that were taken back.

use std::collections::{BTreeMap, BTreeSet};

use domain::delivery::{ArrivalNumber, DeliveryId};
use domain::money::add_sums;
use domain::outcome::Counts;
use ingest::land::{ArrivalKind, Decision, Landing, RowChoice};
use serde_json::{Value, json};
use sinks::correction::recycle::EDITED;
use sinks::ledger::LedgerEntry;

use crate::counts::{money_text, to_json};
use crate::output::{Sheet, count};

/// A correction that is in the table.
#[derive(Debug, Clone)]
pub struct Corrected {
    /// The arrival that ordered it.
    pub by: ArrivalNumber,
    /// The file that took the place of others, or the one that was taken back.
    pub file: String,
    /// Why: `superseded` or `withdrawn`, or what else the ledger says.
    pub cause: String,
    /// Files of which rows were taken back or counted anew.
    pub files: usize,
    /// What is taken back.
    pub taken_back: Counts,
    /// What came in its place: rows of the new file that no other had, and rows of other files that were copies before.
    pub added: Counts,
    /// Records that have another entry now; 0 where an earlier version did it.
    pub records: u64,
    /// Rows of the new file that were there before and stay as they are.
    pub unchanged: u64,
}

/// The corrections that these entries of the ledger tell, in the order of their arrivals.
pub fn corrections(landing: &Landing, ledger: &[LedgerEntry]) -> anyhow::Result<Vec<Corrected>> {
    let mut by: BTreeMap<ArrivalNumber, Vec<&LedgerEntry>> = BTreeMap::new();
    for entry in ledger {
        if let Some(correction) = &entry.correction {
            by.entry(correction.by).or_default().push(entry);
        }
    }
    by.into_iter().map(|(number, entries)| corrected(landing, ledger, number, &entries)).collect()
}

/// The last corrections, at most so many.
pub fn latest(landing: &Landing, ledger: &[LedgerEntry], max: usize) -> anyhow::Result<Vec<Corrected>> {
    let mut all = corrections(landing, ledger)?;
    all.drain(..all.len().saturating_sub(max));
    Ok(all)
}

fn corrected(
    landing: &Landing,
    ledger: &[LedgerEntry],
    by: ArrivalNumber,
    entries: &[&LedgerEntry],
) -> anyhow::Result<Corrected> {
    let (mut taken_back, mut added, mut records) = (Counts::default(), Counts::default(), 0);
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    let mut cause = "";
    for (entry, correction) in entries.iter().filter_map(|e| Some((e, e.correction.as_ref()?))) {
        taken_back.add(&correction.taken_back);
        added.add(&entry.counts);
        records += correction.records;
        add_sums(&mut before, &correction.before);
        add_sums(&mut after, &correction.after);
        if cause.is_empty() || matches!(correction.cause.as_str(), "superseded" | "withdrawn") {
            cause = &correction.cause;
        }
    }
    let (file, own) = match landing.arrival(by)?.kind {
        ArrivalKind::Delivery(record) => (record.origin, counts_of(ledger, record.delivery)),
        ArrivalKind::Decision(Decision::Withdraw(word)) => (word.origin, Counts::default()),
        ArrivalKind::Decision(Decision::Recycle(word)) => {
            let file = match word.choice {
                RowChoice::Suspense(_) => "suspense",
                RowChoice::Priced(_) => "records with a price",
                RowChoice::Drawing(_) => "records that draw from allowances",
                RowChoice::WriteOff(_) => "suspense written off",
                RowChoice::Edit(_) => "suspense edited",
            };
            (file.to_owned(), Counts::default())
        }
        ArrivalKind::Import(import) => (import.origin, Counts::default()),
        // No correction is ordered by these.
        ArrivalKind::Decision(Decision::Dismiss(_) | Decision::Replay(_)) => (String::new(), Counts::default()),
    };
    if cause == "rerated" {
        // What has a price before and after is no row more or less in the ledger; what it costs is told as it was and is.
        (taken_back.charge, added.charge) = (before, after);
        taken_back.rated = taken_back.rated.max(records - records.min(taken_back.suspended()));
        added.rated = added.rated.max(records - records.min(added.suspended()));
    }
    // What ended as skipped is what was taken back: it is no row that came.
    added.skipped.clear();
    let unchanged = own.resent;
    added.rated += own.rated;
    own.suspense.iter().for_each(|(reason, n)| *added.suspense.entry(*reason).or_default() += n);
    let charges = Counts { charge: own.charge, ..Counts::default() };
    added.add(&charges);
    let files = entries.iter().map(|e| e.delivery).collect::<BTreeSet<_>>().len();
    Ok(Corrected { by, file, cause: cause.to_owned(), files, taken_back, added, records, unchanged })
}

/// The rows that a file brought itself, before any correction.
fn counts_of(ledger: &[LedgerEntry], delivery: DeliveryId) -> Counts {
    sinks::ledger::sum(ledger.iter().filter(|e| e.delivery == delivery && e.correction.is_none()))
}

impl Corrected {
    /// For machines.
    pub fn to_json(&self) -> Value {
        json!({
            "by": self.by, "file": self.file, "cause": self.cause, "files": self.files,
            "taken_back": to_json(&self.taken_back), "added": to_json(&self.added), "records": self.records,
            "unchanged": self.unchanged,
        })
    }
}

/// Corrections as a table; `None` if there are none.
pub fn sheet(all: &[Corrected]) -> Option<Sheet> {
    if all.is_empty() {
        return None;
    }
    let heads = ["file", "", "#taken back", "charge", "#in its place", "charge", "#unchanged"];
    let mut sheet = Sheet::new("corrections", &heads);
    for c in all {
        // What waits on for its reason with other fields is no row more or less.
        let least = if c.cause == EDITED { c.records } else { 0 };
        let rows = |counts: &Counts| count(least.max(counts.rated + counts.suspended()));
        sheet.row([
            c.file.clone(),
            c.cause.clone(),
            rows(&c.taken_back),
            money_text(&c.taken_back),
            rows(&c.added),
            money_text(&c.added),
            count(c.unchanged),
        ]);
    }
    Some(sheet)
}
