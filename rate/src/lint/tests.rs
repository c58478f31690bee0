//! One tariff with every fault that loads, one with those that do not, tariffs that do not fit together, and the shipped one.

use crate::lint::versions::{Given, together};
use crate::lint::{Finding, Linted, Rule, Severity, lint};
use crate::tariff::{Tariff, TariffSource};
use crate::tests::fixture::{read, repository, with_tables};

/// Plans stand in lines 32 and 36.
const TOML: &str = r#"name = "faulty"
currency = "EUR"
time_zone = "Europe/Amsterdam"
valid_from = 2026-01-01
valid_to = 2027-01-01
home_zone = "HOME"
default_band = "off"

[rounding]
places = 6
mode = "half_up"

[destinations]
table = "prefixes.csv"

[networks.zones]
204 = "HOME"
262 = "ROAM"
26201 = "ROAM"
26202 = "HOME"

[classes.zones]
MOB = "NL-MOB"

[[band]]
name = "peak"
days = "mon-fri"
from = "08:00"
to = "20:00"


[[plan]]
name = "basis"
mb_bytes = 1000000

[[plan]]
name = "plus"
mb_bytes = 1000000

[prices]
table = "prices.csv"
"#;

const PREFIXES: &str = "prefix,zone\n31,NL-FIX\n316,NL-MOB\n3161,NL-MOB\n49,EU\n882,SAT\n";

const PRICES: &str = "plan,kind,zone,band,setup,minimum,increment,unit_price
basis,voice-mo,NL-FIX,*,0,0,1,0.10
basis,voice-mo,NL-MOB,*,0,0,1,0.10
basis,voice-mo,EU,peak,0,0,1,0.20
basis,voice-mo,SAT,*,0,0,1,9.00
basis,voice-mo,HOME,*,0,0,1,0.05
basis,data,NL-FIX,*,0,0,1,0.01
basis,data,HOME,*,0,0,1,0.01
*,sms-mo,EU,*,0,0,1,0.30
basis,sms-mo,*,*,0,0,1,0.20
plus,sms-mo,EU,*,0,0,1,0.25
plus,data,HOME,*,0,0,1,0
";

fn source(toml: &str, prefixes: &str, prices: &str) -> TariffSource {
    with_tables("faulty.toml", toml, &[("prefixes.csv", prefixes), ("prices.csv", prices)])
}

fn told(findings: &[Finding]) -> Vec<(&'static str, String)> {
    findings.iter().map(|f| (f.rule.as_str(), f.place.to_string())).collect()
}

fn of(findings: &[Finding], rule: Rule) -> Vec<&str> {
    findings.iter().filter(|f| f.rule == rule).map(|f| f.what.as_str()).collect()
}

#[test]
fn every_fault_that_loads_is_found_in_its_place() {
    let Linted { tariff, findings } = lint(&source(TOML, PREFIXES, PRICES));
    assert!(tariff.is_some(), "{findings:#?}");
    let expected = [
        ("missing_price", "faulty.toml line 32"),
        ("missing_price", "faulty.toml line 32"),
        ("missing_price", "faulty.toml line 36"),
        ("missing_price", "faulty.toml line 36"),
        ("unreachable_price", "prices.csv line 6"),
        ("unreachable_price", "prices.csv line 7"),
        ("shadowed_price", "prices.csv line 9"),
        ("redundant_row", "faulty.toml [networks.zones]"),
        ("redundant_row", "prefixes.csv line 4"),
        ("price_jump", "prices.csv line 5"),
        ("crossing_prices", "prices.csv line 10"),
        ("zero_price", "prices.csv line 12"),
    ];
    assert_eq!(told(&findings), expected.map(|(rule, place)| (rule, place.to_owned())), "{findings:#?}");
    assert!(findings.iter().all(|f| !f.remedy.is_empty() && f.severity() != Severity::Error));
}

