//! Operators' decisions, landed in the one order before they act, and what corrections ask of that order.

use domain::delivery::{ArrivalNumber, DeliveryId};
use domain::ports::Clock;

use super::arrival::{ArrivalKind, Decision, DeliveryRecord, Replaces, Withdrawal};
use super::{LandError, Landed, Landing};

impl Landing {
    /// Lands the decision to take a delivery back; [`Landed::Already`] names the decision if it was made before. One that is
    /// held is rejected by it.
    pub fn withdraw(&self, number: ArrivalNumber, clock: &dyn Clock) -> Result<Landed, LandError> {
        let arrival = self.read(number)?;
        let ArrivalKind::Delivery(record) = &arrival.kind else { return Err(LandError::NoArrival(number)) };
        let word = Withdrawal {
            account: record.identity.account.clone(),
            delivery: record.delivery,
            arrival: number,
            origin: record.origin.clone(),
        };
        self.arrive(&record.origin, clock, |index| match index.withdrawal_of(number) {
            Some(decision) => Err(decision),
            None => Ok(ArrivalKind::Decision(Decision::Withdraw(word.clone()))),
        })
    }

    /// The decision that took back the delivery with this number, if there is one.
    pub fn withdrawal_of(&self, number: ArrivalNumber) -> Result<Option<ArrivalNumber>, LandError> {
        Ok(self.refreshed()?.withdrawal_of(number))
    }

    /// The announced delivery that takes the place of the one with this number, once it is in the table whole.
    pub fn superseded_by(&self, delivery: ArrivalNumber) -> Result<Option<ArrivalNumber>, LandError> {
        Ok(self.refreshed()?.superseded_by(delivery))
    }

    /// What acts where the delivery with this number acted, as landing knows: itself, or the last of those that came in its place;
    /// `None` if that was taken back.
    pub fn stands_for(&self, delivery: ArrivalNumber) -> Result<Option<ArrivalNumber>, LandError> {
        Ok(self.refreshed()?.stands_for(delivery))
    }

    /// The number under which a delivery acts.
    pub fn announced(&self, delivery: DeliveryId) -> Result<Option<ArrivalNumber>, LandError> {
        Ok(self.refreshed()?.announced(delivery))
    }

    /// The deliveries whose place the delivery with this number takes, in order, with their numbers; those that an operator has
    /// taken back are left out.
    pub fn replaced_by(
        &self,
        number: ArrivalNumber,
        record: &DeliveryRecord,
    ) -> Result<Vec<(ArrivalNumber, DeliveryId)>, LandError> {
        match record.replaces {
            None => Ok(Vec::new()),
            Some(Replaces::SameName) => Ok(self.refreshed()?.acting_under(&record.identity, number).collect()),
            Some(Replaces::Arrival(former)) => {
                let arrival = self.read(former)?;
                let ArrivalKind::Delivery(replaced) = arrival.kind else { return Ok(Vec::new()) };
                let is_ours = replaced.identity.account == record.identity.account && former < number;
                let is_there = self.refreshed()?.withdrawal_of(former).is_none();
                Ok(if is_ours && is_there { vec![(former, replaced.delivery)] } else { Vec::new() })
            }
        }
    }
}
