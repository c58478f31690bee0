//! Which files a question needs not open: their paths say that no row of theirs is wanted.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use datafusion::catalog::Session;
use datafusion::common::DFSchema;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Expr;

use super::{TableFile, TableFiles};

/// The files of a table that may hold rows which pass all conditions. Conditions on other columns than those of the paths are
/// left to the engine, which asks all of them again.
pub(super) fn wanted<'t>(
    table: &'t TableFiles,
    session: &dyn Session,
    filters: &[Expr],
) -> Result<Vec<&'t TableFile>, DataFusionError> {
    let mut files: Vec<&TableFile> = table.files.iter().collect();
    let is_of_paths = |filter: &&Expr| {
        let columns = filter.column_refs();
        !columns.is_empty() && !filter.is_volatile() && columns.iter().all(|c| table.partition.contains(&c.name.as_str()))
    };
    let fields: Vec<Field> = table.partition.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let known = DFSchema::try_from(Arc::clone(&schema))?;
    for filter in filters.iter().filter(is_of_paths) {
        if files.is_empty() {
            break;
        }
        let column = |place: usize| -> ArrayRef {
            Arc::new(files.iter().map(|file| file.partition.get(place).map(String::as_str)).collect::<StringArray>())
        };
        let values = RecordBatch::try_new(Arc::clone(&schema), (0..table.partition.len()).map(column).collect())?;
        let passes = session.create_physical_expr(filter.clone(), &known)?.evaluate(&values)?.into_array(files.len())?;
        let Some(passes) = passes.as_boolean_opt() else { continue };
        // Null is not true: a row is wanted only where the condition is.
        files = files.into_iter().zip(passes).filter(|(_, passes)| *passes == Some(true)).map(|(file, _)| file).collect();
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::{SessionContext, col, lit};

    use super::*;

    fn table() -> TableFiles {
        let file = |path: &str, month: &str, outcome: &str| TableFile {
            path: path.to_owned(),
            size: 1,
            partition: vec![month.to_owned(), outcome.to_owned()],
        };
        TableFiles {
            name: "t",
            schema: Arc::new(Schema::new(vec![Field::new("zone", DataType::Utf8, true)])),
            partition: vec!["event_month", "outcome"],
            files: vec![
                file("a", "2026-09", "rated"),
                file("b", "2026-10", "rated"),
                file("c", "2026-10", "suspense"),
                file("d", "unknown", "ledger"),
            ],
        }
    }

    fn left(filters: &[Expr]) -> String {
        let state = SessionContext::new().state();
        let table = table();
        wanted(&table, &state, filters).expect("conditions on texts").iter().map(|file| file.path.as_str()).collect()
    }

    #[test]
    fn only_files_whose_path_passes_all_conditions_are_opened() {
        assert_eq!(left(&[]), "abcd");
        assert_eq!(left(&[col("outcome").eq(lit("suspense"))]), "c");
        assert_eq!(left(&[col("outcome").in_list(vec![lit("rated"), lit("suspense")], false)]), "abc");
        assert_eq!(left(&[col("outcome").not_eq(lit("ledger")), col("event_month").gt_eq(lit("2026-10"))]), "bc");
        assert_eq!(left(&[col("outcome").eq(lit("nothing"))]), "");
    }

    #[test]
    fn a_condition_on_what_is_in_the_files_leaves_them_all() {
        assert_eq!(left(&[col("zone").eq(lit("NL"))]), "abcd");
        assert_eq!(left(&[col("zone").eq(lit("NL")).or(col("outcome").eq(lit("rated")))]), "abcd");
        assert_eq!(left(&[col("zone").eq(lit("NL")), col("outcome").eq(lit("rated"))]), "ab");
    }
}
