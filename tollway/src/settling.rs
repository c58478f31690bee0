//! Records that draw from allowances, settled after whatever may have changed what they get (docs/adr/0022).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::closed::ClosedCycles;
use domain::delivery::ArrivalNumber;
use domain::outcome::Outcome;
use domain::ports::Clock;
use ingest::land::{DrawingChoice, Landing};
use pipeline::rating::Reference;
use rate::settle::Reached;
use sinks::correction::drawn::{Mark, customers_since, mark, marked};
use sinks::correction::recycle::done;
use sinks::table::Table;
use sinks::thresholds::ThresholdWriter;

use crate::cli::Global;
use crate::installation::Installation;
use crate::output::count;
use crate::rerating::{Meant, Outlook, Question, Wish, ask, carry_out, obstacle, words};
use crate::system::{SystemClock, SystemRng};
use crate::thresholds::{self, fire};

/// What came of settling.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Settlement {
    /// Records that have another entry now, or will have.
    pub records: u64,
    /// Records that come out otherwise in closed or frozen cycles, and were left as they stand.
    pub frozen: u64,
    /// Whether it is done; else a service does it.
    pub is_done: bool,
    /// Thresholds of allowances that were reached for the first time.
    pub thresholds: u64,
}

/// What settling would change, and nothing else.
#[derive(Debug)]
pub struct Unsettled {
    /// Which records are meant: those that were not billed, and lie in no cycle that is frozen by hand.
    pub wish: Wish,
    /// How they come out.
    pub outlook: Outlook,
    /// Records that come out otherwise in closed or frozen cycles.
    pub frozen: u64,
    /// How far allowances are used up, also in cycles that are frozen.
    pub reached: Vec<Reached>,
    /// Whether only some customers are meant, because a commit does not hold all: the others are left for the next look.
    pub is_part: bool,
}

/// Customers that one decision names at most; of more, all are meant.
const CUSTOMERS_MAX: usize = 1_000;

/// Whether there may be something to settle: plans give allowances, or did so when the table was settled last.
fn may_draw(entries: &Table, reference: &Reference) -> bool {
    reference.tariffs.settles() || marked(entries).is_some_and(|mark| mark.reference != reference.version)
}

/// Whose records are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everybody's.
    All,
    /// If the table was settled under the same reference data: of customers of whom something has come since.
    Since,
}

/// Looks for records that draw otherwise than they stand, on the table as it is; where plans give no allowances it is not read. Of more
/// than `rows_max` of an account, those of some customers are meant.
pub fn unsettled(
    entries: &Table,
    reference: &Reference,
    next: ArrivalNumber,
    (frozen, scope, rows_max): (&ClosedCycles, Scope, u64),
    quiet: bool,
) -> anyhow::Result<Unsettled> {
    let since = marked(entries).filter(|mark| scope == Scope::Since && mark.reference == reference.version);
    let touched = since.map(|mark| customers_since(entries, mark)).transpose()?.flatten();
    let named = touched.clone().filter(|customers| customers.len() <= CUSTOMERS_MAX).unwrap_or_default();
    let known = (!named.is_empty()).then_some(reference.version);
    let wish = |customers: BTreeSet<String>, reference: Option<u64>| {
        let (cycles, frozen) = (BTreeSet::new(), frozen.clone());
        let choice = DrawingChoice { customers, cycles, frozen, reference, billed_too: false };
        Wish { account: None, meant: Meant::Drawing(choice) }
    };
    let ours = wish(named, known);
    if !may_draw(entries, reference) || touched.as_ref().is_some_and(BTreeSet::is_empty) {
        return Ok(Unsettled { wish: ours, outlook: Outlook::default(), frozen: 0, reached: Vec::new(), is_part: false });
    }
    let outcomes = &[Outcome::Rated];
    let draws = reference.draws(entries, outcomes, touched.as_ref(), &[ours.meant.choice(next)])?;
    let look = |wish: &Wish| -> anyhow::Result<Outlook> {
        let (choice, customers) = (wish.meant.choice(next), touched.as_ref());
        let question = Question { what: "settle", outcomes, choice, account: None, customers };
        ask(entries, &question, (reference, &draws), quiet)
    };
    let outlook = look(&ours)?;
    let left = outlook.left;
    let Some(customers) = outlook.portion(rows_max, CUSTOMERS_MAX) else {
        return Ok(Unsettled { wish: ours, outlook, frozen: left, reached: draws.reached().to_vec(), is_part: false });
    };
    let wish = wish(customers, None);
    let outlook = look(&wish)?;
    Ok(Unsettled { wish, outlook, frozen: left, reached: Vec::new(), is_part: true })
}

