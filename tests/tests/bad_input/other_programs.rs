//! What other programs did: a second writer, a newer version, a damaged log. Data is protected, and reading goes on.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::desk::{DONE, Desk, NEEDS_HAND, OUTSIDE_FAILED, REFUSED};
use crate::kpn;

/// A service on a desk's data folder; killed when the test ends before it does.
struct Service(Child);

impl Service {
    /// Starts it and waits until it says that it runs.
    fn start(desk: &Desk) -> Self {
        let mut command = desk.command(&["run", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let running = lines.by_ref().any(|line| line.expect("text").contains("running"));
        assert!(running, "the service ended at once: {:?}", child.wait());
        // Read on, so that the service never waits for a full pipe.
        std::thread::spawn(move || lines.count());
        Self(child)
    }

    /// Asks it to stop and waits.
    fn stop(mut self) {
        // The shell's own `kill`: the program of that name is not on every machine.
        let asked = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.0.id())]).status().expect("a shell starts");
        assert!(asked.success());
        assert_eq!(self.0.wait().expect("it ends").code(), Some(DONE));
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.0.kill().expect("it is ours");
            self.0.wait().expect("it ends");
        }
    }
}

#[test]
fn a_second_writer_is_refused_and_beside_a_service_ingest_only_lands() {
    let desk = Desk::new();
    desk.write("in/a.csv", kpn::good("a", 3));
    desk.write("in/b.csv", kpn::good("b", 2));
    desk.ingest(&["in/a.csv"]).ends(DONE);
    let service = Service::start(&desk);
    let holder = format!("process {}", service.0.id());
    let facts = ["is being written by", &holder, "stop it first", "reading command"];
    desk.tollway(&["run", "--listen", "127.0.0.1:0"]).ends(REFUSED).says(&facts);
    desk.ingest(&["in/b.csv"]).ends(DONE).says(&["1 files landed", "the service that runs on this data folder rates them"]);
    // Reading works beside it; the service takes in what was landed.
    let done = |desk: &Desk| desk.tollway(&["status", "--output", "json"]).ends(DONE).json()["files"]["done"].as_u64();
    assert!((0..600).any(|_| done(&desk) == Some(2)), "the service rates what was landed");
    service.stop();
    desk.holds(5, 0);
    desk.ingest(&["in/b.csv"]).ends(DONE).says(&["0 files landed, 1 known before"]);
}

/// The segment of a topic that holds records.
fn segment(desk: &Desk, topic: &str) -> PathBuf {
    // A segment without records is its header.
    const HEADER_BYTES: u64 = 44;
    let partitions = fs::read_dir(desk.data("log").join(topic)).expect("the topic is there");
    let segments = partitions.flat_map(|p| fs::read_dir(p.expect("a partition").path()).expect("a folder"));
    let mut held = segments.map(|s| s.expect("a segment")).filter(|s| s.metadata().expect("a size").len() > HEADER_BYTES);
    held.next().expect("one holds records").path()
}

#[expect(clippy::disallowed_methods, reason = "this is what the message tells a person to do")]
fn move_the_log_away(desk: &Desk) {
    fs::rename(desk.data("log"), desk.data("log-damaged")).expect("it can be moved");
}

fn flip(file: &Path, byte: impl Fn(usize) -> usize) {
    let mut bytes = fs::read(file).expect("it can be read");
    let at = byte(bytes.len());
    bytes[at] ^= 0x40;
    fs::write(file, bytes).expect("it can be written");
}

