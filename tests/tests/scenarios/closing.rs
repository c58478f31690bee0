//! Cycles are closed once, for whom they have ended, with the same lines whatever comes in between; what comes late is billed later.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::data_folder::DataFolder;
use crate::support::readers::read;
use crate::support::small::{HEADER, asked, ingest, tariff, write};

/// Two lines of `C-1`, the second one from the 17th of March on.
pub(super) const DEVICES: &str = "device_id,msisdn,customer_id,plan_id,valid_from,valid_to\nD-1,31612340001,C-1,flat,2026-01-01T00:00:00+01:00,\n\
    D-2,31612340002,C-1,flat,2026-03-17T00:00:00+01:00,\n";

/// Ten a month for each line, by the day, and fifteen at least from all calls of a customer.
const FEES: &str = "\n[[fee]]\nname = \"abonnement\"\nplan = \"flat\"\namount = \"10.00\"\npro_rata = \"days\"\n\n\
    [[commitment]]\nname = \"minimum\"\nplan = \"flat\"\namount = \"15.00\"\n";

/// Five minutes a month for the customer, taken by whole minutes.
pub(super) const BUNDLE: &str = "\n[[allowance]]\nname = \"family\"\nplan = \"flat\"\nkind = \"voice-mo\"\nzone = \"NL\"\nscope = \"shared\"\nunits = 300\n\
    increment = 60\n";

pub(super) fn installed(home: &Path, more: &str) -> DataFolder {
    let data = DataFolder::new();
    data.ok(&["import", "tariffs", &write(home, "small.toml", &(tariff(true) + more))]);
    data.ok(&["import", "devices", &write(home, "devices.csv", DEVICES)]);
    data
}

/// Calls of a line on days of a month of 2026, each of so many seconds.
pub(super) fn calls(name: &str, line: u32, month: u32, days: &[(u32, u32)]) -> String {
    let row = |(day, seconds): &(u32, u32)| {
        format!(
            "{name}-{day},voice,+3161234000{line},+31201234567,2026-{month:02}-{day:02}T10:00:00+01:00,{seconds},,,MO,20408,0.10\n"
        )
    };
    HEADER.to_owned() + &days.iter().map(row).collect::<String>()
}

/// Kind, cycle, subscription, item, records, exact sum and amount of each line that a closing has posted.
pub(super) fn lines(data: &DataFolder, cycle: &str) -> Vec<String> {
    let sql = format!(
        "select line_kind, billing_period, coalesce(subscription, '-') as line_of, coalesce(item, kind, '-') as what, count, exact, amount \
         from lines where closed_cycle = '{cycle}' order by closing, customer, line"
    );
    let text = |row: &Value, name: &str| row[name].as_str().map_or_else(|| row[name].to_string(), str::to_owned);
    let shown = |row: Value| {
        ["line_kind", "billing_period", "line_of", "what", "count", "exact", "amount"].map(|name| text(&row, name)).join(" ")
    };
    data.query(&sql).into_iter().map(shown).collect()
}

