//! A generated month over all shipped layouts: its files, its reference data, and ways to land it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::chance::Chance;
use super::data_folder::DataFolder;

/// A file of the month.
#[derive(Debug, Clone)]
pub struct MonthFile {
    /// The profile that reads it.
    pub profile: String,
    /// The account under which it arrives.
    pub account: String,
    /// Its name.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
    /// The name of the file whose bytes it has.
    pub resend_of: Option<String>,
    /// What the generator counted while it made the file.
    pub facts: Value,
}

impl MonthFile {
    /// One of the generator's counts.
    pub fn fact(&self, name: &str) -> u64 {
        self.facts[name].as_u64().unwrap_or_else(|| panic!("{}: the generator states no `{name}`", self.name))
    }
}

/// A month on disk.
#[derive(Debug)]
pub struct Month {
    folder: PathBuf,
    /// Its files in the order in which they were sent.
    pub files: Vec<MonthFile>,
}

impl Month {
    /// Makes a month of at least so many rows below a folder. From 60 files on, one of them is sent again under another name.
    pub fn generate(folder: &Path, rows: u64, files: u32, seed: u64) -> Self {
        Self::of_layouts(folder, "all", rows, files, seed)
    }

    /// Makes a month of some layouts, named as for `tollway generate`.
    pub fn of_layouts(folder: &Path, layouts: &str, rows: u64, files: u32, seed: u64) -> Self {
        let (rows, files, seed) = (rows.to_string(), files.to_string(), seed.to_string());
        Self::of_options(folder, &["--layouts", layouts, "--rows", &rows, "--files", &files, "--seed", &seed])
    }

    /// Makes a month with these options of `tollway generate`.
    pub fn of_options(folder: &Path, options: &[&str]) -> Self {
        let target = folder.to_string_lossy();
        DataFolder::new().ok(&[&["generate"], options, &[&target]].concat());
        let expected = fs::read(folder.join("expected.json")).expect("a month says what to expect of it");
        let expected: Vec<Value> = serde_json::from_slice(&expected).expect("expected.json is a list");
        let files = expected.iter().map(|made| month_file(folder, made)).collect();
        Self { folder: folder.to_owned(), files }
    }

    /// Data rows without those of re-sent files.
    pub fn rows(&self) -> u64 {
        self.files.iter().filter(|f| f.resend_of.is_none()).map(|f| f.fact("rows")).sum()
    }

    /// Puts the tariff and the month's customers, plans and devices in force.
    pub fn import(&self, data: &DataFolder) {
        data.ok(&["import", "tariffs", "nl-zakelijk"]);
        for what in ["customers", "plans", "devices"] {
            let file = self.folder.join("reference").join(what).with_extension("csv");
            data.ok(&["import", what, &file.to_string_lossy()]);
        }
    }

    /// Lands files in this order, one command for neighbours of one account; gives how many were new.
    pub fn land(data: &DataFolder, order: &[&MonthFile]) -> u64 {
        let of_one_account = |a: &&MonthFile, b: &&MonthFile| a.account == b.account && a.profile == b.profile;
        let new = order.chunk_by(of_one_account).map(|files| {
            let mut command = vec!["ingest", "--land-only", "--profile", &files[0].profile, "--account", &files[0].account];
            let paths: Vec<String> = files.iter().map(|f| f.path.to_string_lossy().into_owned()).collect();
            command.extend(paths.iter().map(String::as_str));
            data.json(&command)["files"]["new"].as_u64().expect("a count")
        });
        new.sum()
    }

    /// The files account by account, each account's in the order in which they were sent.
    pub fn in_order(&self) -> Vec<&MonthFile> {
        let mut files: Vec<&MonthFile> = self.files.iter().collect();
        files.sort_by_key(|f| (f.profile.clone(), f.account.clone()));
        files
    }

    /// All files in an order drawn by seed. Accounts with conflicting ids keep theirs, because the first row of an id counts.
    pub fn shuffled(&self, seed: u64) -> Vec<&MonthFile> {
        let mut files: Vec<&MonthFile> = self.files.iter().collect();
        Chance::of(seed).shuffle(&mut files);
        let mut places: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        for (place, file) in files.iter().enumerate() {
            places.entry((&file.profile, &file.account)).or_default().push(place);
        }
        for ((profile, account), places) in places {
            let sent: Vec<&MonthFile> = self.files.iter().filter(|f| f.profile == profile && f.account == account).collect();
            if sent.iter().any(|f| f.fact("id_conflicts") > 0) {
                for (place, file) in places.into_iter().zip(sent) {
                    files[place] = file;
                }
            }
        }
        files
    }

    /// The command that rates what has landed: it names a file that is known already.
    pub fn rating(&self) -> Vec<String> {
        let known = &self.files[0];
        let words = ["ingest", "--profile", &known.profile, "--account", &known.account];
        words.into_iter().map(str::to_owned).chain([known.path.to_string_lossy().into_owned()]).collect()
    }
}

fn month_file(folder: &Path, made: &Value) -> MonthFile {
    let text = |name: &str| made["file"][name].as_str().expect("a file has a name, an account and a layout").to_owned();
    let (profile, account, name) = (text("layout"), text("account"), text("name"));
    let path = folder.join("cdr").join(&profile).join(&account).join(&name);
    let resend_of = made["file"]["resend_of"].as_str().map(str::to_owned);
    MonthFile { profile, account, name, path, resend_of, facts: made["facts"].clone() }
}
