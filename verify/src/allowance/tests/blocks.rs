//! Allowances that block what is beyond them. A second to NL is a cent.

use super::*;

const UNITS: &str = "name = \"a\"\nunits = 100\nbeyond = \"block\"";
const MONEY: &str = "name = \"k\"\nmoney = \"1.00\"\nbeyond = \"block\"";

fn blocked() -> Outcome {
    (Err("beyond_allowance"), "-".to_owned(), 0, 0)
}

fn with(allowances: &[&str]) -> Reference {
    reference(vec![always(allowances)], &[line("S", "c", "p")])
}

#[test]
fn a_record_that_is_not_covered_whole_draws_nothing_and_a_smaller_one_does() {
    let fair_use = "name = \"a\"\nfair_use = { price = \"0.55\", cap = \"1.10\", per = 100 }\nbeyond = \"block\""; // 2 × 0.55 / 1.10 × 100
    for own in [UNITS, fair_use] {
        let reference = with(&[own]);
        let mut entries = calls([60, 50, 0, 40, 1]).to_vec();
        entries.push(call(S, "2026-11-10T10:00:00Z", 100));
        let expected = [
            charged(0, "a", 60, 0),
            blocked(),             // 40 are left of 50
            charged(0, "-", 0, 0), // no units cost nothing
            charged(0, "a", 40, 0),
            blocked(), // nothing is left
            charged(0, "a", 100, 0),
        ];
        assert_eq!(outcomes(&reference, &entries), expected, "{own}");
    }
}

#[test]
fn what_is_blocked_says_no_charge_and_no_tax() {
    let reference = with(&[UNITS]);
    let blocked = settled(&reference, &calls([101])).remove(0);
    let alone = reference.derive(&calls([101])[0].record).expect("a record").priced;
    assert_eq!(alone.charge.map(|charge| (charge.billed, charge.nano)), Ok((0, 0)), "alone nothing is blocked");
    assert_eq!(alone.drawn.as_ref().and_then(|drawn| drawn.units), Some(101));
    let expected = Priced { charge: Err("beyond_allowance"), drawn: None, tax_class: None, tax: None, ..alone };
    assert_eq!(blocked, expected);
    assert_eq!((blocked.zone, blocked.is_covered), (Some("NL"), true));
}

#[test]
fn money_blocks_what_it_cannot_pay_whole() {
    let expected = [charged(0, "k", 0, 60), blocked(), charged(0, "-", 0, 0), charged(0, "k", 0, 40), blocked()];
    assert_eq!(outcomes(&with(&[MONEY]), &calls([60, 50, 0, 40, 1])), expected);
    // Another credit behind it pays what is left: 100 and 20 of 30; then 10 are left for 11, and for 10.
    let two = with(&[MONEY, "name = \"l\"\nmoney = \"0.30\"\npriority = 1"]);
    let expected = [charged(0, "k+l", 0, 120), blocked(), charged(0, "l", 0, 10)];
    assert_eq!(outcomes(&two, &calls([120, 11, 10])), expected);
}

#[test]
fn units_are_left_over_behind_all_allowances_in_units_and_no_credit_counts() {
    let reference = with(&[UNITS, "name = \"b\"\nunits = 50\npriority = 1", "name = \"k\"\nmoney = \"9.00\""]);
    // 100 and 40; 10 are left of b; the credit pays for no unit that is blocked.
    assert_eq!(outcomes(&reference, &calls([140, 11, 10])), [charged(0, "a+b", 140, 0), blocked(), charged(0, "b", 10, 0)]);
    // Which of them blocks does not matter.
    let reference = with(&["name = \"b\"\nunits = 50\npriority = -1", UNITS]);
    assert_eq!(outcomes(&reference, &calls([151, 150])), [blocked(), charged(0, "b+a", 150, 0)]);
    // Nobody's number is in the network: the allowance that blocks does not cover it.
    let reference = with(&["name = \"b\"\nunits = 50", &format!("{UNITS}\nparty = \"own_network\"")]);
    assert_eq!(outcomes(&reference, &calls([60])), [charged(10, "b", 50, 0)]);
}

#[test]
fn what_is_asked_for_is_rounded_before_it_is_blocked() {
    let reference = with(&[&format!("{UNITS}\nminimum = 60\nincrement = 60")]);
    // 120 are asked of 100; 60; then 60 of 40.
    assert_eq!(outcomes(&reference, &calls([61, 60, 30])), [blocked(), charged(0, "a", 60, 0), blocked()]);
}

