//! Rows in suspense that are rated again: which they are, and where their entries stand.
//!
//! They are rated from the table's own columns, so what somebody has corrected in them stays. A row that comes out as before keeps
//! its entry, so that recycling twice is recycling once. What could not be read is not chosen: it has no columns, and the profile that
//! was pinned at landing would read it the same. Nor is a row in conflict with another's id: no data makes it a record of its own.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use domain::columns::ColumnError;
use domain::columns::entries::{EntriesView, EntryKind};
use domain::delivery::{ArrivalNumber, DeliveryId};
use domain::money::{Currency, Money};
use domain::outcome::{Outcome, Reason};

use super::entries::damaged;
use super::{Anew, Change, Place, Plan};
use crate::commit::CommitError;
use crate::delta::action::Add;
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
    /// What is to be done with them.
    pub act: Act,
    /// A number of the served party.
    pub identifier: Option<ServedBy>,
    /// They stand in deliveries that arrived before this number.
    pub before: ArrivalNumber,
}

/// What is done with rows in suspense.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Act {
    /// They are rated as they stand.
    #[default]
    Rate,
    /// They are rated with fields that somebody has corrected.
    Edit,
    /// They stay, and will never be charged.
    WriteOff,
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
    /// Where its entry stands.
    pub stands: Stands,
}

/// Where an entry stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stands {
    /// The data file.
    pub add: Arc<Add>,
    /// Its row there.
    pub at: usize,
    /// The entry's number on its record.
    pub entry_no: i32,
}

/// Whether rating a row alone can change a reason at all. What was written off or too old stays so until somebody asks for it by name; what
/// is beyond an allowance hangs on other rows, and is settled.
pub fn can_change(reason: Reason) -> bool {
    !reason.is_malformed()
        && !matches!(reason, Reason::IdConflict | Reason::TooOld | Reason::WrittenOff | Reason::BeyondAllowance)
}

/// Whether a row of a reason is rated again if somebody asks for it by name.
pub fn can_come_back(reason: Reason) -> bool {
    can_change(reason) || reason == Reason::TooOld
}

/// Whether a row that was written off with a reason may be rated when that is taken back; what was beyond an allowance is settled then.
pub fn was_rated(had: Reason) -> bool {
    can_come_back(had) || had == Reason::BeyondAllowance
}

/// The rows in suspense, in the table as it is known, that one of the choices names, in the order of files and rows; of one account, or
/// of all. Reads every file of suspense; memory grows with the rows chosen.
pub fn suspended(table: &Table, account: Option<&str>, choices: &[Choice]) -> Result<Vec<Suspended>, CommitError> {
    let partition = [("outcome", Outcome::Suspense.as_str())];
    let mut files: Vec<_> = table.files(&partition).collect();
    files.sort_by_key(|add| add.version());
    let mut live: HashMap<Place, Suspended> = HashMap::new();
    for add in files {
        let mut at = 0;
        for batch in table.read(add, Some(&COLUMNS))? {
            follow(&batch, (add, at), account, choices, &mut live).map_err(|e| damaged(add, &e))?;
            at += batch.num_rows();
        }
    }
    let mut rows: Vec<Suspended> = live.into_values().collect();
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

/// Takes in the entries of a batch, whose first row is that row of its file: first words and corrections come, reversals go.
fn follow(
    batch: &RecordBatch,
    (add, first): (&Arc<Add>, usize),
    account: Option<&str>,
    choices: &[Choice],
    live: &mut HashMap<Place, Suspended>,
) -> Result<(), ColumnError> {
    let view = EntriesView(batch);
    let (tenant, provider, of, entry) = (view.tenant()?, view.provider()?, view.account()?, view.entry()?);
    let (number, delivery, arrival, row) = (view.entry_no()?, view.delivery()?, view.arrival()?, view.row()?);
    let reason = view.reason()?;
    for i in 0..batch.num_rows() {
        let delivery = delivery_of(delivery.value(i))?;
        let place = Place { delivery, row: row.value(i).max(0).cast_unsigned() };
        if entry.value(i) == EntryKind::Reversal.as_str() {
            if live.get(&place).is_some_and(|row| row.stands.entry_no == number.value(i)) {
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
            let stands = Stands { add: Arc::clone(add), at: first + i, entry_no: number.value(i) };
            let (key, cost) = (key(view, i)?, cost(view, i)?);
            live.insert(place, Suspended { account: path, place, arrival, key, reason: known, had, cost, by, stands });
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

    /// Whether it means rows of a reason: what is written off is any but those that are; what is rated again or corrected is what can
    /// change; and rated again is what was written off if that is named and rating can make something of the reason that it had.
    pub fn names(&self, reason: Reason, had: Option<Reason>) -> bool {
        let is_named = self.reasons.contains(&reason);
        let fits = self.reasons.is_empty() || is_named;
        match self.act {
            Act::WriteOff => fits && reason != Reason::WrittenOff,
            Act::Edit | Act::Rate if can_change(reason) => fits,
            Act::Edit | Act::Rate if can_come_back(reason) => is_named,
            Act::Edit => false,
            // What was too old is not billed because a write-off is taken back: that is to be said, too.
            Act::Rate => {
                let may_come_back = |had: Reason| was_rated(had) && (had != Reason::TooOld || self.reasons.contains(&had));
                reason == Reason::WrittenOff && is_named && had.is_some_and(may_come_back)
            }
        }
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

/// What it says where fields of rows in suspense were corrected.
pub const EDITED: &str = "edited";

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
                name.starts_with("malformed.") || ["id_conflict", "too_old", "written_off", "beyond_allowance"].contains(name)
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
