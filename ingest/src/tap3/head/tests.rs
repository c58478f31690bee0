//! Heads: what their tables hold, versions, and what is wrong with a head that cannot be read.

use super::super::tags;
use super::super::tests::encode::{Batch, Event, Form, group, integer, text};
use super::*;

fn head_of(batch: &Batch) -> Result<Head, Tap3Error> {
    match read(&batch.encode(), true)? {
        Some(Opening::Batch(head)) => Ok(*head),
        other => panic!("{other:?} is no batch"),
    }
}

#[test]
fn tables_hold_what_the_codes_of_events_stand_for() {
    for form in [Form::Definite, Form::Indefinite, Form::Padded] {
        let head = head_of(&Batch::of(form, &[Event::call()])).expect("a good head");
        let control = &head.control;
        assert_eq!((control.sender.as_str(), control.recipient.as_str(), control.sequence.as_str()), ("GBRVF", "NLDLT", "00017"));
        let hour = 3_600_000_000;
        let [created, cut_off, available] = [control.created, control.cut_off, control.available].map(|s| s.expect("a time").us);
        assert_eq!((created - cut_off, available - created), (hour, hour));
        assert_eq!((head.offset(0), head.offset(1), head.offset(2)), (Some(3600), Some(0), None));
        let accounting = &head.accounting;
        assert_eq!((accounting.currency.as_str(), accounting.decimals), ("XDR", 3));
        assert_eq!(accounting.local_currency.map(|c| c.to_string()).as_deref(), Some("GBP"));
        assert_eq!(head.rate(0), Some(&ExchangeRate { code: 0, value: 125, decimals: 2 }));
        assert_eq!(accounting.taxes, [Taxation { code: 1, kind: "13".to_owned(), rate: Some("2000000".to_owned()) }]);
        assert_eq!(accounting.discounts, [Discounting { code: 1, fixed: None, rate: Some(500) }]);
        assert_eq!(head.entity(1).map(|e| (e.kind, e.id.as_str())), Some((1, "447700900001")));
    }
}

#[test]
fn releases_10_to_12_are_read_and_others_are_named() {
    for (release, is_read) in [(9, false), (10, true), (11, true), (12, true), (13, false)] {
        let head = head_of(&Batch { release, ..Batch::of(Form::Definite, &[]) });
        assert_eq!(head.is_ok(), is_read, "3.{release}");
        if let Err(error) = head {
            assert!(error.to_string().contains(&format!("TAP 3.{release}")), "{error}");
        }
    }
}

#[test]
fn the_drawing_right_has_three_names() {
    for (named, expected) in [(None, "XDR"), (Some("SDR"), "XDR"), (Some("XDR"), "XDR"), (Some("USD"), "USD")] {
        let head = head_of(&Batch { currency: named, ..Batch::of(Form::Definite, &[]) }).expect("a good head");
        assert_eq!(head.accounting.currency.as_str(), expected);
    }
}

#[test]
fn a_head_is_read_from_its_first_bytes() {
    for form in [Form::Definite, Form::Indefinite] {
        let file = Batch::of(form, &[Event::call()]).encode();
        let whole = read(&file, true).expect("a good head").expect("all of it");
        let Opening::Batch(head) = &whole else { panic!("no batch") };
        for length in 0..file.len() {
            match read(&file[..length], false).expect("nothing is wrong with a beginning") {
                None => assert!(length < head.body_from, "{length} bytes hold the head"),
                Some(opening) => assert!(opening == whole && length >= head.body_from),
            }
        }
        assert_eq!(read(&file[..40], true), Err(Tap3Error::Cut));
    }
}

#[test]
fn what_is_wrong_with_a_head_is_named() {
    let says = |bytes: &[u8], words: &str| {
        let error = read(bytes, true).expect_err("a bad head");
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.disposition(), domain::ports::Disposition::Stop);
    };
    says(b"id;type;from\n", "`69643b747970653b`");
    says(&[0xff; 4], "begins with no TAP3 batch");
    let good = Batch::of(Form::Definite, &[]);
    let with = |change: &dyn Fn(&mut Batch)| {
        let mut batch = good.clone();
        change(&mut batch);
        batch.encode()
    };
    says(&with(&|b| b.decimals = 10), "tapDecimalPlaces");
    says(&with(&|b| b.currency = Some("eur")), "tapCurrency");
    says(&with(&|b| b.offsets.push((7, "0100"))), "utcTimeOffset");
    says(&with(&|b| b.offsets.push((0, "+0200"))), "code 0 stands twice in the file's table of utcTimeOffsetInfo");
    says(&with(&|b| b.rates.push(ExchangeRate { code: 0, value: 126, decimals: 2 })), "code 0 stands twice");
    says(&with(&|b| b.rates.push(ExchangeRate { code: 2, value: 0, decimals: 2 })), "exchangeRate");
    says(&with(&|b| b.rates.push(ExchangeRate { code: 2, value: 1, decimals: 13 })), "numberOfDecimalPlaces");
    let entity = |code| RecordingEntity { code, kind: 1, id: "1".to_owned() };
    says(&with(&|b| b.entities = (0..1001).map(entity).collect()), "more than 1000 entries");
    assert!(read(&with(&|b| b.offsets.push((0, "+0100"))), true).is_ok(), "the same entry twice says nothing else");
    says(
        &group(Form::Definite, tags::TRANSFER_BATCH, &[group(Form::Definite, tags::BATCH_CONTROL, &good.control())]),
        "callEventDetails",
    );
    let no_sender = group(Form::Definite, tags::BATCH_CONTROL, &good.control()[1..]);
    let events = group(Form::Definite, tags::CALL_EVENTS, &[]);
    says(&group(Form::Definite, tags::TRANSFER_BATCH, &[no_sender, events]), "no sender");
    let bad_sender = [vec![text(tags::SENDER, "gbr")], good.control()[1..].to_vec()].concat();
    says(&group(Form::Definite, tags::NOTIFICATION, &bad_sender), "sender");
    let huge = [group(Form::Definite, tags::TRANSFER_BATCH, &[]), integer(1, 1)].concat();
    says(&huge, "callEventDetails");
}
