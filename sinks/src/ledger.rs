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
use crate::settled::Settled;
use crate::standing::delivery_of;
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
    /// Set where rows that stood in the table ended otherwise than before: `counts` are added, these are taken back.
    pub correction: Option<Correction>,
}

/// What a correction says of a delivery beside the counts that it adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// Counts that hold no more.
    pub taken_back: Counts,
    /// Why: the rule that the delivery's rows end under from now on, or `promoted`, `recycled`, `edited`, `rerated`, `written_off`.
    pub cause: String,
    /// The arrival that brought it about: a decision, or the file that takes another's place.
    pub by: ArrivalNumber,
    /// Claims of the delivery in the sidecar of the commit.
    pub claims: u64,
    /// Records of the delivery whose entries it takes back or makes; 0 in tables of earlier versions.
    pub records: u64,
    /// What the entries that it takes back are charged; empty in tables of earlier versions.
    pub before: BTreeMap<Currency, Money>,
    /// What its new entries are charged.
    pub after: BTreeMap<Currency, Money>,
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

/// The JSON of the column `ledger_detail`. What a correction takes back is below zero.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Detail {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    suspense: BTreeMap<String, i64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    skipped: BTreeMap<String, i64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    charge: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    correction: Option<Note>,
}

/// What stands in [`Correction`] beside its counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    cause: String,
    by: ArrivalNumber,
    claims: u64,
    #[serde(default)]
    records: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    before: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    after: BTreeMap<String, String>,
}

impl Note {
    fn of(correction: &Correction) -> Self {
        let Correction { taken_back: _, cause, by, claims, records, before, after } = correction;
        let texts = |sums: &BTreeMap<Currency, Money>| sums.iter().map(|(c, m)| (c.to_string(), m.to_text(9))).collect();
        Self { cause: cause.clone(), by: *by, claims: *claims, records: *records, before: texts(before), after: texts(after) }
    }

    fn into_correction(self, taken_back: Counts) -> Result<Correction, ColumnError> {
        let Self { cause, by, claims, records, before, after } = self;
        Ok(Correction { taken_back, cause, by, claims, records, before: sums_of(&before)?, after: sums_of(&after)? })
    }
}

/// Sums by currency, from their texts.
fn sums_of(texts: &BTreeMap<String, String>) -> Result<BTreeMap<Currency, Money>, ColumnError> {
    let strange = |code: &str, text: &str| ColumnError::Batch(format!("ledger_detail: `{code} {text}` is no amount"));
    let sum = |(code, text): (&String, &String)| Currency::parse(code).zip(Money::parse(text)).ok_or_else(|| strange(code, text));
    texts.iter().map(sum).collect()
}

/// A count as the table holds it: more than 2^63 rows do not exist.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

impl LedgerRow {
    /// A count of this row, as it goes into a sum.
    pub fn net(&self, count: impl Fn(&Counts) -> u64) -> i64 {
        signed(count(&self.counts)) - self.correction.as_ref().map_or(0, |c| signed(count(&c.taken_back)))
    }

    /// Counts by reason and rule, sums by currency and the verdict, as the table keeps them.
    pub fn detail_json(&self) -> String {
        let mut detail = Detail { verdict: self.verdict.clone(), ..Detail::default() };
        let mut charge = self.counts.charge.clone();
        let mut put = |counts: &Counts, sign: i64| {
            for (reason, n) in &counts.suspense {
                *detail.suspense.entry(reason.as_str().to_owned()).or_default() += sign * signed(*n);
            }
            for (rule, n) in &counts.skipped {
                *detail.skipped.entry(rule.clone()).or_default() += sign * signed(*n);
            }
        };
        put(&self.counts, 1);
        if let Some(correction) = &self.correction {
            put(&correction.taken_back, -1);
            for (currency, money) in &correction.taken_back.charge {
                let sum = charge.entry(*currency).or_default();
                *sum = sum.plus(Money(-money.0));
            }
            detail.correction = Some(Note::of(correction));
        }
        detail.charge = charge.iter().map(|(c, m)| (c.to_string(), m.to_text(9))).collect();
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
    /// What a correction takes back; such an entry covers no rows of its own.
    pub correction: Option<Correction>,
}

impl LedgerEntry {
    /// Adds the entry to counts. What it takes back must have been added before.
    pub fn add_to(&self, counts: &mut Counts) {
        counts.add(&self.counts);
        if let Some(correction) = &self.correction {
            counts.take_back(&correction.taken_back);
        }
    }

