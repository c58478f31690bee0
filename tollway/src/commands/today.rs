//! `tollway today`: one screen for the morning. What needs a hand and what can wait, each line with what to type next.

mod cycles;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use domain::money::{Currency, Money};
use domain::outcome::Reason;
use domain::period::Month;
use domain::ports::Clock;
use domain::zone::SECOND_US;
use ingest::land::{Arrival, Landing};
use serde_json::{Value, json};
use store::instant::{parse_instant, show_instant};

use super::rows::{ask_rows, sql_text};
use crate::arrived::{self, Came, LandedProfiles};
use crate::attention;
use crate::cli::{Global, TodayArgs};
use crate::counts::grouped;
use crate::exit_code::{Exit, usage};
use crate::installation::Installation;
use crate::output::{Answer, Sheet, count};
use crate::system::SystemClock;
use crate::unassigned::{amounts_json, total_at_risk, worklist};
use crate::{numbered, rhythm, totals};

/// How far back "new" goes.
const DAY_US: i64 = 86_400 * SECOND_US;

/// Lines of one kind; more are counted in a last one.
const LINES_MAX: usize = 5;

/// A line of the screen.
#[derive(Debug, Clone, PartialEq)]
struct Item {
    /// What kind of thing it is, for machines.
    kind: &'static str,
    /// Whether somebody must act today.
    is_urgent: bool,
    /// What or whose.
    what: String,
    /// What is the matter.
    text: String,
    /// What to type next.
    command: String,
    /// The same for machines.
    facts: Value,
}

/// Where all lines look.
struct Desk<'a> {
    installation: &'a Installation,
    landing: Landing,
    arrivals: Vec<Arrival>,
    came: Vec<Came>,
    at_us: i64,
}

/// Runs the command.
pub fn run(global: &Global, args: &TodayArgs) -> anyhow::Result<Exit> {
    let given = args.at.as_deref().map(parse_instant).transpose().map_err(|e| usage(format!("--at: {e}")))?;
    let at_us = given.unwrap_or_else(|| SystemClock.now_us());
    let installation = Installation::open(global)?;
    let landing = installation.landing();
    let arrivals = landing.arrivals(0)?;
    let came = arrived::deliveries(&arrivals, at_us);
    let desk = Desk { installation: &installation, landing, arrivals, came, at_us };
    let mut items = desk.late_and_missing()?;
    items.extend(desk.files()?);
    items.extend(desk.suspense()?);
    items.extend(desk.unassigned()?);
    items.extend(desk.disputed()?);
    items.extend(desk.below_cost()?);
    items.extend(desk.cycles()?);
    items.sort_by_key(|item| !item.is_urgent);
    answer(global, at_us, &items)
}

fn answer(global: &Global, at_us: i64, items: &[Item]) -> anyhow::Result<Exit> {
    let urgent = items.iter().filter(|item| item.is_urgent).count();
    let waiting = items.len() - urgent;
    let headline = format!(
        "{} · {}",
        show_instant(at_us - at_us.rem_euclid(SECOND_US)),
        match (urgent, waiting) {
            (0, 0) => "nothing needs a hand".to_owned(),
            (0, n) => format!("nothing needs a hand, {n} can wait"),
            (n, 0) => format!("{n} need a hand"),
            (n, m) => format!("{n} need a hand, {m} can wait"),
        }
    );
    let mut sheet = Sheet::new("", &["", "what", "", "what to type"]);
    for (position, item) in items.iter().enumerate() {
        let mark = if item.is_urgent { (position + 1).to_string() } else { "·".to_owned() };
        sheet.row([mark, item.what.clone(), item.text.clone(), item.command.clone()]);
    }
    let line = |item: &Item| {
        json!({
            "kind": item.kind, "urgent": item.is_urgent, "what": item.what, "text": item.text, "command": item.command,
            "facts": item.facts,
        })
    };
    let lines: Vec<Value> = items.iter().map(line).collect();
    let json = json!({"at": show_instant(at_us), "need_a_hand": urgent, "can_wait": waiting, "items": lines});
    let sheets = if items.is_empty() { Vec::new() } else { vec![sheet] };
    Answer { headline, sheets, next: Vec::new(), json }.print(global.output)?;
    Ok(if urgent == 0 { Exit::Done } else { Exit::NeedsHand })
}

