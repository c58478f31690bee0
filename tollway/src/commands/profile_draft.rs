//! `tollway profile draft`: a proposed profile for files of an unknown layout, tried on them at once.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use domain::number::mask_digits;
use ingest::draft::{Draft, DraftLimits, Sample, draft, read_samples};
use ingest::parse::check::{CheckReport, CheckedRow};
use serde_json::{Value, json};

use super::profile::hide_numbers;
use crate::cli::{DraftArgs, Global, OutputMode};
use crate::exit_code::{Exit, bad_input, refused};
use crate::output::{Answer, Sheet, count};

/// Broken rows of each file that are looked at for an example of each reason.
const EXAMPLE_ROWS: usize = 200;

/// Runs the command.
pub fn run(global: &Global, args: &DraftArgs) -> anyhow::Result<Exit> {
    let limits = DraftLimits { rows_max: args.rows, bytes_max: args.bytes, ..DraftLimits::default() };
    let mut samples = Vec::new();
    for path in &args.files {
        samples.extend(sample(path, limits)?);
    }
    let draft = draft(&samples, args.name.as_deref(), limits)?;
    let checks: Vec<Checked> = samples.iter().map(|sample| check(global, &draft, sample)).collect();
    if let Some(out) = &args.out {
        write_new(out, &draft.toml)?;
    }
    let fits = checks.iter().all(Checked::fits);
    tell(global, args, &draft, &checks)?;
    Ok(if fits { Exit::Done } else { Exit::NeedsHand })
}

fn sample(path: &Path, limits: DraftLimits) -> anyhow::Result<Vec<Sample>> {
    let unreadable = |e: std::io::Error| bad_input(format!("{} cannot be read: {e}", path.display()));
    let mut file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(bad_input(format!("{} is a folder; name files of it", path.display())));
    }
    Ok(read_samples(&path.display().to_string(), &mut file, limits)?)
}

/// Writes a profile where no file is.
fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|e| match e.kind() {
        ErrorKind::AlreadyExists => {
            refused(format!("{} is there already and may hold answers; name another file, or remove it", path.display()))
        }
        _ => bad_input(format!("{} cannot be written: {e}", path.display())),
    })
}

/// What the profile makes of a sample.
struct Checked {
    report: CheckReport,
    is_whole: bool,
}

fn check(global: &Global, draft: &Draft, sample: &Sample) -> Checked {
    let mut report = draft.check(sample, EXAMPLE_ROWS);
    if !global.clear {
        hide_numbers(&mut report);
        // A column of another meaning may hold numbers when the draft is wrong about it.
        let columns = report.shown.iter_mut().flat_map(|row| &mut row.columns).filter(|column| column.role != "time");
        for text in columns.filter_map(|column| column.source.as_mut()) {
            *text = mask_digits(text);
        }
    }
    Checked { report, is_whole: sample.is_whole }
}

impl Checked {
    fn fits(&self) -> bool {
        self.report.malformed.is_empty() && self.report.rows > 0 && (!self.is_whole || self.report.verdict.state.is_taken())
    }

    /// The state of the file; of one that was not read to its end nothing is known.
    fn state(&self) -> &'static str {
        if self.is_whole { self.report.verdict.state.as_str() } else { "beginning only" }
    }

    fn malformed(&self) -> u64 {
        self.report.malformed.values().sum()
    }

    fn skipped(&self) -> u64 {
        self.report.skipped.values().sum()
    }

    /// The first row that fails for a reason, and in which column.
    fn example(&self, reason: &str) -> (String, String) {
        let row = self.report.shown.iter().find(|row| row.outcome == reason);
        let wrong = |row: &CheckedRow| {
            let column = row.columns.iter().find(|column| column.is_wrong)?;
            Some((column.column.clone(), column.source.clone().unwrap_or_default()))
        };
        row.and_then(wrong).unwrap_or_default()
    }

    fn json(&self) -> Value {
        let report = &self.report;
        let failing: Vec<Value> = report
            .malformed
            .iter()
            .map(|(reason, rows)| {
                let (column, text) = self.example(reason);
                json!({"reason": reason, "rows": rows, "column": column, "example": text})
            })
            .collect();
        json!({
            "file": report.file, "state": self.state(), "message": if self.is_whole { &report.verdict.message } else { "" },
            "rows": report.rows, "readable": report.readable, "skipped": report.skipped, "failing": failing,
        })
    }
}

