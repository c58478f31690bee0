//! Drafts of shipped layouts against the profiles that people wrote, of files that leave questions, and of garbage.

mod forms;
mod garbage;
mod shipped;

use std::io::Cursor;

use super::{Draft, DraftError, DraftLimits, Sample, draft, read_samples};

/// The draft of one file in memory.
fn draft_of(text: &str) -> Result<Draft, DraftError> {
    draft(&[Sample::whole("test.csv", text.as_bytes())], None, DraftLimits::default())
}

fn drafted(text: &str) -> Draft {
    draft_of(text).unwrap_or_else(|e| panic!("no draft: {e}\n{text}"))
}

/// The value of a setting, as the TOML has it.
fn value<'d>(draft: &'d Draft, key: &str) -> Option<&'d str> {
    draft.decisions.iter().find(|d| d.key == key).map(|d| d.value.as_str())
}

/// The question about a setting or a section.
fn question<'d>(draft: &'d Draft, key: &str) -> Option<&'d str> {
    draft.questions.iter().find(|q| q.key == key).map(|q| q.text.as_str())
}

/// Calls of one subscriber with these dates.
fn calls_on(dates: &[&str]) -> String {
    let row = |(n, date): (usize, &&str)| format!("{n};{date};0612345678;020123456{};60\n", n % 10);
    "id;start;van;naar;duur\n".to_owned() + &dates.iter().enumerate().map(row).collect::<String>()
}

#[test]
fn every_open_point_has_a_question_above_its_line() {
    let draft = drafted(&calls_on(&["03-10-2026 09:15:00", "04-10-2026 10:15:00"]));
    let lines: Vec<&str> = draft.toml.lines().collect();
    for question in &draft.questions {
        let above = lines[question.line - 2];
        assert!(above.starts_with("# "), "line {}: {above}", question.line);
    }
    for decision in &draft.decisions {
        assert!(decision.question.is_some() || decision.confidence.level() == "high", "{decision:?}");
    }
    assert!(question(&draft, "time.zone").is_some(), "the zone is always asked");
    assert!(question(&draft, "record.delivery").is_some());
}

#[test]
fn day_or_month_is_decided_by_all_dates_together() {
    let pattern = |dates: &[&str]| {
        let draft = drafted(&calls_on(dates));
        let found = draft.decisions.iter().find(|d| d.key == "time.pattern").expect("there is a time");
        (found.value.clone(), found.confidence.percent())
    };
    let day_first = "\"DD/MM/YYYY HH:mm\"".to_owned();
    let month_first = "\"MM/DD/YYYY HH:mm\"".to_owned();
    let mut dates = vec!["04/10/2026 09:15"; 30];
    assert_eq!(pattern(&dates), (day_first.clone(), 65), "no date tells, but the headers are Dutch");
    dates.push("24/10/2026 09:15");
    assert_eq!(pattern(&dates), (day_first.clone(), 100), "one date does");
    dates.push("10/24/2026 09:15");
    assert_eq!(pattern(&dates).1, 40, "and another contradicts it");
    assert_eq!(pattern(&["10/01/2026 09:15", "10/12/2026 09:15"]), (month_first, 75), "else the file would span eleven months");
    assert_eq!(pattern(&["01/10/2026 09:15", "12/10/2026 09:15"]), (day_first, 75));
}

#[test]
fn dates_that_contradict_each_other_over_files_are_named() {
    let one = Sample::whole("one.csv", calls_on(&["24/10/2026 09:15"; 3]).as_bytes());
    let two = Sample::whole("two.csv", calls_on(&["10/25/2026 09:15"; 2]).as_bytes());
    let draft = draft(&[one, two], None, DraftLimits::default()).expect("a draft");
    let text = question(&draft, "time.pattern").expect("a question");
    assert!(text.contains("3 dates can only begin with the day and 2 only with the month"), "{text}");
    assert_eq!(draft.rows, 5);
}

