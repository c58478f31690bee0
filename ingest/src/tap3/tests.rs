//! TAP3 files built by the encoder, read back: events and money, damage, columns.

mod columns;
mod damage;
pub(crate) mod encode;
mod events;
mod profile;

use domain::money::Currency;

use super::head::{self, Head, Opening};
use super::{Ending, Events, Record, Rules};
use encode::Batch;

/// Rules of a profile that wants the cost as it is charged.
fn rules() -> Rules {
    Rules::new(Currency::parse("XDR").expect("a currency"))
}

fn head_of(bytes: &[u8]) -> Head {
    match head::read(bytes, true) {
        Ok(Some(Opening::Batch(head))) => *head,
        other => panic!("{other:?} is no batch"),
    }
}

/// All records of a file, and its ending.
fn read<'a>(head: &Head, bytes: &'a [u8]) -> (Vec<Record<'a>>, Ending) {
    let mut events = Events::new(&rules(), head, bytes);
    let records = events.by_ref().collect();
    (records, events.finish())
}

/// The ending of a batch.
fn ending(batch: &Batch) -> Ending {
    let bytes = batch.encode();
    read(&head_of(&bytes), &bytes).1
}
