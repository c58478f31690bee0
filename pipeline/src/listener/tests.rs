//! Every event lands once: over restarts at any step, zombies, lost answers of the store, gaps; and what is gone is said.

use std::sync::atomic::{AtomicI64, Ordering};

use domain::delivery::Account;
use domain::ids::{AccountId, ProviderId, TenantId};
use domain::ports::Disposition;
use ingest::land::{ArrivalKind, LandingSettings};
use ingest::live::memory::{MemoryEvents, MemoryTopic};
use ingest::profile::Profile;
use proptest::prelude::*;
use sinks::local_store::memory::{Fault, MemoryStore};

use super::*;

/// A clock that the test turns.
#[derive(Default)]
struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

const SETTINGS: ListenSettings =
    ListenSettings { rows_max: 3, bytes_max: 1_000, wait_us: 1_000_000, held_bytes_max: 10_000, on_loss: OnLoss::Stop };

/// More steps than anything here takes.
const STEPS_MAX: usize = 10_000;

fn profile() -> Profile {
    Profile::load(config::profiles::find("freeswitch-cdr-csv").expect("shipped")).expect("a profile")
}

fn request() -> LandRequest {
    let account = Account {
        tenant: TenantId::parse("main").expect("an id"),
        provider: ProviderId::parse("freeswitch").expect("an id"),
        account: AccountId::parse("haven").expect("an id"),
    };
    LandRequest::new(&profile(), account, "live", "live", 50_000)
}

fn landing(store: &MemoryStore) -> Arc<Landing> {
    Arc::new(Landing::new(Arc::new(store.clone()), LandingSettings::default()))
}

/// A listener of a process of its own.
fn listener(topic: &MemoryTopic, partitions: &[u32], store: &MemoryStore, settings: ListenSettings) -> Listener<MemoryEvents> {
    let form = LiveForm::new(&profile(), "").expect("it reads lines");
    Listener::new(topic.listen(partitions), landing(store), request(), form, settings)
}

/// Steps until all that there is has landed.
fn drain(listener: &mut Listener<MemoryEvents>) -> Result<(), PipelineError> {
    for _ in 0..STEPS_MAX {
        listener.step(0, &TestClock::default())?;
        if listener.is_at_end() {
            listener.close();
        }
        if listener.is_at_end() && !listener.is_busy() {
            return Ok(());
        }
    }
    panic!("it never comes to an end: {listener:?}");
}

fn ranges(store: &MemoryStore) -> Vec<(LiveRange, String)> {
    let landing = landing(store);
    let of = |kind: ArrivalKind| match kind {
        ArrivalKind::Delivery(record) => {
            let bytes = landing.read_range(&record.identity.sha256, 0..record.size).expect("its bytes");
            (*record.live.expect("a micro-batch"), String::from_utf8(bytes).expect("text"))
        }
        other => panic!("{other:?}"),
    };
    landing.arrivals(0).expect("arrivals").into_iter().map(|arrival| of(arrival.kind)).collect()
}

/// Offset and line of every row that has landed from a partition.
fn landed(store: &MemoryStore, partition: u32) -> Vec<(u64, String)> {
    let of_partition = ranges(store).into_iter().filter(|(range, _)| range.source.partition == partition);
    let rows = |(range, text): (LiveRange, String)| {
        assert_eq!(text.lines().count() as u64, range.rows);
        let rows = text.lines().zip(0..).map(|(line, row)| (range.place(row).0, line.to_owned()));
        rows.collect::<Vec<_>>()
    };
    of_partition.flat_map(rows).collect()
}

fn live(error: &PipelineError) -> &LiveError {
    match error {
        PipelineError::Live(error) => error,
        other => panic!("{other:?}"),
    }
}

fn written(topic: &MemoryTopic, partition: u32, lines: &[&str]) -> Vec<(u64, String)> {
    lines.iter().map(|line| (topic.write(partition, line.as_bytes()), (*line).to_owned())).collect()
}

