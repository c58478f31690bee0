//! The levels of a record's owner path on its page of explanation: what each pays, is paid and earns.

use domain::money::{Currency, Money};
use pipeline::rating::Reference;
use rate::explain::ExplainInput;
use rate::levels::Price;
use serde::Serialize;

use super::super::rows::Row;
use crate::levels::{Ladder, Sold};

/// A level of one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LevelStep {
    /// The owner path down to it.
    pub level: String,
    /// What it pays, by which plan; from the provider without one.
    pub bought: PriceStep,
    /// What it is paid; by the plan of the level below, or as the charge without one.
    pub sold: PriceStep,
    /// What it earns; absent if that is not known.
    pub margin: Option<String>,
    /// Why that is not known.
    pub not_known: Option<&'static str>,
}

/// A price of one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PriceStep {
    /// The sell plan.
    pub plan: Option<String>,
    /// The amount.
    pub amount: Option<String>,
    /// Its currency.
    pub currency: Option<String>,
    /// Why there is none.
    pub reason: Option<&'static str>,
}

impl PriceStep {
    fn new(plan: Option<&String>, price: Price) -> Self {
        let (money, reason) = (price.ok(), price.err());
        Self {
            plan: plan.cloned(),
            amount: money.map(|(amount, _)| amount.to_text(9)),
            currency: money.map(|(_, currency)| currency.to_string()),
            reason: reason.map(domain::outcome::Reason::as_str),
        }
    }

    fn text(&self, without_plan: &str) -> String {
        let by = self.plan.as_deref().unwrap_or(without_plan);
        match (&self.currency, &self.amount) {
            (Some(currency), Some(amount)) => format!("{currency} {amount} ({by})"),
            _ => format!("{} ({by})", self.reason.unwrap_or("?")),
        }
    }
}

/// The levels of a rated record, from the top; none where there are no sell plans.
pub fn steps(row: &Row, input: &ExplainInput, reference: &Reference) -> anyhow::Result<Vec<LevelStep>> {
    let get = |name: &str| row.text(name).unwrap_or_default().to_owned();
    let charge = Money::parse(&get("charge")).zip(Currency::parse(&get("currency")));
    let Some((mut ladder, charge)) = Ladder::of(reference).zip(charge) else { return Ok(Vec::new()) };
    let sold = Sold {
        owner_path: get("owner_path"),
        customer: get("customer"),
        subscription: get("subscription"),
        usage: input.clone(),
        charge,
    };
    let deals = ladder.deals(sold)?;
    // No sell plan binds the customer: there is nothing beside cost and charge.
    if deals.len() < 2 {
        return Ok(Vec::new());
    }
    let below = deals.iter().skip(1).map(|(level, _)| level.plan.as_ref()).chain([None]);
    let step = |((level, deal), below): (&(&rate::levels::Level, rate::levels::Deal), Option<&String>)| {
        let margin = deal.margin();
        LevelStep {
            level: level.path.clone(),
            bought: PriceStep::new(level.plan.as_ref(), deal.bought),
            sold: PriceStep::new(below, deal.sold),
            margin: margin.ok().map(|(margin, _)| margin.to_text(9)),
            not_known: margin.err().map(rate::levels::Unknown::reason),
        }
    };
    Ok(deals.iter().zip(below).map(step).collect())
}

impl LevelStep {
    /// `main: sold for EUR 0.12 (sell:main/r), bought for EUR 0.10 (provider's cost) · margin EUR 0.02`.
    pub fn text(&self) -> String {
        let margin = match (&self.margin, &self.sold.currency, self.not_known) {
            (Some(margin), Some(currency), _) => format!("margin {currency} {margin}"),
            (.., why) => format!("margin not known: {}", why.unwrap_or("?")),
        };
        let (sold, bought) = (self.sold.text("charge"), self.bought.text("provider's cost"));
        format!("{}: sold for {sold}, bought for {bought} · {margin}", self.level)
    }
}
