//! What loading a tariff refuses, in which words; versions, dates and wildcards.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ports::Disposition;

use crate::tariff::set::TariffSet;
use crate::tariff::{Tariff, TariffSource, companion_names};
use crate::tests::fixture::{inline, read, repository, utc, with_tables};

const TOML: &str = r#"
name = "small"
currency = "EUR"
time_zone = "Europe/Amsterdam"
valid_from = 2026-01-01
home_zone = "HOME"
default_band = "off"

[rounding]
places = 6
mode = "half_up"

[destinations]
table = "prefixes.csv"

[[band]]
name = "peak"
days = "mon-fri"
from = "08:00"
to = "20:00"

[[plan]]
name = "basis"
mb_bytes = 1000000

[prices]
table = "prices.csv"
"#;

const PREFIXES: &str = "prefix,zone\n31,NL-FIX\n316,NL-MOB\n";
const PRICES: &str = "plan,kind,zone,band,setup,minimum,increment,unit_price\nbasis,voice-mo,NL-FIX,*,0,0,1,0.10\n";

fn source(toml: &str, prefixes: &str, prices: &str) -> TariffSource {
    let notes = ("notes.csv", "not named by the tariff");
    with_tables("small.toml", toml, &[("prefixes.csv", prefixes), ("prices.csv", prices), notes])
}

fn refusal(source: &TariffSource) -> String {
    match Tariff::load(source) {
        Ok(tariff) => format!("loaded {}", tariff.id()),
        Err(error) => {
            assert_eq!(error.disposition(), Disposition::Stop);
            error.to_string()
        }
    }
}

/// The refusal after one replacement in the TOML text.
fn with(old: &str, new: &str) -> String {
    assert!(TOML.contains(old), "{old}");
    refusal(&source(&TOML.replace(old, new), PREFIXES, PRICES))
}

fn with_price(row: &str) -> String {
    refusal(&source(TOML, PREFIXES, &format!("{PRICES}{row}\n")))
}

fn set(tariffs: Vec<Tariff>) -> Result<TariffSet, String> {
    TariffSet::build(tariffs).map_err(|e| e.to_string())
}

#[test]
fn a_misspelt_key_is_named_with_its_line_and_the_nearest_key() {
    assert_eq!(with("time_zone", "timezone"), "small.toml line 4: unknown key `timezone`; did you mean `time_zone`?");
    assert_eq!(with("mode =", "mood ="), "small.toml line 11: unknown key `mood`; did you mean `mode`?");
    let price = "mb_bytes = 1000000\n[[price]]\nplan = \"basis\"\nkind = \"data\"\nzone = \"*\"\nunitprice = \"1\"";
    let text = with("mb_bytes = 1000000", price);
    assert!(text.ends_with("unknown key `unitprice`; did you mean `unit_price`?"), "{text}");
    let far = with("home_zone", "colour");
    assert!(far.starts_with("small.toml line 6: unknown key `colour`; known here: name, currency,"), "{far}");
}

#[test]
fn a_missing_field_and_broken_toml_name_their_place() {
    assert_eq!(with("currency = \"EUR\"\n", ""), "small.toml line 1: missing field `currency`");
    assert!(with("places = 6", "places = ").starts_with("small.toml line 10: "));
}

#[test]
fn values_of_the_tariff_file_are_checked_one_by_one() {
    for (old, new, text) in [
        ("\"EUR\"", "\"eur\"", "small.toml: `currency` is `eur`; three capital letters such as EUR are expected"),
        (
            "Europe/Amsterdam",
            "Europe/Utrecht",
            "small.toml: `time_zone` is `Europe/Utrecht`; a zone name such as Europe/Amsterdam is expected",
        ),
        (
            "2026-01-01",
            "2026-01-01T00:00:00",
            "small.toml: `valid_from` is `2026-01-01T00:00:00`; a date such as 2026-01-01 is expected, from 1970 to 2099",
        ),
        (
            "2026-01-01",
            "2026-01-01\nvalid_to = 2026-01-01",
            "small.toml: `valid_to` is `2026-01-01`; it is the first day that is no longer in force, so after `valid_from`",
        ),
        ("places = 6", "places = 10", "small.toml: `rounding.places` is `10`; a whole number from 0 to 9 is expected"),
        ("half_up", "bankers", "small.toml: `rounding.mode` is `bankers`; `half_up`, `half_even`, `up` or `down` is expected"),
        (
            "name = \"small\"",
            "name = \"a/b\"",
            "small.toml: `name` is `a/b`; id `a/b` has the character '/'; letters, digits and `. _ - @ : +` are allowed; give it a plain name",
        ),
        (
            "prefixes.csv",
            "../prefixes.csv",
            "small.toml: `destinations.table` is `../prefixes.csv`; the name of a file beside the tariff is expected, without folders",
        ),
        (
            "prefixes.csv",
            "prefix.csv",
            "small.toml: `destinations.table` names `prefix.csv`, which is not there; put the file beside the tariff",
        ),
        (
            "mb_bytes = 1000000",
            "mb_bytes = 0",
            "small.toml line 22: `mb_bytes` is `0`; a whole number from 1 to 1000000000000 is expected",
        ),
        (
            "mb_bytes = 1000000",
            "[[plan]]\nname = \"basis\"",
            "small.toml line 24: plan `basis` is already defined at small.toml line 22; keep one of the two",
        ),
        (
            "mb_bytes = 1000000",
            "[[plan]]\nname = \"plus\"",
            "small.toml line 24: `plan` is `plus`; no price names this plan; add its prices or remove the plan",
        ),
        (
            "home_zone",
            "band_clock = \"phone\"\nhome_zone",
            "small.toml: `band_clock` is `phone`; `tariff_zone` or `source_offset` is expected",
        ),
        ("home_zone", "zero_usage = \"no\"\nhome_zone", "small.toml: `zero_usage` is `no`; `free` or `priced` is expected"),
    ] {
        assert_eq!(with(old, new), text);
    }
}

