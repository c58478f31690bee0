//! Events of what is used up, on the real program: each once, whatever comes later, is killed or looks at the same time.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::data_folder::DataFolder;
use crate::support::small::{HEADER, TWO_LINES, asked, calls, ingest, kill_in_the_middle, tariff, write};

/// Ten minutes a month for the customer, taken by whole minutes: five calls of 100 seconds.
const FAMILY: &str = "\n[[allowance]]\nname = \"family\"\nplan = \"flat\"\nkind = \"voice-mo\"\nzone = \"NL\"\nscope = \"shared\"\n\
    units = 600\nincrement = 60\n";

fn bundled(home: &Path, allowances: &str) -> String {
    write(home, "small.toml", &(tariff(true) + allowances))
}

/// A data folder with two lines and these allowances.
fn installed(home: &Path, allowances: &str) -> DataFolder {
    let data = DataFolder::new();
    data.ok(&["import", "tariffs", &bundled(home, allowances)]);
    data.ok(&["import", "devices", &write(home, "devices.csv", TWO_LINES)]);
    data
}

/// Number, percent, units or money used, and record of all events.
fn fired(data: &DataFolder) -> Vec<(i64, i64, String, String)> {
    let sql = "select t.event, t.percent, coalesce(cast(t.used_units as varchar), cast(t.used_money as varchar)) as used, c.record_id \
        from thresholds as t left join (select distinct record_key, record_id from cdr_entries) as c on c.record_key = t.record_key \
        order by t.event";
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let number = |value: &Value| value.as_i64().expect("a number");
    let row = |row: Value| (number(&row["event"]), number(&row["percent"]), text(&row["used"]), text(&row["record_id"]));
    data.query(sql).into_iter().map(row).collect()
}

fn event(number: i64, percent: i64, used: &str, record: &str) -> (i64, i64, String, String) {
    (number, percent, used.to_owned(), record.to_owned())
}

/// *Scenario.* Calls of two lines come in two files, the later ones first. Then the same file comes again, all is settled once more, a file
/// is taken back and sent again, an earlier call comes, and the bundle becomes larger. *Guarantees.* 75, 90 and 100 percent fire with the
/// records that reach them in the order of their starts, once; whatever comes later fires none of them again and changes none.
#[test]
fn each_part_of_a_bundle_is_told_once_whatever_comes_later() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), FAMILY);
    assert_eq!(data.ok(&["thresholds"]), "no threshold of an allowance was reached\n");
    let late = write(home.path(), "a.csv", &calls("a", 1, &[13, 14]));
    let told = data.ok(&["ingest", "--profile", "job", "--account", "haven", &late]);
    assert!(!told.contains("threshold") && fired(&data).is_empty(), "{told}");
    assert!(!data.table("allowance_thresholds").exists(), "there is no table before the first event");
    let early = write(home.path(), "b.csv", &calls("b", 2, &[10, 11, 12]));
    let told = data.ok(&["ingest", "--profile", "job", "--account", "oever", &early]);
    assert!(told.contains("3 thresholds of allowances were reached: tollway thresholds"), "{told}");
    // Two minutes begun for each call: 480 of 600 with the fourth, 600 with the fifth.
    let expected = [event(1, 75, "480", "a-13"), event(2, 90, "600", "a-14"), event(3, 100, "600", "a-14")];
    assert_eq!(fired(&data), expected);
    let version = data.version("allowance_thresholds");

    let told = data.ok(&["ingest", "--profile", "job", "--account", "oever", &early]);
    assert!(!told.contains("threshold"), "{told}");
    assert_eq!(asked(&data, &["settle"]).1["thresholds"], json!(0));
    data.ok(&["withdraw", "b.csv", "--yes"]);
    data.ok(&["ingest", "--profile", "job", "--account", "oever", "--as-new", &early]);
    // Now the third and the fourth reach what the fourth and the fifth have reached.
    ingest(&data, home.path(), "haven", "c.csv", &calls("c", 1, &[9]));
    data.ok(&["import", "tariffs", &bundled(home.path(), &FAMILY.replace("600", "660"))]);
    assert_eq!((fired(&data), data.version("allowance_thresholds")), (expected.to_vec(), version));
    data.assert_sound();

    // The next month has a bundle of its own; who asks for what came since gets what came since.
    let december = calls("d", 1, &[10, 11, 12, 13, 14]).replace("2026-11", "2026-12");
    ingest(&data, home.path(), "haven", "d.csv", &december);
    let since = |number: &str, more: &[&str]| data.json(&[&["thresholds", "--since", number], more].concat());
    let (first, rest) = (since("3", &["--limit", "1"]), since("4", &[]));
    assert_eq!(
        (&first["last"], &first["more"], &rest["last"], &rest["more"]),
        (&json!(4), &json!(true), &json!(5), &json!(false))
    );
    let told = ["customer", "subscription", "allowance", "unit", "period", "percent", "used_units", "given_units", "used_money"];
    let expected = [json!("C-1"), json!(null), json!("family"), json!("seconds"), json!("2026-12"), json!(90)];
    assert_eq!(told.map(|name| rest["events"][0][name].clone())[..6], expected);
    let nothing = since("5", &[]);
    assert_eq!((&nothing["events"], &nothing["last"]), (&json!([]), &json!(5)));
    assert_eq!(
        data.json(&["thresholds", "--customer", "C-1", "--allowance", "family"])["events"].as_array().map(Vec::len),
        Some(5)
    );
    let misspelt = data.run(&["thresholds", "--customer", "C-l"]);
    assert!(misspelt.code == Some(3) && misspelt.err.contains("C-1"), "{}", misspelt.err);
    data.assert_sound();
}

