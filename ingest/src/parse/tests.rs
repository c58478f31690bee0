//! Parse over the shipped layouts: values, tests in their order, lineage, keys; and that garbage harms nobody.

use domain::columns::parsed::{MalformedRow, NO_COST, NO_SEQUENCE, ParsedBatch, Partial};
use domain::delivery::KeyMode;
use domain::money::NANO;
use domain::number::{Number, NumberKind};
use domain::outcome::Reason;
use domain::zone::{SECOND_US, days_of};
use proptest::prelude::*;

use super::check::check;
use super::occurrence::{Occurrences, number};
use crate::message::FileState;
use crate::profile::Profile;
use crate::profile::samples::{SHIPPED, batch, batches, file_of, hasher, kpn, rows_of, shipped};

const JOB_HEADER: &str = "record_id,type,a_number,b_number,start,duration_s,bytes_up,bytes_down,direction,mccmnc,cost\n";

fn utc(year: i32, month: u32, day: u32, hour: i64, minute: i64, second: i64) -> i64 {
    (i64::from(days_of(year, month, day).expect("a date")) * 86_400 + hour * 3600 + minute * 60 + second) * SECOND_US
}

fn job(rows: &str) -> ParsedBatch {
    batch(&shipped("job"), format!("{JOB_HEADER}{rows}\n").as_bytes())
}

fn job_reason(row: &str) -> Option<(Reason, String)> {
    let batch = job(row);
    assert!(batch.is_balanced() && batch.rows_in == 1);
    batch.malformed.first().map(|m| (m.reason, m.field.to_string()))
}

#[test]
fn the_job_tests_are_made_in_their_order() {
    let good = "1,voice,0612345678,0201234567,2026-10-25T02:30:15+01:00,73,,,MO,20408,0.5";
    assert_eq!(job_reason(good), None);
    let with = |at: usize, text: &str| {
        let mut fields: Vec<&str> = good.split(',').collect();
        fields[at] = text;
        job_reason(&fields.join(","))
    };
    let fails = |reason, field: &str| Some((reason, field.to_owned()));
    assert_eq!(job_reason("1,voice,0612345678"), fails(Reason::Columns, "b_number"));
    for (at, field, reason, texts) in [
        (1, "type", Reason::Kind, &["fax", "Voice", "", "voice2"][..]),
        (8, "direction", Reason::Kind, &["XX", "IN", ""]),
        (2, "a_number", Reason::Number, &["anonymous", "06-12AB5678", "1234", "+", "00", "", "112"]),
        (3, "b_number", Reason::Number, &["private", "", "0000000000", "+49 12"]),
        (
            4,
            "start",
            Reason::Time,
            &[
                "2026-10-32T10:00:00+02:00",
                "2026-10-05T25:10:00+02:00",
                "2026-10-05T10:00:00",
                "05/10/2026 10:00:00",
                "2026-02-30T10:00:00+01:00",
                "2026-10-05T10:00:00+05:30",
                "2026-10-05T10:00:00-01:00",
                "2026-10-05T10:00:00Z",
                "",
                "0000-10-05T10:00:00+01:00",
            ],
        ),
        (5, "duration_s", Reason::Duration, &["12s", "-5", "abc", "1.5", "99999999999"]),
        (6, "bytes_up", Reason::Volume, &["1k", "-1", "n/a"]),
        (9, "mccmnc", Reason::Network, &["2040", "NLD", "20x04", "", "2040400"]),
        (10, "cost", Reason::Cost, &["\"0,12\"", "n/a", "EUR 1", "1.2.3", "", "1.1234567", "-1", "1.", ".5"]),
    ] {
        for text in texts {
            assert_eq!(with(at, text), fails(reason, field), "{text}");
        }
    }
    // Everything is wrong: the first test counts.
    assert_eq!(job_reason("1,fax,x,x,x,x,x,x,x,x,x"), fails(Reason::Kind, "type"));
    assert_eq!(job_reason("1,voice,x,x,x,x,x,x,MO,x,x"), fails(Reason::Number, "a_number"));
    assert_eq!(job_reason("1,voice,0612345678,0612345678,x,x,x,x,MO,x,x"), fails(Reason::Time, "start"));
    assert_eq!(job_reason("1,voice,0612345678,0612345678,x,x,\u{1},x,MO,x,x"), fails(Reason::Encoding, "bytes_up"));
    assert_eq!(job_reason("1,data,0612345678,rubbish,2026-10-25T02:30:15+01:00,,1,2,FWD,310260,0"), None);
    assert_eq!(job_reason(&format!("{good},more")), None);
}

