//! Reading and extending a table's log.

use std::sync::Arc;

use arrow_schema::Schema;
use domain::columns::delta_type;
use domain::ports::{Blob, BlobError};

use super::action::{Action, CommitInfo, Format, MetaData, Protocol, entry_name};
use super::snapshot::{EntrySummary, READER_VERSION, Snapshot, WRITER_VERSION};
use super::{DeltaError, checkpoint};

/// How often an unknown outcome is looked up before giving up: each look re-reads the entry.
const LOOKS_MAX: u32 = 8;

/// What became of one attempt to commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// The entry is ours.
    Committed,
    /// Another writer took the version.
    Lost,
}

/// The log of one table.
#[derive(Clone)]
pub struct DeltaLog {
    blob: Arc<dyn Blob>,
    /// The table's folder, without a slash at its end.
    root: String,
}

impl std::fmt::Debug for DeltaLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DeltaLog({})", self.root)
    }
}

impl DeltaLog {
    /// The log below `root` of a store.
    pub fn new(blob: Arc<dyn Blob>, root: &str) -> Self {
        Self { blob, root: root.trim_end_matches('/').to_owned() }
    }

    /// The table's folder.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The store.
    pub fn blob(&self) -> &Arc<dyn Blob> {
        &self.blob
    }

    fn entry_path(&self, version: u64) -> String {
        format!("{}/_delta_log/{}", self.root, entry_name(version))
    }

    /// The newest state: the newest checkpoint and all entries after it.
    pub fn load(&self) -> Result<Snapshot, DeltaError> {
        let listed = self.listed()?;
        let mut snapshot = match newest_checkpoint(&listed) {
            Some(version) => checkpoint::read(&*self.blob, &self.root, version)?,
            None => Snapshot::default(),
        };
        self.follow(&mut snapshot)?;
        match listed.iter().filter_map(|name| entry_version(name)).max() {
            Some(last) if last >= snapshot.next_version() => {
                let what = "it is missing, but later entries are there".to_owned();
                Err(DeltaError::Entry { path: self.entry_path(snapshot.next_version()), line: 1, what })
            }
            _ => Ok(snapshot),
        }
    }

    /// The state at a former version: the checkpoint before it and the entries up to it.
    pub fn load_at(&self, version: u64) -> Result<Snapshot, DeltaError> {
        let checkpoints = self.listed()?.iter().filter_map(|name| checkpoint::version_of(name)).collect::<Vec<_>>();
        let mut snapshot = match checkpoints.into_iter().filter(|at| *at <= version).max() {
            Some(at) => checkpoint::read(&*self.blob, &self.root, at)?,
            None => Snapshot::default(),
        };
        for next in snapshot.next_version()..=version {
            let path = self.entry_path(next);
            match self.blob.get(&path) {
                Ok(text) => drop(snapshot.apply(&self.root, &path, next, &text)?),
                Err(BlobError::NotFound(_)) => return Err(DeltaError::Trimmed { version, path }),
                Err(e) => return Err(e.into()),
            }
        }
        Ok(snapshot)
    }

    /// The version of the newest checkpoint, found by listing.
    pub fn newest_checkpoint(&self) -> Result<Option<u64>, DeltaError> {
        Ok(newest_checkpoint(&self.listed()?))
    }

    /// Names of entries and checkpoints.
    fn listed(&self) -> Result<Vec<String>, DeltaError> {
        let folder = format!("{}/_delta_log/", self.root);
        let listed = self.blob.list(&folder)?;
        Ok(listed.iter().filter_map(|e| e.path.strip_prefix(&folder).map(str::to_owned)).collect())
    }

    /// Catches up with entries that were added since; tells what each changed. A gap (trimmed entries) reloads everything
    /// and returns `None`: the caller must then assume that anything may have changed.
    pub fn refresh(&self, snapshot: &mut Snapshot) -> Result<Option<Vec<EntrySummary>>, DeltaError> {
        let seen = self.follow(snapshot)?;
        if seen.is_empty() && self.was_trimmed_past(snapshot.next_version())? {
            *snapshot = self.load()?;
            return Ok(None);
        }
        Ok(Some(seen))
    }

