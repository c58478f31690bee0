//! Explanations say what was decided and why, in words that an operator can check against the tariff's files.

use std::sync::Arc;

use domain::columns::parsed::NO_COST;
use domain::columns::rated::RatedBatch;
use domain::number::{Network, Number, NumberKind};
use domain::outcome::Reason;
use domain::usage::Usage;
use proptest::prelude::*;

use super::{ExplainInput, explain};
use crate::error::ExplainError;
use crate::price::price;
use crate::tariff::set::TariffSet;
use crate::tests::fixture::{Row, batch, inline, linked, owners, read, repository, set_of, utc};

fn business() -> Arc<TariffSet> {
    set_of(&read(&repository("config/tariffs/nl-zakelijk.toml")))
}

fn rated(tariffs: &Arc<TariffSet>, plan: &str, row: Row) -> RatedBatch {
    let owners = owners(&[plan], 1);
    price(linked(batch(vec![row], &["N_VAST"]), &owners, vec![0]), &tariffs.bind(&owners))
}

fn lines(plan: &str, row: Row) -> Vec<String> {
    let tariffs = business();
    let id = tariffs.tariffs()[0].id().to_string();
    let derivation = explain(&ExplainInput::of(&rated(&tariffs, plan, row), 0), &tariffs).expect("a row of this tariff");
    derivation.lines().into_iter().map(|line| line.replace(&id, "nl-zakelijk@…")).collect()
}

#[test]
fn a_call_is_explained_from_plan_to_charge() {
    let row =
        Row { duration_s: 61, network: Network::mccmnc(20_408, 5), b_number: Number::e164(31_871_234_567, 11), ..Row::default() };
    assert_eq!(
        lines("zakelijk-plus", row),
        [
            "outcome: rated",
            "plan: zakelijk-plus",
            "tariff: nl-zakelijk@… in EUR, in force from 2025-01-01T00:00:00+01:00 until further notice (Europe/Amsterdam)",
            "zone: NL-SVC by prefix",
            "  network 20408: `204` → HOME (nl-zakelijk-networks.csv line 3)",
            "  class: the source gives none",
            "  destination 318•••••567: longest prefix `3187` → NL-SVC (nl-zakelijk-prefixes.csv line 81)",
            "  31 → NL-FIX matches, but is shorter (nl-zakelijk-prefixes.csv line 66)",
            "band: peak at 2026-10-14T12:00:00+02:00, by the tariff's clock (Europe/Amsterdam) in the window mon-fri except holidays \
             08:00 to 20:00 (nl-zakelijk.toml line 69)",
            "price: row 33 (nl-zakelijk-prices.csv line 32)",
            "  setup 0.045, minimum 60",
            "  from 0 on: 0.12 per 60, in increments of 1",
            "  no units, no charge",
            "units: 61 seconds",
            "  from 0: 60 + ⌈max(0, 61 - 60) / 1⌉ × 1 = 61 billed",
            "  0.045 + 0.12 × 61 / 60 = 0.167 (61 billed)",
            "  rounded half up to 6 places: 0.167 EUR",
            "charge: 0.167 EUR",
            "tax: excluded, class standard",
        ]
    );
}

#[test]
fn the_class_and_the_visited_network_are_named_where_they_decide() {
    let ported = lines("zakelijk-plus", Row { class: 1, ..Row::default() });
    assert_eq!(
        ported[3..6],
        [
            "zone: NL-FIX by class",
            "  network: the source names none, so the row counts as made at home (HOME)",
            "  class N_VAST: `N_VAST` → NL-FIX (nl-zakelijk.toml [classes.zones])",
        ]
    );
    let abroad = lines("zakelijk-plus", Row { network: Network::mccmnc(22_802, 5), ..Row::default() });
    assert_eq!(
        abroad[3..5],
        ["zone: ROAM-EU by network", "  network 22802: `22802` → ROAM-EU (nl-zakelijk-networks.csv line 15)"]
    );
}

#[test]
fn steps_and_cost_plus_show_their_sums() {
    let world = Number::e164(12_125_551_234, 11);
    let steps = lines("vast", Row { duration_s: 1861, b_number: world, ..Row::default() });
    assert_eq!(
        steps[steps.len() - 7..],
        [
            "  from 0: 0 + ⌈max(0, 300 - 0) / 1⌉ × 1 = 300 billed",
            "  from 300: 0 + ⌈max(0, 1500 - 0) / 1⌉ × 1 = 1500 billed",
            "  from 1800: 0 + ⌈max(0, 61 - 0) / 60⌉ × 60 = 120 billed",
            "  0.05 + 0.60 × 300 / 60 + 0.40 × 1500 / 60 + 0.30 × 120 / 60 = 13.65 (1920 billed)",
            "  rounded half up to 6 places: 13.65 EUR",
            "charge: 13.65 EUR",
            "tax: excluded, class standard",
        ]
    );
    let cost = lines("zakelijk-inkoop", Row { cost_nano: 10_000, ..Row::default() });
    assert_eq!(
        cost[cost.len() - 4..],
        [
            "  0.00001 × (100 + 15) / 100 + 0.001 = 0.0010115",
            "  rounded half up to 6 places: 0.001012 EUR",
            "charge: 0.001012 EUR",
            "tax: excluded, class standard",
        ]
    );
    let third = lines("zakelijk-plus", Row { duration_s: 61, ..Row::default() });
    assert_eq!(third[third.len() - 4], "  0.00 + 0.10 × 61 / 60 = 0.101666666666… (61 billed)");
}

