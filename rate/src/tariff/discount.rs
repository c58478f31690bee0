//! Discounts: percents of what is charged, by how much was charged before in a period.

use std::collections::HashMap;
use std::sync::Arc;

use domain::money::Rounding;

use crate::error::{Place, TariffError};
use crate::tariff::allowance::{Every, Whose, every, one_of, whose};
use crate::tariff::coverage::{Coverage, Known, RawCoverage};
use crate::tariff::field::{amount, bad, name, percent};
use crate::tariff::raw::{RawDiscount, TomlFile};

/// Most discounts of a tariff, and steps of one.
const DISCOUNTS_MAX: usize = 1_000;
const STEPS_MAX: usize = 16;

/// A hundred percent in nano-percent.
const WHOLE_NANO: i64 = 100_000_000_000;

/// A discount, or a surcharge.
#[derive(Debug)]
pub(crate) struct Discount {
    pub name: Arc<str>,
    pub place: Place,
    pub every: Every,
    pub whose: Whose,
    /// Whether all money has the percent of the last unit, and not each by its place.
    pub is_volume: bool,
    /// At least one; the first begins at 0.
    pub steps: Vec<Percent>,
    /// What a hundred percent and those of all steps are multiples of, in nano-percent: counted in these, most sums fit 64 bits.
    unit: i64,
    pub coverage: Coverage,
}

/// Money from `from` on has this percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Percent {
    /// Nano-units.
    pub from: u64,
    /// Nano-percent; below zero it is less.
    pub percent: i64,
}

impl Discount {
    /// What is added to so much charged money, in nano-units, rounded once.
    pub fn of(&self, spent: i128, rounding: Rounding) -> i128 {
        let sum = if self.is_volume {
            let step = self.steps.iter().rev().find(|step| i128::from(step.from) < spent).unwrap_or(&self.steps[0]);
            spent.saturating_mul((step.percent / self.unit).into())
        } else {
            let part = |(n, step): (usize, &Percent)| {
                let end = self.steps.get(n + 1).map_or(i128::MAX, |next| next.from.into());
                (spent.min(end) - i128::from(step.from)).saturating_mul((step.percent / self.unit).into())
            };
            let reached = self.steps.iter().enumerate().take_while(|(_, step)| i128::from(step.from) < spent);
            reached.map(part).fold(0i128, i128::saturating_add)
        };
        if sum == 0 { 0 } else { rounding.divide(sum, (WHOLE_NANO / self.unit).into()) }
    }
}

/// Checks the discounts of a file against what else the tariff has.
pub(super) fn build(
    file: &TomlFile<'_>,
    raw: &[toml::Spanned<RawDiscount>],
    known: &Known<'_>,
) -> Result<Vec<Discount>, TariffError> {
    if raw.len() > DISCOUNTS_MAX {
        return Err(TariffError::TooMany { place: file.whole(), what: "discounts", limit: DISCOUNTS_MAX });
    }
    let mut seen: HashMap<&str, Place> = HashMap::new();
    let mut list = Vec::with_capacity(raw.len());
    for spanned in raw {
        let (place, raw) = (file.place(spanned), spanned.get_ref());
        name(&place, "name", &raw.name)?;
        if let Some(first) = seen.insert(&raw.name, place.clone()) {
            return Err(TariffError::Twice { place, what: format!("discount `{}`", raw.name), first });
        }
        list.push(check(place, raw, known)?);
    }
    Ok(list)
}

fn check(place: Place, raw: &RawDiscount, known: &Known<'_>) -> Result<Discount, TariffError> {
    let RawDiscount { plan, kind, zone, band, party, .. } = raw;
    let coverage = known.coverage(&place, &RawCoverage { plan, kind, zone, band: band.as_ref(), party: party.as_ref() })?;
    let steps = steps(&place, raw)?;
    Ok(Discount {
        name: raw.name.as_str().into(),
        every: every(&place, raw.every.as_deref())?,
        whose: whose(&place, "scope", raw.scope.as_deref(), &[Whose::Personal, Whose::Shared, Whose::Group])?,
        is_volume: one_of(&place, "count", raw.count.as_deref(), ["graduated", "volume"])?,
        unit: steps.iter().fold(WHOLE_NANO, |unit, step| gcd(unit, step.percent.abs())),
        steps,
        coverage,
        place,
    })
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn steps(place: &Place, raw: &RawDiscount) -> Result<Vec<Percent>, TariffError> {
    if raw.steps.is_empty() || raw.steps.len() > STEPS_MAX {
        return Err(bad(place, "steps", format!("{} steps", raw.steps.len()), format!("1 to {STEPS_MAX} steps are expected")));
    }
    let mut steps: Vec<Percent> = Vec::with_capacity(raw.steps.len());
    for step in &raw.steps {
        let from = amount(place, "steps.from", &step.from)?;
        match steps.last() {
            None if from != 0 => return Err(bad(place, "steps.from", &step.from, "the first step begins at 0")),
            Some(before) if from <= before.from => {
                return Err(bad(place, "steps.from", &step.from, "steps are listed in rising order"));
            }
            _ => steps.push(Percent { from, percent: percent(place, "steps.percent", &step.percent)? }),
        }
    }
    Ok(steps)
}
