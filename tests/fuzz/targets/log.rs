//! The folder of an embedded log with one of its files spoilt: refused, repaired as after a crash, or read; never a record that
//! was not appended. The label says which file.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ingest::log::embedded::{EmbeddedLog, Fsync, LogSettings};
use ingest::log::{LogEvent, LogReader, LogWriter, Topic, TopicPartition};
use tests::simulator::chance::StageClock;

use crate::case::Case;

use super::answer;

/// The files of a small log, by the path in its folder.
struct Template {
    files: Vec<(PathBuf, Vec<u8>)>,
    payloads: BTreeSet<Vec<u8>>,
}

const PARTITION: TopicPartition = TopicPartition { topic: Topic::Batches, partition: 0 };

fn settings() -> LogSettings {
    let settings = LogSettings::new(Arc::new(StageClock::new()));
    LogSettings { files_partitions: 1, batches_partitions: 1, fsync: Fsync::Never, ..settings }
}

fn template() -> &'static Template {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let folder = new_folder().expect("a temporary folder");
        let payloads: BTreeSet<Vec<u8>> = (0..6_u8).map(|n| vec![b'a' + n; 3 + 40 * usize::from(n)]).collect();
        let log = EmbeddedLog::open(folder.path(), settings()).expect("a new log");
        let mut writer = log.writer();
        for payload in &payloads {
            writer.append(Topic::Batches, b"account", &[("header", b"value")], payload).expect("an append");
        }
        drop((writer, log));
        let mut files = Vec::new();
        collect(folder.path(), folder.path(), &mut files);
        Template { files, payloads }
    })
}

/// A temporary folder, in memory where the system offers that: every log that is opened is synced to the disk.
fn new_folder() -> std::io::Result<tempfile::TempDir> {
    let in_memory = Path::new("/dev/shm");
    if in_memory.is_dir() { tempfile::tempdir_in(in_memory) } else { tempfile::tempdir() }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.file_name().is_some_and(|name| name != "lock") {
            let bytes = fs::read(&path).expect("a file");
            files.push((path.strip_prefix(root).expect("below the root").to_owned(), bytes));
        }
    }
    files.sort();
}

/// The file that a label stands for.
fn file_of(label: &str) -> Option<&'static PathBuf> {
    let wanted = if label == "meta" { "log.json" } else { "tollway.cdr.batches.v1" };
    template().files.iter().map(|(path, _)| path).find(|path| path.starts_with(wanted))
}

/// Opens a log one of whose files these bytes are, reads it, appends to it.
pub fn run(case: &Case) -> Result<u64, String> {
    let spoilt = file_of(&case.label).ok_or_else(|| format!("no file is called `{}`", case.label))?;
    let folder = new_folder().map_err(|error| error.to_string())?;
    for (path, bytes) in &template().files {
        let place = folder.path().join(path);
        fs::create_dir_all(place.parent().unwrap_or(folder.path())).map_err(|error| error.to_string())?;
        fs::write(&place, if path == spoilt { &case.bytes } else { bytes }).map_err(|error| error.to_string())?;
    }
    let log = match EmbeddedLog::open(folder.path(), settings()) {
        Ok(log) => log,
        Err(error) => return Ok(answer::of(answer::words(&error.to_string()))),
    };
    let Ok(marks) = log.watermarks(PARTITION) else { return Ok(1) };
    let mut reader = log.reader("fuzz", Topic::Batches, 0, 1);
    let mut read = 0;
    let mut polls = 0;
    while let Ok(event) = reader.poll(0, 100) {
        polls += 1;
        match event {
            LogEvent::Assigned(_) => reader.start_at(PARTITION, marks.low).map_err(|error| error.to_string())?,
            LogEvent::Records(_, records) => {
                for record in records {
                    read += 1;
                    if !template().payloads.contains(&record.payload) {
                        return Err(format!("record {} was never appended", record.offset));
                    }
                }
            }
            LogEvent::Revoked(_) | LogEvent::Idle => break,
        }
        if polls > 1_000 {
            return Err("reading does not end".to_owned());
        }
    }
    if read != marks.high - marks.low {
        return Err(format!("{read} records were read, the watermarks are {marks:?}"));
    }
    let (_, offset) = log.writer().append(Topic::Batches, b"account", &[], b"new").map_err(|error| error.to_string())?;
    if offset == marks.high { Ok(answer::of((marks.low, marks.high))) } else { Err(format!("the next offset is {offset}")) }
}

pub fn seeds() -> Vec<Case> {
    let bytes = |label: &str| {
        let path = file_of(label).expect("a file of the log");
        template().files.iter().find(|(other, _)| other == path).expect("it is there").1.clone()
    };
    ["meta", "segment"].map(|label| Case::new(label, bytes(label))).to_vec()
}
