//! Damage: cut off anywhere, bits flipped, deep nesting, huge lengths, one broken event among good ones.

use std::sync::Arc;

use domain::delivery::{Account, DeliveryId, FileContext, KeyMode, KeySecret, RecordHasher};
use domain::ids::{AccountId, ProviderId, TenantId};
use domain::outcome::Reason;
use proptest::prelude::*;

use super::super::ber::{BerFault, DEPTH_MAX};
use super::super::head::{self, Opening};
use super::super::split::cut;
use super::super::{Events, Unusable, parse, split, tags};
use super::encode::{Audit, Batch, Event, Form, group, text, value};
use super::{head_of, read, rules};
use crate::message::FileState;

fn context() -> (Arc<FileContext>, RecordHasher) {
    let account = Account {
        tenant: TenantId::parse("main").expect("an id"),
        provider: ProviderId::parse("gbrvf").expect("an id"),
        account: AccountId::parse("roaming").expect("an id"),
    };
    let hasher = RecordHasher::new(&KeySecret([7; 16]), &account);
    let file = FileContext {
        account,
        delivery: DeliveryId(1),
        arrival: 1,
        origin: "CDGBRVFNLDLT00017".into(),
        profile: "tap3@1".into(),
        cycle: None,
        cost_currency: rules().cost_currency,
        key_mode: KeyMode::Content,
        billable_from_us: i64::MIN,
    };
    (Arc::new(file), hasher)
}

/// Ranges of a few rows, whatever is wrong with the file, are parsed into the rows that the whole file has.
fn ranges_agree_with_the_file(bytes: &[u8], rows_per_range: u64) {
    let Ok(Some(Opening::Batch(head))) = head::read(bytes, true) else { return };
    let (records, ending) = read(&head, bytes);
    let (file, hasher) = context();
    assert_eq!(ending.tally.rows, records.len() as u64);
    assert!(records.windows(2).all(|w| w[0].to == w[1].from), "no byte between rows");
    let mut row = 0;
    for range in cut(&mut Events::new(&rules(), &head, bytes), rows_per_range, u64::MAX) {
        let rows = &records[row..][..usize::try_from(range.rows).expect("a few")];
        row += rows.len();
        let (from, to) = (rows[0].from, rows[rows.len() - 1].to);
        assert_eq!((range.from, range.to, range.first_row), (from as u64, to as u64, rows[0].row));
        let batch = parse(&rules(), &head, &file, &hasher, range, &bytes[from..to]);
        assert!(batch.is_balanced() && batch.rows_in == range.rows, "{} rows in {range:?}", batch.rows_in);
        let mut offsets: Vec<_> = batch.columns.offset.iter().copied().chain(batch.malformed.iter().map(|m| m.offset)).collect();
        offsets.sort_unstable();
        if batch.skipped.is_empty() {
            assert_eq!(offsets, rows.iter().map(|r| r.from as u64).collect::<Vec<_>>());
        }
    }
    assert_eq!(row, records.len());
}

fn three(form: Form) -> Batch {
    Batch::of(form, &[Event::call(), Event::of(tags::GPRS), Event { utc_code: 1, ..Event::of(tags::MOBILE_TERMINATED) }])
}

#[test]
fn a_file_cut_off_anywhere_is_never_complete() {
    for form in [Form::Definite, Form::Indefinite] {
        let file = three(form).encode();
        assert_eq!(split(&rules(), &file, 2).verdict.state, FileState::Complete);
        for length in 0..file.len() {
            let split = split(&rules(), &file[..length], 2);
            let expected = if length == 0 { FileState::Empty } else { FileState::Truncated };
            assert_eq!(split.verdict.state, expected, "{form:?} cut to {length} bytes: {}", split.verdict.message);
            assert!(split.ranges.is_empty());
            ranges_agree_with_the_file(&file[..length], 1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn flipped_bits_neither_panic_nor_lose_rows(
        indefinite in any::<bool>(),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), 0..8u8), 1..6),
        rows_per_range in 1..4u64,
    ) {
        let mut file = three(if indefinite { Form::Indefinite } else { Form::Definite }).encode();
        for (at, bit) in flips {
            let at = at.index(file.len());
            file[at] ^= 1 << bit;
        }
        let split = split(&rules(), &file, rows_per_range);
        let rows: u64 = split.ranges.iter().map(|r| r.rows).sum();
        prop_assert_eq!(rows, if split.verdict.state == FileState::Complete { split.verdict.rows } else { 0 });
        ranges_agree_with_the_file(&file, rows_per_range);
    }

    #[test]
    fn any_bytes_between_events_neither_panic_nor_lose_rows(
        indefinite in any::<bool>(),
        junk in proptest::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&[0x69u8, 0x6a, 0x6e, 0, 0x80, 0x7f][..])], 0..200),
        rows_per_range in 1..4u64,
    ) {
        let mut batch = three(if indefinite { Form::Indefinite } else { Form::Definite });
        batch.events.insert(1, junk);
        let file = batch.encode();
        split(&rules(), &file, rows_per_range);
        ranges_agree_with_the_file(&file, rows_per_range);
    }
}

