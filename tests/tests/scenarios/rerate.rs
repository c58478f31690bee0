//! What has a price, rated again on the real program: the difference to the cent, posted once, killed in the middle, taken back;
//! and a draft of a tariff beside the month.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::data_folder::DataFolder;
use crate::support::month::Month;
use crate::support::small::{DEVICES, HEADER, asked, kill_in_the_middle, tariff, write};

/// The number of [`DEVICES`], but from the 14th of November at noon it is of `C-2`: somebody forgot to say so in time.
const MOVED: &str = "device_id,msisdn,customer_id,plan_id,valid_from,valid_to\n\
    D-1,31612340001,C-1,flat,2026-01-01T00:00:00Z,2026-11-14T11:00:00Z\nD-2,31612340001,C-2,flat,2026-11-14T11:00:00Z,\n";

/// Ten minutes within the Netherlands and three to Germany, half of each in the morning of the 14th of November, the others in the
/// afternoon.
fn file() -> String {
    let row = |id: u32| {
        let (to, hour) = (if id < 10 { "+31201234567" } else { "+4930123456" }, if id.is_multiple_of(2) { 10 } else { 15 });
        format!("r-{id},voice,+31612340001,{to},2026-11-14T{hour}:00:00+01:00,60,,,MO,20408,0.10\n")
    };
    HEADER.to_owned() + &(0..13).map(row).collect::<String>()
}

/// A data folder with the file rated: ten at 0.12, three at 0.30.
fn rated(home: &Path) -> DataFolder {
    let data = DataFolder::new();
    data.ok(&["import", "tariffs", &write(home, "small.toml", &tariff(true))]);
    data.ok(&["import", "devices", &write(home, "devices.csv", DEVICES)]);
    data.ok(&["ingest", "--profile", "job", "--account", "haven", &write(home, "a.csv", &file())]);
    data
}

/// What customers are charged, by SQL over a table.
fn charged(data: &DataFolder, table: &str) -> Vec<Value> {
    data.query(&format!("select customer, sum(charge) as charge from {table} where customer is not null group by 1 order by 1"))
}

fn customer(name: &str, charge: &str) -> Value {
    json!({"customer": name, "charge": charge})
}

/// *Scenario.* A price is corrected after the month was rated: first the difference is shown, then it is posted, then asked for
/// again; before that, the same prices come in another file. *Guarantees.* The difference is told per customer and per rule, to
/// the cent; showing changes nothing, posting nothing twice; entries, records and totals say the same; what has the old price
/// keeps its entry; the second derivation agrees.
#[test]
fn a_corrected_price_is_shown_and_posted_once() {
    let home = TempDir::new().expect("a temporary folder");
    let data = rated(home.path());
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &format!("# the same prices\n{}", tariff(true)))]);
    let before = data.version("cdr_entries");
    let (code, same) = asked(&data, &["rerate", "--cycle", "all"]);
    assert_eq!((code, &same["state"], &same["chosen"], &same["changes"]), (Some(0), &json!("unchanged"), &json!(13), &json!(0)));

    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &tariff(true).replace("0.002", "0.0025"))]);
    let (code, shown) = asked(&data, &["rerate", "--cycle", "2026-11", "--dry-run"]);
    let figures = json!({
        "records": 10, "before": "1.200000000", "after": "1.500000000", "difference": "0.300000000", "currency": "EUR",
    });
    assert_eq!((code, &shown["state"], &shown["total"]), (Some(0), &json!("shown"), &json!([figures])), "{shown:#}");
    let of_customer = &shown["customers"][0];
    assert_eq!((&of_customer["customer"], &of_customer["difference"]), (&json!("C-1"), &json!("0.300000000")), "{shown:#}");
    let rule = &shown["rules"][0];
    assert_eq!((&rule["kind"], &rule["was"]["zone"], &rule["becomes"]["zone"]), (&json!("voice-mo"), &json!("NL"), &json!("NL")));
    assert_ne!(rule["was"]["tariff"], rule["becomes"]["tariff"]);
    let (_, other) = asked(&data, &["rerate", "--cycle", "2026-10", "--dry-run"]);
    assert_eq!(other["chosen"], json!(0), "no record is of that cycle");
    assert_eq!(data.version("cdr_entries"), before, "nothing was changed so far");

    let (code, done) = asked(&data, &["rerate", "--plan", "flat"]);
    let posted = json!({"records": 10, "suspense": {}, "before": {"EUR": "1.200000000"}, "after": {"EUR": "1.500000000"}});
    assert_eq!((code, &done["state"], &done["posted"]), (Some(0), &json!("rerated"), &posted), "{done:#}");
    for table in ["cdr_entries", "cdr", "totals"] {
        assert_eq!(charged(&data, table), [customer("C-1", "2.400000000")], "{table}");
    }
    let counted = data.query("select sum(rows) as rows, count(*) as entries from cdr_entries where outcome <> 'ledger'");
    assert_eq!(counted, [json!({"rows": 13, "entries": 13 + 2 * 10})], "pairs, of what differs");
    let record = data.query("select delivery, row from cdr where entry = 'correction' order by row limit 1");
    let place = format!("{}:{}", record[0]["delivery"].as_str().expect("a delivery"), record[0]["row"]);
    let (_, why) = asked(&data, &["explain", &place]);
    let before = &why["before"][0];
    assert_eq!(
        (&why["charge"], &before["charge"], why["before"].as_array().map(Vec::len)),
        (&json!("0.150000000"), &json!("0.120000000"), Some(1)),
        "{why:#}"
    );
    assert_ne!(why["derivation"]["tariff"]["id"], before["tariff"], "{why:#}");
    let page = data.ok(&["explain", &place]);
    assert!(page.contains("before") && page.contains("EUR 0.120000000 for C-1: flat · NL · all, small@"), "{page}");
    let after = data.version("cdr_entries");
    let (_, again) = asked(&data, &["rerate", "--plan", "flat"]);
    assert_eq!((&again["state"], data.version("cdr_entries")), (&json!("unchanged"), after), "twice is once");
    let (_, status) = asked(&data, &["status"]);
    let correction = &status["corrections"][0];
    assert_eq!((&correction["cause"], &correction["records"]), (&json!("rerated"), &json!(10)), "{status:#}");
    let told = |side: &str| (correction[side]["rated"].clone(), correction[side]["charge"]["EUR"].clone());
    assert_eq!(told("taken_back"), (json!(10), json!("1.200000000")), "what stood: {status:#}");
    assert_eq!(told("added"), (json!(10), json!("1.500000000")), "what stands: {status:#}");
    data.assert_sound();
}

