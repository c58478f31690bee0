//! Objects on a local disk, safe against power loss: what was published is whole, durable and never changed.
//!
//! Publishing: write under a temporary name, fsync the file, link it to its name (which fails if the name is taken: the
//! store's only lock), fsync the folder and every folder above that this process has not yet made durable, remove the
//! temporary name. Objects that are published together share the fsync of their folder. A link cannot replace a file and is
//! there or not, so a reader never sees half an object. The file system must know hard links; the temporary names lie in
//! `.staging` under the same root.

pub mod blob_contract;
pub mod memory;
pub(crate) mod names;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use domain::ports::{Blob, BlobEntry, BlobError, Clock, StagedBlob, io_error};

use self::names::{STAGING, beyond_the_end, check_folder, check_path};

/// Temporary files that were not written to for this long belong to nobody any more.
const STALE_US: i64 = 3_600_000_000;

/// How much is gathered before it is written.
const BUFFER_BYTES: usize = 64 * 1024;

/// Whether published objects survive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncPolicy {
    /// They do.
    Full,
    /// They survive a killed process only: for tests and throw-away outputs.
    None,
}

/// An object store in a folder. Clones share it.
#[derive(Debug, Clone)]
pub struct LocalStore {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    root: PathBuf,
    sync: SyncPolicy,
    /// Folders whose entries in the folders above are known to be on the disk. Another process may have made a folder without
    /// having got to its fsync: so each process makes sure once.
    durable_folders: Mutex<HashSet<PathBuf>>,
    /// Tells this store's temporary names from those of other processes.
    session: u64,
    staged: AtomicU64,
}

/// A temporary file; its name is removed when it is dropped.
#[derive(Debug)]
struct StagedFile {
    store: Arc<Shared>,
    temporary: PathBuf,
    file: BufWriter<File>,
}

impl LocalStore {
    /// The store of a folder, which is made with the first object. Removes temporary files that a crash left more than an hour
    /// before the clock's time.
    pub fn open(root: impl Into<PathBuf>, sync: SyncPolicy, clock: &dyn Clock) -> Result<Self, BlobError> {
        let root: PathBuf = root.into();
        if root.exists() && !root.is_dir() {
            return Err(io_error(&root.to_string_lossy(), ErrorKind::NotADirectory.into()));
        }
        let session = RandomState::new().hash_one(std::process::id());
        let shared = Shared { root, sync, durable_folders: Mutex::default(), session, staged: AtomicU64::new(0) };
        shared.remove_stale(clock.now_us());
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.shared.root
    }
}

impl Shared {
    fn target(&self, path: &str) -> Result<PathBuf, BlobError> {
        check_path(path).map(|()| self.root.join(path))
    }

    /// Best effort: what cannot be removed now is tried at the next opening.
    fn remove_stale(&self, now_us: i64) {
        let Ok(entries) = fs::read_dir(self.root.join(STAGING)) else { return };
        for entry in entries.flatten() {
            if entry.metadata().is_ok_and(|m| now_us.saturating_sub(modified_us(&m)) > STALE_US) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn create_staged(&self) -> io::Result<(PathBuf, File)> {
        let folder = self.root.join(STAGING);
        let number = self.staged.fetch_add(1, Ordering::Relaxed);
        let temporary = folder.join(format!("{:016x}-{number:08x}", self.session));
        let open = || OpenOptions::new().write(true).create_new(true).open(&temporary);
        let file = match open() {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(&folder)?;
                open()?
            }
            opened => opened?,
        };
        Ok((temporary, file))
    }

    /// Makes the folder of an object and those above it, each durable in the one above.
    fn prepare_folder(&self, folder: &Path) -> io::Result<()> {
        if self.is_durable(folder) {
            return Ok(());
        }
        let above = folder.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if folder != self.root {
            self.prepare_folder(above)?;
        }
        // The root may lie in folders that are missing, too; those above an existing root are not ours.
        match fs::create_dir(folder) {
            Err(e) if e.kind() == ErrorKind::NotFound => create_above(above, self.sync).and_then(|()| fs::create_dir(folder))?,
            Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(e),
            _ => {}
        }
        match self.sync_folder(above) {
            // What lies above the root may be closed to us; whoever made the root has seen to it.
            Err(e) if e.kind() == ErrorKind::PermissionDenied && folder == self.root => {}
            synced => synced?,
        }
        self.durable_folders.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned());
        Ok(())
    }

    fn is_durable(&self, folder: &Path) -> bool {
        self.durable_folders.lock().unwrap_or_else(PoisonError::into_inner).contains(folder)
    }

    fn forget_folders(&self) {
        self.durable_folders.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        sync_folder(folder, self.sync)
    }

