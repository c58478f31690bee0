//! The vocabulary of tollway: what the stages of the flow say to each other.
//!
//! *Purpose.* Typed ids, numbers, money, usage, periods, outcomes, the column contracts between stages and the numbered
//! invariants. *Input → output.* None: everyone depends on it, it depends on no stage. *Never.* No I/O, no async, no
//! floats; the traits in [`ports`] say what the outside must offer, nothing here implements them.
//! *Start reading at* [`delivery`], [`outcome`], then [`columns`].

pub mod ids;
pub mod number;
pub mod money;
pub mod usage;
pub mod zone;
pub mod period;
pub mod closed;
pub mod delivery;
pub mod outcome;
pub mod columns;
pub mod invariant;
pub mod nearest;
pub mod ports;
