//! A morning at an operator's: files that are missing, numbers that nobody owns, and what the screen says to type next.

use serde_json::{Value, json};

use crate::desk::{BAD_INPUT, DEVICES, DONE, Desk, NEEDS_HAND, WRONG_USE};
use crate::kpn::{self, Call};

const PROFILE: &str = include_str!("../../../config/profiles/kpn-sp16.toml");

/// A layout whose files are numbered, come daily, and may be empty.
fn numbered() -> String {
    let profile = PROFILE.replace("header = \"names\"", "header = \"names\"\nempty_file = \"heartbeat\"");
    format!("{profile}\n[sequence]\nname = \"sp16_*_{{n}}.csv\"\nlast = 99999\n\n[rhythm]\nevery_hours = 24\ngrace_hours = 6\n")
}

fn ingest(desk: &Desk, name: &str, content: String) -> crate::desk::Said {
    desk.write(name, content);
    desk.tollway(&["ingest", "--profile", "numbered.toml", "--account", "haven", "--provider", "kpn", name])
}

/// The lines of `today` of a kind.
fn today(desk: &Desk, kind: &str, more: &[&str]) -> Vec<Value> {
    let said = desk.tollway(&[&["today", "--output", "json"], more].concat());
    let items = said.json()["items"].as_array().expect("items").clone();
    items.into_iter().filter(|item| item["kind"] == kind).collect()
}

#[test]
fn a_missing_number_is_named_until_its_file_arrives_and_a_heartbeat_closes_it() {
    let desk = Desk::new();
    desk.write("numbered.toml", numbered());
    ingest(&desk, "in/sp16_a_00016.csv", kpn::good("a", 2)).ends(DONE);
    assert!(today(&desk, "gap", &[]).is_empty());
    ingest(&desk, "in/sp16_b_00019.csv", kpn::good("b", 1)).ends(DONE);
    let gaps = today(&desk, "gap", &[]);
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!((&gaps[0]["what"], &gaps[0]["urgent"]), (&json!("main/kpn/haven"), &json!(true)));
    assert_eq!(gaps[0]["text"], "files 00017 to 00018 are missing (2)");
    assert_eq!(gaps[0]["command"], "tollway ingest --profile kpn-sp16 --provider kpn --account haven FILE");
    desk.tollway(&["status"]).ends(NEEDS_HAND).says(&["files 00017 to 00018 are missing (2)", "ask the provider"]);

    ingest(&desk, "in/sp16_c_00017.csv", kpn::file(&[])).ends(DONE);
    desk.tollway(&["status"])
        .ends(NEEDS_HAND)
        .says(&["file 00018 is missing", "1 of them are heartbeats: whole files with 0 rows"]);
    ingest(&desk, "in/sp16_d_00018.csv", kpn::good("d", 1)).ends(DONE);
    desk.tollway(&["status"]).ends(DONE).says(&["all well"]);

    ingest(&desk, "in/sp16_e_00018.csv", kpn::good("e", 1)).ends(DONE);
    let twice = "number 00018 came twice with different content: sp16_d_00018.csv and sp16_e_00018.csv";
    desk.tollway(&["status"]).ends(NEEDS_HAND).says(&[twice]);
    assert_eq!(today(&desk, "number_twice", &[]).len(), 1);
    desk.holds(5, 0);
}

#[test]
fn files_that_say_their_number_in_the_trailer_are_missed_by_it_whatever_they_are_called() {
    let desk = Desk::new();
    desk.write("numbered.toml", format!("{PROFILE}\n[sequence]\nin = \"trailer\"\nfield = 3\nlast = 99999\n"));
    let with_number = |content: String, number: &str| format!("{};{number}\n", content.trim_end());
    ingest(&desk, "in/monday.csv", with_number(kpn::good("a", 2), "00016")).ends(DONE);
    assert!(today(&desk, "gap", &[]).is_empty());
    ingest(&desk, "in/wednesday.csv", with_number(kpn::good("b", 1), "00018")).ends(DONE);
    let gaps = today(&desk, "gap", &[]);
    assert_eq!((gaps.len(), &gaps[0]["text"]), (1, &json!("file 00017 is missing")), "{gaps:?}");
    desk.tollway(&["status"]).ends(NEEDS_HAND).says(&["file 00017 is missing"]);
    ingest(&desk, "in/tuesday.csv", with_number(kpn::good("c", 1), "00017")).ends(DONE);
    desk.tollway(&["status"]).ends(DONE).says(&["all well"]);

    ingest(&desk, "in/again.csv", with_number(kpn::good("d", 1), "00018")).ends(DONE);
    let twice = "number 00018 came twice with different content: wednesday.csv and again.csv";
    desk.tollway(&["status"]).ends(NEEDS_HAND).says(&[twice]);
    assert_eq!(today(&desk, "number_twice", &[]).len(), 1);
    desk.holds(5, 0);
}

