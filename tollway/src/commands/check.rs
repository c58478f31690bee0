//! `tollway check`: audits the invariants of an installation on its real files and says what it verified.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

use aggregate::totals::{Sums, TotalKey};
use domain::columns::entries::LEDGER;
use domain::delivery::DeliveryId;
use domain::invariant::Invariant;
use domain::outcome::{Counts, Outcome};
use ingest::land::{ArrivalKind, DeliveryState, Landing};
use serde_json::json;
use sha2::{Digest, Sha256};
use sinks::audit::Rows;
use sinks::keys::TAG_SIDECAR;
use sinks::keys::sidecar::Sidecar;
use sinks::ledger::LedgerEntry;
use sinks::table::Table;

use crate::cli::Global;
use crate::exit_code::Exit;
use crate::installation::Installation;
use crate::output::{Answer, Sheet, count};
use crate::{thresholds, totals};

/// Bytes of a landed file that are read at once.
const CHUNK_BYTES: u64 = 4 << 20;

/// One audited invariant.
struct Finding {
    invariant: Invariant,
    looked_at: String,
    wrong: Vec<String>,
}

/// Runs the command.
pub fn run(global: &Global) -> anyhow::Result<Exit> {
    let installation = Installation::open(global)?;
    // Totals first: beside a running service the records may be ahead of them, never behind.
    let totals = installation.totals()?;
    let entries = installation.entries()?;
    let ledger = sinks::ledger::read_all(&entries)?;
    let rows = Rows::read(&entries)?;
    let mut findings = vec![
        landed_once(&installation)?,
        rows_balance(&ledger),
        charge_balance(&ledger, &rows),
        row_once(&rows),
        key_once(&rows),
        ledger_covers(&ledger),
        rows_match(&ledger, &rows),
        pairs(&rows),
        sidecars(&entries, &ledger),
        totals_add(&totals, &entries)?,
    ];
    findings.extend(thresholds_once(&installation)?);
    let wrong: usize = findings.iter().map(|f| f.wrong.len()).sum();
    let mut sheet = Sheet::new("", &["", "invariant", "looked at", ""]);
    for f in &findings {
        let mark = if f.wrong.is_empty() { "✓" } else { "✗" };
        let first = f.wrong.first().cloned().unwrap_or_default();
        sheet.row([mark.to_owned(), format!("INV-{}", f.invariant.number()), f.looked_at.clone(), first]);
    }
    let json = json!({
        "wrong": wrong,
        "invariants": findings.iter().map(|f| json!({
            "number": f.invariant.number(), "sentence": f.invariant.sentence(), "looked_at": f.looked_at, "wrong": f.wrong,
        })).collect::<Vec<_>>(),
    });
    let headline = if wrong == 0 {
        format!(
            "{} invariants hold over {} rows of {} ledger entries",
            findings.len(),
            count(rows.total()),
            count(ledger.len() as u64)
        )
    } else {
        format!("{wrong} breaches found; stop the service, keep the folder and report a bug")
    };
    Answer { headline, sheets: vec![sheet], json, ..Answer::default() }.print(global.output)?;
    Ok(if wrong == 0 { Exit::Done } else { Exit::Bug })
}

fn landed_once(installation: &Installation) -> anyhow::Result<Finding> {
    let landing = installation.landing();
    let (mut wrong, mut seen, mut objects) = (Vec::new(), HashSet::new(), 0u64);
    for arrival in landing.arrivals(0)? {
        let ArrivalKind::Delivery(d) = &arrival.kind else { continue };
        // One that was held and then taken as new has two numbers; it acts under the second only.
        if d.state == DeliveryState::Announced && !seen.insert(d.delivery) {
            wrong.push(format!("delivery {} acts under two arrival numbers", d.delivery));
        }
        let hash = hash_of(installation, &Landing::object_path(&d.identity.sha256))?;
        objects += 1;
        if hash != d.identity.sha256 {
            wrong.push(format!("landed file {} ({}) has other bytes than when it landed", d.origin, d.identity.sha256));
        }
    }
    Ok(Finding {
        invariant: Invariant::LandedOnce,
        looked_at: format!("{} landed files, read and hashed", count(objects)),
        wrong,
    })
}

/// The SHA-256 of an object, read piece by piece: files may be larger than memory.
fn hash_of(installation: &Installation, object: &str) -> anyhow::Result<String> {
    let size = installation.blob().size(object)?;
    let mut hash = Sha256::new();
    let mut at = 0;
    while at < size {
        let to = (at + CHUNK_BYTES).min(size);
        hash.update(installation.blob().get_range(object, at..to)?);
        at = to;
    }
    let mut text = String::with_capacity(64);
    for byte in hash.finalize() {
        write!(text, "{byte:02x}")?;
    }
    Ok(text)
}

