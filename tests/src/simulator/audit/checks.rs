//! The checks of one entry: positions, ranges, counts, rows and claims.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::delivery::DeliveryId;
use ingest::message::ClaimCheck;
use sinks::commit::lost;
use sinks::ledger::LedgerEntry;
use sinks::table::TAG_VERSION;

use super::{Audit, place_of};
use crate::hold;
use crate::simulator::Breach;
use crate::simulator::entry::{DataRow, Entry};
use crate::simulator::layout::End;
use crate::simulator::model::Expected;
use crate::simulator::price_list::VERSIONS;
use crate::simulator::rival::RIVAL_JOB;
use crate::simulator::tally::Mishap;

impl Audit<'_> {
    pub(super) fn check(&mut self, entry: &Entry) -> Result<(), Breach> {
        if self.next_version == 0 {
            hold!(entry.adds.is_empty() && entry.moves.is_empty(), "the table begins with rows");
            return Ok(());
        }
        let info = &entry.info;
        hold!(self.commit_ids.insert(info.commit_id.clone()), "INV-5: attempt {} was committed twice", info.commit_id);
        if let [(app, to)] = &entry.moves[..]
            && app.starts_with(RIVAL_JOB)
        {
            hold!(entry.adds.is_empty(), "a rival adds nothing");
            self.positions.insert(app.clone(), *to);
            return Ok(());
        }
        if info.operation == lost::OPERATION {
            return self.check_skip(entry);
        }
        hold!(entry.adds.iter().all(|add| self.files.insert(add.path.clone())), "INV-5: a file was added twice");
        let version = self.next_version.to_string();
        hold!(entry.adds.iter().all(|add| add.tag(TAG_VERSION) == Some(&version)), "a file does not carry version {version}");
        let version = info.reference_version;
        let is_known = VERSIONS.contains(&version) && version <= self.in_force;
        hold!(entry.adds.is_empty() || is_known, "reference {version}, {} is in force", self.in_force);
        self.commits += 1;
        let due = self.due_recyclings(entry);
        let wanted = self.move_positions(entry)?;
        self.check_ranges(entry, wanted)?;
        self.check_recycled(entry, &due)?;
        if entry.ledger.iter().any(|l| l.correction.is_some()) {
            return self.check_correction(entry);
        }
        let accounts: BTreeSet<&String> = entry.ledger.iter().map(|l| &l.account).collect();
        hold!(accounts == info.accounts.iter().collect(), "commitInfo names {:?}, the ledger {accounts:?}", info.accounts);
        let mut rows: HashMap<(DeliveryId, u64), &DataRow> = HashMap::new();
        for row in &entry.rows {
            hold!(rows.insert((row.delivery, row.row), row).is_none(), "INV-5: row {} of {} twice", row.row, row.delivery);
        }
        let mut claims = 0;
        for range in &entry.ledger {
            let expected = self.check_range(range, info.reference_version)?;
            for (number, end) in &expected.rows {
                let row = rows.remove(&(range.delivery, *number));
                let row = row.ok_or_else(|| Breach(format!("INV-8: row {number} of {} is not there", range.delivery)))?;
                hold!(row.account == range.account, "row {number} of {} is in account {}", range.delivery, row.account);
                check_end(row, end)?;
            }
            claims += self.check_claims(entry, range, &expected)?;
        }
        hold!(rows.is_empty(), "INV-8: rows without a range in the ledger: {:?}", rows.keys());
        hold!(claims == entry.claims.len(), "INV-9: the sidecar has {} claims, {claims} are right", entry.claims.len());
        for row in &entry.rows {
            hold!(row.kind == "charge", "row {} of {} is a {}", row.row, row.delivery, row.kind);
            hold!(self.live.insert((row.delivery, row.row), row.clone()).is_none(), "INV-5: row {} is there twice", row.row);
            self.rated_with.insert((row.delivery, row.row), info.reference_version);
        }
        for range in &entry.ledger {
            range.add_to(self.ledger.entry(range.delivery).or_default());
        }
        Ok(())
    }

    /// INV-4: positions move over what was removed, no further, and the entry says from where to where.
    fn check_skip(&mut self, entry: &Entry) -> Result<(), Breach> {
        hold!(entry.adds.is_empty() && !entry.moves.is_empty(), "a commit that skips brings {} files", entry.adds.len());
        for (app, to) in &entry.moves {
            let from = self.positions.insert(app.clone(), *to).unwrap_or(0);
            let removed = place_of(app).and_then(|place| self.removed.get(&place)).copied().unwrap_or(0);
            hold!(from < *to && *to <= removed, "INV-4: position {app} skips from {from} to {to}, {removed} were removed");
            let said = entry.info.operation_parameters.get(app);
            hold!(said == Some(&format!("{from}-{to}")), "the entry says that {app} skips {said:?}, it skips {from}-{to}");
        }
        self.commits += 1;
        self.tally.note(Mishap::LostSkipped);
        Ok(())
    }

    /// INV-4: positions move forward, and by what the log holds there; gives the claim checks that they pass.
    fn move_positions(&mut self, entry: &Entry) -> Result<Vec<ClaimCheck>, Breach> {
        hold!(!entry.moves.is_empty(), "INV-4: {} files were added and no position moved", entry.adds.len());
        let mut passed = Vec::new();
        for (app, to) in &entry.moves {
            let from = self.positions.insert(app.clone(), *to).unwrap_or(0);
            hold!(from < *to, "INV-4: position {app} went from {from} to {to}");
            if app.starts_with("correct/") || app.starts_with("recycle/") {
                continue;
            }
            let copies = place_of(app).and_then(|place| self.mirror.get(&place));
            let copies = copies.ok_or_else(|| Breach(format!("INV-4: position {app} is of no partition")))?;
            let range = usize::try_from(from).unwrap_or(0)..usize::try_from(*to).unwrap_or(usize::MAX);
            let claims = copies.get(range).ok_or_else(|| Breach(format!("INV-4: position {app} is beyond the log: {to}")))?;
            passed.extend_from_slice(claims);
        }
        Ok(passed)
    }

    /// INV-4, INV-7: the ledger's ranges are the claim checks that were passed, but those that are in already.
    fn check_ranges(&mut self, entry: &Entry, passed: Vec<ClaimCheck>) -> Result<(), Breach> {
        let mut wanted: BTreeMap<(DeliveryId, u64), ClaimCheck> = BTreeMap::new();
        let count = passed.iter().filter(|claim| !claim.corrects).count();
        for claim in passed.into_iter().filter(|claim| !claim.corrects) {
            let known = self.deliveries.get(&claim.delivery);
            let known = known.ok_or_else(|| Breach(format!("a claim check of an unknown delivery {}", claim.delivery)))?;
            if !known.ranges.contains_key(&claim.first_row) {
                wanted.insert((claim.delivery, claim.first_row), claim);
            }
        }
        self.tally.note_many(Mishap::RangesDropped, (count - wanted.len()) as u64);
        if wanted.is_empty() && entry.ledger.is_empty() {
            self.tally.note(Mishap::PositionsOnly);
        }
        let mut found = BTreeSet::new();
        for range in entry.ledger.iter().filter(|line| line.correction.is_none()) {
            let at = (range.delivery, range.first_row);
            hold!(found.insert(at), "INV-7: range {at:?} twice");
            let claim = wanted.get(&at);
            let claim = claim.ok_or_else(|| Breach(format!("INV-4: range {at:?} is none of those that positions passed")))?;
            let verdict = claim.verdict.as_ref().map(|v| (v.state.as_str().to_owned(), v.rows));
            hold!(
                claim.rows == range.counts.rows_in && verdict == range.verdict.as_ref().map(|v| (v.state.clone(), v.rows)),
                "range {at:?} is not the claim check {claim:?}"
            );
        }
        hold!(found.len() == wanted.len(), "INV-4: positions passed {:?}, the ledger has {found:?}", wanted.keys());
        Ok(())
    }

    /// INV-2, INV-3, INV-7: the range is one of the file's, and its counts are those of the model.
    fn check_range(&mut self, range: &LedgerEntry, version: u64) -> Result<Expected, Breach> {
        let known = self.deliveries.get_mut(&range.delivery).ok_or_else(|| Breach("an unknown delivery".to_owned()))?;
        let file = &self.world.files[known.file];
        let (rows, cut) = (file.readings.len() as u64, self.world.senders[file.sender].cut_rows);
        let wanted = cut.min(rows.saturating_sub(range.first_row));
        let name = format!("{} from row {}", file.name, range.first_row);
        hold!(version >= known.in_force, "{name} is rated with {version}, it came when {} was in force", known.in_force);
        hold!(range.arrival == known.arrival, "{name} has arrival {}", range.arrival);
        hold!(
            range.counts.rows_in == wanted && range.first_row.is_multiple_of(cut),
            "INV-7: {name} has {} rows",
            range.counts.rows_in
        );
        known.ranges.insert(range.first_row, wanted);
        let is_last = range.first_row + wanted == rows;
        hold!(range.verdict.is_some() == is_last, "INV-7: {name}: verdict {:?}", range.verdict);
        if let Some(verdict) = &range.verdict {
            hold!(verdict.state == file.state, "{name} is {}, it should be {}", verdict.state, file.state);
            known.verdict = Some((verdict.state.clone(), verdict.rows));
        }
        let expected = self.model.take(known.file, range.first_row, wanted, version);
        let counts = &range.counts;
        let (rated, sum) = expected.rated();
        let suspense: BTreeMap<&str, u64> = counts.suspense.iter().map(|(reason, n)| (reason.as_str(), *n)).collect();
        let charge: i128 = counts.charge.values().map(|money| money.0).sum();
        hold!(
            (counts.rated, &suspense, counts.skipped_rows()) == (rated, &expected.suspense(), expected.skipped)
                && counts.duplicates >= expected.duplicates
                && counts.resent >= expected.resent
                && counts.duplicates + counts.resent == expected.duplicates + expected.resent + expected.either,
            "INV-2: {name} is {counts:?}, it should be {expected:?}"
        );
        hold!(charge == sum, "INV-3: {name} is charged {charge}, its rows {sum}");
        Ok(expected)
    }

    /// INV-9: one claim per row that was not skipped, live where the row is kept.
    fn check_claims(&self, entry: &Entry, range: &LedgerEntry, expected: &Expected) -> Result<usize, Breach> {
        let file = &self.world.files[self.deliveries[&range.delivery].file];
        let mut right = 0;
        if self.model.has_stopped(self.deliveries[&range.delivery].file) {
            return Ok(0);
        }
        for number in range.first_row..range.first_row + range.counts.rows_in {
            let reading = &file.readings[usize::try_from(number).unwrap_or(usize::MAX)];
            let claim = (range.delivery, number, expected.rows.contains_key(&number));
            if !reading.is_skipped() {
                hold!(entry.claims.contains(&claim), "INV-9: row {number} of {} has no claim", file.name);
                right += 1;
            }
        }
        Ok(right)
    }
}

/// A row ended as the model says, reason and money.
fn check_end(row: &DataRow, end: &End) -> Result<(), Breach> {
    let (reason, charge) = match end {
        End::Rated(nano) => (None, Some(i128::from(*nano))),
        End::Suspense(reason) => (Some(*reason), None),
        End::Skipped => (Some("skipped"), None),
    };
    hold!(
        row.reason.as_deref() == reason && row.charge_nano == charge,
        "row {} of {} should be {end:?}, it is {:?} {:?}",
        row.row,
        row.delivery,
        row.reason,
        row.charge_nano
    );
    Ok(())
}
