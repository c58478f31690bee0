//! Landing: what is new, what is known, what waits; races, lost answers, full disks, damaged and newer records.

mod store;
mod together;
mod wrapped;

use std::collections::BTreeSet;
use std::io;

use domain::delivery::{Account, DeliveryId, DeliveryMode};
use domain::ids::{AccountId, ProviderId};
use domain::ports::Disposition;

use self::store::{Fault, TestStore};
use super::*;
use crate::parse::edit::FieldEdits;

struct TestClock;

impl Clock for TestClock {
    fn now_us(&self) -> i64 {
        1_790_000_000_000_000
    }
}

const ARRIVALS: &str = "landing/arrivals/";
const OBJECTS: &str = "landing/objects/";

/// Of `abc`, from FIPS 180-2.
const ABC_SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn landing(store: &TestStore) -> Landing {
    Landing::new(Arc::new(store.clone()), LandingSettings::default())
}

fn account(tenant: &str, account: &str) -> Account {
    Account {
        tenant: TenantId::parse(tenant).expect("an id"),
        provider: ProviderId::parse("kpn").expect("an id"),
        account: AccountId::parse(account).expect("an id"),
    }
}

fn request(name: &str) -> LandRequest {
    LandRequest {
        account: account("main", "haven"),
        cycle: None,
        origin: format!("inbox/{name}"),
        logical_file: name.to_owned(),
        profile: "kpn-sp16@1".into(),
        profile_text: "name = \"kpn-sp16\"".into(),
        mode: DeliveryMode::Delta,
        cut_rows: 50_000,
        repeat: Repeat::Hold,
    }
}

fn land(landing: &Landing, request: &LandRequest, bytes: &str) -> Landed {
    landing.land(request, &mut bytes.as_bytes(), &TestClock).expect("landed")
}

fn refused(landing: &Landing, request: &LandRequest, bytes: &str) -> LandError {
    landing.land(request, &mut bytes.as_bytes(), &TestClock).expect_err("not landed")
}

fn delivery(arrival: &Arrival) -> &DeliveryRecord {
    match &arrival.kind {
        ArrivalKind::Delivery(record) => record,
        other => panic!("{other:?} is no delivery"),
    }
}

fn numbers(arrivals: &[Arrival]) -> Vec<ArrivalNumber> {
    arrivals.iter().map(|a| a.number).collect()
}

fn held_reason(landed: &Landed) -> &str {
    match (landed, &delivery(landed.arrival()).state) {
        (Landed::Held(_), DeliveryState::Held { reason }) => reason,
        other => panic!("{other:?} is not held"),
    }
}

#[test]
fn a_file_is_kept_whole_under_its_hash_and_gets_a_number() {
    let store = TestStore::default();
    let landing = landing(&store);
    let Landed::New(arrival) = land(&landing, &request("a.csv"), "abc") else { panic!("it is new") };
    let record = delivery(&arrival);
    assert_eq!((arrival.number, arrival.arrived_us), (1, TestClock.now_us()));
    assert_eq!((&*record.identity.sha256, record.size, record.cut_rows), (ABC_SHA256, 3, 50_000));
    assert_eq!(record.delivery, record.identity.id());
    assert_eq!((&*record.origin, &*record.profile), ("inbox/a.csv", "kpn-sp16@1"));
    assert_eq!(landing.read_range(ABC_SHA256, 1..3).expect("a part"), b"bc");
    assert_eq!(landing.read_import(&record.profile_sha256).expect("the profile"), request("").profile_text.as_bytes());
    assert_eq!(landing.arrival(1).expect("by number"), arrival);
    assert!(matches!(landing.arrival(2), Err(LandError::NoArrival(2))));
    assert_eq!(landing.next_number().expect("a number"), 2);
}

#[test]
fn the_same_file_again_is_a_no_op_under_any_name() {
    let store = TestStore::default();
    let first = land(&landing(&store), &request("a.csv"), "abc");
    let again = landing(&store);
    for name in ["a.csv", "other.csv"] {
        for repeat in [Repeat::Hold, Repeat::AsNew] {
            let landed = land(&again, &LandRequest { repeat, ..request(name) }, "abc");
            assert_eq!(landed, Landed::Already(first.arrival().clone()));
        }
    }
    assert_eq!((store.paths(ARRIVALS).len(), store.paths(OBJECTS).len()), (1, 2), "the file and its profile");
}

#[test]
fn a_refused_file_arrives_anew_under_another_profile_once() {
    let store = TestStore::default();
    let landing = landing(&store);
    let first = land(&landing, &request("a.csv"), "abc");
    let corrected = LandRequest { profile_text: "name = \"corrected\"".into(), ..request("copy-of-a.csv") };
    let again = || landing.land_again(&corrected, delivery(first.arrival()), &TestClock).expect("landed");
    let Landed::New(second) = again() else { panic!("it is a new generation") };
    let (one, two) = (delivery(first.arrival()), delivery(&second));
    assert_eq!((two.identity.generation, &*two.identity.logical_file, two.size), (1, "a.csv", 3), "the same file");
    assert!(one.delivery != two.delivery && one.profile_sha256 != two.profile_sha256);
    assert_eq!(again(), Landed::Already(second.clone()), "the same generation is there");
    // From now on the bytes are known as their latest generation, also to those who look for the first time.
    assert_eq!(land(&landing, &request("a.csv"), "abc"), Landed::Already(second.clone()));
    let fresh = Landing::new(Arc::new(store.clone()), LandingSettings::default());
    assert_eq!(land(&fresh, &request("a.csv"), "abc"), Landed::Already(second));
    assert_eq!(numbers(&fresh.arrivals(1).expect("arrivals")), [1, 2]);
}

