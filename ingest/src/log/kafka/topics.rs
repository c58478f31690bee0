//! The topics that the log wants: made, and compared with what is there.

use std::fmt;

use futures_executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::settings::within;
use super::{BrokerError, KafkaSettings, connect, describe};
use crate::log::admission::{HEADERS_BYTES_MAX, KEY_BYTES_MAX};
use crate::log::{LogError, RECORD_BYTES_MAX, Topic};

/// A topic as the log wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPlan {
    /// Which topic.
    pub topic: Topic,
    /// How many partitions, 1 to 1,024. Fixed for ever: they decide where a key goes.
    pub partitions: u32,
    /// How many brokers hold each partition, 1 to 15.
    pub replication: u32,
    /// How many of them must have a record before an append returns, at most `replication`.
    pub in_sync_min: u32,
    /// How long records are kept, in milliseconds: an hour (3,600,000) to a year. What is not rated by then is announced
    /// again from landing.
    pub retention_ms: u64,
    /// Largest batch of records that the broker takes, in bytes: 1 MiB is Kafka's own default.
    pub message_bytes_max: u64,
}

/// What the largest record needs: payload, key, headers and the frame of a batch.
pub const MESSAGE_BYTES_MIN: u64 = (RECORD_BYTES_MAX + KEY_BYTES_MAX + HEADERS_BYTES_MAX + 4096) as u64;

const YEAR_MS: u64 = 366 * 86_400_000;

impl TopicPlan {
    /// The defaults for a cluster in which each partition has so many replicas: 12 partitions for files, 64 for batches, one for dead letters,
    /// kept for seven days; with three replicas two must have a record.
    pub fn defaults(replication: u32) -> [Self; 3] {
        Topic::ALL.map(|topic| Self {
            topic,
            partitions: match topic {
                Topic::Files => 12,
                Topic::Batches => 64,
                Topic::DeadLetters => Topic::DEAD_LETTER_PARTITIONS,
            },
            replication,
            in_sync_min: (replication / 2 + 1).min(replication).max(1),
            retention_ms: 7 * 86_400_000,
            message_bytes_max: 1_048_588,
        })
    }

    fn check(&self) -> Result<(), LogError> {
        within("partitions", self.partitions.into(), 1..=1024, "1 to 1024")?;
        within("replication", self.replication.into(), 1..=15, "1 to 15")?;
        within("in_sync_min", self.in_sync_min.into(), 1..=self.replication.into(), "1 to the replication")?;
        within("retention_ms", self.retention_ms, 3_600_000..=YEAR_MS, "3600000 to 31622400000")?;
        within("message_bytes_max", self.message_bytes_max, MESSAGE_BYTES_MIN..=1 << 30, "545792 to 1073741824")
    }

    /// What is set on the topic.
    fn wanted(&self) -> [(&'static str, String, Rule); 7] {
        [
            ("cleanup.policy", "delete".to_owned(), Rule::Equal),
            ("retention.ms", self.retention_ms.to_string(), Rule::AtLeast),
            ("retention.bytes", "-1".to_owned(), Rule::Equal),
            ("max.message.bytes", self.message_bytes_max.to_string(), Rule::AtLeast),
            ("message.timestamp.type", "LogAppendTime".to_owned(), Rule::Equal),
            ("min.insync.replicas", self.in_sync_min.to_string(), Rule::AtLeast),
            ("unclean.leader.election.enable", "false".to_owned(), Rule::Equal),
        ]
    }
}

/// How a value is compared with the wanted one.
#[derive(Debug, Clone, Copy)]
enum Rule {
    Equal,
    /// A number that may be larger; -1 means without limit.
    AtLeast,
}

impl Rule {
    fn allows(self, is: &str, wanted: &str) -> bool {
        match (self, is.parse::<i64>(), wanted.parse::<i64>()) {
            (Self::AtLeast, Ok(is), Ok(wanted)) => is == -1 || is >= wanted,
            _ => is == wanted,
        }
    }
}

/// What became of a topic that was to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It is new.
    Created,
    /// It was there and was left as it is; [`check`] says whether it fits.
    Existed,
}

/// A topic that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its name on the broker.
    pub topic: String,
    /// `topic`, `partitions`, `replication` or the name of a topic setting.
    pub what: &'static str,
    /// What was found.
    pub is: String,
    /// What was wanted.
    pub wanted: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "topic `{}`: {} is {}, wanted {}; {}", self.topic, self.what, self.is, self.wanted, self.remedy)
    }
}

/// Makes the topics that are missing. Others are left as they are.
pub fn create(settings: &KafkaSettings, plans: &[TopicPlan]) -> Result<Vec<(Topic, Made)>, LogError> {
    settings.check()?;
    plans.iter().try_for_each(TopicPlan::check)?;
    let admin = connect(settings)?;
    plans.iter().map(|plan| Ok((plan.topic, create_one(settings, &admin, plan)?))).collect()
}

