//! What can go wrong with a broker, told apart by what an operator does about it.

use domain::ports::Disposition;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use crate::log::{LogError, Topic, TopicPartition};

/// Why an operation on the broker failed.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// No broker answered in time, or the one that answered cannot serve yet.
    #[error("failed to {doing}: the brokers `{brokers}` do not answer or are not ready; it is tried again, see that they run")]
    Unavailable {
        /// What was being done.
        doing: &'static str,
        /// The brokers that were asked.
        brokers: String,
        /// What the client library said.
        #[source]
        source: KafkaError,
    },
    /// The broker does not allow it.
    #[error("failed to {doing}: the broker or its client refuses; mend the client properties or the permissions of this user")]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// What the client library said.
        #[source]
        source: KafkaError,
    },
    /// A topic is missing.
    #[error("topic `{topic}` does not exist on the broker, or this user may not see it; make it with `tollway topics create`")]
    NoTopic {
        /// Its name on the broker.
        topic: String,
    },
    /// More replicas are wanted than there are brokers.
    #[error(
        "topic `{topic}` was not made: `kafka.replication` is {wanted}, and {}; set `kafka.replication` to no more than the \
        brokers of the cluster, or start more brokers, and run `tollway topics create` again", how_many(*.brokers)
    )]
    Replication {
        /// Its name on the broker.
        topic: String,
        /// How many replicas were asked for.
        wanted: u32,
        /// How many brokers the cluster has, if it said so.
        brokers: Option<usize>,
    },
    /// The broker tells no lives of topics apart.
    #[error("the broker gives topic `{topic}` no id, so a recreated topic could not be told; use Apache Kafka 2.8 or newer")]
    NoTopicId {
        /// Its name on the broker.
        topic: String,
    },
    /// Records that were in the log are not there any more.
    #[error(
        "{partition} gave offset {found} where {expected} was due; records were lost or removed before they were read: \
        check retention and the brokers' disks, then start again, which announces from landing what has no verdict"
    )]
    RecordsLost {
        /// Of which partition.
        partition: TopicPartition,
        /// The offset that was due.
        expected: u64,
        /// The offset that came.
        found: u64,
    },
    /// The broker refused an offset and then held it again: its log was cut and has grown since.
    #[error(
        "a partition of {0} lost its end and has grown again; its records may not be the ones that were committed: \
        check the brokers' disks and `unclean.leader.election.enable`"
    )]
    Truncated(Topic),
    /// The topic was deleted and made anew while it was read.
    #[error("topic {topic} was deleted and made anew (id `{was}`, now `{is}`); start again, which reads the new one")]
    Recreated {
        /// Which topic.
        topic: Topic,
        /// Its id when the partition was started.
        was: String,
        /// Its id now.
        is: String,
    },
    /// A setting that is no number.
    #[error("kafka setting `{name}` is refused: {what}")]
    Setting {
        /// The setting or client property.
        name: String,
        /// What is wrong, and what is allowed.
        what: String,
    },
}

impl BrokerError {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Unavailable { .. } => Disposition::Retry,
            _ => Disposition::Stop,
        }
    }

    /// Sorts what the client library said into what an operator can do about it.
    pub(super) fn sort(doing: &'static str, brokers: &str, topic: Option<&str>, source: KafkaError) -> LogError {
        let sorted = match (code_of(&source), topic) {
            (Some(Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition), Some(topic)) => {
                Self::NoTopic { topic: topic.to_owned() }
            }
            (Some(code), _) if is_passing(code) => Self::Unavailable { doing, brokers: brokers.to_owned(), source },
            (None, _) if matches!(source, KafkaError::Canceled) => {
                Self::Unavailable { doing, brokers: brokers.to_owned(), source }
            }
            _ => Self::Refused { doing, source },
        };
        sorted.into()
    }
}

fn how_many(brokers: Option<usize>) -> String {
    match brokers {
        Some(1) => "the cluster has one broker".to_owned(),
        Some(count) => format!("the cluster has {count} brokers"),
        None => "the cluster has not enough brokers for that".to_owned(),
    }
}

/// What the client library said to something that was being done.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) doing: &'static str,
    pub(super) source: KafkaError,
}

impl Failure {
    pub(super) fn of(doing: &'static str) -> impl Fn(KafkaError) -> Self + Copy {
        move |source| Self { doing, source }
    }

    /// Sorts it into what an operator can do about it.
    pub(super) fn sorted(self, brokers: &str, topic: &str) -> LogError {
        BrokerError::sort(self.doing, brokers, Some(topic), self.source)
    }
}

/// The library's code of an error, if it has one.
pub(super) fn code_of(error: &KafkaError) -> Option<Code> {
    match error {
        KafkaError::AdminOp(code) => Some(*code),
        other => other.rdkafka_error_code(),
    }
}

/// Whether a broker may do the same a little later.
pub(super) fn is_passing(code: Code) -> bool {
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::MessageTimedOut
            | Code::TimedOutQueue
            | Code::QueueFull
            | Code::WaitingForCoordinator
            | Code::InProgress
            | Code::PreviousInProgress
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::BrokerNotAvailable
            | Code::ReplicaNotAvailable
            | Code::NetworkException
            | Code::CoordinatorLoadInProgress
            | Code::CoordinatorNotAvailable
            | Code::NotCoordinator
            | Code::NotController
            | Code::NotEnoughReplicas
            | Code::NotEnoughReplicasAfterAppend
            | Code::RebalanceInProgress
            | Code::UnknownMemberId
            | Code::IllegalGeneration
            | Code::KafkaStorageError
            | Code::UnstableOffsetCommit
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(source: KafkaError) -> LogError {
        BrokerError::sort("append a record", "here:9092", Some("t"), source)
    }

    #[test]
    fn what_passes_is_a_retry_and_what_does_not_is_a_stop() {
        for code in [Code::AllBrokersDown, Code::MessageTimedOut, Code::NotLeaderForPartition, Code::CoordinatorLoadInProgress] {
            let error = sorted(KafkaError::MessageProduction(code));
            assert_eq!(error.disposition(), Disposition::Retry, "{code}");
            assert!(error.to_string().contains("here:9092"), "{error}");
        }
        for code in [Code::TopicAuthorizationFailed, Code::SaslAuthenticationFailed, Code::MessageSizeTooLarge, Code::Fenced] {
            assert_eq!(sorted(KafkaError::MessageProduction(code)).disposition(), Disposition::Stop, "{code}");
        }
    }

    #[test]
    fn a_missing_topic_is_named_whichever_call_missed_it() {
        let asked = [
            KafkaError::AdminOp(Code::UnknownTopicOrPartition),
            KafkaError::MetadataFetch(Code::UnknownTopicOrPartition),
            KafkaError::MessageProduction(Code::UnknownTopic),
        ];
        for source in asked {
            let error = sorted(source);
            assert!(matches!(&error, LogError::Broker(BrokerError::NoTopic { topic }) if topic == "t"), "{error:?}");
        }
    }
}
