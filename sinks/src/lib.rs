//! From rated batches to durable places, atomically.
//!
//! *Purpose.* The Delta tables: encoding columns as Parquet, the key sidecars that tell duplicates, and the commit that makes
//! rows, ledger and positions visible at once. *Input → output.* `RatedBatch`es and positions in, a receipt out. *Never.* No
//! rating, no log, no clock of its own; nothing is removed but by compaction and vacuum.
//! *Start reading at* [`commit`], then [`table`], [`keys`], [`delta`].

pub mod commit;
pub mod table;
pub mod history;
pub mod gather;
pub mod entries;
pub mod rows;
pub mod ledger;
pub mod settled;
pub mod standing;
pub mod premise;
pub mod keys;
pub mod correction;
pub mod closing;
pub mod thresholds;
pub mod lines;
pub mod parquet;
pub mod delta;
pub mod audit;
pub mod job;
pub mod local_store;
pub mod bucket;

/// How this program signs what it writes.
pub const ENGINE: &str = concat!("tollway/", env!("CARGO_PKG_VERSION"));
