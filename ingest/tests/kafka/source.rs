//! A topic of somebody else's: gaps that mean nothing, offsets that are gone, and members that share it.

use std::time::Duration;

use ingest::live::{Event, EventSource, News};
use ingest::log::kafka::{KafkaLog, KafkaSettings, KafkaSource};
use ingest::log::{LogWriter, TopicPartition};
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::support::{PARTITIONS, POLLS_MAX, TOPIC, WAIT_MS, fresh, settings};

const WAIT: Duration = Duration::from_secs(30);

fn joined(settings: &KafkaSettings) -> KafkaSource {
    KafkaSource::join(settings.clone(), "listen", &settings.topic_name(TOPIC)).expect("the topic is there")
}

/// Starts what is assigned from its beginning, and gathers events until so many are there.
fn gathered(source: &mut KafkaSource, count: usize) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..POLLS_MAX {
        match source.poll(WAIT_MS, 100).expect("a poll") {
            News::Assigned(partitions) => {
                for partition in partitions {
                    source.start_at(partition, 0).expect("the beginning");
                }
            }
            News::Events(more) => events.extend(more),
            _ => {}
        }
        if events.len() >= count {
            return events;
        }
    }
    panic!("{} of {count} events came", events.len());
}

#[test]
fn only_committed_events_come_and_the_marks_between_them_are_no_loss() {
    let settings = settings();
    drop(fresh(&settings));
    let topic = settings.topic_name(TOPIC);
    let mut client = ClientConfig::new();
    client.set("bootstrap.servers", &settings.brokers).set("transactional.id", &settings.topic_prefix);
    let producer: BaseProducer = client.create().expect("a producer");
    producer.init_transactions(WAIT).expect("a coordinator");
    for (value, commits) in [("a", true), ("aborted", false), ("b", true), ("c", true)] {
        producer.begin_transaction().expect("a transaction");
        producer.send(BaseRecord::<(), str>::to(&topic).partition(2).payload(value)).expect("room");
        producer.flush(WAIT).expect("it is written");
        if commits {
            producer.commit_transaction(WAIT).expect("committed");
        } else {
            producer.abort_transaction(WAIT).expect("aborted");
        }
    }
    let mut source = joined(&settings);
    let seen: Vec<_> = gathered(&mut source, 3).into_iter().map(|e| (e.partition, e.offset, e.value)).collect();
    assert_eq!(seen, [(2, 0, b"a".to_vec()), (2, 4, b"b".to_vec()), (2, 6, b"c".to_vec())]);
    let ended = (0..POLLS_MAX).any(|_| source.poll(WAIT_MS, 1).expect("a poll") == News::End(2));
    assert!(ended, "the end behind a mark is told");
    source.start_at(2, 3).expect("a move back");
    let again: Vec<u64> = gathered(&mut source, 2).into_iter().map(|event| event.offset).collect();
    assert_eq!(again, [4, 6]);
}

#[test]
fn an_offset_that_is_gone_is_refused_aloud() {
    let settings = settings();
    let log: KafkaLog = fresh(&settings);
    let mut writer = log.writer();
    let (partition, _) = writer.append(TOPIC, b"k", &[], b"one").expect("an append");
    writer.append(TOPIC, b"k", &[], b"two").expect("an append");
    let mut source = joined(&settings);
    let assigned = (0..POLLS_MAX).any(|_| matches!(source.poll(WAIT_MS, 1), Ok(News::Assigned(p)) if p.contains(&partition)));
    assert!(assigned, "it is alone in its group");
    log.trim(TopicPartition { topic: TOPIC, partition }, 1).expect("records are removed");
    source.start_at(partition, 0).expect("the client does not know yet");
    let refused = (0..POLLS_MAX).any(|_| source.poll(WAIT_MS, 1).expect("a poll") == News::Refused);
    assert!(refused, "nothing was said of the lost event");
    assert_eq!(source.watermarks(partition).expect("watermarks").low, 1);
}

#[test]
fn members_share_the_partitions_and_give_up_what_is_taken_away() {
    let settings = settings();
    let _log = fresh(&settings);
    let mut first = joined(&settings);
    let mut owned = 0;
    let mut second = None;
    for _ in 0..POLLS_MAX {
        match first.poll(WAIT_MS, 1).expect("a poll") {
            News::Assigned(partitions) => {
                for partition in &partitions {
                    first.start_at(*partition, 0).expect("the beginning");
                }
                owned += partitions.len();
            }
            News::Revoked(partitions) => owned -= partitions.len(),
            _ => {}
        }
        if second.is_none() && owned == PARTITIONS as usize {
            second = Some(joined(&settings));
        }
        if let Some(second) = &mut second {
            second.poll(1, 1).expect("a poll");
            if owned == PARTITIONS as usize / 2 {
                return;
            }
        }
    }
    panic!("the second member got nothing, the first has {owned}");
}
