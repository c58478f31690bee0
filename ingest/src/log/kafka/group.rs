//! What the group tells this member, kept until the reader's next turn.
//!
//! The client library asks for an answer to every change and waits for it, as does the group. The answer is given by the
//! reader: to an assignment at once, to a revocation with the poll after the one that reported it.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, TopicPartitionList};

/// A change of the partitions that are ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Assigned(Vec<u32>),
    Revoked(Vec<u32>),
}

/// The changes that the reader has not answered yet, oldest first.
#[derive(Debug, Default)]
pub(super) struct Membership {
    changes: Mutex<VecDeque<Change>>,
    is_leaving: AtomicBool,
}

impl Membership {
    pub(super) fn next(&self) -> Option<Change> {
        self.changes.lock().expect("queueing never panics").pop_front()
    }

    pub(super) fn has_changes(&self) -> bool {
        !self.changes.lock().expect("queueing never panics").is_empty()
    }

    /// From now on nobody polls: changes are answered as they come.
    pub(super) fn leave(&self) {
        self.is_leaving.store(true, Ordering::Relaxed);
    }
}

impl ClientContext for Membership {
    fn error(&self, error: KafkaError, reason: &str) {
        // The end of a partition is asked for, and no error.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::PartitionEOF) {
            tracing::warn!(target: "librdkafka", cause = %error, "{reason}");
        }
    }
}

impl ConsumerContext for Membership {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, error: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        if self.is_leaving.load(Ordering::Relaxed) {
            // While a client closes, any answer gives up everything; there is nobody left to hear of a failure.
            let _ = consumer.incremental_unassign(partitions);
            return;
        }
        let numbers = partitions.elements().iter().filter_map(|p| u32::try_from(p.partition()).ok()).collect();
        let change = match error {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Change::Assigned(numbers),
            _ => Change::Revoked(numbers),
        };
        self.changes.lock().expect("queueing never panics").push_back(change);
    }
}
