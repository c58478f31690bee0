//! The command line: every command, option and example that `--help` shows.

mod corrections;
mod cycle;
mod desk;
mod files;
mod listen;
mod log;
mod pricing;
mod profiles;
mod questions;
mod tariffs;
mod verifying;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::corrections::{EditArgs, RecycleArgs, RerateArgs, SettleArgs, WithdrawArgs, WriteOffArgs};
pub use self::cycle::{CloseArgs, CycleCommand, LinesArgs};
pub use self::desk::{AssignArgs, NumberKind, TodayArgs, UnassignedArgs, UnassignedCommand};
pub use self::files::{DemoArgs, DismissArgs, GenerateArgs, IngestArgs, RunArgs, StatusArgs};
pub use self::listen::ListenArgs;
pub use self::log::{DlqCommand, TopicsCommand};
pub use self::pricing::RateArgs;
pub use self::profiles::{DraftArgs, ProfileCommand};
pub use self::questions::{ControlTotalsArgs, ExplainArgs, MarginArgs, QueryArgs, ThresholdsArgs, TotalsArgs, WhyArgs};
pub use self::tariffs::{
    TariffCommand, TariffDiffArgs, TariffImportArgs, TariffLintArgs, TariffListArgs, TariffShowArgs, WhatIfArgs,
};
pub use self::verifying::VerifyArgs;

const EXITS: &str = "Exit codes: 0 done; 1 done, but something needs a hand; 2 wrong use; 3 bad input, nothing changed; \
4 an outside system failed, try again; 5 refused to protect data; 70 a bug.";

/// Where `--help` lists the options of all commands: behind a command's own.
const GENERAL: &str = "Options of all commands";

