//! Checkpoints: the whole state of a table as one Parquet file, so that nobody reads the log from its beginning.
//!
//! A reader lists the log folder for the newest one; `_last_checkpoint` is a hint that readers do without.

use std::sync::Arc;

use arrow_json::ReaderBuilder;
use arrow_json::writer::{LineDelimited, WriterBuilder};
use arrow_schema::{DataType, Field, Fields, Schema};
use bytes::Bytes;
use domain::ports::{Blob, BlobError};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use super::DeltaError;
use super::action::Action;
use super::snapshot::{EntrySummary, Snapshot};

fn path_of(root: &str, version: u64) -> String {
    format!("{root}/_delta_log/{version:020}.checkpoint.parquet")
}

/// The version in the name of a checkpoint file.
pub fn version_of(name: &str) -> Option<u64> {
    name.strip_suffix(".checkpoint.parquet").filter(|digits| digits.len() == 20)?.parse().ok()
}

fn schema() -> Arc<Schema> {
    let text = |name: &str| Field::new(name, DataType::Utf8, true);
    let long = |name: &str| Field::new(name, DataType::Int64, true);
    let flag = |name: &str| Field::new(name, DataType::Boolean, true);
    let map = |name: &str| {
        let entries = Fields::from(vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, true)]);
        Field::new(name, DataType::Map(Arc::new(Field::new("key_value", DataType::Struct(entries), false)), false), true)
    };
    let group = |name: &str, fields: Vec<Field>| Field::new(name, DataType::Struct(Fields::from(fields)), true);
    let int = |name: &str| Field::new(name, DataType::Int32, true);
    Arc::new(Schema::new(vec![
        group("txn", vec![text("appId"), long("version"), long("lastUpdated")]),
        group(
            "add",
            vec![
                text("path"),
                map("partitionValues"),
                long("size"),
                long("modificationTime"),
                flag("dataChange"),
                text("stats"),
                map("tags"),
            ],
        ),
        group("remove", vec![text("path"), long("deletionTimestamp"), flag("dataChange")]),
        group(
            "metaData",
            vec![
                text("id"),
                text("name"),
                group("format", vec![text("provider"), map("options")]),
                text("schemaString"),
                Field::new("partitionColumns", DataType::List(Arc::new(Field::new("element", DataType::Utf8, true))), true),
                map("configuration"),
                long("createdTime"),
            ],
        ),
        group("protocol", vec![int("minReaderVersion"), int("minWriterVersion")]),
    ]))
}

/// Writes the checkpoint of a snapshot; one that exists already is the same and is left.
pub fn write(blob: &dyn Blob, root: &str, snapshot: &Snapshot) -> Result<(), DeltaError> {
    let Some(version) = snapshot.version else { return Ok(()) };
    let path = path_of(root, version);
    let damaged = |what: String| DeltaError::Checkpoint { path: path.clone(), what };
    let actions: Vec<Action> = snapshot.actions().collect();
    let mut decoder =
        ReaderBuilder::new(schema()).with_batch_size(actions.len().max(1)).build_decoder().map_err(|e| damaged(e.to_string()))?;
    decoder.serialize(&actions).map_err(|e| damaged(e.to_string()))?;
    let batch = decoder.flush().map_err(|e| damaged(e.to_string()))?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema(), Some(properties)).map_err(|e| damaged(e.to_string()))?;
    if let Some(batch) = batch {
        writer.write(&batch).map_err(|e| damaged(e.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|e| damaged(e.to_string()))?;
    match blob.put_if_absent(&path, &bytes) {
        Ok(()) | Err(BlobError::AlreadyExists(_)) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

/// Reads a checkpoint back.
pub fn read(blob: &dyn Blob, root: &str, version: u64) -> Result<Snapshot, DeltaError> {
    let path = path_of(root, version);
    let damaged = |what: String| DeltaError::Checkpoint { path: path.clone(), what };
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(blob.get(&path)?))
        .and_then(ParquetRecordBatchReaderBuilder::build)
        .map_err(|e| damaged(e.to_string()))?;
    let mut snapshot = Snapshot::default();
    let mut summary = EntrySummary::default();
    for batch in reader {
        let batch = batch.map_err(|e| damaged(e.to_string()))?;
        let mut lines = WriterBuilder::new().build::<_, LineDelimited>(Vec::new());
        lines.write(&batch).and_then(|()| lines.finish()).map_err(|e| damaged(e.to_string()))?;
        for line in lines.into_inner().split(|c| *c == b'\n').filter(|l| !l.is_empty()) {
            let action: Action = serde_json::from_slice(line).map_err(|e| damaged(e.to_string()))?;
            snapshot.fold(root, action, &mut summary)?;
        }
    }
    snapshot.version = Some(version);
    Ok(snapshot)
}
