//! A data folder of a test and the program on it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::place;
use super::process::{self, Ended, Running};

/// The secret of record keys, the same for all folders, so that their keys can be compared.
const KEY_SECRET: &str = "000102030405060708090a0b0c0d0e0f";

/// A data folder; it goes away with this value.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    settings: Vec<(&'static str, String)>,
    _owned: Option<TempDir>,
}

impl DataFolder {
    /// A folder that is not there yet.
    pub fn new() -> Self {
        let owned = TempDir::new().expect("a temporary folder");
        Self { path: owned.path().join("data"), settings: Vec::new(), _owned: Some(owned) }
    }

    /// A folder at a place that someone else looks after.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), settings: Vec::new(), _owned: None }
    }

    /// With a setting of the environment, such as `TOLLWAY_LANDING__CUT_ROWS`.
    pub fn with(mut self, variable: &'static str, value: impl ToString) -> Self {
        self.settings.push((variable, value.to_string()));
        self
    }

    /// A copy of all files.
    pub fn copied(&self) -> Self {
        let copy = Self { settings: self.settings.clone(), ..Self::new() };
        copy_folder(&self.path, &copy.path);
        copy
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of a table.
    pub fn table(&self, name: &str) -> PathBuf {
        self.path.join("store/tables").join(name)
    }

    /// The newest version of a table, by the names in its log.
    pub fn version(&self, table: &str) -> u64 {
        let entries = fs::read_dir(self.table(table).join("_delta_log")).expect("a table has a log");
        let names = entries.map(|entry| entry.expect("a folder can be listed").file_name().to_string_lossy().into_owned());
        names.filter_map(|name| name.strip_suffix(".json")?.parse().ok()).max().expect("a table has a version")
    }

    /// A command line on this folder. Nothing of the caller's own settings reaches it.
    pub fn command(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(place::program());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("TOLLWAY_")) {
            command.env_remove(name);
        }
        command.env("TOLLWAY_DATA", &self.path).env("TOLLWAY_KEY_SECRET", KEY_SECRET).args(arguments);
        command.envs(self.settings.iter().map(|(name, value)| (*name, value)));
        command
    }

    /// Runs a command line.
    pub fn run(&self, arguments: &[impl AsRef<OsStr>]) -> Ended {
        process::run(&mut self.command(arguments))
    }

    /// Runs a command line that must end well; gives its standard output.
    pub fn ok(&self, arguments: &[impl AsRef<OsStr>]) -> String {
        let command = format!("{:?}", self.command(arguments));
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{command} said:\n{}\n{}", ended.out, ended.err);
        ended.out
    }

    /// Runs a command line that must end well, for its JSON.
    pub fn json(&self, arguments: &[impl AsRef<OsStr>]) -> Value {
        let mut all: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
        all.extend(["--output", "json"].map(OsStr::new));
        let out = self.ok(&all);
        serde_json::from_str(&out).unwrap_or_else(|e| panic!("{all:?} printed no JSON ({e}):\n{out}"))
    }

    /// The rows of a question in SQL.
    pub fn query(&self, sql: &str) -> Vec<Value> {
        self.json(&["query", sql]).as_array().expect("a question gives a list").clone()
    }

    /// Starts a command line beside the test.
    pub fn start(&self, arguments: &[impl AsRef<OsStr>], log: Option<&str>) -> Running {
        let mut command = self.command(arguments);
        if let Some(filter) = log {
            command.env("TOLLWAY_LOG", filter);
        }
        Running::start(&mut command)
    }

    /// The same behind a service, which settles every now and then: what it has left is settled first.
    pub fn assert_sound_behind_a_service(&self) {
        self.run(&["settle"]);
        self.assert_sound();
    }

    /// Audits all invariants, and derives every charge a second time.
    pub fn assert_sound(&self) {
        let audit = self.json(&["check"]);
        assert_eq!(audit["wrong"], 0, "{audit:#}");
        assert!(audit["invariants"].as_array().is_some_and(|all| all.len() >= 9), "{audit:#}");
        let proof = self.json(&["verify"]);
        assert_eq!(proof["differ"], 0, "{proof:#}");
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("a folder can be listed") {
        let entry = entry.expect("a folder can be listed");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("it is there").is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).expect("a file can be copied");
        }
    }
}
