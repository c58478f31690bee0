//! Bounded patience with failures that may pass.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::ports::Disposition;
use pipeline::PipelineError;

use crate::exit_code::{self, Exit};

/// Doublings of the first pause.
const DOUBLINGS_MAX: u32 = 6;

/// Counts failures in a row and pauses after each, longer every time.
#[derive(Debug)]
pub struct Patience {
    failures: u32,
    failures_max: u32,
    pause: Duration,
}

impl Patience {
    /// Gives up after `failures_max` failures in a row; the first is followed by `pause`.
    pub fn new(failures_max: u32, pause: Duration) -> Self {
        Self { failures: 0, failures_max, pause }
    }

    /// Work has been done: what failed before has passed.
    pub fn restore(&mut self) {
        self.failures = 0;
    }

    /// Passes a success on; pauses after a failure that may pass; hands any other failure back. Only [`Patience::restore`]
    /// forgets failures: starting over after one is no success yet.
    pub fn settle<T>(&mut self, result: Result<T, PipelineError>, stop: &AtomicBool) -> Result<Option<T>, PipelineError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(e) if e.disposition() == Disposition::Retry && self.failures < self.failures_max => {
                let pause = self.note(&e);
                if !stop.load(Ordering::Acquire) {
                    std::thread::park_timeout(pause);
                }
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }

    /// Passes a success on; after a failure of the outside world says how long to leave the work alone.
    pub fn bear<T>(&mut self, result: anyhow::Result<T>) -> anyhow::Result<Result<T, Duration>> {
        match result {
            Ok(value) => {
                self.restore();
                Ok(Ok(value))
            }
            Err(e) if exit_code::of(&e) == Exit::Outside && self.failures < self.failures_max => Ok(Err(self.note(&e))),
            Err(e) => Err(e),
        }
    }

    fn note(&mut self, error: &impl std::fmt::Display) -> Duration {
        self.failures += 1;
        tracing::warn!(error = format!("{error:#}"), attempt = self.failures, "trying again");
        self.pause * (1 << self.failures.min(DOUBLINGS_MAX))
    }
}
