//! Settling beyond what a table's one tariff and one customer can show: versions, several customers, ties, and what cannot be charged.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::*;
use crate::derive::Priced;
use crate::owner::{Identifier, Owners};
use crate::tariff::Tariff;

mod blocks;
mod discounts;
mod groups;
mod limits;
mod periods;
mod sessions;
mod totals;
mod totals_drawn;

const HEAD: &str = r#"
time_zone = "Europe/Amsterdam"
home_zone = "HOME"
default_band = "any"
rounding = { places = 6, mode = "half_up" }
destinations.prefixes = { 31 = "NL", 32 = "FAR", 33 = "GAP", 34 = "COST", 35 = "FEE" }
[[band]]
name = "night"
days = "mon-sun"
from = "20:00"
to = "06:00"
"#;

/// Calls to NL at 0.01 a second; those to FAR cost less than their setup fee, at night nobody sells calls to GAP, COST is the provider's,
/// and FEE as NL with a setup fee of 0.10.
const PRICES: &str = r#"
[[price]]
plan = ["p", "q"]
kind = "voice-mo"
zone = "NL"
per = 1
unit_price = "0.01"
[[price]]
plan = ["p", "q"]
kind = "voice-mo"
zone = "FAR"
setup = "2000000000"
charge_max = "1"
unit_price = "0.01"
[[price]]
plan = ["p", "q"]
kind = "voice-mo"
zone = "GAP"
band = "any"
increment = 60
minimum = 600
unit_price = "0.60"
[[price]]
plan = ["p", "q"]
kind = "voice-mo"
zone = "FEE"
setup = "0.10"
per = 1
unit_price = "0.01"
[[price]]
plan = "p"
kind = "voice-mo"
zone = "COST"
cost_plus = { percent = "10" }
"#;

/// A version of a tariff that sells the plans `p` and `q`; what a case is about stands in `head` and behind the prices.
fn tariff(head: &str, allowances: &[&str]) -> Rc<Tariff> {
    let plans = "[[plan]]\nname = \"p\"\nband_edge = \"increment\"\n[[plan]]\nname = \"q\"\n";
    let usage = "[[allowance]]\nplan = [\"p\", \"q\"]\nkind = \"voice-mo\"\nzone = \"*\"\n";
    let allowances: Vec<String> = allowances.iter().map(|own| format!("{usage}{own}")).collect();
    let toml = format!("name = \"t\"\n{head}\n{HEAD}{plans}{PRICES}{}", allowances.join("\n"));
    Rc::new(Tariff::read("t", &toml, &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}\n{toml}")))
}

/// A tariff of calls to all zones, with prices of its own: what each says beside plan, kind and zone. So do the allowances that it gives,
/// and the discounts, which have percents.
fn selling(prices: &[&str], given: &[&str]) -> Rc<Tariff> {
    Rc::new(read("", prices, given).unwrap_or_else(|e| panic!("{e}")))
}

/// The same with a line in its head, or what is not understood of it.
fn read(head: &str, prices: &[&str], given: &[&str]) -> Result<Tariff, VerifyError> {
    let usual = ["plan = [\"p\", \"q\"]", "kind = \"voice-mo\"", "zone = \"*\""];
    let section = |name: &str, own: &str| {
        let left_out = usual.iter().filter(|line| !own.contains(line.split('=').next().unwrap_or_default()));
        let usage: Vec<&str> = left_out.copied().collect();
        format!("[[{name}]]\n{}\n{own}\n", usage.join("\n"))
    };
    let prices: String = prices.iter().map(|own| section("price", own)).collect();
    let sort = |own: &str| if own.contains("percent") { "discount" } else { "allowance" };
    let given: String = given.iter().map(|own| section(sort(own), own)).collect();
    let plans = "[[plan]]\nname = \"p\"\nband_edge = \"increment\"\n[[plan]]\nname = \"q\"\n";
    let head = format!("name = \"t\"\ncurrency = \"EUR\"\nvalid_from = 2020-01-01\n{head}");
    Tariff::read("t", &format!("{head}\n{HEAD}{plans}{prices}{given}"), &BTreeMap::new())
}

fn always(allowances: &[&str]) -> Rc<Tariff> {
    tariff("currency = \"EUR\"\nvalid_from = 2020-01-01", allowances)
}

fn us(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().expect("an instant").as_microsecond()
}

/// Windows as subscription, customer, plan, from and to; the number of a window is its place behind 31600000000. Cycles begin on the first.
fn reference(tariffs: Vec<Rc<Tariff>>, windows: &[(&str, &str, &str, &str, &str)]) -> Reference {
    let mut owners = Owners::default();
    for (place, (subscription, customer, plan, from, to)) in windows.iter().enumerate() {
        let name = |text: &str| text.to_owned();
        let number = 31_600_000_000 + u64::try_from(place).expect("a place");
        owners.numbers.insert((Identifier::Msisdn, number), vec![place]);
        owners.customers.insert(name(customer), Customer::new(name("main/x"), 1, "Europe/Amsterdam").expect("a zone"));
        owners.windows.push(Window {
            from_us: us(from),
            to_us: us(to),
            device: name("D"),
            subscription: name(subscription),
            customer: name(customer),
            plan: name(plan),
            group: None,
        });
    }
    Reference { owners, tariffs }
}

/// The same with a group for each of the first windows; `-` is none.
fn in_groups(mut reference: Reference, groups: &[&str]) -> Reference {
    for (window, group) in reference.owners.windows.iter_mut().zip(groups) {
        window.group = Some((*group).to_owned()).filter(|group| group != "-");
    }
    reference
}

const LONG: (&str, &str) = ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");

fn line<'t>(subscription: &'t str, customer: &'t str, plan: &'t str) -> (&'t str, &'t str, &'t str, &'t str, &'t str) {
    (subscription, customer, plan, LONG.0, LONG.1)
}

