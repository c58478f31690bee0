//! Label columns to Parquet bytes: dictionaries of batches are merged value by value, so that a row costs a look-up, not a hash.
//!
//! The library's writer hashes the text of every row of a dictionary column to find its code; `cdr_entries` has some 25 such
//! columns and a row often shares its label with the row before.

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, RecordBatch};
use bytes::Bytes;
use hashbrown::HashMap;
use parquet::basic::{Compression, Encoding, EncodingMask, PageType};
use parquet::column::page::{CompressedPage, Page, PageWriteSpec, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

use super::hybrid;

/// Rows of a page: what the library's writer puts into one, so that readers skip as finely.
const PAGE_ROWS: usize = 20_000;

/// A chunk below so many bytes stays as it is: the compressor's state costs more than it saves.
const COMPRESS_FROM: usize = 1024;

/// A value that has no code yet.
const UNSEEN: u32 = u32::MAX;

/// An encoded column chunk.
#[derive(Debug)]
pub struct LabelChunk {
    /// Its pages, the dictionary first.
    pub bytes: Bytes,
    /// What the footer says of it.
    pub close: ColumnCloseResult,
}

/// The column as codes into one dictionary.
#[derive(Debug, Default)]
struct Coded<'a> {
    /// In order of first use.
    dictionary: Vec<&'a str>,
    /// Of the rows that have a value.
    codes: Vec<u32>,
    /// Per row 1 or 0; empty where every row has a value.
    present: Vec<u32>,
    rows: usize,
}

impl<'a> Coded<'a> {
    fn of(batches: &'a [RecordBatch], column: usize) -> Self {
        let mut known: HashMap<&'a str, u32> = HashMap::new();
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        let mut coded = Self { codes: Vec::with_capacity(rows), rows, ..Self::default() };
        let has_nulls = batches.iter().any(|b| b.column(column).null_count() > 0);
        for batch in batches {
            let labels = batch.column(column).as_dictionary::<Int32Type>();
            let values = labels.values().as_string::<i32>();
            let mut codes = vec![UNSEEN; values.len()];
            let dictionary = &mut coded.dictionary;
            let mut code = |key: usize| {
                if codes[key] == UNSEEN {
                    let next = u32::try_from(dictionary.len()).expect("a row group has fewer than 2^32 rows");
                    codes[key] = *known.entry(values.value(key)).or_insert_with_key(|text| {
                        dictionary.push(text);
                        next
                    });
                }
                codes[key]
            };
            let key = |k: i32| usize::try_from(k).expect("a dictionary's keys count from 0");
            match labels.keys().nulls() {
                Some(nulls) if nulls.null_count() > 0 => {
                    for (k, is_present) in labels.keys().values().iter().zip(nulls) {
                        coded.present.push(u32::from(is_present));
                        if is_present {
                            coded.codes.push(code(key(*k)));
                        }
                    }
                }
                _ => {
                    coded.codes.extend(labels.keys().values().iter().map(|k| code(key(*k))));
                    if has_nulls {
                        coded.present.resize(coded.present.len() + batch.num_rows(), 1);
                    }
                }
            }
        }
        coded
    }

    /// The dictionary's page: every value after its length.
    fn dictionary_page(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.dictionary.iter().map(|v| v.len() + 4).sum());
        for value in &self.dictionary {
            out.extend_from_slice(&length(value.len()));
            out.extend_from_slice(value.as_bytes());
        }
        out
    }

    /// The data pages: their rows, and their bytes.
    fn data_pages(&self, nullable: bool) -> Vec<(usize, Vec<u8>)> {
        let width = hybrid::width_of(self.dictionary.len());
        let mut taken = 0;
        let mut page = |from: usize| {
            let rows = PAGE_ROWS.min(self.rows - from);
            let mut out = Vec::with_capacity(64);
            let mut values = rows;
            if nullable {
                out.extend_from_slice(&[0; 4]);
                if self.present.is_empty() {
                    hybrid::encode(&vec![1; rows], 1, &mut out);
                } else {
                    let present = &self.present[from..from + rows];
                    values = present.iter().filter(|p| **p == 1).count();
                    hybrid::encode(present, 1, &mut out);
                }
                let levels = length(out.len() - 4);
                out[..4].copy_from_slice(&levels);
            }
            out.push(width);
            hybrid::encode(&self.codes[taken..taken + values], width, &mut out);
            taken += values;
            (rows, out)
        };
        (0..self.rows).step_by(PAGE_ROWS).map(&mut page).collect()
    }

    fn statistics(&self) -> Statistics {
        let text = |value: Option<&&str>| value.map(|v| ByteArray::from(v.as_bytes().to_vec()));
        let nulls = (self.rows - self.codes.len()) as u64;
        Statistics::byte_array(text(self.dictionary.iter().min()), text(self.dictionary.iter().max()), None, Some(nulls), false)
    }
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).expect("a page is below 4 GiB").to_le_bytes()
}

