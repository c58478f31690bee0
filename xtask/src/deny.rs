//! Licences, sources and double versions of dependencies, by cargo-deny and deny.toml.
//!
//! Advisories are left to a scheduled job: their database is a download that a build must not depend on.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;

use crate::workspace::{self, Workspace};

/// The version that CI installs; a newer one on the machine is fine.
const VERSION: &str = "0.20.2";

/// What to do on a machine without cargo-deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenMissing {
    /// Say so and go on: CI checks it.
    Skip,
    /// Build it into the cache.
    Install,
}

/// Checks bans, licences and sources.
pub fn run(workspace: &Workspace, when_missing: WhenMissing) -> anyhow::Result<()> {
    let Some(program) = program(workspace, when_missing)? else {
        println!(
            "SKIPPED: cargo-deny is not installed; `cargo xtask deny --install` builds it into {}",
            workspace.cache.display()
        );
        return Ok(());
    };
    let mut command = Command::new(program);
    command.args(["--workspace", "--all-features", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]);
    workspace::run(command.current_dir(&workspace.root))
}

fn program(workspace: &Workspace, when_missing: WhenMissing) -> anyhow::Result<Option<PathBuf>> {
    let cached = workspace.cache.join("bin").join("cargo-deny");
    for program in [PathBuf::from("cargo-deny"), cached.clone()] {
        if workspace::succeeds(Command::new(&program).arg("--version")) {
            return Ok(Some(program));
        }
    }
    if when_missing == WhenMissing::Skip {
        return Ok(None);
    }
    let build = workspace.cache.join("cargo-deny-build");
    let root = workspace.cache.to_str().context("the cache folder's name is no UTF-8: set TOLLWAY_CACHE")?;
    // a debug build checks this tree in seconds and is built in a third of the time of a release build
    let mut install = workspace.cargo(&["install", "cargo-deny", "--version", VERSION, "--locked", "--debug", "--root", root]);
    workspace::run(install.env("CARGO_TARGET_DIR", &build))?;
    fs::remove_dir_all(&build).with_context(|| format!("failed to remove `{}`", build.display()))?;
    Ok(Some(cached))
}
