//! Suspense that is rated again: the chosen rows read anew from landing, those that come out otherwise drafted as a correction.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use domain::columns::rated::RatedBatch;
use domain::delivery::ArrivalNumber;
use domain::money::{Currency, Money};
use domain::outcome::Reason;
use ingest::land::{Landing, Numbered, SuspenseChoice};
use sinks::correction::recycle::{Choice, ServedBy, Suspended, done, plan};
use sinks::correction::{Anew, Draft, Files, LiveEntries};
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

/// A correction of an account's suspense, and how all rows came out that were looked at.
#[derive(Debug)]
pub struct Proposal {
    /// The rows that change.
    pub draft: Draft,
    /// Every row that was chosen.
    pub turns: Turns,
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

/// What the decisions of an account up to one of them ask for that is not done; none if they are.
pub fn due(account: &str, decision: ArrivalNumber, landing: &Landing, table: &Table) -> Result<Vec<Choice>, PipelineError> {
    let from = done(table).get(account).copied().unwrap_or(0);
    let open = landing.recyclings(account, from, decision)?;
    Ok(open.iter().map(|(number, word)| choice(word, *number)).collect())
}

/// Rates rows of an account's suspense again, with one reference version, and drafts what changes. `by` is the decision that asks
/// for it; the rows are those that [`sinks::correction::recycle::suspended`] finds on the same table.
pub fn propose(
    by: (&str, ArrivalNumber),
    rows: &[Suspended],
    table: &Table,
    landing: &Landing,
    deliveries: &mut Deliveries,
    reference: &Reference,
) -> Result<Proposal, PipelineError> {
    let (mut turns, mut rated, mut files) = (Turns::new(), Vec::new(), Files::new());
    let mut changed: Vec<&Suspended> = Vec::new();
    for file in rows.chunk_by(|a, b| a.place.delivery == b.place.delivery) {
        let Some(first) = file.first() else { continue };
        let wanted = file.iter().map(|row| (row.place.row, Anew { key: row.key, is_conflict: false })).collect();
        let batches = rate_again(landing, deliveries, first.arrival, &wanted, reference)?;
        let before = changed.len();
        rated.extend(batches.into_iter().filter(|batch| compare(batch, file, &mut turns, &mut changed)));
        if changed.len() > before {
            files.insert(first.place.delivery, Arc::clone(&deliveries.open(first.arrival)?.file));
        }
    }
    let (account, by) = by;
    let plan = plan(table, account, by, changed);
    let live = LiveEntries::of_plan(table, &plan, &files)?;
    Ok(Proposal { draft: Draft { plan, files, live, rated, reference_version: reference.version }, turns })
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
