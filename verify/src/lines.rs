//! The lines of a cycle, derived a second time: usage, fees, commitments, what came late, and what rounding leaves.
//!
//! *Purpose.* What a closing posted is proved by somebody else, from what was used, the customer's windows and the texts of the tariffs.
//! *Input → output.* [`Book::lines`]`(&Closing) -> Vec<Line>`, in the order of an invoice. *Never.* It asks nothing but what it is handed:
//! the same closing has the same lines whenever it is asked.

mod commitment;
mod fee;
mod invoice;
mod ledger;
mod sale;
mod usage;

use std::collections::BTreeSet;

use num_rational::BigRational;
use num_traits::ToPrimitive;

use crate::amount::{Mode, rounded_nano, whole};
use crate::error::VerifyError;
use crate::lines::ledger::Ledger;
use crate::text::Cents;

pub use crate::lines::sale::Book;

/// What is counted of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// How many they are.
    pub records: i128,
    /// Seconds of calls.
    pub seconds: i128,
    /// Bytes of data.
    pub bytes: i128,
    /// Messages.
    pub messages: i128,
    /// Units that were billed.
    pub billed: i128,
    /// Charges as they were rated, in units of 10⁻⁹ of the currency.
    pub exact_nano: i128,
}

impl std::ops::Add for Sums {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            records: self.records + other.records,
            seconds: self.seconds + other.seconds,
            bytes: self.bytes + other.bytes,
            messages: self.messages + other.messages,
            billed: self.billed + other.billed,
            exact_nano: self.exact_nano + other.exact_nano,
        }
    }
}

impl std::ops::Neg for Sums {
    type Output = Self;

    fn neg(self) -> Self {
        Self {
            records: -self.records,
            seconds: -self.seconds,
            bytes: -self.bytes,
            messages: -self.messages,
            billed: -self.billed,
            exact_nano: -self.exact_nano,
        }
    }
}

/// What a customer used in a cycle, as it stands now. Several of one key and cycle add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The month in which the cycle begins, in months since the year 0.
    pub cycle: i32,
    /// The subscription.
    pub subscription: String,
    /// The plan that it had.
    pub plan: String,
    /// Such as `voice-mo`.
    pub kind: String,
    /// The zone.
    pub zone: String,
    /// The band.
    pub band: String,
    /// The currency of the charges.
    pub currency: String,
    /// The tax class, if prices have one.
    pub tax_class: Option<String>,
    /// `excluded` or `included`.
    pub tax: String,
    /// What it comes to.
    pub sums: Sums,
}

/// What a line is for. The order is that of an invoice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Usage of the cycle that is closed.
    Usage,
    /// A fee that comes back.
    Recurring,
    /// A fee of one time.
    OneTime,
    /// What is missing to a minimum.
    Commitment,
    /// What a cycle closed before comes to more or less, on the invoice of this one.
    Late,
    /// The same, on a corrected invoice of that one.
    Correction,
    /// What the rounding of a document adds.
    Rounding,
}

impl Kind {
    /// As tables name it.
    #[must_use]
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
}

/// A line of a cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it is for.
    pub kind: Kind,
    /// The cycle that it is of, in months since the year 0: of what came late the one that was closed before.
    pub cycle: i32,
    /// The subscription; none where it is the whole customer's.
    pub subscription: Option<String>,
    /// The plan.
    pub plan: Option<String>,
    /// The name of the fee or the commitment.
    pub item: Option<String>,
    /// Kind of what was used.
    pub usage_kind: Option<String>,
    /// Its zone.
    pub zone: Option<String>,
    /// Its band.
    pub band: Option<String>,
    /// The currency.
    pub currency: String,
    /// The tax class.
    pub tax_class: Option<String>,
    /// `excluded` or `included`.
    pub tax: String,
    /// What was used; nothing but of usage. Its charges are `exact_nano`, too.
    pub sums: Sums,
    /// Before rounding, in units of 10⁻⁹ of the currency.
    pub exact_nano: i128,
    /// What is charged, in the same units.
    pub amount_nano: i128,
    /// The minimum, of a commitment, in the same units.
    pub committed_nano: Option<i128>,
    /// Days that count, and those of the period, of what is charged by days.
    pub days: Option<(usize, usize)>,
    /// The version of the tariff, `name@hash`.
    pub tariff: Option<String>,
}

