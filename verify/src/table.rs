//! The CSV tables beside a tariff: rows as maps from our name of a column to the text that stands there.

use std::collections::{BTreeMap, HashMap};

use crate::text::TablesText;

/// A row: what stands in its columns, by our names; an empty field is not there.
pub(crate) type Row = HashMap<String, String>;

/// What is known of a table's columns.
pub(crate) struct Columns<'t> {
    /// Their names.
    pub known: &'t [&'t str],
    /// Our name and another one that a column goes by.
    pub aliases: &'t [(&'t str, &'t str)],
    /// Our name to what the tariff says that it is called.
    pub called: &'t BTreeMap<String, String>,
}

/// How tables are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Format {
    /// What separates fields.
    pub separator: u8,
    /// Whether decimals have a comma.
    pub has_decimal_commas: bool,
}

impl Format {
    /// As a tariff says it.
    pub fn of(text: &TablesText) -> Result<Self, String> {
        let separator = match text.separator.as_deref() {
            None | Some(",") => b',',
            Some(";") => b';',
            Some("tab") => b'\t',
            Some(other) => return Err(format!("`{other}` separates no fields")),
        };
        let has_decimal_commas = match text.decimal_mark.as_deref() {
            None | Some(".") => false,
            Some(",") => true,
            Some(other) => return Err(format!("`{other}` is no decimal mark")),
        };
        Ok(Self { separator, has_decimal_commas })
    }

    /// A cell, an amount with the point that our decimals have.
    fn cell(self, title: &str, cell: &str) -> String {
        if self.has_decimal_commas && AMOUNTS.contains(&title) { cell.replace(',', ".") } else { cell.to_owned() }
    }
}

/// The columns of decimals.
const AMOUNTS: [&str; 8] = ["setup", "unit_price", "disconnect", "charge_min", "charge_max", "per_call", "per_minute", "rate"];

/// Hands out the rows of a table, one by one. A column that is not known is refused: what it says could not be verified.
pub(crate) fn each(
    text: &str,
    format: Format,
    columns: &Columns<'_>,
    mut row: impl FnMut(Row) -> Result<(), String>,
) -> Result<(), String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().delimiter(format.separator).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| e.to_string())?;
    let titles: Vec<String> = header.iter().map(|title| ours(title, columns)).collect();
    if let Some(title) = titles.iter().find(|title| !columns.known.contains(&title.as_str())) {
        return Err(format!("the column `{title}` is not known"));
    }
    for record in reader.records() {
        let record = record.map_err(|e| e.to_string())?;
        let cells = titles.iter().zip(record.iter()).filter(|(_, cell)| !cell.is_empty());
        row(cells.map(|(title, cell)| (title.clone(), format.cell(title, cell))).collect())?;
    }
    Ok(())
}

/// What stands in a column that no row leaves empty.
pub(crate) fn needed<'r>(row: &'r Row, name: &str) -> Result<&'r String, String> {
    row.get(name).ok_or_else(|| format!("a row has no `{name}`"))
}

/// Our name of a column that is titled so.
fn ours(title: &str, columns: &Columns<'_>) -> String {
    let renamed = columns.called.iter().find(|(_, theirs)| *theirs == title).map(|(ours, _)| ours.as_str());
    let alias = || columns.aliases.iter().find(|(_, alias)| *alias == title).map(|(ours, _)| *ours);
    renamed.or_else(alias).unwrap_or(title).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, called: &BTreeMap<String, String>) -> Result<Vec<Row>, String> {
        let columns = Columns { known: &["plan", "zone", "setup"], aliases: &[("plan", "plan_id")], called };
        let mut rows = Vec::new();
        let format = Format::of(&TablesText::default())?;
        each(text, format, &columns, |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    #[test]
    fn columns_are_found_by_their_own_name_an_alias_or_what_the_tariff_calls_them() {
        let called = BTreeMap::from([("zone".to_owned(), "gebied".to_owned())]);
        let row = Row::from([("plan".to_owned(), "basis".to_owned()), ("zone".to_owned(), "NL".to_owned())]);
        assert_eq!(rows("\u{feff}plan_id, gebied,setup\nbasis,NL,\n", &called), Ok(vec![row]));
    }

    #[test]
    fn a_column_that_is_not_known_is_refused_even_if_it_is_empty() {
        let refused = rows("plan,zone,round_per\nbasis,NL,\n", &BTreeMap::new());
        assert_eq!(refused, Err("the column `round_per` is not known".to_owned()));
    }
}
