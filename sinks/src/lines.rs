//! Lines of closed cycles as rows of `cycle_lines`, and back.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Int32Type};
use arrow_array::{
    Array, Decimal128Array, DictionaryArray, Int32Array, Int64Array, PrimitiveArray, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use domain::columns::ColumnError;
use domain::columns::lines::{Line, LineKind, LineRows, LinesView, Quantity};
use domain::money::{Currency, Money};
use domain::period::Month;

use crate::delta::action::Add;
use crate::table::{Table, TableError};

/// A line with its place.
#[derive(Debug)]
pub struct Numbered<'l> {
    /// The customer.
    pub customer: &'l str,
    /// From 1.
    pub number: i32,
    /// The line.
    pub line: &'l Line,
}

/// A line as it was posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// By which closing.
    pub closing: u64,
    /// The customer.
    pub customer: Arc<str>,
    /// Its place among the customer's lines of that closing.
    pub number: i32,
    /// The line.
    pub line: Line,
}

/// Rows to write.
pub fn to_batch(lines: &[Numbered<'_>], (tenant, closing, at_us): (&str, u64, i64)) -> Result<RecordBatch, ColumnError> {
    let label = |name: &dyn Fn(&Line) -> Option<&str>| lines.iter().map(|l| name(l.line)).collect::<DictionaryArray<Int32Type>>();
    let long = |value: &dyn Fn(&Quantity) -> i64| Int64Array::from_iter_values(lines.iter().map(|l| value(&l.line.quantity)));
    let money = |value: &dyn Fn(&Line) -> Option<i128>| {
        let array: Decimal128Array = lines.iter().map(|l| value(l.line)).collect();
        array.with_precision_and_scale(38, 9).expect("decimal(38,9) is a decimal type")
    };
    let whole = |days: u32| i32::try_from(days).unwrap_or(i32::MAX);
    let periods: Vec<String> = lines.iter().map(|l| l.line.period.to_string()).collect();
    let currencies: Vec<String> = lines.iter().map(|l| l.line.currency.to_string()).collect();
    LineRows {
        closing: Int64Array::from_value(i64::try_from(closing).unwrap_or(i64::MAX), lines.len()),
        posted_at: TimestampMicrosecondArray::from_value(at_us, lines.len()).with_timezone("UTC"),
        tenant: lines.iter().map(|_| tenant).collect(),
        customer: lines.iter().map(|l| l.customer).collect(),
        line: Int32Array::from_iter_values(lines.iter().map(|l| l.number)),
        line_kind: label(&|line| Some(line.kind.as_str())),
        billing_period: periods.iter().map(String::as_str).collect(),
        subscription: label(&|line| line.subscription.as_deref()),
        plan: label(&|line| line.plan.as_deref()),
        item: label(&|line| line.item.as_deref()),
        kind: label(&|line| line.usage_kind.as_deref()),
        zone: label(&|line| line.zone.as_deref()),
        band: label(&|line| line.band.as_deref()),
        tax_class: label(&|line| line.tax_class.as_deref()),
        tax: label(&|line| Some(&*line.tax)),
        currency: currencies.iter().map(String::as_str).collect(),
        count: long(&|q| q.count),
        seconds: long(&|q| q.seconds),
        bytes: long(&|q| q.bytes),
        messages: long(&|q| q.messages),
        billed_units: long(&|q| q.billed_units),
        committed: money(&|line| line.committed.map(|money| money.0)),
        days: lines.iter().map(|l| l.line.days.map(|(days, _)| whole(days))).collect(),
        days_of: lines.iter().map(|l| l.line.days.map(|(_, of)| whole(of))).collect(),
        exact: money(&|line| Some(line.exact.0)),
        amount: money(&|line| Some(line.amount.0)),
        difference: money(&|line| Some(line.amount.0 - line.exact.0)),
        tariff: label(&|line| line.tariff.as_deref()),
        says: lines.iter().map(|l| l.line.says.as_deref()).collect(),
    }
    .into_batch()
}

/// Adds the lines of a file.
pub fn read_file(table: &Table, add: &Add, names: &mut Names, found: &mut Vec<Read>) -> Result<(), TableError> {
    let damaged = |what: String| TableError::File { path: format!("{}/{}", table.root(), add.path), what };
    for batch in table.read(add, None)? {
        read_batch(&batch, names, found).map_err(|e| damaged(e.to_string()))?;
    }
    Ok(())
}

fn read_batch(batch: &RecordBatch, names: &mut Names, found: &mut Vec<Read>) -> Result<(), ColumnError> {
    let v = LinesView(batch);
    let (closing, number, customer) = (v.closing()?, v.line()?, v.customer()?);
    let (kind, period, currency) = (v.line_kind()?, v.billing_period()?, v.currency()?);
    let texts = [v.subscription()?, v.plan()?, v.item()?, v.kind()?, v.zone()?, v.band()?, v.tax_class()?, v.tariff()?];
    let sums = [v.count()?, v.seconds()?, v.bytes()?, v.messages()?, v.billed_units()?];
    let (tax, says) = (v.tax()?, v.says()?);
    let (days, days_of, committed) = (v.days()?, v.days_of()?, v.committed()?);
    let (exact, amount) = (v.exact()?, v.amount()?);
    let unknown = |what: &str, text: &str| ColumnError::Batch(format!("`{text}` is no {what}"));
    for i in 0..batch.num_rows() {
        let [subscription, plan, item, usage_kind, zone, band, tax_class, tariff] =
            texts.map(|column| text_at(column, i).map(|text| names.of(text)));
        let [count, seconds, bytes, messages, billed_units] = sums.map(|column| column.value(i));
        let line = Line {
            kind: LineKind::parse(kind.value(i)).ok_or_else(|| unknown("kind of line", kind.value(i)))?,
            period: Month::parse(period.value(i)).ok_or_else(|| unknown("cycle", period.value(i)))?,
            subscription,
            plan,
            item,
            usage_kind,
            zone,
            band,
            currency: Currency::parse(currency.value(i)).ok_or_else(|| unknown("currency", currency.value(i)))?,
            tax_class,
            tax: names.of(text_at(tax, i).unwrap_or_default()),
            quantity: Quantity { count, seconds, bytes, messages, billed_units },
            exact: Money(exact.value(i)),
            amount: Money(amount.value(i)),
            committed: value_at(committed, i).map(Money),
            days: value_at(days, i)
                .zip(value_at(days_of, i))
                .map(|(days, of)| (days.max(0).cast_unsigned(), of.max(0).cast_unsigned())),
            tariff,
            says: text_at(says, i).map(str::to_owned),
        };
        let closing = closing.value(i).max(0).cast_unsigned();
        found.push(Read { closing, customer: names.of(customer.value(i)), number: number.value(i), line });
    }
    Ok(())
}

fn text_at(column: &StringArray, i: usize) -> Option<&str> {
    (!column.is_null(i)).then(|| column.value(i))
}

fn value_at<P: ArrowPrimitiveType>(column: &PrimitiveArray<P>, i: usize) -> Option<P::Native> {
    (!column.is_null(i)).then(|| column.value(i))
}

/// Texts that many rows share, each kept once.
#[derive(Debug, Default)]
pub struct Names(HashMap<String, Arc<str>>);

impl Names {
    /// The shared text.
    pub fn of(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let name: Arc<str> = text.into();
        self.0.insert(text.to_owned(), Arc::clone(&name));
        name
    }
}
