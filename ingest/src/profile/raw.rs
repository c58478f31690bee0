//! The profile file as it is written: its sections and what they mean; the published JSON schema is made from this.

mod columns;
mod readers;
mod words;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub(super) use columns::{
    ColumnRef, RawChoice, RawClass, RawColumn, RawCost, RawDuration, RawMessages, RawNetwork, RawNumbers, RawParty, RawTime,
    RawVolume,
};
pub(super) use readers::{RawJson, RawSpan, RawTap3, RawXml};
pub(super) use words::{
    RawAlign, RawBlankLines, RawBom, RawDeliveryMode, RawDirection, RawDurationRounding, RawDurationUnit, RawEmptyFile,
    RawEncoding, RawExtraFields, RawHeader, RawJsonRecords, RawKeyMode, RawKind, RawNetworkForm, RawNumberPlace, RawPart,
    RawReader, RawShortRows, RawVolumeUnit,
};

/// A source layout: how the files of one provider are written and what their columns mean.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "tollway source layout")]
pub(super) struct RawProfile {
    /// Name of the layout: small letters, digits and `-`; commands take it as `--profile NAME`.
    pub name: String,
    /// Rises with every change of meaning; `name@version` stands in every delivery and ledger row.
    #[schemars(range(min = 1))]
    pub version: u32,
    /// One line for people.
    pub title: String,
    /// The provider whose files these usually are; a hint for commands, nothing depends on it.
    pub provider: Option<String>,
    /// True when the layout was written from descriptions and not from the provider's own files ("assumed layout").
    #[serde(default)]
    pub assumed: bool,
    /// How the file is written.
    #[serde(default)]
    pub file: RawFile,
    /// The columns of rows of fixed width, by the names that other sections use.
    #[serde(default)]
    pub columns: BTreeMap<String, RawSpan>,
    /// Where the records of a JSON file are.
    pub json: Option<RawJson>,
    /// Where the records of an XML file are.
    pub xml: Option<RawXml>,
    /// What is taken from TAP3 files.
    pub tap3: Option<RawTap3>,
    /// The last line that announces how many rows there are. Without this section there is no trailer.
    pub trailer: Option<RawTrailer>,
    /// What makes two rows the same, and what a newer file of the same name means.
    pub record: RawRecord,
    /// Voice, sms, mms or data. Only `tap3` goes without.
    pub kind: Option<RawChoice<RawKind>>,
    /// Outgoing, incoming or forwarded, seen from the served party. Only `tap3` goes without.
    pub direction: Option<RawChoice<RawDirection>>,
    /// How numbers are written.
    #[serde(default)]
    pub numbers: RawNumbers,
    /// The served party: whose usage it is. Only `tap3` goes without.
    pub served: Option<RawParty>,
    /// The other party. Without this section the layout has none.
    pub other: Option<RawParty>,
    /// When it began. Only `tap3` goes without.
    pub time: Option<RawTime>,
    /// How long it took. Without this section every duration is 0.
    pub duration: Option<RawDuration>,
    /// How much was transferred. Without this section there are no volumes.
    pub volume: Option<RawVolume>,
    /// Message parts. Without this section every row is one message.
    pub messages: Option<RawMessages>,
    /// The provider's cost. Without this section no row has one.
    pub cost: Option<RawCost>,
    /// The network that carried it. Without this section none is known.
    pub network: Option<RawNetwork>,
    /// The provider's rate class, which tariffs may match before the number.
    pub class: Option<RawClass>,
    /// IMSI of the served party: 14 or 15 digits.
    pub imsi: Option<RawColumn>,
    /// ICCID of the served party: 18 to 20 digits, trailing F ignored, the first 19 count.
    pub iccid: Option<RawColumn>,
    /// The session that a record is of, where the source cuts long ones into several records. Only marks them.
    pub session: Option<RawSession>,
    /// Rows to leave out, each counted under its rule; the first rule that matches counts.
    #[serde(default)]
    pub skip: Vec<RawSkip>,
    /// How the files of an account are numbered. Without this section no file is ever missed by its number.
    pub sequence: Option<RawSequence>,
    /// How often files are to arrive. Without this section it is judged by how they came.
    pub rhythm: Option<RawRhythm>,
}

/// Which session a record is of. Nothing in it makes a row malformed: what cannot be read is absent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSession {
    /// The column with the session's id.
    pub column: ColumnRef,
    /// The column with the record's place in its session, a whole number.
    pub sequence: Option<ColumnRef>,
    /// The column that tells parts from whole sessions.
    pub partial: Option<RawPartial>,
}

/// What tells parts of sessions from whole ones.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPartial {
    /// The column.
    pub column: ColumnRef,
    /// What its texts mean; any other text is a whole session.
    pub map: BTreeMap<String, RawPart>,
}

/// How the files of an account are numbered, so that a missing one is noticed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSequence {
    /// Where the number stands. Default `name`.
    #[serde(default = "in_name", rename = "in")]
    pub place: RawNumberPlace,
    /// The name without folders: `{n}` is the number, `*` any run of characters, `?` one character: `cdr_*_{n}.csv`. A name of
    /// another pattern has no number.
    pub name: Option<String>,
    /// Which of the lines that `file.skip_lines` leaves out has the number, from 1. Default 1.
    #[schemars(range(min = 1, max = 100))]
    pub line: Option<u32>,
    /// Position of the field with the number in that line or in the trailer, from 0.
    pub field: Option<u32>,
    /// Where the number stands in that line or in the trailer of a file of fixed width.
    pub at: Option<RawSpan>,
    /// The first number. Default 1.
    #[serde(default = "first_number")]
    pub first: u64,
    /// The last number, after which the first comes again. Default 999999999.
    #[serde(default = "last_number")]
    pub last: u64,
    /// From one file to the next. Default 1.
    #[serde(default = "first_number")]
    pub step: u64,
}