#[test]
fn findings_say_which_calls_are_meant() {
    let findings = lint(&source(TOML, PREFIXES, PRICES)).findings;
    assert_eq!(
        of(&findings, Rule::MissingPrice),
        [
            "plan `basis` has no price for voice-mo in band off in EU: such records wait as no_price",
            "plan `basis` has no price for voice-mo, data in ROAM: such records wait as no_price",
            "plan `plus` has no price for sms-mo in NL-FIX, NL-MOB, SAT: such records wait as no_price",
            "plan `plus` has no price for sms-mo, data in ROAM: such records wait as no_price",
        ]
    );
    let shadowed =
        "this price (*, sms-mo, EU) is never chosen: more specific ones cover it everywhere, first of all by prices.csv line 10";
    assert_eq!(of(&findings, Rule::ShadowedPrice), [shadowed]);
    assert_eq!(of(&findings, Rule::UnreachablePrice), ["no voice-mo can be in HOME", "no data can be in NL-FIX"]);
    assert_eq!(of(&findings, Rule::ZeroPrice), ["data of plus costs nothing in HOME"]);
    // The zones of basis cost 0.10, 0.10, 0.20 and 9.00 a minute: the lower middle one is 0.10, and 9.00 is 90 times that.
    let jump = "9.00 per 60 s for SAT is 90 times the median of voice-mo in plan `basis` (0.10 per 60 s)";
    assert_eq!(of(&findings, Rule::PriceJump), [jump]);
    let crossing = of(&findings, Rule::CrossingPrices);
    assert!(
        crossing[0].contains("counts for sms-mo of basis in EU, although other prices (such as prices.csv line 9)"),
        "{crossing:?}"
    );
}

#[test]
fn twenty_times_the_median_is_no_jump() {
    let at = |price: &str| {
        let prices = PRICES.replace("9.00", price);
        of(&lint(&source(TOML, PREFIXES, &prices)).findings, Rule::PriceJump).len()
    };
    assert_eq!((at("2.00"), at("2.000000001")), (0, 1));
}

#[test]
fn a_whole_week_of_windows_leaves_the_default_band_idle() {
    let toml = TOML.replace("mon-fri", "mon-sun").replace("08:00", "00:00").replace("20:00", "24:00");
    let prices = format!("{PRICES}basis,voice-mo,EU,off,0,0,1,0.15\n");
    let findings = lint(&source(&toml, PREFIXES, &prices)).findings;
    assert_eq!(of(&findings, Rule::IdleBand).len(), 1);
    assert!(of(&findings, Rule::UnreachablePrice).contains(&"no minute of the week is in band `off`"), "{findings:#?}");
    assert!(!of(&findings, Rule::MissingPrice).iter().any(|what| what.contains("band off")), "{findings:#?}");
}

#[test]
fn a_refused_tariff_tells_every_fault_of_its_tables() {
    let prefixes = "prefix,zone\n0031,NL-FIX\n+316,NL-MOB\n06,NL-MOB\n3-1-7,NL-FIX\n1234567890123456,EU\n49,EU\n49,SAT\n";
    let prices = "plan,kind,zone,band,setup,minimum,increment,unit_price
basis,voice-mo,NL-FIX,*,0,0,1,\"0,10\"
basis,voice-mo,NL-MOB,*,0,0,1,0.10
basis;voice-mo;EU;*;0;0;1;0.20
";
    let Linted { tariff, findings } = lint(&source(TOML, prefixes, prices));
    assert!(tariff.is_none());
    let expected = [
        ("refused", "prefixes.csv line 2"),
        ("prefix_form", "prefixes.csv line 3"),
        ("prefix_form", "prefixes.csv line 4"),
        ("prefix_form", "prefixes.csv line 5"),
        ("prefix_form", "prefixes.csv line 6"),
        ("prefix_twice", "prefixes.csv line 8"),
        ("decimal_mark", "prices.csv line 2"),
        ("separator", "prices.csv line 4"),
    ];
    assert_eq!(told(&findings), expected.map(|(rule, place)| (rule, place.to_owned())), "{findings:#?}");
    let remedies: Vec<&str> = findings.iter().map(|f| f.remedy.as_str()).collect();
    assert_eq!(remedies[0], "write `31`");
    assert_eq!(remedies[1], "write `316`");
    assert_eq!(remedies[2], "write 1 to 15 digits that begin with the country: 316, not 06");
    assert_eq!(remedies[3], "write `317`");
    let mixed = "column `unit_price` mixes decimal marks: 1 with a comma from here on, 1 with a point";
    assert_eq!(of(&findings, Rule::DecimalMark), [mixed]);
}

