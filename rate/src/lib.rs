//! Link and price: whose device a record belongs to, and what it costs by the tariff in force at that instant.
//!
//! *Purpose.* The two pure stages between parsing and committing. *Input → output.*
//! [`link::link`]`(ParsedBatch, &DeviceIndex) -> LinkedBatch`, then
//! [`price::price`]`(LinkedBatch, &BoundTariffs) -> RatedBatch`; tariffs come in as texts
//! ([`tariff::Tariff::load`]) and are checked whole before a row sees them. *Never.* No I/O, no clock, no async, no floats;
//! a row is never dropped and never priced at zero because something is missing: it ends in suspense with a reason.
//! *Start reading at* [`price`], then [`price::zone`], [`price::charge`], [`tariff`].

pub mod link;
pub mod tariff;
pub mod price;
pub mod explain;
pub mod expected;
pub mod listing;
pub mod lint;
pub mod compare;
pub mod error;

mod reach;
mod instant;
mod words;

#[cfg(test)]
mod tests;
