//! The dead letters of a log: which there are, and sending again what operators have asked for.

use std::collections::{BTreeMap, BTreeSet};

use ingest::land::Replay;
use ingest::log::{Incarnation, Log, LogError, LogEvent, Topic, TopicPartition};
use pipeline::dead_letter::{DeadLetter, Entry, read, replay};

/// The group that looks at dead letters; it keeps no positions.
const GROUP: &str = "tollway-dlq";

/// How long one look for records waits, milliseconds.
const WAIT_MS: u64 = 200;

/// Dead letters that are read at once.
const READ_AT_ONCE: usize = 1000;

/// A dead letter, and whether it was replayed.
#[derive(Debug, Clone)]
pub struct Known {
    /// What was put aside.
    pub letter: DeadLetter,
    /// Whether it was sent again since.
    pub replayed: bool,
}

/// All dead letters of a log, oldest first, each once; without those that were replayed unless they are wanted, too.
pub fn letters(log: &dyn Log, with_replayed: bool) -> Result<Vec<Known>, LogError> {
    let mut found: BTreeMap<u64, DeadLetter> = BTreeMap::new();
    let mut replayed = BTreeSet::new();
    if log.partitions(Topic::DeadLetters) > 0 {
        let at = TopicPartition { topic: Topic::DeadLetters, partition: 0 };
        let marks = log.watermarks(at)?;
        let mut reader = log.reader(GROUP, Topic::DeadLetters, 0, 1)?;
        let mut next = marks.low;
        while next < marks.high {
            match reader.poll(WAIT_MS, READ_AT_ONCE)? {
                LogEvent::Assigned(partitions) => partitions.into_iter().try_for_each(|p| reader.start_at(p, next))?,
                LogEvent::Records(_, records) => {
                    for record in records {
                        next = record.offset + 1;
                        match read(record) {
                            Entry::Letter(letter) => drop(found.insert(letter.number, *letter)),
                            Entry::Replayed(number) => drop(replayed.insert(number)),
                        }
                    }
                }
                LogEvent::Revoked(_) | LogEvent::Idle => {}
            }
        }
    }
    // A worker that was stopped in between has put the same record aside twice.
    let mut seen = BTreeSet::new();
    found.retain(|_, l| seen.insert((l.topic_name.clone(), l.incarnation.clone(), l.partition.clone(), l.offset.clone())));
    let known = found.into_values().map(|letter| Known { replayed: replayed.contains(&letter.number), letter });
    Ok(known.filter(|k| with_replayed || !k.replayed).collect())
}

/// Sends again what operators have asked for and what was not sent since; tells how many dead letters that were. Wishes of
/// another life of the topic are past.
pub fn replay_landed(log: &dyn Log, wishes: &[Replay]) -> Result<usize, LogError> {
    let Incarnation(life) = log.incarnation(Topic::DeadLetters)?;
    let wanted: BTreeSet<u64> = wishes.iter().filter(|w| w.incarnation == life).flat_map(|w| w.numbers.iter().copied()).collect();
    if wanted.is_empty() {
        return Ok(0);
    }
    let mut writer = log.writer();
    let mut sent = 0;
    for Known { letter, .. } in letters(log, false)?.iter().filter(|k| wanted.contains(&k.letter.number)) {
        if let Some(topic) = letter.topic {
            replay(&mut *writer, letter, topic)?;
            sent += 1;
        }
    }
    Ok(sent)
}
