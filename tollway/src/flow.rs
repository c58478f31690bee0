//! The flow on threads: one feeder (announce and split), workers that rate and commit, one that totals and keeps house.
//!
//! Every state machine is driven by one thread; they meet only in the log and in the tables. A failure that may pass is tried
//! again with growing pauses; any other stops the flow with its cause.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use domain::delivery::KeySecret;
use domain::outcome::Counts;
use domain::ports::{Blob, Clock};
use ingest::land::Landing;
use ingest::log::{Log, Topic, TopicPartition};
use pipeline::PipelineError;
use pipeline::deliveries::Deliveries;
use pipeline::parking::Parked;
use pipeline::splitter::{SplitStep, Splitter};
use pipeline::worker::{Step, Worker, WorkerSettings};
use sinks::commit::{CommitSettings, Committer};
use sinks::table::Table;

use crate::installation::Installation;
use crate::leading::{Announced, LeadSettings, Leading};
use crate::log::GROUP;
use crate::log_end::log_ends;
use crate::others::Others;
use crate::patience::Patience;
use crate::readiness::Shares;
use crate::reference::SharedReference;
use crate::system::{SystemClock, SystemRng};

/// How long a thread waits for records before it looks around, milliseconds.
const WAIT_MS: u64 = 50;

/// How often a service keeps house, microseconds.
const HOUSE_EVERY_US: i64 = 1_000_000;

/// How often a command that ends does: what is folded meanwhile need not be waited for at the end.
const HURRIED_HOUSE_EVERY_US: i64 = 250_000;

/// How often a watching thread looks around unless it is woken.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Moments of a run that are kept for its picture.
const SAMPLES_MAX: usize = 10_000;

/// Limits of a flow.
#[derive(Debug, Clone, Copy)]
pub struct FlowSettings {
    /// Threads that rate and commit.
    pub workers: u32,
    /// Limits of each.
    pub worker: WorkerSettings,
    /// Limits of committing.
    pub commit: CommitSettings,
    /// How often who announces looks around.
    pub lead: LeadSettings,
    /// Failures in a row that may pass before the flow gives up.
    pub retries_max: u32,
    /// Pause after the first of them.
    pub retry_pause: Duration,
    /// Without progress for so long, other processes on the same log are no longer waited for.
    pub stalled: Duration,
    /// A checkpoint after so many versions.
    pub checkpoint_every: u64,
}

/// What a flow works on.
#[derive(Clone)]
pub struct Installed {
    /// The store.
    pub blob: Arc<dyn Blob>,
    /// Landing in it.
    pub landing: Arc<Landing>,
    /// The log.
    pub log: Arc<dyn Log>,
    /// The secret of record keys.
    pub secret: KeySecret,
    /// How old a record may be when its file lands; any age if none.
    pub max_age: Option<Duration>,
    /// Devices and tariffs.
    pub reference: SharedReference,
    /// How the tables are written.
    pub parquet: sinks::parquet::ParquetSettings,
}

impl Installed {
    /// What an installation gives it.
    pub fn of(installation: &Installation, landing: Arc<Landing>, log: Arc<dyn Log>, reference: SharedReference) -> Self {
        Self {
            blob: Arc::clone(installation.blob()),
            landing,
            log,
            secret: installation.secret(),
            max_age: installation.config().billing.max_age,
            reference,
            parquet: installation.parquet(),
        }
    }

    fn deliveries(&self) -> Deliveries {
        Deliveries::new(Arc::clone(&self.landing), Arc::clone(&self.blob), self.secret).with_max_age(self.max_age)
    }
}

/// What the threads tell each other.
#[derive(Debug, Default)]
struct Board {
    /// Rows committed since the start.
    rows: u64,
    counts: Counts,
    /// When (microseconds since the start) how many rows were in the table.
    samples: Vec<(i64, u64)>,
    /// How often someone has asked for everything that had landed by then.
    asked: u64,
    /// The last of these questions since which the feeder has found nothing to announce or split.
    fed: u64,
    committed: BTreeMap<TopicPartition, u64>,
    /// Accounts whose files wait for a hand, and why.
    blocked: BTreeMap<String, Arc<PipelineError>>,
    /// Partitions that wait for a hand.
    parked: BTreeMap<TopicPartition, Parked>,
    shares: Shares,
    failure: Option<PipelineError>,
}