/// Notes that all that draws from allowances was looked at in a state of the table, and decided.
fn note(entries: &mut Table, version: Option<u64>, reference: &Reference) -> anyhow::Result<()> {
    let Some(version) = version else { return Ok(()) };
    let at = Mark { version, reference: reference.version };
    Ok(mark(entries, at, &SystemClock, &mut SystemRng::new()?)?)
}

/// Looks that follow each other at most; the second one is at what the first has corrected, and finds nothing more as a rule.
const ROUNDS_MAX: u32 = 3;

/// Settles what is not frozen: lands the decisions and lets them act, unless a service does. Nothing lands where nothing changes. What is
/// used up is told before the state is marked: after a crash in between it is looked for again.
pub fn settle(
    global: &Global,
    installation: &Installation,
    landing: &Arc<Landing>,
    reference: &Reference,
    workers: Option<u32>,
) -> anyhow::Result<Settlement> {
    let mut all = Settlement { is_done: true, ..Settlement::default() };
    let mut rounds = 0;
    while rounds < ROUNDS_MAX {
        let (round, is_part) = settle_once(global, installation, landing, reference, workers)?;
        rounds += u32::from(!is_part);
        all.records += round.records;
        all.thresholds += round.thresholds;
        (all.frozen, all.is_done) = (all.frozen.max(round.frozen), round.is_done);
        if round.records == 0 || !round.is_done {
            break;
        }
    }
    Ok(all)
}

/// One look and what it orders; whether it was a part of what it found.
fn settle_once(
    global: &Global,
    installation: &Installation,
    landing: &Arc<Landing>,
    reference: &Reference,
    workers: Option<u32>,
) -> anyhow::Result<(Settlement, bool)> {
    let mut entries = installation.entries()?;
    if !may_draw(&entries, reference) {
        return Ok((Settlement { is_done: true, ..Settlement::default() }, false));
    }
    let frozen = installation.frozen_cycles(&entries)?;
    let version = entries.snapshot().version;
    let asked = (&frozen, Scope::Since, installation.config().pipeline.rerated_rows_max);
    let found = unsettled(&entries, reference, landing.next_number()?, asked, global.quiet)?;
    let Unsettled { wish, outlook, frozen, reached, is_part } = found;
    if let Some(error) = obstacle(installation, &wish, &outlook) {
        return Err(error.context("what allowances give was not settled"));
    }
    let records = outlook.changes;
    let is_done = carry_out(global, installation, landing, &wish, outlook, workers)?.acted.is_none_or(|acted| acted.is_done);
    let thresholds = fire(&mut None, installation, reached, reference)?;
    if !is_part {
        note(&mut entries, version, reference)?;
    }
    Ok((Settlement { records, frozen, is_done, thresholds }, is_part))
}

/// The same after a command that has changed something, by the reference data in force.
pub fn settle_by_newest(
    global: &Global,
    installation: &Installation,
    landing: &Arc<Landing>,
    workers: Option<u32>,
) -> anyhow::Result<Settlement> {
    let store = installation.state_read_only()?;
    let reference = installation.block_on(crate::reference::load(&store))?;
    settle(global, installation, landing, &reference, workers)
}

