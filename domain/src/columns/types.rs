//! The column types of our tables: what is written, what is read back, and whether it may be null.

use arrow_array::types::Int32Type;
use arrow_array::{
    Array, BinaryArray, Decimal128Array, DictionaryArray, Int8Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::{DataType, TimeUnit};

use super::ColumnError;

/// A kind of column.
pub trait ColumnType {
    /// The array that a writer fills.
    type Write: Array + 'static;
    /// The array that a reader gets.
    type Read: Array + 'static;
    /// Whether values may be null.
    const NULLABLE: bool;
    /// The Arrow type as written.
    fn write_type() -> DataType;
    /// The Arrow type as read.
    fn read_type() -> DataType {
        Self::write_type()
    }
}

/// A column whose values may be null.
#[derive(Debug)]
pub struct Maybe<T>(T);

impl<T: ColumnType> ColumnType for Maybe<T> {
    type Write = T::Write;
    type Read = T::Read;
    const NULLABLE: bool = true;
    fn write_type() -> DataType {
        T::write_type()
    }
    fn read_type() -> DataType {
        T::read_type()
    }
}

macro_rules! plain {
    ($($(#[$doc:meta])* $name:ident = $array:ty, $data_type:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl ColumnType for $name {
            type Write = $array;
            type Read = $array;
            const NULLABLE: bool = false;
            fn write_type() -> DataType {
                $data_type
            }
        }
    )*};
}

plain! {
    /// Text of high variety.
    Text = StringArray, DataType::Utf8;
    /// Small integers: signs, counts of one row.
    Tiny = Int8Array, DataType::Int8;
    /// 32-bit integers.
    Int = Int32Array, DataType::Int32;
    /// 64-bit integers.
    Long = Int64Array, DataType::Int64;
    /// Bytes.
    Bytes = BinaryArray, DataType::Binary;
    /// Instants: microseconds, UTC.
    Instant = TimestampMicrosecondArray, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    /// Money of one row: nine places, in one 64-bit word of the file.
    Nano = Decimal128Array, DataType::Decimal128(18, 9);
    /// Sums of money: nine places.
    Sum = Decimal128Array, DataType::Decimal128(38, 9);
}

/// Text of low variety, written from codes; readers see plain text.
#[derive(Debug)]
pub struct Label;

impl ColumnType for Label {
    type Write = DictionaryArray<Int32Type>;
    type Read = StringArray;
    const NULLABLE: bool = false;
    fn write_type() -> DataType {
        DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
    }
    fn read_type() -> DataType {
        DataType::Utf8
    }
}

/// The column of a batch under its declared type.
pub fn read_column<'a, T: ColumnType>(batch: &'a RecordBatch, name: &'static str) -> Result<&'a T::Read, ColumnError> {
    let column = batch.column_by_name(name).ok_or(ColumnError::Missing(name))?;
    column.as_any().downcast_ref().ok_or_else(|| ColumnError::Type {
        name,
        expected: T::read_type(),
        found: column.data_type().clone(),
    })
}
