//! The way into the pipeline: verdicts, ranges and columns.

use std::sync::Arc;

use domain::columns::parsed::{ParsedBatch, Partial};
use domain::delivery::{Account, DeliveryId, FileContext, KeyMode, KeySecret, RecordHasher};
use domain::ids::{AccountId, ProviderId, TenantId};
use domain::money::Currency;
use domain::outcome::Reason;

use super::super::{FREE_SUPPLEMENTARY, Rules, parse, split, split_at, tags};
use super::encode::{Batch, Event, Form, group, text};
use super::{head_of, rules};
use crate::message::FileState;
use crate::parse::occurrence::{Occurrences, number};
use crate::split::SplitRange;

fn account() -> Account {
    Account {
        tenant: TenantId::parse("main").expect("an id"),
        provider: ProviderId::parse("gbrvf").expect("an id"),
        account: AccountId::parse("roaming").expect("an id"),
    }
}

fn hasher() -> RecordHasher {
    RecordHasher::new(&KeySecret([7; 16]), &account())
}

fn parse_as(rules: &Rules, key_mode: KeyMode, bytes: &[u8]) -> ParsedBatch {
    let file = FileContext {
        account: account(),
        delivery: DeliveryId(1),
        arrival: 1,
        origin: "CDGBRVFNLDLT00017".into(),
        profile: "tap3@1".into(),
        cycle: None,
        cost_currency: rules.cost_currency,
        key_mode,
        billable_from_us: i64::MIN,
    };
    let head = head_of(bytes);
    let split = split(rules, bytes, u64::MAX);
    assert_eq!(split.verdict.state, FileState::Complete, "{}", split.verdict.message);
    let range = split.ranges[0];
    let part = &bytes[usize::try_from(range.from).unwrap()..usize::try_from(range.to).unwrap()];
    parse(rules, &head, &Arc::new(file), &hasher(), range, part)
}

fn parsed(events: &[Event]) -> ParsedBatch {
    parse_as(&rules(), KeyMode::Content, &Batch::of(Form::Definite, events).encode())
}

#[test]
fn parts_of_a_data_session_are_marked() {
    let part = |word: &str| Event { more: vec![text(tags::PARTIAL_TYPE, word)], ..Event::of(tags::GPRS) };
    let batch = parsed(&[Event::of(tags::GPRS), part("I"), part("L"), Event::call()]);
    let c = &batch.columns;
    let ids: Vec<&str> = (0..batch.len()).map(|i| c.session_id.get(i)).collect();
    assert!(ids[0].ends_with(":4711") && ids[0] == ids[1] && ids[1] == ids[2] && ids[3].is_empty(), "{ids:?}");
    let names: Vec<_> = c.partial.iter().map(|code| Partial::name_of(*code)).collect();
    assert_eq!(names, [Some("partial"), Some("partial"), Some("last"), None]);
}

#[test]
fn events_become_columns() {
    let sms = |tag, code: &str| Event { service: code.to_owned(), ..Event::of(tag) };
    let forwarded = Event { more: vec![text(tags::SUPPLEMENTARY_CODE, "21")], ..Event::call() };
    let session = Event { volumes: (5000, 700), serving: Some("IRLEC".to_owned()), ..Event::of(tags::GPRS) };
    let emergency = Event { other: "112".to_owned(), service: "12".to_owned(), ..Event::call() };
    let events = [
        Event::call(),
        Event::of(tags::MOBILE_TERMINATED),
        sms(tags::MOBILE_ORIGINATED, "22"),
        sms(tags::MOBILE_TERMINATED, "21"),
        session,
        forwarded,
        emergency,
    ];
    let batch = parsed(&events);
    let c = &batch.columns;
    let usages: Vec<_> = c.usage.iter().map(|u| u.as_str()).collect();
    assert_eq!(usages, ["voice-mo", "voice-mt", "sms-mo", "sms-mt", "data", "voice-fwd", "voice-mo"]);
    assert_eq!(c.row, [0, 1, 2, 3, 4, 5, 6]);
    assert!(c.a_number.iter().all(|n| n.as_e164() == Some(31_612_345_678)) && c.imsi.iter().all(|i| *i == 204_080_123_456_789));
    assert_eq!((c.b_number[0].as_e164(), c.b_number[6].digits(), c.b_number[6].value()), (Some(442_071_234_567), 3, 112));
    assert_eq!((c.bytes_up[4], c.bytes_down[4], c.duration_s[0]), (700, 5000, 73), "what comes in is received");
    let networks: Vec<_> = c.network.iter().map(ToString::to_string).collect();
    assert_eq!((networks[0].as_str(), networks[4].as_str()), ("GBRVF", "IRLEC"), "the sender, unless the event names another");
    assert_eq!((c.cost_nano[0], c.class[0], batch.classes[0].as_ref()), (1_234_000_000, 1, "2.0.31"));
    assert_eq!((c.record_id.get(0), c.record_id.get(4).starts_with("447700900001:4711:")), ("447700900001:ab01", true));
    assert!(c.row.len() == events.len() && c.start_us.iter().all(|us| *us == c.start_us[0]) && c.offset_s[0] == 3600);
}

