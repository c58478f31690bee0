//! Runs tests/rating/lines-*.tbl: closings of customers' cycles, and the lines of each, the sum by hand as a remark.
//!
//! A tariff stands between `tariff:` and `---`; one that begins with `also:` is in force beside it. `customer: DAY` (and `correct`, if late
//! usage goes to corrected invoices) begins a customer; `line: SUBSCRIPTION PLAN FROM TO` is a window of one of its lines, and
//! `usage: SUBSCRIPTION PLAN KIND ZONE BAND CHARGE UNITS CYCLE [TAX CLASS]` a record. `close: CYCLE` closes one; all of its lines follow, in
//! order. Columns are those of [`COLUMNS`]; `-` or nothing means "not given".

use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;

use domain::columns::linked::{Customer, NO_GROUP, Owner, Owners};
use domain::ids::Names;
use domain::money::Money;
use domain::period::{CycleDay, Month};
use domain::zone::Zone;

use crate::lines::{Case, LateUsage, Line, LineBook, Quantity, Usage, UsageKey, lines};
use crate::tariff::Tariff;
use crate::tariff::set::TariffSet;
use crate::tests::fixture::{inline, local, owners, repository};

const COLUMNS: [&str; 11] = ["kind", "line", "plan", "item", "cycle", "exact", "amount", "committed", "days", "tax", "remark"];

#[test]
fn every_table_of_lines_holds() {
    let is_ours = |name: &str| name.starts_with("lines-") && name.rsplit_once('.').is_some_and(|(_, end)| end == "tbl");
    let entries = std::fs::read_dir(repository("tests/rating")).expect("the tables are in the repository");
    let names = entries.map(|entry| entry.expect("a readable folder").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| is_ours(name)).collect();
    names.sort();
    assert!(!names.is_empty(), "there are tables of lines");
    let (mut rows, mut failures) = (0, String::new());
    for name in &names {
        let text = std::fs::read_to_string(repository("tests/rating").join(name)).expect("a readable table");
        rows += run(name, &text, &mut failures);
    }
    assert!(failures.is_empty(), "\n{failures}");
    assert!(rows >= 12, "only {rows} rows were found");
}

/// Checks the closings of a table and gives the number of rows; what differs is written to `failures`.
pub fn run(file: &str, text: &str, failures: &mut String) -> usize {
    let (mut tariffs, mut header, mut count): (Vec<String>, Vec<&str>, usize) = (Vec::new(), Vec::new(), 0);
    let mut case: Option<Closing<'_>> = None;
    let mut is_first = true;
    let mut all = text.lines().zip(1..);
    while let Some((line, number)) = all.next() {
        let (word, rest) = line.split_once(':').map_or((line, ""), |(word, rest)| (word, rest.trim()));
        match word {
            "tariff" | "also" => {
                finish(&mut case, file, failures);
                if word == "tariff" {
                    tariffs.clear();
                }
                let toml: Vec<&str> = all.by_ref().map(|(line, _)| line).take_while(|line| *line != "---").collect();
                tariffs.push(toml.join("\n"));
            }
            "customer" => {
                finish(&mut case, file, failures);
                case = Some(Closing::new(&tariffs, rest, &format!("{file} line {number}")));
            }
            "line" => case.as_mut().expect("a customer before its lines").add_line(rest),
            "usage" => case.as_mut().expect("a customer before its usage").add_usage(rest),
            "close" => {
                let closing = case.as_mut().expect("a customer before its closings");
                closing.compare(file, failures);
                closing.close(number, rest);
            }
            _ if line.starts_with('#') || !line.contains('|') => {}
            _ => {
                let cells: Vec<&str> = line.split('|').map(str::trim).collect();
                if is_first || cells[0] == "kind" {
                    assert!(cells.iter().all(|c| COLUMNS.contains(c)), "{file} line {number}: unknown column in {cells:?}");
                    (header, is_first) = (cells, false);
                    continue;
                }
                assert_eq!(cells.len(), header.len(), "{file} line {number}: as many cells as the header has: {line}");
                count += 1;
                let row = header.iter().copied().zip(cells).collect();
                case.as_mut().expect("a closing before its rows").rows.push((number, line, row));
            }
        }
    }
    finish(&mut case, file, failures);
    count
}

