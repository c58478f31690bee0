//! What decisions of an account ask for, drafted as a correction: rows in suspense or with a price that come out otherwise when they
//! are rated again, rows in suspense with corrected fields, and such that are written off (docs/adr/0017, 0021, 0023).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::columns::ColumnError;
use domain::delivery::{ArrivalNumber, DeliveryId};
use domain::outcome::{Outcome, Reason};
use ingest::land::{DrawingChoice, Edit, Landing, Numbered, PricedChoice, RowChoice, SuspenseChoice};
use ingest::parse::edit::FieldEdits;
use sinks::closing::closed;
use sinks::correction::recycle::{Act, Choice, EDITED, ServedBy, Suspended, can_come_back, done, plan, suspended, was_rated};
use sinks::correction::rerate::{self, Compared, Drawing, Findings, Meant};
use sinks::correction::{Draft, Files, LiveEntries, Place};
use sinks::table::Table;

use crate::deliveries::Deliveries;
use crate::error::PipelineError;
use crate::proposal::{Proposal, propose};
use crate::rating::Reference;

/// What decisions of an account ask for that is not done, as far as one commit carries it out.
#[derive(Debug, Default)]
pub struct Due {
    /// In the order of the decisions: what one leaves in suspense, the next may mean.
    suspense: Vec<Choice>,
    priced: Vec<rerate::Choice>,
    /// Fields that the rows of the only choice are to have.
    set: Option<FieldEdits>,
    /// The last of the decisions.
    up_to: ArrivalNumber,
}

impl Due {
    /// Whether all is done.
    pub fn is_empty(&self) -> bool {
        self.suspense.is_empty() && self.priced.is_empty()
    }

    /// Takes in the next decision; whether it did. An edit is carried out alone: what comes after it means the rows as they are then.
    fn take(&mut self, number: ArrivalNumber, word: RowChoice) -> bool {
        if self.set.is_some() || matches!(word, RowChoice::Edit(_)) && !self.is_empty() {
            return false;
        }
        match word {
            RowChoice::Suspense(word) => self.suspense.push(choice(&word, Act::Rate, number)),
            RowChoice::WriteOff(word) => self.suspense.push(choice(&word.choice, Act::WriteOff, number)),
            RowChoice::Edit(Edit { choice: word, set, .. }) => {
                self.suspense.push(choice(&word, Act::Edit, number));
                self.set = Some(set);
            }
            RowChoice::Priced(word) => self.priced.push(priced_choice(&word, number)),
            RowChoice::Drawing(word) => self.priced.push(drawing_choice(&word, number)),
        }
        self.up_to = number;
        true
    }
}

/// The choice of a decision to do something, as the table is asked. Rows that arrived after the decision are not meant: they were
/// rated with what was in force by then.
pub fn choice(word: &SuspenseChoice, act: Act, decided: ArrivalNumber) -> Choice {
    Choice {
        // A reason that is not known here is that of no row.
        reasons: word.reasons.iter().filter_map(|name| Reason::parse(name)).collect(),
        delivery: word.delivery,
        row: word.row,
        act,
        identifier: word.identifier.map(|number| match number {
            Numbered::Msisdn(digits) => ServedBy::Msisdn(digits.to_string()),
            Numbered::Imsi(digits) => ServedBy::Imsi(digits.cast_signed()),
            Numbered::Iccid(digits) => ServedBy::Iccid(digits.cast_signed()),
        }),
        before: decided,
    }
}

/// The choice of a decision about rows with a price, as the table is asked.
pub fn priced_choice(word: &PricedChoice, decided: ArrivalNumber) -> rerate::Choice {
    let PricedChoice { customer, plan, cycle, frozen, billed_too } = word.clone();
    rerate::Choice { customer, plan, cycle, drawing: None, before: decided, frozen, billed_too }
}

/// The choice of a decision about rows that draw from allowances, as the table is asked.
pub fn drawing_choice(word: &DrawingChoice, decided: ArrivalNumber) -> rerate::Choice {
    let DrawingChoice { customers, cycles, frozen, billed_too, reference } = word.clone();
    rerate::Choice {
        drawing: Some(Drawing { customers, cycles, reference }),
        before: decided,
        frozen,
        billed_too,
        ..rerate::Choice::default()
    }
}

/// What the first open decisions of an account ask for, up to one of them: as many as one commit carries out.
pub fn due(account: &str, decision: ArrivalNumber, landing: &Landing, table: &Table) -> Result<Due, PipelineError> {
    let from = done(table).get(account).copied().unwrap_or(0);
    let mut due = Due::default();
    let closed = closed(table);
    for (number, mut word) in landing.recyclings(account, from, decision)? {
        word.leave(&closed);
        if !due.take(number, word) {
            break;
        }
    }
    Ok(due)
}

