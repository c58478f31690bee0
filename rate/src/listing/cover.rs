//! What an allowance or a discount is for, as codes: the plans that have it, and the kinds, zones, bands and parties that it covers.

use domain::columns::linked::Party;
use domain::usage::Usage;

use crate::tariff::Tariff;
use crate::tariff::coverage::Coverage;

/// What something is for. Each list rises.
#[derive(Debug)]
pub(crate) struct Cover {
    pub plans: Vec<u32>,
    pub usages: Vec<Usage>,
    pub zones: Vec<u16>,
    pub bands: Vec<u8>,
    /// Whom the other party must be, as tariffs name it; nobody in particular where there is none.
    pub party: Option<&'static str>,
}

impl Cover {
    pub fn of(tariff: &Tariff, coverage: &Coverage) -> Self {
        let plans = 0..u32::try_from(tariff.plans.len()).expect("a tariff has at most 10,000 plans");
        let zones = 0..u16::try_from(tariff.zones.len()).expect("a tariff has at most 10,000 zones");
        let bands = 0..u8::try_from(tariff.bands.names.len()).expect("a tariff has at most 254 bands");
        // Where a number of the same group and customer is the other party, only kind, zone and band decide, each for itself: so one
        // record that is covered tells which others are that differ from it in one of the three.
        let covers = |usage, zone, band| coverage.covers(usage, zone, Party::GroupCustomer, band);
        let mut cells = Usage::all().flat_map(|usage| {
            let (zones, bands) = (zones.clone(), bands.clone());
            zones.flat_map(move |zone| bands.clone().map(move |band| (usage, zone, band)))
        });
        let first = cells.find(|(usage, zone, band)| covers(*usage, *zone, *band));
        let (usage, zone, band) = first.expect("what loads names a kind, a zone and a band");
        let is_for = |party| coverage.covers(usage, zone, party, band);
        Self {
            plans: plans.filter(|plan| coverage.is_of(*plan)).collect(),
            usages: Usage::all().filter(|usage| covers(*usage, zone, band)).collect(),
            zones: zones.filter(|zone| covers(usage, *zone, band)).collect(),
            bands: bands.filter(|band| covers(usage, zone, *band)).collect(),
            party: match [Party::Other, Party::OwnNetwork, Party::OwnCustomer, Party::Group].map(is_for) {
                [true, ..] => None,
                [_, true, ..] => Party::OwnNetwork.name(),
                [_, _, true, true] => Some("own_customer, group"),
                [_, _, true, false] => Party::OwnCustomer.name(),
                [_, _, false, _] => Party::Group.name(),
            },
        }
    }

    /// Whether some record may be covered by both: the customer's own number in the same group is always one of those whom they want.
    pub fn meets(&self, other: &Self) -> bool {
        self.usages.iter().any(|usage| other.usages.contains(usage))
            && self.zones.iter().any(|zone| other.zones.binary_search(zone).is_ok())
            && self.bands.iter().any(|band| other.bands.binary_search(band).is_ok())
    }
}
