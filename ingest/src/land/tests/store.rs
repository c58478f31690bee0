//! A store in memory for landing's tests, with one planned fault at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use domain::ports::{Blob, BlobEntry, BlobError, StagedBlob};

/// What happens to publishing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Full,
    Denied,
    AmbiguousDone,
    AmbiguousUndone,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Vec<u8>>,
    /// Which paths, what, how often.
    fault: Option<(String, Fault, u32)>,
    /// How many publications there go well before.
    fault_after: u32,
    reads: u64,
    /// Objects whose names a power cut would take back.
    unsettled: BTreeSet<String>,
}

#[derive(Clone, Default)]
pub struct TestStore(Arc<Mutex<State>>);

struct StagedBytes(TestStore, Vec<u8>);

impl TestStore {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics here")
    }

    /// The next `times` publications under a prefix go wrong.
    pub fn fail(&self, prefix: &str, fault: Fault, times: u32) {
        self.state().fault = Some((prefix.to_owned(), fault, times));
    }

    /// All publications under a prefix go wrong but the first few.
    pub fn fail_after(&self, prefix: &str, fault: Fault, good: u32) {
        self.fail(prefix, fault, u32::MAX);
        self.state().fault_after = good;
    }

    /// Puts bytes there, whatever was there before.
    pub fn force(&self, path: &str, bytes: &[u8]) {
        self.state().objects.insert(path.to_owned(), bytes.to_vec());
    }

    pub fn remove(&self, path: &str) {
        self.state().objects.remove(path);
    }

    pub fn paths(&self, prefix: &str) -> Vec<String> {
        self.state().objects.keys().filter(|p| p.starts_with(prefix)).cloned().collect()
    }

    /// Objects read so far.
    pub fn reads(&self) -> u64 {
        self.state().reads
    }
}

impl State {
    fn drawn_fault(&mut self, path: &str) -> Option<Fault> {
        let (prefix, fault, times) = self.fault.as_mut()?;
        if *times == 0 || !path.starts_with(prefix.as_str()) {
            return None;
        }
        if self.fault_after > 0 {
            self.fault_after -= 1;
            return None;
        }
        *times -= 1;
        Some(*fault)
    }

    fn put(&mut self, path: &str, bytes: Vec<u8>) -> Result<(), BlobError> {
        if self.objects.contains_key(path) {
            return Err(BlobError::AlreadyExists(path.to_owned()));
        }
        self.objects.insert(path.to_owned(), bytes);
        Ok(())
    }
}

impl Write for StagedBytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl StagedBlob for StagedBytes {
    fn publish(self: Box<Self>, path: &str) -> Result<(), BlobError> {
        let store = self.0.clone();
        self.publish_unsettled(path)?;
        store.state().unsettled.remove(path);
        Ok(())
    }

    fn publish_unsettled(self: Box<Self>, path: &str) -> Result<(), BlobError> {
        let Self(store, bytes) = *self;
        let mut state = store.state();
        if path.starts_with("landing/arrivals/") {
            let record = String::from_utf8_lossy(&bytes);
            let is_named = |object: &String| object.rsplit('/').next().is_some_and(|hash| record.contains(hash));
            let unsettled = state.unsettled.iter().find(|object| is_named(object));
            assert_eq!(unsettled, None, "a record names an object that a power cut would take back");
        }
        match state.drawn_fault(path) {
            None => {
                // A name that was there is as settled as it was: whoever comes second writes nothing.
                state.put(path, bytes)?;
                state.unsettled.insert(path.to_owned());
                Ok(())
            }
            Some(Fault::Full) => Err(BlobError::Full(path.to_owned())),
            Some(Fault::Denied) => Err(BlobError::Denied(path.to_owned())),
            Some(Fault::AmbiguousUndone) => Err(BlobError::Ambiguous(path.to_owned())),
            Some(Fault::AmbiguousDone) => {
                state.put(path, bytes)?;
                Err(BlobError::Ambiguous(path.to_owned()))
            }
        }
    }
}

impl Blob for TestStore {
    fn stage(&self) -> Result<Box<dyn StagedBlob>, BlobError> {
        Ok(Box::new(StagedBytes(self.clone(), Vec::new())))
    }

    fn settle(&self, folder: &str) -> Result<(), BlobError> {
        self.state().unsettled.retain(|path| !path.starts_with(folder));
        Ok(())
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, BlobError> {
        let mut state = self.state();
        state.reads += 1;
        state.objects.get(path).cloned().ok_or_else(|| BlobError::NotFound(path.to_owned()))
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>, BlobError> {
        let bytes = self.get(path)?;
        let place = |at| usize::try_from(at).expect("small tests");
        let part = bytes.get(place(range.start)..place(range.end));
        part.map(<[u8]>::to_vec).ok_or_else(|| BlobError::NotFound(path.to_owned()))
    }

    fn size(&self, path: &str) -> Result<u64, BlobError> {
        self.get(path).map(|bytes| bytes.len() as u64)
    }

    fn list(&self, folder: &str) -> Result<Vec<BlobEntry>, BlobError> {
        let state = self.state();
        let below = state.objects.iter().filter(|(path, _)| path.starts_with(folder));
        Ok(below.map(|(path, bytes)| BlobEntry { path: path.clone(), size: bytes.len() as u64, modified_us: 0 }).collect())
    }

    fn delete(&self, path: &str) -> Result<(), BlobError> {
        self.remove(path);
        Ok(())
    }
}
