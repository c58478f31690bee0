//! What allowances give, on the real program: the same whatever comes first, settled once however often it is killed, followed when
//! lines and tariffs change, and left alone where totals are frozen.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::bundles::with_bundles;
use crate::support::data_folder::DataFolder;
use crate::support::month::Month;
use crate::support::small::{
    HEADER, TWO_LINES as DEVICES, asked, calls, close_in_pieces, ingest, kill_in_the_middle, tariff, write,
};

/// Five minutes a month for the customer, taken by whole minutes; beyond them 0.002 a second.
fn bundle(units: u32) -> String {
    let allowance = "[[allowance]]\nname = \"family\"\nplan = \"flat\"\nkind = \"voice-mo\"\nzone = \"NL\"\nscope = \"shared\"\n";
    format!("{}\n{allowance}units = {units}\nincrement = 60\n", tariff(true))
}

/// A data folder with the bundle and both lines.
fn installed(home: &Path) -> DataFolder {
    let data = DataFolder::new();
    data.ok(&["import", "tariffs", &write(home, "small.toml", &bundle(300))]);
    data.ok(&["import", "devices", &write(home, "devices.csv", DEVICES)]);
    data
}

/// What each call drew and costs, in the order of their starts.
fn drawn(data: &DataFolder) -> Vec<(String, i64, i64, String)> {
    let sql = "select record_id, coalesce(allowance_units, 0) as units, billed_units, charge from cdr order by start";
    let row = |row: Value| {
        let number = |name: &str| row[name].as_i64().expect("a number");
        let text = |name: &str| row[name].as_str().expect("a text").to_owned();
        (text("record_id"), number("units"), number("billed_units"), text("charge"))
    };
    data.query(sql).into_iter().map(row).collect()
}

fn call(id: &str, units: i64, billed: i64, charge: &str) -> (String, i64, i64, String) {
    (id.to_owned(), units, billed, format!("{charge}000"))
}

/// *Scenario.* Two lines of a customer share five minutes; their calls come in three files of two accounts, in every order.
/// *Guarantees.* The calls draw in the order of their starts, whatever file came first: two are free, of the third a minute is there
/// and a minute is charged, the others are charged by the second; entries, records and totals say so, and nothing is left to settle.
#[test]
fn who_calls_first_draws_first_whatever_file_comes_first() {
    let home = TempDir::new().expect("a temporary folder");
    let files = [("haven", "a", 1, vec![11, 13]), ("oever", "b", 2, vec![10, 14]), ("haven", "c", 2, vec![12])];
    // 60 s × 0.002 = 0.12 beyond the bundle; a whole call of 100 s is 0.20.
    let expected = [
        call("b-10", 120, 0, "0.000000"),
        call("a-11", 120, 0, "0.000000"),
        call("c-12", 60, 60, "0.120000"),
        call("a-13", 0, 100, "0.200000"),
        call("b-14", 0, 100, "0.200000"),
    ];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let data = installed(home.path());
        for (account, name, line, days) in order.map(|n| &files[n]) {
            ingest(&data, home.path(), account, &format!("{name}.csv"), &calls(name, *line, days));
        }
        assert_eq!(drawn(&data), expected, "{order:?}");
        for table in ["cdr_entries", "totals"] {
            let sum = data.query(&format!("select sum(charge) as charge from {table}"));
            assert_eq!(sum, [json!({"charge": "0.520000000"})], "{table}, {order:?}");
        }
        let units = data.query("select sum(allowance_units) as units from cdr_entries");
        assert_eq!(units, [json!({"units": 300})], "what was taken back counts no more: {order:?}");
        let version = data.version("cdr_entries");
        let (code, again) = asked(&data, &["settle"]);
        assert_eq!((code, &again["state"], data.version("cdr_entries")), (Some(0), &json!("unchanged"), version), "{again:#}");
        data.assert_sound();
    }
}

