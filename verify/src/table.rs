//! The CSV tables beside a tariff: rows as maps from our name of a column to the text that stands there.

use std::collections::{BTreeMap, HashMap};

/// A row: what stands in its columns, by our names; an empty field is not there.
pub(crate) type Row = HashMap<String, String>;

/// All rows of a table. `columns` says what ours are called there; `aliases` is another name that some go by.
pub(crate) fn rows(text: &str, columns: &BTreeMap<String, String>, aliases: &[(&str, &str)]) -> Result<Vec<Row>, csv::Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let titles: Vec<String> = reader.headers()?.iter().map(|title| ours(title, columns, aliases)).collect();
    let row = |record: csv::StringRecord| {
        let cells = titles.iter().zip(record.iter()).filter(|(_, cell)| !cell.is_empty());
        cells.map(|(title, cell)| (title.clone(), cell.to_owned())).collect()
    };
    reader.records().map(|record| record.map(row)).collect()
}

/// Our name of a column that is titled so.
fn ours(title: &str, columns: &BTreeMap<String, String>, aliases: &[(&str, &str)]) -> String {
    let renamed = columns.iter().find(|(_, theirs)| *theirs == title).map(|(ours, _)| ours.as_str());
    let alias = || aliases.iter().find(|(_, alias)| *alias == title).map(|(ours, _)| *ours);
    renamed.or_else(alias).unwrap_or(title).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_their_own_name_an_alias_or_what_the_tariff_calls_them() {
        let columns = BTreeMap::from([("zone".to_owned(), "gebied".to_owned())]);
        let found = rows("\u{feff}plan_id, gebied,setup\nbasis,NL,\n", &columns, &[("plan", "plan_id")]).expect("a table");
        assert_eq!(found, [Row::from([("plan".to_owned(), "basis".to_owned()), ("zone".to_owned(), "NL".to_owned())])]);
    }
}
