//! `cargo xtask test`: brings what the tests need, builds everything once, runs all tests and adds up their totals.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, thread};

use anyhow::{Context, bail};

use crate::python;
use crate::services::{self, Borrowed, Service};
use crate::stage::Stages;
use crate::workspace::{self, Workspace};

/// The servers that tests of the whole workspace use.
const NEEDED: [Service; 3] = [Service::Kafka, Service::Postgres, Service::S3];

/// The test binary and the test that need both cores for minutes. Others wait for servers half of their time, so it runs beside them.
const SEEDS: (&str, &str) = ("simulator", "every_row_ends_once_under_every_seed");

/// Tests counted over all test binaries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

impl Totals {
    /// Adds a closing line of a test binary (`test result: ok. 3 passed; 0 failed; 1 ignored; ...`); other lines count nothing.
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) else { return };
        for part in counts.split(';') {
            let Some((number, what)) = part.trim().split_once(' ') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.skipped += number,
                _ => {}
            }
        }
    }

    fn and(self, other: Self) -> Self {
        Self { passed: self.passed + other.passed, failed: self.failed + other.failed, skipped: self.skipped + other.skipped }
    }

    /// What a run with these totals ends with. In CI a skipped test proves nothing and fails.
    fn verdict(self, in_ci: bool) -> anyhow::Result<Self> {
        if self.failed > 0 {
            bail!("{} tests failed", self.failed);
        }
        if in_ci && self.skipped > 0 {
            bail!("{} tests were skipped, and in CI none may be", self.skipped);
        }
        if self.passed == 0 {
            bail!("no test ran");
        }
        Ok(self)
    }
}

/// The whole command: stages, their times, the closing line.
pub fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let totals = stages(workspace)?;
    println!("{totals}");
    Ok(())
}

/// All stages; on failure the totals are printed before the error is returned.
pub fn stages(workspace: &Workspace) -> anyhow::Result<Totals> {
    let mut stages = Stages::default();
    let samples = samples(workspace);
    let python = stages.run("python", || python::environment(workspace))?;
    stages.run("build", || workspace.build_all())?;
    let _services = stages.run("services", || Borrowed::start(workspace, &NEEDED))?;
    let mut totals = Totals { skipped: samples.skipped(), ..Totals::default() };
    let ended = stages.run("tests", || both_lanes(workspace, &python, &samples, &mut totals));
    println!("times: {}", stages.summary());
    let in_ci = env::var_os("CI").is_some_and(|value| value == "true");
    match ended.and_then(|()| totals.verdict(in_ci)) {
        Ok(totals) => Ok(totals),
        Err(error) => {
            println!("{totals}");
            Err(error)
        }
    }
}

/// Runs the seeds beside all other tests, which come first where both want a core. Neither ends the other, so that one run shows
/// everything that fails.
fn both_lanes(workspace: &Workspace, python: &Path, samples: &Samples, totals: &mut Totals) -> anyhow::Result<()> {
    let tests = |words: &[&str]| -> anyhow::Result<Command> {
        let mut tests = workspace.cargo(&["test", "--workspace", "--no-fail-fast"]);
        tests.args(words).env("TOLLWAY_BIN", workspace.tollway()?).env("TOLLWAY_PYTHON", python);
        tests.envs(services::environment(workspace));
        match samples {
            Samples::At(folder) => tests.env("TOLLWAY_SAMPLES", folder),
            Samples::Promised(_) | Samples::None => tests.env_remove("TOLLWAY_SAMPLES"),
        };
        Ok(tests)
    };
    let (binary, seeds) = SEEDS;
    let mut of_seeds = workspace::nice(&tests(&["--test", binary, "--", "--exact", seeds])?);
    let mut of_others = tests(&["--", "--skip", seeds])?;
    let mut counted = Totals::default();
    let (seeds_ended, others_ended) = thread::scope(|scope| {
        let beside = scope.spawn(|| {
            stream(&mut of_seeds, |line| {
                println!("{binary} | {line}");
                counted.add(line);
            })
        });
        let others_ended = stream(&mut of_others, |line| {
            println!("{line}");
            totals.add(line);
        });
        (beside.join().expect("reading lines does not panic"), others_ended)
    });
    *totals = totals.and(counted);
    others_ended?;
    seeds_ended?;
    if counted.passed != 1 {
        bail!("`{seeds}` of the {binary} did not run; was it renamed?");
    }
    Ok(())
}