/// *Scenario.* A bundle comes afterwards for two customers, of whose records a commit holds one's only. *Guarantees.* Both are settled all
/// the same, one after the other, by the import alone; a limit that one customer's records exceed is told, and changes nothing.
#[test]
fn what_no_commit_holds_is_settled_customer_by_customer() {
    let home = TempDir::new().expect("a temporary folder");
    let config = |rows: u32| write(home.path(), &format!("{rows}.toml"), &format!("[pipeline]\nrerated_rows_max = {rows}\n"));
    let data = DataFolder::new();
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &tariff(true))]);
    let devices = DEVICES.replace("D-2,31612340002,C-1", "D-2,31612340002,C-2");
    data.ok(&["import", "devices", &write(home.path(), "devices.csv", &devices)]);
    let both = calls("a", 1, &[10, 12, 14, 16, 18]) + calls("b", 2, &[11, 13, 15, 17, 19]).trim_start_matches(HEADER);
    ingest(&data, home.path(), "haven", "ab.csv", &both);
    let bundle = write(home.path(), "small.toml", &bundle(300));
    let before = drawn(&data);
    let refused = data.run(&["import", "tariffs", &bundle, "--config", &config(2)]);
    assert!(refused.code != Some(0) && refused.err.contains("rerated_rows_max"), "{} {}", refused.out, refused.err);
    assert_eq!(drawn(&data), before);
    let file = write(home.path(), "late.csv", &calls("c", 2, &[20]));
    asked(&data, &["ingest", "--profile", "job", "--account", "haven", &file, "--config", &config(6)]);
    let units: Vec<i64> = drawn(&data).into_iter().map(|(_, units, _, _)| units).collect();
    assert_eq!(units, [120, 120, 120, 120, 60, 60, 0, 0, 0, 0, 0]);
    assert_eq!(asked(&data, &["settle"]).1["state"], json!("unchanged"));
    data.assert_sound();
}

/// *Scenario.* The bundle turns out to be larger; a line turns out to be another customer's; a file is taken back; its calls come
/// again. *Guarantees.* Each time the calls draw as if it had been so from the beginning, without a further command.
#[test]
fn what_is_given_follows_tariffs_lines_and_files() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path());
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, &[10, 12]));
    ingest(&data, home.path(), "oever", "b.csv", &calls("b", 2, &[11, 13]));
    let units = |data: &DataFolder| drawn(data).into_iter().map(|(_, units, _, _)| units).collect::<Vec<_>>();
    assert_eq!(units(&data), [120, 120, 60, 0]);
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &bundle(420))]);
    assert_eq!(units(&data), [120, 120, 120, 60]);
    let moved = DEVICES.replace("D-2,31612340002,C-1", "D-2,31612340002,C-2");
    data.ok(&["import", "devices", &write(home.path(), "devices.csv", &moved)]);
    assert_eq!(units(&data), [120; 4], "each customer has seven minutes");
    data.ok(&["import", "devices", &write(home.path(), "devices.csv", DEVICES)]);
    assert_eq!(units(&data), [120, 120, 120, 60]);
    data.ok(&["withdraw", "a.csv", "--yes"]);
    assert_eq!(units(&data), [120, 120], "what is left has the bundle to itself");
    ingest(&data, home.path(), "haven", "c.csv", &calls("c", 1, &[9]));
    assert_eq!(units(&data), [120; 3]);
    data.assert_sound();
}

