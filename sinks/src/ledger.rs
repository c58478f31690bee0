//! The ledger: one row per batch that says how its rows ended, and which rows of a delivery are committed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::str::FromStr;
use std::sync::Arc;

use arrow_array::{Array, Int64Array, RecordBatch};
use domain::columns::entries::EntriesView;
use domain::columns::{ColumnError, entries};
use domain::delivery::{ArrivalNumber, DeliveryId, FileContext};
use domain::invariant::Violation;
use domain::money::{Currency, Money};
use domain::outcome::{Counts, Reason};
use serde::{Deserialize, Serialize};

use crate::delta::action::Add;
use crate::table::{Table, TableError};

/// Tag of a ledger file: lowest and highest arrival in it, `12-15`, so that a look-up reads only files that can matter.
pub const TAG_ARRIVALS: &str = "tollway.arrivals";

/// The account of one batch.
#[derive(Debug, Clone)]
pub struct LedgerRow {
    /// The delivery.
    pub file: Arc<FileContext>,
    /// First row of the range.
    pub first_row: u64,
    /// How its rows ended.
    pub counts: Counts,
    /// On the last batch of a delivery: state, rows and message of the file as a whole.
    pub verdict: Option<Verdict>,
}

/// What the ledger keeps of a file as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The file's state: `complete`, `truncated`, …
    pub state: String,
    /// Data rows that were announced to be rated.
    pub rows: u64,
    /// What is wrong and what to do; empty when complete.
    pub message: String,
}

/// The JSON of the column `ledger_detail`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Detail {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    suspense: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    skipped: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    charge: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
}

impl LedgerRow {
    /// Counts by reason and rule, sums by currency and the verdict, as the table keeps them.
    pub fn detail_json(&self) -> String {
        let detail = Detail {
            suspense: self.counts.suspense.iter().map(|(r, n)| (r.as_str().to_owned(), *n)).collect(),
            skipped: self.counts.skipped.clone(),
            charge: self.counts.charge.iter().map(|(c, m)| (c.to_string(), m.to_text(9))).collect(),
            verdict: self.verdict.clone(),
        };
        serde_json::to_string(&detail).expect("texts and integers make JSON")
    }
}

/// A ledger row as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Tenant, provider and account, with `/`.
    pub account: String,
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its place in the order of arrivals.
    pub arrival: ArrivalNumber,
    /// First row of the range.
    pub first_row: u64,
    /// How its rows ended.
    pub counts: Counts,
    /// The verdict, on the last batch of a delivery.
    pub verdict: Option<Verdict>,
}

/// The columns that ledger rows are read from.
pub const LEDGER_COLUMNS: [&str; 12] = [
    "tenant",
    "provider",
    "account",
    "delivery",
    "arrival",
    "row",
    "ledger_rows_in",
    "ledger_rated",
    "ledger_suspense",
    "ledger_duplicates",
    "ledger_resent",
    "ledger_detail",
];

/// Reads ledger rows from a batch of [`LEDGER_COLUMNS`].
pub fn read_entries(batch: &RecordBatch) -> Result<Vec<LedgerEntry>, ColumnError> {
    let view = EntriesView(batch);
    let (tenant, provider, account) = (view.tenant()?, view.provider()?, view.account()?);
    let (delivery, arrival, row) = (view.delivery()?, view.arrival()?, view.row()?);
    let (rows_in, rated) = (view.ledger_rows_in()?, view.ledger_rated()?);
    let (duplicates, resent) = (view.ledger_duplicates()?, view.ledger_resent()?);
    let detail = view.ledger_detail()?;
    let count = |column: &Int64Array, i: usize| if column.is_null(i) { 0 } else { column.value(i).max(0).cast_unsigned() };
    let mut all = Vec::with_capacity(batch.num_rows());
    for i in 0..batch.num_rows() {
        let text = if detail.is_null(i) { "{}" } else { detail.value(i) };
        let detail: Detail = serde_json::from_str(text).map_err(|e| ColumnError::Batch(format!("ledger_detail: {e}")))?;
        let strange = |what: &str| ColumnError::Batch(format!("ledger_detail: `{what}` is not known to this version"));
        let money = |(code, text): (&String, &String)| {
            let known = Currency::parse(code).zip(Money::parse(text));
            known.ok_or_else(|| strange(&format!("{code} {text}")))
        };
        let reason = |(name, n): (&String, &u64)| Ok((Reason::parse(name).ok_or_else(|| strange(name))?, *n));
        let counts = Counts {
            rows_in: count(rows_in, i),
            rated: count(rated, i),
            suspense: detail.suspense.iter().map(reason).collect::<Result<_, ColumnError>>()?,
            duplicates: count(duplicates, i),
            resent: count(resent, i),
            skipped: detail.skipped,
            charge: detail.charge.iter().map(money).collect::<Result<_, ColumnError>>()?,
        };
        let delivery = DeliveryId::parse(delivery.value(i))
            .ok_or_else(|| ColumnError::Batch(format!("`{}` is no delivery id", delivery.value(i))))?;
        all.push(LedgerEntry {
            account: format!("{}/{}/{}", tenant.value(i), provider.value(i), account.value(i)),
            delivery,
            arrival: count(arrival, i),
            first_row: count(row, i),
            counts,
            verdict: detail.verdict,
        });
    }
    Ok(all)
}