fn rows_balance(ledger: &[LedgerEntry]) -> Finding {
    let wrong = ledger
        .iter()
        .filter(|e| !e.is_balanced())
        .map(|e| format!("delivery {} from row {}: {:?}", e.delivery, e.first_row, e.counts))
        .collect();
    Finding { invariant: Invariant::RowsBalance, looked_at: format!("{} ledger rows", count(ledger.len() as u64)), wrong }
}

fn per_delivery(ledger: &[LedgerEntry]) -> BTreeMap<DeliveryId, Counts> {
    let mut all: BTreeMap<DeliveryId, Counts> = BTreeMap::new();
    for entry in ledger {
        entry.add_to(all.entry(entry.delivery).or_default());
    }
    all
}

fn charge_balance(ledger: &[LedgerEntry], rows: &Rows) -> Finding {
    let mut wrong = Vec::new();
    let deliveries = per_delivery(ledger);
    for (delivery, counts) in &deliveries {
        let written: i128 = counts.charge.values().map(|m| m.0).sum();
        let found = rows.by_delivery.get(&(delivery.to_string(), Outcome::Rated)).map_or(0, |r| r.1);
        if written != found {
            wrong.push(format!("delivery {delivery}: the ledger says {written} nano-units, its rows {found}"));
        }
    }
    Finding { invariant: Invariant::ChargeBalance, looked_at: format!("{} deliveries", count(deliveries.len() as u64)), wrong }
}

fn row_once(rows: &Rows) -> Finding {
    let twice = rows.places.iter().filter(|(_, (n, _))| *n > 1);
    let wrong = twice.map(|((d, row), (n, _))| format!("delivery {d} row {row} is there {n} times")).collect();
    Finding { invariant: Invariant::RowOnce, looked_at: format!("{} rows", count(rows.places.len() as u64)), wrong }
}

fn pairs(rows: &Rows) -> Finding {
    let odd = rows.places.iter().filter(|(_, (n, charge))| *n < 0 || (*n == 0 && *charge != 0));
    let wrong =
        odd.map(|((d, row), (n, charge))| format!("delivery {d} row {row}: its entries add up to {n} and {charge} nano-units"));
    let looked_at = format!("{} reversals", count(rows.reversals));
    Finding { invariant: Invariant::ReversalPairs, looked_at, wrong: wrong.collect() }
}

fn key_once(rows: &Rows) -> Finding {
    let twice = rows.keys.iter().filter(|(_, n)| **n > 1);
    let wrong = twice.map(|((account, key), n)| format!("a key of {account} lives {n} times: {key:02x?}")).collect();
    Finding { invariant: Invariant::KeyOnce, looked_at: format!("{} keys", count(rows.keys.len() as u64)), wrong }
}

fn ledger_covers(ledger: &[LedgerEntry]) -> Finding {
    let mut ranges: BTreeMap<DeliveryId, Vec<&LedgerEntry>> = BTreeMap::new();
    for entry in ledger.iter().filter(|entry| entry.correction.is_none()) {
        ranges.entry(entry.delivery).or_default().push(entry);
    }
    let mut wrong = Vec::new();
    for (delivery, mut entries) in ranges {
        entries.sort_by_key(|e| (e.first_row, e.counts.rows_in));
        let mut next = 0;
        for e in &entries {
            if e.first_row != next {
                wrong.push(format!("delivery {delivery}: rows {next} to {} are covered twice or not at all", e.first_row));
            }
            next = e.first_row + e.counts.rows_in;
        }
        let announced = entries.iter().find_map(|e| e.verdict.as_ref()).filter(|v| v.state == "complete").map(|v| v.rows);
        if announced.is_some_and(|rows| rows != next) {
            wrong.push(format!("delivery {delivery}: {next} rows are covered, {announced:?} were announced"));
        }
    }
    Finding { invariant: Invariant::LedgerCovers, looked_at: format!("{} ranges", count(ledger.len() as u64)), wrong }
}

fn rows_match(ledger: &[LedgerEntry], rows: &Rows) -> Finding {
    let mut wrong = Vec::new();
    let deliveries = per_delivery(ledger);
    for (delivery, counts) in &deliveries {
        for (outcome, written) in [(Outcome::Rated, counts.rated), (Outcome::Suspense, counts.suspended())] {
            let found = rows.by_delivery.get(&(delivery.to_string(), outcome)).map_or(0, |r| r.0);
            if i64::try_from(written) != Ok(found) {
                wrong.push(format!(
                    "delivery {delivery}: {written} rows {} in the ledger, {found} in the files",
                    outcome.as_str()
                ));
            }
        }
    }
    for (delivery, _) in rows.by_delivery.keys() {
        if DeliveryId::parse(delivery).is_none_or(|d| !deliveries.contains_key(&d)) {
            wrong.push(format!("rows of delivery {delivery} have no ledger"));
        }
    }
    Finding { invariant: Invariant::RowsMatchFiles, looked_at: format!("{} deliveries", count(deliveries.len() as u64)), wrong }
}

