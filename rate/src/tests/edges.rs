//! Calls over the edges of bands: what is computed by pieces is what counting one increment after the other gives.

use std::fmt::Write;

use domain::money::Money;
use domain::number::Number;
use domain::zone::{SECOND_US, Zone};
use proptest::prelude::*;

use crate::explain::{ExplainInput, explain};
use crate::price::price;
use crate::tests::fixture::{Row, batch, inline, linked, owners, set_of, utc};
use crate::tests::reference::{Price, over_edges, round};

/// Windows as (days as written, weekdays from Monday, first minute, last minute, band): they pass midnight and clock changes.
const WINDOWS: [(&str, &[usize], i64, i64, usize); 5] = [
    ("mon-fri", &[0, 1, 2, 3, 4], 8 * 60, 20 * 60, 1),
    ("mon-sun", &[0, 1, 2, 3, 4, 5, 6], 2 * 60, 3 * 60, 2),
    ("sat", &[5], 9 * 60 + 1, 9 * 60 + 3, 1),
    ("sun", &[6], 23 * 60 + 30, 24 * 60 + 45, 2),
    ("sun", &[6], 60, 119, 1),
];

const BANDS: [&str; 3] = ["rest", "one", "two"];

/// The band of an instant, from the windows themselves.
fn band(zone: &Zone, at_us: i64) -> usize {
    let minute = (at_us + i64::from(zone.offset_at(at_us)) * SECOND_US).div_euclid(60 * SECOND_US);
    // 5 January 1970 was a Monday.
    let of_week = (minute - 4 * 1_440).rem_euclid(7 * 1_440);
    let holds = |(_, days, from, to, _): &&(&str, &[usize], i64, i64, usize)| {
        let begins = days.iter().map(|day| i64::try_from(*day).expect("below 7") * 1_440 + from);
        begins.into_iter().any(|begin| (of_week - begin).rem_euclid(7 * 1_440) < to - from)
    };
    WINDOWS.iter().find(holds).map_or(0, |window| window.4)
}

fn a_price() -> impl Strategy<Value = Price> {
    let steps = prop_oneof![Just(vec![0i128]), Just(vec![0, 600])];
    let increment = prop::sample::select(vec![1i128, 7, 30, 60, 90, 600]);
    let per = prop::sample::select(vec![1i128, 60, 100]);
    let fees =
        (0i128..200_000_000, prop_oneof![2 => Just(0i128), 1 => 0i128..50_000_000], prop::option::of(0i128..3_000_000_000));
    let units = (prop_oneof![2 => Just(0i128), 1 => 1i128..200], prop::sample::select(vec![0i128, 30, 60]));
    (steps, increment, per, fees, units, prop::collection::vec(0i128..500_000_000, 2)).prop_map(
        |(froms, increment, per, (setup_nano, disconnect_nano, most), (free_units, minimum), amounts)| {
            // Steps want increments that end where the next one begins.
            let increment = if froms.len() > 1 && (600 - minimum) % increment != 0 { 30 } else { increment };
            let steps = froms.into_iter().zip(amounts).map(|(from, amount)| (from, increment, amount)).collect();
            Price { setup_nano, minimum, steps, per, free_units, disconnect_nano, charge_min_nano: 0, charge_max_nano: most }
        },
    )
}

#[test]
fn absurd_starts_are_priced_or_refused_and_never_a_panic() {
    let plain = Price {
        setup_nano: 0,
        minimum: 0,
        steps: vec![(0, 60, 60_000_000)],
        per: 60,
        free_units: 0,
        disconnect_nano: 0,
        charge_min_nano: 0,
        charge_max_nano: None,
    };
    let tariffs = set_of(&inline(&toml(&[plain.clone(), Price { per: 1, ..plain.clone() }, plain], true)));
    let owners = owners(&["p"], 1);
    let incoming = domain::usage::Usage::parse("voice-mt").expect("a kind");
    for start_us in [i64::MAX, i64::MAX - 90 * SECOND_US, i64::MAX / 2, utc("9999-12-31T23:59:30")] {
        for offset_s in [0, 50_400, -50_400] {
            let row = Row { usage: incoming, start_us, offset_s, duration_s: 60, b_number: Number::ABSENT, ..Row::default() };
            let rated = price(linked(batch(vec![row], &[]), &owners, vec![0]), &tariffs.bind(&owners));
            let is_told = rated.reason(0).is_some() || rated.columns.charge_nano[0] > 0;
            assert!(is_told, "{start_us}");
        }
    }
}

