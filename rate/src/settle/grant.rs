//! What a cycle gives to a customer: by the plans that its lines had in it, and the terms of the tariff versions that sell these.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use domain::columns::linked::{Customer, Owner};
use domain::money::Currency;
use domain::period::Month;
use domain::zone::{SECOND_US, Zone};

use crate::tariff::allowance::{Allowance, Gives, Whose};
use crate::tariff::set::BoundTariffs;

const DAY_US: i64 = 86_400 * SECOND_US;

/// An allowance over all versions of its tariff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Named<'t> {
    pub tariff: &'t str,
    pub allowance: &'t str,
}

/// What is given once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grant {
    pub gives: Gives,
    pub currency: Currency,
    /// Cycles for which it stays usable.
    pub roll_over: u32,
}

/// What customers have that gives them anything.
pub(super) struct Grants<'t> {
    tariffs: &'t BoundTariffs,
    /// By customer: the windows whose plan has allowances.
    windows: HashMap<u32, Vec<&'t Owner>>,
    /// For how many cycles an allowance stays usable by any version.
    reach: HashMap<Named<'t>, u32>,
}

impl<'t> Grants<'t> {
    /// Those of some customers of the reference version that the tariffs are bound to.
    pub fn of(tariffs: &'t BoundTariffs, customers: impl Iterator<Item = u32>) -> Self {
        let mut windows: HashMap<u32, Vec<&Owner>> = customers.map(|customer| (customer, Vec::new())).collect();
        for window in &tariffs.owners().windows {
            if tariffs.plan_has_allowances(window.plan)
                && let Some(theirs) = windows.get_mut(&window.customer)
            {
                theirs.push(window);
            }
        }
        let mut reach: HashMap<Named<'t>, u32> = HashMap::new();
        for tariff in tariffs.set().tariffs() {
            for allowance in &tariff.allowances.list {
                let most = reach.entry(Named { tariff: tariff.name(), allowance: &allowance.name }).or_default();
                *most = allowance.roll_over.max(*most);
            }
        }
        Self { tariffs, windows, reach }
    }

    /// For how many cycles an allowance stays usable, at most.
    pub fn reach(&self, named: Named<'_>) -> u32 {
        self.reach.get(&named).copied().unwrap_or(0)
    }

    /// What a cycle gives, to one subscription or, of an allowance that is `whose`, to the customer.
    pub fn grant(&self, customer: u32, subscription: u32, named: Named<'_>, whose: Whose, cycle: i32) -> Option<Grant> {
        let lines = self.lines(customer, named, cycle);
        let day = |line: &Line<'_>| line.from_us;
        let first = |lines: &[&Line<'t>]| lines.iter().min_by_key(|line| day(line)).map(|line| line.terms);
        match whose {
            Whose::Personal => {
                let own: Vec<&Line<'t>> = lines.held.iter().filter(|line| line.subscription == subscription).collect();
                Some(lines.amount(first(&own)?, &own))
            }
            Whose::Shared => {
                let all: Vec<&Line<'t>> = lines.held.iter().collect();
                Some(lines.amount(first(&all)?, &all))
            }
            Whose::Pooled => {
                let all: Vec<&Line<'t>> = lines.held.iter().collect();
                let terms = first(&all)?;
                let subscriptions: BTreeSet<u32> = all.iter().map(|line| line.subscription).collect();
                let each = subscriptions.into_iter().filter_map(|subscription| {
                    let own: Vec<&Line<'t>> = all.iter().copied().filter(|line| line.subscription == subscription).collect();
                    Some(lines.amount(first(&own)?, &own).gives)
                });
                // Versions of one cycle may give different things: what was given first stands.
                let each = each.filter(|gives| gives.is_money() == terms.allowance.is_money());
                let (gives, whole) = (each.reduce(sum)?, lines.amount(terms, &[]));
                // Of what has no end nothing is left over.
                let roll_over = if gives == Gives::Unlimited { 0 } else { whole.roll_over };
                Some(Grant { gives, roll_over, ..whole })
            }
        }
    }

    /// While which lines had the allowance in a cycle.
    fn lines(&self, customer: u32, named: Named<'_>, cycle: i32) -> Lines<'t> {
        let owners = self.tariffs.owners();
        let calendar = Calendar::of(&owners.customers[customer as usize], &owners.zones);
        let within = calendar.begin(cycle)..calendar.begin(cycle + 1);
        let mut held = Vec::new();
        for window in self.windows.get(&customer).into_iter().flatten() {
            for sale in self.tariffs.sales(window.plan) {
                let tariff = &self.tariffs.set().tariffs()[usize::from(sale.tariff)];
                let from_us = window.from_us.max(sale.from_us).max(within.start);
                let to_us = window.to_us.min(sale.to_us).min(within.end);
                if from_us >= to_us || tariff.name() != named.tariff {
                    continue;
                }
                if let Some(allowance) = tariff.allowances.named(sale.plan, named.allowance) {
                    let terms = Terms { allowance, currency: tariff.currency(), place_nano: tariff.prices.unit_nano };
                    held.push(Line { subscription: window.subscription, from_us, to_us, terms });
                }
            }
        }
        Lines { calendar, within, held }
    }
}

/// Both together, of one sort.
fn sum(one: Gives, other: Gives) -> Gives {
    match (one, other) {
        (Gives::Units(one), Gives::Units(other)) => Gives::Units(one.saturating_add(other)),
        (Gives::Money(one), Gives::Money(other)) => Gives::Money(one.saturating_add(other)),
        _ => Gives::Unlimited,
    }
}

#[derive(Clone, Copy)]
struct Terms<'t> {
    allowance: &'t Allowance,
    currency: Currency,
    /// Nano-units in the last place to which the tariff rounds.
    place_nano: u64,
}

/// A stretch of a cycle in which a line has the allowance.
struct Line<'t> {
    subscription: u32,
    from_us: i64,
    to_us: i64,
    terms: Terms<'t>,
}

