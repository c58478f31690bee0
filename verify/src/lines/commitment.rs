//! The lines of commitments: what is missing to a minimum, and what of that comes or goes when usage comes late.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;

use crate::amount::whole;
use crate::lines::fee::{draft, is_due, part, periods, subjects};
use crate::lines::ledger::Ledger;
use crate::lines::sale::{Charged, Touched, first, touched};
use crate::lines::{Beyond, Draft, Kind, Line, rounded, stored};
use crate::recurring::Recurring;
use crate::tariff::Tariff;
use crate::text::recurring::Due;

/// Recurring fees, posted and of this closing, by subscription: those that a commitment may count.
pub(super) struct Fees<'f>(BTreeMap<Option<&'f str>, Vec<Fee<'f>>>);

struct Fee<'f> {
    cycle: i32,
    plan: &'f str,
    currency: &'f str,
    exact_nano: i128,
}

impl<'f> Fees<'f> {
    pub fn of(posted: &'f [Line], drafts: &'f [Draft]) -> Self {
        let mut fees: BTreeMap<Option<&str>, Vec<Fee<'_>>> = BTreeMap::new();
        let lines = posted.iter().chain(drafts.iter().map(|draft| &draft.line));
        for line in lines.filter(|line| line.kind == Kind::Recurring) {
            let plan = line.plan.as_deref().unwrap_or_default();
            let fee = Fee { cycle: line.cycle, plan, currency: &line.currency, exact_nano: line.exact_nano };
            fees.entry(line.subscription.as_deref()).or_default().push(fee);
        }
        Self(fees)
    }

    /// Those of a subscription, or all of the customer's.
    fn whose(&self, subscription: Option<&str>) -> impl Iterator<Item = &Fee<'f>> {
        self.0.iter().filter(move |(whose, _)| subscription.is_none() || **whose == subscription).flat_map(|(_, fees)| fees)
    }
}

/// What counts for a commitment: its terms, the currency, whose usage, and of which cycles.
struct Cover<'c> {
    terms: &'c Recurring,
    tariff: &'c Tariff,
    subscription: Option<&'c str>,
    cycles: RangeInclusive<i32>,
}

/// The cycles of a period whose last one is given.
fn cycles(due: Due, last: i32) -> RangeInclusive<i32> {
    if due == Due::Quarter { last - 2..=last } else { last..=last }
}

/// The lines of commitments that are due.
pub(super) fn drafts(ledger: &Ledger<'_>, fees: &Fees<'_>) -> Result<Vec<Draft>, Beyond> {
    let mut drafts = Vec::new();
    if ledger.book.commitments.is_empty() {
        return Ok(drafts);
    }
    for (due, days) in periods(ledger, ledger.closing.cycle) {
        for (subscription, sales) in subjects(ledger, &days) {
            for name in &ledger.book.commitments {
                let Some(touched) = touched(&sales, name, &days).filter(|touched| is_due(&touched.first, due, subscription))
                else {
                    continue;
                };
                let Charged { terms, tariff, .. } = touched.first;
                let (committed, by_days) = committed(&touched, days.len());
                let cover = Cover { terms, tariff, subscription, cycles: cycles(due, ledger.closing.cycle) };
                let missing = missing(&committed, counted(ledger, fees, &cover));
                let mut draft = draft(ledger, Kind::Commitment, (name, subscription), &touched.first, (&missing, by_days))?;
                draft.line.committed_nano = Some(stored(&committed)?);
                drafts.push(draft);
            }
        }
    }
    Ok(drafts)
}

/// The minimum of a period, and of how many of its days it is, if it is by days.
fn committed(touched: &Touched<'_>, of: usize) -> (BigRational, Option<(usize, usize)>) {
    let terms = touched.first.terms;
    if !terms.is_by_days {
        return (terms.amount.clone(), None);
    }
    let by_days = touched.versions.iter().map(|(charged, days)| &charged.terms.amount * part(*days, of));
    (by_days.sum(), Some((touched.days(), of)))
}

/// What is missing to a minimum, if anything.
fn missing(committed: &BigRational, counted_nano: i128) -> BigRational {
    (committed - whole(BigInt::from(counted_nano))).max(BigRational::zero())
}

