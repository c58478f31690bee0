//! `tollway tariff lint`: what is wrong with tariffs, alone, with each other, and with those in force.

use std::collections::BTreeMap;
use std::path::Path;

use rate::error::Place;
use rate::lint::levels::idle_levels;
use rate::lint::versions::{Given, together};
use rate::lint::{Finding, Linted, Rule, Severity, lint, sorted};
use rate::tariff::Tariff;
use serde_json::{Value, json};

use super::named::Known;
use crate::cli::{Global, OutputMode, TariffLintArgs};
use crate::exit_code::Exit;
use crate::output::{Answer, Sheet, count, counted};

/// Runs the command.
pub fn run(global: &Global, args: &TariffLintArgs) -> anyhow::Result<Exit> {
    let known = Known::if_any(global)?;
    let looked: Vec<Looked> = args.tariffs.iter().map(|name| look_at(&known, name, args.base.as_deref())).collect();
    let in_force = known.in_force.iter().map(Tariff::load).collect::<Result<Vec<_>, _>>()?;
    let given: Vec<Given<'_>> = looked.iter().filter_map(Looked::given).collect();
    let beside = together(&given, &in_force);
    let levels = idle_levels(&given, known.owner_paths.iter().map(|path| &**path));
    let findings = looked.iter().flat_map(|one| one.linted.findings.iter().cloned()).chain(beside).chain(levels);
    let findings = sorted(findings.collect());
    let counts = [Severity::Error, Severity::Warning, Severity::Note]
        .map(|severity| findings.iter().filter(|finding| finding.severity() == severity).count());
    let json = json!({
        "tariffs": looked.iter().map(Looked::json).collect::<Vec<_>>(),
        "compared_with": in_force.iter().map(|tariff| tariff.id().to_string()).collect::<Vec<_>>(),
        "errors": counts[0], "warnings": counts[1], "notes": counts[2],
        "findings": findings.iter().map(finding_json).collect::<Vec<_>>(),
    });
    let mut lines: Vec<String> = looked.iter().map(Looked::line).collect();
    lines.push(totals(counts, in_force.len()));
    lines.extend(told(&findings, args.limit));
    // Sentences do not fit the cells of a screen, so only programs get a table.
    let sheets = if global.output == OutputMode::Csv { vec![sheet(&findings)] } else { Vec::new() };
    let next = looked.iter().filter_map(|one| one.aside.clone()).collect();
    Answer { headline: lines.join("\n"), sheets, next, json }.print(global.output)?;
    Ok(match counts {
        [0, 0, _] => Exit::Done,
        [0, ..] => Exit::NeedsHand,
        _ => Exit::BadInput,
    })
}

/// A tariff that was named, as far as it could be read.
struct Looked {
    name: String,
    linted: Linted,
    aside: Option<String>,
}

/// What cannot be read is a finding as well, so that nothing else is lost.
fn look_at(known: &Known, name: &str, base: Option<&Path>) -> Looked {
    let (linted, aside) = match known.find(name, base) {
        Ok(named) => (lint(&named.source), named.aside),
        Err(error) => {
            let text = format!("{error:#}");
            let (what, remedy) = text.rsplit_once("; ").unwrap_or((&text, "name a file that is there"));
            let place = Place { file: name.into(), line: None };
            let finding = Finding { rule: Rule::Unreadable, place, what: what.to_owned(), remedy: remedy.to_owned() };
            (Linted { tariff: None, findings: vec![finding] }, None)
        }
    };
    Looked { name: name.to_owned(), linted, aside }
}

impl Looked {
    fn given(&self) -> Option<Given<'_>> {
        self.linted.tariff.as_ref().map(|tariff| Given { file: &self.name, tariff })
    }

    fn line(&self) -> String {
        match &self.linted.tariff {
            Some(tariff) => {
                let rows: usize = tariff.table_rows().iter().map(|(_, rows)| rows).sum();
                format!("{}: {}, {} plans, {} rows", self.name, tariff.id(), tariff.plan_names().len(), count(rows as u64))
            }
            None if self.linted.findings.iter().any(|finding| finding.rule == Rule::Unreadable) => {
                format!("{}: cannot be read", self.name)
            }
            None => format!("{}: is refused", self.name),
        }
    }

    fn json(&self) -> Value {
        json!({"tariff": self.name, "id": self.linted.tariff.as_ref().map(|tariff| tariff.id().to_string())})
    }
}

fn totals([errors, warnings, notes]: [usize; 3], in_force: usize) -> String {
    let many = |n: usize, what: &str| counted(n as u64, what);
    let beside = match in_force {
        0 => String::new(),
        n => format!("; compared with {} in the data folder", many(n, "tariff")),
    };
    format!("{}, {}, {}{beside}", many(errors, "error"), many(warnings, "warning"), many(notes, "note"))
}

/// Two lines for each finding, at most `limit` findings of a rule.
fn told(findings: &[Finding], limit: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut seen: BTreeMap<Rule, usize> = BTreeMap::new();
    for finding in findings {
        let nth = seen.entry(finding.rule).or_default();
        *nth += 1;
        if limit != 0 && *nth > limit {
            continue;
        }
        let Finding { rule, place, what, remedy } = finding;
        lines.push(String::new());
        lines.push(format!("{}: {place}: {what}", finding.severity().as_str()));
        lines.push(format!("  {remedy} ({})", rule.as_str()));
    }
    let cut: Vec<String> = seen
        .into_iter()
        .filter(|(_, all)| limit != 0 && *all > limit)
        .map(|(rule, all)| format!("{} of {}", count((all - limit) as u64), rule.as_str()))
        .collect();
    if !cut.is_empty() {
        lines.push(format!("\n… and {}: --limit 0 shows all", cut.join(", ")));
    }
    lines
}

fn sheet(findings: &[Finding]) -> Sheet {
    let mut sheet = Sheet::new("", &["severity", "rule", "file", "line", "what", "remedy"]);
    for finding in findings {
        let Finding { rule, place, what, remedy } = finding;
        let line = place.line.map_or_else(String::new, |line| line.to_string());
        sheet.row([
            finding.severity().as_str().to_owned(),
            rule.as_str().to_owned(),
            place.file.to_string(),
            line,
            what.clone(),
            remedy.clone(),
        ]);
    }
    sheet
}

fn finding_json(finding: &Finding) -> Value {
    let Finding { rule, place, what, remedy } = finding;
    json!({
        "severity": finding.severity(), "rule": rule, "file": &*place.file, "line": place.line, "what": what, "remedy": remedy,
    })
}
