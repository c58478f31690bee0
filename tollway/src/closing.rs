//! Closing a cycle: the word, the frozen totals, and the lines that invoices print.
//!
//! The word comes first, as one commit of the records' table that pins what everything else is made from. Whoever is killed behind it
//! finds it at the next call, and makes the same lines (docs/adr/0025).

pub mod obstacles;
pub mod standing;
pub mod table;
mod usage;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aggregate::totals::{Sums, TotalKey};
use domain::closed::{ClosedCycles, LateUsage, cycle_end};
use domain::columns::linked::Owners;
use domain::money::{Currency, Money};
use domain::period::Month;
use pipeline::rating::Reference;
use rate::lines::{Case, Line, LineBook, LineKind, lines};
use rayon::prelude::*;
use sinks::closing::{Closing, closed_by, closings};
use sinks::table::Table;

use self::table::{Posted, is_posted, posted_by_customer, write};
use self::usage::by_customer;
use crate::commands::totals::CUSTOMER;
use crate::installation::Installation;
use crate::reference::load_at;
use crate::system::{SystemClock, SystemRng};
use crate::totals;

/// Sums of lines of one kind in one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineSum {
    /// How many.
    pub lines: u64,
    /// Records of usage.
    pub records: i64,
    /// Before rounding.
    pub exact: Money,
    /// Billed.
    pub amount: Money,
}

impl LineSum {
    fn add(&mut self, line: &Line) {
        self.lines += 1;
        self.records += line.quantity.count;
        self.exact = self.exact.plus(line.exact);
        self.amount = self.amount.plus(line.amount);
    }

    /// What rounding has added.
    pub fn difference(self) -> Money {
        Money(self.amount.0 - self.exact.0)
    }
}

/// The lines of a closing.
#[derive(Debug, Default)]
pub struct Lines {
    /// By customer, in the order of the invoice.
    pub customers: Vec<(String, Vec<Line>)>,
}

impl Lines {
    /// How many.
    pub fn count(&self) -> u64 {
        self.customers.iter().map(|(_, lines)| lines.len() as u64).sum()
    }

    /// Their sums by kind and currency.
    pub fn sums(&self) -> BTreeMap<(LineKind, Currency), LineSum> {
        let mut sums: BTreeMap<(LineKind, Currency), LineSum> = BTreeMap::new();
        for line in self.customers.iter().flat_map(|(_, lines)| lines) {
            sums.entry((line.kind, line.currency)).or_default().add(line);
        }
        sums
    }
}

/// What lines are made from.
#[derive(Debug)]
pub struct Pinned<'p> {
    /// The cycle.
    pub cycle: &'p str,
    /// Whose cycle had ended by this instant is meant, microseconds UTC.
    pub until_us: i64,
    /// Where late usage of customers without a rule of their own goes.
    pub late: LateUsage,
    /// Closings before it.
    pub before: &'p [Closing],
}

/// The customers for whom a cycle has ended, and is not closed.
#[derive(Debug)]
pub struct Due<'d> {
    cycle: Month,
    until_us: i64,
    closed: ClosedCycles,
    owners: &'d Owners,
}

impl<'d> Due<'d> {
    /// Those of a cycle at an instant, behind some closings.
    pub fn of(cycle: Month, until_us: i64, before: &[Closing], owners: &'d Owners) -> Self {
        Self { cycle, until_us, closed: closed_by(before), owners }
    }

    /// Whether a customer is one of them; who is not known has a cycle that has always ended.
    pub fn has(&self, customer: &str) -> bool {
        let code = self.owners.customer_names.code(customer);
        let ends_us = code.and_then(|code| cycle_end(self.owners, code, self.cycle)).unwrap_or(i64::MIN);
        ends_us <= self.until_us && self.closed.version_at(&self.cycle.to_string(), ends_us).is_none()
    }

    /// The cycles that were closed for a customer before.
    pub fn closed_for(&self, customer: &str) -> BTreeSet<Month> {
        let code = self.owners.customer_names.code(customer);
        let is_closed = |cycle: &&str| self.closed.version_for(cycle, code, self.owners).is_some();
        self.closed.cycles().filter(is_closed).filter_map(Month::parse).collect()
    }

    /// How many there are, how many customers there are for whom the cycle still runs, and when it ends for the last of them.
    pub fn counts(&self) -> (u64, u64, Option<i64>) {
        let codes = 0..u32::try_from(self.owners.customers.len()).unwrap_or(u32::MAX);
        let due = codes.clone().filter(|code| self.has(self.owners.customer_names.name(*code))).count();
        let ends = codes.filter_map(|code| cycle_end(self.owners, code, self.cycle)).filter(|end_us| *end_us > self.until_us);
        let running: Vec<i64> = ends.collect();
        (due as u64, running.len() as u64, running.into_iter().max())
    }
}

