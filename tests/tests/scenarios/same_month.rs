//! A month has one result: whatever is killed, shuffled, rebuilt or done by more hands, rows, reasons and money are the same.
//!
//! A million rows, in commits of 10,000, take about five minutes of two cores with a release build, by hand:
//! `TOLLWAY_BIN=$PWD/target/release/tollway TOLLWAY_MONTH_ROWS=1_000_000 cargo test -p tests --test scenarios same_month`

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use serde_json::Value;

use crate::support::chance::Chance;
use crate::support::data_folder::DataFolder;
use crate::support::month::{Month, MonthFile};
use crate::support::{place, readers};

/// Files of the month; the last of them brings a re-sent one.
const FILES: u32 = 60;
/// Its seed; kills and orders are drawn from others.
const SEED: u64 = 20_261_001;
/// How often the program is killed.
const KILLS: usize = 10;
/// Commits that the month is cut into where it is killed: enough to die between any two.
const COMMITS: u64 = 100;

/// The month, and its tables after a run that nothing disturbed.
struct Undisturbed {
    month: Month,
    data: DataFolder,
}

/// Made once for all tests of this file, below the build folder.
static UNDISTURBED: LazyLock<Undisturbed> = LazyLock::new(|| {
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("same-month");
    if home.exists() {
        fs::remove_dir_all(&home).expect("the folder of an earlier run can go");
    }
    let month = Month::generate(&home.join("month"), place::month_rows(), FILES, SEED);
    let data = DataFolder::at(&home.join("data"));
    month.import(&data);
    let new = Month::land(&data, &month.in_order());
    assert_eq!(new, u64::from(FILES), "the re-sent file is known by its bytes");
    data.ok(&month.rating());
    data.assert_sound();
    Undisturbed { month, data }
});

/// The month of these scenarios.
pub fn month() -> &'static Month {
    &UNDISTURBED.month
}

/// Compares everything but lineage with the undisturbed run: rows as a multiset, counts of the rest, totals.
pub fn assert_same(other: &DataFolder, how: &str) {
    assert_same_tables(other, how);
    other.assert_sound();
}

/// The same where only the tables were copied to a folder.
pub fn assert_same_tables(other: &DataFolder, how: &str) {
    let (left, right) = (UNDISTURBED.data.path().to_string_lossy(), other.path().to_string_lossy());
    let said = readers::python("tests/readers/same_tables.py", &[&*left, &*right]);
    println!("{how}: {}", said.trim_end());
}

/// *Scenario.* A month over all shipped layouts is rated. *Guarantees.* Every file ends as the generator said when it made it:
/// rows, duplicates, resends, each malformed reason, unknown numbers and zones, conflicts, skipped rows, and all others rated.
#[test]
fn same_month_as_the_generator_counted() {
    let Undisturbed { month, data } = &*UNDISTURBED;
    let landed = readers::read("landed", &[data.path()]);
    let mut name_of = BTreeMap::new();
    for file in landed.as_array().expect("a list of files") {
        name_of.insert(text(file, "delivery"), (text(file, "profile"), text(file, "account"), text(file, "file")));
    }
    let mut found: BTreeMap<(String, String, String), BTreeMap<String, u64>> = BTreeMap::new();
    let ledger = "SELECT delivery, ledger_rows_in, ledger_rated, ledger_duplicates, ledger_resent, ledger_skipped, ledger_detail \
        FROM cdr_entries WHERE outcome = 'ledger'";
    for row in data.query(ledger) {
        let counts = found.entry(name_of[&text(&row, "delivery")].clone()).or_default();
        for column in ["rows_in", "rated", "duplicates", "resent", "skipped"] {
            *counts.entry(column.to_owned()).or_default() += row[format!("ledger_{column}")].as_u64().expect("a count");
        }
        let detail: Value = serde_json::from_str(&text(&row, "ledger_detail")).expect("the detail is JSON");
        for (reason, rows) in detail["suspense"].as_object().into_iter().flatten() {
            *counts.entry(reason.clone()).or_default() += rows.as_u64().expect("a count");
        }
    }
    let profiles: BTreeSet<&str> = month.files.iter().map(|f| f.profile.as_str()).collect();
    let delimited = config::profiles::SHIPPED.iter().filter(|(_, text)| text.contains("\nseparator = "));
    assert_eq!(profiles, delimited.map(|(name, _)| *name).collect(), "every shipped layout of delimited text is in the month");
    let mut rows = 0;
    for file in month.files.iter().filter(|f| f.resend_of.is_none()) {
        let key = (file.profile.clone(), file.account.clone(), file.name.clone());
        let mut counts = found.remove(&key).unwrap_or_else(|| panic!("{} has no ledger", file.name));
        counts.retain(|_, n| *n > 0);
        assert_eq!(counts, expected_counts(file), "{}", file.name);
        rows += file.fact("rows");
    }
    assert!(found.is_empty(), "ledgers of files that nobody sent: {found:?}");
    println!("{rows} rows of {FILES} files ended as expected");
}

