//! What allowances take of a record, and what the rest of it costs beside what came before it (docs/adr/0022).
//!
//! Rated alone, a record is given all that it asks for by the first allowance that covers it ([`assumed`]); settling says how
//! much is there ([`crate::settle`]). Both come to a charge here.

use std::sync::Arc;

use domain::columns::rated::Drawn;
use domain::outcome::Reason;

use crate::price::charge::{self, Charged, free_units};
use crate::price::edge::Call;
use crate::price::numbers::Numbers;
use crate::price::{Facts, Verdict, charge_of};
use crate::settle::{Draws, Record};
use crate::tariff::Tariff;
use crate::tariff::allowance::{Allowance, Gives, Whose};
use crate::tariff::coverage::Coverage;
use crate::tariff::discount::Discount;
use crate::tariff::plan::BandEdge;
use crate::tariff::price_table::Charge;
use crate::tariff::total::Total;

/// A record with a price that hangs on other records: allowances of its plan cover it, its price is of a total, or it has a discount.
pub(crate) struct Covered<'t, 'f> {
    pub tariff: &'t Tariff,
    pub plan: u32,
    pub zone: u16,
    pub facts: &'f Facts,
    pub charge: &'t Charge,
    /// What it costs without allowances, if no record came before it.
    pub alone: Charged,
    /// The same with its discount; an error if that makes more of it than a row holds.
    first: Result<Charged, Reason>,
    /// The same by its own units alone, without a discount; not asked of a total.
    pub plain: Charged,
    /// What its price is of, if that is not the record.
    pub total: Option<&'t Total>,
    /// What is added to its charge or taken off, by what was charged before.
    pub discount: Option<&'t Discount>,
    /// Units that an allowance in units may take: those that the price does not leave free.
    pub units: u64,
    band: u8,
}

/// What the records before one came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Before {
    /// Units of its total; `None`: there was no record.
    pub total: Option<u64>,
    /// Nano-units that were charged in its discount's period.
    pub spent: i128,
}

/// What a record is charged, before limits and credits, and what that makes of what came before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub charged: Charged,
    /// Where its total stands now, if it moves it.
    pub total: Option<u64>,
    /// What is charged now in its discount's period, if it moves that.
    pub spent: Option<i128>,
}

/// Units that allowances took of a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub units: u64,
    /// What no allowance took, of the units as they were rounded.
    pub rest: u64,
    /// Whether the allowance that took first wants the setup fee all the same.
    pub setup_always: bool,
}

impl<'t, 'f> Covered<'t, 'f> {
    /// A record that is rated and has something that an allowance covers; `None` for any other.
    #[inline]
    pub fn of(tariff: &'t Tariff, plan: u32, facts: &'f Facts, verdict: &Verdict) -> Option<Self> {
        if !tariff.settles.get(plan as usize).copied().unwrap_or(false) {
            return None;
        }
        let (alone, zone, band) = (*verdict.charged.as_ref().ok()?, verdict.zoned.zone?, verdict.band);
        let charge = tariff.prices.find(plan, facts.usage, zone, facts.party, band)?;
        Self::by_plan((tariff, plan), facts, (zone, band, charge), alone)?.first_of_all()
    }

    /// The same where it is known to be one, and perhaps what it costs if no record came before it: in a plan without allowances it was
    /// rated so.
    pub fn known(
        tariff: &'t Tariff,
        plan: u32,
        facts: &'f Facts,
        (zone, band): (u16, u8),
        alone: Option<Charged>,
    ) -> Option<Self> {
        let charge = tariff.prices.find(plan, facts.usage, zone, facts.party, band)?;
        let is_of_total = tariff.prices.rows[charge.row as usize].total.is_some();
        // Nobody asks what a record of a total costs by its own units.
        let plain = if is_of_total { Charged::default() } else { charge_of(tariff, plan, zone, facts, charge).ok()? };
        let record = Self::by_plan((tariff, plan), facts, (zone, band, charge), plain)?;
        match alone {
            Some(alone) => Some(Self { alone, first: Ok(alone), ..record }),
            None => record.first_of_all(),
        }
    }

