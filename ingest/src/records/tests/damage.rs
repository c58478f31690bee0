//! Files of all readers with bytes changed, put in or taken out, cut off anywhere and fed in pieces of any size.

use domain::columns::parsed::ParsedBatch;
use proptest::prelude::*;

use super::{json, profile, xml};
use crate::parse::check::check;
use crate::parse::{RowRange, parse};
use crate::profile::samples::{batches, context, file_of, hasher, rows_of, shipped};
use crate::profile::{Layout, Profile};
use crate::split::{Splitter, split};

const FIXED: &str = r#"
[file]
reader = "fixed-width"
[columns]
id = { start = 1, width = 4 }
kind = { start = 5, width = 1 }
served = { start = 6, width = 12, pad = "0", align = "right" }
other = { start = 18, width = 10 }
time = { start = 28, width = 19 }
seconds = { start = 47, width = 5 }
cost = { start = 52, width = 6 }
"#;

fn fixed() -> (Profile, Vec<u8>) {
    let names = ["id", "kind", "served", "other", "time", "seconds", "cost"];
    let roles = ["ID", "KIND", "SERVED", "OTHER", "TIME", "SECONDS", "COST"];
    let profile = profile(FIXED, std::array::from_fn(|i| (roles[i], names[i])));
    let row = "  17V0316123456780207654321 2026-10-24 09:15:00   630.0412\n".to_owned();
    (profile, row.replace("0207654321 ", "0207654321").repeat(4).into_bytes())
}

/// A profile of each reader and a file of four records.
pub(super) fn sample(which: usize) -> (Profile, Vec<u8>) {
    let records: Vec<String> = (1..=4).map(json::record).collect();
    match which {
        0 => fixed(),
        1 => (json::lines(), (records.join("\n") + "\n").into_bytes()),
        2 => (json::array(), format!("[\n{}\n]\n", records.join(",\n")).into_bytes()),
        3 => (xml::calls(), xml::file(&(1..=4).map(xml::record).collect::<Vec<_>>()).into_bytes()),
        TAP3 => (shipped("tap3"), file_of("tap3")),
        _ => (json::nested(), format!("{{\"export\":{{\"n\":4,\"calls\":[{}]}}}}", records.join(",")).into_bytes()),
    }
}

const SAMPLES: usize = 6;
const TAP3: usize = 4;

#[test]
fn the_samples_are_whole() {
    for which in 0..SAMPLES {
        let (profile, file) = sample(which);
        let (split, parts) = batches(&profile, &file, 9);
        assert_eq!(split.verdict.message, "", "{which}");
        assert_eq!(parts.iter().map(ParsedBatch::len).sum::<usize>(), 4, "{which} {:?}", parts[0].malformed);
    }
}

#[test]
fn a_file_cut_at_any_byte_keeps_what_came_before() {
    for which in 0..SAMPLES {
        let (profile, file) = sample(which);
        let rows = batches(&profile, &file, u64::MAX).1.remove(0).columns;
        let ends: Vec<u64> = rows.offset.iter().zip(&rows.length).map(|(from, length)| from + u64::from(*length)).collect();
        for cut in 0..file.len() {
            let report = check(&profile, "cut", &file[..cut], 2);
            let whole = ends.iter().filter(|end| **end <= cut as u64).count() as u64;
            // Of a TAP3 file that is not whole nothing is shown.
            let wanted = if which == TAP3 { 0 } else { whole };
            assert_eq!(report.readable, wanted, "{which} cut at {cut}: {:?}", report.verdict);
        }
    }
}

#[test]
fn what_is_longer_than_a_record_may_be_is_judged_the_same_however_it_comes() {
    let long = |filler: &str, bytes: usize| filler.repeat(bytes / filler.len());
    for bytes in [900_000, 1_200_000] {
        for filler in ["x", " ", "{\"id\":1,", "<x>"] {
            let records = [json::record(1), long(filler, bytes), json::record(2)];
            let array = (json::array(), format!("[{}]", records.join(",")));
            let quoted = (json::array(), format!("[{}]", records.join(",\"")));
            let document = (xml::calls(), xml::file(&[xml::record(1), long(filler, bytes), xml::record(2)]));
            let commented =
                (xml::calls(), xml::file(&[xml::record(1), format!("<!--{}-->", long(filler, bytes)), xml::record(2)]));
            for (profile, file) in [array, quoted, document, commented] {
                let whole = split(&profile, file.as_bytes(), 9);
                for size in [70_000, 1_000_001] {
                    let mut splitter = Splitter::new(&profile, 9);
                    file.as_bytes().chunks(size).for_each(|chunk| splitter.push(chunk));
                    assert_eq!(splitter.finish(), whole, "{bytes} bytes of {filler:?} in pieces of {size}: {}", &file[..9]);
                }
            }
        }
    }
}

