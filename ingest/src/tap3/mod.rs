//! GSMA TAP3 (3.10 to 3.12): the files in which networks charge each other for roamers. Bytes to the same columns as text.
//!
//! A file is one BER element: a head with code tables ([`head`]), a list of events, and an audit control ([`audit`]).
//! [`split`] checks the file as a whole and cuts it between events; [`parse`] reads a range of events with the head's tables;
//! [`Events`] reads a file event by event. A broken event is kept with its bytes and the file goes on ([`segment`]).
//! `docs/adr/0011-tap3.md` says what was decided and where the facts come from.

pub mod ber;
pub(crate) mod tags;
pub mod value;
pub mod error;
pub mod head;
pub mod charge;
pub mod event;
mod segment;
pub mod audit;
mod file;
mod split;
mod columns;

use domain::money::Currency;

pub use columns::parse;
pub use file::{Ending, Events, Record, Unusable};
pub(crate) use segment::first_event;
pub use segment::whole_events;
pub use split::{Tap3Split, split, split_at};

/// What a profile says about TAP3 files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The currency of the cost column. It must be the charges' currency (mostly XDR) or the sender's own; then charges are
    /// taken as they are, or exchanged with the file's rates.
    pub cost_currency: Currency,
    /// Longest event; a longer one is malformed. Bytes, at most 16 MiB.
    pub event_bytes_max: usize,
    /// So much of a malformed event is kept. Bytes.
    pub raw_bytes_max: usize,
    /// Longest call or session; a longer one is malformed. Seconds.
    pub duration_s_max: u64,
    /// Most bytes in one direction of one event; more is malformed.
    pub volume_bytes_max: u64,
    /// Whether files that are marked as tests are taken: never where bills are made.
    pub takes_tests: bool,
    /// Whether supplementary services without a charge are left out, counted as [`FREE_SUPPLEMENTARY`]; else they are
    /// suspense, as those with a charge always are.
    pub skips_free_supplementary: bool,
}

/// The rule under which supplementary services without a charge are left out.
pub const FREE_SUPPLEMENTARY: &str = "supplementary-service-without-charge";

impl Rules {
    /// The usual limits for a cost currency.
    pub fn new(cost_currency: Currency) -> Self {
        Self {
            cost_currency,
            event_bytes_max: 256 * 1024,
            raw_bytes_max: 64 * 1024,
            // A month: data sessions stay open for long.
            duration_s_max: 31 * 86_400,
            volume_bytes_max: 1 << 40,
            takes_tests: false,
            skips_free_supplementary: true,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
