//! Visited networks: the network itself before its country, as networks of one country may be sold differently.

use domain::number::Network;

use crate::error::TariffError;
use crate::tariff::NONE_ROW;
use crate::tariff::days::Days;
use crate::tariff::deck::{ZoneRule, chain, holding};
use crate::tariff::field::bad;
use crate::words::WordMap;

/// Most rows of a network table.
pub(super) const NETWORKS_MAX: usize = 100_000;

/// Zones by MCC-MNC, TADIG code and MCC.
#[derive(Debug)]
pub(crate) struct Networks {
    pub rules: Vec<ZoneRule>,
    exact: WordMap<Network>,
    /// Row by mobile country code; 1,000 entries.
    countries: Vec<u32>,
    /// Whether networks of that country are named one by one.
    has_exact: Vec<bool>,
    /// By row: another row of the same key that holds on other days. Empty where no row is dated.
    others: Vec<u32>,
}

/// What a key of the table or a field of a row names: a country (three digits) or a network.
pub(crate) enum NetworkKey {
    Country(usize),
    Network(Network),
}

impl NetworkKey {
    /// Reads `204`, `20404`, `310260` or `NLDPT`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.len() {
            3 if text.bytes().all(|c| c.is_ascii_digit()) => text.parse().ok().map(Self::Country),
            _ => Network::parse(text).map(Self::Network),
        }
    }
}

impl Networks {
    pub fn build(rules: Vec<ZoneRule>) -> Result<Self, TariffError> {
        let (countries, has_exact) = (vec![NONE_ROW; 1000], vec![false; 1000]);
        let mut others = Vec::new();
        let mut table = Self { rules, exact: WordMap::default(), countries, has_exact, others: Vec::new() };
        for (row, rule) in table.rules.iter().enumerate() {
            let number = u32::try_from(row).expect("a table has at most 100,000 rows");
            let first = match NetworkKey::parse(&rule.key) {
                Some(NetworkKey::Country(mcc)) => std::mem::replace(&mut table.countries[mcc], number),
                Some(NetworkKey::Network(network)) => {
                    if let Some(mcc) = network.mcc() {
                        table.has_exact[mcc as usize] = true;
                    }
                    table.exact.insert(network, number).unwrap_or(NONE_ROW)
                }
                None => {
                    let expected = "an MCC (204), an MCC-MNC (20404, 310260) or a TADIG code (NLDPT) is expected";
                    return Err(bad(&rule.place, "network", &rule.key, expected));
                }
            };
            chain(&mut others, &table.rules, row, first, "network")?;
        }
        if table.rules.iter().any(|rule| rule.days != Days::ALWAYS) {
            others.resize(table.rules.len(), NONE_ROW);
            table.others = others;
        }
        Ok(table)
    }

    /// The row for a network on a local day, or [`NONE_ROW`]: its own if there is one, else its country's.
    #[inline]
    pub fn find(&self, network: Network, day: impl Fn() -> i32) -> u32 {
        if !self.others.is_empty() {
            return self.find_on(network, day());
        }
        let Some(mcc) = network.mcc() else {
            return self.exact.get(&network).copied().unwrap_or(NONE_ROW);
        };
        let mcc = mcc as usize;
        if self.has_exact.get(mcc).copied().unwrap_or(false)
            && let Some(row) = self.exact.get(&network)
        {
            return *row;
        }
        self.countries.get(mcc).copied().unwrap_or(NONE_ROW)
    }

    /// The same where rows are dated: of each key the row that holds on the day.
    #[inline(never)]
    fn find_on(&self, network: Network, day: i32) -> u32 {
        let country = network.mcc().and_then(|mcc| self.countries.get(mcc as usize));
        let rows = [self.exact.get(&network), country].into_iter().flatten();
        let held = rows.map(|first| holding(&self.rules, &self.others, *first, day));
        held.into_iter().find(|row| *row != NONE_ROW).unwrap_or(NONE_ROW)
    }
}
