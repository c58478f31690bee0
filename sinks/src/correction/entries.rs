//! The entries of records as they stand: found by record, and turned round.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, BooleanArray, DictionaryArray, Int8Array, Int64Array, RecordBatch, StringArray};
use arrow_select::filter::filter_record_batch;
use domain::check;
use domain::columns::entries::{Entries, EntriesView, EntryKind};
use domain::columns::parsed::ParsedBatch;
use domain::columns::{ColumnError, with_nulls};
use domain::delivery::{ArrivalNumber, DeliveryId};
use domain::money::{Currency, Money};
use domain::outcome::{Counts, Outcome, Reason};

use super::recycle::{Stands, Suspended};
use super::{Files, Place, Plan};
use crate::commit::CommitError;
use crate::delta::action::Add;
use crate::gather::null_labels;
use crate::ledger::files_about;
use crate::premise;
use crate::standing::delivery_of;
use crate::table::{Table, TableError};

/// Columns of plain text; every other text of `cdr_entries` is a label.
const TEXTS: [&str; 5] = ["record_id", "session_id", "a_number", "b_number", "ledger_detail"];

/// Entries that are not taken back: where they stand, and their numbers.
#[derive(Debug, Default)]
pub struct LiveEntries {
    /// Data files in the order of their commits, each with the rows that are wanted of it.
    files: Vec<(Arc<Add>, BTreeSet<usize>)>,
    /// Their numbers.
    pub numbers: HashMap<Place, i32>,
}

/// What rows of the table come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sums {
    /// Counts and charges, per delivery. Rows in are left out.
    pub counts: BTreeMap<DeliveryId, Counts>,
    /// The customers that they belong to.
    pub customers: BTreeSet<String>,
}

impl LiveEntries {
    /// Those of rows in suspense that were found in the table as it is known.
    pub fn of_suspended<'r>(rows: impl IntoIterator<Item = &'r Suspended>) -> Self {
        let mut found = Self::default();
        let mut files: BTreeMap<&str, (Arc<Add>, BTreeSet<usize>)> = BTreeMap::new();
        for row in rows {
            let Stands { add, at, entry_no } = &row.stands;
            found.numbers.insert(row.place, *entry_no);
            files.entry(&add.path).or_insert_with(|| (Arc::clone(add), BTreeSet::new())).1.insert(*at);
        }
        found.files = files.into_values().collect();
        found.files.sort_by_key(|(add, _)| add.version());
        found
    }

    /// The entries that a plan takes back; `files` holds those of its deliveries.
    pub fn of_plan(table: &Table, plan: &Plan, files: &Files) -> Result<Self, CommitError> {
        Self::of_places(table, &plan.taken_back().collect(), files)
    }

    /// The live entries of records; `files` holds those of their deliveries.
    pub fn of_places(table: &Table, wanted: &BTreeSet<Place>, files: &Files) -> Result<Self, CommitError> {
        let touched: BTreeSet<DeliveryId> = wanted.iter().map(|place| place.delivery).collect();
        let arrivals: Vec<ArrivalNumber> = touched.iter().filter_map(|d| Some(files.get(d)?.arrival)).collect();
        Self::find(table, wanted, &arrivals)
    }

    /// Finds the live entries of records. `arrivals` are those of their deliveries: only files of commits that speak of them are
    /// read.
    fn find(table: &Table, wanted: &BTreeSet<Place>, arrivals: &[ArrivalNumber]) -> Result<Self, CommitError> {
        let mut rows: HashMap<DeliveryId, HashSet<u64>> = HashMap::new();
        for place in wanted {
            rows.entry(place.delivery).or_default().insert(place.row);
        }
        let found = Self::scan(table, arrivals, |place| rows.get(&place.delivery).is_some_and(|r| r.contains(&place.row)))?;
        check!(
            ReversalPairs,
            found.numbers.len() == wanted.len(),
            "{} of {} records have an entry to take back",
            found.numbers.len(),
            wanted.len()
        );
        Ok(found)
    }

    /// The live entries of the records that are wanted, in files of commits that speak of these arrivals.
    fn scan(table: &Table, arrivals: &[ArrivalNumber], wanted: impl Fn(&Place) -> bool) -> Result<Self, CommitError> {
        let versions: HashSet<u64> = files_about(table, arrivals).iter().map(|add| add.version()).collect();
        let mut files: Vec<Arc<Add>> = [Outcome::Rated, Outcome::Suspense]
            .into_iter()
            .flat_map(|outcome| table.snapshot().files.values().filter(move |a| a.partition("outcome") == Some(outcome.as_str())))
            .filter(|add| versions.contains(&add.version()))
            .map(Arc::clone)
            .collect();
        files.sort_by_key(|add| add.version());
        let mut live: HashMap<Place, (i32, usize, usize)> = HashMap::new();
        for (file, add) in files.iter().enumerate() {
            let mut at = 0;
            for batch in table.read(add, Some(&["entry", "entry_no", "delivery", "row"]))? {
                follow(&batch, &wanted, |place, number, is_reversal, i| {
                    if !is_reversal {
                        live.insert(place, (number, file, at + i));
                    } else if live.get(&place).is_some_and(|(taken, _, _)| *taken == number) {
                        live.remove(&place);
                    }
                })
                .map_err(|e| damaged(add, &e))?;
                at += batch.num_rows();
            }
        }
        let mut found = Self { files: files.into_iter().map(|add| (add, BTreeSet::new())).collect(), numbers: HashMap::new() };
        for (place, (number, file, row)) in live {
            found.numbers.insert(place, number);
            found.files[file].1.insert(row);
        }
        found.files.retain(|(_, rows)| !rows.is_empty());
        Ok(found)
    }

    /// Reads the entries, one data file at a time: its partition, and its batches without the rows that are not wanted.
    pub fn read(
        &self,
        table: &Table,
        mut take: impl FnMut(&Add, Vec<RecordBatch>) -> Result<(), CommitError>,
    ) -> Result<(), CommitError> {
        let schema = Entries::schema();
        for (add, rows) in &self.files {
            let mut at = 0;
            let mut kept = Vec::new();
            for batch in table.read(add, None)? {
                let mask: BooleanArray = (at..at + batch.num_rows()).map(|i| Some(rows.contains(&i))).collect();
                at += batch.num_rows();
                if mask.true_count() > 0 {
                    let wanted = filter_record_batch(&batch, &mask).map_err(|e| ColumnError::Batch(e.to_string()));
                    kept.push(wanted.and_then(|batch| with_nulls(batch, &schema, None)).map_err(|e| damaged(add, &e))?);
                }
            }
            take(add, kept)?;
        }
        Ok(())
    }

    /// Hands out the rows of the entries as parsing read them, or as somebody has corrected them since; `files` holds those of their
    /// deliveries.
    pub fn parsed(&self, table: &Table, files: &Files, mut take: impl FnMut(ParsedBatch)) -> Result<(), CommitError> {
        self.read(table, |add, batches| {
            for batch in &batches {
                for (shared, rows) in premise::by_delivery(batch).map_err(|e| damaged(add, &e))? {
                    let Some(file) = files.get(&shared.delivery) else {
                        let what = format!("delivery {} was not asked for", shared.delivery);
                        return Err(TableError::File { path: add.path.clone(), what }.into());
                    };
                    take(premise::whole(batch, &rows, &shared.file(file)).map_err(|e| damaged(add, &e))?);
                }
            }
            Ok(())
        })
    }

    /// What the entries come to.
    pub fn sums(&self, table: &Table) -> Result<Sums, CommitError> {
        let mut sums = Sums::default();
        self.read(table, |add, batches| {
            batches.iter().try_for_each(|batch| sums.add(batch)).map_err(|e| damaged(add, &e))?;
            Ok(())
        })?;
        Ok(sums)
    }
}

