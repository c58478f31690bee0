//! Appending to the broker: one record, and back only when all replicas in step have it.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, NoCustomPartitioner, Producer, ProducerContext, ThreadedProducer};

use super::error::code_of;
use super::{BrokerError, KafkaSettings, LIFE_HEADER, Shared};
use crate::log::admission::{check_record, partition_of};
use crate::log::{LogError, LogWriter, Topic, TopicPartition};

const DOING: &str = "append a record";

/// The client library reports an append that runs out of time itself; this is for its report to arrive.
const REPORT_WAIT: Duration = Duration::from_secs(5);

/// The broker's word on one record.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    outcome: Mutex<Option<Result<i64, Code>>>,
    arrived: Condvar,
}

impl Delivery {
    fn arrive(&self, outcome: Result<i64, Code>) {
        *self.outcome.lock().expect("storing a result never panics") = Some(outcome);
        self.arrived.notify_all();
    }

    fn wait(&self, wait: Duration) -> Option<Result<i64, Code>> {
        let outcome = self.outcome.lock().expect("storing a result never panics");
        let (outcome, _) =
            self.arrived.wait_timeout_while(outcome, wait, |outcome| outcome.is_none()).expect("storing a result never panics");
        *outcome
    }
}

/// Takes the broker's words to the appends that wait for them.
#[derive(Debug)]
pub(super) struct Deliveries;

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Arc<Delivery>;

    fn delivery(&self, result: &DeliveryResult<'_>, delivery: Arc<Delivery>) {
        delivery.arrive(match result {
            Ok(message) => Ok(message.offset()),
            Err((error, _)) => Err(code_of(error).unwrap_or(Code::Unknown)),
        });
    }
}

/// A client that appends, shared by all writers of a log.
pub(super) type Appender = ThreadedProducer<Deliveries>;

pub(super) fn appender(settings: &KafkaSettings) -> Result<Appender, LogError> {
    ThreadedProducer::<Deliveries, NoCustomPartitioner>::from_config_and_context(&settings.producer(), Deliveries)
        .map_err(|error| BrokerError::sort("start a client", &settings.brokers, None, error))
}

/// Appends to the broker; see [`super::KafkaLog::writer`].
#[derive(Clone)]
pub struct KafkaWriter {
    pub(super) shared: Arc<Shared>,
}

impl fmt::Debug for KafkaWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaWriter").finish_non_exhaustive()
    }
}

impl LogWriter for KafkaWriter {
    /// Waits at most [`KafkaSettings::append_wait_ms`] and the few seconds that a report takes.
    fn append(&mut self, topic: Topic, key: &[u8], headers: &[(&str, &[u8])], payload: &[u8]) -> Result<(u32, u64), LogError> {
        check_record(topic, key, headers, payload)?;
        let shared = &self.shared;
        let known = shared.topic(topic);
        let partition = partition_of(key, known.partitions);
        let at = TopicPartition { topic, partition };
        let life = Header { key: LIFE_HEADER, value: Some(known.id.as_bytes()) };
        let first = OwnedHeaders::new_with_capacity(headers.len() + 1).insert(life);
        let headers = headers.iter().fold(first, |list, (name, value)| list.insert(Header { key: name, value: Some(*value) }));
        let delivery = Arc::new(Delivery::default());
        let record = BaseRecord::with_opaque_to(&known.name, Arc::clone(&delivery))
            .partition(i32::try_from(partition).map_err(|_| LogError::NoPartition(at))?)
            .key(key)
            .payload(payload)
            .headers(headers);
        let appender = shared.appender()?;
        let outcome = match appender.send(record) {
            Ok(()) => delivery.wait(Duration::from_millis(shared.settings.append_wait_ms) + REPORT_WAIT),
            Err((error, _)) => Some(Err(code_of(&error).unwrap_or(Code::Unknown))),
        };
        match outcome {
            Some(Ok(offset)) => Ok((partition, u64::try_from(offset).map_err(|_| LogError::Unacknowledged(at))?)),
            Some(Err(code)) => Err(self.failure(&appender, code, at)),
            None => Err(LogError::Unacknowledged(at)),
        }
    }
}

impl KafkaWriter {
    fn failure(&self, appender: &Appender, code: Code, at: TopicPartition) -> LogError {
        if appender.client().fatal_error().is_some() {
            // This client can append no more; the next append gets a new one.
            self.shared.drop_appender();
            return LogError::Unacknowledged(at);
        }
        match code {
            Code::MessageTimedOut | Code::PurgeQueue | Code::PurgeInflight | Code::BrokerTransportFailure | Code::Unknown => {
                LogError::Unacknowledged(at)
            }
            _ => {
                let name = &self.shared.topic(at.topic).name;
                BrokerError::sort(DOING, &self.shared.settings.brokers, Some(name), KafkaError::MessageProduction(code))
            }
        }
    }
}
