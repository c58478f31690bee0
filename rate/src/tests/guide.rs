//! The tariffs of the guides load, and cost what the guides say.

use domain::money::{Currency, Money};
use domain::number::Number;

use crate::explain::{ExplainInput, explain};
use crate::lint::{Severity, lint};
use crate::price::price;
use crate::tests::fixture::{Row, batch, inline, linked, local, owners, repository, set_of, utc, with_tables};
use crate::tests::lines::run;

#[test]
fn the_small_tariff_of_the_guide_costs_what_it_says() {
    let guide = std::fs::read_to_string(repository("docs/howto/write-a-tariff.md")).expect("the guide");
    let small = guide.split("## A small one, whole").nth(1).expect("its last part");
    let toml = small.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a tariff in it");
    let findings = lint(&inline(toml)).findings;
    assert!(findings.iter().all(|finding| finding.severity() != Severity::Error), "{findings:#?}");
    let tariffs = set_of(&inline(toml));
    let owners = owners(&["basis", "family"], 1);
    // 19:59:30 and noon on a Wednesday, and noon on King's Day, a Monday.
    let row = |start: &str, to: u64, seconds: i32| Row {
        start_us: utc(start),
        offset_s: 7200,
        duration_s: seconds,
        b_number: Number::e164(to, 11),
        ..Row::default()
    };
    let rows = [
        // (plan, row, charge by hand)
        (0, row("2026-10-14T17:59:30", 31_201_234_567, 90), "0.15"),
        (0, row("2026-10-14T10:00:00", 31_201_234_567, 61), "0.122"),
        (0, row("2026-04-27T10:00:00", 31_201_234_567, 60), "0.06"),
        // Its own price: a minute free, then 0.02 and 30 seconds of 0.05.
        (1, row("2026-10-14T10:00:00", 31_612_345_678, 90), "0.045"),
        // None of its own: as basis, but the start decides.
        (1, row("2026-10-14T17:59:30", 31_201_234_567, 90), "0.18"),
    ];
    let owner = rows.iter().map(|(plan, _, _)| *plan).collect();
    let parsed = batch(rows.iter().map(|(_, row, _)| row.clone()).collect(), &[]);
    let rated = price(linked(parsed, &owners, owner), &tariffs.bind(&owners));
    for (i, (_, _, charge)) in rows.iter().enumerate() {
        assert_eq!(rated.reason(i), None, "row {i}");
        assert_eq!(Money(i128::from(rated.columns.charge_nano[i])), Money::parse(charge).expect("an amount"), "row {i}");
    }
    assert!(small.contains("costs 0.15 EUR"));
}

