//! The small tariff of docs/howto/write-a-tariff.md is one, and costs what the guide says.

use domain::money::Money;
use domain::number::Number;

use crate::lint::{Severity, lint};
use crate::price::price;
use crate::tests::fixture::{Row, batch, inline, linked, owners, repository, set_of, utc};

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
