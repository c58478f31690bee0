//! What can go wrong with the log, each with the place and what to do.

use std::io;
use std::path::{Path, PathBuf};

use domain::ports::Disposition;

use super::{Topic, TopicPartition};

/// Why a log operation failed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Another process writes this log.
    #[error("log folder `{folder}` is being written by {holder}; stop it first, or use a reading command, which works beside it",
        folder = folder.display(), holder = holder_name(*pid))]
    Locked {
        /// The log's folder.
        folder: PathBuf,
        /// The process that holds the lock, if its file tells.
        pid: Option<u32>,
    },
    /// Acknowledged bytes are not what was written.
    #[error("log file `{file}` is damaged at byte {byte}: {what}; restore it from a copy, or move the log folder away and start \
        again: a new log is filled from landing with every delivery that is not yet rated", file = file.display())]
    Corrupt {
        /// The damaged file.
        file: PathBuf,
        /// Where the first damaged record begins.
        byte: u64,
        /// What does not fit.
        what: String,
    },
    /// The folder was written by a newer program.
    #[error("log file `{file}` has format {found}, this program reads up to {known}; use the newer program",
        file = file.display())]
    Newer {
        /// The file that says so.
        file: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this program reads.
        known: u32,
    },
    /// There is no log in the folder.
    #[error("folder `{}` holds no log; `tollway ingest` or `tollway run` makes one", .0.display())]
    NoLog(PathBuf),
    /// A position that the log does not hold.
    #[error(
        "offset {offset} of {partition} is outside of what the log holds ({low} to {high}); a position above says that the \
        log lost its end or is another one, a position below that it was trimmed too far: check the data folder"
    )]
    OutOfRange {
        /// Of which partition.
        partition: TopicPartition,
        /// The offset that was asked for.
        offset: u64,
        /// First readable offset.
        low: u64,
        /// Next offset.
        high: u64,
    },
    /// The partition is not assigned to this reader.
    #[error("{0} is not assigned to this reader; wait for its assignment")]
    NotAssigned(TopicPartition),
    /// The topic has no such partition.
    #[error("{0} does not exist in this log")]
    NoPartition(TopicPartition),
    /// A part of a record is over its limit.
    #[error("the {part} of a record for {topic} has {bytes} bytes, the limit is {max}; announce smaller ranges")]
    TooLarge {
        /// For which topic.
        topic: Topic,
        /// `payload`, `key` or `headers`.
        part: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// A setting outside its range.
    #[error("log setting `{name}` is {value}, it must be {range}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: u64,
        /// What is allowed.
        range: &'static str,
    },
    /// A group's name that cannot be a file's name, or a member that its group does not have.
    #[error("reader group `{group}` is refused: {what}")]
    Group {
        /// The group.
        group: String,
        /// What is wrong.
        what: String,
    },
    /// The handle was opened for reading.
    #[error("log folder `{}` was opened for reading only", .0.display())]
    ReadOnly(PathBuf),
    /// The record may or may not be in the log.
    #[error("the append to {0} was not acknowledged; it may have happened, repeat it")]
    Unacknowledged(TopicPartition),
    /// An earlier write failed in a way that leaves the file's end unknown.
    #[error("{partition} takes no more records since a write to `{file}` failed; see to the disk and start again, which checks \
        the file", file = file.display())]
    Stopped {
        /// Which partition.
        partition: TopicPartition,
        /// Its active file.
        file: PathBuf,
    },
    /// No space left.
    #[error("no space left for log file `{}`; nothing was acknowledged, free space and run again", .0.display())]
    Full(PathBuf),
    /// The file system refuses this process.
    #[error("no permission for log file `{}`; check owner and mode of the data folder, and that it is not read-only", .0.display())]
    Denied(PathBuf),
    /// Anything else the file system said.
    #[error("failed to access log file `{file}`", file = file.display())]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// What a broker or its client library said.
    #[cfg(feature = "kafka")]
    #[error(transparent)]
    Broker(#[from] super::kafka::BrokerError),
}

impl LogError {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Unacknowledged(_) => Disposition::Retry,
            Self::Locked { .. } | Self::Full(_) => Disposition::NextRun,
            #[cfg(feature = "kafka")]
            Self::Broker(broker) => broker.disposition(),
            _ => Disposition::Stop,
        }
    }

    /// Sorts an I/O error into the causes that are told apart.
    pub(super) fn io(file: &Path, source: io::Error) -> Self {
        use io::ErrorKind;
        let file = file.to_owned();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Self::Full(file),
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::Denied(file),
            _ => Self::Io { file, source },
        }
    }
}

fn holder_name(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}
