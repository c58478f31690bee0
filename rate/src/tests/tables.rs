//! Runs tests/rating/*.tbl: one row per record, the expected outcome beside it, the sum by hand as a remark.
//!
//! A table says which tariff holds for the rows below: `tariff: FILE` (from the repository's root) or a tariff between
//! `tariff:` and `---`. A line `clauses:` says which clauses of the model the rows below show (docs/rating-map.md). The first line
//! with `|` names the columns; `-` or nothing means "not given". Tables beside a tariff that stands in the file follow its text, each
//! after a line `== NAME.csv`. Starts are local times of Europe/Amsterdam, with an offset where
//! the clock change makes them ambiguous.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use domain::columns::linked::{NO_OWNER, Owners, Party};
use domain::columns::parsed::NO_COST;
use domain::delivery::FileContext;
use domain::money::{Currency, Money};
use domain::number::{Network, Number, NumberKind};
use domain::outcome::Reason;
use domain::usage::{Usage, UsageKind};
use domain::zone::Zone;

use crate::price::price;
use crate::tariff::TariffSource;
use crate::tariff::network::NetworkKey;
use crate::tariff::set::TariffSet;
use crate::tests::fixture::{Row, batch, linked, local, owners, read, repository, set_of, with_tables};

const COLUMNS: [&str; 16] = [
    "plan", "kind", "to", "start", "units", "network", "class", "cost", "currency", "party", "zone", "band", "billed", "charge",
    "tax", "remark",
];

type Cells<'t> = HashMap<&'t str, &'t str>;

#[test]
fn every_table_holds() {
    let mut files: Vec<_> = std::fs::read_dir(repository("tests/rating"))
        .expect("the tables are in the repository")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|e| e == "tbl"))
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
    let mut lines = text.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        if let Some(name) = line.strip_prefix("tariff:") {
            tariffs = Some(set_of(&match name.trim() {
                "" => with_inline_tables(lines.by_ref().map(|(line, _)| line).take_while(|line| *line != "---")),
                path => read(&repository(path)),
            }));
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
        let cells = header.iter().copied().zip(cells).filter(|(_, cell)| !matches!(*cell, "" | "-")).collect();
        let tariffs = tariffs.as_ref().unwrap_or_else(|| panic!("{file} line {number}: no tariff before the row"));
        count += 1;
        for difference in differences(tariffs, &cells, &header, &format!("{file} line {number}")) {
            writeln!(failures, "{file} line {number}: {difference}\n    {line}").expect("a string takes all");
        }
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
    let columns = &rated.columns;
    let outcome = match rated.reason(0) {
        Some(reason) => reason.as_str().to_owned(),
        None => Money(i128::from(columns.charge_nano[0])).to_string(),
    };
    let expected = cells["charge"];
    let expected = Money::parse(expected).map_or(expected.to_owned(), |money| money.to_string());
    assert!(Money::parse(&expected).is_some() || Reason::parse(&expected).is_some(), "{place}: `{expected}` is no outcome");
    let label = |is_none: bool, name: &dyn Fn() -> String| if is_none { "-".to_owned() } else { name() };
    let zone = label(columns.zone[0] == u16::MAX, &|| rated.labels.zones.name(columns.zone[0].into()).to_owned());
    let band = label(columns.band[0] == u8::MAX, &|| rated.labels.bands.name(columns.band[0].into()).to_owned());
    let tax = rated.labels.taxes.get(usize::from(columns.tax[0])).and_then(|tax| tax.class.as_deref());
    let tax = tax.unwrap_or("-").to_owned();
    let mut found = vec![("charge", outcome, expected)];
    if header.contains(&"tax") {
        found.push(("tax", tax, cells.get("tax").map_or("-", |class| class).to_owned()));
    }
    for (column, actual) in [("zone", zone), ("band", band), ("billed", columns.billed[0].to_string())] {
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
