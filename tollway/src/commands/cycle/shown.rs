//! Lines of a cycle, their sums, and what is in the way of a closing, as tables and for machines.

use std::collections::BTreeMap;

use domain::money::{Currency, Money};
use rate::lines::{Line, LineKind};
use serde_json::{Value, json};
use sinks::closing::closed;

use crate::cli::{Global, LinesArgs, OutputMode};
use crate::closing::obstacles::Obstacle;
use crate::closing::table::{Read, read};
use crate::closing::{LineSum, unfinished};
use crate::counts::grouped;
use crate::exit_code::{Exit, bad_input, refused};
use crate::installation::Installation;
use crate::named;
use crate::output::{Answer, Sheet, count, counted};

/// Places of exact sums on the screen.
const EXACT_PLACES: u8 = 6;

/// Places of amounts on the screen.
const AMOUNT_PLACES: u8 = 2;

/// Sums of lines by kind and currency; nothing without lines.
pub fn by_kind(sums: &BTreeMap<(LineKind, Currency), LineSum>) -> Option<Sheet> {
    let mut sheet = Sheet::new("by kind of line", &["kind", "#lines", "#records", "#exact", "#amount", "#rounded", ""]);
    for ((kind, currency), sum) in sums {
        sheet.row([
            kind.as_str().to_owned(),
            count(sum.lines),
            sum.records.to_string(),
            grouped(sum.exact, EXACT_PLACES),
            grouped(sum.amount, AMOUNT_PLACES),
            grouped(sum.difference(), EXACT_PLACES),
            currency.to_string(),
        ]);
    }
    (!sheet.rows.is_empty()).then_some(sheet)
}

/// The same for machines.
pub fn sums_json(sums: &BTreeMap<(LineKind, Currency), LineSum>) -> Value {
    let sum = |((kind, currency), sum): (&(LineKind, Currency), &LineSum)| {
        json!({
            "kind": kind.as_str(), "currency": currency.to_string(), "lines": sum.lines, "records": sum.records,
            "exact": sum.exact.to_text(9), "amount": sum.amount.to_text(9), "difference": sum.difference().to_text(9),
        })
    };
    sums.iter().map(sum).collect()
}

/// What is in the way; nothing if that is nothing.
pub fn obstacle_sheet(found: &[Obstacle]) -> Option<Sheet> {
    let mut sheet = Sheet::new("in the way", &["what", "what to type"]);
    for obstacle in found {
        sheet.row([obstacle.text.clone(), obstacle.command.clone()]);
    }
    (!found.is_empty()).then_some(sheet)
}

/// One of them for machines.
pub fn obstacle_json(obstacle: &Obstacle) -> Value {
    json!({"kind": obstacle.kind, "text": obstacle.text, "command": obstacle.command})
}

/// Runs `cycle lines`.
pub fn run(global: &Global, args: &LinesArgs) -> anyhow::Result<Exit> {
    named::cycle(&args.cycle)?;
    let installation = Installation::open(global)?;
    let mut found = read(&installation, Some(&args.cycle))?;
    let entries = installation.entries()?;
    if found.is_empty() && !closed(&entries).contains(&args.cycle) {
        return Err(bad_input(format!("{} is not closed: tollway cycle close {} --dry-run", args.cycle, args.cycle)));
    }
    let open = unfinished(&installation, &entries)?;
    if let Some(open) = open.iter().find(|closing| closing.cycle == args.cycle) {
        return Err(refused(format!(
            "{} was closed and not all of its lines are written: tollway cycle close {}",
            open.cycle, open.cycle
        )));
    }
    if let Some(customer) = &args.customer {
        found.retain(|read| *read.customer == **customer);
        if found.is_empty() {
            must_exist(&installation, customer)?;
        }
    }
    let is_screen = global.output == OutputMode::Table;
    let shown = if args.limit == 0 || !is_screen { found.len() } else { args.limit.min(found.len()) };
    let mut total: BTreeMap<Currency, Money> = BTreeMap::new();
    for read in &found {
        let sum = total.entry(read.line.currency).or_default();
        *sum = sum.plus(read.line.amount);
    }
    let totals: Vec<String> =
        total.iter().map(|(currency, sum)| format!("{currency} {}", grouped(*sum, AMOUNT_PLACES))).collect();
    let headline = match found.len() {
        0 => format!("no lines of {}", args.customer.as_deref().unwrap_or("anybody")),
        lines => format!("{} of {}: {}", counted(lines as u64, "line"), args.cycle, totals.join(", ")),
    };
    let sheet = if is_screen { screen(&found[..shown]) } else { machine(&found) };
    let next = (shown < found.len()).then(|| format!("… {} more: --limit 0 shows all", found.len() - shown));
    let sheets = if found.is_empty() && is_screen { Vec::new() } else { vec![sheet] };
    let json = json!({"cycle": args.cycle, "lines": found.iter().map(to_json).collect::<Vec<_>>()});
    Answer { headline, sheets, next: next.into_iter().collect(), json }.print(global.output)?;
    Ok(Exit::Done)
}

