//! What an arrival corrects, drafted: a withdrawal, a file that takes the place of others, or rows that are rated again, corrected or
//! written off (docs/adr/0017, 0021, 0023).
//!
//! An order stands in the log behind all claim checks of its account that arrived before it, so one worker carries out both in
//! their order. What is to be done follows from landing and from the table alone: an order that comes twice finds it done.

use domain::columns::rated::RatedBatch;
use domain::delivery::{ArrivalNumber, DeliveryId};
use ingest::land::{ArrivalKind, Decision, DeliveryRecord, Landing};
use ingest::message::ClaimCheck;
use sinks::commit::{CommitError, Committer};
use sinks::correction::stop::Stop;
use sinks::correction::{Draft, Files, LiveEntries, Plan};
use sinks::keys::stopped::{Fate, Stopped};
use sinks::ledger;
use sinks::settled::Settled;
use sinks::table::Table;

use crate::deliveries::Deliveries;
use crate::error::PipelineError;
use crate::rating::Reference;
use crate::recycling;
use crate::rereading::rate_again;

/// The files that an order of the log lets act no more, given the table: `None` if nothing is left to do, now or ever.
pub fn ordered(order: &ClaimCheck, landing: &Landing, table: &Table, stopped: &Stopped) -> Result<Option<Stop>, PipelineError> {
    let arrival = landing.arrival(order.arrival)?;
    match &arrival.kind {
        ArrivalKind::Decision(Decision::Withdraw(word)) if word.delivery == order.delivery => Ok(Some(Stop {
            account: word.account.path(),
            deliveries: vec![(word.arrival, word.delivery)],
            fate: Fate::Withdrawn,
            successor: None,
            by: arrival.number,
        })),
        ArrivalKind::Delivery(record) if record.delivery == order.delivery => {
            replacement(order.arrival, record, landing, table, stopped)
        }
        _ => Err(foreign(order)),
    }
}

fn foreign(order: &ClaimCheck) -> PipelineError {
    PipelineError::Foreign { arrival: order.arrival, delivery: Box::new(order.delivery) }
}

/// What a file takes the place of. It does so only when it is in the table whole: rows that are missing of it would be taken for
/// gone. One without rows never does.
pub fn replacement(
    number: ArrivalNumber,
    record: &DeliveryRecord,
    landing: &Landing,
    table: &Table,
    stopped: &Stopped,
) -> Result<Option<Stop>, PipelineError> {
    let entries = ledger::read_delivery(table, number, record.delivery).map_err(CommitError::from)?;
    if !Settled::of_entries(&entries).is_whole(record.delivery) {
        return Ok(None);
    }
    // It may have been taken back before its order came, after a lost log: what it replaced stays replaced, whoever was first.
    let acts = stopped.fate(record.delivery).is_none();
    Ok(Some(Stop {
        account: record.identity.account.path(),
        deliveries: landing.replaced_by(number, record)?,
        fate: Fate::Superseded,
        successor: acts.then_some((number, record.delivery)),
        by: number,
    }))
}

/// Drafts what an order asks for on the newest version of the table; `None` if there is nothing to do. What one commit cannot carry out
/// with the rest is left for another draft: the order is done when a plan is by its arrival.
pub fn draft(
    order: &ClaimCheck,
    committer: &mut Committer,
    landing: &Landing,
    deliveries: &mut Deliveries,
    reference: &Reference,
) -> Result<Option<Draft>, PipelineError> {
    committer.refresh()?;
    if let ArrivalKind::Decision(Decision::Recycle(word)) = landing.arrival(order.arrival)?.kind {
        if word.order() != order.delivery {
            return Err(foreign(order));
        }
        let (account, table) = (word.account.path(), committer.table());
        let due = recycling::due(&account, order.arrival, landing, table)?;
        if due.is_empty() {
            return Ok(None);
        }
        return Ok(Some(recycling::draft(&account, &due, table, deliveries, reference)?));
    }
    let stopped = committer.stopped().clone();
    let Some(stop) = ordered(order, landing, committer.table(), &stopped)? else { return Ok(None) };
    let plan = committer.plan_stop(&stop)?;
    Ok(Some(complete(plan, committer.table(), landing, deliveries, reference)?))
}

/// Completes a plan: finds the entries that it takes back, and rates anew what it asks for.
pub fn complete(
    plan: Plan,
    table: &Table,
    landing: &Landing,
    deliveries: &mut Deliveries,
    reference: &Reference,
) -> Result<Draft, PipelineError> {
    let mut files = Files::new();
    for delivery in plan.deliveries() {
        files.insert(delivery, deliveries.file(arrival_of(landing, delivery)?)?);
    }
    let live = LiveEntries::of_plan(table, &plan, &files)?;
    let mut rated: Vec<RatedBatch> = Vec::new();
    for (delivery, rows) in plan.anew() {
        rated.extend(rate_again(landing, deliveries, arrival_of(landing, delivery)?, &rows, reference)?);
    }
    Ok(Draft { plan, files, live, rated, reference_version: reference.version })
}

fn arrival_of(landing: &Landing, delivery: DeliveryId) -> Result<ArrivalNumber, PipelineError> {
    landing.announced(delivery)?.ok_or_else(|| PipelineError::NotLanded(Box::new(delivery)))
}
