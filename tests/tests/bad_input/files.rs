//! Files that are wrong as a whole: they are kept, named and not rated; the others are.

use std::io::{Read, Write};
use std::process::{Child, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::desk::{BAD_INPUT, DONE, Desk, INGEST, NEEDS_HAND, Said, WRONG_USE};
use crate::kpn::{self, Call};

/// Ingests a bad file beside a good one: the good one is rated, the bad one named with its state and `facts`.
fn refused_beside_a_good_one(name: &str, bytes: &[u8], state: &str, facts: &[&str]) -> Desk {
    let desk = Desk::new();
    desk.write(name, bytes);
    desk.write("in/good.csv", kpn::good("good", 3));
    desk.ingest(&[name, "in/good.csv"]).ends(NEEDS_HAND).says(&[name, state]).says(facts);
    let said = desk.ingest(&[name, "in/good.csv", "--output", "json"]).ends(NEEDS_HAND).json();
    assert_eq!((&said["rated"], &said["files"]["refused"]), (&3.into(), &1.into()), "{said}");
    assert_eq!((said["refused"][0]["file"].as_str(), said["refused"][0]["state"].as_str()), (Some(name), Some(state)), "{said}");
    desk.tollway(&["status"]).ends(NEEDS_HAND).says(&[name, state]).says(facts);
    desk.holds(3, 0);
    desk
}

/// Lands the whole file under the old name: its rows are rated, and nothing needs a hand any more.
fn made_good(desk: &Desk, name: &str, text: &str, rows: u64) {
    desk.write(name, text);
    desk.ingest(&[name, "--as-new"]).ends(DONE);
    desk.tollway(&["status"]).ends(DONE).says(&["all well"]);
    desk.holds(3 + rows, 0);
}

#[test]
fn an_unknown_profile_is_named_with_those_that_exist() {
    let desk = Desk::bare();
    desk.write("in/good.csv", kpn::good("good", 1));
    let ingest = ["ingest", "--profile", "kpn-sp15", "--account", "haven", "in/good.csv"];
    desk.tollway(&ingest).ends(BAD_INPUT).says(&["`kpn-sp15`", "kpn-sp16", "routit", "or name a TOML file"]);
    desk.tollway(&["profile", "check", "kpn-sp15", "in/good.csv"]).ends(BAD_INPUT).says(&["`kpn-sp15`", "kpn-sp16"]);
    assert!(!desk.data("").exists(), "a wrong name makes no data folder");
}

#[test]
fn a_slip_in_a_name_is_answered_with_what_was_meant() {
    let desk = Desk::new();
    desk.write("a.csv", kpn::good("a", 1));
    desk.tollway(&["profile", "check", "kpn-sp61", "a.csv"]).ends(BAD_INPUT).says(&["`kpn-sp61`", "did you mean `kpn-sp16`?"]);
    let tariff = ["`nl-zakelijk`?", "name a TOML file"];
    desk.tollway(&["import", "tariffs", "nl-zakeljik"]).ends(BAD_INPUT).says(&tariff);
    desk.tollway(&["suspense", "list", "--reason", "no_devise"]).ends(BAD_INPUT).says(&["did you mean `no_device`?"]);
}

#[test]
fn a_profile_with_a_misspelt_key_names_the_line_and_the_nearest_key() {
    let desk = Desk::new();
    let shipped = desk.tollway(&["profile", "show", "kpn-sp16", "--output", "json"]).ends(DONE).json();
    let shipped = shipped["toml"].as_str().expect("a text").to_owned();
    let line = 1 + shipped.lines().position(|l| l.starts_with("country_code")).expect("the profile has one");
    desk.write("mine.toml", shipped.replace("country_code", "contry_code"));
    desk.write("in/good.csv", kpn::good("good", 2));
    let ingest = ["ingest", "--profile", "mine.toml", "--account", "haven", "in/good.csv"];
    let facts = [&format!("line {line}")[..], "mine.toml", "`contry_code`", "did you mean `country_code`?"];
    desk.tollway(&ingest).ends(BAD_INPUT).says(&facts);
    desk.holds(0, 0);
    desk.write("mine.toml", shipped);
    desk.tollway(&ingest).ends(DONE);
    desk.holds(2, 0);
}

#[test]
fn a_file_without_a_column_is_refused_with_the_columns_it_has() {
    let good = kpn::good("late", 2);
    let bad = good.replace("DUUR", "DUUR_S");
    let facts = ["header", "no column `DUUR`", "did you mean `DUUR_S`?", "TARIEFKLASSE"];
    let desk = refused_beside_a_good_one("in/columns.csv", bad.as_bytes(), "wrong_header", &facts);
    desk.tollway(&["profile", "check", "kpn-sp16", "in/columns.csv"]).ends(NEEDS_HAND).says(&facts);
    made_good(&desk, "in/columns.csv", &good, 2);
}

#[test]
fn a_file_in_another_encoding_is_refused_with_its_share_of_wrong_rows() {
    let desk = Desk::new();
    let shipped = desk.tollway(&["profile", "show", "kpn-sp16", "--output", "json"]).ends(DONE).json();
    let shipped = shipped["toml"].as_str().expect("a text").to_owned();
    desk.write("mine.toml", shipped.replace("latin-1", "utf-8"));
    let text = kpn::good("c", 20).replace(";;0,05", ";caf\u{e9};0,05");
    let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect();
    desk.write("in/latin.csv", bytes);
    let ingest = ["ingest", "--profile", "mine.toml", "--account", "haven", "in/latin.csv"];
    let facts = ["in/latin.csv", "wrong_encoding", "20 of 20 rows", "no text in utf-8", "`file.encoding`"];
    desk.tollway(&ingest).ends(NEEDS_HAND).says(&facts);
    desk.tollway(&ingest).ends(NEEDS_HAND).says(&facts).says(&["0 files landed, 1 known before"]);
    desk.holds(0, 0);
    // The same bytes are read again once the profile is another, and only then.
    desk.write("mine.toml", shipped);
    desk.tollway(&ingest).ends(DONE).says(&["1 files landed"]);
    desk.tollway(&ingest).ends(DONE).says(&["0 files landed, 1 known before"]);
    desk.tollway(&["status"]).ends(DONE).says(&["all well"]);
    desk.holds(20, 0);
}

#[test]
fn utf_16_is_told_by_its_mark() {
    let good = kpn::good("late", 2);
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(good.encode_utf16().flat_map(u16::to_le_bytes));
    let desk =
        refused_beside_a_good_one("in/wide.csv", &bytes, "wrong_encoding", &["mark of UTF-16", "set `file.encoding` to utf-16"]);
    made_good(&desk, "in/wide.csv", &good, 2);
}

#[test]
fn a_trailer_that_disagrees_is_named_with_its_line_and_both_counts() {
    let calls = [Call::new("late-1"), Call::new("late-2")];
    let facts = ["line 4", "announces 3 rows", "the file has 2", "fetch it again"];
    let bad = kpn::announcing(&calls, 3);
    let desk = refused_beside_a_good_one("in/trailer.csv", bad.as_bytes(), "wrong_count", &facts);
    made_good(&desk, "in/trailer.csv", &kpn::file(&calls), 2);
}

#[test]
fn a_trailer_whose_sum_disagrees_is_named_with_both_sums() {
    let good = kpn::good("late", 2);
    let facts = ["line 4", "EUR 0.11", "EUR 0.1", "ask which is right"];
    let bad = good.replace("TRAILER;2;0,10", "TRAILER;2;0,11");
    let desk = refused_beside_a_good_one("in/sum.csv", bad.as_bytes(), "wrong_sum", &facts);
    made_good(&desk, "in/sum.csv", &good, 2);
}

#[test]
fn a_cut_off_file_is_named_with_the_line_where_it_stops() {
    let good = kpn::good("late", 3);
    let cut = good.find("late-2").expect("the third row") + 20;
    let facts = ["middle of line 4", "after 2 whole rows", "fetch it again"];
    let desk = refused_beside_a_good_one("in/cut.csv", &good.as_bytes()[..cut], "truncated", &facts);
    // Fetched again under its name: new bytes wait for a word, and the message says which.
    desk.write("in/cut.csv", &good);
    desk.ingest(&["in/cut.csv"]).ends(NEEDS_HAND).says(&["in/cut.csv", "held", "same name", "--as-new"]);
    made_good(&desk, "in/cut.csv", &good, 3);
}

#[test]
fn a_file_that_lost_only_its_trailer_is_cut_off_too() {
    let calls = [Call::new("late-1"), Call::new("late-2")];
    let facts = ["after line 3", "without its trailer `TRAILER`"];
    let desk = refused_beside_a_good_one("in/bare.csv", kpn::head(&calls).as_bytes(), "truncated", &facts);
    made_good(&desk, "in/bare.csv", &kpn::file(&calls), 2);
}

#[test]
fn an_empty_file_asks_whether_there_was_no_usage() {
    let facts = ["no bytes", "ask the provider", "file.empty_file = \"heartbeat\""];
    let desk = refused_beside_a_good_one("in/empty.csv", b"", "empty", &facts);
    desk.tollway(&["profile", "check", "kpn-sp16", "in/empty.csv"]).ends(NEEDS_HAND).says(&["in/empty.csv", "no bytes"]);
    made_good(&desk, "in/empty.csv", &kpn::good("late", 1), 1);
}

#[test]
fn a_file_of_nul_bytes_is_no_file_of_rows() {
    let facts = ["no line end", "file.row_bytes_max"];
    refused_beside_a_good_one("in/zeros.csv", &vec![0; 200_000], "endless_row", &facts);
}

#[test]
fn a_nul_byte_in_a_row_costs_this_row_only() {
    let desk = Desk::new();
    let bad = kpn::file(&[Call::new("a"), Call { from: "0619\x0083746", ..Call::new("b") }, Call::new("c")]);
    desk.write("in/nul.csv", bad);
    desk.ingest(&["in/nul.csv"]).ends(NEEDS_HAND).says(&["1 of 3 rows are in suspense", "tollway suspense list"]);
    desk.holds(2, 1);
    let row = desk.suspended("malformed.encoding");
    assert_eq!((row["file"].as_str(), row["line"].as_u64()), (Some("in/nul.csv"), Some(3)), "{row}");
    assert_eq!(row["field"].as_str(), Some("MSISDN"), "{row}");
    let shown = desk.tollway(&["suspense", "show", "malformed.encoding"]).ends(DONE);
    shown.says(&["in/nul.csv", "MSISDN", "check the encoding", "061••••746"]);
}

#[test]
fn a_path_that_is_not_there_changes_nothing() {
    let desk = Desk::bare();
    desk.write("in/good.csv", kpn::good("good", 1));
    desk.ingest(&["in/good.csv", "in/nowhere.csv"]).ends(BAD_INPUT).says(&["`in/nowhere.csv` does not exist", "check the path"]);
    assert!(!desk.data("").exists(), "nothing was made");
    let ingest = ["ingest", "--profile", "kpn-sp16", "--account", "two words", "in/good.csv"];
    desk.tollway(&ingest).ends(WRONG_USE).says(&["`two words`", "letters, digits"]);
    let ingest = ["ingest", "--profile", "kpn-sp16", "--account", "haven", "--cycle", "October", "in/good.csv"];
    desk.tollway(&ingest).ends(WRONG_USE).says(&["`October`", "2026-10"]);
    assert!(!desk.data("").exists(), "nothing was made");
}

/// Bytes of the endless line. Memory does not depend on it (a file of 1 GB and one of 200 MB peak alike), so the smaller one
/// keeps this quick.
const ENDLESS_BYTES: usize = 200 << 20;

/// Most memory that the program may hold meanwhile, kB: three quarters of the line.
const PEAK_KB_MAX: u64 = 150 << 10;

#[test]
fn a_line_without_end_is_refused_in_bounded_memory() {
    let desk = Desk::new();
    let words = [&INGEST[..], &["--name", "endless.csv", "-"]].concat();
    let mut command = desk.command(&words);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    let feeder = std::thread::spawn(move || {
        pipe.write_all(kpn::head(&[Call::new("first")]).as_bytes()).expect("it reads");
        let chunk = vec![b'7'; 1 << 20];
        for _ in 0..ENDLESS_BYTES / chunk.len() {
            pipe.write_all(&chunk).expect("it reads on");
        }
    });
    let (peak_kb, stdout) = peak_until_it_closes(&mut child);
    feeder.join().expect("all was fed");
    let output = Output { stdout, ..child.wait_with_output().expect("it ends") };
    let facts = ["endless.csv", "endless_row", "line 2", "at most 65536 bytes", "file.row_bytes_max"];
    Said::of(&words, &output).ends(NEEDS_HAND).says(&facts);
    assert!(peak_kb > 0 && peak_kb < PEAK_KB_MAX, "the program held {peak_kb} kB for a line of {ENDLESS_BYTES} bytes");
    desk.holds(0, 0);
    desk.write("in/good.csv", kpn::good("good", 3));
    desk.ingest(&["in/good.csv"]).ends(DONE);
    desk.holds(3, 0);
}

/// The most memory that a process has held, looked at until it closes its stdout, and what it wrote there. The kernel keeps
/// the peak, so no moment is missed but the very last.
fn peak_until_it_closes(child: &mut Child) -> (u64, Vec<u8>) {
    let (closed, wait) = channel();
    let mut pipe = child.stdout.take().expect("a pipe");
    let reader = std::thread::spawn(move || {
        let mut stdout = Vec::new();
        pipe.read_to_end(&mut stdout).expect("it can be read");
        closed.send(()).expect("someone waits");
        stdout
    });
    let mut peak_kb = 0;
    while wait.recv_timeout(Duration::from_millis(10)) == Err(RecvTimeoutError::Timeout) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let held = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).and_then(|l| l.trim().strip_suffix(" kB")?.parse().ok());
        peak_kb = peak_kb.max(held.unwrap_or(0));
    }
    (peak_kb, reader.join().expect("the reader ends"))
}

