//! The commands that correct what is in the tables.

use clap::{ArgGroup, Args};

use super::NumberKind;

/// Options of `withdraw`.
#[derive(Debug, Args)]
pub struct WithdrawArgs {
    /// The file: its name, arrival number, or the first digits of its delivery
    pub file: String,
    /// The account that it came under: its name, PROVIDER/ACCOUNT or TENANT/PROVIDER/ACCOUNT
    #[arg(long)]
    pub account: Option<String>,
    /// Do it; without this the effect is shown, and on a terminal the question is asked
    #[arg(long)]
    pub yes: bool,
    /// Threads that rate and commit
    #[arg(long)]
    pub workers: Option<u32>,
}

/// Examples and exit codes of `suspense recycle`.
pub const RECYCLE_HELP: &str = "Examples:\n  tollway suspense recycle --dry-run\n  \
    tollway suspense recycle --reason no_device --reason no_plan\n  \
    tollway suspense recycle --account haven --file october.csv\n  \
    tollway suspense recycle --identifier 31612345678 --output json\n  \
    tollway suspense recycle 7f3a91c2\n\n\
    All that is named must fit. Rows that come out as before keep their entry. Rows that could not be read (`malformed.*`) and \
    rows in conflict with another's id (`id_conflict`) are not meant; what was written off is meant by `--reason written_off`, or as a \
    RECORD.\n\n\
    Exit codes: 0 all rows that were meant are rated, or none was meant; 1 some of them stay in suspense; \
    the others as of all commands.";

/// Examples and exit codes of `suspense test`.
pub const TEST_HELP: &str = "Examples:\n  tollway suspense test\n  tollway suspense test --reason no_zone --output json\n\n\
    Exit codes: 0 all rows that are meant would be rated, or none is meant; 1 some would stay in suspense; the others as of all \
    commands.";

/// Options of `suspense recycle`.
#[derive(Debug, Args)]
pub struct RecycleArgs {
    /// One record: the start of its key, or delivery:row
    pub record: Option<String>,
    /// Only rows with this reason; may be given several times
    #[arg(long = "reason", value_name = "REASON")]
    pub reasons: Vec<String>,
    /// Only rows of this account: its name, PROVIDER/ACCOUNT or TENANT/PROVIDER/ACCOUNT
    #[arg(long)]
    pub account: Option<String>,
    /// Only rows of this file: its name, arrival number, or the first digits of its delivery
    #[arg(long)]
    pub file: Option<String>,
    /// Only rows whose served party has this number, in clear
    #[arg(long, value_name = "NUMBER")]
    pub identifier: Option<String>,
    /// What kind of number it is
    #[arg(long, value_enum, default_value_t = NumberKind::Msisdn, requires = "identifier")]
    pub kind: NumberKind,
    /// Show what would come of it, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Threads that rate and commit
    #[arg(long)]
    pub workers: Option<u32>,
}

/// Examples and exit codes of `suspense edit`.
pub const EDIT_HELP: &str = "Examples:\n  \
    tollway suspense edit 7f3a91c2 --set b_number=31201234567 --why \"KPN confirmed the number, ticket 4711\"\n  \
    tollway suspense edit --reason no_zone --file october.csv --set network=20408 --set provider_class= --why \"agreed with KPN\" --dry-run\n\n\
    Fields: a_number, b_number, imsi, iccid, kind, start, duration_s, bytes_up, bytes_down, messages, network, provider_class, cost, \
    cost_currency; as `tollway query` shows them. FIELD= empties a number, network, class or cost.\n\n\
    All that is named must fit, and all rows that do get the same fields. They keep their key: the file's own row stays a copy of them. \
    `tollway suspense recycle` and imports rate them with these fields from then on; `tollway explain RECORD` tells what was edited, by whom \
    and why. Rows that could not be read (`malformed.*`), rows in conflict with another's id, what was written off, and what has a price are \
    not edited.\n\n\
    Exit codes: 0 all rows that were meant are rated, or none was meant; 1 some of them stay in suspense; \
    3 a field cannot be set so; the others as of all commands.";

