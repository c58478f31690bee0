//! Follows the table entry by entry and holds every one against the log and the model.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use domain::delivery::{ArrivalNumber, DeliveryId};
use domain::ports::{Blob, BlobError};
use ingest::land::Arrival;
use ingest::log::memory::MemoryReader;
use ingest::log::{LogEvent, LogReader, Topic, TopicPartition};
use ingest::message::ClaimCheck;
use pipeline::worker::JOB;
use sinks::delta::action::entry_name;
use sinks::ledger::LedgerEntry;
use sinks::table::{TAG_VERSION, Table};

use super::Breach;
use super::chance::Chance;
use super::entry::Entry;
use super::layout::End;
use super::model::{Expected, Model};
use super::price_list::REFERENCE_VERSION;
use super::rival::RIVAL_JOB;
use super::tally::{Mishap, Tally};
use super::theatre::{ENTRIES, Theatre};
use super::world::{Reception, World};
use crate::hold;

/// A record as it must come out of every run of a world: account, key, outcome, charge.
pub type Record = (String, Vec<u8>, String, Option<i128>);

/// The claim checks of one partition in one life of the topic, by offset.
type Mirror = BTreeMap<(String, u32), Vec<ClaimCheck>>;

/// What a delivery has in the ledger.
#[derive(Debug, Default)]
struct Delivered {
    file: usize,
    arrival: ArrivalNumber,
    /// First row → rows.
    ranges: BTreeMap<u64, u64>,
    verdict: Option<(String, u64)>,
}

/// Everything that the table has shown so far.
pub struct Audit<'w> {
    world: &'w World,
    model: Model<'w>,
    next_version: u64,
    commits: u64,
    positions: BTreeMap<String, u64>,
    deliveries: HashMap<DeliveryId, Delivered>,
    mirror: Mirror,
    reader: Option<MemoryReader>,
    life: String,
    files: BTreeSet<String>,
    commit_ids: HashSet<String>,
    records: Vec<Record>,
    tally: Tally,
    trace: DefaultHasher,
}

impl std::fmt::Debug for Audit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Audit({} entries, {} records)", self.next_version, self.records.len())
    }
}

impl<'w> Audit<'w> {
    /// Nothing was seen yet.
    pub fn new(world: &'w World) -> Self {
        Self {
            world,
            model: Model::new(world),
            next_version: 0,
            commits: 0,
            positions: BTreeMap::new(),
            deliveries: HashMap::new(),
            mirror: BTreeMap::new(),
            reader: None,
            life: String::new(),
            files: BTreeSet::new(),
            commit_ids: HashSet::new(),
            records: Vec::new(),
            tally: Tally::default(),
            trace: DefaultHasher::new(),
        }
    }

    /// A file has arrived and acts.
    pub fn expect(&mut self, file: usize, arrival: &Arrival) -> Result<(), Breach> {
        let ingest::land::ArrivalKind::Delivery(record) = &arrival.kind else {
            return Err(Breach(format!("arrival {} is no delivery", arrival.number)));
        };
        let delivered = Delivered { file, arrival: arrival.number, ..Delivered::default() };
        let known = self.deliveries.insert(record.delivery, delivered);
        hold!(known.is_none(), "INV-1: files {:?} and {file} are one delivery", known.map(|k| k.file));
        Ok(())
    }

    /// Reads claim checks and entries that came since.
    pub fn follow(&mut self, theatre: &Theatre) -> Result<(), Breach> {
        self.mirror(theatre)?;
        loop {
            let path = format!("{ENTRIES}/_delta_log/{}", entry_name(self.next_version));
            match theatre.store.get(&path) {
                Ok(text) => {
                    let entry = Entry::read(&theatre.store, self.next_version, &text)?;
                    self.trace.write(&text);
                    self.check(&entry).map_err(|b| Breach(format!("entry {}: {b}", self.next_version)))?;
                    self.next_version += 1;
                }
                Err(BlobError::NotFound(_)) => return Ok(()),
                Err(e) => return Err(Breach(e.to_string())),
            }
        }
    }

