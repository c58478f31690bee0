//! `tollway run`: the service, what works beside it, and how it stops.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::support::data_folder::DataFolder;
use crate::support::month::Month;
use crate::support::process::Running;

/// Asks the service's door; gives the status and the body.
fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("the service listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a limit can be set");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("a request can be sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the service answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head and a body");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("an answer has a status");
    (status, body.to_owned())
}

/// *Scenario.* A service runs on a data folder; reference data and files come in beside it and every reading command is used;
/// another service is started on the folder; then the service is asked to stop. *Guarantees.* `ingest` beside it only lands, the
/// service rates and totals it by all that was imported before it landed; reading works; metrics, health and readiness answer; the second service is refused with exit code
/// 5; the first stops in order with exit code 0, and what it left passes the audit.
#[test]
fn service_rates_what_lands_and_stops_in_order() {
    let home = tempfile::TempDir::new().expect("a temporary folder");
    let month = Month::generate(&home.path().join("month"), 5_000, 5, 6);
    let data = DataFolder::new();
    let service = data.start(&["run", "--listen", "127.0.0.1:0"], Some("info"));
    let address = service.line("listening", |_| true)["address"].as_str().expect("an address").to_owned();
    service.line("running", |_| true);
    assert_eq!(get(&address, "/healthz"), (200, "ok\n".to_owned()));
    service.line("joined", |_| true);
    assert_eq!(get(&address, "/readyz"), (200, "ready\n".to_owned()));

    month.import(&data);
    let rated = |service: &Running| {
        let mut rows = 0;
        service.wait_for("all rows", |lines| {
            rows = lines
                .iter()
                .filter_map(|line| serde_json::from_str::<Value>(line).ok())
                .filter(|line| line["fields"]["message"] == "committed")
                .filter_map(|line| line["fields"]["rows"].as_u64())
                .sum();
            (rows >= month.rows()).then_some(())
        });
        rows
    };
    for file in &month.files {
        let paths = ["ingest", "--profile", &file.profile, "--account", &file.account, &file.path.to_string_lossy()];
        let said = data.ok(&paths);
        assert!(said.contains("the service that runs on this data folder rates them"), "{said}");
    }
    assert_eq!(rated(&service), month.rows());
    service.line("reference data in force", |fields| fields["version"] == 4);

    reading_works_beside_it(&data, &month);
    let (status, metrics) = get(&address, "/metrics");
    let rows: u64 = metrics
        .lines()
        .filter(|l| l.starts_with("tollway_rows_total{"))
        .filter_map(|l| l.rsplit(' ').next()?.parse::<u64>().ok())
        .sum();
    assert_eq!((status, rows), (200, month.rows()), "{metrics}");
    for name in ["tollway_commits_total", "tollway_stage_seconds", "tollway_log_lag_records", "tollway_files_split_total"] {
        assert!(
            metrics.contains(&format!("# HELP {name} ")) && metrics.contains(&format!("# TYPE {name} ")),
            "no {name} in:\n{metrics}"
        );
    }

    let second = data.run(&["run", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.code, Some(5), "{}", second.err);
    assert!(second.err.contains("error: "), "{}", second.err);

    let ended = service.terminate();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.err.lines().last().is_some_and(|line| line.contains("stopped in order")), "{}", ended.err);
    data.assert_sound_behind_a_service();
    let next = data.start(&["run", "--listen", "127.0.0.1:0"], Some("info"));
    next.line("running", |_| true);
    assert_eq!(next.terminate().code, Some(0), "the folder is free again");
}

/// Status, totals, SQL, suspense and explanations while the service runs.
fn reading_works_beside_it(data: &DataFolder, month: &Month) {
    // The service totals about once a second; each question takes a moment, so the limit is one of time as well.
    let caught_up = (0..2_000).any(|_| data.json(&["totals", "--by", "customer,zone"])["commits_behind"] == 0);
    assert!(caught_up, "the totals do not catch up");
    let status = data.json(&["status"]);
    assert_eq!(status["rows"]["rows_in"], month.rows(), "{status:#}");
    let fact = |name: &str| month.files.iter().map(|f| f.fact(name)).sum::<u64>();
    let unknown = &status["rows"]["suspense"]["no_device"];
    assert_eq!(*unknown, fact("unknown_number") + fact("unowned"), "what lands after an import is rated by it: {status:#}");
    assert_eq!((&status["lag"]["log_records"], &status["files"]["waiting"]), (&0.into(), &0.into()), "{status:#}");
    let money = data.query("SELECT sum(charge) AS charge FROM cdr");
    assert_eq!(money, data.query("SELECT sum(charge) AS charge FROM totals"), "totals and records agree");
    let record = data.query("SELECT encode(record_key, 'hex') AS record FROM cdr WHERE outcome = 'rated' AND charge > 0 LIMIT 1");
    let record = record[0]["record"].as_str().expect("a record has a key").to_owned();
    let explained = data.json(&["explain", &record]);
    assert_eq!((&explained["record"], &explained["outcome"]), (&record.as_str().into(), &"rated".into()), "{explained:#}");
    let suspense = data.run(&["suspense", "list"]);
    assert_eq!(suspense.code, Some(1), "rows that need a hand are no failure: {}", suspense.err);
    assert!(suspense.out.contains("no_device"), "{}", suspense.out);
}
