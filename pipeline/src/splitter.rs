//! Notices → claim checks: a landed file is checked as a whole, cut at record boundaries and announced for rating.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::delivery::ArrivalNumber;
use domain::number::mask_digits;
use domain::ports::{Blob, Disposition};
use ingest::land::{ArrivalKind, Decision, DeliveryRecord, DeliveryState, LandError, Landing};
use ingest::log::{LogEvent, LogReader, LogWriter, Record, Topic, TopicPartition};
use ingest::message::{ClaimCheck, Notice};
use ingest::profile::Profile;
use ingest::split::{LiveSplitter, Split, Splitter as Cutter};

use crate::dead_letter::put_aside;
use crate::deliveries::Deliveries;
use crate::error::PipelineError;
use crate::metrics;

/// Bytes that are read at once.
const CHUNK_BYTES: u64 = 8 << 20;

/// The partition whose owner announces.
const FIRST: TopicPartition = TopicPartition { topic: Topic::Files, partition: 0 };

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SplitStep {
    /// Nothing to do.
    Idle,
    /// Partitions came or went.
    Rebalanced,
    /// A file was split into this many claim checks.
    Split(usize),
    /// A file cannot be split: it waits for a hand, and so do the later files of its account.
    Blocked,
}

/// Reads `files.v1`, writes `batches.v1`. At least once: what comes twice is dropped by the ledger's coverage.
///
/// A file that cannot be split, because its object or its profile is damaged, holds back its account alone: the files of an
/// account act in the order of their arrival. What was held back has no verdict, so it is announced again, that file first.
pub struct Splitter<R, W> {
    reader: R,
    writer: W,
    landing: Arc<Landing>,
    deliveries: Deliveries,
    blocked: BTreeMap<String, Blocked>,
    leads: bool,
    /// Assigned partitions that the reader does not read yet, and from where; `None`: from the noted progress. Saying so may
    /// fail with the broker away, so it is kept until it has been said.
    unplaced: BTreeMap<TopicPartition, Option<u64>>,
}

/// An account that waits.
#[derive(Debug)]
struct Blocked {
    /// Where its notices come from.
    partition: TopicPartition,
    /// The file that could not be split: no later one may pass it.
    arrival: ArrivalNumber,
    /// The later ones that came since.
    skipped: BTreeSet<ArrivalNumber>,
    error: Arc<PipelineError>,
}

impl Blocked {
    /// Whether a file waits for the one that blocks. That one is tried again, and so is a file that comes a second time without
    /// it: whoever announces does so in order, so nobody waits for the first any more.
    fn holds(&mut self, arrival: ArrivalNumber) -> bool {
        self.arrival < arrival && self.skipped.insert(arrival)
    }
}

impl<R, W> std::fmt::Debug for Splitter<R, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Splitter")
    }
}

impl<R: LogReader, W: LogWriter> Splitter<R, W> {
    /// A splitter over the files of a landing.
    pub fn new(reader: R, writer: W, landing: Arc<Landing>, deliveries: Deliveries) -> Self {
        Self { reader, writer, landing, deliveries, blocked: BTreeMap::new(), leads: false, unplaced: BTreeMap::new() }
    }

    /// The accounts whose files wait for a hand, and why.
    pub fn blocked(&self) -> impl Iterator<Item = (&str, &Arc<PipelineError>)> {
        self.blocked.iter().map(|(account, blocked)| (account.as_str(), &blocked.error))
    }

    /// Up to which notice its group has split a partition, whoever has it.
    pub fn split_until(&mut self, partition: TopicPartition) -> Result<u64, PipelineError> {
        let low = self.reader.watermarks(partition)?.low;
        Ok(self.reader.noted_progress(partition)?.unwrap_or(low).max(low))
    }

    /// Whether this member has the first partition of its group: of all members one has it, and that one announces.
    pub fn leads(&self) -> bool {
        self.leads
    }

