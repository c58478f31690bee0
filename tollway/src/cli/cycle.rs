//! The command line of billing cycles.

use clap::{Args, Subcommand};

/// Examples and exit codes of `cycle close`.
pub const CLOSE_HELP: &str = "Examples:\n  tollway cycle close 2026-10 --dry-run\n  tollway cycle close 2026-10\n  \
    tollway cycle close 2026-10 --override --by m.jansen --why \"KPN confirms that haven had no traffic, ticket 4711\"\n\n\
    Settles what allowances give, pins the records and the reference data, freezes the totals, and posts the lines that invoices print: \
    usage, fees, commitments, what came late for cycles that were closed before, and roundings. It holds for \
    customers whose cycle has ended; ask again when it has for the others. It is refused while an earlier one is open, files are missing \
    or wait, or suspense exceeds the limits of `[rating]`, unless --override says who \
    answers for it and why. A closing that was interrupted goes on where it was.\n\n\
    Exit codes: 0 it is closed, or was; 1 a dry run that found something in its way; 5 refused, and nothing was closed; the others as \
    of all commands.";

/// `tollway cycle …`.
#[derive(Debug, Subcommand)]
pub enum CycleCommand {
    /// All cycles that have records or lines: running, ended or closed
    #[command(after_help = "Example:\n  tollway cycle list")]
    List,
    /// Close a cycle: settle, pin, freeze, and post its lines
    #[command(after_help = CLOSE_HELP)]
    Close(CloseArgs),
    /// The lines of closed cycles
    #[command(
        after_help = "Examples:\n  tollway cycle lines 2026-10 --customer C-1001\n  tollway cycle lines 2026-10 --output csv"
    )]
    Lines(LinesArgs),
}

/// Options of `cycle close`.
#[derive(Debug, Args)]
pub struct CloseArgs {
    /// The cycle, such as 2026-10
    pub cycle: String,
    /// Close it whatever is in the way; needs --why
    #[arg(long = "override", requires = "why")]
    pub override_all: bool,
    /// Why; kept with the closing
    #[arg(long, value_name = "REASON")]
    pub why: Option<String>,
    /// Who decides
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true)]
    pub by: Option<String>,
    /// Show what is in the way and what it would come to, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Judge whether it has ended, and what is late, by this instant and not by the clock
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<String>,
    /// Threads that rate and commit
    #[arg(long)]
    pub workers: Option<u32>,
}

/// Options of `cycle lines`.
#[derive(Debug, Args)]
pub struct LinesArgs {
    /// The cycle that was closed, such as 2026-10
    pub cycle: String,
    /// Only lines of this customer
    #[arg(long)]
    pub customer: Option<String>,
    /// Lines to show; 0 for all
    #[arg(long, default_value_t = 40, value_name = "N")]
    pub limit: usize,
}
