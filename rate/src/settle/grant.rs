//! What a cycle gives to a customer: by the plans that its lines had in it, and the terms of the tariff versions that sell these.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use domain::columns::linked::{Customer, Owner};
use domain::money::Currency;
use domain::period::Month;
use domain::usage::UsageKind;
use domain::zone::{SECOND_US, Zone};

use crate::tariff::Tariff;
use crate::tariff::allowance::{Allowance, Gives, Whose};
use crate::tariff::set::BoundTariffs;

const DAY_US: i64 = 86_400 * SECOND_US;

/// What is given once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grant {
    pub gives: Gives,
    /// Cycles for which it stays usable.
    pub roll_over: u32,
}

/// What units or money something gives: what is of one name and another sort is another thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sort {
    Seconds,
    Bytes,
    Messages,
    Money(Currency),
}

impl Sort {
    /// That of an allowance of a tariff with this currency.
    pub fn of(allowance: &Allowance, currency: Currency) -> Self {
        match allowance.family() {
            _ if allowance.is_money() => Self::Money(currency),
            UsageKind::Voice => Self::Seconds,
            UsageKind::Data => Self::Bytes,
            UsageKind::Sms | UsageKind::Mms => Self::Messages,
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'n> {
    pub name: &'n str,
    pub sort: Sort,
    pub whose: Whose,
    pub cycle: i32,
}

/// What customers have that gives them anything.
pub(super) struct Grants<'t> {
    tariffs: &'t BoundTariffs,
    /// By customer and subscription: the windows whose plan has allowances.
    windows: HashMap<u32, BTreeMap<u32, Vec<&'t Owner>>>,
    /// For how many cycles an allowance stays usable by any tariff, by name.
    reach: HashMap<&'t str, u32>,
}

impl<'t> Grants<'t> {
    /// Those of some customers of the reference version that the tariffs are bound to.
    pub fn of(tariffs: &'t BoundTariffs, customers: impl Iterator<Item = u32>) -> Self {
        let mut windows: HashMap<u32, BTreeMap<u32, Vec<&Owner>>> =
            customers.map(|customer| (customer, BTreeMap::new())).collect();
        for window in &tariffs.owners().windows {
            if tariffs.plan_has_allowances(window.plan)
                && let Some(theirs) = windows.get_mut(&window.customer)
            {
                theirs.entry(window.subscription).or_default().push(window);
            }
        }
        let mut reach: HashMap<&str, u32> = HashMap::new();
        for tariff in tariffs.set().tariffs() {
            for allowance in &tariff.allowances.list {
                let most = reach.entry(&*allowance.name).or_default();
                *most = allowance.roll_over.max(*most);
            }
        }
        Self { tariffs, windows, reach }
    }

    /// For how many cycles an allowance stays usable, at most.
    pub fn reach(&self, name: &str) -> u32 {
        self.reach.get(name).copied().unwrap_or(0)
    }

    /// What a cycle gives to one subscription or, of an allowance that is the customer's, to that.
    pub fn grant(&self, customer: u32, subscription: u32, wanted: Wanted<'_>) -> Option<Grant> {
        let owners = self.tariffs.owners();
        let calendar = Calendar::of(&owners.customers[customer as usize], &owners.zones);
        let within = calendar.begin(wanted.cycle)..calendar.begin(wanted.cycle + 1);
        let cycle = Cycle { calendar, within };
        let windows = self.windows.get(&customer)?;
        let held = |windows: &Vec<&'t Owner>| self.held(windows, wanted, &cycle.within);
        match wanted.whose {
            Whose::Personal => cycle.once(&held(windows.get(&subscription)?)),
            Whose::Shared => cycle.once(&windows.values().flat_map(held).collect::<Vec<_>>()),
            Whose::Pooled => {
                let all: Vec<Vec<Stretch<'t>>> = windows.values().map(held).collect();
                let first = all.iter().flatten().min_by_key(|stretch| stretch.order())?;
                let gives = all.iter().filter_map(|of_line| Some(cycle.once(of_line)?.gives)).reduce(sum)?;
                Some(first.terms.grant(gives))
            }
        }
    }

    /// While which stretches of a cycle a line had what is wanted.
    fn held(&self, windows: &[&'t Owner], wanted: Wanted<'_>, within: &Range<i64>) -> Vec<Stretch<'t>> {
        let mut held = Vec::new();
        for window in windows {
            for sale in self.tariffs.sales(window.plan) {
                let from_us = window.from_us.max(sale.from_us).max(within.start);
                let to_us = window.to_us.min(sale.to_us).min(within.end);
                if from_us >= to_us {
                    continue;
                }
                let tariff = &self.tariffs.set().tariffs()[usize::from(sale.tariff)];
                let named = tariff.allowances.named(sale.plan, wanted.name);
                if let Some(allowance) = named.filter(|named| Sort::of(named, tariff.currency()) == wanted.sort) {
                    held.push(Stretch { from_us, to_us, terms: Terms { allowance, tariff } });
                }
            }
        }
        held
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

/// By which version of which tariff something is given.
#[derive(Clone, Copy)]
struct Terms<'t> {
    allowance: &'t Allowance,
    tariff: &'t Tariff,
}

impl Terms<'_> {
    /// So much by these terms; of what has no end nothing is left over.
    fn grant(self, gives: Gives) -> Grant {
        Grant { gives, roll_over: if gives == Gives::Unlimited { 0 } else { self.allowance.roll_over } }
    }
}

/// A stretch of a cycle in which a line has something.
struct Stretch<'t> {
    from_us: i64,
    to_us: i64,
    terms: Terms<'t>,
}

impl<'t> Stretch<'t> {
    /// Whose terms count: those of the first instant, and of several the first tariff by name.
    fn order(&self) -> (i64, &'t str) {
        (self.from_us, self.terms.tariff.id())
    }
}

/// A cycle of a customer.
struct Cycle<'t> {
    calendar: Calendar<'t>,
    within: Range<i64>,
}

impl Cycle<'_> {
    /// What is given once for all of these stretches.
    fn once(&self, held: &[Stretch<'_>]) -> Option<Grant> {
        let terms = held.iter().min_by_key(|stretch| stretch.order())?.terms;
        // Rounded up to whole units, or to the last place that charges have.
        let share = |whole: u64, place: u64| {
            if !terms.allowance.by_days {
                return whole;
            }
            let (days, all) = (self.days(held) as u128, self.calendar.days(&self.within).count().max(1) as u128);
            let share = (u128::from(whole) * days).div_ceil(all * u128::from(place)) * u128::from(place);
            u64::try_from(share).unwrap_or(u64::MAX)
        };
        Some(terms.grant(match terms.allowance.gives {
            Gives::Units(units) => Gives::Units(share(units, 1)),
            Gives::Money(nano) => Gives::Money(share(nano, terms.tariff.prices.unit_nano)),
            Gives::Unlimited => Gives::Unlimited,
        }))
    }

    /// The days that some of the stretches touch.
    fn days(&self, held: &[Stretch<'_>]) -> usize {
        let days = held.iter().flat_map(|stretch| self.calendar.days(&(stretch.from_us..stretch.to_us)));
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
