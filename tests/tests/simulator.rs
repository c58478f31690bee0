//! A thousand seeds of the simulator, and the replay of one.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::ports::{Blob, Disposition};
use ingest::land::{ArrivalKind, DeliveryState, LandRequest, Landing};
use pipeline::splitter::SplitStep;
use pipeline::worker::Step;
use tests::simulator::layout::{Call, Layout};
use tests::simulator::tally::{Mishap, Tally};
use tests::simulator::theatre::{MEMBERS, Theatre};
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

/// Files longer than what is read at once are numbered again in pieces, and a piece is no whole file.
#[test]
fn a_long_file_goes_on_where_a_killed_worker_left_it() {
    const ROWS: u64 = 2200;
    let world = World::of(1);
    let mut theatre = Theatre::new(1, &world);
    let filler = format!("\"{}\"", "x".repeat(4000));
    let row = |id| {
        let call = Call { id, line: 0, zoned: true, day: 14, second: id, seconds: 60, answered: true, flaw: None };
        Layout::Asterisk.write(&call, false).replace("\"DOC\"", &filler) + "\n"
    };
    let text: String = (0..ROWS).map(row).collect();
    assert!(text.len() > 9_000_000, "it must be longer than one piece, and the first claim check as well");
    let of_asterisk = world.files.iter().position(|f| world.senders[f.sender].layout == Layout::Asterisk);
    let request = world.request(of_asterisk.expect("a file of that layout"));
    let request = LandRequest { logical_file: "long.csv".to_owned(), cut_rows: 2100, ..request };
    theatre.landing().land(&request, &mut text.as_bytes(), &theatre.clock).expect("landed");
    assert_eq!(theatre.new_announcer().and_then(|mut a| a.step()).expect("announced"), 1);
    for member in 0..MEMBERS {
        let mut splitter = theatre.new_splitter(member);
        for _ in 0..3 {
            splitter.step(0).expect("split");
        }
    }
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

/// A claim check whose file is gone cannot be rated; it must not hold up other accounts, and nothing of it may be lost.
#[test]
fn a_claim_that_cannot_be_rated_parks_its_partition_alone() {
    let world = World::of(3);
    let mut theatre = Theatre::new(3, &world);
    for file in 0..world.files.len() {
        let text = &world.files[file].text;
        theatre.landing().land(&world.request(file), &mut text.as_bytes(), &theatre.clock).expect("landed");
    }
    theatre.new_announcer().and_then(|mut a| a.step()).expect("announced");
    for member in 0..MEMBERS {
        let mut splitter = theatre.new_splitter(member);
        while splitter.step(0).expect("split") != SplitStep::Idle {}
    }
    let landing = theatre.landing();
    let deliveries = landing.arrivals(0).expect("arrivals").into_iter().filter_map(|a| match a.kind {
        ArrivalKind::Delivery(d) if matches!(d.state, DeliveryState::Announced) && d.size > 0 => Some(d),
        _ => None,
    });
    let deliveries: Vec<_> = deliveries.collect();
    let lost = Landing::object_path(&deliveries[0].identity.sha256);
    let bytes = theatre.store.get(&lost).expect("it is there");
    theatre.store.delete(&lost).expect("deleted");

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