impl Board {
    fn waits_for_a_hand(&self) -> bool {
        !self.blocked.is_empty() || !self.parked.is_empty()
    }

    /// What waits for a hand, by partition or account.
    fn waiting(&self) -> BTreeMap<String, Arc<PipelineError>> {
        let parked = self.parked.iter().map(|(partition, parked)| (partition.to_string(), Arc::clone(&parked.error)));
        self.blocked.clone().into_iter().chain(parked).collect()
    }
}

/// A running flow.
pub struct Flow {
    board: Arc<(Mutex<Board>, Condvar)>,
    stop: Arc<AtomicBool>,
    /// Whether this process announces.
    leads: Arc<AtomicBool>,
    installed: Installed,
    entries: Table,
    settings: FlowSettings,
    threads: Vec<std::thread::JoinHandle<()>>,
    began_us: i64,
}

impl std::fmt::Debug for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Flow({} threads)", self.threads.len())
    }
}

/// How a flow ended.
#[derive(Debug, Clone, Default)]
pub struct Finished {
    /// Rows that it committed, by outcome.
    pub counts: Counts,
    /// Microseconds since its start, and rows in the table by then.
    pub samples: Vec<(i64, u64)>,
    /// What could not be rated and waits for a hand: a partition of the log or an account, and why.
    pub waiting: BTreeMap<String, Arc<PipelineError>>,
}

