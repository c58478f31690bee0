//! The settings as the stages take them: validated, one type per section.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use domain::closed::LateUsage;
use domain::ids::TenantId;
use domain::money::Money;

use crate::secret::Secret;

/// `[data]`: where everything lies and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The data folder, as written.
    pub folder: PathBuf,
    /// The operator.
    pub tenant: TenantId,
}

/// Who runs the object storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Amazon S3, or a server that speaks as it does.
    S3,
    /// Azure Blob Storage.
    Azure,
    /// Google Cloud Storage.
    Gcs,
}

/// A bucket (Azure: a container), and the folder in it that is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Whose it is.
    pub provider: Provider,
    /// What it is called.
    pub name: String,
    /// The folder, without a slash at either end; empty: all of it.
    pub prefix: String,
}

impl std::fmt::Display for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = match self.provider {
            Provider::S3 => "s3",
            Provider::Azure => "az",
            Provider::Gcs => "gs",
        };
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        write!(f, "{scheme}://{}{slash}{}", self.name, self.prefix)
    }
}

/// A key that the provider issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// The key's id; on Azure the account.
    pub id: String,
    /// The key.
    pub secret: Secret,
}

/// `[storage]`: where landing and tables lie, and how patiently it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// `None`: in the data folder.
    pub bucket: Option<Bucket>,
    /// A server that is not the provider's own.
    pub endpoint: Option<String>,
    /// The region; `None`: as the environment says.
    pub region: Option<String>,
    /// `None`: as the environment says.
    pub key_pair: Option<KeyPair>,
    /// Objects up to this size are sent at once, larger ones in parts of it.
    pub part_bytes: usize,
    /// Requests at the same time.
    pub requests_max: usize,
    /// Requests for one operation.
    pub attempts_max: u32,
    /// Before the second of these; doubled for each further one.
    pub retry_pause: Duration,
    /// For a connection to come about.
    pub connect_timeout: Duration,
    /// For a whole request, body included.
    pub request_timeout: Duration,
}

/// `[landing]`: files as they arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landing {
    /// Largest file.
    pub file_bytes_max: u64,
    /// The folder that the service watches.
    pub watch_folder: Option<PathBuf>,
    /// The longest pause between two looks for new arrivals.
    pub look_pause_max: Duration,
    /// Rows of a claim check.
    pub cut_rows: u64,
    /// Small files that arrive in one record.
    pub together_files: usize,
    /// How much of a wrapped file is unwrapped.
    pub unwrap: Unwrap,
}

/// `[landing] unwrap_*`: limits of one file as it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unwrap {
    /// Wrappers inside each other.
    pub depth_max: u32,
    /// Members together.
    pub members_max: u64,
    /// Unwrapped bytes together.
    pub bytes_max: u64,
    /// Unwrapped bytes for each byte of the wrapper.
    pub ratio_max: u64,
}

/// When the log forces records to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fsync {
    /// Before they are acknowledged.
    Always,
    /// At most this long after.
    Interval(Duration),
    /// When the operating system likes.
    Never,
}

/// Where the log lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogKind {
    /// In the data folder.
    Embedded,
    /// On brokers.
    Kafka,
}

/// `[log]`: the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Where it lies.
    pub kind: LogKind,
    /// Partitions of the topic of files, when the log is made.
    pub files_partitions: u32,
    /// Partitions of the topic of claim checks, when the log is made.
    pub batches_partitions: u32,
    /// Size at which a new segment begins.
    pub segment_bytes: u64,
    /// When records are forced to the disk.
    pub fsync: Fsync,
    /// Bytes of a partition that are kept when no longer needed.
    pub retention_bytes: u64,
    /// For how long records are kept when no longer needed.
    pub retention: Duration,
}

/// How the members of a group share partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebalance {
    /// Among themselves.
    Cooperative,
    /// By the brokers.
    Consumer,
}

/// `[kafka]`: brokers as the log. Times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kafka {
    /// `host:port`, separated by commas; empty unless the log is on brokers.
    pub brokers: String,
    /// Before the names of topics and groups.
    pub topic_prefix: String,
    /// Names this process.
    pub client_id: String,
    /// Replicas of a partition, when topics are made.
    pub replication: u32,
    /// How members share partitions.
    pub rebalance: Rebalance,
    /// For one question.
    pub request_wait_ms: u64,
    /// For an append.
    pub append_wait_ms: u64,
    /// Silence of a member.
    pub session_wait_ms: u64,
    /// Between two polls of a member.
    pub poll_gap_max_ms: u64,
    /// KiB fetched ahead.
    pub fetch_queue_kib: u64,
    /// Bytes of a partition in one answer.
    pub fetch_partition_bytes: u64,
    /// Bytes that wait for their turn.
    pub shelf_bytes_max: u64,
    /// What the client library is told about TLS and the login, by its own names of properties; never printed.
    pub security: Vec<(&'static str, Secret)>,
}

