//! Verify: what a record costs, derived a second time from its parsed fields and the texts in force, to be held against the table; and the
//! lines of a cycle, from what was used and the same texts.
//!
//! *Purpose.* A charge is proved by somebody else. This crate reads tariffs from their texts, finds owner, zone, band and price by plain
//! search, counts a call increment by increment and adds exact fractions of any size. *Input → output.*
//! [`Reference::derive`]`(&Record) -> Derived`, or [`Reference::settle`]`(&[Entry]) -> Vec<Derived>` where allowances, totals or
//! discounts tie records of a customer together, then [`compare::differences`]`(&Derived, &Stated)`; of a closing
//! [`Book::lines`]`(&Closing) -> Vec<Line>`. *Never.* It uses none of our other crates,
//! and above all none of `rate`: a mistake that both would share proves nothing. It checks no tariff for sense, because an import did; what it
//! does not understand is an error and never a guess. No floats, no rounding but the one that the tariff names.
//! *Start reading at* [`derive`], then [`charge`], then [`allowance`]; for cycles at [`lines`].

pub mod allowance;
pub mod compare;
pub mod derive;
pub mod error;
pub mod lines;
pub mod owner;
pub mod record;
pub mod tariff;

mod amount;
mod band;
mod charge;
mod companion;
mod cover;
mod dated;
mod discount;
mod draw;
mod exchange;
mod grant;
mod information;
mod period;
mod price;
mod recurring;
mod standing;
mod table;
mod terms;
mod text;
mod total;
mod usage;
mod zone;

pub use allowance::{Entry, Settlement};
pub use compare::{Difference, Stated, differences};
pub use derive::{Derived, Drawn, Reference};
pub use error::VerifyError;
pub use lines::{Book, Closing, Line};
pub use record::Record;
pub use standing::Stood;
