//! `tollway cycle`: which billing cycles there are, closing one, and the lines that its invoices print.

mod list;
mod shown;

use std::sync::Arc;

use domain::closed::ClosedCycles;
use domain::delivery::ArrivalNumber;
use domain::period::Month;
use domain::ports::Clock;
use ingest::land::Landing;
use pipeline::rating::Reference;
use serde_json::json;
use sinks::closing::{Closing, Word, close, closed, closings, word};
use sinks::table::Table;
use store::instant::{parse_instant, show_instant};

use self::shown::{by_kind, obstacle_json, obstacle_sheet, sums_json};
use super::write_off::by_and_why;
use crate::cli::{CloseArgs, CycleCommand, Global};
use crate::closing::obstacles::{Obstacle, Obstacles, told};
use crate::closing::standing::{Ended, Standing, View, interrupted};
use crate::closing::{Due, Lines, Pinned, finish_all, make};
use crate::exit_code::{Exit, refused, usage};
use crate::installation::Installation;
use crate::named;
use crate::output::{Answer, count, counted};
use crate::recycling::finish_open;
use crate::settling::{Scope, settle_by_newest, unsettled};
use crate::system::{SystemClock, SystemRng};
use crate::totals;

/// Times that others may commit while a cycle is looked at; then it is given up.
const ATTEMPTS_MAX: u32 = 10;

/// Runs the command.
pub fn run(global: &Global, command: &CycleCommand) -> anyhow::Result<Exit> {
    match command {
        CycleCommand::List => list::run(global),
        CycleCommand::Close(args) => run_close(global, args),
        CycleCommand::Lines(args) => shown::run(global, args),
    }
}

fn run_close(global: &Global, args: &CloseArgs) -> anyhow::Result<Exit> {
    let cycle = named::cycle(&args.cycle)?;
    let at_us = instant_of(args)?;
    let said = match &args.why {
        Some(why) => by_and_why(args.by.as_deref(), why)?,
        None => (args.by.as_deref().map(str::trim).unwrap_or_default().to_owned(), String::new()),
    };
    let installation = Installation::open(global)?;
    let landing = Arc::new(installation.landing());
    if args.dry_run {
        return preview(global, &installation, &landing, (cycle, at_us));
    }
    super::import::catch_up(&installation, &installation.state()?)?;
    finish_open(global, &installation, &landing, args.workers)?;
    let mut entries = installation.entries()?;
    let before = finish_all(&installation, &mut entries)?;
    if let Some(known) = closed_for_all(&installation, &entries, (cycle, at_us))? {
        let others = finished(before.iter().filter(|(closing, _)| *closing != known));
        return match before.iter().find(|(closing, _)| *closing == known) {
            Some((closing, lines)) => answer(global, &entries, (closing, lines), "finished", others),
            None => was_closed(global, &entries, &known, others),
        };
    }
    let others = finished(&before);
    let told = others.join("\n");
    let close = || close_now(global, args, (&installation, &landing, &mut entries), (cycle, at_us, said, others));
    let with_others = |error: anyhow::Error| if told.is_empty() { error } else { error.context(told) };
    close().map_err(with_others)
}

/// What to tell of closings that had been interrupted.
fn finished<'c>(closings: impl IntoIterator<Item = &'c (Closing, Lines)>) -> Vec<String> {
    let text = |(closing, lines): &(Closing, Lines)| {
        format!("the closing of {} had been interrupted and is finished: {}", closing.cycle, counted(lines.count(), "line"))
    };
    closings.into_iter().map(text).collect()
}

/// Settles, decides and posts.
fn close_now(
    global: &Global,
    args: &CloseArgs,
    (installation, landing, entries): (&Installation, &Arc<Landing>, &mut Table),
    (cycle, at_us, said, others): (Month, i64, (String, String), Vec<String>),
) -> anyhow::Result<Exit> {
    // A service may be at it: whether all is settled is asked of the table.
    let settled = settle_by_newest(global, installation, landing, args.workers)?;
    // Before the closing pins a version: a table that goes on behind it would have to be made again from all records.
    totals::catch_up(entries, &mut installation.totals()?, &mut SystemRng::new()?)?;
    let asked = Asked { cycle, at_us, is_overridden: args.override_all, said };
    let decided = decide(installation, landing, entries, &asked)?;
    let finished = finish_all(installation, entries)?;
    let remarks = others.into_iter().chain(settled.remark_of_left()).collect();
    match finished.iter().find(|(closing, _)| *closing == decided) {
        Some((closing, lines)) => answer(global, entries, (closing, lines), "closed", remarks),
        // Somebody else has finished it meanwhile.
        None => was_closed(global, entries, &decided, remarks),
    }
}

