//! The Kafka server of the tests: topics of one test, and data folders of processes that work on them together.

use std::env;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use super::data_folder::DataFolder;
use super::process::Running;

/// Looks at the state until all has been rated: each look is a process of its own, so this is minutes.
const LOOKS_MAX: usize = 600;

/// Sets of topics of this process.
static MADE: AtomicU64 = AtomicU64::new(0);

/// The topics of one test; they end with the server.
#[derive(Debug)]
pub struct TestTopics {
    server: String,
    prefix: String,
}

impl TestTopics {
    /// New topics on the server at `TOLLWAY_KAFKA`.
    pub fn new() -> Self {
        Self::on(server())
    }

    /// New topics on this server.
    pub fn on(server: String) -> Self {
        let drawn = RandomState::new().hash_one(MADE.load(Ordering::Relaxed));
        let topics = Self { server, prefix: format!("t{drawn:016x}-{}.", MADE.fetch_add(1, Ordering::Relaxed)) };
        let made = topics.used_by(DataFolder::new()).json(&["topics", "create"]);
        let states: Vec<&str> = made["topics"].as_array().expect("a list").iter().filter_map(|t| t["state"].as_str()).collect();
        assert_eq!(states, ["created"; 3], "{made}");
        topics
    }

    /// What their names begin with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The data folder of a process that works on these topics.
    pub fn used_by(&self, data: DataFolder) -> DataFolder {
        data.with("TOLLWAY_LOG__KIND", "kafka")
            .with("TOLLWAY_KAFKA__BROKERS", &self.server)
            .with("TOLLWAY_KAFKA__TOPIC_PREFIX", &self.prefix)
            .with("TOLLWAY_KAFKA__REPLICATION", 1)
            .with("TOLLWAY_KAFKA__SESSION_WAIT_MS", 6_000)
    }
}

/// A member of the group: a service with one worker, that runs.
pub fn service(data: &DataFolder, log: &str) -> Running {
    let running = data.start(&["run", "--listen", "127.0.0.1:0", "--workers", "1"], Some(log));
    running.says("\"running\"", 1);
    running
}

/// Waits until all that has landed is rated; false if that does not come.
pub fn all_is_rated(data: &DataFolder) -> bool {
    status_shows(data, |files| files["done"] == files["landed"])
}

/// Waits until the counts of files that `tollway status` shows are so; false if that does not come.
pub fn status_shows(data: &DataFolder, is_so: impl Fn(&Value) -> bool) -> bool {
    (0..LOOKS_MAX).any(|_| {
        let status = data.run(&["status", "--output", "json"]);
        serde_json::from_str::<Value>(&status.out).is_ok_and(|status| is_so(&status["files"]))
    })
}

/// Where the brokers listen.
pub fn server() -> String {
    env::var("TOLLWAY_KAFKA").expect("TOLLWAY_KAFKA names no Kafka server: run `cargo xtask test`, which starts one")
}
