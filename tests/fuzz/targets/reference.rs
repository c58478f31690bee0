//! Reference data: imports from CSV files, and tariffs.

use std::collections::BTreeMap;

use config::shipped;
use rate::tariff::{Tariff, TariffSource, companion_names};
use store::import::{ImportKind, ImportLimits, parse_import};

use crate::case::Case;

use super::answer;

/// Reads an import of the kind of its label.
pub fn imports(case: &Case) -> Result<u64, String> {
    let kind = ImportKind::from_name(&case.label).ok_or_else(|| format!("no import is called `{}`", case.label))?;
    match parse_import(kind, &case.bytes, &ImportLimits::default()) {
        Ok(rows) => Ok(answer::of((&case.label, answer::size(rows.row_count())))),
        Err(error) if error.to_string().is_empty() => Err("a refusal without a reason".to_owned()),
        Err(error) => Ok(answer::of(answer::words(&error.to_string()))),
    }
}

pub fn import_seeds() -> Vec<Case> {
    let sample = |(file, text): &(&str, &str)| {
        let kind = file.strip_suffix(".csv").filter(|kind| ImportKind::from_name(kind).is_some())?;
        Some(Case::new(kind, text.split_inclusive('\n').take(6).collect::<String>()))
    };
    shipped::samples::SHIPPED.iter().filter_map(sample).collect()
}

/// Loads a tariff; the companions that it names are those that are shipped, or the tariff itself.
pub fn tariff(case: &Case) -> Result<u64, String> {
    let Ok(toml) = std::str::from_utf8(&case.bytes) else { return Ok(0) };
    let names = companion_names(toml);
    let mut companions: BTreeMap<String, String> = shipped::tariffs::companions(names.iter().map(String::as_str));
    if case.label == "companion" {
        let (head, rest) = toml.split_once("\n---\n").unwrap_or((toml, ""));
        let names = companion_names(head);
        companions = names.into_iter().map(|name| (name, rest.to_owned())).collect();
        return load(head, companions);
    }
    load(toml, companions)
}

fn load(toml: &str, companions: BTreeMap<String, String>) -> Result<u64, String> {
    match Tariff::load(&TariffSource { name: "any.toml".to_owned(), toml: toml.to_owned(), companions }) {
        Ok(tariff) => Ok(answer::of(tariff.id().len())),
        Err(error) if error.to_string().is_empty() => Err("a refusal without a reason".to_owned()),
        Err(error) => Ok(answer::of(answer::words(&error.to_string()))),
    }
}

pub fn tariff_seeds() -> Vec<Case> {
    let mut cases: Vec<Case> = shipped::tariffs::SHIPPED.iter().map(|(_, text)| Case::new("tariff", *text)).collect();
    for (_, text) in shipped::tariffs::SHIPPED {
        for name in companion_names(text) {
            let companion = shipped::tariffs::companions([name.as_str()]).remove(&name).unwrap_or_default();
            let lines: String = companion.split_inclusive('\n').take(12).collect();
            cases.push(Case::new("companion", format!("{text}\n---\n{lines}")));
        }
    }
    cases
}
