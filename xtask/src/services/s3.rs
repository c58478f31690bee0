//! An S3 server for tests: moto, whose conditional puts are atomic, in a virtual environment of its own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;

use super::daemon::{Daemon, free_ports};
use crate::python;
use crate::workspace::{self, Workspace};

/// What is installed, pinned.
const REQUIREMENT: &str = "moto[server,s3]==5.2.5";

/// Says what the environment holds: written last, so a broken install is repeated.
const STAMP: &str = "tollway-requirement.txt";

/// Starts a server that keeps its objects in memory.
pub fn start(workspace: &Workspace, folder: PathBuf) -> anyhow::Result<Daemon> {
    let python = environment(workspace)?;
    let [port] = free_ports()?;
    let mut server = Command::new(python);
    server.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
    Daemon::start(&mut server, folder, port, vec![("TOLLWAY_S3".to_owned(), format!("http://127.0.0.1:{port}"))])
}

fn environment(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let folder = workspace.cache.join("s3-venv");
    let python = folder.join("bin").join("python");
    let stamp = folder.join(STAMP);
    if fs::read_to_string(&stamp).is_ok_and(|held| held == REQUIREMENT) {
        return Ok(python);
    }
    println!("making {}: {REQUIREMENT}", folder.display());
    // Made by the tests' own interpreter, which is installed when it is missing.
    let maker = python::environment(workspace)?;
    workspace::run(Command::new(maker).args(["-m", "venv", "--clear"]).arg(&folder))?;
    workspace::run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENT]))?;
    fs::write(&stamp, REQUIREMENT).with_context(|| format!("failed to write `{}`", stamp.display()))?;
    Ok(python)
}
