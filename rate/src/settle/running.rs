//! What runs on over several records of a customer: totals that prices are of, and money that discounts go by.

use std::collections::HashMap;

use domain::columns::linked::NO_GROUP;
use domain::money::Currency;

use super::Demand;
use super::calendar::{Calendar, Period};
use super::fold::Subject;
use super::trace::Ran;
use crate::price::allowance::{Before, Covered, Outcome};
use crate::tariff::allowance::{Whose, family};
use crate::tariff::total::Over;

/// Over what a total runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Span {
    Session(u128),
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
    totals: HashMap<TotalKey<'t>, u64>,
    spent: HashMap<SpentKey<'t>, i128>,
}

impl<'t> Running<'t> {
    pub fn new(calendar: Calendar<'t>) -> Self {
        Self { calendar, totals: HashMap::new(), spent: HashMap::new() }
    }

    /// What came before a record.
    pub fn before(&self, record: &Covered<'t, '_>, demand: &Demand) -> Before {
        Before {
            total: self.total(record, demand).and_then(|key| self.totals.get(&key).copied()),
            spent: self.spent(record, demand).and_then(|key| self.spent.get(&key).copied()).unwrap_or(0),
        }
    }

    /// Takes in what a record came to.
    pub fn move_on(&mut self, record: &Covered<'t, '_>, demand: &Demand, outcome: Outcome) {
        if let Some((key, units)) = self.total(record, demand).zip(outcome.total) {
            self.totals.insert(key, units);
        }
        if let Some((key, spent)) = self.spent(record, demand).zip(outcome.spent) {
            self.spent.insert(key, spent);
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