#[test]
fn a_table_saved_by_a_dutch_spreadsheet_is_told_as_a_whole() {
    let prices = "plan;kind;zone;band;setup;minimum;increment;unit_price\nbasis;voice-mo;NL-FIX;*;0;0;1;0,10\n";
    let findings = lint(&source(TOML, PREFIXES, prices)).findings;
    assert_eq!(told(&findings)[0], ("refused", "prices.csv line 1".to_owned()));
    assert_eq!(of(&findings, Rule::DecimalMark), ["column `unit_price` has decimal commas, 1 from here on"]);
    let split = PRICES.replace("0.10", "0,10");
    let findings = lint(&source(TOML, PREFIXES, &split)).findings;
    assert!(findings.iter().any(|f| f.rule == Rule::Refused && f.place.to_string() == "prices.csv line 2"), "{findings:#?}");
    assert_eq!(findings[0].remedy, "write amounts with a point: 0.10", "not `add or remove commas`");
}

#[test]
fn prefixes_in_the_tariff_file_are_searched_as_well() {
    let toml = TOML.replace(
        "table = \"prefixes.csv\"",
        "[destinations.prefixes]\n\"0049\" = \"EU\"\n\"31 6\" = \"NL-MOB\"\n31 = \"NL-FIX\"",
    );
    let findings = lint(&source(&toml, "", PRICES)).findings;
    assert_eq!(of(&findings, Rule::PrefixForm), ["prefix `0049` begins with 00", "prefix `31 6` has signs beside its digits"]);
}

/// The faulty tariff under a name, in a currency, from one day to another.
fn version(name: &str, currency: &str, from: &str, to: Option<&str>) -> Tariff {
    let to = to.map_or_else(String::new, |to| format!("valid_to = {to}\n"));
    let toml = TOML.replace("\"faulty\"", &format!("\"{name}\"")).replace("EUR", currency);
    let toml = toml.replace("valid_from = 2026-01-01\nvalid_to = 2027-01-01\n", &format!("valid_from = {from}\n{to}"));
    Tariff::load(&source(&toml, PREFIXES, PRICES)).unwrap_or_else(|e| panic!("{e}"))
}

fn beside(given: &[(&str, Tariff)], in_force: &[Tariff]) -> Vec<(&'static str, String)> {
    let given: Vec<Given<'_>> = given.iter().map(|(file, tariff)| Given { file, tariff }).collect();
    told(&together(&given, in_force))
}

#[test]
fn dates_that_meet_are_fine_and_gaps_and_overlaps_are_told() {
    let of_2026 = || ("2026.toml", version("of-2026", "EUR", "2026-01-01", Some("2027-01-01")));
    let from = |day: &str| ("2027.toml", version("of-2027", "EUR", day, None));
    assert_eq!(beside(&[of_2026(), from("2027-01-01")], &[]), []);
    assert_eq!(beside(&[from("2027-01-02"), of_2026()], &[]), [("date_gap", "2027.toml".to_owned())]);
    assert_eq!(beside(&[of_2026(), from("2026-12-31")], &[]), [("date_overlap", "2027.toml".to_owned())]);
    let findings = together(
        &[Given { file: "2027.toml", tariff: &from("2027-02-01").1 }],
        &[version("of-2026", "USD", "2026-01-01", Some("2027-01-01"))],
    );
    let gap = &findings[0];
    assert!(gap.what.starts_with("nobody sells basis, plus from 2027-01-01 to 2027-02-01"), "{gap:?}");
    assert_eq!(findings[1].rule, Rule::CurrencyChange);
    assert!(findings[1].what.contains("is in USD, `of-2027@") && findings[1].what.ends_with("in EUR"), "{findings:?}");
}

