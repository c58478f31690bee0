//! The texts of a tariff that does not load, searched for every fault of the usual kinds: the loader names only the first.
//!
//! Tables come from spreadsheets, so they come with `;` between fields, with decimal commas, and with prefixes as people dial them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use toml::{Table as Toml, Value};

use crate::error::Place;
use crate::lint::{FINDINGS_MAX, Finding, Rule};
use crate::tariff::companion::separator;
use crate::tariff::{TariffSource, companion_names};

/// Longest international number.
const DIGITS_MAX: usize = 15;

/// Signs that people write between digits.
const SIGNS: &str = "+ -./()\u{a0}";

/// Columns that hold amounts.
const AMOUNTS: [&str; 8] = ["setup", "unit_price", "disconnect", "charge_min", "charge_max", "per_call", "per_minute", "rate"];

/// What separates fields in files that call themselves CSV.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

pub(super) fn findings(source: &TariffSource) -> Vec<Finding> {
    // A text that is no TOML has been refused for that; nothing is known of its tables.
    let toml: Toml = toml::from_str(&source.toml).unwrap_or_default();
    let mut findings = inline_prefixes(source, &toml);
    for name in companion_names(&source.toml) {
        if let Some(text) = source.companions.get(&name) {
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            Table { file: name.into(), text, titles: own_titles(&toml), own: said(&toml) }.search(&mut findings);
        }
    }
    findings
}

fn inline_prefixes(source: &TariffSource, toml: &Toml) -> Vec<Finding> {
    let prefixes = toml.get("destinations").and_then(|section| section.get("prefixes")).and_then(Value::as_table);
    let place = Place { file: format!("{} [destinations.prefixes]", source.name).into(), line: None };
    let mut deck = Prefixes::default();
    prefixes.into_iter().flatten().filter_map(|(prefix, _)| deck.look_at(prefix, &place)).collect()
}

/// What the tariff says that separates fields, and whether amounts have commas.
fn said(toml: &Toml) -> (u8, bool) {
    let word = |key: &str| toml.get("tables").and_then(|section| section.get(key)).and_then(Value::as_str);
    (word("separator").and_then(separator).unwrap_or(b','), word("decimal_mark") == Some(","))
}

/// What the tariff calls the columns of its prices, theirs to ours.
fn own_titles(toml: &Toml) -> BTreeMap<String, String> {
    let columns = toml.get("prices").and_then(|section| section.get("columns")).and_then(Value::as_table);
    let named = columns.into_iter().flatten();
    named.filter_map(|(ours, theirs)| Some((theirs.as_str()?.to_owned(), ours.clone()))).collect()
}

/// The prefixes seen so far, each in its international form.
#[derive(Default)]
struct Prefixes {
    seen: HashMap<String, Place>,
}

impl Prefixes {
    /// What is wrong with one more prefix.
    fn look_at(&mut self, text: &str, place: &Place) -> Option<Finding> {
        let international = international(text);
        if let Some(fault) = form_fault(text) {
            let known = international.filter(|digits| digits.len() <= DIGITS_MAX);
            let remedy = known.map_or_else(
                || "write 1 to 15 digits that begin with the country: 316, not 06".to_owned(),
                |digits| format!("write `{digits}`"),
            );
            return Some(Finding::new(Rule::PrefixForm, place, format!("prefix `{text}` {fault}"), remedy));
        }
        let first = self.seen.get(text).cloned();
        match first {
            None => {
                self.seen.insert(text.to_owned(), place.clone());
                None
            }
            Some(first) => {
                let what = format!("prefix `{text}` stands already at {first}");
                Some(Finding::new(Rule::PrefixTwice, place, what, "keep one of the two"))
            }
        }
    }
}

/// Why a text is no prefix.
fn form_fault(text: &str) -> Option<&'static str> {
    let is_digit = |c: char| c.is_ascii_digit();
    if text.is_empty() {
        Some("is empty")
    } else if !text.chars().all(|c| is_digit(c) || SIGNS.contains(c)) {
        Some("has characters that are no digits")
    } else if !text.chars().all(is_digit) {
        Some("has signs beside its digits")
    } else if text.starts_with("00") {
        Some("begins with 00")
    } else if text.starts_with('0') {
        Some("begins with 0, as numbers are dialled within a country")
    } else if text.len() > DIGITS_MAX {
        Some("is longer than 15 digits")
    } else {
        None
    }
}

/// The digits that a prefix in another form means, if it says its country.
fn international(text: &str) -> Option<String> {
    if text.chars().any(|c| !c.is_ascii_digit() && !SIGNS.contains(c)) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.strip_prefix("00").unwrap_or(&digits);
    (!digits.is_empty() && !digits.starts_with('0')).then(|| digits.to_owned())
}

/// One companion.
struct Table<'t> {
    file: Arc<str>,
    text: &'t str,
    titles: BTreeMap<String, String>,
    /// What separates its fields, and whether amounts have commas, by the tariff's word.
    own: (u8, bool),
}

/// How the amounts of a column are written.
#[derive(Default)]
struct Marks {
    points: usize,
    commas: usize,
    first_comma: Option<u64>,
}

