//! Suspense that is written off, on the real program: shown, done once, told with who and why, left alone by what comes after, and
//! taken back.

use std::fmt::Write;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use crate::support::data_folder::DataFolder;
use crate::support::small::{DEVICES, HEADER, asked, kill_in_the_middle, tariff, write};

/// Calls of a number that nobody has, `home` of them within the Netherlands and three to Germany, and a row of the 31st of November.
fn with_a_stranger(folder: &Path, home: u32) -> DataFolder {
    let data = DataFolder::new();
    let mut rows = HEADER.to_owned();
    for id in 0..home + 4 {
        let to = if id < home { "+31201234567" } else { "+4930123456" };
        let day = if id == home + 3 { "31" } else { "14" };
        writeln!(rows, "r-{id},voice,+31612340001,{to},2026-11-{day}T10:00:00+01:00,60,,,MO,20408,0.10")
            .expect("a string takes all");
    }
    data.ok(&["import", "tariffs", &write(folder, "small.toml", &tariff(false))]);
    let (_, landed) = asked(&data, &["ingest", "--profile", "job", "--account", "haven", &write(folder, "a.csv", &rows)]);
    assert_eq!(landed["suspense"], json!({"no_device": home + 3, "malformed.time": 1}), "{landed:#}");
    data
}

fn reasons(data: &DataFolder) -> serde_json::Value {
    let rows = data.query("select coalesce(reason, 'rated') as reason, count(*) as n from cdr group by 1 order by 1");
    rows.into_iter().map(|row| (row["reason"].as_str().expect("a text").to_owned(), row["n"].clone())).collect()
}

const WHO: [&str; 4] = ["--by", "anna", "--why", "test calls, ticket 4711"];

/// *Scenario.* A row that could not be read and one call of an unknown number are written off; then the number gets its device; later
/// the decision is taken back. *Guarantees.* Showing changes nothing; nothing is written off without a name, who and why; what is
/// written off is neither work nor money at risk and stays so whatever is imported, while the others are rated; its page says who
/// decided it; taken back, what could be read is charged; the tables are sound and every charge is derived a second time.
#[test]
fn what_is_written_off_stays_so_until_it_is_taken_back() {
    let home = TempDir::new().expect("a temporary folder");
    let data = with_a_stranger(home.path(), 10);
    let write_off = |options: &[&str]| asked(&data, &[&["suspense", "write-off"], options, &WHO[..]].concat());
    for (options, says) in [
        (&["--by", "anna", "--why", "x"][..], "name the rows"),
        (&["--reason", "no_device", "--by", "anna", "--why", " "][..], "--why is needed"),
        (&["--reason", "no_devise", "--by", "anna", "--why", "x"][..], "no_device"),
        (&["ffffffff:3", "--by", "anna", "--why", "x"][..], "no record is named"),
    ] {
        let refused = data.run(&[&["suspense", "write-off"], options].concat());
        assert!(refused.code != Some(0) && refused.err.contains(says), "{options:?}: {} {}", refused.out, refused.err);
    }
    let before = data.version("cdr_entries");
    let (code, shown) = write_off(&["--reason", "malformed.time", "--dry-run"]);
    assert_eq!((code, &shown["state"], &shown["rows"]), (Some(0), &json!("shown"), &json!(1)), "{shown:#}");
    assert_eq!(data.version("cdr_entries"), before);

    let (_, done) = write_off(&["--reason", "malformed.time"]);
    assert_eq!((&done["state"], &done["rows"]), (&json!("written_off"), &json!(1)), "{done:#}");
    let delivery = data.query("select distinct delivery from cdr")[0]["delivery"].as_str().expect("a delivery").to_owned();
    let record = format!("{delivery}:3");
    let (_, done) = write_off(&[&record]);
    assert_eq!(
        (&done["reasons"][0]["rows"], &done["reasons"][0]["at_risk"]),
        (&json!(1), &json!({"EUR": "0.100000000"})),
        "{done:#}"
    );
    assert_eq!(reasons(&data), json!({"no_device": 12, "written_off": 2}));
    let (_, list) = asked(&data, &["suspense", "list"]);
    assert_eq!((&list["rows"], &list["written_off"]), (&json!(12), &json!(2)), "{list:#}");
    let (_, page) = asked(&data, &["explain", &record]);
    let arrival = done["decisions"][0].clone();
    let decided = json!({"arrival": arrival, "by": "anna", "why": "test calls, ticket 4711"});
    assert_eq!((&page["reason"], &page["written_off"]), (&json!("written_off"), &decided), "{page:#}");
    assert_eq!(page["before"][0]["reason"], json!("no_device"), "{page:#}");
    data.assert_sound();

    // Twice is once, and an import frees the others alone.
    let again = data.run(&[&["suspense", "write-off", &record], &WHO[..]].concat());
    assert!(again.code != Some(0) && again.err.contains("is written off already"), "{} {}", again.out, again.err);
    let (_, again) = write_off(&["--reason", "malformed.time"]);
    assert_eq!(again["state"], json!("unchanged"), "{again:#}");
    data.run(&["import", "devices", &write(home.path(), "devices.csv", DEVICES)]);
    assert_eq!(reasons(&data), json!({"no_zone": 3, "rated": 9, "written_off": 2}));
    let (code, _) = asked(&data, &["rerate", "--cycle", "all"]);
    assert_eq!((code, reasons(&data)), (Some(0), json!({"no_zone": 3, "rated": 9, "written_off": 2})));
    data.ok(&["verify", "--cycle", "all"]);

    let (_, shown) = asked(&data, &["suspense", "test", "--reason", "written_off"]);
    assert_eq!((&shown["chosen"], &shown["changes"]), (&json!(1), &json!(1)), "what could not be read is not meant: {shown:#}");
    let (_, back) = asked(&data, &["suspense", "recycle", &record]);
    assert_eq!((&back["added"]["rated"], &back["chosen"]), (&json!(1), &json!(1)), "{back:#}");
    assert_eq!(reasons(&data), json!({"no_zone": 3, "rated": 10, "written_off": 1}), "what could not be read stays");
    for table in ["cdr_entries", "cdr", "totals"] {
        assert_eq!(
            data.query(&format!("select sum(charge) as charge from {table}"))[0]["charge"],
            json!("1.200000000"),
            "{table}"
        );
    }
    data.assert_sound();
    asked(&data, &["withdraw", "a.csv", "--yes"]);
    assert_eq!(data.query("select count(*) as n from cdr")[0]["n"], json!(0), "it goes with its file");
    data.assert_sound();
}

