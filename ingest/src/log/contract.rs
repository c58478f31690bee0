//! What every log must do, as tests that an adapter runs over itself: the embedded log and the simulator's today, a broker's
//! with the same functions.
//!
//! A case panics when the contract is broken. Readers are polled until something comes, so that a broker may take its time.

use std::collections::{BTreeMap, BTreeSet};

use super::{LogError, LogEvent, LogReader, LogWriter, RECORD_BYTES_MAX, Record, Topic, TopicPartition, Watermarks};

/// A log that the contract is tested on. Each case gets a fresh one, with at least two partitions in each topic.
pub trait LogUnderTest {
    /// A writer.
    fn writer(&self) -> Box<dyn LogWriter>;

    /// Member `member` of `members` of a group.
    fn reader(&self, group: &str, topic: Topic, member: u32, members: u32) -> Box<dyn LogReader>;

    /// How many partitions a topic has.
    fn partitions(&self, topic: Topic) -> u32;

    /// Ends the process's hold as kill -9 would and opens again.
    fn crash(&mut self);

    /// Removes records below an offset, at once and exactly; false when the adapter cannot do that.
    fn trim(&mut self, partition: TopicPartition, below: u64) -> bool;
}

/// A case of the contract.
pub type Case = fn(&mut dyn LogUnderTest);

/// All cases by name.
pub const CASES: &[(&str, Case)] = &[
    ("offsets of a partition rise by one and a key keeps its partition", offsets_rise_by_one),
    ("a reader gets whole records in order, from the offset it asked for", reads_in_order_from_the_offset),
    ("records come only after start_at, and only for what is assigned", records_want_a_start),
    ("an offset outside the watermarks is an error", offsets_outside_are_errors),
    ("what comes later is read later", reads_what_comes_later),
    ("what was acknowledged outlives a crash", acknowledged_outlives_a_crash),
    ("members share the partitions", members_share_the_partitions),
    ("a paused partition loses nothing", pausing_loses_nothing),
    ("no partition starves", no_partition_starves),
    ("each group notes its own progress", groups_note_their_progress),
    ("sizes have limits", sizes_have_limits),
    ("trimmed records are an error, the rest stays", trimming_keeps_the_rest),
];

/// Runs all cases, each on a fresh log.
pub fn run(fresh: &mut dyn FnMut() -> Box<dyn LogUnderTest>) {
    for (name, case) in CASES {
        let mut log = fresh();
        assert!(
            [Topic::Files, Topic::Batches].iter().all(|t| log.partitions(*t) >= 2),
            "the contract wants at least two partitions"
        );
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| case(&mut *log)));
        assert!(outcome.is_ok(), "broken contract: {name}");
    }
}

/// How often a reader is polled for something that must come.
const POLLS_MAX: usize = 100;

/// How long one of these polls waits; a log that has something does not.
const WAIT_MS: u64 = 100;

const TOPIC: Topic = Topic::Batches;

fn append(log: &dyn LogUnderTest, key: &str, payload: &str) -> (u32, u64) {
    log.writer().append(TOPIC, key.as_bytes(), &[], payload.as_bytes()).expect("an append")
}

/// A reader that is alone in its group, and its partitions.
fn sole_reader(log: &dyn LogUnderTest, group: &str) -> (Box<dyn LogReader>, Vec<TopicPartition>) {
    let mut reader = log.reader(group, TOPIC, 0, 1);
    let assigned = assignment(&mut *reader);
    (reader, assigned)
}

fn assignment(reader: &mut dyn LogReader) -> Vec<TopicPartition> {
    for _ in 0..POLLS_MAX {
        match reader.poll(WAIT_MS, 1).expect("a poll") {
            LogEvent::Assigned(partitions) => return partitions,
            LogEvent::Idle => {}
            other => panic!("an assignment was due, not {other:?}"),
        }
    }
    panic!("no assignment came");
}

/// Starts all partitions at their beginning.
fn start_all(reader: &mut dyn LogReader, partitions: &[TopicPartition]) {
    for partition in partitions {
        let low = reader.watermarks(*partition).expect("watermarks").low;
        reader.start_at(*partition, low).expect("the low watermark can be read");
    }
}

/// Reads until this many records came, in runs of at most `records_max`.
fn read(reader: &mut dyn LogReader, count: usize, records_max: usize) -> BTreeMap<TopicPartition, Vec<Record>> {
    let mut found: BTreeMap<TopicPartition, Vec<Record>> = BTreeMap::new();
    let mut idle = 0;
    while found.values().map(Vec::len).sum::<usize>() < count {
        match reader.poll(WAIT_MS, records_max).expect("a poll") {
            LogEvent::Records(partition, records) => {
                assert!((1..=records_max).contains(&records.len()), "a run has 1 to {records_max} records");
                found.entry(partition).or_default().extend(records);
            }
            LogEvent::Idle => idle += 1,
            other => panic!("records were due, not {other:?}"),
        }
        assert!(idle < POLLS_MAX, "{count} records were due, these came: {found:?}");
    }
    found
}

