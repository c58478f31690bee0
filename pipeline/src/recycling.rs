//! Rows that are rated again, those that come out otherwise drafted as a correction: in suspense, which are read anew from landing,
//! and with a price, which are taken from the table (docs/adr/0017, 0021). And rows in suspense that are written off.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::columns::ColumnError;
use domain::columns::rated::RatedBatch;
use domain::delivery::{ArrivalNumber, DeliveryId};
use domain::money::{Currency, Money};
use domain::outcome::{Outcome, Reason};
use ingest::land::{DrawingChoice, Landing, Numbered, PricedChoice, RowChoice, SuspenseChoice};
use sinks::correction::recycle::{Choice, ServedBy, Suspended, done, plan, suspended};
use sinks::correction::rerate::{self, Compared, Drawing, Findings, Meant};
use sinks::correction::{Anew, Draft, Files, LiveEntries, Place};
use sinks::table::Table;

use crate::deliveries::Deliveries;
use crate::error::PipelineError;
use crate::rating::Reference;
use crate::rereading::rate_again;

/// What rating again made of rows that had one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turned {
    /// How many.
    pub rows: u64,
    /// What they are charged.
    pub charge: BTreeMap<Currency, Money>,
}

/// By old reason and what they are now: rated (`None`) or in suspense for a reason, which may be the same.
pub type Turns = BTreeMap<(Reason, Option<Reason>), Turned>;

/// Rows in suspense that were rated again.
#[derive(Debug, Default)]
pub struct Proposal {
    /// Those that come out otherwise, with the record keys that their entries carry.
    pub changed: Vec<(Place, u128)>,
    /// Every row that was looked at.
    pub turns: Turns,
    /// What became of each: rated (`None`), or in suspense for a reason.
    outcomes: HashMap<Place, Option<Reason>>,
    files: Files,
    rated: Vec<RatedBatch>,
}

/// What decisions of an account ask for that is not done.
#[derive(Debug, Default)]
pub struct Due {
    /// In the order of the decisions: what one leaves in suspense, the next may mean.
    suspense: Vec<Choice>,
    priced: Vec<rerate::Choice>,
}

impl Due {
    /// Whether all is done.
    pub fn is_empty(&self) -> bool {
        self.suspense.is_empty() && self.priced.is_empty()
    }
}

