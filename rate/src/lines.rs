//! Lines of a cycle: what an invoice prints of a customer when a cycle is closed.
//!
//! They are made of the sums of usage, the plans that the customer's lines have had, the tariffs, and what earlier closings posted; and of
//! nothing else, so that whoever asks again is told the same. Each line has what it comes to exactly, and its amount, rounded once.

mod book;
mod subject;
mod usage;
mod fees;
mod commitments;
mod invoice;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use domain::closed::LateUsage;
pub use domain::columns::lines::{Line, LineKind, Quantity};
use domain::money::{Currency, Money};
use domain::period::Month;
use domain::ports::Disposition;

pub use self::book::LineBook;
use self::invoice::Draft;
use self::usage::Usages;

/// Largest amount of a line and of a sum of usage, in nano-units: 18 digits before the point, as amounts are read. Days of a quarter (92) of
/// the largest unit of a rounding (10⁹) fit 128 bits beside it.
const AMOUNT_NANO_MAX: i128 = 1_000_000_000_000_000_000 * domain::money::NANO;

/// What a line of usage is of; names as the table of totals has them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsageKey {
    /// The subscription.
    pub subscription: Arc<str>,
    /// Its plan.
    pub plan: Arc<str>,
    /// The kind of usage, such as `voice-mo`.
    pub kind: Arc<str>,
    /// The zone.
    pub zone: Arc<str>,
    /// The band.
    pub band: Arc<str>,
    /// The currency of the charges.
    pub currency: Currency,
    /// Their tax class, if there is one.
    pub tax_class: Option<Arc<str>>,
    /// `included` or `excluded`.
    pub tax: Arc<str>,
}

/// Usage of a cycle, as it is known now. What has one key and period is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// What it is of.
    pub key: UsageKey,
    /// Its cycle.
    pub period: Month,
    /// How much.
    pub quantity: Quantity,
    /// The sum of the charges.
    pub charge: Money,
}

/// One customer whose cycle is closed.
#[derive(Debug)]
pub struct Case<'c> {
    /// The customer, as the reference version names it; of one that it does not know only usage becomes lines.
    pub customer: &'c str,
    /// The cycle that is closed.
    pub cycle: Month,
    /// The cycles that were closed before.
    pub closed: &'c BTreeSet<Month>,
    /// Of this cycle, of closed ones, and of those of open quarters.
    pub usage: &'c [Usage],
    /// By earlier closings.
    pub posted: &'c [Line],
    /// Where late usage goes.
    pub late: LateUsage,
}

impl Case<'_> {
    /// The cycles closed before whose usage may have changed since.
    fn earlier(&self) -> impl Iterator<Item = Month> {
        self.closed.iter().copied().filter(|month| *month != self.cycle)
    }

    /// The kind of lines of late usage.
    fn late_kind(&self) -> LineKind {
        match self.late {
            LateUsage::Next => LineKind::Late,
            LateUsage::Correct => LineKind::Correction,
        }
    }

    fn beyond(&self, item: &str) -> LineError {
        LineError::Beyond { customer: self.customer.to_owned(), item: item.to_owned() }
    }

    /// An amount that the table holds.
    fn amount(&self, nano: i128, item: &str) -> Result<Money, LineError> {
        if nano.abs() <= AMOUNT_NANO_MAX { Ok(Money(nano)) } else { Err(self.beyond(item)) }
    }
}

/// Why a customer has no lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// An amount or a quantity that no table holds.
    #[error(
        "customer `{customer}`: what `{item}` comes to is beyond what the table holds; look for a record with a wrong quantity or charge"
    )]
    Beyond {
        /// Whose.
        customer: String,
        /// The fee, commitment or usage.
        item: String,
    },
}

impl LineError {
    /// What to do about it: asking again changes nothing.
    pub fn disposition(&self) -> Disposition {
        Disposition::Stop
    }
}

/// The lines of a customer's cycle, in the order in which they are printed.
pub fn lines(case: &Case<'_>, book: &LineBook<'_>) -> Result<Vec<Line>, LineError> {
    let customer = book.customer(case.customer);
    let usages = Usages::of(case)?;
    let mut drafts: Vec<Draft> = usages.lines(case, &customer)?;
    let held = book.held(&customer, case.cycle);
    fees::lines(case, &held, &mut drafts)?;
    commitments::lines(case, &held, &usages, &customer, &mut drafts)?;
    drafts.sort_by(|a, b| order(&a.line).cmp(&order(&b.line)));
    drafts.extend(invoice::roundings(case, &drafts)?);
    Ok(drafts.into_iter().map(|draft| draft.line).collect())
}

/// Usage by what it is of, what has a name by that; what is late by its cycle before all.
fn order(line: &Line) -> impl Ord + '_ {
    let is_late = matches!(line.kind, LineKind::Late | LineKind::Correction);
    let late = is_late.then_some(line.period);
    let item = line.item.as_deref();
    let has_item_first = matches!(line.kind, LineKind::Recurring | LineKind::OneTime | LineKind::Commitment);
    let first = (line.kind, late, item.filter(|_| has_item_first), line.subscription.as_deref());
    let tariff = line.tariff.as_deref().filter(|_| has_item_first);
    let usage = (line.plan.as_deref(), line.usage_kind.as_deref(), line.zone.as_deref(), line.band.as_deref());
    (first, tariff, usage, item, (line.currency, line.tax_class.as_deref(), &*line.tax))
}

#[cfg(test)]
mod tests;
