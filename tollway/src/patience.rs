//! Bounded patience with failures that may pass.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::ports::{BlobError, Disposition};
use ingest::log::LogError;
use pipeline::PipelineError;
use store::StoreError;

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

/// Does something for which servers are needed: while brokers, bucket or state database are out of reach, it is tried again as
/// long as there is patience. Any other failure is handed back.
pub fn outlast<T>(mut patience: Patience, mut work: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
    loop {
        match work() {
            Err(e) if is_out_of_reach(&e) => match patience.bear(Err(e))? {
                Ok(done) => return Ok(done),
                Err(pause) => std::thread::park_timeout(pause),
            },
            done => return done,
        }
    }
}

/// Whether a server did not answer that may come back.
fn is_out_of_reach(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let is_blob_away = match cause.downcast_ref::<BlobError>() {
            Some(BlobError::Io { source, .. }) => source.kind() == ErrorKind::NotConnected,
            // The answer to a put was lost: what is done at the start may be done twice.
            Some(BlobError::Ambiguous(_)) => true,
            _ => false,
        };
        is_blob_away
            || matches!(cause.downcast_ref::<StoreError>(), Some(StoreError::Unreachable { .. }))
            || cause.downcast_ref::<LogError>().is_some_and(|e| e.disposition() == Disposition::Retry)
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use anyhow::Context;

    use super::*;

    fn storage(kind: ErrorKind) -> anyhow::Error {
        BlobError::Io { path: "x".to_owned(), source: io::Error::new(kind, "s3://calls cannot be reached") }.into()
    }

    #[test]
    fn a_server_out_of_reach_is_outlasted_and_nothing_else() {
        let unclear = BlobError::Ambiguous("x".to_owned()).into();
        let mut failures =
            vec![unclear, storage(ErrorKind::NotConnected), storage(ErrorKind::NotConnected).context("failed to open")];
        let patience = || Patience::new(u32::MAX, Duration::from_micros(1));
        let done = outlast(patience(), || failures.pop().map_or(Ok("there"), Err)).expect("it comes back");
        assert_eq!((done, failures.len()), ("there", 0));
        let mut asked = 0;
        let refused: anyhow::Result<()> = outlast(patience(), || {
            asked += 1;
            Err(storage(ErrorKind::Other)).context("failed to open")
        });
        assert!(refused.is_err() && asked == 1, "a wrong key does not come right by waiting");
    }

    #[test]
    fn patience_ends() {
        let mut asked = 0;
        let gave_up: anyhow::Result<()> = outlast(Patience::new(2, Duration::from_micros(1)), || {
            asked += 1;
            Err(storage(ErrorKind::NotConnected))
        });
        assert!(gave_up.is_err());
        assert_eq!(asked, 3, "the first time and two more");
    }
}
