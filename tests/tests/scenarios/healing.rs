//! Files that fell off the log come back by themselves: blocked, put aside, or lost to retention.

use std::fs;
use std::sync::Arc;

use domain::delivery::KeySecret;
use domain::ports::{Blob, Clock};
use ingest::land::{ArrivalKind, Landing, LandingSettings};
use ingest::log::embedded::{EmbeddedLog, LogSettings, Retention};
use ingest::log::kafka::{KafkaLog, KafkaSettings};
use ingest::log::{Log, LogWriter, Topic, TopicPartition};
use pipeline::announcer::Announcer;
use pipeline::deliveries::Deliveries;
use pipeline::splitter::{SplitStep, Splitter};
use serde_json::Value;
use sinks::local_store::{LocalStore, SyncPolicy};
use sinks::settled::Settled;
use sinks::table::Table;

use crate::support::brokers::{self, TestTopics};
use crate::support::data_folder::DataFolder;
use crate::support::month::Month;
use crate::support::process::Running;

struct Epoch;

impl Clock for Epoch {
    fn now_us(&self) -> i64 {
        0
    }
}

fn service(data: &DataFolder) -> Running {
    let running = data.start(&["run", "--listen", "127.0.0.1:0", "--workers", "1"], Some("info"));
    running.line("running", |_| true);
    running
}

/// Waits until so many rows were committed by a service.
fn committed(service: &Running, rows: u64) {
    let of = |line: &String| -> Option<u64> {
        let line: Value = serde_json::from_str(line).ok()?;
        (line["fields"]["message"] == "committed").then(|| line["fields"]["rows"].as_u64()).flatten()
    };
    let all = |lines: &[String]| (lines.iter().filter_map(of).sum::<u64>() >= rows).then_some(());
    service.wait_for("all rows", all).expect("the service goes on");
}

fn assert_whole(data: &DataFolder, month: &Month) {
    data.assert_sound_behind_a_service();
    let rows = data.query("SELECT sum(ledger_rows_in) AS rows FROM cdr_entries WHERE outcome = 'ledger'");
    assert_eq!(rows[0]["rows"].as_u64(), Some(month.rows()), "{rows:?}");
    let files = &data.json(&["status"])["files"];
    assert_eq!((&files["done"], &files["waiting"], &files["blocked"]), (&files["landed"], &0.into(), &0.into()), "{files}");
}

/// *Scenario.* The bytes of a landed file are gone when a service wants to split it; later they are restored from a backup.
/// *Guarantees.* Its account waits and is named; the others go on; once the bytes are back, the running service rates the file and
/// those behind it, and it ends with exit code 0.
#[test]
#[expect(clippy::disallowed_methods, reason = "an accident and its mending, not a publication")]
fn a_blocked_account_goes_on_in_the_running_service_once_its_file_is_back() {
    let home = tempfile::TempDir::new().expect("a temporary folder");
    let month = Month::generate(&home.path().join("month"), 1_500, 6, 91);
    let data = DataFolder::new().with("TOLLWAY_PIPELINE__LOOK_AGAIN_S", 1);
    month.import(&data);
    Month::land(&data, &month.in_order());
    let lost = Landing::object_path(&first_sha256(&data));
    let (lost, kept) = (data.path().join("store").join(lost), home.path().join("kept"));
    fs::rename(&lost, &kept).expect("the object can be moved away");
    let service = service(&data);
    service.line("blocked: mend the cause, it is tried again", |_| true);
    fs::rename(&kept, &lost).expect("it can be put back");
    service.line("no longer blocked", |_| true);
    committed(&service, month.rows());
    let ended = service.terminate();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_whole(&data, &month);
}

/// *Scenario.* Garbage stands on the log while a service runs, and `dlq replay` is called beside it. *Guarantees.* The service sends
/// the record again, once, without a restart; `dlq list --all` says so.
#[test]
fn dead_letters_are_sent_again_by_the_running_service() {
    let data = DataFolder::new();
    data.run(&["ingest", "--profile", "kpn-sp16", "--account", "haven", "/nowhere"]);
    {
        let log = EmbeddedLog::open(&data.path().join("log"), LogSettings::new(Arc::new(Epoch)));
        log.expect("nobody else writes it").writer().append(Topic::Files, b"main/kpn/haven", &[], b"no notice").expect("durable");
    }
    let service = service(&data);
    service.line("put aside: `tollway dlq list` shows it", |_| true);
    let asked = data.json(&["dlq", "replay", "0"]);
    assert_eq!(asked["asked"], serde_json::json!([0]), "{asked}");
    service.line("sent again", |fields| fields["dead_letters"] == 1);
    let twice = |lines: &[String]| (lines.iter().filter(|l| l.contains("put aside: ")).count() == 2).then_some(());
    service.wait_for("the record put aside again", twice).expect("the service goes on");
    let ended = service.terminate();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let listed = data.run(&["dlq", "list", "--all", "--output", "json"]);
    let listed: Value = serde_json::from_str(&listed.out).expect("JSON");
    let replayed: Vec<_> = listed["dead_letters"].as_array().expect("a list").iter().map(|l| l["replayed"] == true).collect();
    assert_eq!(replayed, [true, false], "{listed}");
}