#[test]
fn an_account_that_is_late_by_its_profile_and_a_cycle_that_has_ended_are_on_the_screen() {
    let desk = Desk::new();
    desk.write("numbered.toml", numbered());
    desk.tollway(&["today"]).ends(DONE).says(&["nothing needs a hand"]);
    ingest(&desk, "in/sp16_a_00016.csv", kpn::good("a", 2)).ends(DONE);
    assert!(today(&desk, "late", &[]).is_empty());
    let far = ["--at", "2126-01-01T08:00:00Z"];
    let late = today(&desk, "late", &far);
    assert_eq!((late.len(), &late[0]["what"]), (1, &json!("main/kpn/haven")), "{late:?}");
    assert!(late[0]["text"].as_str().is_some_and(|text| text.contains("its profile says every 24 hours")), "{late:?}");
    let due = today(&desk, "cycle_due", &far);
    assert_eq!(due.len(), 1, "{due:?}");
    assert_eq!(due[0]["command"], "tollway cycle close 2026-10 --dry-run");
    desk.tollway(&["totals", "--cycle", "2026-10", "--backup"]).ends(DONE);
    assert!(today(&desk, "cycle_due", &far).is_empty());
    desk.tollway(&["today", "--at", "yesterday"]).ends(WRONG_USE).says(&["--at", "write it with seconds and the offset"]);
}

#[test]
fn a_number_without_an_owner_is_listed_with_its_money_and_assigned_by_an_import() {
    let desk = Desk::new();
    let stranger = |id| Call { from: "0687654321", ..Call::new(id) };
    desk.write(
        "in/a.csv",
        kpn::file(&[Call::new("own"), stranger("s1"), stranger("s2"), Call { from: "0687000000", ..Call::new("s3") }]),
    );
    desk.ingest(&["in/a.csv"]).ends(NEEDS_HAND);
    let said = desk.tollway(&["unassigned"]).ends(NEEDS_HAND);
    said.says(&["2 numbers without an owner, 3 records, EUR 0.15 at risk", "msisdn 316•••••321", "kpn/haven", "nobody"]);
    let list = desk.tollway(&["unassigned", "--output", "json"]).json();
    let first = &list["unassigned"][0];
    assert_eq!(
        (&first["number"], &first["records"], &first["seconds"]),
        (&json!("316•••••321"), &json!(2), &json!(126)),
        "{list}"
    );
    assert_eq!(first["at_risk"], json!({"EUR": "0.100000000"}));
    let lines = today(&desk, "unassigned", &[]);
    assert_eq!((lines.len(), &lines[0]["facts"]["numbers"]), (1, &json!(2)), "{lines:?}");

    let assign = |more: &[&str]| desk.tollway(&[&["unassigned", "assign", "31687654321"], more].concat());
    let from = ["--from", "2026-01-01T00:00:00Z"];
    let whose = ["--customer", "C-1042", "--plan", "zakelijk-plus", "--subscription", "S-9"];
    assign(&[&["--customer", "C-104", "--plan", "zakelijk-plus", "--device", "D-9"], &from[..]].concat())
        .ends(BAD_INPUT)
        .says(&["no customer `C-104`", "did you mean C-1042?"]);
    assign(&[&["--customer", "C-1042", "--plan", "zakelijk-plus"], &from[..]].concat()).ends(WRONG_USE).says(&["--subscription"]);
    assign(&[&whose[..], &["--from", "1 October"]].concat())
        .ends(WRONG_USE)
        .says(&["--from", "write it with seconds and the offset"]);
    let done = assign(&[&whose[..], &from[..]].concat()).ends(DONE);
    done.says(&["msisdn 316•••••321 is C-1042's", "2 of 2 rows in suspense are rated now"]);
    desk.write("in/b.csv", kpn::file(&[stranger("s4")]));
    desk.ingest(&["in/b.csv"]).ends(DONE);
    let owner = desk.query("SELECT device, subscription, customer FROM cdr WHERE record_id = 's4'");
    assert_eq!(owner, json!([{"device": "S-9", "subscription": "S-9", "customer": "C-1042"}]));
    // The import is kept: what it says is no news to a devices file that says the same.
    desk.write("same.csv", DEVICES.replace("D-1,31619283746", "S-9,31687654321"));
    desk.tollway(&["import", "devices", "same.csv"]).ends(DONE).says(&["added 0, changed 0", "unchanged 1"]);
}

