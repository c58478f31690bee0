//! The plans of a tariff: what they say for all of their prices, and on whom they fall back.

use std::collections::HashMap;

use crate::error::{Place, TariffError};
use crate::tariff::field::bad;
use crate::tariff::price_table::unknown;

/// A plan of the tariff.
#[derive(Debug)]
pub(crate) struct Plan {
    pub name: String,
    /// Bytes of a megabyte by contract.
    pub mb_bytes: Option<u64>,
    pub band_edge: BandEdge,
    /// The plan whose prices hold where it has none.
    pub fallback: Option<String>,
    pub place: Place,
}

/// What becomes of a call that reaches into another band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum BandEdge {
    /// The band of its start holds for all of it.
    Start,
    /// Each increment is charged by the band in which it begins.
    Increment,
    /// Each part is billed in increments of its own.
    Anew,
}

impl BandEdge {
    /// As tariffs write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Increment => "increment",
            Self::Anew => "anew",
        }
    }

    pub fn parse(place: &Place, text: &str) -> Result<Self, TariffError> {
        match text {
            "" | "start" => Ok(Self::Start),
            "increment" => Ok(Self::Increment),
            "anew" => Ok(Self::Anew),
            other => Err(bad(place, "band_edge", other, "`start`, `increment` or `anew` is expected")),
        }
    }
}

/// Plans and those on which they fall back, by number, in an order in which each lender is whole before it lends.
pub(super) fn fallbacks(plans: &[Plan], numbers: &HashMap<&str, usize>) -> Result<Vec<(usize, usize)>, TariffError> {
    let mut of = vec![None; plans.len()];
    for (number, plan) in plans.iter().enumerate() {
        let Some(name) = &plan.fallback else { continue };
        let missing = || unknown(&plan.place, "fallback", name, "no plan has that name", plans.iter().map(|p| p.name.as_str()));
        of[number] = Some(*numbers.get(name.as_str()).ok_or_else(missing)?);
    }
    let mut depths = vec![0usize; plans.len()];
    for number in 0..plans.len() {
        let mut chain = vec![number];
        let mut last = number;
        // Up to a plan whose depth is known, or that falls back on none.
        while let Some(next) = of[last].filter(|_| depths[last] == 0) {
            if chain.len() > plans.len() {
                return Err(circle(plans, &of, next));
            }
            chain.push(next);
            last = next;
        }
        let known = depths[last].max(1);
        for (height, plan) in chain.into_iter().rev().enumerate() {
            depths[plan] = known + height;
        }
    }
    let mut ordered: Vec<(usize, usize)> =
        (0..plans.len()).filter_map(|plan| of[plan].map(|fallback| (plan, fallback))).collect();
    ordered.sort_unstable_by_key(|(plan, _)| depths[*plan]);
    Ok(ordered)
}

/// Plans that fall back on each other, told from the one of them that comes first in the file.
fn circle(plans: &[Plan], of: &[Option<usize>], within: usize) -> TariffError {
    let mut members = vec![within];
    while let Some(next) = of[members[members.len() - 1]].filter(|next| *next != within) {
        members.push(next);
    }
    let first = members.iter().position(|plan| Some(plan) == members.iter().min()).unwrap_or_default();
    members.rotate_left(first);
    let names: Vec<&str> = members.iter().chain([&members[0]]).map(|plan| plans[*plan].name.as_str()).collect();
    let Plan { place, fallback, .. } = &plans[members[0]];
    let expected = format!("a plan that does not fall back on this one is expected: {}", names.join(" → "));
    bad(place, "fallback", fallback.as_deref().unwrap_or_default(), expected)
}
