//! What can be typed for a field, and what rows are afterwards.

use std::sync::Arc;

use domain::columns::parsed::{ParsedBatch, ParsedColumns, TimeFlag};
use domain::delivery::{Account, DeliveryId, FileContext, KeyMode};
use domain::ids::{AccountId, ProviderId, TenantId};
use domain::number::Number;
use proptest::prelude::*;

use super::*;

fn edits(fields: &[(&str, &str)]) -> FieldEdits {
    FieldEdits::read(fields.iter().copied()).expect("fields that can be set")
}

/// What a field's text is read as, written again.
fn read(field: &str, text: &str) -> Option<String> {
    FieldEdit::read(field, text).ok().map(|edit| edit.to_string())
}

#[test]
fn a_field_is_read_as_a_source_would_write_it() {
    for (field, text, stands) in [
        ("a_number", "+31 6 1234 0001", "31612340001"),
        ("a_number", "", ""),
        ("b_number", "0031201234567", "31201234567"),
        ("b_number", "31201234567", "31201234567"),
        ("b_number", "0611", "0611"),
        ("b_number", "RABOBANK", "RABOBANK"),
        ("b_number", "0612****78", "0612****78"),
        ("b_number", "", ""),
        ("bytes_down", "1125899906842624", "1125899906842624"),
        ("bytes_up", "0", "0"),
        ("cost", "0.125", "0.125"),
        ("cost", "-2", "-2.00"),
        ("cost", "", ""),
        ("cost_currency", "USD", "USD"),
        ("duration_s", "2678400", "2678400"),
        ("iccid", "89310012345678901234", "8931001234567890123"),
        ("iccid", "", ""),
        ("imsi", "001011234567890", "001011234567890"),
        ("kind", "voice-mo", "voice-mo"),
        ("messages", "255", "255"),
        ("network", "01011", "01011"),
        ("network", "NLDPT", "NLDPT"),
        ("network", "", ""),
        ("provider_class", " EU/MOB ", "EU/MOB"),
        ("provider_class", "", ""),
        ("start", "2026-10-25T02:30:15.5+01:00", "2026-10-25T02:30:15.5+01:00"),
        ("start", "2026-10-25T01:30:15Z", "2026-10-25T01:30:15+00:00"),
    ] {
        assert_eq!(read(field, text).as_deref(), Some(stands), "{field}={text}");
        assert_eq!(read(field, stands).as_deref(), Some(stands), "{field}: what is written reads back");
    }
}

#[test]
fn what_a_field_cannot_hold_is_refused_with_what_it_can() {
    for (field, wrong) in [
        // Whose country is not written.
        ("a_number", &["0612340001", "112", "RABOBANK", "316", "1234567890123456"][..]),
        ("b_number", &["0201234567", "(020) 1234567", "12", "+", "a\u{7}b", "1234567890123456"]),
        ("bytes_down", &["", "-1", "1.5", "1125899906842625", "1 MB"]),
        ("bytes_up", &["", "+1", "99999999999999999999"]),
        ("cost", &["0,10", "EUR 1", "1e3", "1000000000", "0.0000000001", "."]),
        ("cost_currency", &["", "eur", "EURO"]),
        ("duration_s", &["", "-1", "60s", "2678401", "1:00"]),
        ("iccid", &["8931", "8931001234567890123x"]),
        ("imsi", &["2040812345", "20408123456789a"]),
        ("kind", &["", "voice", "fax", "voice-MO"]),
        ("messages", &["", "0", "256"]),
        ("network", &["204", "nldpt", "NL-KPN"]),
        ("provider_class", &["a\nb"]),
        (
            "start",
            &[
                "",
                "2026-10-25 02:30:15Z",
                "2026-10-25T02:30:15",
                "2026-02-29T00:00:00Z",
                "2026-10-25T02:30:60Z",
                "1969-12-31T23:59:59Z",
                "2026-10-25T02:30:15+01:00[Europe/Amsterdam]",
            ],
        ),
    ] {
        for text in wrong {
            let error = FieldEdit::read(field, text).expect_err(text);
            assert!(matches!(error, EditError::Value { .. }), "{field}={text}: {error}");
            assert!(error.to_string().starts_with(&format!("`{field}` cannot be `")), "{error}");
        }
    }
    let error = FieldEdit::read("b_number", "0201234567").expect_err("no country").to_string();
    assert!(error.contains("`020••••567`: give a number with its country"), "{error}");
    assert!(
        FieldEdit::read("provider_class", &"x".repeat(129)).is_err()
            && FieldEdit::read("provider_class", &"x".repeat(128)).is_ok()
    );
}

