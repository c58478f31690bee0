//! The column contracts: what a row is after each stage, and the published schema of each table.
//!
//! In memory a stage hands over plain typed columns ([`parsed`], [`linked`], [`rated`]); on disk a table is declared once
//! with [`columns!`](crate::columns), which yields the Arrow schema, a typed set of arrays to write, a typed view to read
//! and the data dictionary.

pub mod parsed;
pub mod linked;
pub mod rated;
pub mod entries;
pub mod totals;
pub mod lines;
pub mod thresholds;
pub mod types;

use std::sync::Arc;

use arrow_array::{RecordBatch, new_null_array};
use arrow_schema::{DataType, Field, Schema};

/// One line of the data dictionary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDoc {
    /// The column's name.
    pub name: &'static str,
    /// Its type as Delta calls it: `string`, `long`, `decimal(18,9)`.
    pub delta_type: String,
    /// Whether it may be null.
    pub nullable: bool,
    /// What it holds.
    pub doc: &'static str,
}

/// Why a record batch is not the table that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnError {
    /// The column is not there.
    #[error("column `{0}` is missing")]
    Missing(&'static str),
    /// The column has another type.
    #[error("column `{name}` is {found}, not {expected}")]
    Type {
        /// Which one.
        name: &'static str,
        /// What it should be.
        expected: DataType,
        /// What it is.
        found: DataType,
    },
    /// The arrays do not make a batch.
    #[error("failed to make a batch: {0}")]
    Batch(String),
}

/// The Delta name of an Arrow type that our tables use.
pub fn delta_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::Dictionary(_, _) => "string".to_owned(),
        DataType::Int8 => "byte".to_owned(),
        DataType::Int16 => "short".to_owned(),
        DataType::Int32 => "integer".to_owned(),
        DataType::Int64 => "long".to_owned(),
        DataType::Binary => "binary".to_owned(),
        DataType::Timestamp(_, _) => "timestamp".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        other => unreachable!("the columns! macro has no column of type {other}"),
    }
}

/// Builds the schema of a table from its columns.
pub fn schema_of(fields: Vec<(&'static str, DataType, bool)>) -> Arc<Schema> {
    Arc::new(Schema::new(fields.into_iter().map(|(n, t, null)| Field::new(n, t, null)).collect::<Vec<_>>()))
}

/// A batch with nulls for the columns that are asked for (`None`: all) and that its file, written before they were declared, does not
/// have.
pub fn with_nulls(batch: RecordBatch, declared: &Schema, asked: Option<&[&str]>) -> Result<RecordBatch, ColumnError> {
    let schema = batch.schema();
    let is_new = |field: &&Arc<Field>| {
        let name = field.name().as_str();
        field.is_nullable() && asked.is_none_or(|asked| asked.contains(&name)) && schema.column_with_name(name).is_none()
    };
    let new: Vec<&Arc<Field>> = declared.fields().iter().filter(is_new).collect();
    if new.is_empty() {
        return Ok(batch);
    }
    let nulls = new.iter().map(|field| new_null_array(field.data_type(), batch.num_rows()));
    let arrays = batch.columns().iter().cloned().chain(nulls).collect();
    let fields: Vec<Arc<Field>> = schema.fields().iter().cloned().chain(new.into_iter().cloned()).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|e| ColumnError::Batch(e.to_string()))
}

/// Declares a table once: `table Rows / View { /// doc  name: Type, … }` with the column types of [`types`].
///
/// It makes `Rows`, one typed array per column, to write a batch; `View`, typed access to the columns of a batch that was
/// read (only those that are asked for need be there); `Rows::schema()`; and `Rows::dictionary()`.
#[macro_export]
macro_rules! columns {
    ($(#[$table:meta])* $rows:ident / $view:ident { $($(#[doc = $doc:literal])+ $name:ident: $kind:ty,)* }) => {
        $(#[$table])*
        #[derive(Debug)]
        pub struct $rows { $($(#[doc = $doc])+ pub $name: <$kind as $crate::columns::types::ColumnType>::Write,)* }

        impl $rows {
            /// The published schema, as readers see it.
            pub fn schema() -> ::std::sync::Arc<::arrow_schema::Schema> {
                use $crate::columns::types::ColumnType;
                $crate::columns::schema_of(vec![$((stringify!($name), <$kind>::read_type(), <$kind>::NULLABLE)),*])
            }

            /// The data dictionary: every column with type and meaning.
            pub fn dictionary() -> Vec<$crate::columns::ColumnDoc> {
                use $crate::columns::types::ColumnType;
                vec![$($crate::columns::ColumnDoc {
                    name: stringify!($name),
                    delta_type: $crate::columns::delta_type(&<$kind>::read_type()),
                    nullable: <$kind>::NULLABLE,
                    doc: concat!($($doc),+).trim_ascii(),
                }),*]
            }

            /// One batch of all columns, in the declared order.
            pub fn into_batch(self) -> Result<::arrow_array::RecordBatch, $crate::columns::ColumnError> {
                use $crate::columns::types::ColumnType;
                let schema = $crate::columns::schema_of(vec![$((stringify!($name), <$kind>::write_type(), <$kind>::NULLABLE)),*]);
                let arrays: Vec<::arrow_array::ArrayRef> = vec![$(::std::sync::Arc::new(self.$name)),*];
                ::arrow_array::RecordBatch::try_new(schema, arrays).map_err(|e| $crate::columns::ColumnError::Batch(e.to_string()))
            }
        }

        /// Typed access to the columns of a batch that was read.
        #[derive(Debug, Clone, Copy)]
        pub struct $view<'a>(pub &'a ::arrow_array::RecordBatch);

        impl<'a> $view<'a> {
            $($(#[doc = $doc])+
            pub fn $name(&self) -> Result<&'a <$kind as $crate::columns::types::ColumnType>::Read, $crate::columns::ColumnError> {
                $crate::columns::types::read_column::<$kind>(self.0, stringify!($name))
            })*
        }
    };
}
