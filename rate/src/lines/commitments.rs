//! Lines of minimum commitments: what usage and fees leave of what was committed, and what late usage changes of that.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use domain::money::Money;
use domain::period::Month;
use domain::usage::Usage;

use super::book::Customer;
use super::fees::{STORED, of_charge};
use super::invoice::Draft;
use super::subject::{Charge, Helds, Part, Stay};
use super::usage::Usages;
use super::{AMOUNT_NANO_MAX, Case, Line, LineError, LineKind, Quantity, UsageKey};
use crate::settle::calendar::CYCLES_OF_QUARTER;
use crate::tariff::Tariff;
use crate::tariff::commitment::Commitment;
use crate::tariff::recurring::Due;

/// Adds the commitments that are due, and what is late for those that were posted.
pub(super) fn lines(
    case: &Case<'_>,
    held: &Helds<'_>,
    usages: &Usages,
    customer: &Customer<'_>,
    drafts: &mut Vec<Draft>,
) -> Result<(), LineError> {
    let made = drafts.iter().map(|draft| &draft.line).filter(|line| line.kind == LineKind::Recurring);
    let fees: Vec<&Line> = case.posted.iter().filter(|line| line.kind == LineKind::Recurring).chain(made).collect();
    let counting = Counting { case, usages, fees, customer };
    let mut more = Vec::new();
    for stay in held.commitments() {
        more.extend(counting.due(&stay)?);
    }
    for ((name, subscription, cycle), posted) in posted(case)? {
        more.extend(counting.late(held, &posted, (name, subscription, cycle))?);
    }
    drafts.extend(more);
    Ok(())
}

/// What may count.
struct Counting<'c> {
    case: &'c Case<'c>,
    usages: &'c Usages,
    /// Recurring fees, posted and of this closing.
    fees: Vec<&'c Line>,
    customer: &'c Customer<'c>,
}

/// By whose terms what counts.
#[derive(Clone, Copy)]
struct Scope<'s> {
    tariff: &'s Tariff,
    commitment: &'s Commitment,
    subscription: Option<&'s str>,
    cycles: &'s RangeInclusive<Month>,
}

