//! Rows of `cdr_entries` turned back into what rating was given: parsed batches.
//!
//! The inverse of [`crate::entries::charges`] for all that parsing knows of a row. The type of the served party's number is not in
//! the table: 8 to 15 digits that do not begin with 0 are an international number, as imports of devices demand them, and a number
//! of any other form is its text.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::{Array, RecordBatch, StringArray};
use domain::columns::ColumnError;
use domain::columns::entries::EntriesView;
use domain::columns::parsed::{NO_COST, NO_SEQUENCE, ParsedBatch, ParsedColumns, Partial, Texts, TimeFlag};
use domain::delivery::{DeliveryId, FileContext};
use domain::money::Currency;
use domain::number::{Network, Number, NumberKind};
use domain::usage::Usage;

use crate::standing::{at, delivery_of};

/// The columns that rating asks for.
pub const RATING: [&str; 17] = [
    "kind",
    "start",
    "start_offset_s",
    "duration_s",
    "bytes_up",
    "bytes_down",
    "messages",
    "a_number",
    "b_number",
    "b_number_type",
    "imsi",
    "iccid",
    "network",
    "provider_class",
    "cost",
    "cost_currency",
    "session_id",
];

/// What rating asks of these rows of a batch, in their order; of the batch the columns [`RATING`] are read. All of them have `file`
/// for their file, of which rating asks the currency of the cost.
pub fn for_rating(batch: &RecordBatch, rows: &[usize], file: &Arc<FileContext>) -> Result<ParsedBatch, ColumnError> {
    let v = EntriesView(batch);
    let (mut texts, mut classes) = (Vec::new(), Vec::new());
    let columns = ParsedColumns {
        row: longs(v.row()?, rows, 0).map(i64::cast_unsigned).collect(),
        usage: coded("kind", v.kind()?, rows, None, Usage::parse)?,
        a_number: rows.iter().map(|i| served(at(v.a_number()?, *i), &mut texts)).collect::<Result<_, _>>()?,
        b_number: rows
            .iter()
            .map(|i| called(at(v.b_number()?, *i), at(v.b_number_type()?, *i), &mut texts))
            .collect::<Result<_, _>>()?,
        imsi: absent_or(v.imsi()?, rows, |column| longs(column, rows, 0).map(i64::cast_unsigned).collect()),
        iccid: absent_or(v.iccid()?, rows, |column| longs(column, rows, 0).map(i64::cast_unsigned).collect()),
        start_us: rows.iter().map(|i| v.start().map(|column| at(column, *i).unwrap_or(0))).collect::<Result<_, _>>()?,
        offset_s: rows.iter().map(|i| v.start_offset_s().map(|column| at(column, *i).unwrap_or(0))).collect::<Result<_, _>>()?,
        duration_s: rows.iter().map(|i| v.duration_s().map(|column| at(column, *i).unwrap_or(0))).collect::<Result<_, _>>()?,
        bytes_up: absent_or(v.bytes_up()?, rows, |column| longs(column, rows, 0).collect()),
        bytes_down: absent_or(v.bytes_down()?, rows, |column| longs(column, rows, 0).collect()),
        messages: absent_or(v.messages()?, rows, |column| rows.iter().map(|i| at(column, *i).unwrap_or(1)).collect()),
        network: labels("network", v.network()?, rows, Network::parse)?,
        class: codes(v.provider_class()?, rows, &mut classes)?,
        cost_nano: costs(v, rows)?,
        session_id: texts_of(v.session_id()?, rows),
        ..ParsedColumns::default()
    };
    Ok(ParsedBatch {
        file: Arc::clone(file),
        first_row: 0,
        rows_in: rows.len() as u64,
        columns,
        malformed: Vec::new(),
        skipped: BTreeMap::new(),
        texts,
        classes,
    })
}