impl Table<'_> {
    fn search(&self, findings: &mut Vec<Finding>) {
        let header = self.text.lines().next().unwrap_or_default();
        let Some(separator) = SEPARATORS.into_iter().find(|s| header.as_bytes().contains(s)) else { return };
        findings.extend(self.separator(separator));
        let mut reader =
            csv::ReaderBuilder::new().delimiter(separator).flexible(true).trim(csv::Trim::All).from_reader(self.text.as_bytes());
        let Ok(header) = reader.headers().cloned() else { return };
        let ours = |title: &str| self.titles.get(title).map_or_else(|| title.to_owned(), Clone::clone);
        let columns: Vec<String> = header.iter().map(ours).collect();
        let prefix = columns.iter().position(|title| title == "prefix");
        // Rows of one prefix may hold on different days: whether they do, the loader knows.
        let is_dated = columns.iter().any(|title| title == "valid_from" || title == "valid_to");
        let amounts: Vec<usize> = (0..columns.len()).filter(|at| AMOUNTS.contains(&columns[*at].as_str())).collect();
        let mut marks: BTreeMap<usize, Marks> = BTreeMap::new();
        let (mut deck, mut faults, mut split) = (Prefixes::default(), 0, Marks::default());
        let mut row = csv::StringRecord::new();
        // A row that cannot be read at all is what the loader has refused.
        while matches!(reader.read_record(&mut row), Ok(true)) {
            let line = row.position().map(csv::Position::line);
            if let Some(text) = prefix.and_then(|at| row.get(at)).filter(|_| faults < FINDINGS_MAX) {
                let found = deck.look_at(text, &self.place(line)).filter(|found| !is_dated || found.rule != Rule::PrefixTwice);
                faults += usize::from(found.is_some());
                findings.extend(found);
            }
            if row.len() > columns.len() && !amounts.is_empty() {
                split.see(line);
            } else {
                for at in &amounts {
                    marks.entry(*at).or_default().look_at(row.get(*at).unwrap_or_default(), line);
                }
            }
        }
        findings.extend(self.split_fields(&split, columns.len()));
        // Points among commas the loader names, row by row.
        let marks = marks.iter().filter(|_| !self.own.1);
        findings.extend(marks.filter_map(|(at, marks)| self.decimal_commas(&columns[*at], marks)));
    }

    fn place(&self, line: Option<u64>) -> Place {
        Place { file: self.file.clone(), line }
    }

    /// What separates the fields, if it is not always a comma.
    fn separator(&self, of_header: u8) -> Option<Finding> {
        let name = |separator: u8| match separator {
            b';' => "`;`",
            b'\t' => "tabs",
            _ => "commas",
        };
        let own = self.own.0;
        if of_header != own {
            let word = if of_header == b'\t' {
                "tab"
            } else if of_header == b';' {
                ";"
            } else {
                ","
            };
            let what = format!("the fields are separated by {}, not by {}", name(of_header), name(own));
            let remedy = format!(
                "write `separator = \"{word}\"` under [tables] if all tables of the tariff are so, or save it with {}",
                name(own)
            );
            return Some(Finding::new(Rule::Separator, &self.place(Some(1)), what, remedy));
        }
        let (own, others) = (char::from(own), SEPARATORS.map(char::from));
        let is_other = |line: &str| !line.is_empty() && !line.contains(own) && line.contains(others);
        let mut rows = self.text.lines().zip(1..).filter(|(line, _)| is_other(line));
        let (_, first) = rows.next()?;
        let is = name(self.own.0);
        let what = format!("not all rows are separated by {is} as the header is: {} from here on are not", 1 + rows.count());
        Some(Finding::new(Rule::Separator, &self.place(Some(first)), what, format!("write {is} between fields in every row")))
    }

    fn split_fields(&self, split: &Marks, columns: usize) -> Option<Finding> {
        let line = split.first_comma?;
        let what = format!(
            "rows have more fields than the header's {columns}, {} from here on: a decimal comma makes two fields of an amount",
            split.commas
        );
        Some(Finding::new(Rule::DecimalMark, &self.place(Some(line)), what, "write amounts with a point: 0.10"))
    }

    fn decimal_commas(&self, column: &str, marks: &Marks) -> Option<Finding> {
        let line = marks.first_comma?;
        let what = match marks.points {
            0 => format!("column `{column}` has decimal commas, {} from here on", marks.commas),
            points => {
                format!(
                    "column `{column}` mixes decimal marks: {} with a comma from here on, {points} with a point",
                    marks.commas
                )
            }
        };
        let remedy = "write amounts with a point: 0.10; or `decimal_mark = \",\"` under [tables] if all of them have commas";
        Some(Finding::new(Rule::DecimalMark, &self.place(Some(line)), what, remedy))
    }
}

impl Marks {
    fn look_at(&mut self, amount: &str, line: Option<u64>) {
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
        let has = |mark: char| amount.split_once(mark).is_some_and(|(whole, places)| is_digits(whole) && is_digits(places));
        self.points += usize::from(has('.'));
        if has(',') {
            self.see(line);
        }
    }

    fn see(&mut self, line: Option<u64>) {
        self.commas += 1;
        self.first_comma = self.first_comma.or(line);
    }
}
