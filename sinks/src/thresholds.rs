//! Events of thresholds: the table in which each part of an allowance that was used up stands once, and who writes it.
//!
//! A look at what allowances give finds everything that is used up, again and again. What of it is new is asked of the table, and
//! is written as one commit upon the very version that was asked; whoever loses asks again. So two processes, a crash and a second
//! look never write one twice. Only the table knows what has fired.

mod known;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use domain::columns::thresholds::{PARTITION, Threshold, ThresholdRows};
use domain::ports::{Blob, Clock, Rng};

use self::known::Known;
pub use self::rows::Event;
use crate::commit::CommitError;
use crate::delta::action::{Add, CommitInfo};
use crate::delta::log::Attempt;
use crate::table::{Table, TableError};

/// Folder of the table in the store.
pub const THRESHOLDS: &str = "tables/allowance_thresholds";

/// Whose position it is: the number of the newest event. It moves with the commit that writes it.
const NEWEST: &str = "thresholds/event";

/// Tag of a file: the number of its last event.
const TAG_LAST: &str = "tollway.event";

/// Events of one commit at most: 100,000 × some 300 B, twice while they are encoded.
const EVENTS_MAX: usize = 100_000;

/// Events of one commit that have a log line of their own.
const LOGGED_MAX: usize = 20;

/// Opens the table, making it if it does not exist.
pub fn open(blob: &Arc<dyn Blob>, clock: &dyn Clock, rng: &mut dyn Rng) -> Result<Table, TableError> {
    Table::open_or_create(blob, THRESHOLDS, &ThresholdRows::schema(), &PARTITION, &rng.next_name(), clock.now_us() / 1000)
}

/// The number of the newest event; 0 before the first.
pub fn newest(table: &Table) -> u64 {
    table.snapshot().position(NEWEST)
}

/// Writes events, each once.
#[derive(Debug)]
pub struct ThresholdWriter {
    table: Table,
    tenant: String,
    attempts_max: u32,
    events_max: usize,
    known: Known,
}

impl ThresholdWriter {
    /// One for a table; so many attempts may be lost to other writers in a row.
    pub fn new(table: Table, tenant: String, attempts_max: u32) -> Self {
        Self { table, tenant, attempts_max, events_max: EVENTS_MAX, known: Known::default() }
    }

    /// The table.
    pub fn table(&mut self) -> &mut Table {
        &mut self.table
    }

    /// Writes those events that the table does not have yet, and tells how many that were. They come by month, in the order in which
    /// they are to be numbered, and can be gone through again.
    pub fn write<'n, I: Iterator<Item = Threshold<'n>>>(
        &mut self,
        reached: impl Fn() -> I,
        clock: &dyn Clock,
        rng: &mut dyn Rng,
    ) -> Result<u64, CommitError> {
        self.table.refresh()?;
        let (mut written, mut lost) = (0, 0);
        loop {
            let new = self.known.without_known(&self.table, reached(), self.events_max)?;
            if new.is_empty() {
                return Ok(written);
            }
            if self.attempt(&new, clock, rng)? == Attempt::Committed {
                (written, lost) = (written + new.len() as u64, 0);
                if new.len() < self.events_max {
                    return Ok(written);
                }
                continue;
            }
            lost += 1;
            if lost >= self.attempts_max {
                return Err(CommitError::Contended(lost));
            }
            self.table.refresh()?;
        }
    }

