//! Listening: events of a live source are gathered into micro-batches and landed, each once (docs/adr/0015-live-sources.md).
//!
//! One [`Listener::step`] does one thing, so that whoever drives it may stop or kill it between any two: take events, keep the
//! bytes of a batch, let it arrive. What a listener holds is not worth saving: landing says where every partition stands.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use domain::ports::Clock;
use ingest::land::{KeptLive, LandRequest, LandedLive, Landing, LivePartition, LiveRange};
use ingest::live::{Event, EventSource, LiveError, LiveForm, MicroBatch, News};
use ingest::log::Watermarks;

use crate::error::PipelineError;
use crate::metrics;

/// Events that one poll brings at most.
const EVENTS_MAX: usize = 4_096;

/// Limits of a listener.
#[derive(Debug, Clone, Copy)]
pub struct ListenSettings {
    /// Rows of a micro-batch: it lands with the event that reaches them.
    pub rows_max: u64,
    /// Bytes of a micro-batch: it lands with the event that reaches them.
    pub bytes_max: usize,
    /// How long an event waits for others, microseconds.
    pub wait_us: i64,
    /// Bytes of all micro-batches that are being gathered: beyond it the largest one lands.
    pub held_bytes_max: usize,
    /// What happens where events are gone that have not landed.
    pub on_loss: OnLoss,
}

/// What happens where events are gone that have not landed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnLoss {
    /// It is an error that says which.
    Stop,
    /// What there is lands, and the next arrival says from where on events are missing.
    Accept,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenStep {
    /// Nothing to do.
    Idle,
    /// Partitions came or went, or are started anew.
    Rebalanced,
    /// So many events were taken.
    Took(usize),
    /// The bytes of a micro-batch are in landing; it has not arrived.
    Kept(u32),
    /// A micro-batch has arrived.
    Landed(Box<LiveRange>),
    /// Another listener has landed from this partition: what was gathered is dropped.
    Overtaken(u32),
}

/// A started partition.
#[derive(Debug)]
struct Open {
    batch: MicroBatch,
    /// When its first event came.
    since_us: i64,
    /// All that there was when it was last looked at has been taken.
    is_at_end: bool,
}

/// A micro-batch whose bytes are kept.
#[derive(Debug)]
struct UnderWay {
    partition: u32,
    range: LiveRange,
    kept: KeptLive,
    bytes: usize,
}

/// One member of those who listen to a topic.
pub struct Listener<S> {
    source: S,
    landing: Arc<Landing>,
    /// What all micro-batches have in common; its names are those of the batch at hand.
    request: LandRequest,
    form: LiveForm,
    settings: ListenSettings,
    /// The topic's life when its partitions were started.
    life: Option<String>,
    is_member: bool,
    /// Partitions that are ours and not started.
    unplaced: BTreeSet<u32>,
    open: BTreeMap<u32, Open>,
    /// Where partitions were begun of which nothing had landed.
    began: BTreeMap<u32, u64>,
    /// Events that were polled and not taken: the batch of the first one is full.
    backlog: VecDeque<Event>,
    under_way: Option<UnderWay>,
    /// A place was refused, which starting all partitions anew must explain.
    is_refused: bool,
    is_closing: bool,
}

impl<S: EventSource> std::fmt::Debug for Listener<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Listener({}, {} partitions)", self.source.topic(), self.open.len())
    }
}

impl<S: EventSource> Listener<S> {
    /// A listener that knows nothing yet; its first assignment tells where to start. `request` names account, profile and cut.
    pub fn new(source: S, landing: Arc<Landing>, request: LandRequest, form: LiveForm, settings: ListenSettings) -> Self {
        Self {
            source,
            landing,
            request,
            form,
            settings,
            life: None,
            is_member: false,
            unplaced: BTreeSet::new(),
            open: BTreeMap::new(),
            began: BTreeMap::new(),
            backlog: VecDeque::new(),
            under_way: None,
            is_refused: false,
            is_closing: false,
        }
    }

    /// Takes no further events: what it holds lands with the next steps, without waiting for more. Being overtaken opens it
    /// again.
    pub fn close(&mut self) {
        self.is_closing = true;
    }

    /// Whether it holds events that have not landed.
    pub fn is_busy(&self) -> bool {
        self.under_way.is_some() || !self.backlog.is_empty() || self.open.values().any(|open| !open.batch.is_empty())
    }

    /// Whether every partition that is ours was taken to its end.
    pub fn is_at_end(&self) -> bool {
        self.is_member && self.unplaced.is_empty() && self.backlog.is_empty() && self.open.values().all(|open| open.is_at_end)
    }

