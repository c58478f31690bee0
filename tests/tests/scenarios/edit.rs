//! Suspense that is edited, on the real program: shown, rated by what it has now, told with who and why, kept by what comes after, and
//! taken back with its file.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::data_folder::DataFolder;
use crate::support::small::{DEVICES, HEADER, asked, kill_in_the_middle, tariff, write};

const WHO: [&str; 4] = ["--by", "anna", "--why", "KPN confirmed it, ticket 4711"];

const HOME: &str = "b_number=+31 20 1234567";

/// A minute of a line on a day of November 2026.
fn call(id: u32, line: u32, to: &str, day: u32) -> String {
    format!("r-{id},voice,+3161234000{line},{to},2026-11-{day}T10:00:00+01:00,60,,,MO,20408,0.10\n")
}

/// Two calls within the Netherlands, so many to Germany, where no price goes, and a row of the 31st of November.
fn to_germany(calls: u32) -> String {
    let mut rows = HEADER.to_owned();
    for id in 0..calls + 3 {
        let to = if id < 2 { "+31201234567" } else { "+4930123456" };
        write!(rows, "{}", call(id, 1, to, if id == calls + 2 { 31 } else { 14 })).expect("a string takes all");
    }
    rows
}

fn ingest(data: &DataFolder, folder: &Path, name: &str, rows: &str) -> Value {
    asked(data, &["ingest", "--profile", "job", "--account", "haven", &write(folder, name, rows)]).1
}

/// A data folder with the tariff and the device in force, and the file rated.
fn with_calls_to_germany(folder: &Path, calls: u32) -> DataFolder {
    let data = DataFolder::new();
    data.ok(&["import", "tariffs", &write(folder, "small.toml", &tariff(false))]);
    data.ok(&["import", "devices", &write(folder, "devices.csv", DEVICES)]);
    let landed = ingest(&data, folder, "a.csv", &to_germany(calls));
    assert_eq!(landed["suspense"], json!({"no_zone": calls, "malformed.time": 1}), "{landed:#}");
    data
}

fn edit(data: &DataFolder, options: &[&str]) -> (Option<i32>, Value) {
    asked(data, &[&["suspense", "edit"], options, &WHO[..]].concat())
}

fn reasons(data: &DataFolder) -> Value {
    let rows = data.query("select coalesce(reason, 'rated') as reason, count(*) as n from cdr group by 1 order by 1");
    rows.into_iter().map(|row| (row["reason"].as_str().expect("a text").to_owned(), row["n"].clone())).collect()
}

/// The charges of all tables, which are the same.
fn charged(data: &DataFolder) -> Value {
    let [entries, records, totals] = ["cdr_entries", "cdr", "totals"]
        .map(|table| data.query(&format!("select coalesce(sum(charge), 0) as charge from {table}"))[0]["charge"].clone());
    assert_eq!((&entries, &entries), (&records, &totals));
    entries
}

/// The place of a row of the only file.
fn place(data: &DataFolder, row: u32) -> String {
    let delivery = data.query("select distinct delivery from cdr")[0]["delivery"].as_str().expect("a delivery").to_owned();
    format!("{delivery}:{row}")
}

/// How often something has landed.
fn arrivals(data: &DataFolder) -> usize {
    let folder = std::fs::read_dir(data.path().join("store/landing/arrivals")).expect("landing has a list of arrivals");
    folder.count()
}

