//! Split: the states of files, and that the cut depends on nothing but profile, bytes and rows per range.

use proptest::prelude::*;

use super::lines::is_plain;
use super::{Splitter, split};
use crate::message::FileState;
use crate::profile::Profile;
use crate::profile::samples::{KPN_HEADER, SHIPPED, file_of, kpn, shipped};

const ROW: &str = "1;SMS;UIT;0612345678;0687654321;24-10-2026;09:00:00;;;20408;;0,25";

fn judged(profile: &Profile, bytes: &[u8]) -> (FileState, u64, String) {
    let split = split(profile, bytes, 2);
    assert_eq!(
        split.ranges.iter().map(|r| r.rows).sum::<u64>(),
        if split.verdict.state.is_taken() { split.verdict.rows } else { 0 }
    );
    (split.verdict.state, split.verdict.rows, split.verdict.message)
}

fn says(profile: &Profile, bytes: &[u8], state: FileState, words: &[&str]) {
    let (found, _, message) = judged(profile, bytes);
    assert_eq!(found, state, "{message}");
    for word in words {
        assert!(message.contains(word), "{word}: {message}");
    }
}

#[test]
fn ranges_begin_and_end_at_rows_and_leave_header_and_trailer_out() {
    let file = kpn(&[ROW, ROW, ROW], "TRAILER;3;0,75");
    let split = split(&shipped("kpn-sp16"), &file, 2);
    let header = KPN_HEADER.len() as u64 + 1;
    let row = ROW.len() as u64 + 1;
    let ranges: Vec<_> = split.ranges.iter().map(|r| (r.from, r.to, r.first_row, r.rows)).collect();
    assert_eq!(ranges, [(header, header + 2 * row, 0, 2), (header + 2 * row, header + 3 * row, 2, 1)]);
    assert_eq!((split.verdict.state, split.verdict.rows, split.verdict.message.as_str()), (FileState::Complete, 3, ""));
}

#[test]
fn shipped_files_are_complete() {
    for (name, _) in SHIPPED {
        assert_eq!(judged(&shipped(name), &file_of(name)), (FileState::Complete, 4, String::new()), "{name}");
    }
}

#[test]
fn a_trailer_that_disagrees_is_told_with_both_figures() {
    let kpn_profile = shipped("kpn-sp16");
    says(&kpn_profile, &kpn(&[ROW, ROW], "TRAILER;3;0,50"), FileState::WrongCount, &["line 4", "announces 3 rows", "has 2"]);
    says(&kpn_profile, &kpn(&[ROW, ROW], "TRAILER;2;0,51"), FileState::WrongSum, &["EUR 0.51", "EUR 0.50"]);
    says(&kpn_profile, &kpn(&[ROW, ROW], "TRAILER;two;0,50"), FileState::WrongCount, &["`two`"]);
    says(&kpn_profile, &kpn(&[ROW, ROW], "TRAILER;2"), FileState::WrongCount, &["no field 2"]);
    says(&kpn_profile, &kpn(&[ROW, "TRAILER;1;0,25", ROW], "TRAILER;2;0,50"), FileState::WrongCount, &["behind a trailer"]);
    let unreadable = ROW.replace("0,25", "0.25");
    assert_eq!(
        judged(&kpn_profile, &kpn(&[ROW, &unreadable], "TRAILER;2;0,50")).0,
        FileState::Complete,
        "the row is malformed, not the file"
    );
    let facts = ["line 4", "EUR 0.50", "was not checked", "1 amounts cannot be read", "EUR 0.25"];
    says(&kpn_profile, &kpn(&[ROW, &unreadable], "TRAILER;2;0,50"), FileState::Complete, &facts);
    assert_eq!(
        judged(&kpn_profile, &kpn(&["TRAILERS;x"], "TRAILER;1;0")).0,
        FileState::Complete,
        "only the whole first field is a marker"
    );
}

