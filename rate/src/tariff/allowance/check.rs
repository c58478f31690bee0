//! An allowance as it is written becomes one that is believed, or is refused with the place and what is expected.

use domain::usage::Usage;

use super::{Allowance, Every, Gives, ROLL_OVER_MAX, Whose, family};
use crate::error::{Place, TariffError};
use crate::tariff::coverage::{Known, RawCoverage};
use crate::tariff::field::{AMOUNT_NANO_MAX, UNITS_MAX, amount, bad, name, whole};
use crate::tariff::raw::{RawAllowance, RawFairUse};

/// Largest priority and weight.
const RANK_MAX: i64 = 1_000_000;

/// Fair use of roaming data is twice the price over the wholesale cap: Implementing Regulation (EU) 2016/2286, article 4(2).
const FAIR_USE_TIMES: u128 = 2;

/// The percents at which it is told that an allowance runs out, where the tariff says nothing else.
const THRESHOLDS: [u8; 3] = [75, 90, 100];

impl Known<'_> {
    pub(super) fn check(&self, place: Place, raw: &RawAllowance) -> Result<Allowance, TariffError> {
        name(&place, "name", &raw.name)?;
        if raw.name.contains('+') {
            return Err(bad(&place, "name", &raw.name, "a `+` joins the names of several allowances in the table; leave it out"));
        }
        let RawAllowance { plan, kind, zone, band, party, .. } = raw;
        let coverage = RawCoverage { plan, kind, zone, band: band.as_ref(), party: party.as_ref() };
        let coverage = self.coverage(&place, &coverage)?;
        let gives = gives(&place, raw)?;
        if let Gives::Money(nano) | Gives::Beyond(nano) = gives
            && nano % self.prices.unit_nano != 0
        {
            let places = self.prices.rounding.places;
            let expected = format!("the tariff rounds charges to {places} places, and an amount that covers them has no more");
            let (field, text) = raw.most.as_deref().map_or(("money", raw.money.as_deref()), |most| ("most", Some(most)));
            return Err(bad(&place, field, text.unwrap_or_default(), expected));
        }
        let first = Usage::all().find(|usage| coverage.kinds[usage.code()]).map(family);
        let has_others = Usage::all().any(|usage| coverage.kinds[usage.code()] && Some(family(usage)) != first);
        if has_others && !gives.is_money() {
            let expected =
                "units are seconds, bytes or messages: one family of kinds is expected; name an allowance for each of them";
            return Err(bad(&place, "kind", raw.kind.0.join(", "), expected));
        }
        alien(&place, raw, gives)?;
        let number = |field: &str, value: Option<i64>, least: u64, most: u64| {
            value.map_or(Ok(least), |value| whole(&place, field, &value.to_string(), least..=most))
        };
        let roll_over = number("roll_over", raw.roll_over, 0, ROLL_OVER_MAX)?;
        Ok(Allowance {
            name: raw.name.as_str().into(),
            gives,
            every: every(&place, raw.every.as_deref())?,
            whose: whose(&place, "scope", raw.scope.as_deref(), &[Whose::Personal, Whose::Shared, Whose::Pooled, Whose::Group])?,
            minimum: number("minimum", raw.minimum, 0, UNITS_MAX)?,
            increment: number("increment", raw.increment, 1, UNITS_MAX)?,
            setup_always: one_of(&place, "setup", raw.setup.as_deref(), ["if_charged", "always"])?,
            priority: rank(&place, "priority", raw.priority)?,
            weight: rank(&place, "weight", raw.weight)?,
            roll_over: u32::try_from(roll_over).expect("at most 24"),
            by_days: one_of(&place, "pro_rata", raw.pro_rata.as_deref(), ["none", "days"])?,
            blocks: one_of(&place, "beyond", raw.beyond.as_deref(), ["price", "block"])?,
            thresholds: thresholds(&place, raw.thresholds.as_deref(), gives)?,
            coverage,
            place,
        })
    }
}

/// Whether the second of two words is given; the first is what holds without.
pub(crate) fn one_of(place: &Place, field: &str, text: Option<&str>, [usual, other]: [&str; 2]) -> Result<bool, TariffError> {
    match text {
        None => Ok(false),
        Some(text) if text == usual => Ok(false),
        Some(text) if text == other => Ok(true),
        Some(text) => Err(bad(place, field, text, format!("`{usual}` or `{other}` is expected"))),
    }
}

/// A number that puts allowances in order.
fn rank(place: &Place, field: &str, value: Option<i64>) -> Result<i64, TariffError> {
    let value = value.unwrap_or(0);
    let refused = || bad(place, field, value, format!("a whole number from -{RANK_MAX} to {RANK_MAX} is expected"));
    if (-RANK_MAX..=RANK_MAX).contains(&value) { Ok(value) } else { Err(refused()) }
}

