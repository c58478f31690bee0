//! Time travel on the real program: what was told at a moment, what stood for a record, and what a month comes to by what was known then.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use store::instant::show_instant;
use tempfile::TempDir;

use crate::support::data_folder::DataFolder;
use crate::support::small::{DEVICES, TWO_LINES, asked, calls, ingest, tariff, write};

/// The moment that it is.
#[expect(clippy::disallowed_methods, reason = "the program beside it asks the same clock")]
fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    show_instant(i64::try_from(since.as_micros()).expect("it is before 294,000"))
}

/// Records and charge of the cycle, as they were told.
fn told(data: &DataFolder, at: &str) -> (i64, String) {
    let said = data.json(&["totals", "--cycle", "2026-11", "--by", "cycle", "--known-at", at]);
    let rows = said["totals"].as_array().expect("a list");
    let [row] = rows.as_slice() else { return (0, format!("{} rows", rows.len())) };
    (row["count"].as_i64().expect("a count"), row["charge"].as_str().expect("an amount").to_owned())
}

/// So many records and cents.
fn sum(records: i64, cents: i64) -> (i64, String) {
    (records, format!("{}.{:02}0000000", cents / 100, cents % 100))
}

fn explained(data: &DataFolder, place: &str, at: &str) -> Value {
    asked(data, &["explain", place, "--known-at", at]).1
}

/// Where a record of a source is.
fn place(data: &DataFolder, record: &str) -> String {
    let found = data.query(&format!("select delivery, row from cdr where record_id = '{record}'"));
    format!("{}:{}", found[0]["delivery"].as_str().expect("a delivery"), found[0]["row"])
}

/// What a call of 100 seconds at home would cost, or the exit code.
fn rated(data: &DataFolder, at: &str) -> Result<String, Option<i32>> {
    let call = ["--plan", "flat", "--to", "+31201234567", "--start", "2026-11-05T10:00:00+01:00", "--seconds", "100"];
    let ended = data.run(&[&["rate", "--output", "json", "--known-at", at], &call[..]].concat());
    let priced = || serde_json::from_str::<Value>(&ended.out).expect("JSON")["charge"].as_str().map(str::to_owned);
    if ended.code == Some(0) { Ok(priced().expect("an amount")) } else { Err(ended.code) }
}

/// The month as it stands beside what it would be by what was known: records and charge of each, and how many would have no price.
fn beside(data: &DataFolder, at: &str) -> ((i64, String), (i64, String), i64) {
    let (code, said) = asked(data, &["whatif", "--known-at", at, "--cycle", "2026-11"]);
    let total = &said["total"][0];
    let side = |name: &str| {
        let records = total[format!("records_{name}")].as_i64().expect("a count");
        (records, total[name].as_str().expect("an amount").to_owned())
    };
    assert_eq!(code, Some(0), "{said:#}");
    (side("now"), side("then"), said["lost"].as_i64().expect("a count"))
}

fn assert_verified(data: &DataFolder, at: &str, charge: &str) {
    let proof = data.json(&["verify", "--known-at", at]);
    assert_eq!((&proof["differ"], &proof["unsettled"], &proof["underivable"]), (&json!(0), &json!(0), &json!({})), "{proof:#}");
    assert_eq!(proof["charge"]["EUR"], json!(charge), "{proof:#}");
}

/// Five moments of an installation, and where its records are.
struct Story {
    data: DataFolder,
    /// Nothing has landed.
    empty: String,
    /// Three calls of 0.20.
    first: String,
    /// The same, and the price of 0.30 is imported.
    dearer: String,
    /// Rated again, with a late file of one call more and one of a number that nobody has.
    late: String,
    /// The number is given to the customer.
    last: String,
    record: String,
    late_record: String,
    stranger: String,
}

impl Story {
    fn tell(home: &Path) -> Self {
        let data = DataFolder::new();
        let empty = now();
        data.ok(&["import", "tariffs", &write(home, "small.toml", &tariff(true))]);
        data.ok(&["import", "devices", &write(home, "devices.csv", DEVICES)]);
        ingest(&data, home, "haven", "a.csv", &calls("a", 1, &[3, 4, 5]));
        let first = now();
        data.ok(&["import", "tariffs", &write(home, "small.toml", &tariff(true).replace("0.002", "0.003"))]);
        let dearer = now();
        asked(&data, &["rerate", "--cycle", "all"]);
        ingest(&data, home, "haven", "b.csv", &calls("b", 1, &[2]));
        ingest(&data, home, "haven", "c.csv", &calls("c", 2, &[6]));
        let late = now();
        data.ok(&["import", "devices", &write(home, "devices.csv", TWO_LINES)]);
        let last = now();
        let [record, late_record, stranger] = ["a-3", "b-2", "c-6"].map(|record| place(&data, record));
        Self { data, empty, first, dearer, late, last, record, late_record, stranger }
    }
}