#[test]
fn what_a_price_is_of_is_a_record_or_says_what_counts_together() {
    let head = |scope: &str| with("home_zone", &format!("rounding_scope = \"{scope}\"\nhome_zone"));
    let expected = "`record` or `session` is expected; periods have a `total` and stand in a price";
    assert_eq!(head("cycle"), format!("small.toml: `rounding_scope` is `cycle`; {expected}"));
    assert!(head("record").starts_with("loaded small@") && head("session").starts_with("loaded small@"));
    let priced = |terms: &str| {
        let price = format!("[[price]]\nplan = \"basis\"\nkind = \"data\"\nzone = \"*\"\nunit_price = \"1\"\n{terms}");
        with("mb_bytes = 1000000", &format!("mb_bytes = 1000000\n{price}"))
    };
    let refused = |terms: &str, text: &str| assert_eq!(priced(terms), format!("small.toml line 25: {text}"));
    assert!(priced("rounding_scope = \"session\"").starts_with("loaded small@"));
    assert!(priced("rounding_scope = \"week\"\ntotal = \"t\"\ntotal_scope = \"shared\"").starts_with("loaded small@"));
    let scopes = "`record`, `session`, `day`, `week`, `cycle` or `quarter` is expected";
    refused("rounding_scope = \"call\"", &format!("`rounding_scope` is `call`; {scopes}"));
    refused("rounding_scope = \"day\"", "`total` is `absent`; a name is expected: prices of one `total` count together");
    let alone = "it is for prices over several records; add a `rounding_scope` such as \"cycle\"";
    refused("total = \"t\"", &format!("`total` is `set`; {alone}"));
    refused("count = \"volume\"", &format!("`count` is `set`; {alone}"));
    refused("rounding_scope = \"session\"\ntotal = \"t\"", "`total` is `set`; a session is counted by its own id; remove it");
    let over = "of a `rounding_scope` of cycle; remove one of the two";
    let cycle = "rounding_scope = \"cycle\"\ntotal = \"t\"";
    refused(&format!("{cycle}\nfree_units = 5"), &format!("`free_units` is `set`; free units are each record's, and not {over}"));
}

#[test]
fn discounts_say_percents_in_rising_order() {
    let discount = |more: &str| {
        let text = format!("[[discount]]\nname = \"d\"\nplan = \"*\"\nkind = \"*\"\nzone = \"*\"\n{more}");
        with("mb_bytes = 1000000", &format!("mb_bytes = 1000000\n{text}"))
    };
    let steps = |steps: &str| discount(&format!("steps = [{steps}]"));
    assert!(steps("{ from = \"0\", percent = \"-5\" }, { from = \"10.00\", percent = \"-7.5\" }").starts_with("loaded small@"));
    let refused = |found: String, text: &str| assert_eq!(found, format!("small.toml line 25: {text}"));
    refused(steps(""), "`steps` is `0 steps`; 1 to 16 steps are expected");
    refused(steps("{ from = \"1\", percent = \"0\" }"), "`steps.from` is `1`; the first step begins at 0");
    let twice = "{ from = \"0\", percent = \"0\" }, { from = \"0.00\", percent = \"-1\" }";
    refused(steps(twice), "`steps.from` is `0.00`; steps are listed in rising order");
    let one = "steps = [{ from = \"0\", percent = \"-1\" }]";
    refused(discount(&format!("scope = \"pooled\"\n{one}")), "`scope` is `pooled`; `personal`, `shared` or `group` is expected");
    refused(discount(&format!("count = \"tiered\"\n{one}")), "`count` is `tiered`; `graduated` or `volume` is expected");
}

