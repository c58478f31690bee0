//! What a CDR is after pricing: its charge and how that came about, or the reason why there is none.

use std::sync::Arc;

use super::linked::LinkedBatch;
use crate::ids::Names;
use crate::money::Currency;
use crate::outcome::Reason;

/// The code of a derivation column where it does not apply.
pub const NONE: u32 = u32::MAX;

/// The value of [`RatedColumns::period`] for a row without an owner.
pub const NO_PERIOD: i32 = i32::MIN;

/// What decided the zone of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ZoneBy {
    /// Nothing: the row is in suspense before zoning, or no rule matched.
    None = 0,
    /// The visited network.
    Network = 1,
    /// The home network and no destination: incoming usage and data.
    Home = 2,
    /// The provider's rate class.
    Class = 3,
    /// The longest prefix of the destination.
    Prefix = 4,
    /// The exact short code.
    ShortCode = 5,
    /// The visited network and the zone that is called.
    Roaming = 6,
}

impl ZoneBy {
    /// What stands behind a code of [`RatedColumns::zone_by`]; an unknown code is "none".
    pub fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Network,
            2 => Self::Home,
            3 => Self::Class,
            4 => Self::Prefix,
            5 => Self::ShortCode,
            6 => Self::Roaming,
            _ => Self::None,
        }
    }

    /// The name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Network => "network",
            Self::Home => "home",
            Self::Class => "class",
            Self::Prefix => "prefix",
            Self::ShortCode => "short_code",
            Self::Roaming => "roaming",
        }
    }
}

/// One tariff version that prices were taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TariffLabel {
    /// `name@hash`: the first 16 digits of the content's SHA-256.
    pub id: Arc<str>,
    /// The currency of its prices.
    pub currency: Currency,
}

/// What prices say of tax.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TaxLabel {
    /// The tax class, if the tariff names one.
    pub class: Option<Arc<str>>,
    /// Whether the charge holds the tax.
    pub is_included: bool,
}

impl TaxLabel {
    /// `included` or `excluded`.
    pub fn word(&self) -> &'static str {
        if self.is_included { "included" } else { "excluded" }
    }
}

/// The names behind the codes of a rated batch.
#[derive(Debug, Clone, Default)]
pub struct RateLabels {
    /// Zones of all tariffs.
    pub zones: Names,
    /// Time bands of all tariffs.
    pub bands: Names,
    /// Tariff versions.
    pub tariffs: Vec<TariffLabel>,
    /// Whatever tariffs say of tax.
    pub taxes: Vec<TaxLabel>,
}

/// Price columns, one value per readable row of the linked batch.
#[derive(Debug, Clone, Default)]
pub struct RatedColumns {
    /// 0 for rated, else the code of a [`Reason`].
    pub reason: Vec<u8>,
    /// A position in [`RateLabels::tariffs`], or `u16::MAX`.
    pub tariff: Vec<u16>,
    /// A code of [`RateLabels::zones`], or `u16::MAX`.
    pub zone: Vec<u16>,
    /// What decided the zone: a [`ZoneBy`].
    pub zone_by: Vec<u8>,
    /// The row of the deck, network, roaming or class table that decided it, or [`NONE`].
    pub zone_row: Vec<u32>,
    /// A code of [`RateLabels::bands`], or `u8::MAX`.
    pub band: Vec<u8>,
    /// The price row of the tariff, or [`NONE`].
    pub price_row: Vec<u32>,
    /// A position in [`RateLabels::taxes`], or `u16::MAX` for a row in suspense.
    pub tax: Vec<u16>,
    /// Who the other party is, where the tariff asks: a [`Party`](super::linked::Party).
    pub party: Vec<u8>,
    /// Units that were billed after minimum and increments: seconds, bytes or messages.
    pub billed: Vec<i64>,
    /// The charge in nano-units.
    pub charge_nano: Vec<i64>,
    /// The billing period of the customer that contains the start, as a month's number.
    pub period: Vec<i32>,
    /// What rows drew from allowances; empty if no row of the batch did.
    pub drawn: Vec<Drawn>,
}

/// What a row drew from allowances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drawn {
    /// A position in [`RatedBatch::allowances`], or `u16::MAX` for a row that drew nothing.
    pub allowance: u16,
    /// Units that were taken: seconds, bytes or messages; 0 for none.
    pub units: i64,
    /// Money that was taken, in nano-units; 0 for none.
    pub nano: i64,
    /// Whether an allowance covers the row, also if nothing of it was left.
    pub is_covered: bool,
}

impl Drawn {
    /// Nothing.
    pub const NOTHING: Self = Self { allowance: u16::MAX, units: 0, nano: 0, is_covered: false };
}

/// A linked batch whose rows have a price or a reason why not.
#[derive(Debug, Clone)]
pub struct RatedBatch {
    /// The rows and their owners.
    pub linked: LinkedBatch,
    /// Prices and derivation.
    pub columns: RatedColumns,
    /// The names.
    pub labels: Arc<RateLabels>,
    /// What its rows drew from: names of allowances, several joined by `+`.
    pub allowances: Vec<Arc<str>>,
}

impl RatedBatch {
    /// Why a readable row is in suspense; `None` if it is rated.
    pub fn reason(&self, i: usize) -> Option<Reason> {
        Reason::from_code(self.columns.reason[i])
    }

    /// Whether an allowance covers a row, also if nothing of it was left.
    pub fn is_covered(&self, i: usize) -> bool {
        self.columns.drawn.get(i).is_some_and(|drawn| drawn.is_covered)
    }

    /// What a row drew from allowances, if anything.
    pub fn drawn(&self, i: usize) -> Option<Drawn> {
        self.columns.drawn.get(i).copied().filter(|drawn| drawn.allowance != u16::MAX)
    }
}
