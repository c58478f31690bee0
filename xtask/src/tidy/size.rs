//! How long files and functions are, and how much the vocabulary holds.

use super::Report;
use super::source::{EXCUSE, RustSource};
use super::tree::Tree;

/// Lines of a file without its tests: from here on it asks to be split.
const FILE_LINES_WARN: usize = 400;
/// … and from here on it must be.
const FILE_LINES_MAX: usize = 600;
/// Lines of a function, with its braces.
const FUNCTION_LINES_MAX: usize = 70;
/// Lines of `domain` without its tests: everyone compiles and reads it.
const VOCABULARY_LINES_MAX: usize = 4_000;

/// A file can be read in one sitting.
pub fn files(tree: &Tree, report: &mut Report) {
    for source in tree.sources() {
        let (lines, _) = source.line_counts();
        if lines > FILE_LINES_MAX {
            report.breach(
                &source.path,
                1,
                format!("{lines} lines without tests, {FILE_LINES_MAX} at most: split it by what it is about"),
            );
        } else if lines > FILE_LINES_WARN {
            report.warning(
                &source.path,
                1,
                format!("{lines} lines without tests, {FILE_LINES_WARN} are enough: look for a second subject"),
            );
        }
    }
}

/// A function fits on a screen, or is a table and says so.
pub fn functions(tree: &Tree, report: &mut Report) {
    for source in tree.sources() {
        for function in source.functions() {
            let lines = function.last_line - function.first_line + 1;
            if lines <= FUNCTION_LINES_MAX || source.is_excused(function.first_line) {
                continue;
            }
            let message = format!(
                "`{}` has {lines} lines, {FUNCTION_LINES_MAX} at most: name its steps; a table or one match says why with `{EXCUSE} <reason>` above it",
                function.name
            );
            report.breach(&source.path, function.first_line, message);
        }
    }
}

/// The vocabulary stays small.
pub fn vocabulary(tree: &Tree, report: &mut Report) {
    let lines: usize =
        tree.sources().iter().filter(|source| source.path.starts_with("domain/")).map(|source| source.line_counts().0).sum();
    if lines > VOCABULARY_LINES_MAX {
        let message = format!(
            "domain has {lines} lines without tests, {VOCABULARY_LINES_MAX} at most: move what only one stage needs to that stage"
        );
        report.breach("domain/src/lib.rs", 1, message);
    }
}

/// What the tree weighs, in one line.
pub fn figures(tree: &Tree) -> String {
    let counts: Vec<(usize, usize)> = tree.sources().iter().map(RustSource::line_counts).collect();
    let (product, tests) = counts.iter().fold((0, 0), |(product, tests), count| (product + count.0, tests + count.1));
    let mut lengths: Vec<usize> = counts.iter().map(|count| count.0).filter(|lines| *lines > 0).collect();
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2).copied().unwrap_or_default();
    format!(
        "{} crates, {} files of Rust (median {median} lines), {product} lines of product, {tests} of tests",
        tree.crates().count(),
        counts.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{assert_breach, assert_clean};

    fn function(lines: usize) -> String {
        format!("fn long() {{\n{}}}\n", "    a();\n".repeat(lines - 2))
    }

    #[test]
    fn long_files_warn_then_fail_and_tests_do_not_count() {
        let lines = |n: usize| "// a\n".repeat(n);
        assert_clean(files, &[("a/src/a.rs", &lines(400))]);
        assert_breach(files, &[("a/src/a.rs", &lines(401))], "a/src/a.rs:1: warning: 401 lines");
        assert_breach(files, &[("a/src/a.rs", &lines(601))], "a/src/a.rs:1: 601 lines");
        let with_tests = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", lines(400), lines(500));
        assert_clean(files, &[("a/src/a.rs", &with_tests)]);
    }

    #[test]
    fn a_long_function_needs_a_reason() {
        assert_clean(functions, &[("a/src/a.rs", &function(70))]);
        assert_breach(functions, &[("a/src/a.rs", &function(71))], "a/src/a.rs:1: `long` has 71 lines");
        assert_clean(functions, &[("a/src/a.rs", &format!("// tidy: one arm per suspense reason\n#[inline]\n{}", function(99)))]);
        assert_breach(
            functions,
            &[("a/src/a.rs", &format!("// tidy: long\n{}", function(99)))],
            "a/src/a.rs:2: `long` has 99 lines",
        );
    }

    #[test]
    fn the_vocabulary_is_capped() {
        let half = "// a\n".repeat(2_000);
        assert_clean(vocabulary, &[("domain/src/a.rs", &half), ("domain/src/b.rs", &half), ("rate/src/c.rs", &half)]);
        assert_breach(
            vocabulary,
            &[("domain/src/a.rs", &half), ("domain/src/b.rs", &half), ("domain/src/c.rs", "// a\n")],
            "domain/src/lib.rs:1: domain has 4001 lines",
        );
    }
}
