//! How a command ends: the documented exit codes, and which error leads to which.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use aggregate::query::QueryError;
use domain::columns::ColumnError;
use domain::invariant::Violation;
use domain::ports::BlobError;
use ingest::draft::DraftError;
use ingest::land::LandError;
use ingest::live::LiveError;
use ingest::log::LogError;
#[cfg(feature = "kafka")]
use ingest::log::kafka::BrokerError;
use ingest::profile::ProfileError;
use pipeline::PipelineError;
use rate::error::{ExplainError, TariffError};
use sinks::commit::CommitError;
use sinks::delta::DeltaError;
use sinks::keys::sidecar::SidecarError;
use sinks::table::TableError;
use store::{ImportError, StoreError};

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

/// What to do, said after an error and its causes; attached as context.
#[derive(Debug, Clone)]
pub struct Help(pub String);

impl std::fmt::Display for Help {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
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

/// What waits for a hand while everything else was rated: the first cause decides the exit code, all are told.
pub fn waiting(waiting: &BTreeMap<String, Arc<PipelineError>>) -> anyhow::Result<()> {
    let Some(first) = waiting.values().next() else { return Ok(()) };
    let tell = |(place, error): (&String, &Arc<PipelineError>)| {
        let causes: Vec<String> = anyhow::Chain::new(&**error).map(ToString::to_string).collect();
        format!("{place}: {}", causes.join(": "))
    };
    let text: Vec<String> = waiting.iter().map(tell).collect();
    let ending: anyhow::Error = Ending { exit: of_pipeline(first), text: text.join("\n") }.into();
    Err(ending.context(Help("everything else is rated; mend the cause and run again: nothing is lost".to_owned())))
}

/// The exit code of an error: what the first of its causes says that knows.
pub fn of(error: &anyhow::Error) -> Exit {
    error.chain().find_map(of_cause).unwrap_or(Exit::Outside)
}

/// What one cause says about the end. Errors that pass another one through (`transparent`) hide it from the chain, so each
/// kind is asked for the one inside.
fn of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<Exit> {
    if let Some(ending) = cause.downcast_ref::<Ending>() {
        return Some(ending.exit);
    }
    if cause.is::<config::ConfigError>() || cause.is::<domain::ids::IdError>() {
        return Some(Exit::Usage);
    }
    if let Some(DraftError::Unloadable { .. }) = cause.downcast_ref() {
        return Some(Exit::Bug);
    }
    if cause.is::<ProfileError>()
        || cause.is::<DraftError>()
        || cause.is::<TariffError>()
        || cause.is::<ExplainError>()
        || cause.is::<ImportError>()
    {
        return Some(Exit::BadInput);
    }
    if cause.is::<verify::VerifyError>() {
        return Some(Exit::Refused);
    }
    if cause.is::<Violation>() || cause.is::<ColumnError>() {
        return Some(Exit::Bug);
    }
    None.or_else(|| cause.downcast_ref().map(of_pipeline))
        .or_else(|| cause.downcast_ref().map(of_commit))
        .or_else(|| cause.downcast_ref().map(of_table))
        .or_else(|| cause.downcast_ref().map(of_delta))
        .or_else(|| cause.downcast_ref().map(of_sidecar))
        .or_else(|| cause.downcast_ref().map(of_landing))
        .or_else(|| cause.downcast_ref().map(of_live))
        .or_else(|| cause.downcast_ref().map(of_log))
        .or_else(|| cause.downcast_ref().map(of_state))
        .or_else(|| cause.downcast_ref().map(of_object))
        .or_else(|| cause.downcast_ref().map(of_query))
}

fn of_pipeline(error: &PipelineError) -> Exit {
    match error {
        PipelineError::Log(e) => of_log(e),
        PipelineError::Land(e) => of_landing(e),
        PipelineError::Live(e) => of_live(e),
        PipelineError::Blob(e) => of_object(e),
        PipelineError::Commit(e) => of_commit(e),
        PipelineError::Profile { .. }
        | PipelineError::Header(_)
        | PipelineError::Message { .. }
        | PipelineError::Foreign { .. }
        | PipelineError::NotLanded(_)
        | PipelineError::LogLost { .. } => Exit::Refused,
        PipelineError::Stalled { .. } => Exit::NeedsHand,
        PipelineError::Reference(_) => Exit::Outside,
        PipelineError::Violation(_) | PipelineError::Panicked(_) => Exit::Bug,
    }
}

fn of_live(error: &LiveError) -> Exit {
    match error {
        LiveError::Log(e) => of_log(e),
        LiveError::Unfit { .. } => Exit::BadInput,
        // A broker that has just started may not know it yet.
        LiveError::NoTopic { .. } => Exit::Outside,
        LiveError::Lost { .. } | LiveError::Recreated { .. } | LiveError::EndLost { .. } | LiveError::Truncated(_) => {
            Exit::Refused
        }
    }
}

fn of_commit(error: &CommitError) -> Exit {
    match error {
        CommitError::Table(e) => of_table(e),
        CommitError::Sidecar(e) => of_sidecar(e),
        CommitError::Columns(_) | CommitError::Violation(_) => Exit::Bug,
        CommitError::Contended(_) => Exit::Outside,
    }
}

fn of_table(error: &TableError) -> Exit {
    match error {
        TableError::Delta(e) => of_delta(e),
        TableError::Blob(e) => of_object(e),
        TableError::File { .. } => Exit::Refused,
        TableError::Encode { .. } | TableError::Violation(_) => Exit::Bug,
    }
}

fn of_delta(error: &DeltaError) -> Exit {
    match error {
        DeltaError::Blob(e) => of_object(e),
        DeltaError::Entry { .. } | DeltaError::Newer { .. } | DeltaError::Checkpoint { .. } => Exit::Refused,
        DeltaError::Trimmed { .. } => Exit::BadInput,
        DeltaError::Unknown { .. } => Exit::Outside,
    }
}

fn of_sidecar(error: &SidecarError) -> Exit {
    match error {
        SidecarError::Blob(e) => of_object(e),
        SidecarError::Damaged { .. } => Exit::Refused,
    }
}

fn of_landing(error: &LandError) -> Exit {
    match error {
        LandError::NoSuchPath(_)
        | LandError::Unreadable { .. }
        | LandError::TooMany { .. }
        | LandError::TooLarge { .. }
        | LandError::Wrapped { .. }
        | LandError::Request { .. }
        | LandError::Acts { .. }
        | LandError::NoArrival(_) => Exit::BadInput,
        LandError::Damaged { .. } | LandError::Newer { .. } => Exit::Refused,
        LandError::Store { source, .. } => of_object(source),
        LandError::Behind { .. }
        | LandError::Source { .. }
        | LandError::Busy { .. }
        | LandError::Full(_)
        | LandError::Denied(_) => Exit::Outside,
    }
}

fn of_log(error: &LogError) -> Exit {
    match error {
        LogError::Locked { .. } | LogError::Newer { .. } | LogError::Corrupt { .. } | LogError::OutOfRange { .. } => {
            Exit::Refused
        }
        LogError::NoLog(_) => Exit::BadInput,
        LogError::Setting { .. } | LogError::Group { .. } => Exit::Usage,
        LogError::NotAssigned(_) | LogError::NoPartition(_) | LogError::TooLarge { .. } | LogError::ReadOnly(_) => Exit::Bug,
        LogError::Unacknowledged(_)
        | LogError::Stopped { .. }
        | LogError::Full(_)
        | LogError::Denied(_)
        | LogError::Io { .. } => Exit::Outside,
        #[cfg(feature = "kafka")]
        LogError::Broker(broker) => of_broker(broker),
    }
}

#[cfg(feature = "kafka")]
fn of_broker(error: &BrokerError) -> Exit {
    match error {
        BrokerError::Unavailable { .. } => Exit::Outside,
        BrokerError::Setting { .. } | BrokerError::Replication { .. } => Exit::Usage,
        BrokerError::Refused { .. }
        | BrokerError::NoTopic { .. }
        | BrokerError::NoTopicId { .. }
        | BrokerError::RecordsLost { .. }
        | BrokerError::Truncated(_)
        | BrokerError::Recreated { .. } => Exit::Refused,
    }
}

fn of_state(error: &StoreError) -> Exit {
    match error {
        StoreError::Missing(_) | StoreError::Refused(_) => Exit::BadInput,
        StoreError::NotADatabase(_)
        | StoreError::Newer { .. }
        | StoreError::Older { .. }
        | StoreError::Altered { .. }
        | StoreError::Locked(_)
        | StoreError::Corrupt { .. }
        | StoreError::ArrivalTooLarge(_)
        | StoreError::ArrivalTaken(_)
        | StoreError::OutOfOrder { .. } => Exit::Refused,
        StoreError::Address(_) | StoreError::Schema(_) | StoreError::LoginRefused { .. } => Exit::Usage,
        StoreError::Full(_)
        | StoreError::Unwritable(_)
        | StoreError::Denied(_)
        | StoreError::Unreachable { .. }
        | StoreError::TooSlow { .. }
        | StoreError::Query { .. } => Exit::Outside,
    }
}

fn of_object(error: &BlobError) -> Exit {
    match error {
        // What a record names was put there before the record: its absence is damage.
        BlobError::NotFound(_) => Exit::Refused,
        BlobError::AlreadyExists(_)
        | BlobError::Full(_)
        | BlobError::Denied(_)
        | BlobError::Ambiguous(_)
        | BlobError::Io { .. } => Exit::Outside,
    }
}

fn of_query(error: &QueryError) -> Exit {
    match error {
        QueryError::Sql(_) => Exit::Usage,
        QueryError::Run(_) => Exit::Outside,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_inside_others_decides_the_exit_code() {
        let newer = || DeltaError::Newer { table: "t".to_owned(), what: "reader 3".to_owned() };
        let nested = PipelineError::Commit(CommitError::Table(TableError::Delta(newer())));
        assert_eq!(of(&anyhow::Error::from(nested).context("failed to rate")), Exit::Refused);
        let full = PipelineError::Commit(CommitError::Table(TableError::Blob(BlobError::Full("x".to_owned()))));
        assert_eq!(of(&full.into()), Exit::Outside);
        assert_eq!(of(&LandError::NoSuchPath("x".into()).into()), Exit::BadInput);
        assert_eq!(of(&usage("x").context("y")), Exit::Usage);
        assert_eq!(of(&std::io::Error::other("x").into()), Exit::Outside);
    }

    #[test]
    fn a_query_that_fails_while_it_reads_is_no_wrong_use() {
        assert_eq!(of(&QueryError::Sql("no such column".to_owned()).into()), Exit::Usage);
        assert_eq!(of(&QueryError::Run("a file is gone".to_owned()).into()), Exit::Outside);
    }
}
