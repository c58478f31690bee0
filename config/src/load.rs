//! From layers of written values to validated settings.

mod kafka;
mod listen;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::closed::LateUsage;
use domain::ids::TenantId;
use domain::money::Money;

use crate::error::{Apart, ConfigError, Origin};
use crate::raw::{Layers, Written};
use crate::secret::Secret;
use crate::sections::{
    Billing, Bucket, Fsync, Http, Import, Installation, Kafka, KeyPair, Landing, Log, LogFormat, LogKind, LogLevel, Logging,
    Pipeline, Provider, Rating, State, Storage, Tables, Unwrap,
};
use crate::setting::{Kind, Setting};

/// Length of a token in characters.
const TOKEN_CHARS: std::ops::RangeInclusive<usize> = 16..=512;

/// Longest name and longest credential that other systems issue, in bytes.
const TEXT_BYTES_MAX: usize = 256;
const CREDENTIAL_BYTES_MAX: usize = 4_096;

/// What to do about half of a pair.
const BOTH: &str = "set both or neither";

/// Longest header of a live source, in bytes.
const LINE_BYTES_MAX: usize = 16_384;

/// All settings in force.
#[derive(Debug, Clone)]
pub struct Config {
    /// `[data]`.
    pub data: Installation,
    /// `[storage]`.
    pub storage: Storage,
    /// `[landing]`.
    pub landing: Landing,
    /// `[log]`.
    pub log: Log,
    /// `[kafka]`.
    pub kafka: Kafka,
    /// `[pipeline]`.
    pub pipeline: Pipeline,
    /// `[tables]`.
    pub tables: Tables,
    /// `[state]`.
    pub state: State,
    /// `[import]`.
    pub import: Import,
    /// `[rating]`.
    pub rating: Rating,
    /// `[billing]`.
    pub billing: Billing,
    /// `[http]`.
    pub http: Http,
    /// `[logging]`.
    pub logging: Logging,
    /// The values as written, to show them.
    pub(crate) layers: Layers,
}

impl Config {
    /// The settings: defaults, then the file, then variables such as `TOLLWAY_LANDING__CUT_ROWS`. Pass `std::env::vars()`.
    pub fn load(path: Option<&Path>, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        Self::load_with(path, environment, &[])
    }

    /// As [`Config::load`], with arguments of the command line on top: key, value and how the argument is called, such as
    /// `("data.folder", "/srv/tollway", "--data")`.
    pub fn load_with(
        path: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        arguments: &[(&str, &str, &str)],
    ) -> Result<Self, ConfigError> {
        let mut layers = Layers::defaults()?;
        if let Some(path) = path {
            layers.add_file(path)?;
        }
        for (name, value) in environment {
            layers.add_variable(&name, &value)?;
        }
        for (key, value, argument) in arguments {
            let origin = Origin::Argument((*argument).to_owned());
            let setting = Setting::find(key).ok_or_else(|| ConfigError::UnknownKey {
                origin: origin.clone(),
                key: (*key).to_owned(),
                nearest: Setting::nearest(key).key.to_owned(),
            })?;
            layers.add_text(setting, value, origin);
        }
        Self::validate(layers)
    }

