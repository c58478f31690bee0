//! Suspense that is rated again, on the real program: shown, done once, told to the cent, and taken back with its file.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use domain::zone::days_of;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::data_folder::DataFolder;
use crate::support::month::Month;
use crate::support::small::{DEVICES, HEADER, asked, ingest, kill_in_the_middle, tariff, write};

/// Ten minutes within the Netherlands and three to Germany, of one number that nobody has, and a row of the 31st of November.
fn file() -> String {
    let row = |id: u32, to: &str, day: &str| format!("r-{id},voice,+31612340001,{to},{day}T10:00:00+01:00,60,,,MO,20408,0.10\n");
    let home = (0..10).map(|id| row(id, "+31201234567", "2026-11-14"));
    let abroad = (10..13).map(|id| row(id, "+4930123456", "2026-11-14"));
    let broken = row(13, "+31201234567", "2026-11-31");
    HEADER.to_owned() + &home.chain(abroad).collect::<String>() + &broken
}

/// The charges of a table, added up by SQL.
fn charged(data: &DataFolder, table: &str) -> Value {
    data.query(&format!("select sum(charge) as charge from {table}"))[0]["charge"].clone()
}

/// A data folder with the small tariff in force and the file rated before anybody has its number.
fn with_a_stranger(home: &Path) -> DataFolder {
    let data = DataFolder::new();
    data.ok(&["import", "tariffs", &write(home, "small.toml", &tariff(false))]);
    let (code, landed) = asked(&data, &["ingest", "--profile", "job", "--account", "haven", &write(home, "a.csv", &file())]);
    assert_eq!(code, Some(1), "{landed:#}");
    assert_eq!(landed["suspense"], json!({"no_device": 13, "malformed.time": 1}), "{landed:#}");
    data
}

/// *Scenario.* Calls of an unknown number are in suspense; its device is imported, later a price for the rest; suspense is rated
/// again after each, and once more; at last the file is withdrawn. *Guarantees.* Showing and rating again in vain change nothing;
/// what is freed is charged to the cent in entries, records and totals; its explanation is that of any record; what could not be
/// read stays; the withdrawal takes the freed money back.
#[test]
fn suspense_is_rated_again_after_an_import_and_taken_back_with_its_file() {
    let home = TempDir::new().expect("a temporary folder");
    let data = with_a_stranger(home.path());
    let imported = data.ok(&["import", "devices", "--no-recycle", &write(home.path(), "devices.csv", DEVICES)]);
    assert!(imported.contains("13 rows wait in suspense") && imported.contains("tollway suspense recycle"), "{imported}");

    let before = data.version("cdr_entries");
    let (_, tested) = asked(&data, &["suspense", "test"]);
    let (code, shown) = asked(&data, &["suspense", "recycle", "--dry-run"]);
    assert_eq!(tested, shown, "two names");
    let turns = json!([
        {"was": "no_device", "becomes": "rated", "rows": 10, "charge": {"EUR": "1.200000000"}},
        {"was": "no_device", "becomes": "no_zone", "rows": 3, "charge": {}},
    ]);
    assert_eq!((code, &shown["state"], &shown["turns"]), (Some(1), &json!("shown"), &turns), "{shown:#}");
    assert_eq!(data.version("cdr_entries"), before);

    let (code, done) = asked(&data, &["suspense", "recycle", "--reason", "no_device"]);
    assert_eq!((code, &done["state"], &done["turns"]), (Some(1), &json!("recycled"), &turns), "{done:#}");
    assert_eq!((&done["added"]["rated"], &done["added"]["suspense"]), (&json!(10), &json!({"no_zone": 3})), "{done:#}");
    for table in ["cdr_entries", "cdr", "totals"] {
        assert_eq!(charged(&data, table), json!("1.200000000"), "{table}");
    }
    let counted = data.query("select sum(rows) as rows, count(*) as entries from cdr_entries where outcome <> 'ledger'");
    assert_eq!(counted, [json!({"rows": 14, "entries": 14 + 2 * 13})], "pairs");
    let (_, why) = asked(&data, &["explain", &format!("{}:4", place(&data))]);
    assert_eq!((&why["customer"], &why["charge"]), (&json!("C-1"), &json!("0.120000000")), "{why:#}");
    data.assert_sound();

    let before = data.version("cdr_entries");
    let (code, again) = asked(&data, &["suspense", "recycle"]);
    assert_eq!((code, &again["state"], &again["chosen"]), (Some(1), &json!("unchanged"), &json!(3)), "{again:#}");
    assert_eq!(data.version("cdr_entries"), before, "nothing is posted");
    data.ok(&["import", "tariffs", "--no-recycle", &write(home.path(), "small.toml", &tariff(true))]);
    let (code, rest) = asked(&data, &["suspense", "recycle", "--account", "haven", "--file", "a.csv"]);
    assert_eq!((code, &rest["added"]["rated"], charged(&data, "totals")), (Some(0), &json!(3), json!("2.100000000")), "{rest:#}");
    let (_, left) = asked(&data, &["suspense", "list"]);
    assert_eq!((&left["rows"], &left["suspense"][0]["reason"]), (&json!(1), &json!("malformed.time")), "{left:#}");
    let (_, status) = asked(&data, &["status"]);
    assert_eq!((&status["rows"]["rated"], &status["recyclings_waiting"]), (&json!(13), &json!(0)), "{status:#}");
    data.assert_sound();

    let (_, taken) = asked(&data, &["withdraw", "a.csv", "--yes"]);
    assert_eq!(
        (&taken["taken_back"]["rated"], &taken["taken_back"]["charge"]["EUR"]),
        (&json!(13), &json!("2.100000000")),
        "{taken:#}"
    );
    assert_eq!(
        (charged(&data, "cdr_entries"), data.query("select count(*) as n from cdr")[0]["n"].clone()),
        (json!("0.000000000"), json!(0))
    );
    assert_eq!(charged(&data, "totals"), json!("0.000000000"), "the totals follow");
    data.assert_sound();
}

