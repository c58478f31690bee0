//! `tollway verify`: a second derivation that shares nothing with rating agrees with every row, and finds the one that was changed.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::data_folder::DataFolder;
use crate::support::month::Month;
use crate::support::readers::python;

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// How many records a list of reasons counts.
fn sum(reasons: &Value) -> u64 {
    reasons.as_object().expect("reasons").values().map(number).sum()
}

/// *Scenario.* A month over all layouts: some of it is rated before anybody's devices are known, those rows are rated again when they
/// are, and the rest comes after that. *Guarantees.* `verify` agrees with every row that stands, each under the reference data that it
/// was rated by; rated rows, suspense and sums are those of `status`; a cycle is a part of the whole. Then one charge is raised by the
/// last of its nine places in a file of the table: `verify` names that record, that field and both amounts, and ends as for a bug.
#[test]
fn every_charge_is_derived_a_second_time() {
    let folder = TempDir::new().expect("a temporary folder");
    let month = Month::generate(folder.path(), 30_000, 30, 11);
    let data = DataFolder::new();
    data.ok(&["import", "tariffs", "nl-zakelijk"]);
    let (before, after) = month.files.split_at(month.files.len() / 3);
    Month::land(&data, &before.iter().collect::<Vec<_>>());
    data.run(&month.rating());
    let nobodys = data.json(&["verify"]);
    assert_eq!((number(&nobodys["differ"]), &nobodys["tariffs"]), (0, &Value::Array(Vec::new())), "{nobodys}");
    assert!(nobodys["suspense"]["no_device"].as_u64().is_some_and(|records| records > 0), "{nobodys}");
    month.import(&data);
    data.run(&["suspense", "recycle"]);
    let taken_back = data.query("SELECT count(*) AS n FROM cdr_entries WHERE entry = 'reversal'");
    assert!(taken_back[0]["n"].as_u64().is_some_and(|n| n > 1_000), "{taken_back:?}");
    Month::land(&data, &after.iter().collect::<Vec<_>>());
    data.run(&month.rating());

    let (all, rows) = (data.json(&["verify"]), data.json(&["status"])["rows"].clone());
    assert_eq!((&all["differ"], &all["differences"]), (&0.into(), &Value::Array(Vec::new())), "{all}");
    let rated: u64 = all["tariffs"].as_array().expect("a list").iter().map(|tariff| number(&tariff["records"])).sum();
    assert_eq!(rated, number(&rows["rated"]));
    assert_eq!(sum(&all["suspense"]) + sum(&all["unpriced"]), sum(&rows["suspense"]));
    assert!(sum(&all["suspense"]) > 0 && sum(&all["unpriced"]) > 0, "{all}");
    assert_eq!(number(&all["agree"]), rated + sum(&all["suspense"]));
    assert_eq!(all["charge"], rows["charge"]);
    assert!(all["reference_versions"].as_array().is_some_and(|versions| versions.len() >= 2), "{all}");

    let cycle = data.json(&["verify", "--cycle", "2026-10"]);
    assert!(number(&cycle["agree"]) > 0 && number(&cycle["agree"]) < number(&all["agree"]), "{cycle}");
    let none = data.run(&["verify", "--cycle", "2019-01"]);
    assert_eq!((none.code, none.out.trim()), (Some(1), "no record of cycle 2019-01 is there to verify"));

    let forgetful = data.copied();
    for entry in fs::read_dir(forgetful.path()).expect("a data folder").map(|entry| entry.expect("readable").path()) {
        if entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with("state.db")) {
            fs::remove_file(entry).expect("a file can be removed");
        }
    }
    let ended = forgetful.run(&["verify"]);
    assert_eq!(ended.code, Some(1), "without its state it accuses nobody: {}{}", ended.out, ended.err);
    assert!(ended.out.contains("does not know reference version") && ended.out.contains("tollway ingest"), "{}", ended.out);
    forgetful.run(&month.rating());
    assert_eq!(forgetful.json(&["verify"])["agree"], all["agree"], "the state was read from landing again");

    let changed = raise_one_charge(&data.table("cdr_entries"));
    let ended = data.run(&["verify", "--output", "json"]);
    assert_eq!(ended.code, Some(70), "{}", ended.err);
    let said: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!((number(&said["differ"]), &said["too_much"]["EUR"]), (1, &"0.000000001".into()));
    let [one] = said["differences"].as_array().expect("a list").as_slice() else { panic!("{said}") };
    assert_eq!(one["record"], changed["record"]);
    let [field] = one["differences"].as_array().expect("a list").as_slice() else { panic!("{said}") };
    assert_eq!((&field["field"], &field["table"], &field["derived"]), (&"charge".into(), &changed["now"], &changed["was"]));
}

/// Raises the charge of one record by 10⁻⁹; says which, and both amounts.
fn raise_one_charge(table: &Path) -> Value {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut folders = vec![table.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().contains("outcome=rated") && path.extension().is_some_and(|e| e == "parquet") {
                files.push(path);
            }
        }
    }
    files.sort();
    let out = python("tests/readers/raise_charge.py", &[&files[0]]);
    serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}"))
}