#[test]
fn a_refused_file_that_was_dismissed_needs_no_hand_and_is_listed_with_all() {
    let whole = kpn::good("cut", 4);
    let desk = refused_beside_a_good_one("in/cut.csv", &whole.as_bytes()[..whole.len() - 9], "truncated", &[]);
    desk.tollway(&["dismiss", "nobody.csv", "--why", "x"]).ends(BAD_INPUT).says(&["`nobody.csv`", "tollway status"]);
    desk.tollway(&["dismiss", "cut.csv"]).ends(WRONG_USE).says(&["--why"]);
    desk.tollway(&["dismiss", "cut.csv", "--why", "the source sent it again by mail"]).ends(DONE).says(&["truncated", "haven"]);
    let said = desk.tollway(&["status"]).ends(DONE).says(&["all well"]);
    assert!(!format!("{said:?}").contains("by mail"), "{said:?}");
    desk.tollway(&["status", "--all"]).ends(DONE).says(&[
        "in/cut.csv",
        "dismissed (truncated)",
        "the source sent it again by mail",
    ]);
    desk.tollway(&["dismiss", "in/cut.csv", "--why", "again"]).ends(DONE);
    let said = desk.tollway(&["status", "--all", "--output", "json"]).ends(DONE).json();
    assert_eq!(said["dismissed"][0]["message"], "the source sent it again by mail", "the first word stands: {said}");
    desk.holds(3, 0);
}

