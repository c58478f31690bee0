//! What the provider charges against what its contract says: rows priced again by the contract's tariff, compared to the unit.
//!
//! A provider's contract is a tariff like any other, whose plan is named after whom it binds: `buy:PROVIDER:ACCOUNT`, or
//! `buy:PROVIDER` for all accounts of a provider that have no contract of their own.

use std::collections::{BTreeMap, HashMap};

use aggregate::query::Numbers;
use domain::money::{Currency, Money};
use rate::expected::{expect, is_sold};
use rate::explain::ExplainInput;
use rate::tariff::Tariff;
use rate::tariff::set::TariffSet;

use crate::cells::Cells;
use crate::commands::query::ask;
use crate::installation::Installation;

const ROWS: &str = include_str!("commands/buy_rows.sql");

/// Differences that are borne.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    /// Of the expected price, in thousandths.
    pub per_mille: u64,
    /// In the currency of the cost.
    pub amount: Money,
}

impl Tolerance {
    /// Whether a cost differs from what is expected by more than both say.
    fn is_exceeded(self, cost: Money, expected: Money) -> bool {
        let difference = cost.0.abs_diff(expected.0);
        let share = expected.0.unsigned_abs().saturating_mul(u128::from(self.per_mille));
        difference.saturating_mul(1000) > share && difference > self.amount.0.unsigned_abs()
    }
}

/// What rows with a difference have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// Provider and account, with `/`.
    pub account: String,
    /// The contract's zone; empty where there is none.
    pub zone: String,
    /// The provider's rate class; empty where it gives none.
    pub class: String,
    /// The currency of the cost.
    pub currency: String,
    /// Why the contract has no price; empty where it has one.
    pub reason: &'static str,
}

/// Rows of a group that differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Difference {
    /// How many.
    pub records: u64,
    /// What the provider charges.
    pub cost: Money,
    /// What the contract says; 0 where it has no price.
    pub expected: Money,
}

impl Difference {
    /// What is charged too much; negative: too little.
    pub fn too_much(self) -> Money {
        Money(self.cost.0 - self.expected.0)
    }
}

/// The comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Rows with a cost whose account has a contract.
    pub compared: u64,
    /// Rows with a cost whose account has none.
    pub without_contract: u64,
    /// What differs.
    pub differences: BTreeMap<Group, Difference>,
}

/// Compares the rows of a billing period (or of all) with the contracts in force. `None` if there is no contract.
pub fn compare(
    installation: &Installation,
    tariffs: &TariffSet,
    filter: &str,
    tolerance: Tolerance,
) -> anyhow::Result<Option<Comparison>> {
    if !tariffs.tariffs().iter().flat_map(Tariff::plan_names).any(|plan| plan.starts_with("buy:")) {
        return Ok(None);
    }
    let answered = ask(installation, &format!("{ROWS} AND {filter}"), Numbers::Clear)?;
    let mut plans: HashMap<(String, String), Option<String>> = HashMap::new();
    let mut comparison = Comparison::default();
    for row in answered.rows() {
        let row = Cells(row);
        let account = (row.text(0).to_owned(), row.text(1).to_owned());
        let plan = plans.entry(account).or_insert_with_key(|(provider, account)| plan_of(tariffs, provider, account));
        let Some(plan) = plan else {
            comparison.without_contract += 1;
            continue;
        };
        comparison.compared += 1;
        let Some((group, difference)) = judge(tariffs, plan, &row, tolerance)? else { continue };
        let sum = comparison.differences.entry(group).or_default();
        sum.records += difference.records;
        sum.cost = sum.cost.plus(difference.cost);
        sum.expected = sum.expected.plus(difference.expected);
    }
    Ok(Some(comparison))
}

/// The contract that binds an account.
fn plan_of(tariffs: &TariffSet, provider: &str, account: &str) -> Option<String> {
    [format!("buy:{provider}:{account}"), format!("buy:{provider}")].into_iter().find(|plan| is_sold(plan, tariffs))
}

/// The difference of one row, if it has one.
fn judge(tariffs: &TariffSet, plan: &str, row: &Cells, tolerance: Tolerance) -> anyhow::Result<Option<(Group, Difference)>> {
    let Some((cost, currency)) = Money::parse(row.text(13)).zip(Currency::parse(row.text(14))) else { return Ok(None) };
    let input = ExplainInput {
        // The contract is compared with the cost, so it must not be made from it.
        cost_currency: Some(currency),
        plan: Some(plan.to_owned()),
        ..row.usage(2)
    };
    let found = expect(&input, tariffs)?;
    let (expected, reason) = match found.charge {
        Ok((expected, of)) if of == currency => (expected, ""),
        Ok(_) => (Money::default(), "other currency"),
        Err(reason) => (Money::default(), reason.as_str()),
    };
    if reason.is_empty() && !tolerance.is_exceeded(cost, expected) {
        return Ok(None);
    }
    let group = Group {
        account: format!("{}/{}", row.text(0), row.text(1)),
        zone: found.zone.unwrap_or_default(),
        class: input.provider_class,
        currency: currency.to_string(),
        reason,
    };
    Ok(Some((group, Difference { records: 1, cost, expected })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_must_exceed_both_tolerances() {
        let money = |text: &str| Money::parse(text).expect("an amount");
        let tolerance = Tolerance { per_mille: 10, amount: money("0.005") };
        for (cost, expected, exceeded) in [
            ("1.00", "1.00", false),
            ("1.01", "1.00", false),
            ("1.0101", "1.00", true),
            ("0.98", "1.00", true),
            ("0.006", "0.002", false),
            ("0.008", "0.002", true),
            ("0.0051", "0", true),
            ("-1.00", "1.00", true),
        ] {
            assert_eq!(tolerance.is_exceeded(money(cost), money(expected)), exceeded, "{cost} {expected}");
        }
        let none = Tolerance { per_mille: 0, amount: Money::default() };
        assert!(none.is_exceeded(money("0.000000001"), Money::default()) && !none.is_exceeded(money("1"), money("1")));
    }
}
