//! What stands in the table goes through a parsed batch and back without any change.

use domain::columns::entries::EntryKind;
use domain::columns::linked::{LinkedBatch, NO_OWNER};
use domain::columns::rated::{NO_PERIOD, NONE, RatedBatch, RatedColumns};
use domain::delivery::{Account, KeyMode};
use domain::ids::{AccountId, ProviderId, TenantId};
use domain::money::Currency;
use domain::outcome::Reason;
use proptest::prelude::*;

use super::*;
use crate::entries::{Words, charges};
use crate::gather::{Pick, Selection};
use crate::parquet::{ParquetSettings, decode, encode};

/// The number of a row, of every kind that there is.
fn number(texts: &mut Vec<String>, kind: u8, value: u64) -> Number {
    let mut word = |kind, text: String| {
        texts.push(text);
        Number::text(kind, u32::try_from(texts.len() - 1).expect("a few"))
    };
    match kind % 6 {
        0 => Number::ABSENT,
        1 => Number::e164(10_000_000 + value % 900_000_000_000_000, (10_000_000 + value % 900_000_000_000_000).ilog10() + 1),
        2 => Number::short_code(value % 1000, 3 + u32::from(kind) % 5),
        3 => word(NumberKind::Alphanumeric, format!("BANK {value}")),
        4 => word(NumberKind::Masked, format!("0612****{}", value % 100)),
        // A word that looks like a number of the served party, but for its zero.
        _ => word(NumberKind::Alphanumeric, format!("0{}", 10_000_000 + value % 1000)),
    }
}

type Drawn = (u8, u64, (u8, u8), (i64, i32, i32), (u8, u8, u8));

/// A batch of rows that were drawn; `has` says which optional columns the source has.
fn batch(rows: &[Drawn], has: u8, file: &Arc<FileContext>) -> ParsedBatch {
    let there = |bit: u8| has & (1 << bit) != 0;
    let mut c = ParsedColumns::default();
    let (mut texts, classes): (Vec<String>, Vec<Arc<str>>) = (Vec::new(), vec!["EU_MOB".into(), "N_VAST".into()]);
    let usages: Vec<Usage> = Usage::all().collect();
    for (n, (usage, value, kinds, (start, offset, duration), small)) in rows.iter().enumerate() {
        c.row.push(3 * n as u64);
        c.offset.push(100 * n as u64);
        c.length.push(99);
        c.key.push(u128::from(*value) << 64 | n as u128);
        c.usage.push(usages[usize::from(*usage) % usages.len()]);
        c.a_number.push(number(&mut texts, kinds.0, *value));
        c.b_number.push(number(&mut texts, kinds.1, value / 7));
        c.start_us.push(*start);
        c.offset_s.push(*offset);
        c.duration_s.push(*duration);
        let volume = i64::try_from(value % (1 << 40)).expect("40 bits");
        let all = [(0, &mut c.bytes_up, volume), (1, &mut c.bytes_down, volume / 3)];
        all.into_iter().filter(|(bit, ..)| there(*bit)).for_each(|(_, column, volume)| column.push(volume));
        if there(2) {
            c.messages.push(1 + i32::from(small.0 % 3));
            c.time_flag.push(small.1 % 2);
        }
        if there(3) {
            c.imsi.push(if small.0 % 2 == 0 { 0 } else { 204_080_000_000_000 + value % 1_000_000 });
            c.iccid.push(if small.1 % 3 == 0 { 0 } else { 8_931_000_000_000_000_000 + value % 1_000_000 });
        }
        if there(4) {
            let networks = [Network::ABSENT, Network::mccmnc(20_408, 5), Network::mccmnc(310_026, 6), Network::mccmnc(20_408, 6)];
            c.network.push(Network::tadig(*b"NLDPT").filter(|_| small.2 % 5 == 4).unwrap_or(networks[usize::from(small.2 % 4)]));
            c.class.push(u16::from(small.0 % 3));
        }
        if there(5) {
            c.cost_nano.push(if small.2 % 4 == 0 { NO_COST } else { i64::from(*offset) * 1_000_003 });
        }
        if there(6) {
            c.record_id.push(if small.1 % 4 == 0 { "" } else { "an id" });
            c.session_id.push(if small.1 % 4 == 1 { "" } else { "a session" });
            c.session_sequence.push(if small.2 % 2 == 0 { NO_SEQUENCE } else { i64::from(small.2) });
            c.partial.push(small.2 % 3);
        }
    }
    let rows_in = rows.len() as u64;
    let (malformed, skipped) = (Vec::new(), BTreeMap::new());
    ParsedBatch { file: Arc::clone(file), first_row: 0, rows_in, columns: c, malformed, skipped, texts, classes }
}

