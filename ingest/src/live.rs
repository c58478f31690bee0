//! Live sources: events that a switch writes to a topic of its own, gathered into micro-batches that land as files do.
//!
//! A [`EventSource`] hands out the events of the partitions that are ours. [`LiveForm`] says how an event becomes lines that a
//! profile reads; [`MicroBatch`] gathers them. What lands, and that it lands once, is [`crate::land`]'s:
//! see `docs/adr/0015-live-sources.md`.

mod batch;
mod error;
mod form;
pub mod memory;

use crate::log::Watermarks;

pub use self::batch::MicroBatch;
pub use self::error::LiveError;
pub use self::form::LiveForm;

/// An event as it stands in its topic. Its key and headers are the source's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Of which partition.
    pub partition: u32,
    /// Its place there. Offsets rise; they need not follow each other.
    pub offset: u64,
    /// What was written; empty where the event has no value.
    pub value: Vec<u8>,
}

/// What a source has to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Partitions that are ours from now on, perhaps none; each wants an [`EventSource::start_at`] before it gives events.
    Assigned(Vec<u32>),
    /// Partitions that are no longer ours.
    Revoked(Vec<u32>),
    /// Events, in the order of each partition.
    Events(Vec<Event>),
    /// All events of a partition that there are have been told.
    End(u32),
    /// The source refused the place of a partition, it does not say of which.
    Refused,
    /// Nothing at present.
    Idle,
}

/// A topic of somebody else's, whose partitions are shared out among those who listen to it.
pub trait EventSource: Send {
    /// The topic's name.
    fn topic(&self) -> &str;

    /// The topic's present life: another one after it was deleted and made anew.
    fn incarnation(&mut self) -> Result<String, LiveError>;

    /// The oldest offset that a partition holds, and the next one.
    fn watermarks(&mut self, partition: u32) -> Result<Watermarks, LiveError>;

    /// The next offset of a partition as the source last heard of it, for lag figures: nobody is asked. `None`: not yet.
    fn heard_high(&mut self, partition: u32) -> Option<u64> {
        self.watermarks(partition).ok().map(|marks| marks.high)
    }

    /// From which offset on a partition that is ours is read; it may be moved at any time.
    fn start_at(&mut self, partition: u32, offset: u64) -> Result<(), LiveError>;

    /// What comes next; waits at most `wait_ms`. At most `events_max` events come at once.
    fn poll(&mut self, wait_ms: u64, events_max: usize) -> Result<News, LiveError>;

    /// Notes how far a partition has landed, for lag figures of other tools.
    fn note_progress(&mut self, partition: u32, next_offset: u64) -> Result<(), LiveError>;
}

impl<S: EventSource + ?Sized> EventSource for Box<S> {
    fn topic(&self) -> &str {
        (**self).topic()
    }

    fn incarnation(&mut self) -> Result<String, LiveError> {
        (**self).incarnation()
    }

    fn watermarks(&mut self, partition: u32) -> Result<Watermarks, LiveError> {
        (**self).watermarks(partition)
    }

    fn heard_high(&mut self, partition: u32) -> Option<u64> {
        (**self).heard_high(partition)
    }

    fn start_at(&mut self, partition: u32, offset: u64) -> Result<(), LiveError> {
        (**self).start_at(partition, offset)
    }

    fn poll(&mut self, wait_ms: u64, events_max: usize) -> Result<News, LiveError> {
        (**self).poll(wait_ms, events_max)
    }

    fn note_progress(&mut self, partition: u32, next_offset: u64) -> Result<(), LiveError> {
        (**self).note_progress(partition, next_offset)
    }
}

#[cfg(test)]
mod tests;
