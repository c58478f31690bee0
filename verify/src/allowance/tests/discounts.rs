//! Discounts by what is spent. A second is a cent.

use super::*;

const CENT: &str = "per = 1\nunit_price = \"0.01\"";
const LOYAL: &str = "name = \"d\"
steps = [{ from = \"0.00\", percent = \"0\" }, { from = \"1.00\", percent = \"-5\" }, { from = \"5.00\", percent = \"-7.5\" }]";

fn flat(name: &str, percent: &str, own: &str) -> String {
    format!("name = \"{name}\"\nsteps = [{{ from = \"0\", percent = \"{percent}\" }}]\n{own}")
}

fn with(prices: &[&str], given: &[&str]) -> Reference {
    reference(vec![selling(prices, given)], &[line("S", "c", "p")])
}

/// Hundredths of cents.
fn fine(reference: &Reference, entries: &[Entry<'_>]) -> Vec<i64> {
    settled(reference, entries).into_iter().map(|priced| priced.charge.expect("a charge").nano / 100_000).collect()
}

#[test]
fn each_part_of_what_is_spent_has_its_percent() {
    let reference = with(&[CENT], &[LOYAL]);
    let mut entries = calls([80, 40, 500]).to_vec();
    entries.push(call(S, "2026-11-10T10:00:00Z", 101));
    // 80; 20 of 120 are beyond 100: 40 - 1; 620 are 400 at 5 % and 120 at 7.5 %: 500 - 29 + 1; November begins anew: 1 at 5 %.
    let expected = [8_000, 3_900, 47_200, 10_095];
    assert_eq!(fine(&reference, &entries), expected);
    entries.reverse();
    assert_eq!(fine(&reference, &entries), [expected[3], expected[2], expected[1], expected[0]]);
    let results = settled(&reference, &entries);
    assert!(results.iter().all(|priced| priced.is_covered && priced.drawn.is_none()), "nothing is drawn");
    assert_eq!(costs(&reference, &entries).iter().map(|(_, billed)| *billed).collect::<Vec<_>>(), [101, 500, 40, 80]);
}

#[test]
fn a_volume_discount_makes_good_what_was_charged_before() {
    let reference = with(&[CENT], &[&format!("{LOYAL}\ncount = \"volume\"")]);
    // 100 are not beyond 100; 101 × 5 % = 5.05; 500 × 5 % = 25; 501 × 7.5 % = 37.575.
    assert_eq!(fine(&reference, &calls([100, 1, 399, 1])), [10_000, -405, 39_900 - 1_995, 100 - 1_257]);
    let nano = |call: usize| settled(&reference, &calls([100, 1, 399, 1]))[call].charge.map(|charge| charge.nano);
    assert_eq!(nano(3), Ok(10_000_000 - 125_750_000));
}

#[test]
fn sums_are_rounded_half_away_from_zero_and_differences_charged() {
    // 0.005 % of a cent is half of the last place.
    for (percent, sign) in [("-0.005", -1), ("0.005", 1)] {
        let reference = with(&[CENT], &[&flat("d", percent, "")]);
        let last: Vec<i64> = settled(&reference, &calls([1, 1, 1, 1]))
            .into_iter()
            .map(|priced| priced.charge.expect("a charge").nano - 10_000_000)
            .collect();
        assert_eq!(last, [sign * 1_000, 0, sign * 1_000, 0], "{percent}");
    }
    let free = with(&[CENT], &[&flat("d", "-100", "")]);
    assert_eq!(fine(&free, &calls([1, 100])), [0, 0]);
    let dearer = with(&[CENT], &[&flat("d", "10000", "")]);
    assert_eq!(fine(&dearer, &calls([1])), [10_100]);
}

#[test]
fn limits_see_what_a_discount_leaves_and_credits_what_they_leave() {
    let given = [&flat("d", "-50", ""), "name = \"m\"\nmost = \"1.00\"", "name = \"k\"\nmoney = \"0.30\""];
    let expected = [
        charged(45, "k", 0, 30), // 150 are 75, of which the credit pays 30; the limit has 25
        charged(25, "m", 0, 25), // 100 are 50, of which the limit leaves 25
        charged(0, "m", 0, 5),
    ];
    assert_eq!(outcomes(&with(&[CENT], &given), &calls([150, 100, 10])), expected);
    // What it makes negative is nobody's to pay.
    let volume = format!("{LOYAL}\ncount = \"volume\"");
    let given = [volume.as_str(), "name = \"m\"\nmost = \"1.50\"", "name = \"k\"\nmoney = \"0.30\""];
    let expected = [charged(70, "k", 0, 30), charged(-4, "-", 0, 0), charged(50, "m", 0, 7)];
    // 100; 1 - 5.05; 60 - 3: 57, of which the limit leaves 50.
    assert_eq!(outcomes(&with(&[CENT], &given), &calls([100, 1, 60])), expected);
}

#[test]
fn what_allowances_and_totals_leave_is_spent() {
    let setup = "setup = \"0.20\"\nper = 1\nunit_price = \"0.01\"";
    let reference = with(&[setup], &[&flat("d", "-10", ""), "name = \"a\"\nunits = 100\nsetup = \"always\""]);
    let expected = [
        charged(18, "a", 60, 0), // covered whole, and the setup fee of 20
        charged(36, "a", 40, 0), // 20 + 20
        charged(27, "-", 0, 0),  // 20 + 10
    ];
    assert_eq!(outcomes(&reference, &calls([60, 60, 10])), expected);
    // Two cents a second, and one for all of them behind the hundredth.
    let volume = "rounding_scope = \"cycle\"\ntotal = \"t\"\nper = 1\ncount = \"volume\"
        steps = [{ from = 0, increment = 1, unit_price = \"0.02\" }, { from = 100, increment = 1, unit_price = \"0.01\" }]";
    let steps = "name = \"d\"\nsteps = [{ from = \"0\", percent = \"0\" }, { from = \"1.80\", percent = \"50\" }]";
    // 180; 111 - 180, which is no discount's; 20 and the half of it.
    assert_eq!(outcomes(&with(&[volume], &[steps]), &calls([90, 21, 20])), [180, -69, 30].map(|cents| charged(cents, "-", 0, 0)));
}

#[test]
fn what_is_blocked_or_costs_what_it_costs_alone_moves_nothing() {
    let steps = "name = \"d\"\nsteps = [{ from = \"0\", percent = \"-10\" }, { from = \"1.00\", percent = \"-50\" }]";
    let blocking = with(&[CENT], &[steps, "name = \"k\"\nmoney = \"0.80\"\nbeyond = \"block\""]);
    let expected = [
        charged(0, "k", 0, 45),                          // 50 - 5: 35 are left
        (Err("beyond_allowance"), "-".to_owned(), 0, 0), // 60 are 50 - 5 and 5 of the last 10: 50 of 35
        charged(0, "k", 0, 27),                          // 30 - 3: nothing stands between
    ];
    let outcomes = outcomes(&blocking, &calls([50, 60, 30, 9]));
    assert_eq!(outcomes[..3], expected);
    assert_eq!(outcomes[3].0, Err("beyond_allowance"), "9 - 0.9 are more than 8");
    // 100,000 a second in one total: 600 million; 4100 more would be 1010; 900.
    let dear = "rounding_scope = \"cycle\"\ntotal = \"t\"\nper = 1\nunit_price = \"100000\"";
    let steps = "name = \"d\"\nsteps = [{ from = \"0\", percent = \"-10\" }, { from = \"700000000\", percent = \"-20\" }]";
    // 600 - 60; alone 410 - 41; 300 of which 100 at 10 % and 200 at 20 %.
    assert_eq!(millions(&with(&[dear], &[steps]), &calls([6_000, 4_100, 3_000])), [540, 369, 250]);
    // A discount that cannot be charged itself is left off, and nothing is drawn.
    let given = [&flat("d", "10000", "zone = \"FAR\""), "name = \"a\"\nunits = 1000"];
    let reference = with(&["per = 1\nunit_price = \"100000\""], &given);
    let far = to("32201234567", &calls([6_000])[0]);
    assert_eq!(millions(&reference, &[far, call(S, "2026-10-11T10:00:00Z", 1_200)]), [600, 20]);
}

fn millions(reference: &Reference, entries: &[Entry<'_>]) -> Vec<i64> {
    let charge = |priced: Priced<'_>| priced.charge.expect("a charge").nano / 1_000_000_000_000_000;
    settled(reference, entries).into_iter().map(charge).collect()
}

#[test]
fn the_first_discount_of_the_file_that_covers_a_record_is_the_only_one() {
    let far = flat("far", "-50", "zone = \"FAR\"");
    let group = flat("group", "-20", "scope = \"group\"");
    let night = flat("night", "-90", "zone = \"NL\"\nband = \"night\"");
    let other = flat("other", "-10", "zone = [\"NL\", \"FAR\"]");
    let given = [far.as_str(), &group, &night, &other];
    let reference = with(&[CENT], &given);
    let at = |number, start| to(number, &call(S, start, 100));
    let entries = [
        at("31201234567", "2026-10-10T10:00:00Z"),
        at("32201234567", "2026-10-10T11:00:00Z"),
        at("35201234567", "2026-10-10T12:00:00Z"), // nobody's
        at("31201234567", "2026-10-10T20:00:00Z"),
    ];
    assert_eq!(fine(&reference, &entries), [9_000, 5_000, 10_000, 1_000]);
    let covered = |reference: &Reference| settled(reference, &entries).iter().map(|one| one.is_covered).collect::<Vec<_>>();
    assert_eq!(covered(&reference), [true, true, false, true]);
    let grouped = in_groups(reference, &["G"]);
    assert_eq!(fine(&grouped, &entries), [8_000, 5_000, 8_000, 8_000]);
    assert_eq!(covered(&grouped), [true; 4]);
    let party = with(&[CENT], &[&flat("d", "-10", "party = \"own_network\"")]);
    assert_eq!(settled(&party, &entries[..1])[0].party, Some("other"), "it asks who is called");
}

#[test]
fn what_is_spent_is_a_lines_a_customers_or_a_groups_in_a_period() {
    let windows = [line("S", "c", "p"), line("T", "c", "q"), line("U", "c", "p"), line("V", "d", "p")];
    let numbers = [S, T, "31600000002", "31600000003"];
    let starts =
        ["2026-10-10T10:00:00Z", "2026-10-10T10:00:01Z", "2026-10-10T10:00:02Z", "2026-10-10T10:00:03Z", "2026-10-11T10:00:00Z"];
    let entries: Vec<Entry<'_>> =
        starts.iter().zip(numbers.iter().cycle()).map(|(start, number)| call(number, start, 100)).collect();
    // A euro each, of which what is beyond the first in all costs the half.
    let half = "name = \"d\"\nsteps = [{ from = \"0\", percent = \"0\" }, { from = \"1.00\", percent = \"-50\" }]";
    let cases = [
        ("", [100, 100, 100, 100, 50]),
        ("every = \"day\"", [100; 5]),
        ("every = \"week\"", [100, 100, 100, 100, 50]), // Saturday and Sunday
        ("scope = \"shared\"", [100, 50, 50, 100, 50]),
        ("scope = \"shared\"\nevery = \"day\"", [100, 50, 50, 100, 100]),
        ("scope = \"group\"", [100, 50, 100, 100, 50]), // U is in none
        ("scope = \"group\"\nevery = \"quarter\"", [100, 50, 100, 100, 50]),
    ];
    for (own, expected) in cases {
        let tariffs = vec![selling(&[CENT], &[&format!("{half}\n{own}")])];
        let reference = in_groups(reference(tariffs, &windows), &["G", "G", "-", "G"]);
        assert_eq!(fine(&reference, &entries), expected.map(|cents| cents * 100), "{own}");
    }
}

#[test]
fn tariffs_of_one_currency_count_what_is_spent_under_one_name() {
    let version = |dates: &str, currency: &str, name: &str| {
        let usage = "plan = \"p\"\nkind = \"voice-mo\"\nzone = \"NL\"\n";
        let steps = "steps = [{ from = \"0\", percent = \"0\" }, { from = \"1.00\", percent = \"-50\" }]";
        let toml = format!(
            "name = \"t\"\ncurrency = \"{currency}\"\n{dates}\n{HEAD}[[plan]]\nname = \"p\"\n[[price]]\n{usage}{CENT}\n\
             [[discount]]\nname = \"{name}\"\n{usage}{steps}"
        );
        Rc::new(Tariff::read("t", &toml, &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}")))
    };
    let entries = [call(S, "2026-10-10T10:00:00Z", 100), call(S, "2026-10-20T10:00:00Z", 100)];
    for (currency, name, expected) in [("EUR", "d", 5_000), ("USD", "d", 10_000), ("EUR", "e", 10_000)] {
        let first = version("valid_from = 2020-01-01\nvalid_to = 2026-10-15", "EUR", "d");
        let versions = vec![first, version("valid_from = 2026-10-15", currency, name)];
        let reference = reference(versions, &[line("S", "c", "p")]);
        assert_eq!(fine(&reference, &entries), [10_000, expected], "{name} in {currency}");
    }
}

#[test]
fn a_record_alone_is_the_first_of_its_discount() {
    let reference = with(&[CENT], &[LOYAL, "name = \"a\"\nunits = 10\nzone = \"FAR\""]);
    let entries = calls([300, 120, 0]);
    let alone = |reference: &Reference, call: &Entry<'_>| {
        let priced = reference.derive(&call.record).expect("a record").priced;
        (priced.charge.map(|charge| charge.nano / 100_000), priced.is_covered)
    };
    // 300 - 10, 120 - 1; what costs nothing hangs on nobody.
    let expected = [(Ok(29_000), true), (Ok(11_900), true), (Ok(0), false)];
    assert_eq!(entries.each_ref().map(|call| alone(&reference, call)), expected);
    assert_eq!(alone(&reference, &to("32201234567", &entries[0])), (Ok(0), true), "an allowance covers it whole");
    assert_eq!(fine(&reference, &entries), [29_000, 11_400, 0]);
    let mut nobodys = reference;
    nobodys.owners.customers.clear();
    assert_eq!(fine(&nobodys, &entries), [29_000, 11_900, 0]);
}

#[test]
fn the_providers_cost_is_spent_too_but_not_what_it_pays_back() {
    let cost = "zone = \"COST\"\ncost_plus = { percent = \"0\" }";
    let reference = with(&[cost], &[&flat("d", "-10", "")]);
    let passed_on = |start, cents: i128| {
        let call = to("34201234567", &call(S, start, 60));
        let cost = Record { cost_nano: Some(cents * 10_000_000), cost_currency: "EUR", ..call.record };
        Entry { record: cost, ..call }
    };
    let entries = [passed_on("2026-10-10T10:00:00Z", 50), passed_on("2026-10-10T11:00:00Z", -50)];
    assert_eq!(fine(&reference, &entries), [4_500, -5_000]);
    assert_eq!(settled(&reference, &entries).iter().map(|one| one.is_covered).collect::<Vec<_>>(), [true, false]);
}
