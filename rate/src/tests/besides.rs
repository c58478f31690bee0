//! What few tariffs have: how mistakes in it are told, how the other party is found, who holds for plans that nobody sells.

use std::sync::Arc;

use domain::columns::linked::{Customer, NO_GROUP, NO_OWNER, Owner, Owners, Party};
use domain::ids::Names;
use domain::number::{Number, NumberKind};
use domain::outcome::Reason;
use domain::period::CycleDay;
use domain::usage::Usage;
use domain::zone::Zone;

use crate::compare::compare;
use crate::explain::{ExplainInput, explain};
use crate::link::index::{DeviceIndex, IdentifierKind, IdentifierWindow};
use crate::lint::lint;
use crate::lint::versions::{Given, together};
use crate::tariff::Tariff;
use crate::tariff::set::TariffSet;
use crate::tests::fixture::{Row, batch, utc, with_tables};

const TOML: &str = r#"name = "most"
currency = "EUR"
time_zone = "Europe/Amsterdam"
valid_from = 2026-01-01
home_zone = "HOME"
default_band = "any"
tax_class = "standard"
fallback_plan = "basis"
rounding = { places = 6, mode = "half_up" }
destinations.prefixes = { 31 = "NL", 32 = "BE" }
networks.table = "networks.csv"
roaming.table = "roaming.csv"
information.table = "information.csv"
exchange.table = "exchange.csv"

[[plan]]
name = "basis"

[[price]]
plan = "basis"
kind = "voice-*"
zone = "*"
unit_price = "0.12"
information = "listed"

[[price]]
plan = "basis"
kind = "voice-mo"
zone = "NL"
party = "own_network"
unit_price = "0.06"

[[price]]
plan = "basis"
kind = "sms-mo"
zone = "*"
cost_plus = { percent = "10" }
"#;

const TABLES: [(&str, &str); 4] = [
    ("networks.csv", "network,zone,valid_from,valid_to\n204,HOME,,\n262,EU,,2026-07-01\n262,FAR,2026-07-01,\n"),
    ("roaming.csv", "visited,called,zone\nEU,NL,EU-HOME\nEU,*,EU-ANY\n"),
    ("information.csv", "number,per_call,per_minute\n+31900123,0.10,0.20\n1888,,1.30\n"),
    ("exchange.csv", "currency,date,rate\nUSD,2026-10-12,0.92\n"),
];

fn load(toml: &str, tables: &[(&str, &str)]) -> Result<Tariff, String> {
    Tariff::load(&with_tables("most.toml", toml, tables)).map_err(|e| e.to_string())
}

/// The refusal after a replacement in the file or in one of its tables.
fn refusal(old: &str, new: &str) -> String {
    let tables = TABLES.map(|(name, text)| (name, text.replacen(old, new, 1)));
    let tables: Vec<(&str, &str)> = tables.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let toml = TOML.replacen(old, new, 1);
    assert!(toml != TOML || tables != TABLES, "{old} is nowhere");
    load(&toml, &tables).err().unwrap_or_else(|| format!("loads with {new}"))
}