/// *Scenario.* A month with a fee by the day and a minimum is closed, twice; then a call of it comes; the next month is closed.
/// *Guarantees.* The lines are those of the sums by hand; the second closing does nothing; what came late is a line of the next
/// invoice, which the minimum of its own month counts; all lines of a month add up to its rounded sums.
#[test]
fn lines_are_what_invoices_print_and_late_calls_come_with_the_next() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), FEES);
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, 3, &[(2, 100), (9, 100), (30, 100)]));
    ingest(&data, home.path(), "haven", "b.csv", &calls("b", 2, 3, &[(20, 33)]));
    let (code, shown) = asked(&data, &["cycle", "close", "2026-03", "--dry-run"]);
    assert_eq!((code, &shown["lines"], &shown["obstacles"]), (Some(0), &json!(5), &json!([])), "{shown:#}");
    assert!(lines(&data, "2026-03").is_empty(), "a dry run writes nothing");
    let (code, closed) = asked(&data, &["cycle", "close", "2026-03"]);
    assert_eq!((code, &closed["state"], &closed["closing"]), (Some(0), &json!("closed"), &json!(1)), "{closed:#}");
    let march = [
        // 3 x 100 s x 0.002, and 33 s x 0.002 = 0.066.
        "usage 2026-03 D-1 voice-mo 3 0.600000000 0.600000000",
        "usage 2026-03 D-2 voice-mo 1 0.066000000 0.070000000",
        // The whole month, and 15 of its 31 days: 10.00 x 15 / 31 = 4.838709677...
        "recurring 2026-03 D-1 abonnement 0 10.000000000 10.000000000",
        "recurring 2026-03 D-2 abonnement 0 4.838709677 4.840000000",
        // 15.00 - 0.666.
        "commitment 2026-03 - minimum 0 14.334000000 14.330000000",
    ];
    assert_eq!(lines(&data, "2026-03"), march);
    let (code, again) = asked(&data, &["cycle", "close", "2026-03"]);
    assert_eq!((code, &again["state"]), (Some(0), &json!("was_closed")), "{again:#}");
    ingest(&data, home.path(), "haven", "c.csv", &calls("c", 1, 3, &[(10, 50)]));
    assert_eq!(lines(&data, "2026-03"), march);
    asked(&data, &["cycle", "close", "2026-04"]);
    let april = [
        "recurring 2026-04 D-1 abonnement 0 10.000000000 10.000000000",
        "recurring 2026-04 D-2 abonnement 0 10.000000000 10.000000000",
        "commitment 2026-04 - minimum 0 15.000000000 15.000000000",
        // 50 s x 0.002 more used of the minimum of March: 14.234 instead of 14.334, 14.23 instead of 14.33.
        "late 2026-03 - minimum 0 -0.100000000 -0.100000000",
        "late 2026-03 D-1 voice-mo 1 0.100000000 0.100000000",
    ];
    assert_eq!(lines(&data, "2026-04"), april);
    let both = "select sum(exact) as exact from lines where billing_period = '2026-03' and kind is not null";
    let totals = "select sum(charge) as exact from totals where billing_period = '2026-03'";
    assert_eq!(data.query(both), data.query(totals), "every record of March is in a line");
    let (_, listed) = asked(&data, &["cycle", "list"]);
    assert_eq!(listed["cycles"][0]["state"], json!("closed"), "{listed:#}");
    data.assert_sound();
    let proof = data.run(&["verify"]);
    assert!(proof.code == Some(0) && proof.out.contains("; 10 lines of 2 closings agree"), "{}", proof.out);
    let of_april = data.json(&["verify", "--cycle", "2026-04"]);
    let all = json!({"closings": 1, "agree": 5, "differ": 0, "underivable": {}, "shown": []});
    assert_eq!(of_april["lines"], all, "its lines are verified though it has no record");
    let then = data.run(&["verify", "--cycle", "2026-04", "--known-at", "2020-01-01"]);
    assert!(then.code == Some(1) && !then.out.contains("closing"), "nothing was closed then: {}", then.out);
    let correcting = data.with("TOLLWAY_BILLING__LATE_USAGE", "correct");
    assert_eq!(correcting.json(&["verify"])["lines"]["agree"], json!(10), "lines are held to the rule by which they were posted");
}

/// *Scenario.* A month of one customer is closed; its lines are asked for him, and for somebody with a slip in the name. *Guarantees.* One
/// is one in words; nobody's name is told from a customer without lines.
#[test]
fn lines_are_asked_for_a_customer_that_exists() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), FEES);
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, 3, &[(2, 100)]));
    let closed = data.ok(&["cycle", "close", "2026-03"]);
    assert!(closed.starts_with("2026-03 is closed: 4 lines for 1 customer (closing 1, "), "{closed}");
    let listed = data.ok(&["cycle", "list"]);
    assert!(listed.starts_with("1 cycle: 1 closed\n"), "{listed}");
    let his = data.ok(&["cycle", "lines", "2026-03", "--customer", "C-1"]);
    assert!(his.starts_with("4 lines of 2026-03: EUR "), "{his}");
    let nobody = data.run(&["cycle", "lines", "2026-03", "--customer", "C-11"]);
    assert!(nobody.code == Some(3) && nobody.err.contains("no customer `C-11`"), "{}", nobody.err);
    assert!(nobody.err.contains("did you mean C-1?"), "{}", nobody.err);
}

