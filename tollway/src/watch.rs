//! The watch folder: what a source puts under `FOLDER/PROFILE/ACCOUNT/` is landed by the service once it has stopped changing.
//!
//! Files stay where they are: landing knows bytes it has, so a restart reads each file once and lands nothing twice.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use domain::delivery::Account;
use domain::ids::{AccountId, ProviderId, TenantId};
use domain::ports::Disposition;
use ingest::land::{LandError, LandRequest, Landed, LandedFile, Landing, PathLimits, Together, collect_paths};
use ingest::profile::Profile;
use pipeline::PipelineError;

use crate::system::SystemClock;

/// How often the folder is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a stop waits for a landing that is under way and cannot be left: the store answers slowly, or a large archive is
/// being unwrapped. Nothing is lost by leaving it: it has no arrival yet, or all of it.
const STOP_WAIT: Duration = Duration::from_secs(10);

/// How much of a file is read at once.
const READ_BYTES: usize = 1 << 20;

/// What is known of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    size: u64,
    changed: Option<SystemTime>,
    settled: bool,
}

/// Lands what appears below a folder.
pub struct WatchFolder {
    folder: PathBuf,
    landing: Arc<Landing>,
    tenant: TenantId,
    cut_rows: u64,
    profiles: HashMap<String, Profile>,
    seen: HashMap<PathBuf, Seen>,
    stop: Arc<AtomicBool>,
}

impl std::fmt::Debug for WatchFolder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WatchFolder({})", self.folder.display())
    }
}

impl WatchFolder {
    /// Watches `folder` for files of `tenant`.
    pub fn new(folder: PathBuf, landing: Arc<Landing>, tenant: TenantId, cut_rows: u64) -> Self {
        Self { folder, landing, tenant, cut_rows, profiles: HashMap::new(), seen: HashMap::new(), stop: Arc::default() }
    }

    /// Looks once. A file is landed when its size and time are what they were at the look before. What cannot be landed is
    /// logged once and looked at again when it changes, or with the next look if the store failed in a way that may pass; it
    /// keeps nobody waiting.
    pub fn step(&mut self) {
        let paths = match collect_paths(std::slice::from_ref(&self.folder), PathLimits::default()) {
            Ok(paths) => paths,
            Err(e) => {
                tracing::debug!(folder = %self.folder.display(), error = %e, "watch folder cannot be read");
                return;
            }
        };
        let landing = Arc::clone(&self.landing);
        let mut together = landing.together();
        for path in paths {
            if self.stop.load(Ordering::Acquire) {
                return;
            }
            let Ok(meta) = fs::metadata(&path) else { continue };
            let now = Seen { size: meta.len(), changed: meta.modified().ok(), settled: false };
            match self.seen.get(&path) {
                Some(seen) if (seen.size, seen.changed) == (now.size, now.changed) => {
                    if !seen.settled {
                        self.land(&mut together, path, now);
                    }
                }
                _ => {
                    self.seen.insert(path, now);
                }
            }
        }
        let _ = together.finish(&SystemClock, &mut |file, outcome| self.settle(file, outcome));
    }

    /// Lands a file, at once or together with those that follow.
    fn land(&mut self, together: &mut Together<'_, (PathBuf, Seen)>, path: PathBuf, now: Seen) {
        match self.open(&path) {
            Ok((request, file)) => {
                let mut bytes = BufReader::with_capacity(READ_BYTES, file);
                let hear = &mut |file, outcome| self.settle(file, outcome);
                let _ = together.add((path, now), &request, &mut bytes, &SystemClock, hear);
            }
            Err(e) => {
                tracing::warn!(file = %path.display(), error = format!("{e:#}"), "not landed");
                self.seen.insert(path, Seen { settled: true, ..now });
            }
        }
    }

    /// Says what became of a file. One whose store failed in a way that may pass is tried again with the next look; it keeps
    /// nobody waiting.
    fn settle(&mut self, (path, seen): (PathBuf, Seen), outcome: Result<LandedFile, LandError>) -> ControlFlow<()> {
        let settled = self.tell(&path, outcome);
        self.seen.insert(path, Seen { settled, ..seen });
        ControlFlow::Continue(())
    }

    /// Logs what became of a file; false if it is to be tried again.
    fn tell(&self, path: &Path, outcome: Result<LandedFile, LandError>) -> bool {
        let file = path.display().to_string();
        let all = match outcome {
            Ok(all) => all,
            Err(_) if self.stop.load(Ordering::Acquire) => {
                tracing::info!(file, "left to the next start");
                return false;
            }
            Err(e) => {
                let disposition = e.disposition();
                tracing::warn!(file, error = format!("{:#}", anyhow::Error::new(e)), "not landed");
                return disposition == Disposition::Stop;
            }
        };
        for landed in &all.landed {
            match landed {
                Landed::New(arrival) => tracing::info!(file, arrival = arrival.number, "landed"),
                Landed::Already(_) => {}
                Landed::Held(arrival) => tracing::warn!(file, arrival = arrival.number, "held: `tollway status` says why"),
            }
        }
        for skipped in &all.skipped {
            tracing::debug!(file, member = skipped.origin, why = skipped.why, "skipped, it holds no data");
        }
        for error in &all.refused {
            tracing::warn!(file, error = %error, "not landed");
        }
        true
    }