    /// Links a temporary file to its name.
    #[expect(clippy::disallowed_methods, reason = "this is where the folders are synced")]
    fn link(&self, temporary: &Path, target: &Path) -> io::Result<()> {
        let folder = target.parent().unwrap_or(&self.root);
        self.prepare_folder(folder)?;
        match fs::hard_link(temporary, target) {
            // Someone removed the folder since it was made: make it again.
            Err(e) if e.kind() == ErrorKind::NotFound && temporary.exists() => {
                self.forget_folders();
                self.prepare_folder(folder)?;
                fs::hard_link(temporary, target)
            }
            Err(e) if e.kind() == ErrorKind::NotFound => {
                Err(io::Error::other("its temporary file was removed, as those that rest for an hour are; write it again"))
            }
            linked => linked,
        }
    }

    fn open_object(&self, path: &str) -> Result<(File, u64), BlobError> {
        let opened = File::open(self.target(path)?).and_then(|file| file.metadata().map(|m| (file, m)));
        match opened {
            Ok((file, m)) if m.is_file() => Ok((file, m.len())),
            Ok(_) => Err(BlobError::NotFound(path.to_owned())),
            Err(e) if e.kind() == ErrorKind::NotADirectory => Err(BlobError::NotFound(path.to_owned())),
            Err(e) => Err(io_error(path, e)),
        }
    }
}

fn visit(folder: &Path, prefix: &str, found: &mut Vec<BlobEntry>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        // What has no text for a name is none of our objects.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{prefix}{name}");
        match entry.metadata() {
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(e),
            Ok(m) if m.is_dir() && path != STAGING => visit(&entry.path(), &format!("{path}/"), found)?,
            Ok(m) if m.is_file() => found.push(BlobEntry { path, size: m.len(), modified_us: modified_us(&m) }),
            Ok(_) => {}
        }
    }
    Ok(())
}

fn create_above(folder: &Path, sync: SyncPolicy) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_above(above, sync)?;
    match fs::create_dir(folder) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(e),
        _ => sync_folder(above, sync),
    }
}

fn sync_folder(folder: &Path, sync: SyncPolicy) -> io::Result<()> {
    match sync {
        SyncPolicy::Full => File::open(folder)?.sync_all(),
        SyncPolicy::None => Ok(()),
    }
}

fn modified_us(metadata: &fs::Metadata) -> i64 {
    let since = metadata.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    since.and_then(|d| i64::try_from(d.as_micros()).ok()).unwrap_or(0)
}

impl Write for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl StagedBlob for StagedFile {
    fn publish(self: Box<Self>, path: &str) -> Result<(), BlobError> {
        let store = Arc::clone(&self.store);
        self.publish_unsettled(path)?;
        // From here on the object is visible: what fails now leaves open whether a power cut would take it back.
        let folder = path.rfind('/').map_or("", |end| &path[..end]);
        store.sync_folder(&store.root.join(folder)).map_err(|_| BlobError::Ambiguous(path.to_owned()))
    }

    fn publish_unsettled(mut self: Box<Self>, path: &str) -> Result<(), BlobError> {
        let target = self.store.target(path)?;
        self.file.flush().map_err(|e| io_error(path, e))?;
        if self.store.sync == SyncPolicy::Full {
            self.file.get_ref().sync_all().map_err(|e| io_error(path, e))?;
        }
        self.store.link(&self.temporary, &target).map_err(|e| io_error(path, e))
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        // If this fails, the next opening after an hour does it.
        let _ = fs::remove_file(&self.temporary);
    }
}

impl Blob for LocalStore {
    fn stage(&self) -> Result<Box<dyn StagedBlob>, BlobError> {
        let (temporary, file) = self.shared.create_staged().map_err(|e| io_error(STAGING, e))?;
        let file = BufWriter::with_capacity(BUFFER_BYTES, file);
        Ok(Box::new(StagedFile { store: Arc::clone(&self.shared), temporary, file }))
    }

    fn settle(&self, folder: &str) -> Result<(), BlobError> {
        check_folder(folder)?;
        match self.shared.sync_folder(&self.shared.root.join(folder)) {
            // Nothing has a name in it.
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
            synced => synced.map_err(|e| io_error(folder, e)),
        }
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, BlobError> {
        let size = self.size(path)?;
        self.get_range(path, 0..size)
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>, BlobError> {
        let (file, size) = self.shared.open_object(path)?;
        let length = range.end.checked_sub(range.start).and_then(|length| usize::try_from(length).ok());
        let Some(length) = length.filter(|_| range.end <= size) else {
            return Err(beyond_the_end(path, &range, size));
        };
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, range.start).map_err(|e| io_error(path, e))?;
        Ok(bytes)
    }

    fn size(&self, path: &str) -> Result<u64, BlobError> {
        self.shared.open_object(path).map(|(_, size)| size)
    }

    fn list(&self, folder: &str) -> Result<Vec<BlobEntry>, BlobError> {
        check_folder(folder)?;
        let mut found = Vec::new();
        visit(&self.shared.root.join(folder), folder, &mut found).map_err(|e| io_error(folder, e))?;
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// Not forced to the disk: a name that a power cut brings back is removed by the next vacuum.
    fn delete(&self, path: &str) -> Result<(), BlobError> {
        match fs::remove_file(self.shared.target(path)?) {
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(()),
            removed => removed.map_err(|e| io_error(path, e)),
        }
    }
}
