//! Rows that are wrong: each is kept with its reason, file, line and field; its neighbours are rated.

use serde_json::{Value, json};

use crate::desk::{DONE, Desk, NEEDS_HAND, Said};
use crate::kpn::{self, Call};

/// Ingests `bad` between two good rows and asserts that it alone is in suspense, for this reason and field, with what to
/// do; then that the corrected row is rated when the file comes again.
fn suspended_between_good_ones(bad: &Call<'_>, corrected: &Call<'_>, reason: &str, field: &str, remedy: &str) {
    let desk = Desk::new();
    let (before, after) = (Call::new("before"), Call::new("after"));
    desk.write("in/bad.csv", kpn::file(&[before.clone(), bad.clone(), after.clone()]));
    let checked = desk.tollway(&["profile", "check", "kpn-sp16", "in/bad.csv"]).ends(NEEDS_HAND);
    checked.says(&["in/bad.csv", "line 3", reason, field, remedy]);
    let said = desk.ingest(&["in/bad.csv", "--output", "json"]).ends(NEEDS_HAND).json();
    assert_eq!((&said["rated"], &said["suspense"]), (&2.into(), &json!({ reason: 1 })), "{said}");
    desk.tollway(&["suspense", "list"]).ends(NEEDS_HAND).says(&[reason, remedy]);
    desk.tollway(&["suspense", "show", reason]).ends(DONE).says(&["in/bad.csv", field, remedy]);
    let row = desk.suspended(reason);
    let place = (row["file"].as_str(), row["line"].as_u64(), row["field"].as_str());
    assert_eq!(place, (Some("in/bad.csv"), Some(3), Some(field)), "{row}");
    desk.holds(2, 1);
    desk.write("in/corrected.csv", kpn::file(&[before, corrected.clone(), after]));
    let said = desk.ingest(&["in/corrected.csv", "--output", "json"]).ends(DONE).json();
    assert_eq!((&said["rated"], &said["resent"], &said["suspense"]), (&1.into(), &2.into(), &json!({})), "{said}");
    desk.holds(3, 1);
}

#[test]
fn impossible_dates_and_times_wait_with_their_column() {
    let remedy = "the source has written an impossible time";
    let good = Call::new("bad");
    for date in ["31-02-2026", "29-02-2026", "01-13-2026", "00-10-2026", "01-10-0000", "2026-10-01"] {
        suspended_between_good_ones(&Call { date, ..good.clone() }, &good, "malformed.time", "DATUM", remedy);
    }
    for time in ["24:00:00", "12:60:00", "12:00"] {
        suspended_between_good_ones(&Call { time, ..good.clone() }, &good, "malformed.time", "TIJD", remedy);
    }
}

#[test]
fn a_local_time_that_spring_skips_waits() {
    let skipped = Call { date: "29-03-2026", time: "02:30:00", ..Call::new("bad") };
    let corrected = Call { time: "03:30:00", ..skipped.clone() };
    let remedy = "this local time does not exist in the profile's zone";
    suspended_between_good_ones(&skipped, &corrected, "malformed.time_gap", "TIJD", remedy);
}

#[test]
fn a_local_time_that_autumn_repeats_is_rated_and_flagged() {
    let desk = Desk::new();
    let night = |id, time| Call { date: "25-10-2026", time, ..Call::new(id) };
    desk.write("in/night.csv", kpn::file(&[night("1", "01:59:59"), night("2", "02:30:00"), night("3", "03:00:00")]));
    let checked = desk.tollway(&["profile", "check", "kpn-sp16", "in/night.csv"]).ends(DONE);
    checked
        .says(&["1 rows have a local time that the autumn change repeats; the first was taken", "the first of two such times"]);
    desk.ingest(&["in/night.csv"]).ends(DONE);
    let rows = desk.query("SELECT row, start, time_flag FROM cdr ORDER BY row");
    assert_eq!(
        starts(&rows),
        [("2026-10-24T23:59:59Z", None), ("2026-10-25T00:30:00Z", Some("repeated")), ("2026-10-25T02:00:00Z", None)]
    );
    desk.holds(3, 0);
}

fn starts(rows: &Value) -> Vec<(&str, Option<&str>)> {
    let all = rows.as_array().expect("rows").iter();
    all.map(|row| (row["start"].as_str().expect("a start"), row["time_flag"].as_str())).collect()
}

#[test]
fn with_an_offset_both_hours_of_the_night_are_told_apart_and_none_is_missing() {
    let desk = Desk::new();
    let times = ["2026-10-25T02:30:00.0+02:00", "2026-10-25T02:30:00.0+01:00", "2026-03-29T02:30:00.0+01:00"];
    let mut text = String::from("Type,Direction,CallingNumber,CalledNumber,StartTime,Duration,BytesUp,BytesDown,Network,Costs\n");
    for time in times {
        let row =
            format!("\"Voice\",\"Originating\",\"0619283746\",\"0201234567\",\"{time}\",\"63\",\"\",\"\",\"20408\",\"0.05\"\n");
        text.push_str(&row);
    }
    desk.write("in/night.csv", text);
    desk.tollway(&["ingest", "--profile", "routit", "--account", "haven", "in/night.csv"]).ends(DONE);
    let rows = desk.query("SELECT row, start, time_flag FROM cdr ORDER BY row");
    let expected = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-03-29T01:30:00Z"];
    assert_eq!(starts(&rows), expected.map(|start| (start, None)));
    desk.holds(3, 0);
}