#[test]
fn a_file_with_a_trailer_cut_anywhere_is_never_complete() {
    let (profile, file) = (shipped("kpn-sp16"), kpn(&[ROW, ROW], "TRAILER;2;0,50"));
    for cut in 1..file.len() - 2 {
        let (state, _, message) = judged(&profile, &file[..cut]);
        assert!(!state.is_taken() && !message.is_empty(), "cut at {cut}: {state:?}");
    }
    assert_eq!(judged(&profile, &file[..file.len() - 1]).0, FileState::Complete, "a trailer needs no line end");
    let middle = file.len() - "TRAILER;2;0,50\n".len() - 20;
    says(&profile, &file[..middle], FileState::Truncated, &["middle of line 3", "after 1 whole rows"]);
    says(&profile, &file[..file.len() - "TRAILER;2;0,50\n".len()], FileState::Truncated, &["after line 3", "`TRAILER`"]);
    assert_eq!(judged(&profile, &file[..middle]).1, 1);
}

#[test]
fn a_last_row_without_line_end_is_cut_only_when_fields_are_missing() {
    let (profile, file) = (shipped("mobile-metadata"), file_of("mobile-metadata"));
    assert_eq!(judged(&profile, &file[..file.len() - 1]).0, FileState::Complete);
    says(&profile, &file[..file.len() - 5], FileState::Truncated, &["middle of line 5", "after 3 whole rows"]);
}

#[test]
fn empty_files_are_told_and_may_be_heartbeats() {
    let job = shipped("job");
    let header = file_of("job").iter().position(|c| *c == b'\n').expect("a header") + 1;
    says(&job, b"", FileState::Empty, &["no bytes", "heartbeat"]);
    says(&job, &file_of("job")[..header], FileState::Empty, &["no rows"]);
    let quiet = Profile::load(&job.text().replace("header = \"names\"", "header = \"names\"\nempty_file = \"heartbeat\""))
        .expect("a profile");
    assert_eq!(judged(&quiet, b""), (FileState::Empty, 0, String::new()));
    assert_eq!(judged(&quiet, &file_of("job")[..header]), (FileState::Empty, 0, String::new()));
    assert_eq!(judged(&shipped("kpn-sp16"), &kpn(&[], "TRAILER;0;0")).0, FileState::Empty);
}

#[test]
fn wrong_encodings_are_told_by_mark_or_by_share() {
    let job = shipped("job");
    says(&job, b"\xff\xfer\0e\0c\0", FileState::WrongEncoding, &["UTF-16"]);
    says(&shipped("kpn-sp16"), b"\xef\xbb\xbfRECORDID", FileState::WrongEncoding, &["latin-1"]);
    let good = "1,voice,0612345678,0201234567,2026-10-25T02:30:15+01:00,73,,,MO,20408,0.5\n";
    let header = "record_id,type,a_number,b_number,start,duration_s,bytes_up,bytes_down,direction,mccmnc,cost\n";
    let mixed = |bad: usize, all: usize| {
        let mut file = header.as_bytes().to_vec();
        for i in 0..all {
            file.extend_from_slice(if i < bad { b"caf\xe9" } else { b"" });
            file.extend_from_slice(good.as_bytes());
        }
        file
    };
    says(&job, &mixed(11, 100), FileState::WrongEncoding, &["11 of 100 rows", "utf-8"]);
    assert_eq!(judged(&job, &mixed(10, 100)).0, FileState::Complete);
    assert_eq!(judged(&job, &mixed(9, 9)).0, FileState::Complete, "a handful are broken rows");
}

#[test]
fn a_wrong_header_names_the_column() {
    let file = String::from_utf8(file_of("job")).expect("ASCII").replace("mccmnc", "mccmcn");
    says(&shipped("job"), file.as_bytes(), FileState::WrongHeader, &["`mccmnc`", "did you mean `mccmcn`"]);
    says(&shipped("job"), b"1,2,3\n4,5,6\n", FileState::WrongHeader, &["it has: 1, 2, 3"]);
}

