//! The embedded log beside its contract: torn ends, damage, retention, locks, newer formats, kill -9.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};

use domain::ports::{Clock, Disposition};
use tempfile::TempDir;

use super::*;
use crate::log::contract::{self, LogUnderTest};
use crate::log::{LogEvent, LogReader, Record};

/// A clock that the test moves.
#[derive(Default)]
struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

const AT: TopicPartition = TopicPartition { topic: Topic::Batches, partition: 0 };

fn settings() -> LogSettings {
    let defaults = LogSettings::new(Arc::new(TestClock::default()));
    LogSettings { files_partitions: 1, batches_partitions: 1, fsync: Fsync::Never, ..defaults }
}

fn open(folder: &Path) -> Result<EmbeddedLog, LogError> {
    EmbeddedLog::open(folder, settings())
}

fn append(log: &EmbeddedLog, payload: &[u8]) -> u64 {
    log.writer().append(AT.topic, b"key", &[("h", b"v")], payload).expect("an append").1
}

fn records(log: &EmbeddedLog, from: u64) -> Result<Vec<Record>, LogError> {
    let mut reader = log.reader("test", AT.topic, 0, 1);
    reader.poll(0, 1)?;
    reader.start_at(AT, from)?;
    let mut all = Vec::new();
    while let LogEvent::Records(_, records) = reader.poll(0, 3)? {
        all.extend(records);
    }
    Ok(all)
}

fn payloads(log: &EmbeddedLog) -> Vec<Vec<u8>> {
    records(log, 0).expect("a read").into_iter().map(|r| r.payload).collect()
}

/// A copy of a folder as it lies there: what a killed process leaves.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a file");
        }
    }
}

fn segment_paths(folder: &Path) -> Vec<PathBuf> {
    let partition = folder.join(AT.topic.name()).join("0");
    let mut paths: Vec<_> = fs::read_dir(partition).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    paths.sort();
    paths
}

struct UnderTest {
    folder: TempDir,
    log: Option<EmbeddedLog>,
    fsync: Fsync,
}

impl UnderTest {
    fn new(fsync: Fsync) -> Self {
        let mut fresh = Self { folder: TempDir::new().expect("a folder"), log: None, fsync };
        fresh.open();
        fresh
    }

    fn open(&mut self) {
        let settings = LogSettings { files_partitions: 2, batches_partitions: 3, fsync: self.fsync, ..settings() };
        self.log = Some(EmbeddedLog::open(self.folder.path(), settings).expect("a log"));
    }

    fn log(&self) -> &EmbeddedLog {
        self.log.as_ref().expect("open between crashes")
    }
}

impl LogUnderTest for UnderTest {
    fn writer(&self) -> Box<dyn LogWriter> {
        Box::new(self.log().writer())
    }

    fn reader(&self, group: &str, topic: Topic, member: u32, members: u32) -> Box<dyn LogReader> {
        Box::new(self.log().reader(group, topic, member, members))
    }

    fn partitions(&self, topic: Topic) -> u32 {
        self.log().partitions(topic)
    }

    fn crash(&mut self) {
        let left = TempDir::new().expect("a folder");
        copy(self.folder.path(), left.path());
        self.log = None;
        self.folder = left;
        self.open();
    }

    /// Only whole segments are removed here: its own tests are below.
    fn trim(&mut self, _partition: TopicPartition, _below: u64) -> bool {
        false
    }
}

#[test]
fn keeps_the_contract_under_every_fsync_policy() {
    for fsync in [Fsync::Always, Fsync::Interval { every_ms: 1 }, Fsync::Never] {
        contract::run(&mut || Box::new(UnderTest::new(fsync)));
    }
}

/// A log of three records; returns the bytes of its only segment and where each record begins and ends.
fn three_records(folder: &Path) -> (PathBuf, Vec<u8>, Vec<usize>) {
    let log = open(folder).expect("a log");
    let path = segment_paths(folder).remove(0);
    let length = || fs::read(&path).expect("a segment").len();
    let mut bounds = vec![length()];
    for payload in [&b"first"[..], b"second", b"the third and last"] {
        append(&log, payload);
        bounds.push(length());
    }
    drop(log);
    let bytes = fs::read(&path).expect("a segment");
    (path, bytes, bounds)
}

