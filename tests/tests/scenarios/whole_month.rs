//! Months with everything in them: each charge, and each line of their invoices, is derived a second time and agrees.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::bundles::with_bundles;
use crate::support::data_folder::DataFolder;
use crate::support::month::Month;
use crate::support::readers;
use crate::support::small::asked;

fn count(data: &DataFolder, condition: &str) -> u64 {
    let found = data.query(&format!("select count(*) as n from cdr where outcome = 'rated' and {condition}"));
    found[0]["n"].as_u64().expect("a count")
}

/// *Scenario.* The months in which the clock goes forward and back, over all layouts and under bundles of every kind, are rated, and
/// closed with the one before. *Guarantees.* There is usage abroad, of the very night, from shared and pooled bundles and of what rolled
/// over; `verify` agrees with every record and every line, before and after.
#[test]
fn whole_months_with_a_clock_change_agree_with_their_derivation() {
    for (month, night) in [("2026-03", "2026-03-29"), ("2026-10", "2026-10-25")] {
        let home = TempDir::new().expect("a temporary folder");
        let made = Month::of_options(
            &home.path().join("month"),
            &["--month", month, "--layouts", "all", "--rows", "9000", "--files", "24", "--seed", "77"],
        );
        let data = DataFolder::new();
        made.import(&data);
        data.ok(&["import", "tariffs", &with_bundles(&home.path().join("tariff"))]);
        Month::land(&data, &made.in_order());
        data.run(&made.rating());
        let of_the_night = format!("abs(extract(epoch from start) - extract(epoch from timestamp '{night} 01:00:00')) < 10800");
        for (what, condition) in [
            ("abroad", "zone like 'ROAM-%'"),
            ("in the three hours before and behind the change", of_the_night.as_str()),
            ("under a shared bundle", "allowance like '%family%'"),
            ("under a pool", "allowance like '%pool%'"),
        ] {
            assert!(count(&data, condition) > 0, "{month} has nothing {what}");
        }
        rolled_over(&data, month);
        let before = asked(&data, &["verify"]);
        assert_agrees(&before);
        let cycles =
            data.query(&format!("select distinct billing_period as c from totals where billing_period <= '{month}' order by 1"));
        for cycle in cycles.iter().filter_map(|row| row["c"].as_str()) {
            let at = ["--at", "2026-11-20T00:00:00Z", "--override", "--by", "test", "--why", "a month of a test"];
            asked(&data, &[&["cycle", "close", cycle], &at[..]].concat());
        }
        let after = asked(&data, &["verify"]);
        assert_agrees(&after);
        assert_eq!(after.1["agree"], before.1["agree"]);
        assert!(after.1["lines"]["agree"].as_u64() > Some(200), "{:#}", after.1);
    }
}

/// All that was derived agrees, and nothing was left out.
fn assert_agrees((code, proof): &(Option<i32>, Value)) {
    assert_eq!((*code, &proof["differ"], &proof["unsettled"]), (Some(0), &json!(0), &json!(0)), "{proof:#}");
    assert_eq!((&proof["underivable"], &proof["kept"]), (&json!({}), &json!(0)), "{proof:#}");
    assert!(proof["agree"].as_u64() > Some(7_000), "{proof:#}");
}

/// Some record of the month draws from what an earlier one has left.
fn rolled_over(data: &DataFolder, month: &str) {
    let records = data.query(&format!(
        "select delivery, row from cdr where allowance like '%minutes%' and billing_period = '{month}' limit 20"
    ));
    let earlier = |row: &Value| {
        let record = format!("{}:{}", row["delivery"].as_str().expect("a delivery"), row["row"]);
        let page = data.ok(&["explain", &record]);
        page.lines().any(|line| line.contains("minutes") && line.contains(" gave ") && !line.contains(&format!("{month} gave")))
    };
    assert!(records.iter().any(earlier), "nothing of {month} rolled over from the month before");
}

/// *Scenario.* The yardstick's files, with its own tariff, through `ingest`. *Guarantees.* Every charge agrees with its derivation.
/// A million of them: `benches/README.md`.
#[test]
fn whole_job_agrees_with_its_derivation() {
    let home = TempDir::new().expect("a temporary folder");
    let folder = home.path().join("job").to_string_lossy().into_owned();
    readers::python("benches/job/gen.py", &[&*folder, "--files", "2", "--rows", "20000", "--seed", "6"]);
    let (reference, data) = (format!("{folder}/ref"), DataFolder::new());
    data.ok(&["import", "tariffs", "job", "--base", &reference]);
    data.ok(&["import", "devices", &format!("{reference}/devices.csv")]);
    data.run(&["ingest", "--profile", "job", "--account", "yardstick", &format!("{folder}/cdr")]);
    let rated = data.json(&["status"])["rows"]["rated"].as_u64();
    let (code, proof) = asked(&data, &["verify"]);
    assert_eq!((code, &proof["differ"], &proof["underivable"]), (Some(0), &json!(0), &json!({})), "{proof:#}");
    let of_tariffs: u64 = proof["tariffs"].as_array().expect("a list").iter().filter_map(|one| one["records"].as_u64()).sum();
    assert!(rated > Some(30_000) && rated == Some(of_tariffs), "{rated:?}: {proof:#}");
}