    #[inline]
    fn by_plan(
        (tariff, plan): (&'t Tariff, u32),
        facts: &'f Facts,
        (zone, band, charge): (u16, u8, &'t Charge),
        alone: Charged,
    ) -> Option<Self> {
        let has_group = |whose: Whose| whose != Whose::Group || facts.has_group;
        let total = tariff.prices.rows[charge.row as usize].total.as_ref();
        let covers = |coverage: &Coverage| coverage.is_of(plan) && coverage.covers(facts.usage, zone, facts.party, band);
        let discount = tariff.discounts.iter().find(|discount| has_group(discount.whose) && covers(&discount.coverage));
        let units = facts.units.unwrap_or(0);
        let units = if charge.has_free_units { units.saturating_sub(free_units(&tariff.prices, charge)) } else { units };
        let record =
            Self { tariff, plan, zone, facts, charge, alone, first: Ok(alone), plain: alone, total, discount, units, band };
        let is_something = |(_, allowance): (u16, &Allowance)| !allowance.is_money() || alone.charge_nano > 0;
        if total.is_none() && discount.is_none() {
            let has_something = record.asks().any(is_something);
            return has_something.then_some(record);
        }
        Some(record)
    }

    /// The same with what it costs if no record came before it in its total and its discount.
    #[inline]
    fn first_of_all(self) -> Option<Self> {
        if self.total.is_none() && self.discount.is_none() {
            return Some(self);
        }
        let alone = |record: &Self| record.charged(Taken::default(), Before::default()).map(|outcome| outcome.charged);
        // A discount takes no price away.
        let first = alone(&self);
        let alone = first.or_else(|_| alone(&Self { discount: None, ..self })).ok()?;
        Some(Self { alone, first, ..self })
    }

    /// Whether others may change what it comes to: it has units that an allowance takes, money that one or a discount changes, or a total.
    pub fn hangs(&self) -> bool {
        let pays = self.plain.charge_nano > 0;
        self.total.is_some()
            || (self.discount.is_some() && pays)
            || self.asks().any(|(_, allowance)| !allowance.is_money() || pays)
    }

    /// The allowances that cover it, by number, in the order in which it asks them where nothing is left from earlier cycles; those in
    /// units only if it has some.
    pub fn asks(&self) -> impl Iterator<Item = (u16, &'t Allowance)> + '_ {
        let all = self.tariff.allowances.of(self.plan).iter().map(|n| (*n, &self.tariff.allowances.list[usize::from(*n)]));
        all.filter(|(_, allowance)| {
            (allowance.is_money() || self.units > 0)
                && (allowance.whose != Whose::Group || self.facts.has_group)
                && allowance.covers(self.facts.usage, self.zone, self.facts.party, self.band)
        })
    }

    /// What it costs when so many units were taken, beside what came before it.
    pub fn charged(&self, taken: Taken, before: Before) -> Result<Outcome, Reason> {
        let mut outcome = Outcome::default();
        outcome.charged = match self.total.filter(|_| taken.units == 0 || taken.rest > 0) {
            Some(total) => {
                let units = if taken.units == 0 { self.facts.units.ok_or(Reason::ChargeLimit)? } else { taken.rest };
                let now = before.total.unwrap_or(0).checked_add(units).ok_or(Reason::ChargeLimit)?;
                let whole = charge::of_total(self.tariff, self.charge, total, now)?;
                let stood = before.total.map(|units| charge::of_total(self.tariff, self.charge, total, units));
                let stood = stood.transpose()?.unwrap_or_default();
                outcome.total = Some(now);
                // The difference of two that fit may not.
                let charge_nano = whole.charge_nano.checked_sub(stood.charge_nano);
                charge::within_limits(Some(whole.billed - stood.billed), charge_nano)?
            }
            None => self.by_itself(taken)?,
        };
        if let Some(discount) = self.discount.filter(|_| outcome.charged.charge_nano > 0) {
            let spent = before.spent.saturating_add(outcome.charged.charge_nano.into());
            let rounding = self.tariff.prices.rounding;
            let off = i64::try_from(discount.of(spent, rounding) - discount.of(before.spent, rounding));
            let charge_nano = off.ok().and_then(|off| outcome.charged.charge_nano.checked_add(off));
            outcome.charged = charge::within_limits(Some(outcome.charged.billed), charge_nano)?;
            outcome.spent = Some(spent);
        }
        Ok(outcome)
    }

    /// What it costs by its own units alone.
    fn by_itself(&self, taken: Taken) -> Result<Charged, Reason> {
        let Taken { units, rest, setup_always } = taken;
        if units == 0 {
            return Ok(self.plain);
        }
        if rest == 0 {
            return charge::covered(self.tariff, self.charge, setup_always, self.facts);
        }
        match self.charge.band_edge {
            BandEdge::Start => charge::beyond(self.tariff, self.charge, rest, self.facts),
            BandEdge::Increment | BandEdge::Anew => self.call().beyond(self.charge, self.begins(units), rest),
        }
    }

    /// The second of the call, of those that are counted, from which on it is charged.
    pub fn begins(&self, taken: u64) -> u64 {
        self.facts.units.unwrap_or(0).saturating_sub(self.units).saturating_add(taken)
    }

    /// What it comes to if it draws nothing: also where what allowances leave of it cannot be charged, because an allowance takes no
    /// price away.
    pub fn undrawn(&self) -> Settled {
        Settled { drawn: Numbers::default(), units: 0, nano: 0, charged: Ok(self.alone) }
    }

    /// What it comes to if there is nothing to draw and nothing may be charged.
    pub fn blocked() -> Settled {
        Settled { drawn: Numbers::default(), units: 0, nano: 0, charged: Err(Reason::BeyondAllowance) }
    }

    pub fn call(&self) -> Call<'t, 'f> {
        Call { tariff: self.tariff, plan: self.plan, zone: self.zone, facts: self.facts }
    }
}

/// What a record comes to with its allowances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settled {
    /// The allowances that it drew from, by number, in that order.
    pub drawn: Numbers,
    /// Units that they gave.
    pub units: i64,
    /// Money that they gave, in nano-units.
    pub nano: i64,
    /// What is charged then, or why nothing can be.
    pub charged: Result<Charged, Reason>,
}

/// What a record comes to if each allowance gives all that it is asked for.
pub(crate) fn assumed(record: &Covered<'_, '_>) -> Settled {
    all_given(record).unwrap_or_else(|_| record.undrawn())
}

/// Whether a record comes to just that. Most do, and most of these are given whole by one allowance, which is told at a glance.
pub(crate) fn is_assumed(record: &Covered<'_, '_>, settled: &Settled) -> bool {
    let is_whole = |(number, allowance): (u16, &Allowance)| {
        *settled.drawn == [number] && settled.units.unsigned_abs() == allowance.rounded(record.units, allowance.minimum)
    };
    let is_free = settled.nano == 0 && settled.charged == Ok(Charged::default());
    let is_by_itself = record.total.is_none() && record.discount.is_none();
    is_free && is_by_itself && record.asks().find(|(_, allowance)| !allowance.is_money()).is_some_and(is_whole)
        || *settled == assumed(record)
}

fn all_given(record: &Covered<'_, '_>) -> Result<Settled, Reason> {
    let in_units = record.asks().find(|(_, allowance)| !allowance.is_money());
    let taken = in_units.map_or(Taken::default(), |(_, allowance)| Taken {
        units: allowance.rounded(record.units, allowance.minimum),
        rest: 0,
        setup_always: allowance.setup_always,
    });
    let mut charged = if taken == Taken::default() { record.first? } else { record.charged(taken, Before::default())?.charged };
    let units = i64::try_from(taken.units).map_err(|_| Reason::ChargeLimit)?;
    let mut drawn = Numbers::default();
    if let Some((n, _)) = in_units {
        drawn.push(n);
    }
    let mut nano = 0;
    if charged.charge_nano > 0 {
        let most = |allowance: &Allowance| match allowance.gives {
            Gives::Beyond(most) => i64::try_from(most).ok(),
            _ => None,
        };
        let limits = record.asks().filter_map(|(n, allowance)| Some((n, most(allowance)?)));
        if let Some((n, most)) = limits.min_by_key(|(_, most)| *most).filter(|(_, most)| *most < charged.charge_nano) {
            drawn.push(n);
            nano += charged.charge_nano - most;
            charged.charge_nano = most;
        }
        if let Some((n, _)) = record.asks().find(|(_, allowance)| matches!(allowance.gives, Gives::Money(_))) {
            drawn.push(n);
            nano += std::mem::take(&mut charged.charge_nano);
        }
    }
    Ok(Settled { drawn, units, nano, charged: Ok(charged) })
}

/// What the rows of a batch draw.
pub(crate) struct Drawing<'d> {
    draws: &'d Draws,
    /// Names of allowances, several joined by `+`.
    names: Vec<Arc<str>>,
}

impl<'d> Drawing<'d> {
    pub fn new(draws: &'d Draws) -> Self {
        Self { draws, names: Vec::new() }
    }