    /// Does the next thing; waits at most `wait_ms` for events when there is nothing else to do.
    pub fn step(&mut self, wait_ms: u64, clock: &dyn Clock) -> Result<ListenStep, PipelineError> {
        if let Some(under_way) = self.under_way.take() {
            return self.arrive(under_way, clock);
        }
        let taken = self.take(clock.now_us());
        if let Some(partition) = self.due(clock.now_us()) {
            return self.keep(partition);
        }
        if taken > 0 {
            return Ok(ListenStep::Took(taken));
        }
        if self.is_closing {
            return Ok(ListenStep::Idle);
        }
        if !self.unplaced.is_empty() {
            self.place()?;
            return Ok(ListenStep::Rebalanced);
        }
        match self.source.poll(self.patience_ms(wait_ms, clock.now_us()), EVENTS_MAX) {
            Ok(news) => Ok(self.hear(news, clock.now_us())),
            Err(error) => {
                // What the source has told and what it has not is not for sure.
                self.recover();
                Err(error.into())
            }
        }
    }

    /// How long to wait for news: no longer than a batch may.
    fn patience_ms(&self, wait_ms: u64, now_us: i64) -> u64 {
        let waiting = self.open.values().filter(|open| !open.batch.is_empty());
        let left_us = waiting.map(|open| open.since_us + self.settings.wait_us - now_us).min();
        left_us.map_or(wait_ms, |left| wait_ms.min(u64::try_from(left / 1_000).unwrap_or(0)))
    }

    fn hear(&mut self, news: News, now_us: i64) -> ListenStep {
        match news {
            News::Idle => ListenStep::Idle,
            News::Events(events) => {
                self.backlog.extend(events);
                ListenStep::Took(self.take(now_us))
            }
            News::End(partition) => {
                if let Some(open) = self.open.get_mut(&partition) {
                    open.is_at_end = true;
                    metrics::listen_lag(self.source.topic(), partition, 0);
                }
                ListenStep::Rebalanced
            }
            News::Assigned(partitions) => {
                self.is_member = true;
                self.unplaced.extend(partitions);
                ListenStep::Rebalanced
            }
            News::Revoked(partitions) => {
                for partition in &partitions {
                    self.forget(*partition);
                }
                self.unplaced.retain(|partition| !partitions.contains(partition));
                ListenStep::Rebalanced
            }
            News::Refused => {
                self.recover();
                self.is_refused = true;
                ListenStep::Rebalanced
            }
        }
    }

    /// Drops what is gathered of a partition: landing says where it goes on.
    fn forget(&mut self, partition: u32) {
        self.open.remove(&partition);
        self.backlog.retain(|event| event.partition != partition);
    }

    /// Drops all that is gathered; the next steps start every partition from where landing stands.
    pub fn recover(&mut self) {
        self.under_way = None;
        self.backlog.clear();
        self.unplaced.extend(std::mem::take(&mut self.open).into_keys());
    }

    /// Moves polled events into their batches, as far as these have room; tells how many.
    fn take(&mut self, now_us: i64) -> usize {
        let (mut taken, mut bytes) = (0, 0);
        while let Some(event) = self.backlog.front() {
            let Some(open) = self.open.get_mut(&event.partition) else {
                self.backlog.pop_front();
                continue;
            };
            if is_full(&open.batch, &self.settings) {
                break;
            }
            if open.batch.is_empty() {
                open.since_us = now_us;
            }
            open.is_at_end = false;
            bytes += event.value.len();
            open.batch.take(&self.form, event);
            self.backlog.pop_front();
            taken += 1;
        }
        metrics::listen_events(self.source.topic(), taken, bytes);
        taken
    }

    /// The partition whose batch is to land now.
    fn due(&self, now_us: i64) -> Option<u32> {
        let gathered = || self.open.iter().filter(|(_, open)| !open.batch.is_empty());
        let is_due = |open: &Open| {
            let waited = now_us - open.since_us >= self.settings.wait_us;
            self.is_closing && self.backlog.is_empty() || waited || is_full(&open.batch, &self.settings)
        };
        if let Some((partition, _)) = gathered().find(|(_, open)| is_due(open)) {
            return Some(*partition);
        }
        let held: usize = gathered().map(|(_, open)| open.batch.bytes()).sum();
        let largest = gathered().max_by_key(|(_, open)| open.batch.bytes()).map(|(partition, _)| *partition);
        largest.filter(|_| held >= self.settings.held_bytes_max)
    }

    /// Keeps the bytes of a batch. The topic's life is asked once more: what was read between two equal answers is of that life.
    fn keep(&mut self, partition: u32) -> Result<ListenStep, PipelineError> {
        self.check_life()?;
        let source = self.source_of(partition)?;
        let Some((open, range)) = self.open.get(&partition).and_then(|open| Some((open, open.batch.range(&source)?))) else {
            return Ok(ListenStep::Idle);
        };
        let kept = self.landing.keep_live(&self.request, open.batch.lines())?;
        tracing::debug!(topic = self.source.topic(), partition, from_offset = range.from_offset, "batch kept");
        self.under_way = Some(UnderWay { partition, range, kept, bytes: open.batch.lines().len() });
        Ok(ListenStep::Kept(partition))
    }

