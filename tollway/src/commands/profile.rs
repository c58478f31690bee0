//! `tollway profile`: the shipped layouts, and a dry run of one against a file.

use std::path::Path;

use anyhow::Context;
use domain::nearest;
use domain::number::masked;
use ingest::draft::{DraftLimits, open_samples};
use ingest::parse::check::{CheckReport, CheckedRow, check};
use ingest::profile::Profile;
use serde_json::json;

use crate::cli::{Global, ProfileCommand};
use crate::exit_code::{Exit, bad_input};
use crate::output::{Answer, Sheet, count};

/// Most bytes of a file that a dry run reads, wrapped or not.
const CHECK_BYTES_MAX: u64 = 256 << 20;

/// Most files of an archive that it reads.
const CHECK_FILES_MAX: usize = 1000;

/// Runs the command.
pub fn run(global: &Global, command: &ProfileCommand) -> anyhow::Result<Exit> {
    match command {
        ProfileCommand::List => list(global),
        ProfileCommand::Show { profile } => {
            let text = text_of(profile)?;
            let json = json!({"profile": profile, "toml": text});
            Answer { headline: text.trim_end().to_owned(), json, ..Answer::default() }.print(global.output)?;
            Ok(Exit::Done)
        }
        ProfileCommand::Check { profile, file, rows } => check_file(global, profile, file, *rows),
        ProfileCommand::Draft(args) => super::profile_draft::run(global, args),
    }
}

/// The text of a profile: a shipped name, or a TOML file.
pub fn text_of(profile: &str) -> anyhow::Result<String> {
    if let Some(text) = config::profiles::find(profile) {
        return Ok(text.to_owned());
    }
    if Path::new(profile).extension().is_some_and(|e| e == "toml") || profile.contains('/') {
        return std::fs::read_to_string(profile).map_err(|e| bad_input(format!("profile file {profile} cannot be read: {e}")));
    }
    let known: Vec<&str> = config::profiles::SHIPPED.iter().map(|(n, _)| *n).collect();
    let hint = nearest::hint(profile, known.iter().copied());
    Err(bad_input(format!("there is no profile `{profile}`: shipped are {}, or name a TOML file{hint}", known.join(", "))))
}

/// Loads a profile by shipped name or TOML file.
pub fn load(profile: &str) -> anyhow::Result<Profile> {
    let text = text_of(profile)?;
    Profile::load(&text).with_context(|| format!("profile `{profile}` is not right"))
}

fn list(global: &Global) -> anyhow::Result<Exit> {
    let mut sheet = Sheet::new("", &["profile", "version", "layout", ""]);
    let mut all = Vec::new();
    for (name, text) in config::profiles::SHIPPED {
        let p = Profile::load(text).with_context(|| format!("shipped profile `{name}`"))?;
        let note = if p.assumed() { "assumed layout" } else { "" };
        sheet.row([p.name().to_owned(), p.version().to_string(), p.title().to_owned(), note.to_owned()]);
        all.push(json!({"name": p.name(), "version": p.version(), "title": p.title(), "assumed": p.assumed()}));
    }
    let next = vec!["your own: docs/howto/add-a-layout.md".to_owned()];
    Answer { headline: format!("{} shipped profiles", all.len()), sheets: vec![sheet], next, json: json!(all) }
        .print(global.output)?;
    Ok(Exit::Done)
}

