//! The table log: entries, lost and unknown attempts, checkpoints, trimmed logs, damage and newer versions.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use domain::ports::{Blob, BlobError};

use super::DeltaError;
use super::action::{Action, Add, CommitInfo, Txn};
use super::checkpoint;
use super::log::{Attempt, DeltaLog};
use crate::local_store::memory::{Fault, MemoryStore, Operation};

fn table() -> (MemoryStore, DeltaLog) {
    let store = MemoryStore::new();
    let log = DeltaLog::new(Arc::new(store.clone()), "tables/t");
    let schema = Schema::new(vec![Field::new("row", DataType::Int64, false)]);
    log.create("t", &schema, &["month"], "0123456789abcdef0123456789abcdef", 1).expect("a new table");
    (store, log)
}

fn info(id: &str) -> CommitInfo {
    CommitInfo { commit_id: id.to_owned(), accounts: vec!["main/kpn/haven".to_owned()], ..CommitInfo::default() }
}

fn add(path: &str) -> Action {
    let add = Add {
        path: path.to_owned(),
        partition_values: BTreeMap::from([("month".to_owned(), Some("2026-10".to_owned()))]),
        size: 10,
        modification_time: 1,
        data_change: true,
        stats: Some("{\"numRecords\":3}".to_owned()),
        tags: Some(BTreeMap::from([("tollway.version".to_owned(), "1".to_owned())])),
    };
    Action { add: Some(add), ..Action::default() }
}

fn position(app_id: &str, version: i64) -> Action {
    Action { txn: Some(Txn { app_id: app_id.to_owned(), version, last_updated: None }), ..Action::default() }
}

#[test]
fn a_commit_shows_its_files_and_positions_together() {
    let (_, log) = table();
    let attempt = log.attempt(1, &info("a"), &[add("month=2026-10/x.parquet"), position("rate/i/t/0", 7)]);
    assert_eq!(attempt.expect("a commit"), Attempt::Committed);
    let snapshot = log.load().expect("the table");
    assert_eq!((snapshot.version, snapshot.files.len(), snapshot.position("rate/i/t/0")), (Some(1), 1, 7));
    assert_eq!(snapshot.position("rate/i/t/1"), 0);
    assert_eq!(snapshot.files["month=2026-10/x.parquet"].rows(), Some(3));
}

#[test]
fn a_former_version_is_as_it_was() {
    let (store, log) = table();
    for version in 1..=4 {
        let actions = [add(&format!("f{version}")), position("rate/i/t/0", i64::try_from(version).expect("small") * 10)];
        assert_eq!(log.attempt(version, &info(&format!("c{version}")), &actions).expect("a commit"), Attempt::Committed);
        if version == 2 {
            checkpoint::write(&store, log.root(), &log.load().expect("the table")).expect("a checkpoint");
        }
    }
    for (version, position) in [(0, 0), (1, 10), (2, 20), (3, 30), (4, 40)] {
        let former = log.load_at(version).expect("all entries are there");
        assert_eq!((former.version, former.files.len() as u64), (Some(version), version));
        assert_eq!(former.position("rate/i/t/0"), position, "positions are those of then, too");
    }
}

