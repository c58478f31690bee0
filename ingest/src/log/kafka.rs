//! The log on a broker that speaks Apache Kafka's protocol: for more than one machine.
//!
//! The broker keeps records and shares partitions among the members of a group. Everything else is as with the embedded log:
//! positions come from the table, a key's partition is [`partition_of`](super::admission::partition_of), an offset that the
//! broker does not hold is an error. See `docs/adr/0010-kafka.md`.

mod error;
mod group;
mod lanes;
mod member;
mod message;
mod native;
mod reader;
mod settings;
mod source;
pub mod topics;
mod wait;
mod writer;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::{Client, DefaultClientContext};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::Offset;
use rdkafka::{ClientContext, TopicPartitionList};

use self::error::Failure;
use self::native::TopicDescription;
use self::writer::Appender;
use super::{Incarnation, Log, LogError, LogReader, LogWriter, Topic, TopicPartition, Watermarks};

pub use self::error::BrokerError;
pub use self::reader::KafkaReader;
pub use self::settings::{ALLOWED_PROPERTIES, KafkaSettings, Rebalance};
pub use self::source::{KafkaSource, TopicEnds};
pub use self::writer::KafkaWriter;

/// The header that names the life of the topic that a record was written for. Readers check it and take it off.
const LIFE_HEADER: &str = "tollway-topic-id";

/// A log on a broker. Clones share its connections.
#[derive(Debug, Clone)]
pub struct KafkaLog {
    shared: Arc<Shared>,
}

struct Shared {
    settings: KafkaSettings,
    admin: AdminClient<DefaultClientContext>,
    topics: BTreeMap<Topic, KnownTopic>,
    /// Made by the first append, and anew when the client library gives it up.
    appender: Mutex<Option<Appender>>,
}

/// A topic as it was when the log was opened.
#[derive(Debug)]
struct KnownTopic {
    name: String,
    id: String,
    partitions: u32,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("settings", &self.settings).field("topics", &self.topics).finish_non_exhaustive()
    }
}

impl KafkaLog {
    /// Connects and looks at the topics, which must exist: `topics::create` makes them.
    pub fn open(settings: KafkaSettings) -> Result<Self, LogError> {
        settings.check()?;
        let admin = connect(&settings)?;
        let mut topics = BTreeMap::new();
        for topic in Topic::ALL {
            let name = settings.topic_name(topic);
            let TopicDescription { id, replicas } = describe(&settings, &admin, &name)?;
            let id = id.ok_or_else(|| BrokerError::NoTopicId { topic: name.clone() })?;
            let partitions = u32::try_from(replicas.len()).map_err(|_| BrokerError::NoTopic { topic: name.clone() })?;
            topics.insert(topic, KnownTopic { name, id, partitions });
        }
        Ok(Self { shared: Arc::new(Shared { settings, admin, topics, appender: Mutex::new(None) }) })
    }

    /// A handle that appends.
    pub fn writer(&self) -> KafkaWriter {
        KafkaWriter { shared: Arc::clone(&self.shared) }
    }

    /// A member of a group, joining now; its polls say which partitions are its own. Group names are up to 64 of
    /// `a-z A-Z 0-9 . _ -`.
    pub fn reader(&self, group: &str, topic: Topic) -> Result<KafkaReader, LogError> {
        KafkaReader::join(Arc::clone(&self.shared), group, topic)
    }

    /// How many partitions a topic had when the log was opened; it must never change, because keys would move.
    pub fn partitions(&self, topic: Topic) -> u32 {
        self.shared.topic(topic).partitions
    }

    /// The topic's present life: the id that the broker drew when it was made.
    pub fn incarnation(&self, topic: Topic) -> Result<Incarnation, LogError> {
        self.shared.incarnation(topic)
    }

