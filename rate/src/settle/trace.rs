//! How one record drew, to be told to people.

use super::Period;

/// How a record drew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// In the order in which it drew; limits that took nothing off are there, too.
    pub draws: Vec<Draw>,
    /// Units that no allowance took, as they were rounded.
    pub rest: u64,
    /// Whether it has no price, because it is not covered whole: the draws are what was there for it, and stays.
    pub is_blocked: bool,
    /// How its price is of more than this record.
    pub total: Option<Ran>,
    /// What was taken off its charge, or added, by what was charged before.
    pub discount: Option<Ran>,
}

/// What a record moved that runs on over several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// The total or the discount; empty for a session.
    pub name: String,
    /// Over what: a period, or `session`.
    pub over: String,
    /// Where it stood before: units, or nano-units that were charged; `None`: nothing came before.
    pub before: Option<u64>,
    /// Where it stands with the record.
    pub after: u64,
}

/// What a record took out of one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// The allowance.
    pub allowance: String,
    /// The period that gave it.
    pub period: Period,
    /// What the period gave: units, or nano-units of money; `None`: without end.
    pub given: Option<u64>,
    /// What was left before; of a limit what could still be charged.
    pub before: Option<u64>,
    /// What is left after it.
    pub after: Option<u64>,
    /// What the record got: of a limit what is not charged.
    pub taken: u64,
    /// Whether these are nano-units of money.
    pub is_money: bool,
    /// Whether it is a limit.
    pub is_limit: bool,
}
