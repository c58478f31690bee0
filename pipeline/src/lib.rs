//! The flow: announce → split → parse → link → price → commit, as state machines that somebody else drives.
//!
//! *Purpose.* What moves between landing, log and tables, and in which order. *Input → output.* Arrivals in landing become
//! notices, claim checks, and rows of `cdr_entries`, each exactly once. *Never.* No thread, no clock, no chance of its own, no
//! async: the binary and the simulator call `step` (docs/adr/0008). *Start reading at* [`worker`], then [`splitter`],
//! [`rating`].

pub mod listener;
pub mod announcer;
pub mod healing;
pub mod splitter;
pub mod deliveries;
pub mod rating;
pub mod rereading;
pub mod proposal;
pub mod recycling;
pub mod corrector;
pub mod dead_letter;
pub mod orders;
pub mod parking;
pub mod worker;
pub mod error;
pub mod metrics;

pub use error::PipelineError;
