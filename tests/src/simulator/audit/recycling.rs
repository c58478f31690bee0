//! The checks of rows that are rated again: the rows that come out otherwise are corrected, and no others.

use std::collections::BTreeSet;

use domain::delivery::{ArrivalNumber, DeliveryId};
use ingest::land::{ArrivalKind, Decision, Landing, Numbered, Recycling, RowChoice};
use sinks::correction::recycle::app_id;

use super::Audit;
use crate::hold;
use crate::simulator::Breach;
use crate::simulator::entry::{DataRow, Entry};
use crate::simulator::layout::{End, Fate, Reading};
use crate::simulator::tally::Mishap;
use crate::simulator::world::Sender;

impl Audit<'_> {
    /// Reference data was imported.
    pub fn import(&mut self, version: u64) {
        self.in_force = version;
    }

    /// Takes in the decisions that have landed.
    pub fn decide(&mut self, landing: &Landing) -> Result<(), Breach> {
        let from = self.recyclings.last_key_value().map_or(0, |(number, _)| number + 1);
        for arrival in landing.arrivals(from).map_err(|e| Breach(e.to_string()))? {
            if let ArrivalKind::Decision(Decision::Recycle(word)) = arrival.kind {
                self.recyclings.insert(arrival.number, word);
            }
        }
        Ok(())
    }

    /// Whether every order is carried out: files that should act no more do not, and what was to be rated again was.
    pub fn is_carried_out(&self) -> bool {
        let is_done = |(number, word): (&ArrivalNumber, &Recycling)| {
            self.positions.get(&app_id(&word.account.path())).is_some_and(|next| next > number)
        };
        self.world.stopped().iter().all(|f| self.model.has_stopped(*f)) && self.recyclings.iter().all(is_done)
    }

    /// The decisions that an entry says are carried out, by where its positions move.
    pub(super) fn due_recyclings(&self, entry: &Entry) -> Vec<(ArrivalNumber, Recycling)> {
        let mut due = Vec::new();
        for (app, to) in entry.moves.iter().filter(|(app, _)| app.starts_with("recycle/")) {
            let from = self.positions.get(app).copied().unwrap_or(0);
            let ours = self.recyclings.range(from..*to).filter(|(_, word)| app_id(&word.account.path()) == *app);
            due.extend(ours.map(|(number, word)| (*number, word.clone())));
        }
        due
    }

    /// INV-12: of the rows that the decisions mean, those whose end is another one under the version that was used are taken back
    /// and entered anew.
    pub(super) fn check_recycled(&mut self, entry: &Entry, due: &[(ArrivalNumber, Recycling)]) -> Result<(), Breach> {
        hold!(!entry.is_recycling() || !due.is_empty(), "rows are rated again and nobody has asked for it");
        if due.is_empty() {
            return Ok(());
        }
        let changes = |((delivery, number), row): (&(DeliveryId, u64), &DataRow)| {
            let delivered = self.deliveries.get(delivery)?;
            let sender = &self.world.senders[self.world.files[delivered.file].sender];
            let reading = self.model.reading((delivered.file, *number));
            let is_meant = |(decided, word): &(ArrivalNumber, Recycling)| {
                let fits = match (&word.choice, row.reason.as_deref()) {
                    (RowChoice::Suspense(choice), Some(stood @ ("no_device" | "no_zone"))) => {
                        choice.delivery.is_none_or(|chosen| chosen == *delivery)
                            && (choice.reasons.is_empty() || choice.reasons.contains(stood))
                            && choice.identifier.is_none_or(|number| is_of(sender, reading, number))
                    }
                    (RowChoice::Priced(choice), None) => choice.plan.as_deref().is_none_or(|plan| is_under(reading, plan)),
                    _ => false,
                };
                fits && delivered.arrival < *decided && word.account == sender.account
            };
            let is_same = match reading.end(entry.info.reference_version) {
                End::Suspense(reason) => row.reason.as_deref() == Some(reason),
                End::Rated(charge) => row.charge_nano == Some(i128::from(charge)),
                End::Skipped => false,
            };
            (due.iter().any(is_meant) && !is_same).then_some((*delivery, *number))
        };
        let right: BTreeSet<(DeliveryId, u64)> = self.live.iter().filter_map(changes).collect();
        let rows =
            |is_back: bool| entry.rows.iter().filter(move |r| (r.kind == "reversal") == is_back).map(|r| (r.delivery, r.row));
        let (taken_back, anew): (BTreeSet<_>, BTreeSet<_>) = (rows(true).collect(), rows(false).collect());
        hold!(
            taken_back == right && anew == right,
            "INV-12: {due:?} takes back {taken_back:?} and enters {anew:?}, {right:?} come out otherwise"
        );
        if right.is_empty() {
            self.tally.note(Mishap::RecycledInVain);
        }
        if due.len() > 1 {
            self.tally.note(Mishap::RecycledTogether);
        }
        Ok(())
    }
}

/// Whether the line that used something is under a plan, as long as it is somebody's.
fn is_under(reading: &Reading, plan: &str) -> bool {
    match reading.fate {
        Fate::Priced(usage) => plan == ["even", "odd"][usize::from(usage.line % 2 == 1)],
        Fate::Fixed(_) => false,
    }
}

fn is_of(sender: &Sender, reading: &Reading, number: Numbered) -> bool {
    match reading.fate {
        Fate::Priced(usage) => number == Numbered::Msisdn(sender.layout.msisdn(usage.line)),
        Fate::Fixed(_) => false,
    }
}
