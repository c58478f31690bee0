//! The audit control at a file's end, compared with what its events add up to.

use std::fmt;

use domain::zone::{SECOND_US, date_of};

use super::ber::{BerError, Header, Visitor, walk};
use super::tags;
use super::value::{Stamp, integer, local_time, natural, utc_offset};

/// Most elements of the audit control.
const ELEMENTS_MAX: u64 = 10_000;

/// What the sender says the events add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuditControl {
    /// Start of the earliest event.
    pub earliest: Option<Stamp>,
    /// Start of the latest event.
    pub latest: Option<Stamp>,
    /// Charges of type 00 and CAMEL fees without refunds, in the file's units.
    pub total_charge: Option<i64>,
    /// Taxes, in the file's units.
    pub total_tax: Option<i64>,
    /// Events.
    pub events: Option<u64>,
}

/// What the events add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Pieces of the list: events, and stretches that hold at least one.
    pub rows: u64,
    /// Unreadable stretches: how many events they hold cannot be told.
    pub stretches: u64,
    /// Events whose charge cannot be told, stretches among them.
    pub without_charge: u64,
    /// Events whose start cannot be told, stretches among them.
    pub without_start: u64,
    /// Charges without refunds, in the file's units.
    pub charge: i128,
    /// Taxes without refunds, in the file's units.
    pub tax: i128,
    /// Start of the earliest event, microseconds since 1970 UTC.
    pub earliest_us: Option<i64>,
    /// Start of the latest event.
    pub latest_us: Option<i64>,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditItem {
    /// How many events there are.
    Events,
    /// What they cost, in the file's units.
    Charge,
    /// Their taxes, in the file's units.
    Tax,
    /// Start of the earliest.
    Earliest,
    /// Start of the latest.
    Latest,
}

/// A figure that differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Which figure.
    pub item: AuditItem,
    /// What the sender says: a count, units of the file, or microseconds since 1970 UTC. `None`: nothing.
    pub announced: Option<i128>,
    /// What the events add up to.
    pub found: Option<i128>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.item {
            AuditItem::Events => "events",
            AuditItem::Charge => "the total charge in units of the file",
            AuditItem::Tax => "the total tax in units of the file",
            AuditItem::Earliest => "the earliest call",
            AuditItem::Latest => "the latest call",
        };
        let shown = |value: Option<i128>| match (value, self.item) {
            (None, _) => "nothing".to_owned(),
            (Some(us), AuditItem::Earliest | AuditItem::Latest) => instant(us),
            (Some(figure), _) => figure.to_string(),
        };
        write!(f, "{what}: the audit control says {}, the events give {}", shown(self.announced), shown(self.found))
    }
}

/// `2026-10-25T00:30:15Z`.
fn instant(us: i128) -> String {
    let second = us.div_euclid(i128::from(SECOND_US));
    let (day, of_day) = (second.div_euclid(86_400), second.rem_euclid(86_400));
    let (year, month, day) = date_of(i32::try_from(day).unwrap_or(i32::MAX));
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

impl AuditControl {
    /// Reads the audit control at `at`; also returns the byte after it.
    pub(super) fn read(bytes: &[u8], at: usize, limit: usize) -> Result<(Self, usize), BerError> {
        let mut reading = Reading::default();
        let end = walk(bytes, at, limit, &mut { ELEMENTS_MAX }, &mut reading)?;
        Ok((reading.audit, end))
    }

    /// Whether the audit control stands at `at`.
    pub(super) fn is_at(bytes: &[u8], at: usize) -> bool {
        Header::read(bytes, at).is_ok_and(|h| h.tag.id == tags::AUDIT_CONTROL && h.tag.is_constructed)
    }

    /// The figures that differ. What cannot be told because of broken events is not compared, but a count of fewer events
    /// than there are rows always is, and so is a total below what was found.
    pub fn differences(&self, tally: &Tally) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut compare = |item, announced: Option<i128>, figure: Option<i128>, may_be_more: bool| {
            let is_equal = match announced.zip(figure) {
                Some((announced, figure)) => announced == figure || may_be_more && announced > figure,
                None => announced == figure,
            };
            if !is_equal {
                found.push(Difference { item, announced, found: figure });
            }
        };
        let charges_are_known = tally.without_charge == 0;
        compare(AuditItem::Events, self.events.map(i128::from), Some(i128::from(tally.rows)), tally.stretches > 0);
        compare(AuditItem::Charge, self.total_charge.map(i128::from), Some(tally.charge), !charges_are_known);
        // A total of no tax is often left out.
        compare(AuditItem::Tax, Some(self.total_tax.unwrap_or_default().into()), Some(tally.tax), !charges_are_known);
        if tally.without_start == 0 {
            compare(AuditItem::Earliest, self.earliest.map(|s| s.us.into()), tally.earliest_us.map(i128::from), false);
            compare(AuditItem::Latest, self.latest.map(|s| s.us.into()), tally.latest_us.map(i128::from), false);
        }
        found
    }
}

#[derive(Default)]
struct Reading {
    audit: AuditControl,
    local_time: Option<i64>,
    offset_s: Option<i32>,
}

impl Visitor<'_> for Reading {
    fn enter(&mut self, tag: u32) -> bool {
        (self.local_time, self.offset_s) = (None, None);
        tag == tags::AUDIT_CONTROL || tags::stands_in_event(tag)
    }

    fn value(&mut self, _: u32, tag: u32, content: &[u8]) {
        match tag {
            tags::LOCAL_TIME => self.local_time = local_time(content),
            tags::UTC_OFFSET => self.offset_s = utc_offset(content),
            tags::TOTAL_CHARGE => self.audit.total_charge = integer(content),
            tags::TOTAL_TAX => self.audit.total_tax = integer(content),
            tags::EVENT_COUNT => self.audit.events = natural(content),
            _ => {}
        }
    }

    fn leave(&mut self, tag: u32) {
        let stamp = self.local_time.zip(self.offset_s).map(|(local, offset)| Stamp::at(local, offset));
        match tag {
            tags::EARLIEST_CALL => self.audit.earliest = stamp,
            tags::LATEST_CALL => self.audit.latest = stamp,
            _ => {}
        }
    }
}