#[test]
fn of_two_writers_one_wins_and_the_other_knows() {
    let (_, log) = table();
    assert_eq!(log.attempt(1, &info("a"), &[add("a")]).expect("a commit"), Attempt::Committed);
    assert_eq!(log.attempt(1, &info("b"), &[add("b")]).expect("an answer"), Attempt::Lost);
    assert_eq!(log.load().expect("the table").files.keys().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn an_unknown_outcome_is_decided_by_reading_the_entry() {
    for (fault, attempts_at_store) in [(Fault::AmbiguousDone, 1), (Fault::AmbiguousUndone, 2)] {
        let (store, log) = table();
        let mut puts = 0;
        store.set_faults(Some(Box::new(move |_, operation| match operation {
            Operation::Publish(_) => {
                puts += 1;
                assert!(puts <= attempts_at_store, "{fault:?}: nothing is offered again once it is decided");
                if puts == 1 { fault } else { Fault::None }
            }
            _ => Fault::None,
        })));
        assert_eq!(log.attempt(1, &info("a"), &[add("a")]).expect("a decision"), Attempt::Committed, "{fault:?}");
        store.set_faults(None);
        assert_eq!(log.load().expect("the table").version, Some(1), "{fault:?}: one entry, not two");
    }
}

#[test]
fn an_unknown_outcome_that_another_writer_decided_is_lost() {
    let (store, log) = table();
    assert_eq!(log.attempt(1, &info("other"), &[add("other")]).expect("a commit"), Attempt::Committed);
    store.set_faults(Some(Box::new(|_, operation| match operation {
        Operation::Publish(_) => Fault::AmbiguousUndone,
        _ => Fault::None,
    })));
    assert_eq!(log.attempt(1, &info("ours"), &[add("ours")]).expect("a decision"), Attempt::Lost);
}

#[test]
fn a_full_store_is_an_error_and_no_commit() {
    let (store, log) = table();
    store.set_faults(Some(Box::new(|_, operation| match operation {
        Operation::Publish(_) => Fault::Full,
        _ => Fault::None,
    })));
    let failed = log.attempt(1, &info("a"), &[add("a")]);
    assert!(matches!(failed, Err(DeltaError::Blob(BlobError::Full(_)))), "{failed:?}");
    store.set_faults(None);
    assert_eq!(log.load().expect("the table").version, Some(0));
}

#[test]
fn a_checkpoint_holds_everything_so_that_older_entries_may_go() {
    let (store, log) = table();
    for version in 1..=4 {
        let actions = [add(&format!("f{version}")), position("rate/i/t/0", i64::try_from(version).expect("small") * 10)];
        assert_eq!(log.attempt(version, &info(&format!("c{version}")), &actions).expect("a commit"), Attempt::Committed);
    }
    let mut behind = log.load().expect("the table");
    let whole = behind.clone();
    checkpoint::write(&store, log.root(), &whole).expect("a checkpoint");
    for version in 0..=4 {
        store.delete(&format!("tables/t/_delta_log/{version:020}.json")).expect("a trimmed entry");
    }
    let loaded = log.load().expect("from the checkpoint alone");
    assert_eq!((loaded.version, &loaded.files, &loaded.positions), (whole.version, &whole.files, &whole.positions));
    assert_eq!((&loaded.meta, &loaded.protocol), (&whole.meta, &whole.protocol));

    // What was before the checkpoint cannot be told any more; it and what comes after can.
    let former = log.load_at(3).expect_err("its entries are gone");
    assert!(matches!(&former, DeltaError::Trimmed { version: 3, path } if path.ends_with("00000.json")), "{former}");
    assert_eq!(log.load_at(4).expect("the checkpoint").files, whole.files);

    // A writer that stood at version 2 meets a gap: it must reload and assume that anything may have changed.
    behind.version = Some(2);
    assert_eq!(log.refresh(&mut behind).expect("a reload"), None);
    assert_eq!(behind.version, Some(4));
}

/// A writer sleeps between its look and its put; others commit, write a checkpoint and trim, so its version is free again.
#[test]
fn a_put_below_a_newer_checkpoint_is_lost_and_leaves_nothing() {
    for fault in [Fault::None, Fault::AmbiguousDone] {
        let (store, log) = table();
        let mut asleep = log.load().expect("the table");
        for version in 1..=3 {
            let actions = [add(&format!("f{version}")), position("rate/i/t/0", i64::try_from(version).expect("small") * 10)];
            assert_eq!(log.attempt(version, &info(&format!("c{version}")), &actions).expect("a commit"), Attempt::Committed);
        }
        let others = log.load().expect("the table");
        checkpoint::write(&store, log.root(), &others).expect("a checkpoint");
        for version in 0..=3 {
            store.delete(&format!("tables/t/_delta_log/{version:020}.json")).expect("a trimmed entry");
        }
        store.set_faults(Some(Box::new(move |_, operation| match operation {
            Operation::Publish(_) => fault,
            _ => Fault::None,
        })));
        let late = log.attempt(1, &info("late"), &[add("late"), position("rate/i/t/0", 10)]).expect("an answer");
        store.set_faults(None);
        assert_eq!(late, Attempt::Lost, "{fault:?}");
        assert_eq!(log.refresh(&mut asleep).expect("a reload"), None, "anything may have changed");
        assert_eq!((asleep.version, &asleep.files), (others.version, &others.files));
        assert_eq!(
            log.attempt(4, &info("again"), &[add("f4")]).expect("a commit"),
            Attempt::Committed,
            "the next version is free"
        );
    }
}

#[test]
fn what_a_newer_program_wrote_and_what_is_damaged_is_named() {
    let (store, log) = table();
    let newer = "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7}}\n";
    store.put_if_absent("tables/t/_delta_log/00000000000000000001.json", newer.as_bytes()).expect("an entry");
    assert!(matches!(log.load(), Err(DeltaError::Newer { .. })));

    let (store, log) = table();
    store.put_if_absent("tables/t/_delta_log/00000000000000000001.json", b"{\"txn\":\n").expect("an entry");
    let error = log.load().expect_err("damage").to_string();
    assert!(error.contains("00000000000000000001.json` line 1"), "{error}");
}

#[test]
fn an_entry_that_is_missing_among_others_is_damage_and_named() {
    let (store, log) = table();
    for version in 1..=3 {
        let attempt = log.attempt(version, &info(&version.to_string()), &[add(&version.to_string())]);
        assert_eq!(attempt.expect("a commit"), Attempt::Committed);
    }
    let mut snapshot = log.load().expect("the table");
    let stale = snapshot.clone();
    store.delete("tables/t/_delta_log/00000000000000000002.json").expect("removed");
    let error = log.load().expect_err("a gap");
    assert!(matches!(&error, DeltaError::Entry { path, .. } if path.ends_with("02.json")), "{error}");
    assert_eq!(log.refresh(&mut snapshot).expect("nothing new"), Some(Vec::new()), "who is past it sees no gap");
    let mut behind = stale;
    behind.version = Some(1);
    assert!(matches!(log.refresh(&mut behind), Err(DeltaError::Entry { .. })), "who is not past it does not go round for ever");
}
