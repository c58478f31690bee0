//! `tollway listen`: the events of a switch's topic, each rated once, whatever is killed, cut off or deleted.
//!
//! A million events take some minutes, by hand: `TOLLWAY_LISTEN_EVENTS=1_000_000 cargo test -p tests --test scenarios listen`.

use std::env;
use std::fs;
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::brokers;
use crate::support::data_folder::DataFolder;
use crate::support::live_topic::LiveTopic;
use crate::support::month::Month;
use crate::support::process::Running;
use crate::support::road::Road;

/// The layout of the events: it counts equal rows, and its files have a header.
const PROFILE: &str = "kpn-een";

/// Exit codes: bad input; an outside system failed; refused to protect data.
const BAD_INPUT: i32 = 3;
const OUTSIDE_FAILED: i32 = 4;
const REFUSED: i32 = 5;

fn events_wanted() -> u64 {
    let asked = env::var("TOLLWAY_LISTEN_EVENTS").ok();
    asked.map_or(20_000, |text| text.replace('_', "").parse().expect("TOLLWAY_LISTEN_EVENTS is a count of events"))
}

/// Records of a switch, their reference data, and the header that their files have.
struct Calls {
    month: Month,
    header: String,
    lines: Vec<String>,
    _folder: TempDir,
}

impl Calls {
    /// At least so many records. Some are sent twice, some are no records.
    fn new(rows: u64) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let month = Month::of_layouts(&folder.path().join("month"), PROFILE, rows, 6, 16);
        let mut header = String::new();
        let mut lines = Vec::new();
        for file in &month.files {
            let text = fs::read_to_string(&file.path).expect("a file of the month");
            let (first, rows) = text.split_once('\n').expect("a header");
            first.trim_end().clone_into(&mut header);
            lines.extend(rows.lines().map(str::to_owned));
        }
        for place in (0..lines.len()).step_by(lines.len() / 20) {
            let again = lines[place].clone();
            lines.extend([again, "no record at all".to_owned()]);
        }
        Self { month, header, lines, _folder: folder }
    }

    fn data(&self) -> DataFolder {
        let data = DataFolder::new();
        self.month.import(&data);
        data
    }

    /// The same lines as one file, rated.
    fn as_a_file(&self, data: &DataFolder) {
        let file = data.path().with_extension("csv");
        fs::write(&file, format!("{}\n{}\n", self.header, self.lines.join("\n"))).expect("a file can be written");
        let ended = data.run(&["ingest", "--profile", PROFILE, "--account", "haven", &file.to_string_lossy()]);
        assert!(matches!(ended.code, Some(0 | 1)), "{}", ended.err);
    }

    /// The command line that listens to a topic.
    fn listen<'a>(&'a self, topic: &'a LiveTopic, more: &[&'a str]) -> Vec<&'a str> {
        let words =
            ["listen", "core", "--topic", &topic.name, "--profile", PROFILE, "--account", "haven", "--header", &self.header];
        [&words[..], more].concat()
    }

    fn events(&self) -> impl Iterator<Item = &[u8]> {
        self.lines.iter().map(String::as_bytes)
    }
}

/// A data folder of a listener; who is dead is noticed soon.
fn listening(data: DataFolder, brokers: &str) -> DataFolder {
    data.with("TOLLWAY_KAFKA__BROKERS", brokers)
        .with("TOLLWAY_KAFKA__SESSION_WAIT_MS", 6_000)
        .with("TOLLWAY_KAFKA__REQUEST_WAIT_MS", 3_000)
}

/// What everybody may see of the records, but for lineage and keys: counts, units, money.
fn records(data: &DataFolder) -> Vec<Value> {
    let by = "outcome, reason, kind, customer, plan, zone, tariff, price_row";
    let sums = "count(*) AS records, sum(duration_s) AS seconds, sum(charge) AS charge";
    let mut rows = data.query(&format!("SELECT {by}, {sums} FROM cdr GROUP BY {by} ORDER BY {by}"));
    let keys = "count(DISTINCT encode(record_key, 'hex')) AS keys";
    rows.extend(data.query(&format!("SELECT outcome, {keys} FROM cdr GROUP BY outcome ORDER BY outcome")));
    rows
}

