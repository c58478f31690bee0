//! Limits: what a period charges at most. A second to NL is a cent.

use super::*;

const DAILY: &str = "name = \"d\"\nmost = \"1.00\"\nevery = \"day\"";

#[test]
fn a_day_charges_no_more_than_its_limit() {
    let reference = reference(vec![always(&[DAILY])], &[line("S", "c", "p"), line("T", "c", "p")]);
    let calls = [
        call(S, "2026-10-24T22:00:00Z", 60),  // the day of 25 hours begins: 100 - 60 = 40
        call(S, "2026-10-25T12:00:00Z", 70),  // 40 of 70, and 30 are taken off
        call(S, "2026-10-25T22:59:59Z", 10),  // nothing of 10
        call(T, "2026-10-25T22:59:59Z", 10),  // the other line has a limit of its own
        call(S, "2026-10-25T23:00:00Z", 100), // the next day: 100 - 100 = 0, and nothing is taken off
        call(S, "2026-10-26T12:00:00Z", 1),
    ];
    let expected = [(60, "-", 0), (40, "d", 30), (0, "d", 10), (10, "-", 0), (100, "-", 0), (0, "d", 1)];
    assert_eq!(outcomes(&reference, &calls), expected.map(|(cents, name, off)| charged(cents, name, 0, off)));
    let results = settled(&reference, &calls);
    assert_eq!(results[1].charge.map(|charge| charge.billed), Ok(70), "units are billed all the same");
    assert!(results.iter().all(|priced| priced.is_covered));
}

#[test]
fn the_tightest_of_several_limits_decides_and_all_of_them_go_down() {
    let cycle = "name = \"c\"\nmost = \"1.50\"";
    let reference = reference(vec![always(&[cycle, DAILY])], &[line("S", "c", "p")]);
    let calls = [
        call(S, "2026-10-10T10:00:00Z", 80), // d 100 - 80 = 20, c 150 - 80 = 70
        call(S, "2026-10-10T11:00:00Z", 50), // d has less: 20 of 50; d 0, c 50
        call(S, "2026-10-10T12:00:00Z", 10), // nothing of 10; d 0, c 50
        call(S, "2026-10-11T10:00:00Z", 80), // c has less than the new day: 50 of 80; d 50, c 0
        call(S, "2026-10-11T11:00:00Z", 10), // nothing of 10; d 50, c 0
    ];
    let expected = [(80, "-", 0), (20, "d", 30), (0, "d", 10), (50, "c", 30), (0, "c", 10)];
    assert_eq!(outcomes(&reference, &calls), expected.map(|(cents, name, off)| charged(cents, name, 0, off)));
}

#[test]
fn of_limits_with_as_much_left_the_first_in_the_order_of_buckets_is_named() {
    let cycle = |own: &str| format!("name = \"c\"\nmost = \"1.00\"\n{own}");
    let calls = [call(S, "2026-10-10T10:00:00Z", 130), call(S, "2026-10-10T11:00:00Z", 5)];
    let cases = [
        (cycle(""), "d"), // the day ends first
        (cycle("priority = -1"), "c"),
        (cycle("weight = 1"), "c"),
        (cycle("every = \"day\""), "c"), // the first in the file
    ];
    for (cycle, name) in cases {
        let reference = reference(vec![always(&[&cycle, DAILY])], &[line("S", "c", "p")]);
        // 100 of 130, and nothing of 5.
        assert_eq!(outcomes(&reference, &calls), [charged(100, name, 0, 30), charged(0, name, 0, 5)], "{cycle}");
    }
}

