//! Where the log ends and where the table stands: what waits, and what was lost.

use ingest::log::embedded::EmbeddedLog;
use ingest::log::{LogError, LogReader, Topic, TopicPartition};
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
    pub fn trim(self, log: &EmbeddedLog) -> Result<(), PipelineError> {
        log.trim(self.partition, self.position)?;
        Ok(())
    }

    /// Whether the log still holds what the table has seen.
    pub fn check(self) -> Result<(), PipelineError> {
        let Self { partition, position, high } = self;
        if position > high { Err(PipelineError::LogLost { partition, position, high }) } else { Ok(()) }
    }
}

/// Where the log ends and the table stands, for every partition of claim checks.
pub fn log_ends(log: &EmbeddedLog, entries: &Table) -> Result<Vec<LogEnd>, PipelineError> {
    let incarnation = log.incarnation(Topic::Batches);
    let end = |partition| {
        let partition = TopicPartition { topic: Topic::Batches, partition };
        let app_id = app_id(&incarnation, partition);
        let high = log.watermarks(partition)?.high;
        Ok(LogEnd { partition, position: entries.snapshot().position(&app_id), high })
    };
    (0..log.partitions(Topic::Batches)).map(end).collect()
}

/// Where the topic of files ends before what was split of it, it lost its end: the next notices get those offsets again and
/// must not be taken for split. Nothing is missing, because landing announces every delivery that has no verdict.
pub fn forget_lost_notices(log: &EmbeddedLog) -> Result<(), LogError> {
    let mut reader = log.reader(crate::flow::GROUP, Topic::Files, 0, 1);
    for partition in 0..log.partitions(Topic::Files) {
        let partition = TopicPartition { topic: Topic::Files, partition };
        let high = log.watermarks(partition)?.high;
        if reader.noted_progress(partition)?.is_some_and(|noted| noted > high) {
            tracing::warn!(%partition, high, "the log lost its end; what has no verdict is announced again");
            reader.note_progress(partition, high)?;
        }
    }
    Ok(())
}
