//! The days on which a row of a table holds, by the tariff's own clock.

use crate::error::{Place, TariffError};
use crate::instant::day_text;
use crate::tariff::calendar::day_of_text;
use crate::tariff::field::bad;

/// A stretch of local days since 1970, from the first one to the one behind the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Days {
    pub from: i32,
    pub to: i32,
}

impl Days {
    pub const ALWAYS: Self = Self { from: i32::MIN, to: i32::MAX };

    /// Reads `valid_from` and `valid_to`; what is empty is open.
    pub fn parse(place: &Place, from: &str, to: &str) -> Result<Self, TariffError> {
        let day = |field: &str, text: &str, open| {
            if text.is_empty() { Ok(open) } else { day_of_text(place, field, text) }
        };
        let days = Self { from: day("valid_from", from, i32::MIN)?, to: day("valid_to", to, i32::MAX)? };
        if days.to <= days.from {
            return Err(bad(place, "valid_to", to, "it is the first day that is no longer in force, so after `valid_from`"));
        }
        Ok(days)
    }

    #[inline]
    pub fn holds(self, day: i32) -> bool {
        self.from <= day && day < self.to
    }

    pub fn meets(self, other: Self) -> bool {
        self.from < other.to && other.from < self.to
    }

    /// `from 2026-01-01 to 2027-01-01`, with a space before it; nothing where it always holds.
    pub fn text(self) -> String {
        let from = (self.from != i32::MIN).then(|| format!(" from {}", day_text(self.from)));
        let to = (self.to != i32::MAX).then(|| format!(" to {}", day_text(self.to)));
        from.unwrap_or_default() + &to.unwrap_or_default()
    }
}