/// What the generator's facts say about the outcomes of a file; zero counts are left out.
fn expected_counts(file: &MonthFile) -> BTreeMap<String, u64> {
    let malformed = file.facts["malformed"].as_object().expect("counts by reason");
    let mut counts: BTreeMap<String, u64> =
        malformed.iter().map(|(reason, rows)| (reason.clone(), rows.as_u64().expect("a count"))).collect();
    let planted = [
        ("duplicates", file.fact("duplicates")),
        ("resent", file.fact("repeated")),
        ("id_conflict", file.fact("id_conflicts")),
        ("no_device", file.fact("unknown_number") + file.fact("unowned")),
        ("no_zone", file.fact("unknown_zone")),
        ("no_price", file.fact("unsold")),
        ("skipped", file.fact("skipped")),
    ];
    counts.extend(planted.map(|(name, rows)| (name.to_owned(), rows)));
    let flawed: u64 = counts.values().sum();
    counts.extend([("rows_in".to_owned(), file.fact("rows")), ("rated".to_owned(), file.fact("rows") - flawed)]);
    counts.retain(|_, n| *n > 0);
    counts
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("{value} has no `{name}`")).to_owned()
}

/// *Scenario.* The month in small commits, and the program killed with `kill -9` ten times between the first and the last of
/// them, while it rates, prepares or has just committed, as drawn by seed. *Guarantees.* Work that was under way is done again,
/// and the tables are those of the undisturbed run.
#[test]
fn same_month_after_ten_kills() {
    let Undisturbed { month, .. } = &*UNDISTURBED;
    let cut = (month.rows() / COMMITS).max(20);
    let data = DataFolder::new().with("TOLLWAY_LANDING__CUT_ROWS", cut).with("TOLLWAY_PIPELINE__COMMIT_ROWS_MAX", cut);
    month.import(&data);
    Month::land(&data, &month.in_order());
    let mut chance = Chance::of(SEED + 1);
    let (mut read, mut killed_at) = (0, Vec::new());
    for number in 1..=KILLS {
        let commits = 1 + chance.below(usize::try_from(COMMITS).expect("small") / KILLS - 2);
        let stage = *chance.one_of(&["read", "prepared", "committed"]);
        let said = killed(&data, month, commits, stage);
        read += said.matches(": read worker").count();
        let version = data.version("cdr_entries");
        println!("kill {number}: when {commits} more commits were in and a worker had {stage}; {}", state(&data, &said, version));
        killed_at.push(version);
    }
    let ended = data.run(&month.rating());
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let last = data.version("cdr_entries");
    assert!(killed_at[0] >= 1 && killed_at[KILLS - 1] < last, "killed at versions {killed_at:?} of {last}");
    println!("{last} commits in all; {read} groups were read before the last start, {} of them committed", killed_at[KILLS - 1]);
    assert!(read as u64 > killed_at[KILLS - 1], "no work was lost and done again: the kills came too late to prove anything");
    assert_same(&data, "after ten kills");
}

/// Starts the program and kills it at the next `stage` after so many further commits; gives its log.
fn killed(data: &DataFolder, month: &Month, commits: usize, stage: &str) -> String {
    let running = data.start(&month.rating(), Some("tollway=debug,pipeline=info,warn"));
    let there = running.wait_for("kill", |lines| {
        let mut committed = 0;
        let mut reached = lines.iter().filter(|line| {
            let due = committed >= commits && line.contains(&format!(": {stage} worker"));
            committed += usize::from(line.contains(": committed worker"));
            due
        });
        reached.next().map(|_| ())
    });
    let log = running.kill();
    assert!(there.is_some(), "it ended before it could be killed; it said:\n{log}");
    log
}

