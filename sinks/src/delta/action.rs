//! The actions of a Delta log entry that our tables use, as the protocol spells them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One line of an entry: exactly one field is set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Action {
    /// Who wrote the entry and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit_info: Option<CommitInfo>,
    /// What a reader or writer must understand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// Schema and properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meta_data: Option<MetaData>,
    /// A position of an application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub txn: Option<Txn>,
    /// A file that becomes part of the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add: Option<Add>,
    /// A file that compaction replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove: Option<Remove>,
}

/// Free-form facts on a commit; ours make ambiguous outcomes decidable and conflicts cheap to see.
// tidy: the Delta protocol calls it so
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitInfo {
    /// Milliseconds since 1970 UTC.
    #[serde(default)]
    pub timestamp: i64,
    /// `WRITE`, `OPTIMIZE`, `CREATE TABLE`.
    #[serde(default)]
    pub operation: String,
    /// The protocol wants a map of texts here.
    #[serde(default)]
    pub operation_parameters: BTreeMap<String, String>,
    /// The writing program.
    #[serde(default)]
    pub engine_info: String,
    /// Names this attempt: finding it in an entry means that the attempt succeeded.
    #[serde(default)]
    pub commit_id: String,
    /// The accounts whose rows the commit brings.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// The reference version that rows were linked and priced with.
    #[serde(default)]
    pub reference_version: u64,
}

impl CommitInfo {
    /// Of a commit that appends rows at an instant, milliseconds since 1970, under a name of its own.
    pub fn append(timestamp: i64, commit_id: String) -> Self {
        Self {
            timestamp,
            operation: "WRITE".to_owned(),
            operation_parameters: BTreeMap::from([("mode".to_owned(), "Append".to_owned())]),
            engine_info: crate::ENGINE.to_owned(),
            commit_id,
            ..Self::default()
        }
    }
}

/// What a reader or writer must understand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Protocol {
    /// 1: plain Parquet files.
    pub min_reader_version: i32,
    /// 2: append-only tables.
    pub min_writer_version: i32,
}

/// Schema and properties.
// tidy: the Delta protocol calls it so
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetaData {
    /// Names the table for ever.
    pub id: String,
    /// The table's name.
    pub name: Option<String>,
    /// The file format.
    pub format: Format,
    /// The schema as JSON text.
    pub schema_string: String,
    /// Columns that stand in paths.
    pub partition_columns: Vec<String>,
    /// Properties.
    pub configuration: BTreeMap<String, String>,
    /// Milliseconds since 1970 UTC.
    pub created_time: Option<i64>,
}

/// The file format: Parquet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// `parquet`.
    pub provider: String,
    /// None.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

/// A position of an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Txn {
    /// Whose position: `<job>/<incarnation>/<topic>/<partition>`.
    pub app_id: String,
    /// The position: the next offset, exclusive.
    pub version: i64,
    /// Milliseconds since 1970 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<i64>,
}

/// A file that becomes part of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Add {
    /// Path from the table's folder.
    pub path: String,
    /// Values of the partition columns; `None` is null.
    pub partition_values: BTreeMap<String, Option<String>>,
    /// Bytes.
    pub size: i64,
    /// Milliseconds since 1970 UTC.
    pub modification_time: i64,
    /// False for rewrites by compaction.
    pub data_change: bool,
    /// Row count and column ranges as JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stats: Option<String>,
    /// Facts of ours: commit version, sidecar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
}

impl Add {
    /// A tag of ours.
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.tags.as_ref()?.get(name).map(String::as_str)
    }

    /// The version of the commit that added the file, as its tag says; 0 for a file without one.
    pub fn version(&self) -> u64 {
        self.tag(crate::table::TAG_VERSION).and_then(|version| version.parse().ok()).unwrap_or(0)
    }

    /// A partition value.
    pub fn partition(&self, column: &str) -> Option<&str> {
        self.partition_values.get(column)?.as_deref()
    }

    /// Rows of the file, from its statistics.
    pub fn rows(&self) -> Option<u64> {
        let stats: serde_json::Value = serde_json::from_str(self.stats.as_deref()?).ok()?;
        stats.get("numRecords")?.as_u64()
    }
}

/// A file that compaction replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remove {
    /// Path from the table's folder.
    pub path: String,
    /// Milliseconds since 1970 UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_timestamp: Option<i64>,
    /// False: compaction changes no data.
    pub data_change: bool,
}

/// The entry's file name for a version: 20 digits.
pub fn entry_name(version: u64) -> String {
    format!("{version:020}.json")
}
