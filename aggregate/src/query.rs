//! SQL for analysts over the files of our tables, on one consistent version of each.

mod files;
mod mask;
mod prune;

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, FieldRef, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use domain::ports::{Blob, Disposition};
use futures_util::TryStreamExt;

use self::files::StoredFiles;

/// The current state per record, as SQL: first words and corrections that no reversal has taken back.
pub const CDR_VIEW: &str = include_str!("cdr.sql");

/// A file of a table.
#[derive(Debug, Clone)]
pub struct TableFile {
    /// Its path in the store.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Values of the partition columns, in the table's order.
    pub partition: Vec<String>,
}

/// A table at one version.
#[derive(Debug, Clone)]
pub struct TableFiles {
    /// The name in SQL.
    pub name: &'static str,
    /// The columns in the files.
    pub schema: SchemaRef,
    /// The columns in the paths.
    pub partition: Vec<&'static str>,
    /// The live files.
    pub files: Vec<TableFile>,
}

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The SQL is wrong, names what is not there, or asks of a value what it does not bear.
    #[error("the query cannot be run: {0}")]
    Sql(String),
    /// Reading failed in the middle.
    #[error("failed to run the query: {0}")]
    Run(String),
}

impl QueryError {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Sql(_) => Disposition::Stop,
            Self::Run(_) => Disposition::Retry,
        }
    }
}

/// Whether subscriber numbers are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// As they are.
    Clear,
    /// With their middle hidden; the bytes of rows that were not read are not shown at all.
    Masked,
}

/// A session that knows our tables.
#[derive(Clone)]
pub struct Analyst {
    session: SessionContext,
}

impl std::fmt::Debug for Analyst {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Analyst")
    }
}

impl Analyst {
    /// Registers the tables, whose files lie in the store, and the view `cdr`; `threads` limits how many cores a question
    /// takes. Unless `numbers` are clear, no question sees one, under whatever name: the columns are masked before SQL begins.
    pub async fn new(blob: Arc<dyn Blob>, tables: Vec<TableFiles>, threads: usize, numbers: Numbers) -> Result<Self, QueryError> {
        let settings = SessionConfig::new().with_target_partitions(threads.max(1)).with_information_schema(true);
        let session = SessionContext::new_with_config(settings);
        let sizes = tables.iter().flat_map(|table| &table.files).map(|file| (file.path.clone(), file.size)).collect();
        session.register_object_store(store_url().as_ref(), Arc::new(StoredFiles::new(blob, sizes)));
        let sql = |e: DataFusionError| QueryError::Sql(plain(&e));
        for table in tables {
            let name = table.name;
            let files: Arc<dyn TableProvider> = Arc::new(Files::new(table));
            let shown = match numbers {
                Numbers::Clear => files,
                Numbers::Masked => mask::masked(&session, files).map_err(sql)?,
            };
            session.register_table(name, shown).map_err(sql)?;
        }
        if session.table_exist("cdr_entries").map_err(sql)? {
            session.sql(CDR_VIEW).await.map_err(sql)?;
        }
        Ok(Self { session })
    }

    /// Runs one question; only reading statements are allowed. The whole answer is held in memory.
    pub async fn ask(&self, question: &str) -> Result<Answered, QueryError> {
        let mut answer = self.stream(question).await?;
        let mut whole = Answered { schema: Arc::clone(&answer.schema), batches: Vec::new() };
        while let Some(part) = answer.next().await? {
            whole.batches.extend(part.batches);
        }
        Ok(whole)
    }

    /// Runs one question and gives its answer part by part, as it is found: memory does not grow with the answer.
    pub async fn stream(&self, question: &str) -> Result<Answer, QueryError> {
        let options = datafusion::execution::context::SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false);
        let frame = self.session.sql_with_options(question, options).await.map_err(|e| QueryError::Sql(plain(&e)))?;
        let schema: SchemaRef = Arc::new(frame.schema().as_arrow().clone());
        let batches = frame.execute_stream().await.map_err(|e| while_running(&e))?;
        Ok(Answer { schema, batches })
    }
}

/// An answer that is still being found.
pub struct Answer {
    schema: SchemaRef,
    batches: SendableRecordBatchStream,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({} columns)", self.schema.fields().len())
    }
}

impl Answer {
    /// Names and kinds of the columns.
    pub fn columns(&self) -> Vec<(&str, ColumnKind)> {
        columns_of(&self.schema)
    }

