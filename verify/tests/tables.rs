//! Runs tests/rating/*.tbl: what a clerk wrote beside each row is what exact fractions come to, too.
//!
//! A line `customer: DAY` begins a customer whose cycles begin on that day of the month, `line: NAME PLAN FROM TO GROUP` says when one of
//! its lines had a plan, and in which group it was then, if in one. The rows below are the customer's: they are settled together. The column
//! `session` names the session of a row.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use verify::derive::Priced;
use verify::owner::{Customer, Identifier, Owners, Window};
use verify::tariff::Tariff;
use verify::{Entry, Record, Reference, Stood};

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

/// When a line of a customer, who is `c` if it is a row's own, had a plan, in no group.
fn window(hours: (i64, i64), line: &str, customer: &str, plan: &str) -> Window {
    let name = |text: &str| text.to_owned();
    let (from_us, to_us) = hours;
    let (subscription, customer, plan) = (name(line), name(customer), name(plan));
    Window { from_us, to_us, device: name("device"), subscription, customer, plan, group: None }
}

/// Makes a window that of a number.
fn give(owners: &mut Owners, number: &str, window: Window) {
    let number = number.parse().expect("only a number is somebody's");
    owners.numbers.entry((Identifier::Msisdn, number)).or_default().push(owners.windows.len());
    owners.windows.push(window);
}

/// Makes the number that a row calls that of whom it says, in the group of the row's own line if that is said.
fn give_party(owners: &mut Owners, row: &Row<'_>, hours: (i64, i64), group: Option<&str>) {
    let own_group = || Some(group.unwrap_or_else(|| panic!("line {}: its line is in no group", row.number)).to_owned());
    let (customer, group) = match row.cell("party") {
        None => return,
        Some("own_customer") => ("c", None),
        Some("own_network") => ("somebody else", None),
        Some("group") => ("somebody else", own_group()),
        Some("group_customer") => ("c", own_group()),
        Some(other) => panic!("{other} is no party that a row can name"),
    };
    give(owners, &row.to, Window { group, ..window(hours, "another line", customer, "another plan") });
}

#[test]
fn every_row_of_every_table_comes_to_what_is_written_beside_it() {
    let files = fs::read_dir(repository("tests/rating")).expect("the tables are in the repository");
    let mut files: Vec<PathBuf> = files.map(|entry| entry.expect("a readable folder").path()).collect();
    // Lines of cycles are for the test of lines.
    let is_of_lines = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("lines-"));
    files.retain(|path| path.extension().is_some_and(|e| e == "tbl") && !is_of_lines(path));
    files.sort();
    let (mut rows, mut failures) = (0, String::new());
    for file in &files {
        let (count, wrong) = Table::run(&file.file_name().expect("a file").to_string_lossy(), &text(file));
        rows += count;
        failures += &wrong;
    }
    assert!(failures.is_empty(), "\n{failures}");
    assert!(files.len() >= 18 && rows >= 500, "{rows} rows in {} tables: some are missing", files.len());
}

/// A row of a table.
struct Row<'t> {
    number: i64,
    line: &'t str,
    cells: Cells<'t>,
    /// The number that is called, and of which type it is.
    to: String,
    to_type: &'static str,
}

impl<'t> Row<'t> {
    fn new(number: i64, line: &'t str, cells: Cells<'t>) -> Self {
        let (to, to_type) = self::number(cells.get("to").copied().unwrap_or_default());
        Self { number, line, cells, to, to_type }
    }

