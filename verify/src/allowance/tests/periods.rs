//! Allowances that give by the day, the week, the cycle and the quarter.

use super::*;

const YEARS: (&str, &str, &str, &str, &str) = ("S", "c", "p", "2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z");

/// A line for years whose cycles begin on a day of the month, with these allowances.
fn cycles_from(day: u8, allowances: &[&str]) -> Reference {
    let mut reference = reference(vec![always(allowances)], &[YEARS]);
    reference.owners.customers.values_mut().for_each(|customer| customer.cycle_day = day);
    reference
}

/// What calls draw, told as start, seconds and what is drawn.
fn assert_drawn(reference: &Reference, calls: &[(&str, i64, &str, i128)]) {
    let entries: Vec<Entry<'_>> = calls.iter().map(|(start, duration_s, ..)| call(S, start, *duration_s)).collect();
    let expected: Vec<(&str, i128)> = calls.iter().map(|(.., name, amount)| (*name, *amount)).collect();
    assert_eq!(drawn(reference, &entries), named(&expected));
}

#[test]
fn a_day_is_as_long_as_the_customers_clock_makes_it() {
    let reference = cycles_from(31, &["name = \"a\"\nunits = 100\nevery = \"day\""]);
    let calls = [
        ("2026-03-28T22:59:59Z", 90, "a", 90),   // 28 March, 23:59:59
        ("2026-03-28T23:00:00Z", 90, "a", 90),   // midnight
        ("2026-03-29T21:59:59Z", 90, "a", 10),   // 23 hours later, 23:59:59: 100 - 90
        ("2026-03-29T22:00:00Z", 90, "a", 90),   // midnight
        ("2026-10-24T21:59:59Z", 100, "a", 100), // 24 October, 23:59:59
        ("2026-10-24T22:00:00Z", 60, "a", 60),   // midnight
        ("2026-10-25T00:30:00Z", 30, "a", 30),   // half past two
        ("2026-10-25T01:30:00Z", 30, "a", 10),   // half past two again: 100 - 60 - 30
        ("2026-10-25T22:59:59Z", 1, "-", 0),     // 25 hours after midnight, less a second
        ("2026-10-25T23:00:00Z", 120, "a", 100), // midnight; a call that goes on draws from the day of its start
        ("2026-10-26T23:00:00Z", 1, "a", 1),
    ];
    assert_drawn(&reference, &calls);
}

#[test]
fn a_week_is_from_monday_to_sunday_over_the_end_of_the_year_and_of_a_cycle() {
    let reference = cycles_from(1, &["name = \"a\"\nunits = 100\nevery = \"week\""]);
    let calls = [
        ("2026-12-27T22:59:59Z", 60, "a", 60),   // Sunday, 23:59:59
        ("2026-12-27T23:00:00Z", 60, "a", 60),   // Monday 28 December
        ("2026-12-31T23:00:00Z", 30, "a", 30),   // Friday 1 January
        ("2027-01-03T22:59:59Z", 60, "a", 10),   // Sunday 3 January: 100 - 60 - 30
        ("2027-01-03T23:00:00Z", 160, "a", 100), // Monday
    ];
    assert_drawn(&reference, &calls);
}

#[test]
fn a_quarter_is_three_cycles_whatever_day_they_begin_on() {
    let quarterly = ["name = \"a\"\nunits = 100\nevery = \"quarter\""];
    let by_the_15th = [
        ("2026-01-14T22:59:59Z", 70, "a", 70),   // 14 January: the quarter of October
        ("2026-01-14T23:00:00Z", 70, "a", 70),   // 15 January
        ("2026-04-14T21:59:59Z", 70, "a", 30),   // 14 April: 100 - 70
        ("2026-04-14T22:00:00Z", 120, "a", 100), // 15 April
    ];
    assert_drawn(&cycles_from(15, &quarterly), &by_the_15th);
    let by_the_31st = [
        ("2027-01-30T22:59:59Z", 70, "a", 70), // 30 January: the cycle of December
        ("2027-01-30T23:00:00Z", 70, "a", 70), // 31 January
        ("2027-02-28T12:00:00Z", 20, "a", 20), // a cycle later
        ("2027-04-29T21:59:59Z", 70, "a", 10), // 29 April: 100 - 70 - 20
        ("2027-04-29T22:00:00Z", 70, "a", 70), // 30 April, as it has no 31st
    ];
    assert_drawn(&cycles_from(31, &quarterly), &by_the_31st);
    let cycles = [
        ("2027-02-27T22:59:59Z", 70, "a", 70), // 27 February: the cycle of January
        ("2027-02-27T23:00:00Z", 70, "a", 70), // 28 February, as it has no 31st
        ("2027-03-30T21:59:59Z", 70, "a", 30), // 30 March: 100 - 70
        ("2027-03-30T22:00:00Z", 70, "a", 70), // 31 March
    ];
    assert_drawn(&cycles_from(31, &["name = \"a\"\nunits = 100\nevery = \"cycle\""]), &cycles);
}

