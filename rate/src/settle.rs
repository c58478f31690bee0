//! Settle: what records come to that hang on others of their customer, in the order of event time (docs/adr/0022).
//!
//! Rated alone, a record is given all that it asks of allowances, and is the first of its total and its discount. Here all such records of
//! a customer ([`demands`]) come one after the other; where that comes to something else, [`Draws`] says
//! so, and [`crate::rate_settled`] prices the record by it. What comes out hangs on the records and the reference data alone.

mod bucket;
pub(crate) mod calendar;
mod fold;
mod grant;
mod reached;
mod running;
mod standing;
mod trace;

use std::num::NonZeroU128;

use domain::closed::{Beside, Stands};
use domain::columns::linked::{NO_GROUP, Owner, Party};
use domain::columns::parsed::{ParsedBatch, Texts};
use domain::columns::rated::RatedBatch;
use domain::delivery::{Account, DeliveryId};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

pub use self::calendar::Period;
use self::fold::Fold;
use self::grant::Grants;
pub use self::reached::Reached;
use self::standing::Standing;
pub use self::trace::{Draw, Ran, Trace};
use crate::price::allowance::Settled;
use crate::price::charge::Charged;
use crate::price::{Facts, facts, sale_at};
use crate::tariff::set::BoundTariffs;
use crate::words::ByWord;

/// A record: its delivery and its row there.
pub type Record = (DeliveryId, u64);

/// A record that hangs on others, as settling takes it.
#[derive(Debug, Clone)]
pub struct Demand {
    record: Record,
    /// The record key: which of two records with one start is first.
    key: u128,
    customer: u32,
    subscription: u32,
    /// [`NO_GROUP`] if the line is in none.
    group: u32,
    /// Hash of the account and the id of the session that it is a part of.
    session: Option<NonZeroU128>,
    /// The billing period, as a month's number.
    period: i32,
    /// Which closing has billed it, as its version; `u64::MAX`: none has.
    epoch: u64,
    tariff: u16,
    plan: u32,
    /// A code of the tariff's zones, ...
    zone: u16,
    /// ... and of its bands.
    band: u8,
    /// What it costs if no record came before it; only of plans without allowances.
    alone: Option<Charged>,
    facts: Facts,
    /// What it stays as, because it was billed.
    stands: Option<Box<Standing>>,
}

impl Demand {
    /// As the records of a customer draw: what a closing has billed goes before all that came later.
    fn order(&self) -> (u64, i64, u128, Record) {
        (self.epoch, self.facts.start_us, self.key, self.record)
    }

    /// Whether it comes out as what it stands as.
    fn is_as_it_comes(&self) -> bool {
        self.stands.as_ref().is_none_or(|standing| standing.is_as_it_comes)
    }
}

