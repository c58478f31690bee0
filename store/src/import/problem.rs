//! What can be wrong with the bytes of an import, each with its place and what to do.

use std::fmt;

use domain::ids::IdError;
use domain::ports::Disposition;

use super::HeaderError;
use crate::identifier::IdentifierError;
use crate::instant::InstantError;
use crate::report::Listed;
use crate::tariff::TariffError;

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    /// Nothing where something must be.
    #[error("it is empty; fill it in")]
    Missing,
    /// Bytes that are no text.
    #[error("it is not UTF-8; save the file as UTF-8")]
    Encoding,
    /// More or fewer fields than the header has.
    #[error("the row has {found} fields, the header has {expected}; look for a missing or unquoted separator")]
    Fields {
        /// In the row.
        found: usize,
        /// In the header.
        expected: usize,
    },
    /// No id.
    #[error("{0}")]
    Id(IdError),
    /// No MSISDN, IMSI or ICCID.
    #[error("{0}")]
    Identifier(IdentifierError),
    /// Neither MSISDN nor IMSI nor ICCID.
    #[error("the row names no number; give at least one of msisdn, imsi and iccid")]
    NoIdentifier,
    /// Neither customer and plan nor a subscription.
    #[error("the row names nobody who pays; give customer_id and plan_id, or the subscription_id of a subscriptions file")]
    NoPayer,
    /// No instant.
    #[error("{0}")]
    Instant(InstantError),
    /// An end that is not after the start.
    #[error("it is not after valid_from, so the row holds no instant; write a later one, or leave it empty for an open end")]
    NoInstant,
    /// Not a day of the month.
    #[error("`{0}` is no cycle day; give a day of the month, 1 to 31")]
    CycleDay(String),
    /// Not a rule for late usage.
    #[error("`{0}` is no rule for late usage; give `next`, `correct` or nothing")]
    LateUsage(String),
    /// Not a zone of the IANA database.
    #[error("`{0}` is no IANA time zone; give one such as Europe/Amsterdam")]
    TimeZone(String),
    /// An owner path with too many or empty levels.
    #[error("`{0}` is no owner path; give 1 to 8 ids with `/` between them, operator first")]
    OwnerPath(String),
    /// A name that does not fit.
    #[error("the name is longer than 200 characters or has control characters; shorten it")]
    Name,
    /// The same key twice with different content.
    #[error("it says something else than line {first_line} on the same key; keep one of the two")]
    Contradicts {
        /// The earlier row.
        first_line: u64,
    },
}

fn named(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!(", field `{field}`") }
}

/// A broken row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}{}: {problem}", named(field))]
pub struct RowError {
    /// Where, from 1; the header is line 1.
    pub line: u64,
    /// Which field; empty where the whole row is meant.
    pub field: &'static str,
    /// What and what to do.
    pub problem: RowProblem,
}

/// Why an import cannot be taken over; nothing of it acts.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is too large.
    #[error("the file has {bytes} bytes, {bytes_max} are allowed; split it into files that each keep the header")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The file has too many rows.
    #[error("the file has more than {rows_max} rows; split it into files that each keep the header")]
    TooManyRows {
        /// The limit.
        rows_max: u64,
    },
    /// The header line is not right.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// Rows are broken.
    #[error("{0}")]
    Rows(RowErrors),
    /// The tariff bundle is not right.
    #[error(transparent)]
    Tariff(#[from] TariffError),
}

impl ImportError {
    /// What to do about it: the file has to change.
    pub fn disposition(&self) -> Disposition {
        Disposition::Stop
    }
}

/// The broken rows of a file: all counted, the first listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowErrors(pub Listed<RowError>);

impl fmt::Display for RowErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} broken rows; nothing was imported{}", self.0.count, self.0)
    }
}
