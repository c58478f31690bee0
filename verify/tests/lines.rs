//! Runs tests/rating/lines-*.tbl: the lines of each closing, in order, are those that a clerk wrote.
//!
//! `customer: DAY` begins a customer, with the word `correct` behind it if what comes late is on corrected invoices; `line: NAME PLAN FROM TO`
//! says when one of its lines had a plan; `usage: LINE PLAN KIND ZONE BAND CHARGE UNITS CYCLE TAX_CLASS` adds a record, and takes one away if
//! units are negative. The rows below `close: CYCLE` are all lines of that closing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use verify::Reference;
use verify::lines::{Book, Closing, Late, Line, Sums, Usage};
use verify::owner::{Customer, Owners, Window};
use verify::tariff::Tariff;

#[test]
fn every_line_of_every_closing_is_the_one_that_is_written_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/rating");
    let files = fs::read_dir(folder).expect("the tables are in the repository");
    let is_of_lines = |path: &PathBuf| {
        let begins = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("lines-"));
        begins && path.extension().is_some_and(|e| e == "tbl")
    };
    let mut files: Vec<PathBuf> = files.map(|entry| entry.expect("a readable folder").path()).filter(is_of_lines).collect();
    files.sort();
    let (mut rows, mut failures) = (0, String::new());
    for file in &files {
        let text = fs::read_to_string(file).expect("a readable table");
        let (count, wrong) = Table::run(&file.file_name().expect("a file").to_string_lossy(), &text);
        rows += count;
        failures += &wrong;
    }
    assert!(failures.is_empty(), "\n{failures}");
    assert!(files.len() >= 4 && rows >= 350, "{rows} rows in {} tables: some are missing", files.len());
}

/// A customer, and what became of it so far.
struct Block {
    reference: Reference,
    late: Late,
    usage: Vec<Usage>,
    closed: BTreeSet<i32>,
    posted: Vec<Line>,
}

/// A table as it is run, line by line.
#[derive(Default)]
struct Table<'t> {
    file: &'t str,
    tariffs: Vec<Rc<Tariff>>,
    /// Currency and tax of the first tariff, which are those of what is used.
    currency: String,
    tax: String,
    block: Option<Block>,
    /// The lines of a closing whose rows are still to come.
    awaited: VecDeque<Line>,
    count: usize,
    failures: String,
}

impl<'t> Table<'t> {
    /// Runs a table and gives the number of its rows, and what went wrong.
    fn run(file: &'t str, text: &'t str) -> (usize, String) {
        let mut table = Self { file, ..Self::default() };
        let mut lines = text.lines().zip(1..);
        while let Some((line, number)) = lines.next() {
            match line.split_once(':') {
                _ if line.starts_with('#') || line.starts_with("kind ") => {}
                _ if line.contains('|') => table.row(number, line),
                Some((what @ ("tariff" | "also"), _)) => {
                    table.end_closing(number);
                    let toml: Vec<&str> = lines.by_ref().map(|(line, _)| line).take_while(|line| *line != "---").collect();
                    table.tariff(what == "tariff", &toml.join("\n"));
                }
                Some(("customer", words)) => {
                    table.end_closing(number);
                    table.customer(words);
                }
                Some(("line", words)) => table.line(words),
                Some(("usage", words)) => {
                    table.end_closing(number);
                    table.usage(words);
                }
                Some(("close", cycle)) => {
                    table.end_closing(number);
                    table.close(month(cycle.trim()));
                }
                _ => {}
            }
        }
        table.end_closing(0);
        (table.count, table.failures)
    }

    fn tariff(&mut self, is_first: bool, toml: &str) {
        let tariff = Tariff::read("a table's tariff", toml, &BTreeMap::new()).unwrap_or_else(|e| panic!("{}: {e}", self.file));
        if is_first {
            self.tariffs.clear();
            let head: toml::Table = toml.parse().expect("a tariff");
            let word = |name: &str| head.get(name).and_then(|word| word.as_str()).map(str::to_owned);
            self.currency = word("currency").expect("a currency");
            self.tax = word("tax").unwrap_or_else(|| "excluded".to_owned());
        }
        self.tariffs.push(Rc::new(tariff));
    }

    fn customer(&mut self, words: &str) {
        let mut words = words.split_whitespace();
        let day = words.next().and_then(|day| day.parse().ok()).expect("a day of the month");
        let late = match words.next() {
            None | Some("next") => Late::Next,
            Some("correct") => Late::Correct,
            Some(other) => panic!("{other} is no late rule"),
        };
        let mut owners = Owners::default();
        let customer = Customer::new("main/c".to_owned(), day, "Europe/Amsterdam").expect("a zone");
        owners.customers.insert("c".to_owned(), customer);
        let reference = Reference { owners, tariffs: self.tariffs.clone() };
        self.block = Some(Block { reference, late, usage: Vec::new(), closed: BTreeSet::new(), posted: Vec::new() });
    }