    fn validate(layers: Layers) -> Result<Self, ConfigError> {
        let read = Reader(&layers);
        let config = Self {
            data: Installation { folder: PathBuf::from(read.text("data.folder")?), tenant: read.tenant("data.tenant")? },
            storage: read.storage()?,
            landing: Landing {
                file_bytes_max: read.number("landing.file_bytes_max")?,
                watch_folder: Some(read.text("landing.watch_folder")?).filter(|p| !p.is_empty()).map(PathBuf::from),
                look_pause_max: read.milliseconds("landing.look_pause_max_ms")?,
                cut_rows: read.number("landing.cut_rows")?,
                together_files: read.number("landing.together_files")?,
                unwrap: Unwrap {
                    depth_max: read.number("landing.unwrap_depth_max")?,
                    members_max: read.number("landing.unwrap_members_max")?,
                    bytes_max: read.number("landing.unwrap_bytes_max")?,
                    ratio_max: read.number("landing.unwrap_ratio_max")?,
                },
            },
            log: read.log()?,
            kafka: read.kafka()?,
            pipeline: read.pipeline()?,
            tables: Tables {
                checkpoint_commits: read.number("tables.checkpoint_commits")?,
                compression_level: read.number("tables.compression_level")?,
                row_group_rows: read.number("tables.row_group_rows")?,
            },
            state: read.state()?,
            import: Import { ended_per_mille_max: read.number("import.ended_per_mille_max")? },
            rating: Rating {
                at_risk_max: read.amount("rating.at_risk_max")?,
                suspense_per_mille_max: read.number("rating.suspense_per_mille_max")?,
                buy_tolerance_per_mille: read.number("rating.buy_tolerance_per_mille")?,
                buy_tolerance: read.amount("rating.buy_tolerance")?,
            },
            billing: read.billing()?,
            http: read.http()?,
            logging: read.logging()?,
            layers: layers.clone(),
        };
        // Sources are read when they are wanted; what is wrong with one is said now.
        if !config.live_sources()?.is_empty() && config.kafka.brokers.is_empty() {
            return Err(read.refused("kafka.brokers"));
        }
        Ok(config)
    }
}

/// Reads and checks single values.
struct Reader<'a>(&'a Layers);