#[test]
fn hostile_files_cost_no_more_than_their_length() {
    let repeated = [
        "[",
        "{\"id\":",
        ",{",
        "{\"id\":1,\"kind\":2,\"party\":3,",
        "\"",
        "<Call>",
        "<Call><a/>",
        "<Call a='",
        "<!--",
        "<Call><!--",
        "&#",
    ];
    for (profile, head) in [(json::lines(), ""), (json::array(), "["), (xml::calls(), "<Usage><Calls>")] {
        for part in repeated {
            let file = format!("{head}{}", part.repeat(1_200_000 / part.len()));
            let mut splitter = Splitter::new(&profile, 9);
            for chunk in file.as_bytes().chunks(65_536) {
                splitter.push(chunk);
                assert!(splitter.kept_bytes() < 8 << 20, "a few records' worth is kept");
            }
            let verdict = splitter.finish().verdict;
            assert!(!verdict.state.is_taken() && !verdict.message.is_empty(), "{part}: {verdict:?}");
        }
    }
}

/// A sample with some bytes changed, put in or taken out, cut off anywhere.
fn spoilt_file() -> impl Strategy<Value = (usize, Vec<u8>)> {
    let byte = prop_oneof![4 => prop::sample::select(&b"{}[],:\"\\<>/&;= \n\r0\x00\xff\xc3-+T"[..]), 1 => any::<u8>()];
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, byte), 0..12);
    (0..SAMPLES, edits, any::<prop::sample::Index>(), 0..4u8).prop_map(|(which, edits, cut, how)| {
        let mut file = sample(which).1;
        for (at, edit, byte) in edits {
            let at = at.index(file.len().max(1)).min(file.len().saturating_sub(1));
            match edit {
                _ if file.is_empty() => file.push(byte),
                0 => file[at] = byte,
                1 => file.insert(at, byte),
                _ => {
                    file.remove(at);
                }
            }
        }
        if how == 0 {
            file.truncate(cut.index(file.len() + 1));
        }
        (which, file)
    })
}

/// The rows up to a byte, read in pieces of whole rows as who numbers them again does.
fn read_again(profile: &Profile, layout: &Layout, file: &[u8], to: u64, size: usize) -> Vec<String> {
    let to = usize::try_from(to).expect("small");
    let (mut at, mut piece, mut rows) = (usize::try_from(layout.body_from()).expect("small"), size, Vec::new());
    let mut first_row = 0;
    while at < to {
        let end = (at + piece).min(to);
        let whole = if end == to { Some(end - at) } else { profile.whole_rows(layout, &file[at..end]) };
        let Some(whole) = whole else {
            piece *= 2;
            continue;
        };
        let range = RowRange { first_row, byte_from: at as u64 };
        let batch = parse(profile, layout, &context(profile), &hasher(), range, &file[at..at + whole]);
        rows.extend(rows_of(&batch));
        first_row += batch.rows_in;
        at += whole;
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn every_row_of_a_spoilt_file_is_accounted_for((which, file) in spoilt_file(), rows in 1..5u64, size in 1..400u64) {
        let profile = sample(which).0;
        let (split, parts) = batches(&profile, &file, rows);
        prop_assert!(parts.iter().all(ParsedBatch::is_balanced));
        if split.verdict.state.is_taken() {
            prop_assert_eq!(parts.iter().map(|b| b.rows_in).sum::<u64>(), split.verdict.rows);
            prop_assert!(split.ranges.iter().zip(&parts).all(|(r, b)| r.rows == b.rows_in && r.first_row == b.first_row));
            let whole: Vec<String> = batches(&profile, &file, u64::MAX).1.iter().flat_map(rows_of).collect();
            prop_assert_eq!(parts.iter().flat_map(rows_of).collect::<Vec<_>>(), whole.clone());
            if let (Some(layout), Some(last)) = (&split.layout, split.ranges.last()) {
                let again = read_again(&profile, layout, &file, last.to, usize::try_from(size).expect("small"));
                prop_assert_eq!(again, whole);
            }
        } else {
            prop_assert!(!split.verdict.message.is_empty());
        }
        prop_assert_eq!(check(&profile, "spoilt", &file, 3).verdict, split.verdict);
    }

    #[test]
    fn the_cut_does_not_depend_on_how_the_file_comes((which, file) in spoilt_file(), size in 1..40usize) {
        let profile = sample(which).0;
        let mut splitter = Splitter::new(&profile, 2);
        file.chunks(size).for_each(|chunk| splitter.push(chunk));
        prop_assert_eq!(splitter.finish(), split(&profile, &file, 2));
    }

    #[test]
    fn garbage_never_panics(which in 0..SAMPLES, bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let (profile, mut file) = sample(which);
        check(&profile, "garbage", &bytes, 2);
        file.extend_from_slice(&bytes);
        check(&profile, "garbage", &file, 2);
    }
}
