//! Kafka as the log: several processes on one installation, of which any may die, join or pause.

use std::env;

use serde_json::Value;

use super::same_month;
use crate::support::brokers::{self, TestTopics, all_is_rated, service};
use crate::support::bucket::{self, TestBucket};
use crate::support::data_folder::DataFolder;
use crate::support::month::Month;

/// *Scenario.* Topics are made, made again, and compared with another configuration. *Guarantees.* Nothing that is there is
/// changed; what differs is named with what to do, and the exit code says so.
#[test]
fn topics_are_made_once_and_compared() {
    let topics = TestTopics::new();
    let data = topics.used_by(DataFolder::new());
    let again = data.json(&["topics", "create"]);
    assert!(again["topics"].as_array().expect("a list").iter().all(|t| t["state"] == "was there"), "{again}");
    // The controller answers a little before the brokers know a new topic.
    assert!((0..100).any(|_| data.run(&["topics", "check"]).code == Some(0)), "{:?}", data.run(&["topics", "check"]));
    let other = topics.used_by(DataFolder::new()).with("TOLLWAY_LOG__BATCHES_PARTITIONS", 9);
    let checked = other.run(&["topics", "check", "--output", "json"]);
    assert_eq!(checked.code, Some(1), "{}", checked.err);
    let checked: Value = serde_json::from_str(&checked.out).expect("JSON");
    let difference = &checked["differences"][0];
    assert_eq!((&difference["what"], &difference["is"], &difference["wanted"]), (&"partitions".into(), &"8".into(), &"9".into()));
    assert!(difference["remedy"].as_str().is_some_and(|r| r.contains("never add partitions")), "{difference}");
}

/// *Scenario.* Topics are to be made with the three replicas of the defaults, and there is one broker. *Guarantees.* Nothing is
/// made; the message names the setting, its value, how many brokers there are and what to do.
#[test]
fn topics_with_more_replicas_than_brokers_name_the_setting() {
    let data = DataFolder::new().with("TOLLWAY_LOG__KIND", "kafka").with("TOLLWAY_KAFKA__BROKERS", brokers::server());
    let data = data.with("TOLLWAY_KAFKA__TOPIC_PREFIX", "nobody-makes-it.");
    let ended = data.run(&["topics", "create"]);
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    for fact in ["nobody-makes-it.tollway.cdr.files.v1", "`kafka.replication` is 3", "one broker", "set `kafka.replication` to"] {
        assert!(ended.err.contains(fact), "`{fact}` in {}", ended.err);
    }
    let missing = data.with("TOLLWAY_KAFKA__REPLICATION", 1).run(&["topics", "check"]);
    assert!(missing.out.contains("missing"), "{missing:?}");
}

/// *Scenario.* Nobody listens where the brokers should be; then topics are missing. *Guarantees.* The command ends within its
/// time with exit code 4 and names the brokers; then it names the topic and the command that makes it.
#[test]
fn brokers_that_are_away_and_topics_that_are_missing_are_named() {
    let away = TestTopics::new().used_by(DataFolder::new());
    let away = away.with("TOLLWAY_KAFKA__BROKERS", "127.0.0.1:1").with("TOLLWAY_KAFKA__REQUEST_WAIT_MS", 500);
    let ended = away.run(&["topics", "check"]);
    assert_eq!(ended.code, Some(4), "{}", ended.err);
    assert!(ended.err.contains("127.0.0.1:1") && ended.err.contains("do not answer"), "{}", ended.err);
    let missing = TestTopics::new().used_by(DataFolder::new()).with("TOLLWAY_KAFKA__TOPIC_PREFIX", "nobody-made-it.");
    let ended = missing.run(&["run", "--listen", "127.0.0.1:0"]);
    assert_eq!(ended.code, Some(5), "{}", ended.err);
    assert!(ended.err.contains("nobody-made-it.tollway.cdr.files.v1"), "{}", ended.err);
    assert!(ended.err.contains("tollway topics create"), "{}", ended.err);
}

/// The data folder of another machine of the installation: brokers, bucket and state server are all that they share.
fn machine(topics: &TestTopics, bucket: &TestBucket, schema: &str, cut: u64) -> DataFolder {
    let url = env::var("TOLLWAY_POSTGRES").expect("TOLLWAY_POSTGRES names no server: run `cargo xtask test`, which starts one");
    topics
        .used_by(bucket.data("month", bucket::server()))
        .with("TOLLWAY_STATE__URL", url)
        .with("TOLLWAY_STATE__SCHEMA", schema)
        .with("TOLLWAY_LANDING__CUT_ROWS", cut)
        .with("TOLLWAY_PIPELINE__COMMIT_ROWS_MAX", cut)
}

/// *Scenario.* The month of the other scenarios over Kafka, S3 and `PostgreSQL`: three services, each with a data folder of its own,
/// share the work; one is killed with `kill -9` after a commit, another joins. *Guarantees.* Every file is rated without a hand, and
/// the tables are those of an undisturbed run of one process on log, disk and database of its own.
#[test]
fn same_month_over_kafka_s3_and_postgresql_with_a_service_killed_and_one_added() {
    let month = same_month::month();
    let (topics, bucket) = (TestTopics::new(), TestBucket::new());
    let cut = (month.rows() / 40).max(20);
    let schema = format!("month_{}", std::process::id());
    let machines = [(); 4].map(|()| machine(&topics, &bucket, &schema, cut));
    let data = &machines[0];
    month.import(data);
    Month::land(data, &month.in_order());
    let [first, second, third] = [0, 1, 2].map(|n| service(&machines[n], "info"));
    first.says("\"committed\"", 1);
    let log = first.kill();
    let killed_at: Value = serde_json::from_str(&data.run(&["status", "--output", "json"]).out).expect("JSON");
    let waiting = killed_at["files"]["waiting"].as_u64().expect("a count");
    assert!(waiting > 0, "the others have nothing to take over: {}", killed_at["files"]);
    let fourth = service(&machines[3], "info");
    let rated = all_is_rated(data);
    let logs: Vec<String> = [second, third, fourth].map(|s| s.terminate().err).into();
    assert!(rated, "files are left over; the services said:\n{}", logs.join("\n"));
    let committed = |log: &str| log.matches("\"committed\"").count();
    let shares: Vec<usize> = logs.iter().map(|log| committed(log)).collect();
    println!("commits: killed service {}, the others {shares:?}", committed(&log));
    assert!(shares.iter().filter(|share| **share > 0).count() >= 2, "the work is not shared: {shares:?}");
    data.ok(&month.rating());
    data.assert_sound_behind_a_service();
    for machine in &machines {
        assert!(!machine.path().join("store").exists() && !machine.path().join("log").exists(), "something lies on this machine");
    }
    let copy = DataFolder::new();
    bucket.copy_to("month", copy.path());
    same_month::assert_same_tables(&copy, "over Kafka, S3 and PostgreSQL");
}
