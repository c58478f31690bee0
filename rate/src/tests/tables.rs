//! Runs tests/rating/*.tbl: one row per record, the expected outcome beside it, the sum by hand as a remark.
//!
//! A table says which tariff holds for the rows below: `tariff: FILE` (from the repository's root) or a tariff between
//! `tariff:` and `---`. A line `clauses:` says which clauses of the model the rows below show (docs/rating-map.md). The first line
//! with `|` names the columns; `-` or nothing means "not given". Tables beside a tariff that stands in the file follow its text, each
//! after a line `== NAME.csv`. Starts are local times of Europe/Amsterdam, with an offset where
//! the clock change makes them ambiguous.
//!
//! Behind `customer: DAY` stand records of one customer whose cycles begin on that day; its lines stand in
//! `line: SUBSCRIPTION PLAN FROM TO`, and the rows up to the next customer or tariff draw from allowances together.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use domain::closed::{Beside, Stands};
use domain::columns::linked::{Customer, LinkedBatch, NO_GROUP, NO_OWNER, Owner, Owners, Party};
use domain::columns::parsed::NO_COST;
use domain::columns::rated::{Drawn, RatedBatch};
use domain::delivery::FileContext;
use domain::ids::Names;
use domain::money::{Currency, Money};
use domain::number::{Network, Number, NumberKind};
use domain::outcome::Reason;
use domain::period::CycleDay;
use domain::usage::{Usage, UsageKind};
use domain::zone::Zone;

use crate::price::{price, price_settled};
use crate::settle::{Demand, Draws, demands, settle};
use crate::tariff::TariffSource;
use crate::tariff::network::NetworkKey;
use crate::tariff::set::TariffSet;
use crate::tests::fixture::{Row, batch, linked, local, owners, read, repository, set_of, with_tables};

const COLUMNS: [&str; 22] = [
    "plan",
    "kind",
    "to",
    "start",
    "units",
    "network",
    "class",
    "cost",
    "currency",
    "party",
    "zone",
    "band",
    "billed",
    "charge",
    "tax",
    "remark",
    "line",
    "allowance",
    "drawn",
    "session",
    "money",
    "stays",
];

type Cells<'t> = HashMap<&'t str, &'t str>;

#[test]
fn every_table_holds() {
    let mut files: Vec<_> = std::fs::read_dir(repository("tests/rating"))
        .expect("the tables are in the repository")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|e| e == "tbl"))
        // Those of a cycle's lines have a harness of their own.
        .filter(|path| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("lines-")))
        .collect();
    files.sort();
    assert!(files.len() >= 7, "tables are missing: {files:?}");
    let (mut rows, mut failures) = (0, String::new());
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a readable table");
        rows += run(&file.file_name().expect("a file").to_string_lossy(), &text, &mut failures);
    }
    assert!(failures.is_empty(), "\n{failures}");
    assert!(rows >= 60, "only {rows} rows were found");
}

/// Checks the rows of a table and gives their number; rows that differ are written to `failures`.
fn run(file: &str, text: &str, failures: &mut String) -> usize {
    let (mut tariffs, mut header, mut count): (Option<Arc<TariffSet>>, Vec<&str>, usize) = (None, Vec::new(), 0);
    let mut months: Vec<Month<'_>> = Vec::new();
    let mut lines = text.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        if let Some(name) = line.strip_prefix("tariff:") {
            tariffs = Some(set_of(&match name.trim() {
                "" => with_inline_tables(lines.by_ref().map(|(line, _)| line).take_while(|line| *line != "---")),
                path => read(&repository(path)),
            }));
            continue;
        }
        if let Some(day) = line.strip_prefix("customer:") {
            months.push(Month::new(tariffs.as_ref().expect("a tariff before the customer"), day.trim()));
            continue;
        }
        if let Some(window) = line.strip_prefix("line:") {
            months.last_mut().expect("a customer before its lines").add_line(window);
            continue;
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if line.starts_with('#') || cells.len() == 1 {
            continue;
        }
        if header.is_empty() {
            assert!(cells.iter().all(|c| COLUMNS.contains(c)), "{file} line {number}: unknown column in {cells:?}");
            header = cells;
            continue;
        }
        assert_eq!(cells.len(), header.len(), "{file} line {number}: as many cells as the header has: {line}");
        let cells: Cells<'_> = header.iter().copied().zip(cells).filter(|(_, cell)| !matches!(*cell, "" | "-")).collect();
        let tariffs = tariffs.as_ref().unwrap_or_else(|| panic!("{file} line {number}: no tariff before the row"));
        count += 1;
        if cells.contains_key("line") {
            let month = months.last_mut().expect("a customer before its records");
            assert!(Arc::ptr_eq(&month.tariffs, tariffs), "{file} line {number}: a customer of the tariff before the row");
            month.rows.push((number, line, cells));
            continue;
        }
        for difference in differences(tariffs, &cells, &header, &format!("{file} line {number}")) {
            writeln!(failures, "{file} line {number}: {difference}\n    {line}").expect("a string takes all");
        }
    }
    for (number, line, difference) in months.iter().flat_map(Month::differences) {
        writeln!(failures, "{file} line {number}: {difference}\n    {line}").expect("a string takes all");
    }
    count
}

