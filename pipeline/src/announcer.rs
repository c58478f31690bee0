//! Arrivals → notices: watches landing and announces each delivery that has no word in the ledger yet, again if it fell off, and
//! each withdrawal, replacement and decision to rate rows again that has not acted yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::delivery::{Account, ArrivalNumber, DeliveryId};
use domain::ports::Clock;
use ingest::land::{Arrival, ArrivalKind, Decision, DeliveryState, Landing};
use ingest::log::{LogWriter, Topic};
use ingest::message::Notice;
use sinks::commit::CommitError;
use sinks::settled::Settled;
use sinks::table::Table;

use crate::error::PipelineError;
use crate::healing::{Healing, Standing};
use crate::metrics;
use crate::orders::{Acted, is_open};

/// Announces deliveries on `files.v1`. A delivery that is announced twice costs a look at the ledger, nothing more; one
/// that was never announced (a crash between landing and notice) is found at the next start: landing is the truth.
pub struct Announcer<W> {
    landing: Arc<Landing>,
    writer: W,
    next: ArrivalNumber,
    settled: Settled,
    acted: Acted,
    /// What was announced and had no word when the ledger was last looked at.
    awaited: BTreeMap<ArrivalNumber, DeliveryId>,
    /// Those of them that correct what is in the table.
    orders: BTreeSet<ArrivalNumber>,
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
        Self {
            landing,
            writer,
            next: 0,
            settled,
            acted: Acted::default(),
            awaited: BTreeMap::new(),
            orders: BTreeSet::new(),
            healing,
            decisions: Vec::new(),
        }
    }

    /// Leaves out what was ordered and is done in a table.
    #[must_use]
    pub fn without(mut self, done: &Table) -> Self {
        self.acted.note(done);
        self
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
                ArrivalKind::Delivery(_) => {}
                ArrivalKind::Import(_) => self.healing.hurry(),
                ArrivalKind::Decision(decision) => {
                    self.healing.hurry();
                    self.decisions.push(decision.clone());
                }
            }
            if let Some((account, delivery)) = self.due(&arrival)? {
                let is_order = self.is_ordered(&arrival)?;
                sent += self.announce(arrival.number, delivery, account)?;
                if is_order {
                    self.orders.insert(arrival.number);
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
        self.acted.note(entries);
        self.settled.fold(entries).map_err(CommitError::from)?;
        for number in self.orders.clone() {
            let order = self.landing.arrival(number)?;
            if !self.is_ordered(&order)? {
                self.orders.remove(&number);
                // No verdict will come of it.
                if matches!(order.kind, ArrivalKind::Decision(Decision::Recycle(_))) {
                    self.awaited.remove(&number);
                }
            }
        }
        let fallen = self.healing.look(&mut self.awaited, &self.orders, &mut self.settled, standing, entries)?;
        let mut sent = 0;
        for number in &fallen {
            let arrival = self.landing.arrival(*number)?;
            if let Some((account, delivery)) = self.due(&arrival)? {
                sent += self.announce(*number, delivery, account)?;
            }
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

    /// Sends the notice of an arrival; deliveries are looked after until they have their word.
    fn announce(&mut self, number: ArrivalNumber, delivery: DeliveryId, account: &Account) -> Result<usize, PipelineError> {
        let notice = Notice { arrival: number, delivery };
        let payload = serde_json::to_vec(&notice).expect("texts and integers make JSON");
        self.writer.append(Topic::Files, account.path().as_bytes(), &[], &payload)?;
        self.awaited.insert(number, delivery);
        Ok(1)
    }

    /// Whose account hears of an arrival, and of which delivery it speaks; `None` if nothing is to be done about it.
    fn due<'a>(&self, arrival: &'a Arrival) -> Result<Option<(&'a Account, DeliveryId)>, PipelineError> {
        let is_ordered = self.is_ordered(arrival)?;
        Ok(match &arrival.kind {
            ArrivalKind::Delivery(record) => {
                let acts = matches!(record.state, DeliveryState::Announced);
                let is_due = acts && (is_ordered || !self.settled.contains(record.delivery));
                is_due.then_some((&record.identity.account, record.delivery))
            }
            ArrivalKind::Decision(Decision::Withdraw(word)) => is_ordered.then_some((&word.account, word.delivery)),
            ArrivalKind::Decision(Decision::Recycle(word)) => is_ordered.then(|| (&word.account, word.order())),
            ArrivalKind::Import(_) | ArrivalKind::Decision(_) => None,
        })
    }

    fn is_ordered(&self, arrival: &Arrival) -> Result<bool, PipelineError> {
        Ok(is_open(arrival, &self.landing, &self.acted, &self.settled)?)
    }
}
