//! The command line of an operator's desk: the morning's screen, and numbers that no one owns.

use clap::{Args, Subcommand, ValueEnum};

/// Options of `today`.
#[derive(Debug, Args)]
pub struct TodayArgs {
    /// The instant for which the screen is made; now if not given
    #[arg(long, value_name = "INSTANT")]
    pub at: Option<String>,
}

/// Options of `unassigned`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct UnassignedArgs {
    /// What to do; the list if not given
    #[command(subcommand)]
    pub command: Option<UnassignedCommand>,
    /// Numbers to show; 0 for all
    #[arg(long, default_value_t = 20)]
    pub limit: usize,
}

/// What to do with numbers that no one owns.
#[derive(Debug, Subcommand)]
pub enum UnassignedCommand {
    /// Give a number to a customer, from an instant on
    #[command(after_help = "Example:\n  tollway unassigned assign 31612345678 --customer C-1042 --plan zakelijk-plus \\\n    \
        --subscription S-77 --from 2026-10-01T00:00:00+02:00")]
    Assign(AssignArgs),
}

/// Kinds of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NumberKind {
    /// Country code and number.
    Msisdn,
    /// The SIM as the network knows it.
    Imsi,
    /// The SIM as it is printed.
    Iccid,
}

/// Options of `unassigned assign`.
#[derive(Debug, Args)]
pub struct AssignArgs {
    /// The number, in clear
    pub number: String,
    /// What kind of number it is
    #[arg(long, value_enum, default_value_t = NumberKind::Msisdn)]
    pub kind: NumberKind,
    /// Who pays
    #[arg(long)]
    pub customer: String,
    /// Under which plan
    #[arg(long)]
    pub plan: String,
    /// The contract; the device's id if not given
    #[arg(long)]
    pub subscription: Option<String>,
    /// The SIM or line; the subscription's id if not given
    #[arg(long)]
    pub device: Option<String>,
    /// First instant, with offset: 2026-10-01T00:00:00Z
    #[arg(long, value_name = "INSTANT")]
    pub from: String,
    /// First instant that is no longer part of it; open if not given
    #[arg(long, value_name = "INSTANT")]
    pub to: Option<String>,
}
