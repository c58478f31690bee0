//! Operators' words that change no row: a refused file needs no hand any more, a dead letter is to be sent again.

use std::collections::BTreeMap;

use domain::delivery::{ArrivalNumber, DeliveryId};
use domain::ports::Clock;
use serde::{Deserialize, Serialize};

use super::arrival::{ArrivalKind, Decision};
use super::request::check_name;
use super::{LandError, Landed, Landing};

/// Longest reason, bytes.
const WHY_BYTES_MAX: usize = 1024;

/// A delivery that was refused as a whole and that nobody needs to look at any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dismissal {
    /// The delivery.
    pub delivery: DeliveryId,
    /// Its arrival number.
    pub arrival: ArrivalNumber,
    /// Its name as given, for people.
    pub origin: String,
    /// Why, in the operator's words.
    pub why: String,
}

/// Dead letters that whoever holds the log is asked to send again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// The life of the topic of dead letters that the numbers are of.
    pub incarnation: String,
    /// Their offsets there.
    pub numbers: Vec<u64>,
}

impl Landing {
    /// Lands the word that a refused delivery needs no hand any more; [`Landed::Already`] if it was said before.
    pub fn dismiss(&self, number: ArrivalNumber, why: &str, clock: &dyn Clock) -> Result<Landed, LandError> {
        let arrival = self.read(number)?;
        let ArrivalKind::Delivery(record) = &arrival.kind else { return Err(LandError::NoArrival(number)) };
        check_name(&record.origin, "reason", why, WHY_BYTES_MAX)?;
        let (origin, why) = (record.origin.clone(), why.to_owned());
        let word = Dismissal { delivery: record.delivery, arrival: number, origin, why };
        self.arrive(&record.origin, clock, |index| match index.dismissal_of(number) {
            Some(decision) => Err(decision),
            None => Ok(ArrivalKind::Decision(Decision::Dismiss(word.clone()))),
        })
    }

    /// The deliveries that were dismissed, each with the word.
    pub fn dismissals(&self) -> Result<BTreeMap<DeliveryId, Dismissal>, LandError> {
        let numbers = self.refreshed()?.dismissals();
        let mut found = BTreeMap::new();
        for number in numbers {
            if let ArrivalKind::Decision(Decision::Dismiss(word)) = self.read(number)?.kind {
                found.insert(word.delivery, word);
            }
        }
        Ok(found)
    }

    /// Lands the wish to send dead letters again: whoever holds the log does so.
    pub fn ask_to_replay(&self, replay: &Replay, clock: &dyn Clock) -> Result<Landed, LandError> {
        self.arrive("dead letters", clock, |_| Ok(ArrivalKind::Decision(Decision::Replay(replay.clone()))))
    }
}
