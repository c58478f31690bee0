//! The lines of fees: of the cycle that is closed, of the quarter that ends with it, and of what begins in it.

use std::rc::Rc;

use jiff::Timestamp;
use num_rational::BigRational;

use crate::lines::ledger::Ledger;
use crate::lines::sale::{Charged, Sale, Touched, first, touched};
use crate::lines::{Beyond, Draft, Kind, Line, Sums, rounded, stored};
use crate::period::{Day, Period};
use crate::text::recurring::{Due, Subject};
use crate::text::settled::Every;

/// The lines of fees that are due.
pub(super) fn drafts(ledger: &Ledger<'_>) -> Result<Vec<Draft>, Beyond> {
    let mut drafts = Vec::new();
    if ledger.book.fees.is_empty() {
        return Ok(drafts);
    }
    for (due, days) in periods(ledger, ledger.closing.cycle) {
        for (subscription, sales) in subjects(ledger, &days) {
            for name in &ledger.book.fees {
                let Some(touched) = touched(&sales, name, &days).filter(|touched| is_due(&touched.first, due, subscription))
                else {
                    continue;
                };
                drafts.extend(recurring(ledger, (name, subscription), &touched, days.len())?);
            }
        }
    }
    drafts.extend(one_time(ledger)?);
    Ok(drafts)
}

/// The periods that end with a cycle, and their days.
pub(super) fn periods(ledger: &Ledger<'_>, cycle: i32) -> Vec<(Due, Rc<[Day]>)> {
    let is_last = cycle.rem_euclid(3) == 2;
    let quarter = is_last.then(|| (Due::Quarter, ledger.days(Every::Quarter, cycle)));
    std::iter::once((Due::Cycle, ledger.days(Every::Cycle, cycle))).chain(quarter).collect()
}

/// Who may be charged for a period, and what was sold to them in it.
pub(super) fn subjects<'l>(ledger: &Ledger<'l>, days: &[Day]) -> Vec<(Option<&'l str>, Vec<Sale<'l>>)> {
    let Some((first, last)) = days.first().zip(days.last()) else { return Vec::new() };
    ledger.book.subjects(ledger.closing.customer, first.from_us, last.to_us)
}

/// Whether what is in force at the first instant is of such periods, and of such a subject.
pub(super) fn is_due(first: &Charged<'_>, due: Due, subscription: Option<&str>) -> bool {
    let subject = if subscription.is_some() { Subject::Personal } else { Subject::Shared };
    first.terms.due == due && first.terms.subject == subject
}

/// One line for the whole amount, or one for the days of each version.
fn recurring(ledger: &Ledger<'_>, who: (&str, Option<&str>), touched: &Touched<'_>, of: usize) -> Result<Vec<Draft>, Beyond> {
    let first = &touched.first;
    if !first.terms.is_by_days {
        return Ok(vec![draft(ledger, Kind::Recurring, who, first, (&first.terms.amount, None))?]);
    }
    let by_days = touched.versions.iter().map(|(charged, days)| {
        let exact = &charged.terms.amount * part(*days, of);
        draft(ledger, Kind::Recurring, who, charged, (&exact, Some((*days, of))))
    });
    by_days.collect()
}

/// Days of a period, as a part of it.
pub(super) fn part(days: usize, of: usize) -> BigRational {
    BigRational::new(days.into(), of.max(1).into())
}

/// What is charged once, to those whose first day of all lies in the closed cycle.
fn one_time(ledger: &Ledger<'_>) -> Result<Vec<Draft>, Beyond> {
    let mut drafts = Vec::new();
    let closed = Period::with_cycle(Every::Cycle, ledger.closing.cycle);
    for (subscription, sales) in ledger.book.subjects(ledger.closing.customer, i64::MIN, i64::MAX) {
        for name in &ledger.book.fees {
            let Some(first) = first(&sales, name).filter(|first| is_due(first, Due::Once, subscription)) else { continue };
            let begins = Timestamp::from_microsecond(first.at_us).ok();
            // Its first day may have moved since it was charged.
            let is_charge = |line: &&Line| line.kind == Kind::OneTime && line.item.as_deref() == Some(*name);
            let mut charged = ledger.closing.posted.iter().filter(is_charge);
            let was_charged = charged.any(|line| line.subscription.as_deref() == subscription);
            if !was_charged && begins.is_some_and(|at| Period::of(Every::Cycle, ledger.customer, at) == closed) {
                drafts.push(draft(ledger, Kind::OneTime, (name, subscription), &first, (&first.terms.amount, None))?);
            }
        }
    }
    Ok(drafts)
}

/// A line of an amount, which is of some days if that is said.
pub(super) fn draft(
    ledger: &Ledger<'_>,
    kind: Kind,
    (name, subscription): (&str, Option<&str>),
    charged: &Charged<'_>,
    (exact, days): (&BigRational, Option<(usize, usize)>),
) -> Result<Draft, Beyond> {
    let tariff = charged.tariff;
    let line = Line {
        kind,
        cycle: ledger.closing.cycle,
        subscription: subscription.map(str::to_owned),
        plan: Some(charged.plan.to_owned()),
        item: Some(name.to_owned()),
        usage_kind: None,
        zone: None,
        band: None,
        currency: tariff.currency.clone(),
        tax_class: charged.terms.tax_class.clone(),
        tax: tariff.tax.as_str().to_owned(),
        sums: Sums::default(),
        exact_nano: stored(exact)?,
        amount_nano: rounded(exact, tariff.line)?,
        committed_nano: None,
        days,
        tariff: Some(tariff.version.clone()),
    };
    Ok(Draft { line, invoice: tariff.invoice })
}