#[test]
fn records_of_one_session_are_marked_and_no_mark_makes_a_row_malformed() {
    let session = "\n[session]\ncolumn = \"session\"\nsequence = \"part\"\n\
                   partial = { column = \"state\", map = { interim = \"partial\", stop = \"last\" } }\n";
    let profile = Profile::load(&format!("{}{session}", shipped("job").text())).expect("a profile");
    let row = |id: &str, marks: &str| format!("{id},data,0612345678,,2026-10-25T02:30:15+01:00,73,1,2,MO,20408,0.5,{marks}\n");
    let header = JOB_HEADER.trim_end();
    let rows = [row("1", "s-1,1,interim"), row("2", "s-1,2,stop"), row("3", ",,"), row("4", "s-2,two,start")].concat();
    let batch = batch(&profile, format!("{header},session,part,state\n{rows}").as_bytes());
    assert_eq!((batch.len(), batch.malformed.len()), (4, 0), "{:?}", batch.malformed);
    let c = &batch.columns;
    assert_eq!((0..4).map(|i| c.session_id.get(i)).collect::<Vec<_>>(), ["s-1", "s-1", "", "s-2"]);
    assert_eq!(c.session_sequence, [1, 2, NO_SEQUENCE, NO_SEQUENCE]);
    let names: Vec<_> = c.partial.iter().map(|code| Partial::name_of(*code)).collect();
    assert_eq!(names, [Some("partial"), Some("last"), None, None]);
    let plain = job("r1,data,0612345678,,2026-10-25T02:30:15+01:00,73,1,2,MO,20408,0.5");
    assert!(plain.columns.session_id.is_empty() && plain.columns.partial.is_empty());
}

#[test]
fn job_values_are_exact() {
    let batch = job("r1,voice,+31 (0)6 1234 5678,0049301234567,2026-10-25T02:30:15+01:00,73,,,FWD,310260,0.064124");
    let c = &batch.columns;
    assert_eq!(c.record_id.get(0), "r1");
    assert_eq!(c.usage[0].as_str(), "voice-fwd");
    assert_eq!((c.a_number[0].as_e164(), c.b_number[0].as_e164()), (Some(31_612_345_678), Some(49_301_234_567)));
    assert_eq!((c.start_us[0], c.offset_s[0]), (utc(2026, 10, 25, 1, 30, 15), 3600));
    assert_eq!((c.duration_s[0], c.bytes_up[0], c.bytes_down[0]), (73, 0, 0));
    assert_eq!((c.network[0].to_string().as_str(), c.cost_nano[0]), ("310260", 64_124_000));
    assert!(c.content.is_empty() && c.time_flag.is_empty() && c.messages.is_empty() && c.class.is_empty() && c.imsi.is_empty());
}

#[test]
fn a_kpn_file_becomes_columns() {
    let profile = shipped("kpn-sp16");
    let batch = batch(&profile, &file_of("kpn-sp16"));
    let c = &batch.columns;
    assert_eq!(batch.malformed, []);
    assert_eq!(c.usage.iter().map(|u| u.as_str()).collect::<Vec<_>>(), ["voice-mo", "sms-mt", "data", "voice-fwd"]);
    assert!(c.a_number.iter().all(|n| n.as_e164() == Some(31_612_345_678)));
    assert_eq!(c.b_number[2], Number::ABSENT);
    assert_eq!(c.b_number[3], Number::short_code(112, 3));
    assert_eq!((c.start_us[0], c.offset_s[0]), (utc(2026, 10, 24, 7, 15, 0), 7200));
    assert_eq!(c.duration_s, [63, 0, 300, 1]);
    assert_eq!(c.bytes_down, [0, 0, 2048 * 1024, 0]);
    assert!(c.bytes_up.is_empty());
    assert_eq!(c.cost_nano, [41_200_000, 0, 1_500_000_000, 1]);
    let class = |i: usize| c.class[i].checked_sub(1).map(|code| &*batch.classes[usize::from(code)]);
    assert_eq!([class(0), class(1), class(2), class(3)], [Some("MOB NL"), Some("SMS"), None, Some("CAF\u{c9}")]);
    assert_eq!((0..4).map(|i| c.record_id.get(i)).collect::<Vec<_>>(), ["1001", "1002", "1003", "1004"]);
}

