//! What each level of an owner path earns, on the real program: two resellers, three levels that buy and one that does not, to the cent.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::data_folder::DataFolder;
use crate::support::small::{HEADER, asked, write};

const JOB: &str = include_str!("../../../config/profiles/job.toml");

const HOME: &str = "+31201234567";

/// C-1 is a shop in a town of the north, C-2 a reseller in the south, C-3 a customer of the operator.
const CUSTOMERS: &str = "customer_id,name,owner_path\nC-1,Shop,main/north/town/shop\nC-2,South,main/south\nC-3,Own,main\n";

const DEVICES: &str = "device_id,msisdn,customer_id,plan_id,valid_from,valid_to\n\
    D-1,31612340001,C-1,flat,2026-01-01T00:00:00Z,\nD-2,31612340002,C-2,flat,2026-01-01T00:00:00Z,\n\
    D-3,31612340003,C-3,flat,2026-01-01T00:00:00Z,\nD-4,31612340004,C-1,large,2026-01-01T00:00:00Z,\n";

/// A tariff whose calls cost by the second: plan, zone, price.
fn tariff(name: &str, currency: &str, prices: &[(&str, &str, &str)]) -> String {
    let mut plans: Vec<&str> = prices.iter().map(|(plan, ..)| *plan).collect();
    plans.dedup();
    let plans = plans.iter().map(|plan| format!("[[plan]]\nname = \"{plan}\"\n\n")).collect::<Vec<_>>().concat();
    let price = |(plan, zone, price): &(&str, &str, &str)| {
        format!("[[price]]\nplan = \"{plan}\"\nkind = \"voice-mo\"\nzone = \"{zone}\"\nunit_price = \"{price}\"\nper = 1\n\n")
    };
    format!(
        "name = \"{name}\"\ncurrency = \"{currency}\"\ntime_zone = \"Europe/Amsterdam\"\nvalid_from = 2026-01-01\n\
         home_zone = \"HOME\"\ndefault_band = \"all\"\nrounding = {{ places = 6, mode = \"half_up\" }}\n\
         destinations.prefixes = {{ 31 = \"NL\", 49 = \"DE\" }}\nnetworks.zones = {{ 20408 = \"HOME\" }}\n\n{plans}{}",
        prices.iter().map(price).collect::<String>()
    )
}

/// `flat`: NL 0.12 a minute, DE 0.30; `large`: NL 0.06.
const RETAIL: [(&str, &str, &str); 3] = [("flat", "NL", "0.002"), ("flat", "DE", "0.005"), ("large", "NL", "0.001")];

/// The north pays 0.06 a minute, for lines of `large` 0.03; the shop 0.09, to Germany 0.24.
const WHOLESALE: [(&str, &str, &str); 4] = [
    ("sell:main/north", "NL", "0.001"),
    ("sell:main/north:large", "NL", "0.0005"),
    ("sell:main/north/town/shop", "NL", "0.0015"),
    ("sell:main/north/town/shop", "DE", "0.004"),
];

fn call(id: &str, line: u32, to: &str, (month, seconds): (u32, u32), cost: &str) -> String {
    format!("{id},voice,+3161234000{line},{to},2026-{month}-14T10:00:00+01:00,{seconds},,,MO,20408,{cost}\n")
}

/// A data folder with customers, lines and the retail tariff, and some calls rated.
fn rated(home: &Path, calls: &[String]) -> DataFolder {
    let data = DataFolder::new();
    data.ok(&["import", "tariffs", &write(home, "retail.toml", &tariff("retail", "EUR", &RETAIL))]);
    data.ok(&["import", "customers", &write(home, "customers.csv", CUSTOMERS)]);
    data.ok(&["import", "devices", &write(home, "devices.csv", DEVICES)]);
    let file = HEADER.to_owned() + &calls.concat();
    data.ok(&["ingest", "--profile", "job", "--account", "haven", &write(home, "a.csv", &file)]);
    data
}

/// The seven calls rated; one comes from a source that tells no costs.
fn seven_rated(home: &Path) -> DataFolder {
    let data = rated(home, &six());
    let profile =
        JOB.split("[cost]").next().expect("what stands before the cost").replace("name = \"job\"", "name = \"costless\"");
    let (profile, file) = (write(home, "costless.toml", &profile), HEADER.to_owned() + &call("d", 1, HOME, (11, 60), ""));
    data.ok(&["ingest", "--profile", &profile, "--provider", "other", "--account", "haven", &write(home, "d.csv", &file)]);
    data
}

