//! Rows in suspense that are read and rated again: which they are, and which of them change.
//!
//! A row whose reading is as before keeps its entry, so that recycling twice is recycling once. What could not be read is not
//! chosen: the profile that was pinned at landing reads, and it would read the same. Nor is a row in conflict with another's id:
//! no reference data makes it a record of its own.

use std::collections::{BTreeSet, HashMap};

use arrow_array::{Array, RecordBatch};
use domain::columns::ColumnError;
use domain::columns::entries::{EntriesView, EntryKind};
use domain::delivery::{ArrivalNumber, DeliveryId};
use domain::money::{Currency, Money};
use domain::outcome::{Outcome, Reason};

use super::entries::damaged;
use super::{Anew, Change, Place, Plan};
use crate::commit::CommitError;
use crate::premise::key;
use crate::standing::{at, delivery_of};
use crate::table::Table;

/// What rows in suspense are chosen by; all that is named must fit.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Their reasons; any if there is none.
    pub reasons: BTreeSet<Reason>,
    /// The delivery that they stand in.
    pub delivery: Option<DeliveryId>,
    /// Their row there.
    pub row: Option<u64>,
    /// Whether they are to be written off, else rated again.
    pub writes_off: bool,
    /// A number of the served party.
    pub identifier: Option<ServedBy>,
    /// They stand in deliveries that arrived before this number.
    pub before: ArrivalNumber,
}

/// A number of the served party as the columns `a_number`, `imsi` and `iccid` hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServedBy {
    /// Country code and number, digits only.
    Msisdn(String),
    /// The subscription on the SIM.
    Imsi(i64),
    /// The first 19 digits of the card.
    Iccid(i64),
}

/// A row in suspense that is chosen.
#[derive(Debug, Clone)]
pub struct Suspended {
    /// Tenant, provider and account, with `/`.
    pub account: String,
    /// The record.
    pub place: Place,
    /// The arrival number of its delivery.
    pub arrival: ArrivalNumber,
    /// The record key that its entry carries.
    pub key: u128,
    /// Why it is in suspense.
    pub reason: Reason,
    /// The reason that a row had which was written off.
    pub had: Option<Reason>,
    /// The provider's cost, if it is known.
    pub cost: Option<(Money, Currency)>,
    /// Which of the choices name it, whatever its reason.
    pub by: Vec<usize>,
}

/// Whether rating a row alone can change a reason at all. What was written off stays so until somebody asks for it by name; what is beyond
/// an allowance hangs on other rows, and is settled.
pub fn can_change(reason: Reason) -> bool {
    !reason.is_malformed() && !matches!(reason, Reason::IdConflict | Reason::WrittenOff | Reason::BeyondAllowance)
}

/// The rows in suspense, in the table as it is known, that one of the choices names, in the order of files and rows; of one account, or
/// of all. Reads every file of suspense; memory grows with the rows chosen.
pub fn suspended(table: &Table, account: Option<&str>, choices: &[Choice]) -> Result<Vec<Suspended>, CommitError> {
    let partition = [("outcome", Outcome::Suspense.as_str())];
    let mut files: Vec<_> = table.files(&partition).collect();
    files.sort_by_key(|add| add.version());
    let mut live: HashMap<Place, (i32, Suspended)> = HashMap::new();
    for add in files {
        for batch in table.read(add, Some(&COLUMNS))? {
            follow(&batch, account, choices, &mut live).map_err(|e| damaged(add, &e))?;
        }
    }
    let mut rows: Vec<Suspended> = live.into_values().map(|(_, row)| row).collect();
    rows.sort_by_key(|row| (row.arrival, row.place));
    Ok(rows)
}

const COLUMNS: [&str; 16] = [
    "tenant",
    "provider",
    "account",
    "entry",
    "entry_no",
    "delivery",
    "arrival",
    "row",
    "record_key",
    "reason",
    "reason_field",
    "a_number",
    "imsi",
    "iccid",
    "cost",
    "cost_currency",
];

/// Takes in the entries of a batch: first words and corrections come, reversals go.
fn follow(
    batch: &RecordBatch,
    account: Option<&str>,
    choices: &[Choice],
    live: &mut HashMap<Place, (i32, Suspended)>,
) -> Result<(), ColumnError> {
    let view = EntriesView(batch);
    let (tenant, provider, of, entry) = (view.tenant()?, view.provider()?, view.account()?, view.entry()?);
    let (number, delivery, arrival, row) = (view.entry_no()?, view.delivery()?, view.arrival()?, view.row()?);
    let reason = view.reason()?;
    for i in 0..batch.num_rows() {
        let delivery = delivery_of(delivery.value(i))?;
        let place = Place { delivery, row: row.value(i).max(0).cast_unsigned() };
        if entry.value(i) == EntryKind::Reversal.as_str() {
            if live.get(&place).is_some_and(|(taken, _)| *taken == number.value(i)) {
                live.remove(&place);
            }
            continue;
        }
        let path = format!("{}/{}/{}", tenant.value(i), provider.value(i), of.value(i));
        if account.is_some_and(|account| account != path) {
            continue;
        }
        let known = Reason::parse(reason.value(i));
        let known = known.ok_or_else(|| ColumnError::Batch(format!("`{}` is no reason", reason.value(i))))?;
        let arrival = arrival.value(i).max(0).cast_unsigned();
        let mut by = Vec::new();
        let was_written_off = known == Reason::WrittenOff;
        let had = if was_written_off { at(view.reason_field()?, i).and_then(Reason::parse) } else { None };
        for (n, choice) in choices.iter().enumerate() {
            if choice.is_of(&place, arrival) && choice.serves(view, i)? {
                by.push(n);
            }
        }
        // What one choice leaves in suspense for another reason, a later one may mean.
        if by.iter().any(|n| choices[*n].names(known, had)) {
            let row =
                Suspended { account: path, place, arrival, key: key(view, i)?, reason: known, had, cost: cost(view, i)?, by };
            live.insert(place, (number.value(i), row));
        }
    }
    Ok(())
}

