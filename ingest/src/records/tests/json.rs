//! JSON lines and arrays: paths, escapes, what is no record, where the array is, and records behind a broken one.

use super::{assert_cuts_agree, faults, profile, read, refused, state};
use crate::message::FileState;
use crate::profile::Profile;
use crate::profile::samples::batches;

const NAMES: [(&str, &str); 7] = [
    ("ID", "id"),
    ("KIND", "kind"),
    ("SERVED", "party.a"),
    ("OTHER", "party.b"),
    ("TIME", "call.start"),
    ("SECONDS", "call.seconds"),
    ("COST", "cost"),
];

pub(super) fn lines() -> Profile {
    profile("[file]\nreader = \"json\"\n", NAMES)
}

pub(super) fn array() -> Profile {
    profile("[file]\nreader = \"json\"\n[json]\nrecords = \"array\"\n", NAMES)
}

pub(super) fn nested() -> Profile {
    profile("[file]\nreader = \"json\"\n[json]\nrecords = \"array\"\npath = \"export.calls\"\n", NAMES)
}

pub(super) fn record(id: u32) -> String {
    format!(
        "{{\"id\":{id},\"kind\":\"V\",\"party\":{{\"a\":\"+31612345678\",\"b\":\"020 7654321\",\"note\":[{{\"id\":1}},{{\"id\":2}}]}},\
         \"call\":{{\"start\":\"2026-10-24 09:15:00\",\"seconds\":63}},\"cost\":0.0412}}"
    )
}

#[test]
fn columns_are_found_by_their_path_in_any_order() {
    let other = "{ \"cost\": null, \"call\": {\"seconds\": 0, \"start\": \"2026-10-24 09:16:00\"}, \"legs\": [1, {\"x\": [null]}],\n\
        \"party\": {\"b\": \"Caf\\u00e9 \\ud83d\\ude00\", \"\\u0061\": \"0612345678\"}, \"kind\": \"S\", \"id\": \"x/1\" }";
    let text = format!("{}\n{}\r\n", record(7), other.replace('\n', " "));
    let batch = read(&lines(), &text);
    assert_eq!(faults(&batch), []);
    let c = &batch.columns;
    assert_eq!((c.record_id.get(0), c.record_id.get(1)), ("7", "x/1"));
    assert_eq!((c.duration_s.as_slice(), c.cost_nano[0]), (&[63, 0][..], 41_200_000));
    assert!(c.a_number.iter().all(|n| n.as_e164() == Some(31_612_345_678)));
    assert_eq!(batch.texts, ["Caf\u{e9} \u{1f600}"]);
    assert_eq!((c.offset[1], c.length[1] as usize), (record(7).len() as u64 + 1, other.len()));
}

#[test]
fn blanks_change_no_key_and_values_do() {
    let spaced = record(1).replace(':', " : ").replace("09 : 15 : 00", "09:15:00").replace(',', " ,\t");
    let batch = read(&lines(), format!("{}\n{spaced}\n{}\n", record(1), record(2)));
    assert_eq!(faults(&batch), []);
    assert_eq!(batch.columns.key[0], batch.columns.key[1]);
    assert_ne!(batch.columns.key[0], batch.columns.key[2]);
}

#[test]
fn what_is_no_record_keeps_its_reason_and_its_neighbours() {
    let good = record(1);
    let broken = [
        ("{\"id\":1,\"id\":2}", "malformed.columns", "id"),
        ("{\"id\":{\"x\":1}}", "malformed.columns", "id"),
        ("{\"party\":\"x\"}", "malformed.columns", "party.a"),
        ("{\"party\":[{\"a\":1}]}", "malformed.columns", "party.a"),
        ("[1,2]", "malformed.columns", "record"),
        ("{\"id\":1", "malformed.columns", "record"),
        ("{\"id\":1} x", "malformed.columns", "record"),
        ("{\"id\":\"\\ud800\"}", "malformed.encoding", "id"),
        ("{\"id\":\"a\\u0000b\"}", "malformed.encoding", "id"),
        ("{\"id\":01}", "malformed.columns", "record"),
        ("{\"kind\":\"X\"}", "malformed.type", "kind"),
        ("{\"kind\":\"V\"}", "malformed.number", "party.a"),
    ];
    let deep = format!("{{\"id\":{}1{}}}", "[".repeat(60), "]".repeat(60));
    let all = broken.iter().map(|(line, ..)| *line).chain([deep.as_str()]);
    let all: Vec<&str> = all.flat_map(|line| [good.as_str(), line]).chain([good.as_str()]).collect();
    let text = all.join("\n") + "\n";
    let batch = read(&lines(), &text);
    let wanted: Vec<(u64, &str, &str)> = (0..).zip(broken).map(|(i, (_, reason, field))| (2 * i + 1, reason, field)).collect();
    let found = faults(&batch);
    assert_eq!(found[..broken.len()], wanted[..]);
    assert_eq!(found[broken.len()..], [(25, "malformed.columns", "record")], "deeper than the profile allows");
    assert_eq!(batch.len(), 14);
    assert_eq!(batch.malformed[0].raw, broken[0].0.as_bytes());
    assert_cuts_agree(&lines(), text.as_bytes());
}

