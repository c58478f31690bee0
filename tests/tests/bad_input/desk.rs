//! A desk to type commands at: a folder of one's own, the real program, and what it said.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The subscriber of most records, without prefix: no screen and no log line may show it.
pub const SUBSCRIBER: &str = "619283746";

/// Documented exit codes.
pub const DONE: i32 = 0;
pub const NEEDS_HAND: i32 = 1;
pub const WRONG_USE: i32 = 2;
pub const BAD_INPUT: i32 = 3;
pub const OUTSIDE_FAILED: i32 = 4;
pub const REFUSED: i32 = 5;

/// The program: `TOLLWAY_BIN`, else the one that Cargo built beside the tests.
pub fn program() -> PathBuf {
    if let Some(named) = env::var_os("TOLLWAY_BIN") {
        return named.into();
    }
    let tests = env::current_exe().expect("tests have a path");
    let beside = tests.ancestors().nth(2).expect("Cargo puts tests two folders below the program").join("tollway");
    assert!(beside.exists(), "no tollway at {}: build it (`cargo build -p tollway`) or name it in TOLLWAY_BIN", beside.display());
    beside
}

/// A folder with reference data in force, where commands are typed.
pub struct Desk {
    folder: TempDir,
    data: PathBuf,
}

impl Desk {
    /// Nothing but an empty folder.
    pub fn bare() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let data = folder.path().join("data");
        Self { folder, data }
    }

    /// One subscriber on a shipped tariff.
    pub fn new() -> Self {
        Self::bare().furnished()
    }

    /// The same with the data folder elsewhere, such as on a small disk.
    pub fn with_data(data: &Path) -> Self {
        Self { data: data.to_owned(), ..Self::bare() }.furnished()
    }

    fn furnished(self) -> Self {
        self.write("devices.csv", DEVICES);
        self.tollway(&["import", "devices", "devices.csv"]).ends(DONE);
        self.tollway(&["import", "tariffs", "nl-zakelijk"]).ends(DONE);
        self
    }

    /// The path of a file of this folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The path of a file of the data folder.
    pub fn data(&self, name: &str) -> PathBuf {
        self.data.join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
        fs::write(path, bytes).expect("the file can be written");
    }

    /// A command, not started yet; the settings of whoever runs the tests do not reach it.
    pub fn command(&self, words: &[&str]) -> Command {
        self.through(&[], words)
    }

    /// The same, started by another program, such as one that lowers limits.
    pub fn through(&self, starter: &[&str], words: &[&str]) -> Command {
        let mut all: Vec<std::ffi::OsString> = starter.iter().map(Into::into).collect();
        all.push(program().into());
        let mut command = Command::new(&all[0]);
        command.args(&all[1..]).args(words);
        for (name, _) in env::vars_os().filter(|(n, _)| n.to_string_lossy().starts_with("TOLLWAY_")) {
            command.env_remove(name);
        }
        command.env("TOLLWAY_DATA", &self.data).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Types a command.
    pub fn tollway(&self, words: &[&str]) -> Said {
        Said::of(words, &self.command(words).output().expect("the program starts"))
    }

    /// Lands and rates KPN files of account `haven`.
    pub fn ingest(&self, files: &[&str]) -> Said {
        self.tollway(&[&INGEST[..], files].concat())
    }

    /// Asserts that every invariant holds.
    pub fn check(&self) {
        self.tollway(&["check"]).ends(DONE).says(&["invariants hold"]);
    }

    /// Asserts how the rows of the installation ended, and that every invariant holds.
    pub fn holds(&self, rated: u64, suspended: u64) {
        self.check();
        let said = self.tollway(&["status", "--output", "json"]);
        let rows = &said.json()["rows"];
        let suspense: u64 = rows["suspense"].as_object().expect("reasons").values().filter_map(Value::as_u64).sum();
        assert_eq!((rows["rated"].as_u64(), suspense), (Some(rated), suspended), "{said:?}");
    }

    /// The newest row in suspense for a reason, as `suspense show` tells it to machines.
    pub fn suspended(&self, reason: &str) -> Value {
        self.tollway(&["suspense", "show", reason, "--output", "json"]).ends(DONE).json()
    }

    /// The answer to a question in SQL.
    pub fn query(&self, sql: &str) -> Value {
        self.tollway(&["query", sql, "--output", "json"]).ends(DONE).json()
    }
}

/// How KPN files of account `haven` are taken in.
pub const INGEST: [&str; 5] = ["ingest", "--profile", "kpn-sp16", "--account", "haven"];

/// One subscriber since 2026.
pub const DEVICES: &str = "device_id,msisdn,customer_id,plan_id,valid_from,valid_to\n\
    D-1,31619283746,C-1042,zakelijk-plus,2026-01-01T00:00:00Z,\n";

/// What a command said and how it ended.
#[derive(Debug)]
pub struct Said {
    words: String,
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Said {
    /// Takes the output; a subscriber's number in it fails the test at once.
    pub fn of(words: &[&str], output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = Self {
            words: words.join(" "),
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        assert!(!said.all().contains(SUBSCRIBER), "a subscriber's number in clear: {said:?}");
        assert!(!said.stderr.contains("panicked"), "{said:?}");
        said
    }

    fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Asserts the exit code. A failure begins with `error:` and says nothing on stdout.
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        if code > NEEDS_HAND && self.stdout.is_empty() {
            assert!(self.stderr.lines().any(|line| line.starts_with("error: ")), "{self:?}");
        }
        self
    }

    /// Asserts that it said all of this.
    #[track_caller]
    pub fn says(self, facts: &[&str]) -> Self {
        let all = self.all();
        for fact in facts {
            assert!(all.contains(fact), "`{fact}` is not in what `{}` said:\n{all}", self.words);
        }
        self
    }

    /// What it said to machines.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}
