//! A month on disk: reference files, call records by profile and account, and what is expected of them.

use std::fs;
use std::path::Path;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::facts::Facts;
use crate::month::{FilePlan, Month};
use crate::settings::GeneratorError;

/// A file that was made.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct MadeFile {
    /// Which.
    pub file: FilePlan,
    /// Its size in bytes.
    pub bytes: u64,
    /// What is in it.
    pub facts: Facts,
}

impl Month {
    /// Writes `reference/*.csv`, `cdr/<profile>/<account>/<name>` and `expected.json` (a list of [`MadeFile`]) below `folder`,
    /// which is created if need be; files of the same names are replaced. Calls `made` after each file of records, from several
    /// threads. Gives the files in the order of [`Month::plan`].
    pub fn write_folder(&self, folder: &Path, made: impl Fn(&MadeFile) + Sync) -> Result<Vec<MadeFile>, GeneratorError> {
        let reference = self.reference();
        for (name, text) in reference.files() {
            write(&folder.join("reference").join(name), text.as_bytes())?;
        }
        let plan = self.plan();
        let files: Vec<MadeFile> = plan
            .par_iter()
            .map(|file| {
                let mut bytes = Vec::new();
                let facts = self.write_file(file, &mut bytes);
                write(&folder.join("cdr").join(file.path()), &bytes)?;
                let file = MadeFile { file: file.clone(), bytes: bytes.len() as u64, facts };
                made(&file);
                Ok(file)
            })
            .collect::<Result<_, _>>()?;
        let expected = serde_json::to_vec_pretty(&files).expect("counts and names have a JSON form");
        write(&folder.join("expected.json"), &expected)?;
        Ok(files)
    }
}

/// Writes a file and the folders above it.
fn write(path: &Path, bytes: &[u8]) -> Result<(), GeneratorError> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(path, bytes))
        .map_err(|source| GeneratorError::Write { path: path.to_owned(), source })
}