#[test]
fn hours_that_the_clock_repeats_or_skips() {
    let row = |id: u32, date: &str, time: &str| format!("{id};SMS;UIT;0612345678;0687654321;{date};{time};;;20408;;0");
    let rows = [
        row(1, "25-10-2026", "02:30:00"),
        row(2, "25-10-2026", "01:59:59"),
        row(3, "29-03-2026", "02:30:00"),
        row(4, "30-02-2026", "02:30:00"),
    ];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let batch = batch(&shipped("kpn-sp16"), &kpn(&rows, "TRAILER;4;0"));
    assert_eq!(batch.columns.time_flag, [1, 0]);
    assert_eq!(batch.columns.start_us, [utc(2026, 10, 25, 0, 30, 0), utc(2026, 10, 24, 23, 59, 59)]);
    let reasons: Vec<(Reason, &str)> = batch.malformed.iter().map(|m| (m.reason, &*m.field)).collect();
    assert_eq!(reasons, [(Reason::TimeGap, "TIJD"), (Reason::Time, "DATUM")]);
}

#[test]
fn a_routit_file_becomes_columns() {
    let batch = batch(&shipped("routit"), &file_of("routit"));
    let c = &batch.columns;
    assert_eq!(batch.malformed, []);
    assert!(
        c.a_number.iter().all(|n| n.as_e164() == Some(31_612_345_678)),
        "the served party is called when the call terminates"
    );
    assert_eq!(c.b_number[1].as_e164(), Some(31_201_234_567));
    assert_eq!((c.b_number[3].kind(), batch.texts.as_slice()), (NumberKind::Alphanumeric, &["RABOBANK".to_owned()][..]));
    assert_eq!(c.start_us[1] - c.start_us[0], 3600 * SECOND_US, "the repeated hour is told by its offset");
    assert_eq!(c.start_us[3], utc(2026, 10, 25, 12, 0, 1) + SECOND_US / 2);
    assert_eq!(c.network.iter().map(ToString::to_string).collect::<Vec<_>>(), ["20408", "NLDPT", "26201", ""]);
    assert_eq!((c.bytes_up[2], c.bytes_down[2], c.cost_nano[2]), (2179, 29_443, 1000));
}

#[test]
fn a_broken_row_keeps_its_neighbours_and_its_lineage() {
    let mut file = JOB_HEADER.as_bytes().to_vec();
    let good = b"1,voice,0612345678,0201234567,2026-10-25T02:30:15+01:00,73,,,MO,20408,0.5\n";
    let broken: [(&[u8], Reason); 7] = [
        (b"2,voice,0612345678,\"0201234567,2026-10-25T02:30:15+01:00,73,,,MO,20408,0.5", Reason::Columns),
        (b"\"3\"x,voice,0612345678,0201234567,2026-10-25T02:30:15+01:00,73,,,MO,20408,0.5", Reason::Columns),
        (b"", Reason::Columns),
        (b"4,voice,0612345678,0201234567,2026-10-25T02:30:15+01:00,7\x003,,,MO,20408,0.5", Reason::Encoding),
        (b"5,voice,0612345678,\xff,2026-10-25T02:30:15+01:00,73,,,MO,20408,0.5", Reason::Encoding),
        (b"6,voice,0612345678,02012\r34567,2026-10-25T02:30:15+01:00,73,,,MO,20408,0.5", Reason::Encoding),
        (b"7;voice;0612345678", Reason::Columns),
    ];
    let mut begins = Vec::new();
    for (raw, _) in broken {
        file.extend_from_slice(good);
        begins.push(file.len() as u64);
        file.extend_from_slice(raw);
        file.push(b'\n');
    }
    file.extend_from_slice(&good[..good.len() - 1]);
    let batch = batch(&shipped("job"), &file);
    assert_eq!(batch.columns.row, [0, 2, 4, 6, 8, 10, 12, 14]);
    for (i, (row, (raw, reason))) in batch.malformed.iter().zip(broken).enumerate() {
        let MalformedRow { row, offset, raw: kept, length, reason: found, .. } = row;
        assert_eq!(
            (*row, *offset, kept.as_slice(), *length, *found),
            (2 * i as u64 + 1, begins[i], raw, raw.len() as u64, reason)
        );
    }
    assert!(batch.columns.key.iter().all(|k| *k == batch.columns.key[0]), "equal rows have equal keys wherever they stand");
}

