//! What an allowance, a discount or a commitment is for: plans, kinds, zones, bands and parties that are named.

use domain::columns::linked::Party;
use domain::ids::Names;
use domain::usage::Usage;

use crate::error::{Place, TariffError};
use crate::tariff::field::bad;
use crate::tariff::plan::Plan;
use crate::tariff::price_row::{kinds, parties};
use crate::tariff::price_table::{PriceTable, unknown};
use crate::tariff::raw::OneOrMany;

/// What something is for; all that is named must fit.
#[derive(Debug)]
pub(crate) struct Coverage {
    /// By number of the plan.
    pub plans: Vec<bool>,
    /// By code of the kind.
    pub kinds: [bool; Usage::COUNT],
    /// By code of the zone.
    pub zones: Vec<bool>,
    /// By code of the band.
    pub bands: Vec<bool>,
    /// Empty: whoever the other party is.
    pub parties: Vec<Party>,
}

impl Coverage {
    /// Whether it is for a plan.
    pub fn is_of(&self, plan: u32) -> bool {
        self.plans.get(plan as usize).copied().unwrap_or(false)
    }

    /// Whether it is for what a record is.
    pub fn covers(&self, usage: Usage, zone: u16, party: Party, band: u8) -> bool {
        self.kinds[usage.code()]
            && self.zones[usize::from(zone)]
            && self.bands[usize::from(band)]
            && (self.parties.is_empty() || self.parties.iter().any(|wanted| party.is_of(*wanted)))
    }
}

/// The same as a tariff writes it.
pub(crate) struct RawCoverage<'r> {
    pub plan: &'r OneOrMany,
    pub kind: &'r OneOrMany,
    pub zone: &'r OneOrMany,
    pub band: Option<&'r OneOrMany>,
    pub party: Option<&'r OneOrMany>,
}

/// What allowances, discounts, fees and commitments may name.
pub(crate) struct Known<'t> {
    pub plans: &'t [Plan],
    pub zones: &'t Names,
    pub bands: &'t Names,
    pub prices: &'t PriceTable,
}

impl Known<'_> {
    /// Checks that all that is named is there.
    pub fn coverage(&self, place: &Place, raw: &RawCoverage<'_>) -> Result<Coverage, TariffError> {
        Ok(Coverage {
            plans: self.plans(place, raw.plan)?,
            kinds: usages(place, raw.kind)?,
            zones: codes(place, "zone", Some(raw.zone), self.zones, "no destination, network or class leads there")?,
            bands: codes(place, "band", raw.band, self.bands, "no [[band]] has that name")?,
            parties: raw.party.map_or(Ok(Vec::new()), |party| parties(place, &party.0, true))?,
        })
    }

    /// By number, whether a plan is named.
    pub fn plans(&self, place: &Place, named: &OneOrMany) -> Result<Vec<bool>, TariffError> {
        let mut plans = vec![false; self.plans.len()];
        for pattern in filled(place, "plan", named)? {
            if pattern == "*" {
                plans.fill(true);
                continue;
            }
            let known = self.plans.iter().map(|plan| plan.name.as_str());
            let at = self.plans.iter().position(|plan| plan.name == *pattern);
            plans[at.ok_or_else(|| unknown(place, "plan", pattern, "no plan has that name", known))?] = true;
        }
        Ok(plans)
    }
}

fn filled<'r>(place: &Place, field: &str, named: &'r OneOrMany) -> Result<&'r [String], TariffError> {
    let refused = || bad(place, field, "[]", "at least one name, or \"*\", is expected");
    if named.0.is_empty() { Err(refused()) } else { Ok(&named.0) }
}

fn usages(place: &Place, named: &OneOrMany) -> Result<[bool; Usage::COUNT], TariffError> {
    let mut usages = [false; Usage::COUNT];
    for pattern in filled(place, "kind", named)? {
        kinds(place, pattern)?.1.into_iter().for_each(|usage| usages[usage.code()] = true);
    }
    Ok(usages)
}

/// The codes that names stand for; without names all of them.
fn codes(
    place: &Place,
    field: &str,
    named: Option<&OneOrMany>,
    known: &Names,
    defined: &'static str,
) -> Result<Vec<bool>, TariffError> {
    let Some(named) = named else { return Ok(vec![true; known.len()]) };
    let mut codes = vec![false; known.len()];
    for pattern in filled(place, field, named)? {
        if pattern == "*" {
            codes.fill(true);
            continue;
        }
        let code = known.code(pattern).ok_or_else(|| unknown(place, field, pattern, defined, known.iter()))?;
        codes[code as usize] = true;
    }
    Ok(codes)
}
