//! Announcing is one member's work: whoever has the first partition of the topic of files leads.

use std::sync::Arc;
use std::time::Duration;

use domain::ports::Clock;
use ingest::land::{Decision, Replay};
use ingest::log::{Log, LogReader, LogWriter, Topic, TopicPartition};
use pipeline::PipelineError;
use pipeline::announcer::Announcer;
use pipeline::healing::Standing;
use pipeline::splitter::Splitter;
use pipeline::worker::app_id;
use sinks::commit::CommitError;
use sinks::settled::Settled;
use sinks::table::Table;

use crate::dead_letters;
use crate::flow::Installed;
use crate::system::SystemClock;

/// The first pause after a look at landing that found nothing, microseconds; it doubles up to the limit.
const FIRST_PAUSE_US: i64 = 50_000;

/// How often who leads looks around.
#[derive(Debug, Clone, Copy)]
pub struct LeadSettings {
    /// The longest pause between two looks at landing while nothing comes (`landing.look_pause_max_ms`).
    pub landing_pause_max: Duration,
    /// How often files are looked for that fell off the log (`pipeline.look_again_s`).
    pub look_again: Duration,
}

/// What one round of announcing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announced {
    /// Nothing: it is another member's work, or landing was asked a moment ago and had nothing new.
    NotAsked,
    /// So many notices went out.
    Sent(usize),
}

/// Announces while this member leads; when that changes, the next one begins from landing.
pub struct Leading {
    installed: Installed,
    entries: Table,
    settings: LeadSettings,
    announcer: Option<Announcer<Box<dyn LogWriter>>>,
    calls: Calls,
    /// Dead letters that operators want to be sent again.
    replays: Vec<Replay>,
}

/// When landing is asked again: at once when something is known to have come, else after growing pauses, because each look at
/// object storage is a request.
#[derive(Debug)]
struct Calls {
    pause_max_us: i64,
    pause_us: i64,
    due_us: i64,
    /// What this process has landed, and what it was asked for, at the last look.
    seen: (u64, u64),
}

impl Calls {
    fn new(pause_max: Duration) -> Self {
        Self { pause_max_us: micros(pause_max), pause_us: 0, due_us: i64::MIN, seen: (0, 0) }
    }

    fn are_due(&self, seen: (u64, u64), now_us: i64) -> bool {
        seen != self.seen || now_us >= self.due_us
    }

    fn note(&mut self, seen: (u64, u64), sent: usize, now_us: i64) {
        let next_us = if sent > 0 { 0 } else { self.pause_us.saturating_mul(2).max(FIRST_PAUSE_US).min(self.pause_max_us) };
        (self.seen, self.pause_us) = (seen, next_us);
        self.due_us = now_us.saturating_add(next_us);
    }
}

fn replay_of(decision: Decision) -> Option<Replay> {
    match decision {
        Decision::Replay(replay) => Some(replay),
        Decision::Dismiss(_) | Decision::Withdraw(_) | Decision::Recycle(_) => None,
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

impl std::fmt::Debug for Leading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Leading({:?})", self.announcer)
    }
}

impl Leading {
    /// Announces what has landed in an installation; `entries` is its table of records.
    pub fn new(installed: Installed, entries: Table, settings: LeadSettings) -> Self {
        Self { installed, entries, settings, announcer: None, calls: Calls::new(settings.landing_pause_max), replays: Vec::new() }
    }

    /// Announces what has landed and what fell off the log, if that is ours to do. `asked` counts the questions for everything
    /// that has landed: a new one is answered by a look.
    pub fn step<R, W>(&mut self, splitter: &mut Splitter<R, W>, asked: u64) -> Result<Announced, PipelineError>
    where
        R: LogReader,
        W: LogWriter,
    {
        if !splitter.leads() {
            self.announcer = None;
            self.replays.clear();
            self.calls = Calls::new(self.settings.landing_pause_max);
            return Ok(Announced::Sent(0));
        }
        let announcer = if let Some(announcer) = &mut self.announcer {
            announcer
        } else {
            self.entries.refresh().map_err(CommitError::from)?;
            let mut settled = Settled::default();
            settled.fold(&self.entries).map_err(CommitError::from)?;
            let (landing, writer) = (Arc::clone(&self.installed.landing), self.installed.log.writer());
            let announcer = Announcer::new(landing, writer, settled, micros(self.settings.look_again));
            self.announcer.insert(announcer.without(&self.entries))
        };
        let seen = (self.installed.landing.arrivals_made(), asked);
        let now_us = SystemClock.now_us();
        let mut sent = Announced::NotAsked;
        if self.calls.are_due(seen, now_us) {
            let announced = announcer.step()?;
            self.calls.note(seen, announced, now_us);
            sent = Announced::Sent(announced);
            self.replays.extend(announcer.take_decisions().into_iter().filter_map(replay_of));
        }
        if !self.replays.is_empty() {
            let again = dead_letters::replay_landed(&*self.installed.log, &self.replays)?;
            self.replays.clear();
            if again > 0 {
                tracing::info!(dead_letters = again, "sent again");
            }
        }
        let mut standing = LogStanding { log: &*self.installed.log, splitter };
        match (announcer.look_again(&mut standing, &mut self.entries, &SystemClock)?, sent) {
            (0, sent) => Ok(sent),
            (again, Announced::Sent(sent)) => Ok(Announced::Sent(sent + again)),
            (again, Announced::NotAsked) => Ok(Announced::Sent(again)),
        }
    }
}

/// Where the log stands, as the members of its groups have noted it.
struct LogStanding<'a, R, W> {
    log: &'a dyn Log,
    splitter: &'a mut Splitter<R, W>,
}

impl<R, W> LogStanding<'_, R, W> {
    fn partitions(&self, topic: Topic) -> impl Iterator<Item = TopicPartition> + use<R, W> {
        (0..self.log.partitions(topic)).map(move |partition| TopicPartition { topic, partition })
    }
}

impl<R: LogReader, W: LogWriter> Standing for LogStanding<'_, R, W> {
    fn ends(&mut self, topic: Topic) -> Result<Vec<u64>, PipelineError> {
        self.partitions(topic).map(|partition| Ok(self.log.watermarks(partition)?.high)).collect()
    }

    fn split(&mut self) -> Result<Vec<u64>, PipelineError> {
        self.partitions(Topic::Files).map(|partition| self.splitter.split_until(partition)).collect()
    }

    fn rated(&mut self, entries: &Table) -> Result<Vec<u64>, PipelineError> {
        let life = self.log.incarnation(Topic::Batches)?;
        Ok(self.partitions(Topic::Batches).map(|partition| entries.snapshot().position(&app_id(&life, partition))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_service_asks_landing_less_and_less_often_and_at_once_when_something_came() {
        let mut calls = Calls::new(Duration::from_secs(1));
        let (mut now_us, mut looks) = (0, 0);
        while now_us < 10_000_000 {
            if calls.are_due((0, 0), now_us) {
                calls.note((0, 0), 0, now_us);
                looks += 1;
            }
            now_us += 50_000;
        }
        assert!((10..=15).contains(&looks), "{looks} looks in ten seconds");
        assert!(calls.are_due((1, 0), now_us), "this process has landed a file");
        assert!(calls.are_due((0, 1), now_us), "someone waits for what has landed");
        calls.note((1, 0), 1, now_us);
        assert!(calls.are_due((1, 0), now_us), "where one file came there may be more");
    }
}
