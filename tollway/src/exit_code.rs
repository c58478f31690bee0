//! How a command ends: the documented exit codes, and which error leads to which.

use std::process::ExitCode;

use domain::ports::Disposition;

/// The exit codes; README and `tollway --help` list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// Done, but something needs a hand: suspense over the limit, held or refused files, differences found.
    NeedsHand,
    /// Wrong use of the command line or the configuration.
    Usage,
    /// Bad input; nothing was changed.
    BadInput,
    /// A disk, a server or another system failed; try again.
    Outside,
    /// Refused to protect data: locked, or written by a newer version.
    Refused,
    /// A bug.
    Bug,
}

impl Exit {
    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::NeedsHand => 1,
            Self::Usage => 2,
            Self::BadInput => 3,
            Self::Outside => 4,
            Self::Refused => 5,
            Self::Bug => 70,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// An error that knows how the command must end.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct Ending {
    /// The exit code.
    pub exit: Exit,
    text: String,
}

/// Bad input.
pub fn bad_input(text: impl Into<String>) -> anyhow::Error {
    Ending { exit: Exit::BadInput, text: text.into() }.into()
}

/// Wrong use.
pub fn usage(text: impl Into<String>) -> anyhow::Error {
    Ending { exit: Exit::Usage, text: text.into() }.into()
}

/// Refused to protect data.
pub fn refused(text: impl Into<String>) -> anyhow::Error {
    Ending { exit: Exit::Refused, text: text.into() }.into()
}

/// The exit code of an error: what the innermost error that we know says about it.
pub fn of(error: &anyhow::Error) -> Exit {
    for cause in error.chain() {
        if let Some(ending) = cause.downcast_ref::<Ending>() {
            return ending.exit;
        }
        if cause.is::<config::ConfigError>() || cause.is::<aggregate::query::QueryError>() {
            return Exit::Usage;
        }
        if let Some(log) = cause.downcast_ref::<ingest::log::LogError>() {
            return log_exit(log);
        }
        if cause.is::<ingest::profile::ProfileError>() || cause.is::<rate::error::TariffError>() {
            return Exit::BadInput;
        }
        if let Some(sinks::delta::DeltaError::Newer { .. }) = cause.downcast_ref() {
            return Exit::Refused;
        }
        if cause.is::<domain::invariant::Violation>() {
            return Exit::Bug;
        }
    }
    Exit::Outside
}

fn log_exit(error: &ingest::log::LogError) -> Exit {
    use ingest::log::LogError;
    match error {
        LogError::Locked { .. } | LogError::Newer { .. } => Exit::Refused,
        other if other.disposition() == Disposition::Stop => Exit::Refused,
        _ => Exit::Outside,
    }
}
