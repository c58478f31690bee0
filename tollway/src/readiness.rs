//! Whether the service does its work, for whoever asks its door: it has joined the group, and not all of its partitions wait.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use ingest::log::TopicPartition;
use pipeline::parking::Parked;

/// Which partitions each worker has, from its first assignment on.
#[derive(Debug, Default)]
pub struct Shares {
    by_worker: BTreeMap<u32, BTreeSet<TopicPartition>>,
}

impl Shares {
    /// Notes what a worker has by now; gives whether this is its first assignment. It may be none: then the worker stands by.
    pub fn note(&mut self, worker: u32, partitions: impl Iterator<Item = TopicPartition>) -> bool {
        self.by_worker.insert(worker, partitions.collect()).is_none()
    }

    /// What the door says; an error while nothing is rated here. Partitions that wait for a hand are named either way.
    pub fn ready(&self, parked: &BTreeMap<TopicPartition, Parked>) -> Result<String, String> {
        if self.by_worker.is_empty() {
            return Err("starting\n".to_owned());
        }
        let mut waiting = String::new();
        for (partition, parked) in parked {
            let line = writeln!(waiting, "{partition} waits before record {}; the service's log says why", parked.offset);
            line.expect("a text takes everything");
        }
        let mut ours = self.by_worker.values().flatten().peekable();
        if ours.peek().is_some() && ours.all(|partition| parked.contains_key(partition)) {
            return Err(format!("every partition waits for a hand\n{waiting}"));
        }
        Ok(format!("ready\n{waiting}"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ingest::log::Topic;
    use pipeline::PipelineError;

    use super::*;

    fn partitions(numbers: &[u32]) -> impl Iterator<Item = TopicPartition> + '_ {
        numbers.iter().map(|partition| TopicPartition { topic: Topic::Batches, partition: *partition })
    }

    fn parked(numbers: &[u32]) -> BTreeMap<TopicPartition, Parked> {
        let waits = Parked { offset: 7, error: Arc::new(PipelineError::Header(1)), again_us: 0 };
        partitions(numbers).map(|partition| (partition, waits.clone())).collect()
    }

    #[test]
    fn it_is_ready_from_the_first_assignment_on_and_while_something_can_be_rated() {
        let mut shares = Shares::default();
        assert!(shares.ready(&parked(&[])).is_err(), "the group is not joined yet");
        assert!(shares.note(0, partitions(&[1, 2])) && shares.note(1, partitions(&[3])));
        assert_eq!(shares.ready(&parked(&[])), Ok("ready\n".to_owned()));
        let some = shares.ready(&parked(&[1, 3])).expect("2 goes on");
        assert!(some.contains("/1 waits before record 7") && some.contains("/3 waits"), "{some}");
        let all = shares.ready(&parked(&[1, 2, 3])).expect_err("nothing goes on");
        assert!(all.contains("/2 waits before record 7"), "{all}");
        assert!(!shares.note(0, partitions(&[])) && !shares.note(1, partitions(&[])));
        assert_eq!(shares.ready(&parked(&[])), Ok("ready\n".to_owned()), "it stands by");
    }
}
