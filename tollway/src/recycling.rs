//! Suspense that is rated again, as it stands or with corrected fields: what would come of it, the decisions to do it, and what came
//! of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context;
use domain::delivery::{Account, ArrivalNumber, DeliveryId};
use domain::money::{Currency, Money, add_sums};
use domain::outcome::{Counts, Reason};
use ingest::land::{ArrivalKind, Landing, Numbered, Recycling, RowChoice, SuspenseChoice};
use ingest::parse::edit::{FieldEdits, Misfit};
use pipeline::proposal::{Turned, Turns, propose};
use pipeline::recycling::choice;
use serde_json::{Value, json};
use sinks::correction::recycle::{Act, done, suspended};
use sinks::table::Table;
use store::{Identifier, IdentifierKind};

use crate::backlog::Backlog;
use crate::cli::Global;
use crate::counts::{money_text, to_json};
use crate::installation::{ENTRIES, Installation};
use crate::named::is_account;
use crate::output::{Answer, Sheet, count};
use crate::settling::settle_by_newest;
use crate::system::SystemClock;
use crate::thresholds;

/// Which rows in suspense are meant; all that is named must fit.
#[derive(Debug, Default)]
pub struct Wish {
    /// Their account: its name, `PROVIDER/ACCOUNT` or `TENANT/PROVIDER/ACCOUNT`.
    pub account: Option<String>,
    /// Their reasons; any if there is none.
    pub reasons: BTreeSet<Reason>,
    /// The file that they stand in.
    pub delivery: Option<DeliveryId>,
    /// The row there of one record.
    pub row: Option<u64>,
    /// A number of the served party.
    pub identifier: Option<Identifier>,
}

impl Wish {
    /// As a decision says it.
    pub fn word(&self) -> SuspenseChoice {
        SuspenseChoice {
            reasons: self.reasons.iter().map(|reason| reason.as_str().to_owned()).collect(),
            delivery: self.delivery,
            row: self.row,
            identifier: self.identifier.map(|number| match number.kind {
                IdentifierKind::Msisdn => Numbered::Msisdn(number.value),
                IdentifierKind::Imsi => Numbered::Imsi(number.value),
                IdentifierKind::Iccid => Numbered::Iccid(number.value),
            }),
        }
    }

    /// The decision to rate them again as they stand.
    pub fn again(&self) -> RowChoice {
        RowChoice::Suspense(self.word())
    }

    /// Whether nothing is named.
    pub fn is_everything(&self) -> bool {
        let Self { account, reasons, delivery, row, identifier } = self;
        account.is_none() && reasons.is_empty() && delivery.is_none() && row.is_none() && identifier.is_none()
    }

    /// Whether an account's rows are meant.
    pub fn is_of(&self, path: &str) -> bool {
        self.account.as_deref().is_none_or(|wanted| is_account(path, wanted))
    }
}

/// What rating again would make of the rows that are meant.
#[derive(Debug, Default)]
pub struct Outlook {
    /// How they come out.
    turns: Turns,
    /// How many come out otherwise than they stand, or have other fields.
    changes: u64,
    /// The accounts of those.
    accounts: Vec<Account>,
    /// Rows that cannot have a field that is set.
    pub misfits: BTreeMap<Misfit, u64>,
}

impl Outlook {
    /// How many rows are meant.
    pub fn chosen(&self) -> u64 {
        self.turns.values().map(|turned| turned.rows).sum()
    }

    /// How many of them come out otherwise, or have other fields.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// How many of them would have a price.
    pub fn rated(&self) -> u64 {
        self.turns.iter().filter(|((_, is), _)| is.is_none()).map(|(_, turned)| turned.rows).sum()
    }

    /// The rows by what they were and what they are.
    pub fn sheet(&self) -> Sheet {
        self.sheet_with("stays as it is")
    }

    /// The same with a word for rows that wait for the reason that they had.
    pub fn sheet_with(&self, same: &str) -> Sheet {
        let mut sheet = Sheet::new("", &["was", "becomes", "#rows", "#charge"]);
        for ((was, is), turned) in &self.turns {
            let becomes = match is {
                None => "rated",
                Some(reason) if reason == was => same,
                Some(reason) => reason.as_str(),
            };
            let charge = money_text(&Counts { charge: turned.charge.clone(), ..Counts::default() });
            sheet.row([was.as_str().to_owned(), becomes.to_owned(), count(turned.rows), charge]);
        }
        sheet
    }

