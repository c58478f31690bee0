//! The binary's inside: command line, installation, threads and screens around the flow.
//!
//! *Purpose.* Gives the state machines of `pipeline` a clock, chance, threads, a store and a log, and people a way to ask.
//! *Input → output.* A command line in; files, tables, screens and an exit code out. *Never.* No stage logic: what a row is
//! worth is decided in `rate`, what is committed in `sinks`. *Start reading at* [`cli`], [`flow`], then [`commands`].

pub mod cli;
pub mod exit_code;
pub mod installation;
pub mod settling;
pub mod closing;
mod storage;
pub mod reference;
pub mod flow;
pub mod leading;
pub mod dead_letters;
pub mod listen;
pub mod live_positions;
pub mod log;
pub mod log_end;
pub mod others;
pub mod patience;
pub mod readiness;
pub mod backlog;
pub mod totals;
pub mod counts;
pub mod attention;
pub mod buy;
pub mod cells;
pub mod levels;
pub mod parties;
pub mod pricing;
pub mod proof;
pub mod unassigned;
pub mod arrived;
pub mod numbered;
pub mod rhythm;
pub mod named;
pub mod moment;
pub mod replacements;
pub mod recycling;
pub mod rerating;
pub mod thresholds;
pub mod commands;
pub mod output;
pub mod progress;
pub mod report;
pub mod telemetry;
pub mod http;
pub mod system;
pub mod watch;

use std::ffi::OsString;

use clap::Parser;

use crate::cli::Cli;
use crate::exit_code::Exit;

/// Runs one command line; everything that goes wrong is printed with what to do.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(e) => {
            let wrong = e.use_stderr();
            // Help and version go to stdout; a broken pipe there is nobody's fault.
            e.print().unwrap_or_default();
            return if wrong { Exit::Usage } else { Exit::Done };
        }
    };
    telemetry::start(&cli);
    match commands::dispatch(cli) {
        Ok(exit) => exit,
        Err(error) => {
            let exit = exit_code::of(&error);
            output::complain(&error, exit);
            exit
        }
    }
}
