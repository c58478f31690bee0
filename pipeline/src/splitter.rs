//! Notices → claim checks: a landed file is checked as a whole, cut at record boundaries and announced for rating.

use std::sync::Arc;

use ingest::land::{ArrivalKind, DeliveryState, Landing};
use ingest::log::{LogEvent, LogReader, LogWriter, Record, Topic, TopicPartition};
use ingest::message::{ClaimCheck, Notice};
use ingest::split::{Split, Splitter as Cutter};

use crate::deliveries::Deliveries;
use crate::error::PipelineError;
use crate::metrics;

/// Bytes that are read at once.
const CHUNK_BYTES: u64 = 8 << 20;

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SplitStep {
    /// Nothing to do.
    Idle,
    /// Partitions came or went.
    Rebalanced,
    /// A file was split into this many claim checks.
    Split(usize),
}

/// Reads `files.v1`, writes `batches.v1`. At least once: what comes twice is dropped by the ledger's coverage.
pub struct Splitter<R, W> {
    reader: R,
    writer: W,
    landing: Arc<Landing>,
    deliveries: Deliveries,
}

impl<R, W> std::fmt::Debug for Splitter<R, W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Splitter")
    }
}

impl<R: LogReader, W: LogWriter> Splitter<R, W> {
    /// A splitter over the files of a landing.
    pub fn new(reader: R, writer: W, landing: Arc<Landing>, deliveries: Deliveries) -> Self {
        Self { reader, writer, landing, deliveries }
    }

    /// Handles the next event; waits at most `wait_ms` for one.
    pub fn step(&mut self, wait_ms: u64) -> Result<SplitStep, PipelineError> {
        match self.reader.poll(wait_ms, 1)? {
            LogEvent::Idle => Ok(SplitStep::Idle),
            LogEvent::Revoked(_) => Ok(SplitStep::Rebalanced),
            LogEvent::Assigned(partitions) => {
                for partition in partitions {
                    let low = self.reader.watermarks(partition)?.low;
                    let start = self.reader.noted_progress(partition)?.unwrap_or(low).max(low);
                    self.reader.start_at(partition, start)?;
                }
                Ok(SplitStep::Rebalanced)
            }
            LogEvent::Records(partition, records) => {
                let mut cut = 0;
                for record in &records {
                    match self.split(partition, record) {
                        Ok(claims) => cut += claims,
                        Err(error) => {
                            // The reader is past this notice: it is read again with the next step.
                            self.reader.start_at(partition, record.offset)?;
                            return Err(error);
                        }
                    }
                    self.reader.note_progress(partition, record.offset + 1)?;
                }
                Ok(SplitStep::Split(cut))
            }
        }
    }

    fn split(&mut self, partition: TopicPartition, record: &Record) -> Result<usize, PipelineError> {
        let notice: Notice = serde_json::from_slice(&record.payload).map_err(|e| PipelineError::Message {
            partition,
            offset: record.offset,
            what: e.to_string(),
        })?;
        let arrival = self.landing.arrival(notice.arrival)?;
        let ArrivalKind::Delivery(delivery) = &arrival.kind else {
            let what = format!("arrival {} is no delivery", notice.arrival);
            return Err(PipelineError::Message { partition, offset: record.offset, what });
        };
        if !matches!(delivery.state, DeliveryState::Announced) {
            return Ok(0);
        }
        let profile = self.deliveries.profile(notice.arrival, &delivery.profile_sha256)?;
        let object = Landing::object_path(&delivery.identity.sha256);
        let mut cutter = Cutter::new(&profile, delivery.cut_rows);
        let mut at = 0;
        while at < delivery.size {
            let to = (at + CHUNK_BYTES).min(delivery.size);
            cutter.push(&self.deliveries.blob().get_range(&object, at..to)?);
            at = to;
        }
        let claims = claims_of(&notice, cutter.finish());
        let key = delivery.identity.account.path();
        for claim in &claims {
            let payload = serde_json::to_vec(claim).expect("texts and integers make JSON");
            self.writer.append(Topic::Batches, key.as_bytes(), &[], &payload)?;
        }
        if let Some(verdict) = claims.last().and_then(|c| c.verdict.as_ref()) {
            metrics::file(verdict.state.as_str());
            tracing::info!(arrival = notice.arrival, state = verdict.state.as_str(), rows = verdict.rows, "file split");
        }
        Ok(claims.len())
    }
}

/// The claim checks of a split file; the last one carries the verdict. A file whose rows are not taken, or that has none,
/// has one without rows.
pub fn claims_of(notice: &Notice, split: Split) -> Vec<ClaimCheck> {
    let claim = |from, to, first_row, rows| ClaimCheck {
        arrival: notice.arrival,
        delivery: notice.delivery,
        from,
        to,
        first_row,
        rows,
        verdict: None,
    };
    let ranges = if split.verdict.state.is_taken() { &split.ranges[..] } else { &[] };
    let mut claims: Vec<ClaimCheck> = ranges.iter().map(|r| claim(r.from, r.to, r.first_row, r.rows)).collect();
    if claims.is_empty() {
        claims.push(claim(0, 0, 0, 0));
    }
    if let Some(last) = claims.last_mut() {
        last.verdict = Some(split.verdict);
    }
    claims
}
