//! Prefixes, short codes, networks, pairs abroad and classes that came, went or lead to another zone.

use std::collections::BTreeMap;

use crate::compare::{Change, Fate, Part};
use crate::listing::tables;
use crate::tariff::Tariff;
use crate::tariff::deck::ZoneRule;

pub(super) fn changes(old: &Tariff, new: &Tariff) -> Vec<Change> {
    let parts = [Part::Prefix, Part::ShortCode, Part::Network, Part::Roaming, Part::Class];
    let both = tables(old).into_iter().zip(tables(new)).zip(parts);
    both.flat_map(|(((_, before), (_, after)), part)| of_table(part, &by_key(old, before), &by_key(new, after))).collect()
}

fn by_key<'t>(tariff: &'t Tariff, rules: &'t [ZoneRule]) -> BTreeMap<String, &'t str> {
    rules.iter().map(|rule| (format!("{}{}", rule.key, rule.days.text()), tariff.zones.name(u32::from(rule.zone)))).collect()
}

fn of_table(part: Part, old: &BTreeMap<String, &str>, new: &BTreeMap<String, &str>) -> Vec<Change> {
    let all = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
    let mut changes: Vec<Change> = all.filter_map(|key| of_key(part, key, old.get(key), new.get(key))).collect();
    changes.sort_by(|a, b| a.what.cmp(&b.what));
    changes
}

fn of_key(part: Part, key: &str, old: Option<&&str>, new: Option<&&str>) -> Option<Change> {
    let text = |zone: Option<&&str>| zone.map(|zone| (*zone).to_owned());
    let change = Change::of_value(part, key, "zone", text(old), text(new))?;
    let fate = if change.fate == Fate::Changed { Fate::Moved } else { change.fate };
    Some(Change { fate, ..change })
}