/// Encodes a column of `Dictionary(Int32, Utf8)` of batches as one column chunk. `zstd_level` 0 does not compress.
pub fn encode(
    batches: &[RecordBatch],
    column: usize,
    descriptor: ColumnDescPtr,
    zstd_level: i32,
) -> Result<LabelChunk, ParquetError> {
    let coded = Coded::of(batches, column);
    let dictionary = coded.dictionary_page();
    let pages = coded.data_pages(descriptor.max_def_level() > 0);
    let size = dictionary.len() + pages.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
    let mut compressor = match zstd_level {
        0 => None,
        _ if size < COMPRESS_FROM => None,
        level => Some(Compressor::new(level)?),
    };
    let mut sink = TrackedWrite::new(Vec::with_capacity(size + 64 * pages.len()));
    let mut chunk = Sizes::default();
    let mut writer = SerializedPageWriter::new(&mut sink);
    let entries = u32::try_from(coded.dictionary.len()).expect("a row group has fewer than 2^32 rows");
    let page = |buf| Page::DictionaryPage { buf, num_values: entries, encoding: Encoding::PLAIN, is_sorted: false };
    chunk.add(&write(&mut writer, compressor.as_mut(), dictionary, page)?);
    for (rows, bytes) in pages {
        let page = |buf| Page::DataPage {
            buf,
            num_values: u32::try_from(rows).expect("a page has at most its limit of rows"),
            encoding: Encoding::RLE_DICTIONARY,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        chunk.add(&write(&mut writer, compressor.as_mut(), bytes, page)?);
    }
    let compression = if compressor.is_some() { Compression::ZSTD(level(zstd_level)) } else { Compression::UNCOMPRESSED };
    let encodings = [Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY];
    let metadata = ColumnChunkMetaData::builder(descriptor)
        .set_compression(compression)
        .set_encodings_mask(EncodingMask::new_from_encodings(encodings.iter()))
        .set_num_values(i64::try_from(coded.rows).expect("a row group has fewer than 2^63 rows"))
        .set_total_compressed_size(chunk.compressed)
        .set_total_uncompressed_size(chunk.uncompressed)
        .set_dictionary_page_offset(Some(0))
        .set_data_page_offset(chunk.data_from)
        .set_statistics(coded.statistics())
        .build()?;
    let bytes = Bytes::from(sink.into_inner()?);
    let close = ColumnCloseResult {
        bytes_written: bytes.len() as u64,
        rows_written: coded.rows as u64,
        metadata,
        bloom_filter: None,
        column_index: None,
        offset_index: None,
    };
    Ok(LabelChunk { bytes, close })
}

fn level(zstd_level: i32) -> parquet::basic::ZstdLevel {
    parquet::basic::ZstdLevel::try_new(zstd_level).unwrap_or_default()
}

/// The sizes of a chunk, page headers included.
#[derive(Debug, Default)]
struct Sizes {
    compressed: i64,
    uncompressed: i64,
    /// Where the data pages begin.
    data_from: i64,
}

impl Sizes {
    fn add(&mut self, page: &PageWriteSpec) {
        let signed = |bytes: usize| i64::try_from(bytes).expect("a page is below 4 GiB");
        self.compressed += signed(page.compressed_size);
        self.uncompressed += signed(page.uncompressed_size);
        if page.page_type == PageType::DICTIONARY_PAGE {
            self.data_from = self.compressed;
        }
    }
}

fn write(
    writer: &mut SerializedPageWriter<'_, Vec<u8>>,
    compressor: Option<&mut Compressor<'_>>,
    bytes: Vec<u8>,
    page: impl FnOnce(Bytes) -> Page,
) -> Result<PageWriteSpec, ParquetError> {
    let size = bytes.len();
    let stored = match compressor {
        Some(compressor) => compressor.compress(&bytes)?,
        None => bytes,
    };
    writer.write_page(CompressedPage::new(page(Bytes::from(stored)), size))
}