    /// Handles the next event; waits at most `wait_ms` for one.
    pub fn step(&mut self, wait_ms: u64) -> Result<SplitStep, PipelineError> {
        self.place()?;
        match self.reader.poll(wait_ms, 1)? {
            LogEvent::Idle => Ok(SplitStep::Idle),
            LogEvent::Revoked(partitions) => {
                self.leads &= !partitions.contains(&FIRST);
                self.unplaced.retain(|partition, _| !partitions.contains(partition));
                // Whoever has them now finds out by itself.
                self.blocked.retain(|_, blocked| !partitions.contains(&blocked.partition));
                metrics::blocked(self.blocked.len());
                Ok(SplitStep::Rebalanced)
            }
            LogEvent::Assigned(partitions) => {
                self.leads |= partitions.contains(&FIRST);
                self.unplaced.extend(partitions.into_iter().map(|partition| (partition, None)));
                Ok(SplitStep::Rebalanced)
            }
            LogEvent::Records(partition, records) => {
                let mut done = SplitStep::Split(0);
                for record in &records {
                    done = match self.take(partition, record) {
                        // The reader is past this notice: it is to be read again.
                        Err(error) => {
                            self.unplaced.insert(partition, Some(record.offset));
                            return Err(error);
                        }
                        Ok(done) => done,
                    };
                    self.reader.note_progress(partition, record.offset + 1)?;
                }
                Ok(done)
            }
        }
    }

    /// Tells the reader from where to read the partitions that it was not told of yet.
    fn place(&mut self) -> Result<(), PipelineError> {
        while let Some((&partition, &at)) = self.unplaced.first_key_value() {
            let start = if let Some(offset) = at {
                offset
            } else {
                let low = self.reader.watermarks(partition)?.low;
                self.reader.noted_progress(partition)?.unwrap_or(low).max(low)
            };
            self.reader.start_at(partition, start)?;
            self.unplaced.remove(&partition);
        }
        Ok(())
    }

    /// Splits the file of one notice, or blocks its account.
    fn take(&mut self, partition: TopicPartition, record: &Record) -> Result<SplitStep, PipelineError> {
        match self.split(partition, record) {
            Ok(claims) => Ok(SplitStep::Split(claims)),
            Err(PipelineError::Message { what, .. }) => {
                let life = self.reader.incarnation(partition.topic)?;
                tracing::error!(%partition, offset = record.offset, what, "put aside: `tollway dlq list` shows it");
                put_aside(&mut self.writer, partition, &life, record, &what)?;
                metrics::dead_letter(partition.topic.name());
                Ok(SplitStep::Split(0))
            }
            // A notice of another installation is not ours to take: nothing is noted, and its account is nobody's here.
            Err(error @ PipelineError::Foreign { .. }) => Err(error),
            Err(error) if error.disposition() == Disposition::Retry => Err(error),
            Err(error) => {
                let account = String::from_utf8_lossy(&record.key).into_owned();
                tracing::error!(account, error = %error, "blocked: mend the cause, it is tried again");
                let arrival = serde_json::from_slice(&record.payload).map_or(0, |notice: Notice| notice.arrival);
                let blocked = Blocked { partition, arrival, skipped: BTreeSet::new(), error: Arc::new(error) };
                self.blocked.insert(account, blocked);
                metrics::blocked(self.blocked.len());
                Ok(SplitStep::Blocked)
            }
        }
    }

    fn split(&mut self, partition: TopicPartition, record: &Record) -> Result<usize, PipelineError> {
        let notice: Notice = serde_json::from_slice(&record.payload).map_err(|e| PipelineError::Message {
            partition,
            offset: record.offset,
            what: mask_digits(&e.to_string()),
        })?;
        let Notice { arrival: number, delivery: meant } = notice;
        let foreign = || PipelineError::Foreign { arrival: number, delivery: Box::new(meant) };
        let arrival = match self.landing.arrival(number) {
            Err(LandError::NoArrival(_)) => return Err(foreign()),
            arrival => arrival?,
        };
        let delivery = match &arrival.kind {
            ArrivalKind::Delivery(delivery) => delivery,
            ArrivalKind::Decision(Decision::Withdraw(word)) if word.delivery == meant => {
                return self.order_in_turn(&notice, &word.account.path());
            }
            ArrivalKind::Decision(Decision::Recycle(word)) if word.order() == meant => {
                return self.order_in_turn(&notice, &word.account.path());
            }
            ArrivalKind::Decision(_) | ArrivalKind::Import(_) => return Err(foreign()),
        };
        if delivery.delivery != meant {
            return Err(foreign());
        }
        if !matches!(delivery.state, DeliveryState::Announced) {
            return Ok(0);
        }
        let key = delivery.identity.account.path();
        if self.blocked.get_mut(&key).is_some_and(|blocked| blocked.holds(number)) {
            return Ok(0);
        }
        let profile = self.deliveries.profile(notice.arrival, &delivery.profile_sha256)?;
        let claims = claims_of(&notice, cut(&**self.deliveries.blob(), &profile, delivery)?);
        for claim in &claims {
            let payload = serde_json::to_vec(claim).expect("texts and integers make JSON");
            self.writer.append(Topic::Batches, key.as_bytes(), &[], &payload)?;
        }
        if self.blocked.remove(&key).is_some() {
            tracing::info!(account = key, arrival = number, "no longer blocked");
            metrics::blocked(self.blocked.len());
        }
        if let Some(verdict) = claims.last().and_then(|c| c.verdict.as_ref()) {
            metrics::file(verdict.state.as_str());
            tracing::info!(arrival = notice.arrival, state = verdict.state.as_str(), rows = verdict.rows, "file split");
        }
        if delivery.replaces.is_some() {
            self.order(&notice, &key)?;
        }
        Ok(claims.len())
    }

