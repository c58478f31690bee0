//! Writes BER and TAP3 batches for tests: the fixtures of this module are built, never copied.

use super::super::head::{ExchangeRate, RecordingEntity};
use super::super::tags;

/// How lengths of elements that hold others are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Definite,
    Indefinite,
    /// Definite, with more length octets than needed, as some encoders write it.
    Padded,
}

fn tag(number: u32, constructed: bool) -> Vec<u8> {
    let first = 0x40 | if constructed { 0x20 } else { 0 };
    if number < 31 {
        return vec![first | u8::try_from(number).unwrap()];
    }
    let mut octets = vec![u8::try_from(number & 0x7f).unwrap()];
    let mut rest = number >> 7;
    while rest > 0 {
        octets.insert(0, 0x80 | u8::try_from(rest & 0x7f).unwrap());
        rest >>= 7;
    }
    octets.insert(0, first | 0x1f);
    octets
}

fn length(length: usize) -> Vec<u8> {
    if length < 128 {
        return vec![u8::try_from(length).unwrap()];
    }
    let octets: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    [vec![0x80 | u8::try_from(octets.len()).unwrap()], octets].concat()
}

pub fn value(number: u32, content: &[u8]) -> Vec<u8> {
    [tag(number, false), length(content.len()), content.to_vec()].concat()
}

pub fn integer(number: u32, value: impl Into<i128>) -> Vec<u8> {
    let bytes = i64::try_from(value.into()).unwrap().to_be_bytes();
    let is_redundant = |at: usize| (bytes[at] == 0 && bytes[at + 1] < 0x80) || (bytes[at] == 0xff && bytes[at + 1] >= 0x80);
    let from = (0..7).find(|at| !is_redundant(*at)).unwrap_or(7);
    self::value(number, &bytes[from..])
}

pub fn digits(number: u32, text: &str) -> Vec<u8> {
    let half = |c: u8| u8::try_from(b"0123456789*#abc".iter().position(|known| *known == c).unwrap()).unwrap();
    let packed: Vec<u8> = text.as_bytes().chunks(2).map(|two| half(two[0]) << 4 | two.get(1).map_or(15, |c| half(*c))).collect();
    value(number, &packed)
}

pub fn text(number: u32, text: &str) -> Vec<u8> {
    value(number, text.as_bytes())
}

pub fn group(form: Form, number: u32, parts: &[Vec<u8>]) -> Vec<u8> {
    let content = parts.concat();
    let tag = tag(number, true);
    match form {
        Form::Definite => [tag, length(content.len()), content].concat(),
        Form::Indefinite => [tag, vec![0x80], content, vec![0, 0]].concat(),
        Form::Padded => {
            let octets = u32::try_from(content.len()).unwrap().to_be_bytes();
            [tag, vec![0x84], octets.to_vec(), content].concat()
        }
    }
}

/// An event as a test thinks of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub tag: u32,
    pub imsi: String,
    pub msisdn: String,
    pub other: String,
    pub local: String,
    pub utc_code: u64,
    pub duration_s: u64,
    pub volumes: (u64, u64),
    pub service: String,
    /// Charges of type 00 with the code of their rate.
    pub charges: Vec<(i64, u64)>,
    pub tax: i64,
    pub reference: Vec<u8>,
    pub entity: u64,
    pub serving: Option<String>,
    /// Further elements at the end of the event.
    pub more: Vec<Vec<u8>>,
}

impl Event {
    /// A call from a Dutch roamer in the night of the autumn change, while summer time holds.
    pub fn call() -> Self {
        Self {
            tag: tags::MOBILE_ORIGINATED,
            imsi: "204080123456789".to_owned(),
            msisdn: "31612345678".to_owned(),
            other: "442071234567".to_owned(),
            local: "20261025013015".to_owned(),
            utc_code: 0,
            duration_s: 73,
            volumes: (0, 0),
            service: "11".to_owned(),
            charges: vec![(1234, 0)],
            tax: 0,
            reference: vec![0xab, 0x01],
            entity: 1,
            serving: None,
            more: Vec::new(),
        }
    }

    /// A message, a data session, a supplementary service or an event of any other tag.
    pub fn of(tag: u32) -> Self {
        Self { tag, ..Self::call() }
    }

    fn charge_list(&self, form: Form) -> Vec<u8> {
        let items: Vec<_> = self.charges.iter().map(|(units, code)| self.charge_information(form, *units, *code)).collect();
        group(form, 70, &items)
    }

    fn charge_information(&self, form: Form, units: i64, code: u64) -> Vec<u8> {
        let detail = |kind: &str, units: i64| {
            group(form, tags::CHARGE_DETAIL, &[text(tags::CHARGE_TYPE, kind), integer(tags::CHARGE, units)])
        };
        let levels = [(tags::CALL_TYPE_1, 2u64), (tags::CALL_TYPE_2, 0), (tags::CALL_TYPE_3, 31)];
        let mut parts = vec![
            text(66, "D"),
            integer(tags::EXCHANGE_RATE_CODE, code),
            group(form, 258, &levels.map(|(tag, level)| integer(tag, level))),
            // The parts of the total must not be added to it.
            group(form, 64, &[detail("00", units), detail("03", units)]),
        ];
        if self.tax > 0 {
            let tax = group(form, 213, &[integer(tags::TAX_CODE, 1), integer(tags::TAX_VALUE, self.tax)]);
            parts.push(group(form, 214, &[tax]));
        }
        group(form, tags::CHARGE_INFORMATION, &parts)
    }

