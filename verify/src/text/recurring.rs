//! What a tariff file says that is charged without any record: fees and minimum commitments.

use serde::Deserialize;

use crate::text::OneOrMany;
use crate::text::settled::ProRata;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FeeText {
    pub name: String,
    pub plan: OneOrMany,
    pub amount: String,
    /// That the amount is negative is meant: an import saw to it.
    #[serde(default, rename = "credit")]
    pub _credit: bool,
    #[serde(default)]
    pub every: Due,
    #[serde(default = "Subject::personal")]
    pub scope: Subject,
    #[serde(default)]
    pub pro_rata: ProRata,
    pub tax_class: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommitmentText {
    pub name: String,
    pub plan: OneOrMany,
    pub kind: Option<OneOrMany>,
    pub zone: Option<OneOrMany>,
    pub band: Option<OneOrMany>,
    pub amount: String,
    #[serde(default)]
    pub every: Due,
    #[serde(default = "Subject::shared")]
    pub scope: Subject,
    #[serde(default)]
    pub pro_rata: ProRata,
    #[serde(default)]
    pub fees: bool,
    pub tax_class: Option<String>,
}

/// With which cycles something is charged.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Due {
    #[default]
    Cycle,
    /// With the last of three.
    Quarter,
    /// With the one that holds the first day of all.
    Once,
}

/// Who is charged.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Subject {
    /// Each subscription.
    Personal,
    /// The customer, for all of them.
    Shared,
}

impl Subject {
    fn personal() -> Self {
        Self::Personal
    }

    fn shared() -> Self {
        Self::Shared
    }
}