#[test]
fn the_cost_is_in_the_currency_of_the_charges_or_of_the_sender() {
    let file = Batch::of(Form::Definite, &[Event::call()]).encode();
    let in_currency = |code: &str| Rules::new(Currency::parse(code).expect("a currency"));
    assert_eq!(parse_as(&in_currency("XDR"), KeyMode::Content, &file).columns.cost_nano, [1_234_000_000]);
    assert_eq!(parse_as(&in_currency("GBP"), KeyMode::Content, &file).columns.cost_nano, [1_542_500_000]);
    let refused = split(&in_currency("EUR"), &file, 10).verdict;
    assert_eq!(refused.state, FileState::WrongHeader);
    assert!(refused.message.contains("charges are in XDR and can be exchanged to GBP"), "{}", refused.message);
    let no_rate = Event { charges: vec![(5, 9)], ..Event::call() };
    let batch = parse_as(&in_currency("GBP"), KeyMode::Content, &Batch::of(Form::Definite, &[no_rate]).encode());
    assert_eq!((batch.malformed[0].reason, batch.malformed[0].field.as_ref()), (Reason::Cost, "exchangeRateCode"));
}

#[test]
fn what_has_no_place_is_suspense_or_skipped_by_name() {
    let free = Event { charges: vec![(0, 0)], ..Event::of(tags::SUPPLEMENTARY_SERVICE) };
    let events = [Event::of(tags::SUPPLEMENTARY_SERVICE), free, Event::of(tags::LOCATION_SERVICE), Event::of(577)];
    let file = Batch::of(Form::Definite, &events).encode();
    let batch = parse_as(&rules(), KeyMode::Content, &file);
    assert_eq!((batch.rows_in, batch.skipped.get(FREE_SUPPLEMENTARY)), (4, Some(&1)));
    let malformed: Vec<_> = batch.malformed.iter().map(|m| (m.row, m.reason, m.field.as_ref())).collect();
    let expected = [(0, "supplServiceEvent"), (2, "callEventDetail"), (3, "callEventDetail")];
    assert_eq!(malformed, expected.map(|(row, field)| (row, Reason::Kind, field)));
    for row in &batch.malformed {
        let from = usize::try_from(row.offset).unwrap();
        assert_eq!(row.raw, file[from..from + row.raw.len()], "the event's bytes are kept");
        assert_eq!(row.length, row.raw.len() as u64);
    }
    let all = Rules { skips_free_supplementary: false, ..rules() };
    assert_eq!(parse_as(&all, KeyMode::Content, &file).malformed.len(), 4);
}

#[test]
fn what_is_charged_by_must_be_there() {
    let drop = |event: &Event, tag: u32, length: usize| {
        let mut bytes = event.encode(Form::Indefinite);
        let wanted = super::encode::value(tag, &[]);
        let at = bytes.windows(wanted.len() - 1).position(|w| w == &wanted[..wanted.len() - 1]).expect("it is there");
        bytes.drain(at..at + wanted.len() + length);
        bytes
    };
    let call = drop(&Event::call(), tags::DURATION, 1);
    let session = drop(&Event::of(tags::GPRS), tags::VOLUME_INCOMING, 1);
    let nobody = group(
        Form::Indefinite,
        tags::MOBILE_ORIGINATED,
        &[
            group(
                Form::Indefinite,
                tags::CALL_START,
                &[text(tags::LOCAL_TIME, "20261025013015"), super::encode::integer(tags::UTC_OFFSET_CODE, 0)],
            ),
            text(tags::TELE_SERVICE, "11"),
        ],
    );
    let too_long = Event { duration_s: 31 * 86_400 + 1, ..Event::call() };
    let audit = Batch::of(Form::Indefinite, &[Event::call(), Event::call(), Event::call()]).audit;
    let events = vec![call, session, nobody, too_long.encode(Form::Indefinite)];
    let audit = audit.map(|a| super::encode::Audit { events: Some(4), ..a });
    let file = Batch { events, audit, ..Batch::of(Form::Indefinite, &[]) }.encode();
    let batch = parse_as(&rules(), KeyMode::Content, &file);
    let found: Vec<_> = batch.malformed.iter().map(|m| (m.row, m.reason)).collect();
    assert_eq!(found, [(0, Reason::Duration), (2, Reason::Number), (3, Reason::Duration)]);
    assert_eq!((batch.columns.row.as_slice(), batch.columns.bytes_down.as_slice()), (&[1][..], &[0][..]), "one volume is enough");
}

