//! A Delta table as the flow uses it: state, files and the commit of new ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use domain::ports::{Blob, BlobError, Disposition};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::errors::ParquetError;

use crate::delta::DeltaError;
use crate::delta::action::{Action, Add, CommitInfo, Txn};
use crate::delta::log::{Attempt, DeltaLog};
use crate::delta::snapshot::{EntrySummary, Snapshot};
use crate::parquet::{ParquetSettings, decode, decode_coded, encode};

/// The tag that holds the version of the commit that added a file.
pub const TAG_VERSION: &str = "tollway.version";

/// The tag that holds the reference version that a file's rows were linked and priced with; absent where it is 0.
pub const TAG_REFERENCE: &str = "tollway.reference";

/// Why a table operation failed.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The table's log.
    #[error(transparent)]
    Delta(#[from] DeltaError),
    /// The object store.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// A data file is no Parquet or lacks a column.
    #[error("data file `{path}` is damaged: {what}; restore it from a backup, or rebuild the table from landing")]
    File {
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// Columns could not be encoded: a bug.
    #[error("failed to encode {rows} rows: {what}")]
    Encode {
        /// How many rows.
        rows: usize,
        /// What the encoder said.
        what: String,
    },
    /// An invariant did not hold; nothing was written.
    #[error(transparent)]
    Violation(#[from] domain::invariant::Violation),
}

impl TableError {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Delta(e) => e.disposition(),
            Self::Blob(e) => e.disposition(),
            Self::File { .. } | Self::Encode { .. } | Self::Violation(_) => Disposition::Stop,
        }
    }
}

/// A table: its log and the last state that was seen.
#[derive(Debug, Clone)]
pub struct Table {
    log: DeltaLog,
    snapshot: Snapshot,
    settings: ParquetSettings,
}

/// What changed since the state that a commit was prepared on.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// The entries, or `None` if they were trimmed: then anything may have changed.
    pub entries: Option<Vec<EntrySummary>>,
}

impl Changes {
    /// Whether rows of an account may have come. An entry that does not say counts as yes.
    pub fn may_touch(&self, account: &str) -> bool {
        let touches = |e: &EntrySummary| e.info.as_ref().is_none_or(|i| i.accounts.iter().any(|a| a == account));
        self.entries.as_ref().is_none_or(|all| all.iter().any(touches))
    }
}

impl Table {
    /// Opens the table below `root`, making it if it does not exist.
    pub fn open_or_create(
        blob: &Arc<dyn Blob>,
        root: &str,
        schema: &Schema,
        partition: &[&str],
        id: &str,
        now_ms: i64,
    ) -> Result<Self, TableError> {
        let log = DeltaLog::new(Arc::clone(blob), root);
        let name = root.rsplit('/').next().unwrap_or(root);
        log.create(name, schema, partition, id, now_ms)?;
        let snapshot = log.load()?;
        Ok(Self { log, snapshot, settings: ParquetSettings::default() })
    }

    /// Opens a table that exists; a table without a version is empty.
    pub fn open(blob: &Arc<dyn Blob>, root: &str) -> Result<Self, TableError> {
        let log = DeltaLog::new(Arc::clone(blob), root);
        let snapshot = log.load()?;
        Ok(Self { log, snapshot, settings: ParquetSettings::default() })
    }

    /// Changes how files are written.
    #[must_use]
    pub fn with_settings(mut self, settings: ParquetSettings) -> Self {
        self.settings = settings;
        self
    }

    /// The last state that was seen.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The table's folder in the store.
    pub fn root(&self) -> &str {
        self.log.root()
    }

    /// The store that the table lies in.
    pub fn blob(&self) -> &Arc<dyn Blob> {
        self.log.blob()
    }

    /// Catches up with other writers.
    pub fn refresh(&mut self) -> Result<Changes, TableError> {
        let entries = self.log.refresh(&mut self.snapshot)?;
        Ok(Changes { entries })
    }

    /// The table as it was at a version, for reading.
    pub fn at(&self, version: u64) -> Result<Self, TableError> {
        Ok(Self { snapshot: self.log.load_at(version)?, ..self.clone() })
    }

