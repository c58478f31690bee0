//! The table `cycle_lines`: what closings have posted, each in one commit.

use std::collections::BTreeMap;

use domain::columns::lines::{LineRows, PARTITION};
use domain::ports::{Clock, Rng};
use rate::lines::Line;
use sinks::closing::Closing;
use sinks::delta::action::CommitInfo;
use sinks::delta::log::Attempt;
pub use sinks::lines::Read;
use sinks::lines::{Names, Numbered, read_file, to_batch};
use sinks::table::Table;

use super::Lines;

use crate::installation::Installation;

/// Folder of the table in the store.
pub const LINES: &str = "tables/cycle_lines";

/// Lines of one file: some 200 bytes each while they are encoded.
const FILE_LINES_MAX: usize = 200_000;

/// Attempts of a commit beside others.
const ATTEMPTS_MAX: u32 = 10;

/// What a closing posts.
#[derive(Debug)]
pub struct Posted<'p> {
    /// The closing.
    pub closing: &'p Closing,
    /// When the cycle was closed, microseconds UTC.
    pub at_us: i64,
    /// Its lines.
    pub lines: &'p Lines,
}

/// The table; `None` before the first closing.
pub fn open_if_there(installation: &Installation) -> anyhow::Result<Option<Table>> {
    let is_there = !installation.blob().list(&format!("{LINES}/_delta_log/"))?.is_empty();
    Ok(if is_there { Some(Table::open(installation.blob(), LINES)?) } else { None })
}

/// The position of a closing: it moves with the commit that has its lines.
fn position(closing: u64) -> String {
    format!("lines/{closing}")
}

/// Whether the lines of a closing are written.
pub fn is_posted(table: &Table, closing: u64) -> bool {
    table.snapshot().positions.contains_key(&position(closing))
}

/// Writes the lines of a closing, unless they are there.
pub fn write(installation: &Installation, posted: &Posted<'_>, clock: &dyn Clock, rng: &mut dyn Rng) -> anyhow::Result<()> {
    let (blob, now_ms) = (installation.blob(), clock.now_us() / 1000);
    let table = Table::open_or_create(blob, LINES, &LineRows::schema(), &PARTITION, &rng.next_name(), now_ms)?;
    let mut table = table.with_settings(installation.parquet());
    if is_posted(&table, posted.closing.number) {
        return Ok(());
    }
    if let Some(open) = (1..posted.closing.number).find(|number| !is_posted(&table, *number)) {
        anyhow::bail!(
            "the lines of closing {open} are not written, and those of closing {} follow from them",
            posted.closing.number
        );
    }
    let numbered = posted.lines.customers.iter().flat_map(|(customer, lines)| {
        lines.iter().zip(1..).map(|(line, number)| Numbered { customer: customer.as_str(), number, line })
    });
    let numbered: Vec<Numbered<'_>> = numbered.collect();
    let tenant = installation.config().data.tenant.to_string();
    let mut adds = Vec::new();
    for part in numbered.chunks(FILE_LINES_MAX) {
        let batch = to_batch(part, (&tenant, posted.closing.number, posted.at_us))?;
        let bytes = table.encode(std::slice::from_ref(&batch))?;
        let partition = [(PARTITION[0], posted.closing.cycle.as_str())];
        adds.push(table.put(&bytes, batch.num_rows(), &partition, &rng.next_name(), now_ms)?);
    }
    let info = CommitInfo::append(now_ms, rng.next_name());
    for _ in 0..ATTEMPTS_MAX {
        if table.attempt(&info, &adds, &[(position(posted.closing.number), posted.closing.version)])? == Attempt::Committed {
            return Ok(());
        }
        table.refresh()?;
        if is_posted(&table, posted.closing.number) {
            return Ok(());
        }
    }
    anyhow::bail!("others wrote lines at the same time, {ATTEMPTS_MAX} times; run it again")
}

/// What closings up to a number have posted, by customer, in their order.
pub fn posted_by_customer(installation: &Installation, up_to: u64) -> anyhow::Result<BTreeMap<String, Vec<Line>>> {
    let mut posted: BTreeMap<String, Vec<Line>> = BTreeMap::new();
    let Some(table) = open_if_there(installation)? else { return Ok(posted) };
    let (mut names, mut found) = (Names::default(), Vec::new());
    for add in table.snapshot().files.values() {
        read_file(&table, add, &mut names, &mut found)?;
    }
    found.retain(|read| read.closing <= up_to);
    found.sort_by_key(|read| (read.closing, read.number));
    for read in found {
        match posted.get_mut(&*read.customer) {
            Some(theirs) => theirs.push(read.line),
            None => {
                posted.insert(read.customer.to_string(), vec![read.line]);
            }
        }
    }
    Ok(posted)
}

/// The lines that closings have posted in a cycle, or in all, by closing, customer and number.
pub fn read(installation: &Installation, cycle: Option<&str>) -> anyhow::Result<Vec<Read>> {
    let Some(table) = open_if_there(installation)? else { return Ok(Vec::new()) };
    let (mut names, mut found) = (Names::default(), Vec::new());
    for add in table.snapshot().files.values() {
        if cycle.is_none_or(|cycle| add.partition(PARTITION[0]) == Some(cycle)) {
            read_file(&table, add, &mut names, &mut found)?;
        }
    }
    found.sort_by(|a, b| (a.closing, &a.customer, a.number).cmp(&(b.closing, &b.customer, b.number)));
    Ok(found)
}