/// *Scenario.* A month is closed; then the amount of a posted line is raised by a cent in a file of the table. *Guarantees.* Before that
/// nothing is said of lines until there are any; then `verify` names closing, customer, line, field and both amounts, and ends as for a bug.
#[test]
fn a_posted_line_that_was_changed_is_found() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), FEES);
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, 3, &[(2, 100), (9, 100), (30, 100)]));
    assert!(!data.ok(&["verify"]).contains("closing"), "nothing is closed");
    asked(&data, &["cycle", "close", "2026-03"]);
    assert_eq!(data.json(&["verify"])["lines"]["agree"], json!(4));
    let folder = data.table("cycle_lines").join("closed_cycle=2026-03");
    let files: Vec<PathBuf> = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path()).collect();
    let changed = read("raise_line", &files);
    let ended = data.run(&["verify", "--output", "json"]);
    assert_eq!(ended.code, Some(70), "{}{}", ended.out, ended.err);
    let proof: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!((&proof["differ"], &proof["lines"]["agree"]), (&json!(0), &json!(3)), "{proof:#}");
    let field = json!({"field": "amount", "table": changed["now"], "derived": changed["was"]});
    let [closing, customer, line] = ["closing", "customer", "line"].map(|name| &changed[name]);
    let shown = json!({"closing": closing, "cycle": "2026-03", "customer": customer, "line": line, "differences": [field]});
    assert_eq!(proof["lines"]["shown"], json!([shown]));
    let said = data.run(&["verify"]).out;
    assert!(said.contains("; 1 of 4 lines of 1 closing disagrees"), "{said}");
    assert_eq!(asked(&data, &["verify", "--cycle", "2026-04"]).0, Some(1), "nothing of another cycle");
}

/// *Scenario.* Of two customers one has its late calls corrected, the other gets them with the next invoice; a word that is neither is
/// imported. *Guarantees.* Each has its rule; the word is refused by name.
#[test]
fn late_calls_follow_the_rule_of_their_customer() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), "");
    let customers = |rule: &str| {
        let text = format!("customer_id,late_usage\nC-1,\nC-2,{rule}\n");
        data.run(&["import", "customers", &write(home.path(), "customers.csv", &text)])
    };
    let refused = customers("never");
    assert!(
        refused.code == Some(3) && refused.err.contains("`never` is no rule for late usage"),
        "{:?} {}",
        refused.code,
        refused.err
    );
    assert_eq!(customers("correct").code, Some(0));
    let devices = DEVICES.replace("D-2,31612340002,C-1", "D-2,31612340002,C-2");
    data.ok(&["import", "devices", &write(home.path(), "devices.csv", &devices)]);
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, 3, &[(2, 100)]));
    asked(&data, &["cycle", "close", "2026-03"]);
    ingest(&data, home.path(), "haven", "b.csv", &calls("b", 1, 3, &[(3, 100)]));
    ingest(&data, home.path(), "haven", "c.csv", &calls("c", 2, 3, &[(20, 33)]));
    asked(&data, &["cycle", "close", "2026-04"]);
    let april =
        ["late 2026-03 D-1 voice-mo 1 0.200000000 0.200000000", "correction 2026-03 D-2 voice-mo 1 0.066000000 0.070000000"];
    assert_eq!(lines(&data, "2026-04"), april);
    data.assert_sound();
}

