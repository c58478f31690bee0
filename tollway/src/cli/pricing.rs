//! The command line of tariffs and prices.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

/// Options of `rate`.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("units").required(true).args(["seconds", "messages", "bytes"]))]
pub struct RateArgs {
    /// The plan that pays
    #[arg(long)]
    pub plan: String,
    /// Whom it is with: +441632960000, 00441632960000, 0612345678, 112, or a word; nobody if not given
    #[arg(long, value_name = "NUMBER", default_value = "")]
    pub to: String,
    /// When it begins, with the offset of its clock, such as 2026-10-25T02:30:00+01:00
    #[arg(long, value_name = "INSTANT")]
    pub start: String,
    /// A call of so many seconds
    #[arg(long, value_name = "N")]
    pub seconds: Option<u32>,
    /// A text message of so many parts, or so many MMS
    #[arg(long, value_name = "N")]
    pub messages: Option<u32>,
    /// Data of so many bytes
    #[arg(long, value_name = "N")]
    pub bytes: Option<u64>,
    /// Kind and direction where it is not outgoing: voice-mt, voice-fwd, sms-mt, mms-mo ...
    #[arg(long)]
    pub kind: Option<String>,
    /// The network that carried it, as MCC-MNC or TADIG code; at home if not given
    #[arg(long, value_name = "CODE")]
    pub network: Option<String>,
    /// The provider's rate class
    #[arg(long)]
    pub class: Option<String>,
    /// Who that is, where the tariff asks: `group_customer`, `group`, `own_customer`, `own_network` or `other`
    #[arg(long, value_name = "PARTY")]
    pub party: Option<String>,
    /// What the provider asks for it, such as 0.0215
    #[arg(long, value_name = "AMOUNT")]
    pub cost: Option<String>,
    /// The currency of the provider's cost
    #[arg(long, value_name = "CODE", default_value = "EUR")]
    pub cost_currency: String,
    /// The country of numbers that are dialled without it
    #[arg(long, value_name = "DIGITS", default_value = "31")]
    pub country_code: String,
    /// A tariff to price by, by shipped name or TOML file, in place of those that are in force in the data folder
    #[arg(long, value_name = "TARIFF")]
    pub tariff: Option<PathBuf>,
    /// The folder of the tariff's tables, if they do not lie beside it
    #[arg(long, value_name = "DIR", requires = "tariff")]
    pub base: Option<PathBuf>,
    /// By the tariffs as they were known then: an instant such as 2026-11-01T08:00:00+01:00, or a day for its end in UTC
    #[arg(long, value_name = "WHEN", conflicts_with = "tariff")]
    pub known_at: Option<String>,
}
