//! The records of one customer, one after the other: each draws from what is left, and leaves the rest to those behind it.

use std::cmp::Reverse;

use domain::money::Currency;
use domain::outcome::Reason;

use super::Demand;
use super::bucket::{Bucket, Buckets, Subject};
use super::calendar::Calendar;
use super::grant::Grants;
use super::reached::Reached;
use super::running::Running;
use super::trace::{Draw, Trace};
use crate::price::allowance::{Before, Covered, Outcome, Settled, Taken, is_assumed};
use crate::price::charge::Charged;
use crate::price::numbers::Numbers;
use crate::tariff::allowance::{Allowance, Gives};
use crate::tariff::set::BoundTariffs;

/// Of periods that ended longer before the customer's newest record it is not told how far they were used.
const TOLD_US: i64 = 31 * 86_400 * 1_000_000;

/// A bucket that a record may draw from.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'t> {
    pub turn: Turn,
    /// Number of the tariff, which is nearly always the record's, ...
    tariff: u16,
    /// ... and of the allowance in it.
    number: u16,
    pub allowance: &'t Allowance,
    /// Which of the fold's buckets.
    pub bucket: usize,
}

impl Candidate<'_> {
    /// Whether the record lies in the period that gave it.
    fn is_own(&self) -> bool {
        self.turn.0
    }
}

/// When a bucket comes: what is left of earlier periods first, then by priority, weight, expiry, the begin of the period that gave it, and
/// the order of the file.
pub(super) type Turn = (bool, i64, Reverse<i64>, i64, i64, u16);

/// What a record moves in a bucket.
#[derive(Clone, Copy)]
pub(super) struct Take {
    /// Which candidate.
    pub at: usize,
    /// What the bucket has less.
    pub out: u64,
    /// What the record gets: units, or nano-units that are taken off its charge.
    pub given: u64,
}

/// The balances of one customer.
pub(super) struct Fold<'t> {
    pub tariffs: &'t BoundTariffs,
    customer: u32,
    calendar: Calendar<'t>,
    pub buckets: Buckets<'t>,
    /// What totals and discounts stand at.
    pub running: Running<'t>,
    /// Periods that end before are not told of.
    told_from_us: i64,
    /// How far allowances were used.
    pub reached: Vec<Reached>,
    /// What the record before left of these lists is their room.
    candidates: Vec<Candidate<'t>>,
    takes: Vec<Take>,
}

impl<'t> Fold<'t> {
    /// The balances of a customer whose newest record starts at an instant.
    pub fn new(tariffs: &'t BoundTariffs, grants: &'t Grants<'t>, customer: u32, newest_us: i64) -> Self {
        let (calendar, told_from_us) = (grants.calendar(customer), newest_us.saturating_sub(TOLD_US));
        Self {
            tariffs,
            customer,
            calendar,
            buckets: Buckets::new(grants, customer),
            running: Running::new(calendar),
            told_from_us,
            reached: Vec::new(),
            candidates: Vec::new(),
            takes: Vec::new(),
        }
    }

    /// Lets a record draw; what it comes to, if that is something else than what rating it alone says. Of one that stays as it stands that
    /// is what it would come to, beside what the others stand as.
    pub fn draw(&mut self, demand: &Demand, trace: Option<&mut Trace>) -> Option<Settled> {
        if let Some(standing) = demand.stands.as_deref().filter(|standing| !standing.is_as_it_comes) {
            self.with_takes(|fold, takes| fold.stay(None, &[], (demand, standing), takes));
            return None;
        }
        let tariff = &self.tariffs.set().tariffs()[usize::from(demand.tariff)];
        let record = Covered::known(tariff, demand.plan, &demand.facts, (demand.zone, demand.band), demand.alone)?;
        if let Some(standing) = demand.stands.as_deref().filter(|_| !record.hangs()) {
            self.with_takes(|fold, takes| fold.stay(None, &[], (demand, standing), takes));
            return None;
        }
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.clear();
        for (number, allowance) in record.asks() {
            self.offer((demand.tariff, number, allowance), tariff.currency(), demand, &mut candidates);
        }
        candidates.sort_by_key(|candidate| candidate.turn);
        let settled = self.with_takes(|fold, takes| fold.settle(&record, &candidates, demand, (trace, takes)));
        self.candidates = candidates;
        (!is_assumed(&record, &settled)).then_some(settled)
    }

    /// Runs with the room for what is taken.
    fn with_takes<T>(&mut self, run: impl FnOnce(&mut Self, &mut Vec<Take>) -> T) -> T {
        let mut takes = std::mem::take(&mut self.takes);
        takes.clear();
        let came = run(self, &mut takes);
        self.takes = takes;
        came
    }

