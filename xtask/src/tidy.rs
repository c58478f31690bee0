//! `cargo xtask tidy`: the rules of this repository that no compiler knows, each with a message that says how to mend it.

mod architecture;
mod code;
mod crates;
mod pages;
mod rating;
mod size;
mod source;
mod text;
mod tree;

use std::fmt;

use anyhow::bail;

use crate::workspace::Workspace;
use tree::Tree;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Should be mended when the place is touched next.
    Warning,
    /// Ends `tidy` with an error.
    Breach,
}

/// One place that a rule does not like.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    weight: Weight,
    path: String,
    line: usize,
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = if self.weight == Weight::Warning { "warning: " } else { "" };
        write!(f, "{}:{}: {weight}{}", self.path, self.line, self.message)
    }
}

/// Collects findings.
#[derive(Debug, Default)]
pub struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// Something that must be mended. Lines count from 1.
    pub fn breach(&mut self, path: &str, line: usize, message: impl Into<String>) {
        self.findings.push(Finding { weight: Weight::Breach, path: path.to_owned(), line, message: message.into() });
    }

    /// Something that should be mended.
    pub fn warning(&mut self, path: &str, line: usize, message: impl Into<String>) {
        self.findings.push(Finding { weight: Weight::Warning, path: path.to_owned(), line, message: message.into() });
    }

    fn count(&self, weight: Weight) -> usize {
        self.findings.iter().filter(|finding| finding.weight == weight).count()
    }
}

/// All rules, in the order of their modules.
const RULES: &[fn(&Tree, &mut Report)] = &[
    crates::arrows,
    crates::owners,
    crates::manifests,
    architecture::map_names_every_crate,
    architecture::crate_cards,
    architecture::decisions_are_numbered,
    architecture::decisions_have_their_parts,
    architecture::error_codes_have_pages,
    code::module_docs,
    code::no_unwrap,
    code::no_bare_allow,
    code::no_floats_near_money,
    code::pure_core,
    code::no_globs,
    code::no_skipped_tests,
    code::no_catch_all_names,
    size::files,
    size::functions,
    size::vocabulary,
    text::white_space,
    text::open_ends,
    text::machine_paths,
    pages::links,
    pages::named_paths,
    rating::clauses_have_rows,
];

/// Checks the tracked and the new files of the working tree.
pub fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let tree = Tree::read(&workspace.root)?;
    let mut report = Report::default();
    for rule in RULES {
        rule(&tree, &mut report);
    }
    report.findings.sort();
    for finding in &report.findings {
        println!("{finding}");
    }
    println!(
        "tidy: {}, {} warnings, {} breaches",
        size::figures(&tree),
        report.count(Weight::Warning),
        report.count(Weight::Breach)
    );
    match report.count(Weight::Breach) {
        0 => Ok(()),
        n => bail!("{n} breaches of the rules in CONTRIBUTING.md"),
    }
}

/// What rules find in a made-up tree: `path:line: message` lines.
#[cfg(test)]
pub fn findings(rule: fn(&Tree, &mut Report), files: &[(&str, &str)]) -> Vec<String> {
    let mut report = Report::default();
    rule(&Tree::of(files), &mut report);
    report.findings.iter().map(ToString::to_string).collect()
}

/// Asserts that a rule finds exactly one thing, which starts so.
#[cfg(test)]
pub fn assert_breach(rule: fn(&Tree, &mut Report), files: &[(&str, &str)], start: &str) {
    let found = findings(rule, files);
    assert!(found.len() == 1 && found[0].starts_with(start), "wanted one finding `{start}…`, got {found:#?}");
}

/// Asserts that a rule finds nothing.
#[cfg(test)]
pub fn assert_clean(rule: fn(&Tree, &mut Report), files: &[(&str, &str)]) {
    let found = findings(rule, files);
    assert!(found.is_empty(), "wanted no findings, got {found:#?}");
}
