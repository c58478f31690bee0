//! The log without a broker: segments in a folder, durable when an append returns.
//!
//! ```text
//! log.json                              format, partitions and incarnation of each topic; written last when a log is made
//! lock                                  held by the one writing process, with its number inside
//! tollway.cdr.batches.v1/0/00…042.seg   records from offset 42 on: a header, then frames (see `frame`)
//! groups/<group>.json                   how far a reader group got
//! ```
//!
//! At opening every record is checked. Bytes behind the last whole record of the last segment are the rest of one interrupted
//! append, which nobody was told had happened: they are cut off. Anything else that does not fit is [`LogError::Corrupt`].

mod durable;
mod flush;
mod frame;
mod lock;
mod meta;
mod partition;
mod progress;
mod reader;
mod segment;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use self::flush::Flusher;
use self::lock::WriterLock;
use self::meta::LogMeta;
use self::partition::PartitionLog;
use self::progress::Progress;
use self::segment::Belonging;
use super::admission::{check_record, partition_of};
use super::{Incarnation, Log, LogError, LogReader, LogWriter, Topic, TopicPartition, Watermarks};

pub use self::partition::TornTail;
pub use self::reader::EmbeddedReader;
pub use self::settings::{Fsync, LogSettings, Retention};

/// An open log. Clones share it; it is closed, and its lock free, when the last clone, writer and reader is dropped.
#[derive(Debug, Clone)]
pub struct EmbeddedLog {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    meta: LogMeta,
    partitions: Arc<Partitions>,
    progress: Progress,
    appends: Appends,
    torn_tails: Vec<TornTail>,
    access: Access,
}

#[derive(Debug)]
enum Access {
    Writer { settings: LogSettings, flusher: Option<Flusher>, _lock: WriterLock },
    Reader,
}

/// All partitions of all topics.
#[derive(Debug)]
struct Partitions(BTreeMap<Topic, Vec<PartitionLog>>);

/// A poll that should wait longer waits a day.
const WAIT_MS_MAX: u64 = 86_400_000;

/// How many threads make the partitions of a new log.
const CREATORS_MAX: usize = 16;

/// Counts appends, for who waits for the next one.
#[derive(Debug, Default)]
struct Appends {
    count: Mutex<u64>,
    grown: Condvar,
}

/// Appends to the log; see [`EmbeddedLog::writer`].
#[derive(Debug, Clone)]
pub struct EmbeddedWriter {
    shared: Arc<Shared>,
}

impl EmbeddedLog {
    /// Opens the log of a folder for reading and writing, and makes it if there is none. Only one process can.
    pub fn open(folder: &Path, settings: LogSettings) -> Result<Self, LogError> {
        settings.check()?;
        let lock = WriterLock::take(folder)?;
        let meta = match LogMeta::load(folder)? {
            Some(meta) => complete(folder, meta, &settings)?,
            None => create(folder, &settings)?,
        };
        let mut torn_tails = Vec::new();
        let partitions = Arc::new(Partitions::open(folder, &meta, |id, path, belonging| {
            let (partition, torn) = PartitionLog::open(id, path, belonging)?;
            torn_tails.extend(torn);
            Ok(partition)
        })?);
        let flusher = match settings.fsync {
            Fsync::Interval { every_ms } => Some(Flusher::start(Arc::downgrade(&partitions), every_ms)?),
            Fsync::Always | Fsync::Never => None,
        };
        Ok(Self::share(folder, meta, partitions, torn_tails, Access::Writer { settings, flusher, _lock: lock }))
    }

    /// Opens the log of a folder for reading only, beside a process that may be writing it. Nothing is changed or repaired.
    /// Records that the writer has not yet acknowledged may be seen: right for lag and status, not for processing.
    pub fn open_read_only(folder: &Path) -> Result<Self, LogError> {
        let meta = LogMeta::load(folder)?.ok_or_else(|| LogError::NoLog(folder.to_owned()))?;
        let partitions = Arc::new(Partitions::open(folder, &meta, PartitionLog::open_read_only)?);
        Ok(Self::share(folder, meta, partitions, Vec::new(), Access::Reader))
    }

    fn share(folder: &Path, meta: LogMeta, partitions: Arc<Partitions>, torn_tails: Vec<TornTail>, access: Access) -> Self {
        let progress = Progress::new(folder);
        let appends = Appends::default();
        Self { shared: Arc::new(Shared { folder: folder.to_owned(), meta, partitions, progress, appends, torn_tails, access }) }
    }

