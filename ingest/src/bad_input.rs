//! Bad input by name: each case of every reader, one test per case. What is not bad goes on, and a bad row keeps its bytes.
//!
//! | case | readers | wrappers |
//! | --- | --- | --- |
//! | cut off at any byte | [`cut_off_at_any_byte`] | `unwrap::tests::a_file_cut_off_anywhere_says_so` |
//! | bit flips | [`bit_flips`] | `unwrap::tests::a_flipped_bit_anywhere_changes_nothing_or_is_said` |
//! | wrong declaration | [`wrong_declarations`] | told by content, so there is none |
//! | bombs, nested archives | - | `unwrap::tests::bombs_are_stopped_and_the_others_land`, `members_and_depth_have_limits` |
//! | endless line | [`endless_lines`] | - |
//! | deep nesting | [`deep_nesting`] | `unwrap::tests::members_and_depth_have_limits` |
//! | huge fields | [`huge_fields`] | - |
//! | duplicate columns | [`duplicate_columns`] | - |
//! | wrong trailer | [`wrong_trailers`] | - |
//! | mixed line ends | [`mixed_line_ends`] | - |
//! | numbers as people write them | [`numbers_as_people_write_them`] | - |
//!
//! The same as users meet it: `tests/tests/bad_input`. Spoilt at random: `cargo xtask fuzz`.

use domain::columns::parsed::ParsedBatch;

use crate::message::FileState;
use crate::parse::check::{CheckReport, check};
use crate::profile::Profile;
use crate::profile::samples::{SHIPPED, batches, file_of, shipped};
use crate::records::tests::sample_files;
use crate::split::split;

/// Every shipped layout and a layout of every other reader, each with a whole file of a few rows.
fn all() -> Vec<(String, Profile, Vec<u8>)> {
    let shipped = SHIPPED.iter().map(|(name, _)| ((*name).to_owned(), shipped(name), file_of(name)));
    shipped.chain(sample_files()).collect()
}

/// As [`all`], without TAP3: its lengths hold a file together, so its cases are in `tap3::tests::damage`.
fn all_texts() -> Vec<(String, Profile, Vec<u8>)> {
    all().into_iter().filter(|(name, ..)| name != "tap3").collect()
}

/// As [`all_texts`], those whose rows are lines that end in LF or CR LF.
fn all_lines() -> Vec<(String, Profile, Vec<u8>)> {
    all_texts().into_iter().filter(|(name, profile, _)| profile.has_rows_as_lines() && name != "tmobile-calvi").collect()
}

/// Where each readable row of a file ends.
fn ends(profile: &Profile, file: &[u8]) -> Vec<u64> {
    let batches = batches(profile, file, u64::MAX).1;
    let columns = batches.iter().map(|batch| &batch.columns);
    columns.flat_map(|c| c.offset.iter().zip(&c.length).map(|(from, length)| from + u64::from(*length))).collect()
}

fn assert_balanced(name: &str, report: &CheckReport) {
    let malformed: u64 = report.malformed.values().sum();
    assert_eq!(report.rows, report.readable + malformed + report.skipped.values().sum::<u64>(), "{name}");
    assert!(report.verdict.state == FileState::Complete || !report.verdict.message.is_empty(), "{name}: {:?}", report.verdict);
}

#[test]
fn cut_off_at_any_byte() {
    for (name, profile, file) in all_texts() {
        let ends = ends(&profile, &file);
        assert!(!ends.is_empty(), "{name}");
        for cut in 0..file.len() {
            let report = check(&profile, &name, &file[..cut], 1);
            assert_balanced(&name, &report);
            // Half a unit of UTF-16 behind a row spoils it: there a row counts once its line end is whole.
            let line_end = 4 * (profile.file.encoding.unit_bytes() as u64 - 1);
            let before = ends.iter().filter(|end| **end + line_end <= cut as u64).count() as u64;
            assert!(report.readable >= before, "{name} cut at {cut}: {} of {before} rows", report.readable);
        }
    }
}