#[test]
fn the_same_bytes_under_another_account_wait_for_a_word() {
    let store = TestStore::default();
    let landing = landing(&store);
    land(&landing, &request("a.csv"), "abc");
    let other = LandRequest { account: account("main", "lagoon"), ..request("a.csv") };
    let held = land(&landing, &other, "abc");
    let reason = held_reason(&held);
    assert!(reason.contains("arrival 1") && reason.contains("main/kpn/haven") && reason.contains("--as-new"), "{reason}");
    assert_eq!(land(&landing, &other, "abc"), Landed::Already(held.arrival().clone()), "asking twice is no word");
    assert_eq!(numbers(&landing.held().expect("a list")), [2]);
    let word = LandRequest { repeat: Repeat::AsNew, ..other.clone() };
    let Landed::New(arrival) = land(&landing, &word, "abc") else { panic!("it was released") };
    assert_eq!((arrival.number, &delivery(&arrival).state), (3, &DeliveryState::Announced));
    assert_eq!(land(&landing, &word, "abc"), Landed::Already(arrival));
    assert_eq!(landing.held().expect("a list"), []);
    assert_eq!(numbers(&landing.arrivals(0).expect("all")), [1, 2, 3]);
}

#[test]
fn tenants_do_not_hear_of_each_other() {
    let store = TestStore::default();
    let landing = landing(&store);
    land(&landing, &request("a.csv"), "abc");
    let other = LandRequest { account: account("second", "haven"), ..request("a.csv") };
    assert!(matches!(land(&landing, &other, "abc"), Landed::New(_)));
    assert_eq!(store.paths(OBJECTS).len(), 2, "the bytes are kept once");
}

#[test]
fn new_content_under_a_known_name_waits_only_where_files_are_deltas() {
    let store = TestStore::default();
    let landing = landing(&store);
    land(&landing, &request("a.csv"), "abc");
    let held = land(&landing, &request("a.csv"), "abcd");
    assert!(held_reason(&held).contains("same name as arrival 1"), "{}", held_reason(&held));
    let october = LandRequest { cycle: Some("2026-10".to_owned()), ..request("a.csv") };
    assert!(matches!(land(&landing, &october, "october"), Landed::New(_)), "another cycle is another file");
    for (mode, bytes) in [(DeliveryMode::Snapshot, "month to date"), (DeliveryMode::Final, "month")] {
        assert!(matches!(land(&landing, &LandRequest { mode, ..request("a.csv") }, bytes), Landed::New(_)));
    }
    let word = LandRequest { repeat: Repeat::AsNew, ..request("a.csv") };
    assert!(matches!(land(&landing, &word, "abcd"), Landed::New(_)));
}

#[test]
fn files_without_bytes_are_told_apart_by_their_names() {
    let store = TestStore::default();
    let landing = landing(&store);
    let monday = land(&landing, &request("monday.csv"), "");
    assert!(matches!(land(&landing, &request("tuesday.csv"), ""), Landed::New(_)));
    assert_eq!(land(&landing, &request("monday.csv"), ""), Landed::Already(monday.arrival().clone()));
    let other = LandRequest { account: account("main", "lagoon"), ..request("monday.csv") };
    assert!(matches!(land(&landing, &other, ""), Landed::New(_)), "a heartbeat is nobody's");
}

#[test]
fn imports_share_the_order_and_only_the_newest_is_a_no_op() {
    let store = TestStore::default();
    let landing = landing(&store);
    land(&landing, &request("a.csv"), "abc");
    let import = |tenant: &str, what, bytes: &str| {
        let request =
            ImportRequest { tenant: TenantId::parse(tenant).expect("an id"), what, origin: "devices.csv".to_owned(), full: None };
        landing.land_import(&request, &mut bytes.as_bytes(), &TestClock).expect("landed")
    };
    let first = import("main", ImportKind::Devices, "one");
    assert!(matches!(&first, Landed::New(a) if a.number == 2));
    assert_eq!(import("main", ImportKind::Devices, "one"), Landed::Already(first.arrival().clone()));
    assert!(matches!(import("main", ImportKind::Customers, "one"), Landed::New(_)), "another kind");
    assert!(matches!(import("second", ImportKind::Devices, "one"), Landed::New(_)), "another tenant");
    assert!(matches!(import("main", ImportKind::Devices, "two"), Landed::New(_)));
    let Landed::New(back) = import("main", ImportKind::Devices, "one") else { panic!("putting back is an act") };
    let main = TenantId::parse("main").expect("an id");
    assert_eq!(landing.newest_import(&main, ImportKind::Devices).expect("an index"), Some(back.clone()));
    assert_eq!(landing.newest_import(&main, ImportKind::Tariffs).expect("an index"), None);
    let ArrivalKind::Import(record) = &back.kind else { panic!("it is an import") };
    assert_eq!(landing.read_import(&record.sha256).expect("its bytes"), b"one");
    assert_eq!(numbers(&landing.arrivals(3).expect("from 3 on")), [3, 4, 5, 6]);
}

