//! The table `allowance_thresholds`: one row for each part of an allowance that was used up, written once and never again.

use std::borrow::Cow;
use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13};

use super::types::{Bytes, Instant, Int, Label, Long, Maybe, Sum, Text};
use crate::money::Money;
use crate::period::Month;

/// Partition column of `allowance_thresholds`: the month that the period belongs to.
pub const PARTITION: [&str; 1] = ["period_month"];

/// A record with which a part of an allowance was used up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threshold<'n> {
    /// The customer.
    pub customer: Cow<'n, str>,
    /// The subscription; `None` where it is the customer's or a group's.
    pub subscription: Option<Cow<'n, str>>,
    /// The group of the customer's lines that it is of.
    pub group: Option<Cow<'n, str>>,
    /// The allowance.
    pub allowance: Cow<'n, str>,
    /// What is counted: `seconds`, `bytes`, `messages`, or a currency.
    pub unit: Cow<'n, str>,
    /// How often it gives: `cycle`, `day`, `week` or `quarter`.
    pub every: Cow<'n, str>,
    /// The period that gave it: `2026-10`, `2026-10-05`, `2026-W41` or `2026-Q4`.
    pub period: Cow<'n, str>,
    /// The month that the period belongs to.
    pub month: Month,
    /// So many percent are used.
    pub percent: u8,
    /// What is used of what.
    pub used: Used,
    /// The record.
    pub record_key: u128,
    /// Its start, microseconds UTC.
    pub start_us: i64,
}

impl Threshold<'_> {
    /// What it is an event of: the first one counts, whichever record reached it then.
    pub fn identity(&self) -> u128 {
        let Self { customer, subscription, group, allowance, unit, period, percent, .. } = self;
        let whose = [Some(&**customer), subscription.as_deref(), group.as_deref()];
        let what = [&**allowance, unit, period].map(Some);
        identity([whose, what], *percent)
    }
}

/// The identity of an event: customer, subscription and group; allowance, unit and period; the percent.
pub fn identity(names: [[Option<&str>; 3]; 2], percent: u8) -> u128 {
    let mut hash = SipHasher13::new_with_keys(0x746f_6c6c_7761_7931, 0x7468_7265_7368_6f6c);
    for name in names.as_flattened() {
        // The length keeps neighbours apart, and what is not there from what has no letters.
        let length = name.map_or(u64::MAX, |name| name.len() as u64);
        hash.write(&length.to_be_bytes());
        hash.write(name.unwrap_or_default().as_bytes());
    }
    hash.write(&[percent]);
    hash.finish128().as_u128()
}

/// What is used, with the record, of what the period gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Used {
    /// Seconds, bytes or messages.
    Units {
        /// Used.
        used: u64,
        /// Given.
        given: u64,
    },
    /// Money; of a limit what is charged.
    Money {
        /// Used.
        used: Money,
        /// Given.
        given: Money,
    },
}

impl Used {
    /// Used and given units; `None` where it is money.
    pub fn units(self) -> Option<(u64, u64)> {
        match self {
            Self::Units { used, given } => Some((used, given)),
            Self::Money { .. } => None,
        }
    }

    /// Used and given money; `None` where it is units.
    pub fn money(self) -> Option<(Money, Money)> {
        match self {
            Self::Money { used, given } => Some((used, given)),
            Self::Units { .. } => None,
        }
    }
}

crate::columns! {
    /// Rows of `allowance_thresholds` to write, without the partition column `period_month`.
    ThresholdRows / ThresholdsView {
        /// The number of the event: from 1 on, one more with each, in the order in which they were written.
        event: Long,
        /// When it was written, UTC.
        noticed_at: Instant,
        /// Whose data it is.
        tenant: Label,
        /// The customer.
        customer: Text,
        /// The subscription; null where the allowance is the customer's or a group's.
        subscription: Maybe<Text>,
        /// The group of the customer's subscriptions whose allowance it is, if it is one's.
        group_id: Maybe<Text>,
        /// The allowance.
        allowance: Label,
        /// What it gives: `seconds`, `bytes`, `messages`, or a currency.
        unit: Label,
        /// How often it gives: `cycle`, `day`, `week` or `quarter`.
        every: Label,
        /// The period that gave it: `2026-10`, `2026-10-05`, `2026-W41` or `2026-Q4`.
        period: Label,
        /// So many percent were used up.
        percent: Int,
        /// Units that were used, with the record; null where it gives money.
        used_units: Maybe<Long>,
        /// Units that the period gave.
        given_units: Maybe<Long>,
        /// Money that was used, with the record; null where it gives units. Of a limit: what was charged.
        used_money: Maybe<Sum>,
        /// Money that the period gave.
        given_money: Maybe<Sum>,
        /// The key of the record that reached it, when it was written.
        record_key: Bytes,
        /// The start of that record, UTC.
        start: Instant,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_told_by_whose_it_is_and_of_what_not_by_the_record() {
        let text = |text: &'static str| Cow::Borrowed(text);
        let of = Threshold {
            customer: text("C-1"),
            subscription: Some(text("S-1")),
            group: None,
            allowance: text("nl-100"),
            unit: text("seconds"),
            every: text("cycle"),
            period: text("2026-10"),
            month: Month::new(2026, 10).expect("a month"),
            percent: 75,
            used: Used::Units { used: 4_500, given: 6_000 },
            record_key: 1,
            start_us: 1,
        };
        let later = Threshold { record_key: 2, start_us: 2, used: Used::Units { used: 4_600, given: 6_100 }, ..of.clone() };
        assert_eq!(of.identity(), later.identity());
        let others = [
            Threshold { customer: text("C-2"), ..of.clone() },
            Threshold { customer: text("C-1S"), subscription: Some(text("-1")), ..of.clone() },
            Threshold { subscription: None, ..of.clone() },
            Threshold { subscription: None, group: Some(text("S-1")), ..of.clone() },
            Threshold { subscription: None, group: Some(text("")), ..of.clone() },
            Threshold { allowance: text("nl-200"), ..of.clone() },
            Threshold { unit: text("EUR"), ..of.clone() },
            Threshold { period: text("2026-11"), ..of.clone() },
            Threshold { percent: 90, ..of.clone() },
        ];
        let mut all: Vec<u128> = others.iter().chain([&of]).map(Threshold::identity).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), others.len() + 1);
    }
}
