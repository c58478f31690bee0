//! Forces appended records to the disk some milliseconds after the first of them: the thread behind [`super::Fsync::Interval`].

use std::sync::Weak;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::Partitions;
use crate::log::LogError;

/// Tells the thread that something is to be flushed; the thread ends when this is dropped.
#[derive(Debug)]
pub(super) struct Flusher(SyncSender<()>);

impl Flusher {
    /// Starts the thread. It holds the partitions only weakly, so it never keeps a log open.
    pub(super) fn start(partitions: Weak<Partitions>, every_ms: u64) -> Result<Self, LogError> {
        let (dirty, signals) = sync_channel(1);
        let every = Duration::from_millis(every_ms);
        std::thread::Builder::new()
            .name("log-flush".to_owned())
            .spawn(move || run(&signals, every, &partitions))
            .map_err(|e| LogError::io("log-flush thread".as_ref(), e))?;
        Ok(Self(dirty))
    }

    /// A record has been appended. A full channel says that the thread knows already.
    pub(super) fn appended(&self) {
        let _ = self.0.try_send(());
    }
}

#[expect(clippy::disallowed_methods, reason = "the disk is flushed in real time; nothing that is stored depends on it")]
fn run(signals: &Receiver<()>, every: Duration, partitions: &Weak<Partitions>) {
    while signals.recv().is_ok() {
        let due = Instant::now() + every;
        loop {
            match signals.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(()) => {}
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        let Some(partitions) = partitions.upgrade() else { return };
        for partition in partitions.all() {
            // A failed fsync stops the partition: its next append says so.
            let _ = partition.sync();
        }
    }
}
