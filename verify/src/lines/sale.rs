//! Which tariff sold the plan of a window, and when: what makes a fee or a commitment due, and on which days.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use crate::derive::Reference;
use crate::owner::Window;
use crate::period::Day;
use crate::recurring::Recurring;
use crate::tariff::Tariff;

/// Tariffs and windows, ready to be asked for the lines of each customer.
pub struct Book<'r> {
    pub(super) reference: &'r Reference,
    /// Windows, by customer and subscription.
    windows: HashMap<&'r str, BTreeMap<&'r str, Vec<&'r Window>>>,
    /// The instants at which tariffs come into force or end.
    edges: Vec<i64>,
    /// The names of all fees.
    pub(super) fees: BTreeSet<&'r str>,
    /// The names of all commitments.
    pub(super) commitments: BTreeSet<&'r str>,
}

/// A time during which a tariff sold the plan of a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sale<'r> {
    pub from_us: i64,
    pub to_us: i64,
    pub tariff: &'r Tariff,
    /// As which plan of the tariff.
    sold_as: &'r str,
    /// The window's own plan.
    plan: &'r str,
}

/// What a plan was charged at an instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Charged<'r> {
    pub at_us: i64,
    pub tariff: &'r Tariff,
    pub terms: &'r Recurring,
    pub plan: &'r str,
}

/// When something was due in a period.
#[derive(Debug)]
pub(super) struct Touched<'r> {
    /// At the first instant of all.
    pub first: Charged<'r>,
    /// The first instant under each version, and how many days are that version's.
    pub versions: Vec<(Charged<'r>, usize)>,
}

impl Touched<'_> {
    /// Days under any version.
    pub fn days(&self) -> usize {
        self.versions.iter().map(|(_, days)| days).sum()
    }
}

impl<'r> Book<'r> {
    /// Opens the book of everybody's windows and the tariffs.
    #[must_use]
    pub fn of(reference: &'r Reference) -> Self {
        let mut windows: HashMap<&str, BTreeMap<&str, Vec<&Window>>> = HashMap::new();
        for window in &reference.owners.windows {
            windows.entry(&window.customer).or_default().entry(&window.subscription).or_default().push(window);
        }
        let edges = reference.tariffs.iter().flat_map(|tariff| [Some(tariff.from), tariff.to]).flatten();
        let edges: BTreeSet<i64> = edges.map(Timestamp::as_microsecond).collect();
        let (mut fees, mut commitments) = (BTreeSet::new(), BTreeSet::new());
        for (name, terms) in reference.tariffs.iter().flat_map(|tariff| &tariff.recurring) {
            let names = if terms.counts_fees.is_some() { &mut commitments } else { &mut fees };
            names.insert(name.as_str());
        }
        Self { reference, windows, edges: edges.into_iter().collect(), fees, commitments }
    }

    /// Who may be charged, with what was sold to them between two instants: each subscription of a customer, and the customer, who has no
    /// subscription, last.
    pub(super) fn subjects(&self, customer: &str, from_us: i64, to_us: i64) -> Vec<(Option<&'r str>, Vec<Sale<'r>>)> {
        let Some(lines) = self.windows.get(customer) else { return Vec::new() };
        let mut all = Vec::new();
        let mut subjects = Vec::with_capacity(lines.len() + 1);
        for (subscription, windows) in lines {
            let sales: Vec<_> = windows.iter().flat_map(|window| self.sales(window, from_us, to_us)).collect();
            all.extend_from_slice(&sales);
            subjects.push((Some(*subscription), sales));
        }
        subjects.push((None, all));
        subjects
    }

    fn sales(&self, window: &'r Window, from_us: i64, to_us: i64) -> Vec<Sale<'r>> {
        let (mut from_us, end_us) = (window.from_us.max(from_us), window.to_us.min(to_us));
        let mut sales = Vec::new();
        while from_us < end_us {
            let to_us = self.edges.iter().copied().find(|edge| *edge > from_us).map_or(end_us, |edge| edge.min(end_us));
            if let Some((tariff, sold_as)) = self.seller(&window.plan, from_us) {
                sales.push(Sale { from_us, to_us, tariff, sold_as, plan: &window.plan });
            }
            from_us = to_us;
        }
        sales
    }

    /// The tariff that sells a plan at the latest instant of a time at which any does, and as which plan.
    pub(super) fn latest<'p>(&self, plan: &'p str, from_us: i64, to_us: i64) -> Option<(&'r Tariff, &'p str)>
    where
        'r: 'p,
    {
        let within = self.edges.iter().copied().filter(|edge| from_us < *edge && *edge < to_us);
        let instants: Vec<i64> = std::iter::once(from_us).filter(|from| *from < to_us).chain(within).collect();
        instants.into_iter().rev().find_map(|at_us| self.seller(plan, at_us))
    }

    fn seller<'p>(&self, plan: &'p str, at_us: i64) -> Option<(&'r Tariff, &'p str)>
    where
        'r: 'p,
    {
        let at = Timestamp::from_microsecond(at_us).ok()?;
        let in_force = || self.reference.tariffs.iter().map(AsRef::as_ref).filter(|tariff: &&Tariff| tariff.is_in_force(at));
        let own = in_force().find(|tariff| tariff.sells(plan)).map(|tariff| (tariff, plan));
        own.or_else(|| in_force().find_map(|tariff| Some((tariff, tariff.fallback_plan.as_deref()?))))
    }
}

impl<'r> Sale<'r> {
    /// What a fee or a commitment of a name charges here from an instant on.
    fn charged(&self, name: &str, at_us: i64) -> Option<Charged<'r>> {
        let terms = self.tariff.recurring.get(name).filter(|terms| terms.usage.names_plan(self.sold_as))?;
        Some(Charged { at_us: at_us.max(self.from_us), tariff: self.tariff, terms, plan: self.plan })
    }
}

impl<'r> Charged<'r> {
    /// What is earlier goes first; at one instant, the first version and the first plan by name.
    fn order(&self) -> (i64, &'r str, &'r str) {
        (self.at_us, &self.tariff.version, self.plan)
    }
}

/// The first instant of all at which something of a name is charged.
pub(super) fn first<'r>(sales: &[Sale<'r>], name: &str) -> Option<Charged<'r>> {
    sales.iter().filter_map(|sale| sale.charged(name, sale.from_us)).min_by_key(Charged::order)
}

/// On which days of a period something of a name is charged; each day is the version's that comes first on it.
pub(super) fn touched<'r>(sales: &[Sale<'r>], name: &str, days: &[Day]) -> Option<Touched<'r>> {
    let first = first(sales, name)?;
    let mut versions: BTreeMap<&str, (Charged<'r>, usize)> = BTreeMap::new();
    for day in days {
        let on_it = sales.iter().filter(|sale| sale.from_us < day.to_us && day.from_us < sale.to_us);
        let Some(charged) = on_it.filter_map(|sale| sale.charged(name, day.from_us)).min_by_key(Charged::order) else { continue };
        versions.entry(&charged.tariff.version).or_insert((charged, 0)).1 += 1;
    }
    Some(Touched { first, versions: versions.into_values().collect() })
}