#[test]
fn a_part_of_a_period_gives_by_its_own_days() {
    // From Thursday 12 November 2026 at noon; the quarter of October has 31 + 30 + 31 = 92 days, 20 + 30 = 50 of them from then to the
    // end of the year, and 14 more before 15 January.
    let calls = [call(S, "2026-11-13T12:00:00Z", 5_000)];
    let cases = [
        ("day", 1, 1_000),    // 1000 × 1 / 1
        ("week", 1, 572),     // 1000 × 4 / 7 = 571.4
        ("cycle", 1, 634),    // 12 to 30 November: 1000 × 19 / 30 = 633.3
        ("quarter", 1, 544),  // 12 November to 31 December: 1000 × 50 / 92 = 543.5
        ("quarter", 15, 696), // 12 November to 14 January: 1000 × 64 / 92 = 695.7
    ];
    for (every, day, expected) in cases {
        let own = format!("name = \"a\"\nunits = 1000\npro_rata = \"days\"\nevery = \"{every}\"");
        let windows = [("S", "c", "p", "2026-11-12T11:00:00Z", "2030-01-01T00:00:00Z")];
        let mut reference = reference(vec![always(&[&own])], &windows);
        reference.owners.customers.values_mut().for_each(|customer| customer.cycle_day = day);
        assert_eq!(drawn(&reference, &calls), named(&[("a", expected)]), "{every}, cycles from {day}");
    }
}

#[test]
fn what_is_left_stays_for_so_many_periods_of_its_own() {
    let days = [
        ("2026-10-10T10:00:00Z", 40, "a", 40),   // 8th 100, 9th 100, 10th 100; 40 of the 8th
        ("2026-10-10T11:00:00Z", 200, "a", 200), // 60 of the 8th, 100 of the 9th, 40 of the 10th
        ("2026-10-12T10:00:00Z", 300, "a", 260), // 60 of the 10th, 100 of the 11th, 100 of the 12th
        ("2026-10-12T11:00:00Z", 1, "-", 0),
        ("2026-10-13T10:00:00Z", 300, "a", 100), // nothing of the 11th and 12th
        ("2026-10-17T10:00:00Z", 500, "a", 300), // 15th, 16th, 17th
    ];
    assert_drawn(&cycles_from(1, &["name = \"a\"\nunits = 100\nevery = \"day\"\nroll_over = 2"]), &days);
    let quarters = [
        ("2026-05-01T10:00:00Z", 150, "a", 150), // January 100, April 50
        ("2026-08-01T10:00:00Z", 250, "a", 150), // April 50, July 100
    ];
    assert_drawn(&cycles_from(1, &["name = \"a\"\nunits = 100\nevery = \"quarter\"\nroll_over = 1"]), &quarters);
}