/// A plan by which calls are cut at the edges of bands; data of the same tariff has a price by day alone.
const CUT: &str = r#"
name = "cut"
currency = "EUR"
time_zone = "Europe/Amsterdam"
valid_from = 2026-01-01
home_zone = "HOME"
default_band = "day"
rounding = { places = 6, mode = "half_up" }
destinations.prefixes = { 31 = "NL", 32 = "BE" }

[[calendar]]
name = "feast"
dates = [2026-10-14]

[[band]]
name = "evening"
days = "feast"
from = "20:00"
to = "24:00"

[[plan]]
name = "p"
band_edge = "anew"

[[price]]
plan = "p"
kind = "voice-mo"
zone = "NL"
minimum = 60
increment = 60
setup = "0.05"
unit_price = "0.12"

[[price]]
plan = "p"
kind = "voice-mo"
zone = "NL"
band = "evening"
unit_price = "0.06"

[[price]]
plan = "p"
kind = "voice-mo"
zone = "BE"
band = "day"
unit_price = "0.12"
"#;

#[test]
fn a_call_over_an_edge_shows_its_pieces_and_what_has_no_price() {
    let tariffs = set_of(&inline(CUT));
    let explained = |to: u64, duration_s: i32| {
        // 19:58:30 in Amsterdam.
        let start_us = utc("2026-10-14T17:58:30");
        let row = Row { start_us, offset_s: 7200, duration_s, b_number: Number::e164(to, 11), ..Row::default() };
        explain(&ExplainInput::of(&rated(&tariffs, "p", row), 0), &tariffs).expect("a row").lines()
    };
    let lines = explained(31_201_234_567, 130);
    let band = lines.iter().find(|line| line.starts_with("band:")).expect("a band");
    assert!(band.contains("in no window, so the default band; the date is in feast"), "{band}");
    assert!(lines.contains(&"  over a band's edge: each part in increments of its own".to_owned()), "{lines:#?}");
    // A minute at least, 30 seconds to the edge are a minute, 40 behind it 40: 0.05 + 0.12 + 0.12 + 0.04.
    assert_eq!(
        lines[lines.len() - 6..],
        [
            "  from second 0, 2026-10-14T19:58:30+02:00: the minimum at the price of the start = 60 billed (tariff.toml line 25)",
            "  from second 60, 2026-10-14T19:59:30+02:00, band day: 1 × 60 = 60 billed (tariff.toml line 25)",
            "  from second 90, 2026-10-14T20:00:00+02:00, band evening: 40 × 1 = 40 billed (tariff.toml line 34)",
            "  0.05 + 0.12 × 60 / 60 + 0.12 × 60 / 60 + 0.06 × 40 / 60 = 0.33 (160 billed)",
            "  rounded half up to 6 places: 0.33 EUR",
            "charge: 0.33 EUR",
        ]
    );
    let short = explained(31_201_234_567, 90);
    assert_eq!(short[short.len() - 3], "  0.05 + 0.12 × 120 / 60 = 0.29 (120 billed)", "it ends with the day");
    let without = explained(32_201_234_567, 130);
    assert_eq!(without[0], "outcome: no_price");
    let band = without.iter().find(|line| line.starts_with("band:")).expect("a band");
    assert!(band.ends_with("; second 90, 2026-10-14T20:00:00+02:00, is in band evening, which has no price"), "{band}");
}

#[test]
fn suspense_is_explained_with_the_prefixes_that_nearly_match_and_a_remedy() {
    let unknown = lines("zakelijk-plus", Row { b_number: Number::e164(88_312_345_678, 11), ..Row::default() });
    assert_eq!(unknown[0..2], ["outcome: no_zone", "remedy: add the prefix or network to the tariff's tables"]);
    assert!(unknown.contains(&"  destination 883•••••678 (e164): no row of the tariff matches".to_owned()), "{unknown:#?}");
    assert!(unknown.iter().any(|line| line.starts_with("  881 → SAT is longer, but does not match")), "{unknown:#?}");
    let tariffs = business();
    let mut input = ExplainInput::of(&rated(&tariffs, "zakelijk-plus", Row::default()), 0);
    input.tariff = None;
    let outcome = |input: &ExplainInput| explain(input, &tariffs).expect("a row").outcome;
    input.start_us = utc("2024-06-01T00:00:00");
    assert_eq!(outcome(&input), "no_tariff");
    input.plan = Some("oud".to_owned());
    assert_eq!(outcome(&input), "no_plan");
    input.plan = None;
    assert_eq!(outcome(&input), "no_device");
}