/// *Scenario.* One call of three without a zone gets the number that the provider confirmed, then the others get it by reason and file.
/// *Guarantees.* Showing changes nothing; each is rated once by the number that it has now, in entries, records and totals; its page says
/// which field became what, by whom, when and why, with the number hidden; a second derivation agrees; once rated, it is not edited again.
#[test]
fn a_record_is_rated_by_the_fields_that_it_has_now() {
    let home = TempDir::new().expect("a temporary folder");
    let data = with_calls_to_germany(home.path(), 3);
    let record = place(&data, 3);
    let before = data.version("cdr_entries");
    let (code, shown) = edit(&data, &[&record, "--set", HOME, "--dry-run"]);
    let turns = json!([{"was": "no_zone", "becomes": "rated", "rows": 1, "charge": {"EUR": "0.120000000"}}]);
    assert_eq!(
        (code, &shown["state"], &shown["turns"], &shown["changes"]),
        (Some(0), &json!("shown"), &turns, &json!(1)),
        "{shown:#}"
    );
    assert_eq!(shown["set"], json!({"b_number": "312•••••567"}), "{shown:#}");
    assert_eq!(data.version("cdr_entries"), before);

    let (code, done) = edit(&data, &[&record, "--set", HOME]);
    assert_eq!((code, &done["state"], &done["added"]["rated"]), (Some(0), &json!("edited"), &json!(1)), "{done:#}");
    assert_eq!((reasons(&data), charged(&data)), (json!({"malformed.time": 1, "no_zone": 2, "rated": 3}), json!("0.360000000")));
    let (_, status) = asked(&data, &["status"]);
    assert_eq!((&status["corrections"][0]["cause"], &status["recyclings_waiting"]), (&json!("edited"), &json!(0)), "{status:#}");
    let (_, page) = asked(&data, &["explain", &record]);
    let edited = &page["edited"][0];
    let field = json!([{"field": "b_number", "was": "493••••456", "is": "312•••••567"}]);
    assert_eq!((&page["charge"], &edited["fields"]), (&json!("0.120000000"), &field), "{page:#}");
    assert_eq!((&edited["by"], &edited["why"]), (&json!(WHO[1]), &json!(WHO[3])), "{page:#}");
    assert_eq!((&edited["arrival"], page["before"][0]["reason"].as_str()), (&done["decisions"][0], Some("no_zone")), "{page:#}");
    assert!(edited["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{page:#}");
    let page = data.ok(&["explain", &record, "--clear"]);
    assert!(page.contains("edited    b_number 4930123456 → 31201234567 by anna, 2"), "{page}");
    data.assert_sound();
    data.ok(&["verify", "--cycle", "all"]);
    let again = data.run(&[&["suspense", "edit", &record, "--set", "duration_s=30"], &WHO[..]].concat());
    assert!(again.code == Some(3) && again.err.contains("what has a price cannot be edited"), "{} {}", again.out, again.err);

    let bulk = ["--reason", "no_zone", "--file", "a.csv", "--set", HOME, "--set", "provider_class=NL", "--set", "duration_s=30"];
    let (code, done) = edit(&data, &bulk);
    assert_eq!((code, &done["changes"], &done["added"]["rated"]), (Some(0), &json!(2), &json!(2)), "{done:#}");
    assert_eq!((reasons(&data), charged(&data)), (json!({"malformed.time": 1, "rated": 5}), json!("0.480000000")));
    let changed = data.query("select distinct b_number, provider_class, duration_s from cdr where provider_class is not null");
    assert_eq!(changed, [json!({"b_number": "312•••••567", "provider_class": "NL", "duration_s": 30})]);
    let (code, none) = edit(&data, &bulk);
    assert_eq!((code, &none["state"], &none["chosen"]), (Some(0), &json!("unchanged"), &json!(0)), "{none:#}");
    // Rating again takes the fields of the table.
    let (_, rerated) = asked(&data, &["rerate", "--cycle", "all"]);
    assert_eq!((&rerated["changes"], charged(&data)), (&json!(0), json!("0.480000000")), "{rerated:#}");
    data.assert_sound();
    data.ok(&["verify", "--cycle", "all"]);
}

/// *Scenario.* Values that are none, fields that are none, and rows that cannot be edited are asked for. *Guarantees.* Each is refused
/// with what is expected or what helps; nothing lands and nothing changes.
#[test]
fn what_cannot_be_edited_is_refused_and_nothing_lands() {
    let home = TempDir::new().expect("a temporary folder");
    let data = with_calls_to_germany(home.path(), 3);
    let [rated, waiting, broken] = [0, 3, 5].map(|row| place(&data, row));
    let before = (data.version("cdr_entries"), arrivals(&data));
    for (options, code, says) in [
        (
            &[&*waiting, "--set", "b_number=020 1234567"][..],
            3,
            "`b_number` cannot be `020 123•567`: give a number with its country",
        ),
        (&[&*waiting, "--set", "duration_s=-1"], 3, "a whole number of seconds"),
        (&[&*waiting, "--set", "start=2026-11-31T10:00:00+01:00"], 3, "an instant with the offset of its clock"),
        (&[&*waiting, "--set", "kind="], 3, "such as voice-mo"),
        (&[&*waiting, "--set", "customer=C-1"], 3, "`customer` is no field that can be set"),
        (&[&*waiting, "--set", "b_number"], 2, "write FIELD=VALUE"),
        (&[&*waiting, "--set", HOME, "--set", "b_number="], 3, "`b_number` is set twice"),
        (&[&*waiting, "--set", "messages=2"], 3, "1 of the 1 rows that are meant are no messages"),
        (&["--reason", "no_zone", "--set", "cost=", "--set", "cost_currency=USD"], 3, "no meaning without a cost"),
        (&[&*rated, "--set", HOME], 3, "what has a price cannot be edited"),
        (&[&*broken, "--set", "start=2026-11-30T10:00:00+01:00"], 3, "could not be read and have no fields to set"),
        (&["--reason", "malformed.time", "--set", "start=2026-11-30T10:00:00+01:00"], 3, "--as-new"),
        (&["--reason", "id_conflict", "--set", HOME], 3, "tollway withdraw"),
        (&["--reason", "written_off", "--set", HOME], 3, "tollway suspense recycle --reason written_off"),
        (&["ffffffff:3", "--set", HOME], 3, "no record is named"),
        (&["--set", HOME], 2, "name the rows"),
        (&[&*waiting], 2, "--set"),
    ] {
        let refused = data.run(&[&["suspense", "edit"], options, &WHO[..]].concat());
        assert!(refused.code == Some(code) && refused.err.contains(says), "{options:?}: {:?} {}", refused.code, refused.err);
    }
    let no_why = data.run(&["suspense", "edit", &waiting, "--set", HOME, "--by", "anna", "--why", " "]);
    assert!(no_why.code == Some(2) && no_why.err.contains("--why is needed"), "{}", no_why.err);
    assert_eq!((data.version("cdr_entries"), arrivals(&data)), before);
    // What is written off is taken back first.
    asked(&data, &[&["suspense", "write-off", &waiting], &WHO[..]].concat());
    let refused = data.run(&[&["suspense", "edit", &waiting, "--set", HOME], &WHO[..]].concat());
    assert!(refused.code == Some(3) && refused.err.contains(&format!("tollway suspense recycle {waiting}")), "{}", refused.err);
    data.assert_sound();
}

/// *Scenario.* Calls of a number that nobody has, to a country that has no price, get another called number, a cost in another currency and
/// a rate class; their number gets its device later; one of them is edited twice, one is written off and taken back. *Guarantees.* What
/// waits on has its new fields and says so; nothing is edited twice; whatever rates the rows later rates them by these fields.
#[test]
fn what_waits_on_is_rated_by_its_new_fields_when_the_rest_is_known() {
    let home = TempDir::new().expect("a temporary folder");
    let data = DataFolder::new();
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &tariff(false))]);
    let rows = (0..3).fold(HEADER.to_owned(), |rows, id| rows + &call(id, 1, "+4930123456", 14 + id));
    ingest(&data, home.path(), "a.csv", &rows);
    let set = ["--set", HOME, "--set", "cost=0.2", "--set", "cost_currency=USD", "--set", "provider_class=NL"];
    let (code, done) = edit(&data, &[&["--reason", "no_device"], &set[..]].concat());
    let turns = json!([{"was": "no_device", "becomes": "no_device", "rows": 3, "charge": {}}]);
    assert_eq!((code, &done["state"], &done["turns"]), (Some(1), &json!("edited"), &turns), "{done:#}");
    assert_eq!((&done["changes"], &done["added"]["suspense"]), (&json!(3), &json!({})), "no row more or less: {done:#}");
    let before = (data.version("cdr_entries"), arrivals(&data));
    let (code, again) = edit(&data, &[&["--account", "haven"], &set[..]].concat());
    assert_eq!((code, &again["state"]), (Some(1), &json!("unchanged")), "{again:#}");
    assert_eq!((data.version("cdr_entries"), arrivals(&data)), before, "twice is once");
    let (_, shown) = asked(&data, &["suspense", "show", &place(&data, 0)]);
    assert_eq!(
        (&shown["edited"][0]["by"], shown["edited"][0]["fields"].as_array().map(Vec::len)),
        (&json!("anna"), Some(4)),
        "{shown:#}"
    );
    let shown = data.ok(&["suspense", "show", &place(&data, 0)]);
    assert!(shown.contains("edited") && shown.contains("cost_currency EUR → USD") && shown.contains("anna"), "{shown}");

    let (_, recycled) = asked(&data, &["suspense", "recycle"]);
    assert_eq!(recycled["state"], json!("unchanged"), "{recycled:#}");
    let (_, twice) = edit(&data, &[&place(&data, 1), "--set", "duration_s=120"]);
    assert_eq!(twice["changes"], json!(1), "{twice:#}");
    asked(&data, &[&["suspense", "write-off", &place(&data, 2)], &WHO[..]].concat());
    data.assert_sound();
    let (_, imported) = asked(&data, &["import", "devices", &write(home.path(), "devices.csv", DEVICES)]);
    assert_eq!(imported["recycled"]["added"]["rated"], json!(2), "{imported:#}");
    let (_, back) = asked(&data, &["suspense", "recycle", &place(&data, 2)]);
    assert_eq!(back["added"]["rated"], json!(1), "{back:#}");
    let seconds = |row: u32| if row == 1 { (120, "0.240000000") } else { (60, "0.120000000") };
    for row in 0..3 {
        let (duration_s, charge) = seconds(row);
        let stands = data.query(&format!(
            "select b_number, cost, cost_currency, provider_class, duration_s, charge from cdr where row = {row}"
        ));
        assert_eq!(
            stands,
            [json!({"b_number": "312•••••567", "cost": "0.200000000", "cost_currency": "USD", "provider_class": "NL",
                "duration_s": duration_s, "charge": charge})],
            "row {row}"
        );
    }
    let (_, page) = asked(&data, &["explain", &place(&data, 1)]);
    let told: Vec<&Value> = page["edited"].as_array().into_iter().flatten().map(|edit| &edit["fields"][0]["field"]).collect();
    assert_eq!(told, [&json!("b_number"), &json!("duration_s")], "{page:#}");
    assert!(page["edited"][0]["arrival"].as_u64() < page["edited"][1]["arrival"].as_u64(), "{page:#}");
    data.assert_sound();
    data.ok(&["verify", "--cycle", "all"]);
    // A price that changes is taken by the same fields.
    let dearer = tariff(false).replace("0.002", "0.004");
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &dearer)]);
    asked(&data, &["rerate", "--cycle", "all"]);
    assert_eq!(charged(&data), json!("0.960000000"));
    let currencies = data.query("select distinct cost_currency from cdr");
    assert_eq!(currencies, [json!({"cost_currency": "USD"})], "the cost stays in the currency that it has");
    data.assert_sound();
    data.ok(&["verify", "--cycle", "all"]);
}