fn in_name() -> RawNumberPlace {
    RawNumberPlace::Name
}

fn first_number() -> u64 {
    1
}

fn last_number() -> u64 {
    999_999_999
}

/// How often files are to arrive; `tollway today` names an account whose next one is late.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRhythm {
    /// Hours from one arrival to the next.
    #[schemars(range(min = 1, max = 8784))]
    pub every_hours: u32,
    /// Hours that are borne beyond that. Default 0.
    #[serde(default)]
    #[schemars(range(max = 8784))]
    pub grace_hours: u32,
}

/// How the file is written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawFile {
    /// How records and their fields are found. Default `delimited`.
    pub reader: RawReader,
    /// One ASCII character between two fields, such as `,` `;` `|` or a tab. Default `,`.
    pub separator: char,
    /// The character around fields that hold a separator, doubled inside; empty for files without quoting. Default `"`.
    pub quote: String,
    /// Default `utf-8`.
    pub encoding: RawEncoding,
    /// Whether a byte order mark opens the file. Default `optional`; utf-16 always needs one, which tells the byte order.
    pub bom: RawBom,
    /// Whether a line names the columns. Default `names`.
    pub header: RawHeader,
    /// Lines before the header (or before the rows) that mean nothing. Default 0, at most 100.
    pub skip_lines: u32,
    /// Names of the columns by position, for files without a header.
    pub names: Vec<String>,
    /// How many fields a row of a file without a header has, when `names` does not say it.
    pub fields: Option<u32>,
    /// What a row with more fields than columns is. Default `malformed`: most likely a separator inside a field.
    pub extra_fields: RawExtraFields,
    /// How many characters a row of fixed width has; a longer one is malformed. Without it, what stands behind the last column
    /// means nothing.
    #[schemars(range(min = 1, max = 65536))]
    pub row_width: Option<u32>,
    /// What a row of fixed width is that ends before its last column (or before `row_width`). Default `malformed`: most likely
    /// it was cut off.
    pub short_rows: RawShortRows,
    /// What a line without any character is. Default `ignore`.
    pub blank_lines: RawBlankLines,
    /// Longest row in bytes (for utf-16: of the row as UTF-8); a longer one is malformed and only so much of it is kept.
    /// Default 65536.
    #[schemars(range(min = 64, max = 16_777_216))]
    pub row_bytes_max: u32,
    /// How many rows in a hundred may hold bytes outside the encoding before the whole file is refused. Default 10.
    #[schemars(range(max = 100))]
    pub invalid_percent_max: u8,
    /// What a file without rows is. Default `error`.
    pub empty_file: RawEmptyFile,
}

impl Default for RawFile {
    fn default() -> Self {
        Self {
            reader: RawReader::Delimited,
            separator: ',',
            quote: "\"".to_owned(),
            encoding: RawEncoding::Utf8,
            bom: RawBom::Optional,
            header: RawHeader::Names,
            skip_lines: 0,
            names: Vec::new(),
            fields: None,
            extra_fields: RawExtraFields::Malformed,
            row_width: None,
            short_rows: RawShortRows::Malformed,
            blank_lines: RawBlankLines::Ignore,
            row_bytes_max: 64 * 1024,
            invalid_percent_max: 10,
            empty_file: RawEmptyFile::Error,
        }
    }
}

/// The last line of a file, told from rows by its first field.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTrailer {
    /// What the first field of the trailer is (what it begins with, in a file of fixed width); no row may begin with it.
    pub marker: String,
    /// Position of the field with the count of rows, from 0. Default 1.
    #[serde(default = "one")]
    pub rows_field: u32,
    /// Position of the field with the sum of the cost column, if there is one.
    pub sum_field: Option<u32>,
    /// Where the count of rows stands in a trailer of fixed width.
    pub rows_at: Option<RawSpan>,
    /// Where the sum of the cost column stands in a trailer of fixed width, if there is one.
    pub sum_at: Option<RawSpan>,
}

fn one() -> u32 {
    1
}

/// What makes two rows the same.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRecord {
    /// What names a record.
    pub key: RawKeyMode,
    /// The column with the source's record id; needed for the keys `id` and `id-and-content`.
    pub id: Option<ColumnRef>,
    /// What a newer file of the same name means. Default `delta`.
    #[serde(default = "delta")]
    pub delivery: RawDeliveryMode,
}

fn delta() -> RawDeliveryMode {
    RawDeliveryMode::Delta
}

/// A rule that leaves rows out: exactly one of `equals`, `not_equals`, `empty` and `not_within`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSkip {
    /// The name under which the rows are counted.
    pub rule: String,
    /// The column that is looked at.
    pub column: ColumnRef,
    /// Leave the row out when the field is one of these.
    #[serde(default)]
    pub equals: Vec<String>,
    /// Leave the row out when the field is none of these.
    #[serde(default)]
    pub not_equals: Vec<String>,
    /// Leave the row out when the field is empty.
    #[serde(default)]
    pub empty: bool,
    /// Leave the row out when the field, a path such as `NL/North/12`, is in none of these branches of the tree.
    #[serde(default)]
    pub not_within: Vec<String>,
    /// What stands between two levels of a path. Default `/`.
    #[serde(default = "slash")]
    pub level_mark: char,
}

fn slash() -> char {
    '/'
}
