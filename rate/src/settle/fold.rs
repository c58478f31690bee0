//! The records of one customer, one after the other: each draws from what is left, and leaves the rest to those behind it.

use std::cmp::Reverse;
use std::collections::HashMap;

use domain::outcome::Reason;

use super::Demand;
use super::calendar::{Calendar, Period};
use super::grant::{Grant, Grants, Sort, Wanted};
use super::reached::Reached;
use super::running::Running;
use super::trace::{Draw, Trace};
use crate::price::allowance::{Before, Covered, Outcome, Settled, Taken, assumed};
use crate::price::charge::Charged;
use crate::price::decide;
use crate::tariff::allowance::{Allowance, Gives, Whose};
use crate::tariff::set::BoundTariffs;

/// Of periods that ended longer before the customer's newest record it is not told how far they were used.
const TOLD_US: i64 = 31 * 86_400 * 1_000_000;

/// What is left of a grant.
#[derive(Debug)]
struct Bucket {
    grant: Grant,
    left: u64,
    /// What records of its own period have used.
    used: u64,
    /// When the period begins that gave it.
    begins_us: i64,
    /// When it can be drawn from no more.
    expires_us: i64,
}

impl Bucket {
    fn new(grant: Grant, (begins_us, expires_us): (i64, i64)) -> Self {
        Self { grant, left: grant.size().unwrap_or(u64::MAX), used: 0, begins_us, expires_us }
    }

    /// Takes as much of this as there is.
    fn take(&mut self, wanted: u64) -> u64 {
        let taken = wanted.min(self.left);
        if self.grant.gives != Gives::Unlimited {
            self.left -= taken;
        }
        taken
    }

    fn give_back(&mut self, taken: u64) {
        if self.grant.gives != Gives::Unlimited {
            self.left += taken;
        }
    }
}

/// Whose something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    Line(u32),
    Customer,
    /// The customer's, as the sum of what lines bring.
    Pool,
    /// Of a group of the customer's lines.
    Group(u32),
}

impl Subject {
    pub fn of(whose: Whose, demand: &Demand) -> Self {
        match whose {
            Whose::Personal => Self::Line(demand.subscription),
            Whose::Shared => Self::Customer,
            Whose::Pooled => Self::Pool,
            Whose::Group => Self::Group(demand.group),
        }
    }
}

/// Whose bucket, of what, given when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key<'t> {
    subject: Subject,
    /// The allowance, whichever tariff gives it.
    name: &'t str,
    sort: Sort,
    period: Period,
}

/// A bucket that a record may draw from.
struct Candidate<'t> {
    turn: Turn,
    /// Number of the allowance in the record's tariff.
    number: u16,
    allowance: &'t Allowance,
    key: Key<'t>,
    /// Whether the record lies in the period that gave it.
    is_own: bool,
}

/// When a bucket comes: what is left of earlier periods first, then by priority, weight, expiry, the begin of the period that gave it, and
/// the order of the file.
type Turn = (bool, i64, Reverse<i64>, i64, i64, u16);

/// What a record moves in a bucket.
#[derive(Clone, Copy)]
struct Take {
    /// Which candidate.
    at: usize,
    /// What the bucket has less.
    out: u64,
    /// What the record gets: units, or nano-units that are taken off its charge.
    given: u64,
}

/// The balances of one customer.
pub(super) struct Fold<'t> {
    tariffs: &'t BoundTariffs,
    grants: &'t Grants<'t>,
    customer: u32,
    calendar: Calendar<'t>,
    /// What was asked for so far; `None`: the period gives nothing of it.
    buckets: HashMap<Key<'t>, Option<Bucket>>,
    /// What totals and discounts stand at.
    running: Running<'t>,
    /// Periods that end before are not told of.
    told_from_us: i64,
    /// How far allowances were used.
    pub reached: Vec<Reached>,
}

