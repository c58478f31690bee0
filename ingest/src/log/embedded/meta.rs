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
        let topic = |t: Topic| {
            let drawn = TopicMeta { partitions: settings.partitions(t), incarnation: format!("{:032x}", random_128()) };
            (t.name().to_owned(), drawn)
        };
        Self { format: LOG_FORMAT, created_us: settings.clock.now_us(), topics: Topic::ALL.map(topic).into() }
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
            if known.is_none_or(|t| t.partitions == 0 || u128::from_str_radix(&t.incarnation, 16).is_err()) {
                return Err(LogError::Corrupt { file, byte: 0, what: format!("it says nothing usable about {topic}") });
            }
        }
        Ok(Some(meta))
    }

    /// Makes the folder a log: the last step of making one.
    pub(super) fn store(&self, folder: &Path) -> Result<(), LogError> {
        durable::replace(&path(folder), &serde_json::to_vec_pretty(self).expect("numbers and texts are JSON"))
    }

    pub(super) fn partitions(&self, topic: Topic) -> u32 {
        self.topic(topic).partitions
    }

    pub(super) fn incarnation(&self, topic: Topic) -> Incarnation {
        Incarnation(self.topic(topic).incarnation.clone())
    }

    pub(super) fn incarnation_bits(&self, topic: Topic) -> u128 {
        u128::from_str_radix(&self.topic(topic).incarnation, 16).expect("drawn as hexadecimal, checked when loaded")
    }

    fn topic(&self, topic: Topic) -> &TopicMeta {
        self.topics.get(topic.name()).expect("drawn for all topics, checked when loaded")
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
