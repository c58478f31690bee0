//! Both stores against the contract, and what only one of them does.

use std::sync::atomic::AtomicI64;

use proptest::prelude::{any, prop};
use proptest::{prop_assert, prop_assert_eq, proptest};
use tempfile::TempDir;

use super::memory::{Fault, MemoryStore, Operation};
use super::*;

struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

static EPOCH: TestClock = TestClock(AtomicI64::new(0));

fn store(root: &Path) -> LocalStore {
    LocalStore::open(root, SyncPolicy::Full, &EPOCH).expect("a store")
}

fn staged_files(root: &Path) -> usize {
    fs::read_dir(root.join(STAGING)).map_or(0, Iterator::count)
}

#[test]
fn the_local_store_keeps_the_contract() {
    let root = TempDir::new().expect("a folder");
    for sync in [SyncPolicy::Full, SyncPolicy::None] {
        let mut stores = 0;
        blob_contract::run(&mut || {
            stores += 1;
            let root = root.path().join(format!("{sync:?}/below/{stores}"));
            Box::new(LocalStore::open(root, sync, &EPOCH).expect("a store"))
        });
    }
}

#[test]
fn the_memory_store_keeps_the_contract() {
    blob_contract::run(&mut || Box::new(MemoryStore::new()));
}

#[test]
fn nothing_is_left_in_staging() {
    let root = TempDir::new().expect("a folder");
    let store = store(root.path());
    store.put_if_absent("a/x", b"1").expect("published");
    store.put_if_absent("a/x", b"2").expect_err("taken");
    store.put_if_absent("../x", b"3").expect_err("outside");
    drop(store.stage().expect("staged"));
    assert_eq!(staged_files(root.path()), 0);
}

#[test]
fn what_a_crash_left_in_staging_goes_after_an_hour() {
    let root = TempDir::new().expect("a folder");
    let left = root.path().join(STAGING).join("left");
    fs::create_dir_all(left.parent().expect("a parent")).expect("a folder");
    fs::write(&left, b"half").expect("a write");
    let written_us = modified_us(&fs::metadata(&left).expect("a file"));
    let hour_later = TestClock(AtomicI64::new(written_us + STALE_US));
    LocalStore::open(root.path(), SyncPolicy::Full, &hour_later).expect("a store");
    assert_eq!(staged_files(root.path()), 1, "its writer may still be at it");
    let later = TestClock(AtomicI64::new(written_us + STALE_US + 1));
    let store = LocalStore::open(root.path(), SyncPolicy::Full, &later).expect("a store");
    assert_eq!(staged_files(root.path()), 0);
    assert_eq!(store.list("").expect("a listing"), []);
}

#[test]
fn an_object_whose_temporary_file_was_removed_is_not_published() {
    let root = TempDir::new().expect("a folder");
    let store = store(root.path());
    let staged = store.stage().expect("staged");
    fs::remove_dir_all(root.path().join(STAGING)).expect("removed");
    let refused = staged.publish("a/x");
    assert!(matches!(&refused, Err(BlobError::Io { path, .. }) if path == "a/x"), "{refused:?}");
    store.put_if_absent("a/x", b"again").expect("staging is made anew");
}

#[test]
fn a_folder_that_was_removed_is_made_again() {
    let root = TempDir::new().expect("a folder");
    let store = store(root.path());
    store.put_if_absent("t/part/x", b"1").expect("published");
    fs::remove_dir_all(root.path().join("t")).expect("removed");
    store.put_if_absent("t/part/x", b"2").expect("published");
    assert_eq!(store.get("t/part/x").expect("the second"), b"2");
}

#[test]
fn opening_makes_nothing_and_a_file_is_no_store() {
    let root = TempDir::new().expect("a folder");
    let absent = root.path().join("absent");
    let store = store(&absent);
    assert_eq!(store.list("").expect("a listing"), []);
    assert!(matches!(store.get("x"), Err(BlobError::NotFound(_))));
    assert!(!absent.exists(), "reading commands leave no trace");
    fs::write(&absent, b"a file").expect("a write");
    assert!(LocalStore::open(absent, SyncPolicy::Full, &EPOCH).is_err());
}

