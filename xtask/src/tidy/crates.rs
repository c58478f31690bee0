//! Which crate may use which, who owns a heavy library, and what every manifest inherits from the root.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::Report;
use super::tree::Tree;

const CONTRACTS: &[&str] = &["domain", "config"];
const ALL: &[&str] =
    &["domain", "config", "ingest", "rate", "verify", "aggregate", "sinks", "store", "pipeline", "generator", "tollway"];

/// Who may use which of our crates, in flow order. A crate that is not here may not exist.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("config", &["domain"]),
    ("ingest", &["domain", "config", "store"]), // sync tasks keep their state in SQL
    ("rate", CONTRACTS),
    ("verify", &[]), // whoever checks a charge shares nothing with whoever made it
    ("aggregate", CONTRACTS),
    ("sinks", CONTRACTS),
    ("store", CONTRACTS),
    ("pipeline", &["domain", "config", "ingest", "rate", "sinks"]),
    ("generator", CONTRACTS),
    ("tollway", &["domain", "config", "ingest", "rate", "verify", "aggregate", "sinks", "store", "pipeline", "generator"]),
    ("tests", ALL),
    ("benches", ALL),
    ("xtask", &[]),
];

/// Libraries that few crates may use directly; `arrow-*` means every crate whose name begins so.
const OWNERS: &[(&str, &[&str])] = &[
    ("datafusion*", &["aggregate"]),
    ("parquet", &["aggregate", "sinks", "tests", "benches"]),
    ("arrow*", &["domain", "aggregate", "sinks", "tests", "benches"]),
    ("sqlx", &["store"]),
    ("tokio", &["aggregate", "sinks", "store", "tollway"]),
    ("rayon", &["ingest", "rate", "sinks", "pipeline", "generator", "tollway", "benches"]),
    ("object_store", &["sinks"]),
    ("rdkafka", &["ingest", "tests"]),
    ("axum", &["tollway"]),
    ("clap", &["tollway"]),
    ("comfy-table", &["tollway"]),
    ("indicatif", &["tollway"]),
    ("metrics-exporter-prometheus", &["tollway"]),
    ("tracing-subscriber", &["tollway"]),
    ("anyhow", &["tollway", "tests", "benches", "xtask"]),
];

/// One dependency of a manifest.
struct Dependency {
    name: String,
    line: usize,
    from_workspace: bool,
}

/// Our crates use each other only along the flow.
pub fn arrows(tree: &Tree, report: &mut Report) {
    let ours: Vec<&str> = tree.crates().map(|(name, _)| name).collect();
    for (krate, text) in tree.crates() {
        let path = format!("{krate}/Cargo.toml");
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == krate) else {
            report.breach(
                &path,
                1,
                format!("crate `{krate}` has no place in the flow: add it to ARROWS in xtask/src/tidy/crates.rs"),
            );
            continue;
        };
        for dependency in dependencies(tree, text) {
            let name = dependency.name.as_str();
            if ours.contains(&name) && !allowed.contains(&name) {
                let message = format!(
                    "{krate} may not use {name}, only [{}]: move what both need into domain, or hand it in from tollway",
                    allowed.join(", ")
                );
                report.breach(&path, dependency.line, message);
            }
        }
    }
}

/// Heavy libraries are used by their owners only.
pub fn owners(tree: &Tree, report: &mut Report) {
    for (krate, text) in tree.crates() {
        for dependency in dependencies(tree, text) {
            let owned = OWNERS.iter().find(|(library, _)| match library.strip_suffix('*') {
                Some(start) => dependency.name.starts_with(start),
                None => dependency.name == *library,
            });
            if let Some((library, users)) = owned.filter(|(_, users)| !users.contains(&krate)) {
                let message =
                    format!("{krate} may not use {library}: only {} may; ask for what you need through them", users.join(", "));
                report.breach(&format!("{krate}/Cargo.toml"), dependency.line, message);
            }
        }
    }
}

/// Versions, lints and edition stand once, in the root manifest.
pub fn manifests(tree: &Tree, report: &mut Report) {
    for (krate, text) in tree.crates() {
        let path = format!("{krate}/Cargo.toml");
        let Ok(manifest) = text.parse::<Table>() else {
            report.breach(&path, 1, "is no TOML");
            continue;
        };
        let inherits = |table: &str, key: Option<&str>| {
            let value = manifest.get(table).and_then(|table| key.map_or(Some(table), |key| table.get(key)));
            value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
        };
        if !inherits("lints", None) {
            report.breach(&path, 1, "does not inherit the lints: add `[lints]` with `workspace = true`");
        }
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            if !inherits("package", Some(key)) {
                report.breach(&path, 1, format!("does not inherit `{key}`: write `{key}.workspace = true`"));
            }
        }
        for dependency in dependencies(tree, text).iter().filter(|dependency| !dependency.from_workspace) {
            let message = format!(
                "`{0}` has a version of its own: put it into the root manifest and write `{0}.workspace = true`",
                dependency.name
            );
            report.breach(&path, dependency.line, message);
        }
    }
}

