//! Numbers equal rows of a file: the n-th equal row is the n-th record, so a re-sent file adds nothing and two real
//! identical calls stay two. This is the one step of parsing that needs a file's rows in order.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use domain::columns::parsed::ParsedBatch;
use domain::delivery::{KeyMode, RecordHasher};

use super::hash_domain;

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