/// Whose something is: one of these, the first where nothing is said.
pub(crate) fn whose(place: &Place, field: &str, text: Option<&str>, known: &[Whose]) -> Result<Whose, TariffError> {
    let Some(text) = text else { return Ok(known[0]) };
    let refused = || {
        let words: Vec<String> = known.iter().map(|whose| format!("`{}`", whose.as_str())).collect();
        let (last, others) = words.split_last().expect("there are several");
        bad(place, field, text, format!("{} or {last} is expected", others.join(", ")))
    };
    known.iter().copied().find(|whose| whose.as_str() == text).ok_or_else(refused)
}

fn gives(place: &Place, raw: &RawAllowance) -> Result<Gives, TariffError> {
    let RawAllowance { units, money, most, unlimited, fair_use, .. } = raw;
    match (units, money, most, unlimited.unwrap_or(false), fair_use) {
        (Some(units), None, None, false, None) => Ok(Gives::Units(whole(place, "units", &units.to_string(), 1..=UNITS_MAX)?)),
        (None, Some(money), None, false, None) => Ok(Gives::Money(positive(place, "money", money)?)),
        (None, None, Some(most), false, None) => Ok(Gives::Beyond(positive(place, "most", most)?)),
        (None, None, None, true, None) => Ok(Gives::Unlimited),
        (None, None, None, false, Some(formula)) => Ok(Gives::Units(fair_units(place, formula)?)),
        _ => {
            let expected =
                "an allowance gives `units`, or `money`, or `most`, or is `unlimited`, or has `fair_use`: exactly one of them";
            Err(bad(place, "allowance", "incomplete or double", expected))
        }
    }
}

fn positive(place: &Place, field: &str, text: &str) -> Result<u64, TariffError> {
    match amount(place, field, text)? {
        0 => Err(bad(place, field, text, "an amount above 0 is expected")),
        nano => Ok(nano),
    }
}

/// Refuses what makes no sense beside what it gives.
fn alien(place: &Place, raw: &RawAllowance, gives: Gives) -> Result<(), TariffError> {
    let RawAllowance { minimum, increment, setup, roll_over, beyond, thresholds, .. } = raw;
    let of_units = [("minimum", minimum.is_some()), ("increment", increment.is_some()), ("setup", setup.is_some())];
    if let Some((field, _)) = of_units.iter().find(|(_, is_there)| *is_there && gives.is_money()) {
        return Err(bad(place, field, "set", "it is for allowances in units; remove it where `money` or `most` is given"));
    }
    let rolls = roll_over.is_some_and(|cycles| cycles > 0);
    let refused = |field: &str, expected: &str| Err(bad(place, field, "set", expected));
    match gives {
        Gives::Beyond(_) if rolls => refused("roll_over", "a limit holds in each period anew; remove one of the two"),
        Gives::Beyond(_) if beyond.is_some() => refused("beyond", "what is beyond a limit is free; remove one of the two"),
        Gives::Unlimited if rolls => refused("roll_over", "nothing of what has no end is left over; remove one of the two"),
        Gives::Unlimited if beyond.is_some() => refused("beyond", "nothing is beyond what has no end; remove one of the two"),
        Gives::Unlimited if thresholds.is_some() => refused("thresholds", "what has no end has no parts; remove one of the two"),
        _ => Ok(()),
    }
}

fn thresholds(place: &Place, named: Option<&[i64]>, gives: Gives) -> Result<Vec<u8>, TariffError> {
    let Some(named) = named else {
        return Ok(if gives == Gives::Unlimited { Vec::new() } else { THRESHOLDS.to_vec() });
    };
    let refused = || bad(place, "thresholds", format!("{named:?}"), "whole percents from 1 to 100 are expected, in rising order");
    let percents: Vec<u8> = named.iter().filter_map(|percent| u8::try_from(*percent).ok()).collect();
    let is_rising = percents.is_sorted_by(|a, b| a < b) && percents.iter().all(|percent| (1..=100).contains(percent));
    if percents.len() == named.len() && is_rising { Ok(percents) } else { Err(refused()) }
}

/// How often something is.
pub(crate) fn every(place: &Place, text: Option<&str>) -> Result<Every, TariffError> {
    let Some(text) = text else { return Ok(Every::Cycle) };
    let refused = || bad(place, "every", text, "`cycle`, `day`, `week` or `quarter` is expected");
    Every::ALL.into_iter().find(|every| every.as_str() == text).ok_or_else(refused)
}

/// Units by the formula for fair use.
fn fair_units(place: &Place, raw: &RawFairUse) -> Result<u64, TariffError> {
    let positive = |field: &str, text: &str| positive(place, field, text).map(u128::from);
    let (price, cap) = (positive("fair_use.price", &raw.price)?, positive("fair_use.cap", &raw.cap)?);
    let per = u128::from(whole(place, "fair_use.per", &raw.per.to_string(), 1..=UNITS_MAX)?);
    const { assert!(FAIR_USE_TIMES * (AMOUNT_NANO_MAX as u128) < u128::MAX / (UNITS_MAX as u128), "the product fits") };
    let units = (FAIR_USE_TIMES * price * per).div_ceil(cap);
    u64::try_from(units)
        .ok()
        .filter(|units| *units <= UNITS_MAX)
        .ok_or_else(|| bad(place, "fair_use", units, format!("the formula may give {UNITS_MAX} units at most")))
}
