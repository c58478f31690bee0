//! Who is charged for which days: the stretches in which lines have a plan that charges something, and the period that is asked for them.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use domain::period::Month;

use crate::settle::calendar::{CYCLES_OF_QUARTER, Calendar, Period};
use crate::tariff::Tariff;
use crate::tariff::allowance::{Every, Whose};
use crate::tariff::commitment::Commitment;
use crate::tariff::recurring::{Due, Recurring};

/// What a plan asks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Charge<'t> {
    Fee(&'t Recurring),
    Commitment(&'t Commitment),
}

impl<'t> Charge<'t> {
    /// What a plan of a tariff asks.
    pub fn of_plan(tariff: &'t Tariff, plan: u32) -> Vec<Self> {
        let is_of = |terms: &Recurring| terms.plans.get(plan as usize).copied().unwrap_or(false);
        let fees = tariff.fees.iter().filter(|fee| is_of(fee)).map(Self::Fee);
        let commitments = tariff.commitments.iter().filter(|commitment| is_of(&commitment.terms)).map(Self::Commitment);
        fees.chain(commitments).collect()
    }

    pub fn terms(self) -> &'t Recurring {
        match self {
            Self::Fee(terms) => terms,
            Self::Commitment(commitment) => &commitment.terms,
        }
    }
}

/// A stretch of time in which a line has a plan that charges something, by one tariff version.
#[derive(Clone, Copy)]
pub(super) struct Held<'b> {
    pub from_us: i64,
    pub to_us: i64,
    pub subscription: &'b str,
    pub plan: &'b str,
    pub tariff: &'b Tariff,
    pub charge: Charge<'b>,
}

impl<'b> Held<'b> {
    pub fn terms(&self) -> &'b Recurring {
        self.charge.terms()
    }

    /// Which of two counts that are touched from an instant on: the first; of several the first tariff and plan by name.
    fn order(&self, from_us: i64) -> (i64, &'b str, &'b str, &'b str) {
        (self.from_us.max(from_us), self.tariff.id(), self.plan, self.subscription)
    }
}

/// All that a customer's lines have had, by name.
pub(super) struct Helds<'b> {
    calendar: Calendar<'b>,
    cycle: Month,
    fees: BTreeMap<&'b str, Vec<Held<'b>>>,
    commitments: BTreeMap<&'b str, Vec<Held<'b>>>,
}

/// What a subject is charged for in a period, by the terms of its first touched instant there.
pub(super) struct Stay<'b> {
    calendar: Calendar<'b>,
    pub first: Held<'b>,
    /// None of what is the customer's.
    pub subscription: Option<&'b str>,
    /// The stretches of the subject, at any time.
    held: Vec<Held<'b>>,
    within: Range<i64>,
    /// The cycles of the period.
    pub cycles: RangeInclusive<Month>,
}

/// The days of a period for which one tariff version asks.
pub(super) struct Part<'b> {
    /// Its first stretch.
    pub first: Held<'b>,
    pub days: u32,
}

impl<'b> Helds<'b> {
    pub fn new(calendar: Calendar<'b>, cycle: Month) -> Self {
        Self { calendar, cycle, fees: BTreeMap::new(), commitments: BTreeMap::new() }
    }

    pub fn add(&mut self, held: Held<'b>) {
        let by_name = match held.charge {
            Charge::Fee(_) => &mut self.fees,
            Charge::Commitment(_) => &mut self.commitments,
        };
        by_name.entry(&*held.terms().name).or_default().push(held);
    }

