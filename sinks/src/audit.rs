//! What the data files of `cdr_entries` say, row by row: the facts that the audit of an installation compares with its ledger.

use std::collections::{BTreeMap, HashMap};

use arrow_array::{Array, RecordBatch};
use domain::columns::ColumnError;
use domain::columns::entries::EntriesView;
use domain::outcome::{Outcome, Reason};

use crate::standing::at;
use crate::table::{Table, TableError};

/// What the data files say, row by row.
#[derive(Debug, Default)]
pub struct Rows {
    /// Rows and sums per delivery and outcome, what was taken back subtracted.
    pub by_delivery: BTreeMap<(String, Outcome), (i64, i128)>,
    /// How often each row of each delivery is there, and what it is charged, all its entries added up.
    pub places: HashMap<(String, i64), (i64, i128)>,
    /// How often each key of each account lives; rows in conflict share their id and are left out.
    pub keys: HashMap<(String, Vec<u8>), i64>,
    /// Entries that take another one back.
    pub reversals: u64,
}

impl Rows {
    /// Reads every rated and suspended row of `cdr_entries`; memory grows with the rows.
    pub fn read(entries: &Table) -> Result<Self, TableError> {
        let columns =
            ["tenant", "provider", "account", "rows", "delivery", "row", "record_key", "reason", "reason_field", "charge"];
        let mut all = Self::default();
        for outcome in [Outcome::Rated, Outcome::Suspense] {
            for add in entries.files(&[("outcome", outcome.as_str())]) {
                let damaged = |e: ColumnError| TableError::File { path: add.path.clone(), what: e.to_string() };
                for batch in entries.read(add, Some(&columns))? {
                    all.add(&batch, outcome).map_err(damaged)?;
                }
            }
        }
        Ok(all)
    }

    fn add(&mut self, batch: &RecordBatch, outcome: Outcome) -> Result<(), ColumnError> {
        let v = EntriesView(batch);
        for i in 0..batch.num_rows() {
            let delivery = v.delivery()?.value(i).to_owned();
            let charge = if v.charge()?.is_null(i) { 0 } else { v.charge()?.value(i) };
            let sum = self.by_delivery.entry((delivery.clone(), outcome)).or_default();
            let rows = i64::from(v.rows()?.value(i));
            self.reversals += u64::from(rows < 0);
            sum.0 += rows;
            sum.1 += charge;
            let place = self.places.entry((delivery, v.row()?.value(i))).or_default();
            (place.0, place.1) = (place.0 + rows, place.1 + charge);
            let reason = if v.reason()?.is_null(i) { "" } else { v.reason()?.value(i) };
            let was_written_off = reason == Reason::WrittenOff.as_str();
            let had = if was_written_off { at(v.reason_field()?, i).unwrap_or_default() } else { reason };
            if had != Reason::IdConflict.as_str() {
                let account = format!("{}/{}/{}", v.tenant()?.value(i), v.provider()?.value(i), v.account()?.value(i));
                *self.keys.entry((account, v.record_key()?.value(i).to_vec())).or_default() += rows;
            }
        }
        Ok(())
    }

    /// All rows that are not taken back.
    pub fn total(&self) -> u64 {
        self.by_delivery.values().map(|(n, _)| n.max(&0).cast_unsigned()).sum()
    }
}
