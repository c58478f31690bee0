//! What is known of a customer when a cycle is closed: what was used and what was posted, by key and cycle, and the calendar.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::error::VerifyError;
use crate::lines::sale::Book;
use crate::lines::{Closing, Kind, Late, Line, Sums, Usage};
use crate::owner::Customer;
use crate::period::{Day, Period};
use crate::tariff::Tariff;
use crate::text::settled::Every;

/// What lines of usage are told apart by, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key<'a> {
    pub subscription: &'a str,
    pub plan: &'a str,
    pub kind: &'a str,
    pub zone: &'a str,
    pub band: &'a str,
    pub currency: &'a str,
    pub tax_class: Option<&'a str>,
    pub tax: &'a str,
}

/// What is used of a key in a cycle, and what was posted of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Balance {
    pub now: Sums,
    pub posted: Sums,
    pub posted_amount_nano: i128,
}

/// The days of periods, by the last cycle of each.
type Periods = HashMap<(Every, i32), Rc<[Day]>>;

/// Where a customer stands.
pub(super) struct Ledger<'l> {
    pub book: &'l Book<'l>,
    pub closing: &'l Closing<'l>,
    pub customer: &'l Customer,
    pub balances: BTreeMap<(i32, Key<'l>), Balance>,
    /// What was used, by subscription.
    usage: HashMap<&'l str, Vec<&'l Usage>>,
    /// The days of periods that were asked for before.
    days: RefCell<Periods>,
    /// Begin and end of the cycles that were asked for before.
    bounds: RefCell<HashMap<i32, Option<(i64, i64)>>>,
}

impl<'l> Ledger<'l> {
    pub fn of(book: &'l Book<'_>, closing: &'l Closing<'_>) -> Result<Self, VerifyError> {
        let customer = book.reference.owners.customers.get(closing.customer);
        let customer = customer.ok_or_else(|| VerifyError::Customer(closing.customer.to_owned()))?;
        let mut balances: BTreeMap<(i32, Key<'_>), Balance> = BTreeMap::new();
        let mut usage: HashMap<&str, Vec<&Usage>> = HashMap::new();
        for used in closing.usage {
            let balance = balances.entry((used.cycle, Key::of(used))).or_default();
            balance.now = balance.now + used.sums;
            usage.entry(&used.subscription).or_default().push(used);
        }
        for line in closing.posted {
            let Some(key) = Key::posted(line) else { continue };
            let balance = balances.entry((line.cycle, key)).or_default();
            balance.posted = balance.posted + Sums { exact_nano: line.exact_nano, ..line.sums };
            balance.posted_amount_nano += line.amount_nano;
        }
        Ok(Self { book, closing, customer, balances, usage, days: RefCell::default(), bounds: RefCell::default() })
    }

    /// Whether a cycle was closed before the one that is closed now.
    pub fn was_closed(&self, cycle: i32) -> bool {
        cycle != self.closing.cycle && self.closing.closed.contains(&cycle)
    }

    /// The kind of a line of a cycle that was closed before.
    pub fn late(&self) -> Kind {
        match self.closing.late {
            Late::Next => Kind::Late,
            Late::Correct => Kind::Correction,
        }
    }

    /// The days of the cycle or the quarter that holds a cycle.
    pub fn days(&self, every: Every, cycle: i32) -> Rc<[Day]> {
        let mut known = self.days.borrow_mut();
        let days = known.entry((every, cycle)).or_insert_with(|| Period::with_cycle(every, cycle).days(self.customer).into());
        Rc::clone(days)
    }

    /// The tariff that sells a plan at the latest instant of a cycle at which any does, and as which plan.
    pub fn sold<'p>(&self, plan: &'p str, cycle: i32) -> Option<(&'l Tariff, &'p str)>
    where
        'l: 'p,
    {
        let mut known = self.bounds.borrow_mut();
        let bounds = known.entry(cycle).or_insert_with(|| Period::with_cycle(Every::Cycle, cycle).bounds(self.customer));
        let (from_us, to_us) = (*bounds)?;
        self.book.latest(plan, from_us, to_us)
    }

    /// As which plan a plan is sold in a cycle: as itself, if no tariff sells it.
    pub fn sold_as<'p>(&self, plan: &'p str, cycle: i32) -> &'p str
    where
        'l: 'p,
    {
        self.sold(plan, cycle).map_or(plan, |(_, plan)| plan)
    }

    /// What a subscription used, or all that the customer did.
    pub fn usage(&self, subscription: Option<&str>) -> Vec<&'l Usage> {
        match subscription {
            Some(name) => self.usage.get(name).cloned().unwrap_or_default(),
            None => self.closing.usage.iter().collect(),
        }
    }
}

impl<'a> Key<'a> {
    fn of(used: &'a Usage) -> Self {
        Self {
            subscription: &used.subscription,
            plan: &used.plan,
            kind: &used.kind,
            zone: &used.zone,
            band: &used.band,
            currency: &used.currency,
            tax_class: used.tax_class.as_deref(),
            tax: &used.tax,
        }
    }

    /// That of a posted line, if it is one of usage.
    fn posted(line: &'a Line) -> Option<Self> {
        let is_usage = matches!(line.kind, Kind::Usage | Kind::Late | Kind::Correction);
        Some(Self {
            subscription: line.subscription.as_deref().unwrap_or_default(),
            plan: line.plan.as_deref().unwrap_or_default(),
            kind: line.usage_kind.as_deref().filter(|_| is_usage)?,
            zone: line.zone.as_deref().unwrap_or_default(),
            band: line.band.as_deref().unwrap_or_default(),
            currency: &line.currency,
            tax_class: line.tax_class.as_deref(),
            tax: &line.tax,
        })
    }
}
