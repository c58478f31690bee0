//! Opening the log: the embedded one in the data folder, or brokers, as the configuration says.

use std::path::Path;
use std::sync::Arc;

use config::Config;
use config::sections::{Fsync, LogKind};
use ingest::log::embedded::{EmbeddedLog, LogSettings, Retention};
use ingest::log::{Log, LogError, LogReader, Topic, TopicPartition};

use crate::system::SystemClock;

/// Group name on the log.
pub const GROUP: &str = "tollway";

/// Opens the log for working on it.
pub fn open(folder: &Path, config: &Config) -> anyhow::Result<Arc<dyn Log>> {
    match config.log.kind {
        LogKind::Embedded => {
            let log = EmbeddedLog::open(folder, embedded_settings(config))?;
            for torn in log.torn_tails() {
                tracing::warn!(?torn, "an append that was not acknowledged was cut off the log");
            }
            forget_lost_notices(&log)?;
            Ok(Arc::new(log))
        }
        LogKind::Kafka => open_kafka(config),
    }
}

/// Opens the log for looking at it, beside whoever works on it.
pub fn open_read_only(folder: &Path, config: &Config) -> anyhow::Result<Arc<dyn Log>> {
    match config.log.kind {
        LogKind::Embedded => Ok(Arc::new(EmbeddedLog::open_read_only(folder)?)),
        LogKind::Kafka => open_kafka(config),
    }
}

/// Whether a log could be opened with these settings, as far as that can be said without asking anyone.
pub fn check(config: &Config) -> anyhow::Result<()> {
    match config.log.kind {
        LogKind::Embedded => Ok(()),
        LogKind::Kafka => check_kafka(config),
    }
}

fn embedded_settings(config: &Config) -> LogSettings {
    let log = &config.log;
    let mut settings = LogSettings::new(Arc::new(SystemClock));
    settings.files_partitions = log.files_partitions;
    settings.batches_partitions = log.batches_partitions;
    settings.segment_bytes_max = log.segment_bytes;
    settings.fsync = match log.fsync {
        Fsync::Always => ingest::log::embedded::Fsync::Always,
        Fsync::Interval(every) => {
            ingest::log::embedded::Fsync::Interval { every_ms: u64::try_from(every.as_millis()).unwrap_or(u64::MAX) }
        }
        Fsync::Never => ingest::log::embedded::Fsync::Never,
    };
    settings.retention =
        Retention { bytes_max: log.retention_bytes, age_us_max: i64::try_from(log.retention.as_micros()).unwrap_or(i64::MAX) };
    settings
}

/// Where the topic of files ends before what was split of it, it lost its end: the next notices get those offsets again and
/// must not be taken for split. Nothing is missing, because landing announces every delivery that has no verdict.
fn forget_lost_notices(log: &EmbeddedLog) -> Result<(), LogError> {
    let mut reader = log.reader(GROUP, Topic::Files, 0, 1);
    for partition in 0..log.partitions(Topic::Files) {
        let partition = TopicPartition { topic: Topic::Files, partition };
        let high = log.watermarks(partition)?.high;
        if reader.noted_progress(partition)?.is_some_and(|noted| noted > high) {
            tracing::warn!(%partition, high, "the log lost its end; what has no verdict is announced again");
            reader.note_progress(partition, high)?;
        }
    }
    Ok(())
}

#[cfg(feature = "kafka")]
fn open_kafka(config: &Config) -> anyhow::Result<Arc<dyn Log>> {
    Ok(Arc::new(ingest::log::kafka::KafkaLog::open(kafka::settings(&config.kafka))?))
}

#[cfg(feature = "kafka")]
fn check_kafka(config: &Config) -> anyhow::Result<()> {
    Ok(kafka::settings(&config.kafka).check()?)
}

#[cfg(not(feature = "kafka"))]
fn check_kafka(config: &Config) -> anyhow::Result<()> {
    open_kafka(config).map(drop)
}

#[cfg(not(feature = "kafka"))]
fn open_kafka(_: &Config) -> anyhow::Result<Arc<dyn Log>> {
    Err(crate::exit_code::usage(
        "log.kind is \"kafka\", but this program was built without the feature `kafka`; build it with it",
    ))
}

/// Brokers as the configuration names them.
#[cfg(feature = "kafka")]
pub mod kafka {
    use config::Config;
    use config::sections::Kafka;
    use ingest::log::Topic;
    use ingest::log::kafka::topics::TopicPlan;
    use ingest::log::kafka::{KafkaSettings, Rebalance};

    /// The settings of the client.
    pub fn settings(kafka: &Kafka) -> KafkaSettings {
        KafkaSettings {
            topic_prefix: kafka.topic_prefix.clone(),
            client_id: kafka.client_id.clone(),
            rebalance: match kafka.rebalance {
                config::sections::Rebalance::Cooperative => Rebalance::Cooperative,
                config::sections::Rebalance::Consumer => Rebalance::Consumer,
            },
            request_wait_ms: kafka.request_wait_ms,
            append_wait_ms: kafka.append_wait_ms,
            session_wait_ms: kafka.session_wait_ms,
            poll_gap_max_ms: kafka.poll_gap_max_ms,
            fetch_queue_kib: kafka.fetch_queue_kib,
            fetch_partition_bytes: kafka.fetch_partition_bytes,
            shelf_bytes_max: kafka.shelf_bytes_max,
            properties: kafka.security.iter().map(|(name, value)| ((*name).to_owned(), value.reveal().to_owned())).collect(),
            ..KafkaSettings::new(&kafka.brokers)
        }
    }

    /// The topics as the configuration wants them.
    pub fn plans(config: &Config) -> Vec<TopicPlan> {
        let retention_ms = u64::try_from(config.log.retention.as_millis()).unwrap_or(u64::MAX).max(3_600_000);
        let mut plans = TopicPlan::defaults(config.kafka.replication);
        for plan in &mut plans {
            plan.partitions = match plan.topic {
                Topic::Files => config.log.files_partitions,
                Topic::Batches => config.log.batches_partitions,
                Topic::DeadLetters => Topic::DEAD_LETTER_PARTITIONS,
            };
            plan.retention_ms = retention_ms;
        }
        plans.into()
    }
}
