//! Records of the log that nobody understands: put aside untouched, shown, sent again, and in nobody's way.

use std::sync::Arc;

use domain::ports::Clock;
use ingest::log::embedded::{EmbeddedLog, LogSettings};
use ingest::log::{LogWriter, Topic};

use crate::support::data_folder::DataFolder;
use crate::support::month::Month;

struct Epoch;

impl Clock for Epoch {
    fn now_us(&self) -> i64 {
        0
    }
}

/// *Scenario.* Garbage on both topics of the flow, between records that are in order. *Guarantees.* Every file is rated; the
/// garbage is listed with where it stood and why, its bytes are shown as they were, and a replay sends them again, once.
#[test]
fn dead_letters_are_kept_untouched_and_hold_up_nobody() {
    let home = tempfile::TempDir::new().expect("a temporary folder");
    let month = Month::generate(&home.path().join("month"), 600, 6, 81);
    let data = DataFolder::new();
    month.import(&data);
    let files = month.in_order();
    Month::land(&data, &files[..3]);
    data.ok(&month.rating());
    {
        let log = EmbeddedLog::open(&data.path().join("log"), LogSettings::new(Arc::new(Epoch))).expect("nobody else writes it");
        let mut writer = log.writer();
        let headers: [(&str, &[u8]); 1] = [("theirs", b"kept")];
        writer.append(Topic::Files, b"main/kpn/haven", &headers, b"\xff\x00no notice").expect("a durable record");
        for partition in 0..32_u8 {
            writer.append(Topic::Batches, &[partition], &[], b"{\"arrival\": \"none\"}").expect("a durable record");
        }
    }
    Month::land(&data, &files[3..]);
    data.ok(&month.rating());
    data.assert_sound_behind_a_service();
    let rows = data.query("SELECT sum(ledger_rows_in) AS rows FROM cdr_entries WHERE outcome = 'ledger'");
    assert_eq!(rows[0]["rows"].as_u64(), Some(month.rows()), "{rows:?}");

    let listed = data.run(&["dlq", "list", "--output", "json"]);
    assert_eq!(listed.code, Some(1), "someone should look at them: {}", listed.err);
    let listed: serde_json::Value = serde_json::from_str(&listed.out).expect("JSON");
    let letters = listed["dead_letters"].as_array().expect("a list");
    assert_eq!(letters.len(), 33);
    let notice = letters.iter().find(|l| l["topic"] == "tollway.cdr.files.v1").expect("the notice");
    assert_eq!((notice["key"].as_str(), notice["bytes"].as_u64()), (Some("main/kpn/haven"), Some(11)));
    assert!(notice["why"].as_str().is_some_and(|why| why.contains("line 1")), "{notice}");
    let number = notice["number"].to_string();
    let shown = data.json(&["dlq", "show", &number]);
    assert_eq!(shown["payload"], "\\xff\\x00no notice");
    assert!(data.ok(&["dlq", "show", &number]).contains("header theirs"), "their own header is shown");

    data.ok(&["dlq", "replay", &number]);
    data.ok(&month.rating());
    let again = data.run(&["dlq", "list", "--output", "json"]);
    let again: serde_json::Value = serde_json::from_str(&again.out).expect("JSON");
    let notices = again["dead_letters"].as_array().expect("a list").iter().filter(|l| l["topic"] == "tollway.cdr.files.v1");
    let numbers: Vec<String> = notices.map(|l| l["number"].to_string()).collect();
    assert!(numbers.len() == 1 && numbers[0] != number, "it was read again and put aside again: {numbers:?}");
    let unknown = data.run(&["dlq", "show", "4711"]);
    assert_eq!(unknown.code, Some(3), "{}", unknown.err);
    assert!(unknown.err.contains("no dead letter 4711"), "{}", unknown.err);
}

/// *Scenario.* The log names a delivery that is not the one which landed under that number, as when two installations write the
/// same topics. *Guarantees.* Nothing is rated under a wrong name: exit code 5, and the message says how to part the two.
#[test]
fn notices_of_another_installation_are_refused_and_not_taken() {
    let home = tempfile::TempDir::new().expect("a temporary folder");
    let month = Month::generate(&home.path().join("month"), 300, 3, 82);
    // Four imports came first, so the delivery is arrival 4.
    for (arrival, delivery) in [(4_711, "0".repeat(32)), (4, "f".repeat(32))] {
        let data = DataFolder::new();
        month.import(&data);
        Month::land(&data, &month.in_order()[..1]);
        data.ok(&month.rating());
        let entries = || data.query("SELECT count(*) AS entries FROM cdr_entries");
        let before = entries();
        {
            let log =
                EmbeddedLog::open(&data.path().join("log"), LogSettings::new(Arc::new(Epoch))).expect("nobody else writes it");
            let notice = serde_json::json!({"arrival": arrival, "delivery": delivery}).to_string();
            log.writer().append(Topic::Files, b"main/kpn/haven", &[], notice.as_bytes()).expect("a durable record");
        }
        let refused = data.run(&month.rating());
        assert_eq!(refused.code, Some(5), "{}", refused.err);
        assert!(refused.err.contains(&delivery) && refused.err.contains("`kafka.topic_prefix`"), "{}", refused.err);
        assert_eq!(entries(), before);
    }
}