/// *Scenario.* A tariff is imported and a file rated; a dearer tariff is imported; it is rated again; a late file comes, and one of a
/// number that is imported afterwards; then the late file is withdrawn. Totals are asked for at every moment. *Guarantees.* They are what
/// was told then, to the cent, whatever came since; the version is the newest by then, one of the same millisecond included; the second
/// derivation agrees with each state; before the first file nothing was known.
#[test]
fn totals_are_told_as_they_were() {
    let home = TempDir::new().expect("a temporary folder");
    let story = Story::tell(home.path());
    let data = &story.data;
    let at_each = || [&story.first, &story.dearer, &story.late, &story.last].map(|at| told(data, at));
    // 3 × 0.20; the same; 4 × 0.30 and one in suspense; 5 × 0.30.
    assert_eq!(at_each(), [sum(3, 60), sum(3, 60), sum(4, 120), sum(5, 150)]);
    for (at, charge) in [(&story.first, "0.600000000"), (&story.late, "1.200000000"), (&story.last, "1.500000000")] {
        assert_verified(data, at, charge);
    }
    data.ok(&["withdraw", "b.csv", "--yes"]);
    assert_eq!(at_each(), [sum(3, 60), sum(3, 60), sum(4, 120), sum(5, 150)], "what was told was told");
    assert_eq!(told(data, &now()), sum(4, 120));

    let said = data.json(&["totals", "--known-at", &story.first]);
    let version = said["entries_version"].as_u64().expect("a version");
    let entry = data.table("cdr_entries").join(format!("_delta_log/{version:020}.json"));
    let entry = fs::read_to_string(entry).expect("an entry of the log");
    let entry: Value = serde_json::from_str(entry.lines().next().expect("a line")).expect("JSON");
    let committed_us = entry["commitInfo"]["timestamp"].as_i64().expect("a timestamp") * 1000;
    assert_eq!(said["committed"], json!(show_instant(committed_us)));
    assert_eq!(told(data, &show_instant(committed_us)), sum(3, 60), "its own millisecond belongs");
    assert_eq!(told(data, &show_instant(committed_us - 1000)), (0, "0 rows".to_owned()));
    let nothing = data.json(&["totals", "--known-at", &story.empty]);
    assert_eq!((&nothing["totals"], &nothing["entries_version"]), (&json!([]), &Value::Null));
    assert!(data.ok(&["totals", "--known-at", &story.empty]).contains(&format!("nothing was known at {}", &story.empty[..19])));
    assert!(data.ok(&["verify", "--known-at", &story.empty]).contains("nothing was known"));
    data.assert_sound();
}

/// *Scenario.* The same moments; records are explained, a call is priced, the tariff is listed and shown. *Guarantees.* A record is told as
/// it stood: with its charge and the tariff that made it, in suspense, or not known yet and why; one that was withdrawn since, too.
/// A call costs what it would have cost.
#[test]
fn a_record_a_price_and_a_tariff_are_told_as_they_were() {
    let home = TempDir::new().expect("a temporary folder");
    let story = Story::tell(home.path());
    let data = &story.data;
    let charge = |place: &str, at: &str| {
        let page = explained(data, place, at);
        let derived = page["derivation"]["charge"]["charge"].as_str().map(str::to_owned);
        (page["charge"].as_str().map(str::to_owned), derived, page["before"].as_array().map(Vec::len))
    };
    let of = |charge: &str, before| (Some(format!("{charge}0000000")), Some(format!("{charge} EUR")), Some(before));
    assert_eq!(charge(&story.record, &story.first), of("0.20", 0));
    assert_eq!(charge(&story.record, &story.dearer), of("0.20", 0), "the dearer price was known, and nothing rated again");
    assert_eq!(charge(&story.record, &story.late), of("0.30", 1));
    let not_yet = explained(data, &story.late_record, &story.first);
    assert_eq!(not_yet["is_known"], json!(false), "{not_yet:#}");
    let screen = data.ok(&["explain", &story.late_record, "--known-at", &story.first]);
    assert!(screen.contains("nothing was known of it") && screen.contains("b.csv landed later"), "{screen}");
    let waits = explained(data, &story.stranger, &story.late);
    assert_eq!((&waits["outcome"], &waits["reason"]), (&json!("suspense"), &json!("no_device")), "{waits:#}");
    assert_eq!(charge(&story.stranger, &story.last), of("0.30", 1));
    data.ok(&["withdraw", "b.csv", "--yes"]);
    assert_eq!(data.run(&["explain", &story.late_record]).code, Some(3), "it is gone");
    assert_eq!(charge(&story.late_record, &story.last), of("0.30", 0), "it was there");

    let at_each = [&story.empty, &story.first, &story.dearer].map(|at| rated(data, at));
    assert_eq!(at_each, [Err(Some(3)), Ok("0.20".to_owned()), Ok("0.30".to_owned())]);
    assert_eq!(data.json(&["tariff", "list", "--known-at", &story.empty]), json!([]));
    for (at, price) in [(&story.first, "0.002"), (&story.dearer, "0.003")] {
        assert_eq!(data.json(&["tariff", "list", "--known-at", at]).as_array().map(Vec::len), Some(1));
        let shown = data.ok(&["tariff", "show", "small", "--zone", "NL", "--known-at", at]);
        assert!(shown.contains(price) && shown.contains("as it was known at"), "{shown}");
    }
}

