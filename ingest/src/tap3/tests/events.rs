//! Events and money: what is encoded is read, whatever the form; times under both offsets; charges exchanged exactly; the
//! audit control's figures.

use domain::number::NumberKind;
use domain::outcome::Reason;
use proptest::prelude::*;

use super::super::audit::{AuditItem, Difference};
use super::super::event::{EventKind, Service};
use super::super::head::ExchangeRate;
use super::super::tags;
use super::encode::{Audit, Batch, Event, Form, digits, group, integer, text, value};
use super::{ending, head_of, read};

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![Just(Form::Definite), Just(Form::Indefinite), Just(Form::Padded)]
}

fn event() -> impl Strategy<Value = Event> {
    let kind = prop_oneof![
        Just(tags::MOBILE_ORIGINATED),
        Just(tags::MOBILE_TERMINATED),
        Just(tags::GPRS),
        Just(tags::SUPPLEMENTARY_SERVICE),
        Just(tags::LOCATION_SERVICE),
        Just(577u32),
    ];
    let who = (kind, "[1-9][0-9]{13,14}", "[1-9][0-9]{7,14}", "[1-9][0-9]{2,18}");
    let when = (2000..2100u32, 1..13u32, 1..29u32, 0..24u32, 0..60u32, 0..2u64);
    let how_much = (0..400_000u64, any::<(u32, u32)>(), proptest::collection::vec((0..1i64 << 40, 0..2u64), 0..4), 0..1000i64);
    let where_at = (proptest::collection::vec(any::<u8>(), 1..8), proptest::option::of("[A-Z]{3}[A-Z0-9]{2}"));
    (who, when, how_much, where_at).prop_map(|((tag, imsi, msisdn, other), when, how_much, (reference, serving))| {
        let (year, month, day, hour, second, utc_code) = when;
        let (duration_s, (bytes_in, bytes_out), charges, tax) = how_much;
        let local = format!("{year:04}{month:02}{day:02}{hour:02}59{second:02}");
        let volumes = (u64::from(bytes_in) << 9, u64::from(bytes_out));
        let service = "11".to_owned();
        let more = vec![group(Form::Indefinite, 162, &[text(163, "note")])];
        Event {
            tag,
            imsi,
            msisdn,
            other,
            local,
            utc_code,
            duration_s,
            volumes,
            service,
            charges,
            tax,
            reference,
            entity: 1,
            serving,
            more,
        }
    })
}

/// Microseconds since 1970 of a local time and an offset, by the calendar of another library.
fn utc_us(local: &str, offset_s: i64) -> i64 {
    let time = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", local).expect("a time");
    time.to_zoned(jiff::tz::TimeZone::UTC).expect("an instant").timestamp().as_microsecond() - offset_s * 1_000_000
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_encoded_is_read(form in form(), events in proptest::collection::vec(event(), 0..12)) {
        let file = Batch::of(form, &events).encode();
        let head = head_of(&file);
        let (records, ending) = read(&head, &file);
        prop_assert_eq!(records.len(), events.len());
        let mut at = head.body_from;
        for (row, (record, wanted)) in records.iter().zip(&events).enumerate() {
            prop_assert_eq!((record.row, record.from), (row as u64, at), "rows stand one behind the other");
            at = record.to;
            let found = record.event.as_ref().expect("a good event");
            let has_calls = !matches!(wanted.tag, tags::GPRS | tags::SUPPLEMENTARY_SERVICE);
            prop_assert_eq!(found.imsi.map(|imsi| imsi.to_string()), Some(wanted.imsi.clone()));
            prop_assert_eq!(found.msisdn.as_str(), &wanted.msisdn);
            prop_assert_eq!(found.other.as_str(), if has_calls { &wanted.other } else { "" });
            prop_assert_eq!(found.start.offset_s, if wanted.utc_code == 0 { 3600 } else { 0 });
            prop_assert_eq!(found.start.us, utc_us(&wanted.local, i64::from(found.start.offset_s)));
            prop_assert_eq!(found.charge.units, wanted.charges.iter().map(|(units, _)| i128::from(*units)).sum::<i128>());
            prop_assert_eq!(found.charge.nano, found.charge.units * 1_000_000);
            // 1.25 or 1 pound for a drawing right: quarters of thousandths are exact.
            let local = wanted.charges.iter().map(|(units, code)| i128::from(*units) * if *code == 0 { 1_250_000 } else { 1_000_000 });
            prop_assert_eq!(found.charge.local_nano, Some(local.sum()));
            if wanted.tag != tags::SUPPLEMENTARY_SERVICE {
                prop_assert_eq!(found.duration_s, Some(wanted.duration_s));
                prop_assert_eq!(found.serving_network.map(|n| n.to_string()), wanted.serving.clone());
                prop_assert_eq!(found.entity, Some(1));
            }
            if wanted.tag == tags::GPRS {
                prop_assert_eq!((found.bytes_in, found.bytes_out), (Some(wanted.volumes.0), Some(wanted.volumes.1)));
                prop_assert_eq!((found.charging_id, found.partial), (Some(4711), Some("F")));
            } else if has_calls {
                prop_assert_eq!(found.call_reference, Some(wanted.reference.as_slice()));
                prop_assert_eq!(found.service, Some(Service::Tele("11")));
            }
            prop_assert_eq!(found.call_type, (!wanted.charges.is_empty()).then_some((2, 0, 31)));
        }
        let differences: Vec<_> = ending.differences.iter().filter(|d| !matches!(d.item, AuditItem::Earliest | AuditItem::Latest)).collect();
        prop_assert!(differences.is_empty(), "{:?}", differences);
        prop_assert!(!ending.is_cut && ending.unreadable_from.is_none() && ending.trailing == 0);
    }
}

