//! The state in a schema of a `PostgreSQL` server: how it is opened, who writes, and what its errors mean.

use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Error};

use crate::error::StoreError;
use crate::location::{Limits, Location, Server};
use crate::session::answer;
use crate::statements::SCHEMA_VERSION;

/// Begins a transaction in which all reads see one state.
pub(crate) const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Begins a transaction as the only writer of the schema, from its first moment to its end; readers do not wait. Each of its
/// reads sees what was committed last, and that is by then its own predecessor in the order of arrivals.
pub(crate) const WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; LOCK TABLE imports IN SHARE ROW EXCLUSIVE MODE";

/// A connection that nobody used for so long is closed: what stands between may have forgotten it.
const IDLE_MAX: Duration = Duration::from_mins(5);

/// What a connection may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Write,
    Read,
}

/// Connects, and makes the schema if it is not there.
pub(crate) async fn connect(server: &Arc<Server>, limits: &Limits) -> Result<PgPool, StoreError> {
    let pool = open(server, limits, Access::Write).await?;
    let error = |e| sort(server, "make the schema", e);
    // First a look: a role that may not make schemas can use one that was made for it.
    let exists = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)").bind(&server.schema);
    if answer(limits.answer_wait(), exists.fetch_one(&pool)).await.map_err(error)? {
        return Ok(pool);
    }
    // The name is plain, which reading it has proved.
    let make = sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA IF NOT EXISTS \"{}\"", server.schema)));
    match answer(limits.answer_wait(), make.execute(&pool)).await {
        // Another process was faster.
        Err(Error::Database(e)) if matches!(e.code().as_deref(), Some("42P06" | "23505")) => Ok(pool),
        made => made.map(|_| pool).map_err(error),
    }
}

/// Connects to an existing schema for reading; with its version.
pub(crate) async fn connect_read_only(server: &Arc<Server>, limits: &Limits) -> Result<(PgPool, i64), StoreError> {
    let pool = open(server, limits, Access::Read).await?;
    let version = sqlx::query_scalar(SCHEMA_VERSION.sql);
    let version = answer(limits.answer_wait(), version.fetch_one(&pool)).await;
    Ok((pool, version.map_err(|e| sort(server, SCHEMA_VERSION.does, e))?))
}

async fn open(server: &Arc<Server>, limits: &Limits, access: Access) -> Result<PgPool, StoreError> {
    let milliseconds = |wait: Duration| wait.as_millis().max(1).to_string();
    let options = server.options.clone().options([
        ("search_path", server.schema.clone()),
        ("statement_timeout", milliseconds(limits.statement_wait)),
        ("lock_timeout", milliseconds(limits.lock_wait)),
        // A process that hangs inside an import must not keep all others out.
        ("idle_in_transaction_session_timeout", milliseconds(limits.statement_wait)),
        ("default_transaction_read_only", if access == Access::Read { "on" } else { "off" }.to_owned()),
    ]);
    let pool = PgPoolOptions::new()
        .max_connections(limits.connections_max)
        .acquire_timeout(limits.connect_wait)
        .idle_timeout(IDLE_MAX)
        .connect_with(options)
        .await;
    pool.map_err(|e| sort(server, "connect", e))
}

/// Sorts an error into the causes that a user can act on.
pub(crate) fn sort(server: &Arc<Server>, action: &'static str, source: Error) -> StoreError {
    let code = source.as_database_error().and_then(|e| e.code().map(std::borrow::Cow::into_owned)).unwrap_or_default();
    let location = Location::Server(Arc::clone(server));
    // The codes of https://www.postgresql.org/docs/15/errcodes-appendix.html.
    match (code.as_str(), &source) {
        // What waited for a connection tells no cause of its own.
        (_, Error::PoolTimedOut) => StoreError::Unreachable { server: Arc::clone(server), source: None },
        // The wire broke, or what stands there has no server behind it; shut down, crashed, starting, idle for too long; no
        // connection left.
        (_, Error::Io(_) | Error::Protocol(_)) | ("57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "53300", _) => {
            StoreError::Unreachable { server: Arc::clone(server), source: Some(Box::new(source)) }
        }
        ("28000" | "28P01" | "3D000", _) => StoreError::LoginRefused { server: Arc::clone(server), source: Box::new(source) },
        ("55P03", _) => StoreError::Locked(location),
        ("57014", _) => StoreError::TooSlow { location, action },
        ("53100", _) => StoreError::Full(location),
        ("58030", _) => StoreError::Unwritable(location),
        ("25006" | "42501", _) => StoreError::Denied(location),
        ("42P01" | "3F000", _) => StoreError::Missing(location),
        (code, _) if code.starts_with("08") => {
            StoreError::Unreachable { server: Arc::clone(server), source: Some(Box::new(source)) }
        }
        _ => StoreError::Query { location, action, source: Box::new(source) },
    }
}