fn totals(data: &DataFolder) -> Vec<Value> {
    data.query(
        "SELECT customer, billing_period, sum(count) AS records, sum(charge) AS charge FROM totals GROUP BY 1, 2 ORDER BY 1, 2",
    )
}

/// Waits until a running listener has said something so often.
fn said(running: &Running, what: &str, times: usize) {
    let message = format!("\"message\":\"{what}\"");
    let found = running.wait_for(what, |lines| (lines.iter().filter(|l| l.contains(&message)).count() >= times).then_some(()));
    assert!(found.is_some(), "the listener ended before `{what}`");
}

/// *Scenario.* A switch writes records, among them repeated ones, garbage and empty values, to a topic of three partitions. A
/// listener is killed with `kill -9` when the bytes of a batch are kept and it has perhaps not arrived; the next one when
/// batches have arrived; a third one lands the rest. The same lines are ingested as a file elsewhere. *Guarantees.* Every event
/// is landed and rated once: outcomes, reasons, units, money and totals are those of the file; the audit holds; a further run
/// finds nothing to do.
#[test]
#[expect(clippy::disallowed_methods, reason = "a run with a million events tells how long it took; nothing is asserted of it")]
fn listen_takes_every_event_once_over_two_kills() {
    let calls = Calls::new(events_wanted());
    let topic = LiveTopic::new(3);
    let began = Instant::now();
    topic.write(calls.events());
    topic.write([&b""[..]; 5]);
    println!("{} events written in {:?}", topic.high(), began.elapsed());
    let data = listening(calls.data(), &brokers::server());
    let batch = (calls.lines.len() / 30).to_string();
    let words = calls.listen(&topic, &["--batch-rows", &batch]);
    for stage in ["batch kept", "batch landed"] {
        let running = data.start(&words, Some("info,pipeline=debug"));
        said(&running, stage, 3);
        let log = running.kill();
        println!("killed after {} batches had arrived", log.matches("batch landed").count());
    }
    let began = Instant::now();
    let heard = data.json(&calls.listen(&topic, &["--until-end", "--batch-rows", &batch]));
    println!("the rest, {} events, landed and was rated in {:?}", heard["rows"], began.elapsed());
    let next: i64 = heard["partitions"].as_array().expect("a list").iter().filter_map(|p| p["next_offset"].as_i64()).sum();
    assert_eq!(next, topic.high(), "{heard:#}");
    let status = data.json(&["status"]);
    assert_eq!(status["rows"]["rows_in"], json!(calls.lines.len()));
    let live = status["live"].as_array().expect("a list");
    assert!(live.iter().all(|p| p["topic"] == topic.name.as_str() && p["lag"] == 0), "{status:#}");
    assert_eq!(live.iter().filter_map(|p| p["next_offset"].as_i64()).sum::<i64>(), topic.high(), "{status:#}");
    let again = data.json(&calls.listen(&topic, &["--until-end"]));
    assert_eq!(again["batches"], 0, "{again:#}");
    let file = calls.data();
    calls.as_a_file(&file);
    assert_eq!((records(&data), totals(&data)), (records(&file), totals(&file)));
    data.assert_sound();
}

