//! What goes wrong in store and log: armed before a step, gone after it, so that a seed repeats it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ingest::log::memory::{AppendFault, MemoryLog};
use sinks::local_store::memory::{Fault, MemoryStore, Operation};

use super::chance::Chance;
use super::rival::is_commit;
use super::tally::{Mishap, Tally};

/// A fault that waits for its operation.
#[derive(Debug)]
struct Armed {
    /// Operations that still go through.
    after: u64,
    fault: Fault,
    /// Whether the process dies with it: everything after it fails, too.
    deadly: bool,
    /// Only commits: the publishing of an entry of the table's log.
    commits_only: bool,
    /// Operations behind it that fail as well, as when a network is away.
    failing_behind: u64,
}

#[derive(Debug, Default)]
struct Sky {
    armed: Option<Armed>,
    append: Option<(u64, AppendFault)>,
    landed_reads_fail: bool,
    /// Another writer takes the next version first; it may say that it touches our accounts.
    rival: Option<bool>,
    dead: bool,
    failing: u64,
    fired: bool,
    rivals: u64,
    tally: Tally,
}

/// The faults of a run. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Weather(Arc<Mutex<Sky>>);

/// How a step went, as far as the weather knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// The process that made the step is dead.
    pub dead: bool,
    /// Something went wrong that was armed.
    pub fired: bool,
}

impl Weather {
    /// Hangs over a store and a log.
    pub fn over(store: &MemoryStore, log: &MemoryLog) -> Self {
        let weather = Self::default();
        let sky = weather.clone();
        store.set_faults(Some(Box::new(move |_, operation| sky.lock().strike(operation))));
        let sky = weather.clone();
        log.set_faults(Some(Box::new(move |_, _| sky.lock().strike_append())));
        weather
    }

    fn lock(&self) -> MutexGuard<'_, Sky> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws what goes wrong in a step that reads and writes the store.
    pub fn arm(&self, chance: &mut Chance) {
        let mut sky = self.lock();
        let reach = *chance.pick(&[1, 3, 10, 40]);
        let after = chance.below(reach);
        let (fault, deadly) = match chance.below(100) {
            0..18 => (Fault::Fail, true),
            18..36 => (Fault::AmbiguousDone, true),
            36..60 => (Fault::Fail, false),
            60..66 => (Fault::Full, false),
            66..80 => (Fault::AmbiguousDone, false),
            80..94 => (Fault::AmbiguousUndone, false),
            // Files are read in parallel, so a read that fails may not be one of a count.
            _ => {
                sky.landed_reads_fail = true;
                return;
            }
        };
        sky.armed = Some(Armed { after, fault, deadly, commits_only: false, failing_behind: 0 });
    }

    /// Draws what goes wrong when a worker is about to commit.
    pub fn arm_commit(&self, chance: &mut Chance) {
        let mut sky = self.lock();
        if chance.per_mille(350) {
            sky.rival = Some(chance.per_mille(500));
        }
        if sky.rival.is_some() && chance.per_mille(500) {
            return;
        }
        let fault = *chance.pick(&[Fault::AmbiguousDone, Fault::AmbiguousUndone]);
        // Sometimes looking whose entry it is fails as well, and sometimes the worker does not live to look.
        let failing_behind = *chance.pick(&[0, 0, 1, 12]);
        let deadly = chance.per_mille(250);
        sky.armed = Some(Armed { after: 0, fault, deadly, commits_only: true, failing_behind });
    }

    /// Draws what goes wrong in a step that appends to the log.
    pub fn arm_append(&self, chance: &mut Chance) {
        self.lock().append = Some((chance.below(3), *chance.pick(&[AppendFault::Lost, AppendFault::AckLost])));
    }

    /// Ends the step: what did not happen, does not happen later.
    pub fn calm(&self) -> Report {
        let mut sky = self.lock();
        let report = Report { dead: sky.dead, fired: sky.fired };
        let (tally, rivals) = (std::mem::take(&mut sky.tally), sky.rivals);
        *sky = Sky { rivals, tally, ..Sky::default() };
        report
    }

    /// The rival that was armed: its number, from 1, and whether it touches our accounts.
    pub fn take_rival(&self) -> Option<(u64, bool)> {
        let mut sky = self.lock();
        let touches = sky.rival.take()?;
        sky.rivals += 1;
        Some((sky.rivals, touches))
    }

    /// The rival was in time.
    pub fn note_rival(&self) {
        self.lock().tally.note(Mishap::Lost);
    }

    /// What has happened so far.
    pub fn tally(&self) -> Tally {
        self.lock().tally.clone()
    }
}

impl Sky {
    fn strike(&mut self, operation: Operation<'_>) -> Fault {
        if self.dead {
            return Fault::Fail;
        }
        if let Operation::Read(path) = operation
            && path.starts_with("landing/objects/")
        {
            return if self.landed_reads_fail { self.fire(Fault::Fail, false, false) } else { Fault::None };
        }
        if self.failing > 0 {
            self.failing -= 1;
            return Fault::Fail;
        }
        let is_commit = matches!(operation, Operation::Publish(path) if is_commit(path));
        match &mut self.armed {
            Some(armed) if !armed.commits_only || is_commit => {
                if armed.after > 0 {
                    armed.after -= 1;
                    return Fault::None;
                }
            }
            _ => return Fault::None,
        }
        let Some(armed) = self.armed.take() else { return Fault::None };
        self.failing = armed.failing_behind;
        self.fire(armed.fault, armed.deadly, is_commit)
    }

    fn fire(&mut self, fault: Fault, deadly: bool, is_commit: bool) -> Fault {
        self.fired = true;
        self.dead |= deadly;
        let ambiguous = matches!(fault, Fault::AmbiguousDone | Fault::AmbiguousUndone);
        if is_commit && ambiguous {
            self.tally.note(Mishap::AmbiguousCommit);
        }
        self.tally.note(match (fault, deadly) {
            (Fault::AmbiguousDone, true) => Mishap::CrashAfter,
            (_, true) => Mishap::CrashBefore,
            (Fault::AmbiguousDone, false) => Mishap::AmbiguousDone,
            (Fault::AmbiguousUndone, false) => Mishap::AmbiguousUndone,
            (Fault::Full, false) => Mishap::DiskFull,
            (Fault::None | Fault::Fail, false) => Mishap::Failed,
        });
        fault
    }

    fn strike_append(&mut self) -> AppendFault {
        if self.dead {
            return AppendFault::Lost;
        }
        match &mut self.append {
            Some((0, fault)) => {
                let fault = *fault;
                self.append = None;
                self.fired = true;
                self.tally.note(if fault == AppendFault::AckLost { Mishap::AckLost } else { Mishap::AppendLost });
                fault
            }
            Some((after, _)) => {
                *after -= 1;
                AppendFault::None
            }
            None => AppendFault::None,
        }
    }
}
