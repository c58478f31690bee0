//! One partition: its segments in order, appended to by one writer, read by many.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

use std::os::unix::fs::FileExt;

use super::durable;
use super::frame::{self, Scanner, Step};
use super::segment::{Belonging, Segment, base_of};
use super::settings::{Fsync, LogSettings, Retention};
use crate::log::{LogError, Record, TopicPartition, Watermarks};

/// Most payload that one read returns beyond its first record.
const READ_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How often a listing is repeated that a trim of the writing process overtook.
const REFRESHES_MAX: u32 = 5;

/// The end of an interrupted append, found and cut off when the log was opened. Nothing of it had been acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// The segment.
    pub file: PathBuf,
    /// Where it ends now.
    pub at: u64,
    /// How many bytes were cut off.
    pub bytes: u64,
}

/// A partition's files and what is known of them.
#[derive(Debug)]
pub(super) struct PartitionLog {
    id: TopicPartition,
    folder: PathBuf,
    belonging: Belonging,
    /// Never empty once opened; what readers may see: only what has been acknowledged by this process.
    segments: RwLock<Vec<Segment>>,
    /// Held over write and fsync: so at most one record of a partition is ever unacknowledged, and a torn tail is one frame.
    tail: Mutex<Tail>,
}

/// What only appending needs.
#[derive(Debug, Default)]
struct Tail {
    /// Since a failed write or fsync the file's end is unknown.
    stopped: bool,
    /// Written but not yet fsynced.
    dirty: bool,
}

impl PartitionLog {
    /// Makes the folder with an empty first segment.
    pub(super) fn create(id: TopicPartition, folder: &Path, belonging: Belonging) -> Result<(), LogError> {
        durable::create_folder(folder)?;
        if let Some(&base) = list(folder)?.iter().find(|base| segment_bytes(folder, **base) > super::segment::HEADER_BYTES as u64)
        {
            let what = format!("{id} holds records from {base} on, but the file `log.json` of this log is missing");
            return Err(LogError::Corrupt { file: folder.to_owned(), byte: 0, what });
        }
        Segment::create(folder, belonging, 0).map(drop)
    }

    /// Opens for writing: checks every record, cuts a torn tail off the last segment.
    pub(super) fn open(id: TopicPartition, folder: PathBuf, belonging: Belonging) -> Result<(Self, Option<TornTail>), LogError> {
        remove_unfinished(&folder)?;
        let mut segments = Vec::new();
        let bases = list(&folder)?;
        let mut torn = None;
        for (place, &base) in bases.iter().enumerate() {
            let path = folder.join(format!("{base:020}.seg"));
            let mut segment = Segment::open(path, belonging, base, true)?;
            follow_on(segments.last(), &segment)?;
            if let Some(damage) = segment.scan()? {
                if place + 1 < bases.len() || !segment.is_torn(damage)? {
                    return Err(segment.corrupt(damage.at, damage.what.to_owned()));
                }
                torn = Some(TornTail { file: segment.path.clone(), at: segment.end, bytes: segment.cut()? });
            }
            segments.push(segment);
        }
        require_some(&segments, &folder)?;
        let tail = Mutex::new(Tail::default());
        Ok((Self { id, folder, belonging, segments: RwLock::new(segments), tail }, torn))
    }

    /// Opens for reading beside a writer; [`PartitionLog::refresh`] follows it.
    pub(super) fn open_read_only(id: TopicPartition, folder: PathBuf, belonging: Belonging) -> Result<Self, LogError> {
        let partition = Self { id, folder, belonging, segments: RwLock::default(), tail: Mutex::default() };
        partition.refresh()?;
        Ok(partition)
    }