/// `[listen.NAME]`: a topic to which a switch writes call records one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSource {
    /// What it is called here.
    pub name: String,
    /// The topic's full name.
    pub topic: String,
    /// A shipped profile, or a path to one.
    pub profile: String,
    /// The account under which records arrive.
    pub account: String,
    /// Who hands them out; `None`: the profile's provider, or else its name.
    pub provider: Option<String>,
    /// What stands before the rows; empty: nothing.
    pub header: String,
    /// Rows of a micro-batch.
    pub batch_rows: u64,
    /// Bytes of a micro-batch.
    pub batch_bytes: usize,
    /// How long an event waits for others.
    pub batch_wait: Duration,
    /// Bytes of events in memory.
    pub held_bytes_max: usize,
}

/// `[pipeline]`: the work and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// Workers at once; `None`: one for each processor.
    pub workers: Option<NonZeroUsize>,
    /// Rows of a commit.
    pub commit_rows_max: u64,
    /// Bytes of landed files behind a commit.
    pub commit_bytes_max: u64,
    /// How long rows wait for more of the same commit.
    pub linger: Duration,
    /// Claim checks fetched ahead.
    pub queue_max: usize,
    /// Memory for keys of committed rows.
    pub key_cache_bytes: usize,
    /// Records of an account that one `rerate` may correct.
    pub rerated_rows_max: u64,
    /// Commits that may be lost to other writers in a row.
    pub commit_attempts_max: u32,
    /// Further tries of what may succeed later.
    pub retries_max: u32,
    /// Before the first of these; doubled for each further one.
    pub retry_pause: Duration,
    /// Without progress, after which other processes are not waited for.
    pub stalled: Duration,
    /// After which files are tried again and looked for that fell off the log, at first.
    pub look_again: Duration,
    /// Between two looks at what allowances give.
    pub settle_every: Duration,
}

/// `[tables]`: the Delta tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// Commits between two checkpoints.
    pub checkpoint_commits: u64,
    /// zstd level, 1 to 22.
    pub compression_level: i32,
    /// Rows of a row group.
    pub row_group_rows: usize,
}

/// `[state]`: the database of reference data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The server's address; `None`: a file in the data folder.
    pub url: Option<Secret>,
    /// The schema on the server.
    pub schema: String,
    /// Connections at once.
    pub connections_max: u32,
    /// Until there is a connection.
    pub connect_timeout: Duration,
    /// Until a statement is done.
    pub statement_timeout: Duration,
    /// Until another import has ended.
    pub lock_timeout: Duration,
}

/// `[import]`: reference data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// What a full list may end of 1,000 that hold without a person's word.
    pub ended_per_mille_max: u64,
}

/// `[rating]`: what needs a hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rating {
    /// Money at risk that is borne, in each currency.
    pub at_risk_max: Money,
    /// Rows in suspense of 1,000 that are borne.
    pub suspense_per_mille_max: u32,
    /// Difference of a provider's cost that is borne, in thousandths of the expected price.
    pub buy_tolerance_per_mille: u64,
    /// And in the currency of the cost.
    pub buy_tolerance: Money,
}

/// `[billing]`: closed cycles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Billing {
    /// What becomes of late usage.
    pub late_usage: LateUsage,
    /// How old a record may be when its file lands; any age if none.
    pub max_age: Option<Duration>,
}

/// `[http]`: metrics and health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// Where the service listens; loopback unless there is a token.
    pub listen: SocketAddr,
    /// What callers must send.
    pub token: Option<Secret>,
}

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, else JSON.
    Auto,
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// The least grave events that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Someone must act.
    Error,
    /// Someone should look.
    Warn,
    /// What happens, a line per file and commit.
    Info,
    /// How it happens.
    Debug,
    /// Everything.
    Trace,
}

impl LogLevel {
    /// The word that log filters take.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// `[logging]`: what tollway says while it works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    /// How.
    pub format: LogFormat,
    /// How much.
    pub level: LogLevel,
}
