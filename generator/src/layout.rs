//! How a record is written: the layouts of providers, and which of their rules a malformed row breaks.

use std::io::Write;

use domain::delivery::KeyMode;
use domain::outcome::Reason;
use domain::usage::UsageKind;

use crate::call::Call;
use crate::fleet::{Customer, Tenure};

mod asterisk;
pub(crate) mod cells;
mod charset;
mod cisco_cucm;
mod freeswitch;
mod job;
mod kpn_een;
mod kpn_sp16;
mod mobile_metadata;
mod pbx;
mod routit;
mod tmobile_calvi;
mod vodafone;
mod yielder;

use cells::Cells;
use charset::Charset;

/// A source layout, by the name of the shipped profile that reads it. New ones come last: a layout's place is part of the seed
/// of its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// KPN SP16 (assumed layout): semicolons, Latin-1, decimal comma, local time without offset, trailer.
    KpnSp16,
    /// Routit (assumed layout): commas, UTF-8 with BOM, all fields quoted, time with offset.
    Routit,
    /// The `cdr_csv` module of Asterisk: 18 columns without a header.
    AsteriskCdrCsv,
    /// Calls and messages of one subscriber.
    MobileMetadata,
    /// The layout of benches/job.
    Job,
    /// KPN EEN (assumed layout): semicolons, numbers as spreadsheets leave them, hh:mm:ss, MB of 1024.
    KpnEen,
    /// Vodafone (assumed layout): bars, Windows-1252, TADIG codes, an allowance column, fees between the calls, trailer.
    Vodafone,
    /// T-Mobile, Calvi (assumed layout): tabs, UTF-16, a tree of partners, IMSI, trailer.
    TmobileCalvi,
    /// Yielder (assumed layout): commas, UTC epoch, ICCID, interim records, trailer.
    Yielder,
    /// The `mod_cdr_csv` module of `FreeSWITCH`: 15 columns without a header.
    FreeswitchCdrCsv,
    /// The plain layout for exchanges that can be told what to export.
    PbxCsv,
    /// Cisco Unified Communications Manager: a line of types under the header, UTC epoch.
    CiscoCucm,
}

impl Layout {
    /// All layouts.
    pub const ALL: [Self; 12] = [
        Self::KpnSp16,
        Self::Routit,
        Self::AsteriskCdrCsv,
        Self::MobileMetadata,
        Self::Job,
        Self::KpnEen,
        Self::Vodafone,
        Self::TmobileCalvi,
        Self::Yielder,
        Self::FreeswitchCdrCsv,
        Self::PbxCsv,
        Self::CiscoCucm,
    ];