/// Runs tests and hands on their lines as they come.
fn stream(tests: &mut Command, mut each: impl FnMut(&str)) -> anyhow::Result<()> {
    println!("$ {}", workspace::spelled(tests));
    let mut child = tests.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("failed to start the tests")?;
    let lines = BufReader::new(child.stdout.take().context("the tests have no output")?).split(b'\n');
    for line in lines {
        let line = line.context("failed to read the tests' output")?;
        each(&String::from_utf8_lossy(&line));
    }
    let status = child.wait().context("failed to wait for the tests")?;
    if !status.success() {
        bail!("`{}` ended with {status}", workspace::spelled(tests));
    }
    Ok(())
}

/// The real-shaped sample records, which are not part of the repository.
#[derive(Debug, PartialEq, Eq)]
enum Samples {
    /// A folder that is there.
    At(PathBuf),
    /// `TOLLWAY_SAMPLES` names a folder that is not there.
    Promised(PathBuf),
    /// No folder is named and none lies beside the checkout.
    None,
}

impl Samples {
    /// A promise that was not kept counts as a skipped test.
    fn skipped(&self) -> u64 {
        u64::from(matches!(self, Self::Promised(_)))
    }
}

fn samples(workspace: &Workspace) -> Samples {
    let beside = workspace.root.join("..").join("shared").join("data");
    let samples = match env::var_os("TOLLWAY_SAMPLES").filter(|named| !named.is_empty()) {
        Some(named) => fs::canonicalize(workspace.root.join(&named)).map_or(Samples::Promised(named.into()), Samples::At),
        None => fs::canonicalize(beside).map_or(Samples::None, Samples::At),
    };
    match &samples {
        Samples::At(folder) => println!("samples: {}", folder.display()),
        Samples::Promised(folder) => {
            println!("SKIPPED: the tests over sample records: TOLLWAY_SAMPLES={} is no folder", folder.display());
        }
        Samples::None => println!("SKIPPED: the tests over sample records: name their folder in TOLLWAY_SAMPLES"),
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(lines: &str) -> Totals {
        let mut totals = Totals::default();
        lines.lines().for_each(|line| totals.add(line));
        totals
    }

    #[test]
    fn closing_lines_add_up_over_binaries() {
        let sum = totals(
            "running 3 tests\ntest a ... ok\n\
             test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
             test result: FAILED. 5 passed; 2 failed; 0 ignored; 0 measured; 7 filtered out; finished in 1.50s\n",
        );
        assert_eq!(sum, Totals { passed: 7, failed: 2, skipped: 1 });
        assert_eq!(sum.to_string(), "7 passed, 2 failed, 1 skipped");
    }

    #[test]
    fn failures_skips_in_ci_and_an_empty_run_are_errors() {
        let green = Totals { passed: 3, ..Totals::default() };
        assert!(green.verdict(true).is_ok());
        assert!(Totals { failed: 1, ..green }.verdict(false).is_err());
        assert!(Totals { skipped: 1, ..green }.verdict(false).is_ok());
        assert!(Totals { skipped: 1, ..green }.verdict(true).is_err());
        assert!(Totals::default().verdict(false).is_err());
    }

    #[test]
    fn a_promised_folder_that_is_absent_counts_as_skipped() {
        assert_eq!(Samples::Promised("nowhere".into()).skipped(), 1);
        assert_eq!(Samples::None.skipped(), 0);
    }
}
