//! Time, chance and a folder for the stages under measurement: the first two are fixed, so that every run does the same.

use std::path::Path;
use std::sync::Arc;

use domain::columns::entries::{Entries, PARTITION};
use domain::ports::{Blob, Clock, Rng};
use sinks::local_store::{LocalStore, SyncPolicy};
use sinks::table::Table;

/// Where the table lies in a store.
pub const ENTRIES: &str = "tables/cdr_entries";

/// 2026-11-01T00:00:00Z: the generated month has just ended.
const NOW_US: i64 = 1_793_491_200_000_000;

/// A clock that stands still. Figures come from [`crate::stopwatch`].
#[derive(Debug, Clone, Copy, Default)]
pub struct StillClock;

impl Clock for StillClock {
    fn now_us(&self) -> i64 {
        NOW_US
    }
}

/// Names of files: a counter, spread over all bits.
#[derive(Debug, Clone, Default)]
pub struct FileNames(u64);

impl Rng for FileNames {
    fn next_u64(&mut self) -> u64 {
        self.0 += 1;
        // An odd factor maps different counts to different names.
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// The object store of a folder.
pub fn store(folder: &Path, sync: SyncPolicy) -> anyhow::Result<Arc<dyn Blob>> {
    Ok(Arc::new(LocalStore::open(folder, sync, &StillClock)?))
}

/// The table `cdr_entries` of a store, made if it is not there.
pub fn entries(blob: &Arc<dyn Blob>) -> anyhow::Result<Table> {
    let id = format!("{:032x}", 1);
    Ok(Table::open_or_create(blob, ENTRIES, &Entries::schema(), &PARTITION, &id, StillClock.now_us() / 1_000)?)
}

/// Bytes of all objects below a folder of a store.
pub fn stored_bytes(blob: &dyn Blob, folder: &str) -> anyhow::Result<u64> {
    Ok(blob.list(folder)?.iter().map(|entry| entry.size).sum())
}