#[test]
fn credits_take_from_what_a_limit_leaves() {
    let credit = |money: &str| format!("name = \"k\"\nmoney = \"{money}\"\npriority = -5");
    let small = reference(vec![always(&[&credit("0.70"), DAILY])], &[line("S", "c", "p")]);
    let calls = [
        call(S, "2026-10-10T10:00:00Z", 80), // within the limit, of which 20 are left; the credit takes 70
        call(S, "2026-10-10T11:00:00Z", 50), // 30 are taken off, and the credit is empty
    ];
    assert_eq!(outcomes(&small, &calls), [charged(10, "k", 0, 70), charged(20, "d", 0, 30)]);
    let large = reference(vec![always(&[&credit("0.90"), DAILY])], &[line("S", "c", "p")]);
    // The limit takes 50 off, the credit 90 of the 100: 140 in all. Of the next the limit leaves nothing to take from.
    let calls = [call(S, "2026-10-10T10:00:00Z", 150), call(S, "2026-10-10T11:00:00Z", 30)];
    assert_eq!(outcomes(&large, &calls), [charged(10, "d+k", 0, 140), charged(0, "d", 0, 30)]);
    let full = reference(vec![always(&[&credit("9.00"), DAILY])], &[line("S", "c", "p")]);
    // What a credit pays counts as charged: 60 and 40 fill the limit, though nothing was left to pay.
    let calls = [call(S, "2026-10-10T10:00:00Z", 60), call(S, "2026-10-10T11:00:00Z", 60), call(S, "2026-10-11T11:00:00Z", 60)];
    assert_eq!(outcomes(&full, &calls), [charged(0, "k", 0, 60), charged(0, "d+k", 0, 60), charged(0, "k", 0, 60)]);
}

#[test]
fn units_go_first_and_a_limit_holds_what_they_leave() {
    let allowances = ["name = \"k\"\nmoney = \"0.20\"", DAILY, "name = \"u\"\nunits = 60\nsetup = \"always\"\npriority = 9"];
    let reference = reference(vec![always(&allowances)], &[line("S", "c", "p")]);
    // 60 seconds of 210; 150 cents, of which the limit leaves 100, and the credit takes 20: 50 + 20 = 70.
    let calls = [call(S, "2026-10-10T10:00:00Z", 210)];
    assert_eq!(outcomes(&reference, &calls), [charged(80, "u+d+k", 60, 70)]);
    let fee = |start| to("35201234567", &call(S, start, 20));
    let calls = [
        fee("2026-10-10T09:00:00Z"), // all units, and the setup fee of 10: the limit has 90, the credit 10
        call(S, "2026-10-10T10:00:00Z", 115), // 40 seconds; 75 cents: the limit has 15; the credit takes 10
        fee("2026-10-10T11:00:00Z"), // no units: 10 + 20 = 30 cents, of which the limit leaves 15
        to("35201234567", &call(S, "2026-10-10T12:00:00Z", 0)), // no seconds cost nothing
    ];
    let expected = [charged(0, "u+k", 20, 10), charged(65, "u+k", 40, 10), charged(15, "d", 0, 15), charged(0, "-", 0, 0)];
    assert_eq!(outcomes(&reference, &calls), expected);
    assert!(!settled(&reference, &calls)[3].is_covered);
}

#[test]
fn a_part_of_a_period_charges_a_part_at_most() {
    let windows = [
        ("S", "c", "p", "2026-10-21T22:00:00Z", "2027-01-01T00:00:00Z"), // from 22 October on: 10 of 31 days
        ("T", "c", "q", "2026-10-30T23:00:00Z", "2027-01-01T00:00:00Z"), // the last day
    ];
    let calls = ["2026-10-22T10:00:00Z", "2026-10-31T10:00:00Z", "2026-11-01T10:00:00Z"];
    let calls = [call(S, calls[0], 900), call(T, calls[1], 900), call(S, calls[2], 900)];
    let limit = |own: &str| format!("name = \"m\"\nmost = \"3.10\"\n{own}");
    let cases = [
        (limit("pro_rata = \"days\""), [100, 10, 310]), // 310 × 10 / 31, 310 × 1 / 31, all of November
        (limit("pro_rata = \"days\"\nscope = \"shared\""), [100, 0, 310]),
        (limit("pro_rata = \"days\"\nscope = \"pooled\""), [110, 0, 620]), // 100 + 10, then twice 310
        (limit("scope = \"shared\""), [310, 0, 310]),
        (limit("scope = \"pooled\""), [620, 0, 620]),
    ];
    for (own, expected) in cases {
        let reference = reference(vec![always(&[&own])], &windows);
        let expected = expected.map(|cents| charged(cents, "m", 0, i128::from(900 - cents)));
        assert_eq!(outcomes(&reference, &calls), expected, "{own}");
    }
    // 10.00 × 10 / 31 = 3.2258064..., up in the last place of a charge.
    let odd = reference(vec![always(&["name = \"m\"\nmost = \"10.00\"\npro_rata = \"days\""])], &windows);
    assert_eq!(settled(&odd, &calls)[0].charge.map(|charge| charge.nano), Ok(3_225_807_000));
}

