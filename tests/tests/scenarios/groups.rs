//! Closed user groups on the real program: calls within a group have its price from the instant on at which both lines are in it, and
//! follow when groups change.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::data_folder::DataFolder;
use crate::support::small::{HEADER, asked, tariff, write};

/// Two lines of each of two customers.
const DEVICES: &str = "device_id,msisdn,customer_id,plan_id,valid_from,valid_to\nD-1,31612340001,C-1,flat,2026-01-01T00:00:00Z,\n\
    D-2,31612340002,C-1,flat,2026-01-01T00:00:00Z,\nD-3,31612340003,C-2,flat,2026-01-01T00:00:00Z,\n\
    D-4,31612340004,C-2,flat,2026-01-01T00:00:00Z,\n";

/// A line of each customer; the second one joins on the 14th of November at noon.
const GROUPS: &str =
    "group_id,subscription_id,valid_from,valid_to\nG-1,D-1,2026-01-01T00:00:00Z,\nG-1,D-3,2026-11-14T11:00:00Z,\n";

/// Twelve cents a minute, six within the group.
fn within(rule: &str) -> String {
    format!("{}\n{rule}plan = \"flat\"\nkind = \"voice-mo\"\nzone = \"NL\"\nparty = \"group\"\n", tariff(false))
}

/// A minute from line to line at an hour of the 14th of November.
fn call(id: &str, from: u32, to: &str, hour: u32) -> String {
    format!("{id},voice,+3161234000{from},{to},2026-11-14T{hour}:00:00+01:00,60,,,MO,20408,0.10\n")
}

fn calls() -> String {
    let ours = |line: u32| format!("+3161234000{line}");
    let rows = [
        call("a-before", 1, &ours(3), 10),
        call("b-after", 1, &ours(3), 15),
        call("c-back", 3, &ours(1), 15),
        call("d-colleague", 1, &ours(2), 15),
        call("e-outside", 1, &ours(4), 15),
        call("f-stranger", 1, "+31201234567", 15),
        call("g-evening", 2, &ours(1), 20),
    ];
    HEADER.to_owned() + &rows.concat()
}

fn installed(home: &Path, tariff: &str) -> DataFolder {
    let data = DataFolder::new();
    data.ok(&["import", "tariffs", &write(home, "small.toml", tariff)]);
    data.ok(&["import", "devices", &write(home, "devices.csv", DEVICES)]);
    data
}

/// Who the other party of each call is and what it costs, in the order of their names.
fn found(data: &DataFolder) -> Vec<[String; 3]> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or("-").to_owned();
    let rows = data.query("select record_id, party, charge from cdr order by record_id");
    rows.iter().map(|row| [text(row, "record_id"), text(row, "party"), text(row, "charge").replace("0000000", "")]).collect()
}

fn expected(rows: &[(&str, &str, &str); 7]) -> Vec<[String; 3]> {
    rows.iter().map(|(id, party, charge)| [*id, *party, *charge].map(str::to_owned)).collect()
}