/// Prices the row of a table and says where the result is not the expected one.
fn differences(tariffs: &Arc<TariffSet>, cells: &Cells<'_>, header: &[&str], place: &str) -> Vec<String> {
    let row = parse(cells).unwrap_or_else(|what| panic!("{place}: `{what}` cannot be read"));
    let owners: Arc<Owners> = owners(&[cells.get("plan").copied().unwrap_or("nobody's")], 1);
    let owner = if cells.contains_key("plan") { 0 } else { NO_OWNER };
    let classes: Vec<&str> = cells.get("class").copied().into_iter().collect();
    let mut batch = batch(vec![row], &classes);
    if let Some(currency) = cells.get("currency") {
        let file = FileContext { cost_currency: Currency::parse(currency).expect("a currency"), ..(*batch.file).clone() };
        batch.file = Arc::new(file);
    }
    let mut linked = linked(batch, &owners, vec![owner]);
    // As the link stage finds it: numbers of ours are international ones.
    let party = cells.get("party").map_or(Party::Other, |party| Party::parse(party).expect("a party"));
    let is_number = linked.parsed.columns.b_number[0].as_e164().is_some();
    linked.party = vec![if is_number { party } else { Party::Unasked } as u8];
    let rated = price(linked, &tariffs.bind(&owners));
    compare(&rated, 0, cells, header.contains(&"tax"), place)
}

/// Where a row comes out otherwise than expected.
fn compare(rated: &RatedBatch, i: usize, cells: &Cells<'_>, says_tax: bool, place: &str) -> Vec<String> {
    let columns = &rated.columns;
    let outcome = match rated.reason(i) {
        Some(reason) => reason.as_str().to_owned(),
        None => Money(i128::from(columns.charge_nano[i])).to_string(),
    };
    let expected = cells["charge"];
    let expected = Money::parse(expected).map_or(expected.to_owned(), |money| money.to_string());
    assert!(Money::parse(&expected).is_some() || Reason::parse(&expected).is_some(), "{place}: `{expected}` is no outcome");
    let label = |is_none: bool, name: &dyn Fn() -> String| if is_none { "-".to_owned() } else { name() };
    let zone = label(columns.zone[i] == u16::MAX, &|| rated.labels.zones.name(columns.zone[i].into()).to_owned());
    let band = label(columns.band[i] == u8::MAX, &|| rated.labels.bands.name(columns.band[i].into()).to_owned());
    let tax = rated.labels.taxes.get(usize::from(columns.tax[i])).and_then(|tax| tax.class.as_deref());
    let tax = tax.unwrap_or("-").to_owned();
    let mut found = vec![("charge", outcome, expected)];
    if says_tax {
        found.push(("tax", tax, cells.get("tax").map_or("-", |class| class).to_owned()));
    }
    for (column, actual) in [("zone", zone), ("band", band), ("billed", columns.billed[i].to_string())] {
        if let Some(expected) = cells.get(column) {
            found.push((column, actual, expected.replace('_', "")));
        }
    }
    let differs = found.into_iter().filter(|(_, actual, expected)| actual != expected);
    differs.map(|(column, actual, expected)| format!("{column} is {actual}, not {expected}")).collect()
}

/// A tariff's text, and the tables that follow it.
fn with_inline_tables<'t>(lines: impl Iterator<Item = &'t str>) -> TariffSource {
    let mut texts: Vec<(&str, Vec<&str>)> = vec![("", Vec::new())];
    for line in lines {
        match line.strip_prefix("== ") {
            Some(name) => texts.push((name.trim(), Vec::new())),
            None => texts.last_mut().expect("the tariff comes first").1.push(line),
        }
    }
    let texts: Vec<(&str, String)> = texts.into_iter().map(|(name, lines)| (name, lines.join("\n"))).collect();
    let tables: Vec<(&str, &str)> = texts[1..].iter().map(|(name, text)| (*name, text.as_str())).collect();
    with_tables("tariff.toml", &texts[0].1, &tables)
}

/// The records of one customer, which draw from allowances together.
struct Month<'t> {
    tariffs: Arc<TariffSet>,
    cycle_day: CycleDay,
    /// Subscription, plan, from and to, and the group that the line is in.
    lines: Vec<(&'t str, &'t str, i64, i64, Option<&'t str>)>,
    /// Number and text of the line, and its cells.
    rows: Vec<(usize, &'t str, Cells<'t>)>,
}

