//! Reference data that cannot be: refused with line, field and remedy, before anything of it acts.

use crate::desk::{BAD_INPUT, DEVICES, DONE, Desk, NEEDS_HAND, REFUSED, WRONG_USE};
use crate::kpn;

#[test]
fn overlapping_windows_are_refused_with_both_lines() {
    let desk = Desk::new();
    let header = "device_id,msisdn,customer_id,plan_id,valid_from,valid_to\n";
    let first = "D-1,31619283746,C-1042,zakelijk-plus,2026-01-01T00:00:00Z,2026-06-01T00:00:00Z\n";
    let second = "D-7,31619283746,C-2000,zakelijk-plus,2026-05-01T00:00:00Z,\n";
    desk.write("windows.csv", format!("{header}{first}{second}"));
    let facts = ["refused, nothing was changed", "316•••••746", "line 2", "line 3", "device D-7", "end the first by 2026-05-01"];
    desk.tollway(&["import", "devices", "windows.csv", "--dry-run"]).ends(BAD_INPUT).says(&facts);
    let said = desk.tollway(&["import", "devices", "windows.csv", "--output", "json"]).ends(BAD_INPUT).json();
    assert_eq!(said["report"]["overlaps"]["count"], 1, "{said}");
    desk.tollway(&["import", "devices", "windows.csv"]).ends(BAD_INPUT).says(&facts);
    // What was in force still is.
    desk.write("in/good.csv", kpn::good("good", 2));
    desk.ingest(&["in/good.csv"]).ends(DONE);
    assert_eq!(desk.query("SELECT DISTINCT device FROM cdr"), serde_json::json!([{"device": "D-1"}]));
    desk.write("windows.csv", format!("{header}{}{second}", first.replace("06-01", "05-01")));
    desk.tollway(&["import", "devices", "windows.csv"]).ends(DONE);
    desk.write("in/later.csv", kpn::good("later", 1));
    desk.ingest(&["in/later.csv"]).ends(DONE);
    assert_eq!(desk.query("SELECT device FROM cdr WHERE record_id = 'later-0'"), serde_json::json!([{"device": "D-7"}]));
    desk.holds(3, 0);
}

#[test]
fn broken_rows_of_an_import_are_all_named_and_none_acts() {
    let desk = Desk::new();
    let rows = "D-2,3161928374699999,C-1,zakelijk-plus,2026-01-01T00:00:00Z,\n\
        D-3,31611111111,C-1,zakelijk-plus,2026-02-30T00:00:00Z,\n\
        D-4,31622222222\n";
    desk.write("broken.csv", format!("{DEVICES}{rows}"));
    desk.tollway(&["import", "devices", "broken.csv"]).ends(BAD_INPUT).says(&[
        "broken.csv: 3 broken rows; nothing was imported",
        "line 3, field `msisdn`",
        "8 to 15 digits",
        "line 4, field `valid_from`",
        "does not exist in the calendar",
        "line 5: the row has 2 fields, the header has 6",
    ]);
    let facts = ["customers.csv", "line 1", "no column `device_id`", "`customer_id`"];
    desk.write("customers.csv", DEVICES);
    desk.tollway(&["import", "customers", "customers.csv"]).ends(BAD_INPUT).says(&facts);
    desk.write("empty.csv", "");
    desk.tollway(&["import", "devices", "empty.csv"]).ends(BAD_INPUT).says(&["empty.csv", "header", "device_id"]);
    desk.tollway(&["import", "devices", "nowhere.csv"]).ends(BAD_INPUT).says(&["nowhere.csv cannot be read"]);
    desk.write("in/good.csv", kpn::good("good", 2));
    desk.ingest(&["in/good.csv"]).ends(DONE);
    desk.holds(2, 0);
}

#[test]
fn a_window_that_holds_no_instant_links_nothing_and_is_named() {
    let desk = Desk::new();
    desk.write("devices.csv", format!("{DEVICES}D-2,31687654321,C-1,zakelijk-plus,2026-02-01T00:00:00Z,2026-01-01T00:00:00Z\n"));
    let facts = ["without an instant, ignored: valid_to is not after valid_from in line", "3"];
    desk.tollway(&["import", "devices", "devices.csv"]).ends(DONE).says(&facts);
}

