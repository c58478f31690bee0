//! Objects in a bucket: Amazon S3 and what speaks as it does, Azure Blob Storage, Google Cloud Storage (docs/adr/0013).
//!
//! Put-if-absent is a conditional put; there is no other lock. The library's own retries are off, because they take our own
//! success, whose answer was lost, for another's object: what may be tried again is decided here. Every object carries the
//! mark of the publication that made it, so that an unknown outcome can be looked up.

mod client;
mod fault;
mod requests;
mod staged;
#[cfg(test)]
mod tests;

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use config::sections::{Bucket, Storage};
use domain::ports::{Blob, BlobEntry, BlobError, Clock, StagedBlob, io_error};
use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStoreExt};

use self::client::Clients;
use self::fault::Fault;
use self::requests::Requests;
use self::staged::{Staged, publish_small};
use crate::local_store::names::{STAGING, beyond_the_end, check_folder, check_path};

/// The largest object in bytes: what a bucket copies at once.
const OBJECT_BYTES_MAX: u64 = 5 << 30;

/// An object store in a bucket. Clones share it.
#[derive(Clone)]
pub struct BucketStore {
    shared: Arc<Shared>,
}

/// What all operations share.
struct Shared {
    clients: Clients,
    /// Of which the clients were made.
    bucket: Bucket,
    storage: Storage,
    requests: Requests,
    /// The folder in the bucket, without a slash at its end; empty: all of it.
    prefix: String,
    part_bytes: usize,
    /// Where objects larger than a part wait to be sent.
    spool: PathBuf,
    /// Tells this store's marks from those of other processes.
    session: u64,
    published: AtomicU64,
    opened_us: i64,
    /// Whether parts that nobody finished have been looked for.
    swept: AtomicBool,
}

impl std::fmt::Debug for BucketStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BucketStore({})", self.place())
    }
}

