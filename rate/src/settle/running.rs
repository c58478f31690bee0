//! What runs on over several records of a customer: totals that prices are of, and money that discounts go by.

use std::hash::Hash;
use std::num::NonZeroU128;

use domain::columns::linked::NO_GROUP;
use domain::money::Currency;

use super::Demand;
use super::bucket::Subject;
use super::calendar::{Calendar, Period};
use super::trace::Ran;
use crate::price::allowance::{Before, Covered, Outcome};
use crate::tariff::allowance::{Whose, family};
use crate::tariff::total::Over;
use crate::words::ByWord;

/// Over what a total runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Span {
    Session(NonZeroU128),
    Period(Period),
}

/// A total: whose, of what, over what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct TotalKey<'t> {
    subject: Subject,
    name: &'t str,
    /// Seconds, bytes or messages.
    family: domain::usage::UsageKind,
    span: Span,
}

/// Money that was charged: whose, under which discount, when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct SpentKey<'t> {
    subject: Subject,
    name: &'t str,
    currency: Currency,
    period: Period,
}

/// What totals and discounts of one customer stand at.
pub(super) struct Running<'t> {
    calendar: Calendar<'t>,
    /// Units of each total that a record was in; `None`: none has moved it.
    totals: Vec<Option<u64>>,
    total_places: ByWord<TotalKey<'t>, usize>,
    /// Nano-units that were charged under each discount.
    spent: Vec<i128>,
    spent_places: ByWord<SpentKey<'t>, usize>,
}

/// Where a record's total and discount are among all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    total: Option<usize>,
    spent: Option<usize>,
}

impl<'t> Running<'t> {
    pub fn new(calendar: Calendar<'t>) -> Self {
        let (total_places, spent_places) = (ByWord::default(), ByWord::default());
        Self { calendar, totals: Vec::new(), total_places, spent: Vec::new(), spent_places }
    }

    /// Finds what a record is in, from nothing on if it is the first.
    pub fn place(&mut self, record: &Covered<'t, '_>, demand: &Demand) -> Place {
        let total = self.total(record, demand).map(|key| place(&mut self.total_places, key, &mut self.totals));
        let spent = self.spent(record, demand).map(|key| place(&mut self.spent_places, key, &mut self.spent));
        Place { total, spent }
    }

    /// What came before a record.
    pub fn before(&self, Place { total, spent }: Place) -> Before {
        Before { total: total.and_then(|at| self.totals[at]), spent: spent.map_or(0, |at| self.spent[at]) }
    }

    /// Takes in what a record came to.
    pub fn move_on(&mut self, Place { total, spent }: Place, outcome: Outcome) {
        if let Some((at, units)) = total.zip(outcome.total) {
            self.totals[at] = Some(units);
        }
        if let Some((at, nano)) = spent.zip(outcome.spent) {
            self.spent[at] = nano;
        }
    }

    /// What a record moved, for people.
    pub fn told(
        &self,
        record: &Covered<'t, '_>,
        demand: &Demand,
        before: Before,
        outcome: Outcome,
    ) -> (Option<Ran>, Option<Ran>) {
        let total = self.total(record, demand).zip(outcome.total).map(|(key, after)| {
            let over = match key.span {
                Span::Session(_) => "session".to_owned(),
                Span::Period(period) => period.to_string(),
            };
            Ran { name: key.name.to_owned(), over, before: before.total, after }
        });
        let discount = self.spent(record, demand).zip(outcome.spent).map(|(key, after)| {
            let nano = |spent: i128| u64::try_from(spent).unwrap_or(u64::MAX);
            Ran {
                name: key.name.to_owned(),
                over: key.period.to_string(),
                before: Some(nano(before.spent)).filter(|before| *before > 0),
                after: nano(after),
            }
        });
        (total, discount)
    }

    /// The total that the price of a record is of; `None` for one that no other record can be in.
    fn total(&self, record: &Covered<'t, '_>, demand: &Demand) -> Option<TotalKey<'t>> {
        let total = record.total?;
        let (subject, span) = match total.over {
            Over::Session => (Subject::of(Whose::Personal, demand), Span::Session(demand.session?)),
            Over::Period(_) if total.whose == Whose::Group && demand.group == NO_GROUP => return None,
            Over::Period(every) => {
                let period = self.calendar.period(every, demand.facts.start_us, demand.period);
                (Subject::of(total.whose, demand), Span::Period(period))
            }
        };
        Some(TotalKey { subject, name: &total.name, family: family(demand.facts.usage), span })
    }

    fn spent(&self, record: &Covered<'t, '_>, demand: &Demand) -> Option<SpentKey<'t>> {
        let discount = record.discount?;
        let period = self.calendar.period(discount.every, demand.facts.start_us, demand.period);
        let (subject, currency) = (Subject::of(discount.whose, demand), record.tariff.currency());
        Some(SpentKey { subject, name: &discount.name, currency, period })
    }
}

/// Where the value of a key is; a new one is added.
fn place<K: Eq + Hash, V: Default>(places: &mut ByWord<K, usize>, key: K, values: &mut Vec<V>) -> usize {
    *places.entry(key).or_insert_with(|| {
        values.push(V::default());
        values.len() - 1
    })
}
