//! Events as rows of `allowance_thresholds`, and back.

use std::borrow::Cow;
use std::collections::HashSet;

use arrow_array::{
    Array, BinaryArray, Decimal128Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use domain::columns::ColumnError;
use domain::columns::thresholds::{PARTITION, Threshold, ThresholdRows, ThresholdsView, Used, identity};
use domain::money::Money;
use domain::period::Month;

use crate::delta::action::Add;
use crate::table::{Table, TableError};

/// The columns that an identity is made of.
const IDENTITY: [&str; 7] = ["customer", "subscription", "group_id", "allowance", "unit", "period", "percent"];

/// An event that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number.
    pub number: u64,
    /// When it was written, microseconds UTC.
    pub noticed_us: i64,
    /// What was reached.
    pub of: Threshold<'static>,
}

/// Rows to write, numbered from `first` on.
pub(super) fn to_batch(events: &[Threshold<'_>], tenant: &str, first: u64, now_us: i64) -> Result<RecordBatch, ColumnError> {
    let instants = |values: Vec<i64>| TimestampMicrosecondArray::from(values).with_timezone("UTC");
    let units = |of: fn(Used) -> Option<u64>| events.iter().map(|event| of(event.used).map(whole)).collect::<Int64Array>();
    let money = |of: fn(Used) -> Option<Money>| {
        let array: Decimal128Array = events.iter().map(|event| of(event.used).map(|money| money.0)).collect();
        array.with_precision_and_scale(38, 9).expect("decimal(38,9) is a decimal type")
    };
    ThresholdRows {
        event: Int64Array::from_iter_values((first..).map(whole).take(events.len())),
        noticed_at: instants(vec![now_us; events.len()]),
        tenant: events.iter().map(|_| tenant).collect(),
        customer: events.iter().map(|event| Some(&*event.customer)).collect(),
        subscription: events.iter().map(|event| event.subscription.as_deref()).collect(),
        group_id: events.iter().map(|event| event.group.as_deref()).collect(),
        allowance: events.iter().map(|event| &*event.allowance).collect(),
        unit: events.iter().map(|event| &*event.unit).collect(),
        every: events.iter().map(|event| &*event.every).collect(),
        period: events.iter().map(|event| &*event.period).collect(),
        percent: Int32Array::from_iter_values(events.iter().map(|event| i32::from(event.percent))),
        used_units: units(|of| of.units().map(|(used, _)| used)),
        given_units: units(|of| of.units().map(|(_, given)| given)),
        used_money: money(|of| of.money().map(|(used, _)| used)),
        given_money: money(|of| of.money().map(|(_, given)| given)),
        record_key: BinaryArray::from_iter_values(events.iter().map(|event| event.record_key.to_be_bytes())),
        start: instants(events.iter().map(|event| event.start_us).collect()),
    }
    .into_batch()
}

/// A number as the column holds it; only a pool of more than 2^63 bytes would not fit.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Adds the identities of a file's events.
pub(super) fn read_identities(table: &Table, add: &Add, identities: &mut HashSet<u128>) -> Result<(), TableError> {
    for batch in table.read(add, Some(&IDENTITY))? {
        add_identities(&batch, identities).map_err(|e| damaged(add, &e))?;
    }
    Ok(())
}

fn add_identities(batch: &RecordBatch, identities: &mut HashSet<u128>) -> Result<(), ColumnError> {
    let view = ThresholdsView(batch);
    let whose = [view.customer()?, view.subscription()?, view.group_id()?];
    let what = [view.allowance()?, view.unit()?, view.period()?];
    let percent = view.percent()?;
    for i in 0..batch.num_rows() {
        let names = [whose, what].map(|columns| columns.map(|column| name(column, i)));
        identities.insert(identity(names, percent_of(percent.value(i))));
    }
    Ok(())
}

fn name(column: &StringArray, i: usize) -> Option<&str> {
    (!column.is_null(i)).then(|| column.value(i))
}

fn percent_of(value: i32) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

/// The events of a file.
pub(super) fn read(table: &Table, add: &Add) -> Result<Vec<Event>, TableError> {
    let month = add.partition(PARTITION[0]).and_then(Month::parse);
    let month = month.ok_or_else(|| TableError::File { path: add.path.clone(), what: format!("no month `{}`", PARTITION[0]) })?;
    let mut events = Vec::new();
    for batch in table.read(add, None)? {
        read_batch(&batch, month, &mut events).map_err(|e| damaged(add, &e))?;
    }
    Ok(events)
}

fn read_batch(batch: &RecordBatch, month: Month, events: &mut Vec<Event>) -> Result<(), ColumnError> {
    let view = ThresholdsView(batch);
    let (number, noticed, start) = (view.event()?, view.noticed_at()?, view.start()?);
    let (customer, subscription, group) = (view.customer()?, view.subscription()?, view.group_id()?);
    let (allowance, unit, every, period) = (view.allowance()?, view.unit()?, view.every()?, view.period()?);
    let (percent, key) = (view.percent()?, view.record_key()?);
    let units = (view.used_units()?, view.given_units()?);
    let money = (view.used_money()?, view.given_money()?);
    let owned = |column: &StringArray, i: usize| Cow::Owned(column.value(i).to_owned());
    let unsigned = |value: i64| u64::try_from(value).unwrap_or(0);
    for i in 0..batch.num_rows() {
        let used = if money.0.is_null(i) {
            Used::Units { used: unsigned(units.0.value(i)), given: unsigned(units.1.value(i)) }
        } else {
            Used::Money { used: Money(money.0.value(i)), given: Money(money.1.value(i)) }
        };
        let of = Threshold {
            customer: owned(customer, i),
            subscription: (!subscription.is_null(i)).then(|| owned(subscription, i)),
            group: (!group.is_null(i)).then(|| owned(group, i)),
            allowance: owned(allowance, i),
            unit: owned(unit, i),
            every: owned(every, i),
            period: owned(period, i),
            month,
            percent: percent_of(percent.value(i)),
            used,
            record_key: key.value(i).try_into().map_or(0, u128::from_be_bytes),
            start_us: start.value(i),
        };
        events.push(Event { number: unsigned(number.value(i)), noticed_us: noticed.value(i), of });
    }
    Ok(())
}

fn damaged(add: &Add, what: &ColumnError) -> TableError {
    TableError::File { path: add.path.clone(), what: what.to_string() }
}