    /// INV-2 of the entry: the rows that it adds have one outcome each; a correction gives each row another one.
    pub fn is_balanced(&self) -> bool {
        let outcomes = |c: &Counts| c.rated + c.suspended() + c.duplicates + c.resent + c.skipped_rows();
        match &self.correction {
            None => self.counts.is_balanced(),
            Some(c) => (self.counts.rows_in, c.taken_back.rows_in) == (0, 0) && outcomes(&self.counts) == outcomes(&c.taken_back),
        }
    }

    /// Claims that the sidecar of its commit holds for it: one per row that is not skipped.
    pub fn claims(&self) -> u64 {
        let of_rows = self.counts.rows_in.saturating_sub(self.counts.skipped_rows());
        self.correction.as_ref().map_or(of_rows, |c| c.claims)
    }
}

/// The sum of ledger entries.
pub fn sum<'a>(entries: impl IntoIterator<Item = &'a LedgerEntry>) -> Counts {
    let (mut counts, mut taken_back) = (Counts::default(), Counts::default());
    for entry in entries {
        counts.add(&entry.counts);
        taken_back.add(&entry.correction.as_ref().map(|c| c.taken_back.clone()).unwrap_or_default());
    }
    counts.take_back(&taken_back);
    counts
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
    let long = |column: &Int64Array, i: usize| if column.is_null(i) { 0 } else { column.value(i) };
    let count = |column: &Int64Array, i: usize| long(column, i).max(0).cast_unsigned();
    let mut all = Vec::with_capacity(batch.num_rows());
    for i in 0..batch.num_rows() {
        let text = if detail.is_null(i) { "{}" } else { detail.value(i) };
        let detail: Detail = serde_json::from_str(text).map_err(|e| ColumnError::Batch(format!("ledger_detail: {e}")))?;
        let columns = [long(rows_in, i), long(rated, i), long(duplicates, i), long(resent, i)];
        let (counts, taken_back) = (counts_of(columns, &detail, 1)?, counts_of(columns, &detail, -1)?);
        let delivery = delivery_of(delivery.value(i))?;
        let correction = detail.correction.map(|note| note.into_correction(taken_back)).transpose()?;
        all.push(LedgerEntry {
            account: format!("{}/{}/{}", tenant.value(i), provider.value(i), account.value(i)),
            delivery,
            arrival: count(arrival, i),
            first_row: count(row, i),
            counts,
            verdict: detail.verdict,
            correction,
        });
    }
    Ok(all)
}

/// The counts of a ledger row that have this sign: those that it adds, or those that it takes back.
fn counts_of([rows_in, rated, duplicates, resent]: [i64; 4], detail: &Detail, sign: i64) -> Result<Counts, ColumnError> {
    let strange = |what: &str| ColumnError::Batch(format!("ledger_detail: `{what}` is not known to this version"));
    let part = |n: i64| u64::try_from(n * sign).unwrap_or(0);
    let mut counts = Counts {
        rows_in: part(rows_in),
        rated: part(rated),
        duplicates: part(duplicates),
        resent: part(resent),
        ..Counts::default()
    };
    for (name, n) in detail.suspense.iter().filter(|(_, n)| **n * sign > 0) {
        counts.suspense.insert(Reason::parse(name).ok_or_else(|| strange(name))?, part(*n));
    }
    counts.skipped.extend(detail.skipped.iter().filter(|(_, n)| **n * sign > 0).map(|(rule, n)| (rule.clone(), part(*n))));
    for (code, text) in &detail.charge {
        let known = Currency::parse(code).zip(Money::parse(text));
        let (currency, money) = known.ok_or_else(|| strange(&format!("{code} {text}")))?;
        // An amount of nothing is kept on the side of what is added: a file may be charged nothing at all.
        if (sign > 0 && money.0 >= 0) || (sign < 0 && money.0 < 0 && detail.correction.is_some()) {
            counts.charge.insert(currency, Money(money.0 * i128::from(sign)));
        } else if sign > 0 && detail.correction.is_none() {
            counts.charge.insert(currency, money);
        }
    }
    Ok(counts)
}

/// All ledger rows of a table, in the order of their commits.
pub fn read_all(table: &Table) -> Result<Vec<LedgerEntry>, TableError> {
    let mut all = Vec::new();
    for add in files(table) {
        all.extend(read_file(table, &add)?);
    }
    Ok(all)
}

/// Deliveries that are done, as [`Settled`] has them.
pub fn settled(entries: &[LedgerEntry]) -> HashSet<DeliveryId> {
    Settled::of_entries(entries).into_deliveries()
}

