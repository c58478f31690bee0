//! What can go wrong in landing, each with the file and what to do.

use std::io;
use std::path::PathBuf;

use domain::delivery::ArrivalNumber;
use domain::ports::{BlobError, Disposition};

use crate::unwrap::Problem;

/// Why something was not landed or not found there.
#[derive(Debug, thiserror::Error)]
pub enum LandError {
    /// There is nothing under a path that was named.
    #[error("`{path}` does not exist; check the path", path = .0.display())]
    NoSuchPath(PathBuf),
    /// A folder or file that was named cannot be read.
    #[error("failed to read `{path}`", path = path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// More files or deeper folders than the limit.
    #[error("`{path}` holds {what}; name its sub-folders one by one, or raise the limit", path = path.display())]
    TooMany {
        /// Where the limit was met.
        path: PathBuf,
        /// What there is too much of.
        what: String,
    },
    /// The file could not be read to its end.
    #[error("failed to read `{file}`; nothing of it was landed")]
    Source {
        /// The file.
        file: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The file is over the limit.
    #[error(
        "`{file}` has more than {bytes_max} bytes; nothing of it was landed: check that it is the right file, or raise the limit"
    )]
    TooLarge {
        /// The file.
        file: String,
        /// The limit.
        bytes_max: u64,
    },
    /// The file, or a member of it, cannot be unwrapped.
    #[error("`{file}` was not unwrapped: {problem}")]
    Wrapped {
        /// The file and the way to the member: `archive.zip!member.csv`.
        file: String,
        /// What is wrong with it.
        problem: Problem,
    },
    /// What was said about the file cannot be kept.
    #[error("`{file}` cannot be landed: {what}")]
    Request {
        /// The file.
        file: String,
        /// What is wrong.
        what: String,
    },
    /// The bytes act, so they cannot take the place of another file, too.
    #[error(
        "`{file}` is arrival {number}, which counts already: nothing was landed; if the other file is not wanted beside it, \
        `tollway withdraw` that one"
    )]
    Acts {
        /// The file.
        file: String,
        /// The arrival that it is.
        number: ArrivalNumber,
    },
    /// Others took every number first.
    #[error("`{file}` got no arrival number in {attempts} attempts, because others landed at the same time; run again")]
    Busy {
        /// The file.
        file: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// It was to arrive in one record with others, or behind them.
    #[error("`{file}` was to arrive together with `{first}`, which failed; it is not known to have arrived, run again")]
    Behind {
        /// The file.
        file: String,
        /// The file that tells the cause.
        first: String,
    },
    /// No space left.
    #[error("no space left while landing `{0}`; it has not arrived, free space and run again")]
    Full(String),
    /// The store refuses this process.
    #[error("no permission to land `{0}`: the data folder is read-only or belongs to someone else; check its owner and mode")]
    Denied(String),
    /// The store failed otherwise.
    #[error("failed to land or read `{file}`")]
    Store {
        /// The file or object.
        file: String,
        /// The cause.
        #[source]
        source: BlobError,
    },
    /// An object of landing is not what was put there.
    #[error("landed object `{path}` is damaged: {what}; restore it from a copy")]
    Damaged {
        /// The object.
        path: String,
        /// What does not fit.
        what: String,
    },
    /// A record was written by a newer program.
    #[error("arrival record `{path}` has format {found}, this program reads up to {known}; use the newer program")]
    Newer {
        /// The record.
        path: String,
        /// Its format.
        found: u32,
        /// The newest format that this program reads.
        known: u32,
    },
    /// No arrival has that number.
    #[error("arrival {0} does not exist")]
    NoArrival(ArrivalNumber),
}

impl LandError {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Busy { .. } => Disposition::Retry,
            Self::Behind { .. } | Self::Source { .. } | Self::Full(_) => Disposition::NextRun,
            Self::Store { source, .. } => source.disposition(),
            _ => Disposition::Stop,
        }
    }

    /// Says about which file the store failed.
    pub(super) fn store(file: &str, source: BlobError) -> Self {
        match source {
            BlobError::Full(_) => Self::Full(file.to_owned()),
            BlobError::Denied(_) => Self::Denied(file.to_owned()),
            source => Self::Store { file: file.to_owned(), source },
        }
    }
}
