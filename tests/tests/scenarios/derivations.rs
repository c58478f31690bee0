//! Two derivations of one price: rating's columns and the second derivation's search and fractions, over random tariffs and records.

mod random;
mod stays;

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use domain::closed::Beside;
use domain::columns::linked::{Customer, NO_GROUP, NO_OWNER, Owner, Owners, Party};
use domain::columns::parsed::{NO_COST, ParsedBatch, ParsedColumns};
use domain::columns::rated::{NO_PERIOD, RatedBatch, TaxLabel, ZoneBy};
use domain::delivery::{Account, DeliveryId, FileContext, KeyMode};
use domain::ids::{AccountId, Names, ProviderId, TenantId};
use domain::money::Currency;
use domain::number::{Network, Number, NumberKind};
use domain::period::{CycleDay, Month};
use domain::usage::Usage;
use domain::zone::Zone;
use proptest::prelude::*;
use rate::link::index::{DeviceIndex, IdentifierKind, IdentifierWindow};
use rate::settle::{demands, settle};
use rate::tariff::Tariff;
use rate::tariff::set::TariffSet;
use verify::owner::{Identifier, Window};
use verify::{Entry, Record, Reference, Stated, differences};

use self::random::{Made, a_record, a_tariff, companions, select, source};
use self::stays::{Stays, a_billed};

/// The last one is sold by nobody.
const PLANS: [&str; 4] = ["a", "b", "c", "d"];
const NUMBERS: [u64; 4] = [31_610_000_001, 31_610_000_002, 31_610_000_003, 31_610_000_004];
/// The first SIM is the third device's until the clocks go back.
const SIM: u64 = 204_041_234_567_890;
const SIM_ENDS_US: i64 = 1_792_890_000_000_000;
/// October 2026.
const ANY_CYCLE: i32 = 2026 * 12 + 9;
/// The delivery of all records, as the table names it.
const DELIVERY: &str = "00000000000000000000000000000001";
const CYCLE_DAYS: [u8; 4] = [1, 25, 31, 2];

/// Customers by line: the first two are one's.
const CUSTOMERS: [usize; 4] = [0, 0, 2, 3];
/// Groups by line.
const GROUPS: [Option<&str>; 4] = [Some("d"), Some("a"), Some("d"), None];
/// The second line gets the first one's plan in the middle of a cycle.
const MOVES_US: i64 = 1_792_500_000_000_000;

/// A number, the line that has it and its plan, from when to when.
type Line = (IdentifierKind, u64, usize, usize, i64, i64);

/// Who has the four numbers, and who has the SIM and a fifth number until they are taken out of use.
fn windows() -> [Line; 7] {
    let [a, b, c, d] = NUMBERS;
    let of = IdentifierKind::Msisdn;
    [
        (of, a, 0, 0, 0, i64::MAX),
        (of, b, 1, 1, 0, MOVES_US),
        (of, b, 1, 0, MOVES_US, i64::MAX),
        (of, c, 2, 2, 0, i64::MAX),
        (of, d, 3, 3, 0, i64::MAX),
        (of, 31_610_000_005, 0, 0, 0, SIM_ENDS_US),
        (IdentifierKind::Imsi, SIM, 2, 2, 0, SIM_ENDS_US),
    ]
}