#[test]
fn units_that_money_does_not_pay_are_not_drawn_either() {
    let reference = with(&["name = \"u\"\nunits = 50", MONEY]);
    let expected = [
        blocked(), // 50 seconds, and 101 cents of 100
        charged(0, "u+k", 50, 100),
        blocked(),
    ];
    assert_eq!(outcomes(&reference, &calls([151, 150, 1])), expected);
}

#[test]
fn limits_are_asked_before_and_do_not_move_for_what_is_blocked() {
    let limit = "name = \"m\"\nmost = \"0.90\"";
    // Of 150 the limit leaves 90, which the credit pays; then it leaves nothing to be paid.
    assert_eq!(outcomes(&with(&[limit, MONEY]), &calls([150, 7])), [charged(0, "m+k", 0, 150), charged(0, "m", 0, 7)]);
    let less = "name = \"k\"\nmoney = \"0.80\"\nbeyond = \"block\"";
    // 90 of 150 are more than 80, and so are 81; 70 leave 20 in the limit and 10 in the credit; 30 would be 20; 10.
    let expected = [blocked(), blocked(), charged(0, "k", 0, 70), blocked(), charged(0, "k", 0, 10)];
    assert_eq!(outcomes(&with(&[limit, less]), &calls([150, 81, 70, 30, 10])), expected);
    // A limit without anything left charges nothing, and so nothing is beyond the credit.
    let other = "name = \"m\"\nmost = \"0.50\"";
    assert_eq!(
        outcomes(&with(&[other, less]), &calls([50, 40])),
        [charged(0, "k", 0, 50), charged(0, "m", 0, 40)] // 30 are left of the credit
    );
}

#[test]
fn what_could_not_be_charged_beyond_is_blocked_before_it_is_priced_alone() {
    // As among the records that draw nothing: 495 seconds behind 100 reach where nobody sells, and alone they are 6.00.
    let gap = || [to("33201234567", &call(S, "2026-10-10T17:51:00Z", 595)), call(S, "2026-10-10T19:00:00Z", 100)];
    assert_eq!(outcomes(&with(&[UNITS]), &gap()), [blocked(), charged(0, "a", 100, 0)]);
    // It draws nothing of the credit, so its price is beyond it; the next one has all of it.
    let both = with(&["name = \"u\"\nunits = 10", "name = \"k\"\nmoney = \"9.00\"\nbeyond = \"block\""]);
    assert_eq!(outcomes(&both, &gap()), [blocked(), charged(0, "u+k", 10, 90)]);
    // Covered whole, with a setup fee beyond all charges: no unit is left over, so it costs what it costs alone.
    let far = [to("32201234567", &call(S, "2026-10-10T10:00:00Z", 60)), call(S, "2026-10-10T11:00:00Z", 100)];
    let expected = [charged(100, "-", 0, 0), charged(0, "a", 100, 0)];
    assert_eq!(outcomes(&with(&[&format!("{UNITS}\nsetup = \"always\"")]), &far), expected);
}

#[test]
fn what_is_blocked_leaves_all_for_later_periods_and_gets_its_price_when_others_go() {
    let reference = with(&[&format!("{UNITS}\nroll_over = 1")]);
    // September and October bring 200; 60 of September; 141 are more than 140; November has October's 100 and its own.
    let later = call(S, "2026-11-10T10:00:00Z", 200);
    let [first, second] = calls([60, 141]);
    assert_eq!(outcomes(&reference, &[first, second, later]), [charged(0, "a", 60, 0), blocked(), charged(0, "a", 200, 0)]);
    // Without the first it takes 100 of September and 41 of October: 159 are left for 200.
    assert_eq!(outcomes(&reference, &[second, later]), [charged(0, "a", 141, 0), blocked()]);
    let daily = with(&[&format!("{UNITS}\nevery = \"day\"")]);
    let days = ["2026-10-10T10:00:00Z", "2026-10-10T21:59:59Z", "2026-10-10T22:00:00Z"].map(|start| call(S, start, 60));
    assert_eq!(outcomes(&daily, &days), [charged(0, "a", 60, 0), blocked(), charged(0, "a", 60, 0)]);
}

#[test]
fn nothing_of_those_who_have_no_periods_is_blocked() {
    let mut reference = with(&[UNITS]);
    reference.owners.customers.clear();
    assert_eq!(outcomes(&reference, &calls([500])), [charged(0, "a", 500, 0)]);
}
