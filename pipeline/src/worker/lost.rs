//! Claim checks that the log's retention removed before they were rated: the table moves over them, in a commit that says so.

use domain::ports::{Clock, Rng};
use ingest::log::LogReader;
use sinks::commit::PositionMove;
use sinks::commit::lost::Skipped;

use super::{Step, Worker};
use crate::error::PipelineError;
use crate::metrics;

/// What is told of them.
const LOST: &str = "lost: retention removed claim checks before they were rated; their files are announced again. Let the topic \
                    of claim checks keep its records longer than any stop may last";

impl<R: LogReader> Worker<R> {
    /// Moves the table over records that the log lost before they were rated. Their files have no verdict: who announces finds
    /// them by that.
    pub(super) fn skip(&mut self, lost: &[PositionMove], clock: &dyn Clock, rng: &mut dyn Rng) -> Result<Step, PipelineError> {
        let reference_version = self.references.current()?.version;
        let skipped = self.committer.skip_lost(lost, reference_version, clock, rng)?;
        self.restart()?;
        if skipped == Skipped::Fenced {
            metrics::commit("fenced");
            return Ok(Step::Fenced);
        }
        let records = lost.iter().map(|m| m.to - m.from).sum();
        metrics::lost_records(records);
        for PositionMove { app_id, from, to } in lost {
            tracing::error!(worker = self.number, app_id, from, to, "{LOST}");
        }
        Ok(Step::Skipped(records))
    }
}
