//! The worker: takes claim checks from the table's positions on, rates them in groups, and commits rows and positions
//! together.
//!
//! One [`Worker::step`] does one thing, so that whoever drives it may stop, kill or overtake it between any two: poll, read,
//! prepare (which rates what is new), commit. Nothing that a worker holds is worth saving: the table says where it stands.

mod lost;
mod queue;

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::number::mask_digits;
use domain::ports::{Clock, Disposition, Rng};
use ingest::log::{Incarnation, LogError, LogEvent, LogReader, LogWriter, Record, TopicPartition};
use ingest::message::ClaimCheck;
use sinks::commit::{Committer, Group, Outcome, PositionMove, Prepared, Receipt};

use crate::corrector;
use crate::dead_letter;
use crate::deliveries::Deliveries;
use crate::error::PipelineError;
use crate::metrics;
use crate::parking::{Parked, Parking};
use crate::rating::{Reference, References, Spoilt, read};

pub use self::queue::WorkerSettings;
use self::queue::{Fill, Queue, Waiting};

/// The name of the rating job in position ids.
pub const JOB: &str = "rate";

/// The id under which the table keeps this job's position of a partition.
pub fn app_id(incarnation: &Incarnation, partition: TopicPartition) -> String {
    format!("{JOB}/{}/{}/{}", incarnation.0, partition.topic, partition.partition)
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing to do.
    Idle,
    /// Claim checks came in.
    Polled,
    /// Partitions came or went; what was not committed is dropped.
    Rebalanced,
    /// A group was read.
    Read,
    /// A group's files are durable.
    Prepared,
    /// A group is in the table.
    Committed(Receipt),
    /// Rows of the same accounts came in between; the group is prepared again.
    Redo,
    /// Another worker moved our positions; the group is dropped.
    Fenced,
    /// A claim check cannot be rated: its partition waits before it, the others go on.
    Parked(TopicPartition),
    /// So many records were gone from the log before they were rated: the table has moved over them, and their files are
    /// announced again.
    Skipped(u64),
}

/// Where a partition stands.
#[derive(Debug, Clone)]
struct Cursor {
    /// `None` until the log has been asked for its present life.
    app_id: Option<String>,
    /// The table's position: where the next group begins.
    committed: u64,
}

enum Stage {
    Gathering,
    /// A step failed: what is in memory may not agree with the table.
    Lost,
    /// The log has lost these records before they were rated: nothing is read before the table has moved over them.
    Behind(Vec<PositionMove>),
    Read(Work),
    Prepared(Work, Box<Prepared>),
}

/// What one commit takes in.
enum Work {
    /// Rows as read, and the reference data that rate them.
    Group(Group, Arc<Reference>),
    /// What an arrival corrects, with the move past its place in the log, which the last of its commits makes.
    Correction { order: ClaimCheck, place: (TopicPartition, u64), moves: Vec<PositionMove>, goes_on: bool },
}

impl Work {
    fn moves(&self) -> &[PositionMove] {
        match self {
            Self::Group(group, _) => &group.positions,
            Self::Correction { goes_on: true, .. } => &[],
            Self::Correction { moves, .. } => moves,
        }
    }
}

/// The state of one member of the rating group.
pub struct Worker<R> {
    number: u32,
    reader: R,
    dead_letters: Box<dyn LogWriter>,
    committer: Committer,
    deliveries: Deliveries,
    references: Box<dyn References>,
    settings: WorkerSettings,
    cursors: BTreeMap<TopicPartition, Cursor>,
    /// Whether its share was told: it may be none.
    is_member: bool,
    parking: Parking,
    queue: Queue,
    stage: Stage,
}

impl<R> std::fmt::Debug for Worker<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Worker({}, {} partitions, {} waiting)", self.number, self.cursors.len(), self.queue.len())
    }
}

