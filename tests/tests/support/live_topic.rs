//! A topic that a switch writes, on the Kafka server of the tests.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use futures_executor::block_on;
use rdkafka::ClientConfig;
use rdkafka::TopicPartitionList;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::Offset;

use super::brokers;

/// The longest that a broker may take for one question.
const WAIT: Duration = Duration::from_mins(1);

/// A topic of one test.
pub struct LiveTopic {
    /// Its name.
    pub name: String,
    partitions: i32,
    admin: AdminClient<DefaultClientContext>,
    producer: BaseProducer,
}

impl LiveTopic {
    /// A new topic.
    pub fn new(partitions: i32) -> Self {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", brokers::server());
        let admin = client.create().expect("a client");
        let producer = client.set("enable.idempotence", "true").set("linger.ms", "20").create().expect("a producer");
        let name = format!("cdr.{:016x}", RandomState::new().hash_one(partitions));
        let topic = Self { name, partitions, admin, producer };
        topic.make();
        topic
    }

    fn make(&self) {
        let plan = NewTopic::new(&self.name, self.partitions, TopicReplication::Fixed(1));
        for made in block_on(self.admin.create_topics([&plan], &AdminOptions::new())).expect("an answer") {
            made.expect("the topic is made");
        }
        self.wait_until_it_is_there();
    }

    /// The controller answers a little before the broker knows a new topic.
    fn wait_until_it_is_there(&self) {
        let is_there = || {
            self.producer.poll(Duration::from_millis(50));
            (0..self.partitions).all(|partition| self.watermarks(partition).is_some())
        };
        assert!((0..1_000).any(|_| is_there()), "{} never came up", self.name);
    }

    fn watermarks(&self, partition: i32) -> Option<(i64, i64)> {
        self.producer.client().fetch_watermarks(&self.name, partition, WAIT).ok()
    }

    /// Deletes the topic and makes it anew.
    pub fn recreate(&self) {
        for gone in block_on(self.admin.delete_topics(&[&self.name], &AdminOptions::new())).expect("an answer") {
            gone.expect("the topic is deleted");
        }
        let plan = NewTopic::new(&self.name, self.partitions, TopicReplication::Fixed(1));
        // The name is free a little after the answer.
        let made = (0..1_000).any(|_| {
            let answers = block_on(self.admin.create_topics([&plan], &AdminOptions::new())).expect("an answer");
            answers.iter().all(Result::is_ok)
        });
        assert!(made, "{} was not made anew", self.name);
        self.wait_until_it_is_there();
    }

    /// Removes the events of a partition below an offset.
    pub fn trim(&self, partition: i32, below: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.name, partition, Offset::Offset(below)).expect("an offset");
        let options = AdminOptions::new().operation_timeout(Some(WAIT));
        block_on(self.admin.delete_records(&list, &options)).expect("an answer");
    }

    /// Writes events, one partition after the other in turn; all are there when it returns.
    pub fn write<'a>(&self, events: impl IntoIterator<Item = &'a [u8]>) {
        let before: i64 = self.high();
        let mut written = 0;
        for (event, partition) in events.into_iter().zip((0..self.partitions).cycle()) {
            let mut record = BaseRecord::<(), [u8]>::to(&self.name).partition(partition).payload(event);
            while let Err((error, refused)) = self.producer.send(record) {
                let is_full = matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull));
                assert!(is_full, "{error}");
                self.producer.poll(Duration::from_millis(100));
                record = refused;
            }
            self.producer.poll(Duration::ZERO);
            written += 1;
        }
        self.producer.flush(WAIT * 10).expect("the broker takes them");
        assert_eq!(self.high() - before, written, "every event is there once");
    }

    /// Events that were ever written, over all partitions.
    pub fn high(&self) -> i64 {
        (0..self.partitions).map(|partition| self.watermarks(partition).expect("the partition is there").1).sum()
    }
}
