//! The records of one customer, one after the other: each draws from what is left, and leaves the rest to those behind it.

use std::cmp::Reverse;
use std::collections::HashMap;

use domain::outcome::Reason;

use super::Demand;
use super::grant::{Grant, Grants, Sort, Wanted};
use crate::price::allowance::{Covered, Settled, Taken, assumed};
use crate::price::decide;
use crate::tariff::allowance::{Allowance, Gives, Whose};
use crate::tariff::set::BoundTariffs;

/// How a record drew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// In the order in which it drew.
    pub draws: Vec<Draw>,
    /// Units that no allowance took, as they were rounded.
    pub rest: u64,
}

/// What a record took out of one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// The allowance.
    pub allowance: String,
    /// The cycle that gave it, as a month's number.
    pub cycle: i32,
    /// What the cycle gave: units, or nano-units of money; `None`: without end.
    pub given: Option<u64>,
    /// What was left before.
    pub before: Option<u64>,
    /// What the record took.
    pub taken: u64,
    /// Whether these are nano-units of money.
    pub is_money: bool,
}

/// What is left of a grant.
#[derive(Debug)]
struct Bucket {
    grant: Grant,
    left: u64,
}

impl Bucket {
    fn new(grant: Grant) -> Self {
        let left = match grant.gives {
            Gives::Units(all) | Gives::Money(all) => all,
            Gives::Unlimited => u64::MAX,
        };
        Self { grant, left }
    }

    /// Takes as much of this as there is.
    fn take(&mut self, wanted: u64) -> u64 {
        let taken = wanted.min(self.left);
        if self.grant.gives != Gives::Unlimited {
            self.left -= taken;
        }
        taken
    }
}

/// Whose bucket, of what, given when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key<'t> {
    /// `None`: the customer's.
    subscription: Option<u32>,
    is_pooled: bool,
    /// The allowance, whichever tariff gives it.
    name: &'t str,
    sort: Sort,
    cycle: i32,
}

/// A bucket that a record may draw from.
struct Candidate<'t> {
    turn: Turn,
    /// Number of the allowance in the record's tariff.
    number: u16,
    allowance: &'t Allowance,
    key: Key<'t>,
}

/// When a bucket comes: what is left of earlier cycles first, then by priority, weight, expiry, the cycle that gave it, and the order of
/// the file.
type Turn = (bool, i64, Reverse<i64>, i32, i32, u16);

/// The balances of one customer.
pub(super) struct Fold<'t> {
    tariffs: &'t BoundTariffs,
    grants: &'t Grants<'t>,
    customer: u32,
    /// What was asked for so far; `None`: the cycle gives nothing of it.
    buckets: HashMap<Key<'t>, Option<Bucket>>,
}

impl<'t> Fold<'t> {
    pub fn new(tariffs: &'t BoundTariffs, grants: &'t Grants<'t>, customer: u32) -> Self {
        Self { tariffs, grants, customer, buckets: HashMap::new() }
    }

    /// Lets a record draw; what it comes to, if that is something else than what rating it alone says.
    pub fn draw(&mut self, demand: &Demand, trace: Option<&mut Trace>) -> Option<Settled> {
        let tariff = &self.tariffs.set().tariffs()[usize::from(demand.tariff)];
        let verdict = decide(tariff, demand.plan, &demand.facts, demand.class_row);
        let record = Covered::of(tariff, demand.plan, &demand.facts, &verdict)?;
        let candidates = self.candidates(&record, demand);
        let settled = self.settle(&record, &candidates, trace);
        (settled != assumed(&record)).then_some(settled)
    }

