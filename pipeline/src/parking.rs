//! Partitions that wait before a claim check that cannot be rated, and when each is tried again.

use std::collections::BTreeMap;
use std::sync::Arc;

use ingest::log::TopicPartition;

use crate::error::PipelineError;

/// The longest pause, in first pauses: a cause that nobody mends costs an attempt an hour, not one a minute.
pub(crate) const PAUSES_MAX: i64 = 64;

/// A claim check that cannot be rated until its cause is mended.
#[derive(Debug, Clone)]
pub struct Parked {
    /// Its place in the partition: nothing from here on is taken.
    pub offset: u64,
    /// What is wrong.
    pub error: Arc<PipelineError>,
    /// When it is tried again, microseconds since 1970 UTC.
    pub again_us: i64,
}

/// The parked partitions of one worker. Nobody says when a damaged object is restored, so each is tried again: after a pause
/// that doubles as long as the same claim check fails.
#[derive(Debug)]
pub(crate) struct Parking {
    waiting: BTreeMap<TopicPartition, Parked>,
    /// The claim check that failed last, and the pause after it.
    tried: BTreeMap<TopicPartition, (u64, i64)>,
    pause_us: i64,
}

impl Parking {
    /// Nobody waits; the first pause is `pause_us`.
    pub(crate) fn new(pause_us: i64) -> Self {
        Self { waiting: BTreeMap::new(), tried: BTreeMap::new(), pause_us }
    }

    /// The partitions that wait.
    pub(crate) fn waiting(&self) -> &BTreeMap<TopicPartition, Parked> {
        &self.waiting
    }

    /// Whether a record may not be taken.
    pub(crate) fn holds(&self, partition: TopicPartition, offset: u64) -> bool {
        self.waiting.get(&partition).is_some_and(|parked| offset >= parked.offset)
    }

    /// Lets a partition wait before an offset.
    pub(crate) fn park(&mut self, partition: TopicPartition, offset: u64, error: PipelineError, now_us: i64) {
        let pause_us = match self.tried.get(&partition) {
            Some((at, pause_us)) if *at == offset => pause_us.saturating_mul(2).min(self.pause_us.saturating_mul(PAUSES_MAX)),
            _ => self.pause_us,
        };
        self.tried.insert(partition, (offset, pause_us));
        let parked = Parked { offset, error: Arc::new(error), again_us: now_us.saturating_add(pause_us) };
        self.waiting.insert(partition, parked);
    }

    /// Forgets a partition that is another's.
    pub(crate) fn leave(&mut self, partition: TopicPartition) {
        self.waiting.remove(&partition);
        self.tried.remove(&partition);
    }

    /// Lets go of those whose pause is over; whether there were any.
    pub(crate) fn release_due(&mut self, now_us: i64) -> bool {
        let waited = self.waiting.len();
        self.waiting.retain(|_, parked| parked.again_us > now_us);
        self.waiting.len() < waited
    }
}

#[cfg(test)]
mod tests {
    use ingest::log::Topic;

    use super::*;

    #[test]
    fn pauses_double_while_the_same_claim_check_fails_and_have_an_end() {
        let partition = TopicPartition { topic: Topic::Batches, partition: 3 };
        let mut parking = Parking::new(10);
        let mut now = 0;
        for pause in [10, 20, 40, 80, 160, 320, 640, 640] {
            parking.park(partition, 7, PipelineError::Header(1), now);
            assert!(parking.holds(partition, 7) && parking.holds(partition, 8) && !parking.holds(partition, 6));
            assert!(!parking.release_due(now + pause - 1), "too early after {pause}");
            now += pause;
            assert!(parking.release_due(now) && !parking.holds(partition, 7));
        }
        parking.park(partition, 8, PipelineError::Header(1), now);
        assert!(parking.release_due(now + 10), "another claim check begins anew");
    }
}
