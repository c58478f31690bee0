//! `tollway status`: files, rows by outcome, and what waits.

use std::collections::BTreeMap;

use domain::delivery::DeliveryId;
use ingest::land::{ArrivalKind, DeliveryState};
use ingest::log::{Topic, TopicPartition};
use serde_json::json;
use sinks::ledger::{LedgerEntry, Verdict};

use crate::cli::Global;
use crate::counts::{outcomes, sum, to_json};
use crate::exit_code::Exit;
use crate::installation::Installation;
use crate::output::{Answer, Sheet, count};
use crate::totals::APP_ID;

/// Files that are listed because they need a hand.
const TROUBLE_MAX: usize = 20;

/// Runs the command.
pub fn run(global: &Global) -> anyhow::Result<Exit> {
    let installation = Installation::open(global)?;
    let entries = installation.entries()?;
    let totals = installation.totals()?;
    let ledger = sinks::ledger::read_all(&entries)?;
    let verdicts: BTreeMap<DeliveryId, &Verdict> =
        ledger.iter().filter_map(|e| e.verdict.as_ref().map(|v| (e.delivery, v))).collect();
    let (mut landed, mut held, mut waiting) = (0u64, Vec::new(), 0u64);
    let mut names: BTreeMap<DeliveryId, String> = BTreeMap::new();
    for arrival in installation.landing().arrivals(0)? {
        let ArrivalKind::Delivery(delivery) = &arrival.kind else { continue };
        landed += 1;
        names.insert(delivery.delivery, delivery.origin.clone());
        match &delivery.state {
            DeliveryState::Held { reason } => held.push((delivery.origin.clone(), reason.to_string())),
            DeliveryState::Announced if !verdicts.contains_key(&delivery.delivery) => waiting += 1,
            DeliveryState::Announced => {}
        }
    }
    let refused: Vec<(String, &Verdict)> = verdicts
        .iter()
        .filter(|(_, v)| v.state != "complete" && !(v.state == "empty" && v.message.is_empty()))
        .map(|(d, v)| (names.get(d).cloned().unwrap_or_else(|| d.to_string()), *v))
        .collect();
    let lag = log_lag(&installation, &entries)?;
    let totals_lag = entries.snapshot().next_version().saturating_sub(totals.snapshot().position(APP_ID));
    let counts = sum(&ledger);
    let mut sheets = vec![outcomes(&counts)];
    if !held.is_empty() || !refused.is_empty() {
        let mut sheet = Sheet::new("files that need a hand", &["file", "state", "what to do"]);
        for (name, why) in held.iter().take(TROUBLE_MAX) {
            sheet.row([name.clone(), "held".to_owned(), why.clone()]);
        }
        for (name, verdict) in refused.iter().take(TROUBLE_MAX) {
            sheet.row([name.clone(), verdict.state.clone(), verdict.message.clone()]);
        }
        sheets.push(sheet);
    }
    let hand = !held.is_empty() || !refused.is_empty();
    let mut next = vec![format!(
        "{} files landed, {} done, {waiting} waiting, {} held; {} records of the log and {totals_lag} commits of the totals to go",
        count(landed), verdicts.len(), held.len(), lag.map_or_else(|| "?".to_owned(), count)
    )];
    if counts.suspended() > 0 {
        next.push("what needs a hand: tollway suspense list".to_owned());
    }
    let json = json!({
        "files": {"landed": landed, "done": verdicts.len(), "waiting": waiting, "held": held.len(), "refused": refused.len()},
        "rows": to_json(&counts),
        "by_account": by_account(&ledger),
        "lag": {"log_records": lag, "totals_commits": totals_lag},
        "entries_version": entries.snapshot().version,
    });
    let headline = format!("{} · {}", installation.folder().display(), if hand { "some files need a hand" } else { "all well" });
    Answer { headline, sheets, next, json }.print(global.output)?;
    Ok(if hand { Exit::NeedsHand } else { Exit::Done })
}

fn by_account(ledger: &[LedgerEntry]) -> BTreeMap<String, serde_json::Value> {
    let mut accounts: BTreeMap<String, Vec<&LedgerEntry>> = BTreeMap::new();
    for entry in ledger {
        accounts.entry(entry.account.clone()).or_default().push(entry);
    }
    accounts.into_iter().map(|(account, rows)| (account, to_json(&sum(rows)))).collect()
}

/// Claim checks behind the table's positions; `None` if there is no log yet. A log that cannot be read or that lost its end
/// is the trouble that is told, not a reason to say nothing about the rest.
fn log_lag(installation: &Installation, entries: &sinks::table::Table) -> Result<Option<u64>, String> {
    let log = match installation.log_read_only() {
        Ok(log) => log,
        Err(e) if matches!(e.downcast_ref(), Some(LogError::NoLog(_))) => return Ok(None),
        Err(e) => return Err(e.to_string()),
    };
    let ends = log_ends(&log, entries).map_err(|e| e.to_string())?;
    ends.iter().try_for_each(|end| end.check()).map_err(|e| e.to_string())?;
    Ok(Some(ends.iter().map(|end| end.lag()).sum()))
}
