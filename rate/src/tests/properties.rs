//! Properties over random tariffs and records: the fast path and the exact one give what the obvious way gives.

use std::fmt::Write;

use domain::columns::parsed::NO_COST;
use domain::money::Money;
use domain::number::Number;
use domain::outcome::Reason;
use domain::usage::Usage;
use proptest::prelude::*;

use crate::explain::{ExplainInput, explain};
use crate::price::price;
use crate::tests::fixture::{Row, batch, inline, linked, owners, set_of};
use crate::tests::reference;

const MODES: [&str; 4] = ["half_up", "half_even", "up", "down"];

#[derive(Debug, Clone)]
struct Case {
    places: u32,
    mode: &'static str,
    free: bool,
    price: reference::Price,
}

fn amount() -> impl Strategy<Value = i128> {
    // Round prices, prices of nine places, and the largest there is.
    prop_oneof![(0i128..5_000_000).prop_map(|micro| micro * 1_000), 0i128..5_000_000_000, Just(0), Just(1_000_000_000_000_000)]
}

fn units_size() -> impl Strategy<Value = i128> {
    prop_oneof![1i128..100, Just(60), Just(1_000_000), Just(1_048_576), Just(1_000_000_000_000)]
}

/// One to three steps that fit each other.
fn steps(minimum: i128) -> impl Strategy<Value = Vec<(i128, i128, i128)>> {
    prop::collection::vec((units_size(), 1i128..50, amount()), 1..4).prop_map(move |raw| {
        let mut from = 0;
        let mut begin = minimum;
        raw.into_iter()
            .map(|(increment, count, price)| {
                let step = (from, increment, price);
                from = begin + increment * count;
                begin = from;
                step
            })
            .collect::<Vec<_>>()
    })
}

/// Free units, disconnect fee, least and most above it: mostly none, as in most tariffs.
fn extras() -> impl Strategy<Value = (i128, i128, i128, Option<i128>)> {
    let few = prop_oneof![3 => Just(0i128), 1 => 0i128..100, 1 => Just(1_000_000_000_000)];
    (few, prop_oneof![2 => Just(0i128), 1 => amount()], prop_oneof![2 => Just(0i128), 1 => amount()], prop::option::of(amount()))
}

fn case() -> impl Strategy<Value = Case> {
    let minimum = prop_oneof![Just(0i128), 0i128..200, Just(1_000_000_000)];
    (0u32..=9, prop::sample::select(&MODES[..]), any::<bool>(), amount(), minimum, units_size()).prop_flat_map(
        |(places, mode, free, setup_nano, minimum, per)| {
            (steps(minimum), extras()).prop_map(move |(steps, (free_units, disconnect_nano, charge_min_nano, above))| {
                // Limits of a tariff: steps begin below 10¹².
                let steps = steps.into_iter().take_while(|(from, _, _)| *from <= 1_000_000_000_000).collect();
                // Bounds have no more places than charges.
                let place = 10i128.pow(9 - places);
                let (charge_min_nano, above) = (charge_min_nano / place * place, above.map(|above| above / place * place));
                let charge_max_nano = above.map(|above| (charge_min_nano + above).min(1_000_000_000_000_000));
                let price = reference::Price {
                    setup_nano,
                    minimum,
                    steps,
                    per,
                    free_units,
                    disconnect_nano,
                    charge_min_nano,
                    charge_max_nano,
                };
                Case { places, mode, free, price }
            })
        },
    )
}

fn text(nano: i128) -> String {
    Money(nano).to_text(9)
}

fn toml(case: &Case) -> String {
    let Case { places, mode, free, price } = case;
    let mut toml = format!(
        "name = \"random\"\ncurrency = \"EUR\"\ntime_zone = \"Europe/Amsterdam\"\nvalid_from = 2020-01-01\nhome_zone = \"HOME\"\n\
         default_band = \"any\"\nzero_usage = \"{}\"\n[rounding]\nplaces = {places}\nmode = \"{mode}\"\n[[plan]]\nname = \"p\"\n\
         [[price]]\nplan = \"p\"\nkind = [\"voice-mt\", \"data\"]\nzone = \"HOME\"\nsetup = \"{}\"\nminimum = {}\nper = {}\n",
        if *free { "free" } else { "priced" },
        text(price.setup_nano),
        price.minimum,
        price.per,
    );
    if let [(_, increment, unit)] = price.steps[..] {
        write!(toml, "increment = {increment}\nunit_price = \"{}\"\n", text(unit)).expect("a string takes all");
    } else {
        let steps = price.steps.iter().map(|(from, increment, unit)| {
            format!("{{ from = {from}, increment = {increment}, unit_price = \"{}\" }}", text(*unit))
        });
        writeln!(toml, "steps = [{}]", steps.collect::<Vec<_>>().join(", ")).expect("a string takes all");
    }
    for (key, nano) in [
        ("disconnect", Some(price.disconnect_nano).filter(|nano| *nano > 0)),
        ("charge_min", Some(price.charge_min_nano).filter(|nano| *nano > 0)),
        ("charge_max", price.charge_max_nano),
    ] {
        toml += &nano.map_or_else(String::new, |nano| format!("{key} = \"{}\"\n", text(nano)));
    }
    if price.free_units > 0 {
        writeln!(toml, "free_units = {}", price.free_units).expect("a string takes all");
    }
    toml
}