    /// Copies the claim checks of the topic's present life.
    pub fn mirror(&mut self, theatre: &Theatre) -> Result<(), Breach> {
        let failed = |e: ingest::log::LogError| Breach(e.to_string());
        let reader = self.reader.get_or_insert_with(|| theatre.log.reader("audit", Topic::Batches, 0, 1));
        loop {
            match reader.poll(0, 1000).map_err(failed)? {
                LogEvent::Idle => return Ok(()),
                LogEvent::Revoked(_) => {}
                LogEvent::Assigned(partitions) => {
                    self.life = reader.incarnation(Topic::Batches).map_err(failed)?.0;
                    for partition in partitions {
                        reader.start_at(partition, 0).map_err(failed)?;
                    }
                }
                LogEvent::Records(partition, records) => {
                    let copies = self.mirror.entry((self.life.clone(), partition.partition)).or_default();
                    for record in records {
                        hold!(record.offset == copies.len() as u64, "{partition} has a gap before {}", record.offset);
                        copies.push(serde_json::from_slice(&record.payload).map_err(|e| Breach(e.to_string()))?);
                    }
                }
            }
        }
    }

    /// The topic is deleted and made anew; what was in it is known here.
    pub fn lose_topic(&mut self, theatre: &Theatre) -> Result<(), Breach> {
        self.mirror(theatre)?;
        theatre.log.recreate(Topic::Batches);
        self.reader = None;
        self.mirror(theatre)
    }

    /// Removes entries that a checkpoint covers and that were read here; false if there were none.
    pub fn trim_entries(&self, theatre: &Theatre, checkpoint: u64) -> Result<bool, Breach> {
        hold!(checkpoint < self.next_version, "checkpoint {checkpoint} is ahead of the entries");
        let mut trimmed = false;
        for entry in theatre.store.list(&format!("{ENTRIES}/_delta_log/")).map_err(|e| Breach(e.to_string()))? {
            let name = entry.path.rsplit('/').next().unwrap_or_default();
            let version = name.strip_suffix(".json").and_then(|digits| digits.parse::<u64>().ok());
            if version.is_some_and(|v| v <= checkpoint) {
                theatre.store.delete(&entry.path).map_err(|e| Breach(e.to_string()))?;
                trimmed = true;
            }
        }
        Ok(trimmed)
    }

    /// Where the table stands in the topic's present life.
    pub fn positions(&self) -> Vec<(TopicPartition, u64)> {
        let place = |(app, position): (&String, &u64)| {
            let (life, partition) = place_of(app)?;
            (life == self.life).then_some((TopicPartition { topic: Topic::Batches, partition }, *position))
        };
        self.positions.iter().filter_map(place).collect()
    }

    /// Some claim checks that are in the topic already, one after the other, with their accounts.
    pub fn some_claims(&self, chance: &mut Chance) -> Vec<(String, ClaimCheck)> {
        let lists: Vec<&Vec<ClaimCheck>> =
            self.mirror.iter().filter(|((life, _), list)| *life == self.life && !list.is_empty()).map(|(_, list)| list).collect();
        if lists.is_empty() {
            return Vec::new();
        }
        let list = *chance.pick(&lists);
        let from = chance.index(list.len());
        let count = chance.index(4) + 1;
        let claims = list[from..].iter().take(count);
        let account = |claim: &ClaimCheck| {
            let delivered = self.deliveries.get(&claim.delivery)?;
            Some(self.world.senders[self.world.files[delivered.file].sender].account.path())
        };
        claims.filter_map(|claim| Some((account(claim)?, claim.clone()))).collect()
    }

    /// Whether every file that acts has its verdict in the ledger.
    pub fn is_settled(&self) -> bool {
        self.deliveries.values().all(|d| d.verdict.is_some())
    }

    /// Commits seen: entries but those of rivals and the one that made the table.
    pub fn commits(&self) -> u64 {
        self.commits
    }

    /// Mishaps that only the table shows.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// A hash over all entries.
    pub fn trace(&self) -> u64 {
        self.trace.finish()
    }
}

/// Life and partition of a position's name.
fn place_of(app: &str) -> Option<(String, u32)> {
    let mut parts = app.split('/');
    let (job, life, topic, partition) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    (job == JOB && topic == Topic::Batches.name() && parts.next().is_none()).then_some(())?;
    Some((life.to_owned(), partition.parse().ok()?))
}

