//! The head of a file: who sends what to whom, and the tables that the codes in its events refer to.

mod reading;

use std::fmt::Write as _;

use domain::money::Currency;

use super::ber::{BerError, BerFault, Header, is_end_mark, walk};
use super::error::Tap3Error;
use super::tags;
use super::value::Stamp;

use reading::Reading;

/// Most bytes of one group of the head: 64 bytes for each entry of its largest tables, and as much again.
const HEAD_BYTES_MAX: u64 = 1024 * 1024;

/// Most elements of the head.
const HEAD_ELEMENTS_MAX: u64 = 100_000;

/// Who sends which file to whom, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchControl {
    /// TADIG code of the sender: the visited network.
    pub sender: String,
    /// TADIG code of the recipient: the home network.
    pub recipient: String,
    /// Counts the files from this sender to this recipient; five digits.
    pub sequence: String,
    /// When the file was made.
    pub created: Option<Stamp>,
    /// Events after this are in a later file.
    pub cut_off: Option<Stamp>,
    /// When the file was ready to be fetched.
    pub available: Option<Stamp>,
    /// The specification's version: 3.
    pub specification: u64,
    /// The release: 10 to 12.
    pub release: u64,
    /// Whether the sender marks it as a test (file type `T`): nothing in it may be billed.
    pub is_test: bool,
}

/// A tax that events refer to by code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taxation {
    /// The code.
    pub code: u64,
    /// The kind of tax, as the file writes it.
    pub kind: String,
    /// The rate, as the file writes it; absent for a fixed amount.
    pub rate: Option<String>,
}

/// A discount that events refer to by code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Discounting {
    /// The code.
    pub code: u64,
    /// A fixed amount in the file's units.
    pub fixed: Option<i64>,
    /// A rate, as the file writes it.
    pub rate: Option<i64>,
}

/// An exchange rate: local currency for one unit of the charges' currency, `value` / 10^`decimals`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExchangeRate {
    /// The code that events refer to.
    pub code: u64,
    /// The rate without its decimal point.
    pub value: u64,
    /// How many digits stand behind the point, at most [`super::charge::RATE_DECIMALS_MAX`].
    pub decimals: u32,
}

/// The money of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounting {
    /// The currency of the charges: special drawing rights (XDR) unless the file names another.
    pub currency: Currency,
    /// The sender's currency, to which the rates convert.
    pub local_currency: Option<Currency>,
    /// Digits behind the decimal point of every amount in the file, 0 to 9.
    pub decimals: u32,
    /// Rates by code.
    pub rates: Vec<ExchangeRate>,
    /// Taxes by code.
    pub taxes: Vec<Taxation>,
    /// Discounts by code.
    pub discounts: Vec<Discounting>,
}

/// A network element that records events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordingEntity {
    /// The code that events refer to.
    pub code: u64,
    /// What it is: 1 is an MSC, 2 an SMSC, 3 a GGSN, 4 an SGSN; others as they are.
    pub kind: u64,
    /// Its number or address.
    pub id: String,
}

/// What comes before the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Who and when.
    pub control: BatchControl,
    /// Money.
    pub accounting: Accounting,
    /// Offsets from UTC by code, seconds east.
    pub offsets: Vec<(u64, i32)>,
    /// Recording entities by code.
    pub entities: Vec<RecordingEntity>,
    /// Where the first event begins.
    pub body_from: usize,
    /// Where the list of events ends, if the file says so.
    pub body_to: Option<usize>,
    /// Where the batch ends, if the file says so.
    pub batch_to: Option<usize>,
}

/// How a file begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// A batch of events.
    Batch(Box<Head>),
    /// Word that there are no events: a heartbeat with a sequence number.
    Notification(BatchControl),
}

impl Head {
    /// The offset behind a code.
    #[inline]
    pub fn offset(&self, code: u64) -> Option<i32> {
        self.offsets.iter().find(|(c, _)| *c == code).map(|(_, offset)| *offset)
    }

    /// The rate behind a code.
    #[inline]
    pub fn rate(&self, code: u64) -> Option<&ExchangeRate> {
        self.accounting.rates.iter().find(|rate| rate.code == code)
    }

    /// The recording entity behind a code.
    pub fn entity(&self, code: u64) -> Option<&RecordingEntity> {
        self.entities.iter().find(|entity| entity.code == code)
    }
}

