//! `tollway query`: SQL over the tables, and the same door for the other commands that read records.

use std::sync::Arc;

use aggregate::query::{Analyst, TableFile, TableFiles};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use domain::columns::entries::{Entries, PARTITION};
use domain::columns::totals::TotalRows;
use domain::number::masked;
use serde_json::{Map, Value, json};
use sinks::table::Table;

use crate::cli::{Global, OutputMode, QueryArgs};
use crate::exit_code::Exit;
use crate::installation::Installation;
use crate::output::{Answer, Sheet, count};

/// Columns that hold subscriber numbers: masked unless `--clear`.
const NUMBER_COLUMNS: [&str; 4] = ["a_number", "b_number", "imsi", "iccid"];

/// Runs the command.
pub fn run(global: &Global, args: &QueryArgs) -> anyhow::Result<Exit> {
    let installation = Installation::open(global)?;
    let (schema, batches) = ask(&installation, &args.sql)?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let limit = if args.limit == 0 || global.output != OutputMode::Table { rows } else { args.limit };
    let heads: Vec<String> = schema
        .fields()
        .iter()
        .map(|f| if f.data_type().is_numeric() { format!("#{}", f.name()) } else { f.name().clone() })
        .collect();
    let mut sheet = Sheet { heads, ..Sheet::default() };
    let mut json_rows = Vec::new();
    for batch in &batches {
        for i in 0..batch.num_rows() {
            let cells: Vec<Option<String>> = cells(&schema, batch, i, global.clear);
            if global.output == OutputMode::Json {
                let row: Map<String, Value> = schema
                    .fields()
                    .iter()
                    .zip(&cells)
                    .map(|(f, cell)| (f.name().clone(), json_cell(f.data_type(), cell.as_deref())))
                    .collect();
                json_rows.push(Value::Object(row));
            } else if sheet.rows.len() < limit {
                sheet.row(cells.into_iter().map(Option::unwrap_or_default));
            }
        }
    }
    let next = if limit < rows { vec![format!("… {} more rows: --limit 0 shows all", rows - limit)] } else { Vec::new() };
    let headline = format!("{} rows", count(rows as u64));
    Answer { headline, sheets: vec![sheet], next, json: Value::Array(json_rows) }.print(global.output)?;
    Ok(Exit::Done)
}

fn json_cell(data_type: &DataType, cell: Option<&str>) -> Value {
    match cell {
        None => Value::Null,
        Some(text) if data_type.is_integer() => text.parse::<i64>().map_or_else(|_| json!(text), |n| json!(n)),
        Some(text) if *data_type == DataType::Boolean => json!(text == "true"),
        Some(text) => json!(text),
    }
}

fn cells(schema: &SchemaRef, batch: &RecordBatch, i: usize, clear: bool) -> Vec<Option<String>> {
    schema
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| {
            if column.is_null(i) {
                return None;
            }
            let text = aggregate::query::cell_text(column, i);
            let hide = !clear && NUMBER_COLUMNS.contains(&field.name().as_str());
            Some(if hide { masked(&text) } else { text })
        })
        .collect()
}

/// Runs a question on the present versions of all tables.
pub fn ask(installation: &Installation, sql: &str) -> anyhow::Result<(SchemaRef, Vec<RecordBatch>)> {
    let analyst = analyst(installation)?;
    installation.block_on(analyst.ask(sql)).map_err(Into::into)
}

/// A session over the present versions of all tables.
pub fn analyst(installation: &Installation) -> anyhow::Result<Analyst> {
    let tables = vec![
        files(installation, &installation.entries()?, "cdr_entries", Entries::schema(), PARTITION.to_vec()),
        files(installation, &installation.totals()?, "totals", TotalRows::schema(), vec!["billing_period"]),
    ];
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    installation.block_on(Analyst::new(tables, threads)).map_err(Into::into)
}

fn files(
    installation: &Installation,
    table: &Table,
    name: &'static str,
    schema: Arc<arrow_schema::Schema>,
    partition: Vec<&'static str>,
) -> TableFiles {
    let files = table
        .snapshot()
        .files
        .values()
        .map(|add| TableFile {
            path: installation.store_folder().join(table.root()).join(&add.path),
            size: u64::try_from(add.size).unwrap_or(0),
            partition: partition.iter().map(|c| add.partition(c).unwrap_or_default().to_owned()).collect(),
        })
        .collect();
    TableFiles { name, schema, partition, files }
}