/// *Scenario.* Two calls draw from a bundle; the month is closed; then an earlier call comes. *Guarantees.* What was billed keeps what
/// it drew; the late call gets what was left, and is charged beyond that; the second derivation agrees.
#[test]
fn a_late_call_draws_what_a_closed_month_has_left() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), BUNDLE);
    let drawn = || {
        let rows = data.query("select record_id, coalesce(allowance_units, 0) as units, charge from cdr order by start");
        rows.iter()
            .map(|row| format!("{} {} {}", row["record_id"], row["units"], row["charge"]).replace('"', ""))
            .collect::<Vec<_>>()
    };
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, 3, &[(12, 100), (14, 100)]));
    asked(&data, &["cycle", "close", "2026-03"]);
    ingest(&data, home.path(), "oever", "b.csv", &calls("b", 2, 3, &[(18, 100)]));
    ingest(&data, home.path(), "haven", "c.csv", &calls("c", 1, 3, &[(10, 100)]));
    // Of 300 s the first two took 120 s each; of the late ones the earlier takes the minute that is left, and pays 60 s x 0.002; the
    // other pays 100 s.
    assert_eq!(drawn(), ["c-10 60 0.120000000", "a-12 120 0.000000000", "a-14 120 0.000000000", "b-18 0 0.200000000"]);
    assert_eq!(asked(&data, &["settle"]).1["state"], json!("unchanged"));
    let (code, proof) = asked(&data, &["verify"]);
    assert_eq!((code, &proof["differ"]), (Some(0), &json!(0)), "{proof:#}");
    asked(&data, &["cycle", "close", "2026-04"]);
    let april = ["late 2026-03 D-1 voice-mo 1 0.120000000 0.120000000", "late 2026-03 D-2 voice-mo 1 0.200000000 0.200000000"];
    assert_eq!(lines(&data, "2026-04"), april);
    data.assert_sound();
}

/// *Scenario.* A call of a number that nobody has waits when its month is closed, and gets its price afterwards. *Guarantees.* It is late,
/// though it had landed: it draws what the billed calls have left, they keep what they drew, and nothing waits for a word.
#[test]
fn what_gets_its_price_after_the_closing_is_late() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), BUNDLE);
    let both = calls("a", 1, 3, &[(12, 100), (14, 100)]) + &calls("c", 3, 3, &[(10, 100)]).replace(HEADER, "");
    ingest(&data, home.path(), "haven", "a.csv", &both);
    asked(&data, &["cycle", "close", "2026-03", "--override", "--by", "anna", "--why", "one number is unknown"]);
    let found = write(home.path(), "found.csv", &(DEVICES.to_owned() + "D-3,31612340003,C-1,flat,2026-01-01T00:00:00+01:00,\n"));
    data.ok(&["import", "devices", &found]);
    let rows = data.query("select record_id, coalesce(allowance_units, 0) as units, charge from cdr order by start");
    let drawn: Vec<String> =
        rows.iter().map(|row| format!("{} {} {}", row["record_id"], row["units"], row["charge"]).replace('"', "")).collect();
    // Of 300 s the billed ones took 120 s each; the one found later takes the minute that is left, and pays 60 s x 0.002.
    assert_eq!(drawn, ["c-10 60 0.120000000", "a-12 120 0.000000000", "a-14 120 0.000000000"]);
    assert_eq!(asked(&data, &["settle"]).1["state"], json!("unchanged"));
    let (code, proof) = asked(&data, &["verify"]);
    assert_eq!((code, &proof["differ"], &proof["unsettled"]), (Some(0), &json!(0), &json!(0)), "{proof:#}");
    asked(&data, &["cycle", "close", "2026-04"]);
    assert_eq!(lines(&data, "2026-04"), ["late 2026-03 D-3 voice-mo 1 0.120000000 0.120000000"]);
    data.assert_sound();
}

