//! Rows that have a price, rated again: what would come of it by customer and by rule, the decisions to do it, and what came of them.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;
use std::sync::{Arc, Mutex, PoisonError};

use domain::closed::ClosedCycles;
use domain::columns::ColumnError;
use domain::delivery::{Account, ArrivalNumber};
use domain::money::{Currency, Money, add_sums};
use domain::nearest;
use domain::outcome::{Outcome, Reason};
use ingest::land::{ArrivalKind, DrawingChoice, Landing, PricedChoice, Recycling, RowChoice};
use pipeline::rating::Reference;
use pipeline::recycling::{drawing_choice, priced_choice};
use rate::settle::{Draws, Reached};
use sinks::correction::rerate::{self, Compared, Findings, Side};
use sinks::table::Table;

use crate::cli::Global;
use crate::counts::grouped;
use crate::exit_code::{bad_input, refused, usage};
use crate::installation::Installation;
use crate::named::{is_account, unknown_id};
use crate::output::count;
use crate::progress::Progress;
use crate::recycling::{Acted, act};

/// Which rows with a price are meant; all that is named must fit.
#[derive(Debug)]
pub struct Wish {
    /// Their account: its name, `PROVIDER/ACCOUNT` or `TENANT/PROVIDER/ACCOUNT`.
    pub account: Option<String>,
    /// By what they are chosen.
    pub meant: Meant,
}

/// By what rows with a price are chosen.
#[derive(Debug, Clone)]
pub enum Meant {
    /// All that have the customer, plan and cycle.
    Priced(PricedChoice),
    /// Those that draw from allowances, of the customer and cycles.
    Drawing(DrawingChoice),
}

impl Meant {
    /// As the table is asked.
    pub fn choice(&self, next: ArrivalNumber) -> rerate::Choice {
        match self {
            Self::Priced(choice) => priced_choice(choice, next),
            Self::Drawing(choice) => drawing_choice(choice, next),
        }
    }

    /// The customer and the plan that are named.
    fn names(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::Priced(choice) => (choice.customer.as_deref(), choice.plan.as_deref()),
            Self::Drawing(choice) => (choice.customers.first().map(String::as_str), None),
        }
    }

    /// Says which cycles are closed, and whether what was billed in them is meant, too.
    pub fn leave(&mut self, closed: ClosedCycles, is_billed_too: bool) {
        let (frozen, billed_too) = match self {
            Self::Priced(choice) => (&mut choice.frozen, &mut choice.billed_too),
            Self::Drawing(choice) => (&mut choice.frozen, &mut choice.billed_too),
        };
        (*frozen, *billed_too) = (closed, is_billed_too);
    }

    /// Whether a cycle is named that is left alone, for some customers or all.
    fn names_closed(&self) -> bool {
        match self {
            Self::Priced(PricedChoice { cycle, frozen, billed_too, .. }) => {
                !billed_too && cycle.as_ref().is_some_and(|cycle| frozen.contains(cycle))
            }
            Self::Drawing(DrawingChoice { cycles, frozen, billed_too, .. }) => {
                !billed_too && cycles.iter().any(|cycle| frozen.contains(cycle))
            }
        }
    }

    /// As a decision says it.
    pub fn word(&self) -> RowChoice {
        match self.clone() {
            Self::Priced(choice) => RowChoice::Priced(choice),
            Self::Drawing(choice) => RowChoice::Drawing(choice),
        }
    }
}

/// The rule by which a row has its price.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// The plan.
    pub plan: String,
    /// The zone.
    pub zone: String,
    /// The time band.
    pub band: String,
    /// The tariff's version.
    pub tariff: String,
    /// The customer's cycle.
    pub cycle: String,
}

impl Rule {
    fn of(side: &Side<'_>) -> Self {
        let text = |name: Option<&str>| name.unwrap_or_default().to_owned();
        let [plan, zone, band, tariff, cycle] = [side.plan, side.zone, side.band, side.tariff, side.cycle].map(text);
        Self { plan, zone, band, tariff, cycle }
    }
}

/// What rows that differ have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn {
    /// Kind and direction.
    pub kind: String,
    /// The rule by which they stand.
    pub was: Rule,
    /// The rule by which they come out, or why they lose their price.
    pub becomes: Result<Rule, Reason>,
    /// Whether they come out as another customer's, or another device's, subscription's or owner's of the same.
    pub owner: Owner,
}

/// Whose a row is, beside whose it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// It is as it was.
    Same,
    /// Another customer's.
    OtherCustomer,
    /// The same customer's, by another device, subscription or place in the organisation.
    OtherDevice,
}