/// *Scenario.* Calls are edited: where they went, who made them, and when, into another month. The same rows come once more in another
/// file; then the first file is withdrawn, and its bytes come again. *Guarantees.* The edited rows keep their keys, so what comes again is
/// a copy; with their file the edits go: the rows of the other file are as their source wrote them; every step is sound.
#[test]
fn copies_of_an_edited_row_are_copies_and_its_file_takes_the_edit_with_it() {
    let home = TempDir::new().expect("a temporary folder");
    let data = with_calls_to_germany(home.path(), 3);
    let nobody = HEADER.to_owned() + &call(9, 7, "+31201234567", 20);
    ingest(&data, home.path(), "n.csv", &nobody);
    let (_, done) = edit(&data, &["--file", "a.csv", "--set", HOME, "--set", "start=2026-12-03T10:00:00+01:00"]);
    assert_eq!(done["added"]["rated"], json!(3), "{done:#}");
    let (_, done) = edit(&data, &["--identifier", "31612340007", "--set", "a_number=+31612340001"]);
    assert_eq!(done["added"]["rated"], json!(1), "{done:#}");
    assert_eq!((reasons(&data), charged(&data)), (json!({"malformed.time": 1, "rated": 6}), json!("0.720000000")));
    let months = data.query("select event_month, count(*) as n from cdr where reason is null group by 1 order by 1");
    assert_eq!(months, [json!({"event_month": "2026-11", "n": 3}), json!({"event_month": "2026-12", "n": 3})]);
    data.assert_sound();

    let copies = to_germany(3) + &call(9, 7, "+31201234567", 20);
    let again = ingest(&data, home.path(), "b.csv", &copies);
    assert_eq!((&again["rated"], &again["suspense"], &again["duplicates"]), (&json!(0), &json!({}), &json!(7)), "{again:#}");
    assert_eq!(charged(&data), json!("0.720000000"));
    data.assert_sound();
    let (_, taken) = asked(&data, &["withdraw", "a.csv", "--yes"]);
    assert_eq!(taken["taken_back"]["rated"], json!(5), "{taken:#}");
    assert_eq!(reasons(&data), json!({"malformed.time": 1, "no_zone": 3, "rated": 3}), "as they were written");
    assert_eq!(charged(&data), json!("0.360000000"));
    data.assert_sound();
    data.ok(&["verify", "--cycle", "all"]);
    // The first file's edit has nothing to do with the rows of the second.
    let (_, recycled) = asked(&data, &["suspense", "recycle"]);
    assert_eq!(recycled["state"], json!("unchanged"), "{recycled:#}");
    asked(&data, &["withdraw", "b.csv", "--yes"]);
    asked(&data, &["withdraw", "n.csv", "--yes"]);
    assert_eq!((reasons(&data), charged(&data)), (json!({}), json!("0.000000000")));
    data.assert_sound();
}