/// The delivery of the only file.
fn place(data: &DataFolder) -> String {
    data.query("select distinct delivery from cdr")[0]["delivery"].as_str().expect("a delivery").to_owned()
}

/// *Scenario.* A number without an owner is assigned; nothing else is typed. *Guarantees.* Its calls in suspense are rated by that,
/// those of other numbers stay, and what came of it is told.
#[test]
fn assigning_a_number_rates_its_calls_in_suspense() {
    let home = TempDir::new().expect("a temporary folder");
    let data = with_a_stranger(home.path());
    let other = DEVICES.replace("31612340001", "31612340002");
    data.ok(&["import", "devices", &write(home.path(), "other.csv", &other)]);
    let owner = ["--customer", "C-1", "--plan", "flat", "--subscription", "S-1", "--from", "2026-01-01T00:00:00Z"];
    let (code, done) = asked(&data, &[&["unassigned", "assign", "31612340001"], &owner[..]].concat());
    assert_eq!((code, &done["records"], &done["recycled"]["state"]), (Some(0), &json!(13), &json!("recycled")), "{done:#}");
    assert_eq!((&done["recycled"]["added"]["rated"], charged(&data, "totals")), (&json!(10), json!("1.200000000")), "{done:#}");
    let (code, unassigned) = asked(&data, &["unassigned"]);
    assert_eq!((code, &unassigned["numbers"]), (Some(0), &json!(0)), "{unassigned:#}");
    data.assert_sound();
}

/// *Scenario.* A month is rated before its devices are known; they are imported, and rating again is killed in the middle, again
/// and again; then another command comes. *Guarantees.* Everything is as in an installation that knew the devices from the
/// beginning: each record, its outcome and its charge, and the totals; no entry is taken back twice.
#[test]
fn recycling_that_is_killed_is_done_once() {
    let home = TempDir::new().expect("a temporary folder");
    let month = Month::generate(&home.path().join("month"), 6_000, 4, 12);
    let devices = home.path().join("month/reference/devices.csv").to_string_lossy().into_owned();
    let (data, other) = (DataFolder::new(), DataFolder::new());
    data.ok(&["import", "tariffs", "nl-zakelijk"]);
    for what in ["customers", "plans"] {
        data.ok(&["import", what, &home.path().join("month/reference").join(what).with_extension("csv").to_string_lossy()]);
    }
    month.import(&other);
    for file in &month.files {
        for folder in [&data, &other] {
            folder.run(&["ingest", "--profile", &file.profile, "--account", &file.account, &file.path.to_string_lossy()]);
        }
    }
    data.ok(&["import", "devices", "--no-recycle", &devices]);
    kill_in_the_middle(&data, &["suspense", "recycle"]);
    // Whatever command comes next goes on with it.
    asked(&data, &["ingest", "--profile", "job", "--account", "haven", &write(home.path(), "nothing.csv", "")]);
    let (_, status) = asked(&data, &["status"]);
    assert_eq!(
        (&status["recyclings_waiting"], &status["corrections"][0]["cause"]),
        (&json!(0), &json!("recycled")),
        "{status:#}"
    );
    let twice =
        data.query("select delivery, row from cdr_entries where entry = 'reversal' group by 1, 2, entry_no having count(*) > 1");
    assert!(twice.is_empty(), "{twice:?}");
    let records = "select encode(record_key, 'hex') as record, reason, charge from cdr order by 1, 2, 3";
    assert!(data.query(records) == other.query(records), "the records differ from those of a folder that knew all devices");
    let totals = "select customer, billing_period, sum(charge) as charge from totals group by 1, 2 order by 1, 2";
    assert_eq!(data.query(totals), other.query(totals));
    let (code, again) = asked(&data, &["suspense", "recycle"]);
    assert_eq!((code, &again["state"]), (Some(1), &json!("unchanged")), "{again:#}");
    data.assert_sound();
}

