//! The pages that must be true of the tree: the map, the crate cards, the numbered decisions, the error pages.

use super::Report;
use super::tree::Tree;

const MAP: &str = "ARCHITECTURE.md";
const MAP_HEADING: &str = "## The map";

/// What every decision holds, see docs/adr/0000.
const PARTS: &[&str] = &["## Context", "## Decision", "## Consequences", "## What would change our mind"];

/// The map of ARCHITECTURE.md names every crate, and only crates and folders that are there.
pub fn map_names_every_crate(tree: &Tree, report: &mut Report) {
    let Some(text) = tree.text(MAP) else {
        report.breach(MAP, 1, "is missing: it holds the map of the crates");
        return;
    };
    let start = text.lines().position(|line| line.trim() == MAP_HEADING);
    let Some(start) = start else {
        report.breach(MAP, 1, format!("has no heading `{MAP_HEADING}`"));
        return;
    };
    let map = text.lines().enumerate().skip(start + 1).take_while(|(_, line)| !line.starts_with("## "));
    // a row of the map: | `folder/` | ...
    let rows: Vec<(usize, &str)> = map
        .filter_map(|(index, line)| {
            let (name, _) = line.strip_prefix("| `")?.split_once('`')?;
            Some((index + 1, name.trim_end_matches('/')))
        })
        .collect();
    for (line, name) in &rows {
        if !tree.has(name) {
            report.breach(MAP, *line, format!("the map names `{name}`, which is not there: take it out"));
        }
    }
    for (krate, _) in tree.crates() {
        if !rows.iter().any(|(_, name)| *name == krate) {
            report.breach(
                MAP,
                start + 1,
                format!("the map does not name `{krate}/`: add a row with what it does and never does"),
            );
        }
    }
}

/// Every crate says what it is for, what it never does and where to start.
pub fn crate_cards(tree: &Tree, report: &mut Report) {
    for (krate, _) in tree.crates() {
        let root = ["lib.rs", "main.rs"].map(|file| format!("{krate}/src/{file}"));
        let Some((path, text)) = root.iter().find_map(|path| Some((path, tree.text(path)?))) else {
            report.breach(&format!("{krate}/Cargo.toml"), 1, "has neither src/lib.rs nor src/main.rs");
            continue;
        };
        let card: String = text.lines().take_while(|line| line.starts_with("//!")).collect::<Vec<_>>().join(" ");
        let missing: Vec<&str> =
            ["Purpose", "Never", "Start reading at"].into_iter().filter(|word| !card.contains(word)).collect();
        if !missing.is_empty() {
            report.breach(
                path,
                1,
                format!("the crate card lacks {}: `//! *Purpose.* ... *Never.* ... *Start reading at* ...`", missing.join(", ")),
            );
        }
    }
}

/// Decisions are numbered from 0000 without a gap and without a double.
pub fn decisions_are_numbered(tree: &Tree, report: &mut Report) {
    let mut wanted = 0_u32;
    for (path, _) in tree.ending(&[".md"]) {
        let Some(file) = path.strip_prefix("docs/adr/") else { continue };
        let number = file.get(..4).filter(|_| file.get(4..5) == Some("-")).and_then(|digits| digits.parse::<u32>().ok());
        match number {
            None => report.breach(path, 1, "a decision is called `NNNN-what-was-decided.md`"),
            Some(number) if number != wanted => {
                report.breach(path, 1, format!("has number {number:04}, and {wanted:04} would be next: number it so"));
                wanted = number + 1;
            }
            Some(_) => wanted += 1,
        }
    }
}

/// A decision says why, what, at what price, and what would undo it.
pub fn decisions_have_their_parts(tree: &Tree, report: &mut Report) {
    for (path, text) in tree.ending(&[".md"]).filter(|(path, _)| path.starts_with("docs/adr/")) {
        for part in PARTS.iter().filter(|part| !text.lines().any(|line| line.trim_end() == **part)) {
            report.breach(path, 1, format!("has no `{part}`: a decision has the parts {}", PARTS.join(", ")));
        }
    }
}

