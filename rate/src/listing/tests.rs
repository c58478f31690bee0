//! The shipped tariff as a list, and the words for prices and allowances.

use serde_json::json;

use crate::listing::allowances::GivenAllowance;
use crate::listing::terms::Terms;
use crate::listing::{Listing, Price, names_text};
use crate::tariff::Tariff;
use crate::tests::fixture::{inline, read, repository};

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

/// Two plans, two zones beside HOME, two bands, and an allowance of each sort.
const ALLOWANCES: &str = r#"
name = "with-allowances"
currency = "EUR"
time_zone = "Europe/Amsterdam"
valid_from = 2026-01-01
home_zone = "HOME"
default_band = "off"
rounding = { places = 4, mode = "half_up" }
destinations.prefixes = { 31 = "NL", 49 = "EU" }

[[band]]
name = "peak"
days = "mon-fri"
from = "08:00"
to = "20:00"

[[plan]]
name = "basis"
mb_bytes = 1000000

[[plan]]
name = "plus"
mb_bytes = 1000000

[[price]]
plan = "*"
kind = "*"
zone = "*"
unit_price = "0.10"

[[allowance]]
name = "minutes"
plan = "basis"
kind = ["voice-mo", "voice-fwd"]
zone = ["NL", "EU"]
units = 600
minimum = 60
roll_over = 1
pro_rata = "days"
setup = "always"

[[allowance]]
name = "credit"
plan = "*"
kind = "*"
zone = "*"
money = "10"
scope = "shared"
priority = 2
weight = -5

[[allowance]]
name = "colleagues"
plan = "plus"
kind = "voice-*"
zone = "NL"
band = "peak"
party = ["own_customer", "own_network"]
unlimited = true
scope = "pooled"

[[allowance]]
name = "roam"
plan = ["basis", "plus"]
kind = "data"
zone = ["HOME"]
fair_use = { price = "10", cap = "1.30", per = 1000000000 }
roll_over = 2

[[allowance]]
name = "one"
plan = "plus"
kind = ["sms-*", "mms-mo"]
zone = "NL"
units = 1
increment = 2
"#;

fn with_allowances() -> Listing {
    Listing::of(&Tariff::load(&inline(ALLOWANCES)).unwrap_or_else(|e| panic!("{e}")))
}

#[test]
fn allowances_are_told_with_what_they_give_and_to_whom() {
    let listing = with_allowances();
    let texts: Vec<String> = listing.allowances.iter().map(|allowance| allowance.text(&listing.head.currency)).collect();
    let expected = [
        "600 seconds of voice-mo, voice-fwd in EU, NL for basis",
        "EUR 10.00 of * in * for *",
        "unlimited voice-* in NL (own_network, peak) for plus",
        // Twice 10 over 1.30 for a gigabyte: 15.384615384... of them, rounded up to the byte.
        "15384615385 bytes of data in HOME for *",
        "1 message of sms-*, mms-mo in NL for plus",
    ];
    assert_eq!(texts, expected);
}

#[test]
fn an_allowance_says_how_it_is_drawn_from() {
    let listing = with_allowances();
    let told = |a: &GivenAllowance| [a.taken_text(), a.order_text(), a.roll_over_text()];
    let texts: Vec<[String; 3]> = listing.allowances.iter().map(told).collect();
    let expected =
        [["60, then 1", "", "1 cycle"], ["", "priority 2, weight -5", ""], ["1", "", ""], ["1", "", "2 cycles"], ["2", "", ""]];
    assert_eq!(texts, expected.map(|texts| texts.map(str::to_owned)));
    let words: Vec<_> = listing.allowances.iter().map(|a| (a.scope, a.setup, a.pro_rata)).collect();
    assert_eq!(words[0], ("personal", Some("always"), "days"));
    assert_eq!(words[1], ("shared", None, "none"), "money takes no setup fee of its own");
    assert_eq!(words[2], ("pooled", Some("if_charged"), "none"));
    assert!(listing.allowances[0].place.ends_with(" line 31"), "{}", listing.allowances[0].place);
}

#[test]
fn programs_read_what_an_allowance_gives_as_a_figure() {
    let listing = with_allowances();
    let json = |n: usize| serde_json::to_value(&listing.allowances[n]).expect("an allowance has a text form");
    let (minutes, credit, colleagues) = (json(0), json(1), json(2));
    assert_eq!((&minutes["units"], &minutes["unit"]), (&json!(600), &json!("seconds")));
    assert_eq!((&credit["money"], &credit["units"], &credit["increment"]), (&json!("10.00"), &json!(null), &json!(null)));
    assert_eq!((&colleagues["unlimited"], &colleagues["party"]), (&json!(true), &json!("own_network")));
}

#[test]
fn a_plan_and_a_zone_keep_the_allowances_that_are_for_them() {
    let kept = |keep: &dyn Fn(&mut Listing)| {
        let mut listing = with_allowances();
        keep(&mut listing);
        listing.allowances.into_iter().map(|allowance| allowance.name).collect::<Vec<_>>()
    };
    assert_eq!(kept(&|listing| listing.keep_plan("basis")), ["minutes", "credit", "roam"]);
    assert_eq!(kept(&|listing| listing.keep_plan("plus")), ["credit", "colleagues", "roam", "one"]);
    assert_eq!(kept(&|listing| listing.keep_zone("EU")), ["minutes", "credit"]);
}