    /// The buckets that a record may draw from, in the order in which it does.
    fn candidates(&mut self, record: &Covered<'t, '_>, demand: &Demand) -> Vec<Candidate<'t>> {
        let mut found: Vec<Candidate<'t>> = Vec::new();
        for (number, allowance) in record.asks() {
            let name = &*allowance.name;
            let reach = i32::try_from(self.grants.reach(name)).unwrap_or(0);
            for cycle in demand.period - reach..=demand.period {
                let subscription = Some(demand.subscription).filter(|_| allowance.whose == Whose::Personal);
                let sort = Sort::of(allowance, record.tariff.currency());
                let key = Key { subscription, is_pooled: allowance.whose == Whose::Pooled, name, sort, cycle };
                let (grants, customer) = (self.grants, self.customer);
                let given = || {
                    let wanted = Wanted { name, sort, whose: allowance.whose, cycle };
                    grants.grant(customer, demand.subscription, wanted).map(Bucket::new)
                };
                let Some(bucket) = self.buckets.entry(key).or_insert_with(given) else { continue };
                let expires = cycle + i32::try_from(bucket.grant.roll_over).unwrap_or(0);
                if expires < demand.period {
                    continue;
                }
                let Allowance { priority, weight, .. } = allowance;
                let turn = (cycle == demand.period, *priority, Reverse(*weight), expires, cycle, number);
                found.push(Candidate { turn, number, allowance, key });
            }
        }
        found.sort_by_key(|candidate| candidate.turn);
        found
    }

    /// Draws, and gives back what was taken if what is left cannot be charged.
    fn settle(&mut self, record: &Covered<'t, '_>, candidates: &[Candidate<'t>], trace: Option<&mut Trace>) -> Settled {
        let mut draws: Vec<(usize, u64)> = Vec::new();
        let taken = self.take_units(record, candidates, &mut draws);
        let charged = self.charge(record, candidates, taken, &mut draws);
        if charged.is_err() {
            for (at, taken) in draws.drain(..) {
                if let Some(bucket) = self.bucket(&candidates[at].key).filter(|b| b.grant.gives != Gives::Unlimited) {
                    bucket.left += taken;
                }
            }
        }
        if let Some(trace) = trace {
            *trace = self.trace(candidates, &draws, if draws.is_empty() { record.units } else { taken.rest });
        }
        charged.unwrap_or_else(|_| record.undrawn())
    }

    fn take_units(&mut self, record: &Covered<'t, '_>, candidates: &[Candidate<'t>], draws: &mut Vec<(usize, u64)>) -> Taken {
        let mut taken = Taken { rest: record.units, ..Taken::default() };
        for (at, Candidate { number, allowance, key, .. }) in candidates.iter().enumerate() {
            if taken.rest == 0 || allowance.is_money() {
                continue;
            }
            let Some(bucket) = self.bucket(key).filter(|bucket| bucket.left > 0) else { continue };
            // What an allowance has rounded up is whole, also for what is left of its other cycles.
            let is_rounded = draws.iter().any(|(before, _)| candidates[*before].number == *number);
            let minimum = if draws.is_empty() { allowance.minimum } else { 0 };
            let wanted = if is_rounded { taken.rest } else { allowance.rounded(taken.rest, minimum) };
            let units = bucket.take(wanted);
            if draws.is_empty() {
                taken.setup_always = allowance.setup_always;
            }
            draws.push((at, units));
            taken.units = taken.units.saturating_add(units);
            taken.rest = wanted - units;
        }
        taken
    }

    fn charge(
        &mut self,
        record: &Covered<'t, '_>,
        candidates: &[Candidate<'t>],
        taken: Taken,
        draws: &mut Vec<(usize, u64)>,
    ) -> Result<Settled, Reason> {
        let units = i64::try_from(taken.units).map_err(|_| Reason::ChargeLimit)?;
        let mut charged = record.charged(taken)?;
        let mut nano = 0;
        for (at, candidate) in candidates.iter().enumerate().filter(|(_, candidate)| candidate.allowance.is_money()) {
            let wanted = u64::try_from(charged.charge_nano).unwrap_or(0);
            let Some(bucket) = self.bucket(&candidate.key).filter(|bucket| bucket.left > 0 && wanted > 0) else { continue };
            let money = bucket.take(wanted);
            draws.push((at, money));
            // It is part of a charge, which fits.
            let money = i64::try_from(money).map_err(|_| Reason::ChargeLimit)?;
            nano += money;
            charged.charge_nano -= money;
        }
        let mut drawn: Vec<u16> = Vec::with_capacity(draws.len());
        for (at, _) in draws.iter() {
            let number = candidates[*at].number;
            if !drawn.contains(&number) {
                drawn.push(number);
            }
        }
        Ok(Settled { drawn, units, nano, charged })
    }

    fn bucket(&mut self, key: &Key<'t>) -> Option<&mut Bucket> {
        self.buckets.get_mut(key).and_then(Option::as_mut)
    }

    fn trace(&self, candidates: &[Candidate<'t>], draws: &[(usize, u64)], rest: u64) -> Trace {
        let draw = |(at, taken): &(usize, u64)| {
            let Candidate { allowance, key, .. } = &candidates[*at];
            let bucket = self.buckets.get(key)?.as_ref()?;
            let (given, before) = match bucket.grant.gives {
                Gives::Unlimited => (None, None),
                Gives::Units(all) | Gives::Money(all) => (Some(all), Some(bucket.left + taken)),
            };
            let (name, is_money) = (allowance.name.to_string(), allowance.is_money());
            Some(Draw { allowance: name, cycle: key.cycle, given, before, taken: *taken, is_money })
        };
        Trace { draws: draws.iter().filter_map(draw).collect(), rest }
    }
}