#[test]
fn negative_and_absurd_durations_wait_with_their_column() {
    let good = Call::new("bad");
    for seconds in ["-5", "999999999999", "99999999999999999999999", "1e3", "0x10", "1.5"] {
        let remedy = "raise `max_s` in the profile if the source is right";
        suspended_between_good_ones(&Call { seconds, ..good.clone() }, &good, "malformed.duration", "DUUR", remedy);
    }
}

#[test]
fn a_number_that_is_none_waits_with_its_column() {
    let good = Call::new("bad");
    for from in ["06123", "06-12345678x", "+"] {
        let remedy = "extend the profile's number rules if the source is right";
        suspended_between_good_ones(&Call { from, ..good.clone() }, &good, "malformed.number", "MSISDN", remedy);
    }
}

#[test]
fn an_unknown_number_waits_until_its_window_is_imported() {
    let desk = Desk::new();
    let stranger = |id| Call { from: "0687654321", ..Call::new(id) };
    desk.write("in/a.csv", kpn::file(&[Call::new("a-1"), stranger("a-2"), Call::new("a-3")]));
    desk.ingest(&["in/a.csv"]).ends(NEEDS_HAND).says(&["1 of 3 rows are in suspense"]);
    let shown = desk.tollway(&["suspense", "show", "no_device"]).ends(DONE);
    shown.says(&["in/a.csv", "316•••••321", "tollway import devices", "068••••321"]);
    let row = desk.suspended("no_device");
    assert_eq!((row["file"].as_str(), row["line"].as_u64()), (Some("in/a.csv"), Some(3)), "{row}");
    desk.tollway(&["suspense", "list"]).ends(NEEDS_HAND).says(&["no_device", "EUR 0.05"]);
    desk.holds(2, 1);
    let device = "device_id,msisdn,customer_id,plan_id,valid_from\nD-2,31687654321,C-7,zakelijk-plus,2026-01-01T00:00:00Z\n";
    desk.write("more.csv", device);
    desk.tollway(&["import", "devices", "more.csv"]).ends(DONE).says(&["1 of 1 rows in suspense are rated now"]);
    desk.holds(3, 0);
    desk.write("in/b.csv", kpn::file(&[stranger("b-1")]));
    desk.ingest(&["in/b.csv"]).ends(DONE);
    desk.holds(4, 0);
}

/// A tariff that sells calls but no messages.
const CALLS_ONLY: &str = r#"
name = "small"
currency = "EUR"
time_zone = "Europe/Amsterdam"
valid_from = 2020-01-01
home_zone = "NL"
default_band = "any"

[rounding]
places = 6
mode = "half_up"

[destinations.prefixes]
31 = "NL"

[networks.zones]
204 = "NL"

[[plan]]
name = "small"

[[price]]
plan = "small"
kind = "voice-mo"
zone = "NL"
unit_price = "0.001"
"#;

#[test]
fn usage_that_the_tariff_has_no_price_for_waits_until_it_has() {
    let desk = Desk::bare();
    desk.write("devices.csv", crate::desk::DEVICES.replace("zakelijk-plus", "small"));
    desk.write("small.toml", CALLS_ONLY);
    desk.tollway(&["import", "devices", "devices.csv"]).ends(DONE);
    desk.tollway(&["import", "tariffs", "small.toml"]).ends(DONE);
    let message = |id| Call { kind: "SMS", seconds: "", ..Call::new(id) };
    desk.write("in/a.csv", kpn::file(&[Call::new("a-1"), message("a-2"), Call::new("a-3")]));
    desk.ingest(&["in/a.csv"]).ends(NEEDS_HAND).says(&["1 of 3 rows are in suspense"]);
    desk.tollway(&["suspense", "show", "no_price"]).ends(DONE).says(&["in/a.csv", "sms-mo", "add the price to the tariff"]);
    assert_eq!(desk.suspended("no_price")["line"].as_u64(), Some(3));
    desk.holds(2, 1);
    let price = "\n[[price]]\nplan = \"small\"\nkind = \"sms-mo\"\nzone = \"NL\"\nunit_price = \"0.05\"\n";
    desk.write("small.toml", format!("{CALLS_ONLY}{price}"));
    desk.tollway(&["import", "tariffs", "small.toml", "--no-recycle"]).ends(DONE).says(&["1 rows wait in suspense"]);
    desk.write("in/b.csv", kpn::file(&[message("b-1")]));
    desk.ingest(&["in/b.csv"]).ends(DONE);
    desk.holds(3, 1);
}

#[test]
fn no_log_line_of_any_level_shows_a_number() {
    let desk = Desk::new();
    let broken = [Call::new("a"), Call { date: "31-02-2026", ..Call::new("b") }, Call { seconds: "-1", ..Call::new("c") }];
    desk.write("in/a.csv", kpn::file(&broken));
    let ingest = [&crate::desk::INGEST[..], &["in/a.csv"]].concat();
    let mut all = Vec::new();
    for words in [&ingest[..], &["import", "devices", "devices.csv"], &["suspense", "list"]] {
        let output = desk.command(words).env("TOLLWAY_LOG", "trace").output().expect("it starts");
        // What was said is searched for the subscriber's number when it is taken.
        all.push(Said::of(words, &output));
    }
    assert!(format!("{all:?}").contains("DEBUG"), "the lowest levels were on: {all:?}");
    desk.holds(1, 2);
}
