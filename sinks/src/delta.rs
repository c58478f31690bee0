//! Our side of the Delta protocol: a table is a log of numbered JSON entries, and put-if-absent of the next number is its
//! only lock.
//!
//! Written here rather than taken from a library because committing is what this product is for: one attempt at one version,
//! no retry that we did not decide, the same code under the simulator (docs/adr/0002). Reader version 1, writer version 2:
//! every Delta reader understands it.

pub mod action;
pub mod checkpoint;
pub mod log;
pub mod snapshot;
#[cfg(test)]
mod tests;

use domain::ports::{BlobError, Disposition};

/// Why the table's log could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DeltaError {
    /// The object store failed.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// An entry is no JSON or misses what the protocol demands.
    #[error(
        "table log entry `{path}` line {line} is damaged: {what}; restore the file from a backup, or rebuild the table from landing"
    )]
    Entry {
        /// The entry.
        path: String,
        /// Line from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// The table was written by a newer tollway or with features that this one does not know.
    #[error("table `{table}` needs {what}; use the tollway version that wrote it, or a newer one")]
    Newer {
        /// The table's folder.
        table: String,
        /// What it needs.
        what: String,
    },
    /// A checkpoint cannot be read.
    #[error("checkpoint `{path}` is damaged: {what}; delete it if the entries before it are still there")]
    Checkpoint {
        /// The checkpoint.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// A former version cannot be put together any more: its entries are trimmed.
    #[error(
        "version {version} cannot be told any more: `{path}` is not there, and no checkpoint between stands for it; ask for a later one"
    )]
    Trimmed {
        /// The version that was asked for.
        version: u64,
        /// The first entry that is missing.
        path: String,
    },
    /// The outcome of a commit stays unknown after all attempts to find out.
    #[error("the outcome of commit {version} is unknown after {attempts} looks; start again, nothing is written twice")]
    Unknown {
        /// The version.
        version: u64,
        /// How often it was looked up.
        attempts: u32,
    },
}

impl DeltaError {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Blob(e) => e.disposition(),
            Self::Unknown { .. } => Disposition::NextRun,
            Self::Entry { .. } | Self::Newer { .. } | Self::Checkpoint { .. } | Self::Trimmed { .. } => Disposition::Stop,
        }
    }
}
