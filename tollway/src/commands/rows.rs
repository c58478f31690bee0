//! Answers of the query engine as rows of texts, for commands that read single records.

use std::collections::HashMap;

use aggregate::query::{Answered, Numbers};
use sinks::table::Table;

use super::query::{ask, ask_of};
use crate::exit_code::bad_input;
use crate::installation::Installation;

/// A row by column name; null is absent.
#[derive(Debug, Clone, Default)]
pub struct Row(HashMap<String, String>);

impl Row {
    /// The text of a column.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A count; 0 where null.
    pub fn number(&self, name: &str) -> u64 {
        self.text(name).and_then(|t| t.parse().ok()).unwrap_or(0)
    }

    /// A signed integer; 0 where null.
    pub fn long(&self, name: &str) -> i64 {
        self.text(name).and_then(|t| t.parse().ok()).unwrap_or(0)
    }
}

/// Runs a question and returns its rows.
pub fn ask_rows(installation: &Installation, sql: &str) -> anyhow::Result<Vec<Row>> {
    Ok(rows_of(&ask(installation, sql, Numbers::Clear)?))
}

/// The same of some version of the records.
pub fn ask_rows_of(installation: &Installation, entries: &Table, sql: &str) -> anyhow::Result<Vec<Row>> {
    Ok(rows_of(&ask_of(installation, entries, sql)?))
}

fn rows_of(answered: &Answered) -> Vec<Row> {
    let columns = answered.columns();
    let row = |cells: Vec<Option<String>>| {
        Row(columns.iter().zip(cells).filter_map(|((name, _), cell)| Some(((*name).to_owned(), cell?))).collect())
    };
    answered.rows().map(row).collect()
}

/// A text as an SQL literal.
pub fn sql_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The SQL condition that finds a record by the first digits of its key, or by its place `delivery:row`, in which the first digits
/// of the delivery do, too; six at least.
pub fn key_or_place_filter(record: &str) -> anyhow::Result<String> {
    let hex = |t: &str| t.bytes().all(|c| c.is_ascii_hexdigit());
    if let Some((delivery, row)) = record.split_once(':')
        && delivery.len() >= 6
        && hex(delivery)
        && let Ok(row) = row.parse::<u64>()
    {
        return Ok(format!("delivery LIKE {} AND row = {row}", sql_text(&format!("{}%", delivery.to_ascii_lowercase()))));
    }
    if record.len() >= 6 && record.len() <= 32 && hex(record) {
        return Ok(format!("encode(record_key, 'hex') LIKE {}", sql_text(&format!("{}%", record.to_ascii_lowercase()))));
    }
    Err(bad_input(format!("`{record}` names no record: give the first 6 or more hexadecimal digits of its key, or delivery:row")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_named_by_key_or_place() {
        assert!(key_or_place_filter("7f3a91c2").is_ok_and(|f| f.contains("7f3a91c2%")));
        assert!(key_or_place_filter("7f3a91c2:12").is_ok_and(|f| f.ends_with("row = 12")));
        assert!(key_or_place_filter("x' OR 1=1 --").is_err());
        assert_eq!(sql_text("a'b"), "'a''b'");
    }
}
