//! Reading the embedded log as a member of a group: the members share the partitions by remainder.

use std::sync::Arc;

use super::{Appends, Shared};
use crate::log::cursors::Cursors;
use crate::log::{Incarnation, LogError, LogEvent, LogReader, Topic, TopicPartition, Watermarks};

/// A member of a reader group; see [`super::EmbeddedLog::reader`].
#[derive(Debug)]
pub struct EmbeddedReader {
    shared: Arc<Shared>,
    group: String,
    topic: Topic,
    member: u32,
    members: u32,
    /// Known after the first poll.
    cursors: Option<Cursors>,
}

impl EmbeddedReader {
    pub(super) fn new(shared: Arc<Shared>, group: &str, topic: Topic, member: u32, members: u32) -> Self {
        Self { shared, group: group.to_owned(), topic, member, members, cursors: None }
    }

    fn assign(&self) -> Result<(Cursors, Vec<TopicPartition>), LogError> {
        if self.member >= self.members {
            let what = format!("member {} of {} does not exist; members count from 0", self.member, self.members);
            return Err(LogError::Group { group: self.group.clone(), what });
        }
        let mut cursors = Cursors::new(self.topic);
        let mut assigned = Vec::new();
        for partition in (0..self.shared.partitions.count(self.topic)).filter(|p| p % self.members == self.member) {
            cursors.assign(partition);
            assigned.push(TopicPartition { topic: self.topic, partition });
        }
        Ok((cursors, assigned))
    }

    fn records(&mut self, records_max: usize) -> Result<Option<LogEvent>, LogError> {
        let Some(cursors) = &mut self.cursors else { return Ok(None) };
        for (at, next) in cursors.turns() {
            let records = self.shared.followed(at)?.records(next, records_max)?;
            if let Some(last) = records.last() {
                cursors.served(at, last.offset + 1);
                return Ok(Some(LogEvent::Records(at, records)));
            }
        }
        Ok(None)
    }

    fn cursors(&mut self, at: TopicPartition) -> Result<&mut Cursors, LogError> {
        self.cursors.as_mut().ok_or(LogError::NotAssigned(at))
    }
}

impl LogReader for EmbeddedReader {
    fn poll(&mut self, wait_ms: u64, records_max: usize) -> Result<LogEvent, LogError> {
        if self.cursors.is_none() {
            let (cursors, assigned) = self.assign()?;
            self.cursors = Some(cursors);
            return Ok(LogEvent::Assigned(assigned));
        }
        let until = Appends::deadline(wait_ms);
        loop {
            let seen = self.shared.appends.count();
            if let Some(event) = self.records(records_max)? {
                return Ok(event);
            }
            if !self.shared.appends.wait_beyond(seen, until) {
                // Another process's appends wake nobody here: look once more.
                let event = if self.shared.is_read_only() { self.records(records_max)? } else { None };
                return Ok(event.unwrap_or(LogEvent::Idle));
            }
        }
    }

    fn start_at(&mut self, partition: TopicPartition, offset: u64) -> Result<(), LogError> {
        self.cursors(partition)?.require(partition)?;
        self.shared.followed(partition)?.check_offset(offset)?;
        self.cursors(partition)?.start(partition, offset)
    }

    fn pause(&mut self, partition: TopicPartition) {
        if let Some(cursors) = &mut self.cursors {
            cursors.set_paused(partition, true);
        }
    }

    fn resume(&mut self, partition: TopicPartition) {
        if let Some(cursors) = &mut self.cursors {
            cursors.set_paused(partition, false);
        }
    }

    fn watermarks(&mut self, partition: TopicPartition) -> Result<Watermarks, LogError> {
        Ok(self.shared.followed(partition)?.watermarks())
    }

    fn incarnation(&mut self, topic: Topic) -> Result<Incarnation, LogError> {
        Ok(self.shared.meta.incarnation(topic))
    }

    fn note_progress(&mut self, partition: TopicPartition, next_offset: u64) -> Result<(), LogError> {
        self.shared.partition(partition)?;
        let now_us = self.shared.settings()?.clock.now_us();
        self.shared.progress.note(&self.group, partition, next_offset, now_us)
    }

    fn noted_progress(&mut self, partition: TopicPartition) -> Result<Option<u64>, LogError> {
        self.shared.partition(partition)?;
        if self.shared.is_read_only() {
            return self.shared.progress.read(&self.group, partition);
        }
        self.shared.progress.noted(&self.group, partition)
    }
}