/// *Scenario.* A call comes into a month whose totals were frozen. *Guarantees.* Its bundle is left as it stands, and said so; who
/// names the frozen cycle settles it.
#[test]
fn a_frozen_month_is_settled_by_a_word_only() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path());
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, &[10, 11, 12]));
    data.ok(&["totals", "--backup", "--cycle", "2026-11"]);
    let late = write(home.path(), "b.csv", &calls("b", 2, &[9]));
    let told = data.ok(&["ingest", "--profile", "job", "--account", "oever", &late]);
    assert!(told.contains("2 records of closed or frozen cycles draw or are priced otherwise"), "{told}");
    let units = || drawn(&data).into_iter().map(|(_, units, _, _)| units).collect::<Vec<_>>();
    assert_eq!(units(), [120, 120, 120, 60], "five minutes and two more, until somebody says so");
    let (code, verified) = asked(&data, &["verify"]);
    assert_eq!((code, &verified["differ"], &verified["unsettled"]), (Some(1), &json!(0), &json!(2)), "{verified:#}");
    let again = data.run(&["totals", "--backup", "--cycle", "2026-11"]);
    assert!(again.code == Some(5) && again.err.contains("--frozen"), "what waits is not frozen again: {}", again.err);
    let (code, left) = asked(&data, &["settle"]);
    assert_eq!((code, &left["state"], &left["left"]), (Some(1), &json!("left"), &json!({"2026-11": 2})), "{left:#}");
    let screen = data.run(&["settle"]).out;
    assert!(
        screen.starts_with("2 of 4 records come out otherwise and lie in 2026-11 (frozen by hand); nothing was changed"),
        "{screen}"
    );
    let refused = data.run(&["settle", "--cycle", "2026-11"]);
    assert!(refused.code == Some(5) && refused.err.contains("--frozen"), "{:?}: {}", refused.code, refused.err);
    assert_eq!(asked(&data, &["settle", "--frozen"]).1["posted"]["records"], json!(2));
    assert_eq!(units(), [120, 120, 60, 0]);
    data.ok(&["totals", "--backup", "--cycle", "2026-11"]);
    data.assert_sound();
}

/// *Scenario.* Files land in a folder that a service watches. *Guarantees.* It settles by itself.
#[test]
fn a_service_settles_by_itself() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path());
    let config = write(home.path(), "tollway.toml", "[pipeline]\nsettle_every_s = 1\n");
    let running = data.start(&["run", "--listen", "127.0.0.1:0", "--config", &config], None);
    running.says("running", 1);
    for (account, name, line) in [("haven", "a", 1), ("oever", "b", 2)] {
        ingest(&data, home.path(), account, &format!("{name}.csv"), &calls(name, line, &[10 + line, 20 + line]));
    }
    let settled = running.wait_for("the bundle", |_| {
        let units: Vec<i64> = drawn(&data).into_iter().map(|(_, units, _, _)| units).collect();
        (units == [120, 120, 60, 0]).then_some(())
    });
    assert!(settled.is_some(), "{:?}", drawn(&data));
    let ended = running.terminate();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert_eq!(asked(&data, &["settle"]).1["state"], json!("unchanged"));
    data.assert_sound();
}

/// Closes the month and those before it in both folders, in the second one killed again and again: the lines are the same.
fn close(undisturbed: &DataFolder, killed: &DataFolder) {
    let periods =
        undisturbed.query("select distinct billing_period as cycle from totals where billing_period <= '2026-10' order by 1");
    for cycle in periods.iter().filter_map(|row| row["cycle"].as_str()) {
        let arguments =
            ["cycle", "close", cycle, "--at", "2026-11-20T00:00:00Z", "--override", "--by", "test", "--why", "a month of a test"];
        asked(undisturbed, &arguments);
        let (times, _) = close_in_pieces(killed, &arguments);
        assert!(times >= 1, "the closing of {cycle} was never killed");
    }
    let lines = "select closing, customer, line, line_kind, billing_period, subscription, plan, kind, zone, band, tax_class, tax, currency, \
        count, seconds, bytes, messages, billed_units, exact, amount, difference from lines order by closing, customer, line";
    let (ours, theirs) = (killed.query(lines), undisturbed.query(lines));
    let differ = ours.iter().zip(&theirs).find(|(a, b)| a != b);
    assert!(ours.len() == theirs.len() && differ.is_none(), "{} and {} lines; {differ:#?}", ours.len(), theirs.len());
    assert!(ours.len() > 500, "only {} lines", ours.len());
    // Fees and commitments are of no kind of usage.
    let sums = |table: &str| {
        format!(
            "select billing_period, sum({table}) as charge from {{}} where billing_period <= '2026-09' and kind is not null group by 1 \
             order by 1"
        )
    };
    let of_lines = killed.query(&sums("exact").replace("{}", "lines"));
    assert_eq!(
        of_lines,
        killed.query(&sums("charge").replace("{}", "totals")),
        "lines hold every record of the months that have ended"
    );
}

