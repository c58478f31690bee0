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
pub const ENTRY_COLUMNS: [&str; 20] = [
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
const KEYS: usize = 9;

/// The columns of `cdr_entries` that a period and a key are made of.
const ENTRY_KEYS: [&str; KEYS + 1] =
    ["billing_period", "tenant", "customer", "subscription", "device", "plan", "kind", "zone", "band", "currency"];

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

/// Period, then tenant, customer, subscription, device, plan, kind, zone, band, currency.
pub type TotalKey = (String, [String; KEYS]);

/// Whose sums they are: period, tenant, customer, subscription, device, plan, as codes of names.
type Owner = [u32; OWNER_KEYS];

/// What is summed: kind, zone, band, currency, as codes of names.
type What = [u32; KEYS + 1 - OWNER_KEYS];

/// Totals in the making: names are interned and sums stand by owner first. Entries come sorted by owner, so a row costs a
/// look-up in its owner's small map, which is warm, and not one in a map of everything, which never is.
#[derive(Debug, Default)]
pub struct Totals {
    names: HashMap<String, u32>,
    texts: Vec<String>,
    owners: HashMap<Owner, BTreeMap<What, Sums>>,
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
            *of_column = self.label(batch, name)?;
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
        let mut key = [0u32; KEYS + 1];
        let mut run: (Owner, BTreeMap<What, Sums>) = Default::default();
        for i in 0..batch.num_rows() {
            for (slot, codes) in keys.iter().enumerate() {
                key[slot] = codes[i];
            }
            let same_currency = !cost.is_null(i) && cost_currency[i] == key[KEYS];
            let row = Sums {
                count: i64::from(rows.value(i)),
                seconds: if duration.is_null(i) { 0 } else { i64::from(duration.value(i)) },
                bytes: long(up, i) + long(down, i),
                messages: if messages.is_null(i) { 0 } else { i64::from(messages.value(i)) },
                billed_units: long(billed, i),
                charge: if charge.is_null(i) { 0 } else { charge.value(i) },
                cost: if same_currency { cost.value(i) } else { 0 },
            };
            let (owner, what) = halves(key);
            if owner != run.0 {
                self.put_back(std::mem::take(&mut run));
                run = (owner, self.owners.remove(&owner).unwrap_or_default());
            }
            run.1.entry(what).or_default().add(&row);
        }
        self.put_back(run);
        Ok(())
    }

    /// Adds the totals of another run of entries.
    pub fn merge(&mut self, other: Self) {
        let codes: Vec<u32> = other.texts.iter().map(|text| self.intern(text)).collect();
        for (owner, of_owner) in other.owners {
            let ours = self.owners.entry(owner.map(|code| codes[code as usize])).or_default();
            for (what, sums) in of_owner {
                ours.entry(what.map(|code| codes[code as usize])).or_default().add(&sums);
            }
        }
    }

    fn put_back(&mut self, (owner, of_owner): (Owner, BTreeMap<What, Sums>)) {
        if !of_owner.is_empty() {
            self.owners.insert(owner, of_owner);
        }
    }

    fn at(&mut self, key: [u32; KEYS + 1]) -> &mut Sums {
        let (owner, what) = halves(key);
        self.owners.entry(owner).or_default().entry(what).or_default()
    }

    /// Every key with its sums, in no order.
    fn into_rows(owners: HashMap<Owner, BTreeMap<What, Sums>>) -> impl Iterator<Item = ([u32; KEYS + 1], Sums)> {
        owners.into_iter().flat_map(|(owner, of_owner)| of_owner.into_iter().map(move |(what, sums)| (whole(owner, what), sums)))
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
        ];
        for i in 0..batch.num_rows() {
            let mut key = [self.intern(period); KEYS + 1];
            for (slot, column) in columns.iter().enumerate() {
                key[slot + 1] = self.intern(column.value(i));
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
            self.at(key).add(&sums);
        }
        Ok(())
    }

    /// All keys with their sums, in order.
    pub fn into_sorted(self) -> BTreeMap<TotalKey, Sums> {
        let name = |code: u32| self.texts[code as usize].clone();
        Self::into_rows(self.owners).map(|(k, s)| ((name(k[0]), std::array::from_fn(|i| name(k[i + 1]))), s)).collect()
    }
}

/// What a label looks like to the fold.
fn coded_text() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

fn halves(key: [u32; KEYS + 1]) -> (Owner, What) {
    (std::array::from_fn(|i| key[i]), std::array::from_fn(|i| key[OWNER_KEYS + i]))
}

fn whole(owner: Owner, what: What) -> [u32; KEYS + 1] {
    std::array::from_fn(|i| if i < OWNER_KEYS { owner[i] } else { what[i - OWNER_KEYS] })
}

/// Rows to write, one batch per period, sorted by key. Keys whose sums are all zero are left out.
pub fn to_batches(totals: &BTreeMap<TotalKey, Sums>) -> Result<Vec<PeriodRows>, ColumnError> {
    let mut interned = Totals::default();
    for ((period, key), sums) in totals {
        let period = interned.intern(period);
        let mut code = [period; KEYS + 1];
        for (slot, text) in key.iter().enumerate() {
            code[slot + 1] = interned.intern(text);
        }
        *interned.at(code) = *sums;
    }
    interned.into_batches()
}

/// A key by the ranks of its names, with its sums.
type Ranked = ([u32; KEYS + 1], Sums);

impl Totals {
    /// Rows to write, one batch per period, sorted by key. Keys whose sums are all zero are left out. Names stay codes to the
    /// end: ranks instead of texts are compared, and all label columns share one list of texts.
    pub fn into_batches(self) -> Result<Vec<PeriodRows>, ColumnError> {
        let mut order: Vec<usize> = (0..self.texts.len()).collect();
        order.sort_unstable_by(|a, b| self.texts[*a].cmp(&self.texts[*b]));
        let mut rank = vec![0u32; order.len()];
        for (r, code) in (0..).zip(&order) {
            rank[*code] = r;
        }
        let texts = Arc::new(StringArray::from_iter_values(order.iter().map(|code| &self.texts[*code])));
        let live = Self::into_rows(self.owners).filter(|(_, sums)| *sums != Sums::default());
        let mut rows: Vec<Ranked> = live.map(|(key, sums)| (key.map(|code| rank[code as usize]), sums)).collect();
        rows.sort_unstable_by_key(|(key, _)| *key);
        rows.chunk_by(|a, b| a.0[0] == b.0[0])
            .map(|period| Ok((texts.value(period[0].0[0] as usize).to_owned(), batch_of(period, &texts)?)))
            .collect()
    }
}

fn batch_of(rows: &[Ranked], texts: &Arc<StringArray>) -> Result<RecordBatch, ColumnError> {
    let label = |slot: usize| {
        let keys = rows.iter().map(|(key, _)| i32::try_from(key[slot]).expect("names of one month are fewer than 2^31"));
        DictionaryArray::new(Int32Array::from_iter_values(keys), Arc::clone(texts) as ArrayRef)
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
        currency: label(9),
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