/// *Scenario.* A service with a live source in its configuration is started while the brokers are out of reach; they come,
/// events are rated; they go again while the switch goes on; they come back; the service is asked to stop. *Guarantees.* The
/// service lives on and says what it waits for; it recovers without a hand, every event is rated once, and it stops in order.
#[test]
fn listen_in_a_service_outlives_an_outage_of_the_brokers() {
    let variable = |name: &str| env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask test`"));
    let (proxy, broker) = (variable("TOLLWAY_KAFKA_PROXY"), variable("TOLLWAY_KAFKA_BEHIND_PROXY"));
    let calls = Calls::new(400);
    let topic = LiveTopic::new(2);
    let road = Road::at(&proxy, &broker);
    road.close();
    let data = listening(calls.data(), &proxy);
    let config = data.path().with_extension("toml");
    let header = Value::from(calls.header.as_str());
    let text = format!(
        "[listen.core]\ntopic = \"{}\"\nprofile = \"{PROFILE}\"\naccount = \"haven\"\nheader = {header}\nbatch_wait_ms = 200\n",
        topic.name
    );
    fs::write(&config, text).expect("a file can be written");
    let config = config.to_string_lossy().into_owned();
    let service = data.start(&["run", "--listen", "127.0.0.1:0", "--config", &config], Some("info"));
    said(&service, "trying again", 1);
    road.reopen();
    let rated = |rows: usize| {
        let sum = |lines: &[String]| -> u64 {
            let parsed = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let committed = parsed.filter(|line| line["fields"]["message"] == "committed");
            committed.filter_map(|line| line["fields"]["rows"].as_u64()).sum()
        };
        let there = service.wait_for("rows", |lines| (sum(lines) >= rows as u64).then_some(()));
        assert!(there.is_some(), "the service ended before {rows} rows were rated");
    };
    let half = calls.lines.len() / 2;
    topic.write(calls.events().take(half));
    rated(half);
    let tries = |lines: &[String]| lines.iter().filter(|line| line.contains("trying again")).count();
    let mut before = 0;
    service.wait_for("tries", |lines| {
        before = tries(lines);
        Some(())
    });
    road.close();
    topic.write(calls.events().skip(half));
    service.wait_for("a further try", |lines| (tries(lines) > before).then_some(())).expect("the service lives on");
    road.reopen();
    rated(calls.lines.len());
    let ended = service.terminate();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let file = calls.data();
    calls.as_a_file(&file);
    assert_eq!(records(&data), records(&file));
    data.assert_sound();
}

/// *Scenario.* A topic that is not there; a profile whose files end with a trailer; events that retention removed before they
/// had landed; a topic that was deleted and made anew. *Guarantees.* Each is named with what to do and an exit code of its own
/// kind, nothing is skipped in silence, and `--accept-loss` goes on.
#[test]
fn listen_says_what_is_missing_and_goes_on_by_word_only() {
    let calls = Calls::new(300);
    let topic = LiveTopic::new(1);
    let data = listening(DataFolder::new(), &brokers::server()).with("TOLLWAY_PIPELINE__RETRY_PAUSE_MS", 10);
    let ended = |more: &[&str]| data.run(&calls.listen(&topic, more));
    let until_end = ["--until-end", "--land-only", "--output", "json"];
    let of = |topic: &str, profile: &str| {
        data.run(&["listen", "core", "--topic", topic, "--profile", profile, "--account", "a", "--until-end"])
    };
    let missing = of("nobody-made-it", "asterisk-cdr-csv");
    assert_eq!(missing.code, Some(OUTSIDE_FAILED), "{}", missing.err);
    assert!(missing.err.contains("topic `nobody-made-it` does not exist"), "{}", missing.err);
    let unfit = of(&topic.name, "yielder");
    assert_eq!(unfit.code, Some(BAD_INPUT), "{}", unfit.err);
    assert!(unfit.err.contains("cannot read events one by one"), "{}", unfit.err);

    topic.write(calls.events().take(10));
    let first = ended(&until_end);
    assert_eq!(first.code, Some(0), "{}", first.err);
    topic.write(calls.events().skip(10).take(10));
    topic.trim(0, 15);
    let lost = ended(&until_end);
    assert_eq!(lost.code, Some(REFUSED), "{}", lost.err);
    assert!(lost.err.contains("5 events") && lost.err.contains("offsets 10 to 14"), "{}", lost.err);
    let accepted = ended(&[&until_end[..], &["--accept-loss"]].concat());
    let heard: Value = serde_json::from_str(&accepted.out).unwrap_or_else(|e| panic!("{e}: {accepted:?}"));
    assert_eq!((&heard["rows"], &heard["partitions"][0]["next_offset"]), (&json!(5), &json!(20)), "{heard:#}");

    topic.recreate();
    topic.write(calls.events().take(3));
    let other = ended(&until_end);
    assert_eq!(other.code, Some(REFUSED), "{}", other.err);
    assert!(other.err.contains("was deleted and made anew"), "{}", other.err);
    let accepted = ended(&[&until_end[..], &["--accept-loss"]].concat());
    assert_eq!(accepted.code, Some(0), "{}", accepted.err);
    assert_eq!(ended(&until_end).code, Some(0), "the new topic is known now");
}
