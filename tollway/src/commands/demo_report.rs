//! The pictures of the demo's month: gathers what `report.html` shows, with the query behind each picture.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::PathBuf;

use domain::money::{Currency, Money};
use domain::outcome::Counts;
use domain::period::Month;
use domain::ports::Clock;
use domain::zone::{date_of, days_of};
use ingest::land::ArrivalKind;
use sinks::ledger::LedgerEntry;

use super::demo::main_currency;
use super::rows::{Row, ask_rows};
use super::suspense::{BY_REASON, remedy};
use crate::installation::Installation;
use crate::report::{
    Amount, Day, FileOutcomes, Hours, Queries, ReportData, Sample, Series, Share, Summary, SuspenseReason, render,
};
use crate::system::SystemClock;

const HOURS: &str = include_str!("report_hours.sql");
const FILES: &str = include_str!("report_files.sql");
const CUSTOMERS: &str = include_str!("report_customers.sql");
const ZONES: &str = include_str!("report_zones.sql");

const HOUR_S: i64 = 3600;
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/// What was measured while the demo ran.
#[derive(Debug)]
pub struct Measured<'a> {
    /// The demo's seed.
    pub seed: u64,
    /// Files.
    pub files: u64,
    /// Files that were there before.
    pub resent_files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Time of rating, microseconds.
    pub elapsed_us: i64,
    /// Microseconds and rows committed by then.
    pub samples: &'a [(i64, u64)],
}

/// Writes `report.html` into the data folder. A run that had nothing to do keeps the report that measured something.
pub fn write_report(
    installation: &Installation,
    counts: &Counts,
    ledger: &[LedgerEntry],
    measured: &Measured<'_>,
) -> anyhow::Result<PathBuf> {
    let path = installation.folder().join("report.html");
    if measured.samples.is_empty() && path.exists() {
        return Ok(path);
    }
    let currency = main_currency(counts);
    let suspense = ask_rows(installation, BY_REASON)?;
    let month = Month::new(2026, 10).expect("October is a month");
    let data = ReportData {
        period: month_name(month),
        origin: format!("demo · data folder {} · seed {}", installation.folder().display(), measured.seed),
        made_at: store::instant::show_instant(SystemClock.now_us()),
        currency: currency.to_string(),
        summary: summary(counts, &suspense, currency, measured),
        hours: hours(&ask_rows(installation, HOURS)?, month),
        files: files(installation, ledger)?,
        suspense: suspense.iter().map(|r| reason(r, currency)).collect(),
        customers: customers(installation)?,
        zones: ask_rows(installation, ZONES)?.iter().map(zone).collect(),
        throughput: measured
            .samples
            .iter()
            .map(|(us, rows)| Sample { at_ms: u64::try_from(us / 1000).unwrap_or(0), rows: *rows })
            .collect(),
        missing: Vec::new(),
        queries: Queries {
            hours: HOURS.to_owned(),
            files: FILES.to_owned(),
            suspense: BY_REASON.to_owned(),
            customers: CUSTOMERS.to_owned(),
            zones: ZONES.to_owned(),
            throughput: String::new(),
        },
    };
    fs::write(&path, render(&data))?;
    Ok(path)
}

fn month_name(month: Month) -> String {
    let (year, index) = (month.number().div_euclid(12), month.number().rem_euclid(12));
    format!("{} {year}", usize::try_from(index).ok().and_then(|i| MONTHS.get(i)).copied().unwrap_or_default())
}

fn amount(money: Money, places: u8) -> Amount {
    Amount { text: money.to_text(places), nano: money.0 }
}

fn summary(counts: &Counts, suspense: &[Row], currency: Currency, measured: &Measured<'_>) -> Summary {
    let at_risk: i128 = suspense.iter().filter_map(|r| reason(r, currency).at_risk).map(|a| a.nano).sum();
    Summary {
        files: measured.files,
        resent_files: measured.resent_files,
        bytes: measured.bytes,
        rows_in: counts.rows_in,
        rated: counts.rated,
        suspense: counts.waiting(),
        duplicates: counts.duplicates,
        resent: counts.resent,
        skipped: counts.skipped_rows(),
        charge: amount(counts.charge.get(&currency).copied().unwrap_or_default(), 6),
        at_risk: amount(Money(at_risk), 2),
        elapsed_ms: u64::try_from(measured.elapsed_us / 1000).unwrap_or(0),
        peak_bytes: peak_bytes(),
    }
}

