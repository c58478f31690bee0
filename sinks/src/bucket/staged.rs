//! Publishing into a bucket: bytes wait in memory, large ones in a file under no name, until they have a name to take.
//!
//! A small object is one conditional put, marked as ours. A large one is sent in parts under a name in `.staging` and then
//! copied to its own by the bucket, which refuses the copy if that name is taken: parts themselves cannot be conditional.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use config::sections::Storage;
use domain::ports::{BlobError, StagedBlob, io_error};
use object_store::path::Path;
use object_store::{Attribute, Attributes, GetOptions, ObjectStoreExt, PutMode, PutOptions};
use tempfile::{SpooledData, SpooledTempFile, spooled_tempfile_in};

use super::client::connect;
use super::fault::Fault;
use super::{OBJECT_BYTES_MAX, STAGING, Shared};
use crate::local_store::names::check_path;

/// Under which key an object's metadata hold the mark of its publication. Azure takes letters only.
const MARK: &str = "tollwaymark";

/// Parts that were not finished for this long belong to nobody any more: a large object on a slow line takes hours.
const STALE_US: i64 = 24 * 3_600_000_000;

/// The longest time for the copy of an object; 5 GiB are copied in minutes.
const COPY_WAIT_MAX: Duration = Duration::from_hours(1);

/// An object that is being written.
pub(super) struct Staged {
    shared: Arc<Shared>,
    bytes: SpooledTempFile,
    size: u64,
}

/// Whose object stands under a name.
enum Owner {
    Us,
    Another,
    Nobody,
    Unknown,
}

impl Staged {
    /// Nothing yet.
    pub fn new(shared: Arc<Shared>) -> Self {
        let bytes = spooled_tempfile_in(shared.part_bytes, &shared.spool);
        Self { shared, bytes, size: 0 }
    }
}

impl Write for Staged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.bytes.write(bytes)?;
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.bytes.flush()
    }
}

impl StagedBlob for Staged {
    fn publish(mut self: Box<Self>, path: &str) -> Result<(), BlobError> {
        check_path(path)?;
        self.bytes.flush().map_err(|e| io_error(path, e))?;
        let Self { shared, bytes, size } = *self;
        if size > OBJECT_BYTES_MAX {
            let what = format!("it has {size} bytes, a bucket takes {OBJECT_BYTES_MAX}; lower `landing.file_bytes_max`");
            return Err(BlobError::Io { path: path.to_owned(), source: io::Error::new(io::ErrorKind::InvalidInput, what) });
        }
        let (runner, path) = (Arc::clone(&shared), path.to_owned());
        match bytes.into_inner() {
            SpooledData::InMemory(bytes) => {
                let bytes = Bytes::from(bytes.into_inner());
                runner.requests.wait(async move { publish_small(&shared, &path, bytes).await })
            }
            SpooledData::OnDisk(file) => {
                let file = Arc::new(file);
                runner.requests.wait(async move { publish_large(&shared, &path, &file, size).await })
            }
        }
    }
}

/// Puts an object where none is. What is known of earlier attempts decides what an answer means: "there is one" after an
/// attempt without an answer may be our own.
pub(super) async fn publish_small(shared: &Shared, path: &str, bytes: Bytes) -> Result<(), BlobError> {
    let (key, mark) = (shared.key(path)?, shared.next_mark());
    let (mut attempt, mut may_be_there) = (1, false);
    loop {
        let attributes = Attributes::from_iter([(Attribute::Metadata(MARK.into()), mark.clone())]);
        let options = PutOptions { mode: PutMode::Create, attributes, ..PutOptions::default() };
        let Err(fault) = shared.requests.once(shared.clients.store.put_opts(&key, bytes.clone().into(), options)).await else {
            return Ok(());
        };
        match &fault {
            Fault::Exists if !may_be_there => return Err(BlobError::AlreadyExists(path.to_owned())),
            Fault::Unclear(_) => may_be_there = true,
            Fault::Exists | Fault::Conflict | Fault::Unreached(_) => {}
            Fault::Refused(_) | Fault::NotFound if may_be_there => return Err(BlobError::Ambiguous(path.to_owned())),
            Fault::Refused(_) | Fault::NotFound => return Err(shared.requests.failed(path, fault)),
        }
        if !matches!(fault, Fault::Unreached(_)) {
            match owner(shared, &key, &mark).await {
                Owner::Us => return Ok(()),
                Owner::Another => return Err(BlobError::AlreadyExists(path.to_owned())),
                // The request may still be on its way: the same bytes under the same condition are offered again.
                Owner::Nobody | Owner::Unknown => {}
            }
        }
        if !shared.requests.pause_after(attempt, path, &fault).await {
            tracing::warn!(storage = shared.requests.place(), path, attempt, cause = %fault, "object storage: giving up");
            return Err(if may_be_there { BlobError::Ambiguous(path.to_owned()) } else { shared.requests.failed(path, fault) });
        }
        attempt += 1;
    }
}

async fn owner(shared: &Shared, key: &Path, mark: &str) -> Owner {
    let options = GetOptions { head: true, ..GetOptions::default() };
    match shared.requests.once(shared.clients.store.get_opts(key, options)).await {
        Ok(found) if found.attributes.get(&Attribute::Metadata(MARK.into())).is_some_and(|m| m.as_ref() == mark) => Owner::Us,
        Ok(_) => Owner::Another,
        Err(Fault::NotFound) => Owner::Nobody,
        Err(_) => Owner::Unknown,
    }
}

