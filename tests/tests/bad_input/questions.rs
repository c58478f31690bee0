//! What operators ask when figures look wrong: control totals, why a customer's totals are low, what sells below cost.

use domain::money::Money;
use serde_json::Value;

use crate::desk::{BAD_INPUT, DONE, Desk, NEEDS_HAND, WRONG_USE};
use crate::kpn::{self, Call};

/// The customer that the desk's one number belongs to.
const CUSTOMER: &str = "C-1042";

fn money(value: &Value) -> Money {
    Money::parse(value.as_str().expect("an amount is text")).expect("an amount")
}

/// Three good calls, one of a number that nobody owns, one at a time that does not exist; each costs 0.05.
fn desk_with_a_file() -> Desk {
    let desk = Desk::new();
    let mut calls: Vec<Call<'_>> = ["a-0", "a-1", "a-2"].into_iter().map(Call::new).collect();
    calls.push(Call { from: "0612345670", ..Call::new("stranger") });
    calls.push(Call { date: "31-11-2026", ..Call::new("never") });
    desk.write("in/a.csv", kpn::file(&calls));
    desk.ingest(&["in/a.csv", "--cycle", "2026-10"]);
    desk
}

#[test]
fn control_totals_agree_from_hop_to_hop_and_tell_what_waits() {
    let desk = desk_with_a_file();
    let said = desk.tollway(&["control-totals", "--output", "json"]).ends(DONE).json();
    let line = &said["control_totals"][0];
    assert_eq!((&line["account"], &line["cycle"]), (&"main/kpn/haven".into(), &"2026-10".into()), "{said}");
    assert_eq!((&line["rows"]["rows_in"], &line["rows"]["rated"]), (&5.into(), &3.into()), "{said}");
    assert_eq!(line["seconds"], 4 * 63, "the row without a time has no length either: {said}");
    assert_eq!(money(&line["provider_cost"]["EUR"]), Money::parse("0.20").expect("an amount"), "{said}");
    assert_eq!(money(&line["provider_cost_in_suspense"]["EUR"]), Money::parse("0.05").expect("an amount"), "{said}");
    assert_eq!(line["charge"], line["rows"]["charge"], "the rows' own sum is the ledger's: {said}");
    assert_eq!(line["differences"], Value::Array(Vec::new()), "{said}");
    desk.write("in/b.csv", kpn::good("b", 2));
    desk.ingest(&["in/b.csv", "--land-only"]).ends(DONE);
    desk.tollway(&["control-totals"]).ends(NEEDS_HAND).says(&["every hop agrees, 1 files wait"]);
    desk.tollway(&["control-totals", "--account", "nobody"]).ends(DONE).says(&["0 accounts and cycles"]);
}

#[test]
fn a_list_of_suspense_says_what_helps_and_ends_alike_with_and_without_a_reason() {
    let desk = desk_with_a_file();
    desk.tollway(&["suspense", "list"]).ends(NEEDS_HAND).says(&["no_device", "recycle --dry-run"]);
    desk.tollway(&["suspense", "list", "--reason", "no_device"]).ends(NEEDS_HAND).says(&["1 newest rows with `no_device`"]);
    desk.tollway(&["suspense", "list", "--reason", "no_tariff"]).ends(DONE).says(&["nothing in suspense has the reason"]);
    // Only the row without a time is left: no import mends it.
    let desk = Desk::new();
    desk.write("in/a.csv", kpn::file(&[Call { date: "31-11-2026", ..Call::new("never") }]));
    desk.ingest(&["in/a.csv"]);
    let said = desk.tollway(&["suspense", "list"]).ends(NEEDS_HAND);
    assert!(!format!("{said:?}").contains("recycle"), "{said:?}");
}

#[test]
fn a_cycle_that_is_none_is_no_cycle_in_which_all_is_well() {
    let desk = desk_with_a_file();
    for question in [&["margin"][..], &["margin", "--buy"], &["totals"]] {
        let said = desk.tollway(&[question, &["--cycle", "2026-1"]].concat());
        said.ends(WRONG_USE).says(&["`2026-1` is no cycle; write it as 2026-10"]);
    }
}

/// Every question that can be asked of a moment.
const QUESTIONS: [&[&str]; 7] = [
    &["totals"],
    &["explain", "0a0b0c0d"],
    &["rate", "--plan", "zakelijk-plus", "--to", "+31201234567", "--start", "2026-10-01T12:00:00Z", "--seconds", "63"],
    &["tariff", "list"],
    &["tariff", "show", "nl-zakelijk"],
    &["whatif", "--cycle", "2026-10"],
    &["verify"],
];

#[test]
fn a_moment_that_is_none_or_to_come_is_wrong_use_of_every_question() {
    let desk = desk_with_a_file();
    for question in QUESTIONS {
        for (when, words) in [
            ("", "`` is no moment"),
            ("last week", "`last week` is no moment; write an instant with seconds and the offset of its clock"),
            ("2026-10-01T12:00:00", "such as 2026-10-31 for its end in UTC"),
            ("1-10-2026", "is no moment"),
            ("2026-02-30", "does not exist in the calendar"),
            ("2026-10-01T25:00:00Z", "does not exist in the calendar"),
            ("2999-01-01", "2999-01-01 is not over yet in UTC"),
            ("2999-01-01T00:00:00Z", "lies in the future"),
        ] {
            desk.tollway(&[question, &["--known-at", when]].concat()).ends(WRONG_USE).says(&["--known-at", words]);
        }
    }
    for contrary in [
        &["totals", "--known-at", "2026-10-31", "--rebuild"][..],
        &["totals", "--known-at", "2026-10-31", "--backup", "--cycle", "2026-10"],
        &["whatif", "--known-at", "2026-10-31", "--tariff", "nl-zakelijk", "--cycle", "2026-10"],
        &["tariff", "show", "nl-zakelijk", "--known-at", "2026-10-31", "--base", "."],
    ] {
        desk.tollway(contrary).ends(WRONG_USE).says(&["cannot be used with"]);
    }
    desk.tollway(&["whatif", "--cycle", "2026-10"]).ends(WRONG_USE).says(&["--tariff"]);
}