/// A bundle of each day with thresholds of its own, a limit of the month, a bundle that tells nothing, and one of a group of lines behind it.
const OTHERS: &str = r#"
[[allowance]]
name = "daily"
plan = "flat"
kind = "voice-mo"
zone = "NL"
every = "day"
units = 200
thresholds = [50, 100]

[[allowance]]
name = "cap"
plan = "flat"
kind = "voice-mo"
zone = "NL"
most = "0.30"

[[allowance]]
name = "quiet"
plan = "flat"
kind = "voice-mo"
zone = "DE"
units = 50
thresholds = []

[[allowance]]
name = "team"
plan = "flat"
kind = "voice-mo"
zone = "DE"
scope = "group"
units = 100
thresholds = [50]
"#;

/// *Scenario.* A line calls within the bundles of two days and beyond them, until a limit holds; another bundle with `thresholds = []` is
/// used up, and half of that of its group. *Guarantees.* Each day has its own events; those of the limit count what was charged; that of
/// the group names it; the quiet one tells nothing.
#[test]
fn days_limits_and_groups_are_told_and_a_quiet_bundle_is_not() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), OTHERS);
    let groups = "group_id,subscription_id,valid_from,valid_to\nG-1,D-1,2026-01-01T00:00:00Z,\n";
    data.ok(&["import", "groups", &write(home.path(), "groups.csv", groups)]);
    let call =
        |id: &str, to: &str, at: &str| format!("{id},voice,+31612340001,{to},2026-11-{at}:00:00+01:00,100,,,MO,20408,0.10\n");
    let within = "+31201234567";
    let rows = [
        call("a", within, "10T09"),
        call("b", within, "10T10"),
        call("c", within, "10T11"),
        call("d", "+4930123456", "10T12"),
        call("e", within, "11T09"),
        call("f", within, "11T10"),
        call("g", within, "11T11"),
    ];
    ingest(&data, home.path(), "haven", "a.csv", &(HEADER.to_owned() + &rows.concat()));
    // The third call of a day costs 0.20: two thirds of the limit, then all of it.
    let expected = [
        event(1, 50, "100", "a"),
        event(2, 100, "200", "b"),
        event(3, 50, "50", "d"),
        event(4, 50, "100", "e"),
        event(5, 100, "200", "f"),
        event(6, 75, "0.300000000", "g"),
        event(7, 90, "0.300000000", "g"),
        event(8, 100, "0.300000000", "g"),
    ];
    assert_eq!(fired(&data), expected);
    let columns = "allowance, unit, every, period, coalesce(subscription, group_id) as whose, period_month as month";
    let told = data.query(&format!("select distinct {columns} from thresholds order by 1, 4"));
    let row = |allowance: &str, unit: &str, every: &str, period: &str, whose: &str| json!({"allowance": allowance, "unit": unit, "every": every, "period": period, "whose": whose, "month": "2026-11"});
    let expected = [
        row("cap", "EUR", "cycle", "2026-11", "D-1"),
        row("daily", "seconds", "day", "2026-11-10", "D-1"),
        row("daily", "seconds", "day", "2026-11-11", "D-1"),
        row("team", "seconds", "cycle", "2026-11", "G-1"),
    ];
    assert_eq!(told, expected);
    assert!(data.ok(&["thresholds"]).contains(" group "), "a column for it, where there is one");
    let limit = &data.json(&["thresholds", "--allowance", "cap"])["events"][0];
    assert_eq!((&limit["used_money"], &limit["used_units"]), (&json!("0.300000000"), &json!(null)));
    data.assert_sound();
}

