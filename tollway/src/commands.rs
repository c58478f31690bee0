//! The commands, one file each; every one opens what it needs, asks or acts, and answers.

pub mod check;
pub mod control_totals;
pub mod demo;
pub mod demo_report;
pub mod dismiss;
pub mod dlq;
pub mod docs;
pub mod edit;
pub mod edited;
pub mod explain;
pub mod generate;
pub mod import;
pub mod ingest;
pub mod job;
pub mod listen;
pub mod margin;
pub mod margin_buy;
pub mod margin_levels;
pub mod profile;
pub mod profile_draft;
pub mod query;
pub mod rate;
pub mod recycle;
pub mod rerate;
pub mod rows;
pub mod run;
pub mod settle;
pub mod cycle;
pub mod source;
pub mod status;
pub mod suspense;
pub mod tariff;
pub mod thresholds;
pub mod today;
pub mod topics;
pub mod totals;
pub mod unassigned;
pub mod verify;
pub mod whatif;
pub mod why;
pub mod withdraw;
pub mod write_off;

use crate::cli::{BenchCommand, Cli, Command, ConfigCommand, Global};
use crate::exit_code::Exit;
use crate::installation::{check_settings, settings};
use crate::output::Answer;

/// Runs the command of a command line.
pub fn dispatch(cli: Cli) -> anyhow::Result<Exit> {
    let global = &cli.global;
    match &cli.command {
        Command::Demo(args) => demo::run(global, args),
        Command::Ingest(args) => ingest::run(global, args),
        Command::Withdraw(args) => withdraw::run(global, args),
        Command::Run(args) => run::run(global, args),
        Command::Listen(args) => listen::run(global, args),
        Command::Status(args) => status::run(global, args),
        Command::Dismiss(args) => dismiss::run(global, args),
        Command::Today(args) => today::run(global, args),
        Command::Totals(args) => totals::run(global, args),
        Command::ControlTotals(args) => control_totals::run(global, args),
        Command::Why(args) => why::run(global, args),
        Command::Margin(args) if args.buy => margin_buy::run(global, args),
        Command::Margin(args) if args.levels => margin_levels::run(global, args),
        Command::Margin(args) => margin::run(global, args),
        Command::Suspense(command) => suspense::run(global, command),
        Command::Unassigned(args) => unassigned::run(global, args),
        Command::Rerate(args) => rerate::run(global, args),
        Command::Settle(args) => settle::run(global, args),
        Command::Cycle(command) => cycle::run(global, command),
        Command::Thresholds(args) => thresholds::run(global, args),
        Command::Query(args) => query::run(global, args),
        Command::Explain(args) => explain::run(global, args),
        Command::Rate(args) => rate::run(global, args),
        Command::Tariff(command) => tariff::run(global, command),
        Command::WhatIf(args) => whatif::run(global, args),
        Command::Profile(command) => profile::run(global, command),
        Command::Generate(args) => generate::run(global, args),
        Command::Import(args) => import::run(global, args),
        Command::Config(command) => config_command(global, command),
        Command::Topics(command) => topics::run(global, *command),
        Command::Dlq(command) => dlq::run(global, command),
        Command::Check => check::run(global),
        Command::Verify(args) => verify::run(global, args),
        Command::Bench(BenchCommand::Job { data, out }) => job::run(data, out),
        Command::Docs(args) => docs::run(&args.what),
    }
}

fn config_command(global: &Global, command: &ConfigCommand) -> anyhow::Result<Exit> {
    let config = settings(global)?;
    let in_force: Vec<_> =
        config.in_force().into_iter().map(|s| serde_json::json!({"key": s.key, "value": s.value, "origin": s.origin})).collect();
    let headline = match command {
        ConfigCommand::Show => config.show(),
        ConfigCommand::Check => {
            check_settings(&config)?;
            format!("the configuration is right: {} settings", in_force.len())
        }
    };
    let json = serde_json::json!({"settings": in_force});
    Answer { headline: headline.trim_end().to_owned(), json, ..Answer::default() }.print(global.output)?;
    Ok(Exit::Done)
}
