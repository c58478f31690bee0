//! `tollway demo`: twice, killed, elsewhere, and closed with its fees.

use serde_json::{Value, json};

use crate::support::data_folder::DataFolder;
use crate::support::readers;
use crate::support::small::asked;

const TABLES: [&str; 2] = ["cdr_entries", "totals"];

/// *Scenario.* The demo runs; runs again; in another folder it is killed while it splits files and half way through rating, and
/// started again. *Guarantees.* The second run changes nothing and says so; the killed one ends with the same tables and totals
/// as the undisturbed one; both folders pass the audit.
#[test]
fn demo_twice_and_killed() {
    let data = DataFolder::new();
    let first = data.json(&["demo"]);
    assert!(first["rows_in"].as_u64().is_some_and(|rows| rows >= 300_000), "{first:#}");
    assert!(data.path().join("report.html").exists());
    data.assert_sound();

    let versions = TABLES.map(|table| data.version(table));
    let again = data.ok(&["demo"]);
    assert!(again.contains("0 files new") && again.contains("nothing has changed"), "{again}");
    assert_eq!(TABLES.map(|table| data.version(table)), versions, "a second run writes no version");

    let killed = DataFolder::new().with("TOLLWAY_PIPELINE__COMMIT_ROWS_MAX", 10_000);
    for (word, times) in [(" file split ", 5), (": committed worker", 12)] {
        let running = killed.start(&["demo"], Some("pipeline=info,warn"));
        let there = running.wait_for(word, |lines| (lines.iter().filter(|l| l.contains(word)).count() >= times).then_some(()));
        let log = running.kill();
        assert!(there.is_some(), "the demo ended before it could be killed; it said:\n{log}");
        println!("killed at version {} of cdr_entries", killed.version("cdr_entries"));
    }
    let half_way = killed.version("cdr_entries");
    let finished = killed.json(&["demo"]);
    assert!(half_way >= 1 && half_way < killed.version("cdr_entries"), "it was killed half way");
    assert_eq!((&finished["rows_in"], &finished["charge"]), (&first["rows_in"], &first["charge"]));
    let folders = [data.path().to_string_lossy(), killed.path().to_string_lossy()];
    println!("{}", readers::python("tests/readers/same_tables.py", &folders.each_ref().map(|f| &**f)).trim_end());
    killed.assert_sound();
}

/// Closes a month of the demo by a clock at which it had ended, whatever is in its way, for the sums by kind of line.
fn closed(data: &DataFolder, cycle: &str) -> Vec<Value> {
    let word = ["--at", "2026-11-20T00:00:00Z", "--override", "--by", "test", "--why", "the demo leaves rows in suspense"];
    let (_, said) = asked(data, &[&["cycle", "close", cycle][..], &word].concat());
    said["sums"].as_array().unwrap_or_else(|| panic!("{said:#}")).clone()
}

/// *Scenario.* August and October of the demo are closed. *Guarantees.* The fees and the minimum of the shipped tariff are the sums by hand,
/// by days where a line changes its plan; each line is derived a second time.
#[test]
fn months_of_the_demo_are_closed_with_their_fees() {
    let data = DataFolder::new();
    data.json(&["demo"]);
    let august = closed(&data, "2026-08");
    let of = |sums: &[Value], kind: &str| {
        let sum = sums.iter().find(|sum| sum["kind"] == kind).unwrap_or_else(|| panic!("no {kind}: {sums:#?}"));
        (sum["lines"].clone(), sum["exact"].clone())
    };
    // Lines of devices.csv that had their plan all August, by the price of their plan: 352 x 7.50 = 2640.00, 60 x 22.50 = 1350.00,
    // 145 x 15.00 = 2175.00, 36 x 3.00 = 108.00, 53 x 1.50 = 79.50, 34 x 9.50 = 323.00. Customers: 9 with an exchange x 29.50 = 265.50,
    // 40 x -1.00 = -40.00. Together 729 and 6901.00. Nobody is new.
    assert_eq!(of(&august, "recurring"), (json!(729), json!("6901.000000000")));
    assert!(august.iter().all(|sum| sum["kind"] != "one_time"), "{august:#?}");
    // Of the 8 companies with `samen`, which called nobody, one has 37 lines of 15.00, one 3, six 1: 0.00 + 55.00 + 6 x 85.00.
    assert_eq!(of(&august, "commitment"), (json!(8), json!("565.000000000")));

    let october = closed(&data, "2026-10");
    // 18 lines begin in October: 18 x 15.00.
    assert_eq!(of(&october, "one_time"), (json!(18), json!("270.000000000")));
    let fees = "select item, says, exact from lines where closed_cycle = '2026-10' and subscription = 'S-10020' and item is not null \
                order by item";
    // It leaves bellen-200 for zakelijk-basis on the 16th: 7.50 x 16 / 31 = 3.8709677419, 15.00 x 15 / 31 = 7.2580645161.
    let by_hand = [
        json!({"item": "abonnement", "says": "7.50 x 16 of 31 days", "exact": "3.870967742"}),
        json!({"item": "abonnement-bundel", "says": "15.00 x 15 of 31 days", "exact": "7.258064516"}),
    ];
    assert_eq!(data.query(fees), by_hand);
    let proof = data.run(&["verify", "--cycle", "2026-10"]);
    assert!(proof.code == Some(0) && proof.out.contains(" lines of 1 closing agree"), "{}", proof.out);
}
