//! Dead letters: records that cannot be understood, put aside untouched with where they came from and why.
//!
//! What is put aside is not lost: the file behind a notice or a claim check has landed, has no verdict without it, and is
//! announced again. So a dead letter is evidence first; replaying it is for when the reader was at fault.

use ingest::log::admission::KEY_BYTES_MAX;
use ingest::log::{Incarnation, LogError, LogWriter, RECORD_BYTES_MAX, Record, Topic, TopicPartition};

/// The topic, partition, offset and life that a dead letter was read from.
const FROM: [&str; 4] = ["tollway-dlq-topic", "tollway-dlq-partition", "tollway-dlq-offset", "tollway-dlq-incarnation"];

/// Why it could not be understood.
const WHY: &str = "tollway-dlq-error";

/// On a marker without payload: the offset of the dead letter that was replayed.
const REPLAYED: &str = "tollway-dlq-replayed";

/// Longest reason that is kept, in bytes.
const WHY_BYTES_MAX: usize = 1024;

/// A record that was put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its own offset among the dead letters.
    pub number: u64,
    /// The topic that it was read from, if it is one of ours.
    pub topic: Option<Topic>,
    /// The topic's name as written.
    pub topic_name: String,
    /// The partition that it was read from.
    pub partition: String,
    /// Its offset there.
    pub offset: String,
    /// The life of that topic.
    pub incarnation: String,
    /// Why it could not be understood.
    pub why: String,
    /// When it was put aside, microseconds since 1970 UTC.
    pub put_aside_us: i64,
    /// Key, headers and payload as they were.
    pub record: Record,
}

/// What a record of the topic of dead letters says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A record was put aside.
    Letter(Box<DeadLetter>),
    /// The dead letter of that number was replayed.
    Replayed(u64),
}

/// Puts a record aside.
pub fn put_aside(
    writer: &mut dyn LogWriter,
    from: TopicPartition,
    life: &Incarnation,
    record: &Record,
    why: &str,
) -> Result<(), LogError> {
    let (key, payload) = (&record.key[..record.key.len().min(KEY_BYTES_MAX)], &record.payload);
    let cut = &payload[..payload.len().min(RECORD_BYTES_MAX)];
    let why = &why[..why.floor_char_boundary(WHY_BYTES_MAX)];
    // Somebody else's record may be larger than ours are allowed to be.
    let is_cut = key.len() < record.key.len() || cut.len() < payload.len();
    let why = if is_cut { format!("cut off, it had {} bytes: {why}", payload.len()) } else { why.to_owned() };
    let place = [from.topic.name().to_owned(), from.partition.to_string(), record.offset.to_string(), life.0.clone()];
    let mut headers: Vec<(&str, &[u8])> = FROM.into_iter().zip(place.iter().map(String::as_bytes)).collect();
    headers.push((WHY, why.as_bytes()));
    headers.extend(record.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())));
    match writer.append(Topic::DeadLetters, key, &headers, cut) {
        // Its own headers leave no room for ours: those that say where and why count more.
        Err(LogError::TooLarge { part: "headers", .. }) => writer.append(Topic::DeadLetters, key, &headers[..=FROM.len()], cut),
        appended => appended,
    }?;
    Ok(())
}

/// Reads a record of the topic of dead letters.
pub fn read(mut record: Record) -> Entry {
    let mut take = |name: &str| {
        let at = record.headers.iter().position(|(n, _)| n == name)?;
        Some(String::from_utf8_lossy(&record.headers.remove(at).1).into_owned())
    };
    if let Some(number) = take(REPLAYED).and_then(|n| n.parse().ok()) {
        return Entry::Replayed(number);
    }
    let [topic_name, partition, offset, incarnation] = FROM.map(|name| take(name).unwrap_or_default());
    let why = take(WHY).unwrap_or_default();
    let topic = Topic::ALL.into_iter().find(|t| t.name() == topic_name);
    let (number, put_aside_us) = (record.offset, record.appended_us);
    let letter = DeadLetter { number, topic, topic_name, partition, offset, incarnation, why, put_aside_us, record };
    Entry::Letter(Box::new(letter))
}