#[test]
fn a_full_list_is_an_act_each_time_and_keeps_its_approval() {
    let store = TestStore::default();
    let landing = landing(&store);
    let tenant = TenantId::parse("main").expect("an id");
    let delta = ImportRequest { tenant, what: ImportKind::Devices, origin: "devices.csv".to_owned(), full: None };
    let approval = Approval { by: "jan".to_owned(), reason: "contract of Haven ended".to_owned() };
    let full = ImportRequest {
        full: Some(FullImport { as_of_us: 5, ended_max: 12, approval: Some(approval.clone()) }),
        ..delta.clone()
    };
    let land = |request: &ImportRequest| landing.land_import(request, &mut &b"one"[..], &TestClock).expect("landed");
    for (request, number) in [(&delta, 1), (&full, 2), (&full, 3), (&delta, 4)] {
        assert!(matches!(land(request), Landed::New(a) if a.number == number), "{number}");
    }
    assert!(matches!(land(&delta), Landed::Already(_)));
    let ArrivalKind::Import(record) = self::landing(&store).arrival(3).expect("the third").kind else { panic!("an import") };
    assert_eq!(record.full.and_then(|full| full.approval), Some(approval));
    let silent = Approval { by: "jan".to_owned(), reason: String::new() };
    let request = ImportRequest { full: Some(FullImport { as_of_us: 5, ended_max: 12, approval: Some(silent) }), ..full };
    let error = landing.land_import(&request, &mut &b"two"[..], &TestClock).expect_err("no reason");
    assert!(error.to_string().contains("reason of approval"), "{error}");
}

#[test]
fn what_older_programs_do_not_know_says_so_by_its_format() {
    let store = TestStore::default();
    let landing = landing(&store);
    for (what, number, format) in [(ImportKind::Devices, 1, 1), (ImportKind::Subscriptions, 2, 2), (ImportKind::Groups, 3, 4)] {
        let tenant = TenantId::parse("main").expect("an id");
        let request = ImportRequest { tenant, what, origin: "list.csv".to_owned(), full: None };
        landing.land_import(&request, &mut &b"one"[..], &TestClock).expect("landed");
        let record: serde_json::Value =
            serde_json::from_slice(&store.get(&arrival::path(number)).expect("a record")).expect("JSON");
        assert_eq!(record["format"], format, "{what:?}");
        let ArrivalKind::Import(read) = self::landing(&store).arrival(number).expect("it is read").kind else {
            panic!("it is one")
        };
        assert_eq!(read.what, what);
    }
}

#[test]
fn of_one_delivery_the_lowest_number_acts() {
    let store = TestStore::default();
    let first = land(&landing(&store), &request("a.csv"), "abc");
    // As two processes behind a store that lost put-if-absent would leave it.
    let twice = Arrival { number: 2, ..first.arrival().clone() };
    store.force(&arrival::path(2), &arrival::encode(&[twice]));
    let landing = landing(&store);
    land(&landing, &request("b.csv"), "other");
    assert_eq!(numbers(&landing.arrivals(0).expect("all")), [1, 3]);
    assert_eq!(landing.arrival(2).expect("it is there to be looked at").number, 2);
    assert_eq!(land(&landing, &request("a.csv"), "abc"), Landed::Already(first.arrival().clone()));
}

#[test]
fn processes_that_land_the_same_files_find_each_others_arrivals() {
    const FILES: usize = 40;
    let store = TestStore::default();
    let landings = [landing(&store), landing(&store)];
    let new: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let landing = &landings[n % 2];
                scope.spawn(move || {
                    let files = (0..FILES).map(|file| (file + n * 7) % FILES);
                    let landed = files.map(|file| land(landing, &request(&format!("{file}.csv")), &format!("file {file}")));
                    landed.filter(|landed| matches!(landed, Landed::New(_))).count()
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().expect("no panic")).sum()
    });
    assert_eq!(new, FILES, "each file is new once");
    let arrivals = landings[0].arrivals(0).expect("all");
    assert_eq!(numbers(&arrivals), (1..=FILES as u64).collect::<Vec<_>>());
    let distinct: std::collections::BTreeSet<DeliveryId> = arrivals.iter().map(|a| delivery(a).delivery).collect();
    assert_eq!(distinct.len(), FILES);
    assert_eq!(landings[1].arrivals(0).expect("all"), arrivals);
}