impl<R: LogReader> Worker<R> {
    /// A worker that knows nothing yet; its first assignment tells where to start.
    pub fn new(
        number: u32,
        reader: R,
        dead_letters: Box<dyn LogWriter>,
        committer: Committer,
        deliveries: Deliveries,
        references: Box<dyn References>,
        settings: WorkerSettings,
    ) -> Self {
        Self {
            number,
            reader,
            dead_letters,
            committer,
            deliveries,
            references,
            settings,
            cursors: BTreeMap::new(),
            is_member: false,
            parking: Parking::new(settings.look_again_us),
            queue: Queue::new(settings),
            stage: Stage::Gathering,
        }
    }

    /// The table's positions of this worker's partitions, as far as it knows them.
    pub fn positions(&self) -> impl Iterator<Item = (TopicPartition, u64)> + '_ {
        self.cursors.iter().map(|(tp, c)| (*tp, c.committed))
    }

    /// Whether it has had its first assignment. One that is told that it has no partition stands by.
    pub fn is_member(&self) -> bool {
        self.is_member
    }

    /// The partitions that wait for a hand.
    pub fn parked(&self) -> &BTreeMap<TopicPartition, Parked> {
        self.parking.waiting()
    }

    /// Whether something is waiting or under way.
    pub fn is_busy(&self) -> bool {
        !self.queue.is_empty() || !matches!(self.stage, Stage::Gathering)
    }

    /// Does the next thing; waits at most `wait_ms` for records when there is nothing else to do.
    pub fn step(&mut self, wait_ms: u64, clock: &dyn Clock, rng: &mut dyn Rng) -> Result<Step, PipelineError> {
        match std::mem::replace(&mut self.stage, Stage::Gathering) {
            Stage::Gathering => self.gather(wait_ms, clock),
            Stage::Lost => {
                self.stage = Stage::Lost;
                self.restart()?;
                Ok(Step::Rebalanced)
            }
            Stage::Behind(lost) => self.skip(&lost, clock, rng),
            Stage::Read(mut work) => {
                let began = clock.now_us();
                let prepared = match &mut work {
                    Work::Group(group, reference) => self.committer.prepare(group, &|batch| reference.rate(batch), clock, rng)?,
                    Work::Correction { order, place, moves, goes_on } => match self.correct(order, moves, clock, rng) {
                        Err(error) if error.disposition() != Disposition::Retry => {
                            return self.park(*place, error, clock.now_us());
                        }
                        corrected => {
                            let (prepared, more) = corrected?;
                            *goes_on = more;
                            prepared
                        }
                    },
                };
                metrics::stage("prepare", clock.now_us() - began);
                self.stage = Stage::Prepared(work, Box::new(prepared));
                Ok(Step::Prepared)
            }
            Stage::Prepared(work, prepared) => self.commit(work, *prepared, clock),
        }
    }

    /// Drafts what an arrival corrects and makes it durable; and whether another commit is to follow for the same order.
    fn correct(
        &mut self,
        order: &ClaimCheck,
        moves: &[PositionMove],
        clock: &dyn Clock,
        rng: &mut dyn Rng,
    ) -> Result<(Prepared, bool), PipelineError> {
        let reference = self.references.current()?;
        let landing = Arc::clone(self.deliveries.landing());
        let draft = corrector::draft(order, &mut self.committer, &landing, &mut self.deliveries, &reference)?;
        if let Some(draft) = draft {
            let goes_on = draft.plan.by < order.arrival;
            let moves = if goes_on { &[] } else { moves };
            return Ok((self.committer.prepare_correction(&draft, moves, clock, rng)?, goes_on));
        }
        let nothing = Group { positions: moves.to_vec(), reference_version: reference.version, ..Group::default() };
        Ok((self.committer.prepare(&nothing, &|batch| reference.rate(batch), clock, rng)?, false))
    }

    fn gather(&mut self, wait_ms: u64, clock: &dyn Clock) -> Result<Step, PipelineError> {
        if self.parking.release_due(clock.now_us()) {
            metrics::parked(self.number, self.parking.waiting().len());
            self.deliveries.forget();
            self.restart()?;
            return Ok(Step::Rebalanced);
        }
        let now_us = clock.now_us();
        if self.queue.is_due(now_us) {
            return self.read(clock);
        }
        let patience_ms = u64::try_from(self.queue.patience_us(now_us)).unwrap_or(0).div_ceil(1_000);
        let wait_ms = if self.queue.is_empty() { wait_ms } else { wait_ms.min(patience_ms) };
        let event = match self.reader.poll(wait_ms, self.settings.queue_max) {
            // Retention has overtaken this worker; where the table stands says what that means.
            Err(LogError::OutOfRange { offset, low, .. }) if offset < low => {
                self.restart()?;
                return Ok(Step::Rebalanced);
            }
            event => event?,
        };
        match event {
            LogEvent::Idle if self.queue.is_empty() => Ok(Step::Idle),
            LogEvent::Idle if self.queue.patience_us(clock.now_us()) > 0 => Ok(Step::Idle),
            LogEvent::Idle => self.read(clock),
            LogEvent::Records(partition, records) => self.take(partition, records, clock.now_us()),
            LogEvent::Assigned(partitions) => {
                // All are noted before anything is asked: an assignment is told once, and what fails is tried again by a restart.
                for partition in partitions {
                    self.cursors.insert(partition, Cursor { app_id: None, committed: 0 });
                }
                self.is_member = true;
                self.restart()?;
                Ok(Step::Rebalanced)
            }
            LogEvent::Revoked(partitions) => {
                for partition in partitions {
                    self.cursors.remove(&partition);
                    self.parking.leave(partition);
                }
                self.restart()?;
                Ok(Step::Rebalanced)
            }
        }
    }

    /// Queues the claim checks of a partition, as far as it is not parked.
    fn take(&mut self, partition: TopicPartition, records: Vec<Record>, now_us: i64) -> Result<Step, PipelineError> {
        for record in records {
            let offset = record.offset;
            if self.parking.holds(partition, offset) {
                self.reader.pause(partition);
                break;
            }
            let claim = match serde_json::from_slice(&record.payload) {
                Ok(claim) => Some(claim),
                Err(e) => {
                    self.put_aside(partition, &record, &mask_digits(&e.to_string()))?;
                    None
                }
            };
            self.queue.push(Waiting { partition, offset, claim }, now_us);
        }
        metrics::queue(self.number, self.queue.len());
        Ok(Step::Polled)
    }

    /// A record that is no claim check goes to the dead letters. Its rows, if it stood for any, have no verdict without it, so
    /// their file is announced again.
    fn put_aside(&mut self, partition: TopicPartition, record: &Record, what: &str) -> Result<(), PipelineError> {
        let life = self.reader.incarnation(partition.topic)?;
        tracing::error!(%partition, offset = record.offset, what, "put aside: `tollway dlq list` shows it");
        dead_letter::put_aside(&mut *self.dead_letters, partition, &life, record, what)?;
        metrics::dead_letter(partition.topic.name());
        Ok(())
    }

    /// Lets a partition wait before one of its claim checks and starts again without it: what stands before it is rated yet.
    fn park(&mut self, at: (TopicPartition, u64), error: PipelineError, now_us: i64) -> Result<Step, PipelineError> {
        let (partition, offset) = at;
        tracing::error!(worker = self.number, %partition, offset, error = %error, "parked: mend the cause, it is tried again");
        self.parking.park(partition, offset, error, now_us);
        metrics::parked(self.number, self.parking.waiting().len());
        self.restart()?;
        Ok(Step::Parked(partition))
    }

    /// After a failed step: forgets what was under way; the next step starts every partition from where the table stands.
    pub fn recover(&mut self) {
        self.stage = Stage::Lost;
    }

    /// Drops what is not committed and starts every partition from where the table stands. Where retention has overtaken the
    /// table, the next step moves it over what is lost.
    fn restart(&mut self) -> Result<(), PipelineError> {
        self.queue.clear();
        self.deliveries.reset();
        self.stage = Stage::Gathering;
        let mut lost = Vec::new();
        for (partition, cursor) in &mut self.cursors {
            let marks = self.reader.watermarks(*partition)?;
            let app_id = match &mut cursor.app_id {
                Some(app_id) => app_id,
                none => none.insert(app_id(&self.reader.incarnation(partition.topic)?, *partition)),
            };
            let position = self.committer.position(app_id)?;
            if position > marks.high {
                return Err(PipelineError::LogLost { partition: *partition, position, high: marks.high });
            }
            cursor.committed = position;
            match self.reader.start_at(*partition, position) {
                Err(LogError::OutOfRange { low, .. }) if position < low => {
                    lost.push(PositionMove { app_id: app_id.clone(), from: position, to: low });
                }
                started => {
                    started?;
                    self.reader.resume(*partition);
                }
            }
        }
        if !lost.is_empty() {
            self.stage = Stage::Behind(lost);
        }
        Ok(())
    }

    /// Takes the next group off the queue and reads it.
    fn read(&mut self, clock: &dyn Clock) -> Result<Step, PipelineError> {
        let began = clock.now_us();
        let mut group: Option<Fill> = None;
        let (mut claims, mut places) = (Vec::new(), Vec::new());
        let mut ends: BTreeMap<TopicPartition, u64> = BTreeMap::new();
        while let Some((next, filled)) = self.queue.next(group) {
            ends.insert(next.partition, next.offset + 1);
            let held = group.get_or_insert_default();
            let Some(c) = next.claim else { continue };
            if c.corrects {
                let (place, moves) = ((next.partition, next.offset), self.moves(&ends));
                self.stage = Stage::Read(Work::Correction { order: c, place, moves, goes_on: false });
                return Ok(Step::Read);
            }
            if self.committer.is_committed(c.delivery, c.arrival, c.first_row, c.rows)? {
                metrics::redelivered(1);
            } else {
                *held = filled;
                claims.push(c);
                places.push((next.partition, next.offset));
            }
        }
        self.queue.note_begin(group.unwrap_or_default(), began);
        let reference = self.references.current()?;
        let ranges = match read(&claims, &mut self.deliveries) {
            Ok(ranges) => ranges,
            Err(Spoilt { claim, error }) if error.disposition() != Disposition::Retry => {
                return self.park(places[claim], *error, clock.now_us());
            }
            Err(spoilt) => return Err(*spoilt.error),
        };
        let positions = self.moves(&ends);
        metrics::stage("read", clock.now_us() - began);
        self.stage = Stage::Read(Work::Group(Group { ranges, positions, reference_version: reference.version }, reference));
        Ok(Step::Read)
    }

    /// The moves from where the table stands to these offsets.
    fn moves(&self, ends: &BTreeMap<TopicPartition, u64>) -> Vec<PositionMove> {
        let to = |(partition, to): (&TopicPartition, &u64)| {
            let cursor = self.cursors.get(partition)?;
            Some(PositionMove { app_id: cursor.app_id.clone()?, from: cursor.committed, to: *to })
        };
        ends.iter().filter_map(to).collect()
    }

    fn commit(&mut self, work: Work, prepared: Prepared, clock: &dyn Clock) -> Result<Step, PipelineError> {
        let began = clock.now_us();
        let outcome = self.committer.commit(prepared)?;
        metrics::stage("commit", clock.now_us() - began);
        match outcome {
            Outcome::Committed(receipt) => {
                self.queue.note_commit(clock.now_us());
                metrics::commit("committed");
                metrics::count_rows(&receipt.counts);
                metrics::redelivered(receipt.redelivered);
                for (partition, cursor) in &mut self.cursors {
                    if let Some(moved) = work.moves().iter().find(|p| Some(&p.app_id) == cursor.app_id.as_ref()) {
                        cursor.committed = moved.to;
                        self.reader.note_progress(*partition, moved.to)?;
                        if let Some(high) = self.reader.heard_high(*partition) {
                            metrics::lag(partition.partition, high.saturating_sub(moved.to));
                        }
                    }
                }
                tracing::info!(worker = self.number, version = receipt.version, rows = receipt.counts.rows_in, "committed");
                if matches!(work, Work::Correction { goes_on: true, .. }) {
                    self.stage = Stage::Read(work);
                }
                Ok(Step::Committed(receipt))
            }
            Outcome::Redo => {
                metrics::commit("redo");
                self.stage = Stage::Read(work);
                Ok(Step::Redo)
            }
            Outcome::Fenced => {
                metrics::commit("fenced");
                self.restart()?;
                Ok(Step::Fenced)
            }
        }
    }
}
