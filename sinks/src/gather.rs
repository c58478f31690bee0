//! Rows of several batches in a new order, gathered column by column into arrays.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Decimal128Type, Int32Type, TimestampMicrosecondType};
use arrow_array::{Decimal128Array, DictionaryArray, Int32Array, PrimitiveArray, StringArray, TimestampMicrosecondArray};
use arrow_buffer::{Buffer, NullBuffer, NullBufferBuilder, OffsetBuffer};
use domain::columns::linked::{NO_OWNER, Owner};
use domain::columns::parsed::Texts;
use domain::columns::rated::RatedBatch;
use domain::delivery::FileContext;
use hashbrown::HashMap;
use rayon::prelude::*;

/// A row of a batch of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pick {
    /// Which batch of the group.
    pub batch: u32,
    /// Which readable row of it.
    pub row: u32,
}

/// Rows of a group of batches in the order in which they are written.
#[derive(Debug, Clone, Copy)]
pub struct Selection<'a> {
    /// The group; all batches share one reference version.
    pub batches: &'a [&'a RatedBatch],
    /// The rows.
    pub picks: &'a [Pick],
}

/// Sorts picks by customer, device, start, record id: rows of one subscriber lie together, as readers and totals want them.
/// Rows without an owner come last.
pub fn sort(batches: &[&RatedBatch], picks: &mut [Pick]) {
    let mut keyed: Vec<(u64, i64, Pick)> = picks
        .iter()
        .map(|p| {
            let batch = batches[p.batch as usize];
            let owner = batch.linked.owner[p.row as usize];
            let who = match batch.linked.owners.windows.get(owner as usize) {
                Some(o) => u64::from(o.customer) << 32 | u64::from(o.device),
                None => u64::MAX,
            };
            (who, batch.linked.parsed.columns.start_us[p.row as usize], *p)
        })
        .collect();
    keyed.par_sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| tie(batches, a.2, b.2)));
    for (slot, key) in picks.iter_mut().zip(keyed) {
        *slot = key.2;
    }
}

fn tie(batches: &[&RatedBatch], a: Pick, b: Pick) -> Ordering {
    let id = |p: Pick| {
        let ids = &batches[p.batch as usize].linked.parsed.columns.record_id;
        if ids.is_empty() { "" } else { ids.get(p.row as usize) }
    };
    id(a).cmp(id(b)).then_with(|| (a.batch, a.row).cmp(&(b.batch, b.row)))
}

impl<'a> Selection<'a> {
    /// How many rows are picked.
    pub fn len(&self) -> usize {
        self.picks.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.picks.is_empty()
    }