impl Reader<'_> {
    fn storage(&self) -> Result<Storage, ConfigError> {
        let optional = |key| self.text(key).map(|text| Some(text.to_owned()).filter(|text| !text.is_empty()));
        let key_pair = match (optional("storage.access_key_id")?, optional("storage.secret_access_key")?) {
            (None, None) => None,
            (Some(id), Some(secret)) => Some(KeyPair { id, secret: Secret::new(&secret) }),
            // Half a pair would be completed from the environment, perhaps with the other half of another one.
            (Some(_), None) => return Err(self.apart("storage.secret_access_key", "storage.access_key_id", BOTH)),
            (None, Some(_)) => return Err(self.apart("storage.access_key_id", "storage.secret_access_key", BOTH)),
        };
        let url = self.text("storage.url")?;
        let bucket = if url.is_empty() { None } else { Some(bucket_of(url).ok_or_else(|| self.refused("storage.url"))?) };
        Ok(Storage {
            bucket,
            endpoint: optional("storage.endpoint")?,
            region: optional("storage.region")?,
            key_pair,
            part_bytes: self.number("storage.part_bytes")?,
            requests_max: self.number("storage.requests_max")?,
            attempts_max: self.number("storage.attempts_max")?,
            retry_pause: self.milliseconds("storage.retry_pause_ms")?,
            connect_timeout: self.milliseconds("storage.connect_timeout_ms")?,
            request_timeout: self.milliseconds("storage.request_timeout_ms")?,
        })
    }

    fn log(&self) -> Result<Log, ConfigError> {
        let interval = self.milliseconds("log.fsync_interval_ms")?;
        Ok(Log {
            kind: if self.text("log.kind")? == "kafka" { LogKind::Kafka } else { LogKind::Embedded },
            files_partitions: self.number("log.files_partitions")?,
            batches_partitions: self.number("log.batches_partitions")?,
            segment_bytes: self.number("log.segment_bytes")?,
            fsync: match self.text("log.fsync")? {
                "always" => Fsync::Always,
                "interval" => Fsync::Interval(interval),
                _ => Fsync::Never,
            },
            retention_bytes: self.number("log.retention_bytes")?,
            retention: Duration::from_secs(3600 * self.number::<u64>("log.retention_hours")?),
        })
    }

    fn pipeline(&self) -> Result<Pipeline, ConfigError> {
        Ok(Pipeline {
            workers: NonZeroUsize::new(self.number("pipeline.workers")?),
            commit_rows_max: self.number("pipeline.commit_rows_max")?,
            commit_bytes_max: self.number("pipeline.commit_bytes_max")?,
            linger: self.milliseconds("pipeline.linger_ms")?,
            queue_max: self.number("pipeline.queue_max")?,
            key_cache_bytes: self.number("pipeline.key_cache_bytes")?,
            rerated_rows_max: self.number("pipeline.rerated_rows_max")?,
            commit_attempts_max: self.number("pipeline.commit_attempts_max")?,
            retries_max: self.number("pipeline.retries_max")?,
            retry_pause: self.milliseconds("pipeline.retry_pause_ms")?,
            stalled: Duration::from_secs(self.number("pipeline.stalled_s")?),
            look_again: Duration::from_secs(self.number("pipeline.look_again_s")?),
            settle_every: Duration::from_secs(self.number("pipeline.settle_every_s")?),
        })
    }

    fn state(&self) -> Result<State, ConfigError> {
        let url = self.text("state.url")?;
        Ok(State {
            url: (!url.is_empty()).then(|| Secret::new(url)),
            schema: self.text("state.schema")?.to_owned(),
            connections_max: self.number("state.connections_max")?,
            connect_timeout: self.milliseconds("state.connect_timeout_ms")?,
            statement_timeout: self.milliseconds("state.statement_timeout_ms")?,
            lock_timeout: self.milliseconds("state.lock_timeout_ms")?,
        })
    }

    fn billing(&self) -> Result<Billing, ConfigError> {
        let late_usage = LateUsage::parse(self.text("billing.late_usage")?).ok_or_else(|| self.refused("billing.late_usage"))?;
        let days: u64 = self.number("billing.max_age_days")?;
        let max_age = (days > 0).then(|| Duration::from_secs(days * 86_400));
        Ok(Billing { late_usage, max_age })
    }

    fn http(&self) -> Result<Http, ConfigError> {
        let listen: SocketAddr = self.text("http.listen")?.parse().map_err(|_| self.refused("http.listen"))?;
        let token = self.text("http.token")?;
        if !token.is_empty() && !TOKEN_CHARS.contains(&token.chars().count()) {
            return Err(self.refused("http.token"));
        }
        if token.is_empty() && !listen.ip().is_loopback() {
            return Err(ConfigError::TokenMissing { origin: self.0.get("http.listen").1.clone(), address: listen });
        }
        Ok(Http { listen, token: (!token.is_empty()).then(|| Secret::new(token)) })
    }

    fn logging(&self) -> Result<Logging, ConfigError> {
        let format = match self.text("logging.format")? {
            "text" => LogFormat::Text,
            "json" => LogFormat::Json,
            _ => LogFormat::Auto,
        };
        let level = match self.text("logging.level")? {
            "error" => LogLevel::Error,
            "warn" => LogLevel::Warn,
            "debug" => LogLevel::Debug,
            "trace" => LogLevel::Trace,
            _ => LogLevel::Info,
        };
        Ok(Logging { format, level })
    }

    /// A whole number within the setting's limits; the limits fit the type that is asked for.
    fn number<T: TryFrom<i64>>(&self, key: &'static str) -> Result<T, ConfigError> {
        match (&self.0.get(key).0, kind_of(key)) {
            (Written::Integer(n), Kind::Integer { min, max }) if (min..=max).contains(n) => {
                T::try_from(*n).map_err(|_| self.refused(key))
            }
            _ => Err(self.refused(key)),
        }
    }

    fn milliseconds(&self, key: &'static str) -> Result<Duration, ConfigError> {
        self.number(key).map(Duration::from_millis)
    }

    /// A text; one of the setting's words where it has them, not empty where it must not be.
    fn text(&self, key: &'static str) -> Result<&str, ConfigError> {
        let Written::Text(text) = &self.0.get(key).0 else {
            return Err(self.refused(key));
        };
        let fits = match kind_of(key) {
            Kind::Choice(words) => words.contains(&text.as_str()),
            Kind::DatabaseUrl => text.is_empty() || text.starts_with("postgres://") || text.starts_with("postgresql://"),
            Kind::Schema => is_schema(text),
            Kind::Folder { optional } => (optional || !text.is_empty()) && !text.contains('\0'),
            Kind::Text => is_plain(text, TEXT_BYTES_MAX),
            Kind::Credential => is_plain(text, CREDENTIAL_BYTES_MAX),
            Kind::Line => text.len() <= LINE_BYTES_MAX && !text.contains('\0'),
            Kind::Endpoint => text.is_empty() || is_endpoint(text),
            _ => true,
        };
        if fits { Ok(text) } else { Err(self.refused(key)) }
    }

    fn tenant(&self, key: &'static str) -> Result<TenantId, ConfigError> {
        TenantId::parse(self.text(key)?).map_err(|_| self.refused(key))
    }

    fn amount(&self, key: &'static str) -> Result<Money, ConfigError> {
        Money::parse(self.text(key)?).filter(|amount| amount.0 >= 0).ok_or_else(|| self.refused(key))
    }

    /// A setting that does not go with another.
    fn apart(&self, key: &'static str, other: &'static str, remedy: &'static str) -> ConfigError {
        let found = |key| {
            let (written, origin) = self.0.get(key);
            let found = match written {
                Written::Text(text) if text.is_empty() => "empty".to_owned(),
                Written::Text(text) if matches!(kind_of(key), Kind::Choice(_)) => format!("\"{text}\""),
                _ => "set".to_owned(),
            };
            (found, origin.clone())
        };
        let ((found, origin), (other_found, other_origin)) = (found(key), found(other));
        ConfigError::Apart(Box::new(Apart { origin, key, found, other, other_found, other_origin, remedy }))
    }

    /// A value that is refused without being shown.
    fn hidden(&self, key: &'static str, found: &str) -> ConfigError {
        let (_, origin) = self.0.get(key);
        ConfigError::Value { origin: origin.clone(), key, found: found.to_owned(), allowed: kind_of(key).allowed() }
    }

    fn refused(&self, key: &'static str) -> ConfigError {
        let (written, origin) = self.0.get(key);
        let found = match (kind_of(key), written) {
            (kind, _) if kind.is_secret() => "not allowed".to_owned(),
            (Kind::Endpoint | Kind::Bucket, Written::Text(text)) if text.contains('@') => "an address with a user".to_owned(),
            (_, Written::Integer(n)) => n.to_string(),
            (_, Written::Text(text)) => format!("\"{}\"", text.chars().take(60).collect::<String>()),
            (_, Written::Other(source)) => source.clone(),
        };
        ConfigError::Value { origin: origin.clone(), key, found, allowed: kind_of(key).allowed() }
    }
}

