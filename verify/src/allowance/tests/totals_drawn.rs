//! Totals beside allowances, and records that do not move them. A second is a cent.

use super::*;

const MINUTES: &str =
    "rounding_scope = \"cycle\"\ntotal = \"t\"\nsetup = \"0.05\"\nminimum = 60\nincrement = 60\nper = 1\nunit_price = \"0.01\"";

fn with(prices: &[&str], allowances: &[&str]) -> Reference {
    reference(vec![selling(prices, allowances)], &[line("S", "c", "p")])
}

#[test]
fn what_allowances_leave_is_counted_and_what_they_cover_is_not() {
    let reference = with(&[MINUTES], &["name = \"a\"\nunits = 100"]);
    let entries = calls([60, 60, 30, 20, 0]);
    let expected = [
        charged(0, "a", 60, 0),
        charged(65, "a", 40, 0), // 20 are 60: 5 + 60
        charged(0, "-", 0, 0),   // 50 are 60
        charged(60, "-", 0, 0),  // 70 are 120
        charged(0, "-", 0, 0),
    ];
    assert_eq!(outcomes(&reference, &entries), expected);
    assert_eq!(costs(&reference, &entries).iter().map(|(_, billed)| *billed).collect::<Vec<_>>(), [0, 60, 0, 60, 0]);
    // Covered whole it costs the setup fee all the same, and is not of the total: the next is the first there.
    let always = with(&[MINUTES], &["name = \"a\"\nunits = 100\nsetup = \"always\""]);
    let expected = [charged(5, "a", 60, 0), charged(65, "a", 40, 0), charged(0, "-", 0, 0)];
    assert_eq!(outcomes(&always, &calls([60, 60, 30])), expected);
    // Of one second 60 are asked, and 20 are left: 5 + 60; then 21 are 60.
    let rounded = with(&[MINUTES], &["name = \"a\"\nunits = 40\nminimum = 60"]);
    assert_eq!(outcomes(&rounded, &calls([1, 1])), [charged(65, "a", 40, 0), charged(0, "-", 0, 0)]);
}

#[test]
fn each_record_of_a_line_in_no_group_is_a_total_of_its_own_also_beyond_an_allowance() {
    let price = format!("{}\ntotal_scope = \"group\"", MINUTES.replace("increment = 60", "increment = 1"));
    let reference = with(&[&price], &["name = \"a\"\nunits = 100"]);
    // 20 beyond the allowance are 60: 5 + 60; then 5 + 60 for each.
    let expected = [charged(65, "a", 100, 0), charged(65, "-", 0, 0), charged(65, "-", 0, 0)];
    assert_eq!(outcomes(&reference, &calls([120, 30, 20])), expected);
    let grouped = in_groups(reference, &["G"]);
    // 20 are 60: 5 + 60; 50 are 60; 70 are 70.
    let expected = [charged(65, "a", 100, 0), charged(0, "-", 0, 0), charged(10, "-", 0, 0)];
    assert_eq!(outcomes(&grouped, &calls([120, 30, 20])), expected);
}

#[test]
fn what_is_blocked_between_does_not_move_the_total() {
    let units = with(&[MINUTES], &["name = \"a\"\nunits = 100\nbeyond = \"block\"\nzone = \"FAR\""]);
    let far = |call| to("32201234567", &call);
    let [first, second, third, fourth] = calls([30, 101, 40, 90]);
    let expected = [
        charged(65, "-", 0, 0),
        (Err("beyond_allowance"), "-".to_owned(), 0, 0), // 101 of 100
        charged(60, "-", 0, 0),                          // 70 are 120: nothing stands between
        charged(0, "a", 90, 0),
    ];
    assert_eq!(outcomes(&units, &[first, far(second), third, far(fourth)]), expected);
    let money = with(&[MINUTES], &["name = \"k\"\nmoney = \"1.00\"\nbeyond = \"block\""]);
    let expected = [
        charged(0, "k", 0, 65),
        (Err("beyond_allowance"), "-".to_owned(), 0, 0), // 80 are 120: 60 of 35
        charged(0, "-", 0, 0),                           // 60 are 60
        (Err("beyond_allowance"), "-".to_owned(), 0, 0), // 61 are 120
    ];
    assert_eq!(outcomes(&money, &calls([30, 50, 30, 1])), expected);
}

