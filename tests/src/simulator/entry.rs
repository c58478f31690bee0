//! One entry of the table's log with everything that it names, read back from the store.

use std::collections::HashSet;

use arrow_array::Array;
use domain::columns::ColumnError;
use domain::columns::entries::{EntriesView, LEDGER};
use domain::delivery::DeliveryId;
use domain::ports::Blob;
use sinks::delta::action::{Action, Add, CommitInfo};
use sinks::keys::TAG_SIDECAR;
use sinks::keys::sidecar::Sidecar;
use sinks::ledger::{LedgerEntry, read_entries};
use sinks::local_store::memory::MemoryStore;
use sinks::parquet::decode;

use super::Breach;
use super::theatre::ENTRIES;
use crate::hold;

const COLUMNS: [&str; 17] = [
    "tenant",
    "provider",
    "account",
    "entry",
    "rows",
    "entry_no",
    "as_of",
    "delivery",
    "row",
    "record_key",
    "reason",
    "charge",
    "currency",
    "start",
    "b_number",
    "allowance_units",
    "billing_period",
];

/// A row of a data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataRow {
    /// Tenant, provider and account.
    pub account: String,
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its row, from 0.
    pub row: u64,
    /// `charge`, `reversal` or `correction`.
    pub kind: String,
    /// The entry's number on its record.
    pub number: i32,
    /// The version that a correction read.
    pub as_of: Option<i64>,
    /// The record key.
    pub key: Vec<u8>,
    /// Why it is in suspense.
    pub reason: Option<String>,
    /// The charge, nano-units.
    pub charge_nano: Option<i128>,
    /// When it began, microseconds UTC.
    pub start_us: Option<i64>,
    /// The other party.
    pub b_number: Option<String>,
    /// The customer's cycle.
    pub cycle: Option<String>,
    /// Units that it draws from allowances.
    pub drawn: Option<i64>,
}

/// What a commit made visible.
#[derive(Debug, Default)]
pub struct Entry {
    /// Who wrote it.
    pub info: CommitInfo,
    /// Positions by application.
    pub moves: Vec<(String, u64)>,
    /// New files.
    pub adds: Vec<Add>,
    /// Rows of the data files.
    pub rows: Vec<DataRow>,
    /// Rows of the ledger, in their order.
    pub ledger: Vec<LedgerEntry>,
    /// Claims of the sidecar: delivery, row, whether it is live.
    pub claims: HashSet<(DeliveryId, u64, bool)>,
}

impl Entry {
    /// Reads entry `version` from its text and the files that it names.
    pub fn read(store: &MemoryStore, version: u64, text: &[u8]) -> Result<Self, Breach> {
        let mut entry = Self::default();
        let mut signed = 0;
        for line in text.split(|c| *c == b'\n').filter(|line| !line.is_empty()) {
            let action: Action = serde_json::from_slice(line).map_err(|e| Breach(format!("entry {version}: {e}")))?;
            if let Some(info) = action.commit_info {
                entry.info = info;
                signed += 1;
            }
            if let Some(txn) = action.txn {
                let position = u64::try_from(txn.version).map_err(|_| Breach(format!("position {}", txn.version)))?;
                entry.moves.push((txn.app_id, position));
            }
            entry.adds.extend(action.add);
            hold!(action.remove.is_none(), "INV-11: entry {version} removes a file");
        }
        hold!(signed == 1, "entry {version} has {signed} commitInfo");
        for add in std::mem::take(&mut entry.adds) {
            entry.read_file(store, version, &add)?;
            entry.adds.push(add);
        }
        Ok(entry)
    }

    /// Whether it enters rows anew that somebody wanted to be rated again.
    pub fn is_recycling(&self) -> bool {
        let is_again = |cause: &str| ["recycled", "edited", "rerated", "written_off"].contains(&cause);
        self.ledger.iter().any(|line| line.correction.as_ref().is_some_and(|c| is_again(&c.cause)))
    }