#[test]
fn a_state_database_that_is_no_database_is_told_by_status() {
    let desk = Desk::new();
    desk.write("in/good.csv", kpn::good("good", 3));
    desk.ingest(&["in/good.csv"]).ends(DONE);
    desk.tollway(&["status"]).ends(DONE).says(&["all well"]);
    // What is still in the log beside it would make it whole again.
    for beside in ["state.db-wal", "state.db-shm"] {
        std::fs::remove_file(desk.data(beside)).unwrap_or_default();
    }
    std::fs::write(desk.data("state.db"), "no database at all, but long enough to be read as one").expect("it can be written");
    desk.tollway(&["status"]).ends(NEEDS_HAND).says(&["the state database needs a hand", "state.db"]);
}

#[test]
fn a_whole_file_says_when_its_sum_could_not_be_checked() {
    let desk = Desk::new();
    desk.write("in/sum.csv", kpn::good("sum", 40).replacen("0,05", "0.05", 1));
    let facts = ["in/sum.csv", "was not checked", "1 amounts cannot be read", "EUR 1.95"];
    desk.ingest(&["in/sum.csv"]).says(&facts);
    let said = desk.tollway(&["status", "--output", "json"]).json();
    assert!(said["remarks"][0].as_str().is_some_and(|remark| remark.contains("was not checked")), "{said}");
    desk.holds(39, 1);
}
