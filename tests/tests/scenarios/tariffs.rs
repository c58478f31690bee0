//! `tollway tariff`: listed beside a running service, shown as a price list, linted before an import, and compared with the next one.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::data_folder::DataFolder;
use crate::support::place;

const SHIPPED: [&str; 4] = ["nl-zakelijk.toml", "nl-zakelijk-prefixes.csv", "nl-zakelijk-networks.csv", "nl-zakelijk-prices.csv"];

fn shipped(file: &str) -> String {
    fs::read_to_string(place::checkout().join("config/tariffs").join(file)).expect("the shipped tariffs are in the checkout")
}

/// The shipped business tariff in a folder of its own, with one text replaced in one of its files.
fn copy(folder: &Path, file: &str, old: &str, new: &str) -> PathBuf {
    fs::create_dir_all(folder).expect("a folder can be made");
    for name in SHIPPED {
        let text = shipped(name);
        let text = if name == file { text.replace(old, new) } else { text };
        assert!(name != file || text != shipped(name) || old == new, "{old} is not in {file}");
        fs::write(folder.join(name), text).expect("a file can be written");
    }
    folder.join(SHIPPED[0])
}

/// Runs a command line and gives its exit code and its JSON.
fn asked(data: &DataFolder, arguments: &[&str]) -> (Option<i32>, Value) {
    let ended = data.run(&[arguments, &["--output", "json"]].concat());
    let said = serde_json::from_str(&ended.out).unwrap_or_else(|e| panic!("{arguments:?}: {e}: {}{}", ended.out, ended.err));
    (ended.code, said)
}

fn found(said: &Value, rule: &str) -> usize {
    said["findings"].as_array().expect("a list").iter().filter(|finding| finding["rule"] == rule).count()
}

/// *Scenario.* A service runs; tariffs are listed before any is imported and after one is. *Guarantees.* The empty list says what to
/// do; the full one tells name, version, currency, dates and the sizes that the files have; the service is not disturbed.
#[test]
fn tariffs_are_listed_beside_a_running_service() {
    let data = DataFolder::new();
    let service = data.start(&["run", "--listen", "127.0.0.1:0"], Some("info"));
    service.line("running", |_| true);
    let empty = data.ok(&["tariff", "list"]);
    assert!(empty.contains("no tariff is in this data folder") && empty.contains("tollway import tariffs"), "{empty}");
    data.ok(&["tariff", "import", "shipped:nl-zakelijk", "--dry-run"]);
    assert!(data.ok(&["tariff", "list"]).contains("no tariff is in this data folder"), "a dry run imports nothing");
    data.ok(&["tariff", "import", "nl-zakelijk"]);
    let listed = data.json(&["tariff", "list"]);
    let [tariff] = listed.as_array().expect("a list").as_slice() else { panic!("{listed}") };
    let head = &tariff["head"];
    assert_eq!((&head["name"], &head["currency"]), (&"nl-zakelijk".into(), &"EUR".into()));
    assert_eq!((&head["valid_from"], &head["valid_to"]), (&"2025-01-01".into(), &Value::Null));
    let (id, hash) = (head["id"].as_str().expect("an id"), head["sha256"].as_str().expect("a hash"));
    assert_eq!(id, format!("nl-zakelijk@{}", &hash[..16]));
    assert_eq!(tariff["plans"].as_array().map(Vec::len), Some(9));
    // One line of each table is its header.
    assert_eq!(tariff["rows"]["prefixes"], shipped(SHIPPED[1]).lines().count() - 1);
    assert_eq!(tariff["rows"]["networks"], shipped(SHIPPED[2]).lines().count() - 1);
    let csv = data.ok(&["tariff", "list", "--output", "csv"]);
    assert!(csv.lines().nth(1).is_some_and(|row| row.contains(hash)), "{csv}");
    assert_eq!(service.terminate().code, Some(0));
}

