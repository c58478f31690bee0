//! The proof of the whole: the core under a seeded simulator, and what the tests in `tests/` share.
//!
//! *Purpose.* Everything that more than one crate has to get right together: exactly once under faults, above all. *Input →
//! output.* A seed in; the run that it stands for, checked against a model that shares no code with the product, out.
//! *Never.* The query engine is not linked, so that a planted bug builds in seconds; nothing here is part of the product.
//! *Start reading at* [`simulator`].

pub mod simulator;
