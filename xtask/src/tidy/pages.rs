//! Links and paths in the Markdown pages: what they point to is there.

use super::Report;
use super::tree::Tree;

/// Every relative link leads to a file or folder of the repository.
pub fn links(tree: &Tree, report: &mut Report) {
    for (path, text) in tree.ending(&[".md"]) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut fenced = false;
        for (index, line) in text.lines().enumerate() {
            fenced ^= line.trim_start().starts_with("```");
            if fenced {
                continue;
            }
            for target in targets(line) {
                let file = target.split('#').next().unwrap_or_default();
                let outside = target.contains("://") || target.starts_with("mailto:");
                if outside || file.is_empty() {
                    continue;
                }
                let found = joined(folder, file).is_some_and(|joined| joined.is_empty() || tree.has(&joined));
                if !found {
                    report.breach(path, index + 1, format!("`{target}` leads nowhere: mend the link or add the file"));
                }
            }
        }
    }
}

/// Paths that the guides name in code spans are there: `rate/src/link.rs`, `docs/adr`.
pub fn named_paths(tree: &Tree, report: &mut Report) {
    for guide in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"] {
        for (index, line) in tree.text(guide).unwrap_or_default().lines().enumerate() {
            // every second part of a line stands between backticks
            for span in line.split('`').skip(1).step_by(2) {
                let plain =
                    !span.contains("NNNN") && span.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
                let Some((top, _)) = span.split_once('/').filter(|(top, _)| plain && tree.has(top)) else { continue };
                if !top.is_empty() && !tree.has(span.trim_end_matches('/')) {
                    report.breach(guide, index + 1, format!("`{span}` is not there: name what took its place"));
                }
            }
        }
    }
}

/// The targets of `[text](target)` and `[text](target "title")` in a line, those in code spans left out.
fn targets(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, open) in line.match_indices("](") {
        let in_code = line[..at].matches('`').count() % 2 == 1;
        let rest = &line[at + open.len()..];
        if let Some(end) = rest.find(')').filter(|_| !in_code) {
            found.extend(rest[..end].split_whitespace().next());
        }
    }
    found
}

/// A path from the root of the checkout; none when it leaves the checkout.
fn joined(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = if target.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    for part in target.split('/') {
        match part {
            ".." => {
                parts.retain(|part| !part.is_empty());
                parts.pop()?;
            }
            "." => {}
            other => parts.push(other),
        }
    }
    parts.retain(|part| !part.is_empty());
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{assert_breach, assert_clean};

    #[test]
    fn a_link_to_nothing_is_a_breach() {
        assert_breach(links, &[("docs/a.md", "x\nsee [b](b.md#part)\n")], "docs/a.md:2: `b.md#part` leads nowhere");
        assert_breach(links, &[("docs/a.md", "[out](../../b.md)\n")], "docs/a.md:1: `../../b.md` leads nowhere");
    }

    #[test]
    fn links_to_files_folders_parts_and_sites_are_fine() {
        let page = "[b](b.md) ![c](../c.png \"title\") [d](adr/) [e](#part) [f](https://example.org/x) [g](..) `[h](h.md)`\n```\n[i](i.md)\n```\n";
        assert_clean(links, &[("docs/a.md", page), ("docs/b.md", ""), ("c.png", ""), ("docs/adr/0000-x.md", "")]);
    }

    #[test]
    fn guides_name_paths_that_are_there() {
        let code = ("rate/src/link.rs", "");
        let fine = "`rate/src/link.rs` `rate/` `rate::link` `cargo test -p rate` `application/json` `rate/{a,b}.rs` a `b\n";
        assert_clean(named_paths, &[code, ("ARCHITECTURE.md", fine), ("docs/a.md", "`rate/gone.rs`\n")]);
        assert_breach(
            named_paths,
            &[code, ("ARCHITECTURE.md", "x\n`rate/src/gone.rs`\n")],
            "ARCHITECTURE.md:2: `rate/src/gone.rs` is not there",
        );
    }
}