#[test]
fn a_torn_tail_loses_nothing_acknowledged() {
    let folder = TempDir::new().expect("a folder");
    let (path, bytes, bounds) = three_records(folder.path());
    for torn_at in bounds[2]..bounds[3] {
        let kept = &bytes[..torn_at];
        let garbage: Vec<u8> = bytes[torn_at..].iter().map(|b| b ^ 0xA5).collect();
        let zeros = vec![0; bytes.len() - torn_at];
        let many_zeros = vec![0; 3 << 20];
        for end in [&b""[..], &garbage, &zeros, &garbage[..1]] {
            check_torn(folder.path(), &path, &[kept, end].concat(), bounds[2]);
        }
        if torn_at == bounds[2] {
            check_torn(folder.path(), &path, &[kept, &many_zeros].concat(), bounds[2]);
        }
    }
}

fn check_torn(folder: &Path, path: &Path, found: &[u8], kept_bytes: usize) {
    fs::write(path, found).expect("a write");
    let log = open(folder).expect("a torn tail is no damage");
    assert_eq!(payloads(&log), [&b"first"[..], b"second"]);
    let torn = (found.len() > kept_bytes).then(|| TornTail {
        file: path.to_owned(),
        at: kept_bytes as u64,
        bytes: (found.len() - kept_bytes) as u64,
    });
    assert_eq!(log.torn_tails(), Vec::from_iter(torn));
    assert_eq!(append(&log, b"again"), 2, "the offset was never given away");
    assert_eq!(payloads(&log), [&b"first"[..], b"second", b"again"]);
}

#[test]
fn a_flipped_bit_before_the_last_record_is_damage_that_names_file_and_byte() {
    let folder = TempDir::new().expect("a folder");
    let (path, bytes, bounds) = three_records(folder.path());
    for at in 0..bounds[2] {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        fs::write(&path, &flipped).expect("a write");
        let record = bounds.iter().filter(|b| **b <= at).max();
        let begin = record.map_or(0, |b| *b as u64);
        match open(folder.path()) {
            Err(error @ LogError::Corrupt { .. }) => {
                let LogError::Corrupt { file, byte, .. } = &error else { unreachable!("matched above") };
                assert_eq!((file, *byte), (&path, begin), "bit at {at}");
                assert!(error.to_string().contains("landing"), "it says what to do: {error}");
                assert_eq!(error.disposition(), Disposition::Stop);
            }
            // The header's own format number is checked under its checksum, so this can't be reached by one flip.
            other => panic!("a bit flipped at {at} was not noticed: {other:?}"),
        }
        assert_eq!(fs::read(&path).expect("a segment"), flipped, "nothing is repaired that is not understood");
    }
}

/// Small segments: about five records each.
fn in_segments(folder: &Path, clock: Arc<TestClock>, retention: Retention) -> EmbeddedLog {
    let settings = LogSettings { segment_bytes_max: 4096, clock, retention, ..settings() };
    let log = EmbeddedLog::open(folder, settings).expect("a log");
    for n in 0..20_u8 {
        append(&log, &[n; 700]);
    }
    log
}

#[test]
fn records_are_read_across_segments_after_reopening_too() {
    let folder = TempDir::new().expect("a folder");
    let log = in_segments(folder.path(), Arc::default(), Retention::NONE);
    assert!(segment_paths(folder.path()).len() > 2);
    let expected: Vec<Vec<u8>> = (0..20).map(|n| vec![n; 700]).collect();
    assert_eq!(payloads(&log), expected);
    drop(log);
    let log = open(folder.path()).expect("a log");
    assert_eq!(payloads(&log), expected);
    for from in 0..=20 {
        assert_eq!(records(&log, from).expect("a read").len() as u64, 20 - from);
    }
}

#[test]
fn damage_at_the_end_of_an_earlier_segment_is_no_torn_tail() {
    let folder = TempDir::new().expect("a folder");
    drop(in_segments(folder.path(), Arc::default(), Retention::NONE));
    let first = segment_paths(folder.path()).remove(0);
    let bytes = fs::read(&first).expect("a segment");
    for damaged in [&bytes[..bytes.len() - 1], &[&bytes[..], b"x"].concat()] {
        fs::write(&first, damaged).expect("a write");
        assert!(matches!(open(folder.path()), Err(LogError::Corrupt { file, .. }) if file == first));
    }
}