/// *Scenario.* The shipped tariff is shown without a data folder, for one plan and one zone. *Guarantees.* The price is the one that
/// its file has, with its line; everything that leads to the zone is listed; a misspelt plan is answered; nothing is made.
#[test]
fn a_price_list_reads_as_its_files_say() {
    let data = DataFolder::new();
    let screen = data.ok(&["tariff", "show", "nl-zakelijk", "--plan", "zakelijk-plus", "--zone", "PREMIUM"]);
    for part in [
        "in EUR",
        "half up",
        "0.90 per 60 s",
        "nl-zakelijk-prices.csv line",
        "31906",
        "N_PREMIUM",
        "mon-fri except holidays 08:00 to 20:00",
    ] {
        assert!(screen.contains(part), "`{part}` in\n{screen}");
    }
    let (_, said) = asked(&data, &["tariff", "show", "nl-zakelijk", "--plan", "vast", "--zone", "WORLD"]);
    let prices = said["tariff"]["prices"].as_array().expect("prices");
    let steps = prices.iter().find(|price| price["zones"] == serde_json::json!(["WORLD"])).expect("the price of WORLD");
    let of_steps: Vec<&str> =
        steps["terms"]["steps"].as_array().expect("steps").iter().filter_map(|step| step["unit_price"].as_str()).collect();
    assert_eq!((of_steps, &steps["terms"]["setup"]), (vec!["0.60", "0.40", "0.30"], &"0.05".into()));
    let csv = data.ok(&["tariff", "show", "nl-zakelijk", "--plan", "m2m", "--output", "csv"]);
    assert_eq!(csv.lines().count(), 1 + 5, "a header and five prices:\n{csv}");
    let misspelt = data.run(&["tariff", "show", "nl-zakelijk", "--plan", "zakelijk-pluss"]);
    assert_eq!(misspelt.code, Some(3));
    assert!(misspelt.err.contains("did you mean `zakelijk-plus`?"), "{}", misspelt.err);
    assert!(!data.path().exists(), "the data folder was made");
}

/// *Scenario.* Tariffs are linted: one without a fault, the shipped one, one whose table is broken beside one that is not there, and
/// one that leaves days without a price. *Guarantees.* Exit codes 0, 1 and 3; one that cannot be read does not hide the others; what is
/// in force is compared; nothing is imported.
#[test]
fn a_tariff_is_linted_before_it_is_imported() {
    let home = TempDir::new().expect("a temporary folder");
    let data = DataFolder::new();
    let clean = home.path().join("clean.toml");
    let text = "name = \"clean\"\ncurrency = \"EUR\"\ntime_zone = \"Europe/Amsterdam\"\nvalid_from = 2026-01-01\n\
                home_zone = \"HOME\"\ndefault_band = \"any\"\n[rounding]\nplaces = 6\nmode = \"half_up\"\n\
                [destinations.prefixes]\n31 = \"NL\"\n[[plan]]\nname = \"basis\"\n\
                [[price]]\nplan = \"basis\"\nkind = \"voice-mo\"\nzone = \"NL\"\nunit_price = \"0.10\"\n";
    fs::write(&clean, text).expect("a file can be written");
    let clean = clean.to_string_lossy();
    let (code, said) = asked(&data, &["tariff", "lint", &clean]);
    assert_eq!((code, &said["findings"]), (Some(0), &serde_json::json!([])));
    let (code, said) = asked(&data, &["tariff", "lint", "nl-zakelijk"]);
    assert_eq!((code, &said["errors"], found(&said, "missing_price")), (Some(1), &0.into(), 5), "{said}");

    let broken = copy(&home.path().join("broken"), SHIPPED[1], "\n3161,", "\n00316 1,");
    let (code, said) = asked(&data, &["tariff", "lint", &broken.to_string_lossy(), "no-such.toml", &clean]);
    assert_eq!((code, found(&said, "refused"), found(&said, "unreadable")), (Some(3), 1, 1), "{said}");
    assert!(said["tariffs"][2]["id"].as_str().is_some_and(|id| id.starts_with("clean@")), "{said}");
    let line = shipped(SHIPPED[1]).lines().position(|line| line.starts_with("3161,")).expect("the row") + 1;
    let refused = said["findings"].as_array().expect("a list").iter().find(|f| f["rule"] == "refused").expect("a refusal");
    assert_eq!((&refused["file"], &refused["line"]), (&SHIPPED[1].into(), &line.into()));

    data.ok(&["import", "tariffs", "nl-zakelijk"]);
    let later = copy(&home.path().join("later"), SHIPPED[0], "valid_from = 2025-01-01", "valid_from = 2027-01-01");
    let (code, said) = asked(&data, &["tariff", "lint", &later.to_string_lossy()]);
    assert_eq!((code, found(&said, "days_lost")), (Some(1), 1), "{said}");
    assert_eq!(data.json(&["tariff", "list"])[0]["head"]["valid_from"], "2025-01-01", "the lint imported nothing");
}

