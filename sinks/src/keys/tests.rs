//! Sidecars survive the disk or say that they did not; the duplicate check tells first, copy, resend and conflict.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::delivery::{DeliveryId, KeyMode};
use domain::ports::Blob;
use proptest::prelude::*;

use super::cache::{Found, KeyCache};
use super::sidecar::{RunId, Sidecar, SidecarError, account_hash, encode};
use super::{Bucket, Claim, TAG_SIDECAR, Verdict};
use crate::delta::action::{Add, CommitInfo};
use crate::local_store::memory::MemoryStore;
use crate::table::Table;

const DAY_US: i64 = 86_400_000_000;

fn claim(key: u128, delivery: u128, row: u64) -> Claim {
    Claim { key, content: 0, delivery: DeliveryId(delivery), row, live: true }
}

fn run(bucket: i32) -> RunId {
    RunId { account: account_hash("main/kpn/haven"), bucket: Bucket(bucket) }
}

#[test]
fn buckets_follow_the_event_day_but_ids_follow_the_key() {
    let october = 20_727 * DAY_US;
    assert_eq!(Bucket::of(KeyMode::Content, 1, Some(october)), Bucket(20_727));
    assert_eq!(Bucket::of(KeyMode::Content, u128::MAX, Some(october - 1)), Bucket(20_726));
    let corrected = Bucket::of(KeyMode::Id, 77 << 100, Some(october));
    assert_eq!(corrected, Bucket::of(KeyMode::Id, 77 << 100, Some(october + 3 * DAY_US)), "a corrected date finds its id");
}

proptest! {
    #[test]
    fn claims_come_back_sorted_and_whole(keys in proptest::collection::vec((any::<u128>(), 0u128..5, any::<u64>(), any::<bool>(), 0i32..3), 0..200)) {
        let store = MemoryStore::new();
        let mut runs: BTreeMap<RunId, Vec<Claim>> = BTreeMap::new();
        for (key, delivery, row, live, bucket) in &keys {
            let claim = Claim { key: *key, content: *row ^ 5, delivery: DeliveryId(*delivery), row: *row, live: *live };
            runs.entry(run(*bucket)).or_default().push(claim);
        }
        store.put_if_absent("k", &encode(&runs)).expect("a new object");
        let sidecar = Sidecar::open(&store, "k").expect("its own bytes");
        prop_assert_eq!(sidecar.claims(), keys.len() as u64);
        for (id, mut claims) in runs {
            claims.sort_by_key(|c| c.key);
            prop_assert_eq!(sidecar.read(&store, id).expect("a run"), claims);
        }
        prop_assert_eq!(sidecar.read(&store, run(99)).expect("no run"), vec![]);
    }
}

#[test]
fn a_flipped_or_missing_byte_never_passes_for_a_claim() {
    let runs = BTreeMap::from([(run(1), vec![claim(1, 1, 0), claim(2, 1, 1)]), (run(2), vec![claim(3, 2, 0)])]);
    let bytes = encode(&runs);
    for at in 0..bytes.len() {
        let mut spoilt = bytes.clone();
        spoilt[at] ^= 0x40;
        for damaged in [spoilt, bytes[..at].to_vec()] {
            let store = MemoryStore::new();
            store.put_if_absent("k", &damaged).expect("a new object");
            let read = Sidecar::open(&store, "k").and_then(|s| {
                let mut all = s.read(&store, run(1))?;
                all.extend(s.read(&store, run(2))?);
                Ok(all.len())
            });
            assert!(matches!(read, Err(SidecarError::Damaged { .. } | SidecarError::Blob(_))), "byte {at}: {read:?}");
        }
    }
}

