//! Tables that are there for prices which no row states: what numbers ask, rates of exchange. And rates that end long before the tariff.

use crate::instant::day_text;
use crate::lint::{Finding, Rule};
use crate::tariff::Tariff;
use crate::tariff::exchange::Rate;
use crate::tariff::price_row::{Formula, Information, PriceRow};

pub(super) fn findings(tariff: &Tariff) -> Vec<Finding> {
    let rows = &tariff.prices.rows;
    let mut findings = Vec::new();
    if let Some(first) = tariff.information.as_ref().and_then(|list| list.rows.first())
        && !rows.iter().any(|row| information(row) == Some(Information::Listed))
    {
        let what = "no price adds what numbers ask: the list counts for nothing";
        let remedy = "write `information = \"listed\"` in the prices of such numbers, or remove the table";
        findings.push(Finding::new(Rule::IdleTable, &first.place, what, remedy));
    }
    let asks_cost =
        rows.iter().any(|row| matches!(row.formula, Formula::CostPlus { .. }) || information(row) == Some(Information::Cost));
    if let Some(first) = tariff.exchange.rates.values().flatten().next()
        && !asks_cost
    {
        let what = "no price builds on the provider's cost: the rates count for nothing";
        findings.push(Finding::new(Rule::IdleTable, &first.place, what, "remove the table, or price by `cost_plus`"));
    }
    if asks_cost {
        findings.extend(tariff.exchange.rates.values().filter_map(|rates| stale(tariff, rates)));
    }
    findings
}

fn information(row: &PriceRow) -> Option<Information> {
    match &row.formula {
        Formula::Units { extras, .. } => extras.information,
        Formula::CostPlus { .. } => None,
    }
}

/// Rates that end before the tariff does. One without an end goes on getting new rates.
fn stale(tariff: &Tariff, rates: &[Rate]) -> Option<Finding> {
    let last = rates.last().filter(|_| tariff.to_us() != i64::MAX)?;
    let (ends, over) = (tariff.day_of(tariff.to_us()), last.day.saturating_add(tariff.exchange.days_max));
    let missing = format!("the last rate holds until {}, the tariff until {}", day_text(over), day_text(ends));
    (over < ends).then(|| Finding::new(Rule::StaleRates, &last.place, missing, "add newer rates when they are known"))
}
