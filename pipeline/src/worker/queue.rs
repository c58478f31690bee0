//! Claim checks that wait for a worker, and when they make a group.

use std::collections::VecDeque;

use ingest::log::TopicPartition;
use ingest::message::ClaimCheck;

/// A group below this part of the largest is small: what a commit costs beside its rows weighs on it.
const SMALL_PART: u64 = 10;

/// So many times as long as its former took may a small group wait for more.
const PATIENCE: i64 = 4;

/// Limits of a worker.
#[derive(Debug, Clone, Copy)]
pub struct WorkerSettings {
    /// Rows of a group: a commit closes when the next claim check would exceed it.
    pub rows_max: u64,
    /// Bytes of landed files behind a group, in the same way; one claim check may be larger, and is a group of its own then.
    pub bytes_max: u64,
    /// How long a group may wait for more, microseconds; where the log is idle, not at all, but for a small group that follows
    /// another.
    pub linger_us: i64,
    /// Claim checks that are fetched ahead.
    pub queue_max: usize,
    /// After which time a claim check that could not be rated is tried again, microseconds; twice that after the next failure.
    pub look_again_us: i64,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self { rows_max: 250_000, bytes_max: 256 << 20, linger_us: 1_000_000, queue_max: 1024, look_again_us: 10_000_000 }
    }
}

/// A claim check that waits.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub partition: TopicPartition,
    pub offset: u64,
    /// `None`: it could not be understood and was put aside; only its offset counts.
    pub claim: Option<ClaimCheck>,
}

/// How much claim checks stand for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fill {
    rows: u64,
    bytes: u64,
}

impl Fill {
    /// With one more claim check.
    fn and(self, waiting: &Waiting) -> Self {
        let (rows, bytes) = waiting.claim.as_ref().map_or((0, 0), |c| (c.rows, c.to.saturating_sub(c.from)));
        Self { rows: self.rows.saturating_add(rows), bytes: self.bytes.saturating_add(bytes) }
    }
}

/// What waits, in the order in which it came. Instants are microseconds of the worker's clock.
pub(super) struct Queue {
    settings: WorkerSettings,
    waiting: VecDeque<Waiting>,
    /// Since when the first waits.
    since_us: i64,
    /// When the group under way was begun.
    began_us: i64,
    /// How long the last group took, from its first byte to its commit; 0 before the first.
    took_us: i64,
}

impl Queue {
    pub fn new(settings: WorkerSettings) -> Self {
        Self { settings, waiting: VecDeque::new(), since_us: 0, began_us: 0, took_us: 0 }
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn clear(&mut self) {
        self.waiting.clear();
    }

    pub fn push(&mut self, waiting: Waiting, now_us: i64) {
        if self.waiting.is_empty() {
            self.since_us = now_us;
        }
        self.waiting.push_back(waiting);
    }

    fn fill(&self) -> Fill {
        self.waiting.iter().fold(Fill::default(), Fill::and)
    }

    /// Whether what waits is to be read now, whatever the log still holds.
    pub fn is_due(&self, now_us: i64) -> bool {
        let fill = self.fill();
        let is_full = fill.rows >= self.settings.rows_max || fill.bytes >= self.settings.bytes_max;
        let lingered = !self.is_empty() && now_us - self.since_us >= self.settings.linger_us;
        is_full || self.len() >= self.settings.queue_max || lingered
    }

    /// How long what waits may go on waiting although the log is idle. A file that comes alone is committed at once; of many
    /// small files that come one after the other, each commit takes in those that came during a few times of the last one.
    pub fn patience_us(&self, now_us: i64) -> i64 {
        let fill = self.fill();
        let is_small = fill.rows < self.settings.rows_max / SMALL_PART && fill.bytes < self.settings.bytes_max / SMALL_PART;
        let patience_us = if is_small { self.took_us.saturating_mul(PATIENCE).min(self.settings.linger_us) } else { 0 };
        (patience_us - (now_us - self.since_us)).max(0)
    }

    /// The next claim check, if it belongs to a group that holds so much; and what the group holds with it. An order of a
    /// correction is a group of its own.
    pub fn next(&mut self, group: Option<Fill>) -> Option<(Waiting, Fill)> {
        let next = self.waiting.front()?;
        let fill = group.unwrap_or_default().and(next);
        let exceeds = fill.rows > self.settings.rows_max || fill.bytes > self.settings.bytes_max;
        let is_order = next.claim.as_ref().is_some_and(|claim| claim.corrects);
        if group.is_some() && (is_order || exceeds) {
            return None;
        }
        self.waiting.pop_front().map(|next| (next, fill))
    }

    /// A group was taken; what is left waits from now on.
    pub fn note_begin(&mut self, now_us: i64) {
        (self.since_us, self.began_us) = (now_us, now_us);
    }

    /// It is in the table.
    pub fn note_commit(&mut self, now_us: i64) {
        self.took_us = now_us - self.began_us;
    }
}

#[cfg(test)]
mod tests {
    use domain::delivery::DeliveryId;
    use ingest::log::Topic;

    use super::*;

    fn queue() -> Queue {
        Queue::new(WorkerSettings { rows_max: 100, linger_us: 500, ..WorkerSettings::default() })
    }

    /// A claim check of so many rows.
    fn rows(rows: u64) -> Waiting {
        let (arrival, delivery) = (1, DeliveryId(1));
        let claim = ClaimCheck { arrival, delivery, from: 0, to: 10 * rows, first_row: 0, rows, verdict: None, corrects: false };
        Waiting { partition: TopicPartition { topic: Topic::Batches, partition: 0 }, offset: 0, claim: Some(claim) }
    }

    #[test]
    fn the_first_file_waits_for_nobody_and_the_next_small_one_a_few_times_of_its_time() {
        let mut queue = queue();
        queue.push(rows(4), 1_000);
        assert_eq!(queue.patience_us(1_000), 0);
        assert!(queue.next(None).is_some());
        queue.note_begin(1_000);
        queue.note_commit(1_030);
        queue.push(rows(4), 2_000);
        assert_eq!(queue.patience_us(2_000), 4 * 30);
        assert_eq!(queue.patience_us(2_100), 20);
        assert_eq!(queue.patience_us(2_200), 0);
        queue.push(rows(4), 2_050);
        assert_eq!(queue.patience_us(2_100), 20, "it counts from the first that waits");
        queue.push(rows(50), 2_060);
        assert_eq!(queue.patience_us(2_060), 0, "a group that is not small goes at once");
    }

    #[test]
    fn nobody_waits_longer_than_the_linger() {
        let mut queue = queue();
        queue.note_begin(0);
        queue.note_commit(1_000_000);
        queue.push(rows(1), 2_000_000);
        assert_eq!(queue.patience_us(2_000_000), 500);
        assert!(!queue.is_due(2_000_499) && queue.is_due(2_000_500));
    }

    #[test]
    fn a_group_ends_before_the_claim_check_that_would_exceed_it() {
        let mut queue = queue();
        for size in [60, 40, 1, 200] {
            queue.push(rows(size), 0);
        }
        assert!(queue.is_due(0));
        let sizes = |queue: &mut Queue| {
            let (mut group, mut sizes) = (None, Vec::new());
            while let Some((next, fill)) = queue.next(group) {
                group = Some(fill);
                sizes.push(next.claim.expect("a claim").rows);
            }
            sizes
        };
        assert_eq!(sizes(&mut queue), [60, 40]);
        assert_eq!(sizes(&mut queue), [1]);
        assert_eq!(sizes(&mut queue), [200], "one that is larger than a group is a group of its own");
    }
}
