//! Announcing is one member's work: whoever has the first partition of the topic of files leads.

use std::sync::Arc;

use ingest::log::LogWriter;
use pipeline::PipelineError;
use pipeline::announcer::Announcer;
use sinks::commit::CommitError;
use sinks::table::Table;

use crate::flow::Installed;

/// Announces what has landed, if that is ours to do; tells how many notices went out.
pub fn announce(
    installed: &Installed,
    announcer: &mut Option<Announcer<Box<dyn LogWriter>>>,
    leads: bool,
    entries: &mut Table,
) -> Result<usize, PipelineError> {
    if !leads {
        *announcer = None;
        return Ok(0);
    }
    let announcer = if let Some(announcer) = announcer {
        announcer
    } else {
        entries.refresh().map_err(CommitError::from)?;
        let ledger = sinks::ledger::read_all(entries).map_err(CommitError::from)?;
        let settled = sinks::ledger::settled(&ledger);
        announcer.insert(Announcer::new(Arc::clone(&installed.landing), installed.log.writer(), settled))
    };
    announcer.step()
}
