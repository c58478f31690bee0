//! Lines of a cycle, worked out by hand: each test is a table as tests/rating has them, the sum beside each row.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::money::{Currency, Money};
use domain::period::Month;

use crate::lines::{AMOUNT_NANO_MAX, Case, LateUsage, Line, LineBook, LineError, LineKind, Quantity, Usage, UsageKey, lines};
use crate::tariff::Tariff;
use crate::tariff::set::{BoundTariffs, TariffSet};
use crate::tests::fixture::{inline, owners};
use crate::tests::lines::run;

/// A tariff for some days that sells `a` and `b`; calls to NL and BE have a price.
fn tariff(name: &str, days: &str, more: &str) -> String {
    format!(
        "name = \"{name}\"\ncurrency = \"EUR\"\ntime_zone = \"Europe/Amsterdam\"\n{days}\nhome_zone = \"HOME\"\n\
         default_band = \"any\"\ndestinations.prefixes = {{ 31 = \"NL\", 32 = \"BE\" }}\n\
         rounding = {{ places = 6, mode = \"half_up\" }}\n\n[[plan]]\nname = \"a\"\n\n[[plan]]\nname = \"b\"\n\n[[price]]\nplan = \"*\"\n\
         kind = \"voice-*\"\nzone = [\"NL\", \"BE\"]\nunit_price = \"0.10\"\n\n{more}"
    )
}

const OPEN: &str = "valid_from = 2026-01-01";

/// Until the end of October, and from then on.
const HALVES: [&str; 2] = ["valid_from = 2026-01-01\nvalid_to = 2026-11-01", "valid_from = 2026-11-01"];

fn holds(tariffs: &[String], rows: &str) {
    let words = ["tariff:", "also:", "also:"];
    let text: String = tariffs.iter().zip(words).map(|(tariff, word)| [word, tariff, "---\n"].join("\n")).collect();
    let mut failures = String::new();
    assert!(run("inline", &format!("{text}{rows}"), &mut failures) > 0, "no row was found");
    assert!(failures.is_empty(), "\n{failures}");
}

/// Both versions of a tariff with a fee or commitment that is not the same in both.
fn versions(first: &str, second: &str) -> [String; 2] {
    [tariff("t", HALVES[0], first), tariff("t", HALVES[1], second)]
}

const FEE: &str = "[[fee]]\nname = \"fee\"\nplan = \"a\"\n";

const COMMITMENT: &str = "[[commitment]]\nname = \"least\"\nplan = \"a\"\n";

#[test]
fn each_day_costs_what_the_version_of_that_day_says() {
    let both = versions(
        &format!("{FEE}amount = \"12.40\"\npro_rata = \"days\""),
        &format!("{FEE}amount = \"15.50\"\nevery = \"quarter\""),
    );
    // The cycle from 15 October has 31 days; the second version says neither days nor cycles, but that holds from its next period on.
    let rows = "customer: 15\nline: s1 a 2026-10-20 -\nclose: 2026-10\nkind | item | amount | days | remark\n";
    let split = format!(
        "{rows}recurring | fee | FIRST | 12/31 | 20 to 31 October\nrecurring | fee | SECOND | 14/31 | 1 to 14 November\n"
    );
    // Lines stand in the order of the versions' names, which are hashes of texts.
    let (first, second) = (("4.80", "12.40 x 12 of 31"), ("7.00", "15.50 x 14 of 31"));
    let ids = both.each_ref().map(|toml| Tariff::load(&inline(toml)).unwrap_or_else(|e| panic!("{e}")).id().clone());
    let mut lines: Vec<&str> = split.lines().collect();
    let at = lines.len() - 2;
    if ids[0] > ids[1] {
        lines.swap(at, at + 1);
    }
    holds(&both, &lines.join("\n").replace("FIRST", first.0).replace("SECOND", second.0));
}

