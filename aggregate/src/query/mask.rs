//! Tables as they are shown to those who may not see subscriber numbers.

use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};
use arrow_schema::{DataType, FieldRef};
use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute;
use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarUDF, Volatility, cast, create_udf};
use datafusion::prelude::{SessionContext, col, lit};
use domain::number::masked as mask_number;

/// Columns that hold subscriber numbers.
const NUMBERS: [&str; 4] = ["a_number", "b_number", "imsi", "iccid"];

/// The column that holds whole rows as they came.
const RAW: &str = "raw";

/// The same table with its numbers masked, as texts, and without raw rows.
pub fn masked(session: &SessionContext, table: Arc<dyn TableProvider>) -> Result<Arc<dyn TableProvider>, DataFusionError> {
    let schema = table.schema();
    let hidden = |name: &str| NUMBERS.contains(&name) || name == RAW;
    if !schema.fields().iter().any(|f| hidden(f.name())) {
        return Ok(table);
    }
    let mask = mask_function();
    let show = |field: &FieldRef| match field.name().as_str() {
        RAW => cast(lit(ScalarValue::Null), field.data_type().clone()).alias(RAW),
        name if hidden(name) => mask.call(vec![cast(col(name), DataType::Utf8)]).alias(name),
        name => col(name),
    };
    let columns: Vec<Expr> = schema.fields().iter().map(show).collect();
    Ok(session.read_table(table)?.select(columns)?.into_view())
}

fn mask_function() -> ScalarUDF {
    let body = |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let texts = compute::cast(&arrays[0], &DataType::Utf8)?;
        let shown: StringArray = texts.as_string::<i32>().iter().map(|text| text.map(mask_number)).collect();
        Ok(ColumnarValue::Array(Arc::new(shown) as ArrayRef))
    };
    create_udf("mask_number", vec![DataType::Utf8], DataType::Utf8, Volatility::Immutable, Arc::new(body))
}