/// *Scenario.* A month is closed, a late call comes, and the price was wrong all the time. *Guarantees.* Rating again changes the late
/// call and the open month, leaves what was billed and says so; the closed month by its name is refused; with a word it is corrected,
/// and the next closing bills the difference.
#[test]
fn what_was_billed_is_rated_again_by_a_word_only() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), "");
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, 3, &[(12, 100), (14, 100)]));
    asked(&data, &["cycle", "close", "2026-03"]);
    ingest(&data, home.path(), "haven", "b.csv", &calls("b", 1, 3, &[(11, 100)]));
    ingest(&data, home.path(), "haven", "c.csv", &calls("c", 1, 4, &[(2, 100)]));
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &tariff(true).replace("0.002", "0.004"))]);
    let charges = || -> Vec<String> {
        let rows = data.query("select record_id, charge from cdr order by start");
        rows.iter().map(|row| format!("{} {}", row["record_id"], row["charge"]).replace('"', "")).collect()
    };
    let refused = data.run(&["rerate", "--cycle", "2026-03"]);
    assert!(
        refused.code == Some(5) && refused.err.contains("2 of these records lie in 2026-03, which is closed"),
        "{}",
        refused.err
    );
    let (code, done) = asked(&data, &["rerate", "--cycle", "all"]);
    let found = (code, &done["state"], &done["posted"]["records"], &done["left"]);
    assert_eq!(found, (Some(1), &json!("rerated"), &json!(2), &json!({"2026-03": 2})), "{done:#}");
    // 100 s of 0.002 and of 0.004.
    assert_eq!(charges(), ["b-11 0.400000000", "a-12 0.200000000", "a-14 0.200000000", "c-2 0.400000000"]);
    let (code, done) = asked(&data, &["rerate", "--cycle", "2026-03", "--frozen"]);
    assert_eq!((code, &done["posted"]["records"]), (Some(0), &json!(2)), "{done:#}");
    asked(&data, &["cycle", "close", "2026-04"]);
    // Of March 0.40 was billed, and 3 x 0.40 is right.
    let april = ["usage 2026-04 D-1 voice-mo 1 0.400000000 0.400000000", "late 2026-03 D-1 voice-mo 1 0.800000000 0.800000000"];
    assert_eq!(lines(&data, "2026-04"), april);
    assert_eq!(asked(&data, &["verify"]).0, Some(0));
    data.assert_sound();
}

/// *Scenario.* What is left of a bundle rolls over; a late call of a closed month comes before the next month is closed. *Guarantees.* Closing
/// changes nothing that a call draws: nothing waits to be settled behind it, and the overrun is charged once.
#[test]
fn a_closing_changes_nothing_that_was_drawn() {
    let home = TempDir::new().expect("a temporary folder");
    let data = DataFolder::new();
    let bundle = BUNDLE.replace("units = 300", "units = 300\nroll_over = 1");
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &(tariff(true) + &bundle))]);
    data.ok(&["import", "devices", &write(home.path(), "devices.csv", &DEVICES.replace("2026-01-01", "2026-03-01"))]);
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, 3, &[(10, 240)]));
    asked(&data, &["cycle", "close", "2026-03"]);
    ingest(&data, home.path(), "haven", "late.csv", &calls("late", 1, 3, &[(20, 60)]));
    ingest(&data, home.path(), "haven", "b.csv", &calls("b", 1, 4, &[(10, 360)]));
    let charges = || -> Vec<String> {
        let rows = data.query("select record_id, charge from cdr order by start");
        rows.iter().map(|row| format!("{} {}", row["record_id"], row["charge"]).replace('"', "")).collect()
    };
    // March has 300 s, 240 and 60 are taken; April has 300 s of 360, and 60 s x 0.002 are paid.
    let expected = ["a-10 0.000000000", "late-20 0.000000000", "b-10 0.120000000"];
    assert_eq!(charges(), expected);
    asked(&data, &["cycle", "close", "2026-04"]);
    assert_eq!(asked(&data, &["settle"]).1["state"], json!("unchanged"));
    assert_eq!(charges(), expected);
    assert_eq!(asked(&data, &["verify"]).0, Some(0));
    // What was invoiced late is billed, too: a new price does not reach it without a word.
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &(tariff(true).replace("0.002", "0.004") + &bundle))]);
    assert_eq!(charges(), expected);
    let (code, left) = asked(&data, &["rerate", "--cycle", "all"]);
    assert!(code == Some(1) && left["state"] == json!("left"), "{left:#}");
    data.assert_sound();
}

/// *Scenario.* Two files bring the same call; the month is closed, and the file whose copy counted is taken back. *Guarantees.* The other
/// copy is the same call: it draws what that drew, and nothing is billed anew.
#[test]
fn the_other_copy_of_a_billed_call_draws_the_same() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), &BUNDLE.replace("units = 300", "units = 120"));
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, 3, &[(12, 100)]));
    ingest(&data, home.path(), "haven", "b.csv", &calls("a", 1, 3, &[(12, 100), (20, 30)]));
    asked(&data, &["cycle", "close", "2026-03"]);
    data.ok(&["withdraw", "a.csv", "--yes"]);
    let rows = data.query("select record_id, charge from cdr order by start");
    let charges: Vec<String> =
        rows.iter().map(|row| format!("{} {}", row["record_id"], row["charge"]).replace('"', "")).collect();
    assert_eq!(charges, ["a-12 0.000000000", "a-20 0.060000000"]);
    asked(&data, &["cycle", "close", "2026-04"]);
    assert_eq!(lines(&data, "2026-04"), Vec::<String>::new());
    data.assert_sound();
}