impl Desk<'_> {
    /// Accounts without their next file, and files that are missing by their number.
    fn late_and_missing(&self) -> anyhow::Result<Vec<Item>> {
        let mut profiles = LandedProfiles::default();
        let late = rhythm::late(&self.landing, &mut profiles, &self.came, self.at_us);
        let mut items: Vec<Item> = late
            .iter()
            .map(|late| Item {
                kind: "late",
                is_urgent: true,
                what: late.account.clone(),
                text: late.text(self.at_us),
                command: ingest_command(&late.account, &late.profile),
                facts: json!({"account": late.account, "last": show_instant(late.last_us), "every_s": late.usual_us / SECOND_US}),
            })
            .collect();
        for (account, numbers) in numbered::by_account(&self.landing, &mut profiles, &self.came)? {
            let newest = self.came.iter().rev().find(|c| c.record.identity.account.path() == account);
            let profile = newest.map(|c| c.record.profile.clone()).unwrap_or_default();
            let item = |kind, text, facts| Item {
                kind,
                is_urgent: true,
                what: account.clone(),
                text,
                command: ingest_command(&account, &profile),
                facts,
            };
            let gaps = numbers.gaps.iter().map(|gap| {
                item("gap", gap.text(), json!({"account": account, "from": gap.from, "to": gap.to, "files": gap.files}))
            });
            let twice = numbers.twice.iter().map(|twice| Item {
                command: "tollway status".to_owned(),
                ..item("number_twice", twice.text(), json!({"account": account, "number": twice.number}))
            });
            items.extend(limited(gaps.collect(), "tollway status --output json"));
            items.extend(limited(twice.collect(), "tollway status --output json"));
        }
        Ok(items)
    }

    /// Files that were refused, wait for a word, or wait to be rated.
    fn files(&self) -> anyhow::Result<Vec<Item>> {
        let attention::Open { refused, held, not_rated } =
            attention::Open::of(&self.installation.entries()?, &self.landing, &self.came)?;
        let line = |kind, file: &str, state: &str, message: String, command: &str| Item {
            kind,
            is_urgent: true,
            what: file.to_owned(),
            text: format!("{state}: {message}"),
            command: command.to_owned(),
            facts: json!({"file": file, "state": state}),
        };
        let refused = refused.into_iter().map(|t| line("refused", &t.file, &t.state, t.message, "tollway status")).collect();
        let held = held.into_iter().map(|t| line("held", &t.file, &t.state, t.message, "tollway status")).collect();
        let mut items = limited(refused, "tollway status");
        items.extend(limited(held, "tollway status"));
        if not_rated > 0 {
            items.push(Item {
                kind: "not_rated",
                is_urgent: false,
                what: "landing".to_owned(),
                text: format!("{} files have landed and are not rated yet", count(not_rated as u64)),
                command: "tollway status".to_owned(),
                facts: json!({"files": not_rated}),
            });
        }
        Ok(items)
    }

    /// Rows that went into suspense in the last day, by reason. Calls without an owner have a line of their own.
    fn suspense(&self) -> anyhow::Result<Vec<Item>> {
        let of_the_day = self.arrivals.iter().filter(|a| a.arrived_us > self.at_us - DAY_US && a.arrived_us <= self.at_us);
        let numbers: Vec<u64> = of_the_day.map(|a| a.number).collect();
        let (Some(first), Some(last)) = (numbers.iter().min(), numbers.iter().max()) else { return Ok(Vec::new()) };
        let sql = format!(
            "SELECT reason, cost_currency, count(*) AS records, sum(cost) AS cost FROM cdr \
             WHERE outcome = 'suspense' AND arrival BETWEEN {first} AND {last} AND reason NOT IN ({}, 'written_off') \
             GROUP BY reason, cost_currency",
            sql_text(Reason::NoDevice.as_str())
        );
        let mut reasons: BTreeMap<String, (u64, BTreeMap<Currency, Money>)> = BTreeMap::new();
        for row in ask_rows(self.installation, &sql)? {
            // One line for all that could not be read: each of its reasons is for the one who looks into it.
            let reason = row.text("reason").unwrap_or_default();
            let family = if reason.starts_with("malformed.") { "malformed" } else { reason };
            let (records, at_risk) = reasons.entry(family.to_owned()).or_default();
            *records += row.number("records");
            let cost = row.text("cost_currency").and_then(Currency::parse).zip(row.text("cost").and_then(Money::parse));
            if let Some((currency, cost)) = cost {
                let sum = at_risk.entry(currency).or_default();
                *sum = sum.plus(cost);
            }
        }
        let limit = self.installation.config().rating.at_risk_max;
        let mut items: Vec<Item> = reasons
            .into_iter()
            .map(|(reason, (records, at_risk))| Item {
                kind: "suspense",
                is_urgent: at_risk.values().any(|money| *money > limit),
                what: format!("suspense {reason}"),
                text: format!("{} rows new since yesterday, {}", count(records), at_risk_text(&at_risk)),
                command: match Reason::parse(&reason) {
                    Some(_) => format!("tollway suspense list --reason {reason}"),
                    None => "tollway suspense list".to_owned(),
                },
                facts: json!({"reason": reason, "rows": records, "at_risk": amounts_json(&at_risk)}),
            })
            .collect();
        items.sort_by_key(|item| (!item.is_urgent, Reverse(item.facts["rows"].as_u64())));
        Ok(items)
    }

    /// Numbers that no one owns.
    fn unassigned(&self) -> anyhow::Result<Option<Item>> {
        let all = worklist(self.installation)?;
        let Some(most) = all.first() else { return Ok(None) };
        let at_risk = total_at_risk(&all);
        let records: u64 = all.iter().map(|u| u.records).sum();
        Ok(Some(Item {
            kind: "unassigned",
            is_urgent: true,
            what: "numbers".to_owned(),
            text: format!(
                "{} have no owner: {} records, {}; most: {} since {}",
                count(all.len() as u64),
                count(records),
                at_risk_text(&at_risk),
                most.shown(false),
                most.first_seen
            ),
            command: "tollway unassigned --clear".to_owned(),
            facts: json!({"numbers": all.len(), "records": records, "at_risk": amounts_json(&at_risk)}),
        }))
    }

    /// What providers charge in the last two months that their contracts do not say.
    fn disputed(&self) -> anyhow::Result<Option<Item>> {
        let reference = self.installation.block_on(crate::reference::load(&self.installation.state_read_only()?))?;
        let now = Month::of(self.at_us);
        let before = Month::from_number(now.number() - 1);
        let filter = format!("event_month IN ('{before}', '{now}')");
        let tolerance = super::margin_buy::tolerance(self.installation);
        let found = crate::buy::compare(self.installation, reference.tariffs.set(), &filter, tolerance)?;
        let Some(found) = found.filter(|found| !found.differences.is_empty()) else { return Ok(None) };
        let records: u64 = found.differences.values().map(|d| d.records).sum();
        let mut too_much: BTreeMap<Currency, Money> = BTreeMap::new();
        for (group, d) in found.differences.iter().filter(|(group, _)| group.reason.is_empty()) {
            if let Some(currency) = Currency::parse(&group.currency) {
                let sum = too_much.entry(currency).or_default();
                *sum = sum.plus(d.too_much());
            }
        }
        let amounts: Vec<String> = too_much.iter().map(|(c, m)| format!("{c} {}", grouped(*m, 2))).collect();
        Ok(Some(Item {
            kind: "provider_differences",
            is_urgent: false,
            what: "contracts".to_owned(),
            text: format!(
                "{} records since {before} cost something else than agreed: {} too much",
                count(records),
                amounts.join(", ")
            ),
            command: "tollway margin --buy".to_owned(),
            facts: json!({"records": records, "too_much": amounts_json(&too_much)}),
        }))
    }

    /// What was sold below the provider's cost, in the periods that have not been frozen.
    fn below_cost(&self) -> anyhow::Result<Option<Item>> {
        let frozen = self.installation.frozen_cycles(&self.installation.entries()?)?;
        let mut sides: BTreeMap<(String, String, String), (i128, i128)> = BTreeMap::new();
        for ((cycle, names), sums) in totals::read(&self.installation.totals()?, None)? {
            if !frozen.contains(&cycle) {
                let zone = names[super::totals::ZONE].clone();
                let side = sides.entry((cycle, zone, names[super::totals::CURRENCY].clone())).or_default();
                (side.0, side.1) = (side.0 + sums.charge, side.1 + sums.cost);
            }
        }
        let below: Vec<_> = sides.iter().filter(|(_, (charge, cost))| cost > charge).collect();
        let Some((worst, (charge, cost))) = below.iter().max_by_key(|(_, (charge, cost))| cost - charge) else {
            return Ok(None);
        };
        let (cycle, zone, currency) = worst;
        let loss = grouped(Money(cost - charge), 2);
        Ok(Some(Item {
            kind: "below_cost",
            is_urgent: false,
            what: "provider costs".to_owned(),
            text: format!(
                "{} zones cost more than they bring; most: {zone} in {cycle}, {currency} {loss}",
                count(below.len() as u64)
            ),
            command: format!("tollway margin --cycle {cycle} --by zone"),
            facts: json!({"zones": below.len(), "zone": zone, "cycle": cycle, "currency": currency, "loss": Money(cost - charge).to_text(9)}),
        }))
    }
}

