//! A batch, event by event, and what its events add up to.

use domain::outcome::Reason;

use super::Rules;
use super::audit::{AuditControl, Difference, Tally};
use super::ber::{BerError, Visitor, is_end_mark, walk};
use super::charge::Charge;
use super::event::{CallEvent, Collector, EventFault};
use super::head::Head;
use super::segment::{Segment, Segments};
use super::value::Stamp;

/// Most elements of a group behind the events.
const GROUP_ELEMENTS_MAX: u64 = 100_000;

/// Walks past a group that nothing is read from.
struct Skip;

impl Visitor<'_> for Skip {
    fn enter(&mut self, _: u32) -> bool {
        true
    }
    fn value(&mut self, _: u32, _: u32, _: &[u8]) {}
    fn leave(&mut self, _: u32) {}
}

/// Why a piece of the list of events cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// An event whose elements do not nest.
    Broken(BerError),
    /// A stretch in which no event can be made out; it may hold any number of them.
    Stretch(BerError),
    /// An event with an item that is missing or cannot be read.
    Item(EventFault),
}

impl Unusable {
    /// The reason for suspense.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Broken(_) | Self::Stretch(_) => Reason::Columns,
            Self::Item(fault) => fault.reason,
        }
    }

    /// The item that failed, by its name in TAP.
    pub fn item(&self) -> &'static str {
        match self {
            Self::Broken(_) | Self::Stretch(_) => "callEventDetails",
            Self::Item(fault) => fault.item,
        }
    }
}

/// One piece of the list of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its number in the file, from 0.
    pub row: u64,
    /// Its first byte in the slice that was read.
    pub from: usize,
    /// The byte after it.
    pub to: usize,
    /// The event, or why it is none.
    pub event: Result<CallEvent<'a>, Unusable>,
    /// Whether a range of the file may begin here: the tag of an event stands here.
    pub may_begin_range: bool,
    /// Its charge, as far as it can be told; also of events that cannot be used.
    pub charge: Option<Charge>,
    /// Its start, as far as it can be told.
    pub start: Option<Stamp>,
}

/// What is known when all events have been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// What the events add up to.
    pub tally: Tally,
    /// What the sender says; `None` if the file has no audit control, or one that is damaged.
    pub audit: Option<AuditControl>,
    /// Where both differ.
    pub differences: Vec<Difference>,
    /// Where the bytes begin that cannot be read up to the file's end.
    pub unreadable_from: Option<usize>,
    /// Whether the file ends before it says it does.
    pub is_cut: bool,
    /// Bytes behind the batch that are no padding.
    pub trailing: u64,
}

/// Reads the events of a file in memory, one after the other.
#[derive(Debug)]
pub struct Events<'h, 'a> {
    head: &'h Head,
    bytes: &'a [u8],
    segments: Segments<'a>,
    tally: Tally,
}

impl<'h, 'a> Events<'h, 'a> {
    /// Begins with the first event. `bytes` are the whole file, `head` is its head.
    pub fn new(rules: &Rules, head: &'h Head, bytes: &'a [u8]) -> Self {
        let segments = Segments::new(bytes, head.body_from, head.body_to, rules.event_bytes_max);
        Self { head, bytes, segments, tally: Tally::default() }
    }

    /// Reads on to the end and looks at what stands behind the events.
    pub fn finish(mut self) -> Ending {
        while self.next().is_some() {}
        let (head, bytes) = (self.head, self.bytes);
        let mut ending = Ending {
            tally: self.tally,
            audit: None,
            differences: Vec::new(),
            unreadable_from: self.segments.unreadable_from,
            is_cut: [head.body_to, head.batch_to].into_iter().flatten().any(|end| end > bytes.len()),
            trailing: 0,
        };
        let Some(mut at) = self.segments.end.filter(|_| !ending.is_cut) else {
            ending.is_cut |= ending.unreadable_from.is_none();
            return ending;
        };
        let limit = head.batch_to.unwrap_or(bytes.len());
        // Other groups may stand around the audit control; damage among them means that it cannot be found.
        while head.batch_to.is_none_or(|batch_to| at < batch_to) && !is_end_mark(bytes, at, limit) {
            let read = if AuditControl::is_at(bytes, at) {
                AuditControl::read(bytes, at, limit).map(|(audit, end)| {
                    ending.differences = audit.differences(&self.tally);
                    ending.audit = Some(audit);
                    end
                })
            } else {
                walk(bytes, at, limit, &mut { GROUP_ELEMENTS_MAX }, &mut Skip)
            };
            let Ok(end) = read else { break };
            at = end;
        }
        match head.batch_to {
            Some(batch_to) => at = batch_to,
            None if is_end_mark(bytes, at, bytes.len()) => at += 2,
            None => ending.is_cut = true,
        }
        // Transfers pad files to whole blocks.
        let behind = bytes.get(at..).unwrap_or_default();
        ending.trailing = if behind.iter().all(|byte| b"\0\r\n \x1a".contains(byte)) { 0 } else { behind.len() as u64 };
        ending
    }
}

/// The event of a segment that was collected, or why it is none.
pub(super) fn judge<'a>(segment: &Segment, collector: &mut Collector<'_, 'a>) -> Result<CallEvent<'a>, Unusable> {
    match segment.fault {
        Some(error) if segment.is_stretch => Err(Unusable::Stretch(error)),
        Some(error) => Err(Unusable::Broken(error)),
        None => collector.finish().map_err(Unusable::Item),
    }
}

impl Tally {
    fn add(&mut self, segment: &Segment, charge: Option<Charge>, start: Option<Stamp>) {
        self.rows += 1;
        self.stretches += u64::from(segment.is_stretch);
        match charge {
            None => self.without_charge += 1,
            Some(charge) if charge.is_refund => {}
            // Each is below 2^77 (20,000 amounts of 63 bits), so no file is long enough to overflow their sum.
            Some(charge) => {
                self.charge += charge.units;
                self.tax += charge.tax_units;
            }
        }
        match start {
            None => self.without_start += 1,
            Some(start) => {
                self.earliest_us = Some(self.earliest_us.map_or(start.us, |us| us.min(start.us)));
                self.latest_us = Some(self.latest_us.map_or(start.us, |us| us.max(start.us)));
            }
        }
    }
}

impl<'a> Iterator for Events<'_, 'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let mut collector = Collector::new(self.head);
        let segment = self.segments.next(&mut collector)?;
        // What was collected up to a fault is not the whole event.
        let (charge, start) = if segment.fault.is_some() { (None, None) } else { (collector.charge(), collector.start()) };
        let row = self.tally.rows;
        self.tally.add(&segment, charge, start);
        let event = judge(&segment, &mut collector);
        Some(Record { row, from: segment.from, to: segment.to, event, may_begin_range: segment.opens_event, charge, start })
    }
}
