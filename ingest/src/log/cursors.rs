//! Where a reader stands in each of its partitions, and whose turn it is.

use std::collections::BTreeMap;

use super::{LogError, Topic, TopicPartition};

/// A reader's place in one partition.
#[derive(Debug, Clone, Copy, Default)]
struct Cursor {
    /// Unknown until the reader says where to start.
    next: Option<u64>,
    paused: bool,
}

/// The partitions of one reader; they get their turns round robin, so that none starves.
#[derive(Debug)]
pub(super) struct Cursors {
    topic: Topic,
    places: BTreeMap<u32, Cursor>,
    last_served: Option<u32>,
}

impl Cursors {
    pub(super) fn new(topic: Topic) -> Self {
        Self { topic, places: BTreeMap::new(), last_served: None }
    }

    pub(super) fn assign(&mut self, partition: u32) {
        self.places.entry(partition).or_default();
    }

    pub(super) fn revoke(&mut self, partition: u32) {
        self.places.remove(&partition);
    }

    pub(super) fn owned(&self) -> impl Iterator<Item = u32> + '_ {
        self.places.keys().copied()
    }

    /// Refuses partitions that are not ours.
    pub(super) fn start(&mut self, at: TopicPartition, offset: u64) -> Result<(), LogError> {
        self.require(at)?;
        self.places.entry(at.partition).or_default().next = Some(offset);
        Ok(())
    }

    pub(super) fn require(&self, at: TopicPartition) -> Result<(), LogError> {
        let ours = at.topic == self.topic && self.places.contains_key(&at.partition);
        if ours { Ok(()) } else { Err(LogError::NotAssigned(at)) }
    }

    /// Pausing what is not ours changes nothing: a revocation may be under way.
    pub(super) fn set_paused(&mut self, at: TopicPartition, paused: bool) {
        if at.topic == self.topic
            && let Some(cursor) = self.places.get_mut(&at.partition)
        {
            cursor.paused = paused;
        }
    }

    /// Partitions that may be read now and the offset that each wants, beginning after the one that was served last.
    pub(super) fn turns(&self) -> Vec<(TopicPartition, u64)> {
        let ready = |(&partition, cursor): (&u32, &Cursor)| {
            let at = TopicPartition { topic: self.topic, partition };
            (!cursor.paused).then_some(cursor.next).flatten().map(|next| (at, next))
        };
        let mut turns: Vec<_> = self.places.iter().filter_map(ready).collect();
        if let Some(last) = self.last_served {
            let later = turns.partition_point(|(at, _)| at.partition <= last);
            turns.rotate_left(later);
        }
        turns
    }

    pub(super) fn served(&mut self, at: TopicPartition, next: u64) {
        self.last_served = Some(at.partition);
        if let Some(cursor) = self.places.get_mut(&at.partition) {
            cursor.next = Some(next);
        }
    }
}