// tidy: one row per mistake
#[test]
fn mistakes_are_told_with_their_place_and_what_to_do() {
    assert!(load(TOML, &TABLES).is_ok(), "{:?}", load(TOML, &TABLES).err());
    let party = "`own_network`, `own_customer` or `group` is expected; without it a price is for whoever is called";
    let number = "a whole number is expected: + and digits for an international one, at most 7 digits for a short code";
    let rate = "a decimal above 0 is expected, at most 1000000 and 9 places";
    let cases = [
        ("party = \"own_network\"", "party = \"other\"", format!("most.toml line 26: `party` is `other`; {party}")),
        ("party = \"own_network\"", "party = []", "most.toml line 26: `party` is `[]`; at least one of `own_network`, `own_customer` and `group` is expected".to_owned()),
        ("\"standard\"", "\"so so\"", "most.toml: `tax_class` is `so so`; id `so so` has the character ' '; letters, digits and `. _ - @ : +` are allowed; give it a plain name".to_owned()),
        ("fallback_plan = \"basis\"", "tax = \"maybe\"", "most.toml: `tax` is `maybe`; `excluded` or `included` is expected".to_owned()),
        (
            "fallback_plan = \"basis\"",
            "fallback_plan = \"basic\"",
            "most.toml: `fallback_plan` is `basic`, but no plan of this tariff has that name; did you mean `basis`?".to_owned(),
        ),
        ("information = \"listed\"", "information = \"asked\"", "most.toml line 19: `information` is `asked`; `listed` or `cost` is expected".to_owned()),
        (
            "information.table = \"information.csv\"\n",
            "",
            "most.toml line 18: `information` is `listed`; it needs a list of what numbers ask; add `[information] table = \"FILE.csv\"`".to_owned(),
        ),
        (
            "kind = \"voice-*\"",
            "kind = \"*\"",
            "most.toml line 19: `information` is `listed`; data has no number that could ask something; name the kinds of calls and messages".to_owned(),
        ),
        (
            "percent = \"10\" }",
            "percent = \"10\" }\ninformation = \"cost\"",
            "most.toml line 33: `cost_plus` is `set`; a price has either `cost_plus` or `information`; remove one".to_owned(),
        ),
        (
            "exchange.table = \"exchange.csv\"",
            "exchange = { table = \"exchange.csv\", days_max = 0 }",
            "most.toml: `exchange.days_max` is `0`; a whole number from 1 to 366 is expected".to_owned(),
        ),
        ("2026-07-01,\n", "2026-06-30,\n", "networks.csv line 4: network `262` on these days is already defined at networks.csv line 3; keep one of the two".to_owned()),
        ("FAR,2026-07-01", "FAR,1 July", "networks.csv line 4: `valid_from` is `1 July`; a date such as 2026-12-25 is expected, from 1970 to 2099".to_owned()),
        (
            "FAR,2026-07-01,",
            "FAR,2026-07-01,2026-07-01",
            "networks.csv line 4: `valid_to` is `2026-07-01`; it is the first day that is no longer in force, so after `valid_from`".to_owned(),
        ),
        (
            "EU,NL,",
            "UE,NL,",
            "roaming.csv line 2: `visited` is `UE`, but no network leads there, or it is the home zone; did you mean `EU`?".to_owned(),
        ),
        (
            "EU,NL,",
            "EU,NLD,",
            "roaming.csv line 2: `called` is `NLD`, but no prefix or short code leads there; `*` stands for anywhere; did you mean `NL`?".to_owned(),
        ),
        ("EU,*,", "EU,NL,", "roaming.csv line 3: roaming `EU to NL` is already defined at roaming.csv line 2; keep one of the two".to_owned()),
        ("+31900123", "0900123456789", format!("information.csv line 2: `number` is `0900123456789`; {number}")),
        ("1888,,1.30", "+31900123,,1.30", "information.csv line 3: number `+31900123` on these days is already defined at information.csv line 2; keep one of the two".to_owned()),
        (
            "1888,,1.30",
            "1888,,",
            "information.csv line 3: `per_call` is ``; an amount per call, per minute or both is expected; 0 for a free number".to_owned(),
        ),
        (
            "currency,date,rate",
            "currency,day,rate",
            "exchange.csv line 1: unknown column `day`; did you mean `date`?".to_owned(),
        ),
        ("0.92", "0,92", "exchange.csv line 2: the row has 4 fields, the header has 3; add or remove commas".to_owned()),
        ("0.92", "0", format!("exchange.csv line 2: `rate` is `0`; {rate}")),
        ("0.92", "-1", format!("exchange.csv line 2: `rate` is `-1`; {rate}")),
        ("USD", "EUR", "exchange.csv line 2: `currency` is `EUR`; another currency than the tariff's is expected".to_owned()),
        ("USD", "dollar", "exchange.csv line 2: `currency` is `dollar`; three capital letters such as USD are expected".to_owned()),
    ];
    for (old, new, expected) in cases {
        assert_eq!(refusal(old, new), expected);
    }
    let twice = refusal("USD,2026-10-12,0.92\n", "USD,2026-10-12,0.92\nUSD,2026-10-12,0.93\n");
    assert_eq!(
        twice,
        "exchange.csv line 3: the rate of USD on this day is already defined at exchange.csv line 2; keep one of the two"
    );
}