    fn when(&self, form: Form, tag: u32) -> Vec<u8> {
        group(form, tag, &[text(tags::LOCAL_TIME, &self.local), integer(tags::UTC_OFFSET_CODE, i128::from(self.utc_code))])
    }

    pub fn encode(&self, form: Form) -> Vec<u8> {
        let sim = group(form, 199, &[digits(tags::IMSI, &self.imsi), digits(tags::MSISDN, &self.msisdn)]);
        let subscriber = group(form, 427, &[sim]);
        let duration = integer(tags::DURATION, i128::from(self.duration_s));
        let mut location =
            vec![integer(tags::ENTITY_CODE, i128::from(self.entity)), value(tags::CALL_REFERENCE, &self.reference)];
        let geography: Vec<_> = self.serving.iter().map(|tadig| text(tags::SERVING_NETWORK, tadig)).collect();
        let service = group(form, 36, &[group(form, 426, &[text(tags::TELE_SERVICE, &self.service)])]);
        // When the charge began is not when the event began.
        let charged = group(form, tags::CHARGING_TIME, &[text(tags::LOCAL_TIME, "20000101000000")]);
        let mut parts = match self.tag {
            tags::GPRS => {
                location.truncate(1);
                let volumes = [
                    integer(tags::VOLUME_INCOMING, i128::from(self.volumes.0)),
                    integer(tags::VOLUME_OUTGOING, i128::from(self.volumes.1)),
                    self.charge_list(form),
                ];
                let basic = [
                    group(form, 115, &[subscriber]),
                    self.when(form, tags::CALL_START),
                    duration,
                    text(tags::PARTIAL_TYPE, "F"),
                    integer(tags::CHARGING_ID, 4711),
                ];
                let network = group(form, 118, &[group(form, tags::ENTITY_CODE_LIST, &location)]);
                vec![
                    group(form, 114, &basic),
                    group(form, 117, &[network, group(form, 113, &geography)]),
                    group(form, 121, &volumes),
                ]
            }
            tags::SUPPLEMENTARY_SERVICE => {
                let charges: Vec<_> = self.charges.iter().map(|(u, c)| self.charge_information(form, *u, *c)).collect();
                let used = [vec![text(tags::SUPPLEMENTARY_CODE, "21"), self.when(form, tags::CHARGING_TIME)], charges].concat();
                vec![subscriber, group(form, 206, &used)]
            }
            _ => {
                let (basic, party, number) = match self.tag {
                    tags::MOBILE_TERMINATED => (153, 41, tags::CALLING_NUMBER),
                    _ => (147, 89, tags::CALLED_NUMBER),
                };
                let party = group(form, party, &[digits(number, &self.other)]);
                let basic = group(form, basic, &[subscriber, party, self.when(form, tags::CALL_START), duration]);
                let network = group(form, tags::NETWORK_LOCATION, &location);
                let used = group(form, 39, &[service, charged, self.charge_list(form)]);
                vec![basic, group(form, 138, &[network, group(form, 113, &geography)]), group(form, 38, &[used])]
            }
        };
        parts.extend(self.more.iter().cloned());
        group(form, self.tag, &parts)
    }
}

/// What the audit control says; `None` leaves the item out.
#[derive(Debug, Clone)]
pub struct Audit {
    pub events: Option<i64>,
    pub charge: Option<i64>,
    pub tax: Option<i64>,
    pub times: Option<[(&'static str, &'static str); 2]>,
}

/// A file as a test thinks of it.
#[derive(Debug, Clone)]
pub struct Batch {
    pub form: Form,
    pub release: u64,
    pub decimals: u64,
    pub currency: Option<&'static str>,
    pub rates: Vec<ExchangeRate>,
    pub offsets: Vec<(u64, &'static str)>,
    pub entities: Vec<RecordingEntity>,
    pub is_test: bool,
    /// The events, encoded.
    pub events: Vec<Vec<u8>>,
    pub audit: Option<Audit>,
    /// Groups between the events and the audit control.
    pub behind: Vec<Vec<u8>>,
}

impl Batch {
    /// A British file: pounds at 1.25 to the drawing right, both offsets of the autumn night.
    pub fn of(form: Form, events: &[Event]) -> Self {
        let sum = events.iter().flat_map(|e| &e.charges).map(|(units, _)| units).sum();
        let tax = events.iter().map(|e| e.tax * i64::try_from(e.charges.len()).unwrap()).sum();
        Self {
            form,
            release: 12,
            decimals: 3,
            currency: None,
            rates: vec![ExchangeRate { code: 0, value: 125, decimals: 2 }, ExchangeRate { code: 1, value: 1, decimals: 0 }],
            offsets: vec![(0, "+0100"), (1, "+0000")],
            entities: vec![RecordingEntity { code: 1, kind: 1, id: "447700900001".to_owned() }],
            is_test: false,
            events: events.iter().map(|e| e.encode(form)).collect(),
            audit: Some(Audit { events: i64::try_from(events.len()).ok(), charge: Some(sum), tax: Some(tax), times: None }),
            behind: Vec::new(),
        }
    }

