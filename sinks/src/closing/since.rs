//! Which records were billed when their cycle was closed: those that stood by then, as the customer's and in that cycle.
//!
//! What stands now is known to whoever asks; here is what has come and gone since. It is little: late records and corrections.

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
use crate::standing::{at, delivery_of};
use crate::table::{Table, TableError};

/// The columns that are read.
const COLUMNS: [&str; 6] = ["rows", "delivery", "row", "reason", "customer", "billing_period"];

/// What has come to closed cycles, and gone from them, since the first of them was closed.
#[derive(Debug, Default)]
pub struct Since {
    steps: HashMap<Place, Vec<Step>>,
}

/// A row of the table: a word on a record, or one that takes a word back.
#[derive(Debug)]
struct Step {
    version: u64,
    customer: Option<Arc<str>>,
    cycle: Arc<str>,
    /// 1 or -1.
    rows: i32,
}

/// Whose a record is, or would be.
#[derive(Debug, Clone, Copy)]
pub struct Now<'n> {
    /// The customer.
    pub customer: Option<&'n str>,
    /// The customer's cycle.
    pub cycle: &'n str,
    /// Whether it stands so: with a price, or beyond an allowance.
    pub stands: bool,
}

impl Since {
    /// Of the files of a table that are asked for; where nothing is closed, none is read.
    pub fn of(table: &Table, closed: &[&ClosedCycles], is_asked: &(dyn Fn(&Add) -> bool + Sync)) -> Result<Self, TableError> {
        let cycles: BTreeSet<&str> = closed.iter().flat_map(|closed| closed.cycles()).collect();
        let first = |cycle: &str| closed.iter().filter_map(|closed| closed.first_of(cycle)).min();
        let Some(version) = cycles.iter().filter_map(|cycle| first(cycle)).min() else { return Ok(Self::default()) };
        let (rated, suspense) = ([("outcome", Outcome::Rated.as_str())], [("outcome", Outcome::Suspense.as_str())]);
        let files = table.files(&rated).chain(table.files(&suspense));
        let files: Vec<&Arc<Add>> = files.filter(|add| add.version() > version && is_asked(add)).collect();
        let read = |add: &&Arc<Add>| steps(table, add, &cycles);
        let mut since = Self::default();
        for (place, step) in files.par_iter().map(read).collect::<Result<Vec<_>, TableError>>()?.into_iter().flatten() {
            since.steps.entry(place).or_default().push(step);
        }
        Ok(since)
    }

    /// Whether a record was billed as somebody's in a cycle that is closed for that customer. Where a cycle is frozen by hand, everything
    /// counts as billed.
    pub fn was_billed(&self, place: Place, now: Now<'_>, closed: &ClosedCycles, owners: &Owners) -> bool {
        let code = now.customer.and_then(|name| owners.customer_names.code(name));
        let Some(version) = closed.version_for(now.cycle, code, owners) else { return false };
        let is_since =
            |step: &&Step| step.version > version && &*step.cycle == now.cycle && step.customer.as_deref() == now.customer;
        let since: i32 = self.steps.get(&place).into_iter().flatten().filter(is_since).map(|step| step.rows).sum();
        version == u64::MAX || i32::from(now.stands) > since
    }
}

/// The rows of a file that speak of some cycles.
fn steps(table: &Table, add: &Add, cycles: &BTreeSet<&str>) -> Result<Vec<(Place, Step)>, TableError> {
    let damaged = |e: ColumnError| TableError::File { path: add.path.clone(), what: e.to_string() };
    let schema = Entries::schema();
    let (mut names, mut found) = (BTreeSet::new(), Vec::new());
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
                let Some(cycle) = at(periods, i).filter(|cycle| is_priced && cycles.contains(cycle)) else { continue };
                let place = Place { delivery: delivery_of(deliveries.value(i))?, row: row.value(i).max(0).cast_unsigned() };
                let rows = i32::from(rows.value(i).signum());
                let customer = at(customers, i).map(&mut shared);
                found.push((place, Step { version: add.version(), customer, cycle: shared(cycle), rows }));
            }
            Ok(())
        };
        note().map_err(damaged)?;
    }
    Ok(found)
}
