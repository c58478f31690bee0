//! The checks of rows that are rated again: the rows that come out otherwise are corrected, and no others.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use domain::delivery::{ArrivalNumber, DeliveryId};
use ingest::land::{ArrivalKind, Decision, Landing, Numbered, Recycling, RowChoice, SuspenseChoice};
use pipeline::worker::JOB;
use sinks::correction::recycle::app_id;

use super::Audit;
use super::drawing::is_text;
use crate::hold;
use crate::simulator::Breach;
use crate::simulator::entry::{DataRow, Entry};
use crate::simulator::layout::{EDITED, End, Fate, Reading};
use crate::simulator::model::Spot;
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
        let version = entry.info.reference_version;
        let draws: BTreeSet<(DeliveryId, u64)> =
            self.live.iter().filter(|(at, row)| self.draws(**at, row, due, version)).map(|(at, _)| *at).collect();
        // An edit is carried out alone, and is a change also where the row waits on for its reason.
        let is_edit = due.iter().any(|(_, word)| matches!(word.choice, RowChoice::Edit(_)));
        hold!(!is_edit || due.len() == 1, "an edit is carried out with others: {due:?}");
        let changes = |(at, row): (&(DeliveryId, u64), &DataRow)| {
            let becomes = self.becomes(*at, row, due, version)?;
            let has_number = !is_edit || row.b_number.as_deref() == Some(EDITED);
            (!is_end(row, becomes) || !has_number).then_some((*at, becomes))
        };
        let others = self.live.iter().filter(|(at, _)| !draws.contains(at));
        let right: BTreeMap<(DeliveryId, u64), End> = others.filter_map(changes).collect();
        // What a text draws hangs on all others, also on those that came while this was prepared: each is free or has its price.
        let (texts, others): (Vec<&DataRow>, Vec<&DataRow>) =
            entry.rows.iter().partition(|row| draws.contains(&(row.delivery, row.row)));
        let wrong = texts.iter().find(|row| row.kind != "reversal" && !is_text(row));
        hold!(wrong.is_none(), "INV-12: {due:?} enters {wrong:?}");
        if !texts.is_empty() {
            self.tally.note(Mishap::Settled);
        }
        let rows = |is_back: bool| others.iter().filter(move |r| (r.kind == "reversal") == is_back);
        let places = |is_back: bool| rows(is_back).map(|r| (r.delivery, r.row)).collect::<BTreeSet<_>>();
        let (taken_back, anew, wanted) = (places(true), places(false), right.keys().copied().collect::<BTreeSet<_>>());
        hold!(
            taken_back == wanted && anew == wanted,
            "INV-12: {due:?} takes back {taken_back:?} and enters {anew:?}, {right:?} come out otherwise"
        );
        let wrong = rows(false).find(|row| !is_end(row, right[&(row.delivery, row.row)]));
        hold!(wrong.is_none(), "INV-12: {due:?} enters {wrong:?}, {right:?} come out otherwise");
        let number = |row: &DataRow| self.live.get(&(row.delivery, row.row)).and_then(|stood| stood.b_number.clone());
        let is_right = |row: &&&DataRow| row.b_number == if is_edit { Some(EDITED.to_owned()) } else { number(row) };
        let wrong = entry.rows.iter().filter(|row| row.kind != "reversal").collect::<Vec<_>>();
        let wrong = wrong.iter().find(|row| !is_right(row));
        hold!(wrong.is_none(), "INV-12: {due:?} enters {wrong:?} with another number");
        if is_edit {
            self.tally.note_many(Mishap::Edited, right.len() as u64);
        }
        if right.is_empty() && texts.is_empty() {
            self.tally.note(Mishap::RecycledInVain);
        }
        // The log's position moves with the last of them.
        if !entry.moves.iter().any(|(app, _)| app.starts_with(JOB)) {
            self.tally.note(Mishap::OrderInParts);
        }
        if due.len() > 1 {
            self.tally.note(Mishap::RecycledTogether);
        }
        Ok(())
    }
}