#[test]
fn a_missing_or_foreign_segment_is_damage() {
    let folder = TempDir::new().expect("a folder");
    drop(in_segments(folder.path(), Arc::default(), Retention::NONE));
    let paths = segment_paths(folder.path());
    let second = fs::read(&paths[1]).expect("a segment");
    fs::remove_file(&paths[1]).expect("removed");
    assert!(matches!(open(folder.path()), Err(LogError::Corrupt { file, .. }) if file == paths[0]));
    let other = TempDir::new().expect("a folder");
    drop(in_segments(other.path(), Arc::default(), Retention::NONE));
    fs::copy(&segment_paths(other.path())[1], &paths[1]).expect("a copy");
    assert!(matches!(open(folder.path()), Err(LogError::Corrupt { byte: 0, file, .. }) if file == paths[1]));
    fs::write(&paths[1], second).expect("a write");
    assert!(open(folder.path()).is_ok(), "restored from a copy, as the message advises");
    fs::remove_dir_all(folder.path().join(AT.topic.name())).expect("removed");
    assert!(matches!(open(folder.path()), Err(LogError::Corrupt { .. })), "a wiped topic is not an empty one");
}

#[test]
fn trimming_removes_what_is_below_and_not_wanted() {
    let folder = TempDir::new().expect("a folder");
    let clock = Arc::<TestClock>::default();
    let retention = Retention { bytes_max: u64::MAX, age_us_max: 1_000 };
    let log = in_segments(folder.path(), Arc::clone(&clock), retention);
    let segments = segment_paths(folder.path());
    let second_base: u64 = segments[1].file_stem().and_then(|s| s.to_str()).expect("a name").parse().expect("a number");
    assert_eq!(log.trim(AT, 20).expect("trimmed").low, 0, "young enough to keep");
    clock.0.store(1_001, Ordering::Relaxed);
    assert_eq!(log.trim(AT, second_base - 1).expect("trimmed").low, 0, "never beyond what was committed");
    assert_eq!(log.trim(AT, second_base).expect("trimmed").low, second_base);
    assert!(matches!(records(&log, second_base - 1), Err(LogError::OutOfRange { low, .. }) if low == second_base));
    let marks = log.trim(AT, 20).expect("trimmed");
    assert_eq!(segment_paths(folder.path()), segments[segments.len() - 1..], "the active segment stays");
    assert_eq!(records(&log, marks.low).expect("a read").len() as u64, 20 - marks.low);
    drop(log);
    let log = open(folder.path()).expect("a trimmed log opens");
    assert_eq!(log.watermarks(AT).expect("watermarks"), marks);
    assert_eq!(append(&log, b"x"), 20, "offsets go on");
}

#[test]
fn trimming_by_bytes_keeps_the_newest() {
    let folder = TempDir::new().expect("a folder");
    let retention = Retention { bytes_max: 9_000, age_us_max: i64::MAX };
    let log = in_segments(folder.path(), Arc::default(), retention);
    log.trim(AT, 20).expect("trimmed");
    let left: u64 = segment_paths(folder.path()).iter().map(|p| fs::metadata(p).expect("a segment").len()).sum();
    assert!((4_096..=9_000).contains(&left), "{left} bytes are left");
}

#[test]
fn a_second_writer_is_refused_and_told_who_writes() {
    let folder = TempDir::new().expect("a folder");
    let log = open(folder.path()).expect("a log");
    match open(folder.path()) {
        Err(error @ LogError::Locked { pid, .. }) => {
            assert_eq!(pid, Some(std::process::id()));
            assert!(error.to_string().contains(&format!("process {}", std::process::id())));
        }
        other => panic!("a second writer was let in: {other:?}"),
    }
    let reader = log.reader("g", AT.topic, 0, 1);
    drop(log);
    assert!(matches!(open(folder.path()), Err(LogError::Locked { .. })), "a reader holds the log, too");
    drop(reader);
    assert!(open(folder.path()).is_ok());
}

