//! Two tariffs compared by what they do: head, plans, allowances, bands, what leads to zones, and the price of every call that can be
//! made.

pub mod percent;
mod head;
mod zones;
mod prices;
mod allowances;
mod told;

use serde::Serialize;

use crate::tariff::Tariff;

/// What a difference is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The head.
    Head,
    /// A plan.
    Plan,
    /// An allowance.
    Allowance,
    /// A discount.
    Discount,
    /// A fee.
    Fee,
    /// A minimum commitment.
    Commitment,
    /// A window of a band.
    Band,
    /// A date of a calendar.
    Calendar,
    /// A prefix.
    Prefix,
    /// A short code.
    ShortCode,
    /// A network.
    Network,
    /// A pair of zones abroad.
    Roaming,
    /// A rate class.
    Class,
    /// What a number asks.
    Information,
    /// A rate of exchange.
    Exchange,
    /// A price.
    Price,
}

impl Part {
    /// Its name on screens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Plan => "plan",
            Self::Allowance => "allowance",
            Self::Discount => "discount",
            Self::Fee => "fee",
            Self::Commitment => "commitment",
            Self::Band => "band",
            Self::Calendar => "calendar",
            Self::Prefix => "prefix",
            Self::ShortCode => "short code",
            Self::Network => "network",
            Self::Roaming => "roaming",
            Self::Information => "information",
            Self::Exchange => "exchange",
            Self::Class => "class",
            Self::Price => "price",
        }
    }
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Only the new tariff has it.
    Added,
    /// Only the old one has it.
    Removed,
    /// It leads to another zone.
    Moved,
    /// It says something else.
    Changed,
}

impl Fate {
    /// Its name on screens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Moved => "moved",
            Self::Changed => "changed",
        }
    }

    fn of(old: Option<&String>, new: Option<&String>) -> Self {
        match (old, new) {
            (None, _) => Self::Added,
            (_, None) => Self::Removed,
            _ => Self::Changed,
        }
    }
}

/// Whom a price is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Holds {
    /// The plan.
    pub plan: String,
    /// Kinds of usage.
    pub kinds: Vec<&'static str>,
    /// Zones.
    pub zones: Vec<String>,
    /// Bands; `*` for all.
    pub bands: Vec<String>,
    /// Where the old price stands.
    pub old_places: Vec<String>,
    /// Where the new one stands.
    pub new_places: Vec<String>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it is about.
    pub part: Part,
    /// What became of it.
    pub fate: Fate,
    /// The plan, window, prefix, or the calls of a price.
    pub what: String,
    /// The field that differs, where it is one.
    pub field: Option<String>,
    /// What the old tariff says.
    pub old: Option<String>,
    /// What the new one says.
    pub new: Option<String>,
    /// By how many per cent it differs, to the hundredth; nothing where the old amount is zero or no amount.
    pub percent: Option<String>,
    /// The calls of a price, one by one.
    pub holds: Option<Holds>,
}

impl Change {
    fn new(part: Part, fate: Fate, what: impl Into<String>) -> Self {
        Self { part, fate, what: what.into(), field: None, old: None, new: None, percent: None, holds: None }
    }

    /// Of a value that may be there or not; none if both are the same.
    fn of_value(part: Part, what: &str, field: &str, old: Option<String>, new: Option<String>) -> Option<Self> {
        let fate = Fate::of(old.as_ref(), new.as_ref());
        let field = Some(field).filter(|field| !field.is_empty()).map(str::to_owned);
        (old != new).then(|| Self { field, old, new, ..Self::new(part, fate, what) })
    }
}

/// What differs between two tariffs, the order of their rows left aside; nothing if they price every call alike.
pub fn compare(old: &Tariff, new: &Tariff) -> Vec<Change> {
    let mut changes = head::changes(old, new);
    changes.extend(allowances::changes(old, new));
    changes.extend(told::changes(old, new));
    changes.extend(zones::changes(old, new));
    let mut prices = prices::changes(old, new);
    if old.currency() != new.currency() {
        // There is no exchange rate, so amounts of two currencies have no difference.
        for change in &mut prices {
            change.percent = None;
        }
    }
    changes.extend(prices);
    changes
}

#[cfg(test)]
mod tests;
