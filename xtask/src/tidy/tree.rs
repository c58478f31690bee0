//! The files that tidy looks at, in memory, so that every rule can be tested on a made-up tree.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

use super::source::{self, RustSource};
use crate::workspace;

/// Larger files are test material, not text that someone reads.
const TEXT_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// Whether a path is a Rust file's.
pub fn is_rust(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| extension == "rs")
}

/// The tracked files and those that will be: paths from the root, with `/`.
#[derive(Debug, Default)]
pub struct Tree {
    paths: BTreeSet<String>,
    texts: BTreeMap<String, String>,
    sources: Vec<RustSource>,
}

impl Tree {
    /// Reads what git tracks or would track.
    pub fn read(root: &Path) -> anyhow::Result<Self> {
        let mut git = Command::new("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
        let list = workspace::output(&mut git).context("tidy reads the list of files from git")?;
        let mut texts = Vec::new();
        let mut paths = BTreeSet::new();
        for path in list.split('\0').filter(|path| !path.is_empty()) {
            let full = root.join(path);
            // a tracked file may be deleted in the working tree, and a link may lead nowhere
            let Ok(meta) = fs::metadata(&full) else { continue };
            paths.insert(path.to_owned());
            if !meta.is_file() || meta.len() > TEXT_BYTES_MAX {
                continue;
            }
            let bytes = fs::read(&full).with_context(|| format!("failed to read `{path}`"))?;
            if let Ok(text) = String::from_utf8(bytes) {
                texts.push((path.to_owned(), text));
            }
        }
        Ok(Self::new(paths, texts))
    }

    /// A made-up tree.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let own = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        Self::new(files.iter().map(|(path, _)| (*path).to_owned()).collect(), files.iter().map(own).collect())
    }

    fn new(paths: BTreeSet<String>, texts: Vec<(String, String)>) -> Self {
        let mut sources: Vec<RustSource> =
            texts.iter().filter(|(path, _)| is_rust(path)).map(|(path, text)| RustSource::new(path, text)).collect();
        source::mark_test_modules(&mut sources);
        Self { paths, texts: texts.into_iter().collect(), sources }
    }

    /// All text files with their content.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Text files whose name ends so.
    pub fn ending<'a>(&'a self, ends: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.texts().filter(move |(path, _)| ends.iter().any(|end| path.ends_with(end)))
    }

    /// The content of one file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Whether a file or a folder of this path is there.
    pub fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        self.paths.contains(path) || self.paths.range(folder.clone()..).next().is_some_and(|next| next.starts_with(&folder))
    }

    /// All Rust files.
    pub fn sources(&self) -> &[RustSource] {
        &self.sources
    }

    /// The names of the workspace's crates: top-level folders with a manifest.
    pub fn crates(&self) -> impl Iterator<Item = (&str, &str)> {
        self.ending(&["/Cargo.toml"]).filter_map(|(path, text)| {
            let folder = path.strip_suffix("/Cargo.toml")?;
            (!folder.contains('/')).then_some((folder, text))
        })
    }
}
