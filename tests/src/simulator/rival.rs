//! A store in which another writer is sometimes faster: its entry takes the version that a worker is about to take.
//!
//! One thread makes every step whole, so nobody else can come between a worker's look at the log and its put; this does.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

use domain::ports::{Blob, BlobEntry, BlobError, StagedBlob};
use sinks::delta::action::{Action, CommitInfo, Txn};
use sinks::local_store::memory::MemoryStore;

use super::weather::Weather;

/// The job of rivals, in position ids.
pub const RIVAL_JOB: &str = "rival";

/// A store over which rivals come with the weather.
#[derive(Debug, Clone)]
pub struct ContestedStore {
    store: MemoryStore,
    weather: Weather,
    /// Accounts that a rival may name as touched.
    accounts: Arc<Vec<String>>,
}

struct ContestedBlob {
    staged: Box<dyn StagedBlob>,
    of: ContestedStore,
}

impl ContestedStore {
    /// A store with rivals who touch these accounts.
    pub fn new(store: MemoryStore, weather: Weather, accounts: Vec<String>) -> Self {
        Self { store, weather, accounts: Arc::new(accounts) }
    }

    /// Another job's commit: it moves a position of its own and adds nothing, but may say that it touches our accounts.
    fn entry(&self, number: u64, touches: bool) -> Vec<u8> {
        let info = CommitInfo {
            operation: "WRITE".to_owned(),
            commit_id: format!("{RIVAL_JOB}-{number}"),
            accounts: if touches { self.accounts.to_vec() } else { Vec::new() },
            ..CommitInfo::default()
        };
        let txn =
            Txn { app_id: format!("{RIVAL_JOB}/0"), version: i64::try_from(number).unwrap_or(i64::MAX), last_updated: None };
        let actions = [Action { commit_info: Some(info), ..Action::default() }, Action { txn: Some(txn), ..Action::default() }];
        let lines = actions.iter().map(|action| serde_json::to_string(action).expect("texts and integers make JSON") + "\n");
        lines.collect::<String>().into_bytes()
    }
}

/// Whether a path is an entry of the table's log beyond its first.
pub fn is_commit(path: &str) -> bool {
    let name = path.rsplit_once("/_delta_log/").and_then(|(_, name)| name.strip_suffix(".json"));
    name.and_then(|digits| digits.parse::<u64>().ok()).is_some_and(|version| version > 0)
}

impl Write for ContestedBlob {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.staged.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.staged.flush()
    }
}

impl StagedBlob for ContestedBlob {
    fn publish(self: Box<Self>, path: &str) -> Result<(), BlobError> {
        if is_commit(path)
            && let Some((number, touches)) = self.of.weather.take_rival()
            && self.of.store.put_if_absent(path, &self.of.entry(number, touches)).is_ok()
        {
            self.of.weather.note_rival();
        }
        self.staged.publish(path)
    }
}

impl Blob for ContestedStore {
    fn stage(&self) -> Result<Box<dyn StagedBlob>, BlobError> {
        Ok(Box::new(ContestedBlob { staged: self.store.stage()?, of: self.clone() }))
    }

    fn settle(&self, folder: &str) -> Result<(), BlobError> {
        self.store.settle(folder)
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, BlobError> {
        self.store.get(path)
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>, BlobError> {
        self.store.get_range(path, range)
    }

    fn size(&self, path: &str) -> Result<u64, BlobError> {
        self.store.size(path)
    }

    fn list(&self, folder: &str) -> Result<Vec<BlobEntry>, BlobError> {
        self.store.list(folder)
    }

    fn delete(&self, path: &str) -> Result<(), BlobError> {
        self.store.delete(path)
    }
}
