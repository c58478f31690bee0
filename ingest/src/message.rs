//! What travels on the topics: small JSON claim checks that point into landing; never call records.

use domain::delivery::{ArrivalNumber, DeliveryId};
use serde::{Deserialize, Serialize};

/// `tollway.cdr.files.v1`: a delivery has landed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Its place in the order of arrivals: the landing record says all else.
    pub arrival: ArrivalNumber,
    /// The delivery, as a cross-check.
    pub delivery: DeliveryId,
}

/// `tollway.cdr.batches.v1`: a byte range of a delivery to be rated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimCheck {
    /// The delivery's place in the order of arrivals.
    pub arrival: ArrivalNumber,
    /// The delivery, as a cross-check.
    pub delivery: DeliveryId,
    /// First byte of the range; it is the first byte of a row.
    pub from: u64,
    /// First byte after the range; it follows a line end or is the end of the rows.
    pub to: u64,
    /// First row of the range, from 0.
    pub first_row: u64,
    /// Rows in the range: data rows only, no header, no trailer.
    pub rows: u64,
    /// On the last claim check of a delivery: what split found about the file as a whole.
    pub verdict: Option<FileVerdict>,
    /// It claims no rows: here, behind all claim checks of what arrived before, the arrival corrects what is in the table. It is
    /// an operator's decision on `delivery`, or the delivery itself, which takes the place of others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub corrects: bool,
}

/// What split found about a file as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileVerdict {
    /// Whether its rows are taken.
    pub state: FileState,
    /// Data rows that the file holds; 0 ranges are announced unless the state is `complete` or `empty`.
    pub rows: u64,
    /// What is wrong and what to do, for people. Empty when complete, unless something could not be checked.
    pub message: String,
}

/// The named states of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// Whole; its rows are taken.
    Complete,
    /// No rows; fine for a profile that declares empty files as heartbeats, else a hand is needed.
    Empty,
    /// It ends in the middle of a row, or before the announced rows.
    Truncated,
    /// The trailer's count differs from the rows.
    WrongCount,
    /// The trailer's sum differs from the rows.
    WrongSum,
    /// The bytes are not in the declared encoding (or begin with another encoding's mark).
    WrongEncoding,
    /// The header lacks declared columns, or is none.
    WrongHeader,
    /// A row is longer than the limit, so no row can be told from the next.
    EndlessRow,
}

impl FileState {
    /// Whether the rows of such a file are rated.
    pub fn is_taken(self) -> bool {
        matches!(self, Self::Complete | Self::Empty)
    }

    /// The name on screens and in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Empty => "empty",
            Self::Truncated => "truncated",
            Self::WrongCount => "wrong_count",
            Self::WrongSum => "wrong_sum",
            Self::WrongEncoding => "wrong_encoding",
            Self::WrongHeader => "wrong_header",
            Self::EndlessRow => "endless_row",
        }
    }
}
