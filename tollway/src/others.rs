//! Other processes on the same log: what they have taken on is waited for, as long as they get on.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use domain::delivery::DeliveryId;
use domain::ports::Clock;
use ingest::land::{Arrival, ArrivalKind, DeliveryState, Landing};
use pipeline::PipelineError;
use pipeline::orders::{Acted, is_open};
use sinks::commit::CommitError;
use sinks::settled::Settled;
use sinks::table::Table;

use crate::system::SystemClock;

/// How often the ledger is looked at, microseconds.
const LOOK_EVERY_US: i64 = 1_000_000;

/// The files and corrections that a command waits for, whoever carries them out.
#[derive(Debug)]
pub struct Others {
    entries: Table,
    settled: Settled,
    wanted: HashSet<DeliveryId>,
    /// Arrivals that may correct what is in the table and have not done so.
    orders: Vec<Arrival>,
    landing: Arc<Landing>,
    stalled: Duration,
    /// A figure that grows with all progress, and since when it has stood still.
    moved: u64,
    still_since_us: i64,
    look_due_us: i64,
    has_looked: bool,
}

impl Others {
    /// Waits for all deliveries and decisions that have landed by now.
    pub fn over(landing: &Arc<Landing>, entries: Table, stalled: Duration) -> anyhow::Result<Self> {
        let arrivals = landing.arrivals(0)?;
        let wanted = arrivals.iter().filter_map(|arrival| match &arrival.kind {
            ArrivalKind::Delivery(d) if d.state == DeliveryState::Announced => Some(d.delivery),
            _ => None,
        });
        let wanted = wanted.collect();
        let now = SystemClock.now_us();
        Ok(Self {
            entries,
            settled: Settled::default(),
            wanted,
            orders: arrivals,
            landing: Arc::clone(landing),
            stalled,
            moved: 0,
            still_since_us: now,
            look_due_us: now,
            has_looked: false,
        })
    }

    /// Whether each of these deliveries has its verdict and each order has acted. `moved` grows with all progress; when it stands
    /// still for too long, that is the error.
    pub fn have_done(&mut self, moved: u64) -> Result<bool, PipelineError> {
        let now = SystemClock.now_us();
        if moved != self.moved {
            (self.moved, self.still_since_us) = (moved, now);
        }
        if now >= self.look_due_us {
            self.look_due_us = now + LOOK_EVERY_US;
            self.look()?;
        }
        let still = Duration::from_micros(u64::try_from(now - self.still_since_us).unwrap_or_default());
        match self.wanted.len() + self.orders.len() {
            0 => Ok(true),
            files if still > self.stalled => Err(PipelineError::Stalled { files, seconds: still.as_secs() }),
            _ => Ok(false),
        }
    }

    fn look(&mut self) -> Result<(), PipelineError> {
        let changes = self.entries.refresh().map_err(CommitError::from)?;
        let is_unchanged = changes.entries.is_some_and(|new| new.is_empty());
        if is_unchanged && self.has_looked {
            return Ok(());
        }
        self.has_looked = true;
        self.settled.fold(&self.entries).map_err(CommitError::from)?;
        self.wanted.retain(|delivery| !self.settled.contains(*delivery));
        let acted = Acted::of_table(&self.entries);
        let mut open = Vec::new();
        for arrival in self.orders.drain(..) {
            if is_open(&arrival, &self.landing, &acted, &self.settled)? {
                open.push(arrival);
            }
        }
        self.orders = open;
        Ok(())
    }
}