    /// Lets a batch arrive, unless another listener was faster.
    fn arrive(&mut self, under_way: UnderWay, clock: &dyn Clock) -> Result<ListenStep, PipelineError> {
        let UnderWay { partition, range, kept, bytes } = &under_way;
        let landed = match self.landing.land_live(&self.request, range, kept, clock) {
            Ok(landed) => landed,
            Err(error) => {
                self.under_way = Some(under_way);
                return Err(error.into());
            }
        };
        let topic = self.source.topic();
        // An arrival whose answer was lost is found as one that overtook us, at our own end.
        match landed {
            LandedLive::Overtaken(next) if next != range.next_offset => {
                tracing::warn!(topic, partition, next, "another listener has landed from this partition");
                metrics::listen_batch(topic, "overtaken", 0, 0);
                self.forget(*partition);
                self.unplaced.insert(*partition);
                // There may be more to take than there seemed to be.
                self.is_closing = false;
                return Ok(ListenStep::Overtaken(*partition));
            }
            LandedLive::New(_) | LandedLive::Overtaken(_) => {}
        }
        let (next, rows) = (range.next_offset, range.rows);
        tracing::info!(topic, partition, from_offset = range.from_offset, next_offset = next, rows, bytes, "batch landed");
        metrics::listen_batch(topic, "landed", rows, range.empty);
        metrics::listen_offset(topic, *partition, next);
        if let Some(open) = self.open.get_mut(partition) {
            open.batch = MicroBatch::new(&self.form, next, None);
        }
        self.note(*partition, next);
        Ok(ListenStep::Landed(Box::new(under_way.range)))
    }

    /// Tells other tools how far the partition is. The batch has landed: brokers that do not answer now change nothing.
    fn note(&mut self, partition: u32, next: u64) {
        if let Err(error) = self.source.note_progress(partition, next) {
            tracing::debug!(partition, error = %error, "progress is not noted");
        }
        if let Some(high) = self.source.heard_high(partition) {
            metrics::listen_lag(self.source.topic(), partition, high.saturating_sub(next));
        }
    }

    fn source_of(&mut self, partition: u32) -> Result<LivePartition, PipelineError> {
        let incarnation = match &self.life {
            Some(life) => life.clone(),
            None => self.life.insert(self.source.incarnation()?).clone(),
        };
        Ok(LivePartition { topic: self.source.topic().to_owned(), incarnation, partition })
    }

    /// An error if the topic is another one than when its partitions were started.
    fn check_life(&mut self) -> Result<(), PipelineError> {
        let is = self.source.incarnation()?;
        match &self.life {
            Some(was) if *was != is => {
                let topic = self.source.topic().to_owned();
                Err(LiveError::Recreated { topic, was: was.clone(), is }.into())
            }
            _ => Ok(()),
        }
    }

    /// Starts the partitions that are ours from where landing stands.
    fn place(&mut self) -> Result<(), PipelineError> {
        self.check_life()?;
        while let Some(&partition) = self.unplaced.first() {
            let source = self.source_of(partition)?;
            let Watermarks { low, high } = self.source.watermarks(partition)?;
            let landed = self.landing.live_next(&source)?;
            if landed.is_none() {
                self.check_former_life(&source)?;
            }
            let next = landed.unwrap_or(*self.began.entry(partition).or_insert(low));
            let topic = || source.topic.clone();
            if next > high {
                return Err(LiveError::EndLost { topic: topic(), partition, position: next, high }.into());
            }
            let lost_below = (next < low).then_some(low);
            if lost_below.is_some() {
                let error = LiveError::Lost { topic: topic(), partition, from: next, to: low };
                if self.settings.on_loss == OnLoss::Stop {
                    return Err(error.into());
                }
                tracing::warn!(error = %error, "the loss is accepted");
            }
            let from = next.max(low);
            self.source.start_at(partition, from)?;
            tracing::info!(topic = source.topic, partition, from, high, "listening");
            metrics::listen_lag(&source.topic, partition, high - from);
            let batch = MicroBatch::new(&self.form, next, lost_below);
            self.open.insert(partition, Open { batch, since_us: 0, is_at_end: from == high });
            self.unplaced.remove(&partition);
            // What was refused is explained if it is not there any more.
            self.is_refused &= lost_below.is_none();
        }
        if std::mem::take(&mut self.is_refused) {
            return Err(LiveError::Truncated(self.source.topic().to_owned()).into());
        }
        Ok(())
    }

    /// Where nothing has landed from this life of the topic, nothing may have landed from another one, unless that is accepted.
    fn check_former_life(&self, source: &LivePartition) -> Result<(), PipelineError> {
        let lives = self.landing.live_lives(&source.topic)?;
        let is_known = lives.contains(&source.incarnation);
        match lives.last() {
            Some(was) if !is_known => {
                let (topic, was, is) = (source.topic.clone(), was.clone(), source.incarnation.clone());
                let error = LiveError::Recreated { topic, was, is };
                if self.settings.on_loss == OnLoss::Stop {
                    return Err(error.into());
                }
                tracing::warn!(error = %error, "the loss is accepted");
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn is_full(batch: &MicroBatch, settings: &ListenSettings) -> bool {
    batch.is_full() || batch.rows() >= settings.rows_max || batch.bytes() >= settings.bytes_max && !batch.is_empty()
}

#[cfg(test)]
mod tests;
