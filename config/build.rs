//! Embeds the files of profiles/, tariffs/ and samples/: a new file is shipped without touching Rust.
//!
//! They are copied beside the list first, because checkouts in different folders may share a build folder: the list that one of
//! them left must not name files of a checkout that is gone.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Constant, folder, extension, and whether names keep it.
const LISTS: [(&str, &str, &str, bool); 4] = [
    ("PROFILES", "profiles", "toml", false),
    ("TARIFFS", "tariffs", "toml", false),
    ("TARIFF_COMPANIONS", "tariffs", "csv", true),
    ("SAMPLES", "samples", "csv", true),
];

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the crate's folder"));
    let target = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names the output folder"));
    let mut text = String::new();
    for (constant, folder, extension, keeps) in LISTS {
        let mut entries = String::new();
        fs::create_dir_all(target.join(folder)).expect("cargo's output folder can be written");
        for path in files(&root.join(folder), extension) {
            let file = path.file_name().and_then(|n| n.to_str()).expect("shipped files have names in UTF-8");
            let copy = format!("{folder}/{file}");
            fs::copy(&path, target.join(&copy)).expect("a shipped file can be copied");
            let name = if keeps { file } else { path.file_stem().and_then(|stem| stem.to_str()).expect("its name is UTF-8") };
            writeln!(entries, "    ({name:?}, include_str!({copy:?})),").expect("a string takes all");
        }
        writeln!(text, "const {constant}: &[(&str, &str)] = &[\n{entries}];").expect("a string takes all");
    }
    fs::write(target.join("shipped.rs"), text).expect("cargo's output folder can be written");
    for folder in ["profiles", "tariffs", "samples"] {
        println!("cargo:rerun-if-changed={folder}");
    }
}

/// The files of a folder with an extension, sorted; none if the folder is not there.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|e| e.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == extension));
    paths.sort();
    paths
}