#[test]
fn a_version_that_takes_the_place_of_another_must_keep_its_days() {
    let in_force = || [version("nl", "EUR", "2026-01-01", None)];
    let new = |from: &str, to: Option<&str>| ("new.toml", version("nl", "EUR", from, to));
    assert_eq!(beside(&[new("2027-01-01", None)], &in_force()), [("days_lost", "new.toml".to_owned())]);
    assert_eq!(beside(&[new("2026-01-01", Some("2027-01-01"))], &in_force()), [("days_lost", "new.toml".to_owned())]);
    assert_eq!(beside(&[new("2025-01-01", None)], &in_force()), []);
    // Ended here, continued by another name on the same day: nothing is lost.
    let next = ("next.toml", version("nl-2027", "EUR", "2027-01-01", None));
    assert_eq!(beside(&[new("2026-01-01", Some("2027-01-01")), next], &in_force()), []);
    assert_eq!(beside(&[("same.toml", version("nl", "EUR", "2026-01-01", None))], &in_force()), [], "the same version again");
    let twice = beside(&[new("2026-01-01", Some("2027-01-01")), ("b.toml", version("nl", "EUR", "2027-01-01", None))], &[]);
    assert_eq!(twice, [("same_name", "b.toml".to_owned())]);
}

/// The list is kept by hand: plans without satellites (zakelijk-basis, and those that fall back on it), without ships (m2m), and without roaming (vast).
#[test]
fn the_shipped_tariffs_have_no_errors() {
    let findings = lint(&read(&repository("config/tariffs/nl-zakelijk.toml"))).findings;
    let warnings: Vec<&Finding> = findings.iter().filter(|f| f.severity() < Severity::Note).collect();
    assert!(warnings.iter().all(|f| f.rule == Rule::MissingPrice), "{warnings:#?}");
    let what: Vec<&str> = warnings.iter().map(|f| f.what.as_str()).collect();
    assert_eq!(
        what,
        [
            "plan `zakelijk-basis` has no price for voice-mo, voice-fwd in SAT: such records wait as no_price",
            "plan `m2m` has no price for data in ROAM-SEA: such records wait as no_price",
            "plan `vast` has no price for voice-mo, voice-fwd in ROAM-EU, ROAM-SEA, ROAM-WORLD: such records wait as no_price",
            "plan `bellen-100` has no price for voice-mo, voice-fwd in SAT: such records wait as no_price",
            "plan `samen` has no price for voice-mo, voice-fwd in SAT: such records wait as no_price",
        ]
    );
    // Lines of an office call a masked contact for no price; the sample says so in its suspense, too.
    let samples = lint(&read(&repository("config/tariffs/samples.toml"))).findings;
    assert!(samples.iter().all(|f| f.severity() != Severity::Error), "{samples:#?}");
    let office = "plan `sample-voice` has no price for voice-mo, voice-fwd in CONTACT: such records wait as no_price";
    assert_eq!(of(&samples, Rule::MissingPrice), [office]);
}

#[test]
fn a_calendar_must_reach_as_far_as_the_tariff() {
    let with = |dates: &str, to: &str| {
        let toml = TOML.replace("[[band]]", &format!("[[calendar]]\nname = \"feest\"\ndates = [{dates}]\n\n[[band]]"));
        let toml = toml.replace("valid_to = 2027-01-01", to).replace("\"mon-fri\"", "[\"mon-fri\", \"feest\"]");
        let findings = lint(&source(&toml, PREFIXES, PRICES)).findings;
        of(&findings, Rule::StaleCalendar).len()
    };
    let (a_year, two_years) = ("valid_to = 2027-01-01", "valid_to = 2028-01-01");
    assert_eq!(with("2026-12-25", a_year), 0);
    assert_eq!(with("2026-12-25", two_years), 1, "2027 has no holiday");
    assert_eq!(with("2026-12-25, 2027-12-25", two_years), 0);
    assert_eq!(with("2025-12-25", ""), 1, "no date of it lies in the tariff's days");
    assert_eq!(with("2026-12-25", ""), 0, "nobody knows how long the tariff will last");
    assert_eq!(with("2026-12-25", "valid_to = 2027-12-20"), 1, "King's Day of 2027 would be forgotten");
    assert_eq!(with("2026-12-25, 2028-12-25", ""), 1, "2027 is left out");
    assert_eq!(with("2027-12-25", two_years), 1, "2026 has none");
    assert_eq!(with("2026-12-25", "valid_to = 2099-01-01"), 1, "all missing years are one finding");
}

