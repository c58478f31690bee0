//! Sections of a tariff file that name tables beside it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// How tables are written, if a spreadsheet wrote them.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Tables")]
pub(crate) struct RawTables {
    /// What separates fields: `,` (the usual), `;` or `tab`.
    #[schemars(extend("enum" = [",", ";", "tab"]))]
    pub separator: Option<String>,
    /// The decimal mark of amounts: `.` (the usual) or `,`. Nothing stands between thousands.
    #[schemars(extend("enum" = [".", ","]))]
    pub decimal_mark: Option<String>,
}

/// Zones of the numbers that are called: the longest prefix decides.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Destinations")]
pub(crate) struct RawDestinations {
    /// A CSV file beside the tariff with the columns `prefix,zone` and, if needed, `valid_from`, `valid_to`: local days.
    pub table: Option<String>,
    /// International prefixes without + or 00, to zones.
    #[serde(default)]
    pub prefixes: BTreeMap<String, String>,
    /// Numbers such as 112 that are matched as a whole, to zones.
    #[serde(default)]
    pub short_codes: BTreeMap<String, String>,
    /// Zone of words and masked numbers. Without it they have none.
    pub unnumbered: Option<String>,
}

/// Zones by key.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Zones")]
pub(crate) struct RawZones {
    /// A CSV file beside the tariff with the columns `network,zone` (and, if needed, `valid_from` and `valid_to`, local days) or `class,zone`.
    pub table: Option<String>,
    /// Keys to zones.
    #[serde(default)]
    pub zones: BTreeMap<String, String>,
}

/// Zones of usage abroad by pair.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Roaming")]
pub(crate) struct RawRoaming {
    /// A CSV file beside the tariff with the columns `visited,called,zone`; `*` in `called` stands for anywhere.
    pub table: Option<String>,
}

/// What numbers ask.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Information")]
pub(crate) struct RawInformation {
    /// A CSV file beside the tariff with the columns `number,per_call,per_minute` and, if needed, `valid_from`, `valid_to`: local days.
    pub table: Option<String>,
}

/// Rates of exchange.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Exchange")]
pub(crate) struct RawExchange {
    /// A CSV file beside the tariff with the columns `currency,date,rate`: units of the tariff's currency for one of the other.
    pub table: Option<String>,
    /// A rate is used until the next one, but at most so many days. Without it: 7.
    #[schemars(range(min = 1, max = 366))]
    pub days_max: Option<i64>,
}

/// Where plans are listed.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Plans")]
pub(crate) struct RawPlans {
    /// A CSV file beside the tariff with the columns `plan,mb_bytes` and, if needed, `band_edge`, `fallback`.
    pub table: Option<String>,
}

/// Where prices are listed, and what the columns are called there.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Prices")]
pub(crate) struct RawPrices {
    /// A CSV file beside the tariff with the columns `plan,kind,zone,band,setup,minimum,increment,unit_price` and, if needed, others of a
    /// price.
    pub table: Option<String>,
    /// Our names of columns to those in the file.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
}
