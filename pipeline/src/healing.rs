//! Which deliveries nobody works on any more: found by where log and table stand, so that they can be announced again.
//!
//! A file that was announced and has no verdict is on its way, or it fell off: its account was blocked, its notice or a claim
//! check of it was put aside, or retention removed one. The log tells the two apart. Once the notices that were there at one
//! moment are split, and the claim checks that were there after that are in the table, whatever of those files still has no
//! verdict has nobody who works on it. A wrong guess costs a look at the ledger, as any redelivery does.

use std::collections::{BTreeMap, BTreeSet};

use domain::delivery::{ArrivalNumber, DeliveryId};
use ingest::log::Topic;
use sinks::commit::CommitError;
use sinks::settled::Settled;
use sinks::table::Table;

use crate::error::PipelineError;
use crate::parking::PAUSES_MAX;

/// Where the log ends and how far it is worked off. Partitions come in their order.
pub trait Standing {
    /// The next offset of each partition of a topic.
    fn ends(&mut self, topic: Topic) -> Result<Vec<u64>, PipelineError>;

    /// Up to which notice each partition of files is split.
    fn split(&mut self) -> Result<Vec<u64>, PipelineError>;

    /// Up to which claim check each partition is in the table, in the state that `entries` has seen.
    fn rated(&mut self, entries: &Table) -> Result<Vec<u64>, PipelineError>;
}

/// Files that are suspected, and what must be worked off before that is certain.
#[derive(Debug)]
struct Suspicion {
    /// No file beyond this one is suspected.
    last: ArrivalNumber,
    notices: Vec<u64>,
    /// Known once the notices are split.
    claims: Option<Vec<u64>>,
}

/// Looks every now and then; the pause doubles while looking brings nothing back, and something that arrives ends it.
#[derive(Debug)]
pub(crate) struct Healing {
    first_us: i64,
    pause_us: i64,
    due_us: Option<i64>,
    suspicion: Option<Suspicion>,
}

impl Healing {
    /// Looks after `pause_us`, at first.
    pub(crate) fn every(pause_us: i64) -> Self {
        Self { first_us: pause_us, pause_us, due_us: None, suspicion: None }
    }

    /// Something has arrived that may have mended a cause: the next call looks.
    pub(crate) fn hurry(&mut self) {
        self.pause_us = self.first_us;
        self.due_us = Some(i64::MIN);
    }

    /// Whether it is time to look.
    pub(crate) fn is_due(&mut self, now_us: i64) -> bool {
        let pause_us = self.pause_us;
        let due_us = *self.due_us.get_or_insert_with(|| now_us.saturating_add(pause_us));
        if now_us < due_us {
            return false;
        }
        self.due_us = Some(now_us.saturating_add(pause_us));
        true
    }

    /// Takes what is done out of `awaited` and tells the files that nobody works on, lowest first; none as long as that is
    /// not certain.
    ///
    /// Those of `orders` wait for more than a verdict: whoever gave them knows when they are done.
    pub(crate) fn look(
        &mut self,
        awaited: &mut BTreeMap<ArrivalNumber, DeliveryId>,
        orders: &BTreeSet<ArrivalNumber>,
        settled: &mut Settled,
        standing: &mut dyn Standing,
        entries: &mut Table,
    ) -> Result<Vec<ArrivalNumber>, PipelineError> {
        let Some(last) = awaited.last_key_value().map(|(number, _)| *number) else {
            self.suspicion = None;
            return Ok(Vec::new());
        };
        let suspicion = match &mut self.suspicion {
            Some(suspicion) => suspicion,
            none => none.insert(Suspicion { last, notices: standing.ends(Topic::Files)?, claims: None }),
        };
        if suspicion.claims.is_none() {
            if !have_reached(&standing.split()?, &suspicion.notices) {
                return Ok(Vec::new());
            }
            suspicion.claims = Some(standing.ends(Topic::Batches)?);
        }
        entries.refresh().map_err(CommitError::from)?;
        let worked_off = have_reached(&standing.rated(entries)?, suspicion.claims.as_deref().unwrap_or_default());
        settled.fold(entries).map_err(CommitError::from)?;
        let awaited_before = awaited.len();
        awaited.retain(|number, delivery| orders.contains(number) || !settled.contains(*delivery));
        if awaited.len() < awaited_before {
            self.pause_us = self.first_us;
        }
        if !worked_off {
            return Ok(Vec::new());
        }
        let fallen: Vec<ArrivalNumber> = awaited.range(..=suspicion.last).map(|(number, _)| *number).collect();
        self.suspicion = None;
        if !fallen.is_empty() {
            self.pause_us = self.pause_us.saturating_mul(2).min(self.first_us.saturating_mul(PAUSES_MAX));
        }
        Ok(fallen)
    }
}

/// Whether every partition is at its mark or beyond.
fn have_reached(places: &[u64], marks: &[u64]) -> bool {
    places.len() == marks.len() && places.iter().zip(marks).all(|(place, mark)| place >= mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_come_at_their_time_and_at_once_when_something_arrived() {
        let mut healing = Healing::every(10);
        assert!(!healing.is_due(100), "the first look is a pause after the start");
        assert!(!healing.is_due(109));
        assert!(healing.is_due(110));
        assert!(!healing.is_due(119));
        healing.hurry();
        assert!(healing.is_due(119));
        assert!(!healing.is_due(128));
        assert!(healing.is_due(129));
    }

    #[test]
    fn a_partition_that_is_missing_has_not_reached_its_mark() {
        assert!(have_reached(&[3, 4], &[3, 2]));
        assert!(!have_reached(&[3, 1], &[3, 2]));
        assert!(!have_reached(&[3], &[3, 0]));
    }
}