impl<'t> Month<'t> {
    fn new(tariffs: &Arc<TariffSet>, day: &str) -> Self {
        let day: u8 = day.parse().expect("a day of the month");
        let cycle_day = CycleDay::try_from(day).expect("1 to 31");
        Self { tariffs: Arc::clone(tariffs), cycle_day, lines: Vec::new(), rows: Vec::new() }
    }

    fn add_line(&mut self, text: &'t str) {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [name, plan, from, to, ref group @ ..] = words[..] else { panic!("`{text}` is no line of a customer") };
        let amsterdam = Zone::load("Europe/Amsterdam").expect("bundled");
        let instant = |text: &str, open| match text {
            "-" => open,
            date if date.len() == 10 => local(&format!("{date}T00:00:00"), &amsterdam).expect("a date").0,
            time => local(time, &amsterdam).expect("a time").0,
        };
        self.lines.push((name, plan, instant(from, i64::MIN), instant(to, i64::MAX), group.first().copied()));
    }

    fn owners(&self) -> Arc<Owners> {
        let (plans, subscriptions) = (Names::new(self.lines.iter().map(|l| l.1)), Names::new(self.lines.iter().map(|l| l.0)));
        let groups = Names::new(self.lines.iter().filter_map(|l| l.4));
        let window = |(name, plan, from_us, to_us, group): &(&str, &str, i64, i64, Option<&str>)| Owner {
            from_us: *from_us,
            to_us: *to_us,
            device: 0,
            subscription: subscriptions.code(name).expect("it is in the list"),
            customer: 0,
            plan: plans.code(plan).expect("it is in the list"),
            group: group.and_then(|group| groups.code(group)).unwrap_or(NO_GROUP),
        };
        let windows = self.lines.iter().map(window).collect();
        let customers = vec![Customer { owner_path: "operator/customer".into(), cycle_day: self.cycle_day, zone: 0 }];
        Arc::new(Owners { windows, subscriptions, plans, customers, ..(*owners(&["any"], 1)).clone() })
    }

    /// Rates the records, lets them draw, and says which do not come out as they should; the same whatever their order.
    fn differences(&self) -> Vec<(usize, &'t str, String)> {
        let owners = self.owners();
        let tariffs = self.tariffs.bind(&owners);
        let rated = |draws: &Draws| -> Vec<RatedBatch> {
            self.rows.iter().map(|row| price_settled(Self::linked(row, &owners), &tariffs, draws)).collect()
        };
        let alone = rated(&Draws::default());
        let together = || {
            let rows = self.rows.iter().zip(&alone);
            rows.flat_map(|((_, _, cells), batch)| demands(batch, &[beside(cells, batch)], &tariffs))
        };
        let draws = settle(together().collect(), &tariffs);
        let mut backwards: Vec<Demand> = together().collect();
        backwards.reverse();
        let settled = rated(&draws);
        assert_eq!(columns(&settled), columns(&rated(&settle(backwards, &tariffs))), "the order of the records does not matter");
        let mut all = Vec::new();
        for ((number, line, cells), rated) in self.rows.iter().zip(&settled) {
            let mut found = compare(rated, 0, cells, false, line);
            let drawn = rated.drawn(0);
            let name = drawn.map_or("-".to_owned(), |drawn| rated.allowances[usize::from(drawn.allowance)].to_string());
            let units = drawn.filter(|drawn| drawn.units != 0).map_or("-".to_owned(), |drawn| drawn.units.to_string());
            let money = drawn.filter(|drawn| drawn.nano != 0).map(|drawn| Money(drawn.nano.into()).to_string());
            let expected_money = cells.get("money").map(|money| Money::parse(money).expect("an amount").to_string());
            let cell = |name: &str| cells.get(name).map_or("-".to_owned(), |cell| cell.replace('_', ""));
            let allowance = cells.get("allowance").map_or("-", |name| name).to_owned();
            let pairs = [("allowance", name, allowance), ("drawn", units, cell("drawn"))];
            let money = ("money", money.unwrap_or("-".to_owned()), expected_money.unwrap_or("-".to_owned()));
            let pairs = pairs.into_iter().chain([money]).filter(|(_, actual, expected)| actual != expected);
            found.extend(pairs.map(|(column, actual, expected)| format!("{column} is {actual}, not {expected}")));
            all.extend(found.into_iter().map(|difference| (*number, *line, difference)));
        }
        all
    }