    fn cell(&self, name: &str) -> Option<&'t str> {
        self.cells.get(name).copied()
    }

    /// The record that the row tells of.
    fn record<'r>(&'r self, a_number: &'r str) -> Record<'r> {
        let units: i64 = self.cell("units").map_or(0, |units| units.replace('_', "").parse().expect("whole units"));
        let (start_us, start_offset_s) = self.cell("start").map_or((1_791_970_000_000_000, 7_200), start);
        let kind = self.cell("kind").unwrap_or("voice-mo");
        let of = |family: &str| if kind.starts_with(family) { units } else { 0 };
        Record {
            kind,
            start_us,
            start_offset_s,
            duration_s: of("voice"),
            bytes_down: of("data"),
            messages: of("sms") + of("mms"),
            a_number,
            b_number: &self.to,
            b_number_type: self.to_type,
            network: self.cell("network").unwrap_or_default(),
            provider_class: self.cell("class").unwrap_or_default(),
            cost_nano: self.cell("cost").map(nano),
            cost_currency: self.cell("currency").unwrap_or("EUR"),
            session: self.cell("session").unwrap_or_default(),
            ..Record::default()
        }
    }
}

impl<'t> Row<'t> {
    /// What the row was billed as in a cycle, if it says so: `blocked`, or the allowances, units, money, and the charge.
    fn stood<'r>(&self, billing_period: &'r str) -> Option<Stood<'r>>
    where
        't: 'r,
    {
        let stays = self.cell("stays")?;
        let (customer, subscription) = ("c", self.cell("line").expect("a row names its line"));
        let blocked = Stood { customer, subscription, billing_period, ..Stood::default() };
        let words: Vec<&str> = stays.split_whitespace().collect();
        let [allowance, units, money, charge] = words[..] else {
            assert_eq!(stays, "blocked", "line {}: that is nothing that it stays as", self.number);
            return Some(blocked);
        };
        let amount = |text: &str| if text == "-" { 0 } else { nano(text) };
        Some(Stood {
            is_priced: true,
            allowance: if allowance == "-" { "" } else { allowance },
            units: if units == "-" { 0 } else { units.parse().expect("whole units") },
            money_nano: amount(money),
            charge_nano: amount(charge),
            ..blocked
        })
    }
}

/// When a line had a plan, and in which group.
struct Line<'t> {
    name: &'t str,
    plan: &'t str,
    hours: (i64, i64),
    group: Option<&'t str>,
}

/// A customer, and the rows that are settled together.
struct Block<'t> {
    cycle_day: u8,
    windows: Vec<Line<'t>>,
    rows: Vec<Row<'t>>,
}

impl<'t> Block<'t> {
    fn line(&mut self, text: &'t str) {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (words, group) = words.split_at(words.len().min(4));
        let ([name, plan, from, to], [] | [_]) = (words, group) else { panic!("`{text}` is not NAME PLAN FROM TO GROUP") };
        let to_us = if *to == "-" { i64::MAX } else { midnight_or_time(to) };
        self.windows.push(Line {
            name,
            plan,
            hours: (midnight_or_time(from), to_us),
            group: group.first().copied().filter(|group| *group != "-"),
        });
    }

    /// The number of a line: each has its own.
    fn number(&self, line: &str) -> String {
        let place = self.windows.iter().position(|window| window.name == line);
        (31_600_000_001 + place.unwrap_or_else(|| panic!("there is no line `{line}`"))).to_string()
    }

    /// The customer's lines, and for the instant of each row the number that it calls, if the row says whose it is.
    fn owners(&self) -> Owners {
        let mut owners = Owners::default();
        let customer = Customer::new("main/c".to_owned(), self.cycle_day, "Europe/Amsterdam").expect("a zone");
        owners.customers.insert("c".to_owned(), customer);
        for Line { name, plan, hours, group } in &self.windows {
            let group = group.map(str::to_owned);
            give(&mut owners, &self.number(name), Window { group, ..window(*hours, name, "c", plan) });
        }
        for row in &self.rows {
            let start_us = row.record("").start_us;
            let own = |line: &&Line<'_>| row.cell("line") == Some(line.name) && (line.hours.0..line.hours.1).contains(&start_us);
            let group = self.windows.iter().find(own).and_then(|line| line.group);
            give_party(&mut owners, row, (start_us, start_us + 1), group);
        }
        owners
    }

