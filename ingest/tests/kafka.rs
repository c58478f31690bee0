//! The log on a real Apache Kafka: the contract of all logs, and what only a broker can do to a reader.
//!
//! `cargo xtask services start kafka`, then with the variables of `services.env` in the environment
//! `cargo test -p ingest --features kafka --test kafka`. Without them it fails: nothing is proved without a broker.

#[path = "kafka/outage.rs"]
mod outage;
#[path = "kafka/rebalance.rs"]
mod rebalance;
#[path = "kafka/source.rs"]
mod source;
#[path = "kafka/support.rs"]
mod support;

use std::collections::BTreeMap;

use domain::ports::Disposition;
use ingest::log::contract::{self, LogUnderTest};
use ingest::log::kafka::topics::{self, Made, TopicPlan};
use ingest::log::kafka::{BrokerError, KafkaLog, KafkaSettings};
use ingest::log::{LogError, LogEvent, LogReader, LogWriter, Topic, TopicPartition};
use support::{
    PARTITIONS, POLLS_MAX, TOPIC, WAIT_MS, at, delete_topics, first_error, fresh, opened, plans, settings, sole_reader,
};

struct UnderTest {
    settings: KafkaSettings,
    log: KafkaLog,
}

impl LogUnderTest for UnderTest {
    fn writer(&self) -> Box<dyn LogWriter> {
        Box::new(self.log.writer())
    }

    fn reader(&self, group: &str, topic: Topic, _member: u32, _members: u32) -> Box<dyn LogReader> {
        Box::new(self.log.reader(group, topic).expect("a reader"))
    }

    fn partitions(&self, topic: Topic) -> u32 {
        self.log.partitions(topic)
    }

    fn crash(&mut self) {
        self.log = opened(&self.settings);
    }

    fn trim(&mut self, partition: TopicPartition, below: u64) -> bool {
        assert_eq!(self.log.trim(partition, below).expect("records are removed"), below);
        true
    }
}

#[test]
fn keeps_the_contract() {
    contract::run(&mut || {
        let settings = settings();
        let log = fresh(&settings);
        Box::new(UnderTest { settings, log })
    });
}

#[test]
fn a_position_below_the_low_watermark_is_an_error_at_the_start_and_while_reading() {
    let log = fresh(&settings());
    let mut writer = log.writer();
    let (partition, _) = writer.append(TOPIC, b"k", &[], b"one").expect("an append");
    writer.append(TOPIC, b"k", &[], b"two").expect("an append");
    writer.append(TOPIC, b"k", &[], b"three").expect("an append");
    let mut reader = sole_reader(&log);
    // Started and not yet fetched when its records go.
    reader.start_at(at(partition), 0).expect("it is there");
    log.trim(at(partition), 2).expect("records are removed");
    let lost = first_error(&mut reader);
    assert!(matches!(lost, LogError::OutOfRange { offset: 0, low: 2, high: 3, .. }), "{lost:?}");
    assert_eq!(lost.disposition(), Disposition::Stop);
    let refused = reader.start_at(at(partition), 1).expect_err("it is gone");
    assert!(matches!(refused, LogError::OutOfRange { offset: 1, low: 2, high: 3, .. }), "{refused:?}");
}

#[test]
fn a_recreated_topic_is_another_one() {
    let settings = settings();
    let log = fresh(&settings);
    log.writer().append(TOPIC, b"k", &[], b"x").expect("an append");
    let before = log.incarnation(TOPIC).expect("an id");
    assert_eq!(before.0.len(), 22, "a topic id as Kafka's tools print it: {}", before.0);
    assert_eq!(opened(&settings).incarnation(TOPIC).expect("an id"), before);
    delete_topics(&log, &settings);
    let anew = fresh(&settings);
    assert_ne!(anew.incarnation(TOPIC).expect("an id"), before);
    let mut reader = sole_reader(&anew);
    for partition in 0..PARTITIONS {
        let old = reader.start_at(at(partition), 1).expect_err("the old position");
        assert!(matches!(old, LogError::OutOfRange { high: 0, .. }), "{old:?}");
    }
}

