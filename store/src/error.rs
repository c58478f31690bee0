//! Why the state cannot be opened, read or changed.

use std::path::{Path, PathBuf};

use domain::delivery::ArrivalNumber;
use domain::ports::Disposition;

use crate::report::ImportReport;

/// An error of the state database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Read-only open of a file that is not there.
    #[error("no state database `{0}`; import something first, or check the data folder")]
    Missing(PathBuf),
    /// The file is something else.
    #[error("`{0}` is no tollway state database; move it away, imports can be replayed from landing")]
    NotADatabase(PathBuf),
    /// A newer tollway has migrated it.
    #[error("state database `{path}` has schema version {found}, this tollway knows {known}; use the newer tollway")]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Read-only open of a database that has to be migrated.
    #[error(
        "state database `{path}` has schema version {found}, {known} is needed; run a command that writes, such as an import"
    )]
    Older {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// A migration that acted is not the one we know.
    #[error("state database `{path}` was migrated by another build; move it away, imports can be replayed from landing")]
    Altered {
        /// The database.
        path: PathBuf,
        /// What the migrator said.
        #[source]
        source: Box<sqlx::migrate::MigrateError>,
    },
    /// Another process writes for longer than the wait.
    #[error("state database `{0}` is locked by another writer; try again when its import has ended")]
    Locked(PathBuf),
    /// No space left.
    #[error("no space left for state database `{0}`; nothing was changed, free space and run again")]
    Full(PathBuf),
    /// A write failed for another reason than a full disk.
    #[error(
        "state database `{0}` could not be written; nothing was changed; look for a quota (`quota`), a limit on file sizes \
         (`ulimit -f`) or a failing disk (`dmesg`), then run again"
    )]
    Unwritable(PathBuf),
    /// The file or folder cannot be written or opened.
    #[error("no permission to open or write state database `{0}`; check that the folder exists, its owner and its mode")]
    Denied(PathBuf),
    /// Anything else the database said.
    #[error("failed to {action} in state database `{path}`")]
    Query {
        /// The database.
        path: PathBuf,
        /// What was attempted.
        action: &'static str,
        /// The cause.
        #[source]
        source: Box<sqlx::Error>,
    },
    /// A stored value that no import can have written.
    #[error("state database `{path}` holds {what}; move it away, imports can be replayed from landing")]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// What and where.
        what: String,
    },
    /// An arrival beyond what the database can count.
    #[error("arrival number {0} is too large")]
    ArrivalTooLarge(ArrivalNumber),
    /// The same arrival number with other bytes.
    #[error("arrival {0} was applied with other content; the state belongs to another landing, check the data folder")]
    ArrivalTaken(ArrivalNumber),
    /// An import that arrived before the last one that acted.
    #[error(
        "arrival {arrival} comes after arrival {latest} was applied; imports act in arrival order, rebuild the state from landing"
    )]
    OutOfOrder {
        /// The import.
        arrival: ArrivalNumber,
        /// The latest that acted.
        latest: ArrivalNumber,
    },
    /// Windows overlap.
    #[error("nothing was imported: two windows claim one number{}", .0.overlaps)]
    Refused(Box<ImportReport>),
}

impl StoreError {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Locked(_) | Self::Query { .. } => Disposition::Retry,
            _ => Disposition::Stop,
        }
    }

    /// Sorts a database error into the causes that a user can act on.
    pub(crate) fn sort(path: &Path, action: &'static str, source: sqlx::Error) -> Self {
        // The primary result codes of https://www.sqlite.org/rescode.html; the upper bits only refine them.
        const BUSY: u32 = 5;
        const LOCKED: u32 = 6;
        const READ_ONLY: u32 = 8;
        const CORRUPT: u32 = 11;
        const FULL: u32 = 13;
        const CANNOT_OPEN: u32 = 14;
        const NOT_A_DATABASE: u32 = 26;
        // The index of the write-ahead log could not grow: what it says where the disk is full.
        const SHM_SIZE: u32 = 10 + (19 << 8);
        // A write that failed, say over a quota.
        const WRITE: u32 = 10 + (3 << 8);
        let extended = source.as_database_error().and_then(sqlx::error::DatabaseError::code).and_then(|c| c.parse::<u32>().ok());
        let code = extended.map(|c| c & 255);
        let path = path.to_owned();
        match code {
            Some(BUSY | LOCKED) => Self::Locked(path),
            Some(READ_ONLY | CANNOT_OPEN) => Self::Denied(path),
            Some(FULL) => Self::Full(path),
            _ if extended == Some(SHM_SIZE) => Self::Full(path),
            _ if extended == Some(WRITE) => Self::Unwritable(path),
            Some(NOT_A_DATABASE | CORRUPT) => Self::NotADatabase(path),
            _ => Self::Query { path, action, source: Box::new(source) },
        }
    }
}
