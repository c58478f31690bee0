//! Cuts the list of events into events and unreadable stretches, so that one broken event does not cost its neighbours.
//!
//! An event whose elements nest is taken at its word. One whose elements do not nest is kept as it is if its length leads to
//! the end of the list or to the beginning of an event. Else the next place is looked for where an event begins whose elements
//! nest, that has a time, and behind which the list goes on or ends; what lies before it is one unreadable stretch. Effort is
//! bounded; beyond it the rest of the list is one stretch.
//!
//! A part of a list falls into the same pieces as in the whole list, if it ends where the list does or an event begins.

use super::Rules;
use super::ber::{BerError, BerFault, Header, Visitor, is_end_mark, walk};
use super::tags;

/// So many bytes behind a broken event are searched for the next one.
const SEARCH_BYTES_MAX: usize = 1024 * 1024;

/// So many elements are looked at in one search; with [`STRETCHES_MAX`], a file of damage costs about a second.
const SEARCH_ELEMENTS_MAX: u64 = 200_000;

/// So many stretches are bridged in one file.
const STRETCHES_MAX: u32 = 1000;

/// No rule allows longer events.
const EVENT_BYTES_LIMIT: usize = 16 * 1024 * 1024;

/// Most elements of one event.
const EVENT_ELEMENTS_MAX: u64 = 20_000;

/// A piece of the list of events: one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    /// Its first byte.
    pub from: usize,
    /// The byte after it.
    pub to: usize,
    /// Why it is no readable event.
    pub fault: Option<BerError>,
    /// Whether it is a stretch that may hold any number of events.
    pub is_stretch: bool,
    /// Whether the tag of an event stands at its beginning, so that a range may begin there.
    pub opens_event: bool,
}

/// A visitor that only wants to know whether an event's elements nest as those of one event do, and whether it has a time.
#[derive(Default)]
struct Shape {
    depth: u32,
    has_time: bool,
}

impl Visitor<'_> for Shape {
    fn enter(&mut self, tag: u32) -> bool {
        self.depth += 1;
        self.depth == 1 || tags::stands_in_event(tag)
    }
    fn value(&mut self, _: u32, tag: u32, _: &[u8]) {
        self.has_time |= tag == tags::LOCAL_TIME;
    }
    fn leave(&mut self, _: u32) {
        self.depth -= 1;
    }
}

impl Shape {
    /// Looks at nothing that is kept.
    fn segment(segments: &mut Segments<'_>) -> Option<Segment> {
        segments.next(&mut Self::default())
    }
}

/// How many of these bytes, which begin with an event of a list, are events that are cut the same way in the whole list; `None`
/// if no event ends for sure.
pub fn whole_events(rules: &Rules, bytes: &[u8]) -> Option<usize> {
    let mut segments = Segments::new(bytes, 0, Some(bytes.len()), rules.event_bytes_max);
    let (mut whole, mut is_sound) = (None, false);
    while let Some(segment) = Shape::segment(&mut segments) {
        // Behind a sound event an event begins, whatever follows: so no piece before it was ended by the end of the bytes.
        if is_sound && segment.opens_event {
            whole = Some(segment.from);
        }
        is_sound = segment.fault.is_none();
    }
    whole
}

/// The byte after the first piece of a part of the list.
pub(crate) fn first_event(rules: &Rules, bytes: &[u8]) -> usize {
    let mut segments = Segments::new(bytes, 0, Some(bytes.len()), rules.event_bytes_max);
    Shape::segment(&mut segments).map_or(bytes.len(), |segment| segment.to)
}

/// The pieces of a list, in order and without gaps.
#[derive(Debug)]
pub(super) struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The end of the list, or of the bytes that it may reach to.
    limit: usize,
    /// Whether the list ends with an end mark.
    is_open: bool,
    event_bytes_max: usize,
    stretches: u32,
    /// Where the unreadable rest begins, if the list could not be read to its end.
    pub unreadable_from: Option<usize>,
    /// The byte after the list and its end mark; `None` until the end was seen.
    pub end: Option<usize>,
}

impl<'a> Segments<'a> {
    /// The list whose first event begins at `from`. With `to` unknown it ends with an end mark.
    pub(super) fn new(bytes: &'a [u8], from: usize, to: Option<usize>, event_bytes_max: usize) -> Self {
        let limit = to.unwrap_or(bytes.len()).min(bytes.len());
        let is_open = to.is_none();
        let event_bytes_max = event_bytes_max.min(EVENT_BYTES_LIMIT);
        Self { bytes, at: from, limit, is_open, event_bytes_max, stretches: 0, unreadable_from: None, end: None }
    }