fn tell(global: &Global, args: &DraftArgs, draft: &Draft, checks: &[Checked]) -> anyhow::Result<()> {
    let decisions: Vec<Value> = draft
        .decisions
        .iter()
        .map(|d| {
            json!({"setting": d.key, "value": d.value, "percent": d.confidence, "confidence": d.confidence.level(),
                "because": d.because, "question": d.question})
        })
        .collect();
    let json = json!({
        "profile": draft.profile.name(), "out": args.out, "toml": draft.toml, "rows": draft.rows, "decisions": decisions,
        "questions": draft.questions, "check": checks.iter().map(Checked::json).collect::<Vec<_>>(),
    });
    let answer = Answer { headline: headline(draft, checks), sheets: sheets(draft, checks), next: next(args, draft), json };
    if args.out.is_some() || global.output != OutputMode::Table {
        return answer.print(global.output);
    }
    Answer { headline: draft.toml.trim_end().to_owned(), ..Answer::default() }.print(OutputMode::Table)?;
    if global.quiet { Ok(()) } else { answer.print_beside() }
}

fn headline(draft: &Draft, checks: &[Checked]) -> String {
    let sum = |of: fn(&Checked) -> u64| count(checks.iter().map(of).sum());
    format!(
        "`{}`: {} settings, {} questions; of {} rows {} are readable, {} skipped, {} malformed",
        draft.profile.name(),
        draft.decisions.len(),
        draft.questions.len(),
        sum(|c| c.report.rows),
        sum(|c| c.report.readable),
        sum(Checked::skipped),
        sum(Checked::malformed),
    )
}

fn sheets(draft: &Draft, checks: &[Checked]) -> Vec<Sheet> {
    let mut questions = Sheet::new("questions, each above its line of the profile", &["#line", "setting", "question"]);
    for question in &draft.questions {
        questions.row([question.line.to_string(), question.key.clone(), question.text.clone()]);
    }
    let mut settings = Sheet::new("settings", &["setting", "value", "#%", "sure", "because"]);
    for d in &draft.decisions {
        let percent = d.confidence.percent().to_string();
        settings.row([d.key.clone(), d.value.clone(), percent, d.confidence.level().to_owned(), d.because.clone()]);
    }
    let mut tried = Sheet::new("tried on the sample", &["file", "state", "#rows", "#readable", "#skipped", "#malformed"]);
    let mut failing = Sheet::new("rows that fail", &["file", "reason", "#rows", "column", "first of them"]);
    for checked in checks {
        let report = &checked.report;
        let counts = [report.rows, report.readable, checked.skipped(), checked.malformed()].map(count);
        tried.row([report.file.clone(), checked.state().to_owned()].into_iter().chain(counts));
        for (reason, rows) in &report.malformed {
            let (column, text) = checked.example(reason);
            failing.row([report.file.clone(), reason.clone(), count(*rows), column, text]);
        }
    }
    let mut sheets = vec![questions, settings, tried];
    sheets.extend((!failing.rows.is_empty()).then_some(failing));
    sheets
}

fn next(args: &DraftArgs, draft: &Draft) -> Vec<String> {
    let toml = args.out.as_ref().map_or_else(|| format!("{}.toml", draft.profile.name()), |out| out.display().to_string());
    let file = args.files.first().map_or_else(String::new, |file| file.display().to_string());
    vec![
        format!("answer the questions in {toml}, then: tollway profile check {toml} {file}"),
        format!("and when its rows are right: tollway ingest --profile {toml} --account ACCOUNT {file}"),
    ]
}
