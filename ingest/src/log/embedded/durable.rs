//! Files and folders that are on the disk when the call returns.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use crate::log::LogError;

/// Ends the names of files that are not finished.
pub(super) const UNFINISHED: &str = ".tmp";

/// Makes the entries of a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), LogError> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| LogError::io(folder, e))
}

/// Makes a folder and those above it that are missing, each durable in its parent.
pub(super) fn create_folder(folder: &Path) -> Result<(), LogError> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|p| !p.as_os_str().is_empty());
    if let Some(parent) = parent {
        create_folder(parent)?;
    }
    match fs::create_dir(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(LogError::io(folder, e)),
        _ => sync_folder(parent.unwrap_or(Path::new("."))),
    }
}

/// Replaces a file as a whole: after a crash it is the old one or the new one.
#[expect(clippy::disallowed_methods, reason = "file and folder are synced here; a log's own files are no objects")]
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), LogError> {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    let unfinished = Path::new(&name);
    let write = || {
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).open(unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(unfinished, path)
    };
    write().map_err(|e| LogError::io(path, e))?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}
