//! `tollway why CUSTOMER CYCLE`: why a customer's totals are what they are, above all when they are zero or low.
//!
//! Follows the way of a call record: does the customer exist, had it numbers, did files arrive, were rows linked, priced, added
//! up. Each step that explains something is told with what to do.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use domain::columns::linked::Owner;
use domain::money::Money;
use domain::number::masked;
use domain::period::Month;
use ingest::land::ArrivalKind;
use serde_json::json;
use store::{IdentifierKind, Reference};

use super::rows::{Row, ask_rows, sql_text};
use super::suspense::remedy;
use crate::attention;
use crate::cli::{Global, WhyArgs};
use crate::counts::grouped;
use crate::exit_code::Exit;
use crate::installation::Installation;
use crate::named;
use crate::output::{Answer, Sheet, count};
use crate::totals;

/// Numbers of the customer that are looked for among rows without a device.
const NUMBERS_MAX: usize = 1_000;

/// One thing that explains the totals.
#[derive(Debug)]
struct Finding {
    what: &'static str,
    rows: Option<u64>,
    text: String,
    remedy: String,
}

impl Finding {
    fn new(what: &'static str, rows: Option<u64>, text: String, remedy: impl Into<String>) -> Self {
        Self { what, rows, text, remedy: remedy.into() }
    }
}

/// What the customer was charged.
#[derive(Debug, Default)]
struct Charged {
    records: i64,
    by_currency: BTreeMap<String, i128>,
}

/// Runs the command.
pub fn run(global: &Global, args: &WhyArgs) -> anyhow::Result<Exit> {
    let month = named::cycle(&args.cycle)?;
    let installation = Installation::open(global)?;
    let reference = installation.block_on(installation.state_read_only()?.load_reference(None))?;
    let code = reference
        .owners
        .customer_names
        .code(&args.customer)
        .ok_or_else(|| named::unknown_customer(&reference.owners, &args.customer))?;
    let charged = charged(&installation, &args.customer, &args.cycle)?;
    let numbers = windows(&reference, code, month);
    let mut findings = Vec::new();
    findings.extend(without_numbers(&numbers, &args.cycle));
    findings.extend(in_suspense(&installation, &args.customer, month)?);
    findings.extend(written_off(&installation, &args.customer, month)?);
    findings.extend(unlinked(&installation, &numbers, month)?);
    findings.extend(not_calculated(&installation, &args.cycle)?);
    if findings.is_empty() && charged.records == 0 {
        let text = format!("{} numbers, and no file that was read holds a record of one of them", numbers.known.len());
        let remedy = "ask the provider whether the files of this cycle are complete: tollway control-totals";
        findings.push(Finding::new("no records", None, text, remedy));
    }
    answer(global, args, &charged, &findings)
}

fn charged(installation: &Installation, customer: &str, cycle: &str) -> anyhow::Result<Charged> {
    let mut charged = Charged::default();
    for ((_, names), sums) in totals::read(&installation.totals()?, Some(cycle))? {
        if names[1] == customer {
            charged.records += sums.count;
            *charged.by_currency.entry(names[super::totals::CURRENCY].clone()).or_default() += sums.charge;
        }
    }
    Ok(charged)
}

/// The customer's numbers.
#[derive(Debug, Default)]
struct Numbers {
    /// All that it ever had.
    known: BTreeSet<u64>,
    /// Windows that touch the cycle.
    in_cycle: usize,
    /// The nearest windows before and after, as texts.
    others: Vec<String>,
}

fn windows(reference: &Reference, code: u32, month: Month) -> Numbers {
    let owners = &reference.owners;
    let customer = &owners.customers[code as usize];
    let zone = &owners.zones[usize::from(customer.zone)];
    let touches = |o: &Owner| {
        let last = customer.cycle_day.period_of(o.to_us.saturating_sub(1).min(LATEST_US), zone);
        customer.cycle_day.period_of(o.from_us, zone).number() <= month.number() && month.number() <= last.number()
    };
    let mut numbers = Numbers::default();
    for (kind, value, position) in &reference.identifiers {
        let owner = &owners.windows[*position as usize];
        if owner.customer != code {
            continue;
        }
        if *kind == IdentifierKind::Msisdn {
            numbers.known.insert(*value);
        }
        if touches(owner) {
            numbers.in_cycle += 1;
        } else if numbers.others.len() < 3 {
            let (from, to) = (Month::of(owner.from_us), Month::of(owner.to_us.min(LATEST_US)));
            numbers.others.push(format!("{} from {from} to {to}", masked(&value.to_string())));
        }
    }
    numbers
}

/// The end of time for calendars: 1 January 9999.
const LATEST_US: i64 = 253_370_764_800_000_000;

fn without_numbers(numbers: &Numbers, cycle: &str) -> Option<Finding> {
    if numbers.in_cycle > 0 {
        return None;
    }
    let text = match &numbers.others[..] {
        [] => "no number was ever assigned to it".to_owned(),
        others => format!("no number is assigned to it in {cycle}; it had {}", others.join(", ")),
    };
    Some(Finding::new("no device", None, text, "import its numbers: tollway import devices FILE"))
}

/// The rows of a month by the clock of UTC, a day more at both ends: cycles begin on any day and in any zone.
fn around(month: Month) -> String {
    let next = Month::from_number(month.number() + 2);
    let before = Month::from_number(month.number() - 1);
    format!("start >= TIMESTAMP '{before}-01T00:00:00' AND start < TIMESTAMP '{next}-01T00:00:00'")
}