/// *Scenario.* A bundle comes after the calls and is not settled; it is only looked at. Then it is settled, and killed again and again.
/// The table is deleted, and four look at the same time. *Guarantees.* Who only looks fires nothing; whatever was killed, each event is
/// there once; after the table was deleted each fires once more, whoever looks.
#[test]
fn events_are_there_once_whatever_is_killed_and_however_many_look() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), "");
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, &[10, 11, 12, 13, 14, 15]));
    let bundle = bundled(home.path(), FAMILY);
    data.ok(&["import", "tariffs", &bundle, "--no-recycle"]);
    assert_eq!(asked(&data, &["settle", "--dry-run"]).1["changes"], json!(5));
    asked(&data, &["whatif", "--tariff", &bundle, "--cycle", "all"]);
    assert_eq!(data.run(&["totals", "--backup", "--cycle", "2026-11"]).code, Some(5));
    assert_eq!(fired(&data), []);
    kill_in_the_middle(&data, &["settle"]);
    asked(&data, &["settle"]);
    let expected = [event(1, 75, "480", "a-13"), event(2, 90, "600", "a-14"), event(3, 100, "600", "a-14")];
    assert_eq!(fired(&data), expected);
    fs::remove_dir_all(data.table("allowance_thresholds")).expect("the table can be deleted");
    let all: Vec<_> = (0..4).map(|_| data.start(&["settle"], None)).collect();
    for settle in all {
        let ended = settle.end();
        assert_eq!(ended.code, Some(0), "{}", ended.err);
    }
    assert_eq!(fired(&data), expected);
    data.assert_sound();
}

/// *Scenario.* Files land beside a service; then it is started again. *Guarantees.* It fires by itself, says so without saying whose it is,
/// and fires nothing again; nor does who settles beside it.
#[test]
fn a_service_fires_by_itself() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), FAMILY);
    let config = write(home.path(), "tollway.toml", "[pipeline]\nsettle_every_s = 1\n");
    let service = || {
        let running = data.start(&["run", "--listen", "127.0.0.1:0", "--config", &config], None);
        running.says("running", 1);
        running
    };
    let running = service();
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, &[10, 12, 14]));
    ingest(&data, home.path(), "oever", "b.csv", &calls("b", 2, &[11, 13]));
    let hundred = running.line("an allowance reached a threshold", |fields| fields["percent"] == 100);
    let told = ["allowance", "period"].map(|name| hundred[name].as_str());
    assert_eq!(told, [Some("family"), Some("2026-11")]);
    assert!(!hundred.to_string().contains("C-1"), "{hundred}");
    assert_eq!(asked(&data, &["settle"]).1["thresholds"], json!(0));
    running.terminate();
    let percents = || fired(&data).into_iter().map(|(_, percent, _, _)| percent).collect::<Vec<_>>();
    assert_eq!(percents(), [75, 90, 100]);
    let running = service();
    ingest(&data, home.path(), "haven", "c.csv", &calls("c", 1, &[9]).replace("2026-11-09", "2026-12-09"));
    ingest(&data, home.path(), "haven", "d.csv", &calls("d", 1, &[10, 11, 12, 13]).replace("2026-11", "2026-12"));
    running.line("an allowance reached a threshold", |fields| fields["percent"] == 100);
    running.terminate();
    assert_eq!(percents(), [75, 90, 100, 75, 90, 100]);
    data.assert_sound();
}
