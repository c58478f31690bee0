//! One writer per log: an operating system's lock on a file, which ends with the process however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use super::durable;
use crate::log::LogError;

/// Held as long as the log is open for writing.
#[derive(Debug)]
pub(super) struct WriterLock {
    _file: File,
}

impl WriterLock {
    /// Takes the lock of a log's folder, or says who has it.
    pub(super) fn take(folder: &Path) -> Result<Self, LogError> {
        durable::create_folder(folder)?;
        let path = folder.join("lock");
        let io = |e| LogError::io(&path, e);
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let pid = file.read_to_string(&mut holder).ok().and_then(|_| holder.trim().parse().ok());
                return Err(LogError::Locked { folder: folder.to_owned(), pid });
            }
            Err(TryLockError::Error(e)) => return Err(io(e)),
        }
        // For people only: the lock itself is the operating system's.
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(io)?;
        Ok(Self { _file: file })
    }
}
