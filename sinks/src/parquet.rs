//! Columns to Parquet bytes: the encoding of each column chosen by what it holds, columns encoded in parallel.
//!
//! Encoding, not compression, is the cost of writing (about 450 of the 480 ns that a row of 17 columns takes), so instants,
//! money and volumes are delta-packed, labels are dictionaries, and zstd stays at level 1.

mod hybrid;
mod labels;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Fields, Schema};
use bytes::Bytes;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use rayon::prelude::*;

use self::labels::LabelChunk;

/// Rows that are read at a time.
const BATCH_ROWS: usize = 65_536;

/// Rows that are read at a time at most where texts stay codes.
const CODED_BATCH_ROWS_MAX: usize = 1_048_576;

/// How files are written.
#[derive(Debug, Clone, Copy)]
pub struct ParquetSettings {
    /// Files of at most so many rows have plain pages: the compressor's state would cost more than the rows.
    pub plain_rows_max: usize,
    /// zstd level of the others; 1 costs least and gives all but one per cent of level 3.
    pub zstd_level: i32,
    /// Rows of a row group.
    pub row_group_rows: usize,
}

impl Default for ParquetSettings {
    fn default() -> Self {
        Self { plain_rows_max: 1_000, zstd_level: 1, row_group_rows: 250_000 }
    }
}

/// The writer's properties for the columns of a batch.
fn properties(batch: &RecordBatch, settings: ParquetSettings) -> WriterPropertiesPtr {
    let compression = match settings.zstd_level {
        0 => Compression::UNCOMPRESSED,
        level => Compression::ZSTD(ZstdLevel::try_new(level).unwrap_or_default()),
    };
    let mut builder = WriterProperties::builder()
        .set_compression(compression)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(settings.row_group_rows))
        .set_created_by(crate::ENGINE.to_owned())
        // no statistics per page stand beside it, so it would only make the footer longer
        .set_offset_index_disabled(true)
        .set_dictionary_enabled(false);
    for field in batch.schema_ref().fields() {
        let path = ColumnPath::from(field.name().as_str());
        builder = match field.data_type() {
            DataType::Utf8 | DataType::Binary => builder.set_column_encoding(path, Encoding::DELTA_LENGTH_BYTE_ARRAY),
            DataType::Int32 | DataType::Int64 | DataType::Timestamp(_, _) => {
                builder.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED)
            }
            DataType::Decimal128(precision, _) if *precision <= 18 => {
                builder.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED)
            }
            // labels, and the signs of rows
            _ => builder.set_column_dictionary_enabled(path, true),
        };
    }
    Arc::new(builder.build())
}

/// A column of a row group.
enum Chunk {
    /// Encoded here.
    Labels(LabelChunk),
    /// Encoded by the library.
    Others(ArrowColumnChunk),
}

/// Encodes batches of one schema, in order, as a whole Parquet file. Columns are encoded in parallel, each on one thread; a
/// row group ends with the batch that fills it.
pub fn encode(batches: &[RecordBatch], settings: ParquetSettings) -> Result<Vec<u8>, ParquetError> {
    let first = batches.first().ok_or_else(|| ParquetError::General("a file without a batch has no schema".to_owned()))?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let zstd_level = if rows > settings.plain_rows_max { settings.zstd_level } else { 0 };
    let settings = ParquetSettings { zstd_level, ..settings };
    let properties = properties(first, settings);
    let schema = first.schema();
    let parquet_schema = ArrowSchemaConverter::new().with_coerce_types(properties.coerce_types()).convert(&schema)?;
    let mut out = Vec::with_capacity(rows * 40 + 4096);
    let mut file = SerializedFileWriter::new(&mut out, parquet_schema.root_schema_ptr(), Arc::clone(&properties))?;
    let factory = ArrowRowGroupWriterFactory::new(&file, Arc::clone(&schema));
    for (number, group) in row_groups(batches, settings.row_group_rows).into_iter().enumerate() {
        let writers = factory.create_column_writers(number)?;
        let chunks: Vec<Chunk> = writers
            .into_par_iter()
            .enumerate()
            .map(|(column, writer)| match schema.field(column).data_type() {
                DataType::Dictionary(_, _) => {
                    labels::encode(&group, column, parquet_schema.column(column), settings.zstd_level).map(Chunk::Labels)
                }
                _ => encode_column(writer, schema.field(column), &group, column).map(Chunk::Others),
            })
            .collect::<Result<_, _>>()?;
        let mut row_group = file.next_row_group()?;
        for chunk in chunks {
            match chunk {
                Chunk::Labels(chunk) => row_group.append_column(&chunk.bytes, chunk.close)?,
                Chunk::Others(chunk) => chunk.append_to_row_group(&mut row_group)?,
            }
        }
        row_group.close()?;
    }
    file.close()?;
    Ok(out)
}