/// *Scenario.* A device that was given to another customer is imported late; then a tariff loses a destination; then it has it
/// again. *Guarantees.* The calls after the move go over with their money, asked for by either customer; what loses its price is in
/// suspense with the reason, and is told before; the import that gives it a price again brings it back by itself; a withdrawal of the
/// file takes all of it.
#[test]
fn calls_follow_a_device_that_moved_and_prices_that_go_and_come() {
    let home = TempDir::new().expect("a temporary folder");
    let data = rated(home.path());
    data.ok(&["import", "devices", &write(home.path(), "devices.csv", MOVED)]);
    let (code, moved) = asked(&data, &["rerate", "--customer", "C-2"]);
    // In the afternoon five calls of twelve cents and one or two of thirty: rows 1, 3, 5, 7, 9 and 11.
    assert_eq!((code, &moved["posted"]["records"]), (Some(0), &json!(6)), "{moved:#}");
    let of = |n: usize| (&moved["customers"][n]["customer"], &moved["customers"][n]["difference"]);
    assert_eq!((of(0), of(1)), ((&json!("C-1"), &json!("-0.900000000")), (&json!("C-2"), &json!("0.900000000"))), "{moved:#}");
    assert_eq!(moved["posted"]["before"], json!({"EUR": "0.900000000"}), "no money came or went: {moved:#}");
    assert_eq!(moved["posted"]["after"], moved["posted"]["before"], "{moved:#}");
    for table in ["cdr_entries", "cdr", "totals"] {
        assert_eq!(charged(&data, table), [customer("C-1", "1.200000000"), customer("C-2", "0.900000000")], "{table}");
    }
    assert_eq!(asked(&data, &["rerate", "--customer", "C-1"]).1["state"], json!("unchanged"));
    data.assert_sound();

    let abroad = tariff(true).replace("49 = ", "44 = ");
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &abroad)]);
    let (code, lost) = asked(&data, &["rerate", "--cycle", "all", "--dry-run"]);
    assert_eq!((code, &lost["lost"], &lost["total"][0]["difference"]), (Some(1), &json!(3), &json!("-0.900000000")), "{lost:#}");
    assert_eq!(lost["rules"][0]["becomes"], json!({"reason": "no_zone"}), "{lost:#}");
    assert_eq!(lost["lost_charge"], json!({"EUR": "0.900000000"}), "{lost:#}");
    let (code, done) = asked(&data, &["rerate", "--cycle", "all"]);
    assert_eq!((code, &done["posted"]["suspense"]), (Some(1), &json!({"no_zone": 3})), "{done:#}");
    assert_eq!(charged(&data, "totals"), [customer("C-1", "0.600000000"), customer("C-2", "0.600000000")]);
    data.assert_sound();

    let back = data.json(&["import", "tariffs", &write(home.path(), "small.toml", &tariff(true))]);
    assert_eq!((&back["recycled"]["state"], &back["recycled"]["added"]["rated"]), (&json!("recycled"), &json!(3)), "{back:#}");
    assert_eq!(charged(&data, "cdr"), [customer("C-1", "1.200000000"), customer("C-2", "0.900000000")]);
    let (_, taken) = asked(&data, &["withdraw", "a.csv", "--yes"]);
    assert_eq!(taken["taken_back"]["charge"]["EUR"], json!("2.100000000"), "{taken:#}");
    assert_eq!(charged(&data, "totals"), [customer("C-1", "0.000000000"), customer("C-2", "0.000000000")]);
    data.assert_sound();
}