    pub fn stamp(&self, tag: u32, (local, offset): (&str, &str)) -> Vec<u8> {
        group(self.form, tag, &[text(tags::LOCAL_TIME, local), text(tags::UTC_OFFSET, offset)])
    }

    pub fn control(&self) -> Vec<Vec<u8>> {
        let mut parts = vec![
            text(tags::SENDER, "GBRVF"),
            text(tags::RECIPIENT, "NLDLT"),
            text(tags::FILE_SEQUENCE, "00017"),
            self.stamp(tags::FILE_CREATED, ("20261025120000", "+0000")),
            self.stamp(tags::TRANSFER_CUT_OFF, ("20261025110000", "+0000")),
            self.stamp(tags::FILE_AVAILABLE, ("20261025130000", "+0000")),
            integer(tags::SPECIFICATION, 3),
            integer(tags::RELEASE, i128::from(self.release)),
        ];
        if self.is_test {
            parts.push(text(tags::FILE_TYPE, "T"));
        }
        parts
    }

    fn accounting(&self) -> Vec<u8> {
        let tax = [integer(tags::TAX_CODE, 1), text(tags::TAX_TYPE, "13"), text(tags::TAX_RATE, "2000000")];
        let discount = [integer(tags::DISCOUNT_CODE, 1), group(self.form, 428, &[integer(tags::DISCOUNT_RATE, 500)])];
        let rates: Vec<_> = self
            .rates
            .iter()
            .map(|rate| {
                let parts = [
                    integer(tags::EXCHANGE_RATE_CODE, i128::from(rate.code)),
                    integer(tags::RATE_DECIMALS, i128::from(rate.decimals)),
                    integer(tags::EXCHANGE_RATE, i128::from(rate.value)),
                ];
                group(self.form, tags::CURRENCY_CONVERSION, &parts)
            })
            .collect();
        let mut parts = vec![
            group(self.form, 211, &[group(self.form, tags::TAXATION, &tax)]),
            group(self.form, 95, &[group(self.form, tags::DISCOUNTING, &discount)]),
            text(tags::LOCAL_CURRENCY, "GBP"),
        ];
        parts.extend(self.currency.map(|code| text(tags::TAP_CURRENCY, code)));
        parts.extend([group(self.form, 80, &rates), integer(tags::TAP_DECIMALS, i128::from(self.decimals))]);
        group(self.form, tags::ACCOUNTING, &parts)
    }

    fn network(&self) -> Vec<u8> {
        let offsets: Vec<_> = self
            .offsets
            .iter()
            .map(|(code, offset)| {
                let parts = [integer(tags::UTC_OFFSET_CODE, i128::from(*code)), text(tags::UTC_OFFSET, offset)];
                group(self.form, tags::UTC_OFFSET_ENTRY, &parts)
            })
            .collect();
        let entities: Vec<_> = self
            .entities
            .iter()
            .map(|entity| {
                let parts = [
                    integer(tags::ENTITY_CODE, i128::from(entity.code)),
                    integer(tags::ENTITY_TYPE, i128::from(entity.kind)),
                    text(tags::ENTITY_ID, &entity.id),
                ];
                group(self.form, tags::ENTITY_ENTRY, &parts)
            })
            .collect();
        group(self.form, tags::NETWORK, &[group(self.form, 234, &offsets), group(self.form, 188, &entities)])
    }

    fn audit(&self, audit: &Audit) -> Vec<u8> {
        let mut parts = Vec::new();
        if let Some([earliest, latest]) = audit.times {
            parts.extend([self.stamp(tags::EARLIEST_CALL, earliest), self.stamp(tags::LATEST_CALL, latest)]);
        }
        let figures = [(tags::TOTAL_CHARGE, audit.charge), (tags::TOTAL_TAX, audit.tax), (tags::EVENT_COUNT, audit.events)];
        parts.extend(figures.iter().filter_map(|(tag, figure)| figure.map(|figure| integer(*tag, figure))));
        group(self.form, tags::AUDIT_CONTROL, &parts)
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut parts = vec![
            group(self.form, tags::BATCH_CONTROL, &self.control()),
            self.accounting(),
            self.network(),
            group(self.form, tags::CALL_EVENTS, &self.events),
        ];
        parts.extend(self.behind.iter().cloned());
        parts.extend(self.audit.iter().map(|audit| self.audit(audit)));
        group(self.form, tags::TRANSFER_BATCH, &parts)
    }

    pub fn notification(&self) -> Vec<u8> {
        group(self.form, tags::NOTIFICATION, &self.control())
    }
}
