//! Zones of usage abroad by where it is made and whom it goes to.

use std::collections::HashMap;

use crate::error::TariffError;
use crate::tariff::NONE_ROW;
use crate::tariff::deck::ZoneRule;

/// Most rows of the table.
pub(super) const ROAMING_MAX: usize = 100_000;

/// In a row's key: wherever it goes, and also where it goes nowhere.
pub(super) const ANYWHERE: &str = "*";

/// A pair of zones as a code; no called zone stands for any.
type Pair = (u16, Option<u16>);

/// Zones by the visited zone and the one that is called.
#[derive(Debug, Default)]
pub(crate) struct Roaming {
    /// The rows; a key is `EU to NL`.
    pub rules: Vec<ZoneRule>,
    by_pair: HashMap<Pair, u32>,
}

impl Roaming {
    pub fn build(rules: Vec<(Pair, ZoneRule)>) -> Result<Self, TariffError> {
        let mut table = Self::default();
        for ((pair, rule), row) in rules.into_iter().zip(0..) {
            if let Some(first) = table.by_pair.insert(pair, row) {
                let (first, what) = (table.rules[first as usize].place.clone(), format!("roaming `{}`", rule.key));
                return Err(TariffError::Twice { place: rule.place, what, first });
            }
            table.rules.push(rule);
        }
        Ok(table)
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The row of a visited zone and a called one: the one that names both, else that of anywhere, else [`NONE_ROW`].
    pub fn find(&self, visited: u16, called: Option<u16>) -> u32 {
        let exact = called.and_then(|called| self.by_pair.get(&(visited, Some(called))));
        exact.or_else(|| self.by_pair.get(&(visited, None))).copied().unwrap_or(NONE_ROW)
    }

    /// The visited zones of its rows, and the zones that they lead to.
    pub fn leads(&self) -> impl Iterator<Item = (u16, Option<u16>, u16)> {
        self.by_pair.iter().map(|((visited, called), row)| (*visited, *called, self.rules[*row as usize].zone))
    }
}