fn file() -> Arc<FileContext> {
    Arc::new(FileContext {
        account: Account {
            tenant: TenantId::parse("main").expect("an id"),
            provider: ProviderId::parse("kpn").expect("an id"),
            account: AccountId::parse("haven").expect("an id"),
        },
        delivery: DeliveryId(7),
        arrival: 3,
        origin: "a.csv".into(),
        profile: "kpn-sp16@1".into(),
        cycle: Some("2026-10".into()),
        cost_currency: Currency::EUR,
        key_mode: KeyMode::Id,
        billable_from_us: i64::MIN,
    })
}

/// The rows as the table holds them; nobody has their numbers.
fn table(parsed: ParsedBatch) -> RecordBatch {
    let n = parsed.len();
    let columns = RatedColumns {
        reason: vec![Reason::NoDevice as u8; n],
        tariff: vec![u16::MAX; n],
        zone: vec![u16::MAX; n],
        zone_by: vec![0; n],
        zone_row: vec![NONE; n],
        band: vec![u8::MAX; n],
        price_row: vec![NONE; n],
        tax: vec![u16::MAX; n],
        party: vec![0; n],
        billed: vec![0; n],
        charge_nano: vec![0; n],
        drawn: Vec::new(),
        period: vec![NO_PERIOD; n],
    };
    let linked = LinkedBatch { parsed: Arc::new(parsed), owner: vec![NO_OWNER; n], party: Vec::new(), owners: Arc::default() };
    let rated = RatedBatch { linked, columns, labels: Arc::default(), allowances: Vec::new() };
    let picks: Vec<Pick> = (0..n).map(|row| Pick { batch: 0, row: u32::try_from(row).expect("a few") }).collect();
    let words = Words { kind: EntryKind::Charge, as_of: None, number: &|_, _| 0 };
    let entries = charges(&Selection { batches: &[&rated], picks: &picks }, RatedBatch::reason, &words).expect("entries");
    let bytes = encode(&[entries], ParquetSettings::default()).expect("Parquet");
    let read: Vec<RecordBatch> = decode(bytes, None).expect("Parquet").map(|batch| batch.expect("a batch")).collect();
    assert_eq!(read.len(), 1);
    read.into_iter().next().expect("one")
}

proptest! {
    #[test]
    fn rows_of_the_table_come_back_as_they_stand(
        rows in prop::collection::vec(
            (any::<u8>(), any::<u64>(), any::<(u8, u8)>(), (0..4_000_000_000_000_000_i64, -50_000..50_000_i32, 0..100_000_i32), any::<(u8, u8, u8)>()),
            1..40,
        ),
        has in any::<u8>(),
    ) {
        let file = file();
        let stands = table(batch(&rows, has, &file));
        let groups = by_delivery(&stands).expect("known ids");
        let groups: Vec<(Shared, Vec<usize>)> = groups.into_iter().collect();
        let costs = batch(&rows, has, &file).columns.cost_nano;
        let currency = costs.iter().any(|nano| *nano != NO_COST).then_some(Currency::EUR);
        let shared = Shared { delivery: DeliveryId(7), currency, no_bytes_up: has & 1 == 0, no_bytes_down: has & 2 == 0 };
        prop_assert_eq!(groups.len(), 1);
        prop_assert_eq!(groups[0].0, shared);
        let all = &groups[0].1;
        let drawn = batch(&rows, has, &file).columns.a_number;
        let served = for_rating(&stands, all, &file).expect("what we wrote").columns.a_number;
        let international = |numbers: &[Number]| numbers.iter().map(|number| number.as_e164()).collect::<Vec<_>>();
        prop_assert_eq!(international(&served), international(&drawn), "who is linked by number");
        let again = table(whole(&stands, all, &file).expect("what we wrote"));
        for (n, field) in stands.schema().fields().iter().enumerate() {
            prop_assert_eq!(stands.column(n), again.column(n), "{}", field.name());
        }
    }
}

