//! Partial totals: the sums of a run of rated entries per customer, subscription, usage kind, zone, band and plan.
//!
//! Additive by construction: the fold of two runs is the fold of each, summed. Reversals count with their sign, because
//! their units and money are negated and `rows` is -1.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, Decimal128Array, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow_schema::DataType;
use domain::columns::ColumnError;
use domain::columns::entries::EntriesView;
use domain::columns::totals::{TotalRows, TotalsView};
use domain::money::Money;
use hashbrown::HashMap;

#[cfg(test)]
mod tests;

/// The columns of `cdr_entries` that totals are made of.
pub const ENTRY_COLUMNS: [&str; 22] = [
    "tenant",
    "entry",
    "rows",
    "customer",
    "subscription",
    "device",
    "plan",
    "kind",
    "zone",
    "band",
    "currency",
    "tax_class",
    "tax",
    "billing_period",
    "duration_s",
    "bytes_up",
    "bytes_down",
    "messages",
    "billed_units",
    "charge",
    "cost",
    "cost_currency",
];

/// Key columns in the order of [`TotalKey`].
const KEYS: usize = 11;

/// The columns of `cdr_entries` that a period and a key are made of.
const ENTRY_KEYS: [&str; KEYS + 1] = [
    "billing_period",
    "tenant",
    "customer",
    "subscription",
    "device",
    "plan",
    "kind",
    "zone",
    "band",
    "currency",
    "tax_class",
    "tax",
];

/// Those that came later than the table.
const TAX: [&str; 2] = ["tax_class", "tax"];

/// Where the currency stands among them.
const CURRENCY: usize = 9;

/// How many of period and key columns say whose sums they are.
const OWNER_KEYS: usize = 6;

/// The sums of one key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Rows, reversals subtracted.
    pub count: i64,
    /// Seconds.
    pub seconds: i64,
    /// Bytes, both ways.
    pub bytes: i64,
    /// Message parts.
    pub messages: i64,
    /// Units billed.
    pub billed_units: i64,
    /// The charge in nano-units.
    pub charge: i128,
    /// The provider's cost in nano-units, where it has the currency of the charge.
    pub cost: i128,
}

impl Sums {
    /// Adds other sums of the same key.
    pub fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.seconds += other.seconds;
        self.bytes += other.bytes;
        self.messages += other.messages;
        self.billed_units += other.billed_units;
        self.charge += other.charge;
        self.cost += other.cost;
    }

    /// The charge.
    pub fn charge(&self) -> Money {
        Money(self.charge)
    }
}

/// A period with its rows to write.
pub type PeriodRows = (String, RecordBatch);

/// Period, then tenant, customer, subscription, device, plan, kind, zone, band, currency, tax class, tax; what is not there is empty.
pub type TotalKey = (String, [String; KEYS]);

/// Period and key as codes of names. The first [`OWNER_KEYS`] say whose sums they are, the others what is summed.
type Key = [u32; KEYS + 1];

/// What is summed: kind, zone, band, currency, tax class, tax, as codes of names.
type What = [u32; KEYS + 1 - OWNER_KEYS];

/// A key, by codes or by ranks of its names, with sums.
type Row = (Key, Sums);

/// Rows that are not folded before there are so many.
const FOLD_ROWS_MIN: usize = 1 << 16;

/// Totals in the making: names are interned, and a key may stand in several rows until they are folded. Entries come sorted
/// by owner, so a row of them costs a look-up among its owner's few sums, which are warm, and not one in a map of
/// everything, which never is.
#[derive(Debug, Default)]
pub struct Totals {
    names: HashMap<String, u32>,
    texts: Vec<String>,
    rows: Vec<Row>,
    /// How many rows there were when they had last been folded.
    folded: usize,
}

impl Totals {
    fn intern(&mut self, text: &str) -> u32 {
        if let Some(code) = self.names.get(text) {
            return *code;
        }
        let code = u32::try_from(self.texts.len()).expect("names of one month are fewer than 2^32");
        self.names.insert(text.to_owned(), code);
        self.texts.push(text.to_owned());
        code
    }

    /// Per key column, the code of each row's label.
    fn codes(&mut self, batch: &RecordBatch) -> Result<[Vec<u32>; KEYS + 1], ColumnError> {
        let mut codes: [Vec<u32>; KEYS + 1] = Default::default();
        for (of_column, name) in codes.iter_mut().zip(ENTRY_KEYS) {
            // Files that were written before tables spoke of tax do not have its columns.
            let is_there = !TAX.contains(&name) || batch.column_by_name(name).is_some();
            *of_column = if is_there { self.label(batch, name)? } else { vec![self.intern(""); batch.num_rows()] };
        }
        Ok(codes)
    }