    /// The next rows, some thousands at most; `None` when there are no more.
    pub async fn next(&mut self) -> Result<Option<Answered>, QueryError> {
        let batch = self.batches.try_next().await.map_err(|e| while_running(&e))?;
        Ok(batch.map(|batch| Answered { schema: Arc::clone(&self.schema), batches: vec![batch] }))
    }
}

fn columns_of(schema: &SchemaRef) -> Vec<(&str, ColumnKind)> {
    let kind = |data_type: &DataType| match data_type {
        DataType::Boolean => ColumnKind::Flag,
        t if t.is_integer() => ColumnKind::Integer,
        t if t.is_numeric() => ColumnKind::Decimal,
        _ => ColumnKind::Text,
    };
    schema.fields().iter().map(|f| (f.name().as_str(), kind(f.data_type()))).collect()
}

/// What kind of value a column holds, as far as a screen must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// An integer that JSON can hold.
    Integer,
    /// A decimal: money.
    Decimal,
    /// True or false.
    Flag,
    /// Everything else.
    Text,
}

/// The rows that answer a question, as texts: decimals with all their places, instants in UTC, bytes in hexadecimal.
#[derive(Debug, Clone)]
pub struct Answered {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

impl Answered {
    /// Names and kinds of the columns.
    pub fn columns(&self) -> Vec<(&str, ColumnKind)> {
        columns_of(&self.schema)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows; `None` is null.
    pub fn rows(&self) -> impl Iterator<Item = Vec<Option<String>>> + '_ {
        let cell = |column: &ArrayRef, i: usize| (!column.is_null(i)).then(|| cell_text(column, i));
        self.batches
            .iter()
            .flat_map(move |batch| (0..batch.num_rows()).map(move |i| batch.columns().iter().map(|c| cell(c, i)).collect()))
    }
}

/// What went wrong in the middle. Much of what is wrong with a question is found by its first rows only: bytes that are no text, a
/// text that is no number, a division by zero.
fn while_running(e: &DataFusionError) -> QueryError {
    use arrow_schema::ArrowError as Arrow;
    let is_of_question = match e.find_root() {
        DataFusionError::Plan(_)
        | DataFusionError::SchemaError(..)
        | DataFusionError::NotImplemented(_)
        | DataFusionError::Execution(_) => true,
        DataFusionError::ArrowError(cause, _) => matches!(
            **cause,
            Arrow::CastError(_)
                | Arrow::ParseError(_)
                | Arrow::ComputeError(_)
                | Arrow::DivideByZero
                | Arrow::ArithmeticOverflow(_)
                | Arrow::InvalidArgumentError(_)
                | Arrow::NotYetImplemented(_)
        ),
        _ => false,
    };
    if is_of_question { QueryError::Sql(plain(e)) } else { QueryError::Run(plain(e)) }
}

/// The engine's message without its wrapping.
fn plain(e: &DataFusionError) -> String {
    e.strip_backtrace()
}

/// Under which address a session finds the files of our tables.
fn store_url() -> ObjectStoreUrl {
    ObjectStoreUrl::parse("tollway://tables").expect("a scheme and a host make an address")
}

/// A fixed list of Parquet files as a table.
#[derive(Debug)]
struct Files {
    table: TableFiles,
    schema: TableSchema,
}

impl Files {
    fn new(table: TableFiles) -> Self {
        let partition: Vec<FieldRef> = table.partition.iter().map(|c| Arc::new(Field::new(*c, DataType::Utf8, true))).collect();
        let schema = TableSchema::builder(Arc::clone(&table.schema)).with_table_partition_cols(partition).build();
        Self { table, schema }
    }
}

#[async_trait::async_trait]
impl TableProvider for Files {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>, DataFusionError> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let files: Vec<PartitionedFile> = prune::wanted(&self.table, session, filters)?
            .into_iter()
            .map(|f| {
                let values = f.partition.iter().map(|v| ScalarValue::Utf8(Some(v.clone()))).collect();
                PartitionedFile::new(f.path.clone(), f.size).with_partition_values(values)
            })
            .collect();
        let source = Arc::new(ParquetSource::new(self.schema.clone()));
        let plan = FileScanConfigBuilder::new(store_url(), source)
            .with_file_group(FileGroup::new(files))
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(plan))
    }
}

fn cell_text(column: &ArrayRef, i: usize) -> String {
    use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
    let options = FormatOptions::default();
    ArrayFormatter::try_new(column, &options).map_or_else(|e| e.to_string(), |f| f.value(i).to_string())
}