    /// Sends on an operator's decision, unless a file of the account that came before it waits.
    fn order_in_turn(&mut self, notice: &Notice, key: &str) -> Result<usize, PipelineError> {
        let waits = self.blocked.get_mut(key).is_some_and(|blocked| blocked.holds(notice.arrival));
        if waits { Ok(0) } else { self.order(notice, key) }
    }

    /// Sends on that an arrival corrects what is in the table: behind all claim checks of its account that came before.
    fn order(&mut self, notice: &Notice, key: &str) -> Result<usize, PipelineError> {
        let order = ClaimCheck { corrects: true, ..no_rows(notice) };
        let payload = serde_json::to_vec(&order).expect("texts and integers make JSON");
        self.writer.append(Topic::Batches, key.as_bytes(), &[], &payload)?;
        Ok(1)
    }
}

/// Checks a landed file as a whole and cuts it, as pinned at landing.
pub fn cut(blob: &dyn Blob, profile: &Profile, delivery: &DeliveryRecord) -> Result<Split, PipelineError> {
    let object = Landing::object_path(&delivery.identity.sha256);
    if let Some(live) = &delivery.live {
        let mut cutter = LiveSplitter::new(live, delivery.cut_rows, delivery.cut_bytes);
        feed(blob, &object, delivery.size, |chunk| cutter.push(chunk))?;
        return Ok(cutter.finish());
    }
    let mut cutter = Cutter::new(profile, delivery.cut_rows).with_range_bytes(delivery.cut_bytes);
    feed(blob, &object, delivery.size, |chunk| cutter.push(chunk))?;
    Ok(cutter.finish())
}

/// Hands an object over piece by piece.
fn feed(blob: &dyn Blob, object: &str, size: u64, mut push: impl FnMut(&[u8])) -> Result<(), PipelineError> {
    let mut at = 0;
    while at < size {
        let to = (at + CHUNK_BYTES).min(size);
        push(&blob.get_range(object, at..to)?);
        at = to;
    }
    Ok(())
}

fn no_rows(notice: &Notice) -> ClaimCheck {
    ClaimCheck {
        arrival: notice.arrival,
        delivery: notice.delivery,
        from: 0,
        to: 0,
        first_row: 0,
        rows: 0,
        verdict: None,
        corrects: false,
    }
}

/// The claim checks of a split file; the last one carries the verdict. A file whose rows are not taken, or that has none,
/// has one without rows.
pub fn claims_of(notice: &Notice, split: Split) -> Vec<ClaimCheck> {
    let claim = |from, to, first_row, rows| ClaimCheck { from, to, first_row, rows, ..no_rows(notice) };
    let ranges = if split.verdict.state.is_taken() { &split.ranges[..] } else { &[] };
    let mut claims: Vec<ClaimCheck> = ranges.iter().map(|r| claim(r.from, r.to, r.first_row, r.rows)).collect();
    if claims.is_empty() {
        claims.push(no_rows(notice));
    }
    if let Some(last) = claims.last_mut() {
        last.verdict = Some(split.verdict);
    }
    claims
}
