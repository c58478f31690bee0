//! How much a bench does: enough for figures, or just enough to see that it works.

use anyhow::Context;

/// Most rounds that can be asked for: beyond that a median does not move.
const ROUNDS_MAX: u32 = 1_000;

/// The size of a bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Measured rounds; one more comes first and is not counted.
    pub rounds: u32,
    /// Rows of a file, and so of a batch and of a commit.
    pub rows: u32,
    /// Files of a bench that needs many.
    pub files: u32,
    /// Lines of the generated fleet: how many devices link has to tell apart.
    pub devices: u32,
    /// Customers of the generated fleet.
    pub customers: u32,
    /// How long the table's log is when small commits are measured: a short one and a long one.
    pub versions: [u32; 2],
    /// Small commits that come first and are not counted: a process's first ones read back the keys of the days they touch.
    pub warm_ups: u32,
    /// Small commits that are measured.
    pub commits: u32,
    /// Records that a round appends to the log without waiting for the disk; a hundredth of it where each waits.
    pub appends: u32,
    /// Rows of a large deck of destinations.
    pub prefixes: u32,
    /// Customers with an allowance each, when it is asked what these take of memory.
    pub allowances: u32,
}

impl Effort {
    /// For figures: minutes.
    pub const FULL: Self = Self {
        rounds: 9,
        rows: 50_000,
        files: 10,
        devices: 20_000,
        customers: 500,
        versions: [100, 5_000],
        warm_ups: 30,
        commits: 300,
        appends: 50_000,
        prefixes: 500_000,
        allowances: 200_000,
    };

    /// For tests: the same code, in less than a second.
    pub const TINY: Self = Self {
        rounds: 1,
        rows: 200,
        files: 2,
        devices: 120,
        customers: 8,
        versions: [2, 5],
        warm_ups: 1,
        commits: 3,
        appends: 200,
        prefixes: 2_000,
        allowances: 300,
    };

    /// Reads the arguments of a program: `--bench`, which cargo adds, and perhaps a number of rounds.
    pub fn from_arguments(arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut effort = Self::FULL;
        for argument in arguments.filter(|argument| argument != "--bench") {
            let rounds = argument.parse().ok().filter(|rounds| (1..=ROUNDS_MAX).contains(rounds));
            effort.rounds = rounds.with_context(|| format!("`{argument}` is no number of rounds, 1 to {ROUNDS_MAX}"))?;
        }
        Ok(effort)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> anyhow::Result<Effort> {
        Effort::from_arguments(arguments.iter().map(|argument| (*argument).to_owned()))
    }

    #[test]
    fn rounds_can_be_asked_for() {
        assert_eq!(read(&["--bench"]).expect("cargo's own argument"), Effort::FULL);
        assert_eq!(read(&["20", "--bench"]).expect("a number").rounds, 20);
    }

    #[test]
    fn what_is_no_number_of_rounds_is_refused_with_what_is_allowed() {
        for argument in ["job", "0", "1001"] {
            let error = read(&[argument]).expect_err("refused").to_string();
            assert_eq!(error, format!("`{argument}` is no number of rounds, 1 to 1000"));
        }
    }
}