    /// One attempt to write events upon the version that was asked about them.
    fn attempt(&mut self, new: &[Threshold<'_>], clock: &dyn Clock, rng: &mut dyn Rng) -> Result<Attempt, CommitError> {
        let (now_us, before) = (clock.now_us(), newest(&self.table));
        let (mut adds, mut last) = (Vec::new(), before);
        for of_month in new.chunk_by(|a, b| a.month == b.month) {
            let batch = rows::to_batch(of_month, &self.tenant, last + 1, now_us)?;
            let bytes = self.table.encode(std::slice::from_ref(&batch))?;
            let month = of_month[0].month.to_string();
            let partition = [(PARTITION[0], &*month)];
            let mut add = self.table.put(&bytes, batch.num_rows(), &partition, &rng.next_name(), now_us / 1000)?;
            last += of_month.len() as u64;
            add.tags.get_or_insert_default().insert(TAG_LAST.to_owned(), last.to_string());
            adds.push(add);
        }
        let info = CommitInfo::append(now_us / 1000, rng.next_name());
        let attempt = self.table.attempt(&info, &adds, &[(NEWEST.to_owned(), last)])?;
        if attempt == Attempt::Committed {
            log(new, before + 1);
        }
        Ok(attempt)
    }
}

/// Says what has fired, without saying whose it is.
fn log(new: &[Threshold<'_>], first: u64) {
    for (event, of) in (first..).zip(new.iter().take(LOGGED_MAX)) {
        let Threshold { allowance, period, percent, .. } = of;
        tracing::info!(event, allowance = &**allowance, period = &**period, percent, "an allowance reached a threshold");
    }
    let more = new.len().saturating_sub(LOGGED_MAX);
    if more > 0 {
        tracing::info!(more, "more allowances reached thresholds: tollway thresholds");
    }
}

/// Which events to read.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'w> {
    /// Events with a greater number.
    pub since: u64,
    /// Of this customer.
    pub customer: Option<&'w str>,
    /// Of this allowance.
    pub allowance: Option<&'w str>,
    /// How many at most.
    pub limit: usize,
    /// Which, if there are more.
    pub end: End,
}

/// One end of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The events with the lowest numbers.
    Oldest,
    /// Those with the highest.
    Newest,
}

impl Wanted<'_> {
    fn is(&self, event: &Event) -> bool {
        let Threshold { customer, allowance, .. } = &event.of;
        event.number > self.since
            && self.customer.is_none_or(|wanted| wanted == customer)
            && self.allowance.is_none_or(|wanted| wanted == allowance)
    }
}

/// Events by number, lowest first, and whether there are more. No more files are read than it takes.
pub fn read(table: &Table, wanted: &Wanted<'_>) -> Result<(Vec<Event>, bool), TableError> {
    let mut files: Vec<(u64, &Arc<Add>)> = table.files(&[]).map(|add| (last_of(add), add)).collect();
    files.retain(|(last, _)| *last > wanted.since);
    files.sort_by_key(|(last, _)| *last);
    if wanted.end == End::Newest {
        files.reverse();
    }
    let mut found: Vec<Event> = Vec::new();
    for (_, add) in files {
        let mut events = rows::read(table, add)?;
        events.retain(|event| wanted.is(event));
        // Numbers of one file follow each other: files in order are events in order.
        events.sort_by_key(|event| event.number);
        if wanted.end == End::Newest {
            events.reverse();
        }
        found.append(&mut events);
        if found.len() > wanted.limit {
            break;
        }
    }
    let is_more = found.len() > wanted.limit;
    found.truncate(wanted.limit);
    found.sort_by_key(|event| event.number);
    Ok((found, is_more))
}

/// The number of the last event of a file; a file that does not say may hold any.
fn last_of(add: &Add) -> u64 {
    add.tag(TAG_LAST).and_then(|last| last.parse().ok()).unwrap_or(u64::MAX)
}

/// What is wrong with the table: an event that stands twice, or a number that is not the next one. Memory grows with the events, 16 bytes
/// each.
pub fn audit(table: &Table) -> Result<(u64, Vec<String>), TableError> {
    let mut identities = HashSet::new();
    let (mut numbers, mut wrong) = (Vec::new(), Vec::new());
    for add in table.files(&[]) {
        for event in rows::read(table, add)? {
            if !identities.insert(event.of.identity()) {
                wrong.push(format!("event {} has fired before", event.number));
            }
            numbers.push(event.number);
        }
    }
    numbers.sort_unstable();
    let gap = (1..).zip(&numbers).find(|(number, found)| number != *found);
    wrong.extend(gap.map(|(number, found)| format!("event {found} stands where {number} should")));
    let (events, newest) = (numbers.len() as u64, newest(table));
    if events != newest && wrong.is_empty() {
        wrong.push(format!("{newest} events were numbered, {events} are there"));
    }
    Ok((events, wrong))
}