#[test]
fn a_version_that_is_not_there_and_fields_that_no_row_has_are_errors() {
    let tariffs = business();
    let good = ExplainInput::of(&rated(&tariffs, "zakelijk-plus", Row::default()), 0);
    let explained = |change: &dyn Fn(&mut ExplainInput)| {
        let mut input = good.clone();
        change(&mut input);
        explain(&input, &tariffs).map(|_| ()).map_err(|e| e.to_string())
    };
    assert_eq!(explained(&|_| ()), Ok(()));
    assert_eq!(
        explained(&|input| input.tariff = Some("nl-zakelijk@0".to_owned())),
        Err(ExplainError::UnknownVersion("nl-zakelijk@0".to_owned()).to_string())
    );
    assert_eq!(
        explained(&|input| input.kind = "call".to_owned()),
        Err("`kind` is `call`; a kind such as voice-mo, sms-mt or data is expected".to_owned())
    );
    assert_eq!(
        explained(&|input| input.b_number = "31-6".to_owned()),
        Err("`b_number` is `31-6`; 1 to 15 digits are expected".to_owned())
    );
    assert_eq!(
        explained(&|input| input.network = "2040".to_owned()),
        Err("`network` is `2040`; an MCC-MNC or a TADIG code is expected".to_owned())
    );
    assert!(explained(&|input| input.plan = Some("oud".to_owned())).is_err());
}

#[test]
fn a_derivation_is_json_as_well() {
    let tariffs = business();
    let input = ExplainInput::of(&rated(&tariffs, "zakelijk-plus", Row::default()), 0);
    let json = serde_json::to_value(explain(&input, &tariffs).expect("a row")).expect("plain fields");
    assert_eq!(json["zone"]["zone"], "NL-MOB");
    assert_eq!(json["charge"]["charge"], "0.10 EUR");
    assert_eq!(json["charge"]["billed"], 60);
}

fn any_row() -> impl Strategy<Value = Row> {
    let numbers = prop::sample::select(vec![
        Number::ABSENT,
        Number::e164(31_612_345_678, 11),
        Number::e164(49_151_234_567, 11),
        Number::e164(99_912_345_678, 11),
        Number::e164(881_612_345_678, 12),
        Number::short_code(112, 3),
        Number::short_code(144, 3),
        Number::text(NumberKind::Alphanumeric, 0),
        Number::text(NumberKind::Masked, 0),
    ]);
    let networks = prop::sample::select(vec![
        Network::ABSENT,
        Network::mccmnc(20_408, 5),
        Network::mccmnc(22_802, 5),
        Network::mccmnc(310_260, 6),
        Network::mccmnc(1_011, 5),
        Network::tadig(*b"NLDPT").expect("a code"),
    ]);
    let start = utc("2024-12-25T00:00:00")..utc("2027-01-01T00:00:00");
    let cost = prop_oneof![Just(NO_COST), 0i64..9_000_000_000];
    (0usize..10, numbers, networks, start, 0i32..4000, 0i64..9_000_000, 0u16..2, cost).prop_map(
        |(usage, b_number, network, start_us, duration_s, bytes, class, cost_nano)| Row {
            usage: Usage::all().nth(usage).expect("ten kinds"),
            b_number,
            network,
            start_us,
            duration_s,
            bytes: (bytes, bytes / 7),
            class,
            cost_nano,
            ..Row::default()
        },
    )
}

proptest! {
    #[test]
    fn explaining_a_row_gives_what_pricing_it_gave(
        rows in prop::collection::vec(any_row(), 1..60),
        plan in prop::sample::select(vec!["zakelijk-basis", "zakelijk-plus", "m2m", "vast", "zakelijk-inkoop", "oud"]),
    ) {
        let tariffs = business();
        let owners = owners(&[plan], 1);
        let count = rows.len();
        let rated = price(linked(batch(rows, &["N_VAST"]), &owners, vec![0; count]), &tariffs.bind(&owners));
        for i in 0..count {
            let derivation = explain(&ExplainInput::of(&rated, i), &tariffs).expect("a row of these tariffs");
            prop_assert_eq!(derivation.outcome, rated.reason(i).map_or("rated", Reason::as_str));
            let zone = Some(rated.columns.zone[i]).filter(|z| *z != u16::MAX).map(|z| rated.labels.zones.name(z.into()).to_owned());
            prop_assert_eq!(derivation.zone.as_ref().and_then(|z| z.zone.clone()), zone);
            let row = derivation.price.as_ref().map_or(u32::MAX, |p| p.row);
            prop_assert_eq!(row, rated.columns.price_row[i]);
            if let Some(charge) = derivation.charge {
                prop_assert_eq!(charge.billed, rated.columns.billed[i]);
            }
        }
    }
}
