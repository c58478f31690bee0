//! Micro-batches of live sources: the batches of a partition are a chain, each beginning where the last one ended.

use domain::delivery::ArrivalNumber;
use domain::ports::Clock;
use serde::{Deserialize, Serialize};

use super::arrival::{ArrivalKind, DeliveryRecord, DeliveryState};
use super::{LandError, LandRequest, Landed, Landing};
use crate::unwrap::{Object, Objects};

/// A partition of a live source, in one life of its topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LivePartition {
    /// The topic's name.
    pub topic: String,
    /// The topic's id: it changes when the topic is deleted and made anew.
    pub incarnation: String,
    /// From 0.
    pub partition: u32,
}

/// Which events a micro-batch holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveRange {
    /// Where they were written.
    pub source: LivePartition,
    /// Where the last micro-batch of the partition ended. For its first one, where listening began.
    pub from_offset: u64,
    /// Offset of the first event. Offsets before it held none, or none that was to be read.
    pub first_offset: u64,
    /// Offset after the last one: where the next micro-batch begins.
    pub next_offset: u64,
    /// Bytes of the header before the first row.
    pub header_bytes: u64,
    /// Rows: every line after the header is one.
    pub rows: u64,
    /// Events without a row: no value, or blank lines alone.
    #[serde(default, skip_serializing_if = "is_none")]
    pub empty: u64,
    /// Which row is which event, in the order of rows.
    pub steps: Vec<LiveStep>,
    /// Events from `from_offset` on and below this one were gone before they could be landed, and an operator has accepted that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_below: Option<u64>,
}

/// From a row on, and as far as the next step, which row is which event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveStep {
    /// The first row, from 0.
    pub row: u64,
    /// The offset of its event.
    pub offset: u64,
    /// Whether the rows are all of this event, instead of one row of each event from it on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_one_event: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

impl LiveStep {
    /// Whether `row` is of the event at `offset` without a further step.
    pub(crate) fn leads_to(self, row: u64, offset: u64) -> bool {
        !self.is_one_event && self.offset + (row - self.row) == offset
    }
}

impl LiveRange {
    /// The event of a row, and which row of that event it is, from 0.
    pub fn place(&self, row: u64) -> (u64, u64) {
        let after = self.steps.partition_point(|step| step.row <= row);
        match after.checked_sub(1).map(|at| self.steps[at]) {
            Some(step) if step.is_one_event => (step.offset, row - step.row),
            Some(step) => (step.offset + (row - step.row), 0),
            None => (self.first_offset + row, 0),
        }
    }

    /// What is wrong with it, if anything.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let in_order = self.steps.is_sorted_by(|a, b| a.row < b.row && a.offset <= b.offset);
        let begins = self.steps.first().is_none_or(|step| step.row == 0);
        let holds = self.from_offset <= self.first_offset && self.first_offset < self.next_offset;
        (!(in_order && begins && holds)).then_some("its offsets are out of order")
    }

    /// The name under which it lands.
    fn logical_file(&self) -> String {
        let LivePartition { topic, incarnation, partition } = &self.source;
        format!("{topic}/{incarnation}/{partition}/{:020}", self.from_offset)
    }

    /// What people call it.
    fn origin(&self) -> String {
        let Self { source, first_offset, next_offset, .. } = self;
        format!("{}/{} offsets {first_offset} to {}", source.topic, source.partition, next_offset.saturating_sub(1))
    }
}

/// Bytes of a micro-batch that are kept and have not arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptLive(Object);

/// What became of a micro-batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LandedLive {
    /// It has landed, as this arrival.
    New(ArrivalNumber),
    /// Others have landed from this partition: what comes next begins at this offset.
    Overtaken(u64),
}

impl Landing {
    /// Keeps the bytes of a micro-batch. Nothing has arrived before [`Landing::land_live`] says so.
    pub fn keep_live(&self, request: &LandRequest, bytes: &[u8]) -> Result<KeptLive, LandError> {
        self.keep(&request.origin, &mut &*bytes).map(KeptLive)
    }

    /// Lets a micro-batch arrive whose bytes are kept, if it begins where the last one of its partition ended; the first one
    /// begins anywhere. Names in the request are those of `range`. It is ruled on by its place alone: equal bytes are no repeat.
    pub fn land_live(
        &self,
        request: &LandRequest,
        range: &LiveRange,
        KeptLive(object): &KeptLive,
        clock: &dyn Clock,
    ) -> Result<LandedLive, LandError> {
        let request = LandRequest { origin: range.origin(), logical_file: range.logical_file(), ..request.clone() };
        request.check()?;
        let identity = request.identity(&object.sha256);
        let profile_sha256 = self.land_text(&request.origin, &request.profile_text)?;
        let landed = self.arrive(&request.origin, clock, |index| match index.live_end(&range.source) {
            Some((next, number)) if next != range.from_offset => Err(number),
            _ => {
                let record = request.record(&identity, object.size, &profile_sha256, DeliveryState::Announced);
                Ok(ArrivalKind::Delivery(DeliveryRecord { live: Some(Box::new(range.clone())), ..record }))
            }
        })?;
        Ok(match landed {
            Landed::New(arrival) | Landed::Held(arrival) => LandedLive::New(arrival.number),
            Landed::Already(arrival) => match arrival.kind {
                ArrivalKind::Delivery(DeliveryRecord { live: Some(live), .. }) => LandedLive::Overtaken(live.next_offset),
                _ => unreachable!("the end of a chain is a micro-batch"),
            },
        })
    }

    /// Where the next micro-batch of a partition begins; `None` if none has landed.
    pub fn live_next(&self, source: &LivePartition) -> Result<Option<u64>, LandError> {
        Ok(self.refreshed()?.live_end(source).map(|(next, _)| next))
    }

    /// The lives of a topic from which something has landed; the one that landed last comes last.
    pub fn live_lives(&self, topic: &str) -> Result<Vec<String>, LandError> {
        Ok(self.refreshed()?.live_lives(topic))
    }
}
