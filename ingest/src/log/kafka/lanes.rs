//! What a reader holds for each of its partitions between the client library and its caller.

use std::collections::{BTreeMap, VecDeque};

use crate::log::Record;

/// Where a partition stands with the client library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The client does not fetch it yet, or from another place than the reader wants.
    Misplaced,
    /// What comes is what is due.
    Fetched,
}

/// One started partition.
#[derive(Debug)]
pub(super) struct Lane {
    standing: Standing,
    /// The offset that is due from the client.
    due: u64,
    held: VecDeque<Record>,
    is_paused: bool,
    /// It has records and none came since it was started.
    first_due: bool,
    /// A gap was seen before this offset, and the client was sent back to it.
    asked_again: Option<u64>,
}

/// Two offsets that should follow each other and do not, even when asked again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) expected: u64,
    pub(super) found: u64,
}

/// The started partitions of a reader.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: BTreeMap<u32, Lane>,
    bytes: usize,
}

impl Lanes {
    /// Starts a partition at an offset, or moves it there; `has_records` when the log holds some from there on.
    pub(super) fn start(&mut self, partition: u32, offset: u64, has_records: bool) {
        let is_paused = self.remove(partition).is_some_and(|lane| lane.is_paused);
        let (standing, held) = (Standing::Misplaced, VecDeque::new());
        let lane = Lane { standing, due: offset, held, is_paused, first_due: has_records, asked_again: None };
        self.lanes.insert(partition, lane);
    }

    pub(super) fn remove(&mut self, partition: u32) -> Option<Lane> {
        let lane = self.lanes.remove(&partition)?;
        self.bytes -= lane.held.iter().map(size).sum::<usize>();
        Some(lane)
    }

    /// Stops a partition; what it holds is fetched again later. False when it was stopped already or is not started.
    pub(super) fn pause(&mut self, partition: u32) -> bool {
        let Some(lane) = self.lanes.get_mut(&partition).filter(|lane| !lane.is_paused) else { return false };
        lane.is_paused = true;
        lane.due = lane.held.front().map_or(lane.due, |record| record.offset);
        self.bytes -= lane.held.drain(..).map(|record| size(&record)).sum::<usize>();
        lane.standing = Standing::Misplaced;
        true
    }

    pub(super) fn resume(&mut self, partition: u32) {
        if let Some(lane) = self.lanes.get_mut(&partition) {
            lane.is_paused = false;
        }
    }

    /// Partitions that run and stand so with the client, and the offset that is due.
    pub(super) fn standing(&self, standing: Standing) -> Vec<(u32, u64)> {
        let fits = |lane: &Lane| lane.standing == standing && !lane.is_paused;
        self.lanes.iter().filter(|(_, lane)| fits(lane)).map(|(partition, lane)| (*partition, lane.due)).collect()
    }

    pub(super) fn is_fetched_now(&mut self, partition: u32) {
        if let Some(lane) = self.lanes.get_mut(&partition) {
            lane.standing = Standing::Fetched;
        }
    }

    /// Takes a record from the client. What is not due is dropped; a gap sends the client back once, then it is an error.
    pub(super) fn take_in(&mut self, partition: u32, record: Record) -> Result<(), Gap> {
        let Some(lane) = self.lanes.get_mut(&partition) else { return Ok(()) };
        if lane.standing != Standing::Fetched || record.offset < lane.due {
            return Ok(());
        }
        if record.offset > lane.due {
            if lane.asked_again == Some(lane.due) {
                return Err(Gap { expected: lane.due, found: record.offset });
            }
            lane.asked_again = Some(lane.due);
            lane.standing = Standing::Misplaced;
            return Ok(());
        }
        lane.due += 1;
        lane.first_due = false;
        lane.asked_again = None;
        self.bytes += size(&record);
        lane.held.push_back(record);
        Ok(())
    }

