//! Companion tables of a tariff: CSV with a header, read row by row with the line of each, columns found by name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use domain::nearest;

use crate::error::{Place, TariffError};
use crate::tariff::field::bad;

/// A column that a table may have.
pub(super) struct Column {
    /// Its name.
    pub name: &'static str,
    /// Another name under which it is accepted.
    pub alias: &'static str,
    /// Whether the table must have it.
    pub required: bool,
    /// Whether it holds decimals.
    pub is_amount: bool,
}

impl Column {
    /// The same for a column of decimals.
    pub const fn of_amounts(self) -> Self {
        Self { is_amount: true, ..self }
    }
}

/// What separates fields, by the word of a tariff.
pub(crate) fn separator(word: &str) -> Option<u8> {
    match word {
        "," => Some(b','),
        ";" => Some(b';'),
        "tab" => Some(b'\t'),
        _ => None,
    }
}

/// How the tables of a tariff are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Format {
    /// What separates fields.
    pub separator: u8,
    /// Whether decimals have a comma.
    pub has_decimal_commas: bool,
}

/// A column that must be there.
pub(super) const fn required(name: &'static str, alias: &'static str) -> Column {
    Column { name, alias, required: true, is_amount: false }
}

/// A column that may be left out; its fields then read as empty.
pub(super) const fn optional(name: &'static str) -> Column {
    Column { name, alias: name, required: false, is_amount: false }
}

/// One companion: its name, its text, and what its columns are called (ours to theirs).
pub(super) struct Companion<'t> {
    pub file: Arc<str>,
    pub text: &'t str,
    pub columns: &'t BTreeMap<String, String>,
    pub format: Format,
}

impl Companion<'_> {
    /// Calls `row` with the place and the fields of each row, in the order of `columns`; at most `limit` rows.
    pub fn each<const N: usize>(
        &self,
        columns: &[Column; N],
        limit: usize,
        mut row: impl FnMut(Place, [&str; N]) -> Result<(), TariffError>,
    ) -> Result<(), TariffError> {
        let text = self.text.strip_prefix('\u{feff}').unwrap_or(self.text);
        let Format { separator, has_decimal_commas } = self.format;
        let mut reader = csv::ReaderBuilder::new().delimiter(separator).trim(csv::Trim::All).from_reader(text.as_bytes());
        let header = reader.headers().map_err(|e| self.broken(&e))?.clone();
        let positions = self.positions(&header, columns)?;
        let mut record = csv::StringRecord::new();
        let mut rows = 0;
        while reader.read_record(&mut record).map_err(|e| self.broken(&e))? {
            rows += 1;
            if rows > limit {
                return Err(TariffError::TooMany { place: self.place(None), what: "rows", limit });
            }
            let line = record.position().map(csv::Position::line);
            let fields = positions.map(|p| p.and_then(|p| record.get(p)).unwrap_or_default());
            if has_decimal_commas {
                let pointed = self.with_points(columns, line, fields)?;
                row(self.place(line), std::array::from_fn(|at| pointed[at].as_ref()))?;
            } else {
                row(self.place(line), fields)?;
            }
        }
        Ok(())
    }

    /// The fields of a row with points for decimal commas. A point would be read as something else than what a reader of the table sees.
    fn with_points<'f, const N: usize>(
        &self,
        columns: &[Column; N],
        line: Option<u64>,
        fields: [&'f str; N],
    ) -> Result<[Cow<'f, str>; N], TariffError> {
        let mut all = fields.map(Cow::Borrowed);
        for (field, column) in all.iter_mut().zip(columns).filter(|(_, column)| column.is_amount) {
            if field.contains('.') {
                let expected =
                    "a decimal comma is expected, as `decimal_mark` under [tables] says, and nothing between thousands";
                return Err(bad(&self.place(line), column.name, field, expected));
            }
            *field = Cow::Owned(field.replace(',', "."));
        }
        Ok(all)
    }

    /// Where each of our columns stands in the file.
    fn positions<const N: usize>(
        &self,
        header: &csv::StringRecord,
        columns: &[Column; N],
    ) -> Result<[Option<usize>; N], TariffError> {
        let known = columns.iter().map(|c| c.name);
        for ours in self.columns.keys() {
            if !columns.iter().any(|c| c.name == ours) {
                let hint = nearest::hint(ours, known);
                return Err(TariffError::UnknownKey { place: self.place(None), what: "column", key: ours.clone(), hint });
            }
        }
        let mut positions = [None; N];
        for (at, title) in header.iter().enumerate() {
            let is_called = |c: &Column| match self.columns.get(c.name) {
                Some(theirs) => theirs == title,
                None => c.name == title || c.alias == title,
            };
            let mut called = columns.iter().enumerate().filter(|(_, column)| is_called(column));
            let Some((which, column)) = called.next() else {
                let hint = nearest::hint(title, known);
                return Err(TariffError::UnknownKey { place: self.place(Some(1)), what: "column", key: title.to_owned(), hint });
            };
            if let Some((_, other)) = called.next() {
                let (both, place) = (format!("`{}` and `{}`", column.name, other.name), self.place(Some(1)));
                let expected = format!("it would be read as {both}; one column holds one thing: name the other's column, too");
                return Err(bad(&place, "columns", title, expected));
            }
            if positions[which].replace(at).is_some() {
                let (place, first) = (self.place(Some(1)), self.place(Some(1)));
                return Err(TariffError::Twice { place, what: format!("column `{}`", columns[which].name), first });
            }
        }
        let is_wanted = |column: &Column| column.required || self.columns.contains_key(column.name);
        match columns.iter().zip(&positions).find(|(column, at)| is_wanted(column) && at.is_none()) {
            None => Ok(positions),
            Some((column, _)) => {
                let column = self.columns.get(column.name).map_or(column.name, String::as_str).to_owned();
                let found = header.iter().collect::<Vec<_>>().join(", ");
                Err(TariffError::MissingColumn { place: self.place(Some(1)), column, found })
            }
        }
    }

    fn place(&self, line: Option<u64>) -> Place {
        Place { file: self.file.clone(), line }
    }

    fn broken(&self, error: &csv::Error) -> TariffError {
        let line = error.position().map(csv::Position::line);
        let problem = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("the row has {len} fields, the header has {expected_len}; add or remove commas")
            }
            _ => format!("no readable CSV row ({error}); check quotes and encoding (UTF-8)"),
        };
        TariffError::Unreadable { place: self.place(line), problem }
    }
}