/// The instant by which the cycle has to have ended.
fn instant_of(args: &CloseArgs) -> anyhow::Result<i64> {
    let now_us = SystemClock.now_us();
    let given = args.at.as_deref().map(parse_instant).transpose().map_err(|e| usage(format!("--at: {e}")))?;
    match given {
        Some(at_us) if at_us > now_us && !args.dry_run => {
            Err(usage("--at lies in the future: what comes until then would be late"))
        }
        given => Ok(given.unwrap_or(now_us)),
    }
}

/// What is asked for.
struct Asked {
    cycle: Month,
    at_us: i64,
    is_overridden: bool,
    said: (String, String),
}

/// Closes the cycle on the state of the table that was looked at; looks again if others commit meanwhile.
fn decide(installation: &Installation, landing: &Landing, entries: &mut Table, asked: &Asked) -> anyhow::Result<Closing> {
    let cycle = asked.cycle.to_string();
    let store = installation.state()?;
    for _ in 0..ATTEMPTS_MAX {
        entries.refresh()?;
        // What lands from here on is late, also if it is rated before the word is said.
        let arrival = landing.next_number()?;
        let reference = installation.block_on(crate::reference::load(&store))?;
        if let Some(closing) = closed_for_all(installation, entries, (asked.cycle, asked.at_us))? {
            return Ok(closing);
        }
        check_settled(installation, landing, entries, (&reference, asked.cycle))?;
        let owners = reference.index.owners();
        let (due, _, runs_until_us) = Due::of(asked.cycle, asked.at_us, &closings(entries), owners).counts();
        if let (0, Some(end_us)) = (due, runs_until_us) {
            return Err(refused(runs_for_all(&cycle, end_us)));
        }
        let found = Obstacles::at(installation, entries, (asked.at_us, arrival))?.of(installation, owners, asked.cycle)?;
        if !found.is_empty() && !asked.is_overridden {
            return Err(refused(in_the_way(&cycle, &found)));
        }
        // What cannot be made is told before the word is said.
        would_post(installation, entries, (asked.cycle, asked.at_us), &reference)?;
        let (by, why) = asked.said.clone();
        let overridden = found.into_iter().map(|obstacle| obstacle.text).collect();
        let word = Word { by, why, overridden };
        let (mut rng, pinned) = (SystemRng::new()?, (reference.version, installation.config().billing.late_usage));
        if let Some(closing) = close(entries, (&cycle, asked.at_us), pinned, &word, (&SystemClock, &mut rng))? {
            tracing::debug!(closing = closing.number, "cycle closed");
            return Ok(closing);
        }
    }
    Err(refused(format!("others committed {ATTEMPTS_MAX} times while {cycle} was looked at, and nothing was closed: ask again")))
}

/// The lines that a closing would post, by the records as they are known.
fn would_post(
    installation: &Installation,
    entries: &Table,
    (cycle, until_us): (Month, i64),
    reference: &Reference,
) -> anyhow::Result<Lines> {
    let sums = totals::read_at(entries, &installation.totals()?, entries.snapshot().version.unwrap_or(0))?;
    let (before, late) = (closings(entries), installation.config().billing.late_usage);
    let pinned = Pinned { cycle: &cycle.to_string(), until_us, late, before: &before };
    make(installation, &sums, &pinned, reference)
}

/// Refuses while a record of the cycle or an earlier one stands otherwise than settling says; also where totals were frozen by hand.
fn check_settled(
    installation: &Installation,
    landing: &Landing,
    entries: &Table,
    (reference, cycle): (&Reference, Month),
) -> anyhow::Result<()> {
    // What is frozen by hand was not looked at when the table was marked as settled.
    let scope = if installation.frozen_cycles(entries)? == closed(entries) { Scope::Since } else { Scope::All };
    let changes = waiting(entries, reference, landing.next_number()?, (&closed(entries), scope, cycle))?;
    if changes == 0 {
        return Ok(());
    }
    Err(refused(format!(
        "{} records wait to be settled, and nothing was closed: ask again when the service has done it, or tollway settle --cycle all, with \
         --frozen where totals were frozen by hand",
        count(changes)
    )))
}