fn text(nano: i128) -> String {
    Money(nano).to_text(9)
}

fn toml(prices: &[Price], anew: bool) -> String {
    let mut toml = format!(
        "name = \"random\"\ncurrency = \"EUR\"\ntime_zone = \"Europe/Amsterdam\"\nvalid_from = 2020-01-01\nhome_zone = \"HOME\"\n\
         default_band = \"rest\"\n[rounding]\nplaces = 9\nmode = \"half_even\"\n[[plan]]\nname = \"p\"\nband_edge = \"{}\"\n",
        if anew { "anew" } else { "increment" }
    );
    let clock = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
    for (days, _, from, to, band) in WINDOWS {
        let to = if to > 1_440 { to - 1_440 } else { to };
        let (from, to) = (clock(from), clock(to));
        write!(toml, "[[band]]\nname = \"{}\"\ndays = \"{days}\"\nfrom = \"{from}\"\nto = \"{to}\"\n", BANDS[band])
            .expect("a text");
    }
    for (band, price) in BANDS.iter().zip(prices) {
        let steps = price.steps.iter().map(|(from, increment, unit)| {
            format!("{{ from = {from}, increment = {increment}, unit_price = \"{}\" }}", text(*unit))
        });
        write!(
            toml,
            "[[price]]\nplan = \"p\"\nkind = \"voice-mt\"\nzone = \"HOME\"\nband = \"{band}\"\nsetup = \"{}\"\n\
             disconnect = \"{}\"\nminimum = {}\nfree_units = {}\nper = {}\nsteps = [{}]\n",
            text(price.setup_nano),
            text(price.disconnect_nano),
            price.minimum,
            price.free_units,
            price.per,
            steps.collect::<Vec<_>>().join(", "),
        )
        .expect("a text");
        toml += &price.charge_max_nano.map_or_else(String::new, |most| format!("charge_max = \"{}\"\n", text(most)));
    }
    toml
}

/// Starts around the edges, clock changes and a year's end, with parts of a second.
fn a_start() -> impl Strategy<Value = i64> {
    let near = prop::sample::select(vec![
        "2026-03-29T00:59:00",
        "2026-10-25T00:10:00",
        "2026-10-25T01:30:00",
        "2026-10-14T17:58:00",
        "2026-10-17T07:00:00",
        "2026-12-31T22:59:30",
        "2026-10-18T21:25:00",
    ]);
    (near, 0i64..4_000, prop_oneof![3 => Just(0i64), 1 => 1i64..1_000_000])
        .prop_map(|(near, seconds, parts)| utc(near) + seconds * SECOND_US + parts)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn pieces_are_what_one_increment_after_the_other_gives(
        prices in prop::collection::vec(a_price(), 3),
        anew in any::<bool>(),
        calls in prop::collection::vec((a_start(), prop_oneof![4 => 0i32..4_000, 1 => 4_000i32..100_000]), 1..8),
    ) {
        let tariffs = set_of(&inline(&toml(&prices, anew)));
        let owners = owners(&["p"], 1);
        let incoming = domain::usage::Usage::parse("voice-mt").expect("a kind");
        let row = |(start_us, duration_s): &(i64, i32)| Row {
            usage: incoming, start_us: *start_us, duration_s: *duration_s, b_number: Number::ABSENT, ..Row::default()
        };
        let parsed = batch(calls.iter().map(row).collect(), &[]);
        let rated = price(linked(parsed, &owners, vec![0; calls.len()]), &tariffs.bind(&owners));
        let zone = Zone::load("Europe/Amsterdam").expect("bundled");
        for (i, (start_us, seconds)) in calls.iter().enumerate() {
            let band_at = |second: i128| band(&zone, start_us + i64::try_from(second).expect("a call") * SECOND_US);
            let (billed, (numerator, denominator)) = over_edges(&prices, &band_at, i128::from(*seconds), anew);
            let charge = round(numerator, denominator, 9, "half_even");
            prop_assert_eq!(rated.reason(i), None);
            prop_assert_eq!(i128::from(rated.columns.billed[i]), billed, "{} s from {}", seconds, start_us);
            prop_assert_eq!(i128::from(rated.columns.charge_nano[i]), charge, "{} s from {}", seconds, start_us);
            let explained = explain(&ExplainInput::of(&rated, i), &tariffs).expect("a row of this tariff");
            let step = explained.charge.expect("it is rated");
            prop_assert_eq!(step.charge, format!("{} EUR", Money(charge)));
            prop_assert_eq!(i128::from(step.billed), billed);
        }
    }
}
