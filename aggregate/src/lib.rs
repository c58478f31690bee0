//! From rated rows to sums, and the door for analysts.
//!
//! *Purpose.* Totals that add up, and SQL over the tables. *Input → output.* Batches of `cdr_entries` in, `TotalRows` out; a
//! question in, batches out. *Never.* Rating logic never lives in SQL; nothing here writes a table. The only crate that knows
//! the query engine. *Start reading at* [`totals`], then [`query`].

pub mod totals;
pub mod query;
