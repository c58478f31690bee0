//! `tollway rerate`: what has a price, priced again by the reference data in force; the difference first, then the corrections.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::money::{Currency, Money};
use domain::outcome::Counts;
use ingest::land::PricedChoice;
use serde_json::{Value, json};
use sinks::closing::closed;

use crate::cli::{Global, OutputMode, RerateArgs};
use crate::counts::{grouped, money_text};
use crate::exit_code::{Exit, refused};
use crate::installation::Installation;
use crate::named;
use crate::output::{Answer, Sheet, count};
use crate::recycling::finish_open;
use crate::rerating::{Meant, Outlook, Owner, Rerated, Rule, Sum, Turn, Wish, carry_out, look, obstacle, signed};
use crate::settling::settle_by_newest;
use crate::thresholds::{self, fire};

/// Runs the command.
pub fn run(global: &Global, args: &RerateArgs) -> anyhow::Result<Exit> {
    let cycle = args.cycle.as_deref().filter(|cycle| *cycle != "all");
    if let Some(cycle) = cycle {
        named::cycle(cycle)?;
    }
    let (customer, plan, cycle) = (args.customer.clone(), args.plan.clone(), cycle.map(str::to_owned));
    let choice = PricedChoice { customer, plan, cycle, ..PricedChoice::default() };
    let wish = Wish { account: args.account.clone(), meant: Meant::Priced(choice) };
    perform(global, wish, &How { frozen: args.frozen, dry_run: args.dry_run, limit: args.limit, workers: args.workers })
}

/// How rows are rated again.
pub struct How {
    /// Also where totals are frozen.
    pub frozen: bool,
    /// Nothing is changed.
    pub dry_run: bool,
    /// Customers and rules to show; 0 for all.
    pub limit: usize,
    /// Threads that rate and commit.
    pub workers: Option<u32>,
}

/// Shows the difference and, if that is wanted, posts it.
pub fn perform(global: &Global, mut wish: Wish, how: &How) -> anyhow::Result<Exit> {
    let installation = Installation::open(global)?;
    let landing = Arc::new(installation.landing());
    if !how.dry_run {
        super::import::catch_up(&installation, &installation.state()?)?;
        finish_open(global, &installation, &landing, how.workers)?;
    }
    let store = installation.state_read_only()?;
    let reference = installation.block_on(crate::reference::load(&store))?;
    if how.frozen && wish.account.is_some() && reference.tariffs.settles() {
        return Err(refused(
            "allowances, totals and discounts tie billed records of several accounts together: name a --customer, --plan or --cycle with --frozen, and no --account",
        ));
    }
    wish.meant.leave(installation.frozen_cycles(&installation.entries()?)?, how.frozen);
    let (outlook, reached) = look(&installation, &landing, &wish, &reference, global.quiet)?;
    let obstacle = obstacle(&installation, &wish, &outlook);
    let (rerated, obstacle) = match obstacle {
        Some(error) if !how.dry_run => return Err(error.context("nothing was changed")),
        obstacle if how.dry_run => (Rerated { outlook, acted: None }, obstacle),
        _ => (carry_out(global, &installation, &landing, &wish, outlook, how.workers)?, None),
    };
    let thresholds = match wish.meant {
        Meant::Priced(_) if rerated.state() == "rerated" => {
            settle_by_newest(global, &installation, &landing, how.workers)?.thresholds
        }
        Meant::Drawing(_) if !how.dry_run => fire(&mut None, &installation, reached, &reference)?,
        _ => 0,
    };
    let is_for_machines = global.output == OutputMode::Csv;
    let sheets = if is_for_machines { vec![rules(&rerated.outlook, true)] } else { sheets(&rerated.outlook, how.limit) };
    let left = left(&installation, &rerated.outlook)?;
    let (mut next, mut json) = (next(&rerated, obstacle, (&left, how.limit)), json_of(&rerated));
    next.extend(thresholds::remark(thresholds));
    json["thresholds"] = json!(thresholds);
    Answer { headline: headline(&rerated, &left), sheets, next, json }.print(global.output)?;
    Ok(if rerated.outlook.lost > 0 || rerated.outlook.left > 0 { Exit::NeedsHand } else { Exit::Done })
}

/// The cycles whose records are left as they stand, each with why: `2026-09 (frozen by hand) and 2026-10 (closed)`.
fn left(installation: &Installation, outlook: &Outlook) -> anyhow::Result<String> {
    if outlook.left == 0 {
        return Ok(String::new());
    }
    let closed = closed(&installation.entries()?);
    let why = |cycle: &str| if closed.contains(cycle) { "closed" } else { "frozen by hand" };
    let cycles: Vec<String> = outlook.left_cycles.keys().map(|cycle| format!("{cycle} ({})", why(cycle))).collect();
    Ok(cycles.join(" and "))
}

