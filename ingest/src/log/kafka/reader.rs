//! Reading the broker as a member of a group: the group decides whose a partition is, the caller where it begins.
//!
//! The client library fetches a partition only once its caller has started it, from the offset that the caller named.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::topic_partition_list::Offset;

use super::error::{code_of, is_passing};
use super::group::{Change, Membership};
use super::lanes::{Lane, Lanes, Standing};
use super::message::{Taken, taken_from};
use super::settings::check_name;
use super::wait::Deadline;
use super::{BrokerError, Shared};
use crate::log::cursors::Cursors;
use crate::log::{Incarnation, LogError, LogEvent, LogReader, Topic, TopicPartition, Watermarks};

/// How long partitions that were started and have records are waited for before others get a second turn.
const FIRST_TURN_WAIT: Duration = Duration::from_secs(1);

/// One wait for the client library, so that a change of the group is never seen later than this.
const SLICE: Duration = Duration::from_millis(500);

/// A poll that should wait longer waits a day.
const WAIT_MS_MAX: u64 = 86_400_000;

/// A member of a reader group; see [`super::KafkaLog::reader`]. Dropping it leaves the group.
pub struct KafkaReader {
    shared: Arc<Shared>,
    topic: Topic,
    consumer: BaseConsumer<Membership>,
    cursors: Cursors,
    lanes: Lanes,
    /// Whether the first assignment, perhaps of nothing, was told.
    is_member: bool,
    /// A revocation that was told and is answered by the next poll: the partitions that the client fetches.
    revoked: Option<Vec<u32>>,
    first_turns_until: Option<Deadline>,
    /// The client lost its brokers: whether they are back is found out before a poll says that there is nothing.
    is_cut_off: bool,
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
        let settings = &shared.settings;
        let known = shared.topic(topic);
        let sort = |error| BrokerError::sort("join a group", &settings.brokers, Some(&known.name), error);
        let client = settings.consumer(&settings.group_name(group, topic));
        let consumer = BaseConsumer::from_config_and_context(&client, Membership::default()).map_err(sort)?;
        consumer.subscribe(&[&known.name]).map_err(sort)?;
        let life = known.id.clone();
        Ok(Self {
            topic,
            consumer,
            cursors: Cursors::new(topic),
            lanes: Lanes::default(),
            is_member: false,
            revoked: None,
            first_turns_until: None,
            is_cut_off: false,
            life,
            old_life: None,
            shared,
        })
    }

    fn sort(&self, doing: &'static str, error: KafkaError) -> LogError {
        BrokerError::sort(doing, &self.shared.settings.brokers, Some(&self.shared.topic(self.topic).name), error)
    }

    fn at(&self, partition: u32) -> TopicPartition {
        TopicPartition { topic: self.topic, partition }
    }

    /// A list of partitions for the client library; those that it could not name are left out.
    fn list(&self, partitions: impl IntoIterator<Item = (u32, Option<u64>)>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in partitions {
            let Ok((name, number)) = self.shared.place(self.at(partition)) else { continue };
            let offset = offset.and_then(|offset| i64::try_from(offset).ok()).map_or(Offset::Invalid, Offset::Offset);
            // Only a logical offset can be refused here, and these are numbers or absent.
            let _ = list.add_partition_offset(name, number, offset);
        }
        list
    }

    /// Gives up what the previous poll reported as revoked; the group waits for this.
    fn let_go(&mut self) -> Result<(), LogError> {
        let Some(revoked) = self.revoked.take() else { return Ok(()) };
        let list = self.list(revoked.into_iter().map(|partition| (partition, None)));
        self.consumer.incremental_unassign(&list).map_err(|error| self.sort("give up partitions", error))
    }

    /// The next change of the group that the caller must know of.
    fn change(&mut self) -> Result<Option<LogEvent>, LogError> {
        while let Some(change) = self.consumer.context().next() {
            match change {
                Change::Assigned(partitions) => {
                    let none = TopicPartitionList::new();
                    self.consumer.incremental_assign(&none).map_err(|error| self.sort("take partitions", error))?;
                    if partitions.is_empty() && self.is_member {
                        continue;
                    }
                    self.is_member = true;
                    for partition in &partitions {
                        self.cursors.assign(*partition);
                    }
                    return Ok(Some(LogEvent::Assigned(partitions.into_iter().map(|p| self.at(p)).collect())));
                }
                Change::Revoked(partitions) => {
                    let mut with_client = Vec::new();
                    for partition in &partitions {
                        self.cursors.revoke(*partition);
                        let lane = self.lanes.remove(*partition);
                        with_client.extend(lane.filter(Lane::is_with_client).map(|_| *partition));
                    }
                    self.revoked = Some(with_client);
                    if partitions.is_empty() {
                        self.let_go()?;
                        continue;
                    }
                    return Ok(Some(LogEvent::Revoked(partitions.into_iter().map(|p| self.at(p)).collect())));
                }
            }
        }
        Ok(None)
    }

    /// Tells the client library from where to fetch.
    fn direct(&mut self) -> Result<(), LogError> {
        let new = self.lanes.standing(Standing::Unknown);
        if !new.is_empty() {
            let list = self.list(new.iter().map(|(partition, due)| (*partition, Some(*due))));
            self.consumer.incremental_assign(&list).map_err(|error| self.sort("start partitions", error))?;
            for (partition, _) in new {
                self.lanes.is_fetched_now(partition);
            }
        }
        self.move_misplaced()
    }

    /// Sends the client to where its partitions should be. One that is on its way into the client stays misplaced, and
    /// nothing of it is taken in, until the next round.
    fn move_misplaced(&mut self) -> Result<(), LogError> {
        let misplaced = self.lanes.standing(Standing::Misplaced);
        if misplaced.is_empty() {
            return Ok(());
        }
        let list = self.list(misplaced.into_iter().map(|(partition, due)| (partition, Some(due))));
        let wait = self.shared.settings.request_wait();
        let moved = self.consumer.seek_partitions(list, wait).map_err(|error| self.sort("move in a partition", error))?;
        for element in moved.elements() {
            let Ok(partition) = u32::try_from(element.partition()) else { continue };
            match element.error().map_err(|error| (code_of(&error), error)) {
                Ok(()) => {
                    let list = self.list([(partition, None)]);
                    self.consumer.resume(&list).map_err(|error| self.sort("resume a partition", error))?;
                    self.lanes.is_fetched_now(partition);
                }
                Err((Some(Code::State | Code::PreviousInProgress | Code::InProgress | Code::OperationTimedOut), _)) => {}
                Err((_, error)) => return Err(self.sort("move in a partition", error)),
            }
        }
        Ok(())
    }

    /// Takes over what the client library has, up to the limit; waits for the first.
    fn take_in(&mut self, wait: Duration) -> Result<(), LogError> {
        let mut wait = wait;
        loop {
            let taken = match self.consumer.poll(wait) {
                None => return Ok(()),
                Some(Ok(message)) => Ok(taken_from(&message)),
                Some(Err(error)) => Err(error),
            };
            match taken {
                Ok(taken) => self.accept(taken)?,
                Err(error) => self.heed(error)?,
            }
            let shelf_bytes_max = usize::try_from(self.shared.settings.shelf_bytes_max).unwrap_or(usize::MAX);
            if self.lanes.bytes() >= shelf_bytes_max || self.consumer.context().has_changes() {
                return Ok(());
            }
            wait = Duration::ZERO;
        }
    }

    fn accept(&mut self, taken: Taken) -> Result<(), LogError> {
        self.is_cut_off = false;
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

    /// Sorts what the client library reports beside records.
    fn heed(&mut self, error: KafkaError) -> Result<(), LogError> {
        match code_of(&error) {
            // The group takes the partitions away and says so.
            Some(Code::PollExceeded) => Ok(()),
            Some(Code::AutoOffsetReset | Code::OffsetOutOfRange | Code::LogTruncation) => Err(self.lost_place()?),
            Some(code) if is_passing(code) => {
                self.is_cut_off = true;
                Ok(())
            }
            _ => Err(self.sort("read records", error)),
        }
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

    /// Nothing came. If the brokers were out of reach, that means something only once one of them answers again.
    fn idle(&mut self, wait_ms: u64) -> Result<LogEvent, LogError> {
        if self.is_cut_off {
            let wait = Duration::from_millis(wait_ms.max(100)).min(self.shared.settings.request_wait());
            let name = &self.shared.topic(self.topic).name;
            self.consumer.fetch_metadata(Some(name), wait).map_err(|error| self.sort("read records", error))?;
            self.is_cut_off = false;
        }
        Ok(LogEvent::Idle)
    }
}

impl LogReader for KafkaReader {
    fn poll(&mut self, wait_ms: u64, records_max: usize) -> Result<LogEvent, LogError> {
        let until = Deadline::after(Duration::from_millis(wait_ms.min(WAIT_MS_MAX)));
        self.let_go()?;
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
                return self.idle(wait_ms);
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
        if partition.topic == self.topic && self.lanes.pause(partition.partition) {
            let list = self.list([(partition.partition, None)]);
            // A client that was not told fetches on within its limits; nothing of it is taken in.
            let _ = self.consumer.pause(&list);
        }
    }

    fn resume(&mut self, partition: TopicPartition) {
        self.cursors.set_paused(partition, false);
        if partition.topic == self.topic {
            self.lanes.resume(partition.partition);
        }
    }

    fn watermarks(&mut self, partition: TopicPartition) -> Result<Watermarks, LogError> {
        let (name, number) = self.shared.place(partition)?;
        let (low, high) = self
            .consumer
            .fetch_watermarks(name, number, self.shared.settings.request_wait())
            .map_err(|error| self.sort("ask for the watermarks", error))?;
        Ok(Watermarks { low: u64::try_from(low).unwrap_or_default(), high: u64::try_from(high).unwrap_or_default() })
    }

    fn incarnation(&mut self, topic: Topic) -> Result<Incarnation, LogError> {
        let life = self.shared.incarnation(topic)?;
        if topic == self.topic {
            self.life.clone_from(&life.0);
        }
        Ok(life)
    }

    /// Sent and not waited for: a note that is lost costs nothing but an old lag figure, and work done again for `files.v1`.
    fn note_progress(&mut self, partition: TopicPartition, next_offset: u64) -> Result<(), LogError> {
        self.shared.place(partition)?;
        let list = self.list([(partition.partition, Some(next_offset))]);
        self.consumer.commit(&list, CommitMode::Async).map_err(|error| self.sort("note progress", error))
    }

    fn noted_progress(&mut self, partition: TopicPartition) -> Result<Option<u64>, LogError> {
        let (name, number) = self.shared.place(partition)?;
        let list = self.list([(partition.partition, None)]);
        let noted = self
            .consumer
            .committed_offsets(list, self.shared.settings.request_wait())
            .map_err(|error| self.sort("ask for the noted progress", error))?;
        let noted = noted.find_partition(name, number).map(|found| found.offset());
        Ok(match noted {
            Some(Offset::Offset(offset)) => u64::try_from(offset).ok(),
            _ => None,
        })
    }
}

impl Drop for KafkaReader {
    fn drop(&mut self) {
        // The client waits for answers to what it has asked; after that it answers itself. What fails is ended by the group.
        let _ = self.let_go();
        self.consumer.context().leave();
        while let Some(change) = self.consumer.context().next() {
            let none = TopicPartitionList::new();
            let _ = match change {
                Change::Assigned(_) => self.consumer.incremental_assign(&none),
                Change::Revoked(partitions) => {
                    let lanes = &mut self.lanes;
                    let mut with_client = |partition: u32| lanes.remove(partition).is_some_and(|lane| lane.is_with_client());
                    let ours: Vec<u32> = partitions.into_iter().filter(|partition| with_client(*partition)).collect();
                    self.consumer.incremental_unassign(&self.list(ours.into_iter().map(|partition| (partition, None))))
                }
            };
        }
    }
}
