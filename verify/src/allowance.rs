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
}

impl Reference {
    /// What each of a customer's records comes to, in the order of the input. All of them have to be here: what a record costs hangs
    /// on what others took and came to before it. Many customers are settled faster by one [`Settlement`].
    pub fn settle<'r>(&'r self, entries: &[Entry<'_>]) -> Result<Vec<Derived<'r>>, VerifyError> {
        self.settlement().settle(entries)
    }

    /// Makes ready to settle one customer after the other.
    pub fn settlement(&self) -> Settlement<'_> {
        Settlement { lines: Lines::of(self) }
    }
}

/// Settles customers under the same reference data: everybody's lines are looked through once.
pub struct Settlement<'r> {
    lines: Lines<'r>,
}

impl<'r> Settlement<'r> {
    /// What each record comes to, in the order of the input; customers do not share anything.
    pub fn settle(&self, entries: &[Entry<'_>]) -> Result<Vec<Derived<'r>>, VerifyError> {
        let mut derived = Vec::with_capacity(entries.len());
        let mut covers = Vec::new();
        for (place, entry) in entries.iter().enumerate() {
            let (alone, cover) = self.lines.reference.alone(&entry.record)?;
            derived.push(alone);
            covers.extend(cover.map(|cover| (place, cover)));
        }
        covers.sort_by_key(|(place, _)| {
            let Entry { record, key, delivery, row, epoch } = &entries[*place];
            (*epoch, record.start_us, *key, *delivery, *row)
        });
        let mut balances = Balances {
            lines: &self.lines,
            days: HashMap::new(),
            buckets: HashMap::new(),
            totals: HashMap::new(),
            spent: HashMap::new(),
        };
        for (place, cover) in covers {
            let (record, result) = (&entries[place].record, &mut derived[place]);
            let customer =
                result.window.and_then(|window| Some((window, self.lines.reference.owners.customers.get(&window.customer)?)));
            // Who is no customer has no periods, and so nothing that could run out or add up.
            let draw = match customer {
                Some((window, customer)) => balances.draw(window, customer, &cover, record),
                None => Ok(cover.assumed(record)),
            };
            result.priced = result.priced.clone().after(draw);
        }
        Ok(derived)
    }
}

/// What is left of all that was granted, and what records came to so far.
struct Balances<'s, 'r> {
    lines: &'s Lines<'r>,
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
    /// Lets a record draw from what is left; one that is blocked takes and moves nothing.
    fn draw(
        &mut self,
        window: &'r Window,
        customer: &Customer,
        cover: &Cover<'r>,
        record: &Record<'_>,
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
        let (sources, buckets): (Vec<_>, Vec<_>) = self.open(window, customer, cover).into_iter().unzip();
        let draw = cover.draw_within(record, &sources, before)?;
        for (bucket, take) in buckets.iter().zip(&draw.takes) {
            if let Some(Some(Balance { left: Some(left), .. })) = self.buckets.get_mut(bucket) {
                *left -= take;
            }
        }
        if let Some((total, counted)) = total.zip(draw.counted) {
            *self.totals.entry(total).or_default() += counted;
        }
        if let Some(spent) = spent {
            *self.spent.entry(spent).or_default() += i128::from(draw.spends);
        }
        Ok(draw)
    }

    /// The buckets that a record may draw from, in the order of their turns.
    fn open(&mut self, window: &'r Window, customer: &Customer, cover: &Cover<'r>) -> Vec<(Source<'r>, Bucket<'r>)> {
        let mut open = Vec::new();
        for (position, allowance) in &cover.allowances {
            let now = Period::of(allowance.every, customer, cover.place.start);
            for age in 0..=self.oldest(allowance) {
                let bucket = bucket(window, cover.place.tariff, allowance, now.plus(-age));
                let balance = self.balance(&bucket, customer).filter(|balance| age <= balance.roll_over);
                open.extend(balance.map(|Balance { left, begins_us, expires_us, .. }| {
                    let turn = Turn { is_new: age == 0, begins_us, expires_us, ..Turn::assumed(allowance, *position) };
                    (Source { allowance, turn, left }, bucket)
                }));
            }
        }
        open.sort_by_key(|(source, _)| source.turn);
        open
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
