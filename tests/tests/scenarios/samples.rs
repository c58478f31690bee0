//! Real-shaped records of others, through the shipped profiles, sample devices and sample tariff.

use serde_json::{Value, json};

use crate::support::data_folder::DataFolder;
use crate::support::place;

/// A data folder with the shipped sample customers, plans, devices and tariff.
fn with_samples() -> DataFolder {
    let data = DataFolder::new();
    data.ok(&["import", "tariffs", "samples"]);
    for what in ["customers", "plans", "devices"] {
        let file = place::checkout().join("config/samples").join(what).with_extension("csv");
        data.ok(&["import", what, &file.to_string_lossy()]);
    }
    data
}

/// Kind, records, seconds and charge of what is rated.
fn by_kind(data: &DataFolder, account: &str) -> Vec<(String, u64, u64, String)> {
    let sql = format!(
        "SELECT kind, sum(rows) AS n, sum(duration_s) AS seconds, sum(charge) AS charge FROM cdr \
         WHERE outcome = 'rated' AND account = '{account}' GROUP BY kind ORDER BY kind"
    );
    let row = |row: &Value| {
        let (number, text) =
            (|name: &str| row[name].as_u64().expect("a count"), |name: &str| row[name].as_str().expect("a text"));
        (text("kind").to_owned(), number("n"), number("seconds"), text("charge").to_owned())
    };
    data.query(&sql).iter().map(row).collect()
}

/// *Scenario.* A telephone exchange's `Master.csv`: 45 rows, 27 of them answered; then the same calls without the rows of
/// parallel ringing, under another account and under the same. *Guarantees.* Unanswered rows are skipped by rule; the 27
/// answered calls of 7,408 seconds cost EUR 2.496: each at least half a minute, then in steps of six seconds, at EUR 0.02 per
/// minute. The bytes of the second file are held when they come under the first one's account; taken as new they cost nothing,
/// because all their answered calls are known there.
#[test]
fn samples_of_a_telephone_exchange() {
    let Some(samples) = place::samples() else { return };
    let data = with_samples();
    let ingest = |account: &str, name: &str, options: &[&str]| {
        let file = samples.join("asterisk").join(name).to_string_lossy().into_owned();
        let words = ["ingest", "--profile", "asterisk-cdr-csv", "--account", account, &file, "--output", "json"];
        let ended = data.run(&[&words[..], options].concat());
        (ended.code, serde_json::from_str::<Value>(&ended.out).expect("a summary in JSON"))
    };
    let expected = |rows_in: u64, skipped: u64| {
        [
            ("rows_in", json!(rows_in)),
            ("rated", json!(27)),
            ("duplicates", json!(0)),
            ("suspense", json!({})),
            ("skipped", json!(skipped)),
            ("skipped_by_rule", json!({"unanswered": skipped})),
            ("charge", json!({"EUR": "2.496000000"})),
        ]
    };
    for (account, name, rows_in, skipped) in [("office", "small.csv", 45, 18), ("archive", "small-without-parallel.csv", 34, 7)] {
        let (code, said) = ingest(account, name, &[]);
        assert_eq!(code, Some(0), "{said:#}");
        for (key, value) in expected(rows_in, skipped) {
            assert_eq!(said[key], value, "{name}: {key}");
        }
        assert_eq!(by_kind(&data, account), [("voice-mo".to_owned(), 27, 7_408, "2.496000000".to_owned())]);
    }
    let (code, held) = ingest("office", "small-without-parallel.csv", &[]);
    assert_eq!((code, &held["files"]["held"], &held["rows_in"]), (Some(1), &json!(1), &json!(0)), "{held:#}");
    let (code, again) = ingest("office", "small-without-parallel.csv", &["--as-new"]);
    assert_eq!(
        (code, &again["rows_in"], &again["rated"], &again["skipped"]),
        (Some(0), &json!(34), &json!(0), &json!(7)),
        "{again:#}"
    );
    assert_eq!((&again["duplicates"], &again["resent"]), (&json!(27), &json!(27)), "{again:#}");
    assert_eq!(by_kind(&data, "office"), [("voice-mo".to_owned(), 27, 7_408, "2.496000000".to_owned())]);
    data.assert_sound();
}

/// *Scenario.* 314 calls and texts of one mobile subscriber, whose texts have an empty duration. *Guarantees.* All are rated:
/// 104 outgoing at EUR 158.336 (73 texts at EUR 0.05; 31 calls of 103,124 seconds at EUR 0.09 per minute, charged per second),
/// 210 incoming at nothing; the 266,797 seconds are all there, and the totals say the same.
#[test]
fn samples_of_a_mobile_subscriber() {
    let Some(samples) = place::samples() else { return };
    let data = with_samples();
    let file = samples.join("mobile-metadata/ego.csv");
    let said = data.json(&["ingest", "--profile", "mobile-metadata", "--account", "ego", &file.to_string_lossy()]);
    let expected = [
        ("rows_in", json!(314)),
        ("rated", json!(314)),
        ("suspense", json!({})),
        ("duplicates", json!(0)),
        ("skipped", json!(0)),
        ("charge", json!({"EUR": "158.336000000"})),
    ];
    for (key, value) in expected {
        assert_eq!(said[key], value, "{key}");
    }
    let kinds = by_kind(&data, "ego");
    let row = |kind: &str, n: u64, seconds: u64, charge: &str| (kind.to_owned(), n, seconds, charge.to_owned());
    assert_eq!(
        kinds,
        [
            row("sms-mo", 73, 0, "3.650000000"),
            row("sms-mt", 166, 0, "0.000000000"),
            row("voice-mo", 31, 103_124, "154.686000000"),
            row("voice-mt", 44, 163_673, "0.000000000"),
        ]
    );
    let totals = data.json(&["totals", "--by", "customer"]);
    let of_all = &totals["totals"][0];
    assert_eq!((&of_all["customer"], &of_all["count"]), (&json!("sample-subscriber"), &json!(314)), "{totals:#}");
    assert_eq!((&of_all["seconds"], &of_all["charge"]), (&json!(266_797), &json!("158.336000000")), "{totals:#}");
    data.assert_sound();
}
