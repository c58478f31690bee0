//! Random tariffs and records: every key of a tariff, in whatever combination rating takes.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rate::tariff::{Tariff, TariffSource};

use super::{PLANS, SIM};

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

/// The tables beside it.
pub fn companions() -> BTreeMap<String, String> {
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
pub fn a_tariff() -> impl Strategy<Value = String> {
    // The second one changes its clock by half an hour.
    let zones = select(&["Europe/Amsterdam", "Australia/Lord_Howe", "America/Sao_Paulo"]);
    let head = (0u32..=6, select(&["half_up", "half_even", "up", "down"]), select(&["free", "priced"]), any::<bool>(), zones);
    let plans = prop::collection::vec((select(&["start", "increment", "anew"]), select(&["", "a", "b", "c"])), 3);
    let extras = (select(&["", "fallback_plan = \"b\"\n"]), select(&["", "tax = \"included\"\n"]), classes(), 1u32..9);
    let usual = prop::option::weighted(0.8, per_unit());
    let others = (prop::collection::vec(an_allowance(), 0..6), prop::collection::vec(a_discount(), 0..3));
    let prices = (prop::collection::vec(a_price(), 4..14), usual, others);
    let prices = prices.prop_map(|(mut prices, usual, (allowances, discounts))| {
        let all = "[[price]]\nplan = \"*\"\nkind = \"*\"\nzone = \"*\"\nband = \"*\"\n";
        prices.extend(usual.map(|formula| format!("{all}{formula}")));
        prices.extend(allowances.into_iter().enumerate().map(|(n, text)| format!("[[allowance]]\nname = \"n{n}\"\n{text}")));
        prices.extend(discounts.into_iter().enumerate().map(|(n, text)| format!("[[discount]]\nname = \"d{n}\"\n{text}")));
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

pub fn select(words: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(words)
}

fn a_price() -> impl Strategy<Value = String> {
    let names = (
        select(&["*", "*", "a", "b", "c"]),
        select(&["*", "voice-*", "voice-*", "voice-mo", "voice-mt", "data", "sms-*"]),
        select(&["*", "*", "*", "A", "B", "HOME", "ROAM", "ROAM-HOME", "FAR"]),
        select(&["*", "*", "peak", "off", "night"]),
    );
    let party = select(&["", "", "", "party = \"own_network\"\n", "party = \"own_customer\"\n", "party = \"group\"\n"]);
    let formula = prop_oneof![8 => per_unit(), 3 => of_a_total(), 1 => on_the_cost()];
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
        select(&[
            "",
            "",
            "",
            "band = \"peak\"\n",
            "party = \"own_network\"\n",
            "party = \"own_customer\"\n",
            "party = \"group\"\n",
        ]),
    );
    let size = prop_oneof![1 => 1u64..300, 3 => 300..9_000u64, 1 => 9_000..2_000_000u64];
    let gives = (size, select(&["units", "units", "units", "money", "money", "most", "most", "unlimited", "fair_use"]));
    let rounds = (select(&["", "minimum = 60\n", "minimum = 90\n"]), prop::sample::select(vec![1u64, 1, 6, 60, 100_000]));
    let order = (0u32..3, 0u32..2, prop_oneof![2 => Just(0u32), 1 => Just(1), 1 => Just(2)]);
    let words = (
        select(&["", "scope = \"shared\"\n", "scope = \"pooled\"\n", "scope = \"group\"\n"]),
        select(&["", "setup = \"always\"\n"]),
        select(&["", "pro_rata = \"days\"\n"]),
        periods(),
        select(&["", "", "", "beyond = \"block\"\n"]),
    );
    (names, gives, rounds, order, words).prop_map(|(names, (size, gives), (minimum, increment), order, words)| {
        let ((plan, kind, zone, more), (priority, weight, roll_over)) = (names, order);
        let (scope, setup, pro_rata, every, beyond) = words;
        let data = if kind == "data" { 1_000 } else { 1 };
        let kind = if ["money", "most"].contains(&gives) { "*" } else { kind };
        let rounds = format!("{minimum}increment = {increment}\n{setup}");
        let gives = match gives {
            "units" => format!("units = {}\n{rounds}", size * data),
            "money" | "most" => format!("{gives} = \"{}.{:02}\"\n", size / 1_000, size % 100),
            "unlimited" => format!("unlimited = true\n{rounds}"),
            _ => format!("fair_use = {{ price = \"{}.5\", cap = \"1.10\", per = {} }}\n{rounds}", size % 30, 100 * data),
        };
        let is_endless = gives.contains("unlimited") || gives.contains("most");
        let (roll_over, beyond) = if is_endless { (0, "") } else { (roll_over, beyond) };
        format!(
            "plan = {plan}\nkind = \"{kind}\"\nzone = \"{zone}\"\n{more}{gives}priority = {priority}\nweight = {weight}\n\
             roll_over = {roll_over}\n{scope}{pro_rata}{every}{beyond}"
        )
    })
}

fn periods() -> impl Strategy<Value = &'static str> {
    select(&["", "", "every = \"day\"\n", "every = \"week\"\n", "every = \"quarter\"\n"])
}

/// Percents by what is charged.
fn a_discount() -> impl Strategy<Value = String> {
    let names = (select(&["*", "a", "b"]), select(&["*", "voice-*", "data"]), select(&["*", "*", "A", "HOME"]));
    let words = (
        periods(),
        select(&["", "scope = \"shared\"\n", "scope = \"group\"\n"]),
        select(&["", "count = \"volume\"\n"]),
        select(&["", "", "", "party = \"own_customer\"\n", "band = \"peak\"\n"]),
    );
    let steps = prop::collection::vec((1u32..400, -1_000i32..600), 1..4);
    (names, words, steps).prop_map(|((plan, kind, zone), (every, scope, count, more), steps)| {
        let mut from = 0;
        let mut step = |(width, tenths): &(u32, i32)| {
            let sign = if *tenths < 0 { "-" } else { "" };
            let percent = format!("{sign}{}.{}", tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10);
            let text = format!("{{ from = \"{}.{:02}\", percent = \"{percent}\" }}", from / 100, from % 100);
            from += width;
            text
        };
        let steps: Vec<String> = steps.iter().map(&mut step).collect();
        format!(
            "plan = \"{plan}\"\nkind = \"{kind}\"\nzone = \"{zone}\"\n{every}{scope}{count}{more}steps = [{}]\n",
            steps.join(", ")
        )
    })
}

/// What setup, minimum and increments are of.
fn scopes() -> impl Strategy<Value = String> {
    let scope = select(&["session", "day", "week", "cycle", "quarter"]);
    let words = (
        select(&["t", "t", "u"]),
        select(&["", "total_scope = \"shared\"\n", "total_scope = \"group\"\n"]),
        select(&["", "count = \"volume\"\n"]),
    );
    let total = (scope, words).prop_map(|(scope, (total, whose, count))| match scope {
        "session" => format!("rounding_scope = \"session\"\n{count}"),
        _ => format!("rounding_scope = \"{scope}\"\ntotal = \"{total}\"\n{whose}{count}"),
    });
    prop_oneof![3 => Just(String::new()), 2 => total]
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

/// Without what is each record's own.
fn of_a_total() -> impl Strategy<Value = String> {
    (per_unit(), scopes()).prop_map(|(formula, scope)| {
        let is_own = |line: &&str| !line.starts_with("free_units") && !line.starts_with("information");
        let kept: Vec<&str> = formula.lines().filter(is_own).collect();
        format!("{}\n{scope}", kept.join("\n"))
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
pub struct Made {
    pub kind: &'static str,
    /// A place in [`NUMBERS`], or beyond them for a number that is nobody's.
    pub who: usize,
    pub imsi: u64,
    pub to: (&'static str, &'static str),
    pub start_us: i64,
    pub offset_s: i32,
    pub units: u64,
    pub network: &'static str,
    pub class: &'static str,
    pub cost_nano: Option<i64>,
    pub session: &'static str,
}

pub fn a_record() -> impl Strategy<Value = Made> {
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
    let cost = (prop::option::of(-1_000_000_000i64..9_000_000_000), select(&["", "s1", "s1", "s2", "s3"]));
    (what, when, units, other, cost, sim).prop_map(
        |((kind, who, to), (near, later, part, offset_s), units, (network, class), (cost_nano, session), imsi)| Made {
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
            session,
        },
    )
}

fn select_offset() -> impl Strategy<Value = i32> {
    prop::sample::select(vec![7_200, 3_600, 0, -12_600])
}

pub fn source(toml: &str) -> TariffSource {
    TariffSource { name: "random.toml".to_owned(), toml: toml.to_owned(), companions: companions() }
}
