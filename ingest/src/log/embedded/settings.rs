//! What an operator may choose about the embedded log.

use std::fmt;
use std::sync::Arc;

use domain::ports::Clock;

use crate::log::{LogError, Topic};

/// When appended records are forced to the disk. A killed process loses nothing under any of them; they differ in what a
/// power cut may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fsync {
    /// Before the append returns: nothing that was acknowledged.
    Always,
    /// A little later.
    Interval {
        /// At most this many milliseconds, 1 to 60,000.
        every_ms: u64,
    },
    /// When the operating system likes; the log may then have to be made anew and filled from landing.
    Never,
}

/// How much is kept of what is no longer needed. Trimming removes whole segments; a segment goes when the partition is over
/// `bytes_max` or the segment's newest record is older than `age_us_max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Bytes of a partition.
    pub bytes_max: u64,
    /// Age in microseconds.
    pub age_us_max: i64,
}

impl Retention {
    /// Nothing is kept longer than needed.
    pub const NONE: Self = Self { bytes_max: 0, age_us_max: 0 };
}

/// The embedded log's settings.
#[derive(Clone)]
pub struct LogSettings {
    /// Partitions of `tollway.cdr.files.v1`, 1 to 1,024. Only used when the log is made: an existing log keeps its own.
    pub files_partitions: u32,
    /// Partitions of `tollway.cdr.batches.v1`, 1 to 1,024. Only used when the log is made: an existing log keeps its own.
    pub batches_partitions: u32,
    /// Size at which a new segment begins, 4 KiB to 1 GiB.
    pub segment_bytes_max: u64,
    /// When records are forced to the disk.
    pub fsync: Fsync,
    /// How much is kept of what is no longer needed.
    pub retention: Retention,
    /// Stamps records.
    pub clock: Arc<dyn Clock>,
}

impl LogSettings {
    /// The defaults. A claim check is about 0.5 kB for some 4 MB of records: a segment of 16 MiB announces 130 GB.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            files_partitions: 4,
            batches_partitions: 8,
            segment_bytes_max: 16 * 1024 * 1024,
            fsync: Fsync::Always,
            retention: Retention { bytes_max: 64 * 1024 * 1024, age_us_max: 7 * 86_400_000_000 },
            clock,
        }
    }

    /// Partitions of a topic when the log is made.
    pub(super) fn partitions(&self, topic: Topic) -> u32 {
        match topic {
            Topic::Files => self.files_partitions,
            Topic::Batches => self.batches_partitions,
            Topic::DeadLetters => Topic::DEAD_LETTER_PARTITIONS,
        }
    }

    pub(super) fn check(&self) -> Result<(), LogError> {
        let within = |name, value, range: std::ops::RangeInclusive<u64>, text| {
            if range.contains(&value) { Ok(()) } else { Err(LogError::Setting { name, value, range: text }) }
        };
        within("files_partitions", self.files_partitions.into(), 1..=1024, "1 to 1024")?;
        within("batches_partitions", self.batches_partitions.into(), 1..=1024, "1 to 1024")?;
        within("segment_bytes_max", self.segment_bytes_max, 4096..=1 << 30, "4096 to 1073741824")?;
        match self.fsync {
            Fsync::Interval { every_ms } => within("fsync_every_ms", every_ms, 1..=60_000, "1 to 60000"),
            Fsync::Always | Fsync::Never => Ok(()),
        }
    }
}

impl fmt::Debug for LogSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogSettings")
            .field("files_partitions", &self.files_partitions)
            .field("batches_partitions", &self.batches_partitions)
            .field("segment_bytes_max", &self.segment_bytes_max)
            .field("fsync", &self.fsync)
            .field("retention", &self.retention)
            .finish_non_exhaustive()
    }
}