/// The checks of one entry.
impl Audit<'_> {
    fn check(&mut self, entry: &Entry) -> Result<(), Breach> {
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
        hold!(entry.adds.iter().all(|add| self.files.insert(add.path.clone())), "INV-5: a file was added twice");
        let version = self.next_version.to_string();
        hold!(entry.adds.iter().all(|add| add.tag(TAG_VERSION) == Some(&version)), "a file does not carry version {version}");
        hold!(entry.adds.is_empty() || info.reference_version == REFERENCE_VERSION, "reference {}", info.reference_version);
        self.commits += 1;
        let wanted = self.move_positions(entry)?;
        self.check_ranges(entry, wanted)?;
        let accounts: BTreeSet<&String> = entry.ledger.iter().map(|l| &l.account).collect();
        hold!(accounts == info.accounts.iter().collect(), "commitInfo names {:?}, the ledger {accounts:?}", info.accounts);
        let mut rows: HashMap<(DeliveryId, u64), &super::entry::DataRow> = HashMap::new();
        for row in &entry.rows {
            hold!(rows.insert((row.delivery, row.row), row).is_none(), "INV-5: row {} of {} twice", row.row, row.delivery);
        }
        let mut claims = 0;
        for range in &entry.ledger {
            let expected = self.check_range(range)?;
            for (number, end) in &expected.rows {
                let row = rows.remove(&(range.delivery, *number));
                let row = row.ok_or_else(|| Breach(format!("INV-8: row {number} of {} is not there", range.delivery)))?;
                let (reason, charge) = match end {
                    End::Rated(nano) => (None, Some(i128::from(*nano))),
                    End::Suspense(reason) => (Some(*reason), None),
                    End::Skipped => (Some("skipped"), None),
                };
                hold!(row.account == range.account, "row {number} of {} is in account {}", range.delivery, row.account);
                hold!(
                    row.reason.as_deref() == reason && row.charge_nano == charge,
                    "row {number} of {} should be {end:?}, it is {:?} {:?}",
                    range.delivery,
                    row.reason,
                    row.charge_nano
                );
            }
            claims += self.check_claims(entry, range, &expected)?;
        }
        hold!(rows.is_empty(), "INV-8: rows without a range in the ledger: {:?}", rows.keys());
        hold!(claims == entry.claims.len(), "INV-9: the sidecar has {} claims, {claims} are right", entry.claims.len());
        let outcome = |r: &super::entry::DataRow| r.reason.clone().unwrap_or_else(|| "rated".to_owned());
        self.records.extend(entry.rows.iter().map(|r| (r.account.clone(), r.key.clone(), outcome(r), r.charge_nano)));
        Ok(())
    }

    /// INV-4: positions move forward, and by what the log holds there; gives the claim checks that they pass.
    fn move_positions(&mut self, entry: &Entry) -> Result<Vec<ClaimCheck>, Breach> {
        hold!(!entry.moves.is_empty(), "INV-4: {} files were added and no position moved", entry.adds.len());
        let mut passed = Vec::new();
        for (app, to) in &entry.moves {
            let from = self.positions.insert(app.clone(), *to).unwrap_or(0);
            hold!(from < *to, "INV-4: position {app} went from {from} to {to}");
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
        let count = passed.len();
        for claim in passed {
            let known = self.deliveries.get(&claim.delivery);
            let known = known.ok_or_else(|| Breach(format!("a claim check of an unknown delivery {}", claim.delivery)))?;
            if !known.ranges.contains_key(&claim.first_row) {
                wanted.insert((claim.delivery, claim.first_row), claim);
            }
        }
        self.tally.note_many(Mishap::RangesDropped, (count - wanted.len()) as u64);
        if wanted.is_empty() {
            self.tally.note(Mishap::PositionsOnly);
        }
        let mut found = BTreeSet::new();
        for range in &entry.ledger {
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
    fn check_range(&mut self, range: &LedgerEntry) -> Result<Expected, Breach> {
        let known = self.deliveries.get_mut(&range.delivery).ok_or_else(|| Breach("an unknown delivery".to_owned()))?;
        let file = &self.world.files[known.file];
        let (rows, cut) = (file.readings.len() as u64, self.world.senders[file.sender].cut_rows);
        let wanted = cut.min(rows.saturating_sub(range.first_row));
        let name = format!("{} from row {}", file.name, range.first_row);
        hold!(range.arrival == known.arrival, "{name} has arrival {}", range.arrival);
        hold!(range.counts.rows_in == wanted && range.first_row % cut == 0, "INV-7: {name} has {} rows", range.counts.rows_in);
        known.ranges.insert(range.first_row, wanted);
        let is_last = range.first_row + wanted == rows;
        hold!(range.verdict.is_some() == is_last, "INV-7: {name}: verdict {:?}", range.verdict);
        if let Some(verdict) = &range.verdict {
            hold!(verdict.state == file.state, "{name} is {}, it should be {}", verdict.state, file.state);
            known.verdict = Some((verdict.state.clone(), verdict.rows));
        }
        let expected = self.model.take(known.file, range.first_row, wanted);
        let counts = &range.counts;
        let (rated, sum) = expected.rated();
        let suspense: BTreeMap<&str, u64> = counts.suspense.iter().map(|(reason, n)| (reason.as_str(), *n)).collect();
        let charge: i128 = counts.charge.values().map(|money| money.0).sum();
        hold!(
            (counts.rated, &suspense, counts.duplicates, counts.resent, counts.skipped_rows())
                == (rated, &expected.suspense(), expected.duplicates, expected.resent, expected.skipped),
            "INV-2: {name} is {counts:?}, it should be {expected:?}"
        );
        hold!(charge == sum, "INV-3: {name} is charged {charge}, its rows {sum}");
        Ok(expected)
    }

    /// INV-9: one claim per row that was not skipped, live where the row is kept.
    fn check_claims(&self, entry: &Entry, range: &LedgerEntry, expected: &Expected) -> Result<usize, Breach> {
        let file = &self.world.files[self.deliveries[&range.delivery].file];
        let mut right = 0;
        for number in range.first_row..range.first_row + range.counts.rows_in {
            let reading = &file.readings[usize::try_from(number).unwrap_or(usize::MAX)];
            let claim = (range.delivery, number, expected.rows.contains_key(&number));
            if reading.end != End::Skipped {
                hold!(entry.claims.contains(&claim), "INV-9: row {number} of {} has no claim", file.name);
                right += 1;
            }
        }
        Ok(right)
    }
}

/// The checks at the end.
impl Audit<'_> {
    /// Everything that has landed is in the table whole, and a new reader sees the same table.
    pub fn finish(&mut self, theatre: &Theatre) -> Result<(), Breach> {
        self.follow(theatre)?;
        let acting = self.world.files.iter().filter(|f| f.reception == Reception::Announced).count();
        hold!(self.deliveries.len() == acting, "{} files act, {acting} should", self.deliveries.len());
        for delivered in self.deliveries.values() {
            let file = &self.world.files[delivered.file];
            let covered: u64 = delivered.ranges.values().sum();
            let rows = file.readings.len() as u64;
            hold!(covered == rows && delivered.verdict.is_some(), "INV-7: {covered} of {rows} rows of {}", file.name);
        }
        let blob: Arc<dyn Blob> = Arc::new(theatre.store.clone());
        let table = Table::open(&blob, ENTRIES).map_err(|e| Breach(e.to_string()))?;
        let snapshot = table.snapshot();
        hold!(snapshot.version.map(|v| v + 1) == Some(self.next_version), "a new reader sees {:?}", snapshot.version);
        hold!(snapshot.files.keys().eq(self.files.iter()), "INV-11: a new reader sees other files");
        let positions = snapshot.positions.iter().map(|(app, v)| (app.clone(), u64::try_from(*v).unwrap_or(u64::MAX)));
        hold!(positions.eq(self.positions.clone()), "INV-4: a new reader sees other positions");
        Ok(())
    }

    /// All records in one order. Of rows that share an id, which one is kept depends on the order of files: only that there
    /// are so many is said of them.
    pub fn records(&self) -> Vec<Record> {
        let mut by_key: BTreeMap<(&String, &Vec<u8>), Vec<&Record>> = BTreeMap::new();
        for record in &self.records {
            by_key.entry((&record.0, &record.1)).or_default().push(record);
        }
        let one = |((account, key), records): ((&String, &Vec<u8>), Vec<&Record>)| match &records[..] {
            [record] => (*record).clone(),
            several => (account.clone(), key.clone(), format!("{} rows with one id", several.len()), None),
        };
        by_key.into_iter().map(one).collect()
    }

    /// A few records that only one of two runs has.
    pub fn difference(&self, other: &Self) -> String {
        let (ours, theirs): (BTreeSet<_>, BTreeSet<_>) =
            (self.records().into_iter().collect(), other.records().into_iter().collect());
        let some: Vec<_> = ours.symmetric_difference(&theirs).take(4).collect();
        format!("{some:?}")
    }
}
