//! Collects one event in one pass: tags mean the same wherever they stand, and the few items that depend on what holds them
//! look at that. So the versions, which nest the same items in different ways, need no code of their own.

use domain::number::Network;
use domain::outcome::Reason;

use crate::tap3::ber::Visitor;
use crate::tap3::charge::{Charge, Sum};
use crate::tap3::head::Head;
use crate::tap3::tags;
use crate::tap3::value::{Digits, Stamp, ascii, integer, local_time, natural};

use super::{CallEvent, EventFault, EventKind, Service};

/// The charges that stand together under one exchange rate.
#[derive(Debug, Clone, Copy, Default)]
struct Item {
    rate: Option<u64>,
    units: i128,
    has_details: bool,
    has_total: bool,
}

/// Collects one event; to be made anew for each.
#[derive(Debug)]
pub(in crate::tap3) struct Collector<'h, 'a> {
    head: &'h Head,
    depth: u32,
    root: u32,
    fault: Option<EventFault>,
    service: Option<Service<'a>>,
    supplementary: Option<&'a str>,
    imsi: Option<u64>,
    msisdn: Digits,
    called: [Digits; 4],
    start: (Option<i64>, Option<u64>),
    duration_s: Option<u64>,
    bytes_in: Option<u64>,
    bytes_out: Option<u64>,
    /// Charges outside and inside of a charge information.
    items: [Item; 2],
    is_inside: bool,
    detail: (Option<&'a [u8]>, Option<i64>),
    sum: Option<Sum>,
    tax_units: i128,
    is_refund: bool,
    levels: [Option<u64>; 3],
    serving_network: Option<Network>,
    entity: Option<u64>,
    call_reference: Option<&'a [u8]>,
    charging_id: Option<u64>,
    partial: Option<&'a str>,
    tax: Option<u64>,
    discount: Option<u64>,
}

/// Which number stands for the other party, the first that is there: the receiver or sender of a message (the called number
/// of a message is that of its centre), the number called or calling, the number after CAMEL changed it, the digits dialled.
mod party {
    pub const MESSAGE: usize = 0;
    pub const CALL: usize = 1;
    pub const CAMEL: usize = 2;
    pub const DIALLED: usize = 3;
}

impl<'h, 'a> Collector<'h, 'a> {
    pub(in crate::tap3) fn new(head: &'h Head) -> Self {
        Self {
            head,
            depth: 0,
            root: 0,
            fault: None,
            service: None,
            supplementary: None,
            imsi: None,
            msisdn: Digits::default(),
            called: [Digits::default(); 4],
            start: (None, None),
            duration_s: None,
            bytes_in: None,
            bytes_out: None,
            items: [Item::default(); 2],
            is_inside: false,
            detail: (None, None),
            sum: Some(Sum::default()),
            tax_units: 0,
            is_refund: false,
            levels: [None; 3],
            serving_network: None,
            entity: None,
            call_reference: None,
            charging_id: None,
            partial: None,
            tax: None,
            discount: None,
        }
    }

    /// Remembers the fault whose reason comes first.
    #[cold]
    fn fail(&mut self, reason: Reason, item: &'static str) {
        if self.fault.is_none_or(|fault| reason < fault.reason) {
            self.fault = Some(EventFault { reason, item });
        }
    }

    #[inline]
    fn need<T>(&mut self, reason: Reason, item: &'static str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.fail(reason, item);
        }
        value
    }

    #[cold]
    fn spoil_charge(&mut self, item: &'static str) {
        self.sum = None;
        self.fail(Reason::Cost, item);
    }

    #[inline]
    fn amount(&mut self, item: &'static str, content: &[u8]) -> Option<i64> {
        let amount = integer(content).filter(|amount| *amount >= 0);
        if amount.is_none() {
            self.spoil_charge(item);
        }
        amount
    }

    /// The event's charge, if it can be told; also of events that cannot be used for another reason.
    pub(in crate::tap3) fn charge(&self) -> Option<Charge> {
        let mut sum = self.sum?;
        sum.add(self.head, self.items[0].units, self.items[0].rate)?;
        sum.finish(self.head, self.tax_units, self.is_refund)
    }

    /// When it began, if that can be told.
    pub(in crate::tap3) fn start(&self) -> Option<Stamp> {
        let (local_us, code) = (self.start.0?, self.start.1?);
        Some(Stamp::at(local_us, self.head.offset(code)?))
    }

