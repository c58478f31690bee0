//! The shipped tariff as a list, and the words for prices.

use crate::listing::terms::Terms;
use crate::listing::{Listing, Price, names_text};
use crate::tariff::Tariff;
use crate::tests::fixture::{read, repository};

fn shipped() -> Listing {
    let source = read(&repository("config/tariffs/nl-zakelijk.toml"));
    Listing::of(&Tariff::load(&source).unwrap_or_else(|e| panic!("{e}")))
}

/// The price of a plan and zone that is written last.
fn price<'l>(listing: &'l Listing, plan: &str, zone: &str, kind: &str) -> &'l Price {
    let names = |list: &[String], name: &str| list.iter().any(|other| other == name);
    let wanted = |p: &&Price| names(&p.plans, plan) && names(&p.zones, zone) && names(&p.kinds, kind);
    listing.prices.iter().rev().find(wanted).expect("the price is in the list")
}

fn text(listing: &Listing, price: &Price) -> String {
    price.terms.text(&listing.per_text(price))
}

#[test]
fn prices_are_told_as_they_are_written() {
    let listing = shipped();
    let said = |plan, zone, kind| text(&listing, price(&listing, plan, zone, kind));
    assert_eq!(said("zakelijk-basis", "PREMIUM", "voice-*"), "setup 0.10, 0.90 per 60 s in increments of 60, minimum 60");
    assert_eq!(said("zakelijk-basis", "PREMIUM", "sms-mo"), "0.55 per message");
    assert_eq!(said("zakelijk-plus", "HOME", "data"), "0.01 per 1048576 bytes in increments of 1024");
    assert_eq!(said("zakelijk-inkoop", "*", "*"), "cost + 15 % + 0.001");
    let steps = "setup 0.05, from 0: 0.60 per 60 s; from 300: 0.40 per 60 s; from 1800: 0.30 per 60 s in increments of 60";
    assert_eq!(said("vast", "WORLD", "voice-mo"), steps);
    assert!(price(&listing, "zakelijk-onbeperkt", "NL-MOB", "voice-*").terms.is_nothing());
    assert!(matches!(price(&listing, "zakelijk-inkoop", "*", "*").terms, Terms::CostPlus { .. }));
}

#[test]
fn a_plan_keeps_the_prices_that_hold_for_it_and_a_zone_what_leads_to_it() {
    let mut listing = shipped();
    listing.keep_plan("m2m");
    // Three prices of data, two of messages, in the companion; none with plan `*`.
    assert_eq!((listing.plans.len(), listing.prices.len()), (1, 5));
    let mut listing = shipped();
    listing.keep_zone("PREMIUM");
    let led: Vec<(&str, &str)> = listing.rules.iter().map(|rule| (rule.by, rule.key.as_str())).collect();
    let expected = [
        ("prefix", "31900"),
        ("prefix", "31906"),
        ("prefix", "31909"),
        ("short code", "1850"),
        ("short code", "1888"),
        ("class", "N_PREMIUM"),
    ];
    assert_eq!(led, expected);
    assert!(listing.prices.iter().all(|p| p.zones == ["PREMIUM"] || p.zones == ["*"]));
}

#[test]
fn the_head_says_its_days_by_its_own_clock() {
    let head = shipped().head;
    assert_eq!((head.valid_from.as_str(), head.valid_to, head.currency.as_str()), ("2025-01-01", None, "EUR"));
    assert_eq!((head.rounding_places, head.rounding_mode, head.band_clock), (6, "half_up", "tariff_zone"));
}

#[test]
fn long_lists_say_how_many_more_there_are() {
    assert_eq!(names_text(&["a", "b"], 2), "a, b");
    assert_eq!(names_text(&["a", "b", "c", "d"], 2), "a, b and 2 more");
}
