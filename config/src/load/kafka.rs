//! `[kafka]` and what of it must fit together.

use super::Reader;
use crate::error::ConfigError;
use crate::secret::Secret;
use crate::sections::{Kafka, Rebalance};

/// What to do about a login that is not asked for, or lacks.
const LOGIN: &str = "mechanism, user name and password go with \"sasl_plaintext\" and \"sasl_ssl\", all three or none";

/// What to do about a file of TLS where there is none.
const TLS: &str = "files of TLS go with \"ssl\" and \"sasl_ssl\"";

impl Reader<'_> {
    pub(super) fn kafka(&self) -> Result<Kafka, ConfigError> {
        let brokers = self.text("kafka.brokers")?;
        if brokers.is_empty() && self.text("log.kind")? == "kafka" {
            return Err(self.apart(
                "kafka.brokers",
                "log.kind",
                "name at least one broker as host:port, or keep the log in the data folder",
            ));
        }
        // A login in an address would be printed with every error.
        if brokers.contains('@') {
            return Err(self.hidden("kafka.brokers", "an address with a user"));
        }
        for key in ["kafka.topic_prefix", "kafka.client_id"] {
            let name = self.text(key)?;
            if name.len() > 64 || !name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
                return Err(self.refused(key));
            }
        }
        Ok(Kafka {
            brokers: brokers.to_owned(),
            topic_prefix: self.text("kafka.topic_prefix")?.to_owned(),
            client_id: self.text("kafka.client_id")?.to_owned(),
            replication: self.number("kafka.replication")?,
            rebalance: match self.text("kafka.rebalance")? {
                "consumer" => Rebalance::Consumer,
                _ => Rebalance::Cooperative,
            },
            request_wait_ms: self.number("kafka.request_wait_ms")?,
            append_wait_ms: self.number("kafka.append_wait_ms")?,
            session_wait_ms: self.number("kafka.session_wait_ms")?,
            poll_gap_max_ms: self.number("kafka.poll_gap_max_ms")?,
            fetch_queue_kib: self.number("kafka.fetch_queue_kib")?,
            fetch_partition_bytes: self.number("kafka.fetch_partition_bytes")?,
            shelf_bytes_max: self.number("kafka.shelf_bytes_max")?,
            security: self.kafka_security()?,
        })
    }

    /// TLS and the login as properties of the client library; none where brokers are spoken to in the clear.
    fn kafka_security(&self) -> Result<Vec<(&'static str, Secret)>, ConfigError> {
        let security = self.text("kafka.security")?;
        let wants_login = security.starts_with("sasl");
        for key in ["kafka.sasl_mechanism", "kafka.sasl_username", "kafka.sasl_password"] {
            // A password that would not be used is a mistake that should not look like safety.
            if self.text(key)?.is_empty() == wants_login {
                return Err(self.apart(key, "kafka.security", LOGIN));
            }
        }
        let written = [
            ("ssl.ca.location", "kafka.ca_file"),
            ("ssl.certificate.location", "kafka.certificate_file"),
            ("ssl.key.location", "kafka.key_file"),
            ("ssl.key.password", "kafka.key_password"),
            ("sasl.mechanism", "kafka.sasl_mechanism"),
            ("sasl.username", "kafka.sasl_username"),
            ("sasl.password", "kafka.sasl_password"),
        ];
        let mut properties = Vec::new();
        if security != "plaintext" {
            properties.push(("security.protocol", Secret::new(security)));
        }
        for (property, key) in written {
            let value = self.text(key)?;
            if value.is_empty() {
                continue;
            }
            if property.starts_with("ssl.") && !security.ends_with("ssl") {
                return Err(self.apart(key, "kafka.security", TLS));
            }
            properties.push((property, Secret::new(value)));
        }
        Ok(properties)
    }
}
