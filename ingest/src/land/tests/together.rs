//! Files that arrive together: one record, and the meaning of landing one by one.

use std::ops::ControlFlow;

use super::*;

/// Lands files in turn up to the first that fails; tells what became of each, by name.
fn all(landing: &Landing, files: &[(LandRequest, &str)]) -> Vec<(String, Result<LandedFile, LandError>)> {
    let mut together = landing.together();
    let mut done = Vec::new();
    let mut hear = |name, outcome: Result<LandedFile, LandError>| {
        let flow = if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
        done.push((name, outcome));
        flow
    };
    let all = files.iter().try_for_each(|(request, bytes)| {
        together.add(request.logical_file.clone(), request, &mut bytes.as_bytes(), &TestClock, &mut hear)
    });
    if all.is_continue() {
        let _ = together.finish(&TestClock, &mut hear);
    }
    done
}

fn plain<'a>(names: &[&str], bytes: &'a [String]) -> Vec<(LandRequest, &'a str)> {
    names.iter().map(|name| request(name)).zip(bytes.iter().map(String::as_str)).collect()
}

/// Bytes of so many different files.
fn contents(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("the bytes of {n}")).collect()
}

fn landed(done: &[(String, Result<LandedFile, LandError>)]) -> Vec<ArrivalNumber> {
    done.iter().flat_map(|(_, all)| &all.as_ref().expect("landed").landed).map(|landed| landed.arrival().number).collect()
}

#[test]
fn small_files_arrive_in_one_record_and_each_has_its_number() {
    let store = TestStore::default();
    let bytes = contents(3);
    let done = all(&landing(&store), &plain(&["a.csv", "b.csv", "c.csv"], &bytes));
    assert_eq!(landed(&done), [1, 2, 3]);
    assert_eq!(store.paths(ARRIVALS), [arrival::path(1)], "one write for three files");
    assert_eq!(land(&landing(&store), &request("d.csv"), "another").arrival().number, 4, "others go on behind them");
    let others = landing(&store);
    assert_eq!(delivery(&others.arrival(2).expect("by number")).origin, "inbox/b.csv", "a process that has read none before");
    assert!(matches!(others.arrival(5), Err(LandError::NoArrival(5))));
    let arrivals = landing(&store).arrivals(2).expect("from the second on");
    let found: Vec<_> = arrivals.iter().map(|a| (a.number, &*delivery(a).identity.logical_file)).collect();
    assert_eq!(found, [(2, "b.csv"), (3, "c.csv"), (4, "d.csv")]);
}

#[test]
fn a_record_holds_no_more_files_and_bytes_than_the_settings_say() {
    let store = TestStore::default();
    let settings = LandingSettings { together_files_max: 2, together_bytes_max: 40, ..LandingSettings::default() };
    let landing = Landing::new(Arc::new(store.clone()), settings);
    let bytes = contents(3);
    let mut files = plain(&["a.csv", "b.csv", "c.csv"], &bytes);
    let (large, half) = ("x".repeat(41), "y".repeat(39));
    files.extend([(request("large.csv"), &*large), (request("half.csv"), &*half), (request("d.csv"), "z")]);
    assert_eq!(landed(&all(&landing, &files)), [1, 2, 3, 4, 5, 6], "in the order in which they came");
    assert_eq!(store.paths(ARRIVALS), [1, 3, 4, 5].map(arrival::path), "two; one before the large one; that; two that fill it");
}

#[test]
fn what_is_landed_together_means_what_it_means_one_by_one() {
    for seed in 0..300_u64 {
        // Few names, contents and accounts, so that most files look like another.
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut draw = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from((state >> 33) % below).expect("a few")
        };
        let texts: Vec<String> = (0..14).map(|_| ["", "abc", "def", "ghi", "jkl"][draw(5)].to_owned()).collect();
        let files: Vec<(LandRequest, &str)> = texts
            .iter()
            .map(|text| {
                let name = request(["a.csv", "b.csv", "c.csv", "d.csv"][draw(4)]);
                let account = account("main", ["haven", "haven", "lagoon"][draw(3)]);
                let mode = [DeliveryMode::Delta, DeliveryMode::Snapshot][draw(2)];
                let repeat = [Repeat::Hold, Repeat::Hold, Repeat::AsNew][draw(3)];
                (LandRequest { account, mode, repeat, ..name }, &**text)
            })
            .collect();
        let (one_by_one, together) = (TestStore::default(), TestStore::default());
        let single = landing(&one_by_one);
        let expected: Vec<Landed> = files.iter().map(|(request, bytes)| land(&single, request, bytes)).collect();
        let found: Vec<Landed> =
            all(&landing(&together), &files).into_iter().flat_map(|(_, all)| all.expect("landed").landed).collect();
        let first = found.iter().zip(&expected).find(|(found, expected)| found != expected);
        assert!(first.is_none(), "seed {seed}: {first:#?}");
        let read = |store: &TestStore| landing(store).arrivals(0).expect("all");
        assert!(read(&together) == read(&one_by_one), "seed {seed}: other records");
        assert!(together.paths(ARRIVALS).len() <= one_by_one.paths(ARRIVALS).len(), "seed {seed}");
    }
}