#[test]
fn bit_flips() {
    for (name, profile, file) in all_texts() {
        let (whole, body) = (ends(&profile, &file), split(&profile, &file, 9).layout.expect("a layout").body_from());
        for at in usize::try_from(body).expect("small")..file.len() {
            for bit in [0, 5] {
                let mut spoilt = file.clone();
                spoilt[at] ^= 1 << bit;
                let report = check(&profile, &name, &spoilt, 1);
                assert_balanced(&name, &report);
                // A line end that is lost makes one row of two.
                assert!(report.readable + 2 >= whole.len() as u64, "{name} byte {at} bit {bit}: {report:?}");
            }
        }
    }
}

#[test]
fn wrong_declarations() {
    for (name, profile, file) in all() {
        for (other, _, foreign) in all() {
            let report = check(&profile, &name, &foreign, 1);
            assert_balanced(&name, &report);
            if report.readable > 0 && name != other {
                // Layouts of one reader may share a form: then it is the same file in other words.
                assert!(!report.verdict.state.is_taken() || profile.reader_word() == reader_of(&other), "{name} reads {other}");
            }
        }
        assert!(split(&profile, &file, 9).verdict.state.is_taken(), "{name}");
    }
}

fn reader_of(name: &str) -> &'static str {
    all().iter().find(|(other, ..)| other == name).map_or("", |(_, profile, _)| profile.reader_word())
}

#[test]
fn endless_lines() {
    for (name, profile, file) in all_lines() {
        let mut endless = file.clone();
        endless.truncate(file.len() - 1);
        endless.extend(std::iter::repeat_n(b'x', 70 * 65_536));
        let verdict = split(&profile, &endless, 9).verdict;
        assert!(!verdict.state.is_taken() && !verdict.message.is_empty(), "{name}: {verdict:?}");
    }
}

#[test]
fn deep_nesting() {
    for (name, profile, file) in sample_files() {
        let deep =
            [("[", "]"), ("{\"x\":", "}"), ("<x>", "</x>")].map(|(open, close)| open.repeat(5_000) + "1" + &close.repeat(5_000));
        for value in deep {
            let text = String::from_utf8(file.clone()).expect("text");
            let spoilt = text.replacen("63", &value, 1);
            let report = check(&profile, &name, spoilt.as_bytes(), 1);
            assert_balanced(&name, &report);
            assert!(report.readable + 2 >= ends(&profile, &file).len() as u64, "{name}: {:?}", report.verdict);
        }
    }
}

#[test]
fn huge_fields() {
    for (name, profile, file) in all_texts().into_iter().filter(|(name, ..)| name != "tmobile-calvi") {
        let whole = ends(&profile, &file);
        let last = usize::try_from(whole[whole.len() - 1]).expect("small");
        for bytes in [60_000, 70_000, 300_000] {
            let mut huge = file.clone();
            let at = last - 2;
            huge.splice(at..at, std::iter::repeat_n(b'7', bytes));
            let report = check(&profile, &name, &huge, 1);
            assert_balanced(&name, &report);
            assert!(report.readable + 1 >= whole.len() as u64, "{name} with {bytes} bytes: {:?}", report.verdict);
        }
    }
}

#[test]
fn duplicate_columns() {
    for (name, profile, file) in all_lines().into_iter().filter(|(_, profile, _)| profile.file.has_header) {
        let end = file.iter().position(|c| *c == b'\n').expect("a header");
        let separator = profile.file.separator;
        let header = file[..end].trim_ascii_end();
        for column in header.split(|c| *c == separator) {
            let twice = [header, &[separator], column, &file[end..]].concat();
            let verdict = split(&profile, &twice, 9).verdict;
            let is_read = verdict.message.contains("twice");
            // A column that the profile does not read may come as often as it likes; its rows then lack a field.
            assert!(is_read || verdict.state.is_taken() || !verdict.message.is_empty(), "{name}: {verdict:?}");
            assert!(!is_read || verdict.state == FileState::WrongHeader, "{name}: {verdict:?}");
        }
    }
    for (name, profile, file) in sample_files().into_iter().filter(|(name, ..)| name.starts_with("json")) {
        let text = String::from_utf8(file).expect("text").replacen("\"cost\":", "\"cost\":1,\"cost\":", 1);
        let report = check(&profile, &name, text.as_bytes(), 1);
        assert_eq!((report.malformed.get("malformed.columns"), report.readable), (Some(&1), report.rows - 1), "{name}");
    }
}