    fn linked((number, line, cells): &(usize, &'t str, Cells<'t>), owners: &Arc<Owners>) -> LinkedBatch {
        let row = parse(cells).unwrap_or_else(|what| panic!("{line}: `{what}` cannot be read"));
        let subscription = owners.subscriptions.code(cells["line"]).unwrap_or_else(|| panic!("{line}: no such line"));
        let holds = |o: &Owner| o.subscription == subscription && o.from_us <= row.start_us && row.start_us < o.to_us;
        let owner = owners.windows.iter().position(holds).and_then(|at| u32::try_from(at).ok()).unwrap_or(NO_OWNER);
        let classes: Vec<&str> = cells.get("class").copied().into_iter().collect();
        let mut batch = batch(vec![row], &classes);
        if let Some(session) = cells.get("session") {
            batch.columns.session_id.push(session);
        }
        (batch.columns.row, batch.columns.key) = (vec![*number as u64], vec![*number as u128]);
        let party = cells.get("party").map_or(Party::Other, |party| Party::parse(party).expect("a party"));
        let is_number = batch.columns.b_number[0].as_e164().is_some();
        let mut linked = linked(batch, owners, vec![owner]);
        linked.party = vec![if is_number { party } else { Party::Unasked } as u8];
        linked
    }
}

/// What was billed of a row.
fn beside<'r>(cells: &Cells<'r>, rated: &'r RatedBatch) -> Beside<'r> {
    let Some(stays) = cells.get("stays") else { return Beside { epoch: u64::MAX, stands: None } };
    let is_priced = *stays != "blocked";
    let words: Vec<&str> = if is_priced { stays.split_whitespace().collect() } else { vec!["-", "-", "-", "0"] };
    let [allowance, units, money, charge] = words[..] else { panic!("`{stays}` is not ALLOWANCE UNITS MONEY CHARGE") };
    let nano = |text: &str| i64::try_from(Money::parse(text.trim_matches('-')).unwrap_or_default().0).expect("an amount");
    let stands = Stands {
        customer: rated.linked.owners.customer_names.name(0),
        subscription: cells["line"],
        period: rated.columns.period[0],
        epoch: 1,
        is_priced,
        tariff: "",
        allowance: allowance.trim_matches('-'),
        units: units.parse().unwrap_or(0),
        nano: nano(money),
        charge_nano: nano(charge),
    };
    Beside { epoch: 1, stands: Some(stands) }
}

/// What settling decides of records.
fn columns(rated: &[RatedBatch]) -> Vec<(Option<Reason>, i64, i64, Option<Drawn>)> {
    rated.iter().map(|batch| (batch.reason(0), batch.columns.billed[0], batch.columns.charge_nano[0], batch.drawn(0))).collect()
}

fn parse(cells: &Cells<'_>) -> Result<Row, String> {
    let cell = |name: &str| cells.get(name).copied();
    let amsterdam = Zone::load("Europe/Amsterdam").expect("bundled");
    let mut row = Row { b_number: Number::ABSENT, ..Row::default() };
    let kind = cell("kind").unwrap_or("voice-mo");
    row.usage = Usage::parse(kind).ok_or(kind)?;
    if let Some(start) = cell("start") {
        (row.start_us, row.offset_s) = local(start, &amsterdam).ok_or(start)?;
    }
    if let Some(units) = cell("units") {
        let value: i64 = units.replace('_', "").parse().map_err(|_| units)?;
        match row.usage.kind() {
            UsageKind::Voice => row.duration_s = i32::try_from(value).map_err(|_| units)?,
            UsageKind::Sms | UsageKind::Mms => row.messages = i32::try_from(value).map_err(|_| units)?,
            UsageKind::Data => row.bytes = (value / 3, value - value / 3),
        }
    }
    if let Some(to) = cell("to") {
        row.b_number = number(to).ok_or(to)?;
    }
    if let Some(network) = cell("network") {
        row.network = match NetworkKey::parse(network) {
            Some(NetworkKey::Network(network)) => network,
            _ => return Err(network.to_owned()),
        };
    } else {
        row.network = Network::ABSENT;
    }
    row.class = u16::from(cells.contains_key("class"));
    row.cost_nano = match cell("cost") {
        None => NO_COST,
        Some(cost) => Money::parse(cost).and_then(|money| i64::try_from(money.0).ok()).ok_or(cost)?,
    };
    Ok(row)
}

/// `+31 6 12345678` is international, `112` a short code, `*` a masked number, anything else a word.
fn number(text: &str) -> Option<Number> {
    if text == "*" {
        return Some(Number::text(NumberKind::Masked, 0));
    }
    let digits: String = text.chars().filter(|c| !matches!(c, '+' | ' ')).collect();
    match digits.parse() {
        Ok(value) => {
            let length = u32::try_from(digits.len()).ok()?;
            Some(if text.starts_with('+') { Number::e164(value, length) } else { Number::short_code(value, length) })
        }
        Err(_) => Some(Number::text(NumberKind::Alphanumeric, 0)),
    }
}
