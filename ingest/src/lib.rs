//! From a provider's bytes to typed columns.
//!
//! *Purpose.* Profiles (file layouts as data), landing, the log, split and parse. *Input → output.* Files in, landed objects
//! and claim checks between, `ParsedBatch` out. *Never.* No rating, no tables, no clock of its own.
//! *Start reading at* [`land`], [`split`], [`parse`], then [`profile`].

pub mod land;
pub mod live;
pub mod log;
pub mod message;
pub mod split;
pub mod profile;
mod records;
pub mod parse;
pub mod tap3;
pub mod unwrap;
pub mod draft;

#[cfg(test)]
mod bad_input;
