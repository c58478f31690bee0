//! Prices of what records come to over a day, week, cycle or quarter. A second is a cent or two.

use super::*;

fn with(prices: &[&str]) -> Reference {
    reference(vec![selling(prices, &[])], &[line("S", "c", "p")])
}

const CYCLE: &str = "rounding_scope = \"cycle\"\ntotal = \"t\"\nper = 1";

/// Two cents a second, and a cent by the ten behind the first hundred.
const STEPS: &str =
    "steps = [{ from = 0, increment = 1, unit_price = \"0.02\" }, { from = 100, increment = 10, unit_price = \"0.01\" }]";

/// The same with one increment, all at the price of the last step that is reached.
const VOLUME: &str = "count = \"volume\"
steps = [{ from = 0, increment = 1, unit_price = \"0.02\" }, { from = 100, increment = 1, unit_price = \"0.01\" }]";

#[test]
fn steps_are_counted_over_the_cycle() {
    let reference = with(&[&format!("{CYCLE}\n{STEPS}")]);
    let mut entries = calls([60, 60, 5, 5]).to_vec();
    entries.push(call(S, "2026-11-10T10:00:00Z", 60));
    // 60 are 120; 120 are 200 + 20, less 120; 125 are 200 + 30, less 220; 130 are the same; November begins anew.
    let expected = [(120, 60), (100, 60), (10, 10), (0, 0), (120, 60)];
    assert_eq!(costs(&reference, &entries), expected);
    entries.reverse();
    let mut opposite = costs(&reference, &entries);
    opposite.reverse();
    assert_eq!(opposite, expected);
}

#[test]
fn what_is_bought_by_the_hundred_is_paid_by_the_one_who_begins_it() {
    // A hundred seconds for a euro, and 8 cents for a cycle in which there is any.
    let reference = with(&[&format!("{CYCLE}\ndisconnect = \"0.08\"\nincrement = 100\nunit_price = \"0.01\"")]);
    // 0: nothing; 1: 8 + 100; 100: the same; 101: 8 + 200; 350: 8 + 400.
    assert_eq!(costs(&reference, &calls([0, 1, 99, 1, 249])), [(0, 0), (108, 100), (0, 0), (100, 100), (200, 200)]);
}

#[test]
fn a_volume_gives_back_what_was_charged_too_much() {
    let reference = with(&[&format!("{CYCLE}\n{VOLUME}")]);
    // 90 × 2; 100 × 2, as the step is not passed; 101 × 1 = 101, less 200; 111.
    assert_eq!(costs(&reference, &calls([90, 10, 1, 10])), [(180, 90), (20, 10), (-99, 1), (10, 10)]);
    // 5 + 60 × 2 = 125; 80 are 60 + 40 at 2: 205; 101 are 60 + 80 at 1: 145.
    let minutes = VOLUME.replace("increment = 1,", "increment = 40,");
    let fees = "disconnect = \"0.02\"\nsetup = \"0.03\"\nminimum = 60";
    let reference = with(&[&format!("{CYCLE}\n{fees}\n{minutes}")]);
    assert_eq!(costs(&reference, &calls([1, 79, 21])), [(125, 60), (80, 40), (-60, 40)]);
    // By the minimum, which is beyond the step, the step is not chosen: 120 × 2; then 121 + 39 = 160 × 1.
    let reference = with(&[&format!("{CYCLE}\nminimum = 120\n{minutes}")]);
    assert_eq!(costs(&reference, &calls([100, 21])), [(240, 120), (-80, 40)]);
}

#[test]
fn bounds_hold_over_the_day() {
    let price =
        "rounding_scope = \"day\"\ntotal = \"t\"\nper = 1\nunit_price = \"0.01\"\ncharge_min = \"0.20\"\ncharge_max = \"1.00\"";
    let reference = with(&[price]);
    let mut entries = calls([10, 5, 80, 50, 7]).to_vec();
    entries.push(call(S, "2026-10-10T21:59:59Z", 3)); // still the day, 23:59:59
    entries.push(call(S, "2026-10-10T22:00:00Z", 30));
    // 20 at least; 15 are 20; 95; 100 at most; the next day 30.
    let cents: Vec<i64> = costs(&reference, &entries).iter().map(|(cents, _)| *cents).collect();
    assert_eq!(cents, [20, 0, 75, 5, 0, 0, 30]);
}

#[test]
fn each_period_has_a_total_of_its_own() {
    let starts = [
        "2026-10-04T21:59:59Z", // Sunday 4 October 23:59:59
        "2026-10-04T22:00:00Z", // Monday 5 October
        "2026-10-31T22:59:59Z", // Saturday 31 October 23:59:59, clocks have gone back
        "2026-10-31T23:00:00Z", // Sunday 1 November
        "2026-12-31T22:59:59Z", // Thursday 31 December 23:59:59
    ];
    let cases = [
        ("day", [30, 30, 30, 30, 30]),
        ("week", [30, 30, 30, 20, 30]),
        ("cycle", [30, 20, 20, 30, 30]),
        ("quarter", [30, 20, 20, 20, 20]),
    ];
    for (scope, expected) in cases {
        let price = format!("rounding_scope = \"{scope}\"\ntotal = \"t\"\nsetup = \"0.10\"\nper = 1\nunit_price = \"0.01\"");
        let reference = with(&[&price]);
        let entries = starts.map(|start| call(S, start, 20));
        let cents: Vec<i64> = costs(&reference, &entries).iter().map(|(cents, _)| *cents).collect();
        assert_eq!(cents, expected, "{scope}");
    }
}

#[test]
fn prices_of_one_name_count_together_and_each_charges_by_its_own_steps() {
    let near = format!("{CYCLE}\nzone = \"NL\"\n{STEPS}");
    let far = format!("{CYCLE}\nzone = \"FAR\"\nsetup = \"0.30\"\nminimum = 60\nunit_price = \"0.05\"");
    let other = format!("{}\nzone = \"FEE\"\nsetup = \"0.07\"\nunit_price = \"0.01\"", CYCLE.replace("\"t\"", "\"other\""));
    let reference = with(&[&near, &far, &other]);
    let at = |number, minute, duration_s| to(number, &call(S, &format!("2026-10-10T11:{minute:02}:00Z"), duration_s));
    let entries = [
        at("31201234567", 0, 90), // 180
        at("32201234567", 1, 30), // 120 × 5, less 90 × 5: the setup fee was in what stood before
        at("31201234567", 2, 10), // 130 are 200 + 30, less 200 + 20
        at("35201234567", 3, 10), // another total: 7 + 10
        at("32201234567", 4, 0),  // nothing more
    ];
    assert_eq!(costs(&reference, &entries), [(180, 90), (150, 30), (10, 10), (17, 10), (0, 0)]);
    // The first of all bears its setup fee and the minimum; behind it the other's steps begin at 20.
    let first = [at("32201234567", 0, 20), at("31201234567", 1, 10)];
    assert_eq!(costs(&reference, &first), [(330, 60), (20, 10)]);
}

#[test]
fn no_units_are_charged_as_the_price_says_and_count_as_having_come() {
    let price = |zero: &str| {
        format!("{CYCLE}\nzero_usage = \"{zero}\"\nsetup = \"0.10\"\nminimum = 60\ndisconnect = \"0.01\"\nunit_price = \"0.01\"")
    };
    // Nothing; 10 + 1 + 61; nothing more.
    assert_eq!(costs(&with(&[&price("free")]), &calls([0, 61, 0])), [(0, 0), (72, 61), (0, 0)]);
    // 10 + 60 for none; 10 + 1 + 61, less that.
    assert_eq!(costs(&with(&[&price("priced")]), &calls([0, 61, 0])), [(70, 60), (2, 1), (0, 0)]);
}

#[test]
fn a_total_is_a_lines_a_customers_or_a_groups() {
    let windows = [line("S", "c", "p"), line("T", "c", "q"), line("U", "c", "p"), line("V", "d", "p")];
    let groups = ["G", "G", "-", "G"];
    let entries = [S, T, "31600000002", "31600000003", S, "31600000002"].map(|number| call(number, "2026-10-10T10:00:00Z", 20));
    let mut keys = 0..;
    let entries = entries.map(|entry| Entry { key: keys.next().expect("no end"), ..entry });
    let cases = [
        ("personal", [30, 30, 30, 30, 20, 20]),
        ("shared", [30, 20, 20, 30, 20, 20]),
        ("group", [30, 20, 30, 30, 20, 30]), // U is in no group: each is a total of its own
    ];
    for (scope, expected) in cases {
        let price = format!("{CYCLE}\ntotal_scope = \"{scope}\"\nsetup = \"0.10\"\nunit_price = \"0.01\"");
        let reference = in_groups(reference(vec![selling(&[&price], &[])], &windows), &groups);
        let cents: Vec<i64> = costs(&reference, &entries).iter().map(|(cents, _)| *cents).collect();
        assert_eq!(cents, expected, "{scope}");
        let covered: Vec<bool> = settled(&reference, &entries).iter().map(|priced| priced.is_covered).collect();
        assert_eq!(covered, [true; 6], "{scope}");
    }
}

#[test]
fn tariffs_count_in_one_total_and_a_scope_is_another() {
    let version = |dates: &str, own: &str| {
        let price = format!("[[price]]\nplan = \"p\"\nkind = \"voice-mo\"\nzone = \"NL\"\n{CYCLE}\n{own}\n");
        let toml = format!("name = \"t\"\ncurrency = \"EUR\"\n{dates}\n{HEAD}[[plan]]\nname = \"p\"\n{price}");
        Rc::new(Tariff::read("t", &toml, &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}")))
    };
    let [first, second] = ["valid_from = 2020-01-01\nvalid_to = 2026-10-15", "valid_from = 2026-10-15"];
    let entries = [call(S, "2026-10-10T10:00:00Z", 90), call(S, "2026-10-20T10:00:00Z", 20)];
    let cases = [
        ("", [(90, 90), (30, 20)]), // 110 are 200 + 10, less 90 × 2
        ("total_scope = \"shared\"", [(90, 90), (40, 20)]),
    ];
    for (own, expected) in cases {
        let versions = vec![version(first, "unit_price = \"0.01\""), version(second, &format!("{own}\n{STEPS}"))];
        let reference = reference(versions, &[line("S", "c", "p")]);
        assert_eq!(costs(&reference, &entries), expected, "{own}");
    }
}

#[test]
fn what_is_not_understood_of_a_total_is_refused() {
    let price = "per = 1\nunit_price = \"0.01\"";
    let cases = [
        "rounding_scope = \"hour\"",
        "rounding_scope = \"day\"",
        "rounding_scope = \"session\"\ntotal = \"t\"",
        "rounding_scope = \"session\"\ntotal_scope = \"shared\"",
        "rounding_scope = \"record\"\ntotal = \"t\"",
        "total = \"t\"",
        "total_scope = \"personal\"",
        "count = \"graduated\"",
        "rounding_scope = \"cycle\"\ntotal = \"t\"\ntotal_scope = \"pooled\"",
        "rounding_scope = \"cycle\"\ntotal = \"t\"\ncount = \"all\"",
        "rounding_scope = \"cycle\"\ntotal = \"t\"\nfree_units = 60",
        "rounding_scope = \"session\"\ninformation = \"listed\"",
    ];
    for own in cases {
        assert!(read("", &[&format!("{own}\n{price}")], &[]).is_err(), "{own}");
    }
    assert!(read("rounding_scope = \"cycle\"", &[price], &[]).is_err(), "a head without the name of a total");
    assert!(read("rounding_scope = \"session\"", &[&format!("free_units = 1\n{price}")], &[]).is_err());
    let cost = "rounding_scope = \"session\"\ncost_plus = { percent = \"10\" }";
    assert!(read("", &[cost], &[]).is_err(), "the cost is a record's");
    assert!(read("", &[&format!("{CYCLE}\ncount = \"volume\"\n{STEPS}")], &[]).is_err(), "a volume has one increment");
    for own in
        ["rounding_scope = \"session\"\ncount = \"volume\"", "rounding_scope = \"week\"\ntotal = \"t\"\ntotal_scope = \"group\""]
    {
        assert!(read("", &[&format!("{own}\n{price}")], &[]).is_ok(), "{own}");
    }
}

#[test]
fn a_total_of_calls_that_are_cut_is_not_understood() {
    let prices = ["band = \"any\"", "band = \"night\""].map(|band| format!("{CYCLE}\nunit_price = \"0.01\"\n{band}"));
    let prices = prices.each_ref().map(String::as_str);
    let windows = [line("S", "c", "p"), line("T", "c", "q")];
    let reference = reference(vec![selling(&prices, &[])], &windows);
    let cut = reference.derive(&call(S, "2026-10-10T10:00:00Z", 20).record);
    assert!(matches!(cut, Err(VerifyError::Tariff { .. })), "{cut:?}");
    assert!(reference.derive(&call(T, "2026-10-10T10:00:00Z", 20).record).is_ok(), "this plan does not cut");
}
