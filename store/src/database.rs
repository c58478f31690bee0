//! Opening the database: migrations, versions, and readers beside a writer.

use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::ids::TenantId;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, Transaction};

use crate::error::StoreError;

/// Every change of the schema, in order; `schema.sql` is their sum.
pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long a statement waits for another process's write before it gives up: an import of the largest file takes less.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// Readers at once in one process; SQLite has one writer.
const CONNECTIONS_MAX: u32 = 4;

/// The state of one tenant in one database.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: SqlitePool,
    pub(crate) path: PathBuf,
    pub(crate) tenant: TenantId,
}

impl Store {
    /// Opens or creates the database at `path` (its folder must exist) and brings its schema up to date.
    pub async fn open(path: &Path, tenant: &TenantId) -> Result<Self, StoreError> {
        let options =
            options(path).create_if_missing(true).journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
        let store = Self::connect(path, tenant, options).await?;
        MIGRATIONS.run(&store.pool).await.map_err(|e| store.migration_error(e))?;
        Ok(store)
    }

    /// Opens an existing database for reading, also while another process writes it.
    pub async fn open_read_only(path: &Path, tenant: &TenantId) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing(path.to_owned()));
        }
        let read_only = options(path).read_only(true);
        let opened = Self::connect(path, tenant, read_only.clone()).await;
        let (store, found) = match with_version(opened).await {
            // A folder that we may not write has no room for the shared index that readers of a write-ahead log need. Without
            // such a log nobody is writing, and the database can be read as it lies there.
            Err(StoreError::Denied(_)) if !log_of(path).exists() => {
                with_version(Self::connect(path, tenant, read_only.immutable(true)).await).await?
            }
            opened => opened?,
        };
        let (path, known) = (store.path.clone(), known_version());
        match found.cmp(&known) {
            std::cmp::Ordering::Less => Err(StoreError::Older { path, found, known }),
            std::cmp::Ordering::Equal => Ok(store),
            std::cmp::Ordering::Greater => Err(StoreError::Newer { path, found, known }),
        }
    }

    /// Whose state it is.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Ends all connections; the last one folds the write-ahead log into the database.
    pub async fn close(self) {
        self.pool.close().await;
    }

    async fn connect(path: &Path, tenant: &TenantId, options: SqliteConnectOptions) -> Result<Self, StoreError> {
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS_MAX).connect_with(options).await;
        let pool = pool.map_err(|e| StoreError::sort(path, "open", e))?;
        Ok(Self { pool, path: path.to_owned(), tenant: tenant.clone() })
    }

    /// The latest migration that acted; 0 if there is none.
    async fn schema_version(&self) -> Result<i64, StoreError> {
        let tables: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")
            .fetch_one(&self.pool)
            .await
            .map_err(|e| self.error("read the schema version", e))?;
        if tables == 0 {
            return Err(StoreError::NotADatabase(self.path.clone()));
        }
        sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations WHERE success")
            .fetch_one(&self.pool)
            .await
            .map_err(|e| self.error("read the schema version", e))
    }

    /// A transaction in which all reads see one state.
    pub(crate) async fn read(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.pool.begin().await.map_err(|e| self.error("begin reading", e))
    }

    /// A transaction that holds the write lock from its first moment, so that what it reads stays true until it commits.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(|e| self.error("begin writing", e))
    }

    pub(crate) fn error(&self, action: &'static str, source: sqlx::Error) -> StoreError {
        StoreError::sort(&self.path, action, source)
    }

    fn migration_error(&self, source: MigrateError) -> StoreError {
        let path = self.path.clone();
        match source {
            MigrateError::VersionMissing(found) => StoreError::Newer { path, found, known: known_version() },
            MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => self.error("migrate", e),
            source => StoreError::Altered { path, source: Box::new(source) },
        }
    }
}

async fn with_version(opened: Result<Store, StoreError>) -> Result<(Store, i64), StoreError> {
    let store = opened?;
    let found = store.schema_version().await?;
    Ok((store, found))
}

/// SQLite's write-ahead log of a database.
fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).busy_timeout(BUSY_TIMEOUT).foreign_keys(true)
}

fn known_version() -> i64 {
    MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0)
}
