//! Tariffs side by side: days that two of them sell, days that none sells, currencies that change, names that replace each other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::error::Place;
use crate::instant::date_text;
use crate::lint::{Finding, Rule, sorted};
use crate::listing::{names_text, whole_file};
use crate::tariff::Tariff;

const NAMES_SHOWN: usize = 8;

/// A tariff that is looked at, and the file that it comes from.
#[derive(Debug, Clone, Copy)]
pub struct Given<'t> {
    /// The file, for places.
    pub file: &'t str,
    /// The tariff.
    pub tariff: &'t Tariff,
}

/// What is wrong with tariffs that will be in force together. One in force whose name is among those given is replaced by it.
pub fn together(given: &[Given<'_>], in_force: &[Tariff]) -> Vec<Finding> {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let given: Vec<Given<'_>> = given.iter().copied().filter(|one| seen.insert(one.tariff.id())).collect();
    let is_replaced = |other: &&Tariff| given.iter().any(|one| one.tariff.name() == other.name());
    let mut all: Vec<(Place, &Tariff)> = given.iter().map(|one| (whole_file(one.file), one.tariff)).collect();
    all.extend(in_force.iter().filter(|other| !is_replaced(other)).map(|other| (whole_file("in force"), other)));
    let mut findings = same_names(&given);
    findings.extend(neighbours(&all, given.len()));
    findings.extend(fallbacks(&all, given.len()));
    for old in in_force.iter().filter(is_replaced) {
        findings.extend(given.iter().filter(|new| replaces(new.tariff, old)).filter_map(|new| lost(old, *new, &all)));
    }
    sorted(findings)
}

fn replaces(new: &Tariff, old: &Tariff) -> bool {
    new.name() == old.name() && new.id() != old.id()
}

fn same_names(given: &[Given<'_>]) -> Vec<Finding> {
    let mut first: BTreeMap<&str, &str> = BTreeMap::new();
    let mut findings = Vec::new();
    for one in given {
        let Some(before) = first.insert(one.tariff.name(), one.file) else { continue };
        let what =
            format!("has the name `{}` as {before} has: the second import replaces the first, for all days", one.tariff.name());
        findings.push(Finding::new(Rule::SameName, &whole_file(one.file), what, "give each its own `name`, and dates that meet"));
    }
    findings
}

/// When a tariff sells a plan; the number tells which tariff.
struct Sale {
    from_us: i64,
    to_us: i64,
    number: usize,
}

/// What two tariffs that follow each other in a plan do there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Meeting {
    Overlap,
    Gap,
    Currency,
}

/// Compares each plan's tariffs in the order of their dates. Pairs of which neither is given are no news.
fn neighbours(all: &[(Place, &Tariff)], given: usize) -> Vec<Finding> {
    let mut plans: BTreeMap<&str, Vec<Sale>> = BTreeMap::new();
    for (number, (_, tariff)) in all.iter().enumerate() {
        for plan in tariff.plan_names() {
            plans.entry(plan).or_default().push(Sale { from_us: tariff.from_us(), to_us: tariff.to_us(), number });
        }
    }
    let mut meetings: BTreeMap<(usize, usize, Meeting), Vec<&str>> = BTreeMap::new();
    for (plan, sales) in &mut plans {
        sales.sort_by_key(|sale| (sale.from_us, sale.number));
        for pair in sales.windows(2).filter(|pair| pair[0].number < given || pair[1].number < given) {
            let (old, new) = (all[pair[0].number].1, all[pair[1].number].1);
            let mut meet = |meeting| meetings.entry((pair[0].number, pair[1].number, meeting)).or_default().push(*plan);
            if pair[1].from_us < pair[0].to_us {
                meet(Meeting::Overlap);
            } else if pair[1].from_us > pair[0].to_us {
                meet(Meeting::Gap);
            }
            if old.currency() != new.currency() {
                meet(Meeting::Currency);
            }
        }
    }
    meetings.into_iter().map(|((old, new, meeting), plans)| met(&all[old], &all[new], meeting, &plans)).collect()
}

fn met((old_place, old): &(Place, &Tariff), (new_place, new): &(Place, &Tariff), meeting: Meeting, plans: &[&str]) -> Finding {
    let plans = names_text(plans, NAMES_SHOWN);
    let place = if &*new_place.file == "in force" { old_place } else { new_place };
    let (first, second): (&Arc<str>, &Arc<str>) = (old.id(), new.id());
    let from = date_text(new.zone(), new.from_us());
    match meeting {
        Meeting::Overlap => Finding::new(
            Rule::DateOverlap,
            place,
            format!("`{first}` and `{second}` both sell {plans} from {from} on"),
            format!("end the first with `valid_to = {from}`, or move `valid_from` of the second"),
        ),
        Meeting::Gap => {
            let to = date_text(old.zone(), old.to_us());
            Finding::new(
                Rule::DateGap,
                place,
                format!(
                    "nobody sells {plans} from {to} to {from}, between `{first}` and `{second}`: such records wait as no_plan"
                ),
                "let `valid_to` of the first be `valid_from` of the second",
            )
        }
        Meeting::Currency => Finding::new(
            Rule::CurrencyChange,
            place,
            format!("{plans}: `{first}` is in {}, `{second}` in {}", old.currency(), new.currency()),
            "check `currency`; totals of two currencies are not added",
        ),
    }
}

/// Two tariffs that want to hold for plans that nobody sells, on one day.
fn fallbacks(all: &[(Place, &Tariff)], given: usize) -> Vec<Finding> {
    let mut holding: Vec<usize> = (0..all.len()).filter(|n| all[*n].1.fallback_plan.is_some()).collect();
    holding.sort_by_key(|n| all[*n].1.from_us());
    let is_new = |pair: &&[usize]| pair.iter().any(|n| *n < given);
    let meets = |pair: &&[usize]| all[pair[1]].1.from_us() < all[pair[0]].1.to_us();
    let finding = |pair: &[usize]| {
        let ((first_place, first), (second_place, second)) = (&all[pair[0]], &all[pair[1]]);
        let place = if pair[1] < given { second_place } else { first_place };
        let what = format!("`{}` and `{}` both have a `fallback_plan` on the same days", first.id(), second.id());
        Finding::new(Rule::DateOverlap, place, what, "leave it to one of them, or let one end (`valid_to`)")
    };
    holding.windows(2).filter(is_new).filter(meets).map(finding).collect()
}

/// Plans and days that the version in force sells and that nobody sells once it is replaced.
fn lost(old: &Tariff, new: Given<'_>, all: &[(Place, &Tariff)]) -> Option<Finding> {
    let sells = |tariff: &Tariff, plan: &str, us: i64| {
        tariff.from_us() <= us && us < tariff.to_us() && tariff.plan_names().any(|name| name == plan)
    };
    let is_bare = |plan: &str, us: i64| old.from_us() <= us && us < old.to_us() && !all.iter().any(|(_, t)| sells(t, plan, us));
    let at = [old.from_us(), new.tariff.to_us()];
    let plans: Vec<&str> = old.plan_names().filter(|plan| at.iter().any(|us| is_bare(plan, *us))).collect();
    if plans.is_empty() {
        return None;
    }
    let days = |tariff: &Tariff| {
        let to = if tariff.to_us() == i64::MAX {
            "until further notice".to_owned()
        } else {
            format!("to {}", date_text(tariff.zone(), tariff.to_us()))
        };
        format!("from {} {to}", date_text(tariff.zone(), tariff.from_us()))
    };
    let what = format!(
        "takes the place of `{}`, which sells {} {}; this one is in force {}, so some days or plans are left without a price",
        old.id(),
        names_text(&plans, NAMES_SHOWN),
        days(old),
        days(new.tariff)
    );
    let remedy = "keep the former dates and plans under this name, and give the new prices a `name` of their own";
    Some(Finding::new(Rule::DaysLost, &whole_file(new.file), what, remedy))
}
