//! The four outcomes of a row and every reason: what happened to it and what an operator can do.

use std::collections::BTreeMap;

use crate::money::{Currency, Money, add_sums};

/// How a row of a delivery ends, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// It has a price.
    Rated,
    /// It needs a hand; the row is kept whole with its reason.
    Suspense,
    /// An equal row was there before; counted in the ledger.
    Duplicate,
    /// A named rule of the profile leaves it out; counted in the ledger.
    Skipped,
}

impl Outcome {
    /// The name in tables and partitions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rated => "rated",
            Self::Suspense => "suspense",
            Self::Duplicate => "duplicate",
            Self::Skipped => "skipped",
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal, $remedy:literal;)*) => {
        /// Why a row is in suspense. The order is the order in which the tests are made; the first that fails counts.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Reason { $($(#[$doc])* $name = $code,)* }

        impl Reason {
            /// All reasons in the order of the tests.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The name in tables and on screens.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// What an operator can do about it.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy),* }
            }

            /// The reason behind a code; 0 is "none".
            pub fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }
        }
    };
}

reasons! {
    /// Bytes that are no text in the profile's encoding.
    Encoding = 1, "malformed.encoding", "check the encoding that the profile declares";
    /// Too few or too many fields, an open quote, an endless line.
    Columns = 2, "malformed.columns", "check separator and columns with `tollway profile check`";
    /// A usage kind or direction that the profile does not map.
    Kind = 3, "malformed.type", "map the value in the profile's [kind] or [direction] table";
    /// A number that is none.
    Number = 4, "malformed.number", "look at the raw row; extend the profile's number rules if the source is right";
    /// A date or time that does not exist or has another pattern.
    Time = 5, "malformed.time", "look at the raw row; the source has written an impossible time";
    /// A local time that the spring change skips.
    TimeGap = 6, "malformed.time_gap", "ask the provider: this local time does not exist in the profile's zone";
    /// A duration that is negative, no number, or beyond the limit.
    Duration = 7, "malformed.duration", "look at the raw row; raise `max_s` in the profile if the source is right";
    /// A volume or message count that is no number or beyond the limit.
    Volume = 8, "malformed.bytes", "look at the raw row";
    /// A network that is no MCC-MNC and no TADIG code.
    Network = 9, "malformed.network", "look at the raw row";
    /// An amount that is no decimal, or in another currency than the profile's.
    Cost = 10, "malformed.cost", "check the decimal mark and places that the profile declares";
    /// The same record id was there with other content.
    IdConflict = 20, "id_conflict", "compare both rows; the provider reused an id";
    /// When its file landed, it was older than may be billed.
    TooOld = 21, "too_old", "write it off, or bill it all the same with `tollway suspense recycle --reason too_old`";
    /// No device had this number at that instant.
    NoDevice = 30, "no_device", "import the device's window with `tollway import devices`";
    /// The device is known, but on no plan that any tariff sells.
    NoPlan = 31, "no_plan", "import the plan with `tollway import plans` or a tariff that sells it";
    /// No tariff of the plan is in force at that instant.
    NoTariff = 32, "no_tariff", "import a tariff that is in force at the call's instant";
    /// No zone for the destination or the visited network.
    NoZone = 33, "no_zone", "add the prefix or network to the tariff's tables";
    /// The plan does not sell this usage in this zone and band.
    NoPrice = 34, "no_price", "add the price to the tariff, or correct the plan";
    /// The price is cost-plus and the source gave no cost.
    NoCost = 35, "no_cost", "ask the provider for the cost, or give the plan a price of its own";
    /// The cost that the price builds on is in another currency, and no rate of exchange holds on that day.
    NoRate = 37, "no_rate", "add the rate to the tariff's exchange table";
    /// The price adds what the number itself asks, and the tariff's list does not have it on that day.
    NoInformation = 38, "no_information", "add the number to the tariff's information table";
    /// Allowances do not cover it whole, and the plan has no price beyond them.
    BeyondAllowance = 39, "beyond_allowance", "give the plan more or a price beyond it, or write the record off";
    /// The charge would be beyond what a row can hold.
    ChargeLimit = 36, "charge_limit", "look at the row: its units or its price are absurd";
    /// Somebody has decided that it will never be charged.
    WrittenOff = 50, "written_off", "nothing; `tollway suspense recycle --reason written_off` takes the decision back";
}

