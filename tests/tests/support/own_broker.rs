//! A Kafka server of one test, which the test may stop and start.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::{self, Running};

/// The id of the cluster; every test has a cluster of its own.
const CLUSTER: &str = "dG9sbHdheS1vd24tYnJva2";

/// One node, broker and controller; it ends with this value.
#[derive(Debug)]
pub struct OwnBroker {
    running: Option<Running>,
    address: String,
    folder: TempDir,
}

impl OwnBroker {
    /// Starts a server that holds nothing.
    pub fn start() -> Self {
        let held = [(); 2].map(|()| TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port"));
        let [plain, controller] = held.map(|listener| listener.local_addr().expect("it is bound").to_string());
        let folder = TempDir::new().expect("a temporary folder");
        let config = folder.path().join("server.properties");
        fs::write(&config, properties(&plain, &controller, &folder.path().join("data"))).expect("a file can be written");
        let format = ["kafka.tools.StorageTool", "format", "--standalone", "-t", CLUSTER, "-c"].map(OsStr::new);
        let formatted = process::run(java().args(format).arg(&config));
        assert_eq!(formatted.code, Some(0), "{formatted:?}");
        let mut broker = Self { running: None, address: plain, folder };
        broker.start_again();
        broker
    }

    /// Where it listens, whether it runs or not.
    pub fn address(&self) -> String {
        self.address.clone()
    }

    /// Ends it as `kill -9` does.
    pub fn stop(&mut self) {
        self.running.take().expect("it runs").kill();
    }

    /// Starts it on what it held when it was stopped; returns when it serves.
    pub fn start_again(&mut self) {
        let java = java();
        // A broker says what it does on standard output, and watched is standard error.
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" \"$@\" >&2"]).arg(java.get_program()).args(java.get_args());
        let running = Running::start(command.arg("kafka.Kafka").arg(self.folder.path().join("server.properties")));
        let up =
            running.wait_for("broker", |lines| lines.iter().any(|line| line.ends_with("Kafka Server started")).then_some(()));
        assert!(up.is_some(), "the broker ended; it said:\n{}", running.kill());
        self.running = Some(running);
    }
}

/// Java with the broker's programs, whose jars `cargo xtask services start kafka` has fetched.
fn java() -> Command {
    let jars =
        env::var_os("TOLLWAY_KAFKA_JARS").expect("TOLLWAY_KAFKA_JARS names no jars: run `cargo xtask test`, which fetches them");
    let mut java = Command::new("java");
    java.args(["-Xmx384m", "-Xshare:auto", "-cp"]).arg(PathBuf::from(jars).join("*"));
    java
}

fn properties(plain: &str, controller: &str, data: &Path) -> String {
    format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.bootstrap.servers={controller}\n\
         listeners=PLAINTEXT://{plain},CONTROLLER://{controller}\n\
         advertised.listeners=PLAINTEXT://{plain}\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n\
         log.dirs={data}\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=1\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         share.coordinator.state.topic.replication.factor=1\n\
         share.coordinator.state.topic.min.isr=1\n\
         group.initial.rebalance.delay.ms=500\n\
         auto.create.topics.enable=false\n",
        data = data.display(),
    )
}
