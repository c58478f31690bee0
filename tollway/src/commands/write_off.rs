//! `tollway suspense write-off`: rows in suspense that will never be charged, with who says so and why.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::delivery::{Account, ArrivalNumber};
use domain::money::{Currency, Money};
use domain::outcome::{Counts, Reason};
use ingest::land::{ArrivalKind, Landing, Recycling, RowChoice, WriteOff};
use pipeline::recycling::choice;
use serde_json::json;
use sinks::correction::Place;
use sinks::correction::recycle::{Act, ServedBy, Suspended, can_come_back, suspended};

use super::recycle::{chosen, place};
use crate::cli::{Global, WriteOffArgs};
use crate::counts::money_text;
use crate::exit_code::{Exit, bad_input, usage};
use crate::installation::Installation;
use crate::output::{Answer, Sheet, count};
use crate::recycling::{Wish, act};

/// Longest name and longest reason that are kept with a decision.
const NAME_MAX: usize = 128;
const WHY_MAX: usize = 1_000;

/// Runs the command.
pub fn run(global: &Global, args: &WriteOffArgs) -> anyhow::Result<Exit> {
    let (by, why) = by_and_why(args.by.as_deref(), &args.why)?;
    let installation = Installation::open(global)?;
    let landing = Arc::new(installation.landing());
    let mut wish = chosen(&installation, &landing, &args.rows)?;
    if let Some(record) = &args.rows.record {
        let place = place(&installation, record, "is corrected by `tollway rerate`")?;
        if place.reason == Reason::WrittenOff {
            return Err(bad_input(format!("`{record}` is written off already; `tollway explain {record}` tells by whom")));
        }
        (wish.delivery, wish.row) = (Some(place.delivery), Some(place.row));
    }
    if wish.is_everything() {
        return Err(usage("name the rows: a RECORD, --reason, --account, --file or --identifier"));
    }
    let meant = Meant::of(&installation, &landing, &wish)?;
    let is_done = if args.rows.dry_run || meant.rows.is_empty() {
        None
    } else {
        let word = |account: &Account| {
            let write_off = WriteOff { choice: wish.word(), by: by.clone(), why: why.clone() };
            Recycling { account: account.clone(), choice: RowChoice::WriteOff(write_off) }
        };
        let words: Vec<Recycling> = meant.accounts.iter().map(word).collect();
        Some(act(global, &installation, &landing, &words, args.rows.workers)?)
    };
    let decisions = is_done.as_ref().map(|acted| acted.decisions.clone()).unwrap_or_default();
    let state = match &is_done {
        None if meant.rows.is_empty() => "unchanged",
        None => "shown",
        Some(acted) if acted.is_done => "written_off",
        Some(_) => "ordered",
    };
    let json = json!({
        "state": state, "decisions": decisions, "rows": meant.total(), "by": by, "why": why,
        "reasons": meant.rows.iter().map(|(reason, of)| json!({
            "reason": reason.as_str(), "rows": of.rows, "at_risk": of.at_risk.iter().map(|(c, m)| (c.to_string(), m.to_text(9))).collect::<BTreeMap<_, _>>(),
        })).collect::<Vec<_>>(),
    });
    let answer = Answer {
        headline: headline(state, meant.total(), &decisions),
        sheets: meant.sheet(),
        next: meant.next(state, args.rows.record.as_deref()),
        json,
    };
    answer.print(global.output)?;
    Ok(Exit::Done)
}

/// Who decides, and why, as they are kept with the decision.
pub fn by_and_why(by: Option<&str>, why: &str) -> anyhow::Result<(String, String)> {
    Ok((said("by", by, NAME_MAX)?, said("why", Some(why), WHY_MAX)?))
}

fn said(option: &str, text: Option<&str>, limit: usize) -> anyhow::Result<String> {
    let text = text.map(str::trim).unwrap_or_default();
    match text.chars().count() {
        0 => Err(usage(format!("--{option} is needed: it is kept with the decision"))),
        length if length > limit => Err(usage(format!("--{option} has {length} characters, at most {limit} are kept"))),
        _ => Ok(text.to_owned()),
    }
}

/// Rows that would be written off, by reason.
#[derive(Default)]
struct Meant {
    rows: BTreeMap<Reason, Share>,
    /// Their accounts.
    accounts: Vec<Account>,
}

#[derive(Default)]
struct Share {
    rows: u64,
    /// The provider's cost, where it is known.
    at_risk: BTreeMap<Currency, Money>,
}