    /// The profile's name.
    pub fn profile(self) -> &'static str {
        self.shape().profile
    }

    /// The layout that a profile reads.
    pub fn parse(profile: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.profile() == profile)
    }

    /// Whether a row has an id of its own, so that two rows can contradict each other.
    pub fn has_ids(self) -> bool {
        self.tells(Tells::Id)
    }

    /// Whether a row says which network carried it.
    pub fn has_network(self) -> bool {
        self.tells(Tells::Network)
    }

    /// Whether a row says what the provider asks.
    pub fn has_cost(self) -> bool {
        self.shape().cost_step > 0
    }

    /// Whether times have an offset or are UTC, so that the repeated hour is told apart.
    pub fn has_offset(self) -> bool {
        self.tells(Tells::Offset)
    }

    /// How the shipped profile says that two rows are the same.
    pub fn key(self) -> KeyMode {
        self.shape().key
    }

    /// Whether the shipped profile leaves out calls that nobody answered.
    pub fn skips_unanswered(self) -> bool {
        self.tells(Tells::Unanswered)
    }

    /// Whether the source has rows that are no usage of its customers, which the shipped profile leaves out.
    pub fn has_foreign_rows(self) -> bool {
        self.tells(Tells::ForeignRows)
    }

    /// Whether rows can say this.
    pub(crate) fn tells(self, what: Tells) -> bool {
        self.shape().tells.contains(&what)
    }

    /// The smallest amount that a row can say, micro-euro.
    pub(crate) fn cost_step(self) -> i64 {
        self.shape().cost_step.max(1)
    }

    pub(crate) fn shape(self) -> &'static Shape {
        match self {
            Self::KpnSp16 => &kpn_sp16::SHAPE,
            Self::Routit => &routit::SHAPE,
            Self::AsteriskCdrCsv => &asterisk::SHAPE,
            Self::MobileMetadata => &mobile_metadata::SHAPE,
            Self::Job => &job::SHAPE,
            Self::KpnEen => &kpn_een::SHAPE,
            Self::Vodafone => &vodafone::SHAPE,
            Self::TmobileCalvi => &tmobile_calvi::SHAPE,
            Self::Yielder => &yielder::SHAPE,
            Self::FreeswitchCdrCsv => &freeswitch::SHAPE,
            Self::PbxCsv => &pbx::SHAPE,
            Self::CiscoCucm => &cisco_cucm::SHAPE,
        }
    }

    /// Fills the cells of a row.
    pub(crate) fn fill(self, row: &Row<'_>, cells: &mut Cells) {
        cells.clear();
        match self {
            Self::KpnSp16 => kpn_sp16::fill(row, cells),
            Self::Routit => routit::fill(row, cells),
            Self::AsteriskCdrCsv => asterisk::fill(row, cells),
            Self::MobileMetadata => mobile_metadata::fill(row.call, cells),
            Self::Job => job::fill(row, cells),
            Self::KpnEen => kpn_een::fill(row.call, cells),
            Self::Vodafone => vodafone::fill(row, cells),
            Self::TmobileCalvi => tmobile_calvi::fill(row, cells),
            Self::Yielder => yielder::fill(row, cells),
            Self::FreeswitchCdrCsv => freeswitch::fill(row, cells),
            Self::PbxCsv => pbx::fill(row, cells),
            Self::CiscoCucm => cisco_cucm::fill(row, cells),
        }
    }

    /// Writes what ends a file: `rows` data rows whose readable amounts add up to `cost_micro`.
    pub(crate) fn close(self, rows: u64, cost_micro: i64, out: &mut Vec<u8>) {
        match self {
            Self::KpnSp16 => kpn_sp16::write_trailer(rows, cost_micro, out),
            Self::Vodafone => vodafone::write_trailer(rows, out),
            Self::TmobileCalvi => tmobile_calvi::write_trailer(rows, cost_micro, out),
            Self::Yielder => yielder::write_trailer(rows, out),
            _ => return,
        }
        out.extend(self.shape().line_end.as_bytes());
    }
}

/// A record and what a file adds to it.
pub(crate) struct Row<'c> {
    /// The record.
    pub call: &'c Call,
    /// The number of the account among those of its layout: makes ids distinct over accounts.
    pub account: u32,
    /// Which of the account's files it belongs to first, from 0.
    pub slot: u32,
    /// Its number in that file.
    pub sequence: u32,
    /// The customer that the source names.
    pub customer: &'c Customer,
    /// Who has or last had the line; none for a number of no line.
    pub tenure: Option<&'c Tenure>,
}

/// What rows of a layout can say, beyond who called whom, when and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tells {
    /// An id of the row.
    Id,
    /// The network that carried it.
    Network,
    /// The instant, not only the clock on the wall.
    Offset,
    /// That the other party is hidden.
    HiddenParty,
    /// That the other party is a word.
    Sender,
    /// Multimedia messages.
    Mms,
    /// What came in, or was forwarded.
    Incoming,
    /// Calls that nobody answered, which the shipped profile leaves out.
    Unanswered,
    /// What is no usage of the source's customers, which the shipped profile leaves out.
    ForeignRows,
    /// What a bundle covered, which costs nothing.
    Bundle,
}

/// Which cells a layout quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Quote {
    /// None.
    Never,
    /// All.
    Always,
    /// All but the cells whose bit is set.
    Except(u32),
}

