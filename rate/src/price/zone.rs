//! The zone of a row: where it was made, what the provider calls it, whom it went to - in this order.
//!
//! 1. The visited network, the network itself before its country. If its zone is not the home zone, a call made abroad is priced by
//!    where it was made: by the row of the roaming table for this zone and the one that is called, else by the network's zone. A network
//!    that the tariff does not know leaves the row without a zone; a source that names no network is at home.
//! 2. At home, the provider's rate class, if the tariff maps it. It goes before the number, because a ported number says
//!    nothing about its network, and it also holds for incoming usage and data, where there is no number to ask.
//! 3. At home without a destination (incoming usage and data): the home zone.
//! 4. The destination: an E.164 number by its longest prefix, a short code as a whole, a word or a masked number by the
//!    tariff's `unnumbered` zone, if it has one. Anything else leaves the row without a zone.

use domain::columns::rated::ZoneBy;
use domain::number::{Network, Number, NumberKind};
use domain::usage::Usage;

use crate::tariff::deck::ZoneRule;
use crate::tariff::{NONE_ROW, Tariff};

/// What decides a zone.
pub(crate) struct ZoneFacts {
    pub usage: Usage,
    pub b_number: Number,
    pub network: Network,
    pub start_us: i64,
    /// The row of the tariff's class table for the row's class, or `NONE_ROW`.
    pub class_row: u32,
}

/// A zone, what decided it and by which row of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Zoned {
    /// A code of the tariff's zones.
    pub zone: Option<u16>,
    pub by: ZoneBy,
    pub row: u32,
}

const NOWHERE: Zoned = Zoned { zone: None, by: ZoneBy::None, row: NONE_ROW };

/// The zone of a row in a tariff.
#[inline]
pub(crate) fn find(tariff: &Tariff, facts: &ZoneFacts) -> Zoned {
    if !facts.network.is_absent() {
        let row = tariff.networks.find(facts.network, || tariff.day_of(facts.start_us));
        let visited = by_rule(&tariff.networks.rules, row, ZoneBy::Network);
        if visited.zone != Some(tariff.home) {
            return if tariff.roaming.is_empty() { visited } else { by_pair(tariff, facts, visited) };
        }
    }
    if facts.class_row != NONE_ROW {
        return by_rule(&tariff.classes.rules, facts.class_row, ZoneBy::Class);
    }
    if !facts.usage.has_destination() {
        return Zoned { zone: Some(tariff.home), by: ZoneBy::Home, row: NONE_ROW };
    }
    by_destination(tariff, facts)
}

/// The zone of usage abroad by where it goes, if the tariff says so.
#[inline(never)]
fn by_pair(tariff: &Tariff, facts: &ZoneFacts, visited: Zoned) -> Zoned {
    let called = facts.usage.has_destination().then(|| by_destination(tariff, facts).zone).flatten();
    let row = visited.zone.map_or(NONE_ROW, |zone| tariff.roaming.find(zone, called));
    if row == NONE_ROW { visited } else { by_rule(&tariff.roaming.rules, row, ZoneBy::Roaming) }
}

#[inline]
fn by_destination(tariff: &Tariff, facts: &ZoneFacts) -> Zoned {
    let number = facts.b_number;
    match number.kind() {
        NumberKind::E164 => {
            let row = tariff.deck.longest_on(number.value(), number.digits(), || tariff.day_of(facts.start_us));
            by_rule(&tariff.deck.rules, row, ZoneBy::Prefix)
        }
        NumberKind::ShortCode => {
            by_rule(&tariff.short_codes.rules, tariff.short_codes.exact(number.value(), number.digits()), ZoneBy::ShortCode)
        }
        NumberKind::Alphanumeric | NumberKind::Masked => match tariff.unnumbered {
            // The prefix of no digits: decided by the destination, but by no row of the deck.
            Some(zone) => Zoned { zone: Some(zone), by: ZoneBy::Prefix, row: NONE_ROW },
            None => NOWHERE,
        },
        NumberKind::Absent => NOWHERE,
    }
}

#[inline]
fn by_rule(rules: &[ZoneRule], row: u32, by: ZoneBy) -> Zoned {
    rules.get(row as usize).map_or(NOWHERE, |rule| Zoned { zone: Some(rule.zone), by, row })
}
