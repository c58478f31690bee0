//! Whether the paths that a profile relies on are in the records of a file at all.
//!
//! A delimited file names a missing column in its header. JSON and XML have none, so a misspelt path looks like a field that is
//! empty in every record: a rule that leaves rows out would skip nothing or everything, and nobody would be told.

use crate::profile::Profile;
use crate::profile::recipe::Reader;

use super::CutFields;
use super::flat::{self, Pair};
use super::json::JsonCutter;
use super::xml::XmlCutter;

/// Fewer records say nothing about a file: each of those that lack a required path is malformed, and that is enough.
const RECORDS_MIN: u64 = 10;

/// So many paths of records are kept, to name the one that may be meant.
const PATHS_MAX: usize = 64;

/// Looks at records until each path that is relied on was seen: in a file that is right, at the first few.
#[derive(Debug)]
pub(crate) struct Presence<'p> {
    profile: &'p Profile,
    /// Columns that no record had so far.
    unseen: Vec<usize>,
    records: u64,
    /// Paths that are there.
    paths: Vec<String>,
}

impl<'p> Presence<'p> {
    /// For the paths that a file may not lack.
    pub fn new(profile: &'p Profile) -> Self {
        let unseen = if has_paths(profile) { profile.relied_on() } else { Vec::new() };
        Self { profile, unseen, records: 0, paths: Vec::new() }
    }

    /// For all paths.
    pub fn of_all(profile: &'p Profile) -> Self {
        let unseen = if has_paths(profile) { (0..profile.column_count()).collect() } else { Vec::new() };
        Self { profile, unseen, records: 0, paths: Vec::new() }
    }

    /// Whether any path is still to be seen.
    pub fn is_looking(&self) -> bool {
        !self.unseen.is_empty()
    }

    /// Looks at a record.
    #[inline]
    pub fn note(&mut self, record: &[u8]) {
        if !self.unseen.is_empty() && record.len() <= self.profile.file.row_bytes_max {
            self.look(record);
        }
    }

    #[cold]
    fn look(&mut self, record: &[u8]) {
        match &self.profile.reader {
            Reader::JsonLines(form) | Reader::JsonArray(form) => self.take(&mut JsonCutter::new(form), record),
            Reader::Xml(form) => self.take(&mut XmlCutter::new(form), record),
            Reader::Delimited | Reader::FixedWidth(_) | Reader::Tap3(_) => {}
        }
    }

    fn take<C: CutFields>(&mut self, cutter: &mut C, record: &[u8]) {
        if cutter.cut(record).is_err() {
            return;
        }
        self.records += 1;
        self.unseen.retain(|column| !cutter.has(*column));
        if self.paths.len() < PATHS_MAX && !self.unseen.is_empty() {
            for Pair { path, .. } in flat::pairs(self.profile, record) {
                if self.paths.len() < PATHS_MAX && !self.paths.contains(&path) {
                    self.paths.push(path);
                }
            }
        }
    }

    /// Columns that no record had, if there were enough records to tell.
    pub fn missing(&self) -> &[usize] {
        if self.records >= RECORDS_MIN { &self.unseen } else { &[] }
    }

    /// What is wrong, in words, if a path is missing.
    pub fn problem(&self) -> Option<String> {
        let column = *self.missing().first()?;
        Some(format!("{}; correct it, or list it in `{}.may_lack`", self.describe(column), self.section()))
    }

    /// That a column is in no record, what reads it, and which path may be meant.
    pub fn describe(&self, column: usize) -> String {
        let (role, path) = self.profile.role_and_name(column);
        let near = self.profile.nearest_path(&path, &self.paths);
        format!("no record has `{path}`, which [{role}] reads{near}")
    }

    fn section(&self) -> &'static str {
        if matches!(self.profile.reader, Reader::Xml(_)) { "xml" } else { "json" }
    }
}

fn has_paths(profile: &Profile) -> bool {
    matches!(profile.reader, Reader::JsonLines(_) | Reader::JsonArray(_) | Reader::Xml(_))
}
