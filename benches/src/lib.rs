//! What each stage costs: rows per second, CPU per row and bytes per row.
//!
//! *Purpose.* One measured program per stage and one for the flow, over one stopwatch and one set of seeded sample files.
//! *Input → output.* An [`effort::Effort`] in, a [`report::Report`] out. *Never.* No figure without the machine that it comes
//! from (README.md), no test that passes or fails by time, no data that a seed does not repeat. *Start reading at*
//! [`stopwatch`] and [`sample`], then any stage, such as [`parse`].

pub mod effort;
pub mod stopwatch;
pub mod report;
pub mod sample;
pub mod reference;
pub mod outside;
pub mod deck;

pub mod split;
pub mod parse;
pub mod rate;
pub mod plans;
pub mod dedupe;
pub mod encode;
pub mod commit;
pub mod log;
pub mod flow;

use std::env;

use crate::effort::Effort;
use crate::report::Report;

/// The whole of a bench program: reads its arguments, measures, prints.
pub fn run(bench: fn(&Effort) -> anyhow::Result<Report>) -> anyhow::Result<()> {
    let effort = Effort::from_arguments(env::args().skip(1))?;
    print!("{}", bench(&effort)?);
    Ok(())
}