    /// Up to `records_max` records of a partition, in order.
    pub(super) fn serve(&mut self, partition: u32, records_max: usize) -> Vec<Record> {
        let Some(lane) = self.lanes.get_mut(&partition) else { return Vec::new() };
        let count = lane.held.len().min(records_max);
        let records: Vec<Record> = lane.held.drain(..count).collect();
        self.bytes -= records.iter().map(size).sum::<usize>();
        records
    }

    /// Whether a running partition has records and has not had its first turn.
    pub(super) fn wait_for_first(&self) -> bool {
        self.lanes.values().any(|lane| lane.first_due && !lane.is_paused)
    }

    /// Bytes of the records that are held.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

fn size(record: &Record) -> usize {
    let headers: usize = record.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    size_of::<Record>() + record.key.len() + record.payload.len() + headers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(offset: u64) -> Record {
        Record { offset, key: b"k".to_vec(), headers: Vec::new(), payload: vec![7; 100], appended_us: 0 }
    }

    fn fetched(offset: u64) -> Lanes {
        let mut lanes = Lanes::default();
        lanes.start(3, offset, true);
        assert_eq!(lanes.standing(Standing::Misplaced), [(3, offset)]);
        lanes.is_fetched_now(3);
        lanes
    }

    fn offsets(records: &[Record]) -> Vec<u64> {
        records.iter().map(|r| r.offset).collect()
    }

    #[test]
    fn only_what_is_due_is_held() {
        let mut lanes = fetched(5);
        for offset in [4, 5, 5, 6] {
            lanes.take_in(3, record(offset)).expect("no gap");
        }
        lanes.take_in(9, record(0)).expect("a partition that is not ours is dropped");
        assert!(lanes.bytes() > 200);
        assert_eq!(offsets(&lanes.serve(3, 10)), [5, 6]);
        assert_eq!(lanes.bytes(), 0);
    }

    #[test]
    fn a_gap_is_asked_again_once_and_then_an_error() {
        let mut lanes = fetched(5);
        lanes.take_in(3, record(7)).expect("asked again");
        assert_eq!(lanes.standing(Standing::Misplaced), [(3, 5)]);
        lanes.take_in(3, record(8)).expect("what was under way is dropped");
        lanes.is_fetched_now(3);
        assert_eq!(lanes.take_in(3, record(7)), Err(Gap { expected: 5, found: 7 }));
        assert!(lanes.serve(3, 10).is_empty());
    }

    #[test]
    fn a_gap_that_closes_when_asked_again_is_forgotten() {
        let mut lanes = fetched(5);
        lanes.take_in(3, record(6)).expect("asked again");
        lanes.is_fetched_now(3);
        for offset in [5, 6] {
            lanes.take_in(3, record(offset)).expect("no gap");
        }
        assert_eq!(offsets(&lanes.serve(3, 10)), [5, 6]);
    }

    #[test]
    fn a_paused_partition_holds_nothing_and_goes_on_where_its_caller_stood() {
        let mut lanes = fetched(0);
        for offset in 0..4 {
            lanes.take_in(3, record(offset)).expect("no gap");
        }
        assert_eq!(offsets(&lanes.serve(3, 1)), [0]);
        assert!(lanes.pause(3), "it ran");
        assert_eq!(lanes.bytes(), 0);
        lanes.take_in(3, record(4)).expect("dropped");
        assert!(lanes.standing(Standing::Misplaced).is_empty(), "it stays where it is until it runs again");
        lanes.resume(3);
        assert_eq!(lanes.standing(Standing::Misplaced), [(3, 1)]);
    }

    #[test]
    fn moving_a_partition_drops_what_it_held() {
        let mut lanes = fetched(0);
        lanes.take_in(3, record(0)).expect("no gap");
        lanes.start(3, 0, false);
        assert_eq!((lanes.bytes(), lanes.standing(Standing::Misplaced)), (0, vec![(3, 0)]));
        assert!(!lanes.wait_for_first());
    }
}
