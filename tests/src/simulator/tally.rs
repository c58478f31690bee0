//! Counts of what went wrong on purpose, so that a test can say that it really happened.

use std::fmt;

macro_rules! mishaps {
    ($($name:ident = $text:literal,)*) => {
        /// What can go wrong in a run.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mishap { $(#[doc = $text] $name,)* }

        impl Mishap {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// What it is, in a few words.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

mishaps! {
    CrashBefore = "killed before an operation of the store",
    CrashAfter = "killed after an operation of the store",
    CrashBetween = "killed between two steps",
    Failed = "an operation failed",
    DiskFull = "no space left",
    AmbiguousDone = "done, but the answer was lost",
    AmbiguousUndone = "not done, and the answer was lost",
    AmbiguousCommit = "the answer to a commit was lost",
    Lost = "another writer took the version first",
    AppendLost = "an append was lost",
    AckLost = "an append's answer was lost",
    Rebalance = "partitions changed hands",
    SplitBrain = "two workers on one partition",
    Paused = "a worker slept while others went on",
    Ghost = "a worker that was taken for dead went on",
    Reannounced = "deliveries were announced again",
    Redelivered = "old claim checks came again",
    Checkpoint = "a checkpoint was written",
    EntriesTrimmed = "log entries behind a checkpoint were removed",
    TopicTrimmed = "records below the table's position were removed",
    RetentionOvertook = "claim checks were removed before they were rated",
    LostSkipped = "positions moved over lost claim checks",
    TopicLost = "the topic was lost and filled again from landing",
    Fenced = "a commit was fenced",
    Redo = "a group was prepared again after others had committed",
    RangesDropped = "redelivered ranges were left out",
    PositionsOnly = "a commit moved positions only",
    Withdrawn = "a file was taken back",
    Superseded = "a file took the place of another",
    Promoted = "a copy became the record",
    Unconflicted = "a record in conflict got the id",
    Recycled = "a row in suspense came out otherwise when it was rated again",
    Rerated = "a row with a price came out at another when it was rated again",
    Settled = "records that draw from an allowance came out otherwise",
    PriceLost = "a row with a price came out without one when it was rated again",
    WrittenOff = "a row in suspense was written off",
    Edited = "a row in suspense got the number that somebody said was called",
    RecycledInVain = "rows were rated again and nothing changed",
    RecycledTogether = "several decisions to rate rows again were carried out at once",
    OrderInParts = "an order was carried out by several commits",
}

/// How often each mishap happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(Vec<u64>);

impl Tally {
    /// Notes one.
    pub fn note(&mut self, mishap: Mishap) {
        self.note_many(mishap, 1);
    }

    /// Notes several.
    pub fn note_many(&mut self, mishap: Mishap, count: u64) {
        self.0.resize(Mishap::ALL.len(), 0);
        self.0[mishap as usize] += count;
    }

    /// How often it happened.
    pub fn of(&self, mishap: Mishap) -> u64 {
        self.0.get(mishap as usize).copied().unwrap_or(0)
    }

    /// Adds another tally.
    pub fn add(&mut self, other: &Self) {
        for mishap in Mishap::ALL {
            self.note_many(*mishap, other.of(*mishap));
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mishap in Mishap::ALL {
            writeln!(f, "{:>9}  {}", self.of(*mishap), mishap.as_str())?;
        }
        Ok(())
    }
}
