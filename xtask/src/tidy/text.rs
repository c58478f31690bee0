//! What no text of this repository may hold: stray white space, open ends, paths of one machine.

use super::Report;
use super::source::has_word;
use super::tree::{self, Tree};

/// Texts that people read and write; data files keep their bytes.
const WRITTEN: &[&str] = &[".rs", ".toml", ".md", ".sh", ".sql", ".py", ".yml", ".yaml", ".proto", ".ci/run", "CODEOWNERS"];

/// Words for a change that is still to be made; with an issue number they are a plan. Spelt apart, or this file finds itself.
const OPEN: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];

/// Words that confess what is not finished.
const UNFINISHED: &[&str] = &[concat!("for ", "now"), concat!("simpli", "fied"), concat!("place", "holder"), concat!("st", "ub")];

/// Macros that panic where work is missing.
const MISSING_WORK: &[&str] = &["todo!", "unimplemented!"];

/// Folders of one machine, as the beginning of a path.
const MACHINE: &[&str] = &[concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/"), concat!("/Us", "ers/")];

/// No white space before a line's end, no tabs in Rust, a line end at the end.
pub fn white_space(tree: &Tree, report: &mut Report) {
    for (path, text) in tree.ending(WRITTEN) {
        for (index, line) in text.lines().enumerate() {
            if line.trim_end() != line {
                report.breach(path, index + 1, "white space before the line's end: remove it");
            }
            if tree::is_rust(path) && line.contains('\t') {
                report.breach(path, index + 1, "a tab: indent with four blanks, write `\\t` in a string");
            }
        }
        if !text.is_empty() && !text.ends_with('\n') {
            report.breach(path, text.lines().count(), "no line end at the end of the file: add one");
        }
    }
}

/// Nothing is left open without an issue, and nothing pretends to be done.
pub fn open_ends(tree: &Tree, report: &mut Report) {
    for source in tree.sources() {
        source.comments().for_each(|(line, comment)| open_end(&source.path, line, comment, report));
        for (line, code) in source.code() {
            if let Some(found) = MISSING_WORK.iter().find(|missing| code.contains(*missing)) {
                report.breach(
                    &source.path,
                    line,
                    format!("`{found}` panics where work is missing: do the work, or leave the function out"),
                );
            }
        }
    }
    for (path, text) in tree.ending(WRITTEN).filter(|(path, _)| !tree::is_rust(path)) {
        text.lines().enumerate().for_each(|(index, line)| open_end(path, index + 1, line, report));
    }
}

fn open_end(path: &str, line: usize, text: &str, report: &mut Report) {
    if let Some(word) = OPEN.iter().find(|word| has_word(text, word)) {
        let numbered = text.split('#').skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if !numbered {
            report.breach(path, line, format!("`{word}` without an issue: do it, or write `{word}(#12)`"));
        }
    }
    let lower = text.to_ascii_lowercase();
    if let Some(word) = UNFINISHED.iter().find(|word| has_word(&lower, word)) {
        report.breach(path, line, format!("`{word}`: finish it, or say what it does and what it does not"));
    }
}

/// A clone works anywhere.
pub fn machine_paths(tree: &Tree, report: &mut Report) {
    for (path, text) in tree.texts() {
        for (index, line) in text.lines().enumerate() {
            for folder in MACHINE {
                // a folder of this name inside another path, or after a host, is no path of a machine
                let inside = |at: usize| line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-})*~".contains(c));
                if line.match_indices(folder).any(|(at, _)| !inside(at)) {
                    report.breach(
                        path,
                        index + 1,
                        format!("`{folder}` is a folder of one machine: use a path from the checkout or an argument"),
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{assert_breach, assert_clean};

    #[test]
    fn white_space_is_clean() {
        assert_breach(white_space, &[("a/src/a.rs", "//! a\nfn a() {} \n")], "a/src/a.rs:2: white space");
        assert_breach(white_space, &[("a/src/a.rs", "\tfn a() {}\n")], "a/src/a.rs:1: a tab");
        assert_breach(white_space, &[("docs/a.md", "a\nb")], "docs/a.md:2: no line end");
        assert_clean(white_space, &[("docs/a.md", "a\tb\n"), ("tests/fixtures/a.csv", "a; \n"), ("a.toml", "")]);
    }

    #[test]
    fn open_ends_have_an_issue() {
        let open = format!("fn a() {{}} // {} later\n", OPEN[0]);
        assert_breach(open_ends, &[("a/src/a.rs", &open)], "a/src/a.rs:1: `TO");
        let planned = format!("fn a() {{}} // {}(#12) later\nlet s = \"{}\";\n", OPEN[0], OPEN[1]);
        assert_clean(open_ends, &[("a/src/a.rs", &planned)]);
        let script = format!("# {}: quote\n", OPEN[1]);
        assert_breach(open_ends, &[("x.sh", &script)], "x.sh:1: `FIX");
    }

    #[test]
    fn nothing_pretends_to_be_done() {
        for word in UNFINISHED {
            let comment = format!("//! {}, it is so.\n", word.to_uppercase());
            assert_breach(open_ends, &[("a/src/a.rs", &comment)], "a/src/a.rs:1: `");
            assert_clean(open_ends, &[("a/src/a.rs", &format!("let a = \"{word}\";\n"))]);
        }
        assert_breach(open_ends, &[("a/src/a.rs", "fn a() { todo!() }\n")], "a/src/a.rs:1: `todo!` panics");
        assert_clean(open_ends, &[("a/src/a.rs", "// a stubborn rule\n")]);
    }

    #[test]
    fn paths_of_a_machine_are_found_only_at_their_beginning() {
        for folder in MACHINE {
            let text = format!("x\nDATA={folder}me\n");
            assert_breach(machine_paths, &[("run.sh", &text)], "run.sh:2: `/");
            assert_clean(
                machine_paths,
                &[("run.sh", &format!("DATA=shared{folder}me $HOME{folder}\nhttps://example.org{folder}\n"))],
            );
        }
    }
}
