//! Feeds spoilt files to everything that reads what others wrote, for a while, and keeps what it breaks on.
//!
//! *Purpose.* Never a panic, a hang or unbounded memory on any input; and what each target promises beside that. *Input →
//! output.* The corpus in `tests/fuzz/corpus` and a seed in; a line per target, and a file with the command that replays it for
//! a finding. *Never.* No coverage is measured (docs/adr/0016-fuzzing.md says why): what is tried rests on the mutations of each
//! format and on keeping inputs that made a target answer in a new way. *Start reading at* [`run`], then [`targets`].

mod case;
mod memory;
mod mutate;
mod random;
mod shrink;
mod targets;
mod watch;
mod wrap;

use std::collections::HashSet;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use case::Case;
use random::Random;
use targets::Target;
use watch::Watch;

const USAGE: &str = "\
fuzz list
fuzz TARGET [--seconds 10] [--seed N] [--found FOLDER]
fuzz TARGET --replay FILE
";

/// No input may take longer. Most take less than a millisecond; a machine that does other things is slow.
const INPUT_TIME_MAX: Duration = Duration::from_secs(20);

/// Memory that an input may take: this, and so many times its size.
const MEMORY_BASE: usize = 64 << 20;
const MEMORY_FACTOR: usize = 256;

/// Inputs that are kept beside the corpus while a target runs.
const KEPT_MAX: usize = 2_000;

/// So long an input is shown.
const SHOWN_MAX: usize = 1024;

/// What the last panic said.
static PANIC: Mutex<String> = Mutex::new(String::new());

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ended = match words[..] {
        ["list"] => {
            for target in targets::ALL {
                println!("{}", target.name);
            }
            Ok(ExitCode::SUCCESS)
        }
        [name, ref options @ ..] => {
            let target = targets::ALL.iter().find(|target| target.name == name);
            target.ok_or_else(|| format!("`{name}` is no target\n{USAGE}")).and_then(|target| command(target, options))
        }
        [] => Err(USAGE.to_owned()),
    };
    ended.unwrap_or_else(|problem| {
        eprintln!("{problem}");
        ExitCode::FAILURE
    })
}

/// What is asked for.
struct Options {
    seconds: u64,
    seed: u64,
    /// Where findings go.
    found: PathBuf,
    replay: Option<PathBuf>,
}

fn options(words: &[&str]) -> Result<Options, String> {
    let mut options = Options { seconds: 10, seed: 0, found: "target/fuzz".into(), replay: None };
    for pair in words.chunks(2) {
        let number = |text: &str| text.parse::<u64>().map_err(|_| format!("`{text}` is no number"));
        match pair {
            ["--seconds", text] => options.seconds = number(text)?,
            ["--seed", text] => options.seed = number(text)?,
            ["--found", folder] => options.found = folder.into(),
            ["--replay", file] => options.replay = Some(file.into()),
            other => return Err(format!("`{}` is not understood\n{USAGE}", other.join(" "))),
        }
    }
    Ok(options)
}

fn command(target: &Target, words: &[&str]) -> Result<ExitCode, String> {
    let options = options(words)?;
    panic::set_hook(Box::new(|info| *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = info.to_string()));
    let watch = Watch::new(target.name, INPUT_TIME_MAX, &options.found);
    if let Some(file) = &options.replay {
        let case = Case::read(file).map_err(|error| format!("failed to read `{}`: {error}", file.display()))?;
        return Ok(match watch.over(&case, || attempt(target, &case)) {
            Ok(_) => {
                println!("fuzz {}: `{}` is no finding", target.name, file.display());
                ExitCode::SUCCESS
            }
            Err(what) => {
                println!("fuzz {}: {what}", target.name);
                ExitCode::FAILURE
            }
        });
    }
    let corpus = target.cases().map_err(|error| format!("failed to read the corpus of {}: {error}", target.name))?;
    Ok(run(target, &corpus, &options, &watch))
}

