//! Settle: what the allowances of customers really give to their records, in the order of event time (docs/adr/0022).
//!
//! Rated alone, a record that an allowance covers is given all that it asks for. Here all such records of a customer
//! ([`demands`]) draw one after the other from what its cycles give ([`grant`]); where that comes to something else, [`Draws`] says
//! so, and [`crate::rate_settled`] prices the record by it. What comes out hangs on the records and the reference data alone.

mod calendar;
mod fold;
mod grant;
mod reached;
mod trace;

use std::collections::HashMap;

use domain::columns::linked::Party;
use domain::columns::rated::RatedBatch;
use domain::delivery::DeliveryId;
use rayon::prelude::*;

pub use self::calendar::Period;
use self::fold::Fold;
use self::grant::Grants;
pub use self::reached::Reached;
pub use self::trace::{Draw, Trace};
use crate::price::allowance::Settled;
use crate::price::{ClassRows, Facts, facts, sale_at};
use crate::tariff::set::BoundTariffs;

/// A record: its delivery and its row there.
pub type Record = (DeliveryId, u64);

/// A record that an allowance covers, as settling takes it.
#[derive(Debug)]
pub struct Demand {
    record: Record,
    /// The record key: which of two records with one start is first.
    key: u128,
    customer: u32,
    subscription: u32,
    /// The billing period, as a month's number.
    period: i32,
    tariff: u16,
    plan: u32,
    class_row: u32,
    facts: Facts,
}

impl Demand {
    /// By customer, then as they draw.
    fn order(&self) -> (u32, i64, u128, Record) {
        (self.customer, self.facts.start_us, self.key, self.record)
    }
}

/// The records of a batch that an allowance covers. Their customers and plans are codes of the reference version that the tariffs are
/// bound to, which has rated the batch.
pub fn demands(rated: &RatedBatch, tariffs: &BoundTariffs) -> Vec<Demand> {
    if rated.columns.drawn.is_empty() {
        return Vec::new();
    }
    let parsed = &rated.linked.parsed;
    let classes = ClassRows::resolve(parsed, tariffs);
    let demand = |i: usize| {
        if !rated.is_covered(i) {
            return None;
        }
        let columns = &parsed.columns;
        let owner = rated.linked.owners.windows.get(rated.linked.owner[i] as usize)?;
        let sale = sale_at(tariffs.sales(owner.plan), columns.start_us[i]).ok()?;
        Some(Demand {
            record: (parsed.file.delivery, columns.row[i]),
            key: columns.key.get(i).copied().unwrap_or(0),
            customer: owner.customer,
            subscription: owner.subscription,
            period: rated.columns.period[i],
            tariff: sale.tariff,
            plan: sale.plan,
            class_row: classes.find(sale.tariff, columns.class.get(i).copied().unwrap_or(0)),
            facts: facts(columns, i, parsed.file.cost_currency, Party::from_code(rated.columns.party[i])),
        })
    };
    (0..parsed.len()).filter_map(demand).collect()
}

/// What records come to that do not get all that they ask for.
#[derive(Debug, Default)]
pub struct Draws {
    settled: HashMap<Record, Settled>,
    reached: Vec<Reached>,
}

impl Draws {
    /// How many records do not get all that they ask for.
    pub fn len(&self) -> usize {
        self.settled.len()
    }

    /// Whether every record gets all that it asks for.
    pub fn is_empty(&self) -> bool {
        self.settled.is_empty()
    }

    /// The parts of allowances that are used up, by customer and in the order of the records; of periods that ended a month before the
    /// customer's newest record nothing.
    pub fn reached(&self) -> &[Reached] {
        &self.reached
    }

    /// What a record comes to.
    #[inline]
    pub(crate) fn of(&self, record: Record) -> Option<&Settled> {
        self.settled.get(&record)
    }
}

/// Lets the records draw; the order in which they come does not matter.
pub fn settle(demands: Vec<Demand>, tariffs: &BoundTariffs) -> Draws {
    let fold = |fold: &mut Fold<'_>, of: &[Demand]| {
        let settled = of.iter().filter_map(|demand| fold.draw(demand, None).map(|settled| (demand.record, settled)));
        let settled: Vec<(Record, Settled)> = settled.collect();
        (settled, std::mem::take(&mut fold.reached))
    };
    let mut draws = Draws::default();
    for (settled, reached) in each_customer(demands, tariffs, &fold) {
        draws.settled.extend(settled);
        draws.reached.extend(reached);
    }
    draws
}

/// Lets the records of one customer draw, and tells how one of them does; `None` if it is not among them.
pub fn trace(demands: Vec<Demand>, record: Record, tariffs: &BoundTariffs) -> Option<Trace> {
    let fold = |fold: &mut Fold<'_>, of: &[Demand]| {
        of.iter().find_map(|demand| {
            let mut trace = Trace::default();
            let is_it = demand.record == record;
            fold.draw(demand, is_it.then_some(&mut trace));
            is_it.then_some(trace)
        })
    };
    each_customer(demands, tariffs, &fold).into_iter().flatten().next()
}

/// Gives each customer's records, as they draw, to a fold of its own.
fn each_customer<T: Send>(
    mut demands: Vec<Demand>,
    tariffs: &BoundTariffs,
    run: &(dyn Fn(&mut Fold<'_>, &[Demand]) -> T + Sync),
) -> Vec<T> {
    demands.par_sort_unstable_by_key(Demand::order);
    let plans = Grants::of(tariffs, demands.iter().map(|demand| demand.customer));
    let customers: Vec<&[Demand]> = demands.chunk_by(|a, b| a.customer == b.customer).collect();
    let fold = |of: &[Demand]| {
        let newest_us = of.last().map_or(i64::MIN, |demand| demand.facts.start_us);
        Fold::new(tariffs, &plans, of[0].customer, newest_us)
    };
    customers.par_iter().map(|of| run(&mut fold(of), of)).collect()
}