#[test]
fn fields_that_are_none_or_contradict_each_other_are_refused() {
    let error = |fields: &[(&str, &str)]| FieldEdits::read(fields.iter().copied()).expect_err("refused").to_string();
    let unknown = error(&[("b_numbr", "31201234567")]);
    assert!(unknown.contains("a_number, b_number, ") && unknown.contains("did you mean `b_number`?"), "{unknown}");
    assert!(error(&[("customer", "C-1")]).contains("is no field that can be set"));
    assert!(error(&[("imsi", "204081234567890"), ("imsi", "")]).contains("`imsi` is set twice"));
    assert!(error(&[("cost", ""), ("cost_currency", "EUR")]).contains("no meaning without a cost"));
    assert!(error(&[]).contains("no field is set"));
}

#[test]
fn fields_are_kept_as_texts_by_name() {
    let edits = edits(&[("start", "2026-10-25T02:30:15+01:00"), ("b_number", "+31201234567"), ("cost", "0.1"), ("network", "")]);
    let written = serde_json::to_value(&edits).expect("JSON");
    let texts =
        serde_json::json!({"b_number": "31201234567", "cost": "0.10", "network": "", "start": "2026-10-25T02:30:15+01:00"});
    assert_eq!(written, texts);
    assert_eq!(serde_json::from_value::<FieldEdits>(written).expect("as it was written"), edits);
    let damaged = serde_json::from_value::<FieldEdits>(serde_json::json!({"imsi": "1"})).expect_err("no IMSI").to_string();
    assert!(damaged.contains("14 or 15 digits"), "{damaged}");
}

/// Two calls: one to a word on a network, with a class and a cost in euros, and one of which little is known.
fn batch() -> ParsedBatch {
    let id = |text| {
        (TenantId::parse(text).expect("an id"), ProviderId::parse(text).expect("an id"), AccountId::parse(text).expect("an id"))
    };
    let (tenant, provider, account) = id("main");
    let file = FileContext {
        account: Account { tenant, provider, account },
        delivery: DeliveryId(7),
        arrival: 3,
        origin: "a.csv".into(),
        profile: "job@1".into(),
        cycle: None,
        cost_currency: Currency::EUR,
        key_mode: KeyMode::Content,
        billable_from_us: i64::MIN,
    };
    let columns = ParsedColumns {
        row: vec![4, 9],
        key: vec![40, 90],
        usage: vec![Usage::parse("voice-mo").expect("a kind"); 2],
        a_number: vec![Number::e164(31_612_340_001, 11); 2],
        b_number: vec![Number::text(NumberKind::Alphanumeric, 0), Number::ABSENT],
        start_us: vec![1_000_000, 2_000_000],
        offset_s: vec![3600, 3600],
        time_flag: vec![TimeFlag::Repeated as u8, TimeFlag::Exact as u8],
        duration_s: vec![60, 90],
        network: vec![Network::mccmnc(20_408, 5), Network::ABSENT],
        class: vec![1, 0],
        cost_nano: vec![100_000_000, NO_COST],
        ..ParsedColumns::default()
    };
    ParsedBatch {
        file: Arc::new(file),
        first_row: 0,
        rows_in: 2,
        columns,
        malformed: Vec::new(),
        skipped: BTreeMap::new(),
        texts: vec!["BANK".to_owned()],
        classes: vec!["EU".into()],
    }
}

