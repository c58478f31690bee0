//! Numbers equal rows of a file: the n-th equal row is the n-th record, so a re-sent file adds nothing and two real
//! identical calls stay two. This is the one step of parsing that needs a file's rows in order.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use domain::columns::parsed::ParsedBatch;
use domain::delivery::{KeyMode, RecordHasher};

use super::hash_domain;
use crate::land::{LivePartition, LiveRange};

/// Keys are keyed hashes already: their low half spreads well enough.
#[derive(Debug, Default)]
struct LowHalf(u64);

impl Hasher for LowHalf {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = u64::try_from(key & u128::from(u64::MAX)).expect("masked to 64 bits");
    }
}

/// How often each content of one delivery was seen. It must see all ranges of the delivery, in order; after a restart the
/// earlier ranges are parsed again to rebuild it.
#[derive(Debug)]
pub struct Occurrences {
    hasher: RecordHasher,
    seen: HashMap<u128, u64, BuildHasherDefault<LowHalf>>,
}

impl Occurrences {
    /// Nothing seen yet; `hasher` is the account's.
    pub fn new(hasher: &RecordHasher) -> Self {
        Self { hasher: hasher.clone(), seen: HashMap::default() }
    }

    fn number(&mut self, key: &mut u128) {
        let count = self.seen.entry(*key).or_default();
        *key = self.hasher.hash_with(hash_domain::OCCURRENCE, *key, *count);
        *count += 1;
    }
}

/// Gives the rows of a live source their place as occurrence, in the modes of [`number`]: the offset of a row's event tells two
/// equal rows of a partition apart without a memory of all that it ever held, and is the same however its events are cut.
pub fn number_live(batch: &mut ParsedBatch, live: &LiveRange, hasher: &RecordHasher) {
    let LivePartition { topic, partition, .. } = &live.source;
    let source = hasher.hash(hash_domain::LIVE, format!("{topic}/{partition}").as_bytes());
    let occurrence = |key: u128, row: u64| {
        let (offset, within) = live.place(row);
        let event = hasher.hash_with(hash_domain::LIVE, key ^ source, offset);
        if within == 0 { event } else { hasher.hash_with(hash_domain::LIVE, event, within) }
    };
    if batch.file.key_mode == KeyMode::ContentAndOccurrence {
        for (key, row) in batch.columns.key.iter_mut().zip(&batch.columns.row) {
            *key = occurrence(*key, *row);
        }
    }
    for row in &mut batch.malformed {
        row.key = occurrence(row.key, row.row);
    }
}

/// Turns content hashes into keys with their occurrence: of readable rows in the mode `content-and-occurrence`, of
/// malformed rows in every mode. To be called once per batch, in the order of the file's rows.
pub fn number(batch: &mut ParsedBatch, occurrences: &mut Occurrences) {
    if batch.file.key_mode == KeyMode::ContentAndOccurrence {
        for key in &mut batch.columns.key {
            occurrences.number(key);
        }
    }
    for row in &mut batch.malformed {
        occurrences.number(&mut row.key);
    }
}