    fn to_json(&self) -> Vec<Value> {
        let turn = |((was, is), turned): (&(Reason, Option<Reason>), &Turned)| {
            let charge: BTreeMap<String, String> = turned.charge.iter().map(|(c, m)| (c.to_string(), m.to_text(9))).collect();
            json!({"was": was.as_str(), "becomes": is.map_or("rated", Reason::as_str), "rows": turned.rows, "charge": charge})
        };
        self.turns.iter().map(turn).collect()
    }
}

/// Rates the rows that are meant again, on the table as it is and with the reference data in force, and changes nothing. If fields are
/// `set`, all rows have these.
pub fn look(
    installation: &Installation,
    landing: &Arc<Landing>,
    wish: &Wish,
    set: Option<&FieldEdits>,
) -> anyhow::Result<Outlook> {
    let entries = installation.entries()?;
    let next = landing.next_number()?;
    let act = if set.is_some() { Act::Edit } else { Act::Rate };
    let mut rows = suspended(&entries, None, &[choice(&wish.word(), act, next)])?;
    rows.retain(|row| wish.is_of(&row.account));
    rows.sort_by(|a, b| (&a.account, a.arrival, a.place).cmp(&(&b.account, b.arrival, b.place)));
    let store = installation.state_read_only()?;
    let reference = installation.block_on(crate::reference::load(&store))?;
    let mut deliveries = installation.deliveries(landing);
    let mut outlook = Outlook::default();
    for ours in rows.chunk_by(|a, b| a.account == b.account) {
        let Some(first) = ours.first() else { continue };
        let proposal = propose(ours, set, &entries, &mut deliveries, &reference)?;
        for (turn, turned) in proposal.turns {
            let all = outlook.turns.entry(turn).or_default();
            all.rows += turned.rows;
            add_sums(&mut all.charge, &turned.charge);
        }
        outlook.changes += proposal.changed.len() as u64;
        proposal.misfits.into_iter().for_each(|(misfit, rows)| *outlook.misfits.entry(misfit).or_default() += rows);
        if !proposal.changed.is_empty() {
            let ArrivalKind::Delivery(record) = landing.arrival(first.arrival)?.kind else { continue };
            outlook.accounts.push(record.identity.account);
        }
    }
    Ok(outlook)
}

/// Rows in suspense that may come out otherwise when they are rated again.
pub fn waiting(installation: &Installation) -> anyhow::Result<usize> {
    let entries = Table::open(installation.blob(), ENTRIES)?;
    let any = choice(&SuspenseChoice::default(), Act::Rate, ArrivalNumber::MAX);
    Ok(suspended(&entries, None, &[any])?.len())
}

/// What came of recycling.
#[derive(Debug)]
pub struct Recycled {
    /// What was looked for, and how it came out before anything was done.
    pub outlook: Outlook,
    /// The decisions that have landed, one for each account with something to change.
    pub decisions: Vec<ArrivalNumber>,
    /// `unchanged`, `shown`, `ordered` or `recycled`.
    pub state: &'static str,
    /// What the ledger says that the decisions have taken back.
    pub taken_back: Counts,
    /// What it says that came in its place.
    pub added: Counts,
    /// Thresholds of allowances that were reached for the first time.
    pub thresholds: u64,
}

impl Recycled {
    /// What would be done.
    pub fn shown(outlook: Outlook) -> Self {
        let (taken_back, added) = (Counts::default(), Counts::default());
        Self { outlook, decisions: Vec::new(), state: "shown", taken_back, added, thresholds: 0 }
    }

    /// One line.
    pub fn headline(&self) -> String {
        let (chosen, changes) = (count(self.outlook.chosen()), count(self.outlook.changes()));
        let arrivals: Vec<String> = self.decisions.iter().map(ToString::to_string).collect();
        let arrivals = arrivals.join(", ");
        match self.state {
            _ if self.outlook.chosen() == 0 => "no row in suspense is meant that could come out otherwise".to_owned(),
            "shown" => format!("{changes} of {chosen} rows in suspense would come out otherwise; nothing was changed"),
            "unchanged" => format!("{chosen} rows in suspense come out as before; nothing was changed"),
            "ordered" => format!("{changes} of {chosen} rows in suspense are to be rated again, as arrival {arrivals}"),
            _ => {
                let money = money_text(&self.added);
                let money = if money.is_empty() { String::new() } else { format!(", {money}") };
                let rated = count(self.added.rated);
                format!("{rated} of {chosen} rows in suspense are rated now{money} (arrival {arrivals})")
            }
        }
    }

    /// What to do next.
    pub fn next(&self) -> Vec<String> {
        let mut next = match self.state {
            "shown" if self.outlook.changes() > 0 => vec!["do it: the same without --dry-run".to_owned()],
            "ordered" => vec!["the service that runs on this data folder does it: tollway status".to_owned()],
            _ if self.outlook.rated() < self.outlook.chosen() => vec!["what stays in suspense: tollway suspense list".to_owned()],
            _ => Vec::new(),
        };
        next.extend(thresholds::remark(self.thresholds));
        next
    }