#[test]
fn fees_and_bounds_of_a_record_are_checked_wherever_they_are_written() {
    let priced = |terms: &str| {
        let price = format!("[[price]]\nplan = \"basis\"\nkind = \"data\"\nzone = \"*\"\n{terms}");
        with("mb_bytes = 1000000", &format!("mb_bytes = 1000000\n{price}"))
    };
    assert_eq!(
        priced("unit_price = \"1\"\ncharge_min = \"0.50\"\ncharge_max = \"0.10\""),
        "small.toml line 25: `charge_max` is `0.10`; at least as much as `charge_min` is expected"
    );
    assert!(priced("unit_price = \"1\"\ncharge_min = \"0.50\"\ncharge_max = \"0.50\"").starts_with("loaded small@"));
    assert_eq!(
        priced("unit_price = \"1\"\nfree_units = -1"),
        "small.toml line 25: `free_units` is `-1`; a whole number from 0 to 1000000000000 is expected"
    );
    assert_eq!(
        priced("cost_plus = { percent = \"15\" }\ndisconnect = \"0.01\""),
        "small.toml line 25: `cost_plus` is `set`; a price has either `cost_plus` or `disconnect`; remove one"
    );
    assert_eq!(
        priced("unit_price = \"1\"\ncharge_max = \"0.0000005\""),
        "small.toml line 25: `charge_max` is `0.0000005`; at most 6 places are expected, as charges have after rounding"
    );
    let columns = "plan,kind,zone,band,setup,minimum,increment,unit_price,disconnect,free_units,charge_min,charge_max";
    let row = |fees: &str| refusal(&source(TOML, PREFIXES, &format!("{columns}\nbasis,voice-mo,NL-FIX,*,0,0,1,0.10,{fees}\n")));
    let expected = "an amount such as \"0.05\" is expected, 0 to 1000000, at most 9 places";
    assert_eq!(row("free,,,"), format!("prices.csv line 2: `disconnect` is `free`; {expected}"));
    assert_eq!(row(",ten,,"), "prices.csv line 2: `free_units` is `ten`; a whole number from 0 to 1000000000000 is expected");
    assert_eq!(row(",,1,0.99"), "prices.csv line 2: `charge_max` is `0.99`; at least as much as `charge_min` is expected");
}

#[test]
fn bands_refuse_impossible_times_and_two_answers_for_one_minute() {
    for (old, new, text) in [
        ("\"08:00\"", "\"8:00\"", "small.toml line 16: `from` is `8:00`; a time from 00:00 to 24:00 is expected"),
        ("\"20:00\"", "\"24:01\"", "small.toml line 16: `to` is `24:01`; a time from 00:00 to 24:00 is expected"),
        (
            "\"20:00\"",
            "\"08:00\"",
            "small.toml line 16: `to` is `08:00`; another time than `from` is expected; a whole day is 00:00 to 24:00",
        ),
        (
            "mon-fri",
            "mon-fry",
            "small.toml line 16: `days` is `mon-fry`; days are mon, tue, wed, thu, fri, sat, sun, a range such as mon-fri, or the name of a [[calendar]]",
        ),
        (
            "[[plan]]",
            "[[band]]\nname = \"night\"\ndays = \"thu\"\nfrom = \"19:00\"\nto = \"07:00\"\n[[plan]]",
            "small.toml line 22: the windows of two bands meet on thu 19:00, the other one is at small.toml line 16; shorten one of them",
        ),
    ] {
        assert_eq!(with(old, new), text);
    }
}

/// The refusal of a tariff with these calendars and one more band in place of its plan's line.
fn with_calendar(calendar: &str, band: &str) -> String {
    with("[[plan]]", &format!("[[calendar]]\n{calendar}\n[[band]]\nname = \"quiet\"\n{band}\n[[plan]]"))
}

#[test]
fn calendars_and_the_bands_that_name_them_are_checked() {
    let nl = "name = \"holidays\"\ndates = [2026-12-25]";
    let day = "from = \"00:00\"\nto = \"24:00\"";
    let of = |band: &str| with_calendar(nl, &format!("{band}\n{day}"));
    assert!(of("days = [\"sat\", \"sun\"]").starts_with("loaded"));
    for (band, text) in [
        (
            "days = \"holliday\"",
            "small.toml line 25: `days` is `holliday`; days are mon, tue, wed, thu, fri, sat, sun, a range such as mon-fri, \
             or the name of a [[calendar]]; did you mean `holidays`?",
        ),
        ("days = \"sun\"\nexcept = \"sat\"", "small.toml line 25: `except` is `sat`; the name of a [[calendar]] is expected"),
        // Christmas Day 2026 is a Friday, and `peak` does not leave it out.
        (
            "days = \"holidays\"",
            "small.toml line 25: the windows of two bands meet on 2026-12-25 08:00, the other one is at small.toml line 16; shorten one of them",
        ),
    ] {
        assert_eq!(of(band), text);
    }
    // Saturday, into which a window of Christmas Day's evening reaches.
    let night = "days = \"holidays\"\nfrom = \"20:00\"\nto = \"02:00\"";
    let early = "[[band]]\nname = \"early\"\ndays = \"sat\"\nfrom = \"01:00\"\nto = \"03:00\"";
    assert_eq!(
        with_calendar(nl, &format!("{night}\n{early}")),
        "small.toml line 30: the windows of two bands meet on 2026-12-26 01:00, the other one is at small.toml line 25; shorten one of them"
    );
    let sunday = format!("days = \"sun\"\n{day}");
    let date = "a date such as 2026-12-25 is expected, from 1970 to 2099";
    for (calendar, text) in [
        (
            "name = \"mon-fri\"\ndates = [2026-12-25]",
            "`name` is `mon-fri`; days have this name; give the calendar another".to_owned(),
        ),
        ("name = \"none\"", "`dates` is `[]`; a calendar without dates says nothing; add dates or remove it".to_owned()),
        ("name = \"x\"\ndates = [2100-01-01]", format!("`dates` is `2100-01-01`; {date}")),
        ("name = \"x\"\ndates = [2026-12-25T00:00:00]", format!("`dates` is `2026-12-25T00:00:00`; {date}")),
    ] {
        assert_eq!(with_calendar(calendar, &sunday), format!("small.toml line 22: {text}"));
    }
    let twice = format!("{nl}\n[[calendar]]\n{nl}");
    assert!(with_calendar(&twice, &sunday).contains("line 25: calendar `holidays` is already defined at small.toml line 22"));
}

