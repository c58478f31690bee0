//! Discounts as a tariff file writes them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::OneOrMany;

/// A percent of what is charged, by how much was charged before it in a period.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Discount")]
pub(crate) struct RawDiscount {
    /// Its name; versions of the tariff whose discounts have the same name count together.
    pub name: String,
    /// Plans that have it, or `*` for all.
    pub plan: OneOrMany,
    /// Kinds that it is for such as `voice-mo`, families such as `voice-*`, or `*` for all.
    pub kind: OneOrMany,
    /// Zones that it is for, or `*` for all.
    pub zone: OneOrMany,
    /// Bands of a record's start, or `*` for all, as without it.
    pub band: Option<OneOrMany>,
    /// Only if the other party is of ours at the start: `group`, `own_customer` or `own_network`. Without it: whoever it is.
    pub party: Option<OneOrMany>,
    /// Over what money is counted: each `cycle` of the customer (the usual), local `day`, `week` from Monday on, or `quarter`.
    #[schemars(extend("enum" = ["cycle", "day", "week", "quarter"]))]
    pub every: Option<String>,
    /// Whose money counts together: each subscription's (`personal`, the usual), the customer's (`shared`), or that of a `group` of lines.
    #[schemars(extend("enum" = ["personal", "shared", "group"]))]
    pub scope: Option<String>,
    /// Whether money has the percent of its own place (`graduated`, the usual), or all of it that of the last step that is reached
    /// (`volume`).
    #[schemars(extend("enum" = ["graduated", "volume"]))]
    pub count: Option<String>,
    /// Percents by the amount from which on they hold, in rising order; the first from 0.
    pub steps: Vec<RawPercent>,
}

/// What money from an amount on is charged more or less.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Percent")]
pub(crate) struct RawPercent {
    /// An amount of charges, such as "100.00".
    pub from: String,
    /// -100 to 10000, such as "-7.5"; below zero it is less.
    pub percent: String,
}
