//! The object store of the simulator: in memory, deterministic, with faults that a test chooses by operation.
//!
//! There is no state between written and durable at the `Blob` trait, so a crash is: the worker is dropped, its staged
//! objects with it, and what was published stays.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use domain::ports::{Blob, BlobEntry, BlobError, Clock, StagedBlob};

use super::names::{beyond_the_end, check_folder, check_path};

/// An operation of the store, as a fault plan sees it before it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation<'a> {
    /// Publishing an object under a path.
    Publish(&'a str),
    /// Reading an object, or bytes of it.
    Read(&'a str),
    /// Asking for an object's size.
    Size(&'a str),
    /// Listing a folder.
    List(&'a str),
    /// Removing an object.
    Delete(&'a str),
}

impl<'a> Operation<'a> {
    /// The path or folder.
    pub fn path(self) -> &'a str {
        match self {
            Self::Publish(path) | Self::Read(path) | Self::Size(path) | Self::List(path) | Self::Delete(path) => path,
        }
    }
}

/// What happens to one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It goes through.
    None,
    /// It does not happen and fails as [`BlobError::Io`].
    Fail,
    /// It does not happen and fails as [`BlobError::Full`].
    Full,
    /// It does not happen and fails as [`BlobError::Ambiguous`].
    AmbiguousUndone,
    /// It happens, if nothing else stands against it, and fails as [`BlobError::Ambiguous`].
    AmbiguousDone,
}

/// Decides about the n-th operation of the store's life, from 0. It may not call the store.
pub type FaultPlan = Box<dyn FnMut(u64, Operation<'_>) -> Fault + Send>;

/// An object store in memory. Clones share it.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    objects: BTreeMap<String, Object>,
    operations: u64,
    plan: Option<FaultPlan>,
    clock: Option<Arc<dyn Clock>>,
}

struct Object {
    bytes: Arc<[u8]>,
    modified_us: i64,
}

struct StagedBytes {
    store: MemoryStore,
    bytes: Vec<u8>,
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("objects", &self.lock().objects.len()).finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// An empty store; objects are stamped with the count of operations.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty store whose objects are stamped by a clock.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        let store = Self::new();
        store.lock().clock = Some(clock);
        store
    }

    /// Lets operations fail as the plan says; `None` ends that.
    pub fn set_faults(&self, plan: Option<FaultPlan>) {
        self.lock().plan = plan;
    }

    /// How many operations there were: staging and writing are none, they touch nothing that others see.
    pub fn operations(&self) -> u64 {
        self.lock().operations
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().expect("no operation panics while it holds the store, unless the test's plan does")
    }

    /// Asks the plan about an operation and carries it out accordingly.
    fn run<T>(
        &self,
        operation: Operation<'_>,
        act: impl FnOnce(&mut Shared, &str) -> Result<T, BlobError>,
    ) -> Result<T, BlobError> {
        let mut shared = self.lock();
        let nth = shared.operations;
        shared.operations += 1;
        let path = operation.path();
        match shared.plan.as_mut().map_or(Fault::None, |plan| plan(nth, operation)) {
            Fault::None => act(&mut shared, path),
            Fault::Fail => Err(BlobError::Io { path: path.to_owned(), source: io::Error::other("the fault plan says so") }),
            Fault::Full => Err(BlobError::Full(path.to_owned())),
            Fault::AmbiguousUndone => Err(BlobError::Ambiguous(path.to_owned())),
            Fault::AmbiguousDone => {
                let _ = act(&mut shared, path);
                Err(BlobError::Ambiguous(path.to_owned()))
            }
        }
    }
}

impl Shared {
    fn object(&self, path: &str) -> Result<&Object, BlobError> {
        self.objects.get(path).ok_or_else(|| BlobError::NotFound(path.to_owned()))
    }

    fn now_us(&self) -> i64 {
        let counted = || i64::try_from(self.operations).unwrap_or(i64::MAX);
        self.clock.as_ref().map_or_else(counted, |clock| clock.now_us())
    }
}

impl Write for StagedBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl StagedBlob for StagedBytes {
    fn publish(self: Box<Self>, path: &str) -> Result<(), BlobError> {
        check_path(path)?;
        let Self { store, bytes } = *self;
        store.run(Operation::Publish(path), |shared, path| {
            if shared.objects.contains_key(path) {
                return Err(BlobError::AlreadyExists(path.to_owned()));
            }
            let object = Object { bytes: bytes.into(), modified_us: shared.now_us() };
            shared.objects.insert(path.to_owned(), object);
            Ok(())
        })
    }
}

impl Blob for MemoryStore {
    fn stage(&self) -> Result<Box<dyn StagedBlob>, BlobError> {
        Ok(Box::new(StagedBytes { store: self.clone(), bytes: Vec::new() }))
    }

    /// Names are durable when they are given.
    fn settle(&self, folder: &str) -> Result<(), BlobError> {
        check_folder(folder)
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, BlobError> {
        check_path(path)?;
        self.run(Operation::Read(path), |shared, path| Ok(shared.object(path)?.bytes.to_vec()))
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>, BlobError> {
        check_path(path)?;
        self.run(Operation::Read(path), |shared, path| {
            let bytes = &shared.object(path)?.bytes;
            let place = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
            let part = place.and_then(|(from, to)| bytes.get(from..to));
            part.map(<[u8]>::to_vec).ok_or_else(|| beyond_the_end(path, &range, bytes.len() as u64))
        })
    }

    fn size(&self, path: &str) -> Result<u64, BlobError> {
        check_path(path)?;
        self.run(Operation::Size(path), |shared, path| Ok(shared.object(path)?.bytes.len() as u64))
    }

    fn list(&self, folder: &str) -> Result<Vec<BlobEntry>, BlobError> {
        check_folder(folder)?;
        self.run(Operation::List(folder), |shared, folder| {
            let from = shared.objects.range(folder.to_owned()..).take_while(|(path, _)| path.starts_with(folder));
            let entry = |(path, object): (&String, &Object)| BlobEntry {
                path: path.clone(),
                size: object.bytes.len() as u64,
                modified_us: object.modified_us,
            };
            Ok(from.map(entry).collect())
        })
    }

    fn delete(&self, path: &str) -> Result<(), BlobError> {
        check_path(path)?;
        self.run(Operation::Delete(path), |shared, path| {
            shared.objects.remove(path);
            Ok(())
        })
    }
}