#[test]
fn a_row_beyond_the_limit_is_cut_and_its_neighbours_are_read() {
    let good = "1,voice,0612345678,0201234567,2026-10-25T02:30:15+01:00,73,,,MO,20408,0.5";
    let long = format!("{}{good}", "9".repeat(200_000));
    let batch = job(&format!("{good}\n{long}\n{good}"));
    assert_eq!(batch.columns.row, [0, 2]);
    let row = &batch.malformed[0];
    assert_eq!((row.reason, row.raw.len(), row.length), (Reason::Columns, 65_536, long.len() as u64));
}

#[test]
fn quotes_that_nothing_needs_change_no_key() {
    let batch = job("1,voice,0612345678,0201234567,2026-10-25T02:30:15+01:00,73,,,MO,20408,0.5\n\
                     1,voice,0612345678,\"0201234567\",2026-10-25T02:30:15+01:00,73,,,MO,20408,0.5\n\
                     1,voice,0612345678,0201234567,2026-10-25T02:30:15+01:00,73,,,MO,20408,0.50");
    let key = &batch.columns.key;
    assert_eq!(key[0], key[1]);
    assert_ne!(key[0], key[2]);
}

#[test]
fn key_modes_tell_records_apart() {
    let rows = [
        "7;SMS;UIT;0612345678;0687654321;24-10-2026;09:00:00;;;20408;;0",
        "7;SMS;UIT;0612345678;0687654321;24-10-2026;09:00:00;;;20408;;1",
    ];
    let file = kpn(&[rows[0], rows[0], rows[1]], "TRAILER;3;1");
    let keys = |mode: &str| {
        let text = SHIPPED[0].1.replace("key = \"id\"", &format!("key = \"{mode}\""));
        let profile = crate::profile::Profile::load(&text).expect("all modes fit this layout");
        let mut batch = batch(&profile, &file);
        number(&mut batch, &mut Occurrences::new(&hasher()));
        let (key, content) = (batch.columns.key, batch.columns.content);
        assert_eq!(content.len(), if profile.key_mode() == KeyMode::Id { 3 } else { 0 });
        (key[0] == key[1], key[0] == key[2], content.first() == content.last())
    };
    assert_eq!(keys("id"), (true, true, false));
    assert_eq!(keys("id-and-content"), (true, false, true));
    assert_eq!(keys("content"), (true, false, true));
    assert_eq!(keys("content-and-occurrence"), (false, false, true));
}

#[test]
fn the_nth_equal_row_is_the_nth_record_however_the_file_is_cut() {
    let profile = shipped("mobile-metadata");
    let file = file_of("mobile-metadata").repeat(3);
    let numbered = |rows_per_range: u64| {
        let mut occurrences = Occurrences::new(&hasher());
        let mut keys = Vec::new();
        for mut batch in batches(&profile, &file, rows_per_range).1 {
            number(&mut batch, &mut occurrences);
            let mut rows: Vec<(u64, u128)> = batch.columns.row.iter().copied().zip(batch.columns.key.iter().copied()).collect();
            rows.extend(batch.malformed.iter().map(|m| (m.row, m.key)));
            rows.sort_unstable();
            keys.extend(rows.into_iter().map(|r| r.1));
        }
        keys
    };
    let whole = numbered(u64::MAX);
    let distinct: std::collections::BTreeSet<_> = whole.iter().collect();
    assert_eq!(distinct.len(), whole.len(), "equal rows, headers in the middle among them, got keys of their own");
    assert_eq!(numbered(1), whole);
    assert_eq!(numbered(4), whole);
}

