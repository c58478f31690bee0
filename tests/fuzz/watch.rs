//! The watchdog: ends the program, with the input written down, when one takes too long or far too much memory.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::case::Case;
use crate::memory;

/// How often the watchdog looks.
const LOOK: Duration = Duration::from_millis(200);

/// What is running.
struct Running {
    case: Case,
    since: Instant,
}

/// Watches the inputs of one target.
pub struct Watch {
    running: Arc<(Mutex<Option<Running>>, Condvar)>,
}

impl Watch {
    /// Begins to watch: an input may take so long, and one that does not keep to it is written to this folder.
    pub fn new(target: &str, limit: Duration, folder: &Path) -> Self {
        let running = Arc::new((Mutex::new(None::<Running>), Condvar::new()));
        let (shared, target, folder) = (Arc::clone(&running), target.to_owned(), folder.to_owned());
        std::thread::spawn(move || {
            let (state, changed) = &*shared;
            let mut now = state.lock().unwrap_or_else(PoisonError::into_inner);
            loop {
                if let Some(running) = now.as_ref() {
                    let hangs = running.since.elapsed() > limit;
                    if hangs || memory::is_stopped() {
                        let what =
                            if hangs { format!("takes more than {limit:?}") } else { "takes far too much memory".to_owned() };
                        end(&target, &running.case, &what, &folder);
                    }
                }
                now = changed.wait_timeout(now, LOOK).unwrap_or_else(PoisonError::into_inner).0;
            }
        });
        Self { running }
    }

    /// Runs one input under watch.
    pub fn over<T>(&self, case: &Case, run: impl FnOnce() -> T) -> T {
        self.set(Some(Running { case: case.clone(), since: crate::now() }));
        let result = run();
        self.set(None);
        result
    }

    fn set(&self, running: Option<Running>) {
        *self.running.0.lock().unwrap_or_else(PoisonError::into_inner) = running;
    }
}

#[expect(clippy::disallowed_methods, reason = "the thread that hangs cannot be stopped in any other way")]
fn end(target: &str, case: &Case, what: &str, folder: &Path) -> ! {
    let place: PathBuf = case.write(folder, target).unwrap_or_default();
    println!("{}", crate::finding(target, what, &place));
    std::process::exit(1);
}
