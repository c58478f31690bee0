//! How a record is written: the layouts of providers, and which of their rules a malformed row breaks.

use std::io::Write;

use domain::delivery::KeyMode;
use domain::outcome::Reason;
use domain::usage::UsageKind;

use crate::call::Call;

mod asterisk;
mod job;
mod kpn_sp16;
mod mobile_metadata;
mod routit;

/// A source layout, by the name of the shipped profile that reads it.
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
}

impl Layout {
    /// All layouts.
    pub const ALL: [Self; 5] = [Self::KpnSp16, Self::Routit, Self::AsteriskCdrCsv, Self::MobileMetadata, Self::Job];

    /// The profile's name.
    pub fn profile(self) -> &'static str {
        match self {
            Self::KpnSp16 => "kpn-sp16",
            Self::Routit => "routit",
            Self::AsteriskCdrCsv => "asterisk-cdr-csv",
            Self::MobileMetadata => "mobile-metadata",
            Self::Job => "job",
        }
    }

    /// The layout that a profile reads.
    pub fn parse(profile: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.profile() == profile)
    }

    /// Whether a row has an id of its own and an amount, so that two rows can contradict each other.
    pub fn has_ids(self) -> bool {
        matches!(self, Self::KpnSp16 | Self::Job)
    }

    /// Whether a row says which network carried it.
    pub fn has_network(self) -> bool {
        matches!(self, Self::KpnSp16 | Self::Routit | Self::Job)
    }

    /// Whether a row says what the provider asks.
    pub fn has_cost(self) -> bool {
        matches!(self, Self::KpnSp16 | Self::Routit | Self::Job)
    }

    /// Whether times have an offset, so that the repeated hour is told apart.
    pub fn has_offset(self) -> bool {
        matches!(self, Self::Routit | Self::Job)
    }

    /// How the shipped profile says that two rows are the same.
    pub fn key(self) -> KeyMode {
        match self {
            Self::KpnSp16 => KeyMode::Id,
            Self::AsteriskCdrCsv => KeyMode::IdAndContent,
            Self::Job => KeyMode::Content,
            Self::Routit | Self::MobileMetadata => KeyMode::ContentAndOccurrence,
        }
    }

    /// Whether the shipped profile leaves out calls that nobody answered.
    pub fn skips_unanswered(self) -> bool {
        self == Self::AsteriskCdrCsv
    }

    /// Whether the other party may be hidden.
    pub(crate) fn has_hidden(self) -> bool {
        matches!(self, Self::KpnSp16 | Self::Routit)
    }

    /// Whether the other party may be a word.
    pub(crate) fn has_words(self) -> bool {
        self == Self::Routit
    }

    /// The smallest amount that a row can say, micro-euro.
    pub(crate) fn cost_step(self) -> i64 {
        match self {
            Self::KpnSp16 => 100,
            _ => 1,
        }
    }

    pub(crate) fn shape(self) -> &'static Shape {
        match self {
            Self::KpnSp16 => &kpn_sp16::SHAPE,
            Self::Routit => &routit::SHAPE,
            Self::AsteriskCdrCsv => &asterisk::SHAPE,
            Self::MobileMetadata => &mobile_metadata::SHAPE,
            Self::Job => &job::SHAPE,
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
        }
    }

    /// Writes what ends a file: `rows` data rows whose readable amounts add up to `cost_micro`.
    pub(crate) fn close(self, rows: u64, cost_micro: i64, out: &mut Vec<u8>) {
        if self == Self::KpnSp16 {
            kpn_sp16::write_trailer(rows, cost_micro, out);
        }
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
    /// The id of the customer that the source names.
    pub customer: &'c str,
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
    /// What a file begins with: byte order mark and header line, as bytes of the file.
    pub opening: &'static str,
    pub separator: u8,
    pub quote: Quote,
    /// Ways in which a row can break the layout's rules.
    pub wrecks: &'static [Wreck],
}

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

/// The cells of one row, one after the other in one buffer.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Cells {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Ends the cell that was written into the buffer.
    fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }

    fn text(&mut self, text: &str) {
        self.bytes.extend(text.as_bytes());
        self.end();
    }

    fn number(&mut self, number: impl std::fmt::Display) {
        write!(self.bytes, "{number}").expect("a vector takes all bytes");
        self.end();
    }

    fn with(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.end();
    }

    /// Writes the row without its line end.
    pub fn write(&self, shape: &Shape, wreck: Option<&Wreck>, out: &mut Vec<u8>) {
        let (shown, replaced): (usize, &[(usize, &str)]) = match wreck.map(|w| &w.damage) {
            None => (self.ends.len(), &[]),
            Some(Damage::Cut(cells)) => (*cells, &[]),
            Some(Damage::Cells(cells)) => (self.ends.len(), cells),
        };
        let mut from = 0;
        for (i, end) in self.ends.iter().take(shown).enumerate() {
            if i > 0 {
                out.push(shape.separator);
            }
            let content = replaced.iter().find(|cell| cell.0 == i).map_or(&self.bytes[from..*end], |cell| cell.1.as_bytes());
            let quoted = match shape.quote {
                Quote::Never => false,
                Quote::Always => true,
                Quote::Except(plain) => plain >> i & 1 == 0,
            } || content.contains(&shape.separator);
            if quoted {
                out.push(b'"');
            }
            out.extend(content);
            if quoted {
                out.push(b'"');
            }
            from = *end;
        }
    }
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
            let columns =
                if shape.opening.is_empty() { 18 } else { shape.opening.matches(char::from(shape.separator)).count() + 1 };
            for wreck in shape.wrecks {
                match &wreck.damage {
                    Damage::Cut(cells) => assert!((1..columns).contains(cells)),
                    Damage::Cells(cells) => assert!(cells.iter().all(|cell| cell.0 < columns)),
                }
            }
        }
    }
}
