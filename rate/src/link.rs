//! Link: a parsed batch learns whose device each row came from, as of the row's start.
//!
//! Identifiers are asked in the order of what they prove: the **IMSI** is the SIM that the network authenticated, the
//! **ICCID** is the card as the provider sees it, the **MSISDN** is a name that moves between SIMs, customers and
//! operators. The first identifier of a row that the index *knows* decides, even if none of its windows holds the instant:
//! a SIM that is known and was nobody's at that time must not be billed to whoever held its number then.

pub mod index;

use std::sync::Arc;

use domain::columns::linked::{LinkedBatch, NO_GROUP, NO_OWNER, Owner, Party};
use domain::columns::parsed::{ParsedBatch, ParsedColumns};

use self::index::{DeviceIndex, Found};
use crate::tariff::set::BoundTariffs;

/// Gives every readable row its owner, or [`NO_OWNER`]; rows and their order stay.
pub fn link(batch: impl Into<Arc<ParsedBatch>>, index: &DeviceIndex) -> LinkedBatch {
    let batch = batch.into();
    let columns = &batch.columns;
    let owner: Vec<u32> = if columns.imsi.is_empty() && columns.iccid.is_empty() {
        let numbers = columns.a_number.iter().zip(&columns.start_us);
        numbers.map(|(number, start_us)| by_number(index, number.as_e164(), *start_us)).collect()
    } else {
        (0..columns.row.len()).map(|i| by_any(index, columns, i)).collect()
    };
    debug_assert_eq!(owner.len(), batch.len(), "INV-2: linking keeps every row");
    LinkedBatch { parsed: batch, owner, party: Vec::new(), owners: index.owners().clone() }
}

/// Asks who the other party of each row is, for rows whose owner has a plan of a tariff with prices that depend on it: one of ours at
/// that instant, and then whether of the same customer and of the same group. Without such tariffs nothing is asked.
pub(crate) fn look_up_parties(batch: &mut LinkedBatch, index: &DeviceIndex, tariffs: &BoundTariffs) {
    let tariffs = tariffs.of(&batch.owners);
    if !tariffs.asks_party() {
        return;
    }
    let columns = &batch.parsed.columns;
    let party = |(i, owner): (usize, &u32)| {
        let Some(owner) = batch.owners.windows.get(*owner as usize) else { return Party::Unasked };
        let number = columns.b_number[i].as_e164().filter(|_| tariffs.plan_asks_party(owner.plan));
        number.map_or(Party::Unasked, |number| party_of(index, number, columns.start_us[i], owner))
    };
    batch.party = batch.owner.iter().enumerate().map(|row| party(row) as u8).collect();
}

/// Who has a number (E.164 digits) at an instant, as the owner of a window of the index sees it that holds then.
pub fn party_of(index: &DeviceIndex, number: u64, at_us: i64, owner: &Owner) -> Party {
    let Found::Owner(other) = index.msisdn(number, at_us) else { return Party::Other };
    let other = &index.owners().windows[other as usize];
    let is_of_group = owner.group != NO_GROUP && owner.group == other.group;
    match (is_of_group, owner.customer == other.customer) {
        (true, true) => Party::GroupCustomer,
        (true, false) => Party::Group,
        (false, true) => Party::OwnCustomer,
        (false, false) => Party::OwnNetwork,
    }
}

#[inline]
fn by_number(index: &DeviceIndex, number: Option<u64>, start_us: i64) -> u32 {
    match number.map(|value| index.msisdn(value, start_us)) {
        Some(Found::Owner(owner)) => owner,
        _ => NO_OWNER,
    }
}

fn by_any(index: &DeviceIndex, columns: &ParsedColumns, i: usize) -> u32 {
    let start_us = columns.start_us[i];
    let sim = columns.imsi.get(i).map(|imsi| index.imsi(*imsi, start_us));
    let card = columns.iccid.get(i).map(|iccid| index.iccid(*iccid, start_us));
    for found in [sim, card].into_iter().flatten() {
        match found {
            Found::Owner(owner) => return owner,
            Found::Nobody => return NO_OWNER,
            Found::Unknown => {}
        }
    }
    by_number(index, columns.a_number[i].as_e164(), start_us)
}

#[cfg(test)]
mod tests;
