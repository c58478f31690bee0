//! Every setting: its key and what its value must be. Meaning, unit and default stand in `default.toml`.

use domain::nearest;

use crate::DEFAULT_TOML;

/// What a value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number from `min` to `max`.
    Integer {
        /// Least.
        min: i64,
        /// Greatest.
        max: i64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// An id: 1 to 64 letters, digits and `. _ - @ : +`.
    Id,
    /// A folder; `optional`: it may be empty.
    Folder {
        /// Whether empty means none.
        optional: bool,
    },
    /// An amount of money that is not negative, as decimal text.
    Amount,
    /// An IP address and a port.
    Address,
    /// A text that is never shown.
    Secret,
    /// A secret that another system issued: of any length, never shown.
    Credential,
    /// A short text, or none: a name that another system gave.
    Text,
    /// Lines of text, or none.
    Line,
    /// The address of a database, never shown: it may hold a password.
    DatabaseUrl,
    /// The name of a schema in a database.
    Schema,
    /// A bucket with an optional prefix, or none.
    Bucket,
    /// The address of a server, or none.
    Endpoint,
}

impl Kind {
    /// Whether values are never shown.
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::Credential | Self::DatabaseUrl)
    }

    /// What is allowed, for messages and the reference.
    pub fn allowed(self) -> String {
        match self {
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::Choice(words) => words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", "),
            Self::Id => "1 to 64 letters, digits and . _ - @ : +".to_owned(),
            Self::Folder { optional: true } => "a path, or \"\" for none".to_owned(),
            Self::Folder { optional: false } => "a path".to_owned(),
            Self::Amount => "a decimal such as \"500.00\", at most nine places, not negative".to_owned(),
            Self::Address => "an IP address and a port such as \"127.0.0.1:9464\"".to_owned(),
            Self::Secret => "a text of 16 to 512 characters, or \"\" for none".to_owned(),
            Self::Credential => "a text of at most 4,096 characters without white space, or \"\" for none".to_owned(),
            Self::Text => "a text of at most 256 characters without white space, or \"\" for none".to_owned(),
            Self::Line => "text of at most 16,384 characters, or \"\" for none".to_owned(),
            Self::DatabaseUrl => "postgres://USER:PASSWORD@HOST:PORT/DATABASE, or \"\" for none".to_owned(),
            Self::Schema => "1 to 63 lower-case letters, digits and _, not beginning with a digit or pg_".to_owned(),
            Self::Bucket => "\"s3://BUCKET/PREFIX\", az://, gs://, or \"\" for the data folder".to_owned(),
            Self::Endpoint => "an address such as \"https://s3.example.com\" or http://, or \"\" for none".to_owned(),
        }
    }
}

/// A setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Section and name: `landing.cut_rows`.
    pub key: &'static str,
    /// What its value must be.
    pub kind: Kind,
    /// The first version that knew it.
    pub since: &'static str,
}

const fn setting(key: &'static str, kind: Kind) -> Setting {
    Setting { key, kind, since: "0.1" }
}

const fn integer(key: &'static str, min: i64, max: i64) -> Setting {
    setting(key, Kind::Integer { min, max })
}

