//! What each level of the owner paths earns: rated rows priced again by the sell plans, from the provider's cost down to the charge.

use std::collections::{BTreeMap, HashMap};

use aggregate::query::Numbers;
use domain::money::{Currency, Money};
use pipeline::rating::Reference;
use rate::explain::ExplainInput;
use rate::levels::{Deal, Level, Price, Unknown, are_sold, ask_party, deals, levels};

use crate::cells::Cells;
use crate::commands::query::analyst;
use crate::installation::Installation;
use crate::parties::{Asking, Parties};

const ROWS: &str = include_str!("commands/levels_rows.sql");

/// A rated row and whose it is.
#[derive(Debug, Clone)]
pub struct Sold {
    /// The owner path of its customer.
    pub owner_path: String,
    /// The customer.
    pub customer: String,
    /// The subscription.
    pub subscription: String,
    /// What was used, by its own plan.
    pub usage: ExplainInput,
    /// What the customer pays.
    pub charge: (Money, Currency),
}

/// Prices rows for each level, and remembers which levels a path and a plan have.
#[derive(Debug)]
pub struct Ladder<'r> {
    reference: &'r Reference,
    parties: Option<Parties<'r>>,
    known: HashMap<(String, String), Vec<Level>>,
}

impl<'r> Ladder<'r> {
    /// `None` if there is no sell plan.
    pub fn of(reference: &'r Reference) -> Option<Self> {
        let tariffs = reference.tariffs.set();
        let parties = || ask_party(tariffs).then(|| Parties::of(&reference.index));
        are_sold(tariffs).then(|| Self { reference, parties: parties(), known: HashMap::new() })
    }

    /// The levels of a row, from the top, and what each pays and is paid.
    pub fn deals(&mut self, row: Sold) -> anyhow::Result<Vec<(&Level, Deal)>> {
        let tariffs = self.reference.tariffs.set();
        let Sold { owner_path, customer, subscription, mut usage, charge } = row;
        if let Some(parties) = self.parties.as_ref().filter(|_| usage.party.is_empty()) {
            let asking = Asking {
                customer: &customer,
                subscription: &subscription,
                b_number: &usage.b_number,
                b_number_type: &usage.b_number_type,
                start_us: usage.start_us,
            };
            let found = parties.find(asking);
            usage.party = found.map(str::to_owned).unwrap_or_default();
        }
        let key = (owner_path, usage.plan.clone().unwrap_or_default());
        let levels = &*self.known.entry(key).or_insert_with_key(|(path, plan)| levels(path, plan, tariffs));
        Ok(levels.iter().zip(deals(levels, usage, charge, tariffs)?).collect())
    }
}

/// What records of a level have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// The owner path down to the level.
    pub level: String,
    /// The currency of what is sold, else of what is bought; empty where neither has a price.
    pub currency: String,
    /// `sold`, `bought` or `both`: which side leaves the margin unknown; empty where it is known.
    pub side: &'static str,
    /// Why it is not known; empty where it is.
    pub reason: &'static str,
}

/// What the records of a group come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Earned {
    /// How many.
    pub records: u64,
    /// What the level below pays, or the customer; 0 where that is not known.
    pub sold: Money,
    /// What the level pays itself; 0 where that is not known, or in another currency.
    pub bought: Money,
}

impl Earned {
    /// What is earned, where both sides are known.
    pub fn margin(self) -> Money {
        Money(self.sold.0 - self.bought.0)
    }
}

/// What all levels earn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Earnings {
    /// Rated records that were looked at.
    pub records: u64,
    /// By level, from the top.
    pub groups: BTreeMap<Group, Earned>,
}

/// Prices the rated rows of a question's filter for each level, some thousands at a time. `None` if there is no sell plan.
pub fn earnings(installation: &Installation, reference: &Reference, filter: &str) -> anyhow::Result<Option<Earnings>> {
    let Some(mut ladder) = Ladder::of(reference) else { return Ok(None) };
    let analyst = analyst(installation, Numbers::Clear)?;
    let mut answer = installation.block_on(analyst.stream(&format!("{ROWS} AND {filter}")))?;
    let mut earnings = Earnings::default();
    while let Some(part) = installation.block_on(answer.next())? {
        for row in part.rows() {
            let Some(sold) = sold(&Cells(row)) else { continue };
            earnings.records += 1;
            for (level, deal) in ladder.deals(sold)? {
                earnings.add(level, deal);
            }
        }
    }
    Ok(Some(earnings))
}

/// A row of `levels_rows.sql`.
fn sold(row: &Cells) -> Option<Sold> {
    let charge = Money::parse(row.text(18)).zip(Currency::parse(row.text(19)))?;
    let usage = ExplainInput {
        cost_nano: Money::parse(row.text(13)).and_then(|cost| i64::try_from(cost.0).ok()),
        cost_currency: Currency::parse(row.text(14)),
        party: row.text(15).to_owned(),
        plan: Some(row.text(1).to_owned()),
        ..row.usage(2)
    };
    let [owner_path, customer, subscription] = [0, 16, 17].map(|at| row.text(at).to_owned());
    Some(Sold { owner_path, customer, subscription, usage, charge })
}

impl Earnings {
    fn add(&mut self, level: &Level, deal: Deal) {
        let unknown = deal.margin().err();
        let currency = deal.sold.or(deal.bought).map(|(_, currency)| currency).ok();
        let of = |price: Price| price.ok().filter(|(_, of)| Some(*of) == currency).map_or(Money::default(), |(m, _)| m);
        let group = Group {
            level: level.path.clone(),
            currency: currency.map(|currency| currency.to_string()).unwrap_or_default(),
            side: unknown.map_or("", Unknown::side),
            reason: unknown.map_or("", Unknown::reason),
        };
        let earned = self.groups.entry(group).or_default();
        earned.records += 1;
        earned.sold = earned.sold.plus(of(deal.sold));
        earned.bought = earned.bought.plus(of(deal.bought));
    }
}