#[test]
fn batches_land_by_rows_and_by_time_and_a_restart_goes_on_behind_them() {
    let (topic, store, clock) = (MemoryTopic::new("cdr", 1), MemoryStore::new(), TestClock::default());
    let mut expected = written(&topic, 0, &["a", "b", "b", "c"]);
    let mut first = listener(&topic, &[0], &store, SETTINGS);
    let steps = |listener: &mut Listener<MemoryEvents>| {
        for _ in 0..20 {
            listener.step(0, &clock).expect("a step");
        }
    };
    steps(&mut first);
    assert_eq!(landed(&store, 0), expected[..3], "three rows are a batch, the fourth waits for others");
    clock.0.store(1_000_000, Ordering::Relaxed);
    steps(&mut first);
    assert_eq!(landed(&store, 0), expected, "it has waited long enough");
    drop(first);
    expected.extend(written(&topic, 0, &["d"]));
    drain(&mut listener(&topic, &[0], &store, SETTINGS)).expect("the rest");
    assert_eq!(landed(&store, 0), expected);
    assert_eq!(ranges(&store).iter().map(|(r, _)| (r.first_offset, r.next_offset)).collect::<Vec<_>>(), [(0, 3), (3, 4), (4, 5)]);
}

#[test]
fn the_largest_batch_lands_when_all_together_hold_too_much() {
    let (topic, store) = (MemoryTopic::new("cdr", 2), MemoryStore::new());
    written(&topic, 0, &["aaaaaaaaaa", "aaaaaaaaaa"]);
    written(&topic, 1, &["b"]);
    let settings = ListenSettings { held_bytes_max: 60, ..SETTINGS };
    let mut tight = listener(&topic, &[0, 1], &store, settings);
    for _ in 0..20 {
        tight.step(0, &TestClock::default()).expect("a step");
    }
    assert_eq!((landed(&store, 0).len(), landed(&store, 1).len()), (2, 0));
}

#[test]
fn of_two_that_believe_in_one_partition_the_chain_decides() {
    let (topic, store) = (MemoryTopic::new("cdr", 1), MemoryStore::new());
    let mut expected = written(&topic, 0, &["a", "b"]);
    let (mut zombie, mut heir) = (listener(&topic, &[0], &store, SETTINGS), listener(&topic, &[0], &store, SETTINGS));
    while zombie.is_busy() || !zombie.is_at_end() {
        if matches!(zombie.step(0, &TestClock::default()).expect("a step"), ListenStep::Took(2)) {
            break;
        }
    }
    expected.extend(written(&topic, 0, &["c", "d"]));
    drain(&mut heir).expect("it lands all");
    drain(&mut zombie).expect("it sees that it was overtaken");
    assert_eq!(landed(&store, 0), expected);
}

#[test]
fn a_partition_that_is_taken_away_is_dropped_with_what_was_gathered() {
    let (topic, store) = (MemoryTopic::new("cdr", 2), MemoryStore::new());
    let expected = written(&topic, 1, &["x"]);
    written(&topic, 0, &["a"]);
    let mut one = listener(&topic, &[0, 1], &store, SETTINGS);
    while !one.is_at_end() {
        one.step(0, &TestClock::default()).expect("a step");
    }
    one.source.tell(News::Revoked(vec![0]));
    one.step(0, &TestClock::default()).expect("a step");
    drain(&mut one).expect("the other partition");
    assert_eq!((landed(&store, 0), landed(&store, 1)), (Vec::new(), expected));
}

#[test]
fn events_without_a_row_move_the_chain_on_and_gaps_are_no_loss() {
    let (topic, store) = (MemoryTopic::new("cdr", 1), MemoryStore::new());
    topic.write(0, b"");
    topic.skip(0);
    topic.write(0, b"a");
    topic.skip(0);
    drain(&mut listener(&topic, &[0], &store, SETTINGS)).expect("all");
    let [(range, text)] = &ranges(&store)[..] else { panic!("one batch") };
    assert_eq!((range.first_offset, range.next_offset, range.rows, range.empty, text.as_str()), (0, 3, 1, 1, "a\n"));
    topic.write(0, b"\n");
    drain(&mut listener(&topic, &[0], &store, SETTINGS)).expect("all");
    let second = ranges(&store).pop().expect("a batch of no rows").0;
    assert_eq!((second.from_offset, second.first_offset, second.next_offset, second.rows), (3, 4, 5, 0));
}

