//! Listening to a topic that somebody else writes: the group decides whose a partition is, landing where it begins.
//!
//! Unlike a topic of ours it may have gaps: marks of transactions, aborted or compacted events. So what tells a loss is the
//! broker's refusal of an offset, never a jump from one event to the next.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::admin::AdminClient;
use rdkafka::client::DefaultClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::Offset;

use super::error::{code_of, is_passing};
use super::group::{Change, Membership};
use super::settings::check_name;
use super::wait::Deadline;
use super::{BrokerError, KafkaSettings, connect, describe};
use crate::live::{Event, EventSource, LiveError, News};
use crate::log::{LogError, Watermarks};

/// One wait for the client library, so that a change of the group is never seen later than this.
const SLICE: Duration = Duration::from_millis(500);

/// Bytes of values that one poll gathers; a larger event still comes.
const POLL_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A member of the group that listens to a topic. Dropping it leaves the group.
pub struct KafkaSource {
    settings: KafkaSettings,
    topic: String,
    admin: AdminClient<DefaultClientContext>,
    consumer: BaseConsumer<Membership>,
    /// Partitions that the client fetches.
    fetched: BTreeMap<u32, Fetched>,
    /// Whether the first assignment, perhaps of nothing, was told.
    is_member: bool,
    /// A revocation that was told and is answered by the next poll: the partitions that the client fetches.
    revoked: Option<Vec<u32>>,
    told_later: VecDeque<News>,
    /// What went wrong behind events that were told first.
    failed_later: Option<LiveError>,
    /// The client lost its brokers: whether they are back is found out before a poll says that there is nothing.
    is_cut_off: bool,
}

/// Where the client stands in a partition.
#[derive(Debug, Clone, Copy)]
struct Fetched {
    /// The next event has this offset or a higher one.
    due: u64,
    /// Nothing came since the client was sent here: a first event beyond `due` is asked for once more, because it may have been
    /// on its way before.
    doubt: Doubt,
}

/// What one look at the client library brought.
enum Taken {
    Nothing,
    /// Something else than an event that is due.
    Word,
    Event(Event),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    First,
    AskedAgain,
    None,
}

impl fmt::Debug for KafkaSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSource").field("topic", &self.topic).field("fetched", &self.fetched).finish_non_exhaustive()
    }
}

impl KafkaSource {
    /// Joins `group` to listen to `topic`, whose name stands alone, without [`KafkaSettings::topic_prefix`]; the group's name
    /// gets it. The topic must exist.
    pub fn join(settings: KafkaSettings, group: &str, topic: &str) -> Result<Self, LiveError> {
        settings.check()?;
        check_name("group", group)?;
        let admin = connect(&settings)?;
        let mut client = settings.consumer(&format!("{}{group}", settings.topic_prefix));
        client.set("enable.partition.eof", "true").set("isolation.level", "read_committed");
        let sort = |error| BrokerError::sort("join a group", &settings.brokers, Some(topic), error);
        let consumer = BaseConsumer::from_config_and_context(&client, Membership::default()).map_err(sort)?;
        let mut source = Self {
            topic: topic.to_owned(),
            admin,
            consumer,
            fetched: BTreeMap::new(),
            is_member: false,
            revoked: None,
            told_later: VecDeque::new(),
            failed_later: None,
            is_cut_off: false,
            settings,
        };
        source.incarnation()?;
        source.consumer.subscribe(&[topic]).map_err(|error| source.sort("join a group", error))?;
        Ok(source)
    }

    fn sort(&self, doing: &'static str, error: KafkaError) -> LiveError {
        self.name(BrokerError::sort(doing, &self.settings.brokers, Some(&self.topic), error))
    }

    /// A topic of somebody else's is not made with `tollway topics create`.
    fn name(&self, error: LogError) -> LiveError {
        match error {
            LogError::Broker(BrokerError::NoTopic { topic }) => {
                LiveError::NoTopic { topic, brokers: self.settings.brokers.clone() }
            }
            error => error.into(),
        }
    }

    fn list(&self, partitions: impl IntoIterator<Item = (u32, Option<u64>)>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for (partition, offset) in partitions {
            let Ok(number) = i32::try_from(partition) else { continue };
            let offset = offset.and_then(|offset| i64::try_from(offset).ok()).map_or(Offset::Invalid, Offset::Offset);
            // Only a logical offset can be refused here, and these are numbers or absent.
            let _ = list.add_partition_offset(&self.topic, number, offset);
        }
        list
    }

