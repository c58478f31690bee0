//! Rows of a deck that say nothing new: a shorter prefix, or the network's country, leads to the same zone.

use std::collections::HashMap;

use crate::lint::{FINDINGS_MAX, Finding, Rule};
use crate::tariff::Tariff;
use crate::tariff::days::Days;
use crate::tariff::deck::ZoneRule;

/// Digits of a country's code.
const MCC_DIGITS: usize = 3;

pub(super) fn findings(tariff: &Tariff) -> Vec<Finding> {
    let prefixes = redundant(tariff, "prefix", &tariff.deck.rules, |key| (1..key.len()).rev());
    let country = |key: &str| {
        let is_network = key.len() > MCC_DIGITS && key.bytes().all(|c| c.is_ascii_digit());
        (if is_network { MCC_DIGITS..MCC_DIGITS + 1 } else { 0..0 }).rev()
    };
    let networks = redundant(tariff, "network", &tariff.networks.rules, country);
    prefixes.into_iter().chain(networks).collect()
}

/// Rows whose next shorter key, among the lengths that are asked, leads to the same zone.
fn redundant<L: Iterator<Item = usize>>(
    tariff: &Tariff,
    what: &str,
    rules: &[ZoneRule],
    lengths: impl Fn(&str) -> L,
) -> Vec<Finding> {
    let always = rules.iter().filter(|rule| rule.days == Days::ALWAYS);
    let by_key: HashMap<&str, &ZoneRule> = always.map(|rule| (&*rule.key, rule)).collect();
    let mut findings = Vec::new();
    for rule in rules.iter().filter(|rule| rule.days == Days::ALWAYS) {
        let parent = lengths(&rule.key).find_map(|length| by_key.get(&rule.key[..length]));
        let Some(parent) = parent.filter(|parent| parent.zone == rule.zone) else { continue };
        if findings.len() == FINDINGS_MAX {
            break;
        }
        let zone = tariff.zones.name(u32::from(rule.zone));
        findings.push(Finding::new(
            Rule::RedundantRow,
            &rule.place,
            format!("{what} `{}` leads to {zone}, as `{}` does anyway ({})", rule.key, parent.key, parent.place),
            "remove it, or correct its zone if another was meant",
        ));
    }
    findings
}