#[test]
fn a_calendar_may_be_a_table_and_names_the_line_that_is_no_date() {
    let toml = TOML.replace("[[plan]]", "[[calendar]]\nname = \"holidays\"\ntable = \"notes.csv\"\n[[plan]]");
    let with_table = |text: &str| {
        let mut source = source(&toml, PREFIXES, PRICES);
        source.companions.insert("notes.csv".to_owned(), text.to_owned());
        refusal(&source)
    };
    assert!(with_table("date,name\n2026-12-25,Christmas Day\n2026-12-26,Boxing Day\n").starts_with("loaded"));
    let said = with_table("date\n2026-12-25\n25-12-2027\n");
    assert_eq!(said, "notes.csv line 3: `date` is `25-12-2027`; a date such as 2026-12-25 is expected, from 1970 to 2099");
    assert_eq!(companion_names(&toml), ["notes.csv", "prefixes.csv", "prices.csv"]);
}

#[test]
fn prices_that_are_to_be_cut_at_an_edge_must_go_together() {
    let cut = |edge: &str, peak: &str| {
        let toml = TOML.replace("mb_bytes = 1000000", &format!("mb_bytes = 1000000\nband_edge = \"{edge}\""));
        let peak = format!("[[price]]\nplan = \"basis\"\nkind = \"voice-mo\"\nzone = \"NL-FIX\"\nband = \"peak\"\n{peak}\n");
        refusal(&source(&format!("{toml}{peak}"), PREFIXES, PRICES))
    };
    let unit = "unit_price = \"0.10\"";
    assert_eq!(cut("middle", unit), "small.toml line 22: `band_edge` is `middle`; `start`, `increment` or `anew` is expected");
    for edge in ["increment", "anew"] {
        assert!(cut(edge, &format!("{unit}\nper = 1")).starts_with("loaded"));
        assert_eq!(
            cut(edge, "cost_plus = { percent = \"15\" }"),
            "small.toml line 29: `cost_plus` is `given`; a price per unit is expected, because plan `basis` cuts calls at the edge of a band"
        );
        let said = cut(edge, &format!("{unit}\nper = 999999999989"));
        assert!(said.contains("a size that goes together with those of the other bands is expected, such as 60"), "{said}");
    }
    assert!(cut("start", "cost_plus = { percent = \"15\" }").starts_with("loaded"), "the start decides: nothing is cut");
}

#[test]
fn a_plan_falls_back_on_one_that_is_there_and_not_on_itself() {
    let plans = |more: &str| with("[[plan]]", &format!("{more}\n[[plan]]"));
    assert!(plans("[[plan]]\nname = \"small\"\nfallback = \"basis\"").starts_with("loaded"), "it needs no price of its own");
    assert_eq!(
        plans("[[plan]]\nname = \"small\"\nfallback = \"basiss\""),
        "small.toml line 22: `fallback` is `basiss`, but no plan has that name; did you mean `basis`?"
    );
    assert_eq!(
        plans("[[plan]]\nname = \"small\"\nfallback = \"small\""),
        "small.toml line 22: `fallback` is `small`; a plan that does not fall back on this one is expected: small → small"
    );
    let idle = "[[plan]]\nname = \"idle\"\nfallback = \"a\"\n";
    let circle = "[[plan]]\nname = \"a\"\nfallback = \"b\"\n[[plan]]\nname = \"b\"\nfallback = \"c\"\n[[plan]]\nname = \"c\"\nfallback = \"a\"";
    assert_eq!(
        plans(&format!("{idle}{circle}")),
        "small.toml line 25: `fallback` is `b`; a plan that does not fall back on this one is expected: a → b → c → a"
    );
    let all = "[[price]]\nplan = \"*\"\nkind = \"*\"\nzone = \"*\"\nunit_price = \"0.2\"\n";
    let text =
        TOML.replace("[[plan]]", &format!("{all}[[plan]]\nname = \"small\"\nfallback = \"basis\"\nmb_bytes = 1000000\n[[plan]]"));
    let said = refusal(&source(&text, PREFIXES, PRICES));
    assert!(said.contains("line 27: `fallback` is `basis`; it lends no price") && said.contains("perhaps by `*`"), "{said}");
}