    /// Gives up what the previous poll reported as revoked; the group waits for this.
    fn let_go(&mut self) -> Result<(), LiveError> {
        let Some(revoked) = self.revoked.take() else { return Ok(()) };
        let list = self.list(revoked.into_iter().map(|partition| (partition, None)));
        self.consumer.incremental_unassign(&list).map_err(|error| self.sort("give up partitions", error))
    }

    /// The next change of the group that the caller must know of.
    fn change(&mut self) -> Result<Option<News>, LiveError> {
        while let Some(change) = self.consumer.context().next() {
            match change {
                Change::Assigned(partitions) => {
                    let none = TopicPartitionList::new();
                    self.consumer.incremental_assign(&none).map_err(|error| self.sort("take partitions", error))?;
                    if partitions.is_empty() && self.is_member {
                        continue;
                    }
                    self.is_member = true;
                    return Ok(Some(News::Assigned(partitions)));
                }
                Change::Revoked(partitions) => {
                    let with_client = partitions.iter().copied().filter(|p| self.fetched.remove(p).is_some()).collect();
                    self.revoked = Some(with_client);
                    if partitions.is_empty() {
                        self.let_go()?;
                        continue;
                    }
                    return Ok(Some(News::Revoked(partitions)));
                }
            }
        }
        Ok(None)
    }

    /// Takes over what the client library has, up to the limits; waits for the first. Nothing is lost with a failure: it is told
    /// behind the events that came before it.
    fn take_in(&mut self, wait: Duration, events_max: usize) -> Result<Vec<Event>, LiveError> {
        let (mut wait, mut events, mut bytes) = (wait, Vec::new(), 0);
        while events.len() < events_max && bytes < POLL_BYTES_MAX && !self.must_tell() {
            match self.take_one(wait) {
                Ok(Taken::Nothing) => break,
                Ok(Taken::Word) => {}
                Ok(Taken::Event(event)) => {
                    bytes += event.value.len();
                    events.push(event);
                }
                Err(error) if events.is_empty() => return Err(error),
                Err(error) => {
                    self.failed_later = Some(error);
                    break;
                }
            }
            wait = Duration::ZERO;
        }
        Ok(events)
    }

    fn take_one(&mut self, wait: Duration) -> Result<Taken, LiveError> {
        let event = match self.consumer.poll(wait) {
            None => return Ok(Taken::Nothing),
            Some(Ok(message)) => Ok(Event {
                partition: u32::try_from(message.partition()).unwrap_or_default(),
                offset: u64::try_from(message.offset()).unwrap_or_default(),
                value: message.payload().unwrap_or_default().to_vec(),
            }),
            Some(Err(error)) => Err(error),
        };
        match event {
            Ok(event) => {
                self.is_cut_off = false;
                Ok(if self.is_due(&event)? { Taken::Event(event) } else { Taken::Word })
            }
            Err(error) => self.heed(error).map(|()| Taken::Word),
        }
    }

    fn must_tell(&self) -> bool {
        self.consumer.context().has_changes() || !self.told_later.is_empty()
    }

    /// Whether an event is one that its caller waits for.
    fn is_due(&mut self, event: &Event) -> Result<bool, LiveError> {
        let Some(place) = self.fetched.get_mut(&event.partition) else { return Ok(false) };
        if event.offset < place.due {
            return Ok(false);
        }
        if event.offset > place.due && place.doubt == Doubt::First {
            let due = place.due;
            self.seek(event.partition, due)?;
            self.fetched.insert(event.partition, Fetched { due, doubt: Doubt::AskedAgain });
            return Ok(false);
        }
        *place = Fetched { due: event.offset + 1, doubt: Doubt::None };
        Ok(true)
    }

    fn seek(&mut self, partition: u32, offset: u64) -> Result<(), LiveError> {
        let list = self.list([(partition, Some(offset))]);
        let wait = self.settings.request_wait();
        let moved = self.consumer.seek_partitions(list, wait).map_err(|error| self.sort("move in a partition", error))?;
        for element in moved.elements() {
            element.error().map_err(|error| match code_of(&error) {
                // On its way into the client: to be tried again.
                Some(Code::State | Code::PreviousInProgress | Code::InProgress | Code::OperationTimedOut) => {
                    let brokers = self.settings.brokers.clone();
                    LogError::from(BrokerError::Unavailable { doing: "move in a partition", brokers, source: error }).into()
                }
                _ => self.sort("move in a partition", error),
            })?;
        }
        Ok(())
    }

