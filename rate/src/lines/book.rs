//! What is asked of every customer, put in order once: the windows of its lines, and what their plans charge.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use domain::columns::linked::Owner;
use domain::period::{CycleDay, Month};
use domain::zone::Zone;

use super::subject::{Charge, Held, Helds};
use crate::settle::calendar::{Calendar, Period};
use crate::tariff::Tariff;
use crate::tariff::set::{BoundTariffs, Sale, TariffSet};

/// The clock of customers that the reference version does not know.
const USUAL_ZONE: &str = "Europe/Amsterdam";

/// The tariffs and windows of a reference version, by customer; built once for all of them.
#[derive(Debug)]
pub struct LineBook<'t> {
    tariffs: &'t BoundTariffs,
    /// By customer, those whose plan charges something.
    windows: Vec<&'t Owner>,
    /// By code of the customer.
    runs: HashMap<u32, Range<usize>>,
    /// By tariff and plan: the fees and commitments that it asks.
    charges: HashMap<(u16, u32), Vec<Charge<'t>>>,
    usual_zone: Zone,
}

/// A customer as lines see it.
pub(super) struct Customer<'b> {
    code: Option<u32>,
    tariffs: &'b BoundTariffs,
    pub calendar: Calendar<'b>,
}

impl<'t> LineBook<'t> {
    /// Of all customers of the reference version that the tariffs are bound to.
    pub fn of(tariffs: &'t BoundTariffs) -> Self {
        let owners = tariffs.owners();
        let mut charges: HashMap<(u16, u32), Vec<Charge<'t>>> = HashMap::new();
        let plans = 0..u32::try_from(owners.plans.len()).expect("codes of plans are 32 bits");
        let mut has_charges = Vec::with_capacity(owners.plans.len());
        for plan in plans {
            let mut has_some = false;
            for sale in tariffs.sales(plan) {
                let of_sale = || Charge::of_plan(&tariffs.set().tariffs()[usize::from(sale.tariff)], sale.plan);
                has_some |= !charges.entry((sale.tariff, sale.plan)).or_insert_with(of_sale).is_empty();
            }
            has_charges.push(has_some);
        }
        let mut windows: Vec<&Owner> =
            owners.windows.iter().filter(|w| has_charges.get(w.plan as usize).copied().unwrap_or(false)).collect();
        windows.sort_by_key(|window| window.customer);
        let mut runs: HashMap<u32, Range<usize>> = HashMap::new();
        for (at, window) in windows.iter().enumerate() {
            runs.entry(window.customer).or_insert(at..at).end = at + 1;
        }
        let usual_zone = Zone::load(USUAL_ZONE).expect("time zones are bundled");
        Self { tariffs, windows, runs, charges, usual_zone }
    }

    pub(super) fn customer(&self, name: &str) -> Customer<'_> {
        let owners = self.tariffs.owners();
        let code = owners.customer_names.code(name).filter(|code| (*code as usize) < owners.customers.len());
        let usual = || Calendar::new(CycleDay::FIRST, &self.usual_zone);
        let calendar = code.map_or_else(usual, |code| Calendar::of(code, owners));
        Customer { code, tariffs: self.tariffs, calendar }
    }

    /// What a customer's lines have had that charges something, at any time; by name.
    pub(super) fn held<'b>(&'b self, customer: &Customer<'b>, cycle: Month) -> Helds<'b> {
        let mut helds = Helds::new(customer.calendar, cycle);
        let windows = customer.code.and_then(|code| self.runs.get(&code)).map_or(&[][..], |run| &self.windows[run.clone()]);
        let owners = self.tariffs.owners();
        for window in windows {
            for sale in self.tariffs.sales(window.plan) {
                let (from_us, to_us) = (window.from_us.max(sale.from_us), window.to_us.min(sale.to_us));
                let charges = self.charges.get(&(sale.tariff, sale.plan)).map_or(&[][..], Vec::as_slice);
                if from_us >= to_us || charges.is_empty() {
                    continue;
                }
                let tariff = &self.tariffs.set().tariffs()[usize::from(sale.tariff)];
                let (subscription, plan) = (owners.subscriptions.name(window.subscription), owners.plans.name(window.plan));
                for charge in charges {
                    helds.add(Held { from_us, to_us, subscription, plan, tariff, charge: *charge });
                }
            }
        }
        helds
    }
}

impl<'b> Customer<'b> {
    /// The tariffs.
    pub fn set(&self) -> &'b TariffSet {
        self.tariffs.set()
    }

    /// When which tariff sells a plan, by time, with the one that sells what nobody does.
    fn sales(&self, plan: &str) -> Cow<'b, [Sale]> {
        match self.tariffs.owners().plans.code(plan) {
            Some(code) => Cow::Borrowed(self.tariffs.sales(code)),
            None => Cow::Owned(self.set().sales_or_fallback(plan)),
        }
    }

    /// The tariff that sells a plan at the latest instant of a cycle at which one does.
    pub fn last_seller(&self, plan: &str, cycle: Month) -> Option<&'b Tariff> {
        let within = self.calendar.instants(Period::cycle(cycle.number()));
        let sales = self.sales(plan);
        // Sales of a plan come one after the other.
        let last = sales.iter().rev().find(|sale| sale.from_us < within.end && within.start < sale.to_us)?;
        Some(&self.set().tariffs()[usize::from(last.tariff)])
    }

    /// The plan of a tariff version by which usage of a plan in a cycle is sold: its own of that name, or the one that it has for plans
    /// that nobody sells.
    pub fn plan_of(&self, tariff: &Tariff, plan: &str, cycle: Month) -> Option<u32> {
        let tariffs = self.set().tariffs();
        let own = self.set().sales(plan).iter().find(|sale| tariffs[usize::from(sale.tariff)].id() == tariff.id());
        if let Some(own) = own {
            return Some(own.plan);
        }
        let fallback = tariff.fallback_plan?;
        let within = self.calendar.instants(Period::cycle(cycle.number()));
        let is_by_it = |sale: &Sale| {
            let is_then = sale.from_us < within.end && within.start < sale.to_us;
            sale.is_fallback && is_then && tariffs[usize::from(sale.tariff)].name() == tariff.name()
        };
        self.sales(plan).iter().any(is_by_it).then_some(fallback)
    }
}
