//! What differs in the heads of two tariffs, in their plans, bands and calendars, in what numbers ask and in rates of exchange.

use std::collections::{BTreeMap, BTreeSet};

use crate::compare::{Change, Fate, Part};
use crate::listing::{AskedNumber, Head, Listing, NamedDates, SoldPlan};
use crate::tariff::Tariff;

pub(super) fn changes(old: &Tariff, new: &Tariff) -> Vec<Change> {
    let (old, new) = (Listing::of_head(old), Listing::of_head(new));
    let heads = fields(&old.head).into_iter().zip(fields(&new.head));
    let mut changes: Vec<Change> =
        heads.filter_map(|((name, old), (_, new))| changed(Change::of_value(Part::Head, name, "", old, new))).collect();
    changes.extend(plans(&old, &new));
    changes.extend(windows(&old, &new));
    changes.extend(dates(&old, &new));
    changes.extend(asked(&old, &new));
    changes.extend(rates(&old, &new));
    changes
}

/// What numbers ask.
fn asked(old: &Listing, new: &Listing) -> Vec<Change> {
    let text = |n: &AskedNumber| format!("{}{}: {} and {} per minute", n.number, n.days, n.per_call, n.per_minute);
    let texts = |listing: &Listing| listing.numbers.iter().map(text).collect();
    came_and_went(Part::Information, &texts(old), &texts(new))
}

fn rates(old: &Listing, new: &Listing) -> Vec<Change> {
    let texts = |listing: &Listing| listing.rates.iter().map(|r| format!("{} {} {}", r.currency, r.date, r.rate)).collect();
    came_and_went(Part::Exchange, &texts(old), &texts(new))
}

/// A value that may be left out is changed where it comes or goes: what has it is still there.
fn changed(change: Option<Change>) -> Option<Change> {
    change.map(|change| Change { fate: Fate::Changed, ..change })
}

/// The fields of a head that say something; the version follows from all the rest.
fn fields(head: &Head) -> [(&'static str, Option<String>); 16] {
    let some = |text: &str| Some(text.to_owned());
    [
        ("name", some(&head.name)),
        ("currency", some(&head.currency)),
        ("time_zone", some(&head.time_zone)),
        ("valid_from", some(&head.valid_from)),
        ("valid_to", head.valid_to.clone()),
        ("home_zone", some(&head.home_zone)),
        ("destinations.unnumbered", head.unnumbered_zone.clone()),
        ("default_band", some(&head.default_band)),
        ("band_clock", some(head.band_clock)),
        ("tax", some(head.tax)),
        ("fallback_plan", head.fallback_plan.clone()),
        ("exchange.days_max", Some(head.exchange_days_max.to_string())),
        ("rounding.places", Some(head.rounding_places.to_string())),
        ("rounding.mode", some(head.rounding_mode)),
        ("rounding.line", some(&head.rounding_line)),
        ("rounding.invoice", some(&head.rounding_invoice)),
    ]
}

fn plans(old: &Listing, new: &Listing) -> Vec<Change> {
    let by_name = |listing: &Listing| -> BTreeMap<String, SoldPlan> {
        listing.plans.iter().map(|plan| (plan.name.clone(), plan.clone())).collect()
    };
    let (old, new) = (by_name(old), by_name(new));
    let mut changes = Vec::new();
    for (name, before) in &old {
        match new.get(name) {
            None => changes.push(Change::new(Part::Plan, Fate::Removed, name)),
            Some(now) => {
                let size = |plan: &SoldPlan| plan.mb_bytes.map(|bytes| bytes.to_string());
                let edge = |plan: &SoldPlan| Some(plan.band_edge.to_owned());
                changes.extend(changed(Change::of_value(Part::Plan, name, "mb_bytes", size(before), size(now))));
                changes.extend(changed(Change::of_value(Part::Plan, name, "band_edge", edge(before), edge(now))));
                let (was, is) = (before.fallback.clone(), now.fallback.clone());
                changes.extend(changed(Change::of_value(Part::Plan, name, "fallback", was, is)));
            }
        }
    }
    let added = new.keys().filter(|name| !old.contains_key(*name));
    changes.extend(added.map(|name| Change::new(Part::Plan, Fate::Added, name)));
    changes
}

/// Windows as they are written, without regard to their order.
fn windows(old: &Listing, new: &Listing) -> Vec<Change> {
    let texts = |listing: &Listing| listing.bands.iter().map(|w| format!("{} {}", w.band, w.window)).collect();
    came_and_went(Part::Band, &texts(old), &texts(new))
}

/// The dates of calendars.
fn dates(old: &Listing, new: &Listing) -> Vec<Change> {
    let of_one =
        |calendar: &NamedDates| calendar.dates.iter().map(|date| format!("{} {date}", calendar.name)).collect::<Vec<_>>();
    let texts = |listing: &Listing| listing.calendars.iter().flat_map(of_one).collect();
    came_and_went(Part::Calendar, &texts(old), &texts(new))
}

fn came_and_went(part: Part, old: &BTreeSet<String>, new: &BTreeSet<String>) -> Vec<Change> {
    let only = |list: &BTreeSet<String>, other: &BTreeSet<String>, fate| -> Vec<Change> {
        list.difference(other).map(|text| Change::new(part, fate, text)).collect()
    };
    let mut changes = only(old, new, Fate::Removed);
    changes.extend(only(new, old, Fate::Added));
    changes
}
