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

use domain::money::{Currency, Money};
use domain::period::Month;
use domain::ports::Disposition;

pub use self::book::LineBook;
use self::invoice::Draft;
use self::usage::Usages;

/// Largest amount of a line and of a sum of usage, in nano-units: 18 digits before the point, as amounts are read. Days of a quarter (92) of
/// the largest unit of a rounding (10⁹) fit 128 bits beside it.
const AMOUNT_NANO_MAX: i128 = 1_000_000_000_000_000_000 * domain::money::NANO;

/// Sums of usage; they can be added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quantity {
    /// Records.
    pub count: i64,
    /// Seconds of calls.
    pub seconds: i64,
    /// Bytes, up and down.
    pub bytes: i64,
    /// Messages.
    pub messages: i64,
    /// Units after minimum and increments.
    pub billed_units: i64,
}

impl Quantity {
    /// Both together; none beyond 64 bits.
    fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            count: self.count.checked_add(other.count)?,
            seconds: self.seconds.checked_add(other.seconds)?,
            bytes: self.bytes.checked_add(other.bytes)?,
            messages: self.messages.checked_add(other.messages)?,
            billed_units: self.billed_units.checked_add(other.billed_units)?,
        })
    }

    /// What this one has more; none beyond 64 bits.
    fn minus(self, other: Self) -> Option<Self> {
        Some(Self {
            count: self.count.checked_sub(other.count)?,
            seconds: self.seconds.checked_sub(other.seconds)?,
            bytes: self.bytes.checked_sub(other.bytes)?,
            messages: self.messages.checked_sub(other.messages)?,
            billed_units: self.billed_units.checked_sub(other.billed_units)?,
        })
    }
}

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

/// What a line is for, in the order in which lines are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineKind {
    /// Usage of the cycle that is closed.
    Usage,
    /// A fee of a cycle or a quarter.
    Recurring,
    /// A fee that is charged once.
    OneTime,
    /// What is missing to a minimum.
    Commitment,
    /// What came for an earlier cycle since, on the invoice of this one.
    Late,
    /// The same, on a corrected invoice of that cycle.
    Correction,
    /// What rounding the invoice adds.
    Rounding,
}

impl LineKind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Usage, Self::Recurring, Self::OneTime, Self::Commitment, Self::Late, Self::Correction, Self::Rounding];

    /// Its name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Recurring => "recurring",
            Self::OneTime => "one_time",
            Self::Commitment => "commitment",
            Self::Late => "late",
            Self::Correction => "correction",
            Self::Rounding => "rounding",
        }
    }

    /// Reads a name back.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A line; also what earlier closings posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is for.
    pub kind: LineKind,
    /// The cycle that it is of; of late usage that of the usage.
    pub period: Month,
    /// The subscription; none of what is the customer's.
    pub subscription: Option<Arc<str>>,
    /// The plan.
    pub plan: Option<Arc<str>>,
    /// The fee or commitment.
    pub item: Option<Arc<str>>,
    /// The kind of usage, such as `voice-mo`.
    pub usage_kind: Option<Arc<str>>,
    /// The zone.
    pub zone: Option<Arc<str>>,
    /// The band.
    pub band: Option<Arc<str>>,
    /// The currency.
    pub currency: Currency,
    /// The tax class, if there is one.
    pub tax_class: Option<Arc<str>>,
    /// `included` or `excluded`.
    pub tax: Arc<str>,
    /// How much usage.
    pub quantity: Quantity,
    /// What it comes to; of a fraction the ninth place is rounded.
    pub exact: Money,
    /// What is asked for it; the difference is this less `exact`.
    pub amount: Money,
    /// What was committed.
    pub committed: Option<Money>,
    /// Days on which it is asked, of the days of the period.
    pub days: Option<(u32, u32)>,
    /// The tariff version, `name@hash`; none where none sells the plan.
    pub tariff: Option<Arc<str>>,
    /// How it comes about: `12.50 x 17 of 31 days`.
    pub says: Option<String>,
}

/// Where late usage goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LateRule {
    /// On the next invoice.
    Next,
    /// On a corrected invoice of its own cycle.
    Correct,
}

impl LateRule {
    /// The kind of such a line.
    fn kind(self) -> LineKind {
        match self {
            Self::Next => LineKind::Late,
            Self::Correct => LineKind::Correction,
        }
    }
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
    pub late: LateRule,
}

impl Case<'_> {
    /// The cycles closed before whose usage may have changed since.
    fn earlier(&self) -> impl Iterator<Item = Month> {
        self.closed.iter().copied().filter(|month| *month != self.cycle)
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