#[test]
fn the_thousandth_file_reads_no_more_than_the_second() {
    let store = TestStore::default();
    let landing = landing(&store);
    let mut reads = Vec::new();
    for n in 0..1_000 {
        let before = store.reads();
        land(&landing, &request(&format!("{n}.csv")), &format!("file {n}"));
        reads.push(store.reads() - before);
    }
    assert!(reads[1..].iter().all(|r| *r == reads[1]), "{reads:?}");
}

#[test]
fn a_lost_answer_neither_loses_nor_doubles_an_arrival() {
    for fault in [Fault::AmbiguousDone, Fault::AmbiguousUndone] {
        let store = TestStore::default();
        let landing = landing(&store);
        store.fail(ARRIVALS, fault, 1);
        assert!(matches!(land(&landing, &request("a.csv"), "abc"), Landed::New(a) if a.number == 1), "{fault:?}");
        assert_eq!(store.paths(ARRIVALS).len(), 1, "{fault:?}");
        assert_eq!(landing.next_number().expect("a number"), 2);
    }
    let store = TestStore::default();
    store.fail(OBJECTS, Fault::AmbiguousDone, 2);
    assert!(matches!(land(&landing(&store), &request("a.csv"), "abc"), Landed::New(_)));
}

#[test]
fn bytes_that_may_not_be_there_do_not_arrive() {
    let store = TestStore::default();
    let landing = landing(&store);
    store.fail(OBJECTS, Fault::AmbiguousUndone, 1);
    let error = refused(&landing, &request("a.csv"), "abc");
    assert_eq!(error.disposition(), Disposition::Retry);
    assert_eq!(store.paths(""), [""; 0]);
    assert!(matches!(land(&landing, &request("a.csv"), "abc"), Landed::New(_)));
}

#[test]
fn a_full_disk_or_a_read_only_folder_lands_nothing_and_says_so() {
    for place in [OBJECTS, ARRIVALS] {
        let store = TestStore::default();
        let landing = landing(&store);
        store.fail(place, Fault::Full, 1);
        let error = refused(&landing, &request("a.csv"), "abc");
        assert!(matches!(&error, LandError::Full(file) if file == "inbox/a.csv"), "{error}");
        assert!(error.to_string().contains("free space"), "{error}");
        store.fail(place, Fault::Denied, 1);
        let error = refused(&landing, &request("a.csv"), "abc");
        assert!(matches!(&error, LandError::Denied(file) if file == "inbox/a.csv"), "{error}");
        assert_eq!(landing.arrivals(0).expect("all"), []);
        assert!(matches!(land(&landing, &request("a.csv"), "abc"), Landed::New(a) if a.number == 1), "after help it goes on");
    }
}

#[test]
fn numbers_that_cannot_be_taken_end_in_an_error() {
    let store = TestStore::default();
    let landing = Landing::new(Arc::new(store.clone()), LandingSettings { attempts_max: 3, ..LandingSettings::default() });
    store.fail(ARRIVALS, Fault::AmbiguousUndone, u32::MAX);
    let error = refused(&landing, &request("a.csv"), "abc");
    assert!(matches!(error, LandError::Busy { attempts: 3, .. }), "{error}");
    assert_eq!(error.disposition(), Disposition::Retry);
}

/// Gives its bytes one by one, with interruptions, then fails or ends.
struct Trickle(Vec<io::Result<u8>>);

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.pop() {
            None => Ok(0),
            Some(Ok(byte)) => {
                buffer[0] = byte;
                Ok(1)
            }
            Some(Err(e)) => Err(e),
        }
    }
}

#[test]
fn a_source_may_be_slow_but_not_broken() {
    let store = TestStore::default();
    let landing = landing(&store);
    let interrupted = || Err(ErrorKind::Interrupted.into());
    let mut slow = Trickle(vec![Ok(b'c'), interrupted(), Ok(b'b'), Ok(b'a'), interrupted()]);
    let landed = landing.land(&request("a.csv"), &mut slow, &TestClock).expect("landed");
    assert_eq!(delivery(landed.arrival()).identity.sha256, ABC_SHA256);
    let mut broken = Trickle(vec![Err(ErrorKind::ConnectionReset.into()), Ok(b'a')]);
    let error = landing.land(&request("b.csv"), &mut broken, &TestClock).expect_err("not landed");
    assert!(matches!(&error, LandError::Source { file, .. } if file == "inbox/b.csv"), "{error}");
    assert_eq!(store.paths(ARRIVALS).len(), 1);
}

#[test]
fn a_file_over_the_limit_is_refused_while_it_is_read() {
    let store = TestStore::default();
    let settings = LandingSettings { file_bytes_max: 1_000_000, ..LandingSettings::default() };
    let landing = Landing::new(Arc::new(store.clone()), settings);
    let error = landing.land(&request("a.csv"), &mut io::repeat(b'x'), &TestClock).expect_err("endless");
    assert!(matches!(error, LandError::TooLarge { bytes_max: 1_000_000, .. }), "{error}");
    let fits = landing.land(&request("a.csv"), &mut io::repeat(b'x').take(1_000_000), &TestClock);
    assert!(fits.is_ok(), "{fits:?}");
}

