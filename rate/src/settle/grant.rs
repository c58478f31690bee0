//! What a period gives to a customer: by the plans that its lines had in it, and the terms of the tariff versions that sell these.

use std::collections::BTreeSet;
use std::ops::Range;

use domain::columns::linked::Owner;
use domain::money::Currency;
use domain::usage::UsageKind;

use super::calendar::{Calendar, Period};
use crate::tariff::Tariff;
use crate::tariff::allowance::{Allowance, Gives, Whose};
use crate::tariff::set::BoundTariffs;
use crate::words::ByWord;

/// What is given once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grant {
    pub gives: Gives,
    /// Periods for which it stays usable.
    pub roll_over: u32,
}

impl Grant {
    /// How much; `None`: without end.
    pub fn size(&self) -> Option<u64> {
        match self.gives {
            Gives::Units(all) | Gives::Money(all) | Gives::Beyond(all) => Some(all),
            Gives::Unlimited => None,
        }
    }
}

/// What units or money something gives: what is of one name and another sort is another thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sort {
    Seconds,
    Bytes,
    Messages,
    Money(Currency),
    /// What may still be charged.
    Limit(Currency),
}

impl Sort {
    /// That of an allowance of a tariff with this currency.
    pub fn of(allowance: &Allowance, currency: Currency) -> Self {
        match allowance.family() {
            _ if allowance.is_limit() => Self::Limit(currency),
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
    /// Of which group of lines, if it is a group's.
    pub group: u32,
    pub period: Period,
}

/// What all tariffs say of the allowances of a name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named {
    /// Stands for the name.
    pub name: u32,
    /// For how many periods one stays usable, at most.
    pub reach: u32,
}

/// What customers have that gives them anything.
pub(super) struct Grants<'t> {
    tariffs: &'t BoundTariffs,
    /// The windows whose plan has allowances, by customer and subscription.
    windows: Vec<&'t Owner>,
    /// By tariff and number of the allowance.
    names: Vec<Vec<Named>>,
}

impl<'t> Grants<'t> {
    /// Those of some customers, in rising order, of the reference version that the tariffs are bound to.
    pub fn of(tariffs: &'t BoundTariffs, customers: &[u32]) -> Self {
        let gives =
            |window: &&Owner| tariffs.plan_has_allowances(window.plan) && customers.binary_search(&window.customer).is_ok();
        let mut windows: Vec<&Owner> = tariffs.owners().windows.iter().filter(gives).collect();
        windows.sort_by_key(|window| (window.customer, window.subscription));
        let versions = tariffs.set().tariffs();
        let mut by_name: ByWord<&str, Named> = ByWord::default();
        for (allowance, name) in versions.iter().flat_map(|tariff| &tariff.allowances.list).zip(0..) {
            let named = by_name.entry(&*allowance.name).or_insert(Named { name, reach: 0 });
            named.reach = allowance.roll_over.max(named.reach);
        }
        let named = |tariff: &Tariff| tariff.allowances.list.iter().map(|allowance| by_name[&*allowance.name]).collect();
        Self { tariffs, windows, names: versions.iter().map(named).collect() }
    }

    /// The windows of a customer.
    fn of_customer(&self, customer: u32) -> &[&'t Owner] {
        let from = self.windows.partition_point(|window| window.customer < customer);
        let count = self.windows[from..].partition_point(|window| window.customer == customer);
        &self.windows[from..][..count]
    }

    /// What is the same under the name of an allowance.
    pub fn named(&self, tariff: u16, allowance: u16) -> Named {
        self.names[usize::from(tariff)][usize::from(allowance)]
    }

    /// The customer's calendar.
    pub fn calendar(&self, customer: u32) -> Calendar<'t> {
        Calendar::of(customer, self.tariffs.owners())
    }

    /// What a period gives to one subscription or, of an allowance that is the customer's, to that.
    pub fn grant(&self, customer: u32, subscription: u32, wanted: Wanted<'_>) -> Option<Grant> {
        let calendar = self.calendar(customer);
        let stage = Stage { calendar, within: calendar.instants(wanted.period) };
        let windows = self.of_customer(customer);
        let lines = || windows.chunk_by(|a, b| a.subscription == b.subscription);
        let held = |windows: &[&'t Owner]| self.held(windows.iter().copied(), wanted, &stage.within);
        match wanted.whose {
            Whose::Personal => stage.once(&held(lines().find(|windows| windows[0].subscription == subscription)?)),
            Whose::Shared => stage.once(&held(windows)),
            Whose::Group => {
                let of_group = windows.iter().copied().filter(|window| window.group == wanted.group);
                stage.once(&self.held(of_group, wanted, &stage.within))
            }
            Whose::Pooled => {
                let all: Vec<Vec<Stretch<'t>>> = lines().map(held).collect();
                let first = all.iter().flatten().min_by_key(|stretch| stretch.order())?;
                let gives = all.iter().filter_map(|of_line| Some(stage.once(of_line)?.gives)).reduce(sum)?;
                Some(first.terms.grant(gives))
            }
        }
    }

    /// While which stretches of a period a line had what is wanted.
    fn held(&self, windows: impl Iterator<Item = &'t Owner>, wanted: Wanted<'_>, within: &Range<i64>) -> Vec<Stretch<'t>> {
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
                let is_wanted =
                    |named: &&Allowance| Sort::of(named, tariff.currency()) == wanted.sort && named.every == wanted.period.every;
                if let Some(allowance) = named.filter(is_wanted) {
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
        (Gives::Beyond(one), Gives::Beyond(other)) => Gives::Beyond(one.saturating_add(other)),
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

/// A stretch of a period in which a line has something.
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

/// A period of a customer.
struct Stage<'t> {
    calendar: Calendar<'t>,
    within: Range<i64>,
}

impl Stage<'_> {
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
            Gives::Beyond(nano) => Gives::Beyond(share(nano, terms.tariff.prices.unit_nano)),
            Gives::Unlimited => Gives::Unlimited,
        }))
    }

    /// The days that some of the stretches touch.
    fn days(&self, held: &[Stretch<'_>]) -> usize {
        let days = held.iter().flat_map(|stretch| self.calendar.days(&(stretch.from_us..stretch.to_us)));
        days.collect::<BTreeSet<i64>>().len()
    }
}