    fn block(&mut self) -> &mut Block {
        self.block.as_mut().expect("a customer before its lines")
    }

    fn line(&mut self, words: &str) {
        let words: Vec<&str> = words.split_whitespace().collect();
        let [subscription, plan, from, to] = words[..] else { panic!("`{words:?}` is not NAME PLAN FROM TO") };
        let text = |text: &str| text.to_owned();
        let to_us = if to == "-" { i64::MAX } else { midnight(to) };
        self.block().reference.owners.windows.push(Window {
            from_us: midnight(from),
            to_us,
            device: text("device"),
            subscription: text(subscription),
            customer: text("c"),
            plan: text(plan),
            group: None,
        });
    }

    fn usage(&mut self, words: &str) {
        let words: Vec<&str> = words.split_whitespace().collect();
        let (of, tax_class) = words.split_at(words.len().min(8));
        let [subscription, plan, kind, zone, band, charge, units, cycle] = of[..] else {
            panic!("`{words:?}` is not LINE PLAN KIND ZONE BAND CHARGE UNITS CYCLE")
        };
        let billed: i128 = units.parse().expect("whole units");
        let sums = Sums { records: if billed < 0 { -1 } else { 1 }, billed, exact_nano: nano(charge), ..Sums::default() };
        let text = |text: &str| text.to_owned();
        let (currency, tax) = (self.currency.clone(), self.tax.clone());
        self.block().usage.push(Usage {
            cycle: month(cycle),
            subscription: text(subscription),
            plan: text(plan),
            kind: text(kind),
            zone: text(zone),
            band: text(band),
            currency,
            tax_class: tax_class.first().filter(|class| **class != "-").map(|class| text(class)),
            tax,
            sums,
        });
    }

    fn close(&mut self, cycle: i32) {
        let block = self.block();
        let closing =
            Closing { customer: "c", cycle, closed: &block.closed, late: block.late, usage: &block.usage, posted: &block.posted };
        let lines = Book::of(&block.reference).lines(&closing).unwrap_or_else(|e| panic!("{e}"));
        block.closed.insert(cycle);
        block.posted.extend(lines.iter().cloned());
        self.awaited = lines.into();
    }

    /// No line of a closing goes without a row.
    fn end_closing(&mut self, number: i32) {
        for line in std::mem::take(&mut self.awaited) {
            writeln!(self.failures, "{} before line {number}: no row says {}", self.file, cells(&line).join(" | "))
                .expect("a string");
        }
    }

    fn row(&mut self, number: i32, row: &str) {
        self.count += 1;
        let mut expected: Vec<String> = row.split('|').map(|cell| cell.trim().to_owned()).collect();
        assert_eq!(expected.len(), 8, "{} line {number}: as many cells as the header has: {row}", self.file);
        for amount in &mut expected[5..7] {
            *amount = nano(amount).to_string();
        }
        for name in expected[..5].iter_mut().filter(|name| name.is_empty()) {
            "-".clone_into(name);
        }
        let found = self.awaited.pop_front().map(|line| cells(&line));
        if found.as_deref() != Some(&expected[..7]) {
            let found = found.map_or_else(|| "there is no line".to_owned(), |cells| cells.join(" | "));
            writeln!(self.failures, "{} line {number}: {found}\n    {row}", self.file).expect("a string takes all");
        }
    }
}

/// What rows say of a line, amounts in units of 10⁻⁹.
fn cells(line: &Line) -> Vec<String> {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let used = line.usage_kind.as_ref().map(|kind| {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        format!("{kind} {} {}", part(&line.zone), part(&line.band))
    });
    vec![
        line.kind.as_str().to_owned(),
        or_none(line.subscription.clone()),
        or_none(line.plan.clone()),
        or_none(line.item.clone().or(used)),
        format!("{:04}-{:02}", line.cycle.div_euclid(12), line.cycle.rem_euclid(12) + 1),
        line.exact_nano.to_string(),
        line.amount_nano.to_string(),
    ]
}

/// `2026-10`, in months since the year 0.
fn month(text: &str) -> i32 {
    let (year, month) = text.split_once('-').expect("a cycle");
    year.parse::<i32>().expect("a year") * 12 + month.parse::<i32>().expect("a month") - 1
}

/// The instant of a local date's midnight.
fn midnight(text: &str) -> i64 {
    let date: Date = text.parse().expect("a local date");
    date.to_zoned(TimeZone::get("Europe/Amsterdam").expect("a zone")).expect("an instant").timestamp().as_microsecond()
}

/// Units of 10⁻⁹ of a decimal.
fn nano(text: &str) -> i128 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let size: i128 = format!("{}{part:0<9}", whole.trim_start_matches('-')).parse().expect("a decimal of at most nine places");
    if text.starts_with('-') { -size } else { size }
}
