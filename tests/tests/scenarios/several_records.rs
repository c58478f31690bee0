//! Prices over several records and bundles without a price beyond them, on the real program: whatever comes first, and followed when
//! records go.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::data_folder::DataFolder;
use crate::support::small::{HEADER, asked, kill_in_the_middle, tariff, write};

const DEVICES: &str = "device_id,msisdn,customer_id,plan_id,valid_from,valid_to\nD-1,31612340001,C-1,flat,2026-01-01T00:00:00Z,\n\
    D-2,31612340002,C-1,flat,2026-01-01T00:00:00Z,\n";

/// The plan's price of calls within the country is another one.
fn with_price(terms: &str) -> String {
    tariff(true).replace("unit_price = \"0.002\"\nper = 1\n", terms)
}

fn installed(home: &Path, tariff: &str) -> DataFolder {
    let data = DataFolder::new();
    data.ok(&["import", "tariffs", &write(home, "small.toml", tariff)]);
    data.ok(&["import", "devices", &write(home, "devices.csv", DEVICES)]);
    data
}

/// Calls of so many seconds of one line, at ten on days of November.
fn calls(name: &str, line: u32, calls: &[(u32, u32)]) -> String {
    let row = |(day, seconds): &(u32, u32)| {
        format!("{name}-{day},voice,+3161234000{line},+31201234567,2026-11-{day:02}T10:00:00+01:00,{seconds},,,MO,20408,0.10\n")
    };
    HEADER.to_owned() + &calls.iter().map(row).collect::<String>()
}

fn ingest(data: &DataFolder, home: &Path, account: &str, name: &str, text: &str) {
    asked(data, &["ingest", "--profile", "job", "--account", account, &write(home, name, text)]);
}

/// What each call costs, or why it costs nothing yet, in the order of their starts.
fn charges(data: &DataFolder) -> Vec<String> {
    let sql = "select record_id, coalesce(cast(charge as varchar), reason) as said from cdr order by start, record_id";
    let text = |row: Value| format!("{} {}", row["record_id"].as_str().expect("a text"), row["said"].as_str().expect("a text"));
    data.query(sql).into_iter().map(text).collect()
}

/// The two parts of a number's page that are meant.
fn page(data: &DataFolder, record: &str) -> String {
    let row = data.query(&format!("select delivery, row from cdr where record_id = '{record}'"));
    data.ok(&["explain", &format!("{}:{}", row[0]["delivery"].as_str().expect("a delivery"), row[0]["row"])])
}

/// *Scenario.* The lines of a customer have a price in three tiers over the cycle together, and five percent off what is charged beyond
/// 3.00; their calls come in three files of two accounts in every order, and settling is killed. *Guarantees.* Each call costs the same
/// whatever came first; together they cost what the tiers say of the whole; the page shows the total before and after, both derivations
/// agree, and nothing is left to settle.
#[test]
fn tiers_over_a_cycle_cost_the_same_whatever_file_comes_first() {
    let home = TempDir::new().expect("a temporary folder");
    let tiers = "per = 60\nrounding_scope = \"cycle\"\ntotal = \"nl\"\ntotal_scope = \"shared\"\n\
        steps = [{ from = 0, increment = 60, unit_price = \"0.60\" }, { from = 300, increment = 1, unit_price = \"0.30\" }, \
        { from = 600, increment = 1, unit_price = \"0.06\" }]\n";
    let discount = "\n[[discount]]\nname = \"loyal\"\nplan = \"*\"\nkind = \"*\"\nzone = \"*\"\nscope = \"shared\"\n\
        steps = [{ from = \"0\", percent = \"0\" }, { from = \"3.00\", percent = \"-5\" }]\n";
    let text = with_price(tiers) + discount;
    let files = [
        ("haven", "a", 1, vec![(11, 100), (13, 250)]),
        ("oever", "b", 2, vec![(10, 130), (14, 200)]),
        ("haven", "c", 2, vec![(12, 100)]),
    ];
    // The total: 130, 230, 330, 580, 780 seconds. Up to 300 by the minute begun at 0.60: 3, 4 minutes, then five and 30 seconds at 0.30 a
    // minute (3.00 + 0.15), 280 seconds (+ 1.25), 300 and 180 at 0.06 a minute (4.50 + 0.18). Of what is beyond 3.00 five percent:
    // 0.15 × 0.05, (1.40 - 0.15) × 0.05, (1.68 - 1.40) × 0.05.
    let expected = ["b-10 1.800000000", "a-11 0.600000000", "c-12 0.742500000", "a-13 1.187500000", "b-14 0.266000000"];
    for (n, order) in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]].into_iter().enumerate() {
        let data = installed(home.path(), &text);
        for (account, name, line, days) in order.map(|n| &files[n]) {
            ingest(&data, home.path(), account, &format!("{name}.csv"), &calls(name, *line, days));
        }
        assert_eq!(charges(&data), expected, "{order:?}");
        assert_eq!(data.query("select sum(charge) as sum from totals"), [json!({"sum": "4.596000000"})], "{order:?}");
        let version = data.version("cdr_entries");
        assert_eq!(asked(&data, &["settle"]).1["state"], json!("unchanged"));
        assert_eq!(asked(&data, &["rerate", "--cycle", "all"]).1["state"], json!("unchanged"));
        assert_eq!(data.version("cdr_entries"), version, "nothing was posted");
        data.assert_sound();
        if n == 0 {
            let page = page(&data, "a-13");
            let told =
                ["total `nl` of 2026-11: 330 seconds before, 580 with this record", "4.40 - 3.15 = 1.25", "discount `loyal`"];
            assert!(told.iter().all(|words| page.contains(words)) && !page.contains("not yet"), "{page}");
        }
    }
    let data = installed(home.path(), &tariff(true));
    for (account, name, line, days) in &files {
        ingest(&data, home.path(), account, &format!("{name}.csv"), &calls(name, *line, days));
    }
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &text), "--no-recycle"]);
    kill_in_the_middle(&data, &["settle"]);
    asked(&data, &["settle"]);
    assert_eq!(charges(&data), expected, "killed in between");
    data.assert_sound();
}