    /// What a file's place says of it, and its bytes.
    fn open(&mut self, path: &Path) -> anyhow::Result<(LandRequest, Stoppable<File>)> {
        let inside = path.strip_prefix(&self.folder)?;
        let parts: Vec<&str> = inside.iter().filter_map(|p| p.to_str()).collect();
        let [profile, account, .., name] = parts[..] else {
            anyhow::bail!("the file is not in a folder PROFILE/ACCOUNT below the watch folder; move it there");
        };
        if !self.profiles.contains_key(profile) {
            let loaded = crate::commands::profile::load(profile)?;
            self.profiles.insert(profile.to_owned(), loaded);
        }
        let profile = &self.profiles[profile];
        let account = Account {
            tenant: self.tenant.clone(),
            provider: ProviderId::parse(profile.provider().unwrap_or(profile.name()))?,
            account: AccountId::parse(account)?,
        };
        let request = LandRequest::new(profile, account, &path.display().to_string(), name, self.cut_rows);
        let file = File::open(path).context("the file cannot be read")?;
        Ok((request, Stoppable { file, stop: Arc::clone(&self.stop) }))
    }
}

/// A file that cannot be read any more once the service stops: what was landed of it has no name yet and is cleared away.
struct Stoppable<R> {
    file: R,
    stop: Arc<AtomicBool>,
}

impl<R: Read> Read for Stoppable<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Acquire) {
            return Err(io::Error::other("the service is stopping"));
        }
        self.file.read(buffer)
    }
}

/// A watch folder on a thread of its own: a file that takes an hour to land keeps nothing else of the service waiting.
#[derive(Debug)]
pub struct Watching {
    thread: JoinHandle<Result<(), PipelineError>>,
    /// Hangs up when the thread is at its end.
    ended: Receiver<()>,
    stop: Arc<AtomicBool>,
}

impl Watching {
    /// Starts to look. `failed` is called if it ends by itself, which only a bug makes it do.
    pub fn start(mut watch: WatchFolder, failed: impl Fn() + Send + 'static) -> io::Result<Self> {
        let (ends, ended) = channel();
        let stop = Arc::clone(&watch.stop);
        let thread = std::thread::Builder::new().name("watch".to_owned()).spawn(move || {
            // Moved in, so that it is dropped last, however this ends.
            let _ends = ends;
            let look = AssertUnwindSafe(|| {
                while !watch.stop.load(Ordering::Acquire) {
                    watch.step();
                    std::thread::park_timeout(LOOK_EVERY);
                }
            });
            std::panic::catch_unwind(look).map_err(|_| {
                tracing::error!("the watch folder panicked");
                failed();
                PipelineError::Panicked("the watch folder".to_owned())
            })
        })?;
        Ok(Self { thread, ended, stop })
    }

    /// Ends between two files, or gives up the one that is being read. A landing that does not come back in time is left: the
    /// next start lands the file.
    pub fn finish(self) -> Result<(), PipelineError> {
        self.finish_within(STOP_WAIT)
    }

