//! The sections of a profile for readers other than delimited text: where a column stands, where the records are.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RawAlign, RawJsonRecords};

/// Where a column stands in a row of fixed width, counted in characters.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::profile) struct RawSpan {
    /// Its first character, counted from 1 as record descriptions do.
    #[schemars(range(min = 1, max = 65536))]
    pub start: u32,
    /// How many characters it has.
    #[schemars(range(min = 1, max = 65536))]
    pub width: u32,
    /// The character that fills the column up. It is cut off, and so are blanks around it; the last zero before a mark, or of a
    /// column of zeros, stays. Default: a blank.
    #[serde(default = "blank")]
    pub pad: char,
    /// On which side of the column the value stands; the other one is filled up. Default `either`.
    #[serde(default = "either")]
    pub align: RawAlign,
}

fn blank() -> char {
    ' '
}

fn either() -> RawAlign {
    RawAlign::Either
}

/// Where the records of a JSON file are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::profile) struct RawJson {
    /// Whether each line is a record, or they stand in an array. Default `lines`.
    pub records: RawJsonRecords,
    /// Where the array is: names of members with points between (`data.calls`). Default empty: the document is the array.
    pub path: String,
    /// So many objects and arrays may stand in each other, in a record and around the array. Default 32.
    #[schemars(range(min = 1, max = 64))]
    pub depth_max: u32,
    /// Paths that no record of a file may have, though the profile relies on them: a skip rule on a mark that few records
    /// bear. Without it a file of ten records or more in which a required path, or one of a skip rule, never occurs is refused.
    pub may_lack: Vec<String>,
}

impl Default for RawJson {
    fn default() -> Self {
        Self { records: RawJsonRecords::Lines, path: String::new(), depth_max: 32, may_lack: Vec::new() }
    }
}

/// Where the records of an XML file are.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::profile) struct RawXml {
    /// The path of a record from the root, `Usage/Calls/Call`: its last name is the record element. Names are as they are
    /// written, with a prefix if there is one.
    pub record: String,
    /// Elements beside the records that mean nothing. Others are malformed rows, so that no record is lost by a damaged name.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// So many elements may stand in each other in a record. Default 32.
    #[serde(default = "depth")]
    #[schemars(range(min = 1, max = 256))]
    pub depth_max: u32,
    /// As `json.may_lack`.
    #[serde(default)]
    pub may_lack: Vec<String>,
}

fn depth() -> u32 {
    32
}

/// What is taken from TAP3 files. The reader itself knows what an event means.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::profile) struct RawTap3 {
    /// The currency of the cost column: that of the charges (XDR, unless the file names another), or the sender's own, to
    /// which the file's rates then convert. A file that has neither is refused. Default `XDR`.
    pub cost_currency: String,
    /// Longest event in bytes; a longer one is malformed. Default 262144.
    #[schemars(range(min = 64, max = 16_777_216))]
    pub event_bytes_max: u32,
    /// Largest file in bytes: it is checked in memory as a whole. Default 1073741824.
    #[schemars(range(min = 1024, max = 4_294_967_296u64))]
    pub file_bytes_max: u64,
    /// Longest call or session in seconds that is believed. Default 2678400 (31 days).
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub duration_max_s: i64,
    /// Largest volume in one direction in bytes that is believed. Default 1099511627776 (1 TiB).
    #[schemars(range(min = 1, max = 4_611_686_018_427_387_903i64))]
    pub volume_max_bytes: i64,
    /// Whether files that the sender marks as tests are taken: never where bills are made. Default false.
    pub takes_tests: bool,
    /// Whether supplementary services without a charge are left out by the rule `supplementary-service-without-charge`; else
    /// they need a hand. Default true.
    pub skips_free_supplementary: bool,
}

impl Default for RawTap3 {
    fn default() -> Self {
        Self {
            cost_currency: "XDR".to_owned(),
            event_bytes_max: 256 * 1024,
            file_bytes_max: 1 << 30,
            duration_max_s: 31 * 86_400,
            volume_max_bytes: 1 << 40,
            takes_tests: false,
            skips_free_supplementary: true,
        }
    }
}