    /// The fees that are due in the cycle.
    pub fn fees(&self) -> impl Iterator<Item = Stay<'b>> {
        self.fees.values().flat_map(|held| self.stays(held, self.cycle))
    }

    /// The commitments that are due in the cycle.
    pub fn commitments(&self) -> impl Iterator<Item = Stay<'b>> {
        self.commitments.values().flat_map(|held| self.stays(held, self.cycle))
    }

    /// The commitment of a name and subject that was due in another cycle, by what is in force now.
    pub fn commitment(&self, name: &str, subscription: Option<&str>, cycle: Month) -> Option<Stay<'b>> {
        let held = self.commitments.get(name)?;
        self.stays(held, cycle).into_iter().find(|stay| stay.subscription == subscription)
    }

    /// What of one name is due in a cycle, by subject.
    fn stays(&self, held: &[Held<'b>], cycle: Month) -> Vec<Stay<'b>> {
        let mut by_line: BTreeMap<&str, Vec<Held<'b>>> = BTreeMap::new();
        for held in held {
            by_line.entry(held.subscription).or_default().push(*held);
        }
        let lines = by_line.into_iter().filter_map(|(line, held)| self.stay(Some(line), held, cycle));
        self.stay(None, held.to_vec(), cycle).into_iter().chain(lines).collect()
    }

    /// What a subject is charged in a cycle: its quarter's terms come first, so that no cycle of a quarter is charged twice.
    fn stay(&self, subscription: Option<&'b str>, held: Vec<Held<'b>>, cycle: Month) -> Option<Stay<'b>> {
        let whose = if subscription.is_some() { Whose::Personal } else { Whose::Shared };
        let number = cycle.number();
        let quarter = Period { every: Every::Quarter, number: number.div_euclid(CYCLES_OF_QUARTER) };
        let within_quarter = self.calendar.instants(quarter);
        let of_quarter = first(&held, &within_quarter)?;
        let within_cycle = self.calendar.instants(Period::cycle(number));
        let is_quarterly = of_quarter.terms().due == Due::Quarter;
        let (first, within, cycles) = if is_quarterly {
            let months = quarter.month()..=Month::from_number(quarter.later(1).month().number() - 1);
            (of_quarter, within_quarter, months)
        } else {
            (first(&held, &within_cycle)?, within_cycle, cycle..=cycle)
        };
        let is_due = match first.terms().due {
            Due::Cycle => true,
            Due::Quarter => is_quarterly && *cycles.end() == cycle,
            Due::Once => first_of(&held).is_some_and(|ever| within.contains(&ever.from_us)),
        };
        (is_due && first.terms().whose == whose).then_some(Stay {
            calendar: self.calendar,
            first,
            subscription,
            held,
            within,
            cycles,
        })
    }
}

/// The stretch that is touched first in a period.
fn first<'b>(held: &[Held<'b>], within: &Range<i64>) -> Option<Held<'b>> {
    let inside = held.iter().filter(|held| held.from_us < within.end && within.start < held.to_us);
    inside.min_by_key(|held| held.order(within.start)).copied()
}

/// The first stretch ever.
fn first_of<'b>(held: &[Held<'b>]) -> Option<Held<'b>> {
    held.iter().min_by_key(|held| held.order(i64::MIN)).copied()
}

impl<'b> Stay<'b> {
    /// The days of the period.
    pub fn days(&self) -> u32 {
        let days = self.calendar.days(&self.within);
        u32::try_from(days.end() - days.start() + 1).expect("a quarter has at most 93 days")
    }

    /// The touched days by the tariff version in force at the first touched instant of each, in the order of the versions' names.
    pub fn parts(&self) -> Vec<Part<'b>> {
        let days = self.calendar.days(&self.within);
        let first_day = *days.start();
        let mut of_day: Vec<Option<(i64, Held<'b>)>> = vec![None; self.days() as usize];
        for held in &self.held {
            let (from_us, to_us) = (held.from_us.max(self.within.start), held.to_us.min(self.within.end));
            if from_us >= to_us {
                continue;
            }
            let touched = self.calendar.days(&(from_us..to_us));
            for day in touched.clone() {
                // A stretch that began on a day before touches this one from its first instant on.
                let since_us = if day == *touched.start() { from_us } else { i64::MIN };
                let slot = usize::try_from(day - first_day).ok().and_then(|at| of_day.get_mut(at));
                let Some(slot) = slot else { continue };
                let is_earlier =
                    |(other_us, other): &(i64, Held<'b>)| (since_us, held.tariff.id()) < (*other_us, other.tariff.id());
                if slot.as_ref().is_none_or(is_earlier) {
                    *slot = Some((since_us, *held));
                }
            }
        }
        self.by_version(of_day.into_iter().flatten().map(|(_, held)| held))
    }

    fn by_version(&self, days: impl Iterator<Item = Held<'b>>) -> Vec<Part<'b>> {
        let mut parts: BTreeMap<&str, Part<'b>> = BTreeMap::new();
        for held in days {
            parts.entry(held.tariff.id()).or_insert(Part { first: held, days: 0 }).days += 1;
        }
        for (id, part) in &mut parts {
            let of_version: Vec<Held<'b>> = self.held.iter().filter(|held| &**held.tariff.id() == *id).copied().collect();
            part.first = first(&of_version, &self.within).unwrap_or(part.first);
        }
        parts.into_values().collect()
    }
}