/// The file with its second event replaced: the states of its rows, and the verdict.
fn with_second(form: Form, second: Vec<u8>) -> (Vec<Option<Reason>>, FileState, String) {
    let mut batch = three(form);
    batch.events[1] = second;
    let file = batch.encode();
    let head = head_of(&file);
    let (records, _) = read(&head, &file);
    ranges_agree_with_the_file(&file, 1);
    let split = split(&rules(), &file, 10);
    (records.iter().map(|r| r.event.as_ref().err().map(Unusable::reason)).collect(), split.verdict.state, split.verdict.message)
}

#[test]
fn one_broken_event_is_parked_and_the_file_goes_on() {
    let broken_row = vec![None, Some(Reason::Columns), None];
    for form in [Form::Definite, Form::Indefinite, Form::Padded] {
        // Its length is right, a part of it is longer than itself.
        let inside = value(9 | 1 << 5, &[]);
        let content = [text(tags::MSISDN, "1"), vec![0x41, 0x7f], inside].concat();
        let broken = [vec![0x69, u8::try_from(content.len()).expect("short")], content].concat();
        assert_eq!(with_second(form, broken), (broken_row.clone(), FileState::Complete, String::new()), "{form:?}");
        // Its length is wrong: the next event is found.
        for length in [0x05, 0x7e] {
            let mut event = Event::of(tags::GPRS).encode(Form::Definite);
            assert_eq!(event[1], 0x81, "two length octets");
            event[2] = length;
            let (rows, state, message) = with_second(form, event);
            assert_eq!((rows, state), (broken_row.clone(), FileState::Complete), "{form:?} {length} {message}");
        }
        // It has no length and no end.
        let mut event = Event::of(tags::GPRS).encode(Form::Indefinite);
        event.truncate(event.len() - 4);
        let (rows, state, message) = with_second(form, event);
        assert_eq!((rows, state), (broken_row.clone(), FileState::Complete), "{form:?} {message}");
        // It is no event at all.
        assert_eq!(with_second(form, vec![0x02, 0x01, 0x05]).0, broken_row);
    }
}

#[test]
fn a_broken_last_event_of_a_list_without_length_leaves_the_audit_readable() {
    let mut batch = three(Form::Indefinite);
    let last = batch.events.len() - 1;
    let length = batch.events[last].len();
    batch.events[last].truncate(length - 6);
    let file = batch.encode();
    let (records, ending) = read(&head_of(&file), &file);
    assert!(matches!(records[last].event, Err(Unusable::Stretch(_))));
    assert_eq!((ending.unreadable_from, ending.audit.and_then(|a| a.events)), (None, Some(3)));
}

#[test]
fn what_cannot_be_bridged_is_said() {
    let mut batch = three(Form::Indefinite);
    batch.events.truncate(1);
    batch.events.push(vec![0x45, 0xff]);
    batch.audit = None;
    let file = batch.encode();
    let from = file.len() - 6;
    let split = split(&rules(), &file, 10);
    assert_eq!((split.verdict.state, split.verdict.rows), (FileState::Truncated, 2));
    assert!(split.verdict.message.contains(&format!("byte {from} and the 5 bytes up to the end")), "{}", split.verdict.message);
}