#[test]
fn a_rival_that_took_the_number_first_moves_all_of_them_up() {
    let store = TestStore::default();
    let ours = landing(&store);
    let (mut together, mut found) = (ours.together(), Vec::new());
    let mut hear = |name: &'static str, outcome: Result<LandedFile, LandError>| {
        found.push((name, outcome.expect("landed").landed[0].clone()));
        ControlFlow::Continue(())
    };
    for name in ["a.csv", "b.csv"] {
        let _ = together.add(name, &request(name), &mut name.as_bytes(), &TestClock, &mut hear);
    }
    land(&landing(&store), &request("rival.csv"), "rival");
    land(&landing(&store), &request("also-b.csv"), "b.csv");
    let _ = together.finish(&TestClock, &mut hear);
    assert!(matches!(&found[0], ("a.csv", Landed::New(a)) if a.number == 3), "{found:?}");
    assert!(matches!(&found[1], ("b.csv", Landed::Already(a)) if a.number == 2), "the rival landed its bytes: {found:?}");
    assert_eq!(numbers(&landing(&store).arrivals(0).expect("all")), [1, 2, 3]);
}

#[test]
fn an_unknown_outcome_of_a_record_is_looked_up() {
    for fault in [Fault::AmbiguousDone, Fault::AmbiguousUndone] {
        let store = TestStore::default();
        store.fail(ARRIVALS, fault, 1);
        let bytes = contents(2);
        assert_eq!(landed(&all(&landing(&store), &plain(&["a.csv", "b.csv"], &bytes))), [1, 2], "{fault:?}");
        assert_eq!(store.paths(ARRIVALS), [arrival::path(1)], "{fault:?}");
    }
}

#[test]
fn nothing_lands_behind_a_file_that_met_a_full_disk() {
    let bytes = contents(3);
    let large = "x".repeat(3 << 20);
    let mut files = plain(&["a.csv", "b.csv", "c.csv"], &bytes);
    files.extend([(request("large.csv"), &*large), (request("a.csv"), "the next version")]);
    // Objects: a, the profile, b, c, large; records: of three, of large.
    for (prefix, good, told) in [(OBJECTS, 0, "a"), (OBJECTS, 1, "a"), (OBJECTS, 2, "b"), (OBJECTS, 3, "c"), (ARRIVALS, 0, "a")] {
        let store = TestStore::default();
        store.fail_after(prefix, Fault::Full, good);
        let done = all(&landing(&store), &files);
        let (name, failed) = done.last().expect("one failed");
        let said = failed.as_ref().expect_err("the last one failed").to_string();
        assert_eq!(said, format!("no space left while landing `inbox/{told}.csv`; it has not arrived, free space and run again"));
        assert_eq!(*name, format!("{told}.csv"), "after {good} writes to {prefix}");
        let before = landing(&store).arrivals(0).expect("those before it").len();
        assert_eq!(before, done.len() - 1, "those before it have arrived, and no other, after {good} writes to {prefix}");
        store.fail(OBJECTS, Fault::Full, 0);
        let again = all(&landing(&store), &files[..4]);
        assert_eq!(landed(&again), [1, 2, 3, 4], "the next run lands them in their order");
    }
}

#[test]
fn who_goes_on_hears_of_every_file_that_did_not_arrive() {
    let store = TestStore::default();
    store.fail(ARRIVALS, Fault::Full, 1);
    let landing = landing(&store);
    let (mut together, mut said) = (landing.together(), Vec::new());
    let mut hear = |name: &'static str, outcome: Result<LandedFile, LandError>| {
        said.push((name, outcome.map(|all| all.landed[0].arrival().number).map_err(|e| (e.to_string(), e.disposition()))));
        ControlFlow::Continue(())
    };
    for name in ["a.csv", "b.csv"] {
        let _ = together.add(name, &request(name), &mut name.as_bytes(), &TestClock, &mut hear);
    }
    let _ = together.finish(&TestClock, &mut hear);
    let _ = together.add("c.csv", &request("c.csv"), &mut &b"c"[..], &TestClock, &mut hear);
    let _ = together.finish(&TestClock, &mut hear);
    let [("a.csv", Err((first, _))), ("b.csv", Err((second, Disposition::NextRun))), ("c.csv", Ok(1))] = &said[..] else {
        panic!("{said:?}")
    };
    assert!(first.contains("no space left while landing `inbox/a.csv`"), "{first}");
    assert!(second.contains("`inbox/b.csv` was to arrive together with `inbox/a.csv`, which failed"), "{second}");
}

