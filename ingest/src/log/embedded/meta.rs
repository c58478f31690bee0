//! `log.json`: what is fixed for a log's life, namely format, partitions and incarnations.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::durable;
use super::settings::LogSettings;
use crate::log::{Incarnation, LogError, Topic};

/// The format of the folder that this program writes, and the newest that it reads.
const LOG_FORMAT: u32 = 1;

/// The file's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LogMeta {
    format: u32,
    created_us: i64,
    topics: BTreeMap<String, TopicMeta>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct TopicMeta {
    partitions: u32,
    /// 32 hexadecimal digits, drawn when the log was made.
    incarnation: String,
}

impl TopicMeta {
    fn draw(topic: Topic, settings: &LogSettings) -> Self {
        Self { partitions: settings.partitions(topic), incarnation: format!("{:032x}", random_128()) }
    }
}

/// Read before all else, so that a newer file is told from a damaged one.
#[derive(Deserialize)]
pub(super) struct Format {
    pub(super) format: u32,
}

pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join("log.json")
}

impl LogMeta {
    /// A new log's.
    pub(super) fn draw(settings: &LogSettings) -> Self {
        let topics = Topic::ALL.map(|t| (t.name().to_owned(), TopicMeta::draw(t, settings))).into();
        Self { format: LOG_FORMAT, created_us: settings.clock.now_us(), topics }
    }

    /// Draws the topics that a log made by an older program does not have; tells which they are.
    pub(super) fn draw_missing(&mut self, settings: &LogSettings) -> Vec<Topic> {
        let missing: Vec<Topic> = Topic::ALL.into_iter().filter(|t| !self.topics.contains_key(t.name())).collect();
        self.topics.extend(missing.iter().map(|t| (t.name().to_owned(), TopicMeta::draw(*t, settings))));
        missing
    }

    /// The folder's, if it holds a log.
    pub(super) fn load(folder: &Path) -> Result<Option<Self>, LogError> {
        let file = path(folder);
        let bytes = match fs::read(&file) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|e| LogError::io(&file, e))?,
        };
        let meta: Self = parse(&file, &bytes, LOG_FORMAT)?;
        for topic in Topic::ALL {
            let known = meta.topics.get(topic.name());
            // The first programs had no dead letters.
            let may_lack = known.is_none() && topic == Topic::DeadLetters;
            if !may_lack && known.is_none_or(|t| t.partitions == 0 || u128::from_str_radix(&t.incarnation, 16).is_err()) {
                return Err(LogError::Corrupt { file, byte: 0, what: format!("it says nothing usable about {topic}") });
            }
        }
        Ok(Some(meta))
    }

    /// Makes the folder a log: the last step of making one.
    pub(super) fn store(&self, folder: &Path) -> Result<(), LogError> {
        durable::replace(&path(folder), &serde_json::to_vec_pretty(self).expect("numbers and texts are JSON"))
    }

    /// None where an older program made the log and nobody has written to it since.
    pub(super) fn partitions(&self, topic: Topic) -> u32 {
        self.topics.get(topic.name()).map_or(0, |t| t.partitions)
    }

    pub(super) fn incarnation(&self, topic: Topic) -> Incarnation {
        Incarnation(self.topics.get(topic.name()).map_or_else(String::new, |t| t.incarnation.clone()))
    }

    pub(super) fn incarnation_bits(&self, topic: Topic) -> u128 {
        u128::from_str_radix(&self.incarnation(topic).0, 16)
            .expect("a topic that has partitions was drawn, and checked when loaded")
    }
}

/// Reads a versioned JSON file.
pub(super) fn parse<T: for<'de> Deserialize<'de>>(file: &Path, bytes: &[u8], known: u32) -> Result<T, LogError> {
    let corrupt =
        |e: serde_json::Error| LogError::Corrupt { file: file.to_owned(), byte: 0, what: format!("it is not as written: {e}") };
    let Format { format } = serde_json::from_slice(bytes).map_err(corrupt)?;
    if format > known {
        return Err(LogError::Newer { file: file.to_owned(), found: format, known });
    }
    serde_json::from_slice(bytes).map_err(corrupt)
}

/// 128 bits that no other log has: two hashes under keys that the operating system draws for each process.
fn random_128() -> u128 {
    let half = |n: u8| u128::from(RandomState::new().hash_one((n, std::process::id())));
    half(0) << 64 | half(1)
}
