//! demo
use crate::cli::{DemoArgs, Global};
use crate::exit_code::Exit;

/// Runs the command.
pub fn run(_global: &Global, _args: &DemoArgs) -> anyhow::Result<Exit> {
    Ok(Exit::Done)
}
