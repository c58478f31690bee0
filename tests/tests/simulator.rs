//! A thousand seeds of the simulator, and the replay of one.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::ports::{Blob, Disposition};
use ingest::land::{Arrival, ArrivalKind, DeliveryRecord, DeliveryState, LandRequest, Landing};
use ingest::log::{Topic, TopicPartition};
use pipeline::splitter::SplitStep;
use pipeline::worker::Step;
use tests::simulator::layout::{Call, Layout};
use tests::simulator::tally::{Mishap, Tally};
use tests::simulator::theatre::{LOOK_AGAIN_US, MEMBERS, Theatre};
use tests::simulator::world::World;
use tests::simulator::{Breach, COMMITS_MIN, Outcome, replay_command, run};

/// Seeds of a run, unless `TOLLWAY_SIM_SEEDS` wants another number.
const SEEDS: u64 = 1000;

/// After so many failing seeds the rest is not run: they fail for the same reason.
const FAILURES_MAX: usize = 5;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is `{text}`, a number is wanted")))
}

/// Runs a seed; an invariant that production checks itself panics in debug builds, which is a breach as well.
fn guarded(seed: u64) -> Result<Outcome, Breach> {
    catch_unwind(AssertUnwindSafe(|| run(seed))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|t| (*t).to_owned()));
        Err(Breach(format!("panic: {}", text.unwrap_or_default())))
    })
}

/// Runs seeds 1 to `seeds` on all cores; the failing ones with their breach.
fn run_all(seeds: u64) -> (Vec<Outcome>, BTreeMap<u64, Breach>) {
    let next = AtomicU64::new(1);
    let done = Mutex::new((Vec::new(), BTreeMap::new()));
    let worker = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > seeds || done.lock().expect("nobody panics here").1.len() >= FAILURES_MAX {
                return;
            }
            let result = guarded(seed);
            let mut done = done.lock().expect("nobody panics here");
            match result {
                Ok(outcome) => done.0.push(outcome),
                Err(breach) => drop(done.1.insert(seed, breach)),
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, std::num::NonZero::get) {
            scope.spawn(worker);
        }
    });
    done.into_inner().expect("nobody panics here")
}

#[test]
fn every_row_ends_once_under_every_seed() {
    let seeds = number("TOLLWAY_SIM_SEEDS").unwrap_or(SEEDS);
    let (outcomes, failures) = run_all(seeds);
    let mut tally = Tally::default();
    for outcome in &outcomes {
        tally.add(&outcome.tally);
    }
    let commits: Vec<u64> = outcomes.iter().map(|o| o.commits).collect();
    let (fewest, sum) = (commits.iter().min().copied().unwrap_or(0), commits.iter().sum::<u64>());
    let count = outcomes.len().max(1) as u64;
    let rows = outcomes.iter().map(|o| o.rows).sum::<u64>() / count;
    let steps = outcomes.iter().map(|o| o.steps).sum::<u64>() / count;
    println!("{} of {seeds} seeds held; commits per seed: at least {fewest}, {} on average", outcomes.len(), sum / count);
    println!("rows per seed: {rows}; steps per seed: {steps}; what went wrong on purpose:\n{tally}");
    for (seed, breach) in &failures {
        println!("seed {seed} breaks: {breach}\n  replay: {}", replay_command(*seed));
    }
    assert!(failures.is_empty(), "{} seeds break what must always hold; see above", failures.len());
    assert!(fewest >= COMMITS_MIN, "a seed has only {fewest} commits");
    if seeds >= SEEDS {
        let absent: Vec<&str> = Mishap::ALL.iter().filter(|m| tally.of(**m) == 0).map(|m| m.as_str()).collect();
        assert!(absent.is_empty(), "never happened: {absent:?}");
    }
}

#[test]
fn replay() {
    let seed = number("TOLLWAY_SIM_SEED");
    let outcome = guarded(seed.unwrap_or(1)).unwrap_or_else(|breach| panic!("seed {}: {breach}", seed.unwrap_or(1)));
    if let Some(seed) = seed {
        println!(
            "seed {seed} holds: {} commits, {} rows, {} steps\n{}",
            outcome.commits, outcome.rows, outcome.steps, outcome.tally
        );
    }
    let again = guarded(seed.unwrap_or(1)).expect("it held a moment ago");
    assert_eq!((again.trace, again.steps), (outcome.trace, outcome.steps), "a seed repeats its run");
}

/// Lands, announces and splits a file of so many rows of about four kilobytes each, cut into claim checks of so many.
fn split_long_file(theatre: &mut Theatre, world: &World, rows: u64, cut_rows: u64) -> usize {
    let filler = format!("\"{}\"", "x".repeat(4000));
    let row = |id| {
        let call = Call { id, line: 0, zoned: true, day: 14, second: id, seconds: 60, answered: true, flaw: None };
        Layout::Asterisk.write(&call, false).replace("\"DOC\"", &filler) + "\n"
    };
    let text: String = (0..rows).map(row).collect();
    let of_asterisk = world.files.iter().position(|f| world.senders[f.sender].layout == Layout::Asterisk);
    let request = world.request(of_asterisk.expect("a file of that layout"));
    let request = LandRequest { logical_file: "long.csv".to_owned(), cut_rows, ..request };
    theatre.landing().land(&request, &mut text.as_bytes(), &theatre.clock).expect("landed");
    assert_eq!(theatre.new_announcer().and_then(|mut a| a.step()).expect("announced"), 1);
    for member in 0..MEMBERS {
        let mut splitter = theatre.new_splitter(member);
        for _ in 0..3 {
            splitter.step(0).expect("split");
        }
    }
    text.len()
}