/// All ledger rows of a table.
pub fn read_all(table: &Table) -> Result<Vec<LedgerEntry>, TableError> {
    let mut all = Vec::new();
    for add in table.files(&[("outcome", entries::LEDGER)]) {
        all.extend(read_file(table, add)?);
    }
    Ok(all)
}

/// Deliveries that are done: they have their verdict, and every row that it counts is covered. The verdict comes with the last
/// range; one before it may be missing where its claim check could not be read.
pub fn settled(entries: &[LedgerEntry]) -> HashSet<DeliveryId> {
    let mut covered: HashMap<DeliveryId, u64> = HashMap::new();
    for entry in entries {
        *covered.entry(entry.delivery).or_default() += entry.counts.rows_in;
    }
    let is_whole = |entry: &&LedgerEntry| {
        let verdict = entry.verdict.as_ref();
        verdict.is_some_and(|v| v.state != "complete" || covered.get(&entry.delivery).is_some_and(|rows| *rows >= v.rows))
    };
    entries.iter().filter(is_whole).map(|e| e.delivery).collect()
}

pub(crate) fn read_file(table: &Table, add: &Add) -> Result<Vec<LedgerEntry>, TableError> {
    let mut all = Vec::new();
    for batch in table.read(add, Some(&LEDGER_COLUMNS))? {
        all.extend(read_entries(&batch).map_err(|e| TableError::File { path: add.path.clone(), what: e.to_string() })?);
    }
    Ok(all)
}

/// The lowest and highest arrival of a ledger file, from its tag; a file without one may hold any.
fn arrivals_of(add: &Add) -> (ArrivalNumber, ArrivalNumber) {
    let parse = |tag: &str| {
        let (low, high) = tag.split_once('-')?;
        Some((u64::from_str(low).ok()?, u64::from_str(high).ok()?))
    };
    add.tag(TAG_ARRIVALS).and_then(parse).unwrap_or((0, ArrivalNumber::MAX))
}

/// Which rows of which deliveries are committed: a fold of the ledger, read as far as it is asked for.
#[derive(Debug, Default)]
pub struct Coverage {
    /// First row → rows, per delivery.
    ranges: HashMap<DeliveryId, BTreeMap<u64, u64>>,
    /// Ledger files that are folded in.
    folded: HashSet<String>,
}

/// How a range stands to what is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covered {
    /// None of its rows.
    Not,
    /// Exactly this range: a redelivery.
    Whole,
}

impl Coverage {
    /// Folds every ledger file that may speak of `arrival` and was not folded yet.
    pub fn load(&mut self, table: &Table, arrival: ArrivalNumber) -> Result<(), TableError> {
        let wanted: Vec<Arc<Add>> = table
            .files(&[("outcome", entries::LEDGER)])
            .filter(|add| {
                let (low, high) = arrivals_of(add);
                (low..=high).contains(&arrival) && !self.folded.contains(&add.path)
            })
            .map(Arc::clone)
            .collect();
        for add in wanted {
            for entry in read_file(table, &add)? {
                self.ranges.entry(entry.delivery).or_default().insert(entry.first_row, entry.counts.rows_in);
            }
            self.folded.insert(add.path.clone());
        }
        Ok(())
    }

    /// Notes a range that was committed just now.
    pub fn insert(&mut self, delivery: DeliveryId, first_row: u64, rows: u64) {
        self.ranges.entry(delivery).or_default().insert(first_row, rows);
    }

    /// Whether the range is committed. A range that is committed in part is a breach of INV-7: cuts are pinned at landing.
    pub fn of(&self, delivery: DeliveryId, first_row: u64, rows: u64) -> Result<Covered, Violation> {
        let Some(ranges) = self.ranges.get(&delivery) else { return Ok(Covered::Not) };
        if ranges.get(&first_row) == Some(&rows) {
            return Ok(Covered::Whole);
        }
        let before = ranges.range(..=first_row).next_back().is_none_or(|(from, n)| from + n <= first_row);
        let after = ranges.range(first_row + 1..).next().is_none_or(|(from, _)| first_row + rows <= *from);
        domain::check!(
            LedgerCovers,
            before && after && !ranges.contains_key(&first_row),
            "delivery {delivery}: rows {first_row}..{} overlap a committed range",
            first_row + rows
        );
        Ok(Covered::Not)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first_row: u64, rows_in: u64, verdict: Option<(&str, u64)>) -> LedgerEntry {
        LedgerEntry {
            account: "main/kpn/haven".to_owned(),
            delivery: DeliveryId(7),
            arrival: 1,
            first_row,
            counts: Counts { rows_in, ..Counts::default() },
            verdict: verdict.map(|(state, rows)| Verdict { state: state.to_owned(), rows, message: String::new() }),
        }
    }

    #[test]
    fn a_file_is_done_when_the_rows_that_its_verdict_counts_are_covered() {
        let last = range(6, 4, Some(("complete", 10)));
        assert!(settled(std::slice::from_ref(&last)).is_empty(), "a range before the last one is missing");
        assert_eq!(settled(&[range(0, 6, None), last]).len(), 1);
        assert!(settled(&[range(0, 6, None)]).is_empty(), "it has no verdict yet");
        assert_eq!(settled(&[range(0, 0, Some(("truncated", 3)))]).len(), 1, "none of its rows are taken");
    }
}
