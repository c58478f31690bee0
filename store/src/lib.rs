//! The SQL state: reference data that linking and rating read, with every version it ever had.
//!
//! *Purpose.* Keeps customers, plans, windows per identifier, groups of lines and tariffs in SQLite or `PostgreSQL`, as imports brought them in
//! arrival order. *Input → output.* The bytes of a landed import and its arrival number → rows, a dry-run report, and a
//! [`Reference`](load::Reference) as of any arrival. *Never.* No rules of rating, no reading of files, no clock: the same
//! imports in the same order give the same state, so the database can be thrown away and rebuilt from landing.
//! *Start reading at* [`import`], then [`window`] (what a window means), `plan.rs`, [`apply`] and [`load`]; the SQL stands in
//! `statements.rs`, what differs between the databases in `sqlite.rs`, `postgres.rs` and `session.rs`.

pub mod identifier;
pub mod instant;
pub mod import;
pub mod tariff;
pub mod window;
pub mod report;
pub mod location;
pub mod database;
pub mod apply;
pub mod load;
pub mod error;

mod held;
mod names;
mod plan;
mod postgres;
mod session;
mod sqlite;
mod stated;
mod statements;
#[cfg(test)]
mod tests;

pub use apply::Applied;
pub use database::Store;
pub use error::StoreError;
pub use identifier::{Identifier, IdentifierKind};
pub use import::{FullList, ImportError, ImportKind, ImportLimits, ImportMode, ImportRows, parse_import};
pub use load::{Reference, ReferenceCounts};
pub use location::{Limits, Location};
pub use report::ImportReport;
pub use tariff::TariffBundle;