#[test]
fn files_of_another_layout_are_named_and_left_out() {
    let files = [
        Sample::whole("a.csv", calls_on(&["2026-10-24 09:15:00"; 3]).as_bytes()),
        Sample::whole("b.csv", calls_on(&["2026-10-24 09:15:00"; 2]).replace(';', ",").as_bytes()),
        Sample::whole("c.csv", calls_on(&["2026-10-24 09:15:00"; 2]).replace("duur", "lengte").as_bytes()),
        Sample::whole("d.csv", b""),
    ];
    let draft = draft(&files, None, DraftLimits::default()).expect("one of them is enough");
    let about_files: Vec<&str> = draft.questions.iter().filter(|q| q.key == "file").map(|q| q.text.as_str()).collect();
    for fact in
        ["`b.csv` is separated by `,`; the first one is separated by `;`", "`c.csv` lacks the column `duur`", "`d.csv` is empty"]
    {
        assert!(about_files.iter().any(|text| text.contains(fact)), "{fact}: {about_files:?}");
    }
}

#[test]
fn what_no_profile_can_say_is_said() {
    let error = draft_of(&calls_on(&["10/24/2026 09:15 PM"; 3])).expect_err("no pattern knows PM").to_string();
    assert!(error.contains("`start`") && error.contains("AM and PM"), "{error}");
    let symbols = "datum;van;naar;duur;bedrag\n2026-10-24 09:15:00;0612345678;0201234567;01:03;€ 0,12\n";
    let draft = drafted(symbols);
    assert!(question(&draft, "cost").is_some_and(|text| text.contains("currency's sign")), "{}", draft.toml);
    assert!(question(&draft, "duration.unit").is_some_and(|text| text.contains("malformed.duration")), "{}", draft.toml);
    assert!(draft.check(&Sample::whole("test.csv", symbols.as_bytes()), 5).malformed.contains_key("malformed.duration"));
}

#[test]
fn a_trailer_is_what_counts_the_rows() {
    let rows = "id;datum;van;naar;duur;bedrag\n1;2026-10-24 09:15:00;0612345678;0201234567;60;0,10\n\
                2;2026-10-24 09:16:00;0612345678;0201234567;60;0,25\n";
    let whole = drafted(&format!("{rows}EINDE;2;0,35\n"));
    let trailer = ["trailer.marker", "trailer.rows_field", "trailer.sum_field"].map(|key| value(&whole, key));
    assert_eq!(trailer, [Some("\"EINDE\""), Some("1"), Some("2")]);
    let wrong = drafted(&format!("{rows}EINDE;4\n"));
    assert_eq!(value(&wrong, "trailer.marker"), None, "the file would be refused");
    assert!(question(&wrong, "trailer").is_some_and(|text| text.contains("says 4, but there are 2 rows")));
    assert_eq!(value(&drafted(rows), "trailer.marker"), None);
}

#[test]
fn unanswered_calls_and_fees_are_left_out_with_a_question() {
    let text = "soort;datum;van;naar;duur;status\nBellen;2026-10-24 09:15:00;0612345678;0201234567;60;OK\n\
                Bellen;2026-10-24 09:15:00;0612345678;0201234567;0;GEEN GEHOOR\nAbonnement;2026-10-24 09:15:00;0612345678;;0;OK\n";
    let draft = drafted(text);
    let report = draft.check(&Sample::whole("test.csv", text.as_bytes()), 5);
    assert_eq!((report.readable, report.skipped.len()), (1, 2), "{}\n{report:?}", draft.toml);
    let questions: Vec<&str> = draft.questions.iter().filter(|q| q.key.starts_with("skip.")).map(|q| q.text.as_str()).collect();
    assert!(questions.iter().any(|text| text.contains("`GEEN GEHOOR` (1 row)")), "{questions:?}");
    assert!(questions.iter().any(|text| text.contains("`Abonnement` (1 row)")), "{questions:?}");
}

#[test]
fn the_served_party_of_incoming_calls_is_found_among_those_who_call() {
    let text = "richting;start;van;naar;duur\nuit;2026-10-24 09:15:00;0612345678;0201234567;60\n\
                uit;2026-10-24 09:16:00;0612345679;0201234567;60\nin;2026-10-24 09:17:00;0301234567;0612345678;60\n\
                in;2026-10-24 09:18:00;0301234567;0612345679;60\n";
    assert_eq!(value(&drafted(text), "numbers.swap_for"), Some("[\"incoming\"]"));
    let other_way =
        text.replace("0301234567;0612345678", "0612345678;0301234567").replace("0301234567;0612345679", "0612345679;0301234567");
    assert_eq!(value(&drafted(&other_way), "numbers.swap_for"), None);
}

