//! What the tables of lines do not show: fields beside the amounts, parts of days, other zones and currencies, and versions that are gone.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::*;
use crate::derive::Reference;
use crate::owner::{Customer, Owners, Window};
use crate::tariff::Tariff;

const OCTOBER: i32 = 2026 * 12 + 9;

const HEAD: &str = r#"
currency = "EUR"
time_zone = "Europe/Amsterdam"
tax = "included"
tax_class = "high"
home_zone = "HOME"
default_band = "any"
rounding = { places = 9, mode = "half_up", line = { places = 2, mode = "MODE" } }
plan = [{ name = "p" }, { name = "q" }]
"#;

/// A version of the tariff: its days, how lines are rounded, and fees and commitments.
fn tariff(name: &str, days: &str, mode: &str, charges: &str) -> Rc<Tariff> {
    let toml = format!("name = \"{name}\"\n{days}\n{}\n{charges}", HEAD.replace("MODE", mode));
    Rc::new(Tariff::read(name, &toml, &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}\n{toml}")))
}

fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().expect("an instant").as_microsecond()
}

/// Customer `c` with a line `s` that has plan `p` between two instants.
fn reference(zone: &str, from: &str, to: &str, tariffs: Vec<Rc<Tariff>>) -> Reference {
    let name = |text: &str| text.to_owned();
    let window = Window {
        from_us: at(from),
        to_us: at(to),
        device: name("d"),
        subscription: name("s"),
        customer: name("c"),
        plan: name("p"),
        group: None,
    };
    let customer = Customer::new("c".to_owned(), 1, zone).expect("a zone");
    let owners = Owners { windows: vec![window], customers: [("c".to_owned(), customer)].into(), ..Owners::default() };
    Reference { owners, tariffs }
}

fn used(cycle: i32, currency: &str, sums: Sums) -> Usage {
    let name = |text: &str| text.to_owned();
    Usage {
        cycle,
        subscription: name("s"),
        plan: name("p"),
        kind: name("voice-mo"),
        zone: name("NL"),
        band: name("any"),
        currency: name(currency),
        tax_class: None,
        tax: name("included"),
        sums,
    }
}

fn charged(exact_nano: i128) -> Sums {
    Sums { records: 1, exact_nano, ..Sums::default() }
}

/// The lines of a cycle before which one other was closed, if lines of it were posted.
fn lines(reference: &Reference, cycle: i32, usage: &[Usage], posted: &[Line]) -> Vec<Line> {
    let closed: BTreeSet<i32> = posted.iter().map(|line| line.cycle).collect();
    let closing = Closing { customer: "c", cycle, closed: &closed, late: Late::Next, usage, posted };
    Book::of(reference).lines(&closing).expect("lines")
}

#[test]
fn a_line_says_all_that_it_is_made_of() {
    let charges = "[[fee]]\nname = \"f\"\nplan = \"*\"\namount = \"3.10\"\npro_rata = \"days\"\ntax_class = \"low\"\n\
                   [[commitment]]\nname = \"m\"\nplan = \"p\"\namount = \"6.20\"\npro_rata = \"days\"";
    let tariffs = vec![tariff("t", "valid_from = 2025-01-01", "half_up", charges)];
    let version = Some(tariffs[0].version.clone());
    // From noon of the 22nd on: ten days are touched.
    let reference = reference("Europe/Amsterdam", "2026-10-22T10:00:00Z", "2026-10-31T23:00:00Z", tariffs);
    let sums = Sums { records: 2, seconds: 61, bytes: 3, messages: 4, billed: 120, exact_nano: 1_234_500_000 };
    let usage = [used(OCTOBER, "EUR", sums), used(OCTOBER, "USD", charged(9_000_000_000))];
    let found = lines(&reference, OCTOBER, &usage, &[]);
    let name = |text: &str| Some(text.to_owned());
    let first = Line {
        kind: Kind::Usage,
        cycle: OCTOBER,
        subscription: name("s"),
        plan: name("p"),
        item: None,
        usage_kind: name("voice-mo"),
        zone: name("NL"),
        band: name("any"),
        currency: "EUR".to_owned(),
        tax_class: None,
        tax: "included".to_owned(),
        sums,
        exact_nano: 1_234_500_000,
        amount_nano: 1_230_000_000,
        committed_nano: None,
        days: None,
        tariff: version,
    };
    let dollars = Line {
        currency: "USD".to_owned(),
        sums: charged(9_000_000_000),
        exact_nano: 9_000_000_000,
        amount_nano: 9_000_000_000,
        ..first.clone()
    };
    let none = Line { usage_kind: None, zone: None, band: None, sums: Sums::default(), days: Some((10, 31)), ..first.clone() };
    let fee = Line {
        kind: Kind::Recurring,
        item: name("f"),
        tax_class: name("low"),
        exact_nano: 1_000_000_000,
        amount_nano: 1_000_000_000,
        ..none.clone()
    };
    let commitment = Line {
        kind: Kind::Commitment,
        subscription: None,
        item: name("m"),
        tax_class: name("high"),
        exact_nano: 765_500_000,
        amount_nano: 770_000_000,
        committed_nano: Some(2_000_000_000),
        ..none
    };
    assert_eq!(commitment.difference_nano(), 4_500_000);
    let expected = [first.clone(), dollars.clone(), fee, commitment.clone()];
    assert_eq!(found, expected);

    // One record more of nothing but bytes, and dollars that no commitment in euros counts.
    let more = Sums { bytes: 7, ..Sums::default() };
    let late = [usage[0].clone(), usage[1].clone(), used(OCTOBER, "EUR", more), used(OCTOBER, "USD", charged(1))];
    let found = lines(&reference, OCTOBER + 1, &late, &found);
    let nothing = Line { kind: Kind::Late, sums: more, exact_nano: 0, amount_nano: 0, ..first };
    let cents = Line { kind: Kind::Late, sums: charged(1), exact_nano: 1, amount_nano: 0, ..dollars };
    assert_eq!(found, [nothing, cents]);
}