#[test]
fn names_that_cannot_be_kept_are_refused() {
    let landing = landing(&TestStore::default());
    let bad = [
        LandRequest { logical_file: String::new(), ..request("a.csv") },
        LandRequest { logical_file: "a\nb".to_owned(), ..request("a.csv") },
        LandRequest { origin: "x".repeat(5_000), ..request("a.csv") },
        LandRequest { cycle: Some("x".repeat(65)), ..request("a.csv") },
        LandRequest { cut_rows: 0, ..request("a.csv") },
    ];
    for request in bad {
        let error = refused(&landing, &request, "abc");
        assert!(matches!(error, LandError::Request { .. }), "{error}");
    }
}

/// A record as the first release writes it, by hand: later releases must go on reading it.
fn first_format(number: u64) -> String {
    let identity = request("a.csv").identity(ABC_SHA256);
    format!(
        r#"{{"format": 1, "number": {number}, "arrived_us": 5, "kind": {{"delivery": {{
            "identity": {{"account": {{"tenant": "main", "provider": "kpn", "account": "haven"}}, "cycle": null,
                "logical_file": "a.csv", "sha256": "{ABC_SHA256}", "generation": 0}},
            "delivery": "{}", "origin": "inbox/a.csv", "size": 3, "profile": "kpn-sp16@1", "profile_sha256": "{ABC_SHA256}",
            "cut_rows": 50000, "cut_bytes": 1000, "state": {{"held": {{"reason": "why"}}}}}}}}}}"#,
        identity.id()
    )
}

#[test]
fn records_of_the_first_format_are_read() {
    let store = TestStore::default();
    store.force(&arrival::path(1), first_format(1).as_bytes());
    let arrivals = landing(&store).arrivals(0).expect("all");
    assert_eq!(arrivals[0].arrived_us, 5);
    assert_eq!(delivery(&arrivals[0]).state, DeliveryState::Held { reason: "why".to_owned() });
}

