//! Which zones and bands a record can be in: a price for any other is never asked for.

use domain::usage::Usage;
use domain::zone::SECOND_US;

use crate::tariff::Tariff;
use crate::tariff::deck::ZoneRule;

const MINUTE_US: i64 = 60 * SECOND_US;

/// A year, leap days included: every window of a week and every date of a calendar comes round in it.
const YEAR_US: i64 = 366 * 24 * 60 * MINUTE_US;

/// What leads to each zone of a tariff, and which bands some minute has.
pub(crate) struct Reach {
    home: u16,
    by_network: Vec<bool>,
    by_pair: Vec<bool>,
    by_class: Vec<bool>,
    by_number: Vec<bool>,
    /// Bands that hold at some minute.
    pub bands: Vec<u8>,
}

impl Reach {
    pub fn of(tariff: &Tariff) -> Self {
        let marked = |lists: &[&[ZoneRule]]| {
            let mut marked = vec![false; tariff.zones.len()];
            lists.iter().copied().flatten().for_each(|rule| marked[usize::from(rule.zone)] = true);
            marked
        };
        let mut by_network = marked(&[&tariff.networks.rules]);
        // A network of the home zone decides nothing: class and number are asked next.
        by_network[usize::from(tariff.home)] = false;
        // Pairs abroad: `*` also leads what goes nowhere, the others only what has a destination.
        let mut by_pair = vec![false; tariff.zones.len()];
        for (visited, ..) in tariff.roaming.leads().filter(|(_, called, _)| called.is_none()) {
            by_network[usize::from(visited)] = false;
        }
        for (_, called, zone) in tariff.roaming.leads() {
            by_pair[usize::from(zone)] = true;
            by_network[usize::from(zone)] |= called.is_none();
        }
        let mut by_number = marked(&[&tariff.deck.rules, &tariff.short_codes.rules]);
        if let Some(zone) = tariff.unnumbered {
            by_number[usize::from(zone)] = true;
        }
        let names = u8::try_from(tariff.bands.names.len()).expect("a tariff has at most 254 bands");
        let bands = (0..names).filter(|band| *band != tariff.bands.default || default_holds(tariff)).collect();
        Self { home: tariff.home, by_network, by_pair, by_class: marked(&[&tariff.classes.rules]), by_number, bands }
    }

    /// Whether a record of this kind can be in the zone at all.
    pub fn may(&self, usage: Usage, zone: u16) -> bool {
        self.is_usual(usage, zone) || self.by_class[usize::from(zone)]
    }

    /// Whether such records are expected there. A class leads incoming usage and data, too, but most classes are of calls that go
    /// out, so they do not count for what has no destination.
    pub fn is_usual(&self, usage: Usage, zone: u16) -> bool {
        let at = usize::from(zone);
        let has_number = self.by_number[at] || self.by_class[at] || self.by_pair[at];
        let at_home = if usage.has_destination() { has_number } else { zone == self.home };
        at_home || self.by_network[at]
    }

    /// Whether the default band holds at some minute: not if windows take up the whole week.
    pub fn has_default(&self, tariff: &Tariff) -> bool {
        self.bands.contains(&tariff.bands.default)
    }
}

fn default_holds(tariff: &Tariff) -> bool {
    let (bands, zone) = (&tariff.bands, tariff.zone());
    let is_default = |us: i64| bands.at(zone, us, zone.offset_at(us)) == bands.default;
    let mut us = tariff.from_us();
    let end_us = tariff.to_us().min(us.saturating_add(YEAR_US));
    while us < end_us {
        if is_default(us) {
            return true;
        }
        us += MINUTE_US;
    }
    false
}
