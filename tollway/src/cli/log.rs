//! The command line of the log: topics on the brokers, and dead letters.

use clap::Subcommand;

/// What to do with topics.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum TopicsCommand {
    /// Make those that are missing; others are left as they are
    Create,
    /// Compare them with what the configuration wants
    Check,
}

/// What to do with dead letters.
#[derive(Debug, Clone, Subcommand)]
pub enum DlqCommand {
    /// Those that were not replayed yet
    List {
        /// Those that were replayed, too
        #[arg(long)]
        all: bool,
    },
    /// One with its headers and bytes
    Show {
        /// Its number in the list
        number: u64,
    },
    /// Append them to the topic that they came from, as they were there
    #[command(after_help = "Examples:\n  tollway dlq replay 12\n  tollway dlq replay --all")]
    Replay {
        /// Its number in the list
        #[arg(required_unless_present = "all")]
        number: Option<u64>,
        /// All that were not replayed yet
        #[arg(long, conflicts_with = "number")]
        all: bool,
    },
}