/// An error code has a page, and a page has a code.
pub fn error_codes_have_pages(tree: &Tree, report: &mut Report) {
    let mut used = Vec::new();
    for source in tree.sources() {
        for (line, literal) in source.literals().filter(|(line, _)| !source.is_test(*line)) {
            used.extend(codes(literal).map(|code| (code.to_owned(), source.path.clone(), line)));
        }
    }
    used.sort();
    used.dedup_by(|a, b| a.0 == b.0);
    for (code, path, line) in &used {
        if tree.text(&format!("docs/errors/{code}.md")).is_none() {
            report.breach(
                path,
                *line,
                format!("error code {code} has no page: write docs/errors/{code}.md (what happened, what to do)"),
            );
        }
    }
    for (path, _) in tree.ending(&[".md"]) {
        let page = path.strip_prefix("docs/errors/").and_then(|file| file.strip_suffix(".md"));
        if let Some(code) = page.filter(|page| codes(page).next() == Some(page) && !used.iter().any(|(code, ..)| code == page)) {
            report.breach(path, 1, format!("no error has the code {code}: remove the page"));
        }
    }
}

/// Error codes in a text: `TW` and four digits.
fn codes(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("TW").filter_map(|(at, _)| {
        let code = text.get(at..at + 6)?;
        code[2..].bytes().all(|byte| byte.is_ascii_digit()).then_some(code)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{assert_breach, assert_clean};

    const RATE: (&str, &str) = ("rate/Cargo.toml", "");

    #[test]
    fn the_map_and_the_tree_agree() {
        let map = "# A\n\n## The map\n\n| folder | does |\n| --- | --- |\n| `rate/` | prices |\n\n## Next\n| `gone/` | x |\n";
        assert_clean(map_names_every_crate, &[RATE, (MAP, map)]);
        assert_breach(
            map_names_every_crate,
            &[RATE, ("sinks/Cargo.toml", ""), (MAP, map)],
            "ARCHITECTURE.md:3: the map does not name `sinks/`",
        );
        assert_breach(map_names_every_crate, &[(MAP, map)], "ARCHITECTURE.md:7: the map names `rate`, which is not there");
        assert_breach(map_names_every_crate, &[RATE], "ARCHITECTURE.md:1: is missing");
        assert_breach(map_names_every_crate, &[RATE, (MAP, "# A\n")], "ARCHITECTURE.md:1: has no heading");
    }

    #[test]
    fn a_crate_without_a_card_is_a_breach() {
        let card = "//! Prices.\n//!\n//! *Purpose.* a *Never.* b\n//! *Start reading at* c\n";
        assert_clean(crate_cards, &[RATE, ("rate/src/lib.rs", card)]);
        assert_breach(
            crate_cards,
            &[RATE, ("rate/src/lib.rs", "//! Prices. Never.\n")],
            "rate/src/lib.rs:1: the crate card lacks Purpose, Start",
        );
        assert_breach(crate_cards, &[RATE], "rate/Cargo.toml:1: has neither");
    }

    #[test]
    fn decisions_have_no_gap_and_no_double() {
        assert_clean(decisions_are_numbered, &[("docs/adr/0000-a.md", ""), ("docs/adr/0001-b.md", "")]);
        assert_breach(
            decisions_are_numbered,
            &[("docs/adr/0000-a.md", ""), ("docs/adr/0002-b.md", ""), ("docs/adr/0003-c.md", "")],
            "docs/adr/0002-b.md:1: has number 0002, and 0001 would be next",
        );
        assert_breach(
            decisions_are_numbered,
            &[("docs/adr/0000-a.md", ""), ("docs/adr/0000-b.md", "")],
            "docs/adr/0000-b.md:1: has number 0000",
        );
        assert_breach(decisions_are_numbered, &[("docs/adr/notes.md", "")], "docs/adr/notes.md:1: a decision is called");
    }

    #[test]
    fn a_decision_without_a_part_is_a_breach() {
        let page = "# 0000 A\n\n## Context\n\n## Decision\n\n## Consequences\n\n## What would change our mind\n";
        assert_clean(decisions_have_their_parts, &[("docs/adr/0000-a.md", page), ("docs/b.md", "")]);
        let without = page.replace("## Consequences\n", "");
        assert_breach(
            decisions_have_their_parts,
            &[("docs/adr/0000-a.md", &without)],
            "docs/adr/0000-a.md:1: has no `## Consequences`",
        );
    }

    #[test]
    fn error_codes_and_pages_agree() {
        let code = ("rate/src/error.rs", "//! a\nconst A: &str = \"TW0042\"; // TW9999\n");
        assert_clean(error_codes_have_pages, &[code, ("docs/errors/TW0042.md", "")]);
        assert_breach(error_codes_have_pages, &[code], "rate/src/error.rs:2: error code TW0042 has no page");
        assert_breach(
            error_codes_have_pages,
            &[("docs/errors/TW0007.md", "")],
            "docs/errors/TW0007.md:1: no error has the code TW0007",
        );
    }
}