/// Drafts what decisions of an account ask for, on the table as it is and with one reference version.
pub fn draft(
    account: &str,
    due: &Due,
    table: &Table,
    deliveries: &mut Deliveries,
    reference: &Reference,
) -> Result<Draft, PipelineError> {
    let rows = if due.suspense.is_empty() { Vec::new() } else { suspended(table, Some(account), &due.suspense)? };
    // What could not be read has no columns to rate.
    let can_come_back = |row: &Suspended| can_come_back(row.reason) || row.had.is_some_and(was_rated);
    let is_again = |row: &&Suspended| can_come_back(row) && row.by.iter().any(|n| due.suspense[*n].act != Act::WriteOff);
    let again: Vec<Suspended> = rows.iter().filter(is_again).cloned().collect();
    let proposal = propose(&again, due.set.as_ref(), table, deliveries, reference)?;
    if due.set.is_some() {
        return Ok(edited(account, due.up_to, proposal, &again, table, reference));
    }
    let Proposal { outcomes, mut files, mut rated, .. } = proposal;
    let Decided { mut changed, written_off, arrivals } = decide(&rows, &due.suspense, &outcomes);
    for (delivery, arrival) in arrivals {
        files.insert(delivery, deliveries.file(arrival)?);
    }
    let mut priced = None;
    if !due.priced.is_empty() {
        let only = rerate::standing_customers(&due.priced, reference.version);
        let draws = reference.draws(table, &[Outcome::Rated], only.as_ref(), &due.priced)?;
        let rate = |batch| reference.rate_settled(batch, &draws);
        let meant = Meant { outcomes: &[Outcome::Rated], accounts: Some(&|of| of == account), customers: only.as_ref() };
        let found: Differing = rerate::look(table, &meant, &due.priced, &rate, &|_| ())?;
        let mut theirs = Files::new();
        for (delivery, arrival) in &found.arrivals {
            theirs.insert(*delivery, deliveries.file(*arrival)?);
        }
        // What is written off by the same commit stays so.
        let places = &found.places - &written_off.iter().copied().collect();
        let live = LiveEntries::of_places(table, &places, &theirs)?;
        let (again, keys) = rerate::rate_entries(&live, table, &theirs, &rate)?;
        // What is in suspense stands elsewhere.
        priced = Some(live).filter(|_| changed.is_empty() && written_off.is_empty());
        rated.extend(again);
        changed.extend(keys);
        files.extend(theirs);
    }
    let plan = plan(table, account, due.up_to, changed, written_off);
    let live = priced.map_or_else(|| LiveEntries::of_plan(table, &plan, &files), Ok)?;
    Ok(Draft { plan, files, live, rated, reference_version: reference.version })
}

/// The draft of a decision to correct fields of rows in suspense: `rows` are those that it means.
fn edited(
    account: &str,
    decision: ArrivalNumber,
    proposal: Proposal,
    rows: &[Suspended],
    table: &Table,
    reference: &Reference,
) -> Draft {
    let Proposal { changed, files, rated, .. } = proposal;
    let mut plan = plan(table, account, decision, changed, []);
    plan.cause = EDITED;
    let live = LiveEntries::of_suspended(rows.iter().filter(|row| plan.changes.contains_key(&row.place)));
    Draft { plan, files, live, rated, reference_version: reference.version }
}

/// What decisions make of rows in suspense.
#[derive(Default)]
struct Decided {
    /// Those that come out otherwise when they are rated again, with their keys.
    changed: Vec<(Place, u128)>,
    /// Those that are written off.
    written_off: Vec<Place>,
    /// The arrival numbers of their deliveries.
    arrivals: BTreeMap<DeliveryId, ArrivalNumber>,
}

/// Lets the choices of decisions act on the rows one after the other, as if each had been alone.
fn decide(rows: &[Suspended], choices: &[Choice], outcomes: &HashMap<Place, Option<Reason>>) -> Decided {
    let mut decided = Decided::default();
    for row in rows {
        let (mut stands, mut had) = (Some(row.reason), row.had);
        for choice in row.by.iter().map(|n| &choices[*n]) {
            let Some(reason) = stands else { break };
            if !choice.names(reason, had) {
                continue;
            }
            (stands, had) = if choice.act == Act::WriteOff {
                (Some(Reason::WrittenOff), stands)
            } else {
                (outcomes.get(&row.place).map_or(stands, |outcome| *outcome), None)
            };
        }
        if stands == Some(row.reason) {
            continue;
        }
        decided.arrivals.insert(row.place.delivery, row.arrival);
        if stands == Some(Reason::WrittenOff) {
            decided.written_off.push(row.place);
        } else {
            decided.changed.push((row.place, row.key));
        }
    }
    decided
}