impl BucketStore {
    /// The store of a bucket. Nothing is asked of it yet: the first operation shows whether it can be reached. Objects that
    /// are larger than a part wait in the folder `spool`, under no name.
    pub fn open(bucket: &Bucket, storage: &Storage, spool: &FilePath, clock: &dyn Clock) -> Result<Self, BlobError> {
        let place = bucket.to_string();
        let clients = client::connect(bucket, storage)
            .map_err(|what| io_error(&place, io::Error::new(io::ErrorKind::InvalidInput, what)))?;
        let requests =
            Requests::start(place.clone(), storage, client::missing_key(bucket, storage)).map_err(|e| io_error(&place, e))?;
        let shared = Shared {
            clients,
            bucket: bucket.clone(),
            storage: storage.clone(),
            requests,
            prefix: bucket.prefix.clone(),
            part_bytes: storage.part_bytes,
            spool: spool.to_owned(),
            session: RandomState::new().hash_one(std::process::id()),
            published: AtomicU64::new(0),
            opened_us: clock.now_us(),
            swept: AtomicBool::new(false),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Where it is: `s3://BUCKET/PREFIX`.
    pub fn place(&self) -> &str {
        self.shared.requests.place()
    }

    /// Makes a small object where none is, or finds one there, and proves that the bucket keeps the second of two puts from
    /// replacing the first: some servers take the condition and ignore it. Tells whether the object was made.
    pub fn claim(&self, path: &str, bytes: &[u8]) -> Result<bool, BlobError> {
        let made = match self.put_if_absent(path, bytes) {
            Ok(()) => true,
            Err(BlobError::AlreadyExists(_)) => false,
            Err(e) => return Err(e),
        };
        let again = if made { self.put_if_absent(path, bytes) } else { Err(BlobError::AlreadyExists(path.to_owned())) };
        let copied = match again {
            Err(BlobError::AlreadyExists(_)) => self.copy_onto_itself(path)?,
            Ok(()) => true,
            Err(e) => return Err(e),
        };
        if copied {
            let what = format!("{} ignores conditional puts, which are the tables' only lock: use another server", self.place());
            return Err(BlobError::Io { path: path.to_owned(), source: io::Error::new(io::ErrorKind::Unsupported, what) });
        }
        Ok(made)
    }

    /// Whether the bucket copies an object onto itself although the copy may not replace anything.
    fn copy_onto_itself(&self, path: &str) -> Result<bool, BlobError> {
        let (shared, path) = (Arc::clone(&self.shared), path.to_owned());
        self.shared.requests.wait(async move {
            let key = shared.key(&path)?;
            let copy = || shared.clients.store.copy_if_not_exists(&key, &key);
            match shared.requests.repeat(&path, copy).await {
                Ok(()) => Ok(true),
                Err(Fault::Exists | Fault::Conflict) => Ok(false),
                Err(fault) => Err(shared.requests.failed(&path, fault)),
            }
        })
    }
}

impl Shared {
    /// What an object is called in the bucket.
    fn key(&self, path: &str) -> Result<Path, BlobError> {
        let key = if self.prefix.is_empty() { path.to_owned() } else { format!("{}/{path}", self.prefix) };
        Path::parse(key).map_err(|e| io_error(path, io::Error::new(io::ErrorKind::InvalidInput, e)))
    }

    /// A text that no other publication has.
    fn next_mark(&self) -> String {
        format!("{:016x}{:016x}", self.session, self.published.fetch_add(1, Ordering::Relaxed))
    }

    async fn meta(&self, path: &str) -> Result<ObjectMeta, BlobError> {
        let key = self.key(path)?;
        let found = self.requests.repeat(path, || self.clients.store.head(&key)).await;
        found.map_err(|fault| self.requests.failed(path, fault))
    }

    async fn get(&self, path: &str) -> Result<Bytes, BlobError> {
        let key = self.key(path)?;
        let read = || async { self.clients.store.get(&key).await?.bytes().await };
        self.requests.repeat(path, read).await.map_err(|fault| self.requests.failed(path, fault))
    }

    /// A range that has bytes. What a bucket says to one beyond the end differs: its size decides.
    async fn get_range(&self, path: &str, range: Range<u64>) -> Result<Bytes, BlobError> {
        let key = self.key(path)?;
        let read = || async {
            let options = GetOptions { range: Some(GetRange::Bounded(range.clone())), ..GetOptions::default() };
            self.clients.store.get_opts(&key, options).await?.bytes().await
        };
        match self.requests.repeat(path, read).await {
            Ok(bytes) if bytes.len() as u64 == range.end - range.start => Ok(bytes),
            Err(fault @ (Fault::NotFound | Fault::Unreached(_) | Fault::Unclear(_))) => Err(self.requests.failed(path, fault)),
            other => {
                let size = self.meta(path).await?.size;
                let cause = other.err().filter(|_| range.end <= size);
                Err(cause.map_or_else(|| beyond_the_end(path, &range, size), |fault| self.requests.failed(path, fault)))
            }
        }
    }

    async fn list(&self, folder: &str) -> Result<Vec<BlobEntry>, BlobError> {
        let root = if self.prefix.is_empty() { String::new() } else { format!("{}/", self.prefix) };
        let under = self.key(folder.trim_end_matches('/'))?;
        let list = || async { self.clients.store.list(Some(&under)).try_collect::<Vec<ObjectMeta>>().await };
        let listed = self.requests.repeat(folder, list).await.map_err(|fault| self.requests.failed(folder, fault))?;
        let staging = format!("{STAGING}/");
        let ours = |path: &String| path.starts_with(folder) && (!path.starts_with(&staging) || folder == staging);
        let mut found: Vec<BlobEntry> = listed
            .into_iter()
            .filter_map(|meta| {
                let path = meta.location.as_ref().strip_prefix(&root).map(str::to_owned).filter(ours)?;
                Some(BlobEntry { path, size: meta.size, modified_us: meta.last_modified.timestamp_micros() })
            })
            .collect();
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    async fn delete(&self, path: &str) -> Result<(), BlobError> {
        let key = self.key(path)?;
        match self.requests.repeat(path, || self.clients.store.delete(&key)).await {
            Ok(()) | Err(Fault::NotFound) => Ok(()),
            Err(fault) => Err(self.requests.failed(path, fault)),
        }
    }
}

impl Blob for BucketStore {
    fn stage(&self) -> Result<Box<dyn StagedBlob>, BlobError> {
        Ok(Box::new(Staged::new(Arc::clone(&self.shared))))
    }

    /// Names are durable when they are given.
    fn settle(&self, folder: &str) -> Result<(), BlobError> {
        check_folder(folder)
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, BlobError> {
        check_path(path)?;
        let (shared, path) = (Arc::clone(&self.shared), path.to_owned());
        self.shared.requests.wait(async move { shared.get(&path).await.map(Vec::from) })
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>, BlobError> {
        check_path(path)?;
        let has_bytes = range.start < range.end && range.end - range.start <= OBJECT_BYTES_MAX;
        if !has_bytes {
            // No request asks for nothing: only the size says whether that nothing lies within the object.
            let size = self.size(path)?;
            let is_within = range.start == range.end && range.end <= size;
            return if is_within { Ok(Vec::new()) } else { Err(beyond_the_end(path, &range, size)) };
        }
        let (shared, path) = (Arc::clone(&self.shared), path.to_owned());
        self.shared.requests.wait(async move { shared.get_range(&path, range).await.map(Vec::from) })
    }

    fn size(&self, path: &str) -> Result<u64, BlobError> {
        check_path(path)?;
        let (shared, path) = (Arc::clone(&self.shared), path.to_owned());
        self.shared.requests.wait(async move { shared.meta(&path).await.map(|meta| meta.size) })
    }

    fn list(&self, folder: &str) -> Result<Vec<BlobEntry>, BlobError> {
        check_folder(folder)?;
        let (shared, folder) = (Arc::clone(&self.shared), folder.to_owned());
        self.shared.requests.wait(async move { shared.list(&folder).await })
    }

    fn delete(&self, path: &str) -> Result<(), BlobError> {
        check_path(path)?;
        let (shared, path) = (Arc::clone(&self.shared), path.to_owned());
        self.shared.requests.wait(async move { shared.delete(&path).await })
    }

    fn put_if_absent(&self, path: &str, bytes: &[u8]) -> Result<(), BlobError> {
        check_path(path)?;
        if bytes.len() > self.shared.part_bytes {
            let mut staged = self.stage()?;
            staged.write_all(bytes).map_err(|e| io_error(path, e))?;
            return staged.publish(path);
        }
        let (shared, path, bytes) = (Arc::clone(&self.shared), path.to_owned(), Bytes::copy_from_slice(bytes));
        self.shared.requests.wait(async move { publish_small(&shared, &path, bytes).await })
    }
}
