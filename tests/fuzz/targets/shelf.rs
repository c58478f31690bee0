//! An object store in memory.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::ports::{Blob, BlobEntry, BlobError, Clock, StagedBlob};

type Objects = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// The store.
#[derive(Debug, Default, Clone)]
pub struct Shelf(Objects);

/// A clock that stands.
pub struct Standing;

impl Clock for Standing {
    fn now_us(&self) -> i64 {
        1_790_812_800_000_000
    }
}

struct Staged(Shelf, Vec<u8>);

impl Shelf {
    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts bytes there, whatever was there before.
    pub fn force(&self, path: &str, bytes: &[u8]) {
        self.objects().insert(path.to_owned(), bytes.to_vec());
    }

    fn with<T>(&self, path: &str, read: impl FnOnce(&[u8]) -> Option<T>) -> Result<T, BlobError> {
        let not_found = || BlobError::NotFound(path.to_owned());
        self.objects().get(path).and_then(|bytes| read(bytes)).ok_or_else(not_found)
    }
}

impl Write for Staged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl StagedBlob for Staged {
    fn publish(self: Box<Self>, path: &str) -> Result<(), BlobError> {
        let mut objects = self.0.objects();
        if objects.contains_key(path) {
            return Err(BlobError::AlreadyExists(path.to_owned()));
        }
        objects.insert(path.to_owned(), self.1);
        Ok(())
    }
}

impl Blob for Shelf {
    fn stage(&self) -> Result<Box<dyn StagedBlob>, BlobError> {
        Ok(Box::new(Staged(self.clone(), Vec::new())))
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, BlobError> {
        self.with(path, |bytes| Some(bytes.to_vec()))
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>, BlobError> {
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        self.with(path, |bytes| bytes.get(place(range.start)..place(range.end)).map(<[u8]>::to_vec))
    }

    fn size(&self, path: &str) -> Result<u64, BlobError> {
        self.with(path, |bytes| Some(bytes.len() as u64))
    }

    fn list(&self, folder: &str) -> Result<Vec<BlobEntry>, BlobError> {
        let objects = self.objects();
        let below = objects.iter().filter(|(path, _)| path.starts_with(folder));
        Ok(below.map(|(path, bytes)| BlobEntry { path: path.clone(), size: bytes.len() as u64, modified_us: 0 }).collect())
    }

    fn delete(&self, path: &str) -> Result<(), BlobError> {
        self.objects().remove(path);
        Ok(())
    }
}
