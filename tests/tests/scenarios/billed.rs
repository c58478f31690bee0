//! What was billed keeps what it drew, whatever becomes of tariffs, lines and files afterwards; late calls have the rest.

use serde_json::json;
use tempfile::TempDir;

use super::closing::{BUNDLE, DEVICES, calls, installed, lines};
use crate::support::data_folder::DataFolder;
use crate::support::small::{asked, ingest, tariff, write};

/// Records with units and charge, by their starts.
fn drawn(data: &DataFolder) -> Vec<String> {
    let rows = data.query(
        "select record_id, coalesce(allowance_units, 0) as units, coalesce(cast(charge as varchar), reason) as charge from cdr order by start",
    );
    rows.iter().map(|row| format!("{} {} {}", row["record_id"], row["units"], row["charge"]).replace('"', "")).collect()
}

/// That all records agree with their second derivation, of which some stay as they were billed although they would come out otherwise.
fn assert_proved(data: &DataFolder, stay: u64) {
    let (code, proof) = asked(data, &["verify"]);
    let found = (code, &proof["differ"], &proof["unsettled"], &proof["stay"]);
    assert_eq!(found, (Some(0), &json!(0), &json!(0), &json!(stay)), "{proof:#}");
    data.assert_sound();
}

/// *Scenario.* A month is closed, then its bundle is taken by the second and not by the minute; a late call comes. *Guarantees.* It has what
/// the minutes that were billed leave; with a word all draw by the second, and the next closing bills the difference.
#[test]
fn a_late_call_has_what_was_left_when_a_tariff_changes_behind_a_closing() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), BUNDLE);
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, 3, &[(12, 100), (14, 100)]));
    asked(&data, &["cycle", "close", "2026-03"]);
    let by_second = tariff(true) + &BUNDLE.replace("increment = 60", "increment = 1");
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &by_second)]);
    ingest(&data, home.path(), "oever", "b.csv", &calls("b", 1, 3, &[(18, 100)]));
    // Of 300 s the billed calls have 2 x 120; the late one has 60 and pays 40 x 0.002.
    assert_eq!(drawn(&data), ["a-12 120 0.000000000", "a-14 120 0.000000000", "b-18 60 0.080000000"]);
    assert_proved(&data, 2);
    let (code, left) = asked(&data, &["settle"]);
    assert_eq!((code, &left["left"]), (Some(1), &json!({"2026-03": 2})), "{left:#}");
    asked(&data, &["cycle", "close", "2026-04"]);
    assert_eq!(lines(&data, "2026-04"), ["late 2026-03 D-1 voice-mo 1 0.080000000 0.080000000"]);
    asked(&data, &["settle", "--frozen"]);
    assert_eq!(drawn(&data), ["a-12 100 0.000000000", "a-14 100 0.000000000", "b-18 100 0.000000000"]);
    assert_proved(&data, 0);
    asked(&data, &["cycle", "close", "2026-05"]);
    assert_eq!(lines(&data, "2026-05"), ["late 2026-03 D-1 voice-mo 0 -0.080000000 -0.080000000"]);
}

/// *Scenario.* Of three calls two fill a bundle that blocks, and the month is closed; the first one's file is taken back, and a late call
/// comes. *Guarantees.* The blocked call stays blocked until somebody says otherwise; so the late one has what came free.
#[test]
fn what_comes_free_behind_a_closing_is_there_for_late_calls() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), &BUNDLE.replace("units = 300", "units = 240\nbeyond = \"block\""));
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, 3, &[(10, 100)]));
    ingest(&data, home.path(), "haven", "b.csv", &calls("b", 1, 3, &[(12, 100), (14, 100)]));
    asked(&data, &["cycle", "close", "2026-03", "--override", "--by", "anna", "--why", "one is blocked"]);
    data.ok(&["withdraw", "a.csv", "--yes"]);
    assert_eq!(drawn(&data), ["b-12 120 0.000000000", "b-14 0 beyond_allowance"]);
    ingest(&data, home.path(), "oever", "c.csv", &calls("c", 1, 3, &[(11, 100)]));
    assert_eq!(drawn(&data), ["c-11 120 0.000000000", "b-12 120 0.000000000", "b-14 0 beyond_allowance"]);
    // Beside the late call nothing is left, so the blocked one comes to nothing else.
    assert_proved(&data, 1);
}

/// *Scenario.* A line whose call was billed turns out to be another customer's; late calls come for both. *Guarantees.* The old customer's
/// late call has what the billed one left, and the new customer's bundle lacks nothing.
#[test]
fn a_billed_call_draws_for_whom_it_was_billed() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), BUNDLE);
    let lines = |first: &str| {
        let rows = [(1, first), (2, "C-1"), (3, "C-2")];
        let row = |(n, customer): (u32, &str)| format!("D-{n},3161234000{n},{customer},flat,2026-01-01T00:00:00+01:00,\n");
        DEVICES.lines().next().expect("a heading").to_owned() + "\n" + &rows.map(row).concat()
    };
    data.ok(&["import", "devices", &write(home.path(), "devices.csv", &lines("C-1"))]);
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, 3, &[(10, 290)]));
    asked(&data, &["cycle", "close", "2026-03"]);
    data.ok(&["import", "devices", &write(home.path(), "devices.csv", &lines("C-2"))]);
    ingest(&data, home.path(), "oever", "b.csv", &calls("b", 2, 3, &[(25, 60)]));
    ingest(&data, home.path(), "oever", "c.csv", &calls("c", 3, 3, &[(26, 280)]));
    // The call of 290 s took five minutes of C-1: its late call pays 60 x 0.002. C-2's has all of its own.
    assert_eq!(drawn(&data), ["a-10 300 0.000000000", "b-25 0 0.120000000", "c-26 300 0.000000000"]);
    assert_proved(&data, 0);
}

/// *Scenario.* A month is closed for a customer whose cycles begin on the first; then a list says the 15th. *Guarantees.* The list is refused
/// with the customer and what to do, and what was billed stays.
#[test]
fn a_cycle_day_does_not_move_behind_a_closing() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), BUNDLE);
    let list = |day: u32| {
        let rows = format!("C-1,C-1,main/C-1,{day},Europe/Amsterdam\nC-9,C-9,main/C-9,15,Europe/Amsterdam\n");
        write(home.path(), "customers.csv", &("customer_id,name,owner_path,cycle_day,time_zone\n".to_owned() + &rows))
    };
    data.ok(&["import", "customers", &list(1)]);
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, 3, &[(20, 400)]));
    asked(&data, &["cycle", "close", "2026-03"]);
    let refused = data.run(&["import", "customers", &list(15)]);
    assert_eq!(refused.code, Some(3), "{}", refused.err);
    assert!(refused.err.contains("C-1: its cycles begin on day 1") && !refused.err.contains("C-9:"), "{}", refused.err);
    // 420 s of whole minutes, 300 are there: 120 x 0.002.
    assert_eq!(drawn(&data), ["a-20 300 0.240000000"]);
    data.ok(&["import", "customers", &list(1)]);
    assert_proved(&data, 0);
}