impl Counting<'_> {
    /// The line of what is due.
    fn due(&self, stay: &Stay<'_>) -> Result<Option<Draft>, LineError> {
        let Charge::Commitment(commitment) = stay.first.charge else { return Ok(None) };
        let (terms, tariff) = (&commitment.terms, stay.first.tariff);
        let scope = Scope { tariff, commitment, subscription: stay.subscription, cycles: &stay.cycles };
        let counted = self.counted(scope)?;
        let mut draft = of_charge(self.case.cycle, stay, &stay.first);
        let (numerator, denominator, says) = if terms.by_days {
            let of = stay.days();
            // Amounts of two currencies have no sum: the days of another one ask for nothing here.
            let parts: Vec<Part<'_>> =
                stay.parts().into_iter().filter(|part| part.first.tariff.currency() == tariff.currency()).collect();
            let sum = parts.iter().map(|part| i128::from(part.first.terms().amount) * i128::from(part.days)).sum();
            let shares = parts.iter().map(|part| format!("{} x {}", Money(part.first.terms().amount.into()), part.days));
            draft.line.days = Some((parts.iter().map(|part| part.days).sum(), of));
            (sum, i128::from(of), format!("{} of {of} days", shares.collect::<Vec<_>>().join(" + ")))
        } else {
            (i128::from(terms.amount), 1, Money(terms.amount.into()).to_string())
        };
        let missing = (numerator - counted * denominator).max(0);
        draft.line.kind = LineKind::Commitment;
        draft.line.committed = Some(self.case.amount(STORED.divide(numerator, denominator), &terms.name)?);
        draft.line.exact = self.case.amount(STORED.divide(missing, denominator), &terms.name)?;
        draft.line.amount = self.case.amount(tariff.line_rounding.line.divide(missing, denominator), &terms.name)?;
        draft.line.says = Some(format!("{says} committed, {} counted", Money(counted)));
        Ok(Some(draft))
    }

    /// What has changed since it was posted.
    fn late(
        &self,
        held: &Helds<'_>,
        posted: &Posted<'_>,
        (name, subscription, cycle): (&str, Option<&str>, Month),
    ) -> Result<Option<Draft>, LineError> {
        let named = posted.line.tariff.as_deref().and_then(|id| self.customer.set().version(id));
        let named = named.and_then(|tariff| Some((tariff, tariff.commitments.iter().find(|c| *c.terms.name == *name)?)));
        let now_in_force = || match held.commitment(name, subscription, cycle).map(|stay| stay.first) {
            Some(first) => match first.charge {
                Charge::Commitment(commitment) => Some((first.tariff, commitment)),
                Charge::Fee(_) => None,
            },
            None => None,
        };
        let Some((tariff, commitment)) = named.or_else(now_in_force) else { return Ok(None) };
        let cycles = cycles_of(commitment, cycle);
        let counted = self.counted(Scope { tariff, commitment, subscription, cycles: &cycles })?;
        let missing = (posted.committed - counted).max(0);
        let rounding = tariff.line_rounding;
        let (exact, amount) = (missing - posted.exact, rounding.line.divide(missing, 1) - posted.amount);
        // What counts has not changed, or not so that anything else is asked.
        if exact == 0 {
            return Ok(None);
        }
        let committed = Money(posted.committed);
        let line = Line {
            kind: self.case.late_kind(),
            quantity: Quantity::default(),
            exact: self.case.amount(exact, name)?,
            amount: self.case.amount(amount, name)?,
            committed: None,
            days: None,
            tariff: Some(tariff.id().clone()),
            says: Some(format!("{committed} committed, {} counted now, {} asked before", Money(counted), Money(posted.exact))),
            ..posted.line.clone()
        };
        Ok(Some(Draft { line, invoice: rounding.invoice }))
    }

    /// What counts, in nano-units.
    fn counted(&self, scope: Scope<'_>) -> Result<i128, LineError> {
        let Scope { tariff, commitment, subscription, cycles } = scope;
        let is_his = |of: Option<&str>| subscription.is_none() || of == subscription;
        let usage = self.usages.during(cycles).filter(|(cycle, key, _)| {
            is_his(Some(&key.subscription)) && key.currency == tariff.currency() && self.covers(scope, key, *cycle)
        });
        let fees = self.fees.iter().filter(|line| {
            commitment.counts_fees
                && cycles.contains(&line.period)
                && is_his(line.subscription.as_deref())
                && line.currency == tariff.currency()
                && line.plan.as_deref().is_some_and(|plan| self.is_of(scope, plan, line.period))
        });
        let mut all = usage.map(|(_, _, nano)| nano).chain(fees.map(|line| line.exact.0));
        let sum = all.try_fold(0i128, |sum, nano| sum.checked_add(nano).filter(|sum| sum.abs() <= AMOUNT_NANO_MAX));
        sum.ok_or_else(|| self.case.beyond(&commitment.terms.name))
    }

    fn covers(&self, scope: Scope<'_>, key: &UsageKey, cycle: Month) -> bool {
        let (tariff, commitment) = (scope.tariff, scope.commitment);
        let coverage = &commitment.coverage;
        let is_among = |all: bool, code: Option<u32>, named: &[bool]| {
            all || code.is_some_and(|code| named.get(code as usize).copied().unwrap_or(false))
        };
        Usage::parse(&key.kind).is_some_and(|usage| coverage.kinds[usage.code()])
            && is_among(commitment.any_zone, tariff.zones.code(&key.zone), &coverage.zones)
            && is_among(commitment.any_band, tariff.bands.names.code(&key.band), &coverage.bands)
            && self.is_of(scope, &key.plan, cycle)
    }

    fn is_of(&self, scope: Scope<'_>, plan: &str, cycle: Month) -> bool {
        let number = self.customer.plan_of(scope.tariff, plan, cycle);
        number.is_some_and(|number| scope.commitment.coverage.is_of(number))
    }
}

/// The cycles of the period that ends with one.
fn cycles_of(commitment: &Commitment, last: Month) -> RangeInclusive<Month> {
    match commitment.terms.due {
        Due::Quarter => Month::from_number(last.number() - CYCLES_OF_QUARTER + 1)..=last,
        Due::Cycle | Due::Once => last..=last,
    }
}

/// What earlier closings posted of a commitment.
struct Posted<'p> {
    /// The line of the period itself.
    line: &'p Line,
    committed: i128,
    exact: i128,
    amount: i128,
}

/// By name, subscription and cycle.
type PostedBy<'p> = BTreeMap<(&'p str, Option<&'p str>, Month), Posted<'p>>;

fn posted<'p>(case: &'p Case<'_>) -> Result<PostedBy<'p>, LineError> {
    let key = |line: &'p Line| Some((line.item.as_deref()?, line.subscription.as_deref(), line.period));
    let mut all = PostedBy::new();
    for line in case.posted.iter().filter(|line| line.kind == LineKind::Commitment) {
        if let (Some(key), Some(committed)) = (key(line), line.committed)
            && line.period != case.cycle
        {
            all.insert(key, Posted { line, committed: committed.0, exact: line.exact.0, amount: line.amount.0 });
        }
    }
    for line in case.posted.iter().filter(|line| matches!(line.kind, LineKind::Late | LineKind::Correction)) {
        let Some(posted) = key(line).and_then(|key| all.get_mut(&key)) else { continue };
        let sums = posted.exact.checked_add(line.exact.0).zip(posted.amount.checked_add(line.amount.0));
        let (exact, amount) = sums.ok_or_else(|| case.beyond(line.item.as_deref().unwrap_or_default()))?;
        (posted.exact, posted.amount) = (exact, amount);
    }
    Ok(all)
}
