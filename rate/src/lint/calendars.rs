//! Calendars that do not reach as far as their tariff: lists of holidays are kept year by year, and one is forgotten. And those that no
//! band asks.

use domain::zone::date_of;

use crate::lint::{Finding, Rule};
use crate::listing::whole_file;
use crate::tariff::Tariff;

const DAY_US: i64 = 86_400 * 1_000_000;

/// Most years that are named.
const YEARS_MAX: usize = 5;

pub(super) fn findings(tariff: &Tariff) -> Vec<Finding> {
    let bands = &tariff.bands;
    let place = bands.windows.first().map_or_else(|| whole_file(tariff.id()), |window| whole_file(&window.place.file));
    let year = |day: i64| i32::try_from(day).map_or(i32::MAX, |day| date_of(day).0);
    let first = year(tariff.from_us().div_euclid(DAY_US) + 1);
    // The last day on which it is in force.
    let last = (tariff.to_us() != i64::MAX).then(|| year(tariff.to_us().div_euclid(DAY_US) - 1));
    let mut findings = Vec::new();
    for (number, calendar) in bands.calendars.iter().enumerate() {
        if !bands.asks(number) {
            let what = format!("no band names calendar `{}`: its dates count for nothing", calendar.name);
            findings.push(Finding::new(Rule::IdleCalendar, &place, what, "name it in a band's `days` or `except`, or remove it"));
            continue;
        }
        let known: Vec<i32> = calendar.days.iter().map(|day| date_of(*day).0).collect();
        // How long a tariff without an end will last, nobody knows.
        let until = last.or(known.last().copied()).unwrap_or(first).max(first);
        let missing: Vec<String> = (first..=until).filter(|year| !known.contains(year)).map(|year| year.to_string()).collect();
        if missing.is_empty() {
            continue;
        }
        let more = if missing.len() > YEARS_MAX { " and later years" } else { "" };
        let years = missing[..missing.len().min(YEARS_MAX)].join(", ");
        let what = format!("calendar `{}` has no date in {years}{more}, in which the tariff is in force", calendar.name);
        findings.push(Finding::new(Rule::StaleCalendar, &place, what, "add the dates of the missing years"));
    }
    findings
}