/// *Scenario.* A month's totals are frozen by hand, and then it is closed for whom it has ended. *Guarantees.* For the others it stays frozen.
#[test]
fn a_closing_in_part_lifts_no_freezing_by_hand() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), "");
    let customers = "customer_id,name,owner_path,cycle_day,time_zone\nC-1,C-1,main/C-1,1,Europe/Amsterdam\n\
        C-2,C-2,main/C-2,15,Europe/Amsterdam\n";
    data.ok(&["import", "customers", &write(home.path(), "customers.csv", customers)]);
    let devices = DEVICES.replace("D-2,31612340002,C-1", "D-2,31612340002,C-2");
    data.ok(&["import", "devices", &write(home.path(), "devices.csv", &devices)]);
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, 3, &[(2, 100)]));
    ingest(&data, home.path(), "haven", "b.csv", &calls("b", 2, 3, &[(20, 100)]));
    data.ok(&["totals", "--cycle", "2026-03", "--backup"]);
    asked(&data, &["cycle", "close", "2026-03", "--at", "2026-04-02T00:00:00Z", "--override", "--by", "anna", "--why", "a test"]);
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &tariff(true).replace("0.002", "0.004"))]);
    let (code, left) = asked(&data, &["rerate", "--cycle", "all"]);
    assert_eq!((code, &left["state"], &left["left"]), (Some(1), &json!("left"), &json!({"2026-03": 2})), "{left:#}");
    data.assert_sound();
}

/// *Scenario.* A customer's cycles begin on the 15th, another's on the 1st; a month is closed between the two ends, and again.
/// *Guarantees.* It is closed for whom it has ended, and for the other one later; each has its lines once.
#[test]
fn a_cycle_is_closed_for_whom_it_has_ended() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), "");
    let customers = "customer_id,name,owner_path,cycle_day,time_zone\nC-1,C-1,main/C-1,1,Europe/Amsterdam\n\
        C-2,C-2,main/C-2,15,Europe/Amsterdam\n";
    data.ok(&["import", "customers", &write(home.path(), "customers.csv", customers)]);
    let devices = DEVICES.replace("D-2,31612340002,C-1", "D-2,31612340002,C-2");
    data.ok(&["import", "devices", &write(home.path(), "devices.csv", &devices)]);
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, 3, &[(2, 100)]));
    ingest(&data, home.path(), "haven", "b.csv", &calls("b", 2, 3, &[(20, 33)]));
    let refused = data.run(&["cycle", "close", "2026-03", "--at", "2026-03-31T12:00:00Z"]);
    assert!(refused.code == Some(5) && refused.err.contains("runs for all customers"), "{:?} {}", refused.code, refused.err);
    let (_, first) = asked(&data, &["cycle", "close", "2026-03", "--at", "2026-04-02T00:00:00Z"]);
    assert_eq!((&first["customers"], &first["lines"]), (&json!(1), &json!(1)), "{first:#}");
    let (_, listed) = asked(&data, &["cycle", "list"]);
    assert_eq!(listed["cycles"][0]["state"], json!("closed in part"), "{listed:#}");
    let screen = data.ok(&["cycle", "list"]);
    assert!(screen.starts_with("1 cycle: 1 closed in part\n"), "{screen}");
    let (_, second) = asked(&data, &["cycle", "close", "2026-03"]);
    assert_eq!((&second["state"], &second["closing"], &second["lines"]), (&json!("closed"), &json!(2), &json!(1)), "{second:#}");
    let all = ["usage 2026-03 D-1 voice-mo 1 0.200000000 0.200000000", "usage 2026-03 D-2 voice-mo 1 0.066000000 0.070000000"];
    assert_eq!(lines(&data, "2026-03"), all);
    assert_eq!(asked(&data, &["cycle", "close", "2026-03"]).1["state"], json!("was_closed"));
    data.assert_sound();
}