    /// Adds the buckets of an allowance of a tariff that a record may draw from.
    pub fn offer(
        &mut self,
        (tariff, number, allowance): (u16, u16, &'t Allowance),
        currency: Currency,
        demand: &Demand,
        found: &mut Vec<Candidate<'t>>,
    ) {
        let Allowance { priority, weight, .. } = allowance;
        let (own, list) = self.buckets.of((tariff, number, allowance), currency, demand);
        for bucket in list.map(|at| self.buckets.listed(at)) {
            let Bucket { grant, period, begins_us, expires_us, .. } = self.buckets.all[bucket];
            if own.is_within(grant.roll_over, period) {
                let turn = (period == own, *priority, Reverse(*weight), expires_us, begins_us, number);
                found.push(Candidate { turn, tariff, number, allowance, bucket });
            }
        }
    }

    /// Draws, and gives back what was taken if what is left cannot be charged, or must not be; or if the record stays as it stands, and
    /// that is something else.
    fn settle(
        &mut self,
        record: &Covered<'t, '_>,
        candidates: &[Candidate<'t>],
        demand: &Demand,
        (trace, takes): (Option<&mut Trace>, &mut Vec<Take>),
    ) -> Settled {
        let taken = self.take_units(record, candidates, takes);
        let is_blocked = |is_money| is_blocked(record, is_money);
        let place = self.running.place(record, demand);
        let before = self.running.before(place);
        let settled = if taken.rest > 0 && is_blocked(false) {
            Ok((Covered::blocked(), Outcome::default()))
        } else {
            self.charge(record, candidates, (taken, before), takes).map(|(settled, outcome)| {
                let is_charged = settled.charged.is_ok_and(|charged| charged.charge_nano > 0);
                if is_charged && is_blocked(true) { (Covered::blocked(), Outcome::default()) } else { (settled, outcome) }
            })
        };
        let (settled, outcome) = settled.unwrap_or_else(|_: Reason| {
            self.give_back(candidates, takes);
            let is_charged = record.alone.charge_nano > 0;
            (if is_charged && is_blocked(true) { Covered::blocked() } else { record.undrawn() }, Outcome::default())
        });
        if let Some(trace) = trace {
            let rest = if takes.is_empty() { record.units } else { taken.rest };
            let draws = takes.iter().map(|take| self.told(&candidates[take.at], *take)).collect();
            let (total, discount) = self.running.told(record, demand, before, outcome);
            *trace = Trace { draws, rest, is_blocked: settled.charged.is_err(), total, discount };
        }
        if let Some(standing) = demand.stands.as_deref().filter(|standing| !standing.is(&settled, record, self.tariffs)) {
            self.give_back(candidates, takes);
            self.stay(Some(record), candidates, (demand, standing), takes);
            return settled;
        }
        self.running.move_on(place, outcome);
        if settled.charged.is_err() {
            self.give_back(candidates, takes);
        }
        self.note(candidates, takes, demand);
        settled
    }

    fn give_back(&mut self, candidates: &[Candidate<'t>], takes: &mut Vec<Take>) {
        for take in takes.drain(..) {
            self.buckets.all[candidates[take.at].bucket].give_back(take.out);
        }
    }

    fn take_units(&mut self, record: &Covered<'t, '_>, candidates: &[Candidate<'t>], takes: &mut Vec<Take>) -> Taken {
        let mut taken = Taken { rest: record.units, ..Taken::default() };
        for (at, Candidate { number, allowance, bucket, .. }) in candidates.iter().enumerate() {
            let bucket = &mut self.buckets.all[*bucket];
            if taken.rest == 0 || allowance.is_money() || bucket.left == 0 {
                continue;
            }
            // What an allowance has rounded up is whole, also for what is left of its other periods.
            let is_rounded = takes.iter().any(|take| candidates[take.at].number == *number);
            let minimum = if takes.is_empty() { allowance.minimum } else { 0 };
            let wanted = if is_rounded { taken.rest } else { allowance.rounded(taken.rest, minimum) };
            let units = bucket.take(wanted);
            if takes.is_empty() {
                taken.setup_always = allowance.setup_always;
            }
            takes.push(Take { at, out: units, given: units });
            taken.units = taken.units.saturating_add(units);
            taken.rest = wanted - units;
        }
        taken
    }

    fn charge(
        &mut self,
        record: &Covered<'t, '_>,
        candidates: &[Candidate<'t>],
        (taken, before): (Taken, Before),
        takes: &mut Vec<Take>,
    ) -> Result<(Settled, Outcome), Reason> {
        let units = i64::try_from(taken.units).map_err(|_| Reason::ChargeLimit)?;
        let outcome = record.charged(taken, before)?;
        let Charged { billed, charge_nano } = outcome.charged;
        let in_units = takes.len();
        let mut left = u64::try_from(charge_nano).unwrap_or(0);
        left -= self.limit(candidates, left, takes);
        for (at, candidate) in in_money(candidates, |gives| matches!(gives, Gives::Money(_))) {
            let money = self.buckets.all[candidate.bucket].take(left);
            if money == 0 {
                continue;
            }
            takes.push(Take { at, out: money, given: money });
            left -= money;
        }
        let mut drawn = Numbers::default();
        for take in takes.iter().filter(|take| take.given > 0) {
            let number = candidates[take.at].number;
            if !drawn.contains(&number) {
                drawn.push(number);
            }
        }
        // It is part of a charge, which fits.
        let nano = takes[in_units..].iter().map(|take| take.given).sum::<u64>();
        let nano = i64::try_from(nano).map_err(|_| Reason::ChargeLimit)?;
        let settled = Settled { drawn, units, nano, charged: Ok(Charged { billed, charge_nano: charge_nano - nano }) };
        Ok((settled, outcome))
    }

    /// What limits take off a charge; all of them count what passes.
    fn limit(&mut self, candidates: &[Candidate<'t>], charge: u64, takes: &mut Vec<Take>) -> u64 {
        let limits: Vec<(usize, u64)> = in_money(candidates, |gives| matches!(gives, Gives::Beyond(_)))
            .map(|(at, candidate)| (at, self.buckets.all[candidate.bucket].left))
            .collect();
        let Some((least, left)) = limits.iter().copied().min_by_key(|(_, left)| *left).filter(|_| charge > 0) else { return 0 };
        let passes = charge.min(left);
        for (at, _) in limits {
            let out = self.buckets.all[candidates[at].bucket].take(passes);
            takes.push(Take { at, out, given: if at == least { charge - passes } else { 0 } });
        }
        charge - passes
    }

    fn told(&self, candidate: &Candidate<'t>, take: Take) -> Draw {
        let allowance = candidate.allowance;
        let bucket = &self.buckets.all[candidate.bucket];
        let given = bucket.grant.size();
        Draw {
            allowance: allowance.name.to_string(),
            period: bucket.period,
            given,
            before: given.map(|_| bucket.left + take.out),
            after: given.map(|_| bucket.left),
            taken: take.given,
            is_money: allowance.is_money(),
            is_limit: allowance.is_limit(),
        }
    }

    /// Notes the parts of allowances that are used up by a record, of those that its own periods gave.
    pub fn note(&mut self, candidates: &[Candidate<'t>], takes: &[Take], demand: &Demand) {
        for take in takes.iter().filter(|take| candidates[take.at].is_own() && take.out > 0) {
            let Candidate { tariff, number, allowance, bucket, .. } = &candidates[take.at];
            let bucket = &mut self.buckets.all[*bucket];
            let Some(given) = bucket.grant.size() else { continue };
            let part = |used: u64| u128::from(used) * 100;
            let before = part(bucket.used);
            bucket.used = bucket.used.saturating_add(take.out);
            let now = part(bucket.used);
            let at = |percent: &&u8| u128::from(given) * u128::from(**percent);
            for percent in allowance.thresholds.iter().filter(|percent| before < at(percent) && at(percent) <= now) {
                if self.calendar.begin(bucket.period.later(1)) <= self.told_from_us {
                    continue;
                }
                self.reached.push(Reached {
                    customer: self.customer,
                    subject: Subject::of(allowance.whose, demand),
                    tariff: *tariff,
                    allowance: *number,
                    period: bucket.period,
                    percent: *percent,
                    used: bucket.used,
                    given,
                    key: demand.key,
                    start_us: demand.facts.start_us,
                });
            }
        }
    }
}

/// The candidates that give money in one of the ways.
fn in_money<'c, 't>(
    candidates: &'c [Candidate<'t>],
    is_meant: impl Fn(Gives) -> bool + 'c,
) -> impl Iterator<Item = (usize, &'c Candidate<'t>)> {
    candidates.iter().enumerate().filter(move |(_, candidate)| is_meant(candidate.allowance.gives))
}

/// Whether an allowance in units or money that covers a record leaves no price beyond it.
fn is_blocked(record: &Covered<'_, '_>, is_money: bool) -> bool {
    record.asks().any(|(_, allowance)| allowance.blocks && allowance.is_money() == is_money)
}
