//! The commit protocol: rated rows, suspense, ledger and positions become visible at once, exactly once (docs/adr/0003).
//!
//! [`Committer::prepare`] is everything that can be repeated: redeliveries out, duplicates out, the rest rated, encoded and durable
//! under names that nobody sees. [`Committer::commit`] is the one step that counts: put-if-absent of the next log entry, on
//! a state whose positions are still where the group began. Whoever lost reloads and compares; nobody retries blindly.

mod correct;
mod duplicates;
pub mod lost;
mod prepare;

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::columns::ColumnError;
use domain::columns::parsed::ParsedBatch;
use domain::columns::rated::RatedBatch;
use domain::invariant::Violation;
use domain::outcome::Counts;
use domain::ports::{Clock, Disposition, Rng};

use crate::correction::stop::Stop;
use crate::correction::{Draft, Plan};
use crate::delta::action::{Add, CommitInfo};
use crate::delta::log::Attempt;
use crate::keys::cache::{Found, KeyCache};
use crate::keys::sidecar::SidecarError;
use crate::keys::stopped::Stopped;
use crate::ledger::{Coverage, Covered, LedgerRow, Verdict};
use crate::table::{Table, TableError};

pub(crate) use self::duplicates::count_readable;

/// Why a commit could not be prepared or made.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A key sidecar.
    #[error(transparent)]
    Sidecar(#[from] SidecarError),
    /// Columns do not fit the table: a bug.
    #[error("failed to build table columns")]
    Columns(#[from] ColumnError),
    /// An invariant did not hold; nothing was written.
    #[error(transparent)]
    Violation(#[from] Violation),
    /// Other writers won every attempt.
    #[error("other writers won {0} attempts to commit in a row; start fewer workers or raise `pipeline.commit_attempts_max`")]
    Contended(u32),
}

impl CommitError {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Table(e) => e.disposition(),
            Self::Sidecar(SidecarError::Blob(e)) => e.disposition(),
            Self::Sidecar(SidecarError::Damaged { .. }) | Self::Columns(_) | Self::Violation(_) => Disposition::Stop,
            Self::Contended(_) => Disposition::Retry,
        }
    }
}

/// How far one partition moves with a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PositionMove {
    /// `<job>/<incarnation>/<topic>/<partition>`.
    pub app_id: String,
    /// The offset that the group began at: the table must stand there.
    pub from: u64,
    /// The next offset after the group.
    pub to: u64,
}

/// One range of a delivery.
#[derive(Debug, Clone)]
pub struct ParsedRange {
    /// The rows, numbered.
    pub batch: Arc<ParsedBatch>,
    /// The word on the whole file, with its last range.
    pub verdict: Option<Verdict>,
}

/// What one commit takes in: ranges in the order of their offsets, and the positions that they bring.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// The ranges.
    pub ranges: Vec<ParsedRange>,
    /// The positions.
    pub positions: Vec<PositionMove>,
    /// The reference version that rows are linked and priced with.
    pub reference_version: u64,
}

/// Links and prices all readable rows of a batch, in their order.
pub type Rating<'a> = &'a (dyn Fn(Arc<ParsedBatch>) -> RatedBatch + Sync);

/// Limits of committing.
#[derive(Debug, Clone, Copy)]
pub struct CommitSettings {
    /// Memory for known keys.
    pub key_cache_bytes: usize,
    /// Attempts that may be lost to other writers in a row.
    pub attempts_max: u32,
}

impl Default for CommitSettings {
    fn default() -> Self {
        Self { key_cache_bytes: 256 << 20, attempts_max: 64 }
    }
}

/// A group whose files are durable and whose entry is ready to be offered.
#[derive(Debug)]
pub struct Prepared {
    info: CommitInfo,
    adds: Vec<Add>,
    positions: Vec<PositionMove>,
    ledger: Vec<LedgerRow>,
    found: Found,
    sidecar: Option<String>,
    /// Ranges that were committed before and are left out.
    pub redelivered: usize,
}

/// What a commit did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The version that it made.
    pub version: u64,
    /// How the rows ended.
    pub counts: Counts,
    /// Ranges that were committed before and were left out.
    pub redelivered: usize,
}

/// How an attempt to commit ended.
#[derive(Debug)]
pub enum Outcome {
    /// The rows are in.
    Committed(Receipt),
    /// Rows of our accounts came in between: prepare the group again on the new state.
    Redo,
    /// Another worker moved our positions: this group is not ours any more, drop it and start from the table's positions.
    Fenced,
}

