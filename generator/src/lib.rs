//! Seeded months of call records.
//!
//! *Purpose.* Makes a month of realistic call records in the layouts of providers, the reference data that goes with them, and
//! the counts that a correct flow must arrive at. *Input → output.* [`settings::Settings`] → files
//! ([`month::Month::write_file`]), [`reference::ReferenceFiles`], [`facts::Facts`]. *Never.* It never reads a clock, a file or
//! floating-point numbers: a seed gives the same bytes on every machine, and a file depends on its number alone. Its people,
//! companies and numbers are invented. *Start reading at* [`month`].

pub mod settings;
pub mod month;
pub mod folder;
pub mod layout;
pub mod facts;
pub mod reference;

mod calendar;
mod call;
mod companies;
mod compose;
mod fleet;
mod group;
mod numbering;
mod plans;
mod random;

#[cfg(test)]
mod tests;
