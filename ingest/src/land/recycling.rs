//! Decisions to rate rows again, in suspense or with a price, to correct fields of rows in suspense, and to write such rows off: landed
//! in the one order before they act, one for each account that has rows of the choice.

use std::collections::BTreeSet;

use domain::closed::ClosedCycles;
use domain::delivery::{Account, ArrivalNumber, DeliveryId, DeliveryIdentity};
use domain::ports::Clock;
use serde::{Deserialize, Serialize};

use super::arrival::{ArrivalKind, Decision};
use super::{LandError, Landed, Landing};
use crate::parse::edit::FieldEdits;

/// Which rows of an account are rated again, corrected or written off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Recycling {
    /// Whose rows: they stand in the order of the account's files.
    pub account: Account,
    /// Which of them.
    pub choice: RowChoice,
}

/// The rows that are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowChoice {
    /// Rows in suspense.
    Suspense(SuspenseChoice),
    /// Rows with a price.
    Priced(PricedChoice),
    /// Rows that draw from allowances.
    Drawing(DrawingChoice),
    /// Rows in suspense that will never be charged.
    WriteOff(WriteOff),
    /// Rows in suspense of which somebody knows fields better than their source.
    Edit(Edit),
}

impl RowChoice {
    /// Leaves alone what was billed when these cycles were closed, unless that is meant, too.
    pub fn leave(&mut self, closed: &ClosedCycles) {
        let (frozen, billed_too) = match self {
            Self::Priced(choice) => (&mut choice.frozen, choice.billed_too),
            Self::Drawing(choice) => (&mut choice.frozen, choice.billed_too),
            Self::Suspense(_) | Self::WriteOff(_) | Self::Edit(_) => return,
        };
        if !billed_too {
            frozen.take_in(closed);
        }
    }
}

/// What rows that allowances cover are chosen by; all that is named must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrawingChoice {
    /// The customers; any if there is none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub customers: BTreeSet<String>,
    /// The customers' billing cycles, `2026-10`; any if there is none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub cycles: BTreeSet<String>,
    /// Closed cycles: what was billed in them stays as it stands; as it does in those that are closed before this is carried out.
    #[serde(default, skip_serializing_if = "ClosedCycles::is_empty")]
    pub frozen: ClosedCycles,
    /// What was billed is meant, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub billed_too: bool,
    /// The reference version under which no record of another customer can be meant; under any other, all are looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
}

/// Rows in suspense that will never be charged, who says so, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteOff {
    /// Which of them.
    pub choice: SuspenseChoice,
    /// Who decided it.
    pub by: String,
    /// Why.
    pub why: String,
}

/// Fields of rows in suspense that are corrected, who does so, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// Which of them.
    pub choice: SuspenseChoice,
    /// What all of them are to have.
    pub set: FieldEdits,
    /// Who decided it.
    pub by: String,
    /// Why.
    pub why: String,
}

/// What rows with a price are chosen by, as they stand or as they come out; all that is named must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PricedChoice {
    /// The customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// The plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The customer's billing cycle, `2026-10`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycle: Option<String>,
    /// Closed cycles: what was billed in them stays as it stands; as it does in those that are closed before this is carried out.
    #[serde(default, skip_serializing_if = "ClosedCycles::is_empty")]
    pub frozen: ClosedCycles,
    /// What was billed is meant, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub billed_too: bool,
}

/// A decision as it is written: one of the choices.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    account: Account,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    choice: Option<SuspenseChoice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    priced: Option<PricedChoice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    drawing: Option<DrawingChoice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    write_off: Option<WriteOff>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edit: Option<Edit>,
}

impl TryFrom<Wire> for Recycling {
    type Error = &'static str;