#[test]
fn digits_are_an_international_number_of_the_served_party_where_imports_of_devices_take_them() {
    for (text, value) in [
        ("1234567", None),
        ("12345678", Some(12_345_678)),
        ("02345678", None),
        ("123456789012345", Some(123_456_789_012_345)),
        ("1234567890123456", None),
        ("+31612345678", None),
    ] {
        let mut texts = Vec::new();
        let number = served(Some(text), &mut texts).expect("any text");
        assert_eq!(number.as_e164(), value, "{text}");
        let mut written = String::new();
        number.write(&texts, &mut written).expect("a string takes all");
        assert_eq!(written, text);
    }
}

#[test]
fn a_cost_comes_back_in_the_currency_that_stands() {
    let dollars = Arc::new(FileContext { cost_currency: Currency::parse("USD").expect("a currency"), ..(*file()).clone() });
    let rows = [(0, 5, (1, 1), (0, 0, 60), (0, 2, 1)), (0, 6, (1, 1), (0, 0, 60), (0, 0, 0))];
    let stands = table(batch(&rows, 32, &dollars));
    let groups: Vec<(Shared, Vec<usize>)> = by_delivery(&stands).expect("known ids").into_iter().collect();
    let [(shared, all)] = &groups[..] else { panic!("the row without a cost is with the other: {groups:?}") };
    assert_eq!(all.len(), 2);
    let parsed = whole(&stands, all, &shared.file(&file())).expect("what we wrote");
    assert_eq!((parsed.file.cost_currency, &parsed.columns.cost_nano[..]), (dollars.cost_currency, &[0, NO_COST][..]));
    assert_eq!(shared.file(&dollars).cost_currency, dollars.cost_currency);
}

#[test]
fn a_file_from_before_there_were_sessions_is_read() {
    let file = file();
    let stands = table(batch(&[(0, 5, (1, 1), (0, 0, 60), (0, 2, 1))], 64, &file));
    let known = ["session_id", "session_sequence", "partial"].map(|name| stands.schema().index_of(name).expect("a column"));
    let others: Vec<usize> = (0..stands.num_columns()).filter(|n| !known.contains(n)).collect();
    let older =
        domain::columns::with_nulls(stands.project(&others).expect("fewer columns"), &stands.schema(), None).expect("nulls");
    let older = whole(&older, &[0], &file).expect("an older file");
    assert!(older.columns.session_id.is_empty() && older.columns.session_sequence.is_empty() && older.columns.partial.is_empty());
    assert_eq!(older.columns.key, whole(&stands, &[0], &file).expect("a file").columns.key);
}

#[test]
fn what_the_table_cannot_hold_is_an_error_that_names_it() {
    let file = file();
    let stands = table(batch(&[(0, 5, (1, 1), (0, 0, 60), (0, 0, 0))], 0, &file));
    let with = |name: &str, text: &str| {
        let at = stands.schema().index_of(name).expect("a column");
        let mut columns = stands.columns().to_vec();
        columns[at] = Arc::new(StringArray::from(vec![text]));
        RecordBatch::try_new(stands.schema(), columns).expect("the same type")
    };
    for (column, text) in [("kind", "fax"), ("b_number_type", "pager"), ("b_number", "12x4"), ("delivery", "7")] {
        let batch = with(column, text);
        let read = by_delivery(&batch).and_then(|_| for_rating(&batch, &[0], &file));
        let error = read.expect_err(column).to_string();
        assert!(error.contains(&format!("`{text}`")), "{error}");
    }
}
