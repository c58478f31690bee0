//! Link and price: whose device a record belongs to, and what it costs by the tariff in force at that instant.
//!
//! *Purpose.* The two pure stages between parsing and committing. *Input → output.*
//! [`link::link`]`(ParsedBatch, &DeviceIndex) -> LinkedBatch`, then
//! [`price::price`]`(LinkedBatch, &BoundTariffs) -> RatedBatch`, both by [`rate`]; what allowances give to the records of a customer
//! says [`settle`]; what an invoice prints of a cycle, [`lines`]. Tariffs come in as texts
//! ([`tariff::Tariff::load`]) and are checked whole before a row sees them. *Never.* No I/O, no clock, no async, no floats;
//! a row is never dropped and never priced at zero because something is missing: it ends in suspense with a reason.
//! *Start reading at* [`price`], then [`price::zone`], [`price::charge`], [`tariff`].

pub mod link;
pub mod tariff;
pub mod price;
pub mod settle;
pub mod lines;
pub mod explain;
pub mod expected;
pub mod levels;
pub mod listing;
pub mod lint;
pub mod compare;
pub mod error;

mod reach;
mod instant;
mod words;

use std::sync::Arc;

use domain::columns::parsed::ParsedBatch;
use domain::columns::rated::RatedBatch;

use crate::link::index::DeviceIndex;
use crate::settle::Draws;
use crate::tariff::set::BoundTariffs;

/// Links and prices all readable rows of a batch.
pub fn rate(batch: impl Into<Arc<ParsedBatch>>, index: &DeviceIndex, tariffs: &BoundTariffs) -> RatedBatch {
    rate_settled(batch, index, tariffs, &Draws::default())
}

/// The same where it is known what allowances give: records that do not get all that they ask for are priced by what they get.
pub fn rate_settled(
    batch: impl Into<Arc<ParsedBatch>>,
    index: &DeviceIndex,
    tariffs: &BoundTariffs,
    draws: &Draws,
) -> RatedBatch {
    let mut linked = link::link(batch, index);
    link::look_up_parties(&mut linked, index, tariffs);
    price::price_settled(linked, tariffs, draws)
}

#[cfg(test)]
mod tests;
