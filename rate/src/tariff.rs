//! Tariffs: dated, versioned texts that are checked whole when they are loaded, so that pricing a row cannot fail on them.
//!
//! A tariff is one TOML file and the CSV companions that it names. Its version is the hash of these texts.

mod raw;
mod field;
pub(crate) mod companion;
pub(crate) mod days;
pub(crate) mod deck;
pub(crate) mod network;
pub(crate) mod roaming;
pub(crate) mod information;
pub(crate) mod exchange;
pub(crate) mod band;
pub(crate) mod calendar;
pub(crate) mod coverage;
pub(crate) mod allowance;
pub(crate) mod discount;
pub(crate) mod recurring;
pub(crate) mod fee;
pub(crate) mod commitment;
pub(crate) mod total;
pub(crate) mod plan;
pub(crate) mod party;
pub(crate) mod price_row;
pub(crate) mod price_table;
mod load;
pub mod set;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use domain::ids::Names;
use domain::money::{Currency, Rounding, RoundingMode};
use domain::zone::{SECOND_US, Zone};
use sha2::{Digest, Sha256};

use crate::error::TariffError;
use crate::tariff::allowance::Allowances;
use crate::tariff::band::Bands;
use crate::tariff::commitment::Commitment;
use crate::tariff::deck::{Deck, ShortCodes, ZoneRule};
use crate::tariff::discount::Discount;
use crate::tariff::exchange::Exchange;
use crate::tariff::information::Information;
use crate::tariff::network::Networks;
use crate::tariff::plan::Plan;
use crate::tariff::price_table::PriceTable;
use crate::tariff::recurring::Recurring;
use crate::tariff::roaming::Roaming;

/// No row of a table; the same as the derivation columns' "does not apply".
pub(crate) const NONE_ROW: u32 = domain::columns::rated::NONE;

/// Digits of a version in `name@hash`.
const VERSION_DIGITS: usize = 16;

/// The texts of a tariff.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TariffSource {
    /// The file's name, for messages: `nl-zakelijk.toml`.
    pub name: String,
    /// The TOML text.
    pub toml: String,
    /// Companion texts by file name; those that the tariff does not name are ignored.
    pub companions: BTreeMap<String, String>,
}

/// The companions that a tariff's TOML names, to be read from beside it: plain file names, sorted. A text that is no tariff
/// names none; loading it says why.
pub fn companion_names(toml: &str) -> Vec<String> {
    load::companions(toml)
}

/// The JSON schema of a tariff's TOML, for editors.
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(raw::RawTariff)
}

/// A tariff version, checked and ready to price.
#[derive(Debug)]
pub struct Tariff {
    id: Arc<str>,
    sha256: String,
    name: String,
    currency: Currency,
    zone: Zone,
    from_us: i64,
    to_us: i64,
    pub(crate) zones: Names,
    pub(crate) home: u16,
    pub(crate) deck: Deck,
    pub(crate) short_codes: ShortCodes,
    /// Zone of destinations that are no digits.
    pub(crate) unnumbered: Option<u16>,
    pub(crate) networks: Networks,
    pub(crate) roaming: Roaming,
    pub(crate) classes: Classes,
    /// What numbers ask; `None` without such a list.
    pub(crate) information: Option<Information>,
    pub(crate) exchange: Exchange,
    pub(crate) bands: Bands,
    pub(crate) plans: Vec<Plan>,
    /// The plan that holds for plans that no tariff sells.
    pub(crate) fallback_plan: Option<u32>,
    pub(crate) tax_is_included: bool,
    /// The tax class of prices that name none.
    pub(crate) tax_class: Option<String>,
    pub(crate) prices: PriceTable,
    pub(crate) allowances: Allowances,
    /// In the order of the file.
    pub(crate) discounts: Vec<Discount>,
    /// In the order of the file.
    pub(crate) fees: Vec<Recurring>,
    /// In the order of the file.
    pub(crate) commitments: Vec<Commitment>,
    pub(crate) line_rounding: LineRounding,
    /// By number of the plan: whether what its records come to hangs on others of the customer.
    pub(crate) settles: Vec<bool>,
}