impl Meant {
    fn of(installation: &Installation, landing: &Landing, wish: &Wish) -> anyhow::Result<Self> {
        let word = choice(&wish.word(), Act::WriteOff, ArrivalNumber::MAX);
        let mut rows: Vec<Suspended> = suspended(&installation.entries()?, None, &[word])?;
        rows.retain(|row| wish.is_of(&row.account));
        rows.sort_by(|a, b| a.account.cmp(&b.account));
        let mut meant = Self::default();
        for ours in rows.chunk_by(|a, b| a.account == b.account) {
            let ArrivalKind::Delivery(record) = landing.arrival(ours[0].arrival)?.kind else { continue };
            meant.accounts.push(record.identity.account);
            for row in ours {
                let share = meant.rows.entry(row.reason).or_default();
                share.rows += 1;
                if let Some((cost, currency)) = row.cost {
                    let sum = share.at_risk.entry(currency).or_default();
                    *sum = sum.plus(cost);
                }
            }
        }
        Ok(meant)
    }

    fn total(&self) -> u64 {
        self.rows.values().map(|share| share.rows).sum()
    }

    fn next(&self, state: &str, record: Option<&str>) -> Vec<String> {
        match state {
            "shown" => vec!["do it: the same without --dry-run".to_owned()],
            "ordered" => vec!["the service that runs on this data folder does it: tollway status".to_owned()],
            "written_off" if self.rows.keys().any(|reason| can_come_back(*reason)) => {
                vec![match record {
                    Some(record) => format!("take it back: tollway suspense recycle {record}"),
                    None => "take all such decisions back: tollway suspense recycle --reason written_off".to_owned(),
                }]
            }
            _ => Vec::new(),
        }
    }

    fn sheet(&self) -> Vec<Sheet> {
        let mut sheet = Sheet::new("", &["reason", "#rows", "#provider's cost"]);
        for (reason, share) in &self.rows {
            let cost = money_text(&Counts { charge: share.at_risk.clone(), ..Counts::default() });
            let cost = if cost.is_empty() { "unknown".to_owned() } else { cost };
            sheet.row([reason.as_str().to_owned(), count(share.rows), cost]);
        }
        if self.rows.is_empty() { Vec::new() } else { vec![sheet] }
    }
}

fn headline(state: &str, rows: u64, decisions: &[ArrivalNumber]) -> String {
    let arrivals: Vec<String> = decisions.iter().map(ToString::to_string).collect();
    let (rows, arrivals) = (count(rows), arrivals.join(", "));
    match state {
        "unchanged" => "no row in suspense is meant; nothing was changed".to_owned(),
        "shown" => format!("{rows} rows in suspense would be written off; nothing was changed"),
        "ordered" => format!("{rows} rows in suspense are to be written off, as arrival {arrivals}"),
        _ => format!("{rows} rows in suspense are written off (arrival {arrivals})"),
    }
}

/// A record that was written off.
#[derive(Debug)]
pub struct WrittenOff<'r> {
    /// Tenant, provider and account, with `/`.
    pub account: &'r str,
    /// Where it stands.
    pub place: Place,
    /// The arrival number of its delivery.
    pub arrival: ArrivalNumber,
    /// The reason that it had.
    pub had: Option<Reason>,
    /// The served party's number, SIM and card, as texts; empty where there is none.
    pub numbers: [&'r str; 3],
}

impl WrittenOff<'_> {
    fn is_of(&self, number: &ServedBy) -> bool {
        let [msisdn, imsi, iccid] = self.numbers;
        match number {
            ServedBy::Msisdn(digits) => msisdn == digits,
            ServedBy::Imsi(digits) => imsi == digits.to_string(),
            ServedBy::Iccid(digits) => iccid == digits.to_string(),
        }
    }
}

/// Who wrote a record off, why, and as which arrival: the decisions of its account, one after the other, as they acted on it.
pub fn decision(landing: &Landing, record: &WrittenOff<'_>) -> anyhow::Result<Option<(ArrivalNumber, WriteOff)>> {
    let mut found: Option<(ArrivalNumber, WriteOff)> = None;
    for (number, word) in landing.recyclings(record.account, record.arrival, ArrivalNumber::MAX)? {
        let (of, word) = match word {
            RowChoice::WriteOff(word) => (choice(&word.choice, Act::WriteOff, number), Some(word)),
            RowChoice::Suspense(word) => (choice(&word, Act::Rate, number), None),
            RowChoice::Priced(_) | RowChoice::Drawing(_) | RowChoice::Edit(_) => continue,
        };
        let fits = of.is_of(&record.place, record.arrival) && of.identifier.as_ref().is_none_or(|n| record.is_of(n));
        let stands = if found.is_some() { Some(Reason::WrittenOff) } else { record.had };
        if fits && stands.is_some_and(|stands| of.names(stands, record.had)) {
            // Rating again takes back what was decided before.
            found = word.map(|word| (number, word));
        }
    }
    Ok(found)
}
