//! Opening: the schema and its migrations, other versions, other files, readers beside a writer.

use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::{Scene, tenant};
use crate::database::MIGRATIONS;
use crate::{Store, StoreError};

async fn empty() -> SqliteConnection {
    SqliteConnection::connect("sqlite::memory:").await.expect("a database in memory")
}

/// What a schema is: every object's statement, white space evened out.
async fn schema_of(sql: &mut SqliteConnection) -> Vec<(String, String)> {
    let all: Vec<(String, Option<String>)> = sqlx::query_as(
        "SELECT name, sql FROM sqlite_master WHERE name <> '_sqlx_migrations' AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )
    .fetch_all(sql)
    .await
    .expect("the schema");
    let even = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    all.into_iter().map(|(name, sql)| (name, even(sql.unwrap_or_default()))).collect()
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

#[tokio::test]
async fn a_database_from_a_newer_version_is_left_alone() {
    let scene = Scene::new().await;
    sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9001, 'later', TRUE, x'00', 0)")
        .execute(&scene.store.pool)
        .await
        .expect("a later migration");
    for opened in [Store::open(&scene.path(), &tenant()).await, Store::open_read_only(&scene.path(), &tenant()).await] {
        assert!(matches!(opened, Err(StoreError::Newer { found: 9001, .. })), "{opened:?}");
    }
}

#[tokio::test]
async fn a_reader_asks_for_a_migration_instead_of_making_it() {
    let scene = Scene::new().await;
    sqlx::query("DELETE FROM _sqlx_migrations WHERE version > 2").execute(&scene.store.pool).await.expect("an older state");
    let opened = Store::open_read_only(&scene.path(), &tenant()).await;
    assert!(matches!(opened, Err(StoreError::Older { found: 2, .. })), "{opened:?}");
}

#[tokio::test]
async fn other_files_and_missing_ones_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("state.sqlite");
    assert!(matches!(Store::open_read_only(&file, &tenant()).await, Err(StoreError::Missing(path)) if path == file));
    std::fs::write(&file, "a text that is no database\n".repeat(100)).expect("a text file");
    assert!(matches!(Store::open(&file, &tenant()).await, Err(StoreError::NotADatabase(_))));
    assert!(matches!(Store::open_read_only(&file, &tenant()).await, Err(StoreError::NotADatabase(_))));
    let nowhere = folder.path().join("none/state.sqlite");
    assert!(matches!(Store::open(&nowhere, &tenant()).await, Err(StoreError::Denied(_))));
}

#[tokio::test]
async fn readers_work_while_a_writer_is_in_its_transaction() {
    let scene = Scene::new().await;
    scene.devices(1, "D1,31612345678,C1,P1,2025-01-01T00:00:00Z,\n").await;
    let mut writing = scene.store.write().await.expect("the write lock");
    sqlx::query("DELETE FROM link_windows").execute(&mut *writing).await.expect("an uncommitted change");
    let reader = Store::open_read_only(&scene.path(), &tenant()).await.expect("a reader");
    assert_eq!(reader.load_reference(None).await.expect("a reference").identifiers.len(), 1);
    drop(writing);
    assert_eq!(reader.load_reference(None).await.expect("a reference").identifiers.len(), 1);
    let denied = reader.apply_import(2, &super::rows(crate::ImportKind::Plans, "plan_id\nP9\n")).await;
    assert!(matches!(denied, Err(StoreError::Denied(_))), "{denied:?}");
}

#[tokio::test]
async fn what_was_committed_is_there_after_reopening() {
    let scene = Scene::new().await;
    scene.devices(1, "D1,31612345678,C1,P1,2025-01-01T00:00:00Z,\n").await;
    let (path, before) = (scene.path(), scene.reference(None).await);
    scene.store.close().await;
    let again = Store::open(&path, &tenant()).await.expect("the database").load_reference(None).await.expect("a reference");
    assert_eq!((again.version, again.identifiers), (before.version, before.identifiers));
}