#[test]
fn plans_in_a_table_say_their_fallback_and_edge_there() {
    let toml = TOML.replace("[[plan]]\nname = \"basis\"\nmb_bytes = 1000000", "[plans]\ntable = \"plans.csv\"");
    let with_plans = |text: &str| {
        let mut source = source(&toml, PREFIXES, PRICES);
        source.companions.insert("plans.csv".to_owned(), text.to_owned());
        refusal(&source)
    };
    let head = "plan,mb_bytes,band_edge,fallback\nbasis,1000000,anew,\n";
    assert!(with_plans(&format!("{head}small,,,basis\n")).starts_with("loaded"));
    assert_eq!(
        with_plans(&format!("{head}small,,,basics\n")),
        "plans.csv line 3: `fallback` is `basics`, but no plan has that name; did you mean `basis`?"
    );
    let said = with_plans(&format!("{head}small,,later,basis\n"));
    assert_eq!(said, "plans.csv line 3: `band_edge` is `later`; `start`, `increment` or `anew` is expected");
}

#[test]
fn calendars_have_limits_and_dates_beyond_the_tariff_count_for_nothing() {
    let of = |calendars: &str| with("[[plan]]", &format!("{calendars}\n[[plan]]"));
    let many = (0..101).map(|n| format!("[[calendar]]\nname = \"c{n}\"\ndates = [2026-12-25]")).collect::<Vec<_>>().join("\n");
    assert!(of(&many).contains("calendars"), "{}", of(&many));
    let dates = |count: usize| (0..count).map(|n| format!("20{:02}-{:02}-01", n % 99, n % 12 + 1)).collect::<Vec<_>>().join(", ");
    assert!(of(&format!("[[calendar]]\nname = \"c\"\ndates = [{}]", dates(5_001))).contains("dates in calendars"));
    assert!(of(&format!("[[calendar]]\nname = \"c\"\ndates = [{}]", dates(5_000))).starts_with("loaded"));
    // Christmas Day 2025 was a Thursday: `peak` clashes on it, before the tariff is in force.
    let old = "[[calendar]]\nname = \"old\"\ndates = [2025-12-25]\n[[band]]\nname = \"quiet\"\ndays = \"old\"\nfrom = \"00:00\"\nto = \"24:00\"";
    assert!(of(old).starts_with("loaded"), "{}", of(old));
    assert!(of(&old.replace("2025", "2026")).contains("meet on 2026-12-25 08:00"));
}

#[test]
fn values_that_want_quotes_or_none_are_told_so() {
    assert_eq!(
        with("valid_from = 2026-01-01", "valid_from = \"2026-01-01\""),
        "small.toml line 5: `valid_from` is a text; write the date without quotes: valid_from = 2026-01-01"
    );
    assert_eq!(
        with("from = \"08:00\"", "from = 08:00  # early"),
        "small.toml line 19: `from` is 08:00; write it in quotes: from = \"08:00\""
    );
    let price = "[[price]]\nplan = \"basis\"\nkind = \"sms-mo\"\nzone = \"*\"\nunit_price = 0.12\n[prices]";
    assert_eq!(with("[prices]", price), "small.toml line 30: `unit_price` is 0.12; write it in quotes: unit_price = \"0.12\"");
    assert!(with("places = 6", "places = \"six\"").starts_with("small.toml line 10: invalid type"), "what is no such slip stays");
}

#[test]
fn companion_rows_name_file_line_and_column() {
    for (prefixes, text) in [
        ("prefix,zone\n+31,NL\n", "prefixes.csv line 2: `prefix` is `+31`; 1 to 15 digits are expected"),
        (
            "prefix,zone\n31,N L\n",
            "prefixes.csv line 2: `zone` is `N L`; id `N L` has the character ' '; letters, digits and `. _ - @ : +` are allowed; give it a plain name",
        ),
        ("prefix,zone\n31\n", "prefixes.csv line 2: the row has 1 fields, the header has 2; add or remove commas"),
        ("prefix;zone\n31;NL\n", "prefixes.csv line 1: unknown column `prefix;zone`"),
        ("prefx,zone\n31,NL\n", "prefixes.csv line 1: unknown column `prefx`; did you mean `prefix`?"),
        ("zone\nNL\n", "prefixes.csv line 1: column `prefix` is missing; the header has zone"),
        (
            "prefix,zone,zone\n31,NL,NL\n",
            "prefixes.csv line 1: column `zone` is already defined at prefixes.csv line 1; keep one of the two",
        ),
        (
            "prefix,zone\n31,NL-FIX\n316,NL-MOB\n31,NL-MOB\n",
            "prefixes.csv line 4: prefix `31` is already defined at prefixes.csv line 2; keep one of the two",
        ),
    ] {
        assert_eq!(refusal(&source(TOML, prefixes, PRICES)), text);
    }
}

