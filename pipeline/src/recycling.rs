//! Rows that are rated again, those that come out otherwise drafted as a correction: in suspense, which are read anew from landing,
//! and with a price, which are taken from the table (docs/adr/0017, 0021).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::columns::ColumnError;
use domain::columns::rated::RatedBatch;
use domain::delivery::{ArrivalNumber, DeliveryId};
use domain::money::{Currency, Money};
use domain::outcome::{Outcome, Reason};
use ingest::land::{Landing, Numbered, PricedChoice, RowChoice, SuspenseChoice};
use sinks::correction::recycle::{Choice, ServedBy, Suspended, done, plan, suspended};
use sinks::correction::rerate::{self, Compared, Findings};
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
    files: Files,
    rated: Vec<RatedBatch>,
}

/// What decisions of an account ask for that is not done.
#[derive(Debug, Default)]
pub struct Due {
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
    rerate::Choice { customer, plan, cycle, before: decided }
}

/// What the decisions of an account up to one of them ask for that is not done.
pub fn due(account: &str, decision: ArrivalNumber, landing: &Landing, table: &Table) -> Result<Due, PipelineError> {
    let from = done(table).get(account).copied().unwrap_or(0);
    let mut due = Due::default();
    for (number, word) in landing.recyclings(account, from, decision)? {
        match word {
            RowChoice::Suspense(word) => due.suspense.push(choice(&word, number)),
            RowChoice::Priced(word) => due.priced.push(priced_choice(&word, number)),
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
    let Proposal { mut changed, mut files, mut rated, .. } = propose(&rows, landing, deliveries, reference)?;
    let mut priced = None;
    if !due.priced.is_empty() {
        let rate = |batch| reference.rate(batch);
        let found: Differing = rerate::look(table, &[Outcome::Rated], Some(&|of| of == account), &due.priced, &rate, &|_| ())?;
        let mut theirs = Files::new();
        for (delivery, arrival) in &found.arrivals {
            theirs.insert(*delivery, deliveries.file(*arrival)?);
        }
        let live = LiveEntries::of_places(table, &found.places, &theirs)?;
        let (again, keys) = rerate::rate_entries(&live, table, &theirs, &rate)?;
        // What is in suspense stands elsewhere.
        priced = Some(live).filter(|_| changed.is_empty());
        rated.extend(again);
        changed.extend(keys);
        files.extend(theirs);
    }
    let plan = plan(table, account, decision, changed);
    let live = priced.map_or_else(|| LiveEntries::of_plan(table, &plan, &files), Ok)?;
    Ok(Draft { plan, files, live, rated, reference_version: reference.version })
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
        let changes = |batch: &RatedBatch| compare(batch, file, &mut proposal.turns, &mut changed);
        proposal.rated.extend(batches.into_iter().filter(changes));
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
fn compare<'r>(batch: &RatedBatch, file: &'r [Suspended], turns: &mut Turns, changed: &mut Vec<&'r Suspended>) -> bool {
    let stood: HashMap<u64, &Suspended> = file.iter().map(|row| (row.place.row, row)).collect();
    let before = changed.len();
    for (i, number) in batch.linked.parsed.columns.row.iter().enumerate() {
        let Some(row) = stood.get(number) else { continue };
        let outcome = batch.reason(i);
        let turned = turns.entry((row.reason, outcome)).or_default();
        turned.rows += 1;
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
