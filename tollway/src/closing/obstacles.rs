//! What speaks against closing a cycle: an earlier one is open, files are missing or wait, too much is in suspense.

use std::collections::{BTreeMap, BTreeSet};

use aggregate::totals::Sums;
use domain::closed::{ClosedCycles, cycle_end};
use domain::columns::linked::Owners;
use domain::delivery::ArrivalNumber;
use domain::outcome::{Counts, Reason};
use domain::period::Month;
use ingest::land::Landing;
use sinks::closing::closed;
use sinks::table::Table;

use crate::arrived::{Came, LandedProfiles, deliveries};
use crate::attention;
use crate::commands::rows::{ask_rows, sql_text};
use crate::commands::totals::CUSTOMER;
use crate::installation::Installation;
use crate::output::count;
use crate::{numbered, rhythm, totals};

/// Something that speaks against closing a cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// What kind of thing it is, for machines.
    pub kind: &'static str,
    /// What is the matter.
    pub text: String,
    /// What to type to see or to mend it.
    pub command: String,
}

/// Obstacles of one kind that are told; more are counted.
const TOLD_MAX: usize = 3;

/// What speaks against closing cycles at an instant.
#[derive(Debug)]
pub struct Obstacles {
    until_us: i64,
    closed: ClosedCycles,
    frozen: ClosedCycles,
    /// Of the files, whatever the cycle.
    of_all: Vec<Obstacle>,
}

impl Obstacles {
    /// Those at an instant; what arrives from `next` on is not looked at.
    pub fn at(installation: &Installation, entries: &Table, (until_us, next): (i64, ArrivalNumber)) -> anyhow::Result<Self> {
        let landing = installation.landing();
        // What counts as not late has to be in the table, whenever it came.
        let mut came = deliveries(&landing.arrivals(0)?, i64::MAX);
        came.retain(|one| one.number < next);
        let mut of_all = missing(&landing, &came, until_us)?;
        of_all.extend(files(entries, &landing, &came)?);
        Ok(Self { until_us, closed: closed(entries), frozen: installation.frozen_cycles(entries)?, of_all })
    }

    /// All that speaks against closing a cycle.
    pub fn of(&self, installation: &Installation, owners: &Owners, cycle: Month) -> anyhow::Result<Vec<Obstacle>> {
        let mut found: Vec<Obstacle> = later(&self.closed, cycle).into_iter().collect();
        found.extend(earlier(installation, (&self.closed, &self.frozen), owners, (cycle, self.until_us))?);
        found.extend(self.of_all.iter().cloned());
        found.extend(suspense(installation, cycle)?);
        Ok(found)
    }
}

/// A later cycle that is closed: what is posted now stands behind it.
fn later(closed: &ClosedCycles, cycle: Month) -> Option<Obstacle> {
    let later = closed.cycles().filter_map(Month::parse).find(|other| *other > cycle)?;
    (!closed.contains(&cycle.to_string())).then(|| Obstacle {
        kind: "later_closed",
        text: format!("{later} is closed, and {cycle} comes before it: is it the cycle that you mean?"),
        command: "tollway cycle list".to_owned(),
    })
}

/// The first earlier cycle that is open for customers who are meant: behind the first closing any, because there may be fees; before it those
/// that have totals, and were not frozen by hand, so that somebody says once where billing begins.
fn earlier(
    installation: &Installation,
    (closed, frozen): (&ClosedCycles, &ClosedCycles),
    owners: &Owners,
    (cycle, until_us): (Month, i64),
) -> anyhow::Result<Option<Obstacle>> {
    let meant = (0..u32::try_from(owners.customers.len()).unwrap_or(u32::MAX))
        .filter(|code| cycle_end(owners, *code, cycle).is_some_and(|end_us| end_us <= until_us));
    let meant: BTreeSet<u32> = meant.collect();
    let mut open: BTreeMap<Month, BTreeSet<u32>> = BTreeMap::new();
    if let Some(first) = closed.cycles().filter_map(Month::parse).min() {
        for month in (first.number()..cycle.number()).map(Month::from_number) {
            let name = month.to_string();
            let is_open = |code: &&u32| closed.version_for(&name, Some(**code), owners).is_none();
            open.insert(month, meant.iter().filter(is_open).copied().collect());
        }
    } else {
        for ((period, names), sums) in totals::read(&installation.totals()?, None)? {
            let month = Month::parse(&period).filter(|month| *month < cycle && !frozen.contains(&period));
            let code = owners.customer_names.code(&names[CUSTOMER]).filter(|code| meant.contains(code));
            if let Some((month, code)) = month.zip(code).filter(|_| sums != Sums::default()) {
                open.entry(month).or_default().insert(code);
            }
        }
    }
    Ok(open.into_iter().find(|(_, customers)| !customers.is_empty()).map(|(first, customers)| Obstacle {
        kind: "earlier_open",
        text: format!("{first} is not closed for {} of the customers", count(customers.len() as u64)),
        command: format!("tollway cycle close {first}"),
    }))
}