/// *Scenario.* A month has an earlier one that is open, a file that waits for a word, and too much in suspense. *Guarantees.* It is not
/// closed, and all of that is told; with a word it is, and the word is kept; without a reason that is refused.
#[test]
fn what_is_in_the_way_needs_a_word_that_is_kept() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), "");
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, 2, &[(2, 100)]));
    ingest(&data, home.path(), "haven", "b.csv", &calls("b", 1, 3, &[(2, 100)]));
    ingest(&data, home.path(), "haven", "c.csv", &calls("c", 9, 3, &[(2, 100)]));
    let renamed = write(home.path(), "d.csv", &calls("b", 1, 3, &[(2, 100)]));
    data.run(&["ingest", "--profile", "job", "--account", "haven", &renamed]);
    let refused = data.run(&["cycle", "close", "2026-03"]);
    assert_eq!(refused.code, Some(5), "{}", refused.err);
    for told in ["2026-02 is not closed for 1 of the customers", "1 of 2 rows are in suspense", "--override"] {
        assert!(refused.err.contains(told), "{told}: {}", refused.err);
    }
    assert!(lines(&data, "2026-03").is_empty());
    let shown = asked(&data, &["cycle", "close", "2026-03", "--dry-run"]).1;
    let first = shown["obstacles"][0]["text"].as_str().expect("something is in the way");
    let others = shown["obstacles"].as_array().map_or(0, Vec::len) - 1;
    let due = of_today(&data, "cycle_due").pop().expect("March is on the morning's screen");
    assert_eq!(due["text"], json!(format!("cannot be closed yet: {first}, and {others} more")), "{due:#}");
    assert_ne!(data.run(&["cycle", "close", "2026-03", "--override"]).code, Some(0), "a word has a reason");
    let word = ["cycle", "close", "2026-03", "--override", "--by", "m.jansen", "--why", "ticket 4711"];
    let (_, closed) = asked(&data, &word);
    assert_eq!((&closed["by"], &closed["why"]), (&json!("m.jansen"), &json!("ticket 4711")), "{closed:#}");
    assert!(closed["overridden"].as_array().is_some_and(|all| all.len() >= 2), "{closed:#}");
    let (_, listed) = asked(&data, &["cycle", "list"]);
    let march = listed["cycles"].as_array().and_then(|all| all.iter().find(|one| one["cycle"] == "2026-03")).expect("March");
    assert_eq!((&march["by"], &march["why"]), (&json!("m.jansen"), &json!("ticket 4711")), "{listed:#}");
}

/// *Scenario.* A closing is killed when it is decided, when its totals are frozen, and when its lines are posted; calls come in
/// between. *Guarantees.* Whoever closes again finishes it, with the lines of a closing that nobody killed.
#[test]
fn a_closing_that_is_killed_is_finished_as_it_was_decided() {
    let home = TempDir::new().expect("a temporary folder");
    let month = |data: &DataFolder| {
        ingest(data, home.path(), "haven", "a.csv", &calls("a", 1, 3, &[(2, 100), (9, 100), (30, 100)]));
        ingest(data, home.path(), "haven", "b.csv", &calls("b", 2, 3, &[(20, 33)]));
    };
    let undisturbed = installed(home.path(), FEES);
    month(&undisturbed);
    asked(&undisturbed, &["cycle", "close", "2026-03"]);
    let mut killed = 0;
    for message in ["cycle closed", "totals frozen", "lines posted"] {
        let data = installed(home.path(), FEES);
        month(&data);
        let running = data.start(&["cycle", "close", "2026-03"], Some("debug"));
        let seen = running.wait_for(message, |lines| lines.iter().find(|line| line.contains(message)).cloned());
        running.kill();
        killed += usize::from(seen.is_some());
        // What comes now is late, whoever finishes the closing.
        ingest(&data, home.path(), "haven", "c.csv", &calls("c", 1, 3, &[(10, 50)]));
        asked(&data, &["cycle", "close", "2026-03"]);
        assert_eq!(lines(&data, "2026-03"), lines(&undisturbed, "2026-03"), "killed at `{message}`");
        let frozen = data.query("select count(*) as n from lines");
        assert_eq!(frozen, [json!({"n": 5})], "each line once, killed at `{message}`");
        data.assert_sound();
    }
    assert_eq!(killed, 3);
}