    /// A handle that appends.
    pub fn writer(&self) -> EmbeddedWriter {
        EmbeddedWriter { shared: Arc::clone(&self.shared) }
    }

    /// Member `member` (from 0) of a group of `members`: its first poll assigns the partitions `p` with
    /// `p % members == member`, for good. A group's name follows the rules of ids; what does not fit is refused by the first
    /// poll or note.
    pub fn reader(&self, group: &str, topic: Topic, member: u32, members: u32) -> EmbeddedReader {
        EmbeddedReader::new(Arc::clone(&self.shared), group, topic, member, members)
    }

    /// How many partitions a topic has.
    pub fn partitions(&self, topic: Topic) -> u32 {
        self.shared.partitions.count(topic)
    }

    /// First readable and next offset of a partition.
    pub fn watermarks(&self, partition: TopicPartition) -> Result<Watermarks, LogError> {
        Ok(self.shared.followed(partition)?.watermarks())
    }

    /// The topic's present life.
    pub fn incarnation(&self, topic: Topic) -> Incarnation {
        self.shared.meta.incarnation(topic)
    }

    /// Removes segments whose records all lie below `below` (what every reader has committed) and that
    /// [`LogSettings::retention`] does not ask to keep. The segment that is being written always stays.
    pub fn trim(&self, partition: TopicPartition, below: u64) -> Result<Watermarks, LogError> {
        let settings = self.shared.settings()?;
        self.shared.partition(partition)?.trim(below, settings.retention, settings.clock.now_us())
    }

    /// Writes the noted progress of all groups to the disk, and forces all records there.
    pub fn flush(&self) -> Result<(), LogError> {
        self.shared.flush()
    }

    /// What was cut off when the log was opened: for a log line, nothing acknowledged was in it.
    pub fn torn_tails(&self) -> &[TornTail] {
        &self.shared.torn_tails
    }
}

impl Log for EmbeddedLog {
    fn writer(&self) -> Box<dyn LogWriter> {
        Box::new(Self::writer(self))
    }

    fn reader(&self, group: &str, topic: Topic, member: u32, members: u32) -> Result<Box<dyn LogReader>, LogError> {
        Ok(Box::new(Self::reader(self, group, topic, member, members)))
    }

    fn partitions(&self, topic: Topic) -> u32 {
        Self::partitions(self, topic)
    }

    fn watermarks(&self, partition: TopicPartition) -> Result<Watermarks, LogError> {
        Self::watermarks(self, partition)
    }

    fn incarnation(&self, topic: Topic) -> Result<Incarnation, LogError> {
        Ok(Self::incarnation(self, topic))
    }

    fn let_go(&self, partition: TopicPartition, below: u64) -> Result<(), LogError> {
        self.trim(partition, below).map(drop)
    }

    fn is_shared(&self) -> bool {
        false
    }
}

impl LogWriter for EmbeddedWriter {
    fn append(&mut self, topic: Topic, key: &[u8], headers: &[(&str, &[u8])], payload: &[u8]) -> Result<(u32, u64), LogError> {
        check_record(topic, key, headers, payload)?;
        let settings = self.shared.settings()?;
        let partition = partition_of(key, self.shared.partitions.count(topic));
        let log = self.shared.partition(TopicPartition { topic, partition })?;
        let offset = log.append(key, headers, payload, settings)?;
        if let Access::Writer { flusher: Some(flusher), .. } = &self.shared.access {
            flusher.appended();
        }
        self.shared.appends.grow();
        Ok((partition, offset))
    }
}

impl Shared {
    fn settings(&self) -> Result<&LogSettings, LogError> {
        match &self.access {
            Access::Writer { settings, .. } => Ok(settings),
            Access::Reader => Err(LogError::ReadOnly(self.folder.clone())),
        }
    }

    fn is_read_only(&self) -> bool {
        matches!(self.access, Access::Reader)
    }

    fn partition(&self, at: TopicPartition) -> Result<&PartitionLog, LogError> {
        self.partitions.get(at).ok_or(LogError::NoPartition(at))
    }

    /// The partition with what another process has written by now, if that is who writes.
    fn followed(&self, at: TopicPartition) -> Result<&PartitionLog, LogError> {
        let partition = self.partition(at)?;
        if self.is_read_only() {
            partition.refresh()?;
        }
        Ok(partition)
    }