fn in_suspense(installation: &Installation, customer: &str, month: Month) -> anyhow::Result<Vec<Finding>> {
    let sql = format!(
        "SELECT reason, count(*) AS records, sum(cost) AS cost, cost_currency FROM cdr \
         WHERE outcome = 'suspense' AND reason <> 'written_off' AND customer = {} AND coalesce(billing_period, '{month}') = '{month}' AND {} \
         GROUP BY reason, cost_currency ORDER BY records DESC",
        sql_text(customer),
        around(month)
    );
    let finding = |row: &Row| {
        let reason = row.text("reason").unwrap_or_default();
        Finding::new("suspense", Some(row.number("records")), format!("{reason}{}", at_risk(row)), remedy(reason))
    };
    Ok(ask_rows(installation, &sql)?.iter().map(finding).collect())
}

/// Records of the customer that somebody has written off.
fn written_off(installation: &Installation, customer: &str, month: Month) -> anyhow::Result<Vec<Finding>> {
    let sql = format!(
        "SELECT count(*) AS records, sum(cost) AS cost, cost_currency FROM cdr \
         WHERE outcome = 'suspense' AND reason = 'written_off' AND customer = {} AND coalesce(billing_period, '{month}') = '{month}' AND {} \
         GROUP BY cost_currency ORDER BY records DESC",
        sql_text(customer),
        around(month)
    );
    let finding = |row: &Row| {
        let text = format!("never to be charged{}", at_risk(row));
        Finding::new("written off", Some(row.number("records")), text, "tollway suspense list --reason written_off")
    };
    Ok(ask_rows(installation, &sql)?.iter().map(finding).collect())
}

fn at_risk(row: &Row) -> String {
    match (row.text("cost").and_then(Money::parse), row.text("cost_currency")) {
        (Some(cost), Some(currency)) => format!(", {currency} {} of provider cost", grouped(cost, 2)),
        _ => String::new(),
    }
}

/// Rows of the customer's numbers that found no device: they fall outside its windows.
fn unlinked(installation: &Installation, numbers: &Numbers, month: Month) -> anyhow::Result<Option<Finding>> {
    if numbers.known.is_empty() {
        return Ok(None);
    }
    let list: Vec<String> = numbers.known.iter().take(NUMBERS_MAX).map(|n| sql_text(&n.to_string())).collect();
    let sql = format!(
        "SELECT count(*) AS records, sum(cost) AS cost, cost_currency FROM cdr \
         WHERE outcome = 'suspense' AND reason = 'no_device' AND a_number IN ({}) AND {} GROUP BY cost_currency",
        list.join(", "),
        around(month)
    );
    let rows = ask_rows(installation, &sql)?;
    let records: u64 = rows.iter().map(|row| row.number("records")).sum();
    let text = || format!("calls of its numbers outside their windows{}", rows.first().map(at_risk).unwrap_or_default());
    Ok((records > 0).then(|| Finding::new("no device", Some(records), text(), "widen the windows: tollway import devices FILE")))
}

fn not_calculated(installation: &Installation, cycle: &str) -> anyhow::Result<Vec<Finding>> {
    let entries = installation.entries()?;
    let settled: HashSet<_> = sinks::ledger::settled(&sinks::ledger::read_all(&entries)?);
    let landing = installation.landing();
    // Those that still wait: one that was taken since, or rejected, has its arrival all the same.
    let held = landing.held()?.len() as u64;
    let mut waiting = 0;
    for arrival in landing.arrivals(0)? {
        let ArrivalKind::Delivery(delivery) = arrival.kind else { continue };
        waiting += u64::from(attention::acts(&delivery) && !settled.contains(&delivery.delivery));
    }
    let lag = totals::behind(&entries, &installation.totals()?);
    let mut findings = Vec::new();
    if waiting > 0 {
        let text = format!("{} files have landed and are not rated; they may hold records of {cycle}", count(waiting));
        findings.push(Finding::new("not calculated", None, text, "start the service, or see `tollway status`"));
    }
    if held > 0 {
        let text = format!("{} files are held; they may hold records of {cycle}", count(held));
        findings.push(Finding::new("not calculated", None, text, "decide about them: tollway status"));
    }
    if lag > 0 {
        let text = format!("the totals are {} commits behind the records", count(lag));
        findings.push(Finding::new("not calculated", None, text, "a running service or the next ingest catches up"));
    }
    Ok(findings)
}

fn answer(global: &Global, args: &WhyArgs, charged: &Charged, findings: &[Finding]) -> anyhow::Result<Exit> {
    let money: Vec<String> = charged.by_currency.iter().map(|(c, m)| format!("{c} {}", grouped(Money(*m), 6))).collect();
    let money = if money.is_empty() { "nothing".to_owned() } else { money.join(", ") };
    let headline = match findings {
        [] => format!(
            "{} {}: {money} in {} records, and nothing is missing",
            args.customer,
            args.cycle,
            count(charged.records.unsigned_abs())
        ),
        _ => format!("{} {}: {money} in {} records", args.customer, args.cycle, count(charged.records.unsigned_abs())),
    };
    let mut sheet = Sheet::new("why it is not more", &["", "#records", "", "what to do"]);
    for f in findings {
        sheet.row([f.what.to_owned(), f.rows.map_or_else(String::new, count), f.text.clone(), f.remedy.clone()]);
    }
    let json = json!({
        "customer": args.customer,
        "cycle": args.cycle,
        "records": charged.records,
        "charge": charged.by_currency.iter().map(|(c, m)| (c, Money(*m).to_text(9))).collect::<BTreeMap<_, _>>(),
        "findings": findings.iter().map(|f| json!({"what": f.what, "rows": f.rows, "text": f.text, "remedy": f.remedy})).collect::<Vec<_>>(),
    });
    let sheets = if findings.is_empty() { Vec::new() } else { vec![sheet] };
    Answer { headline, sheets, next: Vec::new(), json }.print(global.output)?;
    Ok(if findings.is_empty() { Exit::Done } else { Exit::NeedsHand })
}
