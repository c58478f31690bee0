//! `tollway status`: files, rows by outcome, and what waits.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use domain::delivery::DeliveryId;
use domain::outcome::Counts;
use ingest::land::{Arrival, ArrivalKind, Decision, DeliveryRecord, DeliveryState, Landing};
use ingest::log::LogError;
use pipeline::orders::{Acted, is_open};
use serde_json::json;
use sinks::keys::stopped::Stopped;
use sinks::ledger::LedgerEntry;
use sinks::settled::Settled;
use sinks::table::Table;

use crate::arrived::{self, LandedProfiles};
use crate::attention::{self, Trouble};
use crate::cli::{Global, StatusArgs};
use crate::counts::{outcomes, sum, to_json};
use crate::exit_code::Exit;
use crate::installation::Installation;
use crate::live_positions;
use crate::log_end::log_ends;
use crate::numbered;
use crate::output::{Answer, Sheet, count};
use crate::replacements::{self, Corrected};
use crate::totals;

/// Waiting files that are opened to see whether they can be.
const WAITING_OPENED_MAX: usize = 100;

/// Corrections that are shown: the last ones.
const CORRECTIONS_MAX: usize = 10;

/// Runs the command.
pub fn run(global: &Global, args: &StatusArgs) -> anyhow::Result<Exit> {
    let installation = Installation::open(global)?;
    let entries = installation.entries()?;
    let ledger = sinks::ledger::read_all(&entries)?;
    let settled = sinks::ledger::settled(&ledger);
    let landing = installation.landing();
    let arrivals = landing.arrivals(0)?;
    let deliveries: Vec<DeliveryRecord> = arrivals.iter().cloned().filter_map(delivery).collect();
    // A file that was held and then taken has two arrivals.
    let landed = deliveries.iter().map(|d| d.delivery).collect::<BTreeSet<_>>().len();
    let waits = |d: &&DeliveryRecord| d.state == DeliveryState::Announced && !settled.contains(&d.delivery);
    let waiting = deliveries.iter().filter(waits).count();
    let held = attention::held(&landing)?;
    let stopped = Stopped::of_table(&entries);
    let refused = still_refused(&landing, &deliveries, &ledger, &stopped)?;
    let corrected = replacements::latest(&landing, &ledger, CORRECTIONS_MAX)?;
    let open = orders(&landing, &arrivals, &entries, &Settled::of_entries(&ledger))?;
    let lag = log_lag(&installation, &entries);
    let totals_lag = totals::behind(&entries, &installation.totals()?);
    let counts = sum(&ledger);
    let over = attention::over_limits(&installation, &counts, "TRUE")?;
    let blocked = blocked(&installation, &arrivals, &settled);
    let missing = missing(&landing, &arrivals)?;
    let heartbeats = ledger.iter().filter(|e| attention::is_heartbeat(e)).count();
    let troubles: Vec<Trouble> = held.iter().chain(&refused).chain(&blocked).chain(&missing).cloned().collect();
    let dismissed = attention::dismissed(&landing, &ledger)?;
    let live = live_positions::positions(installation.config(), &arrivals);
    let mut sheets = sheets(&counts, &corrected, &troubles, if args.all { &dismissed } else { &[] });
    sheets.extend(live_positions::sheet(&live));
    let to_go = lag.as_ref().ok().copied().flatten().map_or_else(|| "?".to_owned(), count);
    let mut next = vec![format!(
        "{} files landed, {} done, {waiting} waiting, {} held; {to_go} records of the log and {totals_lag} commits of the totals to go",
        count(landed as u64),
        settled.len(),
        held.len(),
    )];
    next.extend(tell(heartbeats, "of them are heartbeats: whole files with 0 rows"));
    next.extend(open.remarks());
    next.extend(lag.as_ref().err().cloned());
    let state = state_trouble(&installation);
    next.extend(state.clone());
    let remarks = attention::remarks(&landing, &ledger)?;
    next.extend(remarks.iter().cloned());
    next.extend(over.iter().cloned());
    next.extend((counts.waiting() > 0 && over.is_empty()).then(|| "what needs a hand: tollway suspense list".to_owned()));
    let hand = worst([lag.is_err(), state.is_some(), !troubles.is_empty(), !over.is_empty()]);
    let json = json!({
        "files": {
            "landed": landed, "done": settled.len(), "waiting": waiting, "held": held.len(), "refused": refused.len(),
            "blocked": blocked.len(), "dismissed": dismissed.len(), "missing": missing.len(), "heartbeats": heartbeats,
        },
        "remarks": remarks,
        "state_trouble": state,
        "dismissed": dismissed.iter().map(Trouble::to_json).collect::<Vec<_>>(),
        "corrections": corrected.iter().map(replacements::Corrected::to_json).collect::<Vec<_>>(),
        "withdrawals_waiting": open.ordered,
        "replacements_waiting": open.replacing,
        "recyclings_waiting": open.recycling,
        "trouble": troubles.iter().map(Trouble::to_json).collect::<Vec<_>>(),
        "over_limits": over,
        "rows": to_json(&counts),
        "by_account": by_account(&ledger),
        "lag": {"log_records": lag.as_ref().ok(), "log_trouble": lag.as_ref().err(), "totals_commits": totals_lag},
        "live": live_positions::to_json(&live),
        "entries_version": entries.snapshot().version,
    });
    let headline = format!("{} · {}", installation.folder().display(), hand.unwrap_or("all well"));
    Answer { headline, sheets, next, json }.print(global.output)?;
    Ok(if hand.is_some() { Exit::NeedsHand } else { Exit::Done })
}

