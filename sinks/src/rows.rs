//! Rows of `cdr_entries` that are not call records with a price: malformed rows and the ledger.

use arrow_array::types::Int32Type;
use arrow_array::{
    BinaryArray, Decimal128Array, DictionaryArray, Int8Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use domain::columns::ColumnError;
use domain::columns::entries::{Entries, EntryKind};
use domain::columns::parsed::MalformedRow;
use domain::delivery::FileContext;
use domain::outcome::Counts;

use crate::entries::Words;
use crate::gather::null_labels;
use crate::ledger::LedgerRow;

fn labels<'a>(values: impl Iterator<Item = Option<&'a str>>) -> DictionaryArray<Int32Type> {
    values.collect()
}

fn label(text: &str, n: usize) -> DictionaryArray<Int32Type> {
    std::iter::repeat_n(Some(text), n).collect()
}

fn no_money(n: usize) -> Decimal128Array {
    Decimal128Array::new_null(n).with_precision_and_scale(18, 9).expect("decimal(18,9) is a decimal type")
}

fn no_start(n: usize) -> TimestampMicrosecondArray {
    TimestampMicrosecondArray::new_null(n).with_timezone("UTC")
}

/// What every row of the table has, whatever it is; the rest is null.
struct Lineage<'a> {
    entry: EntryKind,
    rows: i8,
    files: Vec<&'a FileContext>,
    row: Int64Array,
}

impl Lineage<'_> {
    // tidy: one line per column of the table
    fn entries(self) -> Entries {
        let n = self.files.len();
        let per_file = |value: fn(&FileContext) -> String| {
            let values: Vec<String> = self.files.iter().map(|f| value(f)).collect();
            labels(values.iter().map(|v| Some(v.as_str())))
        };
        Entries {
            tenant: per_file(|f| f.account.tenant.to_string()),
            provider: per_file(|f| f.account.provider.to_string()),
            account: per_file(|f| f.account.account.to_string()),
            entry: label(self.entry.as_str(), n),
            rows: Int8Array::from_value(self.rows, n),
            entry_no: Int32Array::from_value(0, n),
            as_of: Int64Array::new_null(n),
            delivery: per_file(|f| f.delivery.to_string()),
            arrival: self.files.iter().map(|f| i64::try_from(f.arrival).ok()).collect(),
            row: self.row,
            byte_offset: Int64Array::new_null(n),
            byte_length: Int64Array::new_null(n),
            record_key: BinaryArray::new_null(n),
            record_id: StringArray::new_null(n),
            profile: per_file(|f| f.profile.to_string()),
            reason: null_labels(n),
            reason_field: null_labels(n),
            raw: BinaryArray::new_null(n),
            kind: null_labels(n),
            start: no_start(n),
            start_offset_s: Int32Array::new_null(n),
            time_flag: null_labels(n),
            duration_s: Int32Array::new_null(n),
            bytes_up: Int64Array::new_null(n),
            bytes_down: Int64Array::new_null(n),
            messages: Int32Array::new_null(n),
            session_id: StringArray::new_null(n),
            session_sequence: Int64Array::new_null(n),
            partial: null_labels(n),
            a_number: StringArray::new_null(n),
            b_number: StringArray::new_null(n),
            b_number_type: null_labels(n),
            imsi: Int64Array::new_null(n),
            iccid: Int64Array::new_null(n),
            network: null_labels(n),
            provider_class: null_labels(n),
            cost: no_money(n),
            cost_currency: null_labels(n),
            owner_path: null_labels(n),
            customer: null_labels(n),
            subscription: null_labels(n),
            device: null_labels(n),
            plan: null_labels(n),
            provider_cycle: self.files.iter().map(|f| f.cycle.as_deref()).collect(),
            billing_period: null_labels(n),
            tariff: null_labels(n),
            zone: null_labels(n),
            zone_by: null_labels(n),
            zone_row: Int32Array::new_null(n),
            party: null_labels(n),
            band: null_labels(n),
            price_row: Int32Array::new_null(n),
            billed_units: Int64Array::new_null(n),
            charge: no_money(n),
            currency: null_labels(n),
            tax_class: null_labels(n),
            tax: null_labels(n),
            allowance: null_labels(n),
            allowance_units: Int64Array::new_null(n),
            allowance_money: no_money(n),
            ledger_rows_in: Int64Array::new_null(n),
            ledger_rated: Int64Array::new_null(n),
            ledger_suspense: Int64Array::new_null(n),
            ledger_duplicates: Int64Array::new_null(n),
            ledger_resent: Int64Array::new_null(n),
            ledger_skipped: Int64Array::new_null(n),
            ledger_detail: StringArray::new_null(n),
        }
    }
}

/// Malformed rows as entries in suspense, with their bytes.
pub fn malformed(rows: &[(&FileContext, &MalformedRow)], words: &Words<'_>) -> Result<RecordBatch, ColumnError> {
    let long = |value: fn(&MalformedRow) -> u64| rows.iter().map(|(_, r)| i64::try_from(value(r)).ok()).collect();
    let lineage = Lineage { entry: words.kind, rows: 1, files: rows.iter().map(|(f, _)| *f).collect(), row: long(|r| r.row) };
    Entries {
        entry_no: rows.iter().map(|(file, r)| Some((words.number)(file, r.row))).collect(),
        as_of: rows.iter().map(|_| words.as_of).collect(),
        byte_offset: long(|r| r.offset),
        byte_length: long(|r| r.length),
        record_key: BinaryArray::from_iter_values(rows.iter().map(|(_, r)| r.key.to_be_bytes())),
        reason: labels(rows.iter().map(|(_, r)| Some(r.reason.as_str()))),
        reason_field: labels(rows.iter().map(|(_, r)| Some(&*r.field))),
        raw: BinaryArray::from_iter_values(rows.iter().map(|(_, r)| &r.raw)),
        ..lineage.entries()
    }
    .into_batch()
}

/// Ledger rows: one per batch. What a correction takes back is subtracted.
pub fn ledger(rows: &[LedgerRow]) -> Result<RecordBatch, ColumnError> {
    let long = |value: fn(&LedgerRow) -> u64| -> Int64Array { rows.iter().map(|r| i64::try_from(value(r)).ok()).collect() };
    let net = |value: fn(&Counts) -> u64| -> Int64Array { rows.iter().map(|r| Some(r.net(value))).collect() };
    let lineage =
        Lineage { entry: EntryKind::Ledger, rows: 0, files: rows.iter().map(|r| &*r.file).collect(), row: long(|r| r.first_row) };
    Entries {
        ledger_rows_in: net(|c| c.rows_in),
        ledger_rated: net(|c| c.rated),
        ledger_suspense: net(Counts::suspended),
        ledger_duplicates: net(|c| c.duplicates),
        ledger_resent: net(|c| c.resent),
        ledger_skipped: net(Counts::skipped_rows),
        ledger_detail: rows.iter().map(|r| Some(r.detail_json())).collect(),
        ..lineage.entries()
    }
    .into_batch()
}