#[test]
fn readers_follow_a_running_writer() {
    let folder = TempDir::new().expect("a folder");
    assert!(matches!(EmbeddedLog::open_read_only(folder.path()), Err(LogError::NoLog(_))));
    let settings = LogSettings { segment_bytes_max: 4096, retention: Retention::NONE, ..settings() };
    let log = EmbeddedLog::open(folder.path(), settings).expect("a log");
    append(&log, b"one");
    let beside = EmbeddedLog::open_read_only(folder.path()).expect("beside the writer");
    let mut reader = beside.reader("status", AT.topic, 0, 1);
    reader.poll(0, 1).expect("the assignment");
    reader.start_at(AT, 0).expect("the beginning");
    assert!(matches!(reader.poll(0, 9).expect("a poll"), LogEvent::Records(_, r) if r.len() == 1));
    for n in 0..20 {
        append(&log, &[n; 700]);
    }
    assert_eq!(beside.watermarks(AT).expect("watermarks").high, 21);
    assert!(matches!(reader.poll(0, 99).expect("a poll"), LogEvent::Records(_, r) if r[0].offset == 1));
    let marks = log.trim(AT, 21).expect("trimmed");
    assert_eq!(beside.watermarks(AT).expect("watermarks"), marks);
    assert!(matches!(beside.writer().append(AT.topic, b"", &[], b""), Err(LogError::ReadOnly(_))));
    assert!(matches!(reader.note_progress(AT, 1), Err(LogError::ReadOnly(_))));
}

#[test]
fn a_half_written_record_is_not_there_yet_for_readers_beside() {
    let folder = TempDir::new().expect("a folder");
    let (path, bytes, bounds) = three_records(folder.path());
    fs::write(&path, &bytes[..bounds[3] - 1]).expect("a write");
    let beside = EmbeddedLog::open_read_only(folder.path()).expect("beside the writer");
    assert_eq!(beside.watermarks(AT).expect("watermarks").high, 2);
    fs::write(&path, &bytes).expect("a write");
    assert_eq!(beside.watermarks(AT).expect("watermarks").high, 3);
}

#[test]
fn what_a_newer_program_wrote_is_refused_as_such() {
    let folder = TempDir::new().expect("a folder");
    drop(open(folder.path()).expect("a log"));
    let meta = folder.path().join("log.json");
    let text = fs::read_to_string(&meta).expect("the meta file");
    fs::write(&meta, r#"{"format": 2, "shards": []}"#).expect("a write");
    let refused = open(folder.path());
    assert!(matches!(&refused, Err(LogError::Newer { file, found: 2, known: 1 }) if *file == meta), "{refused:?}");
    fs::write(&meta, "{").expect("a write");
    assert!(matches!(open(folder.path()), Err(LogError::Corrupt { file, .. }) if file == meta));
    fs::write(&meta, text).expect("a write");
    let segment = segment_paths(folder.path()).remove(0);
    let mut bytes = fs::read(&segment).expect("a segment");
    bytes[8] = 2;
    let fields = bytes.len() - 4;
    let checksum = crc32c::crc32c(&bytes[..fields]).to_le_bytes();
    bytes[fields..].copy_from_slice(&checksum);
    fs::write(&segment, bytes).expect("a write");
    assert!(matches!(open(folder.path()), Err(LogError::Newer { file, found: 2, .. }) if file == segment));
}

#[test]
fn a_log_that_lost_its_meta_file_is_not_made_anew() {
    let folder = TempDir::new().expect("a folder");
    let log = open(folder.path()).expect("a log");
    let life = log.incarnation(AT.topic);
    drop(log);
    fs::remove_file(folder.path().join("log.json")).expect("removed");
    let log = open(folder.path()).expect("no record is in it: making it was interrupted");
    assert_ne!(log.incarnation(AT.topic), life);
    append(&log, b"one");
    drop(log);
    fs::remove_file(folder.path().join("log.json")).expect("removed");
    assert!(matches!(open(folder.path()), Err(LogError::Corrupt { .. })));
}

#[test]
fn an_existing_log_keeps_its_partitions() {
    let folder = TempDir::new().expect("a folder");
    drop(open(folder.path()).expect("a log"));
    let more = LogSettings { batches_partitions: 5, ..settings() };
    assert_eq!(EmbeddedLog::open(folder.path(), more).expect("a log").partitions(AT.topic), 1);
    let none = LogSettings { batches_partitions: 0, ..settings() };
    let refused = EmbeddedLog::open(folder.path(), none);
    assert!(matches!(refused, Err(LogError::Setting { name: "batches_partitions", value: 0, .. })));
}

#[test]
fn progress_is_kept_over_an_orderly_stop() {
    let folder = TempDir::new().expect("a folder");
    let log = open(folder.path()).expect("a log");
    log.reader("rate", AT.topic, 0, 1).note_progress(AT, 7).expect("noted");
    drop(log);
    let log = open(folder.path()).expect("a log");
    assert_eq!(log.reader("rate", AT.topic, 0, 1).noted_progress(AT).expect("progress"), Some(7));
    for n in 0..64 {
        log.reader("rate", AT.topic, 0, 1).note_progress(AT, 8 + n).expect("noted");
    }
    let beside = EmbeddedLog::open_read_only(folder.path()).expect("beside the writer");
    let seen = beside.reader("rate", AT.topic, 0, 1).noted_progress(AT).expect("progress");
    assert_eq!(seen, Some(71), "many notes are written without waiting for the end");
    let refused = log.reader("a/b", AT.topic, 0, 1).note_progress(AT, 1);
    assert!(matches!(refused, Err(LogError::Group { .. })));
}

#[test]
fn a_member_that_its_group_does_not_have_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let log = open(folder.path()).expect("a log");
    for (member, members) in [(0, 0), (2, 2)] {
        let refused = log.reader("g", AT.topic, member, members).poll(0, 1);
        assert!(matches!(refused, Err(LogError::Group { .. })), "{refused:?}");
    }
}