/// The records of a batch that hang on others: an allowance covers them, their price is of a total, or they have a discount; and those
/// that stand as what drew from an allowance, and stay so. Their customers and plans are codes of the reference version that the tariffs are
/// bound to, which has rated the batch, each record for itself. `beside` says of each row what was billed of it; where it ends, nothing was.
pub fn demands(rated: &RatedBatch, beside: &[Beside<'_>], tariffs: &BoundTariffs) -> Vec<Demand> {
    let stands = |i: usize| beside.get(i).and_then(|beside| beside.stands.as_ref());
    let draws = |i: usize| stands(i).is_some_and(|stands| !stands.allowance.is_empty());
    if rated.columns.drawn.is_empty() && !(0..beside.len()).any(draws) {
        return Vec::new();
    }
    let sessions = Sessions::of(&rated.linked.parsed);
    let demand = |i: usize| match stands(i) {
        None => as_it_comes(rated, i, &sessions, tariffs),
        Some(stands) => {
            let owners = &rated.linked.owners;
            let is_its = |one: &Demand| {
                let (customer, line) = (owners.customer_names.name(one.customer), owners.subscriptions.name(one.subscription));
                (customer, line, one.period) == (stands.customer, stands.subscription, stands.period)
            };
            let came = rated.is_covered(i).then(|| as_it_comes(rated, i, &sessions, tariffs)).flatten().filter(is_its);
            let standing = Standing::of(stands, came.is_some(), tariffs);
            let demand = came.or_else(|| as_it_stands(rated, i, stands))?;
            Some(Demand { stands: Some(Box::new(standing)), ..demand })
        }
    };
    let asked = || (0..rated.linked.parsed.len()).filter(|i| rated.is_covered(*i) || draws(*i));
    let mut all = Vec::with_capacity(asked().count());
    all.extend(asked().filter_map(|i| {
        let epoch = beside.get(i).map(|beside| beside.epoch);
        let demand = demand(i)?;
        Some(Demand { epoch: epoch.filter(|_| demand.is_as_it_comes()).unwrap_or(demand.epoch), ..demand })
    }));
    all
}

/// A record as whoever's it comes out as.
fn as_it_comes(rated: &RatedBatch, i: usize, sessions: &Sessions<'_>, tariffs: &BoundTariffs) -> Option<Demand> {
    let parsed = &rated.linked.parsed;
    let (columns, found) = (&parsed.columns, &rated.columns);
    let owner = rated.linked.owners.windows.get(rated.linked.owner[i] as usize)?;
    let sale = sale_at(tariffs.sales(owner.plan), columns.start_us[i]).ok()?;
    let tariff = &tariffs.set().tariffs()[usize::from(sale.tariff)];
    let (zone, band) = tariffs.set().codes(sale.tariff).own(found.zone[i], found.band[i])?;
    let alone = Charged { billed: found.billed[i], charge_nano: found.charge_nano[i] };
    let party = (Party::from_code(found.party[i]), owner.group != NO_GROUP);
    let facts = facts(columns, i, parsed.file.cost_currency, party);
    Some(Demand {
        record: (parsed.file.delivery, columns.row[i]),
        key: columns.key.get(i).copied().unwrap_or(0),
        customer: owner.customer,
        subscription: owner.subscription,
        group: owner.group,
        session: if tariff.prices.has_totals(sale.plan) { sessions.name(i) } else { None },
        period: rated.columns.period[i],
        epoch: u64::MAX,
        tariff: sale.tariff,
        plan: sale.plan,
        zone,
        band,
        alone: tariff.allowances.of(sale.plan).is_empty().then_some(alone),
        facts,
        stands: None,
    })
}

/// A record as whoever's it stands as, where it comes out as another's or as nothing that draws; nothing where there is no such customer.
fn as_it_stands(rated: &RatedBatch, i: usize, stands: &Stands<'_>) -> Option<Demand> {
    let (parsed, owners) = (&rated.linked.parsed, &rated.linked.owners);
    let (customer, subscription) =
        (owners.customer_names.code(stands.customer)?, owners.subscriptions.code(stands.subscription)?);
    let is_its = |owner: &&Owner| (owner.customer, owner.subscription) == (customer, subscription);
    let group = owners.windows.get(rated.linked.owner[i] as usize).filter(is_its).map_or(NO_GROUP, |owner| owner.group);
    let party = (Party::default(), group != NO_GROUP);
    Some(Demand {
        record: (parsed.file.delivery, parsed.columns.row[i]),
        key: parsed.columns.key.get(i).copied().unwrap_or(0),
        customer,
        subscription,
        group,
        session: None,
        period: stands.period,
        epoch: stands.epoch,
        tariff: 0,
        plan: 0,
        zone: 0,
        band: 0,
        alone: None,
        facts: facts(&parsed.columns, i, parsed.file.cost_currency, party),
        stands: None,
    })
}

/// Names the sessions of a batch among those of all accounts.
struct Sessions<'b> {
    ids: &'b Texts,
    /// What has taken in the account.
    account: Sha256,
}

impl<'b> Sessions<'b> {
    fn of(parsed: &'b ParsedBatch) -> Self {
        let Account { tenant, provider, account } = &parsed.file.account;
        let mut hash = Sha256::new();
        for part in [tenant.as_str(), provider.as_str(), account.as_str()] {
            hash.update(part);
            hash.update([0]);
        }
        Self { ids: &parsed.columns.session_id, account: hash }
    }

    /// The session of a row, if it is part of one.
    fn name(&self, i: usize) -> Option<NonZeroU128> {
        let id = (i < self.ids.len()).then(|| self.ids.get(i)).filter(|id| !id.is_empty())?;
        let hash = self.account.clone().chain_update(id).chain_update([0]).finalize();
        hash.first_chunk::<16>().and_then(|bytes| NonZeroU128::new(u128::from_be_bytes(*bytes)))
    }
}

