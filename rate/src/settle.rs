//! Settle: what records come to that hang on others of their customer, in the order of event time (docs/adr/0022).
//!
//! Rated alone, a record is given all that it asks of allowances, and is the first of its total and its discount. Here all such records of
//! a customer ([`demands`]) come one after the other; where that comes to something else, [`Draws`] says
//! so, and [`crate::rate_settled`] prices the record by it. What comes out hangs on the records and the reference data alone.

pub(crate) mod calendar;
mod fold;
mod grant;
mod reached;
mod running;
mod trace;

use std::collections::HashMap;

use domain::columns::linked::{NO_GROUP, Party};
use domain::columns::parsed::ParsedBatch;
use domain::columns::rated::RatedBatch;
use domain::delivery::{Account, DeliveryId};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

pub use self::calendar::Period;
use self::fold::Fold;
use self::grant::Grants;
pub use self::reached::Reached;
pub use self::trace::{Draw, Ran, Trace};
use crate::price::allowance::Settled;
use crate::price::{ClassRows, Facts, facts, sale_at};
use crate::tariff::set::BoundTariffs;

/// A record: its delivery and its row there.
pub type Record = (DeliveryId, u64);

/// A record that hangs on others, as settling takes it.
#[derive(Debug)]
pub struct Demand {
    record: Record,
    /// The record key: which of two records with one start is first.
    key: u128,
    customer: u32,
    subscription: u32,
    /// [`NO_GROUP`] if the line is in none.
    group: u32,
    /// Hash of the account and the id of the session that it is a part of.
    session: Option<u128>,
    /// The billing period, as a month's number.
    period: i32,
    /// Whether it was billed when its cycle was closed.
    is_billed: bool,
    tariff: u16,
    plan: u32,
    class_row: u32,
    facts: Facts,
}

impl Demand {
    /// By customer, then as they draw: what was billed when its cycle was closed goes before all that came later.
    fn order(&self) -> (u32, bool, i64, u128, Record) {
        (self.customer, !self.is_billed, self.facts.start_us, self.key, self.record)
    }
}

/// The records of a batch that hang on others: an allowance covers them, their price is of a total, or they have a discount. Their customers and plans are codes of the reference version that the tariffs are
/// bound to, which has rated the batch. `billed` says which rows were billed when their cycle was closed; where it ends, none was.
pub fn demands(rated: &RatedBatch, billed: &[bool], tariffs: &BoundTariffs) -> Vec<Demand> {
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
        let party = (Party::from_code(rated.columns.party[i]), owner.group != NO_GROUP);
        let facts = facts(columns, i, parsed.file.cost_currency, party);
        Some(Demand {
            record: (parsed.file.delivery, columns.row[i]),
            key: columns.key.get(i).copied().unwrap_or(0),
            customer: owner.customer,
            subscription: owner.subscription,
            group: owner.group,
            session: session(parsed, i),
            period: rated.columns.period[i],
            is_billed: billed.get(i).copied().unwrap_or(false),
            tariff: sale.tariff,
            plan: sale.plan,
            class_row: classes.find(sale.tariff, columns.class.get(i).copied().unwrap_or(0)),
            facts,
        })
    };
    (0..parsed.len()).filter_map(demand).collect()
}

/// Names a session among all accounts.
fn session(parsed: &ParsedBatch, i: usize) -> Option<u128> {
    let ids = &parsed.columns.session_id;
    let id = (i < ids.len()).then(|| ids.get(i)).filter(|id| !id.is_empty())?;
    let Account { tenant, provider, account } = &parsed.file.account;
    let mut hash = Sha256::new();
    for part in [tenant.as_str(), provider.as_str(), account.as_str(), id] {
        hash.update(part);
        hash.update([0]);
    }
    hash.finalize().first_chunk::<16>().map(|bytes| u128::from_be_bytes(*bytes))
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
        let newest_us = of.iter().map(|demand| demand.facts.start_us).max().unwrap_or(i64::MIN);
        Fold::new(tariffs, &plans, of[0].customer, newest_us)
    };
    customers.par_iter().map(|of| run(&mut fold(of), of)).collect()
}
