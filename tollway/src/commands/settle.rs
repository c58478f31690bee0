//! `tollway settle`: what allowances give to records in the order of event time; the difference first, then the corrections.

use std::collections::BTreeSet;

use ingest::land::DrawingChoice;

use super::rerate::{How, perform};
use crate::cli::{Global, SettleArgs};
use crate::exit_code::Exit;
use crate::named;
use crate::rerating::{Meant, Wish};

/// Runs the command.
pub fn run(global: &Global, args: &SettleArgs) -> anyhow::Result<Exit> {
    let cycle = Some(args.cycle.as_str()).filter(|cycle| *cycle != "all");
    if let Some(cycle) = cycle {
        named::cycle(cycle)?;
    }
    let cycles: BTreeSet<String> = cycle.map(str::to_owned).into_iter().collect();
    let meant = Meant::Drawing(DrawingChoice {
        customers: args.customer.clone().into_iter().collect(),
        cycles,
        ..DrawingChoice::default()
    });
    let how = How { frozen: args.frozen, dry_run: args.dry_run, limit: args.limit, workers: args.workers };
    perform(global, Wish { account: None, meant }, &how)
}
