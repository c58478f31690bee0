//! The price table of a tariff opened at every place that a record can ask for: plan, kind, zone, party and band.

use std::collections::HashMap;

use domain::columns::linked::Party;
use domain::usage::{Usage, UsageKind};

use crate::reach::Reach;
use crate::tariff::Tariff;
use crate::tariff::price_row::{PriceRow, names_kind};
use crate::tariff::price_table::Charge;

/// A tariff and what its records can ask for.
pub(crate) struct Book<'t> {
    pub tariff: &'t Tariff,
    pub reach: Reach,
    /// Plans by position and kinds that some price names.
    pub sold: Vec<(u32, Usage)>,
    /// The parties that prices or allowances tell apart.
    pub parties: &'static [Party],
}

/// One combination that a record can have, and the price that holds for it.
pub(crate) struct Cell<'t> {
    pub plan: u32,
    pub usage: Usage,
    pub zone: u16,
    pub party: Party,
    pub band: u8,
    pub charge: Option<&'t Charge>,
}

impl<'t> Book<'t> {
    pub fn of(tariff: &'t Tariff) -> Self {
        let (by_prices, by_allowances) = (tariff.prices.parties(), tariff.allowances.parties());
        let parties = if by_prices.len() > by_allowances.len() { by_prices } else { by_allowances };
        Self { tariff, reach: Reach::of(tariff), sold: sold(tariff), parties }
    }

    /// What records of a plan and kind can ask for.
    pub fn cells(&self, plan: u32, usage: Usage) -> impl Iterator<Item = Cell<'t>> {
        let tariff = self.tariff;
        let zones = 0..u16::try_from(tariff.zones.len()).expect("a tariff has at most 10,000 zones");
        zones.filter(move |zone| self.reach.may(usage, *zone)).flat_map(move |zone| {
            parties(tariff, usage).iter().flat_map(move |party| {
                self.reach.bands.iter().map(move |band| {
                    let charge = tariff.prices.find(plan, usage, zone, *party, *band);
                    Cell { plan, usage, zone, party: *party, band: *band, charge }
                })
            })
        })
    }

    /// All of it.
    pub fn all_cells(&self) -> impl Iterator<Item = Cell<'t>> {
        self.sold.iter().flat_map(|(plan, usage)| self.cells(*plan, *usage))
    }

    pub fn row(&self, charge: &Charge) -> &'t PriceRow {
        &self.tariff.prices.rows[charge.row as usize]
    }

    pub fn plan_name(&self, plan: u32) -> &'t str {
        &self.tariff.plans[plan as usize].name
    }

    pub fn zone_name(&self, zone: u16) -> &'t str {
        self.tariff.zones.name(u32::from(zone))
    }

    pub fn band_name(&self, band: u8) -> &'t str {
        self.tariff.bands.names.name(u32::from(band))
    }
}

/// The parties that records of a kind can have.
pub(crate) fn parties(tariff: &Tariff, usage: Usage) -> &'static [Party] {
    among(tariff.prices.parties(), usage)
}

/// Of these the parties that records of a kind can have: data has no other party.
pub(crate) fn among(parties: &'static [Party], usage: Usage) -> &'static [Party] {
    if usage.kind() == UsageKind::Data { &parties[..1] } else { parties }
}

/// The kinds that a row names.
pub(crate) fn kinds(row: &PriceRow) -> impl Iterator<Item = Usage> {
    Usage::all().filter(|usage| row.kinds.iter().any(|pattern| names_kind(pattern, *usage)))
}

fn sold(tariff: &Tariff) -> Vec<(u32, Usage)> {
    let plans = 0..u32::try_from(tariff.plans.len()).expect("a tariff has at most 10,000 plans");
    let codes: HashMap<&str, u32> = tariff.plans.iter().map(|plan| plan.name.as_str()).zip(plans.clone()).collect();
    let mut marked = vec![false; tariff.plans.len() * Usage::COUNT];
    let mut of_all_plans = [false; Usage::COUNT];
    for row in &tariff.prices.rows {
        for usage in kinds(row) {
            for pattern in &row.plans {
                match codes.get(pattern.as_str()) {
                    Some(plan) => marked[*plan as usize * Usage::COUNT + usage.code()] = true,
                    // The loader knows every name, so what is none is `*`.
                    None => of_all_plans[usage.code()] = true,
                }
            }
        }
    }
    // What a plan lends is sold by those that fall back on it, directly or over others.
    for plan in plans.clone() {
        let mut lender = tariff.plans[plan as usize].fallback.as_deref().and_then(|name| codes.get(name).copied());
        while let Some(lent) = lender {
            for usage in Usage::all() {
                let is_lent = marked[lent as usize * Usage::COUNT + usage.code()];
                marked[plan as usize * Usage::COUNT + usage.code()] |= is_lent;
            }
            lender = tariff.plans[lent as usize].fallback.as_deref().and_then(|name| codes.get(name).copied());
        }
    }
    let pairs = plans.flat_map(|plan| Usage::all().map(move |usage| (plan, usage)));
    pairs.filter(|(plan, usage)| of_all_plans[usage.code()] || marked[*plan as usize * Usage::COUNT + usage.code()]).collect()
}