    fn read_file(&mut self, store: &MemoryStore, version: u64, add: &Add) -> Result<(), Breach> {
        let path = format!("{ENTRIES}/{}", add.path);
        let bytes =
            store.get(&path).map_err(|e| Breach(format!("INV-5: entry {version} names a file that is not there: {e}")))?;
        hold!(usize::try_from(add.size) == Ok(bytes.len()), "{path} has {} bytes, the entry says {}", bytes.len(), add.size);
        let is_ledger = add.partition("outcome") == Some(LEDGER);
        let columns: &[&str] = if is_ledger { &sinks::ledger::LEDGER_COLUMNS } else { &COLUMNS };
        let damaged = |what: String| Breach(format!("{path}: {what}"));
        let mut rows = 0;
        for batch in decode(bytes, Some(columns)).map_err(|e| damaged(e.to_string()))? {
            let batch = batch.map_err(|e| damaged(e.to_string()))?;
            rows += batch.num_rows() as u64;
            if is_ledger {
                self.ledger.extend(read_entries(&batch).map_err(|e| damaged(e.to_string()))?);
            } else {
                let found = data_rows(EntriesView(&batch)).map_err(|e| damaged(e.to_string()))?;
                let suspended = add.partition("outcome") == Some("suspense");
                hold!(found.iter().all(|r| r.reason.is_some() == suspended), "{path} holds rows of another outcome");
                self.rows.extend(found);
            }
        }
        hold!(add.rows() == Some(rows), "{path} has {rows} rows, the entry says {:?}", add.rows());
        if is_ledger {
            self.read_sidecar(store, add)?;
        }
        Ok(())
    }

    fn read_sidecar(&mut self, store: &MemoryStore, add: &Add) -> Result<(), Breach> {
        let name = add.tag(TAG_SIDECAR).ok_or_else(|| Breach(format!("INV-9: {} names no sidecar", add.path)))?;
        let lost = |e| Breach(format!("INV-9: sidecar {name}: {e}"));
        let sidecar = Sidecar::open(store, &format!("{ENTRIES}/{name}")).map_err(lost)?;
        for run in sidecar.runs() {
            for claim in sidecar.read(store, run).map_err(lost)? {
                let new = self.claims.insert((claim.delivery, claim.row, claim.live));
                hold!(new, "INV-9: sidecar {name} has two claims of row {}", claim.row);
            }
        }
        Ok(())
    }
}

fn data_rows(view: EntriesView<'_>) -> Result<Vec<DataRow>, ColumnError> {
    let (tenant, provider, account) = (view.tenant()?, view.provider()?, view.account()?);
    let (kind, rows, delivery, row) = (view.entry()?, view.rows()?, view.delivery()?, view.row()?);
    let (number, as_of) = (view.entry_no()?, view.as_of()?);
    let (key, reason, charge, currency) = (view.record_key()?, view.reason()?, view.charge()?, view.currency()?);
    let (start, drawn, cycle, other) = (view.start()?, view.allowance_units()?, view.billing_period()?, view.b_number()?);
    let mut all = Vec::with_capacity(row.len());
    for i in 0..row.len() {
        let sign = if kind.value(i) == "reversal" { -1 } else { 1 };
        let is_first = kind.value(i) == "charge";
        if rows.value(i) != sign
            || is_first != as_of.is_null(i)
            || (is_first && number.value(i) != 0)
            || (charge.is_valid(i) && currency.value(i) != "EUR")
        {
            return Err(ColumnError::Batch(format!("row {i} is no entry in EUR with the sign of its kind")));
        }
        all.push(DataRow {
            account: format!("{}/{}/{}", tenant.value(i), provider.value(i), account.value(i)),
            delivery: DeliveryId::parse(delivery.value(i)).ok_or_else(|| ColumnError::Batch(delivery.value(i).to_owned()))?,
            row: u64::try_from(row.value(i)).map_err(|e| ColumnError::Batch(e.to_string()))?,
            kind: kind.value(i).to_owned(),
            number: number.value(i),
            as_of: as_of.is_valid(i).then(|| as_of.value(i)),
            key: key.value(i).to_vec(),
            reason: reason.is_valid(i).then(|| reason.value(i).to_owned()),
            charge_nano: charge.is_valid(i).then(|| charge.value(i)),
            start_us: start.is_valid(i).then(|| start.value(i)),
            b_number: other.is_valid(i).then(|| other.value(i).to_owned()),
            cycle: cycle.is_valid(i).then(|| cycle.value(i).to_owned()),
            drawn: drawn.is_valid(i).then(|| drawn.value(i)),
        });
    }
    Ok(all)
}