#[test]
fn files_that_take_each_others_place_after_all_are_told_one_by_one() {
    let store = TestStore::default();
    let ours = Landing::new(Arc::new(store.clone()), LandingSettings::default());
    let snapshot = |name: &str| LandRequest { mode: DeliveryMode::Snapshot, ..request(name) };
    let (mut together, mut said) = (ours.together(), Vec::new());
    let mut hear = |name: &'static str, outcome: Result<LandedFile, LandError>| {
        said.push((name, outcome.map(|all| all.landed[0].arrival().number).map_err(|e| e.to_string())));
        ControlFlow::Continue(())
    };
    for name in ["a.csv", "b.csv", "c.csv"] {
        let _ = together.add(name, &snapshot(name), &mut name.as_bytes(), &TestClock, &mut hear);
    }
    // Meanwhile another process lands an older version of the second: the three cannot share a record any more.
    land(&landing(&store), &snapshot("b.csv"), "older");
    store.fail_after(ARRIVALS, Fault::Full, 1);
    let _ = together.finish(&TestClock, &mut hear);
    let [("a.csv", Ok(2)), ("b.csv", Err(second)), ("c.csv", Err(third))] = &said[..] else { panic!("{said:?}") };
    assert!(
        second.contains("no space left while landing `inbox/b.csv`") && third.contains("`inbox/b.csv`, which failed"),
        "{said:?}"
    );
    assert_eq!(numbers(&landing(&store).arrivals(0).expect("all")), [1, 2]);
}

#[test]
fn a_file_that_cannot_be_read_keeps_nobody_waiting() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("a bad sector"))
        }
    }
    let store = TestStore::default();
    let landing = landing(&store);
    let (mut together, mut told) = (landing.together(), Vec::new());
    let mut hear = |name: &'static str, outcome: Result<LandedFile, LandError>| {
        told.push((name, outcome.is_ok()));
        ControlFlow::Continue(())
    };
    let _ = together.add("a.csv", &request("a.csv"), &mut &b"abc"[..], &TestClock, &mut hear);
    let _ = together.add("b.csv", &request("b.csv"), &mut Broken, &TestClock, &mut hear);
    let _ = together.add("c.csv", &request("c.csv"), &mut &b"def"[..], &TestClock, &mut hear);
    let _ = together.finish(&TestClock, &mut hear);
    assert_eq!(told, [("a.csv", true), ("b.csv", false), ("c.csv", true)]);
    assert_eq!(numbers(&landing.arrivals(0).expect("all")), [1, 2]);
}

#[test]
fn known_files_are_told_before_anything_later_lands_and_write_nothing() {
    let store = TestStore::default();
    land(&landing(&store), &request("known.csv"), "known");
    let before = store.paths("").len();
    let files = [(request("known.csv"), "known"), (request("new.csv"), "new")];
    store.fail_after(OBJECTS, Fault::Full, 0);
    let done = all(&landing(&store), &files);
    assert!(matches!(&done[0], (name, Ok(all)) if name == "known.csv" && matches!(all.landed[..], [Landed::Already(_)])));
    assert!(done[1].1.is_err());
    assert_eq!(store.paths("").len(), before);
}

#[test]
fn one_arrival_of_many_is_found_without_reading_all() {
    let store = TestStore::default();
    let names: Vec<String> = (0..600).map(|n| format!("{n}.csv")).collect();
    let bytes = contents(600);
    let done = all(&landing(&store), &plain(&names.iter().map(String::as_str).collect::<Vec<_>>(), &bytes));
    assert_eq!(landed(&done), (1..=600).collect::<Vec<_>>());
    assert_eq!(store.paths(ARRIVALS).len(), 10, "600 files in records of 64");
    for (number, name) in (1..).zip(&names).step_by(37) {
        let fresh = landing(&store);
        let before = store.reads();
        assert_eq!(delivery(&fresh.arrival(number).expect("by number")).identity.logical_file, *name);
        assert!(store.reads() - before <= 66, "{number}: {} reads", store.reads() - before);
    }
    let ours = landing(&store);
    assert_eq!(ours.arrivals(1).expect("all").len(), 600, "more than are kept at hand");
    assert!(matches!(landing(&store).arrival(601), Err(LandError::NoArrival(601))));
}

#[test]
fn damaged_and_newer_records_of_several_are_named() {
    let store = TestStore::default();
    let bytes = contents(2);
    all(&landing(&store), &plain(&["a.csv", "b.csv"], &bytes));
    let record: serde_json::Value = serde_json::from_slice(&store.get(&arrival::path(1)).expect("it")).expect("JSON");
    let with = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut changed = record.clone();
        change(&mut changed);
        store.force(&arrival::path(1), changed.to_string().as_bytes());
        landing(&store).arrivals(0).expect_err("it is not read").to_string()
    };
    let second = |r: &mut serde_json::Value| r["kinds"][1]["delivery"]["size"] = "two".into();
    assert!(with(&second).contains("landed object `landing/arrivals/00000000000000000001.json` is damaged"));
    assert!(with(&|r| r["kinds"] = serde_json::json!([])).contains("it wants either `kind` or `kinds`"));
    assert!(with(&|r| r["kind"] = r["kinds"][0].clone()).contains("it wants either `kind` or `kinds`"));
    let hash = |r: &mut serde_json::Value| r["kinds"][1]["delivery"]["identity"]["sha256"] = "00".into();
    assert!(with(&hash).contains("its identity makes"));
    assert!(with(&|r| r["format"] = 5.into()).contains("has format 5, this program reads up to 4"));
}
