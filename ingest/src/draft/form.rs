//! How the records of a file are found: separators, JSON, XML, or places in lines of fixed width.

mod fixed;
mod json;
mod xml;

use std::collections::BTreeSet;

use crate::records::flat::Pair;

use super::delimited::{self, Separated};
use super::encoding::{Decoded, Writing};
use super::table::Table;
use super::{DraftError, DraftLimits, Sample, table};

pub(super) use fixed::Place;

/// Lines of a file by which its form is told.
const LINES_THAT_TELL: usize = 1000;

/// The form of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// Lines with a separator.
    Delimited(Separated),
    /// An object on each line.
    JsonLines,
    /// Objects in an array: the path to it as a profile writes it, and how many other arrays of objects there are.
    JsonArray { path: String, others: usize },
    /// Elements: their path, what stands beside them, and whether there are several.
    Xml { record: String, beside: Vec<String>, is_alone: bool },
    /// Columns at fixed places, and where a trailer counts the rows.
    FixedWidth { places: Vec<Place>, count_at: Option<Place> },
}

impl Form {
    /// In words, for a file of another form.
    pub fn shown(&self) -> String {
        match self {
            Self::Delimited(separated) if separated.separator == b'\t' => "is separated by tabs".to_owned(),
            Self::Delimited(separated) => format!("is separated by `{}`", char::from(separated.separator)),
            Self::JsonLines => "has JSON objects on its lines".to_owned(),
            Self::JsonArray { path, .. } if path.is_empty() => "is a JSON array".to_owned(),
            Self::JsonArray { path, .. } => format!("has a JSON array at `{path}`"),
            Self::Xml { record, .. } => format!("has XML records `{record}`"),
            Self::FixedWidth { .. } => "has lines of fixed width".to_owned(),
        }
    }

    /// Whether two files can be of one layout.
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Delimited(one), Self::Delimited(two)) => one.separator == two.separator,
            (Self::JsonLines, Self::JsonLines) => true,
            (Self::JsonArray { path, .. }, Self::JsonArray { path: other, .. }) => path == other,
            (Self::Xml { record, .. }, Self::Xml { record: other, .. }) => record == other,
            (Self::FixedWidth { places, .. }, Self::FixedWidth { places: others, .. }) => places == others,
            _ => false,
        }
    }
}

/// Finds the form of a file and reads its rows.
pub(super) fn read(sample: &Sample, decoded: &Decoded, limits: DraftLimits) -> Result<(Form, Table), DraftError> {
    let text = &decoded.text[..];
    let rows_max = limits.rows_max;
    let start = text.trim_start();
    let foreign = |form| {
        let advice = "convert it to UTF-8, or ask the source for that: other encodings are not read in this form";
        Err(DraftError::OtherForm { file: sample.name.clone(), form, advice })
    };
    if let Some(found) = json::read(start, rows_max) {
        return match decoded.writing {
            Writing::Ascii | Writing::Utf8 => found.map_err(|problem| problem.about(sample)),
            _ => foreign("JSON in another encoding than UTF-8"),
        };
    }
    if let Some(found) = xml::read(start, rows_max) {
        return match decoded.writing {
            Writing::Utf16 => foreign("XML in UTF-16"),
            _ => found.map_err(|problem| problem.about(sample)),
        };
    }
    let lines: Vec<&str> = text.lines().take(LINES_THAT_TELL).collect();
    let separated = delimited::find(&lines);
    if separated.as_ref().is_none_or(|separated| fixed::is_chance(separated, &lines))
        && delimited::is_fixed_width(&lines)
        && let Some(found) = fixed::read(text, sample.is_whole, rows_max)
    {
        return Ok(found);
    }
    let no_separator = || DraftError::NoSeparator { file: sample.name.clone() };
    let separated = separated.ok_or_else(no_separator)?;
    let table = table::read(text, decoded.last_line.as_deref(), separated, sample.is_whole, rows_max);
    Ok((Form::Delimited(separated), table.ok_or_else(no_separator)?))
}

/// What keeps a document from having records.
#[derive(Debug, Clone, Copy)]
enum Problem {
    /// One object, or an array of no objects.
    NoJsonList,
    /// No element comes twice or holds fields.
    NoElement,
    /// It defines entities.
    DocumentType,
}

impl Problem {
    fn about(self, sample: &Sample) -> DraftError {
        let (form, advice) = match self {
            Self::NoJsonList => ("JSON without a list of objects", "take a file with several records, or one per line"),
            Self::NoElement => ("XML in which no element looks like a record", "take a file with several records"),
            Self::DocumentType => ("XML with a document type, which is not read", "ask the source for files without one"),
        };
        DraftError::OtherForm { file: sample.name.clone(), form, advice }
    }
}

/// Records with paths as a table: a column for each path that holds a value in any of them. Lists are left out and named.
fn tabled(records: Vec<Vec<Pair>>, row_count: u64, odd_rows: u64) -> Table {
    let (mut names, mut known, mut lists) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    for pair in records.iter().flatten() {
        if pair.is_in_list {
            lists.insert(pair.path.clone());
        } else if !pair.path.contains(char::is_control) && known.insert(pair.path.clone()) {
            names.push(pair.path.clone());
        }
    }
    // What is a list in one record or holds others in one is no column.
    let holds_others =
        |name: &String| known.iter().any(|other| other.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.')));
    names.retain(|name| !lists.contains(name) && !holds_others(name));
    let row = |record: Vec<Pair>| {
        let text = |name: &String| record.iter().find(|pair| pair.path == *name).map_or_else(String::new, |p| p.text.clone());
        names.iter().map(text).collect()
    };
    Table {
        skip_lines: 0,
        header_is_sure: true,
        width: names.len(),
        has_extra_fields: false,
        rows: records.into_iter().map(row).collect(),
        odd_rows,
        row_count,
        trailer: None,
        lists: lists.into_iter().collect(),
        header: Some(names),
    }
}
