//! Links of the Markdown pages: what they point to is there.

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
}