/// Calls `each` with record, number, whether it is a reversal, and position of every wanted row.
fn follow(
    batch: &RecordBatch,
    wanted: impl Fn(&Place) -> bool,
    mut each: impl FnMut(Place, i32, bool, usize),
) -> Result<(), ColumnError> {
    let view = EntriesView(batch);
    let (entry, number, delivery, row) = (view.entry()?, view.entry_no()?, view.delivery()?, view.row()?);
    let mut last: Option<(&str, DeliveryId)> = None;
    for i in 0..batch.num_rows() {
        let text = delivery.value(i);
        let id = match last {
            Some((known, id)) if known == text => id,
            _ => delivery_of(text)?,
        };
        last = Some((text, id));
        let place = Place { delivery: id, row: row.value(i).max(0).cast_unsigned() };
        if wanted(&place) {
            each(place, number.value(i), entry.value(i) == EntryKind::Reversal.as_str(), i);
        }
    }
    Ok(())
}

pub(super) fn damaged(add: &Add, what: &ColumnError) -> CommitError {
    TableError::File { path: add.path.clone(), what: what.to_string() }.into()
}

impl Sums {
    /// Adds rows of `cdr_entries`, all columns.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<(), ColumnError> {
        let view = EntriesView(batch);
        let (delivery, reason, customer) = (view.delivery()?, view.reason()?, view.customer()?);
        let (charge, currency) = (view.charge()?, view.currency()?);
        for i in 0..batch.num_rows() {
            let id = delivery_of(delivery.value(i))?;
            if customer.is_valid(i) && !self.customers.contains(customer.value(i)) {
                self.customers.insert(customer.value(i).to_owned());
            }
            let counts = self.counts.entry(id).or_default();
            if reason.is_valid(i) {
                let known = Reason::parse(reason.value(i));
                let known = known.ok_or_else(|| ColumnError::Batch(format!("`{}` is no reason", reason.value(i))))?;
                *counts.suspense.entry(known).or_default() += 1;
                continue;
            }
            counts.rated += 1;
            if charge.is_valid(i) {
                let known = Currency::parse(currency.value(i));
                let known = known.ok_or_else(|| ColumnError::Batch(format!("`{}` is no currency", currency.value(i))))?;
                let sum = counts.charge.entry(known).or_default();
                *sum = sum.plus(Money(charge.value(i)));
            }
        }
        Ok(())
    }

    /// Adds what others come to.
    pub(crate) fn join(&mut self, others: Self) {
        for (delivery, counts) in others.counts {
            self.counts.entry(delivery).or_default().add(&counts);
        }
        self.customers.extend(others.customers);
    }

    /// All of it.
    pub fn total(&self) -> Counts {
        let mut all = Counts::default();
        self.counts.values().for_each(|counts| all.add(counts));
        all
    }
}