/// What records come to that do not get all that they ask for.
#[derive(Debug, Default)]
pub struct Draws {
    /// Numbers of their deliveries.
    deliveries: ByWord<DeliveryId, usize>,
    /// By that and the row, where it stands among all.
    places: ByWord<(usize, u64), usize>,
    settled: Vec<Settled>,
    reached: Vec<Reached>,
}

impl Draws {
    /// How many records do not get all that they ask for.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether every record gets all that it asks for.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The parts of allowances that are used up, by customer and in the order of the records; of periods that ended a month before the
    /// customer's newest record nothing.
    pub fn reached(&self) -> &[Reached] {
        &self.reached
    }

    /// What a record comes to.
    #[inline]
    pub(crate) fn of(&self, record: Record) -> Option<&Settled> {
        let (delivery, row) = record;
        let place = self.places.get(&(*self.deliveries.get(&delivery)?, row))?;
        Some(&self.settled[*place])
    }

    fn add(&mut self, (delivery, row): Record, settled: Settled) {
        let next = self.deliveries.len();
        let delivery = *self.deliveries.entry(delivery).or_insert(next);
        self.places.insert((delivery, row), self.settled.len());
        self.settled.push(settled);
    }
}

/// Lets the records draw; the order in which they come does not matter.
pub fn settle(demands: Vec<Demand>, tariffs: &BoundTariffs) -> Draws {
    let fold = |(settled, reached): &mut (Vec<(Record, Settled)>, Vec<Reached>), fold: &mut Fold<'_>, of: &[&Demand]| {
        settled.extend(of.iter().filter_map(|demand| Some((demand.record, fold.draw(demand, None)?))));
        reached.append(&mut fold.reached);
    };
    let all = each_customer(demands, tariffs, &fold);
    let mut draws = Draws::default();
    let count = all.iter().map(|(settled, _)| settled.len()).sum();
    draws.places.reserve(count);
    draws.settled.reserve_exact(count);
    for (settled, reached) in all {
        for (record, settled) in settled {
            draws.add(record, settled);
        }
        if draws.reached.is_empty() {
            draws.reached = reached;
        } else {
            draws.reached.extend(reached);
        }
    }
    draws
}

/// Lets the records of one customer draw, and tells how one of them does; `None` if it is not among them.
pub fn trace(demands: Vec<Demand>, record: Record, tariffs: &BoundTariffs) -> Option<Trace> {
    let fold = |found: &mut Option<Trace>, fold: &mut Fold<'_>, of: &[&Demand]| {
        let told = of.iter().find_map(|demand| {
            let mut trace = Trace::default();
            let is_it = demand.record == record;
            fold.draw(demand, is_it.then_some(&mut trace));
            is_it.then_some(trace)
        });
        *found = found.take().or(told);
    };
    each_customer(demands, tariffs, &fold).into_iter().flatten().next()
}

/// Gives each customer's records, as they draw, to a fold of its own; what comes of some customers together, by customer.
fn each_customer<T: Default + Send>(
    demands: Vec<Demand>,
    tariffs: &BoundTariffs,
    run: &(dyn Fn(&mut T, &mut Fold<'_>, &[&Demand]) + Sync),
) -> Vec<T> {
    // A record is large and is moved once: to those of its customer, which fit the processor's caches.
    let mut by_customer: Vec<(u32, usize)> = demands.iter().map(|demand| demand.customer).zip(0..).collect();
    by_customer.par_sort_unstable();
    let customers: Vec<&[(u32, usize)]> = by_customer.chunk_by(|a, b| a.0 == b.0).collect();
    let plans = Grants::of(tariffs, &customers.iter().map(|of| of[0].0).collect::<Vec<_>>());
    let fold = |mut all: T, of: &&[(u32, usize)]| {
        let theirs: Vec<Demand> = of.iter().map(|(_, position)| demands[*position].clone()).collect();
        let mut in_order: Vec<&Demand> = theirs.iter().collect();
        in_order.sort_unstable_by_key(|demand| demand.order());
        let newest_us = theirs.iter().map(|demand| demand.facts.start_us).max().unwrap_or(i64::MIN);
        run(&mut all, &mut Fold::new(tariffs, &plans, of[0].0, newest_us), &in_order);
        all
    };
    customers.par_iter().fold(T::default, fold).collect()
}
