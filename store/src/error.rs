//! Why the state cannot be opened, read or changed.

use std::sync::Arc;

use domain::delivery::ArrivalNumber;
use domain::ports::Disposition;

use crate::location::{Location, Server};
use crate::report::ImportReport;
use crate::{postgres, sqlite};

/// An error of the state database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Read-only open of a file that is not there.
    #[error("no state database {0}; import something first, or check `data.folder` and `[state]`")]
    Missing(Location),
    /// The file is something else.
    #[error("{} is no tollway state database; {}, imports can be replayed from landing", .0, .0.put_aside())]
    NotADatabase(Location),
    /// A newer tollway has migrated it.
    #[error("state database {location} has schema version {found}, this tollway knows {known}; use the newer tollway")]
    Newer {
        /// Which.
        location: Location,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// Read-only open of a database that has to be migrated.
    #[error(
        "state database {location} has schema version {found}, {known} is needed; run a command that writes, such as an import"
    )]
    Older {
        /// Which.
        location: Location,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// A migration that acted is not the one we know.
    #[error(
        "state database {location} was migrated by another build; {}, imports can be replayed from landing",
        .location.put_aside()
    )]
    Altered {
        /// Which.
        location: Location,
        /// What the migrator said.
        #[source]
        source: Box<sqlx::migrate::MigrateError>,
    },
    /// Another process writes for longer than the wait.
    #[error("state database {0} is locked by another writer; try again when its import has ended")]
    Locked(Location),
    /// No space left.
    #[error("no space left for state database {0}; nothing was changed, free space and run again")]
    Full(Location),
    /// A write failed for another reason than a full disk.
    #[error(
        "state database {0} could not be written; nothing was changed; look for a quota (`quota`), a limit on file sizes \
         (`ulimit -f`) or a failing disk (`dmesg`), then run again"
    )]
    Unwritable(Location),
    /// The server is down, starting or out of reach, or has no connection left.
    #[error("the state database at {} does not answer; see whether the server runs and can be reached", .server.host())]
    Unreachable {
        /// Which.
        server: Arc<Server>,
        /// The cause; `None`: it just took too long.
        #[source]
        source: Option<Box<sqlx::Error>>,
    },
    /// The server does not let us in.
    #[error(
        "the state database at {} refuses the login of `{}` to database `{}`; check `state.url`",
        .server.host(), .server.user(), .server.database()
    )]
    LoginRefused {
        /// Which.
        server: Arc<Server>,
        /// What the server said.
        #[source]
        source: Box<sqlx::Error>,
    },
    /// A statement took longer than allowed.
    #[error("state database {location} took too long to {action}; try again, or raise `state.statement_timeout_ms`")]
    TooSlow {
        /// Which.
        location: Location,
        /// What was attempted.
        action: &'static str,
    },
    /// An address of a server that cannot be used; its text is a secret.
    #[error("`state.url` cannot be used: {0}; write postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
    Address(String),
    /// A name of a schema that cannot be used.
    #[error("`state.schema` is `{0}`; write up to 63 lower-case letters, digits and _, not beginning with a digit or `pg_`")]
    Schema(String),
    /// The file or folder cannot be written or opened.
    #[error("no permission to open or write state database {}; check {}", .0, .0.rights())]
    Denied(Location),
    /// Anything else the database said.
    #[error("failed to {action} in state database {location}")]
    Query {
        /// Which.
        location: Location,
        /// What was attempted.
        action: &'static str,
        /// The cause.
        #[source]
        source: Box<sqlx::Error>,
    },
    /// A stored value that no import can have written.
    #[error("state database {location} holds {what}; {}, imports can be replayed from landing", .location.put_aside())]
    Corrupt {
        /// Which.
        location: Location,
        /// What and where.
        what: String,
    },
    /// An arrival beyond what the database can count.
    #[error("arrival number {0} is too large")]
    ArrivalTooLarge(ArrivalNumber),
    /// The same arrival number with other bytes.
    #[error(
        "arrival {0} was applied with other content; the state belongs to another landing, check `data.folder` and `[state]`"
    )]
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
    /// Windows overlap, or a full list ends more than it may.
    #[error("nothing was imported: {}{}", refusal(.0), .0.overlaps)]
    Refused(Box<ImportReport>),
}

fn refusal(report: &ImportReport) -> String {
    if report.overlaps.count > 0 {
        return "two windows claim one instant".to_owned();
    }
    let may = report.ended_max.unwrap_or_default();
    format!("the list would end {} {}, {may} are allowed; is it whole?", report.ended.count, report.kept())
}

impl StoreError {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Locked(_) | Self::Unreachable { .. } | Self::TooSlow { .. } | Self::Query { .. } => Disposition::Retry,
            _ => Disposition::Stop,
        }
    }

    /// Sorts a database error into the causes that a user can act on.
    pub(crate) fn sort(location: &Location, action: &'static str, source: sqlx::Error) -> Self {
        match location {
            Location::File(_) => sqlite::sort(location.clone(), action, source),
            Location::Server(server) => postgres::sort(server, action, source),
        }
    }
}
