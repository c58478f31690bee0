//! The device index: from a number, SIM or card to the owner at an instant, one cache line per question.
//!
//! One open-addressing table per kind of identifier. A slot holds the identifier, the span from its first to its last
//! window and, for the many identifiers with a single window, the owner itself; only recycled and moved identifiers take a
//! second step into their run of windows, sorted by start.

use std::sync::Arc;

use domain::columns::linked::{Owner, Owners};
use domain::number::masked;

use crate::error::IndexError;
use crate::instant::time_text;
use crate::words::spread;

/// Most windows that one index holds; positions are 32-bit.
pub const WINDOWS_MAX: usize = 1 << 30;

/// Which identifier a window belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IdentifierKind {
    /// A number, E.164 digits.
    Msisdn,
    /// A SIM's subscriber identity, 15 digits.
    Imsi,
    /// A card, its first 19 digits.
    Iccid,
}

impl IdentifierKind {
    /// The name in imports and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Msisdn => "msisdn",
            Self::Imsi => "imsi",
            Self::Iccid => "iccid",
        }
    }
}

/// An identifier of an owner; it is valid for the owner's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentifierWindow {
    /// Which kind of identifier.
    pub kind: IdentifierKind,
    /// Its digits as an integer, never 0.
    pub value: u64,
    /// A position in [`Owners::windows`].
    pub owner: u32,
}

/// What an identifier says about an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A window holds the instant: a position in [`Owners::windows`].
    Owner(u32),
    /// The identifier is known, but nobody had it at that instant.
    Nobody,
    /// No window names this identifier.
    Unknown,
}

/// Owners by identifier and instant.
#[derive(Debug)]
pub struct DeviceIndex {
    owners: Arc<Owners>,
    msisdn: Table,
    imsi: Table,
    iccid: Table,
}

impl DeviceIndex {
    /// Builds the index; windows `from <= t < to`. A window that ends before it begins holds no instant and is left out.
    /// Two windows of one identifier that share an instant are refused: imports report them before they act.
    pub fn build(owners: Arc<Owners>, windows: Vec<IdentifierWindow>) -> Result<Self, IndexError> {
        if windows.len() > WINDOWS_MAX {
            return Err(IndexError::TooMany { windows: windows.len(), limit: WINDOWS_MAX });
        }
        for (position, window) in windows.iter().enumerate() {
            if window.value == 0 {
                return Err(IndexError::NoValue { position, kind: window.kind.as_str() });
            }
            if window.owner as usize >= owners.windows.len() {
                let owners = owners.windows.len();
                return Err(IndexError::UnknownOwner { position, owner: window.owner, owners });
            }
        }
        let table = |kind| Table::build(&owners, kind, windows.iter().filter(|w| w.kind == kind));
        let (msisdn, imsi) = (table(IdentifierKind::Msisdn)?, table(IdentifierKind::Imsi)?);
        let iccid = table(IdentifierKind::Iccid)?;
        Ok(Self { owners, msisdn, imsi, iccid })
    }

    /// The windows and names that the index points into.
    pub fn owners(&self) -> &Arc<Owners> {
        &self.owners
    }

    /// Who had a number (E.164 digits) at an instant in microseconds.
    #[inline]
    pub fn msisdn(&self, value: u64, at_us: i64) -> Found {
        self.msisdn.find(value, at_us)
    }

    /// Who had a SIM at an instant in microseconds; 0 is no SIM.
    #[inline]
    pub fn imsi(&self, value: u64, at_us: i64) -> Found {
        self.imsi.find(value, at_us)
    }

    /// Who had a card (19 digits) at an instant in microseconds; 0 is no card.
    #[inline]
    pub fn iccid(&self, value: u64, at_us: i64) -> Found {
        self.iccid.find(value, at_us)
    }
}

#[derive(Debug, Clone, Copy)]
struct Window {
    from_us: i64,
    to_us: i64,
    owner: u32,
}

/// 32 bytes: two slots per cache line.
#[derive(Debug, Clone, Copy)]
struct Slot {
    /// The identifier, 0 for a free slot.
    key: u64,
    /// From the first window's start ...
    from_us: i64,
    /// ... to the last window's end.
    to_us: i64,
    /// The owner if there is one window, else the first position of the run.
    first: u32,
    /// How many windows there are.
    count: u32,
}

