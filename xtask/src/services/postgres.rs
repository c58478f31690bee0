//! `PostgreSQL` in a folder: a cluster made by `initdb`, without durability, for one user on loopback.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::Context;

use super::daemon::{DATA, Daemon, free_ports};
use crate::{debian, workspace};

/// The user of the cluster and its only database.
const USER: &str = "tollway";

/// Who the server runs as when this command runs as root, which the server refuses.
const UNPRIVILEGED: &str = "nobody";

/// Starts a server in a fresh folder.
pub fn start(folder: PathBuf) -> anyhow::Result<Daemon> {
    debian::ensure("the PostgreSQL 15 server", &["postgresql-15"], || {
        program("initdb").is_some() && program("postgres").is_some()
    })?;
    let initdb = program("initdb").context("`initdb` is gone")?;
    let postgres = program("postgres").context("`postgres` is gone")?;
    let [port] = free_ports()?;
    let owner = owner(&folder)?;
    // The cache may lie where that user may not go: the cluster then lies beside the system's other temporary files.
    let data = if owner.is_some() { env::temp_dir().join(format!("tollway-postgres-{port}")) } else { folder.join(DATA) };
    fs::create_dir_all(&data).with_context(|| format!("failed to make `{}`", data.display()))?;
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700))
        .with_context(|| format!("failed to close `{}`", data.display()))?;
    if let Some((user, group)) = owner {
        std::os::unix::fs::chown(&data, Some(user), Some(group))
            .with_context(|| format!("failed to give `{}` away", data.display()))?;
        std::os::unix::fs::symlink(&data, folder.join(DATA)).context("failed to link the cluster")?;
    }
    let as_owner = |program: &Path| {
        let mut command = Command::new(program);
        command.current_dir(&data);
        if let Some((user, group)) = owner {
            command.uid(user).gid(group);
        }
        command
    };
    workspace::output(
        as_owner(&initdb)
            .args(["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--no-locale", "-N", "-D"])
            .arg(&data),
    )?;
    let mut server = as_owner(&postgres);
    server.arg("-D").arg(&data).args(["-h", "127.0.0.1", "-p", &port.to_string(), "-c", "unix_socket_directories="]);
    server.args(["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off"]);
    let address = format!("postgres://{USER}@127.0.0.1:{port}/postgres");
    Daemon::start(&mut server, folder, port, vec![("TOLLWAY_POSTGRES".to_owned(), address)])
}

/// User and group that the server runs as, when it may not be us.
fn owner(folder: &Path) -> anyhow::Result<Option<(u32, u32)>> {
    let is_root = fs::metadata(folder).with_context(|| format!("failed to look at `{}`", folder.display()))?.uid() == 0;
    if !is_root {
        return Ok(None);
    }
    let number = |flag: &str| -> anyhow::Result<u32> {
        let text = workspace::output(Command::new("id").args([flag, UNPRIVILEGED]))?;
        text.trim().parse().with_context(|| format!("`id {flag}` said `{}`", text.trim()))
    };
    Ok(Some((number("-u")?, number("-g")?)))
}

/// A program of the server: on the path, or where Debian puts it.
fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let debian = Path::new("/usr/lib/postgresql/15/bin").to_owned();
    env::split_paths(&path).chain([debian]).map(|folder| folder.join(name)).find(|program| program.is_file())
}
