//! Lines of usage: of the cycle that is closed, and what came for earlier ones since they were closed.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use domain::money::Money;
use domain::period::Month;

use super::book::Customer;
use super::invoice::Draft;
use super::{AMOUNT_NANO_MAX, Case, Line, LineError, LineKind, Quantity, UsageKey};
use crate::tariff::{LineRounding, Tariff};

/// Sums of one key and cycle, in nano-units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum {
    quantity: Quantity,
    pub exact: i128,
}

/// What was posted of a key and cycle.
#[derive(Debug, Clone, Copy, Default)]
struct Posted {
    sum: Sum,
    amount: i128,
}

/// A customer's usage by cycle and key, as it is known now.
pub(super) struct Usages(BTreeMap<Month, BTreeMap<UsageKey, Sum>>);

impl Sum {
    fn plus(self, other: Self) -> Option<Self> {
        let exact = self.exact.checked_add(other.exact).filter(|nano| nano.abs() <= AMOUNT_NANO_MAX)?;
        Some(Self { quantity: self.quantity.plus(other.quantity)?, exact })
    }

    fn minus(self, other: Self) -> Option<Self> {
        let exact = self.exact.checked_sub(other.exact).filter(|nano| nano.abs() <= AMOUNT_NANO_MAX)?;
        Some(Self { quantity: self.quantity.minus(other.quantity)?, exact })
    }
}

impl Usages {
    /// Adds up what has one key.
    pub fn of(case: &Case<'_>) -> Result<Self, LineError> {
        let mut usages: BTreeMap<Month, BTreeMap<UsageKey, Sum>> = BTreeMap::new();
        for usage in case.usage {
            let sum = usages.entry(usage.period).or_default().entry(usage.key.clone()).or_default();
            let more = Sum { quantity: usage.quantity, exact: usage.charge.0 };
            *sum = sum.plus(more).ok_or_else(|| case.beyond(&name(&usage.key)))?;
        }
        Ok(Self(usages))
    }

    /// What there is in some cycles.
    pub fn during(&self, cycles: &RangeInclusive<Month>) -> impl Iterator<Item = (Month, &UsageKey, i128)> {
        let months = self.0.range(cycles.clone());
        months.flat_map(|(month, sums)| sums.iter().map(|(key, sum)| (*month, key, sum.exact)))
    }

    /// The lines of the cycle, and of what is late.
    pub fn lines(&self, case: &Case<'_>, customer: &Customer<'_>) -> Result<Vec<Draft>, LineError> {
        let mut drafts = Vec::new();
        for (key, sum) in self.0.get(&case.cycle).into_iter().flatten().filter(|(_, sum)| **sum != Sum::default()) {
            let seller = customer.last_seller(&key.plan, case.cycle);
            let amount = rounding(seller).line.divide(sum.exact, 1);
            drafts.push(draft(case, (LineKind::Usage, case.cycle), key, (*sum, amount), seller)?);
        }
        let posted = posted(case)?;
        let nothing = BTreeMap::new();
        for cycle in case.earlier() {
            let (now, before) = (self.0.get(&cycle).unwrap_or(&nothing), posted.get(&cycle));
            let gone = before.into_iter().flat_map(BTreeMap::keys).filter(|key| !now.contains_key(*key));
            for key in now.keys().chain(gone) {
                let now = now.get(key).copied().unwrap_or_default();
                let before = before.and_then(|before| before.get(key)).copied().unwrap_or_default();
                if now != before.sum {
                    drafts.push(late(case, cycle, key, (now, before), customer.last_seller(&key.plan, cycle))?);
                }
            }
        }
        Ok(drafts)
    }
}

/// What is to be added to the lines that were posted, so that they come to the rounded sum of all.
fn late(
    case: &Case<'_>,
    cycle: Month,
    key: &UsageKey,
    (now, before): (Sum, Posted),
    seller: Option<&Tariff>,
) -> Result<Draft, LineError> {
    let more = now.minus(before.sum).ok_or_else(|| case.beyond(&name(key)))?;
    let amount = rounding(seller).line.divide(now.exact, 1) - before.amount;
    let mut draft = draft(case, (case.late_kind(), cycle), key, (more, amount), seller)?;
    draft.line.says = Some(format!("{} now, {} before", Money(now.exact), Money(before.sum.exact)));
    Ok(draft)
}

fn rounding(seller: Option<&Tariff>) -> LineRounding {
    seller.map_or(LineRounding::USUAL, |tariff| tariff.line_rounding)
}

fn draft(
    case: &Case<'_>,
    (kind, period): (LineKind, Month),
    key: &UsageKey,
    (sum, amount): (Sum, i128),
    seller: Option<&Tariff>,
) -> Result<Draft, LineError> {
    let some = |text: &Arc<str>| Some(Arc::clone(text));
    let line = Line {
        kind,
        period,
        subscription: some(&key.subscription),
        plan: some(&key.plan),
        item: None,
        usage_kind: some(&key.kind),
        zone: some(&key.zone),
        band: some(&key.band),
        currency: key.currency,
        tax_class: key.tax_class.clone(),
        tax: Arc::clone(&key.tax),
        quantity: sum.quantity,
        exact: case.amount(sum.exact, &name(key))?,
        amount: case.amount(amount, &name(key))?,
        committed: None,
        days: None,
        tariff: seller.map(|tariff| Arc::clone(tariff.id())),
        says: None,
    };
    Ok(Draft { line, invoice: rounding(seller).invoice })
}

/// What earlier closings posted of usage.
fn posted(case: &Case<'_>) -> Result<BTreeMap<Month, BTreeMap<UsageKey, Posted>>, LineError> {
    let mut all: BTreeMap<Month, BTreeMap<UsageKey, Posted>> = BTreeMap::new();
    let of_usage = |line: &&Line| matches!(line.kind, LineKind::Usage | LineKind::Late | LineKind::Correction);
    for line in case.posted.iter().filter(of_usage) {
        // Lines of a commitment that were late have no usage.
        let Some(key) = key(line) else { continue };
        let beyond = || case.beyond(&name(&key));
        let posted = all.entry(line.period).or_default().entry(key.clone()).or_default();
        posted.sum = posted.sum.plus(Sum { quantity: line.quantity, exact: line.exact.0 }).ok_or_else(beyond)?;
        let amount = posted.amount.checked_add(line.amount.0).filter(|nano| nano.abs() <= AMOUNT_NANO_MAX);
        posted.amount = amount.ok_or_else(beyond)?;
    }
    Ok(all)
}

fn key(line: &Line) -> Option<UsageKey> {
    Some(UsageKey {
        subscription: line.subscription.clone()?,
        plan: line.plan.clone()?,
        kind: line.usage_kind.clone()?,
        zone: line.zone.clone()?,
        band: line.band.clone()?,
        currency: line.currency,
        tax_class: line.tax_class.clone(),
        tax: Arc::clone(&line.tax),
    })
}

/// As messages name it.
fn name(key: &UsageKey) -> String {
    format!("{} {} {} {}", key.subscription, key.kind, key.zone, key.band)
}
