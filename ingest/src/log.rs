//! The log between landing and rating: topics of small records in partitions, behind one trait for all brokers.
//!
//! The contract (tested by [`contract`] over every adapter): an append that returned is durable and keeps its offset for
//! ever; offsets of a partition rise by one; records of one key go to one partition, in the order of their appends; a
//! reader sees them in that order from the offset it asked for; an offset below the low watermark or above the high one is
//! an error, never a silent skip. The log keeps no positions that correctness rests on: those are in the table's commits.
//! An append that failed may or may not be in the log: writers repeat it, readers tolerate the copy.

use std::fmt;

pub mod admission;
pub mod contract;
mod cursors;
pub mod embedded;
mod error;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod memory;

pub use error::LogError;

/// The topics of the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// One notice per delivery, keyed by account.
    Files,
    /// Claim checks: byte ranges of deliveries, keyed by account.
    Batches,
    /// Records of the others that could not be understood, as they were.
    DeadLetters,
}

impl Topic {
    /// All, in flow order.
    pub const ALL: [Self; 3] = [Self::Files, Self::Batches, Self::DeadLetters];

    /// Partitions of the topic of dead letters: they are few, and read in one order.
    pub const DEAD_LETTER_PARTITIONS: u32 = 1;

    /// The name on the broker.
    pub fn name(self) -> &'static str {
        match self {
            Self::Files => "tollway.cdr.files.v1",
            Self::Batches => "tollway.cdr.batches.v1",
            Self::DeadLetters => "tollway.cdr.files.dlq.v1",
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A partition of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    /// The topic.
    pub topic: Topic,
    /// From 0.
    pub partition: u32,
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}

/// The life of a topic: changes when it is deleted and made anew, so that old positions are not taken for new ones.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Incarnation(pub String);

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place in the partition.
    pub offset: u64,
    /// What decides the partition.
    pub key: Vec<u8>,
    /// Names and values beside the payload.
    pub headers: Vec<(String, Vec<u8>)>,
    /// At most [`RECORD_BYTES_MAX`].
    pub payload: Vec<u8>,
    /// When it was appended, microseconds since 1970 UTC.
    pub appended_us: i64,
}

/// Largest payload: claim checks are below 1 kB, so this leaves room without needing a broker's special settings.
pub const RECORD_BYTES_MAX: usize = 512 * 1024;

/// First offset that can be read, and the offset that the next append gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermarks {
    /// First readable offset.
    pub low: u64,
    /// Next offset.
    pub high: u64,
}

/// A log as a program has opened it, wherever it lies.
pub trait Log: fmt::Debug + Send + Sync {
    /// A handle that appends.
    fn writer(&self) -> Box<dyn LogWriter>;

    /// A member of a group of readers. `member` (from 0) of `members` is what this process knows of the group; a log that
    /// shares partitions out among processes does so by itself.
    fn reader(&self, group: &str, topic: Topic, member: u32, members: u32) -> Result<Box<dyn LogReader>, LogError>;

    /// How many partitions a topic has, for ever.
    fn partitions(&self, topic: Topic) -> u32;

    /// First readable and next offset of a partition.
    fn watermarks(&self, partition: TopicPartition) -> Result<Watermarks, LogError>;

    /// The topic's present life.
    fn incarnation(&self, topic: Topic) -> Result<Incarnation, LogError>;

    /// Says that nobody needs the records below `below` any more. When they go is for the log's retention to say.
    fn let_go(&self, partition: TopicPartition, below: u64) -> Result<(), LogError>;

    /// Whether other processes may work on it at the same time.
    fn is_shared(&self) -> bool;
}

/// Appends records. Cloned handles share one log.
pub trait LogWriter: Send {
    /// Appends to the partition of the key and returns where; when it returns, the record survives kill -9 (and, by the
    /// adapter's durability setting, power loss).
    fn append(&mut self, topic: Topic, key: &[u8], headers: &[(&str, &[u8])], payload: &[u8]) -> Result<(u32, u64), LogError>;
}

/// What a reader learns from one poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogEvent {
    /// The partitions that are ours from now on; each wants a [`LogReader::start_at`] before it gives records.
    Assigned(Vec<TopicPartition>),
    /// Partitions that are no longer ours: drop what is not committed. Positions in the table fence whoever does not.
    Revoked(Vec<TopicPartition>),
    /// Records of one partition, in order.
    Records(TopicPartition, Vec<Record>),
    /// Nothing to read at present.
    Idle,
}

/// Reads the partitions that a group gives to this member.
pub trait LogReader: Send {
    /// The next event; waits at most `wait_ms`. Records come in runs of at most `records_max`.
    fn poll(&mut self, wait_ms: u64, records_max: usize) -> Result<LogEvent, LogError>;

    /// From which offset an assigned partition is read. An offset outside the watermarks is an error.
    fn start_at(&mut self, partition: TopicPartition, offset: u64) -> Result<(), LogError>;

    /// Stops the records of a partition until [`LogReader::resume`]: back-pressure without leaving the group.
    fn pause(&mut self, partition: TopicPartition);

    /// Undoes [`LogReader::pause`].
    fn resume(&mut self, partition: TopicPartition);

    /// The watermarks of a partition.
    fn watermarks(&mut self, partition: TopicPartition) -> Result<Watermarks, LogError>;

    /// The upper watermark as the reader last heard of it, for lag figures: nobody far away is asked. `None`: not yet.
    fn heard_high(&mut self, partition: TopicPartition) -> Option<u64> {
        self.watermarks(partition).ok().map(|marks| marks.high)
    }

    /// The topic's present life.
    fn incarnation(&mut self, topic: Topic) -> Result<Incarnation, LogError>;

    /// Notes how far the group got, for lag figures and for `files.v1`; correctness never rests on it.
    fn note_progress(&mut self, partition: TopicPartition, next_offset: u64) -> Result<(), LogError>;

    /// What was last noted for a partition.
    fn noted_progress(&mut self, partition: TopicPartition) -> Result<Option<u64>, LogError>;
}

impl<W: LogWriter + ?Sized> LogWriter for Box<W> {
    fn append(&mut self, topic: Topic, key: &[u8], headers: &[(&str, &[u8])], payload: &[u8]) -> Result<(u32, u64), LogError> {
        (**self).append(topic, key, headers, payload)
    }
}

impl<R: LogReader + ?Sized> LogReader for Box<R> {
    fn poll(&mut self, wait_ms: u64, records_max: usize) -> Result<LogEvent, LogError> {
        (**self).poll(wait_ms, records_max)
    }

    fn start_at(&mut self, partition: TopicPartition, offset: u64) -> Result<(), LogError> {
        (**self).start_at(partition, offset)
    }

    fn pause(&mut self, partition: TopicPartition) {
        (**self).pause(partition);
    }

    fn resume(&mut self, partition: TopicPartition) {
        (**self).resume(partition);
    }

    fn watermarks(&mut self, partition: TopicPartition) -> Result<Watermarks, LogError> {
        (**self).watermarks(partition)
    }

    fn heard_high(&mut self, partition: TopicPartition) -> Option<u64> {
        (**self).heard_high(partition)
    }

    fn incarnation(&mut self, topic: Topic) -> Result<Incarnation, LogError> {
        (**self).incarnation(topic)
    }

    fn note_progress(&mut self, partition: TopicPartition, next_offset: u64) -> Result<(), LogError> {
        (**self).note_progress(partition, next_offset)
    }

    fn noted_progress(&mut self, partition: TopicPartition) -> Result<Option<u64>, LogError> {
        (**self).noted_progress(partition)
    }
}