#[test]
fn the_repeated_hour_is_told_by_the_offset_code() {
    let in_summer = Event::call();
    let in_winter = Event { utc_code: 1, ..Event::call() };
    let file = Batch::of(Form::Definite, &[in_summer, in_winter]).encode();
    let starts: Vec<_> = read(&head_of(&file), &file).0.iter().map(|r| r.event.as_ref().expect("good").start).collect();
    assert_eq!((starts[0].offset_s, starts[1].offset_s), (3600, 0));
    assert_eq!(starts[1].us - starts[0].us, 3_600_000_000, "the same clock reading, an hour apart");
    assert_eq!(starts[0].us, utc_us("20261025003015", 0));
}

#[test]
fn an_offset_code_that_is_in_no_table_is_a_broken_time() {
    let event = Event { utc_code: 9, ..Event::call() };
    let file = Batch::of(Form::Definite, &[event]).encode();
    let (records, _) = read(&head_of(&file), &file);
    let unusable = records[0].event.as_ref().expect_err("no offset");
    assert_eq!((unusable.reason(), unusable.item()), (Reason::Time, "utcTimeOffsetInfo"));
}

fn charged(decimals: u64, rates: &[(u64, u32)], charges: &[(i64, u64)]) -> (i128, Option<i128>) {
    let rates = rates.iter().zip(0..).map(|((value, decimals), code)| ExchangeRate { code, value: *value, decimals: *decimals });
    let event = Event { charges: charges.to_vec(), ..Event::call() };
    let file = Batch { decimals, rates: rates.collect(), ..Batch::of(Form::Definite, &[event]) }.encode();
    let (records, _) = read(&head_of(&file), &file);
    let charge = records[0].event.as_ref().expect("a good event").charge;
    (charge.nano, charge.local_nano)
}

#[test]
fn charges_are_exchanged_exactly_and_rounded_once() {
    // 1.234 drawing rights at 1.25 pounds.
    assert_eq!(charged(3, &[(125, 2)], &[(1234, 0)]), (1_234_000_000, Some(1_542_500_000)));
    // 0.000001 at 0.1234, 0.1235: 123.4 and 123.5 nano-units.
    assert_eq!(charged(6, &[(1234, 4)], &[(1, 0)]), (1000, Some(123)));
    assert_eq!(charged(6, &[(1235, 4)], &[(1, 0)]), (1000, Some(124)), "half away from zero");
    // Twice half a nano-unit is one, not two.
    assert_eq!(charged(6, &[(5, 4)], &[(1, 0), (1, 0)]), (2000, Some(1)));
    // Two rates of different decimals in one event: 2 * 1.5 + 3 * 0.00025 units.
    assert_eq!(charged(0, &[(15, 1), (25, 5)], &[(2, 0), (3, 1)]), (5_000_000_000, Some(3_000_750_000)));
    // Large: 9,223,372,036.854775807 at a rate with twelve decimals.
    assert_eq!(charged(9, &[(1_000_000_000_001, 12)], &[(i64::MAX, 0)]), (i128::from(i64::MAX), Some(9_223_372_036_863_999_179)));
    assert_eq!(charged(2, &[(125, 2)], &[(1, 7)]), (10_000_000, None), "no such rate");
    assert_eq!(charged(2, &[(125, 2)], &[(0, 7)]), (0, Some(0)), "nothing needs no rate");
}