#[test]
fn a_damaged_log_is_refused_with_file_and_byte_and_can_be_filled_anew_from_landing() {
    let desk = Desk::new();
    for name in ["a", "b"] {
        desk.write(&format!("in/{name}.csv"), kpn::good(name, 2));
        desk.ingest(&[&format!("in/{name}.csv")]).ends(DONE);
    }
    desk.write("in/c.csv", kpn::good("c", 3));
    let damaged = segment(&desk, "tollway.cdr.batches.v1");
    flip(&damaged, |length| length / 3);
    let name = damaged.file_name().expect("a name").to_string_lossy().into_owned();
    let facts = [&name[..], "is damaged at byte 44", "checksum", "move the log folder away and start again"];
    desk.ingest(&["in/c.csv"]).ends(REFUSED).says(&facts).says(&["1 files have landed and wait"]);
    desk.tollway(&["run", "--listen", "127.0.0.1:0"]).ends(REFUSED).says(&facts);
    desk.tollway(&["status"]).ends(NEEDS_HAND).says(&["the log needs a hand", "1 waiting"]);
    desk.check();
    move_the_log_away(&desk);
    desk.ingest(&["in/c.csv"]).ends(DONE).says(&["0 files landed, 1 known before"]);
    desk.holds(7, 0);
    desk.tollway(&["status"]).ends(DONE).says(&["all well"]);
}

/// A desk with two rated files and a third one that waits, whose log lost the last record of a topic: damage there cannot be
/// told from a torn write, so it is cut off.
fn without_the_last_record(topic: &str) -> Desk {
    let desk = Desk::new();
    for name in ["a", "b"] {
        desk.write(&format!("in/{name}.csv"), kpn::good(name, 2));
        desk.ingest(&[&format!("in/{name}.csv")]).ends(DONE);
    }
    desk.write("in/c.csv", kpn::good("c", 3));
    flip(&segment(&desk, topic), |length| length - 5);
    desk
}

#[test]
fn a_log_that_lost_claims_which_the_table_has_seen_is_refused_before_anything_is_appended() {
    let desk = without_the_last_record("tollway.cdr.batches.v1");
    let facts = ["the table stands at 2 of tollway.cdr.batches.v1", "the log ends at 1", "rebuild it from landing"];
    desk.ingest(&["in/c.csv"]).ends(REFUSED).says(&facts).says(&["1 files have landed and wait"]);
    desk.tollway(&["status"]).ends(NEEDS_HAND).says(&["the log needs a hand"]).says(&facts);
    desk.check();
    move_the_log_away(&desk);
    desk.ingest(&["in/c.csv"]).ends(DONE);
    desk.holds(7, 0);
}

#[test]
fn a_log_that_lost_notices_is_filled_from_landing() {
    let desk = without_the_last_record("tollway.cdr.files.v1");
    let said = desk.ingest(&["in/c.csv", "--output", "json"]).ends(DONE).says(&["announced again"]).json();
    assert_eq!(said["rated"], 3, "{said}");
    desk.holds(7, 0);
}

/// Spoils one file of a data folder as a newer program would have written it; asserts that nothing is touched, and that
/// all goes on once the file is as it was.
fn newer(file: impl Fn(&Desk) -> PathBuf, rewrite: impl Fn(&Path), facts: &[&str]) {
    let desk = Desk::new();
    desk.write("in/a.csv", kpn::good("a", 3));
    desk.write("in/b.csv", kpn::good("b", 2));
    desk.ingest(&["in/a.csv"]).ends(DONE);
    let path = file(&desk);
    let before = fs::read(&path).ok();
    rewrite(&path);
    let rewritten = fs::read(&path).expect("it is there");
    desk.ingest(&["in/b.csv"]).ends(REFUSED).says(facts);
    desk.tollway(&["run", "--listen", "127.0.0.1:0"]).ends(REFUSED).says(facts);
    assert_eq!(fs::read(&path).expect("it is there"), rewritten, "the newer file stays as it is");
    match before {
        Some(bytes) => fs::write(&path, bytes).expect("it can be written"),
        None => fs::remove_file(&path).expect("it can be removed"),
    }
    desk.ingest(&["in/b.csv"]).ends(DONE);
    desk.holds(5, 0);
}

