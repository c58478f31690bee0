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
}
