//! Events into the columns that every reader fills.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use domain::columns::parsed::{MalformedRow, ParsedBatch, ParsedColumns, Partial};
use domain::delivery::{FileContext, KeyMode, RecordHasher};
use domain::money::NANO;
use domain::number::Network;
use domain::outcome::Reason;
use domain::usage::{Direction, Usage, UsageKind};

use crate::parse::hash_domain;
use crate::split::SplitRange;

use super::event::{CallEvent, Collector, EventFault, EventKind, Service};
use super::file::{Unusable, judge};
use super::head::Head;
use super::segment::{Segment, Segments};
use super::{FREE_SUPPLEMENTARY, Rules};

/// One row's amount must fit a column of 18 digits, nine of them behind the point.
const COST_NANO_MAX: i128 = 1_000_000_000 * NANO;

/// Parses the events of one range, as [`super::split`] has cut it. `bytes` are the range's bytes, `head` is the file's head.
///
/// Rows are what split has counted: should a damaged range fall apart into more pieces on its own than it did in its file, its
/// last row takes them all. With the key mode `content-and-occurrence`, and for malformed rows in every mode, keys are hashes
/// of the content alone until [`crate::parse::occurrence::number`] has numbered equal rows.
pub fn parse(
    rules: &Rules,
    head: &Head,
    file: &Arc<FileContext>,
    hasher: &RecordHasher,
    range: SplitRange,
    bytes: &[u8],
) -> ParsedBatch {
    let mut rows = Rows::new(rules, head, file, hasher, range);
    rows.reserve(range.rows, bytes.len());
    let mut segments = Segments::new(bytes, 0, Some(bytes.len()), rules.event_bytes_max);
    let mut collector = Collector::new(head);
    while let Some(segment) = segments.next(&mut collector) {
        let is_last = rows.count + 1 == range.rows;
        if is_last && segment.to < bytes.len() {
            let fault = segment.fault.unwrap_or(super::ber::BerError::new(segment.to, super::ber::BerFault::Misplaced));
            rows.keep_malformed(bytes, segment.from, bytes.len(), &Unusable::Stretch(fault));
            break;
        }
        match judge(&segment, &mut collector) {
            Ok(event) => rows.take(bytes, &segment, collector.root(), &event),
            Err(unusable) => rows.keep_malformed(bytes, segment.from, segment.to, &unusable),
        }
        collector = Collector::new(head);
    }
    rows.finish(file)
}

/// What an event says in the project's terms.
struct Values {
    usage: Usage,
    duration_s: i32,
    bytes_up: i64,
    bytes_down: i64,
    network: Network,
    cost_nano: i64,
}

struct Rows<'a> {
    rules: &'a Rules,
    head: &'a Head,
    file: &'a FileContext,
    hasher: &'a RecordHasher,
    range: SplitRange,
    sender: Network,
    count: u64,
    columns: ParsedColumns,
    malformed: Vec<MalformedRow>,
    skipped: u64,
    texts: Vec<String>,
    classes: Vec<Arc<str>>,
    class_codes: HashMap<(u64, u64, u64), u16>,
    content: Vec<u8>,
    id: String,
    session: String,
}

impl<'a> Rows<'a> {
    fn new(rules: &'a Rules, head: &'a Head, file: &'a FileContext, hasher: &'a RecordHasher, range: SplitRange) -> Self {
        let sender = <[u8; 5]>::try_from(head.control.sender.as_bytes()).ok().and_then(Network::tadig);
        Self {
            rules,
            head,
            file,
            hasher,
            range,
            sender: sender.unwrap_or(Network::ABSENT),
            count: 0,
            columns: ParsedColumns::default(),
            malformed: Vec::new(),
            skipped: 0,
            texts: Vec::new(),
            classes: Vec::new(),
            class_codes: HashMap::new(),
            content: Vec::new(),
            id: String::new(),
            session: String::new(),
        }
    }

    fn reserve(&mut self, rows: u64, bytes: usize) {
        // Hardly an event is shorter, whatever the claim check says.
        let rows = usize::try_from(rows).unwrap_or(usize::MAX).min(bytes / 64 + 1);
        let c = &mut self.columns;
        c.row.reserve(rows);
        c.offset.reserve(rows);
        c.length.reserve(rows);
        c.key.reserve(rows);
        c.usage.reserve(rows);
        c.a_number.reserve(rows);
        c.b_number.reserve(rows);
        c.imsi.reserve(rows);
        c.start_us.reserve(rows);
        c.offset_s.reserve(rows);
        c.duration_s.reserve(rows);
        c.bytes_up.reserve(rows);
        c.bytes_down.reserve(rows);
        c.network.reserve(rows);
        c.class.reserve(rows);
        c.cost_nano.reserve(rows);
    }

    fn keep_malformed(&mut self, bytes: &[u8], from: usize, to: usize, unusable: &Unusable) {
        let raw = &bytes[from..to];
        self.malformed.push(MalformedRow {
            row: self.range.first_row + self.count,
            offset: self.range.from + from as u64,
            raw: raw[..raw.len().min(self.rules.raw_bytes_max)].to_vec(),
            length: raw.len() as u64,
            reason: unusable.reason(),
            field: unusable.item().into(),
            key: self.hasher.hash(hash_domain::MALFORMED, raw),
        });
        self.count += 1;
    }