/// How many records of the cycle or an earlier one stand otherwise than settling says, where some cycles are left alone.
fn waiting(
    entries: &Table,
    reference: &Reference,
    next: ArrivalNumber,
    (left, scope, cycle): (&ClosedCycles, Scope, Month),
) -> anyhow::Result<u64> {
    let last = cycle.to_string();
    let outlook = unsettled(entries, reference, next, (left, scope, u64::MAX), true)?.outlook;
    Ok(outlook.cycles.iter().filter(|(of, _)| **of <= last).map(|(_, records)| *records).sum())
}

/// What waits to be settled because somebody has frozen totals by hand; what else waits is settled by the closing.
fn held_by_hand(
    installation: &Installation,
    entries: &Table,
    (reference, next): (&Reference, ArrivalNumber),
    cycle: Month,
) -> anyhow::Result<Option<Obstacle>> {
    let (closed, frozen) = (closed(entries), installation.frozen_cycles(entries)?);
    if closed == frozen {
        return Ok(None);
    }
    let by_itself = waiting(entries, reference, next, (&frozen, Scope::All, cycle))?;
    let held = waiting(entries, reference, next, (&closed, Scope::All, cycle))?.saturating_sub(by_itself);
    let text = format!("{} of cycles whose totals are frozen by hand wait to be settled", counted(held, "record"));
    let command = "tollway settle --cycle all --frozen".to_owned();
    Ok((held > 0).then_some(Obstacle { kind: "unsettled", text, command }))
}

fn runs_for_all(cycle: &str, end_us: i64) -> String {
    format!("{cycle} runs for all customers, for the last of them until {}", show_instant(end_us))
}

fn in_the_way(cycle: &str, found: &[Obstacle]) -> String {
    let lines: Vec<String> = told(found).iter().map(|obstacle| format!("- {}: {}", obstacle.text, obstacle.command)).collect();
    format!(
        "{cycle} was not closed:\n{}\nmend that, or close it all the same with --override --by NAME --why REASON, which are kept",
        lines.join("\n")
    )
}

/// What is in the way, and what it would come to.
fn preview(
    global: &Global,
    installation: &Installation,
    landing: &Landing,
    (cycle, at_us): (Month, i64),
) -> anyhow::Result<Exit> {
    let entries = installation.entries()?;
    let store = installation.state_read_only()?;
    let reference = installation.block_on(crate::reference::load(&store))?;
    let (name, next_number) = (cycle.to_string(), landing.next_number()?);
    let view = View::at(installation, &entries, reference.index.owners(), (at_us, next_number))?;
    let Ended { due, running, runs_until_us, obstacles: mut found } = match view.of(cycle)? {
        Standing::Closed(closing) => return was_closed(global, &entries, &closing, Vec::new()),
        Standing::Interrupted(closing) => return was_interrupted(global, &entries, &name, &closing),
        Standing::Runs(end_us) => return Err(refused(runs_for_all(&name, end_us))),
        Standing::Ended(ended) => ended,
    };
    let frozen = installation.frozen_cycles(&entries)?;
    let unsettled = unsettled(&entries, &reference, next_number, (&frozen, Scope::Since, u64::MAX), global.quiet)?;
    let lines = would_post(installation, &entries, (cycle, at_us), &reference)?;
    found.extend(held_by_hand(installation, &entries, (&reference, next_number), cycle)?);
    let can = if found.is_empty() { "can be closed" } else { "cannot be closed yet" };
    let headline = format!(
        "{name} {can}: it has ended for {} of {}, and would post {}",
        count(due),
        counted(due + running, "customer"),
        counted(lines.count(), "line")
    );
    let waiting = unsettled.outlook.changes;
    let mut next = Vec::new();
    next.extend((waiting > 0).then(|| format!("{} records are settled first, which changes the figures", count(waiting))));
    next.extend(
        runs_until_us
            .map(|end_us| format!("it runs for {} until {} at most", counted(running, "customer"), show_instant(end_us))),
    );
    let mut sheets: Vec<_> = obstacle_sheet(&told(&found)).into_iter().collect();
    sheets.extend(by_kind(&lines.sums()));
    let json = json!({
        "cycle": name, "state": "shown", "obstacles": found.iter().map(obstacle_json).collect::<Vec<_>>(),
        "lines": lines.count(), "customers": due, "running": running, "sums": sums_json(&lines.sums()), "to_settle": waiting,
    });
    Answer { headline, sheets, next, json }.print(global.output)?;
    Ok(if found.is_empty() { Exit::Done } else { Exit::NeedsHand })
}

