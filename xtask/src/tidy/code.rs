//! What may not stand in Rust code here: unwraps, floats near money, I/O in the pure core, names that say nothing.

use super::Report;
use super::source::{EXCUSE, RustSource, has_word, words};
use super::tree::Tree;

/// Crates in which a float has no business at all: money passes through them.
const EXACT: &[&str] = &["domain", "rate", "sinks", "aggregate", "pipeline", "store"];

/// Words that say that a line is about money.
const MONEY: &[&str] = &["money", "charge", "cost", "price", "amount", "nano", "tariff", "invoice", "currency", "balance"];

/// Crates that run under the simulator: what they need of the outside comes in through `domain::ports`.
const PURE: &[&str] = &["domain", "rate", "pipeline"];

/// What reaches outside, with what to use instead.
const OUTSIDE: &[(&str, &str)] = &[
    ("std::fs", "domain::ports::Blob"),
    ("std::net", "a port of its own in domain::ports"),
    ("std::process", "a port of its own in domain::ports"),
    ("std::env", "an argument"),
    ("SystemTime", "domain::ports::Clock"),
    ("Instant::now", "domain::ports::Clock"),
    ("async", "a state machine that tollway drives"),
    ("await", "a state machine that tollway drives"),
];

/// Ends of names that fit anything.
const CATCH_ALL: &[&str] = &["Manager", "Helper", "Helpers", "Util", "Utils", "Data", "Info", "Processor"];
const CATCH_ALL_MODULES: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc", "manager", "data", "info"];

fn of_crate<'a>(tree: &'a Tree, crates: &'a [&str]) -> impl Iterator<Item = &'a RustSource> {
    tree.sources().iter().filter(|source| source.path.split('/').next().is_some_and(|krate| crates.contains(&krate)))
}

/// Every file opens with a sentence on what it is for.
pub fn module_docs(tree: &Tree, report: &mut Report) {
    for (path, text) in tree.ending(&[".rs"]) {
        let first = text.lines().next().unwrap_or_default();
        if !first.starts_with("//! ") {
            report.breach(path, 1, "does not open with `//!` and one sentence on what the file is for");
        } else if first.split_whitespace().count() < 4 {
            report.breach(path, 1, "opens with less than a sentence: say what the file is for");
        }
    }
}

/// A failure is an error with a name, or impossible with a proof.
pub fn no_unwrap(tree: &Tree, report: &mut Report) {
    for source in tree.sources() {
        for (line, code) in source.product_code() {
            if code.contains(".unwrap()") || code.contains(".unwrap_err()") {
                report.breach(&source.path, line, "`unwrap` outside tests: return an error, or write `expect(\"why it holds\")`");
            }
        }
    }
}

/// An exception to a lint has a reason and vanishes when it is no longer needed.
pub fn no_bare_allow(tree: &Tree, report: &mut Report) {
    for source in tree.sources() {
        for (line, code) in source.code() {
            if code.contains("#[allow(") || code.contains("#![allow(") {
                report.breach(&source.path, line, "`allow` hides a lint for ever: write `#[expect(lint, reason = \"...\")]`");
            }
        }
    }
}

/// Money is exact: no float in the crates that carry it, and none on a line about money anywhere.
pub fn no_floats_near_money(tree: &Tree, report: &mut Report) {
    let float = |code: &str| ["f32", "f64"].iter().any(|float| code.match_indices(float).any(|(at, _)| is_float(code, at)));
    for source in tree.sources() {
        let exact = EXACT.iter().any(|krate| source.path.starts_with(&format!("{krate}/")));
        for (line, code) in source.product_code().filter(|(_, code)| float(code)) {
            let lower = code.to_ascii_lowercase();
            if exact {
                report.breach(
                    &source.path,
                    line,
                    "a float in a crate that carries money: use `domain::money::Money` or integers",
                );
            } else if let Some(word) = MONEY.iter().find(|word| lower.contains(*word)) {
                report.breach(
                    &source.path,
                    line,
                    format!("a float beside `{word}`: money is `domain::money::Money`, scaled as integers"),
                );
            }
        }
    }
}