/// The lines of a cycle, by what was pinned: always the same.
pub fn make(
    installation: &Installation,
    totals: &BTreeMap<TotalKey, Sums>,
    pinned: &Pinned<'_>,
    reference: &Reference,
) -> anyhow::Result<Lines> {
    let cycle = crate::named::cycle(pinned.cycle)?;
    let due = Due::of(cycle, pinned.until_us, pinned.before, reference.index.owners());
    let last = pinned.before.last().map_or(0, |closing| closing.number);
    let usage = by_customer(totals)?;
    let posted = posted_by_customer(installation, last)?;
    let rules = LateRules::of(installation, reference.version, pinned.late)?;
    let names = &reference.index.owners().customer_names;
    let mut customers: BTreeSet<&str> = (0..names.len()).filter_map(|code| Some(names.name(u32::try_from(code).ok()?))).collect();
    customers.extend(usage.keys().map(String::as_str));
    customers.extend(posted.keys().map(String::as_str));
    // Who was billed for the cycle before is not billed for it again, whatever became of the day on which its cycle begins.
    customers.retain(|customer| due.has(customer) && !was_billed(posted.get(*customer), cycle));
    let book = LineBook::of(&reference.tariffs);
    let of = |customer: &&str| -> anyhow::Result<(String, Vec<Line>)> {
        let (usage, posted) = (usage.get(*customer), posted.get(*customer));
        let (usage, posted) = (usage.map_or(&[][..], Vec::as_slice), posted.map_or(&[][..], Vec::as_slice));
        let closed = due.closed_for(customer);
        let case = Case { customer, cycle, closed: &closed, usage, posted, late: rules.for_customer(customer) };
        Ok(((*customer).to_owned(), lines(&case, &book)?))
    };
    let customers: Vec<&str> = customers.into_iter().collect();
    let mut made = customers.par_iter().map(of).collect::<anyhow::Result<Vec<_>>>()?;
    made.retain(|(_, lines)| !lines.is_empty());
    Ok(Lines { customers: made })
}

/// Where late usage of each customer goes.
#[derive(Debug)]
pub struct LateRules {
    usual: LateUsage,
    customers: HashMap<String, LateUsage>,
}

impl LateRules {
    /// As a reference version and the closing say.
    pub fn of(installation: &Installation, reference: u64, usual: LateUsage) -> anyhow::Result<Self> {
        let rows = installation.block_on(installation.state_read_only()?.customers(Some(reference)))?;
        let customers = rows.into_iter().filter_map(|row| Some((row.id, row.late_usage?))).collect();
        Ok(Self { usual, customers })
    }

    /// That of a customer.
    pub fn for_customer(&self, customer: &str) -> LateUsage {
        self.customers.get(customer).copied().unwrap_or(self.usual)
    }
}

/// Whether lines of a customer are those of a cycle's own invoice.
fn was_billed(posted: Option<&Vec<Line>>, cycle: Month) -> bool {
    let is_own =
        |line: &Line| line.period == cycle && !matches!(line.kind, LineKind::Late | LineKind::Correction | LineKind::Rounding);
    posted.is_some_and(|lines| lines.iter().any(is_own))
}

/// Closings whose lines are not written, in their order: whoever made them was interrupted.
pub fn unfinished(installation: &Installation, entries: &Table) -> anyhow::Result<Vec<Closing>> {
    let table = table::open_if_there(installation)?;
    let is_open = |closing: &Closing| table.as_ref().is_none_or(|table| !is_posted(table, closing.number));
    Ok(closings(entries).into_iter().filter(is_open).collect())
}

/// Finishes all closings whose lines are not written, in their order: what is late follows from what those before it have posted.
pub fn finish_all(installation: &Installation, entries: &mut Table) -> anyhow::Result<Vec<(Closing, Lines)>> {
    entries.refresh()?;
    let mut finished = Vec::new();
    for closing in unfinished(installation, entries)? {
        let lines = finish(installation, entries, &closing)?;
        finished.push((closing, lines));
    }
    Ok(finished)
}

/// Freezes the totals of a closing and writes its lines; those before it are finished.
fn finish(installation: &Installation, entries: &mut Table, closing: &Closing) -> anyhow::Result<Lines> {
    let store = installation.state()?;
    let reference = installation.block_on(load_at(&store, closing.reference))?;
    let mut rng = SystemRng::new()?;
    let totals = installation.totals()?;
    let all = closings(entries);
    let before: Vec<Closing> = all.into_iter().filter(|one| one.number < closing.number).collect();
    let Closing { until_us, late, .. } = *closing;
    let pinned = Pinned { cycle: &closing.cycle, until_us, late, before: &before };
    let mut frozen = totals::open(installation.blob(), totals::TOTALS_BACKUP, &SystemClock, &mut rng)?;
    let sums = totals::read_at(entries, &totals, closing.version)?;
    let due = Due::of(crate::named::cycle(&closing.cycle)?, closing.until_us, &before, reference.index.owners());
    let is_due = |(period, names): &TotalKey| *period == closing.cycle && due.has(&names[CUSTOMER]);
    let of_cycle = sums.iter().filter(|(key, _)| is_due(key)).map(|(key, sums)| (key.clone(), *sums)).collect();
    totals::freeze(&mut frozen, &of_cycle, (&closing.cycle, closing.number, closing.version), &SystemClock, &mut rng)?;
    tracing::debug!(closing = closing.number, "totals frozen");
    let made = make(installation, &sums, &pinned, &reference)?;
    let (at_us, _) = sinks::closing::word(entries, closing)?;
    let posted = Posted { closing, at_us, lines: &made };
    write(installation, &posted, &SystemClock, &mut rng)?;
    tracing::debug!(closing = closing.number, lines = made.count(), "lines posted");
    Ok(made)
}
