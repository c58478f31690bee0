//! Two small tariffs whose differences are worked out by hand, in any order of their rows.

use crate::compare::{Change, Fate, Part, compare};
use crate::tariff::Tariff;
use crate::tests::fixture::with_tables;

const TOML: &str = r#"name = "small"
currency = "EUR"
time_zone = "Europe/Amsterdam"
valid_from = 2026-01-01
home_zone = "HOME"
default_band = "off"

[rounding]
places = 6
mode = "half_up"

[destinations]
table = "prefixes.csv"

[[band]]
name = "peak"
days = "mon-fri"
from = "08:00"
to = "20:00"

[[plan]]
name = "basis"
mb_bytes = 1000000

[[plan]]
name = "plus"
mb_bytes = 1000000

[prices]
table = "prices.csv"
"#;

const PREFIXES: &str = "prefix,zone\n31,NL-FIX\n316,NL-MOB\n317,NL-MOB\n49,EU\n882,SAT\n";

const PRICES: &str = "plan,kind,zone,band,setup,minimum,increment,unit_price
basis,voice-*,NL-FIX,*,0,0,1,0.10
basis,voice-*,NL-MOB,*,0,0,1,0.10
basis,voice-*,EU,*,0,60,60,0.16
basis,voice-*,SAT,*,0,0,1,9.00
plus,data,HOME,*,0,0,1,0.01
";

fn tariff(toml: &str, prefixes: &str, prices: &str) -> Tariff {
    let source = with_tables("small.toml", toml, &[("prefixes.csv", prefixes), ("prices.csv", prices)]);
    Tariff::load(&source).unwrap_or_else(|e| panic!("{e}"))
}

/// `part fate what field: old → new difference`.
fn line(change: &Change) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let Change { part, fate, what, field, old, new, percent, .. } = change;
    format!("{} {} {what} {}: {} → {} {}", part.as_str(), fate.as_str(), text(field), text(old), text(new), text(percent))
}

#[test]
fn every_difference_is_told_with_both_sides() {
    let toml = TOML
        .replace("2026-01-01", "2026-01-01\nvalid_to = 2027-01-01")
        .replace("\"08:00\"", "\"07:00\"")
        .replace("\"plus\"", "\"max\"");
    let prefixes = "prefix,zone\n44,EU\n49,EU\n317,NL-FIX\n316,NL-MOB\n31,NL-FIX\n";
    let prices = "plan,kind,zone,band,setup,minimum,increment,unit_price
max,data,HOME,*,0,0,1,0.01
basis,voice-mo,EU,*,0.05,60,1,0.18
basis,voice-fwd,EU,*,0.05,60,1,0.18
basis,voice-*,NL-MOB,*,0,0,1,0.10
basis,voice-*,NL-FIX,peak,0,0,1,0.10
basis,voice-*,NL-FIX,off,0,0,1,0.05
";
    let changes = compare(&tariff(TOML, PREFIXES, PRICES), &tariff(&toml, prefixes, prices));
    let mut lines: Vec<String> = changes.iter().map(line).collect();
    lines.sort();
    let expected = [
        "band added peak mon-fri 07:00 to 20:00 -: - → - -",
        "band removed peak mon-fri 08:00 to 20:00 -: - → - -",
        "head changed valid_to -: - → 2027-01-01 -",
        "plan added max -: - → - -",
        "plan removed plus -: - → - -",
        "prefix added 44 zone: - → EU -",
        "prefix moved 317 zone: NL-MOB → NL-FIX -",
        "prefix removed 882 zone: SAT → - -",
        "price added max: data in HOME price: - → 0.01 per 1000000 bytes -",
        // From 16 to 18 cents is an eighth more; from nothing there is no per cent; from 10 to 5 is half.
        "price changed basis: voice-mo, voice-fwd in EU increment: 60 → 1 -",
        "price changed basis: voice-mo, voice-fwd in EU setup: 0.00 → 0.05 -",
        "price changed basis: voice-mo, voice-fwd in EU unit_price: 0.16 per 60 s → 0.18 per 60 s +12.50 %",
        "price changed basis: voice-mo, voice-fwd in NL-FIX, off unit_price: 0.10 per 60 s → 0.05 per 60 s -50.00 %",
        "price removed basis: voice-mo, voice-fwd in SAT price: 9.00 per 60 s → - -",
        "price removed plus: data in HOME price: 0.01 per 1000000 bytes → - -",
    ];
    assert_eq!(lines, expected);
    let half = changes.iter().find(|c| c.percent.as_deref() == Some("-50.00 %")).and_then(|c| c.holds.as_ref()).expect("a price");
    assert_eq!(
        (half.old_places.as_slice(), half.new_places.as_slice()),
        (["prices.csv line 2".to_owned()].as_slice(), ["prices.csv line 7".to_owned()].as_slice(),)
    );
}

