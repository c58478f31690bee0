//! `tollway cycle list`: the billing cycles that have records or lines, and which of them are closed.

use std::collections::{BTreeMap, BTreeSet};

use aggregate::totals::Sums;
use domain::closed::ClosedCycles;
use domain::columns::linked::Owners;
use domain::money::Money;
use domain::period::Month;
use domain::ports::Clock;
use serde_json::{Value, json};
use sinks::closing::{closed_by, closings, word};
use store::instant::show_instant;

use crate::cli::Global;
use crate::closing::table::{Read, read};
use crate::closing::unfinished;
use crate::commands::totals::{CURRENCY, CUSTOMER};
use crate::counts::grouped;
use crate::exit_code::Exit;
use crate::installation::Installation;
use crate::output::{Answer, Sheet, count, counted};
use crate::system::SystemClock;
use crate::totals;

/// All states, in the order in which they are told.
const STATES: [&str; 5] = ["closed", "closed in part", "interrupted", "ended", "running"];

/// A cycle as its records stand.
#[derive(Debug, Default)]
struct Cycle {
    customers: BTreeSet<String>,
    sums: Sums,
    charge: BTreeMap<String, Money>,
}

/// Runs the command.
pub fn run(global: &Global) -> anyhow::Result<Exit> {
    let installation = Installation::open(global)?;
    let entries = installation.entries()?;
    let reference = installation.block_on(installation.state_read_only()?.load_reference(None))?;
    let mut cycles: BTreeMap<String, Cycle> = BTreeMap::new();
    for ((cycle, names), sums) in totals::read(&installation.totals()?, None)? {
        let of = cycles.entry(cycle).or_default();
        of.customers.insert(names[CUSTOMER].clone());
        of.sums.add(&sums);
        let charge = of.charge.entry(names[CURRENCY].clone()).or_default();
        *charge = charge.plus(sums.charge());
    }
    let all = closings(&entries);
    let (closed, open) = (closed_by(&all), unfinished(&installation, &entries)?);
    // The last one of each cycle.
    let known: BTreeMap<String, _> = all.into_iter().map(|closing| (closing.cycle.clone(), closing)).collect();
    for cycle in known.keys().filter(|cycle| !cycles.contains_key(*cycle)).cloned().collect::<Vec<_>>() {
        let fees_alone = of_lines(&read(&installation, Some(&cycle))?);
        cycles.insert(cycle, fees_alone);
    }
    let mut sheet = Sheet::new("", &["cycle", "state", "#customers", "#records", "#charge", "", "closed at", "by"]);
    let mut rows: Vec<Value> = Vec::new();
    let mut states: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, cycle) in &cycles {
        let closing = known.get(name);
        let said = closing.map(|closing| word(&entries, closing)).transpose()?;
        let state = match closing {
            Some(_) if open.iter().any(|closing| closing.cycle == *name) => "interrupted",
            Some(_) if is_open(name, cycle, &closed, &reference.owners) => "closed in part",
            Some(_) => "closed",
            None if has_ended(name, cycle, &reference.owners, SystemClock.now_us()) => "ended",
            None => "running",
        };
        *states.entry(state).or_default() += 1;
        let (at, by) = said.as_ref().map(|(at_us, word)| (show_instant(*at_us), word.by.clone())).unwrap_or_default();
        let customers = count(cycle.customers.len() as u64);
        let mut charges: Vec<(&str, Money)> = cycle.charge.iter().map(|(code, sum)| (code.as_str(), *sum)).collect();
        if charges.is_empty() {
            charges.push(("", Money::default()));
        }
        for (at_row, (currency, charge)) in charges.into_iter().enumerate() {
            let first = |text: &str| if at_row == 0 { text.to_owned() } else { String::new() };
            let (records, charge) = (cycle.sums.count.to_string(), grouped(charge, 6));
            sheet.row([
                first(name),
                first(state),
                first(&customers),
                first(&records),
                charge,
                currency.to_owned(),
                first(&at),
                first(&by),
            ]);
        }
        let charge: serde_json::Map<String, Value> =
            cycle.charge.iter().map(|(code, sum)| (code.clone(), json!(sum.to_text(9)))).collect();
        rows.push(json!({
            "cycle": name, "state": state, "customers": cycle.customers.len(), "records": cycle.sums.count, "charge": charge,
            "closing": closing.map(|closing| closing.number), "closed_at": closing.map(|_| at.clone()), "by": closing.map(|_| by.clone()),
            "why": said.as_ref().map(|(_, word)| word.why.clone()), "overridden": said.as_ref().map(|(_, word)| word.overridden.clone()),
        }));
    }
    let headline = headline(&states);
    let sheets = if cycles.is_empty() { Vec::new() } else { vec![sheet] };
    Answer { headline, sheets, next: Vec::new(), json: json!({"cycles": rows}) }.print(global.output)?;
    Ok(Exit::Done)
}

/// How many cycles there are, and how many of each state: `3 cycles: 2 closed, 1 running`.
fn headline(states: &BTreeMap<&str, u64>) -> String {
    let of = |state: &&str| states.get(state).map(|cycles| format!("{} {state}", count(*cycles)));
    let told: Vec<String> = STATES.iter().filter_map(of).collect();
    match states.values().sum() {
        0 => "no cycle has records".to_owned(),
        all => format!("{}: {}", counted(all, "cycle"), told.join(", ")),
    }
}

/// A cycle without records: the customers that have lines, and their currencies.
fn of_lines(lines: &[Read]) -> Cycle {
    let customers = lines.iter().map(|read| read.customer.to_string()).collect();
    let charge = lines.iter().map(|read| (read.line.currency.to_string(), Money::default())).collect();
    Cycle { customers, charge, ..Cycle::default() }
}

/// Whether a cycle is open for a customer that has records in it.
fn is_open(name: &str, cycle: &Cycle, closed: &ClosedCycles, owners: &Owners) -> bool {
    cycle.customers.iter().any(|customer| closed.version_for(name, owners.customer_names.code(customer), owners).is_none())
}

/// Whether a cycle has ended for all customers that have records in it.
fn has_ended(name: &str, cycle: &Cycle, owners: &Owners, now_us: i64) -> bool {
    let Some(month) = Month::parse(name) else { return false };
    cycle.customers.iter().filter_map(|customer| owners.customer_names.code(customer)).all(|code| {
        let customer = &owners.customers[code as usize];
        customer.cycle_day.period_of(now_us, &owners.zones[usize::from(customer.zone)]) > month
    })
}
