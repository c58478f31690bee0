//! `tollway control-totals`: what went into each hop and what came out of it, per account and provider cycle, and whether they
//! agree.
//!
//! Three independent counts meet here: landing (files, bytes), the ledger (rows by outcome, our money) and the tables' rows
//! themselves (rows, seconds, bytes, provider money, our money).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::delivery::{ArrivalNumber, DeliveryId};
use domain::money::{Currency, Money};
use domain::outcome::Counts;
use ingest::land::ArrivalKind;
use serde_json::{Value, json};
use sinks::ledger::LedgerEntry;

use super::rows::{Row, ask_rows};
use crate::attention;
use crate::cli::{ControlTotalsArgs, Global};
use crate::counts::{grouped, to_json};
use crate::exit_code::Exit;
use crate::installation::Installation;
use crate::named::is_account;
use crate::output::{Answer, Sheet, bytes, count};

/// Sums over the rows of the tables.
const FROM_ROWS: &str = include_str!("control_totals.sql");

/// Account and provider cycle; the cycle is empty where the files belong to none.
type Key = (String, String);

/// Amounts by currency.
type Amounts = BTreeMap<Currency, Money>;

/// The counts of one account and cycle.
#[derive(Debug, Default)]
struct Line {
    landed: BTreeSet<DeliveryId>,
    held: u64,
    settled: BTreeSet<DeliveryId>,
    bytes: u64,
    counts: Counts,
    rated_rows: u64,
    suspense_rows: u64,
    seconds: i64,
    data_bytes: i64,
    messages: i64,
    cost: Amounts,
    cost_in_suspense: Amounts,
    charge: Amounts,
}

/// Runs the command.
pub fn run(global: &Global, args: &ControlTotalsArgs) -> anyhow::Result<Exit> {
    let installation = Installation::open(global)?;
    let mut lines = gather(&installation)?;
    lines.retain(|(account, cycle), _| {
        args.account.as_deref().is_none_or(|wanted| is_account(account, wanted))
            && args.cycle.as_ref().is_none_or(|wanted| wanted == cycle)
    });
    let differing = lines.values().filter(|line| !line.differences().is_empty()).count();
    let waiting: u64 = lines.values().map(Line::waiting).sum();
    let headline = match (differing, waiting) {
        (0, 0) => format!("{} accounts and cycles; every hop agrees with the one before it", lines.len()),
        (0, files) => format!("{} accounts and cycles; every hop agrees, {} files wait", lines.len(), count(files)),
        (n, _) => format!("{n} of {} accounts and cycles differ between hops: this is damage, run `tollway check`", lines.len()),
    };
    let json: Vec<Value> = lines.iter().map(|(key, line)| line.to_json(key)).collect();
    let sheets = vec![files_sheet(&lines), rows_sheet(&lines), money_sheet(&lines)];
    Answer { headline, sheets, next: Vec::new(), json: json!({"control_totals": json}) }.print(global.output)?;
    Ok(if differing + usize::try_from(waiting).unwrap_or(usize::MAX) == 0 { Exit::Done } else { Exit::NeedsHand })
}

fn gather(installation: &Installation) -> anyhow::Result<BTreeMap<Key, Line>> {
    let mut lines: BTreeMap<Key, Line> = BTreeMap::new();
    let mut key_of: HashMap<DeliveryId, Key> = HashMap::new();
    let landing = installation.landing();
    // Those that still wait: one that was taken since, or rejected, has its arrival all the same.
    let held: BTreeSet<ArrivalNumber> = landing.held()?.iter().map(|arrival| arrival.number).collect();
    for arrival in landing.arrivals(0)? {
        let ArrivalKind::Delivery(delivery) = arrival.kind else { continue };
        let acts = attention::acts(&delivery);
        if !acts && !held.contains(&arrival.number) {
            continue;
        }
        let key = (delivery.identity.account.path(), delivery.identity.cycle.clone().unwrap_or_default());
        let line = lines.entry(key.clone()).or_default();
        if !acts {
            line.held += 1;
        } else if line.landed.insert(delivery.delivery) {
            line.bytes += delivery.size;
            key_of.insert(delivery.delivery, key);
        }
    }
    for entry in sinks::ledger::read_all(&installation.entries()?)? {
        let key = key_of.get(&entry.delivery).cloned().unwrap_or_else(|| (entry.account.clone(), String::new()));
        lines.entry(key).or_default().add_ledger(&entry);
    }
    for row in ask_rows(installation, FROM_ROWS)? {
        let account = ["tenant", "provider", "account"].map(|c| row.text(c).unwrap_or_default()).join("/");
        let key = (account, row.text("cycle").unwrap_or_default().to_owned());
        lines.entry(key).or_default().add_rows(&row);
    }
    Ok(lines)
}

/// The amount of a row under its currency; a row without one has none.
fn amount(row: &Row, money: &str, currency: &str) -> Option<(Currency, Money)> {
    Currency::parse(row.text(currency)?).zip(Money::parse(row.text(money)?))
}

fn add(amounts: &mut Amounts, amount: Option<(Currency, Money)>) {
    if let Some((currency, money)) = amount {
        let sum = amounts.entry(currency).or_default();
        *sum = sum.plus(money);
    }
}

