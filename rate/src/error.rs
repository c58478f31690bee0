//! What can be wrong with windows, tariffs and questions: each error names the place, the field and what to do.

use std::fmt;
use std::sync::Arc;

use domain::ports::Disposition;

/// Where in a tariff's files something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<str>,
    /// Its line, from 1, where known.
    pub line: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{} line {line}", self.file),
            None => f.write_str(&self.file),
        }
    }
}

/// Why a tariff was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TariffError {
    /// The text is no TOML, lacks a field or has one of the wrong type.
    #[error("{place}: {problem}")]
    Unreadable {
        /// Where.
        place: Place,
        /// What the reader said.
        problem: String,
    },
    /// A key or column that no tariff has.
    #[error("{place}: unknown {what} `{key}`{hint}")]
    UnknownKey {
        /// Where.
        place: Place,
        /// `key` or `column`.
        what: &'static str,
        /// The key.
        key: String,
        /// The nearest known one, as `; did you mean ...?`, or the known ones.
        hint: String,
    },
    /// A companion lacks a column.
    #[error("{place}: column `{column}` is missing; the header has {found}")]
    MissingColumn {
        /// Where.
        place: Place,
        /// Which one.
        column: String,
        /// The header as it is.
        found: String,
    },
    /// A companion that the tariff names was not handed in.
    #[error("{place}: `{field}` names `{file}`, which is not there; put the file beside the tariff")]
    MissingCompanion {
        /// Where.
        place: Place,
        /// The field that names it.
        field: &'static str,
        /// Its name.
        file: String,
    },
    /// A value that is not of its kind or beyond its limits.
    #[error("{place}: `{field}` is `{value}`; {expected}")]
    BadValue {
        /// Where.
        place: Place,
        /// The field or column.
        field: String,
        /// What it holds.
        value: String,
        /// What it should hold.
        expected: String,
    },
    /// A name that nothing defines.
    #[error("{place}: `{field}` is `{name}`, but {defined}{hint}")]
    UnknownName {
        /// Where.
        place: Place,
        /// The field or column.
        field: String,
        /// The name.
        name: String,
        /// What would have to define it.
        defined: &'static str,
        /// The nearest known one, as `; did you mean ...?`, or nothing.
        hint: String,
    },
    /// Windows of two bands hold at one time.
    #[error("{place}: the windows of two bands meet on {when}, the other one is at {first}; shorten one of them")]
    BandsMeet {
        /// Where the second stands.
        place: Place,
        /// A minute that both want: `mon 19:00`, `2026-12-25 08:00`.
        when: String,
        /// Where the first stands.
        first: Place,
    },
    /// Two entries that say something about the same thing.
    #[error("{place}: {what} is already defined at {first}; keep one of the two")]
    Twice {
        /// Where the second stands.
        place: Place,
        /// What they define.
        what: String,
        /// Where the first stands.
        first: Place,
    },
    /// More than a tariff may hold.
    #[error("{place}: more than {limit} {what}; split the tariff")]
    TooMany {
        /// Where.
        place: Place,
        /// Of what.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
    /// Two tariffs sell one plan at the same time.
    #[error(
        "plan `{plan}` is sold by `{first}` and `{second}` on the same days; end the first with `valid_to` or move `valid_from` of the second"
    )]
    PlanOverlap {
        /// The plan.
        plan: String,
        /// The version that begins first.
        first: Arc<str>,
        /// The other version.
        second: Arc<str>,
    },
    /// Two tariffs that want to hold for plans that nobody sells.
    #[error(
        "`{first}` and `{second}` both have a `fallback_plan` on the same days; leave it to one of them, or let one end (`valid_to`)"
    )]
    FallbackOverlap {
        /// The version that begins first.
        first: Arc<str>,
        /// The other version.
        second: Arc<str>,
    },
}

impl TariffError {
    /// What to do about it: a tariff does not get better by itself.
    pub fn disposition(&self) -> Disposition {
        Disposition::Stop
    }
}

/// Why no index of devices could be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// Two windows of one identifier hold the same instant.
    #[error("{kind} {masked} belongs to {first} and to {second} at the same time; end the first window before the second begins")]
    Overlap {
        /// `msisdn`, `imsi` or `iccid`.
        kind: &'static str,
        /// The identifier with its middle hidden.
        masked: String,
        /// The device and window that begin first.
        first: String,
        /// The other device and its window.
        second: String,
    },
    /// An identifier without a value.
    #[error("window {position} of kind {kind} has no value; leave the window out")]
    NoValue {
        /// Its place in the list.
        position: usize,
        /// `msisdn`, `imsi` or `iccid`.
        kind: &'static str,
    },
    /// A window that points beyond the owners.
    #[error("window {position} names owner {owner}, but there are {owners}; build both from the same reference version")]
    UnknownOwner {
        /// Its place in the list.
        position: usize,
        /// The owner it names.
        owner: u32,
        /// How many owners there are.
        owners: usize,
    },
    /// More windows than an index holds.
    #[error("{windows} windows are more than an index holds ({limit}); split the tenant")]
    TooMany {
        /// How many there are.
        windows: usize,
        /// How many are allowed.
        limit: usize,
    },
}

impl IndexError {
    /// What to do about it: the reference data must be corrected.
    pub fn disposition(&self) -> Disposition {
        Disposition::Stop
    }
}

/// Why a row could not be explained.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// A field of the row holds what no row holds.
    #[error("`{field}` is `{value}`; {expected}")]
    BadField {
        /// Which one.
        field: &'static str,
        /// What it holds.
        value: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// The row was priced by a version that is not among the tariffs.
    #[error("tariff version `{0}` is not among the imported tariffs; import that version again to explain the row")]
    UnknownVersion(String),
}

impl ExplainError {
    /// What to do about it: asking again changes nothing.
    pub fn disposition(&self) -> Disposition {
        Disposition::Stop
    }
}