/// *Scenario.* A month of twelve layouts under bundles of every kind. One installation gets its files one by one as they were
/// sent; another one lands all of them backwards, in smaller cuts, with one worker, has the bundles only afterwards, and is killed
/// while it settles, again and again. *Guarantees.* Each record has the same outcome, draws the same and costs the same in both, and
/// so do the totals, and the lines of the months when they are closed.
#[test]
fn a_month_is_settled_once_however_it_came_and_however_often_it_is_killed() {
    let home = TempDir::new().expect("a temporary folder");
    let month = Month::generate(&home.path().join("month"), 8_000, 4, 22);
    let (data, other) = (DataFolder::new(), DataFolder::new());
    let bundles = with_bundles(&home.path().join("tariff"));
    month.import(&data);
    month.import(&other);
    other.ok(&["import", "tariffs", &bundles]);
    let ingest = |folder: &DataFolder, file: &crate::support::month::MonthFile, more: &[&str]| {
        let path = file.path.to_string_lossy();
        let command = ["ingest", "--profile", &file.profile, "--account", &file.account, &path];
        folder.run(&[&command[..], more].concat());
    };
    month.files.iter().for_each(|file| ingest(&other, file, &[]));
    let config = write(home.path(), "tollway.toml", "[landing]\ncut_rows = 1000\n[pipeline]\ncommit_rows_max = 3000\n");
    month.files.iter().rev().for_each(|file| ingest(&data, file, &["--land-only", "--config", &config]));
    ingest(&data, &month.files[0], &["--workers", "1", "--config", &config]);
    data.ok(&["import", "tariffs", &bundles, "--no-recycle"]);
    let (_, shown) = asked(&data, &["settle", "--dry-run"]);
    assert!(shown["changes"].as_u64() > Some(1_000), "{shown:#}");
    kill_in_the_middle(&data, &["settle"]);
    asked(&data, &["settle"]);
    let columns = data.query("select column_name from information_schema.columns where table_name = 'cdr'");
    let columns: Vec<&str> = columns.iter().filter_map(|row| row["column_name"].as_str()).collect();
    assert!(columns.contains(&"allowance_units") && columns.contains(&"allowance_money"), "{columns:?}");
    // What says which word on the record it is and of which folder, and where it stood in a cut; what no allowance covers names the
    // version of the tariff that it had.
    let own = ["entry", "entry_no", "as_of", "arrival", "tariff"];
    let said: Vec<&str> = columns.into_iter().filter(|column| !own.contains(column)).collect();
    let records = format!("select {} from cdr order by record_key, row", said.join(", "));
    let (ours, theirs) = (data.query(&records), other.query(&records));
    let differ = ours.iter().zip(&theirs).find(|(a, b)| a != b);
    assert!(ours.len() == theirs.len() && differ.is_none(), "{} and {} records; {differ:#?}", ours.len(), theirs.len());
    let totals = "select customer, billing_period, sum(charge) as charge, sum(billed_units) as units from totals group by 1, 2 order by 1, 2";
    assert_eq!(data.query(totals), other.query(totals));
    for name in ["minutes", "texts", "family", "credit", "pool"] {
        let drawing = data.query(&format!("select count(*) as n from cdr where allowance like '%{name}%'"));
        assert!(drawing[0]["n"].as_u64() > Some(0), "no record draws from {name}");
    }
    assert_eq!(asked(&data, &["settle"]).1["state"], json!("unchanged"));
    assert_eq!(asked(&other, &["settle"]).1["state"], json!("unchanged"));
    data.assert_sound();
    other.assert_sound();
    close(&other, &data);
}