fn sidecars(entries: &Table, ledger: &[LedgerEntry]) -> Finding {
    let (mut wrong, mut claims, mut files) = (Vec::new(), 0u64, 0u64);
    for add in entries.files(&[("outcome", LEDGER)]) {
        files += 1;
        let Some(name) = add.tag(TAG_SIDECAR) else {
            wrong.push(format!("ledger file {} names no sidecar", add.path));
            continue;
        };
        let sidecar = match Sidecar::open(&**entries.blob(), &format!("{}/{name}", entries.root())) {
            Ok(sidecar) => sidecar,
            Err(e) => {
                wrong.push(e.to_string());
                continue;
            }
        };
        for run in sidecar.runs().collect::<Vec<_>>() {
            match sidecar.read(&**entries.blob(), run) {
                Ok(run) => claims += run.len() as u64,
                Err(e) => wrong.push(e.to_string()),
            }
        }
    }
    let expected: u64 = ledger.iter().map(LedgerEntry::claims).sum();
    if claims != expected && wrong.is_empty() {
        wrong.push(format!("{claims} claims for {expected} rows that are not skipped"));
    }
    Finding { invariant: Invariant::SidecarLives, looked_at: format!("{} claims in {files} sidecars", count(claims)), wrong }
}

fn totals_add(table: &Table, entries: &Table) -> anyhow::Result<Finding> {
    let right = totals::recompute(entries, table.snapshot().position(totals::APP_ID))?;
    let wrong = differing(&right, &totals::read(table, None)?);
    Ok(Finding { invariant: Invariant::TotalsAdd, looked_at: format!("{} totals", count(right.len() as u64)), wrong })
}

/// Events hang on what was seen at the time, which the records of today do not tell: they are held against each other only. Without
/// a first one there is nothing to look at.
fn thresholds_once(installation: &Installation) -> anyhow::Result<Option<Finding>> {
    let Some(table) = thresholds::table(installation)? else { return Ok(None) };
    let (events, wrong) = sinks::thresholds::audit(&table)?;
    let looked_at = format!("{} thresholds", count(events));
    Ok(Some(Finding { invariant: Invariant::ThresholdOnce, looked_at, wrong }))
}

/// Totals that are not those of the records. The table leaves out sums that came to nothing, as after a withdrawal: a key that is
/// absent has zeros.
fn differing(right: &BTreeMap<TotalKey, Sums>, held: &BTreeMap<TotalKey, Sums>) -> Vec<String> {
    let of = |sums: &BTreeMap<TotalKey, Sums>, key: &TotalKey| sums.get(key).copied().unwrap_or_default();
    let told = right
        .iter()
        .filter(|(key, sums)| of(held, key) != **sums)
        .map(|(key, _)| format!("the total of {} {} {} differs from its records", key.0, key.1[1], key.1[6]));
    let without = held
        .iter()
        .filter(|(key, sums)| **sums != Sums::default() && !right.contains_key(*key))
        .map(|(key, _)| format!("a total without records: {} {}", key.0, key.1[1]));
    told.chain(without).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(customers: &[(&str, i64)]) -> BTreeMap<TotalKey, Sums> {
        let key = |customer: &str| {
            let names = ["main", customer, "S-1", "D-1", "plan", "voice-mo", "NL", "peak", "EUR", "high", "excluded"];
            ("2026-10".to_owned(), names.map(str::to_owned))
        };
        customers.iter().map(|(customer, count)| (key(customer), Sums { count: *count, ..Sums::default() })).collect()
    }

    #[test]
    fn a_sum_that_came_to_nothing_is_no_damage_and_every_other_difference_is() {
        let right = totals(&[("C-1", 3), ("C-2", 0)]);
        assert!(differing(&right, &totals(&[("C-1", 3)])).is_empty(), "its file was withdrawn before it was added up");
        assert!(differing(&right, &totals(&[("C-1", 3), ("C-2", 0), ("C-3", 0)])).is_empty(), "withdrawn after that");
        assert_eq!(differing(&right, &totals(&[("C-1", 2)])), ["the total of 2026-10 C-1 NL differs from its records"]);
        assert_eq!(differing(&right, &totals(&[("C-2", 0)])), ["the total of 2026-10 C-1 NL differs from its records"]);
        assert_eq!(differing(&right, &totals(&[("C-1", 3), ("C-2", 1)])).len(), 1);
        assert_eq!(differing(&right, &totals(&[("C-1", 3), ("C-9", 1)])), ["a total without records: 2026-10 C-9"]);
    }
}
