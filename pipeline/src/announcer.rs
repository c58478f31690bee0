//! Arrivals → notices: watches landing and announces each delivery that has no word in the ledger yet.

use std::collections::HashSet;
use std::sync::Arc;

use domain::delivery::{ArrivalNumber, DeliveryId};
use ingest::land::{ArrivalKind, DeliveryState, Landing};
use ingest::log::{LogWriter, Topic};
use ingest::message::Notice;

use crate::error::PipelineError;

/// Announces deliveries on `files.v1`. A delivery that is announced twice costs a look at the ledger, nothing more; one
/// that was never announced (a crash between landing and notice) is found at the next start: landing is the truth.
pub struct Announcer<W> {
    landing: Arc<Landing>,
    writer: W,
    next: ArrivalNumber,
    settled: HashSet<DeliveryId>,
}

impl<W> std::fmt::Debug for Announcer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Announcer(next {})", self.next)
    }
}

impl<W: LogWriter> Announcer<W> {
    /// Watches from the first arrival on; `settled` are the deliveries that have their verdict in the ledger.
    pub fn new(landing: Arc<Landing>, writer: W, settled: HashSet<DeliveryId>) -> Self {
        Self { landing, writer, next: 0, settled }
    }

    /// Announces what has arrived since; tells how many notices went out.
    pub fn step(&mut self) -> Result<usize, PipelineError> {
        let mut sent = 0;
        for arrival in self.landing.arrivals(self.next)? {
            if let ArrivalKind::Delivery(delivery) = &arrival.kind
                && matches!(delivery.state, DeliveryState::Announced)
                && !self.settled.contains(&delivery.delivery)
            {
                let notice = Notice { arrival: arrival.number, delivery: delivery.delivery };
                let payload = serde_json::to_vec(&notice).expect("texts and integers make JSON");
                let key = delivery.identity.account.path();
                self.writer.append(Topic::Files, key.as_bytes(), &[], &payload)?;
                sent += 1;
            }
            // Only now: a notice that failed goes out with the next step.
            self.next = arrival.number + 1;
        }
        Ok(sent)
    }
}