/// Five calls of November and one of October; what each level pays stands beside them. Of `d` main pays what nobody knows, north 0.06,
/// the shop 0.09, the customer 0.12.
fn six() -> [String; 6] {
    let (home, abroad) = (HOME, "+4930123456");
    [
        // main 0.03, north 0.06, shop 0.09, customer 0.12
        call("a", 1, home, (11, 60), "0.03"),
        // main 0.05, north 0.10, shop 0.15, customer 0.20
        call("b", 1, home, (11, 100), "0.05"),
        // main 0.20, north has no price, shop 0.24, customer 0.30
        call("c", 1, abroad, (11, 60), "0.20"),
        // main EUR 0.03, south USD 0.05, customer EUR 0.12
        call("e", 2, home, (11, 60), "0.03"),
        // main 0.03, customer 0.12
        call("f", 3, home, (11, 60), "0.03"),
        // main 0.03, north for large 0.03, shop 0.09, customer of large 0.06
        call("g", 4, home, (10, 60), "0.03"),
    ]
}

/// A row of the answer whose margin is known.
fn known(level: &str, records: u64, [sold, bought, margin]: [&str; 3]) -> Value {
    json!({
        "level": level, "currency": "EUR", "records": records, "sold": sold, "bought": bought, "margin": margin, "not_known": null,
    })
}

/// One record whose margin is not known.
fn apart(level: &str, currency: &str, (side, reason): (&str, &str), [sold, bought]: [Option<&str>; 2]) -> Value {
    json!({
        "level": level, "currency": currency, "records": 1, "sold": sold, "bought": bought, "margin": null,
        "not_known": {"side": side, "reason": reason},
    })
}

fn explained(data: &DataFolder, id: &str) -> (Value, String) {
    let found = data.query(&format!("select delivery, row from cdr where record_id = '{id}'"));
    let place = format!("{}:{}", found[0]["delivery"].as_str().expect("a delivery"), found[0]["row"]);
    (asked(data, &["explain", &place]).1, data.ok(&["explain", &place]))
}

/// *Scenario.* Seven calls of two resellers' and the operator's own customers, one without a cost, one bought in another currency, one
/// that a level has no price for; then that price is imported. *Guarantees.* Each level's figures are those of the calls, by hand; what
/// has no margin is counted apart with the reason, and never as zero; a level without a plan is passed over; charges stay as they are.
#[test]
fn each_level_earns_what_the_one_below_pays_less_what_it_pays_itself() {
    let home = TempDir::new().expect("a temporary folder");
    let data = seven_rated(home.path());
    let ended = data.run(&["margin", "--levels"]);
    assert!(ended.code == Some(3) && ended.err.contains("`sell:PATH`"), "{} {}", ended.out, ended.err);
    assert_eq!(data.run(&["margin", "--levels", "--buy"]).code, Some(2));
    data.ok(&["import", "tariffs", &write(home.path(), "wholesale.toml", &tariff("wholesale", "EUR", &WHOLESALE))]);
    let dollars = tariff("dollars", "USD", &[("sell:main/south", "NL", "0.000833333")]);
    data.ok(&["import", "tariffs", &write(home.path(), "dollars.toml", &dollars)]);

    let (code, said) = asked(&data, &["margin", "--levels"]);
    let shop = "main/north/town/shop";
    let expected = json!([
        known("main", 4, ["0.310000000", "0.140000000", "0.170000000"]),
        apart("main", "EUR", ("bought", "no_cost"), [Some("0.060000000"), None]),
        apart("main", "EUR", ("sold", "no_price"), [None, Some("0.200000000")]),
        apart("main", "USD", ("both", "other_currency"), [Some("0.050000000"), None]),
        known("main/north", 4, ["0.420000000", "0.250000000", "0.170000000"]),
        apart("main/north", "EUR", ("bought", "no_price"), [Some("0.240000000"), None]),
        known(shop, 5, ["0.800000000", "0.660000000", "0.140000000"]),
        apart("main/south", "EUR", ("both", "other_currency"), [Some("0.120000000"), None]),
    ]);
    assert_eq!((code, &said["levels"]), (Some(1), &expected), "{said:#}");
    assert_eq!((&said["records"], &said["below"], &said["without_price"]), (&json!(7), &json!(0), &json!(2)), "{said:#}");

    let (code, october) = asked(&data, &["margin", "--levels", "--cycle", "2026-10"]);
    let expected = json!([
        known("main", 1, ["0.030000000", "0.030000000", "0.000000000"]),
        known("main/north", 1, ["0.090000000", "0.030000000", "0.060000000"]),
        known(shop, 1, ["0.060000000", "0.090000000", "-0.030000000"]),
    ]);
    assert_eq!((code, &october["levels"], &october["below"]), (Some(1), &expected, &json!(1)), "{october:#}");

    let with_price = WHOLESALE.iter().copied().chain([("sell:main/north", "DE", "0.0035")]);
    let mut prices: Vec<_> = with_price.collect();
    prices.sort_unstable();
    data.ok(&["import", "tariffs", &write(home.path(), "wholesale.toml", &tariff("wholesale", "EUR", &prices))]);
    let (code, november) = asked(&data, &["margin", "--levels", "--cycle", "2026-11"]);
    assert_eq!((code, &november["without_price"]), (Some(0), &json!(0)), "{november:#}");
    assert_eq!(november["levels"][0], known("main", 4, ["0.490000000", "0.310000000", "0.180000000"]), "{november:#}");
    let of_north = november["levels"].as_array().and_then(|all| all.iter().find(|row| row["level"] == "main/north"));
    assert_eq!(of_north, Some(&known("main/north", 4, ["0.570000000", "0.430000000", "0.140000000"])), "{november:#}");
    let csv = data.ok(&["margin", "--levels", "--cycle", "2026-11", "--output", "csv"]);
    assert!(csv.contains("\nmain,4,0.490000000,0.310000000,0.180000000,36.7 %,EUR,,\n"), "{csv}");
    data.ok(&["verify"]);
    data.assert_sound();
}

