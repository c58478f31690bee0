//! Two derivations of one price: rating's columns and the second derivation's search and fractions, over random tariffs and records.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use domain::columns::linked::{Customer, NO_GROUP, NO_OWNER, Owner, Owners, Party};
use domain::columns::parsed::{NO_COST, ParsedBatch, ParsedColumns};
use domain::columns::rated::{RatedBatch, TaxLabel, ZoneBy};
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
use rate::tariff::set::TariffSet;
use rate::tariff::{Tariff, TariffSource};
use verify::owner::{Identifier, Window};
use verify::{Entry, Record, Reference, Stated, differences};

/// The last one is sold by nobody.
const PLANS: [&str; 4] = ["a", "b", "c", "d"];
const NUMBERS: [u64; 4] = [31_610_000_001, 31_610_000_002, 31_610_000_003, 31_610_000_004];
/// The first SIM is the third device's until the clocks go back.
const SIM: u64 = 204_041_234_567_890;
const SIM_ENDS_US: i64 = 1_792_890_000_000_000;
/// The delivery of all records, as the table names it.
const DELIVERY: &str = "00000000000000000000000000000001";
const CYCLE_DAYS: [u8; 4] = [1, 25, 31, 2];

const HEAD: &str = r#"
name = "random"
currency = "EUR"
valid_from = 2026-01-01
valid_to = 2027-11-01
home_zone = "HOME"
default_band = "off"
classes.table = "classes.csv"
networks.zones = { 204 = "HOME", NLDPT = "HOME", 262 = "ROAM", 26201 = "HOME" }
networks.table = "networks.csv"
roaming.table = "roaming.csv"
information.table = "information.csv"

[destinations]
table = "prefixes.csv"
prefixes = { 31 = "A", 316 = "B" }
unnumbered = "B"
short_codes = { 112 = "A" }

[[calendar]]
name = "feast"
dates = [2026-10-14, 2026-12-25]

[[band]]
name = "peak"
days = "mon-fri"
except = "feast"
from = "08:00"
to = "20:00"

[[band]]
name = "night"
days = ["mon-sun"]
from = "23:30"
to = "02:30"

[[price]]
plan = ["a", "b", "c"]
kind = "sms-fwd"
zone = "*"
unit_price = "0.01"
"#;

/// Customers by line: the first two are one's.
const CUSTOMERS: [usize; 4] = [0, 0, 2, 3];
/// The second line gets the first one's plan in the middle of a cycle.
const MOVES_US: i64 = 1_792_500_000_000_000;

/// The tables beside it.
fn companions() -> BTreeMap<String, String> {
    let tables = [
        (
            "prefixes.csv",
            "\u{feff}prefix, zone, valid_from, valid_to\n3161,A,,2026-10-15\n3161,B,2026-10-25,\n44,B,,\n447,A,2026-10-14,2026-10-15\n",
        ),
        ("classes.csv", "zone,class\nB,premium\n"),
        (
            "networks.csv",
            "network,zone,valid_from,valid_to\n228,ROAM,,2026-10-15\n228,FAR,2026-10-15,\n22801,ROAM,2026-10-14,2026-10-20\n",
        ),
        ("roaming.csv", "visited,called,zone\nROAM,A,ROAM-HOME\nFAR,B,ROAM-HOME\nFAR,*,A\n"),
        (
            "information.csv",
            "number,per_call,per_minute,valid_from,valid_to\n112,0.1,0.05,,2026-10-15\n112,0.2,,2026-10-15,\n+31612345678,,0.801,,\n",
        ),
        ("exchange.csv", "currency,date,rate\nUSD,2026-10-12,0.9213\nUSD,2026-10-14,0.913700001\nCHF,2026-01-01,1.06\n"),
        ("other.csv", "x"),
    ];
    tables.map(|(name, text)| (name.to_owned(), text.to_owned())).into()
}

