//! `tollway query`: SQL over the tables, and the same door for the other commands that read records.

use std::io::Write;
use std::sync::Arc;

use aggregate::query::{Analyst, Answered, ColumnKind, Numbers, QueryError, TableFile, TableFiles};
use domain::columns::entries::{Entries, PARTITION};
use domain::columns::lines::{LineRows, PARTITION as LINES_PARTITION};
use domain::columns::thresholds::{PARTITION as THRESHOLDS_PARTITION, ThresholdRows};
use domain::columns::totals::TotalRows;
use serde_json::{Map, Value, json};
use sinks::table::Table;

use crate::cli::{Global, OutputMode, QueryArgs};
use crate::closing::table::open_if_there;
use crate::exit_code::{Exit, Help};
use crate::installation::Installation;
use crate::output::{Answer, Sheet, count, to_stdout};
use crate::thresholds;

/// Runs the command. The answer is passed on as it is found: a table shows its first rows and counts the others.
pub fn run(global: &Global, args: &QueryArgs) -> anyhow::Result<Exit> {
    let installation = Installation::open(global)?;
    let analyst = analyst(&installation, if global.clear { Numbers::Clear } else { Numbers::Masked })?;
    let mut answer = installation.block_on(analyst.stream(&args.sql)).map_err(explained)?;
    let columns: Columns = answer.columns().into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect();
    let parts = std::iter::from_fn(|| installation.block_on(answer.next()).map_err(explained).transpose());
    match global.output {
        OutputMode::Table => show(&columns, parts, args.limit)?,
        OutputMode::Csv => to_stdout(|out| write_csv(&columns, parts, out))?,
        OutputMode::Json => to_stdout(|out| write_json(&columns, parts, out))?,
    }
    Ok(Exit::Done)
}

/// A mistake with what to do about it: that keys are bytes shows in no name.
fn explained(error: QueryError) -> anyhow::Error {
    let takes_bytes_for_text = matches!(&error, QueryError::Sql(text) if text.contains("UTF-8") || text.contains("Binary"));
    let error = anyhow::Error::from(error);
    if takes_bytes_for_text {
        return error.context(Help(
            "keys and `raw` are bytes, not text; ask for their digits: encode(record_key, 'hex') like 'a%'".to_owned(),
        ));
    }
    error
}

/// Names and kinds.
type Columns = Vec<(String, ColumnKind)>;

/// The first rows as a table, and how many there are.
fn show(columns: &Columns, parts: impl Iterator<Item = anyhow::Result<Answered>>, limit: usize) -> anyhow::Result<()> {
    let head = |(name, kind): &(String, ColumnKind)| if *kind == ColumnKind::Text { name.clone() } else { format!("#{name}") };
    let mut sheet = Sheet { heads: columns.iter().map(head).collect(), ..Sheet::default() };
    let mut rows = 0;
    for part in parts {
        let part = part?;
        rows += part.len();
        let room = if limit == 0 { usize::MAX } else { limit - sheet.rows.len() };
        part.rows().take(room).for_each(|row| sheet.row(row.into_iter().map(Option::unwrap_or_default)));
    }
    let more = rows - sheet.rows.len();
    let next = if more > 0 { vec![format!("… {more} more rows: --limit 0 shows all")] } else { Vec::new() };
    let headline = format!("{} rows", count(rows as u64));
    Answer { headline, sheets: vec![sheet], next, ..Answer::default() }.print(OutputMode::Table)
}

fn write_csv(columns: &Columns, parts: impl Iterator<Item = anyhow::Result<Answered>>, out: impl Write) -> anyhow::Result<()> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(columns.iter().map(|(name, _)| name))?;
    for part in parts {
        for row in part?.rows() {
            csv.write_record(row.iter().map(|cell| cell.as_deref().unwrap_or_default()))?;
        }
    }
    Ok(csv.flush()?)
}

/// A list with one row on each line.
fn write_json(
    columns: &Columns,
    parts: impl Iterator<Item = anyhow::Result<Answered>>,
    mut out: impl Write,
) -> anyhow::Result<()> {
    let mut before = "[\n  ";
    for part in parts {
        for row in part?.rows() {
            let cells = columns.iter().zip(&row).map(|((name, kind), cell)| (name.clone(), json_cell(*kind, cell.as_deref())));
            out.write_all(before.as_bytes())?;
            serde_json::to_writer(&mut out, &cells.collect::<Map<String, Value>>())?;
            before = ",\n  ";
        }
    }
    let end = if before.starts_with('[') { "[]\n" } else { "\n]\n" };
    Ok(out.write_all(end.as_bytes())?)
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

/// Runs a question on some version of the records, numbers in clear.
pub fn ask_of(installation: &Installation, entries: &Table, sql: &str) -> anyhow::Result<Answered> {
    let analyst = analyst_of(installation, entries, Numbers::Clear)?;
    installation.block_on(analyst.ask(sql)).map_err(Into::into)
}

/// A session over the present versions of all tables.
pub fn analyst(installation: &Installation, numbers: Numbers) -> anyhow::Result<Analyst> {
    analyst_of(installation, &installation.entries()?, numbers)
}

/// A session over some version of the records, and the present ones of what is made of them.
fn analyst_of(installation: &Installation, entries: &Table, numbers: Numbers) -> anyhow::Result<Analyst> {
    let tables = vec![
        TableFiles {
            name: "cdr_entries",
            schema: Entries::schema(),
            partition: PARTITION.to_vec(),
            files: files(entries, &PARTITION),
        },
        TableFiles {
            name: "totals",
            schema: TotalRows::schema(),
            partition: vec!["billing_period"],
            files: files(&installation.totals()?, &["billing_period"]),
        },
        TableFiles {
            name: "thresholds",
            schema: ThresholdRows::schema(),
            partition: THRESHOLDS_PARTITION.to_vec(),
            files: thresholds::table(installation)?.map(|table| files(&table, &THRESHOLDS_PARTITION)).unwrap_or_default(),
        },
        TableFiles {
            name: "lines",
            schema: LineRows::schema(),
            partition: LINES_PARTITION.to_vec(),
            files: open_if_there(installation)?.map(|table| files(&table, &LINES_PARTITION)).unwrap_or_default(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_rows_has_its_heads_and_is_a_list() {
        let columns = vec![("zone".to_owned(), ColumnKind::Text), ("rows".to_owned(), ColumnKind::Integer)];
        let (mut csv, mut json) = (Vec::new(), Vec::new());
        write_csv(&columns, std::iter::empty(), &mut csv).expect("memory");
        write_json(&columns, std::iter::empty(), &mut json).expect("memory");
        assert_eq!((csv.as_slice(), json.as_slice()), (&b"zone,rows\n"[..], &b"[]\n"[..]));
    }
}
