//! Files that are taken back or replaced, on the real program: the effect shown, done once, and sound after `kill -9`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::data_folder::DataFolder;
use crate::support::month::Month;

const HEADER: &str = "record_id,type,a_number,b_number,start,duration_s,bytes_up,bytes_down,direction,mccmnc,cost\n";

/// All totals by whom and what; sums that came to nothing are as if they had never been.
const SUMS: &str = "select customer, subscription, plan, kind, zone, currency, sum(count) as count, sum(billed_units) as units, \
                    sum(charge) as charge, sum(cost) as cost from totals \
                    group by customer, subscription, plan, kind, zone, currency having sum(count) <> 0 \
                    order by customer, subscription, plan, kind, zone, currency";

/// A row of the layout `job`: a call of nobody that costs ten cents.
fn row(id: u32) -> String {
    format!("r-{id},voice,+31612340001,+31201234567,2026-10-14T10:00:00+02:00,60,,,MO,20408,0.10\n")
}

fn file(folder: &Path, name: &str, ids: impl Iterator<Item = u32>) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, HEADER.to_owned() + &ids.map(row).collect::<String>()).expect("a file can be written");
    path
}

/// Runs a command that may need a hand, for its JSON.
fn asked(data: &DataFolder, arguments: &[&str]) -> Value {
    let ended = data.run(&[arguments, &["--output", "json"]].concat());
    assert!(matches!(ended.code, Some(0 | 1)), "{arguments:?}: {} {}", ended.out, ended.err);
    serde_json::from_str(&ended.out).unwrap_or_else(|e| panic!("{arguments:?} printed no JSON ({e}): {}", ended.out))
}

fn ingest(data: &DataFolder, path: &Path, more: &[&str]) -> Value {
    let path = path.to_string_lossy();
    asked(data, &[&["ingest", "--profile", "job", "--account", "haven"], more, &[&path]].concat())
}

/// What is live: rows per delivery in `cdr`.
fn living(data: &DataFolder) -> i64 {
    data.query("select count(*) as n from cdr")[0]["n"].as_i64().expect("a count")
}

/// *Scenario.* Two files share rows; the first is withdrawn, shown before, then comes again. *Guarantees.* Showing changes
/// nothing; what the other file holds as well is counted there from then on; the same bytes may come again; the audit passes
/// throughout.
#[test]
fn a_withdrawn_file_gives_its_rows_to_the_next_that_has_them() {
    let home = TempDir::new().expect("a temporary folder");
    let data = DataFolder::new();
    let first = file(home.path(), "first.csv", 0..10);
    ingest(&data, &first, &[]);
    ingest(&data, &file(home.path(), "second.csv", 6..15), &[]);
    assert_eq!(living(&data), 15);

    let shown = data.json(&["withdraw", "first.csv"]);
    assert_eq!((&shown["state"], living(&data)), (&Value::from("shown"), 15), "{shown:#}");
    assert_eq!(shown["taken_back"]["suspense"]["no_device"], 10, "{shown:#}");
    assert_eq!(shown["instead"]["suspense"]["no_device"], 4, "{shown:#}");
    let done = data.json(&["withdraw", "first.csv", "--yes"]);
    assert_eq!((&done["state"], living(&data)), (&Value::from("withdrawn"), 9), "{done:#}");
    data.assert_sound();

    let again = data.run(&["withdraw", "first.csv", "--yes"]);
    assert_eq!(again.code, Some(3), "it is not there any more: {}", again.out);
    let back = ingest(&data, &first, &[]);
    assert_eq!((&back["files"]["new"], &back["resent"], living(&data)), (&Value::from(1), &Value::from(4), 15), "{back:#}");
    data.assert_sound();
}

/// *Scenario.* A file with priced rows lands and is withdrawn before anyone has added it up: rating and reversal are folded at
/// once, and their sums come to nothing. *Guarantees.* The audit calls that sound, and no money is left.
#[test]
fn a_file_that_is_withdrawn_before_it_is_added_up_leaves_a_sound_installation() {
    let home = TempDir::new().expect("a temporary folder");
    let month = Month::of_layouts(&home.path().join("month"), "kpn-sp16", 200, 1, 11);
    let data = DataFolder::new();
    month.import(&data);
    Month::land(&data, &month.in_order());
    data.json(&["withdraw", &month.files[0].name, "--yes"]);
    let taken_back = data.query("select row from cdr_entries where entry = 'reversal' and charge <> 0");
    assert!(!taken_back.is_empty(), "priced rows were rated and reversed");
    assert_eq!(living(&data), 0);
    data.assert_sound();
    assert!(data.query("select customer from totals where charge <> 0").is_empty());
}

