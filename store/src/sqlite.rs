//! The state in a SQLite file: how it is opened, and what its errors mean.

use std::path::{Path, PathBuf};

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

use crate::error::StoreError;
use crate::location::{Limits, Location};
use crate::statements::SCHEMA_VERSION;

/// How many rows the driver reads ahead of who takes them.
const ROWS_AHEAD: usize = 4096;

/// Connects to the file, making it if it is not there.
pub(crate) async fn connect(path: &Path, limits: &Limits) -> Result<SqlitePool, StoreError> {
    let options = options(path, limits).create_if_missing(true);
    open(path, limits, options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full)).await
}

/// Connects to an existing file for reading, also while another process writes it; with the version of its schema.
pub(crate) async fn connect_read_only(path: &Path, limits: &Limits) -> Result<(SqlitePool, i64), StoreError> {
    if !path.exists() {
        return Err(StoreError::Missing(path.into()));
    }
    let read_only = options(path, limits).read_only(true);
    match with_version(path, open(path, limits, read_only.clone()).await).await {
        // A folder that we may not write has no room for the shared index that readers of a write-ahead log need. Without
        // such a log nobody is writing, and the database can be read as it lies there.
        Err(StoreError::Denied(_)) if !log_of(path).exists() => {
            with_version(path, open(path, limits, read_only.immutable(true)).await).await
        }
        opened => opened,
    }
}

fn options(path: &Path, limits: &Limits) -> SqliteConnectOptions {
    // The driver's log would repeat a statement of thousands of parameters whenever the disk is slow.
    let options = SqliteConnectOptions::new().filename(path).disable_statement_logging();
    // Rows come from the driver's thread: with the default of 50, a long list costs a change of threads per few rows.
    options.busy_timeout(limits.lock_wait).foreign_keys(true).row_buffer_size(ROWS_AHEAD)
}

async fn open(path: &Path, limits: &Limits, options: SqliteConnectOptions) -> Result<SqlitePool, StoreError> {
    let pool = SqlitePoolOptions::new().max_connections(limits.connections_max).connect_with(options).await;
    pool.map_err(|e| sort(path.into(), "open", e))
}

async fn with_version(path: &Path, opened: Result<SqlitePool, StoreError>) -> Result<(SqlitePool, i64), StoreError> {
    let pool = opened?;
    let error = |e| sort(path.into(), SCHEMA_VERSION.does, e);
    let tables: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")
        .fetch_one(&pool)
        .await
        .map_err(error)?;
    if tables == 0 {
        return Err(StoreError::NotADatabase(path.into()));
    }
    let version = sqlx::query_scalar(SCHEMA_VERSION.sql).fetch_one(&pool).await.map_err(error)?;
    Ok((pool, version))
}

/// SQLite's write-ahead log of a database.
fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// Sorts an error into the causes that a user can act on.
pub(crate) fn sort(location: Location, action: &'static str, source: sqlx::Error) -> StoreError {
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
    match extended.map(|c| c & 255) {
        Some(BUSY | LOCKED) => StoreError::Locked(location),
        Some(READ_ONLY | CANNOT_OPEN) => StoreError::Denied(location),
        Some(FULL) => StoreError::Full(location),
        _ if extended == Some(SHM_SIZE) => StoreError::Full(location),
        _ if extended == Some(WRITE) => StoreError::Unwritable(location),
        Some(NOT_A_DATABASE | CORRUPT) => StoreError::NotADatabase(location),
        _ => StoreError::Query { location, action, source: Box::new(source) },
    }
}