/// Appends a dead letter to the topic that it came from, as it was there, and notes that this was done.
pub fn replay(writer: &mut dyn LogWriter, letter: &DeadLetter, topic: Topic) -> Result<(u32, u64), LogError> {
    let headers: Vec<(&str, &[u8])> = letter.record.headers.iter().map(|(n, v)| (n.as_str(), v.as_slice())).collect();
    let place = writer.append(topic, &letter.record.key, &headers, &letter.record.payload)?;
    let number = letter.number.to_string();
    writer.append(Topic::DeadLetters, &letter.record.key, &[(REPLAYED, number.as_bytes())], &[])?;
    Ok(place)
}

#[cfg(test)]
mod tests {
    use ingest::log::memory::MemoryLog;
    use ingest::log::{LogEvent, LogReader};

    use super::*;

    fn letters(log: &MemoryLog) -> Vec<Entry> {
        let mut reader = log.reader("reading", Topic::DeadLetters, 0, 1);
        let mut all = Vec::new();
        loop {
            match reader.poll(0, 100).expect("memory") {
                LogEvent::Assigned(partitions) => {
                    for partition in partitions {
                        reader.start_at(partition, 0).expect("the beginning");
                    }
                }
                LogEvent::Records(_, records) => all.extend(records.into_iter().map(read)),
                LogEvent::Revoked(_) => {}
                LogEvent::Idle => return all,
            }
        }
    }

    fn garbage(headers: Vec<(String, Vec<u8>)>) -> Record {
        Record { offset: 7, key: b"main/kpn/haven".to_vec(), headers, payload: vec![0xff, 0, b'{'], appended_us: 1 }
    }

    #[test]
    fn a_dead_letter_keeps_its_bytes_and_says_where_it_came_from_and_can_be_sent_again() {
        let log = MemoryLog::new(1);
        let record = garbage(vec![("theirs".to_owned(), b"kept".to_vec())]);
        let from = TopicPartition { topic: Topic::Batches, partition: 3 };
        put_aside(&mut log.writer(), from, &Incarnation("life-1".to_owned()), &record, "no JSON").expect("memory");
        let [Entry::Letter(letter)] = &letters(&log)[..] else { panic!("one letter") };
        assert_eq!((letter.topic, &*letter.partition, &*letter.offset), (Some(Topic::Batches), "3", "7"));
        assert_eq!((&*letter.incarnation, &*letter.why), ("life-1", "no JSON"));
        assert_eq!((&letter.record.payload, &letter.record.headers), (&record.payload, &record.headers));
        replay(&mut log.writer(), letter, Topic::Batches).expect("memory");
        assert!(matches!(letters(&log)[1], Entry::Replayed(number) if number == letter.number));
    }

    #[test]
    fn a_record_larger_than_ours_may_be_is_kept_as_far_as_it_fits() {
        let log = MemoryLog::new(1);
        let record = Record { key: vec![1; 5_000], payload: vec![b'x'; RECORD_BYTES_MAX + 9], ..garbage(Vec::new()) };
        let from = TopicPartition { topic: Topic::Batches, partition: 0 };
        put_aside(&mut log.writer(), from, &Incarnation("life-1".to_owned()), &record, "no JSON").expect("memory");
        let [Entry::Letter(letter)] = &letters(&log)[..] else { panic!("one letter") };
        assert_eq!((letter.record.key.len(), letter.record.payload.len()), (KEY_BYTES_MAX, RECORD_BYTES_MAX));
        assert!(letter.why.contains(&format!("it had {} bytes", RECORD_BYTES_MAX + 9)), "{}", letter.why);
    }

    #[test]
    fn a_record_full_of_headers_loses_its_own_before_it_loses_where_it_came_from() {
        let log = MemoryLog::new(1);
        let record = garbage((0..30).map(|n| (format!("theirs-{n}"), vec![0; 400])).collect());
        let from = TopicPartition { topic: Topic::Files, partition: 0 };
        put_aside(&mut log.writer(), from, &Incarnation("life-1".to_owned()), &record, &"é".repeat(2_000)).expect("memory");
        let [Entry::Letter(letter)] = &letters(&log)[..] else { panic!("one letter") };
        assert_eq!((letter.topic, &*letter.offset, letter.why.len()), (Some(Topic::Files), "7", 1024));
        assert_eq!((&letter.record.payload, letter.record.headers.len()), (&record.payload, 0));
    }
}