#[test]
fn tables_as_a_spreadsheet_writes_them_say_the_same() {
    let dutch = |text: &str| text.replace(',', ";").replace('.', ",");
    let tables = TABLES.map(|(name, text)| (name, dutch(text)));
    let tables: Vec<(&str, &str)> = tables.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let toml = TOML.replace("[[plan]]", "[tables]\nseparator = \";\"\ndecimal_mark = \",\"\n\n[[plan]]");
    let both = [load(TOML, &TABLES), load(&toml, &tables)].map(|tariff| tariff.unwrap_or_else(|e| panic!("{e}")));
    assert_eq!(compare(&both[0], &both[1]), []);
    let mixed = [("information.csv", "number;per_call;per_minute\n1888;;1.30\n")];
    let mixed: Vec<(&str, &str)> = tables.iter().filter(|(name, _)| *name != "information.csv").copied().chain(mixed).collect();
    let text = "information.csv line 2: `per_minute` is `1.30`; a decimal comma is expected, as `decimal_mark` under [tables] says, and \
                nothing between thousands";
    assert_eq!(load(&toml, &mixed).err().as_deref(), Some(text));
    for (said, refused) in [("separator = \";\"", "separator = \"|\""), ("decimal_mark = \",\"", "decimal_mark = \"'\"")] {
        let error = load(&toml.replace(said, refused), &tables).expect_err("no such mark");
        assert!(error.contains("is expected") && error.contains("tables."), "{error}");
    }
    // Without a word of it the linter says what to write.
    let findings = lint(&with_tables("most.toml", TOML, &tables)).findings;
    let remedies: Vec<&str> = findings.iter().filter(|f| f.rule.as_str() == "separator").map(|f| f.remedy.as_str()).collect();
    // Of the fourth the loader says it first.
    assert_eq!(remedies.len(), 3, "{findings:#?}");
    assert!(remedies[0].contains("`separator = \";\"` under [tables]"), "{remedies:?}");
}

#[test]
fn a_visited_zone_whose_calls_are_all_in_others_wants_no_price() {
    let toml = TOML.replacen("zone = \"*\"", "zone = [\"NL\", \"BE\", \"FAR\", \"HOME\", \"EU-HOME\"]", 1);
    let findings = lint(&with_tables("most.toml", &toml, &TABLES)).findings;
    let missing: Vec<&str> = findings.iter().filter(|f| f.rule.as_str() == "missing_price").map(|f| f.what.as_str()).collect();
    let named = "plan `basis` has no price for voice-mo, voice-mt, voice-fwd in EU-ANY: such records wait as no_price";
    assert_eq!(missing, [named], "{findings:#?}");
}

#[test]
fn tables_that_no_price_asks_are_found() {
    let toml =
        TOML.replace("information = \"listed\"\n", "").replace("cost_plus = { percent = \"10\" }", "unit_price = \"0.05\"");
    let findings = lint(&with_tables("most.toml", &toml, &TABLES)).findings;
    let idle: Vec<String> = findings.iter().filter(|f| f.rule.as_str() == "idle_table").map(|f| f.place.to_string()).collect();
    assert_eq!(idle, ["exchange.csv line 2", "information.csv line 2"]);
    let said = |toml: &str, tables: &[(&str, &str)], rule: &str| -> Vec<String> {
        let findings = lint(&with_tables("most.toml", toml, tables)).findings;
        findings.iter().filter(|f| f.rule.as_str() == rule).map(|f| format!("{}: {}", f.place, f.what)).collect()
    };
    assert_eq!(said(TOML, &TABLES, "idle_number"), [""; 0], "a price of all zones adds what every number asks");
    let only_belgium = TOML.replacen("zone = \"*\"", "zone = \"BE\"", 1);
    assert_eq!(
        said(&only_belgium, &TABLES, "idle_number"),
        [
            "information.csv line 2: no price adds what `+31900123` asks: it is in zone NL",
            "information.csv line 3: no prefix or short code leads to a zone for `1888`",
        ]
    );
    // The only numbers that are listed are Dutch: +31900123, and 1888, which leads nowhere.
    let nothing = "this price adds what numbers ask, but no number of zone BE is listed: it adds nothing there";
    assert_eq!(said(&only_belgium, &TABLES, "unlisted_zone"), [format!("most.toml line 19: {nothing}")]);
    assert_eq!(said(&TOML.replacen("zone = \"*\"", "zone = \"NL\"", 1), &TABLES, "unlisted_zone"), [""; 0]);
    assert_eq!(said(TOML, &TABLES, "unlisted_zone"), [""; 0], "a price of all zones is of those with numbers, too");
    assert_eq!(said(TOML, &TABLES, "row_gap"), [""; 0]);
    let later = TABLES.map(|(name, text)| (name, text.replace("262,FAR,2026-07-01", "262,FAR,2026-07-03")));
    let later: Vec<(&str, &str)> = later.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let gap = "networks.csv line 4: no row of network `262` holds from 2026-07-01 to 2026-07-03: shorter ones decide then, if there are any";
    assert_eq!(said(TOML, &later, "row_gap"), [gap]);
    let ends = TOML.replace("valid_from = 2026-01-01", "valid_from = 2026-01-01\nvalid_to = 2027-01-01");
    let findings = lint(&with_tables("most.toml", &ends, &TABLES)).findings;
    let stale: Vec<&str> = findings.iter().filter(|f| f.rule.as_str() == "stale_rates").map(|f| f.what.as_str()).collect();
    assert_eq!(stale, ["the last rate holds until 2026-10-19, the tariff until 2027-01-01"]);
}

