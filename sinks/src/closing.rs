//! Closed cycles: the word that one is closed is a commit of the records' table, so everyone who reads a version of it knows which are.
//!
//! A closing pins the version of the table before it and the reference data. Its lines are made from that, whenever they are made
//! (docs/adr/0025).

mod since;

use std::collections::BTreeMap;

use domain::closed::{ClosedCycles, ClosedUntil, LateUsage};
use domain::ports::{Clock, Rng};
use domain::zone::SECOND_US;

pub use self::since::{Now, Since, Versions};
use crate::delta::action::CommitInfo;
use crate::delta::log::Attempt;
use crate::table::{Table, TableError};

/// The operation of such a commit in the table's history.
pub const OPERATION: &str = "CLOSED";

/// What the positions of a closing begin with; its number, the cycle and the name of the figure follow.
const PREFIX: &str = "closing/";

/// The names of the figures; `until` is in seconds, `corrects` 1 or 0.
const FIGURES: [&str; 4] = ["version", "reference", "until", "corrects"];

/// The names of the words in the commit.
const WORDS: [&str; 3] = ["by", "why", "overridden"];

/// A closed cycle, and what its lines are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The cycle, such as `2026-10`.
    pub cycle: String,
    /// Its place among the closings, from 1.
    pub number: u64,
    /// The newest version of the table that its lines hold.
    pub version: u64,
    /// The reference version by which fees and roundings are taken.
    pub reference: u64,
    /// It holds for customers whose cycle had ended by this instant, and was not closed before; microseconds UTC, a whole second.
    pub until_us: i64,
    /// Where late usage of customers without a rule of their own goes.
    pub late: LateUsage,
}

/// Who closed a cycle, and why it was closed although something spoke against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Who.
    pub by: String,
    /// Why; empty if nothing spoke against it.
    pub why: String,
    /// What spoke against it.
    pub overridden: Vec<String>,
}

/// The closings that a table knows, in their order.
pub fn closings(table: &Table) -> Vec<Closing> {
    let mut found: BTreeMap<(u64, &str), [i64; 4]> = BTreeMap::new();
    for (name, at) in &table.snapshot().positions {
        let Some((number, rest)) = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once('/')) else { continue };
        let Some(((cycle, figure), number)) = rest.split_once('/').zip(number.parse().ok()) else { continue };
        if let Some(slot) = FIGURES.iter().position(|known| *known == figure) {
            found.entry((number, cycle)).or_default()[slot] = *at;
        }
    }
    let closing = |((number, cycle), figures): ((u64, &str), [i64; 4])| {
        let [version, reference, until_s, corrects] = figures;
        let [version, reference] = [version, reference].map(|figure| figure.max(0).cast_unsigned());
        let late = if corrects == 1 { LateUsage::Correct } else { LateUsage::Next };
        let until_us = until_s.saturating_mul(SECOND_US);
        Closing { cycle: cycle.to_owned(), number, version, reference, until_us, late }
    };
    found.into_iter().map(closing).collect()
}

/// The cycles that are closed.
pub fn closed(table: &Table) -> ClosedCycles {
    closed_by(&closings(table))
}

/// The cycles that some closings have closed.
pub fn closed_by(closings: &[Closing]) -> ClosedCycles {
    let mut cycles = ClosedCycles::default();
    for Closing { cycle, until_us, version, .. } in closings {
        cycles.add(cycle, ClosedUntil { until_us: *until_us, version: *version });
    }
    cycles
}

/// Closes a cycle for whom it had ended by an instant, upon the very version of the table that was looked at; `None` if somebody else
/// committed meanwhile, and nothing is closed.
pub fn close(
    table: &mut Table,
    (cycle, until_us): (&str, i64),
    (reference, late): (u64, LateUsage),
    word: &Word,
    (clock, rng): (&dyn Clock, &mut dyn Rng),
) -> Result<Option<Closing>, TableError> {
    let Some(version) = table.snapshot().version else { return Ok(None) };
    let number = closings(table).last().map_or(0, |closing| closing.number) + 1;
    let until_s = until_us.div_euclid(SECOND_US);
    let figures = [version, reference, until_s.max(0).cast_unsigned(), u64::from(late == LateUsage::Correct)];
    let words = [word.by.clone(), word.why.clone(), word.overridden.join("\n")];
    let info = CommitInfo {
        timestamp: clock.now_us() / 1000,
        operation: OPERATION.to_owned(),
        operation_parameters: WORDS.map(str::to_owned).into_iter().zip(words).collect(),
        engine_info: crate::ENGINE.to_owned(),
        commit_id: rng.next_name(),
        reference_version: reference,
        ..CommitInfo::default()
    };
    let positions: Vec<(String, u64)> =
        FIGURES.iter().zip(figures).map(|(name, figure)| (format!("{PREFIX}{number}/{cycle}/{name}"), figure)).collect();
    if table.attempt(&info, &[], &positions)? != Attempt::Committed {
        return Ok(None);
    }
    let until_us = until_s.saturating_mul(SECOND_US);
    Ok(Some(Closing { cycle: cycle.to_owned(), number, version, reference, until_us, late }))
}

/// When a cycle was closed, microseconds UTC; by whom and why.
pub fn word(table: &Table, closing: &Closing) -> Result<(i64, Word), TableError> {
    let info = table.commit_info(closing.version + 1)?;
    let said = |name: &str| info.operation_parameters.get(name).cloned().unwrap_or_default();
    let [by, why, overridden] = WORDS.map(said);
    let overridden = overridden.lines().map(str::to_owned).collect();
    Ok((info.timestamp.saturating_mul(1000), Word { by, why, overridden }))
}
