//! A server process that outlives this command: started, waited for, found again, stopped.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

use crate::workspace;

const STATE: &str = "daemon.json";
const LOG: &str = "server.log";

/// How long a server may take to listen, and to end.
const PATIENCE: Duration = Duration::from_secs(90);

/// One look at a process or port per so long.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// A server that was started by this command, perhaps by an earlier call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Daemon {
    /// Its process.
    pub pid: u32,
    /// When the system started that process, in its own count: another process with the number has another.
    born: u64,
    /// What tests are told, the address first.
    pub variables: Vec<(String, String)>,
    /// Where all that it writes lies.
    pub folder: PathBuf,
}

impl Daemon {
    /// Starts a server with its output in the folder's log and waits until the port takes connections.
    pub fn start(command: &mut Command, folder: PathBuf, port: u16, variables: Vec<(String, String)>) -> anyhow::Result<Self> {
        let log = folder.join(LOG);
        let output = File::create(&log).with_context(|| format!("failed to write `{}`", log.display()))?;
        let errors = output.try_clone().context("failed to share the log")?;
        println!("$ {}", workspace::spelled(command));
        // A group of its own, so that an interrupt at the terminal ends this command and not the server.
        command.process_group(0).stdin(Stdio::null()).stdout(output).stderr(errors);
        let mut child = command.spawn().with_context(|| format!("failed to start `{}`", workspace::spelled(command)))?;
        if let Err(error) = wait_for_port(&mut child, port, &log) {
            // What was started here is ended here; it may be gone already.
            let _ = child.kill();
            let _ = child.wait();
            return Err(error);
        }
        let pid = child.id();
        let born = born(pid).with_context(|| format!("process {pid} is gone; see `{}`", log.display()))?;
        let daemon = Self { pid, born, variables, folder };
        let state = serde_json::to_string(&daemon).context("failed to spell the state")?;
        let path = daemon.folder.join(STATE);
        fs::write(&path, state).with_context(|| format!("failed to write `{}`", path.display()))?;
        Ok(daemon)
    }

    /// The server of a folder, if one was started there.
    pub fn load(folder: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(folder.join(STATE)).ok()?).ok()
    }

    /// Whether it still runs.
    pub fn runs(&self) -> bool {
        born(self.pid) == Some(self.born)
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        self.variables.first().map_or("nowhere", |(_, address)| address)
    }

    /// What it prints.
    pub fn log(&self) -> PathBuf {
        self.folder.join(LOG)
    }

    /// Asks it to end and waits; ends it by force when it does not.
    pub fn stop(&self) -> anyhow::Result<()> {
        for signal in ["-TERM", "-KILL"] {
            let sent = workspace::succeeds(Command::new("sh").args(["-c", &format!("kill {signal} {}", self.pid)]));
            let ended = wait_until(PATIENCE / 3, || !self.runs());
            if ended || (!sent && !self.runs()) {
                return Ok(());
            }
        }
        bail!("process {} does not end", self.pid)
    }
}

/// Where a server's data lies elsewhere, its folder links to it by this name.
pub const DATA: &str = "data";

/// Removes a server's folder, and the data that it links to.
pub fn clear(folder: &Path) -> anyhow::Result<()> {
    let linked = fs::read_link(folder.join(DATA)).ok();
    for folder in linked.iter().map(PathBuf::as_path).chain([folder]) {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("failed to remove `{}`", folder.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Ports of loopback that nobody uses at this moment.
pub fn free_ports<const N: usize>() -> anyhow::Result<[u16; N]> {
    let mut held = Vec::new();
    for _ in 0..N {
        held.push(TcpListener::bind(("127.0.0.1", 0)).context("no free port on loopback")?);
    }
    let ports: Vec<u16> = held.iter().map(|l| l.local_addr().map(|a| a.port())).collect::<Result<_, _>>()?;
    ports.try_into().ok().context("ports were counted wrong")
}

fn wait_for_port(child: &mut Child, port: u16, log: &Path) -> anyhow::Result<()> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let mut ended = None;
    let listens = wait_until(PATIENCE, || {
        ended = child.try_wait().ok().flatten();
        ended.is_some() || TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
    });
    if let Some(status) = ended {
        bail!("the server ended with {status}; its last words:\n{}", last_words(log));
    }
    if !listens {
        bail!("the server did not listen on {address} within {} s; its last words:\n{}", PATIENCE.as_secs(), last_words(log));
    }
    Ok(())
}

fn last_words(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

/// Looks until something is so or the time is over.
#[expect(clippy::disallowed_methods, reason = "another program's port and end: the system tells nobody but who looks")]
fn wait_until(patience: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    loop {
        if is_so() {
            return true;
        }
        if began.elapsed() >= patience {
            return false;
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

/// When the system started a process, `None` when there is none or it has ended and waits for its parent.
fn born(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets and may hold anything; the state follows it, the start is the 22nd field of all.
    let mut rest = stat.rsplit_once(')')?.1.split_whitespace();
    let is_alive = rest.next()? != "Z";
    rest.nth(18)?.parse().ok().filter(|_| is_alive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_differ() {
        let [one, two] = free_ports::<2>().unwrap();
        assert!(one != two && one > 0);
    }

    #[test]
    fn this_process_was_born_and_no_other_is_taken_for_it() {
        let born = born(std::process::id()).unwrap();
        let me = Daemon { pid: std::process::id(), born, variables: Vec::new(), folder: PathBuf::new() };
        assert!(me.runs());
        assert!(!Daemon { born: born + 1, ..me }.runs());
    }

    #[test]
    fn a_server_that_ends_at_once_is_an_error_with_its_words() {
        let folder = std::env::temp_dir().join(format!("tollway-daemon-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let [port] = free_ports::<1>().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo no config; exit 3"]);
        let error = Daemon::start(&mut command, folder.clone(), port, Vec::new()).unwrap_err();
        clear(&folder).unwrap();
        assert!(error.to_string().contains("no config"), "{error}");
    }
}
