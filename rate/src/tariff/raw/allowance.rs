//! Allowances as a tariff file writes them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::OneOrMany;

/// What plans give in each cycle before prices are charged: `units`, or `money`, or `most`, or `unlimited`, or `fair_use`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Allowance")]
pub(crate) struct RawAllowance {
    /// Its name; versions of the tariff that give what has the same name give it once.
    pub name: String,
    /// Plans that give it, or `*` for all.
    pub plan: OneOrMany,
    /// Kinds that it covers such as `voice-mo`, families such as `voice-*`, or `*` for all.
    pub kind: OneOrMany,
    /// Zones that it covers, or `*` for all.
    pub zone: OneOrMany,
    /// Bands of a record's start, or `*` for all, as without it.
    pub band: Option<OneOrMany>,
    /// Only if the other party is of ours at the start: `own_network`, `own_customer` for the same customer, or `group` for a line of the
    /// same group. Without it: whoever it is.
    pub party: Option<OneOrMany>,
    /// Seconds, bytes or messages that it gives in a cycle.
    #[schemars(range(min = 1))]
    pub units: Option<i64>,
    /// An amount that it gives in a cycle.
    pub money: Option<String>,
    /// So much is charged in a cycle of all that it covers, and no more: a limit.
    pub most: Option<String>,
    /// It has no end.
    pub unlimited: Option<bool>,
    /// Units by the fair use formula of Regulation (EU) 2022/612.
    pub fair_use: Option<RawFairUse>,
    /// How often it gives: each `cycle` of the customer (the usual), local `day`, `week` from Monday on, or `quarter` of three cycles.
    #[schemars(extend("enum" = ["cycle", "day", "week", "quarter"]))]
    pub every: Option<String>,
    /// Whose it is: of each subscription (`personal`, the usual), of the customer (`shared`), of the customer as the sum of what each
    /// subscription brings (`pooled`), or of a `group` of the customer's lines.
    #[schemars(extend("enum" = ["personal", "shared", "pooled", "group"]))]
    pub scope: Option<String>,
    /// Of a record it takes at least so many units.
    #[schemars(range(min = 0))]
    pub minimum: Option<i64>,
    /// Beyond them multiples of this; 1 without it.
    #[schemars(range(min = 1))]
    pub increment: Option<i64>,
    /// When the setup fee is charged: if a part of the record is charged (`if_charged`, the usual), or `always`.
    #[schemars(extend("enum" = ["if_charged", "always"]))]
    pub setup: Option<String>,
    /// Lower goes first; 0 without it.
    #[schemars(range(min = -1_000_000, max = 1_000_000))]
    pub priority: Option<i64>,
    /// Of equal priority the heavier goes first; 0 without it.
    #[schemars(range(min = -1_000_000, max = 1_000_000))]
    pub weight: Option<i64>,
    /// Periods for which what is left stays usable; 0 without it.
    #[schemars(range(min = 0, max = 24))]
    pub roll_over: Option<i64>,
    /// What a line gets that has the plan in a part of the cycle: all of it (`none`, the usual), or by its `days`.
    #[schemars(extend("enum" = ["none", "days"]))]
    pub pro_rata: Option<String>,
    /// What a record is that it does not cover whole: charged by its `price` (the usual), or in suspense without one (`block`).
    #[schemars(extend("enum" = ["price", "block"]))]
    pub beyond: Option<String>,
    /// At how many percent of it that are used it is told, once: whole percents in rising order; 75, 90 and 100 without it.
    pub thresholds: Option<Vec<i64>>,
}

/// Units = 2 × price / cap × per, rounded up.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FairUse")]
pub(crate) struct RawFairUse {
    /// What the plan costs in a cycle, without VAT.
    pub price: String,
    /// The wholesale cap for `per` units.
    pub cap: String,
    /// Units that the cap is for, such as 1000000000 bytes.
    #[schemars(range(min = 1))]
    pub per: i64,
}