#[test]
fn an_endless_line_is_told_in_little_memory() {
    let header = file_of("job").iter().position(|c| *c == b'\n').expect("a header") + 1;
    for head in [0, header] {
        let (profile, file) = (shipped("job"), file_of("job"));
        let mut splitter = Splitter::new(&profile, 10);
        splitter.push(&file[..head]);
        let chunk = vec![b'x'; 1 << 16];
        for _ in 0..(1 << 14) {
            splitter.push(&chunk);
            assert!(splitter.kept_bytes() < 1 << 20, "a row's worth is kept, not the file");
        }
        let verdict = splitter.finish().verdict;
        assert_eq!(verdict.state, FileState::EndlessRow, "{}", verdict.message);
        assert!(verdict.message.contains("file.row_bytes_max"), "{}", verdict.message);
    }
}

#[test]
fn one_long_row_does_not_condemn_a_file() {
    let mut file = file_of("job");
    file.extend_from_slice(&vec![b'x'; 300_000]);
    file.push(b'\n');
    file.extend_from_slice(b"1,sms,0612345678,0201234567,2026-10-25T02:30:15+01:00,,,,MO,20408,0.5\n");
    assert_eq!(judged(&shipped("job"), &file).1, 6);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_cut_does_not_depend_on_how_the_file_is_fed(
        which in 0..SHIPPED.len(),
        repeats in 1..4usize,
        spoil in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        rows_per_range in 1..5u64,
    ) {
        let profile = shipped(SHIPPED[which].0);
        let mut file = file_of(SHIPPED[which].0).repeat(repeats);
        for (at, byte) in spoil {
            let at = at.index(file.len());
            file[at] = byte;
        }
        let whole = split(&profile, &file, rows_per_range);
        let mut places: Vec<usize> = cuts.iter().map(|c| c.index(file.len())).collect();
        places.extend([0, file.len()]);
        places.sort_unstable();
        let mut splitter = Splitter::new(&profile, rows_per_range);
        for pair in places.windows(2) {
            splitter.push(&file[pair[0]..pair[1]]);
        }
        prop_assert_eq!(splitter.finish(), whole);
    }

    #[test]
    fn byte_by_byte_is_the_same_too(which in 0..SHIPPED.len(), cut in any::<prop::sample::Index>()) {
        let profile = shipped(SHIPPED[which].0);
        let file = file_of(SHIPPED[which].0);
        let file = &file[..cut.index(file.len() + 1)];
        let mut splitter = Splitter::new(&profile, 2);
        for byte in file {
            splitter.push(std::slice::from_ref(byte));
        }
        prop_assert_eq!(splitter.finish(), split(&profile, file, 2));
    }

    #[test]
    fn plain_lines_are_printable_ascii_and_tabs(
        line in prop::collection::vec(prop_oneof![40 => 32..127u8, 1 => any::<u8>()], 0..60),
    ) {
        prop_assert_eq!(is_plain(&line), line.iter().all(|c| (b' '..=b'~').contains(c) || *c == b'\t'));
    }
}

#[test]
fn a_trailer_longer_than_a_row_is_a_row_however_the_file_comes() {
    let profile = shipped("kpn-sp16");
    let file = [&file_of("kpn-sp16")[..], b"TRAILER;4;1,5", &vec![b'0'; 70_000], b"\n"].concat();
    let whole = split(&profile, &file, 9);
    assert_eq!(whole.verdict.state, FileState::WrongCount, "{:?}", whole.verdict);
    for size in [1_000, 65_540] {
        let mut splitter = Splitter::new(&profile, 9);
        file.chunks(size).for_each(|chunk| splitter.push(chunk));
        assert_eq!(splitter.finish(), whole, "in pieces of {size}");
    }
}
