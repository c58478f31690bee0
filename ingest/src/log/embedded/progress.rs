//! How far each group got, in `groups/<group>.json`: for lag figures and for `files.v1`, never for correctness.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use domain::ids::check_id;
use serde::{Deserialize, Serialize};

use super::{durable, meta};
use crate::log::{LogError, TopicPartition};

/// The format of progress files that this program writes, and the newest that it reads.
const PROGRESS_FORMAT: u32 = 1;

/// Notes are written together, at most this long after the first of them...
const BATCH_US: i64 = 1_000_000;

/// ... or once there are this many.
const BATCH_NOTES: u32 = 64;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct GroupFile {
    format: u32,
    /// `topic/partition` to the next offset.
    next_offsets: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Group {
    file: GroupFile,
    unwritten: u32,
    first_unwritten_us: i64,
}

/// The progress of all groups of one log.
#[derive(Debug)]
pub(super) struct Progress {
    folder: PathBuf,
    groups: Mutex<BTreeMap<String, Group>>,
}

impl Progress {
    pub(super) fn new(log_folder: &Path) -> Self {
        Self { folder: log_folder.join("groups"), groups: Mutex::default() }
    }

    /// What was last noted.
    pub(super) fn noted(&self, group: &str, at: TopicPartition) -> Result<Option<u64>, LogError> {
        let mut groups = self.groups();
        let known = self.group(&mut groups, group)?;
        Ok(known.file.next_offsets.get(&at.to_string()).copied())
    }

    /// What another process has noted by now.
    pub(super) fn read(&self, group: &str, at: TopicPartition) -> Result<Option<u64>, LogError> {
        Ok(self.load(group)?.next_offsets.get(&at.to_string()).copied())
    }

    /// Notes an offset; it is on the disk within [`BATCH_US`] of the next note, or when the log is closed.
    pub(super) fn note(&self, group: &str, at: TopicPartition, next_offset: u64, now_us: i64) -> Result<(), LogError> {
        let mut groups = self.groups();
        let known = self.group(&mut groups, group)?;
        if known.file.next_offsets.insert(at.to_string(), next_offset) == Some(next_offset) {
            return Ok(());
        }
        if known.unwritten == 0 {
            known.first_unwritten_us = now_us;
        }
        known.unwritten += 1;
        if known.unwritten >= BATCH_NOTES || now_us.saturating_sub(known.first_unwritten_us) >= BATCH_US {
            self.store(group, known)?;
        }
        Ok(())
    }

    /// Writes what is not yet written.
    pub(super) fn flush(&self) -> Result<(), LogError> {
        for (name, group) in self.groups().iter_mut().filter(|(_, group)| group.unwritten > 0) {
            self.store(name, group)?;
        }
        Ok(())
    }

    fn group<'a>(&self, groups: &'a mut BTreeMap<String, Group>, name: &str) -> Result<&'a mut Group, LogError> {
        if !groups.contains_key(name) {
            let file = self.load(name)?;
            groups.insert(name.to_owned(), Group { file, unwritten: 0, first_unwritten_us: 0 });
        }
        Ok(groups.get_mut(name).expect("just put there"))
    }

    fn load(&self, name: &str) -> Result<GroupFile, LogError> {
        let path = self.path(name)?;
        match fs::read(&path) {
            Ok(bytes) => meta::parse(&path, &bytes, PROGRESS_FORMAT),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                Ok(GroupFile { format: PROGRESS_FORMAT, next_offsets: BTreeMap::new() })
            }
            Err(e) => Err(LogError::io(&path, e)),
        }
    }

    fn store(&self, name: &str, group: &mut Group) -> Result<(), LogError> {
        durable::create_folder(&self.folder)?;
        durable::replace(&self.path(name)?, &serde_json::to_vec_pretty(&group.file).expect("numbers and texts are JSON"))?;
        group.unwritten = 0;
        Ok(())
    }

    fn path(&self, name: &str) -> Result<PathBuf, LogError> {
        check_id(name).map_err(|e| LogError::Group { group: name.to_owned(), what: e.to_string() })?;
        Ok(self.folder.join(format!("{name}.json")))
    }

    fn groups(&self) -> MutexGuard<'_, BTreeMap<String, Group>> {
        self.groups.lock().expect("noting progress returns errors and never panics")
    }
}
