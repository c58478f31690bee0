//! All files together: those of one layout are read as one, the others are named.

use super::column::Column;
use super::delimited::Separated;
use super::encoding::{self, Writing};
use super::form::{self, Form};
use super::table::Table;
use super::{DraftError, DraftLimits, Sample};

/// Most columns that a profile reads.
const COLUMNS_MAX: usize = 4096;

/// One file, read.
#[derive(Debug)]
pub(super) struct Surveyed {
    pub name: String,
    pub writing: Writing,
    pub has_mark: bool,
    pub foreign_lines: u64,
    pub broken_lines: u64,
    pub is_whole: bool,
    pub form: Form,
    pub table: Table,
}

/// The files of one layout.
#[derive(Debug)]
pub(super) struct Survey {
    /// At least one; the first is the one with the most rows.
    pub files: Vec<Surveyed>,
    /// What is wrong with the files that are not among them, in words.
    pub left_out: Vec<String>,
}

/// Reads all samples; an error if none of them can be read.
pub(super) fn survey(samples: &[Sample], limits: DraftLimits) -> Result<Survey, DraftError> {
    if samples.len() > limits.files_max {
        return Err(DraftError::TooManyFiles { count: samples.len(), files_max: limits.files_max });
    }
    let (mut files, mut left_out, mut first_error) = (Vec::new(), Vec::new(), None);
    for sample in samples {
        match read(sample, limits) {
            Ok(file) => files.push(file),
            Err(error) => {
                left_out.push(error.to_string());
                first_error.get_or_insert(error);
            }
        }
    }
    files.sort_by_key(|file| std::cmp::Reverse(file.table.rows.len()));
    let mut files = files.into_iter();
    let Some(first) = files.next() else { return Err(first_error.unwrap_or(DraftError::NoFile)) };
    let mut same = vec![first];
    for file in files {
        match difference(&same[0], &file) {
            None => same.push(file),
            Some(difference) => left_out.push(format!("`{}` {difference}", file.name)),
        }
    }
    Ok(Survey { files: same, left_out })
}

fn read(sample: &Sample, limits: DraftLimits) -> Result<Surveyed, DraftError> {
    let decoded = encoding::decode(sample)?;
    let (form, table) = form::read(sample, &decoded, limits)?;
    if table.width > COLUMNS_MAX {
        return Err(DraftError::NoSeparator { file: sample.name.clone() });
    }
    if table.rows.is_empty() {
        return Err(DraftError::NoRows(sample.name.clone()));
    }
    Ok(Surveyed {
        name: sample.name.clone(),
        writing: decoded.writing,
        has_mark: decoded.has_mark,
        foreign_lines: decoded.foreign_lines,
        broken_lines: decoded.broken_lines,
        is_whole: sample.is_whole,
        form,
        table,
    })
}

/// Why two files are not of one layout.
fn difference(first: &Surveyed, other: &Surveyed) -> Option<String> {
    if !first.form.is_like(&other.form) {
        return Some(format!("{}; the first one {}", other.form.shown(), first.form.shown()));
    }
    // Records with paths may each have others.
    if first.separated().is_none() && first.table.header.is_some() {
        return None;
    }
    if (first.writing == Writing::Utf16) != (other.writing == Writing::Utf16) {
        return Some(format!("is written in {}, not in {}", other.writing.as_str(), first.writing.as_str()));
    }
    match (&first.table.header, &other.table.header) {
        (None, None) if first.table.width == other.table.width => None,
        (None, None) => Some(format!("has {} columns, not {}", other.table.width, first.table.width)),
        (Some(names), Some(others)) => {
            let lacks = |names: &[String], of: &[String]| names.iter().find(|name| !of.contains(name)).cloned();
            if let Some(name) = lacks(names, others) {
                return Some(format!("lacks the column `{name}`"));
            }
            if let Some(name) = lacks(others, names) {
                return Some(format!("has a column `{name}` more"));
            }
            (names.len() != others.len()).then(|| "names its columns otherwise".to_owned())
        }
        (Some(_), None) => Some("has no header".to_owned()),
        (None, Some(_)) => Some("has a header".to_owned()),
    }
}

impl Surveyed {
    /// What separates its fields, if anything does.
    pub fn separated(&self) -> Option<&Separated> {
        match &self.form {
            Form::Delimited(separated) => Some(separated),
            _ => None,
        }
    }
}

impl Survey {
    /// Rows that are looked at.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.table.rows.len() as u64).sum()
    }

    /// The names of the columns, if the files have a header.
    pub fn header(&self) -> Option<&[String]> {
        self.files[0].table.header.as_deref()
    }

    /// Fields of a row.
    pub fn width(&self) -> usize {
        self.files[0].table.width
    }

    /// All columns, in the order of the first file.
    pub fn columns(&self) -> Vec<Column<'_>> {
        let places: Vec<Vec<usize>> = self.files.iter().map(|file| self.places(file)).collect();
        let column = |at: usize| {
            let name = self.header().and_then(|names| names.get(at)).map_or("", String::as_str);
            let values = self.files.iter().zip(&places).flat_map(|(file, places)| {
                let place = places[at];
                file.table.rows.iter().map(move |row| row.get(place).map_or("", String::as_str))
            });
            Column::new(at, name, values.collect())
        };
        (0..self.width()).map(column).collect()
    }

    /// Where the columns of the first file stand in another one: by name, and among equal names by order; nowhere, if records
    /// have other paths there.
    fn places(&self, file: &Surveyed) -> Vec<usize> {
        let (Some(names), Some(others)) = (self.header(), &file.table.header) else {
            return (0..self.width()).collect();
        };
        let place = |at: usize| {
            let nth = names[..at].iter().filter(|name| **name == names[at]).count();
            others.iter().enumerate().filter(|(_, name)| **name == names[at]).nth(nth).map_or(usize::MAX, |(place, _)| place)
        };
        (0..names.len()).map(place).collect()
    }
}