    /// Settles the rows in the order of the table, and in the opposite one with the same result.
    fn run(self, table: &mut Table<'_>) {
        let reference = Reference { owners: self.owners(), tariffs: vec![table.tariff()] };
        let number = |row: &Row<'_>| self.number(row.cell("line").expect("a row names its line"));
        let numbers: Vec<String> = self.rows.iter().map(number).collect();
        let of_row = |(row, number): (&Row<'_>, &String)| reference.derive(&row.record(number)).unwrap_or_else(|e| panic!("{e}"));
        let cycles: Vec<String> =
            self.rows.iter().zip(&numbers).map(|row| of_row(row).billing_period.unwrap_or_default()).collect();
        let mut entries: Vec<Entry<'_>> = Vec::with_capacity(self.rows.len());
        for ((row, number), cycle) in self.rows.iter().zip(&numbers).zip(&cycles) {
            let stood = row.stood(cycle);
            entries.push(Entry {
                epoch: if stood.is_some() { 1 } else { u64::MAX },
                stood,
                record: row.record(number),
                key: row.number.unsigned_abs().into(),
                delivery: "",
                row: row.number,
            });
        }
        let settled = reference.settle(&entries).unwrap_or_else(|e| panic!("{e}"));
        for (row, derived) in self.rows.iter().zip(&settled) {
            table.compare(&derived.priced, row);
        }
        entries.reverse();
        let mut opposite = reference.settle(&entries).unwrap_or_else(|e| panic!("{e}"));
        opposite.reverse();
        assert_eq!(opposite, settled, "{}: the order in which records are handed in does not count", table.file);
    }
}

/// A table as it is run, line by line.
#[derive(Default)]
struct Table<'t> {
    file: &'t str,
    tariff: Option<Rc<Tariff>>,
    customer: Option<Block<'t>>,
    header: Vec<&'t str>,
    count: usize,
    failures: String,
}

impl<'t> Table<'t> {
    /// Runs a table and gives the number of its rows, and what went wrong.
    fn run(file: &'t str, text: &'t str) -> (usize, String) {
        let mut table = Self { file, ..Self::default() };
        let mut lines = text.lines().zip(1..);
        while let Some((line, number)) = lines.next() {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            match line.split_once(':') {
                _ if line.starts_with('#') => {}
                Some(("tariff", name)) => {
                    table.end_customer();
                    let here = lines.by_ref().map(|(line, _)| line).take_while(|line| *line != "---");
                    table.tariff = Some(match name.trim() {
                        "" => inline(&here.collect::<Vec<_>>().join("\n")),
                        path => in_folder(&repository(path)),
                    });
                }
                Some(("customer", day)) => {
                    table.end_customer();
                    let cycle_day = day.trim().parse().expect("a day of the month");
                    table.customer = Some(Block { cycle_day, windows: Vec::new(), rows: Vec::new() });
                }
                Some(("line", window)) => table.customer.as_mut().expect("a line is a customer's").line(window),
                _ if cells.len() == 1 => {}
                _ if table.header.is_empty() => table.header = cells,
                _ => table.row(number, line, cells),
            }
        }
        table.end_customer();
        (table.count, table.failures)
    }

    fn tariff(&self) -> Rc<Tariff> {
        Rc::clone(self.tariff.as_ref().unwrap_or_else(|| panic!("{}: a row without a tariff before it", self.file)))
    }

    fn end_customer(&mut self) {
        if let Some(customer) = self.customer.take() {
            customer.run(self);
        }
    }

    fn row(&mut self, number: i64, line: &'t str, cells: Vec<&'t str>) {
        self.count += 1;
        let cells = self.header.iter().copied().zip(cells).filter(|(_, cell)| !matches!(*cell, "" | "-"));
        let row = Row::new(number, line, cells.collect());
        if let Some(customer) = &mut self.customer {
            customer.rows.push(row);
            return;
        }
        let reference = of_row(self.tariff(), &row);
        let derived = reference.derive(&row.record(SERVED)).unwrap_or_else(|e| panic!("{e}"));
        self.compare(&derived.priced, &row);
    }