/// All that parsing knows of these rows, to enter them anew: of the batch all columns are read.
pub fn whole(batch: &RecordBatch, rows: &[usize], file: &Arc<FileContext>) -> Result<ParsedBatch, ColumnError> {
    let v = EntriesView(batch);
    let mut parsed = for_rating(batch, rows, file)?;
    let c = &mut parsed.columns;
    c.offset = longs(v.byte_offset()?, rows, 0).map(i64::cast_unsigned).collect();
    c.length = longs(v.byte_length()?, rows, 0).map(|n| u32::try_from(n).unwrap_or(u32::MAX)).collect();
    c.key = rows.iter().map(|i| key(v, *i)).collect::<Result<_, _>>()?;
    c.record_id = texts_of(v.record_id()?, rows);
    c.session_sequence = absent_or(v.session_sequence()?, rows, |column| longs(column, rows, NO_SEQUENCE).collect());
    c.partial = labels("partial", v.partial()?, rows, |name| match name {
        "partial" => Some(Partial::Part as u8),
        "last" => Some(Partial::Last as u8),
        _ => None,
    })?;
    c.time_flag = labels("time_flag", v.time_flag()?, rows, |name| (name == "repeated").then_some(TimeFlag::Repeated as u8))?;
    Ok(parsed)
}

/// What all rows of one [`ParsedBatch`] share: the delivery, the currency of their costs, and whether volumes are absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shared {
    /// The delivery.
    pub delivery: DeliveryId,
    /// `None` where no row has a cost.
    currency: Option<Currency>,
    no_bytes_up: bool,
    no_bytes_down: bool,
}

impl Shared {
    /// The file of the rows: the currency of a cost that somebody has corrected may be another than the profile's.
    pub fn file(&self, file: &Arc<FileContext>) -> Arc<FileContext> {
        match self.currency {
            Some(cost_currency) if cost_currency != file.cost_currency => {
                Arc::new(FileContext { cost_currency, ..(**file).clone() })
            }
            _ => Arc::clone(file),
        }
    }
}

/// The rows of a batch by what those of one [`ParsedBatch`] share; rows without a cost are with the first currency.
pub fn by_delivery(batch: &RecordBatch) -> Result<BTreeMap<Shared, Vec<usize>>, ColumnError> {
    let v = EntriesView(batch);
    let (deliveries, up, down) = (v.delivery()?, v.bytes_up()?, v.bytes_down()?);
    let all: Vec<usize> = (0..batch.num_rows()).collect();
    let known = labels("cost_currency", v.cost_currency()?, &all, |code| Currency::parse(code).map(Some))?;
    let first = known.iter().flatten().min().copied();
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for i in all {
        let (delivery, currency) = (delivery_of(deliveries.value(i))?, known.get(i).copied().flatten().or(first));
        let shared = Shared { delivery, currency, no_bytes_up: up.is_null(i), no_bytes_down: down.is_null(i) };
        groups.entry(shared).or_default().push(i);
    }
    Ok(groups)
}

/// The record key of a row.
pub fn key(v: EntriesView<'_>, i: usize) -> Result<u128, ColumnError> {
    let bytes = v.record_key()?.value(i).try_into();
    bytes.map(u128::from_be_bytes).map_err(|_| ColumnError::Batch("a record key has 16 bytes".to_owned()))
}

fn longs<'c>(column: &'c arrow_array::Int64Array, rows: &'c [usize], absent: i64) -> impl Iterator<Item = i64> + 'c {
    rows.iter().map(move |i| at(column, *i).unwrap_or(absent))
}

/// Nothing for a column that is null in all of the rows.
fn absent_or<A: Array, T>(column: &A, rows: &[usize], all: impl FnOnce(&A) -> Vec<T>) -> Vec<T> {
    if column.null_count() == column.len() || rows.iter().all(|i| column.is_null(*i)) { Vec::new() } else { all(column) }
}

fn unknown(column: &str, text: &str) -> ColumnError {
    ColumnError::Batch(format!("`{text}` is nothing that `{column}` holds"))
}

/// Codes of a column of few texts, 0 where it is null; none if it is null everywhere.
pub(crate) fn labels<'c, T: Copy + Default>(
    name: &str,
    column: &'c StringArray,
    rows: &[usize],
    code: impl FnMut(&'c str) -> Option<T>,
) -> Result<Vec<T>, ColumnError> {
    if column.null_count() == column.len() { Ok(Vec::new()) } else { coded(name, column, rows, Some(T::default()), code) }
}

