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
