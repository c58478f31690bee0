//! `tollway rerate`: what has a price, priced again by the reference data in force; the difference first, then the corrections.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::money::{Currency, Money};
use ingest::land::PricedChoice;
use serde_json::{Value, json};

use crate::cli::{Global, OutputMode, RerateArgs};
use crate::counts::grouped;
use crate::exit_code::Exit;
use crate::installation::Installation;
use crate::named;
use crate::output::{Answer, Sheet, count};
use crate::recycling::Acted;
use crate::rerating::{Outlook, Rerated, Rule, Sum, Turn, Wish, carry_out, look, signed};

/// Runs the command.
pub fn run(global: &Global, args: &RerateArgs) -> anyhow::Result<Exit> {
    let cycle = args.cycle.as_deref().filter(|cycle| *cycle != "all");
    if let Some(cycle) = cycle {
        named::cycle(cycle)?;
    }
    let choice = PricedChoice { customer: args.customer.clone(), plan: args.plan.clone(), cycle: cycle.map(str::to_owned) };
    let wish = Wish { account: args.account.clone(), choice };
    let installation = Installation::open(global)?;
    let landing = Arc::new(installation.landing());
    if !args.dry_run {
        super::import::catch_up(&installation, &installation.state()?)?;
    }
    let outlook = look(&installation, &landing, &wish, global.quiet)?;
    let rerated = if args.dry_run {
        Rerated { outlook, acted: None }
    } else {
        carry_out(global, &installation, &landing, &wish, outlook, args.workers)?
    };
    let is_for_machines = global.output == OutputMode::Csv;
    let sheets = if is_for_machines { vec![rules(&rerated.outlook, true)] } else { sheets(&rerated.outlook, args.limit) };
    Answer { headline: headline(&rerated), sheets, next: next(&rerated, args.limit), json: json_of(&rerated) }
        .print(global.output)?;
    Ok(if rerated.outlook.lost > 0 { Exit::NeedsHand } else { Exit::Done })
}

