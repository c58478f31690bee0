//! Up to where a table was settled: by which version of the table, under which version of the reference data.

use std::collections::BTreeSet;

use domain::columns::entries::EntriesView;
use domain::outcome::Outcome;
use domain::ports::{Clock, Rng};

use super::entries::damaged;
use crate::commit::CommitError;
use crate::delta::action::CommitInfo;
use crate::delta::log::Attempt;
use crate::table::{TAG_REFERENCE, Table};

/// The operation of such a commit in the table's history.
pub const OPERATION: &str = "SETTLED";

/// The names of the two positions.
const VERSION: &str = "settle/version";
const REFERENCE: &str = "settle/reference";

/// A state in which all that draws from allowances was looked at, and what drew otherwise was ordered to be rated again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The table's version.
    pub version: u64,
    /// The reference version.
    pub reference: u64,
}

/// The last state that was marked.
pub fn marked(table: &Table) -> Option<Mark> {
    let positions = &table.snapshot().positions;
    let at = |name: &str| positions.get(name).and_then(|at| u64::try_from(*at).ok());
    at(VERSION).zip(at(REFERENCE)).map(|(version, reference)| Mark { version, reference })
}

/// Marks a state, unless somebody was faster: then it is marked the next time. The mark saves work and decides nothing.
pub fn mark(table: &mut Table, at: Mark, clock: &dyn Clock, rng: &mut dyn Rng) -> Result<(), CommitError> {
    table.refresh()?;
    // The former mark is a version of the table, too.
    let has_come = |since: u64| table.files(&[]).any(|add| (since + 1..=at.version).contains(&add.version()));
    if marked(table).is_some_and(|before| before.reference == at.reference && !has_come(before.version)) {
        return Ok(());
    }
    let info = CommitInfo {
        timestamp: clock.now_us() / 1000,
        operation: OPERATION.to_owned(),
        engine_info: crate::ENGINE.to_owned(),
        commit_id: rng.next_name(),
        reference_version: at.reference,
        ..CommitInfo::default()
    };
    let moves = [(VERSION.to_owned(), at.version), (REFERENCE.to_owned(), at.reference)];
    if table.attempt(&info, &[], &moves)? != Attempt::Committed {
        tracing::debug!(version = at.version, "the mark of what is settled was not set");
    }
    Ok(())
}

/// The customers of whom something was entered or taken back since a state was marked; `None` if some of that was rated by other reference
/// data, by which it may be another customer's.
pub fn customers_since(table: &Table, mark: Mark) -> Result<Option<BTreeSet<String>>, CommitError> {
    let mut customers = BTreeSet::new();
    let reference = mark.reference.to_string();
    for outcome in [Outcome::Rated, Outcome::Suspense] {
        for add in table.files(&[("outcome", outcome.as_str())]).filter(|add| add.version() > mark.version) {
            if add.tag(TAG_REFERENCE) != Some(&*reference) {
                return Ok(None);
            }
            for batch in table.read(add, Some(&["customer"]))? {
                let column = EntriesView(&batch).customer().map_err(|e| damaged(add, &e))?;
                let mut last = None;
                for customer in column.iter().flatten() {
                    // Rows are sorted by customer.
                    if last != Some(customer) {
                        customers.insert(customer.to_owned());
                        last = Some(customer);
                    }
                }
            }
        }
    }
    Ok(Some(customers))
}