/// Prepares and commits groups of one worker.
#[derive(Debug)]
pub struct Committer {
    table: Table,
    keys: KeyCache,
    coverage: Coverage,
    settings: CommitSettings,
}

impl Committer {
    /// A committer on a table.
    pub fn new(table: Table, settings: CommitSettings) -> Self {
        Self { table, keys: KeyCache::new(settings.key_cache_bytes), coverage: Coverage::default(), settings }
    }

    /// The table.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Catches up with other writers.
    pub fn refresh(&mut self) -> Result<(), CommitError> {
        self.table.refresh()?;
        Ok(())
    }

    /// Catches up and tells where an application stands.
    pub fn position(&mut self, app_id: &str) -> Result<u64, CommitError> {
        self.table.refresh()?;
        Ok(self.table.snapshot().position(app_id))
    }

    /// Whether a range is committed already, so that its bytes need not be read.
    pub fn is_committed(
        &mut self,
        delivery: domain::delivery::DeliveryId,
        arrival: u64,
        first_row: u64,
        rows: u64,
    ) -> Result<bool, CommitError> {
        self.coverage.load(&self.table, arrival)?;
        Ok(self.coverage.of(delivery, first_row, rows)? == Covered::Whole)
    }

    /// Rates the rows that are new and makes everything durable that the commit will show. Repeatable: a group may be prepared
    /// again after [`Outcome::Redo`].
    pub fn prepare(
        &mut self,
        group: &Group,
        rating: Rating<'_>,
        clock: &dyn Clock,
        rng: &mut dyn Rng,
    ) -> Result<Prepared, CommitError> {
        prepare::prepare(self, group, rating, clock, rng)
    }

    /// Plans that deliveries act no more, on the newest version.
    pub fn plan_stop(&mut self, stop: &Stop) -> Result<Plan, CommitError> {
        self.table.refresh()?;
        crate::correction::stop::plan(&self.table, stop)
    }

    /// Makes durable what a correction will show, as planned: whatever touches its account after the plan makes the commit end as
    /// [`Outcome::Redo`], and then it is planned anew. A plan without changes moves positions only.
    pub fn prepare_correction(
        &mut self,
        draft: &Draft,
        positions: &[PositionMove],
        clock: &dyn Clock,
        rng: &mut dyn Rng,
    ) -> Result<Prepared, CommitError> {
        correct::prepare(self, draft, positions, clock, rng)
    }

    /// The deliveries that act no more, as far as the table is known.
    pub fn stopped(&mut self) -> &Stopped {
        self.keys.stopped(&self.table)
    }

    /// Offers the prepared entry until it is in, or it is clear that it must not go in.
    pub fn commit(&mut self, prepared: Prepared) -> Result<Outcome, CommitError> {
        let accounts: BTreeSet<&str> = prepared.info.accounts.iter().map(String::as_str).collect();
        let moves: Vec<(String, u64)> = prepared.positions.iter().map(|p| (p.app_id.clone(), p.to)).collect();
        for _ in 0..self.settings.attempts_max {
            let changes = self.table.refresh()?;
            let fenced = |p: &PositionMove| self.table.snapshot().position(&p.app_id) != p.from;
            let fenced = prepared.positions.iter().any(fenced);
            if fenced || changes.entries.is_none() {
                self.forget();
            }
            if fenced {
                return Ok(Outcome::Fenced);
            }
            if accounts.iter().any(|a| changes.may_touch(a)) {
                return Ok(Outcome::Redo);
            }
            if self.table.attempt(&prepared.info, &prepared.adds, &moves)? == Attempt::Committed {
                return Ok(Outcome::Committed(self.accept(prepared)));
            }
        }
        Err(CommitError::Contended(self.settings.attempts_max))
    }

    /// Drops what is folded from the table: after a fence or a gap in the log it may hold what the table does not.
    fn forget(&mut self) {
        self.keys = KeyCache::new(self.settings.key_cache_bytes);
        self.coverage = Coverage::default();
    }

    fn accept(&mut self, prepared: Prepared) -> Receipt {
        if let Some(sidecar) = &prepared.sidecar {
            self.keys.accept(prepared.found, sidecar);
        }
        let mut counts = Counts::default();
        // A correction brings no rows: it says anew what became of some.
        for row in prepared.ledger.iter().filter(|row| row.correction.is_none()) {
            counts.add(&row.counts);
            self.coverage.insert(row.file.delivery, row.first_row, row.counts.rows_in);
        }
        let version = self.table.snapshot().version.unwrap_or_default();
        Receipt { version, counts, redelivered: prepared.redelivered }
    }
}
