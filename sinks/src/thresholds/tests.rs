//! Events are written once: beside another writer, across a crash, in parts, and however often they are found.

use std::borrow::Cow;
use std::sync::Arc;

use domain::columns::thresholds::{Threshold, Used};
use domain::money::Money;
use domain::period::Month;
use domain::ports::{Blob, Clock, Rng};

use super::{End, Event, THRESHOLDS, ThresholdWriter, Wanted, audit, newest, open, read};
use crate::commit::CommitError;
use crate::delta::log::Attempt;
use crate::local_store::memory::{Fault, MemoryStore, Operation};
use crate::table::Table;

struct Noon;

impl Clock for Noon {
    fn now_us(&self) -> i64 {
        1_790_000_000_000_000
    }
}

struct Counted(u64);

impl Rng for Counted {
    fn next_u64(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

/// 75, 90 or 100 % of one of the bundles of a month.
fn event(month: u32, bundle: &str, percent: u8) -> Threshold<'static> {
    let month = Month::new(2026, month).expect("a month");
    Threshold {
        customer: Cow::Borrowed("C-1"),
        subscription: Some(Cow::Borrowed("S-1")),
        group: None,
        allowance: Cow::Owned(bundle.to_owned()),
        unit: Cow::Borrowed("seconds"),
        every: Cow::Borrowed("cycle"),
        period: Cow::Owned(month.to_string()),
        month,
        percent,
        used: Used::Units { used: u64::from(percent) * 60, given: 6_000 },
        record_key: u128::from(percent),
        start_us: 1_780_000_000_000_000,
    }
}

fn table(store: &MemoryStore, seed: u64) -> Table {
    let blob: Arc<dyn Blob> = Arc::new(store.clone());
    open(&blob, &Noon, &mut Counted(seed)).expect("a table")
}

fn writer(store: &MemoryStore, seed: u64) -> ThresholdWriter {
    ThresholdWriter::new(table(store, seed), "main".to_owned(), 3)
}

fn write(writer: &mut ThresholdWriter, events: &[Threshold<'static>], seed: u64) -> Result<u64, CommitError> {
    writer.write(|| events.iter().cloned(), &Noon, &mut Counted(seed))
}

const ALL: Wanted<'_> = Wanted { since: 0, customer: None, allowance: None, limit: 1_000, end: End::Oldest };

/// What the table holds, by number: bundle, month and percent.
fn stands(store: &MemoryStore) -> Vec<(u64, String, String, u8)> {
    let (events, _) = read(&table(store, 99_000), &ALL).expect("events");
    events.into_iter().map(|Event { number, of, .. }| (number, of.allowance.into(), of.period.into(), of.percent)).collect()
}

fn row(number: u64, bundle: &str, period: &str, percent: u8) -> (u64, String, String, u8) {
    (number, bundle.to_owned(), period.to_owned(), percent)
}

#[test]
fn what_is_found_again_fires_no_more_whoever_looks() {
    let store = MemoryStore::new();
    let mut first = writer(&store, 0);
    let found = [event(9, "nl", 75), event(10, "nl", 75), event(10, "nl", 90)];
    assert_eq!(write(&mut first, &found, 100).expect("events"), 3);
    let version = first.table().snapshot().version;
    assert_eq!(write(&mut first, &found, 200).expect("nothing"), 0);
    let mut second = writer(&store, 300);
    // Another record has reached it, with more: it is the same event.
    let again = Threshold { record_key: 7, used: Used::Units { used: 5_999, given: 6_000 }, ..event(10, "nl", 75) };
    assert_eq!(write(&mut second, &[again, event(10, "nl", 100), event(10, "nl", 100)], 400).expect("one"), 1);
    assert_eq!(write(&mut first, &[event(10, "nl", 100)], 500).expect("the other has it"), 0);
    let expected =
        [row(1, "nl", "2026-09", 75), row(2, "nl", "2026-10", 75), row(3, "nl", "2026-10", 90), row(4, "nl", "2026-10", 100)];
    assert_eq!(stands(&store), expected);
    assert_eq!(second.table().snapshot().version, version.map(|version| version + 1), "what fires nothing commits nothing");
    assert_eq!(audit(first.table()).expect("an audit"), (4, Vec::new()));
}

/// Lets another writer commit whenever ours has asked what is known and makes up a name for what it writes.
struct Meddling {
    other: ThresholdWriter,
    events: Vec<Threshold<'static>>,
    counted: Counted,
}

impl Rng for Meddling {
    fn next_u64(&mut self) -> u64 {
        if let Some(event) = self.events.pop() {
            let seed = 10_000 + self.counted.0 * 100;
            write(&mut self.other, &[event], seed).expect("the other's event");
        }
        self.counted.next_u64()
    }
}

#[test]
fn of_two_that_find_the_same_one_writes_it_and_both_go_on() {
    let store = MemoryStore::new();
    let mut ours = writer(&store, 0);
    let mut meddling = Meddling { other: writer(&store, 100), events: vec![event(10, "nl", 75)], counted: Counted(200) };
    let found = [event(10, "nl", 75), event(10, "nl", 90)];
    assert_eq!(ours.write(|| found.iter().cloned(), &Noon, &mut meddling).expect("the rest"), 1);
    assert_eq!(stands(&store), [row(1, "nl", "2026-10", 75), row(2, "nl", "2026-10", 90)]);
    // Who is always slower ends, and has written nothing.
    let others = (0..40).map(|n| event(10, &format!("other-{n}"), 75)).collect();
    let mut meddling = Meddling { other: writer(&store, 300), events: others, counted: Counted(400) };
    let lost = ours.write(|| [event(10, "nl", 100)].into_iter(), &Noon, &mut meddling);
    assert!(matches!(lost, Err(CommitError::Contended(3))), "{lost:?}");
    assert!(stands(&store).iter().all(|(_, bundle, _, percent)| bundle != "nl" || *percent < 100));
    assert_eq!(audit(&table(&store, 500)).expect("an audit").1, [""; 0]);
}

#[test]
fn a_crash_before_the_commit_shows_nothing_and_one_behind_it_fires_no_second_time() {
    let store = MemoryStore::new();
    let mut ours = writer(&store, 0);
    let is_entry = |operation: Operation<'_>| matches!(operation, Operation::Publish(path) if path.contains("_delta_log/"));
    store.set_faults(Some(Box::new(move |_, operation| if is_entry(operation) { Fault::Full } else { Fault::None })));
    assert!(write(&mut ours, &[event(10, "nl", 75)], 100).is_err());
    store.set_faults(None);
    assert_eq!(stands(&store), []);
    let files = store.list(&format!("{THRESHOLDS}/period_month=2026-10/")).expect("a folder");
    assert_eq!(files.len(), 1, "the file is there, and nobody names it");
    // The commit is done, its answer is lost, and then nothing works any more.
    let mut is_done = false;
    store.set_faults(Some(Box::new(move |_, operation| {
        if is_entry(operation) {
            is_done = true;
            return Fault::AmbiguousDone;
        }
        if is_done { Fault::Fail } else { Fault::None }
    })));
    assert!(write(&mut ours, &[event(10, "nl", 75)], 300).is_err());
    store.set_faults(None);
    assert_eq!(write(&mut writer(&store, 400), &[event(10, "nl", 75), event(10, "nl", 90)], 500).expect("the rest"), 1);
    assert_eq!(stands(&store), [row(1, "nl", "2026-10", 75), row(2, "nl", "2026-10", 90)]);
}

#[test]
fn many_are_written_in_parts_and_read_from_either_end() {
    let store = MemoryStore::new();
    let mut ours = writer(&store, 0);
    ours.events_max = 4;
    let bundles: Vec<String> = (0..5).map(|n| format!("b{n}")).collect();
    let of_month = |month| bundles.iter().map(move |bundle| event(month, bundle, 75)).collect::<Vec<_>>();
    let all = [of_month(9), of_month(10)].concat();
    assert_eq!(write(&mut ours, &all, 100).expect("events"), 10);
    assert_eq!((ours.table().snapshot().version, newest(ours.table())), (Some(3), 10), "4, 4 and 2");
    let numbers = |wanted: Wanted<'_>| {
        let (events, is_more) = read(&table(&store, 200), &wanted).expect("events");
        (events.iter().map(|event| event.number).collect::<Vec<_>>(), is_more)
    };
    assert_eq!(numbers(ALL), ((1..=10).collect(), false));
    assert_eq!(numbers(Wanted { limit: 3, ..ALL }), (vec![1, 2, 3], true));
    assert_eq!(numbers(Wanted { limit: 3, end: End::Newest, ..ALL }), (vec![8, 9, 10], true));
    assert_eq!(numbers(Wanted { since: 7, ..ALL }), (vec![8, 9, 10], false));
    assert_eq!(numbers(Wanted { since: 10, ..ALL }), (vec![], false));
    assert_eq!(numbers(Wanted { since: 2, limit: 2, ..ALL }), (vec![3, 4], true));
    assert_eq!(numbers(Wanted { allowance: Some("b4"), ..ALL }), (vec![5, 10], false));
    assert_eq!(numbers(Wanted { allowance: Some("b4"), limit: 1, end: End::Newest, ..ALL }), (vec![10], true));
    assert_eq!(numbers(Wanted { customer: Some("C-2"), ..ALL }), (vec![], false));
    // A look at nothing new reads what others wrote, and the files that it has read not again.
    let reads = || store.operations();
    let before = reads();
    assert_eq!(write(&mut ours, &all, 300).expect("nothing"), 0);
    let looked = reads() - before;
    let before = reads();
    assert_eq!(write(&mut ours, &all, 400).expect("nothing"), 0);
    assert!(reads() - before < looked, "{looked}");
}

#[test]
fn a_row_holds_units_or_money_and_whose_it_is() {
    let store = MemoryStore::new();
    let group = Threshold {
        subscription: None,
        group: Some(Cow::Borrowed("G-1")),
        unit: Cow::Borrowed("EUR"),
        used: Used::Money { used: Money(4_500_000_001), given: Money(5_000_000_000) },
        record_key: u128::MAX - 1,
        ..event(10, "cap", 90)
    };
    let customer = Threshold { subscription: None, used: Used::Units { used: 1 << 60, given: u64::MAX }, ..event(10, "all", 1) };
    let events = [group, customer, event(10, "nl", 75)];
    write(&mut writer(&store, 0), &events, 100).expect("events");
    let (found, _) = read(&table(&store, 200), &ALL).expect("events");
    assert!(found.iter().all(|event| event.noticed_us == Noon.now_us()));
    let found: Vec<Threshold<'_>> = found.into_iter().map(|event| event.of).collect();
    assert_eq!((&found[0], &found[2]), (&events[0], &events[2]));
    assert_eq!(found[1].used, Used::Units { used: 1 << 60, given: i64::MAX as u64 });
}

#[test]
fn an_audit_names_what_fired_twice() {
    let store = MemoryStore::new();
    let mut ours = writer(&store, 0);
    write(&mut ours, &[event(10, "nl", 75)], 100).expect("an event");
    let twice = ours.attempt(&[event(10, "nl", 75)], &Noon, &mut Counted(200)).expect("a commit");
    assert_eq!(twice, Attempt::Committed);
    assert_eq!(audit(ours.table()).expect("an audit"), (2, vec!["event 2 has fired before".to_owned()]));
}
