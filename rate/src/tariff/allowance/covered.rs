//! What an allowance covers must go with it: prices of units, in steps that begin at the first one.

use domain::usage::Usage;

use super::Allowance;
use crate::error::TariffError;
use crate::tariff::coverage::Known;
use crate::tariff::field::bad;
use crate::tariff::party::told_apart;
use crate::tariff::price_row::{Formula, PriceRow};
use crate::tariff::price_table::Charge;

/// Most prices that are looked at for whether allowances may cover them, over all allowances.
pub(super) const LOOKED_AT_MAX: usize = 1 << 25;

impl Known<'_> {
    /// Refuses units that would cover a price by the provider's cost: a part of a record has no cost of its own. Refuses an allowance
    /// that covers no price at all, too. Looks at no more prices than `left`.
    pub(super) fn check_covered(&self, allowance: &Allowance, left: &mut usize) -> Result<(), TariffError> {
        let mut is_met = false;
        for (usage, zone, charge) in self.covered(allowance) {
            let what = "combinations of plan, kind, zone, party and band under all allowances together";
            let too_many = || TariffError::TooMany { place: allowance.place.clone(), what, limit: LOOKED_AT_MAX };
            *left = left.checked_sub(1).ok_or_else(too_many)?;
            let Some(charge) = charge else { continue };
            is_met = true;
            let row = &self.prices.rows[charge.row as usize];
            check_steps(allowance, row)?;
            if matches!(row.formula, Formula::CostPlus { .. }) && !allowance.is_money() {
                let (kind, zone, at) = (usage.as_str(), self.zones.name(zone.into()), &row.place);
                let expected = format!(
                    "{kind} to zone `{zone}` is priced by the provider's cost ({at}), of which units cannot cover a part; name other \
                     zones or kinds, or give money"
                );
                return Err(bad(&allowance.place, "zone", zone, expected));
            }
        }
        if is_met {
            return Ok(());
        }
        let expected = "no price of its plans is for the kinds, zones and bands that it covers, so no record can reach it";
        Err(bad(&allowance.place, "allowance", &*allowance.name, expected))
    }

    /// The cells that an allowance covers, with their kind, zone and price.
    fn covered<'a>(&'a self, allowance: &'a Allowance) -> impl Iterator<Item = (Usage, u16, Option<&'a Charge>)> + 'a {
        let codes = |flags: &'a [bool]| (0u32..).zip(flags).filter(|(_, is)| **is).map(|(code, _)| code);
        let blocks = codes(&allowance.coverage.plans).flat_map(|plan| Usage::all().map(move |usage| (plan, usage)));
        let blocks =
            blocks.filter(|(plan, usage)| allowance.coverage.kinds[usage.code()] && self.prices.has_prices(*plan, *usage));
        let cells = blocks.flat_map(move |(plan, usage)| {
            (0u16..).zip(&allowance.coverage.zones).filter(|(_, is)| **is).flat_map(move |(zone, _)| {
                (0u8..).zip(&allowance.coverage.bands).filter(|(_, is)| **is).map(move |(band, _)| (plan, usage, zone, band))
            })
        });
        let (by_prices, by_name) = (self.prices.parties(), told_apart(&allowance.coverage.parties));
        let parties = if by_prices.len() > by_name.len() { by_prices } else { by_name };
        cells.flat_map(move |(plan, usage, zone, band)| {
            let theirs = parties.iter().filter(move |party| allowance.covers(usage, zone, **party, band));
            theirs.map(move |party| (usage, zone, self.prices.find(plan, usage, zone, *party, band)))
        })
    }
}

/// Refuses steps that fit behind a minimum only: what is beyond an allowance has none.
fn check_steps(allowance: &Allowance, row: &PriceRow) -> Result<(), TariffError> {
    let Formula::Units { steps, .. } = &row.formula else { return Ok(()) };
    match steps[..] {
        [first, second, ..] if !allowance.is_money() && second.from % first.increment != 0 => {
            let expected = format!(
                "beyond it the price at {} has no minimum, so its first step has to end on a multiple of {}",
                row.place, first.increment
            );
            Err(bad(&allowance.place, "allowance", &*allowance.name, expected))
        }
        _ => Ok(()),
    }
}