#[test]
fn what_ends_first_goes_first_then_what_was_given_first() {
    let every = |name: &str, own: &str| format!("name = \"{name}\"\nunits = 100\n{own}");
    let allowances = [
        every("q", "every = \"quarter\""),
        every("c", ""),
        every("w", "every = \"week\""),
        every("d", "every = \"day\""),
        every("e", "every = \"day\""),
    ];
    let reference = cycles_from(1, &allowances.each_ref().map(String::as_str));
    let calls = [
        ("2026-10-14T10:00:00Z", 450, "d+e+w+c+q", 450), // Wednesday; of two that end and begin together the first in the file
        ("2026-10-25T10:00:00Z", 250, "w+d+e", 250),     // Sunday: day and week end together, and the week began before
        ("2026-10-31T10:00:00Z", 150, "d+e", 150),       // the cycle ends with this day, but nothing is left of it
        ("2026-11-30T10:00:00Z", 150, "c+d", 150),       // the cycle ends with this Monday, and began before
        ("2026-12-31T10:00:00Z", 350, "q+c+d+e", 350),   // quarter (50 are left), cycle and day end together
    ];
    assert_drawn(&reference, &calls);
    // Of the day before, whatever the priority; then by priority, whatever ends first.
    let allowances = ["name = \"d\"\nunits = 100\nevery = \"day\"\npriority = 5\nroll_over = 1", "name = \"c\"\nunits = 100"];
    assert_drawn(
        &cycles_from(1, &allowances),
        &[("2026-10-14T10:00:00Z", 250, "d+c", 250), ("2026-10-14T10:00:01Z", 50, "d", 50)],
    );
    // What stays for three days ends on Saturday, before the week; what stays for four, with it.
    let kept = |days: u8| format!("name = \"d\"\nunits = 100\nevery = \"day\"\nroll_over = {days}");
    let first = |days| {
        let reference = cycles_from(1, &["name = \"w\"\nunits = 100\nevery = \"week\"", &kept(days)]);
        let calls = [("2026-10-14T09:00:00Z", 100 * i64::from(days)), ("2026-10-14T10:00:00Z", 60)];
        drawn(&reference, &calls.map(|(start, duration_s)| call(S, start, duration_s)))
    };
    assert_eq!(first(3), named(&[("d", 300), ("d", 60)]));
    assert_eq!(first(4), named(&[("d", 400), ("w", 60)]));
}

#[test]
fn another_period_is_another_bucket_and_grants_by_its_own_versions() {
    let versions = |first: &str, second: &str| {
        vec![
            tariff("currency = \"EUR\"\nvalid_from = 2020-01-01\nvalid_to = 2026-10-15", &[&format!("name = \"a\"\n{first}")]),
            tariff("currency = \"EUR\"\nvalid_from = 2026-10-15", &[&format!("name = \"a\"\n{second}")]),
        ]
    };
    let calls = |starts: [&str; 3]| starts.map(|start| call(S, start, 600));
    // 15 October is a Thursday. The cycle's share is of the 17 days from then on: 310 × 17 / 31 = 170.
    let other = reference(versions("units = 100\nevery = \"day\"", "units = 310\npro_rata = \"days\""), &[YEARS]);
    let entries = calls(["2026-10-14T10:00:00Z", "2026-10-15T10:00:00Z", "2026-10-16T10:00:00Z"]);
    assert_eq!(drawn(&other, &entries), named(&[("a", 100), ("a", 170), ("-", 0)]));
    // In one week the terms of the version with which it began hold.
    let same = reference(versions("units = 100\nevery = \"week\"", "units = 500\nevery = \"week\""), &[YEARS]);
    let entries = calls(["2026-10-15T10:00:00Z", "2026-10-18T21:59:59Z", "2026-10-18T22:00:00Z"]);
    assert_eq!(drawn(&same, &entries), named(&[("a", 100), ("-", 0), ("a", 500)]));
}

#[test]
fn each_line_brings_its_part_of_a_day() {
    let windows = [YEARS, ("T", "c", "q", "2026-10-14T10:00:00Z", "2026-10-15T10:00:00Z")];
    let calls = ["2026-10-13T20:00:00Z", "2026-10-14T08:00:00Z", "2026-10-15T20:00:00Z", "2026-10-16T08:00:00Z"];
    let calls = calls.map(|start| call(S, start, 500));
    let cases = [
        ("units = 100\nscope = \"personal\"", [100, 100, 100, 100]),
        ("units = 100\nscope = \"shared\"", [100, 100, 100, 100]),
        ("units = 100\nscope = \"pooled\"", [100, 200, 200, 100]), // T on the 14th and the 15th
        ("money = \"1.00\"\nscope = \"pooled\"", [100, 200, 200, 100]), // cents of 500
    ];
    for (own, expected) in cases {
        let reference = reference(vec![always(&[&format!("name = \"a\"\nevery = \"day\"\n{own}")])], &windows);
        assert_eq!(drawn(&reference, &calls), named(&expected.map(|amount| ("a", amount))), "{own}");
    }
}
