//! The JSON schemas of profiles and tariffs, as an editor uses them: what is shipped holds, and slips are found.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{place, readers};

/// What an editor says of files, file by file.
fn said(schema: &str, files: &[PathBuf]) -> Vec<Vec<String>> {
    let mut arguments = vec![place::checkout().join(schema)];
    arguments.extend_from_slice(files);
    let said = readers::read("schema", &arguments);
    let texts = |file: &PathBuf| {
        let list = said[&*file.to_string_lossy()].as_array().unwrap_or_else(|| panic!("nothing is said of {}", file.display()));
        list.iter().map(|text| text.as_str().map(str::to_owned).expect("a text")).collect()
    };
    assert_eq!(said.as_object().map(serde_json::Map::len), Some(files.len()), "{}", Value::to_string(&said));
    files.iter().map(texts).collect()
}

fn toml_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of the checkout").map(|entry| entry.expect("readable").path());
    entries.filter(|path| path.extension().is_some_and(|e| e == "toml")).collect()
}

/// *Guarantees.* Every shipped profile and tariff, and the small tariff of the how-to, hold against the published schemas. A key that is
/// misspelt, a kind of value that is wrong and a word that is not one of the known ones are named with their place.
#[test]
fn an_editor_takes_what_is_shipped_and_finds_slips() {
    let profiles = toml_files(&place::checkout().join("config/profiles"));
    assert!(profiles.len() >= 13, "{profiles:?}");
    for (file, said) in profiles.iter().zip(said("docs/profile.schema.json", &profiles)) {
        assert_eq!(said, [""; 0], "{}", file.display());
    }

    let folder = TempDir::new().expect("a temporary folder");
    let guide = fs::read_to_string(place::checkout().join("docs/howto/write-a-tariff.md")).expect("the how-to");
    let small =
        guide.split("```toml\n").find(|part| part.starts_with("name = \"family\"")).and_then(|part| part.split("```").next());
    let small = small.expect("the how-to has a small tariff");
    let spoilt = [
        ("slip", "band_edge", "bandedge"),
        ("kind", "mb_bytes = 1000000", "mb_bytes = \"1 MB\""),
        ("word", "half_up", "upwards"),
    ];
    let mut tariffs = toml_files(&place::checkout().join("config/tariffs"));
    tariffs.push(folder.path().join("small.toml"));
    fs::write(folder.path().join("small.toml"), small).expect("a file can be written");
    for (name, right, wrong) in spoilt {
        assert!(small.contains(right), "{right} is not in the small tariff");
        let file = folder.path().join(name).with_extension("toml");
        fs::write(&file, small.replacen(right, wrong, 1)).expect("a file can be written");
        tariffs.push(file);
    }
    let said = said("docs/tariff.schema.json", &tariffs);
    let (right, wrong) = said.split_at(tariffs.len() - spoilt.len());
    assert!(right.len() >= 2 && right.iter().all(Vec::is_empty), "{right:?}");
    let found: Vec<&str> = wrong.iter().map(|messages| messages[0].as_str()).collect();
    assert!(found[0].starts_with("plan/0:") && found[0].contains("bandedge"), "{found:?}");
    assert!(found[1].starts_with("plan/0/mb_bytes:") && found[2].starts_with("rounding/mode:"), "{found:?}");
}
