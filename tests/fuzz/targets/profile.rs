//! The texts of profiles: loaded or refused with a reason, and what loads reads a file.

use config::shipped;
use ingest::profile::Profile;

use crate::case::Case;

use super::{answer, files, rows};

/// Loads a profile and, if it is one, reads a small file of the layout that it was.
pub fn run(case: &Case) -> Result<u64, String> {
    let Ok(text) = std::str::from_utf8(&case.bytes) else { return Ok(0) };
    match Profile::load(text) {
        Ok(profile) => {
            let file = files::fixture(&case.label).unwrap_or_else(|| b"a,b\n1,2\n".to_vec());
            rows::read(&profile, files::head(&file, 6))
        }
        Err(error) if error.to_string().is_empty() => Err("a refusal without a reason".to_owned()),
        Err(error) => Ok(answer::of(answer::words(&error.to_string()))),
    }
}

pub fn seeds() -> Vec<Case> {
    shipped::profiles::SHIPPED.iter().map(|(name, text)| Case::new(name, *text)).collect()
}
