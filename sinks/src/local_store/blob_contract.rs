//! What every object store must do, as tests that an implementation runs over itself. A case panics when the contract is
//! broken.

use std::sync::Barrier;

use domain::ports::{Blob, BlobError};

/// A case of the contract, on an empty store.
pub type Case = fn(&dyn Blob);

/// All cases by name.
pub const CASES: &[(&str, Case)] = &[
    ("what was published comes back whole and in parts", comes_back),
    ("what is settled later is there at once", unsettled_is_visible),
    ("a taken name is refused and its object unchanged", taken_names_are_refused),
    ("of many who publish one name, one wins", one_of_many_wins),
    ("what was not published is not visible", staged_is_invisible),
    ("a range beyond the end is an error", ranges_have_an_end),
    ("absent objects are told apart", absent_is_not_found),
    ("listings are sorted, recursive and by folder", listings_are_sorted),
    ("deleting frees the name", deleting_frees_the_name),
    ("names never leave the root", names_stay_inside),
];

/// Runs all cases, each on a fresh, empty store.
pub fn run(fresh: &mut dyn FnMut() -> Box<dyn Blob>) {
    for (name, case) in CASES {
        let store = fresh();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| case(&*store)));
        assert!(outcome.is_ok(), "broken contract: {name}");
    }
}

fn put(store: &dyn Blob, path: &str, bytes: &[u8]) {
    store.put_if_absent(path, bytes).expect("a free name");
}

fn comes_back(store: &dyn Blob) {
    let bytes: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let mut staged = store.stage().expect("staged");
    for part in bytes.chunks(7_001) {
        staged.write_all(part).expect("written");
    }
    staged.publish("a/b/c.bin").expect("published");
    assert_eq!(store.size("a/b/c.bin").expect("its size"), bytes.len() as u64);
    assert!(store.get("a/b/c.bin").expect("its bytes") == bytes);
    assert_eq!(store.get_range("a/b/c.bin", 100_000..100_020).expect("a part"), bytes[100_000..100_020]);
    assert_eq!(store.get_range("a/b/c.bin", 5..5).expect("nothing"), Vec::<u8>::new());
    put(store, "empty", b"");
    assert_eq!(store.get("empty").expect("no bytes"), Vec::<u8>::new());
}

fn unsettled_is_visible(store: &dyn Blob) {
    for name in ["a/x", "a/y"] {
        let mut staged = store.stage().expect("staged");
        staged.write_all(name.as_bytes()).expect("written");
        staged.publish_unsettled(name).expect("published");
        assert_eq!(store.get(name).expect("its bytes"), name.as_bytes());
    }
    let again = store.stage().expect("staged").publish_unsettled("a/x");
    assert!(matches!(&again, Err(BlobError::AlreadyExists(path)) if path == "a/x"), "{again:?}");
    store.settle("a/").expect("settled");
    store.settle("empty/").expect("nothing is to be settled");
    assert_eq!(store.list("a/").expect("both").len(), 2);
}

fn taken_names_are_refused(store: &dyn Blob) {
    put(store, "a/x", b"one");
    for bytes in [&b"two"[..], b"one"] {
        let refused = store.put_if_absent("a/x", bytes);
        assert!(matches!(&refused, Err(BlobError::AlreadyExists(path)) if path == "a/x"), "{refused:?}");
    }
    assert_eq!(store.get("a/x").expect("the first"), b"one");
    put(store, "a/y", b"two");
}

fn one_of_many_wins(store: &dyn Blob) {
    let barrier = Barrier::new(4);
    let contend = |n: u8| {
        barrier.wait();
        (0..25).filter(|round| store.put_if_absent(&format!("race/{round}"), &[n]).is_ok()).collect::<Vec<u8>>()
    };
    let wins: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let contenders: Vec<_> = (0..4).map(|n| scope.spawn(move || contend(n))).collect();
        contenders.into_iter().map(|c| c.join().expect("no panic")).collect()
    });
    for round in 0..25 {
        let winners: Vec<usize> = (0..4).filter(|n| wins[*n].contains(&round)).collect();
        let [winner] = winners[..] else { panic!("round {round} was won by {winners:?}") };
        assert_eq!(usize::from(store.get(&format!("race/{round}")).expect("an object")[0]), winner);
    }
}

