//! Files of all readers: the input's label is the name of the profile that reads them.

use std::collections::BTreeMap;
use std::fs;
use std::sync::OnceLock;

use config::shipped;
use ingest::profile::Profile;

use crate::case::{Case, folder};

use super::rows;

/// What stands behind a profile's name for the same layout without its trailer: else nearly every spoilt file is refused for it.
const BARE: &str = "-bare";

/// The shipped profiles, those of `tests/fuzz/profiles`, and the shipped ones without their trailers.
pub fn profiles() -> &'static BTreeMap<String, Profile> {
    static ALL: OnceLock<BTreeMap<String, Profile>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut texts: BTreeMap<String, String> =
            shipped::profiles::SHIPPED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        for name in ["kpn-sp16", "kpn-een", "vodafone", "tmobile-calvi", "yielder"] {
            texts.insert(format!("{name}{BARE}"), without_section(&texts[name], "trailer"));
        }
        for entry in fs::read_dir(folder().join("profiles")).expect("the folder of profiles") {
            let path = entry.expect("a folder's entry").path();
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            texts.insert(name, fs::read_to_string(&path).expect("a profile's text"));
        }
        let load = |(name, text): (String, String)| {
            let profile = Profile::load(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, profile)
        };
        texts.into_iter().map(load).collect()
    })
}

/// A profile without one of its sections.
fn without_section(text: &str, section: &str) -> String {
    let head = format!("\n[{section}]\n");
    let Some(from) = text.find(&head) else { return text.to_owned() };
    let to = text[from + 1..].find("\n[").map_or(text.len(), |ahead| from + 1 + ahead);
    format!("{}{}", &text[..from], &text[to..])
}

/// Reads a file with the profile of its label.
pub fn run(case: &Case) -> Result<u64, String> {
    let profile = profiles().get(&case.label).ok_or_else(|| format!("no profile is called `{}`", case.label))?;
    rows::read(profile, &case.bytes)
}

/// A file of the fixtures of `ingest`.
pub fn fixture(name: &str) -> Option<Vec<u8>> {
    fs::read(folder().join(format!("../../ingest/fixtures/{name}.cdr"))).ok()
}

/// The first lines of a file.
pub fn head(file: &[u8], lines: usize) -> &[u8] {
    // The second byte of a line feed in UTF-16 belongs to the line, too.
    let wide = usize::from(file.starts_with(b"\xff\xfe"));
    let end = memchr::memchr_iter(b'\n', file).nth(lines - 1).map_or(file.len(), |feed| feed + 1 + wide);
    &file[..end]
}

/// The first rows of the fixtures of the shipped layouts; small files with right trailers are in the corpus.
pub fn delimited() -> Vec<Case> {
    let mut cases = Vec::new();
    for name in profiles().keys() {
        let Some(file) = fixture(name.strip_suffix(BARE).unwrap_or(name)) else { continue };
        cases.push(Case::new(name, head(&file, 12)));
    }
    cases
}
