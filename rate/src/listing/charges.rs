//! Fees and minimum commitments, as they are shown and compared.

use domain::money::{Currency, Money};
use serde::Serialize;

use crate::listing::cover::Cover;
use crate::listing::covering::{Covering, plans};
use crate::listing::names_text;
use crate::tariff::Tariff;
use crate::tariff::commitment::Commitment;
use crate::tariff::recurring::Recurring;

const NAMES_SHOWN: usize = 6;

/// A fee, or a credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GivenFee {
    /// Its name.
    pub name: String,
    /// Plans that charge it; `*` for all, if there are several.
    pub plans: Vec<String>,
    /// What is charged.
    #[serde(flatten)]
    pub asked: Asked,
    /// Where it stands.
    pub place: String,
}

/// A minimum commitment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GivenCommitment {
    /// Its name.
    pub name: String,
    /// What counts.
    #[serde(flatten)]
    pub covering: Covering,
    /// What is committed.
    #[serde(flatten)]
    pub asked: Asked,
    /// Whether recurring fees count, too.
    pub counts_fees: bool,
    /// Where it stands.
    pub place: String,
}

/// How much is asked, of whom and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// The amount with its currency: `12.50 EUR`.
    pub amount: String,
    /// `cycle`, `quarter` or `once`.
    pub every: &'static str,
    /// `personal` or `shared`.
    pub scope: &'static str,
    /// `none` or `days`.
    pub pro_rata: &'static str,
    /// Its tax class.
    pub tax_class: Option<String>,
}

impl GivenFee {
    /// Those of a tariff, in the order of its file.
    pub(crate) fn all(tariff: &Tariff) -> Vec<Self> {
        let fee = |fee: &Recurring| Self {
            name: fee.name.to_string(),
            plans: plans(tariff, &fee.plans),
            asked: Asked::of(fee, tariff.currency()),
            place: fee.place.to_string(),
        };
        tariff.fees.iter().map(fee).collect()
    }

    /// In one line: `12.50 EUR for basis, each cycle, personal, by days`.
    pub fn text(&self) -> String {
        let Asked { amount, .. } = &self.asked;
        format!("{amount} for {}, {}", names_text(&self.plans, NAMES_SHOWN), self.asked.text())
    }
}

impl GivenCommitment {
    /// Those of a tariff, in the order of its file.
    pub(crate) fn all(tariff: &Tariff) -> Vec<Self> {
        let commitment = |commitment: &Commitment| Self {
            name: commitment.terms.name.to_string(),
            covering: Covering::of(tariff, &Cover::of(tariff, &commitment.coverage)),
            asked: Asked::of(&commitment.terms, tariff.currency()),
            counts_fees: commitment.counts_fees,
            place: commitment.terms.place.to_string(),
        };
        tariff.commitments.iter().map(commitment).collect()
    }

    /// In one line: `100.00 EUR of * in * for team, each cycle, shared, with fees`.
    pub fn text(&self) -> String {
        let fees = if self.counts_fees { ", with fees" } else { "" };
        format!("{} of {}, {}{fees}", self.asked.amount, self.covering.text(), self.asked.text())
    }
}

impl Asked {
    fn of(terms: &Recurring, currency: Currency) -> Self {
        Self {
            amount: format!("{} {currency}", Money(terms.amount.into())),
            every: terms.due.as_str(),
            scope: terms.whose.as_str(),
            pro_rata: if terms.by_days { "days" } else { "none" },
            tax_class: terms.tax_class.as_deref().map(str::to_owned),
        }
    }

    /// `each cycle, personal, by days, tax class high`.
    fn text(&self) -> String {
        let often = if self.every == "once" { "once".to_owned() } else { format!("each {}", self.every) };
        let days = if self.pro_rata == "days" { ", by days" } else { "" };
        let class = self.tax_class.as_ref().map_or(String::new(), |class| format!(", tax class {class}"));
        format!("{often}, {}{days}{class}", self.scope)
    }
}
