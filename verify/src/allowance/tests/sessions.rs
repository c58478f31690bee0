//! Prices of a session, whose parts come in several records. A second is a cent.

use super::*;

/// By the minute begun, and five cents for the session.
const MINUTES: &str =
    "rounding_scope = \"session\"\nsetup = \"0.05\"\nminimum = 60\nincrement = 60\nper = 1\nunit_price = \"0.01\"";

fn part<'t>(session: &'t str, call: &Entry<'t>) -> Entry<'t> {
    Entry { record: Record { session, ..call.record }, ..*call }
}

#[test]
fn parts_of_a_session_come_to_the_price_of_the_whole_in_any_order() {
    let reference = reference(vec![selling(&[MINUTES], &[])], &[line("S", "c", "p")]);
    let mut parts = vec![
        part("1", &call(S, "2026-10-10T10:00:00Z", 50)),  // 50 s are 60: 5 + 60
        part("1", &call(S, "2026-10-10T10:01:00Z", 30)),  // 80 are 120: 125 - 65
        part("1", &call(S, "2026-10-10T10:02:00Z", 40)),  // 120 are 120: nothing more
        part("1", &call(S, "2026-11-02T10:00:00Z", 100)), // days later, in another cycle: 220 are 240: 245 - 125
    ];
    let expected = [(65, 60), (60, 60), (0, 0), (120, 120)];
    assert_eq!(costs(&reference, &parts), expected, "245 in all");
    assert!(settled(&reference, &parts).iter().all(|priced| priced.is_covered));
    parts.rotate_left(2);
    assert_eq!(costs(&reference, &parts), [expected[2], expected[3], expected[0], expected[1]]);
    let together = [2, 1].map(|key| Entry { key, ..part("1", &call(S, "2026-10-10T10:00:00Z", 50)) });
    assert_eq!(costs(&reference, &together), [(60, 60), (65, 60)], "the lower key goes first");
}

#[test]
fn a_session_is_one_of_an_id_a_line_and_a_customer_and_counts_one_sort_of_units() {
    let messages = "kind = [\"sms-mo\", \"mms-mo\"]\nrounding_scope = \"session\"\nsetup = \"0.03\"\nunit_price = \"0.07\"";
    let windows = [
        line("S", "c", "p"),
        line("T", "c", "p"),
        ("U", "c", "p", LONG.0, "2026-10-10T11:00:00Z"),
        ("U", "d", "p", "2026-10-10T11:00:00Z", LONG.1),
    ];
    let mut reference = reference(vec![selling(&[MINUTES, messages], &[])], &windows);
    reference.owners.numbers.insert((Identifier::Msisdn, 31_600_000_002), vec![2, 3]);
    let text = |kind, start| {
        let call = part("1", &call(S, start, 0));
        Entry { record: Record { kind, messages: 2, ..call.record }, ..call }
    };
    let calls = [
        part("1", &call(S, "2026-10-10T10:00:00Z", 30)), // 5 + 60
        part("2", &call(S, "2026-10-10T10:01:00Z", 30)), // another id
        part("1", &call(T, "2026-10-10T10:02:00Z", 30)), // another line
        part("1", &call("31600000002", "2026-10-10T10:03:00Z", 30)),
        part("1", &call("31600000002", "2026-10-10T11:03:00Z", 30)), // the same line, another customer's by then
        text("sms-mo", "2026-10-10T10:04:00Z"),                      // 3 + 2 × 7
        text("mms-mo", "2026-10-10T10:05:00Z"),                      // messages are counted together: 3 + 4 × 7 = 31, less 17
        part("1", &call(S, "2026-10-10T12:00:00Z", 30)),             // 60 are 60: nothing more
    ];
    let expected = [(65, 60), (65, 60), (65, 60), (65, 60), (65, 60), (17, 2), (14, 2), (0, 0)];
    assert_eq!(costs(&reference, &calls), expected);
}