struct Lines<'t> {
    calendar: Calendar<'t>,
    within: Range<i64>,
    held: Vec<Line<'t>>,
}

impl<'t> Lines<'t> {
    /// What the terms give for these stretches.
    fn amount(&self, Terms { allowance, currency, place_nano }: Terms<'t>, lines: &[&Line<'t>]) -> Grant {
        // Rounded up to whole units, or to the last place that charges have.
        let share = |whole: u64, place: u64| {
            if !allowance.by_days {
                return whole;
            }
            let (held, all) = (self.days(lines) as u128, self.calendar.days(&self.within).count().max(1) as u128);
            let share = (u128::from(whole) * held).div_ceil(all * u128::from(place)) * u128::from(place);
            u64::try_from(share).unwrap_or(u64::MAX)
        };
        let gives = match allowance.gives {
            Gives::Units(units) => Gives::Units(share(units, 1)),
            Gives::Money(nano) => Gives::Money(share(nano, place_nano)),
            Gives::Unlimited => Gives::Unlimited,
        };
        Grant { gives, currency, roll_over: allowance.roll_over }
    }

    /// The days that some of the stretches touch.
    fn days(&self, lines: &[&Line<'t>]) -> usize {
        let days = lines.iter().flat_map(|line| self.calendar.days(&(line.from_us..line.to_us)));
        days.collect::<BTreeSet<i64>>().len()
    }
}

/// When a customer's cycles and days begin.
struct Calendar<'t> {
    customer: &'t Customer,
    zone: &'t Zone,
}

impl<'t> Calendar<'t> {
    fn of(customer: &'t Customer, zones: &'t [Zone]) -> Self {
        Self { customer, zone: &zones[usize::from(customer.zone)] }
    }

    fn begin(&self, cycle: i32) -> i64 {
        self.customer.cycle_day.begin(Month::from_number(cycle), self.zone)
    }

    /// The local days that instants lie on, since 1970; of a cycle at most 31.
    fn days(&self, instants: &Range<i64>) -> std::ops::RangeInclusive<i64> {
        let day = |at_us: i64| (at_us + i64::from(self.zone.offset_at(at_us)) * SECOND_US).div_euclid(DAY_US);
        day(instants.start)..=day(instants.end - 1)
    }
}