/// The ledger rows of one delivery, of which the arrival number is known, too.
pub fn read_delivery(table: &Table, arrival: ArrivalNumber, delivery: DeliveryId) -> Result<Vec<LedgerEntry>, TableError> {
    let mut all = Vec::new();
    for add in files_about(table, &[arrival]) {
        all.extend(read_file(table, &add)?.into_iter().filter(|entry| entry.delivery == delivery));
    }
    Ok(all)
}

/// All ledger files, in the order of their commits.
pub fn files(table: &Table) -> Vec<Arc<Add>> {
    let mut files: Vec<Arc<Add>> = table.files(&[("outcome", entries::LEDGER)]).map(Arc::clone).collect();
    files.sort_by_key(|add| add.version());
    files
}

/// Ledger files that may speak of one of these arrivals, in the order of their commits.
pub fn files_about(table: &Table, arrivals: &[ArrivalNumber]) -> Vec<Arc<Add>> {
    let may = |add: &&Arc<Add>| {
        let (low, high) = arrivals_of(add);
        arrivals.iter().any(|arrival| (low..=high).contains(arrival))
    };
    let mut files: Vec<Arc<Add>> = table.files(&[("outcome", entries::LEDGER)]).filter(may).map(Arc::clone).collect();
    files.sort_by_key(|add| add.version());
    files
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
            for entry in read_file(table, &add)?.into_iter().filter(|entry| entry.correction.is_none()) {
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
            correction: None,
        }
    }

    #[test]
    fn a_file_is_done_when_the_rows_that_its_verdict_counts_are_covered() {
        let last = range(6, 4, Some(("complete", 10)));
        assert!(settled(std::slice::from_ref(&last)).is_empty(), "a range before the last one is missing");
        assert_eq!(settled(&[last.clone(), range(0, 6, None)]).len(), 1, "in any order");
        assert_eq!(settled(&[range(0, 6, None), last]).len(), 1);
        assert!(settled(&[range(0, 6, None)]).is_empty(), "it has no verdict yet");
        assert_eq!(settled(&[range(0, 0, Some(("truncated", 3)))]).len(), 1, "none of its rows are taken");
    }

    #[test]
    fn a_correction_moves_counts_and_covers_no_rows() {
        let mut first = range(0, 5, Some(("complete", 5)));
        first.counts.rated = 4;
        first.counts.resent = 1;
        let withdrawn = BTreeMap::from([("withdrawn".to_owned(), 5)]);
        let taken_back = Counts { rated: 4, resent: 1, ..Counts::default() };
        let correction = Correction {
            taken_back,
            cause: "withdrawn".to_owned(),
            by: 2,
            claims: 0,
            records: 5,
            before: BTreeMap::new(),
            after: BTreeMap::new(),
        };
        let counts = Counts { skipped: withdrawn.clone(), ..Counts::default() };
        let after = LedgerEntry { counts, correction: Some(correction), ..range(0, 0, None) };
        assert!(first.is_balanced() && after.is_balanced());
        assert_eq!((first.claims(), after.claims()), (5, 0));
        let whole = sum([&after, &first]);
        assert_eq!(whole, Counts { rows_in: 5, skipped: withdrawn, ..Counts::default() }, "whatever order they come in");
        assert_eq!(settled(&[first, after]).len(), 1, "its rows are covered as before");
    }

    #[test]
    fn signs_say_what_is_added_and_what_is_taken_back() {
        let detail: Detail = serde_json::from_str(
            r#"{"suspense": {"no_device": -2, "no_zone": 1}, "skipped": {"withdrawn": 1}, "charge": {"EUR": "-0.5"},
                "correction": {"cause": "withdrawn", "by": 3, "claims": 1}}"#,
        )
        .expect("JSON");
        let [added, taken] = [1, -1].map(|sign| counts_of([0, -1, 0, 1], &detail, sign).expect("counts"));
        let eur = Currency::parse("EUR").expect("a currency");
        assert_eq!((added.rated, added.resent, added.suspense.get(&Reason::NoZone)), (0, 1, Some(&1)));
        assert_eq!((added.skipped.get("withdrawn"), added.charge.get(&eur)), (Some(&1), None));
        assert_eq!((taken.rated, taken.resent, taken.suspense.get(&Reason::NoDevice)), (1, 0, Some(&2)));
        assert_eq!((taken.skipped.len(), taken.charge.get(&eur)), (0, Some(&Money(500_000_000))));
    }
}
