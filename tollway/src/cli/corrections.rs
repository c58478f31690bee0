//! The commands that correct what is in the tables.

use clap::Args;

/// Options of `withdraw`.
#[derive(Debug, Args)]
pub struct WithdrawArgs {
    /// The file: its name, arrival number, or the first digits of its delivery
    pub file: String,
    /// The account that it came under: its name, or TENANT/PROVIDER/ACCOUNT
    #[arg(long)]
    pub account: Option<String>,
    /// Do it; without this the effect is shown, and on a terminal the question is asked
    #[arg(long)]
    pub yes: bool,
    /// Threads that rate and commit
    #[arg(long)]
    pub workers: Option<u32>,
}
