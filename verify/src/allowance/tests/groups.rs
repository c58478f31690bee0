//! Allowances of a group of a customer's lines, and what covers calls within a group.

use super::*;

const U: &str = "31600000002";
const V: &str = "31600000003";

fn group_of(own: &str) -> Rc<Tariff> {
    always(&[&format!("name = \"g\"\nscope = \"group\"\n{own}")])
}

#[test]
fn lines_of_a_group_share_what_it_is_given_once_and_each_customer_has_its_own() {
    let windows = [line("S", "c", "p"), line("T", "c", "q"), line("U", "c", "p"), line("V", "d", "p")];
    let reference = in_groups(reference(vec![group_of("units = 100")], &windows), &["G1", "G1", "G2", "G1"]);
    let calls = [
        call(S, "2026-10-10T10:00:00Z", 60),
        call(T, "2026-10-10T11:00:00Z", 60), // 40 of 60
        call(U, "2026-10-10T12:00:00Z", 60), // another group
        call(V, "2026-10-10T13:00:00Z", 60), // the same group, another customer
        call(S, "2026-10-10T14:00:00Z", 60), // nothing is left
        call(U, "2026-10-10T15:00:00Z", 60), // 40 of 60
    ];
    assert_eq!(drawn(&reference, &calls), named(&[("g", 60), ("g", 40), ("g", 60), ("g", 60), ("-", 0), ("g", 40)]));
}

#[test]
fn a_line_in_no_group_is_not_covered_and_draws_from_others() {
    let allowances = ["name = \"g\"\nunits = 100\nscope = \"group\"", "name = \"a\"\nunits = 50\npriority = 1"];
    let windows = [line("S", "c", "p"), line("T", "c", "p")];
    let both = in_groups(reference(vec![always(&allowances)], &windows), &["G", "-"]);
    let calls = [call(S, "2026-10-10T10:00:00Z", 140), call(T, "2026-10-10T10:00:00Z", 140)];
    assert_eq!(drawn(&both, &calls), named(&[("g+a", 140), ("a", 50)]));
    let only = in_groups(reference(vec![group_of("units = 100")], &windows), &["G", "-"]);
    let results = settled(&only, &calls);
    assert_eq!(results.iter().map(|priced| priced.is_covered).collect::<Vec<_>>(), [true, false]);
    assert_eq!(only.derive(&calls[1].record).map(outcome_of), Ok(charged(140, "-", 0, 0)));
    assert_eq!(only.derive(&calls[0].record).map(outcome_of), Ok(charged(0, "g", 140, 0)));
}

fn outcome_of(derived: Derived<'_>) -> Outcome {
    outcome(derived.priced)
}

#[test]
fn a_line_draws_from_the_group_that_it_is_in_at_the_start() {
    let windows = [
        ("S", "c", "p", "2026-10-01T00:00:00Z", "2026-10-15T10:00:00Z"),
        ("S", "c", "p", "2026-10-15T10:00:00Z", "2026-10-20T00:00:00Z"),
        ("S", "c", "p", "2026-10-20T00:00:00Z", "2026-12-01T00:00:00Z"),
        ("T", "c", "p", "2026-10-01T00:00:00Z", "2026-12-01T00:00:00Z"),
    ];
    let reference = in_groups(reference(vec![group_of("units = 100")], &windows), &["G1", "G2", "-", "G1"]);
    // Its windows are numbered: S until 15 October, S in the second group, S in none; T.
    let calls = [
        call(S, "2026-10-15T09:59:59Z", 70),
        call(T, "2026-10-15T10:00:00Z", 150), // 100 of the second group
        call(U, "2026-10-20T00:00:00Z", 70),  // no group
        call(V, "2026-10-21T00:00:00Z", 70),  // 30 are left of the first
    ];
    assert_eq!(drawn(&reference, &calls), named(&[("g", 70), ("g", 100), ("-", 0), ("g", 30)]));
}

#[test]
fn a_change_of_plan_or_version_within_a_group_grants_nothing_anew() {
    let versions = vec![
        tariff(
            "currency = \"EUR\"\nvalid_from = 2020-01-01\nvalid_to = 2026-10-15",
            &["name = \"g\"\nunits = 100\nscope = \"group\""],
        ),
        tariff("currency = \"EUR\"\nvalid_from = 2026-10-15", &["name = \"g\"\nunits = 500\nscope = \"group\""]),
    ];
    let windows = [
        ("S", "c", "p", "2026-10-01T00:00:00Z", "2026-10-10T00:00:00Z"),
        ("S", "c", "q", "2026-10-10T00:00:00Z", "2026-12-01T00:00:00Z"),
        ("T", "c", "p", "2026-10-16T00:00:00Z", "2026-12-01T00:00:00Z"), // comes when the new version holds
        ("U", "c", "other", "2026-09-01T00:00:00Z", "2026-12-01T00:00:00Z"), // nobody sells its plan
    ];
    let reference = in_groups(reference(versions, &windows), &["G", "G", "G", "G"]);
    let calls = [
        call(S, "2026-10-05T10:00:00Z", 30),
        call(T, "2026-10-12T10:00:00Z", 30),
        call(U, "2026-10-20T10:00:00Z", 60), // 40 are left of the 100 with which the cycle began
        call(U, "2026-11-20T10:00:00Z", 600),
    ];
    assert_eq!(drawn(&reference, &calls), named(&[("g", 30), ("g", 30), ("g", 40), ("g", 500)]));
}