fn staged_is_invisible(store: &dyn Blob) {
    let mut staged = store.stage().expect("staged");
    staged.write_all(b"half").expect("written");
    assert_eq!(store.list("").expect("a listing"), Vec::new());
    drop(staged);
    assert_eq!(store.list("").expect("a listing"), Vec::new());
}

fn ranges_have_an_end(store: &dyn Blob) {
    put(store, "x", b"0123456789");
    let backwards = std::ops::Range { start: 6, end: 5 };
    for range in [5..11, 10..11, 11..11, backwards, 0..u64::MAX] {
        let refused = store.get_range("x", range.clone());
        assert!(matches!(refused, Err(BlobError::Io { .. })), "{range:?} gave {refused:?}");
    }
    assert_eq!(store.get_range("x", 10..10).expect("nothing"), Vec::<u8>::new());
}

fn absent_is_not_found(store: &dyn Blob) {
    put(store, "a/b", b"x");
    for path in ["nothing", "a", "a/b/c", "a/c"] {
        assert!(matches!(store.get(path), Err(BlobError::NotFound(p)) if p == path), "{path}");
        assert!(matches!(store.get_range(path, 0..0), Err(BlobError::NotFound(_))), "{path}");
        assert!(matches!(store.size(path), Err(BlobError::NotFound(_))), "{path}");
    }
    assert_eq!(store.list("nothing/").expect("a listing"), Vec::new());
}

fn listings_are_sorted(store: &dyn Blob) {
    // `-` sorts before `/`: a walk folder by folder would have another order than the paths.
    for (path, bytes) in [("t/b", "22"), ("t/a/2", "1"), ("t/a-1", ""), ("t/a/10", "333"), ("tt/x", ""), ("s", "")] {
        put(store, path, bytes.as_bytes());
    }
    let listed =
        |folder| -> Vec<(String, u64)> { store.list(folder).expect("a listing").into_iter().map(|e| (e.path, e.size)).collect() };
    let named = |entries: &[(&str, u64)]| -> Vec<(String, u64)> { entries.iter().map(|(p, s)| ((*p).to_owned(), *s)).collect() };
    assert_eq!(listed("t/"), named(&[("t/a-1", 0), ("t/a/10", 3), ("t/a/2", 1), ("t/b", 2)]));
    assert_eq!(listed("t/a/"), named(&[("t/a/10", 3), ("t/a/2", 1)]));
    assert_eq!(listed("").len(), 6);
}

fn deleting_frees_the_name(store: &dyn Blob) {
    put(store, "a/x", b"one");
    store.delete("a/x").expect("deleted");
    store.delete("a/x").expect("absent is fine");
    assert!(matches!(store.get("a/x"), Err(BlobError::NotFound(_))));
    put(store, "a/x", b"two");
    assert_eq!(store.get("a/x").expect("the second"), b"two");
}

fn names_stay_inside(store: &dyn Blob) {
    let long = "x".repeat(300);
    for path in ["", "/a", "a/", "a//b", "../a", "a/../b", "a/..", ".", "a\\b", "a\0b", ".staging/x", ".staging", &long] {
        assert!(store.put_if_absent(path, b"x").is_err(), "{path:?} was taken");
        assert!(store.get(path).is_err() && store.size(path).is_err() && store.delete(path).is_err(), "{path:?}");
    }
    for folder in ["..", "../", "/", "a", "a/../", "//"] {
        assert!(store.list(folder).is_err(), "{folder:?} was listed");
    }
    assert_eq!(store.list("").expect("a listing"), Vec::new());
    put(store, "..a/b..c/.d", b"dots inside a name are fine");
}