/// A table with one sidecar per commit; the ledger file itself is never read here.
fn table_with(sidecars: &[BTreeMap<RunId, Vec<Claim>>]) -> Table {
    let blob: Arc<dyn Blob> = Arc::new(MemoryStore::new());
    let schema = domain::columns::entries::Entries::schema();
    let mut table =
        Table::open_or_create(&blob, "t", &schema, &domain::columns::entries::PARTITION, &"0".repeat(32), 1).expect("a table");
    for (n, runs) in sidecars.iter().enumerate() {
        let name = format!("_keys/{n}");
        blob.put_if_absent(&format!("t/{name}"), &encode(runs)).expect("a new object");
        let add = Add {
            path: format!("ledger{n}"),
            partition_values: BTreeMap::from([("outcome".to_owned(), Some("ledger".to_owned()))]),
            size: 1,
            modification_time: 1,
            data_change: true,
            stats: None,
            tags: Some(BTreeMap::from([(TAG_SIDECAR.to_owned(), name)])),
        };
        let info = CommitInfo { commit_id: n.to_string(), ..CommitInfo::default() };
        table.attempt(&info, &[add], &[]).expect("a commit");
    }
    table
}

#[test]
fn the_check_tells_first_copy_resend_and_conflict() {
    let table = table_with(&[BTreeMap::from([(run(1), vec![Claim { content: 5, ..claim(10, 1, 0) }])])]);
    let mut cache = KeyCache::new(1 << 20);
    cache.load(&table, &BTreeSet::from([run(1)])).expect("its sidecars");
    let (old, new) = (cache.code(DeliveryId(1)), cache.code(DeliveryId(2)));
    let mut check = cache.check(run(1));
    assert_eq!(check.row(10, 5, new, false), Verdict::OtherFile);
    assert_eq!(check.row(10, 5, old, false), Verdict::SameFile);
    assert_eq!(check.row(10, 6, new, true), Verdict::Conflict);
    assert_eq!(check.row(11, 0, new, false), Verdict::First);
    assert_eq!(check.row(11, 0, new, false), Verdict::SameFile, "a copy inside the same commit is seen too");
}

#[test]
fn finds_count_only_once_they_are_committed() {
    let table = table_with(&[]);
    let mut cache = KeyCache::new(1 << 20);
    let runs = BTreeSet::from([run(1)]);
    cache.load(&table, &runs).expect("no sidecars");
    let code = cache.code(DeliveryId(1));
    let mut check = cache.check(run(1));
    assert_eq!(check.row(1, 0, code, false), Verdict::First);
    drop(check);
    let mut again = cache.check(run(1));
    assert_eq!(again.row(1, 0, code, false), Verdict::First, "the first check was dropped with its commit");
    let mut found = Found::default();
    found.insert(run(1), again.finish());
    cache.accept(found, "_keys/0");
    assert_eq!(cache.check(run(1)).row(1, 0, code, false), Verdict::SameFile);
}

#[test]
fn a_small_cache_forgets_and_reads_again() {
    let sidecars: Vec<_> =
        (0..4).map(|day| BTreeMap::from([(run(day), vec![claim(u128::from(day.cast_unsigned()), 1, 0)])])).collect();
    let table = table_with(&sidecars);
    let mut cache = KeyCache::new(1);
    for day in [0, 1, 2, 3, 0, 2] {
        cache.load(&table, &BTreeSet::from([run(day)])).expect("its sidecars");
        let code = cache.code(DeliveryId(9));
        assert_eq!(cache.check(run(day)).row(u128::from(day.cast_unsigned()), 0, code, false), Verdict::OtherFile, "day {day}");
    }
}

#[test]
fn a_copy_is_told_by_the_row_that_lives_whatever_order_sidecars_come_in() {
    let copy = BTreeMap::from([(run(1), vec![Claim { live: false, ..claim(10, 2, 5) }])]);
    let first = BTreeMap::from([(run(1), vec![claim(10, 1, 0)])]);
    for sidecars in [[copy.clone(), first.clone()], [first, copy]] {
        let table = table_with(&sidecars);
        let mut cache = KeyCache::new(1 << 20);
        cache.load(&table, &BTreeSet::from([run(1)])).expect("its sidecars");
        let (one, two) = (cache.code(DeliveryId(1)), cache.code(DeliveryId(2)));
        let mut check = cache.check(run(1));
        assert_eq!(check.row(10, 0, one, false), Verdict::SameFile);
        assert_eq!(check.row(10, 0, two, false), Verdict::OtherFile);
    }
}