/// *Scenario.* Prices from the middle of November on are a tariff of another name, with the bundle of the same name; then the price
/// beyond it changes. *Guarantees.* The month has one bundle; calls that found it empty follow the new price by themselves, as those do
/// that drew from it, and the second derivation agrees.
#[test]
fn a_successor_of_a_tariff_gives_no_second_bundle_and_a_new_price_holds_for_all_calls_under_it() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path());
    let until = bundle(300).replace("valid_from = 2020-01-01", "valid_from = 2020-01-01\nvalid_to = 2026-11-12");
    let from = bundle(300).replace("valid_from = 2020-01-01", "valid_from = 2026-11-12").replace("\"small\"", "\"small-2\"");
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &until)]);
    data.ok(&["import", "tariffs", &write(home.path(), "small-2.toml", &from)]);
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, &[10, 11, 12, 13]));
    let expected = |beyond: &str, whole: &str| {
        [
            call("a-10", 120, 0, "0.000000"),
            call("a-11", 120, 0, "0.000000"),
            call("a-12", 60, 60, beyond),
            call("a-13", 0, 100, whole),
        ]
    };
    assert_eq!(drawn(&data), expected("0.120000", "0.200000"));
    data.ok(&["import", "tariffs", &write(home.path(), "small-2.toml", &from.replace("0.002", "0.003"))]);
    assert_eq!(drawn(&data), expected("0.180000", "0.300000"));
    data.assert_sound();
    let record = data.query("select delivery, row from cdr where record_id = 'a-12'");
    let place = format!("{}:{}", record[0]["delivery"].as_str().expect("a delivery"), record[0]["row"]);
    let page = data.ok(&["explain", &place]);
    let told = ["`family`", "2026-11 gave 300 seconds, 60 left before, 60 taken, 0 left", "allowances leave 60"];
    assert!(told.iter().all(|words| page.contains(words)), "{page}");
}

/// *Scenario.* The bundle is taken out of the tariff; another time a customer's cycle begins on another day, when the month's totals are
/// frozen. *Guarantees.* What was free is charged without a further command; nothing of the frozen month changes or moves.
#[test]
fn a_bundle_that_is_taken_away_charges_what_it_covered_and_a_frozen_month_stays_whole() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path());
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, &[10, 11, 12]));
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &tariff(true))]);
    assert!(drawn(&data).iter().all(|(_, units, billed, _)| (*units, *billed) == (0, 100)), "{:?}", drawn(&data));
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &bundle(300))]);
    assert_eq!(drawn(&data).iter().map(|(_, units, _, _)| *units).collect::<Vec<_>>(), [120, 120, 60]);
    data.assert_sound();
    data.ok(&["totals", "--backup", "--cycle", "2026-11"]);
    let before = drawn(&data);
    let customers = "customer_id,name,owner_path,cycle_day,time_zone\nC-1,C-1,main/C-1,15,Europe/Amsterdam\n";
    data.ok(&["import", "customers", &write(home.path(), "customers.csv", customers)]);
    let cycles = data.query("select distinct billing_period from cdr");
    assert_eq!((drawn(&data), cycles), (before, vec![json!({"billing_period": "2026-11"})]), "by nobody's word");
}

/// *Scenario.* A service that settles rarely gets files, and somebody wants the month's totals frozen at once. *Guarantees.* It is refused
/// until the month is settled.
#[test]
fn a_month_is_not_frozen_before_it_is_settled() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path());
    ingest(&data, home.path(), "haven", "a.csv", &calls("a", 1, &[10, 11, 12]));
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &bundle(240)), "--no-recycle"]);
    let refused = data.run(&["totals", "--backup", "--cycle", "2026-11"]);
    assert!(refused.code == Some(5) && refused.err.contains("tollway settle --cycle 2026-11"), "{}", refused.err);
    data.ok(&["totals", "--backup", "--cycle", "2026-10"]);
    asked(&data, &["settle"]);
    data.ok(&["totals", "--backup", "--cycle", "2026-11"]);
    let misspelt = data.run(&["settle", "--customer", "C-l"]);
    assert!(misspelt.code == Some(3) && misspelt.err.contains("C-1"), "{}", misspelt.err);
}
