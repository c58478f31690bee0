//! One call priced from the command line: the tables of tests/rating are its oracle, as they are for whole files.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use domain::money::Money;
use serde_json::Value;

use crate::support::data_folder::DataFolder;

/// The rows of a table of tests/rating over the tariff file that it names first, by column; `-` and nothing are left out.
fn table(name: &str) -> Vec<HashMap<String, String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("rating").join(name);
    let text = fs::read_to_string(path).expect("the tables are in the repository");
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let of_first = text.split("\ntariff:").nth(1).expect("a table names a tariff");
    let mut lines = of_first.lines().filter(|line| !line.starts_with('#') && line.contains('|'));
    let heads = cells(lines.next().expect("a header"));
    let row =
        |line: &str| heads.iter().cloned().zip(cells(line)).filter(|(_, cell)| !matches!(cell.as_str(), "" | "-")).collect();
    lines.map(row).collect()
}

/// What the command line says about a row; the tables' rows are in October 2026, by the clock of Amsterdam.
fn asked(data: &DataFolder, row: &HashMap<String, String>) -> (Option<i32>, Value) {
    let start = format!("{}+02:00", row["start"].replace(' ', "T"));
    let kind = row.get("kind").map_or("voice-mo", String::as_str);
    let units = match kind.split('-').next() {
        Some("voice") => "--seconds",
        Some("data") => "--bytes",
        _ => "--messages",
    };
    let number = row.get("to").map_or("", String::as_str);
    let hidden = if number == "*" { "0612****78" } else { number };
    let amount = row["units"].replace('_', "");
    let mut command = vec!["rate", "--plan", &row["plan"], "--to", hidden, "--start", &start, "--kind", kind, units, &amount];
    for (column, option) in [("network", "--network"), ("class", "--class"), ("cost", "--cost")] {
        command.extend(row.get(column).into_iter().flat_map(|value| [option, value]));
    }
    command.extend(["--output", "json"]);
    let ended = data.run(&command);
    (ended.code, serde_json::from_str(&ended.out).unwrap_or_else(|e| panic!("{command:?}: {e}: {}", ended.err)))
}

/// *Scenario.* Rows of the tables of tests/rating are asked one by one: increments, setup, zones by number, network and class.
/// *Guarantees.* Each costs what its row says by hand, in the zone and for the units that it says, or has no price for that reason;
/// the exit code tells which.
#[test]
fn a_call_from_the_command_line_costs_what_the_tables_say() {
    let data = DataFolder::new();
    data.ok(&["import", "tariffs", "nl-zakelijk"]);
    let mut asked_for = 0;
    for row in ["increments.tbl", "zones.tbl"].into_iter().flat_map(table) {
        let (code, said) = asked(&data, &row);
        let derivation = &said["derivation"];
        if let Some(charge) = Money::parse(&row["charge"]) {
            assert_eq!(code, Some(0), "{row:?}: {said}");
            assert_eq!(said["charge"].as_str().and_then(Money::parse), Some(charge), "{row:?}: {said}");
            assert_eq!(derivation["zone"]["zone"], row["zone"].as_str(), "{row:?}");
            if let Some(billed) = row.get("billed") {
                assert_eq!(derivation["charge"]["billed"].to_string(), *billed, "{row:?}");
            }
        } else {
            assert_eq!((code, said["outcome"].as_str()), (Some(1), Some(row["charge"].as_str())), "{row:?}: {said}");
        }
        asked_for += 1;
    }
    assert!(asked_for >= 50, "only {asked_for} rows");
}

/// *Scenario.* A call is priced by a shipped tariff without any data folder, and by a file beside its tables that is not imported.
/// *Guarantees.* Both answer alike; nothing is made on the disk; the page names the rule and the sum.
#[test]
fn a_call_is_priced_by_a_tariff_that_nobody_imported() {
    let data = DataFolder::new();
    let call =
        ["rate", "--plan", "zakelijk-plus", "--to", "06-12345678", "--start", "2026-10-14T10:00:00+02:00", "--seconds", "61"];
    let by = |tariff: &str| data.ok(&[&call[..], &["--tariff", tariff]].concat());
    let shipped = by("nl-zakelijk");
    for part in ["0.101667 EUR", "61 seconds", "31612345678", "nl-zakelijk-prices", "0.10 × 61 / 60", "half up to 6 places"] {
        assert!(shipped.contains(part), "`{part}` in\n{shipped}");
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/tariffs/nl-zakelijk.toml");
    let from_file = by(&file.to_string_lossy());
    assert_eq!(from_file.replace(&*file.to_string_lossy(), "nl-zakelijk"), shipped);
    assert!(!data.path().exists(), "the data folder was made");
}