/// A call from one of the numbers.
fn call<'t>(a_number: &'t str, start: &str, duration_s: i64) -> Entry<'t> {
    let made = Record { kind: "voice-mo", b_number: "31201234567", b_number_type: "e164", ..Record::default() };
    Entry { record: Record { start_us: us(start), duration_s, a_number, ..made }, ..Entry::default() }
}

/// Calls one after the other, within a day.
fn calls<const N: usize>(durations_s: [i64; N]) -> [Entry<'static>; N] {
    let mut minute = 0;
    durations_s.map(|duration_s| {
        minute += 1;
        call(S, &format!("2026-10-10T10:{minute:02}:00Z"), duration_s)
    })
}

/// The same call to another number.
fn to<'t>(b_number: &'t str, call: &Entry<'t>) -> Entry<'t> {
    Entry { record: Record { b_number, ..call.record }, ..*call }
}

fn settled<'r>(reference: &'r Reference, entries: &[Entry<'_>]) -> Vec<Priced<'r>> {
    let derived = reference.settle(entries).unwrap_or_else(|e| panic!("{e}"));
    derived.into_iter().map(|derived| derived.priced).collect()
}

/// What was drawn from which allowances: seconds, else cents.
fn drawn(reference: &Reference, entries: &[Entry<'_>]) -> Vec<(String, i128)> {
    let drawn = settled(reference, entries).into_iter().map(|priced| {
        let Some(drawn) = priced.drawn else { return ("-".to_owned(), 0) };
        let cents = drawn.money_nano.map_or(0, |nano| nano / 10_000_000);
        (drawn.allowance, drawn.units.map_or(cents, i128::from))
    });
    drawn.collect()
}

/// Cents charged and units billed.
fn costs(reference: &Reference, entries: &[Entry<'_>]) -> Vec<(i64, i64)> {
    let charge = |priced: Priced<'_>| priced.charge.map(|charge| (charge.nano / 10_000_000, charge.billed)).expect("a charge");
    settled(reference, entries).into_iter().map(charge).collect()
}

/// What each record comes to: the charge in cents or the reason without one, the allowances, units and cents that it drew.
fn outcomes(reference: &Reference, entries: &[Entry<'_>]) -> Vec<Outcome> {
    settled(reference, entries).into_iter().map(outcome).collect()
}

type Outcome = (Result<i64, &'static str>, String, i64, i128);

fn outcome(priced: Priced<'_>) -> Outcome {
    let charge = priced.charge.map(|charge| charge.nano / 10_000_000);
    let Some(drawn) = priced.drawn else { return (charge, "-".to_owned(), 0, 0) };
    (charge, drawn.allowance, drawn.units.unwrap_or(0), drawn.money_nano.map_or(0, |nano| nano / 10_000_000))
}

/// A charge in cents, and what was drawn beside it.
fn charged(cents: i64, allowance: &str, units: i64, money_cents: i128) -> Outcome {
    (Ok(cents), allowance.to_owned(), units, money_cents)
}

fn named(expected: &[(&str, i128)]) -> Vec<(String, i128)> {
    expected.iter().map(|(name, amount)| ((*name).to_owned(), *amount)).collect()
}

const S: &str = "31600000000";
const T: &str = "31600000001";

#[test]
fn a_new_version_in_a_cycle_grants_nothing_anew_and_the_first_ones_terms_hold() {
    let versions = vec![
        tariff("currency = \"EUR\"\nvalid_from = 2020-01-01\nvalid_to = 2026-10-15", &["name = \"a\"\nunits = 100"]),
        tariff("currency = \"EUR\"\nvalid_from = 2026-10-15", &["name = \"a\"\nunits = 500\nincrement = 60"]),
    ];
    let reference = reference(versions, &[line("S", "c", "p")]);
    let calls = [call(S, "2026-10-10T10:00:00Z", 30), call(S, "2026-10-20T10:00:00Z", 30), call(S, "2026-11-20T10:00:00Z", 481)];
    // How a record is rounded is for its own version to say.
    assert_eq!(drawn(&reference, &calls), named(&[("a", 30), ("a", 60), ("a", 500)]));
    let late = [call(S, "2026-10-20T10:00:00Z", 481)];
    assert_eq!(drawn(&reference, &late), named(&[("a", 100)]));
}

#[test]
fn another_scope_or_currency_is_another_bucket() {
    let versions = |first: &str, second: &str, currency: &str| {
        let head = format!("currency = \"{currency}\"\nvalid_from = 2026-10-15");
        vec![
            tariff("currency = \"EUR\"\nvalid_from = 2020-01-01\nvalid_to = 2026-10-15", &[&format!("name = \"a\"\n{first}")]),
            tariff(&head, &[&format!("name = \"a\"\n{second}")]),
        ]
    };
    let windows = [line("S", "c", "p"), line("T", "c", "q")];
    let calls = [
        call(S, "2026-10-10T10:00:00Z", 90),
        call(T, "2026-10-11T10:00:00Z", 90),
        call(S, "2026-10-20T10:00:00Z", 90),
        call(T, "2026-10-21T10:00:00Z", 150),
    ];
    let cases = [
        ("units = 100", "units = 100\nscope = \"shared\"", "EUR", [("a", 90), ("a", 90), ("a", 90), ("a", 10)]),
        ("units = 100", "units = 100\nscope = \"pooled\"", "EUR", [("a", 90), ("a", 90), ("a", 90), ("a", 110)]),
        (
            "units = 100\nscope = \"shared\"",
            "units = 100\nscope = \"pooled\"",
            "EUR",
            [("a", 90), ("a", 10), ("a", 90), ("a", 110)],
        ),
        ("money = \"1.00\"", "money = \"1.00\"", "EUR", [("a", 90), ("a", 90), ("a", 10), ("a", 10)]),
        ("money = \"1.00\"", "money = \"1.00\"", "USD", [("a", 90), ("a", 90), ("a", 90), ("a", 100)]),
        ("money = \"1.00\"", "units = 100", "EUR", [("a", 90), ("a", 90), ("a", 90), ("a", 100)]),
    ];
    for (first, second, currency, expected) in cases {
        let reference = reference(versions(first, second, currency), &windows);
        assert_eq!(drawn(&reference, &calls), named(&expected), "{first}, then {second} in {currency}");
    }
}

#[test]
fn a_part_of_a_cycle_gives_by_the_customers_days_that_any_line_touches() {
    let windows = [
        // From the last second of 10 October on, local time, to the first of 12 October; then the last day and an hour of the clock change.
        ("S", "c", "p", "2026-10-10T21:59:59Z", "2026-10-11T22:00:01Z"),
        ("T", "c", "q", "2026-10-31T22:59:59Z", "2026-11-20T00:00:00Z"),
        ("S", "c", "other", "2026-10-13T00:00:00Z", "2026-10-30T00:00:00Z"),
        ("S", "c", "q", "2026-10-12T20:00:00Z", "2026-10-12T22:00:00Z"),
    ];
    let calls = [call(S, "2026-10-11T10:00:00Z", 5_000), call(T, "2026-10-31T22:59:59Z", 5_000)];
    let cases = [
        ("personal", [("a", 97), ("a", 33)]), // 1000 × 3 / 31 and 1000 × 1 / 31
        ("shared", [("a", 130), ("-", 0)]),   // 1000 × 4 / 31
        ("pooled", [("a", 130), ("-", 0)]),   // 97 + 33
    ];
    for (scope, expected) in cases {
        let own = format!("name = \"a\"\nunits = 1000\npro_rata = \"days\"\nscope = \"{scope}\"");
        let reference = reference(vec![always(&[&own])], &windows);
        assert_eq!(drawn(&reference, &calls), named(&expected), "{scope}");
    }
}

#[test]
fn a_plan_that_falls_back_has_the_allowances_of_the_plan_that_it_is_sold_as() {
    let head = "currency = \"EUR\"\nvalid_from = 2020-01-01\nfallback_plan = \"q\"";
    let reference = reference(
        vec![tariff(head, &["name = \"a\"\nunits = 100\nscope = \"pooled\""])],
        &[line("S", "c", "unknown"), line("T", "c", "p")],
    );
    assert_eq!(drawn(&reference, &[call(S, "2026-10-10T10:00:00Z", 250)]), named(&[("a", 200)]));
}

#[test]
fn customers_share_nothing_and_lines_only_what_is_shared() {
    let tariffs = || vec![always(&["name = \"a\"\nunits = 100", "name = \"b\"\nunits = 50\nscope = \"shared\""])];
    let calls = [call(S, "2026-10-10T10:00:00Z", 120), call(T, "2026-10-11T10:00:00Z", 140)];
    let one = reference(tariffs(), &[line("S", "c", "p"), line("T", "c", "p")]);
    assert_eq!(drawn(&one, &calls), named(&[("a+b", 120), ("a+b", 130)]));
    let two = reference(tariffs(), &[line("S", "c", "p"), line("T", "d", "p")]);
    assert_eq!(drawn(&two, &calls), named(&[("a+b", 120), ("a+b", 140)]));
    let handed_over = reference(tariffs(), &[line("S", "c", "p"), line("S", "c", "q")]);
    assert_eq!(drawn(&handed_over, &calls), named(&[("a+b", 120), ("b", 30)]));
}

#[test]
fn what_began_together_draws_by_key_then_delivery_then_row() {
    let reference = reference(vec![always(&["name = \"a\"\nunits = 100"])], &[line("S", "c", "p")]);
    let at = call(S, "2026-10-10T10:00:00Z", 60);
    let entry = |key, delivery, row| Entry { key, delivery, row, ..at };
    let (late, high) = (call(S, "2026-10-10T10:00:01Z", 60), u128::from(u64::MAX) + 1);
    let entries = [late, entry(high, "00", 0), entry(1, "b0", 2), entry(1, "b0", 10), entry(1, "a0", 99)];
    assert_eq!(drawn(&reference, &entries), named(&[("-", 0), ("-", 0), ("a", 40), ("-", 0), ("a", 60)]));
}

#[test]
fn a_record_of_which_what_is_left_cannot_be_charged_draws_nothing() {
    let always = always(&["name = \"a\"\nunits = 100\nsetup = \"always\""]);
    let reference = reference(vec![always], &[line("S", "c", "p")]);
    let far = |start: &str, duration_s| to("32201234567", &call(S, start, duration_s));
    // Covered whole, the setup fee that bounds would hold down is beyond all charges. What is left of it goes through the bounds.
    let calls = [far("2026-10-10T10:00:00Z", 60), call(S, "2026-10-11T10:00:00Z", 40), far("2026-10-12T10:00:00Z", 61)];
    let results = settled(&reference, &calls);
    assert_eq!(results[0].charge.map(|charge| (charge.billed, charge.nano)), Ok((60, 1_000_000_000)));
    assert_eq!((&results[0].drawn, results[0].is_covered), (&None, true));
    assert_eq!(drawn(&reference, &calls), named(&[("-", 0), ("a", 40), ("a", 60)]));
    assert_eq!(results[2].charge.map(|charge| (charge.billed, charge.nano)), Ok((1, 1_000_000_000)));
    // Without the price's minimum, which reaches over the edge, an increment begins behind it, where nobody sells.
    let gap = to("33201234567", &call(S, "2026-10-10T17:51:00Z", 595));
    let results = settled(&reference, &[gap, call(S, "2026-10-11T10:00:00Z", 100)]);
    // Alone it costs what its minimum says: 600 seconds at 0.01.
    assert_eq!(results[0].charge.map(|charge| (charge.billed, charge.nano)), Ok((600, 6_000_000_000)));
    assert_eq!(results[0].drawn, None);
    assert_eq!(results[1].drawn.as_ref().and_then(|drawn| drawn.units), Some(100));
}

#[test]
fn the_providers_cost_is_paid_from_money_and_never_from_units() {
    let call = call(S, "2026-10-10T10:00:00Z", 60);
    let passed_on = Record { b_number: "34201234567", cost_nano: Some(500_000_000), cost_currency: "EUR", ..call.record };
    let call = Entry { record: passed_on, ..call };
    let money = reference(vec![always(&["name = \"a\"\nmoney = \"0.40\""])], &[line("S", "c", "p")]);
    assert_eq!(drawn(&money, &[call]), named(&[("a", 40)]));
    assert_eq!(settled(&money, &[call])[0].charge.map(|charge| (charge.billed, charge.nano)), Ok((60, 150_000_000)));
    let units = reference(vec![always(&["name = \"a\"\nunits = 100"])], &[line("S", "c", "p")]);
    assert!(matches!(units.settle(&[call]), Err(VerifyError::Tariff { .. })));
}

#[test]
fn records_that_nothing_covers_and_those_of_nobody_come_out_as_they_are_derived() {
    let mut reference = reference(vec![always(&["name = \"a\"\nunits = 100"])], &[line("S", "c", "p"), line("T", "d", "p")]);
    reference.owners.customers.remove("d");
    let calls = [
        call(T, "2026-10-10T10:00:00Z", 300),
        call("31600000009", "2026-10-10T10:00:00Z", 60),
        call(S, "2026-10-10T10:00:00Z", 0),
    ];
    let derived: Vec<_> = calls.iter().map(|entry| reference.derive(&entry.record).expect("a record")).collect();
    assert_eq!(reference.settle(&calls), Ok(derived.clone()));
    assert_eq!(derived.iter().map(|derived| derived.priced.is_covered).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(derived[0].priced.drawn.as_ref().and_then(|drawn| drawn.units), Some(300));
}

#[test]
fn while_nothing_runs_out_the_first_allowance_takes_all() {
    let first = |allowances: &[&str]| {
        let reference = reference(vec![always(allowances)], &[line("S", "c", "p")]);
        let drawn = reference.derive(&call(S, "2026-10-10T10:00:00Z", 61).record).expect("a record").priced.drawn;
        drawn.map(|drawn| (drawn.allowance, drawn.units, drawn.money_nano))
    };
    let cases: [(&[&str], _); 8] = [
        (&["name = \"a\"\nunits = 1", "name = \"b\"\nunits = 1\npriority = -1\nincrement = 60"], ("b", Some(120), None)),
        (&["name = \"a\"\nunits = 1", "name = \"b\"\nunlimited = true\nweight = 1\nminimum = 90"], ("b", Some(90), None)),
        (&["name = \"a\"\nunits = 1\nroll_over = 1", "name = \"b\"\nunits = 1"], ("b", Some(61), None)),
        (&["name = \"a\"\nunits = 1", "name = \"b\"\nunits = 1"], ("a", Some(61), None)),
        (&["name = \"a\"\nunits = 1\nevery = \"quarter\"", "name = \"b\"\nunits = 1\nevery = \"day\""], ("a", Some(61), None)),
        (
            &["name = \"a\"\nunits = 1\nevery = \"day\"\nroll_over = 1", "name = \"b\"\nunits = 1\nevery = \"quarter\""],
            ("b", Some(61), None),
        ),
        (&["name = \"a\"\nmoney = \"0.01\"", "name = \"b\"\nmoney = \"9\""], ("a", None, Some(610_000_000))),
        (&["name = \"a\"\nmoney = \"0.01\"", "name = \"b\"\nunits = 1\npriority = 9"], ("b", Some(61), None)),
    ];
    for (allowances, (name, units, money)) in cases {
        assert_eq!(first(allowances), Some((name.to_owned(), units, money)), "{allowances:?}");
    }
}