/// The records rated alone, and as they draw from allowances together.
fn rated(toml: &str, records: &[Made], stays: &[Option<Stays>], cost_currency: &str) -> [RatedBatch; 2] {
    let codes = |n: usize| u32::try_from(n).expect("few");
    let owner = |(_, _, who, plan, from_us, to_us): Line| Owner {
        from_us,
        to_us,
        device: codes(who),
        subscription: codes(who),
        customer: codes(CUSTOMERS[who]),
        plan: codes(plan),
        group: GROUPS[who].map_or(NO_GROUP, |group| codes(usize::from(group == "d"))),
    };
    let customer = |day| Customer { owner_path: "main/x".into(), cycle_day: CycleDay::try_from(day).expect("a day"), zone: 0 };
    let owners = Arc::new(Owners {
        windows: windows().map(owner).into(),
        devices: Names::new(PLANS),
        subscriptions: Names::new(PLANS),
        customer_names: Names::new(PLANS),
        customers: CYCLE_DAYS.map(customer).into(),
        plans: Names::new(PLANS),
        groups: Names::new(["a", "d"]),
        zones: vec![Zone::load("Europe/Amsterdam").expect("bundled")],
    });
    let list = windows().into_iter().enumerate();
    let list = list.map(|(n, (kind, value, ..))| IdentifierWindow { kind, value, owner: codes(n) });
    let index = DeviceIndex::build(Arc::clone(&owners), list.collect()).expect("windows of one number do not overlap");
    let tariff = Tariff::load(&source(toml)).expect("it was loaded before");
    let set = Arc::new(TariffSet::build(vec![tariff]).expect("one tariff"));
    let bound = set.bind(&owners);
    let alone = rate::rate(parsed(records, cost_currency), &index, &bound);
    let billed = |(i, (made, stays)): (usize, (&Made, &Option<Stays>))| match stays {
        None => Beside { epoch: u64::MAX, stands: None },
        Some(stays) => Beside { epoch: 1, stands: Some(stays.stands(made.who, cycle(&alone, i).number())) },
    };
    let beside: Vec<Beside<'_>> = records.iter().zip(stays).enumerate().map(billed).collect();
    // The order in which they come does not matter.
    let mut demands = demands(&alone, &beside, &bound);
    demands.reverse();
    let settled = rate::rate_settled(parsed(records, cost_currency), &index, &bound, &settle(demands, &bound));
    [alone, settled]
}

/// The cycle of a record; any for one that is nobody's.
fn cycle(rated: &RatedBatch, i: usize) -> Month {
    let number = rated.columns.period[i];
    Month::from_number(if number == NO_PERIOD { ANY_CYCLE } else { number })
}

fn parsed(records: &[Made], cost_currency: &str) -> ParsedBatch {
    let account = Account {
        tenant: TenantId::parse("main").expect("an id"),
        provider: ProviderId::parse("p").expect("an id"),
        account: AccountId::parse("a").expect("an id"),
    };
    let file = FileContext {
        account,
        delivery: DeliveryId(1),
        arrival: 1,
        origin: "random.csv".into(),
        profile: "random@1".into(),
        cycle: None,
        cost_currency: Currency::parse(cost_currency).expect("a currency"),
        key_mode: KeyMode::Content,
        billable_from_us: i64::MIN,
    };
    let mut columns = ParsedColumns::default();
    for (made, n) in records.iter().zip(0..) {
        columns.row.push(n);
        // Some have the same.
        columns.key.push(u128::from(n / 2));
        columns.usage.push(Usage::parse(made.kind).expect("a kind"));
        columns.a_number.push(Number::e164(NUMBERS.get(made.who).copied().unwrap_or(31_699_999_999), 11));
        columns.imsi.push(made.imsi);
        let (text, digits) = (made.to.0, u32::try_from(made.to.0.len()).expect("short"));
        columns.b_number.push(match made.to.1 {
            "e164" => Number::e164(text.parse().expect("digits"), digits),
            "short_code" => Number::short_code(text.parse().expect("digits"), digits),
            "absent" => Number::ABSENT,
            _ => Number::text(NumberKind::Alphanumeric, 0),
        });
        columns.start_us.push(made.start_us);
        columns.offset_s.push(made.offset_s);
        let narrow = i32::try_from(made.units).expect("few units");
        columns.duration_s.push(narrow);
        columns.messages.push(narrow);
        columns.bytes_up.push(made.units.cast_signed());
        columns.bytes_down.push(made.units.cast_signed() * 1_000);
        columns.network.push(match made.network {
            "" => Network::ABSENT,
            "NLDPT" => Network::tadig(*b"NLDPT").expect("a code"),
            digits => Network::mccmnc(digits.parse().expect("digits"), u32::try_from(digits.len()).expect("short")),
        });
        columns.class.push(match made.class {
            "" => 0,
            "premium" => 1,
            _ => 2,
        });
        columns.cost_nano.push(made.cost_nano.unwrap_or(NO_COST));
        columns.session_id.push(made.session);
    }
    ParsedBatch {
        file: Arc::new(file),
        first_row: 0,
        rows_in: records.len() as u64,
        columns,
        malformed: Vec::new(),
        skipped: BTreeMap::new(),
        texts: vec!["BANK".to_owned()],
        classes: vec!["premium".into(), "other".into()],
    }
}

