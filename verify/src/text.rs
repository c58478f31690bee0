//! A tariff file as it is written. A key that is not known here is an error: what is not understood cannot be verified.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::value::Datetime;

use crate::amount::Mode;
use crate::text::recurring::{CommitmentText, FeeText};
use crate::text::settled::{AllowanceText, Count, DiscountText, Every, Scope};

pub(crate) mod recurring;
pub(crate) mod settled;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TariffText {
    pub name: String,
    pub currency: String,
    pub time_zone: String,
    pub valid_from: Datetime,
    pub valid_to: Option<Datetime>,
    pub tax_class: Option<String>,
    #[serde(default)]
    pub tax: Tax,
    pub fallback_plan: Option<String>,
    pub home_zone: String,
    pub default_band: String,
    #[serde(default)]
    pub band_clock: BandClock,
    #[serde(default)]
    pub zero_usage: ZeroUsage,
    #[serde(default)]
    pub rounding_scope: RoundingScope,
    pub rounding: Rounding,
    #[serde(default)]
    pub tables: TablesText,
    #[serde(default)]
    pub destinations: Destinations,
    #[serde(default)]
    pub networks: Zones,
    #[serde(default)]
    pub classes: Zones,
    #[serde(default)]
    pub roaming: Beside,
    #[serde(default)]
    pub information: Beside,
    #[serde(default)]
    pub exchange: ExchangeText,
    #[serde(default)]
    pub plans: Beside,
    #[serde(default)]
    pub prices: Prices,
    #[serde(default)]
    pub calendar: Vec<CalendarText>,
    #[serde(default)]
    pub band: Vec<BandText>,
    #[serde(default)]
    pub plan: Vec<PlanText>,
    #[serde(default)]
    pub price: Vec<PriceText>,
    #[serde(default)]
    pub allowance: Vec<AllowanceText>,
    #[serde(default)]
    pub discount: Vec<DiscountText>,
    #[serde(default)]
    pub fee: Vec<FeeText>,
    #[serde(default)]
    pub commitment: Vec<CommitmentText>,
}

/// How the tables beside a tariff are written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TablesText {
    pub separator: Option<String>,
    pub decimal_mark: Option<String>,
}

/// Whether prices hold the tax.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tax {
    #[default]
    Excluded,
    Included,
}

impl Tax {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Excluded => "excluded",
            Self::Included => "included",
        }
    }
}

/// By which clock the band is read.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BandClock {
    /// The tariff's own time zone.
    #[default]
    TariffZone,
    /// The clock that the source wrote beside the start.
    SourceOffset,
}

/// What zero seconds or bytes cost.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ZeroUsage {
    #[default]
    Free,
    Priced,
}

/// What setup, minimum, increments, steps and bounds are of.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RoundingScope {
    #[default]
    Record,
    Session,
    Day,
    Week,
    Cycle,
    Quarter,
}

impl RoundingScope {
    /// The period that it is, if it is one.
    pub fn every(self) -> Option<Every> {
        match self {
            Self::Record | Self::Session => None,
            Self::Day => Some(Every::Day),
            Self::Week => Some(Every::Week),
            Self::Cycle => Some(Every::Cycle),
            Self::Quarter => Some(Every::Quarter),
        }
    }
}

/// What becomes of a call that reaches into another band.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BandEdge {
    #[default]
    Start,
    Increment,
    Anew,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rounding {
    pub places: u32,
    pub mode: Mode,
    /// Of each line of a cycle.
    #[serde(default)]
    pub line: Cents,
    /// Of what a document adds up to; without it, as of each line.
    pub invoice: Option<Cents>,
}

/// To how many places an amount that is printed is rounded, and how: to the cent, if nothing is said.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Cents {
    pub places: u32,
    pub mode: Mode,
}

impl Default for Cents {
    fn default() -> Self {
        Self { places: 2, mode: Mode::HalfUp }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Destinations {
    pub table: Option<String>,
    #[serde(default)]
    pub prefixes: BTreeMap<String, String>,
    #[serde(default)]
    pub short_codes: BTreeMap<String, String>,
    pub unnumbered: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Zones {
    pub table: Option<String>,
    #[serde(default)]
    pub zones: BTreeMap<String, String>,
}

/// What stands in a table beside the file and nowhere else.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Beside {
    pub table: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExchangeText {
    pub table: Option<String>,
    /// Days that a rate is used at most.
    pub days_max: Option<i32>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Prices {
    pub table: Option<String>,
    /// Our name of a column to theirs.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CalendarText {
    pub name: String,
    #[serde(default)]
    pub dates: Vec<Datetime>,
    pub table: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BandText {
    pub name: String,
    pub days: OneOrMany,
    #[serde(default)]
    pub except: OneOrMany,
    pub from: String,
    pub to: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlanText {
    pub name: String,
    pub mb_bytes: Option<u64>,
    #[serde(default)]
    pub band_edge: BandEdge,
    pub fallback: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct PriceText {
    pub plan: OneOrMany,
    pub kind: OneOrMany,
    pub zone: OneOrMany,
    pub band: Option<OneOrMany>,
    pub party: Option<OneOrMany>,
    pub tax_class: Option<String>,
    pub information: Option<InformationFrom>,
    pub setup: Option<String>,
    pub disconnect: Option<String>,
    pub free_units: Option<u64>,
    pub minimum: Option<u64>,
    pub increment: Option<u64>,
    pub unit_price: Option<String>,
    pub per: Option<u64>,
    pub charge_min: Option<String>,
    pub charge_max: Option<String>,
    pub zero_usage: Option<ZeroUsage>,
    pub rounding_scope: Option<RoundingScope>,
    pub total: Option<String>,
    pub total_scope: Option<Scope>,
    pub count: Option<Count>,
    pub steps: Option<Vec<StepText>>,
    pub cost_plus: Option<CostPlusText>,
}

/// Where the charge for what is heard or read comes from, beside that for the way there.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum InformationFrom {
    /// The tariff's list, by the number called.
    Listed,
    /// The provider's cost.
    Cost,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepText {
    pub from: u64,
    pub increment: u64,
    pub unit_price: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CostPlusText {
    pub percent: String,
    pub fixed: Option<String>,
}

/// `"NL-FIX"` or `["NL-FIX", "NL-MOB"]`.
#[derive(Deserialize, Clone)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl OneOrMany {
    pub fn into_list(self) -> Vec<String> {
        match self {
            Self::One(name) => vec![name],
            Self::Many(names) => names,
        }
    }
}