#[test]
fn a_calendar_that_no_band_names_is_told() {
    let toml = TOML.replace("[[band]]", "[[calendar]]\nname = \"feest\"\ndates = [2026-12-25]\n\n[[band]]");
    let findings = lint(&source(&toml, PREFIXES, PRICES)).findings;
    assert_eq!(of(&findings, Rule::IdleCalendar), ["no band names calendar `feest`: its dates count for nothing"]);
    assert_eq!(of(&findings, Rule::StaleCalendar).len(), 0);
}

#[test]
fn rules_have_names_of_their_own() {
    let mut names: Vec<&str> = Rule::ALL.iter().map(|rule| rule.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Rule::ALL.len());
}

#[test]
fn a_hole_in_what_is_lent_is_a_hole_of_whoever_falls_back_on_it() {
    let toml = TOML.replace("[[plan]]\nname = \"plus\"\nmb_bytes = 1000000", "[[plan]]\nname = \"child\"\nfallback = \"basis\"");
    let prices = "plan,kind,zone,band,setup,minimum,increment,unit_price\nbasis,sms-mo,NL-FIX,*,0,0,1,0.09\n";
    let companions = [("prefixes.csv", PREFIXES), ("prices.csv", prices)].map(|(name, text)| (name.to_owned(), text.to_owned()));
    let linted = lint(&TariffSource { name: "lent.toml".to_owned(), toml, companions: companions.into() });
    let holes: Vec<&Finding> = linted.findings.iter().filter(|finding| finding.rule == Rule::MissingPrice).collect();
    for plan in ["basis", "child"] {
        let named = holes.iter().any(|finding| finding.what.contains(&format!("`{plan}`")) && finding.what.contains("NL-MOB"));
        assert!(named, "{plan}: {holes:#?}");
    }
}

/// The faulty tariff with allowances, and what is said of them.
fn of_allowances(allowances: &str) -> Vec<(&'static str, String, String)> {
    let toml = format!("{TOML}{allowances}");
    let Linted { tariff, findings } = lint(&source(&toml, PREFIXES, PRICES));
    assert!(tariff.is_some(), "{findings:#?}");
    let of_rule = findings.into_iter().filter(|f| matches!(f.rule, Rule::IdleAllowance | Rule::UnreachedAllowance));
    of_rule.map(|f| (f.rule.as_str(), f.place.to_string(), f.what)).collect()
}

fn allowance(name: &str, rest: &str) -> String {
    format!("\n[[allowance]]\nname = \"{name}\"\n{rest}\n")
}

#[test]
fn an_allowance_of_what_is_free_anyway_is_told() {
    let told = |zone: &str, gives: &str| {
        of_allowances(&allowance("bytes", &format!("plan = [\"plus\"]\nkind = \"data\"\nzone = {zone}\n{gives}")))
    };
    let what = "allowance `bytes` covers nothing that costs anything: what it covers is free by the price at prices.csv line 12";
    let expected = [("idle_allowance", "faulty.toml line 43".to_owned(), what.to_owned())];
    assert_eq!(told("\"HOME\"", "units = 1000"), expected);
    assert_eq!(told("\"*\"", "units = 1000"), expected, "no price is there in other zones");
    assert_eq!(told("\"HOME\"", "money = \"5\""), expected);
    // The other plan pays for data at home.
    let both = allowance("bytes", "plan = \"*\"\nkind = \"data\"\nzone = \"HOME\"\nunits = 1000");
    assert_eq!(of_allowances(&both), []);
}

#[test]
fn fees_and_what_numbers_ask_are_something_that_costs() {
    let toml = |more: &str, allowance: &str| {
        let price = format!("[[price]]\nplan = \"*\"\nkind = \"voice-mo\"\nzone = \"NL-FIX\"\nunit_price = \"0\"\n{more}");
        let text = "[[allowance]]\nname = \"a\"\nplan = \"basis\"\nkind = \"voice-mo\"\nzone = \"NL-FIX\"";
        TOML.replace("[prices]\ntable = \"prices.csv\"\n", &format!("{price}\n\n{text}\n{allowance}\n"))
    };
    let idle = |more: &str, allowance: &str| {
        let Linted { tariff, findings } = lint(&source(&toml(more, allowance), PREFIXES, PRICES));
        assert!(tariff.is_some(), "{findings:#?}");
        of(&findings, Rule::IdleAllowance).len()
    };
    assert_eq!(idle("", "units = 60"), 1);
    for fee in ["setup = \"0.05\"", "disconnect = \"0.05\"", "charge_min = \"0.05\""] {
        assert_eq!(idle(fee, "units = 60"), 0, "{fee}");
    }
    assert_eq!(idle("setup = \"0.05\"", "units = 60\nsetup = \"always\""), 1, "the fee is charged all the same");
    // Units leave what a number asks; money pays for it.
    assert_eq!(idle("information = \"cost\"", "units = 60"), 1);
    assert_eq!(idle("information = \"cost\"", "money = \"5\""), 0);
}