/// *Scenario.* Single records are asked for, and a sell plan for a path that nobody has is looked at. *Guarantees.* A page has each
/// level with what it pays and is paid, and only where a sell plan binds the customer; the linter names the plan.
#[test]
fn a_record_tells_its_levels_and_a_plan_that_nobody_pays_by_is_found() {
    let home = TempDir::new().expect("a temporary folder");
    let data = seven_rated(home.path());
    data.ok(&["import", "tariffs", &write(home.path(), "wholesale.toml", &tariff("wholesale", "EUR", &WHOLESALE))]);
    let (page, text) = explained(&data, "c");
    let side = |plan: Option<&str>, amount: &str| json!({"plan": plan, "amount": amount, "currency": "EUR", "reason": null});
    let nothing = json!({"plan": "sell:main/north", "amount": null, "currency": null, "reason": "no_price"});
    let of_shop = Some("sell:main/north/town/shop");
    let expected = json!([
        {"level": "main", "bought": side(None, "0.200000000"), "sold": nothing, "margin": null, "not_known": "no_price"},
        {"level": "main/north", "bought": nothing, "sold": side(of_shop, "0.240000000"), "margin": null, "not_known": "no_price"},
        {"level": "main/north/town/shop", "bought": side(of_shop, "0.240000000"), "sold": side(None, "0.300000000"),
            "margin": "0.060000000", "not_known": null},
    ]);
    assert_eq!(page["levels"], expected, "{page:#}");
    for line in [
        "  levels    main: sold for no_price (sell:main/north), bought for EUR 0.200000000 (provider's cost) · margin not known: no_price",
        "main/north/town/shop: sold for EUR 0.300000000 (charge), bought for EUR 0.240000000 (sell:main/north/town/shop) · margin EUR \
         0.060000000",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let (page, text) = explained(&data, "f");
    assert!(page["levels"] == json!([]) && !text.contains("levels"), "the operator sells to it: {text}");

    let idle = tariff("idle", "EUR", &[("sell:main/north", "NL", "0.001"), ("sell:main/west", "NL", "0.001")]);
    let path = write(home.path(), "idle.toml", &idle.replace("2026-01-01", "2025-01-01\nvalid_to = 2026-01-01"));
    let (_, linted) = asked(&data, &["tariff", "lint", &path]);
    let found: Vec<&Value> =
        linted["findings"].as_array().expect("findings").iter().filter(|f| f["rule"] == "idle_level").collect();
    assert_eq!(found.len(), 1, "{linted:#}");
    assert!(found[0]["what"].as_str().is_some_and(|what| what.contains("`sell:main/west`")), "{linted:#}");
}

/// *Scenario.* A level pays nothing for calls within the network, of which the retail tariff says nothing. *Guarantees.* Who is called
/// is found for the level's price, though rating did not ask.
#[test]
fn a_level_may_have_prices_by_the_other_party_that_its_customers_do_not_have() {
    let home = TempDir::new().expect("a temporary folder");
    let calls = [call("own", 1, "+31612340003", (11, 60), "0.03"), call("other", 1, "+31201234567", (11, 60), "0.03")];
    let data = rated(home.path(), &calls);
    let own = "[[price]]\nplan = \"sell:main/north\"\nkind = \"voice-mo\"\nzone = \"NL\"\nparty = \"own_network\"\nunit_price = \"0\"\n";
    let wholesale = tariff("wholesale", "EUR", &WHOLESALE[..1]) + own;
    data.ok(&["import", "tariffs", &write(home.path(), "wholesale.toml", &wholesale)]);
    let (_, said) = asked(&data, &["margin", "--levels"]);
    let expected = json!([
        known("main", 2, ["0.060000000", "0.060000000", "0.000000000"]),
        known("main/north", 2, ["0.240000000", "0.060000000", "0.180000000"]),
    ]);
    assert_eq!(said["levels"], expected, "{said:#}");
    let (page, _) = explained(&data, "own");
    assert_eq!(page["levels"][1]["bought"]["amount"], json!("0.000000000"), "{page:#}");
}
