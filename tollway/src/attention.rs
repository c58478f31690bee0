//! What needs a hand: files that wait or were refused, and suspense beyond the limits of `[rating]`.

use std::collections::{BTreeMap, BTreeSet};

use domain::delivery::{ArrivalNumber, DeliveryId};
use domain::money::Money;
use domain::outcome::Counts;
use ingest::land::{ArrivalKind, DeliveryRecord, DeliveryState, Landing};
use serde_json::{Value, json};
use sinks::keys::stopped::Stopped;
use sinks::ledger::LedgerEntry;
use sinks::table::Table;

use crate::arrived::Came;
use crate::commands::rows::ask_rows;
use crate::installation::Installation;
use crate::output::{Sheet, count};

/// Files that are listed because they need a hand.
const FILES_MAX: usize = 20;

/// A file that needs a hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The name that the source gave it.
    pub file: String,
    /// `held`, `unreadable` or the state that split found, `truncated`.
    pub state: String,
    /// What is wrong and what to do.
    pub message: String,
    /// The delivery, if it has landed.
    pub delivery: Option<DeliveryId>,
}

impl Trouble {
    /// For machines.
    pub fn to_json(&self) -> Value {
        let delivery = self.delivery.map(|d| d.to_string());
        json!({"file": self.file, "state": self.state, "message": self.message, "delivery": delivery})
    }
}

/// Files that wait for a word.
pub fn held(landing: &Landing) -> anyhow::Result<Vec<Trouble>> {
    let held = landing.held()?.into_iter().filter_map(|arrival| match arrival.kind {
        ArrivalKind::Delivery(record) => Some((arrival.number, record)),
        _ => None,
    });
    let trouble = |(number, record): (ArrivalNumber, DeliveryRecord)| {
        let message = match record.state {
            DeliveryState::Held { reason } => waits(number, &reason),
            DeliveryState::Announced => String::new(),
        };
        Trouble { file: record.origin, state: "held".to_owned(), message, delivery: Some(record.delivery) }
    };
    Ok(held.map(trouble).collect())
}

/// Why a file waits, with its own number: the reason names another's.
pub fn waits(number: ArrivalNumber, reason: &str) -> String {
    format!("{reason} (this file waits as arrival {number})")
}

/// Whether a delivery is read, and does not wait for a word.
pub fn acts(record: &DeliveryRecord) -> bool {
    record.state == DeliveryState::Announced
}

/// Whether an entry of the ledger says that a file was refused as a whole, or is empty without being a heartbeat: no row of
/// it was taken, and someone has to look.
pub fn is_refused(entry: &LedgerEntry) -> bool {
    entry.verdict.as_ref().is_some_and(|v| v.state != "complete" && !v.message.is_empty())
}

/// Whether an entry of the ledger says that a file is whole and has no rows, as its profile declares for a sign of life.
pub fn is_heartbeat(entry: &LedgerEntry) -> bool {
    entry.verdict.as_ref().is_some_and(|v| v.state == "empty" && v.message.is_empty())
}

/// Files that were refused as a whole, of these entries of the ledger, but those that an operator has dismissed.
pub fn refused<'a>(landing: &Landing, ledger: impl IntoIterator<Item = &'a LedgerEntry>) -> anyhow::Result<Vec<Trouble>> {
    let mut refused = all_refused(landing, ledger)?;
    if !refused.is_empty() {
        let dismissed = landing.dismissals()?;
        refused.retain(|trouble| trouble.delivery.is_none_or(|d| !dismissed.contains_key(&d)));
    }
    Ok(refused)
}

/// Files that were refused as a whole and that an operator has dismissed, with the operator's reason.
pub fn dismissed(landing: &Landing, ledger: &[LedgerEntry]) -> anyhow::Result<Vec<Trouble>> {
    let dismissed = landing.dismissals()?;
    let mut refused = all_refused(landing, ledger)?;
    refused.retain_mut(|trouble| {
        let Some(word) = trouble.delivery.and_then(|d| dismissed.get(&d)) else { return false };
        (trouble.state, trouble.message) = (format!("dismissed ({})", trouble.state), word.why.clone());
        true
    });
    Ok(refused)
}

/// Whole files that have something to say: their rows are taken, and something could not be checked. One line each, the first
/// of them.
pub fn remarks<'a>(landing: &Landing, ledger: impl IntoIterator<Item = &'a LedgerEntry>) -> anyhow::Result<Vec<String>> {
    let remarks = ledger.into_iter().filter_map(|entry| {
        let verdict = entry.verdict.as_ref().filter(|v| v.state == "complete" && !v.message.is_empty())?;
        Some((entry, verdict))
    });
    remarks
        .take(FILES_MAX)
        .map(|(entry, verdict)| {
            let name = match landing.arrival(entry.arrival)?.kind {
                ArrivalKind::Delivery(delivery) => delivery.origin,
                _ => entry.delivery.to_string(),
            };
            Ok(format!("{name}: {}", verdict.message))
        })
        .collect()
}