    /// Encodes batches, in order, as the bytes of one file.
    pub fn encode(&self, batches: &[RecordBatch]) -> Result<Vec<u8>, TableError> {
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        encode(batches, self.settings).map_err(|e| TableError::Encode { rows, what: e.to_string() })
    }

    /// Makes the bytes of a file durable under a new name; invisible until a commit lists it.
    pub fn put(&self, bytes: &[u8], rows: usize, partition: &[(&str, &str)], name: &str, now_ms: i64) -> Result<Add, TableError> {
        let mut path = String::new();
        for (column, value) in partition {
            path.extend([*column, "=", *value, "/"]);
        }
        path.extend([name, ".parquet"]);
        self.blob().put_if_absent(&format!("{}/{path}", self.root()), bytes)?;
        Ok(Add {
            path,
            partition_values: partition.iter().map(|(c, v)| ((*c).to_owned(), Some((*v).to_owned()))).collect(),
            size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
            modification_time: now_ms,
            data_change: true,
            stats: Some(serde_json::json!({"numRecords": rows}).to_string()),
            tags: Some(BTreeMap::new()),
        })
    }

    /// One attempt to make `adds` and `positions` visible at the next version of the state that was seen. The entry carries
    /// its version on every file. On success the state has moved on.
    pub fn attempt(&mut self, info: &CommitInfo, adds: &[Add], positions: &[(String, u64)]) -> Result<Attempt, TableError> {
        let version = self.snapshot.next_version();
        let mut actions: Vec<Action> = positions
            .iter()
            .map(|(app_id, next)| Action {
                txn: Some(Txn {
                    app_id: app_id.clone(),
                    version: i64::try_from(*next).expect("offsets stay below 2^63"),
                    last_updated: Some(info.timestamp),
                }),
                ..Action::default()
            })
            .collect();
        actions.extend(adds.iter().map(|add| {
            let mut add = add.clone();
            let tags = add.tags.get_or_insert_default();
            tags.insert(TAG_VERSION.to_owned(), version.to_string());
            if info.reference_version > 0 {
                tags.insert(TAG_REFERENCE.to_owned(), info.reference_version.to_string());
            }
            Action { add: Some(add), ..Action::default() }
        }));
        let attempt = self.log.attempt(version, info, &actions)?;
        if attempt == Attempt::Committed {
            self.refresh()?;
        }
        Ok(attempt)
    }

    /// Live files whose partition columns have these values.
    pub fn files<'a>(&'a self, partition: &'a [(&'a str, &'a str)]) -> impl Iterator<Item = &'a Arc<Add>> {
        self.snapshot.files.values().filter(move |add| partition.iter().all(|(c, v)| add.partition(c) == Some(*v)))
    }

    /// Reads columns of a live file.
    pub fn read(&self, add: &Add, columns: Option<&[&str]>) -> Result<Vec<RecordBatch>, TableError> {
        self.read_by(add, |bytes| decode(bytes, columns))
    }

    /// Reads some columns of a file, texts as dictionaries.
    pub fn read_coded(&self, add: &Add, columns: &[&str]) -> Result<Vec<RecordBatch>, TableError> {
        self.read_by(add, |bytes| decode_coded(bytes, columns))
    }

    fn read_by(
        &self,
        add: &Add,
        open: impl FnOnce(Vec<u8>) -> Result<ParquetRecordBatchReader, ParquetError>,
    ) -> Result<Vec<RecordBatch>, TableError> {
        let path = format!("{}/{}", self.root(), add.path);
        let damaged = |what: String| TableError::File { path: path.clone(), what };
        let reader = open(self.blob().get(&path)?).map_err(|e| damaged(e.to_string()))?;
        reader.collect::<Result<_, _>>().map_err(|e| damaged(e.to_string()))
    }

    /// What a commit says of itself.
    pub fn commit_info(&self, version: u64) -> Result<CommitInfo, TableError> {
        Ok(self.log.commit_info(version)?)
    }

    /// The version of the newest checkpoint.
    pub fn newest_checkpoint(&self) -> Result<Option<u64>, TableError> {
        Ok(self.log.newest_checkpoint()?)
    }

    /// Writes a checkpoint of the state that was seen.
    pub fn checkpoint(&self) -> Result<(), TableError> {
        Ok(crate::delta::checkpoint::write(&**self.blob(), self.root(), &self.snapshot)?)
    }
}
