//! A file whose bytes are known and that is about to arrive: what the arrivals so far make of it.

use domain::delivery::{ArrivalNumber, DeliveryIdentity};

use super::arrival::{ArrivalKind, DeliveryRecord, DeliveryState};
use super::index::{Index, Ruling};
use super::{LandError, LandRequest, Repeat};

/// A file on its way.
#[derive(Debug, Clone)]
pub(super) struct Coming {
    pub(super) request: LandRequest,
    pub(super) size: u64,
    identity: DeliveryIdentity,
    /// The hash of the file that it was wrapped in.
    unwrapped_from: Option<String>,
}

impl Coming {
    /// A file as it was sent.
    pub(super) fn of(request: &LandRequest, sha256: &str, size: u64) -> Self {
        Self { identity: request.identity(sha256), request: request.clone(), size, unwrapped_from: None }
    }

    /// A file that was found in another.
    pub(super) fn unwrapped_from(self, sent: &str) -> Self {
        Self { unwrapped_from: Some(sent.to_owned()), ..self }
    }

    /// What the arrivals so far mean for it.
    pub(super) fn ruling(&self, index: &Index) -> Ruling {
        let LandRequest { origin, mode, repeat, .. } = &self.request;
        index.rule(&self.identity, origin, self.size, *mode, *repeat)
    }

    /// Whether it takes the place of something.
    pub(super) fn replaces(&self, index: &Index) -> bool {
        let LandRequest { mode, repeat, .. } = &self.request;
        index.replaced_by(&self.identity, self.size, *mode, *repeat).is_some()
    }

    /// Whether the arrival of the one may change what another means: then they cannot arrive together.
    pub(super) fn concerns(&self, other: &Self) -> bool {
        let (one, two) = (&self.identity, &other.identity);
        one.sha256 == two.sha256 || (one.logical_file == two.logical_file && one.account == two.account && one.cycle == two.cycle)
    }

    /// A file without bytes takes nothing's place.
    pub(super) fn check(&self) -> Result<(), LandError> {
        let (Repeat::Replaces(former), 0) = (self.request.repeat, self.size) else { return Ok(()) };
        let what = format!("it has no bytes, so it takes nothing's place; to take arrival {former} back, withdraw that one");
        Err(LandError::Request { file: self.request.origin.clone(), what })
    }

    /// What arrives, given all arrivals before it; or the number under which it has arrived.
    pub(super) fn decide(&self, index: &Index, profile_sha256: &str) -> Result<ArrivalKind, ArrivalNumber> {
        let (request, identity, size) = (&self.request, &self.identity, self.size);
        let (state, replaces) = match self.ruling(index) {
            // If it acts by now, another process was faster.
            Ruling::Already(number) | Ruling::Acts(number) => return Err(number),
            Ruling::Announce => (DeliveryState::Announced, index.replaced_by(identity, size, request.mode, request.repeat)),
            Ruling::Hold(reason) => (DeliveryState::Held { reason }, None),
        };
        let identity = DeliveryIdentity { generation: index.next_generation(identity, size), ..identity.clone() };
        let record = request.record(&identity, size, profile_sha256, state);
        Ok(ArrivalKind::Delivery(DeliveryRecord { unwrapped_from: self.unwrapped_from.clone(), replaces, ..record }))
    }
}
