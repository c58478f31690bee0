//! A tariff file as it is written: TOML to plain structs, unknown keys refused; nothing is believed yet.

mod allowance;
mod charges;
mod discount;
mod file;
mod tables;

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use toml::Spanned;
use toml::value::Datetime;

pub(crate) use self::allowance::{RawAllowance, RawFairUse};
pub(crate) use self::charges::{RawCommitment, RawFee};
pub(crate) use self::discount::RawDiscount;
pub(crate) use self::file::TomlFile;
pub(crate) use self::tables::{
    RawDestinations, RawExchange, RawInformation, RawPlans, RawPrices, RawRoaming, RawTables, RawZones,
};

/// A tariff: what usage costs, for whom, where and when. Amounts are texts such as "0.05", in the tariff's currency.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Tariff")]
pub(crate) struct RawTariff {
    /// Names the tariff over all its versions: `nl-zakelijk`.
    pub name: String,
    /// Of all amounts: three capital letters such as EUR.
    pub currency: String,
    /// IANA zone such as Europe/Amsterdam; dates and bands are local times there.
    pub time_zone: String,
    /// First day in force.
    #[schemars(with = "Day")]
    pub valid_from: Datetime,
    /// First day that is no longer in force. Without it: until further notice.
    #[schemars(with = "Option<Day>")]
    pub valid_to: Option<Datetime>,
    /// Zone of home networks, and of usage at home without a destination.
    pub home_zone: String,
    /// The band of what no window holds.
    pub default_band: String,
    /// By which clock bands are read: `tariff_zone` (the usual), or `source_offset`, the clock that the source wrote.
    #[schemars(extend("enum" = ["tariff_zone", "source_offset"]))]
    pub band_clock: Option<String>,
    /// What zero seconds or bytes cost: nothing (`free`, the usual), or setup and minimum all the same (`priced`).
    #[schemars(extend("enum" = ["free", "priced"]))]
    pub zero_usage: Option<String>,
    /// The tax class of prices that name none.
    pub tax_class: Option<String>,
    /// Whether prices hold the tax: `excluded` (the usual) or `included`. Rating never adds or takes off tax.
    #[schemars(extend("enum" = ["excluded", "included"]))]
    pub tax: Option<String>,
    /// The plan of this tariff that holds for plans that no tariff sells.
    pub fallback_plan: Option<String>,
    /// What setup, minimum and increments of prices that say nothing are of: each `record` (the usual), or the `session` that it is a part
    /// of; a price by the provider's cost is always of the record.
    #[schemars(extend("enum" = ["record", "session"]))]
    pub rounding_scope: Option<String>,
    /// Of the charge of each record, once; and of the lines of a cycle.
    pub rounding: RawRounding,
    /// How the tables beside the file are written.
    #[serde(default)]
    pub tables: RawTables,
    /// Zones of numbers that are called.
    #[serde(default)]
    pub destinations: RawDestinations,
    /// Zones by visited network: MCC-MNC or TADIG code, or MCC.
    #[serde(default)]
    pub networks: RawZones,
    /// Zones of usage abroad by the visited zone and the one that is called.
    #[serde(default)]
    pub roaming: RawRoaming,
    /// Zones by the provider's rate class.
    #[serde(default)]
    pub classes: RawZones,
    /// What numbers ask beside the traffic, for prices that add it.
    #[serde(default)]
    pub information: RawInformation,
    /// Rates of exchange, for prices that build on the provider's cost.
    #[serde(default)]
    pub exchange: RawExchange,
    /// Where plans are listed; they may stand in the file as well.
    #[serde(default)]
    pub plans: RawPlans,
    /// Where prices are listed; they may stand in the file as well.
    #[serde(default)]
    pub prices: RawPrices,
    /// Dates with a name.
    #[serde(default)]
    #[schemars(with = "Vec<RawCalendar>")]
    pub calendar: Vec<Spanned<RawCalendar>>,
    /// Windows of time bands.
    #[serde(default)]
    #[schemars(with = "Vec<RawBand>")]
    pub band: Vec<Spanned<RawBand>>,
    /// Plans that the tariff sells.
    #[serde(default)]
    #[schemars(with = "Vec<RawPlan>")]
    pub plan: Vec<Spanned<RawPlan>>,
    /// What plans give in each cycle before prices are charged.
    #[serde(default)]
    #[schemars(with = "Vec<RawAllowance>")]
    pub allowance: Vec<Spanned<RawAllowance>>,
    /// Percents of what is charged, by how much was charged before.
    #[serde(default)]
    #[schemars(with = "Vec<RawDiscount>")]
    pub discount: Vec<Spanned<RawDiscount>>,
    /// What plans charge whatever is used.
    #[serde(default)]
    #[schemars(with = "Vec<RawFee>")]
    pub fee: Vec<Spanned<RawFee>>,
    /// What is charged at least.
    #[serde(default)]
    #[schemars(with = "Vec<RawCommitment>")]
    pub commitment: Vec<Spanned<RawCommitment>>,
    /// Prices; the one that names plan, kind, zone and band most exactly holds.
    #[serde(default)]
    #[schemars(with = "Vec<RawPrice>")]
    pub price: Vec<Spanned<RawPrice>>,
}