/// A contract of one price for each call to a Dutch number.
fn contract(price: &str) -> String {
    format!(
        "name = \"kpn-contract\"\ncurrency = \"EUR\"\ntime_zone = \"Europe/Amsterdam\"\nvalid_from = 2026-01-01\n\
         home_zone = \"HOME\"\ndefault_band = \"any\"\n\n[rounding]\nplaces = 6\nmode = \"half_up\"\n\n\
         [destinations.prefixes]\n31 = \"NL\"\n\n[networks.zones]\n204 = \"HOME\"\n\n[[plan]]\nname = \"buy:kpn:haven\"\n\n\
         [[price]]\nplan = \"buy:kpn:haven\"\nkind = \"voice-mo\"\nzone = \"NL\"\nsetup = \"{price}\"\nunit_price = \"0\"\n"
    )
}

#[test]
fn a_provider_that_charges_more_than_its_contract_says_is_found_out() {
    let desk = Desk::new();
    desk.write("in/a.csv", kpn::good("a", 3));
    desk.ingest(&["in/a.csv"]).ends(DONE);
    desk.tollway(&["margin", "--buy"]).ends(BAD_INPUT).says(&["no contract", "`buy:PROVIDER:ACCOUNT`"]);
    assert!(today(&desk, "provider_differences", &[]).is_empty());

    desk.write("contract.toml", contract("0.05"));
    desk.tollway(&["import", "tariffs", "contract.toml"]).ends(DONE);
    desk.tollway(&["margin", "--buy"]).ends(DONE).says(&["0 of 3 records cost something else"]);

    desk.write("contract.toml", contract("0.04"));
    desk.tollway(&["import", "tariffs", "contract.toml"]).ends(DONE);
    let said = desk.tollway(&["margin", "--buy", "--cycle", "2026-10", "--output", "json"]).ends(NEEDS_HAND).json();
    let expected = json!({
        "account": "kpn/haven", "zone": "NL", "class": "", "currency": "EUR", "records": 3, "cost": "0.150000000",
        "expected": "0.120000000", "too_much": "0.030000000", "no_price": null,
    });
    assert_eq!((&said["compared"], &said["differences"]), (&json!(3), &json!([expected])), "{said}");
    desk.tollway(&["margin", "--buy", "--cycle", "2026-09"]).ends(DONE).says(&["0 of 0 records"]);
    desk.tollway(&["margin", "--buy"]).ends(NEEDS_HAND).says(&["3 of 3 records cost something else than the contract says"]);
    let lines = today(&desk, "provider_differences", &["--at", "2026-10-20T08:00:00Z"]);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["facts"], json!({"records": 3, "too_much": {"EUR": "0.030000000"}}));

    // What the contract has no price for is told, and not taken for free.
    desk.write("contract.toml", contract("0.05").replace("31 = \"NL\"", "49 = \"NL\""));
    desk.tollway(&["import", "tariffs", "contract.toml"]).ends(DONE);
    let said = desk.tollway(&["margin", "--buy", "--output", "json"]).ends(NEEDS_HAND).json();
    assert_eq!(
        (&said["differences"][0]["no_price"], &said["differences"][0]["expected"]),
        (&json!("no_zone"), &json!(null)),
        "{said}"
    );
    desk.holds(3, 0);
}