fn next_format(path: &Path) {
    let text = fs::read_to_string(path).expect("text");
    assert!(text.contains("\"format\": 1"), "{text}");
    fs::write(path, text.replace("\"format\": 1", "\"format\": 2")).expect("it can be written");
}

#[test]
fn a_data_folder_of_a_newer_version_is_refused() {
    newer(
        |desk| desk.data("installation.json"),
        next_format,
        &["has format 2, this program knows 1", "that version or a newer one"],
    );
}

#[test]
fn a_log_of_a_newer_version_is_refused() {
    newer(|desk| desk.data("log/log.json"), next_format, &["log/log.json", "format 2", "use the newer program"]);
}

#[test]
fn an_arrival_of_a_newer_version_is_refused() {
    let third = "store/landing/arrivals/00000000000000000003.json";
    let facts = ["arrivals/00000000000000000003.json", "format 5", "use the newer program"];
    // Formats 2 to 4 are of this version: words and full lists, files that arrived together, imports of groups.
    let raise = |path: &Path| {
        let text = fs::read_to_string(path).expect("text");
        fs::write(path, text.replace("\"format\": 1", "\"format\": 5")).expect("it can be written");
    };
    newer(|desk| desk.data(third), raise, &facts);
}

#[test]
fn a_table_of_a_newer_version_is_refused() {
    let next = |desk: &Desk| {
        let log = desk.data("store/tables/cdr_entries/_delta_log");
        let version = (0..100).find(|v| !log.join(format!("{v:020}.json")).exists()).expect("a free version");
        log.join(format!("{version:020}.json"))
    };
    let upgrade = |path: &Path| {
        let protocol = r#"{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"]}}"#;
        fs::write(path, protocol).expect("it can be written");
    };
    newer(next, upgrade, &["table `tables/cdr_entries`", "Delta reader 3 and writer 7", "or a newer one"]);
}

#[test]
fn a_state_database_of_a_newer_version_is_refused() {
    let python = std::env::var_os("TOLLWAY_PYTHON").unwrap_or_else(|| "python3".into());
    let migrate = |path: &Path| {
        let script = "import sqlite3, sys\n\
            db = sqlite3.connect(sys.argv[1])\n\
            db.execute('PRAGMA wal_checkpoint(TRUNCATE)')\n\
            db.execute('INSERT INTO _sqlx_migrations SELECT 9999, description, installed_on, 1, checksum, execution_time '\n\
            \x20          'FROM _sqlx_migrations LIMIT 1')\n\
            db.commit()\n\
            db.execute('PRAGMA wal_checkpoint(TRUNCATE)')\n\
            db.close()\n";
        let ran = Command::new(&python).args(["-c", script]).arg(path).output();
        let ran = ran.expect("Python writes the database: name one in TOLLWAY_PYTHON, or run `cargo xtask test`");
        assert!(ran.status.success(), "{ran:?}");
    };
    let desk = Desk::new();
    desk.write("in/a.csv", kpn::good("a", 3));
    migrate(&desk.data("state.db"));
    let facts = ["state.db", "schema version 9999", "use the newer tollway"];
    desk.ingest(&["in/a.csv"]).ends(REFUSED).says(&facts).says(&["1 files have landed and wait"]);
    desk.tollway(&["import", "devices", "devices.csv"]).ends(REFUSED).says(&facts);
    desk.check();
    // Imports are landed: without its database the state is made again from them.
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        fs::remove_file(desk.data(name)).or_else(|e| if name == "state.db" { Err(e) } else { Ok(()) }).expect("it is there");
    }
    desk.ingest(&["in/a.csv"]).ends(DONE);
    desk.holds(3, 0);
}

#[test]
fn a_service_whose_address_is_taken_does_not_start() {
    let desk = Desk::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let facts = ["cannot listen on", &address, "--listen"];
    desk.tollway(&["run", "--listen", &address]).ends(OUTSIDE_FAILED).says(&facts);
}