/// The most memory that this process has held, from the kernel; 0 where it does not say.
fn peak_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()).unwrap_or(0) * 1024
}

fn reason(row: &Row, currency: Currency) -> SuspenseReason {
    let name = row.text("reason").unwrap_or_default();
    let same = row.text("cost_currency").and_then(Currency::parse) == Some(currency);
    SuspenseReason {
        reason: name.to_owned(),
        rows: row.number("rows"),
        at_risk: row.text("at_risk").filter(|_| same).and_then(Money::parse).map(|m| amount(m, 2)),
        remedy: remedy(name),
    }
}

fn hours(rows: &[Row], month: Month) -> Hours {
    let first = |m: Month| days_of(m.number().div_euclid(12), m.number().rem_euclid(12).cast_unsigned() + 1, 1).unwrap_or(0);
    let (from, to) = (first(month), first(Month::from_number(month.number() + 1)));
    let days = (from..to)
        .map(|day| {
            let weekday = day.rem_euclid(7);
            let name = usize::try_from(weekday).ok().and_then(|i| WEEKDAYS.get(i)).copied().unwrap_or_default();
            Day { label: format!("{name} {}", date_of(day).2), weekend: matches!(name, "Sat" | "Sun") }
        })
        .collect::<Vec<_>>();
    let mut series: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut outside = 0;
    for row in rows {
        let at = row.long("hour") - i64::from(from) * 86_400 / HOUR_S;
        let n = row.number("records");
        match usize::try_from(at).ok().filter(|i| *i < days.len() * 24) {
            None => outside += n,
            Some(i) => {
                let name = row.text("kind").unwrap_or_default().to_owned();
                series.entry(name).or_insert_with(|| vec![0; days.len() * 24])[i] += n;
            }
        }
    }
    Hours { days, series: series.into_iter().map(|(name, per_hour)| Series { name, per_hour }).collect(), outside }
}

fn files(installation: &Installation, ledger: &[LedgerEntry]) -> anyhow::Result<Vec<FileOutcomes>> {
    let mut names = HashMap::new();
    for arrival in installation.landing().arrivals(0)? {
        if let ArrivalKind::Delivery(d) = &arrival.kind {
            names.insert(d.delivery, d.identity.logical_file.clone());
        }
    }
    let mut counts: BTreeMap<_, Counts> = BTreeMap::new();
    for entry in ledger {
        entry.add_to(counts.entry(entry.delivery).or_default());
    }
    let outcome = |(delivery, c): (domain::delivery::DeliveryId, Counts)| FileOutcomes {
        name: names.get(&delivery).cloned().unwrap_or_else(|| delivery.to_string()),
        rated: c.rated,
        suspense: c.waiting(),
        duplicates: c.duplicates,
        resent: c.resent,
        skipped: c.skipped_rows(),
    };
    Ok(counts.into_iter().map(outcome).collect())
}

fn share(row: &Row, name: String, roaming: bool) -> Share {
    let charge = row.text("charge").and_then(Money::parse).unwrap_or_default();
    Share { name, rows: row.number("records"), charge: amount(charge, 2), roaming }
}

fn customers(installation: &Installation) -> anyhow::Result<Vec<Share>> {
    let store = installation.state_read_only()?;
    let names: HashMap<String, String> =
        installation.block_on(store.customers(None))?.into_iter().map(|c| (c.id, c.name)).collect();
    let rows = ask_rows(installation, CUSTOMERS)?;
    Ok(rows
        .iter()
        .map(|r| {
            let id = r.text("customer").unwrap_or_default();
            share(r, names.get(id).cloned().unwrap_or_else(|| id.to_owned()), false)
        })
        .collect())
}

fn zone(row: &Row) -> Share {
    let name = row.text("zone").unwrap_or_default().to_owned();
    share(row, name, row.text("zone_by") == Some("network"))
}