fn at_risk_text(at_risk: &BTreeMap<Currency, Money>) -> String {
    if at_risk.is_empty() {
        return "an unknown amount at risk".to_owned();
    }
    let amounts: Vec<String> = at_risk.iter().map(|(c, m)| format!("{c} {}", grouped(*m, 2))).collect();
    format!("{} at risk", amounts.join(", "))
}

/// What takes a file of an account in.
fn ingest_command(account: &str, profile: &str) -> String {
    let mut parts = account.splitn(3, '/').skip(1);
    let (provider, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let profile = profile.split('@').next().unwrap_or_default();
    format!("tollway ingest --profile {profile} --provider {provider} --account {name} FILE")
}

/// The first lines, and a last one that counts the others.
fn limited(mut items: Vec<Item>, all: &str) -> Vec<Item> {
    let more = items.len().saturating_sub(LINES_MAX);
    items.truncate(LINES_MAX);
    and_more(items, more, all)
}

/// Lines, and a last one that counts others.
fn and_more(mut items: Vec<Item>, more: usize, all: &str) -> Vec<Item> {
    if let Some(last) = items.last().filter(|_| more > 0) {
        let (text, command) = (format!("and {more} more"), all.to_owned());
        items.push(Item { text, command, facts: json!({"more": more}), ..last.clone() });
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(text: &str) -> Item {
        let text = text.to_owned();
        Item { kind: "gap", is_urgent: true, what: "a".to_owned(), text, command: "c".to_owned(), facts: Value::Null }
    }

    #[test]
    fn lines_of_a_kind_are_limited_and_none_is_dropped_in_silence() {
        let all: Vec<Item> = (0..9).map(|n| item(&n.to_string())).collect();
        let shown = limited(all, "tollway status");
        assert_eq!(shown.len(), LINES_MAX + 1);
        assert_eq!((&*shown[LINES_MAX].text, &*shown[LINES_MAX].command), ("and 4 more", "tollway status"));
        assert_eq!(limited(vec![item("1")], "tollway status").len(), 1);
    }

    #[test]
    fn the_command_names_profile_provider_and_account() {
        let command = ingest_command("main/kpn/haven", "kpn-sp16@1");
        assert_eq!(command, "tollway ingest --profile kpn-sp16 --provider kpn --account haven FILE");
    }
}