/// *Scenario.* Lines of two customers call each other before and after one of them joins the group of the other, and lines outside of it;
/// then the list of the group is corrected, and then a full list leaves a line out. *Guarantees.* A call has the group's price if both
/// lines are in it at its start; an import changes no charge by itself, and says what would; rated again, the calls have the prices of the
/// corrected group.
#[test]
fn calls_within_a_group_have_its_price_and_follow_when_it_changes() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), &(within("[[price]]\n") + "unit_price = \"0.06\"\n"));
    let list = write(home.path(), "groups.csv", GROUPS);
    let planned = data.ok(&["import", "groups", &list, "--dry-run"]);
    assert!(planned.contains("dry run, nothing was changed") && planned.contains("memberships added 2"), "{planned}");
    data.ok(&["import", "groups", &list]);
    data.ok(&["ingest", "--profile", "job", "--account", "haven", &write(home.path(), "a.csv", &calls())]);
    let at_first = [
        ("a-before", "own_network", "0.12"),
        ("b-after", "group", "0.06"),
        ("c-back", "group", "0.06"),
        ("d-colleague", "own_customer", "0.12"),
        ("e-outside", "own_network", "0.12"),
        ("f-stranger", "other", "0.12"),
        ("g-evening", "own_customer", "0.12"),
    ];
    assert_eq!(found(&data), expected(&at_first));

    let corrected = GROUPS.replace("2026-11-14T11", "2026-11-14T08") + "G-1,D-2,2026-01-01T00:00:00Z,\n";
    let told = data.ok(&["import", "groups", &write(home.path(), "groups.csv", &corrected)]);
    assert!(told.contains("tollway rerate --cycle all --dry-run"), "{told}");
    assert_eq!(found(&data), expected(&at_first), "what has a price keeps it");
    let (code, done) = asked(&data, &["rerate", "--cycle", "all"]);
    assert_eq!((code, &done["posted"]["records"]), (Some(0), &json!(3)), "{done:#}");
    let mut then = at_first;
    (then[0], then[3], then[6]) =
        (("a-before", "group", "0.06"), ("d-colleague", "group_customer", "0.06"), ("g-evening", "group_customer", "0.06"));
    assert_eq!(found(&data), expected(&then));

    let listed = write(home.path(), "all.csv", &GROUPS.replace("2026-11-14T11", "2026-11-14T08"));
    let full = ["import", "groups", &listed, "--mode", "full", "--as-of", "2026-11-14T18:00:00+01:00"];
    let refused = data.run(&full);
    assert!(refused.code == Some(5) && refused.out.contains("would end 1 of 3 memberships"), "{} {}", refused.out, refused.err);
    data.ok(&[&full[..], &["--approve", "she has left", "--by", "jan"]].concat());
    assert_eq!(asked(&data, &["rerate", "--cycle", "all"]).1["posted"]["records"], json!(1));
    then[6] = at_first[6];
    assert_eq!(found(&data), expected(&then), "before the instant of the list the group is as it was");
    let sum = data.query("select sum(charge) as charge from totals");
    assert_eq!(sum, [json!({"charge": "0.600000000"})]);
    assert_eq!(data.json(&["check"])["wrong"], 0);
}

/// *Scenario.* A plan gives two free minutes within the group; the group is told after the calls, and corrected. *Guarantees.* Each
/// time the calls draw as if it had been so from the beginning, without a further command.
#[test]
fn what_is_free_within_a_group_follows_the_group() {
    let home = TempDir::new().expect("a temporary folder");
    let data = installed(home.path(), &(within("[[allowance]]\nname = \"us\"\n") + "units = 120\nincrement = 60\n"));
    data.ok(&["ingest", "--profile", "job", "--account", "haven", &write(home.path(), "a.csv", &calls())]);
    let free = |data: &DataFolder| -> Vec<String> {
        let rows = data.query("select record_id from cdr where charge = 0 order by record_id");
        rows.iter().map(|row| row["record_id"].as_str().expect("a text").to_owned()).collect()
    };
    assert!(free(&data).is_empty(), "nobody is in a group");
    data.ok(&["import", "groups", &write(home.path(), "groups.csv", GROUPS)]);
    assert_eq!(free(&data), ["b-after", "c-back"]);
    data.ok(&["import", "groups", &write(home.path(), "groups.csv", &(GROUPS.to_owned() + "G-2,D-3,2026-11-14T12:00:00Z,\n"))]);
    assert!(free(&data).is_empty(), "from one o'clock on the line is in another group");
    assert_eq!(data.json(&["check"])["wrong"], 0);
}

/// *Scenario.* The price of a call is asked for from the command line, by who the other party would be. *Guarantees.* The words of the
/// column `party` are understood, and the price of the group holds for both that are of it.
#[test]
fn a_price_within_the_group_can_be_asked_for() {
    let home = TempDir::new().expect("a temporary folder");
    let data = DataFolder::new();
    let priced = write(home.path(), "small.toml", &(within("[[price]]\n") + "unit_price = \"0.06\"\n"));
    let ask = |party: &str| {
        let call = ["rate", "--plan", "flat", "--to", "+31612340003", "--start", "2026-11-14T10:00:00+01:00", "--seconds", "60"];
        data.run(&[&call[..], &["--party", party, "--tariff", &priced, "--output", "json"]].concat())
    };
    for (party, charge) in [("group", "0.06"), ("group_customer", "0.06"), ("own_customer", "0.12"), ("other", "0.12")] {
        let answer: Value = serde_json::from_str(&ask(party).out).unwrap_or_else(|e| panic!("{party}: {e}"));
        assert_eq!(answer["charge"], json!(charge), "{party}: {answer:#}");
    }
    let refused = ask("family");
    assert!(refused.err.contains("write group_customer, group, own_customer, own_network or other"), "{}", refused.err);
}
