//! Fees and minimum commitments as a tariff file writes them.

use schemars::JsonSchema;
use serde::Deserialize;

use super::OneOrMany;

/// What plans charge whatever is used: each cycle, each quarter, or once.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Fee")]
pub(crate) struct RawFee {
    /// Its name; over all tariffs and versions, fees of one name are one fee.
    pub name: String,
    /// Plans that charge it, or `*` for all of this tariff.
    pub plan: OneOrMany,
    /// What it costs, such as "12.50"; below zero with `credit` alone.
    pub amount: String,
    /// Whether it is a credit: its amount is below zero then.
    pub credit: Option<bool>,
    /// How often it is charged: each `cycle` of the customer (the usual), each `quarter` of three cycles, with its last, or `once`, in the
    /// cycle in which the plan is first had.
    #[schemars(extend("enum" = ["cycle", "quarter", "once"]))]
    pub every: Option<String>,
    /// Who is charged: each subscription (`personal`, the usual), or the customer once (`shared`).
    #[schemars(extend("enum" = ["personal", "shared"]))]
    pub scope: Option<String>,
    /// What a line is charged that has the plan in a part of the period: all of it (`none`, the usual), or by its `days`. Not of what is
    /// charged once.
    #[schemars(extend("enum" = ["none", "days"]))]
    pub pro_rata: Option<String>,
    /// As in the head, for this fee.
    pub tax_class: Option<String>,
}

/// What is charged at least: what usage leaves of it is a line of the invoice.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Commitment")]
pub(crate) struct RawCommitment {
    /// Its name; over all tariffs and versions, commitments of one name are one commitment.
    pub name: String,
    /// Plans whose lines make it due and whose usage counts, or `*` for all of this tariff.
    pub plan: OneOrMany,
    /// Kinds that count such as `voice-mo`, families such as `voice-*`, or `*` for all, as without it.
    pub kind: Option<OneOrMany>,
    /// Zones that count, or `*` for all, as without it.
    pub zone: Option<OneOrMany>,
    /// Bands that count, or `*` for all, as without it.
    pub band: Option<OneOrMany>,
    /// What is charged at least, above zero.
    pub amount: String,
    /// Of which period: each `cycle` of the customer (the usual), or each `quarter` of three cycles, with its last.
    #[schemars(extend("enum" = ["cycle", "quarter"]))]
    pub every: Option<String>,
    /// Whose usage counts together: the customer's (`shared`, the usual), or each subscription's (`personal`).
    #[schemars(extend("enum" = ["shared", "personal"]))]
    pub scope: Option<String>,
    /// What is committed where the plan is had in a part of the period: all of it (`none`, the usual), or by its `days`.
    #[schemars(extend("enum" = ["none", "days"]))]
    pub pro_rata: Option<String>,
    /// Whether fees of the same subject and plans count, too, but for what is charged once.
    pub fees: Option<bool>,
    /// As in the head, for this commitment.
    pub tax_class: Option<String>,
}
