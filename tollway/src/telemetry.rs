//! Log lines: on stderr, structured, without subscriber numbers.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::cli::{Command, Global};

/// Starts logging as the options say; `TOLLWAY_LOG` refines it, as `info,sinks=debug`.
pub fn start(global: &Global) {
    let level = if global.quiet { "error" } else { "warn" };
    start_at(level, false);
}

/// The level for a command: services and long work without a terminal speak, short ones are silent.
pub fn level_of(command: &Command, quiet: bool, terminal: bool) -> &'static str {
    match command {
        _ if quiet => "error",
        Command::Run(_) => "info",
        Command::Ingest(_) if !terminal => "info",
        _ => "warn",
    }
}

/// Starts logging at a level; the first call counts.
pub fn start_at(level: &str, json: bool) {
    let filter = EnvFilter::try_from_env("TOLLWAY_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::NONE)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()) && std::env::var_os("NO_COLOR").is_none());
    // A second start (a test, a nested call) keeps the first.
    let _started = if json { lines.json().try_init() } else { lines.compact().try_init() };
}