#[test]
fn price_rows_are_checked_against_the_tariff_and_its_limits() {
    for (row, text) in [
        (
            "basis,voice-mo,NL-MBO,*,0,0,1,0.10",
            "prices.csv line 3: `zone` is `NL-MBO`, but no destination, network or class leads there; did you mean `NL-MOB`?",
        ),
        (
            "basis,voice-mo,NL-MOB,peek,0,0,1,0.10",
            "prices.csv line 3: `band` is `peek`, but no [[band]] has that name; did you mean `peak`?",
        ),
        (
            "basiss,voice-mo,NL-MOB,*,0,0,1,0.10",
            "prices.csv line 3: `plan` is `basiss`, but no plan has that name; did you mean `basis`?",
        ),
        (
            "basis,voice-mo,NL-MOB,*,0,0,0,0.10",
            "prices.csv line 3: `increment` is `0`; a whole number from 1 to 1000000000000 is expected",
        ),
        (
            "basis,voice-mo,NL-MOB,*,0,-1,1,0.10",
            "prices.csv line 3: `minimum` is `-1`; a whole number from 0 to 1000000000000 is expected",
        ),
        (
            "basis,voice-mo,NL-MOB,*,0,0,1,0\u{b7}10",
            "prices.csv line 3: `unit_price` is `0\u{b7}10`; an amount such as \"0.05\" is expected, 0 to 1000000, at most 9 places",
        ),
        (
            "basis,voice-mo,NL-MOB,*,-0.01,0,1,0.10",
            "prices.csv line 3: `setup` is `-0.01`; an amount such as \"0.05\" is expected, 0 to 1000000, at most 9 places",
        ),
        (
            "basis,voice-mo,NL-MOB,*,0,0,1,1000000.01",
            "prices.csv line 3: `unit_price` is `1000000.01`; an amount such as \"0.05\" is expected, 0 to 1000000, at most 9 places",
        ),
        (
            "basis,voice-mo,NL-FIX,*,0,0,1,0.20",
            "prices.csv line 3: a price for the same plan, kind, zone, party and band is already defined at prices.csv line 2; keep one of the two",
        ),
    ] {
        assert_eq!(with_price(row), text);
    }
    let kind = with_price("basis,voice,NL-MOB,*,0,0,1,0.10");
    assert!(kind.starts_with("prices.csv line 3: `kind` is `voice`; one of voice-mo, voice-mt,"), "{kind}");
}

#[test]
fn data_by_the_megabyte_needs_the_plans_megabyte() {
    let row = "basis,data,HOME,*,0,0,1,0.10\n";
    let toml = TOML.replace("mb_bytes = 1000000\n", "");
    assert_eq!(
        refusal(&source(&toml, PREFIXES, &format!("{PRICES}{row}"))),
        "small.toml line 22: `mb_bytes` is `absent`; the plan sells data by the megabyte, so it needs `mb_bytes` (1000000 or \
         1048576); or give the price at prices.csv line 3 a `per`"
    );
}

#[test]
fn steps_and_cost_plus_refuse_what_has_no_meaning() {
    let price = |terms: &str| {
        let price = format!("mb_bytes = 1000000\n[[price]]\nplan = \"basis\"\nkind = \"sms-mo\"\nzone = \"NL-MOB\"\n{terms}");
        with("mb_bytes = 1000000", &price)
    };
    let step = |from: i64, increment: i64| format!("{{ from = {from}, increment = {increment}, unit_price = \"0.1\" }}");
    for (terms, text) in [
        (format!("steps = [{}]", step(1, 1)), "`steps.from` is `1`; the first step begins at 0"),
        (format!("steps = [{}, {}]", step(0, 1), step(0, 1)), "`steps.from` is `0`; steps are listed in rising order"),
        (
            format!("minimum = 60\nsteps = [{}, {}]", step(0, 60), step(90, 1)),
            "`steps.from` is `90`; the step before bills 60 units at a time from 60 on, so it must end on a multiple of that",
        ),
        ("steps = []".to_owned(), "`steps` is `0 steps`; 1 to 16 steps are expected"),
        (
            "unit_price = \"1\"\ncost_plus = { percent = \"15\" }".to_owned(),
            "`cost_plus` is `set`; a price has either `cost_plus` or `unit_price`; remove one",
        ),
        (
            "cost_plus = { percent = \"-101\" }".to_owned(),
            "`cost_plus.percent` is `-101`; a percentage such as \"15\" or \"7.5\" is expected, -100 to 10000",
        ),
        (
            "minimum = 60".to_owned(),
            "`price` is `incomplete or double`; a price has `unit_price` (with `increment`), or `steps`, or `cost_plus`: exactly one of them",
        ),
    ] {
        assert_eq!(price(&terms), format!("small.toml line 25: {text}"));
    }
}

#[test]
fn columns_may_have_other_names() {
    let prices = "abonnement,soort,zone,band,setup,minimum,increment,unit_price\nbasis,voice-mo,NL-FIX,*,0,0,1,0.10\n";
    let toml = format!("{TOML}columns = {{ plan = \"abonnement\", kind = \"soort\" }}\n");
    assert!(refusal(&source(&toml, PREFIXES, prices)).starts_with("loaded small@"));
    let toml = format!("{TOML}columns = {{ plann = \"abonnement\" }}\n");
    assert_eq!(refusal(&source(&toml, PREFIXES, prices)), "prices.csv: unknown column `plann`; did you mean `plan`?");
    let swapped = "plan,kind,zone,band,minimum,setup,increment,unit_price\nbasis,voice-mo,NL-FIX,*,0.05,60,1,0.10\n";
    let toml = format!("{TOML}columns = {{ setup = \"minimum\", minimum = \"setup\" }}\n");
    assert!(refusal(&source(&toml, PREFIXES, swapped)).starts_with("loaded small@"), "each of the two is named");
}