#[test]
fn a_day_of_the_customer_is_the_version_s_in_which_it_begins() {
    let fee = |amount: &str| format!("[[fee]]\nname = \"f\"\nplan = \"p\"\namount = \"{amount}\"\npro_rata = \"days\"");
    let tariffs = || {
        let first = tariff("t1", "valid_from = 2025-01-01\nvalid_to = 2026-10-16", "half_up", &fee("31.00"));
        vec![tariff("t2", "valid_from = 2026-10-16", "half_up", &fee("62.00")), first]
    };
    // Midnight of Amsterdam is six in the evening of New York, and seven in the morning of Tokyo.
    let cases = [
        ("America/New_York", "2026-10-01T04:00:00Z", "2026-11-01T04:00:00Z", [15u16, 16]),
        ("Asia/Tokyo", "2026-09-30T15:00:00Z", "2026-10-31T15:00:00Z", [16, 15]),
        // Only the evening of the 15th, and only the time before midnight there.
        ("America/New_York", "2026-10-15T22:00:00Z", "2026-10-16T04:00:00Z", [0, 1]),
        ("America/New_York", "2026-10-15T21:59:59Z", "2026-10-15T22:00:00Z", [1, 0]),
    ];
    for (zone, from, to, days) in cases {
        let reference = reference(zone, from, to, tariffs());
        let found: Vec<_> =
            lines(&reference, OCTOBER, &[], &[]).iter().map(|line| (line.exact_nano / 1_000_000_000, line.days)).collect();
        let expected = days.into_iter().zip([1, 2]).filter(|(days, _)| *days > 0);
        let expected: Vec<_> = expected.map(|(days, price)| (i128::from(days) * price, Some((usize::from(days), 31)))).collect();
        assert_eq!(found, expected, "{zone} from {from}");
    }
}

/// A commitment of 100.00 by days, which is posted for 17 of 31 days: 54.838709677 and something.
fn minimum(kind: &str) -> String {
    format!("[[commitment]]\nname = \"m\"\nplan = \"p\"\nkind = \"{kind}\"\namount = \"100.00\"\npro_rata = \"days\"")
}

fn from_the_15th(tariffs: Vec<Rc<Tariff>>) -> Reference {
    reference("Europe/Amsterdam", "2026-10-14T22:00:00Z", "2026-10-31T23:00:00Z", tariffs)
}

#[test]
fn the_terms_of_a_posted_commitment_are_those_of_its_version_as_long_as_it_is_there() {
    let calls = || tariff("t", "valid_from = 2025-01-01", "half_up", &minimum("voice-mo"));
    let usage = [used(OCTOBER, "EUR", charged(50_000_000_000))];
    let posted = lines(&from_the_15th(vec![calls()]), OCTOBER, &usage, &[]);
    let more = [usage[0].clone(), used(OCTOBER, "EUR", charged(1_000_000_000))];
    let moved = |tariffs: Vec<Rc<Tariff>>| {
        let found = lines(&from_the_15th(tariffs), OCTOBER + 1, &more, &posted);
        found.into_iter().find(|line| line.item.is_some()).map(|line| (line.exact_nano, line.amount_nano, line.tariff))
    };
    let messages = tariff("t", "valid_from = 2025-01-01", "half_up", &minimum("sms-mo"));
    let version = |tariff: &Rc<Tariff>| Some(tariff.version.clone());
    let mut ended = Rc::into_inner(calls()).expect("nobody else has it");
    ended.to = Some(ended.from);
    let ended = Rc::new(ended);
    assert_eq!(moved(vec![messages.clone(), ended.clone()]), Some((-1_000_000_000, -1_000_000_000, version(&ended))));
    // Messages count in its place, and there are none: all of it is missing.
    assert_eq!(moved(vec![messages.clone()]), Some((50_000_000_000, 50_000_000_000, version(&messages))));
    assert_eq!(moved(vec![tariff("t", "valid_from = 2025-01-01", "half_up", "")]), None);
}

#[test]
fn a_commitment_for_which_nothing_else_counts_does_not_move() {
    // What is missing lies below the ninth place, and is rounded up from the fraction.
    let reference = from_the_15th(vec![tariff("t", "valid_from = 2025-01-01", "up", &minimum("*"))]);
    let usage = [used(OCTOBER, "EUR", charged(54_838_709_677))];
    let posted = lines(&reference, OCTOBER, &usage, &[]);
    let missing = posted.iter().find(|line| line.kind == Kind::Commitment).map(|line| (line.exact_nano, line.amount_nano));
    assert_eq!(missing, Some((0, 10_000_000)));
    assert_eq!(lines(&reference, OCTOBER + 1, &usage, &posted), []);
}

#[test]
fn who_is_not_known_and_what_cannot_be_counted_is_refused() {
    let reference = from_the_15th(vec![tariff("t", "valid_from = 2025-01-01", "up", "")]);
    let closed = BTreeSet::new();
    let closing = Closing { customer: "d", cycle: OCTOBER, closed: &closed, late: Late::Next, usage: &[], posted: &[] };
    assert_eq!(Book::of(&reference).lines(&closing), Err(VerifyError::Customer("d".to_owned())));
    let usage = [used(OCTOBER, "EUR", charged(i128::MAX))];
    let closing = Closing { customer: "c", usage: &usage, ..closing };
    assert_eq!(Book::of(&reference).lines(&closing), Err(VerifyError::Amount("c".to_owned())));
}