#[test]
fn a_reader_takes_no_record_of_a_new_topic_for_one_of_the_old() {
    let settings = settings();
    let log = fresh(&settings);
    let (partition, _) = log.writer().append(TOPIC, b"k", &[], b"old").expect("an append");
    let mut reader = sole_reader(&log);
    reader.start_at(at(partition), 0).expect("the beginning");
    delete_topics(&log, &settings);
    let anew = fresh(&settings);
    for text in ["new", "newer", "newest"] {
        anew.writer().append(TOPIC, b"k", &[], text.as_bytes()).expect("an append");
    }
    for _ in 0..POLLS_MAX {
        match reader.poll(WAIT_MS, 10) {
            Ok(LogEvent::Records(_, records)) => assert!(records.iter().all(|r| r.payload == b"old"), "{records:?}"),
            // The group may revoke the partition first: then there is nothing left to mistake.
            Ok(LogEvent::Revoked(_)) => return,
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.disposition(), Disposition::Stop, "{error}");
                return;
            }
        }
    }
    panic!("the reader never noticed");
}

#[test]
fn a_missing_topic_and_differing_topics_are_named_with_what_to_do() {
    let settings = settings();
    let missing = KafkaLog::open(settings.clone()).expect_err("there is nothing");
    assert!(missing.to_string().contains("tollway topics create"), "{missing}");
    let found = topics::check(&settings, &plans()).expect("a look");
    assert_eq!(found.iter().map(|difference| difference.what).collect::<Vec<_>>(), ["topic"; 3]);
    fresh(&settings);
    assert_eq!(topics::check(&settings, &plans()).expect("a look"), [], "what is made as planned fits the plan");
    let made = topics::create(&settings, &plans()).expect("a second time");
    assert!(made.iter().all(|(_, made)| *made == Made::Existed));
    let longer = plans().map(|plan| TopicPlan { partitions: 7, retention_ms: 30 * 86_400_000, ..plan });
    let found = topics::check(&settings, &longer).expect("a look");
    let what: Vec<&str> = found.iter().map(|difference| difference.what).collect();
    assert_eq!(what, ["partitions", "retention.ms"].repeat(3));
    assert!(found[1].to_string().contains("retention.ms=2592000000"), "{}", found[1]);
}

#[test]
fn a_topic_of_more_replicas_than_brokers_is_refused() {
    let plans = TopicPlan::defaults(3);
    let refused = topics::create(&settings(), &plans).expect_err("there is one broker");
    let LogError::Broker(BrokerError::Replication { wanted, brokers, .. }) = &refused else { panic!("{refused:?}") };
    assert_eq!((*wanted, *brokers), (3, Some(1)));
    assert!(refused.to_string().contains("`kafka.replication` is 3, and the cluster has one broker; set"), "{refused}");
}

#[test]
fn a_paused_partition_gives_nothing_and_the_others_go_on() {
    const RECORDS: u64 = 300;
    let log = fresh(&settings());
    let mut writer = log.writer();
    let mut written: BTreeMap<u32, u64> = BTreeMap::new();
    for n in 0..RECORDS {
        let (partition, offset) = writer.append(TOPIC, format!("k{n}").as_bytes(), &[], &[7; 1000]).expect("an append");
        written.insert(partition, offset + 1);
    }
    let mut reader = sole_reader(&log);
    for partition in 0..PARTITIONS {
        reader.start_at(at(partition), 0).expect("the beginning");
    }
    let mut next: BTreeMap<u32, u64> = BTreeMap::new();
    let mut paused: Option<u32> = None;
    let mut turns = 0;
    while next.values().sum::<u64>() < RECORDS {
        turns += 1;
        assert!(turns < POLLS_MAX, "all records come: {next:?}");
        match reader.poll(WAIT_MS, 3).expect("a poll") {
            LogEvent::Records(TopicPartition { partition, .. }, records) => {
                assert_ne!(Some(partition), paused, "a paused partition gives nothing");
                for record in records {
                    assert_eq!(record.offset, *next.entry(partition).or_default());
                    next.insert(partition, record.offset + 1);
                }
                // Another partition is stopped after each run, and the one before goes on where it stood.
                if let Some(before) = paused.replace(partition) {
                    reader.resume(at(before));
                }
                reader.pause(at(partition));
            }
            _ => {
                if let Some(before) = paused.take() {
                    reader.resume(at(before));
                }
            }
        }
    }
    assert_eq!(next, written);
}
