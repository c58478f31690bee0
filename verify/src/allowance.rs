//! Settling: what the records of a customer come to when each draws in its turn from what the customer's plans give, and pays what it
//! adds to its total and its discount.

use std::collections::HashMap;

use crate::cover::Cover;
use crate::derive::{Derived, Reference};
use crate::draw::{Before, Draw, Source, Turn};
use crate::error::VerifyError;
use crate::grant::{Bucket, Lines, Sort};
use crate::owner::{Customer, Whose, Window};
use crate::period::{Day, Period};
use crate::record::Record;
use crate::standing::{Stood, stray};
use crate::tariff::Tariff;
use crate::terms::Allowance;
use crate::total::Total;

/// A record, and what tells it from others that began at the same instant.
#[derive(Debug, Clone, Copy, Default)]
pub struct Entry<'r> {
    /// The record.
    pub record: Record<'r>,
    /// Its key.
    pub key: u128,
    /// The delivery that it came with, as text.
    pub delivery: &'r str,
    /// Its row there.
    pub row: i64,
    /// Which closing has billed it, as its version; `u64::MAX`: none has. It draws before all that came later, whenever that started.
    pub epoch: u64,
    /// What it stays as, if it was billed and nothing changes that.
    pub stood: Option<Stood<'r>>,
}

impl Reference {
    /// What each of a customer's records comes to, in the order of the input. All of them have to be here: what a record costs hangs
    /// on what others took and came to before it. Many customers are settled faster by one [`Settlement`].
    pub fn settle<'r>(&'r self, entries: &[Entry<'_>]) -> Result<Vec<Derived<'r>>, VerifyError> {
        self.settlement().settle(entries)
    }

    /// Makes ready to settle one customer after the other.
    pub fn settlement(&self) -> Settlement<'_> {
        Settlement { lines: Lines::of(self), keeps: false }
    }

    /// The same, but what stays as it was billed comes to what it costs beside what it says it drew.
    pub fn settlement_of_billed(&self) -> Settlement<'_> {
        Settlement { keeps: true, ..self.settlement() }
    }
}

/// Settles customers under the same reference data: everybody's lines are looked through once.
pub struct Settlement<'r> {
    lines: Lines<'r>,
    keeps: bool,
}

