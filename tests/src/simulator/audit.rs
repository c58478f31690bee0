//! Follows the table entry by entry and holds every one against the log and the model; at the end, the whole.

mod checks;
mod corrections;
mod drawing;
mod recycling;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use domain::delivery::{ArrivalNumber, DeliveryId};
use domain::outcome::Counts;
use domain::ports::{Blob, BlobError};
use ingest::land::{Arrival, Recycling};
use ingest::log::memory::MemoryReader;
use ingest::log::{LogEvent, LogReader, Topic, TopicPartition};
use ingest::message::ClaimCheck;
use pipeline::worker::JOB;
use sinks::delta::action::entry_name;
use sinks::table::Table;

use super::Breach;
use super::chance::Chance;
use super::entry::{DataRow, Entry};
use super::model::Model;
use super::price_list::VERSIONS;
use super::tally::Tally;
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
    /// The reference version in force when it landed: none before it rates its rows.
    in_force: u64,
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
    /// Below which offset claim checks were removed.
    removed: BTreeMap<(String, u32), u64>,
    reader: Option<MemoryReader>,
    life: String,
    files: BTreeSet<String>,
    commit_ids: HashSet<String>,
    /// The entries that are not taken back, by delivery and row.
    live: BTreeMap<(DeliveryId, u64), DataRow>,
    /// The reference version that each of them was rated with.
    rated_with: HashMap<(DeliveryId, u64), u64>,
    /// The reference version in force.
    in_force: u64,
    /// Decisions to rate rows again: account and choice, by number.
    recyclings: BTreeMap<ArrivalNumber, Recycling>,
    /// Records that were written off, and the reasons that they had.
    written_off: HashMap<(DeliveryId, u64), String>,
    /// The last number of each record that was corrected.
    numbers: HashMap<(DeliveryId, u64), i32>,
    /// What the ledger says of each delivery.
    ledger: HashMap<DeliveryId, Counts>,
    tally: Tally,
    trace: DefaultHasher,
}

impl std::fmt::Debug for Audit<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Audit({} entries, {} records)", self.next_version, self.live.len())
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
            removed: BTreeMap::new(),
            reader: None,
            life: String::new(),
            files: BTreeSet::new(),
            commit_ids: HashSet::new(),
            live: BTreeMap::new(),
            rated_with: HashMap::new(),
            in_force: VERSIONS[0],
            recyclings: BTreeMap::new(),
            written_off: HashMap::new(),
            numbers: HashMap::new(),
            ledger: HashMap::new(),
            tally: Tally::default(),
            trace: DefaultHasher::new(),
        }
    }

    /// A file has arrived and acts.
    pub fn expect(&mut self, file: usize, arrival: &Arrival) -> Result<(), Breach> {
        let ingest::land::ArrivalKind::Delivery(record) = &arrival.kind else {
            return Err(Breach(format!("arrival {} is no delivery", arrival.number)));
        };
        let in_force = self.in_force;
        let delivered = Delivered { file, arrival: arrival.number, in_force, ..Delivered::default() };
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

    /// A partition with claim checks that the table has not taken in: its position, and its last offset.
    pub fn some_waiting(&self, chance: &mut Chance) -> Option<(TopicPartition, u64, u64)> {
        let stands: BTreeMap<TopicPartition, u64> = self.positions().into_iter().collect();
        let waiting = self.mirror.iter().filter(|((life, _), _)| *life == self.life).filter_map(|((_, partition), list)| {
            let at = TopicPartition { topic: Topic::Batches, partition: *partition };
            let position = stands.get(&at).copied().unwrap_or(0);
            (position < list.len() as u64).then(|| (at, position, list.len() as u64 - 1))
        });
        let waiting: Vec<_> = waiting.collect();
        (!waiting.is_empty()).then(|| *chance.pick(&waiting))
    }

    /// Claim checks below an offset were removed from the topic's present life.
    pub fn note_removed(&mut self, partition: TopicPartition, below: u64) {
        let removed = self.removed.entry((self.life.clone(), partition.partition)).or_default();
        *removed = below.max(*removed);
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
            if let Some(word) = self.recyclings.get(&claim.arrival) {
                return Some(word.account.path());
            }
            let delivered = self.deliveries.get(&claim.delivery)?;
            Some(self.world.senders[self.world.files[delivered.file].sender].account.path())
        };
        claims.filter_map(|claim| Some((account(claim)?, claim.clone()))).collect()
    }

    /// Whether every file that acts has its verdict in the ledger, and every order is carried out.
    pub fn is_settled(&self) -> bool {
        self.deliveries.values().all(|d| d.verdict.is_some()) && self.is_carried_out()
    }

    /// Whether all rows of every file that acts are in the ledger.
    pub fn is_covered(&self) -> bool {
        let is_whole = |d: &Delivered| {
            d.verdict.is_some() && d.ranges.values().sum::<u64>() == self.world.files[d.file].readings.len() as u64
        };
        self.deliveries.values().all(is_whole)
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
        for file in 0..self.world.files.len() {
            let should = self.world.stopped().contains(&file);
            hold!(should == self.model.has_stopped(file), "{} acts no more: {should} is right", self.world.files[file].name);
        }
        let wrong = self.unsettled();
        hold!(wrong.is_empty(), "{} texts do not draw as they should, the first is {:?}", wrong.len(), wrong.first());
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
        // What was written off had another reason when somebody decided it, and when that was is chance.
        let outcome = |(at, r): (&(DeliveryId, u64), &DataRow)| {
            self.written_off.get(at).or(r.reason.as_ref()).cloned().unwrap_or_else(|| "rated".to_owned())
        };
        // Which texts are free hangs on all of them, and so on which rows of those that share an id are kept.
        // Which rows were in suspense when somebody edited them is chance, too.
        let may_be_edited = |r: &DataRow| {
            let file = self.deliveries[&r.delivery].file;
            let reading = self.model.reading((file, r.row));
            self.world.is_edited(self.world.files[file].sender) && reading.zoned() != *reading
        };
        let charge = |r: &DataRow| r.charge_nano.filter(|_| !self.may_be_free(r) && !may_be_edited(r));
        let record = |(at, r): (&(DeliveryId, u64), &DataRow)| (r.account.clone(), r.key.clone(), outcome((at, r)), charge(r));
        let all: Vec<Record> = self.live.iter().map(record).collect();
        let mut by_key: BTreeMap<(&String, &Vec<u8>), Vec<&Record>> = BTreeMap::new();
        for record in &all {
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