#[test]
fn two_versions_differ_in_what_they_say() {
    let old = load(TOML, &TABLES).expect("good");
    assert_eq!(compare(&old, &load(TOML, &TABLES).expect("good")), []);
    let toml = TOML
        .replace("\"0.06\"", "\"0.05\"")
        .replace("\"standard\"", "\"reduced\"")
        .replace("fallback_plan = \"basis\"\n", "tax = \"included\"\n");
    let tables = TABLES
        .map(|(name, text)| (name, text.replace("0.92", "0.93").replace("EU,*,EU-ANY", "EU,*,EU-HOME").replace("1.30", "1.40")));
    let tables: Vec<(&str, &str)> = tables.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let new = load(&toml, &tables).expect("good");
    let said: Vec<String> = compare(&old, &new)
        .into_iter()
        .map(|c| {
            let text = |side: Option<String>| side.unwrap_or_else(|| "-".to_owned());
            format!("{} {}: {} → {}", c.part.as_str(), c.field.clone().unwrap_or(c.what.clone()), text(c.old), text(c.new))
        })
        .collect();
    for expected in [
        "head tax: excluded → included",
        "head fallback_plan: basis → -",
        "roaming zone: EU-ANY → EU-HOME",
        "information 1888: 0.00 and 1.30 per minute: - → -",
        "information 1888: 0.00 and 1.40 per minute: - → -",
        "exchange USD 2026-10-12 0.92: - → -",
        "exchange USD 2026-10-12 0.93: - → -",
        "price tax_class: standard → reduced",
        "price unit_price: 0.06 per 60 s → 0.05 per 60 s",
    ] {
        assert!(said.iter().any(|line| line == expected), "{expected} is not among {said:#?}");
    }
}

/// Two customers; the second one gives its number to the first at an instant.
fn two_customers(change_us: i64, plans: &[&str]) -> (Arc<Owners>, DeviceIndex) {
    let owner =
        |from_us, to_us, customer| Owner { from_us, to_us, device: 0, subscription: 0, customer, plan: 0, group: NO_GROUP };
    let customer = || Customer { owner_path: "main".into(), cycle_day: CycleDay::FIRST, zone: 0 };
    let owners = Arc::new(Owners {
        windows: vec![owner(0, i64::MAX, 0), owner(0, change_us, 1), owner(change_us, i64::MAX, 0)],
        devices: Names::new(["d"]),
        subscriptions: Names::new(["s"]),
        customer_names: Names::new(["one", "two"]),
        customers: vec![customer(), customer()],
        plans: Names::new(plans),
        groups: Names::default(),
        zones: vec![Zone::load("Europe/Amsterdam").expect("bundled")],
    });
    let number = |value, owner| IdentifierWindow { kind: IdentifierKind::Msisdn, value, owner };
    let windows = vec![number(31_600_000_001, 0), number(31_600_000_002, 1), number(31_600_000_002, 2)];
    let index = DeviceIndex::build(Arc::clone(&owners), windows).expect("no overlap");
    (owners, index)
}

