//! Totals add up: in any split of the rows, through the table and back, with reversals.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use datafusion::arrow::compute::cast;

use super::{Sums, TotalKey, Totals, to_batches};

fn key(period: &str, customer: &str, zone: &str) -> TotalKey {
    let texts = ["main", customer, "S-1", "D-1", "plan", "voice-mo", zone, "peak", "EUR", "high", ""];
    (period.to_owned(), texts.map(str::to_owned))
}

fn sums(count: i64, charge: i128) -> Sums {
    Sums { count, seconds: count * 60, bytes: 0, messages: 0, billed_units: count * 60, charge, cost: charge / 2 }
}

fn month() -> BTreeMap<TotalKey, Sums> {
    BTreeMap::from([
        (key("2026-10", "C-2", "NL"), sums(3, 1_000_000_001)),
        (key("2026-10", "C-10", "NL"), sums(1, 5)),
        (key("2026-10", "C-10", "EU"), sums(2, -7)),
        (key("2026-09", "C-10", "EU"), sums(4, 170_141_183_460_469_231_731)),
    ])
}

#[test]
fn rows_come_back_with_every_sum_and_one_batch_per_period() {
    let mut read = Totals::default();
    let batches = to_batches(&month()).expect("columns");
    assert_eq!(batches.iter().map(|(p, b)| (p.as_str(), b.num_rows())).collect::<Vec<_>>(), [("2026-09", 1), ("2026-10", 3)]);
    for (period, batch) in &batches {
        read.add_totals(period, &as_read(batch)).expect("the columns of totals");
    }
    assert_eq!(read.into_sorted(), month());
}

/// What a reader of the table gets: labels as plain text.
fn as_read(batch: &RecordBatch) -> RecordBatch {
    let fields = batch.schema_ref().fields().iter().zip(batch.columns());
    let plain =
        fields.map(|(field, column)| (field.name().clone(), cast(column, totals_type(field.name())).expect("labels are texts")));
    RecordBatch::try_from_iter(plain).expect("a batch")
}

#[test]
fn more_rows_than_are_kept_unfolded_add_up() {
    let keys = i128::try_from(super::FOLD_ROWS_MIN).expect("a small number") / 2 + 7;
    let many: BTreeMap<_, _> = (0..keys).map(|n| (key("2026-10", &format!("C-{n}"), "NL"), sums(1, n))).collect();
    let (mut once, mut twice) = (Totals::default(), Totals::default());
    for (period, batch) in &to_batches(&many).expect("columns") {
        once.add_totals(period, &as_read(batch)).expect("the columns of totals");
        for _ in 0..3 {
            twice.add_totals(period, &as_read(batch)).expect("the columns of totals");
        }
    }
    once.merge(twice);
    let four_times =
        |sums: &Sums| Sums { count: 4, seconds: 240, billed_units: 240, charge: 4 * sums.charge, cost: 4 * sums.cost, ..*sums };
    assert_eq!(once.into_sorted(), many.iter().map(|(key, sums)| (key.clone(), four_times(sums))).collect());
}

fn totals_type(name: &str) -> &'static arrow_schema::DataType {
    use std::sync::LazyLock;
    static SCHEMA: LazyLock<std::sync::Arc<arrow_schema::Schema>> = LazyLock::new(domain::columns::totals::TotalRows::schema);
    SCHEMA.field_with_name(name).expect("a column of totals").data_type()
}

#[test]
fn what_cancels_out_is_not_written() {
    let mut cancelled = month();
    cancelled.insert(key("2026-10", "C-9", "NL"), Sums::default());
    assert_eq!(to_batches(&cancelled).expect("columns").iter().map(|(_, b)| b.num_rows()).sum::<usize>(), 4);
}
