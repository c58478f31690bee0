//! Where the log ends and where the table stands: what waits, and what was lost.

use ingest::log::{Log, Topic, TopicPartition};
use pipeline::PipelineError;
use pipeline::worker::app_id;
use sinks::table::Table;

/// How far a partition of claim checks goes, and how far the table has taken it in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEnd {
    partition: TopicPartition,
    /// The offset that the table would take next.
    position: u64,
    /// The offset that the next record gets.
    high: u64,
}

impl LogEnd {
    /// Records that wait for the table.
    pub fn lag(self) -> u64 {
        self.high.saturating_sub(self.position)
    }

    /// Lets the log forget what the table holds, as far as its retention allows.
    pub fn trim(self, log: &dyn Log) -> Result<(), PipelineError> {
        log.let_go(self.partition, self.position)?;
        Ok(())
    }

    /// Which partition, and the offset that the table would take next.
    pub fn position(self) -> (TopicPartition, u64) {
        (self.partition, self.position)
    }

    /// Whether the log still holds what the table has seen.
    pub fn check(self) -> Result<(), PipelineError> {
        let Self { partition, position, high } = self;
        if position > high { Err(PipelineError::LogLost { partition, position, high }) } else { Ok(()) }
    }
}

/// Where the log ends and the table stands, for every partition of claim checks.
pub fn log_ends(log: &dyn Log, entries: &Table) -> Result<Vec<LogEnd>, PipelineError> {
    let incarnation = log.incarnation(Topic::Batches)?;
    let end = |partition| {
        let partition = TopicPartition { topic: Topic::Batches, partition };
        let app_id = app_id(&incarnation, partition);
        let high = log.watermarks(partition)?.high;
        Ok(LogEnd { partition, position: entries.snapshot().position(&app_id), high })
    };
    (0..log.partitions(Topic::Batches)).map(end).collect()
}
