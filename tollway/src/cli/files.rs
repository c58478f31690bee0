//! The command line of files on their way: demo, generate, ingest, run, status, dismiss.

use std::path::PathBuf;

use clap::Args;

/// Options of `status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Refused files that were dismissed, too
    #[arg(long)]
    pub all: bool,
}

/// Options of `dismiss`.
#[derive(Debug, Args)]
pub struct DismissArgs {
    /// The file as `status` names it, or its name without folders; every refused file of that name is meant
    pub file: String,
    /// Only those of this account: its name, PROVIDER/ACCOUNT or TENANT/PROVIDER/ACCOUNT
    #[arg(long)]
    pub account: Option<String>,
    /// Why nobody needs to look at it any more
    #[arg(long, value_name = "TEXT")]
    pub why: String,
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The same seed gives the same files and totals
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
}

/// Options of `ingest`.
#[derive(Debug, Args)]
pub struct IngestArgs {
    /// The source layout: a shipped name, or a TOML file
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: String,
    /// The account at the provider under which the files arrive
    #[arg(long)]
    pub account: String,
    /// Who hands the files out; if not given, the profile's provider, or else its name
    #[arg(long)]
    pub provider: Option<String>,
    /// The provider's billing cycle, such as 2026-10
    #[arg(long)]
    pub cycle: Option<String>,
    /// The file name of what comes on standard input
    #[arg(long, default_value = "stdin")]
    pub name: String,
    /// Take files as new that would be held: known bytes under another account, or new bytes under a known name
    #[arg(long)]
    pub as_new: bool,
    /// Let the file take the place of this one: its name, arrival number, or the first digits of its delivery
    #[arg(long, value_name = "FILE", conflicts_with = "as_new")]
    pub replaces: Option<String>,
    /// Land only; a running service rates
    #[arg(long)]
    pub land_only: bool,
    /// Threads that rate and commit
    #[arg(long)]
    pub workers: Option<u32>,
    /// Files, folders, or - for standard input
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// Options of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Threads that rate and commit
    #[arg(long)]
    pub workers: Option<u32>,
    /// Where metrics and health are served; loopback unless said otherwise
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
}

/// Options of `generate`.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// The same seed gives the same bytes
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
    /// Call records in all
    #[arg(long, default_value_t = 318_000)]
    pub rows: u64,
    /// Files in all
    #[arg(long, default_value_t = 92)]
    pub files: u32,
    /// Layouts, in turn; all that are shipped if `all`
    #[arg(long, value_delimiter = ',', default_value = "kpn-sp16,routit")]
    pub layouts: Vec<String>,
    /// The month; in March and October the clock changes
    #[arg(long, default_value = "2026-10", value_name = "YYYY-MM")]
    pub month: String,
    /// Where to write
    pub folder: PathBuf,
}