const FREE: Slot = Slot { key: 0, from_us: 0, to_us: 0, first: 0, count: 0 };

#[derive(Debug)]
struct Table {
    /// A power of two, at most half full, so that runs of slots stay short.
    slots: Box<[Slot]>,
    shift: u32,
    runs: Vec<Window>,
}

impl Table {
    fn build<'w>(
        owners: &Owners,
        kind: IdentifierKind,
        windows: impl Iterator<Item = &'w IdentifierWindow>,
    ) -> Result<Self, IndexError> {
        let window = |w: &IdentifierWindow| {
            let Owner { from_us, to_us, .. } = owners.windows[w.owner as usize];
            (w.value, Window { from_us, to_us, owner: w.owner })
        };
        let mut all: Vec<(u64, Window)> = windows.map(window).filter(|(_, w)| w.from_us < w.to_us).collect();
        all.sort_unstable_by_key(|(value, w)| (*value, w.from_us, w.owner));
        for pair in all.windows(2) {
            let ((value, first), (next, second)) = (pair[0], pair[1]);
            if value == next && second.from_us < first.to_us {
                return Err(overlap(owners, kind, value, first, second));
            }
        }
        let identifiers = all.chunk_by(|a, b| a.0 == b.0).count();
        let size = (identifiers * 2).next_power_of_two().max(2);
        let mut table = Self { slots: vec![FREE; size].into_boxed_slice(), shift: 64 - size.ilog2(), runs: Vec::new() };
        for run in all.chunk_by(|a, b| a.0 == b.0) {
            table.insert(run);
        }
        Ok(table)
    }

    fn insert(&mut self, run: &[(u64, Window)]) {
        let (key, only) = run[0];
        let position = |n: usize| u32::try_from(n).expect("an index holds at most 2^30 windows");
        let first = if run.len() == 1 { only.owner } else { position(self.runs.len()) };
        if run.len() > 1 {
            self.runs.extend(run.iter().map(|(_, w)| *w));
        }
        let mut at = self.home(key);
        while self.slots[at].key != 0 {
            at = (at + 1) & (self.slots.len() - 1);
        }
        let to_us = run[run.len() - 1].1.to_us;
        self.slots[at] = Slot { key, from_us: only.from_us, to_us, first, count: position(run.len()) };
    }

    #[inline]
    fn home(&self, key: u64) -> usize {
        usize::try_from(spread(key) >> self.shift).expect("a shifted hash is below the table's size")
    }

    #[inline]
    fn find(&self, key: u64, at_us: i64) -> Found {
        if key == 0 {
            return Found::Unknown;
        }
        let mut at = self.home(key);
        let slot = loop {
            let slot = &self.slots[at & (self.slots.len() - 1)];
            if slot.key == key {
                break slot;
            }
            if slot.key == 0 {
                return Found::Unknown;
            }
            at += 1;
        };
        if at_us < slot.from_us || slot.to_us <= at_us {
            return Found::Nobody;
        }
        if slot.count == 1 { Found::Owner(slot.first) } else { self.find_in_run(slot, at_us) }
    }

    fn find_in_run(&self, slot: &Slot, at_us: i64) -> Found {
        let run = &self.runs[slot.first as usize..][..slot.count as usize];
        match run.partition_point(|w| w.from_us <= at_us).checked_sub(1).map(|i| run[i]) {
            Some(window) if at_us < window.to_us => Found::Owner(window.owner),
            _ => Found::Nobody,
        }
    }
}

fn overlap(owners: &Owners, kind: IdentifierKind, value: u64, first: Window, second: Window) -> IndexError {
    let window = |w: Window| {
        let device = owners.devices.name(owners.windows[w.owner as usize].device);
        let until = if w.to_us == i64::MAX { String::new() } else { format!(" to {}", time_text(w.to_us, None)) };
        format!("device `{device}` (from {}{until})", time_text(w.from_us, None))
    };
    IndexError::Overlap { kind: kind.as_str(), masked: masked(&value.to_string()), first: window(first), second: window(second) }
}