    /// The event, or the first test that it failed.
    pub(in crate::tap3) fn finish(&mut self) -> Result<CallEvent<'a>, EventFault> {
        let start = self.start();
        if start.is_none() {
            if matches!(EventKind::of(self.root), EventKind::Other(_)) {
                self.fail(Reason::Kind, "callEventDetail");
            }
            let item = match self.start {
                (None, _) => "localTimeStamp",
                (_, None) => "utcTimeOffsetCode",
                _ => "utcTimeOffsetInfo",
            };
            self.fail(Reason::Time, item);
        }
        let charge = self.charge();
        if charge.is_none() {
            self.fail(Reason::Cost, "charge");
        }
        let (Some(start), Some(charge), None) = (start, charge, self.fault) else {
            let unknown = EventFault { reason: Reason::Columns, item: "callEventDetails" };
            return Err(self.fault.unwrap_or(unknown));
        };
        let [Some(level1), level2, level3] = self.levels else { return Ok(self.event(start, charge, None)) };
        Ok(self.event(start, charge, Some((level1, level2.unwrap_or_default(), level3.unwrap_or_default()))))
    }

    fn event(&self, start: Stamp, charge: Charge, call_type: Option<(u64, u64, u64)>) -> CallEvent<'a> {
        CallEvent {
            kind: EventKind::of(self.root),
            service: self.service,
            supplementary: self.supplementary,
            imsi: self.imsi,
            msisdn: self.msisdn,
            other: self.called.into_iter().find(|digits| !digits.is_empty()).unwrap_or_default(),
            start,
            duration_s: self.duration_s,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            charge,
            call_type,
            serving_network: self.serving_network,
            entity: self.entity,
            call_reference: self.call_reference,
            charging_id: self.charging_id,
            partial: self.partial,
            tax: self.tax,
            discount: self.discount,
        }
    }

    /// The tag of the event.
    pub(in crate::tap3) fn root(&self) -> u32 {
        self.root
    }

    #[inline]
    fn number(&mut self, which: usize, item: &'static str, digits: Option<Digits>) {
        self.called[which] = self.need(Reason::Number, item, digits).unwrap_or_default();
    }

    fn party(&mut self, tag: u32, content: &[u8]) {
        match tag {
            tags::IMSI => {
                let imsi = Digits::packed(content).filter(|d| (14..=15).contains(&d.as_str().len())).and_then(|d| d.value());
                self.imsi = self.need(Reason::Number, "imsi", imsi);
            }
            tags::MSISDN => self.msisdn = self.need(Reason::Number, "msisdn", Digits::packed(content)).unwrap_or_default(),
            tags::CALLED_NUMBER => self.number(party::CALL, "calledNumber", Digits::packed(content)),
            tags::CALLING_NUMBER => self.number(party::CALL, "callingNumber", Digits::packed(content)),
            tags::NON_CHARGED_NUMBER => self.number(party::CALL, "nonChargedPartyNumber", Digits::packed(content)),
            tags::SMS_DESTINATION => self.number(party::MESSAGE, "sMSDestinationNumber", Digits::packed(content)),
            tags::SMS_ORIGINATOR => self.number(party::MESSAGE, "sMSOriginator", Digits::packed(content)),
            tags::CAMEL_DESTINATION => self.number(party::CAMEL, "camelDestinationNumber", Digits::packed(content)),
            _ => self.number(party::DIALLED, "dialledDigits", Digits::written(content)),
        }
    }

    fn money(&mut self, parent: u32, tag: u32, content: &'a [u8]) {
        let inside = usize::from(self.is_inside);
        match tag {
            tags::EXCHANGE_RATE_CODE => match natural(content) {
                Some(code) => self.items[inside].rate = Some(code),
                None => self.spoil_charge("exchangeRateCode"),
            },
            tags::CHARGE_TYPE if parent == tags::CHARGE_DETAIL => self.detail.0 = Some(content),
            tags::CHARGE if parent == tags::CHARGE_DETAIL => self.detail.1 = self.amount("charge", content),
            tags::CHARGE | tags::CAMEL_FEE => {
                let amount = self.amount("charge", content).unwrap_or_default();
                self.items[inside].units += i128::from(amount);
            }
            tags::REFUND_INDICATOR => self.is_refund |= integer(content) == Some(1),
            tags::TAX_VALUE => self.tax_units += i128::from(self.amount("taxValue", content).unwrap_or_default()),
            tags::TAX_CODE => self.tax = self.tax.or(natural(content)),
            tags::DISCOUNT_CODE => self.discount = self.discount.or(natural(content)),
            tags::CALL_TYPE_1 => self.levels[0] = self.levels[0].or(natural(content)),
            tags::CALL_TYPE_2 => self.levels[1] = self.levels[1].or(natural(content)),
            tags::CALL_TYPE_3 => self.levels[2] = self.levels[2].or(natural(content)),
            _ => {}
        }
    }

    /// A charge detail is over: type 00 is the total of its charge information, the other types are its parts.
    fn end_detail(&mut self) {
        match std::mem::take(&mut self.detail) {
            (Some(b"00"), Some(charge)) => {
                let item = &mut self.items[1];
                (item.has_total, item.units) = (true, item.units + i128::from(charge));
            }
            (Some(_), _) => {}
            (None, _) => self.spoil_charge("chargeType"),
        }
        self.items[1].has_details = true;
    }

    /// The charges under one rate are over.
    fn end_item(&mut self) {
        let item = std::mem::take(&mut self.items[1]);
        self.is_inside = false;
        if item.has_details && !item.has_total {
            self.spoil_charge("chargeType");
        } else if let Some(sum) = &mut self.sum
            && sum.add(self.head, item.units, item.rate).is_none()
        {
            self.spoil_charge("charge");
        }
    }
}