#[test]
fn a_record_of_no_session_is_one_by_itself() {
    let price = MINUTES.replace("increment = 60", "increment = 1");
    let reference = reference(vec![selling(&[&price], &["name = \"a\"\nunits = 100"])], &[line("S", "c", "p")]);
    let calls = [
        call(S, "2026-10-10T10:00:00Z", 110), // 100 are drawn; the minimum of what is left is the session's: 5 + 60
        call(S, "2026-10-10T10:01:00Z", 30),  // 5 + 60
        call(S, "2026-10-10T10:02:00Z", 70),  // 5 + 70
    ];
    assert_eq!(costs(&reference, &calls), [(65, 60), (65, 60), (75, 70)]);
    let alone = reference.derive(&calls[1].record).expect("a record").priced;
    assert!(alone.is_covered);
}

#[test]
fn parts_at_several_prices_each_take_the_units_as_they_stand() {
    // To NL a cent a second by the minute begun, to FAR two by the ten seconds, and nine for the session.
    let near = format!("{MINUTES}\nzone = \"NL\"");
    let far = "rounding_scope = \"session\"\nzone = \"FAR\"\nsetup = \"0.09\"\nincrement = 10\nper = 1\nunit_price = \"0.02\"";
    let reference = reference(vec![selling(&[&near, far], &[])], &[line("S", "c", "p")]);
    let calls = [
        part("1", &call(S, "2026-10-10T10:00:00Z", 45)),                     // 5 + 60
        part("1", &to("32201234567", &call(S, "2026-10-10T10:01:00Z", 10))), // 55 are 60, 45 were 50: 2 × 10
        part("1", &call(S, "2026-10-10T10:02:00Z", 10)),                     // 65 are 120, 55 were 60
        part("2", &to("32201234567", &call(S, "2026-10-10T10:03:00Z", 10))), // 9 + 20
    ];
    assert_eq!(costs(&reference, &calls), [(65, 60), (20, 10), (60, 60), (29, 10)]);
}

#[test]
fn the_head_says_it_for_prices_that_say_nothing_themselves() {
    let plain = "zone = \"NL\"\nsetup = \"0.05\"\nper = 1\nunit_price = \"0.01\"";
    let own = "zone = \"FAR\"\nrounding_scope = \"record\"\nsetup = \"0.05\"\nper = 1\nunit_price = \"0.01\"";
    let cost = "zone = \"COST\"\ncost_plus = { percent = \"10\" }";
    let toml = |head: &str| {
        let section = |own: &str| format!("[[price]]\nplan = \"p\"\nkind = \"voice-mo\"\n{own}\n");
        let prices: String = [plain, own, cost].map(section).concat();
        let head = format!("name = \"t\"\ncurrency = \"EUR\"\nvalid_from = 2020-01-01\n{head}\nprices.table = \"prices.csv\"");
        format!("{head}\n{HEAD}[[plan]]\nname = \"p\"\n{prices}")
    };
    let table = "plan,kind,zone,band,setup,per,unit_price\np,voice-mo,FEE,*,0.05,1,0.01\n";
    let tables = BTreeMap::from([("prices.csv".to_owned(), table.to_owned())]);
    let calls = ["31201234567", "32201234567", "35201234567", "34201234567"].map(|number| {
        let first = part("1", &to(number, &call(S, "2026-10-10T10:00:00Z", 10)));
        let cost = Record { cost_nano: Some(500_000_000), cost_currency: "EUR", ..first.record };
        let second = Record { start_us: first.record.start_us + 60_000_000, ..cost };
        [Entry { record: cost, ..first }, Entry { record: second, ..first }]
    });
    let of = |head: &str| {
        let tariff = Tariff::read("t", &toml(head), &tables).unwrap_or_else(|e| panic!("{e}"));
        let reference = reference(vec![Rc::new(tariff)], &[line("S", "c", "p")]);
        calls.each_ref().map(|pair| {
            let is_covered = settled(&reference, pair).iter().map(|priced| priced.is_covered).collect::<Vec<_>>();
            (costs(&reference, pair).iter().map(|(cents, _)| *cents).collect::<Vec<_>>(), is_covered)
        })
    };
    let (whole, each) = ((vec![15, 10], vec![true; 2]), (vec![15, 15], vec![false; 2]));
    // What is the provider's cost stays by the record: 110 % of 50.
    let cost = (vec![55, 55], vec![false; 2]);
    assert_eq!(of("rounding_scope = \"session\""), [whole.clone(), each.clone(), whole, cost.clone()]);
    assert_eq!(of("rounding_scope = \"record\""), [each.clone(), each.clone(), each, cost]);
}