    fn flush(&self) -> Result<(), LogError> {
        if self.is_read_only() {
            return Ok(());
        }
        self.partitions.all().try_for_each(PartitionLog::sync)?;
        self.progress.flush()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // What fails here was promised to nobody: unforced records under `Interval`, and progress.
        let _ = self.flush();
    }
}

impl Partitions {
    fn open(
        folder: &Path,
        meta: &LogMeta,
        mut open: impl FnMut(TopicPartition, PathBuf, Belonging) -> Result<PartitionLog, LogError>,
    ) -> Result<Self, LogError> {
        let mut topics = BTreeMap::new();
        for topic in Topic::ALL {
            let partitions = (0..meta.partitions(topic)).map(|partition| {
                let (path, belonging) = place(folder, meta, topic, partition);
                open(TopicPartition { topic, partition }, path, belonging)
            });
            topics.insert(topic, partitions.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(Self(topics))
    }

    fn count(&self, topic: Topic) -> u32 {
        self.0.get(&topic).map_or(0, |p| u32::try_from(p.len()).expect("checked to be at most 1024"))
    }

    fn get(&self, at: TopicPartition) -> Option<&PartitionLog> {
        self.0.get(&at.topic)?.get(at.partition as usize)
    }

    fn all(&self) -> impl Iterator<Item = &PartitionLog> {
        self.0.values().flatten()
    }
}

impl Appends {
    fn count(&self) -> u64 {
        *self.count.lock().expect("counting never panics")
    }

    fn grow(&self) {
        *self.count.lock().expect("counting never panics") += 1;
        self.grown.notify_all();
    }

    /// Until when a poll waits.
    #[expect(clippy::disallowed_methods, reason = "a poll waits in real time; nothing that is stored depends on it")]
    fn deadline(wait_ms: u64) -> Instant {
        Instant::now() + Duration::from_millis(wait_ms.min(WAIT_MS_MAX))
    }

    /// Waits until there were more appends than seen; false when the time is up first.
    #[expect(clippy::disallowed_methods, reason = "a poll waits in real time; nothing that is stored depends on it")]
    fn wait_beyond(&self, seen: u64, until: Instant) -> bool {
        let count = self.count.lock().expect("counting never panics");
        let left = until.saturating_duration_since(Instant::now());
        let (count, _) = self.grown.wait_timeout_while(count, left, |count| *count == seen).expect("counting never panics");
        *count != seen
    }
}

/// Makes a log: the partitions first, `log.json` last, so that a half-made log is none.
fn create(folder: &Path, settings: &LogSettings) -> Result<LogMeta, LogError> {
    let meta = LogMeta::draw(settings);
    create_topics(folder, &meta, &Topic::ALL)?;
    Ok(meta)
}

/// Adds the topics that the program which made the log did not know.
fn complete(folder: &Path, mut meta: LogMeta, settings: &LogSettings) -> Result<LogMeta, LogError> {
    let missing = meta.draw_missing(settings);
    if !missing.is_empty() {
        create_topics(folder, &meta, &missing)?;
    }
    Ok(meta)
}

fn create_topics(folder: &Path, meta: &LogMeta, topics: &[Topic]) -> Result<(), LogError> {
    let partitions_of = |topic: Topic| (0..meta.partitions(topic)).map(move |partition| TopicPartition { topic, partition });
    let all: Vec<TopicPartition> = topics.iter().copied().flat_map(partitions_of).collect();
    let make = |ids: &[TopicPartition]| {
        ids.iter().try_for_each(|id| {
            let (path, belonging) = place(folder, meta, id.topic, id.partition);
            PartitionLog::create(*id, &path, belonging)
        })
    };
    // Each waits for the disk several times, and a disk answers those who wait together at once.
    thread::scope(|scope| {
        let chunks = all.chunks(all.len().div_ceil(CREATORS_MAX).max(1));
        let creators: Vec<_> = chunks.map(|ids| scope.spawn(move || make(ids))).collect();
        creators.into_iter().try_for_each(|creator| creator.join().expect("making a partition returns errors and never panics"))
    })?;
    meta.store(folder)
}

fn place(folder: &Path, meta: &LogMeta, topic: Topic, partition: u32) -> (PathBuf, Belonging) {
    let path = folder.join(topic.name()).join(partition.to_string());
    (path, Belonging { incarnation: meta.incarnation_bits(topic), partition })
}