#[test]
fn events_that_went_before_they_landed_are_named_and_accepted_by_word_only() {
    let (topic, store) = (MemoryTopic::new("cdr", 1), MemoryStore::new());
    written(&topic, 0, &["a", "b", "c", "d", "e", "f"]);
    let mut early = listener(&topic, &[0], &store, SETTINGS);
    while landed(&store, 0).is_empty() {
        early.step(0, &TestClock::default()).expect("a step");
    }
    drop(early);
    topic.trim(0, 5);
    let mut strict = listener(&topic, &[0], &store, SETTINGS);
    let lost = drain(&mut strict).expect_err("two are gone");
    assert!(matches!(live(&lost), LiveError::Lost { from: 3, to: 5, .. }), "{lost:?}");
    assert_eq!(lost.disposition(), Disposition::Stop);
    assert!(lost.to_string().contains("2 events of `cdr` partition 0, offsets 3 to 4"), "{lost}");
    let settings = ListenSettings { on_loss: OnLoss::Accept, ..SETTINGS };
    drain(&mut listener(&topic, &[0], &store, settings)).expect("it goes on");
    let last = ranges(&store).pop().expect("a batch").0;
    assert_eq!((last.from_offset, last.lost_below, last.first_offset, last.next_offset), (3, Some(5), 5, 6));
    written(&topic, 0, &["g"]);
    drain(&mut listener(&topic, &[0], &store, SETTINGS)).expect("the loss was accepted once for all");
    assert_eq!(landed(&store, 0).len(), 5);
}

#[test]
fn retention_that_overtakes_a_listener_is_noticed_while_it_listens() {
    let (topic, store) = (MemoryTopic::new("cdr", 1), MemoryStore::new());
    written(&topic, 0, &["a"]);
    let mut slow = listener(&topic, &[0], &store, SETTINGS);
    while !slow.is_at_end() {
        slow.step(0, &TestClock::default()).expect("a step");
    }
    written(&topic, 0, &["b", "c"]);
    topic.trim(0, 3);
    let lost = drain(&mut slow).expect_err("they are gone");
    assert!(matches!(live(&lost), LiveError::Lost { from: 0, to: 3, .. }), "{lost:?}");
}

#[test]
fn a_topic_made_anew_is_another_one_until_an_operator_says_so() {
    let (topic, store) = (MemoryTopic::new("cdr", 1), MemoryStore::new());
    written(&topic, 0, &["a", "b", "c"]);
    let mut one = listener(&topic, &[0], &store, SETTINGS);
    drain(&mut one).expect("all");
    drop(one);
    let mut surprised = listener(&topic, &[0], &store, SETTINGS);
    while !surprised.is_at_end() {
        surprised.step(0, &TestClock::default()).expect("a step");
    }
    written(&topic, 0, &["d"]);
    while !surprised.is_busy() {
        surprised.step(0, &TestClock::default()).expect("a step");
    }
    topic.recreate();
    written(&topic, 0, &["z"]);
    let other = drain(&mut surprised).expect_err("nothing of doubtful life lands");
    assert!(matches!(live(&other), LiveError::Recreated { .. }), "{other:?}");
    let strict = drain(&mut listener(&topic, &[0], &store, SETTINGS)).expect_err("another topic");
    assert!(strict.to_string().contains("`life-2`") && strict.to_string().contains("`life-1`"), "{strict}");
    let settings = ListenSettings { on_loss: OnLoss::Accept, ..SETTINGS };
    drain(&mut listener(&topic, &[0], &store, settings)).expect("it goes on");
    drain(&mut listener(&topic, &[0], &store, SETTINGS)).expect("it is known now");
    assert_eq!(landed(&store, 0).last(), Some(&(0, "z".to_owned())));
}

