//! Listening to a topic that somebody else writes: the group decides whose a partition is, landing where it begins.
//!
//! Unlike a topic of ours it may have gaps: marks of transactions, aborted or compacted events. So what tells a loss is the
//! broker's refusal of an offset, never a jump from one event to the next.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use rdkafka::admin::AdminClient;
use rdkafka::client::DefaultClientContext;
use rdkafka::message::Message;

use super::error::Failure;
use super::group::Change;
use super::member::{Member, SLICE, Word};
use super::settings::check_name;
use super::wait::Deadline;
use super::{BrokerError, KafkaSettings, connect, describe, watermarks};
use crate::live::{Event, EventSource, LiveError, News};
use crate::log::{LogError, Watermarks};

/// Bytes of values that one poll gathers; a larger event still comes.
const POLL_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A member of the group that listens to a topic. Dropping it leaves the group.
pub struct KafkaSource {
    settings: KafkaSettings,
    topic: String,
    admin: AdminClient<DefaultClientContext>,
    member: Member,
    places: BTreeMap<u32, Place>,
    told_later: VecDeque<News>,
    /// What went wrong behind events that were told first.
    failed_later: Option<LiveError>,
}

/// Where the client stands in a partition that was started.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The next event has this offset or a higher one.
    due: u64,
    /// Nothing came since the client was sent here: a first event beyond `due` is asked for once more, because it may have been
    /// on its way before.
    doubt: Doubt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    First,
    AskedAgain,
    None,
}

impl fmt::Debug for KafkaSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSource").field("topic", &self.topic).field("places", &self.places).finish_non_exhaustive()
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
        described(&settings, &admin, topic)?;
        let member = Member::join(&client, topic, settings.request_wait())
            .map_err(|failure| named(&settings, failure.sorted(&settings.brokers, topic)))?;
        let (places, told_later) = (BTreeMap::new(), VecDeque::new());
        Ok(Self { topic: topic.to_owned(), admin, member, places, told_later, failed_later: None, settings })
    }

    fn sort(&self, failure: Failure) -> LiveError {
        named(&self.settings, failure.sorted(&self.settings.brokers, &self.topic))
    }

    /// The next change of the group, which the places follow.
    fn change(&mut self) -> Result<Option<News>, LiveError> {
        let change = self.member.change().map_err(|failure| self.sort(failure))?;
        Ok(change.map(|change| match change {
            Change::Assigned(partitions) => News::Assigned(partitions),
            Change::Revoked(partitions) => {
                self.places.retain(|partition, _| !partitions.contains(partition));
                News::Revoked(partitions)
            }
        }))
    }

    /// Takes over what the client library has, up to the limits; waits for the first. Nothing is lost with a failure: it is told
    /// behind the events that came before it.
    fn take_in(&mut self, wait: Duration, events_max: usize) -> Result<Vec<Event>, LiveError> {
        let (mut wait, mut events, mut bytes) = (wait, Vec::new(), 0);
        while events.len() < events_max && bytes < POLL_BYTES_MAX && !self.must_tell() {
            match self.take_one(wait) {
                Ok(Word::Silence) => break,
                Ok(Word::Message(Some(event))) => {
                    bytes += event.value.len();
                    events.push(event);
                }
                Ok(_) => {}
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

    /// Takes the client's next word, without events that are not due.
    fn take_one(&mut self, wait: Duration) -> Result<Word<Option<Event>>, LiveError> {
        let word = self.member.poll(wait, |message| Event {
            partition: u32::try_from(message.partition()).unwrap_or_default(),
            offset: u64::try_from(message.offset()).unwrap_or_default(),
            value: message.payload().unwrap_or_default().to_vec(),
        });
        Ok(match word.map_err(|failure| self.sort(failure))? {
            Word::Message(event) => Word::Message(if self.is_due(&event)? { Some(event) } else { None }),
            Word::Silence => Word::Silence,
            Word::End(partition) => {
                if self.places.contains_key(&partition) {
                    self.told_later.push_back(News::End(partition));
                }
                Word::End(partition)
            }
            Word::Refused => {
                self.told_later.push_back(News::Refused);
                Word::Refused
            }
            Word::Passing => Word::Passing,
        })
    }

    fn must_tell(&self) -> bool {
        self.member.has_changes() || !self.told_later.is_empty()
    }

    /// Whether an event is one that its caller waits for.
    fn is_due(&mut self, event: &Event) -> Result<bool, LiveError> {
        let Some(place) = self.places.get_mut(&event.partition) else { return Ok(false) };
        if event.offset < place.due {
            return Ok(false);
        }
        if event.offset > place.due && place.doubt == Doubt::First {
            let due = place.due;
            self.seek(event.partition, due)?;
            self.places.insert(event.partition, Place { due, doubt: Doubt::AskedAgain });
            return Ok(false);
        }
        *place = Place { due: event.offset + 1, doubt: Doubt::None };
        Ok(true)
    }

    fn seek(&mut self, partition: u32, offset: u64) -> Result<(), LiveError> {
        for (_, moved) in self.member.seek(&[(partition, offset)]).map_err(|failure| self.sort(failure))? {
            moved.map_err(|source| {
                let brokers = self.settings.brokers.clone();
                LogError::from(BrokerError::Unavailable { doing: "move in a partition", brokers, source })
            })?;
        }
        Ok(())
    }
}

impl EventSource for KafkaSource {
    fn topic(&self) -> &str {
        &self.topic
    }

    fn incarnation(&mut self) -> Result<String, LiveError> {
        described(&self.settings, &self.admin, &self.topic)
    }

    fn watermarks(&mut self, partition: u32) -> Result<Watermarks, LiveError> {
        self.member.watermarks(partition).map_err(|failure| self.sort(failure))
    }

    fn heard_high(&mut self, partition: u32) -> Option<u64> {
        self.member.heard_high(partition)
    }

    fn start_at(&mut self, partition: u32, offset: u64) -> Result<(), LiveError> {
        if self.member.fetches(partition) {
            self.seek(partition, offset)?;
        } else {
            self.member.fetch(&[(partition, offset)]).map_err(|failure| self.sort(failure))?;
        }
        self.places.insert(partition, Place { due: offset, doubt: Doubt::First });
        Ok(())
    }

    fn poll(&mut self, wait_ms: u64, events_max: usize) -> Result<News, LiveError> {
        let until = Deadline::after(Duration::from_millis(wait_ms));
        if let Some(error) = self.failed_later.take() {
            return Err(error);
        }
        self.member.let_go().map_err(|failure| self.sort(failure))?;
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
                self.member.confirm_silence(Duration::from_millis(wait_ms)).map_err(|failure| self.sort(failure))?;
                return Ok(News::Idle);
            }
        }
    }

    fn note_progress(&mut self, partition: u32, next_offset: u64) -> Result<(), LiveError> {
        self.member.note_progress(partition, next_offset).map_err(|failure| self.sort(failure))
    }
}