impl<'t> Fold<'t> {
    /// The balances of a customer whose newest record starts at an instant.
    pub fn new(tariffs: &'t BoundTariffs, grants: &'t Grants<'t>, customer: u32, newest_us: i64) -> Self {
        let (calendar, told_from_us) = (grants.calendar(customer), newest_us.saturating_sub(TOLD_US));
        let (buckets, running) = (HashMap::new(), Running::new(calendar));
        Self { tariffs, grants, customer, calendar, buckets, running, told_from_us, reached: Vec::new() }
    }

    /// Lets a record draw; what it comes to, if that is something else than what rating it alone says.
    pub fn draw(&mut self, demand: &Demand, trace: Option<&mut Trace>) -> Option<Settled> {
        let tariff = &self.tariffs.set().tariffs()[usize::from(demand.tariff)];
        let verdict = decide(tariff, demand.plan, &demand.facts, demand.class_row);
        let record = Covered::of(tariff, demand.plan, &demand.facts, &verdict)?;
        let candidates = self.candidates(&record, demand);
        let settled = self.settle(&record, &candidates, demand, trace);
        (settled != assumed(&record)).then_some(settled)
    }

    /// The buckets that a record may draw from, in the order in which it does.
    fn candidates(&mut self, record: &Covered<'t, '_>, demand: &Demand) -> Vec<Candidate<'t>> {
        let mut found: Vec<Candidate<'t>> = Vec::new();
        for (number, allowance) in record.asks() {
            let name = &*allowance.name;
            let own = self.calendar.period(allowance.every, demand.facts.start_us, demand.period);
            let reach = i32::try_from(self.grants.reach(name)).unwrap_or(0);
            let sort = Sort::of(allowance, record.tariff.currency());
            for period in (-reach..=0).map(|by| own.later(by)) {
                let key = Key { subject: Subject::of(allowance.whose, demand), name, sort, period };
                let (grants, calendar) = (self.grants, self.calendar);
                let given = || {
                    let wanted = Wanted { name, sort, whose: allowance.whose, group: demand.group, period };
                    let grant = grants.grant(self.customer, demand.subscription, wanted)?;
                    let last = i32::try_from(grant.roll_over).unwrap_or(0);
                    Some(Bucket::new(grant, (calendar.begin(period), calendar.begin(period.later(last + 1)))))
                };
                let Some(bucket) = self.buckets.entry(key).or_insert_with(given) else { continue };
                if bucket.expires_us <= demand.facts.start_us {
                    continue;
                }
                let Allowance { priority, weight, .. } = allowance;
                let is_own = period == own;
                let turn = (is_own, *priority, Reverse(*weight), bucket.expires_us, bucket.begins_us, number);
                found.push(Candidate { turn, number, allowance, key, is_own });
            }
        }
        found.sort_by_key(|candidate| candidate.turn);
        found
    }

    /// Draws, and gives back what was taken if what is left cannot be charged, or must not be.
    fn settle(
        &mut self,
        record: &Covered<'t, '_>,
        candidates: &[Candidate<'t>],
        demand: &Demand,
        trace: Option<&mut Trace>,
    ) -> Settled {
        let mut takes: Vec<Take> = Vec::new();
        let taken = self.take_units(record, candidates, &mut takes);
        let is_blocked = |is_money| is_blocked(record, is_money);
        let before = self.running.before(record, demand);
        let settled = if taken.rest > 0 && is_blocked(false) {
            Ok((Covered::blocked(), Outcome::default()))
        } else {
            self.charge(record, candidates, (taken, before), &mut takes).map(|(settled, outcome)| {
                let is_charged = settled.charged.is_ok_and(|charged| charged.charge_nano > 0);
                if is_charged && is_blocked(true) { (Covered::blocked(), Outcome::default()) } else { (settled, outcome) }
            })
        };
        let (settled, outcome) = settled.unwrap_or_else(|_: Reason| {
            self.give_back(candidates, &mut takes);
            let is_charged = record.alone.charge_nano > 0;
            (if is_charged && is_blocked(true) { Covered::blocked() } else { record.undrawn() }, Outcome::default())
        });
        if let Some(trace) = trace {
            let rest = if takes.is_empty() { record.units } else { taken.rest };
            let draws = takes.iter().filter_map(|take| self.told(&candidates[take.at], *take)).collect();
            let (total, discount) = self.running.told(record, demand, before, outcome);
            *trace = Trace { draws, rest, is_blocked: settled.charged.is_err(), total, discount };
        }
        self.running.move_on(record, demand, outcome);
        if settled.charged.is_err() {
            self.give_back(candidates, &mut takes);
        }
        self.note(candidates, &takes, demand);
        settled
    }

    fn give_back(&mut self, candidates: &[Candidate<'t>], takes: &mut Vec<Take>) {
        for take in takes.drain(..) {
            if let Some(bucket) = self.bucket(&candidates[take.at].key) {
                bucket.give_back(take.out);
            }
        }
    }

    fn take_units(&mut self, record: &Covered<'t, '_>, candidates: &[Candidate<'t>], takes: &mut Vec<Take>) -> Taken {
        let mut taken = Taken { rest: record.units, ..Taken::default() };
        for (at, Candidate { number, allowance, key, .. }) in candidates.iter().enumerate() {
            if taken.rest == 0 || allowance.is_money() {
                continue;
            }
            let Some(bucket) = self.bucket(key).filter(|bucket| bucket.left > 0) else { continue };
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
            let Some(bucket) = self.bucket(&candidate.key).filter(|bucket| bucket.left > 0 && left > 0) else { continue };
            let money = bucket.take(left);
            takes.push(Take { at, out: money, given: money });
            left -= money;
        }
        let mut drawn: Vec<u16> = Vec::with_capacity(takes.len());
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
            .filter_map(|(at, candidate)| Some((at, self.bucket(&candidate.key)?.left)))
            .collect();
        let Some((least, left)) = limits.iter().copied().min_by_key(|(_, left)| *left).filter(|_| charge > 0) else { return 0 };
        let passes = charge.min(left);
        for (at, _) in limits {
            if let Some(bucket) = self.bucket(&candidates[at].key) {
                takes.push(Take { at, out: bucket.take(passes), given: if at == least { charge - passes } else { 0 } });
            }
        }
        charge - passes
    }

    fn bucket(&mut self, key: &Key<'t>) -> Option<&mut Bucket> {
        self.buckets.get_mut(key).and_then(Option::as_mut)
    }

    fn told(&self, candidate: &Candidate<'t>, take: Take) -> Option<Draw> {
        let Candidate { allowance, key, .. } = candidate;
        let bucket = self.buckets.get(key)?.as_ref()?;
        let given = bucket.grant.size();
        Some(Draw {
            allowance: allowance.name.to_string(),
            period: key.period,
            given,
            before: given.map(|_| bucket.left + take.out),
            after: given.map(|_| bucket.left),
            taken: take.given,
            is_money: allowance.is_money(),
            is_limit: allowance.is_limit(),
        })
    }

    /// Notes the parts of allowances that are used up by a record, of those that its own periods gave.
    fn note(&mut self, candidates: &[Candidate<'t>], takes: &[Take], demand: &Demand) {
        for take in takes.iter().filter(|take| candidates[take.at].is_own && take.out > 0) {
            let Candidate { number, allowance, key, .. } = &candidates[take.at];
            let is_told = self.calendar.begin(key.period.later(1)) > self.told_from_us;
            let Some(bucket) = self.buckets.get_mut(key).and_then(Option::as_mut) else { continue };
            let Some(given) = bucket.grant.size() else { continue };
            let part = |used: u64| u128::from(used) * 100;
            let before = part(bucket.used);
            bucket.used = bucket.used.saturating_add(take.out);
            let now = part(bucket.used);
            let at = |percent: &&u8| u128::from(given) * u128::from(**percent);
            for percent in allowance.thresholds.iter().filter(|percent| is_told && before < at(percent) && at(percent) <= now) {
                self.reached.push(Reached {
                    customer: self.customer,
                    subject: key.subject,
                    tariff: demand.tariff,
                    allowance: *number,
                    period: key.period,
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
