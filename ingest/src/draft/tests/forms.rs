//! Drafts of JSON, XML and lines of fixed width, of layouts that are not shipped; each proposal reads its file at once.

use super::{drafted, question, value};
use crate::draft::{Draft, DraftError, DraftLimits, Sample, draft};

/// Four records: id, kind, direction, who, whom, when, seconds, cents.
const CALLS: [[&str; 8]; 4] = [
    ["a-1", "spraak", "uit", "+31612345678", "+31201234567", "2026-10-24T09:15:00+02:00", "63", "0.0500"],
    ["a-2", "sms", "uit", "+31612345678", "+31687654321", "2026-10-24T10:00:00+02:00", "0", "0.0300"],
    ["a-3", "spraak", "in", "+31612345678", "+31201234567", "2026-10-25T02:30:00+01:00", "7", "0.0000"],
    ["a-4", "spraak", "uit", "+31612345678", "112", "2026-10-26T11:00:00+01:00", "40", "0.0000"],
];

fn json_record([id, kind, way, who, whom, when, seconds, cost]: &[&str; 8]) -> String {
    format!(
        "{{\"id\":\"{id}\",\"soort\":\"{kind}\",\"richting\":\"{way}\",\"partij\":{{\"msisdn\":\"{who}\",\"tegennummer\":\"{whom}\"}},\
         \"gesprek\":{{\"start\":\"{when}\",\"duur\":{seconds}}},\"kosten\":{cost},\"legs\":[{{\"trunk\":1}},{{\"trunk\":2}}]}}"
    )
}

fn xml_record([id, kind, way, who, whom, when, seconds, cost]: &[&str; 8]) -> String {
    format!(
        "  <Gesprek id=\"{id}\"><Soort>{kind}</Soort><Richting>{way}</Richting><Msisdn>{who}</Msisdn>\
         <Tegennummer>{whom}</Tegennummer><Start tijd=\"{when}\"/><Duur>{seconds}</Duur><Kosten>{cost}</Kosten></Gesprek>\n"
    )
}

/// What the proposal makes of the file that it was made of: rows, readable ones.
fn tried(draft: &Draft, text: &str) -> (u64, u64) {
    let report = draft.check(&Sample::whole("test", text.as_bytes()), 9);
    assert!(report.verdict.state.is_taken(), "{:?}\n{}", report.verdict, draft.toml);
    (report.rows, report.readable)
}

/// Each open point is asked, and what is not sure is open.
fn assert_asks(draft: &Draft) {
    for decision in &draft.decisions {
        assert!(decision.question.is_some() || !decision.confidence.is_open(), "{decision:?}");
    }
    assert!(question(draft, "record.delivery").is_some());
}

fn assert_roles(draft: &Draft, columns: [&str; 7]) {
    let keys =
        ["record.id", "kind.column", "direction.column", "served.column", "other.column", "time.column", "duration.column"];
    for (key, column) in keys.into_iter().zip(columns) {
        assert_eq!(value(draft, key), Some(format!("\"{column}\"").as_str()), "{key}\n{}", draft.toml);
    }
}

#[test]
fn json_lines() {
    let text: String = CALLS.iter().map(|call| json_record(call) + "\n").collect();
    let draft = drafted(&text);
    assert_eq!((value(&draft, "file.reader"), value(&draft, "json.records")), (Some("\"json\""), Some("\"lines\"")));
    assert_roles(&draft, ["id", "soort", "richting", "partij.msisdn", "partij.tegennummer", "gesprek.start", "gesprek.duur"]);
    assert_eq!(value(&draft, "cost.column"), Some("\"kosten\""));
    assert!(question(&draft, "json").is_some_and(|text| text.contains("`legs.trunk`")), "lists are asked about\n{}", draft.toml);
    assert_eq!(tried(&draft, &text), (4, 4), "{}", draft.toml);
    assert_asks(&draft);
}

#[test]
fn a_json_array_somewhere_in_a_document() {
    let calls: Vec<String> = CALLS.iter().map(json_record).collect();
    let text = format!(
        "{{\n \"meta\": {{\"files\": [{{\"name\": \"x\"}}]}},\n \"export\": {{\"calls\": [\n{}\n]}}\n}}\n",
        calls.join(",\n")
    );
    let draft = drafted(&text);
    assert_eq!((value(&draft, "json.records"), value(&draft, "json.path")), (Some("\"array\""), Some("\"export.calls\"")));
    assert!(question(&draft, "json.path").is_some(), "there is another array\n{}", draft.toml);
    assert_eq!(tried(&draft, &text), (4, 4), "{}", draft.toml);
    let plain = format!("[{}]", calls.join(","));
    let draft = drafted(&plain);
    assert_eq!((value(&draft, "json.records"), value(&draft, "json.path")), (Some("\"array\""), None));
    assert_eq!(tried(&draft, &plain), (4, 4), "{}", draft.toml);
    assert_asks(&draft);
}