fn headline(rerated: &Rerated) -> String {
    let outlook = &rerated.outlook;
    let (chosen, changes) = (count(outlook.chosen), count(outlook.changes));
    let total: Vec<String> = outlook.total().iter().map(|(currency, sum)| difference_text(*currency, *sum)).collect();
    let total = total.join(", ");
    let arrivals =
        rerated.acted.iter().flat_map(|acted| &acted.decisions).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match rerated.state() {
        "unchanged" if outlook.chosen == 0 => "no record with a price is meant".to_owned(),
        "unchanged" => format!("all {chosen} records come out as they stand; nothing was changed"),
        "shown" => format!("{changes} of {chosen} records would come out otherwise, {total}; nothing was changed"),
        "ordered" => format!("{changes} of {chosen} records are to be rated again, {total}, as arrival {arrivals}"),
        _ => {
            let (now, in_suspense) = rerated.acted.as_ref().map_or((0, 0), |acted| (acted.records, acted.added.suspended()));
            let lost = if in_suspense == 0 { String::new() } else { format!(", {} of them in suspense now", count(in_suspense)) };
            format!("{} of {chosen} records were rated again{lost}, {total} (arrival {arrivals})", count(now))
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

/// What the ledger says is charged more now, or less.
fn posted_charge(acted: &Acted) -> BTreeMap<Currency, Money> {
    let mut net = acted.added.charge.clone();
    for (currency, money) in &acted.taken_back.charge {
        net.entry(*currency).or_default().0 -= money.0;
    }
    net
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
    let heads = ["kind", "plan", "zone", "band", "becomes", "#records", "#before", "#after", "#difference", currency];
    let mut sheet = Sheet::new("by rule", &heads);
    for ((turn, currency), sum) in all {
        let was = &turn.was;
        let turned = [turn.kind.clone(), was.plan.clone(), was.zone.clone(), was.band.clone(), becomes(turn)];
        sheet.row(turned.into_iter().chain(figures(*currency, *sum, is_for_machines)));
    }
    sheet
}

/// What is another after than before: `NL-MOB · peak, small@0123456789abcdef`.
fn becomes(turn: &Turn) -> String {
    let rule = match &turn.becomes {
        Ok(rule) => rule,
        Err(reason) => return format!("in suspense: {}", reason.as_str()),
    };
    let was = &turn.was;
    let parts = [(&was.plan, &rule.plan), (&was.zone, &rule.zone), (&was.band, &rule.band), (&was.tariff, &rule.tariff)];
    let other: Vec<&str> = parts.iter().filter(|(was, is)| was != is).map(|(_, is)| is.as_str()).collect();
    if other.is_empty() { "the same, of another owner".to_owned() } else { other.join(" · ") }
}

fn figures(currency: Currency, sum: Sum, is_for_machines: bool) -> [String; 5] {
    let text = |money: Money| if is_for_machines { money.to_text(9) } else { grouped(money, 9) };
    let (before, after) = (text(sum.before), text(sum.after));
    [count(sum.records), before, after, signed(sum.difference(), is_for_machines), currency.to_string()]
}

fn next(rerated: &Rerated, limit: usize) -> Vec<String> {
    let outlook = &rerated.outlook;
    let mut next = Vec::new();
    let hidden = outlook.customers.len().max(outlook.rules.len()).saturating_sub(limit);
    if limit > 0 && hidden > 0 {
        next.push("some customers or rules are not shown: --limit 0 shows all".to_owned());
    }
    if outlook.lost > 0 {
        let (lost, verb) = (count(outlook.lost), if rerated.acted.is_some() { "have lost" } else { "would lose" });
        next.push(format!("{lost} records {verb} their price: `tollway suspense list` tells why and what to do"));
    }
    if let Some(acted) = rerated.acted.as_ref().filter(|acted| acted.is_done) {
        let differs = |(currency, sum): (Currency, Sum)| {
            let posted = posted_charge(acted).get(&currency).copied().unwrap_or_default();
            (posted != sum.difference()).then(|| format!("{currency} {}", signed(posted, false)))
        };
        let posted: Vec<String> = outlook.total().into_iter().filter_map(differs).collect();
        if !posted.is_empty() {
            let posted = posted.join(", ");
            next.push(format!(
                "{posted} was posted and not what is shown: reference data or files came in between; `tollway status` lists it"
            ));
        }
    }
    match rerated.state() {
        "shown" => next.push("do it: the same without --dry-run".to_owned()),
        "ordered" => next.push("the service that runs on this data folder does it: tollway status".to_owned()),
        "rerated" => next.push("held against a second derivation: tollway verify".to_owned()),
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
    let rule = |rule: &Rule| json!({"plan": rule.plan, "zone": rule.zone, "band": rule.band, "tariff": rule.tariff});
    let turn = |turn: &Turn| {
        let becomes = turn.becomes.as_ref().map_or_else(|reason| json!({"reason": reason.as_str()}), rule);
        json!({"kind": turn.kind, "was": rule(&turn.was), "becomes": becomes})
    };
    let customers: Vec<Value> =
        outlook.customers.iter().map(|((name, currency), sum)| with(json!({"customer": name}), (currency, sum))).collect();
    let rules: Vec<Value> = outlook.rules.iter().map(|((of, currency), sum)| with(turn(of), (currency, sum))).collect();
    let total: Vec<Value> = outlook.total().iter().map(|(currency, sum)| with(json!({}), (currency, sum))).collect();
    let posted = rerated.acted.as_ref().map(|acted| {
        let charge = posted_charge(acted);
        let charge: BTreeMap<String, String> = charge.iter().map(|(of, money)| (of.to_string(), money.to_text(9))).collect();
        let suspense: BTreeMap<&str, u64> = acted.added.suspense.iter().map(|(reason, n)| (reason.as_str(), *n)).collect();
        json!({"decisions": acted.decisions, "records": acted.records, "suspense": suspense, "charge": charge})
    });
    json!({
        "state": rerated.state(), "chosen": outlook.chosen, "changes": outlook.changes, "lost": outlook.lost, "total": total,
        "customers": customers, "rules": rules, "posted": posted,
    })
}
