//! Requests of threads that know nothing of async: carried out on a small runtime of our own, few at a time, tried again
//! within limits.

use std::io;
use std::sync::mpsc;
use std::time::Duration;

use config::sections::Storage;
use domain::ports::BlobError;
use object_store::Error;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

use super::fault::Fault;

/// Threads that drive sockets; what is sent and read is hashed and parsed elsewhere.
const THREADS: usize = 2;

/// Longest pause before another attempt.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Doublings of the first pause.
const DOUBLINGS_MAX: u32 = 10;

/// The runtime and its limits.
pub(super) struct Requests {
    runtime: Option<Runtime>,
    permits: Semaphore,
    attempts_max: u32,
    pause: Duration,
    place: String,
    /// Why requests are refused, if no key was found.
    missing_key: Option<&'static str>,
}

impl Requests {
    /// Starts the runtime. `missing_key` is told with what the bucket refuses.
    pub fn start(place: String, storage: &Storage, missing_key: Option<&'static str>) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(THREADS).thread_name("tollway-storage").enable_all().build()?;
        Ok(Self {
            runtime: Some(runtime),
            permits: Semaphore::new(storage.requests_max.max(1)),
            attempts_max: storage.attempts_max.max(1),
            pause: storage.retry_pause,
            place,
            missing_key,
        })
    }

    /// Where requests go: `s3://BUCKET/PREFIX`.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Waits for an operation. The thread may belong to another runtime: it only waits on a channel, which no runtime forbids.
    pub fn wait<T: Send + 'static>(
        &self,
        operation: impl Future<Output = Result<T, BlobError>> + Send + 'static,
    ) -> Result<T, BlobError> {
        let (done, result) = mpsc::sync_channel(1);
        let runtime = self.runtime.as_ref().expect("the runtime is taken when the last owner drops it, and this is one");
        runtime.spawn(async move {
            // Nobody waits any more: then nobody wants to know.
            let _ = done.send(operation.await);
        });
        result.recv().unwrap_or_else(|_| Err(BlobError::Ambiguous(self.place.clone())))
    }

    /// One request, when it is its turn.
    pub async fn once<T>(&self, request: impl Future<Output = Result<T, Error>>) -> Result<T, Fault> {
        let _permit = self.permits.acquire().await;
        request.await.map_err(|e| Fault::of(&e))
    }

    /// A request that may be carried out twice, until it succeeds, is refused or has failed too often.
    pub async fn repeat<T, R>(&self, path: &str, mut request: impl FnMut() -> R) -> Result<T, Fault>
    where
        R: Future<Output = Result<T, Error>>,
    {
        let mut attempt = 1;
        loop {
            match self.once(request()).await {
                Err(fault) if fault.may_pass() && self.pause_after(attempt, path, &fault).await => attempt += 1,
                done => return done,
            }
        }
    }

    /// Pauses before the attempt that follows; false when there is none.
    pub async fn pause_after(&self, attempt: u32, path: &str, fault: &Fault) -> bool {
        if attempt >= self.attempts_max {
            return false;
        }
        tracing::warn!(storage = self.place, path, attempt, cause = %fault, "object storage: trying again");
        let pause = self.pause.saturating_mul(1 << (attempt - 1).min(DOUBLINGS_MAX)).min(PAUSE_MAX);
        tokio::time::sleep(pause).await;
        true
    }

    /// The error of an operation that was not carried out; of a kind of its own when the store is only out of reach.
    pub fn failed(&self, path: &str, fault: Fault) -> BlobError {
        let path = path.to_owned();
        match fault {
            Fault::NotFound => BlobError::NotFound(path),
            Fault::Exists => BlobError::AlreadyExists(path),
            other => {
                let kind = if other.may_pass() { io::ErrorKind::NotConnected } else { io::ErrorKind::Other };
                let hint = self.missing_key.map(|hint| format!("; {hint}")).unwrap_or_default();
                BlobError::Io { path, source: io::Error::new(kind, format!("{} {other}{hint}", self.place)) }
            }
        }
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        // The last owner may be a task of another runtime, where waiting is forbidden.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
