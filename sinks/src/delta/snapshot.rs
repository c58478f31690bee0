//! A table at one version: its live files, its positions and its schema, folded from the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::DeltaError;
use super::action::{Action, Add, CommitInfo, MetaData, Protocol};

/// The highest protocol versions that this code reads and writes.
pub const READER_VERSION: i32 = 1;
/// See [`READER_VERSION`].
pub const WRITER_VERSION: i32 = 2;

/// The table at one version.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The version; `None` before the table exists.
    pub version: Option<u64>,
    /// Live files by path.
    pub files: BTreeMap<String, Arc<Add>>,
    /// Positions by application id.
    pub positions: BTreeMap<String, i64>,
    /// Schema and properties.
    pub meta: Option<Arc<MetaData>>,
    /// What a reader must understand.
    pub protocol: Option<Protocol>,
}

/// What one entry changed, as far as a concurrent writer must know.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EntrySummary {
    /// The version of the entry.
    pub version: u64,
    /// Who wrote it and for which accounts; `None` if the entry does not say.
    pub info: Option<CommitInfo>,
    /// The positions that it moved.
    pub moved: Vec<String>,
}

impl Snapshot {
    /// The next version that a commit may take.
    pub fn next_version(&self) -> u64 {
        self.version.map_or(0, |v| v + 1)
    }

    /// The position of an application, 0 if it has none.
    pub fn position(&self, app_id: &str) -> u64 {
        self.positions.get(app_id).and_then(|v| u64::try_from(*v).ok()).unwrap_or(0)
    }

    /// Folds one entry into the state.
    pub fn apply(&mut self, table: &str, path: &str, version: u64, text: &[u8]) -> Result<EntrySummary, DeltaError> {
        let mut summary = EntrySummary { version, ..EntrySummary::default() };
        for (number, line) in text.split(|c| *c == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            let action: Action = serde_json::from_slice(line).map_err(|e| DeltaError::Entry {
                path: path.to_owned(),
                line: number + 1,
                what: e.to_string(),
            })?;
            self.fold(table, action, &mut summary)?;
        }
        self.version = Some(version);
        Ok(summary)
    }

    /// Folds one action.
    pub fn fold(&mut self, table: &str, action: Action, summary: &mut EntrySummary) -> Result<(), DeltaError> {
        if let Some(protocol) = action.protocol {
            if protocol.min_reader_version > READER_VERSION || protocol.min_writer_version > WRITER_VERSION {
                let what = format!(
                    "Delta reader {} and writer {} (this one knows {READER_VERSION} and {WRITER_VERSION})",
                    protocol.min_reader_version, protocol.min_writer_version
                );
                return Err(DeltaError::Newer { table: table.to_owned(), what });
            }
            self.protocol = Some(protocol);
        }
        if let Some(meta) = action.meta_data {
            self.meta = Some(Arc::new(meta));
        }
        if let Some(txn) = action.txn {
            summary.moved.push(txn.app_id.clone());
            self.positions.insert(txn.app_id, txn.version);
        }
        if let Some(add) = action.add {
            self.files.insert(add.path.clone(), Arc::new(add));
        }
        if let Some(remove) = action.remove {
            self.files.remove(&remove.path);
        }
        if action.commit_info.is_some() {
            summary.info = action.commit_info;
        }
        Ok(())
    }

    /// The whole state as actions, as a checkpoint holds it.
    pub fn actions(&self) -> impl Iterator<Item = Action> {
        let protocol = self.protocol.clone().map(|p| Action { protocol: Some(p), ..Action::default() });
        let meta = self.meta.as_ref().map(|m| Action { meta_data: Some((**m).clone()), ..Action::default() });
        let positions = self.positions.iter().map(|(app_id, version)| Action {
            txn: Some(super::action::Txn { app_id: app_id.clone(), version: *version, last_updated: None }),
            ..Action::default()
        });
        let files = self.files.values().map(|add| Action { add: Some((**add).clone()), ..Action::default() });
        protocol.into_iter().chain(meta).chain(positions).chain(files)
    }
}