/// A tariff text that rating takes: what it refuses of random parts is left out.
fn a_tariff() -> impl Strategy<Value = String> {
    // The second one changes its clock by half an hour.
    let zones = select(&["Europe/Amsterdam", "Australia/Lord_Howe", "America/Sao_Paulo"]);
    let head = (0u32..=6, select(&["half_up", "half_even", "up", "down"]), select(&["free", "priced"]), any::<bool>(), zones);
    let plans = prop::collection::vec((select(&["start", "increment", "anew"]), select(&["", "a", "b", "c"])), 3);
    let extras = (select(&["", "fallback_plan = \"b\"\n"]), select(&["", "tax = \"included\"\n"]), classes(), 1u32..9);
    let usual = prop::option::weighted(0.8, per_unit());
    let prices = (prop::collection::vec(a_price(), 4..14), usual, prop::collection::vec(an_allowance(), 0..6));
    let prices = prices.prop_map(|(mut prices, usual, allowances)| {
        let all = "[[price]]\nplan = \"*\"\nkind = \"*\"\nzone = \"*\"\nband = \"*\"\n";
        prices.extend(usual.map(|formula| format!("{all}{formula}")));
        prices.extend(allowances.into_iter().enumerate().map(|(n, text)| format!("[[allowance]]\nname = \"n{n}\"\n{text}")));
        prices
    });
    (head, plans, prices, extras).prop_map(|((places, mode, zero, of_source, zone), plans, prices, extras)| {
        let clock = if of_source { "source_offset" } else { "tariff_zone" };
        let (fallback_plan, tax, class, days) = extras;
        let head = format!(
            "{fallback_plan}{tax}{class}exchange = {{ table = \"exchange.csv\", days_max = {days} }}\ntime_zone = \"{zone}\"\nband_clock = \"{clock}\"\nzero_usage = \"{zero}\"\nrounding = {{ places = {places}, mode = \"{mode}\" }}{HEAD}"
        );
        let plan = |fallbacks: &[&str; 3]| {
            let sizes = [1_000_000, 1_048_576, 100];
            let texts = PLANS.iter().zip(&plans).zip(fallbacks).zip(sizes).map(|(((name, (edge, _)), fallback), mb)| {
                let fallback = if fallback.is_empty() { String::new() } else { format!("fallback = \"{fallback}\"\n") };
                format!("[[plan]]\nname = \"{name}\"\nmb_bytes = {mb}\nband_edge = \"{edge}\"\n{fallback}")
            });
            texts.collect::<String>()
        };
        let is_taken = |text: &str| Tariff::load(&source(text)).is_ok();
        let (mut taken, mut fallbacks) = (String::new(), [""; 3]);
        for price in &prices {
            if is_taken(&format!("{head}{}{taken}{price}", plan(&fallbacks))) {
                taken += price;
            }
        }
        for (n, (_, fallback)) in plans.iter().enumerate() {
            let mut more = fallbacks;
            more[n] = fallback;
            if is_taken(&format!("{head}{}{taken}", plan(&more))) {
                fallbacks = more;
            }
        }
        format!("{head}{}{taken}", plan(&fallbacks))
    })
}

fn select(words: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(words)
}

fn a_price() -> impl Strategy<Value = String> {
    let names = (
        select(&["*", "*", "a", "b", "c"]),
        select(&["*", "voice-*", "voice-*", "voice-mo", "voice-mt", "data", "sms-*"]),
        select(&["*", "*", "*", "A", "B", "HOME", "ROAM", "ROAM-HOME", "FAR"]),
        select(&["*", "*", "peak", "off", "night"]),
    );
    let party = select(&["", "", "", "party = \"own_network\"\n", "party = \"own_customer\"\n"]);
    let formula = prop_oneof![8 => per_unit(), 1 => on_the_cost()];
    (names, formula, party, classes()).prop_map(|((plan, kind, zone, band), formula, party, class)| {
        format!("[[price]]\nplan = \"{plan}\"\nkind = \"{kind}\"\nzone = \"{zone}\"\nband = \"{band}\"\n{party}{class}{formula}")
    })
}