/// *Scenario.* The month as it is now is priced by what was known at each moment. *Guarantees.* Beside what stands is told what it would
/// be by the tariff and the windows of then; what had no owner then is told; nothing is changed.
#[test]
fn a_month_is_priced_by_what_was_known() {
    let home = TempDir::new().expect("a temporary folder");
    let story = Story::tell(home.path());
    let data = &story.data;
    let before = data.version("cdr_entries");
    // Five calls of 0.30 stand; the customer had one of the two lines until the last import.
    assert_eq!(beside(data, &story.first), (sum(5, 150), sum(4, 80), 1), "4 × 0.20");
    assert_eq!(beside(data, &story.dearer), (sum(5, 150), sum(4, 120), 1), "4 × 0.30");
    assert_eq!(beside(data, &story.last), (sum(5, 150), sum(5, 150), 0));
    assert_eq!(beside(data, &story.empty), (sum(5, 150), sum(0, 0), 5));
    let screen = data.ok(&["whatif", "--known-at", &story.first, "--cycle", "2026-11"]);
    assert!(screen.contains("EUR 1.500000000 would be 0.800000000 (-0.700000000) as known at"), "{screen}");
    let nothing = data.ok(&["whatif", "--known-at", &story.empty, "--cycle", "2026-11"]);
    assert!(nothing.contains("nothing was known"), "{nothing}");
    assert_eq!(data.version("cdr_entries"), before, "nothing was changed");
}

/// A tariff whose customers have so many seconds free, by the second.
fn bundle(seconds: u32) -> String {
    let allowance = "[[allowance]]\nname = \"family\"\nplan = \"flat\"\nkind = \"voice-mo\"\nzone = \"NL\"\nscope = \"shared\"\n";
    format!("{}\n{allowance}units = {seconds}\nincrement = 1\n", tariff(true))
}

/// *Scenario.* 150 seconds are free; then it becomes 250; then an earlier call comes late. *Guarantees.* What each state told is told
/// again; the month as it is now, by the allowance of then, is drawn in the order of starts; a record tells what it drew then.
#[test]
fn allowances_are_drawn_as_they_were_known() {
    let home = TempDir::new().expect("a temporary folder");
    let data = DataFolder::new();
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &bundle(150))]);
    data.ok(&["import", "devices", &write(home.path(), "devices.csv", DEVICES)]);
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, &[3, 4]));
    let first = now();
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &bundle(250))]);
    asked(&data, &["settle"]);
    let more = now();
    ingest(&data, home.path(), "haven", "b.csv", &calls("b", 1, &[2]));
    let late = now();
    // 200 s of which 150 are free: 50 × 0.002; all free; 300 s of which 250 are free.
    assert_eq!([&first, &more, &late].map(|at| told(&data, at)), [sum(2, 10), sum(2, 0), sum(3, 10)]);
    // 300 s by the 150 of then: 150 × 0.002.
    assert_eq!(beside(&data, &first), (sum(3, 10), sum(3, 30), 0));
    assert_eq!(beside(&data, &late), (sum(3, 10), sum(3, 10), 0));
    for at in [&first, &more, &late] {
        let (_, charge) = told(&data, at);
        assert_verified(&data, at, &charge);
    }
    let of_then = |at: &str| {
        let page = explained(&data, &place(&data, "a-4"), at);
        (page["charge"].clone(), page["is_settled"].clone())
    };
    assert_eq!(of_then(&first), (json!("0.100000000"), json!(true)));
    assert_eq!(of_then(&more), (json!("0.000000000"), json!(true)));
    assert_eq!(of_then(&late), (json!("0.100000000"), json!(true)));
}