    /// Writes down where something else was derived than what stands in a row.
    fn compare(&mut self, priced: &Priced<'_>, row: &Row<'_>) {
        for difference in differences(priced, row, &self.header) {
            let Row { number, line, .. } = row;
            writeln!(self.failures, "{} line {number}: {difference}\n    {line}", self.file).expect("a string takes all");
        }
    }
}

/// The reference data of a row by itself. Without a plan it is nobody's: no window is there to say whose it was. Its line is in a group
/// if the other party is.
fn of_row(tariff: Rc<Tariff>, row: &Row<'_>) -> Reference {
    let (mut owners, always) = (Owners::default(), (i64::MIN, i64::MAX));
    let group = row.cell("party").filter(|party| party.starts_with("group"));
    if let Some(plan) = row.cell("plan") {
        give(&mut owners, SERVED, Window { group: group.map(str::to_owned), ..window(always, "line", "c", plan) });
    }
    give_party(&mut owners, row, always, group);
    Reference { owners, tariffs: vec![tariff] }
}

fn differences(priced: &Priced<'_>, row: &Row<'_>, header: &[&str]) -> Vec<String> {
    let charge = match &priced.charge {
        Ok(charge) => charge.nano.to_string(),
        Err(reason) => (*reason).to_owned(),
    };
    let amount = |text: &str| {
        let is_amount = text.bytes().all(|c| c.is_ascii_digit() || matches!(c, b'.' | b'-'));
        if is_amount { nano(text).to_string() } else { text.to_owned() }
    };
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let (cell, drawn) = (|name: &str| row.cell(name), priced.drawn.as_ref());
    let billed = priced.charge.as_ref().map_or(0, |charge| charge.billed).to_string();
    let drawn_units = drawn.and_then(|drawn| drawn.units).map(|units| units.to_string());
    let drawn_money = drawn.and_then(|drawn| drawn.money_nano).map(|money| money.to_string());
    let found = [
        ("charge", charge, Some(amount(row.cells["charge"]))),
        ("zone", priced.zone.unwrap_or("-").to_owned(), cell("zone").map(str::to_owned)),
        ("band", priced.band.unwrap_or("-").to_owned(), cell("band").map(str::to_owned)),
        // Nobody's number is another network's, if the tariff asks at all; what is in suspense has no class.
        ("party", priced.party.unwrap_or("-").to_owned(), priced.party.map(|_| cell("party").unwrap_or("other").to_owned())),
        ("tax", priced.tax_class.unwrap_or("-").to_owned(), Some(cell("tax").unwrap_or("-").to_owned())),
        ("billed", billed, cell("billed").map(|billed| billed.replace('_', ""))),
        ("allowance", drawn.map_or("-", |drawn| &drawn.allowance).to_owned(), Some(cell("allowance").unwrap_or("-").to_owned())),
        ("drawn", or_none(drawn_units), Some(or_none(cell("drawn").map(|units| units.replace('_', ""))))),
        ("money", or_none(drawn_money), Some(or_none(cell("money").map(amount)))),
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
        "+00:00" => 0,
        "+01:00" => 3_600,
        "+02:00" => 7_200,
        other => panic!("{other} is no offset that a row can name"),
    };
    let shift_s = zoned.offset().seconds() - offset_s;
    (zoned.timestamp().as_microsecond() + i64::from(shift_s) * 1_000_000, offset_s)
}

/// The instant of a local date's midnight, or of a local time.
fn midnight_or_time(text: &str) -> i64 {
    let local = text.parse().unwrap_or_else(|_| text.parse::<Date>().expect("a local date or time").at(0, 0, 0, 0));
    let zoned = local.to_zoned(TimeZone::get("Europe/Amsterdam").expect("a zone")).expect("an instant");
    zoned.timestamp().as_microsecond()
}

/// Units of 10⁻⁹ of a decimal.
fn nano(text: &str) -> i128 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let size: i128 = format!("{}{part:0<9}", whole.trim_start_matches('-')).parse().expect("a decimal of at most nine places");
    if text.starts_with('-') { -size } else { size }
}
