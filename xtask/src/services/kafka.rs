//! Apache Kafka from Maven's jars: one node, broker and controller in one process.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::daemon::{Daemon, free_ports};
use super::trust;
use crate::debian;
use crate::workspace::{self, Workspace};

/// What the broker consists of, pinned.
const POM: &str = include_str!("kafka.pom.xml");

/// Says which jars the folder holds: written last, so a broken download is repeated.
const STAMP: &str = "pom.xml";

/// Where a broker listens: for everybody, for its controller, and for a test that stands between a client and the broker.
#[derive(Debug, Clone, Copy)]
struct Ports {
    plain: u16,
    controller: u16,
    /// The broker tells clients that came this way to come to `proxy`, where the test listens.
    behind_proxy: u16,
    proxy: u16,
}

/// Starts a broker in a fresh folder.
pub fn start(workspace: &Workspace, folder: PathBuf) -> anyhow::Result<Daemon> {
    let java = java()?;
    let jars = jars(workspace)?;
    let [plain, controller, behind_proxy, proxy] = free_ports()?;
    let ports = Ports { plain, controller, behind_proxy, proxy };
    let data = folder.join("data");
    let config = folder.join("server.properties");
    fs::write(&config, properties(ports, &data)).with_context(|| format!("failed to write `{}`", config.display()))?;
    let tool = |class: &str| {
        let mut command = Command::new(java);
        command.arg("-cp").arg(jars.join("*")).arg(class);
        command
    };
    let id = workspace::output(tool("kafka.tools.StorageTool").arg("random-uuid"))?;
    let mut format = tool("kafka.tools.StorageTool");
    format.args(["format", "--standalone", "-t", id.trim(), "-c"]).arg(&config);
    workspace::output(&mut format)?;
    let mut server = Command::new(java);
    server.args(["-Xmx512m", "-Xshare:auto", "-cp"]).arg(jars.join("*")).arg("kafka.Kafka").arg(&config);
    let variables = [("TOLLWAY_KAFKA", plain), ("TOLLWAY_KAFKA_BEHIND_PROXY", behind_proxy), ("TOLLWAY_KAFKA_PROXY", proxy)];
    let variables = variables.map(|(name, port)| (name.to_owned(), format!("127.0.0.1:{port}")));
    Daemon::start(&mut server, folder, plain, variables.to_vec())
}

/// One node on loopback. A short initial delay lets members that start together share their first assignment.
fn properties(ports: Ports, data: &Path) -> String {
    let Ports { plain, controller, behind_proxy, proxy } = ports;
    format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.bootstrap.servers=127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{plain},PROXIED://127.0.0.1:{behind_proxy},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{plain},PROXIED://127.0.0.1:{proxy}\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT\n\
         log.dirs={data}\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=4\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         share.coordinator.state.topic.replication.factor=1\n\
         share.coordinator.state.topic.min.isr=1\n\
         group.initial.rebalance.delay.ms=500\n\
         group.min.session.timeout.ms=1000\n\
         group.consumer.min.heartbeat.interval.ms=500\n\
         group.consumer.heartbeat.interval.ms=500\n\
         auto.create.topics.enable=false\n",
        data = data.display(),
    )
}

/// Where the broker's jars lie once it has been started.
pub fn folder_of_jars(workspace: &Workspace) -> PathBuf {
    workspace.cache.join("kafka").join("libs")
}

/// The folder with the broker's jars; fetched once by Maven.
fn jars(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let folder = workspace.cache.join("kafka");
    let jars = folder_of_jars(workspace);
    let stamp = jars.join(STAMP);
    if fs::read_to_string(&stamp).is_ok_and(|held| held == POM) {
        return Ok(jars);
    }
    let able = || workspace::succeeds(Command::new("mvn").arg("--version"));
    debian::ensure("Maven, which fetches the broker's jars,", &["maven"], able)?;
    println!("fetching Apache Kafka into {}", jars.display());
    super::daemon::clear(&jars)?;
    fs::create_dir_all(&folder).with_context(|| format!("failed to make `{}`", folder.display()))?;
    let pom = folder.join("pom.xml");
    fs::write(&pom, POM).with_context(|| format!("failed to write `{}`", pom.display()))?;
    let mut fetch = Command::new("mvn");
    fetch.args(["-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=libs"]);
    let options = [std::env::var("MAVEN_OPTS").ok()].into_iter().flatten().chain(trust::java_options(workspace)?);
    fetch.env("MAVEN_OPTS", options.collect::<Vec<_>>().join(" "));
    workspace::run(fetch.current_dir(&folder))?;
    fs::write(&stamp, POM).with_context(|| format!("failed to write `{}`", stamp.display()))?;
    Ok(jars)
}

fn java() -> anyhow::Result<&'static str> {
    const NAME: &str = "java";
    let able = || workspace::succeeds(Command::new(NAME).arg("-version"));
    // Java 17 or newer.
    debian::ensure("Java, which the broker runs on,", &["openjdk-17-jre-headless"], able)?;
    Ok(NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_broker_listens_on_loopback_only_and_makes_no_topics_by_itself() {
        let text = properties(Ports { plain: 1, controller: 2, behind_proxy: 3, proxy: 4 }, Path::new("/tmp/x"));
        let hosts: Vec<&str> = text.split("://").skip(1).map(|rest| rest.split(':').next().unwrap()).collect();
        assert_eq!(hosts, ["127.0.0.1"; 5]);
        assert!(text.contains("auto.create.topics.enable=false"));
    }
}
