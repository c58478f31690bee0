//! Record keys: the sidecar of each commit, and the duplicate check over all of them.
//!
//! One sidecar per commit, `_keys/<name>`, is durable before the commit and counts exactly while the ledger file that names
//! it is live. It holds one claim per row that is not skipped, in runs by account and bucket (the event day in UTC; in `id`
//! mode the key's top bits, because a corrected date must still find its id). A check reads only the runs of its buckets.

pub mod cache;
pub mod sidecar;
pub mod stopped;
#[cfg(test)]
mod tests;

use domain::delivery::{DeliveryId, KeyMode};

/// Tag of a ledger file: the path of its sidecar below the table's folder.
pub const TAG_SIDECAR: &str = "tollway.keys";

/// Which run of a sidecar a key is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bucket(pub i32);

/// The bucket of rows whose day is unknown.
const NO_DAY: Bucket = Bucket(i32::MIN);

/// Buckets that the ids of an account are spread over.
const ID_BUCKET_BITS: u32 = 5;

impl Bucket {
    /// The bucket of a key. `start_us` is `None` for rows that could not be read.
    pub fn of(mode: KeyMode, key: u128, start_us: Option<i64>) -> Self {
        const DAY_US: i64 = 86_400_000_000;
        match (mode, start_us) {
            (KeyMode::Id, _) => Self(i32::try_from(key >> (128 - ID_BUCKET_BITS)).expect("a few bits fit")),
            (_, Some(us)) => Self(i32::try_from(us.div_euclid(DAY_US)).unwrap_or(i32::MAX)),
            (_, None) => NO_DAY,
        }
    }
}

/// What turns the key of a row in conflict into the key that it claims, and back: its id is taken, so content becomes part of
/// the name.
pub fn conflict_mask(content: u64) -> u128 {
    u128::from(content) << 64 | u128::from(content.rotate_left(32)) | 1
}

/// A key with the row that claims it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The record key.
    pub key: u128,
    /// Hash of the content; 0 where the mode needs none.
    pub content: u64,
    /// The delivery.
    pub delivery: DeliveryId,
    /// The row of the delivery.
    pub row: u64,
    /// Whether the row lives (rated or in suspense); a duplicate's claim waits for the live one to be withdrawn.
    pub live: bool,
}

/// What the check says of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The first of its key.
    First,
    /// An equal row of the same file came before.
    SameFile,
    /// An equal row of another file of the account came before.
    OtherFile,
    /// The same id came before with other content.
    Conflict,
}