/// Charges, and fees if they count, of all that a commitment is for.
fn counted(ledger: &Ledger<'_>, fees: &Fees<'_>, cover: &Cover<'_>) -> i128 {
    let Cover { terms, tariff, subscription, cycles } = cover;
    let used =
        ledger.usage(*subscription).into_iter().filter(|used| cycles.contains(&used.cycle) && used.currency == tariff.currency);
    let used = used.filter(|used| {
        let plan = ledger.sold_as(&used.plan, used.cycle);
        tariff.sells(plan) && terms.usage.rank(plan, &used.kind, &used.zone, None, &used.band).is_some()
    });
    let used: i128 = used.map(|used| used.sums.exact_nano).sum();
    if terms.counts_fees != Some(true) {
        return used;
    }
    let fees = fees.whose(*subscription).filter(|fee| cycles.contains(&fee.cycle) && fee.currency == tariff.currency);
    let named = fees.filter(|fee| {
        let plan = ledger.sold_as(fee.plan, fee.cycle);
        tariff.sells(plan) && terms.usage.names_plan(plan)
    });
    used + named.map(|fee| fee.exact_nano).sum::<i128>()
}

/// What was posted of a commitment of a cycle.
struct Posted<'l> {
    line: &'l Line,
    exact_nano: i128,
    amount_nano: i128,
}

/// The lines of commitments of cycles closed before for which something else counts by now.
pub(super) fn late(ledger: &Ledger<'_>, fees: &Fees<'_>) -> Result<Vec<Draft>, Beyond> {
    let mut posted: BTreeMap<(i32, Option<&str>, &str), Posted<'_>> = BTreeMap::new();
    let is_closed = |line: &&Line| line.kind == Kind::Commitment && ledger.was_closed(line.cycle);
    for line in ledger.closing.posted.iter().filter(is_closed) {
        let of = Posted { line, exact_nano: line.exact_nano, amount_nano: line.amount_nano };
        posted.extend(whose(line).map(|whose| (whose, of)));
    }
    for line in ledger.closing.posted.iter().filter(|line| matches!(line.kind, Kind::Late | Kind::Correction)) {
        let Some(of) = whose(line).and_then(|whose| posted.get_mut(&whose)) else { continue };
        of.exact_nano += line.exact_nano;
        of.amount_nano += line.amount_nano;
    }
    let mut drafts = Vec::new();
    for posted in posted.values() {
        drafts.extend(moved(ledger, fees, posted)?);
    }
    Ok(drafts)
}

/// The cycle, subscription and name that a commitment's lines share.
fn whose(line: &Line) -> Option<(i32, Option<&str>, &str)> {
    Some((line.cycle, line.subscription.as_deref(), line.item.as_deref()?))
}

/// What is missing now to a minimum that was posted, beyond what was posted. Nothing is, if what counts has not changed: then what is
/// missing has not, either.
fn moved(ledger: &Ledger<'_>, fees: &Fees<'_>, posted: &Posted<'_>) -> Result<Option<Draft>, Beyond> {
    let line = posted.line;
    let (Some((due, tariff, terms)), Some(committed)) = (terms(ledger, line), line.committed_nano) else { return Ok(None) };
    let cycles = cycles(due, line.cycle);
    let cover = Cover { terms, tariff, subscription: line.subscription.as_deref(), cycles };
    let missing = missing(&whole(BigInt::from(committed)), counted(ledger, fees, &cover));
    let exact_nano = stored(&missing)? - posted.exact_nano;
    if exact_nano == 0 {
        return Ok(None);
    }
    let amount_nano = rounded(&missing, tariff.line)? - posted.amount_nano;
    let tariff_version = Some(tariff.version.clone());
    let moved = Line {
        kind: ledger.late(),
        exact_nano,
        amount_nano,
        committed_nano: None,
        days: None,
        tariff: tariff_version,
        ..line.clone()
    };
    Ok(Some(Draft { line: moved, invoice: tariff.invoice }))
}

/// The terms of a posted commitment: those of the version that it names; if that is gone, of the version now in force.
fn terms<'l>(ledger: &Ledger<'l>, line: &Line) -> Option<(Due, &'l Tariff, &'l Recurring)> {
    let name = line.item.as_deref()?;
    let mut tariffs = ledger.book.reference.tariffs.iter().map(AsRef::as_ref);
    let named: Option<&Tariff> = tariffs.find(|tariff: &&Tariff| line.tariff.as_ref() == Some(&tariff.version));
    let own = named.and_then(|tariff| Some((tariff, tariff.recurring.get(name)?)));
    if let Some((tariff, terms)) = own {
        return Some((terms.due, tariff, terms));
    }
    periods(ledger, line.cycle).into_iter().find_map(|(due, days)| {
        let subjects = subjects(ledger, &days);
        let (subscription, sales) = subjects.into_iter().find(|(whose, _)| *whose == line.subscription.as_deref())?;
        let Charged { tariff, terms, .. } = first(&sales, name).filter(|first| is_due(first, due, subscription))?;
        Some((due, tariff, terms))
    })
}