#[test]
fn what_always_comes_after_an_allowance_without_an_end_is_told() {
    let of = |name: &str, zone: &str, rest: &str| {
        allowance(name, &format!("plan = \"basis\"\nkind = \"voice-mo\"\nzone = {zone}\n{rest}"))
    };
    let endless = of("endless", "[\"NL-FIX\", \"NL-MOB\"]", "unlimited = true");
    let after = |allowance: &str| of_allowances(&format!("{endless}{allowance}"));
    let what = "allowance `minutes` is never reached by basis: `endless` (faulty.toml line 43) comes first, has \
                no end and covers all that it covers";
    let expected = [("unreached_allowance", "faulty.toml line 50".to_owned(), what.to_owned())];
    assert_eq!(after(&of("minutes", "\"NL-MOB\"", "units = 600")), expected);
    assert_eq!(after(&of("minutes", "[\"NL-MOB\", \"HOME\"]", "unlimited = true")), expected, "no call can be to HOME");
    assert_eq!(after(&of("minutes", "\"NL-MOB\"", "units = 600\npriority = -1")), [], "it goes first");
    assert_eq!(after(&of("minutes", "[\"NL-MOB\", \"EU\"]", "units = 600")), [], "EU is left to it");
    assert_eq!(after(&of("minutes", "\"NL-MOB\"", "units = 600\nroll_over = 1")), [], "the next cycle takes it first");
    assert_eq!(after(&of("credit", "\"NL-MOB\"", "money = \"5\"")), [], "money is for what units leave");
    // Two of them, each of which covers a part.
    let others = of("eu", "\"EU\"", "unlimited = true") + &of("minutes", "[\"NL-MOB\", \"EU\"]", "units = 600");
    let both = "allowance `minutes` is never reached by basis: `endless` (faulty.toml line 43), `eu` \
                (faulty.toml line 50) come first, have no end and cover all that it covers";
    assert_eq!(after(&others).into_iter().map(|(.., what)| what).collect::<Vec<_>>(), [both]);
}

#[test]
fn who_is_called_and_who_else_draws_leave_something_to_an_allowance() {
    let of =
        |name: &str, plan: &str, rest: &str| allowance(name, &format!("plan = {plan}\nkind = \"sms-mo\"\nzone = \"EU\"\n{rest}"));
    let among_us = of("us", "\"*\"", "party = \"own_network\"\nunlimited = true");
    let told = |first: &str, then: &str| of_allowances(&format!("{first}{then}")).len();
    assert_eq!(told(&among_us, &of("rest", "\"*\"", "units = 100")), 0, "others are called, too");
    assert_eq!(told(&among_us, &of("own", "\"*\"", "party = \"own_customer\"\nunits = 100")), 1);
    let endless = of("endless", "\"basis\"", "unlimited = true");
    assert_eq!(told(&endless, &of("own", "\"*\"", "units = 100")), 1, "no line of basis gets to it");
    assert_eq!(
        told(&endless, &of("pool", "\"*\"", "scope = \"pooled\"\nunits = 100")),
        0,
        "lines of plus draw what basis brings"
    );
    assert_eq!(told(&endless, &of("pool", "\"basis\"", "scope = \"pooled\"\nunits = 100")), 1);
}

#[test]
fn an_allowance_that_takes_coarser_than_the_price_beyond_it_is_fine() {
    let hourly = allowance("hours", "plan = \"basis\"\nkind = \"voice-mo\"\nzone = \"EU\"\nunits = 36_000\nincrement = 3_600");
    assert_eq!(of_allowances(&hourly), []);
}