fn headline(rerated: &Rerated, left: &str) -> String {
    let outlook = &rerated.outlook;
    let (chosen, changes) = (count(outlook.chosen), count(outlook.changes));
    let total: Vec<String> = outlook.total().iter().map(|(currency, sum)| difference_text(*currency, *sum)).collect();
    let total = total.join(", ");
    let arrivals =
        rerated.acted.iter().flat_map(|acted| &acted.decisions).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match rerated.state() {
        "unchanged" if outlook.chosen == 0 => "no record is meant".to_owned(),
        "left" => {
            format!("{} of {chosen} records come out otherwise and lie in {left}; nothing was changed", count(outlook.left))
        }
        "unchanged" => format!("all {chosen} records come out as they stand; nothing was changed"),
        "shown" => format!("{changes} of {chosen} records would come out otherwise, {total}; nothing was changed"),
        "ordered" => format!("{changes} of {chosen} records are to be rated again, {total}, as arrival {arrivals}"),
        _ => {
            let Some(acted) = &rerated.acted else { return String::new() };
            let sums = acted.before.keys().chain(acted.after.keys()).collect::<BTreeSet<_>>().into_iter().map(|currency| {
                let of = |sums: &BTreeMap<Currency, Money>| sums.get(currency).copied().unwrap_or_default();
                difference_text(*currency, Sum { records: 0, before: of(&acted.before), after: of(&acted.after) })
            });
            let sums = sums.collect::<Vec<_>>().join(", ");
            format!("{} of {chosen} records were rated again, {sums} (arrival {arrivals})", count(acted.records))
        }
    }
}

/// `EUR 55.20 becomes 56.00 (+0.80)`.
fn difference_text(currency: Currency, sum: Sum) -> String {
    let (before, after, difference) = (grouped(sum.before, 9), grouped(sum.after, 9), signed(sum.difference(), false));
    format!("{currency} {before} becomes {after} ({difference})")
}

fn sheets(outlook: &Outlook, limit: usize) -> Vec<Sheet> {
    let all = [customers(outlook, limit), first(rules(outlook, false), limit)];
    all.into_iter().filter(|sheet| !sheet.rows.is_empty()).collect()
}

fn first(mut sheet: Sheet, limit: usize) -> Sheet {
    if limit > 0 {
        sheet.rows.truncate(limit);
    }
    sheet
}

/// What each customer has and would have, the largest differences first.
fn customers(outlook: &Outlook, limit: usize) -> Sheet {
    let mut all: Vec<_> = outlook.customers.iter().collect();
    all.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.difference().0.unsigned_abs()));
    let mut sheet = Sheet::new("by customer", &["customer", "#records", "#before", "#after", "#difference", ""]);
    for ((customer, currency), sum) in all {
        sheet.row([customer.clone()].into_iter().chain(figures(*currency, *sum, false)));
    }
    first(sheet, limit)
}

/// What differs by which rule, the largest differences first.
fn rules(outlook: &Outlook, is_for_machines: bool) -> Sheet {
    let mut all: Vec<_> = outlook.rules.iter().collect();
    all.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.difference().0.unsigned_abs()));
    let currency = if is_for_machines { "currency" } else { "" };
    let heads = ["kind", "plan", "zone", "band", "cycle", "becomes", "#records", "#before", "#after", "#difference", currency];
    let mut sheet = Sheet::new("by rule", &heads);
    for ((turn, currency), sum) in all {
        let was = &turn.was;
        let rule = [&was.plan, &was.zone, &was.band, &was.cycle].map(Clone::clone);
        let turned = std::iter::once(turn.kind.clone()).chain(rule).chain([becomes(turn)]);
        sheet.row(turned.chain(figures(*currency, *sum, is_for_machines)));
    }
    sheet
}

/// What is another after than before: `other prices`, or `NL-MOB · peak`.
fn becomes(turn: &Turn) -> String {
    let rule = match &turn.becomes {
        Ok(rule) => rule,
        Err(reason) => return format!("in suspense: {}", reason.as_str()),
    };
    let was = &turn.was;
    let parts = [(&was.plan, &rule.plan), (&was.zone, &rule.zone), (&was.band, &rule.band), (&was.cycle, &rule.cycle)];
    let mut other: Vec<&str> = parts.iter().filter(|(was, is)| was != is).map(|(_, is)| is.as_str()).collect();
    other.extend(match turn.owner {
        Owner::Same => None,
        Owner::OtherCustomer => Some("another customer"),
        Owner::OtherDevice => Some("another device or owner"),
    });
    if other.is_empty() {
        return if was.tariff == rule.tariff { "drawn or zoned otherwise".to_owned() } else { "other prices".to_owned() };
    }
    other.join(" · ")
}