/// All settings, in the order of `default.toml`.
pub const SETTINGS: &[Setting] = &[
    setting("data.folder", Kind::Folder { optional: false }),
    setting("data.tenant", Kind::Id),
    setting("storage.url", Kind::Bucket),
    setting("storage.endpoint", Kind::Endpoint),
    setting("storage.region", Kind::Text),
    setting("storage.access_key_id", Kind::Text),
    setting("storage.secret_access_key", Kind::Credential),
    integer("storage.part_bytes", 5 << 20, 1 << 30),
    integer("storage.requests_max", 1, 1_024),
    integer("storage.attempts_max", 1, 100),
    integer("storage.retry_pause_ms", 1, 60_000),
    integer("storage.connect_timeout_ms", 1, 600_000),
    integer("storage.request_timeout_ms", 1, 3_600_000),
    integer("landing.file_bytes_max", 1, 1 << 50),
    setting("landing.watch_folder", Kind::Folder { optional: true }),
    integer("landing.look_pause_max_ms", 50, 60_000),
    integer("landing.cut_rows", 1, 10_000_000),
    integer("landing.together_files", 1, 256),
    integer("landing.unwrap_depth_max", 1, 32),
    integer("landing.unwrap_members_max", 1, 10_000_000),
    integer("landing.unwrap_bytes_max", 1, 1 << 50),
    integer("landing.unwrap_ratio_max", 1, 1_000_000),
    setting("log.kind", Kind::Choice(&["embedded", "kafka"])),
    integer("log.files_partitions", 1, 1_024),
    integer("log.batches_partitions", 1, 1_024),
    integer("log.segment_bytes", 4_096, 1 << 30),
    setting("log.fsync", Kind::Choice(&["always", "interval", "never"])),
    integer("log.fsync_interval_ms", 1, 60_000),
    integer("log.retention_bytes", 0, 1 << 50),
    integer("log.retention_hours", 0, 1_000_000),
    setting("kafka.brokers", Kind::Text),
    setting("kafka.topic_prefix", Kind::Text),
    setting("kafka.client_id", Kind::Text),
    integer("kafka.replication", 1, 15),
    setting("kafka.rebalance", Kind::Choice(&["cooperative", "consumer"])),
    integer("kafka.request_wait_ms", 100, 300_000),
    integer("kafka.append_wait_ms", 1_000, 600_000),
    integer("kafka.session_wait_ms", 6_000, 1_800_000),
    integer("kafka.poll_gap_max_ms", 10_000, 3_600_000),
    integer("kafka.fetch_queue_kib", 1_024, 1_048_576),
    integer("kafka.fetch_partition_bytes", 4_096, 67_108_864),
    integer("kafka.shelf_bytes_max", 4_096, 67_108_864),
    setting("kafka.security", Kind::Choice(&["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"])),
    setting("kafka.ca_file", Kind::Folder { optional: true }),
    setting("kafka.certificate_file", Kind::Folder { optional: true }),
    setting("kafka.key_file", Kind::Folder { optional: true }),
    setting("kafka.key_password", Kind::Credential),
    setting("kafka.sasl_mechanism", Kind::Choice(&["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])),
    setting("kafka.sasl_username", Kind::Text),
    setting("kafka.sasl_password", Kind::Credential),
    setting("listen.topic", Kind::Text),
    setting("listen.profile", Kind::Folder { optional: true }),
    setting("listen.account", Kind::Text),
    setting("listen.provider", Kind::Text),
    setting("listen.header", Kind::Line),
    integer("listen.batch_rows", 1, 10_000_000),
    integer("listen.batch_bytes", 1_024, 1 << 30),
    integer("listen.batch_wait_ms", 1, 3_600_000),
    integer("listen.held_bytes_max", 1_024, 1 << 40),
    integer("pipeline.workers", 0, 1_024),
    integer("pipeline.commit_rows_max", 1, 100_000_000),
    integer("pipeline.commit_bytes_max", 1_024, 1 << 40),
    integer("pipeline.linger_ms", 0, 3_600_000),
    integer("pipeline.queue_max", 1, 1_000_000),
    integer("pipeline.key_cache_bytes", 0, 1 << 40),
    integer("pipeline.rerated_rows_max", 1, 1_000_000_000),
    integer("pipeline.commit_attempts_max", 1, 100_000),
    integer("pipeline.retries_max", 0, 1_000),
    integer("pipeline.retry_pause_ms", 1, 3_600_000),
    integer("pipeline.stalled_s", 1, 86_400),
    integer("pipeline.look_again_s", 1, 86_400),
    integer("pipeline.settle_every_s", 1, 86_400),
    integer("tables.checkpoint_commits", 1, 1_000_000),
    integer("tables.compression_level", 1, 22),
    integer("tables.row_group_rows", 1_000, 100_000_000),
    setting("state.url", Kind::DatabaseUrl),
    setting("state.schema", Kind::Schema),
    integer("state.connections_max", 1, 1_000),
    integer("state.connect_timeout_ms", 1, 3_600_000),
    integer("state.statement_timeout_ms", 1, 86_400_000),
    integer("state.lock_timeout_ms", 1, 86_400_000),
    integer("import.ended_per_mille_max", 0, 1_000),
    setting("rating.at_risk_max", Kind::Amount),
    integer("rating.suspense_per_mille_max", 0, 1_000),
    integer("rating.buy_tolerance_per_mille", 0, 1_000_000),
    setting("rating.buy_tolerance", Kind::Amount),
    setting("billing.late_usage", Kind::Choice(&["next", "correct"])),
    integer("billing.max_age_days", 0, 36_500),
    setting("http.listen", Kind::Address),
    setting("http.token", Kind::Secret),
    setting("logging.format", Kind::Choice(&["auto", "text", "json"])),
    setting("logging.level", Kind::Choice(&["error", "warn", "info", "debug", "trace"])),
];

impl Setting {
    /// The setting of a key.
    pub fn find(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|s| s.key == key)
    }

    /// The setting that a misspelt key may have meant.
    pub fn nearest(key: &str) -> &'static Self {
        let near = nearest::closest(key, SETTINGS.iter().map(|s| s.key));
        near.and_then(Self::find).expect("there are settings")
    }

    /// The section: `landing`.
    pub fn section(&self) -> &'static str {
        self.key.split_once('.').map_or("", |(section, _)| section)
    }

    /// The name in its section: `cut_rows`.
    pub fn name(&self) -> &'static str {
        self.key.split_once('.').map_or(self.key, |(_, name)| name)
    }

    /// The variable of the environment that overrides it: `TOLLWAY_LANDING__CUT_ROWS`.
    pub fn variable(&self) -> String {
        format!("TOLLWAY_{}__{}", self.section(), self.name()).to_ascii_uppercase()
    }

    /// What it means: the comment above it in `default.toml`.
    pub fn meaning(&self) -> String {
        comment_above(self.section(), |line| line.split_once('=').is_some_and(|(name, _)| name.trim() == self.name()))
    }
}

/// All sections in order, each with the comment above it.
pub fn sections() -> Vec<(&'static str, String)> {
    let mut names: Vec<&'static str> = SETTINGS.iter().map(Setting::section).collect();
    names.dedup();
    names.into_iter().map(|name| (name, comment_above(name, |line| line == format!("[{name}]")))).collect()
}

/// The comment directly above the first line of a section (its header included) that is the wanted one.
fn comment_above(section: &str, is_wanted: impl Fn(&str) -> bool) -> String {
    let (mut comment, mut is_inside): (Vec<&str>, bool) = (Vec::new(), false);
    for line in DEFAULT_TOML.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix('#') {
            comment.push(text.trim());
            continue;
        }
        if line.starts_with('[') {
            is_inside = line == format!("[{section}]");
        }
        if is_inside && is_wanted(line) {
            return comment.join(" ");
        }
        comment.clear();
    }
    String::new()
}