/// *Scenario.* A draft for next year, with a dearer price at home, another band and a destination that the tariff in force does not
/// have, is held against the month; then one that is broken, and one that sells less. *Guarantees.* By customer, zone and band it is
/// told what stands and what would be, to the cent, with what is freed of suspense and what would be lost; nothing is changed.
#[test]
fn a_draft_is_told_beside_the_month() {
    let home = TempDir::new().expect("a temporary folder");
    let data = rated(home.path());
    let belgium = format!("{HEADER}r-20,voice,+31612340001,+3225551234,2026-11-14T10:00:00+01:00,60,,,MO,20408,0.10\n");
    data.run(&["ingest", "--profile", "job", "--account", "haven", &write(home.path(), "b.csv", &belgium)]);
    let before = data.version("cdr_entries");
    let next_year = tariff(true)
        .replace("2020-01-01", "2027-01-01")
        .replace("49 = ", "32 = \"DE\"\n49 = ")
        .replace("unit_price = \"0.002\"", "unit_price = \"0.003\"")
        .replace("[[plan]]", "[[band]]\nname = \"day\"\ndays = \"mon-sun\"\nfrom = \"08:00\"\nto = \"12:00\"\n\n[[plan]]");
    let draft = write(home.path(), "draft.toml", &next_year);
    let (code, told) = asked(&data, &["whatif", "--tariff", &draft, "--cycle", "2026-11"]);
    // Ten minutes at home of 0.12 become 0.18; four abroad of 0.30, of which one had no zone.
    let pair = |now: (u32, &str), draft: (u32, &str), difference: &str| {
        json!({
            "currency": "EUR", "records_now": now.0, "now": now.1, "records_draft": draft.0, "draft": draft.1, "difference": difference,
        })
    };
    let total = pair((13, "2.100000000"), (14, "3.000000000"), "0.900000000");
    assert_eq!(
        (code, &told["total"], &told["freed"], &told["lost"]),
        (Some(0), &json!([total]), &json!(1), &json!(0)),
        "{told:#}"
    );
    let named = |side: &str, n: usize| (told[side][n][side].clone(), told[side][n]["draft"].clone());
    assert_eq!(named("customer", 0), (json!("C-1"), json!("3.000000000")), "{told:#}");
    assert_eq!((named("zone", 0), named("zone", 1)), ((json!("NL"), json!("1.800000000")), (json!("DE"), json!("1.200000000"))));
    // In the morning five calls at home and two and the freed one abroad; the others in the afternoon.
    let bands: Vec<_> = told["band"].as_array().expect("bands").iter().map(|band| (&band["band"], &band["draft"])).collect();
    assert_eq!(bands.len(), 2, "{told:#}");
    assert!(bands.contains(&(&json!("day"), &json!("1.800000000"))), "{told:#}");
    assert!(bands.contains(&(&json!("all"), &json!("1.200000000"))), "{told:#}");

    let poorer = write(home.path(), "poorer.toml", &tariff(true).replace("49 = ", "44 = "));
    let (code, lost) = asked(&data, &["whatif", "--tariff", &poorer, "--cycle", "all", "--customer", "C-1"]);
    assert_eq!((code, &lost["lost"], &lost["total"][0]["draft"]), (Some(1), &json!(3), &json!("1.200000000")), "{lost:#}");
    let (_, same) = asked(&data, &["whatif", "--tariff", "small", "--cycle", "all"]);
    assert_eq!(same["total"], json!([pair((13, "2.100000000"), (13, "2.100000000"), "0.000000000")]), "{same:#}");
    let broken = write(home.path(), "broken.toml", &tariff(true).replace("\"0.005\"", "\"dear\""));
    for (arguments, code, words) in [
        (["whatif", "--tariff", &broken, "--cycle", "all"], 3, ["broken.toml", "dear"]),
        (["whatif", "--tariff", "smal", "--cycle", "all"], 3, ["`smal`", "small"]),
        (["whatif", "--tariff", &draft, "--cycle", "11"], 2, ["`11`", "2026-10"]),
    ] {
        let ended = data.run(&arguments);
        assert_eq!(ended.code, Some(code), "{arguments:?}: {} {}", ended.out, ended.err);
        assert!(words.iter().all(|word| ended.err.contains(word)), "{arguments:?}: {}", ended.err);
    }
    assert_eq!(data.version("cdr_entries"), before, "nothing was changed");
}