fn finish(case: &mut Option<Closing<'_>>, file: &str, failures: &mut String) {
    if let Some(mut case) = case.take() {
        case.compare(file, failures);
    }
}

/// Number and text of a line, and its cells by column.
type Row<'t> = (usize, &'t str, Vec<(&'t str, &'t str)>);

/// A customer, and what has been closed of it.
struct Closing<'t> {
    tariffs: Arc<TariffSet>,
    cycle_day: CycleDay,
    late: LateUsage,
    /// Subscription, plan, from and to.
    lines: Vec<(&'t str, &'t str, i64, i64)>,
    usage: Vec<Usage>,
    closed: BTreeSet<Month>,
    posted: Vec<Line>,
    /// The line on which the last closing stands, and what came out.
    last: Option<(usize, Vec<Line>)>,
    /// What it should be.
    rows: Vec<Row<'t>>,
}

impl<'t> Closing<'t> {
    fn new(tariffs: &[String], words: &str, place: &str) -> Self {
        let load = |toml: &String| Tariff::load(&inline(toml)).unwrap_or_else(|e| panic!("{place}: {e}"));
        let set = TariffSet::build(tariffs.iter().map(load).collect()).unwrap_or_else(|e| panic!("{place}: {e}"));
        let (day, late) = match words.split_whitespace().collect::<Vec<_>>()[..] {
            [day] | [day, "next"] => (day, LateUsage::Next),
            [day, "correct"] => (day, LateUsage::Correct),
            _ => panic!("{place}: `{words}` is no customer"),
        };
        let day: u8 = day.parse().expect("a day of the month");
        Self {
            tariffs: Arc::new(set),
            cycle_day: CycleDay::try_from(day).expect("1 to 31"),
            late,
            lines: Vec::new(),
            usage: Vec::new(),
            closed: BTreeSet::new(),
            posted: Vec::new(),
            last: None,
            rows: Vec::new(),
        }
    }

    fn add_line(&mut self, text: &'t str) {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [name, plan, from, to] = words[..] else { panic!("`{text}` is no line of a customer") };
        let amsterdam = Zone::load("Europe/Amsterdam").expect("bundled");
        let instant = |text: &str, open| match text {
            "-" => open,
            date if date.len() == 10 => local(&format!("{date}T00:00:00"), &amsterdam).expect("a date").0,
            time => local(time, &amsterdam).expect("a time").0,
        };
        self.lines.push((name, plan, instant(from, i64::MIN), instant(to, i64::MAX)));
    }

    fn add_usage(&mut self, text: &str) {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [subscription, plan, kind, zone, band, charge, units, cycle, ref class @ ..] = words[..] else {
            panic!("`{text}` is no usage")
        };
        let tariff = &self.tariffs.tariffs()[0];
        let key = UsageKey {
            subscription: subscription.into(),
            plan: plan.into(),
            kind: kind.into(),
            zone: zone.into(),
            band: band.into(),
            currency: tariff.currency(),
            tax_class: class.first().map(|class| (*class).into()),
            tax: if tariff.tax_is_included { "included" } else { "excluded" }.into(),
        };
        let billed_units = units.replace('_', "").parse().expect("a number of units");
        self.usage.push(Usage {
            key,
            period: Month::parse(cycle).expect("a cycle"),
            quantity: Quantity { count: 1, billed_units, ..Quantity::default() },
            charge: Money::parse(charge).expect("an amount"),
        });
    }

    fn owners(&self) -> Arc<Owners> {
        let (plans, subscriptions) = (Names::new(self.lines.iter().map(|l| l.1)), Names::new(self.lines.iter().map(|l| l.0)));
        let window = |(name, plan, from_us, to_us): &(&str, &str, i64, i64)| Owner {
            from_us: *from_us,
            to_us: *to_us,
            device: 0,
            subscription: subscriptions.code(name).expect("it is in the list"),
            customer: 0,
            plan: plans.code(plan).expect("it is in the list"),
            group: NO_GROUP,
        };
        let windows = self.lines.iter().map(window).collect();
        let customers = vec![Customer { owner_path: "operator/customer".into(), cycle_day: self.cycle_day, zone: 0 }];
        Arc::new(Owners { windows, subscriptions, plans, customers, ..(*owners(&["any"], 1)).clone() })
    }