/// Accounts without their next file, and files that are missing by their number.
fn missing(landing: &Landing, came: &[Came], at_us: i64) -> anyhow::Result<Vec<Obstacle>> {
    let mut profiles = LandedProfiles::default();
    let late = rhythm::late(landing, &mut profiles, came, at_us);
    let late = late.iter().map(|late| Obstacle {
        kind: "late",
        text: format!("{}: {}", late.account, late.text(at_us)),
        command: "tollway today".to_owned(),
    });
    let mut found: Vec<Obstacle> = late.collect();
    for (account, numbers) in numbered::by_account(landing, &mut profiles, came)? {
        let gap = |gap: &numbered::Gap| Obstacle {
            kind: "gap",
            text: format!("{account}: {}", gap.text()),
            command: "tollway status".to_owned(),
        };
        found.extend(numbers.gaps.iter().map(gap));
    }
    Ok(found)
}

/// Files that wait for a word, were refused, or are not rated yet.
fn files(entries: &Table, landing: &Landing, came: &[Came]) -> anyhow::Result<Vec<Obstacle>> {
    let attention::Open { refused, held, not_rated } = attention::Open::of(entries, landing, came)?;
    let line = |kind, trouble: attention::Trouble| Obstacle {
        kind,
        text: format!("{} is {}: {}", trouble.file, trouble.state, trouble.message),
        command: "tollway status".to_owned(),
    };
    let mut found: Vec<Obstacle> = refused.into_iter().map(|trouble| line("refused", trouble)).collect();
    found.extend(held.into_iter().map(|trouble| line("held", trouble)));
    if not_rated > 0 {
        found.push(Obstacle {
            kind: "not_rated",
            text: format!("{} files have landed and are not rated", count(not_rated as u64)),
            command: "tollway status".to_owned(),
        });
    }
    Ok(found)
}

/// More in suspense than `[rating]` bears: rows of the cycle, those of its month that nobody owns, and those whose start nobody knows.
fn suspense(installation: &Installation, cycle: Month) -> anyhow::Result<Vec<Obstacle>> {
    let month = sql_text(&cycle.to_string());
    let filter = format!("coalesce(billing_period, event_month) IN ({month}, 'unknown')");
    let sql = format!(
        "SELECT count(*) AS records, count(*) FILTER (WHERE outcome = 'suspense' AND reason <> 'written_off') AS waiting FROM cdr \
         WHERE {filter}"
    );
    let mut counts = Counts::default();
    for row in ask_rows(installation, &sql)? {
        counts.rows_in = row.number("records");
        counts.suspense.insert(Reason::NoDevice, row.number("waiting"));
    }
    let over = attention::over_limits(installation, &counts, &filter)?;
    let command = "tollway suspense list";
    let obstacle = |text: String| {
        let text = text.trim_end_matches(command).trim_end_matches(": ").to_owned();
        Obstacle { kind: "suspense", text, command: command.to_owned() }
    };
    Ok(over.into_iter().map(obstacle).collect())
}

/// The first obstacles of each kind, and how many more there are of it: for people.
pub fn told(all: &[Obstacle]) -> Vec<Obstacle> {
    let mut told = Vec::new();
    for of_kind in all.chunk_by(|a, b| a.kind == b.kind) {
        told.extend(of_kind.iter().take(TOLD_MAX).cloned());
        if let Some(more @ 1..) = of_kind.len().checked_sub(TOLD_MAX) {
            let text = format!("and {} more", count(more as u64));
            told.push(Obstacle { kind: of_kind[0].kind, text, command: of_kind[0].command.clone() });
        }
    }
    told
}