/// *Scenario.* Five minutes without a price beyond them; a long call does not fit, a later short one does; then the file of an earlier
/// call is taken back; another time a call that waits is written off. *Guarantees.* A call that does not fit waits as
/// `beyond_allowance` and takes nothing; it gets its place when another one goes, by itself; rating it again alone is no way around; a
/// write-off holds; both derivations agree and every row is in the ledger once.
#[test]
fn what_a_bundle_without_a_price_does_not_cover_waits_until_there_is_room() {
    let home = TempDir::new().expect("a temporary folder");
    let bundle = "\n[[allowance]]\nname = \"five\"\nplan = \"flat\"\nkind = \"voice-mo\"\nzone = \"NL\"\nunits = 300\nbeyond = \"block\"\n";
    let text = tariff(true) + bundle;
    for order in [[0, 1], [1, 0]] {
        let data = installed(home.path(), &text);
        let files = [("haven", "a", vec![(10, 200)]), ("oever", "b", vec![(11, 150), (12, 100)])];
        for (account, name, days) in order.map(|n| &files[n]) {
            ingest(&data, home.path(), account, &format!("{name}.csv"), &calls(name, 1, days));
        }
        assert_eq!(charges(&data), ["a-10 0.000000000", "b-11 beyond_allowance", "b-12 0.000000000"], "{order:?}");
        data.assert_sound();
        let refused = data.run(&["suspense", "recycle", "--reason", "beyond_allowance"]);
        assert!(refused.code == Some(2) && refused.err.contains("tollway settle"), "{} {}", refused.out, refused.err);
        assert!(page(&data, "b-11").contains("`five`"));
        data.ok(&["withdraw", "a.csv", "--yes"]);
        assert_eq!(charges(&data), ["b-11 0.000000000", "b-12 0.000000000"], "there is room: {order:?}");
        data.assert_sound();
        ingest(&data, home.path(), "haven", "c.csv", &calls("c", 1, &[(9, 299)]));
        assert_eq!(charges(&data), ["c-9 0.000000000", "b-11 beyond_allowance", "b-12 beyond_allowance"], "{order:?}");
        data.ok(&["suspense", "write-off", "--reason", "beyond_allowance", "--by", "anna", "--why", "of no use"]);
        data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &text.replace("= 300", "= 900"))]);
        assert_eq!(charges(&data), ["c-9 0.000000000", "b-11 written_off", "b-12 written_off"], "{order:?}");
        data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &text)]);
        data.assert_sound();
    }
}

/// *Scenario.* A price of whole minutes over a session; the parts of two sessions come in two files, the later ones first. *Guarantees.*
/// Both sessions cost their minutes begun once, and the parts add up to them; a part without a session is by itself; what is taken back
/// moves the parts behind it.
#[test]
fn a_session_in_parts_costs_what_the_whole_does() {
    let home = TempDir::new().expect("a temporary folder");
    let text = with_price(
        "setup = \"0.05\"\nminimum = 60\nincrement = 60\nper = 60\nunit_price = \"0.12\"\nrounding_scope = \"session\"\n",
    );
    let data = installed(home.path(), &text);
    let shipped = include_str!("../../../config/profiles/job.toml");
    let profile = shipped.replace("name = \"job\"", "name = \"parts\"") + "\n[session]\ncolumn = \"session\"\n";
    let profile = write(home.path(), "parts.toml", &profile);
    let part = |id: &str, minute: u32, seconds: u32, session: &str| {
        format!("{id},voice,+31612340001,+31201234567,2026-11-10T10:{minute:02}:00+01:00,{seconds},,,MO,20408,0.10,{session}\n")
    };
    let file = |name: &str, parts: &[String]| {
        let path = write(home.path(), name, &(HEADER.trim_end().to_owned() + ",session\n" + &parts.concat()));
        asked(&data, &["ingest", "--profile", &profile, "--account", "haven", &path]);
    };
    file("late.csv", &[part("x-3", 8, 30, "X"), part("y-2", 9, 61, "Y"), part("w-1", 20, 10, "")]);
    file("early.csv", &[part("x-1", 1, 70, "X"), part("x-2", 4, 15, "X"), part("y-1", 2, 59, "Y")]);
    // X: 70, 85, 115 seconds are two minutes: 0.29, then nothing more. Y: 59, then 120: a minute, and one more.
    let all = ["x-1 0.290000000", "y-1 0.170000000", "x-2 0.000000000", "x-3 0.000000000", "y-2 0.120000000", "w-1 0.170000000"];
    assert_eq!(charges(&data), all);
    data.assert_sound();
    // Another account's session of the same id is another session.
    let other = write(home.path(), "other.csv", &(HEADER.trim_end().to_owned() + ",session\n" + &part("z-1", 0, 5, "X")));
    asked(&data, &["ingest", "--profile", &profile, "--account", "oever", &other]);
    assert_eq!(charges(&data), [&["z-1 0.170000000"], &all[..]].concat());
    data.assert_sound();
    data.ok(&["withdraw", "other.csv", "--yes"]);
    data.ok(&["withdraw", "early.csv", "--yes"]);
    assert_eq!(charges(&data), ["x-3 0.170000000", "y-2 0.290000000", "w-1 0.170000000"]);
    data.assert_sound();
}