/// What plans give; rating refuses some of them beside the prices.
fn an_allowance() -> impl Strategy<Value = String> {
    let names = (
        prop::sample::select(vec!["\"*\"", "\"a\"", "\"b\"", "[\"a\", \"b\"]", "\"c\""]),
        select(&["voice-*", "voice-*", "voice-mo", "data", "sms-*"]),
        select(&["*", "*", "A", "B", "HOME"]),
        select(&["", "", "", "band = \"peak\"\n", "party = \"own_network\"\n", "party = \"own_customer\"\n"]),
    );
    let size = prop_oneof![1 => 1u64..300, 3 => 300..9_000u64, 1 => 9_000..2_000_000u64];
    let gives = (size, select(&["units", "units", "units", "money", "money", "unlimited", "fair_use"]));
    let rounds = (select(&["", "minimum = 60\n", "minimum = 90\n"]), prop::sample::select(vec![1u64, 1, 6, 60, 100_000]));
    let order = (0u32..3, 0u32..2, prop_oneof![2 => Just(0u32), 1 => Just(1), 1 => Just(2)]);
    let words = (
        select(&["", "scope = \"shared\"\n", "scope = \"pooled\"\n"]),
        select(&["", "setup = \"always\"\n"]),
        select(&["", "pro_rata = \"days\"\n"]),
    );
    (names, gives, rounds, order, words).prop_map(|(names, (size, gives), (minimum, increment), order, words)| {
        let ((plan, kind, zone, more), (priority, weight, roll_over), (scope, setup, pro_rata)) = (names, order, words);
        let data = if kind == "data" { 1_000 } else { 1 };
        let kind = if gives == "money" { "*" } else { kind };
        let rounds = format!("{minimum}increment = {increment}\n{setup}");
        let gives = match gives {
            "units" => format!("units = {}\n{rounds}", size * data),
            "money" => format!("money = \"{}.{:02}\"\n", size / 1_000, size % 100),
            "unlimited" => format!("unlimited = true\n{rounds}"),
            _ => format!("fair_use = {{ price = \"{}.5\", cap = \"1.10\", per = {} }}\n{rounds}", size % 30, 100 * data),
        };
        let roll_over = if gives.contains("unlimited") { 0 } else { roll_over };
        format!(
            "plan = {plan}\nkind = \"{kind}\"\nzone = \"{zone}\"\n{more}{gives}priority = {priority}\nweight = {weight}\n\
             roll_over = {roll_over}\n{scope}{pro_rata}"
        )
    })
}

fn classes() -> impl Strategy<Value = &'static str> {
    select(&["", "", "tax_class = \"high\"\n", "tax_class = \"low\"\n"])
}

fn amount() -> impl Strategy<Value = String> {
    prop_oneof![
        (0u32..500).prop_map(|cents| format!("0.{cents:03}")),
        (0u64..3_000_000_000).prop_map(|n| format!("0.{n:010}")[..11].to_owned())
    ]
}

fn per_unit() -> impl Strategy<Value = String> {
    let size = || prop::sample::select(vec![1u64, 6, 30, 60, 90, 100_000]);
    let steps = prop::collection::vec((size(), 1u64..6, amount()), 1..4);
    let fees = (prop::option::of(amount()), prop::option::of(amount()), prop::option::of(0u32..60), prop::option::of(20u32..90));
    let units = (prop_oneof![Just(0u64), Just(60), 1..100u64], prop_oneof![3 => Just(0u64), 1 => 1..200u64]);
    let asks = select(&["", "", "", "information = \"cost\"\n", "information = \"listed\"\n"]);
    let parts = (steps, fees, units, prop::option::of(size()), asks);
    parts.prop_map(|(steps, (setup, disconnect, least, most), (minimum, free), per, asks)| {
        let mut text = format!("minimum = {minimum}\nfree_units = {free}\n{asks}");
        let given = |key: &str, value: Option<String>| value.map(|v| format!("{key} = \"{v}\"\n")).unwrap_or_default();
        text += &(given("setup", setup) + &given("disconnect", disconnect));
        text +=
            &(given("charge_min", least.map(|n| format!("0.{n:02}"))) + &given("charge_max", most.map(|n| format!("0.{n:02}"))));
        text += &per.map(|per| format!("per = {per}\n")).unwrap_or_default();
        let (mut from, mut begin, mut list) = (0, minimum, Vec::new());
        for (increment, count, price) in &steps {
            list.push(format!("{{ from = {from}, increment = {increment}, unit_price = \"{price}\" }}"));
            from = begin + increment * count;
            begin = from;
        }
        text + &format!("steps = [{}]\n", list.join(", "))
    })
}

