//! Reading the broker as a member of a group: the group decides whose a partition is, the caller where it begins.
//!
//! The client library fetches a partition only once its caller has started it, from the offset that the caller named.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::error::Failure;
use super::group::Change;
use super::lanes::{Lanes, Standing};
use super::member::{Member, SLICE, Word};
use super::message::{Taken, taken_from};
use super::settings::check_name;
use super::wait::Deadline;
use super::{BrokerError, Shared};
use crate::log::cursors::Cursors;
use crate::log::{Incarnation, LogError, LogEvent, LogReader, Topic, TopicPartition, Watermarks};

/// How long partitions that were started and have records are waited for before others get a second turn.
const FIRST_TURN_WAIT: Duration = Duration::from_secs(1);

/// A poll that should wait longer waits a day.
const WAIT_MS_MAX: u64 = 86_400_000;

/// A member of a reader group; see [`super::KafkaLog::reader`]. Dropping it leaves the group.
pub struct KafkaReader {
    shared: Arc<Shared>,
    topic: Topic,
    member: Member,
    cursors: Cursors,
    lanes: Lanes,
    first_turns_until: Option<Deadline>,
    /// The topic's life when it was last asked for.
    life: String,
    /// Another life that records name and that was found to be an old one.
    old_life: Option<String>,
}

impl fmt::Debug for KafkaReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaReader").field("topic", &self.topic).field("cursors", &self.cursors).finish_non_exhaustive()
    }
}

impl KafkaReader {
    pub(super) fn join(shared: Arc<Shared>, group: &str, topic: Topic) -> Result<Self, LogError> {
        check_name("group", group)?;
        let (settings, known) = (&shared.settings, shared.topic(topic));
        let client = settings.consumer(&settings.group_name(group, topic));
        let member = Member::join(&client, &known.name, settings.request_wait())
            .map_err(|failure| failure.sorted(&settings.brokers, &known.name))?;
        let life = known.id.clone();
        let (cursors, lanes) = (Cursors::new(topic), Lanes::default());
        Ok(Self { topic, member, cursors, lanes, first_turns_until: None, life, old_life: None, shared })
    }

    fn sort(&self, failure: Failure) -> LogError {
        failure.sorted(&self.shared.settings.brokers, &self.shared.topic(self.topic).name)
    }

    fn at(&self, partition: u32) -> TopicPartition {
        TopicPartition { topic: self.topic, partition }
    }

    /// The next change of the group, which the cursors and lanes follow.
    fn change(&mut self) -> Result<Option<LogEvent>, LogError> {
        let Some(change) = self.member.change().map_err(|failure| self.sort(failure))? else { return Ok(None) };
        Ok(Some(match change {
            Change::Assigned(partitions) => {
                for partition in &partitions {
                    self.cursors.assign(*partition);
                }
                LogEvent::Assigned(partitions.into_iter().map(|p| self.at(p)).collect())
            }
            Change::Revoked(partitions) => {
                for partition in &partitions {
                    self.cursors.revoke(*partition);
                    self.lanes.remove(*partition);
                }
                LogEvent::Revoked(partitions.into_iter().map(|p| self.at(p)).collect())
            }
        }))
    }

    /// Tells the client library from where to fetch. A partition that is on its way into the client stays misplaced, and nothing
    /// of it is taken in, until the next round.
    fn direct(&mut self) -> Result<(), LogError> {
        let misplaced = self.lanes.standing(Standing::Misplaced);
        let (fetched, new): (Vec<_>, Vec<_>) = misplaced.into_iter().partition(|(partition, _)| self.member.fetches(*partition));
        if !new.is_empty() {
            self.member.fetch(&new).map_err(|failure| self.sort(failure))?;
            for (partition, _) in new {
                self.lanes.is_fetched_now(partition);
            }
        }
        if fetched.is_empty() {
            return Ok(());
        }
        for (partition, moved) in self.member.seek(&fetched).map_err(|failure| self.sort(failure))? {
            if moved.is_ok() {
                self.member.resume(partition).map_err(|failure| self.sort(failure))?;
                self.lanes.is_fetched_now(partition);
            }
        }
        Ok(())
    }

    /// Takes over what the client library has, up to the limit; waits for the first.
    fn take_in(&mut self, wait: Duration) -> Result<(), LogError> {
        let mut wait = wait;
        loop {
            match self.member.poll(wait, taken_from).map_err(|failure| self.sort(failure))? {
                Word::Silence => return Ok(()),
                Word::Message(taken) => self.accept(taken)?,
                Word::Refused => return Err(self.lost_place()?),
                Word::End(_) | Word::Passing => {}
            }
            let shelf_bytes_max = usize::try_from(self.shared.settings.shelf_bytes_max).unwrap_or(usize::MAX);
            if self.lanes.bytes() >= shelf_bytes_max || self.member.has_changes() {
                return Ok(());
            }
            wait = Duration::ZERO;
        }
    }