#[test]
fn all_rows_have_the_fields_and_nothing_else_changes() {
    let all = edits(&[
        ("a_number", ""),
        ("b_number", "RABOBANK"),
        ("bytes_down", "5"),
        ("bytes_up", "6"),
        ("cost", "0.2"),
        ("cost_currency", "USD"),
        ("duration_s", "30"),
        ("iccid", "8931001234567890123"),
        ("imsi", "204081234567890"),
        ("kind", "sms-mo"),
        ("messages", "3"),
        ("network", "NLDPT"),
        ("provider_class", "NL"),
        ("start", "1970-01-01T01:00:01+01:00"),
    ]);
    let (after, stands) = all.applied(batch());
    assert_eq!(stands, [false, false]);
    let (again, stands) = all.applied(after);
    assert_eq!(stands, [true, true], "twice is once");
    assert!((0..2).all(|i| all.misfit(&again, i).is_none()));
    let c = &again.columns;
    assert_eq!((&c.row[..], &c.key[..]), (&[4, 9][..], &[40, 90][..]), "the record stays the record");
    let mut other = String::new();
    c.b_number[1].write(&again.texts, &mut other).expect("a string takes all");
    assert_eq!((other.as_str(), c.a_number[0], c.time_flag.len()), ("RABOBANK", Number::ABSENT, 0));
    assert_eq!((&c.cost_nano[..], again.file.cost_currency.as_str()), (&[200_000_000; 2][..], "USD"));
    assert_eq!((&again.classes[..], &c.class[..], &c.start_us[..]), (&["NL".into()][..], &[1, 1][..], &[1_000_000; 2][..]));
}

#[test]
fn a_row_that_has_a_field_so_is_as_it_was() {
    for (field, text, stands) in [
        ("a_number", "31612340001", [true, true]),
        ("b_number", "BANK", [true, false]),
        ("b_number", "", [false, true]),
        ("bytes_up", "0", [false, false]),
        ("cost", "0.10", [true, false]),
        ("cost", "", [false, true]),
        ("cost_currency", "EUR", [true, true]),
        ("duration_s", "90", [false, true]),
        ("imsi", "", [true, true]),
        ("network", "20408", [true, false]),
        ("network", "020408", [false, false]),
        ("provider_class", "EU", [true, false]),
        ("provider_class", "", [false, true]),
        // The first of two instants that the clock showed is taken for what it is.
        ("start", "1970-01-01T01:00:01+01:00", [false, false]),
        ("start", "1970-01-01T01:00:02+01:00", [false, true]),
        ("start", "1970-01-01T00:00:02Z", [false, false]),
    ] {
        assert_eq!(edits(&[(field, text)]).applied(batch()).1, stands, "{field}={text}");
    }
}

#[test]
fn a_field_that_a_row_cannot_have_is_named() {
    let misfit = |fields: &[(&str, &str)]| {
        let edits = edits(fields);
        let (after, _) = edits.applied(batch());
        [0, 1].map(|i| edits.misfit(&after, i))
    };
    assert_eq!(misfit(&[("messages", "2")]), [Some(Misfit::NoMessage); 2]);
    assert_eq!(misfit(&[("messages", "2"), ("kind", "sms-mt")]), [None; 2]);
    assert_eq!(misfit(&[("cost_currency", "USD")]), [None, Some(Misfit::NoCost)]);
    assert_eq!(misfit(&[("cost_currency", "USD"), ("cost", "1")]), [None; 2]);
}

proptest! {
    #[test]
    fn garbage_never_panics_and_what_is_read_reads_back(field in 0..KNOWN.len(), text in ".{0,40}|[0-9+() .-]{0,20}|[0-9TZ:+.-]{19,26}") {
        let field = KNOWN[field].0;
        if let Ok(edit) = FieldEdit::read(field, &text) {
            prop_assert_eq!(edit.name(), field);
            prop_assert_eq!(FieldEdit::read(field, &edit.to_string()), Ok(edit));
        }
    }
}