/// Nothing is shown before a closing that was interrupted is finished: lines follow from those of the closings before.
fn was_interrupted(global: &Global, entries: &Table, cycle: &str, closing: &Closing) -> anyhow::Result<Exit> {
    let open = interrupted(entries, closing)?;
    let headline = if closing.cycle == cycle {
        format!("the closing of {cycle} was interrupted")
    } else {
        format!("{cycle} cannot be closed yet: the closing of {} was interrupted", closing.cycle)
    };
    let json = json!({"cycle": cycle, "state": "interrupted", "closing": closing.number, "obstacles": [obstacle_json(&open)]});
    Answer { headline, sheets: obstacle_sheet(&[open]).into_iter().collect(), next: Vec::new(), json }.print(global.output)?;
    Ok(Exit::NeedsHand)
}

/// The last closing of a cycle, if that has closed it for everybody for whom it has ended.
fn closed_for_all(installation: &Installation, entries: &Table, (cycle, at_us): (Month, i64)) -> anyhow::Result<Option<Closing>> {
    let known = closings(entries);
    let name = cycle.to_string();
    let Some(last) = known.iter().rev().find(|closing| closing.cycle == name) else { return Ok(None) };
    let reference = installation.block_on(installation.state_read_only()?.load_reference(None))?;
    let (due, ..) = Due::of(cycle, at_us, &known, &reference.owners).counts();
    Ok((due == 0).then(|| last.clone()))
}

/// The cycle was closed before: nothing is done.
fn was_closed(global: &Global, entries: &Table, closing: &Closing, remarks: Vec<String>) -> anyhow::Result<Exit> {
    let (at_us, Word { by, why, overridden }) = word(entries, closing)?;
    let by_whom = if by.is_empty() { String::new() } else { format!(" by {by}") };
    let headline = format!("{} was closed at {}{by_whom}; nothing was done", closing.cycle, show_instant(at_us));
    let next = remarks.into_iter().chain([format!("tollway cycle lines {}", closing.cycle)]).collect();
    let json = json!({
        "cycle": closing.cycle, "state": "was_closed", "closing": closing.number, "at": show_instant(at_us), "by": by, "why": why,
        "overridden": overridden,
    });
    Answer { headline, sheets: Vec::new(), next, json }.print(global.output)?;
    Ok(Exit::Done)
}

fn answer(
    global: &Global,
    entries: &Table,
    (closing, lines): (&Closing, &Lines),
    state: &str,
    remarks: Vec<String>,
) -> anyhow::Result<Exit> {
    let (at_us, Word { by, why, overridden }) = word(entries, closing)?;
    let what = if state == "closed" { "is closed" } else { "had been closed and is finished" };
    let headline = format!(
        "{} {what}: {} for {} (closing {}, records up to version {})",
        closing.cycle,
        counted(lines.count(), "line"),
        counted(lines.customers.len() as u64, "customer"),
        closing.number,
        closing.version
    );
    let mut next: Vec<String> = overridden.iter().map(|text| format!("although {text}")).collect();
    next.extend(remarks);
    next.push(format!("tollway cycle lines {}", closing.cycle));
    let sums = lines.sums();
    let json = json!({
        "cycle": closing.cycle, "state": state, "closing": closing.number, "entries_version": closing.version,
        "reference_version": closing.reference, "at": show_instant(at_us), "by": by, "why": why,
        "overridden": overridden, "lines": lines.count(), "customers": lines.customers.len(), "sums": sums_json(&sums),
    });
    Answer { headline, sheets: by_kind(&sums).into_iter().collect(), next, json }.print(global.output)?;
    Ok(Exit::Done)
}