/// A local date, without quotes: 2026-01-01.
#[derive(JsonSchema)]
#[schemars(extend("format" = "date"))]
pub(crate) struct Day(#[expect(dead_code, reason = "only its schema is asked for")] String);

/// Of the charge of one record.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Rounding")]
pub(crate) struct RawRounding {
    /// Decimal places.
    #[schemars(range(min = 0, max = 9))]
    pub places: i64,
    /// Halves away from zero, halves to the even neighbour, always away from zero, or always towards it.
    #[schemars(extend("enum" = ["half_up", "half_even", "up", "down"]))]
    pub mode: String,
    /// Of each line of a cycle. Without it: 2 places, `half_up`.
    pub line: Option<RawLineRounding>,
    /// Of the sum of a customer's lines of one currency and tax. Without it: as of lines.
    pub invoice: Option<RawLineRounding>,
}

/// Of what is invoiced.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LineRounding")]
pub(crate) struct RawLineRounding {
    /// Decimal places.
    #[schemars(range(min = 0, max = 9))]
    pub places: i64,
    /// As of records.
    #[schemars(extend("enum" = ["half_up", "half_even", "up", "down"]))]
    pub mode: String,
}

/// Dates with a name, such as the public holidays of a country.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Calendar")]
pub(crate) struct RawCalendar {
    /// What bands call it.
    pub name: String,
    /// Its dates.
    #[serde(default)]
    #[schemars(with = "Vec<Day>")]
    pub dates: Vec<Datetime>,
    /// A CSV file beside the tariff with a column `date` and, if wanted, `name`.
    pub table: Option<String>,
}

/// A window of a time band; it belongs to the date on which it begins.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Band")]
pub(crate) struct RawBand {
    /// The band; several windows may share it.
    pub name: String,
    /// Days on which it begins: `mon`, `mon-fri`, or the name of a calendar.
    pub days: OneOrMany,
    /// Calendars on whose dates it does not begin.
    pub except: Option<OneOrMany>,
    /// Its first minute: HH:MM.
    #[schemars(regex(pattern = "^[0-2][0-9]:[0-5][0-9]$"))]
    pub from: String,
    /// The first minute behind it: HH:MM, 24:00 for midnight; may lie on the next day.
    #[schemars(regex(pattern = "^[0-2][0-9]:[0-5][0-9]$"))]
    pub to: String,
}

/// A plan, by the name that devices have.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Plan")]
pub(crate) struct RawPlan {
    /// Its name.
    pub name: String,
    /// Bytes of a megabyte by contract: 1000000 or 1048576. Needed where data is sold by the megabyte.
    #[schemars(range(min = 1))]
    pub mb_bytes: Option<i64>,
    /// What a call costs that reaches into another band: that of its `start` (the usual), each `increment` by the band in which it begins,
    /// or each part `anew`.
    #[schemars(extend("enum" = ["start", "increment", "anew"]))]
    pub band_edge: Option<String>,
    /// The plan whose prices hold where this one has none.
    pub fallback: Option<String>,
}

/// A price: `unit_price` (with `increment`), or `steps`, or `cost_plus`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Price")]
pub(crate) struct RawPrice {
    /// Plans, or `*` for all.
    pub plan: OneOrMany,
    /// Kinds such as `voice-mo`, families such as `voice-*`, or `*` for all.
    pub kind: OneOrMany,
    /// Zones, or `*` for all.
    pub zone: OneOrMany,
    /// Bands, or `*` for all, as without it.
    pub band: Option<OneOrMany>,
    /// Only if the other party is of ours at the start: `own_network`, `own_customer` for the same customer, or `group` for a line of the
    /// same group. Without it: whoever it is.
    pub party: Option<OneOrMany>,
    /// Once per record.
    pub setup: Option<String>,
    /// Once per record, unless it has no units or all are free.
    pub disconnect: Option<String>,
    /// The first so many seconds, bytes or messages of a record are not charged.
    #[schemars(range(min = 0))]
    pub free_units: Option<i64>,
    /// So many seconds, bytes or messages are billed at least.
    #[schemars(range(min = 0))]
    pub minimum: Option<i64>,
    /// Units are billed in multiples of this; 1 without it.
    #[schemars(range(min = 1))]
    pub increment: Option<i64>,
    /// Of one unit size.
    pub unit_price: Option<String>,
    /// Units that one unit price covers. Without it: 60 seconds, the plan's megabyte, 1 message.
    #[schemars(range(min = 1))]
    pub per: Option<i64>,
    /// The least that a charged record costs.
    pub charge_min: Option<String>,
    /// The most.
    pub charge_max: Option<String>,
    /// As in the head, for this price.
    #[schemars(extend("enum" = ["free", "priced"]))]
    pub zero_usage: Option<String>,
    /// As in the head, for this price.
    pub tax_class: Option<String>,
    /// What the number asks is added: as the information table says (`listed`), or what the provider asks (`cost`).
    #[schemars(extend("enum" = ["listed", "cost"]))]
    pub information: Option<String>,
    /// What setup, disconnect, minimum, increments, steps and bounds are of: each `record`, the `session`, or all that counts together in a
    /// `day`, `week`, `cycle` or `quarter` of the customer. Without it: as in the head.
    #[schemars(extend("enum" = ["record", "session", "day", "week", "cycle", "quarter"]))]
    pub rounding_scope: Option<String>,
    /// Needed for periods: prices of one name count together.
    pub total: Option<String>,
    /// Whose units count together: each subscription's (`personal`, the usual), the customer's (`shared`), or those of a `group` of lines.
    #[schemars(extend("enum" = ["personal", "shared", "group"]))]
    pub total_scope: Option<String>,
    /// Whether units cost what the step of their own place says (`graduated`, the usual), or all of them what the last step says that is
    /// reached (`volume`).
    #[schemars(extend("enum" = ["graduated", "volume"]))]
    pub count: Option<String>,
    /// Prices by the first unit of each, in rising order.
    pub steps: Option<Vec<RawStep>>,
    /// A part of the provider's cost instead of a price per unit.
    pub cost_plus: Option<RawCostPlus>,
}

/// What units from one on cost.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Step")]
pub(crate) struct RawStep {
    /// The first unit; the first step begins at 0.
    #[schemars(range(min = 0))]
    pub from: i64,
    /// Units are billed in multiples of this.
    #[schemars(range(min = 1))]
    pub increment: i64,
    /// Of one unit size.
    pub unit_price: String,
}

/// The provider's cost × (1 + percent / 100) + fixed.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CostPlus")]
pub(crate) struct RawCostPlus {
    /// -100 to 10000, such as "15" or "7.5".
    pub percent: String,
    /// Once per record.
    pub fixed: Option<String>,
}

/// A text or a list of texts: `"NL-FIX"` or `["NL-FIX", "NL-MOB"]`.
pub(crate) struct OneOrMany(pub Vec<String>);

impl JsonSchema for OneOrMany {
    fn schema_name() -> Cow<'static, str> {
        "OneOrMany".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A name, or a list of names.",
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
        })
    }
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;

        impl<'de> Visitor<'de> for Texts {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(OneOrMany(texts))
            }
        }

        deserializer.deserialize_any(Texts)
    }
}