#[test]
fn a_whole_fee_is_that_of_the_first_day() {
    let both = versions(&format!("{FEE}amount = \"12.50\""), &format!("{FEE}amount = \"99.00\"\npro_rata = \"days\""));
    let rows = "customer: 15
        line: s1 a 2026-10-31 2026-11-10
        line: s2 a 2026-11-01 2026-11-04
        line: s3 b 2026-10-15 -
        close: 2026-10
        kind | line | plan | item | cycle | exact | amount | days | remark
        recurring | s1 | a | fee | 2026-10 | 12.50 | 12.50 | - | one day of the first version is enough
        recurring | s2 | a | fee | 2026-10 | 9.580645161 | 9.58 | 3/31 | 99.00 x 3 of 31 = 9.58064516129
        close: 2026-12";
    holds(&both, &plain(rows));
}

/// Without what is before a line.
fn plain(text: &str) -> String {
    text.lines().map(str::trim_start).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_quarter_is_charged_with_its_last_cycle_over_all_its_days() {
    let fee = format!("{FEE}amount = \"92.00\"\nevery = \"quarter\"\npro_rata = \"days\"\nscope = \"shared\"");
    let rows = "customer: 1
        line: s1 a 2026-10-11 2026-10-21
        line: s2 a 2026-10-16 2026-11-01
        close: 2026-10
        close: 2026-11
        close: 2026-12
        kind | line | plan | item | cycle | exact | amount | days | remark
        recurring | - | a | fee | 2026-12 | 21.00 | 21.00 | 21/92 | 11 to 31 October, each day once
        close: 2027-03";
    holds(&[tariff("t", OPEN, &fee)], &plain(rows));
}

#[test]
fn no_cycle_of_a_quarter_is_charged_beside_it() {
    let both = versions(&format!("{FEE}amount = \"30.00\"\nevery = \"quarter\""), &format!("{FEE}amount = \"10.00\""));
    let rows = "customer: 1
        line: s1 a 2026-01-01 -
        close: 2026-11
        close: 2026-12
        kind | line | item | cycle | amount | remark
        recurring | s1 | fee | 2026-12 | 30.00 | what its first day says holds for the quarter
        close: 2027-01
        recurring | s1 | fee | 2027-01 | 10.00 | cycles from then on";
    holds(&both, &plain(rows));
}

#[test]
fn once_is_once_over_all_tariffs_and_plans() {
    let fee = |amount: &str, plan: &str| {
        format!("[[fee]]\nname = \"setup\"\nplan = \"{plan}\"\nevery = \"once\"\namount = \"{amount}\"")
    };
    let both = versions(&fee("25.00", "a"), &fee("30.00", "*"));
    let rows = "customer: 1
        line: s1 b 2026-10-01 2026-10-15
        line: s1 a 2026-10-15 2026-10-16
        line: s2 b 2026-10-01 2026-11-20
        line: s2 a 2026-11-20 -
        close: 2026-10
        kind | line | plan | item | cycle | amount | remark
        one_time | s1 | a | setup | 2026-10 | 25.00 | b does not ask it yet
        close: 2026-11
        one_time | s2 | b | setup | 2026-11 | 30.00 | b asks it from 1 November on
        close: 2026-12";
    holds(&both, &plain(rows));
}

#[test]
fn usage_and_fees_of_the_plans_count_for_a_minimum() {
    let more = format!(
        "{FEE}amount = \"5.00\"\n\n[[fee]]\nname = \"setup\"\nplan = \"a\"\namount = \"7.00\"\nevery = \"once\"\n\n\
         [[fee]]\nname = \"other\"\nplan = \"b\"\namount = \"1.00\"\n\n\
         {COMMITMENT}amount = \"30.00\"\nfees = true\nkind = \"voice-mo\"\nzone = \"NL\"\n\n\
         [[commitment]]\nname = \"own\"\nplan = \"*\"\namount = \"3.00\"\nscope = \"personal\""
    );
    let rows = "customer: 1
        line: s1 a 2026-10-01 -
        line: s2 b 2026-10-01 -
        usage: s1 a voice-mo NL any 2.00 60 2026-10
        usage: s1 a voice-mo BE any 0.40 60 2026-10
        usage: s1 a voice-mt NL any 0.30 60 2026-10
        usage: s2 b voice-mo NL any 4.00 60 2026-10
        usage: s1 a voice-mo NL any 9.00 60 2026-09
        close: 2026-10
        kind | line | plan | item | exact | amount | committed | remark
        usage | s1 | a | voice-mo BE any | 0.40 | 0.40 | - | of s1
        usage | s1 | a | voice-mo NL any | 2.00 | 2.00 | - | of s1
        usage | s1 | a | voice-mt NL any | 0.30 | 0.30 | - | of s1
        usage | s2 | b | voice-mo NL any | 4.00 | 4.00 | - | of s2
        recurring | s1 | a | fee | 5.00 | 5.00 | - | each cycle
        recurring | s2 | b | other | 1.00 | 1.00 | - | each cycle
        one_time | s1 | a | setup | 7.00 | 7.00 | - | does not count
        commitment | - | a | least | 23.00 | 23.00 | 30.00 | 30.00 - 2.00 to NL - 5.00 of the fee
        commitment | s1 | a | own | 0.30 | 0.30 | 3.00 | 3.00 - 2.70
        commitment | s2 | b | own | 0 | 0 | 3.00 | 4.00 are more than 3.00";
    holds(&[tariff("t", OPEN, &more)], &plain(rows));
}

#[test]
fn what_is_committed_by_days_is_the_sum_of_its_versions_rounded_once() {
    let both = versions(
        &format!("{COMMITMENT}amount = \"100.00\"\npro_rata = \"days\""),
        &format!("{COMMITMENT}amount = \"200.00\"\npro_rata = \"days\""),
    );
    let rows = "customer: 15
        line: s1 a 2026-10-22 -
        usage: s1 a voice-mo NL any 0.005 60 2026-10
        close: 2026-10
        kind | line | item | exact | amount | committed | days | remark
        usage | s1 | voice-mo NL any | 0.005 | 0.01 | - | - | to the cent
        commitment | - | least | 122.575645161 | 122.58 | 122.580645161 | 24/31 | (100.00 x 10 + 200.00 x 14) / 31 = 122.58064516129";
    holds(&both, &plain(rows));
}

#[test]
fn late_usage_changes_a_minimum_that_was_posted_and_not_below_zero() {
    let quarterly = format!("{COMMITMENT}amount = \"10.00\"\nevery = \"quarter\"");
    let rows = "customer: 1
        line: s1 a 2026-10-01 2026-12-31
        usage: s1 a voice-mo NL any 4.00 60 2026-10
        close: 2026-10
        kind | line | plan | item | cycle | exact | amount | remark
        usage | s1 | a | voice-mo NL any | 2026-10 | 4.00 | 4.00 | of the first cycle
        close: 2026-11
        close: 2026-12
        commitment | - | a | least | 2026-12 | 6.00 | 6.00 | 10.00 - 4.00
        usage: s1 a voice-mo NL any 8.00 60 2026-11
        close: 2027-01
        late | s1 | a | voice-mo NL any | 2026-11 | 8.00 | 8.00 | came late
        late | - | a | least | 2026-12 | -6.00 | -6.00 | 12.00 are more than 10.00: nothing is missing
        usage: s1 a voice-mo NL any -11.00 60 2026-11
        close: 2027-02
        late | s1 | a | voice-mo NL any | 2026-11 | -11.00 | -11.00 | was taken back
        late | - | a | least | 2026-12 | 9.00 | 9.00 | 10.00 - 1.00, of which nothing is asked any more
        close: 2027-03";
    holds(&[tariff("t", OPEN, &quarterly)], &plain(rows));
}

#[test]
fn what_a_fallback_tariff_sells_is_charged_as_its_plan() {
    let own = tariff("own", OPEN, "");
    let fallback = tariff("rest", OPEN, &format!("{FEE}amount = \"5.00\"\n\n{COMMITMENT}amount = \"8.00\"\nfees = true"))
        .replace("name = \"a\"\n", "name = \"c\"\n")
        .replace("name = \"b\"\n", "name = \"d\"\n")
        .replace("plan = \"a\"", "plan = \"c\"")
        .replace("home_zone", "fallback_plan = \"c\"\nhome_zone");
    let rows = "customer: 1
        line: s1 a 2026-10-01 -
        line: s2 nobodys 2026-10-01 -
        usage: s1 a voice-mo NL any 2.00 60 2026-10
        usage: s2 nobodys voice-mo NL any 1.00 60 2026-10
        close: 2026-10
        kind | line | plan | item | exact | amount | remark
        usage | s1 | a | voice-mo NL any | 2.00 | 2.00 | by its own tariff
        usage | s2 | nobodys | voice-mo NL any | 1.00 | 1.00 | by the other one
        recurring | s2 | nobodys | fee | 5.00 | 5.00 | plan c stands for it
        commitment | - | nobodys | least | 2.00 | 2.00 | 8.00 - 1.00 - 5.00";
    holds(&[own, fallback], &plain(rows));
}

#[test]
fn an_invoice_is_rounded_by_tax_class_and_by_each_roundings_lines() {
    let dimes = "[[fee]]\nname = \"x\"\nplan = \"a\"\namount = \"1.04\"\ntax_class = \"low\"\n\n[[fee]]\nname = \"y\"\nplan = \"a\"\namount = \"1.04\"";
    let invoice = "rounding = { places = 6, mode = \"half_up\", invoice = { places = 1, mode = \"down\" } }";
    let toml = tariff("t", OPEN, dimes).replace("rounding = { places = 6, mode = \"half_up\" }", invoice);
    let rows = "customer: 1
        line: s1 a 2026-10-01 -
        usage: s1 gone voice-mo NL any 0.07 60 2026-10
        close: 2026-10
        kind | line | plan | item | exact | amount | tax | remark
        usage | s1 | gone | voice-mo NL any | 0.07 | 0.07 | - | no tariff sells it: to the cent, and so is its sum
        recurring | s1 | a | x | 1.04 | 1.04 | low | its own class
        recurring | s1 | a | y | 1.04 | 1.04 | - | the head has none
        rounding | - | - | - | 0 | -0.04 | - | 1.04 becomes 1.0
        rounding | - | - | - | 0 | -0.04 | low | 1.04 becomes 1.0";
    holds(&[toml], &plain(rows));
}

fn bound(toml: &str) -> BoundTariffs {
    let tariff = Tariff::load(&inline(toml)).unwrap_or_else(|e| panic!("{e}"));
    Arc::new(TariffSet::build(vec![tariff]).expect("one tariff")).bind(&owners(&["a"], 1))
}

fn of_a(charge: i128) -> Usage {
    let key = UsageKey {
        subscription: "s1".into(),
        plan: "a".into(),
        kind: "voice-mo".into(),
        zone: "NL".into(),
        band: "any".into(),
        currency: Currency::EUR,
        tax_class: None,
        tax: "excluded".into(),
    };
    let quantity = Quantity { count: 1, seconds: 60, billed_units: 60, ..Quantity::default() };
    Usage { key, period: Month::parse("2026-10").expect("a month"), quantity, charge: Money(charge) }
}

fn closed(customer: &str, usage: &[Usage], posted: &[Line]) -> Result<Vec<Line>, LineError> {
    let bound = bound(&tariff("t", OPEN, &format!("{FEE}amount = \"5.00\"")));
    let (cycle, before) = if posted.is_empty() { ("2026-10", None) } else { ("2026-11", Month::parse("2026-10")) };
    let (cycle, closed) = (Month::parse(cycle).expect("a month"), before.into_iter().collect::<BTreeSet<_>>());
    lines(&Case { customer, cycle, closed: &closed, usage, posted, late: LateUsage::Next }, &LineBook::of(&bound))
}

#[test]
fn a_customer_who_is_not_known_has_lines_of_usage() {
    let usage = [of_a(1_234_500_000)];
    let known = closed("customer", &usage, &[]).expect("it fits");
    assert_eq!(known.iter().map(|line| line.kind).collect::<Vec<_>>(), [LineKind::Usage, LineKind::Recurring]);
    let unknown = closed("nobody", &usage, &[]).expect("it fits");
    assert_eq!(unknown, known[..1]);
    assert_eq!((unknown[0].exact, unknown[0].amount), (Money(1_234_500_000), Money(1_230_000_000)));
    assert_eq!(known[1].says.as_deref(), Some("5.00 each cycle"));
}

#[test]
fn what_is_gone_is_taken_back_with_its_quantities() {
    let posted = closed("nobody", &[of_a(1_234_500_000)], &[]).expect("it fits");
    let late = closed("nobody", &[], &posted).expect("it fits");
    assert_eq!(late.iter().map(|line| line.kind).collect::<Vec<_>>(), [LineKind::Late]);
    assert_eq!(late[0].quantity, Quantity { count: -1, seconds: -60, billed_units: -60, ..Quantity::default() });
    assert_eq!((late[0].exact, late[0].amount), (Money(-1_234_500_000), Money(-1_230_000_000)));
    assert_eq!(late[0].says.as_deref(), Some("0.00 now, 1.2345 before"));
    let all: Vec<Line> = posted.into_iter().chain(late).collect();
    assert_eq!(closed("nobody", &[], &all), Ok(Vec::new()), "it is told once");
}

#[test]
fn what_no_table_holds_is_refused_with_its_name() {
    let most = AMOUNT_NANO_MAX;
    assert_eq!(closed("nobody", &[of_a(most)], &[]).map(|lines| lines.len()), Ok(1));
    for usage in [
        vec![of_a(most + 1)],
        vec![of_a(most), of_a(1)],
        vec![Usage { quantity: Quantity { bytes: i64::MAX, ..Quantity::default() }, ..of_a(0) }; 2],
    ] {
        let error = closed("nobody", &usage, &[]).expect_err("it is too large").to_string();
        assert!(
            error.starts_with("customer `nobody`: what `s1 voice-mo NL any` comes to is beyond what the table holds"),
            "{error}"
        );
    }
}

#[test]
fn a_minimum_whose_version_is_gone_is_held_against_the_one_in_force() {
    let of = |zone: &str| tariff("t", OPEN, &format!("{COMMITMENT}amount = \"9.00\"\nzone = \"{zone}\""));
    let (october, november) = (Month::parse("2026-10").expect("a month"), Month::parse("2026-11").expect("a month"));
    let closed = |toml: &str, cycle, before: &[Month], usage: &[Usage], posted: &[Line]| -> Vec<Line> {
        let (bound, closed) = (bound(toml), before.iter().copied().collect());
        let case = Case { customer: "customer", cycle, closed: &closed, usage, posted, late: LateUsage::Correct };
        let mut all = lines(&case, &LineBook::of(&bound)).expect("it fits");
        all.retain(|line| line.item.is_some());
        all
    };
    let missing = |lines: &[Line]| lines.iter().map(|line| (line.kind, line.period, line.exact)).collect::<Vec<_>>();
    let posted = closed(&of("NL"), october, &[], &[], &[]);
    assert_eq!(missing(&posted), [(LineKind::Commitment, october, Money(9_000_000_000))]);
    // 2.00 to NL came late: they count for the version that was posted, and not for the one that has taken its place.
    let late = [of_a(2_000_000_000)];
    let new = (LineKind::Commitment, november, Money(9_000_000_000));
    let then = closed(&of("NL"), november, &[october], &late, &posted);
    assert_eq!(missing(&then), [new, (LineKind::Correction, october, Money(-2_000_000_000))]);
    assert_eq!(then[1].says.as_deref(), Some("9.00 committed, 2.00 counted now, 9.00 asked before"));
    assert_eq!(missing(&closed(&of("BE"), november, &[october], &late, &posted)), [new]);
    assert_eq!(missing(&closed(&of("*"), november, &[october], &late, &posted)).len(), 2);
}

#[test]
fn kinds_are_read_back() {
    for kind in LineKind::ALL {
        assert_eq!(LineKind::parse(kind.as_str()), Some(kind));
    }
    assert_eq!(LineKind::parse("fee"), None);
}