/// Whether the `f32` or `f64` at a place is the type (`f64`, `1_f64`, `as_f64`) and not the end of a name like `buf64`.
fn is_float(code: &str, at: usize) -> bool {
    !code[..at].ends_with(|c: char| c.is_ascii_alphabetic()) && !code[at + 3..].starts_with(|c: char| c.is_alphanumeric())
}

/// The core runs in production and in the simulator alike.
pub fn pure_core(tree: &Tree, report: &mut Report) {
    for source in of_crate(tree, PURE) {
        for (line, code) in source.product_code() {
            for (outside, instead) in OUTSIDE {
                if has_word(code, outside) {
                    report.breach(&source.path, line, format!("`{outside}` in the pure core: use {instead}"));
                }
            }
        }
    }
}

/// A reader sees where a name comes from.
pub fn no_globs(tree: &Tree, report: &mut Report) {
    for source in tree.sources() {
        for (line, code) in source.code() {
            let import = code.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ").starts_with("use ");
            let glob = import && code.contains("::*") && !code.contains("prelude::*");
            if glob && !(source.is_test(line) && code.contains("super::*")) {
                report.breach(
                    &source.path,
                    line,
                    "a glob import hides where names come from: name them (preludes are fine, and `super::*` in tests)",
                );
            }
        }
    }
}

/// A test that does not run proves nothing.
pub fn no_skipped_tests(tree: &Tree, report: &mut Report) {
    for source in tree.sources() {
        for (line, code) in source.code() {
            let attribute = code.trim_start();
            if attribute.starts_with("#[ignore") || attribute.starts_with("#[should_panic") {
                report.breach(
                    &source.path,
                    line,
                    "assert the present behaviour and say what is wrong with it; no `ignore`, no `should_panic`",
                );
            }
        }
    }
}

/// Names are nouns from the trade.
pub fn no_catch_all_names(tree: &Tree, report: &mut Report) {
    for source in tree.sources() {
        for (line, code) in source.code() {
            for kind in ["struct", "enum", "trait", "union", "mod"] {
                let Some(name) = declared(code, kind) else { continue };
                let found = if kind == "mod" {
                    CATCH_ALL_MODULES.contains(&name)
                } else {
                    CATCH_ALL.iter().any(|end| name.ends_with(end))
                };
                if found && !source.is_excused(line) {
                    report.breach(&source.path, line, format!("`{name}` fits anything: take the noun that the trade uses, or say above it whose name it is: `{EXCUSE} <reason>`"));
                }
            }
        }
    }
}