fn figures(currency: Currency, sum: Sum, is_for_machines: bool) -> [String; 5] {
    let text = |money: Money| if is_for_machines { money.to_text(9) } else { grouped(money, 9) };
    let (before, after) = (text(sum.before), text(sum.after));
    [count(sum.records), before, after, signed(sum.difference(), is_for_machines), currency.to_string()]
}

fn next(rerated: &Rerated, obstacle: Option<anyhow::Error>, (left, limit): (&str, usize)) -> Vec<String> {
    let outlook = &rerated.outlook;
    let mut next = Vec::new();
    for (what, all) in [("customers", outlook.customers.len()), ("rules", outlook.rules.len())] {
        if limit > 0 && all > limit {
            next.push(format!("… {} more {what}: --limit 0 shows all", count((all - limit) as u64)));
        }
    }
    if outlook.left > 0 && obstacle.is_none() {
        next.push(format!(
            "{} records of {left} come out otherwise and are left as they stand; the same with --frozen --dry-run shows them",
            count(outlook.left)
        ));
    }
    if outlook.lost > 0 {
        let money = Counts { charge: outlook.lost_charge.clone(), ..Counts::default() };
        let (lost, money) = (count(outlook.lost), money_text(&money));
        next.push(match rerated.state() {
            "rerated" => {
                format!("{lost} records of {money} have lost their price: `tollway suspense list` tells why and what to do")
            }
            _ => format!("{lost} records of {money} lose their price and wait in suspense then"),
        });
    }
    if let Some(acted) = rerated.acted.as_ref().filter(|acted| acted.is_done && acted.records != outlook.changes) {
        let (posted, shown) = (count(acted.records), count(outlook.changes));
        next.push(format!(
            "{posted} records were posted and {shown} are shown: reference data, files or decisions came in between; \
             `tollway status` lists what was posted"
        ));
    }
    match (rerated.state(), obstacle) {
        ("shown" | "left", Some(error)) => next.push(format!("it cannot be posted so: {error}")),
        ("shown", None) => next.push("do it: the same without --dry-run".to_owned()),
        ("ordered", _) => next.push("the service that runs on this data folder does it: tollway status".to_owned()),
        ("rerated", _) => next.push("derive every charge a second time: tollway verify".to_owned()),
        _ => {}
    }
    next
}

fn json_of(rerated: &Rerated) -> Value {
    let outlook = &rerated.outlook;
    let sum = |sum: &Sum| {
        json!({
            "records": sum.records, "before": sum.before.to_text(9), "after": sum.after.to_text(9),
            "difference": sum.difference().to_text(9),
        })
    };
    let with = |mut of: Value, (currency, figures): (&Currency, &Sum)| {
        of["currency"] = json!(currency.to_string());
        for (key, value) in sum(figures).as_object().into_iter().flatten() {
            of[key] = value.clone();
        }
        of
    };
    let rule = |rule: &Rule| {
        let Rule { plan, zone, band, tariff, cycle } = rule;
        json!({"plan": plan, "zone": zone, "band": band, "tariff": tariff, "cycle": cycle})
    };
    let turn = |turn: &Turn| {
        let becomes = turn.becomes.as_ref().map_or_else(|reason| json!({"reason": reason.as_str()}), rule);
        json!({"kind": turn.kind, "was": rule(&turn.was), "becomes": becomes})
    };
    let customers: Vec<Value> =
        outlook.customers.iter().map(|((name, currency), sum)| with(json!({"customer": name}), (currency, sum))).collect();
    let rules: Vec<Value> = outlook.rules.iter().map(|((of, currency), sum)| with(turn(of), (currency, sum))).collect();
    let total: Vec<Value> = outlook.total().iter().map(|(currency, sum)| with(json!({}), (currency, sum))).collect();
    let texts = |sums: &BTreeMap<Currency, Money>| -> BTreeMap<String, String> {
        sums.iter().map(|(currency, money)| (currency.to_string(), money.to_text(9))).collect()
    };
    let posted = rerated.acted.as_ref().filter(|acted| acted.is_done).map(|acted| {
        let suspense: BTreeMap<&str, u64> = acted.added.suspense.iter().map(|(reason, n)| (reason.as_str(), *n)).collect();
        json!({"records": acted.records, "suspense": suspense, "before": texts(&acted.before), "after": texts(&acted.after)})
    });
    let decisions = rerated.acted.as_ref().map(|acted| acted.decisions.clone()).unwrap_or_default();
    json!({
        "state": rerated.state(), "chosen": outlook.chosen, "changes": outlook.changes, "lost": outlook.lost,
        "lost_charge": texts(&outlook.lost_charge), "cycles": outlook.cycles, "left": outlook.left_cycles, "total": total, "decisions": decisions,
        "customers": customers, "rules": rules, "posted": posted,
    })
}