#[test]
fn a_full_list_that_is_cut_off_ends_nothing_until_someone_takes_the_word_for_it() {
    let desk = Desk::new();
    let header = "device_id;msisdn;customer_id;plan_id;valid_from;valid_to\r\n";
    let row = |n: u32| format!("D-{n};\"316876543{n:02}\";C-7;zakelijk-plus;2026-01-01T00:00:00Z;\r\n");
    let list = |numbers: std::ops::Range<u32>| numbers.fold(format!("\u{feff}{header}"), |text, n| text + &row(n));
    desk.write("all.csv", list(10..60) + "D-1;31619283746;C-1042;zakelijk-plus;2026-01-01T00:00:00Z;\r\n");
    let full = |file: &str, more: &[&str]| {
        desk.tollway(&[&["import", "devices", file, "--mode", "full", "--as-of", "2026-10-01T00:00:00Z"], more].concat())
    };
    full("all.csv", &[]).ends(DONE).says(&["windows added 50, changed 0, ended 0 of 1"]);

    desk.write("cut.csv", list(10..30));
    let why = "would end 31 of 51 windows, 1 are allowed (`import.ended_per_mille_max`)";
    full("cut.csv", &["--dry-run"]).ends(NEEDS_HAND).says(&["dry run", why, "--approve"]);
    full("cut.csv", &[]).ends(REFUSED).says(&["refused, nothing was changed", why, "msisdn 316•••••746", "ends at 2026-10-01"]);
    desk.tollway(&["import", "devices", "cut.csv", "--approve", "so it is"]).ends(WRONG_USE).says(&["--mode full"]);
    desk.write("in/good.csv", kpn::good("good", 2));
    desk.ingest(&["in/good.csv"]).ends(DONE);
    desk.holds(2, 0);

    // One of 51 is within the limit; the other file needs a word, which is kept with it.
    desk.write("one-less.csv", list(10..60));
    full("one-less.csv", &["--dry-run"]).ends(DONE).says(&["ended 1 of 51"]);
    full("cut.csv", &["--approve", "lines were sold", "--by", "jan"]).ends(DONE).says(&["imported as arrival", "ended 31 of 51"]);
    full("cut.csv", &["--by", "jan"]).ends(DONE).says(&["nothing to do"]);
    let arrivals = std::fs::read_dir(desk.data("store/landing/arrivals")).expect("the arrivals");
    let newest = arrivals.map(|entry| entry.expect("an entry").path()).max().expect("an arrival");
    let record: serde_json::Value = serde_json::from_slice(&std::fs::read(newest).expect("a record")).expect("JSON");
    let approval = &record["kind"]["import"]["full"]["approval"];
    assert_eq!((&approval["by"], &approval["reason"]), (&"jan".into(), &"lines were sold".into()), "{record}");
    desk.write("in/later.csv", kpn::good("later", 1));
    desk.ingest(&["in/later.csv"]).ends(NEEDS_HAND);
    desk.holds(2, 1);
}

const TARIFF: &str = include_str!("../../../config/tariffs/samples.toml");

#[test]
fn a_tariff_with_a_mistake_is_refused_with_file_line_and_field() {
    let desk = Desk::new();
    let line = |text: &str| format!("line {}", 1 + TARIFF.lines().position(|l| l.contains(text)).expect("it is there"));
    desk.write("mine.toml", TARIFF.replace("home_zone", "hom_zone"));
    let facts = ["mine.toml", &line("home_zone"), "unknown key `hom_zone`", "did you mean `home_zone`?"];
    desk.tollway(&["import", "tariffs", "mine.toml"]).ends(BAD_INPUT).says(&facts);
    desk.write("mine.toml", TARIFF.replace("unit_price = \"0.02\"", "unit_price = \"two cents\""));
    let facts = ["mine.toml", "`unit_price` is `two cents`", "an amount such as \"0.05\""];
    desk.tollway(&["import", "tariffs", "mine.toml"]).ends(BAD_INPUT).says(&facts);
    desk.write("mine.toml", TARIFF.replace("[destinations.prefixes]\n1 = \"NANP\"", "table = \"decks.csv\""));
    let facts = ["decks.csv", "cannot be read", "--base"];
    desk.tollway(&["import", "tariffs", "mine.toml"]).ends(BAD_INPUT).says(&facts);
    let facts = ["nl-zakelik cannot be read", "nl-zakelijk"];
    desk.tollway(&["import", "tariffs", "nl-zakelik"]).ends(BAD_INPUT).says(&facts);
    desk.write("mine.toml", TARIFF);
    desk.tollway(&["import", "tariffs", "mine.toml"]).ends(DONE);
    desk.check();
}

#[test]
fn a_tariff_that_sells_what_another_sells_is_refused_before_it_stops_rating() {
    let desk = Desk::new();
    desk.write(
        "twin.toml",
        TARIFF.replace("name = \"sample-voice\"", "name = \"zakelijk-plus\"").replace("\"sample-voice\"", "\"zakelijk-plus\""),
    );
    let facts = ["plan `zakelijk-plus`", "nl-zakelijk@", "samples@", "`valid_to`"];
    desk.tollway(&["import", "tariffs", "twin.toml", "--dry-run"]).ends(BAD_INPUT).says(&facts);
    desk.tollway(&["import", "tariffs", "twin.toml"]).ends(BAD_INPUT).says(&facts);
    desk.write("in/good.csv", kpn::good("good", 2));
    desk.ingest(&["in/good.csv"]).ends(DONE);
    desk.holds(2, 0);
}