fn check_file(global: &Global, profile: &str, path: &Path, rows: usize) -> anyhow::Result<Exit> {
    let profile = load(profile)?;
    let facts = std::fs::metadata(path).map_err(|e| bad_input(format!("{} cannot be read: {e}", path.display())))?;
    if facts.is_dir() {
        return Err(bad_input(format!("{} is a folder; name one file of it", path.display())));
    }
    let size = facts.len();
    if size > CHECK_BYTES_MAX {
        return Err(bad_input(format!(
            "{} has {size} bytes; a dry run reads at most {CHECK_BYTES_MAX}: check a part of it",
            path.display()
        )));
    }
    let limits = DraftLimits { rows_max: rows, bytes_max: usize::try_from(CHECK_BYTES_MAX)?, files_max: CHECK_FILES_MAX };
    let opened = open_samples(&path.display().to_string(), &mut std::fs::File::open(path)?, limits)?;
    if let Some(large) = opened.samples.iter().find(|sample| !sample.is_whole) {
        return Err(bad_input(format!(
            "{} has more than {CHECK_BYTES_MAX} bytes, or stands behind {CHECK_FILES_MAX} others; unpack it and check a part of it",
            large.name
        )));
    }
    let is_plain = matches!(&opened.samples[..], [one] if opened.refused.is_empty() && one.name == path.display().to_string());
    let mut reports: Vec<CheckReport> =
        opened.samples.iter().map(|sample| check(&profile, &sample.name, &sample.bytes, rows)).collect();
    if !global.clear {
        reports.iter_mut().for_each(hide_numbers);
    }
    let refused: Vec<String> = opened.refused.iter().map(ToString::to_string).collect();
    let mut whole = Answer {
        json: if is_plain { json!(reports[0]) } else { json!({"members": reports, "refused": refused}) },
        ..Answer::default()
    };
    let mut fits = refused.is_empty() && !reports.is_empty();
    for report in &reports {
        fits &= add(&mut whole, report, !is_plain);
    }
    whole.next.extend(refused);
    whole.headline = whole.headline.trim_start().to_owned();
    whole.print(global.output)?;
    Ok(if fits { Exit::Done } else { Exit::NeedsHand })
}

/// Adds what a profile makes of a file to the answer; says whether all of it is right.
fn add(answer: &mut Answer, report: &CheckReport, is_member: bool) -> bool {
    let of = if is_member { format!("{} · ", report.file) } else { String::new() };
    for row in &report.shown {
        let note = if row.note.is_empty() { String::new() } else { format!(": {}", row.note) };
        let heading = format!("{of}{} · {}{note}", place(row), row.outcome);
        let mut sheet = Sheet::new(&heading, &["", "column", "in the file", "became"]);
        for column in &row.columns {
            let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            let role = if column.is_wrong { format!("✗ {}", column.role) } else { column.role.clone() };
            sheet.row([role, column.column.clone(), shown(&column.source), shown(&column.became)]);
        }
        answer.sheets.push(sheet);
    }
    let mut next: Vec<String> = report.malformed.iter().map(|(reason, n)| format!("{} rows: {reason}", count(*n))).collect();
    next.extend(report.skipped.iter().map(|(rule, n)| format!("{} rows skipped by rule `{rule}`", count(*n))));
    next.extend(report.differences.iter().map(|difference| format!("audit control: {difference}")));
    next.extend(report.absent.iter().cloned());
    if report.repeated_times > 0 {
        next.push(format!(
            "{} rows have a local time that the autumn change repeats; the first was taken",
            count(report.repeated_times)
        ));
    }
    answer.next.extend(next.into_iter().map(|line| format!("{of}{line}")));
    let line = format!(
        "\n{}: {}, {} rows, {} readable{}",
        report.file,
        report.verdict.state.as_str(),
        count(report.rows),
        count(report.readable),
        if report.verdict.message.is_empty() { String::new() } else { format!("\n  {}", report.verdict.message) }
    );
    answer.headline.push_str(&line);
    // An empty file is taken, but unless it is a heartbeat someone has to look.
    report.verdict.state.is_taken() && report.verdict.message.is_empty() && report.malformed.is_empty()
}

/// Where a row stands, as people look it up.
fn place(row: &CheckedRow) -> String {
    match row.line {
        Some(line) => format!("line {}", count(line)),
        None => format!("event {}, byte {}", count(row.row), count(row.byte)),
    }
}

/// Hides subscribers' numbers, in what the file says and in what it became (`e164 31612345678`).
pub(super) fn hide_numbers(report: &mut CheckReport) {
    let columns = report.shown.iter_mut().flat_map(|row| &mut row.columns);
    for column in columns.filter(|c| matches!(c.role.as_str(), "served" | "other" | "imsi" | "iccid")) {
        column.source = column.source.as_deref().map(masked);
        column.became = column.became.as_deref().map(|text| match text.split_once(' ') {
            Some((kind, number)) => format!("{kind} {}", masked(number)),
            None if text.bytes().any(|b| b.is_ascii_digit()) => masked(text),
            None => text.to_owned(),
        });
    }
}