fn create_one(settings: &KafkaSettings, admin: &Admin, plan: &TopicPlan) -> Result<Made, LogError> {
    let name = settings.topic_name(plan.topic);
    let wanted = plan.wanted();
    let fixed = |number: u32| i32::try_from(number).expect("checked to be small");
    let mut topic = NewTopic::new(&name, fixed(plan.partitions), TopicReplication::Fixed(fixed(plan.replication)));
    for (key, value, _) in &wanted {
        topic = topic.set(key, value);
    }
    let sort = |error| BrokerError::sort("make a topic", &settings.brokers, None, error);
    let results = block_on(admin.create_topics([&topic], &options(settings))).map_err(sort)?;
    match results.into_iter().next() {
        Some(Ok(_)) => Ok(Made::Created),
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(Made::Existed),
        Some(Err((_, RDKafkaErrorCode::InvalidReplicationFactor))) => {
            let cluster = admin.inner().fetch_metadata(None, settings.request_wait());
            let brokers = cluster.ok().map(|cluster| cluster.brokers().len());
            Err(BrokerError::Replication { topic: name, wanted: plan.replication, brokers }.into())
        }
        Some(Err((_, code))) => Err(sort(KafkaError::AdminOp(code))),
        None => Err(sort(KafkaError::Canceled)),
    }
}

/// Compares the topics with what is wanted; nothing is changed. Empty when all is well.
pub fn check(settings: &KafkaSettings, plans: &[TopicPlan]) -> Result<Vec<Difference>, LogError> {
    settings.check()?;
    plans.iter().try_for_each(TopicPlan::check)?;
    let admin = connect(settings)?;
    let mut differences = Vec::new();
    for plan in plans {
        check_one(settings, &admin, plan, &mut differences)?;
    }
    Ok(differences)
}

fn check_one(
    settings: &KafkaSettings,
    admin: &Admin,
    plan: &TopicPlan,
    differences: &mut Vec<Difference>,
) -> Result<(), LogError> {
    let name = settings.topic_name(plan.topic);
    let mut differ = |what, is: String, wanted: String, remedy: String| {
        differences.push(Difference { topic: name.clone(), what, is, wanted, remedy });
    };
    let replicas = match describe(settings, admin, &name) {
        Ok(topic) => topic.replicas,
        Err(LogError::Broker(BrokerError::NoTopic { .. })) => {
            let remedy = "make it with `tollway topics create`".to_owned();
            differ("topic", "missing".to_owned(), "there".to_owned(), remedy);
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    if replicas.len() != plan.partitions as usize {
        let remedy = "never add partitions to a topic in use, keys would move: set the configuration to what is there, or let \
                      the workers finish, delete the topic and make it anew";
        differ("partitions", replicas.len().to_string(), plan.partitions.to_string(), remedy.to_owned());
    }
    let fewest = replicas.iter().copied().min().unwrap_or_default();
    if fewest < plan.replication as usize {
        let remedy = "reassign its partitions with `kafka-reassign-partitions.sh`".to_owned();
        differ("replication", fewest.to_string(), plan.replication.to_string(), remedy);
    }
    let found = settings_of(settings, admin, &name)?;
    for (what, wanted, rule) in plan.wanted() {
        let is = found.get(what).and_then(|entry| entry.value.clone()).unwrap_or_default();
        if !rule.allows(&is, &wanted) {
            let remedy = format!(
                "set it with `kafka-configs.sh --alter --entity-type topics --entity-name {name} --add-config {what}={wanted}`"
            );
            differ(what, is, wanted, remedy);
        }
    }
    Ok(())
}

type Admin = AdminClient<DefaultClientContext>;

fn settings_of(settings: &KafkaSettings, admin: &Admin, name: &str) -> Result<ConfigResource, LogError> {
    let sort = |error| BrokerError::sort("read a topic's settings", &settings.brokers, Some(name), error);
    let asked = [ResourceSpecifier::Topic(name)];
    let results = block_on(admin.describe_configs(&asked, &options(settings))).map_err(sort)?;
    match results.into_iter().next() {
        Some(Ok(resource)) => Ok(resource),
        Some(Err(code)) => Err(sort(KafkaError::AdminOp(code))),
        None => Err(sort(KafkaError::Canceled)),
    }
}

fn options(settings: &KafkaSettings) -> AdminOptions {
    let wait = Some(settings.request_wait());
    AdminOptions::new().request_timeout(wait).operation_timeout(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_plans_are_within_their_limits() {
        for replication in [1, 2, 3, 5] {
            for plan in TopicPlan::defaults(replication) {
                plan.check().expect("defaults");
                assert!(plan.in_sync_min <= replication);
            }
        }
        assert_eq!(TopicPlan::defaults(3)[0].in_sync_min, 2, "one of three brokers may be away");
    }

    #[test]
    fn a_plan_whose_largest_record_would_not_fit_is_refused() {
        let [plan, ..] = TopicPlan::defaults(1);
        let small = TopicPlan { message_bytes_max: RECORD_BYTES_MAX as u64, ..plan };
        assert!(small.check().expect_err("too small").to_string().contains("message_bytes_max"));
        assert_eq!(MESSAGE_BYTES_MIN, 545_792, "the text of the error names it");
    }

    #[test]
    fn a_larger_limit_is_no_difference_and_unlimited_is_none() {
        assert!(Rule::AtLeast.allows("2000000", "1048588"));
        assert!(Rule::AtLeast.allows("-1", "604800000"));
        assert!(!Rule::AtLeast.allows("1000", "604800000"));
        assert!(!Rule::Equal.allows("compact,delete", "delete"));
    }
}
