//! Runs tests/rating/*.tbl: what a clerk wrote beside each row is what exact fractions come to, too.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use verify::owner::{Identifier, Owners, Window};
use verify::tariff::Tariff;
use verify::{Record, Reference};

type Cells<'t> = HashMap<&'t str, &'t str>;

/// The number that every row's call is charged to, of customer `c`.
const SERVED: &str = "31600000001";

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn tariff(toml: &str, companions: &BTreeMap<String, String>) -> Rc<Tariff> {
    Rc::new(Tariff::read("a table's tariff", toml, companions).unwrap_or_else(|e| panic!("{e}")))
}

/// A tariff's file with every CSV file of its folder beside it: which of them are its own is for the crate to find.
fn in_folder(file: &Path) -> Rc<Tariff> {
    let mut companions = BTreeMap::new();
    for entry in fs::read_dir(file.parent().expect("a file in a folder")).expect("a folder") {
        let path = entry.expect("a readable folder").path();
        if path.extension().is_some_and(|e| e == "csv") {
            companions.insert(path.file_name().expect("a file").to_string_lossy().into_owned(), text(&path));
        }
    }
    tariff(&text(file), &companions)
}

/// A tariff that stands in the table itself: its file, and behind each line `== NAME.csv` a table beside it.
fn inline(text: &str) -> Rc<Tariff> {
    let mut parts = text.split("\n== ");
    let toml = parts.next().unwrap_or_default();
    let companions = parts.map(|part| part.split_once('\n').unwrap_or((part, "")));
    tariff(toml, &companions.map(|(name, table)| (name.trim().to_owned(), table.to_owned())).collect())
}

/// Whose numbers they are: the served one of customer `c` on a plan, and the other one if a row says so.
fn owners(plan: Option<&str>, party: Option<&str>, to: &str) -> Owners {
    let served = plan.map(|plan| (SERVED, "c", plan));
    let other = party.map(|party| match party {
        "own_customer" => (to, "c", "another plan"),
        "own_network" => (to, "somebody else", "another plan"),
        other => panic!("{other} is no party that a row can name"),
    });
    let mut owners = Owners::default();
    for (place, (number, customer, plan)) in served.into_iter().chain(other).enumerate() {
        let number = number.parse().expect("only a number is somebody's");
        owners.numbers.entry((Identifier::Msisdn, number)).or_default().push(place);
        let name = |text: &str| text.to_owned();
        let (device, subscription) = (name("device"), name("subscription"));
        let (customer, plan) = (name(customer), name(plan));
        owners.windows.push(Window { from_us: i64::MIN, to_us: i64::MAX, device, subscription, customer, plan });
    }
    owners
}

#[test]
fn every_row_of_every_table_comes_to_what_is_written_beside_it() {
    let files = fs::read_dir(repository("tests/rating")).expect("the tables are in the repository");
    let mut files: Vec<PathBuf> = files.map(|entry| entry.expect("a readable folder").path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "tbl"));
    files.sort();
    let (mut rows, mut failures) = (0, String::new());
    for file in &files {
        rows += run(&file.file_name().expect("a file").to_string_lossy(), &text(file), &mut failures);
    }
    assert!(failures.is_empty(), "\n{failures}");
    assert!(files.len() >= 18 && rows >= 500, "{rows} rows in {} tables: some are missing", files.len());
}

/// Derives the rows of a table and gives their number.
fn run(file: &str, table: &str, failures: &mut String) -> usize {
    let (mut tariff, mut header, mut count): (Option<Rc<Tariff>>, Vec<&str>, usize) = (None, Vec::new(), 0);
    let mut lines = table.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        if let Some(name) = line.strip_prefix("tariff:") {
            tariff = Some(match name.trim() {
                "" => {
                    let here = lines.by_ref().map(|(line, _)| line).take_while(|line| *line != "---");
                    inline(&here.collect::<Vec<_>>().join("\n"))
                }
                path => in_folder(&repository(path)),
            });
            continue;
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if line.starts_with('#') || cells.len() == 1 {
            continue;
        }
        if header.is_empty() {
            header = cells;
            continue;
        }
        let cells: Cells<'_> = header.iter().copied().zip(cells).filter(|(_, cell)| !matches!(*cell, "" | "-")).collect();
        let tariff = tariff.as_ref().unwrap_or_else(|| panic!("{file} line {number}: no tariff before the row"));
        count += 1;
        for difference in differences(tariff, &cells, &header) {
            writeln!(failures, "{file} line {number}: {difference}\n    {line}").expect("a string takes all");
        }
    }
    count
}

