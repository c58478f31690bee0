//! One event as typed fields, whatever its kind and version.

mod collect;

use domain::number::Network;
use domain::outcome::Reason;

use super::charge::Charge;
use super::tags;
use super::value::{Digits, Stamp};

pub(super) use collect::Collector;

/// What an event records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A call or message from the roamer.
    MobileOriginated,
    /// A call or message to the roamer.
    MobileTerminated,
    /// A data session, or a part of one.
    Gprs,
    /// A supplementary service was used.
    SupplementaryService,
    /// A message over IP (3.12).
    Messaging,
    /// A call over IP (3.12).
    MobileSession,
    /// Another event, by its tag.
    Other(u32),
}

impl EventKind {
    fn of(tag: u32) -> Self {
        match tag {
            tags::MOBILE_ORIGINATED => Self::MobileOriginated,
            tags::MOBILE_TERMINATED => Self::MobileTerminated,
            tags::GPRS => Self::Gprs,
            tags::SUPPLEMENTARY_SERVICE => Self::SupplementaryService,
            tags::MESSAGING => Self::Messaging,
            tags::MOBILE_SESSION => Self::MobileSession,
            other => Self::Other(other),
        }
    }
}

/// Which basic service a call used, by its code in 3GPP TS 29.002 (two hexadecimal digits).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service<'a> {
    /// A teleservice: `11` telephony, `12` emergency call, `21` and `22` short messages, `6x` fax.
    Tele(&'a str),
    /// A bearer service: circuit-switched data.
    Bearer(&'a str),
}

/// Why an event cannot be used, and the TAP item that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventFault {
    /// The first test that failed, in the order of the reasons.
    pub reason: Reason,
    /// The item's name in TAP.
    pub item: &'static str,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallEvent<'a> {
    /// What it records.
    pub kind: EventKind,
    /// The basic service of a call; the first, if it changed during the call.
    pub service: Option<Service<'a>>,
    /// The code of a supplementary service that was invoked (3GPP TS 29.002): `21` to `2B` are call forwarding.
    pub supplementary: Option<&'a str>,
    /// IMSI of the roamer.
    pub imsi: Option<u64>,
    /// MSISDN of the roamer.
    pub msisdn: Digits,
    /// Whom the roamer called or wrote to, or who called or wrote to the roamer.
    pub other: Digits,
    /// When it began.
    pub start: Stamp,
    /// Seconds.
    pub duration_s: Option<u64>,
    /// Bytes that the roamer received.
    pub bytes_in: Option<u64>,
    /// Bytes that the roamer sent.
    pub bytes_out: Option<u64>,
    /// What it costs.
    pub charge: Charge,
    /// The sender's rate class: call type levels 1 to 3 of its first charge.
    pub call_type: Option<(u64, u64, u64)>,
    /// The visited network, where it is not the sender.
    pub serving_network: Option<Network>,
    /// Code of the recording entity in [`super::head::Head::entities`].
    pub entity: Option<u64>,
    /// The switch's reference of a call.
    pub call_reference: Option<&'a [u8]>,
    /// The packet core's number of a data session; its parts share it.
    pub charging_id: Option<u64>,
    /// `F`, `I`, `L`: first, intermediate or last part.
    pub partial: Option<&'a str>,
    /// Code of the first tax in [`super::head::Accounting::taxes`].
    pub tax: Option<u64>,
    /// Code of the first discount in [`super::head::Accounting::discounts`].
    pub discount: Option<u64>,
}
