//! The command line of live sources.

use clap::Args;

/// Options of `listen`.
#[derive(Debug, Args)]
pub struct ListenArgs {
    /// A section [listen.NAME] of the configuration, or a new name with --topic, --profile and --account
    pub name: String,
    /// The topic, by its full name
    #[arg(long)]
    pub topic: Option<String>,
    /// The layout of the events: a shipped name, or a TOML file
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// The account under which the records arrive
    #[arg(long)]
    pub account: Option<String>,
    /// Who hands the records out; if not given, the profile's provider, or else its name
    #[arg(long)]
    pub provider: Option<String>,
    /// The header line that files of this profile have before their rows
    #[arg(long, value_name = "LINE")]
    pub header: Option<String>,
    /// Rows of a micro-batch
    #[arg(long, value_name = "ROWS")]
    pub batch_rows: Option<u64>,
    /// Milliseconds that an event waits for others
    #[arg(long, value_name = "MS")]
    pub batch_wait_ms: Option<u64>,
    /// Land what is there, rate it, and end
    #[arg(long)]
    pub until_end: bool,
    /// Do not rate at the end; a running service does, or the next `ingest`
    #[arg(long, requires = "until_end")]
    pub land_only: bool,
    /// Go on where events are gone that have not landed: retention took them, or the topic was made anew
    #[arg(long)]
    pub accept_loss: bool,
    /// Where metrics and health are served; nowhere if not given
    #[arg(long, value_name = "ADDRESS")]
    pub http: Option<String>,
}

impl ListenArgs {
    /// What is set on the command line: setting, value and argument.
    pub fn settings(&self) -> Vec<(&'static str, String, &'static str)> {
        let texts = [
            ("listen.topic", self.topic.clone(), "--topic"),
            ("listen.profile", self.profile.clone(), "--profile"),
            ("listen.account", self.account.clone(), "--account"),
            ("listen.provider", self.provider.clone(), "--provider"),
            ("listen.header", self.header.clone(), "--header"),
            ("listen.batch_rows", self.batch_rows.map(|rows| rows.to_string()), "--batch-rows"),
            ("listen.batch_wait_ms", self.batch_wait_ms.map(|wait| wait.to_string()), "--batch-wait-ms"),
        ];
        texts.into_iter().filter_map(|(key, value, argument)| Some((key, value?, argument))).collect()
    }
}