/// How far a topic of somebody else's goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicEnds {
    /// Its id: another one after it was deleted and made anew.
    pub incarnation: String,
    /// By partition, the offset of the event that will be written next.
    pub next: Vec<u64>,
}

impl TopicEnds {
    /// Asks the brokers, as a member of no group.
    pub fn ask(settings: &KafkaSettings, topic: &str) -> Result<Self, LiveError> {
        settings.check()?;
        let admin = connect(settings)?;
        let found = describe(settings, &admin, topic).map_err(|error| named(settings, error))?;
        let incarnation = found.id.ok_or_else(|| LogError::from(BrokerError::NoTopicId { topic: topic.to_owned() }))?;
        let partitions = 0..u32::try_from(found.replicas.len()).unwrap_or(u32::MAX);
        let end = |partition| watermarks(admin.inner(), topic, partition, settings.request_wait()).map(|marks| marks.high);
        let next = partitions.map(end).collect::<Result<_, _>>();
        let next = next.map_err(|failure: Failure| named(settings, failure.sorted(&settings.brokers, topic)))?;
        Ok(Self { incarnation, next })
    }
}

/// The life of a topic that exists.
fn described(settings: &KafkaSettings, admin: &AdminClient<DefaultClientContext>, topic: &str) -> Result<String, LiveError> {
    let found = describe(settings, admin, topic).map_err(|error| named(settings, error))?;
    Ok(found.id.ok_or_else(|| LogError::from(BrokerError::NoTopicId { topic: topic.to_owned() }))?)
}

/// A topic of somebody else's is not made with `tollway topics create`.
fn named(settings: &KafkaSettings, error: LogError) -> LiveError {
    match error {
        LogError::Broker(BrokerError::NoTopic { topic }) => LiveError::NoTopic { topic, brokers: settings.brokers.clone() },
        error => error.into(),
    }
}
