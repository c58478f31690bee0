//! Allowances that change nothing: what they cover is free anyway, or one without an end always comes before them.

use std::collections::BTreeSet;

use domain::money::Money;

use crate::lint::book::{Book, Cell, among};
use crate::lint::{Finding, Rule};
use crate::listing::cover::Cover;
use crate::listing::names_text;
use crate::listing::terms::{Terms, UnitTerms};
use crate::tariff::allowance::{Allowance, Gives, Whose};

const NAMES_SHOWN: usize = 8;

pub(super) fn findings(book: &Book<'_>) -> Vec<Finding> {
    let list = &book.tariff.allowances.list;
    if list.is_empty() {
        return Vec::new();
    }
    let terms: Vec<Terms> = book.tariff.prices.rows.iter().map(Terms::of).collect();
    let mut findings = Vec::new();
    for (number, allowance) in (0..).zip(list) {
        let cover = Cover::of(book.tariff, &allowance.coverage);
        findings.extend(idle(book, allowance, &cover, &terms));
        findings.extend(unreached(book, number, &cover));
    }
    findings
}

/// The priced records of a plan that an allowance covers.
fn cells<'b>(book: &'b Book<'_>, allowance: &'b Allowance, cover: &'b Cover, plan: u32) -> impl Iterator<Item = Cell<'b>> {
    let sold = cover.usages.iter().copied().filter(move |usage| book.tariff.prices.has_prices(plan, *usage));
    let places = sold.flat_map(move |usage| {
        let zones = cover.zones.iter().copied().filter(move |zone| book.reach.may(usage, *zone));
        let bands = || cover.bands.iter().copied().filter(|band| book.reach.bands.contains(band));
        zones.flat_map(move |zone| bands().map(move |band| (usage, zone, band)))
    });
    places.flat_map(move |(usage, zone, band)| {
        let covered = among(book.parties, usage).iter().copied().filter(move |party| allowance.covers(usage, zone, *party, band));
        covered.filter_map(move |party| {
            let charge = Some(book.tariff.prices.find(plan, usage, zone, party, band)?);
            Some(Cell { plan, usage, zone, party, band, charge })
        })
    })
}

/// An allowance of which no record costs less.
fn idle(book: &Book<'_>, allowance: &Allowance, cover: &Cover, terms: &[Terms]) -> Option<Finding> {
    let mut met: BTreeSet<u32> = BTreeSet::new();
    for charge in cover.plans.iter().flat_map(|plan| cells(book, allowance, cover, *plan)).filter_map(|cell| cell.charge) {
        if takes_off(allowance, &terms[charge.row as usize]) {
            return None;
        }
        met.insert(charge.row);
    }
    let first = &book.tariff.prices.rows[*met.first()? as usize];
    let others = match met.len() - 1 {
        0 => String::new(),
        1 => " and by one other price".to_owned(),
        more => format!(" and by {more} other prices"),
    };
    let what = format!(
        "allowance `{}` covers nothing that costs anything: what it covers is free by the price at {}{others}",
        allowance.name, first.place
    );
    let remedy = "say what it costs beyond the allowance, let it cover something else, or remove it";
    Some(Finding::new(Rule::IdleAllowance, &allowance.place, what, remedy))
}

/// Whether a price asks something that an allowance can take off.
fn takes_off(allowance: &Allowance, terms: &Terms) -> bool {
    let Terms::Units(UnitTerms { setup, disconnect, charge_min, steps, information, .. }) = terms else { return true };
    // Units cover neither what a number asks nor a setup fee that is charged always.
    let asks_besides = allowance.is_money() && information.is_some();
    let setup = if allowance.setup_always { Money(0) } else { *setup };
    let amounts = [setup, *disconnect, *charge_min];
    asks_besides || amounts.into_iter().chain(steps.iter().map(|step| step.unit_price)).any(|amount| amount != Money(0))
}

/// An allowance in units from which nothing is ever taken, because those without an end come first wherever it covers something.
fn unreached(book: &Book<'_>, number: u16, cover: &Cover) -> Option<Finding> {
    let list = &book.tariff.allowances.list;
    let allowance = &list[usize::from(number)];
    // What is left of an earlier cycle comes before all of this one's; and money pays the fees that units leave.
    if allowance.is_money() || allowance.roll_over > 0 {
        return None;
    }
    let mut before: BTreeSet<u16> = BTreeSet::new();
    let mut plans = Vec::new();
    for plan in &cover.plans {
        if let Some(hiding) = hiding(book, number, cover, *plan) {
            before.extend(hiding);
            plans.push(book.plan_name(*plan));
        }
    }
    // What one plan brings to the customer, lines with another plan may draw.
    if plans.is_empty() || (allowance.whose != Whose::Personal && plans.len() < cover.plans.len()) {
        return None;
    }
    let name = |n: &u16| format!("`{}` ({})", list[usize::from(*n)].name, list[usize::from(*n)].place);
    let names = names_text(&before.iter().map(name).collect::<Vec<_>>(), NAMES_SHOWN);
    let verbs = if before.len() == 1 { "comes first, has no end and covers" } else { "come first, have no end and cover" };
    let what = format!(
        "allowance `{}` is never reached by {}: {names} {verbs} all that it covers",
        allowance.name,
        names_text(&plans, NAMES_SHOWN)
    );
    let remedy = "let it go first (a lower `priority`) or cover something else, or remove it";
    Some(Finding::new(Rule::UnreachedAllowance, &allowance.place, what, remedy))
}

/// The allowances without an end that take all records of a plan before this one; none if one record is left to it, or there is none.
fn hiding(book: &Book<'_>, number: u16, cover: &Cover, plan: u32) -> Option<BTreeSet<u16>> {
    let allowances = &book.tariff.allowances;
    let named = |n: &u16| &allowances.list[usize::from(*n)];
    let earlier = allowances.of(plan).iter().copied().take_while(|n| *n != number);
    let endless: Vec<u16> = earlier.filter(|n| named(n).gives == Gives::Unlimited).collect();
    if endless.is_empty() {
        return None;
    }
    let mut hiding = BTreeSet::new();
    for cell in cells(book, named(&number), cover, plan) {
        let takes = |n: &&u16| named(n).covers(cell.usage, cell.zone, cell.party, cell.band);
        hiding.insert(*endless.iter().find(takes)?);
    }
    Some(hiding).filter(|hiding| !hiding.is_empty())
}
