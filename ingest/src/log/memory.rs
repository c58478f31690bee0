//! The log of the simulator: in memory, deterministic, without threads; assignments and faults are the test's to choose.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use domain::ports::Clock;

use super::admission::{check_record, partition_of};
use super::cursors::Cursors;
use super::{Incarnation, LogError, LogEvent, LogReader, LogWriter, Record, Topic, TopicPartition, Watermarks};

/// What happens to one append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppendFault {
    /// It is acknowledged.
    None,
    /// It does not happen and fails as [`LogError::Unacknowledged`].
    Lost,
    /// It happens and fails as [`LogError::Unacknowledged`].
    AckLost,
}

/// Decides about the n-th append of the log's life, from 0.
pub type AppendFaults = Box<dyn FnMut(u64, TopicPartition) -> AppendFault + Send>;

/// A log in memory. Clones share it; records outlive all writers and readers, as they do a worker's crash.
#[derive(Clone)]
pub struct MemoryLog {
    shared: Arc<Mutex<Shared>>,
    partitions: u32,
}

struct Shared {
    topics: BTreeMap<Topic, Vec<Partition>>,
    lives: BTreeMap<Topic, u32>,
    progress: BTreeMap<(String, TopicPartition), u64>,
    assignments: BTreeMap<Member, BTreeSet<u32>>,
    clock: Option<Arc<dyn Clock>>,
    faults: Option<AppendFaults>,
    appends: u64,
}

/// Group, topic, number of the member.
type Member = (String, Topic, u32);

#[derive(Default)]
struct Partition {
    low: u64,
    records: VecDeque<Record>,
}

/// Appends to a [`MemoryLog`].
#[derive(Debug, Clone)]
pub struct MemoryWriter {
    log: MemoryLog,
}

/// A member of a reader group of a [`MemoryLog`]. It learns of a changed assignment by its next poll: until then it is the
/// zombie that believes in the old one.
#[derive(Debug)]
pub struct MemoryReader {
    log: MemoryLog,
    member: Member,
    cursors: Option<Cursors>,
}

impl fmt::Debug for MemoryLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLog").field("partitions", &self.partitions).finish_non_exhaustive()
    }
}

impl MemoryLog {
    /// An empty log with this many partitions (at least 1) in each topic; records are stamped with the count of appends.
    pub fn new(partitions: u32) -> Self {
        let partitions = partitions.max(1);
        let empty = || (0..partitions).map(|_| Partition::default()).collect();
        let shared = Shared {
            topics: Topic::ALL.map(|topic| (topic, empty())).into(),
            lives: Topic::ALL.map(|topic| (topic, 1)).into(),
            progress: BTreeMap::new(),
            assignments: BTreeMap::new(),
            clock: None,
            faults: None,
            appends: 0,
        };
        Self { shared: Arc::new(Mutex::new(shared)), partitions }
    }

    /// As [`MemoryLog::new`], with records stamped by a clock.
    pub fn with_clock(partitions: u32, clock: Arc<dyn Clock>) -> Self {
        let log = Self::new(partitions);
        log.lock().clock = Some(clock);
        log
    }

    /// A handle that appends.
    pub fn writer(&self) -> MemoryWriter {
        MemoryWriter { log: self.clone() }
    }

    /// A member of a group. Until [`MemoryLog::assign`] says otherwise it gets the partitions `p` with
    /// `p % members == member`.
    pub fn reader(&self, group: &str, topic: Topic, member: u32, members: u32) -> MemoryReader {
        let share = (0..self.partitions).filter(|p| p.checked_rem(members) == Some(member)).collect();
        let member = (group.to_owned(), topic, member);
        self.lock().assignments.entry(member.clone()).or_insert(share);
        MemoryReader { log: self.clone(), member, cursors: None }
    }

    /// Gives a member these partitions and no others; its next polls say what was revoked and assigned.
    pub fn assign(&self, group: &str, topic: Topic, member: u32, partitions: &[u32]) {
        let known = partitions.iter().copied().filter(|p| *p < self.partitions).collect();
        self.lock().assignments.insert((group.to_owned(), topic, member), known);
    }

    /// Takes all partitions from a member.
    pub fn revoke(&self, group: &str, topic: Topic, member: u32) {
        self.assign(group, topic, member, &[]);
    }

    /// How many partitions each topic has.
    pub fn partitions(&self) -> u32 {
        self.partitions
    }

    /// Removes records below an offset; what the partition does not hold yet cannot be removed.
    pub fn trim(&self, partition: TopicPartition, below: u64) -> Result<Watermarks, LogError> {
        let mut shared = self.lock();
        let records = shared.partition(partition)?;
        while records.low < below && records.records.pop_front().is_some() {
            records.low += 1;
        }
        Ok(records.watermarks())
    }

