//! What an operator may choose about the broker as the log.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use rdkafka::ClientConfig;

use super::BrokerError;
use crate::log::{LogError, Topic};

/// How the members of a group share partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebalance {
    /// The members agree among themselves, and only what moves is revoked (`cooperative-sticky`). Any broker can do it.
    Cooperative,
    /// The broker decides (`group.protocol=consumer`). Needs Apache Kafka 4.
    Consumer,
}

/// The settings of a broker as the log. Never printed with the values of [`KafkaSettings::properties`].
#[derive(Clone)]
pub struct KafkaSettings {
    /// `host:port`, several separated by commas: where the cluster is asked first.
    pub brokers: String,
    /// Stands before the names of topics and groups, so that installations share a cluster: up to 64 of `a-z A-Z 0-9 . _ -`.
    pub topic_prefix: String,
    /// Names this process in the broker's logs and quotas: up to 64 of `a-z A-Z 0-9 . _ -`.
    pub client_id: String,
    /// How the members of a group share partitions.
    pub rebalance: Rebalance,
    /// How long one question to a broker may take, in milliseconds: 100 to 300,000.
    pub request_wait_ms: u64,
    /// How long an append waits for the broker's word before it counts as unacknowledged, in milliseconds: 1,000 to 600,000.
    pub append_wait_ms: u64,
    /// A member that is silent for so long has left its group, in milliseconds: 6,000 to 1,800,000. Not used with
    /// [`Rebalance::Consumer`], where the broker's own setting holds.
    pub session_wait_ms: u64,
    /// A member that polls more seldom than this has left its group, in milliseconds: 10,000 to 3,600,000. It bounds how long
    /// a revoked partition waits for its batch to be committed or dropped.
    pub poll_gap_max_ms: u64,
    /// Records fetched ahead by a reader, in KiB over all its partitions: 1,024 to 1,048,576.
    pub fetch_queue_kib: u64,
    /// Records of one partition in one answer of a broker, in bytes: 4,096 to 67,108,864. A larger record still comes.
    pub fetch_partition_bytes: u64,
    /// Records taken over from the client library and waiting for their partition's turn, in bytes: 4,096 to 67,108,864.
    pub shelf_bytes_max: u64,
    /// Further properties of the client library; which are allowed stands in [`ALLOWED_PROPERTIES`].
    pub properties: BTreeMap<String, String>,
}

/// Client properties that an operator may set, and whether they need a build with the feature `kafka-tls`.
pub const ALLOWED_PROPERTIES: &[(&str, bool)] = &[
    ("broker.address.family", false),
    ("client.rack", false),
    ("reconnect.backoff.max.ms", false),
    ("socket.keepalive.enable", false),
    ("sasl.mechanism", true),
    ("sasl.password", true),
    ("sasl.username", true),
    ("security.protocol", true),
    ("ssl.ca.location", true),
    ("ssl.ca.pem", true),
    ("ssl.certificate.location", true),
    ("ssl.certificate.pem", true),
    ("ssl.key.location", true),
    ("ssl.key.password", true),
    ("ssl.key.pem", true),
];

const NAME_CHARS_MAX: usize = 64;

/// How long a broker may hold back a fetch that finds nothing, milliseconds: the client library's own default.
const FETCH_WAIT_MS_MAX: u64 = 500;

impl KafkaSettings {
    /// The defaults for these brokers.
    pub fn new(brokers: &str) -> Self {
        Self {
            brokers: brokers.to_owned(),
            topic_prefix: String::new(),
            client_id: "tollway".to_owned(),
            rebalance: Rebalance::Cooperative,
            request_wait_ms: 10_000,
            append_wait_ms: 30_000,
            session_wait_ms: 45_000,
            poll_gap_max_ms: 300_000,
            fetch_queue_kib: 16 * 1024,
            fetch_partition_bytes: 1024 * 1024,
            // 0.5 kB × 2,000 claim checks; each stands for some 4 MB of records.
            shelf_bytes_max: 1024 * 1024,
            properties: BTreeMap::new(),
        }
    }

    /// The name of a topic on this broker.
    pub fn topic_name(&self, topic: Topic) -> String {
        format!("{}{topic}", self.topic_prefix)
    }

    /// The name of a reader group on this broker. Each topic has a group of its own: a rebalance of one does not stop the other.
    pub fn group_name(&self, group: &str, topic: Topic) -> String {
        format!("{}{group}.{topic}", self.topic_prefix)
    }

