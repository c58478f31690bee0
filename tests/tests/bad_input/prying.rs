//! Subscriber numbers stay hidden from whoever did not ask for them in the clear, however the question is put.

use crate::desk::{Desk, NEEDS_HAND, SUBSCRIBER};
use crate::kpn::{self, Call};

#[test]
fn an_alias_shows_no_number() {
    let desk = Desk::new();
    desk.write("in/a.csv", kpn::file(&[Call::new("a-0"), Call { date: "99-99-2026", ..Call::new("a-1") }]));
    desk.ingest(&["in/a.csv"]);
    for sql in [
        "SELECT a_number AS x, a_number || '' AS y, substr(a_number, 4, 20) AS z FROM cdr_entries",
        "SELECT max(a_number) AS x FROM cdr",
        "SELECT * FROM cdr_entries",
        "SELECT encode(raw, 'hex') AS x, raw AS y FROM cdr_entries",
    ] {
        let said = desk.query(sql).to_string();
        // Each digit of a number is a 3 and itself in hexadecimal ASCII.
        let hex: String = SUBSCRIBER.chars().flat_map(|digit| ['3', digit]).collect();
        assert!(!said.contains(SUBSCRIBER) && !said.contains(&SUBSCRIBER[3..]) && !said.contains(&hex), "{sql}: {said}");
    }
    let words = ["query", "SELECT a_number AS x FROM cdr WHERE outcome = 'rated'", "--clear", "--output", "json"];
    let clear = desk.command(&words).output().expect("the program starts");
    assert!(String::from_utf8_lossy(&clear.stdout).contains(SUBSCRIBER), "who asks for clear numbers gets them");
}

#[test]
fn a_file_without_its_header_shows_no_number() {
    let desk = Desk::new();
    desk.write("in/a.csv", kpn::good("a", 2).split_once('\n').expect("a header").1);
    // What the desk hears is searched for the number each time.
    desk.ingest(&["in/a.csv"]).ends(NEEDS_HAND).says(&["no column `RECORDID`", "•"]);
    desk.tollway(&["status"]).ends(NEEDS_HAND).says(&["no column `RECORDID`", "•"]);
    assert!(desk.query("SELECT ledger_detail FROM cdr_entries").to_string().contains("RECORDID"));
}