fn cost(view: EntriesView<'_>, i: usize) -> Result<Option<(Money, Currency)>, ColumnError> {
    let money = at(view.cost()?, i).map(Money);
    Ok(money.zip(at(view.cost_currency()?, i).and_then(Currency::parse)))
}

impl Choice {
    /// Whether it means a record by where that stands.
    pub fn is_of(&self, place: &Place, arrival: ArrivalNumber) -> bool {
        arrival < self.before
            && self.delivery.is_none_or(|chosen| chosen == place.delivery)
            && self.row.is_none_or(|row| row == place.row)
    }

    /// Whether it means rows of a reason: what is written off is any but those that are; what is rated again is what can change, and
    /// what was written off if that is named and rating can make something of the reason that it had.
    pub fn names(&self, reason: Reason, had: Option<Reason>) -> bool {
        let is_named = self.reasons.contains(&reason);
        if self.writes_off {
            return reason != Reason::WrittenOff && (self.reasons.is_empty() || is_named);
        }
        // What was beyond an allowance may come back, too: it is settled then.
        let may_come_back = |had: Reason| can_change(had) || had == Reason::BeyondAllowance;
        let is_back = reason == Reason::WrittenOff && is_named && had.is_some_and(may_come_back);
        if can_change(reason) { self.reasons.is_empty() || is_named } else { is_back }
    }

    fn serves(&self, view: EntriesView<'_>, i: usize) -> Result<bool, ColumnError> {
        Ok(match &self.identifier {
            None => true,
            Some(ServedBy::Msisdn(digits)) => view.a_number()?.is_valid(i) && view.a_number()?.value(i) == digits,
            Some(ServedBy::Imsi(number)) => view.imsi()?.is_valid(i) && view.imsi()?.value(i) == *number,
            Some(ServedBy::Iccid(number)) => view.iccid()?.is_valid(i) && view.iccid()?.value(i) == *number,
        })
    }
}

/// The name of an account's position among decisions to rate rows again: the number after the last one that is done, with
/// all before it.
pub fn app_id(account: &str) -> String {
    format!("{PREFIX}{account}")
}

const PREFIX: &str = "recycle/";

/// Where accounts stand in a table, by their path; those that are left out stand at the beginning.
pub fn done(table: &Table) -> HashMap<String, ArrivalNumber> {
    let positions = &table.snapshot().positions;
    let ours = positions.range(PREFIX.to_owned()..).take_while(|(app, _)| app.starts_with(PREFIX));
    ours.map(|(app, to)| (app[PREFIX.len()..].to_owned(), u64::try_from(*to).unwrap_or(0))).collect()
}

/// What the ledger says of a delivery whose suspense was rated again.
pub(crate) const CAUSE: &str = "recycled";

/// Plans that these rows of an account come out otherwise: each is taken back and entered anew under its key; and that others stay, as
/// written off.
pub fn plan(
    table: &Table,
    account: &str,
    by: ArrivalNumber,
    changed: impl IntoIterator<Item = (Place, u128)>,
    written_off: impl IntoIterator<Item = Place>,
) -> Plan {
    let mut plan = Plan::new(account, table.snapshot().version.unwrap_or(0), by, CAUSE);
    plan.position = app_id(account);
    for (place, key) in changed {
        let anew = Some(Anew { key, is_conflict: false });
        plan.changes.insert(place, Change { takes_back: true, anew, stays_as: None });
    }
    for place in written_off {
        plan.changes.insert(place, Change { takes_back: true, anew: None, stays_as: Some(Reason::WrittenOff) });
    }
    plan
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::columns::entries::{Entries, PARTITION};
    use domain::ports::Blob;

    use super::*;
    use crate::delta::action::CommitInfo;
    use crate::local_store::memory::MemoryStore;

    #[test]
    fn only_what_reference_data_decides_can_change() {
        let fixed: Vec<&str> = Reason::ALL.iter().filter(|r| !can_change(**r)).map(|r| r.as_str()).collect();
        assert!(
            fixed.iter().all(|name| {
                name.starts_with("malformed.") || ["id_conflict", "written_off", "beyond_allowance"].contains(name)
            }),
            "{fixed:?}"
        );
        assert!(can_change(Reason::NoDevice) && can_change(Reason::NoPrice));
    }

    #[test]
    fn an_account_stands_behind_the_last_decision_that_is_done() {
        let blob: Arc<dyn Blob> = Arc::new(MemoryStore::new());
        let mut table = Table::open_or_create(&blob, "entries", &Entries::schema(), &PARTITION, "id", 0).expect("memory");
        let moves = [(app_id("main/kpn/haven"), 8), ("correct/main/kpn/haven".to_owned(), 3), ("recycled".to_owned(), 1)];
        table.attempt(&CommitInfo::default(), &[], &moves).expect("memory");
        assert_eq!(done(&table), HashMap::from([("main/kpn/haven".to_owned(), 8)]));
    }
}