#[test]
fn a_check_shows_what_each_column_became_and_what_fails() {
    let mut file = file_of("job");
    file.extend_from_slice(b"x,voice,0612345678,112,2026-10-25T02:30:15+01:00,1,,,MO,20408,0\n");
    let report = check(&shipped("job"), "a.csv", &file, 1);
    assert_eq!((report.rows, report.readable, report.verdict.state), (5, 3, FileState::Complete));
    assert_eq!(
        report.malformed.iter().map(|(k, v)| (k.as_str(), *v)).collect::<Vec<_>>(),
        [("malformed.number", 1), ("malformed.type", 1)]
    );
    assert_eq!(report.shown.iter().map(|r| (r.row, r.line)).collect::<Vec<_>>(), [(0, Some(2)), (3, Some(5))]);
    let became = |role: &str| {
        let column = report.shown[0].columns.iter().find(|c| c.role == role).expect("a role of the layout");
        (column.source.clone().unwrap_or_default(), column.became.clone().unwrap_or_default())
    };
    assert_eq!(became("served"), ("0621435362".to_owned(), "e164 31621435362".to_owned()));
    assert_eq!(became("time"), ("2026-10-30T13:29:39+01:00".to_owned(), "2026-10-30 13:29:39 +01:00".to_owned()));
    assert_eq!(became("cost"), ("0.00".to_owned(), "EUR 0.00".to_owned()));
    let wrong: Vec<&str> = report.shown[1].columns.iter().filter(|c| c.is_wrong).map(|c| c.column.as_str()).collect();
    assert_eq!((wrong, report.shown[1].outcome.as_str()), (vec!["type"], "malformed.type"));
}

/// Files from elsewhere, which tests only read where someone has put them.
fn sample(path: &str) -> Option<Vec<u8>> {
    let Some(folder) = std::env::var_os("TOLLWAY_SAMPLES") else {
        eprintln!("SKIPPED: set TOLLWAY_SAMPLES to the folder that holds {path}");
        return None;
    };
    Some(std::fs::read(std::path::Path::new(&folder).join(path)).expect("TOLLWAY_SAMPLES holds the sample files"))
}

#[test]
fn answered_asterisk_calls_are_read_and_the_rest_is_skipped() {
    for (path, unanswered) in [("asterisk/small.csv", 18), ("asterisk/small-without-parallel.csv", 7)] {
        let Some(file) = sample(path) else { return };
        let batch = batch(&shipped("asterisk-cdr-csv"), &file);
        assert_eq!((batch.len(), batch.malformed.len()), (27, 0));
        assert_eq!(batch.skipped.iter().map(|(k, v)| (k.as_str(), *v)).collect::<Vec<_>>(), [("unanswered", unanswered)]);
        assert_eq!(batch.columns.duration_s.iter().sum::<i32>(), 7408);
        assert!(
            batch
                .columns
                .a_number
                .iter()
                .all(|n| n.as_e164().is_some_and(|v| v.to_string().len() == 11 && v.to_string().starts_with('1')))
        );
    }
}

#[test]
fn calls_and_texts_of_one_subscriber_are_read() {
    let Some(file) = sample("mobile-metadata/ego.csv") else { return };
    let batch = batch(&shipped("mobile-metadata"), &file);
    let count = |usage: &str| batch.columns.usage.iter().filter(|u| u.as_str() == usage).count();
    assert_eq!((batch.len(), batch.malformed.len()), (314, 0));
    assert_eq!([count("sms-mt"), count("sms-mo"), count("voice-mt"), count("voice-mo")], [166, 73, 44, 31]);
    assert_eq!(batch.columns.duration_s.iter().sum::<i32>(), 266_797);
    assert!(batch.columns.a_number.iter().all(|n| n.as_e164() == Some(31_600_000_001)));
}

#[test]
fn an_absent_cost_is_told_from_zero() {
    let text = SHIPPED[0].1.replace("places_max = 9", "places_max = 9\nrequired = false\nnegative = true");
    let profile = crate::profile::Profile::load(&text).expect("a profile");
    let row = |id: u32, cost: &str| format!("{id};SMS;UIT;0612345678;0687654321;24-10-2026;09:00:00;;;20408;;{cost}");
    let batch = batch(&profile, &kpn(&[&row(1, ""), &row(2, "0"), &row(3, "-1,5")], "TRAILER;3;-1,5"));
    assert_eq!(batch.columns.cost_nano, [NO_COST, 0, -i64::try_from(NANO).expect("fits") * 3 / 2]);
}

/// The blocks of the how-to, in order: texts between lines of three backticks.
fn how_to() -> Vec<&'static str> {
    let page = include_str!("../../../docs/howto/add-a-layout.md");
    page.split("```").skip(1).step_by(2).map(|block| block.split_once('\n').expect("a block has lines").1).collect()
}