impl Audit<'_> {
    /// A row as the model reads it, if it has the number that its source gave, or else as somebody has edited it.
    pub(super) fn reading(&self, spot: Spot, row: &DataRow) -> Cow<'_, Reading> {
        let reading = self.model.reading(spot);
        if row.b_number.as_deref() == Some(EDITED) { Cow::Owned(reading.zoned()) } else { Cow::Borrowed(reading) }
    }

    /// Whether decisions mean a row with a price that draws from what its line has free.
    fn draws(&self, at: (DeliveryId, u64), row: &DataRow, due: &[(ArrivalNumber, Recycling)], version: u64) -> bool {
        let Some(delivered) = self.deliveries.get(&at.0).filter(|_| row.reason.is_none()) else { return false };
        let reading = &*self.reading((delivered.file, at.1), row);
        let is_meant = |(decided, word): &(ArrivalNumber, Recycling)| {
            delivered.arrival < *decided && word.account.path() == row.account && means_text(&word.choice, reading)
        };
        reading.draws(version) && due.iter().any(is_meant)
    }

    /// What decisions make of a row, one after the other; none if none of them means it.
    fn becomes(&self, at: (DeliveryId, u64), row: &DataRow, due: &[(ArrivalNumber, Recycling)], version: u64) -> Option<End> {
        let delivered = self.deliveries.get(&at.0)?;
        let sender = &self.world.senders[self.world.files[delivered.file].sender];
        let reading = &*self.reading((delivered.file, at.1), row);
        let chosen = |choice: &SuspenseChoice| {
            choice.delivery.is_none_or(|chosen| chosen == at.0)
                && choice.identifier.is_none_or(|number| is_of(sender, reading, number))
        };
        let can_change = |reason: &str| matches!(reason, "no_device" | "no_zone");
        let mut end: Option<End> = None;
        let mut had = self.written_off.get(&at).cloned();
        let ours = due.iter().filter(|(decided, word)| delivered.arrival < *decided && word.account == sender.account);
        for (_, word) in ours {
            let stands = match &end {
                None => row.reason.clone(),
                Some(End::Suspense(reason)) => Some((*reason).to_owned()),
                Some(_) => break,
            };
            match (&word.choice, stands.as_deref()) {
                (RowChoice::Priced(choice), None) if choice.plan.as_deref().is_none_or(|plan| is_under(reading, plan)) => {
                    return Some(reading.end(version));
                }
                // What stands as free is meant also where it cannot be any more.
                (RowChoice::Drawing(_), None) if row.drawn.is_some() => return Some(reading.end(version)),
                (RowChoice::WriteOff(word), Some(stood))
                    if stood != "written_off"
                        && chosen(&word.choice)
                        && (word.choice.reasons.is_empty() || word.choice.reasons.contains(stood)) =>
                {
                    (end, had) = (Some(End::Suspense("written_off")), Some(stood.to_owned()));
                }
                (RowChoice::Edit(word), Some(stood))
                    if can_change(stood)
                        && chosen(&word.choice)
                        && (word.choice.reasons.is_empty() || word.choice.reasons.contains(stood)) =>
                {
                    end = Some(reading.zoned().end(version));
                }
                (RowChoice::Suspense(choice), Some(stood)) if chosen(choice) => {
                    let is_named = choice.reasons.contains(stood);
                    let is_back = stood == "written_off" && is_named && had.as_deref().is_some_and(can_change);
                    if is_back || can_change(stood) && (choice.reasons.is_empty() || is_named) {
                        end = Some(reading.end(version));
                    }
                }
                _ => {}
            }
        }
        end
    }
}

/// Whether a row says that this became of it.
fn is_end(row: &DataRow, end: End) -> bool {
    match end {
        End::Suspense(reason) => row.reason.as_deref() == Some(reason),
        End::Rated(charge) => row.reason.is_none() && row.charge_nano == Some(i128::from(charge)),
        End::Skipped => false,
    }
}

/// Whether the line that used something is under a plan, as long as it is somebody's.
fn is_under(reading: &Reading, plan: &str) -> bool {
    match reading.fate {
        Fate::Priced(usage) => plan == ["even", "odd"][usize::from(usage.line % 2 == 1)],
        Fate::Fixed(_) => false,
    }
}

/// Whether a decision means a text with a price.
fn means_text(choice: &RowChoice, reading: &Reading) -> bool {
    match choice {
        RowChoice::Drawing(_) => true,
        RowChoice::Priced(choice) => choice.plan.as_deref().is_none_or(|plan| is_under(reading, plan)),
        RowChoice::Suspense(_) | RowChoice::WriteOff(_) | RowChoice::Edit(_) => false,
    }
}

fn is_of(sender: &Sender, reading: &Reading, number: Numbered) -> bool {
    match reading.fate {
        Fate::Priced(usage) => number == Numbered::Msisdn(sender.layout.msisdn(usage.line)),
        Fate::Fixed(_) => false,
    }
}
