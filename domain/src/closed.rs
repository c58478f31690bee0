//! Which billing cycles are closed, for whom, and up to which version of the records.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::columns::linked::Owners;
use crate::period::Month;

/// Where usage goes that comes when its cycle is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LateUsage {
    /// With the next cycle that is closed.
    Next,
    /// Into a correction of what was billed for its own.
    Correct,
}

impl LateUsage {
    /// The word in settings and files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Correct => "correct",
        }
    }

    /// Reads the word back.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Next, Self::Correct].into_iter().find(|rule| rule.as_str() == text)
    }
}

/// A closing of a cycle: whoever's cycle had ended by then is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedUntil {
    /// The instant, microseconds UTC.
    pub until_us: i64,
    /// The newest version of the records' table that was billed. Decisions that do not say it leave all alone.
    #[serde(default = "whatever_comes")]
    pub version: u64,
}

/// What settling is told of a record beside the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside<'r> {
    /// Which closing has billed it as what it comes out as, by its version; `u64::MAX`: none has.
    pub epoch: u64,
    /// What it stands as, if it stays so because it was billed.
    pub stands: Option<Stands<'r>>,
}

/// A record that stays as it stands: whose it is, and what it drew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stands<'r> {
    /// The customer.
    pub customer: &'r str,
    /// The line.
    pub subscription: &'r str,
    /// The number of the customer's cycle ([`Month::number`]).
    pub period: i32,
    /// The first closing that has billed it so, by its version; `u64::MAX` where the cycle is frozen by hand.
    pub epoch: u64,
    /// Whether it has a price; if not, an allowance that was used up has blocked it.
    pub is_priced: bool,
    /// The tariff that priced it, as `name@hash`.
    pub tariff: &'r str,
    /// The allowances that it drew from, joined by `+`; empty: none.
    pub allowance: &'r str,
    /// Units that they gave.
    pub units: u64,
    /// Nano-units that they gave.
    pub nano: i64,
    /// What is charged, nano-units.
    pub charge_nano: i64,
}

/// The version of a cycle in which nothing changes, whatever comes.
fn whatever_comes() -> u64 {
    u64::MAX
}

/// The closings of each cycle, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct ClosedCycles(BTreeMap<String, Vec<ClosedUntil>>);

/// As decisions hold it; the list is that of cycles that were frozen for everybody and everything.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    List(Vec<String>),
    Map(BTreeMap<String, Vec<ClosedUntil>>),
}

impl From<Written> for ClosedCycles {
    fn from(written: Written) -> Self {
        match written {
            Written::Map(cycles) => Self(cycles),
            Written::List(list) => {
                let mut cycles = Self::default();
                for cycle in list {
                    cycles.freeze(cycle);
                }
                cycles
            }
        }
    }
}

impl ClosedCycles {
    /// Adds a closing behind those that are known.
    pub fn add(&mut self, cycle: &str, closed: ClosedUntil) {
        self.0.entry(cycle.to_owned()).or_default().push(closed);
    }

    /// A cycle in which nothing changes, whatever arrives, for all whose cycle no closing has closed.
    pub fn freeze(&mut self, cycle: String) {
        let all = ClosedUntil { until_us: i64::MAX, version: whatever_comes() };
        let closings = self.0.entry(cycle).or_default();
        if closings.last() != Some(&all) {
            closings.push(all);
        }
    }

    /// Takes in what was closed since: closings stand before a freezing by hand.
    pub fn take_in(&mut self, newer: &Self) {
        for (cycle, closings) in &newer.0 {
            let known = self.0.entry(cycle.clone()).or_default();
            known.extend(closings.iter().filter(|closing| !known.contains(closing)).copied().collect::<Vec<_>>());
            known.sort_by_key(|closing| (closing.version, closing.until_us));
        }
    }

    /// Whether no cycle is closed for anybody.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The cycles that are closed for somebody.
    pub fn cycles(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether a cycle is closed for somebody.
    pub fn contains(&self, cycle: &str) -> bool {
        self.0.contains_key(cycle)
    }

    /// The first version that was billed of a cycle or a later one, of whomever; `None` if all of them are open.
    pub fn first_from(&self, cycle: &str) -> Option<u64> {
        self.0.range(cycle.to_owned()..).flat_map(|(_, closings)| closings).map(|closed| closed.version).min()
    }

    /// The versions at which lines were made for a customer of a cycle or a later one, in the order of the closings.
    pub fn versions_from(&self, cycle: &str, customer: Option<u32>, owners: &Owners) -> Vec<u64> {
        let of = |(cycle, _): (&String, _)| self.version_for(cycle, customer, owners);
        let mut versions: Vec<u64> =
            self.0.range(cycle.to_owned()..).filter_map(of).filter(|version| *version != u64::MAX).collect();
        versions.sort_unstable();
        versions
    }

    /// The version that was billed of a cycle that ends for its customer at an instant; `None` if it is open for that customer.
    pub fn version_at(&self, cycle: &str, ends_us: i64) -> Option<u64> {
        self.0.get(cycle)?.iter().find(|closed| ends_us <= closed.until_us).map(|closed| closed.version)
    }

    /// The same for a customer by its code; whoever is not known has a cycle that has always ended.
    pub fn version_for(&self, cycle: &str, customer: Option<u32>, owners: &Owners) -> Option<u64> {
        self.0.get(cycle)?;
        let ends_us = customer.and_then(|code| cycle_end(owners, code, Month::parse(cycle)?)).unwrap_or(i64::MIN);
        self.version_at(cycle, ends_us)
    }
}

/// When a customer's cycle ends; `None` if there is no such customer.
pub fn cycle_end(owners: &Owners, customer: u32, cycle: Month) -> Option<i64> {
    let customer = owners.customers.get(customer as usize)?;
    let zone = owners.zones.get(usize::from(customer.zone))?;
    Some(customer.cycle_day.begin(Month::from_number(cycle.number() + 1), zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_is_closed_by_the_first_closing_behind_its_end() {
        let mut cycles = ClosedCycles::default();
        cycles.add("2026-10", ClosedUntil { until_us: 100, version: 7 });
        cycles.add("2026-10", ClosedUntil { until_us: 200, version: 9 });
        assert_eq!([100, 101, 200, 201].map(|end| cycles.version_at("2026-10", end)), [Some(7), Some(9), Some(9), None]);
        assert_eq!(cycles.version_at("2026-09", 0), None);
        assert_eq!(["2026-09", "2026-10", "2026-11"].map(|cycle| cycles.first_from(cycle)), [Some(7), Some(7), None]);
        cycles.freeze("2026-10".to_owned());
        assert_eq!([200, 201].map(|end| cycles.version_at("2026-10", end)), [Some(9), Some(u64::MAX)]);
        let mut decided = ClosedCycles::default();
        decided.freeze("2026-10".to_owned());
        decided.take_in(&cycles);
        assert_eq!(decided, cycles);
    }
}