    /// The next piece. `visitor` sees the elements of an event up to the one that is broken, if one is.
    #[inline]
    pub(super) fn next<V: Visitor<'a>>(&mut self, visitor: &mut V) -> Option<Segment> {
        if self.end.is_some() {
            return None;
        }
        if self.is_open && is_end_mark(self.bytes, self.at, self.limit) {
            self.end = Some(self.at + 2);
            return None;
        }
        if self.at >= self.limit {
            self.end = (!self.is_open).then_some(self.at);
            return None;
        }
        let from = self.at;
        let (to, fault, is_stretch) = match self.measure(from, &mut { EVENT_ELEMENTS_MAX }, visitor) {
            Ok(to) => (to, None, false),
            Err(fault) => match self.trusted_end(from) {
                Some(to) => (to, Some(fault), false),
                None => (self.bridge(from), Some(fault), true),
            },
        };
        self.at = to;
        Some(Segment { from, to, fault, is_stretch, opens_event: self.is_event(from) })
    }

    /// The end of the event at `from`, if its elements nest.
    fn measure<V: Visitor<'a>>(&self, from: usize, budget: &mut u64, visitor: &mut V) -> Result<usize, BerError> {
        let tag = Header::read(&self.bytes[..self.limit], from)?.tag;
        if !(tag.is_application() && tag.is_constructed && tags::opens_event(tag.id)) {
            return Err(BerError::new(from, BerFault::Misplaced));
        }
        let limit = self.limit.min(from.saturating_add(self.event_bytes_max));
        walk(self.bytes, from, limit, budget, visitor).map_err(|e| match e.fault {
            // The event is longer than allowed, not broken.
            BerFault::Beyond(_) | BerFault::Cut if limit < self.limit => BerError::new(e.at, BerFault::TooLarge),
            _ => e,
        })
    }

    /// Where a broken event ends, if its length leads to a place where it can end.
    fn trusted_end(&self, from: usize) -> Option<usize> {
        let end = Header::read(&self.bytes[..self.limit], from).ok()?.end(self.limit)?;
        self.goes_on_or_ends(end).then_some(end)
    }

    /// Whether the list ends at `end`, or an event stands there.
    fn goes_on_or_ends(&self, end: usize) -> bool {
        let is_last = if self.is_open { is_end_mark(self.bytes, end, self.limit) } else { end == self.limit };
        is_last || self.is_event(end)
    }

    /// Whether the tag of an event stands here. Its length says nothing: it may reach beyond the part of the list at hand.
    #[inline]
    fn is_event(&self, at: usize) -> bool {
        // All of them are constructed and of class APPLICATION; this one comparison drops seven of eight bytes.
        let Some(first) = self.bytes[..self.limit].get(at).filter(|byte| **byte & 0xe0 == 0x60) else { return false };
        match first & 0x1f {
            0x1f => Header::read(&self.bytes[..self.limit], at).is_ok_and(|header| tags::EVENTS.contains(&header.tag.id)),
            number => tags::EVENTS.contains(&u32::from(number)),
        }
    }

    /// Where reading can go on behind what is broken at `from`.
    #[cold]
    fn bridge(&mut self, from: usize) -> usize {
        self.stretches += 1;
        let mut budget = if self.stretches > STRETCHES_MAX { 0 } else { SEARCH_ELEMENTS_MAX };
        for at in from + 1..self.limit.min(from.saturating_add(SEARCH_BYTES_MAX)) {
            if self.is_event(at) {
                let mut shape = Shape::default();
                let end = self.measure(at, &mut budget, &mut shape);
                if end.is_ok_and(|end| shape.has_time && self.goes_on_or_ends(end)) {
                    return at;
                }
            } else if self.is_open && self.is_list_end(at) {
                return at;
            }
            if budget == 0 {
                break;
            }
        }
        // A list that ends where the file says so may hold a broken event at its end; without that, the rest is lost.
        if self.is_open || budget == 0 || self.limit - from > SEARCH_BYTES_MAX {
            self.unreadable_from = Some(from);
        }
        self.limit
    }

    /// Whether an open list ends here: its end mark, followed by the audit control whose elements nest.
    fn is_list_end(&self, at: usize) -> bool {
        is_end_mark(self.bytes, at, self.limit)
            && Header::read(&self.bytes[..self.limit], at + 2).is_ok_and(|h| h.tag.id == tags::AUDIT_CONTROL)
            && walk(self.bytes, at + 2, self.limit, &mut { EVENT_ELEMENTS_MAX }, &mut Shape::default()).is_ok()
    }
}