/// *Scenario.* Two records of one id, of which the second is in conflict, are written off; the decision is taken back. *Guarantees.* The
/// one in conflict stays written off, because no reference data makes it a record of its own; the other is charged, once.
#[test]
fn a_record_in_conflict_does_not_come_back_as_one_of_its_own() {
    let home = TempDir::new().expect("a temporary folder");
    let data = DataFolder::new();
    let row = |seconds: u32| {
        format!("{HEADER}r-1,voice,+31612340001,+31201234567,2026-11-14T10:00:00+01:00,{seconds},,,MO,20408,0.10\n")
    };
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &tariff(false))]);
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/profiles/job.toml");
    let by_id = std::fs::read_to_string(shipped).expect("a shipped profile").replace("key = \"content\"", "key = \"id\"");
    let profile = write(home.path(), "by-id.toml", &by_id.replace("name = \"job\"", "name = \"by-id\""));
    for (file, seconds) in [("a.csv", 60), ("b.csv", 90)] {
        data.run(&["ingest", "--profile", &profile, "--account", "haven", &write(home.path(), file, &row(seconds))]);
    }
    assert_eq!(reasons(&data), json!({"id_conflict": 1, "no_device": 1}));
    asked(&data, &[&["suspense", "write-off", "--account", "haven"], &WHO[..]].concat());
    assert_eq!(reasons(&data), json!({"written_off": 2}));
    data.assert_sound();
    data.run(&["import", "devices", &write(home.path(), "devices.csv", DEVICES)]);
    asked(&data, &["suspense", "recycle", "--reason", "written_off"]);
    assert_eq!(reasons(&data), json!({"rated": 1, "written_off": 1}));
    data.assert_sound();
}

/// *Scenario.* Writing off is killed when its worker has read, prepared and committed, each in a run of its own. *Guarantees.* Each row
/// is written off once: one pair of entries for each, and the ledger balances.
#[test]
fn writing_off_that_is_killed_is_done_once() {
    let home = TempDir::new().expect("a temporary folder");
    let data = with_a_stranger(home.path(), 400);
    kill_in_the_middle(&data, &[&["suspense", "write-off", "--account", "haven"], &WHO[..]].concat());
    data.run(&["suspense", "list"]);
    asked(&data, &[&["suspense", "write-off", "--account", "haven"], &WHO[..]].concat());
    assert_eq!(reasons(&data), json!({"written_off": 404}));
    let counted = data.query("select sum(rows) as rows, count(*) as entries from cdr_entries where outcome <> 'ledger'");
    assert_eq!(counted, [json!({"rows": 404, "entries": 404 * 3})], "one pair each");
    data.assert_sound();
}
