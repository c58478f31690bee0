//! What is written is what is read, whatever the labels are.

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray};
use proptest::prelude::*;

use super::*;

/// Rows of a nullable label column and of one that is never null, in batches as they come from a commit.
fn batches(rows: &[Vec<Option<u16>>]) -> Vec<RecordBatch> {
    let name = |n: u16| format!("label-{n}");
    let batch = |rows: &Vec<Option<u16>>| {
        let texts: Vec<Option<String>> = rows.iter().map(|n| n.map(name)).collect();
        let maybe: DictionaryArray<Int32Type> = texts.iter().map(Option::as_deref).collect();
        let always: DictionaryArray<Int32Type> = texts.iter().map(|t| t.as_deref().unwrap_or("label-7")).collect();
        let columns: [(&str, ArrayRef, bool); 2] = [("maybe", Arc::new(maybe), true), ("always", Arc::new(always), false)];
        RecordBatch::try_from_iter_with_nullable(columns).expect("both columns have all rows")
    };
    rows.iter().map(batch).collect()
}

fn read(bytes: Vec<u8>, column: usize) -> Vec<Option<String>> {
    let texts =
        |batch: RecordBatch| batch.column(column).as_string::<i32>().iter().map(|t| t.map(str::to_owned)).collect::<Vec<_>>();
    decode(bytes, None).expect("a Parquet file").flat_map(|b| texts(b.expect("a batch"))).collect()
}

fn come_back(rows: &[Vec<Option<u16>>], settings: ParquetSettings) {
    let written = batches(rows);
    let bytes = encode(&written, settings).expect("it encodes");
    let expected: Vec<Option<String>> = rows.iter().flatten().map(|n| n.map(|n| format!("label-{n}"))).collect();
    assert_eq!(read(bytes.clone(), 0), expected);
    let never_null = |text: Option<String>| Some(text.unwrap_or_else(|| "label-7".to_owned()));
    assert_eq!(read(bytes, 1), expected.into_iter().map(never_null).collect::<Vec<_>>());
}

fn labels() -> impl Strategy<Value = Vec<Option<u16>>> {
    let value = prop_oneof![Just(None), (0..4_u16).prop_map(Some), (0..3_000_u16).prop_map(Some)];
    prop::collection::vec((value, 1..40_usize), 0..60)
        .prop_map(|runs| runs.into_iter().flat_map(|(value, times)| std::iter::repeat_n(value, times)).collect())
}

proptest! {
    #[test]
    fn labels_come_back_as_they_were(rows in prop::collection::vec(labels(), 1..4), plain_rows_max in prop::sample::select(vec![0, 1_000_000]), row_group_rows in 100..900_usize) {
        come_back(&rows, ParquetSettings { plain_rows_max, row_group_rows, ..ParquetSettings::default() });
    }
}

#[test]
fn labels_come_back_over_many_pages() {
    let settings = ParquetSettings::default();
    come_back(&[vec![Some(1); 70_000], vec![None; 50_000]], settings);
    come_back(&[(0..65_000).map(Some).collect(), (0..65_000).map(|n| (n % 3 > 0).then_some(n)).collect()], settings);
    come_back(&[vec![None; 3]], settings);
}

#[test]
fn the_footer_tells_the_smallest_and_largest_label_and_counts_nulls() {
    let written = batches(&[vec![Some(5), None, Some(30)], vec![Some(1), None, None]]);
    let bytes = encode(&written, ParquetSettings::default()).expect("it encodes");
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).expect("a Parquet file");
    let chunk = builder.metadata().row_group(0).column(0);
    let statistics = chunk.statistics().expect("statistics");
    assert_eq!(statistics.min_bytes_opt(), Some(&b"label-1"[..]));
    assert_eq!(statistics.max_bytes_opt(), Some(&b"label-5"[..]), "texts are compared byte by byte");
    assert_eq!(statistics.null_count_opt(), Some(3));
    assert_eq!(chunk.num_values(), 6);
}