/// *Scenario.* Two calls to Germany are edited; the provider sends the file anew, with one of them corrected, to replace the first. Where ids
/// name records, the corrected one comes in a file beside the first. *Guarantees.* What is in both files keeps its fields, the edited entry of the
/// other goes for the row that the provider corrected; under the same id the corrected record waits for a person and is not charged beside.
#[test]
fn a_corrected_file_takes_the_place_of_edits() {
    let home = TempDir::new().expect("a temporary folder");
    let data = with_calls_to_germany(home.path(), 2);
    edit(&data, &["--reason", "no_zone", "--set", HOME]);
    let corrected = to_germany(2).replacen("+4930123456", "+31201234999", 1);
    let path = write(home.path(), "b.csv", &corrected);
    let (_, replaced) = asked(&data, &["ingest", "--profile", "job", "--account", "haven", "--replaces", "a.csv", &path]);
    assert_eq!((&replaced["rated"], &replaced["duplicates"]), (&json!(1), &json!(4)), "{replaced:#}");
    let numbers =
        data.query("select b_number like '%999' as corrected, count(*) as n from cdr where reason is null group by 1 order by 1");
    assert_eq!(numbers, [json!({"corrected": false, "n": 3}), json!({"corrected": true, "n": 1})]);
    assert_eq!((reasons(&data), charged(&data)), (json!({"malformed.time": 1, "rated": 4}), json!("0.480000000")));
    data.assert_sound();
    data.ok(&["verify", "--cycle", "all"]);

    let data = DataFolder::new();
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &tariff(false))]);
    data.ok(&["import", "devices", &write(home.path(), "devices.csv", DEVICES)]);
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/profiles/job.toml");
    let by_id = std::fs::read_to_string(shipped).expect("a shipped profile").replace("key = \"content\"", "key = \"id\"");
    let profile = write(home.path(), "by-id.toml", &by_id.replace("name = \"job\"", "name = \"by-id\""));
    for (file, to) in [("c.csv", "+4930123456"), ("d.csv", "+31201234567")] {
        let path = write(home.path(), file, &(HEADER.to_owned() + &call(1, 1, to, 14)));
        data.run(&["ingest", "--profile", &profile, "--account", "haven", &path]);
        if file == "c.csv" {
            edit(&data, &["--file", file, "--set", HOME]);
        }
    }
    assert_eq!((reasons(&data), charged(&data)), (json!({"id_conflict": 1, "rated": 1}), json!("0.120000000")));
    asked(&data, &["withdraw", "c.csv", "--yes"]);
    assert_eq!(
        (reasons(&data), charged(&data)),
        (json!({"rated": 1}), json!("0.120000000")),
        "the corrected one is the record now"
    );
    data.assert_sound();
}