impl<'a> Visitor<'a> for Collector<'_, 'a> {
    #[inline]
    fn enter(&mut self, tag: u32) -> bool {
        if self.depth == 0 {
            self.root = tag;
        } else if !tags::stands_in_event(tag) {
            return false;
        }
        self.depth += 1;
        if matches!(tag, tags::CHARGE_INFORMATION | tags::SESSION_CHARGE_INFORMATION | tags::CAMEL_SERVICE_USED) {
            self.is_inside = true;
        }
        true
    }

    #[inline]
    fn value(&mut self, parent: u32, tag: u32, content: &'a [u8]) {
        match tag {
            tags::IMSI
            | tags::MSISDN
            | tags::CALLED_NUMBER
            | tags::CALLING_NUMBER
            | tags::NON_CHARGED_NUMBER
            | tags::SMS_DESTINATION
            | tags::SMS_ORIGINATOR
            | tags::CAMEL_DESTINATION
            | tags::DIALLED_DIGITS => self.party(tag, content),
            tags::LOCAL_TIME if self.is_start(parent) => {
                self.start.0 = self.need(Reason::Time, "localTimeStamp", local_time(content));
            }
            tags::UTC_OFFSET_CODE if self.is_start(parent) => {
                self.start.1 = self.need(Reason::Time, "utcTimeOffsetCode", natural(content));
            }
            tags::DURATION => self.duration_s = self.need(Reason::Duration, "totalCallEventDuration", natural(content)),
            tags::VOLUME_INCOMING => self.bytes_in = self.volume("dataVolumeIncoming", self.bytes_in, content),
            tags::VOLUME_OUTGOING => self.bytes_out = self.volume("dataVolumeOutgoing", self.bytes_out, content),
            tags::TELE_SERVICE if self.service.is_none() => {
                self.service = self.need(Reason::Kind, "teleServiceCode", ascii(content)).map(Service::Tele);
            }
            tags::BEARER_SERVICE if self.service.is_none() => {
                self.service = self.need(Reason::Kind, "bearerServiceCode", ascii(content)).map(Service::Bearer);
            }
            tags::SUPPLEMENTARY_CODE => self.supplementary = self.supplementary.or(ascii(content)),
            tags::SERVING_NETWORK => {
                let code = <[u8; 5]>::try_from(content).ok().and_then(Network::tadig);
                self.serving_network = self.need(Reason::Network, "servingNetwork", code);
            }
            tags::ENTITY_CODE if matches!(parent, tags::NETWORK_LOCATION | tags::ENTITY_CODE_LIST) => {
                self.entity = self.entity.or(natural(content));
            }
            tags::CALL_REFERENCE => self.call_reference = Some(content),
            tags::CHARGING_ID => self.charging_id = natural(content),
            tags::PARTIAL_TYPE => self.partial = ascii(content),
            _ => self.money(parent, tag, content),
        }
    }

    #[inline]
    fn leave(&mut self, tag: u32) {
        self.depth -= 1;
        match tag {
            tags::CHARGE_DETAIL => self.end_detail(),
            tags::CHARGE_INFORMATION | tags::SESSION_CHARGE_INFORMATION | tags::CAMEL_SERVICE_USED => self.end_item(),
            _ => {}
        }
    }
}

impl Collector<'_, '_> {
    /// Whether a time in this element is when the event began; a supplementary service has only the time of its charge.
    #[inline]
    fn is_start(&self, parent: u32) -> bool {
        parent == tags::CALL_START
            || parent == tags::SERVICE_START
            || parent == tags::CHARGING_TIME && self.root == tags::SUPPLEMENTARY_SERVICE
    }

    fn volume(&mut self, item: &'static str, before: Option<u64>, content: &[u8]) -> Option<u64> {
        let sum = natural(content).and_then(|bytes| before.unwrap_or_default().checked_add(bytes));
        self.need(Reason::Volume, item, sum)
    }
}
