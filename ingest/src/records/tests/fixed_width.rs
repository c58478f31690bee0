//! Rows of fixed width: places in characters, what fills columns up, short and long rows, trailers.

use domain::number::NumberKind;

use super::{assert_cuts_agree, faults, profile, read, refused, state};
use crate::message::FileState;
use crate::profile::Profile;
use crate::profile::samples::batches;

const NAMES: [(&str, &str); 7] = [
    ("ID", "id"),
    ("KIND", "kind"),
    ("SERVED", "served"),
    ("OTHER", "other"),
    ("TIME", "time"),
    ("SECONDS", "seconds"),
    ("COST", "cost"),
];

const HEAD: &str = r#"
[file]
reader = "fixed-width"
skip_lines = 1

[columns]
id = { start = 1, width = 6, pad = "0", align = "right" }
kind = { start = 7, width = 1 }
served = { start = 8, width = 14, pad = "0", align = "right" }
other = { start = 22, width = 14, pad = "*", align = "left" }
time = { start = 36, width = 19 }
seconds = { start = 55, width = 6, pad = "0", align = "right" }
cost = { start = 61, width = 8 }

[trailer]
marker = "T"
rows_at = { start = 2, width = 6, pad = "0" }
sum_at = { start = 8, width = 9, pad = "0" }
"#;

const ROWS: [&str; 3] = [
    "000017V00031612345678020 7654321** 2026-10-24 09:15:00000063  0.0412",
    "000000V00031612345678Caf\u{e9} Z\u{fc}id*****2026-10-24 09:16:00000000    0.00",
    "000018S00031612345678112***********2026-10-24 09:17:00        0.0300",
];

fn fixed() -> Profile {
    profile(HEAD, NAMES)
}

fn file(rows: &[&str], trailer: &str) -> String {
    format!("H20261024\n{}\n{trailer}\n", rows.join("\n"))
}

#[test]
fn columns_stand_at_their_characters_and_lose_what_fills_them_up() {
    let batch = read(&fixed(), file(&ROWS, "T0000030000.0712"));
    assert_eq!(faults(&batch), []);
    let c = &batch.columns;
    assert_eq!((c.record_id.get(0), c.record_id.get(1)), ("17", "0"), "of zeros alone one stays");
    assert_eq!(c.duration_s, [63, 0, 0]);
    assert_eq!(c.cost_nano, [41_200_000, 0, 30_000_000]);
    assert!(c.a_number.iter().all(|n| n.as_e164() == Some(31_612_345_678)));
    assert_eq!(c.b_number[0].as_e164(), Some(31_207_654_321));
    assert_eq!(
        (c.b_number[1].kind(), batch.texts.as_slice()),
        (NumberKind::Alphanumeric, &["Caf\u{e9} Z\u{fc}id".to_owned()][..])
    );
    assert_eq!(c.b_number[2].kind(), NumberKind::ShortCode);
    assert_cuts_agree(&fixed(), file(&ROWS, "T0000030000.0712").as_bytes());
}

#[test]
fn the_number_of_a_file_stands_in_its_header_or_its_trailer() {
    let numbered = |sequence: &str| profile(&format!("{HEAD}\n[sequence]\n{sequence}\n"), NAMES);
    let of = |profile: &Profile, trailer: &str| {
        let text = file(&ROWS, trailer);
        let read = |range: std::ops::Range<u64>| {
            text.as_bytes()
                .get(usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap())
                .map(<[u8]>::to_vec)
                .ok_or(())
        };
        profile.file_number("any", text.len() as u64, read).expect("a range of the file").map(|file| file.digits)
    };
    let header = numbered("in = \"header\"\nat = { start = 6, width = 4 }");
    assert_eq!(of(&header, "T0000030000.0712"), Some("1024".to_owned()));
    let trailer = numbered("in = \"trailer\"\nat = { start = 17, width = 5 }");
    assert_eq!(of(&trailer, "T0000030000.071200017"), Some("00017".to_owned()));
    assert_eq!(of(&trailer, "T0000030000.07120001"), None, "half a number is another one");
}

#[test]
fn latin_1_counts_bytes_and_utf_8_characters() {
    let latin = profile(&HEAD.replace("skip_lines = 1", "skip_lines = 1\nencoding = \"latin-1\""), NAMES);
    let text = file(&ROWS[..2], "T0000020000.0412");
    let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(c).expect("a Latin-1 character")).collect();
    let batch = read(&latin, bytes);
    assert_eq!((batch.len(), batch.texts.as_slice()), (2, &["Caf\u{e9} Z\u{fc}id".to_owned()][..]));
}