    pub(super) fn request_wait(&self) -> Duration {
        Duration::from_millis(self.request_wait_ms)
    }

    /// Whether a client could be made of them; nobody is asked.
    pub fn check(&self) -> Result<(), LogError> {
        if let Some(bad) = self.brokers.split(',').map(str::trim).find(|broker| !is_broker(broker)) {
            return refused("brokers", &format!("`{bad}` is no broker; name each as host:port, with commas between them"));
        }
        check_name("topic_prefix", &self.topic_prefix)?;
        check_name("client_id", &self.client_id)?;
        within("request_wait_ms", self.request_wait_ms, 100..=300_000, "100 to 300000")?;
        within("append_wait_ms", self.append_wait_ms, 1_000..=600_000, "1000 to 600000")?;
        within("session_wait_ms", self.session_wait_ms, 6_000..=1_800_000, "6000 to 1800000")?;
        within("poll_gap_max_ms", self.poll_gap_max_ms, 10_000..=3_600_000, "10000 to 3600000")?;
        within("fetch_queue_kib", self.fetch_queue_kib, 1_024..=1_048_576, "1024 to 1048576")?;
        within("fetch_partition_bytes", self.fetch_partition_bytes, 4_096..=67_108_864, "4096 to 67108864")?;
        within("shelf_bytes_max", self.shelf_bytes_max, 4_096..=67_108_864, "4096 to 67108864")?;
        if self.rebalance == Rebalance::Cooperative && self.poll_gap_max_ms < self.session_wait_ms {
            return refused("poll_gap_max_ms", "it must be at least session_wait_ms");
        }
        self.properties.keys().try_for_each(|name| check_property(name))
    }

    /// What every client of this process has in common.
    pub(super) fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        for (name, value) in &self.properties {
            client.set(name, value);
        }
        client.set("bootstrap.servers", &self.brokers).set("client.id", &self.client_id);
        client.set("socket.timeout.ms", self.request_wait_ms.max(1_000).to_string());
        client
    }

    /// An append is done when all replicas in step have it, and a repeated request leaves no copy.
    pub(super) fn producer(&self) -> ClientConfig {
        let mut client = self.client();
        client.set("enable.idempotence", "true").set("acks", "all").set("linger.ms", "0").set("compression.codec", "none");
        client.set("message.timeout.ms", self.append_wait_ms.to_string());
        client
    }

    /// No position is the broker's to choose or to keep, and what is fetched ahead is bounded.
    pub(super) fn consumer(&self, group: &str) -> ClientConfig {
        let mut client = self.client();
        client.set("group.id", group).set("enable.auto.commit", "false").set("enable.auto.offset.store", "false");
        client.set("auto.offset.reset", "error").set("allow.auto.create.topics", "false").set("enable.partition.eof", "false");
        client.set("max.poll.interval.ms", self.poll_gap_max_ms.to_string());
        client.set("queued.max.messages.kbytes", self.fetch_queue_kib.to_string());
        client.set("fetch.message.max.bytes", self.fetch_partition_bytes.to_string());
        // A broker answers the requests of a connection in turn, so whatever is asked beside a waiting fetch waits for it, too.
        client.set("fetch.wait.max.ms", (self.request_wait_ms / 4).min(FETCH_WAIT_MS_MAX).to_string());
        // At least a record of the largest size fits into an answer.
        client.set("fetch.max.bytes", self.fetch_partition_bytes.max(4 * 1024 * 1024).to_string());
        match self.rebalance {
            Rebalance::Cooperative => {
                client.set("group.protocol", "classic").set("partition.assignment.strategy", "cooperative-sticky");
                client.set("session.timeout.ms", self.session_wait_ms.to_string());
                // Kafka's own proportion of the two: a member hears of a rebalance with its next sign of life.
                client.set("heartbeat.interval.ms", (self.session_wait_ms / 15).to_string());
            }
            Rebalance::Consumer => {
                client.set("group.protocol", "consumer");
            }
        }
        client
    }
}

impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSettings")
            .field("brokers", &self.brokers)
            .field("topic_prefix", &self.topic_prefix)
            .field("rebalance", &self.rebalance)
            .field("properties", &self.properties.keys())
            .finish_non_exhaustive()
    }
}

/// Whether a text is an address of a broker: `host`, `host:port` or `[v6]:port`.
fn is_broker(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_v6 = host.starts_with('[') && host.ends_with(']');
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    is_port && !host.is_empty() && (is_v6 || host.chars().all(is_name))
}