impl Line {
    /// What rounding adds, in units of 10⁻⁹ of the currency.
    #[must_use]
    pub fn difference_nano(&self) -> i128 {
        self.amount_nano - self.exact_nano
    }
}

/// What becomes of usage that is known only after its cycle was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Late {
    /// It is on the next invoice.
    #[default]
    Next,
    /// It is on a corrected one.
    Correct,
}

/// The closing of a cycle of a customer.
#[derive(Debug, Clone, Copy)]
pub struct Closing<'a> {
    /// Who.
    pub customer: &'a str,
    /// Which cycle, in months since the year 0.
    pub cycle: i32,
    /// The cycles that were closed before.
    pub closed: &'a BTreeSet<i32>,
    /// The customer's late rule.
    pub late: Late,
    /// All that the customer used, in whichever cycle, as it stands now.
    pub usage: &'a [Usage],
    /// The lines of this customer that earlier closings posted.
    pub posted: &'a [Line],
}

/// A line, and how what it adds up to is rounded.
#[derive(Debug)]
struct Draft {
    line: Line,
    invoice: Cents,
}

/// An amount is beyond what can be counted.
#[derive(Debug)]
struct Beyond;

impl Book<'_> {
    /// The lines of a closing, in the order of an invoice.
    pub fn lines(&self, closing: &Closing<'_>) -> Result<Vec<Line>, VerifyError> {
        let ledger = Ledger::of(self, closing)?;
        drafts(&ledger).map_err(|Beyond| VerifyError::Amount(closing.customer.to_owned()))
    }
}

fn drafts(ledger: &Ledger<'_>) -> Result<Vec<Line>, Beyond> {
    let (mut drafts, mut late) = usage::drafts(ledger)?;
    let mut charged = fee::drafts(ledger)?;
    let fees = commitment::Fees::of(ledger.closing.posted, &charged);
    let commitments = commitment::drafts(ledger, &fees)?;
    late.extend(commitment::late(ledger, &fees)?);
    charged.extend(commitments);
    charged.sort_by(|a, b| charged_order(&a.line).cmp(&charged_order(&b.line)));
    late.sort_by(|a, b| late_order(&a.line).cmp(&late_order(&b.line)));
    drafts.extend(charged);
    drafts.extend(late);
    let rounding = invoice::rounding(&drafts, ledger.closing.cycle)?;
    Ok(drafts.into_iter().map(|draft| draft.line).chain(rounding).collect())
}

/// Where a fee or a commitment stands among others.
fn charged_order(line: &Line) -> (Kind, [&Option<String>; 3]) {
    (line.kind, [&line.item, &line.subscription, &line.tariff])
}

/// Where a line of a cycle closed before stands among others.
fn late_order(line: &Line) -> (i32, [Option<&str>; 9]) {
    let of = [&line.subscription, &line.plan, &line.usage_kind, &line.zone, &line.band, &line.item].map(Option::as_deref);
    let [subscription, plan, kind, zone, band, item] = of;
    let (currency, tax) = (Some(line.currency.as_str()), Some(line.tax.as_str()));
    (line.cycle, [subscription, plan, kind, zone, band, item, currency, line.tax_class.as_deref(), tax])
}

/// Units of 10⁻⁹, rounded as a line or a document is.
fn rounded(nano: &BigRational, cents: Cents) -> Result<i128, Beyond> {
    rounded_nano(&(nano / whole(1_000_000_000)), cents.places, cents.mode).to_i128().ok_or(Beyond)
}

/// Units of 10⁻⁹ as they are stored: whole ones, halves away from zero.
fn stored(nano: &BigRational) -> Result<i128, Beyond> {
    rounded(nano, Cents { places: 9, mode: Mode::HalfUp })
}

#[cfg(test)]
mod tests;
