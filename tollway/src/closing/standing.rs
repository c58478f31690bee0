//! How a cycle stands before it is closed: closed before, interrupted, running, or ended with what is in the way. `cycle close` and
//! `today` ask here, so that both say the same.

use domain::columns::linked::Owners;
use domain::delivery::ArrivalNumber;
use domain::period::Month;
use sinks::closing::{Closing, closings, word};
use sinks::table::Table;
use store::instant::show_instant;

use super::obstacles::{Obstacle, Obstacles};
use super::{Due, unfinished};
use crate::installation::Installation;

/// How a cycle stands at an instant.
#[derive(Debug)]
pub enum Standing {
    /// It is closed for all for whom it has ended, by this closing at last.
    Closed(Closing),
    /// A closing, of this cycle or another, whose lines are not posted: whoever made it was interrupted.
    Interrupted(Closing),
    /// It runs for all customers, for the last of them until this instant.
    Runs(i64),
    /// It has ended for some and is not closed for them.
    Ended(Ended),
}

/// A cycle that has ended for some and is not closed for them.
#[derive(Debug)]
pub struct Ended {
    /// For how many.
    pub due: u64,
    /// For how many it runs still.
    pub running: u64,
    /// When it ends for the last of them.
    pub runs_until_us: Option<i64>,
    /// What is in the way of closing it.
    pub obstacles: Vec<Obstacle>,
}

/// What cycles are looked at with.
#[derive(Debug)]
pub struct View<'v> {
    installation: &'v Installation,
    owners: &'v Owners,
    until_us: i64,
    known: Vec<Closing>,
    unfinished: Vec<Closing>,
    obstacles: Obstacles,
}

impl<'v> View<'v> {
    /// At an instant; what arrives from `next` on is not looked at.
    pub fn at(
        installation: &'v Installation,
        entries: &'v Table,
        owners: &'v Owners,
        (until_us, next): (i64, ArrivalNumber),
    ) -> anyhow::Result<Self> {
        let obstacles = Obstacles::at(installation, entries, (until_us, next))?;
        let (known, unfinished) = (closings(entries), unfinished(installation, entries)?);
        Ok(Self { installation, owners, until_us, known, unfinished, obstacles })
    }

    /// How a cycle stands.
    pub fn of(&self, cycle: Month) -> anyhow::Result<Standing> {
        let name = cycle.to_string();
        let (due, running, runs_until_us) = Due::of(cycle, self.until_us, &self.known, self.owners).counts();
        let is_its = |closing: &&Closing| closing.cycle == name;
        let last = self.known.iter().rev().find(is_its).filter(|_| due == 0);
        Ok(match (self.unfinished.iter().find(is_its), last, self.unfinished.first(), runs_until_us) {
            (Some(its), ..) => Standing::Interrupted(its.clone()),
            (None, Some(last), ..) => Standing::Closed(last.clone()),
            (None, None, Some(other), _) => Standing::Interrupted(other.clone()),
            (None, None, None, Some(end_us)) if due == 0 => Standing::Runs(end_us),
            (None, None, None, _) => {
                let obstacles = self.obstacles.of(self.installation, self.owners, cycle)?;
                Standing::Ended(Ended { due, running, runs_until_us, obstacles })
            }
        })
    }
}

/// A closing that was interrupted, as something that is in the way: what it is, and what finishes it.
pub fn interrupted(entries: &Table, closing: &Closing) -> anyhow::Result<Obstacle> {
    let (at_us, said) = word(entries, closing)?;
    let by = if said.by.is_empty() { String::new() } else { format!(" by {}", said.by) };
    Ok(Obstacle {
        kind: "interrupted",
        text: format!(
            "the closing of {} at {}{by} was interrupted, and its lines are not posted; the next `tollway cycle close` finishes it",
            closing.cycle,
            show_instant(at_us)
        ),
        command: format!("tollway cycle close {}", closing.cycle),
    })
}