    /// Lets row `i` draw: as it is known, or all that it asks for; what it costs then.
    pub fn draw(
        &mut self,
        (i, id): (usize, Record),
        record: &Covered<'_, '_>,
        drawn: &mut Vec<Drawn>,
    ) -> Result<Charged, Reason> {
        let Settled { drawn: from, units, nano, charged } = self.draws.of(id).cloned().unwrap_or_else(|| assumed(record));
        let allowance = if from.is_empty() { u16::MAX } else { self.code(record.tariff, &from) };
        drawn.resize(i, Drawn::NOTHING);
        drawn.push(Drawn { allowance, units, nano, is_covered: true });
        charged
    }

    fn code(&mut self, tariff: &Tariff, from: &[u16]) -> u16 {
        let name = |number: &u16| &*tariff.allowances.list[usize::from(*number)].name;
        let is = |known: &Arc<str>| match from {
            [only] => **known == *name(only),
            several => known.split('+').eq(several.iter().map(name)),
        };
        let code = self.names.iter().position(is).unwrap_or_else(|| {
            self.names.push(from.iter().map(name).collect::<Vec<_>>().join("+").into());
            self.names.len() - 1
        });
        u16::try_from(code).unwrap_or(u16::MAX)
    }

    /// The names behind the codes; the column has a value for each row, or none at all.
    pub fn finish(self, drawn: &mut Vec<Drawn>, rows: usize) -> Vec<Arc<str>> {
        if !drawn.is_empty() {
            drawn.resize(rows, Drawn::NOTHING);
        }
        self.names
    }
}