fn units() -> impl Strategy<Value = i64> {
    prop_oneof![Just(0i64), 1i64..400, 1i64..10_000_000_000, Just(i64::MAX - 1), 1i64..i64::MAX]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn charges_are_those_of_the_obvious_way(case in case(), volumes in prop::collection::vec(units(), 1..20)) {
        let tariffs = set_of(&inline(&toml(&case)));
        let owners = owners(&["p"], 1);
        let data = Usage::parse("data").expect("a kind");
        let row = |bytes: &i64| Row { usage: data, bytes: (bytes / 2, bytes - bytes / 2), b_number: Number::ABSENT, ..Row::default() };
        let parsed = batch(volumes.iter().map(row).collect(), &[]);
        let rated = price(linked(parsed, &owners, vec![0; volumes.len()]), &tariffs.bind(&owners));
        for (i, volume) in volumes.iter().enumerate() {
            let charge = reference::charge(&case.price, i128::from(*volume), case.free, case.places, case.mode);
            let left = reference::left(&case.price, i128::from(*volume));
            let billed: i128 = if left == 0 && (case.free || *volume > 0) { 0 } else { reference::billed(&case.price, left).iter().sum() };
            let fits = charge < 1_000_000_000_000_000_000 && billed <= i128::from(i64::MAX);
            prop_assert_eq!(rated.reason(i), (!fits).then_some(Reason::ChargeLimit), "{} bytes", volume);
            if fits {
                prop_assert_eq!(i128::from(rated.columns.charge_nano[i]), charge, "{} bytes", volume);
                prop_assert_eq!(i128::from(rated.columns.billed[i]), billed, "{} bytes", volume);
            }
            let explained = explain(&ExplainInput::of(&rated, i), &tariffs).expect("a row of this tariff");
            prop_assert_eq!(explained.outcome, rated.reason(i).map_or("rated", Reason::as_str));
            if let Some(step) = explained.charge {
                prop_assert_eq!(step.charge, format!("{} EUR", Money(charge)));
            }
        }
    }

    #[test]
    fn cost_plus_is_the_cost_and_its_percentage_rounded_once(
        percent_nano in -100_000_000_000i64..=10_000_000_000_000,
        fixed in amount(),
        places in 0u32..=9,
        mode in prop::sample::select(&MODES[..]),
        cost in prop_oneof![Just(NO_COST), -5_000_000_000i64..5_000_000_000, any::<i64>()],
    ) {
        let toml = format!(
            "name = \"random\"\ncurrency = \"EUR\"\ntime_zone = \"UTC\"\nvalid_from = 2020-01-01\nhome_zone = \"HOME\"\n\
             default_band = \"any\"\n[rounding]\nplaces = {places}\nmode = \"{mode}\"\n[[plan]]\nname = \"p\"\n[[price]]\n\
             plan = \"p\"\nkind = \"*\"\nzone = \"*\"\ncost_plus = {{ percent = \"{}\", fixed = \"{}\" }}\n",
            text(percent_nano.into()), text(fixed),
        );
        let owners = owners(&["p"], 1);
        let incoming = Usage::parse("voice-mt").expect("a kind");
        let parsed = batch(vec![Row { usage: incoming, cost_nano: cost, ..Row::default() }], &[]);
        let rated = price(linked(parsed, &owners, vec![0]), &set_of(&inline(&toml)).bind(&owners));
        let whole = 100_000_000_000i128;
        let numerator = i128::from(cost) * (whole + i128::from(percent_nano)) + fixed * whole;
        let expected = if cost == NO_COST { Err(Reason::NoCost) } else { Ok(reference::round(numerator, whole, places, mode)) };
        match expected {
            Ok(charge) if charge.abs() < 1_000_000_000_000_000_000 => {
                prop_assert_eq!(rated.reason(0), None);
                prop_assert_eq!(i128::from(rated.columns.charge_nano[0]), charge);
                prop_assert_eq!(rated.columns.billed[0], 60);
            }
            Ok(_) => prop_assert_eq!(rated.reason(0), Some(Reason::ChargeLimit)),
            Err(reason) => prop_assert_eq!(rated.reason(0), Some(reason)),
        }
    }
}
