//! Tables, and rows of them, that no price asks: what numbers ask, rates of exchange. And dated rows and rates that leave days out.

use std::collections::{BTreeMap, BTreeSet};

use domain::number::NumberKind;

use crate::instant::day_text;
use crate::lint::{FINDINGS_MAX, Finding, Rule};
use crate::tariff::Tariff;
use crate::tariff::days::Days;
use crate::tariff::deck::ZoneRule;
use crate::tariff::exchange::Rate;
use crate::tariff::information::Asked;
use crate::tariff::price_row::{Formula, Information, PriceRow};

pub(super) fn findings(tariff: &Tariff) -> Vec<Finding> {
    let rows = &tariff.prices.rows;
    let mut findings = Vec::new();
    if let Some(first) = tariff.information.as_ref().and_then(|list| list.rows.first())
        && adding(tariff).next().is_none()
    {
        let what = "no price adds what numbers ask: the list counts for nothing";
        let remedy = "write `information = \"listed\"` in the prices of such numbers, or remove the table";
        findings.push(Finding::new(Rule::IdleTable, &first.place, what, remedy));
    }
    findings.extend(numbers(tariff));
    findings.extend(unlisted(tariff));
    findings.extend(gaps("prefix", &tariff.deck.rules));
    findings.extend(gaps("network", &tariff.networks.rules));
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

/// Listed numbers that lead to a zone without a price that adds what they ask; nothing where no price does, which is said of the table.
fn numbers(tariff: &Tariff) -> Vec<Finding> {
    let zones: BTreeSet<&str> = adding(tariff).flat_map(|row| &row.zones).map(String::as_str).collect();
    if zones.is_empty() || zones.contains("*") {
        return Vec::new();
    }
    let finding = |row: &Asked| {
        let what = match zone_of(tariff, row) {
            Some(zone) if zones.contains(zone) => return None,
            Some(zone) => format!("no price adds what `{}` asks: it is in zone {zone}", row.number),
            None => format!("no prefix or short code leads to a zone for `{}`", row.number),
        };
        let remedy = "check the number (`+` stands before an international one), lead it to a zone, or add `information` to that zone's price";
        Some(Finding::new(Rule::IdleNumber, &row.place, what, remedy))
    };
    tariff.information.iter().flat_map(|list| &list.rows).filter_map(finding).take(FINDINGS_MAX).collect()
}

/// Prices that add what numbers ask, in zones of prefixes or short codes of which no number is listed.
fn unlisted(tariff: &Tariff) -> Vec<Finding> {
    let listed: BTreeSet<&str> =
        tariff.information.iter().flat_map(|list| &list.rows).filter_map(|row| zone_of(tariff, row)).collect();
    let rules = tariff.deck.rules.iter().chain(&tariff.short_codes.rules);
    let dialled: BTreeSet<&str> = rules.map(|rule| tariff.zones.name(u32::from(rule.zone))).collect();
    let finding = |row: &PriceRow| {
        let zone = row.zones.iter().find(|zone| dialled.contains(zone.as_str()) && !listed.contains(zone.as_str()))?;
        let what = format!("this price adds what numbers ask, but no number of zone {zone} is listed: it adds nothing there");
        let remedy = "list the numbers of that zone under `[information]`, or remove `information` from its price";
        Some(Finding::new(Rule::UnlistedZone, &row.place, what, remedy))
    };
    adding(tariff).filter_map(finding).take(FINDINGS_MAX).collect()
}

/// Prices that add what the table says that numbers ask.
fn adding(tariff: &Tariff) -> impl Iterator<Item = &PriceRow> {
    tariff.prices.rows.iter().filter(|row| information(row) == Some(Information::Listed))
}

/// The zone to which a listed number leads on its first day.
fn zone_of<'t>(tariff: &'t Tariff, row: &Asked) -> Option<&'t str> {
    let (value, digits) = (row.key.value(), row.key.digits());
    let first_day = tariff.day_of(tariff.from_us());
    let rule = match row.key.kind() {
        NumberKind::E164 => {
            tariff.deck.rules.get(tariff.deck.longest_on(value, digits, || row.days.from.max(first_day)) as usize)
        }
        _ => tariff.short_codes.rules.get(tariff.short_codes.exact(value, digits) as usize),
    };
    rule.map(|rule| tariff.zones.name(u32::from(rule.zone)))
}

/// Days between two rows of one key on which neither holds.
fn gaps(what: &str, rules: &[ZoneRule]) -> Vec<Finding> {
    let mut by_key: BTreeMap<&str, Vec<&ZoneRule>> = BTreeMap::new();
    for rule in rules.iter().filter(|rule| rule.days != Days::ALWAYS) {
        by_key.entry(&rule.key).or_default().push(rule);
    }
    let mut findings = Vec::new();
    for (key, rules) in &mut by_key {
        rules.sort_by_key(|rule| rule.days.from);
        for pair in rules.windows(2).filter(|pair| pair[0].days.to < pair[1].days.from) {
            let (from, to) = (day_text(pair[0].days.to), day_text(pair[1].days.from));
            let said = format!("no row of {what} `{key}` holds from {from} to {to}: shorter ones decide then, if there are any");
            findings.push(Finding::new(Rule::RowGap, &pair[1].place, said, "if that is not meant, let the days meet"));
        }
    }
    findings.truncate(FINDINGS_MAX);
    findings
}

/// Rates that end before the tariff does. One without an end goes on getting new rates.
fn stale(tariff: &Tariff, rates: &[Rate]) -> Option<Finding> {
    let last = rates.last().filter(|_| tariff.to_us() != i64::MAX)?;
    let (ends, over) = (tariff.day_of(tariff.to_us()), last.day.saturating_add(tariff.exchange.days_max));
    let missing = format!("the last rate holds until {}, the tariff until {}", day_text(over), day_text(ends));
    (over < ends).then(|| Finding::new(Rule::StaleRates, &last.place, missing, "add newer rates when they are known"))
}
