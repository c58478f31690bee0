//! Two hundred rows of each provider's layout through the whole program, each with the outcome and the charge that a script which
//! shares nothing with it has computed from the documented rules.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::data_folder::DataFolder;
use crate::support::{place, readers};

/// A line by column name.
type Line = BTreeMap<String, String>;

fn folder() -> PathBuf {
    place::checkout().join("ingest/fixtures")
}

/// The lines of a table without quotes.
fn table(path: &Path) -> Vec<Line> {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let header = lines.next().expect("a table has a header");
    lines.map(|cells| header.iter().cloned().zip(cells).collect()).collect()
}

/// A data folder with the sample tariff and the devices whose calls the fixtures hold.
fn with_reference() -> DataFolder {
    let data = DataFolder::new();
    data.ok(&["import", "tariffs", "nl-zakelijk"]);
    for what in ["customers", "plans", "devices"] {
        let file = folder().join("reference").join(what).with_extension("csv");
        data.ok(&["import", what, &file.to_string_lossy()]);
    }
    data
}

/// Ingests a fixture under an account of its own name; gives the summary.
fn ingested(data: &DataFolder, profile: &str) -> Value {
    let file = folder().join(profile).with_extension("cdr").to_string_lossy().into_owned();
    let ended = data.run(&["ingest", "--profile", profile, "--account", profile, &file, "--output", "json"]);
    assert!(matches!(ended.code, Some(0 | 1)), "{profile}: {}", ended.err);
    serde_json::from_str(&ended.out).expect("a summary in JSON")
}

/// What became of the rows of an account: outcome or reason, and for rated rows plan, zone, billed units, charge and currency.
fn became(data: &DataFolder, account: &str) -> BTreeMap<String, Vec<String>> {
    let columns = "row, outcome, reason, plan, zone, billed_units, charge, currency";
    let sql = format!("SELECT {columns} FROM cdr WHERE account = '{account}' ORDER BY row");
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let row = |row: &Value| {
        let columns: &[&str] = match row["outcome"].as_str() {
            Some("rated") => &["outcome", "plan", "zone", "billed_units", "charge", "currency"],
            _ => &["reason"],
        };
        (shown(&row["row"]), columns.iter().map(|column| shown(&row[*column])).collect())
    };
    let rows = data.query(&sql);
    let found: BTreeMap<String, Vec<String>> = rows.iter().map(row).collect();
    assert_eq!(found.len(), rows.len(), "{account}: a row has one state");
    found
}

/// *Scenario.* The fixtures of all nine layouts, with devices on six plans, numbers that nobody has, one that was given up, one
/// that changed its plan and a SIM that is another device's. *Guarantees.* Each of the 1,800 rows ends as the script says:
/// rated with this plan, zone, units and charge to the last unit, in suspense with this reason, a duplicate, or left out; and
/// each file has these counts and this sum.
#[test]
fn fixtures_of_every_provider_cost_what_the_rules_say() {
    readers::python("ingest/fixtures/charges.py", &["--check"]);
    let data = with_reference();
    for total in table(&folder().join("totals.csv")) {
        let profile = &total["profile"];
        let said = ingested(&data, profile);
        let found = became(&data, profile);
        let mut compared = 0;
        for line in table(&folder().join(format!("{profile}.charges.csv"))) {
            let expected: Option<Vec<String>> = match line["outcome"].as_str() {
                "duplicate" => None,
                left_out if left_out.starts_with("skipped.") => None,
                "rated" => {
                    Some(["outcome", "plan", "zone", "billed_units", "charge", "currency"].map(|c| line[c].clone()).to_vec())
                }
                reason => Some(vec![reason.to_owned()]),
            };
            assert_eq!(found.get(&line["row"]), expected.as_ref(), "{profile} row {}", line["row"]);
            compared += usize::from(expected.is_some());
        }
        assert_eq!(compared, found.len(), "{profile}: every row of the table stands in the file");
        let suspense: u64 = said["suspense"].as_object().expect("counts").values().filter_map(Value::as_u64).sum();
        let counts = [("rows", &said["rows_in"]), ("rated", &said["rated"]), ("skipped", &said["skipped"])];
        for (name, count) in counts.into_iter().chain([("duplicates", &said["duplicates"]), ("suspense", &Value::from(suspense))])
        {
            assert_eq!(count.to_string(), total[name], "{profile}: {name}");
        }
        assert_eq!(said["charge"][&total["currency"]], Value::from(total["charge"].as_str()), "{profile}");
    }
    data.assert_sound();
}
