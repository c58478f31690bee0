//! The checks of a correction: pairs, the records that live afterwards, and what the ledger says of each file.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::delivery::DeliveryId;
use sinks::keys::stopped::{Fate, TAG_STOPPED};

use super::Audit;
use super::drawing::is_text;
use crate::hold;
use crate::simulator::Breach;
use crate::simulator::entry::{DataRow, Entry};
use crate::simulator::layout::End;
use crate::simulator::model::{Same, Spot};
use crate::simulator::tally::Mishap;

impl Audit<'_> {
    /// A commit that takes entries back: everything that it says, and then the whole account.
    pub(super) fn check_correction(&mut self, entry: &Entry) -> Result<(), Breach> {
        hold!(entry.ledger.iter().all(|l| l.correction.is_some()), "a commit brings rows and corrects others");
        let accounts: BTreeSet<&String> = entry.ledger.iter().map(|l| &l.account).collect();
        hold!(accounts == entry.info.accounts.iter().collect(), "commitInfo names {:?}", entry.info.accounts);
        self.check_order(entry, &accounts)?;
        self.pair(entry)?;
        self.stop(entry)?;
        let mut claims: HashMap<DeliveryId, u64> = HashMap::new();
        for (delivery, _, _) in &entry.claims {
            *claims.entry(*delivery).or_default() += 1;
        }
        for line in &entry.ledger {
            hold!(line.is_balanced(), "INV-2: a correction of {} does not balance: {line:?}", line.delivery);
            line.add_to(self.ledger.entry(line.delivery).or_default());
            let said = line.correction.as_ref().map_or(0, |c| c.claims);
            hold!(claims.remove(&line.delivery).unwrap_or(0) == said, "INV-9: {} has not {said} claims", line.delivery);
        }
        hold!(claims.is_empty(), "INV-9: claims of deliveries that the ledger does not name");
        for sender in 0..self.world.senders.len() {
            if accounts.contains(&self.world.senders[sender].account.path()) {
                self.check_account(sender)?;
            }
        }
        Ok(())
    }

    /// INV-4: the order's position stands behind it afterwards, and it alone has moved. An order that comes after a later one
    /// leaves it where it is.
    fn check_order(&self, entry: &Entry, accounts: &BTreeSet<&String>) -> Result<(), Breach> {
        let orders: BTreeSet<u64> = entry.ledger.iter().filter_map(|l| l.correction.as_ref().map(|c| c.by)).collect();
        hold!(orders.len() == 1 && accounts.len() == 1, "INV-4: orders {orders:?} of {accounts:?} are one correction");
        let kind = if entry.is_recycling() { "recycle" } else { "correct" };
        let (app, behind) = (accounts.first().map(|a| format!("{kind}/{a}")), orders.first().map_or(0, |by| by + 1));
        let app = app.unwrap_or_default();
        let is_order = |app: &str| app.starts_with("correct/") || app.starts_with("recycle/");
        let moved: Vec<&(String, u64)> = entry.moves.iter().filter(|(app, _)| is_order(app)).collect();
        let stands = self.positions.get(&app).copied().unwrap_or(0);
        let is_right = match &moved[..] {
            [(moved, to)] => *moved == app && *to == behind,
            [] => stands >= behind,
            _ => false,
        };
        hold!(is_right, "INV-4: a correction moves {moved:?}, {app} should stand at {behind}, it stands at {stands}");
        Ok(())
    }

    /// INV-12: reversals take back what stands, new entries stand where none does, under the next number.
    fn pair(&mut self, entry: &Entry) -> Result<(), Breach> {
        // What was read is there before this entry.
        let was_read = |row: &DataRow| {
            let version = row.as_of.and_then(|version| u64::try_from(version).ok());
            version.is_some_and(|version| version < self.next_version)
        };
        if let Some(row) = entry.rows.iter().find(|row| !was_read(row)) {
            return Err(Breach(format!("INV-12: a correction read version {:?}: {row:?}", row.as_of)));
        }
        let (mut had_a_price, mut had) = (BTreeSet::new(), BTreeMap::new());
        for row in entry.rows.iter().filter(|r| r.kind == "reversal") {
            let at = (row.delivery, row.row);
            let stood = self.live.remove(&at).ok_or_else(|| Breach(format!("INV-12: {at:?} has nothing to take back")))?;
            let turned = DataRow {
                kind: row.kind.clone(),
                as_of: row.as_of,
                charge_nano: stood.charge_nano.map(|c| -c),
                drawn: stood.drawn.map(|units| -units),
                ..stood.clone()
            };
            hold!(turned == *row, "INV-12: {row:?} does not take back {stood:?}");
            self.written_off.remove(&at);
            match stood.reason {
                None => {
                    had_a_price.insert(at);
                }
                Some(reason) => {
                    had.insert(at, reason);
                }
            }
            self.numbers.insert(at, row.number);
        }
        for row in entry.rows.iter().filter(|r| r.kind != "reversal") {
            let at = (row.delivery, row.row);
            let number = self.numbers.get(&at).map_or(0, |n| n + 1);
            hold!(row.kind == "correction" && row.number == number, "INV-12: {row:?} should have number {number}");
            hold!(self.live.insert(at, row.clone()).is_none(), "INV-12: {at:?} has two entries");
            self.rated_with.insert(at, entry.info.reference_version);
            if row.reason.as_deref() == Some("written_off") {
                hold!(entry.is_recycling() && had.contains_key(&at), "nobody has written off {row:?}");
                self.written_off.insert(at, had[&at].clone());
                self.tally.note(Mishap::WrittenOff);
            } else if entry.is_recycling() {
                let mishap = match (had_a_price.contains(&at), &row.reason) {
                    (false, _) => Mishap::Recycled,
                    (true, None) => Mishap::Rerated,
                    (true, Some(_)) => Mishap::PriceLost,
                };
                self.tally.note(mishap);
            } else if number == 0 {
                self.tally.note(Mishap::Promoted);
            } else {
                self.tally.note(Mishap::Unconflicted);
            }
            let spot = self.spot(row)?;
            hold!(
                entry.is_recycling() || *self.reading(spot, row) == *self.model.reading(spot),
                "a row that comes anew from landing has what somebody has edited: {row:?}"
            );
            self.model.put_entry(spot);
        }
        Ok(())
    }

    fn spot(&self, row: &DataRow) -> Result<Spot, Breach> {
        let known = self.deliveries.get(&row.delivery);
        Ok((known.ok_or_else(|| Breach(format!("an unknown delivery {}", row.delivery)))?.file, row.row))
    }

    /// Files that act no more are those that should not.
    fn stop(&mut self, entry: &Entry) -> Result<(), Breach> {
        let should = self.world.stopped();
        for tag in entry.adds.iter().filter_map(|add| add.tag(TAG_STOPPED)) {
            for one in tag.split(',') {
                let delivery = one.rsplit(':').next().and_then(DeliveryId::parse);
                let known = delivery.and_then(|d| self.deliveries.get(&d));
                let file = known.ok_or_else(|| Breach(format!("an unknown delivery stops: {one}")))?.file;
                hold!(should.contains(&file), "{} stops and should not", self.world.files[file].name);
                hold!(!self.model.has_stopped(file), "{} stops twice", self.world.files[file].name);
                let is_withdrawn = one.contains(Fate::Withdrawn.as_str());
                self.tally.note(if is_withdrawn { Mishap::Withdrawn } else { Mishap::Superseded });
                self.model.stop(file);
            }
        }
        Ok(())
    }

    /// INV-6: of each record that an acting file claims one entry lives, and of no other; of those that share an id one has it.
    /// INV-2, INV-3: the ledger of each file says what lives of it.
    fn check_account(&mut self, sender: usize) -> Result<(), Breach> {
        let mut lives: HashMap<Same, u32> = HashMap::new();
        let mut holders: BTreeMap<String, u32> = BTreeMap::new();
        let mut sums: HashMap<DeliveryId, (u64, u64, i128)> = HashMap::new();
        for row in self.live.values() {
            let spot = self.spot(row)?;
            if self.world.files[spot.0].sender != sender {
                continue;
            }
            let same = self.model.same(spot);
            let written_off = self.written_off.get(&(row.delivery, row.row)).map(String::as_str);
            let is_conflict = row.reason.as_deref() == Some("id_conflict") || written_off == Some("id_conflict");
            *holders.entry(same.0.clone()).or_default() += u32::from(!is_conflict);
            *lives.entry(same).or_default() += 1;
            let version = self.rated_with.get(&(row.delivery, row.row)).copied().unwrap_or_default();
            let reading = self.reading(spot, row);
            let (right, draws) = (reading.end(version), reading.draws(version));
            let is_right = match right {
                _ if written_off.is_some() => row.reason.as_deref() == Some("written_off"),
                _ if is_conflict => true,
                _ if draws => is_text(row),
                End::Rated(charge) => row.reason.is_none() && row.charge_nano == Some(i128::from(charge)),
                End::Suspense(reason) => row.reason.as_deref() == Some(reason),
                End::Skipped => false,
            };
            hold!(is_right, "{row:?} should be {right:?} under {version}");
            let sum = sums.entry(row.delivery).or_default();
            match row.charge_nano {
                Some(charge) => (sum.0, sum.2) = (sum.0 + 1, sum.2 + charge),
                None => sum.1 += 1,
            }
        }
        hold!(lives.values().all(|n| *n == 1), "INV-6: a record lives twice");
        hold!(holders.values().all(|n| *n == 1), "INV-6: an id is held by none or by several of its records");
        let living = self.model.living(sender);
        let lost: Vec<_> = living.iter().filter(|same| !lives.contains_key(**same)).collect();
        hold!(
            lost.is_empty() && living.len() == lives.len(),
            "INV-6: lost {lost:?}, {} live, {} should",
            lives.len(),
            living.len()
        );
        for (delivery, delivered) in &self.deliveries {
            let (file, counts) = (&self.world.files[delivered.file], self.ledger.get(delivery).cloned().unwrap_or_default());
            let (rated, suspended, charge) = sums.get(delivery).copied().unwrap_or_default();
            if file.sender != sender {
                continue;
            }
            let said: i128 = counts.charge.values().map(|m| m.0).sum();
            hold!(counts.is_balanced(), "INV-2: {} has {counts:?}", file.name);
            hold!((counts.rated, counts.suspended()) == (rated, suspended), "INV-8: {} has {counts:?}, {rated} live", file.name);
            hold!(said == charge, "INV-3: {} is charged {said}, its rows {charge}", file.name);
            if self.model.has_stopped(delivered.file) {
                hold!(counts.duplicates + counts.resent == 0, "{} acts no more and has copies: {counts:?}", file.name);
            }
        }
        Ok(())
    }
}