impl Settlement {
    /// What to tell whoever gave the command; nothing if all stands as it was rated.
    pub fn remarks(self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.records > 0 {
            let done = if self.is_done { "were settled" } else { "are to be settled by the service" };
            remarks.push(format!(
                "{} records draw from allowances otherwise than they did, or are priced otherwise beyond them, and {done}: tollway status",
                count(self.records)
            ));
        }
        remarks.extend(self.remark_of_left());
        remarks.extend(thresholds::remark(self.thresholds));
        remarks
    }

    /// What to tell of records that were left as they stand.
    pub fn remark_of_left(self) -> Option<String> {
        (self.frozen > 0).then(|| {
            format!(
                "{} records of closed or frozen cycles draw or are priced otherwise, and were left: tollway settle --frozen --dry-run",
                count(self.frozen)
            )
        })
    }
}

/// Settles in a service, every now and then.
#[derive(Debug)]
pub struct Keeper {
    every_us: i64,
    due_us: i64,
    /// Version of the table and of the reference data at the last look.
    seen: Option<(Option<u64>, u64)>,
    /// Decisions that have landed, by account.
    decided: Vec<(String, ArrivalNumber)>,
    /// Who writes what is used up, and remembers what is written.
    thresholds: Option<ThresholdWriter>,
}

/// A look takes at most this part of the time.
const LOOK_SHARE: i64 = 10;

impl Keeper {
    /// One that looks so often.
    pub fn new(every: Duration) -> Self {
        let every_us = i64::try_from(every.as_micros()).unwrap_or(i64::MAX / 2);
        Self { every_us, due_us: i64::MIN, seen: None, decided: Vec::new(), thresholds: None }
    }

    /// Lands decisions for what draws otherwise than it stands, if it is time and something has come; the workers carry them out.
    pub fn step(
        &mut self,
        installation: &Installation,
        landing: &Landing,
        entries: &mut Table,
        reference: &Reference,
    ) -> anyhow::Result<()> {
        let began_us = SystemClock.now_us();
        let now = Some((entries.snapshot().version, reference.version));
        if !may_draw(entries, reference) || began_us < self.due_us || now == self.seen {
            return Ok(());
        }
        // What was decided and has not acted would be decided again; an account that waits for a hand does not hold up the others.
        let acted = done(entries);
        self.decided.retain(|(account, number)| acted.get(account).is_none_or(|next| next <= number));
        let waiting: BTreeSet<String> = self.decided.iter().map(|(account, _)| account.clone()).collect();
        let version = entries.snapshot().version;
        let frozen = installation.frozen_cycles(entries)?;
        let asked = (&frozen, Scope::Since, installation.config().pipeline.rerated_rows_max);
        let found = unsettled(entries, reference, landing.next_number()?, asked, true)?;
        let Unsettled { wish, outlook, frozen, reached, is_part } = found;
        if let Some(error) = obstacle(installation, &wish, &outlook) {
            tracing::error!(error = %error, "what allowances give is not settled");
        } else {
            let words = words(landing, &wish.meant, &outlook)?;
            for word in words.into_iter().filter(|word| !waiting.contains(&word.account.path())) {
                self.decided.push((word.account.path(), landing.recycle(&word, &SystemClock)?.arrival().number));
            }
            fire(&mut self.thresholds, installation, reached, reference)?;
            if waiting.is_empty() && !is_part {
                note(entries, version, reference)?;
            }
        }
        if frozen > 0 {
            tracing::warn!(records = frozen, "draw otherwise in closed or frozen cycles: tollway settle --frozen");
        }
        if outlook.changes > 0 {
            tracing::info!(records = outlook.changes, "draw from allowances otherwise than they stand");
        }
        let now_us = SystemClock.now_us();
        self.due_us = now_us + self.every_us.max((now_us - began_us) * LOOK_SHARE);
        // The mark is an entry of the table, too; what others committed beside it was not looked at.
        let marked = entries.snapshot().version;
        let is_ours = marked <= version.map(|version| version + 1);
        self.seen = if is_part {
            None
        } else if is_ours {
            Some((marked, reference.version))
        } else {
            now
        };
        Ok(())
    }
}
