//! The flow for commands that end: it rates what has landed, and what lands meanwhile, until nothing waits.

use std::sync::Arc;

use ingest::land::Landing;
use ingest::log::{Log, LogError};
use sinks::table::Table;

use crate::cli::Global;
use crate::exit_code;
use crate::flow::{Finished, Flow, Installed, Until};
use crate::installation::Installation;
use crate::log_end::{LogEnd, log_ends};
use crate::progress::Progress;
use crate::reference::SharedReference;
use crate::system::{SystemClock, SystemRng};
use crate::totals;

/// A running flow over what waits.
#[derive(Debug)]
pub struct Backlog {
    flow: Flow,
    reference: SharedReference,
    log: Arc<dyn Log>,
    entries: Table,
    sums: Table,
    checkpoint_every: u64,
    rng: SystemRng,
}

impl Backlog {
    /// Starts rating. `None` if a service holds the log: it will do it.
    pub fn start(installation: &Installation, landing: &Arc<Landing>, workers: Option<u32>) -> anyhow::Result<Option<Self>> {
        let log = match installation.log() {
            Ok(log) => log,
            Err(e) if matches!(e.downcast_ref(), Some(LogError::Locked { .. })) => return Ok(None),
            Err(e) => return Err(e),
        };
        let runtime = installation.runtime().handle().clone();
        let reference = SharedReference::open(Arc::clone(landing), installation.state()?, runtime)?;
        let (entries, sums) = (installation.entries()?, installation.totals()?);
        let settings = installation.flow_settings(workers);
        let installed = Installed::of(installation, Arc::clone(landing), Arc::clone(&log), reference.clone());
        let flow = Flow::start(installed, &entries, settings)?;
        Ok(Some(Self {
            flow,
            reference,
            log,
            entries,
            sums,
            checkpoint_every: settings.checkpoint_every,
            rng: SystemRng::new()?,
        }))
    }

    /// The reference data by which it rates.
    pub fn reference(&self) -> SharedReference {
        self.reference.clone()
    }

    /// Waits until everything that has landed by now is in the tables and in the totals. What cannot be rated until a hand
    /// has mended its cause is an error, told when all the rest is done.
    pub fn drain(mut self, global: &Global, expected_rows: Option<u64>) -> anyhow::Result<Finished> {
        let mut progress = Progress::start("rating", expected_rows.unwrap_or(0), global.quiet);
        let house = || {
            totals::step(&mut self.entries, &mut self.sums, &SystemClock, &mut self.rng)?;
            Ok(log_ends(&*self.log, &self.entries)?.into_iter().map(LogEnd::position).collect())
        };
        let watched = self.flow.watch(|rows| progress.at(rows), house, Until::Drained);
        progress.finish();
        // In order also when the watch failed: a member that leaves its group is not waited for by the others.
        let finished = self.flow.finish()?;
        watched?;
        while totals::step(&mut self.entries, &mut self.sums, &SystemClock, &mut self.rng)? {}
        keep_house(&mut self.entries, self.checkpoint_every)?;
        keep_house(&mut self.sums, self.checkpoint_every)?;
        exit_code::waiting(&finished.waiting)?;
        Ok(finished)
    }

    /// Stops in order, whatever waits: the command has failed elsewhere, and that is what it tells.
    pub fn abandon(self) {
        if let Err(e) = self.flow.finish() {
            tracing::warn!(error = %e, "rating failed, too");
        }
    }
}

/// Lets the log forget claim checks below the table's positions, as far as its retention allows.
pub fn trim_log(log: &dyn Log, entries: &Table) -> anyhow::Result<()> {
    for end in log_ends(log, entries)? {
        end.trim(log)?;
    }
    Ok(())
}

/// A checkpoint when enough versions have passed since the last one.
pub fn keep_house(table: &mut Table, every: u64) -> anyhow::Result<()> {
    table.refresh()?;
    let version = table.snapshot().next_version();
    if version.saturating_sub(table.newest_checkpoint()?.unwrap_or(0)) >= every.max(1) {
        table.checkpoint()?;
    }
    Ok(())
}