/// Tries the corpus, then spoilt inputs until the time is over; those with a new answer are spoilt further.
fn run(target: &Target, corpus: &[Case], options: &Options, watch: &Watch) -> ExitCode {
    let until = now() + Duration::from_secs(options.seconds);
    let mut random = Random::new(options.seed);
    let mut answers = HashSet::new();
    let mut pool = corpus.to_vec();
    let mut tried = 0;
    loop {
        let case = if let Some(case) = corpus.get(tried) {
            case.clone()
        } else if now() > until || pool.is_empty() {
            break;
        } else {
            let (one, other) = (random.below(pool.len()), random.below(pool.len()));
            mutate::mutate(&mut random, target.shape, target.tokens, &pool[one], &pool[other])
        };
        tried += 1;
        match watch.over(&case, || attempt(target, &case)) {
            Ok(answer) if answers.insert(answer) && pool.len() < corpus.len() + KEPT_MAX => pool.push(case),
            Ok(_) => {}
            Err(what) => {
                let small = shrink::shrink(target, &case, watch);
                let place = small.write(&options.found, target.name).unwrap_or_default();
                println!("{}", finding(target.name, &format!("{what} (seed {})", options.seed), &place));
                // Where the file is lost with the machine, its bytes are in the log.
                if small.bytes.len() <= SHOWN_MAX {
                    println!("  its bytes: b\"{}\"", small.bytes.escape_ascii());
                }
                return ExitCode::FAILURE;
            }
        }
    }
    let kept = pool.len() - corpus.len();
    println!(
        "fuzz {}: {tried} inputs, {} answers, {kept} kept, seed {}: nothing found",
        target.name,
        answers.len(),
        options.seed
    );
    ExitCode::SUCCESS
}

/// Runs a target over one input: what it answered, or what is wrong.
fn attempt(target: &Target, case: &Case) -> Result<u64, String> {
    let limit = MEMORY_BASE + MEMORY_FACTOR * case.bytes.len();
    let (result, peak) = memory::measured(limit, || panic::catch_unwind(AssertUnwindSafe(|| (target.run)(case))));
    let result = result.map_err(|_| PANIC.lock().unwrap_or_else(PoisonError::into_inner).replace('\n', ": "))?;
    if peak > limit {
        return Err(format!("{peak} bytes of memory for an input of {}, {limit} are allowed", case.bytes.len()));
    }
    result
}

/// What is said of a finding.
fn finding(target: &str, what: &str, place: &Path) -> String {
    let file = place.display();
    format!(
        "fuzz {target}: FOUND: {what}\n  the input: {file}\n  again:     cargo xtask fuzz {target} --replay {file}\n  \
         to keep:   move it to tests/fuzz/corpus/{target}/, where `cargo test -p tests --bin fuzz` reads it"
    )
}

#[expect(clippy::disallowed_methods, reason = "how long an input takes is what is tested")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_of_the_corpus_passes_its_target() {
        for target in targets::ALL {
            let cases = target.cases().expect("a corpus");
            assert!(!cases.is_empty(), "{} has inputs to begin with", target.name);
            for case in cases {
                if let Err(what) = attempt(target, &case) {
                    panic!("{} {}: {what}: {:?}", target.name, case.label, String::from_utf8_lossy(&case.bytes));
                }
            }
        }
    }

    #[test]
    fn a_panic_and_too_much_memory_are_findings() {
        let panics = Target { run: |case| Ok(u64::from(case.bytes[7])), ..targets::ALL[0] };
        assert!(attempt(&panics, &Case::new("any", "short")).is_err());
        let hungry = Target { run: |_| Ok(vec![1u8; 65 << 20].len() as u64), ..targets::ALL[0] };
        assert!(attempt(&hungry, &Case::new("any", "x")).expect_err("too much").contains("bytes of memory"));
    }

    #[test]
    fn a_finding_is_made_small_and_read_back() {
        let finds_x =
            Target { run: |case| if case.bytes.contains(&b'x') { Err("x".to_owned()) } else { Ok(0) }, ..targets::ALL[0] };
        let folder = tempfile::tempdir().expect("a folder");
        let watch = Watch::new("any", INPUT_TIME_MAX, folder.path());
        let small = shrink::shrink(&finds_x, &Case::new("any", "abc\ndefxghi\njkl"), &watch);
        assert_eq!(small, Case::new("any", "x"));
        let place = small.write(folder.path(), "any").expect("written");
        assert_eq!(Case::read(&place).expect("read"), small);
    }
}