    /// The code of each row's label: texts are looked up once per dictionary, not per row. No label is the empty one.
    fn label(&mut self, batch: &RecordBatch, name: &'static str) -> Result<Vec<u32>, ColumnError> {
        let column = batch.column_by_name(name).ok_or(ColumnError::Missing(name))?;
        let not_coded = || ColumnError::Type { name, expected: coded_text(), found: column.data_type().clone() };
        let coded = column.as_any().downcast_ref::<DictionaryArray<Int32Type>>().ok_or_else(not_coded)?;
        let texts = coded.values().as_any().downcast_ref::<StringArray>().ok_or_else(not_coded)?;
        let none = self.intern("");
        let known: Vec<u32> = texts.iter().map(|text| text.map_or(none, |text| self.intern(text))).collect();
        let keys = coded.keys();
        let code = |i: usize| if keys.is_null(i) { none } else { keys.value(i).try_into().map_or(none, |k: usize| known[k]) };
        Ok((0..keys.len()).map(code).collect())
    }

    /// Adds the rated rows of a batch of [`ENTRY_COLUMNS`], texts as dictionaries.
    pub fn add_entries(&mut self, batch: &RecordBatch) -> Result<(), ColumnError> {
        let view = EntriesView(batch);
        let keys = self.codes(batch)?;
        let (rows, duration) = (view.rows()?, view.duration_s()?);
        let (up, down, messages) = (view.bytes_up()?, view.bytes_down()?, view.messages()?);
        let (billed, charge, cost) = (view.billed_units()?, view.charge()?, view.cost()?);
        let cost_currency = self.label(batch, "cost_currency")?;
        let long = |column: &Int64Array, i: usize| if column.is_null(i) { 0 } else { column.value(i) };
        let mut owner = [0u32; OWNER_KEYS];
        let mut run: Vec<(What, Sums)> = Vec::new();
        for i in 0..batch.num_rows() {
            let same_currency = !cost.is_null(i) && cost_currency[i] == keys[CURRENCY][i];
            let row = Sums {
                count: i64::from(rows.value(i)),
                seconds: if duration.is_null(i) { 0 } else { i64::from(duration.value(i)) },
                bytes: long(up, i) + long(down, i),
                messages: if messages.is_null(i) { 0 } else { i64::from(messages.value(i)) },
                billed_units: long(billed, i),
                charge: if charge.is_null(i) { 0 } else { charge.value(i) },
                cost: if same_currency { cost.value(i) } else { 0 },
            };
            let next: [u32; OWNER_KEYS] = std::array::from_fn(|slot| keys[slot][i]);
            if next != owner {
                self.take(owner, &mut run);
                owner = next;
            }
            let what: What = std::array::from_fn(|slot| keys[OWNER_KEYS + slot][i]);
            match run.binary_search_by_key(&what, |(what, _)| *what) {
                Ok(place) => run[place].1.add(&row),
                Err(place) => run.insert(place, (what, row)),
            }
        }
        self.take(owner, &mut run);
        Ok(())
    }

    /// Takes in one owner's sums.
    fn take(&mut self, owner: [u32; OWNER_KEYS], run: &mut Vec<(What, Sums)>) {
        let whole =
            |what: What| std::array::from_fn(|slot| if slot < OWNER_KEYS { owner[slot] } else { what[slot - OWNER_KEYS] });
        self.rows.extend(run.drain(..).map(|(what, sums)| (whole(what), sums)));
        self.fold_if_long();
    }

    /// Adds the totals of another run of entries.
    pub fn merge(&mut self, other: Self) {
        let codes: Vec<u32> = other.texts.iter().map(|text| self.intern(text)).collect();
        self.rows.extend(other.rows.into_iter().map(|(key, sums)| (key.map(|code| codes[code as usize]), sums)));
        self.fold_if_long();
    }

    /// Folds when there are twice as many rows as keys were known: so memory follows the keys, not the entries.
    fn fold_if_long(&mut self) {
        if self.rows.len() >= FOLD_ROWS_MIN.max(2 * self.folded) {
            fold(&mut self.rows);
            self.folded = self.rows.len();
        }
    }

    /// Adds rows of the table `totals` of one period.
    pub fn add_totals(&mut self, period: &str, batch: &RecordBatch) -> Result<(), ColumnError> {
        let view = TotalsView(batch);
        let columns: [&StringArray; KEYS] = [
            view.tenant()?,
            view.customer()?,
            view.subscription()?,
            view.device()?,
            view.plan()?,
            view.kind()?,
            view.zone()?,
            view.band()?,
            view.currency()?,
            view.tax_class()?,
            view.tax()?,
        ];
        for i in 0..batch.num_rows() {
            let mut key = [self.intern(period); KEYS + 1];
            for (slot, column) in columns.iter().enumerate() {
                key[slot + 1] = self.intern(if column.is_null(i) { "" } else { column.value(i) });
            }
            let sums = Sums {
                count: view.count()?.value(i),
                seconds: view.seconds()?.value(i),
                bytes: view.bytes()?.value(i),
                messages: view.messages()?.value(i),
                billed_units: view.billed_units()?.value(i),
                charge: view.charge()?.value(i),
                cost: view.cost()?.value(i),
            };
            self.rows.push((key, sums));
        }
        self.fold_if_long();
        Ok(())
    }

