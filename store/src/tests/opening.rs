//! Opening: the schema and its migrations, other versions, other files, readers beside a writer.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqlSafeStr, SqliteConnection};

use super::{Home, Scene, on_both, runtime, tenant};
use crate::database::{MIGRATIONS, Pool};
use crate::session::insert_text;
use crate::statements::{ALL, ALL_INSERTS, Statement};
use crate::{ImportKind, Limits, Store, StoreError};

on_both![
    every_statement_is_understood,
    a_database_from_a_newer_version_is_left_alone,
    a_reader_asks_for_a_migration_instead_of_making_it,
    a_state_that_is_not_there_is_missing,
    readers_work_while_a_writer_is_in_its_transaction,
    what_was_committed_is_there_after_reopening,
];

/// Table, column and whether it may be null, or what else makes up a schema; white space evened out.
type Schema = Vec<(String, String)>;

async fn empty() -> SqliteConnection {
    SqliteConnection::connect("sqlite::memory:").await.expect("a database in memory")
}

async fn schema_of(sql: &mut SqliteConnection) -> Schema {
    let all: Vec<(String, Option<String>)> = sqlx::query_as(
        "SELECT name, sql FROM sqlite_master WHERE name <> '_sqlx_migrations' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )
    .fetch_all(sql)
    .await
    .expect("the schema");
    let even = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    all.into_iter().map(|(name, sql)| (name, even(sql.unwrap_or_default()))).collect()
}

async fn server_schema_of(sql: &mut PgConnection) -> Schema {
    let columns = "SELECT table_name || '.' || column_name, data_type || ' ' || is_nullable FROM information_schema.columns \
                   WHERE table_schema = current_schema() AND table_name <> '_sqlx_migrations' \
                   UNION ALL SELECT table_name || ' key', column_name || ' ' || ordinal_position \
                   FROM information_schema.key_column_usage \
                   WHERE table_schema = current_schema() AND table_name <> '_sqlx_migrations' ORDER BY 1, 2";
    sqlx::query_as(columns).fetch_all(sql).await.expect("the schema")
}

/// An empty schema, and a connection in it.
async fn empty_schema(home: &Home) -> PgConnection {
    let Home::Schema { url, name } = home else { panic!("a schema") };
    let mut sql = PgConnection::connect(url).await.expect("the server");
    let make = format!("CREATE SCHEMA \"{name}\"; SET search_path = \"{name}\"");
    sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut sql).await.expect("a schema");
    sql
}

#[tokio::test]
async fn the_migrations_add_up_to_the_schema_file() {
    let (mut migrated, mut whole) = (empty().await, empty().await);
    MIGRATIONS.run(&mut migrated).await.expect("migrations");
    sqlx::raw_sql(include_str!("../../schema.sql")).execute(&mut whole).await.expect("schema.sql");
    let schema = schema_of(&mut migrated).await;
    assert_eq!(schema, schema_of(&mut whole).await);
    assert!(schema.len() >= 5, "{schema:?}");
}

#[test]
fn the_migrations_add_up_to_the_schema_file_on_a_server() {
    let (one, other) = (Home::schema(), Home::schema());
    runtime().block_on(async {
        let (mut migrated, mut whole) = (empty_schema(&one).await, empty_schema(&other).await);
        MIGRATIONS.run(&mut migrated).await.expect("migrations");
        sqlx::raw_sql(include_str!("../../schema.sql")).execute(&mut whole).await.expect("schema.sql");
        let schema = server_schema_of(&mut migrated).await;
        assert_eq!(schema, server_schema_of(&mut whole).await);
        assert!(schema.len() >= 30, "{schema:?}");
    });
}

#[tokio::test]
async fn every_migration_can_run_twice() {
    let mut sql = empty().await;
    MIGRATIONS.run(&mut sql).await.expect("the first run");
    let first = schema_of(&mut sql).await;
    MIGRATIONS.run(&mut sql).await.expect("the second run");
    for migration in MIGRATIONS.iter() {
        sqlx::raw_sql(AssertSqlSafe(migration.sql.as_str().to_owned())).execute(&mut sql).await.expect("by itself, again");
    }
    assert_eq!(schema_of(&mut sql).await, first);
}

#[test]
fn every_migration_can_run_twice_on_a_server() {
    let home = Home::schema();
    runtime().block_on(async {
        let mut sql = empty_schema(&home).await;
        MIGRATIONS.run(&mut sql).await.expect("the first run");
        let first = server_schema_of(&mut sql).await;
        MIGRATIONS.run(&mut sql).await.expect("the second run");
        for migration in MIGRATIONS.iter() {
            sqlx::raw_sql(AssertSqlSafe(migration.sql.as_str().to_owned())).execute(&mut sql).await.expect("by itself, again");
        }
        assert_eq!(server_schema_of(&mut sql).await, first);
    });
}