/// From raw call records to money that you can explain.
#[derive(Debug, Parser)]
#[command(name = "tollway", version, after_help = EXITS, max_term_width = 120)]
pub struct Cli {
    /// Options of all commands.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of all commands.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The data folder: landing, log, tables and state
    #[arg(long, global = true, value_name = "DIR", env = "TOLLWAY_DATA", help_heading = GENERAL)]
    pub data: Option<PathBuf>,
    /// A configuration file; settings not in it keep their defaults
    #[arg(long, global = true, value_name = "FILE", env = "TOLLWAY_CONFIG", help_heading = GENERAL)]
    pub config: Option<PathBuf>,
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value_t = OutputMode::Table, help_heading = GENERAL)]
    pub output: OutputMode,
    /// No progress and no log lines below errors
    #[arg(long, short, global = true, help_heading = GENERAL)]
    pub quiet: bool,
    /// Show subscriber numbers in clear
    #[arg(long, global = true, help_heading = GENERAL)]
    pub clear: bool,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputMode {
    /// For people.
    Table,
    /// One JSON value.
    Json,
    /// The main table as CSV.
    Csv,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a month of call records, rate it, and show what happened
    #[command(after_help = "Examples:\n  tollway demo\n  tollway demo --data /tmp/demo --seed 7")]
    Demo(DemoArgs),
    /// Land files and rate them
    #[command(after_help = "Examples:\n  tollway ingest --profile routit --account reseller-a october/\n  \
        gunzip -c day.csv.gz | tollway ingest --profile kpn-sp16 --account haven --name day.csv -")]
    Ingest(IngestArgs),
    /// Take a file back: its rows no longer count, and the same bytes may come again with --as-new
    #[command(after_help = "Examples:\n  tollway withdraw october.csv\n  tollway withdraw october.csv --account haven --yes\n  \
        tollway withdraw 42 --output json")]
    Withdraw(WithdrawArgs),
    /// Run as a service: watch landing, rate, total, serve metrics
    #[command(after_help = "Example:\n  tollway run --data /var/lib/tollway\n  curl http://127.0.0.1:9464/metrics")]
    Run(RunArgs),
    /// Land the call records that a switch writes to a topic one by one
    #[command(after_help = "Examples:\n  tollway listen core\n  tollway listen core --until-end --output json\n  \
        tollway listen trial --topic cdr.core --profile switch.toml --account haven --until-end")]
    Listen(ListenArgs),
    /// Files, rows by outcome, and what waits
    Status(StatusArgs),
    /// A file that was refused needs no hand any more
    #[command(after_help = "Example:\n  tollway dismiss 2026-10-07.csv --why \"sent again as 2026-10-07b.csv\"")]
    Dismiss(DismissArgs),
    /// What needs a hand this morning: files, suspense, numbers, costs, cycles; each line with what to type next
    #[command(after_help = "Examples:\n  tollway today\n  tollway today --at 2026-11-02T08:00:00+01:00 --output json")]
    Today(TodayArgs),
    /// Totals by customer, cycle and more
    #[command(after_help = "Examples:\n  tollway totals --cycle 2026-10\n  tollway totals --by customer,zone --output csv\n  \
        tollway totals --cycle 2026-10 --known-at 2026-11-02T08:00:00+01:00\n  tollway totals --rebuild")]
    Totals(TotalsArgs),
    /// What went into each hop and came out of it: files, rows, units, money, per account and provider cycle
    #[command(
        after_help = "Examples:\n  tollway control-totals\n  tollway control-totals --account haven --cycle 2026-10 --output csv"
    )]
    ControlTotals(ControlTotalsArgs),
    /// Why are a customer's totals zero or low?
    #[command(after_help = "Example:\n  tollway why C-1001 2026-10")]
    Why(WhyArgs),
    /// The provider's cost against our charge, worst first
    #[command(after_help = "Examples:\n  tollway margin --cycle 2026-10\n  tollway margin --by customer,plan,zone --limit 0\n  \
        tollway margin --buy --cycle 2026-10\n  tollway margin --levels --cycle 2026-10")]
    Margin(MarginArgs),
    /// Rows that need a hand
    #[command(subcommand)]
    Suspense(SuspenseCommand),
    /// Numbers that no one owns, with their traffic and the money at risk; assign one
    #[command(
        after_help = "Examples:\n  tollway unassigned --clear\n  tollway unassigned assign 31612345678 --customer C-1042 \\\n    \
        --plan zakelijk-plus --subscription S-77 --from 2026-10-01T00:00:00Z"
    )]
    Unassigned(UnassignedArgs),
    /// Price again what has a price, by the reference data in force: the difference by customer and rule, then the corrections
    #[command(after_help = self::corrections::RERATE_HELP)]
    Rerate(RerateArgs),
    /// Let records draw from allowances in the order of their starts: the difference by customer and rule, then the corrections
    #[command(after_help = self::corrections::SETTLE_HELP)]
    Settle(SettleArgs),
    /// Billing cycles: which there are, close one, the lines that invoices print
    #[command(subcommand)]
    Cycle(CycleCommand),
    /// Allowances that were used up in part or whole: events with a number, each of which fires once
    #[command(after_help = self::questions::THRESHOLDS_HELP)]
    Thresholds(ThresholdsArgs),
    /// Ask the tables in SQL: `cdr`, `cdr_entries`, `totals`, `thresholds`, `lines`
    #[command(after_help = "Example:\n  tollway query \"select zone, sum(charge) from cdr group by zone order by 2 desc\"")]
    Query(QueryArgs),
    /// Why does this record cost what it costs?
    #[command(after_help = "Examples:\n  tollway explain 7f3a91c2\n  tollway explain 7f3a91c2 --known-at 2026-10-31")]
    Explain(ExplainArgs),
    /// What would this call cost? One call priced from the command line, with its derivation
    #[command(
        after_help = "Examples:\n  tollway rate --plan zakelijk-plus --to +441632960000 --start 2026-10-25T02:30:00+01:00 \\\n    \
        --seconds 63 --tariff nl-zakelijk\n  tollway rate --plan m2m --start 2026-10-14T10:00:00+02:00 --bytes 1500000 --network 26201"
    )]
    Rate(RateArgs),
    /// Tariffs: list, show, lint before an import, compare two, import
    #[command(subcommand)]
    Tariff(TariffCommand),
    /// What would a past month come to under a draft of a tariff, or by what was known at a moment? By customer, zone and band
    #[command(name = "whatif", after_help = self::tariffs::WHATIF_HELP)]
    WhatIf(WhatIfArgs),
    /// Source layouts: list, show, check against a file, draft for an unknown file
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Write a seeded month of call records and its reference data
    #[command(after_help = "Example:\n  tollway generate --rows 100000 --files 10 --seed 7 ./month")]
    Generate(GenerateArgs),
    /// Reference data: customers, plans, subscriptions, devices, groups of lines, tariffs
    #[command(after_help = "Examples:\n  tollway import devices devices.csv --dry-run\n  \
        tollway import devices all.csv --mode full --approve \"contract of Haven ended\"\n  tollway import tariffs nl-zakelijk.toml")]
    Import(ImportArgs),
    /// Settings: show what is in force, or check a file
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Topics on the brokers, where `log.kind` is "kafka"
    #[command(subcommand)]
    Topics(TopicsCommand),
    /// Dead letters: records of the log that could not be understood
    #[command(subcommand)]
    Dlq(DlqCommand),
    /// Audit all invariants of an installation
    Check,
    /// Derive every charge and the lines of closed cycles a second time, from parsed fields and reference data alone, and compare
    #[command(after_help = "Examples:\n  tollway verify\n  tollway verify --cycle 2026-10 --output json\n\n\
        Ends with 0 if all agree, 1 if some could not be derived or the cycle has neither record nor line, 70 if some disagree.")]
    Verify(VerifyArgs),
    /// Measured jobs
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Generated documents, for `cargo xtask codegen`
    #[command(hide = true)]
    Docs(DocsArgs),
}

