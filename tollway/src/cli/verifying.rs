//! The command line of the second derivation.

use clap::Args;

/// Options of `verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The customers' cycle, such as 2026-10, or all
    #[arg(long, default_value = "all", value_name = "CYCLE")]
    pub cycle: String,
    /// How many records, and how many lines of closed cycles, that disagree are shown; 0 for all
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub limit: usize,
    /// The records as they stood then: an instant such as 2026-11-01T08:00:00+01:00, or a day for its end in UTC
    #[arg(long, value_name = "WHEN")]
    pub known_at: Option<String>,
}
