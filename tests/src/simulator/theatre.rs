//! Store, log and clock of a run, and the state machines over them: built as the binary builds them, lost as processes die.

use std::sync::Arc;

use domain::columns::entries::{Entries, PARTITION};
use domain::delivery::KeySecret;
use domain::ports::{Blob, Clock, Rng};
use ingest::land::{Landing, LandingSettings};
use ingest::log::Topic;
use ingest::log::memory::{MemoryLog, MemoryReader, MemoryWriter};
use pipeline::PipelineError;
use pipeline::announcer::Announcer;
use pipeline::deliveries::Deliveries;
use pipeline::splitter::Splitter;
use pipeline::worker::{Worker, WorkerSettings};
use sinks::commit::{CommitError, CommitSettings, Committer};
use sinks::local_store::memory::MemoryStore;
use sinks::settled::Settled;
use sinks::table::{Table, TableError};

use super::chance::{Chance, StageClock};
use super::price_list::InForce;
use super::rival::ContestedStore;
use super::standing::LogStanding;
use super::tally::{Mishap, Tally};
use super::weather::Weather;
use super::world::World;

/// The folder of the records table.
pub const ENTRIES: &str = "tables/cdr_entries";

/// The group of the workers.
pub const RATING: &str = "rating";

/// The group of the splitters.
pub const SPLITTING: &str = "splitting";

/// Workers, and splitters, that a run has.
pub const MEMBERS: u32 = 2;

/// After which time what fell off the log is looked for, and what was parked is tried again, microseconds.
pub const LOOK_AGAIN_US: i64 = 20_000;

const SECRET: KeySecret = KeySecret([42; 16]);

/// A worker with chance of its own.
#[derive(Debug)]
pub struct Actor {
    /// The machine.
    pub worker: Worker<MemoryReader>,
    /// Names its files.
    pub chance: Chance,
}

/// Store, log, clock, and who is alive.
pub struct Theatre {
    /// The object store.
    pub store: MemoryStore,
    /// The log.
    pub log: MemoryLog,
    /// Time.
    pub clock: StageClock,
    /// What goes wrong.
    pub weather: Weather,
    /// The reference data in force.
    pub reference: InForce,
    /// Announces arrivals.
    pub announcer: Option<Announcer<MemoryWriter>>,
    /// Cut files into claim checks.
    pub splitters: Vec<Option<Splitter<MemoryReader, MemoryWriter>>>,
    /// Rate and commit.
    pub workers: Vec<Option<Actor>>,
    tally: Tally,
    blob: Arc<dyn Blob>,
    /// What the last announcer knows of the table.
    announced: Option<Table>,
    seed: u64,
    births: u64,
    rows_max: u64,
    bytes_max: u64,
}

impl std::fmt::Debug for Theatre {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Theatre(seed {}, {} births)", self.seed, self.births)
    }
}

impl Theatre {
    /// An empty store and log; nobody lives yet.
    pub fn new(seed: u64, world: &World) -> Self {
        let clock = StageClock::new();
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let log = MemoryLog::with_clock(world.partitions, Arc::new(clock.clone()));
        let weather = Weather::over(&store, &log);
        let accounts = world.senders.iter().map(|s| s.account.path()).collect();
        Self {
            blob: Arc::new(ContestedStore::new(store.clone(), weather.clone(), accounts)),
            store,
            log,
            clock,
            weather,
            reference: InForce::new(),
            announcer: None,
            splitters: (0..MEMBERS).map(|_| None).collect(),
            workers: (0..MEMBERS).map(|_| None).collect(),
            tally: Tally::default(),
            announced: None,
            seed,
            births: 0,
            rows_max: world.rows_max,
            bytes_max: u64::MAX,
        }
    }

    /// Rows of one commit at most, from now on.
    pub fn set_rows_max(&mut self, rows_max: u64) {
        self.rows_max = rows_max;
    }