    fn take(&mut self, bytes: &[u8], segment: &Segment, tag: u32, event: &CallEvent<'_>) {
        let is_free = event.charge.units == 0 && event.charge.tax_units == 0;
        if event.kind == EventKind::SupplementaryService && is_free && self.rules.skips_free_supplementary {
            self.skipped += 1;
            self.count += 1;
            return;
        }
        self.name(event);
        let class = self.class(event);
        match self.values(event).and_then(|values| Ok((values, class?))) {
            Ok((values, class)) => self.store(bytes, segment, tag, event, &values, class),
            Err(fault) => self.keep_malformed(bytes, segment.from, segment.to, &Unusable::Item(fault)),
        }
    }

    /// The event's id and its session's in words: its recording entity and the reference it gave; empty if it gave none.
    fn name(&mut self, event: &CallEvent<'_>) {
        self.id.clear();
        self.session.clear();
        let entity = event.entity.and_then(|code| self.head.entity(code)).map_or("", |entity| entity.id.as_str());
        let written = match (event.call_reference, event.charging_id) {
            (Some(reference), _) => {
                write!(self.id, "{entity}:").and_then(|()| reference.iter().try_for_each(|byte| write!(self.id, "{byte:02x}")))
            }
            // The parts of a session share its number and differ in their start.
            (None, Some(number)) => write!(self.id, "{entity}:{number}:{}", event.start.us),
            (None, None) => Ok(()),
        };
        written.expect("a string takes all");
        if let (EventKind::Gprs, Some(number)) = (event.kind, event.charging_id) {
            write!(self.session, "{entity}:{number}").expect("a string takes all");
        }
    }

    /// Makes the tests in their order; the first that fails counts.
    fn values(&self, event: &CallEvent<'_>) -> Result<Values, EventFault> {
        let fault = |reason, item| EventFault { reason, item };
        if self.file.key_mode == KeyMode::Id && self.id.is_empty() {
            return Err(fault(Reason::Columns, "callReference"));
        }
        let usage = usage(event)?;
        if event.imsi.is_none() && event.msisdn.is_empty() {
            return Err(fault(Reason::Number, "chargeableSubscriber"));
        }
        let needs_duration = usage.kind() == UsageKind::Voice;
        let duration = event.duration_s.or((!needs_duration).then_some(0));
        let duration = duration.filter(|s| *s <= self.rules.duration_s_max).and_then(|s| i32::try_from(s).ok());
        let duration_s = duration.ok_or(fault(Reason::Duration, "totalCallEventDuration"))?;
        if usage.kind() == UsageKind::Data && event.bytes_in.is_none() && event.bytes_out.is_none() {
            return Err(fault(Reason::Volume, "dataVolumeIncoming"));
        }
        let volume = |bytes: Option<u64>, item| {
            let bytes = Some(bytes.unwrap_or_default()).filter(|b| *b <= self.rules.volume_bytes_max);
            bytes.and_then(|b| i64::try_from(b).ok()).ok_or(fault(Reason::Volume, item))
        };
        Ok(Values {
            usage,
            duration_s,
            bytes_up: volume(event.bytes_out, "dataVolumeOutgoing")?,
            bytes_down: volume(event.bytes_in, "dataVolumeIncoming")?,
            network: event.serving_network.unwrap_or(self.sender),
            cost_nano: self.cost(event)?,
        })
    }

    /// The charge in the file context's currency; a refund is a negative cost.
    fn cost(&self, event: &CallEvent<'_>) -> Result<i64, EventFault> {
        let accounting = &self.head.accounting;
        let fault = |item| EventFault { reason: Reason::Cost, item };
        let nano = if self.file.cost_currency == accounting.currency {
            event.charge.nano
        } else if Some(self.file.cost_currency) == accounting.local_currency {
            event.charge.local_nano.ok_or(fault("exchangeRateCode"))?
        } else {
            return Err(fault("tapCurrency"));
        };
        let nano = if event.charge.is_refund { -nano } else { nano };
        // The limit leaves out the value that stands for no cost, too.
        Some(nano).filter(|nano| nano.abs() < COST_NANO_MAX).and_then(|nano| i64::try_from(nano).ok()).ok_or(fault("charge"))
    }

    /// The code of the sender's rate class plus one; 0 where the event has none.
    fn class(&mut self, event: &CallEvent<'_>) -> Result<u16, EventFault> {
        let Some(levels) = event.call_type else { return Ok(0) };
        if let Some(code) = self.class_codes.get(&levels) {
            return Ok(*code);
        }
        let too_many = EventFault { reason: Reason::Columns, item: "callTypeGroup" };
        let code = u16::try_from(self.classes.len() + 1).map_err(|_| too_many)?;
        self.classes.push(format!("{}.{}.{}", levels.0, levels.1, levels.2).into());
        self.class_codes.insert(levels, code);
        Ok(code)
    }

