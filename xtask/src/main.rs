//! The project's own commands: `cargo xtask check`, `tidy`, `codegen`, `test` and the single stages of `check`.
//!
//! *Purpose.* One place that knows how this repository is checked, so that a newcomer, a hook and CI run the same thing.
//! *Input → output.* The working tree in; findings as `file:line: what and how to mend`, timed stages and an exit code out.
//! *Never.* No product code, and no dependency that takes more than seconds to build.
//! *Start reading at* [`check`], then [`tidy`].

mod check;
mod codegen;
mod debian;
mod deny;
mod fuzz;
mod python;
mod rating_map;
mod services;
mod stage;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::{Context, bail};
use workspace::Workspace;

const USAGE: &str = "\
cargo xtask <command>

  check              everything below, in this order: fmt, clippy, tidy, deny, codegen --check, test
  fmt                is the code formatted as rustfmt.toml says
  clippy             lints of every crate and target, warnings are errors
  tidy               the project's own rules: crate arrows, sizes, floats, words, links
  deny [--install]   licences, sources and double versions of dependencies (--install: fetch cargo-deny into the cache)
  codegen [--check]  writes the generated pages of docs/ (--check: only says whether they are up to date)
  test               installs and starts what the tests need, builds everything once, runs all tests, stops what it started
  fuzz [TARGET ...] [--seconds 10] [--seed N] [--replay FILE]
                     spoilt files for everything that reads what others wrote (docs/adr/0016-fuzzing.md); not part of check
  services start|stop|status [kafka|postgres|s3 ...]
                     real servers for the tests, on loopback; where they listen stands in <cache>/services.env

  TOLLWAY_CACHE    where tools of the tests live (default: ~/.cache/tollway)
  TOLLWAY_SAMPLES  folder of real-shaped sample records (default: ../shared/data beside the checkout, if it is there)
  CI=true          a skipped test is a failure
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> anyhow::Result<()> {
    if matches!(words, [] | ["help" | "--help" | "-h"]) {
        print!("{USAGE}");
        return Ok(());
    }
    let workspace = Workspace::find().context("failed to find the workspace")?;
    match words {
        ["check"] => check::everything(&workspace),
        ["fmt"] => check::fmt(&workspace),
        ["clippy"] => check::clippy(&workspace),
        ["tidy"] => tidy::run(&workspace),
        ["deny"] => deny::run(&workspace, deny::WhenMissing::Skip),
        ["deny", "--install"] => deny::run(&workspace, deny::WhenMissing::Install),
        ["codegen"] => codegen::run(&workspace, codegen::Mode::Write),
        ["codegen", "--check"] => codegen::run(&workspace, codegen::Mode::Compare),
        ["test"] => test::run(&workspace),
        ["fuzz", rest @ ..] => fuzz::run(&workspace, rest),
        ["services", rest @ ..] => services::run(&workspace, rest),
        other => bail!("`{}` is no command\n\n{USAGE}", other.join(" ")),
    }
}
