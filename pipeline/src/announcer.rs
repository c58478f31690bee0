//! Arrivals → notices: watches landing and announces each delivery that has no word in the ledger yet, again if it fell off.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::delivery::{ArrivalNumber, DeliveryId};
use domain::ports::Clock;
use ingest::land::{Arrival, ArrivalKind, Decision, DeliveryState, Landing};
use ingest::log::{LogWriter, Topic};
use ingest::message::Notice;
use sinks::settled::Settled;
use sinks::table::Table;

use crate::error::PipelineError;
use crate::healing::{Healing, Standing};
use crate::metrics;

/// Announces deliveries on `files.v1`. A delivery that is announced twice costs a look at the ledger, nothing more; one
/// that was never announced (a crash between landing and notice) is found at the next start: landing is the truth.
pub struct Announcer<W> {
    landing: Arc<Landing>,
    writer: W,
    next: ArrivalNumber,
    settled: Settled,
    /// What was announced and had no word when the ledger was last looked at.
    awaited: BTreeMap<ArrivalNumber, DeliveryId>,
    healing: Healing,
    /// Operators' words that nobody has asked for yet.
    decisions: Vec<Decision>,
}

impl<W> std::fmt::Debug for Announcer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Announcer(next {}, {} awaited)", self.next, self.awaited.len())
    }
}

impl<W: LogWriter> Announcer<W> {
    /// Watches from the first arrival on; `settled` are the deliveries that have their verdict in the ledger. What fell off
    /// the log is looked for every `look_again_us`.
    pub fn new(landing: Arc<Landing>, writer: W, settled: Settled, look_again_us: i64) -> Self {
        let healing = Healing::every(look_again_us);
        Self { landing, writer, next: 0, settled, awaited: BTreeMap::new(), healing, decisions: Vec::new() }
    }

    /// The operators' words that came since the last call, from the first arrival on: those that act on the log are for whoever
    /// holds it.
    pub fn take_decisions(&mut self) -> Vec<Decision> {
        std::mem::take(&mut self.decisions)
    }

    /// Announces what has arrived since; tells how many notices went out.
    pub fn step(&mut self) -> Result<usize, PipelineError> {
        let mut sent = 0;
        for arrival in self.landing.arrivals(self.next)? {
            match &arrival.kind {
                ArrivalKind::Delivery(delivery) if self.settled.contains(delivery.delivery) => {}
                ArrivalKind::Delivery(_) => sent += self.announce(&arrival)?,
                ArrivalKind::Import(_) => self.healing.hurry(),
                ArrivalKind::Decision(decision) => {
                    self.healing.hurry();
                    self.decisions.push(decision.clone());
                }
            }
            // Only now: a notice that failed goes out with the next step.
            self.next = arrival.number + 1;
        }
        Ok(sent)
    }

    /// Announces again what fell off: its account was blocked, a record of it was put aside, or the log has lost one. Tells how
    /// many notices went out; none before it is time, or as long as the log is not worked off.
    pub fn look_again(
        &mut self,
        standing: &mut dyn Standing,
        entries: &mut Table,
        clock: &dyn Clock,
    ) -> Result<usize, PipelineError> {
        if !self.healing.is_due(clock.now_us()) {
            return Ok(0);
        }
        let fallen = self.healing.look(&mut self.awaited, &mut self.settled, standing, entries)?;
        let mut sent = 0;
        for number in &fallen {
            sent += self.announce(&self.landing.arrival(*number)?)?;
        }
        if sent > 0 {
            metrics::announced_again(sent);
            tracing::warn!(
                files = sent,
                first = fallen.first(),
                "announced again: they have no verdict and nobody works on them"
            );
        }
        Ok(sent)
    }

    /// Sends the notice of a delivery that acts.
    fn announce(&mut self, arrival: &Arrival) -> Result<usize, PipelineError> {
        let ArrivalKind::Delivery(delivery) = &arrival.kind else { return Ok(0) };
        if !matches!(delivery.state, DeliveryState::Announced) {
            return Ok(0);
        }
        let notice = Notice { arrival: arrival.number, delivery: delivery.delivery };
        let payload = serde_json::to_vec(&notice).expect("texts and integers make JSON");
        let key = delivery.identity.account.path();
        self.writer.append(Topic::Files, key.as_bytes(), &[], &payload)?;
        self.awaited.insert(arrival.number, delivery.delivery);
        Ok(1)
    }
}
