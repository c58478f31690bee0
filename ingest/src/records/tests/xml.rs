//! XML records: paths of elements and attributes, references, what stands beside records, and records behind a broken one.

use super::{assert_cuts_agree, faults, profile, read, refused, state};
use crate::message::FileState;
use crate::profile::Profile;
use crate::profile::samples::batches;

const NAMES: [(&str, &str); 7] = [
    ("ID", "@id"),
    ("KIND", "Kind"),
    ("SERVED", "Parties/A"),
    ("OTHER", "Parties/B/@number"),
    ("TIME", "Start"),
    ("SECONDS", "Length"),
    ("COST", "Cost"),
];

const HEAD: &str = "[file]\nreader = \"xml\"\n[xml]\nrecord = \"Usage/Calls/Call\"\nignore = [\"Total\"]\n";

pub(super) fn calls() -> Profile {
    profile(HEAD, NAMES)
}

pub(super) fn record(id: u32) -> String {
    format!(
        "<Call id=\"{id}\"><Kind>V</Kind><Parties><A>+31612345678</A><B number='0207654321'/></Parties>\
         <Start>2026-10-24 09:15:00</Start><Length>63</Length><Legs><Leg>1</Leg><Leg>2</Leg></Legs><Cost>0.0412</Cost></Call>"
    )
}

pub(super) fn file(records: &[String]) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- usage --><Usage made=\"x\">\n<Head><Calls/></Head>\n<Calls>\n{}\n\
         </Calls>\n<Foot/></Usage>\n",
        records.join("\n")
    )
}

#[test]
fn columns_are_found_by_their_path() {
    let other = "<Call\n  made='a>b'  id = \"x/1\" ><!-- note --><Start> 2026-10-24\t09:16:00 </Start><Kind><![CDATA[S]]></Kind><Parties>\
        <B number=\"Caf&#xe9; &amp;&#32;Z&#252;id\"></B><A>06&#49;2345678</A></Parties><Length/><Cost/></Call>";
    let text = file(&[record(7), "<Total>2</Total>".to_owned(), other.to_owned()]);
    let batch = read(&calls(), &text);
    assert_eq!(faults(&batch), []);
    let c = &batch.columns;
    assert_eq!((c.record_id.get(0), c.record_id.get(1)), ("7", "x/1"));
    assert_eq!((c.duration_s.as_slice(), c.cost_nano[0]), (&[63, 0][..], 41_200_000));
    assert!(c.a_number.iter().all(|n| n.as_e164() == Some(31_612_345_678)));
    assert_eq!(batch.texts, ["Caf\u{e9} & Z\u{fc}id"]);
    let (from, length) = (usize::try_from(c.offset[1]).expect("small"), c.length[1] as usize);
    assert_eq!(&text[from..from + length], other);
    assert_cuts_agree(&calls(), text.as_bytes());
}

#[test]
fn how_a_record_is_laid_out_changes_no_key_and_values_do() {
    let spaced = record(1).replace('>', ">\n  ").replace("'0207654321'/>", "\"0207654321\"></B>");
    let batch = read(&calls(), file(&[record(1), spaced, record(2)]));
    assert_eq!(faults(&batch), []);
    assert_eq!(batch.columns.key[0], batch.columns.key[1]);
    assert_ne!(batch.columns.key[0], batch.columns.key[2]);
}

#[test]
fn latin_1_is_read_as_its_declaration_says() {
    let latin = profile(&HEAD.replace("[xml]", "encoding = \"latin-1\"\n[xml]"), NAMES);
    let text = file(&[record(1).replace("0207654321", "Caf\u{e9}&#233;")]);
    let bytes = |text: &str| text.chars().map(|c| u8::try_from(c).expect("a Latin-1 character")).collect::<Vec<u8>>();
    let batch = read(&latin, bytes(&text.replace("UTF-8", "ISO-8859-1")));
    assert_eq!(batch.texts, ["Caf\u{e9}\u{e9}"]);
    let batch = read(&latin, bytes(&text.replace("UTF-8", "iso-8859-1").replace("&#233;", "&#8364;")));
    assert_eq!(faults(&batch), [(0, "malformed.encoding", "Parties/B/@number")]);
    let (found, message) = state(&latin, &bytes(&text));
    assert!(found == FileState::WrongEncoding && message.contains("utf-8"), "{message}");
}

