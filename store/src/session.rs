//! A transaction on either database, and the statements in it: one text, the values that it takes, the rows that it gives.

use std::future::Future;
use std::io;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Arguments, AssertSqlSafe, Database, Encode, FromRow, Postgres, SqlSafeStr, SqlStr, Sqlite, Transaction, Type};

use crate::error::StoreError;
use crate::location::Location;
use crate::statements::{Insert, Statement};

/// Rows of one INSERT: 1,000 × 10 values stay below the 32,766 parameters that SQLite allows, and the 65,535 of
/// `PostgreSQL`.
pub(crate) const INSERT_ROWS: usize = 1_000;

/// A value of a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    /// A text.
    Text(&'a str),
    /// A whole number.
    Number(i64),
    /// A whole number or null.
    NumberOrNull(Option<i64>),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::NumberOrNull(number)
    }
}

/// What a row is read into, from either database: a tuple of texts and numbers.
pub(crate) trait Stored: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin> Stored for T {}

/// An open transaction. What it wrote is gone unless it is committed; a reading one is committed too.
pub(crate) struct Session {
    on: On,
    location: Location,
}

enum On {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Conversation),
}

/// A connection to a server inside a transaction. Dropped before its end it is closed, and the server rolls back: after a
/// time-out nobody knows what the connection would say next.
struct Conversation {
    connection: PoolConnection<Postgres>,
    /// For each answer, on this side: the server's own limits do not hold when the network swallows what it says.
    wait: Duration,
    has_ended: bool,
}

impl Conversation {
    async fn say(&mut self, words: &'static str) -> Result<(), sqlx::Error> {
        answer(self.wait, sqlx::raw_sql(words).execute(&mut *self.connection)).await.map(drop)
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        if !self.has_ended {
            self.connection.close_on_drop();
        }
    }
}

impl On {
    async fn all<T: Stored>(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<Vec<T>, sqlx::Error> {
        match self {
            Self::Sqlite(transaction) => {
                sqlx::query_as_with(sql, arguments::<Sqlite>(values)?).fetch_all(&mut **transaction).await
            }
            Self::Postgres(Conversation { connection, wait, .. }) => {
                let query = sqlx::query_as_with(sql, arguments::<Postgres>(values)?);
                answer(*wait, query.fetch_all(&mut **connection)).await
            }
        }
    }

    async fn execute(&mut self, sql: SqlStr, values: &[Value<'_>]) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(transaction) => {
                sqlx::query_with(sql, arguments::<Sqlite>(values)?).execute(&mut **transaction).await.map(drop)
            }
            Self::Postgres(Conversation { connection, wait, .. }) => {
                let query = sqlx::query_with(sql, arguments::<Postgres>(values)?);
                answer(*wait, query.execute(&mut **connection)).await.map(drop)
            }
        }
    }

    async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await,
            Self::Postgres(mut conversation) => {
                conversation.say("COMMIT").await?;
                conversation.has_ended = true;
                Ok(())
            }
        }
    }
}

impl Session {
    /// Goes on in a transaction of SQLite.
    pub fn sqlite(transaction: Transaction<'static, Sqlite>, location: Location) -> Self {
        Self { on: On::Sqlite(transaction), location }
    }

    /// Begins a transaction of a server with `begin`; `wait` is the longest time for each of its answers.
    pub async fn postgres(
        connection: PoolConnection<Postgres>,
        begin: &'static str,
        wait: Duration,
        location: Location,
    ) -> Result<Self, StoreError> {
        let mut conversation = Conversation { connection, wait, has_ended: false };
        conversation.say(begin).await.map_err(|e| StoreError::sort(&location, "begin a transaction", e))?;
        Ok(Self { on: On::Postgres(conversation), location })
    }

    /// All rows of a statement, in no order.
    pub async fn all<T: Stored>(&mut self, statement: Statement, values: &[Value<'_>]) -> Result<Vec<T>, StoreError> {
        self.on.all(statement.sql, values).await.map_err(|e| self.error(statement.does, e))
    }

    /// The first row, if there is any.
    pub async fn first<T: Stored>(&mut self, statement: Statement, values: &[Value<'_>]) -> Result<Option<T>, StoreError> {
        Ok(self.all(statement, values).await?.into_iter().next())
    }

    /// The row of a statement that always gives one.
    pub async fn one<T: Stored>(&mut self, statement: Statement, values: &[Value<'_>]) -> Result<T, StoreError> {
        self.first(statement, values).await?.ok_or_else(|| self.error(statement.does, sqlx::Error::RowNotFound))
    }

    /// Runs a statement that changes rows.
    pub async fn run(&mut self, statement: Statement, values: &[Value<'_>]) -> Result<(), StoreError> {
        self.execute(statement.does, statement.sql.into_sql_str(), values).await
    }

    /// Inserts up to [`INSERT_ROWS`] rows with one statement.
    pub async fn insert<const COLUMNS: usize>(
        &mut self,
        insert: Insert,
        rows: &[[Value<'_>; COLUMNS]],
    ) -> Result<(), StoreError> {
        debug_assert!((1..=INSERT_ROWS).contains(&rows.len()), "an insert of {} rows", rows.len());
        let sql = insert_text(insert.into, rows.len(), COLUMNS);
        self.execute(insert.does, AssertSqlSafe(sql).into_sql_str(), rows.as_flattened()).await
    }

    /// Ends the transaction; only now is there what it wrote.
    pub async fn commit(self) -> Result<(), StoreError> {
        let Self { on, location } = self;
        on.commit().await.map_err(|e| StoreError::sort(&location, "commit", e))
    }

    async fn execute(&mut self, does: &'static str, sql: SqlStr, values: &[Value<'_>]) -> Result<(), StoreError> {
        self.on.execute(sql, values).await.map_err(|e| self.error(does, e))
    }

    fn error(&self, does: &'static str, source: sqlx::Error) -> StoreError {
        StoreError::sort(&self.location, does, source)
    }
}

/// What comes back within the time.
pub(crate) async fn answer<T>(wait: Duration, answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    tokio::time::timeout(wait, answer).await.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}

/// The values as a driver takes them.
fn arguments<'a, DB>(values: &[Value<'a>]) -> Result<DB::Arguments, sqlx::Error>
where
    DB: Database,
    &'a str: Encode<'a, DB> + Type<DB>,
    i64: Encode<'a, DB> + Type<DB>,
    Option<i64>: Encode<'a, DB> + Type<DB>,
{
    let mut arguments = DB::Arguments::default();
    for value in values {
        match *value {
            Value::Text(text) => arguments.add(text),
            Value::Number(number) => arguments.add(number),
            Value::NumberOrNull(number) => arguments.add(number),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// `INSERT INTO … VALUES ($1,$2),($3,$4)`.
pub(crate) fn insert_text(into: &str, rows: usize, columns: usize) -> String {
    let mut sql = ["INSERT INTO ", into, " VALUES "].concat();
    for n in 0..rows * columns {
        sql.push_str(match (n % columns, n) {
            (0, 0) => "($",
            (0, _) => "),($",
            _ => ",$",
        });
        sql.push_str(&(n + 1).to_string());
    }
    sql.push(')');
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_insert_numbers_its_values_through() {
        assert_eq!(insert_text("t (a, b)", 2, 2), "INSERT INTO t (a, b) VALUES ($1,$2),($3,$4)");
        assert_eq!(insert_text("t (a)", 1, 1), "INSERT INTO t (a) VALUES ($1)");
    }
}