fn differences(tariff: &Rc<Tariff>, cells: &Cells<'_>, header: &[&str]) -> Vec<String> {
    let cell = |name: &str| cells.get(name).copied();
    let (to, to_type) = number(cell("to").unwrap_or_default());
    let units: i64 = cell("units").map_or(0, |units| units.replace('_', "").parse().expect("whole units"));
    let (start_us, start_offset_s) = cell("start").map_or((1_791_970_000_000_000, 7_200), start);
    let kind = cell("kind").unwrap_or("voice-mo");
    let of = |family: &str| if kind.starts_with(family) { units } else { 0 };
    let record = Record {
        kind,
        start_us,
        start_offset_s,
        duration_s: of("voice"),
        bytes_down: of("data"),
        messages: of("sms") + of("mms"),
        a_number: SERVED,
        b_number: &to,
        b_number_type: to_type,
        network: cell("network").unwrap_or_default(),
        provider_class: cell("class").unwrap_or_default(),
        cost_nano: cell("cost").map(nano),
        cost_currency: cell("currency").unwrap_or("EUR"),
        ..Record::default()
    };
    // Without a plan the row is nobody's: no window is there to say whose it was.
    let owners = owners(cell("plan"), cell("party"), &to);
    let reference = Reference { owners, tariffs: vec![Rc::clone(tariff)] };
    let priced = reference.derive(&record).unwrap_or_else(|e| panic!("{e}")).priced;
    let charge = match &priced.charge {
        Ok(charge) => charge.nano.to_string(),
        Err(reason) => (*reason).to_owned(),
    };
    let expected = cells["charge"];
    let is_amount = expected.bytes().all(|c| c.is_ascii_digit() || matches!(c, b'.' | b'-'));
    let expected = if is_amount { nano(expected).to_string() } else { expected.to_owned() };
    let billed = priced.charge.as_ref().map_or(0, |charge| charge.billed).to_string();
    let found = [
        ("charge", charge, Some(expected)),
        ("zone", priced.zone.unwrap_or("-").to_owned(), cell("zone").map(str::to_owned)),
        ("band", priced.band.unwrap_or("-").to_owned(), cell("band").map(str::to_owned)),
        // Nobody's number is another network's, if the tariff asks at all; what is in suspense has no class.
        ("party", priced.party.unwrap_or("-").to_owned(), priced.party.map(|_| cell("party").unwrap_or("other").to_owned())),
        ("tax", priced.tax_class.unwrap_or("-").to_owned(), Some(cell("tax").unwrap_or("-").to_owned())),
        ("billed", billed, cell("billed").map(|billed| billed.replace('_', ""))),
    ];
    let expects = found.into_iter().filter(|(name, ..)| header.contains(name));
    let differs = expects.filter_map(|(name, found, expected)| Some((name, found, expected?)));
    differs.filter(|(_, found, expected)| found != expected).map(|(n, found, e)| format!("{n} is {found}, not {e}")).collect()
}

/// `+31 6 12345678` is international, `112` a short code, `*` a masked number, anything else a word.
fn number(text: &str) -> (String, &'static str) {
    let digits: String = text.chars().filter(|c| !matches!(c, '+' | ' ')).collect();
    match text {
        "" => (digits, "absent"),
        "*" => (digits, "masked"),
        _ if !digits.bytes().all(|c| c.is_ascii_digit()) => (text.to_owned(), "alphanumeric"),
        _ if text.starts_with('+') => (digits, "e164"),
        _ => (digits, "short_code"),
    }
}

/// The instant and the offset of a local time of Amsterdam, which says its offset where the clocks change.
fn start(text: &str) -> (i64, i32) {
    let local: DateTime = text[..19].replace(' ', "T").parse().expect("a local time");
    let zoned = local.to_zoned(TimeZone::get("Europe/Amsterdam").expect("a zone")).expect("an instant");
    let offset_s = match text[19..].trim() {
        "" => zoned.offset().seconds(),
        "+01:00" => 3_600,
        "+02:00" => 7_200,
        other => panic!("{other} is no offset of Amsterdam"),
    };
    let shift_s = zoned.offset().seconds() - offset_s;
    (zoned.timestamp().as_microsecond() + i64::from(shift_s) * 1_000_000, offset_s)
}

/// Units of 10⁻⁹ of a decimal.
fn nano(text: &str) -> i128 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let size: i128 = format!("{}{part:0<9}", whole.trim_start_matches('-')).parse().expect("a decimal of at most nine places");
    if text.starts_with('-') { -size } else { size }
}
