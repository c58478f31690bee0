//! Kafka as the log when something goes wrong in the middle: a process that stands still, a broker that goes away.

use std::sync::LazyLock;

use tempfile::TempDir;

use crate::support::brokers::{TestTopics, all_is_rated, service, status_shows};
use crate::support::data_folder::DataFolder;
use crate::support::month::{Month, MonthFile};
use crate::support::own_broker::OwnBroker;
use crate::support::process::Running;
use crate::support::readers;

const ROWS: u64 = 8_000;
const FILES: u32 = 24;
const SEED: u64 = 20_261_121;

/// Rows of a commit: each worker has several in each half of the month.
const CUT: u64 = 200;

/// What tells the steps of a worker beside what a service says anyway.
const STEPS: &str = "info,tollway=debug";

/// A month, and its tables after a run of one process on a log of its own that nothing disturbed.
struct Undisturbed {
    month: Month,
    data: DataFolder,
    _home: TempDir,
}

/// Made once for all tests of this file.
static UNDISTURBED: LazyLock<Undisturbed> = LazyLock::new(|| {
    let home = TempDir::new().expect("a temporary folder");
    let month = Month::generate(&home.path().join("month"), ROWS, FILES, SEED);
    let data = DataFolder::new();
    month.import(&data);
    Month::land(&data, &month.in_order());
    data.ok(&month.rating());
    data.assert_sound_behind_a_service();
    Undisturbed { month, data, _home: home }
});

/// The two halves of the month, account by account.
fn halves() -> [Vec<&'static MonthFile>; 2] {
    let files = UNDISTURBED.month.in_order();
    let (first, second) = files.split_at(files.len() / 2);
    [first.to_vec(), second.to_vec()]
}

/// A data folder on these topics with the month's reference data. The processes of a machine may share it.
fn shared(topics: &TestTopics) -> DataFolder {
    let data = topics
        .used_by(DataFolder::new())
        .with("TOLLWAY_KAFKA__REQUEST_WAIT_MS", 3_000)
        .with("TOLLWAY_LANDING__CUT_ROWS", CUT)
        .with("TOLLWAY_PIPELINE__COMMIT_ROWS_MAX", CUT);
    UNDISTURBED.month.import(&data);
    data
}

/// The same records with outcome, charge and derivation as a multiset, the same counts and totals as undisturbed; and an audit.
fn assert_same(data: &DataFolder, how: &str) {
    data.ok(&UNDISTURBED.month.rating());
    let (left, right) = (UNDISTURBED.data.path().to_string_lossy(), data.path().to_string_lossy());
    println!("{how}: {}", readers::python("tests/readers/same_tables.py", &[&*left, &*right]).trim_end());
    data.assert_sound_behind_a_service();
}

/// The last step of a service's one worker.
fn last_step(lines: &[String]) -> Option<&'static str> {
    let steps = ["read", "prepared", "committed", "redo", "fenced"];
    let step_of = |line: &String| steps.into_iter().find(|step| line.contains(&format!("\"message\":\"{step}\"")));
    lines.iter().rev().find_map(step_of)
}

/// Lets a service stand still while its worker holds a group that is read and not committed.
fn freeze_in_the_middle(service: &Running, data: &DataFolder) {
    for tries in 1.. {
        service.says("\"message\":\"read\"", tries);
        service.freeze();
        // Another process takes its time; by then everything that the frozen one had said has been read.
        data.ok(&["config", "check"]);
        let step = service.wait_for("a step", last_step).expect("a frozen process has not ended");
        if ["read", "prepared"].contains(&step) {
            return;
        }
        service.thaw();
    }
}