    /// Folds the entries that follow, up to the first that is not there.
    fn follow(&self, snapshot: &mut Snapshot) -> Result<Vec<EntrySummary>, DeltaError> {
        let mut seen = Vec::new();
        loop {
            let version = snapshot.next_version();
            let path = self.entry_path(version);
            match self.blob.get(&path) {
                Ok(text) => seen.push(snapshot.apply(&self.root, &path, version, &text)?),
                Err(BlobError::NotFound(_)) => return Ok(seen),
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// Whether entries beyond `version` exist although `version` itself does not: it was trimmed behind a checkpoint.
    fn was_trimmed_past(&self, version: u64) -> Result<bool, DeltaError> {
        // Trimming takes away the oldest entries first: while our own is there and none stands behind a hole, nothing is
        // missing, and two probes are cheaper than a listing.
        let is_there = |version| match self.blob.size(&self.entry_path(version)) {
            Ok(_) => Ok(true),
            Err(BlobError::NotFound(_)) => Ok(false),
            Err(e) => Err(DeltaError::from(e)),
        };
        let own = version.checked_sub(1).map_or(Ok(false), is_there)?;
        if own && !is_there(version + 1)? {
            return Ok(false);
        }
        // The digits of entries and of checkpoints alike.
        let beyond = |name: &String| name.get(..20).and_then(|digits| digits.parse::<u64>().ok()).is_some_and(|v| v >= version);
        Ok(self.listed()?.iter().any(beyond))
    }

    /// Tries to make `actions` the entry `version`. An unknown outcome is resolved by reading the entry and comparing the
    /// commit id; the same bytes are offered again only while nothing stands there.
    pub fn attempt(&self, version: u64, info: &CommitInfo, actions: &[Action]) -> Result<Attempt, DeltaError> {
        let path = self.entry_path(version);
        let mut text = Vec::new();
        let head = Action { commit_info: Some(info.clone()), ..Action::default() };
        for action in std::iter::once(&head).chain(actions) {
            serde_json::to_writer(&mut text, action).expect("actions hold only texts and integers");
            text.push(b'\n');
        }
        for _ in 0..LOOKS_MAX {
            match self.blob.put_if_absent(&path, &text) {
                Ok(()) => return self.unless_late(version),
                Err(BlobError::AlreadyExists(_)) => return self.whose(&path, version, info),
                Err(e @ (BlobError::Full(_) | BlobError::Denied(_) | BlobError::NotFound(_))) => return Err(e.into()),
                Err(BlobError::Ambiguous(_) | BlobError::Io { .. }) => match self.whose(&path, version, info) {
                    Err(DeltaError::Blob(BlobError::NotFound(_))) => {}
                    decided => return decided,
                },
            }
        }
        Err(DeltaError::Unknown { version, attempts: LOOKS_MAX })
    }

    /// Whether an entry that was put is part of the table. A writer that slept since it looked may find its version free because
    /// that version was taken, covered by a checkpoint and trimmed meanwhile: nobody reads what it put there.
    ///
    /// Trimming takes away the oldest entries first, so while the one before is there, ours was not trimmed. Where it is gone and
    /// a checkpoint covers our version, the entry goes as trimming would take it, and the caller reloads and compares: should
    /// the checkpoint hold it after all, its positions say so.
    fn unless_late(&self, version: u64) -> Result<Attempt, DeltaError> {
        let Some(before) = version.checked_sub(1) else { return Ok(Attempt::Committed) };
        match self.blob.size(&self.entry_path(before)) {
            Ok(_) => return Ok(Attempt::Committed),
            Err(BlobError::NotFound(_)) => {}
            Err(e) => return Err(e.into()),
        }
        if self.newest_checkpoint()?.is_none_or(|checkpoint| checkpoint < version) {
            return Ok(Attempt::Committed);
        }
        self.blob.delete(&self.entry_path(version))?;
        Ok(Attempt::Lost)
    }

    /// What the entry of a version says of its commit.
    pub fn commit_info(&self, version: u64) -> Result<CommitInfo, DeltaError> {
        let path = self.entry_path(version);
        let summary = Snapshot::default().apply(&self.root, &path, version, &self.blob.get(&path)?)?;
        summary.info.ok_or_else(|| DeltaError::Entry { path, line: 1, what: "it does not say who committed it".to_owned() })
    }

    fn whose(&self, path: &str, version: u64, info: &CommitInfo) -> Result<Attempt, DeltaError> {
        let text = self.blob.get(path)?;
        let summary = Snapshot::default().apply(&self.root, path, version, &text)?;
        let ours = summary.info.is_some_and(|i| i.commit_id == info.commit_id);
        if ours { self.unless_late(version) } else { Ok(Attempt::Lost) }
    }

    /// Makes the table if it does not exist; `created_ms` and `id` come from the caller's clock and chance.
    pub fn create(&self, name: &str, schema: &Schema, partition: &[&str], id: &str, created_ms: i64) -> Result<(), DeltaError> {
        if self.blob.get(&self.entry_path(0)).is_ok() || self.load()?.version.is_some() {
            return Ok(());
        }
        let mut configuration = std::collections::BTreeMap::new();
        configuration.insert("delta.appendOnly".to_owned(), "true".to_owned());
        configuration.insert("delta.checkpointInterval".to_owned(), "50".to_owned());
        let meta = MetaData {
            id: uuid_text(id),
            name: Some(name.to_owned()),
            format: Format { provider: "parquet".to_owned(), options: std::collections::BTreeMap::new() },
            schema_string: schema_string(schema, partition),
            partition_columns: partition.iter().map(|c| (*c).to_owned()).collect(),
            configuration,
            created_time: Some(created_ms),
        };
        let protocol = Protocol { min_reader_version: READER_VERSION, min_writer_version: WRITER_VERSION };
        let info = CommitInfo {
            timestamp: created_ms,
            operation: "CREATE TABLE".to_owned(),
            commit_id: id.to_owned(),
            engine_info: crate::ENGINE.to_owned(),
            ..CommitInfo::default()
        };
        let actions =
            [Action { protocol: Some(protocol), ..Action::default() }, Action { meta_data: Some(meta), ..Action::default() }];
        self.attempt(0, &info, &actions).map(|_| ())
    }
}

fn newest_checkpoint(listed: &[String]) -> Option<u64> {
    listed.iter().filter_map(|name| checkpoint::version_of(name)).max()
}

/// The version in the name of an entry.
fn entry_version(name: &str) -> Option<u64> {
    name.strip_suffix(".json").filter(|digits| digits.len() == 20)?.parse().ok()
}

/// 32 hexadecimal digits in the form of a UUID.
fn uuid_text(hex: &str) -> String {
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or("0");
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

/// The schema as the protocol spells it; partition columns are texts at the end.
fn schema_string(schema: &Schema, partition: &[&str]) -> String {
    let field = |name: &str, kind: String, nullable: bool| serde_json::json!({"name": name, "type": kind, "nullable": nullable, "metadata": {}});
    let mut fields: Vec<_> =
        schema.fields().iter().map(|f| field(f.name(), delta_type(f.data_type()), f.is_nullable())).collect();
    fields.extend(partition.iter().map(|c| field(c, "string".to_owned(), true)));
    serde_json::json!({"type": "struct", "fields": fields}).to_string()
}