/// What is the same for all rows of a layout.
#[derive(Debug)]
pub(crate) struct Shape {
    /// The name of the shipped profile.
    pub profile: &'static str,
    /// What a file begins with: byte order mark and header lines.
    pub opening: &'static str,
    /// A row under the header that is no record, which the shipped profile leaves out; empty: none.
    pub first_row: &'static str,
    pub line_end: &'static str,
    pub charset: Charset,
    pub separator: u8,
    pub quote: Quote,
    /// How the shipped profile says that two rows are the same.
    pub key: KeyMode,
    /// The smallest amount that a row can say, micro-euro; 0: rows have no amounts.
    pub cost_step: i64,
    pub tells: &'static [Tells],
    /// Ways in which a row can break the layout's rules.
    pub wrecks: &'static [Wreck],
}

/// What most layouts have in common.
const COMMON: Shape = Shape {
    profile: "",
    opening: "",
    first_row: "",
    line_end: "\n",
    charset: Charset::Utf8,
    separator: b',',
    quote: Quote::Never,
    key: KeyMode::Id,
    cost_step: 0,
    tells: &[],
    wrecks: &[],
};

/// One broken rule.
#[derive(Debug)]
pub(crate) struct Wreck {
    /// How an installation calls it.
    pub reason: Reason,
    /// The kinds of usage whose rows have the cell; empty: all.
    pub kinds: &'static [UsageKind],
    pub damage: Damage,
}

/// What is done to the row.
#[derive(Debug)]
pub(crate) enum Damage {
    /// It ends after so many cells.
    Cut(usize),
    /// These cells say something else.
    Cells(&'static [(usize, &'static str)]),
}

impl Wreck {
    pub fn fits(&self, kind: UsageKind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }

    /// Whether the row's amount can still be read; `amount` is the position of its cell.
    pub fn keeps_amount(&self) -> bool {
        !matches!(self.damage, Damage::Cut(_)) && self.reason != Reason::Cost
    }
}

/// A wreck of rows of any kind, where one cell says something else.
const fn cell(reason: Reason, damage: &'static [(usize, &'static str)]) -> Wreck {
    Wreck { reason, kinds: &[], damage: Damage::Cells(damage) }
}

/// A wreck of a cell that only some kinds of usage have.
const fn cell_of(kinds: &'static [UsageKind], reason: Reason, damage: &'static [(usize, &'static str)]) -> Wreck {
    Wreck { reason, kinds, damage: Damage::Cells(damage) }
}

/// A row that ends too early.
const fn cut(cells: usize) -> Wreck {
    Wreck { reason: Reason::Columns, kinds: &[], damage: Damage::Cut(cells) }
}

/// Writes micro-euro as a decimal of up to six places, at least `places` of them.
fn write_amount(micro: i64, mark: u8, places: usize, out: &mut Vec<u8>) {
    let fraction = format!("{:06}", micro % 1_000_000);
    let kept = fraction.trim_end_matches('0').len().max(places);
    write!(out, "{}", micro / 1_000_000).expect("a vector takes all bytes");
    if kept > 0 {
        out.push(mark);
        out.extend(&fraction.as_bytes()[..kept]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_the_places_that_count() {
        let text = |micro, places| {
            let mut out = Vec::new();
            write_amount(micro, b',', places, &mut out);
            String::from_utf8(out).expect("ASCII")
        };
        assert_eq!(text(1_234_500, 0), "1,2345");
        assert_eq!(text(35_000, 4), "0,0350");
        assert_eq!(text(0, 0), "0");
        assert_eq!(text(12_000_001, 2), "12,000001");
    }

    #[test]
    fn layouts_read_back_from_their_profile() {
        for layout in Layout::ALL {
            assert_eq!(Layout::parse(layout.profile()), Some(layout));
            assert_eq!(serde_json::to_string(&layout).expect("a name"), format!("\"{}\"", layout.profile()));
        }
    }

    #[test]
    fn every_wreck_touches_a_cell_that_exists() {
        for layout in Layout::ALL {
            let shape = layout.shape();
            let columns = match layout {
                Layout::AsteriskCdrCsv => 18,
                Layout::FreeswitchCdrCsv => 15,
                _ => shape.opening.matches(char::from(shape.separator)).count() + 1,
            };
            for wreck in shape.wrecks {
                match &wreck.damage {
                    Damage::Cut(cells) => assert!((1..columns).contains(cells)),
                    Damage::Cells(cells) => assert!(cells.iter().all(|cell| cell.0 < columns)),
                }
            }
        }
    }
}