#[test]
fn an_array_is_found_and_cut_between_its_records() {
    let records = (1..=5).map(record).collect::<Vec<_>>().join(",\n  ");
    let plain = format!("[\n  {records}\n]\n");
    let around =
        format!("{{\"made\":\"x\",\"n\":[1,{{}}],\"export\":{{\"a\":1, \"calls\": [{records}] ,\"next\":null}},\"end\":1}}\n");
    for (profile, text) in [(array(), &plain), (nested(), &around)] {
        let batch = read(&profile, text);
        assert_eq!((batch.len(), faults(&batch)), (5, vec![]));
        let (from, length) = (usize::try_from(batch.columns.offset[3]).expect("small"), batch.columns.length[3] as usize);
        assert_eq!(text[from..from + length], record(4));
        assert_cuts_agree(&profile, text.as_bytes());
    }
}

#[test]
fn what_is_not_where_it_should_be_refuses_the_file() {
    let says = |profile: &Profile, text: &str, wanted: FileState, words: &str| {
        let (found, message) = state(profile, text.as_bytes());
        assert!(found == wanted && message.contains(words), "{text}: {found:?} {message}");
    };
    says(&array(), "{\"a\":1}", FileState::WrongHeader, "not with an array");
    says(&nested(), "[1]", FileState::WrongHeader, "wants an object");
    says(&nested(), "{\"export\":{\"cals\":[]}}", FileState::WrongHeader, "no `export.calls`");
    says(&nested(), "{\"export\":{\"calls\" []}}", FileState::WrongHeader, "no JSON at byte");
    says(&array(), "[]", FileState::Empty, "no records");
    says(&array(), "", FileState::Empty, "no bytes");
    says(&array(), &format!("[{}][{}]", record(1), record(2)), FileState::WrongCount, "behind the list");
    says(&array(), &format!("[{},", record(1)), FileState::Truncated, "after 1 whole records");
    says(&nested(), &format!("{{\"export\":{{\"calls\":[{}]}}", record(1)), FileState::WrongCount, "behind the list");
}

#[test]
fn a_broken_record_of_an_array_ends_where_the_next_one_begins() {
    let good = record(1);
    for broken in [
        good.replacen('}', "", 1),
        good.replacen('{', "", 1),
        good.replacen(':', "", 1),
        good.replacen('"', "", 1),
        good.replacen("\"V\"", "\"V", 1),
        good.replacen(']', "", 1),
        good.replacen("[{", "{[", 1),
        good[..good.len() - 20].to_owned(),
        "5, null, \"x\"".to_owned(),
    ] {
        for (profile, open, close) in [(array(), "[", "]"), (nested(), "{\"export\":{\"calls\":[", "]}}")] {
            let text = format!("{open}{good},{broken},\n{good},{good}{close}");
            let batch = read(&profile, &text);
            assert_eq!((batch.columns.row.as_slice(), batch.rows_in), (&[0, 2, 3][..], 4), "{broken}");
            assert_eq!(batch.malformed[0].raw, broken.as_bytes(), "{broken}");
            assert_cuts_agree(&profile, text.as_bytes());
            if good.starts_with(&broken) {
                // An array that ends with half a record was cut off.
                continue;
            }
            let text = format!("{open}{good},{good},{broken}{close}");
            let batch = read(&profile, &text);
            assert_eq!((batch.columns.row.as_slice(), batch.rows_in), (&[0, 1][..], 3), "at the end: {broken}");
        }
    }
}

#[test]
fn an_array_cut_off_anywhere_is_never_complete() {
    let text = format!("[{},{}]", record(1), record(2));
    for cut in 1..text.len() {
        let (split, _) = batches(&array(), &text.as_bytes()[..cut], 9);
        assert!(!split.verdict.state.is_taken() && !split.verdict.message.is_empty(), "cut at {cut}: {:?}", split.verdict);
    }
}

#[test]
fn records_larger_than_a_row_may_be_are_kept_in_part() {
    let small = profile("[file]\nreader = \"json\"\nrow_bytes_max = 400\n[json]\nrecords = \"array\"\n", NAMES);
    let large = record(2).replace("\"V\"", &format!("\"{}\"", "V".repeat(5000)));
    let batch = read(&small, format!("[{},{large},{}]", record(1), record(3)));
    assert_eq!(batch.columns.row, [0, 2]);
    assert_eq!((batch.malformed[0].raw.len(), batch.malformed[0].length), (400, large.len() as u64));
    let endless = format!("[{},\"{}", record(1), "x".repeat(3 << 20));
    let (found, message) = state(&small, endless.as_bytes());
    assert!(found == FileState::EndlessRow && message.contains("no record in sight"), "{found:?} {message}");
}

#[test]
fn declarations_that_cannot_be_say_why() {
    let text = nested().text().to_owned();
    for (from, to, words) in [
        ("column = \"party.a\"", "column = \"party\"", "cannot be a value and hold"),
        ("column = \"party.a\"", "column = \"party..a\"", "is no path"),
        ("column = \"party.a\"", "column = 2", "has no positions"),
        ("path = \"export.calls\"", "path = \"export.\"", "is no path"),
        ("records = \"array\"", "records = \"lines\"", "stand in no array"),
        ("records = \"array\"", "records = \"array\"\ndepth_max = 65", "between 1 and 64"),
        ("reader = \"json\"", "reader = \"json\"\nencoding = \"latin-1\"", "does not use it"),
        ("reader = \"json\"", "reader = \"fixed-width\"", "does not use it"),
    ] {
        assert!(text.contains(from), "{from}");
        let error = refused(&text.replacen(from, to, 1));
        assert!(error.contains(words), "{to}: {error}");
    }
}
