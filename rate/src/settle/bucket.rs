//! What is left of what the periods of one customer gave, and which of it an allowance of a record may be drawn from.

use std::ops::Range;

use domain::money::Currency;

use super::Demand;
use super::calendar::{Calendar, Period};
use super::grant::{Grant, Grants, Named, Sort, Wanted};
use crate::tariff::allowance::{Allowance, Gives, Whose};
use crate::words::ByWord;

/// What is left of a grant.
#[derive(Debug)]
pub(super) struct Bucket {
    pub grant: Grant,
    pub left: u64,
    /// What records of its own period have used.
    pub used: u64,
    /// The period that gave it, ...
    pub period: Period,
    /// ... when that begins ...
    pub begins_us: i64,
    /// ... and when it can be drawn from no more.
    pub expires_us: i64,
}

impl Bucket {
    /// Takes as much of this as there is.
    pub fn take(&mut self, wanted: u64) -> u64 {
        let taken = wanted.min(self.left);
        if self.grant.gives != Gives::Unlimited {
            self.left -= taken;
        }
        taken
    }

    /// Undoes it.
    pub fn give_back(&mut self, taken: u64) {
        if self.grant.gives != Gives::Unlimited {
            self.left += taken;
        }
    }
}

/// Whose something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    Line(u32),
    Customer,
    /// The customer's, as the sum of what lines bring.
    Pool,
    /// Of a group of the customer's lines.
    Group(u32),
}

impl Subject {
    pub fn of(whose: Whose, demand: &Demand) -> Self {
        match whose {
            Whose::Personal => Self::Line(demand.subscription),
            Whose::Shared => Self::Customer,
            Whose::Pooled => Self::Pool,
            Whose::Group => Self::Group(demand.group),
        }
    }
}

/// Whose bucket, of what, given when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    subject: Subject,
    /// Stands for the name of the allowance, whichever tariff gives it.
    name: u32,
    sort: Sort,
    period: Period,
}

/// The balances of one customer.
pub(super) struct Buckets<'t> {
    grants: &'t Grants<'t>,
    customer: u32,
    calendar: Calendar<'t>,
    /// Those that were asked for so far.
    pub all: Vec<Bucket>,
    /// Which of them it is; `None`: the period gives nothing of it.
    known: ByWord<Key, Option<usize>>,
    /// By the period that a record lies in, which of [`Self::listed`] may be drawn from: nearly every record asks for what another one has.
    lists: ByWord<Key, Range<usize>>,
    listed: Vec<usize>,
}

impl<'t> Buckets<'t> {
    pub fn new(grants: &'t Grants<'t>, customer: u32) -> Self {
        let calendar = grants.calendar(customer);
        let (known, lists) = (ByWord::default(), ByWord::default());
        Self { grants, customer, calendar, all: Vec::new(), known, lists, listed: Vec::new() }
    }

    /// The period of an allowance of a tariff that a record lies in, and which of [`Self::listed`] it may draw from while they last.
    pub fn of(
        &mut self,
        (tariff, number, allowance): (u16, u16, &Allowance),
        currency: Currency,
        demand: &Demand,
    ) -> (Period, Range<usize>) {
        let Named { name, reach } = self.grants.named(tariff, number);
        let period = self.calendar.period(allowance.every, demand.facts.start_us, demand.period);
        let key = Key { subject: Subject::of(allowance.whose, demand), name, sort: Sort::of(allowance, currency), period };
        let list = self.lists.get(&key).cloned();
        (period, list.unwrap_or_else(|| self.list(key, reach, allowance, demand)))
    }

    /// Which of all buckets.
    pub fn listed(&self, at: usize) -> usize {
        self.listed[at]
    }

    /// What the record's period gave and those before it, as far as an allowance reaches.
    #[inline(never)]
    fn list(&mut self, own: Key, reach: u32, allowance: &Allowance, demand: &Demand) -> Range<usize> {
        let first = self.listed.len();
        let reach = i32::try_from(reach).unwrap_or(0);
        for period in (-reach..=0).map(|by| own.period.later(by)) {
            let bucket = self.bucket(Key { period, ..own }, allowance, demand);
            self.listed.extend(bucket);
        }
        self.lists.insert(own, first..self.listed.len());
        first..self.listed.len()
    }

    /// The bucket of a key, filled when it is asked for first.
    fn bucket(&mut self, key: Key, allowance: &Allowance, demand: &Demand) -> Option<usize> {
        let Self { grants, calendar, all, customer, .. } = self;
        *self.known.entry(key).or_insert_with(|| {
            let Key { sort, period, .. } = key;
            let wanted = Wanted { name: &allowance.name, sort, whose: allowance.whose, group: demand.group, period };
            let grant = grants.grant(*customer, demand.subscription, wanted)?;
            let last = i32::try_from(grant.roll_over).unwrap_or(0);
            let (begins_us, expires_us) = (calendar.begin(period), calendar.begin(period.later(last + 1)));
            all.push(Bucket { grant, left: grant.size().unwrap_or(u64::MAX), used: 0, period, begins_us, expires_us });
            Some(all.len() - 1)
        })
    }
}