impl<'r> Settlement<'r> {
    /// What each record comes to, in the order of the input; customers do not share anything.
    pub fn settle(&self, entries: &[Entry<'_>]) -> Result<Vec<Derived<'r>>, VerifyError> {
        let (mut derived, mut turns) = (Vec::with_capacity(entries.len()), Vec::new());
        for (place, entry) in entries.iter().enumerate() {
            let (alone, cover) = self.lines.reference.alone(&entry.record)?;
            let is_its = |stood: &Stood<'_>| {
                cover.is_some() && alone.window.is_some_and(|window| stood.is_of(window, alone.billing_period.as_deref()))
            };
            // What it would come to as another's does not take anything from anybody.
            let stray = entry.stood.as_ref().filter(|stood| !is_its(stood)).map(|stood| stray(stood, alone.window));
            derived.push(alone);
            if cover.is_some() || stray.is_some() {
                turns.push((place, cover, stray));
            }
        }
        turns.sort_by_key(|(place, ..)| {
            let Entry { record, key, delivery, row, epoch, .. } = &entries[*place];
            (*epoch, record.start_us, *key, *delivery, *row)
        });
        let mut balances = Balances {
            lines: &self.lines,
            keeps: self.keeps,
            days: HashMap::new(),
            buckets: HashMap::new(),
            totals: HashMap::new(),
            spent: HashMap::new(),
        };
        let customers = &self.lines.reference.owners.customers;
        for (place, cover, stray) in &turns {
            let (Entry { record, stood, .. }, result) = (&entries[*place], &mut derived[*place]);
            if let Some((stood, window)) = stood.as_ref().zip(stray.as_ref()) {
                if let Some(customer) = customers.get(&window.customer) {
                    balances.stay(stood, (window, customer), record, &[]);
                }
                if let Some(cover) = cover {
                    result.priced = result.priced.clone().after(Ok(cover.assumed(record)));
                }
                continue;
            }
            let Some(cover) = cover else { continue };
            let customer = result.window.and_then(|window| Some((window, customers.get(&window.customer)?)));
            // Who is no customer has no periods, and so nothing that could run out or add up.
            let draw = match customer {
                Some((window, customer)) => balances.draw(window, customer, cover, (record, stood.as_ref())),
                None => Ok(cover.assumed(record)),
            };
            result.priced = result.priced.clone().after(draw);
        }
        Ok(derived)
    }
}

/// What is left of all that was granted, and what records came to so far.
pub(crate) struct Balances<'s, 'r> {
    lines: &'s Lines<'r>,
    /// Whether what stays as it was billed comes to what it costs so.
    keeps: bool,
    days: HashMap<(&'r str, Period), Vec<Day>>,
    /// `None` where nothing was granted.
    buckets: HashMap<Bucket<'r>, Option<Balance>>,
    /// Units that records have come to.
    totals: HashMap<Total<'r>, u64>,
    /// What records came to, by their discounts, in units of 10⁻⁹.
    spent: HashMap<Spent<'r>, i128>,
}

/// What a discount goes by, whichever tariff gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Spent<'r> {
    discount: &'r str,
    currency: &'r str,
    whose: Whose<'r>,
    period: Period,
}

/// What is left in a bucket, and how long it may be drawn from.
#[derive(Debug, Clone, Copy)]
struct Balance {
    /// `None` never runs out.
    left: Option<u128>,
    /// Periods for which what is left stays.
    roll_over: i32,
    /// When the period began in which it was granted.
    begins_us: i64,
    /// When the last period ends in which it is usable.
    expires_us: i64,
}

impl<'r> Balances<'_, 'r> {
    /// Lets a record draw from what is left; one that is blocked takes and moves nothing. One that stays as it stood takes and moves what it
    /// did then.
    fn draw(
        &mut self,
        window: &'r Window,
        customer: &Customer,
        cover: &Cover<'r>,
        (record, stood): (&Record<'_>, Option<&Stood<'_>>),
    ) -> Result<Draw, &'static str> {
        let start = cover.place.start;
        let total = cover.over.and_then(|over| Total::of(over, record, window, customer, start));
        let spent = cover.discount.map(|discount| Spent {
            discount: &discount.name,
            currency: &cover.place.tariff.currency,
            whose: Whose::of(window, discount.scope),
            period: Period::of(discount.every, customer, start),
        });
        let before = Before {
            units: total.as_ref().and_then(|total| self.totals.get(total).copied()),
            spent: spent.and_then(|spent| self.spent.get(&spent).copied()).unwrap_or(0),
        };
        let open = self.open(window, customer, cover);
        let (sources, buckets): (Vec<_>, Vec<_>) = open.iter().copied().unzip();
        let mut draw = cover.draw_within(record, &sources, before);
        let (counted, spends) = match (stood.filter(|stood| !stood.is(draw.as_ref())), &draw) {
            (Some(stood), _) => {
                let first = self.stay(stood, (window, customer), record, &open);
                if self.keeps {
                    draw = cover.kept_within(record, stood, first, before);
                }
                if stood.is_priced { cover.moved(record, stood, first, before) } else { (None, 0) }
            }
            (None, Ok(draw)) => {
                for (bucket, take) in buckets.iter().zip(&draw.takes) {
                    self.deduct(bucket, *take);
                }
                (draw.counted, draw.spends.into())
            }
            (None, Err(_)) => (None, 0),
        };
        if let Some((total, counted)) = total.zip(counted) {
            *self.totals.entry(total).or_default() += counted;
        }
        if let Some(spent) = spent {
            *self.spent.entry(spent).or_default() += spends;
        }
        draw
    }

    /// Takes something out of a bucket.
    pub(crate) fn deduct(&mut self, bucket: &Bucket<'r>, take: u128) {
        if let Some(Some(Balance { left: Some(left), .. })) = self.buckets.get_mut(bucket) {
            *left -= take;
        }
    }

    /// All tariffs.
    pub(crate) fn tariffs(&self) -> impl Iterator<Item = &'r Tariff> + use<'_, 'r> {
        self.lines.reference.tariffs.iter().map(|tariff| &**tariff)
    }

    /// The buckets that a record may draw from, in the order of their turns.
    fn open(&mut self, window: &'r Window, customer: &Customer, cover: &Cover<'r>) -> Vec<(Source<'r>, Bucket<'r>)> {
        let mut open = Vec::new();
        for (position, allowance) in &cover.allowances {
            let now = Period::of(allowance.every, customer, cover.place.start);
            self.offer((window, customer), cover.place.tariff, (*position, *allowance), now, &mut open);
        }
        open.sort_by_key(|(source, _)| source.turn);
        open
    }

    /// Adds the buckets of one allowance that a record of a period may draw from.
    pub(crate) fn offer(
        &mut self,
        (window, customer): (&'r Window, &Customer),
        tariff: &'r Tariff,
        (position, allowance): (usize, &'r Allowance),
        now: Period,
        open: &mut Vec<(Source<'r>, Bucket<'r>)>,
    ) {
        for age in 0..=self.oldest(allowance) {
            let bucket = bucket(window, tariff, allowance, now.plus(-age));
            let balance = self.balance(&bucket, customer).filter(|balance| age <= balance.roll_over);
            open.extend(balance.map(|Balance { left, begins_us, expires_us, .. }| {
                let turn = Turn { is_new: age == 0, begins_us, expires_us, ..Turn::assumed(allowance, position) };
                (Source { allowance, turn, left }, bucket)
            }));
        }
    }

    /// A bucket, which is granted when the first record asks for it.
    fn balance(&mut self, bucket: &Bucket<'r>, customer: &Customer) -> Option<Balance> {
        if !self.buckets.contains_key(bucket) {
            let days = self.days(bucket.whose.customer, bucket.granted, customer).to_vec();
            let grant = self.lines.grant(bucket, &days);
            let balance = grant.map(|grant| Balance {
                left: grant.left,
                roll_over: grant.roll_over,
                begins_us: days.first().map_or(i64::MIN, |day| day.from_us),
                expires_us: self.end(bucket.whose.customer, bucket.granted.plus(grant.roll_over), customer),
            });
            self.buckets.insert(*bucket, balance);
        }
        self.buckets.get(bucket).copied().flatten()
    }

    /// The days of a customer's period.
    fn days(&mut self, name: &'r str, period: Period, customer: &Customer) -> &[Day] {
        self.days.entry((name, period)).or_insert_with(|| period.days(customer))
    }

    /// The end of a customer's period, which is never where no calendar reaches.
    fn end(&mut self, name: &'r str, period: Period, customer: &Customer) -> i64 {
        self.days(name, period, customer).last().map_or(i64::MAX, |day| day.to_us)
    }

    /// For how many periods at most something stays usable that any tariff gave under the allowance's name.
    fn oldest(&self, allowance: &Allowance) -> i32 {
        let named = self.lines.reference.tariffs.iter().filter_map(|tariff| tariff.allowance(&allowance.name));
        named.map(|allowance| allowance.roll_over).max().unwrap_or(0)
    }
}

/// The bucket of a period that a record draws from under an allowance.
fn bucket<'r>(window: &'r Window, tariff: &'r Tariff, allowance: &'r Allowance, granted: Period) -> Bucket<'r> {
    Bucket { allowance: &allowance.name, sort: Sort::of(tariff, allowance), whose: Whose::of(window, allowance.scope), granted }
}

#[cfg(test)]
mod tests;
