//! What a tariff file says that is settled among a customer's records: allowances and discounts.

use serde::Deserialize;

use crate::text::OneOrMany;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AllowanceText {
    pub name: String,
    pub plan: OneOrMany,
    pub kind: OneOrMany,
    pub zone: OneOrMany,
    pub band: Option<OneOrMany>,
    pub party: Option<OneOrMany>,
    pub units: Option<u64>,
    pub money: Option<String>,
    #[serde(default)]
    pub unlimited: bool,
    pub fair_use: Option<FairUseText>,
    pub most: Option<String>,
    #[serde(default)]
    pub every: Every,
    #[serde(default)]
    pub scope: Scope,
    pub minimum: Option<u64>,
    pub increment: Option<u64>,
    pub setup: Option<SetupFee>,
    #[serde(default)]
    pub priority: i64,
    #[serde(default)]
    pub weight: i64,
    #[serde(default)]
    pub roll_over: u8,
    #[serde(default)]
    pub pro_rata: ProRata,
    #[serde(default)]
    pub beyond: Beyond,
    /// At which of its parts somebody is told: no charge hangs on it.
    #[serde(rename = "thresholds")]
    pub _thresholds: Option<Vec<u8>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DiscountText {
    pub name: String,
    pub plan: OneOrMany,
    pub kind: OneOrMany,
    pub zone: OneOrMany,
    pub band: Option<OneOrMany>,
    pub party: Option<OneOrMany>,
    #[serde(default)]
    pub every: Every,
    #[serde(default)]
    pub scope: Scope,
    #[serde(default)]
    pub count: Count,
    pub steps: Vec<DiscountStepText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DiscountStepText {
    pub from: String,
    pub percent: String,
}

/// What a fair use of a plan abroad is, by its price and the cap of what a provider charges.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FairUseText {
    pub price: String,
    pub cap: String,
    /// Units that the cap is for.
    pub per: u64,
}

/// In each of which periods it gives.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Every {
    Day,
    /// From Monday on.
    Week,
    #[default]
    Cycle,
    /// Three cycles: those named January to March, and so on.
    Quarter,
}

/// Who draws from one bucket.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// A subscription.
    #[default]
    Personal,
    /// All of a customer, granted once.
    Shared,
    /// All of a customer, granted as often as there are subscriptions.
    Pooled,
    /// A customer's lines of one group, granted once.
    Group,
}

/// Which step counts for what a total has come to.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Count {
    /// Each for the part that lies in it.
    #[default]
    Graduated,
    /// The last that is reached, for all of it.
    Volume,
}

/// Whether a record that is covered whole costs the setup fee of its price.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SetupFee {
    #[default]
    IfCharged,
    Always,
}

/// What becomes of a record that is not covered whole.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Beyond {
    /// What is left of it is charged.
    #[default]
    Price,
    /// It is not charged, and draws nothing.
    Block,
}

/// Whether a part of a period gives a part of the amount.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProRata {
    #[default]
    None,
    Days,
}