/// The lines of `today` of a kind.
fn of_today(data: &DataFolder, kind: &str) -> Vec<Value> {
    let mut items = asked(data, &["today"]).1["items"].as_array().expect("items").clone();
    items.retain(|item| item["kind"] == kind);
    items
}

/// *Scenario.* One customer has calls in a month, another pays fees alone; the month is closed, and the one after it, in which nobody has
/// called. *Guarantees.* `today` counts the customers that `cycle close` counts; a cycle with fees alone is listed with who pays them.
#[test]
fn screens_count_who_pays_fees_alone() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), FEES);
    let devices = DEVICES.replace("D-2,31612340002,C-1", "D-2,31612340002,C-2");
    data.ok(&["import", "devices", &write(home.path(), "devices.csv", &devices)]);
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, 3, &[(2, 100)]));
    let (_, shown) = asked(&data, &["cycle", "close", "2026-03", "--dry-run"]);
    assert_eq!(shown["customers"], json!(2), "{shown:#}");
    let due = of_today(&data, "cycle_due");
    assert_eq!((due.len(), &due[0]["text"]), (1, &json!("can be closed for 2 of 2 customers")), "{due:#?}");
    data.ok(&["cycle", "close", "2026-03"]);
    data.ok(&["cycle", "close", "2026-04"]);
    let (_, listed) = asked(&data, &["cycle", "list"]);
    let april = &listed["cycles"][1];
    let expected = (&json!("2026-04"), &json!(2), &json!({"EUR": "0.000000000"}));
    assert_eq!((&april["cycle"], &april["customers"], &april["charge"]), expected, "{listed:#}");
    assert!(data.ok(&["cycle", "list"]).starts_with("2 cycles: 2 closed\n"));
    assert!(of_today(&data, "cycle_due").is_empty());
}

/// *Scenario.* A closing was interrupted before its lines were posted. *Guarantees.* A dry run, of its cycle and of the next one, and
/// `today` say so and what finishes it; that finishes it, and then they say it no more.
#[test]
fn an_interrupted_closing_is_told_until_it_is_finished() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), FEES);
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, 3, &[(2, 100)]));
    ingest(&data, home.path(), "haven", "b.csv", &calls("b", 1, 4, &[(2, 100)]));
    data.ok(&["cycle", "close", "2026-03", "--by", "m.jansen"]);
    fs::remove_dir_all(data.table("cycle_lines")).expect("lines were posted");
    let (code, its) = asked(&data, &["cycle", "close", "2026-03", "--dry-run"]);
    assert_eq!((code, &its["state"]), (Some(1), &json!("interrupted")), "{its:#}");
    assert_eq!(its["obstacles"][0]["command"], json!("tollway cycle close 2026-03"), "{its:#}");
    let screen = data.run(&["cycle", "close", "2026-04", "--dry-run"]);
    assert_eq!(screen.code, Some(1), "{}", screen.err);
    for told in ["2026-04 cannot be closed yet", "by m.jansen was interrupted", "tollway cycle close 2026-03"] {
        assert!(screen.out.contains(told), "{told}: {}", screen.out);
    }
    let told = of_today(&data, "cycle_interrupted");
    assert_eq!(
        (told.len(), &told[0]["urgent"], &told[0]["command"]),
        (1, &json!(true), &its["obstacles"][0]["command"]),
        "{told:#?}"
    );
    assert_eq!(told[0]["text"], its["obstacles"][0]["text"]);
    assert_eq!(of_today(&data, "cycle_due")[0]["text"], json!("cannot be closed yet: the closing of 2026-03 was interrupted"));
    assert_eq!(asked(&data, &["cycle", "close", "2026-03"]).1["state"], json!("finished"));
    assert!(of_today(&data, "cycle_interrupted").is_empty());
    assert_eq!(of_today(&data, "cycle_due")[0]["text"], json!("can be closed for 1 of 1 customer"));
    data.assert_sound();
}