/// Where the program was when it died, from its log and from what it left behind.
fn state(data: &DataFolder, log: &str, version: u64) -> String {
    let mut workers: BTreeMap<&str, &str> = BTreeMap::new();
    for line in log.lines() {
        for stage in ["read", "prepared", "committed", "redo", "fenced"] {
            if let Some((_, rest)) = line.split_once(&format!(": {stage} worker=")) {
                workers.insert(rest.split(' ').next().unwrap_or_default(), stage);
            }
        }
    }
    let split = log.matches(": file split ").count();
    format!(
        "version {version}, last steps of its workers {workers:?}, {split} files split, {} data files in no commit",
        uncommitted(data)
    )
}

/// Data files of the records table that no commit names: prepared, and lost with the process.
fn uncommitted(data: &DataFolder) -> usize {
    let root = data.table("cdr_entries");
    let mut named = 0;
    for entry in fs::read_dir(root.join("_delta_log")).expect("a table has a log") {
        let path = entry.expect("a folder can be listed").path();
        if path.extension().is_some_and(|e| e == "json") {
            named += fs::read_to_string(&path).expect("an entry is text").matches("{\"add\":").count();
        }
    }
    let months = fs::read_dir(&root).expect("a table has folders").map(|e| e.expect("a folder can be listed").path());
    let outcomes =
        months.filter(|p| p.to_string_lossy().contains("event_month=")).flat_map(|p| fs::read_dir(p).expect("a folder"));
    let files = outcomes.flat_map(|e| fs::read_dir(e.expect("a folder can be listed").path()).expect("a folder"));
    files.filter(|f| f.as_ref().is_ok_and(|f| f.path().extension().is_some_and(|e| e == "parquet"))).count() - named
}

/// *Scenario.* The same files arrive in another order, drawn by seed; accounts with conflicting ids keep theirs. *Guarantees.*
/// The same rows, reasons, money and totals; which of two copies is kept is left open.
#[test]
fn same_month_in_shuffled_order() {
    let Undisturbed { month, .. } = &*UNDISTURBED;
    let data = DataFolder::new();
    month.import(&data);
    let order = month.shuffled(SEED + 2);
    assert_eq!(Month::land(&data, &order), u64::from(FILES));
    data.ok(&month.rating());
    assert_same(&data, "in shuffled order");
}

/// *Scenario.* All totals are made again, once beside the present ones and once after their table was lost. *Guarantees.*
/// Nothing needs a correction, and the totals are the same.
#[test]
fn same_month_after_totals_were_rebuilt() {
    let data = UNDISTURBED.data.copied();
    let version = data.version("totals");
    let rebuilt = data.json(&["totals", "--rebuild"]);
    assert_eq!(rebuilt["corrected"], 0);
    assert_eq!(data.version("totals"), version, "a rebuild that corrects nothing writes nothing");
    assert_same(&data, "after a rebuild");
    fs::remove_dir_all(data.table("totals")).expect("a table can be removed");
    assert_eq!(data.json(&["totals", "--rebuild"])["keys"], rebuilt["keys"]);
    assert_same(&data, "after a rebuild of lost totals");
}

/// *Scenario.* One worker, then four, which commit beside each other in small commits. *Guarantees.* The same tables.
#[test]
fn same_month_with_one_and_with_four_workers() {
    let Undisturbed { month, .. } = &*UNDISTURBED;
    for workers in ["1", "4"] {
        let data = DataFolder::new().with("TOLLWAY_LANDING__CUT_ROWS", month.rows() / 60);
        let data = data.with("TOLLWAY_PIPELINE__COMMIT_ROWS_MAX", month.rows() / 30);
        month.import(&data);
        Month::land(&data, &month.in_order());
        let rating: Vec<String> = month.rating().into_iter().chain(["--workers".to_owned(), workers.to_owned()]).collect();
        data.ok(&rating);
        assert_same(&data, &format!("with {workers} workers"));
    }
}
