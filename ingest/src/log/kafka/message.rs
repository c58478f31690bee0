//! From the client library's message to a record of the log.

use rdkafka::message::{BorrowedMessage, Message};

use super::{LIFE_HEADER, native};
use crate::log::Record;

/// A message in our words.
pub(super) struct Taken {
    pub(super) partition: u32,
    pub(super) record: Record,
    /// Which life of the topic its writer knew.
    pub(super) life: Option<String>,
}

/// Copies a message; the time is the broker's where the topic says so, as ours do.
pub(super) fn taken_from(message: &BorrowedMessage<'_>) -> Taken {
    let mut headers = native::headers(message);
    let life = headers.iter().position(|(name, _)| name == LIFE_HEADER).map(|place| headers.remove(place).1);
    let record = Record {
        offset: u64::try_from(message.offset()).unwrap_or_default(),
        key: message.key().unwrap_or_default().to_vec(),
        headers,
        payload: message.payload().unwrap_or_default().to_vec(),
        appended_us: message.timestamp().to_millis().unwrap_or_default().saturating_mul(1_000),
    };
    let partition = u32::try_from(message.partition()).unwrap_or_default();
    Taken { partition, record, life: life.map(|life| String::from_utf8_lossy(&life).into_owned()) }
}
