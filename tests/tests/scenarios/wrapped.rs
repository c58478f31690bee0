//! Files as providers pack them: compressed, in archives, in archives of archives. What is rated does not depend on it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::data_folder::DataFolder;
use crate::support::month::Month;
use crate::support::readers;

/// Layouts in four encodings, two of them with trailers that say when bytes are missing; two files each.
const LAYOUTS: &str = "kpn-sp16,routit,vodafone,tmobile-calvi";
const FILES: u32 = 8;
const ROWS: u64 = 4_000;

/// Why members of an archive are left out, and how many there are per file and per archive.
type Skips = [(&'static str, u64, u64)];

/// What is in an archive beside the files, by how it was packed.
const SKIPPED: [(&str, &Skips); 6] = [
    ("gz", &[]),
    ("bz2", &[]),
    ("zst", &[]),
    ("zip", &[("a folder", 0, 1), ("attributes of a Macintosh file (__MACOSX)", 1, 0)]),
    ("tar.gz", &[("a folder", 0, 1), ("a link", 0, 1)]),
    ("nested", &[("a folder", 0, 1), ("a link", 0, 1)]),
];

/// *Scenario.* The same files as they are, and packed by gzip, bzip2, zstd, zip, tar.gz, and gzip in tar.gz in zip, under names
/// such as `../../x/cdr.csv` and beside links, folders and what a Macintosh leaves. *Guarantees.* The same records, charges and
/// totals; what is no data is left out and listed in `members_skipped`; each file is known by its own name, without what would
/// lead elsewhere, and nothing is written under any of these names.
#[test]
fn wrapped_files_give_the_same_records_as_plain_ones() {
    let home = TempDir::new().expect("a temporary folder");
    let month = Month::of_layouts(&home.path().join("month"), LAYOUTS, ROWS, FILES, 7);
    let plain = DataFolder::new();
    month.import(&plain);
    Month::land(&plain, &month.in_order());
    plain.ok(&month.rating());
    let packed = home.path().join("packed");
    readers::python("tests/wrappers/wrap.py", &[home.path().join("month"), packed.clone()]);
    for (way, skipped) in SKIPPED {
        let data = DataFolder::at(&home.path().join("data").join(way));
        month.import(&data);
        assert_eq!(land_packed(&data, &packed.join(way)), expected_skips(&month, skipped), "{way}");
        data.ok(&month.rating());
        let (left, right) = (plain.path().to_string_lossy(), data.path().to_string_lossy());
        println!("{way}: {}", readers::python("tests/readers/same_tables.py", &[&*left, &*right]).trim_end());
        data.assert_sound();
        assert_known_by_their_own_names(&month, &data, way);
    }
}

/// Lands what lies below `<packed>/<profile>/<account>`; gives how many members were left out, by why.
fn land_packed(data: &DataFolder, packed: &Path) -> BTreeMap<String, u64> {
    let mut skipped = BTreeMap::new();
    for profile in entries(packed) {
        for account in entries(&profile) {
            let (named, files) =
                (|path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned(), entries(&account));
            let mut command: Vec<String> = ["ingest", "--land-only", "--profile"].map(str::to_owned).to_vec();
            command.extend([named(&profile), "--account".to_owned(), named(&account)]);
            command.extend(files.iter().map(|file| file.to_string_lossy().into_owned()));
            let said = data.json(&command);
            assert_eq!(said["files"]["new"], 2, "{said:#}");
            for member in said["members_skipped"].as_array().expect("a list of members") {
                let (file, why) = (member["file"].as_str().expect("a name"), member["message"].as_str().expect("a reason"));
                assert!(file.contains("delivery.dat!"), "it is named with the archive that it is in: {file}");
                *skipped.entry(why.to_owned()).or_default() += 1;
            }
        }
    }
    skipped
}

fn expected_skips(month: &Month, skipped: &Skips) -> BTreeMap<String, u64> {
    let accounts: BTreeSet<(&str, &str)> = month.files.iter().map(|f| (&*f.profile, &*f.account)).collect();
    let (files, archives) = (month.files.len() as u64, accounts.len() as u64);
    skipped.iter().map(|(why, per_file, per_archive)| ((*why).to_owned(), per_file * files + per_archive * archives)).collect()
}

/// Every landed file ends in its own name, holds its own rows, and no file of that name lies in the data folder.
fn assert_known_by_their_own_names(month: &Month, data: &DataFolder, way: &str) {
    let landed = readers::read("landed", &[data.path()]);
    let mut rows: BTreeMap<String, u64> = BTreeMap::new();
    for file in landed.as_array().expect("a list of files") {
        let name = file["file"].as_str().expect("a name");
        assert!(!name.split('/').any(|part| part == "..") && !name.starts_with('/'), "{way}: {name}");
        rows.insert(name.rsplit('/').next().expect("a last part").to_owned(), file["rows"].as_u64().expect("a count"));
    }
    let expected: BTreeMap<String, u64> = month.files.iter().map(|f| (f.name.clone(), f.fact("rows"))).collect();
    assert_eq!(rows, expected, "{way}");
    let mut folders = vec![data.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            assert!(path.extension().is_none_or(|e| e != "csv"), "{way} has made {}", path.display());
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
}

/// What lies in a folder, by name.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).unwrap_or_else(|e| panic!("{} cannot be listed: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.expect("a folder can be listed").path()).collect();
    paths.sort();
    paths
}
