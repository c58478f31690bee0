//! The Kafka server of the tests: topics of one test, and data folders of processes that work on them together.

use std::env;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use super::data_folder::DataFolder;

/// Sets of topics of this process.
static MADE: AtomicU64 = AtomicU64::new(0);

/// The topics of one test; they end with the server.
#[derive(Debug)]
pub struct TestTopics {
    prefix: String,
}

impl TestTopics {
    /// New topics on the server at `TOLLWAY_KAFKA`.
    pub fn new() -> Self {
        let drawn = RandomState::new().hash_one(MADE.load(Ordering::Relaxed));
        let topics = Self { prefix: format!("t{drawn:016x}-{}.", MADE.fetch_add(1, Ordering::Relaxed)) };
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
            .with("TOLLWAY_KAFKA__BROKERS", server())
            .with("TOLLWAY_KAFKA__TOPIC_PREFIX", &self.prefix)
            .with("TOLLWAY_KAFKA__REPLICATION", 1)
            .with("TOLLWAY_KAFKA__SESSION_WAIT_MS", 6_000)
    }
}

/// Where the brokers listen.
pub fn server() -> String {
    env::var("TOLLWAY_KAFKA").expect("TOLLWAY_KAFKA names no Kafka server: run `cargo xtask test`, which starts one")
}
