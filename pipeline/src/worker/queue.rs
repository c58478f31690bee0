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

/// The last commit, if it was one of few rows.
#[derive(Debug, Clone, Copy)]
struct SmallCommit {
    ended_us: i64,
    /// From the group's first byte on.
    took_us: i64,
}

/// What waits, in the order in which it came. Instants are microseconds of the worker's clock, which may be set back.
pub(super) struct Queue {
    settings: WorkerSettings,
    waiting: VecDeque<Waiting>,
    /// Since when the first waits.
    since_us: i64,
    /// When the small group under way was begun.
    small_began_us: Option<i64>,
    last: Option<SmallCommit>,
}

impl Queue {
    pub fn new(settings: WorkerSettings) -> Self {
        Self { settings, waiting: VecDeque::new(), since_us: 0, small_began_us: None, last: None }
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Forgets what waits and the group under way.
    pub fn clear(&mut self) {
        self.waiting.clear();
        self.small_began_us = None;
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

    fn is_small(&self, fill: Fill) -> bool {
        fill.rows < self.settings.rows_max / SMALL_PART && fill.bytes < self.settings.bytes_max / SMALL_PART
    }

    /// Whether what waits is to be read now, whatever the log still holds.
    pub fn is_due(&self, now_us: i64) -> bool {
        let fill = self.fill();
        let is_full = fill.rows >= self.settings.rows_max || fill.bytes >= self.settings.bytes_max;
        // A clock that was set back says nothing of how long anything waits.
        let lingered = !self.is_empty() && !(0..self.settings.linger_us).contains(&(now_us - self.since_us));
        is_full || self.len() >= self.settings.queue_max || lingered
    }

    /// How long what waits may go on waiting although the log is idle. A file that comes alone is committed at once; of many
    /// small files that come one after the other, each commit takes in those that came during a few times of the last one.
    pub fn patience_us(&self, now_us: i64) -> i64 {
        let Some(last) = self.last else { return 0 };
        let patience_us = last.took_us.saturating_mul(PATIENCE).min(self.settings.linger_us);
        let follows = (0..=patience_us).contains(&(self.since_us - last.ended_us));
        let waited_us = now_us - self.since_us;
        // An order of a correction is a group of its own: it gains nothing by waiting, nor does what stands before it.
        let has_order = || self.waiting.iter().any(|waiting| waiting.claim.as_ref().is_some_and(|claim| claim.corrects));
        if follows && waited_us >= 0 && self.is_small(self.fill()) && !has_order() { (patience_us - waited_us).max(0) } else { 0 }
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

    /// A group of so much was taken; what is left waits from now on.
    pub fn note_begin(&mut self, group: Fill, now_us: i64) {
        self.since_us = now_us;
        self.small_began_us = self.is_small(group).then_some(now_us);
    }

    /// What was under way, a group or a correction, is in the table.
    pub fn note_commit(&mut self, now_us: i64) {
        let began_us = self.small_began_us.take().filter(|began_us| *began_us <= now_us);
        self.last = began_us.map(|began_us| SmallCommit { ended_us: now_us, took_us: now_us - began_us });
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

    /// After a commit of a few rows that began at 1,000 and ended at 1,030.
    fn after_a_small_commit() -> Queue {
        let mut queue = queue();
        queue.push(rows(4), 1_000);
        assert_eq!(queue.patience_us(1_000), 0, "the first file waits for nobody");
        let (_, group) = queue.next(None).expect("what was pushed");
        queue.note_begin(group, 1_000);
        queue.note_commit(1_030);
        queue
    }

    #[test]
    fn a_small_file_that_follows_another_waits_a_few_times_of_its_time() {
        let mut queue = after_a_small_commit();
        queue.push(rows(4), 1_050);
        assert_eq!(queue.patience_us(1_050), 4 * 30);
        assert_eq!(queue.patience_us(1_150), 20);
        assert_eq!(queue.patience_us(1_300), 0);
        queue.push(rows(4), 1_100);
        assert_eq!(queue.patience_us(1_150), 20, "it counts from the first that waits");
        queue.push(rows(50), 1_110);
        assert_eq!(queue.patience_us(1_110), 0, "a group that is not small goes at once");
    }

    #[test]
    fn what_follows_nothing_small_waits_for_nobody() {
        let mut late = after_a_small_commit();
        late.push(rows(4), 90_000);
        assert_eq!(late.patience_us(90_000), 0, "the last commit is long ago");
        let mut after_a_large_one = after_a_small_commit();
        after_a_large_one.push(rows(90), 1_031);
        let (_, group) = after_a_large_one.next(None).expect("what was pushed");
        after_a_large_one.note_begin(group, 1_040);
        after_a_large_one.push(rows(4), 1_041);
        after_a_large_one.note_commit(1_060);
        assert_eq!(after_a_large_one.patience_us(1_060), 0, "the rest behind a large group");
        let mut after_a_correction = after_a_small_commit();
        after_a_correction.note_commit(5_000_000);
        after_a_correction.push(rows(4), 5_000_010);
        assert_eq!(after_a_correction.patience_us(5_000_010), 0, "how long a correction took says nothing");
        let mut order = after_a_small_commit();
        order.push(rows(4), 1_050);
        let mut correction = rows(0);
        correction.claim.as_mut().expect("a claim").corrects = true;
        order.push(correction, 1_050);
        assert_eq!(order.patience_us(1_050), 0, "nobody can join an order");
    }

    #[test]
    fn nobody_waits_longer_than_the_linger_or_for_a_clock_that_was_set_back() {
        let mut queue = queue();
        queue.note_begin(Fill::default(), 0);
        queue.note_commit(1_000_000);
        queue.push(rows(1), 1_000_010);
        assert_eq!(queue.patience_us(1_000_010), 500);
        assert!(!queue.is_due(1_000_509) && queue.is_due(1_000_510));
        assert_eq!(queue.patience_us(900_000), 0);
        assert!(queue.is_due(900_000));
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