#[test]
fn migrations_are_numbered_and_named() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|f| f.expect("a file").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names.len(), MIGRATIONS.iter().count());
    for (number, name) in (1..).zip(&names) {
        assert!(name.strip_prefix(&format!("{number:04}_")).is_some_and(|rest| rest.split_once('_').is_some()), "{name}");
    }
}

#[test]
fn the_lists_of_statements_are_whole() {
    let text = include_str!("../statements.rs");
    assert_eq!(text.matches(": Statement =").count(), ALL.len());
    assert_eq!(text.matches(": Insert =").count(), ALL_INSERTS.len());
}

async fn every_statement_is_understood(scene: Scene) {
    let inserts = ALL_INSERTS.map(|i| insert_text(i.into, 3, i.into.split(',').count()));
    for sql in ALL.map(|s| s.sql.to_owned()).into_iter().chain(inserts) {
        let understood = match &scene.store.pool {
            Pool::Sqlite(pool) => pool.prepare(AssertSqlSafe(sql.clone()).into_sql_str()).await.map(drop),
            Pool::Postgres(pool) => pool.prepare(AssertSqlSafe(sql.clone()).into_sql_str()).await.map(drop),
        };
        assert!(understood.is_ok(), "{sql}: {understood:?}");
    }
}

async fn a_database_from_a_newer_version_is_left_alone(scene: Scene) {
    scene
        .tamper(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             SELECT 9001, 'later', TRUE, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
        )
        .await;
    for opened in [Store::open(scene.location(), &Limits::default(), &tenant()).await, scene.read_only().await] {
        assert!(matches!(opened, Err(StoreError::Newer { found: 9001, .. })), "{opened:?}");
    }
}

async fn a_reader_asks_for_a_migration_instead_of_making_it(scene: Scene) {
    scene.tamper("DELETE FROM _sqlx_migrations WHERE version > 2").await;
    let opened = scene.read_only().await;
    assert!(matches!(opened, Err(StoreError::Older { found: 2, .. })), "{opened:?}");
}

async fn a_state_that_is_not_there_is_missing(scene: Scene) {
    let elsewhere = match scene.location() {
        crate::Location::File(path) => crate::Location::File(path.with_file_name("other.sqlite")),
        crate::Location::Server(_) => {
            let url = std::env::var("TOLLWAY_POSTGRES").expect("the server");
            crate::Location::named(Some(&url), "nobody_made_it", std::path::Path::new("")).expect("an address")
        }
    };
    let opened = Store::open_read_only(&elsewhere, &Limits::default(), &tenant()).await;
    let error = opened.expect_err("nothing is there");
    assert!(matches!(error, StoreError::Missing(_)), "{error:?}");
    assert!(error.to_string().contains(&elsewhere.to_string()), "{error}");
}

#[tokio::test]
async fn other_files_and_missing_folders_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let (limits, tenant) = (Limits::default(), tenant());
    let file = folder.path().join("state.sqlite");
    std::fs::write(&file, "a text that is no database\n".repeat(100)).expect("a text file");
    let location = file.as_path().into();
    assert!(matches!(Store::open(&location, &limits, &tenant).await, Err(StoreError::NotADatabase(_))));
    assert!(matches!(Store::open_read_only(&location, &limits, &tenant).await, Err(StoreError::NotADatabase(_))));
    let nowhere = folder.path().join("none/state.sqlite").as_path().into();
    assert!(matches!(Store::open(&nowhere, &limits, &tenant).await, Err(StoreError::Denied(_))));
}

async fn readers_work_while_a_writer_is_in_its_transaction(scene: Scene) {
    scene.devices(1, "D1,31612345678,C1,P1,2025-01-01T00:00:00Z,\n").await;
    let mut writing = scene.store.write().await.expect("the write lock");
    let erase = Statement { does: "erase", sql: "DELETE FROM link_windows" };
    writing.run(erase, &[]).await.expect("an uncommitted change");
    let reader = scene.read_only().await.expect("a reader");
    assert_eq!(reader.load_reference(None).await.expect("a reference").identifiers.len(), 1);
    drop(writing);
    assert_eq!(reader.load_reference(None).await.expect("a reference").identifiers.len(), 1);
    let denied = reader.apply_import(2, &super::rows(ImportKind::Plans, "plan_id\nP9\n")).await;
    assert!(matches!(denied, Err(StoreError::Denied(_))), "{denied:?}");
}

async fn what_was_committed_is_there_after_reopening(scene: Scene) {
    scene.devices(1, "D1,31612345678,C1,P1,2025-01-01T00:00:00Z,\n").await;
    let (location, before) = (scene.location().clone(), scene.reference(None).await);
    scene.store.close().await;
    let again = Store::open(&location, &Limits::default(), &tenant()).await.expect("the state");
    let again = again.load_reference(None).await.expect("a reference");
    assert_eq!((again.version, again.identifiers), (before.version, before.identifiers));
}