#[test]
fn keys_follow_content_and_what_its_codes_stand_for() {
    let twice = [Event::call(), Event::call(), Event { duration_s: 74, ..Event::call() }];
    let key = |form, mode| {
        let mut batch = parse_as(&rules(), mode, &Batch::of(form, &twice).encode());
        number(&mut batch, &mut Occurrences::new(&hasher()));
        batch.columns.key
    };
    let content = key(Form::Definite, KeyMode::Content);
    assert!(content[0] == content[1] && content[0] != content[2]);
    let counted = key(Form::Definite, KeyMode::ContentAndOccurrence);
    assert!(counted[0] != counted[1]);
    assert_eq!(counted, key(Form::Definite, KeyMode::ContentAndOccurrence), "a file that is sent again adds nothing");
    let by_id = key(Form::Definite, KeyMode::Id);
    assert!(by_id.iter().all(|k| *k == by_id[0]), "one reference, one record");
    // Same bytes, other table: another instant, another call.
    let batch = Batch::of(Form::Definite, &twice);
    let shifted = Batch { offsets: vec![(0, "+0000")], ..batch.clone() };
    let keys = |batch: &Batch| parse_as(&rules(), KeyMode::Content, &batch.encode()).columns.key;
    assert_ne!(keys(&batch)[0], keys(&shifted)[0]);
    // The outer length octets are no content.
    let padded = Batch { form: Form::Indefinite, ..batch.clone() };
    assert_eq!(keys(&batch), keys(&padded));
}

#[test]
fn ranges_cut_between_events_and_cover_all() {
    let events = vec![Event::call(); 7];
    for form in [Form::Definite, Form::Indefinite] {
        let file = Batch::of(form, &events).encode();
        let whole = split(&rules(), &file, 100).ranges[0];
        let cuts = |split: Vec<SplitRange>| split.iter().map(|r| (r.first_row, r.rows)).collect::<Vec<_>>();
        let ranges = split(&rules(), &file, 3).ranges;
        assert!(ranges.windows(2).all(|w| w[0].to == w[1].from));
        assert_eq!((ranges[0].from, ranges[2].to), (whole.from, whole.to));
        assert_eq!(cuts(ranges), [(0, 3), (3, 3), (6, 1)]);
        let length = events[0].encode(form).len() as u64;
        assert_eq!(cuts(split_at(&rules(), &file, 100, 2 * length).ranges), [(0, 2), (2, 2), (4, 2), (6, 1)]);
    }
}

#[test]
fn files_without_events_and_files_that_must_not_count() {
    let state = |bytes: &[u8]| {
        let split = split(&rules(), bytes, 10);
        assert!(split.ranges.is_empty());
        (split.verdict.state, split.verdict.message)
    };
    let empty = Batch::of(Form::Definite, &[]);
    assert_eq!(state(&empty.encode()).0, FileState::Empty);
    let (found, message) = state(&empty.notification());
    assert!(found == FileState::Empty && message.contains("notification 00017 of GBRVF"), "{message}");
    assert_eq!(state(b"").0, FileState::Empty);
    assert_eq!(state(b"id;type\n1;2\n").0, FileState::WrongHeader);
    let batch = Batch::of(Form::Definite, &[Event::call()]);
    assert_eq!(state(&Batch { is_test: true, ..batch.clone() }.encode()).0, FileState::WrongHeader);
    assert_eq!(state(&Batch { release: 9, ..batch.clone() }.encode()).0, FileState::WrongHeader);
    let twice = [batch.encode(), batch.encode()].concat();
    let (found, message) = state(&twice);
    assert!(found == FileState::WrongCount && message.contains("joined"), "{message}");
    let padded = [batch.encode(), vec![0; 100]].concat();
    assert_eq!(split(&rules(), &padded, 10).verdict.state, FileState::Complete, "blocks are padded");
}
