//! Closed user groups: who is of the group of a line at an instant, and which price and allowance hold then.

use std::sync::Arc;

use domain::columns::linked::{Customer, NO_GROUP, Owner, Owners, Party};
use domain::ids::Names;
use domain::number::Number;
use domain::period::CycleDay;
use domain::zone::Zone;

use crate::compare::compare;
use crate::explain::{ExplainInput, explain};
use crate::link::index::{DeviceIndex, IdentifierKind, IdentifierWindow};
use crate::link::party_of;
use crate::lint::lint;
use crate::listing::allowances::GivenAllowance;
use crate::tariff::Tariff;
use crate::tariff::set::TariffSet;
use crate::tests::fixture::{Row, batch, utc, with_tables};

const HEAD: &str = r#"name = "groups"
currency = "EUR"
time_zone = "Europe/Amsterdam"
valid_from = 2026-01-01
home_zone = "HOME"
default_band = "any"
rounding = { places = 4, mode = "half_up" }
destinations.prefixes = { 31 = "NL" }

[[plan]]
name = "p"
"#;

/// A price of all calls to the Netherlands, for a party if one is named.
fn price(party: &str, unit_price: &str) -> String {
    let party = if party.is_empty() { String::new() } else { format!("party = {party}\n") };
    format!("\n[[price]]\nplan = \"p\"\nkind = \"voice-mo\"\nzone = \"NL\"\n{party}unit_price = \"{unit_price}\"\n")
}

/// All four; a call within the group costs more than one to the customer's own.
fn all_prices() -> String {
    let ours = [("\"own_network\"", "0.30"), ("\"own_customer\"", "0.06"), ("\"group\"", "0.12")];
    ours.iter().map(|(party, unit_price)| price(party, unit_price)).collect::<String>() + &price("", "0.60")
}

fn allowance(party: &str) -> String {
    format!(
        "\n[[allowance]]\nname = \"us\"\nplan = \"p\"\nkind = \"voice-mo\"\nzone = \"NL\"\nparty = {party}\nunlimited = true\n"
    )
}

fn load(rules: &str) -> Tariff {
    Tariff::load(&with_tables("groups.toml", &format!("{HEAD}{rules}"), &[])).expect("a good tariff")
}

/// When the first line joins its group, and when the third one leaves it.
fn edges() -> (i64, i64) {
    (utc("2026-03-01T00:00:00"), utc("2026-06-01T00:00:00"))
}

/// Lines of two customers, by the last digit of their number: 1, 2 and 4 are of the first, 3, 5 and 6 of the second; 1 (from its edge
/// on), 2 and 3 (up to its edge) are in one group, 6 is in another, 4 and 5 are in none.
fn lines() -> (Arc<Owners>, DeviceIndex) {
    let (joins, leaves) = edges();
    let windows = [
        (1, 0, joins, 0, NO_GROUP),
        (1, joins, i64::MAX, 0, 0),
        (2, 0, i64::MAX, 0, 0),
        (3, 0, leaves, 1, 0),
        (3, leaves, i64::MAX, 1, NO_GROUP),
        (4, 0, i64::MAX, 0, NO_GROUP),
        (5, 0, i64::MAX, 1, NO_GROUP),
        (6, 0, i64::MAX, 1, 1),
    ];
    let owner = |(_, from_us, to_us, customer, group): (u64, i64, i64, u32, u32)| Owner {
        from_us,
        to_us,
        device: 0,
        subscription: 0,
        customer,
        plan: 0,
        group,
    };
    let customer = || Customer { owner_path: "main".into(), cycle_day: CycleDay::FIRST, zone: 0 };
    let owners = Arc::new(Owners {
        windows: windows.map(owner).into(),
        devices: Names::new(["d"]),
        subscriptions: Names::new(["s"]),
        customer_names: Names::new(["one", "two"]),
        customers: vec![customer(), customer()],
        plans: Names::new(["p"]),
        groups: Names::new(["family", "friends"]),
        zones: vec![Zone::load("Europe/Amsterdam").expect("bundled")],
    });
    let number = |((digit, ..), owner): (&(u64, i64, i64, u32, u32), u32)| IdentifierWindow {
        kind: IdentifierKind::Msisdn,
        value: number(*digit),
        owner,
    };
    let index = DeviceIndex::build(Arc::clone(&owners), windows.iter().zip(0..).map(number).collect());
    (owners, index.expect("no overlap"))
}

fn number(digit: u64) -> u64 {
    31_600_000_000 + digit
}

/// A minute from one line to another.
fn call(from: u64, to: u64, start_us: i64) -> Row {
    Row { a_number: number(from), b_number: Number::e164(number(to), 11), start_us, duration_s: 60, ..Row::default() }
}

/// Who the other party of each call is found to be, and what it costs in hundredths.
fn rated(rules: &str, calls: &[(u64, u64, i64)]) -> Vec<(Option<&'static str>, i64)> {
    let (owners, index) = lines();
    let set = Arc::new(TariffSet::build(vec![load(rules)]).expect("one"));
    let rows = calls.iter().map(|(from, to, start_us)| call(*from, *to, *start_us)).collect();
    let rated = crate::rate(batch(rows, &[]), &index, &set.bind(&owners));
    let parties = rated.columns.party.iter().map(|party| Party::from_code(*party).name());
    parties.zip(rated.columns.charge_nano.iter().map(|nano| nano / 10_000_000)).collect()
}