fn all_refused<'a>(landing: &Landing, ledger: impl IntoIterator<Item = &'a LedgerEntry>) -> anyhow::Result<Vec<Trouble>> {
    let refused = ledger.into_iter().filter(|e| is_refused(e)).filter_map(|e| Some((e, e.verdict.as_ref()?)));
    refused
        .map(|(entry, verdict)| {
            let arrival = landing.arrival(entry.arrival)?;
            let file = match arrival.kind {
                ArrivalKind::Delivery(delivery) => delivery.origin,
                _ => entry.delivery.to_string(),
            };
            let (state, message) = (verdict.state.clone(), verdict.message.clone());
            Ok(Trouble { file, state, message, delivery: Some(entry.delivery) })
        })
        .collect()
}

/// Deliveries that a later one of the same account, cycle and name has made good: it is whole, or the same bytes were read
/// again by another profile.
pub fn made_good(deliveries: &[DeliveryRecord], ledger: &[LedgerEntry]) -> BTreeSet<DeliveryId> {
    let whole: BTreeSet<DeliveryId> =
        ledger.iter().filter(|e| e.verdict.as_ref().is_some_and(|v| v.state == "complete")).map(|e| e.delivery).collect();
    let mut earlier: BTreeMap<(String, Option<&str>, &str), Vec<&DeliveryRecord>> = BTreeMap::new();
    let mut good = BTreeSet::new();
    for record in deliveries {
        let identity = &record.identity;
        let name = (identity.account.path(), identity.cycle.as_deref(), identity.logical_file.as_str());
        let same_name = earlier.entry(name).or_default();
        let is_whole = whole.contains(&record.delivery);
        let replaced = |old: &mut &DeliveryRecord| is_whole || old.identity.sha256 == identity.sha256;
        good.extend(same_name.extract_if(.., replaced).map(|old| old.delivery));
        if !is_whole {
            same_name.push(record);
        }
    }
    good
}

/// Files that are not in the table whole.
#[derive(Debug)]
pub struct Open {
    /// Refused, and not made good, dismissed or taken back.
    pub refused: Vec<Trouble>,
    /// They wait for a word.
    pub held: Vec<Trouble>,
    /// How many wait to be rated.
    pub not_rated: usize,
}

impl Open {
    /// Those of some deliveries.
    pub fn of(entries: &Table, landing: &Landing, came: &[Came]) -> anyhow::Result<Self> {
        let (ledger, stopped) = (sinks::ledger::read_all(entries)?, Stopped::of_table(entries));
        let records: Vec<DeliveryRecord> = came.iter().map(|one| one.record.clone()).collect();
        let good = made_good(&records, &ledger);
        let mut refused = refused(landing, &ledger)?;
        refused.retain(|trouble| trouble.delivery.is_none_or(|d| !good.contains(&d) && stopped.fate(d).is_none()));
        let settled = sinks::ledger::settled(&ledger);
        let not_rated = came.iter().filter(|one| acts(&one.record) && !settled.contains(&one.record.delivery)).count();
        Ok(Self { refused, held: held(landing)?, not_rated })
    }
}

/// The files as a table; `None` if there are none.
pub fn sheet(troubles: &[Trouble]) -> Option<Sheet> {
    sheet_of("files that need a hand", "what to do", troubles)
}

/// Files as a table with a title of its own; `message` is the head above what is said of each. `None` if there are none.
pub fn sheet_of(title: &str, message: &str, troubles: &[Trouble]) -> Option<Sheet> {
    if troubles.is_empty() {
        return None;
    }
    let mut sheet = Sheet::new(title, &["file", "state", message]);
    for trouble in troubles.iter().take(FILES_MAX) {
        sheet.row([trouble.file.clone(), trouble.state.clone(), trouble.message.clone()]);
    }
    if let Some(more @ 1..) = troubles.len().checked_sub(FILES_MAX) {
        sheet.row([format!("and {more} more"), String::new(), "tollway status --output json".to_owned()]);
    }
    Some(sheet)
}

/// Which limits of `[rating]` the suspense of these rows exceeds, one sentence each. `filter` is the SQL condition that
/// finds the rows of `counts` in `cdr`.
pub fn over_limits(installation: &Installation, counts: &Counts, filter: &str) -> anyhow::Result<Vec<String>> {
    let limits = &installation.config().rating;
    let (suspended, rows_in) = (counts.waiting(), counts.rows_in);
    let mut over = Vec::new();
    if suspended == 0 {
        return Ok(over);
    }
    if u128::from(suspended) * 1000 > u128::from(rows_in) * u128::from(limits.suspense_per_mille_max) {
        over.push(format!(
            "{} of {} rows are in suspense, more than {} in a thousand (`rating.suspense_per_mille_max`): tollway suspense list",
            count(suspended),
            count(rows_in),
            limits.suspense_per_mille_max
        ));
    }
    let sql = format!(
        "SELECT cost_currency, sum(cost) AS at_risk FROM cdr WHERE outcome = 'suspense' AND reason <> 'written_off' AND cost IS NOT NULL AND {filter} \
         GROUP BY cost_currency ORDER BY cost_currency"
    );
    for row in ask_rows(installation, &sql)? {
        let at_risk = row.text("at_risk").and_then(Money::parse).unwrap_or_default();
        if at_risk > limits.at_risk_max {
            over.push(format!(
                "{} {} are at risk in suspense, more than {} (`rating.at_risk_max`): tollway suspense list",
                row.text("cost_currency").unwrap_or_default(),
                crate::counts::grouped(at_risk, 2),
                crate::counts::grouped(limits.at_risk_max, 2)
            ));
        }
    }
    Ok(over)
}
