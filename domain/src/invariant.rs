//! The numbered invariants: one list that the simulator, the tests and production check.
//!
//! [`check!`](crate::check) panics in debug builds; in release builds it counts and hands the violation back, so that the
//! caller stops the partition instead of writing what must not be written.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! invariants {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        /// What must always hold.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Invariant { $(#[doc = $text] $name,)* }

        impl Invariant {
            /// All, in order of number.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its number, as in `INV-2`.
            pub fn number(self) -> u32 {
                match self { $(Self::$name => $number),* }
            }

            /// Its sentence.
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

invariants! {
    LandedOnce = 1, "a landed object is never changed, and a delivery has one arrival number that acts";
    RowsBalance = 2, "every row of a batch ends once in rated, suspense, duplicate or skipped";
    ChargeBalance = 3, "the ledger's charge of a batch is the sum of its rows' charges, per currency";
    PositionsMove = 4, "a commit's positions start where the table stands and never move backwards";
    RowOnce = 5, "a delivery identity (delivery, row) is committed once";
    KeyOnce = 6, "a record key has at most one live rated or suspense row per account";
    LedgerCovers = 7, "the ledger's ranges of a delivery do not overlap and, once it has a verdict, cover it whole";
    RowsMatchFiles = 8, "the rows of a commit's files are the ledger's rated and suspense rows";
    SidecarLives = 9, "every live ledger file has its key sidecar, with one entry per row that is not skipped";
    TotalsAdd = 10, "totals at version V are the fold of the entries up to V";
    NothingRemoved = 11, "no entry is removed or edited; only compaction rewrites, with the same rows, keys and sums";
    ReversalPairs = 12, "a reversal takes back one entry of its record, whole, and a record has at most one live entry";
    ThresholdOnce = 13, "a threshold of an allowance fires once for its owner and period, and events are numbered without a gap";
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "INV-{} {}", self.number(), self.sentence())
    }
}

/// An invariant that did not hold, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{invariant} (seen: {seen})")]
pub struct Violation {
    /// Which one.
    pub invariant: Invariant,
    /// The facts, without subscriber numbers.
    pub seen: String,
}

static VIOLATIONS: AtomicU64 = AtomicU64::new(0);

/// How many violations this process has seen.
pub fn violations() -> u64 {
    VIOLATIONS.load(Ordering::Relaxed)
}

impl Violation {
    /// Records a violation: a panic in debug builds, a counted error in release builds.
    pub fn raise(invariant: Invariant, seen: String) -> Self {
        VIOLATIONS.fetch_add(1, Ordering::Relaxed);
        let violation = Self { invariant, seen };
        debug_assert!(false, "{violation}");
        violation
    }
}

/// Returns a [`Violation`] from the enclosing function unless the condition holds.
#[macro_export]
macro_rules! check {
    ($invariant:ident, $holds:expr, $($seen:tt)+) => {
        if !$holds {
            return Err($crate::invariant::Violation::raise($crate::invariant::Invariant::$invariant, format!($($seen)+)).into());
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_in_order_and_unique() {
        let numbers: Vec<u32> = Invariant::ALL.iter().map(|i| i.number()).collect();
        assert_eq!(numbers, (1..).take(Invariant::ALL.len()).collect::<Vec<u32>>());
    }
}