#[test]
fn a_column_that_two_names_lead_to_or_none_is_refused() {
    let refused = |columns: &str| refusal(&source(&format!("{TOML}columns = {{ {columns} }}\n"), PREFIXES, PRICES));
    assert_eq!(
        refused("charge_min = \"minimum\""),
        "prices.csv line 1: `columns` is `minimum`; it would be read as `minimum` and `charge_min`; one column holds one thing: name the \
         other's column, too"
    );
    let both = refused("disconnect = \"setup\"");
    assert!(both.contains("it would be read as `setup` and `disconnect`"), "{both}");
    let absent = refused("disconnect = \"fee\"");
    assert!(absent.starts_with("prices.csv line 1: ") && absent.contains("`fee`"), "{absent}");
}

#[test]
fn the_version_follows_the_content_and_not_the_transport() {
    let id = |toml: &str, prefixes: &str| Tariff::load(&source(toml, prefixes, PRICES)).expect("a good tariff").id().clone();
    let first = id(TOML, PREFIXES);
    assert_eq!(first.len(), "small@".len() + 16);
    assert_eq!(id(&TOML.replace('\n', "\r\n"), &format!("\u{feff}{PREFIXES}\n\n")), first);
    assert_ne!(id(TOML, &PREFIXES.replace("316", "317")), first);
    assert_ne!(id(&TOML.replace("20:00", "21:00"), PREFIXES), first);
}

#[test]
fn the_companions_of_a_tariff_are_known_before_it_is_loaded() {
    assert_eq!(companion_names(TOML), ["prefixes.csv", "prices.csv"]);
    assert_eq!(companion_names(&TOML.replace("prefixes.csv", "/etc/passwd")), ["prices.csv"]);
    assert_eq!(companion_names("no tariff"), Vec::<String>::new());
}

#[test]
fn validity_begins_and_ends_at_local_midnight() {
    let toml = TOML.replace("2026-01-01", "2026-03-30\nvalid_to = 2026-10-26");
    let tariff = Tariff::load(&source(&toml, PREFIXES, PRICES)).expect("a good tariff");
    assert_eq!(tariff.from_us(), utc("2026-03-29T22:00:00"));
    assert_eq!(tariff.to_us(), utc("2026-10-25T23:00:00"));
    // Beirut skips the midnight that begins 29 March 2026: the day begins at 01:00, which is 22:00 UTC.
    let toml = TOML.replace("Europe/Amsterdam", "Asia/Beirut").replace("2026-01-01", "2026-03-29");
    assert_eq!(Tariff::load(&source(&toml, PREFIXES, PRICES)).expect("a good tariff").from_us(), utc("2026-03-28T22:00:00"));
}

#[test]
fn two_versions_may_touch_but_not_overlap() {
    let version =
        |dates: &str| Tariff::load(&source(&TOML.replace("2026-01-01", dates), PREFIXES, PRICES)).expect("a good tariff");
    let old = || version("2025-01-01\nvalid_to = 2026-01-01");
    let touching = set(vec![version("2026-01-01"), old()]).expect("they only touch");
    assert_eq!(touching.tariffs().iter().map(Tariff::from_us).collect::<Vec<_>>(), [old().from_us(), old().to_us()]);
    let (first, second) = (old(), version("2025-12-31"));
    let text = format!(
        "plan `basis` is sold by `{}` and `{}` on the same days; end the first with `valid_to` or move `valid_from` of the second",
        first.id(),
        second.id()
    );
    assert_eq!(set(vec![second, first]).map(|_| ()), Err(text));
}

#[test]
fn a_draft_takes_the_place_of_its_namesake_and_sells_its_plans_at_every_instant() {
    let load = |toml: &str| Tariff::load(&source(toml, PREFIXES, PRICES)).expect("a good tariff");
    let in_force = || {
        vec![load(TOML), load(&TOML.replace("\"small\"", "\"large\"").replace("2026-01-01", "2027-01-01\nvalid_to = 2028-01-01"))]
    };
    let sales = |set: &TariffSet| -> Vec<(i64, i64, String)> {
        let of = |sale: &super::set::Sale| (sale.from_us, sale.to_us, set.tariffs()[usize::from(sale.tariff)].name().to_owned());
        set.sales("basis").iter().map(of).collect()
    };
    assert!(set(in_force()).is_err(), "they sell one plan at once");
    let draft = load(&TOML.replace("2026-01-01", "2030-01-01"));
    let of_draft = [(i64::MIN, i64::MAX, "small".to_owned())];
    let with = TariffSet::with_draft(vec![load(TOML)], draft).expect("the namesake is gone");
    assert_eq!((with.tariffs().len(), sales(&with)), (1, of_draft.to_vec()));
    let beside = TariffSet::with_draft(vec![in_force().remove(1)], load(TOML)).expect("its plans are the draft's");
    assert_eq!((beside.tariffs().len(), sales(&beside)), (2, of_draft.to_vec()));
}