    /// Deletes a topic and makes it anew: its records are gone, its incarnation is another.
    pub fn recreate(&self, topic: Topic) {
        let mut shared = self.lock();
        shared.topics.insert(topic, (0..self.partitions).map(|_| Partition::default()).collect());
        *shared.lives.entry(topic).or_default() += 1;
    }

    /// Lets appends fail as the test says; `None` ends that.
    pub fn set_faults(&self, faults: Option<AppendFaults>) {
        self.lock().faults = faults;
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().expect("no operation panics while it holds the log")
    }
}

impl Shared {
    fn partition(&mut self, at: TopicPartition) -> Result<&mut Partition, LogError> {
        let partitions = self.topics.get_mut(&at.topic);
        partitions.and_then(|p| p.get_mut(at.partition as usize)).ok_or(LogError::NoPartition(at))
    }
}

impl Partition {
    fn watermarks(&self) -> Watermarks {
        Watermarks { low: self.low, high: self.low + self.records.len() as u64 }
    }

    /// Where in the records an offset lies, if it is readable or next.
    fn place(&self, at: TopicPartition, offset: u64) -> Result<usize, LogError> {
        let Watermarks { low, high } = self.watermarks();
        match usize::try_from(offset.saturating_sub(low)) {
            Ok(place) if (low..=high).contains(&offset) => Ok(place),
            _ => Err(LogError::OutOfRange { partition: at, offset, low, high }),
        }
    }
}

impl LogWriter for MemoryWriter {
    fn append(&mut self, topic: Topic, key: &[u8], headers: &[(&str, &[u8])], payload: &[u8]) -> Result<(u32, u64), LogError> {
        check_record(topic, key, headers, payload)?;
        let mut shared = self.log.lock();
        let partition = partition_of(key, self.log.partitions);
        let at = TopicPartition { topic, partition };
        let nth = shared.appends;
        shared.appends += 1;
        let fault = shared.faults.as_mut().map_or(AppendFault::None, |faults| faults(nth, at));
        if fault == AppendFault::Lost {
            return Err(LogError::Unacknowledged(at));
        }
        let appended_us = shared.clock.as_ref().map_or_else(|| i64::try_from(nth).unwrap_or(i64::MAX), |clock| clock.now_us());
        let records = shared.partition(at)?;
        let offset = records.watermarks().high;
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect();
        records.records.push_back(Record { offset, key: key.to_vec(), headers, payload: payload.to_vec(), appended_us });
        if fault == AppendFault::AckLost { Err(LogError::Unacknowledged(at)) } else { Ok((partition, offset)) }
    }
}

impl MemoryReader {
    /// What changed in the assignment since the last poll; the first poll always says what is assigned.
    fn rebalance(&mut self, wanted: &BTreeSet<u32>) -> Option<LogEvent> {
        let topic = self.member.1;
        let named = |partitions: BTreeSet<u32>| partitions.into_iter().map(|p| TopicPartition { topic, partition: p }).collect();
        let is_first = self.cursors.is_none();
        let cursors = self.cursors.get_or_insert_with(|| Cursors::new(topic));
        let owned: BTreeSet<u32> = cursors.owned().collect();
        let gone: BTreeSet<u32> = owned.difference(wanted).copied().collect();
        if !gone.is_empty() {
            for partition in &gone {
                cursors.revoke(*partition);
            }
            return Some(LogEvent::Revoked(named(gone)));
        }
        let new: BTreeSet<u32> = wanted.difference(&owned).copied().collect();
        for partition in &new {
            cursors.assign(*partition);
        }
        (is_first || !new.is_empty()).then(|| LogEvent::Assigned(named(new)))
    }
}

impl LogReader for MemoryReader {
    /// Never waits: the simulator's time is its own.
    fn poll(&mut self, _wait_ms: u64, records_max: usize) -> Result<LogEvent, LogError> {
        let wanted = self.log.lock().assignments.get(&self.member).cloned().unwrap_or_default();
        if let Some(event) = self.rebalance(&wanted) {
            return Ok(event);
        }
        let Some(cursors) = &mut self.cursors else { return Ok(LogEvent::Idle) };
        let mut shared = self.log.lock();
        for (at, next) in cursors.turns() {
            let partition = shared.partition(at)?;
            let place = partition.place(at, next)?;
            let records: Vec<Record> = partition.records.range(place..).take(records_max.max(1)).cloned().collect();
            if let Some(last) = records.last() {
                cursors.served(at, last.offset + 1);
                return Ok(LogEvent::Records(at, records));
            }
        }
        Ok(LogEvent::Idle)
    }

    fn start_at(&mut self, partition: TopicPartition, offset: u64) -> Result<(), LogError> {
        let cursors = self.cursors.as_mut().ok_or(LogError::NotAssigned(partition))?;
        cursors.require(partition)?;
        self.log.lock().partition(partition)?.place(partition, offset)?;
        cursors.start(partition, offset)
    }