/// Nothing comes, for as long as a reader may reasonably take.
fn assert_idle(reader: &mut dyn LogReader) {
    for _ in 0..3 {
        assert_eq!(reader.poll(1, 10).expect("a poll"), LogEvent::Idle);
    }
}

fn payloads(records: &[Record]) -> Vec<&str> {
    records.iter().map(|r| std::str::from_utf8(&r.payload).expect("text was written")).collect()
}

fn offsets_rise_by_one(log: &mut dyn LogUnderTest) {
    let mut next: BTreeMap<u32, u64> = BTreeMap::new();
    let mut partition_of: BTreeMap<String, u32> = BTreeMap::new();
    for n in 0..40 {
        let key = format!("main/kpn/{}", n % 7);
        let (partition, offset) = append(log, &key, "x");
        assert_eq!(offset, *next.entry(partition).or_default(), "offsets rise by one from 0");
        next.insert(partition, offset + 1);
        assert_eq!(*partition_of.entry(key).or_insert(partition), partition, "a key keeps its partition");
        assert!(partition < log.partitions(TOPIC));
    }
    let (mut reader, _) = sole_reader(log, "g");
    for (partition, high) in next {
        let at = TopicPartition { topic: TOPIC, partition };
        assert_eq!(reader.watermarks(at).expect("watermarks"), Watermarks { low: 0, high });
    }
}

fn reads_in_order_from_the_offset(log: &mut dyn LogUnderTest) {
    let mut writer = log.writer();
    let binary: Vec<u8> = (0..=255).collect();
    let headers: [(&str, &[u8]); 3] = [("trace", b"1"), ("", b""), ("trace", &binary)];
    let (partition, _) = writer.append(TOPIC, b"k", &headers, &binary).expect("an append");
    writer.append(TOPIC, b"k", &[], b"").expect("an empty payload");
    writer.append(TOPIC, b"k", &[], b"third").expect("an append");
    let at = TopicPartition { topic: TOPIC, partition };
    let (mut reader, _) = sole_reader(log, "g");
    reader.start_at(at, 0).expect("the beginning");
    let found = read(&mut *reader, 3, 2).remove(&at).expect("its partition");
    assert_eq!(found.iter().map(|r| r.offset).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(reader.heard_high(at), Some(3), "who has read to the end has heard of it");
    assert_eq!((&found[0].key[..], &found[0].payload), (&b"k"[..], &binary));
    let kept: Vec<(&str, &[u8])> = found[0].headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(kept, headers);
    assert_eq!(found[1].payload, b"");
    reader.start_at(at, 2).expect("a later offset");
    assert_eq!(payloads(&read(&mut *reader, 1, 10)[&at]), ["third"]);
    reader.start_at(at, 1).expect("back again");
    assert_eq!(payloads(&read(&mut *reader, 2, 10)[&at]), ["", "third"]);
}

fn records_want_a_start(log: &mut dyn LogUnderTest) {
    let (partition, _) = append(log, "k", "x");
    let at = TopicPartition { topic: TOPIC, partition };
    let mut early = log.reader("early", TOPIC, 0, 1);
    assert!(matches!(early.start_at(at, 0), Err(LogError::NotAssigned(p)) if p == at));
    let (mut reader, _) = sole_reader(log, "g");
    assert_idle(&mut *reader);
    let other_topic = TopicPartition { topic: Topic::Files, partition };
    assert!(matches!(reader.start_at(other_topic, 0), Err(LogError::NotAssigned(_))));
    reader.start_at(at, 0).expect("the beginning");
    assert_eq!(read(&mut *reader, 1, 10)[&at].len(), 1);
    assert_idle(&mut *reader);
}

fn offsets_outside_are_errors(log: &mut dyn LogUnderTest) {
    let (partition, _) = append(log, "k", "x");
    let at = TopicPartition { topic: TOPIC, partition };
    let (mut reader, _) = sole_reader(log, "g");
    let above = reader.start_at(at, 2);
    assert!(matches!(above, Err(LogError::OutOfRange { offset: 2, low: 0, high: 1, .. })), "{above:?}");
    reader.start_at(at, 1).expect("the high watermark waits for the next record");
    let nowhere = TopicPartition { topic: TOPIC, partition: log.partitions(TOPIC) };
    assert!(reader.watermarks(nowhere).is_err());
}

fn reads_what_comes_later(log: &mut dyn LogUnderTest) {
    let (mut reader, partitions) = sole_reader(log, "g");
    start_all(&mut *reader, &partitions);
    assert_idle(&mut *reader);
    let (partition, _) = append(log, "k", "late");
    let at = TopicPartition { topic: TOPIC, partition };
    assert_eq!(payloads(&read(&mut *reader, 1, 10)[&at]), ["late"]);
    append(log, "k", "later");
    assert_eq!(payloads(&read(&mut *reader, 1, 10)[&at]), ["later"]);
}

fn acknowledged_outlives_a_crash(log: &mut dyn LogUnderTest) {
    let (partition, _) = append(log, "k", "one");
    append(log, "k", "two");
    let at = TopicPartition { topic: TOPIC, partition };
    let life = sole_reader(log, "g").0.incarnation(TOPIC).expect("an incarnation");
    assert!(!life.0.is_empty());
    log.crash();
    assert_eq!(append(log, "k", "three"), (partition, 2), "offsets go on");
    let (mut reader, partitions) = sole_reader(log, "h");
    assert_eq!(reader.incarnation(TOPIC).expect("an incarnation"), life, "a crash is not another life");
    start_all(&mut *reader, &partitions);
    assert_eq!(payloads(&read(&mut *reader, 3, 10)[&at]), ["one", "two", "three"]);
}

fn members_share_the_partitions(log: &mut dyn LogUnderTest) {
    let mut readers = [log.reader("g", TOPIC, 0, 2), log.reader("g", TOPIC, 1, 2)];
    let shares = readers.each_mut().map(|r| assignment(&mut **r));
    let all: Vec<TopicPartition> = shares.iter().flatten().copied().collect();
    let distinct: BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len(), "no partition has two members");
    assert_eq!(distinct.len(), log.partitions(TOPIC) as usize, "no partition has none");
    let [one, two] = &mut readers;
    if let (Some(mine), Some(theirs)) = (shares[0].first(), shares[1].first()) {
        assert!(matches!(one.start_at(*theirs, 0), Err(LogError::NotAssigned(_))));
        assert!(matches!(two.start_at(*mine, 0), Err(LogError::NotAssigned(_))));
    }
}