    /// The picked rows with their batch.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (&'a RatedBatch, usize)> + '_ {
        self.picks.iter().map(|p| (self.batches[p.batch as usize], p.row as usize))
    }

    /// The owner of each row, if it has one.
    pub fn owners(&self) -> impl ExactSizeIterator<Item = Option<&'a Owner>> + '_ {
        self.rows().map(|(b, i)| {
            let owner = b.linked.owner[i];
            (owner != NO_OWNER).then(|| &b.linked.owners.windows[owner as usize])
        })
    }

    /// Values of all rows.
    pub fn values<P: ArrowPrimitiveType>(&self, value: impl Fn(&'a RatedBatch, usize) -> P::Native) -> PrimitiveArray<P> {
        PrimitiveArray::from_iter_values(self.rows().map(|(b, i)| value(b, i)))
    }

    /// Values; `None` is null.
    pub fn values_if<P: ArrowPrimitiveType>(
        &self,
        value: impl Fn(&'a RatedBatch, usize) -> Option<P::Native>,
    ) -> PrimitiveArray<P> {
        let mut nulls = NullBufferBuilder::new(self.len());
        let known = |(b, i)| {
            let value = value(b, i);
            nulls.append(value.is_some());
            value.unwrap_or_default()
        };
        let values: Vec<P::Native> = self.rows().map(known).collect();
        PrimitiveArray::new(values.into(), nulls.finish())
    }

    /// Values of a column that batches may leave out; `None` is null. Where all leave it out, no row is looked at.
    pub fn optional<P: ArrowPrimitiveType, T: Copy + 'a>(
        &self,
        column: impl Fn(&'a RatedBatch) -> &'a [T],
        value: impl Fn(T) -> Option<P::Native>,
    ) -> PrimitiveArray<P> {
        if self.batches.iter().all(|b| column(b).is_empty()) {
            return PrimitiveArray::new_null(self.len());
        }
        self.values_if(|b, i| column(b).get(i).copied().and_then(&value))
    }

    /// Instants of all rows, UTC.
    pub fn instants(&self, value: impl Fn(&'a RatedBatch, usize) -> i64) -> TimestampMicrosecondArray {
        self.values::<TimestampMicrosecondType>(value).with_timezone("UTC")
    }

    /// Money in nano-units as `decimal(18,9)`; `None` is null.
    pub fn nanos(&self, value: impl Fn(&'a RatedBatch, usize) -> Option<i64>) -> Decimal128Array {
        self.decimals(9, |b, i| value(b, i).map(i128::from))
    }

    /// The same of a column that batches may leave out.
    pub fn optional_nanos<T: Copy + 'a>(
        &self,
        column: impl Fn(&'a RatedBatch) -> &'a [T],
        value: impl Fn(T) -> Option<i64>,
    ) -> Decimal128Array {
        let array = self.optional::<Decimal128Type, T>(column, |of| value(of).map(i128::from));
        array.with_precision_and_scale(18, 9).expect("18 digits with nine places is a decimal type")
    }

    /// Decimals of 18 digits, `scale` of them behind the point; `None` is null.
    pub fn decimals(&self, scale: i8, value: impl Fn(&'a RatedBatch, usize) -> Option<i128>) -> Decimal128Array {
        let array = self.values_if::<Decimal128Type>(value);
        array.with_precision_and_scale(18, scale).expect("18 digits with at most 9 places is a decimal type")
    }

    /// Texts; the closure writes behind what the buffer holds and says whether the value is there.
    pub fn texts(&self, write: impl Fn(&'a RatedBatch, usize, &mut String) -> bool) -> StringArray {
        let mut all = String::with_capacity(self.len() * 12);
        let mut nulls = NullBufferBuilder::new(self.len());
        let mut ends = Vec::with_capacity(self.len() + 1);
        ends.push(0);
        for (b, i) in self.rows() {
            let start = all.len();
            let is_there = write(b, i, &mut all);
            if !is_there {
                all.truncate(start);
            }
            nulls.append(is_there);
            ends.push(i32::try_from(all.len()).expect("a group holds less than 2 GiB of text per column"));
        }
        StringArray::new(OffsetBuffer::new(ends.into()), Buffer::from_vec(all.into_bytes()), nulls.finish())
    }

    /// Texts that batches may leave out; an empty one is null.
    pub fn optional_texts(&self, column: impl Fn(&'a RatedBatch) -> &'a Texts) -> StringArray {
        if self.batches.iter().all(|b| column(b).is_empty()) {
            return StringArray::new_null(self.len());
        }
        self.texts(|b, i, text| {
            let known = if column(b).is_empty() { "" } else { column(b).get(i) };
            text.push_str(known);
            !known.is_empty()
        })
    }

    /// Low-variety texts by code: `code` gives a number that stands for the text, `name` the text of a new number.
    pub fn labels<C: Copy + Eq + std::hash::Hash>(
        &self,
        code: impl Fn(&'a RatedBatch, usize) -> Option<C>,
        name: impl Fn(&'a RatedBatch, C) -> String,
    ) -> DictionaryArray<Int32Type> {
        let mut seen: HashMap<C, i32> = HashMap::new();
        let mut values: Vec<String> = Vec::new();
        let mut last: Option<(C, i32)> = None;
        let mut nulls = NullBufferBuilder::new(self.len());
        let key = |(b, i)| {
            let code = code(b, i);
            nulls.append(code.is_some());
            let Some(c) = code else { return 0 };
            match last {
                Some((known, key)) if known == c => key,
                _ => {
                    let key = *seen.entry(c).or_insert_with(|| {
                        values.push(name(b, c));
                        i32::try_from(values.len() - 1).expect("a batch has fewer than 2^31 rows")
                    });
                    last = Some((c, key));
                    key
                }
            }
        };
        let keys = self.rows().map(key).collect();
        dictionary(keys, nulls.finish(), &values)
    }

    /// Low-variety texts of a column that batches may leave out, by code; `None` is null.
    pub fn optional_labels<T: Copy + 'a, C: Copy + Eq + std::hash::Hash>(
        &self,
        column: impl Fn(&'a RatedBatch) -> &'a [T],
        code: impl Fn(&'a RatedBatch, T) -> Option<C>,
        name: impl Fn(&'a RatedBatch, C) -> String,
    ) -> DictionaryArray<Int32Type> {
        if self.batches.iter().all(|b| column(b).is_empty()) {
            return null_labels(self.len());
        }
        self.labels(|b, i| column(b).get(i).and_then(|value| code(b, *value)), name)
    }

    /// Texts of the files that the rows came from; `None` is null.
    pub fn file_labels(&self, name: impl Fn(&FileContext) -> Option<String>) -> DictionaryArray<Int32Type> {
        let mut values: Vec<String> = Vec::new();
        let code = |batch: &&RatedBatch| {
            let name = name(&batch.linked.parsed.file)?;
            let known = values.iter().position(|v| *v == name).unwrap_or_else(|| {
                values.push(name);
                values.len() - 1
            });
            Some(i32::try_from(known).expect("a group has fewer than 2^31 batches"))
        };
        let codes: Vec<Option<i32>> = self.batches.iter().map(code).collect();
        let keys = self.picks.iter().map(|p| codes[p.batch as usize].unwrap_or_default()).collect();
        let nulls = codes.contains(&None).then(|| self.picks.iter().map(|p| codes[p.batch as usize].is_some()).collect());
        dictionary(keys, nulls, &values)
    }

    /// One text for all rows.
    pub fn constant(&self, text: &str) -> DictionaryArray<Int32Type> {
        dictionary(vec![0; self.len()], None, &[text.to_owned()])
    }

    /// Low-variety texts by owner; null where there is none.
    pub fn owner_labels(
        &self,
        code: impl Fn(&Owner) -> u32,
        name: impl Fn(&'a RatedBatch, u32) -> String,
    ) -> DictionaryArray<Int32Type> {
        let of = |b: &'a RatedBatch, i: usize| {
            let owner = b.linked.owner[i];
            (owner != NO_OWNER).then(|| code(&b.linked.owners.windows[owner as usize]))
        };
        self.labels(of, name)
    }
}

fn dictionary(keys: Vec<i32>, nulls: Option<NullBuffer>, values: &[String]) -> DictionaryArray<Int32Type> {
    let values = if values.is_empty() { StringArray::from(vec![""]) } else { StringArray::from_iter_values(values) };
    DictionaryArray::new(Int32Array::new(keys.into(), nulls), Arc::new(values))
}

/// A column of nothing but nulls.
pub fn null_labels(rows: usize) -> DictionaryArray<Int32Type> {
    dictionary(vec![0; rows], Some(NullBuffer::new_null(rows)), &[])
}
