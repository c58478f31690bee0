//! What the outside must offer to the core: objects, time and chance, as traits without async.
//!
//! The same core runs on disks and in the seeded simulator, because it only knows these.

use std::io::Write;
use std::ops::Range;

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Someone has to act; trying again changes nothing.
    Stop,
    /// The next scheduled run may succeed.
    NextRun,
    /// Try again now, within the limits.
    Retry,
}

/// Why an object operation failed.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// No object of that name.
    #[error("object `{0}` does not exist")]
    NotFound(String),
    /// Put-if-absent found an object of that name.
    #[error("object `{0}` exists already")]
    AlreadyExists(String),
    /// No space left.
    #[error("no space left while writing `{0}`; nothing was published, free space and run again")]
    Full(String),
    /// The store refuses this process.
    #[error("no permission to write `{0}`; check the owner and mode of the data folder")]
    Denied(String),
    /// The operation may or may not have happened: reload and compare, never retry blindly.
    #[error("the outcome of writing `{0}` is unknown")]
    Ambiguous(String),
    /// Anything else the store said.
    #[error("failed to access object `{path}`")]
    Io {
        /// The object.
        path: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

impl BlobError {
    /// What to do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::NotFound(_) | Self::AlreadyExists(_) | Self::Denied(_) | Self::Full(_) => Disposition::Stop,
            Self::Ambiguous(_) | Self::Io { .. } => Disposition::Retry,
        }
    }
}

/// One object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobEntry {
    /// Path from the store's root, with `/`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Last change, microseconds since 1970 UTC.
    pub modified_us: i64,
}

/// An object being written under no name yet.
pub trait StagedBlob: Write + Send {
    /// Makes the bytes durable and visible under `path`, if no object has that name.
    fn publish(self: Box<Self>, path: &str) -> Result<(), BlobError>;

    /// Like [`StagedBlob::publish`], but a power cut may take the name back until [`Blob::settle`] was called for its folder:
    /// many objects of a folder share what that costs.
    fn publish_unsettled(self: Box<Self>, path: &str) -> Result<(), BlobError> {
        self.publish(path)
    }
}

/// An object store: named immutable bytes, put-if-absent as its only lock. Paths are relative, with `/`.
pub trait Blob: Send + Sync {
    /// Begins an object whose name may depend on its bytes. Dropped without [`StagedBlob::publish`], it leaves nothing visible.
    fn stage(&self) -> Result<Box<dyn StagedBlob>, BlobError>;

    /// Makes durable the names that any process has given in `folder` (which ends with `/`).
    fn settle(&self, folder: &str) -> Result<(), BlobError>;

    /// All bytes of an object.
    fn get(&self, path: &str) -> Result<Vec<u8>, BlobError>;

    /// Some bytes of an object; a range beyond its end is an error.
    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>, BlobError>;

    /// Size of an object in bytes.
    fn size(&self, path: &str) -> Result<u64, BlobError>;

    /// Objects whose path starts with `folder` (which ends with `/`), sorted by path; sub-folders included.
    fn list(&self, folder: &str) -> Result<Vec<BlobEntry>, BlobError>;

    /// Removes an object; absent is fine. Only vacuum calls this.
    fn delete(&self, path: &str) -> Result<(), BlobError>;

    /// Writes a small object, if no object has that name.
    fn put_if_absent(&self, path: &str, bytes: &[u8]) -> Result<(), BlobError> {
        let mut staged = self.stage()?;
        staged.write_all(bytes).map_err(|e| io_error(path, e))?;
        staged.publish(path)
    }
}

/// Sorts an I/O error into the causes that the core tells apart.
pub fn io_error(path: &str, source: std::io::Error) -> BlobError {
    use std::io::ErrorKind;
    let path = path.to_owned();
    match source.kind() {
        ErrorKind::NotFound => BlobError::NotFound(path),
        ErrorKind::AlreadyExists => BlobError::AlreadyExists(path),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => BlobError::Full(path),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => BlobError::Denied(path),
        _ => BlobError::Io { path, source },
    }
}

/// Time.
pub trait Clock: Send + Sync {
    /// Microseconds since 1970 UTC.
    fn now_us(&self) -> i64;
}

/// Chance: names of files and jitter come from here, so that a seed repeats a run.
pub trait Rng: Send {
    /// The next 64 random bits.
    fn next_u64(&mut self) -> u64;

    /// 128 random bits as 32 hexadecimal digits: the name of a new file.
    fn next_name(&mut self) -> String {
        format!("{:016x}{:016x}", self.next_u64(), self.next_u64())
    }
}
