//! What can go wrong between landing and table, and what to do about it.

use domain::delivery::{ArrivalNumber, DeliveryId};
use domain::invariant::Violation;
use domain::ports::{BlobError, Disposition};
use ingest::land::LandError;
use ingest::live::LiveError;
use ingest::log::{LogError, TopicPartition};
use ingest::profile::ProfileError;
use sinks::commit::CommitError;

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Landing.
    #[error(transparent)]
    Land(#[from] LandError),
    /// A live source.
    #[error(transparent)]
    Live(Box<LiveError>),
    /// An object.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The commit.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A landed profile does not load any more.
    #[error("arrival {arrival} was landed with a profile that does not load")]
    Profile {
        /// The arrival.
        arrival: ArrivalNumber,
        /// Why.
        #[source]
        source: Box<ProfileError>,
    },
    /// A file that split has accepted has no header that the profile understands: the object or the profile was changed.
    #[error("the header of arrival {0} is not what it was when it was split; run `tollway check`")]
    Header(ArrivalNumber),
    /// A record on a topic is not what belongs there.
    #[error("record {offset} of {partition} cannot be understood: {what}")]
    Message {
        /// The partition.
        partition: TopicPartition,
        /// The record.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// A record speaks of a file that this landing does not have: another installation writes the same topics.
    #[error(
        "the log speaks of delivery {delivery} as arrival {arrival}, which landing does not have; another installation uses the same \
        log: give each a `kafka.topic_prefix` or a data folder of its own"
    )]
    Foreign {
        /// The arrival that it names.
        arrival: ArrivalNumber,
        /// The delivery that it means.
        delivery: Box<DeliveryId>,
    },
    /// Rows of the table are of a delivery that landing does not have: landing was cut, or it is another's.
    #[error(
        "the table holds rows of delivery {0}, which landing does not know, so they cannot be corrected; restore the folder \
        `landing` from a backup, then run again"
    )]
    NotLanded(Box<DeliveryId>),
    /// The table stands beyond the end of the log: the log was lost or made anew.
    #[error(
        "the table stands at {position} of {partition}, but the log ends at {high}; restore the log, or delete it whole to rebuild it from landing"
    )]
    LogLost {
        /// The partition.
        partition: TopicPartition,
        /// The table's position.
        position: u64,
        /// The log's end.
        high: u64,
    },
    /// Reference data could not be loaded.
    #[error("failed to load reference data: {0}")]
    Reference(String),
    /// Other processes that work on the same log have made no progress.
    #[error(
        "{files} files or corrections have landed and are not done; other processes work on this log and have got no further for \
        {seconds} s: see what they log, and `tollway status`"
    )]
    Stalled {
        /// Files without a verdict, and corrections that have not acted.
        files: usize,
        /// For how long.
        seconds: u64,
    },
    /// A thread of the flow panicked: a bug.
    #[error("{0} panicked: this is a bug; nothing half-done is visible, start again")]
    Panicked(String),
    /// An invariant did not hold; the partition stops.
    #[error(transparent)]
    Violation(#[from] Violation),
}

impl From<LiveError> for PipelineError {
    fn from(error: LiveError) -> Self {
        Self::Live(Box::new(error))
    }
}

impl PipelineError {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Log(e) => e.disposition(),
            Self::Land(e) => e.disposition(),
            Self::Live(e) => e.disposition(),
            Self::Blob(e) => e.disposition(),
            Self::Commit(e) => e.disposition(),
            Self::Reference(_) => Disposition::Retry,
            Self::Profile { .. }
            | Self::Header(_)
            | Self::Message { .. }
            | Self::Foreign { .. }
            | Self::NotLanded(_)
            | Self::LogLost { .. }
            | Self::Stalled { .. }
            | Self::Panicked(_)
            | Self::Violation(_) => Disposition::Stop,
        }
    }
}