async fn publish_large(shared: &Shared, path: &str, file: &Arc<File>, size: u64) -> Result<(), BlobError> {
    sweep(shared).await;
    let (key, staging) = (shared.key(path)?, format!("{STAGING}/{}", shared.next_mark()));
    send_parts(shared, path, &staging, file, size).await?;
    let from = shared.key(&staging)?;
    let claimed = claim_name(shared, path, &from, &key, size).await;
    if let Err(error) = shared.delete(&staging).await {
        tracing::warn!(storage = shared.requests.place(), path = staging, error = %error, "left behind; a later start removes it");
    }
    claimed
}

/// Sends the file under a name that no other publication has: each part may be sent twice.
async fn send_parts(shared: &Shared, path: &str, staging: &str, file: &Arc<File>, size: u64) -> Result<(), BlobError> {
    let (requests, parts, to) = (&shared.requests, &shared.clients.parts, shared.key(staging)?);
    let failed = |fault| match fault {
        Fault::NotFound | Fault::Exists => requests.failed(path, Fault::Unclear("lost an upload in parts".to_owned())),
        other => requests.failed(path, other),
    };
    let upload = requests.repeat(path, || parts.create_multipart(&to)).await.map_err(failed)?;
    let mut sent = Vec::new();
    let mut from = 0;
    while from < size {
        let length = usize::try_from(size - from).unwrap_or(usize::MAX).min(shared.part_bytes);
        let part = read_part(file, from, length).await.map_err(|e| io_error(path, e))?;
        let put = || parts.put_part(&to, &upload, sent.len(), part.clone().into());
        match requests.repeat(path, put).await {
            Ok(id) => sent.push(id),
            Err(fault) => {
                // Best effort: what is left of it costs space until the bucket's own rule removes it.
                let _ = requests.once(parts.abort_multipart(&to, &upload)).await;
                return Err(failed(fault));
            }
        }
        from += length as u64;
    }
    match requests.repeat(path, || parts.complete_multipart(&to, &upload, sent.clone())).await {
        Ok(_) => Ok(()),
        // Finished by an attempt without an answer, the upload is not there any more; then the object is.
        Err(fault) => match shared.meta(staging).await {
            Ok(meta) if meta.size == size => Ok(()),
            _ => Err(failed(fault)),
        },
    }
}

async fn read_part(file: &Arc<File>, from: u64, length: usize) -> io::Result<Bytes> {
    let file = Arc::clone(file);
    let read = tokio::task::spawn_blocking(move || {
        let mut part = vec![0; length];
        file.read_exact_at(&mut part, from).map(|()| Bytes::from(part))
    });
    read.await.map_err(io::Error::other)?
}

/// How long the copy of an object may take: the time of a request for each of its parts.
fn copy_wait(storage: &Storage, size: u64) -> Duration {
    let parts = size.div_ceil(storage.part_bytes.max(1) as u64).max(1);
    storage
        .request_timeout
        .saturating_mul(u32::try_from(parts).unwrap_or(u32::MAX))
        .clamp(storage.request_timeout, COPY_WAIT_MAX.max(storage.request_timeout))
}

/// Copies the staged object to its name if that is free. A copy has no mark of its own: once an answer was lost, what stands
/// there may be ours or another's, and whoever asked has to compare.
async fn claim_name(shared: &Shared, path: &str, from: &Path, to: &Path, size: u64) -> Result<(), BlobError> {
    let (mut attempt, mut may_be_there) = (1, false);
    // The bucket answers when all bytes are copied: as long as sending them may have taken, part by part.
    let patient = Storage { request_timeout: copy_wait(&shared.storage, size), ..shared.storage.clone() };
    let refused = |what| io_error(path, io::Error::new(io::ErrorKind::InvalidInput, what));
    let clients = connect(&shared.bucket, &patient).map_err(refused)?;
    loop {
        let Err(fault) = shared.requests.once(clients.store.copy_if_not_exists(from, to)).await else { return Ok(()) };
        match &fault {
            Fault::Exists if !may_be_there => return Err(BlobError::AlreadyExists(path.to_owned())),
            Fault::Conflict | Fault::Unreached(_) => {}
            Fault::Unclear(_) => may_be_there = true,
            _ if may_be_there => return Err(BlobError::Ambiguous(path.to_owned())),
            Fault::NotFound => {
                return Err(shared.requests.failed(path, Fault::Refused("lost a staged object; write it again".to_owned())));
            }
            _ => return Err(shared.requests.failed(path, fault)),
        }
        if !shared.requests.pause_after(attempt, path, &fault).await {
            return Err(if may_be_there { BlobError::Ambiguous(path.to_owned()) } else { shared.requests.failed(path, fault) });
        }
        attempt += 1;
    }
}

/// Removes what crashes left in `.staging`, once per process, best effort.
async fn sweep(shared: &Shared) {
    if shared.swept.swap(true, Ordering::Relaxed) {
        return;
    }
    let Ok(left) = shared.list(&format!("{STAGING}/")).await else { return };
    for entry in left.iter().filter(|entry| shared.opened_us.saturating_sub(entry.modified_us) > STALE_US) {
        let _ = shared.delete(&entry.path).await;
    }
}
