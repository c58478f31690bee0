//! What goes wrong in store and log: armed before a step, gone after it, so that a seed repeats it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ingest::log::memory::{AppendFault, MemoryLog};
use sinks::local_store::memory::{Fault, MemoryStore, Operation};

use super::chance::Chance;
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
    dead: bool,
    failing: u64,
    fired: bool,
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

    /// Draws what goes wrong in the next step, if anything.
    pub fn arm(&self, chance: &mut Chance) {
        let mut sky = self.lock();
        let after = chance.below(*chance.clone().pick(&[1, 3, 10, 40]));
        let armed = |fault, deadly| Armed { after, fault, deadly, commits_only: false, failing_behind: 0 };
        match chance.below(100) {
            0..14 => sky.armed = Some(armed(Fault::Fail, true)),
            14..28 => sky.armed = Some(armed(Fault::AmbiguousDone, true)),
            28..40 => sky.armed = Some(armed(Fault::Fail, false)),
            40..44 => sky.armed = Some(armed(Fault::Full, false)),
            44..52 => sky.armed = Some(armed(Fault::AmbiguousDone, false)),
            52..60 => sky.armed = Some(armed(Fault::AmbiguousUndone, false)),
            60..84 => {
                let fault = *chance.pick(&[Fault::AmbiguousDone, Fault::AmbiguousUndone]);
                // Sometimes looking whose entry it is fails as well, and sometimes the worker does not live to look.
                let failing_behind = *chance.pick(&[0, 0, 1, 12]);
                let deadly = chance.per_mille(200);
                sky.armed = Some(Armed { after: 0, fault, deadly, commits_only: true, failing_behind });
            }
            84..88 => {
                // Files are read in parallel, so a read that fails may not be one of a count.
                sky.landed_reads_fail = true;
            }
            _ => sky.append = Some((chance.below(4), *chance.pick(&[AppendFault::Lost, AppendFault::AckLost]))),
        }
    }

    /// Ends the step: what did not happen, does not happen later.
    pub fn calm(&self) -> Report {
        let mut sky = self.lock();
        let report = Report { dead: sky.dead, fired: sky.fired };
        let tally = std::mem::take(&mut sky.tally);
        *sky = Sky { tally, ..Sky::default() };
        report
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
        let is_commit = matches!(operation, Operation::Publish(path) if path.contains("/_delta_log/") && path.ends_with(".json"));
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