#[test]
fn a_waiting_reader_is_woken_by_an_append() {
    let folder = TempDir::new().expect("a folder");
    let log = open(folder.path()).expect("a log");
    let mut reader = log.reader("g", AT.topic, 0, 1);
    reader.poll(0, 1).expect("the assignment");
    reader.start_at(AT, 0).expect("the beginning");
    let waiting = std::thread::spawn(move || reader.poll(60_000, 1));
    append(&log, b"wake up");
    let event = waiting.join().expect("no panic").expect("a poll");
    assert!(matches!(event, LogEvent::Records(_, r) if r[0].payload == b"wake up"), "long before its minute is over");
}

#[test]
fn appends_from_many_threads_keep_every_record() {
    let folder = TempDir::new().expect("a folder");
    let log = open(folder.path()).expect("a log");
    std::thread::scope(|scope| {
        for thread in 0..4_u8 {
            let log = &log;
            scope.spawn(move || {
                for n in 0..50 {
                    append(log, &[thread, n]);
                }
            });
        }
    });
    let found = payloads(&log);
    assert_eq!(found.len(), 200);
    for thread in 0..4 {
        let own: Vec<u8> = found.iter().filter(|p| p[0] == thread).map(|p| p[1]).collect();
        assert_eq!(own, (0..50).collect::<Vec<u8>>(), "each in the order of its appends");
    }
}

/// Set in the process that is to be killed.
const CHILD_FOLDER: &str = "TOLLWAY_TEST_KILLED_LOG";

#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    if let Some(folder) = std::env::var_os(CHILD_FOLDER) {
        let log = open(Path::new(&folder)).expect("a log");
        loop {
            let next = log.watermarks(AT).expect("watermarks").high;
            println!("\nacknowledged {}", append(&log, &next.to_le_bytes()));
        }
    }
    let folder = TempDir::new().expect("a folder");
    let mut acknowledged = None;
    for _ in 0..3 {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "log::embedded::tests::nothing_acknowledged_is_lost_by_kill_9", "--nocapture"])
            .env(CHILD_FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok);
        let mut count = 0;
        for line in lines {
            if let Some(offset) = line.strip_prefix("acknowledged ") {
                acknowledged = Some(offset.parse::<u64>().expect("an offset"));
                count += 1;
            }
            if count == 100 {
                child.kill().expect("killed");
            }
        }
        child.wait().expect("dead");
        let log = open(folder.path()).expect("what a killed process leaves can be opened");
        let found = records(&log, 0).expect("a read");
        assert!(found.len() as u64 > acknowledged.expect("the child got that far"));
        assert!(found.iter().enumerate().all(|(n, r)| r.offset == n as u64 && r.payload == r.offset.to_le_bytes()));
    }
}