    /// Sorts what the client library reports beside events.
    fn heed(&mut self, error: KafkaError) -> Result<(), LiveError> {
        if let KafkaError::PartitionEOF(partition) = error {
            let partition = u32::try_from(partition).unwrap_or_default();
            if self.fetched.contains_key(&partition) {
                self.told_later.push_back(News::End(partition));
            }
            self.is_cut_off = false;
            return Ok(());
        }
        match code_of(&error) {
            // The group takes the partitions away and says so.
            Some(Code::PollExceeded) => Ok(()),
            Some(Code::AutoOffsetReset | Code::OffsetOutOfRange | Code::LogTruncation) => {
                self.told_later.push_back(News::Refused);
                Ok(())
            }
            Some(code) if is_passing(code) => {
                self.is_cut_off = true;
                Ok(())
            }
            _ => Err(self.sort("read events", error)),
        }
    }

    /// Nothing came. If the brokers were out of reach, that means something only once one of them answers again.
    fn idle(&mut self, wait_ms: u64) -> Result<News, LiveError> {
        if self.is_cut_off {
            let wait = Duration::from_millis(wait_ms.max(100)).min(self.settings.request_wait());
            self.consumer.fetch_metadata(Some(&self.topic), wait).map_err(|error| self.sort("read events", error))?;
            self.is_cut_off = false;
        }
        Ok(News::Idle)
    }
}

impl EventSource for KafkaSource {
    fn topic(&self) -> &str {
        &self.topic
    }

    fn incarnation(&mut self) -> Result<String, LiveError> {
        let found = describe(&self.settings, &self.admin, &self.topic).map_err(|error| self.name(error))?;
        Ok(found.id.ok_or_else(|| LogError::from(BrokerError::NoTopicId { topic: self.topic.clone() }))?)
    }

    fn watermarks(&mut self, partition: u32) -> Result<Watermarks, LiveError> {
        let number = i32::try_from(partition).unwrap_or(i32::MAX);
        let (low, high) = self
            .consumer
            .fetch_watermarks(&self.topic, number, self.settings.request_wait())
            .map_err(|error| self.sort("ask for the watermarks", error))?;
        Ok(Watermarks { low: u64::try_from(low).unwrap_or_default(), high: u64::try_from(high).unwrap_or_default() })
    }

    fn start_at(&mut self, partition: u32, offset: u64) -> Result<(), LiveError> {
        let place = Fetched { due: offset, doubt: Doubt::First };
        if self.fetched.contains_key(&partition) {
            self.seek(partition, offset)?;
        } else {
            let list = self.list([(partition, Some(offset))]);
            self.consumer.incremental_assign(&list).map_err(|error| self.sort("start a partition", error))?;
        }
        self.fetched.insert(partition, place);
        Ok(())
    }

    fn poll(&mut self, wait_ms: u64, events_max: usize) -> Result<News, LiveError> {
        let until = Deadline::after(Duration::from_millis(wait_ms));
        if let Some(error) = self.failed_later.take() {
            return Err(error);
        }
        self.let_go()?;
        let mut wait = Duration::ZERO;
        loop {
            if let Some(news) = self.change()? {
                return Ok(news);
            }
            if let Some(news) = self.told_later.pop_front() {
                return Ok(news);
            }
            let events = self.take_in(wait, events_max.max(1))?;
            if !events.is_empty() {
                return Ok(News::Events(events));
            }
            if self.must_tell() {
                continue;
            }
            wait = until.left().min(SLICE);
            if wait.is_zero() {
                return self.idle(wait_ms);
            }
        }
    }

    /// Sent and not waited for: a note that is lost costs nothing but an old lag figure.
    fn note_progress(&mut self, partition: u32, next_offset: u64) -> Result<(), LiveError> {
        let list = self.list([(partition, Some(next_offset))]);
        self.consumer.commit(&list, CommitMode::Async).map_err(|error| self.sort("note progress", error))
    }
}

impl Drop for KafkaSource {
    fn drop(&mut self) {
        // The client waits for answers to what it has asked; after that it answers itself. What fails is ended by the group.
        let _ = self.let_go();
        self.consumer.context().leave();
        while let Some(change) = self.consumer.context().next() {
            let none = TopicPartitionList::new();
            let _ = match change {
                Change::Assigned(_) => self.consumer.incremental_assign(&none),
                Change::Revoked(partitions) => {
                    let ours: Vec<u32> = partitions.into_iter().filter(|p| self.fetched.remove(p).is_some()).collect();
                    self.consumer.incremental_unassign(&self.list(ours.into_iter().map(|partition| (partition, None))))
                }
            };
        }
    }
}