    fn pause(&mut self, partition: TopicPartition) {
        if let Some(cursors) = &mut self.cursors {
            cursors.set_paused(partition, true);
        }
    }

    fn resume(&mut self, partition: TopicPartition) {
        if let Some(cursors) = &mut self.cursors {
            cursors.set_paused(partition, false);
        }
    }

    fn watermarks(&mut self, partition: TopicPartition) -> Result<Watermarks, LogError> {
        Ok(self.log.lock().partition(partition)?.watermarks())
    }

    fn incarnation(&mut self, topic: Topic) -> Result<Incarnation, LogError> {
        let life = self.log.lock().lives.get(&topic).copied().unwrap_or_default();
        Ok(Incarnation(format!("memory-{life}")))
    }

    fn note_progress(&mut self, partition: TopicPartition, next_offset: u64) -> Result<(), LogError> {
        let mut shared = self.log.lock();
        shared.partition(partition)?;
        shared.progress.insert((self.member.0.clone(), partition), next_offset);
        Ok(())
    }

    fn noted_progress(&mut self, partition: TopicPartition) -> Result<Option<u64>, LogError> {
        let mut shared = self.log.lock();
        shared.partition(partition)?;
        Ok(shared.progress.get(&(self.member.0.clone(), partition)).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::contract::{self, LogUnderTest};

    struct UnderTest(MemoryLog);

    impl LogUnderTest for UnderTest {
        fn writer(&self) -> Box<dyn LogWriter> {
            Box::new(self.0.writer())
        }

        fn reader(&self, group: &str, topic: Topic, member: u32, members: u32) -> Box<dyn LogReader> {
            Box::new(self.0.reader(group, topic, member, members))
        }

        fn partitions(&self, _topic: Topic) -> u32 {
            self.0.partitions()
        }

        fn crash(&mut self) {
            self.0 = self.0.clone();
        }

        fn trim(&mut self, partition: TopicPartition, below: u64) -> bool {
            self.0.trim(partition, below).is_ok()
        }
    }

    #[test]
    fn keeps_the_contract() {
        contract::run(&mut || Box::new(UnderTest(MemoryLog::new(4))));
    }

    #[test]
    fn a_rebalance_is_told_by_the_next_poll_revocation_first() {
        let log = MemoryLog::new(2);
        let at = |partition| TopicPartition { topic: Topic::Batches, partition };
        let mut reader = log.reader("rate", Topic::Batches, 0, 1);
        assert_eq!(reader.poll(0, 1).expect("memory"), LogEvent::Assigned(vec![at(0), at(1)]));
        log.assign("rate", Topic::Batches, 0, &[1]);
        assert!(reader.start_at(at(0), 0).is_ok(), "a zombie still believes in the old assignment");
        assert_eq!(reader.poll(0, 1).expect("memory"), LogEvent::Revoked(vec![at(0)]));
        assert!(matches!(reader.start_at(at(0), 0), Err(LogError::NotAssigned(_))));
        log.revoke("rate", Topic::Batches, 0);
        assert_eq!(reader.poll(0, 1).expect("memory"), LogEvent::Revoked(vec![at(1)]));
        log.assign("rate", Topic::Batches, 0, &[0]);
        assert_eq!(reader.poll(0, 1).expect("memory"), LogEvent::Assigned(vec![at(0)]));
        assert_eq!(reader.poll(0, 1).expect("memory"), LogEvent::Idle);
    }

    #[test]
    fn a_lost_acknowledgement_leaves_the_record_and_a_lost_append_does_not() {
        let log = MemoryLog::new(1);
        let faults = [AppendFault::Lost, AppendFault::AckLost];
        log.set_faults(Some(Box::new(move |nth, _| usize::try_from(nth).map_or(AppendFault::None, |n| faults[n]))));
        let mut writer = log.writer();
        for _ in 0..2 {
            assert!(matches!(writer.append(Topic::Files, b"k", &[], b"v"), Err(LogError::Unacknowledged(_))));
        }
        log.set_faults(None);
        assert_eq!(writer.append(Topic::Files, b"k", &[], b"v").expect("memory"), (0, 1));
    }

    #[test]
    fn a_recreated_topic_is_another_one_and_refuses_old_positions() {
        let log = MemoryLog::new(1);
        let at = TopicPartition { topic: Topic::Files, partition: 0 };
        log.writer().append(Topic::Files, b"k", &[], b"v").expect("memory");
        let mut reader = log.reader("g", Topic::Files, 0, 1);
        let before = reader.incarnation(Topic::Files).expect("memory");
        log.recreate(Topic::Files);
        assert_ne!(reader.incarnation(Topic::Files).expect("memory"), before);
        reader.poll(0, 1).expect("the assignment");
        assert!(matches!(reader.start_at(at, 1), Err(LogError::OutOfRange { high: 0, .. })));
    }
}