    fn store(&mut self, bytes: &[u8], segment: &Segment, tag: u32, event: &CallEvent<'_>, values: &Values, class: u16) {
        let raw = &bytes[segment.from..segment.to];
        let (key, content) = self.keys(raw, tag, event);
        let c = &mut self.columns;
        c.row.push(self.range.first_row + self.count);
        c.offset.push(self.range.from + segment.from as u64);
        c.length.push(u32::try_from(raw.len()).expect("an event is at most 16 MiB"));
        c.key.push(key);
        c.content.extend(content);
        c.record_id.push(&self.id);
        c.usage.push(values.usage);
        c.a_number.push(event.msisdn.number(&mut self.texts));
        c.b_number.push(event.other.number(&mut self.texts));
        c.imsi.push(event.imsi.unwrap_or_default());
        c.start_us.push(event.start.us);
        c.offset_s.push(event.start.offset_s);
        c.duration_s.push(values.duration_s);
        c.bytes_up.push(values.bytes_up);
        c.bytes_down.push(values.bytes_down);
        c.session_id.push(&self.session);
        c.partial.push(partial(event) as u8);
        c.network.push(values.network);
        c.class.push(class);
        c.cost_nano.push(values.cost_nano);
        self.count += 1;
    }

    /// The record key and, where ids name rows, the hash of the content. The content is the event without its length octets,
    /// and what two of its codes stand for: an event with the same bytes under another offset or of another sender is another.
    fn keys(&mut self, raw: &[u8], tag: u32, event: &CallEvent<'_>) -> (u128, Option<u64>) {
        let header = super::ber::Header::read(raw, 0).ok();
        let (from, tail) = header.map_or((0, 0), |h| (h.content, if h.length.is_none() { 2 } else { 0 }));
        self.content.clear();
        self.content.extend_from_slice(&tag.to_le_bytes());
        self.content.extend_from_slice(&event.start.offset_s.to_le_bytes());
        self.content.extend_from_slice(self.head.control.sender.as_bytes());
        self.content.extend_from_slice(raw.get(from..raw.len() - tail).unwrap_or(raw));
        match self.file.key_mode {
            KeyMode::Content | KeyMode::ContentAndOccurrence => (self.hasher.hash(hash_domain::CONTENT, &self.content), None),
            KeyMode::IdAndContent => (self.hasher.hash(hash_domain::ID_AND_CONTENT, &self.content), None),
            KeyMode::Id => {
                let content = self.hasher.hash(hash_domain::CONTENT, &self.content) & u128::from(u64::MAX);
                let content = u64::try_from(content).expect("masked to 64 bits");
                (self.hasher.hash(hash_domain::RECORD_ID, self.id.as_bytes()), Some(content))
            }
        }
    }

    /// The batch; INV-2 holds for it.
    fn finish(self, file: &Arc<FileContext>) -> ParsedBatch {
        let mut skipped = BTreeMap::new();
        if self.skipped > 0 {
            skipped.insert(FREE_SUPPLEMENTARY.to_owned(), self.skipped);
        }
        let batch = ParsedBatch {
            file: Arc::clone(file),
            first_row: self.range.first_row,
            rows_in: self.count,
            columns: self.columns,
            malformed: self.malformed,
            skipped,
            texts: self.texts,
            classes: self.classes,
        };
        debug_assert!(batch.is_balanced(), "INV-2: each event was stored, kept as malformed or skipped");
        batch
    }
}

/// Which part of its session an event is.
fn partial(event: &CallEvent<'_>) -> Partial {
    match event.partial {
        Some("F" | "I") => Partial::Part,
        Some("L") => Partial::Last,
        _ => Partial::Whole,
    }
}

/// Kind and direction. Short messages are the teleservices 21 and 22; every other service of a call is charged by its time.
/// What has no place in the project's terms (supplementary services, events over IP, unknown ones) is suspense, never dropped.
fn usage(event: &CallEvent<'_>) -> Result<Usage, EventFault> {
    let unknown = |item| Err(EventFault { reason: Reason::Kind, item });
    let kind = match (event.kind, event.service) {
        (EventKind::Gprs, _) => UsageKind::Data,
        (EventKind::MobileOriginated | EventKind::MobileTerminated, Some(service)) => match service {
            Service::Tele("21" | "22") => UsageKind::Sms,
            Service::Tele(_) | Service::Bearer(_) => UsageKind::Voice,
        },
        (EventKind::MobileOriginated | EventKind::MobileTerminated, None) => return unknown("basicService"),
        (EventKind::SupplementaryService, _) => return unknown("supplServiceEvent"),
        (EventKind::Messaging, _) => return unknown("messagingEvent"),
        (EventKind::MobileSession, _) => return unknown("mobileSession"),
        (EventKind::Other(_), _) => return unknown("callEventDetail"),
    };
    // Call forwarding is 20 to 2B.
    let is_forwarded = kind == UsageKind::Voice && event.supplementary.is_some_and(|code| code.starts_with('2'));
    let direction = match event.kind {
        EventKind::MobileTerminated => Direction::Incoming,
        _ if is_forwarded => Direction::Forwarded,
        _ => Direction::Outgoing,
    };
    Ok(Usage::new(kind, direction))
}