#[test]
fn before_anything_was_known_every_question_says_so() {
    let desk = desk_with_a_file();
    let ends = [DONE, BAD_INPUT, BAD_INPUT, DONE, BAD_INPUT, DONE, DONE];
    let words = [
        "nothing was known at 2019-12-31T23:59:59.999Z",
        "no record is named",
        "no tariff was known at",
        "no tariff was known at",
        "the data folder had no tariff `nl-zakelijk` at 2019-12-31T23:59:59.999Z; known were: none",
        "nothing was known at",
        "nothing was known at",
    ];
    for ((question, code), words) in QUESTIONS.into_iter().zip(ends).zip(words) {
        desk.tollway(&[question, &["--known-at", "2019-12-31"]].concat()).ends(code).says(&[words]);
    }
    let asked = ["verify", "--known-at", "2019-12-31", "--cycle", "2026-10"];
    desk.tollway(&asked).ends(NEEDS_HAND).says(&["nothing was known at"]);
}

#[test]
fn why_tells_each_reason_for_low_totals() {
    let desk = desk_with_a_file();
    desk.tollway(&["why", CUSTOMER, "2026-10"]).ends(DONE).says(&["in 3 records", "nothing is missing"]);
    desk.tollway(&["why", CUSTOMER, "2026-12"]).ends(NEEDS_HAND).says(&["nothing in 0 records", "no file that was read holds"]);
    let facts = ["no customer `nobody`"];
    desk.tollway(&["why", "nobody", "2026-10"]).ends(BAD_INPUT).says(&facts);
    desk.tollway(&["why", "C-1024", "2026-10"]).ends(BAD_INPUT).says(&["did you mean C-1042?"]);
    desk.tollway(&["why", CUSTOMER, "October"]).ends(WRONG_USE).says(&["`October` is no cycle", "2026-10"]);
    // A call before the number was its own.
    desk.write("in/early.csv", kpn::file(&[Call { date: "01-10-2019", ..Call::new("early") }]));
    desk.ingest(&["in/early.csv"]);
    let facts = ["outside their windows", "EUR 0.05 of provider cost", "import devices"];
    desk.tollway(&["why", CUSTOMER, "2019-10"]).ends(NEEDS_HAND).says(&facts);
    desk.write("in/late.csv", kpn::good("late", 1));
    desk.ingest(&["in/late.csv", "--land-only"]).ends(DONE);
    desk.tollway(&["why", CUSTOMER, "2026-10"]).ends(NEEDS_HAND).says(&["1 files have landed and are not rated"]);
}

#[test]
fn margin_is_charge_less_cost_to_the_last_place() {
    let desk = desk_with_a_file();
    let said = desk.tollway(&["margin", "--by", "customer", "--output", "json"]).json();
    let line = &said["margins"][0];
    let cost = Money::parse("0.15").expect("an amount");
    assert_eq!((&line["customer"], &line["records"], money(&line["cost"])), (&CUSTOMER.into(), &3.into(), cost), "{said}");
    assert_eq!(money(&line["margin"]).0, money(&line["charge"]).0 - cost.0, "{said}");
    assert_eq!(said["below_cost"], u64::from(money(&line["margin"]).0 < 0), "{said}");
}

#[test]
fn explain_of_a_broken_row_names_the_reason_and_what_to_do() {
    let desk = desk_with_a_file();
    let found = desk.query("SELECT encode(record_key, 'hex') AS record FROM cdr WHERE reason = 'malformed.time'");
    let record = found[0]["record"].as_str().expect("the row is in suspense");
    desk.tollway(&["explain", record]).ends(DONE).says(&["in suspense: malformed.time", "impossible time", "in/a.csv"]);
    desk.tollway(&["totals", "--cycle", "october"]).ends(WRONG_USE).says(&["`october` is no cycle"]);
}

#[test]
fn a_question_that_takes_keys_for_text_is_a_mistake_with_a_remedy() {
    let desk = desk_with_a_file();
    let help = "help: keys and `raw` are bytes, not text; ask for their digits: encode(record_key, 'hex') like 'a%'";
    for output in ["table", "csv", "json"] {
        let said = desk.tollway(&["query", "select * from cdr where record_key like 'a%'", "--output", output]);
        said.ends(WRONG_USE).says(&["the query cannot be run", help]);
    }
    desk.tollway(&["query", "select * from cdr where encode(record_key, 'hex') like '%'"]).ends(DONE).says(&["5 rows"]);
    for sql in ["select 1 / 0", "select cast(record_id as int) from cdr", "select * from cdr where row like 5"] {
        let said = desk.tollway(&["query", sql]).ends(WRONG_USE);
        assert!(!format!("{said:?}").contains("help:"), "{said:?}");
    }
}