/// Batches in runs of about `rows_max` rows; a larger batch is cut.
fn row_groups(batches: &[RecordBatch], rows_max: usize) -> Vec<Vec<RecordBatch>> {
    let rows_max = rows_max.max(1);
    let mut groups: Vec<Vec<RecordBatch>> = vec![Vec::new()];
    let mut filled = 0;
    for batch in batches {
        let mut from = 0;
        while from < batch.num_rows() {
            if filled == rows_max {
                groups.push(Vec::new());
                filled = 0;
            }
            let rows = (rows_max - filled).min(batch.num_rows() - from);
            if let Some(group) = groups.last_mut() {
                group.push(batch.slice(from, rows));
            }
            (from, filled) = (from + rows, filled + rows);
        }
    }
    groups
}

fn encode_column(
    mut writer: ArrowColumnWriter,
    field: &Field,
    batches: &[RecordBatch],
    column: usize,
) -> Result<ArrowColumnChunk, ParquetError> {
    for batch in batches {
        for leaf in compute_leaves(field, batch.column(column))? {
            writer.write(&leaf)?;
        }
    }
    writer.close()
}

/// Reads a Parquet file; `columns` limits what is decoded to the named ones.
pub fn decode(bytes: Vec<u8>, columns: Option<&[&str]>) -> Result<ParquetRecordBatchReader, ParquetError> {
    reader(ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes))?.with_batch_size(BATCH_ROWS), columns)
}

/// Reads columns of a Parquet file, texts as dictionaries: who sums by a label compares its code, and no text is copied per row.
pub fn decode_coded(bytes: Vec<u8>, columns: &[&str]) -> Result<ParquetRecordBatchReader, ParquetError> {
    let bytes = Bytes::from(bytes);
    let plain = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::new())?;
    let coded = |field: &Arc<Field>| {
        let coded = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let wanted = *field.data_type() == DataType::Utf8 && columns.contains(&field.name().as_str());
        if wanted { Arc::new(field.as_ref().clone().with_data_type(coded)) } else { Arc::clone(field) }
    };
    let schema = Schema::new(plain.schema().fields().iter().map(coded).collect::<Fields>());
    let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    // A batch for a row group, so that its dictionary is looked at once.
    let rows = plain.metadata().row_groups().iter().map(|g| usize::try_from(g.num_rows()).unwrap_or(0)).max();
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options)?;
    reader(builder.with_batch_size(rows.unwrap_or(0).clamp(BATCH_ROWS, CODED_BATCH_ROWS_MAX)), Some(columns))
}

fn reader(
    builder: ParquetRecordBatchReaderBuilder<Bytes>,
    columns: Option<&[&str]>,
) -> Result<ParquetRecordBatchReader, ParquetError> {
    let builder = match columns {
        None => builder,
        Some(names) => {
            let mask = parquet::arrow::ProjectionMask::columns(builder.parquet_schema(), names.iter().copied());
            builder.with_projection(mask)
        }
    };
    builder.build()
}
