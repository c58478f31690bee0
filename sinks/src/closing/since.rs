//! Which records were billed, and by which closing: those that stood at the version that it pinned, as the customer's and in that cycle.
//!
//! What stands now is known to whoever asks; here is what has come and gone since. It is little: late records and corrections, and what came
//! to a cycle between the first of its closings and the last.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use domain::closed::ClosedCycles;
use domain::columns::entries::{Entries, EntriesView};
use domain::columns::linked::Owners;
use domain::columns::{ColumnError, with_nulls};
use domain::outcome::{Outcome, Reason};
use rayon::prelude::*;

use crate::correction::Place;
use crate::delta::action::Add;
use crate::premise::key;
use crate::standing::{at, delivery_of};
use crate::table::{Table, TableError};

/// The columns that are read.
const COLUMNS: [&str; 7] = ["rows", "delivery", "row", "record_key", "reason", "customer", "billing_period"];

/// What has come to closed cycles, and gone from them, since lines were made of them.
#[derive(Debug, Default)]
pub struct Since {
    /// By record key.
    steps: HashMap<u128, Vec<Step>>,
}

/// A row of the table: a word on a record, or one that takes a word back.
#[derive(Debug)]
struct Step {
    place: Place,
    version: u64,
    customer: Option<Arc<str>>,
    cycle: Arc<str>,
    /// 1 or -1.
    rows: i32,
}

/// A record, and whose it is or would be.
#[derive(Debug, Clone, Copy)]
pub struct Now<'n> {
    /// Its record key.
    pub key: u128,
    /// Where it lies.
    pub place: Place,
    /// The customer.
    pub customer: Option<&'n str>,
    /// The customer's cycle.
    pub cycle: &'n str,
    /// Whether it stands so: with a price, or beyond an allowance.
    pub stands: bool,
}

/// When a cycle was closed for a customer, as versions of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// When lines of the cycle itself were made; `u64::MAX`: it is frozen by hand, `None`: it is open.
    pub own: Option<u64>,
    /// When lines of it or of a later one were made, in the order of the closings.
    pub all: Vec<u64>,
}

impl Versions {
    /// Those of a customer by its code.
    pub fn of(closed: &ClosedCycles, cycle: &str, customer: Option<u32>, owners: &Owners) -> Self {
        Self { own: closed.version_for(cycle, customer, owners), all: closed.versions_from(cycle, customer, owners) }
    }
}

impl Since {
    /// Of the files of a table that are asked for; where nothing is closed, none is read.
    pub fn of(table: &Table, closed: &[&ClosedCycles], is_asked: &(dyn Fn(&Add) -> bool + Sync)) -> Result<Self, TableError> {
        let first = |cycle: &str| closed.iter().filter_map(|closed| closed.first_from(cycle)).min();
        let Some(version) = first("") else { return Ok(Self::default()) };
        let (rated, suspense) = ([("outcome", Outcome::Rated.as_str())], [("outcome", Outcome::Suspense.as_str())]);
        let files = table.files(&rated).chain(table.files(&suspense));
        let files: Vec<&Arc<Add>> = files.filter(|add| add.version() > version && is_asked(add)).collect();
        let read = |add: &&Arc<Add>| steps(table, add, &first);
        let mut since = Self::default();
        for (key, step) in files.par_iter().map(read).collect::<Result<Vec<_>, TableError>>()?.into_iter().flatten() {
            since.steps.entry(key).or_default().push(step);
        }
        Ok(since)
    }

    /// The first of some versions at which the record stood as somebody's in a cycle, also where another row of its account had brought
    /// it; `u64::MAX` if it did at none. Records draw in this order, and then in that of their starts, so that no closing changes what
    /// they get.
    pub fn epoch(&self, now: Now<'_>, versions: &[u64]) -> u64 {
        let stood = |version: &&u64| self.stood(now, **version, &|_| true);
        versions.iter().find(stood).copied().unwrap_or(u64::MAX)
    }

    /// Whether a record was billed as somebody's in a cycle that is closed for that customer, with that cycle's lines or late with those of
    /// a later one. Where a cycle is frozen by hand, everything counts as billed.
    pub fn was_billed(&self, now: Now<'_>, closed: &ClosedCycles, owners: &Owners) -> bool {
        let code = now.customer.and_then(|name| owners.customer_names.code(name));
        self.is_billed(now, &Versions::of(closed, now.cycle, code, owners))
    }

    /// The same where it is known when its customer's cycle was closed.
    pub fn is_billed(&self, now: Now<'_>, versions: &Versions) -> bool {
        let Some(own) = versions.own else { return false };
        let stood = |version: &u64| self.stood(now, *version, &|step| step.place == now.place);
        own == u64::MAX || versions.all.iter().filter(|version| **version >= own).any(stood)
    }

    /// Whether some rows of the record stood at a version.
    fn stood(&self, now: Now<'_>, version: u64, is_meant: &dyn Fn(&Step) -> bool) -> bool {
        let is_since = |step: &&Step| {
            step.version > version && &*step.cycle == now.cycle && step.customer.as_deref() == now.customer && is_meant(step)
        };
        let since: i32 = self.steps.get(&now.key).into_iter().flatten().filter(is_since).map(|step| step.rows).sum();
        i32::from(now.stands) > since
    }
}

/// The rows of a file that came to a cycle behind the first closing of it or of a later one.
fn steps(table: &Table, add: &Add, first: &(dyn Fn(&str) -> Option<u64> + Sync)) -> Result<Vec<(u128, Step)>, TableError> {
    let damaged = |e: ColumnError| TableError::File { path: add.path.clone(), what: e.to_string() };
    let schema = Entries::schema();
    let (mut names, mut is_behind, mut found) = (BTreeSet::new(), HashMap::new(), Vec::new());
    for batch in table.read(add, Some(&COLUMNS))? {
        let batch = with_nulls(batch, &schema, Some(&COLUMNS)).map_err(damaged)?;
        let mut shared = |name: &str| {
            if !names.contains(name) {
                names.insert(Arc::<str>::from(name));
            }
            names.get(name).map_or_else(|| name.into(), Arc::clone)
        };
        let mut note = || {
            let v = EntriesView(&batch);
            let (rows, deliveries, row, reasons) = (v.rows()?, v.delivery()?, v.row()?, v.reason()?);
            let (customers, periods) = (v.customer()?, v.billing_period()?);
            for i in 0..batch.num_rows() {
                let is_priced = at(reasons, i).is_none_or(|reason| reason == Reason::BeyondAllowance.as_str());
                let Some(cycle) = at(periods, i).filter(|_| is_priced) else { continue };
                let known = is_behind.get(cycle).copied();
                let is_behind = known.unwrap_or_else(|| {
                    let behind = first(cycle).is_some_and(|version| add.version() > version);
                    is_behind.insert(cycle.to_owned(), behind);
                    behind
                });
                if is_behind {
                    let place = Place { delivery: delivery_of(deliveries.value(i))?, row: row.value(i).max(0).cast_unsigned() };
                    let (customer, cycle) = (at(customers, i).map(&mut shared), shared(cycle));
                    let rows = i32::from(rows.value(i).signum());
                    found.push((key(v, i)?, Step { place, version: add.version(), customer, cycle, rows }));
                }
            }
            Ok(())
        };
        note().map_err(damaged)?;
    }
    Ok(found)
}