#[test]
fn a_topic_that_lost_its_end_stops_the_listener() {
    let (topic, store) = (MemoryTopic::new("cdr", 1), MemoryStore::new());
    written(&topic, 0, &["a", "b", "c"]);
    drain(&mut listener(&topic, &[0], &store, SETTINGS)).expect("all");
    topic.cut(0, 1);
    let settings = ListenSettings { on_loss: OnLoss::Accept, ..SETTINGS };
    let lost = drain(&mut listener(&topic, &[0], &store, settings)).expect_err("no flag helps here");
    assert!(matches!(live(&lost), LiveError::EndLost { position: 3, high: 1, .. }), "{lost:?}");
}

#[test]
fn an_unknown_offset_that_is_there_when_asked_for_is_a_truncated_topic() {
    let (topic, store) = (MemoryTopic::new("cdr", 1), MemoryStore::new());
    let mut one = listener(&topic, &[0], &store, SETTINGS);
    drain(&mut one).expect("nothing yet");
    one.is_closing = false;
    one.source.tell(News::Refused);
    let truncated = (0..10).find_map(|_| one.step(0, &TestClock::default()).err()).expect("an error");
    assert!(matches!(live(&truncated), LiveError::Truncated(_)), "{truncated:?}");
}

#[derive(Debug, Clone)]
struct Plan {
    /// Events by partition; `None` is an offset without one.
    events: Vec<(u32, Option<String>)>,
    /// After how many steps each listener is killed.
    kills: Vec<usize>,
    /// What becomes of the n-th publication of the store.
    faults: Vec<Fault>,
    rows_max: u64,
    listeners: usize,
}

fn plan() -> impl Strategy<Value = Plan> {
    let value = prop_oneof![Just("x".to_owned()), "[a-c]{1,3}", Just("a\nb".to_owned()), Just(String::new())];
    let event = (0u32..2, proptest::option::weighted(0.8, value));
    let fault = prop_oneof![
        6 => Just(Fault::None),
        1 => Just(Fault::Fail),
        1 => Just(Fault::AmbiguousDone),
        1 => Just(Fault::AmbiguousUndone),
    ];
    (
        proptest::collection::vec(event, 0..40),
        proptest::collection::vec(1usize..30, 0..4),
        proptest::collection::vec(fault, 0..40),
        1u64..6,
        1usize..3,
    )
        .prop_map(|(events, kills, faults, rows_max, listeners)| Plan { events, kills, faults, rows_max, listeners })
}

fn run(plan: &Plan, topic: &MemoryTopic, store: &MemoryStore) {
    let settings = ListenSettings { rows_max: plan.rows_max, ..SETTINGS };
    let new = || listener(topic, &[0, 1], store, settings);
    let clock = TestClock::default();
    for steps in &plan.kills {
        let mut all: Vec<_> = (0..plan.listeners).map(|_| new()).collect();
        for step in 0..*steps {
            let turn = step % all.len();
            // A failure that may pass is followed by another step, as the driver of a listener does it.
            if let Err(error) = all[turn].step(0, &clock) {
                assert_eq!(error.disposition(), Disposition::Retry, "{error}");
            }
        }
    }
    let mut last = new();
    for _ in 0..STEPS_MAX {
        if drain(&mut last).is_ok() {
            return;
        }
    }
    panic!("the store mends itself, the listener does not");
}

proptest! {
    #[test]
    fn every_event_lands_once_whatever_is_killed_or_fails(plan in plan()) {
        let (topic, store) = (MemoryTopic::new("cdr", 2), MemoryStore::new());
        let mut expected = [Vec::new(), Vec::new()];
        for (partition, value) in &plan.events {
            let Some(value) = value else {
                topic.skip(*partition);
                continue;
            };
            let offset = topic.write(*partition, value.as_bytes());
            let lines = value.lines().map(|line| (offset, line.to_owned()));
            expected[*partition as usize].extend(lines);
        }
        let mut faults = plan.faults.clone().into_iter();
        store.set_faults(Some(Box::new(move |_, operation| match operation {
            sinks::local_store::memory::Operation::Publish(_) => faults.next().unwrap_or(Fault::None),
            _ => Fault::None,
        })));
        run(&plan, &topic, &store);
        store.set_faults(None);
        prop_assert_eq!([landed(&store, 0), landed(&store, 1)], expected);
    }
}
