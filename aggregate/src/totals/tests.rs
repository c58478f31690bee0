//! Totals add up: in any split of the rows, through the table and back, with reversals.

use std::collections::BTreeMap;

use super::{Sums, TotalKey, Totals, to_batches};

fn key(period: &str, customer: &str, zone: &str) -> TotalKey {
    let texts = ["main", customer, "S-1", "D-1", "plan", "voice-mo", zone, "peak", "EUR"];
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
        // What a reader gets: labels as plain text.
        let plain = arrow_array::RecordBatch::try_from_iter(batch.schema().fields().iter().zip(batch.columns()).map(|(f, c)| {
            (f.name().clone(), datafusion::arrow::compute::cast(c, totals_type(f.name())).expect("labels are texts"))
        }));
        read.add_totals(period, &plain.expect("a batch")).expect("the columns of totals");
    }
    assert_eq!(read.into_sorted(), month());
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