    fn try_from(wire: Wire) -> Result<Self, Self::Error> {
        let choice = match (wire.choice, wire.priced, wire.drawing, wire.write_off, wire.edit) {
            (Some(choice), None, None, None, None) => RowChoice::Suspense(choice),
            (None, Some(priced), None, None, None) => RowChoice::Priced(priced),
            (None, None, Some(drawing), None, None) => RowChoice::Drawing(drawing),
            (None, None, None, Some(write_off), None) => RowChoice::WriteOff(write_off),
            (None, None, None, None, Some(edit)) => RowChoice::Edit(edit),
            _ => {
                return Err(
                    "a decision about rows has a `choice` of suspense, one of `priced` rows, one of `drawing` rows, a `write_off`, or an `edit`",
                );
            }
        };
        Ok(Self { account: wire.account, choice })
    }
}

impl From<Recycling> for Wire {
    fn from(word: Recycling) -> Self {
        let nothing = Self { account: word.account, choice: None, priced: None, drawing: None, write_off: None, edit: None };
        match word.choice {
            RowChoice::Suspense(choice) => Self { choice: Some(choice), ..nothing },
            RowChoice::Priced(priced) => Self { priced: Some(priced), ..nothing },
            RowChoice::Drawing(drawing) => Self { drawing: Some(drawing), ..nothing },
            RowChoice::WriteOff(write_off) => Self { write_off: Some(write_off), ..nothing },
            RowChoice::Edit(edit) => Self { edit: Some(edit), ..nothing },
        }
    }
}

/// What rows in suspense are chosen by; all that is named must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuspenseChoice {
    /// Their reasons, by name; any if there is none.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub reasons: BTreeSet<String>,
    /// The delivery that they stand in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryId>,
    /// Their row there, for one record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// A number of the served party.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<Numbered>,
}

/// A number of the served party, as one integer: country code and number, an IMSI, or the first 19 digits of an ICCID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Numbered {
    /// The subscriber's number.
    Msisdn(u64),
    /// The subscription on the SIM.
    Imsi(u64),
    /// The card.
    Iccid(u64),
}

impl Recycling {
    /// What an order in the log names as its delivery, so that one of another installation is told apart.
    pub fn order(&self) -> DeliveryId {
        let (name, choice) = match &self.choice {
            RowChoice::Suspense(choice) => ("recycle", serde_json::to_string(choice)),
            RowChoice::Priced(choice) => ("rerate", serde_json::to_string(choice)),
            RowChoice::Drawing(choice) => ("settle", serde_json::to_string(choice)),
            RowChoice::WriteOff(write_off) => ("write_off", serde_json::to_string(write_off)),
            RowChoice::Edit(edit) => ("edit", serde_json::to_string(edit)),
        };
        let logical_file = name.to_owned();
        let sha256 = Landing::sha256_of(choice.expect("texts and numbers are JSON"));
        DeliveryIdentity { account: self.account.clone(), cycle: None, logical_file, sha256, generation: 0 }.id()
    }
}

impl Landing {
    /// Lands the decision to rate rows again: each is an act of its own, because reference data may have changed.
    pub fn recycle(&self, word: &Recycling, clock: &dyn Clock) -> Result<Landed, LandError> {
        self.arrive("rows to rate again", clock, |_| Ok(ArrivalKind::Decision(Decision::Recycle(word.clone()))))
    }

    /// The decisions to rate rows of an account again from number `from` up to `to`, both included, in order.
    pub fn recyclings(
        &self,
        account: &str,
        from: ArrivalNumber,
        to: ArrivalNumber,
    ) -> Result<Vec<(ArrivalNumber, RowChoice)>, LandError> {
        let within = |number: &&ArrivalNumber| (from..=to).contains(*number);
        let numbers: Vec<ArrivalNumber> = self.refreshed()?.recyclings_of(account).iter().filter(within).copied().collect();
        let mut found = Vec::with_capacity(numbers.len());
        for number in numbers {
            if let ArrivalKind::Decision(Decision::Recycle(word)) = self.read(number)?.kind {
                found.push((number, word.choice));
            }
        }
        Ok(found)
    }
}