/// *Scenario.* Editing is killed when its worker has read, prepared and committed, each in a run of its own; then another command comes.
/// *Guarantees.* Each row is edited once: one pair of entries for each, and the ledger balances.
#[test]
fn editing_that_is_killed_is_done_once() {
    let home = TempDir::new().expect("a temporary folder");
    let data = with_calls_to_germany(home.path(), 400);
    kill_in_the_middle(&data, &[&["suspense", "edit", "--account", "haven", "--set", HOME], &WHO[..]].concat());
    // Whatever command comes next goes on with it.
    asked(&data, &["ingest", "--profile", "job", "--account", "haven", &write(home.path(), "nothing.csv", "")]);
    let (code, again) = edit(&data, &["--account", "haven", "--set", HOME]);
    assert_eq!((code, &again["state"]), (Some(0), &json!("unchanged")), "{again:#}");
    assert_eq!((reasons(&data), charged(&data)), (json!({"malformed.time": 1, "rated": 402}), json!("48.240000000")));
    let counted = data.query("select sum(rows) as rows, count(*) as entries from cdr_entries where outcome <> 'ledger'");
    assert_eq!(counted, [json!({"rows": 403, "entries": 403 + 2 * 400})], "one pair each");
    data.assert_sound();
    data.ok(&["verify", "--cycle", "all"]);
}