/// The bytes of the first delivery.
fn first_sha256(data: &DataFolder) -> String {
    let store: Arc<dyn Blob> = Arc::new(open_store(data));
    let arrivals = Landing::new(store, LandingSettings::default()).arrivals(0).expect("arrivals");
    let sha256 = arrivals.into_iter().find_map(|arrival| match arrival.kind {
        ArrivalKind::Delivery(delivery) => Some(delivery.identity.sha256),
        _ => None,
    });
    sha256.expect("files have landed")
}

fn open_store(data: &DataFolder) -> LocalStore {
    LocalStore::open(data.path().join("store"), SyncPolicy::Full, &Epoch).expect("the store of the data folder")
}

/// Announces and splits what has landed and rates nothing of it, as a process does that is killed then.
fn split_all(data: &DataFolder, log: &dyn Log) {
    let blob: Arc<dyn Blob> = Arc::new(open_store(data));
    let landing = Arc::new(Landing::new(Arc::clone(&blob), LandingSettings::default()));
    let mut settled = Settled::default();
    settled.fold(&Table::open(&blob, "tables/cdr_entries").expect("the table")).expect("its ledger");
    let mut announcer = Announcer::new(Arc::clone(&landing), log.writer(), settled, i64::MAX);
    let sent = announcer.step().expect("announced");
    assert!(sent > 0, "files wait");
    let deliveries = Deliveries::new(Arc::clone(&landing), blob, KeySecret([0; 16]));
    let reader = log.reader("tollway", Topic::Files, 0, 1).expect("a member of the group");
    let mut splitter = Splitter::new(reader, log.writer(), landing, deliveries);
    let mut split = 0;
    loop {
        match splitter.step(500).expect("a step") {
            SplitStep::Split(_) => split += 1,
            SplitStep::Idle if split >= sent => return,
            SplitStep::Idle | SplitStep::Rebalanced => {}
            SplitStep::Blocked => panic!("nothing is damaged"),
        }
    }
}

fn partitions(log: &dyn Log) -> impl Iterator<Item = TopicPartition> {
    (0..log.partitions(Topic::Batches)).map(|partition| TopicPartition { topic: Topic::Batches, partition })
}

/// Rates in one process what retention has left, and asserts that nothing is missing.
fn assert_healed(data: &DataFolder, month: &Month) {
    let ended = data.run(&month.rating());
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.err.contains("lost: retention removed claim checks"), "{}", ended.err);
    assert_whole(data, month);
    let again = data.run(&month.rating());
    assert!(!again.err.contains("lost: "), "it is told once: {}", again.err);
}

/// A month of which the first files are rated and the others have landed.
fn half_rated(data: &DataFolder, folder: &std::path::Path) -> Month {
    let month = Month::generate(folder, 2_400, 6, 92);
    month.import(data);
    let files = month.in_order();
    Month::land(data, &files[..3]);
    data.ok(&month.rating());
    Month::land(data, &files[3..]);
    month
}

/// *Scenario.* Claim checks are in the log; before anybody rates them, retention removes them, some partitions whole, some in part.
/// *Guarantees.* The next start moves the table over the gap, says so, and rates every row of those files once.
#[test]
fn claim_checks_that_retention_removed_from_the_log_are_made_again() {
    let home = tempfile::TempDir::new().expect("a temporary folder");
    let data = DataFolder::new().with("TOLLWAY_LANDING__CUT_ROWS", 10);
    let month = half_rated(&data, &home.path().join("month"));
    {
        let retention = Retention { bytes_max: 0, age_us_max: 0 };
        let settings = LogSettings { segment_bytes_max: 4096, retention, ..LogSettings::new(Arc::new(Epoch)) };
        let log = EmbeddedLog::open(&data.path().join("log"), settings).expect("nobody else writes it");
        split_all(&data, &log);
        let mut lost = 0;
        for partition in partitions(&log) {
            let before = log.watermarks(partition).expect("the log is there");
            log.let_go(partition, before.high).expect("segments can be removed");
            lost += log.watermarks(partition).expect("the log is there").low - before.low;
        }
        assert!(lost > 0, "whole segments are full");
    }
    assert_healed(&data, &month);
}

/// *Scenario.* As above, on Kafka, by name: `delete-records` on every partition of claim checks. *Guarantees.* As above.
#[test]
fn claim_checks_that_kafka_retention_removed_are_made_again() {
    let home = tempfile::TempDir::new().expect("a temporary folder");
    let topics = TestTopics::new();
    let data = topics.used_by(DataFolder::new()).with("TOLLWAY_LANDING__CUT_ROWS", 50);
    let month = half_rated(&data, &home.path().join("month"));
    {
        let settings = KafkaSettings { topic_prefix: topics.prefix().to_owned(), ..KafkaSettings::new(&brokers::server()) };
        let log = KafkaLog::open(settings).expect("the topics are there");
        split_all(&data, &log);
        for partition in partitions(&log) {
            let high = Log::watermarks(&log, partition).expect("the broker answers").high;
            log.trim(partition, high).expect("records can be removed");
        }
    }
    assert_healed(&data, &month);
}