    /// Closes a cycle by what is known up to here.
    fn close(&mut self, number: usize, cycle: &str) {
        let cycle = Month::parse(cycle).expect("a cycle such as 2026-10");
        let bound = self.tariffs.bind(&self.owners());
        let book = LineBook::of(&bound);
        let made = |usage: &[Usage], posted: &[Line]| {
            let (closed, late) = (&self.closed, self.late);
            lines(&Case { customer: "customer", cycle, closed, usage, posted, late }, &book).unwrap_or_else(|e| panic!("{e}"))
        };
        let all = made(&self.usage, &self.posted);
        let backwards: (Vec<_>, Vec<_>) =
            (self.usage.iter().rev().cloned().collect(), self.posted.iter().rev().cloned().collect());
        assert_eq!(made(&backwards.0, &backwards.1), all, "the order of what comes in does not matter");
        self.posted.extend(all.iter().cloned());
        self.closed.insert(cycle);
        assert!(self.rows.is_empty(), "line {number}: rows stand behind their closing");
        self.last = Some((number, all));
    }

    /// Holds the last closing against its rows.
    fn compare(&mut self, file: &str, failures: &mut String) {
        let Some((closing, made)) = self.last.take() else { return };
        let rows = std::mem::take(&mut self.rows);
        for (line, (number, text, cells)) in made.iter().zip(&rows) {
            let differs = cells.iter().filter_map(|(column, cell)| difference(line, column, cell));
            for difference in differs.collect::<Vec<_>>() {
                writeln!(failures, "{file} line {number}: {difference}\n    {text}").expect("a string takes all");
            }
        }
        for line in made.iter().skip(rows.len()) {
            writeln!(failures, "{file} line {closing}: one more line: {}", text_of(line)).expect("a string takes all");
        }
        for (number, text, _) in rows.iter().skip(made.len()) {
            writeln!(failures, "{file} line {number}: there is no such line\n    {text}").expect("a string takes all");
        }
    }
}

/// What a cell of a line says.
fn cell_of(line: &Line, column: &str) -> String {
    let name = |name: &Option<Arc<str>>| name.as_deref().unwrap_or("-").to_owned();
    match column {
        "kind" => line.kind.as_str().to_owned(),
        "line" => name(&line.subscription),
        "plan" => name(&line.plan),
        "item" => {
            let usage: Vec<&str> = [&line.usage_kind, &line.zone, &line.band].into_iter().filter_map(|n| n.as_deref()).collect();
            if usage.is_empty() { name(&line.item) } else { usage.join(" ") }
        }
        "cycle" => line.period.to_string(),
        "exact" => line.exact.to_string(),
        "amount" => line.amount.to_string(),
        "committed" => line.committed.map_or("-".to_owned(), |money| money.to_string()),
        "days" => line.days.map_or("-".to_owned(), |(days, of)| format!("{days}/{of}")),
        "tax" => name(&line.tax_class),
        _ => String::new(),
    }
}

fn difference(line: &Line, column: &str, cell: &str) -> Option<String> {
    let actual = cell_of(line, column);
    let cell = if cell.is_empty() { "-" } else { cell };
    let is_same = match column {
        "remark" => true,
        "exact" | "amount" | "committed" => Money::parse(cell).map_or("-".to_owned(), |money| money.to_string()) == actual,
        _ => cell == actual,
    };
    (!is_same).then(|| format!("{column} is {actual}, not {cell}"))
}

fn text_of(line: &Line) -> String {
    let cells = COLUMNS.iter().filter(|column| **column != "remark").map(|column| cell_of(line, column));
    format!("{} ({})", cells.collect::<Vec<_>>().join(" | "), line.says.as_deref().unwrap_or("-"))
}
