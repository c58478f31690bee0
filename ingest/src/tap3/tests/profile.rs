//! TAP3 by a profile: from bytes to verdict, rows and the dry run, with nothing said about columns.

use domain::columns::parsed::ParsedBatch;

use super::super::tags;
use super::encode::{Audit, Batch, Event, Form};
use crate::message::FileState;
use crate::parse::check::check;
use crate::profile::Profile;
use crate::profile::samples::{batches, file_of, rows_of, shipped};
use crate::split::split;

fn changed(from: &str, to: &str) -> Result<Profile, String> {
    let text = shipped("tap3").text().to_owned();
    assert!(text.contains(from), "{from}");
    Profile::load(&text.replacen(from, to, 1)).map_err(|e| e.to_string())
}

#[test]
fn a_profile_reads_events_and_their_cost_in_its_currency() {
    let file = file_of("tap3");
    let (split, parts) = batches(&shipped("tap3"), &file, 3);
    assert_eq!((split.verdict.state, split.verdict.message.as_str(), parts.len()), (FileState::Complete, "", 2));
    let kinds: Vec<&str> = parts.iter().flat_map(|part| &part.columns.usage).map(|usage| usage.as_str()).collect();
    assert_eq!(kinds, ["voice-mo", "voice-mt", "sms-mo", "data"]);
    assert!(parts.iter().all(|part| part.columns.cost_nano.iter().all(|nano| *nano == 1_234_000_000)));
    let pounds = changed("\"XDR\"", "\"GBP\"").expect("a profile");
    let parts = batches(&pounds, &file, 3).1;
    assert!(parts.iter().all(|part| part.columns.cost_nano.iter().all(|nano| *nano == 1_542_500_000)), "1.25 pounds each");
    let euros = split_state(&changed("\"XDR\"", "\"EUR\"").expect("a profile"), &file);
    assert!(euros.0 == FileState::WrongHeader && euros.1.contains("use a profile for XDR"), "{}", euros.1);
}

fn split_state(profile: &Profile, file: &[u8]) -> (FileState, String) {
    let verdict = split(profile, file, 2).verdict;
    (verdict.state, verdict.message)
}

#[test]
fn a_broken_event_waits_and_its_neighbours_are_read_however_the_file_is_cut() {
    for form in [Form::Definite, Form::Indefinite, Form::Padded] {
        let mut batch = Batch::of(form, &[Event::call(), Event::of(tags::GPRS), Event::call()]);
        let event = &mut batch.events[0];
        let end = event.len();
        event[8..end].fill(0xff);
        let file = batch.encode();
        let whole: Vec<String> = batches(&shipped("tap3"), &file, u64::MAX).1.iter().flat_map(rows_of).collect();
        let (split, parts) = batches(&shipped("tap3"), &file, 1);
        assert_eq!(split.verdict.state, FileState::Complete, "{}", split.verdict.message);
        assert_eq!(parts.iter().map(ParsedBatch::len).sum::<usize>(), 2);
        assert_eq!(parts.iter().flat_map(rows_of).collect::<Vec<_>>(), whole);
    }
}

#[test]
fn a_check_shows_events_by_their_byte_and_what_differs() {
    let mut batch = Batch::of(Form::Definite, &[Event::call(), Event::of(999)]);
    batch.audit = Some(Audit { tax: Some(77), ..batch.audit.expect("a batch has one") });
    let file = batch.encode();
    let report = check(&shipped("tap3"), "CDGBRVFNLDLT00017", &file, 5);
    assert_eq!((report.verdict.state, report.rows, report.readable), (FileState::Complete, 2, 1));
    assert_eq!(report.malformed.get("malformed.type"), Some(&1));
    assert!(report.differences.iter().any(|d| d.contains("77")), "{:?}", report.differences);
    assert_eq!(report.shown.iter().map(|row| row.line).collect::<Vec<_>>(), [None, None]);
    let first = usize::try_from(report.shown[0].byte).expect("small");
    assert!(file[first..].starts_with(&batch.events[0]), "the byte at which the event begins");
    let became = |role: &str| {
        let column = report.shown[0].columns.iter().find(|c| c.role == role).expect("a role of the reader");
        (column.column.clone(), column.became.clone().unwrap_or_default())
    };
    assert_eq!(became("served"), ("chargeableSubscriber".to_owned(), "e164 31612345678".to_owned()));
    assert_eq!(became("time"), ("callEventStartTimeStamp".to_owned(), "2026-10-25 01:30:15 +01:00".to_owned()));
    assert_eq!(became("cost"), ("charge".to_owned(), "XDR 1.234".to_owned()));
    let wrong: Vec<&str> = report.shown[1].columns.iter().filter(|c| c.is_wrong).map(|c| c.role.as_str()).collect();
    assert_eq!(wrong, ["kind", "direction"]);
}

#[test]
fn a_notification_is_a_sign_of_life_and_a_test_is_refused() {
    let batch = Batch::of(Form::Definite, &[Event::call()]);
    assert_eq!(split_state(&shipped("tap3"), &batch.notification()), (FileState::Empty, String::new()));
    let loud = changed("empty_file = \"heartbeat\"", "").expect("a profile");
    assert!(split_state(&loud, &batch.notification()).1.contains("nothing to charge"));
    let test = Batch { is_test: true, ..batch.clone() }.encode();
    assert!(split_state(&shipped("tap3"), &test).1.contains("marked as a test"));
    let taking = changed("takes_tests = false", "takes_tests = true").expect("a profile");
    assert_eq!(split_state(&taking, &test).0, FileState::Complete);
    let small = changed("takes_tests = false", "file_bytes_max = 1024").expect("a profile");
    let long = Batch::of(Form::Definite, &vec![Event::call(); 20]).encode();
    assert!(split_state(&small, &long).1.contains("tap3.file_bytes_max"));
}

#[test]
fn what_the_reader_knows_cannot_be_said_otherwise() {
    for (from, to, words) in [
        ("[tap3]", "[kind]\nconstant = \"voice\"\n[tap3]", "knows what events mean"),
        ("[tap3]", "[cost]\ncolumn = \"charge\"\n[tap3]", "knows what events mean"),
        ("delivery = \"delta\"", "delivery = \"delta\"\nid = \"callReference\"", "knows the id"),
        ("cost_currency = \"XDR\"", "cost_currency = \"SDRs\"", "no currency"),
        ("cost_currency = \"XDR\"", "event_bytes_max = 1", "between 64 and"),
        ("reader = \"tap3\"", "reader = \"tap3\"\nskip_lines = 1", "does not use it"),
        ("reader = \"tap3\"", "reader = \"tap33\"", "did you mean `tap3`?"),
        ("reader = \"tap3\"", "", "does not use it"),
    ] {
        let error = changed(from, to).expect_err(to);
        assert!(error.contains(words), "{to}: {error}");
    }
    let bare = "name = \"a\"\nversion = 1\ntitle = \"a\"\n[record]\nkey = \"content\"\n";
    let error = Profile::load(bare).expect_err("no columns").to_string();
    assert!(error.contains("needs the section [served]"), "{error}");
}
