//! One column of all files together.

use std::collections::BTreeMap;

use super::times::{TimeEvidence, TimeForm};
use super::words::{self, Meaning, Unit};

/// A column's values and what its header says.
#[derive(Debug)]
pub(super) struct Column<'t> {
    pub at: usize,
    /// Its name in the header; empty where there is none.
    pub name: String,
    /// One for each row of the sample.
    pub values: Vec<&'t str>,
    meanings: Vec<(Meaning, u64)>,
    pub unit: Option<Unit>,
    /// How often each text occurs that is not empty.
    pub texts: BTreeMap<&'t str, u64>,
    pub filled: u64,
    pub times: TimeEvidence,
}

impl<'t> Column<'t> {
    pub fn new(at: usize, name: &str, values: Vec<&'t str>) -> Self {
        let mut texts = BTreeMap::new();
        let mut times = TimeEvidence::default();
        for value in values.iter().filter(|value| !value.is_empty()) {
            *texts.entry(*value).or_default() += 1;
            times.add(value);
        }
        let filled = texts.values().sum();
        let (meanings, unit) = (words::meanings(name), words::unit(name));
        Self { at, name: name.to_owned(), values, meanings, unit, texts, filled, times }
    }

    /// How much the header says that it is one of these, in per cent.
    pub fn says(&self, wanted: &[Meaning]) -> u64 {
        self.meanings.iter().filter(|(meaning, _)| wanted.contains(meaning)).map(|(_, percent)| *percent).max().unwrap_or(0)
    }

    /// How many of the values that are not empty hold, in per cent; 0 if there are none.
    pub fn share(&self, holds: impl Fn(&str) -> bool) -> u64 {
        let with: u64 = self.texts.iter().filter(|(text, _)| holds(text)).map(|(_, count)| count).sum();
        (with * 100).checked_div(self.filled).unwrap_or(0)
    }

    /// Whether some rows have nothing in it.
    pub fn has_gaps(&self) -> bool {
        self.filled < self.values.len() as u64
    }

    /// The form of its times, with the share of values that have it in per cent.
    pub fn time_form(&self) -> Option<(TimeForm, u64)> {
        let (form, count) = self.times.main_form()?;
        Some((form, count * 100 / self.filled.max(1)))
    }

    /// What people call it.
    pub fn shown(&self) -> String {
        if self.name.is_empty() { format!("column {}", self.at) } else { format!("`{}`", self.name) }
    }
}