pub(super) fn within(name: &'static str, value: u64, allowed: RangeInclusive<u64>, range: &'static str) -> Result<(), LogError> {
    if allowed.contains(&value) { Ok(()) } else { Err(LogError::Setting { name, value, range }) }
}

fn refused(name: &str, what: &str) -> Result<(), LogError> {
    Err(BrokerError::Setting { name: name.to_owned(), what: what.to_owned() }.into())
}

pub(super) fn check_name(setting: &str, name: &str) -> Result<(), LogError> {
    let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    if fits && name.len() <= NAME_CHARS_MAX {
        return Ok(());
    }
    refused(setting, &format!("`{name}` is not up to {NAME_CHARS_MAX} letters, digits, dots, underscores and hyphens"))
}

fn check_property(name: &str) -> Result<(), LogError> {
    match ALLOWED_PROPERTIES.iter().find(|(allowed, _)| *allowed == name) {
        Some((_, needs_tls)) if *needs_tls && !cfg!(feature = "kafka-tls") => {
            refused(name, "this build has no TLS and SASL; build it with the feature `kafka-tls`")
        }
        Some(_) => Ok(()),
        None => {
            let allowed: Vec<&str> = ALLOWED_PROPERTIES.iter().map(|(allowed, _)| *allowed).collect();
            refused(name, &format!("it would touch a guarantee or is unknown; allowed are {}", allowed.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(property: &str) -> KafkaSettings {
        let mut settings = KafkaSettings::new("127.0.0.1:9092");
        settings.properties.insert(property.to_owned(), "hunter2".to_owned());
        settings
    }

    #[test]
    fn the_defaults_are_allowed_and_say_what_the_guarantees_need() {
        let settings = KafkaSettings::new("127.0.0.1:9092");
        settings.check().expect("defaults");
        let consumer = settings.consumer("g");
        assert_eq!(consumer.get("enable.auto.commit"), Some("false"));
        assert_eq!(consumer.get("auto.offset.reset"), Some("error"));
        let producer = settings.producer();
        assert_eq!((producer.get("acks"), producer.get("enable.idempotence")), (Some("all"), Some("true")));
    }

    #[test]
    fn an_address_that_is_none_is_named() {
        for brokers in ["127.0.0.1:9092", "kafka-1.example.com:9092, kafka-2:9092", "kafka", "[::1]:9092"] {
            KafkaSettings::new(brokers).check().expect(brokers);
        }
        for (brokers, bad) in
            [("", "``"), ("kafka:9092,", "``"), ("http://kafka:9092", "`http://kafka:9092`"), ("kafka:port", "`kafka:port`")]
        {
            let said = KafkaSettings::new(brokers).check().expect_err(brokers).to_string();
            assert!(said.contains(bad) && said.contains("host:port"), "{said}");
        }
    }

    #[test]
    fn a_property_that_would_touch_a_guarantee_is_refused() {
        for property in ["acks", "auto.offset.reset", "enable.auto.commit", "enable.ssl.certificate.verification", "group.id"] {
            let refused = with(property).check().expect_err(property);
            assert!(refused.to_string().contains(property), "{refused}");
        }
        with("client.rack").check().expect("harmless");
    }

    #[test]
    fn passwords_are_not_printed() {
        let shown = format!("{:?}", with("sasl.password"));
        assert!(shown.contains("sasl.password") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn names_and_numbers_outside_their_range_are_refused_by_name() {
        let mut settings = KafkaSettings::new("127.0.0.1:9092");
        settings.topic_prefix = "a b".to_owned();
        assert!(settings.check().expect_err("a space").to_string().contains("topic_prefix"));
        settings.topic_prefix = "acme.".to_owned();
        assert_eq!(settings.topic_name(Topic::Files), "acme.tollway.cdr.files.v1");
        assert_ne!(settings.group_name("g", Topic::Files), settings.group_name("g", Topic::Batches));
        settings.fetch_queue_kib = 1;
        assert!(settings.check().expect_err("too small").to_string().contains("fetch_queue_kib"));
    }

    #[test]
    #[cfg(not(feature = "kafka-tls"))]
    fn a_build_without_tls_says_which_feature_is_missing() {
        assert!(with("security.protocol").check().expect_err("no TLS").to_string().contains("kafka-tls"));
    }
}