fn on_the_cost() -> impl Strategy<Value = String> {
    (-100i32..300, amount(), prop::option::of(0u32..60)).prop_map(|(tenths, fixed, bounds)| {
        let (sign, size) = (if tenths < 0 { "-" } else { "" }, tenths.unsigned_abs());
        let bounds = bounds.map(|least| format!("charge_min = \"0.{least:02}\"\ncharge_max = \"0.90\"\n")).unwrap_or_default();
        format!("cost_plus = {{ percent = \"{sign}{}.{}\", fixed = \"{fixed}\" }}\n{bounds}", size / 10, size % 10)
    })
}

/// A record, as both derivations can take it.
#[derive(Debug, Clone)]
struct Made {
    kind: &'static str,
    /// A place in [`NUMBERS`], or beyond them for a number that is nobody's.
    who: usize,
    imsi: u64,
    to: (&'static str, &'static str),
    start_us: i64,
    offset_s: i32,
    units: u64,
    network: &'static str,
    class: &'static str,
    cost_nano: Option<i64>,
}

fn a_record() -> impl Strategy<Value = Made> {
    let to = prop::sample::select(vec![
        ("31612345678", "e164"),
        ("31687654321", "e164"),
        ("31101234567", "e164"),
        ("31201234567", "e164"),
        ("447700900123", "e164"),
        ("4930123456", "e164"),
        ("31610000001", "e164"),
        ("31610000002", "e164"),
        ("31610000003", "e164"),
        ("31610000005", "e164"),
        ("112", "short_code"),
        ("113", "short_code"),
        ("BANK", "alphanumeric"),
        ("", "absent"),
    ]);
    // Beside edges, clock changes, the ends of cycles and of the tariff.
    let near = prop::sample::select(vec![
        1_792_000_680i64, // 14 October 2026, 19:58 in Amsterdam, a feast
        1_792_087_080,    // the day after it
        1_792_888_140,    // 25 October 2026, 02:29 of summer time
        1_774_744_080,    // 29 March 2026, 01:28
        1_793_483_880,    // 31 October 2026, 22:58
        1_798_757_940,    // 31 December 2026, 23:59
        1_792_000_680,
        1_792_087_080,
        1_792_888_140,
        1_825_021_740, // an hour before the tariff ends
        1_792_360_800, // midnight before 19 October
    ]);
    let when = (near, 0i64..7_200, prop_oneof![3 => Just(0i64), 1 => 1i64..1_000_000], select_offset());
    let what = (
        select(&["voice-mo", "voice-mo", "voice-mt", "voice-fwd", "data", "sms-mo", "mms-mt"]),
        prop_oneof![9 => 0usize..4, 1 => Just(4)],
        to,
    );
    let sim = prop_oneof![8 => Just(0u64), 1 => Just(SIM), 1 => Just(SIM + 1)];
    let units = prop_oneof![1 => Just(0u64), 6 => 1..4_000u64, 1 => 4_000..200_000u64];
    let other = (
        select(&["", "", "", "", "20404", "26201", "26202", "310260", "NLDPT", "22801", "22802", "22803"]),
        select(&["", "", "premium", "other"]),
    );
    let cost = prop::option::of(-1_000_000_000i64..9_000_000_000);
    (what, when, units, other, cost, sim).prop_map(
        |((kind, who, to), (near, later, part, offset_s), units, (network, class), cost_nano, imsi)| Made {
            kind,
            who,
            imsi,
            to,
            start_us: (near + later) * 1_000_000 + part,
            offset_s,
            units,
            network,
            class,
            cost_nano,
        },
    )
}