/// Orders that have not acted yet.
#[derive(Debug, Default)]
struct Orders {
    ordered: usize,
    replacing: usize,
    recycling: usize,
}

impl Orders {
    fn remarks(&self) -> impl Iterator<Item = String> {
        let waiting = [
            tell(self.ordered, "withdrawals wait to act"),
            tell(self.replacing, "replacements wait to act"),
            tell(self.recycling, "decisions to rate rows again wait to act"),
        ];
        waiting.into_iter().flatten()
    }
}

/// How many there are of something, if any.
fn tell(n: usize, what: &str) -> Option<String> {
    (n > 0).then(|| format!("{} {what}", count(n as u64)))
}

fn orders(landing: &Landing, arrivals: &[Arrival], entries: &Table, verdicts: &Settled) -> anyhow::Result<Orders> {
    let acted = Acted::of_table(entries);
    let mut orders = Orders::default();
    for arrival in arrivals {
        let count = match &arrival.kind {
            ArrivalKind::Delivery(_) => &mut orders.replacing,
            ArrivalKind::Decision(Decision::Recycle(_)) => &mut orders.recycling,
            ArrivalKind::Decision(_) | ArrivalKind::Import(_) => &mut orders.ordered,
        };
        *count += usize::from(is_open(arrival, landing, &acted, verdicts)?);
    }
    Ok(orders)
}

/// Numbered files that have not come, or came twice.
fn missing(landing: &Landing, arrivals: &[Arrival]) -> anyhow::Result<Vec<Trouble>> {
    let came = arrived::deliveries(arrivals, i64::MAX);
    Ok(numbered::troubles(&numbered::by_account(landing, &mut LandedProfiles::default(), &came)?))
}

/// Files that were refused and have not come whole since.
fn still_refused(
    landing: &Landing,
    deliveries: &[DeliveryRecord],
    ledger: &[LedgerEntry],
    stopped: &Stopped,
) -> anyhow::Result<Vec<Trouble>> {
    let mut refused = attention::refused(landing, ledger)?;
    let good = attention::made_good(deliveries, ledger);
    refused.retain(|trouble| trouble.delivery.is_none_or(|d| !good.contains(&d) && stopped.fate(d).is_none()));
    Ok(refused)
}

fn sheets(counts: &Counts, corrected: &[Corrected], troubles: &[Trouble], dismissed: &[Trouble]) -> Vec<Sheet> {
    let dismissed = attention::sheet_of("files that were dismissed", "why", dismissed);
    let more = [replacements::sheet(corrected), attention::sheet(troubles), dismissed];
    std::iter::once(outcomes(counts)).chain(more.into_iter().flatten()).collect()
}

/// What needs a hand first, of log, state, files and suspense.
fn worst(trouble: [bool; 4]) -> Option<&'static str> {
    let says = ["the log needs a hand", "the state database needs a hand", "some files need a hand", "suspense needs a hand"];
    trouble.into_iter().zip(says).find_map(|(needed, says)| needed.then_some(says))
}

fn delivery(arrival: Arrival) -> Option<DeliveryRecord> {
    match arrival.kind {
        ArrivalKind::Delivery(record) => Some(record),
        _ => None,
    }
}

/// Files that wait because they cannot be opened: the first of each is told, with the cause.
fn blocked(installation: &Installation, arrivals: &[Arrival], settled: &HashSet<DeliveryId>) -> Vec<Trouble> {
    let mut deliveries = installation.deliveries(&Arc::new(installation.landing()));
    let waits = |arrival: &&Arrival| match &arrival.kind {
        ArrivalKind::Delivery(d) => d.state == DeliveryState::Announced && !settled.contains(&d.delivery),
        _ => false,
    };
    let trouble = |arrival: &Arrival| {
        let record = delivery(arrival.clone())?;
        let error = anyhow::Error::from(deliveries.open(arrival.number).err()?);
        let message = format!("{error:#}; restore it from a backup, then run again");
        Some(Trouble { file: record.origin, state: "blocked".to_owned(), message, delivery: Some(record.delivery) })
    };
    arrivals.iter().filter(waits).take(WAITING_OPENED_MAX).filter_map(trouble).collect()
}

fn by_account(ledger: &[LedgerEntry]) -> BTreeMap<String, serde_json::Value> {
    let mut accounts: BTreeMap<String, Vec<&LedgerEntry>> = BTreeMap::new();
    for entry in ledger {
        accounts.entry(entry.account.clone()).or_default().push(entry);
    }
    accounts.into_iter().map(|(account, rows)| (account, to_json(&sum(rows)))).collect()
}

/// What is wrong with the state database: it cannot be reached, or it is behind its migrations. One that is not there yet is
/// made by the first import.
fn state_trouble(installation: &Installation) -> Option<String> {
    installation.look_at_state().err().map(|e| format!("the state database: {e:#}"))
}

/// Claim checks behind the table's positions; `None` if there is no log yet. A log that cannot be read or that lost its end
/// is the trouble that is told, not a reason to say nothing about the rest.
fn log_lag(installation: &Installation, entries: &sinks::table::Table) -> Result<Option<u64>, String> {
    let log = match installation.log_read_only() {
        Ok(log) => log,
        Err(e) if matches!(e.downcast_ref(), Some(LogError::NoLog(_))) => return Ok(None),
        Err(e) => return Err(e.to_string()),
    };
    let ends = log_ends(&*log, entries).map_err(|e| e.to_string())?;
    ends.iter().try_for_each(|end| end.check()).map_err(|e| e.to_string())?;
    Ok(Some(ends.iter().map(|end| end.lag()).sum()))
}