/// *Scenario.* A file of the same name comes with other content under a profile that says `delta`. *Guarantees.* It waits and
/// says what to type; with `--replaces` it takes the other's place: what both hold stays as it is, and the difference is shown
/// and kept.
#[test]
fn a_changed_file_waits_for_a_word_and_then_replaces() {
    let home = TempDir::new().expect("a temporary folder");
    let data = DataFolder::new();
    ingest(&data, &file(home.path(), "october.csv", 0..10), &[]);
    let newer = file(home.path(), "october.csv", 2..13);
    let held = ingest(&data, &newer, &[]);
    let message = held["held"][0]["message"].as_str().unwrap_or_default();
    assert!(message.contains("--replaces 1") && message.contains("--as-new"), "{held:#}");
    let replaced = ingest(&data, &newer, &["--replaces", "1"]);
    let difference = &replaced["corrections"][0];
    assert_eq!(difference["taken_back"]["suspense"]["no_device"], 2, "{replaced:#}");
    assert_eq!((&difference["added"]["suspense"]["no_device"], &difference["unchanged"]), (&3.into(), &8.into()), "{replaced:#}");
    assert_eq!(living(&data), 11);
    assert_eq!(asked(&data, &["status"])["corrections"][0]["cause"], "superseded");
    data.assert_sound();
}

/// *Scenario.* A month is rated; one of its files is withdrawn, and the program is killed in the middle, again and again, with
/// nothing said to it but to go on. *Guarantees.* In the end the file is taken back once: no row of it lives, the totals are
/// those of the other files, and the audit passes.
#[test]
fn a_withdrawal_that_is_killed_is_done_once() {
    let home = TempDir::new().expect("a temporary folder");
    let month = Month::generate(&home.path().join("month"), 20_000, 4, 11);
    let data = DataFolder::new();
    month.import(&data);
    let others = DataFolder::new();
    month.import(&others);
    for (n, file) in month.files.iter().enumerate() {
        for folder in std::iter::once(&data).chain((n > 0).then_some(&others)) {
            folder.run(&["ingest", "--profile", &file.profile, "--account", &file.account, &file.path.to_string_lossy()]);
        }
    }
    let name = month.files[0].path.file_name().expect("a file").to_string_lossy().into_owned();
    let before = data.query(SUMS);
    let delivery = data.json(&["withdraw", &name])["delivery"].as_str().expect("a delivery").to_owned();
    let of_it = format!("select row from cdr where delivery = '{delivery}'");
    assert!(!data.query(&of_it).is_empty(), "its rows live");
    // Killed when the correction is drafted, when it is durable, and when it is committed but nothing behind it was done.
    let mut killed = 0;
    for message in ["rated", "prepared", "committed"] {
        let running = data.start(&["withdraw", &name, "--yes"], Some("debug"));
        let seen = running.wait_for(message, |lines| lines.iter().find(|l| l.contains(&format!(": {message} worker="))).cloned());
        if seen.is_some() {
            running.kill();
            killed += 1;
        }
    }
    assert!(killed >= 2, "it was killed {killed} times");
    // Whatever command comes next goes on with it.
    let heartbeat = home.path().join("nothing.csv");
    fs::write(&heartbeat, "").expect("a file can be written");
    ingest(&data, &heartbeat, &[]);
    let status = asked(&data, &["status"]);
    assert_eq!(status["withdrawals_waiting"], 0, "{status:#}");
    assert_eq!(status["corrections"][0]["cause"], "withdrawn", "{status:#}");
    assert!(data.query(&of_it).is_empty(), "no row of it lives");
    let after = data.query(SUMS);
    assert_ne!(after, before, "it had charges");
    assert_eq!(after, others.query(SUMS), "the totals are those of the other files");
    let twice = data.query("select delivery, row from cdr_entries where entry = 'reversal' group by 1, 2 having count(*) > 1");
    assert!(twice.is_empty(), "{twice:?}");
    data.assert_sound();
}
