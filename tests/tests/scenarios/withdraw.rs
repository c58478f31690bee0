//! Files that are taken back or replaced, on the real program: the effect shown, done once, and sound after `kill -9`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::brokers::TestTopics;
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
    let held = ingest(&data, &first, &[]);
    assert_eq!((&held["files"]["held"], living(&data)), (&Value::from(1), 9), "it does not come back by itself: {held:#}");
    let message = held["held"][0]["message"].as_str().unwrap_or_default();
    assert!(message.contains("taken back") && message.contains("--as-new"), "{held:#}");
    let back = ingest(&data, &first, &["--as-new"]);
    assert_eq!((&back["files"]["new"], &back["resent"], living(&data)), (&Value::from(1), &Value::from(4), 15), "{back:#}");
    data.assert_sound();
}

/// *Scenario.* A file with priced rows lands and is withdrawn before anyone has added it up: rating and reversal may be folded at
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
    assert!(data.query("select customer from totals group by customer having sum(charge) <> 0").is_empty());
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

/// *Scenario.* A replacement comes truncated, then whole; then others are to take the place of what counts no more, and several
/// files that of one. *Guarantees.* The truncated one takes nothing back and is not worked on for ever; the whole one replaces; the
/// other words are refused and name what counts.
#[test]
fn only_what_counts_is_replaced_and_only_by_one_whole_file() {
    let home = TempDir::new().expect("a temporary folder");
    let data = DataFolder::new();
    ingest(&data, &file(home.path(), "first.csv", 0..10), &[]);
    let cut = home.path().join("cut.csv");
    fs::write(&cut, HEADER.to_owned() + &row(0) + "r-1,voice,+316").expect("a file can be written");
    ingest(&data, &cut, &["--replaces", "first.csv"]);
    assert_eq!(living(&data), 10, "a truncated file takes nothing back");
    assert_eq!(asked(&data, &["status"])["replacements_waiting"], 0);
    let versions = || asked(&data, &["status"])["entries_version"].clone();
    let before = versions();
    ingest(&data, &cut, &[]);
    assert_eq!(versions(), before, "it is not split again");

    let fixed = ingest(&data, &file(home.path(), "fixed.csv", 2..13), &["--replaces", "first.csv"]);
    assert_eq!((&fixed["files"]["new"], living(&data)), (&Value::from(1), 11), "{fixed:#}");
    let refused = |path: &Path, former: &str, facts: &[&str]| {
        let path = path.to_string_lossy();
        let ended = data.run(&["ingest", "--profile", "job", "--account", "haven", "--replaces", former, &path]);
        assert!(ended.code.is_some_and(|code| code >= 2), "{}", ended.out);
        assert!(facts.iter().all(|fact| ended.err.contains(fact)), "{}", ended.err);
        assert_eq!(living(&data), 11);
    };
    let late = file(home.path(), "late.csv", 20..22);
    refused(&late, "1", &["arrival 3 has taken it", "--replaces 3"]);
    refused(home.path(), "3", &["one file"]);
    data.assert_sound();
}

/// *Scenario.* A file is replaced, and its replacement withdrawn; then the first one is wanted back. *Guarantees.* It is held, not
/// passed over; the word brings all of it back, and said again it is told that it changes nothing.
#[test]
fn a_replaced_file_can_be_had_back() {
    let home = TempDir::new().expect("a temporary folder");
    let data = DataFolder::new();
    let first = file(home.path(), "first.csv", 0..10);
    ingest(&data, &first, &[]);
    ingest(&data, &file(home.path(), "second.csv", 5..15), &["--replaces", "1"]);
    data.json(&["withdraw", "second.csv", "--yes"]);
    assert_eq!(living(&data), 0, "to withdraw a replacement revives nothing");
    let held = ingest(&data, &first, &[]);
    assert_eq!((&held["files"]["held"], living(&data)), (&Value::from(1), 0), "{held:#}");
    let back = ingest(&data, &first, &["--as-new"]);
    assert_eq!((&back["files"]["new"], living(&data)), (&Value::from(1), 10), "{back:#}");
    let again = data.run(&["ingest", "--profile", "job", "--account", "haven", "--as-new", &first.to_string_lossy()]);
    assert_eq!(again.code, Some(1), "{} {}", again.out, again.err);
    assert!(again.out.contains("counts already"), "{}", again.out);
    data.assert_sound();
}

/// *Scenario.* Kafka is the log; two files share rows, the first is withdrawn. *Guarantees.* The command ends when the withdrawal has
/// acted, not before: whoever asks next sees it.
#[test]
fn a_withdrawal_over_kafka_acts_before_its_command_ends() {
    let home = TempDir::new().expect("a temporary folder");
    let topics = TestTopics::new();
    let data = topics.used_by(DataFolder::new());
    ingest(&data, &file(home.path(), "first.csv", 0..10), &[]);
    ingest(&data, &file(home.path(), "second.csv", 6..15), &[]);
    assert_eq!(living(&data), 15);
    let done = data.json(&["withdraw", "first.csv", "--yes"]);
    assert_eq!((&done["state"], living(&data)), (&Value::from("withdrawn"), 9), "{done:#}");
    let replaced = ingest(&data, &file(home.path(), "third.csv", 8..20), &["--replaces", "second.csv"]);
    assert_eq!((&replaced["corrections"][0]["cause"], living(&data)), (&Value::from("superseded"), 12), "{replaced:#}");
    data.assert_sound();
}

/// *Scenario.* A held file is rejected, then taken after all. *Guarantees.* Its rejection does not wait to act for ever.
#[test]
fn a_rejection_that_was_overruled_waits_no_more() {
    let home = TempDir::new().expect("a temporary folder");
    let data = DataFolder::new();
    ingest(&data, &file(home.path(), "october.csv", 0..3), &[]);
    let newer = file(home.path(), "october.csv", 2..6);
    ingest(&data, &newer, &[]);
    data.json(&["withdraw", "2", "--yes"]);
    ingest(&data, &newer, &["--as-new"]);
    let status = asked(&data, &["status"]);
    assert_eq!((&status["withdrawals_waiting"], living(&data)), (&Value::from(0), 6), "{status:#}");
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
    for message in ["read", "prepared", "committed"] {
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
    let corrections = status["corrections"].as_array().expect("a list");
    assert!(corrections.iter().any(|correction| correction["cause"] == "withdrawn"), "{status:#}");
    assert!(data.query(&of_it).is_empty(), "no row of it lives");
    let after = data.query(SUMS);
    assert_ne!(after, before, "it had charges");
    assert_eq!(after, others.query(SUMS), "the totals are those of the other files");
    let twice = data
        .query("select delivery, row, entry_no from cdr_entries where entry = 'reversal' group by 1, 2, 3 having count(*) > 1");
    assert!(twice.is_empty(), "{twice:?}");
    data.assert_sound();
}