#[test]
fn the_how_to_does_what_it_says() {
    let [file, profile, ..] = how_to()[..] else { panic!("the page shows a file and a profile") };
    let load = |text: &str| crate::profile::Profile::load(text).expect("the page's profile is right");
    let report = check(&load(profile), "spits.csv", file.as_bytes(), 10);
    assert_eq!((report.verdict.state, report.rows, report.readable, report.repeated_times), (FileState::Complete, 4, 3, 1));
    assert_eq!(report.skipped.iter().map(|(k, v)| (k.as_str(), *v)).collect::<Vec<_>>(), [("not-connected", 1)]);
    let kinds: Vec<&str> =
        report.shown.iter().filter_map(|r| r.columns.iter().find(|c| c.role == "other")?.became.as_deref()).collect();
    assert_eq!(kinds, ["e164 31201234567", "masked ANONIEM", "short_code 112"]);
    let seconds = check(&load(&profile.replace("unit = \"hh:mm:ss\"", "unit = \"seconds\"")), "spits.csv", file.as_bytes(), 10);
    assert_eq!((seconds.readable, seconds.malformed.get("malformed.duration")), (1, Some(&2)));
    let cut = check(&load(profile), "spits.csv", file.replace("EINDE;4\n", "").as_bytes(), 10);
    assert_eq!(cut.verdict.state, FileState::Truncated);
}

/// A shipped layout and a file of it with some bytes changed, put in or taken out, cut off anywhere.
fn spoilt_file() -> impl Strategy<Value = (usize, Vec<u8>)> {
    let byte = prop_oneof![4 => prop::sample::select(&b",;\"\n\r0\x00\xff\xc3-+:T"[..]), 1 => any::<u8>()];
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, byte), 0..12);
    (0..SHIPPED.len(), edits, any::<prop::sample::Index>(), 0..4u8).prop_map(|(which, edits, cut, how)| {
        let mut file = file_of(SHIPPED[which].0);
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn spoilt_files_never_panic_and_every_row_is_accounted_for((which, file) in spoilt_file(), rows_per_range in 1..6u64) {
        let profile = shipped(SHIPPED[which].0);
        let (split, parts) = batches(&profile, &file, rows_per_range);
        prop_assert!(parts.iter().all(ParsedBatch::is_balanced));
        if split.verdict.state.is_taken() {
            prop_assert_eq!(parts.iter().map(|b| b.rows_in).sum::<u64>(), split.verdict.rows);
            prop_assert!(split.ranges.iter().zip(&parts).all(|(r, b)| r.rows == b.rows_in && r.first_row == b.first_row));
            let whole: Vec<String> = batches(&profile, &file, u64::MAX).1.iter().flat_map(rows_of).collect();
            prop_assert_eq!(parts.iter().flat_map(rows_of).collect::<Vec<_>>(), whole);
        } else {
            prop_assert!(!split.verdict.message.is_empty());
        }
        let report = check(&profile, "spoilt", &file, 3);
        prop_assert_eq!(report.verdict, split.verdict);
    }

    #[test]
    fn garbage_never_panics(which in 0..SHIPPED.len(), bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let profile = shipped(SHIPPED[which].0);
        check(&profile, "garbage", &bytes, 2);
        let mut body = file_of(SHIPPED[which].0);
        body.extend_from_slice(&bytes);
        check(&profile, "garbage", &body, 2);
    }
}

#[test]
fn what_a_row_is_charged_by_must_be_there() {
    let head = "RECORDID;SOORT;RICHTING;MSISDN;BESTEMMING;DATUM;TIJD;DUUR;VOLUME_KB;NETWERK;TARIEFKLASSE;BEDRAG\n";
    let rows = "1;SPRAAK;UIT;0612345678;0201234567;24-10-2026;09:15:00;;;20408;N_VAST;0,0410\n\
        2;SPRAAK;UIT;0612345678;0201234567;24-10-2026;09:15:00;0;;20408;N_VAST;0,0410\n\
        3;DATA;UIT;0612345678;;24-10-2026;09:15:00;;;20408;;0,0100\n\
        4;SMS;UIT;0612345678;0612345679;24-10-2026;09:15:00;;;20408;N_MOBOV;0,0300\n";
    let text = format!("{head}{rows}TRAILER;4;0,1220\n");
    let batch = batch(&shipped("kpn-sp16"), text.as_bytes());
    let malformed: Vec<(u64, Reason)> = batch.malformed.iter().map(|m| (m.row, m.reason)).collect();
    assert_eq!(
        malformed,
        [(0, Reason::Duration), (2, Reason::Volume)],
        "no call and no session is free because a field is empty"
    );
    assert_eq!(batch.columns.row, [1, 3]);
}