fn second(toml: &str) -> Reference {
    let name = |who: usize| PLANS[who].to_owned();
    let window = |(_, _, who, plan, from_us, to_us): Line| Window {
        from_us,
        to_us,
        device: name(who),
        subscription: name(who),
        customer: name(CUSTOMERS[who]),
        plan: name(plan),
        group: GROUPS[who].map(str::to_owned),
    };
    let mut numbers: HashMap<(Identifier, u64), Vec<usize>> = HashMap::new();
    for (n, (kind, value, ..)) in windows().into_iter().enumerate() {
        let kind = if kind == IdentifierKind::Imsi { Identifier::Imsi } else { Identifier::Msisdn };
        numbers.entry((kind, value)).or_default().push(n);
    }
    let customer = |(who, day): (usize, u8)| {
        let customer = verify::owner::Customer::new("main/x".to_owned(), day, "Europe/Amsterdam").expect("a zone");
        (name(who), customer)
    };
    let owners = verify::owner::Owners {
        windows: windows().map(window).into(),
        numbers,
        customers: CYCLE_DAYS.into_iter().enumerate().map(customer).collect::<HashMap<_, _>>(),
    };
    let tariff = verify::tariff::Tariff::read("random", toml, &companions()).unwrap_or_else(|e| panic!("{e}\n{toml}"));
    Reference { owners, tariffs: vec![Rc::new(tariff)] }
}

