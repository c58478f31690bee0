//! What the drafts of shipped layouts' fixtures have in common with the profiles that people wrote for them.

use toml::{Table, Value};

use super::super::{Draft, DraftLimits, Sample, draft};
use crate::parse::check::check;
use crate::profile::Profile;

const LAYOUTS: &[&str] =
    &["cisco-cucm", "freeswitch-cdr-csv", "kpn-een", "kpn-sp16", "pbx-csv", "routit", "tmobile-calvi", "vodafone", "yielder"];

fn fixture(name: &str) -> Sample {
    let path = format!("{}/fixtures/{name}.cdr", env!("CARGO_MANIFEST_DIR"));
    Sample::whole(&path, &std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}")))
}

fn shipped(name: &str) -> (Table, Profile) {
    let text = config::profiles::find(name).expect("it is shipped");
    (text.parse().expect("it is TOML"), Profile::load(text).expect("it is a profile"))
}

/// A setting by its path; columns of a file without a header by position.
fn setting(profile: &Table, path: &str) -> Option<Value> {
    let (section, key) = path.split_once('.')?;
    let value = profile.get(section)?.get(key)?.clone();
    let names = profile["file"].get("names").and_then(Value::as_array);
    let is_column = ["column", "clock_column", "id", "up", "down", "total"].contains(&key);
    match names {
        // A draft reads fractions only where it sees one.
        _ if path == "time.pattern" => value.as_str().map(|pattern| Value::String(pattern.replace("[.F]", ""))),
        Some(names) if is_column => {
            names.iter().position(|name| *name == value).and_then(|at| i64::try_from(at).ok()).map(Value::Integer)
        }
        _ => Some(value),
    }
}

/// Whether the draft asks about a setting, or about the section that it is in.
fn asks(draft: &Draft, path: &str) -> bool {
    let section = path.split_once('.').map_or(path, |(section, _)| section);
    draft.questions.iter().any(|q| q.key == path || q.key == section)
}

/// Settings that must be as people wrote them.
const SAME: &[&str] = &[
    "file.separator",
    "file.header",
    "file.skip_lines",
    "trailer.marker",
    "trailer.rows_field",
    "trailer.sum_field",
    "time.column",
    "time.pattern",
    "time.clock_column",
    "time.clock_pattern",
    "served.column",
    "other.column",
    "numbers.swap_for",
    "numbers.national_digits",
    "imsi.column",
    "iccid.column",
    "duration.unit",
    "volume.up",
    "volume.down",
    "volume.total",
    "volume.unit",
    "cost.column",
    "cost.decimal",
    "cost.currency_column",
    "network.column",
    "network.form",
    "class.column",
    "record.id",
];

/// Settings that may differ if the draft asks about them.
const SAME_OR_ASKED: &[&str] =
    &["file.encoding", "duration.column", "record.key", "volume.kilo", "kind.column", "direction.column"];

#[test]
fn drafts_agree_with_the_profiles_that_people_wrote() {
    let mut differences = Vec::new();
    for name in LAYOUTS {
        let draft = draft(&[fixture(name)], None, DraftLimits::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let proposed: Table = draft.toml.parse().expect("a draft is TOML");
        let (written, _) = shipped(name);
        for path in SAME.iter().chain(SAME_OR_ASKED) {
            let (ours, theirs) = (setting(&proposed, path), setting(&written, path));
            if ours != theirs && !(SAME_OR_ASKED.contains(path) && asks(&draft, path)) {
                differences.push(format!("{name} {path}: proposed {ours:?}, written {theirs:?}"));
            }
        }
        for section in ["kind", "direction"] {
            let Some(map) = written[section].get("map").and_then(Value::as_table) else { continue };
            for (text, value) in map {
                let ours = proposed[section].get("map").and_then(|map| map.get(text));
                if ours.is_some_and(|ours| ours != value) {
                    differences.push(format!("{name} {section} {text}: proposed {ours:?}, written {value}"));
                }
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn drafts_read_what_the_written_profiles_read() {
    for name in LAYOUTS {
        let file = fixture(name);
        let draft = draft(std::slice::from_ref(&file), None, DraftLimits::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let ours = draft.check(&file, 0);
        let theirs = check(&shipped(name).1, name, &file.bytes, 0);
        // The fixtures hold broken rows, which stay broken; a rule that a draft cannot know reads a few more.
        let facts = format!("{name}: {:?} {:?} not {:?} {:?}", ours.malformed, ours.skipped, theirs.malformed, theirs.skipped);
        assert!(ours.verdict.state.is_taken(), "{facts} {}", ours.verdict.message);
        assert_eq!(ours.rows, theirs.rows, "{facts}");
        assert!(ours.readable + 4 >= theirs.readable, "{facts}\n{}", draft.toml);
    }
}