#[test]
fn the_other_party_is_who_had_its_number_at_that_instant() {
    let change = utc("2026-10-14T12:00:00");
    let set = Arc::new(TariffSet::build(vec![load(TOML, &TABLES).expect("good")]).expect("one"));
    let (owners, index) = two_customers(change, &["basis"]);
    let other = Number::e164(31_600_000_002, 11);
    let row = |b_number, start_us| Row { b_number, start_us, ..Row::default() };
    let rows = vec![
        row(other, change - 1),
        row(other, change),
        row(Number::e164(31_600_000_009, 11), change),
        row(Number::short_code(112, 3), change),
        row(Number::text(NumberKind::Masked, 0), change),
        Row { a_number: 31_600_000_007, ..row(other, change) },
        Row { usage: Usage::parse("voice-mt").expect("a kind"), ..row(other, change - 1) },
    ];
    let rated = crate::rate(batch(rows, &[]), &index, &set.bind(&owners));
    let found: Vec<Option<&str>> = rated.columns.party.iter().map(|party| Party::from_code(*party).name()).collect();
    let (network, customer) = (Some("own_network"), Some("own_customer"));
    assert_eq!(found, [network, customer, Some("other"), None, None, None, network]);
    assert_eq!(rated.linked.owner[5], NO_OWNER);
    // A price for the network holds for the customer's own numbers, too; other numbers of the list wait for their row in it.
    assert_eq!(rated.columns.charge_nano[..2], [60_000_000; 2]);
    assert_eq!(rated.reason(2), Some(Reason::NoInformation));
    let explained = explain(&ExplainInput::of(&rated, 0), &set).expect("a row").lines();
    let party = "party: own_network, one of our numbers at that instant, of another customer";
    for line in [party, "  only with parties of own_network", "tax: excluded, class standard"] {
        assert!(explained.iter().any(|found| found == line), "{line} is not among {explained:#?}");
    }
    // A tariff without such prices asks nobody.
    let plain = TOML.replace("party = \"own_network\"\n", "band = \"any\"\n");
    let set = Arc::new(TariffSet::build(vec![load(&plain, &TABLES).expect("good")]).expect("one"));
    let rated = crate::rate(batch(vec![row(other, change)], &[]), &index, &set.bind(&owners));
    assert!(rated.linked.party.is_empty() && rated.columns.party == [0]);
}

#[test]
fn one_tariff_holds_for_plans_that_nobody_sells_and_for_days_on_which_nobody_does() {
    let of = |name: &str, dates: &str, fallback: &str| {
        let toml = TOML.replace("\"most\"", &format!("\"{name}\"")).replace("valid_from = 2026-01-01", dates);
        let toml = toml.replace("fallback_plan = \"basis\"\n", fallback);
        load(&toml.replace("\"basis\"", &format!("\"of-{name}\"")), &TABLES).expect("good")
    };
    let fallback = of("most", "valid_from = 2026-03-01\nvalid_to = 2026-12-01", "fallback_plan = \"basis\"\n");
    let summer = of("summer", "valid_from = 2026-06-01\nvalid_to = 2026-07-01", "");
    let ids = [fallback.id().clone(), summer.id().clone()];
    let set = Arc::new(TariffSet::build(vec![fallback, summer]).expect("they sell different plans"));
    let at = |plan: &str, start: &str| -> Result<usize, Reason> {
        let (owners, index) = two_customers(i64::MAX, &[plan]);
        let row = Row { start_us: utc(start), b_number: Number::e164(31_600_000_002, 11), ..Row::default() };
        let rated = crate::rate(batch(vec![row], &[]), &index, &set.bind(&owners));
        let id = &rated.labels.tariffs[usize::from(rated.columns.tariff[0].min(1))].id;
        rated.reason(0).map_or_else(|| Ok(ids.iter().position(|known| known == id).expect("one of the two")), Err)
    };
    assert_eq!(at("of-summer", "2026-05-31T12:00:00"), Ok(0), "before its days the fallback holds");
    assert_eq!(at("of-summer", "2026-06-15T12:00:00"), Ok(1));
    assert_eq!(at("of-summer", "2026-07-15T12:00:00"), Ok(0));
    assert_eq!(at("of-summer", "2026-12-15T12:00:00"), Err(Reason::NoTariff), "a plan that is sold at other times");
    assert_eq!(at("unheard-of", "2026-06-15T12:00:00"), Ok(0));
    assert_eq!(at("unheard-of", "2026-12-15T12:00:00"), Err(Reason::NoPlan));
    let two = ["one", "two"].map(|name| of(name, "valid_from = 2026-01-01", "fallback_plan = \"basis\"\n"));
    let refused = TariffSet::build(two.into()).map(drop).expect_err("two would hold").to_string();
    assert!(refused.contains("both have a `fallback_plan` on the same days"), "{refused}");
    let two = ["one", "two"].map(|name| of(name, "valid_from = 2026-01-01", "fallback_plan = \"basis\"\n"));
    let given = [("one.toml", &two[0]), ("two.toml", &two[1])].map(|(file, tariff)| Given { file, tariff });
    let places = |given: &[Given<'_>], in_force: &[Tariff]| -> Vec<String> {
        let found = together(given, in_force).into_iter().filter(|f| f.what.contains("fallback_plan"));
        found.map(|f| format!("{} {}", f.rule.as_str(), f.place)).collect()
    };
    assert_eq!(places(&given, &[]), ["date_overlap two.toml"]);
    assert_eq!(places(&given[..1], &[]), [""; 0]);
}
