//! The command line of questions about what is in the tables.

use clap::Args;

/// Options of `totals`.
#[derive(Debug, Args)]
pub struct TotalsArgs {
    /// Only this billing period, such as 2026-10
    #[arg(long)]
    pub cycle: Option<String>,
    /// Only this customer
    #[arg(long)]
    pub customer: Option<String>,
    /// Group by: customer, cycle, subscription, device, plan, kind, zone, band
    #[arg(long, value_delimiter = ',', default_value = "customer,cycle")]
    pub by: Vec<String>,
    /// Rows to show; 0 for all
    #[arg(long, default_value_t = 40)]
    pub limit: usize,
    /// Freeze the totals of the cycle as a backup, pinned to the version they were made from
    #[arg(long, conflicts_with = "rebuild")]
    pub backup: bool,
    /// Make all totals again from the entries and compare
    #[arg(long)]
    pub rebuild: bool,
    /// As it was known then: an instant such as 2026-11-01T08:00:00+01:00, or a day for its end in UTC
    #[arg(long, value_name = "WHEN", conflicts_with_all = ["backup", "rebuild"])]
    pub known_at: Option<String>,
}

/// Options of `control-totals`.
#[derive(Debug, Args)]
pub struct ControlTotalsArgs {
    /// Only this account: its name, PROVIDER/ACCOUNT or TENANT/PROVIDER/ACCOUNT
    #[arg(long)]
    pub account: Option<String>,
    /// Only this cycle of the provider, as it was given to `ingest --cycle`
    #[arg(long)]
    pub cycle: Option<String>,
}

/// Options of `why`.
#[derive(Debug, Args)]
pub struct WhyArgs {
    /// The customer
    pub customer: String,
    /// The billing period, such as 2026-10
    pub cycle: String,
}

/// Options of `margin`.
#[derive(Debug, Args)]
pub struct MarginArgs {
    /// Compare the provider's cost with its contract instead: the tariff that sells the plan `buy:PROVIDER:ACCOUNT`
    #[arg(long, conflicts_with = "by")]
    pub buy: bool,
    /// What each level of the owner paths earns instead: between the provider's cost, the plans `sell:PATH` and the charge
    #[arg(long, conflicts_with_all = ["by", "buy"])]
    pub levels: bool,
    /// Only this billing period, such as 2026-10
    #[arg(long)]
    pub cycle: Option<String>,
    /// Group by: customer, cycle, subscription, device, plan, kind, zone, band
    #[arg(long, value_delimiter = ',', default_value = "customer,plan,zone")]
    pub by: Vec<String>,
    /// Rows to show; 0 for all
    #[arg(long, default_value_t = 20)]
    pub limit: usize,
}

/// Examples of `thresholds`, and how to ask every now and then.
pub const THRESHOLDS_HELP: &str = "Examples:\n  tollway thresholds\n  tollway thresholds --customer C-1 --limit 0\n  \
    tollway thresholds --since 17 --output json\n\n\
    Who asks every now and then gives --since the number `last` of the answer before, from 0 on: each event comes once, none is \
    missed.";

/// Options of `thresholds`.
#[derive(Debug, Args)]
pub struct ThresholdsArgs {
    /// Only of this customer
    #[arg(long)]
    pub customer: Option<String>,
    /// Only of this allowance
    #[arg(long)]
    pub allowance: Option<String>,
    /// Only events after the one with this number
    #[arg(long, value_name = "EVENT")]
    pub since: Option<u64>,
    /// Events to show: the newest, or with --since the first ones; 0 for all; if not given, 20 on the screen and all for machines
    #[arg(long)]
    pub limit: Option<usize>,
}

/// Options of `query`.
#[derive(Debug, Args)]
pub struct QueryArgs {
    /// The question
    pub sql: String,
    /// Rows to print as a table; 0 for all
    #[arg(long, default_value_t = 200)]
    pub limit: usize,
}

/// Options of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The record: the first digits of its key, or delivery:row
    pub record: String,
    /// As it was known then: an instant such as 2026-11-01T08:00:00+01:00, or a day for its end in UTC
    #[arg(long, value_name = "WHEN")]
    pub known_at: Option<String>,
}