impl Line {
    fn add_ledger(&mut self, entry: &LedgerEntry) {
        entry.add_to(&mut self.counts);
        if entry.verdict.is_some() {
            self.settled.insert(entry.delivery);
        }
    }

    fn add_rows(&mut self, row: &Row) {
        self.seconds += row.long("seconds");
        self.data_bytes += row.long("bytes");
        self.messages += row.long("messages");
        let cost = amount(row, "cost", "cost_currency");
        add(&mut self.cost, cost);
        if row.text("outcome") == Some("rated") {
            self.rated_rows += row.number("records");
            add(&mut self.charge, amount(row, "charge", "currency"));
        } else {
            self.suspense_rows += row.number("records");
            add(&mut self.cost_in_suspense, cost);
        }
    }

    /// Files that have landed and have no verdict yet.
    fn waiting(&self) -> u64 {
        self.landed.difference(&self.settled).count() as u64
    }

    /// Where two hops disagree.
    fn differences(&self) -> Vec<String> {
        let mut all = Vec::new();
        let mut compare = |what: &str, one: String, other: String| {
            if one != other {
                all.push(format!("{what}: the ledger says {one}, the rows say {other}"));
            }
        };
        compare("rated", count(self.counts.rated), count(self.rated_rows));
        compare("suspense", count(self.counts.suspended()), count(self.suspense_rows));
        let non_zero = |amounts: &Amounts| amounts.iter().filter(|(_, m)| m.0 != 0).map(|(c, m)| (*c, *m)).collect::<Amounts>();
        compare("charge", text(&non_zero(&self.counts.charge)), text(&non_zero(&self.charge)));
        if !self.counts.is_balanced() {
            all.push(format!("rows in: {} are not the sum of the four outcomes", count(self.counts.rows_in)));
        }
        all
    }

    fn state(&self) -> String {
        let differences = self.differences();
        match (differences.is_empty(), self.waiting()) {
            (false, _) => differences.join("; "),
            (true, 0) => "agrees".to_owned(),
            (true, n) => format!("{} files wait", count(n)),
        }
    }

    fn to_json(&self, (account, cycle): &Key) -> Value {
        let amounts = |a: &Amounts| a.iter().map(|(c, m)| (c.to_string(), m.to_text(9))).collect::<BTreeMap<_, _>>();
        json!({
            "account": account,
            "cycle": (!cycle.is_empty()).then_some(cycle),
            "files": {"landed": self.landed.len(), "done": self.settled.len(), "waiting": self.waiting(), "held": self.held},
            "bytes": self.bytes,
            "rows": to_json(&self.counts),
            "seconds": self.seconds,
            "data_bytes": self.data_bytes,
            "messages": self.messages,
            "provider_cost": amounts(&self.cost),
            "provider_cost_in_suspense": amounts(&self.cost_in_suspense),
            "charge": amounts(&self.charge),
            "differences": self.differences(),
        })
    }
}

fn text(amounts: &Amounts) -> String {
    if amounts.is_empty() {
        return "none".to_owned();
    }
    amounts.iter().map(|(c, m)| format!("{c} {}", grouped(*m, 6))).collect::<Vec<_>>().join(", ")
}

fn heads((account, cycle): &Key) -> [String; 2] {
    [account.clone(), if cycle.is_empty() { "-".to_owned() } else { cycle.clone() }]
}

fn files_sheet(lines: &BTreeMap<Key, Line>) -> Sheet {
    let mut sheet = Sheet::new("files", &["account", "cycle", "#landed", "#bytes", "#done", "#waiting", "#held", "hops"]);
    for (key, line) in lines {
        let [account, cycle] = heads(key);
        let figures = [line.landed.len() as u64, line.settled.len() as u64, line.waiting(), line.held].map(count);
        let [landed, done, waiting, held] = figures;
        sheet.row([account, cycle, landed, bytes(line.bytes), done, waiting, held, line.state()]);
    }
    sheet
}

fn rows_sheet(lines: &BTreeMap<Key, Line>) -> Sheet {
    let columns =
        ["account", "cycle", "#rows in", "#rated", "#suspense", "#duplicate", "#skipped", "#minutes", "#data", "#messages"];
    let mut sheet = Sheet::new("rows", &columns);
    for (key, line) in lines {
        let [account, cycle] = heads(key);
        let c = &line.counts;
        let rows = [c.rows_in, c.rated, c.suspended(), c.duplicates + c.resent, c.skipped_rows()].map(count);
        let used =
            [count(line.seconds.unsigned_abs() / 60), bytes(line.data_bytes.unsigned_abs()), count(line.messages.unsigned_abs())];
        sheet.row([account, cycle].into_iter().chain(rows).chain(used));
    }
    sheet
}

fn money_sheet(lines: &BTreeMap<Key, Line>) -> Sheet {
    let mut sheet = Sheet::new("money", &["account", "cycle", "#provider cost", "#of it in suspense", "#our charge"]);
    for (key, line) in lines {
        let [account, cycle] = heads(key);
        sheet.row([account, cycle, text(&line.cost), text(&line.cost_in_suspense), text(&line.charge)]);
    }
    sheet
}