/// Codes of a column of few texts; a text is looked at when it is not the one before, and understood once.
fn coded<'c, T: Copy>(
    name: &str,
    column: &'c StringArray,
    rows: &[usize],
    absent: Option<T>,
    mut code: impl FnMut(&'c str) -> Option<T>,
) -> Result<Vec<T>, ColumnError> {
    let mut known: HashMap<&str, T> = HashMap::new();
    let mut last: Option<(&str, T)> = None;
    let mut of = |i: &usize| {
        let Some(text) = at(column, *i) else { return absent.ok_or_else(|| unknown(name, "")) };
        if let Some((_, code)) = last.filter(|(known, _)| *known == text) {
            return Ok(code);
        }
        let found = match known.get(text) {
            Some(found) => *found,
            None => code(text).ok_or_else(|| unknown(name, text))?,
        };
        known.insert(text, found);
        last = Some((text, found));
        Ok(found)
    };
    rows.iter().map(&mut of).collect()
}

/// Codes of rate classes, from 1 in the order in which they come.
fn codes(column: &StringArray, rows: &[usize], classes: &mut Vec<Arc<str>>) -> Result<Vec<u16>, ColumnError> {
    labels("provider_class", column, rows, |class| {
        classes.push(class.into());
        u16::try_from(classes.len()).ok()
    })
}

fn costs(v: EntriesView<'_>, rows: &[usize]) -> Result<Vec<i64>, ColumnError> {
    let column = v.cost()?;
    let nano = |i: &usize| match at(column, *i) {
        None => Ok(NO_COST),
        Some(nano) => i64::try_from(nano).map_err(|_| ColumnError::Batch(format!("a cost of {nano} nano-units does not fit"))),
    };
    if column.null_count() == column.len() { Ok(Vec::new()) } else { rows.iter().map(nano).collect() }
}

/// Texts of a column, empty where it is null; none if it is null in all of the rows.
fn texts_of(column: &StringArray, rows: &[usize]) -> Texts {
    let mut texts = Texts::default();
    if rows.iter().any(|i| column.is_valid(*i)) {
        for i in rows {
            texts.push(at(column, *i).unwrap_or_default());
        }
    }
    texts
}

/// The number of the served party, whose type the table does not say.
fn served(text: Option<&str>, texts: &mut Vec<String>) -> Result<Number, ColumnError> {
    let Some(text) = text else { return Ok(Number::ABSENT) };
    let is_international = (8..=15).contains(&text.len()) && !text.starts_with('0') && text.bytes().all(|c| c.is_ascii_digit());
    called(Some(text), Some(if is_international { "e164" } else { "alphanumeric" }), texts)
}

/// A number of a type.
fn called(text: Option<&str>, kind: Option<&str>, texts: &mut Vec<String>) -> Result<Number, ColumnError> {
    let text = text.unwrap_or_default();
    let digits = || {
        let length = u32::try_from(text.len()).ok().filter(|n| *n <= 15);
        let is_digits = text.bytes().all(|c| c.is_ascii_digit());
        let value = text.parse::<u64>().ok().filter(|_| is_digits);
        value.zip(length).ok_or_else(|| unknown("b_number", text))
    };
    let mut word = |kind| {
        texts.push(text.to_owned());
        Number::text(kind, u32::try_from(texts.len() - 1).unwrap_or(u32::MAX))
    };
    Ok(match kind {
        None | Some("absent") => Number::ABSENT,
        Some("e164") => digits().map(|(value, length)| Number::e164(value, length))?,
        Some("short_code") => digits().map(|(value, length)| Number::short_code(value, length))?,
        Some("alphanumeric") => word(NumberKind::Alphanumeric),
        Some("masked") => word(NumberKind::Masked),
        Some(other) => return Err(unknown("b_number_type", other)),
    })
}

#[cfg(test)]
mod tests;