/// *Scenario.* An installation bills nothing from before 2023; a file brings calls of 2020 and of 2026, of one line and of nobody.
/// *Guarantees.* The old ones wait as too old, whoever they are of, and imports leave them there; the derivation passes over them; asked
/// for by name, each is rated as any other, also where another file lands again; the others were never touched.
#[test]
fn what_is_too_old_waits_until_somebody_asks_for_it() {
    let home = TempDir::new().expect("a temporary folder");
    let since_1970 = fs::metadata(home.path())
        .and_then(|made| made.modified())
        .expect("made just now")
        .duration_since(UNIX_EPOCH)
        .expect("a clock behind 1970")
        .as_secs()
        / 86_400;
    let of_2023 = u64::try_from(days_of(2023, 1, 1).expect("a day")).expect("behind 1970");
    let data = DataFolder::new().with("TOLLWAY_BILLING__MAX_AGE_DAYS", since_1970 - of_2023);
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &tariff(true))]);
    let one = "device_id,msisdn,customer_id,plan_id,valid_from,valid_to\nD-1,31612340001,C-1,flat,2019-01-01T00:00:00Z,\n";
    data.ok(&["import", "devices", &write(home.path(), "devices.csv", one)]);
    let call =
        |id: &str, line: u32, start: &str| format!("{id},voice,+3161234000{line},+31201234567,{start},100,,,MO,20408,0.10\n");
    let rows = [
        call("old", 1, "2020-03-10T10:00:00+01:00"),
        call("nobodys", 2, "2020-03-11T10:00:00+01:00"),
        call("new", 1, "2026-03-10T10:00:00+01:00"),
    ];
    ingest(&data, home.path(), "haven", "a.csv", &(HEADER.to_owned() + &rows.concat()));
    let reasons = || {
        let rows = data.query("select record_id, coalesce(reason, '-') as reason, charge from cdr order by record_id");
        let text = |row: &Value| format!("{} {} {}", row["record_id"], row["reason"], row["charge"]).replace('"', "");
        rows.iter().map(text).collect::<Vec<_>>()
    };
    let waiting = ["new - 0.200000000", "nobodys too_old null", "old too_old null"];
    assert_eq!(reasons(), waiting);
    let two = one.to_owned() + "D-2,31612340002,C-1,flat,2019-01-01T00:00:00Z,\n";
    data.ok(&["import", "devices", &write(home.path(), "devices.csv", &two)]);
    data.run(&["suspense", "recycle"]);
    assert_eq!(reasons(), waiting, "nobody has asked for them");
    let (code, proof) = asked(&data, &["verify"]);
    assert_eq!((code, &proof["unpriced"]["too_old"], &proof["differ"]), (Some(0), &json!(2), &json!(0)), "{proof:#}");
    asked(
        &data,
        &["suspense", "edit", "--reason", "too_old", "--set", "duration_s=50", "--by", "anna", "--why", "test", "--dry-run"],
    );
    data.ok(&["suspense", "write-off", "--reason", "too_old", "--by", "anna", "--why", "too late"]);
    data.run(&["suspense", "recycle", "--reason", "written_off"]);
    assert_eq!(
        reasons(),
        ["new - 0.200000000", "nobodys written_off null", "old written_off null"],
        "taken back it would be billed"
    );
    data.ok(&["suspense", "recycle", "--reason", "written_off", "--reason", "too_old"]);
    assert_eq!(reasons(), ["new - 0.200000000", "nobodys - 0.200000000", "old - 0.200000000"]);
    assert_eq!(asked(&data, &["verify"]).0, Some(0));
    assert_eq!(asked(&data, &["rerate", "--cycle", "all"]).1["state"], json!("unchanged"));
    data.assert_sound();
}