/// The reversals of entries: the same rows with their signs turned, as what was read at `as_of`.
pub(crate) fn reversal(batch: &RecordBatch, as_of: i64) -> Result<RecordBatch, ColumnError> {
    let n = batch.num_rows();
    written(batch, |name, column| {
        Some(match name {
            "entry" => constant(EntryKind::Reversal.as_str(), n),
            "rows" => Arc::new(Int8Array::from_value(-1, n)),
            "as_of" => Arc::new(Int64Array::from_value(as_of, n)),
            "duration_s" | "messages" => Arc::new(column.as_primitive::<Int32Type>().unary::<_, Int32Type>(i32::wrapping_neg)),
            "bytes_up" | "bytes_down" | "billed_units" | "allowance_units" => {
                Arc::new(column.as_primitive::<Int64Type>().unary::<_, Int64Type>(i64::wrapping_neg))
            }
            "cost" | "charge" | "allowance_money" => {
                let turned = column.as_primitive::<Decimal128Type>().unary::<_, Decimal128Type>(i128::wrapping_neg);
                Arc::new(turned.with_data_type(column.data_type().clone()))
            }
            _ => return None,
        })
    })
}

/// Those of the entries that stay with another reason, once more: under the next number, with that reason and beside it the one that they
/// had. What they come to is added to `sums`.
pub(crate) fn restated(
    batch: &RecordBatch,
    staying: &HashMap<Place, Reason>,
    as_of: i64,
    sums: &mut Sums,
) -> Result<Option<RecordBatch>, ColumnError> {
    if staying.is_empty() {
        return Ok(None);
    }
    let (mut stays, mut reasons) = (Vec::with_capacity(batch.num_rows()), Vec::new());
    let view = EntriesView(batch);
    for (delivery, row) in view.delivery()?.iter().zip(view.row()?.values()) {
        let place = Place { delivery: delivery_of(delivery.unwrap_or_default())?, row: (*row).max(0).cast_unsigned() };
        let reason = staying.get(&place);
        stays.push(reason.is_some());
        if let Some(reason) = reason {
            *sums.counts.entry(place.delivery).or_default().suspense.entry(*reason).or_default() += 1;
            reasons.push(reason.as_str());
        }
    }
    if reasons.is_empty() {
        return Ok(None);
    }
    let (n, reasons) = (reasons.len(), StringArray::from(reasons));
    let batch = filter_record_batch(batch, &BooleanArray::from(stays)).map_err(|e| ColumnError::Batch(e.to_string()))?;
    let had = EntriesView(&batch).reason()?;
    let restated = written(&batch, |name, column| {
        Some(match name {
            "entry" => constant(EntryKind::Correction.as_str(), n),
            "entry_no" => Arc::new(column.as_primitive::<Int32Type>().unary::<_, Int32Type>(|number| number + 1)),
            "as_of" => Arc::new(Int64Array::from_value(as_of, n)),
            "reason" => labels(&reasons),
            "reason_field" => labels(had),
            _ => return None,
        })
    });
    restated.map(Some)
}

/// Rows that were read, as they are written: with labels for texts of low variety, and with other columns where there are any.
fn written(batch: &RecordBatch, other: impl Fn(&str, &ArrayRef) -> Option<ArrayRef>) -> Result<RecordBatch, ColumnError> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
        let texts = column.as_any().downcast_ref::<StringArray>().filter(|_| !TEXTS.contains(&field.name().as_str()));
        let written = other(field.name(), column).unwrap_or_else(|| texts.map_or_else(|| Arc::clone(column), labels));
        (field.name().clone(), written, field.is_nullable())
    });
    RecordBatch::try_from_iter_with_nullable(columns).map_err(|e| ColumnError::Batch(e.to_string()))
}

fn constant(text: &str, n: usize) -> ArrayRef {
    labels(&StringArray::from_iter_values(std::iter::repeat_n(text, n)))
}

fn labels(texts: &StringArray) -> ArrayRef {
    if texts.null_count() == texts.len() {
        return Arc::new(null_labels(texts.len()));
    }
    Arc::new(texts.iter().collect::<DictionaryArray<Int32Type>>())
}