#[test]
fn the_same_prices_written_otherwise_are_no_difference() {
    let old = tariff(TOML, PREFIXES, PRICES);
    assert_eq!(compare(&old, &tariff(TOML, PREFIXES, PRICES)), []);
    // Other order, a unit size that is the usual one, kinds one by one, and the unreachable ones left out.
    let prices = "plan,kind,zone,band,setup,minimum,increment,unit_price,per
plus,data,*,*,0,0,1,0.01,
basis,voice-fwd,SAT,*,0,0,1,9.00,
basis,voice-mo,SAT,*,0,0,1,9.00,60
basis,voice-*,EU,off,0,60,60,0.16,60
basis,voice-*,EU,peak,0,60,60,0.16,
basis,voice-*,NL-MOB,*,0,0,1,0.10,
basis,voice-*,NL-FIX,*,0,0,1,0.10,
";
    let prefixes = "prefix,zone\n882,SAT\n49,EU\n317,NL-MOB\n316,NL-MOB\n31,NL-FIX\n";
    assert_eq!(compare(&old, &tariff(TOML, prefixes, prices)), []);
}

#[test]
fn prices_of_two_unit_sizes_are_compared_over_the_same_units() {
    // 0.10 a minute is 6.00 an hour; 6.60 an hour is a tenth more.
    let hourly = PRICES.replace("unit_price\n", "unit_price,per\n").replace("0.10\n", "6.60,3600\n").replace("0.16\n", "0.16,\n");
    let hourly = hourly.replace("9.00\n", "9.00,\n").replace("0.01\n", "0.01,\n");
    let changes = compare(&tariff(TOML, PREFIXES, PRICES), &tariff(TOML, PREFIXES, &hourly));
    let lines: Vec<String> = changes.iter().map(line).collect();
    let what = "basis: voice-mo, voice-fwd in NL-FIX, NL-MOB";
    assert_eq!(lines, [format!("price changed {what} unit_price: 0.10 per 60 s → 6.60 per 3600 s +10.00 %")]);
}

#[test]
fn a_band_that_comes_changes_only_what_it_prices() {
    let bare = TOML.replace("[[band]]\nname = \"peak\"\ndays = \"mon-fri\"\nfrom = \"08:00\"\nto = \"20:00\"\n", "");
    let changes = compare(&tariff(&bare, PREFIXES, PRICES), &tariff(TOML, PREFIXES, PRICES));
    let parts: Vec<(Part, Fate)> = changes.iter().map(|change| (change.part, change.fate)).collect();
    assert_eq!(parts, [(Part::Band, Fate::Added)]);
    let dearer = PRICES.replace("NL-FIX,*,0,0,1,0.10\n", "NL-FIX,*,0,0,1,0.10\nbasis,voice-*,NL-FIX,peak,0,0,1,0.15\n");
    let changes = compare(&tariff(&bare, PREFIXES, PRICES), &tariff(TOML, PREFIXES, &dearer));
    let prices: Vec<String> = changes.iter().filter(|change| change.part == Part::Price).map(line).collect();
    let expected = "price changed basis: voice-mo, voice-fwd in NL-FIX, peak unit_price: 0.10 per 60 s → 0.15 per 60 s +50.00 %";
    assert_eq!(prices, [expected]);
}

#[test]
fn amounts_of_two_currencies_have_no_difference_in_per_cent() {
    let dearer = PRICES.replace("0.16\n", "0.18\n");
    let changes = compare(&tariff(TOML, PREFIXES, PRICES), &tariff(&TOML.replace("EUR", "USD"), PREFIXES, &dearer));
    let lines: Vec<String> = changes.iter().map(line).collect();
    let price = "price changed basis: voice-mo, voice-fwd in EU unit_price: 0.16 per 60 s → 0.18 per 60 s -";
    assert_eq!(lines, ["head changed currency -: EUR → USD -", price]);
}

/// The tariff with these allowances, and what differs between two lists of them.
fn of_allowances(old: &str, new: &str) -> Vec<String> {
    let with = |allowances: &str| tariff(&format!("{TOML}{allowances}"), PREFIXES, PRICES);
    compare(&with(old), &with(new)).iter().map(line).collect()
}

/// Calls of `basis` to a zone.
fn calls(name: &str, zone: &str, rest: &str) -> String {
    format!("\n[[allowance]]\nname = \"{name}\"\nplan = \"basis\"\nkind = \"voice-*\"\nzone = {zone}\n{rest}\n")
}

