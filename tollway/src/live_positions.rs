//! Where live sources stand: up to which offset each partition has landed, and how far its topic goes beyond that.

use std::collections::BTreeMap;

use config::Config;
use ingest::land::{Arrival, ArrivalKind, LiveRange};
use serde_json::{Value, json};

use crate::output::{Sheet, count};

/// A partition of a live source.
#[derive(Debug, PartialEq, Eq)]
pub struct LivePosition {
    account: String,
    topic: String,
    partition: u32,
    /// All events below have landed.
    next_offset: u64,
    /// Offsets that have not; `None` when the brokers do not say, or when their topic is another one by now.
    lag: Option<u64>,
}

/// What has landed of a topic in its newest life.
#[derive(Debug, Default, PartialEq, Eq)]
struct Life {
    incarnation: String,
    next: BTreeMap<u32, u64>,
}

/// All partitions of which something has landed. Brokers are asked once for each topic.
pub fn positions(config: &Config, arrivals: &[Arrival]) -> Vec<LivePosition> {
    let landed = arrivals.iter().filter_map(|arrival| match &arrival.kind {
        ArrivalKind::Delivery(delivery) => Some((delivery.identity.account.path(), delivery.live.as_deref()?)),
        _ => None,
    });
    let mut positions = Vec::new();
    let mut are_away = false;
    for ((account, topic), life) in lives(landed) {
        let ends = if are_away { None } else { ends(config, &topic, &life.incarnation, &mut are_away) };
        for (partition, next_offset) in life.next {
            let end = ends.as_ref().and_then(|ends| ends.get(usize::try_from(partition).ok()?).copied());
            let lag = end.map(|end| end.saturating_sub(next_offset));
            positions.push(LivePosition { account: account.clone(), topic: topic.clone(), partition, next_offset, lag });
        }
    }
    positions
}

/// By account and topic, in the order of arrival the last life of each.
fn lives<'a>(landed: impl Iterator<Item = (String, &'a LiveRange)>) -> BTreeMap<(String, String), Life> {
    let mut lives: BTreeMap<(String, String), Life> = BTreeMap::new();
    for (account, range) in landed {
        let life = lives.entry((account, range.source.topic.clone())).or_default();
        if life.incarnation != range.source.incarnation {
            *life = Life { incarnation: range.source.incarnation.clone(), next: BTreeMap::new() };
        }
        life.next.insert(range.source.partition, range.next_offset);
    }
    lives
}

/// Where the partitions of a topic end, if it is still the one that was listened to. Brokers that do not answer are not asked
/// for the next topic.
#[cfg(feature = "kafka")]
fn ends(config: &Config, topic: &str, incarnation: &str, are_away: &mut bool) -> Option<Vec<u64>> {
    use ingest::log::kafka::TopicEnds;

    /// A look does not wait longer, whatever the settings say, milliseconds.
    const WAIT_MS_MAX: u64 = 2_000;

    if config.kafka.brokers.is_empty() {
        return None;
    }
    let mut settings = crate::log::kafka::settings(&config.kafka);
    settings.request_wait_ms = settings.request_wait_ms.min(WAIT_MS_MAX);
    let found = TopicEnds::ask(&settings, topic);
    *are_away = found.as_ref().is_err_and(|e| e.disposition() == domain::ports::Disposition::Retry);
    found.ok().filter(|found| found.incarnation == incarnation).map(|found| found.next)
}

#[cfg(not(feature = "kafka"))]
fn ends(_: &Config, _: &str, _: &str, _: &mut bool) -> Option<Vec<u64>> {
    None
}

/// The positions as a table; `None` if nothing was ever listened to.
pub fn sheet(positions: &[LivePosition]) -> Option<Sheet> {
    let mut sheet = Sheet::new("live sources", &["account", "topic", "#partition", "#next offset", "#to go"]);
    for position in positions {
        let lag = position.lag.map_or_else(|| "?".to_owned(), count);
        sheet.row([
            position.account.clone(),
            position.topic.clone(),
            position.partition.to_string(),
            count(position.next_offset),
            lag,
        ]);
    }
    (!positions.is_empty()).then_some(sheet)
}

/// The positions for programs.
pub fn to_json(positions: &[LivePosition]) -> Vec<Value> {
    let one = |p: &LivePosition| json!({"account": p.account, "topic": p.topic, "partition": p.partition, "next_offset": p.next_offset, "lag": p.lag});
    positions.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use ingest::land::LivePartition;

    use super::*;

    fn range(incarnation: &str, partition: u32, next_offset: u64) -> LiveRange {
        LiveRange {
            source: LivePartition { topic: "cdr".to_owned(), incarnation: incarnation.to_owned(), partition },
            from_offset: 0,
            first_offset: 0,
            next_offset,
            header_bytes: 0,
            rows: 1,
            empty: 0,
            steps: Vec::new(),
            lost_below: None,
        }
    }

    #[test]
    fn the_newest_life_of_a_topic_counts_alone() {
        let landed = [range("old", 0, 90), range("old", 1, 70), range("new", 1, 5), range("new", 1, 8)];
        let lives = lives(landed.iter().map(|range| ("main/kpn/voice".to_owned(), range)));
        let [(of, life)] = lives.into_iter().collect::<Vec<_>>().try_into().expect("one source");
        assert_eq!(of, ("main/kpn/voice".to_owned(), "cdr".to_owned()));
        assert_eq!(life, Life { incarnation: "new".to_owned(), next: BTreeMap::from([(1, 8)]) });
    }
}