/// *Scenario.* More records differ than one commit may hold; a customer, a plan and a cycle that are not there are asked for.
/// *Guarantees.* Nothing is changed, and the error says what to do.
#[test]
fn what_cannot_be_done_is_refused_with_what_helps() {
    let home = TempDir::new().expect("a temporary folder");
    let data = rated(home.path());
    data.ok(&["import", "tariffs", &write(home.path(), "small.toml", &tariff(true).replace("0.002", "0.0025"))]);
    let before = data.version("cdr_entries");
    let config = write(home.path(), "tollway.toml", "[pipeline]\nrerated_rows_max = 9\n");
    let refused = |arguments: &[&str], code: i32, words: &[&str]| {
        let ended = data.run(arguments);
        assert_eq!(ended.code, Some(code), "{arguments:?}: {} {}", ended.out, ended.err);
        assert!(words.iter().all(|word| ended.err.contains(word)), "{arguments:?}: {}", ended.err);
    };
    refused(
        &["rerate", "--cycle", "all", "--config", &config],
        2,
        &["10 records", "9 of them", "rerated_rows_max", "--customer"],
    );
    refused(&["rerate"], 2, &["--customer", "--plan", "--cycle"]);
    refused(&["rerate", "--customer", "C-l"], 3, &["`C-l`", "C-1"]);
    refused(&["rerate", "--plan", "flet"], 3, &["`flet`", "flat"]);
    refused(&["rerate", "--cycle", "november"], 2, &["`november`", "2026-10"]);
    assert_eq!(data.version("cdr_entries"), before);
    let (code, done) = asked(&data, &["rerate", "--plan", "flat", "--frozen"]);
    assert_eq!((code, &done["posted"]["records"]), (Some(0), &json!(10)), "that is the word: {done:#}");
}

/// *Scenario.* A customer's cycle begins on another day from now on; and the raw file of the records is gone from landing.
/// *Guarantees.* It is told that the records go over to another cycle, with their money; posting asks the table alone.
#[test]
fn a_record_that_falls_into_another_cycle_is_told_and_its_raw_file_is_not_needed() {
    let home = TempDir::new().expect("a temporary folder");
    let data = rated(home.path());
    let customers = "customer_id,name,owner_path,cycle_day,time_zone\nC-1,C-1,main/C-1,20,Europe/Amsterdam\n";
    data.ok(&["import", "customers", &write(home.path(), "customers.csv", customers)]);
    let (_, shown) = asked(&data, &["rerate", "--cycle", "2026-11", "--dry-run"]);
    assert_eq!(shown["cycles"], json!({"2026-10": 13, "2026-11": 13}), "{shown:#}");
    let rule = &shown["rules"][0];
    assert_eq!((&rule["was"]["cycle"], &rule["becomes"]["cycle"]), (&json!("2026-11"), &json!("2026-10")), "{shown:#}");
    for object in fs::read_dir(data.path().join("store/landing/objects")).expect("landed objects") {
        let object = object.expect("an object").path();
        if fs::read_to_string(&object).is_ok_and(|text| text.starts_with(HEADER)) {
            fs::remove_file(object).expect("it is ours");
        }
    }
    let (code, done) = asked(&data, &["rerate", "--cycle", "2026-11"]);
    assert_eq!((code, &done["posted"]["records"]), (Some(0), &json!(13)), "{done:#}");
    let totals = data.query("select billing_period, sum(charge) as charge from totals group by 1 having sum(totals.count) > 0");
    assert_eq!(totals, [json!({"billing_period": "2026-10", "charge": "2.100000000"})]);
}