/// *Scenario.* The tariff in force is compared with itself, with the shipped one, and with a copy that has a dearer price and a moved
/// prefix. *Guarantees.* Nothing changed is said so; the difference is exact and says both sides; which of two tariffs of one name was
/// taken is told.
#[test]
fn two_tariffs_are_compared_price_by_price() {
    let home = TempDir::new().expect("a temporary folder");
    let data = DataFolder::new();
    let folder = home.path().join("next");
    // The price of a Dutch mobile minute in zakelijk-plus goes from 10 to 11.5 cents: 15 per cent.
    let next =
        copy(&folder, SHIPPED[3], "zakelijk-plus,voice-*,NL-MOB,*,0,60,1,0.10", "zakelijk-plus,voice-*,NL-MOB,*,0,60,1,0.115");
    let prefixes = shipped(SHIPPED[1]).replace("\n3197,NL-MOB", "\n3197,NL-SVC");
    fs::write(folder.join(SHIPPED[1]), prefixes).expect("a file can be written");
    let next = next.to_string_lossy();
    let same = data.ok(&["tariff", "diff", "nl-zakelijk", "nl-zakelijk"]);
    assert!(same.starts_with("nothing changed: both are nl-zakelijk@"), "{same}");
    let (code, said) = asked(&data, &["tariff", "diff", "nl-zakelijk", &next]);
    assert_eq!((code, &said["same"]), (Some(0), &false.into()));
    let changes = said["changes"].as_array().expect("a list");
    // The bundle that falls back on the plan has its prices.
    let [moved, lent, price] = changes.as_slice() else { panic!("{said:#}") };
    assert_eq!((&lent["holds"]["plan"], &lent["new"]), (&"bellen-200".into(), &price["new"]));
    assert_eq!((&moved["part"], &moved["fate"], &moved["what"]), (&"prefix".into(), &"moved".into(), &"3197".into()));
    assert_eq!((&moved["old"], &moved["new"]), (&"NL-MOB".into(), &"NL-SVC".into()));
    assert_eq!((&price["old"], &price["new"]), (&"0.10 per 60 s".into(), &"0.115 per 60 s".into()));
    assert_eq!((&price["percent"], &price["holds"]["plan"]), (&"+15.00 %".into(), &"zakelijk-plus".into()));
    let screen = data.ok(&["tariff", "diff", "nl-zakelijk", &next]);
    assert!(screen.starts_with("3 differences from nl-zakelijk@") && screen.contains("+15.00 %"), "{screen}");

    data.ok(&["import", "tariffs", &next]);
    let told = data.ok(&["tariff", "diff", "shipped:nl-zakelijk", "nl-zakelijk"]);
    assert!(told.starts_with("3 differences") && told.contains("the shipped one differs: shipped:nl-zakelijk"), "{told}");
}

/// *Scenario.* A tariff is imported, again as it is, and with a dearer price, first as a dry run. *Guarantees.* The import tells the version
/// that `tariff list` and rows carry, and which one it takes the place of; what has landed is told to machines.
#[test]
fn an_import_tells_the_version_that_rows_will_carry() {
    let home = TempDir::new().expect("a temporary folder");
    let data = DataFolder::new();
    let in_force = || data.json(&["tariff", "list"])[0]["head"]["id"].as_str().expect("an id").to_owned();
    let first = data.ok(&["import", "tariffs", "nl-zakelijk"]);
    let before = in_force();
    assert!(first.contains(&format!("\nversion {before}\n")), "{first}");
    let same = data.ok(&["tariff", "import", "nl-zakelijk"]);
    assert!(same.contains(&format!("\nversion {before}, as before")), "{same}");
    let next = copy(
        home.path(),
        SHIPPED[3],
        "zakelijk-plus,voice-*,NL-MOB,*,0,60,1,0.10",
        "zakelijk-plus,voice-*,NL-MOB,*,0,60,1,0.115",
    );
    let next = next.to_string_lossy();
    let dry = data.ok(&["import", "tariffs", &next, "--dry-run"]);
    let said = data.json(&["import", "tariffs", &next]);
    let after = in_force();
    assert!(dry.contains(&format!("\nversion {after} in the place of {before}")), "{dry}");
    assert!(!dry.contains("sha256"), "{dry}");
    assert_eq!((&said["tariff"]["version"], &said["tariff"]["was"]), (&after.as_str().into(), &before.as_str().into()), "{said}");
    assert_eq!(said["tariff"]["landed_sha256"], said["report"]["field_changes"]["first"][0]["becomes"], "{said}");
}