    /// For machines.
    pub fn to_json(&self) -> Value {
        json!({
            "state": self.state, "decisions": self.decisions, "chosen": self.outlook.chosen(),
            "changes": self.outlook.changes(), "turns": self.outlook.to_json(),
            "taken_back": to_json(&self.taken_back), "added": to_json(&self.added),
        })
    }

    /// All of it.
    pub fn answer(&self) -> Answer {
        let sheets = if self.outlook.chosen() == 0 { Vec::new() } else { vec![self.outlook.sheet()] };
        Answer { headline: self.headline(), sheets, next: self.next(), json: self.to_json() }
    }
}

/// Lands a decision for each account in which something changes, lets them act, and tells what came of them. Nothing lands where nothing
/// changes.
pub fn carry_out(
    global: &Global,
    installation: &Installation,
    landing: &Arc<Landing>,
    choice: &RowChoice,
    outlook: Outlook,
    workers: Option<u32>,
) -> anyhow::Result<Recycled> {
    if outlook.accounts.is_empty() {
        return Ok(Recycled { state: "unchanged", ..Recycled::shown(outlook) });
    }
    let word = |account: &Account| Recycling { account: account.clone(), choice: choice.clone() };
    let words: Vec<Recycling> = outlook.accounts.iter().map(word).collect();
    let Acted { decisions, is_done, taken_back, added, .. } = act(global, installation, landing, &words, workers)?;
    let settled = is_done.then(|| settle_by_newest(global, installation, landing, workers)).transpose()?;
    let state = if is_done { "recycled" } else { "ordered" };
    let thresholds = settled.map_or(0, |settled| settled.thresholds);
    Ok(Recycled { outlook, decisions, state, taken_back, added, thresholds })
}

/// What became of decisions to rate rows again.
#[derive(Debug)]
pub struct Acted {
    /// Their arrival numbers.
    pub decisions: Vec<ArrivalNumber>,
    /// Whether all of them have acted; else a service does it.
    pub is_done: bool,
    /// What the ledger says that they have taken back.
    pub taken_back: Counts,
    /// What it says that came in its place.
    pub added: Counts,
    /// How many records have another entry now.
    pub records: u64,
    /// What these were charged.
    pub before: BTreeMap<Currency, Money>,
    /// What they are charged now.
    pub after: BTreeMap<Currency, Money>,
}

/// Lands decisions and lets them act, unless a service runs that does it.
pub fn act(
    global: &Global,
    installation: &Installation,
    landing: &Arc<Landing>,
    words: &[Recycling],
    workers: Option<u32>,
) -> anyhow::Result<Acted> {
    let mut decided: Vec<(String, ArrivalNumber)> = Vec::new();
    for word in words {
        decided.push((word.account.path(), landing.recycle(word, &SystemClock)?.arrival().number));
    }
    let decisions: Vec<ArrivalNumber> = decided.iter().map(|(_, number)| *number).collect();
    let backlog = Backlog::start(installation, landing, workers);
    let backlog = backlog.with_context(|| format!("arrivals {decisions:?} have landed and act with the next command"))?;
    let is_ours = backlog.is_some();
    if let Some(backlog) = backlog {
        backlog.drain(global, None)?;
    }
    let entries = installation.entries()?;
    let stands = done(&entries);
    let has_acted = |(path, number): &(String, ArrivalNumber)| stands.get(path).is_some_and(|next| next > number);
    let is_done = is_ours && decided.iter().all(has_acted);
    let (taken_back, added) = (Counts::default(), Counts::default());
    let mut acted = Acted { decisions, is_done, taken_back, added, records: 0, before: BTreeMap::new(), after: BTreeMap::new() };
    for entry in sinks::ledger::read_all(&entries)? {
        if let Some(correction) = entry.correction.as_ref().filter(|c| acted.decisions.contains(&c.by)) {
            acted.taken_back.add(&correction.taken_back);
            acted.added.add(&entry.counts);
            acted.records += correction.records;
            add_sums(&mut acted.before, &correction.before);
            add_sums(&mut acted.after, &correction.after);
        }
    }
    Ok(acted)
}

/// Lets act what was decided before, unless a service runs that does it: what is asked for next is asked of its outcome.
pub fn finish_open(
    global: &Global,
    installation: &Installation,
    landing: &Arc<Landing>,
    workers: Option<u32>,
) -> anyhow::Result<()> {
    Backlog::start(installation, landing, workers)?.map_or(Ok(()), |backlog| backlog.drain(global, None).map(drop))
}
