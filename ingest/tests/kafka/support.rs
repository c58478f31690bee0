//! Topics that no other test has, and readers that are alone in their group.

use std::sync::atomic::{AtomicU32, Ordering};

use futures_executor::block_on;
use ingest::log::kafka::topics::{self, Made, TopicPlan};
use ingest::log::kafka::{BrokerError, KafkaLog, KafkaReader, KafkaSettings};
use ingest::log::{LogError, LogEvent, LogReader, Topic, TopicPartition};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;

pub const TOPIC: Topic = Topic::Batches;
pub const PARTITIONS: u32 = 6;

/// Something that must come is asked for so often.
pub const POLLS_MAX: usize = 600;
pub const WAIT_MS: u64 = 100;

/// A variable that `cargo xtask services start kafka` writes.
pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: see `cargo xtask services start kafka`"))
}

/// Settings with a prefix that no other test of any run has.
pub fn settings() -> KafkaSettings {
    static NTH: AtomicU32 = AtomicU32::new(0);
    let nth = NTH.fetch_add(1, Ordering::Relaxed);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let random = folder.path().file_name().expect("it has a name").to_string_lossy().replace('.', "");
    let mut settings = KafkaSettings::new(&variable("TOLLWAY_KAFKA"));
    settings.topic_prefix = format!("{random}-{nth}.");
    settings.session_wait_ms = 6_000;
    settings.poll_gap_max_ms = 60_000;
    settings
}

pub fn plans() -> [TopicPlan; 3] {
    TopicPlan::defaults(1).map(|plan| TopicPlan { partitions: PARTITIONS, ..plan })
}

/// A log whose topics are new.
pub fn fresh(settings: &KafkaSettings) -> KafkaLog {
    let made = topics::create(settings, &plans()).expect("the topics");
    assert!(made.iter().all(|(_, made)| *made == Made::Created));
    opened(settings)
}

/// The controller answers a little before the broker knows a new topic.
pub fn opened(settings: &KafkaSettings) -> KafkaLog {
    for _ in 0..POLLS_MAX {
        match KafkaLog::open(settings.clone()) {
            Err(LogError::Broker(BrokerError::NoTopic { .. })) => {}
            opened => return opened.expect("a log"),
        }
    }
    panic!("the new topics never came up");
}

pub fn at(partition: u32) -> TopicPartition {
    TopicPartition { topic: TOPIC, partition }
}

/// A reader that is alone and has its partitions.
pub fn sole_reader(log: &KafkaLog) -> KafkaReader {
    let mut reader = log.reader("rate", TOPIC).expect("a reader");
    for _ in 0..POLLS_MAX {
        if let LogEvent::Assigned(partitions) = reader.poll(WAIT_MS, 1).expect("a poll") {
            assert_eq!(partitions.len(), PARTITIONS as usize);
            return reader;
        }
    }
    panic!("no assignment came");
}

/// Polls until an error comes.
pub fn first_error(reader: &mut KafkaReader) -> LogError {
    (0..POLLS_MAX).find_map(|_| reader.poll(WAIT_MS, 1).err()).expect("an error was due")
}

/// Deletes the topics and waits until the broker knows of it.
pub fn delete_topics(log: &KafkaLog, settings: &KafkaSettings) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &settings.brokers).create().expect("a client");
    let names = Topic::ALL.map(|topic| settings.topic_name(topic));
    for result in block_on(admin.delete_topics(&names.each_ref().map(String::as_str), &AdminOptions::new())).expect("an answer") {
        result.expect("the topic is deleted");
    }
    for topic in Topic::ALL {
        let gone = (0..POLLS_MAX).find_map(|_| log.incarnation(topic).err()).expect("the topic goes");
        assert!(matches!(gone, LogError::Broker(BrokerError::NoTopic { .. })), "{gone:?}");
    }
}
