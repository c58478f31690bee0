//! Small batches, owners and tariffs for tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::columns::linked::{Customer, LinkedBatch, NO_GROUP, Owner, Owners};
use domain::columns::parsed::{NO_COST, ParsedBatch, ParsedColumns};
use domain::delivery::{Account, DeliveryId, FileContext, KeyMode};
use domain::ids::{AccountId, Names, ProviderId, TenantId};
use domain::money::Currency;
use domain::number::{Network, Number};
use domain::period::CycleDay;
use domain::usage::{Direction, Usage, UsageKind};
use domain::zone::{Local, SECOND_US, Zone, days_of};

use crate::tariff::set::TariffSet;
use crate::tariff::{Tariff, TariffSource, companion_names};

/// One parsed row; what a test does not say is a Dutch mobile call of a minute.
#[derive(Debug, Clone)]
pub struct Row {
    pub usage: Usage,
    pub a_number: u64,
    pub imsi: u64,
    pub iccid: u64,
    pub b_number: Number,
    pub start_us: i64,
    pub offset_s: i32,
    pub duration_s: i32,
    pub bytes: (i64, i64),
    pub messages: i32,
    pub network: Network,
    /// A position in the batch's classes plus one, or 0.
    pub class: u16,
    pub cost_nano: i64,
}

impl Default for Row {
    fn default() -> Self {
        Self {
            usage: Usage::new(UsageKind::Voice, Direction::Outgoing),
            a_number: 31_600_000_001,
            imsi: 0,
            iccid: 0,
            b_number: Number::e164(31_612_345_678, 11),
            start_us: utc("2026-10-14T10:00:00"),
            offset_s: 7200,
            duration_s: 60,
            bytes: (0, 0),
            messages: 1,
            network: Network::ABSENT,
            class: 0,
            cost_nano: NO_COST,
        }
    }
}

/// A batch of rows in this order.
pub fn batch(rows: Vec<Row>, classes: &[&str]) -> ParsedBatch {
    let id = "test";
    let account = Account {
        tenant: TenantId::parse(id).expect("an id"),
        provider: ProviderId::parse(id).expect("an id"),
        account: AccountId::parse(id).expect("an id"),
    };
    let file = FileContext {
        account,
        delivery: DeliveryId(1),
        arrival: 1,
        origin: "test.csv".into(),
        profile: "test@1".into(),
        cycle: None,
        cost_currency: Currency::EUR,
        key_mode: KeyMode::Content,
        billable_from_us: i64::MIN,
    };
    let mut columns = ParsedColumns::default();
    for (row, n) in rows.iter().zip(0..) {
        columns.row.push(n);
        columns.usage.push(row.usage);
        columns.a_number.push(Number::e164(row.a_number, 11));
        columns.b_number.push(row.b_number);
        columns.imsi.push(row.imsi);
        columns.iccid.push(row.iccid);
        columns.start_us.push(row.start_us);
        columns.offset_s.push(row.offset_s);
        columns.duration_s.push(row.duration_s);
        columns.bytes_up.push(row.bytes.0);
        columns.bytes_down.push(row.bytes.1);
        columns.messages.push(row.messages);
        columns.network.push(row.network);
        columns.class.push(row.class);
        columns.cost_nano.push(row.cost_nano);
    }
    ParsedBatch {
        file: Arc::new(file),
        first_row: 0,
        rows_in: rows.len() as u64,
        columns,
        malformed: Vec::new(),
        skipped: BTreeMap::new(),
        texts: vec!["POSTBUS".to_owned()],
        classes: classes.iter().map(|class| (*class).into()).collect(),
    }
}

/// One customer with cycles from `cycle_day`, and one open window per plan, in the order of the plan names' codes.
pub fn owners(plans: &[&str], cycle_day: u8) -> Arc<Owners> {
    let plans = Names::new(plans);
    let window =
        |plan| Owner { from_us: i64::MIN, to_us: i64::MAX, device: 0, subscription: 0, customer: 0, plan, group: NO_GROUP };
    let cycle_day = CycleDay::try_from(cycle_day).expect("1 to 31");
    Arc::new(Owners {
        windows: (0..).take(plans.len()).map(window).collect(),
        devices: Names::new(["device"]),
        subscriptions: Names::new(["subscription"]),
        customer_names: Names::new(["customer"]),
        customers: vec![Customer { owner_path: "operator/customer".into(), cycle_day, zone: 0 }],
        plans,
        groups: Names::default(),
        zones: vec![Zone::load("Europe/Amsterdam").expect("bundled")],
    })
}

/// A batch whose rows all belong to window `owner`.
pub fn linked(parsed: ParsedBatch, owners: &Arc<Owners>, owner: Vec<u32>) -> LinkedBatch {
    LinkedBatch { parsed: Arc::new(parsed), owner, party: Vec::new(), owners: owners.clone() }
}

/// A tariff without companions.
pub fn inline(toml: &str) -> TariffSource {
    with_tables("tariff.toml", toml, &[])
}

/// A tariff with tables beside it.
pub fn with_tables(name: &str, toml: &str, tables: &[(&str, &str)]) -> TariffSource {
    let companions = tables.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
    TariffSource { name: name.to_owned(), toml: toml.to_owned(), companions }
}

/// A set of one tariff.
pub fn set_of(source: &TariffSource) -> Arc<TariffSet> {
    let tariff = Tariff::load(source).unwrap_or_else(|e| panic!("{e}"));
    Arc::new(TariffSet::build(vec![tariff]).expect("one tariff does not overlap"))
}

/// A tariff file with the companions beside it.
pub fn read(path: &Path) -> TariffSource {
    let text = |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let toml = text(path);
    let beside = |file: &String| (file.clone(), text(&path.with_file_name(file)));
    let companions = companion_names(&toml).iter().map(beside).collect();
    TariffSource { name: path.file_name().expect("a file").to_string_lossy().into_owned(), toml, companions }
}

/// A folder or file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The instant of `2026-10-25T01:30:00` in UTC.
pub fn utc(text: &str) -> i64 {
    clock_us(text).unwrap_or_else(|| panic!("`{text}` is no time"))
}

/// The instant and offset of `2026-10-25 02:30:00`, in a zone, or by its own offset if one follows (`+02:00`).
pub fn local(text: &str, zone: &Zone) -> Option<(i64, i32)> {
    let local_us = clock_us(text.get(..19)?)?;
    let offset_s = match (text[19..].trim(), zone.resolve(local_us)) {
        ("", Local::Unique { offset_s }) => offset_s,
        ("+01:00", _) => 3600,
        ("+00:00", _) => 0,
        ("+02:00", _) => 7200,
        _ => return None,
    };
    Some((local_us - i64::from(offset_s) * SECOND_US, offset_s))
}

fn clock_us(text: &str) -> Option<i64> {
    let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<u32>().ok();
    let year = text.get(0..4)?.parse().ok()?;
    let days = days_of(year, part(5..7)?, part(8..10)?)?;
    let seconds = part(11..13)? * 3600 + part(14..16)? * 60 + part(17..19)?;
    Some((i64::from(days) * 86_400 + i64::from(seconds)) * SECOND_US)
}