#[test]
fn xml_records_among_other_elements() {
    let calls: String = CALLS.iter().map(xml_record).collect();
    let text = format!(
        "<?xml version=\"1.0\"?>\n<Verbruik><Kop><Maand>10</Maand></Kop><Lijst>\n{calls}<Totaal>4</Totaal></Lijst></Verbruik>\n"
    );
    let draft = drafted(&text);
    assert_eq!(value(&draft, "xml.record"), Some("\"Verbruik/Lijst/Gesprek\""), "{}", draft.toml);
    assert_eq!(value(&draft, "xml.ignore"), Some("[\"Totaal\"]"));
    assert_roles(&draft, ["@id", "Soort", "Richting", "Msisdn", "Tegennummer", "Start/@tijd", "Duur"]);
    assert_eq!(tried(&draft, &text), (4, 4), "{}", draft.toml);
    assert_asks(&draft);
}

#[test]
fn xml_records_in_groups() {
    let group = |calls: &[[&str; 8]]| format!("<Klant>\n{}</Klant>", calls.iter().map(xml_record).collect::<String>());
    let text = format!("<Verbruik>{}{}</Verbruik>", group(&CALLS[..2]), group(&CALLS[2..]));
    let draft = drafted(&text);
    assert_eq!(value(&draft, "xml.record"), Some("\"Verbruik/Klant/Gesprek\""), "{}", draft.toml);
    assert_eq!(tried(&draft, &text), (4, 4), "{}", draft.toml);
}

/// A switch's lines: id, kind, way, who, whom, date, time, seconds, ten-thousandths of a euro.
fn fixed_line([id, kind, way, who, whom, when, seconds, cost]: &[&str; 8]) -> String {
    let (date, time) = (when[..10].replace('-', ""), when[11..19].replace(':', ""));
    let cost: String = cost.chars().filter(char::is_ascii_digit).collect();
    format!("{id:<6}{kind:<7}{way:<4}{who:<13}{whom:<13}{date}{time}{seconds:>6} {cost:>7}\n")
}

#[test]
fn lines_of_fixed_width_are_a_guess_that_is_asked_about() {
    let lines: String = (0..10).flat_map(|_| CALLS.iter().map(fixed_line)).collect();
    let text = lines + "EINDE 000040\n";
    let draft = drafted(&text);
    assert_eq!(value(&draft, "file.reader"), Some("\"fixed-width\""), "{}", draft.toml);
    assert!(question(&draft, "columns").is_some_and(|text| text.contains("record description")));
    let start = value(&draft, "columns.start").or(value(&draft, "columns.date"));
    assert_eq!(start, Some("{ start = 44, width = 14 }"), "{}", draft.toml);
    assert_eq!(value(&draft, "trailer.rows_at"), Some("{ start = 7, width = 6, pad = \"0\" }"));
    let low = draft.decisions.iter().filter(|d| d.key.starts_with("columns."));
    assert!(low.clone().count() >= 6 && low.clone().all(|d| d.confidence.level() == "low"), "{}", draft.toml);
    assert_eq!(tried(&draft, &text), (40, 40), "{}", draft.toml);
    assert_asks(&draft);
}

#[test]
fn cents_and_marks_that_are_not_written_are_asked_about() {
    let rows = "start;van;naar;duur;bedrag cent\n2026-10-24 09:15:00;0612345678;0201234567;60;12\n\
                2026-10-24 09:16:00;0612345678;0201234567;61;5\n";
    assert_eq!(value(&drafted(rows), "cost.implied_places"), Some("2"), "{}", drafted(rows).toml);
    let unnamed = rows.replace(" cent", "");
    assert!(question(&drafted(&unnamed), "cost.implied_places").is_some());
}

#[test]
fn a_document_that_was_cut_off_by_the_sample_is_drafted_all_the_same() {
    let calls: Vec<String> = CALLS.iter().map(json_record).collect();
    let text = format!("{{\"calls\":[{}]}}", vec![calls.join(","); 20].join(","));
    let limits = DraftLimits { bytes_max: 4096, ..DraftLimits::default() };
    let samples = crate::draft::read_samples("calls.json", &mut std::io::Cursor::new(text.as_bytes()), limits).expect("a sample");
    assert!(!samples[0].is_whole);
    let draft = draft(&samples, None, limits).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(value(&draft, "json.path"), Some("\"calls\""));
    assert!(draft.rows > 5 && draft.check(&samples[0], 3).readable > 5, "{}", draft.toml);
}

#[test]
fn documents_without_records_say_so() {
    for (text, fact) in [
        ("{\"a\": {\"b\": 1},\n \"c\": [1, 2]}\n", "JSON without a list of objects"),
        ("<a>\n<b>1</b>\n</a>\n", "XML in which no element looks like a record"),
        ("<!DOCTYPE a [<!ENTITY b \"c\">]>\n<a><b x='1'/><b x='2'/></a>\n", "XML with a document type"),
    ] {
        let error = super::draft_of(text).expect_err("no records");
        assert!(matches!(error, DraftError::OtherForm { .. }) && error.to_string().contains(fact), "{error}");
    }
}
