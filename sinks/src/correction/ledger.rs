//! What a correction says in the ledger: of each delivery, how many rows end otherwise than before.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::columns::rated::RatedBatch;
use domain::delivery::DeliveryId;
use domain::invariant::Violation;
use domain::outcome::Counts;

use super::{Anew, Draft, Place, Sums};
use crate::commit::CommitError;
use crate::keys::stopped::{Fate, Stopped};
use crate::ledger::{Correction, LedgerRow, read_delivery, sum};
use crate::table::Table;

/// What the ledger says of a delivery whose rows in suspense were written off.
const WRITTEN_OFF: &str = "written_off";

/// Counts that are added and taken back, per delivery.
#[derive(Debug, Default)]
pub(crate) struct Moves(BTreeMap<DeliveryId, Move>);

#[derive(Debug, Default)]
struct Move {
    added: Counts,
    taken_back: Counts,
}

impl Moves {
    /// The moves of a draft whose reversed entries come to `reversed`, and its new ones to `anew`.
    pub fn of(draft: &Draft, table: &Table, stopped: &Stopped, reversed: &Sums, anew: &Sums) -> Result<Self, CommitError> {
        let mut moves = Self::default();
        for (delivery, counts) in &reversed.counts {
            moves.0.entry(*delivery).or_default().taken_back.add(counts);
        }
        for (delivery, counts) in &anew.counts {
            moves.0.entry(*delivery).or_default().added.add(counts);
        }
        for (place, change) in &draft.plan.changes {
            let of = moves.0.entry(place.delivery).or_default();
            match (change.takes_back, change.anew.is_some() || change.stays_as.is_some()) {
                (true, false) => of.skip(Self::rule(draft, stopped, *place)?, 1),
                // It was a copy of another file's row, and is the record now.
                (false, true) => of.taken_back.resent += 1,
                // A row that stays with another reason is among the new entries, too.
                (true, true) | (false, false) => {}
            }
        }
        for (delivery, arrival) in &draft.plan.stopping {
            let stands = sum(&read_delivery(table, *arrival, *delivery)?);
            let of = moves.0.entry(*delivery).or_default();
            of.taken_back.duplicates += stands.duplicates;
            of.taken_back.resent += stands.resent;
            of.skip(draft.plan.fate.as_str(), stands.duplicates + stands.resent);
        }
        for delivery in draft.plan.deliveries() {
            moves.0.entry(delivery).or_default();
        }
        moves.check(draft, table)?;
        Ok(moves)
    }

    /// The rule under which a row ends that loses its entry: its delivery has stopped, now or before.
    fn rule(draft: &Draft, stopped: &Stopped, place: Place) -> Result<&'static str, Violation> {
        let now = draft.plan.stopping.contains_key(&place.delivery).then_some(draft.plan.fate);
        let fate = now.or_else(|| stopped.fate(place.delivery));
        domain::check!(RowsBalance, fate.is_some(), "row {} of {} loses its entry and acts", place.row, place.delivery);
        Ok(fate.map_or("", Fate::as_str))
    }

    /// INV-2, INV-3: each row has one outcome afterwards as before, and a withdrawn delivery keeps neither entries nor charges.
    fn check(&self, draft: &Draft, table: &Table) -> Result<(), CommitError> {
        for (delivery, of) in &self.0 {
            let Some(file) = draft.files.get(delivery) else { continue };
            let mut after = sum(&read_delivery(table, file.arrival, *delivery)?);
            after.add(&of.added);
            after.take_back(&of.taken_back);
            domain::check!(
                RowsBalance,
                after.is_balanced(),
                "delivery {delivery}: plus {:?} minus {:?} makes {after:?}",
                of.added,
                of.taken_back
            );
            let is_withdrawn = draft.plan.fate == Fate::Withdrawn && draft.plan.stopping.contains_key(delivery);
            domain::check!(
                ChargeBalance,
                !is_withdrawn || after.rated + after.suspended() == 0 && after.charge.values().all(|money| money.0 == 0),
                "delivery {delivery} is withdrawn and keeps {after:?}"
            );
        }
        Ok(())
    }

    /// The ledger rows, with the number of claims that each delivery has in the sidecar.
    pub fn rows(self, draft: &Draft) -> Vec<LedgerRow> {
        let plan = &draft.plan;
        let (mut claims, mut records) = (BTreeMap::<DeliveryId, u64>::new(), BTreeMap::<DeliveryId, u64>::new());
        for place in plan.changes.keys() {
            *records.entry(place.delivery).or_default() += 1;
        }
        for claim in plan.claims.values().flatten() {
            *claims.entry(claim.delivery).or_default() += 1;
        }
        let row = |(delivery, of): (DeliveryId, Move)| {
            let is_written_off = of.added.suspended() > 0 && of.added.waiting() == 0;
            let cause = match plan.cause {
                _ if plan.stopping.contains_key(&delivery) => plan.fate.as_str(),
                super::recycle::CAUSE if is_written_off && of.added.rated == 0 => WRITTEN_OFF,
                super::recycle::CAUSE if of.taken_back.rated > 0 => super::rerate::CAUSE,
                cause => cause,
            };
            let claims = claims.get(&delivery).copied().unwrap_or(0);
            let records = records.get(&delivery).copied().unwrap_or(0);
            let (before, after) = (of.taken_back.charge.clone(), of.added.charge.clone());
            let (taken_back, cause) = (of.taken_back, cause.to_owned());
            let correction = Correction { taken_back, cause, by: plan.by, claims, records, before, after };
            let file = Arc::clone(draft.files.get(&delivery)?);
            Some(LedgerRow { file, first_row: 0, counts: of.added, verdict: None, correction: Some(correction) })
        };
        self.0.into_iter().filter_map(row).collect()
    }
}

impl Move {
    fn skip(&mut self, rule: &str, rows: u64) {
        if rows > 0 {
            *self.added.skipped.entry(rule.to_owned()).or_default() += rows;
        }
    }
}

impl Sums {
    /// Adds the chosen rows of a batch.
    pub(crate) fn add_rated(&mut self, batch: &RatedBatch, chosen: &BTreeMap<u64, Anew>) {
        let parsed = &batch.linked.parsed;
        let counts = self.counts.entry(parsed.file.delivery).or_default();
        for (i, row) in parsed.columns.row.iter().enumerate() {
            let Some(anew) = chosen.get(row) else { continue };
            crate::commit::count_readable(counts, batch, i, anew.is_conflict);
            if let Some(owner) = batch.linked.owners.windows.get(batch.linked.owner[i] as usize) {
                let customer = batch.linked.owners.customer_names.name(owner.customer);
                if !self.customers.contains(customer) {
                    self.customers.insert(customer.to_owned());
                }
            }
        }
        for row in parsed.malformed.iter().filter(|row| chosen.contains_key(&row.row)) {
            *counts.suspense.entry(row.reason).or_default() += 1;
        }
    }
}

impl Draft {
    /// What the new entries come to.
    pub fn anew(&self) -> Sums {
        let anew = self.plan.anew();
        let mut sums = Sums::default();
        for batch in &self.rated {
            if let Some(chosen) = anew.get(&batch.linked.parsed.file.delivery) {
                sums.add_rated(batch, chosen);
            }
        }
        sums
    }
}