impl Reason {
    /// Whether the row could not even be read.
    pub fn is_malformed(self) -> bool {
        (self as u8) < Self::IdConflict as u8
    }

    /// Reads the name back.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.as_str() == text)
    }
}

/// What became of the rows of a batch, a file or a whole installation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows that went in.
    pub rows_in: u64,
    /// Rows with a price.
    pub rated: u64,
    /// Rows in suspense, by reason.
    pub suspense: BTreeMap<Reason, u64>,
    /// Equal rows of the same file.
    pub duplicates: u64,
    /// Equal rows of another file of the account.
    pub resent: u64,
    /// Rows left out, by the rule's name.
    pub skipped: BTreeMap<String, u64>,
    /// The sum of charges, by currency.
    pub charge: BTreeMap<Currency, Money>,
}

impl Counts {
    /// Rows in suspense, all reasons.
    pub fn suspended(&self) -> u64 {
        self.suspense.values().sum()
    }

    /// Rows in suspense that wait for a hand: those that were written off do not.
    pub fn waiting(&self) -> u64 {
        self.suspended() - self.suspense.get(&Reason::WrittenOff).copied().unwrap_or(0)
    }

    /// Rows skipped, all rules.
    pub fn skipped_rows(&self) -> u64 {
        self.skipped.values().sum()
    }

    /// INV-2: every row in has exactly one outcome.
    pub fn is_balanced(&self) -> bool {
        self.rows_in == self.rated + self.suspended() + self.duplicates + self.resent + self.skipped_rows()
    }

    /// Adds another count.
    pub fn add(&mut self, other: &Self) {
        self.rows_in += other.rows_in;
        self.rated += other.rated;
        self.duplicates += other.duplicates;
        self.resent += other.resent;
        for (reason, n) in &other.suspense {
            *self.suspense.entry(*reason).or_default() += n;
        }
        for (rule, n) in &other.skipped {
            *self.skipped.entry(rule.clone()).or_default() += n;
        }
        add_sums(&mut self.charge, &other.charge);
    }

    /// Takes back what was added before; reasons, rules and currencies of which nothing is left go.
    pub fn take_back(&mut self, other: &Self) {
        let less = |count: &mut u64, n: u64| *count = count.saturating_sub(n);
        less(&mut self.rows_in, other.rows_in);
        less(&mut self.rated, other.rated);
        less(&mut self.duplicates, other.duplicates);
        less(&mut self.resent, other.resent);
        for (reason, n) in &other.suspense {
            less(self.suspense.entry(*reason).or_default(), *n);
        }
        for (rule, n) in &other.skipped {
            less(self.skipped.entry(rule.clone()).or_default(), *n);
        }
        for (currency, money) in &other.charge {
            let sum = self.charge.entry(*currency).or_default();
            *sum = sum.plus(Money(-money.0));
        }
        self.suspense.retain(|_, n| *n > 0);
        self.skipped.retain(|_, n| *n > 0);
        self.charge.retain(|currency, money| money.0 != 0 || !other.charge.contains_key(currency));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_read_back_from_name_and_code() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(*reason));
            assert_eq!(Reason::from_code(*reason as u8), Some(*reason));
            assert_eq!(reason.is_malformed(), reason.as_str().starts_with("malformed."));
        }
        assert_eq!(Reason::from_code(0), None);
    }

    #[test]
    fn counts_balance_over_all_outcomes() {
        let mut counts = Counts { rows_in: 6, rated: 2, duplicates: 1, resent: 1, ..Counts::default() };
        counts.suspense.insert(Reason::NoZone, 1);
        assert!(!counts.is_balanced());
        counts.skipped.insert("unanswered".to_owned(), 1);
        assert!(counts.is_balanced());
        let mut twice = counts.clone();
        twice.add(&counts);
        assert!(twice.is_balanced() && twice.rows_in == 12 && twice.suspended() == 2);
        twice.take_back(&counts);
        assert_eq!(twice, counts);
        twice.take_back(&counts);
        assert_eq!(twice, Counts::default(), "nothing is left of what was taken back");
    }
}