#[test]
fn what_is_no_record_keeps_its_reason_and_its_neighbours() {
    let good = record(1);
    let broken = [
        (good.replace("<Kind>V</Kind>", "<Kind>V</Kind><Kind>S</Kind>"), "malformed.columns", "Kind"),
        (good.replace("id=\"1\"", "id=\"1\" id=\"2\""), "malformed.columns", "@id"),
        (good.replace("<Kind>V</Kind>", "<Kind><V/></Kind>"), "malformed.columns", "Kind"),
        (good.replace("<Kind>V</Kind>", "<Kind>&v;</Kind>"), "malformed.columns", "Kind"),
        (good.replace("<Kind>V</Kind>", "<Kind>V&#0;</Kind>"), "malformed.encoding", "Kind"),
        (good.replace("<Kind>V</Kind>", "<Kind>V&amp</Kind>"), "malformed.columns", "Kind"),
        (good.replace("<Leg>1</Leg>", &("<x>".repeat(40) + &"</x>".repeat(40))), "malformed.columns", "record"),
        (good.replace("<Kind>V</Kind>", ""), "malformed.type", "Kind"),
        (good.replace("Call", "Cal"), "malformed.columns", "record"),
        (good.replacen("<Call", "<Cal", 1), "malformed.columns", "record"),
        (good.replace("</Call>", "</Cal>"), "malformed.columns", "record"),
        (good.replace("</Kind>", ""), "malformed.columns", "record"),
        (good.replace("<Kind>", "<!ENTITY k \"V\"><Kind>"), "malformed.columns", "record"),
        (good[..60].to_owned(), "malformed.columns", "record"),
        ("some text".to_owned(), "malformed.columns", "record"),
        ("</Other>".to_owned(), "malformed.columns", "record"),
    ];
    for (text, reason, field) in broken {
        let batch = read(&calls(), file(&[good.clone(), text.clone(), good.clone(), good.clone()]));
        assert_eq!(faults(&batch), [(1, reason, field)], "{text}");
        assert_eq!((batch.columns.row.as_slice(), batch.malformed[0].raw.as_slice()), (&[0, 2, 3][..], text.as_bytes()));
        let last = file(&[good.clone(), text.clone()]);
        assert_eq!(faults(&read(&calls(), &last)), [(1, reason, field)], "at the end: {text}");
        assert_cuts_agree(&calls(), last.as_bytes());
    }
}

#[test]
fn records_may_stand_in_several_elements() {
    let text = file(&[record(1), record(2)]).replace("<Foot/>", &format!("<Foot/><Calls x='1'>{}</Calls><Calls/>", record(3)));
    let batch = read(&calls(), &text);
    assert_eq!((batch.len(), faults(&batch)), (3, vec![]));
    assert_cuts_agree(&calls(), text.as_bytes());
}

#[test]
fn what_is_not_where_it_should_be_refuses_the_file() {
    let whole = file(&[record(1), record(2)]);
    let says = |text: &str, wanted: FileState, words: &str| {
        let (found, message) = state(&calls(), text.as_bytes());
        assert!(found == wanted && message.contains(words), "{text}: {found:?} {message}");
    };
    let doctype = "<!DOCTYPE Usage [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>\n<!--";
    says(&whole.replacen("<!--", doctype, 1), FileState::WrongHeader, "document type (DTD)");
    says(&whole.replace("Usage", "Use"), FileState::WrongHeader, "root element is `Use`, not `Usage`");
    says("Datum;Tijd\n", FileState::WrongHeader, "no XML");
    says("<Usage><Calls/></Usage>", FileState::Empty, "no records");
    says("<Usage/>", FileState::Empty, "no records");
    says(&file(&[]), FileState::Empty, "no records");
    says("", FileState::Empty, "no bytes");
    says(&format!("{whole}{whole}"), FileState::WrongCount, "behind the list");
    says(&whole[..whole.len() - 20], FileState::Truncated, "after 2 whole records");
    says(&whole.replace("<Calls>", "<Call>"), FileState::WrongHeader, "no well-formed XML");
}

#[test]
fn a_document_cut_off_anywhere_is_never_complete() {
    let text = file(&[record(1), record(2)]);
    for cut in 1..text.len() - 1 {
        let (split, _) = batches(&calls(), &text.as_bytes()[..cut], 9);
        assert!(!split.verdict.state.is_taken() && !split.verdict.message.is_empty(), "cut at {cut}: {:?}", split.verdict);
    }
}

#[test]
fn declarations_that_cannot_be_say_why() {
    let text = calls().text().to_owned();
    for (from, to, words) in [
        ("record = \"Usage/Calls/Call\"", "record = \"Call\"", "root element"),
        ("record = \"Usage/Calls/Call\"", "record = \"Usage//Call\"", "is no path"),
        ("column = \"Kind\"", "column = \"@Kind/x\"", "is no path"),
        ("column = \"Kind\"", "column = 1", "has no positions"),
        ("reader = \"xml\"", "reader = \"xml\"\nencoding = \"utf-16\"", "does not use it"),
        ("[xml]\n", "[json]\n[xml]\n", "does not use it"),
        ("ignore = [\"Total\"]", "depth_max = 0", "between 1 and 256"),
    ] {
        assert!(text.contains(from), "{from}");
        let error = refused(&text.replacen(from, to, 1));
        assert!(error.contains(words), "{to}: {error}");
    }
}