#[test]
fn a_row_that_ends_early_is_no_row_unless_blanks_may_be_missing() {
    let short = &ROWS[0][..ROWS[0].len() - 3];
    let text = file(&[ROWS[0], short], "T0000020000.0824");
    let batch = read(&fixed(), &text);
    assert_eq!(faults(&batch), [(1, "malformed.columns", "cost")], "half an amount is no amount");
    let padded = profile(&HEAD.replace("skip_lines = 1", "skip_lines = 1\nshort_rows = \"pad\""), NAMES);
    let blank = &ROWS[0][..54];
    let batch = read(&padded, file(&[blank], "T0000010000.0000"));
    assert_eq!(faults(&batch), [(0, "malformed.duration", "seconds")], "no call is free because its row is short");
    let exact = profile(&HEAD.replace("skip_lines = 1", "skip_lines = 1\nrow_width = 68"), NAMES);
    let long = format!("{}x", ROWS[0]);
    let batch = read(&exact, file(&[ROWS[0], &long], "T0000020000.0824"));
    assert_eq!(faults(&batch), [(1, "malformed.columns", "record")]);
}

#[test]
fn the_trailer_is_checked_at_its_places() {
    let says = |rows: &[&str], trailer: &str, wanted: FileState, words: &str| {
        let (found, message) = state(&fixed(), file(rows, trailer).as_bytes());
        assert!(found == wanted && message.contains(words), "{found:?} {message}");
    };
    says(&ROWS[..2], "T0000020000.0412", FileState::Complete, "");
    says(&ROWS[..2], "T0000030000.0412", FileState::WrongCount, "announces 3 rows");
    says(&ROWS[..2], "T0000020000.0413", FileState::WrongSum, "EUR 0.0413");
    says(&ROWS[..2], "T", FileState::WrongCount, "no characters 2 to 7");
    says(&ROWS[..2], "T00000", FileState::WrongCount, "no characters 2 to 7");
    says(&ROWS[..2], ROWS[0], FileState::Truncated, "without its trailer");
}

#[test]
fn a_file_cut_off_anywhere_is_never_complete_and_keeps_its_whole_rows() {
    let text = file(&ROWS[..2], "T0000020000.0412");
    for cut in 0..text.len() - 2 {
        let (state, message) = state(&fixed(), &text.as_bytes()[..cut]);
        assert!(!state.is_taken() || cut < 11 && !message.is_empty(), "cut at {cut}: {state:?} {message}");
    }
    let bare = profile(HEAD.split("[trailer]").next().expect("a head"), NAMES);
    let text = file(&ROWS[..2], "");
    for cut in text.len() - 30..text.len() - 3 {
        let (split, _) = batches(&bare, &text.as_bytes()[..cut], 9);
        assert_eq!((split.verdict.state, split.verdict.rows), (FileState::Truncated, 1), "cut at {cut}");
    }
}

#[test]
fn declarations_that_cannot_be_say_why() {
    let text = fixed().text().to_owned();
    for (from, to, words) in [
        ("column = \"served\"", "column = \"sreved\"", "did you mean `served`?"),
        ("column = \"served\"", "column = 3", "has no positions"),
        ("start = 1, width = 6", "start = 0, width = 6", "between 1 and"),
        ("width = 6, pad = \"0\", align = \"right\" }\nkind", "width = 0 }\nkind", "between 1 and"),
        ("pad = \"*\", align = \"left\"", "pad = \"*\"", "on which side"),
        ("pad = \"*\", align = \"left\"", "pad = \"\u{20ac}\", align = \"left\"", "ASCII"),
        ("skip_lines = 1", "skip_lines = 1\nrow_width = 60", "behind the row's end"),
        ("skip_lines = 1", "skip_lines = 1\nseparator = \";\"", "does not use it"),
        ("rows_at = { start = 2, width = 6, pad = \"0\" }", "", "rows_at"),
        ("kind = { start = 7, width = 1 }", "kind = { start = 7, width = 1 }\nkind = { start = 8, width = 1 }", "duplicate"),
    ] {
        assert!(text.contains(from), "{from}");
        let error = refused(&text.replacen(from, to, 1));
        assert!(error.contains(words), "{to}: {error}");
    }
}
