//! Opening the state: migrations, versions, and readers beside one writer, on either database.

use domain::ids::TenantId;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;

use crate::error::StoreError;
use crate::location::{Limits, Location};
use crate::session::Session;
use crate::{postgres, sqlite};

/// Every change of the schema, in order, for both databases; `schema.sql` is their sum.
pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The state of one tenant in one database.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: Pool,
    location: Location,
    pub(crate) limits: Limits,
    pub(crate) tenant: TenantId,
}

/// Connections of either driver.
#[derive(Debug, Clone)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Store {
    /// Opens or creates the state (a file's folder must exist) and brings its schema up to date.
    pub async fn open(location: &Location, limits: &Limits, tenant: &TenantId) -> Result<Self, StoreError> {
        let pool = match location {
            Location::File(path) => Pool::Sqlite(sqlite::connect(path, limits).await?),
            Location::Server(server) => Pool::Postgres(postgres::connect(server, limits).await?),
        };
        let store = Self { pool, location: location.clone(), limits: *limits, tenant: tenant.clone() };
        let migrated = match &store.pool {
            Pool::Sqlite(pool) => MIGRATIONS.run(pool).await,
            Pool::Postgres(pool) => {
                let migrated = tokio::time::timeout(limits.answer_wait(), MIGRATIONS.run(pool)).await;
                migrated.unwrap_or(Err(MigrateError::Execute(sqlx::Error::PoolTimedOut)))
            }
        };
        migrated.map_err(|e| store.migration_error(e))?;
        Ok(store)
    }

    /// Opens an existing state for reading, also while another process writes it.
    pub async fn open_read_only(location: &Location, limits: &Limits, tenant: &TenantId) -> Result<Self, StoreError> {
        let (pool, found) = match location {
            Location::File(path) => {
                let (pool, found) = sqlite::connect_read_only(path, limits).await?;
                (Pool::Sqlite(pool), found)
            }
            Location::Server(server) => {
                let (pool, found) = postgres::connect_read_only(server, limits).await?;
                (Pool::Postgres(pool), found)
            }
        };
        let (location, known) = (location.clone(), known_version());
        match found.cmp(&known) {
            std::cmp::Ordering::Less => Err(StoreError::Older { location, found, known }),
            std::cmp::Ordering::Equal => Ok(Self { pool, location, limits: *limits, tenant: tenant.clone() }),
            std::cmp::Ordering::Greater => Err(StoreError::Newer { location, found, known }),
        }
    }

    /// Whose state it is.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Where it lies.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// Ends all connections; the last one of SQLite folds the write-ahead log into the database.
    pub async fn close(self) {
        match self.pool {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::Postgres(pool) => pool.close().await,
        }
    }

    /// A transaction in which all reads see one state.
    pub(crate) async fn read(&self) -> Result<Session, StoreError> {
        match &self.pool {
            Pool::Sqlite(pool) => {
                let transaction = pool.begin().await.map_err(|e| self.error("begin reading", e))?;
                Ok(Session::sqlite(transaction, self.location.clone()))
            }
            Pool::Postgres(pool) => self.converse(pool, postgres::READ).await,
        }
    }

    /// A transaction that holds the write lock from its first moment, so that what it reads stays true until it commits.
    pub(crate) async fn write(&self) -> Result<Session, StoreError> {
        match &self.pool {
            Pool::Sqlite(pool) => {
                let begun = pool.begin_with("BEGIN IMMEDIATE").await;
                Ok(Session::sqlite(begun.map_err(|e| self.error("begin writing", e))?, self.location.clone()))
            }
            Pool::Postgres(pool) => self.converse(pool, postgres::WRITE).await,
        }
    }

    async fn converse(&self, pool: &PgPool, begin: &'static str) -> Result<Session, StoreError> {
        let wait = self.limits.answer_wait();
        let connection = pool.acquire().await.map_err(|e| self.error("connect", e))?;
        Session::postgres(connection, begin, wait, self.location.clone()).await
    }

    fn error(&self, action: &'static str, source: sqlx::Error) -> StoreError {
        StoreError::sort(&self.location, action, source)
    }

    pub(crate) fn corrupt(&self, what: String) -> StoreError {
        StoreError::Corrupt { location: self.location.clone(), what }
    }

    fn migration_error(&self, source: MigrateError) -> StoreError {
        let location = self.location.clone();
        match source {
            MigrateError::VersionMissing(found) => StoreError::Newer { location, found, known: known_version() },
            MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => self.error("migrate", e),
            source => StoreError::Altered { location, source: Box::new(source) },
        }
    }
}

fn known_version() -> i64 {
    MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0)
}