    /// Removes the records of a partition below an offset, at once. Returns the first offset that is left.
    pub fn trim(&self, partition: TopicPartition, below: u64) -> Result<u64, LogError> {
        const DOING: &str = "remove records";
        let (name, number) = self.shared.place(partition)?;
        let settings = &self.shared.settings;
        let sort = |error| BrokerError::sort(DOING, &settings.brokers, Some(name), error);
        let mut list = TopicPartitionList::new();
        let below = i64::try_from(below).map_err(|_| LogError::NoPartition(partition))?;
        list.add_partition_offset(name, number, Offset::Offset(below)).map_err(sort)?;
        let wait = Some(settings.request_wait());
        let options = AdminOptions::new().request_timeout(wait).operation_timeout(wait);
        let done = block_on(self.shared.admin.delete_records(&list, &options)).map_err(sort)?;
        let result = done.find_partition(name, number).ok_or_else(|| sort(KafkaError::Canceled))?;
        result.error().map_err(sort)?;
        Ok(result.offset().to_raw().and_then(|low| u64::try_from(low).ok()).unwrap_or_default())
    }
}

impl Log for KafkaLog {
    fn writer(&self) -> Box<dyn LogWriter> {
        Box::new(Self::writer(self))
    }

    /// The broker shares the partitions out among all members, of this and of other processes.
    fn reader(&self, group: &str, topic: Topic, _: u32, _: u32) -> Result<Box<dyn LogReader>, LogError> {
        Ok(Box::new(Self::reader(self, group, topic)?))
    }

    fn partitions(&self, topic: Topic) -> u32 {
        Self::partitions(self, topic)
    }

    fn watermarks(&self, partition: TopicPartition) -> Result<Watermarks, LogError> {
        let (name, _) = self.shared.place(partition)?;
        let settings = &self.shared.settings;
        watermarks(self.shared.admin.inner(), name, partition.partition, settings.request_wait())
            .map_err(|failure| failure.sorted(&settings.brokers, name))
    }

    fn incarnation(&self, topic: Topic) -> Result<Incarnation, LogError> {
        Self::incarnation(self, topic)
    }

    /// The broker's own retention decides.
    fn let_go(&self, _: TopicPartition, _: u64) -> Result<(), LogError> {
        Ok(())
    }

    fn is_shared(&self) -> bool {
        true
    }
}

impl Shared {
    fn topic(&self, topic: Topic) -> &KnownTopic {
        self.topics.get(&topic).expect("a log is opened with all topics")
    }

    /// What the client library calls a partition that exists.
    fn place(&self, at: TopicPartition) -> Result<(&str, i32), LogError> {
        let known = self.topic(at.topic);
        let number = i32::try_from(at.partition).ok().filter(|_| at.partition < known.partitions);
        Ok((&known.name, number.ok_or(LogError::NoPartition(at))?))
    }

    fn incarnation(&self, topic: Topic) -> Result<Incarnation, LogError> {
        let name = &self.topic(topic).name;
        let id = describe(&self.settings, &self.admin, name)?.id;
        Ok(Incarnation(id.ok_or_else(|| BrokerError::NoTopicId { topic: name.clone() })?))
    }

    fn appender(&self) -> Result<Appender, LogError> {
        let mut appender = self.appender.lock().expect("making a client never panics");
        if let Some(appender) = &*appender {
            return Ok(appender.clone());
        }
        Ok(appender.insert(writer::appender(&self.settings)?).clone())
    }

    fn drop_appender(&self) {
        *self.appender.lock().expect("making a client never panics") = None;
    }
}

fn connect(settings: &KafkaSettings) -> Result<AdminClient<DefaultClientContext>, LogError> {
    settings.client().create().map_err(|error| BrokerError::sort("start a client", &settings.brokers, None, error))
}

fn watermarks<C: ClientContext>(client: &Client<C>, topic: &str, partition: u32, wait: Duration) -> Result<Watermarks, Failure> {
    let number = i32::try_from(partition).unwrap_or(i32::MAX);
    let (low, high) = client.fetch_watermarks(topic, number, wait).map_err(Failure::of("ask for the watermarks"))?;
    Ok(Watermarks { low: u64::try_from(low).unwrap_or_default(), high: u64::try_from(high).unwrap_or_default() })
}

fn describe(
    settings: &KafkaSettings,
    admin: &AdminClient<DefaultClientContext>,
    name: &str,
) -> Result<TopicDescription, LogError> {
    let wait_ms = i32::try_from(settings.request_wait_ms).expect("checked to be at most 300,000");
    native::describe_topic(admin.inner(), name, wait_ms)
        .map_err(|error| BrokerError::sort("look at a topic", &settings.brokers, Some(name), error))
}