/// Rows with a price that come out otherwise.
#[derive(Debug, Default)]
struct Differing {
    places: BTreeSet<Place>,
    /// The arrival numbers of their deliveries.
    arrivals: BTreeMap<DeliveryId, ArrivalNumber>,
}

impl Findings for Differing {
    fn row(&mut self, row: &Compared<'_>) -> Result<(), ColumnError> {
        if row.differs && !row.is_left {
            let place = row.place()?;
            self.places.insert(place);
            self.arrivals.insert(place.delivery, row.arrival);
        }
        Ok(())
    }

    fn join(mut self, later: Self) -> Self {
        self.places.extend(later.places);
        self.arrivals.extend(later.arrivals);
        self
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sinks::correction::recycle::Stands;
    use sinks::delta::action::Add;

    use super::*;

    /// Writing off, then taking back by name, then rating again whatever can change.
    fn choices() -> Vec<Choice> {
        let back = Choice { reasons: BTreeSet::from([Reason::WrittenOff]), ..Choice::default() };
        vec![Choice { act: Act::WriteOff, ..Choice::default() }, back, Choice::default()]
    }

    fn row(reason: Reason, had: Option<Reason>, by: &[usize]) -> Suspended {
        let (path, partition_values) = ("a.parquet".to_owned(), BTreeMap::new());
        let add = Add { path, partition_values, size: 0, modification_time: 0, data_change: true, stats: None, tags: None };
        Suspended {
            account: "main/kpn/haven".to_owned(),
            place: Place { delivery: DeliveryId(1), row: 7 },
            arrival: 3,
            key: 5,
            reason,
            had,
            cost: None,
            by: by.to_vec(),
            stands: Stands { add: Arc::new(add), at: 0, entry_no: 0 },
        }
    }

    /// Whether the row changes, and whether it is written off, if rating again gives it a price.
    fn decided(row: Suspended) -> (bool, bool) {
        let outcomes = HashMap::from([(row.place, None)]);
        let decided = decide(&[row], &choices(), &outcomes);
        (!decided.changed.is_empty(), !decided.written_off.is_empty())
    }

    #[test]
    fn decisions_that_are_carried_out_together_make_what_they_make_one_by_one() {
        let conflict = Reason::IdConflict;
        assert_eq!(decided(row(conflict, None, &[0])), (false, true));
        // What was in conflict does not come back as a record of its own, also when both decisions act at once.
        assert_eq!(decided(row(conflict, None, &[0, 1, 2])), (false, true));
        assert_eq!(decided(row(Reason::WrittenOff, Some(conflict), &[1, 2])), (false, false));
        assert_eq!(decided(row(Reason::Time, None, &[0, 1])), (false, true));
        assert_eq!(decided(row(Reason::NoDevice, None, &[0, 1])), (true, false), "written off and taken back: it is rated");
        assert_eq!(decided(row(Reason::NoDevice, None, &[0, 2])), (false, true), "rating again does not mean it");
        assert_eq!(decided(row(Reason::WrittenOff, Some(Reason::NoDevice), &[0, 1])), (true, false));
        assert_eq!(decided(row(Reason::WrittenOff, Some(Reason::NoDevice), &[0, 2])), (false, false));
    }

    #[test]
    fn an_edit_is_carried_out_by_a_commit_of_its_own() {
        let set = FieldEdits::read([("network", "20408")]).expect("a field");
        let edit = || {
            let (choice, by, why) = (SuspenseChoice::default(), String::new(), String::new());
            RowChoice::Edit(Edit { choice, set: set.clone(), by, why })
        };
        let again = || RowChoice::Suspense(SuspenseChoice::default());
        let mut due = Due::default();
        assert!(due.take(3, again()) && due.take(4, RowChoice::Priced(PricedChoice::default())) && !due.take(6, edit()));
        assert_eq!((due.up_to, due.suspense.len(), due.priced.len(), due.set), (4, 1, 1, None));
        let mut due = Due::default();
        assert!(due.take(6, edit()) && !due.take(7, edit()) && !due.take(8, again()));
        assert_eq!((due.up_to, due.suspense.len(), due.suspense[0].act, due.set), (6, 1, Act::Edit, Some(set.clone())));
    }
}