/// Reads how a file begins from its first bytes. `Ok(None)`: more bytes are needed, which cannot be when `is_whole`.
pub fn read(bytes: &[u8], is_whole: bool) -> Result<Option<Opening>, Tap3Error> {
    match open(bytes) {
        Err(Unread::MoreBytes) if is_whole => Err(Tap3Error::Cut),
        Err(Unread::MoreBytes) => Ok(None),
        Err(Unread::Wrong(error)) => Err(error),
        Ok(opening) => Ok(Some(opening)),
    }
}

enum Unread {
    MoreBytes,
    Wrong(Tap3Error),
}

impl From<Tap3Error> for Unread {
    fn from(error: Tap3Error) -> Self {
        Self::Wrong(error)
    }
}

fn damaged(group: &'static str, source: BerError) -> Unread {
    if source.fault == BerFault::Cut { Unread::MoreBytes } else { Tap3Error::Damaged { group, source }.into() }
}

fn open(bytes: &[u8]) -> Result<Opening, Unread> {
    let not_tap = || {
        let mut opening = String::new();
        bytes.iter().take(8).try_for_each(|byte| write!(opening, "{byte:02x}")).expect("a string takes all");
        Unread::from(Tap3Error::NotTap3 { opening })
    };
    // Both openings are one byte; a file of something else should not be told to be cut.
    if bytes.first().is_some_and(|first| u32::from(first & 0x1f) > tags::NOTIFICATION) {
        return Err(not_tap());
    }
    let root = Header::read(bytes, 0).map_err(|e| if e.fault == BerFault::Cut { Unread::MoreBytes } else { not_tap() })?;
    let mut reading = Reading::default();
    match root.tag.id {
        tags::NOTIFICATION if root.tag.is_constructed => {
            group(bytes, 0, usize::MAX, "notification", &mut reading)?;
            Ok(Opening::Notification(reading.control()?))
        }
        tags::TRANSFER_BATCH if root.tag.is_constructed => {
            let batch_to = root.end(usize::MAX);
            let limit = batch_to.unwrap_or(usize::MAX);
            let mut at = root.content;
            loop {
                if batch_to == Some(at) || batch_to.is_none() && is_end_mark(bytes, at, bytes.len()) {
                    return Err(Tap3Error::Missing { item: "callEventDetails" }.into());
                }
                let header = Header::read(bytes, at).map_err(|e| damaged("groups", e))?;
                if header.tag.id == tags::CALL_EVENTS && header.tag.is_constructed {
                    let body_to = header.end(limit);
                    if header.length.is_some() && body_to.is_none() {
                        let fault = BerFault::Beyond(header.length.unwrap_or_default());
                        return Err(damaged("list of events", BerError::new(at, fault)));
                    }
                    let bounds = (header.content, body_to, batch_to);
                    return Ok(Opening::Batch(Box::new(reading.head(bounds)?)));
                }
                let name = match header.tag.id {
                    tags::BATCH_CONTROL => "batch control",
                    tags::ACCOUNTING => "accounting",
                    tags::NETWORK => "network information",
                    _ => "other groups",
                };
                at = group(bytes, at, limit, name, &mut reading)?;
            }
        }
        _ => Err(not_tap()),
    }
}

/// Reads one group and returns the byte after it.
fn group(bytes: &[u8], at: usize, limit: usize, name: &'static str, reading: &mut Reading) -> Result<usize, Unread> {
    let damage = |fault| Unread::from(Tap3Error::Damaged { group: name, source: BerError::new(at, fault) });
    let header = Header::read(bytes, at).map_err(|e| damaged(name, e))?;
    if let Some(length) = header.length {
        let end = header.end(limit).ok_or_else(|| damage(BerFault::Beyond(length)))?;
        if length > HEAD_BYTES_MAX {
            return Err(damage(BerFault::TooLarge));
        }
        if end > bytes.len() {
            return Err(Unread::MoreBytes);
        }
    }
    walk(bytes, at, limit, &mut { HEAD_ELEMENTS_MAX }, reading).map_err(|e| {
        // A group that is there as a whole lacks no bytes, whatever its elements say.
        if header.length.is_some() { Tap3Error::Damaged { group: name, source: e }.into() } else { damaged(name, e) }
    })
}

#[cfg(test)]
mod tests;