/// All dependencies of a manifest, of every kind and target, under the names that the registry knows.
fn dependencies(tree: &Tree, text: &str) -> Vec<Dependency> {
    let Ok(manifest) = text.parse::<Table>() else { return Vec::new() };
    let targets =
        manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values).filter_map(Value::as_table);
    let renamed = renamed(tree);
    let mut found = Vec::new();
    for section in std::iter::once(&manifest).chain(targets) {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (key, value) in section.get(kind).and_then(Value::as_table).into_iter().flatten() {
                let package = value.get("package").and_then(Value::as_str).or_else(|| renamed.get(key).map(String::as_str));
                found.push(Dependency {
                    name: package.unwrap_or(key).to_owned(),
                    line: line_of_key(text, kind, key),
                    from_workspace: value.get("workspace").and_then(Value::as_bool) == Some(true),
                });
            }
        }
    }
    found
}

/// Keys of the root manifest's dependencies that stand for a package of another name.
fn renamed(tree: &Tree) -> BTreeMap<String, String> {
    let root = tree.text("Cargo.toml").and_then(|text| text.parse::<Table>().ok()).unwrap_or_default();
    let table = root.get("workspace").and_then(|workspace| workspace.get("dependencies")).and_then(Value::as_table);
    let package = |(key, value): (&String, &Value)| Some((key.clone(), value.get("package")?.as_str()?.to_owned()));
    table.into_iter().flatten().filter_map(package).collect()
}

/// The line of a key below the header of its table, from 1.
fn line_of_key(text: &str, kind: &str, key: &str) -> usize {
    let mut in_table = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start();
        if line.starts_with('[') {
            in_table = line.contains(kind);
        }
        let after = line.strip_prefix(key).map(str::trim_start);
        if in_table && after.is_some_and(|rest| rest.starts_with('=') || rest.starts_with('.')) {
            return index + 1;
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{assert_breach, assert_clean, findings};

    const DOMAIN: (&str, &str) = ("domain/Cargo.toml", "[dependencies]\n");

    #[test]
    fn a_stage_that_uses_another_is_a_breach() {
        let rate = (
            "rate/Cargo.toml",
            "[package]\nname = \"rate\"\n[dependencies]\ndomain.workspace = true\nsinks = { workspace = true }\n",
        );
        let sinks = ("sinks/Cargo.toml", "[dependencies]\ndomain.workspace = true\n");
        assert_breach(arrows, &[DOMAIN, sinks, rate], "rate/Cargo.toml:5: rate may not use sinks, only [domain, config]");
        assert_clean(arrows, &[DOMAIN, sinks]);
    }

    #[test]
    fn tests_of_a_stage_keep_to_the_arrows_too() {
        let domain = ("domain/Cargo.toml", "[dev-dependencies]\nrate.workspace = true\n");
        assert_breach(arrows, &[domain, ("rate/Cargo.toml", "")], "domain/Cargo.toml:2: domain may not use rate, only []");
    }

    #[test]
    fn an_unknown_crate_is_a_breach() {
        assert_breach(arrows, &[("helpers/Cargo.toml", "")], "helpers/Cargo.toml:1: crate `helpers` has no place");
    }

    #[test]
    fn heavy_libraries_have_owners_under_any_name_and_target() {
        let rate = ("rate/Cargo.toml", "[target.'cfg(unix)'.dependencies]\ntokio.workspace = true\n");
        assert_breach(owners, &[rate], "rate/Cargo.toml:2: rate may not use tokio");
        let ingest = ("ingest/Cargo.toml", "[dependencies]\narrow-csv.workspace = true\n");
        assert_breach(owners, &[ingest], "ingest/Cargo.toml:2: ingest may not use arrow*");
        let root = ("Cargo.toml", "[workspace.dependencies]\nengine = { package = \"datafusion\", version = \"1\" }\n");
        let sinks = ("sinks/Cargo.toml", "[dependencies]\nengine.workspace = true\n");
        assert_breach(owners, &[root, sinks], "sinks/Cargo.toml:2: sinks may not use datafusion*");
        assert_clean(owners, &[("store/Cargo.toml", "[dependencies]\nsqlx.workspace = true\ntokio.workspace = true\n")]);
    }

    #[test]
    fn versions_and_lints_stand_in_the_root() {
        let package = "[package]\nversion.workspace = true\nedition.workspace = true\nrust-version.workspace = true\n\
                       license.workspace = true\npublish.workspace = true\n";
        let good = format!("{package}[lints]\nworkspace = true\n[dependencies]\ncsv.workspace = true\n");
        assert_clean(manifests, &[("rate/Cargo.toml", &good)]);
        let own_version = good.replace("csv.workspace = true", "csv = \"1\"");
        assert_breach(manifests, &[("rate/Cargo.toml", &own_version)], "rate/Cargo.toml:10: `csv` has a version of its own");
        let no_lints = good.replace("[lints]\nworkspace = true\n", "");
        assert_breach(manifests, &[("rate/Cargo.toml", &no_lints)], "rate/Cargo.toml:1: does not inherit the lints");
        assert_eq!(findings(manifests, &[("rate/Cargo.toml", "[lints]\nworkspace = true\n")]).len(), 5);
    }
}