/// The fenced blocks of a guide in a language, in their order.
fn blocks<'g>(guide: &'g str, language: &str) -> Vec<&'g str> {
    let fence = format!("```{language}\n");
    guide.split(&fence).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn what_few_tariffs_have_costs_what_the_guide_says() {
    let guide = std::fs::read_to_string(repository("docs/howto/price-beyond-traffic.md")).expect("the guide");
    let whole = guide.split("## All of it in one").nth(1).expect("its last part");
    let tables = ["networks.csv", "roaming.csv", "information.csv", "exchange.csv"];
    let tables: Vec<(&str, &str)> = tables.into_iter().zip(blocks(whole, "csv")).collect();
    assert_eq!(tables.len(), 4);
    let source = with_tables("beyond.toml", blocks(whole, "toml")[0], &tables);
    let findings = lint(&source).findings;
    assert!(findings.iter().all(|finding| finding.severity() == Severity::Note), "{findings:#?}");
    let tariffs = set_of(&source);
    let rows: Vec<Vec<&str>> =
        whole.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| plan")).map(cells).collect();
    assert!(rows.len() >= 13, "{}", rows.len());
    for row in rows {
        let [plan, kind, to, start, seconds, network, party, cost, charge, _why] = row[..] else { panic!("{row:?}") };
        let (network, currency) = network.split_once(' ').unwrap_or((network, "EUR"));
        let (start_us, start_offset_s) = local(start, tariffs.tariffs()[0].zone()).expect("a start");
        let input = ExplainInput {
            has_group: false,
            kind: kind.to_owned(),
            start_us,
            start_offset_s,
            duration_s: seconds.parse().expect("seconds"),
            bytes_up: 0,
            bytes_down: 0,
            messages: 1,
            b_number: to.replace(['+', ' '], ""),
            b_number_type: if to.starts_with('+') {
                "e164"
            } else if to.is_empty() {
                "absent"
            } else {
                "short_code"
            }
            .to_owned(),
            network: network.to_owned(),
            provider_class: String::new(),
            cost_nano: Money::parse(cost).and_then(|cost| i64::try_from(cost.0).ok()),
            cost_currency: Currency::parse(currency),
            party: party.to_owned(),
            plan: Some(plan.to_owned()),
            tariff: None,
        };
        let derivation = explain(&input, &tariffs).expect("a row");
        let found = derivation.charge.as_ref().map_or(derivation.outcome.to_owned(), |charge| charge.charge.clone());
        let expected = Money::parse(charge).map_or(charge.to_owned(), |charge| format!("{charge} EUR"));
        assert_eq!(found, expected, "{row:?}\n{:#?}", derivation.lines());
        // A sum that is shown ends in the amount that is charged.
        if let Some(step) = derivation.charge.as_ref().filter(|step| !step.arithmetic.is_empty()) {
            let last = step.arithmetic.last().expect("a line").rsplit(" = ").next().unwrap_or_default();
            let exact = last.split(' ').next().and_then(Money::parse);
            assert!(exact.is_none_or(|exact| Money::parse(charge) == Some(exact)), "{:#?}", step.arithmetic);
        }
    }
}

#[test]
fn the_lines_of_a_cycle_are_those_that_the_guide_says() {
    let guide = std::fs::read_to_string(repository("docs/howto/charge-fees.md")).expect("the guide");
    let toml = blocks(&guide, "toml")[0];
    let findings = lint(&inline(toml)).findings;
    assert!(findings.is_empty(), "{findings:#?}");
    let rows_of = |customer: &str| -> String {
        let of = format!("| {customer} | ");
        let rows = guide.lines().filter_map(|line| line.strip_prefix(&of)?.strip_suffix('|'));
        rows.collect::<Vec<_>>().join("\n")
    };
    let count = |text: &str| text.lines().count();
    assert_eq!([count(&rows_of("C-1")), count(&rows_of("C-2")), count(&rows_of("C-3"))], [6, 9, 5]);
    let header = "close: 2026-03\nkind | line | plan | item | exact | amount | tax | remark\n";
    let customers = [
        (
            "C-1",
            "line: D-1 toestel 2026-03-15 -\nusage: D-1 toestel voice-mo NL any 0.141667 85 2026-03 high\n\
             usage: D-1 toestel voice-mo NL any 0.076667 46 2026-03 high\nusage: D-1 toestel voice-mo DE any 0.416667 100 2026-03 high\n",
        ),
        (
            "C-2",
            "line: D-2 team 2026-03-01 -\nline: D-3 team 2026-03-01 2026-03-20\nusage: D-2 team voice-mo NL any 12 7200 2026-03 high\n\
             usage: D-3 team voice-mo NL any 6.166667 3700 2026-03 high\nusage: D-3 team voice-mo DE any 5 1200 2026-03 high\n",
        ),
        ("C-3", "line: D-4 wacht 2026-03-01 -\nusage: D-4 wacht voice-mo NL any 4.011667 2407 2026-03 high\n"),
    ];
    let of = |(name, used): (&str, &str)| format!("customer: 1\n{used}{header}{}", rows_of(name));
    let customers = customers.map(of).join("\n");
    let mut failures = String::new();
    run("charge-fees.md", &format!("tariff:\n{toml}---\n{customers}"), &mut failures);
    assert!(failures.is_empty(), "\n{failures}");
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}
