//! The table `cycle_lines`: what invoices print, written once for each cycle that is closed and never again.

use std::sync::Arc;

use super::types::{Instant, Int, Label, Long, Maybe, Sum, Text};
use crate::money::{Currency, Money};
use crate::period::Month;

/// Partition column of `cycle_lines`: the cycle that was closed.
pub const PARTITION: [&str; 1] = ["closed_cycle"];

/// What a line is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineKind {
    /// Usage of the cycle.
    Usage,
    /// A fee of each cycle or quarter.
    Recurring,
    /// A fee that is charged once.
    OneTime,
    /// What is missing from a minimum commitment.
    Commitment,
    /// What came late for a cycle that was closed before; it is billed with this one.
    Late,
    /// The same, to correct what was billed then.
    Correction,
    /// What rounding an invoice adds.
    Rounding,
}

impl LineKind {
    /// All of them, in the order of an invoice.
    pub const ALL: [Self; 7] =
        [Self::Usage, Self::Recurring, Self::OneTime, Self::Commitment, Self::Late, Self::Correction, Self::Rounding];

    /// The name in the table.
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

    /// Reads the name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Sums of usage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quantity {
    /// Records, those that went subtracted.
    pub count: i64,
    /// Seconds.
    pub seconds: i64,
    /// Bytes, both ways.
    pub bytes: i64,
    /// Message parts.
    pub messages: i64,
    /// Units billed.
    pub billed_units: i64,
}

impl Quantity {
    /// Both together; none beyond 64 bits.
    pub fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            count: self.count.checked_add(other.count)?,
            seconds: self.seconds.checked_add(other.seconds)?,
            bytes: self.bytes.checked_add(other.bytes)?,
            messages: self.messages.checked_add(other.messages)?,
            billed_units: self.billed_units.checked_add(other.billed_units)?,
        })
    }

    /// What this one has more; none beyond 64 bits.
    pub fn minus(self, other: Self) -> Option<Self> {
        Some(Self {
            count: self.count.checked_sub(other.count)?,
            seconds: self.seconds.checked_sub(other.seconds)?,
            bytes: self.bytes.checked_sub(other.bytes)?,
            messages: self.messages.checked_sub(other.messages)?,
            billed_units: self.billed_units.checked_sub(other.billed_units)?,
        })
    }
}

/// A line of a customer; what it means stands with the columns of [`LineRows`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is of.
    pub kind: LineKind,
    /// The cycle that it is of.
    pub period: Month,
    /// The subscription.
    pub subscription: Option<Arc<str>>,
    /// The plan.
    pub plan: Option<Arc<str>>,
    /// The fee or the commitment.
    pub item: Option<Arc<str>>,
    /// Kind and direction of usage.
    pub usage_kind: Option<Arc<str>>,
    /// The zone.
    pub zone: Option<Arc<str>>,
    /// The time band.
    pub band: Option<Arc<str>>,
    /// The currency.
    pub currency: Currency,
    /// The tax class.
    pub tax_class: Option<Arc<str>>,
    /// `included` or `excluded`.
    pub tax: Arc<str>,
    /// Usage.
    pub quantity: Quantity,
    /// Before rounding.
    pub exact: Money,
    /// Billed.
    pub amount: Money,
    /// Promised.
    pub committed: Option<Money>,
    /// Days that count, of the days of the period.
    pub days: Option<(u32, u32)>,
    /// Name and hash of the tariff.
    pub tariff: Option<Arc<str>>,
    /// How the sum came about.
    pub says: Option<String>,
}

crate::columns! {
    /// Rows of `cycle_lines` to write, without the partition column `closed_cycle`.
    LineRows / LinesView {
        /// The closing that posted it, from 1, in the order of the closings.
        closing: Long,
        /// When that was, UTC.
        posted_at: Instant,
        /// Whose data it is.
        tenant: Label,
        /// The customer.
        customer: Label,
        /// Its place among the lines that the closing posted for the customer, from 1.
        line: Int,
        /// `usage`, `recurring`, `one_time`, `commitment`, `late` (usage of a cycle that was closed before, billed now), `correction` (the
        /// same, to correct what was billed then) or `rounding`.
        line_kind: Label,
        /// The customer's cycle that it is of; of usage the one that contains its start.
        billing_period: Label,
        /// The subscription; null where it is the customer's.
        subscription: Maybe<Label>,
        /// The plan.
        plan: Maybe<Label>,
        /// The fee or the commitment.
        item: Maybe<Label>,
        /// Kind and direction of usage.
        kind: Maybe<Label>,
        /// The zone that was charged.
        zone: Maybe<Label>,
        /// The time band.
        band: Maybe<Label>,
        /// The tax class, if the tariff names one.
        tax_class: Maybe<Label>,
        /// Whether the amounts hold the tax: `included` or `excluded`.
        tax: Maybe<Label>,
        /// The currency.
        currency: Label,
        /// How many records, those that went subtracted.
        count: Long,
        /// Seconds.
        seconds: Long,
        /// Bytes, both ways.
        bytes: Long,
        /// Message parts.
        messages: Long,
        /// Units billed.
        billed_units: Long,
        /// What was promised, of a commitment.
        committed: Maybe<Sum>,
        /// Days of a period that count.
        days: Maybe<Int>,
        /// Days of the period.
        days_of: Maybe<Int>,
        /// The sum before rounding: of usage that of its records.
        exact: Sum,
        /// What is billed.
        amount: Sum,
        /// `amount` less `exact`.
        difference: Sum,
        /// The tariff version that decides fee, commitment and rounding: name and content hash.
        tariff: Maybe<Label>,
        /// How the sum came about, where it is not of records.
        says: Maybe<Text>,
    }
}
