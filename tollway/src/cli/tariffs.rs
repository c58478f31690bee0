//! The command line of tariffs: list, show, lint, diff, import, what a draft would come to.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ImportArgs, ImportWhat, ListMode};

/// What to do with tariffs.
#[derive(Debug, Subcommand)]
pub enum TariffCommand {
    /// Tariffs in the data folder, each with its version, currency, dates and size
    List(TariffListArgs),
    /// A tariff as a price list: head, plans, bands, prices, and with --zone what leads there
    #[command(after_help = "Examples:\n  tollway tariff show nl-zakelijk --plan zakelijk-plus\n  \
        tollway tariff show prices-2027.toml --zone EU-MOB --output csv")]
    Show(TariffShowArgs),
    /// What is wrong with tariffs, and what loads but costs money later; nothing is imported
    #[command(after_help = "Examples:\n  tollway tariff lint nl-zakelijk.toml\n  \
        tollway tariff lint prices-2026.toml prices-2027.toml --output json\n\n\
        Ends with 0 if there is nothing but notes, 1 if there are warnings, 3 if there are errors.")]
    Lint(TariffLintArgs),
    /// What changes from one tariff to another: head, plans, bands, zones, and the price of every call
    #[command(after_help = "Examples:\n  tollway tariff diff nl-zakelijk nl-zakelijk-2027.toml\n  \
        tollway tariff diff shipped:nl-zakelijk nl-zakelijk --output json")]
    Diff(TariffDiffArgs),
    /// Put a tariff in force, or a new version of one: the same as `import tariffs`
    #[command(after_help = "Examples:\n  tollway tariff import nl-zakelijk\n  tollway tariff import prices-2027.toml --dry-run")]
    Import(TariffImportArgs),
}

/// Options of `tariff list`.
#[derive(Debug, Args)]
pub struct TariffListArgs {
    /// Those that were known then: an instant such as 2026-11-01T08:00:00+01:00, or a day for its end in UTC
    #[arg(long, value_name = "WHEN")]
    pub known_at: Option<String>,
}

/// Options of `tariff show`.
#[derive(Debug, Args)]
pub struct TariffShowArgs {
    /// A TOML file, the name of a tariff in the data folder, or a shipped name
    pub tariff: String,
    /// Only what is sold under this plan
    #[arg(long)]
    pub plan: Option<String>,
    /// Only the prices of this zone, and the prefixes, codes, networks and classes that lead to it
    #[arg(long)]
    pub zone: Option<String>,
    /// The folder of the tariff's tables, if they do not lie beside it
    #[arg(long, value_name = "DIR")]
    pub base: Option<PathBuf>,
    /// Rows of each table to show; 0 for all
    #[arg(long, default_value_t = 200)]
    pub limit: usize,
    /// The one of the data folder as it was known then: an instant such as 2026-11-01T08:00:00+01:00, or a day for its end in UTC
    #[arg(long, value_name = "WHEN", conflicts_with = "base")]
    pub known_at: Option<String>,
}

/// Options of `tariff lint`.
#[derive(Debug, Args)]
pub struct TariffLintArgs {
    /// TOML files, names of tariffs in the data folder, or shipped names
    #[arg(required = true, value_name = "TARIFF")]
    pub tariffs: Vec<String>,
    /// The folder of the tariffs' tables, if they do not lie beside them
    #[arg(long, value_name = "DIR")]
    pub base: Option<PathBuf>,
    /// Findings of each rule to show; 0 for all
    #[arg(long, default_value_t = 20)]
    pub limit: usize,
}

/// Options of `tariff import`.
#[derive(Debug, Args)]
pub struct TariffImportArgs {
    /// A TOML file or a shipped name
    pub file: PathBuf,
    /// The folder of the tariff's tables, if they do not lie beside it
    #[arg(long, value_name = "DIR")]
    pub base: Option<PathBuf>,
    /// Leave rows in suspense as they are, also those that this gives a price
    #[arg(long)]
    pub no_recycle: bool,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl From<&TariffImportArgs> for ImportArgs {
    fn from(args: &TariffImportArgs) -> Self {
        Self {
            what: ImportWhat::Tariffs,
            file: args.file.clone(),
            base: args.base.clone(),
            mode: ListMode::Delta,
            as_of: None,
            approve: None,
            by: None,
            no_recycle: args.no_recycle,
            dry_run: args.dry_run,
        }
    }
}

/// Options of `tariff diff`.
#[derive(Debug, Args)]
pub struct TariffDiffArgs {
    /// The tariff before: a TOML file, a name in the data folder, or a shipped name
    pub old: String,
    /// The tariff after
    pub new: String,
    /// The folder of the tariffs' tables, if they do not lie beside them
    #[arg(long, value_name = "DIR")]
    pub base: Option<PathBuf>,
    /// Differences to show; 0 for all
    #[arg(long, default_value_t = 200)]
    pub limit: usize,
}

/// Examples and exit codes of `whatif`.
pub const WHATIF_HELP: &str = "Examples:\n  tollway whatif --tariff prices-2027.toml --cycle 2026-10\n  \
    tollway whatif --tariff prices-2027.toml --cycle all --plan zakelijk-plus --output json\n  \
    tollway whatif --known-at 2026-10-31 --cycle 2026-10\n\n\
    The draft takes the place of the tariff of its name, and sells its plans all the time, whatever its dates say. With --known-at the \
    records that are here now are priced by the tariffs, plans and windows as they were known then. Nothing is changed.\n\n\
    Exit codes: 0 done; 1 some records would lose their price by the draft; the others as of all commands.";

/// Options of `whatif`.
#[derive(Debug, Args)]
pub struct WhatIfArgs {
    /// The draft: a TOML file, the name of a tariff in the data folder, or a shipped name
    #[arg(long, required_unless_present = "known_at")]
    pub tariff: Option<String>,
    /// By the reference data as it was known then: an instant such as 2026-11-01T08:00:00+01:00, or a day for its end in UTC
    #[arg(long, value_name = "WHEN", conflicts_with = "tariff")]
    pub known_at: Option<String>,
    /// The folder of the tariff's tables, if they do not lie beside it
    #[arg(long, value_name = "DIR", requires = "tariff")]
    pub base: Option<PathBuf>,
    /// Records of this cycle of their customers, such as 2026-10; or all
    #[arg(long)]
    pub cycle: String,
    /// Only records of this customer
    #[arg(long)]
    pub customer: Option<String>,
    /// Only records under this plan
    #[arg(long)]
    pub plan: Option<String>,
    /// Only records of this account: its name, PROVIDER/ACCOUNT or TENANT/PROVIDER/ACCOUNT
    #[arg(long)]
    pub account: Option<String>,
    /// Rows of each table to show; 0 for all
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub limit: usize,
}