#[test]
fn a_group_is_given_a_part_by_the_days_on_which_any_of_its_lines_had_the_plan() {
    let windows = [
        ("S", "c", "p", "2026-10-10T10:00:00Z", "2026-10-11T10:00:00Z"), // 10 and 11 October
        ("T", "c", "q", "2026-10-11T12:00:00Z", "2026-10-12T12:00:00Z"), // 11 and 12 October
        ("S", "c", "p", "2026-10-20T10:00:00Z", "2026-10-25T10:00:00Z"), // in another group
        ("T", "d", "p", "2026-10-01T00:00:00Z", "2026-10-31T00:00:00Z"), // another customer's
    ];
    let calls = [call(S, "2026-10-11T09:00:00Z", 5_000), call(U, "2026-10-21T10:00:00Z", 5_000)];
    let shares = |own: &str| {
        let reference = in_groups(reference(vec![group_of(own)], &windows), &["G", "G", "H", "G"]);
        drawn(&reference, &calls)
    };
    // 1000 × 3 / 31 = 96.8 and 1000 × 6 / 31 = 193.5
    assert_eq!(shares("units = 1000\npro_rata = \"days\""), named(&[("g", 97), ("g", 194)]));
    // 11 October, and 21 October: a day is given whole.
    assert_eq!(shares("units = 1000\npro_rata = \"days\"\nevery = \"day\""), named(&[("g", 1_000), ("g", 1_000)]));
    // 5 to 11 October, and 19 to 25 October: 1000 × 2 / 7 = 285.7 and 1000 × 6 / 7 = 857.1
    assert_eq!(shares("units = 1000\npro_rata = \"days\"\nevery = \"week\""), named(&[("g", 286), ("g", 858)]));
}

#[test]
fn what_a_group_leaves_stays_and_groups_have_credits_and_limits() {
    let windows = [line("S", "c", "p"), line("T", "c", "p")];
    let kept = in_groups(reference(vec![group_of("units = 100\nroll_over = 1")], &windows), &["G", "G"]);
    let calls = [call(S, "2026-10-10T10:00:00Z", 170), call(T, "2026-11-10T10:00:00Z", 300)];
    // 100 of September and 70 of October; 30 of October and 100 of November.
    assert_eq!(drawn(&kept, &calls), named(&[("g", 170), ("g", 130)]));
    let credit = in_groups(reference(vec![group_of("money = \"1.00\"")], &windows), &["G", "G"]);
    let calls = [call(S, "2026-10-10T10:00:00Z", 60), call(T, "2026-10-11T10:00:00Z", 60)];
    assert_eq!(outcomes(&credit, &calls), [charged(0, "g", 0, 60), charged(20, "g", 0, 40)]);
    let limit = in_groups(reference(vec![group_of("most = \"1.00\"")], &windows), &["G", "G"]);
    assert_eq!(outcomes(&limit, &calls), [charged(60, "-", 0, 0), charged(40, "g", 0, 20)]);
}

#[test]
fn calls_within_a_group_are_covered_by_whom_they_are_with() {
    let windows = [line("S", "c", "p"), line("T", "c", "p"), line("U", "d", "p"), line("V", "c", "p"), line("W", "d", "p")];
    let parties = |named: &str| {
        let closed = format!("name = \"a\"\nunlimited = true\nparty = {named}");
        let reference = in_groups(reference(vec![always(&[&closed])], &windows), &["G", "G", "G", "-", "H"]);
        let numbers = ["31201234567", "31600000004", "31600000003", U, T]; // other, network, customer, group, both
        numbers.map(|number| settled(&reference, &[to(number, &call(S, "2026-10-10T10:00:00Z", 60))])[0].drawn.is_some())
    };
    assert_eq!(parties("\"own_network\""), [false, true, true, true, true]);
    assert_eq!(parties("\"own_customer\""), [false, false, true, false, true]);
    assert_eq!(parties("\"group\""), [false, false, false, true, true]);
    assert_eq!(parties("[\"group\", \"own_customer\"]"), [false, false, true, true, true]);
}
