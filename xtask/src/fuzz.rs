//! `cargo xtask fuzz`: spoilt files for everything that reads what others wrote, some targets beside each other.

use std::collections::VecDeque;
use std::env;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, bail};

use crate::workspace::{self, Workspace};

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Wanted<'w> {
    /// Empty: all.
    targets: Vec<&'w str>,
    seconds: u64,
    seed: Option<u64>,
    replay: Option<&'w str>,
}

impl<'w> Wanted<'w> {
    fn read(words: &[&'w str]) -> anyhow::Result<Self> {
        let mut wanted = Self { targets: Vec::new(), seconds: 10, seed: None, replay: None };
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("`{word}` needs a value"));
            let number = |text: &str| text.parse::<u64>().with_context(|| format!("`{text}` is no number"));
            match word {
                "--seconds" => wanted.seconds = number(value()?)?,
                "--seed" => wanted.seed = Some(number(value()?)?),
                "--replay" => wanted.replay = Some(value()?),
                _ if word.starts_with('-') => bail!("`{word}` is no option of fuzz: --seconds, --seed and --replay are"),
                target => wanted.targets.push(target),
            }
        }
        if wanted.replay.is_some() && wanted.targets.len() != 1 {
            bail!("--replay needs one target: `cargo xtask fuzz TARGET --replay FILE`");
        }
        Ok(wanted)
    }
}

/// Builds the program and runs the targets, as many beside each other as there are cores; fails if one finds something.
pub fn run(workspace: &Workspace, words: &[&str]) -> anyhow::Result<()> {
    let wanted = Wanted::read(words)?;
    workspace.build_all()?;
    let program = workspace.tollway()?.with_file_name(format!("fuzz{}", env::consts::EXE_SUFFIX));
    if let (Some(file), [target]) = (wanted.replay, &wanted.targets[..]) {
        return workspace::run(Command::new(&program).args([target, "--replay", file]));
    }
    let list = workspace::output(Command::new(&program).arg("list"))?;
    let known: Vec<&str> = list.lines().collect();
    if let Some(unknown) = wanted.targets.iter().find(|target| !known.contains(target)) {
        bail!("`{unknown}` is no target: {} are", known.join(", "));
    }
    let targets = if wanted.targets.is_empty() { known } else { wanted.targets };
    let seed = wanted.seed.unwrap_or_else(|| RandomState::new().hash_one("fuzz"));
    let found = program.with_file_name("fuzz-found");
    let failed = side_by_side(&targets, |target| one(&program, target, wanted.seconds, seed, &found))?;
    if failed.is_empty() {
        return Ok(());
    }
    bail!("found something in {}: see above how to replay it; seed {seed}", failed.join(", "));
}

/// Runs one target; says whether it found nothing.
fn one(program: &PathBuf, target: &str, seconds: u64, seed: u64, found: &PathBuf) -> anyhow::Result<bool> {
    let mut command = Command::new(program);
    command.args([target, "--seconds", &seconds.to_string(), "--seed", &seed.to_string()]).arg("--found").arg(found);
    let output = command.output().with_context(|| format!("failed to start `{}`", workspace::spelled(&command)))?;
    let said = [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat();
    let said = said.trim_end();
    match said {
        "" => println!("fuzz {target}: ended with {}; run it alone with --seed {seed}", output.status),
        said => println!("{said}"),
    }
    Ok(output.status.success())
}

/// Runs all, as many at a time as there are cores; those that failed, in their order.
fn side_by_side<'t>(targets: &[&'t str], run: impl Fn(&str) -> anyhow::Result<bool> + Sync) -> anyhow::Result<Vec<&'t str>> {
    let waiting = Mutex::new(targets.iter().copied().collect::<VecDeque<_>>());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let cores = thread::available_parallelism().map_or(1, usize::from).min(targets.len());
    let work = || -> anyhow::Result<Vec<&'t str>> {
        let mut failed = Vec::new();
        while let Some(target) = next() {
            if !run(target)? {
                failed.push(target);
            }
        }
        Ok(failed)
    };
    let mut failed = thread::scope(|scope| -> anyhow::Result<Vec<&'t str>> {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let mut failed = Vec::new();
        for worker in workers {
            failed.extend(worker.join().map_err(|_| anyhow::anyhow!("a worker panicked"))??);
        }
        Ok(failed)
    })?;
    failed.sort_by_key(|target| targets.iter().position(|other| other == target));
    Ok(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_targets_and_options() {
        let wanted = Wanted::read(&["xml", "--seconds", "60", "tap3", "--seed", "7"]).unwrap();
        assert_eq!(wanted, Wanted { targets: vec!["xml", "tap3"], seconds: 60, seed: Some(7), replay: None });
        for wrong in [&["--seconds"][..], &["--seconds", "x"], &["--verbose"], &["--replay", "file"]] {
            assert!(Wanted::read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn all_targets_run_and_those_that_failed_are_named_in_order() {
        let failed = side_by_side(&["a", "b", "c", "d"], |target| Ok(!"db".contains(target))).unwrap();
        assert_eq!(failed, ["b", "d"]);
        assert!(side_by_side(&["a"], |_| bail!("no program")).is_err());
    }
}