#[test]
fn a_charge_without_its_total_is_broken() {
    let detail = group(Form::Definite, tags::CHARGE_DETAIL, &[text(tags::CHARGE_TYPE, "03"), integer(tags::CHARGE, 5)]);
    let information = group(Form::Definite, tags::CHARGE_INFORMATION, &[group(Form::Definite, 64, &[detail])]);
    let negative = [text(tags::CHARGE_TYPE, "00"), integer(tags::CHARGE, -5)];
    let negative = group(Form::Definite, tags::CHARGE_INFORMATION, &[group(Form::Definite, tags::CHARGE_DETAIL, &negative)]);
    for (more, item) in [(information, "chargeType"), (negative, "charge")] {
        let file = Batch::of(Form::Definite, &[Event { more: vec![more], ..Event::call() }]).encode();
        let (records, _) = read(&head_of(&file), &file);
        let unusable = records[0].event.as_ref().expect_err("a broken charge");
        assert_eq!((unusable.reason(), unusable.item(), records[0].charge), (Reason::Cost, item, None));
    }
}

#[test]
fn camel_fees_count_and_refunds_are_apart() {
    let camel = [integer(tags::EXCHANGE_RATE_CODE, 1), integer(tags::CAMEL_FEE, 100)];
    let with_fee = Event { more: vec![group(Form::Definite, tags::CAMEL_SERVICE_USED, &camel)], ..Event::call() };
    let refund = Event { more: vec![integer(tags::REFUND_INDICATOR, 1)], ..Event::of(tags::CONTENT) };
    let audit = Audit { events: Some(2), charge: Some(1334), tax: None, times: None };
    let batch = Batch { audit: Some(audit), ..Batch::of(Form::Definite, &[with_fee, refund]) };
    let file = batch.encode();
    let (records, ending) = read(&head_of(&file), &file);
    let charges: Vec<_> = records.iter().map(|r| r.charge.expect("a charge")).collect();
    assert_eq!((charges[0].units, charges[0].local_nano), (1334, Some(1_642_500_000)), "1.234 at 1.25 and 0.1 at 1");
    assert_eq!((charges[1].units, charges[1].is_refund), (1234, true));
    assert!(ending.differences.iter().all(|d| d.item != AuditItem::Charge), "{:?}", ending.differences);
}

#[test]
fn events_over_ip_come_with_3_12() {
    let when = group(
        Form::Definite,
        tags::SERVICE_START,
        &[text(tags::LOCAL_TIME, "20261025013015"), integer(tags::UTC_OFFSET_CODE, 1)],
    );
    let party = group(Form::Definite, 436, &[digits(tags::IMSI, "204080123456789"), digits(tags::MSISDN, "31612345678")]);
    let peer = group(Form::Definite, 443, &[digits(tags::NON_CHARGED_NUMBER, "442071234567")]);
    let money = [integer(tags::EXCHANGE_RATE_CODE, 0), integer(tags::CHARGE, 40)];
    let message = [vec![party.clone(), when.clone(), peer.clone()], money.to_vec()].concat();
    let detail = group(Form::Definite, tags::CHARGE_DETAIL, &[text(tags::CHARGE_TYPE, "00"), integer(tags::CHARGE, 50)]);
    let information = [integer(tags::EXCHANGE_RATE_CODE, 0), group(Form::Definite, 64, &[detail])];
    let information = group(Form::Definite, tags::SESSION_CHARGE_INFORMATION, &information);
    let session = [party, when, integer(tags::DURATION, 9), peer, group(Form::Definite, 448, &[information])];
    let events = vec![group(Form::Definite, tags::MESSAGING, &message), group(Form::Definite, tags::MOBILE_SESSION, &session)];
    let file = Batch { events, ..Batch::of(Form::Definite, &[]) }.encode();
    let (records, _) = read(&head_of(&file), &file);
    let found: Vec<_> = records.iter().map(|r| r.event.as_ref().expect("a good event")).collect();
    assert_eq!((found[0].kind, found[0].charge.units, found[0].start.offset_s), (EventKind::Messaging, 40, 0));
    assert_eq!((found[1].kind, found[1].charge.units, found[1].duration_s), (EventKind::MobileSession, 50, Some(9)));
    assert_eq!((found[0].other.as_str(), found[1].msisdn.as_str()), ("442071234567", "31612345678"));
}

