//! `tollway unassigned`: the worklist of numbers that no one owns, and the assignment of one of them.

use std::sync::Arc;

use anyhow::Context;
use serde_json::{Value, json};
use store::instant::parse_instant;
use store::{Identifier, IdentifierKind};

use super::import::import_text;
use crate::cli::{AssignArgs, Global, ImportWhat, NumberKind, OutputMode, UnassignedArgs, UnassignedCommand};
use crate::counts::grouped;
use crate::exit_code::{Exit, usage};
use crate::installation::Installation;
use crate::named;
use crate::output::{Answer, Sheet, bytes, count};
use crate::recycling::{Wish, carry_out, look};
use crate::unassigned::{Party, Unassigned, amounts_json, total_at_risk, worklist};

/// Runs the command.
pub fn run(global: &Global, args: &UnassignedArgs) -> anyhow::Result<Exit> {
    match &args.command {
        None => list(global, args.limit),
        Some(UnassignedCommand::Assign(assign)) => self::assign(global, assign),
    }
}

fn list(global: &Global, limit: usize) -> anyhow::Result<Exit> {
    let installation = Installation::open(global)?;
    let all = worklist(&installation)?;
    let machine = global.output != OutputMode::Table;
    let shown = if limit == 0 || machine { all.len() } else { limit };
    let heads = ["number", "first call", "last call", "#records", "#minutes", "#data", "#at risk", "at", "had"];
    let mut sheet = Sheet::new("", &heads);
    for one in all.iter().take(shown) {
        sheet.row(cells(one, global));
    }
    let at_risk = total_at_risk(&all);
    let records: u64 = all.iter().map(|u| u.records).sum();
    let headline = match all.len() {
        0 => "every call has an owner".to_owned(),
        n => format!(
            "{} numbers without an owner, {} records, {} at risk",
            count(n as u64),
            count(records),
            if at_risk.is_empty() { "an unknown amount".to_owned() } else { amounts(&at_risk) }
        ),
    };
    let mut next = Vec::new();
    if shown < all.len() {
        next.push(format!("… {} more: --limit 0 shows all", all.len() - shown));
    }
    if !all.is_empty() {
        let clear = if global.clear { "" } else { "; --clear shows the numbers" };
        next.push(format!(
            "tollway unassigned assign NUMBER --customer CUSTOMER --plan PLAN --subscription ID --from INSTANT{clear}"
        ));
    }
    let rows: Vec<Value> = all.iter().map(|u| u.to_json(global.clear)).collect();
    let json = json!({"numbers": all.len(), "records": records, "at_risk": amounts_json(&at_risk), "unassigned": rows});
    let sheets = if all.is_empty() && !machine { Vec::new() } else { vec![sheet] };
    Answer { headline, sheets, next, json }.print(global.output)?;
    Ok(if all.is_empty() { Exit::Done } else { Exit::NeedsHand })
}

fn amounts(amounts: &std::collections::BTreeMap<domain::money::Currency, domain::money::Money>) -> String {
    amounts.iter().map(|(c, m)| format!("{c} {}", grouped(*m, 2))).collect::<Vec<_>>().join(", ")
}

fn cells(one: &Unassigned, global: &Global) -> [String; 9] {
    let accounts: Vec<&str> = one.accounts.iter().map(String::as_str).collect();
    [
        one.shown(global.clear),
        one.first_seen.clone(),
        one.last_seen.clone(),
        count(one.records),
        count(one.seconds.unsigned_abs() / 60),
        bytes(one.bytes.unsigned_abs()),
        if one.at_risk.is_empty() { "unknown".to_owned() } else { amounts(&one.at_risk) },
        accounts.join(", "),
        one.known_as.clone().unwrap_or_else(|| "nobody".to_owned()),
    ]
}

/// Lands a devices row for the number, as an import, so that a rebuild does it again, and rates its calls in suspense again.
fn assign(global: &Global, args: &AssignArgs) -> anyhow::Result<Exit> {
    let number = identifier(args.kind, &args.number)?;
    let row = devices_row(args, number)?;
    let installation = Installation::open(global)?;
    let store = installation.state()?;
    super::import::catch_up(&installation, &store)?;
    let customers = installation.block_on(store.customers(None))?;
    known("customer", &args.customer, customers.iter().map(|c| c.id.as_str()), "tollway import customers FILE")?;
    let plans = installation.block_on(store.plans(None))?;
    known("plan", &args.plan, plans.iter().map(|p| p.id.as_str()), "tollway import plans FILE")?;
    let waiting = worklist(&installation)?.into_iter().find(|u| u.party == Party::Number(number));
    let records = waiting.as_ref().map_or(0, |u| u.records);
    let arrival = import_text(&installation, &store, ImportWhat::Devices, "unassigned assign", row.as_bytes())?;
    let shown = if global.clear { format!("{} {}", number.kind.as_str(), number.clear()) } else { number.to_string() };
    let headline = format!("{shown} is {}'s from {} on (arrival {arrival})", args.customer, args.from);
    let wish = Wish { identifier: Some(number), ..Wish::default() };
    let landing = Arc::new(installation.landing());
    let recycled = look(&installation, &landing, &wish, None)
        .and_then(|outlook| carry_out(global, &installation, &landing, &wish.again(), outlook, None))
        .with_context(|| format!("{headline}, but its calls in suspense were not rated again; tollway suspense recycle"))?;
    let mut answer = recycled.answer();
    answer.headline = match recycled.outlook.chosen() {
        0 => format!("{headline}; none of its calls are in suspense"),
        _ => format!("{headline}\n{}", recycled.headline()),
    };
    answer.json = json!({
        "arrival": arrival, "customer": args.customer, "plan": args.plan, "records": records, "recycled": recycled.to_json(),
    });
    answer.print(global.output)?;
    Ok(Exit::Done)
}

/// A number as it was typed.
pub fn identifier(kind: NumberKind, number: &str) -> anyhow::Result<Identifier> {
    let kind = match kind {
        NumberKind::Msisdn => IdentifierKind::Msisdn,
        NumberKind::Imsi => IdentifierKind::Imsi,
        NumberKind::Iccid => IdentifierKind::Iccid,
    };
    Identifier::parse(kind, number).map_err(|e| usage(e.to_string()))
}

/// A devices file of one row.
fn devices_row(args: &AssignArgs, number: Identifier) -> anyhow::Result<String> {
    let instant = |name: &str, text: &str| parse_instant(text).map_err(|e| usage(format!("{name}: {e}")));
    instant("--from", &args.from)?;
    let to = args.to.as_deref().unwrap_or_default();
    if !to.is_empty() {
        instant("--to", to)?;
    }
    let Some(device) = args.device.as_deref().or(args.subscription.as_deref()) else {
        return Err(usage("name the contract or the SIM: --subscription ID or --device ID"));
    };
    let subscription = args.subscription.as_deref().unwrap_or(device);
    for id in [device, subscription, &args.customer, &args.plan] {
        domain::ids::check_id(id)?;
    }
    Ok(format!(
        "device_id,{},subscription_id,customer_id,plan_id,valid_from,valid_to\n{device},{},{subscription},{},{},{},{to}\n",
        number.kind.as_str(),
        number.clear(),
        args.customer,
        args.plan,
        args.from
    ))
}

/// Whether an id is in the reference data: a misspelt one would be made with default values.
fn known<'a>(what: &str, id: &str, all: impl Iterator<Item = &'a str>, remedy: &str) -> anyhow::Result<()> {
    let all: Vec<&str> = all.collect();
    if all.contains(&id) {
        return Ok(());
    }
    Err(named::unknown_id(what, id, all, remedy))
}