/// *Scenario.* A month of twelve layouts is rated with prices that are wrong; they are corrected, and rating it again is killed in
/// the middle, again and again; then another command comes. *Guarantees.* Everything is as in an installation that had the right
/// prices from the beginning: each record with all that the source said of it, its outcome and its charge, and the totals.
#[test]
fn rating_a_month_again_is_done_once_however_often_it_is_killed() {
    let home = TempDir::new().expect("a temporary folder");
    let month = Month::generate(&home.path().join("month"), 8_000, 4, 12);
    let (data, other) = (DataFolder::new(), DataFolder::new());
    month.import(&data);
    month.import(&other);
    let wrong = wrong_prices(&home.path().join("wrong"));
    data.ok(&["import", "tariffs", &wrong]);
    for file in &month.files {
        for folder in [&data, &other] {
            folder.run(&["ingest", "--profile", &file.profile, "--account", &file.account, &file.path.to_string_lossy()]);
        }
    }
    let (_, draft) = asked(&data, &["whatif", "--tariff", "shipped:nl-zakelijk", "--cycle", "all"]);
    data.ok(&["import", "tariffs", "nl-zakelijk"]);
    let (_, shown) = asked(&data, &["rerate", "--cycle", "all", "--dry-run"]);
    assert!(shown["changes"].as_u64() > Some(1_000), "{shown:#}");
    kill_in_the_middle(&data, &["rerate", "--cycle", "all"]);
    // Whatever command comes next goes on with it.
    asked(&data, &["ingest", "--profile", "job", "--account", "haven", &write(home.path(), "nothing.csv", "")]);
    let (_, status) = asked(&data, &["status"]);
    assert_eq!((&status["recyclings_waiting"], &status["corrections"][0]["cause"]), (&json!(0), &json!("rerated")), "{status:#}");
    let columns = data.query("select column_name from information_schema.columns where table_name = 'cdr'");
    let columns: Vec<&str> = columns.iter().filter_map(|row| row["column_name"].as_str()).collect();
    assert!(columns.len() > 40, "{columns:?}");
    // What says which word on the record it is, and of which folder; what costs the same by both tariffs names the one that it had.
    let own = ["entry", "entry_no", "as_of", "arrival", "tariff"];
    let said: Vec<&str> = columns.into_iter().filter(|column| !own.contains(column)).collect();
    let records = format!("select {} from cdr order by record_key, delivery, row", said.join(", "));
    let (ours, theirs) = (data.query(&records), other.query(&records));
    let differ = ours.iter().zip(&theirs).find(|(a, b)| a != b);
    assert!(ours.len() == theirs.len() && differ.is_none(), "{} and {} records; {differ:#?}", ours.len(), theirs.len());
    let totals = "select customer, billing_period, sum(charge) as charge from totals group by 1, 2 order by 1, 2";
    assert_eq!(data.query(totals), other.query(totals));
    let charged = data.query("select sum(charge) as charge from cdr");
    assert_eq!((&draft["total"][0]["draft"], &draft["freed"]), (&charged[0]["charge"], &json!(0)), "as the draft has said");
    assert_eq!(asked(&data, &["rerate", "--cycle", "all"]).1["state"], json!("unchanged"));
    data.assert_sound();
}

/// The shipped tariff with a later peak, another zone for fixed lines and coarser rounding, in a folder of its own.
fn wrong_prices(folder: &Path) -> String {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/tariffs");
    fs::create_dir_all(folder).expect("a folder");
    for table in ["prefixes", "networks", "prices"] {
        let name = format!("nl-zakelijk-{table}.csv");
        fs::copy(shipped.join(&name), folder.join(&name)).expect("a shipped table");
    }
    let right = fs::read_to_string(shipped.join("nl-zakelijk.toml")).expect("the shipped tariff");
    let changes =
        [("from = \"08:00\"", "from = \"09:00\""), ("N_VAST = \"NL-FIX\"", "N_VAST = \"NL-MOB\""), ("places = 6", "places = 3")];
    let wrong = changes.iter().fold(right, |text, (was, becomes)| {
        assert!(text.contains(was), "{was}");
        text.replace(was, becomes)
    });
    write(folder, "nl-zakelijk.toml", &wrong)
}