#[test]
fn the_same_items_are_read_wherever_a_version_nests_them() {
    let event = |parts: &[Vec<u8>]| {
        let when = [text(tags::LOCAL_TIME, "20261025013015"), integer(tags::UTC_OFFSET_CODE, 0)];
        let basic =
            group(Form::Definite, 114, &[digits(tags::IMSI, "204080123456789"), group(Form::Definite, tags::CALL_START, &when)]);
        group(Form::Definite, tags::GPRS, &[vec![basic], parts.to_vec()].concat())
    };
    let volumes = [integer(tags::VOLUME_INCOMING, 300), integer(tags::VOLUME_OUTGOING, 20)];
    // Usages of their own were part of the service used up to 3.9; several of them add up.
    let nested = group(Form::Definite, 121, &[group(Form::Definite, 119, &volumes), group(Form::Definite, 119, &volumes)]);
    let events = vec![event(&[group(Form::Definite, 121, &volumes)]), event(&[nested])];
    for release in 10..=12 {
        let file = Batch { events: events.clone(), release, ..Batch::of(Form::Definite, &[]) }.encode();
        let (records, _) = read(&head_of(&file), &file);
        let found: Vec<_> = records.iter().map(|r| r.event.as_ref().map(|e| (e.bytes_in, e.bytes_out))).collect();
        assert_eq!(found, [Ok((Some(300), Some(20))), Ok((Some(600), Some(40)))], "3.{release}");
    }
}

#[test]
fn the_other_party_of_a_message_is_not_its_centre() {
    let to_message =
        Event { service: "22".to_owned(), more: vec![digits(tags::SMS_DESTINATION, "31687654321")], ..Event::call() };
    let dialled = Event { other: String::new(), more: vec![text(tags::DIALLED_DIGITS, "*100#")], ..Event::call() };
    let changed = Event {
        other: String::new(),
        more: vec![text(tags::DIALLED_DIGITS, "123"), digits(tags::CAMEL_DESTINATION, "3197")],
        ..Event::call()
    };
    let file = Batch::of(Form::Definite, &[to_message, dialled, changed]).encode();
    let (records, _) = read(&head_of(&file), &file);
    let others: Vec<_> =
        records.iter().map(|r| r.event.as_ref().map(|e| (e.other.as_str().to_owned(), e.other.kind()))).collect();
    assert_eq!(others[0], Ok(("31687654321".to_owned(), NumberKind::E164)));
    assert_eq!(others[1], Ok(("*100#".to_owned(), NumberKind::Alphanumeric)));
    assert_eq!(others[2], Ok(("3197".to_owned(), NumberKind::ShortCode)));
}

#[test]
fn each_figure_of_the_audit_that_differs_is_named_with_both_values() {
    let later = Event { utc_code: 1, tax: 7, ..Event::call() };
    let right = Audit {
        events: Some(2),
        charge: Some(2468),
        tax: Some(7),
        times: Some([("20261025013015", "+0100"), ("20261025013015", "+0000")]),
    };
    let with = |audit: Audit| ending(&Batch { audit: Some(audit), ..Batch::of(Form::Definite, &[Event::call(), later.clone()]) });
    assert_eq!(with(right.clone()).differences, []);
    let wrong = Audit {
        events: Some(3),
        charge: Some(2469),
        tax: Some(8),
        times: Some([("20261025013014", "+0100"), ("20261025013015", "+0100")]),
    };
    let differences = with(wrong).differences;
    let said: Vec<_> = differences.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "events: the audit control says 3, the events give 2",
            "the total charge in units of the file: the audit control says 2469, the events give 2468",
            "the total tax in units of the file: the audit control says 8, the events give 7",
            "the earliest call: the audit control says 2026-10-25T00:30:14Z, the events give 2026-10-25T00:30:15Z",
            "the latest call: the audit control says 2026-10-25T00:30:15Z, the events give 2026-10-25T01:30:15Z",
        ]
    );
    let silent = with(Audit { events: None, charge: None, tax: None, times: None });
    assert_eq!(silent.differences[0], Difference { item: AuditItem::Events, announced: None, found: Some(2) });
    assert_eq!(silent.differences.len(), 5);
}

#[test]
fn an_event_that_lacks_an_item_is_named_by_its_first_test() {
    let cases = [
        (Event { local: "20261301000000".to_owned(), ..Event::call() }, Reason::Time, "localTimeStamp"),
        (Event { imsi: "1234".to_owned(), local: "x".to_owned(), ..Event::call() }, Reason::Number, "imsi"),
        (Event { serving: Some("nldlt".to_owned()), ..Event::call() }, Reason::Network, "servingNetwork"),
        (Event { more: vec![value(tags::DURATION, &[])], ..Event::call() }, Reason::Duration, "totalCallEventDuration"),
        (Event { more: vec![integer(tags::VOLUME_OUTGOING, -1)], ..Event::of(tags::GPRS) }, Reason::Volume, "dataVolumeOutgoing"),
    ];
    for (event, reason, item) in cases {
        let file = Batch::of(Form::Definite, &[event]).encode();
        let (records, ending) = read(&head_of(&file), &file);
        let unusable = records[0].event.as_ref().expect_err("an event that lacks something");
        assert_eq!((unusable.reason(), unusable.item()), (reason, item));
        assert_eq!(ending.tally.charge, 1234, "its charge counts all the same");
    }
}