#[test]
fn a_party_is_of_the_group_if_both_lines_are_in_it_at_that_instant() {
    let (joins, leaves) = edges();
    let found = [
        (1, 2, joins - 1, "own_customer", 6),
        (1, 3, joins - 1, "own_network", 30),
        (1, 2, joins, "group_customer", 12),
        (1, 3, joins, "group", 12),
        (1, 4, joins, "own_customer", 6),
        (1, 5, joins, "own_network", 30),
        (1, 6, joins, "own_network", 30),
        (1, 9, joins, "other", 60),
        (3, 1, joins, "group", 12),
        (1, 3, leaves - 1, "group", 12),
        (1, 3, leaves, "own_network", 30),
        (3, 1, leaves, "own_network", 30),
        // Two lines that are in no group are not in one together.
        (4, 5, joins, "own_network", 30),
        (5, 3, leaves, "own_customer", 6),
    ];
    let expected: Vec<_> = found.iter().map(|(.., party, cents)| (Some(*party), *cents)).collect();
    let calls = found.map(|(from, to, start_us, ..)| (from, to, start_us));
    assert_eq!(rated(&all_prices(), &calls), expected);
    let (owners, index) = lines();
    let asked: Vec<Option<&str>> = calls
        .iter()
        .map(|(from, to, start_us)| {
            let Some(owner) = owners.windows.get(window_of(&index, *from, *start_us)) else { panic!("a line of ours") };
            party_of(&index, number(*to), *start_us, owner).name()
        })
        .collect();
    assert_eq!(asked, expected.iter().map(|(party, _)| *party).collect::<Vec<_>>(), "asked for one number alone");
}

fn window_of(index: &DeviceIndex, line: u64, at_us: i64) -> usize {
    match index.msisdn(number(line), at_us) {
        crate::link::index::Found::Owner(owner) => owner as usize,
        found => panic!("{found:?}"),
    }
}

#[test]
fn a_price_for_the_group_holds_for_it_alone() {
    let (joins, _) = edges();
    let calls = [(1, 2, joins), (1, 3, joins), (1, 4, joins), (1, 5, joins), (1, 9, joins)];
    let cents = |rules: &str| rated(rules, &calls).into_iter().map(|(_, cents)| cents).collect::<Vec<_>>();
    assert_eq!(cents(&(price("\"group\"", "0.12") + &price("", "0.60"))), [12, 12, 60, 60, 60]);
    assert_eq!(cents(&(price("\"own_customer\"", "0.06") + &price("", "0.60"))), [6, 60, 6, 60, 60]);
    assert_eq!(cents(&(price("\"own_network\"", "0.30") + &price("", "0.60"))), [30, 30, 30, 30, 60]);
    let two = price("[\"own_customer\", \"group\"]", "0.12") + &price("\"own_network\"", "0.30") + &price("", "0.60");
    assert_eq!(cents(&two), [12, 12, 12, 30, 60]);
    assert_eq!(cents(&(price("", "0.60") + &allowance("\"group\""))), [0, 0, 60, 60, 60]);
    assert_eq!(cents(&(price("", "0.60") + &allowance("[\"own_customer\", \"group\"]"))), [0, 0, 0, 60, 60]);
    let unasked = rated(&price("", "0.60"), &calls);
    assert_eq!(unasked, [(None, 60); 5], "a tariff that names nobody asks nobody");
}

#[test]
fn groups_are_shown_explained_checked_and_compared() {
    let (joins, _) = edges();
    let tariff = load(&(all_prices() + &allowance("[\"group\", \"own_customer\"]")));
    assert_eq!(lint(&with_tables("groups.toml", &format!("{HEAD}{}", all_prices()), &[])).findings, [], "nothing to find");
    assert_eq!(GivenAllowance::all(&tariff)[0].covering.columns()[3], "own_customer, group");
    for (named, shown) in [("\"group\"", "group"), ("[\"group\", \"own_network\"]", "own_network")] {
        let tariff = load(&(all_prices() + &allowance(named)));
        assert_eq!(GivenAllowance::all(&tariff)[0].covering.party, Some(shown), "{named}");
    }
    let changed = load(&all_prices().replace("0.12", "0.15"));
    let told = compare(&load(&all_prices()), &changed);
    let [change] = told.as_slice() else { panic!("one price: {told:#?}") };
    assert_eq!(change.what, "p: voice-mo in NL (group), NL (group_customer)");
    let set = Arc::new(TariffSet::build(vec![load(&all_prices())]).expect("one"));
    let (owners, index) = lines();
    let rows = vec![call(1, 2, joins), call(1, 3, joins)];
    let rated = crate::rate(batch(rows, &[]), &index, &set.bind(&owners));
    for (row, party) in [
        (0, "party: group_customer, a number of the same group and of the same customer at that instant"),
        (1, "party: group, a number of the same group at that instant, of another customer"),
    ] {
        let lines = explain(&ExplainInput::of(&rated, row), &set).expect("a row").lines();
        for line in [party, "  only with parties of group"] {
            assert!(lines.iter().any(|found| found == line), "{line} is not among {lines:#?}");
        }
    }
}
