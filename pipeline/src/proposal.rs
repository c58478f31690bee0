//! Rows in suspense as they come out when they are rated again: from the table's own columns, so that what somebody has corrected in them
//! stays, and perhaps with fields that are corrected now.

use std::collections::{BTreeMap, HashMap};

use domain::columns::rated::RatedBatch;
use domain::money::{Currency, Money};
use domain::outcome::Reason;
use ingest::parse::edit::{FieldEdits, Misfit};
use sinks::correction::recycle::Suspended;
use sinks::correction::{Files, LiveEntries, Place};
use sinks::table::Table;

use crate::deliveries::Deliveries;
use crate::error::PipelineError;
use crate::rating::Reference;

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
    /// Those that come out otherwise, or have other fields, with the record keys that their entries carry.
    pub changed: Vec<(Place, u128)>,
    /// Every row that was looked at.
    pub turns: Turns,
    /// What became of each: rated (`None`), or in suspense for a reason.
    pub outcomes: HashMap<Place, Option<Reason>>,
    /// Rows that cannot have a field that is set.
    pub misfits: BTreeMap<Misfit, u64>,
    /// The files of all rows.
    pub files: Files,
    /// Batches with rows that change.
    pub rated: Vec<RatedBatch>,
}

/// Rates rows in suspense again, with one reference version; they are those that [`suspended`] finds on the table as it is known. If
/// fields are `set`, all of them have these.
///
/// [`suspended`]: sinks::correction::recycle::suspended
pub fn propose(
    rows: &[Suspended],
    set: Option<&FieldEdits>,
    table: &Table,
    deliveries: &mut Deliveries,
    reference: &Reference,
) -> Result<Proposal, PipelineError> {
    let mut proposal = Proposal::default();
    for row in rows.chunk_by(|a, b| a.place.delivery == b.place.delivery).filter_map(<[_]>::first) {
        proposal.files.insert(row.place.delivery, deliveries.file(row.arrival)?);
    }
    let stood: HashMap<Place, &Suspended> = rows.iter().map(|row| (row.place, row)).collect();
    let files = proposal.files.clone();
    LiveEntries::of_suspended(rows).parsed(table, &files, |parsed| {
        let (parsed, stands) = match set {
            None => (parsed, Vec::new()),
            Some(set) => set.applied(parsed),
        };
        let rated = reference.rate(parsed);
        let before = proposal.changed.len();
        proposal.note(&rated, &stood, &stands);
        if let Some(set) = set {
            for misfit in (0..rated.linked.parsed.len()).filter_map(|i| set.misfit(&rated.linked.parsed, i)) {
                *proposal.misfits.entry(misfit).or_default() += 1;
            }
        }
        if proposal.changed.len() > before {
            proposal.rated.push(rated);
        }
    })?;
    Ok(proposal)
}

impl Proposal {
    /// Notes how the rows of a batch came out, and which of them change; `stands` says which of them have all fields as they stood, if any
    /// are set.
    fn note(&mut self, batch: &RatedBatch, stood: &HashMap<Place, &Suspended>, stands: &[bool]) {
        let parsed = &batch.linked.parsed;
        for (i, row) in parsed.columns.row.iter().enumerate() {
            let Some(row) = stood.get(&Place { delivery: parsed.file.delivery, row: *row }) else { continue };
            let outcome = batch.reason(i);
            let turned = self.turns.entry((row.reason, outcome)).or_default();
            turned.rows += 1;
            self.outcomes.insert(row.place, outcome);
            if outcome.is_none() {
                let currency = batch.labels.tariffs[usize::from(batch.columns.tariff[i])].currency;
                let sum = turned.charge.entry(currency).or_default();
                *sum = sum.plus(Money(i128::from(batch.columns.charge_nano[i])));
            }
            if outcome != Some(row.reason) || stands.get(i) == Some(&false) {
                self.changed.push((row.place, row.key));
            }
        }
    }
}