/// What rating says of a row, as the table would.
fn stated<'r>(rated: &'r RatedBatch, i: usize, period: &'r str) -> Stated<'r> {
    let (columns, labels) = (&rated.columns, &rated.labels);
    let owner = Some(rated.linked.owner[i]).filter(|owner| *owner != NO_OWNER);
    let window = owner.map(|owner| rated.linked.owners.windows[owner as usize]);
    let named = |code: fn(Owner) -> u32| window.map(|window| PLANS[code(window) as usize]);
    let line = named(|window| window.device);
    let reason = rated.reason(i).map(domain::outcome::Reason::as_str);
    let tariff = Some(columns.tariff[i]).filter(|tariff| *tariff != u16::MAX).map(|tariff| &labels.tariffs[usize::from(tariff)]);
    let is_rated = reason.is_none();
    let (tax, drawn) = (labels.taxes.get(usize::from(columns.tax[i])), rated.drawn(i));
    Stated {
        owner_path: line.map(|_| "main/x"),
        customer: named(|window| window.customer),
        subscription: line,
        device: line,
        plan: named(|window| window.plan),
        billing_period: line.map(|_| period),
        tariff: tariff.map(|tariff| &*tariff.id),
        zone: Some(columns.zone[i]).filter(|zone| *zone != u16::MAX).map(|zone| labels.zones.name(zone.into())),
        zone_by: Some(ZoneBy::from_code(columns.zone_by[i])).filter(|by| *by != ZoneBy::None).map(ZoneBy::as_str),
        band: Some(columns.band[i]).filter(|band| *band != u8::MAX).map(|band| labels.bands.name(band.into())),
        party: Party::from_code(columns.party[i]).name(),
        tax_class: tax.and_then(|tax| tax.class.as_deref()),
        tax: tax.map(TaxLabel::word),
        reason,
        billed_units: is_rated.then(|| columns.billed[i]),
        charge_nano: is_rated.then(|| columns.charge_nano[i].into()),
        currency: tariff.filter(|_| is_rated).map(|_| "EUR"),
        allowance: drawn.and_then(|drawn| rated.allowances.get(usize::from(drawn.allowance))).map(AsRef::as_ref),
        allowance_units: drawn.map(|drawn| drawn.units).filter(|units| *units != 0),
        allowance_money: drawn.map(|drawn| drawn.nano.into()).filter(|nano| *nano != 0),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// *Guarantees.* Whatever a tariff says and whatever a record holds, both derivations name the same owner, cycle, zone, band,
    /// billed units and charge, or the same reason without one; alone, as they draw from allowances together, and beside records that
    /// were billed as something and stay so.
    #[test]
    fn rating_and_the_second_derivation_agree_over_random_tariffs(
        toml in a_tariff(),
        records in prop::collection::vec(a_record(), 1..40),
        stays in prop::collection::vec(a_billed(), 40),
        cost_currency in select(&["EUR", "USD", "CHF"]),
    ) {
        let nothing = vec![None; records.len()];
        let ([alone, settled], second) = (rated(&toml, &records, &nothing, cost_currency), second(&toml));
        let number = |made: &Made| NUMBERS.get(made.who).copied().unwrap_or(31_699_999_999).to_string();
        let numbers: Vec<String> = records.iter().map(number).collect();
        let mut entries = Vec::new();
        for (i, made) in records.iter().enumerate() {
            let units = made.units.cast_signed();
            let record = Record {
                kind: made.kind,
                start_us: made.start_us,
                start_offset_s: made.offset_s,
                duration_s: units,
                bytes_up: units,
                bytes_down: units * 1_000,
                messages: units,
                a_number: &numbers[i],
                imsi: made.imsi.cast_signed(),
                b_number: made.to.0,
                b_number_type: made.to.1,
                network: made.network,
                provider_class: made.class,
                cost_nano: made.cost_nano.map(i128::from),
                cost_currency: made.cost_nano.map_or("", |_| cost_currency),
                session: made.session,
                ..Record::default()
            };
            let derived = second.derive(&record).expect("a record of our time");
            let period = Month::from_number(alone.columns.period[i]).to_string();
            let found = differences(&derived, &stated(&alone, i, &period));
            prop_assert!(found.is_empty(), "{found:?}\n{made:?}\n{toml}");
            let key = u128::try_from(i / 2).expect("few");
            let row = i64::try_from(i).expect("few");
            entries.push(Entry { record, key, delivery: DELIVERY, epoch: u64::MAX, stood: None, row });
        }
        let agree = |settled: &RatedBatch, entries: &[Entry<'_>], stays: &[Option<Stays>]| {
            for (i, derived) in second.settle(entries).expect("records of our time").iter().enumerate() {
                let period = Month::from_number(settled.columns.period[i]).to_string();
                let found = differences(derived, &stated(settled, i, &period));
                prop_assert!(found.is_empty(), "settled: {found:?}\n{i}: {:?}\n{records:#?}\n{stays:#?}\n{toml}", records[i]);
            }
            Ok(())
        };
        agree(&settled, &entries, &nothing)?;
        let stays = &stays[..records.len()];
        let of = |(i, stays): (usize, &Option<Stays>)| {
            cycle(&alone, i).number() - stays.as_ref().map_or(0, Stays::before)
        };
        let cycles: Vec<String> = stays.iter().enumerate().map(|of_it| Month::from_number(of(of_it)).to_string()).collect();
        for (i, (entry, stays)) in entries.iter_mut().zip(stays).enumerate() {
            entry.stood = stays.as_ref().map(|stays| stays.stood(records[i].who, &cycles[i]));
            entry.epoch = if entry.stood.is_some() { 1 } else { u64::MAX };
        }
        let [_, beside] = rated(&toml, &records, stays, cost_currency);
        agree(&beside, &entries, stays)?;
    }
}