/// How the lines of a cycle are rounded, and their sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LineRounding {
    pub line: Rounding,
    pub invoice: Rounding,
}

impl LineRounding {
    /// Where no tariff says anything: to the cent.
    pub const USUAL: Self = {
        let cent = Rounding { places: 2, mode: RoundingMode::HalfUp };
        Self { line: cent, invoice: cent }
    };
}

/// Zones by the provider's rate class.
#[derive(Debug)]
pub(crate) struct Classes {
    pub rules: Vec<ZoneRule>,
    by_name: HashMap<Box<str>, u32>,
}

impl Classes {
    /// The row of a class, or [`NONE_ROW`].
    pub fn find(&self, class: &str) -> u32 {
        self.by_name.get(class).copied().unwrap_or(NONE_ROW)
    }
}

impl Tariff {
    /// Checks and compiles a tariff; the error names file, line, field and what to do.
    pub fn load(source: &TariffSource) -> Result<Self, TariffError> {
        load::tariff(source, false)
    }

    /// The same for calls at any time: a draft may be held against a month in which it is not in force, with the holidays that its
    /// calendars name there.
    pub fn load_for_all_time(source: &TariffSource) -> Result<Self, TariffError> {
        load::tariff(source, true)
    }

    /// `name@hash`: the version that rows and labels carry.
    pub fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// The whole content hash, hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The tariff's name, the same for all its versions.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The currency of its prices.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// Its own time zone: by it validity is dated and bands are read.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// First instant in force, microseconds UTC.
    pub fn from_us(&self) -> i64 {
        self.from_us
    }

    /// First instant no longer in force, microseconds UTC; `i64::MAX` if open.
    pub fn to_us(&self) -> i64 {
        self.to_us
    }

    /// The local day, since 1970, of an instant by its clock.
    #[inline]
    pub(crate) fn day_of(&self, instant_us: i64) -> i32 {
        let local_us = instant_us.saturating_add(i64::from(self.zone.offset_at(instant_us)) * SECOND_US);
        i32::try_from(local_us.div_euclid(86_400 * SECOND_US)).expect("64 bits of microseconds are 2^28 days at most")
    }

    /// Whether a price or an allowance depends on the other party.
    #[inline]
    pub(crate) fn asks_party(&self) -> bool {
        let asks = |discount: &Discount| !discount.coverage.parties.is_empty();
        self.prices.asks_party() || self.allowances.asks_party() || self.discounts.iter().any(asks)
    }

    /// Whether its prices say anything of tax.
    pub(crate) fn says_tax(&self) -> bool {
        self.tax_is_included || self.prices.tax_classes.iter().any(Option::is_some)
    }

    /// The plans that it sells.
    pub fn plan_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.plans.iter().map(|plan| plan.name.as_str())
    }

    /// How many rows its tables have, for import reports.
    pub fn table_rows(&self) -> [(&'static str, usize); 9] {
        [
            ("prefixes", self.deck.rules.len()),
            ("short_codes", self.short_codes.rules.len()),
            ("networks", self.networks.rules.len()),
            ("roaming", self.roaming.rules.len()),
            ("information", self.information.as_ref().map_or(0, |list| list.rows.len())),
            ("exchange", self.exchange.rates.values().map(Vec::len).sum()),
            ("classes", self.classes.rules.len()),
            ("prices", self.prices.rows.len()),
            ("allowances", self.allowances.list.len()),
        ]
    }
}

/// The content hash: over TOML and companions in name order, each with name and length, after the byte order mark is
/// dropped, line ends are made LF and spaces at line ends and empty lines at the text's end are removed: what an editor or
/// a transfer changes by itself makes no new version.
fn content_hash<'t>(toml: &'t str, companions: impl Iterator<Item = (&'t str, &'t str)>) -> String {
    let mut hash = Sha256::new();
    for (name, text) in [("", toml)].into_iter().chain(companions) {
        let text = canonical(text);
        for part in [name, &text] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
    }
    let digits = b"0123456789abcdef";
    let halves = hash.finalize().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    halves.map(|half| char::from(digits[usize::from(half)])).collect()
}

fn canonical(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}

#[cfg(test)]
mod tests;