#[test]
fn allowances_come_and_go_and_each_field_that_changes_is_told() {
    let old =
        calls("minutes", "[\"NL-FIX\", \"NL-MOB\"]", "units = 600\nroll_over = 1") + &calls("old", "\"EU\"", "unlimited = true");
    let minutes = "\n[[allowance]]\nname = \"minutes\"\nplan = \"*\"\nkind = \"voice-mo\"\nzone = \"*\"\nband = \"peak\"
party = \"own_network\"
units = 750\nscope = \"pooled\"\nminimum = 60\nincrement = 30\nsetup = \"always\"\npriority = 1\nweight = 2\npro_rata = \"days\"\n";
    let new = minutes.to_owned() + &calls("new", "\"EU\"", "money = \"5\"");
    let expected = [
        "allowance changed minutes plan: basis → basis, plus -",
        "allowance changed minutes kind: voice-* → voice-mo -",
        "allowance changed minutes zone: NL-FIX, NL-MOB → * -",
        "allowance changed minutes band: * → peak -",
        "allowance changed minutes party: none → own_network -",
        // From 600 to 750 is a quarter more.
        "allowance changed minutes gives: 600 seconds → 750 seconds +25.00 %",
        "allowance changed minutes scope: personal → pooled -",
        "allowance changed minutes minimum: 0 → 60 -",
        "allowance changed minutes increment: 1 → 30 -",
        "allowance changed minutes setup: if_charged → always -",
        "allowance changed minutes priority: 0 → 1 -",
        "allowance changed minutes weight: 0 → 2 -",
        "allowance changed minutes roll_over: 1 → 0 -",
        "allowance changed minutes pro_rata: none → days -",
        "allowance removed old gives: unlimited voice-* in EU for basis → - -",
        "allowance added new gives: - → EUR 5.00 of voice-* in EU for basis -",
    ];
    assert_eq!(of_allowances(&old, &new), expected);
}

#[test]
fn what_an_allowance_gives_is_compared_within_one_measure() {
    let given = |old: &str, new: &str| of_allowances(&calls("a", "\"EU\"", old), &calls("a", "\"EU\"", new));
    let said = |text: &str| [format!("allowance changed a gives: {text}")];
    assert_eq!(given("money = \"10\"", "money = \"5\""), said("EUR 10.00 → EUR 5.00 -50.00 %"));
    assert_eq!(given("units = 60\nminimum = 30", "money = \"5\""), said("60 seconds → EUR 5.00 -"), "money has no minimum");
    assert_eq!(given("units = 60", "unlimited = true"), said("60 seconds → unlimited -"));
    let with = |toml: &str| tariff(&format!("{toml}{}", calls("a", "\"EU\"", "money = \"5\"")), PREFIXES, PRICES);
    let lines: Vec<String> = compare(&with(TOML), &with(&TOML.replace("EUR", "USD"))).iter().map(line).collect();
    assert_eq!(lines, ["head changed currency -: EUR → USD -", "allowance changed a gives: EUR 5.00 → USD 5.00 -"]);
}

#[test]
fn the_same_allowances_written_otherwise_are_no_difference() {
    let old = calls("a", "\"*\"", "units = 60") + &calls("b", "\"EU\"", "units = 60\npriority = 1");
    let zones = "[\"EU\", \"HOME\", \"NL-FIX\", \"NL-MOB\", \"SAT\"]";
    let new = calls("b", "[\"EU\"]", "units = 60\nincrement = 1\npriority = 1") + &calls("a", zones, "units = 60\nband = \"*\"");
    assert_eq!(of_allowances(&old, &new), Vec::<String>::new());
    // Zones that come with their prices are no news of an allowance of all zones.
    let with = |prefixes: &str| tariff(&format!("{TOML}{old}"), prefixes, PRICES);
    let lines: Vec<String> = compare(&with(PREFIXES), &with(&format!("{PREFIXES}1,US\n"))).iter().map(line).collect();
    assert_eq!(lines, ["prefix added 1 zone: - → US -"]);
}

#[test]
fn the_order_of_the_file_is_told_where_it_decides_what_is_drawn_first() {
    let [a, b] = [calls("a", "[\"NL-FIX\", \"EU\"]", "units = 60"), calls("b", "\"EU\"", "units = 600\nincrement = 60")];
    let turned = |a: &str, b: &str| of_allowances(&format!("{a}{b}"), &format!("{b}{a}"));
    assert_eq!(turned(&a, &b), ["allowance changed b order: after a → before a -"]);
    let none = Vec::<String>::new();
    assert_eq!(turned(&a, &calls("b", "\"SAT\"", "units = 600")), none, "they cover nothing in common");
    assert_eq!(turned(&a, &calls("b", "\"EU\"", "money = \"5\"")), none, "units go before money");
    assert_eq!(turned(&a, &calls("b", "\"EU\"", "units = 600\nweight = 1")), none, "the weight decides");
}

#[test]
fn of_long_lists_the_names_that_differ_come_first() {
    let prefixes = "prefix,zone\n1,A\n2,B\n3,C\n4,D\n5,E\n6,F\n7,G\n8,H\n9,I\n31,NL-FIX\n316,NL-MOB\n49,EU\n882,SAT\n";
    let of = |zones: &str| {
        let list: Vec<String> = zones.split(' ').map(|zone| format!("\"{zone}\"")).collect();
        let toml = format!("{TOML}{}", calls("a", &format!("[{}]", list.join(", ")), "units = 60"));
        tariff(&toml, prefixes, PRICES)
    };
    let changes = compare(&of("EU A B C D E F G"), &of("EU A B C D E F H I"));
    let zones = "G, A, B, C, D, E and 2 more → H, I, A, B, C, D and 3 more";
    assert_eq!(changes.iter().map(line).collect::<Vec<_>>(), [format!("allowance changed a zone: {zones} -")]);
}