    fn accept(&mut self, taken: Taken) -> Result<(), LogError> {
        if let Some(life) = taken.life {
            self.check_life(&life)?;
        }
        let partition = taken.partition;
        self.lanes.take_in(partition, taken.record).map_err(|gap| {
            BrokerError::RecordsLost { partition: self.at(partition), expected: gap.expected, found: gap.found }.into()
        })
    }

    /// A record that names another life of the topic: the topic is another one by now, or its writer has not noticed that
    /// it had become another one.
    fn check_life(&mut self, named: &str) -> Result<(), LogError> {
        if named == self.life || self.old_life.as_deref() == Some(named) {
            return Ok(());
        }
        let Incarnation(is) = self.shared.incarnation(self.topic)?;
        if is != self.life {
            return Err(BrokerError::Recreated { topic: self.topic, was: self.life.clone(), is }.into());
        }
        self.old_life = Some(named.to_owned());
        Ok(())
    }

    /// Which position the broker refused.
    fn lost_place(&mut self) -> Result<LogError, LogError> {
        for (partition, offset) in self.lanes.standing(Standing::Fetched) {
            let at = self.at(partition);
            let Watermarks { low, high } = self.watermarks(at)?;
            if !(low..=high).contains(&offset) {
                return Ok(LogError::OutOfRange { partition: at, offset, low, high });
            }
        }
        Ok(BrokerError::Truncated(self.topic).into())
    }

    fn serve(&mut self, records_max: usize) -> Option<LogEvent> {
        let is_early = self.first_turns_until.is_some_and(|until| !until.has_passed());
        if is_early && self.lanes.wait_for_first() {
            return None;
        }
        self.first_turns_until = None;
        for (at, _) in self.cursors.turns() {
            let records = self.lanes.serve(at.partition, records_max.max(1));
            if let Some(last) = records.last() {
                self.cursors.served(at, last.offset + 1);
                return Some(LogEvent::Records(at, records));
            }
        }
        None
    }
}

impl LogReader for KafkaReader {
    fn poll(&mut self, wait_ms: u64, records_max: usize) -> Result<LogEvent, LogError> {
        let until = Deadline::after(Duration::from_millis(wait_ms.min(WAIT_MS_MAX)));
        self.member.let_go().map_err(|failure| self.sort(failure))?;
        let mut wait = Duration::ZERO;
        loop {
            self.direct()?;
            self.take_in(wait)?;
            if let Some(event) = self.change()? {
                return Ok(event);
            }
            if let Some(event) = self.serve(records_max) {
                return Ok(event);
            }
            wait = until.left().min(SLICE);
            if wait.is_zero() {
                self.member.confirm_silence(Duration::from_millis(wait_ms)).map_err(|failure| self.sort(failure))?;
                return Ok(LogEvent::Idle);
            }
        }
    }

    fn start_at(&mut self, partition: TopicPartition, offset: u64) -> Result<(), LogError> {
        self.cursors.require(partition)?;
        let Watermarks { low, high } = self.watermarks(partition)?;
        if !(low..=high).contains(&offset) {
            return Err(LogError::OutOfRange { partition, offset, low, high });
        }
        self.cursors.start(partition, offset)?;
        self.lanes.start(partition.partition, offset, offset < high);
        self.first_turns_until = Some(Deadline::after(FIRST_TURN_WAIT));
        Ok(())
    }

    fn pause(&mut self, partition: TopicPartition) {
        self.cursors.set_paused(partition, true);
        let partition = Some(partition.partition).filter(|_| partition.topic == self.topic);
        if let Some(partition) = partition.filter(|partition| self.lanes.pause(*partition) && self.member.fetches(*partition)) {
            // A client that was not told fetches on within its limits; nothing of it is taken in.
            let _ = self.member.pause(partition);
        }
    }

    fn resume(&mut self, partition: TopicPartition) {
        self.cursors.set_paused(partition, false);
        if partition.topic == self.topic {
            self.lanes.resume(partition.partition);
        }
    }

    fn watermarks(&mut self, partition: TopicPartition) -> Result<Watermarks, LogError> {
        self.shared.place(partition)?;
        self.member.watermarks(partition.partition).map_err(|failure| self.sort(failure))
    }

    fn heard_high(&mut self, partition: TopicPartition) -> Option<u64> {
        self.shared.place(partition).ok()?;
        self.member.heard_high(partition.partition)
    }

    fn incarnation(&mut self, topic: Topic) -> Result<Incarnation, LogError> {
        let life = self.shared.incarnation(topic)?;
        if topic == self.topic {
            self.life.clone_from(&life.0);
        }
        Ok(life)
    }

    fn note_progress(&mut self, partition: TopicPartition, next_offset: u64) -> Result<(), LogError> {
        self.shared.place(partition)?;
        self.member.note_progress(partition.partition, next_offset).map_err(|failure| self.sort(failure))
    }

    fn noted_progress(&mut self, partition: TopicPartition) -> Result<Option<u64>, LogError> {
        self.shared.place(partition)?;
        self.member.noted_progress(partition.partition).map_err(|failure| self.sort(failure))
    }
}