/// Files longer than what is read at once are numbered again in pieces, and a piece is no whole file.
#[test]
fn a_long_file_goes_on_where_a_killed_worker_left_it() {
    let world = World::of(1);
    let mut theatre = Theatre::new(1, &world);
    let bytes = split_long_file(&mut theatre, &world, 2200, 2100);
    assert!(bytes > 9_000_000, "it must be longer than one piece, and the first claim check as well");
    let mut committed = Vec::new();
    for life in 0..2 * MEMBERS {
        let mut actor = theatre.new_worker(life % MEMBERS).expect("a worker");
        for _ in 0..40 {
            // Each worker is killed after its first commit.
            if let Step::Committed(receipt) = actor.worker.step(0, &theatre.clock, &mut actor.chance).expect("a step") {
                committed.push((receipt.counts.rows_in, receipt.counts.rated));
                break;
            }
        }
    }
    assert_eq!(committed, [(2100, 2100), (100, 100)]);
}

#[test]
fn a_commit_closes_before_its_bytes_exceed_the_limit_and_one_large_claim_check_is_a_commit_of_its_own() {
    // Claim checks of ten rows have some 42 kB: two fit under 100,000 bytes, and none under one.
    for (bytes_max, expected) in [(100_000, &[20, 20, 10][..]), (1, &[10; 5]), (u64::MAX, &[50])] {
        let world = World::of(1);
        let mut theatre = Theatre::new(1, &world);
        theatre.set_rows_max(u64::MAX);
        theatre.set_bytes_max(bytes_max);
        split_long_file(&mut theatre, &world, 50, 10);
        let mut committed = Vec::new();
        for member in 0..MEMBERS {
            let mut actor = theatre.new_worker(member).expect("a worker");
            for _ in 0..40 {
                if let Step::Committed(receipt) = actor.worker.step(0, &theatre.clock, &mut actor.chance).expect("a step") {
                    committed.push(receipt.counts.rows_in);
                }
            }
        }
        assert_eq!(committed, expected, "at most {bytes_max} bytes");
    }
}

fn land_all(world: &World, theatre: &mut Theatre) {
    for file in 0..world.files.len() {
        let text = &world.files[file].text;
        theatre.landing().land(&world.request(file), &mut text.as_bytes(), &theatre.clock).expect("landed");
    }
}

/// The deliveries that act.
fn acting(theatre: &Theatre) -> Vec<DeliveryRecord> {
    let arrivals = theatre.landing().arrivals(0).expect("arrivals").into_iter();
    let acts = |arrival: Arrival| match arrival.kind {
        ArrivalKind::Delivery(d) if matches!(d.state, DeliveryState::Announced) => Some(d),
        _ => None,
    };
    arrivals.filter_map(acts).collect()
}

/// Lands, announces and splits all files, and then loses the bytes of one; its path and bytes.
fn fill_and_lose_an_object(world: &World, theatre: &mut Theatre) -> (String, Vec<u8>) {
    land_all(world, theatre);
    theatre.new_announcer().and_then(|mut a| a.step()).expect("announced");
    for member in 0..MEMBERS {
        let mut splitter = theatre.new_splitter(member);
        while splitter.step(0).expect("split") != SplitStep::Idle {}
    }
    let with_bytes = acting(theatre).into_iter().find(|d| d.size > 0).expect("a file with bytes");
    let lost = Landing::object_path(&with_bytes.identity.sha256);
    let bytes = theatre.store.get(&lost).expect("it is there");
    theatre.store.delete(&lost).expect("deleted");
    (lost, bytes)
}

/// A claim check whose file is gone cannot be rated; it must not hold up other accounts, and nothing of it may be lost.
#[test]
fn a_claim_that_cannot_be_rated_parks_its_partition_alone() {
    let world = World::of(3);
    let mut theatre = Theatre::new(3, &world);
    let (lost, bytes) = fill_and_lose_an_object(&world, &mut theatre);
    let drain = |theatre: &mut Theatre| {
        let (mut rows, mut parked) = (0, 0);
        for member in 0..MEMBERS {
            let mut actor = theatre.new_worker(member).expect("a worker");
            loop {
                match actor.worker.step(0, &theatre.clock, &mut actor.chance).expect("a step") {
                    Step::Committed(receipt) => rows += receipt.counts.rows_in,
                    Step::Parked(_) => parked += 1,
                    Step::Idle => break,
                    _ => {}
                }
            }
            for waits in actor.worker.parked().values() {
                assert_eq!(waits.error.disposition(), Disposition::Stop, "{}", waits.error);
            }
        }
        (rows, parked)
    };
    let (rows_without, parked) = drain(&mut theatre);
    assert_eq!(parked, 1, "one partition waits");
    assert!(rows_without > 0, "the others went on");
    theatre.store.put_if_absent(&lost, &bytes).expect("the object is back");
    let (rows_after, parked) = drain(&mut theatre);
    assert_eq!(parked, 0);
    let all: u64 =
        sinks::ledger::read_all(&theatre.table().expect("the table")).expect("the ledger").iter().map(|e| e.counts.rows_in).sum();
    assert_eq!(rows_without + rows_after, all, "every row once");
    assert!(rows_after > 0, "what waited was rated");
}