/// Options of `suspense edit`.
#[derive(Debug, Args)]
pub struct EditArgs {
    /// Which rows.
    #[command(flatten)]
    pub rows: RecycleArgs,
    /// What a field is to be; may be given several times
    #[arg(long = "set", value_name = "FIELD=VALUE", required = true)]
    pub set: Vec<String>,
    /// Why; kept with the decision
    #[arg(long, value_name = "REASON")]
    pub why: String,
    /// Who decides
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true)]
    pub by: Option<String>,
}

/// Examples of `suspense write-off`.
pub const WRITE_OFF_HELP: &str = "Examples:\n  tollway suspense write-off 7f3a91c2 --why \"test call of the provider\"\n  \
    tollway suspense write-off --reason malformed.time --file october.csv --why \"agreed with KPN, ticket 4711\" --dry-run\n\n\
    All that is named must fit. The rows stay in suspense with the reason `written_off`, and no screen counts them as work or as money \
    at risk. `tollway explain RECORD` tells who decided it and why; `tollway suspense recycle RECORD`, or `--reason written_off`, takes it \
    back for rows that could be read.";

/// Options of `suspense write-off`.
#[derive(Debug, Args)]
pub struct WriteOffArgs {
    /// Which rows.
    #[command(flatten)]
    pub rows: RecycleArgs,
    /// Why; kept with the decision
    #[arg(long, value_name = "REASON")]
    pub why: String,
    /// Who decides
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true)]
    pub by: Option<String>,
}

/// Examples and exit codes of `rerate`.
pub const RERATE_HELP: &str = "Examples:\n  tollway rerate --cycle 2026-10 --dry-run\n  \
    tollway rerate --customer C-00017 --cycle all\n  \
    tollway rerate --plan zakelijk-basis --cycle 2026-10 --output json\n\n\
    All that is named must fit, either to a record as it stands or as it comes out. What comes out as it stands keeps its entry, so \
    twice is once. Rows in suspense are not meant: `tollway suspense recycle` rates those again.\n\n\
    Exit codes: 0 done; 1 some records have lost their price, or would, or are left because their cycle is closed; the others as of all commands.";

/// Options of `rerate`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").args(["customer", "plan", "cycle"]).required(true).multiple(true)))]
pub struct RerateArgs {
    /// Only records of this customer, before or after
    #[arg(long)]
    pub customer: Option<String>,
    /// Only records under this plan, before or after
    #[arg(long)]
    pub plan: Option<String>,
    /// Only records of this cycle of their customers, such as 2026-10, before or after; or all
    #[arg(long)]
    pub cycle: Option<String>,
    /// Only records of this account: its name, PROVIDER/ACCOUNT or TENANT/PROVIDER/ACCOUNT
    #[arg(long)]
    pub account: Option<String>,
    /// Also records that were billed when their cycle was closed, or whose totals are frozen
    #[arg(long)]
    pub frozen: bool,
    /// Show the difference, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Customers and rules to show; 0 for all
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub limit: usize,
    /// Threads that rate and commit
    #[arg(long)]
    pub workers: Option<u32>,
}

/// Examples and exit codes of `settle`.
pub const SETTLE_HELP: &str = "Examples:\n  tollway settle --dry-run\n  tollway settle --cycle 2026-10 --customer C-00017\n\n\
    `ingest`, `import`, `withdraw`, `suspense recycle` and a running service settle by themselves what was not billed. What comes \
    out does not hang on the order in which files came, and twice is once.\n\n\
    Exit codes: 0 done; 1 some records have lost their price, or would, or are left because their cycle is closed; the others as of all commands.";

/// Options of `settle`.
#[derive(Debug, Args)]
pub struct SettleArgs {
    /// Only records of this customer
    #[arg(long)]
    pub customer: Option<String>,
    /// Only records of this cycle of their customers, such as 2026-10; or all
    #[arg(long, default_value = "all")]
    pub cycle: String,
    /// Also records that were billed when their cycle was closed, or whose totals are frozen
    #[arg(long)]
    pub frozen: bool,
    /// Show the difference, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Customers and rules to show; 0 for all
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub limit: usize,
    /// Threads that rate and commit
    #[arg(long)]
    pub workers: Option<u32>,
}
