//! `cargo xtask services start|stop|status`: real servers for the tests, on loopback, in fresh folders, on free ports.
//!
//! What a server listens on stands in `<cache>/services.env` as `NAME=address` lines, which tests read from their environment.
//! Programs are fetched once into the cache; what a server writes lies below `<cache>/services` and goes when it is stopped.

mod daemon;
mod kafka;
mod postgres;
mod s3;
mod trust;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail};

use self::daemon::Daemon;
use crate::workspace::Workspace;

/// A server that tests use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Apache Kafka, one node that is broker and controller.
    Kafka,
    /// `PostgreSQL` with an empty database.
    Postgres,
    /// An S3 server with atomic conditional puts.
    S3,
}

impl Service {
    const ALL: [Self; 3] = [Self::Kafka, Self::Postgres, Self::S3];

    /// What it is called on the command line; its folder has this name too.
    fn name(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::Postgres => "postgres",
            Self::S3 => "s3",
        }
    }

    fn named(name: &str) -> anyhow::Result<Self> {
        let names = Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|service| service.name() == name).with_context(|| format!("`{name}` is no service: {names}"))
    }

    fn start(self, workspace: &Workspace, folder: PathBuf) -> anyhow::Result<Daemon> {
        match self {
            Self::Kafka => kafka::start(workspace, folder),
            Self::Postgres => postgres::start(folder),
            Self::S3 => s3::start(workspace, folder),
        }
    }
}

/// `start [service...]`, `stop [service...]` or `status`; without names all services are meant.
pub fn run(workspace: &Workspace, words: &[&str]) -> anyhow::Result<()> {
    let Some((verb, names)) = words.split_first() else { bail!("say `services start`, `stop` or `status`") };
    let named: Vec<Service> = names.iter().map(|name| Service::named(name)).collect::<anyhow::Result<_>>()?;
    let chosen = if named.is_empty() { Service::ALL.to_vec() } else { named };
    match *verb {
        "start" => {
            let started = chosen.iter().try_for_each(|service| start(workspace, *service));
            // What runs is written down even when the last one failed.
            write_environment(workspace)?;
            started
        }
        "stop" => {
            chosen.iter().try_for_each(|service| stop(workspace, *service))?;
            write_environment(workspace)
        }
        "status" => status(workspace, &chosen),
        other => bail!("`services {other}` is no command: start, stop or status"),
    }
}

/// Services that are up while this lives; those that did not run before are stopped when it ends.
pub struct Borrowed<'a> {
    workspace: &'a Workspace,
    started: Vec<Service>,
}

impl<'a> Borrowed<'a> {
    /// Starts what does not run.
    pub fn start(workspace: &'a Workspace, needed: &[Service]) -> anyhow::Result<Self> {
        let mut borrowed = Self { workspace, started: Vec::new() };
        for service in needed {
            let ran = running(workspace, *service).is_some();
            start(workspace, *service)?;
            if !ran {
                borrowed.started.push(*service);
            }
        }
        Ok(borrowed)
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        for service in &self.started {
            if let Err(error) = stop(self.workspace, *service) {
                println!("{} goes on running: {error:#}", service.name());
            }
        }
    }
}

/// The variables of all services that run, for the environment of tests.
pub fn environment(workspace: &Workspace) -> Vec<(String, String)> {
    let daemons = Service::ALL.into_iter().filter_map(|service| running(workspace, service));
    let mut variables: Vec<(String, String)> = daemons.flat_map(|daemon| daemon.variables).collect();
    if running(workspace, Service::Kafka).is_some() {
        // For tests that stop a broker: it must be their own.
        variables.push(("TOLLWAY_KAFKA_JARS".to_owned(), kafka::folder_of_jars(workspace).display().to_string()));
    }
    variables
}

fn folder(workspace: &Workspace, service: Service) -> PathBuf {
    workspace.cache.join("services").join(service.name())
}

fn running(workspace: &Workspace, service: Service) -> Option<Daemon> {
    Daemon::load(&folder(workspace, service)).filter(Daemon::runs)
}

fn start(workspace: &Workspace, service: Service) -> anyhow::Result<()> {
    if let Some(daemon) = running(workspace, service) {
        println!("{}: runs at {} (process {})", service.name(), daemon.address(), daemon.pid);
        return Ok(());
    }
    let folder = folder(workspace, service);
    daemon::clear(&folder)?;
    fs::create_dir_all(&folder).with_context(|| format!("failed to make `{}`", folder.display()))?;
    let daemon = service.start(workspace, folder).with_context(|| format!("failed to start {}", service.name()))?;
    println!("{}: listens on {} (process {})", service.name(), daemon.address(), daemon.pid);
    println!("  log: {}", daemon.log().display());
    Ok(())
}

fn stop(workspace: &Workspace, service: Service) -> anyhow::Result<()> {
    let folder = folder(workspace, service);
    match Daemon::load(&folder) {
        Some(daemon) if daemon.runs() => {
            daemon.stop().with_context(|| format!("failed to stop {}", service.name()))?;
            println!("{}: stopped", service.name());
        }
        _ => println!("{}: does not run", service.name()),
    }
    daemon::clear(&folder)
}

fn status(workspace: &Workspace, chosen: &[Service]) -> anyhow::Result<()> {
    let mut missing = Vec::new();
    for service in chosen {
        if let Some(daemon) = running(workspace, *service) {
            println!("{}: runs at {} (process {})", service.name(), daemon.address(), daemon.pid);
        } else {
            println!("{}: does not run", service.name());
            missing.push(service.name());
        }
    }
    if !missing.is_empty() {
        bail!("not running: {}; start with `cargo xtask services start`", missing.join(", "));
    }
    Ok(())
}

fn write_environment(workspace: &Workspace) -> anyhow::Result<()> {
    let path = workspace.cache.join("services.env");
    let mut lines = String::new();
    for (name, address) in environment(workspace) {
        lines.push_str(&[&name, "=", &address, "\n"].concat());
    }
    fs::create_dir_all(&workspace.cache).with_context(|| format!("failed to make `{}`", workspace.cache.display()))?;
    fs::write(&path, lines).with_context(|| format!("failed to write `{}`", path.display()))?;
    println!("environment: {}", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_known_by_name() {
        for service in Service::ALL {
            assert_eq!(Service::named(service.name()).unwrap(), service);
        }
        assert!(Service::named("redpanda").unwrap_err().to_string().contains("kafka, postgres, s3"));
    }
}