/// Refuses a customer that nobody knows: a name that is misspelt is not somebody without lines.
fn must_exist(installation: &Installation, customer: &str) -> anyhow::Result<()> {
    let reference = installation.block_on(installation.state_read_only()?.load_reference(None))?;
    let owners = &reference.owners;
    if owners.customer_names.code(customer).is_some() {
        return Ok(());
    }
    Err(named::unknown_customer(owners, customer))
}

fn screen(found: &[Read]) -> Sheet {
    let mut sheet = Sheet::new("", &["customer", "line", "of", "subscription", "what", "#records", "#exact", "#amount", ""]);
    for Read { customer, line, .. } in found {
        sheet.row([
            customer.to_string(),
            line.kind.as_str().to_owned(),
            line.period.to_string(),
            line.subscription.as_deref().unwrap_or_default().to_owned(),
            what(line),
            if line.quantity.count == 0 { String::new() } else { line.quantity.count.to_string() },
            grouped(line.exact, EXACT_PLACES),
            grouped(line.amount, AMOUNT_PLACES),
            line.currency.to_string(),
        ]);
    }
    sheet
}

/// What a line is for: `voice-mo NL-MOB peak · zakelijk-plus`, or `abonnement: 12.50 x 17 of 31 days`.
fn what(line: &Line) -> String {
    let usage: Vec<&str> = [&line.usage_kind, &line.zone, &line.band].into_iter().flatten().map(AsRef::as_ref).collect();
    let item = line.item.as_deref().map(|item| match &line.says {
        Some(says) => format!("{item}: {says}"),
        None => item.to_owned(),
    });
    let item = item.or_else(|| line.says.clone());
    let usage = (!usage.is_empty()).then(|| usage.join(" "));
    let plan = line.plan.as_deref().filter(|_| line.item.is_none()).map(str::to_owned);
    [item, usage, plan].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn machine(found: &[Read]) -> Sheet {
    const HEADS: [&str; 24] = [
        "closing",
        "customer",
        "line",
        "line_kind",
        "billing_period",
        "subscription",
        "plan",
        "item",
        "kind",
        "zone",
        "band",
        "tax_class",
        "tax",
        "currency",
        "count",
        "billed_units",
        "committed",
        "days",
        "days_of",
        "exact",
        "amount",
        "difference",
        "tariff",
        "says",
    ];
    let mut sheet = Sheet::new("", &HEADS);
    for read in found {
        let of = to_json(read);
        sheet.row(HEADS.map(|head| match &of[head] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            value => value.to_string(),
        }));
    }
    sheet
}

fn to_json(Read { closing, customer, number, line }: &Read) -> Value {
    let difference = Money(line.amount.0 - line.exact.0);
    json!({
        "closing": closing, "customer": customer, "line": number, "line_kind": line.kind.as_str(), "billing_period": line.period.to_string(),
        "subscription": line.subscription, "plan": line.plan, "item": line.item, "kind": line.usage_kind, "zone": line.zone,
        "band": line.band, "tax_class": line.tax_class, "tax": line.tax, "currency": line.currency.to_string(),
        "count": line.quantity.count, "seconds": line.quantity.seconds, "bytes": line.quantity.bytes, "messages": line.quantity.messages,
        "billed_units": line.quantity.billed_units, "committed": line.committed.map(|money| money.to_text(9)),
        "days": line.days.map(|(days, _)| days), "days_of": line.days.map(|(_, of)| of), "exact": line.exact.to_text(9),
        "amount": line.amount.to_text(9), "difference": difference.to_text(9), "tariff": line.tariff, "says": line.says,
    })
}