fn select_offset() -> impl Strategy<Value = i32> {
    prop::sample::select(vec![7_200, 3_600, 0, -12_600])
}

fn source(toml: &str) -> TariffSource {
    TariffSource { name: "random.toml".to_owned(), toml: toml.to_owned(), companions: companions() }
}

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
fn rated(toml: &str, records: &[Made], cost_currency: &str) -> [RatedBatch; 2] {
    let codes = |n: usize| u32::try_from(n).expect("few");
    let owner = |(_, _, who, plan, from_us, to_us): Line| Owner {
        from_us,
        to_us,
        device: codes(who),
        subscription: codes(who),
        customer: codes(CUSTOMERS[who]),
        plan: codes(plan),
        group: NO_GROUP,
    };
    let customer = |day| Customer { owner_path: "main/x".into(), cycle_day: CycleDay::try_from(day).expect("a day"), zone: 0 };
    let owners = Arc::new(Owners {
        windows: windows().map(owner).into(),
        devices: Names::new(PLANS),
        subscriptions: Names::new(PLANS),
        customer_names: Names::new(PLANS),
        customers: CYCLE_DAYS.map(customer).into(),
        plans: Names::new(PLANS),
        groups: Names::default(),
        zones: vec![Zone::load("Europe/Amsterdam").expect("bundled")],
    });
    let list = windows().into_iter().enumerate();
    let list = list.map(|(n, (kind, value, ..))| IdentifierWindow { kind, value, owner: codes(n) });
    let index = DeviceIndex::build(Arc::clone(&owners), list.collect()).expect("windows of one number do not overlap");
    let tariff = Tariff::load(&source(toml)).expect("it was loaded before");
    let set = Arc::new(TariffSet::build(vec![tariff]).expect("one tariff"));
    let bound = set.bind(&owners);
    let alone = rate::rate(parsed(records, cost_currency), &index, &bound);
    // The order in which they come does not matter.
    let mut demands = demands(&alone, &bound);
    demands.reverse();
    let settled = rate::rate_settled(parsed(records, cost_currency), &index, &bound, &settle(demands, &bound));
    [alone, settled]
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
        group: None,
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
        allowance: drawn.map(|drawn| &*rated.allowances[usize::from(drawn.allowance)]),
        allowance_units: drawn.map(|drawn| drawn.units).filter(|units| *units != 0),
        allowance_money: drawn.map(|drawn| drawn.nano.into()).filter(|nano| *nano != 0),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// *Guarantees.* Whatever a tariff says and whatever a record holds, both derivations name the same owner, cycle, zone, band,
    /// billed units and charge, or the same reason without one; alone, and as they draw from allowances together.
    #[test]
    fn rating_and_the_second_derivation_agree_over_random_tariffs(
        toml in a_tariff(),
        records in prop::collection::vec(a_record(), 1..40),
        cost_currency in select(&["EUR", "USD", "CHF"]),
    ) {
        let ([alone, settled], second) = (rated(&toml, &records, cost_currency), second(&toml));
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
                ..Record::default()
            };
            let derived = second.derive(&record).expect("a record of our time");
            let period = Month::from_number(alone.columns.period[i]).to_string();
            let found = differences(&derived, &stated(&alone, i, &period));
            prop_assert!(found.is_empty(), "{found:?}\n{made:?}\n{toml}");
            entries.push(Entry { record, key: u128::try_from(i / 2).expect("few"), delivery: DELIVERY, row: i64::try_from(i).expect("few") });
        }
        for (i, derived) in second.settle(&entries).expect("records of our time").iter().enumerate() {
            let period = Month::from_number(settled.columns.period[i]).to_string();
            let found = differences(derived, &stated(&settled, i, &period));
            prop_assert!(found.is_empty(), "settled: {found:?}\n{:?}\n{records:#?}\n{toml}", records[i]);
        }
    }
}