impl Owner {
    fn of(was: &Side<'_>, becomes: &Side<'_>) -> Self {
        let is_same =
            (was.owner_path, was.subscription, was.device) == (becomes.owner_path, becomes.subscription, becomes.device);
        if was.customer != becomes.customer {
            Self::OtherCustomer
        } else if is_same {
            Self::Same
        } else {
            Self::OtherDevice
        }
    }
}

/// Rows that differ, and their charges in one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub records: u64,
    /// What stands.
    pub before: Money,
    /// What comes out.
    pub after: Money,
}

impl Sum {
    /// What they cost more; negative: less.
    pub fn difference(self) -> Money {
        Money(self.after.0 - self.before.0)
    }

    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.before = self.before.plus(other.before);
        self.after = self.after.plus(other.after);
    }
}

/// What rating the rows that are meant again would make of them.
#[derive(Debug, Default)]
pub struct Outlook {
    /// How many rows are meant.
    pub chosen: u64,
    /// How many of them come out otherwise.
    pub changes: u64,
    /// How many of these lose their price.
    pub lost: u64,
    /// What those are charged.
    pub lost_charge: BTreeMap<Currency, Money>,
    /// How many of the rows that come out otherwise lie in which cycle, before or after.
    pub cycles: BTreeMap<String, u64>,
    /// How many rows come out otherwise and are left as they stand, because they were billed when their cycle was closed.
    pub left: u64,
    /// In which cycles these stand.
    pub left_cycles: BTreeMap<String, u64>,
    /// What each customer has and would have, by currency.
    pub customers: BTreeMap<(String, Currency), Sum>,
    /// What differs by which rule, by currency.
    pub rules: BTreeMap<(Turn, Currency), Sum>,
    /// Rows that differ by account, with one of their arrivals.
    accounts: BTreeMap<String, (u64, ArrivalNumber)>,
}

impl Outlook {
    /// Customers whose rows that differ fit one commit of each account, where not all of them do: as many as `most`, one at least.
    pub fn portion(&self, rows_max: u64, most: usize) -> Option<BTreeSet<String>> {
        if self.accounts.values().all(|(rows, _)| *rows <= rows_max) {
            return None;
        }
        let (mut portion, mut rows) = (BTreeSet::new(), 0);
        for ((customer, _), sum) in self.customers.iter().filter(|((customer, _), _)| !customer.is_empty()) {
            rows += sum.records;
            let is_next = portion.is_empty() || portion.contains(customer) || (rows <= rows_max && portion.len() < most);
            if !is_next {
                break;
            }
            portion.insert(customer.clone());
        }
        Some(portion)
    }

    /// What all rows that differ come to, by currency.
    pub fn total(&self) -> BTreeMap<Currency, Sum> {
        let mut total: BTreeMap<Currency, Sum> = BTreeMap::new();
        for ((_, currency), sum) in &self.rules {
            total.entry(*currency).or_default().add(*sum);
        }
        total
    }
}

/// The money of a row before and after, in each currency that it has there.
fn money(row: &Compared<'_>) -> impl Iterator<Item = (Currency, Sum)> {
    let (was, becomes) = (row.was.charge, row.becomes.charge);
    let records = 1;
    let both = match (was, becomes) {
        (Some((before, of)), Some((after, same))) if of == same => [Some((of, Sum { records, before, after })), None],
        _ => [
            was.map(|(before, of)| (of, Sum { records, before, after: Money::default() })),
            becomes.map(|(after, of)| (of, Sum { records, before: Money::default(), after })),
        ],
    };
    both.into_iter().flatten()
}