    /// Takes in what another process has written since. A record that is half there is left for the next time.
    pub(super) fn refresh(&self) -> Result<(), LogError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            match self.refresh_once() {
                // The writer trimmed between our listing and our opening.
                Err(LogError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound && attempts < REFRESHES_MAX => {
                }
                done => return done,
            }
        }
    }

    fn refresh_once(&self) -> Result<(), LogError> {
        // Listed before the known last segment is scanned: the writer ends a segment before it makes the next.
        let bases = list(&self.folder)?;
        let mut segments = self.write();
        segments.retain(|s| bases.contains(&s.base));
        for (place, &base) in bases.iter().enumerate() {
            if segments.last().is_none_or(|last| last.base < base) {
                let path = self.folder.join(format!("{base:020}.seg"));
                let segment = Segment::open(path, self.belonging, base, false)?;
                follow_on(segments.last(), &segment)?;
                segments.push(segment);
            }
            let last = segments.last_mut().expect("there is one for this or a later base");
            if last.base != base {
                continue;
            }
            match last.scan()? {
                Some(damage) if place + 1 < bases.len() => return Err(last.corrupt(damage.at, damage.what.to_owned())),
                _ => {}
            }
        }
        require_some(&segments, &self.folder)
    }

    /// Appends one record; when it returns, the record is in the file, and by the policy on the disk.
    pub(super) fn append(
        &self,
        key: &[u8],
        headers: &[(&str, &[u8])],
        payload: &[u8],
        settings: &LogSettings,
    ) -> Result<u64, LogError> {
        let mut tail = self.tail();
        let (offset, mut at, mut file, mut path) = {
            let segments = self.read();
            let last = segments.last().expect("an open partition has a segment");
            (last.next, last.end, Arc::clone(&last.file), last.path.clone())
        };
        if tail.stopped {
            return Err(LogError::Stopped { partition: self.id, file: path });
        }
        let appended_us = settings.clock.now_us();
        let frame = frame::encode(offset, appended_us, key, headers, payload);
        if at > super::segment::HEADER_BYTES as u64 && at + frame.len() as u64 > settings.segment_bytes_max {
            self.sync_tail(&mut tail)?;
            let segment = Segment::create(&self.folder, self.belonging, offset)?;
            (at, file, path) = (segment.end, Arc::clone(&segment.file), segment.path.clone());
            self.write().push(segment);
        }
        if let Err(cause) = file.write_all_at(&frame, at) {
            // Take the half record back; if even that fails, only a new start can find the end.
            tail.stopped = file.set_len(at).is_err();
            return Err(LogError::io(&path, cause));
        }
        tail.dirty = true;
        if settings.fsync == Fsync::Always {
            self.sync_tail(&mut tail)?;
        }
        self.write().last_mut().expect("an open partition has a segment").note_appended(appended_us, frame.len());
        Ok(offset)
    }

    /// Makes durable what has been appended.
    pub(super) fn sync(&self) -> Result<(), LogError> {
        self.sync_tail(&mut self.tail())
    }

    fn sync_tail(&self, tail: &mut Tail) -> Result<(), LogError> {
        if !tail.dirty || tail.stopped {
            return Ok(());
        }
        let (file, path) = {
            let segments = self.read();
            let last = segments.last().expect("an open partition has a segment");
            (Arc::clone(&last.file), last.path.clone())
        };
        if let Err(cause) = file.sync_data() {
            // After a failed fsync the kernel may have dropped the pages: trying again would pretend.
            tail.stopped = true;
            return Err(LogError::io(&path, cause));
        }
        tail.dirty = false;
        Ok(())
    }

    /// Records from an offset on, in order, all from one segment.
    pub(super) fn records(&self, from: u64, records_max: usize) -> Result<Vec<Record>, LogError> {
        let (file, path, start, end) = {
            let segments = self.read();
            let marks = watermarks(&segments);
            if from < marks.low || from > marks.high {
                return Err(self.out_of_range(from, marks));
            }
            let place = segments.partition_point(|s| s.base <= from) - 1;
            let segment = &segments[place];
            (Arc::clone(&segment.file), segment.path.clone(), segment.byte_before(from), segment.end)
        };
        let mut scanner = Scanner::new(&file, start, end);
        let mut records: Vec<Record> = Vec::new();
        let mut bytes = 0;
        while records.len() < records_max.max(1) && bytes < READ_BYTES_MAX {
            match scanner.step().map_err(|e| LogError::io(&path, e))? {
                Step::End => break,
                Step::Damaged { at, what } => return Err(LogError::Corrupt { file: path, byte: at, what: what.to_owned() }),
                Step::Frame(frame) if frame.offset < from => {}
                Step::Frame(frame) => {
                    let Some(record) = frame.record() else {
                        let what = format!("record {} does not hold its parts", frame.offset);
                        return Err(LogError::Corrupt { file: path, byte: start, what });
                    };
                    bytes += record.payload.len();
                    records.push(record);
                }
            }
        }
        Ok(records)
    }

    pub(super) fn watermarks(&self) -> Watermarks {
        watermarks(&self.read())
    }

    /// Whether reading may begin at an offset.
    pub(super) fn check_offset(&self, offset: u64) -> Result<(), LogError> {
        let marks = self.watermarks();
        if (marks.low..=marks.high).contains(&offset) { Ok(()) } else { Err(self.out_of_range(offset, marks)) }
    }

    /// Removes whole segments, oldest first, that lie below an offset and that retention does not ask to keep.
    pub(super) fn trim(&self, below: u64, retention: Retention, now_us: i64) -> Result<Watermarks, LogError> {
        let _tail = self.tail();
        loop {
            // Bound first: the guard must be gone before the list is changed.
            let spent = trimmable(&self.read(), below, retention, now_us);
            let Some(path) = spent else { return Ok(self.watermarks()) };
            fs::remove_file(&path).map_err(|e| LogError::io(&path, e))?;
            // One by one: a power cut between two must not leave a gap.
            durable::sync_folder(&self.folder)?;
            self.write().remove(0);
        }
    }

    fn out_of_range(&self, offset: u64, marks: Watermarks) -> LogError {
        LogError::OutOfRange { partition: self.id, offset, low: marks.low, high: marks.high }
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().expect("appending returns errors and never panics")
    }

    fn read(&self) -> RwLockReadGuard<'_, Vec<Segment>> {
        self.segments.read().expect("noting a record never panics")
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Segment>> {
        self.segments.write().expect("noting a record never panics")
    }
}

