//! `tollway withdraw`: takes a file back. The effect is shown first; the decision lands before it acts.

use std::io::{BufRead, IsTerminal, Write};
use std::sync::Arc;

use domain::outcome::Counts;
use ingest::land::{DeliveryState, Landing};
use pipeline::corrector::complete;
use serde_json::json;
use sinks::correction::Draft;
use sinks::correction::stop::{self, Stop};
use sinks::keys::stopped::{Fate, Stopped};
use sinks::ledger;

use crate::backlog::Backlog;
use crate::cli::{Global, OutputMode, WithdrawArgs};
use crate::counts::{money_text, to_json};
use crate::exit_code::Exit;
use crate::installation::Installation;
use crate::named::{Named, find};
use crate::output::{Answer, Sheet, count};
use crate::settling::settle_by_newest;
use crate::system::SystemClock;
use crate::thresholds;

/// What taking a file back would change.
struct Effect {
    /// Entries that are taken back.
    taken_back: Counts,
    /// Rows of other files that are records from then on.
    anew: Counts,
    /// Copies that the file holds.
    copies: u64,
    customers: usize,
    /// Whether all of the file is in the table.
    is_whole: bool,
    had_stopped: Option<Fate>,
}

/// Runs the command.
pub fn run(global: &Global, args: &WithdrawArgs) -> anyhow::Result<Exit> {
    let installation = Installation::open(global)?;
    let landing = Arc::new(installation.landing());
    let stopped = Stopped::of_table(&installation.entries()?);
    let named = find(&landing, &stopped, &args.file, args.account.as_deref())?;
    let effect = effect(&installation, &landing, &named)?;
    let mut answer = shown(&named, &effect);
    if !args.yes && !asked(global, &answer)? {
        answer.headline = format!("{}; nothing was changed", answer.headline);
        answer.next.push(format!("take it back: tollway withdraw {} --yes", named.number));
        answer.json["state"] = json!("shown");
        answer.print(global.output)?;
        return Ok(Exit::Done);
    }
    let decision = landing.withdraw(named.number, &SystemClock)?.arrival().number;
    answer.json["decision"] = json!(decision);
    if named.record.state != DeliveryState::Announced {
        answer.headline = format!("{}: rejected as arrival {decision}", named.record.origin);
        answer.json["state"] = json!("rejected");
        answer.print(global.output)?;
        return Ok(Exit::Done);
    }
    let acted = match Backlog::start(&installation, &landing, args.workers)? {
        Some(backlog) => {
            backlog.drain(global, None)?;
            let settled = settle_by_newest(global, &installation, &landing, args.workers)?;
            answer.next.extend(thresholds::remark(settled.thresholds));
            Stopped::of_table(&installation.entries()?).fate(named.record.delivery).is_some()
        }
        None => false,
    };
    answer.headline = if acted {
        format!("{}: taken back as arrival {decision}", named.record.origin)
    } else {
        format!("{}: to be taken back, as arrival {decision}", named.record.origin)
    };
    if !acted {
        answer.next.push("the service that runs on this data folder does it: tollway status".to_owned());
    }
    answer.json["state"] = json!(if acted { "withdrawn" } else { "ordered" });
    answer.print(global.output)?;
    Ok(Exit::Done)
}

/// What would change, worked out on the table as it is; rows of other files are rated with the reference data in force.
fn effect(installation: &Installation, landing: &Arc<Landing>, named: &Named) -> anyhow::Result<Effect> {
    let (entries, record) = (installation.entries()?, &named.record);
    let mine = ledger::read_delivery(&entries, named.number, record.delivery)?;
    let counts = ledger::sum(&mine);
    let stop = Stop {
        account: record.identity.account.path(),
        deliveries: vec![(named.number, record.delivery)],
        fate: Fate::Withdrawn,
        successor: None,
        by: named.number,
    };
    let plan = if record.state == DeliveryState::Announced {
        stop::plan(&entries, &stop)?
    } else {
        stop::plan(&entries, &Stop { deliveries: Vec::new(), ..stop })?
    };
    let store = installation.state_read_only()?;
    let reference = installation.block_on(crate::reference::load(&store))?;
    let mut deliveries = installation.deliveries(landing);
    let draft: Draft = complete(plan, &entries, landing, &mut deliveries, &reference)?;
    let (taken, anew) = (draft.live.sums(&entries)?, draft.anew());
    Ok(Effect {
        taken_back: taken.total(),
        anew: anew.total(),
        copies: counts.duplicates + counts.resent,
        customers: taken.customers.union(&anew.customers).count(),
        is_whole: record.state != DeliveryState::Announced || ledger::settled(&mine).contains(&record.delivery),
        had_stopped: Stopped::of_table(&entries).fate(record.delivery),
    })
}

fn shown(named: &Named, effect: &Effect) -> Answer {
    let record = &named.record;
    let mut sheet = Sheet::new("", &["", "#rows", "charge"]);
    let back = &effect.taken_back;
    sheet.row(["rated, taken back".to_owned(), count(back.rated), money_text(back)]);
    for (reason, n) in &back.suspense {
        sheet.row([format!("suspense {}, taken back", reason.as_str()), count(*n), String::new()]);
    }
    sheet.row(["copies of other rows, no longer counted".to_owned(), count(effect.copies), String::new()]);
    sheet.row([
        "copies in other files that count instead".to_owned(),
        count(effect.anew.rated + effect.anew.suspended()),
        money_text(&effect.anew),
    ]);
    if effect.anew.suspended() > 0 {
        sheet.row(["  of them in suspense".to_owned(), count(effect.anew.suspended()), String::new()]);
    }
    sheet.row(["customers touched".to_owned(), count(effect.customers as u64), String::new()]);
    let mut next = Vec::new();
    if !effect.is_whole {
        next.push("the file is not rated whole yet: what comes of it after the withdrawal ends as skipped".to_owned());
    }
    if let Some(fate) = effect.had_stopped {
        next.push(format!(
            "it counts no more already: {}; once it is taken back, its bytes may come again with --as-new",
            fate.as_str()
        ));
    }
    let headline = format!("{} (arrival {}, {})", record.origin, named.number, record.identity.account.path());
    let json = json!({
        "file": record.origin, "arrival": named.number, "delivery": record.delivery.to_string(),
        "account": record.identity.account.path(), "taken_back": to_json(back), "copies": effect.copies,
        "instead": to_json(&effect.anew), "customers": effect.customers, "whole": effect.is_whole,
    });
    Answer { headline, sheets: vec![sheet], next, json }
}

/// Asks on a terminal; elsewhere the answer is no.
fn asked(global: &Global, answer: &Answer) -> anyhow::Result<bool> {
    if global.output != OutputMode::Table || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(false);
    }
    answer.print_beside()?;
    let mut asks = std::io::stderr().lock();
    write!(asks, "take it back? [y/N] ")?;
    asks.flush()?;
    let mut said = String::new();
    std::io::stdin().lock().read_line(&mut said)?;
    Ok(matches!(said.trim(), "y" | "Y" | "yes"))
}