impl Findings for Outlook {
    fn row(&mut self, row: &Compared<'_>) -> Result<(), ColumnError> {
        self.chosen += 1;
        if row.is_left {
            self.left += 1;
            *self.left_cycles.entry(row.was.cycle.unwrap_or_default().to_owned()).or_default() += 1;
            return Ok(());
        }
        if !row.differs {
            return Ok(());
        }
        self.changes += 1;
        if row.becomes.reason.is_some() && row.was.reason.is_none() {
            self.lost += 1;
            if let Some((charge, currency)) = row.was.charge {
                let sum = self.lost_charge.entry(currency).or_default();
                *sum = sum.plus(charge);
            }
        }
        let other_cycle = row.becomes.cycle.filter(|cycle| row.was.cycle != Some(cycle));
        for cycle in row.was.cycle.into_iter().chain(other_cycle) {
            match self.cycles.get_mut(cycle) {
                Some(rows) => *rows += 1,
                None => drop(self.cycles.insert(cycle.to_owned(), 1)),
            }
        }
        match self.accounts.get_mut(row.account) {
            Some((rows, _)) => *rows += 1,
            None => drop(self.accounts.insert(row.account.to_owned(), (1, row.arrival))),
        }
        let (was, becomes) = (&row.was, &row.becomes);
        let turned = becomes.reason.map_or_else(|| Ok(Rule::of(becomes)), Err);
        let turn = Turn { kind: row.kind.to_owned(), was: Rule::of(was), becomes: turned, owner: Owner::of(was, becomes) };
        for (currency, sum) in money(row) {
            self.rules.entry((turn.clone(), currency)).or_default().add(sum);
        }
        let customers = [(was.customer, was.charge, true), (becomes.customer, becomes.charge, false)];
        let is_same = was.customer == becomes.customer;
        for (customer, charge, is_before) in customers {
            let Some((charge, currency)) = charge else { continue };
            let key = (customer.unwrap_or_default().to_owned(), currency);
            let is_counted = is_before || !is_same || was.charge.is_none_or(|(_, other)| other != currency);
            let none = Money::default();
            let (before, after) = if is_before { (charge, none) } else { (none, charge) };
            self.customers.entry(key).or_default().add(Sum { records: u64::from(is_counted), before, after });
        }
        Ok(())
    }

    fn join(mut self, later: Self) -> Self {
        self.chosen += later.chosen;
        self.changes += later.changes;
        self.lost += later.lost;
        self.left += later.left;
        later.left_cycles.into_iter().for_each(|(cycle, rows)| *self.left_cycles.entry(cycle).or_default() += rows);
        add_sums(&mut self.lost_charge, &later.lost_charge);
        later.cycles.into_iter().for_each(|(cycle, rows)| *self.cycles.entry(cycle).or_default() += rows);
        later.customers.into_iter().for_each(|(key, sum)| self.customers.entry(key).or_default().add(sum));
        later.rules.into_iter().for_each(|(key, sum)| self.rules.entry(key).or_default().add(sum));
        for (account, (rows, arrival)) in later.accounts {
            self.accounts.entry(account).or_insert((0, arrival)).0 += rows;
        }
        self
    }
}

/// An amount with its sign, for people or in full.
pub fn signed(money: Money, is_for_machines: bool) -> String {
    if is_for_machines {
        return money.to_text(9);
    }
    let text = grouped(money, 9);
    if money.0 > 0 { format!("+{text}") } else { text }
}

/// Rates the rows that are meant again, on the table as it is and by some reference data, and changes nothing. Also tells how far
/// allowances are used up.
pub fn look(
    installation: &Installation,
    landing: &Landing,
    wish: &Wish,
    reference: &Reference,
    quiet: bool,
) -> anyhow::Result<(Outlook, Vec<Reached>)> {
    let entries = installation.entries()?;
    let choice = wish.meant.choice(landing.next_number()?);
    let account = wish.account.as_deref();
    let question = Question { what: "rerate", outcomes: &[Outcome::Rated], choice, account, customers: None };
    let draws = reference.draws(&entries, question.outcomes, question.customers, slice::from_ref(&question.choice))?;
    let outlook: Outlook = ask(&entries, &question, (reference, &draws), quiet)?;
    if outlook.chosen == 0 {
        known(wish.meant.names(), wish.account.as_deref(), &entries, reference)?;
    }
    Ok((outlook, draws.reached().to_vec()))
}

/// A question about rows of the table.
pub struct Question<'q> {
    /// What is done, in progress lines.
    pub what: &'static str,
    /// How the rows stand.
    pub outcomes: &'q [Outcome],
    /// Which rows.
    pub choice: rerate::Choice,
    /// Of which account, as people name it; of all if none.
    pub account: Option<&'q str>,
    /// As whose they stand; as anybody's if none.
    pub customers: Option<&'q BTreeSet<String>>,
}

/// Rates rows of the table by a reference, with what allowances give to its records, and gives what was found, with progress.
pub fn ask<F: Findings>(
    table: &Table,
    question: &Question<'_>,
    (reference, draws): (&Reference, &Draws),
    quiet: bool,
) -> anyhow::Result<F> {
    let of = |outcome: &Outcome| table.files(&[("outcome", outcome.as_str())]).filter_map(|add| add.rows()).sum::<u64>();
    let rows = question.outcomes.iter().map(of).sum();
    let progress = Mutex::new((Progress::start(question.what, rows, quiet), 0));
    let done = |rows: u64| {
        let mut held = progress.lock().unwrap_or_else(PoisonError::into_inner);
        held.1 += rows;
        let (progress, all) = &mut *held;
        progress.at(*all);
    };
    let is_ours = |path: &str| question.account.is_none_or(|wanted| is_account(path, wanted));
    let accounts: Option<rerate::Accounts<'_>> = question.account.is_some().then_some(&is_ours);
    let meant = rerate::Meant { outcomes: question.outcomes, accounts, customers: question.customers };
    let choices = std::slice::from_ref(&question.choice);
    let rate = |batch| reference.rate_settled(batch, draws);
    let found = rerate::look(table, &meant, choices, &rate, &done)?;
    progress.into_inner().unwrap_or_else(PoisonError::into_inner).0.finish();
    Ok(found)
}