/// The parts of `s3://BUCKET/PREFIX`. What a bucket may be called is its provider's business.
fn bucket_of(url: &str) -> Option<Bucket> {
    let (scheme, rest) = url.split_once("://")?;
    let provider = match scheme {
        "s3" => Provider::S3,
        "az" => Provider::Azure,
        "gs" => Provider::Gcs,
        _ => return None,
    };
    let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix = prefix.trim_end_matches('/');
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    let is_part = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '?', '#']);
    let is_prefix = prefix.is_empty() || prefix.split('/').all(is_part);
    (is_name && is_prefix && is_plain(url, TEXT_BYTES_MAX)).then(|| Bucket {
        provider,
        name: name.to_owned(),
        prefix: prefix.to_owned(),
    })
}

fn is_plain(text: &str, bytes_max: usize) -> bool {
    text.len() <= bytes_max && !text.contains(|c: char| c.is_control() || c.is_whitespace())
}

/// A name that needs no quotes and that no server keeps for itself.
fn is_schema(name: &str) -> bool {
    let is_plain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_');
    (1..=63).contains(&name.len())
        && name.bytes().all(is_plain)
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.starts_with("pg_")
}

/// An address without a user: credentials in it would be printed with every error.
fn is_endpoint(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    is_plain(text, TEXT_BYTES_MAX) && rest.is_some_and(|host| !host.is_empty() && !host.contains(['@', '?', '#']))
}

fn kind_of(key: &str) -> Kind {
    Setting::find(key).expect("every key that is read is in the list of settings").kind
}