fn watermarks(segments: &[Segment]) -> Watermarks {
    Watermarks { low: segments.first().map_or(0, |s| s.base), high: segments.last().map_or(0, |s| s.next) }
}

fn trimmable(segments: &[Segment], below: u64, retention: Retention, now_us: i64) -> Option<PathBuf> {
    let [oldest, _, ..] = segments else { return None };
    let kept_bytes: u64 = segments.iter().map(|s| s.end).sum();
    let spent = kept_bytes > retention.bytes_max || now_us.saturating_sub(oldest.newest_us) > retention.age_us_max;
    (oldest.next <= below && spent).then(|| oldest.path.clone())
}

/// The first offsets of a folder's segments, ascending.
fn list(folder: &Path) -> Result<Vec<u64>, LogError> {
    let mut bases: Vec<u64> = file_names(folder)?.iter().filter_map(|name| base_of(name)).collect();
    bases.sort_unstable();
    Ok(bases)
}

/// What lies in a folder; a folder that is gone is empty, which its caller calls damage.
fn file_names(folder: &Path) -> Result<Vec<String>, LogError> {
    let io = |e| LogError::io(folder, e);
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(io)?,
    };
    let names = entries.map(|entry| Ok(entry.map_err(io)?.file_name().into_string().ok()));
    Ok(names.collect::<Result<Vec<_>, LogError>>()?.into_iter().flatten().collect())
}

fn segment_bytes(folder: &Path, base: u64) -> u64 {
    fs::metadata(folder.join(format!("{base:020}.seg"))).map_or(0, |m| m.len())
}

fn remove_unfinished(folder: &Path) -> Result<(), LogError> {
    for name in file_names(folder)?.iter().filter(|name| name.ends_with(durable::UNFINISHED)) {
        let path = folder.join(name);
        fs::remove_file(&path).map_err(|e| LogError::io(&path, e))?;
    }
    Ok(())
}

fn follow_on(last: Option<&Segment>, next: &Segment) -> Result<(), LogError> {
    match last {
        Some(last) if last.next != next.base => {
            Err(last.corrupt(last.end, format!("it ends before record {}, the next file begins with {}", last.next, next.base)))
        }
        _ => Ok(()),
    }
}

fn require_some(segments: &[Segment], folder: &Path) -> Result<(), LogError> {
    if segments.is_empty() {
        let what = "the partition has no segment left".to_owned();
        return Err(LogError::Corrupt { file: folder.to_owned(), byte: 0, what });
    }
    Ok(())
}