/// Refuses a customer or plan that the reference data does not have, and an account of which nothing has come.
pub fn known(
    (customer, plan): (Option<&str>, Option<&str>),
    account: Option<&str>,
    table: &Table,
    reference: &Reference,
) -> anyhow::Result<()> {
    if let Some(account) = account {
        let paths: BTreeSet<String> = sinks::ledger::read_all(table)?.into_iter().map(|entry| entry.account).collect();
        if !paths.iter().any(|path| is_account(path, account)) {
            let names = paths.iter().filter_map(|path| path.rsplit('/').next());
            let hint = nearest::hint(account, names);
            return Err(bad_input(format!("nothing has come under an account `{account}`{hint}")));
        }
    }
    let owners = reference.index.owners();
    for (what, wanted, known) in [("customer", customer, &owners.customer_names), ("plan", plan, &owners.plans)] {
        if let Some(wanted) = wanted.filter(|wanted| known.code(wanted).is_none()) {
            return Err(unknown_id(what, wanted, known.iter(), "no record with a price is of that one"));
        }
    }
    Ok(())
}

/// What came of it.
#[derive(Debug)]
pub struct Rerated {
    /// How the rows that are meant come out.
    pub outlook: Outlook,
    /// What was decided; `None`: nothing.
    pub acted: Option<Acted>,
}

impl Rerated {
    /// `unchanged`, `left`, `shown`, `ordered` or `rerated`.
    pub fn state(&self) -> &'static str {
        match &self.acted {
            None if self.outlook.changes == 0 && self.outlook.left == 0 => "unchanged",
            None if self.outlook.changes == 0 => "left",
            None => "shown",
            Some(acted) if acted.is_done => "rerated",
            Some(_) => "ordered",
        }
    }
}

/// Why what comes out otherwise cannot be posted as it was asked for; `None` if it can.
pub fn obstacle(installation: &Installation, wish: &Wish, outlook: &Outlook) -> Option<anyhow::Error> {
    let rows_max = installation.config().pipeline.rerated_rows_max;
    for (path, (rows, _)) in &outlook.accounts {
        if *rows > rows_max {
            return Some(usage(format!(
                "{} records of {path} come out otherwise, and a commit holds {} of them at most; choose fewer by --customer, --plan or \
                 --cycle, or raise `pipeline.rerated_rows_max`",
                count(*rows),
                count(rows_max)
            )));
        }
    }
    if outlook.left == 0 || !wish.meant.names_closed() {
        return None;
    }
    let touched = outlook.left_cycles.iter().map(|(cycle, rows)| format!("{} of these records lie in {cycle}", count(*rows)));
    Some(refused(format!(
        "{}, which is closed or frozen; choose another --cycle, or add --frozen to correct them all the same, and --dry-run to see them",
        touched.collect::<Vec<_>>().join(" and ")
    )))
}

/// Lands a decision for each account in which something changes, and lets them act. Nothing lands where nothing changes.
pub fn carry_out(
    global: &Global,
    installation: &Installation,
    landing: &Arc<Landing>,
    wish: &Wish,
    outlook: Outlook,
    workers: Option<u32>,
) -> anyhow::Result<Rerated> {
    let words = words(landing, &wish.meant, &outlook)?;
    let acted = if words.is_empty() { None } else { Some(act(global, installation, landing, &words, workers)?) };
    Ok(Rerated { outlook, acted })
}

/// The decisions, one for each account in which something changes.
pub fn words(landing: &Landing, meant: &Meant, outlook: &Outlook) -> anyhow::Result<Vec<Recycling>> {
    let arrivals = outlook.accounts.values().map(|(_, arrival)| *arrival);
    arrivals.map(|arrival| Ok(Recycling { account: account_of(landing, arrival)?, choice: meant.word() })).collect()
}

fn account_of(landing: &Landing, arrival: ArrivalNumber) -> anyhow::Result<Account> {
    match landing.arrival(arrival)?.kind {
        ArrivalKind::Delivery(record) => Ok(record.identity.account),
        _ => Err(anyhow::anyhow!("arrival {arrival} is no file, but the table has rows of it; `tollway check` tells more")),
    }
}
