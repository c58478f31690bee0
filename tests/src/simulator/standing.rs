//! Where log and table stand in the simulator, for whoever looks for files that fell off.

use ingest::log::memory::{MemoryLog, MemoryReader};
use ingest::log::{LogReader, Topic, TopicPartition};
use pipeline::PipelineError;
use pipeline::healing::Standing;
use pipeline::worker::app_id;
use sinks::table::Table;

use super::theatre::SPLITTING;

/// The log as a member of the splitters' group sees it that has no partition.
#[derive(Debug)]
pub struct LogStanding {
    reader: MemoryReader,
    partitions: u32,
}

impl LogStanding {
    /// Looks at a log.
    pub fn of(log: &MemoryLog) -> Self {
        Self { reader: log.reader(SPLITTING, Topic::Files, u32::MAX, u32::MAX), partitions: log.partitions() }
    }

    fn at(&self, topic: Topic) -> impl Iterator<Item = TopicPartition> + use<> {
        (0..self.partitions).map(move |partition| TopicPartition { topic, partition })
    }
}

impl Standing for LogStanding {
    fn ends(&mut self, topic: Topic) -> Result<Vec<u64>, PipelineError> {
        self.at(topic).map(|at| Ok(self.reader.watermarks(at)?.high)).collect()
    }

    fn split(&mut self) -> Result<Vec<u64>, PipelineError> {
        self.at(Topic::Files).map(|at| Ok(self.reader.noted_progress(at)?.unwrap_or(0))).collect()
    }

    fn rated(&mut self, entries: &Table) -> Result<Vec<u64>, PipelineError> {
        let life = self.reader.incarnation(Topic::Batches)?;
        Ok(self.at(Topic::Batches).map(|at| entries.snapshot().position(&app_id(&life, at))).collect())
    }
}