#[test]
fn what_costs_nothing_and_what_the_provider_pays_back_moves_no_limit() {
    let reference = reference(vec![always(&[DAILY])], &[line("S", "c", "p")]);
    let passed_on = |start, cost_cents: i128| {
        let call = to("34201234567", &call(S, start, 60));
        let cost = Record { cost_nano: Some(cost_cents * 10_000_000), cost_currency: "EUR", ..call.record };
        Entry { record: cost, ..call }
    };
    let calls = [
        passed_on("2026-10-10T09:00:00Z", -100), // 110 % of it
        passed_on("2026-10-10T10:00:00Z", 0),
        passed_on("2026-10-10T11:00:00Z", 60), // 66
        passed_on("2026-10-10T12:00:00Z", 60), // 34 of 66
    ];
    let expected = [(-110, "-", 0), (0, "-", 0), (66, "-", 0), (34, "d", 32)];
    assert_eq!(outcomes(&reference, &calls), expected.map(|(cents, name, off)| charged(cents, name, 0, off)));
}

#[test]
fn what_draws_nothing_as_it_cannot_be_charged_is_not_limited() {
    let reference = reference(vec![always(&["name = \"a\"\nunits = 100", DAILY])], &[line("S", "c", "p")]);
    // As among the records that draw nothing: alone its minimum says 600 seconds, 6.00.
    let calls = [
        to("33201234567", &call(S, "2026-10-10T17:51:00Z", 595)),
        call(S, "2026-10-10T18:00:00Z", 250), // 100 seconds; 100 of 150 cents
    ];
    assert_eq!(outcomes(&reference, &calls), [charged(600, "-", 0, 0), charged(100, "a+d", 100, 50)]);
}

#[test]
fn a_limit_and_a_credit_of_one_name_are_two_buckets() {
    let versions = vec![
        tariff("currency = \"EUR\"\nvalid_from = 2020-01-01\nvalid_to = 2026-10-15", &["name = \"a\"\nmoney = \"1.00\""]),
        tariff("currency = \"EUR\"\nvalid_from = 2026-10-15", &["name = \"a\"\nmost = \"0.50\""]),
    ];
    let reference = reference(versions, &[line("S", "c", "p")]);
    let calls = [call(S, "2026-10-10T10:00:00Z", 30), call(S, "2026-10-20T10:00:00Z", 90), call(S, "2026-10-21T10:00:00Z", 9)];
    assert_eq!(outcomes(&reference, &calls), [charged(0, "a", 0, 30), charged(50, "a", 0, 40), charged(0, "a", 0, 9)]);
}

#[test]
fn a_record_alone_meets_all_of_each_limit() {
    let alone = |allowances: &[&str], duration_s| {
        let windows = [("S", "c", "p", "2026-10-22T00:00:00Z", "2027-01-01T00:00:00Z")];
        let reference = reference(vec![always(allowances)], &windows);
        let derived = reference.derive(&call(S, "2026-10-22T10:00:00Z", duration_s).record).expect("a record");
        outcome(derived.priced)
    };
    let cycle = "name = \"c\"\nmost = \"0.80\"\npro_rata = \"days\"";
    assert_eq!(alone(&[DAILY, cycle], 60), charged(60, "-", 0, 0));
    assert_eq!(alone(&[DAILY, cycle], 90), charged(80, "c", 0, 10));
    assert_eq!(alone(&[DAILY, "name = \"k\"\nmoney = \"0.01\""], 130), charged(0, "d+k", 0, 130));
    assert_eq!(alone(&[DAILY, "name = \"u\"\nunits = 1"], 130), charged(0, "u", 130, 0));
}