/// The choice of a decision, as the table is asked. Rows that arrived after the decision are not meant: they were rated with what
/// was in force by then.
pub fn choice(word: &SuspenseChoice, decided: ArrivalNumber) -> Choice {
    Choice {
        // A reason that is not known here is that of no row.
        reasons: word.reasons.iter().filter_map(|name| Reason::parse(name)).collect(),
        delivery: word.delivery,
        row: word.row,
        writes_off: false,
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
    let PricedChoice { customer, plan, cycle } = word.clone();
    rerate::Choice { customer, plan, cycle, drawing: None, before: decided }
}

/// The choice of a decision about rows that draw from allowances, as the table is asked.
pub fn drawing_choice(word: &DrawingChoice, decided: ArrivalNumber) -> rerate::Choice {
    let DrawingChoice { customers, cycles, frozen, reference } = word.clone();
    rerate::Choice {
        drawing: Some(Drawing { customers, cycles, frozen, reference }),
        before: decided,
        ..rerate::Choice::default()
    }
}

/// What the decisions of an account up to one of them ask for that is not done.
pub fn due(account: &str, decision: ArrivalNumber, landing: &Landing, table: &Table) -> Result<Due, PipelineError> {
    let from = done(table).get(account).copied().unwrap_or(0);
    let mut due = Due::default();
    for (number, word) in landing.recyclings(account, from, decision)? {
        match word {
            RowChoice::Suspense(word) => due.suspense.push(choice(&word, number)),
            RowChoice::Priced(word) => due.priced.push(priced_choice(&word, number)),
            RowChoice::Drawing(word) => due.priced.push(drawing_choice(&word, number)),
            RowChoice::WriteOff(word) => due.suspense.push(Choice { writes_off: true, ..choice(&word.choice, number) }),
        }
    }
    Ok(due)
}

/// Drafts what decisions of an account ask for, on the table as it is and with one reference version. `by` is the account and the
/// last of the decisions.
pub fn draft(
    by: (&str, ArrivalNumber),
    due: &Due,
    table: &Table,
    landing: &Landing,
    deliveries: &mut Deliveries,
    reference: &Reference,
) -> Result<Draft, PipelineError> {
    let (account, decision) = by;
    let rows = if due.suspense.is_empty() { Vec::new() } else { suspended(table, Some(account), &due.suspense)? };
    let is_again = |row: &&Suspended| row.by.iter().any(|n| !due.suspense[*n].writes_off);
    let again: Vec<Suspended> = rows.iter().filter(is_again).cloned().collect();
    let Proposal { outcomes, mut files, mut rated, .. } = propose(&again, landing, deliveries, reference)?;
    let Decided { mut changed, written_off, arrivals } = decide(&rows, &due.suspense, &outcomes);
    for (delivery, arrival) in arrivals {
        files.insert(delivery, deliveries.file(arrival)?);
    }
    let mut priced = None;
    if !due.priced.is_empty() {
        let only = rerate::standing_customers(&due.priced, reference.version);
        let draws = reference.draws(table, &[Outcome::Rated], only.as_ref())?;
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
    let plan = plan(table, account, decision, changed, written_off);
    let live = priced.map_or_else(|| LiveEntries::of_plan(table, &plan, &files), Ok)?;
    Ok(Draft { plan, files, live, rated, reference_version: reference.version })
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
            (stands, had) = if choice.writes_off {
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

/// Rates rows in suspense again, with one reference version; they are those that [`suspended`] finds on the table, by account,
/// arrival and row.
pub fn propose(
    rows: &[Suspended],
    landing: &Landing,
    deliveries: &mut Deliveries,
    reference: &Reference,
) -> Result<Proposal, PipelineError> {
    let mut proposal = Proposal::default();
    for file in rows.chunk_by(|a, b| a.place.delivery == b.place.delivery) {
        let Some(first) = file.first() else { continue };
        let wanted = file.iter().map(|row| (row.place.row, Anew { key: row.key, is_conflict: false })).collect();
        let batches = rate_again(landing, deliveries, first.arrival, &wanted, reference)?;
        let mut changed: Vec<&Suspended> = Vec::new();
        let (turns, outcomes) = (&mut proposal.turns, &mut proposal.outcomes);
        let mut changes = |batch: &RatedBatch| compare(batch, file, turns, outcomes, &mut changed);
        proposal.rated.extend(batches.into_iter().filter(|batch| changes(batch)));
        if !changed.is_empty() {
            proposal.files.insert(first.place.delivery, deliveries.file(first.arrival)?);
        }
        proposal.changed.extend(changed.iter().map(|row| (row.place, row.key)));
    }
    Ok(proposal)
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
        if row.differs {
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

/// Notes how the rows of a batch came out, and which of them change; whether there is one. A row that cannot be read any more
/// keeps its entry.
fn compare<'r>(
    batch: &RatedBatch,
    file: &'r [Suspended],
    turns: &mut Turns,
    outcomes: &mut HashMap<Place, Option<Reason>>,
    changed: &mut Vec<&'r Suspended>,
) -> bool {
    let stood: HashMap<u64, &Suspended> = file.iter().map(|row| (row.place.row, row)).collect();
    let before = changed.len();
    for (i, number) in batch.linked.parsed.columns.row.iter().enumerate() {
        let Some(row) = stood.get(number) else { continue };
        let outcome = batch.reason(i);
        let turned = turns.entry((row.reason, outcome)).or_default();
        turned.rows += 1;
        outcomes.insert(row.place, outcome);
        if outcome.is_none() {
            let currency = batch.labels.tariffs[usize::from(batch.columns.tariff[i])].currency;
            let sum = turned.charge.entry(currency).or_default();
            *sum = sum.plus(Money(i128::from(batch.columns.charge_nano[i])));
        }
        if outcome != Some(row.reason) {
            changed.push(row);
        }
    }
    changed.len() > before
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writing off, then taking back by name, then rating again whatever can change.
    fn choices() -> Vec<Choice> {
        let back = Choice { reasons: BTreeSet::from([Reason::WrittenOff]), ..Choice::default() };
        vec![Choice { writes_off: true, ..Choice::default() }, back, Choice::default()]
    }

    fn row(reason: Reason, had: Option<Reason>, by: &[usize]) -> Suspended {
        Suspended {
            account: "main/kpn/haven".to_owned(),
            place: Place { delivery: DeliveryId(1), row: 7 },
            arrival: 3,
            key: 5,
            reason,
            had,
            cost: None,
            by: by.to_vec(),
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
}