fn lock(board: &Mutex<Board>) -> std::sync::MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Flow {
    /// Starts the threads. `entries` is the table `cdr_entries`.
    pub fn start(installed: Installed, entries: &Table, settings: FlowSettings) -> anyhow::Result<Self> {
        let board = Arc::new((Mutex::new(Board::default()), Condvar::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let began_us = SystemClock.now_us();
        let leads = Arc::new(AtomicBool::new(false));
        let mut flow = Self { board, stop, leads, installed, entries: entries.clone(), settings, threads: Vec::new(), began_us };
        // Before anything is appended: a log that lost its end would give old offsets to new records, and the table would
        // take them for done.
        for end in log_ends(&*flow.installed.log, entries)? {
            end.check()?;
        }
        flow.start_feeder(entries.clone(), settings)?;
        for number in 0..settings.workers {
            flow.start_worker(number, entries.clone(), settings)?;
        }
        Ok(flow)
    }

    fn thread(&mut self, name: String, body: impl FnOnce() -> Result<(), PipelineError> + Send + 'static) -> anyhow::Result<()> {
        let (board, stop) = (Arc::clone(&self.board), Arc::clone(&self.stop));
        let thread = std::thread::Builder::new().name(name.clone()).spawn(move || {
            // A panic must end the flow like any failure: a thread that is silently gone would leave the others waiting.
            let ended = std::panic::catch_unwind(AssertUnwindSafe(body));
            let failure = match ended {
                Ok(Ok(())) => return,
                Ok(Err(e)) => e,
                Err(_) => PipelineError::Panicked(name.clone()),
            };
            tracing::error!(thread = name, error = %failure, "stopped");
            stop.store(true, Ordering::Release);
            lock(&board.0).failure.get_or_insert(failure);
            board.1.notify_all();
        })?;
        self.threads.push(thread);
        Ok(())
    }

    /// Announces and splits. Of all processes on a log one announces; when that changes, the next one begins from landing.
    fn start_feeder(&mut self, entries: Table, settings: FlowSettings) -> anyhow::Result<()> {
        let i = self.installed.clone();
        let mut leading = Leading::new(i.clone(), entries, settings.lead);
        let deliveries = i.deliveries();
        let reader = i.log.reader(GROUP, Topic::Files, 0, 1)?;
        let mut splitter = Splitter::new(reader, i.log.writer(), Arc::clone(&i.landing), deliveries);
        let (board, stop, leads) = (Arc::clone(&self.board), Arc::clone(&self.stop), Arc::clone(&self.leads));
        self.thread("feeder".to_owned(), move || {
            let mut patience = Patience::new(settings.retries_max, settings.retry_pause);
            // The last question since which landing had nothing new.
            let mut announced_all = 0;
            while !stop.load(Ordering::Acquire) {
                let asked = lock(&board.0).asked;
                leads.store(splitter.leads(), Ordering::Release);
                let step = leading.step(&mut splitter, asked).and_then(|sent| Ok((sent, splitter.step(WAIT_MS)?)));
                let Some((sent, split)) = patience.settle(step, &stop)? else { continue };
                patience.restore();
                match sent {
                    Announced::Sent(0) => announced_all = asked,
                    Announced::Sent(_) => announced_all = 0,
                    Announced::NotAsked => {}
                }
                let mut b = lock(&board.0);
                if split == SplitStep::Idle && announced_all == asked {
                    b.fed = asked;
                }
                if split != SplitStep::Idle {
                    b.blocked = splitter.blocked().map(|(account, e)| (account.to_owned(), Arc::clone(e))).collect();
                }
                board.1.notify_all();
            }
            Ok(())
        })
    }

    fn start_worker(&mut self, number: u32, entries: Table, settings: FlowSettings) -> anyhow::Result<()> {
        let i = self.installed.clone();
        let reader = i.log.reader(GROUP, Topic::Batches, number, settings.workers)?;
        let committer = Committer::new(entries.with_settings(i.parquet), settings.commit);
        let deliveries = i.deliveries();
        let references = Box::new(i.reference.clone());
        let mut worker = Worker::new(number, reader, i.log.writer(), committer, deliveries, references, settings.worker);
        let mut rng = SystemRng::new()?;
        let (board, stop, began_us) = (Arc::clone(&self.board), Arc::clone(&self.stop), self.began_us);
        self.thread(format!("worker-{number}"), move || {
            let mut patience = Patience::new(settings.retries_max, settings.retry_pause);
            let mut parked_here = Vec::new();
            while !stop.load(Ordering::Acquire) {
                let step = worker.step(WAIT_MS, &SystemClock, &mut rng);
                let failed = step.is_err();
                let step = patience.settle(step, &stop)?;
                if failed {
                    worker.recover();
                    continue;
                }
                match &step {
                    Some(Step::Read) => tracing::debug!(worker = number, "read"),
                    Some(Step::Prepared) => tracing::debug!(worker = number, "prepared"),
                    Some(Step::Redo) => tracing::debug!(worker = number, "redo"),
                    Some(Step::Fenced) => tracing::debug!(worker = number, "fenced"),
                    _ => {}
                }
                if matches!(step, Some(Step::Committed(_) | Step::Idle)) {
                    patience.restore();
                }
                let mut b = lock(&board.0);
                if let Some(Step::Committed(receipt)) = &step {
                    b.rows += receipt.counts.rows_in;
                    b.counts.add(&receipt.counts);
                    let sample = (SystemClock.now_us() - began_us, b.rows);
                    if b.samples.len() < SAMPLES_MAX {
                        b.samples.push(sample);
                    }
                }
                if step == Some(Step::Rebalanced) && worker.is_member() {
                    let has_joined = b.shares.note(number, worker.positions().map(|(partition, _)| partition));
                    if has_joined {
                        tracing::info!(worker = number, partitions = worker.positions().count(), "joined");
                    }
                }
                for partition in parked_here.drain(..) {
                    b.parked.remove(&partition);
                }
                parked_here.extend(worker.parked().keys());
                b.parked.extend(worker.parked().iter().map(|(partition, parked)| (*partition, parked.clone())));
                b.committed.extend(worker.positions());
                board.1.notify_all();
            }
            Ok(())
        })
    }

    /// Runs `house` every now and then until the end or until something fails for good; `show` gets the rows committed so
    /// far. [`Until::Drained`] means what has landed before this call; for that `house` tells where the table stands.
    pub fn watch(
        &self,
        mut show: impl FnMut(u64),
        mut house: impl FnMut() -> anyhow::Result<Vec<(TopicPartition, u64)>>,
        until: Until,
    ) -> anyhow::Result<()> {
        let every_us = if until == Until::Drained { HURRIED_HOUSE_EVERY_US } else { HOUSE_EVERY_US };
        let mut house_due_us = self.began_us + every_us;
        let mut patience = Patience::new(self.settings.retries_max, self.settings.retry_pause);
        let mut outside = Patience::new(self.settings.retries_max, self.settings.retry_pause);
        let mut others = match until {
            Until::Drained if self.installed.log.is_shared() => {
                Some(Others::over(&self.installed.landing, self.entries.clone(), self.settings.stalled)?)
            }
            _ => None,
        };
        lock(&self.board.0).asked += 1;
        loop {
            let (mut done, moved) = {
                let b = lock(&self.board.0);
                if b.failure.is_some() {
                    return Ok(());
                }
                show(b.rows);
                let done = match until {
                    // What waits for a hand here is told; what others have is for the ledger to tell.
                    Until::Drained if others.is_some() => b.fed == b.asked && b.waits_for_a_hand(),
                    Until::Drained => self.is_drained(&b)?,
                    Until::Stopped => self.stop.load(Ordering::Acquire),
                };
                // What waits for a hand is told now; it does not come to an end.
                let given_up = done && b.waits_for_a_hand();
                if given_up || (done && others.is_none()) {
                    return Ok(());
                }
                let moved = b.rows + b.committed.values().sum::<u64>();
                drop(self.board.1.wait_timeout(b, LOOK_EVERY).unwrap_or_else(PoisonError::into_inner));
                (done, moved)
            };
            if let Some(others) = &mut others {
                // The ledger speaks for every process; the log's end moves on while others append.
                done = match outside.bear(others.have_done(moved).map_err(anyhow::Error::from))? {
                    Ok(done) => done,
                    Err(pause) => {
                        std::thread::park_timeout(pause);
                        false
                    }
                };
            }
            if done {
                return Ok(());
            }
            let now = SystemClock.now_us();
            if now >= house_due_us {
                let pause = match patience.bear(house())? {
                    Ok(positions) => {
                        self.note(positions);
                        Duration::ZERO
                    }
                    Err(pause) => pause,
                };
                house_due_us = SystemClock.now_us() + every_us + i64::try_from(pause.as_micros()).unwrap_or(i64::MAX / 2);
            }
        }
    }

    /// Where the table stands, whoever brought it there.
    fn note(&self, positions: Vec<(TopicPartition, u64)>) {
        let mut b = lock(&self.board.0);
        for (partition, position) in positions {
            let at = b.committed.entry(partition).or_default();
            *at = position.max(*at);
        }
    }

    /// Whether everything that has landed and was announced is in the table.
    fn is_drained(&self, b: &Board) -> anyhow::Result<bool> {
        if b.fed != b.asked {
            return Ok(false);
        }
        let log = &self.installed.log;
        for partition in 0..log.partitions(Topic::Batches) {
            let partition = TopicPartition { topic: Topic::Batches, partition };
            let high = log.watermarks(partition)?.high;
            let end = b.parked.get(&partition).map_or(high, |parked| high.min(parked.offset));
            if b.committed.get(&partition).is_none_or(|at| *at < end) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// A handle that tells whether of all processes on the log it is this one that announces.
    pub fn leads(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let leads = Arc::clone(&self.leads);
        move || leads.load(Ordering::Acquire)
    }

    /// A handle that ends [`Until::Stopped`] from anywhere.
    pub fn stopper(&self) -> impl Fn() + Send + Sync + 'static {
        let (board, stop) = (Arc::clone(&self.board), Arc::clone(&self.stop));
        move || {
            stop.store(true, Ordering::Release);
            board.1.notify_all();
        }
    }

    /// A handle that tells whether this flow does its work, and what of it waits, in words.
    pub fn readiness(&self) -> impl Fn() -> Result<String, String> + Send + Sync + 'static {
        let (board, stop) = (Arc::clone(&self.board), Arc::clone(&self.stop));
        move || {
            if stop.load(Ordering::Acquire) {
                return Err("stopping\n".to_owned());
            }
            let b = lock(&board.0);
            b.shares.ready(&b.parked)
        }
    }

    /// Stops all threads in order and tells what was done, or why it failed.
    pub fn finish(mut self) -> anyhow::Result<Finished> {
        self.stop.store(true, Ordering::Release);
        self.board.1.notify_all();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                anyhow::bail!("a thread of the flow panicked: this is a bug; nothing half-done is visible, start again");
            }
        }
        let mut b = lock(&self.board.0);
        match b.failure.take() {
            Some(failure) => Err(failure.into()),
            None => Ok(Finished { counts: b.counts.clone(), samples: std::mem::take(&mut b.samples), waiting: b.waiting() }),
        }
    }
}

/// When [`Flow::watch`] ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Everything that has landed is in the table.
    Drained,
    /// The stopper was called.
    Stopped,
}