/// *Scenario.* A service is stopped by a signal while its worker holds a group that is read and not committed; two others join,
/// and it stands still until the group has thrown it out and they have rated everything; then it goes on. The others stop, and
/// more files land. *Guarantees.* What the paused one held is fenced off by the table's positions and not committed; it joins
/// again, rates the rest alone and stops in order; the tables are those of an undisturbed run.
#[test]
fn worker_paused_beyond_its_session_commits_nothing_stale_and_works_on() {
    let [first, second] = halves();
    let topics = TestTopics::new();
    let data = shared(&topics);
    Month::land(&data, &first);
    let paused = service(&data, STEPS);
    freeze_in_the_middle(&paused, &data);
    let others = [(); 2].map(|()| service(&data, STEPS));
    assert!(all_is_rated(&data), "the others do not take over what the paused one had");
    paused.thaw();
    paused.says("\"message\":\"fenced\"", 1);
    for other in others {
        let ended = other.terminate();
        assert_eq!(ended.code, Some(0), "{}", ended.err);
    }
    Month::land(&data, &second);
    assert!(all_is_rated(&data), "the paused one does not work on; it said:\n{}", paused.kill());
    let ended = paused.terminate();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let after = ended.err.split("\"message\":\"fenced\"").last().unwrap_or_default();
    println!("commits of the paused one: {} in all, {} after the pause", commits(&ended.err), commits(after));
    assert!(commits(after) > 0, "it works again");
    assert_same(&data, "with a worker paused beyond its session");
}

fn commits(log: &str) -> usize {
    log.matches("\"message\":\"committed\"").count()
}

/// *Scenario.* Three services share the work of a broker; it is killed when the first files are rated; more files land meanwhile;
/// the broker is started on what it held. *Guarantees.* Each service says that the brokers do not answer and that it tries again,
/// with growing pauses and not in a loop; all live on and finish the work without a hand; the tables are those of an undisturbed run.
#[test]
fn broker_down_in_the_middle_costs_nothing_but_time() {
    let [first, second] = halves();
    let mut broker = OwnBroker::start();
    let topics = TestTopics::on(broker.address());
    let data = shared(&topics);
    Month::land(&data, &first);
    let services = [(); 3].map(|()| service(&data, "info"));
    assert!(status_shows(&data, |files| files["done"].as_u64() > Some(0)), "nothing is rated");
    broker.stop();
    Month::land(&data, &second);
    for service in &services {
        let named = |error: &str| error.contains("do not answer") || error.contains("not acknowledged");
        service
            .line("trying again", |fields| fields["attempt"].as_u64() >= Some(2) && fields["error"].as_str().is_some_and(named));
    }
    broker.start_again();
    let rated = all_is_rated(&data);
    let logs = services.map(Running::terminate);
    for log in &logs {
        assert_eq!(log.code, Some(0), "{}", log.err);
        assert!(rated, "files are left over; a service said:\n{}", log.err);
    }
    let tries = logs.map(|log| log.err.matches("\"message\":\"trying again\"").count());
    println!("tried again {tries:?} times");
    assert!(tries.iter().all(|tries| *tries < 100), "pauses grow: {tries:?}");
    assert_same(&data, "with the broker killed in the middle");
}

/// *Scenario.* A service is started while its broker is down, which is then started. *Guarantees.* The service says what it waits
/// for, longer than a command would; then it starts and rates what had landed, without a hand.
#[test]
fn broker_down_at_the_start_of_a_service_is_waited_for() {
    let [first, _] = halves();
    let mut broker = OwnBroker::start();
    let data = shared(&TestTopics::on(broker.address())).with("TOLLWAY_KAFKA__REQUEST_WAIT_MS", 500);
    let data = data.with("TOLLWAY_PIPELINE__RETRY_PAUSE_MS", 20);
    broker.stop();
    Month::land(&data, &first);
    let command = data.run(&UNDISTURBED.month.rating());
    assert_eq!(command.code, Some(4), "a command ends: {}", command.err);
    assert!(command.err.contains(&broker.address()) && command.err.contains("do not answer"), "{}", command.err);
    let service = data.start(&["run", "--listen", "127.0.0.1:0"], Some("info"));
    let named = |error: &str| error.contains(&broker.address()) && error.contains("do not answer");
    service.line("trying again", |fields| fields["attempt"].as_u64() > Some(6) && fields["error"].as_str().is_some_and(named));
    broker.start_again();
    service.line("running", |_| true);
    assert!(all_is_rated(&data), "the service said:\n{}", service.kill());
    assert_eq!(service.terminate().code, Some(0), "it stops in order");
    data.assert_sound_behind_a_service();
}
