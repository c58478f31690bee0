//! Inputs: a name that says how they are to be read, and bytes. The corpus is a folder of them per target.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// One input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Of what kind it is, in the words of its target: mostly the profile that reads it. Mutations keep it.
    pub label: String,
    pub bytes: Vec<u8>,
}

impl Case {
    /// An input of a kind.
    pub fn new(label: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { label: label.to_owned(), bytes: bytes.into() }
    }

    /// Reads one from a file: `LABEL.anything`.
    pub fn read(path: &Path) -> io::Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let label = name.split('.').next().unwrap_or_default();
        Ok(Self::new(label, fs::read(path)?))
    }

    /// Writes it to a folder under a name that [`Case::read`] understands; says where.
    pub fn write(&self, folder: &Path, target: &str) -> io::Result<PathBuf> {
        let folder = folder.join(target);
        fs::create_dir_all(&folder)?;
        let hash = self.bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3));
        let path = folder.join(format!("{}.{hash:016x}", self.label));
        fs::write(&path, &self.bytes)?;
        Ok(path)
    }
}

/// The folder of what is kept, in the checkout.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The corpus of a target, in the order of names.
pub fn corpus(target: &str) -> io::Result<Vec<Case>> {
    let mut paths: Vec<PathBuf> = match fs::read_dir(folder().join("corpus").join(target)) {
        Ok(entries) => entries.map(|entry| entry.map(|e| e.path())).collect::<io::Result<_>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    paths.sort();
    paths.iter().map(|path| Case::read(path)).collect()
}