    /// All keys with their sums, in order.
    pub fn into_sorted(mut self) -> BTreeMap<TotalKey, Sums> {
        fold(&mut self.rows);
        let name = |code: u32| self.texts[code as usize].clone();
        self.rows.into_iter().map(|(k, s)| ((name(k[0]), std::array::from_fn(|i| name(k[i + 1]))), s)).collect()
    }
}

/// What a label looks like to the fold.
fn coded_text() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Sorts rows by key and adds up those of the same key.
fn fold(rows: &mut Vec<Row>) {
    rows.sort_unstable_by_key(|(key, _)| *key);
    rows.dedup_by(|next, kept| {
        let is_same = next.0 == kept.0;
        if is_same {
            kept.1.add(&next.1);
        }
        is_same
    });
}

/// Rows to write, one batch per period, sorted by key. Keys whose sums are all zero are left out.
pub fn to_batches(totals: &BTreeMap<TotalKey, Sums>) -> Result<Vec<PeriodRows>, ColumnError> {
    let mut interned = Totals::default();
    for ((period, key), sums) in totals {
        let period = interned.intern(period);
        let mut code: Key = [period; KEYS + 1];
        for (slot, text) in key.iter().enumerate() {
            code[slot + 1] = interned.intern(text);
        }
        interned.rows.push((code, *sums));
    }
    interned.into_batches()
}

impl Totals {
    /// Rows to write, one batch per period, sorted by key. Keys whose sums are all zero are left out. Names stay codes to the
    /// end: ranks instead of texts are compared, and all label columns share one list of texts.
    pub fn into_batches(mut self) -> Result<Vec<PeriodRows>, ColumnError> {
        let mut order: Vec<usize> = (0..self.texts.len()).collect();
        order.sort_unstable_by(|a, b| self.texts[*a].cmp(&self.texts[*b]));
        let mut rank = vec![0u32; order.len()];
        for (r, code) in (0..).zip(&order) {
            rank[*code] = r;
        }
        let texts = Arc::new(StringArray::from_iter_values(order.iter().map(|code| &self.texts[*code])));
        for (key, _) in &mut self.rows {
            *key = key.map(|code| rank[code as usize]);
        }
        fold(&mut self.rows);
        self.rows.retain(|(_, sums)| *sums != Sums::default());
        self.rows
            .chunk_by(|a, b| a.0[0] == b.0[0])
            .map(|period| Ok((texts.value(period[0].0[0] as usize).to_owned(), batch_of(period, &texts)?)))
            .collect()
    }
}

fn batch_of(rows: &[Row], texts: &Arc<StringArray>) -> Result<RecordBatch, ColumnError> {
    let label = |slot: usize| {
        let keys = rows.iter().map(|(key, _)| i32::try_from(key[slot]).expect("names of one month are fewer than 2^31"));
        DictionaryArray::new(Int32Array::from_iter_values(keys), Arc::clone(texts) as ArrayRef)
    };
    let none = texts.iter().position(|text| text == Some("")).and_then(|at| u32::try_from(at).ok());
    let label_if = |slot: usize| {
        let known = |code: u32| i32::try_from(code).expect("names of one month are fewer than 2^31");
        let keys: Int32Array = rows.iter().map(|(key, _)| (Some(key[slot]) != none).then(|| known(key[slot]))).collect();
        DictionaryArray::new(keys, Arc::clone(texts) as ArrayRef)
    };
    let long = |value: fn(&Sums) -> i64| Int64Array::from_iter_values(rows.iter().map(|(_, s)| value(s)));
    let money = |value: fn(&Sums) -> i128| {
        let array = Decimal128Array::from_iter_values(rows.iter().map(|(_, s)| value(s)));
        array.with_precision_and_scale(38, 9).expect("decimal(38,9) is a decimal type")
    };
    TotalRows {
        tenant: label(1),
        customer: label(2),
        subscription: label(3),
        device: label(4),
        plan: label(5),
        kind: label(6),
        zone: label(7),
        band: label(8),
        currency: label(CURRENCY),
        tax_class: label_if(10),
        tax: label_if(11),
        count: long(|s| s.count),
        seconds: long(|s| s.seconds),
        bytes: long(|s| s.bytes),
        messages: long(|s| s.messages),
        billed_units: long(|s| s.billed_units),
        charge: money(|s| s.charge),
        cost: money(|s| s.cost),
    }
    .into_batch()
}
