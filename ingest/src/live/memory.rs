//! A live source in memory, for tests: what it holds, loses and who listens to which partition is the test's to choose.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use super::{Event, EventSource, LiveError, News};
use crate::log::Watermarks;

/// A topic in memory. Clones share it.
#[derive(Debug, Clone)]
pub struct MemoryTopic {
    shared: Arc<Mutex<Shared>>,
    name: String,
}

#[derive(Debug)]
struct Shared {
    life: u32,
    partitions: Vec<Partition>,
}

#[derive(Debug, Default)]
struct Partition {
    low: u64,
    high: u64,
    events: BTreeMap<u64, Vec<u8>>,
}

/// Listens to partitions of a [`MemoryTopic`]. Nobody takes them away: two that have the same one are a zombie and its heir.
#[derive(Debug)]
pub struct MemoryEvents {
    topic: MemoryTopic,
    news: VecDeque<News>,
    places: BTreeMap<u32, u64>,
    ended: BTreeSet<u32>,
}

impl MemoryTopic {
    /// An empty topic.
    pub fn new(name: &str, partitions: usize) -> Self {
        let partitions = (0..partitions).map(|_| Partition::default()).collect();
        Self { shared: Arc::new(Mutex::new(Shared { life: 1, partitions })), name: name.to_owned() }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().expect("no holder panics")
    }

    /// Writes an event; returns its offset.
    pub fn write(&self, partition: u32, value: &[u8]) -> u64 {
        let mut shared = self.lock();
        let to = &mut shared.partitions[partition as usize];
        to.events.insert(to.high, value.to_vec());
        to.high += 1;
        to.high - 1
    }

    /// Uses up an offset without an event, as the mark of a transaction does.
    pub fn skip(&self, partition: u32) {
        self.lock().partitions[partition as usize].high += 1;
    }

    /// Removes the events below an offset, as retention does.
    pub fn trim(&self, partition: u32, below: u64) {
        let mut shared = self.lock();
        let from = &mut shared.partitions[partition as usize];
        from.events = from.events.split_off(&below);
        from.low = below;
    }

    /// Removes the events from an offset on, as a broker does that lost its disk.
    pub fn cut(&self, partition: u32, high: u64) {
        let mut shared = self.lock();
        let from = &mut shared.partitions[partition as usize];
        from.events.split_off(&high);
        from.high = high;
    }

    /// Deletes the topic and makes it anew, empty.
    pub fn recreate(&self) {
        let mut shared = self.lock();
        shared.life += 1;
        shared.partitions.iter_mut().for_each(|partition| *partition = Partition::default());
    }

    /// Somebody who listens to these partitions.
    pub fn listen(&self, partitions: &[u32]) -> MemoryEvents {
        let news = [News::Assigned(partitions.to_vec())].into();
        MemoryEvents { topic: self.clone(), news, places: BTreeMap::new(), ended: BTreeSet::new() }
    }
}

impl MemoryEvents {
    /// Tells something next.
    pub fn tell(&mut self, news: News) {
        self.news.push_back(news);
    }
}

impl EventSource for MemoryEvents {
    fn topic(&self) -> &str {
        &self.topic.name
    }

    fn incarnation(&mut self) -> Result<String, LiveError> {
        Ok(format!("life-{}", self.topic.lock().life))
    }

    fn watermarks(&mut self, partition: u32) -> Result<Watermarks, LiveError> {
        let shared = self.topic.lock();
        let of = &shared.partitions[partition as usize];
        Ok(Watermarks { low: of.low, high: of.high })
    }

    fn start_at(&mut self, partition: u32, offset: u64) -> Result<(), LiveError> {
        self.ended.remove(&partition);
        self.places.insert(partition, offset);
        Ok(())
    }

    fn poll(&mut self, _: u64, events_max: usize) -> Result<News, LiveError> {
        if let Some(news) = self.news.pop_front() {
            if let News::Revoked(partitions) = &news {
                self.places.retain(|partition, _| !partitions.contains(partition));
            }
            return Ok(news);
        }
        let shared = self.topic.lock();
        for (partition, at) in &mut self.places {
            let of = &shared.partitions[*partition as usize];
            if !(of.low..=of.high).contains(at) {
                return Ok(News::Refused);
            }
            let event =
                |(offset, value): (&u64, &Vec<u8>)| Event { partition: *partition, offset: *offset, value: value.clone() };
            let events: Vec<Event> = of.events.range(*at..).take(events_max).map(event).collect();
            if let Some(last) = events.last() {
                *at = last.offset + 1;
                self.ended.remove(partition);
                return Ok(News::Events(events));
            }
            if self.ended.insert(*partition) {
                return Ok(News::End(*partition));
            }
        }
        Ok(News::Idle)
    }

    fn note_progress(&mut self, _: u32, _: u64) -> Result<(), LiveError> {
        Ok(())
    }
}
