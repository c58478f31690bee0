//! Events as lines: what is one record, what is several, what is none, and which row is which event.

use proptest::prelude::*;

use super::*;
use crate::land::{LivePartition, LiveRange};
use crate::parse::occurrence::number_live;
use crate::parse::{RowRange, parse};
use crate::profile::Profile;
use crate::profile::samples::{self, shipped};

const JSON: &str = r#"
name = "switch"
version = 1
title = "Events of a switch"

[file]
reader = "json"

[record]
key = "content-and-occurrence"

[kind]
constant = "voice"

[direction]
constant = "outgoing"

[served]
column = "from"

[other]
column = "to"

[time]
column = "at"
pattern = "epoch-seconds"
zone = "Europe/Amsterdam"

[duration]
column = "seconds"
"#;

fn text() -> LiveForm {
    LiveForm::new(&shipped("freeswitch-cdr-csv"), "").expect("lines without a header")
}

fn lines(form: &LiveForm, event: &str) -> (u64, String) {
    let mut lines = Vec::new();
    let count = form.append(event.as_bytes(), &mut lines);
    (count, String::from_utf8(lines).expect("text"))
}

#[test]
fn an_event_is_a_line_with_or_without_its_line_end_and_several_lines_are_several_records() {
    let form = text();
    assert_eq!(lines(&form, "a;b"), (1, "a;b\n".to_owned()));
    assert_eq!(lines(&form, "a;b\r\n"), (1, "a;b\r\n".to_owned()));
    assert_eq!(lines(&form, "a;b\n\nc;d\n"), (2, "a;b\nc;d\n".to_owned()));
    for nothing in ["", "\n", "\r\n\n"] {
        assert_eq!(lines(&form, nothing), (0, String::new()), "{nothing:?}");
    }
}

#[test]
fn a_pretty_json_event_is_one_record_and_lines_of_json_are_several() {
    let form = LiveForm::new(&Profile::load(JSON).expect("a profile"), "").expect("JSON lines");
    assert_eq!(lines(&form, "{\n \"a\": 1\n}\n"), (1, "{  \"a\": 1 }\n".to_owned()));
    assert_eq!(lines(&form, "{\"a\":\"}\\\"{\"}\n{\"a\":2}"), (2, "{\"a\":\"}\\\"{\"}\n{\"a\":2}\n".to_owned()));
    assert_eq!(lines(&form, "{\"a\":\"x\ny\"}"), (1, "{\"a\":\"x\ry\"}\n".to_owned()), "it stays what JSON refuses");
    assert_eq!(lines(&form, "}\n{\n"), (2, "}\n{ \n".to_owned()), "garbage is a row, too");
}

#[test]
fn profiles_that_cannot_read_single_events_are_refused_with_what_to_do() {
    let refused = |name: &str, header: &str| LiveForm::new(&shipped(name), header).expect_err(name).to_string();
    assert!(refused("tap3", "").contains("one list per file"));
    assert!(refused("job", "").contains("`listen.header`"));
    assert!(refused("freeswitch-cdr-csv", "a,b").contains("correct `listen.header`"));
    assert!(refused("kpn-een", "type;nummer").contains("correct `listen.header`"));
    let file = samples::file_of("routit");
    let header = file.split(|byte| *byte == b'\n').next().expect("a line");
    let form = LiveForm::new(&shipped("routit"), &String::from_utf8_lossy(header)).expect("the header of its files");
    assert_eq!(form.header().strip_suffix(b"\n"), header.strip_suffix(b"\r"));
}

fn source() -> LivePartition {
    LivePartition { topic: "cdr".to_owned(), incarnation: "one".to_owned(), partition: 0 }
}

fn gathered(events: &[(u64, &str)]) -> LiveRange {
    let (form, mut batch) = (text(), MicroBatch::new(&text(), 0, None));
    for (offset, value) in events {
        batch.take(&form, &Event { partition: 0, offset: *offset, value: value.as_bytes().to_vec() });
    }
    batch.range(&source()).expect("it holds events")
}

#[test]
fn every_row_knows_its_event() {
    let range = gathered(&[(7, "a"), (8, "b"), (9, ""), (10, "c\nd"), (11, "e"), (40, "f")]);
    let places: Vec<(u64, u64)> = (0..range.rows).map(|row| range.place(row)).collect();
    assert_eq!(places, [(7, 0), (8, 0), (10, 0), (10, 1), (11, 0), (40, 0)]);
    assert_eq!((range.first_offset, range.next_offset, range.rows, range.empty), (7, 41, 6, 1));
}