#[test]
fn limits_and_credits_see_what_it_costs_in_its_total() {
    let volume = "rounding_scope = \"cycle\"\ntotal = \"t\"\nper = 1\ncount = \"volume\"
        steps = [{ from = 0, increment = 1, unit_price = \"0.02\" }, { from = 50, increment = 1, unit_price = \"0.01\" }]";
    let reference = with(&[volume], &["name = \"m\"\nmost = \"1.00\"", "name = \"k\"\nmoney = \"0.70\""]);
    let entries = calls([40, 20, 60]);
    let expected = [
        charged(10, "k", 0, 70), // 40 × 2 = 80: the limit has 20, the credit nothing
        charged(-20, "-", 0, 0), // 60 × 1 = 60, less 80: nothing is given back to them
        charged(20, "m", 0, 40), // 60, of which the limit leaves 20
    ];
    assert_eq!(outcomes(&reference, &entries), expected);
    // Free at first: alone it costs nothing, and yet a credit covers what it comes to.
    let later = "rounding_scope = \"cycle\"\ntotal = \"t\"\nper = 1
        steps = [{ from = 0, increment = 1, unit_price = \"0\" }, { from = 50, increment = 1, unit_price = \"0.01\" }]";
    let reference = with(&[later], &["name = \"k\"\nmoney = \"0.70\""]);
    assert_eq!(outcomes(&reference, &calls([50, 20])), [charged(0, "-", 0, 0), charged(0, "k", 0, 20)]);
}

#[test]
fn a_total_that_cannot_be_charged_leaves_a_record_at_what_it_costs_alone() {
    // 100,000 a second, and no charge reaches a billion.
    let dear = "rounding_scope = \"cycle\"\ntotal = \"t\"\nper = 1\nunit_price = \"100000\"";
    let reference = with(&[dear], &["name = \"a\"\nunits = 100"]);
    let entries = calls([6_100, 4_100, 3_000]);
    let millions = |reference: &Reference, entries: &[Entry<'_>]| {
        let charge = |priced: Priced<'_>| priced.charge.map(|charge| charge.nano / 1_000_000_000_000_000);
        settled(reference, entries).into_iter().map(charge).collect::<Vec<_>>()
    };
    // 100 are drawn, and 6000 are 600 million; 10,100 would be 1010: alone it is 410; 9000 are 900.
    assert_eq!(millions(&reference, &entries), [Ok(600), Ok(410), Ok(300)]);
    let far = with(&[dear], &["name = \"a\"\nunits = 50\nzone = \"FAR\""]);
    let [first, second, third, fourth] = calls([9_900, 200, 40, 60]);
    let entries = [first, to("32201234567", &second), to("32201234567", &third), fourth];
    // 990; 150 behind 50 would be 1005: it draws nothing, and is 20 alone; 40 of the 50 that are there; 996.
    assert_eq!(millions(&far, &entries), [Ok(990), Ok(20), Ok(0), Ok(6)]);
    assert_eq!(drawn(&far, &entries), named(&[("-", 0), ("-", 0), ("a", 40), ("-", 0)]));
    // Alone it is beyond all charges: in suspense, and nothing hangs on it.
    let suspense = settled(&reference, &calls([10_000, 200]));
    assert_eq!((suspense[0].charge, suspense[0].is_covered), (Err("charge_limit"), false));
    assert_eq!(suspense[1].charge.map(|charge| charge.billed), Ok(100));
}

#[test]
fn a_record_alone_is_the_first_of_its_total() {
    let reference = with(&[MINUTES], &["name = \"a\"\nunits = 10\nzone = \"FAR\""]);
    let [first, second] = calls([61, 30]);
    let alone = |call: &Entry<'_>| outcome(reference.derive(&call.record).expect("a record").priced);
    assert_eq!(alone(&second), charged(65, "-", 0, 0));
    assert_eq!(alone(&to("32201234567", &second)), charged(0, "a", 30, 0));
    assert_eq!(outcomes(&reference, &[first, second]), [charged(125, "-", 0, 0), charged(0, "-", 0, 0)]);
    let mut nobodys = with(&[MINUTES], &[]);
    nobodys.owners.customers.clear();
    // Who has no calendar has no periods.
    assert_eq!(costs(&nobodys, &calls([61, 30])), [(125, 120), (65, 60)]);
}
