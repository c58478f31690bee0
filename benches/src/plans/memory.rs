//! What allowances and a large deck hold in memory: a customer per allowance, each of which draws from its own.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use anyhow::Context;
use domain::columns::linked::{Customer, NO_GROUP, Owner, Owners};
use domain::columns::parsed::{ParsedBatch, ParsedColumns};
use domain::ids::Names;
use domain::number::Number;
use domain::period::CycleDay;
use domain::usage::{Direction, Usage, UsageKind};
use domain::zone::Zone;
use generator::layout::Layout;
use pipeline::rating::Reference;
use rate::link::index::{DeviceIndex, IdentifierKind, IdentifierWindow};
use rate::settle::{Demand, demands, settle};
use rate::tariff::Tariff;
use rate::tariff::set::TariffSet;

use super::{KINDS, Kind, PLAN};
use crate::effort::Effort;
use crate::report::Footprint;
use crate::sample;

/// The number of the first line; the others follow.
const FIRST_LINE: u64 = 31_610_000_000;

/// Whom all call.
const CALLED: u64 = 31_201_234_567;

/// 2026-10-14T10:00:00Z.
const START_US: i64 = 1_791_972_000_000_000;

/// How long customers call: a part of what their allowances give in two months, and an hour more than that.
const CALL_S: i32 = 120_000;
const LONG_CALL_S: i32 = 180_000 + 3_600;

/// Rows of a batch.
const BATCH: usize = 10_000;

/// One customer of so many uses up all of its own, at first; then all do.
const USED_UP_EVERY: usize = 10;

/// Loads the deck, then the customers, then lets each draw; what the process holds after each step. Called first in a process it tells
/// what these take; later on, what they add to what is there.
pub fn measure(effort: &Effort) -> anyhow::Result<Vec<Footprint>> {
    let before = Footprint::now("plans/memory before", 0);
    let kind = KINDS.iter().find(|kind| kind.name == "allowances").context("there is a plan with allowances")?;
    let tariff = super::tariff(&Kind { has_large_deck: true, ..*kind }, effort)?;
    let deck = Footprint::now("plans/memory deck", effort.prefixes);
    let reference = reference(tariff, effort.allowances)?;
    let customers = Footprint::now("plans/memory customers", effort.allowances);
    let mut footprints = vec![before, deck, customers];
    for (name, used_up_every) in [("plans/memory drawn", USED_UP_EVERY), ("plans/memory used up", 1)] {
        let found = calls(&reference, used_up_every, effort)?;
        anyhow::ensure!(found.len() == effort.allowances as usize, "{} records draw, not {}", found.len(), effort.allowances);
        let draws = settle(found, &reference.tariffs);
        let used_up = (effort.allowances as usize).div_ceil(used_up_every);
        anyhow::ensure!(draws.len() == used_up, "{} allowances are used up, not {used_up}", draws.len());
        footprints.push(Footprint::now(name, effort.allowances));
    }
    Ok(footprints)
}

/// Customers with a line each, all on the plan.
fn reference(tariff: Tariff, customers: u32) -> anyhow::Result<Reference> {
    let names = || Names::new((0..customers).map(|n| format!("C-{}", 1_000_000 + n)));
    let window = |n| Owner { from_us: 0, to_us: i64::MAX, device: n, subscription: n, customer: n, plan: 0, group: NO_GROUP };
    let customer = Customer { owner_path: "bench".into(), cycle_day: CycleDay::FIRST, zone: 0 };
    let owners = Arc::new(Owners {
        windows: (0..customers).map(window).collect(),
        devices: names(),
        subscriptions: names(),
        customer_names: names(),
        customers: vec![customer; customers as usize],
        plans: Names::new([PLAN]),
        groups: Names::default(),
        zones: vec![Zone::load("Europe/Amsterdam").context("the zone is bundled")?],
    });
    let line = |n| IdentifierWindow { kind: IdentifierKind::Msisdn, value: FIRST_LINE + u64::from(n), owner: n };
    let index = DeviceIndex::build(Arc::clone(&owners), (0..customers).map(line).collect())?;
    let tariffs = Arc::new(TariffSet::build(vec![tariff])?).bind(&owners);
    Ok(Reference { version: 1, index, tariffs })
}

/// One call of each customer, rated in batches.
fn calls(reference: &Reference, used_up_every: usize, effort: &Effort) -> anyhow::Result<Vec<Demand>> {
    let (_, file) = sample::one(Layout::Job, &Effort { rows: Effort::TINY.rows, ..*effort })?;
    let lines: Vec<u64> = (0..u64::from(effort.allowances)).map(|n| FIRST_LINE + n).collect();
    let mut found = Vec::new();
    for (lines, first_row) in lines.chunks(BATCH).zip((0..).step_by(BATCH)) {
        let batch = ParsedBatch {
            file: Arc::clone(&file.context),
            first_row,
            rows_in: lines.len() as u64,
            columns: columns(lines, first_row, used_up_every),
            malformed: Vec::new(),
            skipped: BTreeMap::new(),
            texts: Vec::new(),
            classes: Vec::new(),
        };
        found.extend(demands(&reference.rate(batch), &[], &reference.tariffs));
    }
    Ok(found)
}

fn columns(lines: &[u64], first_row: u64, used_up_every: usize) -> ParsedColumns {
    let rows = lines.len();
    ParsedColumns {
        row: (first_row..).take(rows).collect(),
        usage: vec![Usage::new(UsageKind::Voice, Direction::Outgoing); rows],
        a_number: lines.iter().map(|line| Number::e164(*line, 11)).collect(),
        b_number: vec![Number::e164(CALLED, 11); rows],
        start_us: vec![START_US; rows],
        offset_s: vec![7_200; rows],
        duration_s: (0..rows).map(|row| if row.is_multiple_of(used_up_every) { LONG_CALL_S } else { CALL_S }).collect(),
        ..ParsedColumns::default()
    }
}

impl Footprint {
    /// What the process holds now, and held at most so far.
    fn now(name: &str, items: u32) -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let bytes = |field: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
            line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1_024)
        };
        Self { name: name.to_owned(), items: items.into(), bytes: bytes("VmRSS"), bytes_max: bytes("VmHWM") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_customer_draws_from_an_allowance_of_its_own() {
        let footprints = measure(&Effort::TINY).expect("all allowances are drawn from");
        assert_eq!(footprints.iter().map(|held| held.items).collect::<Vec<_>>(), [0, 2_000, 300, 300, 300]);
    }
}