#[test]
fn pseudonyms_are_no_numbers_and_asked_about() {
    let draft = drafted(
        "type;datetime;direction;correspondent_id;duration\ncall;2026-10-24 09:15:00;in;A;60\ntext;2026-10-24 09:15:00;out;B;\n",
    );
    assert_eq!((value(&draft, "other.column"), value(&draft, "served.constant")), (None, Some("\"31600000000\"")));
    assert!(question(&draft, "other").is_some_and(|text| text.contains("`correspondent_id` holds no numbers")), "{}", draft.toml);
    assert!(question(&draft, "served.constant").is_some_and(|text| text.contains("whose usage is it?")));
}

#[test]
fn cards_are_told_from_numbers_without_a_header() {
    let row = |n: u32| {
        format!("2026-10-24 09:15:{n:02},3161234{n:04},20416001234{n:04},8931163000123450{n:03}F,490154203237518,{}\n", n * 7)
    };
    let draft = drafted(&(10..40).map(row).collect::<String>());
    let names = value(&draft, "file.names").expect("there is no header");
    assert_eq!(value(&draft, "served.column"), Some("\"served\""), "{}", draft.toml);
    assert!(names.contains("\"start\", \"served\", \"imsi\", \"iccid\""), "{names}");
    assert!(draft.questions.iter().all(|q| !q.text.contains("31612340010")), "questions show no subscriber's number");
}

#[test]
fn wrappers_are_taken_off_and_large_files_are_read_in_part() {
    let text = calls_on(&vec!["2026-10-24 09:15:00"; 5000]) + "EINDE;5000\n";
    let limits = DraftLimits { bytes_max: 20_000, ..DraftLimits::default() };
    let zipped = crate::unwrap::tests::build::zip(&[("a/day.csv", text.as_bytes())]);
    for (name, bytes) in [
        ("day.csv", text.clone().into_bytes()),
        ("day.csv.gz", crate::unwrap::tests::build::gzip(text.as_bytes())),
        ("day.zip", zipped),
    ] {
        let samples = read_samples(name, &mut Cursor::new(bytes), limits).expect("a sample");
        assert_eq!((samples.len(), samples[0].bytes.len(), samples[0].is_whole), (1, 20_000, false), "{name}");
        let found = draft(&samples, None, limits).expect("a draft");
        assert_eq!(value(&found, "file.separator"), Some("\";\""), "{name}");
        assert!(found.check(&samples[0], 5).malformed.is_empty(), "{name}: a row that the sample cuts is no row");
        // Only a plain file's end can be read without reading the rest.
        let marker = value(&found, "trailer.marker");
        assert_eq!(marker, (name == "day.csv").then_some("\"EINDE\""), "{name}");
    }
}

#[test]
fn one_column_may_say_kind_and_direction() {
    let row = |what: &str| format!("{what};2026-10-24 09:15:00;0612345678;0201234567;60\n");
    let rows = ["SMS MO", "CALL MO", "CALL MT", "CALL MO"].map(row).concat();
    let draft = drafted(&format!("type;start;van;naar;duur\n{rows}"));
    assert_eq!(value(&draft, "kind.map"), Some("{ \"CALL MO\" = \"voice\", \"CALL MT\" = \"voice\", \"SMS MO\" = \"sms\" }"));
    assert_eq!(value(&draft, "direction.column"), Some("\"type\""));
    assert!(question(&draft, "kind.map").is_some_and(|text| text.contains("Only a part of it is known")), "{}", draft.toml);
}

#[test]
fn a_name_that_no_profile_can_have_is_refused() {
    let file = Sample::whole("a.csv", calls_on(&["2026-10-24 09:15:00"]).as_bytes());
    let named = |name| draft(std::slice::from_ref(&file), Some(name), DraftLimits::default());
    assert_eq!(named("spits-2").expect("a name").profile.name(), "spits-2");
    assert!(named("Spits 2").expect_err("no name").to_string().contains("`Spits 2` is no name"));
}

#[test]
fn names_of_profiles_come_from_names_of_files() {
    for (file, name) in [
        ("in/spits-2026-10.csv", "spits"),
        ("KPN_Verkeer_20261001.csv.gz", "kpn-verkeer"),
        ("archive.zip!x/2026.csv", "draft"),
        ("é.csv", "draft"),
    ] {
        assert_eq!(super::write::profile_name(file), name, "{file}");
    }
}