#[test]
fn a_batch_of_empty_events_moves_the_offsets_on() {
    let range = gathered(&[(3, ""), (4, "\n")]);
    assert_eq!((range.first_offset, range.next_offset, range.rows, range.empty), (3, 5, 0, 2));
}

proptest! {
    #[test]
    fn places_are_distinct_and_in_order_whatever_comes(events in proptest::collection::vec((1u64..4, "[a\n]{0,4}"), 1..60)) {
        let (mut offset, mut all) = (0, Vec::new());
        for (gap, value) in &events {
            offset += gap;
            all.push((offset, value.as_str()));
        }
        let range = gathered(&all);
        let places: Vec<(u64, u64)> = (0..range.rows).map(|row| range.place(row)).collect();
        prop_assert!(places.is_sorted_by(|a, b| a < b));
        let expected: Vec<u64> = all
            .iter()
            .flat_map(|(offset, value)| value.split('\n').filter(|line| !line.is_empty()).map(|_| *offset))
            .collect();
        prop_assert_eq!(places.iter().map(|(offset, _)| *offset).collect::<Vec<_>>(), expected);
    }
}

/// Record keys of events that landed in batches of so many rows, from a topic of this name and life.
fn keys(profile: &Profile, events: &[(u64, &str)], cut: usize, topic: &str, life: &str) -> Vec<u128> {
    let form = LiveForm::new(profile, "").expect("it reads lines");
    let source = LivePartition { topic: topic.to_owned(), incarnation: life.to_owned(), partition: 3 };
    let (file, hasher) = (samples::context(profile), samples::hasher());
    let mut all = Vec::new();
    for piece in events.chunks(cut) {
        let mut batch = MicroBatch::new(&form, 0, None);
        for (offset, value) in piece {
            batch.take(&form, &Event { partition: 3, offset: *offset, value: value.as_bytes().to_vec() });
        }
        let layout = profile.resolve_header(form.header()).expect("no header");
        let mut parsed = parse(profile, &layout, &file, &hasher, RowRange { first_row: 0, byte_from: 0 }, batch.lines());
        number_live(&mut parsed, &batch.range(&source).expect("events"), &hasher);
        let rows = parsed.columns.row.iter().copied().zip(parsed.columns.key.iter().copied());
        let mut rows: Vec<(u64, u128)> = rows.chain(parsed.malformed.iter().map(|row| (row.row, row.key))).collect();
        rows.sort_unstable();
        all.extend(rows.into_iter().map(|(_, key)| key));
    }
    all
}

const CALL: &str = r#"{"from":"+31612345678","to":"+31201234567","at":"1792800000","seconds":"60"}"#;

#[test]
fn equal_events_are_calls_of_their_own_however_they_are_cut_and_are_known_again_by_their_place() {
    let profile = Profile::load(JSON).expect("a profile");
    let twice = format!("{CALL}\n{CALL}");
    let events = [(5, CALL), (6, CALL), (7, "garbage"), (8, "garbage"), (9, &*twice), (12, CALL)];
    let of = keys(&profile, &events, 2, "cdr", "one");
    let distinct: std::collections::BTreeSet<_> = of.iter().collect();
    assert_eq!((of.len(), distinct.len()), (7, 7));
    for cut in [1, 3, 100] {
        assert_eq!(keys(&profile, &events, cut, "cdr", "one"), of, "cut at {cut}");
    }
    assert_eq!(keys(&profile, &events, 2, "cdr", "two"), of, "a restored topic holds what was there");
    let other = keys(&profile, &events, 2, "another", "one");
    assert!(other.iter().all(|key| !distinct.contains(key)), "another topic's events are others");
}

#[test]
fn an_id_is_the_same_in_every_place() {
    let profile = Profile::load(&JSON.replace("key = \"content-and-occurrence\"", "key = \"content\"")).expect("a profile");
    let of = keys(&profile, &[(5, CALL), (6, CALL)], 1, "cdr", "one");
    assert_eq!(of[0], of[1], "equal content is one record where the profile says so");
}