#[test]
fn a_full_disk_and_a_read_only_folder_are_told_apart() {
    use std::io::Error;
    let sorted = |code| io_error("x", Error::from_raw_os_error(code));
    // Linux: ENOSPC, EDQUOT, EACCES, EROFS.
    assert!(matches!((sorted(28), sorted(122)), (BlobError::Full(_), BlobError::Full(_))));
    assert!(matches!((sorted(13), sorted(30)), (BlobError::Denied(_), BlobError::Denied(_))));
}

#[test]
fn a_device_without_space_publishes_nothing() {
    // /dev/full answers every write with ENOSPC.
    let root = TempDir::new().expect("a folder");
    fs::create_dir_all(root.path().join(STAGING)).expect("a folder");
    let store = store(root.path());
    let first = root.path().join(STAGING).join(format!("{:016x}-{:08x}", store.shared.session, 0));
    let file = OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    std::os::unix::fs::symlink("/dev/full", &first).expect("a link");
    let staged = StagedFile { store: Arc::clone(&store.shared), temporary: first, file: BufWriter::with_capacity(8, file) };
    let mut staged: Box<dyn StagedBlob> = Box::new(staged);
    staged.write_all(b"fits").expect("gathered");
    assert!(matches!(staged.publish("a/x"), Err(BlobError::Full(path)) if path == "a/x"));
    assert_eq!(store.list("").expect("a listing"), []);
}

#[test]
fn faults_happen_or_not_as_planned() {
    let store = MemoryStore::new();
    let plan = [Fault::Fail, Fault::Full, Fault::AmbiguousUndone, Fault::AmbiguousDone];
    store.set_faults(Some(Box::new(move |nth, operation| {
        assert_eq!(operation, Operation::Publish("a/x"));
        plan[usize::try_from(nth).expect("four operations")]
    })));
    let publish = || store.put_if_absent("a/x", b"1");
    assert!(matches!(publish(), Err(BlobError::Io { .. })));
    assert!(matches!(publish(), Err(BlobError::Full(_))));
    assert!(matches!(publish(), Err(BlobError::Ambiguous(_))));
    store.set_faults(None);
    assert!(matches!(store.get("a/x"), Err(BlobError::NotFound(_))), "none of the three happened");
    assert_eq!(store.operations(), 4);
    store.set_faults(Some(Box::new(|_, _| Fault::AmbiguousDone)));
    assert!(matches!(store.put_if_absent("a/x", b"2"), Err(BlobError::Ambiguous(_))));
    store.set_faults(None);
    assert_eq!(store.get("a/x").expect("it happened"), b"2");
}

#[test]
fn memory_stamps_follow_the_clock() {
    let store = MemoryStore::with_clock(Arc::new(TestClock(AtomicI64::new(42))));
    store.put_if_absent("x", b"").expect("published");
    assert_eq!(store.list("").expect("a listing")[0].modified_us, 42);
}

proptest! {
    #[test]
    fn no_path_escapes_the_root(parts in prop::collection::vec("[.a/\\\\]{0,4}", 0..6), bytes in any::<[u8; 4]>()) {
        let outside = TempDir::new().expect("a folder");
        let root = outside.path().join("deep/root");
        let store = LocalStore::open(&root, SyncPolicy::None, &EPOCH).expect("a store");
        let path = parts.join("/");
        let taken = store.put_if_absent(&path, &bytes).is_ok();
        let below = fs::read_dir(outside.path()).expect("a folder").count();
        prop_assert!(below <= 1 && !outside.path().join("deep/a").exists(), "{path:?} escaped");
        prop_assert_eq!(store.get(&path).is_ok(), taken);
    }
}