    fn finish_within(self, wait: Duration) -> Result<(), PipelineError> {
        self.stop.store(true, Ordering::Release);
        self.thread.thread().unpark();
        if self.ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("a landing from the watch folder is left to the next start");
            return Ok(());
        }
        self.thread.join().unwrap_or_else(|_| Err(PipelineError::Panicked("the watch folder".to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use sinks::local_store::memory::{Fault, MemoryStore};

    use super::*;

    #[test]
    fn a_file_is_landed_once_it_has_stopped_changing_and_never_twice() {
        let folder = tempfile::tempdir().expect("a folder");
        let account = folder.path().join("job").join("haven");
        fs::create_dir_all(&account).expect("folders");
        fs::write(account.join("a.csv"), "half").expect("a file");
        fs::write(folder.path().join("stray.csv"), "x").expect("a file in the wrong place");
        let landing = Arc::new(Landing::new(Arc::new(MemoryStore::new()), ingest::land::LandingSettings::default()));
        let tenant = TenantId::parse("main").expect("an id");
        let mut watch = WatchFolder::new(folder.path().to_owned(), Arc::clone(&landing), tenant.clone(), 10);
        let arrivals = || landing.arrivals(0).expect("arrivals").len();
        watch.step();
        assert_eq!(arrivals(), 0, "it may still be growing");
        fs::write(account.join("a.csv"), "half and the rest").expect("more");
        watch.step();
        assert_eq!(arrivals(), 0, "it has grown since");
        watch.step();
        watch.step();
        assert_eq!(arrivals(), 1);
        let mut after_restart = WatchFolder::new(folder.path().to_owned(), Arc::clone(&landing), tenant, 10);
        after_restart.step();
        after_restart.step();
        assert_eq!(arrivals(), 1, "the same bytes are known");
    }

    #[test]
    fn a_file_that_met_a_full_disk_or_an_outage_is_landed_with_the_next_look() {
        let folder = tempfile::tempdir().expect("a folder");
        let account = folder.path().join("job").join("haven");
        fs::create_dir_all(&account).expect("folders");
        fs::write(account.join("a.csv"), "id;seconds\n").expect("a file");
        let store = MemoryStore::new();
        let landing = Arc::new(Landing::new(Arc::new(store.clone()), ingest::land::LandingSettings::default()));
        let tenant = TenantId::parse("main").expect("an id");
        let mut watch = WatchFolder::new(folder.path().to_owned(), Arc::clone(&landing), tenant, 10);
        watch.step();
        for fault in [Fault::Fail, Fault::Full] {
            store.set_faults(Some(Box::new(move |_, _| fault)));
            watch.step();
            store.set_faults(None);
            assert_eq!(landing.arrivals(0).expect("arrivals").len(), 0, "{fault:?}");
        }
        watch.step();
        assert_eq!(landing.arrivals(0).expect("arrivals").len(), 1);
    }

    /// A watched folder with one file that has been seen.
    fn with_a_file(store: &MemoryStore) -> (tempfile::TempDir, Arc<Landing>, WatchFolder) {
        let folder = tempfile::tempdir().expect("a folder");
        let account = folder.path().join("job").join("haven");
        fs::create_dir_all(&account).expect("folders");
        fs::write(account.join("a.csv"), "id;seconds\n").expect("a file");
        let landing = Arc::new(Landing::new(Arc::new(store.clone()), ingest::land::LandingSettings::default()));
        let tenant = TenantId::parse("main").expect("an id");
        let mut watch = WatchFolder::new(folder.path().to_owned(), Arc::clone(&landing), tenant, 10);
        watch.step();
        (folder, landing, watch)
    }

    #[test]
    fn a_file_that_is_being_read_is_given_up_when_the_service_stops() {
        let mut read = Stoppable { file: &b"more and more"[..], stop: Arc::default() };
        assert_eq!(read.read(&mut [0; 4]).expect("bytes"), 4);
        read.stop.store(true, Ordering::Release);
        assert!(read.read(&mut [0; 4]).is_err());
        let (_folder, landing, mut watch) = with_a_file(&MemoryStore::new());
        watch.stop.store(true, Ordering::Release);
        watch.step();
        assert_eq!(landing.arrivals(0).expect("arrivals").len(), 0, "no file is begun");
        watch.stop.store(false, Ordering::Release);
        watch.step();
        assert_eq!(landing.arrivals(0).expect("arrivals").len(), 1);
    }

    #[test]
    fn a_landing_that_hangs_does_not_keep_the_stop_waiting() {
        let store = MemoryStore::new();
        let (_folder, _, watch) = with_a_file(&store);
        let (begins, begun) = channel();
        let (goes_on, may_go_on) = channel::<()>();
        store.set_faults(Some(Box::new(move |_, _| {
            // The other end may be gone: then nobody wants to know, or to hold it.
            let _ = begins.send(());
            let _ = may_go_on.recv();
            Fault::None
        })));
        let watching = Watching::start(watch, || ()).expect("a thread");
        begun.recv().expect("a landing");
        assert!(watching.finish_within(Duration::from_millis(20)).is_ok(), "it is left");
        drop(goes_on);
    }

    /// `gzip a.csv`.
    const GZIP: &[u8] = &[
        31, 139, 8, 8, 128, 162, 189, 106, 2, 3, 97, 46, 99, 115, 118, 0, 203, 76, 177, 46, 78, 77, 206, 207, 75, 41, 230, 50,
        180, 54, 51, 224, 50, 178, 54, 55, 229, 2, 0, 66, 225, 52, 2, 21, 0, 0, 0,
    ];

    #[test]
    fn a_wrapped_file_is_unwrapped_and_a_broken_one_keeps_nobody_waiting() {
        let folder = tempfile::tempdir().expect("a folder");
        let account = folder.path().join("job").join("haven");
        fs::create_dir_all(&account).expect("folders");
        fs::write(account.join("a-cut-off.csv.gz"), &GZIP[..30]).expect("a file");
        fs::write(account.join("b.csv.gz"), GZIP).expect("a file");
        let landing = Arc::new(Landing::new(Arc::new(MemoryStore::new()), ingest::land::LandingSettings::default()));
        let tenant = TenantId::parse("main").expect("an id");
        let mut watch = WatchFolder::new(folder.path().to_owned(), Arc::clone(&landing), tenant, 10);
        watch.step();
        watch.step();
        let arrivals = landing.arrivals(0).expect("arrivals");
        let [ingest::land::Arrival { kind: ingest::land::ArrivalKind::Delivery(record), .. }] = &arrivals[..] else {
            panic!("{arrivals:?}")
        };
        assert_eq!((&*record.identity.logical_file, record.size), ("b.csv", 21));
        assert_eq!(landing.read_range(&record.identity.sha256, 0..10).expect("its bytes"), b"id;seconds");
    }
}