#[test]
fn newer_damaged_and_missing_records_are_named() {
    let read = |number, record: &str| {
        let store = TestStore::default();
        store.force(&arrival::path(number), record.as_bytes());
        landing(&store).arrivals(0).expect_err("refused")
    };
    let newer = read(1, r#"{"format": 5, "what": "who knows"}"#);
    assert!(matches!(&newer, LandError::Newer { path, found: 5, known: 4 } if *path == arrival::path(1)), "{newer}");
    let good = first_format(1);
    let damaged = [
        good[..good.len() - 1].to_owned(),
        first_format(2),
        good.replace("\"main\"", "\"other\""),
        good.replace(&format!("\"profile_sha256\": \"{ABC_SHA256}\""), "\"profile_sha256\": \"../../etc/passwd\""),
        good.replace("\"delivery\": {", "\"surprise\": {"),
        good.replace("\"size\"", "\"length\""),
    ];
    for record in damaged {
        let error = read(1, &record);
        assert!(matches!(&error, LandError::Damaged { path, .. } if *path == arrival::path(1)), "{error} for {record}");
    }
}

#[test]
fn a_gap_in_the_order_is_damage_but_purged_beginnings_are_not() {
    let store = TestStore::default();
    for n in 1..=4 {
        land(&landing(&store), &request(&format!("{n}.csv")), &format!("file {n}"));
    }
    store.remove(&arrival::path(1));
    assert_eq!(numbers(&landing(&store).arrivals(0).expect("the rest")), [2, 3, 4]);
    store.remove(&arrival::path(3));
    let gapped = landing(&store);
    let error = gapped.arrivals(0).expect_err("a gap");
    assert!(matches!(refused(&gapped, &request("5.csv"), "file 5"), LandError::Damaged { .. }), "nothing fills the gap");
    assert!(matches!(&error, LandError::Damaged { path, .. } if *path == arrival::path(3)), "{error}");
}

#[test]
fn objects_that_changed_are_noticed() {
    let store = TestStore::default();
    let landing = landing(&store);
    land(&landing, &request("a.csv"), "abc");
    store.force(&Landing::object_path(ABC_SHA256), b"abd");
    assert!(matches!(landing.read_import(ABC_SHA256), Err(LandError::Damaged { .. })));
    store.force(&Landing::object_path(ABC_SHA256), b"ab");
    let other = LandRequest { account: account("main", "lagoon"), ..request("a.csv") };
    assert!(matches!(refused(&landing, &other, "abc"), LandError::Damaged { .. }), "INV-1: a landed object is never changed");
}

#[test]
fn a_file_that_was_taken_back_may_come_again_as_its_next_generation() {
    let store = TestStore::default();
    let landing = landing(&store);
    let first = land(&landing, &request("a.csv"), "abc");
    let Landed::New(decision) = landing.withdraw(1, &TestClock).expect("landed") else { panic!("it is decided now") };
    let ArrivalKind::Decision(Decision::Withdraw(word)) = &decision.kind else { panic!("{decision:?} is no withdrawal") };
    assert_eq!((decision.number, word.arrival, word.delivery), (2, 1, delivery(first.arrival()).delivery));
    assert_eq!(landing.withdraw(1, &TestClock).expect("known"), Landed::Already(decision));
    assert_eq!(landing.withdrawal_of(1).expect("known"), Some(2));

    // It does not come back by itself, under any name. Another process reads it so, too.
    let held = land(&self::landing(&store), &request("b.csv"), "abc");
    for what in ["arrival 1", "taken back as arrival 2", "--as-new", "tollway withdraw"] {
        assert!(held_reason(&held).contains(what), "{}", held_reason(&held));
    }
    assert_eq!(land(&landing, &request("a.csv"), "abc"), Landed::Already(held.arrival().clone()));
    let word = LandRequest { repeat: Repeat::AsNew, ..request("b.csv") };
    let Landed::New(again) = land(&landing, &word, "abc") else { panic!("it is new") };
    assert_eq!((again.number, delivery(&again).identity.generation), (4, 1));
    assert_eq!(landing.held().expect("known"), []);
    assert_ne!(delivery(&again).delivery, delivery(first.arrival()).delivery);
    assert_eq!(land(&landing, &request("a.csv"), "abc"), Landed::Already(again));
}

#[test]
fn an_older_month_that_comes_again_replaces_the_newer_one() {
    let store = TestStore::default();
    let landing = landing(&store);
    let month = LandRequest { mode: DeliveryMode::Snapshot, ..request("month.csv") };
    land(&landing, &month, "a");
    land(&landing, &month, "ab");
    // By another process, that has read the arrivals anew.
    let Landed::New(back) = land(&self::landing(&store), &month, "a") else { panic!("the newer one counts, so it is an act") };
    let record = delivery(&back);
    assert_eq!((back.number, record.identity.generation, record.replaces), (3, 1, Some(Replaces::SameName)));
    let replaced: Vec<_> = landing.replaced_by(3, record).expect("known").into_iter().map(|(number, _)| number).collect();
    assert_eq!(replaced, [1, 2]);
    assert_eq!(land(&landing, &month, "a"), Landed::Already(back), "what acts is a no-op");
    // Under a profile that knows no replacing, and under another name.
    let held = land(&landing, &request("other.csv"), "ab");
    assert!(held_reason(&held).contains("--replaces 3"), "{}", held_reason(&held));
}

#[test]
fn a_folder_that_keeps_every_month_so_far_is_no_news_when_it_is_read_again() {
    let store = TestStore::default();
    let landing = landing(&store);
    let of_day = |day: &str| LandRequest {
        mode: DeliveryMode::Snapshot,
        origin: format!("inbox/{day}/month.csv"),
        ..request("month.csv")
    };
    let first = land(&landing, &of_day("19"), "a");
    land(&landing, &of_day("20"), "ab");
    for _ in 0..2 {
        assert_eq!(land(&landing, &of_day("19"), "a"), Landed::Already(first.arrival().clone()));
        assert!(matches!(land(&landing, &of_day("20"), "ab"), Landed::Already(_)));
    }
    let Landed::New(back) = land(&landing, &of_day("21"), "a") else { panic!("it was sent anew") };
    assert_eq!(delivery(&back).replaces, Some(Replaces::SameName));
    assert!(matches!(land(&landing, &of_day("20"), "ab"), Landed::Already(_)), "and the one that it replaced lies there still");
}

#[test]
fn what_a_word_has_replaced_comes_back_by_a_word_alone() {
    let store = TestStore::default();
    let landing = landing(&store);
    let word = |repeat, name: &str| LandRequest { repeat, ..request(name) };
    land(&landing, &request("a.csv"), "a");
    let fixed = land(&landing, &word(Repeat::Replaces(1), "fixed.csv"), "fixed");
    assert_eq!(landing.superseded_by(1).expect("known"), Some(2));
    assert_eq!(
        land(&landing, &word(Repeat::Replaces(1), "fixed.csv"), "fixed"),
        Landed::Already(fixed.arrival().clone()),
        "a retry"
    );
    // Whatever the profile says: a folder that holds both must not turn the word over each night.
    for mode in [DeliveryMode::Snapshot, DeliveryMode::Delta] {
        let landed = land(&self::landing(&store), &LandRequest { mode, ..request("a.csv") }, "a");
        let ArrivalKind::Delivery(record) = &landed.arrival().kind else { panic!("{landed:?}") };
        let DeliveryState::Held { reason } = &record.state else { panic!("{record:?} is not held") };
        assert!(reason.contains("arrival 1") && reason.contains("--replaces 2"), "{reason}");
    }
    // Other bytes of the name hear of what acts.
    let other = land(&landing, &request("a.csv"), "other");
    assert!(held_reason(&other).contains("--replaces 2"), "{}", held_reason(&other));
    let back = land(&landing, &word(Repeat::Replaces(2), "a.csv"), "a");
    assert!(matches!(&back, Landed::New(a) if delivery(a).replaces == Some(Replaces::Arrival(2))), "{back:?}");
    // What acts takes no other's place: the word would do nothing.
    land(&landing, &request("b.csv"), "b");
    let number = back.arrival().number;
    let error = refused(&landing, &word(Repeat::Replaces(number + 1), "a.csv"), "a");
    assert!(matches!(&error, LandError::Acts { number: acts, .. } if *acts == number), "{error}");
}

#[test]
fn what_was_replaced_can_be_had_back_when_its_successor_is_withdrawn() {
    let store = TestStore::default();
    let landing = landing(&store);
    land(&landing, &request("a.csv"), "a");
    land(&landing, &LandRequest { repeat: Repeat::Replaces(1), ..request("b.csv") }, "b");
    landing.withdraw(2, &TestClock).expect("landed");
    let held = land(&landing, &request("a.csv"), "a");
    assert!(held_reason(&held).contains("--as-new"), "{}", held_reason(&held));
    let word = LandRequest { repeat: Repeat::AsNew, ..request("a.csv") };
    assert!(matches!(land(&landing, &word, "a"), Landed::New(a) if delivery(&a).identity.generation == 1));
    let month = LandRequest { mode: DeliveryMode::Snapshot, ..request("month.csv") };
    land(&landing, &month, "m");
    let newer = land(&landing, &month, "mn").arrival().number;
    landing.withdraw(newer, &TestClock).expect("landed");
    assert!(matches!(land(&landing, &month, "m"), Landed::New(_)));
}

#[test]
fn nothing_takes_the_place_of_a_file() {
    let store = TestStore::default();
    let landing = landing(&store);
    let month = LandRequest { mode: DeliveryMode::Snapshot, ..request("month.csv") };
    land(&landing, &month, "a");
    assert_eq!(delivery(land(&landing, &month, "").arrival()).replaces, None);
    let error = refused(&landing, &LandRequest { repeat: Repeat::Replaces(1), ..request("none.csv") }, "");
    assert!(error.to_string().contains("no bytes"), "{error}");
}

#[test]
fn a_held_file_that_is_taken_back_waits_no_more() {
    let store = TestStore::default();
    let landing = landing(&store);
    land(&landing, &request("a.csv"), "abc");
    let held = land(&landing, &request("a.csv"), "abcd");
    assert!(held_reason(&held).contains("--replaces 1"), "{}", held_reason(&held));
    landing.withdraw(held.arrival().number, &TestClock).expect("landed");
    assert!(landing.held().expect("known").is_empty());
}

#[test]
fn a_micro_batch_can_be_corrected_like_a_file() {
    let store = TestStore::default();
    let landing = landing(&store);
    let source = LivePartition { topic: "calls".to_owned(), incarnation: "one".to_owned(), partition: 0 };
    let range = LiveRange {
        source,
        from_offset: 0,
        first_offset: 0,
        next_offset: 3,
        header_bytes: 0,
        rows: 3,
        empty: 0,
        steps: Vec::new(),
        lost_below: None,
    };
    let kept = landing.keep_live(&request("calls"), b"abc").expect("kept");
    let land = |landing: &Landing| landing.land_live(&request("calls"), &range, &kept, &TestClock).expect("landed");
    assert_eq!(land(&landing), LandedLive::New(1));
    // Another process that comes late with the same events makes no second one, and files with its bytes are files.
    assert_eq!(land(&self::landing(&store)), LandedLive::Overtaken(3));
    assert!(matches!(self::land(&landing, &request("a.csv"), "abc"), Landed::New(a) if a.number == 2));
    for landing in [&landing, &self::landing(&store)] {
        let record = delivery(&landing.arrival(1).expect("it is there")).clone();
        assert_eq!(landing.announced(record.delivery).expect("known"), Some(1), "corrections find it");
        assert_eq!(landing.held().expect("known"), []);
    }
    let word = LandRequest { repeat: Repeat::Replaces(1), ..request("fixed.csv") };
    let fixed = self::land(&landing, &word, "abd");
    assert_eq!(landing.replaced_by(3, delivery(fixed.arrival())).expect("known").len(), 1);
    landing.withdraw(1, &TestClock).expect("landed");
    assert_eq!(landing.withdrawal_of(1).expect("known"), Some(4));
}

#[test]
fn decisions_to_rate_rows_again_are_acts_each_and_found_by_account() {
    let store = TestStore::default();
    let landing = landing(&store);
    let first = land(&landing, &request("a.csv"), "abc");
    let account = delivery(first.arrival()).identity.account.clone();
    let reasons = BTreeSet::from(["no_device".to_owned()]);
    let choice = SuspenseChoice { reasons, delivery: None, row: None, identifier: Some(Numbered::Msisdn(31_612_345_678)) };
    let choice = RowChoice::Suspense(choice);
    let word = Recycling { account: account.clone(), choice: choice.clone() };
    for number in 2..5 {
        let landed = landing.recycle(&word, &TestClock).expect("landed");
        assert!(matches!(&landed, Landed::New(arrival) if arrival.number == number), "{landed:?}");
    }
    // Another process reads them so, too.
    let found = self::landing(&store).recyclings(&account.path(), 3, 9).expect("known");
    assert_eq!(found, [(3, choice.clone()), (4, choice)]);
    assert_eq!(landing.recyclings("main/kpn/other", 0, 9).expect("known"), []);
    let any = Recycling { choice: RowChoice::Suspense(SuspenseChoice::default()), ..word.clone() };
    assert_ne!(word.order(), any.order(), "an order names its decision");
    let priced = RowChoice::Priced(PricedChoice { cycle: Some("2026-10".to_owned()), ..PricedChoice::default() });
    let priced = Recycling { choice: priced, ..any.clone() };
    landing.recycle(&priced, &TestClock).expect("landed");
    assert_eq!(landing.recyclings(&account.path(), 5, 5).expect("known"), [(5, priced.choice.clone())]);
    let every = Recycling { choice: RowChoice::Priced(PricedChoice::default()), ..any.clone() };
    assert!(every.order() != any.order() && every.order() != priced.order());
    let written = serde_json::to_value(&priced).expect("JSON");
    for (key, twice) in [("choice", serde_json::json!({})), ("priced", serde_json::Value::Null)] {
        let mut record = written.clone();
        record[key] = twice;
        let error = serde_json::from_value::<Recycling>(record).expect_err("both or none of the choices");
        assert!(
            error.to_string().contains("one of `priced` rows, one of `drawing` rows, a `write_off`, or an `edit`"),
            "{error}"
        );
    }
    // A decision that knows no versions of the table leaves closed cycles alone as a whole.
    let frozen = |text: &str| {
        let choice: super::DrawingChoice = serde_json::from_str(&format!(r#"{{"frozen":{text}}}"#)).expect("a choice");
        choice.frozen.version_at("2026-10", 100)
    };
    let found =
        [r#"["2026-10"]"#, r#"{"2026-10":[{"until_us":100,"arrival":7}]}"#, r#"{"2026-10":[{"until_us":100,"version":7}]}"#];
    assert_eq!(found.map(frozen), [Some(u64::MAX), Some(u64::MAX), Some(7)]);
    let cycles = BTreeSet::from(["2026-10".to_owned()]);
    let drawing = Recycling { choice: RowChoice::Drawing(super::DrawingChoice { cycles, ..Default::default() }), ..any.clone() };
    assert!([&any, &priced, &every].iter().all(|other| other.order() != drawing.order()));
    let read_back = serde_json::from_value::<Recycling>(serde_json::to_value(&drawing).expect("JSON"));
    assert_eq!(read_back.expect("as it was written"), drawing);
    let write_off = WriteOff {
        choice: SuspenseChoice { row: Some(3), ..SuspenseChoice::default() },
        by: "anna".to_owned(),
        why: "test".to_owned(),
    };
    let write_off = Recycling { choice: RowChoice::WriteOff(write_off), ..any.clone() };
    assert!(write_off.order() != any.order());
    landing.recycle(&write_off, &TestClock).expect("landed");
    assert_eq!(self::landing(&store).recyclings(&account.path(), 6, 6).expect("known"), [(6, write_off.choice.clone())]);
    let edit = |fields: &[(&str, &str)]| {
        let set = FieldEdits::read(fields.iter().copied()).expect("fields");
        let (choice, by, why) = (SuspenseChoice::default(), "anna".to_owned(), "test".to_owned());
        Recycling { choice: RowChoice::Edit(super::Edit { choice, set, by, why }), ..any.clone() }
    };
    let (two, one) = (edit(&[("network", "20408"), ("b_number", "31201234567")]), edit(&[("network", "")]));
    assert!([&any, &write_off, &one].iter().all(|other| other.order() != two.order()), "what is set is part of the decision");
    landing.recycle(&two, &TestClock).expect("landed");
    assert_eq!(self::landing(&store).recyclings(&account.path(), 7, 7).expect("known"), [(7, two.choice)]);
}

#[test]
fn a_record_says_whose_place_a_file_takes() {
    let store = TestStore::default();
    let landing = landing(&store);
    let snapshot = |name: &str| LandRequest { mode: DeliveryMode::Snapshot, ..request(name) };
    let one = land(&landing, &snapshot("month.csv"), "a");
    assert_eq!(delivery(one.arrival()).replaces, None, "there is none before it");
    let two = land(&landing, &snapshot("month.csv"), "ab");
    assert_eq!(delivery(two.arrival()).replaces, Some(Replaces::SameName));
    let added = land(&landing, &LandRequest { repeat: Repeat::AsNew, ..snapshot("month.csv") }, "abc");
    assert_eq!(delivery(added.arrival()).replaces, None, "it comes on top");
    let other = land(&landing, &LandRequest { repeat: Repeat::Replaces(1), ..request("other.csv") }, "abcd");
    assert_eq!(delivery(other.arrival()).replaces, Some(Replaces::Arrival(1)));
    let replaced = |landed: &Landed| {
        let all = landing.replaced_by(landed.arrival().number, delivery(landed.arrival())).expect("known");
        all.into_iter().map(|(number, _)| number).collect::<Vec<_>>()
    };
    assert_eq!((replaced(&two), replaced(&other), replaced(&added)), (vec![1], vec![1], vec![]));
    landing.withdraw(1, &TestClock).expect("landed");
    assert_eq!((replaced(&two), replaced(&other)), (vec![], vec![]), "what was taken back is replaced by nobody");
}
