//! Tables as they are shown to those who may not see subscriber numbers.

use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};
use arrow_schema::DataType;
use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::cast;
use datafusion::catalog::TableProvider;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarUDF, Volatility, create_udf};
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
    let show = |name: &str, data_type: &DataType| -> Result<Expr, DataFusionError> {
        let shown = match name {
            RAW => datafusion::logical_expr::cast(lit(datafusion::common::ScalarValue::Null), data_type.clone()),
            _ => mask.call(vec![datafusion::logical_expr::cast(col(name), DataType::Utf8)]),
        };
        Ok(shown.alias(name))
    };
    let columns = schema
        .fields()
        .iter()
        .map(|f| if hidden(f.name()) { show(f.name(), f.data_type()) } else { Ok(col(f.name().as_str())) })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(session.read_table(table)?.select(columns)?.into_view())
}

fn mask_function() -> ScalarUDF {
    let body = |arguments: &[ColumnarValue]| {
        let arrays = ColumnarValue::values_to_arrays(arguments)?;
        let texts = cast(&arrays[0], &DataType::Utf8)?;
        let shown: StringArray = texts.as_string::<i32>().iter().map(|text| text.map(mask_number)).collect();
        Ok(ColumnarValue::Array(Arc::new(shown) as ArrayRef))
    };
    create_udf("mask_number", vec![DataType::Utf8], DataType::Utf8, Volatility::Immutable, Arc::new(body))
}
