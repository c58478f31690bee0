//! Log lines: on stderr, structured, without subscriber numbers.

use std::io::IsTerminal;

use config::Config;
use config::sections::{LogFormat, Logging};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::cli::{Cli, Command};
use crate::installation::settings;

/// Starts logging for a command; `TOLLWAY_LOG` refines it, as `info,sinks=debug`. What `[logging]` says counts if someone wrote
/// it there: a command is quieter than a service by default. A service starts it itself.
pub fn start(cli: &Cli) {
    if matches!(cli.command, Command::Run(_) | Command::Listen(_)) {
        return;
    }
    let level = level_of(&cli.command, cli.global.quiet, std::io::stderr().is_terminal());
    // A configuration that cannot be read is the command's to tell, if it needs one.
    match settings(&cli.global) {
        Ok(config) => {
            let level =
                if cli.global.quiet || !is_written(&config, "logging.level") { level } else { config.logging.level.as_str() };
            start_at(level, is_written(&config, "logging.format") && is_json(&config.logging));
        }
        Err(_) => start_at(level, false),
    }
}

/// Whether a setting is more than its default.
fn is_written(config: &Config, key: &str) -> bool {
    config.in_force().iter().any(|setting| setting.key == key && setting.origin != "default")
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
    start_at(if quiet { "error" } else { settings.level.as_str() }, is_json(settings));
}

fn is_json(settings: &Logging) -> bool {
    match settings.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    }
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