/// The cause of a parked partition is mended while its worker lives: it goes on by itself, after its pause.
#[test]
fn a_parked_partition_goes_on_once_its_object_is_back_without_a_restart() {
    let world = World::of(3);
    let mut theatre = Theatre::new(3, &world);
    let (lost, bytes) = fill_and_lose_an_object(&world, &mut theatre);
    let mut actors: Vec<_> = (0..MEMBERS).map(|member| theatre.new_worker(member).expect("a worker")).collect();
    let mut drain = |theatre: &mut Theatre| {
        let (mut rows, mut parked) = (0, 0);
        for actor in &mut actors {
            loop {
                match actor.worker.step(0, &theatre.clock, &mut actor.chance).expect("a step") {
                    Step::Committed(receipt) => rows += receipt.counts.rows_in,
                    Step::Parked(_) => parked += 1,
                    Step::Idle => break,
                    _ => {}
                }
            }
        }
        (rows, parked)
    };
    assert_eq!(drain(&mut theatre).1, 1);
    let pause_us = u64::try_from(LOOK_AGAIN_US).expect("positive");
    theatre.clock.advance(pause_us);
    assert_eq!(drain(&mut theatre), (0, 1), "it was tried again and is still lost");
    theatre.store.put_if_absent(&lost, &bytes).expect("the object is back");
    theatre.clock.advance(pause_us);
    assert_eq!(drain(&mut theatre), (0, 0), "the second pause is longer");
    theatre.clock.advance(pause_us);
    let (rows, parked) = drain(&mut theatre);
    assert!(rows > 0 && parked == 0, "what waited was rated: {rows} rows, {parked} parked");
}

/// Files that fell off: an account that was blocked, and claim checks that retention removed before anybody had read them.
#[test]
fn files_that_nobody_works_on_are_announced_again_without_a_restart() {
    let world = World::of(3);
    let mut theatre = Theatre::new(3, &world);
    land_all(&world, &mut theatre);
    let deliveries = acting(&theatre);
    let blocking = Landing::object_path(&deliveries[0].identity.sha256);
    let bytes = theatre.store.get(&blocking).expect("it is there");
    theatre.store.delete(&blocking).expect("deleted");
    let mut announcer = theatre.new_announcer().expect("an announcer");
    announcer.step().expect("announced");
    assert_eq!(theatre.look_again(&mut announcer).expect("a look"), 0, "it is not time yet");
    let mut splitters: Vec<_> = (0..MEMBERS).map(|member| theatre.new_splitter(member)).collect();
    let mut split = || splitters.iter_mut().for_each(|s| while s.step(0).expect("split") != SplitStep::Idle {});
    split();
    for partition in 0..world.partitions {
        let partition = TopicPartition { topic: Topic::Batches, partition };
        theatre.log.trim(partition, 2).expect("memory");
    }
    let mut actors: Vec<_> = (0..MEMBERS).map(|member| theatre.new_worker(member).expect("a worker")).collect();
    let mut rate = |theatre: &mut Theatre| {
        let mut skipped = 0;
        for actor in &mut actors {
            loop {
                match actor.worker.step(0, &theatre.clock, &mut actor.chance).expect("a step") {
                    Step::Skipped(records) => skipped += records,
                    Step::Idle => break,
                    _ => {}
                }
            }
        }
        skipped
    };
    assert!(rate(&mut theatre) > 0, "the workers move over what is lost");
    let pause_us = u64::try_from(LOOK_AGAIN_US).expect("positive");
    theatre.clock.advance(pause_us);
    let again = theatre.look_again(&mut announcer).expect("a look");
    assert!(again > 1, "the blocked files and those of the lost claim checks: {again}");
    split();
    rate(&mut theatre);
    let settled = |theatre: &mut Theatre| {
        sinks::ledger::settled(&sinks::ledger::read_all(&theatre.table().expect("the table")).expect("the ledger")).len()
    };
    assert!(settled(&mut theatre) < deliveries.len(), "the blocked file is still lost");
    theatre.store.put_if_absent(&blocking, &bytes).expect("the object is back");
    for _ in 0..8 {
        theatre.clock.advance(4 * pause_us);
        theatre.look_again(&mut announcer).expect("a look");
        split();
        rate(&mut theatre);
    }
    assert_eq!(settled(&mut theatre), deliveries.len());
    theatre.clock.advance(64 * pause_us);
    assert_eq!(theatre.look_again(&mut announcer).expect("a look"), 0, "nobody is missing");
}
