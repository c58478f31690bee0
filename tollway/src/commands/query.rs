//! `tollway query`: SQL over the tables, and the same door for the other commands that read records.

use std::sync::Arc;

use aggregate::query::{Analyst, Answered, ColumnKind, Numbers, TableFile, TableFiles};
use domain::columns::entries::{Entries, PARTITION};
use domain::columns::totals::TotalRows;
use serde_json::{Map, Value, json};
use sinks::table::Table;

use crate::cli::{Global, OutputMode, QueryArgs};
use crate::exit_code::Exit;
use crate::installation::Installation;
use crate::output::{Answer, Sheet, count};

/// Runs the command.
pub fn run(global: &Global, args: &QueryArgs) -> anyhow::Result<Exit> {
    let installation = Installation::open(global)?;
    let answered = ask(&installation, &args.sql, if global.clear { Numbers::Clear } else { Numbers::Masked })?;
    let columns = answered.columns();
    let rows = answered.len();
    let limit = if args.limit == 0 || global.output != OutputMode::Table { rows } else { args.limit };
    let head =
        |(name, kind): &(&str, ColumnKind)| if *kind == ColumnKind::Text { (*name).to_owned() } else { format!("#{name}") };
    let mut sheet = Sheet { heads: columns.iter().map(head).collect(), ..Sheet::default() };
    let mut json_rows = Vec::new();
    for row in answered.rows() {
        if global.output == OutputMode::Json {
            let row: Map<String, Value> = columns
                .iter()
                .zip(&row)
                .map(|((name, kind), cell)| ((*name).to_owned(), json_cell(*kind, cell.as_deref())))
                .collect();
            json_rows.push(Value::Object(row));
        } else if sheet.rows.len() < limit {
            sheet.row(row.into_iter().map(Option::unwrap_or_default));
        }
    }
    let next = if limit < rows { vec![format!("… {} more rows: --limit 0 shows all", rows - limit)] } else { Vec::new() };
    let headline = format!("{} rows", count(rows as u64));
    Answer { headline, sheets: vec![sheet], next, json: Value::Array(json_rows) }.print(global.output)?;
    Ok(Exit::Done)
}

fn json_cell(kind: ColumnKind, cell: Option<&str>) -> Value {
    match (kind, cell) {
        (_, None) => Value::Null,
        (ColumnKind::Integer, Some(text)) => text.parse::<i64>().map_or_else(|_| json!(text), |n| json!(n)),
        (ColumnKind::Flag, Some(text)) => json!(text == "true"),
        (_, Some(text)) => json!(text),
    }
}

/// Runs a question on the present versions of all tables.
pub fn ask(installation: &Installation, sql: &str, numbers: Numbers) -> anyhow::Result<Answered> {
    let analyst = analyst(installation, numbers)?;
    installation.block_on(analyst.ask(sql)).map_err(Into::into)
}

/// A session over the present versions of all tables.
pub fn analyst(installation: &Installation, numbers: Numbers) -> anyhow::Result<Analyst> {
    let tables = vec![
        TableFiles {
            name: "cdr_entries",
            schema: Entries::schema(),
            partition: PARTITION.to_vec(),
            files: files(&installation.entries()?, &PARTITION),
        },
        TableFiles {
            name: "totals",
            schema: TotalRows::schema(),
            partition: vec!["billing_period"],
            files: files(&installation.totals()?, &["billing_period"]),
        },
    ];
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    installation.block_on(Analyst::new(Arc::clone(installation.blob()), tables, threads, numbers)).map_err(Into::into)
}

fn files(table: &Table, partition: &[&str]) -> Vec<TableFile> {
    table
        .snapshot()
        .files
        .values()
        .map(|add| TableFile {
            path: format!("{}/{}", table.root(), add.path),
            size: u64::try_from(add.size).unwrap_or(0),
            partition: partition.iter().map(|c| add.partition(c).unwrap_or_default().to_owned()).collect(),
        })
        .collect()
}