/// The name that a line declares with a keyword.
fn declared<'a>(code: &'a str, keyword: &'a str) -> Option<&'a str> {
    let at = words(code, keyword).next()?;
    let rest = code[at + keyword.len()..].strip_prefix(' ')?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    Some(&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{assert_breach, assert_clean};

    #[test]
    fn a_file_without_an_opening_sentence_is_a_breach() {
        assert_breach(module_docs, &[("rate/src/link.rs", "use a;\n")], "rate/src/link.rs:1: does not open");
        assert_breach(module_docs, &[("rate/src/link.rs", "//! stub\n")], "rate/src/link.rs:1: opens with less");
        assert_clean(module_docs, &[("rate/src/link.rs", "//! Who owned the number at that moment.\n")]);
    }

    #[test]
    fn unwrap_is_for_tests() {
        let product = "//! a\nfn a() {\n    b().unwrap();\n}\n";
        assert_breach(no_unwrap, &[("config/src/a.rs", product)], "config/src/a.rs:3: `unwrap` outside tests");
        let test = "fn a() {\n    b().expect(\".unwrap()\"); // .unwrap()\n}\n#[cfg(test)]\nmod tests {\n    fn c() {\n        b().unwrap();\n    }\n}\n";
        assert_clean(no_unwrap, &[("config/src/a.rs", test), ("tests/src/a.rs", product)]);
    }

    #[test]
    fn allow_is_a_breach_and_expect_is_not() {
        assert_breach(no_bare_allow, &[("a/src/a.rs", "#[allow(dead_code)]\nfn a() {}\n")], "a/src/a.rs:1: `allow` hides");
        assert_clean(no_bare_allow, &[("a/src/a.rs", "#[expect(dead_code, reason = \"no #[allow(x)] here\")]\nfn a() {}\n")]);
    }

    #[test]
    fn floats_stay_away_from_money() {
        for line in ["fn a(x: f64) {}", "let x = 1_f64;", "let x = v.as_f64();"] {
            assert_breach(no_floats_near_money, &[("rate/src/a.rs", line)], "rate/src/a.rs:1: a float in a crate");
        }
        let beside = "let share: f64 = 0.5;\nlet x = charge.nano() as f64;\n";
        assert_breach(no_floats_near_money, &[("tollway/src/a.rs", beside)], "tollway/src/a.rs:2: a float beside `charge`");
        let fine = "let buf64 = 1; // f64\nlet y = \"f64\";\n#[cfg(test)]\nmod tests { const X: f64 = 1.0; }\n";
        assert_clean(no_floats_near_money, &[("rate/src/a.rs", fine)]);
    }

    #[test]
    fn the_core_asks_ports() {
        assert_breach(
            pure_core,
            &[("pipeline/src/a.rs", "use std::fs;\n")],
            "pipeline/src/a.rs:1: `std::fs` in the pure core: use domain::ports::Blob",
        );
        assert_breach(
            pure_core,
            &[("rate/src/a.rs", "let t = Instant::now();\n")],
            "rate/src/a.rs:1: `Instant::now` in the pure core",
        );
        assert_breach(pure_core, &[("rate/src/a.rs", "pub async fn price() {}\n")], "rate/src/a.rs:1: `async` in the pure core");
        let fine = "use std::io::Write;\nlet an_async = 1;\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
        assert_clean(pure_core, &[("rate/src/a.rs", fine), ("tollway/src/b.rs", "use std::fs;\n")]);
    }

    #[test]
    fn globs_are_for_tests_of_the_parent() {
        assert_breach(no_globs, &[("a/src/a.rs", "use domain::ids::*;\n")], "a/src/a.rs:1: a glob import");
        assert_breach(no_globs, &[("a/src/a.rs", "pub use crate::{ids::*, b};\n")], "a/src/a.rs:1: a glob import");
        assert_clean(no_globs, &[("a/src/a.rs", "use rayon::prelude::*;\n#[cfg(test)]\nmod tests {\n    use super::*;\n}\n")]);
    }

    #[test]
    fn no_test_is_skipped() {
        let ignored = "#[test]\n#[ignore]\nfn a() {}\n";
        assert_breach(no_skipped_tests, &[("tests/src/a.rs", ignored)], "tests/src/a.rs:2: assert the present");
        assert_breach(
            no_skipped_tests,
            &[("tests/src/a.rs", "#[should_panic(expected = \"x\")]\n")],
            "tests/src/a.rs:1: assert the present",
        );
    }

    #[test]
    fn names_say_something() {
        assert_breach(
            no_catch_all_names,
            &[("a/src/a.rs", "pub struct BatchManager;\n")],
            "a/src/a.rs:1: `BatchManager` fits anything",
        );
        assert_breach(no_catch_all_names, &[("a/src/a.rs", "pub(crate) mod utils;\n")], "a/src/a.rs:1: `utils` fits anything");
        assert_clean(
            no_catch_all_names,
            &[(
                "a/src/a.rs",
                "struct LandedFile;\n// tidy: the Delta protocol calls it so\nstruct MetaData;\nmod model;\n// struct UserData\nfn mod_data() {}\n",
            )],
        );
    }
}