    /// Bytes of files behind one commit at most, from now on.
    pub fn set_bytes_max(&mut self, bytes_max: u64) {
        self.bytes_max = bytes_max;
    }

    /// Notes something that went wrong on purpose.
    pub fn note(&mut self, mishap: Mishap) {
        self.tally.note(mishap);
    }

    /// Everything that went wrong on purpose.
    pub fn tally(&self) -> Tally {
        let mut tally = self.tally.clone();
        tally.add(&self.weather.tally());
        tally
    }

    /// A landing as a new process sees it.
    pub fn landing(&self) -> Landing {
        Landing::new(Arc::clone(&self.blob), LandingSettings::default())
    }

    fn deliveries(&self, landing: &Arc<Landing>) -> Deliveries {
        Deliveries::new(Arc::clone(landing), Arc::clone(&self.blob), SECRET)
    }

    /// Chance for the next machine that is born.
    fn next_chance(&mut self) -> Chance {
        self.births += 1;
        Chance::new(self.seed, 1000 + self.births)
    }

    /// The table as a new process opens it, made if it is not there.
    pub fn table(&mut self) -> Result<Table, TableError> {
        let id = self.next_chance().next_name();
        let now_ms = self.clock.now_us() / 1000;
        Table::open_or_create(&self.blob, ENTRIES, &Entries::schema(), &PARTITION, &id, now_ms)
    }

    /// A new announcer: it starts from the first arrival and leaves out what has its verdict.
    pub fn new_announcer(&mut self) -> Result<Announcer<MemoryWriter>, PipelineError> {
        let table = self.table().map_err(CommitError::from)?;
        let mut settled = Settled::default();
        settled.fold(&table).map_err(CommitError::from)?;
        let announcer = Announcer::new(Arc::new(self.landing()), self.log.writer(), settled, LOOK_AGAIN_US).without(&table);
        self.announced = Some(table);
        Ok(announcer)
    }

    /// Lets the announcer look for what fell off the log, on the table as it was when it last looked; tells how many notices
    /// went out.
    pub fn look_again(&mut self, announcer: &mut Announcer<MemoryWriter>) -> Result<usize, PipelineError> {
        let table = self.announced.as_mut().expect("an announcer was made, and with it a table opened");
        announcer.look_again(&mut LogStanding::of(&self.log), table, &self.clock)
    }

    /// A new splitter.
    pub fn new_splitter(&self, member: u32) -> Splitter<MemoryReader, MemoryWriter> {
        let landing = Arc::new(self.landing());
        let reader = self.log.reader(SPLITTING, Topic::Files, member, MEMBERS);
        Splitter::new(reader, self.log.writer(), Arc::clone(&landing), self.deliveries(&landing))
    }

    /// A new worker; what it knows is in the table.
    pub fn new_worker(&mut self, member: u32) -> Result<Actor, PipelineError> {
        let table = self.table().map_err(CommitError::from)?;
        let mut chance = self.next_chance();
        let landing = Arc::new(self.landing());
        let reader = self.log.reader(RATING, Topic::Batches, member, MEMBERS);
        // Sometimes so little that keys of other days are forgotten and read again.
        let key_cache_bytes = *chance.pick(&[1, 2_000, 1 << 20]);
        let committer = Committer::new(table, CommitSettings { key_cache_bytes, ..CommitSettings::default() });
        let linger_us = i64::try_from(chance.below(2000)).expect("small");
        let queue_max = if self.rows_max == u64::MAX { 1000 } else { usize::try_from(chance.between(1, 6)).expect("small") };
        let settings = WorkerSettings {
            rows_max: self.rows_max,
            bytes_max: self.bytes_max,
            linger_us,
            queue_max,
            look_again_us: LOOK_AGAIN_US,
        };
        let worker = Worker::new(
            member,
            reader,
            Box::new(self.log.writer()),
            committer,
            self.deliveries(&landing),
            Box::new(self.reference.clone()),
            settings,
        );
        Ok(Actor { worker, chance })
    }
}
