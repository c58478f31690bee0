//! Which deliveries are done, folded from the ledger as it grows: each ledger file is read once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::columns::entries;
use domain::delivery::DeliveryId;

use crate::delta::action::Add;
use crate::ledger::{LedgerEntry, read_file};
use crate::table::{Table, TableError};

/// Deliveries that have their verdict and all the rows that it counts. The verdict comes with the last range; one before it may be
/// missing where its claim check could not be read.
#[derive(Debug, Default)]
pub struct Settled {
    /// Ledger files that are folded in.
    folded: HashSet<String>,
    begun: HashMap<DeliveryId, Begun>,
    done: HashSet<DeliveryId>,
    /// Those of them whose verdict says that they are not whole.
    refused: HashSet<DeliveryId>,
}

/// A delivery of which a part is in the ledger.
#[derive(Debug, Default)]
struct Begun {
    rows: u64,
    /// How many rows its verdict counts, once it is there.
    wanted: Option<u64>,
}

impl Settled {
    /// Takes in the ledger files of the state that `table` has seen and that were not read yet. After a rewrite everything is
    /// read anew.
    pub fn fold(&mut self, table: &Table) -> Result<(), TableError> {
        let live: Vec<Arc<Add>> = table.files(&[("outcome", entries::LEDGER)]).map(Arc::clone).collect();
        let known = live.iter().filter(|add| self.folded.contains(&add.path)).count();
        if known < self.folded.len() {
            *self = Self::default();
        }
        for add in live {
            if self.folded.contains(&add.path) {
                continue;
            }
            for entry in read_file(table, &add)? {
                self.note(&entry);
            }
            self.folded.insert(add.path.clone());
        }
        Ok(())
    }

    fn note(&mut self, entry: &LedgerEntry) {
        if self.done.contains(&entry.delivery) {
            return;
        }
        let begun = self.begun.entry(entry.delivery).or_default();
        begun.rows += entry.counts.rows_in;
        if let Some(verdict) = &entry.verdict {
            let is_whole = verdict.state == "complete";
            if !is_whole {
                self.refused.insert(entry.delivery);
            }
            begun.wanted = Some(if is_whole { verdict.rows } else { 0 });
        }
        if begun.wanted.is_some_and(|wanted| begun.rows >= wanted) {
            self.begun.remove(&entry.delivery);
            self.done.insert(entry.delivery);
        }
    }

    /// Whether a delivery is done.
    pub fn contains(&self, delivery: DeliveryId) -> bool {
        self.done.contains(&delivery)
    }

    /// Whether a delivery is done and all of the file, with at least one row, came whole.
    pub fn is_whole(&self, delivery: DeliveryId) -> bool {
        self.done.contains(&delivery) && !self.refused.contains(&delivery)
    }

    /// What these entries tell.
    pub fn of_entries(entries: &[LedgerEntry]) -> Self {
        let mut settled = Self::default();
        for entry in entries {
            settled.note(entry);
        }
        settled
    }

    /// Those that are done.
    pub(crate) fn into_deliveries(self) -> HashSet<DeliveryId> {
        self.done
    }
}
