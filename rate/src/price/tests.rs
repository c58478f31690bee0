//! What a priced batch carries beside the charge: codes, periods, and nothing lost.

use std::sync::Arc;

use domain::columns::linked::NO_OWNER;
use domain::columns::rated::{NONE, ZoneBy};
use domain::number::{Network, Number};
use domain::outcome::Reason;
use domain::period::Month;
use domain::usage::Usage;

use super::price;
use crate::tariff::set::TariffSet;
use crate::tests::fixture::{Row, batch, linked, owners, read, repository, set_of, utc};
use domain::columns::rated::NO_PERIOD;

fn business() -> Arc<TariffSet> {
    set_of(&read(&repository("config/tariffs/nl-zakelijk.toml")))
}

#[test]
fn a_rated_row_carries_the_codes_of_its_derivation() {
    let tariffs = business();
    let owners = owners(&["zakelijk-plus"], 1);
    let rated = price(linked(batch(vec![Row::default()], &[]), &owners, vec![0]), &tariffs.bind(&owners));
    let (columns, labels) = (&rated.columns, &rated.labels);
    assert_eq!(rated.reason(0), None);
    assert_eq!(&labels.tariffs[usize::from(columns.tariff[0])].id, tariffs.tariffs()[0].id());
    assert_eq!(labels.zones.name(columns.zone[0].into()), "NL-MOB");
    assert_eq!(labels.bands.name(columns.band[0].into()), "peak");
    assert_eq!(columns.zone_by[0], ZoneBy::Prefix as u8);
    let deck = &tariffs.tariffs()[0].deck.rules[columns.zone_row[0] as usize];
    assert_eq!(&*deck.key, "3161");
    let row = &tariffs.tariffs()[0].prices.rows[columns.price_row[0] as usize];
    assert_eq!((row.plans[0].as_str(), row.zones[0].as_str()), ("zakelijk-plus", "NL-MOB"));
    assert_eq!(columns.charge_nano[0], 100_000_000);
}

#[test]
fn rows_in_suspense_keep_what_was_found_and_say_none_for_the_rest() {
    let tariffs = business();
    let owners = owners(&["m2m"], 1);
    let rows = vec![Row::default(), Row { b_number: Number::e164(99_912_345_678, 11), ..Row::default() }, Row::default()];
    let rated = price(linked(batch(rows, &[]), &owners, vec![0, 0, NO_OWNER]), &tariffs.bind(&owners));
    let columns = &rated.columns;
    let reasons: Vec<Option<Reason>> = (0..3).map(|i| rated.reason(i)).collect();
    assert_eq!(reasons, [Some(Reason::NoPrice), Some(Reason::NoZone), Some(Reason::NoDevice)]);
    assert_eq!(rated.labels.zones.name(columns.zone[0].into()), "NL-MOB");
    assert_eq!(columns.zone[1..], [u16::MAX, u16::MAX]);
    assert_eq!(columns.zone_by, [ZoneBy::Prefix as u8, ZoneBy::None as u8, ZoneBy::None as u8]);
    assert_eq!(columns.zone_row[1..], [NONE, NONE]);
    assert_eq!(columns.tariff, [0, 0, u16::MAX]);
    assert_eq!(columns.band[2], u8::MAX);
    assert_eq!(columns.price_row, [NONE; 3]);
    assert_eq!(columns.charge_nano, [0; 3]);
    assert_eq!(columns.period[0], Month::parse("2026-10").expect("a month").number());
    assert_eq!(columns.period[2], NO_PERIOD);
}

#[test]
fn the_period_is_the_customers_cycle_by_its_own_clock() {
    let tariffs = business();
    let owners = owners(&["zakelijk-plus"], 15);
    let starts = ["2026-10-14T21:59:59", "2026-10-14T22:00:00", "2026-11-14T22:59:59", "2026-11-14T23:00:00"];
    let rows = starts.map(|start| Row { start_us: utc(start), ..Row::default() });
    let rated = price(linked(batch(rows.into(), &[]), &owners, vec![0; 4]), &tariffs.bind(&owners));
    let months: Vec<String> = rated.columns.period.iter().map(|m| Month::from_number(*m).to_string()).collect();
    assert_eq!(months, ["2026-09", "2026-10", "2026-10", "2026-11"]);
}

#[test]
fn a_batch_of_another_reference_version_is_matched_by_plan_name() {
    let tariffs = business();
    let bound = tariffs.bind(&owners(&["vast", "zakelijk-plus"], 1));
    let newer = owners(&["m2m", "zakelijk-basis", "zakelijk-plus"], 1);
    let rated = price(linked(batch(vec![Row::default()], &[]), &newer, vec![2]), &bound);
    assert_eq!(rated.columns.charge_nano, [100_000_000]);
}

#[test]
fn classes_are_those_of_the_batch_and_columns_may_be_absent() {
    let tariffs = business();
    let owners = owners(&["zakelijk-plus"], 1);
    let row = |class| Row { class, network: Network::mccmnc(20_408, 5), ..Row::default() };
    let mut parsed = batch(vec![row(0), row(1), row(2), row(3)], &["UNHEARD", "N_VAST"]);
    let charges = |parsed| price(linked(parsed, &owners, vec![0; 4]), &tariffs.bind(&owners)).columns.charge_nano;
    // A code beyond the batch's list of classes is no class.
    assert_eq!(charges(parsed.clone()), [100_000_000, 100_000_000, 80_000_000, 100_000_000]);
    for column in [&mut parsed.columns.imsi, &mut parsed.columns.iccid] {
        column.clear();
    }
    parsed.columns.class.clear();
    parsed.columns.network.clear();
    parsed.columns.messages.clear();
    parsed.columns.cost_nano.clear();
    parsed.columns.bytes_up.clear();
    parsed.columns.bytes_down.clear();
    assert_eq!(charges(parsed), [100_000_000; 4]);
}

#[test]
fn a_cost_in_another_currency_waits_for_a_rate() {
    let samples = std::fs::read_to_string(repository("config/tariffs/nl-zakelijk.toml")).expect("the tariff");
    let mut source = read(&repository("config/tariffs/nl-zakelijk.toml"));
    source.toml = samples.replace("\"EUR\"", "\"USD\"");
    let tariffs = set_of(&source);
    let owners = owners(&["zakelijk-inkoop"], 1);
    let parsed = batch(vec![Row { cost_nano: 37_000_000, ..Row::default() }], &[]);
    let rated = price(linked(parsed, &owners, vec![0]), &tariffs.bind(&owners));
    assert_eq!(rated.reason(0), Some(Reason::NoRate));
}

#[test]
fn absurd_volumes_end_in_suspense_and_not_in_a_panic() {
    let tariffs = business();
    let owners = owners(&["zakelijk-plus"], 1);
    let data = Usage::parse("data").expect("a kind");
    let row = |bytes| Row { usage: data, bytes, start_us: utc("2026-10-14T10:00:00"), ..Row::default() };
    let mut rows: Vec<Row> = [(i64::MAX, 1), (-1, 5), (i64::MAX, 0)].map(row).into();
    rows.push(Row { start_us: i64::MAX, ..Row::default() });
    rows.push(Row { start_us: i64::MIN, ..Row::default() });
    let rated = price(linked(batch(rows, &[]), &owners, vec![0; 5]), &tariffs.bind(&owners));
    let reasons: Vec<Option<Reason>> = (0..5).map(|i| rated.reason(i)).collect();
    let limit = Some(Reason::ChargeLimit);
    assert_eq!(reasons, [limit, limit, limit, Some(Reason::NoTariff), Some(Reason::NoTariff)]);
}
