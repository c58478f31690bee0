//! The picture of a month, `report.html`: one self-contained page, drawn from figures alone.
//!
//! Pure: a [`ReportData`] goes in, a page comes out. Coordinates are integers in tenths of a unit; titles are findings computed
//! from the figures; every picture has its figures as a table and the query behind it beneath.

mod bars;
mod chart;
mod figures;
mod findings;
mod hours;
mod page;
mod throughput;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use page::render;

/// An exact amount: its decimal text for people and its nano-units for lengths of bars. The currency stands in [`ReportData`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// All places, such as `41208.114230`.
    pub text: String,
    /// The same in units of 10⁻⁹.
    pub nano: i128,
}

/// Everything the page shows.
// tidy: the page is a report to people; this is what it reports
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportData {
    /// What it is about, such as `October 2026`.
    pub period: String,
    /// Where it comes from, such as `demo · data folder ./tollway-data · seed 42`.
    pub origin: String,
    /// When it was made, with zone.
    pub made_at: String,
    /// ISO code of all amounts.
    pub currency: String,
    /// The figures at the top.
    pub summary: Summary,
    /// Records per hour.
    pub hours: Hours,
    /// What became of each file; any order, any number.
    pub files: Vec<FileOutcomes>,
    /// Rows in suspense by reason; any order.
    pub suspense: Vec<SuspenseReason>,
    /// Charges by customer; any order, the largest are shown.
    pub customers: Vec<Share>,
    /// Charges by zone; any order, the largest are shown.
    pub zones: Vec<Share>,
    /// Rows that were finished since the start of the run, over time.
    pub throughput: Vec<Sample>,
    /// What is not there, a sentence each: a file that did not come, a day without records.
    pub missing: Vec<String>,
    /// The SQL behind each picture.
    pub queries: Queries,
}

/// The figures at the top.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Landed files.
    pub files: u64,
    /// Of these, files that were sent before.
    pub resent_files: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Data rows.
    pub rows_in: u64,
    /// Rows with a price.
    pub rated: u64,
    /// Rows in suspense.
    pub suspense: u64,
    /// Equal rows of the same file.
    pub duplicates: u64,
    /// Equal rows of another file.
    pub resent: u64,
    /// Rows that a rule leaves out.
    pub skipped: u64,
    /// The sum of charges.
    pub charge: Amount,
    /// The known money at risk in suspense.
    pub at_risk: Amount,
    /// How long the run took, milliseconds.
    pub elapsed_ms: u64,
    /// The most memory it held, bytes; 0: not measured.
    pub peak_bytes: u64,
}

/// Records per hour of the local clock.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// The days, in order.
    pub days: Vec<Day>,
    /// A line per kind: hour `h` of day `d` is entry `24 d + h`; an hour that the clock shows twice is one entry.
    pub series: Vec<Series>,
    /// Records that started on no day of the list.
    pub outside: u64,
}

/// A day on the axis.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// Such as `Sun 25`.
    pub label: String,
    /// Whether it is shaded.
    pub weekend: bool,
}

/// A line of the chart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// The kind of usage: `voice`, `data`.
    pub name: String,
    /// Records per hour.
    pub per_hour: Vec<u64>,
}

/// What became of a file's rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileOutcomes {
    /// Its name.
    pub name: String,
    /// Rows with a price.
    pub rated: u64,
    /// Rows in suspense.
    pub suspense: u64,
    /// Equal rows of the same file.
    pub duplicates: u64,
    /// Equal rows of another file.
    pub resent: u64,
    /// Rows that a rule leaves out.
    pub skipped: u64,
}

/// Rows in suspense for one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuspenseReason {
    /// Its code, such as `no_device`.
    pub reason: String,
    /// How many.
    pub rows: u64,
    /// The money at risk; none: unknown.
    pub at_risk: Option<Amount>,
    /// What to do.
    pub remedy: String,
}

/// A part of the money.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Who or where.
    pub name: String,
    /// Rated records.
    pub rows: u64,
    /// Their charges.
    pub charge: Amount,
    /// For a zone: whether it is one of visited networks.
    pub roaming: bool,
}

/// A moment of the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Milliseconds since the start of the run.
    pub at_ms: u64,
    /// Rows finished since the start of the run.
    pub rows: u64,
}

/// The SQL behind each picture; an empty text shows none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queries {
    /// Records per hour.
    pub hours: String,
    /// Outcomes per file.
    pub files: String,
    /// Suspense by reason.
    pub suspense: String,
    /// Charges by customer.
    pub customers: String,
    /// Charges by zone.
    pub zones: String,
    /// Throughput; it is measured and in no table, so this may say where the samples are.
    pub throughput: String,
}

impl FileOutcomes {
    /// Rows that did not get a price.
    fn not_rated(&self) -> u64 {
        self.suspense + self.duplicates + self.resent + self.skipped
    }

    /// All rows.
    fn rows(&self) -> u64 {
        self.rated + self.not_rated()
    }
}

impl Summary {
    /// Whether every row in has one outcome.
    fn is_balanced(&self) -> bool {
        self.rows_in == self.rated + self.suspense + self.duplicates + self.resent + self.skipped
    }
}
