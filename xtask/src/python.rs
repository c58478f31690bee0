//! The Python of the tests: other readers of our tables (DuckDB, Polars, deltalake) in a virtual environment in the cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::debian;
use crate::workspace::{self, Workspace};

/// What the tests import, pinned.
const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// Says which requirements an environment holds: written last, so a broken install is repeated.
const STAMP: &str = "tollway-requirements.txt";

/// The interpreter of a virtual environment that holds the requirements; makes or mends it where needed.
pub fn environment(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let folder = workspace.cache.join("venv");
    let python = folder.join("bin").join("python");
    let stamp = folder.join(STAMP);
    if fs::read_to_string(&stamp).is_ok_and(|held| held == REQUIREMENTS) && starts(&python) {
        return Ok(python);
    }
    let system = system_python()?;
    println!("making {}: {}", folder.display(), packages().join(", "));
    fs::create_dir_all(&workspace.cache).with_context(|| format!("failed to make `{}`", workspace.cache.display()))?;
    workspace::run(Command::new(system).args(["-m", "venv", "--clear"]).arg(&folder))?;
    let list = workspace.root.join("xtask").join("requirements.txt");
    workspace::run(
        Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(list),
    )?;
    fs::write(&stamp, REQUIREMENTS).with_context(|| format!("failed to write `{}`", stamp.display()))?;
    Ok(python)
}

fn packages() -> Vec<&'static str> {
    REQUIREMENTS.lines().filter(|line| !line.starts_with('#')).collect()
}

fn starts(python: &Path) -> bool {
    workspace::succeeds(Command::new(python).arg("--version"))
}

/// A Python 3.10 or newer that can make virtual environments; installed when we may.
fn system_python() -> anyhow::Result<&'static str> {
    const NAME: &str = "python3";
    let able = || {
        let question = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";
        workspace::succeeds(Command::new(NAME).args(["-c", question]))
    };
    debian::ensure("python3 with venv", &["python3", "python3-venv"], able)?;
    Ok(NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_pinned() {
        assert!(!packages().is_empty());
        for package in packages() {
            assert!(package.contains("=="), "`{package}` has no version");
        }
    }
}