#[test]
fn wrong_trailers() {
    let with = all_lines().into_iter().filter(|(_, profile, _)| profile.trailer.is_some());
    for (name, profile, file) in with {
        let lines: Vec<&[u8]> = file.split_inclusive(|c| *c == b'\n').collect();
        let (trailer, rows) = lines.split_last().expect("lines");
        for (spoilt, states) in [
            (rows.concat(), &[FileState::Truncated][..]),
            ([&rows[..rows.len() - 1].concat(), *trailer].concat(), &[FileState::WrongCount]),
            ([&rows.concat(), rows[rows.len() - 1], trailer].concat(), &[FileState::WrongCount]),
            ([&file[..], rows[rows.len() - 1]].concat(), &[FileState::WrongCount]),
            ([&rows.concat(), &trailer[..trailer.len().min(5)]].concat(), &[FileState::Truncated, FileState::WrongCount]),
        ] {
            let verdict = split(&profile, &spoilt, 9).verdict;
            assert!(states.contains(&verdict.state), "{name}: {verdict:?}\n{}", String::from_utf8_lossy(&spoilt));
        }
    }
}

#[test]
fn mixed_line_ends() {
    for (name, profile, file) in all_lines() {
        let plain: Vec<u8> = file.iter().copied().filter(|c| *c != b'\r').collect();
        let ends = |nth: usize| if nth.is_multiple_of(2) { &b"\r\n"[..] } else { b"\n" };
        let lines = plain.split_inclusive(|c| *c == b'\n').enumerate();
        let mixed: Vec<u8> = lines.flat_map(|(nth, line)| [line.trim_ascii_end(), ends(nth)].concat()).collect();
        let readable = |file: &[u8]| batches(&profile, file, u64::MAX).1.iter().map(ParsedBatch::len).sum::<usize>();
        assert_eq!(split(&profile, &mixed, 9).verdict.state, FileState::Complete, "{name}");
        assert_eq!(readable(&mixed), readable(&plain), "{name}");
        let without_last_end = plain.trim_ascii_end();
        assert_eq!(readable(without_last_end), readable(&plain), "{name}");
    }
}

#[test]
fn numbers_as_people_write_them() {
    let spelled =
        ["06-12 34 56 78", "+31 (0)6 12345678", "0031612345678", "+31612345678", "31612345678", "06.12.34.56.78", "(06)12345678"];
    let text = config::profiles::find("kpn-sp16").expect("it is shipped");
    let profile = Profile::load(text).expect("it is right");
    for number in spelled {
        let row = format!("1;SPRAAK;UIT;{number};0201234567;24-10-2026;09:15:00;63;;20408;MOB NL;0,0412");
        let file = crate::profile::samples::kpn(&[&row], "TRAILER;1;0,0412");
        let batch = batches(&profile, &file, 9).1.remove(0);
        assert_eq!(
            batch.columns.a_number.first().and_then(|n| n.as_e164()),
            Some(31_612_345_678),
            "{number}: {:?}",
            batch.malformed
        );
    }
    for number in ["06-12 34 56 7x", "+", "00", "0", "06 12 34 56 78 90 12 34 56", "+31+612345678", "\u{661}\u{662}\u{663}"] {
        let row = format!("1;SPRAAK;UIT;{number};0201234567;24-10-2026;09:15:00;63;;20408;MOB NL;0,0412");
        let file: Vec<u8> = row.bytes().collect();
        let head = format!("{}\n", crate::profile::samples::KPN_HEADER);
        let file = [head.as_bytes(), &file, b"\nTRAILER;1;0,0412\n"].concat();
        let batch = batches(&profile, &file, 9).1.remove(0);
        let bad = batch.malformed.first().unwrap_or_else(|| panic!("{number} is a number"));
        assert_eq!((bad.reason.as_str(), &bad.raw[..]), ("malformed.number", row.as_bytes()), "{number}");
    }
}