/// What to do with rows in suspense.
#[derive(Debug, Subcommand)]
pub enum SuspenseCommand {
    /// Counts by reason with money at risk, or the rows of one reason
    List {
        /// Only this reason
        #[arg(long)]
        reason: Option<String>,
        /// Rows to show
        #[arg(long, default_value_t = 20)]
        limit: usize,
    },
    /// One record with its source, or the newest of a reason
    Show {
        /// A record (start of its key), or a reason
        record: String,
    },
    /// How rows would come out if they were rated again; changes nothing: the same as `recycle --dry-run`
    #[command(after_help = self::corrections::TEST_HELP)]
    Test(RecycleArgs),
    /// Rate rows again, with the reference data in force; what comes out otherwise is corrected
    #[command(after_help = self::corrections::RECYCLE_HELP)]
    Recycle(RecycleArgs),
    /// Correct fields of rows, which are rated by them; kept with who decided it and why
    #[command(after_help = self::corrections::EDIT_HELP)]
    Edit(EditArgs),
    /// Decide that rows will never be charged; they stay, with who decided it and why
    #[command(after_help = self::corrections::WRITE_OFF_HELP)]
    WriteOff(WriteOffArgs),
}

/// What is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImportWhat {
    /// Windows of numbers and SIMs.
    Devices,
    /// Who pays for a contract, under which plan, from when to when.
    Subscriptions,
    /// Which group a line is in, from when to when: closed user groups.
    Groups,
    /// Customers with their cycle day and clock.
    Customers,
    /// Plans by name.
    Plans,
    /// Tariffs, with the files they name.
    Tariffs,
}

/// How an import treats what it does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListMode {
    /// It adds and changes.
    Delta,
    /// It is the whole list: what is absent ends.
    Full,
}

/// Options of `import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// What the file holds
    pub what: ImportWhat,
    /// A CSV file; for tariffs a TOML file or a shipped name
    pub file: PathBuf,
    /// Where the files that a tariff names lie; beside it if not given
    #[arg(long, value_name = "DIR")]
    pub base: Option<PathBuf>,
    /// A delta adds and changes; a full list also ends what it does not name
    #[arg(long, value_enum, default_value_t = ListMode::Delta)]
    pub mode: ListMode,
    /// The instant for which a full list is true, at which what it does not name ends; now if not given
    #[arg(long, value_name = "INSTANT")]
    pub as_of: Option<String>,
    /// Let a full list end more than `import.ended_per_mille_max` allows; the reason is kept with it
    #[arg(long, value_name = "REASON")]
    pub approve: Option<String>,
    /// Who approves
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true)]
    pub by: Option<String>,
    /// Leave rows in suspense as they are, also those that this gives a price
    #[arg(long)]
    pub no_recycle: bool,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What to do with settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Every setting in force and where it comes from
    Show,
    /// Read the configuration and say whether it is right
    Check,
}

/// Measured jobs.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// benches/job/JOB.md: files of CDRs in, sorted detail and totals out
    Job {
        /// A folder with cdr/ and ref/
        data: PathBuf,
        /// Where to write
        out: PathBuf,
    },
}

/// Options of `docs`.
#[derive(Debug, Args)]
pub struct DocsArgs {
    /// Which document
    #[arg(value_parser = ["invariants", "columns", "config", "config-schema", "openapi", "profile-schema", "profiles", "reasons", "tariff-schema"])]
    pub what: String,
}
