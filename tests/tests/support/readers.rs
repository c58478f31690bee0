//! The other readers in `tests/readers`: Python programs over DuckDB, Polars and deltalake that share no code with us.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::place;
use super::process;

/// Runs a Python program of the checkout that must end well; gives its standard output.
pub fn python(program: &str, arguments: &[impl AsRef<OsStr>]) -> String {
    let path: PathBuf = place::checkout().join(program);
    let mut command = Command::new(place::python());
    command.arg(path).args(arguments);
    let ended = process::run(&mut command);
    assert_eq!(ended.code, Some(0), "{command:?} said:\n{}\n{}", ended.out, ended.err);
    ended.out
}

/// What a reader of `tests/readers` found, as JSON.
pub fn read(reader: &str, arguments: &[impl AsRef<OsStr>]) -> Value {
    let out = python(&format!("tests/readers/{reader}.py"), arguments);
    serde_json::from_str(&out).unwrap_or_else(|e| panic!("{reader} printed no JSON ({e}):\n{out}"))
}