#[test]
fn a_draft_knows_the_holidays_of_days_before_it_is_in_force() {
    let toml = TOML
        .replace("2026-01-01", "2027-01-01")
        .replace("[[band]]", "[[calendar]]\nname = \"holidays\"\ndates = [2026-12-25]\n\n[[band]]\nexcept = \"holidays\"");
    assert!(toml.contains("except"), "{toml}");
    let source = source(&toml, PREFIXES, PRICES);
    let band = |tariff: &Tariff| {
        tariff.bands.names.name(u32::from(tariff.bands.at(tariff.zone(), utc("2026-12-25T11:00:00"), 3600))).to_owned()
    };
    assert_eq!(band(&Tariff::load_for_all_time(&source).expect("good")), "off", "Christmas is a Friday");
    assert_eq!(band(&Tariff::load(&source).expect("good")), "peak", "nobody asks the tariff in force for days before it");
}

#[test]
fn names_of_all_tariffs_are_in_one_list_whatever_their_order() {
    let other = inline(&TOML.replace("small", "other").replace("\"basis\"", "\"other\"").replace("\"off\"", "\"dal\"").replace(
        "[destinations]\ntable = \"prefixes.csv\"",
        "[destinations.prefixes]\n44 = \"UK\"\n[[price]]\nplan = \"other\"\nkind = \"*\"\nzone = \"UK\"\nunit_price = \"1\"\n",
    ).replace("[prices]\ntable = \"prices.csv\"\n", ""));
    let load = || {
        vec![Tariff::load(&source(TOML, PREFIXES, PRICES)).expect("good"), Tariff::load(&other).unwrap_or_else(|e| panic!("{e}"))]
    };
    let (one, mut reversed) = (set(load()).expect("two plans"), load());
    reversed.reverse();
    let two = set(reversed).expect("two plans");
    assert_eq!(one.labels().tariffs, two.labels().tariffs);
    assert_eq!(one.labels().zones.iter().collect::<Vec<_>>(), ["HOME", "NL-FIX", "NL-MOB", "UK"]);
    assert_eq!(one.labels().bands.iter().collect::<Vec<_>>(), ["dal", "off", "peak"]);
    let plans = crate::tests::fixture::owners(&["basis", "gone", "other"], 1);
    assert_eq!(Arc::new(one).bind(&plans).unsold_plans().collect::<Vec<_>>(), ["gone"]);
}

#[test]
fn the_shipped_tariffs_load() {
    let business = Tariff::load(&read(&repository("config/tariffs/nl-zakelijk.toml"))).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(business.from_us(), utc("2024-12-31T23:00:00"));
    assert_eq!(
        business.plan_names().collect::<Vec<_>>(),
        [
            "zakelijk-basis",
            "zakelijk-plus",
            "zakelijk-onbeperkt",
            "m2m",
            "vast",
            "zakelijk-inkoop",
            "bellen-100",
            "bellen-200",
            "samen"
        ]
    );
    let its_own = ["prefixes", "short_codes", "networks", "classes", "prices", "allowances"];
    assert!(
        business.table_rows().iter().all(|(table, rows)| (*rows > 0) == its_own.contains(table)),
        "{:?}",
        business.table_rows()
    );
    let samples = Tariff::load(&read(&repository("config/tariffs/samples.toml"))).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(samples.plan_names().collect::<Vec<_>>(), ["sample-voice", "sample-mobile"]);
    let job = std::fs::read_to_string(repository("config/tariffs/job.toml")).expect("the tariff of the job");
    assert_eq!(companion_names(&job), ["mcc.csv", "plans.csv", "prefixes.csv", "prices.csv"]);
}

#[test]
fn the_reference_files_of_the_job_load_as_they_are() {
    let job = std::fs::read_to_string(repository("config/tariffs/job.toml")).expect("the tariff of the job");
    let files = [
        ("prefixes.csv", "prefix,zone\n31,NL-FIX\n316,NL-MOB\n"),
        ("mcc.csv", "mcc,zone\n204,HOME\n262,R1\n"),
        ("plans.csv", "plan_id,mb_bytes\n1,1000000\n3,1048576\n"),
        (
            "prices.csv",
            "plan_id,kind,zone,band,setup,minimum,increment,unit_price\n1,voice-mo,NL-FIX,peak,0.0499,0,1,0.041234\n\
             3,data,HOME,off,0,0,1024,0.0041\n",
        ),
    ];
    let companions: BTreeMap<String, String> = files.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    let tariff =
        Tariff::load(&TariffSource { name: "job.toml".to_owned(), toml: job, companions }).unwrap_or_else(|e| panic!("{e}"));
    let filled: Vec<_> = tariff.table_rows().into_iter().filter(|(_, rows)| *rows > 0).collect();
    assert_eq!(filled, [("prefixes", 2), ("networks", 2), ("prices", 2)]);
}