#[test]
fn deep_nesting_and_huge_lengths_break_one_event_only() {
    for form in [Form::Definite, Form::Indefinite] {
        let fault_of = |second: Vec<u8>| {
            let mut batch = three(form);
            batch.events[1] = second;
            let file = batch.encode();
            let (records, _) = read(&head_of(&file), &file);
            assert!(records[0].event.is_ok() && records[records.len() - 1].event.is_ok());
            match records[1].event {
                Err(Unusable::Broken(e) | Unusable::Stretch(e)) => e.fault,
                ref other => panic!("{other:?}"),
            }
        };
        let nested = (0..DEPTH_MAX).fold(text(tags::MSISDN, "1"), |inner, _| group(Form::Definite, 138, &[inner]));
        assert_eq!(fault_of(group(Form::Definite, 9, &[nested])), BerFault::TooDeep);
        assert_eq!(fault_of([vec![0x69, 0x80], [0x7f, 0x81, 0x0a, 0x80].repeat(5000)].concat()), BerFault::TooDeep);
        assert_eq!(fault_of([0x69, 0x80].repeat(5000)), BerFault::Misplaced, "an event in an event");
        assert_eq!(fault_of([vec![0x69, 0x88], vec![0xff; 8]].concat()), BerFault::Beyond(u64::MAX));
        let long = Event { more: vec![value(163, &vec![b'x'; 300_000])], ..Event::call() };
        assert_eq!(fault_of(long.encode(form)), BerFault::TooLarge);
        let many = group(Form::Definite, tags::MOBILE_ORIGINATED, &vec![text(163, ""); 30_000]);
        assert_eq!(fault_of(many), BerFault::TooLarge);
    }
}

#[test]
fn a_file_of_damage_ends_in_bounded_time() {
    // Each byte opens an event that does not end, so each is a place to go on from, and none leads anywhere.
    let mut batch = three(Form::Indefinite);
    batch.events = vec![[0x69, 0x80, 0x5f].repeat(1_000_000)];
    let split = split(&rules(), &batch.encode(), 1000);
    assert_eq!(split.verdict.state, FileState::Truncated, "{}", split.verdict.message);
}

#[test]
fn wrong_totals_refuse_the_file_and_broken_events_do_not() {
    let with = |audit: Option<Audit>| {
        let split = split(&rules(), &Batch { audit, ..three(Form::Definite) }.encode(), 10);
        (split.verdict.state, split.verdict.message)
    };
    let right = Audit { events: Some(3), charge: Some(3702), tax: None, times: None };
    assert_eq!(with(Some(right.clone())).0, FileState::Complete);
    let (state, message) = with(Some(Audit { events: Some(4), ..right.clone() }));
    assert!(state == FileState::WrongCount && message.contains("says 4, the events give 3"), "{message}");
    let (state, message) = with(Some(Audit { charge: Some(3703), ..right.clone() }));
    assert!(state == FileState::WrongSum && message.contains("(XDR 3.703 and XDR 3.702)"), "{message}");
    assert_eq!(with(None).0, FileState::WrongCount);
    // The total counts a charge that cannot be read here, so it may be more, but never less.
    let unreadable = vec![0x69, 0x03, 0x41, 0x7f, 0x00];
    let state = |charge| {
        let mut batch = Batch { audit: Some(Audit { charge: Some(charge), ..right.clone() }), ..three(Form::Definite) };
        batch.events[1].clone_from(&unreadable);
        split(&rules(), &batch.encode(), 10).verdict.state
    };
    assert_eq!((state(3702), state(2467)), (FileState::Complete, FileState::WrongSum));
}

#[test]
fn the_audit_control_is_found_behind_other_groups() {
    for form in [Form::Definite, Form::Indefinite] {
        let other = group(form, 8, &[group(form, 143, &[text(142, "welcome")])]);
        let state = |behind| split(&rules(), &Batch { behind, ..three(form) }.encode(), 10).verdict.state;
        assert_eq!(state(vec![other]), FileState::Complete);
        assert_eq!(
            state(vec![vec![0x68, 0x03, 0x41, 0x7f, 0x00]]),
            if form == Form::Definite { FileState::WrongCount } else { FileState::Truncated }
        );
    }
}
