//! Log lines: on stderr, structured, without subscriber numbers.

use std::io::IsTerminal;

use config::sections::{LogFormat, Logging};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::cli::{Cli, Command};

/// Starts logging for a command; `TOLLWAY_LOG` refines it, as `info,sinks=debug`. A service starts it itself, as its
/// configuration says.
pub fn start(cli: &Cli) {
    if !matches!(cli.command, Command::Run(_) | Command::Listen(_)) {
        start_at(level_of(&cli.command, cli.global.quiet, std::io::stderr().is_terminal()), false);
    }
}

/// The level for a command: long work without a terminal speaks, short work is silent.
fn level_of(command: &Command, quiet: bool, terminal: bool) -> &'static str {
    match command {
        _ if quiet => "error",
        Command::Ingest(_) if !terminal => "info",
        _ => "warn",
    }
}

/// Starts logging for a service, as its configuration says.
pub fn start_service(settings: &Logging, quiet: bool) {
    let json = match settings.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    start_at(if quiet { "error" } else { settings.level.as_str() }, json);
}

/// Starts logging at a level; the first call counts.
fn start_at(level: &str, json: bool) {
    let filter = EnvFilter::try_from_env("TOLLWAY_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::NONE)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    // A second start (a test, a nested call) keeps the first.
    let _started = if json { lines.json().try_init() } else { lines.compact().try_init() };
}
