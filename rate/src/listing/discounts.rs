//! Discounts by what is charged, as they are shown and compared.

use domain::money::Money;
use serde::Serialize;

use crate::listing::cover::Cover;
use crate::listing::covering::Covering;
use crate::tariff::Tariff;
use crate::tariff::discount::{Discount, Percent};

/// A discount, or a surcharge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GivenDiscount {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(flatten)]
    pub covering: Covering,
    /// Over what money is counted: each `cycle`, `day`, `week` or `quarter`.
    pub every: &'static str,
    /// Whose money counts together: `personal`, `shared` or `group`.
    pub scope: &'static str,
    /// `graduated` or `volume`.
    pub count: &'static str,
    /// The percents by the amount from which on they hold: `from 100.00: -5 %`.
    pub steps: Vec<String>,
    /// Where it stands.
    pub place: String,
}

impl GivenDiscount {
    /// Those of a tariff, in the order of its file.
    pub(crate) fn all(tariff: &Tariff) -> Vec<Self> {
        tariff.discounts.iter().map(|discount| Self::of(tariff, discount)).collect()
    }

    fn of(tariff: &Tariff, discount: &Discount) -> Self {
        Self {
            name: discount.name.to_string(),
            covering: Covering::of(tariff, &Cover::of(tariff, &discount.coverage)),
            every: discount.every.as_str(),
            scope: discount.whose.as_str(),
            count: if discount.is_volume { "volume" } else { "graduated" },
            steps: discount.steps.iter().map(step_text).collect(),
            place: discount.place.to_string(),
        }
    }

    /// In one line: `from 0.00: -5 % of voice-* in NL for basis, each cycle, shared, graduated`.
    pub fn text(&self) -> String {
        let (steps, every, scope, count) = (self.steps.join("; "), self.every, self.scope, self.count);
        format!("{steps} of {}, each {every}, {scope}, {count}", self.covering.text())
    }
}

fn step_text(step: &Percent) -> String {
    let percent = Money(step.percent.into()).to_text(9);
    let percent = percent.trim_end_matches('0').trim_end_matches('.');
    format!("from {}: {percent} %", Money(step.from.into()))
}