fn pausing_loses_nothing(log: &mut dyn LogUnderTest) {
    let (partition, _) = append(log, "k", "one");
    append(log, "k", "two");
    let at = TopicPartition { topic: TOPIC, partition };
    let (mut reader, partitions) = sole_reader(log, "g");
    start_all(&mut *reader, &partitions);
    assert_eq!(payloads(&read(&mut *reader, 1, 1)[&at]), ["one"]);
    reader.pause(at);
    append(log, "k", "three");
    assert_idle(&mut *reader);
    reader.resume(at);
    assert_eq!(payloads(&read(&mut *reader, 2, 10)[&at]), ["two", "three"]);
}

fn no_partition_starves(log: &mut dyn LogUnderTest) {
    let mut busy = BTreeSet::new();
    for n in 0..30 {
        let key = format!("main/kpn/{n}");
        busy.insert(append(log, &key, "one").0);
        append(log, &key, "two");
    }
    let (mut reader, partitions) = sole_reader(log, "g");
    start_all(&mut *reader, &partitions);
    let found = read(&mut *reader, busy.len(), 1);
    assert_eq!(found.len(), busy.len(), "each has had its turn: {:?}", found.keys());
}

fn groups_note_their_progress(log: &mut dyn LogUnderTest) {
    let (partition, _) = append(log, "k", "one");
    let at = TopicPartition { topic: TOPIC, partition };
    let (mut one, _) = sole_reader(log, "one");
    let (mut two, _) = sole_reader(log, "two");
    assert_eq!(one.noted_progress(at).expect("progress"), None);
    one.note_progress(at, 1).expect("noted");
    assert_eq!(one.noted_progress(at).expect("progress"), Some(1));
    assert_eq!(two.noted_progress(at).expect("progress"), None, "groups do not mix");
}

fn sizes_have_limits(log: &mut dyn LogUnderTest) {
    let mut writer = log.writer();
    let largest = vec![7; RECORD_BYTES_MAX];
    let (partition, offset) = writer.append(TOPIC, b"k", &[], &largest).expect("the largest record");
    let refused = writer.append(TOPIC, b"k", &[], &[&largest[..], b"7"].concat());
    assert!(matches!(refused, Err(LogError::TooLarge { part: "payload", .. })), "{refused:?}");
    assert!(matches!(writer.append(TOPIC, &[7; 2000], &[], b""), Err(LogError::TooLarge { part: "key", .. })));
    let header = [("h", &largest[..20_000])];
    assert!(matches!(writer.append(TOPIC, b"k", &header, b""), Err(LogError::TooLarge { part: "headers", .. })));
    assert_eq!(append(log, "k", "small"), (partition, offset + 1), "a refused record leaves no trace");
    let at = TopicPartition { topic: TOPIC, partition };
    let (mut reader, _) = sole_reader(log, "g");
    reader.start_at(at, offset).expect("its offset");
    let found = read(&mut *reader, 2, 10);
    assert!(found[&at][0].payload == largest, "the largest record comes back whole");
}

fn trimming_keeps_the_rest(log: &mut dyn LogUnderTest) {
    let (partition, _) = append(log, "k", "one");
    append(log, "k", "two");
    append(log, "k", "three");
    let at = TopicPartition { topic: TOPIC, partition };
    if !log.trim(at, 2) {
        return;
    }
    let (mut reader, _) = sole_reader(log, "g");
    assert_eq!(reader.watermarks(at).expect("watermarks"), Watermarks { low: 2, high: 3 });
    assert!(matches!(reader.start_at(at, 1), Err(LogError::OutOfRange { offset: 1, low: 2, high: 3, .. })));
    reader.start_at(at, 2).expect("the low watermark");
    assert_eq!(payloads(&read(&mut *reader, 1, 10)[&at]), ["three"]);
}
